"""Who is counted: one row per person, and how many were left after each rule."""

from __future__ import annotations

from evalkit.cohort.build import build_cohort, select
from evalkit.cohort.explain import explain
from evalkit.cohort.noun import Cohort

__all__ = ["Cohort", "build_cohort", "explain", "select"]
