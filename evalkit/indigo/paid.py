"""The money in INDIGO's form: payment plans, payments, commitments, investments, costs."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd

from evalkit import tables
from evalkit.contract.reading import Papers
from evalkit.indigo.public import Public, field, filled
from evalkit.indigo.registers import Registers
from evalkit.report.common import hidden
from evalkit.tables.kinds import Kind

Items = list[dict[str, Any]]
COSTS: dict[str, Kind] = {
    "phase": "text",
    "what": "text",
    "party": "text",
    "planned": "money",
    "actual": "money",
    "date": "date",
    "days": "number",
    "source": "text",
}
TEXTS = ("phase", "what", "party", "source")
FLOWS: dict[str, Kind] = {"date": "date", "amount": "money", "investor": "text"}
BY_METRIC = "Payments of single periods are not given: with the price they would tell how many people are behind each."


def plans(papers: Papers) -> Items:
    """One item per version of the payment plan, with the time it spans."""
    found = papers.payments
    planned = found[(found["kind"] == "planned") | (found["plan"] != "")]
    return [
        filled({"id": field(str(plan) or "plan1"), "period": _span(rows), "status": "PUBLIC"})
        for plan, rows in planned.groupby("plan", sort=True)
    ]


def _span(rows: pd.DataFrame) -> dict[str, Any]:
    starts, ends = pd.to_datetime(rows["start"]), pd.to_datetime(rows["end"])
    return {"start_date": field(starts.min()), "end_date": field(ends.max())}


def payments(public: Public, papers: Papers, registers: Registers) -> Items:
    """Planned and actual payments; the actual ones by metric only, unless the figures were published already.

    Parameters
    ----------
    public : Public
        What may leave: nothing of a metric whose amount is hidden, and then no payment without a metric either.
    papers : Papers
        The payments.
    registers : Registers
        For payers and sources.

    Returns
    -------
    list of dict
        In the study's currency, never converted.
    """
    found = papers.payments
    if not public.exact:
        found = _judged(public, found)
    lines = (_payment(row, public, registers) for row in found.to_dict("records"))
    return [line for line in lines if line is not None]


def _judged(public: Public, found: pd.DataFrame) -> pd.DataFrame:
    """Plans of metrics that may be told, line by line; what was paid as the report prints it, in sums."""
    table = public.metrics
    told = {row["metric"] for row in table.to_dict("records") if not hidden(row["owed"]) and not hidden(row["paid"])}
    if not public.some_hidden:
        told.add("")
    for metric in [name for name in dict.fromkeys(found["metric"]) if name not in told]:
        public.leave_out("outcome_payments", metric or "payments without a metric", "A hidden figure would follow.")
    kept = found[found["metric"].isin(told)]
    actual = kept[kept["kind"] != "planned"]
    if len(actual):
        public.leave_out("outcome_payments", "payments of single periods", BY_METRIC)
    sums = [
        {"metric": metric, "kind": kind, "plan": "", "payer": "", "amount": rows["amount"].sum(), **_ends(actual)}
        for (metric, kind), rows in actual.groupby(["metric", "kind"], sort=False)
    ]
    return pd.concat([kept[kept["kind"] == "planned"], pd.DataFrame(sums, columns=found.columns)])


def _ends(rows: pd.DataFrame) -> dict[str, Any]:
    return {"start": pd.to_datetime(rows["start"]).min(), "end": pd.to_datetime(rows["end"]).max()}


def _payment(row: Any, public: Public, registers: Registers) -> dict[str, Any] | None:
    study = public.evaluation.study
    return filled(
        {
            "outcome_payment_plan_id": field(row["plan"] or ("plan1" if row["kind"] == "planned" else "")),
            "outcome_metric_id": field(row["metric"]),
            "period": {"start_date": field(row["start"]), "end_date": field(row["end"])},
            "payer_organisation_id": registers.organisation(row["payer"]),
            "type": field(row["kind"].capitalize()),
            "money": {"currency": field(study.study.currency), "amount": field(row["amount"])},
            "source_ids": registers.source(study.contract.source),
            "status": "PUBLIC",
        }
    )


def commitments(public: Public, registers: Registers) -> Items:
    """One item per commissioner; amounts where there is only one, whose they must be.

    Parameters
    ----------
    public : Public
        What may leave.
    registers : Registers
        For organisations and sources.

    Returns
    -------
    list of dict
        A share of the payments is told in the notes.
    """
    study = public.evaluation.study
    payers = [party for party in study.party if party.role == "commissioner"]
    alone = len(payers) == 1 and study.contract is not None
    return [
        filled(
            {
                "organisation_id": registers.organisation(payer.name),
                "maximum_potential_outcome_payment": maximum(study) if alone else None,
                "total_outcome_payments": total_paid(public) if alone else None,
                "source_ids": registers.source(payer.source),
                "notes": f"Pays {payer.share:.1%} of the outcome payments." if payer.share is not None else None,
                "status": "PUBLIC",
            }
        )
        for payer in payers
    ]


def maximum(study: Any) -> dict[str, Any] | None:
    """The most that can be paid: the contract's cap, else a maximum on record."""
    plan = study.contract
    most = None if plan is None else plan.cap if plan.cap is not None else plan.maximum_recorded
    return None if most is None else {"currency": field(study.study.currency), "amount": field(most)}


