"""Missing outcomes filled in several times, within each arm, from what people like them had.

One filled-in value (a mean, a prediction) would pass for something seen and make intervals too narrow. So each set is
drawn with all that is not known: the regression's coefficients, the spread around it, and what a cluster shares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.disclosure import roughly
from evalkit.errors import DataError, EstimationError, Flag, did_you_mean, several
from evalkit.outcomes.multiplicity.assigned import Given, arms_of, codes_of
from evalkit.words import listed, number

_CLUSTERS = 3


@dataclass(frozen=True, eq=False)
class Completed:
    """A table and several ways to complete one of its columns.

    Attributes
    ----------
    table : DataFrame, shape (n_people, n_columns)
        As it was given.
    outcome : str
        The column that is completed.
    missing : ndarray of bool, shape (n_people,)
        Whose value was filled in.
    values : ndarray of float, shape (n_sets, n_people)
        The outcome in each set; where seen, as it was seen.
    flags : tuple of Flag
        What a reader must know.
    """

    table: pd.DataFrame
    outcome: str
    missing: np.ndarray
    values: np.ndarray
    flags: tuple[Flag, ...]

    def frames(self, shift: np.ndarray | float = 0.0) -> list[pd.DataFrame]:
        """Give the completed tables, a number added to each person's outcome.

        Parameters
        ----------
        shift : ndarray of float, shape (n_people,), or float
            Added to the outcome.

        Returns
        -------
        list of DataFrame
            One per set.
        """
        return [self.table.assign(**{self.outcome: values + shift}) for values in self.values]

    def __repr__(self) -> str:
        return f"Completed({self.outcome}, {len(self.values)} sets)"


def complete_sets(
    frame: pd.DataFrame,
    outcome: str,
    treated: Given,
    covariates: Sequence[str] = (),
    cluster: Given = None,
    sets: int = 20,
    seed: int = 0,
) -> Completed:
    """Fill in missing outcomes several times, as if the unseen were like the seen of their arm.

    Parameters
    ----------
    frame : DataFrame, shape (n_people, n_columns)
        One row per person; missing outcomes are NaN.
    outcome : str
        Its column, a number (yes or no as 1 and 0: filled in as numbers, which keeps means right).
    treated : str or array
        1 treated, 0 comparison.
    covariates : sequence of str
        Columns of numbers without gaps that tell who the unseen are like: the baseline above all.
    cluster : str or array, optional
        People of a cluster share something; the unseen share it too.
    sets : int
        How often.
    seed : int
        The same seed gives the same sets.

    Returns
    -------
    Completed
        ``frames()`` gives the sets, for `pool_frames`.

    Raises
    ------
    DataError
        Columns missing, not numbers or with gaps.
    EstimationError
        An arm with missing outcomes has too few people to learn from.

    Notes
    -----
    Normal regression within arm; variances are drawn first, then coefficients given those, then values. With clusters
    a variance between them is estimated by moments and drawn too, and a cluster's own share is drawn given its
    observed residuals.

    References
    ----------
    Rubin (1987), example 5.1; van Buuren (2018), Flexible Imputation of Missing Data, 2nd edition, sections 3.2, 7.3.
    """
    _checked(frame, outcome, covariates, sets)
    arm, code = arms_of(frame, treated), codes_of(frame, cluster, "cluster")
    values = frame[outcome].to_numpy(dtype=float, na_value=np.nan)
    design = np.column_stack([np.ones(len(frame)), *(_standard(frame[name]) for name in covariates)])
    rng = np.random.default_rng(seed)
    filled = np.tile(values, (sets, 1))
    for one in (0, 1):
        rows = np.flatnonzero(arm == one)
        gaps = rows[np.isnan(values[rows])]
        if len(gaps):
            learned = _learn(values, design, code, np.setdiff1d(rows, gaps), cluster is not None)
            for number_of_set in range(sets):
                filled[number_of_set, gaps] = learned.draw(design[gaps], code[gaps], rng)
    missing = np.isnan(values)
    few = _few_clusters(missing, arm, code) if cluster is not None else []
    return Completed(frame.copy(), outcome, missing, filled, (*_flags(missing, arm), *few))


def _few_clusters(missing: np.ndarray, arm: np.ndarray, code: np.ndarray) -> list[Flag]:
    """Arms with gaps whose seen lie in too few clusters to learn how much clusters differ."""
    names = [
        name
        for one, name in ((1, "treated"), (0, "comparison"))
        if (missing & (arm == one)).any() and len(np.unique(code[~missing & (arm == one)])) < _CLUSTERS
    ]
    if not names:
        return []
    text = f"The {listed(names)} arm has too few clusters to learn how much they differ."
    return [Flag("outcomes", "caution", text, "What was filled in there takes everyone as independent: too sure.")]


def _checked(frame: pd.DataFrame, outcome: str, covariates: Sequence[str], sets: int) -> None:
    problems = [
        f'There is no column "{name}". {did_you_mean(name, frame.columns)}'
        for name in (outcome, *covariates)
        if name not in frame.columns
    ]
    there = [name for name in (outcome, *covariates) if name in frame.columns]
    problems += [
        f'"{name}" does not hold numbers. Code it as numbers first.'
        for name in there
        if not pd.api.types.is_numeric_dtype(frame[name])
    ]
    gaps = {name: int(frame[name].isna().sum()) for name in there if name in covariates}
    problems += [
        f'Covariate "{name}" is missing in {count:,} rows. Complete it first, or leave it out.'
        for name, count in gaps.items()
        if count
    ]
    if sets < 2:
        problems.append("sets must be 2 or more; 20 is usual.")
    if problems:
        raise DataError(several("The table", problems))


def _standard(column: pd.Series) -> np.ndarray:
    """A column less its mean in units of its spread, so that the regression is well scaled."""
    values = column.to_numpy(dtype=float)
    return (values - values.mean()) / (values.std() or 1.0)


def _flags(missing: np.ndarray, arm: np.ndarray) -> list[Flag]:
    shares = [float(missing[arm == one].mean()) for one in (1, 0)]
    if max(shares) <= 0.2 and abs(shares[0] - shares[1]) <= 0.05:
        return []
    told = [roughly(int(missing[arm == one].sum()), int((arm == one).sum())) for one in (1, 0)]
    text = f"The outcome is missing for {told[0]} of the treated and {told[1]} of the comparison."
    return [Flag("outcomes", "caution", text, "What was filled in supposes that the unseen are like the seen.")]


# ---------------------------------------------------------------- one arm


@dataclass(frozen=True, eq=False)
class _Learned:
    """A regression in one arm: coefficients and bread, spread within and between clusters, and cluster residuals."""

    beta: np.ndarray
    bread: np.ndarray
    meat: np.ndarray
    centre: np.ndarray
    within: tuple[float, float]
    between: tuple[float, float, float] | None
    residual_mean: np.ndarray
    residual_count: np.ndarray

    def draw(self, design: np.ndarray, code: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw one value for each row."""
        spread = self.within[0] * self.within[1] / rng.chisquare(self.within[1])
        shared = self._shared_variance(spread, rng)
        covariance = spread * self.bread + shared * self.bread @ self.meat @ self.bread
        moved = np.linalg.cholesky(covariance + 1e-300 * np.eye(len(self.beta))) @ rng.standard_normal(len(self.beta))
        values = design @ (self.beta + moved) + np.sqrt(spread) * rng.standard_normal(len(design))
        return values + self._shares(shared, spread, moved, rng)[code] if self.between else values

    def _shared_variance(self, spread: float, rng: np.random.Generator) -> float:
        if self.between is None:
            return 0.0
        square, df, size = self.between
        return max(0.0, (square * df / rng.chisquare(df) - spread) / size)

    def _shares(self, shared: float, spread: float, moved: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """What each cluster adds, drawn given the residuals seen in it from the coefficients drawn; all of ``shared``
        where none were seen."""
        known = self.residual_count * shared / np.maximum(self.residual_count * shared + spread, 1e-300)
        noise = np.sqrt(shared * (1 - known)) * rng.standard_normal(len(known))
        return known * (self.residual_mean - self.centre @ moved) + noise


def _learn(values: np.ndarray, design: np.ndarray, code: np.ndarray, seen: np.ndarray, clustered: bool) -> _Learned:
    y, x, terms = values[seen], design[seen], design.shape[1]
    if len(seen) < terms + 3 or np.linalg.matrix_rank(x) < terms:
        raise EstimationError(
            f"An arm has {number(len(seen), 0)} people with the outcome, too few (or too alike) to learn {terms} terms "
            "from. Use fewer covariates."
        )
    bread = np.linalg.inv(x.T @ x)
    beta = bread @ (x.T @ y)
    residual = y - x @ beta
    groups = int(code.max()) + 1
    count = np.bincount(code[seen], minlength=groups).astype(float)
    mean = np.bincount(code[seen], residual, minlength=groups) / np.maximum(count, 1)
    sums = np.column_stack([np.bincount(code[seen], column, minlength=groups) for column in x.T])
    within, between = _spreads(residual, count, mean, terms, clustered)
    centre = sums / np.maximum(count, 1)[:, None]
    return _Learned(beta, bread, sums.T @ sums, centre, within, between, mean, count)


def _spreads(
    residual: np.ndarray, count: np.ndarray, mean: np.ndarray, terms: int, clustered: bool
) -> tuple[tuple[float, float], tuple[float, float, float] | None]:
    """Variance within and its degrees of freedom; the mean square between clusters, its own, and people per cluster."""
    people, groups = len(residual), int((count > 0).sum())
    total = float((residual**2).sum())
    if not clustered or people - groups - terms + 1 < 1 or groups < _CLUSTERS:
        return (total / (people - terms), people - terms), None
    between = float((count * mean**2).sum())
    inside = people - groups - terms + 1
    size = (people - float((count**2).sum()) / people) / (groups - 1)
    return ((total - between) / inside, inside), (between / (groups - 1), groups - 1, size)
