"""Showing an evaluation, or one section of it, in a notebook."""

from __future__ import annotations

from typing import Any

from evalkit.errors import EvalkitError, did_you_mean
from evalkit.report.common import record_of
from evalkit.report.look import TEMPLATE, in_notebook, style
from evalkit.report.page import about_page, build, header
from evalkit.report.results import as_dicts, results
from evalkit.report.sections import sections
from evalkit.report.summary import summary

TITLE = "title"
__all__ = ["TEMPLATE", "TITLE", "Shown", "show", "style"]


class Shown:
    """A piece of a report that a notebook displays; its metadata tell the page what it is."""

    def __init__(self, html: str, metadata: dict[str, Any]) -> None:
        self.html = html
        self.metadata = metadata

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, str], dict[str, Any]]:
        """The HTML with its style, so that a cell looks right by itself."""
        return {"text/html": in_notebook(self.html), "text/plain": str(self.metadata.get("title", ""))}, {
            "evalkit": self.metadata
        }


def show(evaluation: Any, section: str | None = None) -> Shown:
    """Show an evaluation in a notebook.

    Parameters
    ----------
    evaluation : Evaluation
        What `evalkit.evaluate` returned, or ``Evaluation(noun)``.
    section : str, optional
        "title", or a section's id: "brief", "sib", "cohort", "outcomes", "over_time", "change", "measures", "services",
        "effect", "certainty", "parts", "lasting", "plan", "series", "payments", "bought", "reported",
        "investors", "timescales", "costs", "value", "savings", "curve", "framework", "claims", "flags", "provenance".
        Default: all of them.

    Returns
    -------
    Shown
        Displayed when it is the last thing in a cell. Tables and figures keep their numbers whichever cells are run.

    Raises
    ------
    EvalkitError
        There is no such section.
    """
    known = [TITLE, *(part.id for part in sections())]
    if section is not None and section not in known:
        raise EvalkitError(f'There is no section "{section}". {did_you_mean(section, known)}')
    if section == TITLE:
        return _title(evaluation)
    built = build(evaluation)
    if section is None:
        title = _title(evaluation)
        return Shown(title.html + "".join(part.html for part in built.values()), title.metadata)
    if section not in built:
        return Shown("", {"section": section, "title": ""})
    part = built[section]
    return Shown(part.html, {"section": part.id, "title": part.title, "number": part.number})


def _title(evaluation: Any) -> Shown:
    metadata = {
        "section": TITLE,
        "title": evaluation.study.study.title,
        "page": about_page(evaluation),
        "results": as_dicts(results(evaluation)),
        "provenance": record_of(evaluation),
        "summary": summary(evaluation),
    }
    return Shown(header(evaluation), metadata)
