"""Shares of people and their differences between arms, with intervals that hold for small numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evalkit.errors import DataError, did_you_mean
from evalkit.outcomes.records.ratios import LEVEL, Ratio, cluster_codes, error, quantile, ratio

Array = np.ndarray
_ARMS = ("treated", "comparison")
# Below this a share's own spread cannot tell how much its clusters differ.
_NO_SPREAD = 1e-12


def wilson(count: Any, n: Any, level: float = LEVEL) -> tuple[Any, Any]:
    """Wilson's score interval of a share.

    Parameters
    ----------
    count, n : float or array
        So many of so many; ``n`` may be an effective number and need not be whole.
    level : float
        Confidence.

    Returns
    -------
    low, high : float or ndarray
        NaN where ``n`` is 0.

    References
    ----------
    Wilson (1927), JASA 22, 209-212.
    """
    from scipy.stats import norm

    z = float(norm.ppf((1 + level) / 2))
    count, n = np.asarray(count, dtype=float), np.asarray(n, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = count / n
        middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z * np.sqrt(np.maximum(share * (1 - share), 0) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    low, high = np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)
    return (float(low), float(high)) if low.ndim == 0 else (low, high)


def newcombe(count_1: float, n_1: float, count_0: float, n_0: float, level: float = LEVEL) -> tuple[float, float]:
    """Newcombe's interval of the difference of two independent shares, from their two Wilson intervals.

    Parameters
    ----------
    count_1, n_1, count_0, n_0 : float
        So many of so many in the first and in the second group.
    level : float
        Confidence.

    Returns
    -------
    low, high : float
        Of the first share less the second; NaN where a group is empty.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17, 873-890, method 10.
    """
    if not n_1 or not n_0:
        return np.nan, np.nan
    bounds = wilson(count_1, n_1, level), wilson(count_0, n_0, level)
    return _from_parts((count_1 / n_1, count_0 / n_0), bounds)


def _from_parts(shares: tuple[float, float], bounds: tuple[Any, Any]) -> tuple[float, float]:
    """The interval of a difference from those of its two parts."""
    (low_1, high_1), (low_0, high_0) = bounds
    one, other = shares
    down, up = np.hypot(one - low_1, high_0 - other), np.hypot(high_1 - one, other - low_0)
    return float(one - other - down), float(one - other + up)


@dataclass(frozen=True)
class ArmShares:
    """A share in each arm and the difference, treated less comparison.

    Attributes
    ----------
    n, count, share, low, high : dict of str to number
        By arm ("treated", "comparison"): people, those among them of whom it holds, their share, and its 95 %
        interval.
    difference, difference_low, difference_high : float
        Of the shares.
    method : str
        How the interval of the difference was made.
    """

    n: dict[str, int]
    count: dict[str, float]
    share: dict[str, float]
    low: dict[str, float]
    high: dict[str, float]
    difference: float
    difference_low: float
    difference_high: float
    method: str

    def row(self) -> dict[str, Any]:
        """The same as one flat row of a table."""
        flat: dict[str, Any] = {}
        for arm in _ARMS:
            flat |= {f"{arm}_{name}": getattr(self, name)[arm] for name in ("n", "count", "share", "low", "high")}
        names = ("difference", "difference_low", "difference_high", "method")
        return flat | {name: getattr(self, name) for name in names}


def compare_shares(yes: Array, treated: Array, cluster: object = None) -> ArmShares:
    """Compare a share between the arms.

    Parameters
    ----------
    yes : ndarray, shape (n,)
        1, 0, or a share per person; NaN where not known.
    treated : ndarray, shape (n,)
        1, 0, NaN for neither.
    cluster : array-like of length n, optional
        Who belongs together.

    Returns
    -------
    ArmShares
        Without clusters Wilson's and Newcombe's intervals. With clusters each arm's Wilson interval at its effective
        number of people, and the difference by CR2 with Satterthwaite's degrees of freedom; where nobody differs
        within an arm, Newcombe's with every cluster counted as one person, which is wide on purpose.
    """
    yes, treated = np.asarray(yes, dtype=float), np.asarray(treated, dtype=float)
    codes, clusters = cluster_codes(cluster, len(yes))
    arms: dict[str, Ratio] = {}
    for arm, value in zip(_ARMS, (1.0, 0.0), strict=True):
        inside = (treated == value) & np.isfinite(yes)
        arms[arm] = ratio(yes[inside], np.ones(int(inside.sum())), codes[inside], clusters)
    one, other = arms["treated"], arms["comparison"]
    effective = {arm: _effective(part, cluster is not None) for arm, part in arms.items()}
    bounds = {arm: wilson(part.value * effective[arm], effective[arm]) for arm, part in arms.items()}
    difference, low, high, method = _difference(one, other, cluster is not None)
    if cluster is not None and _one_side_still(one, other):
        low, high = _from_parts((one.value, other.value), (bounds["treated"], bounds["comparison"]))
        method = "from the two arms' intervals (Newcombe)"
    return ArmShares(
        {arm: int(part.bottom) for arm, part in arms.items()}, {arm: part.top for arm, part in arms.items()},
        {arm: part.value for arm, part in arms.items()},
        {arm: bound[0] for arm, bound in bounds.items()}, {arm: bound[1] for arm, bound in bounds.items()},
        difference, low, high, method,
    )  # fmt: skip


def _effective(part: Ratio, clustered: bool) -> float:
    """How many independent people an arm is worth, less for degrees of freedom: never more than there are.

    Wilson's interval takes the normal distribution; from few clusters it must reach as far as Student's t (Korn and
    Graubard 1998, Survey Methodology 24, 193-201).
    """
    if not clustered:
        return part.bottom
    se, df = error([part], [1.0])
    variance = part.value * (1 - part.value)
    if not np.isfinite(se) or se < _NO_SPREAD or variance < _NO_SPREAD:
        return float(part.groups)
    return float(min(variance / se**2, part.bottom) * (quantile(np.finfo(float).max) / quantile(df)) ** 2)


def _difference(one: Ratio, other: Ratio, clustered: bool) -> tuple[float, float, float, str]:
    difference = one.value - other.value
    if not clustered:
        return difference, *newcombe(one.top, one.bottom, other.top, other.bottom), "Newcombe"
    se, df = error([one, other], [1.0, -1.0])
    if np.isfinite(se) and se < _NO_SPREAD:
        low, high = newcombe(one.value * one.groups, one.groups, other.value * other.groups, other.groups)
        return difference, low, high, "Newcombe, every cluster counted as one person"
    half = quantile(df) * se
    return difference, difference - half, difference + half, "clusters (CR2)"


def _one_side_still(one: Ratio, other: Ratio) -> bool:
    """Whether nobody, or everybody, of just one arm is counted: CR2 then takes that arm for known exactly."""
    still = [part.value < _NO_SPREAD or part.value > 1 - _NO_SPREAD for part in (one, other)]
    return any(still) and not all(still)


def read_arm(arm: object, rows: int) -> Array:
    """Read who is in which arm.

    Parameters
    ----------
    arm : array-like of length ``rows``
        True or 1 or "treated" for the programme, False or 0 or "comparison" for the comparison, missing for neither.
    rows : int
        How many there must be.

    Returns
    -------
    ndarray of float, shape (rows,)
        1, 0 or NaN.

    Raises
    ------
    DataError
        Another word or number, not as many as rows, or an arm with nobody in it.
    """
    column = pd.Series(arm).reset_index(drop=True)  # type: ignore[call-overload]
    if len(column) != rows:
        raise DataError(f"arm has {len(column)} entries for {rows} people. Give one per person, in the same order.")
    known = {"treated": 1.0, "comparison": 0.0, "true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0}
    words = column.astype("str").str.strip().str.lower()
    treated = np.where(column.isna(), np.nan, words.map(known).to_numpy(dtype=float))
    strange = np.flatnonzero(np.isnan(treated) & column.notna().to_numpy())
    if len(strange):
        hint = did_you_mean(str(column.iloc[strange[0]]), _ARMS)
        raise DataError(f'arm holds what is neither "treated" nor "comparison" ({len(strange)} rows). {hint}')
    for value, name in ((1.0, "treated"), (0.0, "comparison")):
        if not (treated == value).any():
            raise DataError(f'arm has nobody who is "{name}", so there is nothing to compare. Give both arms.')
    return treated
