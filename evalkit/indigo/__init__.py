"""INDIGO, the open data standard of impact bonds: a study's public results out, and study folders from its projects."""

from __future__ import annotations

from evalkit.indigo.every import Folders, organisation_names, write_every_study
from evalkit.indigo.export import Exported, export_indigo, write_export
from evalkit.indigo.folder import folder_name, study_files, write_study
from evalkit.indigo.quality import QUALITY, render_quality

__all__ = [
    "QUALITY",
    "Exported",
    "Folders",
    "export_indigo",
    "folder_name",
    "organisation_names",
    "render_quality",
    "study_files",
    "write_every_study",
    "write_export",
    "write_study",
]
