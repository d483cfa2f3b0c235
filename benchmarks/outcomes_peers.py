"""Ways to score, index, resample and model outcomes, each run in a process of its own by `outcomes.py`.

Usage: python benchmarks/outcomes_peers.py JOB WAY SIZE [FILE]; the answers are kept in the file, to be compared.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import outcomes_also as also
import outcomes_data as drawn
import outcomes_plain as plain
import pandas as pd
from cohort_peers import peak
from outcomes_data import MEASURES
from outcomes_way import Answer, Elsewhere, Way, ours

Array = np.ndarray
DRAWS, FEW_DRAWS = 2000, 20
SMALL = 1000  # rows of the run before the clock starts, which loads what is loaded on first use
MOST_RUNS, ENOUGH = 7, 1.0

# ---------------------------------------------------------------- evalkit's ways


def our_scores(frame: pd.DataFrame) -> pd.DataFrame:
    """evalkit's, which also refuses what is no answer."""
    return ours("score")(frame, "sdq_parent")


def our_index(frame: pd.DataFrame, reference: Array, full: bool) -> tuple[Array, Array]:
    """evalkit's, which also finds how far the weights can be relied on."""
    found = ours("cluster_index")(frame, MEASURES, reference, covariance="full" if full else "reference")
    return found.weights.to_numpy(), found.scaled.to_numpy()


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


def all_scores(found: pd.DataFrame) -> Answer:
    """Columns in one order, as small as they can be kept without loss."""
    return {"scores": found[sorted(found.columns)].to_numpy(dtype=np.float32)}


def _scoring(kind: str) -> dict[str, Way]:
    def draw(rows: int) -> tuple:
        return (drawn.forms(rows, kind),)

    peers = {"pandas": plain.pandas_by_column, "pandas, rows": plain.pandas_by_row, "numpy": plain.numpy_scores}
    return {name: Way(draw, run, all_scores) for name, run in {"evalkit": our_scores, **peers}.items()}


def _index(full: bool) -> dict[str, Way]:
    def draw(rows: int) -> tuple:
        return (*drawn.measures(rows), full)

    def answer(found: tuple[Array, Array]) -> Answer:
        return {"weights": found[0], "index": found[1]}

    peers = {"numpy": plain.numpy_index, "numpy, nan": plain.numpy_nan_index, "pandas": plain.pandas_index}
    return {name: Way(draw, run, answer) for name, run in {"evalkit": our_index, **peers}.items()}


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


JOBS: dict[str, Callable[[], dict[str, Way]]] = {
    "scoring, float64": lambda: _scoring("float64"),
    "scoring, Int8": lambda: _scoring("Int8"),
    "scoring, uint8": lambda: _scoring("uint8"),
    "index, full": lambda: _index(True),
    "index, reference": lambda: _index(False),
    "bootstrap, means": lambda: _bootstrap(our_means, refit=plain.refitted(plain.mean_differences)),
    "bootstrap, index": lambda: _bootstrap(
        our_index_effect, refit=plain.refitted(plain.index_difference), general=our_refit
    ),
    "growth": lambda: _growing(),
    "growth, dates": lambda: _growing(dates=True),
    "growth, services": lambda: _growing(services=True),
    "reliability": also.reliability,
    "days": also.days,
    "permutation": also.permutation,
    "invariance": also.invariance,
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
