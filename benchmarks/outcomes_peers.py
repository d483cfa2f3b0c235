"""Ways to score, index, resample and model outcomes, each run in a process of its own by `outcomes.py`.

Usage: python benchmarks/outcomes_peers.py JOB WAY SIZE [FILE]; the answers are kept in the file, to be compared.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import outcomes_data as drawn
import pandas as pd
from cohort_peers import peak
from outcomes_data import MEASURES

Array = np.ndarray
Answer = dict[str, Any]
DRAWS, FEW_DRAWS, PERMUTATIONS = 2000, 20, 20_000
SMALL = 1000  # rows of the run before the clock starts, which loads what is loaded on first use
MOST_RUNS, ENOUGH = 7, 1.0


def ours(name: str) -> Callable[..., Any]:
    """A function of evalkit's room; imported when it is needed, so that peers do not hold evalkit in memory."""
    return getattr(importlib.import_module("evalkit.outcomes"), name)


# ---------------------------------------------------------------- scoring

SCALES = {
    "emotion": (3, 8, 13, 16, 24),
    "conduct": (5, 7, 12, 18, 22),
    "hyper": (2, 10, 15, 21, 25),
    "peer": (6, 11, 14, 19, 23),
    "prosoc": (1, 4, 9, 17, 20),
}
REVERSED = (7, 11, 14, 21, 25)
SUMS = {
    "total": ("emotion", "conduct", "hyper", "peer"),
    "internal": ("emotion", "peer"),
    "external": ("conduct", "hyper"),
}
# Where each band but the best begins: four bands, then three.
BANDS = {
    "total": ((14, 17, 20), (14, 17)),
    "emotion": ((4, 5, 7), (4, 5)),
    "conduct": ((3, 4, 6), (3, 4)),
    "hyper": ((6, 8, 9), (6, 7)),
    "peer": ((3, 4, 5), (3, 4)),
    "prosoc": ((8, 7, 6), (6, 5)),
    "impact": ((1, 2, 3), (1, 2)),
}


def pandas_by_column(frame: pd.DataFrame) -> pd.DataFrame:
    """Whole columns added up: the fastest pandas found."""
    frame = frame.astype("float64")
    items = {item: 2 - frame[f"q{item}"] if item in REVERSED else frame[f"q{item}"] for item in range(1, 26)}
    found = {}
    for scale, its in SCALES.items():
        answered = sum(items[item].notna().astype("int8") for item in its)
        total = sum(items[item].fillna(0) for item in its)
        found[scale] = np.floor(total * 5 / answered + 0.5).where(answered >= 3)
    found |= {name: sum(found[part] for part in parts) for name, parts in SUMS.items()}
    found["impact"] = sum((frame[f"imp{item}"] - 1).clip(lower=0) for item in range(1, 6))
    return pd.DataFrame(found | _pandas_bands(found))


def pandas_by_row(frame: pd.DataFrame) -> pd.DataFrame:
    """Sums and counts over the rows of each scale's columns (axis=1): what most would write."""
    items = frame.astype("float64")
    turned = [f"q{item}" for item in REVERSED]
    items[turned] = 2 - items[turned]
    found = {}
    for scale, its in SCALES.items():
        part = items[[f"q{item}" for item in its]]
        answered = part.count(axis=1)
        found[scale] = np.floor(part.sum(axis=1) * 5 / answered + 0.5).where(answered >= 3)
    found |= {name: sum(found[part] for part in parts) for name, parts in SUMS.items()}
    impact = (items[[f"imp{item}" for item in range(1, 6)]] - 1).clip(lower=0)
    found["impact"] = impact.sum(axis=1, skipna=False)
    return pd.DataFrame(found | _pandas_bands(found))


def _pandas_bands(found: dict[str, pd.Series]) -> dict[str, pd.Series]:
    bands = {}
    for name, sets in BANDS.items():
        score, known = found[name], found[name].notna()
        for starts in sets:
            worse = [score < start if name == "prosoc" else score >= start for start in starts]
            bands[f"{name}_band{len(starts) + 1}"] = (1.0 + sum(one.astype("int8") for one in worse)).where(known)
    return bands


