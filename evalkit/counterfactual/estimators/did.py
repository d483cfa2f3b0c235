"""Difference in differences: what changed among the treated, less what changed among the comparison."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evalkit import words
from evalkit.counterfactual.before_after.times import Times, read_times, rows_of
from evalkit.counterfactual.before_after.trends import by_time
from evalkit.counterfactual.inference import check_nested, mean_contributions
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.panel import Panel, Plan, codes
from evalkit.counterfactual.registry import REGRESSION, estimator
from evalkit.counterfactual.resampled import RESAMPLED, conclude_regression
from evalkit.errors import EstimationError, Flag
from evalkit.linear import demean, least_squares

BY_PERSON = {"hc0": "cr1s", "hc1": "cr1s", "hc2": "cr2", "hc3": "cr3"}


@estimator(
    "did",
    options={"balanced": False, "post": None, "adjust": False, "weights": "auto"},
    data="people twice",
    needs=("time",),
    se=(*REGRESSION, *RESAMPLED),
    adjusts=False,
    assumes="parallel trends",
    says="change among the treated less change among the comparison",
)
def did(panel: Panel, plan: Plan) -> Estimate:
    """Two arms before and after; with more times their means before and after (``post`` is the first time after).

    With people seen throughout, by change scores; where some were not, four means, or with more than two times a level
    for each person and each time. ``balanced`` keeps only people seen every time; ``adjust`` takes the covariates, as
    they were before, out of the change. Unless clusters are given, a person's readings are one cluster.
    Where not everybody was seen throughout, "hc1" is that of Stata's and R's clustered regression, also called "cr1s".
    """
    check_nested(panel)
    times = read_times(panel, plan.options["post"])
    known = panel.columns.person is not None
    seen = _always_seen(times) if known else np.zeros(len(panel.y), bool)
    balanced = bool(plan.options["balanced"])
    if balanced and not known:
        raise EstimationError("balanced = true needs person ids, to know who was seen at both times.")
    flags = _flags(times, seen, balanced) if known else []
    if balanced:
        if not seen.any():
            raise EstimationError("nobody was seen at both times. Leave balanced out to compare the four means.")
        times, seen = times.only(seen), seen[seen]
    _check_groups(times)
    about, more = by_time(times, plan.level) if times.many else ({}, [])
    run = _changes if known and seen.all() else _levels if known and times.many else _four_means
    return run(times, plan, [*flags, *more], about)


def _always_seen(times: Times) -> np.ndarray:
    """Whether each row's person has every time."""
    person = codes(times.panel.person)
    return np.bincount(person)[person] == len(times.values)


def _flags(times: Times, seen: np.ndarray, balanced: bool) -> list[Flag]:
    """People who were not seen throughout."""
    if seen.all():
        return []
    panel = times.panel
    share = words.percent(panel.people(~seen) / panel.people(np.ones(len(seen), bool)), 1)
    what = "are left out" if balanced else "are kept, so the change is not that of the same people"
    when = "were not seen at every time" if times.many else "were seen at one time only"
    who = "units" if panel.columns.person == panel.columns.unit else "people"
    return [Flag("counterfactual", "caution", f"{share} of the {who} {when} and {what.replace('people', who)}.")]


def _check_groups(times: Times) -> None:
    """Both arms before and after."""
    groups = {(arm, when) for arm, when in zip(times.panel.treated, times.after, strict=True)}
    if len(groups) < 4:
        raise EstimationError("did needs both arms at both times, and one of the four groups is empty.")


def _mean_by_person(panel: Panel, rows: np.ndarray) -> np.ndarray:
    """The mean outcome of each person over these rows."""
    person = codes(panel.person)
    return np.asarray(np.bincount(person[rows], panel.y[rows]) / np.bincount(person[rows]))


