"""One common factor behind several measures, by maximum likelihood on their covariance matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from evalkit.errors import DataError, EstimationError, Flag
from evalkit.outcomes.factors.fit import FitIndices, fit_indices

# As R's factanal: a unique variance may not fall below this share of the measure's variance.
FLOOR = 0.005
_STEPS = 500
_TOLERANCE = 1e-14
_HAIR = 1.02


@dataclass(frozen=True, eq=False)
class OneFactor:
    """A one-factor model and how well it fits.

    Attributes
    ----------
    loadings : ndarray, shape (p,)
        On a factor of variance 1, in each measure's own unit; their sum is positive.
    uniquenesses : ndarray, shape (p,)
        Variances the factor does not explain.
    chisq, cfi, tli, rmsea, srmr : float
        Conventions of lavaan (normal likelihood, chi-square = n times the discrepancy).
    df : int
        Degrees of freedom; 0 for three measures, which any one-factor model fits.
    n : int
        Persons.
    heywood : bool
        Whether a unique variance stopped at its floor: the solution is at the edge of what is possible.
    flags : tuple of Flag
        A solution at the edge, a loading against the rest.
    """

    loadings: np.ndarray
    uniquenesses: np.ndarray
    chisq: float
    df: int
    p: float
    cfi: float
    tli: float
    rmsea: float
    srmr: float
    n: int
    heywood: bool
    flags: tuple[Flag, ...] = ()

    @property
    def bartlett_weights(self) -> np.ndarray:
        """Weights of the Bartlett score, shape (p,): its mean given the factor is the factor itself."""
        scaled = self.loadings / self.uniquenesses
        return scaled / (self.loadings @ scaled)

    @property
    def omega(self) -> float:
        """McDonald's omega total of the plain sum: the share of its modelled variance owed to the factor."""
        common = self.loadings.sum() ** 2
        return float(common / (common + self.uniquenesses.sum()))

    @property
    def implied(self) -> np.ndarray:
        """The covariance the model implies, shape (p, p)."""
        return np.outer(self.loadings, self.loadings) + np.diag(self.uniquenesses)


def one_factor(covariance: ArrayLike, n: int, mean: ArrayLike | None = None) -> OneFactor:
    """Fit one common factor by maximum likelihood.

    Parameters
    ----------
    covariance : array, shape (p, p)
        Of the measures. With divisor n the chi-square is lavaan's; the loadings follow the divisor given.
    n : int
        Persons behind it.
    mean : array, shape (p,), optional
        Their means. They are fitted exactly, so only the fit indices know of them (the SRMR then averages over the
        means too, as lavaan does).

    Returns
    -------
    OneFactor
        Loadings, unique variances and fit.

    Raises
    ------
    DataError
        The matrix is not square, not symmetric, not positive definite, or n is not larger than p.
    EstimationError
        Fewer than three measures (not identified), or no maximum was found.

    References
    ----------
    Joreskog (1967), Psychometrika 32, 443-482. Lawley and Maxwell (1971), Factor Analysis as a Statistical Method.
    """
    sample = _checked(covariance, n)
    spread = np.sqrt(np.diag(sample))
    correlation = sample / np.outer(spread, spread)
    loadings, unique = fit_correlation(correlation)
    heywood = bool((unique <= FLOOR * (1 + 1e-6)).any())
    indices = _indices(correlation, loadings, unique, n, mean is not None)
    flags = _flags(loadings, unique, heywood)
    return OneFactor(
        loadings * spread, unique * spread**2, indices.chisq, indices.df, indices.p, indices.cfi, indices.tli,
        indices.rmsea, indices.srmr, int(n), heywood, flags,
    )  # fmt: skip


