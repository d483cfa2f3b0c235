"""Effects of a study whose rows are areas and periods, or the periods of one series, not people."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit.counterfactual.effects import Effects
from evalkit.counterfactual.estimating import estimate
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.registry import find_estimator
from evalkit.counterfactual.rows import (
    also_row,
    effect_row,
    unknown_row,
)
from evalkit.counterfactual.without_people import effects_without_people
from evalkit.errors import EstimationError, EvalkitError, Flag, StudyError, several

if TYPE_CHECKING:
    from evalkit.study import Study
    from evalkit.study.compared import AreaOutcome, AreasPlan
    from evalkit.study.model import Also

Row = dict[str, Any]


def effects_from_areas(study: Study) -> Effects:
    """Estimate the effect on every outcome of a study's areas, by the plan of the study.

    Parameters
    ----------
    study : Study
        With [counterfactual.areas].

    Returns
    -------
    Effects
        As `estimate_effects` gives them; ``outcomes`` is None, since nobody is counted.

    Raises
    ------
    StudyError
        The study names no areas, or an estimator that works on people.
    EstimationError
        Not one of the outcomes can be estimated.
    """
    plan = study.counterfactual
    if plan is None or plan.areas is None:
        raise StudyError("the study names no areas. Write [counterfactual.areas] with its table and outcome.")
    frame = _table(study, plan.areas)
    chosen = [one for one in plan.areas.outcome if plan.outcomes is None or one.id in plan.outcomes]
    found, failed = _estimate_all(study, frame, chosen)
    rows = [_row(one, place, found, failed, plan.estimator) for place, one in enumerate(chosen)]
    also, flags = _beside(study, frame, chosen, found)
    flags += [Flag("counterfactual", "serious", "The effect could not be estimated.", why, at) for at, why in failed]
    return effects_without_people(study, rows, also, found, flags)


def _table(study: Study, areas: AreasPlan) -> pd.DataFrame:
    from evalkit.tables import read_tables

    return read_tables(study, [areas.table])[areas.table]


def area_arguments(study: Study, one: AreaOutcome, estimator: str, options: Row) -> Row:
    """What `estimate` is asked about one outcome of the areas.

    Parameters
    ----------
    study : Study
        With [counterfactual.areas].
    one : AreaOutcome
        The outcome.
    estimator : str
        A name on the list.
    options : dict
        The estimator's own.

    Returns
    -------
    dict
        The keyword arguments of `estimate`.
    """
    plan = study.counterfactual
    areas: AreasPlan = plan.areas  # type: ignore[union-attr,assignment]
    needs = find_estimator(estimator).needs
    columns: Row = {"time": areas.time, "unit": areas.unit}
    columns |= {name: getattr(areas, name) for name in ("treated", "first_treated") if name in needs}
    about = {name: getattr(one, name) for name in ("values", "better", "contract_baseline")}
    named = {key: value for key, value in columns.items() if value is not None}
    return {
        "outcome": one.column, "covariates": list(areas.covariates), **named, **about,
        "level": plan.level, **options,  # type: ignore[union-attr]
    }  # fmt: skip


def _run(study: Study, frame: pd.DataFrame, one: AreaOutcome, estimator: str, options: Row) -> Estimate:
    found = estimate(frame, estimator, **area_arguments(study, one, estimator, options))
    return replace(found, flags=tuple(replace(flag, about=one.id) for flag in found.flags))


def _estimate_all(
    study: Study, frame: pd.DataFrame, chosen: list[AreaOutcome]
) -> tuple[dict[str, Estimate], list[tuple[str, str]]]:
    """Estimates by outcome, and why there is none."""
    plan: Any = study.counterfactual
    found: dict[str, Estimate] = {}
    failed: list[tuple[str, str]] = []
    for one in chosen:
        options = dict(plan.options) | ({"se": plan.se} if plan.se else {})
        try:
            found[one.id] = _run(study, frame, one, plan.by_outcome.get(one.id, plan.estimator), options)
        except EvalkitError as error:
            failed.append((one.id, str(error)))
    if failed and not found:
        raise EstimationError(several("[counterfactual.areas]", [f"{name}: {why}" for name, why in failed]))
    return found, failed


def _row(
    one: AreaOutcome, place: int, found: dict[str, Estimate], failed: list[tuple[str, str]], planned: str
) -> Row:  # fmt: skip
    about = {
        "outcome": one.id, "title": one.title or one.id, "occasion_title": "", "unit": one.unit, "values": one.values,
        "better": one.better, "is_domain": False, "primary": place == 0, "source": "",
    }  # fmt: skip
    if one.id not in found:
        return unknown_row(about, planned, dict(failed)[one.id])
    return effect_row(about, found[one.id], None)


def _beside(
    study: Study, frame: pd.DataFrame, chosen: list[AreaOutcome], found: dict[str, Estimate]
) -> tuple[list[Row], list[Flag]]:
    """The planned analysis and those beside it; those not possible become flags."""
    rows: list[Row] = []
    flags: list[Flag] = []
    for one in (one for one in chosen if one.id in found):
        says = find_estimator(found[one.id].estimator).says
        rows.append(also_row(one.id, {"id": "planned", "says": says, "planned": True}, found[one.id]))
        for also in study.counterfactual.also:  # type: ignore[union-attr]
            if also.outcomes is not None and one.id not in also.outcomes:
                continue
            try:
                rows.append(_also(study, frame, one, also))
            except EvalkitError as error:
                text = f'The analysis "{also.says}" was not possible.'
                flags.append(Flag("counterfactual", "caution", text, str(error), one.id))
    return rows, flags


def _also(study: Study, frame: pd.DataFrame, one: AreaOutcome, also: Also) -> Row:
    beside = _run(study, frame, one, also.estimator, dict(also.options))
    return also_row(one.id, {"id": also.id, "says": also.says, "planned": False}, beside)
