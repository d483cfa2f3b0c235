"""The tables of budgets: funder by year, pools with those who paid in, lead professionals' budgets."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evalkit import words
from evalkit.disclosure import count
from evalkit.report.amounts import amount, exact_sum, pence, unit_words
from evalkit.report.blocks import Column, Table
from evalkit.report.common import rule_of
from evalkit.report.html import Cell
from evalkit.report.phrases import finite, real


def budget_tables(evaluation: Any, found: Any) -> list[Any]:
    """Draw up the budgets, where there are any.

    Parameters
    ----------
    evaluation : Evaluation
        For currency and the disclosure rule.
    found : Budgets or None
        From the look "budgets".

    Returns
    -------
    list of Table
        Funder by year; pools; lead professionals' budgets, few holders hidden with every total from which their
        amount would follow.
    """
    if found is None or not len(found.by_year):
        return []
    tables = [_by_year(evaluation, found)]
    if len(found.pool_years):
        tables.append(_pools(evaluation, found))
    if len(found.leads):
        tables.append(_leads(evaluation, found))
    return tables


def _hidden(evaluation: Any, row: dict[str, Any]) -> bool:
    """Whether too few lead professionals' budgets are in an amount: pools are printed, so the rest would follow."""
    few = count(int(row["lead_holders"]), rule_of(evaluation), bool(evaluation.study.contract.published))
    return row["lead_holders"] > 0 and few == words.SUPPRESSED


def _by_year(evaluation: Any, found: Any) -> Table:
    table = found.by_year
    digits = pence(table["amount"], table["spent"], table["carried"])
    records = {(row["funder"], row["year"]): row for row in table.to_dict("records")}
    gone = {key for key, row in records.items() if _hidden(evaluation, row)}
    rows: list[list[object]] = []
    for funder in found.funders:
        cells = [_year_cell(records.get((funder, year)), (funder, year) in gone, digits) for year in found.years]
        known = any(key[0] == funder for key in gone)
        rows.append(
            [funder, *cells, words.SUPPRESSED if known else amount(exact_sum(_of(table, funder=funder)), digits)]
        )
    sums = [
        words.SUPPRESSED if any(key[1] == year for key in gone) else amount(exact_sum(_of(table, year=year)), digits)
        for year in found.years
    ]
    rows.append(["All funders", *sums, words.SUPPRESSED if gone else amount(found.totals["amount"], digits)])
    return Table(
        "budgets",
        _finding(evaluation, found, bool(gone)),
        f"Budgets by funder and year, in {unit_words(evaluation)} as recorded; below: left so far, carried over",
        [Column("Funder", False), *(Column(year) for year in found.years), Column("All years")],
        rows,
        notes=_notes(evaluation, found, bool(gone)),
        total=1,
        dense=len(found.years) > 4,
        width=40,
    )


def _of(table: pd.DataFrame, **key: str) -> pd.Series:
    (name, value), *_ = key.items()
    return table.loc[table[name] == value, "amount"]


def _year_cell(row: dict[str, Any] | None, gone: bool, digits: int) -> object:
    """An amount, with the underspend carried over from it."""
    if row is None:
        return ""
    if gone:
        return words.SUPPRESSED
    small = ""
    if finite(row["carried"]) and round(real(row["carried"]), 2):
        left = real(row["carried"])
        small = f"{words.number(abs(left), digits)} {'left' if left > 0 else 'overspent'}"
    return Cell(amount(row["amount"], digits), small=small)


def _finding(evaluation: Any, found: Any, gone: bool) -> str:
    years = f"{found.years[0]} to {found.years[-1]}" if len(found.years) > 1 else found.years[0]
    funders = "1 funder" if len(found.funders) == 1 else f"{len(found.funders)} funders"
    if gone:
        return f"Budgets of {funders}, {years}"
    whole = words.money(found.totals["amount"], str(evaluation.study.study.currency))
    return f"{funders} budgeted {whole} over {years}"


def _notes(evaluation: Any, found: Any, gone: bool) -> list[str]:
    totals, currency = found.totals, str(evaluation.study.study.currency)
    notes = []
    if finite(totals["left"]) and not gone:
        left, way = abs(totals["left"]), "was left" if totals["left"] >= 0 else "was spent beyond the budgets"
        digits = 0 if abs(left - round(left)) < 0.005 else 2
        notes.append(f"Over all years {words.whole_money(left, currency, digits)} {way}.")
    elif not finite(totals["left"]):
        notes.append("What was spent is not on record for every budget, so what was left over all cannot be said.")
    notes.append(
        "Each pound is counted once: with the funder who paid it, not again in a pool or where it was handed on."
    )
    return notes + ([f"Rule in force: {rule_of(evaluation)}."] if gone else [])


def _pools(evaluation: Any, found: Any) -> Table:
    """Each pool by year with who paid in, and its total."""
    table, paid_in = found.pool_years, found.pools
    digits = pence(table["paid_in"], table["spent"], paid_in["amount"])
    rows: list[list[object]] = []
    for pool in dict.fromkeys(table["pool"]):
        mine = table[table["pool"] == pool]
        for row in mine.to_dict("records"):
            here = paid_in[(paid_in["pool"] == pool) & (paid_in["year"] == row["year"])]
            shares = [f"{line['contributor']} {amount(line['amount'], digits)}" for line in here.to_dict("records")]
            cells = [amount(row[name], digits) for name in ("paid_in", "spent", "carried")]
            rows.append([Cell(f"{pool}, {row['year']}", small="; ".join(shares)), *cells])
        if len(mine) > 1:
            sums = [amount(exact_sum(mine[name]), digits) for name in ("paid_in", "spent")]
            rows.append([f"{pool}, all years", *sums, amount(mine["carried"].iloc[-1], digits)])
    return Table(
        "pools",
        "Money that several funders put together",
        f"Pooled funds and who paid in, in {unit_words(evaluation)}; already counted in the budgets above",
        [Column("Pool, and who paid in", False), Column("Paid in"), Column("Spent"), Column("Left so far")],
        rows,
        total=1 if table["pool"].nunique() == 1 and len(table) > 1 else 0,
        width=36,
    )


def _leads(evaluation: Any, found: Any) -> Table:
    digits = pence(found.leads["amount"], found.leads["spent"])
    published = bool(evaluation.study.contract.published)
    rows: list[list[object]] = []
    hidden = 0
    for row in found.leads.to_dict("records"):
        holders = count(int(row["holders"]), rule_of(evaluation), published)
        if holders == words.SUPPRESSED:
            rows.append([str(row["year"]), *[words.SUPPRESSED] * 3])
            hidden += 1
            continue
        rows.append(
            [str(row["year"]), words.number(real(holders), 0), *(amount(row[n], digits) for n in ("amount", "spent"))]
        )
    return Table(
        "lead-budgets",
        "Budgets that lead professionals held",
        f"Budget-holding lead professionals by year, in {unit_words(evaluation)}",
        [Column("Year", False), Column("Holders"), Column("Budgets"), Column("Spent")],
        rows,
        notes=[f"Rule in force: {rule_of(evaluation)}."] if hidden else [],
        width=28,
    )