def _checked(covariance: ArrayLike, n: int) -> np.ndarray:
    sample = np.asarray(covariance, dtype=float)
    if sample.ndim != 2 or sample.shape[0] != sample.shape[1]:
        raise DataError("A square covariance matrix is needed, one row and column per measure.")
    size = len(sample)
    if size < 3:
        raise EstimationError(
            f"One factor behind {size} measure(s) cannot be told from the data: at least three are needed. Add a "
            "measure, or use another coefficient (alpha) or index (ICW, KLK)."
        )
    if not np.isfinite(sample).all() or not np.allclose(sample, sample.T, rtol=1e-8, atol=1e-12):
        raise DataError("The covariance matrix has holes or is not symmetric. Compute it from complete rows.")
    if n <= size:
        raise DataError(f"{n} persons for {size} measures: a one-factor model needs more persons than measures.")
    if np.linalg.eigvalsh(sample / np.sqrt(np.outer(np.diag(sample), np.diag(sample)))).min() < 1e-10:
        raise DataError(
            "The covariance matrix is not positive definite: a measure is constant or is the sum of others. Leave it "
            "out, or compute the matrix from complete rows."
        )
    return (sample + sample.T) / 2


def _indices(correlation: np.ndarray, loadings: np.ndarray, unique: np.ndarray, n: int, with_means: bool) -> FitIndices:
    size = len(loadings)
    discrepancy = _discrepancy(correlation, loadings, unique)
    residual = correlation - np.outer(loadings, loadings) - np.diag(unique)
    squares = (residual[np.tril_indices(size)] ** 2).sum()
    srmr = np.sqrt(squares / (size * (size + 1) / 2 + (size if with_means else 0)))
    baseline = -n * np.linalg.slogdet(correlation)[1]
    df, df_baseline = size * (size - 3) // 2, size * (size - 1) // 2
    return fit_indices(n * discrepancy, df, baseline, df_baseline, n, float(srmr))


def _flags(loadings: np.ndarray, unique: np.ndarray, heywood: bool) -> tuple[Flag, ...]:
    flags = []
    if heywood:
        where = ", ".join(str(place + 1) for place in np.flatnonzero(unique <= FLOOR * (1 + 1e-6)))
        text = "One-factor model: the factor would explain more than all of a measure; it is held at the edge."
        flags.append(Flag("outcomes", "caution", text, f"Measure number {where}; its unique share is held at {FLOOR}."))
    against = np.flatnonzero(loadings < 0)
    if len(against):
        where = ", ".join(str(place + 1) for place in against)
        text = "One-factor model: a measure runs against the others. Is its direction as declared?"
        flags.append(Flag("outcomes", "caution", text, f"Measure number {where} has a negative loading."))
    return tuple(flags)


# ---------------------------------------------------------------- the maximum


def first_loadings(correlation: np.ndarray) -> np.ndarray:
    """Loadings to start from: the leading axis of the correlations with the largest of each row as communality."""
    reduced = correlation - np.diag(np.diag(correlation))
    reduced = reduced + np.diag(np.abs(reduced).max(axis=1))
    values, vectors = np.linalg.eigh(reduced)
    loadings = vectors[:, -1] * np.sqrt(max(values[-1], 0.1))
    loadings = np.clip(loadings, -0.95, 0.95)
    return loadings if loadings.sum() >= 0 else -loadings


