"""The room of evidence: how far a design lets one speak of cause, and the words that go with it."""

from evalkit.evidence.claims import CheckedClaim, check_claim
from evalkit.evidence.comparability import failures
from evalkit.evidence.findings import finding_of
from evalkit.evidence.fitting import fits
from evalkit.evidence.levels import Level, level
from evalkit.evidence.shelf import designs
from evalkit.evidence.wording import allowed, causal_words

__all__ = [
    "CheckedClaim",
    "Level",
    "allowed",
    "causal_words",
    "check_claim",
    "designs",
    "failures",
    "finding_of",
    "fits",
    "level",
]
