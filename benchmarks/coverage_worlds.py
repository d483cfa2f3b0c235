"""The worlds of `coverage.py`: what is drawn, what is true in it, and which estimators' assumptions it meets."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from evalkit.simulate import effect_panels as panels
from evalkit.simulate import effect_worlds as people

Numbers = tuple[float, float, float, float, float]  # effect, se, low, high, p
NAMES = ("effect", "se", "low", "high", "p")


def headline(found: Any) -> Numbers:
    """The estimate itself."""
    return found.effect, found.se, found.low, found.high, found.p


def placebo_p(found: Any) -> Numbers:
    """The estimate, with the p of its rank among placebos in place of that of its standard error."""
    return found.effect, found.se, found.low, found.high, found.diagnostics["placebo_p"]


def aggregated(kind: str) -> Callable[[Any], Numbers]:
    """Another way of summing up the cells of staggered did, from the same estimate."""

    def read(found: Any) -> Numbers:
        row = found.diagnostics["aggregates"].loc[kind]
        return tuple(float(row[name]) for name in NAMES)  # type: ignore[return-value]

    return read


@dataclass(frozen=True)
class Way:
    """One estimator as it is tried in a world; ways of a world with the same options share the estimate.

    ``rmse`` is the largest root mean square error allowed.
    """

    says: str
    estimator: str
    options: dict[str, Any] = field(default_factory=dict)
    read: Callable[[Any], Numbers] = headline
    rmse: float = math.inf


@dataclass(frozen=True)
class World:
    """A table with a known effect.

    Parameters
    ----------
    name, says : str
        Its letters in the issue, and what is in it.
    draw : callable
        Seed to table.
    columns : dict
        Arguments of `evalkit.counterfactual.estimate` that all ways share.
    ways : tuple of Way
        Those whose stated assumptions hold in it.
    effect, bias : float
        What is true, and by how much the mean estimate may miss it beside chance.
    judged : {"interval", "size", "power"}
        By bias and coverage; or by how often p is at most .05, without and with an effect.
    """

    name: str
    says: str
    draw: Callable[[int], pd.DataFrame]
    columns: dict[str, Any]
    ways: tuple[Way, ...]
    effect: float = 2.0
    bias: float = 0.05
    judged: str = "interval"


# ---------------------------------------------------------------- tables that evalkit.simulate does not draw


def by_lot(seed: int, treated: int, comparison: int) -> pd.DataFrame:
    """The people of world (a) whose arms were drawn by lot."""
    frame = people.confounded(seed, treated, comparison, effect=0.0)
    arms = np.random.default_rng([seed, 211]).permutation(frame["treated"].to_numpy())
    return frame.assign(treated=arms, y=frame["y"] + 2.0 * arms)


def rare_by_lot(seed: int) -> pd.DataFrame:
    """The people of world (e) whose arms were drawn by lot: 300 treated, 600 comparison."""
    random = np.random.default_rng([seed, 223])
    frame = people.rare(seed, 300, 600, effect=0.0)
    arms = random.permutation(frame["treated"].to_numpy())
    risk = 0.07 + frame[["x1", "x2", "x3"]].to_numpy() @ np.array([0.03, 0.05, 0.02]) - 0.04 * arms
    return frame.assign(treated=arms, y=(random.uniform(size=len(frame)) < risk).astype(float))


def monthly(seed: int, kind: str, months: int = 72, start: int = 48) -> pd.DataFrame:
    """One series with a trend and seasons, whose level steps up by 2 (amounts) or down to .9 of itself (counts).

    Amounts have errors of variance 1, of their own or fading from month to month; counts twice Poisson's variance.
    """
    random = np.random.default_rng([seed, 227])
    time = np.arange(1, months + 1)
    after = (time > start).astype(int)
    season = np.sin(2 * np.pi * time / 12)
    if kind == "counts":
        mean = np.exp(5.5 + 0.003 * time + 0.1 * season + math.log(0.9) * after)
        y = random.poisson(random.gamma(mean, 1.0)).astype(float)
    else:
        kept, errors = 0.4 if kind == "fading" else 0.0, random.normal(size=months)
        for month in range(1, months):
            errors[month] = kept * errors[month - 1] + math.sqrt(1 - kept**2) * errors[month]
        y = 50 + 0.05 * time + 2 * season + 2.0 * after + errors
    return pd.DataFrame({"time": time, "treated": after, "y": y})


def areas(seed: int, effect: float, units: int = 20, times: int = 30, start: int = 20) -> pd.DataFrame:
    """Areas that follow two common factors to different degrees; by lot one of them is treated from ``start`` on."""
    random = np.random.default_rng([seed, 229])
    factors = 0.5 * random.normal(size=(times, 2)).cumsum(axis=0)
    y = 10 + random.normal(0, 2, units)[:, None] + random.normal(1, 0.3, (units, 2)) @ factors.T
    treated = np.zeros((units, times), dtype=int)
    treated[random.integers(units), start:] = 1
    y = y + random.normal(size=y.shape) + effect * treated
    names = np.repeat([f"a{place:02d}" for place in range(units)], times)
    time = np.tile(np.arange(1, times + 1), units)
    return pd.DataFrame({"unit": names, "time": time, "treated": treated.ravel(), "y": y.ravel()})


def _fuzzy(size: int, seed: int) -> pd.DataFrame:
    """A cutoff that raises the share treated from .1 to .8."""
    return panels.discontinuity_world(size, seed=seed, takeup=(0.1, 0.8))


def years(seed: int, past: int = 8, size: int = 120) -> pd.DataFrame:
    """People of several earlier years and of now, along a line from which years stray by chance."""
    random = np.random.default_rng([seed, 233])
    year = np.repeat(np.arange(2010, 2011 + past), size)
    strays = random.normal(0, 0.4, past + 1)[year - 2010]
    now = (year == 2010 + past).astype(int)
    y = 10 + 0.2 * (year - 2010) + strays + 2.0 * now + random.normal(0, 3, len(year))
    return pd.DataFrame({"person": np.arange(len(year)), "year": year, "treated": now, "y": y})


def against_a_figure(seed: int, size: int = 150) -> pd.DataFrame:
    """People now, and an earlier period of 200 of whom only mean, spread and number are known."""
    random = np.random.default_rng([seed, 239])
    before = random.normal(10, 3, 200)
    frame = pd.DataFrame({"person": np.arange(size), "y": 12 + random.normal(0, 3, size)})
    return frame.assign(mean=before.mean(), sd=before.std(ddof=1))


def two_rates(seed: int, treated: tuple[float, int], comparison: tuple[float, int]) -> pd.DataFrame:
    """What a publication gives: a share and a number of people for each arm."""
    random = np.random.default_rng([seed, 241])
    shares = [random.binomial(n, rate) / n for rate, n in (treated, comparison)]
    return pd.DataFrame({"arm": [1, 0], "n": [treated[1], comparison[1]], "rate": shares})


# ---------------------------------------------------------------- who is tried where


def squares(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
    """An outcome model of the user's: linear regression with squares and products."""

    def terms(z: np.ndarray) -> np.ndarray:
        pairs = [z[:, i] * z[:, j] for i in range(z.shape[1]) for j in range(i, z.shape[1])]
        return np.column_stack([np.ones(len(z)), z, *pairs])

    return terms(np.asarray(new, float)) @ np.linalg.lstsq(terms(np.asarray(x, float)), y, rcond=None)[0]


