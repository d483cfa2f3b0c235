"""A regression's effect beside omitted variables as strong as a covariate that was measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.counterfactual.covariates import encode
from evalkit.counterfactual.estimating import estimate
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.panel import Columns, Panel, Plan, codes, prepare
from evalkit.counterfactual.registry import find_estimator
from evalkit.counterfactual.sensitivity.again import decimals
from evalkit.counterfactual.sensitivity.omitted import Regression, extreme_scenarios, partial_r2
from evalkit.errors import EstimationError, Flag, as_list, did_you_mean, several
from evalkit.linear import demean

OPTIONS: dict[str, Any] = {"cluster": None, "level": 0.95, "q": 1.0, "person": None, "treated_is": None}
GRID, LEAST_WIDE = 41, 0.4
WIDEST = {"r2_treatment": 0.99, "r2_outcome": 1.0}  # all of treatment explained leaves nothing to compare
CLUSTERED = Flag(
    "counterfactual",
    "note",
    "Shares explained are those of the plain regression; the interval allows for clusters.",
    "After adjustment the clustered standard error is taken to change as the plain one does: an approximation.",
)


@dataclass(frozen=True, eq=False)
class OmittedVariable:
    """How strong an omitted variable would have to be, and what it would leave of the effect.

    Parameters
    ----------
    effect, se, t, df : float
        Of the regression; the standard error is the classical one, with clusters CR2.
    partial_r2 : float
        Share of what is left of the outcome that treatment explains.
    robustness_value : float
        Share of what is left of both treatment and outcome that the variable must explain to take ``q`` of the effect
        away.
    robustness_value_significance : float
        The same for taking its significance away.
    bounds : DataFrame
        A row for each benchmark and times: benchmark, times, r2_treatment, r2_outcome, effect, se, t, low, high; what a
        variable so many times as strong as the benchmark could explain at most, and what it would leave. Empty cells:
        it would explain more than there is.
    extreme : DataFrame
        r2_outcome, r2_treatment: what a variable that explains nearly all of the outcome needs of treatment.
    contour : DataFrame
        r2_treatment, r2_outcome, effect, t, low, high over a grid, for a figure.
    level, q : float
        Of the intervals; share of the effect to be taken away.
    flags : tuple of Flag
        What a reader must be told.
    """

    effect: float
    se: float
    t: float
    df: float
    partial_r2: float
    robustness_value: float
    robustness_value_significance: float
    bounds: pd.DataFrame
    extreme: pd.DataFrame
    contour: pd.DataFrame
    level: float = 0.95
    q: float = 1.0
    flags: tuple[Flag, ...] = ()

    @property
    def says(self) -> str:
        """What it means, in a few sentences."""
        away = "take this effect to zero" if self.q == 1 else f"take {words.percent(self.q, 0)} of this effect away"
        first = (
            f"An unmeasured cause would have to explain {words.percent(self.robustness_value)} of what the covariates "
            f"leave of both treatment and outcome to {away}"
        )
        needed = self.robustness_value_significance
        second = (
            f", and {words.percent(needed)} to make its interval include that."
            if needed > 0
            else "; its interval includes that already."
        )
        last = (
            f" One that explained all that is left of the outcome would have to explain "
            f"{words.percent(self.extreme['r2_treatment'].iloc[0])} of what is left of treatment."
        )
        return first + second + self._benchmarks_say() + last

    def _benchmarks_say(self) -> str:
        """The effect beside a variable as strong as each benchmark, at the fewest times asked for."""
        places, said = decimals(self.effect, self.se), []
        for name, rows in self.bounds.dropna(subset="effect").groupby("benchmark", sort=False):
            row = rows.iloc[0]
            strong = "as strong as" if row["times"] == 1 else f"{row['times']:g} times as strong as"
            left = words.number(row["effect"], places), words.interval(row["low"], row["high"], places)
            said.append(f" One {strong} {name} would leave an effect of {left[0]} ({left[1]}).")
        return "".join(said)

    def _repr_html_(self) -> str:
        """The sentences, the bounds, and the caveats."""
        table = self.bounds.round(4).to_html(index=False) if len(self.bounds) else ""
        return f"<p>{self.says}</p>{table}{as_list(self.flags)}"


def omitted_variable_bounds(
    frame: pd.DataFrame,
    *,
    outcome: str,
    treated: str,
    covariates: Sequence[str],
    benchmark: str | Sequence[str | Sequence[str]] = (),
    times: float | Sequence[float] = (1, 2, 3),
    within: str | None = None,
    **options: Any,
) -> OmittedVariable:
    """How sensitive the effect of a linear regression is to a variable that is not in it.

    Parameters
    ----------
    frame : DataFrame, shape (n_people, ...)
        One row per person.
    outcome, treated, covariates
        As for `estimate` with "ols".
    benchmark : str or sequence
        Covariates that the omitted variable is compared with, each by itself; a sequence within the sequence is taken
        together. A covariate of words counts with all its levels.
    times : float or sequence of float
        How many times as strong as the benchmark.
    within : str, optional
        Column whose levels each have their own mean (areas, schools).
    **options
        ``cluster`` (column; the interval then allows for clusters), ``level`` (0.95), ``q`` (share of the effect to be
        taken away, 1), ``person``, ``treated_is``.

    Returns
    -------
    OmittedVariable
        Robustness values, bounds, extreme scenarios and a grid for a contour figure.

    Raises
    ------
    EstimationError
        A benchmark is no covariate or has nothing left to vary, an option is unknown, times or q are not above 0; and
        what `estimate` raises.

    References
    ----------
    Cinelli and Hazlett (2020), JRSS B 82, 39-67, sections 4 and 5; bounds: section 4.4.
    """
    covariates = [covariates] if isinstance(covariates, str) else list(covariates)
    sets = _benchmarks(benchmark)
    strengths = np.atleast_1d(np.asarray(times, dtype=float))
    _check(sets, covariates, strengths, options)
    told = OPTIONS | options
    columns: dict[str, Any] = {"outcome": outcome, "treated": treated, "covariates": covariates}
    shared = {"person": told["person"], "treated_is": told["treated_is"], "level": told["level"], "within": within}
    everybody = frame
    if told["cluster"] in frame.columns:
        frame = frame[frame[told["cluster"]].notna()]
    plain = estimate(frame, "ols", **columns, **shared, se="classical")
    if not plain.se > 0:
        raise EstimationError("the regression fits without error, so nothing is left for an omitted variable.")
    used = (
        plain if told["cluster"] is None else estimate(everybody, "ols", **columns, **shared, cluster=told["cluster"])
    )
    panel = _panel(frame, columns, told, within)
    fit = _regression(plain, used, told)
    bounds, flags = _bounds(_Left(panel, within), sets, strengths, fit)
    q = float(told["q"])
    t = fit.effect / fit.plain_se
    return OmittedVariable(
        effect=fit.effect,
        se=fit.se,
        t=fit.effect / fit.se,
        df=fit.df,
        partial_r2=partial_r2(t, fit.residual_df),
        robustness_value=fit.robustness(q, alone=True),
        robustness_value_significance=fit.robustness(q, alone=False),
        bounds=bounds,
        extreme=extreme_scenarios(t, fit.residual_df, q=q),
        contour=_contour(fit, bounds),
        level=float(told["level"]),
        q=q,
        flags=(*(flag for flag in used.flags if not flag.text.startswith("No deadweight")), *flags),
    )


def _regression(plain: Estimate, used: Estimate, told: dict[str, Any]) -> Regression:
    """Effect and errors of the regression, with what its shares explained follow from."""
    if told["cluster"] is None:
        return Regression(plain.effect, plain.se, plain.df, plain.se, plain.df, told["level"])
    if math.isnan(used.se):
        raise EstimationError(
            "an arm lies in a single cluster, so there is no interval whose sensitivity could be told."
        )
    return Regression(plain.effect, used.se, used.df, plain.se, plain.df, told["level"], clustered=True)


def _benchmarks(benchmark: str | Sequence[str | Sequence[str]]) -> dict[str, list[str]]:
    """Benchmarks by the name they are shown under."""
    given = [benchmark] if isinstance(benchmark, str) else list(benchmark)
    sets = [[one] if isinstance(one, str) else list(one) for one in given]
    return {words.listed(one): one for one in sets}


def _check(sets: dict[str, list[str]], covariates: list[str], times: np.ndarray, options: dict[str, Any]) -> None:
    """All that can be wrong with what was asked."""
    problems = [
        f'there is no option "{name}". {did_you_mean(name, OPTIONS)}' for name in options if name not in OPTIONS
    ]
    if not covariates:
        problems.append("covariates are missing: without any there is no benchmark. See robustness_value(t, df).")
    problems += [
        f'benchmark "{name}" is not among the covariates. {did_you_mean(name, covariates)}'
        for members in sets.values()
        for name in members
        if name not in covariates
    ]
    if not ((times > 0) & np.isfinite(times)).all() or not len(times):
        problems.append("times must be above 0, such as (1, 2, 3).")
    q = options.get("q", 1.0)
    if not (isinstance(q, int | float) and 0 < q < math.inf):
        problems.append(f"q = {q} must be above 0; 1 takes the effect to zero.")
    if problems:
        raise EstimationError(several("the sensitivity to an omitted variable", problems))


def _panel(frame: pd.DataFrame, columns: dict[str, Any], told: dict[str, Any], within: str | None) -> Panel:
    """The same people as the regression's."""
    named = Columns(
        outcome=columns["outcome"],
        treated=columns["treated"],
        covariates=tuple(columns["covariates"]),
        person=told["person"],
        extra=() if within is None else (within,),
    )
    return prepare(frame, named, Plan("ols", treated_is=told["treated_is"]), find_estimator("ols"))


