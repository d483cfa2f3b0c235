"""Which metrics' amounts may be printed: an amount over its price is a count of people."""

from __future__ import annotations

import math
from functools import lru_cache
from math import gcd
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit import disclosure, words
from evalkit.contract.mechanisms import FLOOR, TRIGGER
from evalkit.contract.pennies import in_pennies

if TYPE_CHECKING:
    from evalkit.study import Study

NOT_PEOPLE = ("day", "saved", TRIGGER, FLOOR)  # their units are days or nothing that is counted
BY_UNIT = ("unit", "milestone", "threshold", "excess")  # paid at one price for each
MOST_REMAINDERS = 200_000
KNOWN = (TRIGGER, FLOOR)  # their amounts follow from the terms, so that they hide nothing
ENOUGH = 3  # possible counts, among the small ones, that must remain for a hidden count to be unknown


def behind(table: pd.DataFrame) -> pd.Series:
    """How many people may be behind each metric: those known, else its units.

    Parameters
    ----------
    table : DataFrame
        ``contract.table``.

    Returns
    -------
    Series of float
        Missing where units are not people.
    """
    units = pd.to_numeric(table["achieved"]).where(~table["mechanism"].isin(NOT_PEOPLE))
    people = pd.to_numeric(table["people"]) if "people" in table else pd.Series(np.nan, index=table.index)
    return people.astype(float).fillna(units).round()


def few_behind(study: Study, table: pd.DataFrame) -> pd.Series:
    """Whether few people are behind a metric.

    Parameters
    ----------
    study : Study
        For the rule in force; published figures are exempt.
    table : DataFrame
        ``contract.table``.

    Returns
    -------
    Series of bool
        In the order of the table.
    """
    people = behind(table)
    if study.contract is not None and study.contract.published:
        return pd.Series(False, index=table.index)
    # a cap of one person that cut few people tells what they were paid
    cut = table["people_cut"] if "people_cut" in table else pd.Series(np.nan, index=table.index)
    # what was paid, over the price, is a count too: of those who were paid for
    made = pd.to_numeric(table["paid"]) / pd.to_numeric(table["price"]).where(lambda price: price > 0)
    made = made.where(table["mechanism"].isin(BY_UNIT) & (made > 0)).astype(float)
    return (
        people.map(lambda n: is_few(study, n))
        | cut.map(lambda n: is_few(study, n))
        | made.map(lambda n: is_few(study, n))
    )


def is_few(study: Study, n: float) -> bool:
    """Whether a count of people may not be printed; a missing one is no count.

    Parameters
    ----------
    study : Study
        For the rule in force.
    n : float
        People.

    Returns
    -------
    bool
        True below the rule's threshold.
    """
    return bool(pd.notna(n) and disclosure.count(round(n), study.disclosure.rule) == words.SUPPRESSED)


def hidden_metrics(study: Study, table: pd.DataFrame, told: frozenset[str] = frozenset()) -> frozenset[str]:
    """The metrics whose amounts are not printed: few people are behind them, or behind one that would follow.

    Totals are printed. What they leave for the hidden metrics together must be reached by several small counts of each
    of them at its price, or further metrics are hidden, those with the fewest people first. Those of an estimated
    outcome hide nothing: what was observed, times everyone treated, is what was achieved.

    Parameters
    ----------
    study : Study
        For the rule in force.
    table : DataFrame
        ``contract.table``.
    told : frozenset of str
        Further metrics whose exact number would tell of few people.

    Returns
    -------
    frozenset of str
        Ids of metrics.
    """
    few = few_behind(study, table) | table["metric"].isin(told)
    gone = list(table.index[few])
    sizes = behind(table).fillna(pd.to_numeric(table["owed"])).astype(float)
    rest = [row for row in sizes[~_known(table)].sort_values(kind="stable").index if row not in gone]
    while rest and gone and told_by_totals(table, gone, few):
        gone.append(rest.pop(0))
    return frozenset(table.loc[gone, "metric"])


