"""The verb of the design stage and its noun: what a design can find, and what its contract would pay for."""

from __future__ import annotations

import math
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from evalkit.counterfactual.design.saying import flags_of, sentences_of
from evalkit.counterfactual.design.settings import FIELDS, Setting, setting_for
from evalkit.counterfactual.design.trials import Trials, moved
from evalkit.counterfactual.estimating import COMMON
from evalkit.counterfactual.registry import Entry, find_estimator
from evalkit.errors import EstimationError, Flag, as_list, did_you_mean, several

NOTHING, EXPECTED, WORTHWHILE, DETECTABLE = "no effect", "expected", "smallest worthwhile", "smallest found"
TRIES = 4


@dataclass(frozen=True, eq=False)
class DesignStage:
    """What a design was found to do on invented data whose truth is known.

    Parameters
    ----------
    table : DataFrame, one row per true effect
        name ("no effect", "expected", "smallest worthwhile", "smallest found"), effect (the truth), draws, failed
        (the estimator refused), no_interval, bias, sd (of the estimates), mean_se, coverage (of those with an
        interval), power (share of all draws with p below 1 - level), pays (share in which the contract pays); bias,
        coverage, power and pays each with ``_error``, the Monte Carlo standard error.
    detectable : float
        The smallest true effect, towards better, that is found in a share ``power`` of the draws; NaN where none is.
    pays_for_nothing, pays_for_nothing_error : float
        Chance that the contract pays although the programme changed nothing; NaN without a threshold.
    misses, misses_error : float
        Chance that it does not pay although the effect is the smallest worthwhile (else the expected) one.
    says : tuple of str
        The same in plain sentences.
    flags : tuple of Flag
        What a reader must be told.
    setting : Setting
        The world it was tried in.
    estimator : str
        The estimator's name.
    """

    table: pd.DataFrame
    detectable: float
    pays_for_nothing: float
    pays_for_nothing_error: float
    misses: float
    misses_error: float
    says: tuple[str, ...]
    flags: tuple[Flag, ...]
    setting: Setting
    estimator: str

    def __repr__(self) -> str:
        return f"DesignStage({self.estimator}, {len(self.table)} true effects, {int(self.table['draws'].max())} draws)"

    def _repr_html_(self) -> str:
        """The sentences, the table and the flags."""
        told = "".join(f"<p>{text}</p>" for text in self.says)
        return told + self.table.round(4).to_html(index=False, border=0) + as_list(self.flags)


