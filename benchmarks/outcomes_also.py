"""Jobs that `outcomes.py` measures for information: reliability, days in a state, permutation, invariance."""

from __future__ import annotations

from typing import Any

import numpy as np
import outcomes_data as drawn
import pandas as pd
from outcomes_way import Answer, Way, ours

Array = np.ndarray
PERMUTATIONS = 20_000


def reliability() -> dict[str, Way]:
    """Cronbach's alpha with its interval; numpy has none."""

    def draw(rows: int) -> tuple:
        return (drawn.answers(rows),)

    def evalkit(items: pd.DataFrame) -> float:
        return ours("reliability")(items, "alpha").value

    def pingouin(items: pd.DataFrame) -> float:
        from pingouin import cronbach_alpha

        return float(cronbach_alpha(data=items, nan_policy="listwise")[0])

    def plain(items: pd.DataFrame) -> float:
        spread, k = np.cov(items.to_numpy(), rowvar=False), items.shape[1]
        return k / (k - 1) * (1 - np.trace(spread) / spread.sum())

    return {name: Way(draw, run) for name, run in (("evalkit", evalkit), ("pingouin", pingouin), ("numpy", plain))}


def days() -> dict[str, Way]:
    """Days of each window within an episode, overlaps counted once."""

    def by_pandas(episodes: pd.DataFrame, windows: pd.DataFrame) -> pd.Series:
        both = windows.assign(row=np.arange(len(windows))).merge(episodes, on="person", suffixes=("_window", ""))
        start = both["start"].where(both["start"] > both["start_window"], both["start_window"])
        end = both["end"].where(both["end"] < both["end_window"], both["end_window"])
        spans = pd.DataFrame({"row": both["row"], "start": start, "end": end})
        spans = spans[spans["start"] < spans["end"]].sort_values(["row", "start"])
        reached = spans.groupby("row")["end"].cummax().groupby(spans["row"]).shift()
        begins = spans["start"].where(~(reached > spans["start"]), reached)
        counted = (spans["end"] - begins).dt.days.clip(lower=0).groupby(spans["row"]).sum()
        return counted.reindex(np.arange(len(windows)), fill_value=0)

    def evalkit(episodes: pd.DataFrame, windows: pd.DataFrame) -> pd.Series:
        return ours("days_in_state")(episodes, windows)

    return {name: Way(drawn.spells, run) for name, run in (("evalkit", evalkit), ("pandas", by_pandas))}


def permutation() -> dict[str, Way]:
    """Step-down maxT over 30 measures by 20,000 permutations of 38 rows."""

    def draw(rows: int) -> tuple:
        return drawn.trial(rows)

    def evalkit(frame: pd.DataFrame, names: list[str]) -> dict[str, Any]:
        found = ours("westfall_young")(frame, "arm", names, PERMUTATIONS, 1)
        return {"statistic": found["statistic"], "p": found["p_adjusted"]}

    def loop(frame: pd.DataFrame, names: list[str]) -> dict[str, Any]:
        values, arm = frame[names].to_numpy(), frame["arm"].to_numpy() == 1
        rng, observed = np.random.default_rng(1), _welch(values, arm)
        size = np.abs(observed)
        order = np.argsort(-size)
        beyond = np.zeros(len(names))
        for _ in range(PERMUTATIONS):
            shuffled = np.abs(_welch(values, rng.permutation(arm)))[order]
            beyond += np.maximum.accumulate(shuffled[::-1])[::-1] >= size[order] - 1e-9
        p = np.empty(len(names))
        p[order] = np.maximum.accumulate((1 + beyond) / (1 + PERMUTATIONS))
        return {"statistic": observed, "p": p}

    def answer(found: dict[str, Any]) -> Answer:
        return {name: np.asarray(part, dtype=float) for name, part in found.items()}

    return {"evalkit": Way(draw, evalkit, answer), "numpy": Way(draw, loop, answer)}


def _welch(values: Array, arm: Array) -> Array:
    one, other = values[arm], values[~arm]
    error = np.sqrt(one.var(axis=0, ddof=1) / len(one) + other.var(axis=0, ddof=1) / len(other))
    return (one.mean(axis=0) - other.mean(axis=0)) / error


def invariance() -> dict[str, Way]:
    """Four models of nine items in two groups; nothing to compare with where R's lavaan is not at hand."""

    def evalkit(frame: pd.DataFrame, factors: dict[str, list[str]]) -> pd.DataFrame:
        return ours("invariance")(frame, factors, "school")

    return {"evalkit": Way(drawn.schools, evalkit, lambda found: {"chisq": found["chisq"].to_numpy(dtype=float)})}
