"""Ways to match, weight, resample and compare, each run in a process of its own by `counterfactual.py`.

Usage: python benchmarks/counterfactual_peers.py JOB WAY SIZE [FILE]; the answers are kept in the file, to be compared.
"""

from __future__ import annotations

import importlib
import json
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

import counterfactual_data as drawn
import numpy as np
import pandas as pd
from cohort_peers import peak
from counterfactual_data import COVARIATES
from outcomes_way import Answer, Elsewhere, Way

Array = np.ndarray
DRAWS, FEW_DRAWS = 9_999, 200
SMALL = 4_000  # rows of the run before the clock starts, which loads what is loaded on first use
MOST_RUNS, ENOUGH = 7, 1.0
PEOPLE = {"outcome": "y", "treated": "treated", "covariates": COVARIATES, "person": "person"}


def ours(frame: pd.DataFrame, name: str, **arguments: Any) -> Any:
    """evalkit's estimate; imported when it is needed, so that peers do not hold evalkit in memory."""
    return importlib.import_module("evalkit.counterfactual").estimate(frame, name, **arguments)


def effect_of(found: Any) -> Answer:
    """The effect of an estimate of evalkit's, or of a way by hand."""
    return {"effect": np.atleast_1d(getattr(found, "effect", found))}


# ---------------------------------------------------------------- matching


def our_matching(frame: pd.DataFrame, **options: Any) -> Any:
    """Logit, matching, balance, standard error by pairs, diagnostics and flags."""
    return ours(frame, "matching", **PEOPLE, **options)


def by_matchit(frame: pd.DataFrame) -> Elsewhere:
    """MatchIt in R, on the same rows handed over as a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.csv"
        frame.to_csv(path, index=False)
        script = Path(__file__).with_name("counterfactual_matchit.R")
        done = subprocess.run(["Rscript", script, path], check=True, capture_output=True, text=True)
    return Elsewhere(**json.loads(done.stdout.splitlines()[-1]))


def logit(frame: pd.DataFrame) -> Array:
    """The score alone, by statsmodels."""
    from statsmodels.api import Logit

    x = np.column_stack([np.ones(len(frame)), frame[COVARIATES].to_numpy()])
    return np.asarray(Logit(frame["treated"].to_numpy(), x).fit(disp=0).predict())


def greedy(frame: pd.DataFrame) -> Array:
    """The score by statsmodels, then largest score first to the nearest left, by a loop over bisected lists.

    No balance and no standard error: the least that anybody would write.
    """
    from bisect import bisect_left

    score, treated = logit(frame), frame["treated"].to_numpy() == 1
    ids, y = frame["person"].to_numpy(), frame["y"].to_numpy()
    mine, others = np.flatnonzero(treated), np.flatnonzero(~treated)
    mine = mine[np.lexsort((ids[mine], -score[mine]))]
    others = others[np.argsort(score[others], kind="stable")]
    left, names = score[others].tolist(), others.tolist()
    gaps = []
    for one in mine:
        place = bisect_left(left, score[one])
        near = [i for i in (place - 1, place) if 0 <= i < len(left)]
        taken = min(near, key=lambda i: abs(left[i] - score[one]))
        gaps.append(y[one] - y[names[taken]])
        del left[taken], names[taken]
    return np.array([np.mean(gaps)])


# ---------------------------------------------------------------- weighting


def our_balancing(frame: pd.DataFrame) -> Any:
    """Weights, standard error, balance, diagnostics and flags."""
    return ours(frame, "entropy balancing", **PEOPLE)


def dual(frame: pd.DataFrame) -> Array:
    """The weights by scipy's minimiser on the dual with its gradient, then the difference: no standard error."""
    from scipy.optimize import minimize
    from scipy.special import logsumexp

    treated, x, y = frame["treated"].to_numpy() == 1, frame[COVARIATES].to_numpy(), frame["y"].to_numpy()
    away = (x[~treated] - x[treated].mean(axis=0)) / x[treated].std(axis=0)

    def criterion(slopes: Array) -> tuple[float, Array]:
        pull = away @ slopes
        total = logsumexp(pull)
        return float(total), np.exp(pull - total) @ away

    found = minimize(criterion, np.zeros(x.shape[1]), jac=True, method="BFGS", options={"gtol": 1e-8})
    pull = away @ found.x
    weights = np.exp(pull - logsumexp(pull))
    return np.array([y[treated].mean() - weights @ y[~treated]])


def weighted_means(frame: pd.DataFrame) -> Array:
    """Another road to a weighted comparison: statsmodels' Logit, then its WLS with robust errors (weights as known)."""
    from statsmodels.api import WLS

    e, t = logit(frame), frame["treated"].to_numpy()
    design = np.column_stack([np.ones(len(t)), t])
    fit = WLS(frame["y"].to_numpy(), design, weights=np.where(t == 1, 1.0, e / (1 - e))).fit(cov_type="HC0")
    return np.array([fit.params[1], fit.bse[1]])


def our_aipw(frame: pd.DataFrame) -> Any:
    """Both models, standard error, balance, diagnostics and flags."""
    return ours(frame, "aipw", **PEOPLE)