def design_stage(
    estimator: str,
    *,
    treated: int,
    comparison: int,
    effect: float | None = None,
    draws: int = 500,
    seed: int = 0,
    **options: Any,
) -> DesignStage:
    """Try a design on invented data with a known truth, before its outcomes exist.

    Parameters
    ----------
    estimator : str
        On the list that `known_estimators` gives; the real one is run.
    treated, comparison : int
        People with and without the programme (units of a panel; times after and before of a series).
    effect : float, optional
        The expected effect in the outcome's unit, with its sign; for "yes or no" a difference of shares.
    draws : int
        Data sets; 500 give a Monte Carlo error of 0.01 on a coverage of 0.95.
    seed : int
        The same seed gives the same answer.
    **options
        Fields of `Setting`: clusters, assigned, icc, mean, sd, base_rate, r2, covariates, confounding, unmeasured,
        attrition, correlation, periods, before, values, better, threshold, threshold_is, power, level, people;
        ``smallest_worthwhile``, an effect; ``workers``, processes that share the draws (default 1). Everything else
        is an option of the estimator, as `estimate` takes it.

    Returns
    -------
    DesignStage
        Bias, coverage and power at no effect, at the expected one and at the smallest that is found; chances of
        paying for nothing and of not paying for something.

    Raises
    ------
    EstimationError
        The estimator's data cannot be drawn, an option is not known, or no data set could be estimated.

    Notes
    -----
    The smallest effect that is found is read off the draws themselves where an effect only moves the estimate (tried
    on the first draws), else from the mean standard error and corrected by draws of its own.

    References
    ----------
    Morris, White and Crowther (2019), Statistics in Medicine 38, 2074-2102, table 6 (Monte Carlo errors).

    Examples
    --------
    >>> stage = design_stage("difference", treated=64, comparison=64, effect=0.5, draws=50)
    >>> list(stage.table["name"])
    ['no effect', 'expected', 'smallest found']
    """
    entry = find_estimator(estimator)
    worthwhile, workers = options.pop("smallest_worthwhile", None), int(options.pop("workers", 1))
    given, how = _split(entry, options)
    setting = setting_for(entry, {"treated": treated, "comparison": comparison, **given})
    trials = Trials(entry, setting, {"level": setting.level, **_about(setting), **how}, draws, seed)
    wanted = {NOTHING: 0.0, EXPECTED: effect, WORTHWHILE: None if worthwhile == effect else worthwhile}
    effects = {name: float(one) for name, one in wanted.items() if one is not None}
    with _pool(workers) as pool:
        table, detectable = _tried(replace(trials, pool=pool), effects)
    nothing = _chance(table, (NOTHING,), False)
    misses = _chance(table, (WORTHWHILE, EXPECTED), True)
    says = sentences_of(entry, setting, table, detectable)
    flags = flags_of(entry, setting, table, detectable)
    return DesignStage(table, detectable, *nothing, *misses, says, flags, setting, entry.name)


def _pool(workers: int) -> AbstractContextManager[Executor | None]:
    """Fresh processes, which do not inherit threads of ours; none for one worker."""
    if workers < 2:
        return nullcontext()
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"))


