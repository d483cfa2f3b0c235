"""The plan, and departures from it: what was decided, when, and what is otherwise now."""

from __future__ import annotations

from typing import Any

from evalkit.errors import EvalkitError
from evalkit.report.blocks import Column, How, Table, Text
from evalkit.report.html import Cell
from evalkit.report.phrases import said
from evalkit.report.sections import section
from evalkit.study.locked import departures, lock_says, read_lock

SHORT = 12  # letters of the hash
NOT_LOCKED = (
    "The plan was not locked: what was decided before the outcomes were seen, and what after, cannot be told from the "
    "records."
)


@section("plan", "The plan, and departures from it", 58)
def plan(evaluation: Any) -> list[Any]:
    """One sentence without a lock; with one its date, its hash, and every departure."""
    study = evaluation.study
    if study.counterfactual is None:
        return []
    try:
        lock = read_lock(study)
        if lock is None:
            return [Text(NOT_LOCKED)]
        found = departures(study)
        told = " ".join(lock_says(study))
    except EvalkitError as fault:
        return [Text(f"The lock of the plan cannot be read: {fault}")]
    blocks: list[Any] = [Text(f"{told} Its hash begins with {lock.sha256[:SHORT]}.")]
    return [*blocks, _departed(found, lock)] if found else blocks


def _departed(found: list[Any], lock: Any) -> Table:
    return Table(
        "departures",
        _count(found),
        "Every difference between the plan as it was locked and as it is now; a row says where it stands in the study "
        "file",
        [Column("Where", False), Column("Was", False), Column("Is now", False), Column("Decides", False)],
        [_row(one) for one in found],
        notes=[
            "A departure is no fault: what is wanted is that it is seen, and the reason said. What changes words only "
            "changes no number."
        ],
        how=How([f"SHA-256 of the locked plan: {lock.sha256}. {_with(lock)}"]),
        dense=True,
        width=46,
    )


def _count(found: list[Any]) -> str:
    decides = sum(not one.words_only for one in found)
    if not decides:
        return "Nothing that decides a number departs from the locked plan; words do"
    if decides == 1:
        return "1 departure from the locked plan decides numbers"
    return f"{decides} departures from the locked plan decide numbers"


def _row(one: Any) -> list[object]:
    was, now = said(one.was) or "not there", said(one.now) or "not there"
    kind = "words only" if one.words_only else "numbers"
    return [one.where, was, now, Cell(kind, bold=not one.words_only)]


def _with(lock: Any) -> str:
    made = ", ".join(f"{name} {version}" for name, version in dict(lock.made_with).items())
    return f"Locked with {made}." if made else ""