def by_two_models(frame: pd.DataFrame) -> Array:
    """Logit and OLS on the comparison by statsmodels, put together by hand; the error from the influence function."""
    from statsmodels.api import OLS

    e, t, y = logit(frame), frame["treated"].to_numpy(), frame["y"].to_numpy()
    x = np.column_stack([np.ones(len(t)), frame[COVARIATES].to_numpy()])
    left = y - OLS(y[t == 0], x[t == 0]).fit().predict(x)
    weights = (1 - t) * e / (1 - e)
    effect = left[t == 1].mean() - (weights * left).sum() / weights.sum()
    rows = (t * (left - effect) - weights * left) / t.sum()
    return np.array([effect, np.sqrt((rows**2).sum())])


# ---------------------------------------------------------------- the wild bootstrap

SCHOOLS = {"outcome": "y", "treated": "treated", "covariates": ["x1", "x2"], "person": "person", "cluster": "school"}


def our_wild(frame: pd.DataFrame) -> Any:
    """p-value and interval by test inversion from 9,999 draws, and everything that an estimate holds."""
    return ours(frame, "ols", **SCHOOLS, se="wild", draws=DRAWS)


def refitted(frame: pd.DataFrame) -> tuple[float, float]:
    """p by a loop of 200 draws, each outcome made anew and fitted again with its cluster-robust error; no interval."""
    random = np.random.default_rng(0)
    x = np.column_stack([np.ones(len(frame)), frame[["treated", "x1", "x2"]].to_numpy(dtype=float)])
    y, school = frame["y"].to_numpy(), frame["school"].to_numpy()
    without = np.delete(x, 1, axis=1)
    fitted = without @ np.linalg.lstsq(without, y, rcond=None)[0]
    effect, t = _studentised(y, x, school)
    signs = random.choice([-1.0, 1.0], (FEW_DRAWS, school.max() + 1))
    larger = sum(abs(_studentised(fitted + (y - fitted) * one[school], x, school)[1]) >= abs(t) for one in signs)
    return effect, (1 + larger) / (1 + FEW_DRAWS)


def _studentised(y: Array, x: Array, school: Array) -> tuple[float, float]:
    """The effect and its cluster-robust t."""
    bread = np.linalg.inv(x.T @ x)
    beta = bread @ (x.T @ y)
    scores = pd.DataFrame(x * (y - x @ beta)[:, None]).groupby(school).sum().to_numpy()
    variance = (bread @ (scores.T @ scores) @ bread)[1, 1]
    return float(beta[1]), float(beta[1] / np.sqrt(variance))


def of_wild(found: Any) -> Answer:
    """Effect and p."""
    effect, p = found if isinstance(found, tuple) else (found.effect, found.p)
    return {"effect": np.array([effect]), "p": np.array([p])}


# ---------------------------------------------------------------- the specification curve


def two_hundred() -> list[Any]:
    """Five estimators, twenty sets of covariates, two errors, two estimands, three calipers: 200 specifications."""
    many = importlib.import_module("evalkit.counterfactual.many.specifications")
    sets = [COVARIATES[:size] for size in range(1, 9)] + [[one, "need"] for one in COVARIATES if one != "need"]
    sets += [COVARIATES[start:] for start in range(1, 7)]
    listed = many.specifications(["ols"], sets, options={"se": ["hc2", "hc3"]})
    listed += many.specifications(["ipw", "aipw"], sets, options={"estimand": ["ATT", "ATE"]})
    listed += many.specifications(["entropy balancing"], sets)
    listed += many.specifications(["matching"], sets, calipers=[None, 0.1, 0.2])
    if len(listed) != 200:
        raise SystemExit(f"there should be 200 specifications, not {len(listed)}")
    return listed


def our_curve(frame: pd.DataFrame) -> pd.Series:
    """evalkit's curve on two processes, with shares, repeats and flags."""
    curves = importlib.import_module("evalkit.counterfactual.many.curves")
    listed = two_hundred()
    rest = {name: value for name, value in PEOPLE.items() if name != "covariates"}
    table = curves.specification_curve(frame, listed, main=listed[0], workers=2, **rest).table
    return table.set_index("id")["effect"]


def one_by_one(frame: pd.DataFrame) -> pd.Series:
    """The same estimates one after the other."""
    rest = {name: value for name, value in PEOPLE.items() if name != "covariates"}
    return pd.Series({one.id: ours(frame, one.estimator, **rest, **one.arguments()).effect for one in two_hundred()})


# ---------------------------------------------------------------- placebos


def our_placebos(frame: pd.DataFrame) -> Any:
    """The estimate with all placebos, rank, interval and leave-one-donor-out."""
    return ours(frame, "synthetic control", outcome="y", treated="treated", unit="state", time="year")


