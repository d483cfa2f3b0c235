"""What the reader of a growth model must be told."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from evalkit import disclosure
from evalkit.errors import Flag, Level
from evalkit.outcomes.growing.design import Design
from evalkit.outcomes.growing.sums import Array

FEW = 10  # clusters below which a comparison of whole clusters rests on too little
_LITTLE = 4.0  # degrees of freedom below which a CR2 interval is not to be relied on (Pustejovsky and Tipton 2018)


def of_data(design: Design) -> list[Flag]:
    """Flags that the rows themselves raise.

    Parameters
    ----------
    design : Design
        The rows used.

    Returns
    -------
    list of Flag
        Counts of people are given coarsely; counts of clusters as they are.
    """
    about = design.asked.outcome
    return [Flag("outcomes", level, text, detail, about) for level, text, detail in _found(design)]


def _found(design: Design) -> Iterator[tuple[Level, str, str]]:
    persons = len(design.people)
    if design.dropped:
        share = disclosure.roughly(design.dropped, design.given)
        level: Level = "caution" if design.dropped > 0.05 * design.given else "note"
        yield level, "Rows with a missing value are left out.", f"{share} of the rows."
    single = int((np.bincount(design.person) == 1).sum())
    if single:
        detail = "They say where people stand, not how they change."
        yield "note", f"Some people have one occasion only ({disclosure.roughly(single, persons)}).", detail
    if _repeats(design):
        yield "caution", "Some people have several rows of the same time.", "Each counts as an occasion of its own."
    if len(np.unique(design.y)) == 2:
        yield "note", "The outcome has two values: the model is of its share, on a straight line.", ""
    yield from _about_treatment(design)
    if design.group is not None:
        yield from _about_clusters(design, design.group)


def _repeats(design: Design) -> bool:
    if design.time is None:
        return False
    return bool(pd.DataFrame({"person": design.person, "time": design.time}).duplicated().any())


def _about_treatment(design: Design) -> Iterator[tuple[Level, str, str]]:
    if design.treated is None:
        return
    if not set(np.unique(design.treated)) <= {0.0, 1.0}:
        yield "note", f"{design.asked.treated} is not 0 and 1: effects are per unit of it.", ""
    if not constant_within(design.treated, design.person):
        detail = "The model takes each row by its own value, as if what came before left no trace."
        yield "caution", "For some people the arm changes over time.", detail


def _about_clusters(design: Design, group: Array) -> Iterator[tuple[Level, str, str]]:
    clusters = len(design.clusters)
    alone = int((np.bincount(group) == 1).sum())
    if alone:
        detail = f"{alone} of {clusters}: a person and a cluster cannot be told apart there."
        yield "caution", "Some clusters have one person only.", detail
    if design.renumbered:
        detail = "An id that stands in two clusters at the same time is taken as two persons."
        yield "note", "Ids repeat from cluster to cluster.", detail
    if design.moved:
        detail = f"{disclosure.roughly(design.moved, len(design.people))} of the people; each counts where first seen."
        many: Level = "serious" if design.moved > 0.2 * len(design.people) else "caution"
        yield many, "Some people moved between clusters.", detail
    whole = design.treated is not None and constant_within(design.treated, group[design.person])
    if clusters == 2:
        detail = "What differs between them cannot be told from chance. Compare more clusters."
        yield "serious", "There are two clusters in all.", detail
    elif whole and clusters < FEW:
        detail = (
            f"{clusters} clusters, each wholly in one arm: what they differ in otherwise may be taken for the effect."
        )
        yield "serious", "Few clusters stand behind the comparison.", detail
    elif clusters < FEW:
        yield "caution", f"There are {clusters} clusters only.", "Their variance is known poorly."


def constant_within(values: Array, code: Array) -> bool:
    """Whether values do not change within any code; shapes (n,) and (n,)."""
    first = np.empty(int(code.max()) + 1)
    first[code] = values
    return bool((first[code] == values).all())


def of_fit(design: Design, edges: list[str], rough: bool) -> list[Flag]:
    """Say that a level's covariance lies on its edge, or that the best fit is known roughly.

    Parameters
    ----------
    design : Design
        The rows used.
    edges : list of str
        Columns of the levels whose covariance does.
    rough : bool
        Whether the likelihood's top could not be told exactly.

    Returns
    -------
    list of Flag
        None, one or both.
    """
    flags = []
    if rough:
        text = "The best fit is known roughly: next to the differences between people there is hardly any error."
        detail = "Check whether the outcome is a reading at all, or worked out from time."
        flags.append(Flag("outcomes", "caution", text, detail, design.asked.outcome))
    if not edges:
        return flags
    text = f"The random effects of {' and '.join(edges)} are more than these data can tell apart."
    detail = 'A variance is 0 or a correlation is 1 or -1. Standard errors may be too small; try random="intercept".'
    return [*flags, Flag("outcomes", "caution", text, detail, design.asked.outcome)]


def of_interval(design: Design, df: float, chosen: str) -> list[Flag]:
    """Say where the effect's interval rests on little, or on nothing.

    Parameters
    ----------
    design : Design
        The rows used.
    df : float
        Degrees of freedom of the effect.
    chosen : str
        What the interval rests on: "cr2", "model", "model instead" or "none".

    Returns
    -------
    list of Flag
        One, or none.
    """
    about = design.asked.outcome
    if chosen == "none":
        text = "The effect has no interval: an arm is one cluster, and so is what it is compared with."
        detail = "The programme cannot be told from the cluster it ran in. Compare more clusters in each arm."
        return [Flag("outcomes", "serious", text, detail, about)]
    if chosen == "model instead":
        text = "The effect's interval rests on the model alone, since one cluster alone stands for an arm."
        detail = "It takes clusters of both arms to vary alike."
        return [Flag("outcomes", "serious", text, detail, about)]
    if chosen == "cr2" and df < _LITTLE:
        text = "The effect's interval rests on very few clusters."
        detail = f"{df:.1f} degrees of freedom; below 4 it may still be too narrow."
        return [Flag("outcomes", "serious", text, detail, about)]
    return []
