"""One analysis of one outcome: from the plan of the study to the frame and the arguments of `estimate`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit.counterfactual.estimating import estimate
from evalkit.counterfactual.gaps import unit_flags
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.registry import Entry, find_estimator
from evalkit.errors import EstimationError

if TYPE_CHECKING:
    from evalkit.outcomes import Outcomes
    from evalkit.study.model import Counterfactual


@dataclass(frozen=True)
class Analysis:
    """One analysis of one outcome: what to run, with what."""

    estimator: str
    covariates: tuple[str, ...] = ()
    within: str | None = None
    options: dict[str, Any] | None = None
    se: str | None = None
    level: float = 0.95
    strict: bool = True  # whether options that the estimator does not know are errors
    running: str | None = None  # the column that decided who was treated


@dataclass(frozen=True, eq=False)
class Request:
    """What `estimate` is asked: a frame, an estimator, and the arguments by name.

    Whatever runs an estimate again (without a cluster, for a subgroup, by another specification) starts from here.
    """

    frame: pd.DataFrame
    estimator: str
    arguments: dict[str, Any]


def planned_analysis(plan: Counterfactual, other: str | None = None) -> Analysis:
    """The planned analysis; with another estimator, the options that it knows.

    Parameters
    ----------
    plan : Counterfactual
        Of the study.
    other : str, optional
        An estimator in place of the planned one.

    Returns
    -------
    Analysis
        What to run.
    """
    own = Analysis(
        plan.estimator,
        tuple(plan.covariates),
        plan.within,
        dict(plan.options),
        plan.se,
        plan.level,
        running=plan.running,
    )
    return own if other in (None, plan.estimator) else replace(own, estimator=str(other), strict=False)


def request(outcomes: Outcomes, name: str, analysis: Analysis) -> Request:
    """What `estimate` is to be asked about one outcome of everyone in the cohort.

    Parameters
    ----------
    outcomes : Outcomes
        With the cohort.
    name : str
        The outcome.
    analysis : Analysis
        What to run.

    Returns
    -------
    Request
        ``estimate(request.frame, request.estimator, **request.arguments)`` is the analysis.
    """
    entry = find_estimator(analysis.estimator)
    told = outcomes.describe(name)
    frame, covariates = person_frame(outcomes, [told["key"]], analysis.covariates)
    options = _options(analysis, told)
    columns = {
        "treated": "treated" if _compares(frame, entry) else None,
        "person": "person",
        "cluster": "cluster" if _has(frame, "cluster") else None,
        "strata": "strata" if _has(frame, "strata") else None,
        "running": analysis.running if entry.data == "running" else None,
    }
    if entry.before_and_after:
        frame, columns["time"] = _long(outcomes, frame, told), "(time)"
    elif told["values"] == "score" and _baseline(told):
        frame["(baseline)"] = outcomes.wide[told["baseline_key"]].to_numpy()
        options["baseline"] = "(baseline)"
    named = {key: column for key, column in columns.items() if column is not None}
    return Request(frame, analysis.estimator, {"outcome": told["key"], "covariates": covariates, **named, **options})


def run(outcomes: Outcomes, name: str, analysis: Analysis) -> Estimate:
    """Run one analysis of one outcome on everyone in the cohort.

    Parameters
    ----------
    outcomes : Outcomes
        With the cohort.
    name : str
        The outcome.
    analysis : Analysis
        What to run.

    Returns
    -------
    Estimate
        Its flags are about this outcome.
    """
    asked = request(outcomes, name, analysis)
    found = estimate(asked.frame, asked.estimator, **asked.arguments)
    flags = (*found.flags, *unit_flags(found, outcomes.describe(name)))
    return replace(found, flags=tuple(replace(flag, about=name) for flag in flags))


def _compares(frame: pd.DataFrame, entry: Entry) -> bool:
    """Whether the cohort's arms are given: to a cut-off and to a baseline of the past only where there are two."""
    if not _has(frame, "treated"):
        return False
    return entry.data not in ("history", "running") or frame["treated"].nunique() > 1


def _has(frame: pd.DataFrame, column: str) -> bool:
    """Whether the cohort has that column with anything in it."""
    return column in frame and bool(frame[column].notna().any())


def _baseline(told: dict[str, Any]) -> bool:
    """Whether there is a reading before, other than the outcome itself."""
    return bool(told["baseline_key"]) and told["baseline_key"] != told["key"]


def _options(analysis: Analysis, told: dict[str, Any]) -> dict[str, Any]:
    """What estimate() is given beside the columns."""
    entry = find_estimator(analysis.estimator)
    own = dict(analysis.options or {})
    if analysis.within is not None:
        own["within"] = analysis.within
    if not analysis.strict:
        own = {name: value for name, value in own.items() if name in entry.options}
    if analysis.se is not None and (analysis.strict or analysis.se in entry.se):
        own["se"] = analysis.se
    about = {name: told[name] for name in ("values", "better", "contract_baseline")}
    return {**about, "level": analysis.level, **own}


def person_frame(
    outcomes: Outcomes, keys: list[str], covariates: tuple[str, ...] = ()
) -> tuple[pd.DataFrame, list[str]]:
    """The cohort with the outcomes and covariates wanted as columns.

    Parameters
    ----------
    outcomes : Outcomes
        With the cohort.
    keys : list of str
        Wide keys.
    covariates : tuple of str
        Columns of the cohort, or outcomes such as "measure@baseline".

    Returns
    -------
    (DataFrame, list of str)
        One row per person with an arm; and the covariates' column names.
    """
    frame = outcomes.cohort.table.copy()
    names = []
    for covariate in covariates:
        column = covariate if covariate in frame.columns else outcomes.find(covariate)
        names.append(column)
    for column in [*keys, *(name for name in names if name not in frame.columns)]:
        frame[column] = outcomes.wide[column].reindex(frame["person"]).to_numpy()
    return frame, names


def _long(outcomes: Outcomes, frame: pd.DataFrame, told: dict[str, Any]) -> pd.DataFrame:
    """Each person before and after, one row each."""
    if not _baseline(told):
        raise EstimationError("this estimator needs a reading before the programme, and the outcome has none.")
    key = told["key"]
    before = outcomes.wide[told["baseline_key"]].reindex(frame["person"]).to_numpy()
    return pd.concat([frame.assign(**{key: before, "(time)": 0}), frame.assign(**{"(time)": 1})], ignore_index=True)
