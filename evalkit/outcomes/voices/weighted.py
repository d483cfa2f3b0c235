"""Views weighted: what the headline would be if each group's judgement of what matters decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.errors import DataError, Flag, did_you_mean, several
from evalkit.words import listed, number, percent

ALL_VIEWS = "all, weighted"
_STEPS = np.linspace(0, 1, 21)


@dataclass(frozen=True, eq=False)
class WeightedViews:
    """The headline by whose weights are used.

    Attributes
    ----------
    table : DataFrame
        A row per constituency and one for all: ``constituency``, ``weight`` (its share in the blend), ``headline`` (in
        SD, better to the right), ``se``, ``low``, ``high``.
    path : DataFrame
        How the blend moves as one constituency's share goes from 0 to 1 while the others keep their proportions:
        ``constituency``, ``weight``, ``headline``, ``se``, ``low``, ``high``.
    weights : DataFrame, shape (n_constituencies, n_measures)
        What each gives to each measure; rows sum to 1.
    flags : tuple of Flag
        Views that lead to different headlines, measures that nobody could estimate, bounds in place of intervals.
    """

    table: pd.DataFrame
    path: pd.DataFrame
    weights: pd.DataFrame
    flags: tuple[Flag, ...]


def weighted_views(
    effects: pd.DataFrame,
    views: pd.DataFrame,
    constituency_weights: Mapping[str, float] | pd.Series | None = None,
    covariance: pd.DataFrame | np.ndarray | None = None,
    level: float = 0.95,
) -> WeightedViews:
    """Weigh measures as each constituency does, and show how the headline moves with whose view counts.

    Parameters
    ----------
    effects : DataFrame, shape (n_measures, 3 or more)
        ``measure``, ``effect`` and ``se``: in SD, a positive effect is for the better in every measure. With ``df``,
        the degrees of freedom of each effect, an interval takes Student's t with the fewest among the measures that
        have weight in it, so that a headline is never surer than what it is made of; without, the normal.
    views : DataFrame, shape (n_constituencies, n_measures)
        By constituency (the index): how much each measure (a column) matters, 0 or more; a missing one is 0. Each row
        is divided by its sum.
    constituency_weights : mapping, optional
        How much each constituency's view counts in the blend. Default: all the same.
    covariance : DataFrame or ndarray, shape (n_measures, n_measures), optional
        Of the effects, in their order (or by name), from influence functions or a joint bootstrap. Without it the
        standard error is the largest that the single ones allow, sum of weight times se: a bound, never too narrow.
    level : float
        Of the interval.

    Returns
    -------
    WeightedViews
        ``table``, ``path``, ``weights`` and ``flags``.

    Raises
    ------
    DataError
        Columns missing, weights below 0, a constituency that values no measure with an effect, a covariance that does
        not go with the standard errors.
    """
    _checked(effects, views, level)
    found = effects.set_index("measure")[["effect", "se"]].astype(float)
    df = effects["df"].to_numpy(dtype=float) if "df" in effects else np.full(len(effects), np.inf)
    shares, unseen = _shares(views, found.index)
    counts = _counts(constituency_weights, list(shares.index))
    matrix = None if covariance is None else _matrix(covariance, found)
    judge = _Judge(found["effect"].to_numpy(), found["se"].to_numpy(), matrix, df, level)
    blend = counts.to_numpy() @ shares.to_numpy()
    table = judge.rows(np.vstack([shares.to_numpy(), blend]))
    table.insert(0, "constituency", [*shares.index, ALL_VIEWS])
    table.insert(1, "weight", [*counts, 1.0])
    path = pd.concat([_path(judge, shares, counts, name) for name in shares.index], ignore_index=True)
    return WeightedViews(table, path, shares, tuple(_flags(table, path, unseen, matrix is None)))


@dataclass(frozen=True, eq=False)
class _Judge:
    effect: np.ndarray
    se: np.ndarray
    covariance: np.ndarray | None
    df: np.ndarray
    level: float

    def rows(self, weights: np.ndarray) -> pd.DataFrame:
        """Headline and interval for weights of shape (n_rows, n_measures)."""
        from scipy import stats

        headline = weights @ self.effect
        if self.covariance is None:
            error = np.abs(weights) @ self.se
        else:
            error = np.sqrt(np.maximum(np.einsum("ri,ij,rj->r", weights, self.covariance, weights), 0))
        fewest = np.where(weights > 0, self.df, np.inf).min(axis=1)
        reach = stats.t.ppf(0.5 + self.level / 2, fewest) * error
        return pd.DataFrame({"headline": headline, "se": error, "low": headline - reach, "high": headline + reach})


def _path(judge: _Judge, shares: pd.DataFrame, counts: pd.Series, name: str) -> pd.DataFrame:
    """One constituency's share from 0 to 1; the others keep their proportions (equal where they had none)."""
    rest = counts.drop(name)
    if rest.empty:
        others = shares.loc[name].to_numpy()
    else:
        rest = rest / rest.sum() if rest.sum() > 0 else pd.Series(1 / len(rest), index=rest.index)
        others = rest.to_numpy() @ shares.loc[rest.index].to_numpy()
    rows = judge.rows(np.outer(_STEPS, shares.loc[name].to_numpy()) + np.outer(1 - _STEPS, others))
    rows.insert(0, "constituency", name)
    rows.insert(1, "weight", _STEPS)
    return rows


