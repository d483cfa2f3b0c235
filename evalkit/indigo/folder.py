"""From a project of the data set to a study folder that `evalkit run` turns into a report at once."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from evalkit.errors import StudyError
from evalkit.indigo.aside import refuse_standing, written_whole
from evalkit.indigo.ledgers import Ledgers, ledgers_of, shortened
from evalkit.indigo.record import Record, amount, as_recorded, money, span, text
from evalkit.indigo.terms import parties_of, reported_of, steps_of, terms_of
from evalkit.indigo.toml import as_toml, lines_of, one_line

STUDY = "study.toml"
ID = re.compile(r"INDIGO-POJ-\d{4}")
KIND_NOTE = "Recorded in a public data set of impact bonds; no record of any person was seen."
CANNOT_SAY = [
    "Whether the programme made a difference: there is no comparison, so nothing here is called an effect.",
    "How much of what was paid for would have happened anyway: no outcome is linked to an estimate.",
    "What it was worth: no value is put on the outcomes.",
    "Whether the record is complete: only what the data set holds is used; its gaps and faults are listed as flags.",
]
UNITS = ("rate_card", "achieved")  # what the reconciliation says of prices and units; the rest the contract room says
HEAD = "# Made from the INDIGO impact bond dataset. The texts are the data set's own.\n\n"


def folder_name(project_id: str) -> str:
    """The folder and id of a project's study: "indigo_poj_0121"."""
    return re.sub(r"[^a-z0-9]+", "_", project_id.lower()).strip("_") or "indigo_project"


def study_files(project: Any, organisations: Mapping[str, str], dated: str = "") -> dict[str, str]:
    """Write a project as the files of a study.

    Parameters
    ----------
    project : IndigoProject
        One project of `evalkit.contract.read_indigo`'s data.
    organisations : dict of str to str
        Organisation id -> name.
    dated : str
        Which release of the data set, in words.

    Returns
    -------
    dict of str to str
        Text by file name: study.toml, and rate_card.csv, achieved.csv, payments.csv, costs.csv where the project has
        what goes into them.
    """
    record = Record(str(project.id), project.tables, organisations, dated)
    reconciled = project.reconcile()
    ledgers = ledgers_of(record, reconciled.table)
    told = [*project.flags, *[flag for flag in reconciled.flags if flag.about in UNITS]]
    content = {
        "study": _about(record),
        "party": parties_of(record),
        "term": terms_of(record, ledgers.priced),
        "contract": _contract(record, ledgers),
        "flag": [*_flags(dict.fromkeys(told)), *ledgers.flags],
        "reported": reported_of(record, ledgers.priced),
    }
    return {STUDY: HEAD + as_toml(content), **ledgers.files}


def _about(record: Record) -> dict[str, Any]:
    about = record.about
    summary = " ".join(part for part in (text(about, "challenge"), text(about, "intervention")) if part)
    return {
        "id": folder_name(record.id),
        "title": text(about, "name") or record.id,
        "kind": "published figures",
        "kind_note": KIND_NOTE,
        "over": "Evaluation report \u00b7 impact bond on public record",
        "stand": shortened(text(about, "population")),
        "summary": summary,
        "indigo": record.id if ID.fullmatch(record.id) else None,
        "country": ", ".join(_countries(record)),
        "currency": record.currency,
        "sources": [f"{record.source}.", *_sources(record)],
        "cannot_say": CANNOT_SAY,
        "facts": {name: fact for name, fact in _facts(record).items() if fact},
    }


def _countries(record: Record) -> list[str]:
    """Where it was delivered, or the jurisdiction where no place is recorded."""
    places = [text(row, "country") for row in record.rows("delivery_locations")]
    return list(dict.fromkeys(place for place in places if place)) or [
        place for place in [text(record.about, "jurisdiction")] if place
    ]


def _sources(record: Record) -> list[str]:
    """The sources that the data set itself names, with its ids."""
    found = []
    for row in record.rows("sources"):
        parts = [text(row, "name"), text(row, "address"), text(row, "published_on")]
        told = ", ".join(dict.fromkeys(part for part in parts if part))
        if told:
            found.append(f"{text(row, 'source')}: {told}" if text(row, "source") else told)
    return found


def _facts(record: Record) -> dict[str, str]:
    about = record.about
    ended = text(about, "service_end_actual") or text(about, "service_end_planned")
    return {
        "Stage": text(about, "stage"),
        "Signed": span(text(about, "signed_on"), ""),
        "Service": span(text(about, "service_start"), ended),
        "Sector": text(about, "sector"),
        "Planned": _people(about, "users_target"),
        "Engaged": _people(about, "users_actual"),
        "Investment": money(about, "investment", "investment_currency"),
    }


def _people(about: Mapping[str, Any], name: str) -> str:
    many, unit = as_recorded(about, name), text(about, f"{name}_unit_text")
    return f"{many} {unit}".strip() if many else ""


def _contract(record: Record, ledgers: Ledgers) -> dict[str, Any]:
    about, named = record.about, {name.removesuffix(".csv"): name for name in ledgers.files}
    same = text(about, "maximum_currency") == record.currency
    return {
        **named,
        "maximum_recorded": _positive(about, "maximum") if same else None,
        "published": True,
        "source": f"{record.source}.",
        "step": steps_of(record),
    }


def _positive(about: Mapping[str, Any], name: str) -> float | None:
    value = amount(about, name)
    return value if value is not None and value > 0 else None


def _flags(flags: Iterable[Any]) -> list[dict[str, Any]]:
    """The project's faults, in the words in which they were found."""
    return [
        {
            "level": flag.level,
            "text": one_line(flag.text),
            "detail": lines_of(flag.detail) or None,
            "about": one_line(flag.about) or None,
        }
        for flag in flags
    ]


def write_study(
    project: Any,
    organisations: Mapping[str, str],
    to: str | os.PathLike[str],
    dated: str = "",
    replace: bool = False,
) -> Path:
    """Write a project's study folder, whole or not at all.

    Parameters
    ----------
    project : IndigoProject
        One project.
    organisations : dict of str to str
        Organisation id -> name.
    to : path
        The folder in which the study's folder is made.
    dated : str
        Which release of the data set, in words.
    replace : bool
        Whether a study that stands there may be replaced.

    Returns
    -------
    Path
        The study's folder.

    Raises
    ------
    StudyError
        It exists already, or is not a study of this project.
    """
    folder = Path(to) / folder_name(str(project.id))
    refuse_standing(folder, STUDY, replace)
    if folder.is_dir() and (folder / STUDY).is_file() and not is_made_here(folder):
        raise StudyError(
            f"{folder.name}/{STUDY} was not made by evalkit indigo: it is not replaced. "
            "Move it away, or choose another folder with --to."
        )
    return written_whole(folder, study_files(project, organisations, dated), STUDY, replace)


def is_made_here(folder: Path) -> bool:
    """Whether a study folder was made from the data set."""
    file = folder / STUDY
    return file.is_file() and file.read_text(encoding="utf-8", errors="replace").startswith(HEAD.strip())
