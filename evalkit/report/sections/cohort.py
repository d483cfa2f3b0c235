"""Who was followed: the flow, the reasons, the sets, how alike the groups were, and how referrals changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from evalkit import words
from evalkit.disclosure import ProtectedCohort
from evalkit.report.blocks import Figure, How, Table, Text
from evalkit.report.characteristics import characteristics, readings
from evalkit.report.cohort_tables import (
    comparison_table,
    drift_numbers,
    how_alike,
    mix_table,
    reasons_table,
    sets_table,
    together,
)
from evalkit.report.common import absent, characteristic, people, rule_of, safe_cohort, shown
from evalkit.report.figures.cohort import draw_drift, windows_figure
from evalkit.report.followed import Followed, beside, draw_flow, followed, group_names
from evalkit.report.html import lower_first, sentence
from evalkit.report.phrases import arm_names, finite, outcome_name, real, said
from evalkit.report.results import primary
from evalkit.report.sections import Blocks, section

COUNTED = ("referred", "eligible", "starts", "planned")
ORDER = "The order of the rules does not change who is in, only how many leave at each."


@section("cohort", "Who was followed", 30)
def cohort(evaluation: Any) -> list[Any]:
    """Flow, reasons, sets, the arms at the start, referrals over time, windows: as far as there are any."""
    found = evaluation.cohort
    if found is None:
        return [Text(absent(evaluation, "cohort", "No person-level data: nobody is counted in this report."))]
    blocks: list[Any] = [Text(_opening(evaluation))]
    if not len(found.flow):
        return [*blocks, *_there(characteristics(evaluation))]
    safe, who = safe_cohort(found, rule_of(evaluation), readings(evaluation)), evaluation.study.study.people
    names = group_names(evaluation.study, safe.groups)
    blocks += [_flow(evaluation, safe), *_there(reasons_table(safe, who), sets_table(safe, names))]
    blocks += _there(_start(evaluation, safe), _selection(evaluation, safe))
    return blocks + _drift(evaluation, safe) + _there(_windows(evaluation))


def _there(*blocks: Any) -> Blocks:
    return [block for block in blocks if block is not None]


def _opening(evaluation: Any) -> str:
    found, plan = evaluation.cohort, evaluation.study.cohort
    parts = []
    if "cluster" in found.table and found.table["cluster"].notna().any():
        parts.append(
            _groups(evaluation, int(found.table["cluster"].nunique()), characteristic(evaluation, plan.cluster))
        )
    assignment = getattr(evaluation.study.counterfactual, "assignment", "") if evaluation.study.counterfactual else ""
    return " ".join([sentence(assignment), *parts]).strip()


def _groups(evaluation: Any, count: int, name: str) -> str:
    """How many groups people come in, and what intervals make of it, where there are any."""
    if count == 1:
        return f"They come in 1 group ({lower_first(name)}), so that no interval can allow for groups."
    table = getattr(evaluation.effects, "table", None)
    without = table is not None and not table["low"].map(finite).any()
    return f"They come in {count} groups ({lower_first(name)}){'' if without else '; intervals allow for that'}."


def _flow(evaluation: Any, safe: ProtectedCohort) -> Figure:
    plan = evaluation.study.cohort
    who = evaluation.study.study.people
    who = f"episodes of {who}" if plan is not None and plan.index.pick == "every" else who
    found = followed(safe, who)
    analysed = {arm: _analysed(evaluation, arm) for arm in ("treated", "comparison")}
    drawn = draw_flow(safe, found, evaluation.study, analysed)
    groups = beside(safe)
    plotted = "each step shows who was left out and why, and how many of each group are left" if groups else ""
    return Figure(
        "flow",
        _finding(found.start[0], found.end[0], who, bool(evaluation.study.cohort and evaluation.study.cohort.group)),
        f"{who.capitalize()}; {plotted or 'each step shows who was left out and why'}",
        drawn.wide,
        drawn.narrow,
        notes=[*_met_by_all(found), *_flow_notes(evaluation, found, drawn.alt)],
        how=How(_rules(evaluation), ["cohort.started", "cohort.people"], summary="The rules as they were run"),
    )


def _met_by_all(found: Followed) -> list[str]:
    """Rules at which nobody left need no line in the drawing."""
    return [f"Nobody left at: {words.listed(found.met)}."] if found.met else []


def _finding(start: str, end: str, who: str, grouped: bool) -> str:
    if words.SUPPRESSED in (start, end):
        return f"Who is followed, of {start} {who}"
    if start == end:
        return f"All {start} {who} are followed"
    meet = "meet every rule and are in one of the two groups compared" if grouped else "meet every rule"
    return f"{end} of {start} {who} {meet}"


def _flow_notes(evaluation: Any, found: Followed, alt: str) -> list[str]:
    notes = []
    row = primary(evaluation)
    if row is not None and finite(row.n_treated) and finite(row.n_comparison):
        total = real(row.n_treated) + real(row.n_comparison)
        few = (
            0 < real(evaluation.cohort.flow["people"].iloc[-1]) - total < 10
        )  # the difference would tell of few people
        analysed = words.SUPPRESSED if few else people(total, evaluation)
        notes.append(f"Analysed for {lower_first(outcome_name(row))}: {analysed}.")
    if words.SUPPRESSED in alt:
        why = "suppressed: a count below the threshold, or one from which it could be found"
        notes.append(f"[c] {why}. Rule in force: {rule_of(evaluation)}.")
    if found.steps:
        notes.append("A value that is not known meets no rule: it neither lets a person in nor keeps a person out.")
    if len(found.steps) > 1:
        notes.append(ORDER)
    return notes


def _rules(evaluation: Any) -> list[str]:
    """The rules as written, and what the names in them stand for."""
    rows = [row for row in evaluation.cohort.flow.itertuples() if said(getattr(row, "rule", ""))]
    told = [f"{said(row.says)}: {said(row.rule)}" for row in rows] or ["No rule left anybody out."]
    plan = evaluation.study.cohort
    if plan is None:
        return told
    told += [f"Group, {group.says}: {group.rule.strip()}" for group in plan.group]
    told += [f"Analysis set, {one.says}: {one.rule.strip()}" for one in plan.set]
    told += [f"{name} stands for: {rule.strip()}" for name, rule in {**plan.rules, **plan.columns}.items()]
    for word, limits in (("since", plan.followed.since), ("until", plan.followed.until)) if plan.followed else ():
        told += [f"Followed {word}: {words.listed([str(one) for one in limits])}"] if limits else []
    return told


def _analysed(evaluation: Any, arm: str) -> list[tuple[str, str]]:
    attrition = getattr(evaluation.effects, "attrition", None)
    if attrition is None or not len(attrition):
        return []
    titles = {row.outcome: row.title for row in evaluation.effects.table.itertuples()}
    rows = [row for row in attrition.itertuples() if row.arm == arm][:3]
    if not rows or all(row.analysed == row.people for row in rows):
        return []
    few = [row for row in rows if 0 < row.people - row.analysed < 10]  # such a difference would tell of few people
    return [
        (
            people(row.analysed, evaluation) if row not in few else words.SUPPRESSED,
            f"analysed: {lower_first(said(titles.get(row.outcome, row.outcome)))}",
        )
        for row in rows
    ]


def _start(evaluation: Any, safe: ProtectedCohort) -> Table | None:
    """Table 1: the arms at the start."""
    if safe.baseline is None:
        return characteristics(evaluation)
    last = safe.flow.iloc[-1]
    sides = [
        (arm, name, shown(last[arm]) if arm in last else "")
        for arm, name in zip(("treated", "comparison"), arm_names(evaluation.study), strict=True)
    ]
    compared = together(safe.baseline, safe.readings)
    table = comparison_table(compared, sides, lambda name: characteristic(evaluation, name), safe)
    differ, known = how_alike(compared)
    finding = f"At the start the two groups differ by more than 0.1 SD on {differ} of {known}"
    if known and not differ:
        finding = f"At the start the two groups are alike on all of {known}"
    subtitle = f"{evaluation.study.study.people.capitalize()} who meet every rule, before any weighting"
    finding = finding if known else "Who the two groups are at the start"
    return replace(table, id="characteristics", finding=finding, subtitle=subtitle)


def _selection(evaluation: Any, safe: ProtectedCohort) -> Table | None:
    """Whether those who started were picked."""
    if safe.selection is None:
        return None
    sides = [("started", "Started", ""), ("not_started", "Did not start", "")]
    table = comparison_table(safe.selection, sides, lambda name: characteristic(evaluation, name), safe)
    differ, known = how_alike(safe.selection)
    who = evaluation.study.study.people
    finding = f"{who.capitalize()} who started differ from those who did not on {differ} of {known}"
    if known and not differ:
        finding = f"{who.capitalize()} who started are like those who did not on all of {known}"
    finding = finding if known else "Who started, and who did not"
    subtitle = (
        f"{who.capitalize()} referred and eligible; if only the likeliest to do well had started, it would show here"
    )
    return replace(table, id="selection", finding=finding, subtitle=subtitle)


def _drift(evaluation: Any, safe: ProtectedCohort) -> Blocks:
    """Referrals, the share eligible and starts over time, and the mix of each column watched."""
    if safe.drift is None:
        return []
    drawn, length = draw_drift(safe.drift), {1: "quarter", 2: "half-year", 4: "year"}[safe.drift.attrs["quarters"]]
    notes = []
    if length != "quarter":
        notes.append(f"Quarters hold too few people to be shown one by one: they are joined to {length}s.")
    if words.SUPPRESSED in drawn.alt:
        notes.append("[c] suppressed: a count below the threshold, or one from which it could be found.")
    figure = Figure(
        "drift",
        _drift_finding(safe),
        f"By {length} of the index date; people referred, those of them who meet every rule, and starts",
        drawn.wide,
        drawn.narrow,
        notes=notes,
        how=drift_numbers(safe),
    )
    columns = [name for name in dict.fromkeys(safe.drift["series"]) if name not in COUNTED]
    return [figure, *_there(*(mix_table(safe, name, characteristic(evaluation, name)) for name in columns))]


def _drift_finding(safe: ProtectedCohort) -> str:
    table = safe.drift
    if table is None:
        return ""
    rows = [row for row in table[table["series"] == "eligible"].itertuples() if finite(row.share)]
    if len(rows) < 2:
        return "Referrals over time"
    shares = [real(row.share) for row in rows]
    low, high = (words.percent(end, 0) for end in (min(shares), max(shares)))
    first, last = (words.percent(share, 0) for share in (shares[0], shares[-1]))
    if abs(shares[-1] - shares[0]) < 0.05:
        return f"Between {low} and {high} of those referred were eligible, much the same at the end as at the start"
    return f"The share eligible went from {first} to {last} of those referred"


def _windows(evaluation: Any) -> Figure | None:
    table = getattr(evaluation.cohort, "windows", None)
    if table is None or not len(table):
        return None
    drawn = windows_figure(evaluation.cohort)
    ahead = "; looks ahead" in drawn.alt
    finding = "Every rule for who is counted looks back from the index date"
    if ahead:
        finding = "A rule for who is counted looks past the index date: it selects on what came later"
    return Figure(
        "windows",
        finding,
        "Days each rule looks at, relative to the index date (day 0); shaded: the future",
        drawn.wide,
        drawn.narrow,
    )
