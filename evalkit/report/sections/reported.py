"""Results that the sources give as text: printed as they stand, the null and the negative ones too."""

from __future__ import annotations

from typing import Any

from evalkit.report.blocks import Column, Table
from evalkit.report.html import sentence
from evalkit.report.phrases import said
from evalkit.report.sections import section


@section("reported", "Results reported in words", 72)
def reported(evaluation: Any) -> list[Any]:
    """One row per result; no number is read out of a text."""
    found = list(getattr(evaluation.study, "reported", ()))
    if not found:
        return []
    named = _titles(evaluation)
    rows = [[named.get(one.about, one.about) or "The whole programme", sentence(one.says), one.when] for one in found]
    count = "One result is" if len(found) == 1 else f"{len(found)} results are"
    columns = [Column("About", number=False), Column("As reported", number=False), Column("When", number=False)]
    when = any(one.when for one in found)
    return [
        Table(
            "reported",
            f"{count} on record as text",
            "As the source gives them: they enter no sum, and none of them is checked here",
            columns if when else columns[:2],
            rows if when else [row[:2] for row in rows],
            source="; ".join(dict.fromkeys(one.source for one in found if one.source)),
        )
    ]


def _titles(evaluation: Any) -> dict[str, str]:
    contract = evaluation.contract
    if contract is None or not len(contract.table):
        return {}
    return {str(row.metric): said(row.title) for row in contract.table.itertuples()}
