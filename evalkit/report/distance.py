"""Distance travelled on a ladder: its table, its flow or slopes, and the star as a companion."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evalkit import words
from evalkit.report.blocks import Column, Figure, Heading, How, Pair, Table
from evalkit.report.common import hidden
from evalkit.report.figures.slopes import Area, Arm, slopes
from evalkit.report.figures.stages import Moves, Stages, stage_flow
from evalkit.report.figures.star import star
from evalkit.report.phrases import arm_names, finite, real
from evalkit.report.rough import TENS, cells, few, shares, tens

_MOST_STAGES = 5
WAYS = ("up", "same", "down")
HEADS = (*WAYS, "at the top at first", "room used")
KEY = {words.SUPPRESSED: "suppressed: few people, or a share from which they follow"}


def distance(evaluation: Any, one: Any) -> list[Any]:
    """Everything about one ladder.

    Parameters
    ----------
    evaluation : Evaluation
        For names and the rule in force.
    one : Travelled
        A ladder rated before and after.

    Returns
    -------
    list
        Blocks: a heading, a table, figures.
    """
    arms = {arm: found for arm, found in one.arms.items() if not few(found.n, evaluation)}
    if not arms:
        return []
    blocks: list[Any] = [Heading(one.title), _table(evaluation, one, arms)]
    blocks += _flows(evaluation, one, arms)
    return [*blocks, Pair([_slopes(evaluation, one, arms), _star(evaluation, one, arms)])]


def arm_name(evaluation: Any, arm: str) -> str:
    """What the report calls an arm."""
    treated, comparison = arm_names(evaluation.study)
    return {"treated": treated, "comparison": comparison}.get(arm, "everyone")


def _table(evaluation: Any, one: Any, arms: dict[str, Any]) -> Table:
    columns = [Column("Area", number=False)]
    for arm in arms:
        head = f"{arm_name(evaluation, arm)}, about {tens(arms[arm].n, evaluation)} people"
        columns += [Column(word, group=head) for word in HEADS]
    if one.differences is not None:
        columns += [Column("points up", group="Difference"), Column("95% interval", group="Difference")]
    rows: list[list[object]] = []
    for area in next(iter(arms.values())).areas.index:
        row: list[object] = [one.titles[str(area)]]
        for found in arms.values():
            row += _cells(evaluation, found.areas.loc[area])
        rows.append([*row, *_difference(one, str(area), row[1 :: len(HEADS)])])
    alone = one.differences is None and len(arms) == 1
    return Table(
        f"distance-{one.measure}",
        _finding(evaluation, one, arms),
        f"Share of people by whether they stood higher at {one.end} than {one.start}; steps from low to {one.top:g}",
        columns,
        rows,
        notes=[
            *(["There is no comparison: how far people would have come anyway is not known."] if alone else []),
            "Room used: all steps gained, as a share of all steps there were to gain.",
            TENS,
        ],
        meanings=KEY,
        how=How(
            [
                f"Steps are in order and not at equal distances, so shares that moved come first. {one.stages}",
                "Nothing of a licensed scale is printed: the areas are named by the study.",
            ]
        ),
    )


def _cells(evaluation: Any, row: pd.Series) -> list[str]:
    told = shares([int(row[f"n_{way}"]) for way in WAYS], evaluation)
    top, n = real(row["at_top"]), real(row["n"])
    at_top = shares([round(top * n), round((1 - top) * n)], evaluation)[0] if n else words.NOT_AVAILABLE
    room = row["headroom_share"]
    used = words.percent(real(room), 0) if finite(room) and not few(n, evaluation) else words.NOT_AVAILABLE
    return [*told, at_top, used]


def _difference(one: Any, area: str, ups: list[object]) -> list[str]:
    """The difference of the shares that went up; hidden where one of the two shares is."""
    if one.differences is None:
        return []
    row = one.differences.loc[area]
    if any(map(hidden, ups)):
        return [words.SUPPRESSED, words.SUPPRESSED]
    reach = words.interval(100 * row["difference_low"], 100 * row["difference_high"], 0)
    return [words.number(100 * real(row["difference"]), 0, sign=True), reach]


def _finding(evaluation: Any, one: Any, arms: dict[str, Any]) -> str:
    """Which area moved up most often, in the first arm."""
    arm, found = next(iter(arms.items()))
    told = {
        str(area): shares([int(row[f"n_{w}"]) for w in WAYS], evaluation)[0] for area, row in found.areas.iterrows()
    }
    seen = {area: text for area, text in told.items() if not hidden(text)}
    if not seen:
        return f"{one.title}: too few people moved for shares to be shown"
    most = max(seen, key=lambda area: float(found.areas.loc[area, "up"]))
    return f"{one.title}: most often up in {one.titles[most].lower()} ({seen[most]} with {arm_name(evaluation, arm)})"


def _flows(evaluation: Any, one: Any, arms: dict[str, Any]) -> list[Figure]:
    """One flow of stages, all areas together, where the ladder has five stages or fewer."""
    panels = []
    names: list[str] = []
    for arm, found in arms.items():
        if found.stages is None:
            return []
        whole = found.stages.groupby(level=1).sum()
        stages = sorted({*whole.index, *whole.columns})
        if len(stages) > _MOST_STAGES:
            return []
        counted = whole.reindex(index=stages, columns=stages, fill_value=0).to_numpy()
        names = [f"stage {int(stage)}" for stage in stages]
        panels.append(Moves(arm_name(evaluation, arm), arm != "comparison", cells(counted, evaluation)))
    drawn = stage_flow(panels, Stages(names, one.start, one.end))
    return [
        Figure(
            f"stages-{one.measure}",
            f"{one.title}: from which stage to which",
            "Ratings of all areas together, by their stage before and after; one person counts once for each area",
            drawn.wide,
            drawn.narrow,
            notes=["Ways that few ratings took are hatched and not counted."],
        )
    ]


def _areas(evaluation: Any, one: Any, found: Any) -> list[Area]:
    shown = []
    for area, row in found.areas.iterrows():
        small = few(row["n"], evaluation)
        means = [words.SUPPRESSED if small else real(row[name]) for name in ("mean_first", "mean_last")]
        shown.append(Area(one.titles[str(area)], *means))
    return shown


def _slopes(evaluation: Any, one: Any, arms: dict[str, Any]) -> Figure:
    panels = [
        Arm(arm_name(evaluation, arm), arm != "comparison", _areas(evaluation, one, found), tens(found.n, evaluation))
        for arm, found in arms.items()
    ]
    drawn = slopes(panels, one.start, one.end)
    words_ = f"{one.title}: mean step of each area, before and after"
    return Figure(f"slopes-{one.measure}", words_, "Those rated at both times", drawn.wide, drawn.narrow)


def _star(evaluation: Any, one: Any, arms: dict[str, Any]) -> Figure:
    arm, found = next(iter(arms.items()))
    drawn = star(_areas(evaluation, one, found), (0, one.top))
    return Figure(
        f"star-{one.measure}",
        f"The same means as a star, {arm_name(evaluation, arm)}",
        "A companion to the slopes beside it, for those used to stars",
        drawn.wide,
        drawn.narrow,
    )