# ---------------------------------------------------------------- reading


def _checked(effects: pd.DataFrame, views: pd.DataFrame, level: float) -> None:
    problems = [
        f'effects lacks the column "{name}". {did_you_mean(name, effects.columns)}'
        for name in ("measure", "effect", "se")
        if name not in effects.columns
    ]
    if not problems:
        numbers = effects[["effect", "se"]].astype(float).to_numpy()
        if "df" in effects and not (effects["df"].astype(float) > 0).all():
            problems.append("effects has degrees of freedom that are missing or not above 0.")
        if effects["measure"].duplicated().any():
            problems.append("effects names a measure twice. Give one row per measure.")
        if not np.isfinite(numbers).all() or (numbers[:, 1] < 0).any():
            problems.append("effects has a missing effect or a standard error below 0. Leave that measure out.")
    if not len(views) or views.index.has_duplicates:
        problems.append("views needs one row per constituency.")
    elif not all(pd.api.types.is_numeric_dtype(views[name]) for name in views) or (views.fillna(0) < 0).any(axis=None):
        problems.append("views holds what is not a weight of 0 or more.")
    if not 0 < level < 1:
        problems.append(f"level is {level}. Write a share such as 0.95.")
    if problems:
        raise DataError(several("The views", problems))


def _shares(views: pd.DataFrame, known: pd.Index) -> tuple[pd.DataFrame, pd.Series]:
    """Weights on measures with an effect, rows summing to 1; and the share of each view without an effect."""
    weights = views.fillna(0).astype(float)
    kept = weights.reindex(columns=known, fill_value=0.0)
    empty = kept.index[kept.sum(axis=1) <= 0]
    if len(empty):
        raise DataError(
            f"{listed([str(name) for name in empty])} value no measure that has an effect. "
            f"{did_you_mean(str(views.columns[0]), known)}"
        )
    return kept.div(kept.sum(axis=1), axis=0), 1 - kept.sum(axis=1) / weights.sum(axis=1)


def _counts(given: Mapping[str, float] | pd.Series | None, names: list) -> pd.Series:
    if given is None:
        return pd.Series(1 / len(names), index=names)
    counts = pd.Series(given, dtype=float)
    problems = [
        f'constituency_weights names "{name}". {did_you_mean(str(name), names)}'
        for name in counts.index
        if name not in names
    ]
    problems += [f'constituency_weights lacks "{name}".' for name in names if name not in counts.index]
    if not (np.isfinite(counts).all() and (counts >= 0).all() and counts.sum() > 0):
        problems.append("Weights must be 0 or more, and not all 0.")
    if problems:
        raise DataError(several("The weights of the constituencies", problems))
    return counts.reindex(names) / counts.sum()


def _matrix(covariance: pd.DataFrame | np.ndarray, found: pd.DataFrame) -> np.ndarray:
    if isinstance(covariance, pd.DataFrame):
        absent = [name for name in found.index if name not in covariance.index or name not in covariance.columns]
        if absent:
            raise DataError(f"The covariance lacks {listed([str(name) for name in absent])}.")
        covariance = covariance.loc[found.index, found.index].to_numpy()
    matrix = np.asarray(covariance, dtype=float)
    if matrix.shape != (len(found), len(found)) or not np.allclose(matrix, matrix.T, rtol=1e-6, atol=1e-12):
        raise DataError(f"The covariance must be symmetric, with a row and a column for each of {len(found)} measures.")
    largest = max(float(np.trace(matrix)), 1e-300)
    if np.linalg.eigvalsh(matrix)[0] < -1e-8 * largest:
        raise DataError("The covariance is impossible: some weighted headline would have a variance below 0.")
    if not np.allclose(np.sqrt(np.diag(matrix)), found["se"], rtol=0.05):
        raise DataError("The covariance does not go with the standard errors: its diagonal should hold their squares.")
    return matrix


# ---------------------------------------------------------------- what to say


def _flags(table: pd.DataFrame, path: pd.DataFrame, unseen: pd.Series, bound: bool) -> list[Flag]:
    flags = []
    single = table[table["constituency"] != ALL_VIEWS]
    lowest, highest = single.iloc[int(single["headline"].argmin())], single.iloc[int(single["headline"].argmax())]
    told = (
        f"It runs from {number(lowest['headline'], 2)} SD ({lowest['constituency']}) to "
        f"{number(highest['headline'], 2)} SD ({highest['constituency']})."
    )
    if lowest["headline"] < 0 < highest["headline"]:
        flags.append(Flag("outcomes", "serious", "Whose view counts decides the sign of the headline.", told))
    elif len({_verdict(low, high) for low, high in zip(path["low"], path["high"], strict=True)}) > 1:
        text = "Whose view counts decides whether the headline's interval includes 0."
        flags.append(Flag("outcomes", "caution", text, told))
    for name, share in unseen[unseen > 0].items():
        text = f"{percent(share, 0)} of what {name} value has no effect to go with it."
        flags.append(Flag("outcomes", "caution", text, "Their other weights were raised to sum to 1."))
    if bound:
        text = "Intervals of the weighted headlines are the widest possible ones."
        flags.append(Flag("outcomes", "note", text, "How the effects vary together was not given."))
    return flags


def _verdict(low: float, high: float) -> str:
    return "better" if low > 0 else "worse" if high < 0 else "open"
