"""Whether a difference is worth having, could be ruled out, or could not have been seen; and who is comparable."""

from __future__ import annotations

from typing import Any

from evalkit import words
from evalkit.report.beside import about, form_of, key_of, level_words, looked, named, row_of, several, why_not
from evalkit.report.blocks import Column, Figure, How, Table
from evalkit.report.figures.overlap import Band, overlap
from evalkit.report.html import Cell
from evalkit.report.phrases import Wording, arm_names, finite, real

UNCLEAR = "no clear difference"


def worthwhile(evaluation: Any) -> Table | None:
    """Every difference against the smallest worth having and the smallest that would probably have been seen.

    Parameters
    ----------
    evaluation : Evaluation
        With effects.

    Returns
    -------
    Table or None
        None where no estimate has an interval.
    """
    seen = several(evaluation, "worthwhile")
    if not seen:
        return None
    stated = any(one.found.smallest is not None for one in seen)
    columns = [Column("Outcome", False)]
    columns += [Column("Smallest worth having")] if stated else []
    columns += [
        Column(f"Estimate, {level_words(evaluation)}"),
        Column("Would have been seen"),
        Column("Verdict", False),
    ]
    verdicts = [verdict(evaluation, one) for one in seen]
    return Table(
        "worthwhile",
        _say(verdicts) if len(seen) > 1 else _say_one(evaluation, seen[0], verdicts[0]),
        "Each in the unit of the main table; what would have been seen with a chance of 80%, from the standard error "
        "reached",
        columns,
        [_row(evaluation, one, stated, told) for one, told in zip(seen, verdicts, strict=True)],
        notes=[
            "A result that rules out what would be worth having is a finding. Smaller differences than would have been "
            "seen may have been missed. The size that would have been seen does not depend on what was found."
        ],
        how=How([], [f"detectable.{key_of(evaluation, str(one.outcome))}" for one in seen if one.found.detectable]),
        meanings={words.NOT_AVAILABLE: f"not available: {_why_empty(evaluation, seen, stated)}"},
        dense=True,
        width=40,
    )


def _why_empty(evaluation: Any, seen: list[Any], stated: bool) -> str:
    """What an empty cell stands for, column by column."""
    why = []
    if stated and any(one.found.smallest is None for one in seen):
        why.append("no smallest size worth having was stated beforehand")
    if any(one.found.detectable is None for one in seen):
        why.append("what would have been seen needs a standard error, and there is none")
    rows = [row_of(evaluation, str(one.outcome)) for one in seen]
    if any(row is None or not finite(row.effect) for row in rows):
        why.append("no estimate could be made")
    return "; ".join(why) or "not known"


def _row(evaluation: Any, one: Any, stated: bool, told: tuple[str, str]) -> list[object]:
    form, row, found = form_of(evaluation, str(one.outcome)), row_of(evaluation, str(one.outcome)), one.found
    cells: list[object] = [named(evaluation, one)]
    if stated:
        cells.append(form.size(found.smallest) if found.smallest is not None else words.NOT_AVAILABLE)
    printed = words.NOT_AVAILABLE if row is None else f"{form.change(row.effect)} ({form.interval(row.low, row.high)})"
    seen = form.size(found.detectable.effect) if found.detectable is not None else words.NOT_AVAILABLE
    return [*cells, printed, seen, Cell(told[0], small=told[1])]


def verdict(evaluation: Any, one: Any) -> tuple[str, str]:
    """What may be concluded of an outcome, and what bounds it.

    Parameters
    ----------
    evaluation : Evaluation
        With effects.
    one : Seen
        Of the look "worthwhile".

    Returns
    -------
    (str, str)
        "better", "worse", "no worthwhile difference", "no clear difference" or "not known"; and half a sentence.
    """
    row, told = row_of(evaluation, str(one.outcome)), one.found.finding.verdict
    if row is not None and row.conclusion == UNCLEAR and told in ("better", "worse"):
        return UNCLEAR, "not once all outcomes are allowed for"
    return told, _bounded(row, told, one.found.smallest) if row is not None else ""


def _bounded(row: Any, told: str, smallest: float | None) -> str:
    """Whether what would be worth having is reached or ruled out."""
    if smallest is None or not finite(row.low) or not finite(row.high):
        return ""
    sign = 1.0 if row.better == "higher" else -1.0
    worst, best = sorted((sign * real(row.low), sign * real(row.high)))
    if told == "better":
        return "worth having" if worst >= smallest else "may be less than worth having"
    if told == UNCLEAR:
        return "one worth having is ruled out, harm is not" if best < smallest else "one worth having is not ruled out"
    return ""


def _say(verdicts: list[tuple[str, str]]) -> str:
    order = ["better", "worse", "no worthwhile difference", UNCLEAR, "not known"]
    kinds = [told for told, _ in verdicts]
    counted = [f"{kinds.count(kind)} {kind}" for kind in order if kind in kinds]
    sure = sum(small == "worth having" for _, small in verdicts)
    tail = f"; {sure} for sure by as much as is worth having" if sure else ""
    return f"Of {len(verdicts)} outcomes: {words.listed(counted)}{tail}"


def _say_one(evaluation: Any, one: Any, told: tuple[str, str]) -> str:
    """The verdict on the only outcome, and what would have been seen."""
    form, found = form_of(evaluation, str(one.outcome)), one.found.detectable
    size = f"; {form.size(found.effect)} would probably have been seen" if found is not None else ""
    small = f", {told[1]}" if told[1] else ""
    return f"{named(evaluation, one)}: {told[0]}{small}{size}"


def comparable(evaluation: Any) -> Figure | None:
    """How likely people of both arms were to be treated.

    Parameters
    ----------
    evaluation : Evaluation
        With effects.

    Returns
    -------
    Figure or None
        None where chance decided, or nothing was adjusted for.
    """
    one = looked(evaluation, "overlap")
    if one is None:
        return None
    found, names = one.found, arm_names(evaluation.study)
    treated, comparison = (_bands(found.table, arm) for arm in ("treated", "comparison"))
    drawn = overlap(treated, comparison, names, "Chance of being treated")
    return Figure(
        "overlap",
        _support(found.common_support),
        "Chance of being treated by what is known from before, in bands of ten people or more; areas are shares of an "
        "arm",
        drawn.wide,
        drawn.narrow,
        notes=["Where one side is empty, what would have happened rests on the model alone."],
        how=How(["Fitted by logistic regression on the characteristics of the plan.",
                 *(why_not(flag.text) for flag in found.flags if flag.level != "note")]),
    )  # fmt: skip


def _bands(table: Any, arm: str) -> list[Band]:
    rows = table[table["arm"] == arm].itertuples()
    return [Band(real(row.low), real(row.high), real(row.share)) for row in rows]


def _support(share: float) -> str:
    """The share of the treated who have their like, so coarse that nobody can be counted."""
    if not share:
        return "Nobody treated has anybody like them in the comparison"
    told = about(share)
    return f"{told[:1].upper()}{told[1:]} of the treated lie within the range of the comparison"


def scale_words(form: Wording) -> str:
    """How a ratio is to be read, for a note; empty for a difference."""
    return "A ratio below 1 is lower with the programme, above 1 higher; 1 is no difference." if form.ratio else ""
