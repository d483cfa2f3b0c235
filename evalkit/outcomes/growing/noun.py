"""What a growth model found."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from evalkit import disclosure
from evalkit.errors import Flag


@dataclass(frozen=True, eq=False)
class Growth:
    """A growth model's estimates, with intervals that respect who belongs together.

    Attributes
    ----------
    fixed : DataFrame
        A row per fixed term: ``estimate``, ``se``, ``df`` (Satterthwaite), ``t``, ``p``, ``low``, ``high`` from the
        model; with clusters (or ``robust="cr2"``) also ``se_robust``, ``df_robust``, ``p_robust``, ``low_robust`` and
        ``high_robust``, which hold when the model of the covariance does not.
    variances : DataFrame
        ``grp``, ``var1``, ``var2``, ``vcov``, ``sdcor``: variances and covariances, and standard deviations and
        correlations, of each level's random effects and of the residual.
    group_effects : dict of str to DataFrame
        By column of persons or clusters: a row per id, a column per random term; predictions pulled towards 0. They
        are values of single persons: not shown, not for release.
    criterion : float
        REML criterion, or -2 log likelihood.
    df : Series
        Satterthwaite's degrees of freedom by fixed term.
    singular : bool
        Whether a level's covariance lies on its edge (a variance of 0, or a correlation of 1 or -1).
    effect : DataFrame
        The difference the programme makes: "per unit of time", "in change from first to final occasion" and "at the
        final occasion"; ``estimate``, ``se``, ``df``, ``t``, ``p``, ``low``, ``high`` and ``interval``, which says what
        the interval rests on. Without rows where no arm was named.
    flags : tuple of Flag
        What a reader must know.
    n, persons, clusters : int
        Rows, people and clusters used.
    method : {"reml", "ml"}
        Likelihood.
    outcome : str
        Its column.
    """

    fixed: pd.DataFrame
    variances: pd.DataFrame
    group_effects: dict[str, pd.DataFrame] = field(repr=False)
    criterion: float
    df: pd.Series
    singular: bool
    effect: pd.DataFrame
    flags: tuple[Flag, ...]
    n: int
    persons: int
    clusters: int
    method: str
    outcome: str

    def __repr__(self) -> str:
        return f"{self._head()}\n{self.fixed.round(4)}\n{self.effect.round(4)}\n{self.variances.round(4)}"

    def _repr_html_(self) -> str:
        tables = [self.effect, self.fixed, self.variances] if len(self.effect) else [self.fixed, self.variances]
        flags = "".join(f"<li>{flag.text} {flag.detail}</li>" for flag in self.flags)
        return (
            f"<p>{self._head()}</p>"
            + "".join(table.round(4).to_html(border=0) for table in tables)
            + f"<ul>{flags}</ul>"
        )

    def _head(self) -> str:
        where = f" in {self.clusters} clusters" if self.clusters else ""
        return f"Growth model of {self.outcome}: {disclosure.count(self.persons)} people{where}, {self.method.upper()}"
