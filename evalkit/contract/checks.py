"""What is odd about the papers themselves: dates outside the contract, repeated rows, limits that cannot be applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from evalkit import words
from evalkit.contract.limits import YEAR_BY, limits_of, same_currency
from evalkit.contract.mechanisms import GATED
from evalkit.contract.pennies import total
from evalkit.errors import Flag
from evalkit.tables.words import rows_listed

if TYPE_CHECKING:
    from evalkit.contract.reading import Papers
    from evalkit.study import Study
    from evalkit.study.model import ContractPlan


def paper_flags(study: Study, papers: Papers, table: pd.DataFrame) -> list[Flag]:
    """Everything odd about rate card, claims and payments, rows named by their lines.

    Parameters
    ----------
    study : Study
        With a [contract].
    papers : Papers
        Its tables.
    table : DataFrame
        From `reconcile`.

    Returns
    -------
    list of Flag
        Of the room "contract".
    """
    plan = study.contract
    if plan is None:
        return []
    return [
        *_outside(plan, papers),
        *_repeated(plan, papers),
        *_not_applied(plan, papers),
        *_gates(papers, table),
        *_above(plan, papers, table),
    ]


def _outside(plan: ContractPlan, papers: Papers) -> list[Flag]:
    """Claims and payments before the contract starts, or after it ends and its lags have run out."""
    lags = {metric: price.lag_days for metric, price in papers.prices.items()}
    longest = max(lags.values(), default=0)
    claims, made = papers.claims, papers.payments[papers.payments["kind"] == "actual"]
    paid_after = made["start"].fillna(made["end"])
    tables = [
        ("claims", str(plan.achieved), claims, claims["date"], claims["date"]),
        ("payments", str(plan.payments), made, made["end"].fillna(made["start"]), paid_after),
    ]
    flags = []
    for what, file, rows, last, first in tables:
        allowed = pd.to_timedelta(rows["metric"].map(lags).fillna(longest), unit="D")
        early = pd.Series(False, index=rows.index) if plan.starts is None else last < pd.Timestamp(plan.starts)
        late = pd.Series(False, index=rows.index) if plan.ends is None else first > pd.Timestamp(plan.ends) + allowed
        for wrong, says in ((early, f"before the contract starts ({plan.starts})"),
                            (late, f"after the contract ends and its lags have run out ({plan.ends})")):  # fmt: skip
            if wrong.any():
                at = rows_listed(sorted(rows.loc[wrong, "line"]))
                text = f"{file}: {what} are dated {says}, in {at}: are the dates right?"
                flags.append(Flag("contract", "caution", text, "They are counted as they stand.", what))
    return flags


def _repeated(plan: ContractPlan, papers: Papers) -> list[Flag]:
    """Claims that repeat an earlier row to the letter."""
    again = papers.claims.duplicated(["metric", "person", "date", "units"])
    if not again.any():
        return []
    at = rows_listed(sorted(papers.claims.loc[again, "line"]))
    text = f"{plan.achieved}: {at} repeat an earlier row exactly: were they achieved twice?"
    return [Flag("contract", "caution", text, "They are counted as they stand.", "achieved")]


def _not_applied(plan: ContractPlan, papers: Papers) -> list[Flag]:
    """Caps that could not be applied: to nobody in particular, to no year, or in another currency."""
    flags, claims = [], papers.claims
    nameless = claims.loc[claims["person"] == "", "metric"].unique()
    if loose := [metric for metric in nameless if papers.prices[metric].cap_person.is_finite()]:
        text = f"A cap per person could not be applied to {words.listed(loose)}: their claims name no person."
        flags.append(Flag("contract", "caution", text, about="rate_card"))
    by_year = plan.cap_year is not None or any(price.cap_year.is_finite() for price in papers.prices.values())
    undated = claims[claims["date"].isna()]
    if by_year and len(undated):
        at = rows_listed(sorted(undated["line"]))
        text = f"{plan.achieved}: {at} have no date, so that they count in no year and under no cap of a year."
        flags.append(Flag("contract", "caution", text, about="cap_year"))
    if not same_currency(plan, papers.currency):
        caps = [words.whole_money(cap, plan.cap_currency.upper()) for cap in (plan.cap, plan.cap_year) if cap]
        text = (
            f"The cap of {words.listed(caps)} was not applied: prices are in {papers.currency}, and without a dated "
            "rate the two are not compared."
        )
        flags.append(Flag("contract", "serious", text, about="cap"))
    return flags


def _gates(papers: Papers, table: pd.DataFrame) -> list[Flag]:
    """Thresholds that no single person reached, though all together did: whose threshold was it?"""
    asked = []
    for row in table.to_dict("records"):
        price = papers.prices.get(row["metric"])
        named = (papers.claims.loc[papers.claims["metric"] == row["metric"], "person"] != "").any()
        if price is None or price.mechanism not in GATED or price.per or not named:
            continue
        if row["gross"] == 0 and row["achieved"] >= float(price.tariffs[0].thresholds[0]):
            asked.append(str(row["title"]))
    if not asked:
        return []
    text = f"Nothing is owed for {words.listed(asked)}: nobody reached the threshold alone, though all together did."
    remedy = 'If the threshold is that of the cohort, write per = "cohort" in the rate card.'
    return [Flag("contract", "serious", text, remedy, "rate_card")]


def _above(plan: ContractPlan, papers: Papers, table: pd.DataFrame) -> list[Flag]:
    """Metrics paid above their own cap, and years paid above theirs."""
    over = [
        str(row["title"])
        for row in table.to_dict("records")
        if row["metric"] in papers.prices and row["paid"] > float(papers.prices[row["metric"]].cap_metric)
    ]
    flags = []
    if over:
        text = f"More was paid for {words.listed(over)} than the cap of the metric: was the cap varied?"
        flags.append(Flag("contract", "caution", text, about="cap_metric"))
    limits = limits_of(plan, papers.currency)
    if limits.cap_year.is_finite():
        made = papers.payments[papers.payments["kind"] == "actual"]
        years = made["end"].fillna(made["start"]).map(lambda day: limits.year(day, day))
        paid = {int(year): total(rows["amount"]) for year, rows in made.groupby(years)}
        if high := [limits.called(year) for year, amount in paid.items() if amount > float(limits.cap_year)]:
            text = f"More was paid in {words.listed(high)} than the cap of a year: was the cap varied?"
            convention = f"What is owed counts in a year by {YEAR_BY[limits.year_by]}; payments by their period's end."
            flags.append(Flag("contract", "caution", text, convention, "cap_year"))
    return flags
