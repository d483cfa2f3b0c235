"""Growth models: a line through each person's readings, and how the programme changes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from evalkit.errors import DataError, EstimationError, Flag
from evalkit.outcomes.growing import flags as said
from evalkit.outcomes.growing.design import CONSTANT, Asked, Design, read
from evalkit.outcomes.growing.fit import Fit, fit, satterthwaite
from evalkit.outcomes.growing.noun import Growth
from evalkit.outcomes.growing.predict import effects, on_edge
from evalkit.outcomes.growing.robust import Sandwich, sandwich
from evalkit.outcomes.growing.sums import Array, free, sums_of

_COLUMNS = ["estimate", "se", "df", "t", "p", "low", "high"]
_BASES = {"cr2": "robust (CR2)", "model": "model", "model instead": "model", "none": "none"}


def growth(
    frame: pd.DataFrame,
    outcome: str,
    time: str | None,
    person: str,
    treated: str | None = None,
    cluster: str | None = None,
    covariates: Sequence[str] = (),
    random: Literal["slope", "intercept"] = "slope",
    method: Literal["reml", "ml"] = "reml",
    *,
    cluster_random: Literal["same", "slope", "intercept", "none"] = "same",
    robust: Literal["auto", "cr2", "model"] = "auto",
    level: float = 0.95,
) -> Growth:
    """Fit a growth model of persons, and of persons in clusters.

    outcome = b0 + b1 time + b2 treated + b3 time x treated + covariates + random effects of persons (and of clusters)
    + error; the programme's effect is b3 per unit of time.

    Parameters
    ----------
    frame : DataFrame
        One row per person and occasion; rows with a missing value are left out and said.
    outcome, time, person : str
        Columns. Time is a number, such as months since the start; None for a model without time.
    treated : str, optional
        Column with 1 for the programme and 0 for the comparison (or a dose).
    cluster : str, optional
        Column of services or schools, a level of its own. A person seen in several counts where first seen.
    covariates : sequence of str
        Columns to adjust for: numbers as they are, words as one term per value but the first.
    random : {"slope", "intercept"}
        Whether persons differ in where they stand and how they change, or in where they stand only.
    method : {"reml", "ml"}
        Restricted or full maximum likelihood.
    cluster_random : {"same", "slope", "intercept", "none"}
        In what clusters differ; "same" as persons; "none" leaves the level out of the model (not of ``se_robust``).
    robust : {"auto", "cr2", "model"}
        What the interval of ``.effect`` rests on. "auto": CR2 by cluster where there are clusters, else the model;
        "cr2" without clusters is by person.
    level : float
        Of the intervals.

    Returns
    -------
    Growth
        ``fixed``, ``variances``, ``group_effects``, ``criterion``, ``df``, ``singular``, ``effect``, ``flags``.

    Raises
    ------
    DataError
        Columns that are missing or of the wrong kind, choices that are not known.
    EstimationError
        One occasion only, no spread in the outcome, fixed terms that repeat each other, one arm, one cluster.

    Notes
    -----
    Why CR2 for ``.effect`` whenever there are clusters: the model's standard error is right only if clusters differ
    just as the model says, and clusters are few in this field. Both stand side by side in ``.fixed``.

    References
    ----------
    Bates, Maechler, Bolker and Walker (2015), J. Stat. Software 67(1). Kuznetsova, Brockhoff and Christensen (2017),
    J. Stat. Software 82(13). Pustejovsky and Tipton (2018), J. Business and Economic Statistics 36, 672-683.
    Raudenbush and Bryk (2002), Hierarchical Linear Models, chapters 6 and 8.
    """
    asked = Asked(
        outcome, time, person, treated, cluster, tuple(covariates), random, method, cluster_random, robust, level
    )
    design = read(frame, asked)
    slopes = design.time if "slope" in asked.levels else None
    found = fit(sums_of(design.y, design.x, slopes, design.person, design.group), free(asked.levels), method == "reml")
    return _noun(design, found)


def _noun(design: Design, found: Fit) -> Growth:
    asked = design.asked
    robust = sandwich(found) if design.group is not None or asked.robust == "cr2" else None
    fixed = _fixed(design, found, robust)
    effect, about = _effect(design, found, robust)
    edges = on_edge(design, found)
    return Growth(
        fixed, _variances(design, found), effects(design, found), found.criterion, fixed["df"], found.singular,
        effect, (*said.of_data(design), *said.of_fit(design, edges, found.rough), *about), len(design.y),
        len(design.people), len(design.clusters), asked.method, asked.outcome,
    )  # fmt: skip


def interval(estimate: float, se: float, df: float, level: float) -> list[float]:
    """Write an estimate out: estimate, se, df, t, p, low, high (Student's t)."""
    from scipy.special import stdtr, stdtrit

    degrees = min(df, 1e10)
    t = estimate / se
    half = float(stdtrit(degrees, (1 + level) / 2)) * se
    return [estimate, se, df, t, float(2 * stdtr(degrees, -abs(t))), estimate - half, estimate + half]


def _fixed(design: Design, found: Fit, robust: Sandwich | None) -> pd.DataFrame:
    level = design.asked.level
    rows = []
    for contrast in np.eye(len(design.terms)):
        estimate = found.estimate(contrast)
        row = interval(estimate, found.standard_error(contrast), satterthwaite(found, contrast), level)
        if robust is not None:
            other = interval(estimate, *robust.standard_error(contrast), level)
            row += [other[1], other[2], *other[4:]]
        rows.append(row)
    more = [] if robust is None else [f"{name}_robust" for name in ("se", "df", "p", "low", "high")]
    return pd.DataFrame(rows, index=pd.Index(design.terms, name="term"), columns=[*_COLUMNS, *more])


def _contrasts(design: Design) -> dict[str, Array]:
    """The programme's effect, said in three ways."""
    asked = design.asked
    if asked.treated is None:
        return {}
    own = np.array([name == asked.treated for name in design.terms], dtype=float)
    if design.time is None:
        return {"difference": own}
    slope = np.array([name == f"{asked.time}:{asked.treated}" for name in design.terms], dtype=float)
    first, last = float(design.time.min()), float(design.time.max())
    return {
        "per unit of time": slope,
        "in change from first to final occasion": slope * (last - first),
        "at the final occasion": own + slope * last,
    }


def _effect(design: Design, found: Fit, robust: Sandwich | None) -> tuple[pd.DataFrame, list[Flag]]:
    contrasts = _contrasts(design)
    bases = {name: _interval_basis(design, found, robust, contrast) for name, contrast in contrasts.items()}
    rows = {
        name: [*interval(found.estimate(contrasts[name]), se, df, design.asked.level), _BASES[basis]]
        for name, (se, df, basis) in bases.items()
    }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=[*_COLUMNS, "interval"])
    first = next(iter(bases.values()), None)
    return table, said.of_interval(design, *first[1:]) if first else []