def numpy_scores(frame: pd.DataFrame) -> pd.DataFrame:
    """The same on columns of a float array."""
    raw = frame.to_numpy(dtype=float, na_value=np.nan)
    items = {item: 2 - raw[:, item - 1] if item in REVERSED else raw[:, item - 1] for item in range(1, 26)}
    there = {item: ~np.isnan(values) for item, values in items.items()}
    filled = {item: np.where(there[item], values, 0.0) for item, values in items.items()}
    found = {}
    with np.errstate(divide="ignore", invalid="ignore"):
        for scale, its in SCALES.items():
            answered = sum(there[item].view(np.int8) for item in its)
            score = np.floor(sum(filled[item] for item in its) * 5 / answered + 0.5)
            score[answered < 3] = np.nan
            found[scale] = score
        found |= {name: sum(found[part] for part in parts) for name, parts in SUMS.items()}
        found["impact"] = sum(np.maximum(raw[:, 24 + item] - 1, 0) for item in range(1, 6))
        for name, sets in BANDS.items():
            score, unknown = found[name], np.isnan(found[name])
            for starts in sets:
                worse = [score < start if name == "prosoc" else score >= start for start in starts]
                band = 1.0 + sum(one.view(np.int8) for one in worse)
                band[unknown] = np.nan
                found[f"{name}_band{len(starts) + 1}"] = band
    return pd.DataFrame(found)


def all_scores(found: pd.DataFrame) -> Answer:
    """Columns in one order, as small as they can be kept without loss."""
    return {"scores": found[sorted(found.columns)].to_numpy(dtype=np.float32)}


# ---------------------------------------------------------------- index


def numpy_index(frame: pd.DataFrame, reference: Array, full: bool) -> tuple[Array, Array]:
    """Inverse-covariance weights and the scaled index, from sums of products of what is there."""
    raw = frame if isinstance(frame, np.ndarray) else frame.to_numpy()
    there = ~np.isnan(raw)
    seen, inside = there.astype(float), reference.astype(float)
    filled = np.where(there, raw, 0.0)
    count = inside @ seen
    filled -= inside @ filled / count
    filled *= seen
    filled /= np.sqrt(inside @ filled**2 / (count - 1))
    return _weighted(filled, seen, reference, full)


def numpy_nan_index(frame: pd.DataFrame, reference: Array, full: bool) -> tuple[Array, Array]:
    """The same with nanmean and nanstd: what most would write."""
    raw = frame.to_numpy()
    inside = raw[reference]
    z = (raw - np.nanmean(inside, axis=0)) / np.nanstd(inside, axis=0, ddof=1)
    there = ~np.isnan(z)
    return _weighted(np.where(there, z, 0.0), there.astype(float), reference, full)


def _weighted(filled: Array, seen: Array, reference: Array, full: bool) -> tuple[Array, Array]:
    z, known = (filled, seen) if full else (filled[reference], seen[reference])
    count, total, product = known.T @ known, z.T @ known, z.T @ z
    weights = np.linalg.solve((product - total * total.T / count) / (count - 1), np.ones(len(count)))
    weights /= weights.sum()
    held = seen @ weights
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.where(held > 1e-8, filled @ weights / held, np.nan)
    inside = values[reference]
    return weights, (values - np.nanmean(inside)) / np.nanstd(inside, ddof=1)


def pandas_index(frame: pd.DataFrame, reference: Array, full: bool) -> tuple[Array, Array]:
    """The same in pandas."""
    inside = frame[reference]
    z = (frame - inside.mean()) / inside.std()
    weights = np.linalg.solve((z if full else z[reference]).cov(), np.ones(z.shape[1]))
    weights /= weights.sum()
    held = z.notna() @ weights
    values = (z.fillna(0) @ weights / held).where(held > 1e-8)
    return weights, ((values - values[reference].mean()) / values[reference].std()).to_numpy()


def our_index(frame: pd.DataFrame, reference: Array, full: bool) -> tuple[Array, Array]:
    """evalkit's, which also finds how far the weights can be relied on."""
    found = ours("cluster_index")(frame, MEASURES, reference, covariance="full" if full else "reference")
    return found.weights.to_numpy(), found.scaled.to_numpy()


# ---------------------------------------------------------------- cluster bootstrap


def our_means(frame: pd.DataFrame, draws: int) -> Array:
    """Differences of means in every draw, from sums by service."""
    return ours("bootstrap_means")(frame, MEASURES, "service", frame["treated"], draws).draws


def our_index_effect(frame: pd.DataFrame, draws: int) -> Array:
    """The effect on the index in every draw, its unit, weights and scale made anew."""
    return ours("bootstrap_index_effect")(frame, MEASURES, frame["treated"], "service", draws).draws


def our_refit(frame: pd.DataFrame, draws: int) -> Array:
    """evalkit's own general way: resample the frame, compute the index again."""

    def effect(sample: pd.DataFrame) -> float:
        treated = (sample["treated"] == 1).to_numpy()
        scaled = ours("cluster_index")(sample, MEASURES, ~treated).scaled
        return float(scaled[treated].mean() - scaled[~treated].mean())

    return ours("cluster_bootstrap")(frame, effect, "service", draws, strata="treated").draws


