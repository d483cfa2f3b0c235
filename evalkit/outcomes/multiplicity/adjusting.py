"""Looking at several outcomes, and at people who come in clusters: p-values adjusted, domains before measures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from evalkit.errors import DataError, did_you_mean, several
from evalkit.words import p_value

METHODS = ("holm", "hochberg", "hommel", "bonferroni", "bh", "by", "sharpened")


def adjust(p: Sequence[float] | np.ndarray, method: str = "holm") -> np.ndarray:
    """Adjust p-values for the number of tests.

    Parameters
    ----------
    p : sequence of float, shape (n_tests,)
        Missing values stay missing and are not counted as tests.
    method : {"holm", "hochberg", "hommel", "bonferroni", "bh", "by", "sharpened"}
        Family-wise error (the first four; Hochberg and Hommel need tests that do not pull against each other), or
        false discovery rate for exploring (the last three). "sharpened" gives two-stage q-values: the smallest false
        discovery rate at which a test is rejected. Where many tests are rejected they can be smaller than p.

    Returns
    -------
    ndarray, shape (n_tests,)
        Adjusted p-values (or q-values) in the order given.

    Raises
    ------
    DataError
        An unknown method, or a p-value outside 0 to 1.

    References
    ----------
    Holm (1979); Hochberg (1988); Hommel (1988); Benjamini and Hochberg (1995); Benjamini and Yekutieli (2001); as R
    ``p.adjust``. Sharpened: Benjamini, Krieger and Yekutieli (2006), definition 6; Anderson (2008), JASA 103, 1481.
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
    order = np.argsort(p, kind="stable")
    result = np.empty(len(p))
    result[order] = np.minimum(_RAISED[method](p[order]), 1)
    return result


# Each takes p-values from the smallest up and gives the adjusted ones in that order.


def _holm(p: np.ndarray) -> np.ndarray:
    return np.maximum.accumulate(p * np.arange(len(p), 0, -1))


def _hochberg(p: np.ndarray) -> np.ndarray:
    return _from_the_last(p * np.arange(len(p), 0, -1))


def _hommel(p: np.ndarray) -> np.ndarray:
    """Simes' test of every set of hypotheses; the worst set of a size has the largest other p-values."""
    tests = len(p)
    worst = p.copy()
    for size in range(2, tests + 1):
        tail = size * (p[tests - size + 1 :] / np.arange(2, size + 1)).min()
        simes = np.minimum(size * p, tail)
        simes[tests - size + 1 :] = simes[tests - size]
        worst = np.maximum(worst, simes)
    return worst


def _bonferroni(p: np.ndarray) -> np.ndarray:
    return p * len(p)


def _bh(p: np.ndarray) -> np.ndarray:
    return _from_the_last(p * len(p) / np.arange(1, len(p) + 1))


def _by(p: np.ndarray) -> np.ndarray:
    return _bh(p) * (1 / np.arange(1, len(p) + 1)).sum()


def _sharpened(p: np.ndarray) -> np.ndarray:
    """Two-stage q-values, solved exactly where the published program steps through a grid of 0.001.

    At level q both stages are Benjamini-Hochberg: first at q / (1 + q), which rejects r; then at that times
    tests / (tests - r). A test with first-stage value a is rejected from the least level on that reaches both the
    level at which r is found and a (tests - r) / tests.
    """
    tests, first = len(p), _bh(p)
    found = np.searchsorted(first, first, side="right")
    level = np.maximum(first[None, :], first[:, None] * (tests - found)[None, :] / tests).min(axis=1)
    return np.divide(level, 1 - level, out=np.ones(tests), where=level < 0.5)


def _from_the_last(raised: np.ndarray) -> np.ndarray:
    return np.minimum.accumulate(raised[::-1])[::-1]


_RAISED: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "holm": _holm,
    "hochberg": _hochberg,
    "hommel": _hommel,
    "bonferroni": _bonferroni,
    "bh": _bh,
    "by": _by,
    "sharpened": _sharpened,
}


# ---------------------------------------------------------------- domains before measures


