"""Counts of people beside other tables of the same people: to the nearest ten, so that no two differ by a few."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.disclosure import count
from evalkit.report.common import hidden, protected, rule_of
from evalkit.report.phrases import finite, real

TENS = "People are counted to the nearest ten, since other tables count some of the same people."


def tens(n: object, evaluation: Any) -> str:
    """A number of people to the nearest ten, or "[c]"."""
    if not finite(n):
        return words.NOT_AVAILABLE
    if hidden(count(int(real(n)), rule_of(evaluation))):
        return words.SUPPRESSED
    return words.number(10 * round(real(n) / 10), 0)


def shares(counts: Sequence[int], evaluation: Any) -> list[str]:
    """Shares of a whole in whole per cent; those of few people are hidden, and another so that none follows.

    Parameters
    ----------
    counts : sequence of int
        Of parts that make up the whole.
    evaluation : Evaluation
        For the rule in force.

    Returns
    -------
    list of str
        In the order of the parts.
    """
    whole = int(sum(counts))
    table = pd.DataFrame({"part": [*map(str, range(len(counts))), "(all)"], "n": [*map(int, counts), whole]})
    safe = protected(table, evaluation, ["n"], total="(all)")["n"]
    if not whole or hidden(safe.iloc[-1]):
        return [words.SUPPRESSED] * len(counts)
    return [words.SUPPRESSED if hidden(n) else words.percent(c / whole, 0) for n, c in zip(safe, counts, strict=False)]


def cells(counts: np.ndarray, evaluation: Any) -> list[list[int | str]]:
    """Each count of a grid by itself: as it may be shown, or "[c]"."""
    rule = rule_of(evaluation)
    return [[count(int(n), rule) for n in row] for row in counts]


def few(n: object, evaluation: Any) -> bool:
    """Whether so few people may not be told of."""
    return not finite(n) or hidden(count(int(real(n)), rule_of(evaluation)))