class _Left:
    """What is left of treatment and outcome, and how much of it some covariates explain."""

    def __init__(self, panel: Panel, within: str | None) -> None:
        self.covariates = panel.covariates
        self.names = list(panel.x.columns)
        level = np.zeros(len(panel.y), int) if within is None else codes(panel.frame[within])
        self.x, self.treated, self.y = (demean(part, level) for part in (panel.x.to_numpy(), panel.treated, panel.y))
        size = (panel.x.to_numpy() ** 2).sum(axis=0)
        self.varies = (self.x**2).sum(axis=0) > 1e-10 * np.maximum(size, 1e-300)

    def shares(self, members: list[str]) -> tuple[float, float]:
        """Partial R2 of the covariates with treatment, and with the outcome given treatment."""
        mine = [column for name in members for column in encode(self.covariates[[name]])[0].columns]
        own = np.isin(self.names, mine) & self.varies
        if not own.any():
            raise EstimationError(
                f"benchmark {words.listed(members)}: nothing of it varies beside the other covariates. Choose another."
            )
        rest = self.x[:, self.varies & ~own]
        both = [np.column_stack([part, self.x[:, own]]) for part in (rest, np.column_stack([self.treated, rest]))]
        return (
            1 - _unexplained(self.treated, both[0]) / _unexplained(self.treated, rest),
            1 - _unexplained(self.y, both[1]) / _unexplained(self.y, np.column_stack([self.treated, rest])),
        )


