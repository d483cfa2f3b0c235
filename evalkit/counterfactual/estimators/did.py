"""Difference in differences with two times and two arms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evalkit import words
from evalkit.counterfactual.inference import check_nested, conclude, mean_contributions
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.panel import Panel, Plan, codes
from evalkit.counterfactual.registry import estimator
from evalkit.errors import EstimationError, Flag
from evalkit.linear import degrees_of_freedom, least_squares, row_contributions


@estimator(
    "did",
    options={"balanced": False},
    data="people twice",
    needs=("time",),
    adjusts=False,
    assumes="parallel trends",
    says="change among the treated less change among the comparison",
)
def did(panel: Panel, plan: Plan) -> Estimate:
    """Two by two: with people seen twice, the same by change scores; otherwise four means.

    ``balanced`` keeps only people seen both times. Unless clusters are given, a person's two readings are one cluster.
    """
    check_nested(panel)
    panel = _periods(panel)
    seen = _seen_twice(panel)
    flags = _flags(panel, seen, bool(plan.options["balanced"]))
    if plan.options["balanced"] and panel.columns.person is None:
        raise EstimationError("balanced = true needs person ids, to know who was seen at both times.")
    if plan.options["balanced"]:
        panel = _only(panel, seen)
        seen = np.ones(len(panel.y), bool)
    if panel.columns.person is not None and seen.all():
        return _changes(panel, plan, flags)
    return _four_means(panel, plan, flags)


def _periods(panel: Panel) -> Panel:
    """Time as 0 (before) and 1 (after)."""
    if panel.time is None:
        raise EstimationError("did needs a column of time with two values, before and after. Name it: time = ...")
    times = np.unique(panel.time)
    if len(times) != 2:
        raise EstimationError(
            f"did needs exactly two times, and the table has {len(times)}. Keep one before and one after."
        )
    return replace(panel, time=(panel.time == times[1]).astype(float))


def _seen_twice(panel: Panel) -> np.ndarray:
    """Whether each row's person has both times."""
    person = codes(panel.person)
    return np.bincount(person)[person] == 2


def _flags(panel: Panel, seen: np.ndarray, balanced: bool) -> list[Flag]:
    """People seen once."""
    flags = []
    if panel.columns.person is not None and not seen.all():
        share = words.percent(float((~seen).sum() / len(np.unique(panel.person))), 1)
        what = "are left out" if balanced else "are kept, so the change is not that of the same people"
        flags.append(Flag("counterfactual", "caution", f"{share} of the people were seen at one time only and {what}."))
    return flags


def _only(panel: Panel, rows: np.ndarray) -> Panel:
    """The panel of some rows."""
    if not rows.any():
        raise EstimationError("nobody was seen at both times. Leave balanced out to compare the four means.")
    cluster = None if panel.cluster is None else codes(panel.cluster[rows])
    time = None if panel.time is None else panel.time[rows]
    return replace(
        panel,
        y=panel.y[rows],
        treated=panel.treated[rows],
        x=panel.x[rows],
        covariates=panel.covariates[rows],
        person=panel.person[rows],
        cluster=cluster,
        time=time,
        baseline=None if panel.baseline is None else panel.baseline[rows],
        frame=panel.frame[rows],
    )


def _changes(panel: Panel, plan: Plan, flags: list[Flag]) -> Estimate:
    """Everybody seen twice: the arms' difference in changes; rows are sorted by person and time."""
    post = np.asarray(panel.time) == 1
    before, after = panel.y[~post], panel.y[post]
    later = replace(_only(panel, post), baseline=before)
    fit = least_squares(after - before, np.column_stack([np.ones(len(before)), later.treated]))
    contrast = np.array([0.0, 1.0])
    rows = {"effect": row_contributions(fit, contrast, plan.se, later.cluster)}
    df = degrees_of_freedom(fit, contrast, plan.se, later.cluster)
    return conclude(later, plan, float(fit.beta[1]), rows, df, flags=flags, readings=after - before)


def _four_means(panel: Panel, plan: Plan, flags: list[Flag]) -> Estimate:
    """Not everybody seen twice, or different people each time: four means."""
    t, post = panel.treated, np.asarray(panel.time)
    cluster = panel.cluster
    if cluster is None and panel.columns.person is not None:
        cluster = codes(panel.person)
        plan = replace(plan, se={"hc2": "cr2", "hc3": "cr3", "hc0": "cr1s", "hc1": "cr1s"}.get(plan.se, plan.se))
    try:
        fit = least_squares(panel.y, np.column_stack([np.ones(len(t)), t, post, t * post]))
    except EstimationError:
        raise EstimationError("did needs both arms at both times, and one of the four groups is empty.") from None
    effect, observed = np.array([0.0, 0.0, 0.0, 1.0]), np.ones(4)
    rows = {
        name: row_contributions(fit, c, plan.se, cluster) for name, c in (("effect", effect), ("observed", observed))
    }
    df = degrees_of_freedom(fit, effect, plan.se, cluster)
    mean = float(panel.y[(t == 1) & (post == 1)].mean())
    panel = replace(panel, baseline=np.where(post == 0, panel.y, np.nan))
    rows["baseline"] = mean_contributions(panel, panel.baseline)
    level = float(panel.y[(t == 1) & (post == 0)].mean())
    return conclude(panel, plan, float(fit.beta[3]), rows, df, observed=mean, flags=flags, baseline=level)
