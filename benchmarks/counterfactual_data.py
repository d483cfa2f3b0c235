"""The data of `counterfactual.py`, drawn anew in every process, the same for every way."""

from __future__ import annotations

import numpy as np
import pandas as pd

NUMBERS = ["age", "need", "income", "visits", "score"]
YES_NO = ["girl", "carer", "earlier"]
COVARIATES = [*NUMBERS, *YES_NO]
SHARE = 101  # one treated for a hundred of the comparison
PUPIL_GROUPS = 35


def chosen(rows: int, one_in: int = SHARE, seed: int = 1) -> pd.DataFrame:
    """People of whom one in so many is treated, chosen by eight covariates; ids are text and rows stand in no order.

    Covariates are drawn given the arm (normal with a shift, yes/no with other chances), which makes the logit of
    treatment linear in them.
    """
    random = np.random.default_rng(seed)
    treated = np.zeros(rows, dtype=int)
    treated[: max(rows // one_in, 60)] = 1
    random.shuffle(treated)
    shift = np.array([0.3, 0.4, -0.3, 0.2, -0.2])
    columns = {name: random.normal(size=rows) + shift[i] * treated for i, name in enumerate(NUMBERS)}
    chances = ((0.5, 0.45), (0.2, 0.3), (0.3, 0.45))
    for name, (none, one) in zip(YES_NO, chances, strict=True):
        columns[name] = (random.uniform(size=rows) < np.where(treated == 1, one, none)).astype(float)
    y = 10 + columns["age"] + columns["need"] - columns["income"] + columns["earlier"] + 2.0 * treated
    y = y + random.normal(0, 3, rows)
    ids = np.char.add("p", np.char.zfill(random.permutation(rows).astype(str), 8))
    return pd.DataFrame({"person": ids, "treated": treated, **columns, "y": y})


def pupils(rows: int, seed: int = 2) -> pd.DataFrame:
    """Pupils of 35 schools, of which every second is treated whole; two covariates; an effect of .5."""
    random = np.random.default_rng(seed)
    school = np.sort(random.integers(0, PUPIL_GROUPS, rows))
    school[:PUPIL_GROUPS] = np.arange(PUPIL_GROUPS)
    treated = (school % 2 == 0).astype(int)
    x1, x2 = random.normal(size=(2, rows))
    y = 0.5 * treated + x1 + 0.5 * x2 + random.normal(0, 0.7, PUPIL_GROUPS)[school] + random.normal(0, 2, rows)
    ids = np.char.add("p", np.char.zfill(np.arange(rows).astype(str), 7))
    return pd.DataFrame({"person": ids, "school": school, "treated": treated, "x1": x1, "x2": x2, "y": y})


def states(units: int, years: int = 31, before: int = 19, seed: int = 3) -> pd.DataFrame:
    """States that follow three common factors; the third is treated after 19 years, as in Proposition 99's panel."""
    random = np.random.default_rng(seed)
    factors = random.normal(size=(years, 3)).cumsum(axis=0) * 3
    y = 120 + random.normal(0, 15, units)[:, None] + random.normal(1, 0.4, (units, 3)) @ factors.T
    treated = np.zeros((units, years), dtype=int)
    treated[2, before:] = 1
    y = y + random.normal(0, 2, y.shape) - 15 * treated
    names = np.repeat([f"state {place:02d}" for place in range(units)], years)
    year = np.tile(np.arange(1970, 1970 + years), units)
    return pd.DataFrame({"state": names, "year": year, "treated": treated.ravel(), "y": y.ravel()})