def by_slsqp(frame: pd.DataFrame) -> Array:
    """A mix of the others for every state by scipy's SLSQP, as textbooks write it; the gap of the treated after.

    Outcomes are in their own spread: in the data's unit it stops at the first step and says that it succeeded.
    """
    from scipy.optimize import minimize

    wide = frame.pivot(index="state", columns="year", values="y").to_numpy()
    unit = wide.std()
    y = wide / unit
    treated = frame.pivot(index="state", columns="year", values="treated").to_numpy()
    start, mine = int((treated.sum(axis=0) == 0).sum()), int(treated.any(axis=1).argmax())
    gaps = []
    for place in range(len(y)):
        donors, path = np.delete(y, place, axis=0), y[place]
        before, wanted = donors[:, :start], path[:start]

        def criterion(weights: Array, before: Array = before, wanted: Array = wanted) -> tuple[float, Array]:
            away = weights @ before - wanted
            return float(away @ away), 2 * before @ away

        count = len(donors)
        total = {"type": "eq", "fun": lambda weights: weights.sum() - 1, "jac": np.ones_like}
        found = minimize(
            criterion, np.full(count, 1 / count), jac=True, bounds=[(0, 1)] * count, constraints=[total],
            method="SLSQP", options={"maxiter": 1_000, "ftol": 1e-12},
        )  # fmt: skip
        gaps.append(path - found.x @ donors)
    return np.array([gaps[mine][start:].mean() * unit])


# ---------------------------------------------------------------- ways


def _people(*, one_in: int = drawn.SHARE, **ways: Callable[..., Any]) -> dict[str, Way]:
    def draw(rows: int) -> tuple:
        return (drawn.chosen(rows, one_in),)

    return {
        name: Way(draw, run, lambda found: {"effect": effect_of(found)["effect"][:1]}) for name, run in ways.items()
    }


def _matching() -> dict[str, Way]:
    near = {"distance": "logit", "caliper": 0.2}
    found = _people(evalkit=our_matching, caliper=lambda frame: our_matching(frame, **near), logit=logit, greedy=greedy)
    return found | {"MatchIt": Way(lambda rows: (drawn.chosen(rows),), by_matchit, lambda _: {})}


def _pupils() -> dict[str, Way]:
    return {name: Way(lambda rows: (drawn.pupils(rows),), run, of_wild) for name, run in WILD.items()}


def _curve() -> dict[str, Way]:
    def answer(found: pd.Series) -> Answer:
        return {"effects": found.sort_index().to_numpy()}

    runs = {"evalkit": our_curve, "one by one": one_by_one}
    return {name: Way(lambda rows: (drawn.chosen(rows, 5),), run, answer) for name, run in runs.items()}


WILD: dict[str, Callable[..., Any]] = {"evalkit": our_wild, "refit": refitted}
JOBS: dict[str, Callable[[], dict[str, Way]]] = {
    "matching": _matching,
    "balancing": lambda: _people(one_in=4, evalkit=our_balancing, dual=dual, logit_wls=weighted_means),
    "aipw": lambda: _people(one_in=4, evalkit=our_aipw, statsmodels=by_two_models),
    "wild": _pupils,
    "curve": _curve,
    "placebos": lambda: {
        name: Way(lambda units: (drawn.states(units),), run, effect_of)
        for name, run in {"evalkit": our_placebos, "SLSQP": by_slsqp}.items()
    },
}


# ---------------------------------------------------------------- measuring


def cpu_seconds() -> float:
    """Of this process and of those it started and waited for."""
    others = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + others.ru_utime + others.ru_stime


def timed(run: Callable[..., Any], data: tuple) -> tuple[list[tuple[float, float]], Any]:
    """Run as often as fits into a second, seven times at most; what was made is let go before the next."""
    took: list[tuple[float, float]] = []
    found = None
    while len(took) < MOST_RUNS and sum(seconds for seconds, _ in took) < ENOUGH:
        found = None
        clock, cpu = time.perf_counter(), cpu_seconds()
        found = run(*data)
        took.append((time.perf_counter() - clock, cpu_seconds() - cpu))
        if isinstance(found, Elsewhere):
            return [(found.seconds, found.cpu)], found
    return took, found


def measured(way: Way, size: int) -> tuple[dict[str, Any], Answer]:
    """Seconds and CPU seconds, the first time and in the middle, and the most memory held, the data included."""
    outside = way.run is by_matchit
    if not outside:
        way.run(*way.draw(min(size, SMALL)))
    data = way.draw(size)
    # Drawing may hold more than the job: the high-water mark starts anew where the system lets it.
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    before = peak()
    took, found = timed(way.run, data)
    seconds, cpu = zip(*took, strict=True)
    numbers = {"seconds": median(seconds), "cpu": median(cpu), "first": seconds[0], "runs": len(took)}
    numbers |= {"peak": found.peak, "before": None} if outside else {"peak": peak(), "before": before}
    return numbers, way.compared(found, data)


def main() -> None:
    """Run one way of one job, and print what was measured as JSON."""
    warnings.simplefilter("ignore")
    job, name, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
    numbers, answer = measured(JOBS[job]()[name], size)
    if len(sys.argv) > 4:
        np.savez(sys.argv[4], **answer)
    print(json.dumps(numbers))  # noqa: T201


if __name__ == "__main__":
    main()
