"""evalkit: from one folder per social impact bond to a finished evaluation report.

The verbs and nouns below are loaded when first used, so that ``import evalkit`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from evalkit.cohort import Cohort, build_cohort
    from evalkit.contract import Contract, IndigoData, IndigoProject, read_indigo, settle_contract
    from evalkit.counterfactual import Effects, Estimate, effects_from_areas, effects_from_rates, estimate_effects
    from evalkit.errors import DataError, DisclosureError, EstimationError, EvalkitError, Flag, StudyError
    from evalkit.evaluation import Evaluation, evaluate, read_trace, write_trace
    from evalkit.library import catalogue
    from evalkit.outcomes import Outcomes, score_outcomes
    from evalkit.portfolio import render_portfolio
    from evalkit.report import render_report, render_validation, show, show_validation
    from evalkit.simulate import simulate_study
    from evalkit.study import Study, read_study
    from evalkit.validation import Validation, validate
    from evalkit.value import Value, appraise_value

_HOMES = {
    "errors": ["EvalkitError", "StudyError", "DataError", "EstimationError", "DisclosureError", "Flag"],
    "library": ["catalogue"],
    "study": ["Study", "read_study"],
    "simulate": ["simulate_study"],
    "cohort": ["Cohort", "build_cohort"],
    "outcomes": ["Outcomes", "score_outcomes"],
    "counterfactual": ["Effects", "Estimate", "effects_from_areas", "effects_from_rates", "estimate_effects"],
    "contract": ["Contract", "IndigoData", "IndigoProject", "read_indigo", "settle_contract"],
    "value": ["Value", "appraise_value"],
    "evaluation": ["Evaluation", "evaluate", "read_trace", "write_trace"],
    "validation": ["Validation", "validate"],
    "report": ["render_report", "render_validation", "show", "show_validation"],
    "portfolio": ["render_portfolio"],
}
_HOME = {name: room for room, names in _HOMES.items() for name in names}

__all__ = [
    "Cohort",
    "Contract",
    "DataError",
    "DisclosureError",
    "Effects",
    "Estimate",
    "EstimationError",
    "EvalkitError",
    "Evaluation",
    "Flag",
    "IndigoData",
    "IndigoProject",
    "Outcomes",
    "Study",
    "StudyError",
    "Validation",
    "Value",
    "appraise_value",
    "build_cohort",
    "catalogue",
    "effects_from_areas",
    "effects_from_rates",
    "estimate_effects",
    "evaluate",
    "read_indigo",
    "read_study",
    "read_trace",
    "render_portfolio",
    "render_report",
    "render_validation",
    "score_outcomes",
    "settle_contract",
    "show",
    "show_validation",
    "simulate_study",
    "validate",
    "write_trace",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"evalkit.{_HOME[name]}"), name)
    raise AttributeError(f"module 'evalkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
