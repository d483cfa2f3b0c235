"""What is known of each measure at each occasion, as a map; and what its means are read against."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evalkit.outcomes import measure_keys, part_of, questionnaire
from evalkit.report.blocks import Figure
from evalkit.report.common import hidden
from evalkit.report.distance import arm_name
from evalkit.report.figures.gaps import Known, gaps
from evalkit.report.figures.trajectories import Band, Cutoff
from evalkit.report.phrases import finite, said
from evalkit.words import SUPPRESSED, percent

ONCE = "once"


def gap_map(evaluation: Any, safe: pd.DataFrame) -> Figure | None:
    """The share of people with a value, by measure, occasion and arm.

    Parameters
    ----------
    evaluation : Evaluation
        With outcomes.
    safe : DataFrame
        The means by arm and occasion with protected ``n``; ``n_people`` is the arm.

    Returns
    -------
    Figure or None
        None where every measure is read once only.
    """
    rows = safe[safe["kind"] == "measure"] if "kind" in safe else safe
    times = _occasions(evaluation, rows)
    if not set(times) - {ONCE} or rows.empty:
        return None
    names = {str(row.measure): said(row.title) for row in rows.itertuples()}
    arms = []
    for arm in rows["arm"].unique():
        mine = rows[rows["arm"] == arm].set_index(["measure", "occasion"])
        shares = [[_share(mine, measure, time) for time in times] for measure in names]
        arms.append(Known(arm_name(evaluation, str(arm)), arm != "comparison", shares))
    drawn = gaps(list(names.values()), list(times.values()), arms)
    return Figure(
        "gaps",
        _least(names, times, arms),
        "Share of people with a value, by measure, occasion and group; an empty place: not read then",
        drawn.wide,
        drawn.narrow,
    )


def _occasions(evaluation: Any, rows: pd.DataFrame) -> dict[str, str]:
    """The occasions of which anything was read, in their order, and then what was read once."""
    seen = set(rows["occasion"].astype(str))
    told = {one.id: one.title or one.id for one in evaluation.study.occasion if one.id in seen}
    return told | ({ONCE: ONCE} if seen - set(told) else {})


def _share(mine: pd.DataFrame, measure: str, time: str) -> float | str | None:
    key = (measure, "" if time == ONCE else time)
    if key not in mine.index:
        return None
    row = mine.loc[[key]].iloc[0]
    if not hidden(row["n"]) and not finite(row["n"]):
        return None
    return SUPPRESSED if hidden(row["n"]) else float(row["n"]) / float(row["n_people"])


def _least(names: dict[str, str], times: dict[str, str], arms: list[Known]) -> str:
    """The lowest share that is shown, in words."""
    found = [
        (share, title, when, arm.name)
        for arm in arms
        for title, shares in zip(names.values(), arm.shares, strict=True)
        for when, share in zip(times.values(), shares, strict=True)
        if isinstance(share, float)
    ]
    if not found:
        return "What is known may not be shown: too few people"
    share, title, when, arm = min(found)
    at = "" if when == ONCE else f", {when}"
    return f"Least is known of {title}{at}: {percent(share, 0)} with {arm}"


def read_against(evaluation: Any, measure: str) -> tuple[Band | None, Cutoff | None]:
    """The norm and the cut-off of a score; for a score without an agreed cut-off, that it is so.

    Parameters
    ----------
    evaluation : Evaluation
        For the plan.
    measure : str
        A measure's id.

    Returns
    -------
    (Band or None, Cutoff or None)
        Confirmed ones of the shelf, or the study's own; neither for what is not a questionnaire.
    """
    plan = evaluation.study.find_measure(measure)
    if plan is None or plan.instrument is None:
        return None, None
    told = measure_keys(plan.instrument, plan.scale)
    own = plan.reliable_change.cutoff if plan.reliable_change else None
    if own is not None:
        return _norm(plan, told), Cutoff(own, f"cut-off {own:g}: {plan.reliable_change.source}")
    if told["cutoff"] is None:
        return _norm(plan, told), Cutoff(None, "no agreed cut-off")
    cut = told["cutoff"]
    return _norm(plan, told), Cutoff(float(cut["at"]), f"{cut.get('about', 'cut-off')}: {cut['says']}")


def _norm(plan: Any, told: dict[str, Any]) -> Band | None:
    """One SD about the mean of the first confirmed norm of this scale."""
    keys = questionnaire(plan.instrument)
    for norm in keys.get("norms", ()):
        if norm.get("scale") == told["scale"] and norm.get("status") == "checked" and {"mean", "sd"} <= set(norm):
            part = part_of(keys, norm["id"])
            low, high = part["mean"] - part["sd"], part["mean"] + part["sd"]
            return Band(low, high, f"mean and SD of the {part['id']}")
    return None
