"""The contract: who agreed what with whom, and what kind of data the report rests on."""

from __future__ import annotations

from typing import Any

from evalkit.report.blocks import Column, Table, Text
from evalkit.report.html import Cell, sentence
from evalkit.report.sections import section

ROLES = {
    "commissioner": "Commissioner",
    "investor": "Investor",
    "provider": "Provider",
    "intermediary": "Intermediary",
    "evaluator": "Evaluator",
    "other": "Other",
}


def _title(evaluation: Any) -> str:
    return "The contract" if evaluation.study.study.is_sib else "The study"


@section("sib", _title, 20)
def sib(evaluation: Any) -> list[Any]:
    """Programme, kind of data, parties, terms."""
    study = evaluation.study
    about = study.study
    blocks: list[Any] = [Text(about.summary, _kind(about))]
    if not about.is_sib:
        blocks.append(
            Text(
                "This is not a social impact bond: there was no outcomes contract. The "
                "study shows the method on known data."
            )
        )
    if study.party:
        blocks.append(_parties(study))
    if study.term:
        blocks.append(_terms(study))
    return blocks


def _kind(about: Any) -> str:
    base = {
        "real": "The data are records of real people.",
        "published figures": "The figures were typed in from publications.",
        "synthetic": "The data are invented.",
    }[about.kind]
    number = f" INDIGO project {about.indigo}." if about.indigo else ""
    return f"{sentence(about.kind_note) or base}{number}"


def _parties(study: Any) -> Table:
    return Table(
        "parties",
        "Who took part",
        "Parties to the contract and what each did",
        [Column("Role", number=False), Column("Who", number=False)],
        _by_role(study),
        source="; ".join(dict.fromkeys(s for p in study.party for s in p.source.split("; ") if s)),
        width=0,
    )


def _by_role(study: Any) -> list[list[object]]:
    rows: list[list[object]] = []
    for role, name in ROLES.items():
        parties = [party for party in study.party if party.role == role]
        rows += [[name, Cell(party.name, small=sentence(party.note))] for party in parties]
    return rows


def _terms(study: Any) -> Table:
    varied = any(term.varied for term in study.term)
    columns = [Column("Term", number=False), Column("As agreed", number=False)]
    rows = [[term.term, term.agreed, term.varied or "no change"][: 3 if varied else 2] for term in study.term]
    return Table(
        "terms",
        "What was agreed",
        "Terms at signature and as later varied" if varied else "Terms of the contract",
        columns + ([Column("As later varied", number=False)] if varied else []),
        rows,
        source="; ".join(dict.fromkeys(s for t in study.term for s in t.source.split("; ") if s)),
        width=34 if varied else 0,
    )