def _split(entry: Entry, options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Options of the world, and those of the estimator."""
    taken = [*COMMON, *entry.options]
    given = {name: value for name, value in options.items() if name in FIELDS}
    rest = {name: value for name, value in options.items() if name not in FIELDS}
    strange = [name for name in rest if name not in taken]
    if strange:
        known = [*FIELDS, "smallest_worthwhile", "workers", *taken]
        raise EstimationError(
            several("the design", [f'"{name}" is not known. {did_you_mean(name, known)}' for name in strange])
        )
    return given, rest


def _about(setting: Setting) -> dict[str, Any]:
    """What `estimate` is told of the outcome."""
    return {"better": setting.better, **({"values": setting.values} if setting.yes_or_no else {})}


def _tried(trials: Trials, effects: dict[str, float]) -> tuple[pd.DataFrame, float]:
    """A row for each true effect, and the smallest that is found."""
    setting = trials.setting
    plain = trials.under(0.0)
    probe = next((one for one in effects.values() if one), setting.sign * setting.sd / 2)
    alike = trials.moves_alike(probe)
    rows = [
        _judged(name, one, moved(plain, one) if alike and one else _under(trials, plain, one), setting)
        for name, one in effects.items()
    ]
    detectable = _read_off(plain, setting) if alike else math.nan
    if alike and math.isfinite(detectable):
        rows.append(_judged(DETECTABLE, detectable, moved(plain, detectable), setting))
    elif not alike:
        detectable, last = _searched(trials, plain)
        rows += [] if last is None else [last]
    return pd.DataFrame(rows), detectable


def _under(trials: Trials, plain: pd.DataFrame, effect: float) -> pd.DataFrame:
    return plain if effect == 0 else trials.under(effect)


def _read_off(plain: pd.DataFrame, setting: Setting) -> float:
    """The smallest effect found often enough, by halving, where effects only move the estimate."""

    def found(size: float) -> float:
        return float((moved(plain, setting.sign * size)["p"] < 1 - setting.level).mean())

    if plain["se"].isna().all():
        return math.nan
    low, high = 0.0, 4.0 * float(plain["se"].mean())
    while found(high) < setting.power:
        high *= 2
        if high > 1e6 * float(plain["se"].mean()):
            return math.nan
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if found(middle) < setting.power else (low, middle)
    return setting.sign * high


def _searched(trials: Trials, plain: pd.DataFrame) -> tuple[float, dict[str, Any] | None]:
    """The smallest effect found often enough: from the mean standard error, corrected by draws of its own."""
    setting = trials.setting
    df = float(plain["df"].median()) if plain["df"].notna().any() else math.inf
    critical = float(stats.t.ppf(0.5 + setting.level / 2, df))
    wanted = critical + float(stats.norm.ppf(setting.power))
    size = wanted * _typical(plain)
    for _ in range(TRIES):
        try:
            row = _judged(DETECTABLE, setting.sign * size, trials.under(setting.sign * size), setting)
        except EstimationError:
            return math.nan, None
        if abs(row["power"] - setting.power) <= 2 * row["power_error"]:
            return setting.sign * size, row
        reached = float(stats.norm.ppf(min(max(row["power"], 0.02), 0.98)))
        size *= wanted / max(critical + reached, 0.5)
    return math.nan, None


def _typical(plain: pd.DataFrame) -> float:
    """The mean standard error; where there is none, the spread of the estimates."""
    return float(plain["se"].mean()) if plain["se"].notna().any() else float(plain["effect"].std(ddof=1))


def _judged(name: str, truth: float, found: pd.DataFrame, setting: Setting) -> dict[str, Any]:
    """One row of the table."""
    there = found[found["effect"].notna()]
    bounded = there[there["low"].notna() & there["high"].notna()]
    covered = (bounded["low"] <= truth) & (truth <= bounded["high"])
    seen = there["p"] < 1 - setting.level
    bias = there["effect"] - truth
    row: dict[str, Any] = {"name": name, "effect": truth, "draws": len(found), "failed": len(found) - len(there)}
    row |= {"no_interval": len(there) - len(bounded), "bias": float(bias.mean())}
    row |= {"bias_error": float(bias.std(ddof=1) / math.sqrt(len(there))) if len(there) > 1 else math.nan}
    row |= {"sd": float(bias.std(ddof=1)), "mean_se": float(there["se"].mean())}
    row |= _share("coverage", covered, len(bounded)) | _share("power", seen, len(found))
    return row | _share("pays", pays(there, setting), len(found) if setting.threshold is not None else 0)


def pays(found: pd.DataFrame, setting: Setting) -> pd.Series:
    """Whether the contract pays on each estimate.

    Parameters
    ----------
    found : DataFrame
        effect and counterfactual.
    setting : Setting
        With threshold, threshold_is and better.

    Returns
    -------
    Series of bool
        The estimate itself is held to the threshold, as contracts do; False where there is no threshold.
    """
    if setting.threshold is None:
        return pd.Series(False, index=found.index)
    gain = setting.sign * found["effect"]
    if setting.threshold_is == "relative":
        gain = gain / found["counterfactual"].where(found["counterfactual"] > 0)
    return gain >= setting.threshold - 1e-12


def _share(name: str, yes: pd.Series, of: int) -> dict[str, float]:
    """A share of draws with its Monte Carlo error, which is never 0: two draws of each kind are added for it."""
    if not of:
        return {name: math.nan, f"{name}_error": math.nan}
    share, smooth = int(np.sum(yes)) / of, (int(np.sum(yes)) + 2) / (of + 4)
    return {name: share, f"{name}_error": math.sqrt(smooth * (1 - smooth) / of)}


def _chance(table: pd.DataFrame, names: tuple[str, ...], of_not: bool) -> tuple[float, float]:
    """The share in which the contract pays, or does not, at the first of these effects that was tried."""
    for name in names:
        rows = table[table["name"] == name]
        if len(rows):
            share = float(rows["pays"].iloc[0])
            return (1 - share if of_not else share), float(rows["pays_error"].iloc[0])
    return math.nan, math.nan
