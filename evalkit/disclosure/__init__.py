"""The only door through which tables and numbers about people leave.

Three rule sets, each named in the report that used it. A hidden cell is written "[c]". Hiding small cells is not
enough: where totals are published too, further cells are hidden until no small cell can be found by subtraction,
over rows, columns and flows together. What cannot be judged does not leave.
"""

from __future__ import annotations

from evalkit.disclosure.cohort import ProtectedCohort, protect_cohort
from evalkit.disclosure.compare import rounded
from evalkit.disclosure.flow import protect_flow
from evalkit.disclosure.rules import RULES, Rule, count, ends, find_rule, in_words, roughly, uncounted
from evalkit.disclosure.scan import Finding, scan
from evalkit.disclosure.tables import Protected, protect

__all__ = [
    "RULES",
    "Finding",
    "Protected",
    "ProtectedCohort",
    "Rule",
    "count",
    "ends",
    "find_rule",
    "in_words",
    "protect",
    "protect_cohort",
    "protect_flow",
    "roughly",
    "rounded",
    "scan",
    "uncounted",
]
