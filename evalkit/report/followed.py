"""The flow of a cohort in words and counts that may be printed, ready to be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evalkit.disclosure import ProtectedCohort
from evalkit.report.common import hidden, shown
from evalkit.report.figures.flow import Branch, Step, flow
from evalkit.report.figures.groups import Below, Flow, Group, flow_of_groups
from evalkit.report.figures.svg import Drawn
from evalkit.report.html import lower_first
from evalkit.report.phrases import arm_names, finite, has_arms, real, said

ARMS = ("treated", "comparison")
LEADS = {"include": "not: ", "arm": "not: ", "group": "not: ", "exclude": ""}


@dataclass(frozen=True)
class Followed:
    """A flow ready to be drawn.

    ``start`` and ``end`` are (count, words); ``kept`` holds the rows of the flow that are drawn as steps; ``met`` the
    sentences of rules at which nobody left.
    """

    start: tuple[str, str]
    steps: list[Step]
    end: tuple[str, str]
    kept: list[int]
    met: list[str]


def followed(safe: ProtectedCohort, who: str) -> Followed:
    """Put a protected flow into words.

    Parameters
    ----------
    safe : ProtectedCohort
        Its flow.
    who : str
        What the study calls the people.

    Returns
    -------
    Followed
        Steps at which nobody left are not drawn.
    """
    rows: list[Any] = list(safe.flow.itertuples(index=False))
    steps, kept, met, before = [], [], [], rows[0].people
    for place, row in enumerate(rows[1:], start=1):
        nobody = not hidden(row.people) and row.people == before
        before = row.people
        if not nobody:
            steps.append(Step(_says(row), shown(row.left_out), shown(row.people)))
            kept.append(place)
        elif row.kind not in {"pick", "arm", "group"}:
            met.append(said(row.says))
    start = (shown(rows[0].people), _start(who, said(rows[0].says)))
    end = "meet every rule and are compared" if rows[-1].kind == "group" else "meet every rule"
    return Followed(start, steps, (shown(rows[-1].people), end), kept, met)


def draw_flow(
    safe: ProtectedCohort, found: Followed, study: Any, analysed: dict[str, list[tuple[str, str]]] | None = None
) -> Drawn:
    """Draw a flow: arms forking at its end, or several groups side by side.

    Parameters
    ----------
    safe : ProtectedCohort
        Flow and sets.
    found : Followed
        The same flow in words.
    study : Study or None
        For the names of arms and groups.
    analysed : dict of str to list of (count, words), optional
        Further boxes under each arm.

    Returns
    -------
    Drawn
        The figure.
    """
    if beside(safe):
        return flow_of_groups(_groups(safe, found, study))
    arms = []
    if all(name in safe.groups for name in ARMS) and (study is None or has_arms(study)):
        for name, label in zip(ARMS, arm_names(study), strict=True):
            boxes = [(shown(n), says) for n, says in _sets(safe, name)] + (analysed or {}).get(name, [])
            arms.append(Branch(label, name == "treated", shown(safe.flow[name].iloc[-1]), boxes))
    below = [] if arms else [(shown(n), says) for n, says in _sets(safe, "people")]
    return flow(found.start, found.steps, found.end, arms, below)


def beside(safe: ProtectedCohort) -> bool:
    """Whether groups stand side by side: made by rules, or more than the two arms."""
    return bool(safe.groups) and bool((safe.flow["kind"] == "group").any() or len(safe.groups) > 2)


def group_names(study: Any, names: Sequence[str]) -> dict[str, str]:
    """What the report calls each arm or group of a flow."""
    titles = dict(zip(ARMS, arm_names(study), strict=True)) if study is not None else {}
    plan = getattr(study, "cohort", None)
    titles |= {group.id: str(group.says) for group in getattr(plan, "group", None) or []}
    return {name: titles.get(name, name.replace("_", " ")) for name in names}


def _groups(safe: ProtectedCohort, found: Followed, study: Any) -> Flow:
    names = safe.groups
    titles = group_names(study, names)
    places = [0, *found.kept, len(safe.flow) - 1]
    groups = [
        Group(
            titles[name], name if name in ARMS else "beside", [shown(safe.flow[name].iloc[place]) for place in places]
        )
        for name in names
    ]
    sets = [] if safe.sets is None else list(safe.sets.iloc[1:].to_dict("records"))
    below = [
        Below(shown(one["people"]), said(one["says"]), shown(one["lost"]), [_or_blank(one.get(name)) for name in names])
        for one in sets
    ]
    return Flow(found.start, found.steps, found.end, groups, below)


def _sets(safe: ProtectedCohort, name: str) -> list[tuple[object, str]]:
    """The analysis sets beneath the end, for one arm; those that no one of the arm could leave say nothing."""
    if safe.sets is None or name not in safe.sets:
        return []
    return [
        (row[name], said(row["says"])) for row in safe.sets.iloc[1:].to_dict("records") if _or_blank(row[name]) != ""
    ]


def _or_blank(value: object) -> str:
    return shown(value) if hidden(value) or finite(value) else ""


def _says(row: Any) -> str:
    unknown = getattr(row, "unknown", 0)
    text = f"{LEADS.get(row.kind, '')}{said(row.says)}"
    if finite(unknown) and real(unknown) > 0:
        stay = row.kind == "exclude"  # those of whom an exclude rule is not known are not among those who left
        return f"{text} ({shown(unknown)} {'more not known, who stay' if stay else 'of them not known'})"
    return text


def _start(who: str, says: str) -> str:
    return f"{who} in the data" if says.startswith("people in ") or not says else f"{who}: {lower_first(says)}"