def _weighted(rmse: float = math.inf) -> tuple[Way, ...]:
    """Everything that needs the score or the means only, so that the outcome may have any form."""
    near = {"distance": "logit", "caliper": 0.2}
    return (
        Way("matching 1:1, caliper .2", "matching", near),
        Way("the same, adjusted", "matching", {**near, "adjust": True}),
        Way("matching 2:1 with replacement", "matching", {"ratio": 2, "replacement": True}),
        Way("ipw", "ipw"),
        Way("entropy balancing", "entropy balancing"),
        Way("aipw", "aipw", rmse=rmse),
    )


ATE = tuple(Way(f"{name}, ATE", name, {"estimand": "ATE"}) for name in ("ipw", "entropy balancing", "aipw"))
CLUSTERED = (
    Way("ols, CR2", "ols"),
    Way("ols, wild bootstrap", "ols", {"se": "wild", "draws": 999}),
    *(Way(f"{name}, clusters", name) for name in ("ipw", "entropy balancing", "aipw", "matching", "multilevel")),
)
BY_CLUSTER_LOT = (
    Way("difference, CR2", "difference"),
    Way("difference, wild bootstrap", "difference", {"se": "wild", "draws": 999}),
    Way("difference, permutation", "difference", {"se": "permutation", "draws": 999}),
)
TWICE = (
    Way("did, CR2", "did"),
    Way("did, wild bootstrap", "did", {"se": "wild", "draws": 999}),
)
STAGGERED = (
    Way("staggered did, simple", "staggered did"),
    *(
        Way(f"staggered did, {kind}", "staggered did", read=aggregated(kind))
        for kind in ("group", "dynamic", "calendar")
    ),
    Way("the same, not yet treated", "staggered did", {"comparison": "not yet treated"}),
)

