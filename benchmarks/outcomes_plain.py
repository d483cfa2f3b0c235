"""Scoring, index and refitting written by hand in numpy and pandas: the peers of `outcomes_peers.py`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from outcomes_data import MEASURES

Array = np.ndarray

# ---------------------------------------------------------------- scoring

SCALES = {
    "emotion": (3, 8, 13, 16, 24),
    "conduct": (5, 7, 12, 18, 22),
    "hyper": (2, 10, 15, 21, 25),
    "peer": (6, 11, 14, 19, 23),
    "prosoc": (1, 4, 9, 17, 20),
}
REVERSED = (7, 11, 14, 21, 25)
SUMS = {
    "total": ("emotion", "conduct", "hyper", "peer"),
    "internal": ("emotion", "peer"),
    "external": ("conduct", "hyper"),
}
# Where each band but the best begins: four bands, then three.
BANDS = {
    "total": ((14, 17, 20), (14, 17)),
    "emotion": ((4, 5, 7), (4, 5)),
    "conduct": ((3, 4, 6), (3, 4)),
    "hyper": ((6, 8, 9), (6, 7)),
    "peer": ((3, 4, 5), (3, 4)),
    "prosoc": ((8, 7, 6), (6, 5)),
    "impact": ((1, 2, 3), (1, 2)),
}


def pandas_by_column(frame: pd.DataFrame) -> pd.DataFrame:
    """Whole columns added up: the fastest pandas found."""
    frame = frame.astype("float64")
    items = {item: 2 - frame[f"q{item}"] if item in REVERSED else frame[f"q{item}"] for item in range(1, 26)}
    found = {}
    for scale, its in SCALES.items():
        answered = sum(items[item].notna().astype("int8") for item in its)
        total = sum(items[item].fillna(0) for item in its)
        found[scale] = np.floor(total * 5 / answered + 0.5).where(answered >= 3)
    found |= {name: sum(found[part] for part in parts) for name, parts in SUMS.items()}
    found["impact"] = sum((frame[f"imp{item}"] - 1).clip(lower=0) for item in range(1, 6))
    return pd.DataFrame(found | _pandas_bands(found))


def pandas_by_row(frame: pd.DataFrame) -> pd.DataFrame:
    """Sums and counts over the rows of each scale's columns (axis=1): what most would write."""
    items = frame.astype("float64")
    turned = [f"q{item}" for item in REVERSED]
    items[turned] = 2 - items[turned]
    found = {}
    for scale, its in SCALES.items():
        part = items[[f"q{item}" for item in its]]
        answered = part.count(axis=1)
        found[scale] = np.floor(part.sum(axis=1) * 5 / answered + 0.5).where(answered >= 3)
    found |= {name: sum(found[part] for part in parts) for name, parts in SUMS.items()}
    impact = (items[[f"imp{item}" for item in range(1, 6)]] - 1).clip(lower=0)
    found["impact"] = impact.sum(axis=1, skipna=False)
    return pd.DataFrame(found | _pandas_bands(found))


def _pandas_bands(found: dict[str, pd.Series]) -> dict[str, pd.Series]:
    bands = {}
    for name, sets in BANDS.items():
        score, known = found[name], found[name].notna()
        for starts in sets:
            worse = [score < start if name == "prosoc" else score >= start for start in starts]
            bands[f"{name}_band{len(starts) + 1}"] = (1.0 + sum(one.astype("int8") for one in worse)).where(known)
    return bands


def numpy_scores(frame: pd.DataFrame) -> pd.DataFrame:
    """The same on columns of a float array."""
    raw = frame.to_numpy(dtype=float, na_value=np.nan)
    items = {item: 2 - raw[:, item - 1] if item in REVERSED else raw[:, item - 1] for item in range(1, 26)}
    there = {item: ~np.isnan(values) for item, values in items.items()}
    filled = {item: np.where(there[item], values, 0.0) for item, values in items.items()}
    found = {}
    with np.errstate(divide="ignore", invalid="ignore"):
        for scale, its in SCALES.items():
            answered = sum(there[item].view(np.int8) for item in its)
            score = np.floor(sum(filled[item] for item in its) * 5 / answered + 0.5)
            score[answered < 3] = np.nan
            found[scale] = score
        found |= {name: sum(found[part] for part in parts) for name, parts in SUMS.items()}
        found["impact"] = sum(np.maximum(raw[:, 24 + item] - 1, 0) for item in range(1, 6))
        for name, sets in BANDS.items():
            score, unknown = found[name], np.isnan(found[name])
            for starts in sets:
                worse = [score < start if name == "prosoc" else score >= start for start in starts]
                band = 1.0 + sum(one.view(np.int8) for one in worse)
                band[unknown] = np.nan
                found[f"{name}_band{len(starts) + 1}"] = band
    return pd.DataFrame(found)


