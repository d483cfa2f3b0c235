"""The past as what would have happened anyway."""

from evalkit.counterfactual.history.beside import set_beside
from evalkit.counterfactual.history.sides import PAST_OPTIONS, now_side, past_side

__all__ = ["PAST_OPTIONS", "now_side", "past_side", "set_beside"]
