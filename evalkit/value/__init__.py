"""What the outcomes were worth: the impact map by year and by agency, and a ratio with its range."""

from __future__ import annotations

from evalkit.value.appraisal import appraise
from evalkit.value.linked import appraise_value
from evalkit.value.noun import Value

__all__ = ["Value", "appraise", "appraise_value"]
