"""Amounts as the money sections write them: the unit in words, pence where there are any, few people behind."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd

from evalkit import words
from evalkit.contract.hidden import BY_UNIT
from evalkit.contract.pennies import total
from evalkit.disclosure import count
from evalkit.report.common import rule_of
from evalkit.report.phrases import finite, real

CURRENCIES = {"GBP": "pounds", "USD": "US dollars", "EUR": "euros"}
HALF_A_PENNY = 0.005


def unit_words(evaluation: Any) -> str:
    """The study's currency in words: "pounds"; its code where it has none here."""
    currency = str(evaluation.study.study.currency)
    return CURRENCIES.get(currency, currency)


def pence(*columns: Iterable[Any]) -> int:
    """Decimals for a table: 2 where any amount has pence, else 0.

    Parameters
    ----------
    columns : iterables of numbers
        Missing ones do not count.

    Returns
    -------
    int
        0 or 2.
    """
    known = [real(value) for column in columns for value in column if finite(value)]
    return 0 if all(abs(value - round(value)) < HALF_A_PENNY for value in known) else 2


def amount(value: object, digits: int = 0, sign: bool = False) -> str:
    """One amount without its currency; "[x]" where it is missing."""
    return words.number(real(value), digits, sign) if finite(value) else words.NOT_AVAILABLE


def exact_sum(amounts: pd.Series) -> float:
    """The sum to the penny; missing where nothing is known."""
    known = amounts.astype(float).dropna()
    return math.nan if known.empty else total(known.to_numpy())


def few_behind(evaluation: Any, value: float) -> bool:
    """Whether an amount paid could be for fewer people than may be told: at the highest price for one person's outcome.

    Parameters
    ----------
    evaluation : Evaluation
        With a contract. Published contracts, and those without a price for a person's outcome, are not judged.
    value : float
        What was paid.

    Returns
    -------
    bool
        True where it may not be shown by itself.
    """
    table, plan = evaluation.contract.table, evaluation.study.contract
    prices = pd.to_numeric(table.loc[table["mechanism"].isin(BY_UNIT), "price"]).dropna()
    if plan.published or prices.empty or prices.max() <= 0:
        return False
    return count(math.floor(max(value, 0.0) / prices.max()), rule_of(evaluation)) == words.SUPPRESSED