def refitted(statistic: Callable[[Array, Array], Array | float]) -> Callable[[pd.DataFrame, int], Array]:
    """Resample whole services and compute the statistic again in each draw, by numpy on arrays."""

    def run(frame: pd.DataFrame, draws: int) -> Array:
        raw = np.ascontiguousarray(frame[MEASURES].to_numpy())  # rows are taken, so rows lie together
        treated = frame["treated"].to_numpy() == 1
        codes = np.unique(frame["service"], return_inverse=True)[1]
        ends = np.cumsum(np.bincount(codes))[:-1]
        rows = np.split(np.argsort(codes, kind="stable"), ends)
        arms = np.array([treated[of[0]] for of in rows])
        found = []
        for taken in _drawn(arms, draws):
            sample = np.concatenate([rows[place] for place in taken])
            found.append(np.atleast_1d(statistic(raw[sample], treated[sample])))
        return np.array(found)

    return run


def _drawn(arms: Array, draws: int) -> Array:
    """Which services each draw takes: as many as there are, within arms, drawn as evalkit draws them from seed 1."""
    rng, parts = np.random.default_rng(1), []
    for arm in (False, True):
        inside = np.flatnonzero(arms == arm)
        parts.append(inside[rng.integers(0, len(inside), (draws, len(inside)))])
    return np.concatenate(parts, axis=1)


def mean_differences(raw: Array, treated: Array) -> Array:
    """Treated less comparison, each measure over those who have it."""
    return np.nanmean(raw[treated], axis=0) - np.nanmean(raw[~treated], axis=0)


def index_difference(raw: Array, treated: Array) -> float:
    """The effect on the index, made anew on these rows."""
    scaled = numpy_index(raw, ~treated, True)[1]
    return float(np.nanmean(scaled[treated]) - np.nanmean(scaled[~treated]))


# ---------------------------------------------------------------- growth

MODEL = "y ~ occasion * treated + (occasion | child)"
SERVICE = " + (occasion | service)"


def our_growth(frame: pd.DataFrame) -> Any:
    """evalkit's, which also finds degrees of freedom, everyone's line, and CR2 errors where there are services."""
    service = "service" if "service" in frame else None
    return ours("growth")(frame, "y", "occasion", "child", "treated", cluster=service)


def of_ours(found: Any) -> Answer:
    """Estimates, model standard errors and variances, in lme4's order."""
    return _growth(found.fixed["estimate"], found.fixed["se"], found.variances["vcov"])


def by_statsmodels(frame: pd.DataFrame) -> Any:
    """MixedLM as its documentation fits it."""
    import statsmodels.formula.api as smf

    return smf.mixedlm("y ~ occasion * treated", frame, groups="child", re_formula="~occasion").fit()


def of_statsmodels(found: Any) -> Answer:
    """The same, in the same order."""
    spread = found.cov_re.to_numpy()
    names = found.fe_params.index
    variances = [spread[0, 0], spread[1, 1], spread[0, 1], found.scale]
    return _growth(found.fe_params, found.bse[names], variances)


def by_mixedlm(frame: pd.DataFrame) -> Any:
    """The package mixedlm, which writes lme4's formulas."""
    from mixedlm import lmer

    return lmer(MODEL + (SERVICE if "service" in frame else ""), frame)


def of_mixedlm(found: Any) -> Answer:
    """The same, in the same order."""
    variances = []
    for group in found.VarCorr().groups.values():
        (first, second), between = group.variance.values(), group.cov
        variances += [first, second, between[0, 1]]
    return _growth(list(found.fixef().values()), np.sqrt(np.diag(found.vcov())), [*variances, found.sigma**2])


def _growth(estimates: Any, errors: Any, variances: Any) -> Answer:
    parts = {"estimates": estimates, "standard errors": errors, "variances": variances}
    return {name: np.asarray(part, dtype=float) for name, part in parts.items()}


@dataclass(frozen=True)
class Elsewhere:
    """What another program measured of itself."""

    seconds: float
    cpu: float
    peak: float | None
    version: str
    answer: Answer = field(default_factory=dict)


