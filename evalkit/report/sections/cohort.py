"""Who was followed: the flow, the arms, and how alike they were at the start."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evalkit import words
from evalkit.disclosure import ends, protect_flow
from evalkit.report.blocks import Figure, How, Text
from evalkit.report.characteristics import characteristics
from evalkit.report.common import absent, characteristic, hidden, people, rule_of, shown
from evalkit.report.figures.flow import Branch, Step, flow
from evalkit.report.html import lower_first, sentence
from evalkit.report.phrases import arm_names, finite, outcome_name, real, said
from evalkit.report.results import primary
from evalkit.report.sections import section


@section("cohort", "Who was followed", 30)
def cohort(evaluation: Any) -> list[Any]:
    """Flow, and the characteristics of the arms at the start."""
    found = evaluation.cohort
    if found is None:
        return [Text(absent(evaluation, "cohort", "No person-level data: nobody is counted in this report."))]
    blocks: list[Any] = [Text(_opening(evaluation))]
    if len(found.flow):
        blocks.append(_flow(evaluation))
    table = characteristics(evaluation)
    return blocks + ([table] if table is not None else [])


def _opening(evaluation: Any) -> str:
    found, plan = evaluation.cohort, evaluation.study.cohort
    parts = []
    if "cluster" in found.table and found.table["cluster"].notna().any():
        parts.append(
            f"They come in {found.table['cluster'].nunique()} groups "
            f"({lower_first(characteristic(evaluation, plan.cluster))}); intervals allow for that."
        )
    assignment = getattr(evaluation.study.counterfactual, "assignment", "") if evaluation.study.counterfactual else ""
    return " ".join([sentence(assignment), *parts]).strip()


def _flow(evaluation: Any) -> Figure:
    found, who = evaluation.cohort, evaluation.study.study.people
    table = protect_flow(_counts(found.flow), rule_of(evaluation)).table
    rows: list[Any] = list(table.itertuples())
    steps, met, before = [], [], rows[0].people
    for row in rows[1:]:
        nobody = not hidden(row.people) and row.people == before
        before = row.people
        if not nobody:
            steps.append(Step(_says(row), shown(row.left_out), shown(row.people)))
        elif row.kind not in {"pick", "arm"}:
            met.append(said(row.says))
    counts = [int(real(n)) for n in found.flow["people"]]
    first, last = ends(counts[0], counts[-1], rule_of(evaluation))
    start = (words.SUPPRESSED if hidden(first) else shown(rows[0].people), _start(who, said(rows[0].says)))
    end = (words.SUPPRESSED if hidden(last) else shown(rows[-1].people), "meet every rule")
    drawn = flow(start, steps, end, _branches(evaluation, rows[-1]))
    return Figure(
        "flow",
        _finding(start[0], end[0], who),
        f"{who.capitalize()}; each step shows who was left out and why",
        drawn.wide,
        drawn.narrow,
        notes=[*_met_by_all(met), *_flow_notes(evaluation, steps, drawn.alt)],
        how=How(_rules(found), ["cohort.started", "cohort.people"], summary="The rules as they were run"),
    )


def _met_by_all(rules: list[str]) -> list[str]:
    """Rules at which nobody left need no line in the drawing."""
    return [f"Nobody left at: {words.listed(rules)}."] if rules else []


def _counts(flow_table: pd.DataFrame) -> pd.DataFrame:
    names = [name for name in ("people", "left_out", "unknown", "treated", "comparison") if name in flow_table]
    table = flow_table.reset_index(drop=True)
    return table.assign(**{name: pd.to_numeric(table[name]).astype("Int64") for name in names})


def _says(row: Any) -> str:
    unknown = getattr(row, "unknown", 0)
    text = said(row.says)
    lead = {"include": "not: ", "arm": "not: ", "exclude": ""}.get(row.kind, "")
    if finite(unknown) and real(unknown) > 0:
        return f"{lead}{text} ({shown(unknown)} of them not known)"
    return f"{lead}{text}"


def _start(who: str, says: str) -> str:
    return f"{who} in the data" if says.startswith("people in ") or not says else f"{who}: {lower_first(says)}"


def _finding(start: str, end: str, who: str) -> str:
    if words.SUPPRESSED in (start, end):
        return f"Who is followed, of {start} {who}"
    return f"All {start} {who} are followed" if start == end else f"{end} of {start} {who} meet every rule"


def _flow_notes(evaluation: Any, steps: list[Step], alt: str) -> list[str]:
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
    if steps:
        notes.append("A value that is not known meets no rule: it neither lets a person in nor keeps a person out.")
    return notes


def _rules(found: Any) -> list[str]:
    rows = [row for row in found.flow.itertuples() if said(getattr(row, "rule", ""))]
    return [f"{said(row.says)}: {said(row.rule)}" for row in rows] or ["No rule left anybody out."]


def _branches(evaluation: Any, last: Any) -> list[Branch]:
    if evaluation.study.cohort is None or evaluation.study.cohort.arm is None or not hasattr(last, "treated"):
        return []
    names = arm_names(evaluation.study)
    return [
        Branch(names[0], True, shown(last.treated), _analysed(evaluation, "treated")),
        Branch(names[1], False, shown(last.comparison), _analysed(evaluation, "comparison")),
    ]


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
