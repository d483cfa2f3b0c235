"""How strong a cause that nobody measured would have to be, and what was seen where nothing can have happened."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from evalkit import words
from evalkit.report.beside import (
    clear_of,
    digits_of,
    form_of,
    key_of,
    level_words,
    looked,
    named,
    several,
    unit_of,
    why_not,
)
from evalkit.report.blocks import Column, How, Table, Text
from evalkit.report.common import characteristic
from evalkit.report.html import Cell, lower_first
from evalkit.report.phrases import Wording, finite, real, said
from evalkit.report.rough import few

LOOK = "unmeasured causes"


def unmeasured(evaluation: Any) -> list[Any]:
    """The exhibits on an unmeasured cause.

    Parameters
    ----------
    evaluation : Evaluation
        With effects.

    Returns
    -------
    list of blocks
        Sentences on the first outcome, a table of all, one for each set of benchmarks and of matched pairs; empty where
        nothing was looked at.
    """
    seen = [one for one in several(evaluation, LOOK) if one.found.e_value or one.found.omitted or one.found.rosenbaum]
    if not seen:
        return []
    blocks: list[Any] = [Text(*_sentences(evaluation, seen[0]))]
    strengths = [one for one in seen if one.found.e_value or one.found.omitted]
    blocks += [_strengths(evaluation, strengths)] if strengths else []
    for one in seen:
        omitted, pairs = one.found.omitted, one.found.rosenbaum
        blocks += [_benchmarks(evaluation, one)] if omitted is not None and len(omitted.bounds) else []
        blocks += [_pairs(evaluation, one)] if pairs is not None and not _tells(evaluation, one) else []
    return blocks


def _sentences(evaluation: Any, one: Any) -> list[str]:
    """What the first outcome's numbers mean; without the benchmarks, whose table follows."""
    found, parts = one.found, []
    if found.e_value is not None:
        parts.append(found.e_value.says)
    if found.omitted is not None:
        parts.append(replace(found.omitted, bounds=found.omitted.bounds.iloc[:0]).says)
    if found.rosenbaum is not None and not few(found.rosenbaum.differing, evaluation):
        parts.append(_hidden_cause(found.rosenbaum))
    return [f"{named(evaluation, one)}. {part}" for part in parts[:1]] + parts[1:]


def _hidden_cause(pairs: Any) -> str:
    """What the largest gamma means, in words that do not themselves speak of an effect's cause."""
    if pairs.gamma_at is None:
        return "Even if chance had decided who of each matched pair was treated, their difference would not be clear."
    return (
        f"Two matched people could differ {_fold(pairs)}-fold in their odds of being treated, through something "
        "unmeasured that goes with the outcome, and their difference would still be clear; beyond that it might not be."
    )


def _fold(pairs: Any) -> str:
    """Never rounded up."""
    return words.number(int(100 * pairs.gamma_at) / 100, 2)


def e_value_text(value: object) -> str:
    """An E-value as the table prints it; one that no finite cause reaches is not bounded."""
    return words.number(real(value), 2) if finite(value) else words.UNBOUNDED if value is not None else ""


def _strengths(evaluation: Any, seen: list[Any]) -> Table:
    rows: list[list[object]] = []
    for one in seen:
        e, omitted = one.found.e_value, one.found.omitted
        cells: list[object] = [named(evaluation, one)]
        cells += [e_value_text(e.value) if e else words.NOT_AVAILABLE, _limit(e)]
        if omitted is None:
            cells += [words.NOT_AVAILABLE] * 2
        else:
            cells += [
                words.percent(omitted.robustness_value),
                words.percent(omitted.robustness_value_significance),
            ]
        rows.append(cells)
    reach = level_words(evaluation)
    columns = [
        Column("Outcome", False),
        Column("the estimate", group="E-value, as a risk ratio"),
        Column(f"the {reach} interval", group="E-value, as a risk ratio"),
        Column("the estimate", group="Robustness value"),
        Column(f"the {reach} interval", group="Robustness value"),
    ]
    return Table(
        "unmeasured",
        _weakest(evaluation, seen[0]),
        "What it would need with both being offered the programme and the outcome to bring the estimate, or the end of "
        "its interval, to no difference",
        columns,
        rows,
        notes=[
            "E-value: a risk ratio beyond everything adjusted for; 1 means that nothing is needed. Robustness value: "
            "the share of what the characteristics adjusted for leave unexplained, by linear regression. Neither says "
            "whether such a cause is there."
        ],
        how=How(
            ["E-value: VanderWeele and Ding (2017). Robustness value: Cinelli and Hazlett (2020).", *_converted(seen)],
            _names(evaluation, seen),
        ),
        meanings={words.NOT_AVAILABLE: "not available for this outcome and analysis"},
        width=40,
    )


