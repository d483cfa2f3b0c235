"""What was bought and what came of it, in INDIGO's form: outcome metrics, prices, results."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from evalkit.contract.reading import Papers
from evalkit.indigo.public import Public, engaged, field, filled, plain
from evalkit.indigo.registers import Registers
from evalkit.report.common import hidden

Items = list[dict[str, Any]]
WAYS = {
    "unit": "For each unit achieved.",
    "milestone": "For each person's milestone, once.",
    "day": "For each day below the contract's baseline.",
    "saved": "For each unit saved against the contract's baseline.",
    "slide": "For each unit of the level reached above the threshold, up to the cap.",
}


def metrics(public: Public, registers: Registers) -> Items:
    """One item per metric of the rate card.

    Parameters
    ----------
    public : Public
        What may leave.
    registers : Registers
        For the sources.

    Returns
    -------
    list of dict
        Id and definition.
    """
    return [
        filled(
            {
                "id": str(row["metric"]),
                "definition": field(str(row["title"])),
                "source_ids": _source(public, registers),
                "status": "PUBLIC",
            }
        )
        for row in public.metrics.to_dict("records")
    ]


def _source(public: Public, registers: Registers) -> str | None:
    return registers.source(public.evaluation.study.contract.source)


def pricings(public: Public, papers: Papers, registers: Registers) -> Items:
    """One item per metric: what a unit costs, and how where that is no plain price.

    Parameters
    ----------
    public : Public
        What may leave; prices are terms of the contract and tell of nobody.
    papers : Papers
        The rate card, with its steps.
    registers : Registers
        For the sources.

    Returns
    -------
    list of dict
        In the study's currency, never converted.
    """
    study = public.evaluation.study
    items = []
    for metric, rows in papers.card.groupby("metric", sort=False):
        mechanism = papers.prices[str(metric)].mechanism
        items.append(
            filled(
                {
                    "outcome_metric_id": field(str(metric)),
                    "currency": field(study.study.currency),
                    "price_per_unit": {"amount": None if mechanism == "step" else field(rows["price"].iloc[0])},
                    "maximum_price_if_all_targets_achieved": {"amount": _most(rows)},
                    "price_description": field(_in_words(mechanism, rows, study.contract.deadweight_in_price)),
                    "source_ids": _source(public, registers),
                    "status": "PUBLIC",
                }
            )
        )
    return items


def _most(rows: pd.DataFrame) -> Any:
    most = pd.to_numeric(rows["cap_metric"], errors="coerce").max()
    return None if pd.isna(most) else field(str(plain(most)))


def _in_words(mechanism: str, rows: pd.DataFrame, allowed_for: bool) -> str:
    if mechanism == "step":
        steps = [f"{plain(row['price'])} from {float(row['threshold']):g}" for row in rows.to_dict("records")]
        told = f"In steps, the highest reached pays all: {'; '.join(steps)}."
    else:
        told = WAYS.get(mechanism, f"{mechanism.capitalize()}.")
    return f"{told} The price allows for what would have happened anyway." if allowed_for else told


def results(public: Public, papers: Papers | None, registers: Registers, report: str) -> Items:
    """What was achieved by metric, and what the evaluation found, in its own words.

    Parameters
    ----------
    public : Public
        What may leave: a hidden count is left out and listed.
    papers : Papers or None
        For the period.
    registers : Registers
        For the sources.
    report : str
        The evaluation report among them.

    Returns
    -------
    list of dict
        One item per metric with something achieved, and one for the project.
    """
    items = [] if papers is None else list(_achieved(public, papers, registers))
    found = filled(
        {
            "result_level": field("Project level"),
            "number_engaged_in_impact_bond": field(engaged(public)),
            "other_description_of_result": field(" ".join(_found(public.evaluation))),
            "evaluation_documents_source_ids": field(registers.source(report)),
            "source_ids": registers.source(report),
            "status": "PUBLIC",
        }
    )
    return [*items, found]


def _achieved(public: Public, papers: Papers, registers: Registers) -> Iterator[dict[str, Any]]:
    for row in public.metrics.to_dict("records"):
        claims = papers.claims[papers.claims["metric"] == row["metric"]]
        if claims.empty or hidden(row["achieved"]) or pd.isna(row["achieved"]):
            continue
        dates = claims["date"].dropna() if public.exact else claims["date"].iloc[:0]
        yield filled(
            {
                "outcome_metric_id": field(str(row["metric"])),
                "result_level": field("Outcome level"),
                "period": {"start_date": field(dates.min()), "end_date": field(dates.max())} if len(dates) else None,
                "outcomes_achieved": field(str(_units(row["achieved"]))),
                "source_ids": _source(public, registers),
                "status": "PUBLIC",
            }
        )


def _units(achieved: Any) -> int | float:
    number = round(float(achieved), 6)
    return int(number) if number.is_integer() else number


def _found(evaluation: Any) -> Iterator[str]:
    """Every estimated outcome with its interval, the null and the negative ones too; else the report's headline."""
    from evalkit.report.phrases import finding
    from evalkit.report.sections.brief import headline

    if evaluation.effects is None or not len(evaluation.effects.table):
        yield headline(evaluation)
        return
    for row in evaluation.effects.table.itertuples():
        bold, rest = finding(row, evaluation.study)
        yield f"{bold}{rest}"
