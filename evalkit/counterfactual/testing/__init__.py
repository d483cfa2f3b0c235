"""What an interval allows to be said: equivalence, detectable effects, other levels, several outcomes together."""

from __future__ import annotations

from evalkit.counterfactual.testing.detectable import Detectable, detectable_effect, detectable_effect_before
from evalkit.counterfactual.testing.equivalence import Equivalence, Finding, equivalence, finding, interval_at
from evalkit.counterfactual.testing.several import joint_covariance

__all__ = [
    "Detectable",
    "Equivalence",
    "Finding",
    "detectable_effect",
    "detectable_effect_before",
    "equivalence",
    "finding",
    "interval_at",
    "joint_covariance",
]
