"""Services side by side: means pulled towards the overall mean as far as they are small, and funnel limits."""

from __future__ import annotations

from evalkit.outcomes.services.compare import compare_services
from evalkit.outcomes.services.funnel import funnel_limits
from evalkit.outcomes.services.noun import Services

__all__ = ["Services", "compare_services", "funnel_limits"]