def _unexplained(y: np.ndarray, x: np.ndarray) -> float:
    """The residual sum of squares; columns scaled, since amounts of money stand beside shares."""
    if not x.shape[1]:
        return float((y**2).sum())
    scaled = x / np.sqrt((x**2).sum(axis=0))
    return float(((y - scaled @ np.linalg.lstsq(scaled, y, rcond=None)[0]) ** 2).sum())


def _bounds(
    left: _Left, sets: dict[str, list[str]], times: np.ndarray, fit: Regression
) -> tuple[pd.DataFrame, list[Flag]]:
    """A row for each benchmark and times, and which of them could not be."""
    rows, flags = [], [CLUSTERED] if fit.clustered else []
    for name, members in sets.items():
        with_treatment, with_outcome = left.shares(members)
        for many in times:
            first, second = _strength(with_treatment, with_outcome, float(many))
            flags += _limits_said(name, float(many), first, second)
            row = {"benchmark": name, "times": float(many), "r2_treatment": first, "r2_outcome": min(second, 1.0)}
            found = fit.with_variable(first, min(second, 1.0))
            told = {"effect": found.effect, "se": found.se, "t": found.t, "low": found.low, "high": found.high}
            rows.append(row | told)
    columns = ["benchmark", "times", "r2_treatment", "r2_outcome", "effect", "se", "t", "low", "high"]
    return pd.DataFrame(rows, columns=columns), flags


def _strength(with_treatment: float, with_outcome: float, times: float) -> tuple[float, float]:
    """The most a variable so many times as strong could explain of treatment, and of the outcome; NaN: impossible."""
    first = times * with_treatment / (1 - with_treatment)
    if times * with_treatment >= 1 or first >= 1:
        return math.nan, math.nan
    overlap = times * with_treatment**2 / ((1 - times * with_treatment) * (1 - with_treatment))
    if overlap >= 1:
        return math.nan, math.nan
    eta = (math.sqrt(times) + math.sqrt(overlap)) / math.sqrt(1 - overlap)
    return first, eta**2 * with_outcome / (1 - with_outcome)


def _limits_said(name: str, times: float, first: float, second: float) -> list[Flag]:
    """Where the benchmark, so many times over, would explain more than there is."""
    if math.isnan(first):
        text = f"A variable {times:g} times as strong as {name} would explain more of treatment than is left."
        return [Flag("counterfactual", "note", text, "There is no bound for it.")]
    if second > 1:
        text = f"A variable {times:g} times as strong as {name} would explain more of the outcome than is left."
        return [Flag("counterfactual", "note", text, "The bound takes it to explain all of it.")]
    return []


def _contour(fit: Regression, bounds: pd.DataFrame) -> pd.DataFrame:
    """The effect over a grid wide enough for every benchmark."""
    ends = []
    for name, widest in WIDEST.items():
        most = float(bounds[name].max()) if bounds[name].notna().any() else 0.0
        ends.append(min(max(1.2 * most, LEAST_WIDE), widest))
    first, second = np.meshgrid(*(np.linspace(0, end, GRID) for end in ends), indexing="ij")
    found = fit.with_variable(first, second)
    told = {"effect": found.effect, "t": found.t, "low": found.low, "high": found.high}
    parts = {"r2_treatment": first, "r2_outcome": second} | told
    return pd.DataFrame({name: np.ravel(values) for name, values in parts.items()})
