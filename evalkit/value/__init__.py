"""What the outcomes were worth: the impact map by year and by agency, and a ratio with its range."""

from __future__ import annotations

from evalkit.value.area_series import read_area_series
from evalkit.value.curve import Curve, turn_curve
from evalkit.value.framework import Framework, frame_outcomes
from evalkit.value.linked import appraise_value
from evalkit.value.noun import Value
from evalkit.value.plain import appraise
from evalkit.value.savings import savings_by_agency
from evalkit.value.unit_costs import unit_costs_from

__all__ = [
    "Curve",
    "Framework",
    "Value",
    "appraise",
    "appraise_value",
    "frame_outcomes",
    "read_area_series",
    "savings_by_agency",
    "turn_curve",
    "unit_costs_from",
]
