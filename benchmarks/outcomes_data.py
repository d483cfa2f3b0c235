"""Drawn outcomes for `outcomes.py`: forms, measures, readings, episodes. The same size gives the same data."""

from __future__ import annotations

import numpy as np
import pandas as pd

Array = np.ndarray
BLANK, MISSING = 0.03, 0.10
MEASURES = [f"m{place}" for place in range(1, 9)]
SERVICES = 400
# Items of the Strengths and Difficulties Questionnaire that say something good: they go down as difficulties go up.
GOOD = {1, 4, 9, 17, 20, 7, 11, 14, 21, 25}


def forms(rows: int, kind: str) -> pd.DataFrame:
    """Parent SDQ forms with the supplement, as read from a csv (float64 with NaN), or as small whole numbers.

    uint8 cannot hold a blank, so those forms are complete; of the others 3 % of the answers are blank.
    """
    rng = np.random.default_rng(1)
    trouble = rng.normal(size=rows)
    answers = {}
    for item in range(1, 26):
        leaning = (-0.7 if item in GOOD else 0.7) * trouble + rng.normal(size=rows)
        answers[f"q{item}"] = (leaning > 0.3).astype(float) + (leaning > 1.2)
    for item in range(1, 6):
        leaning = 0.9 * trouble + rng.normal(size=rows)
        answers[f"imp{item}"] = (leaning > 0.5).astype(float) + (leaning > 1.2) + (leaning > 2)
    if kind != "uint8":
        for column in answers.values():
            column[rng.random(rows) < BLANK] = np.nan
    return pd.DataFrame(answers).astype(kind)


def measures(rows: int) -> tuple[pd.DataFrame, Array]:
    """Eight measures in units of their own, 10 % missing, and who is in the reference."""
    rng = np.random.default_rng(2)
    return _eight(rng, rng.normal(size=rows)), rng.random(rows) < 0.5


def served(rows: int) -> pd.DataFrame:
    """The same eight measures of persons in 400 services of unequal size, every other one of them treated."""
    rng = np.random.default_rng(3)
    size = rng.gamma(4, 1, SERVICES)
    service = np.sort(rng.choice(SERVICES, rows, p=size / size.sum()))
    treated = np.arange(SERVICES) % 2
    level = rng.normal(0, 0.2, SERVICES) + 0.2 * treated
    frame = _eight(rng, rng.normal(size=rows) + level[service])
    return frame.assign(service=service, treated=treated[service])


def _eight(rng: np.random.Generator, wellbeing: Array) -> pd.DataFrame:
    rows, columns = len(wellbeing), {}
    for place, name in enumerate(MEASURES):
        values = 10 * place + (place + 1) * ((0.4 + 0.05 * place) * wellbeing + rng.normal(size=rows))
        values[rng.random(rows) < MISSING] = np.nan
        columns[name] = values
    return pd.DataFrame(columns)


def readings(rows: int, services: int = 0, dates: bool = False) -> pd.DataFrame:
    """Five readings of each child, a line for each; with services, lines of theirs, and whole services treated.

    With dates no two children have the same times, and 10 % of the readings are missing.
    """
    rng, children = np.random.default_rng(4), rows // 5
    child, time = np.repeat(np.arange(children), 5), np.tile(np.arange(5.0), children)
    service = np.arange(children) % services if services else np.arange(children)
    treated = service % 2
    if dates:
        time += rng.uniform(-0.3, 0.3, len(time))
    own = rng.multivariate_normal([0, 0], [[0.6, 0.05], [0.05, 0.03]], children)
    score = 1 + 0.3 * time + 0.05 * treated[child] + 0.12 * time * treated[child]
    score += own[child, 0] + own[child, 1] * time + rng.normal(0, 0.6, len(time))
    frame = pd.DataFrame({"child": child, "occasion": time, "treated": treated[child], "y": score})
    if services:
        theirs = rng.multivariate_normal([0, 0], [[0.1, 0.01], [0.01, 0.01]], services)
        frame["service"] = service[child]
        frame["y"] += theirs[service[child], 0] + theirs[service[child], 1] * time
    return frame[rng.random(len(frame)) > MISSING].reset_index(drop=True) if dates else frame


def answers(rows: int, items: int = 20) -> pd.DataFrame:
    """Answers from 0 to 4 to items of one scale, none blank."""
    rng = np.random.default_rng(5)
    trait = rng.normal(size=(rows, 1))
    drawn = np.clip(np.round(2 + 0.8 * trait + rng.normal(size=(rows, items))), 0, 4)
    return pd.DataFrame(drawn, columns=[f"i{item}" for item in range(1, items + 1)])


def spells(episodes: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Episodes in care of a third as many people, some overlapping and some without an end, and a window for each."""
    rng, people = np.random.default_rng(6), max(episodes // 3, 1)
    first = np.datetime64("2015-01-01", "s")
    start = rng.integers(0, 2500, episodes)
    end = (start + rng.integers(1, 400, episodes)).astype("timedelta64[D]") + first
    end[rng.random(episodes) < 0.05] = np.datetime64("NaT")
    spells_ = {"person": rng.integers(0, people, episodes), "start": first + start.astype("timedelta64[D]"), "end": end}
    opens = first + rng.integers(0, 2000, people).astype("timedelta64[D]")
    closes = opens + np.timedelta64(912, "D")
    return pd.DataFrame(spells_), pd.DataFrame({"person": np.arange(people), "start": opens, "end": closes})


def trial(rows: int = 38, columns: int = 30) -> tuple[pd.DataFrame, list[str]]:
    """A small trial with many measures: 27 treated of 38, a third of the measures moved."""
    rng, names = np.random.default_rng(7), [f"y{place}" for place in range(1, columns + 1)]
    arm = np.arange(rows) < round(rows * 27 / 38)
    values = rng.normal(size=(rows, columns)) + np.outer(arm, np.arange(columns) % 3 == 0) * 0.9
    return pd.DataFrame(values, columns=names).assign(arm=arm.astype(int)), names


def schools(rows: int = 300) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """Nine items of three factors that go together, in two groups."""
    rng = np.random.default_rng(8)
    factors = {f"f{one}": [f"x{3 * one + item}" for item in (1, 2, 3)] for one in range(3)}
    traits = rng.normal(size=(rows, 3)) @ np.linalg.cholesky(np.full((3, 3), 0.4) + 0.6 * np.eye(3)).T
    values = 0.8 * np.repeat(traits, 3, axis=1) + 0.6 * rng.normal(size=(rows, 9))
    frame = pd.DataFrame(values, columns=[name for names in factors.values() for name in names])
    return frame.assign(school=np.where(np.arange(rows) % 2, "north", "south")), factors
