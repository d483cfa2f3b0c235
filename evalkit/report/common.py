"""What several sections share: protecting tables, the legend of the arms, the cells of a protected table."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from evalkit import words
from evalkit.disclosure import ProtectedCohort, count, protect, protect_cohort
from evalkit.report.figures.svg import Board
from evalkit.report.html import esc
from evalkit.report.phrases import arm_names, finite, real, said

_SAFE: weakref.WeakKeyDictionary[Any, dict[str, ProtectedCohort]] = weakref.WeakKeyDictionary()


def safe_cohort(cohort: Any, rule: str, readings: pd.DataFrame | None = None) -> ProtectedCohort:
    """The tables of a cohort as they may be printed, judged once however many exhibits they are drawn in.

    Parameters
    ----------
    cohort : Cohort
        Kept as long as it lives.
    rule : str
        The disclosure rule in force.
    readings : DataFrame, optional
        Further characteristics, as in `evalkit.disclosure.protect_cohort`; they change nothing in the other tables.

    Returns
    -------
    ProtectedCohort
        All its tables.
    """
    if readings is not None:
        return protect_cohort(cohort, rule, readings)
    try:
        made = _SAFE.setdefault(cohort, {})
    except TypeError:  # a stand-in that cannot be a key is judged anew each time
        return protect_cohort(cohort, rule)
    if rule not in made:
        made[rule] = protect_cohort(cohort, rule)
    return made[rule]


def rule_of(evaluation: Any) -> str:
    """The disclosure rule in force."""
    return str(evaluation.study.disclosure.rule)


def record_of(evaluation: Any) -> dict[str, Any]:
    """What the numbers were made from and with: hashes, versions, parameters."""
    from evalkit.provenance import record  # walks every room: only for whoever shows an evaluation

    return getattr(evaluation, "provenance", None) or record(evaluation)


def treated(evaluation: Any) -> int | None:
    """How many were offered the programme, as the cohort's table prints it; None where it is hidden, or not known.

    Parameters
    ----------
    evaluation : Evaluation
        Its cohort may be missing.

    Returns
    -------
    int or None
        Everyone counted, where there are no arms.
    """
    if evaluation.cohort is None:
        return None
    last = safe_cohort(evaluation.cohort, rule_of(evaluation)).flow.iloc[-1]
    column = "treated" if "treated" in last.index and pd.notna(last["treated"]) else "people"
    return None if isinstance(last[column], str) else int(last[column])


def few_events(share: object, n: object, rule: str) -> bool:
    """Whether a share of n people, none of them or all of them apart, tells of fewer than may be printed.

    Parameters
    ----------
    share : number
        Of those with the event.
    n : number
        How many people.
    rule : str
        The disclosure rule in force.

    Returns
    -------
    bool
        True where those with, or those without, are too few.
    """
    if not finite(share) or not finite(n):
        return False
    yes = round(real(share) * real(n))
    return any(hidden(count(part, rule)) for part in (yes, max(0, round(real(n)) - yes)))


def people(n: object, evaluation: Any) -> str:
    """A count of people as it may be printed: "1,284" or "[c]"."""
    if not finite(n):
        return words.NOT_AVAILABLE
    return shown(count(int(real(n)), rule_of(evaluation)))


def shown(value: object, digits: int = 0) -> str:
    """A protected cell as text: numbers written, symbols as they are, missing as "[x]"."""
    if isinstance(value, str):
        return value
    return words.number(real(value), digits) if finite(value) else words.NOT_AVAILABLE


def protected(
    table: pd.DataFrame,
    evaluation: Any,
    counts: Sequence[str],
    behind: Mapping[str, str] | None = None,
    total: Any = None,
) -> pd.DataFrame:
    """A table that may leave, its rows numbered from 0.

    Parameters
    ----------
    table : DataFrame
        Counts as whole numbers (missing where there are none).
    evaluation : Evaluation
        For the rule in force.
    counts, behind, total
        As in `evalkit.disclosure.protect`.

    Returns
    -------
    DataFrame
        With "[c]" in hidden cells.
    """
    table = table.reset_index(drop=True)
    return protect(table, rule=rule_of(evaluation), counts=list(counts), behind=dict(behind or {}), total=total).table


def characteristic(evaluation: Any, name: str) -> str:
    """What the page calls a characteristic: the study's title for it, or its name in plain letters.

    Parameters
    ----------
    evaluation : Evaluation
        Its study may give columns titles.
    name : str
        A column, "column: answer", or a reading ("measure@occasion").

    Returns
    -------
    str
        "Earnings in 1974", "Sex: F", "Difficulties, at referral".
    """
    if evaluation.outcomes is not None and name in evaluation.outcomes.wide.columns:
        told = evaluation.outcomes.describe(name)
        return ", ".join(part for part in (told["title"], said(told["occasion_title"])) if part)
    return column_title(evaluation.study, name)


def column_title(study: Any, name: str) -> str:
    """What the study calls a column, or its name in plain letters: "Sex: F" for "sex F"."""
    plan = getattr(study, "cohort", None)
    titles = plan.titles if plan is not None else {}
    column, _, answer = name.partition(" ")
    label = f"{titles[column]}: {answer}" if answer and column in titles else titles.get(name, name.replace("_", " "))
    return str(label[:1].upper() + label[1:])


def hidden(value: object) -> bool:
    """Whether a cell was hidden."""
    return isinstance(value, str) and value == words.SUPPRESSED


def arms_legend(evaluation: Any, note: str = "") -> str:
    """The key of the two arms: filled circle and solid line, hollow diamond and dashes."""
    entries = []
    for name, treated in zip(arm_names(evaluation.study), (True, False), strict=True):
        board = Board(34, 14)
        board.line(0, 7, 34, 7, "treatedline" if treated else "comparisonline")
        (board.circle if treated else board.diamond)(17, 7)
        entries.append(f"<li>{board.svg()}{esc(name)}</li>")
    tail = f'<li class="ek-soft">{esc(note)}</li>' if note else ""
    return f'<ul class="ek-legend" aria-label="Key">{"".join(entries)}{tail}</ul>'


def split_legend(name: str) -> str:
    """The key of the payment bars: added, anyway, not known."""
    kinds = (("added", "added by the programme"), ("anyway", "would have happened anyway"), ("unknown", "not known"))
    entries = []
    for kind, label in kinds:
        board = Board(26, 14)
        if kind != "added":
            board.patterns(f"{name}-{kind}")
        board.filled(0.5, 0.5, 25, 13, kind, f"{name}-{kind}")
        entries.append(f"<li>{board.svg()}{esc(label)}</li>")
    return f'<ul class="ek-legend" aria-label="Key">{"".join(entries)}</ul>'


def absent(evaluation: Any, room: str, otherwise: str) -> str:
    """Why a room is empty, in one plain sentence."""
    return str(evaluation.absent.get(room, otherwise))
