"""Budgets of several funders over several years: pooled funds counted once, underspend carried over."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from evalkit import words
from evalkit.contract.plain import PENNIES, absent, filled, lines, one_currency, pennies, total, unknown
from evalkit.errors import DataError, Flag, several

KINDS = ("pooled", "single", "lead professional")
LEAD = "lead professional"


@dataclass(frozen=True, eq=False)
class Budgets:
    """What `budgets_of` found. Money in the study's currency, to the penny; missing where nothing is recorded.

    Parameters
    ----------
    by_year : DataFrame
        funder, year, amount, spent, carried (underspend so far, missing once a year's spending is not recorded),
        lead_holders (how many lead professionals' budgets are in it).
        Each pound once: a pool's own line and what is handed out of a pool are not in it.
    funders, years : tuple of str
        In the order of the table, and of time.
    totals : dict
        amount, spent, left (missing while the spending of any row is not recorded).
    pools : DataFrame
        pool, year, contributor, amount: who paid in; the pool itself has no row.
    pool_years : DataFrame
        pool, year, paid_in, recorded (on the pool's own line), spent (by its contributors' rows, else by its own line),
        carried (what is left so far, missing once a year's spending is not recorded).
    leads : DataFrame
        year, holders, amount, spent: budgets that lead professionals held.
    flags : tuple of Flag
        What a reader must be told.
    """

    by_year: pd.DataFrame
    funders: tuple[str, ...]
    years: tuple[str, ...]
    totals: Mapping[str, float]
    pools: pd.DataFrame
    pool_years: pd.DataFrame
    leads: pd.DataFrame
    flags: tuple[Flag, ...] = field(default_factory=tuple)


def budgets_of(budgets: pd.DataFrame, currency: str = "GBP") -> Budgets:
    """Add up budgets by funder and year, with pooled funds and lead professionals' budgets beside.

    Parameters
    ----------
    budgets : DataFrame
        funder, year (2018, or 2018/19) and amount; where they apply: kind (pooled, single, lead professional; empty is
        single, or pooled where a pool is named), spent, pool (the name of the pool paid into; of a lead professional's
        budget the pool it is handed out of), holder (a role, never a person's name), currency, source. A row whose
        funder is the name of a pool is the pool's own line: its amount is held to what was paid in, and not added.
    currency : str
        The study's.

    Returns
    -------
    Budgets
        Totals are sums of the rows, to the penny, each pound once.

    Raises
    ------
    DataError
        Columns or cells that are missing, unknown kinds, negative amounts, two currencies: all at once.
    """
    table = _checked(budgets, currency)
    own = table["funder"].isin(set(table["pool"]) - {""})
    filled_by_others = set(table.loc[table["kind"] != LEAD, "pool"]) - {""}
    handed_out = (table["kind"] == LEAD) & table["pool"].isin(filled_by_others)
    counted = table[~own & ~handed_out]
    pools = counted[counted["pool"] != ""]
    by_contributors = set(pools.loc[pools["spent"].notna(), "pool"])
    by_pool = table[own & table["spent"].notna() & ~table["funder"].isin(by_contributors)]
    counted = counted.assign(passed=counted["pool"].isin(set(by_pool["funder"])))
    by_year = _by_year(counted)
    pool_years = _pool_years(pools, table[own])
    leads = _leads(table[table["kind"] == LEAD])
    totals = _totals(counted, by_pool)
    flags = (*_pool_flags(pool_years, currency), *_spend_flags(by_year, currency))
    contributed = pools.rename(columns={"funder": "contributor"})[["pool", "year", "contributor", "amount"]]
    funders, years = tuple(dict.fromkeys(counted["funder"])), tuple(sorted(set(counted["year"]), key=_in_time))
    contributed = contributed.assign(amount=contributed["amount"] / PENNIES).reset_index(drop=True)
    return Budgets(by_year, funders, years, totals, contributed, pool_years, leads, flags)


def _checked(budgets: pd.DataFrame, currency: str) -> pd.DataFrame:
    """The rows with normalised words and amounts in pennies."""
    problems = absent(budgets, ("funder", "year", "amount"))
    texts = ("funder", "year", "kind", "pool", "holder", "source", "currency")
    table = filled(budgets, texts, ("amount", "spent"))
    table["kind"] = table["kind"].str.lower().str.replace(r"[\s_-]+", " ", regex=True)
    problems += unknown(table["kind"], KINDS, "kind")
    for name in ("amount", "spent"):
        table[name] = pennies(table[name], name, problems)
    for name in ("funder", "year"):
        if name in budgets and (empty := table[name] == "").any():
            problems.append(f"{name} is empty ({lines(empty)}). Every amount must say whose it is and of which year.")
    nameless = (table["kind"] == "pooled") & (table["pool"] == "") & ~table["funder"].isin(set(table["pool"]) - {""})
    if nameless.any():
        problems.append(f"kind is pooled and no pool is named ({lines(nameless)}). Name the pool, so that it is one.")
    nothing = table[["amount", "spent"]].isna().all(axis=1)
    if "amount" in budgets and nothing.any():
        problems.append(f"amount and spent are both empty ({lines(nothing)}). Give one of them, or drop the row.")
    problems += one_currency(table["currency"], currency)
    if problems:
        raise DataError(several("The table of budgets", problems))
    guessed = table["pool"].map(lambda pool: "pooled" if pool else "single")
    return table.assign(kind=table["kind"].where(table["kind"] != "", guessed))


def _totals(counted: pd.DataFrame, by_pool: pd.DataFrame) -> dict[str, float]:
    """All that was budgeted and spent; what is left only where all spending is recorded."""
    amount, spent = total(counted["amount"]), total(pd.concat([counted["spent"], by_pool["spent"]]))
    complete = bool((counted["spent"].notna() | counted["passed"]).all())
    return {"amount": amount, "spent": spent, "left": round(amount - spent, 2) if complete else float("nan")}


def _in_time(year: str) -> tuple[int, str]:
    """Years in the order of time, whether written 2018 or 2018/19; other words last."""
    found = re.match(r"\d{4}", year)
    return (int(found.group()) if found else 9999, year)


def _by_year(counted: pd.DataFrame) -> pd.DataFrame:
    """One row per funder and year, with the underspend so far."""
    rows = []
    for funder, mine in counted.groupby("funder", sort=False):
        carried = 0.0
        for year in sorted(set(mine["year"]), key=_in_time):
            here = mine[mine["year"] == year]
            kept = here[~here["passed"]]  # what was passed to a pool is spent, and left over, there
            amount, spent = here["amount"].sum(min_count=1), here["spent"].sum(min_count=1)
            carried += kept["amount"].sum() - kept["spent"].sum() if kept["spent"].notna().all() else float("nan")
            rows.append([funder, year, amount, spent, carried, int((here["kind"] == LEAD).sum())])
    names = ["funder", "year", "amount", "spent", "carried", "lead_holders"]
    table = pd.DataFrame(rows, columns=names)
    return table.assign(**{name: table[name].astype(float) / PENNIES for name in ("amount", "spent", "carried")})


def _pool_years(paid_in: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
    """Each pool and year once: what was paid in, what its own line says, what was spent, what is left so far."""
    rows = []
    for pool in dict.fromkeys(paid_in["pool"]):
        into, line = paid_in[paid_in["pool"] == pool], own[own["funder"] == pool]
        spending = into if into["spent"].notna().any() else line
        carried = 0.0
        for year in sorted({*into["year"], *line["year"]}, key=_in_time):
            sums = [total(rows_["amount"][rows_["year"] == year]) for rows_ in (into, line)]
            spent = total(spending["spent"][spending["year"] == year])
            carried = round(carried + (0.0 if sums[0] != sums[0] else sums[0]) - spent, 2)
            rows.append([pool, year, *sums, spent, carried])
    return pd.DataFrame(rows, columns=["pool", "year", "paid_in", "recorded", "spent", "carried"])


def _leads(leads: pd.DataFrame) -> pd.DataFrame:
    """Lead professionals' budgets by year; each row is one holder's."""
    rows = [
        [
            year,
            int((leads["year"] == year).sum()),
            *(total(leads.loc[leads["year"] == year, n]) for n in ("amount", "spent")),
        ]
        for year in sorted(set(leads["year"]), key=_in_time)
    ]
    return pd.DataFrame(rows, columns=["year", "holders", "amount", "spent"])


def _pool_flags(pools: pd.DataFrame, currency: str) -> list[Flag]:
    """Pools whose own line is not the sum of what was paid in."""
    flags = []
    for row in pools.to_dict("records"):
        recorded, paid_in = float(row["recorded"]), 0.0 if row["paid_in"] != row["paid_in"] else float(row["paid_in"])
        if recorded == recorded and round(recorded - paid_in, 2):
            said = [words.whole_money(amount, currency, 2) for amount in (recorded, paid_in)]
            text = f"{row['pool']} is recorded with {said[0]} in {row['year']} and {said[1]} was paid into it: why?"
            flags.append(Flag("contract", "caution", text, "The contributions are counted.", "budgets"))
    return flags


def _spend_flags(by_year: pd.DataFrame, currency: str) -> list[Flag]:
    """Funders who spent more than their budget and what was left of earlier years."""
    over = by_year[by_year["carried"] < 0]
    flags = []
    if len(over):
        rows = over.to_dict("records")
        said = [f"{row['funder']} in {row['year']} by {_money(-float(row['carried']), currency)}" for row in rows]
        text = "More was spent than the budget and what was left of earlier years: who paid?"
        told = words.listed(said[:10])
        hidden = over["lead_holders"].gt(0).any()
        flags.append(Flag("contract", "caution", text, "" if hidden else told, "budgets"))
    return flags


def _money(amount: float, currency: str) -> str:
    return words.whole_money(amount, currency, 0 if abs(amount - round(amount)) < 0.005 else 2)