def _interval_basis(design: Design, found: Fit, robust: Sandwich | None, contrast: Array) -> tuple[float, float, str]:
    """Standard error, degrees of freedom, and what they rest on."""
    own = found.standard_error(contrast), satterthwaite(found, contrast)
    if robust is None or design.asked.robust == "model":
        return (np.nan, np.nan, "none") if _one_against_one(design) else (*own, "model")
    se, df = robust.standard_error(contrast)
    if np.isfinite(se):
        return se, df, "cr2"
    if _one_against_one(design) or design.asked.cluster_random == "none":
        return np.nan, np.nan, "none"
    return *own, "model instead"


def _one_against_one(design: Design) -> bool:
    """Whether the clusters leave nothing to judge the arms' difference by."""
    if design.group is None or design.treated is None:
        return False
    whole = said.constant_within(design.treated, design.group[design.person])
    return whole and len(design.clusters) <= len(np.unique(design.treated))


def _variances(design: Design, found: Fit) -> pd.DataFrame:
    rows: list[list[object]] = []
    names = [design.asked.person, design.asked.cluster]
    for level, kind in enumerate(design.asked.levels):
        if kind == "none":
            continue
        covariance = found.covariance(level)
        terms = [CONSTANT, str(design.asked.time)][: 2 if kind == "slope" else 1]
        sd = np.sqrt(np.diag(covariance))
        rows += [[names[level], term, None, covariance[i, i], sd[i]] for i, term in enumerate(terms)]
        if kind == "slope":
            shared = covariance[0, 1] / (sd[0] * sd[1]) if sd[0] * sd[1] > 0 else np.nan
            rows.append([names[level], *terms, covariance[0, 1], shared])
    rows.append(["Residual", None, None, found.residual, np.sqrt(found.residual)])
    table = pd.DataFrame(rows, columns=["grp", "var1", "var2", "vcov", "sdcor"], dtype=object)
    return table.astype({"vcov": float, "sdcor": float})