def by_lmer(frame: pd.DataFrame) -> Elsewhere:
    """lme4 in R, on the same rows handed over as a file."""
    model = MODEL + (SERVICE if "service" in frame else "")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "readings.csv"
        frame.to_csv(path, index=False)
        script = Path(__file__).with_name("outcomes_lmer.R")
        done = subprocess.run(["Rscript", script, path, model], check=True, capture_output=True, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    names = ("estimates", "standard errors", "variances")
    answer = {name: np.array(found.pop(name)) for name in names}
    return Elsewhere(**found, answer=answer)


def of_lmer(found: Elsewhere) -> Answer:
    """What came back."""
    return found.answer


# ---------------------------------------------------------------- ways


@dataclass(frozen=True)
class Way:
    """How to draw the data of a size, what is on the clock, and what is to be compared."""

    draw: Callable[[int], tuple]
    run: Callable[..., Any]
    answer: Callable[[Any], Answer] = field(default=lambda found: {"values": np.asarray(found)})
    check: Callable[..., Any] | None = None  # a smaller run to compare, where the one on the clock cannot be

    def compared(self, found: Any, data: tuple) -> Answer:
        """The answer, off the clock."""
        return self.answer(self.check(*data) if self.check else found)


def _scoring(kind: str) -> dict[str, Way]:
    def draw(rows: int) -> tuple:
        return (drawn.forms(rows, kind),)

    def evalkit(frame: pd.DataFrame) -> pd.DataFrame:
        return ours("score")(frame, "sdq_parent")

    peers = {"pandas": pandas_by_column, "pandas, rows": pandas_by_row, "numpy": numpy_scores}
    return {name: Way(draw, run, all_scores) for name, run in {"evalkit": evalkit, **peers}.items()}


def _index(full: bool) -> dict[str, Way]:
    def draw(rows: int) -> tuple:
        return (*drawn.measures(rows), full)

    def answer(found: tuple[Array, Array]) -> Answer:
        return {"weights": found[0], "index": found[1]}

    runs = {"evalkit": our_index, "numpy": numpy_index, "numpy, nan": numpy_nan_index, "pandas": pandas_index}
    return {name: Way(draw, run, answer) for name, run in runs.items()}


def _bootstrap(run: Callable[..., Array], **refits: Callable[..., Array]) -> dict[str, Way]:
    """evalkit runs all draws, refitting 20; on the first 20 draws both must say the same."""

    def many(rows: int) -> tuple:
        return drawn.served(rows), DRAWS

    def few(rows: int) -> tuple:
        return drawn.served(rows), FEW_DRAWS

    evalkit = Way(many, run, check=lambda frame, _: run(frame, FEW_DRAWS))
    return {"evalkit": evalkit, **{name: Way(few, refit) for name, refit in refits.items()}}


def _growing(services: bool = False, dates: bool = False) -> dict[str, Way]:
    def draw(rows: int) -> tuple:
        return (drawn.readings(rows, max(rows // 200, 4) if services else 0, dates),)

    ways = {"evalkit": Way(draw, our_growth, of_ours), "mixedlm": Way(draw, by_mixedlm, of_mixedlm)}
    if not services:
        ways["MixedLM"] = Way(draw, by_statsmodels, of_statsmodels)
    return {**ways, "lmer": Way(draw, by_lmer, of_lmer)}


def _named(name: str) -> Callable[[], dict[str, Way]]:
    """The ways of information jobs, from their own module."""
    return lambda: getattr(importlib.import_module("outcomes_also"), name)()


JOBS: dict[str, Callable[[], dict[str, Way]]] = {
    "scoring, float64": lambda: _scoring("float64"),
    "scoring, Int8": lambda: _scoring("Int8"),
    "scoring, uint8": lambda: _scoring("uint8"),
    "index, full": lambda: _index(True),
    "index, reference": lambda: _index(False),
    "bootstrap, means": lambda: _bootstrap(our_means, refit=refitted(mean_differences)),
    "bootstrap, index": lambda: _bootstrap(our_index_effect, refit=refitted(index_difference), general=our_refit),
    "growth": lambda: _growing(),
    "growth, dates": lambda: _growing(dates=True),
    "growth, services": lambda: _growing(services=True),
    "reliability": _named("reliability"),
    "days": _named("days"),
    "permutation": _named("permutation"),
    "invariance": _named("invariance"),
}


# ---------------------------------------------------------------- measuring


def timed(run: Callable[..., Any], data: tuple) -> tuple[list[tuple[float, float]], Any]:
    """Run as often as fits into a second, seven times at most; what was made is let go before the next."""
    took: list[tuple[float, float]] = []
    found = None
    while len(took) < MOST_RUNS and sum(seconds for seconds, _ in took) < ENOUGH:
        found = None
        clock, cpu = time.perf_counter(), time.process_time()
        found = run(*data)
        took.append((time.perf_counter() - clock, time.process_time() - cpu))
        if isinstance(found, Elsewhere):
            return [(found.seconds, found.cpu)], found
    return took, found


def measured(way: Way, size: int) -> tuple[dict[str, Any], Answer]:
    """Seconds and CPU seconds, the first time and in the middle, and the most memory held meanwhile."""
    outside = way.run is by_lmer
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
    job, name, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
    numbers, answer = measured(JOBS[job]()[name], size)
    if len(sys.argv) > 4:
        np.savez(sys.argv[4], **answer)
    print(json.dumps(numbers))  # noqa: T201


if __name__ == "__main__":
    main()
