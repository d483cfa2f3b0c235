"""The whole plan of an evaluation, validated before any data are read."""

from __future__ import annotations

from evalkit.study.checks import ESTIMATORS
from evalkit.study.files import files_named
from evalkit.study.model import Study, StudyFile
from evalkit.study.read import read_study, schema, shown

__all__ = ["ESTIMATORS", "Study", "StudyFile", "files_named", "read_study", "schema", "shown"]