def told_by_outcomes(study: Study, table: pd.DataFrame, effects: Any) -> frozenset[str]:
    """Metrics of an estimated yes-or-no outcome that few of the treated had, or few had not.

    Parameters
    ----------
    study : Study
        For the rule in force; without a cohort, or with published figures, nobody is told of.
    table : DataFrame
        ``contract.table``.
    effects : Effects or None
        ``table`` with outcome, values, observed, n_treated.

    Returns
    -------
    frozenset of str
        Ids of metrics.
    """
    if effects is None or study.cohort is None or (study.contract is not None and study.contract.published):
        return frozenset()
    few = set()
    for row in effects.table.to_dict("records"):
        treated, observed = row.get("n_treated"), row.get("observed")
        if row.get("values") == "yes or no" and pd.notna(treated) and pd.notna(observed):
            had = round(float(observed) * float(treated))
            few |= {row["outcome"]} if is_few(study, had) or is_few(study, float(treated) - had) else set()
    return frozenset(table.loc[table["outcome"].isin(few), "metric"].astype(str))


def _known(table: pd.DataFrame) -> pd.Series:
    """Rows whose amounts a reader can work out without their own line."""
    linked = table["outcome"].fillna("") != "" if "outcome" in table else pd.Series(False, index=table.index)
    return table["mechanism"].isin(KNOWN) | linked


def totals_tell(study: Study, table: pd.DataFrame, told: frozenset[str] = frozenset()) -> bool:
    """Whether the contract's totals would tell a hidden amount even with every metric hidden, as where it has only one.

    Parameters
    ----------
    study : Study
        For the rule in force.
    table : DataFrame
        ``contract.table``.
    told : frozenset of str
        As for `hidden_metrics`.

    Returns
    -------
    bool
        True where totals may not be printed either.
    """
    few = few_behind(study, table) | table["metric"].isin(told)
    return bool(few.any()) and told_by_totals(table, list(table.index[few | ~_known(table)]), few)


def told_by_totals(table: pd.DataFrame, gone: list[int], few: pd.Series) -> bool:
    """Whether the sum of the hidden metrics leaves too few possible counts of one with few people.

    Parameters
    ----------
    table : DataFrame
        ``contract.table``.
    gone : list of int
        Rows that are hidden.
    few : Series of bool
        Rows with few people behind them.

    Returns
    -------
    bool
        True where fewer than three of ten counts in a row can be reached: those below 10, or those about a larger one.
    """
    prices = dict(zip(gone, in_pennies(table.loc[gone, "price"].to_numpy(dtype=float)), strict=True))
    counted = pd.to_numeric(table.loc[gone, "achieved"]).where(~table.loc[gone, "mechanism"].isin(NOT_PEOPLE))
    starts = {row: 10 * int(n // 10) if pd.notna(n) else 0 for row, n in counted.items()}
    known = [name for name in ("owed", "paid") if table.loc[gone, name].notna().all()]
    sums = [int(in_pennies(table.loc[gone, name].to_numpy(dtype=float)).sum()) for name in known]
    return any(
        len(_possible(left, int(prices[row]), [int(prices[other]) for other in gone if other != row], starts[row]))
        < ENOUGH
        for left in sums
        for row in gone
        if few[row]
    )


def _possible(left: int, price: int, others: list[int], start: int = 0) -> list[int]:
    """Of ten counts of one metric, those at which whole numbers of the others make up what is left."""
    if not others:
        return []
    if price == 0 or 0 in others:  # an amount without one price can make up anything
        return list(range(ENOUGH))
    common = gcd(*others)
    least = _least_sums(tuple(sorted({other // common for other in others})))
    rest = {n: left - n * price for n in range(start, start + 10)}
    whole = {n: amount // common for n, amount in rest.items() if amount >= 0 and amount % common == 0}
    return [n for n, amount in whole.items() if amount >= least[amount % len(least)]]


@lru_cache(maxsize=256)
def _least_sums(prices: tuple[int, ...]) -> list[float]:
    """For each remainder of the lowest price, the least sum of whole numbers of the prices that leaves it.

    References
    ----------
    Boecker and Lipták (2007), Algorithmica 48, 413-432: the round robin algorithm for the residue table.
    """
    lowest = prices[0]
    if lowest > MOST_REMAINDERS:  # too many to count: taken for out of reach, so that more is hidden
        return [math.inf]
    least = [0.0] + [math.inf] * (lowest - 1)
    for price in prices[1:]:
        cycles = gcd(lowest, price)
        for start in range(cycles):
            at = min(range(start, lowest, cycles), key=least.__getitem__)
            best = least[at]
            if math.isinf(best):
                continue
            for _ in range(lowest // cycles - 1):
                best += price
                at = (at + price) % lowest
                best = least[at] = min(best, least[at])
    return least