def _changes(times: Times, plan: Plan, flags: list[Flag], about: dict) -> Estimate:
    """Everybody seen throughout: the arms' difference in changes; rows are sorted by person and time."""
    panel = times.panel
    before, after = (_mean_by_person(panel, times.after == when) for when in (False, True))
    first = np.flatnonzero(times.place == 0)
    later = rows_of(panel, np.flatnonzero(times.place == times.first_after))
    later = replace(later, y=after, baseline=before, x=panel.x.iloc[first].reset_index(drop=True))
    design = np.column_stack([np.ones(len(before)), later.treated, later.x])
    fit = least_squares(after - before, design)
    contrast = np.eye(design.shape[1])[1]
    readings = after - before
    return conclude_regression(
        later, plan, fit, {"effect": contrast}, flags=flags, readings=readings, diagnostics=about
    )


def _pooled(times: Times, plan: Plan, flags: list[Flag], about: dict) -> dict:
    """What the two forms on single readings share: levels of the treated, and whose readings belong together."""
    panel = times.panel
    mine = panel.treated == 1
    return {
        "observed": float(panel.y[mine & times.after].mean()),
        "baseline": float(panel.y[mine & ~times.after].mean()),
        "flags": flags,
        "diagnostics": about,
    }


def _by_person(panel: Panel, plan: Plan) -> tuple[np.ndarray | None, Plan]:
    """Clusters, or a person's readings as one, with the standard error that goes with them."""
    if panel.cluster is not None or panel.columns.person is None:
        return panel.cluster, plan
    return codes(panel.person), replace(plan, se=BY_PERSON.get(plan.se, plan.se))


def _four_means(times: Times, plan: Plan, flags: list[Flag], about: dict) -> Estimate:
    """Not everybody seen twice, or different people each time: four means."""
    panel = times.panel
    t, post = panel.treated, times.after.astype(float)
    cluster, plan = _by_person(panel, plan)
    fit = least_squares(panel.y, np.column_stack([np.ones(len(t)), t, post, t * post, panel.x]))
    effect, observed = np.eye(fit.x.shape[1])[3], np.append(np.ones(4), np.zeros(panel.x.shape[1]))
    also = _pooled(times, plan, flags, about)
    panel = replace(panel, baseline=np.where(times.after, np.nan, panel.y))
    rows = {"baseline": mean_contributions(panel, panel.baseline)}
    contrasts = {"effect": effect, "observed": observed}
    if panel.x.shape[1]:
        rows["observed"] = mean_contributions(panel, np.where(times.after, panel.y, np.nan))
        del contrasts["observed"]
    return conclude_regression(panel, plan, fit, contrasts, rows=rows, cluster=cluster, **also)


def _levels(times: Times, plan: Plan, flags: list[Flag], about: dict) -> Estimate:
    """More than two times, and not everybody seen at each: a level of its own for each person and each time."""
    panel = times.panel
    cluster, plan = _by_person(panel, plan)
    person = codes(panel.person)
    first = np.flatnonzero(np.diff(person, prepend=-1))
    moving = panel.x.to_numpy()[first][person] * times.after[:, None]
    by_time_dummies = (times.place[:, None] == np.arange(1, len(times.values))).astype(float)
    design = demean(np.column_stack([panel.treated * times.after, by_time_dummies, moving]), person)
    keep = (design**2).sum(axis=0) > 1e-10 * len(design)
    if not keep[0]:
        raise EstimationError("nobody in the treated arm was seen both before and after. Leave person out.")
    absorbed = 0 if plan.se in ("cr1s", "cr2", "cr3", "wild") else len(first)
    fit = least_squares(demean(panel.y, person), design[:, keep], absorbed)
    also = _pooled(times, plan, flags, about)
    panel = replace(panel, baseline=np.where(times.after, np.nan, panel.y))
    rows = {
        "observed": mean_contributions(panel, np.where(times.after, panel.y, np.nan)),
        "baseline": mean_contributions(panel, panel.baseline),
    }
    contrast = np.eye(fit.x.shape[1])[0]
    return conclude_regression(panel, plan, fit, {"effect": contrast}, rows=rows, cluster=cluster, **also)
