"""Confirmatory factor analysis: items, the factors they are meant to measure, and how far the data agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from evalkit.errors import DataError, Flag, did_you_mean
from evalkit.outcomes.factors.fit import rmsea_interval
from evalkit.outcomes.factors.fitting import Fitted, fit_level, impossible
from evalkit.outcomes.factors.reading import read_groups
from evalkit.outcomes.factors.surface import Slots
from evalkit.outcomes.items.itemtable import item_matrix
from evalkit.words import number

_KINDS = ("loading", "residual", "factor covariance", "intercept", "factor mean")


@dataclass(frozen=True, eq=False)
class FactorModel:
    """A fitted factor model.

    Attributes
    ----------
    parameters : DataFrame
        One row per free or fixed place: ``group``, ``kind`` (loading, residual, factor covariance, intercept, factor
        mean), ``left``, ``right``, ``estimate``, ``se`` (0 where fixed), ``standardised``.
    fit : Series
        ``chisq``, ``df``, ``p``, ``cfi``, ``tli``, ``rmsea`` with its 90 % interval, ``srmr``, ``parameters``,
        ``loglik``, ``aic``, ``bic``, ``n``.
    omega : DataFrame, shape (n_factors, 2)
        Omega total of the plain sum of each factor's own items: ``modelled`` over the variance the model implies,
        ``observed`` over the variance seen. One group only, else empty.
    n : int
        Complete rows used.
    flags : tuple of Flag
        Rows left out, few kinds of answer, impossible estimates.
    """

    parameters: pd.DataFrame
    fit: pd.Series
    omega: pd.DataFrame
    n: int
    flags: tuple[Flag, ...]
    _fitted: Fitted

    @property
    def loadings(self) -> pd.DataFrame:
        """The rows of ``parameters`` that are loadings."""
        return self.parameters[self.parameters["kind"] == "loading"].reset_index(drop=True)

    def scores(self, items: pd.DataFrame, method: Literal["regression", "bartlett"] = "regression") -> pd.DataFrame:
        """Factor scores of persons, for a model of one group.

        Parameters
        ----------
        items : DataFrame, shape (n_persons, n_items or more)
            The same item columns.
        method : {"regression", "bartlett"}
            Regression scores shrink towards the mean; Bartlett scores are unbiased given the factor.

        Returns
        -------
        DataFrame, shape (n_persons, n_factors)
            Mean 0 in the fitted rows; missing where an item is missing.

        Raises
        ------
        DataError
            A model of several groups, or a method that is not known.
        """
        if len(self._fitted.models) > 1:
            raise DataError("Factor scores need a model of one group. Fit it without groups.")
        if method not in ("regression", "bartlett"):
            raise DataError(f'method "{method}" is not known. {did_you_mean(method, ("regression", "bartlett"))}')
        design = self._fitted.design
        _, values = item_matrix(items[list(design.items)])
        centred = values - design.samples[0].mean
        return pd.DataFrame(centred @ self._weights(method).T, index=items.index, columns=list(design.factors))

    def _weights(self, method: str) -> np.ndarray:
        model, point = self._fitted.models[0], self._fitted.solution.parameters
        loadings, residuals = model.loadings.filled(point), model.residuals.filled(point)
        if method == "bartlett":
            pull = np.linalg.solve(residuals, loadings).T
            return np.linalg.solve(pull @ loadings, pull)
        covariance = model.implied(point)[0]
        return np.linalg.solve(covariance, loadings @ model.factors.filled(point)).T

    def _repr_html_(self) -> str:
        return self.fit.to_frame("fit").to_html() + self.parameters.to_html(index=False)

    def __repr__(self) -> str:
        return (
            f"FactorModel(n {self.n}, chi-square {number(self.fit['chisq'], 2)} on {self.fit['df']:.0f}, "
            f"CFI {number(self.fit['cfi'], 3)}, RMSEA {number(self.fit['rmsea'], 3)}, "
            f"SRMR {number(self.fit['srmr'], 3)})"
        )


def cfa(
    items: pd.DataFrame,
    factors: Mapping[str, Sequence[str]],
    groups: Any = None,
    level: str = "configural",
    scale: Literal["marker", "variance"] = "marker",
) -> FactorModel:
    """Fit correlated factors, each item measuring one of them, by maximum likelihood.

    Parameters
    ----------
    items : DataFrame, shape (n_persons, n_items or more)
        One row per person, answers scored; rows with a missing item are left out and counted.
    factors : dict of factor to its item columns
        Each item under one factor.
    groups : column name or array, shape (n_persons,), optional
        Fits all groups together, with means, at the ``level`` asked for.
    level : {"configural", "metric", "scalar", "strict"}
        What is held equal over groups.
    scale : {"marker", "variance"}
        Whether the first item of each factor has loading 1, or the factor (of the first group) has variance 1.

    Returns
    -------
    FactorModel
        Estimates, standard errors from the expected information, fit indices as lavaan has them.

    Raises
    ------
    DataError
        Unknown columns, text, a constant item.
    EstimationError
        Too few items or rows, or no maximum.

    References
    ----------
    Joreskog (1969), Psychometrika 34, 183-202. Rosseel (2012), Journal of Statistical Software 48(2).
    """
    design, flags = read_groups(items, factors, groups, marker=scale == "marker")
    found = fit_level(design, level)
    every = (*flags, *impossible(found))
    omega = _omega(found) if len(design.groups) == 1 else pd.DataFrame()
    return FactorModel(_parameters(found), fit_row(found), omega, design.n, every, found)


def fit_row(found: Fitted) -> pd.Series:
    """The fit of a model as one row of a table."""
    indices, groups = found.indices, len(found.design.groups)
    low, high = rmsea_interval(indices.chisq, indices.df, found.design.n, groups)
    return pd.Series({
        "chisq": indices.chisq, "df": indices.df, "p": indices.p, "cfi": indices.cfi, "tli": indices.tli,
        "rmsea": indices.rmsea, "rmsea_low": low, "rmsea_high": high, "srmr": indices.srmr,
        "parameters": found.parameters, "loglik": found.loglik,
        "aic": 2 * found.parameters - 2 * found.loglik,
        "bic": np.log(found.design.n) * found.parameters - 2 * found.loglik, "n": found.design.n,
    })  # fmt: skip


def _omega(found: Fitted) -> pd.DataFrame:
    """Share of each plain sum's variance that its factor explains."""
    model, point = found.models[0], found.solution.parameters
    loadings, residuals = model.loadings.filled(point), model.residuals.filled(point)
    common = loadings.sum(axis=0) ** 2 * np.diag(model.factors.filled(point))
    own = [np.flatnonzero(found.design.owner == k) for k in range(loadings.shape[1])]
    unique = np.array([np.diag(residuals)[items].sum() for items in own])
    seen = np.array([found.design.samples[0].covariance[np.ix_(items, items)].sum() for items in own])
    columns = {"modelled": common / (common + unique), "observed": common / seen}
    return pd.DataFrame(columns, index=list(found.design.factors))


