"""Provenance: what the numbers were made from, with what, and every result by its name."""

from __future__ import annotations

from typing import Any

from evalkit import words
from evalkit.report.blocks import Column, Heading, How, Html, Table, Text, facts
from evalkit.report.common import record_of, rule_of, shown
from evalkit.report.html import esc, sentence
from evalkit.report.results import Result, results
from evalkit.report.sections import section


@section("provenance", "Provenance", 100)
def provenance(evaluation: Any) -> list[Any]:
    """Versions, hashes, parameters, sources, results by name."""
    record = record_of(evaluation)
    blocks: list[Any] = [Html(facts(_facts(evaluation, record)))]
    if record.get("tables"):
        blocks.append(_tables(record))
    found = results(evaluation)
    if found:
        blocks.append(Html(_by_name(found)))
    sources = "".join(f"<li>{esc(sentence(source))}</li>" for source in evaluation.study.study.sources)
    if sources:
        blocks += [Heading("Sources"), Html(f"<ul>{sources}</ul>")]
    return blocks or [Text("Nothing is known about how this report was made.")]


def _facts(evaluation: Any, record: dict[str, Any]) -> dict[str, str]:
    study, plan = record.get("study") or {}, evaluation.study.disclosure
    pairs = {"Made": str(record.get("made", ""))}
    if study:
        pairs["Study file"] = f"{study['file']}, sha256 {_short(study['sha256'])}"
    pairs |= {str(key): str(value) for key, value in (record.get("parameters") or {}).items()}
    pairs.setdefault("Disclosure rule", rule_of(evaluation))
    pairs["Released by"] = plan.reviewer or "not reviewed for release"
    if record.get("lock"):
        pairs["Lock file"] = f"sha256 {_short(record['lock'])}"
    pairs["Versions"] = ", ".join(f"{name} {version}" for name, version in (record.get("versions") or {}).items())
    return pairs


def _short(digest: str) -> str:
    return digest if digest == words.SUPPRESSED else f"{digest[:8]}\u2026{digest[-4:]}"


def _tables(record: dict[str, Any]) -> Table:
    def rows_of(part: dict[str, Any]) -> str:
        return shown(part["rows"]) if part.get("rows") is not None else words.NOT_APPLICABLE

    return Table(
        "tables-read",
        f"{len(record['tables'])} tables were read" if len(record["tables"]) > 1 else "One table was read",
        "Name, rows and digest of each file as it was",
        [Column("File", False), Column("Rows"), Column("sha256", False)],
        [[part["file"], rows_of(part), _short(part["sha256"])] for part in record["tables"]],
        meanings={words.NOT_APPLICABLE: "not applicable: a table of figures, not of people"},
        width=0,
    )


def _by_name(found: list[Result]) -> str:
    table = Table(
        "results",
        "Every result by its name",
        "",
        [Column("Result name", False), Column("Printed as"), Column("Section", False), Column("Rests on", False)],
        [[result.id, result.text, result.section, result.source] for result in found],
    )
    return How(
        ["The same numbers stand in results.json beside this page, unrounded and with their intervals."],
        table=table,
        summary="Results by name",
    ).html()
