"""For whom: groups of people, the whole distribution, and those who took part or completed."""

from __future__ import annotations

from typing import Any

from evalkit import words
from evalkit.report.beside import about, form_of, gives_away, key_of, level_words, named, several, spoken
from evalkit.report.blocks import Column, Heading, How, Table
from evalkit.report.groups_gained import gained, subgroups
from evalkit.report.html import Cell
from evalkit.report.phrases import Wording, finite, real
from evalkit.report.rough import few
from evalkit.report.sections import section

EVERYONE = "Everyone referred and eligible"
LABELS = {
    EVERYONE: "the headline",
    "Those who took part because they were offered it": "chance decided who was offered it",
    "Completers only, with all of the comparison": "selected: who stays is not a matter of chance",
}


@section("parts", "For whom", 54)
def parts(evaluation: Any) -> list[Any]:
    """Subgroups, who gained, who took part."""
    if evaluation.effects is None:
        return []
    groups = {
        "By group": subgroups(evaluation),
        "Who gained and who lost": gained(evaluation),
        "Those who took part": [*_took_part(evaluation)],
    }
    blocks: list[Any] = []
    for title, found in groups.items():
        blocks += [Heading(title), *found] if found else []
    return blocks


def _took_part(evaluation: Any) -> list[Table]:
    seen = [one for one in several(evaluation, "taking part") if one.found.took_part or one.found.completed]
    if not seen:
        return []
    rows = [line for one in seen for line in _rows(evaluation, one)]
    return [
        Table(
            "taking-part",
            _say(evaluation, seen),
            "Each in the unit of the main table; everyone counted as referred, whatever they then did, stays the "
            "headline",
            [Column("Outcome and whom it is about", False), Column("Estimate"), Column(level_words(evaluation)),
             Column("p")],
            rows,
            notes=[*_shares(seen), *_cautions(seen)],
            how=How(_methods(seen), _names(evaluation, seen)),
            meanings={words.SUPPRESSED: "suppressed: it would tell of few people"},
            width=38,
        )
    ]  # fmt: skip


def _found(one: Any) -> list[tuple[str, Any]]:
    estimates = (one.found.everyone, one.found.took_part, one.found.completed)
    return [(label, found) for label, found in zip(LABELS, estimates, strict=True) if found is not None]


def _rows(evaluation: Any, one: Any) -> list[list[object]]:
    form, rows = form_of(evaluation, str(one.outcome)), []
    for label, found in _found(one):
        first = Cell(label, small=f"{named(evaluation, one)}; {LABELS[label]}", bold=label == EVERYONE)
        shown = [words.SUPPRESSED] * 3 if _hidden(evaluation, one, found, form) else _numbers(found, form)
        rows.append([first, *shown])
    return rows


def _numbers(found: Any, form: Wording) -> list[str]:
    return [form.change(found.effect), form.interval(found.low, found.high), words.p_value(real(found.p))]


def _hidden(evaluation: Any, one: Any, found: Any, form: Wording) -> bool:
    """Whether an estimate and the headline together tell of those few who did not take part, or not complete."""
    if found is one.found.everyone:
        return False
    if found is one.found.completed:
        return gives_away(evaluation, one.found.everyone, found, form.kind == "share")
    stage = found.diagnostics.get("first_stage")
    rest = (
        []
        if stage is None
        else [int(stage.loc[0, "people"] - stage.loc[0, "took_part"]), int(stage.loc[1, "took_part"])]
    )
    return any(n > 0 and few(n, evaluation) for n in rest)


def shown_taking_part(evaluation: Any) -> list[tuple[str, Any, Wording]]:
    """The estimates on those who took part that may be printed.

    Parameters
    ----------
    evaluation : Evaluation
        With effects.

    Returns
    -------
    list of (str, Estimate, Wording)
        By the first words of the outcome's result ids.
    """
    found = []
    for one in several(evaluation, "taking part"):
        form, through = form_of(evaluation, str(one.outcome)), one.found.took_part
        if through is not None and not _hidden(evaluation, one, through, form):
            found.append((key_of(evaluation, str(one.outcome)), through, form))
    return found


def _names(evaluation: Any, seen: list[Any]) -> list[str]:
    return [f"taking_part.{key}.effect" for key, *_ in shown_taking_part(evaluation)]


def _say(evaluation: Any, seen: list[Any]) -> str:
    one = seen[0]
    form, found = form_of(evaluation, str(one.outcome)), one.found
    told = f"{form.signed(found.everyone.effect)} for everyone"
    if found.took_part is not None and not _hidden(evaluation, one, found.took_part, form):
        told += f", {form.signed(found.took_part.effect)} for those who took part because they were offered it"
    return f"The estimate for {spoken(evaluation, one)}: {told}"


def _shares(seen: list[Any]) -> list[str]:
    notes = []
    for one in seen[:1]:
        through, completed = one.found.took_part, one.found.completed
        if through is not None and finite(through.diagnostics.get("brought_in")):
            notes.append(f"The offer brought in {about(through.diagnostics['brought_in'])} of people.")
        if completed is not None and finite(completed.diagnostics.get("completed")):
            notes.append(f"{about(completed.diagnostics['completed']).capitalize()} of the treated completed.")
    return notes


def _cautions(seen: list[Any]) -> list[str]:
    notes = []
    if any(one.found.took_part is not None for one in seen):
        notes.append("It takes it that being offered the programme moved the outcome only through taking part.")
    if any(one.found.completed is not None for one in seen):
        notes.append(
            "The difference of completers is no estimate of what the programme does: those who stay differ from those "
            "who leave. It earns no level of evidence."
        )
    return notes


def _methods(seen: list[Any]) -> list[str]:
    through = [one.found.took_part for one in seen if one.found.took_part is not None]
    told = ["Two-stage least squares, being offered the programme as the instrument."] if through else []
    for found in through:
        kind = "; the first stage is weak, so the interval is Anderson and Rubin's" if found.diagnostics["weak"] else ""
        told.append(f"First-stage F {words.number(real(found.diagnostics['f']), 1)}{kind}.")
    return list(dict.fromkeys(told))
