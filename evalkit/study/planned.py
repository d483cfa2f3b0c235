"""The parts of a study that decide its analysis, written so that order and comments leave no trace."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from evalkit.study.model import Study

# Where the data lie, who the parties are and what is released decide nothing about the numbers.
NOT_ANALYSIS = {"study", "party", "term", "tables", "valued", "series", "disclosure", "simulation", "design", "value"}
NOT_CONTRACT = ("achieved", "payments", "cash_flows", "variations", "published", "maximum_recorded", "rate_card")
NOT_COHORT = ("assure",)
VALUE = ("discount_rate", "discount_first_year")
ANY_ORDER = ("covariates", "measures", "views")
STATED = ("outcome", "deadweight", "low", "high")


def analysis_plan(study: Study) -> dict[str, Any]:
    """The plan of the analysis as plain data.

    Parameters
    ----------
    study : Study
        A validated plan.

    Returns
    -------
    dict
        Part by part as in study.toml, without what stands at its default; the outcomes in their order, because the
        first is the primary one; the rate card, the impact map and a stated deadweight from their files.
    """
    whole = study.model_dump(mode="json", exclude_defaults=True, exclude={"folder"})
    plan = {part: value for part, value in whole.items() if part not in NOT_ANALYSIS and value not in (None, [], {})}
    plan["study"] = {"seed": study.study.seed}
    _only(plan, "contract", leave=NOT_CONTRACT)
    _only(plan, "cohort", leave=NOT_COHORT)
    if study.value is not None:
        plan["value"] = {name: getattr(study.value, name) for name in VALUE}
    if study.design is not None and study.design.smallest_worthwhile is not None:
        plan["design"] = {"smallest_worthwhile": study.design.smallest_worthwhile}
    if study.counterfactual is not None and study.measure:
        plan["counterfactual"]["outcomes"] = outcomes_named(study)
    return {**_sorted(plan), **_files(study)}


def _only(plan: dict[str, Any], part: str, leave: tuple[str, ...]) -> None:
    """Leave keys of a part out; the part itself where nothing is left."""
    if part in plan:
        plan[part] = {key: value for key, value in plan[part].items() if key not in leave}
        if not plan[part]:
            del plan[part]


def outcomes_named(study: Study) -> list[str]:
    """The outcomes to estimate, the primary one first, before anything is read.

    Parameters
    ----------
    study : Study
        A validated plan.

    Returns
    -------
    list of str
        Those of the plan, else all domains and then the measures in no domain.
    """
    if study.counterfactual is not None and study.counterfactual.outcomes is not None:
        return list(study.counterfactual.outcomes)
    areas = study.counterfactual.areas if study.counterfactual else None
    if areas is not None:
        return [one.id for one in areas.outcome]
    inside = {name.split("@")[0] for domain in study.domain for name in domain.measures}
    return [*(one.id for one in study.domain), *(one.id for one in study.measure if one.id not in inside)]


def _sorted(value: Any, key: str = "") -> Any:
    """Keys, and lists whose order means nothing, in one order."""
    if isinstance(value, dict):
        return {name: _sorted(value[name], name) for name in sorted(value)}
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        return sorted((_sorted(one) for one in value), key=_label)
    if isinstance(value, list) and key in ANY_ORDER and all(isinstance(one, str) for one in value):
        return sorted(value)
    return value


def _label(entry: dict[str, Any]) -> str:
    return next((str(entry[key]) for key in ("id", "rule", "says") if key in entry), str(entry))


def _files(study: Study) -> dict[str, Any]:
    """What is decided in files beside study.toml."""
    found = {}
    if study.contract is not None and study.contract.rate_card:
        found["rate card"] = _rows(study.path(study.contract.rate_card), ("metric",))
    if study.value is not None:
        found["impact map"] = _rows(study.path(study.value.impact_map), ("outcome", "title", "stakeholder"))
    plan = study.counterfactual
    if plan is not None and plan.rates and plan.estimator == "assumed":
        found["stated deadweight"] = _rows(study.path(plan.rates), ("outcome",), STATED)
    return {name: rows for name, rows in found.items() if rows}


def _rows(path: Path, keys: tuple[str, ...], only: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """A csv file's rows with an id of their own, in order of it; empty cells are left out."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [_row(raw, only) for raw in csv.DictReader(file)]
    seen: dict[str, int] = {}
    for row in sorted(rows, key=str):
        name = " / ".join(str(row[key]) for key in keys if key in row) or "line"
        seen[name] = seen.get(name, 0) + 1
        row["id"] = name if seen[name] == 1 else f"{name} ({seen[name]})"
    return sorted(rows, key=lambda row: str(row["id"]))


def _row(raw: dict[str, Any], only: tuple[str, ...]) -> dict[str, Any]:
    """Names and cells without spaces at their ends; numbers as numbers, however they are written."""
    cells = {str(key).strip(): str(value).strip() for key, value in raw.items() if key and isinstance(value, str)}
    kept = {key: value for key, value in cells.items() if value and (not only or key in only)}
    return {key: _number(value) for key, value in sorted(kept.items())}


def _number(text: str) -> float | str:
    try:
        return float(text.replace("_", ""))
    except ValueError:
        return text
