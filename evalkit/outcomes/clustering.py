"""Clustering several measures of one thing into one index (ICW, KLK)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from evalkit.errors import DataError, Flag, did_you_mean
from evalkit.words import listed, number

Method = Literal["icw", "klk"]
Covariance = Literal["full", "reference"]
_SMALLEST_WEIGHT_SUM = 1e-8
_KEPT = ("weights", "mean", "sd", "method", "covariance", "polarity", "centre", "spread")


@dataclass(frozen=True, eq=False)
class ClusterIndex:
    """One index from several measures, with everything needed to compute it again.

    Attributes
    ----------
    values : Series, shape (n_persons,)
        The weighted mean of the available z-scores; missing where no measure is there.
    scaled : Series, shape (n_persons,)
        The same in units of the reference: reference mean 0 and standard deviation 1.
    weights : Series, shape (n_measures,)
        They sum to 1.
    mean, sd : Series, shape (n_measures,)
        Of the reference, in each measure's own unit.
    n : int
        Persons with an index.
    flags : tuple of Flag
        Negative weights, a covariance that had to be shrunk.
    method, covariance : str
        How the weights came about.
    polarity : Series, shape (n_measures,)
        +1 where higher is better, -1 where lower is.
    centre, spread : float
        Mean and standard deviation of ``values`` in the reference.
    """

    values: pd.Series
    scaled: pd.Series
    weights: pd.Series
    mean: pd.Series
    sd: pd.Series
    n: int
    flags: tuple[Flag, ...]
    method: str
    covariance: str
    polarity: pd.Series
    centre: float
    spread: float

    def on(self, frame: pd.DataFrame) -> ClusterIndex:
        """Compute the same index on other persons or another occasion, with weights, means and unit kept.

        Parameters
        ----------
        frame : DataFrame
            The same measure columns, in the same units.

        Returns
        -------
        ClusterIndex
            ``values``, ``scaled`` and ``n`` for these rows; all else unchanged, so that growth survives.
        """
        z = _standardised(_matrix(frame, list(self.weights.index)), self.polarity, self.mean, self.sd)
        values = pd.Series(_weighted_mean(z, self.weights.to_numpy()), index=frame.index)
        scaled = (values - self.centre) / self.spread
        kept = {name: getattr(self, name) for name in _KEPT}
        return ClusterIndex(values=values, scaled=scaled, n=int(values.notna().sum()), flags=self.flags, **kept)

    def _repr_html_(self) -> str:
        table = pd.DataFrame({"weight": self.weights, "reference mean": self.mean, "reference SD": self.sd})
        head = f"<p>{self.method.upper()} index of {len(self.weights)} measures</p>"
        return head + table.round(4).to_html(border=0)


def cluster_index(
    frame: pd.DataFrame,
    measures: Sequence[str],
    reference: pd.Series | np.ndarray,
    method: Method = "icw",
    covariance: Covariance = "full",
    polarity: Mapping[str, object] | None = None,
) -> ClusterIndex:
    """Combine several measures of one domain into one index.

    Parameters
    ----------
    frame : DataFrame, shape (n_persons, n_measures or more)
        One row per person; a column is one measure (at one occasion); missing scores are NaN.
    measures : sequence of str
        Two columns or more.
    reference : Series or array of bool, shape (n_persons,)
        Persons whose mean and standard deviation define the unit (the comparison arm). Each column is standardised
        on its own reference, so a measure at several occasions has as many references.
    method : {"icw", "klk"}
        Inverse-covariance weights, or equal ones (mean effects index).
    covariance : {"full", "reference"}
        Whose covariance of the z-scores is inverted: all persons' (Stata ``swindex``) or the reference's
        (``ivcvscore``). Pairwise complete.
    polarity : mapping, optional
        By measure: +1 or "higher" (default) where higher is better, -1 or "lower" where lower is.

    Returns
    -------
    ClusterIndex
        ``values``, ``scaled`` (reference mean 0, SD 1), ``weights``, ``mean``, ``sd``, ``n``, ``flags``.

    Raises
    ------
    DataError
        Fewer than two measures, unknown columns, a reference without spread, measures never seen together.

    References
    ----------
    Anderson (2008), JASA 103, 1481-1495, section 3.2. Kling, Liebman and Katz (2007), Econometrica 75, 83-119.
    Schwab et al. (2020), Stata Journal 20, 952-964.
    """
    _checked_request(frame, measures, method, covariance)
    names = list(measures)
    signs = pd.Series(_signs(names, polarity or {}), index=names)
    inside = np.asarray(pd.Series(reference).fillna(False), dtype=bool)
    raw = _matrix(frame, names)
    mean, sd = _unit(raw, inside, names)
    z = _standardised(raw, signs, mean, sd)
    weights, flags = _weights(z, inside, names, method, covariance)
    values = pd.Series(_weighted_mean(z, weights), index=frame.index)
    centre, spread = _centre_and_spread(values, inside)
    return ClusterIndex(
        values, (values - centre) / spread, pd.Series(weights, index=names), mean, sd, int(values.notna().sum()),
        flags, method, covariance, signs, centre, spread,
    )  # fmt: skip


# ---------------------------------------------------------------- checks


def _checked_request(frame: pd.DataFrame, measures: Sequence[str], method: str, covariance: str) -> None:
    if len(set(measures)) < 2:
        raise DataError("An index needs at least two measures: with one, analyse the measure itself.")
    for measure in measures:
        if measure not in frame.columns:
            raise DataError(f'There is no measure "{measure}" to index. {did_you_mean(measure, frame.columns)}')
    for word, known in ((method, ("icw", "klk")), (covariance, ("full", "reference"))):
        if word not in known:
            raise DataError(f'"{word}" is not known for an index. {did_you_mean(word, known)}')


def _signs(names: list[str], polarity: Mapping[str, object]) -> list[float]:
    for name in polarity:
        if name not in names:
            raise DataError(f'polarity names "{name}", which is not among the measures. {did_you_mean(name, names)}')
    words = {"higher": 1.0, "lower": -1.0, 1: 1.0, -1: -1.0}
    signs = []
    for name in names:
        sign = polarity.get(name, 1)
        if sign not in words:
            raise DataError(f'polarity of "{name}" is "{sign}". Write "higher" or "lower" (or 1, -1).')
        signs.append(words[sign])  # type: ignore[index]
    return signs


def _matrix(frame: pd.DataFrame, names: list[str]) -> np.ndarray:
    """The measures as float, one column each in one piece of memory."""
    return np.asfortranarray(frame[names].to_numpy(dtype=float, na_value=np.nan))


# ---------------------------------------------------------------- standardise


def _unit(raw: np.ndarray, inside: np.ndarray, names: list[str]) -> tuple[pd.Series, pd.Series]:
    means, sds = [], []
    for column, name in zip(raw.T, names, strict=True):
        seen = column[inside & ~np.isnan(column)]
        if len(seen) < 2 or not seen.std(ddof=1) > 0:
            reason = "has no two values" if len(seen) < 2 else "has the same value for everyone"
            raise DataError(
                f'Measure "{name}" {reason} in the reference, so its unit is not defined. '
                "Leave it out of the domain, or choose another reference."
            )
        means.append(seen.mean())
        sds.append(seen.std(ddof=1))
    return pd.Series(means, index=names), pd.Series(sds, index=names)


def _standardised(raw: np.ndarray, signs: pd.Series, mean: pd.Series, sd: pd.Series) -> np.ndarray:
    return (raw - mean.to_numpy()) * (signs / sd).to_numpy()


def _centre_and_spread(values: pd.Series, inside: np.ndarray) -> tuple[float, float]:
    reference = values.to_numpy()[inside]
    reference = reference[~np.isnan(reference)]
    return float(reference.mean()), float(reference.std(ddof=1))


# ---------------------------------------------------------------- weights


def _weights(
    z: np.ndarray, inside: np.ndarray, names: list[str], method: str, covariance: str
) -> tuple[np.ndarray, tuple[Flag, ...]]:
    if method == "klk":
        return np.full(len(names), 1 / len(names)), ()
    matrix = _pairwise_covariance(z if covariance == "full" else z[inside], names)
    matrix, shrunk = _positive_definite(matrix)
    solved = np.linalg.solve(matrix, np.ones(len(names)))
    weights = solved / solved.sum()
    return weights, tuple(_weight_flags(weights, names, shrunk))


def _pairwise_covariance(z: np.ndarray, names: list[str]) -> np.ndarray:
    """Covariance of each pair over the persons who have both, from sums of products."""
    there = ~np.isnan(z)
    seen = there.astype(float)
    filled = np.where(there, z, 0.0)
    count = seen.T @ seen
    if count.min() < 2:
        one, other = np.unravel_index(int(count.argmin()), count.shape)
        raise DataError(
            f'"{names[one]}" and "{names[other]}" are hardly ever observed in the same person, so their covariance '
            'is unknown. Use index = "klk" (equal weights), or leave one of them out.'
        )
    sums = filled.T @ seen
    return (filled.T @ filled - sums * sums.T / count) / (count - 1)


def _positive_definite(matrix: np.ndarray) -> tuple[np.ndarray, float]:
    """The matrix, its correlations shrunk in steps of 5 % as far as is needed to invert it."""
    diagonal = np.diag(np.diag(matrix))
    for step in range(20):
        share = step / 20
        shrunk = (1 - share) * matrix + share * diagonal
        if np.linalg.eigvalsh(shrunk)[0] > 1e-8 * np.trace(matrix):
            return shrunk, share
    return diagonal, 1.0


def _weight_flags(weights: np.ndarray, names: list[str], shrunk: float) -> list[Flag]:
    flags = []
    negative = [f"{name} ({number(weight, 3)})" for name, weight in zip(names, weights, strict=True) if weight < 0]
    if negative:
        detail = "Measures that nearly repeat each other cause this; equal weights (klk) do not."
        text = f"The index gives a negative weight to {listed(negative)}: a better score there lowers the index."
        flags.append(
            Flag(
                "outcomes",
                "caution",
                text,
                detail,
            )
        )
    if shrunk:
        detail = "Pairs of measures are observed in different persons, or measures repeat each other."
        text = f"The measures' covariances had to be shrunk by {number(shrunk * 100, 0)}% to be inverted."
        flags.append(
            Flag(
                "outcomes",
                "caution",
                text,
                detail,
            )
        )
    return flags


def _weighted_mean(z: np.ndarray, weights: np.ndarray) -> np.ndarray:
    there = ~np.isnan(z)
    held = there.astype(float) @ weights
    total = np.where(there, z, 0.0) @ weights
    usable = there.any(axis=1) & (np.abs(held) > _SMALLEST_WEIGHT_SUM)
    return np.divide(total, held, out=np.full(len(z), np.nan), where=usable)
