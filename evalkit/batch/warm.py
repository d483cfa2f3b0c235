"""Everything a report needs, imported once in the server from which each report's process is forked.

Open lists (sections, looks) and the schema of notebooks are read when first asked for: here that is done beforehand.
duckdb is left out: it starts threads, and a fork must not meet one.
"""

from __future__ import annotations

import gc
import importlib
import sys

import nbformat

from evalkit.outcomes.looks.taking import found_in

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
OPEN_LISTS = ("report.sections", "outcomes.looks", "counterfactual.looks", "contract.looks", "value.looks")
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
    "pyarrow.parquet",
    "IPython.core.magics",
    "sqlite3",
)

for _name in (*LIBRARIES, *(f"evalkit.{room}" for room in (*ROOMS, *OPEN_LISTS))):
    importlib.import_module(_name)
for _name in OPEN_LISTS:
    _folder = sys.modules[f"evalkit.{_name}"]
    found_in(_folder.__name__, _folder.__path__)
for _lenient in (False, True):  # the schema is compiled once for each
    nbformat.validate(nbformat.v4.new_notebook(), relax_add_props=_lenient)
gc.freeze()