def _limit(e: Any) -> str:
    return words.NOT_AVAILABLE if e is None or e.interval is None else e_value_text(e.interval)


def _converted(seen: list[Any]) -> list[str]:
    return list(dict.fromkeys(one.found.e_value.how for one in seen if one.found.e_value and one.found.e_value.how))


def _names(evaluation: Any, seen: list[Any]) -> list[str]:
    names = []
    for one in seen:
        key = key_of(evaluation, str(one.outcome))
        names += [f"unmeasured.{key}.e_value"] if one.found.e_value is not None else []
        names += [f"unmeasured.{key}.robustness_value"] if one.found.omitted is not None else []
    return names


def _weakest(evaluation: Any, one: Any) -> str:
    """What the first outcome's interval would need, since it gives way before the estimate does."""
    e, omitted = one.found.e_value, one.found.omitted
    name = lower_first(named(evaluation, one))
    if (e is not None and e.interval == 1) or (e is None and omitted.robustness_value_significance == 0):
        return f"The interval for {name} includes no difference without any unmeasured cause"
    if e is not None and not finite(e.interval if e.interval is not None else e.value):
        return f"No unmeasured cause of a finite strength would move the estimate for {name} to no difference"
    if e is not None and e.interval is not None:
        need = f"a risk ratio of {e_value_text(e.interval)} with being treated and with the outcome"
        return f"To move the interval for {name} to no difference, an unmeasured cause would need {need}"
    if e is not None:
        need = f"a risk ratio of {e_value_text(e.value)} with being treated and with the outcome"
        return f"To move the estimate for {name} to no difference, an unmeasured cause would need {need}"
    need = f"{words.percent(omitted.robustness_value_significance)} of what is left of being treated and of the outcome"
    return f"To move the interval for {name} to no difference, an unmeasured cause would have to explain {need}"


def _benchmarks(evaluation: Any, one: Any) -> Table:
    omitted, form = one.found.omitted, form_of(evaluation, str(one.outcome))
    rows, known, clear = [], 0, 0
    for row in omitted.bounds.itertuples():
        label = characteristic(evaluation, str(row.benchmark))
        numbers = _bound(row, form)
        rows.append([Cell(label, small=_times(real(row.times))), *numbers])
        if finite(row.effect):
            known, clear = known + 1, clear + form.clear(row.low, row.high)
    stays = "all" if clear == known else f"{clear} of {known}"
    still = f"In {stays} of these cases the interval would still be clear of {clear_of(form)}"
    started = f"{form.signed(omitted.effect)} by linear regression"
    return Table(
        f"benchmarks-{one.outcome}",
        still if known else "No strength listed is possible: it would explain more than there is",
        f"{named(evaluation, one)}, {started}: what a cause so many times as strong as a known one would leave of it",
        [
            Column("As strong as", False),
            Column("being offered it", group="Explains of what is left of"),
            Column("outcome", group="Explains of what is left of"),
            Column("Estimate left"),
            Column(level_words(evaluation)),
        ],
        rows,
        notes=[
            "The most that a cause so strong could explain, given what the known one explains. The regression stands "
            "beside the planned analysis and need not equal it."
        ],
        how=How(["Cinelli and Hazlett (2020), section 4.4.", *(flag.text for flag in omitted.flags)]),
        meanings={words.NOT_AVAILABLE: "not possible: it would explain more than there is"},
        width=40,
    )


def _times(times: float) -> str:
    return {1.0: "as strong", 2.0: "twice as strong"}.get(times, f"{times:g} times as strong")


def _bound(row: Any, form: Wording) -> list[object]:
    if not finite(row.effect):
        return [words.NOT_AVAILABLE] * 4
    shares = [words.percent(real(share)) for share in (row.r2_treatment, row.r2_outcome)]
    return [*shares, form.change(row.effect), form.interval(row.low, row.high)]


def _tells(evaluation: Any, one: Any) -> bool:
    """Whether the pairs' p-values tell how many pairs differ: always so for a yes or no, and where few differ."""
    form, pairs = form_of(evaluation, str(one.outcome)), one.found.rosenbaum
    return form.kind == "share" or few(pairs.differing, evaluation)


