"""Growth: how people change over several occasions, alone or within services, and how the programme changes that."""

from __future__ import annotations

from evalkit.outcomes.growing.model import VarianceComponents, growth, variance_components
from evalkit.outcomes.growing.noun import Growth

__all__ = ["Growth", "VarianceComponents", "growth", "variance_components"]