def gatekeep(index_p: pd.Series, measures: pd.DataFrame, alpha: float = 0.05) -> pd.DataFrame:
    """Test domains by their index first, and look into the measures of those domains that pass.

    Parameters
    ----------
    index_p : Series of float, shape (n_domains,)
        The p-value of each domain's index, by domain.
    measures : DataFrame, shape (n_measures, 3 or more)
        ``domain``, ``measure`` and ``p_adjusted``: adjusted within the domain (by `westfall_young` or `romano_wolf`).
    alpha : float
        The family-wise error that is accepted: over domains, and again within a domain that passed.

    Returns
    -------
    DataFrame
        A row per domain ("measure" is empty), followed by its measures: ``domain``, ``measure``, ``p`` (of the index),
        ``p_adjusted`` (Holm over domains, or as given), ``passed`` and ``verdict`` in words. Measures of a domain that
        did not pass keep their adjusted p and are "not tested further".

    Raises
    ------
    DataError
        A column is missing, a measure's domain has no index, or alpha is not a share.

    References
    ----------
    Holm (1979); Kling, Liebman and Katz (2007) and Anderson (2008) for testing indices before their parts.
    """
    _checked_gate(index_p, measures, alpha)
    alone = index_p.to_numpy(dtype=float)
    rows: list[dict[str, object]] = []
    for domain, p, overall in zip(index_p.index, alone, adjust(alone), strict=True):
        opened = bool(overall <= alpha)
        rows.append(_row(domain, "", float(p), float(overall), opened, _domain_verdict(float(overall), opened)))
        own = measures[measures["domain"] == domain]
        for measure, value in zip(own["measure"], own["p_adjusted"].astype(float), strict=True):
            passed = opened and bool(value <= alpha)
            rows.append(_row(domain, measure, np.nan, value, passed, _measure_verdict(value, opened, passed)))
    return pd.DataFrame(rows, columns=["domain", "measure", "p", "p_adjusted", "passed", "verdict"])


def _row(domain: object, measure: object, p: float, p_adjusted: float, passed: bool, verdict: str) -> dict:
    return {
        "domain": domain,
        "measure": measure,
        "p": p,
        "p_adjusted": p_adjusted,
        "passed": passed,
        "verdict": verdict,
    }


def _domain_verdict(p: float, passed: bool) -> str:
    if np.isnan(p):
        return "not tested: the index has no p-value"
    told = f"adjusted p {p_value(p)}"
    return f"a difference in the domain ({told})" if passed else f"no clear difference in the domain ({told})"


def _measure_verdict(p: float, opened: bool, passed: bool) -> str:
    if not opened:
        return "not tested further: the domain's index did not pass"
    if np.isnan(p):
        return "not tested: the measure has no p-value"
    told = f"adjusted p {p_value(p)}"
    return f"a difference in this measure ({told})" if passed else f"no clear difference in this measure ({told})"


def _checked_gate(index_p: pd.Series, measures: pd.DataFrame, alpha: float) -> None:
    if not 0 < alpha < 1:
        raise DataError(f"alpha is {alpha}. Write a share between 0 and 1, such as 0.05.")
    problems = [
        f'There is no column "{name}". {did_you_mean(name, measures.columns)}'
        for name in ("domain", "measure", "p_adjusted")
        if name not in measures.columns
    ]
    if not problems:
        strange = [name for name in measures["domain"].unique() if name not in index_p.index]
        problems = [f'Domain "{name}" has no index. {did_you_mean(str(name), index_p.index)}' for name in strange]
    if index_p.index.has_duplicates:
        problems.append("A domain is named twice in index_p: one index per domain.")
    if problems:
        raise DataError(several("The table of measures", problems))


# ---------------------------------------------------------------- people in clusters


def design_effect(m: float | Sequence[float] | np.ndarray, icc: float) -> float:
    """By how much clusters inflate the variance of a mean.

    Parameters
    ----------
    m : float or sequence of float
        People per cluster, or the size of each cluster where they differ.
    icc : float
        Intraclass correlation of the outcome.

    Returns
    -------
    float
        1 + (m - 1) icc; with sizes, m is their mean weighted by size.

    Raises
    ------
    DataError
        A size below 1, or a correlation that no clusters of this size can have.

    References
    ----------
    Kish (1965), Survey Sampling, sections 5.4 and 8.2.
    """
    sizes = np.atleast_1d(np.asarray(m, dtype=float))
    if not len(sizes) or not (sizes >= 1).all():
        raise DataError("A cluster has at least one person: m must be 1 or more.")
    effect = 1 + ((sizes**2).sum() / sizes.sum() - 1) * icc
    if not (icc <= 1 and effect > 0):
        raise DataError(f"icc is {icc}, which clusters of this size cannot have. Write a correlation from 0 to 1.")
    return float(effect)


def effective_n(n: float, m: float | Sequence[float] | np.ndarray, icc: float) -> float:
    """How many independent people would tell as much as n people in clusters.

    Parameters
    ----------
    n : float
        People.
    m : float or sequence of float
        As in `design_effect`.
    icc : float
        Intraclass correlation of the outcome.

    Returns
    -------
    float
        n / design effect.

    Raises
    ------
    DataError
        As `design_effect`, or n is negative.
    """
    if not n >= 0:
        raise DataError(f"n is {n}. Write a number of people.")
    return float(n) / design_effect(m, icc)
