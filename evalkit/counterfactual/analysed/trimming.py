"""Lee's trimming bounds with the contribution of every row, so that clusters and strata come for nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalkit.errors import EstimationError


@dataclass(frozen=True, eq=False)
class Trimmed:
    """Bounds, each row's contributions to them, the share trimmed, and whether strata differ in direction."""

    low: float
    high: float
    rows_low: np.ndarray
    rows_high: np.ndarray
    trimmed: float
    crossed: bool


@dataclass(frozen=True, eq=False)
class Part:
    """One stratum: bounds (low, high) and the share read in both arms, with each row's contributions."""

    bounds: np.ndarray
    rows: np.ndarray
    always: float
    always_rows: np.ndarray
    trimmed: float
    more_treated: bool


def lee(y: np.ndarray, arm: np.ndarray, stratum: np.ndarray) -> Trimmed:
    """Trim the arm that was read more often, in each stratum, and average over those read either way.

    Parameters
    ----------
    y, arm : ndarray, shape (n,)
        Outcome, NaN where lost; 1 and 0.
    stratum : ndarray of int, shape (n,)
        All 0 where there are none.

    Returns
    -------
    Trimmed
        The share trimmed is that of the read in the arm read more often, over strata by size.

    Raises
    ------
    EstimationError
        A stratum lacks an arm, or an arm of it was not read.

    Notes
    -----
    Where the share to be set aside cuts through tied values or between two people, the person at the cut counts in
    part, so that exactly the share is set aside.

    References
    ----------
    Lee (2009), Review of Economic Studies 76, 1071-1102, propositions 1 to 3.
    """
    levels, n = np.unique(stratum), len(y)
    for level in levels:
        for code, name in ((1.0, "treated"), (0.0, "comparison")):
            mine = (stratum == level) & (arm == code)
            if np.isfinite(y[mine]).sum() < 2:
                where = "" if len(levels) == 1 else " of a stratum"
                raise EstimationError(
                    f"the {name} arm{where} has fewer than two people who were read. Use fewer, larger strata."
                )
    parts = {level: _part(y[stratum == level], arm[stratum == level]) for level in levels}
    sizes = {level: float((stratum == level).mean()) for level in levels}
    total = sum(sizes[level] * part.always for level, part in parts.items())
    bounds = np.array(sum(sizes[level] * part.always * part.bounds for level, part in parts.items())) / total
    rows = np.zeros((n, 2))
    for level, part in parts.items():
        mine = stratum == level
        away = part.bounds - bounds
        # what moves the average: the stratum's bounds, its share read in both arms, and its size
        rows[mine] += sizes[level] * (part.always * part.rows + part.always_rows[:, None] * away) / total
        rows += (part.always * (mine - sizes[level]) / n / total)[:, None] * away
    trimmed = sum(sizes[level] * part.trimmed for level, part in parts.items())
    directions = {part.more_treated for part in parts.values() if part.trimmed > 0}
    return Trimmed(
        float(bounds[0]), float(bounds[1]), rows[:, 0], rows[:, 1], float(trimmed), len(directions) > 1
    )  # fmt: skip


def _part(y: np.ndarray, arm: np.ndarray) -> Part:
    """The bounds of one stratum."""
    read = np.isfinite(y)
    shares = {code: float(read[arm == code].mean()) for code in (1.0, 0.0)}
    share_rows = {code: np.where(arm == code, read - shares[code], 0.0) / (arm == code).sum() for code in (1.0, 0.0)}
    more = 1.0 if shares[1.0] >= shares[0.0] else 0.0
    less, sign = 1.0 - more, 1.0 if more == 1.0 else -1.0
    kept = shares[less] / shares[more]
    kept_rows = (share_rows[less] - kept * share_rows[more]) / shares[more]
    whole = (arm == less) & read
    mean = float(y[whole].mean())
    size = whole.sum()
    mean_rows = np.where(whole, np.nan_to_num(y) - mean, 0.0) / size * np.sqrt(size / (size - 1))
    mine = (arm == more) & read
    ends = [_trimmed_mean(y, mine, kept, kept_rows, side) for side in (-sign, sign)]
    bounds = np.array([sign * (value - mean) for value, _ in ends])
    rows = np.column_stack([sign * (one - mean_rows) for _, one in ends])
    return Part(bounds, rows, shares[less], share_rows[less], 1 - kept, more == 1.0)


def _trimmed_mean(
    y: np.ndarray, mine: np.ndarray, kept: float, kept_rows: np.ndarray, side: float
) -> tuple[float, np.ndarray]:
    """Mean of the lowest (side -1) or highest (side 1) share of those read, and the rows' contributions."""
    values = -side * y[mine]
    order = np.sort(values)
    n = len(values)
    last = min(int(np.ceil(kept * n - 1e-9)), n) - 1
    cut = order[last]
    below = np.minimum(values - cut, 0.0)
    mean = cut + float(below.sum()) / (kept * n)
    rows = np.zeros(len(y))
    rows[mine] = (below - below.mean()) / (kept * n) * np.sqrt(n / (n - 1))
    rows += (cut - mean) / kept * kept_rows
    return -side * mean, -side * rows
