"""The lists that other parts of an export refer to by id: the parties as organisations, and the sources."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from evalkit.indigo.public import Field, field, filled

ORGANISATION = re.compile(r"INDIGO-ORG-\d{4}")
URL = re.compile(r"https?://[^\s,;)\"'<>\]]+")


@dataclass(frozen=True, eq=False)
class Registers:
    """Organisations and sources by what the study calls them.

    Parameters
    ----------
    organisations : dict of str to str
        Name in lower case -> id.
    names : dict of str to str
        Id -> name as the study writes it.
    sources : dict of str to str
        Text of the source -> id within the project.
    """

    organisations: dict[str, str]
    names: dict[str, str]
    sources: dict[str, str]

    def organisation(self, name: str) -> Field | None:
        """The id of an organisation; one that is not a party gets an id of its own."""
        key = name.strip().lower()
        if not key:
            return None
        if key not in self.organisations:
            self._enter(name, f"party{len(self.organisations) + 1}")
        return field(self.organisations[key])

    def _enter(self, name: str, id: str) -> None:
        self.organisations[name.strip().lower()] = id
        self.names.setdefault(id, name.strip())

    def source(self, *texts: str) -> str | None:
        """The ids of sources, as INDIGO writes several: with commas."""
        found = [self._source(part) for text in texts for part in _parts(text)]
        return ",".join(dict.fromkeys(found)) or None

    def _source(self, text: str) -> str:
        return self.sources.setdefault(text, f"source{len(self.sources) + 1}")


def registers_of(study: Any) -> Registers:
    """Start the registers with the parties and the sources that the study names.

    Parameters
    ----------
    study : Study
        An organisation keeps its INDIGO id where the party's note or source gives one.

    Returns
    -------
    Registers
        Ids of the export's own ("party1") where INDIGO's are not known.
    """
    registers = Registers({}, {}, {})
    for number, party in enumerate(study.party, start=1):
        known = ORGANISATION.search(f"{party.note} {party.source}")
        if party.name.strip().lower() not in registers.organisations:
            registers._enter(party.name, known.group() if known else f"party{number}")
    for text in study.study.sources:
        registers._source(text.strip())
    return registers


def _parts(text: str) -> list[str]:
    return [part.strip() for part in str(text).split("; ") if part.strip()]


def organisation_list(registers: Registers) -> list[dict[str, Any]]:
    """Organisations in the JSON form: id and name only, never anyone to contact."""
    return [{"id": id, "name": field(name), "status": "PUBLIC"} for id, name in registers.names.items()]


def source_list(registers: Registers, report: str) -> list[dict[str, Any]]:
    """Sources in the JSON form.

    Parameters
    ----------
    registers : Registers
        Complete: every part that names a source has been made.
    report : str
        Which of them is the evaluation report.

    Returns
    -------
    list of dict
        With the address where the text holds one.
    """
    return [
        filled(
            {
                "id": id,
                "name": field(text),
                "type": field("Evaluation report" if text == report else ""),
                "url": field(found.group().rstrip(".") if (found := URL.search(text)) else ""),
                "status": "PUBLIC",
            }
        )
        for text, id in registers.sources.items()
    ]
