"""The table of added value: the score of each arm, the difference, and that its coefficients are unconfirmed."""

from __future__ import annotations

from typing import Any

from evalkit import words
from evalkit.outcomes.questionnaires.added import CAVEAT, added_value_part
from evalkit.report.blocks import Column, How, Table
from evalkit.report.distance import arm_name
from evalkit.report.html import lower_first
from evalkit.report.phrases import finite, real, said
from evalkit.report.rough import TENS, few, tens


def added(evaluation: Any, one: Any) -> Table:
    """What a service added by the parent SDQ's formula, beside the comparison's.

    Parameters
    ----------
    evaluation : Evaluation
        For names and the rule in force.
    one : Added
        One measure of the look "added value".

    Returns
    -------
    Table
        A row per arm and one for the difference; what rests on few people is hidden.
    """
    arms = one.found.table
    small = {arm: few(row["n"], evaluation) for arm, row in arms.iterrows()}
    rows = [
        [arm_name(evaluation, str(arm)), tens(row["n"], evaluation), *_cells(row, small[arm])]
        for arm, row in arms.iterrows()
    ]
    if finite(one.found.difference["mean"]):
        rows.append(["Difference", "", *_cells(one.found.difference, any(small.values()))])
    columns = [Column("Arm", False), Column("children")]
    for head in ("Points", "Standard deviations"):
        columns += [Column("added value", group=head), Column("95% interval", group=head)]
    return Table(
        f"added-value-{one.measure}",
        _finding(evaluation, one, small),
        f"Added value of {one.title}, {lower_first(said(one.start))} to {one.end}: 0 is no added value",
        columns,
        rows,
        notes=[CAVEAT, said(one.found.text) if not any(small.values()) else _NOTHING, TENS],
        meanings={words.SUPPRESSED: "suppressed: few people"},
        how=How(_how()),
    )


_NOTHING = "A comparison's value near 0 supports the use of the formula, one far from 0 speaks against it."


def _cells(row: Any, small: bool) -> list[str]:
    if small:
        return [words.SUPPRESSED] * 4
    cells: list[str] = []
    for names, digits in ((("mean", "low", "high"), 1), (("effect_size", "effect_size_low", "effect_size_high"), 2)):
        mean, low, high = (real(row[name]) for name in names)
        cells += [words.number(mean, digits, sign=True), words.interval(low, high, digits)]
    return cells


def _finding(evaluation: Any, one: Any, small: dict[Any, bool]) -> str:
    """The difference where there is one, else the score itself; never without saying that it is unconfirmed."""
    lead = f"{one.title}: added value by a formula whose coefficients are unconfirmed"
    if any(small.values()):
        return f"{lead}; too few children for it to be printed"
    difference, arms = one.found.difference, one.found.table
    if not finite(difference["mean"]):
        arm = arms.index[0]
        return f"{lead}: {_points(arms.loc[arm])}, {arm_name(evaluation, str(arm))}"
    return f"{lead}: {_points(difference)} between the arms"


def _points(row: Any) -> str:
    points = words.number(real(row["mean"]), 1, sign=True)
    return f"{points} points (95% interval {words.interval(real(row['low']), real(row['high']), 1)})"


def _how() -> list[str]:
    part = added_value_part()
    signs = " ".join(
        f"{'+' if part[name] > 0 else '−'} {abs(part[name]):g} × {title}"
        for name, title in (
            ("total_1", "total at the start"),
            ("impact_1", "impact at the start"),
            ("emotion_1", "emotional symptoms at the start"),
            ("total_2", "total at follow-up"),
        )
    )
    return [
        f"{part['constant']:g} {signs}; {part['sd']:g} points are one standard deviation. {CAVEAT} {part['note']}",
        f"For one child the score is uncertain by about {part['interval_single']:g} points either way, so it is for a "
        "service and not for a child.",
        "Intervals by CR2 with Satterthwaite's degrees of freedom, by cluster where there are any. Source: "
        f"{part['source']}.",
    ]
