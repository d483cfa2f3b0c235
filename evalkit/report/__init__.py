"""The report: sections from an evaluation, shown in a notebook and rendered as one self-contained page."""

from __future__ import annotations

from evalkit.report.display import show
from evalkit.report.render import execute, notebook, render_report, to_html
from evalkit.report.validated import render_validation, show_validation

__all__ = ["execute", "notebook", "render_report", "render_validation", "show", "show_validation", "to_html"]
