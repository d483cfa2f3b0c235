"""Measures: how good they are here, what each adds, and whose outcomes they are."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evalkit import words
from evalkit.report.blocks import Column, How, Table, Text
from evalkit.report.measures import additions, comparabilities, reliabilities, voices
from evalkit.report.phrases import finite, real, said
from evalkit.report.sections import section


@section("measures", "The measures", 44)
def measures(evaluation: Any) -> list[Any]:
    """Reliability, comparability, what each measure adds, whose outcomes, and views weighted."""
    if evaluation.outcomes is None:
        return []
    looks = evaluation.outcomes.looks
    blocks: list[Any] = []
    if "reliability" in looks:
        blocks.append(reliabilities(evaluation, looks["reliability"]))
    if "comparability" in looks:
        blocks.append(comparabilities(evaluation, looks["comparability"]))
    if "what each measure adds" in looks:
        blocks += additions(evaluation, looks["what each measure adds"])
    if "whose outcomes" in looks:
        blocks += voices(looks["whose outcomes"])
    views = getattr(evaluation.effects, "views", None)
    if views is not None:
        blocks.append(_views(evaluation, views))
    if blocks:
        blocks.insert(0, Text("What is measured, how well, and for whom decides what can be found."))
    return blocks


def _views(evaluation: Any, views: Any) -> Table:
    titles = {one.id: one.title or one.id.replace("_", " ") for one in evaluation.study.constituency}
    rows: list[list[object]] = []
    for row in views.table.itertuples():
        weighed = ", ".join(_weighed(evaluation, views.weights, row.constituency))
        rows.append(
            [
                titles.get(row.constituency, said(row.constituency)),
                words.percent(real(row.weight), 0),
                weighed or "all of these together",
                words.number(real(row.headline), 2, sign=True),
                words.interval(real(row.low), real(row.high), 2) if finite(row.low) else words.NOT_AVAILABLE,
            ]
        )
    return Table(
        "views",
        _moved(views),
        "Effects in SD, better to the right, weighed as each group of people weighs the outcomes",
        [Column("Whose view", False), Column("counts"), Column("weights", False), Column("effect"),
         Column("95% interval")],
        rows,
        how=How(
            [
                "Each view's weights are divided by their sum; intervals from the joint distribution of the effects. "
                f"As one view's weight goes from 0 to 1, the blend moves from {_range(views.path)} SD."
            ],
            summary="How the headline moves with the weights",
        ),
        source="; ".join(dict.fromkeys(one.source for one in evaluation.study.constituency if one.source)),
    )  # fmt: skip


def _weighed(evaluation: Any, weights: pd.DataFrame, name: str) -> list[str]:
    if name not in weights.index:
        return []
    return [
        f"{evaluation.outcomes.describe(str(measure))['title']} {words.percent(real(weight), 0)}"
        for measure, weight in weights.loc[name].items()
        if weight > 0
    ]


def _range(path: pd.DataFrame) -> str:
    low, high = float(path["headline"].min()), float(path["headline"].max())
    return f"{words.number(low, 2, sign=True)} to {words.number(high, 2, sign=True)}"


def _moved(views: Any) -> str:
    own = views.table[views.table["constituency"].isin(views.weights.index)]
    low, high = float(own["headline"].min()), float(own["headline"].max())
    told = f"{words.number(low, 2, sign=True)} to {words.number(high, 2, sign=True)} SD"
    if low > 0 or high < 0:
        return f"Whoever's view counts, the finding keeps its sign: {told}"
    return f"Whose view counts decides the sign of the finding: {told}"
