"""Several completed sets pooled into one answer, so that what was filled in does not pass for what was seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.errors import DataError, EstimationError, Flag
from evalkit.words import number

Analysis = Callable[[pd.DataFrame], tuple[float, float, float]]

_NUMBERS = ("estimate", "se", "df", "fmi", "low", "high", "p", "riv", "lambda_")
_ONE_SET = (
    "One completed set cannot show how uncertain the filled-in values are. Complete the data several times "
    "(20 is usual), each time with fresh draws."
)


@dataclass(frozen=True, eq=False)
class Pooled:
    """One estimate (or one per term) from several completed sets.

    Attributes
    ----------
    estimate, se, df : float or ndarray, shape (n_terms,)
        Mean of the sets' estimates, its standard error, and the degrees of freedom of its t.
    fmi : float or ndarray
        Fraction of information missing, from 0 to 1.
    low, high, p : float or ndarray
        Interval and two-sided p-value against 0.
    riv, lambda_ : float or ndarray
        Relative increase in variance, and the share of the variance, that are due to the missing values.
    n_sets : int
        Completed sets.
    flags : tuple of Flag
        Too few sets for so much missing.
    """

    estimate: float | np.ndarray
    se: float | np.ndarray
    df: float | np.ndarray
    fmi: float | np.ndarray
    low: float | np.ndarray
    high: float | np.ndarray
    p: float | np.ndarray
    riv: float | np.ndarray
    lambda_: float | np.ndarray
    n_sets: int
    flags: tuple[Flag, ...]


def pool(
    estimates: Sequence | np.ndarray | pd.DataFrame,
    variances: Sequence | np.ndarray | pd.DataFrame,
    df_complete: float | Sequence[float] | np.ndarray = np.inf,
    level: float = 0.95,
) -> Pooled:
    """Pool estimates from several completed sets by Rubin's rules.

    Parameters
    ----------
    estimates : array of float, shape (n_sets,) or (n_sets, n_terms)
        One estimate per completed set (a row per set where there are several terms).
    variances : array of float, the same shape
        Squared standard errors.
    df_complete : float or array, shape (n_terms,)
        Degrees of freedom that the analysis would have had without missing values.
    level : float
        Of the interval.

    Returns
    -------
    Pooled
        Numbers where there was one estimate per set, arrays of shape (n_terms,) otherwise.

    Raises
    ------
    DataError
        One set only, shapes that do not agree, missing estimates, negative variances, degrees of freedom not above 0.

    References
    ----------
    Rubin (1987), Multiple Imputation for Nonresponse in Surveys, chapter 3. Barnard and Rubin (1999), Biometrika 86,
    948-955, for the degrees of freedom. White, Royston and Wood (2011), Statistics in Medicine 30, 377-399, for how
    many sets.
    """
    q, u = np.asarray(estimates, dtype=float), np.asarray(variances, dtype=float)
    complete = np.asarray(df_complete, dtype=float)
    _checked(q, u, complete, level)
    sets = len(q)
    within, between = u.mean(axis=0), q.var(axis=0, ddof=1)
    total = within + (1 + 1 / sets) * between
    with np.errstate(divide="ignore", invalid="ignore"):
        due = np.where(total > 0, (1 + 1 / sets) * between / total, 0.0)
        more = (1 + 1 / sets) * between / within
    df = _barnard_rubin(due, sets, complete)
    fmi = np.where(np.isinf(more), 1.0, (more + 2 / (df + 3)) / (more + 1))
    fmi = np.where(np.isnan(fmi), 0.0, fmi)
    return _pooled(q.mean(axis=0), np.sqrt(total), df, (fmi, more, due), sets, level)


def pool_frames(completed: Sequence[pd.DataFrame], analysis: Analysis, level: float = 0.95) -> Pooled:
    """Analyse each completed set from the start, and pool.

    An index of several measures belongs inside ``analysis``: weights and reference are then found anew in each set, as
    they would have been without missing values.

    Parameters
    ----------
    completed : sequence of DataFrame, each of shape (n_people, n_columns)
        The same people in every set.
    analysis : callable
        From a completed set to (estimate, variance, degrees of freedom).
    level : float
        Of the interval.

    Returns
    -------
    Pooled
        With the smallest of the sets' degrees of freedom as those without missing values.

    Raises
    ------
    DataError
        Fewer than two sets, or sets of different length.
    EstimationError
        The analysis fails in a set; the message says in which.
    """
    lengths = {len(one) for one in completed}
    if len(completed) < 2:
        raise DataError(_ONE_SET)
    if len(lengths) > 1:
        raise DataError(
            f"The completed sets have {min(lengths):,} to {max(lengths):,} rows. Give the same people in each."
        )
    found = [_analysed(one, place, analysis) for place, one in enumerate(completed, start=1)]
    estimates, variances, df = (np.array(part, dtype=float) for part in zip(*found, strict=True))
    return pool(estimates, variances, df.min(axis=0), level)


def _analysed(frame: pd.DataFrame, place: int, analysis: Analysis) -> tuple:
    try:
        estimate, variance, df = analysis(frame)
    except (DataError, EstimationError) as problem:
        raise type(problem)(f"Completed set {place}: {problem}") from problem
    return estimate, variance, df


def _barnard_rubin(due: np.ndarray, sets: int, complete: np.ndarray) -> np.ndarray:
    """Degrees of freedom; infinite ones are taken as limits."""
    with np.errstate(divide="ignore", invalid="ignore"):
        old = np.where(due > 0, (sets - 1) / due**2, np.inf)
        bounded = (complete + 1) / (complete + 3) * complete * (1 - due)
        seen = np.where(np.isinf(complete), np.inf, bounded)
        both = 1 / (1 / old + 1 / seen)
    return np.where(due < 1, both, np.where(np.isinf(complete), old, 0.0))


def _pooled(
    estimate: np.ndarray, se: np.ndarray, df: np.ndarray, missing: tuple[np.ndarray, ...], sets: int, level: float
) -> Pooled:
    from scipy import stats

    with np.errstate(divide="ignore", invalid="ignore"):
        reach = stats.t.ppf(0.5 + level / 2, df) * se
        p = 2 * stats.t.sf(np.abs(estimate / se), df)
    parts = (estimate, se, df, missing[0], estimate - reach, estimate + reach, p, missing[1], missing[2])
    plain: list[float | np.ndarray] = [float(part) if np.ndim(part) == 0 else part for part in parts]
    named = dict(zip(_NUMBERS, plain, strict=True))
    return Pooled(**named, n_sets=sets, flags=_few_sets(float(np.max(missing[0])), sets))  # type: ignore[arg-type]


def _few_sets(fmi: float, sets: int) -> tuple[Flag, ...]:
    needed = int(np.ceil(100 * fmi))
    if sets >= needed:
        return ()
    text = f"{sets} completed sets are few: {number(100 * fmi, 0)}% of the information is missing."
    detail = f"About {needed} sets would give the same interval again with other draws."
    return (Flag("outcomes", "note" if 2 * sets >= needed else "caution", text, detail),)


def _checked(q: np.ndarray, u: np.ndarray, complete: np.ndarray, level: float) -> None:
    if q.shape != u.shape or q.ndim not in (1, 2):
        raise DataError(f"Estimates of shape {q.shape} and variances of shape {u.shape} do not fit: a row per set.")
    if len(q) < 2:
        raise DataError(_ONE_SET)
    if not (np.isfinite(q).all() and np.isfinite(u).all()):
        raise DataError("An estimate or a variance is missing in a completed set. Analyse every set to the end.")
    if (u < 0).any():
        raise DataError("A variance is negative. Give squared standard errors.")
    if not (complete > 0).all():
        raise DataError("df_complete must be above 0: the degrees of freedom without missing values.")
    if not 0 < level < 1:
        raise DataError(f"level is {level}. Write a share such as 0.95.")
