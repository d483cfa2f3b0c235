"""Adjusting p-values for looking at several outcomes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evalkit.errors import DataError, did_you_mean

METHODS = ("holm", "hochberg", "bh", "by", "bonferroni")


def adjust(p: Sequence[float] | np.ndarray, method: str = "holm") -> np.ndarray:
    """Adjust p-values for the number of tests.

    Parameters
    ----------
    p : sequence of float, shape (n_tests,)
        Missing values stay missing and are not counted as tests.
    method : {"holm", "hochberg", "bh", "by", "bonferroni"}
        Family-wise error (holm, hochberg, bonferroni) or false discovery rate (bh, by).

    Returns
    -------
    ndarray, shape (n_tests,)
        Adjusted p-values in the order given.

    Raises
    ------
    DataError
        An unknown method, or a p-value outside 0 to 1.

    References
    ----------
    Holm (1979); Hochberg (1988); Benjamini and Hochberg (1995); Benjamini and Yekutieli (2001); as R ``p.adjust``.
    """
    if method not in METHODS:
        raise DataError(f'Adjustment "{method}" is not known. {did_you_mean(method, METHODS)}')
    given = np.asarray(p, dtype=float)
    known = ~np.isnan(given)
    if ((given[known] < 0) | (given[known] > 1)).any():
        raise DataError("A p-value lies outside 0 to 1.")
    adjusted = np.full(given.shape, np.nan)
    if known.any():
        adjusted[known] = _adjusted(given[known], method)
    return adjusted


def _adjusted(p: np.ndarray, method: str) -> np.ndarray:
    tests = len(p)
    order = np.argsort(p, kind="stable")
    rank = np.arange(1, tests + 1)
    factor = {
        "bonferroni": np.full(tests, float(tests)),
        "holm": tests - rank + 1.0,
        "hochberg": tests - rank + 1.0,
        "bh": tests / rank,
        "by": tests / rank * (1 / rank).sum(),
    }[method]
    raised = p[order] * factor
    if method == "holm":
        raised = np.maximum.accumulate(raised)
    elif method != "bonferroni":
        raised = np.minimum.accumulate(raised[::-1])[::-1]
    result = np.empty(tests)
    result[order] = np.minimum(raised, 1)
    return result
