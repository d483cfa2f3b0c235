"""One factor model fitted: estimates, standard errors, fit, and whether the solution is a possible one."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from evalkit.errors import EstimationError, Flag
from evalkit.outcomes.factors.engine import FLOOR, Solution, fitted, identified
from evalkit.outcomes.factors.fit import FitIndices, fit_indices
from evalkit.outcomes.factors.structure import ITEM_KINDS, Book, Design, models
from evalkit.outcomes.factors.surface import GroupModel, Sample, Surface
from evalkit.words import listed


@dataclass(frozen=True, eq=False)
class Fitted:
    """A model of some level, fitted.

    Attributes
    ----------
    design : Design
        What was fitted.
    level : str
        What was held equal.
    models : tuple of GroupModel
        One per group.
    book : Book
        The parameters by key.
    solution : Solution
        Their estimates.
    indices : FitIndices
        How well it fits.
    """

    design: Design
    level: str
    models: tuple[GroupModel, ...]
    book: Book
    solution: Solution
    indices: FitIndices

    @property
    def parameters(self) -> int:
        """How many were estimated."""
        return len(self.solution.parameters)

    @property
    def loglik(self) -> float:
        """Log-likelihood at the estimates, in lavaan's convention."""
        samples = self.design.samples
        size = len(samples[0].mean)
        saturated = sum(s.n * (s.log_volume + size * (1 + np.log(2 * np.pi))) for s in samples)
        return float(-(saturated + self.indices.chisq) / 2)

    @property
    def standard_errors(self) -> np.ndarray:
        """From the expected information, shape (m,)."""
        inverse = np.linalg.inv(self.solution.information)
        return np.sqrt(np.maximum(2 / self.design.n * np.diag(inverse), 0.0))


def fit_level(
    design: Design, level: str, released: Sequence[tuple[str, str]] = (), near: Fitted | None = None
) -> Fitted:
    """Fit the model of one level.

    Parameters
    ----------
    design : Design
        Items, factors, groups and occasions.
    level : {"configural", "metric", "scalar", "strict"}
        What is held equal.
    released : sequence of (kind, item)
        What is left free all the same.
    near : Fitted, optional
        A like model whose estimates are a good place to begin.

    Returns
    -------
    Fitted
        The maximum, with its fit indices.

    Raises
    ------
    EstimationError
        The model asks more than the data hold, is not identified, or did not settle.
    """
    parts, book = models(design, level, released)
    df = design.moments - len(book.number)
    if df < 0:
        raise EstimationError(
            f"The {level} model has {len(book.number)} parameters for {design.moments} means and covariances. Give "
            "each factor at least three items."
        )
    surface = Surface(design.samples, parts, len(book.number), design.with_means)
    solution = fitted(surface, (_start(book, near), book.start))
    if not identified(solution):
        raise EstimationError(
            f"The {level} model is not identified: some of its parameters cannot be told apart by these data. Give "
            "each factor at least three items that hang together."
        )
    baseline = sum(_independence(sample) for sample in design.samples)
    size = len(design.samples[0].mean)
    df_baseline = len(design.samples) * size * (size - 1) // 2
    indices = fit_indices(
        design.n * solution.discrepancy, df, baseline, df_baseline, design.n,
        _srmr(design, parts, solution.parameters), len(design.samples),
    )  # fmt: skip
    return Fitted(design, level, tuple(parts), book, solution, indices)


def _start(book: Book, near: Fitted | None) -> np.ndarray:
    """The estimates of a like model; where its cells differ and these do not, their mean."""
    if near is None:
        return book.start
    known, point = near.book.number, near.solution.parameters
    cells: dict[tuple[Hashable, ...], list[float]] = {}
    for key, place in known.items():
        cells.setdefault(key[:2], []).append(point[place])
    start = book.start
    for key, place in book.number.items():
        if key in known:
            start[place] = point[known[key]]
        elif key[0] in ITEM_KINDS and key[:2] in cells:
            start[place] = np.mean(cells[key[:2]])
    return start


def _independence(sample: Sample) -> float:
    """Chi-square of the model in which no two items are related."""
    covariance = sample.covariance
    return float(sample.n * (np.log(np.diag(covariance)).sum() - sample.log_volume))


def _srmr(design: Design, parts: Sequence[GroupModel], point: np.ndarray) -> float:
    """Standardised by the observed variances, means included where they are modelled; groups weighted by persons."""
    total = 0.0
    for sample, model in zip(design.samples, parts, strict=True):
        covariance, mean = model.implied(point)
        spread = np.sqrt(np.diag(sample.covariance))
        residual = ((sample.covariance - covariance) / np.outer(spread, spread))[np.tril_indices(len(spread))]
        gaps = (sample.mean - mean) / spread if design.with_means else np.zeros(0)
        squares = np.concatenate([residual, gaps]) ** 2
        total += sample.n * np.sqrt(squares.mean())
    return float(total / design.n)


def impossible(found: Fitted) -> list[Flag]:
    """Flags for estimates that cannot be: negative variances, factors correlated beyond one.

    Returns
    -------
    list of Flag
        Empty for a proper solution.
    """
    flags = []
    if found.solution.held:
        text = f"The {found.level} model settled only with residual variances held at a floor: read its fit with care."
        detail = f"{found.solution.held} held at {FLOOR} of the item's variance. Too few persons, or items too weak."
        flags.append(Flag("outcomes", "serious", text, detail))
    for label, model in zip(found.design.groups, found.models, strict=True):
        where = f" in {label}" if len(found.design.groups) > 1 else ""
        residuals = model.residuals.filled(found.solution.parameters)
        negative = np.flatnonzero(np.diag(residuals) <= 0)
        if len(negative):
            names = [f'"{found.design.items[place % len(found.design.items)]}"' for place in negative]
            text = f"The {found.level} model gives a negative residual variance{where}: read its fit with care."
            flags.append(
                Flag("outcomes", "serious", text, f"Items: {listed(names)}. Too few persons or a wrong model.")
            )
        factors = model.factors.filled(found.solution.parameters)
        if np.linalg.eigvalsh(factors)[0] <= 0:
            text = f"The {found.level} model gives factors correlated beyond what is possible{where}."
            flags.append(Flag("outcomes", "serious", text, "Two factors may be one: join them, or leave one out."))
    return flags