def fit_correlation(correlation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Maximise the likelihood by Fisher scoring, unique variances held at or above their floor.

    Parameters
    ----------
    correlation : ndarray, shape (p, p)
        Positive definite, p at least 3.

    Returns
    -------
    loadings, uniquenesses : ndarray, shape (p,)
        In standard units.

    Raises
    ------
    EstimationError
        No maximum was found.
    """
    size = len(correlation)
    loadings = first_loadings(correlation)
    unique = np.maximum(1 - loadings**2, 2 * FLOOR)
    value = _discrepancy(correlation, loadings, unique)
    for _ in range(_STEPS):
        slope = _slope(correlation, loadings, unique)
        # Within a hair of the floor and pushed further down: put on the floor, or the steps would only graze it.
        unique = np.where((unique < _HAIR * FLOOR) & (slope[size:] > 0), FLOOR, unique)
        # A unique variance at its floor whose slope pushes it further down stays there for this step.
        free = np.concatenate([np.ones(size, bool), (unique > FLOOR) | (slope[size:] < 0)])
        step = np.zeros(2 * size)
        step[free] = _step(correlation, (loadings, unique), -slope, free)
        gain = float(-slope @ step)
        if gain < _TOLERANCE:
            break
        loadings, unique, better = _moved(correlation, loadings, unique, step, (value, gain))
        if value - better < 1e-15 * max(1.0, abs(value)) and gain < 1e-9:
            break
        value = better
    else:
        raise EstimationError(
            f"The one-factor model did not settle in {_STEPS} steps. Leave out a measure, or use ICW."
        )
    return (loadings if loadings.sum() >= 0 else -loadings), unique


def _step(
    correlation: np.ndarray, point: tuple[np.ndarray, np.ndarray], down: np.ndarray, free: np.ndarray
) -> np.ndarray:
    """The Newton step where the surface curves upward in all directions, else that of Fisher scoring."""
    curvature = observed_information(correlation, *point)[np.ix_(free, free)]
    try:
        np.linalg.cholesky(curvature - 1e-9 * np.diag(np.diag(curvature)))
        return np.linalg.solve(curvature, down[free])
    except np.linalg.LinAlgError:
        return np.linalg.lstsq(_information(*point)[np.ix_(free, free)], down[free], rcond=1e-12)[0]


def _moved(
    correlation: np.ndarray, loadings: np.ndarray, unique: np.ndarray, step: np.ndarray, now: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray, float]:
    """Go along the step, halving it until the fit is better; stay where no step helps."""
    size, length = len(loadings), 1.0
    for _ in range(40):
        there = loadings + length * step[:size]
        left = np.maximum(unique + length * step[size:], FLOOR)
        value = _discrepancy(correlation, there, left)
        if value <= now[0] - 1e-4 * length * now[1]:
            return there, left, value
        length /= 2
    return loadings, unique, now[0]


def _inverse(loadings: np.ndarray, unique: np.ndarray) -> np.ndarray:
    scaled = loadings / unique
    return np.diag(1 / unique) - np.outer(scaled, scaled) / (1 + loadings @ scaled)


def _discrepancy(correlation: np.ndarray, loadings: np.ndarray, unique: np.ndarray) -> float:
    """log|Sigma| + tr(S Sigma^-1) - log|S| - p."""
    implied = np.log(unique).sum() + np.log1p((loadings**2 / unique).sum())
    fitted = (_inverse(loadings, unique) * correlation).sum()
    return float(implied + fitted - np.linalg.slogdet(correlation)[1] - len(loadings))


def _slope(correlation: np.ndarray, loadings: np.ndarray, unique: np.ndarray) -> np.ndarray:
    """Gradient of the discrepancy, loadings first."""
    inverse = _inverse(loadings, unique)
    pull = inverse - inverse @ correlation @ inverse
    return np.concatenate([2 * pull @ loadings, np.diag(pull)])


def _information(loadings: np.ndarray, unique: np.ndarray) -> np.ndarray:
    """Expected second derivatives of the discrepancy, shape (2p, 2p)."""
    inverse = _inverse(loadings, unique)
    reach = inverse @ loadings
    both = 2 * (np.outer(reach, reach) + inverse * (loadings @ reach))
    mixed = 2 * inverse * reach
    return np.block([[both, mixed], [mixed.T, inverse**2]])


def observed_information(correlation: np.ndarray, loadings: np.ndarray, unique: np.ndarray) -> np.ndarray:
    """Second derivatives of the discrepancy as they are, not as they are on average.

    Returns
    -------
    ndarray, shape (2p, 2p)
        Loadings first.
    """
    inverse = _inverse(loadings, unique)
    pull = inverse - inverse @ correlation @ inverse
    reach, left = inverse @ loadings, pull @ loadings
    pair = np.outer(reach, left)
    both = pair + pair.T + pull * (loadings @ reach) + inverse * (loadings @ left) - pull
    mixed = pull * reach + inverse * left
    return _information(loadings, unique) - 2 * np.block([[both, mixed], [mixed.T, pull * inverse]])