# ---------------------------------------------------------------- index


def numpy_index(frame: pd.DataFrame, reference: Array, full: bool) -> tuple[Array, Array]:
    """Inverse-covariance weights and the scaled index, from sums of products of what is there."""
    raw = frame if isinstance(frame, np.ndarray) else frame.to_numpy()
    there = ~np.isnan(raw)
    seen, inside = there.astype(float), reference.astype(float)
    filled = np.where(there, raw, 0.0)
    count = inside @ seen
    filled -= inside @ filled / count
    filled *= seen
    filled /= np.sqrt(inside @ filled**2 / (count - 1))
    return _weighted(filled, seen, reference, full)


def numpy_nan_index(frame: pd.DataFrame, reference: Array, full: bool) -> tuple[Array, Array]:
    """The same with nanmean and nanstd: what most would write."""
    raw = frame.to_numpy()
    inside = raw[reference]
    z = (raw - np.nanmean(inside, axis=0)) / np.nanstd(inside, axis=0, ddof=1)
    there = ~np.isnan(z)
    return _weighted(np.where(there, z, 0.0), there.astype(float), reference, full)


def _weighted(filled: Array, seen: Array, reference: Array, full: bool) -> tuple[Array, Array]:
    z, known = (filled, seen) if full else (filled[reference], seen[reference])
    count, total, product = known.T @ known, z.T @ known, z.T @ z
    weights = np.linalg.solve((product - total * total.T / count) / (count - 1), np.ones(len(count)))
    weights /= weights.sum()
    held = seen @ weights
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.where(held > 1e-8, filled @ weights / held, np.nan)
    inside = values[reference]
    return weights, (values - np.nanmean(inside)) / np.nanstd(inside, ddof=1)


def pandas_index(frame: pd.DataFrame, reference: Array, full: bool) -> tuple[Array, Array]:
    """The same in pandas."""
    inside = frame[reference]
    z = (frame - inside.mean()) / inside.std()
    weights = np.linalg.solve((z if full else z[reference]).cov(), np.ones(z.shape[1]))
    weights /= weights.sum()
    held = z.notna() @ weights
    values = (z.fillna(0) @ weights / held).where(held > 1e-8)
    return weights, ((values - values[reference].mean()) / values[reference].std()).to_numpy()


# ---------------------------------------------------------------- cluster bootstrap


def refitted(statistic: Callable[[Array, Array], Array | float]) -> Callable[[pd.DataFrame, int], Array]:
    """Resample whole services and compute the statistic again in each draw, by numpy on arrays."""

    def run(frame: pd.DataFrame, draws: int) -> Array:
        raw = np.ascontiguousarray(frame[MEASURES].to_numpy())  # rows are taken, so rows lie together
        treated = frame["treated"].to_numpy() == 1
        codes = np.unique(frame["service"], return_inverse=True)[1]
        ends = np.cumsum(np.bincount(codes))[:-1]
        rows = np.split(np.argsort(codes, kind="stable"), ends)
        arms = np.array([treated[of[0]] for of in rows])
        found = []
        for taken in _drawn(arms, draws):
            sample = np.concatenate([rows[place] for place in taken])
            found.append(np.atleast_1d(statistic(raw[sample], treated[sample])))
        return np.array(found)

    return run


def _drawn(arms: Array, draws: int) -> Array:
    """Which services each draw takes: as many as there are, within arms, drawn as evalkit draws them from seed 1."""
    rng, parts = np.random.default_rng(1), []
    for arm in (False, True):
        inside = np.flatnonzero(arms == arm)
        parts.append(inside[rng.integers(0, len(inside), (draws, len(inside)))])
    return np.concatenate(parts, axis=1)


def mean_differences(raw: Array, treated: Array) -> Array:
    """Treated less comparison, each measure over those who have it."""
    return np.nanmean(raw[treated], axis=0) - np.nanmean(raw[~treated], axis=0)


def index_difference(raw: Array, treated: Array) -> float:
    """The effect on the index, made anew on these rows."""
    scaled = numpy_index(raw, ~treated, True)[1]
    return float(np.nanmean(scaled[treated]) - np.nanmean(scaled[~treated]))
