"""Everything a report needs, imported once in the server from which each report's process is forked.

duckdb is left out: it starts threads, and a fork must not meet one.
"""

from __future__ import annotations

import gc
import importlib

ROOMS = (
    "cohort",
    "outcomes",
    "counterfactual",
    "contract",
    "value",
    "evaluation",
    "provenance",
    "report",
    "batch.engine",
)
LIBRARIES = (
    "numpy",
    "pandas",
    "scipy.stats",
    "pingouin",
    "sqlglot",
    "jinja2",
    "nbconvert",
    "nbformat.validator",
    "rocrate.rocrate",
)

for _name in (*LIBRARIES, *(f"evalkit.{room}" for room in ROOMS)):
    importlib.import_module(_name)
gc.freeze()
