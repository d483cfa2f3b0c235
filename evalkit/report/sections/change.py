"""Change: whose score changed by more than its error, how far people came, and what the comparison's did meanwhile."""

from __future__ import annotations

from typing import Any

from evalkit import words
from evalkit.report.added import added
from evalkit.report.blocks import Column, Figure, Heading, How, Table, Text
from evalkit.report.common import hidden
from evalkit.report.distance import arm_name, distance
from evalkit.report.figures.change import Changed, Rules, change
from evalkit.report.html import lower_first
from evalkit.report.phrases import finite, real
from evalkit.report.rough import TENS, cells, few, shares, tens
from evalkit.report.sections import section

NAMES = {
    "recovered": "recovered",
    "improved": "reliably better",
    "unchanged": "not reliably changed",
    "deteriorated": "reliably worse",
}
KEY = {words.SUPPRESSED: "suppressed: few people, or a share from which they follow"}


@section("change", "Change of each person", 42)
def changed(evaluation: Any) -> list[Any]:
    """Reliable change beside the comparison's, and distance travelled."""
    if evaluation.outcomes is None:
        return []
    blocks: list[Any] = []
    for one in evaluation.outcomes.looks.get("reliable change", ()):
        blocks += [Heading(one.title), Text(one.words), _table(evaluation, one), _figure(evaluation, one)]
    blocks += [added(evaluation, one) for one in evaluation.outcomes.looks.get("added value", ())]
    for one in evaluation.outcomes.looks.get("distance travelled", ()):
        blocks += distance(evaluation, one)
    if blocks:
        blocks.insert(0, Text(_opening()))
    return blocks


def _opening() -> str:
    return (
        "These tables sort people by how their own readings changed. They describe; what the programme changed is "
        "in the section on the comparison."
    )


def _table(evaluation: Any, one: Any) -> Table:
    arms = list(dict.fromkeys(one.table["arm"]))
    by = {arm: one.table[one.table["arm"] == arm].set_index("class") for arm in arms}
    told = {arm: shares(list(mine["count"]), evaluation) for arm, mine in by.items()}
    rows: list[list[object]] = []
    for place, name in enumerate(by[arms[0]].index):
        row: list[object] = [NAMES[name]]
        for arm in arms:
            row += _share(told[arm][place], by[arm].loc[name])
        rows.append([*row, *_difference(one, name, [told[arm][place] for arm in arms])])
    columns = [Column("Change", number=False)]
    for arm in arms:
        head = f"{arm_name(evaluation, arm)}, n {tens(by[arm]['n'].iloc[0], evaluation)}"
        columns += [Column("share", group=head), Column("95% interval", group=head)]
    if one.differences is not None:
        columns += [Column("points", group="Difference"), Column("95% interval", group="Difference")]
    return Table(
        f"reliable-change-{one.measure}",
        _finding(evaluation, one, told),
        f"Share of people with a reading {lower_first(one.start)} and at {one.end}, by their change in {one.title}",
        columns,
        rows,
        notes=[TENS],
        meanings=KEY,
        how=How([_rule(one), "Intervals of shares: Wilson; of their difference: " + _method(one) + "."]),
    )


def _share(text: str, row: Any) -> list[str]:
    shown = words.SUPPRESSED if hidden(text) else words.interval(100 * row["low"], 100 * row["high"], 0) + "%"
    return [text, shown]


def _difference(one: Any, name: str, texts: list[str]) -> list[str]:
    if one.differences is None:
        return []
    row = one.differences.set_index("class").loc[name]
    if any(hidden(text) for text in texts) or not finite(row["difference"]):
        return [words.SUPPRESSED, words.SUPPRESSED] if any(map(hidden, texts)) else [words.NOT_AVAILABLE] * 2
    reach = words.interval(100 * row["difference_low"], 100 * row["difference_high"], 0)
    return [words.number(100 * real(row["difference"]), 0, sign=True), reach]


def _method(one: Any) -> str:
    return "none" if one.differences is None else str(one.differences["method"].iloc[0])


def _rule(one: Any) -> str:
    if one.source.startswith("published:"):
        return f"What counts as reliable: {one.source}."
    of = f"A change of more than {words.number(one.threshold, 1)} {one.unit} counts as reliable (z {one.z:g})"
    cut = "" if one.cutoff is None else f" Recovered: reliably better and past the cut-off of {one.cutoff:g}."
    return f"{of}: Jacobson and Truax (1991), from {one.source}.{cut}"


def _finding(evaluation: Any, one: Any, told: dict[str, list[str]]) -> str:
    """The shares that got reliably better and worse, in a sentence."""
    names = list(one.table["class"].drop_duplicates())
    parts = []
    for arm, texts in told.items():
        found = dict(zip(names, texts, strict=True))
        worse = found["deteriorated"]
        better = found["improved"] if "recovered" not in found else _sum(one, arm, found)
        parts.append(f"{better} reliably better and {worse} reliably worse with {arm_name(evaluation, arm)}")
    if any(words.SUPPRESSED in part for part in parts):
        return f"{one.title}: whose own score changed by more than its error"
    return f"{one.title}: {'; '.join(parts)}"


def _sum(one: Any, arm: str, found: dict[str, str]) -> str:
    if hidden(found["recovered"]) or hidden(found["improved"]):
        return words.SUPPRESSED
    mine = one.table[one.table["arm"] == arm].set_index("class")
    return words.percent((mine.loc["recovered", "count"] + mine.loc["improved", "count"]) / mine["n"].iloc[0], 0)


def _figure(evaluation: Any, one: Any) -> Figure:
    panels = []
    for arm, counted in one.cells.items():
        mine = one.table[one.table["arm"] == arm]
        if few(mine["n"].iloc[0] if len(mine) else 0, evaluation):
            continue
        texts = shares(list(mine["count"]), evaluation)
        regions = [(NAMES[name], text) for name, text in zip(mine["class"], texts, strict=True)]
        n = tens(mine["n"].iloc[0], evaluation)
        panels.append(Changed(arm_name(evaluation, arm), arm != "comparison", cells(counted, evaluation), regions, n))
    cut = "" if one.cutoff is None else f"cut-off {one.cutoff:g}"
    rules = Rules(list(one.edges), one.threshold, one.better, one.cutoff, cut, one.start, one.end)
    drawn = change(panels, rules)
    none = (
        [] if one.cutoff is not None else ["No cut-off is drawn: none is confirmed for this measure and these people."]
    )
    return Figure(
        f"reliable-change-{one.measure}",
        f"{one.title}: where people started and where they were at {one.end}",
        "People by their reading before (across) and after (up); within the band a change may be error of measurement",
        drawn.wide,
        drawn.narrow,
        notes=[*none, "Single people are never drawn: squares hold counts, and those of few people are hatched."],
    )
