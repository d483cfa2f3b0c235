"""What the exhibits beside the main estimate share: how an outcome is written, and words that tell of nobody."""

from __future__ import annotations

import math
import re
from types import SimpleNamespace
from typing import Any

from evalkit import words
from evalkit.report.html import lower_first, sentence
from evalkit.report.phrases import Wording, finite, outcome_name, real, said, wording
from evalkit.report.results import result_key
from evalkit.report.rough import few

FEW_IN_WORDS = re.compile(
    r"(?<!than )\b[0-9] (?=(?:\w+ )?(?:people|persons?|rows?|readings?|pairs?|clusters?|periods|values|treated)\b)"
)
# Advice to whoever runs the analysis: "(ends = ...)", "(name person, or ...)".
ADVICE = re.compile(r"\s*\((?:name |[a-z_]+ = )[^)]*\)")


def looked(evaluation: Any, name: str) -> Any:
    """What a look at the effects found; None where it was not taken.

    Parameters
    ----------
    evaluation : Evaluation
        With or without effects.
    name : str
        As `evalkit.counterfactual.looks` names it.

    Returns
    -------
    object or None
        As the look gave it.
    """
    return (getattr(evaluation.effects, "looks", None) or {}).get(name)


def several(evaluation: Any, name: str) -> list[Any]:
    """What a look found, as a list whether it looks at one outcome or at several."""
    found = looked(evaluation, name)
    if found is None:
        return []
    return list(found) if isinstance(found, list | tuple) else [found]


def row_of(evaluation: Any, outcome: str) -> Any:
    """The row of the main table for an outcome, or None."""
    rows = evaluation.effects.table.itertuples()
    return next((row for row in rows if str(row.outcome) == outcome), None)


def key_of(evaluation: Any, outcome: str) -> str:
    """The first words of an outcome's result ids, whether or not it stands in the main table."""
    row = row_of(evaluation, outcome)
    return outcome.replace("@", ".") if row is None else result_key(row, list(evaluation.effects.table.itertuples()))


def form_of(evaluation: Any, outcome: str) -> Wording:
    """How numbers of an outcome are written, whether or not it stands in the main table.

    Parameters
    ----------
    evaluation : Evaluation
        With effects.
    outcome : str
        As the study names it.

    Returns
    -------
    Wording
        Of its row; else from what the outcomes say of it.
    """
    row, currency = row_of(evaluation, outcome), evaluation.study.study.currency
    if row is None and evaluation.outcomes is not None:
        told = evaluation.outcomes.describe(outcome)
        row = SimpleNamespace(values=told["values"], unit=told["unit"], is_domain=told["kind"] == "domain")
    return wording(row if row is not None else SimpleNamespace(), currency)


def named(evaluation: Any, one: Any) -> str:
    """What the report calls the outcome of a look, with its occasion."""
    row = row_of(evaluation, str(one.outcome))
    return outcome_name(row) if row is not None else said(one.title) or str(one.outcome)


def spoken(evaluation: Any, one: Any) -> str:
    """The same within a sentence."""
    return lower_first(named(evaluation, one))


def unit_of(form: Wording) -> str:
    """What a difference is counted in, for a subtitle."""
    if form.ratio:
        return "a ratio of two rates; 1 is no difference"
    return {"share": "percentage points", "index": "SD of the reference group"}.get(form.kind, form.unit or "its unit")


def between(form: Wording, low: object, high: object) -> str:
    """Two estimates with their unit: "\u221240.6 to \u221233.1 days"."""
    unit = form.signed(low)[len(form.change(low)) :]
    return f"{form.interval(low, high)}{unit}"


def axis_unit(form: Wording) -> str:
    """What a level is counted in, for an axis."""
    return {"share": "%", "index": "SD"}.get(form.kind, form.unit or "per period")


def level_scale(form: Wording) -> float:
    """What a level is multiplied with before it is drawn."""
    return 100.0 if form.kind == "share" else 1.0


def clear_of(form: Wording) -> str:
    """The number that stands for no difference, in words."""
    return "1" if form.ratio else "zero"


def level_words(evaluation: Any) -> str:
    """The confidence of the intervals: "95%"."""
    plan = evaluation.study.counterfactual
    return words.percent(real(plan.level) if plan is not None else 0.95, 0)


def digits_of(low: object, high: object) -> int:
    """Decimals for a number without a unit of its own: two digits of a quarter of its interval."""
    size = abs(real(high) - real(low)) / 4
    if not math.isfinite(size) or size <= 0:
        return 2
    return int(min(max(1 - math.floor(math.log10(size)), 0), 4))


def why_not(text: object) -> str:
    """Why something could not be estimated, without small counts and without advice to the analyst.

    Parameters
    ----------
    text : str
        As the estimator said it.

    Returns
    -------
    str
        One sentence or more.
    """
    plain = ADVICE.sub("", said(text))
    return sentence(FEW_IN_WORDS.sub("few ", plain))


def about(share: object) -> str:
    """A share of people beside tables that count them: to the nearest five per cent, so that no count follows.

    Parameters
    ----------
    share : float
        From 0 to 1.

    Returns
    -------
    str
        "all", "nearly all", "about 85%", "fewer than 5%".
    """
    if not finite(share):
        return words.NOT_AVAILABLE
    if real(share) >= 1:
        return "all"
    fives = 5 * round(20 * real(share))
    if fives >= 100:
        return "nearly all"
    return f"about {fives}%" if fives else "fewer than 5%"


def gives_away(evaluation: Any, whole: Any, part: Any, yes_or_no: bool) -> bool:
    """Whether two estimates, of all treated and of some, tell of few people who are in the one and not the other.

    Parameters
    ----------
    evaluation : Evaluation
        For the rule in force.
    whole, part : Estimate
        With ``n_treated`` and ``observed``.
    yes_or_no : bool
        Whether the outcome is a share: then its numbers are counts too.

    Returns
    -------
    bool
        True where the rest, or those of them with or without the outcome, are too few.
    """
    rest = int(whole.n_treated) - int(part.n_treated)
    if rest <= 0:
        return False
    if few(rest, evaluation):
        return True
    if not yes_or_no:
        return False
    if not finite(whole.observed) or not finite(part.observed):
        return True
    events = round(real(whole.observed) * whole.n_treated - real(part.observed) * part.n_treated)
    return any(few(max(n, 0), evaluation) for n in (events, rest - events))