def _pairs(evaluation: Any, one: Any) -> Table:
    pairs, form = one.found.rosenbaum, form_of(evaluation, str(one.outcome))
    with_ends = {"hl_low", "hl_high"} <= set(pairs.table)
    rows = []
    for row in pairs.table.itertuples():
        cells = [words.number(real(row.gamma), 2), words.p_value(real(row.p_high))]
        rows.append([*cells, *([form.interval(row.hl_low, row.hl_high)] if with_ends else [])])
    columns = [Column("Odds of being treated may differ", False), Column("p at most")]
    columns += [Column("Estimate between")] if with_ends else []
    found = (
        f"A hidden cause moving the odds {_fold(pairs)}-fold could not explain the difference between matched people"
        if pairs.gamma_at is not None
        else "The difference between matched people is not clear even without a hidden cause"
    )
    return Table(
        f"pairs-{one.outcome}",
        found,
        f"{named(evaluation, one)}, matched pairs, {unit_of(form)}: by how much the odds of two matched people to be "
        "treated may differ",
        columns,
        rows,
        notes=["The row 1.00 supposes that within each pair chance decided."],
        how=How([f"Rosenbaum (2002), chapter 4; {pairs.method}.", *(why_not(flag.text) for flag in pairs.flags)]),
        width=24,
    )


# ---------------------------------------------------------------- where nothing can have happened


def placebos(evaluation: Any) -> Table | None:
    """Outcomes that the programme cannot have moved.

    Parameters
    ----------
    evaluation : Evaluation
        With effects.

    Returns
    -------
    Table or None
        One row each; None where the study names none.
    """
    table = looked(evaluation, "placebo outcomes")
    if table is None or not len(table):
        return None
    alpha = 1 - (real(evaluation.study.counterfactual.level) if evaluation.study.counterfactual else 0.95)
    rows = []
    for row in table.itertuples():
        digits = digits_of(row.low, row.high)
        rows.append(
            [
                Cell(characteristic_of(evaluation, row), small=said(row.says)),
                words.number(real(row.effect), digits, sign=True),
                words.interval(real(row.low), real(row.high), digits),
                words.number(real(row.in_sd), 2, sign=True),
                words.p_value(real(row.p)),
                words.p_value(real(row.p_adjusted)),
                _verdict(row, alpha),
            ]
        )
    joint = table.attrs.get("joint") or {}
    told = _together(joint)
    columns = [
        Column("Outcome", False),
        Column("Estimate"),
        Column(level_words(evaluation)),
        Column("in SD"),
        Column("p"),
        Column("adjusted p"),
        Column("Verdict", False),
    ]
    return Table(
        "placebos",
        _differ(table, alpha) + told,
        "Outcomes that the programme cannot have moved, estimated as the first outcome is; each in its own unit",
        columns,
        rows,
        notes=[
            "Not one of these should differ. One that does is a sign that the groups were not alike; no difference "
            "does not show that they were. Adjusted by Holm over this table. No outcome is adjusted for itself."
        ],
        how=How([], ["placebos.p"] if told else []),
        dense=True,
        width=48,
    )


def characteristic_of(evaluation: Any, row: Any) -> str:
    """The title of a placebo outcome: that of its column, or as the look gave it."""
    known = "@" not in str(row.outcome) and evaluation.study.cohort is not None
    return characteristic(evaluation, str(row.outcome)) if known else said(row.title)


def _verdict(row: Any, alpha: float) -> Cell:
    if said(row.why):
        return Cell("could not be estimated", small=why_not(row.why))
    if not finite(row.low) or not finite(row.high):
        return Cell("says nothing: no interval")
    if real(row.p_adjusted) <= alpha:
        return Cell("differs: the groups were not alike", bold=True)
    if real(row.p) <= alpha:
        return Cell("differs by itself, not once all are allowed for")
    if not finite(row.in_sd) or not real(row.effect):
        return Cell("no difference found")
    most = max(abs(real(row.low)), abs(real(row.high))) * abs(real(row.in_sd) / real(row.effect))
    return Cell("no difference found", small=f"up to {words.number(most, 2)} SD cannot be ruled out")


def _differ(table: Any, alpha: float) -> str:
    known = table["p"].notna()
    if not known.any():
        return "Outcomes that cannot have moved: none could be judged"
    differ = int((table.loc[known, "p_adjusted"] <= alpha).sum())
    count = int(known.sum())
    if count == 1:
        told = "differs between the arms" if differ else "shows no difference"
        return f"The outcome that cannot have moved {told} (p {words.p_value(real(table.loc[known, 'p'].iloc[0]))})"
    if not differ:
        return f"Not one of {count} outcomes that cannot have moved differs between the arms"
    return f"{differ} of {count} outcomes that cannot have moved {'differs' if differ == 1 else 'differ'} by arm"


def _together(joint: dict[str, Any]) -> str:
    if not finite(joint.get("p")) or not joint.get("df") or joint["df"] < 2:
        return ""
    return f"; all together p {placebo_text(joint)} ({joint['method']})"


def placebo_text(joint: dict[str, Any]) -> str:
    """The p-value of all placebo outcomes together as the title prints it."""
    return words.p_value(real(joint.get("p")))