@dataclass(frozen=True)
class VarianceComponents:
    """How much of an outcome's variance lies between groups.

    Attributes
    ----------
    mean, se : float
        Of a group's mean, over groups.
    between, within : float
        Variances by restricted maximum likelihood.
    icc : float
        Between / (between + within).
    icc_anova : float
        The same from one-way analysis of variance, which may be negative.
    group_size : float
        The size that counts in it (n0): the mean size, less where sizes differ.
    design_effect : float
        1 + (mean size - 1) x icc: by how much clustering raises the variance of a mean.
    """

    mean: float
    se: float
    between: float
    within: float
    icc: float
    icc_anova: float
    group_size: float
    design_effect: float


def variance_components(y: pd.Series | np.ndarray, group: pd.Series | np.ndarray) -> VarianceComponents:
    """Split an outcome's variance into between and within groups.

    Parameters
    ----------
    y : array, shape (n,)
        Outcome; missing values are left out.
    group : array, shape (n,)
        Which group; missing ones are left out.

    Returns
    -------
    VarianceComponents
        Variances, intraclass correlation, design effect.

    Raises
    ------
    DataError
        ``y`` and ``group`` differ in length.
    EstimationError
        One group, nobody who shares a group, or no spread.

    References
    ----------
    Raudenbush and Bryk (2002), Hierarchical Linear Models, chapter 4; Donner and Koval (1980), Biometrics 36, 19-25.
    """
    values, names = pd.Series(np.asarray(y, dtype=float)), pd.Series(np.asarray(group))
    if len(values) != len(names):
        raise DataError(f"There are {len(values)} outcomes and {len(names)} groups. Give one group per outcome.")
    kept = (values.notna() & names.notna()).to_numpy()
    code = pd.factorize(names[kept])[0]
    size = np.bincount(code) if len(code) else np.zeros(0)
    if len(size) < 2 or size.max() < 2:
        raise EstimationError("Variance between groups needs two groups or more, and one with two people or more.")
    inside = values[kept].to_numpy()
    found = fit(sums_of(inside, np.ones((len(inside), 1)), None, code, None), free(["intercept"]), True)
    between, within, one = float(found.covariance(0)[0, 0]), found.residual, np.ones(1)
    icc = between / (between + within)
    return VarianceComponents(
        found.estimate(one), found.standard_error(one), between, within, icc, *_anova(inside, code, size),
        1 + (float(size.mean()) - 1) * icc,
    )  # fmt: skip


def _anova(y: Array, code: Array, size: Array) -> tuple[float, float]:
    """The analysis of variance's intraclass correlation, and the size of a group that counts in it."""
    means = np.bincount(code, y) / size
    between = (size * (means - y.mean()) ** 2).sum() / (len(size) - 1)
    within = ((y - means[code]) ** 2).sum() / (len(y) - len(size))
    typical = (len(y) - (size**2).sum() / len(y)) / (len(size) - 1)
    return float((between - within) / (between + (typical - 1) * within)), float(typical)
