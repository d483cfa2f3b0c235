"""Did the arms move alike before the programme? Effects by time, and a joint test of those before."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from evalkit import words
from evalkit.counterfactual.before_after.times import Times
from evalkit.errors import Flag

Array = np.ndarray


def by_time(times: Times, level: float) -> tuple[dict[str, Any], list[Flag]]:
    """Compare the arms at every time with the last time before.

    Parameters
    ----------
    times : Times
        More than two.
    level : float
        Of the intervals.

    Returns
    -------
    (dict, list of Flag)
        event_study (time, relative, effect, se, low, high) and, with two times before or more, pre_test: the p-value of
        no difference in movement before. Where an arm has too few people (or clusters) for it, a flag says so.

    Notes
    -----
    The test is Hotelling's with each arm's own spread, and with the degrees of freedom of Krishnamoorthy and Yu (2004),
    Statistics and Probability Letters 66, 161-169: a chi-squared test would find trends in small samples too often.
    """
    group = times.panel.groups
    gaps, shares = _gaps(times, group)
    table = _event_study(times, gaps, shares, level)
    found: dict[str, Any] = {"event_study": table}
    earlier = list(range(times.first_after - 1))
    if not earlier:
        return found, []
    p = _joint(gaps[earlier], [share[:, earlier] for share in shares])
    if math.isnan(p):
        text = "Whether the arms moved alike before cannot be tested: an arm has too few people, places or clusters."
        return found, [Flag("counterfactual", "caution", text, f"{len(earlier)} earlier differences.")]
    flags = [_unlike(p, len(earlier))] if p < 0.05 else []
    return found | {"pre_test": p}, flags


def _unlike(p: float, count: int) -> Flag:
    """The arms did not move alike before."""
    text = "The arms did not move alike before the programme, so what they did after may not be its doing."
    detail = f"Joint test of {count} earlier differences: p {words.p_value(p)}."
    return Flag("counterfactual", "serious", text, detail)


def _gaps(times: Times, group: Array) -> tuple[Array, list[Array]]:
    """Differences between arms by time less that of the last time before, and each group's share in them, by arm."""
    panel, count = times.panel, len(times.values)
    last = times.first_after - 1
    gaps, shares = np.zeros(count), []
    for arm, sign in ((1.0, 1.0), (0.0, -1.0)):
        mine = panel.treated == arm
        cells = np.bincount(times.place[mine], minlength=count)
        with np.errstate(invalid="ignore", divide="ignore"):
            means = np.bincount(times.place[mine], panel.y[mine], minlength=count) / cells
        gaps += sign * (means - means[last])
        own = np.unique(group[mine], return_inverse=True)[1]
        part = np.zeros((int(own.max()) + 1, count))
        place = times.place[mine]
        np.add.at(part, (own, place), sign * (panel.y[mine] - means[place]) / cells[place])
        shares.append(part - part[:, [last]])
    return gaps, shares


def _spread(part: Array) -> Array:
    """The covariance of one arm's differences; not a number where one group is all there is."""
    n = len(part)
    return part.T @ part * (n / (n - 1) if n > 1 else np.nan)


def _event_study(times: Times, gaps: Array, shares: list[Array], level: float) -> pd.DataFrame:
    """A row per time; Welch's degrees of freedom."""
    parts = [np.diag(_spread(share)) for share in shares]
    variance = parts[0] + parts[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        df = variance**2 / sum(part**2 / max(len(share) - 1, 1) for part, share in zip(parts, shares, strict=True))
    se = np.sqrt(variance)
    half = stats.t.ppf(0.5 + level / 2, df) * se
    before = np.arange(len(gaps)) == times.first_after - 1
    relative = np.arange(len(gaps)) - times.first_after
    bounds = {"se": se, "low": gaps - half, "high": gaps + half}
    table = pd.DataFrame({"time": times.values, "relative": relative, "effect": gaps, **bounds})
    table.loc[before, ["se", "low", "high"]] = np.nan
    return table


def _joint(gaps: Array, shares: list[Array]) -> float:
    """p of no difference at all; not a number where it cannot be tested."""
    q, sizes = len(gaps), [len(share) for share in shares]
    if min(sizes) <= q or not np.isfinite(gaps).all():
        return math.nan
    parts = [_spread(share) for share in shares]
    both = parts[0] + parts[1]
    if np.linalg.matrix_rank(both, tol=1e-12 * max(float(np.trace(both)), 1e-300)) < q:
        return math.nan
    inverse = np.linalg.inv(both)
    wald = float(gaps @ inverse @ gaps)
    bottom = 0.0
    for part, size in zip(parts, sizes, strict=True):
        share = part @ inverse
        bottom += (float(np.trace(share @ share)) + float(np.trace(share)) ** 2) / (size - 1)
    room = (q + q**2) / bottom
    if room <= q - 1:
        return math.nan
    return float(stats.f.sf(wald * (room - q + 1) / (room * q), q, room - q + 1))