def _parameters(found: Fitted) -> pd.DataFrame:
    """Every place that is free, or fixed at a value other than nought."""
    errors, rows = found.standard_errors, []
    for label, model in zip(found.design.groups, found.models, strict=True):
        point = found.solution.parameters
        units = _units(model.implied(point)[0], model.factors.filled(point))
        items, factors = list(found.design.items), list(found.design.factors)
        tables = (
            (model.loadings, items, factors),
            (model.residuals, items, items),
            (model.factors, factors, factors),
            (model.intercepts, items, [""]),
            (model.means, factors, [""]),
        )
        for kind, table in zip(_KINDS, tables, strict=True):
            rows += _rows(label, kind, table, (point, errors), units)
    return pd.DataFrame(rows)


def _units(covariance: np.ndarray, factors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.sqrt(np.diag(covariance)), np.sqrt(np.maximum(np.diag(factors), 1e-300))


def _rows(
    label: str,
    kind: str,
    table: tuple[Slots, list[str], list[str]],
    known: tuple[np.ndarray, np.ndarray],
    units: tuple[np.ndarray, np.ndarray],
) -> list[dict[str, Any]]:
    """The rows of one matrix of one group; of a symmetric matrix the lower half."""
    slots, left, right = table
    index, values = np.atleast_2d(slots.index.T).T, np.atleast_2d(slots.filled(known[0]).T).T
    rows = []
    for row, column in zip(*np.nonzero((index >= 0) | (values != 0)), strict=True):
        if left is right and column > row:
            continue
        place = index[row, column]
        rows.append({
            "group": label, "kind": kind, "left": left[row], "right": right[column], "estimate": values[row, column],
            "se": known[1][place] if place >= 0 else 0.0,
            "standardised": values[row, column] * _standard(kind, row, column, units),
        })  # fmt: skip
    return rows


def _standard(kind: str, row: int, column: int, units: tuple[np.ndarray, np.ndarray]) -> float:
    """What turns an estimate into one for items and factors of variance 1."""
    item, factor = units
    return {
        "loading": lambda: factor[column] / item[row],
        "residual": lambda: 1 / (item[row] * item[column]),
        "factor covariance": lambda: 1 / (factor[row] * factor[column]),
        "intercept": lambda: 1 / item[row],
        "factor mean": lambda: 1 / factor[row],
    }[kind]()
