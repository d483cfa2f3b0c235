"""The whole plan of an evaluation, validated before any data are read."""

from __future__ import annotations

from evalkit.study.model import Study, StudyFile

__all__ = ["Study", "StudyFile"]