def total_paid(public: Public) -> dict[str, Any] | None:
    """What was paid in all; none where a hidden amount would follow from it."""
    contract = public.evaluation.contract
    paid = None if contract is None else contract.totals.get("paid")
    if paid is None or pd.isna(paid):
        return None
    if public.some_hidden:
        public.leave_out("overall_project_finance", "total paid", "A hidden amount would follow from it.")
        return None
    return {"currency": field(public.evaluation.study.study.currency), "amount": field(float(paid))}


def invested(public: Public) -> pd.DataFrame:
    """What investors paid in, where it may be told: date, amount (above 0), investor.

    Parameters
    ----------
    public : Public
        What may leave: cash flows that were published, or invented.

    Returns
    -------
    DataFrame
        Empty where there is none, or where it is not public.
    """
    study, empty = public.evaluation.study, pd.DataFrame(columns=list(FLOWS))
    if study.contract is None or study.contract.cash_flows is None:
        return empty
    if not public.exact and study.study.kind != "synthetic":
        public.leave_out("investments", "cash flows", "They are not marked as published.")
        return empty
    flows = tables.read_csv_checked(study, study.contract.cash_flows, FLOWS, required=["date", "amount"])
    flows = flows.assign(investor=flows["investor"].fillna("") if "investor" in flows else "")
    return flows[flows["amount"] < 0].assign(amount=lambda rows: -rows["amount"])


def investments(public: Public, flows: pd.DataFrame, registers: Registers) -> Items:
    """One item per investor; an amount where the flows say whose it is, or there is only one.

    Parameters
    ----------
    public : Public
        What may leave.
    flows : DataFrame
        From `invested`.
    registers : Registers
        For organisations and sources.

    Returns
    -------
    list of dict
        In the study's currency, never converted.
    """
    study = public.evaluation.study
    parties = {party.name: party.source for party in study.party if party.role == "investor"}
    names = dict.fromkeys([*parties, *[name for name in flows["investor"] if name]])
    by_name = flows.groupby("investor")["amount"].sum().to_dict() if len(flows) else {}
    if len(names) == 1 and list(by_name) == [""]:
        by_name = dict.fromkeys(names, by_name[""])
    return [
        filled(
            {
                "id": f"investment{number}",
                "organisation_id": registers.organisation(name),
                "investment_commitment": {
                    "currency": field(study.study.currency) if name in by_name else None,
                    "amount": {"exact": field(by_name.get(name))},
                },
                "source_ids": registers.source(parties.get(name, "")),
                "status": "PUBLIC",
            }
        )
        for number, name in enumerate(names, start=1)
    ]


def costs(public: Public, registers: Registers) -> tuple[Items, Items]:
    """Costs of the provider's side, and of the outcome payers'.

    Parameters
    ----------
    public : Public
        What may leave.
    registers : Registers
        For organisations and sources.

    Returns
    -------
    (list of dict, list of dict)
        A cost is the payers' where a commissioner bore it.
    """
    study = public.evaluation.study
    if study.contract is None or study.contract.costs is None:
        return [], []
    table = tables.read_csv_checked(study, study.contract.costs, COSTS)
    payers = {party.name.strip().lower() for party in study.party if party.role == "commissioner"}
    sides: tuple[Items, Items] = ([], [])
    for row in table.reindex(columns=list(COSTS)).to_dict("records"):
        text = {
            name: "" if pd.isna(row[name]) else str(row[name]).strip() for name in ("phase", "what", "party", "source")
        }
        by_payer = text["party"].lower() in payers | {"commissioner", "commissioners"}
        sides[by_payer].append(_cost(row, text, study.study.currency, registers))
    return sides


def _cost(row: Any, text: dict[str, str], currency: str, registers: Registers) -> dict[str, Any]:
    known = [name for name in ("planned", "actual") if not pd.isna(row[name])]
    return filled(
        {
            "date": field(row["date"]),
            "phase": field(text["phase"]),
            "classification": field(text["what"]),
            "payment": {
                "currency": field(currency) if known else None,
                **{name: field(float(row[name])) for name in known},
            },
            "incurred_by": registers.organisation(text["party"]),
            "days": field(row["days"]),
            "source_ids": registers.source(text["source"]),
            "status": "PUBLIC",
        }
    )


def latest(dates: pd.Series) -> dt.date | None:
    """The last of some dates; none where there are none."""
    known = pd.to_datetime(dates).dropna()
    return None if known.empty else known.max().date()
