"""How scores grew: a line through each person's readings, and how much steeper it is with the programme."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from evalkit.errors import Flag
from evalkit.outcomes.growing import Growth, growth
from evalkit.outcomes.looks.base import View, look
from evalkit.words import number

YEAR = 365.25
_FEWEST = 3
ALIKE = 0.1  # of a standard deviation


@dataclass(frozen=True, eq=False)
class Grown:
    """The growth of one outcome, in its unit a year: no person's row.

    ``comparison`` the comparison's own change a year; ``effect`` the difference the programme makes to it, ``end`` the
    difference between the arms at the last occasion, each with its 95 % interval; ``how`` what the interval rests on;
    ``apart`` how far apart the arms' means were at the first occasion, in SD of the comparison.
    """

    outcome: str
    title: str
    unit: str
    better: str
    people: int
    services: int
    comparison: float
    effect: float
    low: float
    high: float
    p: float
    end: float
    end_low: float
    end_high: float
    how: str
    apart: float
    model: Growth


@look("growth")
def grown(view: View) -> tuple[list[Grown], list[Flag]]:
    """Every outcome that the study wants a growth model of."""
    plan = view.study.growth
    found: list[Grown] = []
    flags: list[Flag] = []
    if plan is None or view.treated is None:
        return found, flags
    for name in plan.outcomes:
        frame, cluster = _frame(view, name), "cluster" if view.cluster is not None else None
        if frame["occasion"].nunique() < _FEWEST:
            text = "No growth is shown: a line needs three occasions or more to be told from its error."
            flags.append(Flag("outcomes", "caution", text, about=name))
            continue
        # Without services as a level of the model the interval still allows for who belongs together.
        level: Literal["same", "none"] = "same" if plan.services else "none"
        model = growth(
            frame, "value", "years", "person", "treated", cluster, plan.covariates, plan.random, cluster_random=level
        )
        found.append(_grown(view, name, model, _apart(view, frame)))
        flags += _unlike(found[-1])
        flags += [replace(flag, about=name) for flag in model.flags]
    return found, flags


def _frame(view: View, name: str) -> pd.DataFrame:
    """A row per person and reading, with years since the index date: of the reading itself, else of its occasion."""
    rows = view.outcomes.table
    rows = rows[(rows["measure"] == name) & rows["value"].notna() & rows["treated"].notna()].reset_index(drop=True)
    days = {occasion.id: occasion.day for occasion in view.study.occasion}
    start = pd.Series(view.ground.index_date.to_numpy(), index=view.ground.people.to_numpy())
    began = rows["person"].map(start).to_numpy(dtype="datetime64[s]")
    own = pd.Series((rows["date"].to_numpy(dtype="datetime64[s]") - began) / np.timedelta64(1, "D"))
    frame = pd.DataFrame({name: rows[name] for name in ("person", "occasion", "value", "treated")})
    frame["years"] = own.fillna(rows["occasion"].map(days).astype(float)) / YEAR
    place = view.ground.people.get_indexer(pd.Index(frame["person"]))
    if view.cluster is not None:
        frame["cluster"] = view.cluster[place]
    for covariate in view.study.growth.covariates if view.study.growth else ():
        frame[covariate] = view.ground.cohort.table[covariate].to_numpy()[place]
    return frame


def _unlike(one: Grown) -> list[Flag]:
    if not abs(one.apart) > ALIKE:
        return []
    text = "The arms did not start alike, so part of the difference in growth may be a coming back to the mean."
    detail = f"They were {number(abs(one.apart), 2)} SD apart at the first occasion: see the analysis as planned."
    return [Flag("outcomes", "caution", text, detail, one.outcome)]


def _apart(view: View, frame: pd.DataFrame) -> float:
    """Treated less comparison at the first occasion, in SD of the comparison."""
    days = {occasion.id: occasion.day for occasion in view.study.occasion}
    first = frame[frame["occasion"] == min(frame["occasion"].unique(), key=days.__getitem__)]
    one, other = (first.loc[first["treated"] == arm, "value"] for arm in (1, 0))
    spread = float(other.std(ddof=1))
    return float((one.mean() - other.mean()) / spread) if spread > 0 else np.nan


def _grown(view: View, name: str, model: Growth, apart: float) -> Grown:
    told = view.outcomes.describe(name)
    slope: Any = model.effect.loc["per unit of time"]
    end: Any = model.effect.loc["at the final occasion"]
    years: Any = model.fixed.loc["years", "estimate"] if "years" in model.fixed.index else np.nan
    return Grown(
        name, told["title"], told["unit"], told["better"], model.persons, model.clusters, float(years),
        float(slope["estimate"]), float(slope["low"]), float(slope["high"]), float(slope["p"]),
        float(end["estimate"]), float(end["low"]), float(end["high"]), str(slope["interval"]),
        apart, model,
    )  # fmt: skip