_PERSON = {"outcome": "y", "treated": "treated", "person": "person"}
_FIVE = {**_PERSON, "covariates": ["x1", "x2", "x3", "x4", "x5"]}
_TEAMS = {**_PERSON, "covariates": ["x1", "x2"], "cluster": "cluster"}
_UNITS = {"outcome": "y", "unit": "unit", "time": "time"}
_SERIES = {"outcome": "y", "treated": "treated", "time": "time"}


def _people() -> tuple[World, ...]:
    """People in two arms, without clusters."""
    confounded = "150 treated, 1,500 comparison, confounded"
    rates = {"outcome": "rate", "treated": "arm", "n": "n", "values": "yes or no"}
    return (
        World("a", f"{confounded}, linear", people.confounded, _FIVE,
              (Way("ols, HC2", "ols"), *_weighted(rmse=0.28), *ATE)),
        World("b", f"{confounded}, not linear", partial(people.confounded, nonlinear=True), _FIVE,
              (*_weighted(rmse=0.33), *ATE,
               Way("aipw, the user's own outcome model", "aipw", {"outcome_model": squares}, rmse=0.33))),
        World("lot", "150 treated, 300 comparison by lot", partial(by_lot, treated=150, comparison=300), _FIVE,
              (Way("difference, HC2", "difference"), Way("ols, HC2", "ols"),
               Way("historical baseline, adjusted", "historical baseline"))),
        World("small lot", "20 treated, 25 comparison by lot", partial(by_lot, treated=20, comparison=25), _PERSON,
              (Way("difference, HC2", "difference"),
               Way("difference, permutation", "difference", {"se": "permutation", "draws": 999}))),
        World("e", "yes/no at 10 %, difference -.04, confounded", people.rare,
              {**_PERSON, "covariates": ["x1", "x2", "x3"]}, (Way("ols, HC2", "ols"), *_weighted()), -0.04, 0.005),
        World("e lot", "yes/no at 10 %, difference -.04, by lot", rare_by_lot, _PERSON,
              (Way("difference, HC2", "difference"),), -0.04, 0.005),
        World("rates", "published shares, .4 of 300 and .5 of 400",
              partial(two_rates, treated=(0.4, 300), comparison=(0.5, 400)), rates,
              (Way("published", "published"),), -0.1, 0.005),
        World("rare rates", "published shares, .04 of 120 and .1 of 150",
              partial(two_rates, treated=(0.04, 120), comparison=(0.1, 150)), rates,
              (Way("published", "published"),), -0.06, 0.005),
    )  # fmt: skip


def _clusters() -> tuple[World, ...]:
    """People in clusters."""
    few, lot = "6 treated and 6 comparison clusters, ICC .1", {**_TEAMS, "covariates": []}
    twice = {**lot, "time": "time"}
    no_luck = partial(people.clustered, treated_clusters=5, comparison_clusters=5, times=2, icc=0.0)
    return (
        World("c", "12 clusters, treatment within them, ICC .1", partial(people.clustered, within=True), _TEAMS,
              (*CLUSTERED, Way("ols within clusters, CR2", "ols", {"within": "cluster"}),
               Way("multilevel, effects differ", "multilevel", {"random": "slope"}))),
        World("d", few, people.clustered, _TEAMS, CLUSTERED),
        World("d lot", f"{few}, by lot", partial(people.clustered, lean=0.0), lot, BY_CLUSTER_LOT),
        World("d twice", f"{few}, before and after", partial(people.clustered, times=2), twice, TWICE),
        World("did", "150 treated, 450 comparison, before and after", no_luck,
              {**_PERSON, "time": "time"}, (Way("did, HC2", "did"),)),
    )  # fmt: skip


