"""The room of validation: published and peer results, computed again, expected beside obtained."""

from evalkit.validation.nouns import Line, Paper, Validation
from evalkit.validation.repeated import papers, validate

__all__ = ["Line", "Paper", "Validation", "papers", "validate"]
