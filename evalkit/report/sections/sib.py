"""The contract: who agreed what with whom, and what kind of data the report rests on."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evalkit import words
from evalkit.report.amounts import few_behind, pence, unit_words
from evalkit.report.blocks import Column, Table, Text
from evalkit.report.common import rule_of
from evalkit.report.html import Cell, sentence
from evalkit.report.phrases import finite, real
from evalkit.report.rests import hidden_metrics
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
    if (payers := _payers(evaluation)) is not None:
        blocks.append(payers)
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
    shares = any(party.share is not None for party in study.party)
    return Table(
        "parties",
        "Who took part",
        "Parties to the contract and what each did",
        [
            Column("Role", number=False),
            Column("Who", number=False),
            *([Column("Agreed share of payments")] if shares else []),
        ],
        _by_role(study, shares),
        source="; ".join(dict.fromkeys(s for p in study.party for s in p.source.split("; ") if s)),
        width=30 if shares else 0,
    )


def _by_role(study: Any, shares: bool) -> list[list[object]]:
    rows: list[list[object]] = []
    for role, name in ROLES.items():
        for party in (party for party in study.party if party.role == role):
            share = "" if party.share is None or role != "commissioner" else _share(party.share)
            rows.append([name, Cell(party.name, small=sentence(party.note)), *([share] if shares else [])])
    return rows


def _share(share: object) -> str:
    """A share agreed in a contract, with decimals only where it has some."""
    if not finite(share):
        return words.NOT_AVAILABLE
    return words.percent(real(share), 0 if abs(real(share) * 100 - round(real(share) * 100)) < 1e-9 else 1)


def _payers(evaluation: Any) -> Table | None:
    """What each commissioner was to pay against what is recorded under its name."""
    found = getattr(evaluation.contract, "looks", {}).get("parties")
    if found is None or not _tells_payers(found.table):
        return None
    rows, gone = _payer_rows(evaluation, found)
    paid = words.SUPPRESSED if gone else words.number(found.paid, pence(found.table["agreed"], found.table["recorded"]))
    agreed = found.table["agreed"].sum(min_count=1)
    whole = (
        words.SUPPRESSED
        if gone
        else words.number(float(agreed), pence(found.table["agreed"], found.table["recorded"]))
        if finite(agreed)
        else ""
    )
    rows.append(["All payers", _share(found.shares) if finite(found.shares) else "", whole, paid, ""])
    columns = [Column("Payer", number=False), Column("Agreed share"), Column("That share of what was paid")]
    columns += [Column("Recorded as paid"), Column("Recorded less agreed")]
    kept = range(5) if found.table["share"].notna().any() else (0, 3)  # without shares nothing was agreed to hold
    return Table(
        "payers",
        "Who was to pay, and who is recorded as having paid" if len(kept) > 2 else "Who is recorded as having paid",
        f"Outcome payments in {unit_words(evaluation)} as paid",
        [columns[place] for place in kept],
        [[row[place] for place in kept] for row in rows],
        notes=[
            *(["A difference is a question, not a finding: one may pay on behalf of others."] if len(kept) > 2 else []),
            *([f"Rule in force: {rule_of(evaluation)}."] if gone else []),
        ],
        total=1,
        width=44 if len(kept) > 2 else 0,
    )


def _tells_payers(table: pd.DataFrame) -> bool:
    """Whether a share can be held to what is recorded, or several are recorded as having paid."""
    recorded = table["recorded"].notna()
    return bool((recorded & table["share"].notna()).any() or recorded.sum() > 1)


def _payer_rows(evaluation: Any, found: Any) -> tuple[list[list[object]], bool]:
    """One row per payer; where one may be recorded with what few people were paid for, all are hidden."""
    gone = bool(hidden_metrics(evaluation)) or any(
        real(row["recorded"]) > 0 and few_behind(evaluation, real(row["recorded"]))
        for row in found.table.to_dict("records")
    )
    digits = pence(found.table["agreed"], found.table["recorded"])
    rows: list[list[object]] = []
    for row in found.table.to_dict("records"):
        gap = real(row["difference"])
        cells: list[object] = [
            Cell(str(row["payer"]), small="" if row["commissioner"] else "not on record as a commissioner"),
            _share(row["share"]) if finite(row["share"]) else "",
            words.number(real(row["agreed"]), digits) if finite(row["agreed"]) else "",
            words.number(real(row["recorded"]), digits) if finite(row["recorded"]) else words.NOT_AVAILABLE,
            Cell(words.number(gap, digits, sign=True), bold=round(gap, 2) != 0) if finite(gap) else "",
        ]
        rows.append([*cells[:2], *[words.SUPPRESSED] * 3] if gone else cells)
    return rows, gone


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