def _units() -> tuple[World, ...]:
    """Areas over time."""
    first = {**_UNITS, "first_treated": "first_treated"}
    one = {**_UNITS, "treated": "treated"}
    ranked = (
        Way("synthetic control", "synthetic control"),
        Way("synthetic did, its interval", "synthetic did"),
        Way("synthetic did, placebo rank", "synthetic did", read=placebo_p),
    )
    about = "20 areas, 30 years, one treated for 10"
    return (
        World("f 200", "staggered, 200 units", lambda seed: panels.staggered_panel(200, seed=seed), first, STAGGERED),
        World("f 20", "staggered, 20 units", lambda seed: panels.staggered_panel(20, seed=seed), first, STAGGERED),
        World("areas, none", f"{about}, no effect", partial(areas, effect=0.0), one, ranked, 0.0, judged="size"),
        World("areas", f"{about}, effect three times the yearly noise", partial(areas, effect=3.0), one, ranked, 3.0,
              judged="power"),
    )  # fmt: skip


def _others() -> tuple[World, ...]:
    """Cutoffs, series and the past."""
    jump = {"outcome": "y", "running": "score", "person": "person"}
    gaussian = {"family": "gaussian", "harmonics": 1}
    cutoff = panels.discontinuity_world
    its = "interrupted time series"
    return (
        World("cutoff", "1,000 people, the cutoff decides", lambda seed: cutoff(1000, seed=seed), jump,
              (Way("regression discontinuity", "regression discontinuity"),)),
        World("small cutoff", "300 people, the cutoff decides", lambda seed: cutoff(300, seed=seed), jump,
              (Way("regression discontinuity", "regression discontinuity"),)),
        World("fuzzy", "2,000 people, the cutoff moves .1 to .8", partial(_fuzzy, 2000),
              {**jump, "treated": "treated"}, (Way("regression discontinuity, fuzzy", "regression discontinuity"),)),
        World("amounts", "72 months, a step of 2, errors of their own", partial(monthly, kind="amounts"), _SERIES,
              (Way(its, its, gaussian),)),
        World("fading", "72 months, a step of 2, errors that fade (.4)", partial(monthly, kind="fading"), _SERIES,
              (Way(its, its, gaussian), Way(f"{its}, AR1", its, {**gaussian, "se": "ar1"}),
               Way(f"{its}, HAC", its, {**gaussian, "se": "hac"}))),
        World("counts", "72 months of counts, a step to .9, twice Poisson's variance", partial(monthly, kind="counts"),
              _SERIES, (Way(its, its, {"harmonics": 1}),), 0.9, 0.005),
        World("years", "120 people in each of 8 earlier years and now", years, {**_PERSON, "time": "year"},
              (Way("historical baseline, a line", "historical baseline"),)),
        World("figure", "150 people now, 200 before by mean and spread", against_a_figure,
              {"outcome": "y", "person": "person"}, (Way("historical baseline, one figure", "historical baseline"),)),
    )  # fmt: skip


def worlds() -> tuple[World, ...]:
    """Every world, those of the issue by their letters."""
    return (*_people(), *_clusters(), *_units(), *_others())


def told(world: World, frame: pd.DataFrame, way: Way) -> dict[str, Any]:
    """The arguments of one estimate; a published figure is read from the table it came with."""
    given = {**world.columns, **way.options}
    if world.name == "figure":
        given |= {"baseline_mean": float(frame["mean"].iloc[0]), "baseline_sd": float(frame["sd"].iloc[0])}
        given |= {"baseline_n": 200, "source": "drawn"}
    return given
