"""Does it last?: the estimate at one occasion after another, and how much of it is lost each year."""

from __future__ import annotations

from typing import Any

from evalkit import words
from evalkit.report.beside import form_of, key_of, level_words, looked, named, unit_of, why_not
from evalkit.report.blocks import Column, Figure, How, Table
from evalkit.report.figures.moments import Moment, Time, moments
from evalkit.report.html import Cell, sentence
from evalkit.report.phrases import Wording, finite, real, said
from evalkit.report.sections import section

YEAR = 365.25


@section("lasting", "Does it last?", 56)
def lasting(evaluation: Any) -> list[Any]:
    """Moments, fade and drop-off."""
    one = looked(evaluation, "persistence") if evaluation.effects is not None else None
    if one is None:
        return []
    return [_moments(evaluation, one), _changes(evaluation, one)]


def _title(evaluation: Any, one: Any) -> str:
    return said(one.title) or named(evaluation, one)


def _moments(evaluation: Any, one: Any) -> Figure:
    found, form = one.found.found, form_of(evaluation, str(one.outcome))
    rows = [row for row in found.table.itertuples() if not said(row.why)]
    plan = evaluation.study.counterfactual.persistence
    ends = None if plan is None or plan.ends_day is None else plan.ends_day / YEAR
    drawn = moments(
        [_moment(row, form) for row in rows],
        Time(f"Difference, {unit_of(form)}", "time since the start", ends, "programme ends", form.none),
    )
    gone = [f"{said(row.title)}: {why_not(row.why)}" for row in found.table.itertuples() if said(row.why)]
    grid = Table(
        "moments-numbers",
        "Estimate at each occasion",
        "",
        [Column("Occasion", False), Column("Estimate"), Column(level_words(evaluation)), Column("p"),
         Column("adjusted p")],
        [[said(row.title), form.change(row.effect), form.interval(row.low, row.high), words.p_value(real(row.p)),
          words.p_value(real(row.p_adjusted))] for row in rows],
    )  # fmt: skip
    return Figure(
        "persistence",
        _course(found, form, _title(evaluation, one)),
        f"{_title(evaluation, one)}, the planned analysis at each occasion, with {level_words(evaluation)} intervals",
        drawn.wide,
        drawn.narrow,
        notes=gone,
        how=How(
            ["p adjusted by Holm over the occasions; the occasions rest on many of the same people."],
            table=grid,
            summary="Numbers and method",
        ),
    )


def _moment(row: Any, form: Wording) -> Moment:
    printed = f"{form.change(row.effect)} ({form.interval(row.low, row.high)})"
    effect, low, high = (real(value) * form.scale for value in (row.effect, row.low, row.high))
    return Moment(real(row.time), said(row.title) or str(row.occasion), effect, low, high, printed)


def _course(found: Any, form: Wording, title: str) -> str:
    """What the change from occasion to occasion says, with its p beside it."""
    fade = found.fade
    if fade is None or not finite(fade.low):
        return f"{title}: whether the difference lasts cannot be told"
    known = found.table[found.table["why"] == ""]
    away = real(known["effect"].iloc[0]) * real(fade.value) > 0
    if fade.low <= 0 <= fade.high:
        return f"{title}: it is not clear whether the difference lasts, fades or grows (p {words.p_value(fade.p)})"
    word = "grew" if away else "became smaller"
    return f"{title}: the difference {word} from occasion to occasion (p {words.p_value(fade.p)})"


def _changes(evaluation: Any, one: Any) -> Table:
    found, form = one.found.found, form_of(evaluation, str(one.outcome))
    rows: list[list[object]] = []
    if found.fade is not None:
        fade = found.fade
        label = Cell("How the difference moves in a year", small=f"{unit_of(form)}; {fade.method}")
        rows.append([label, form.change(fade.value), form.interval(fade.low, fade.high), words.p_value(fade.p)])
    rows.append(_drop_off(one.found.drop_off))
    return Table(
        "drop-off",
        _lost_say(one.found),
        f"{_title(evaluation, one)}, the occasions after the programme where there are two, else all",
        [Column("What changes", False), Column("Value"), Column(level_words(evaluation)), Column("p")],
        rows,
        notes=_notes(one.found),
        how=How([], _names(evaluation, one)),
        meanings={
            words.NOT_AVAILABLE: "not available",
            words.NOT_APPLICABLE: "not applicable: the interval stands for it",
        },
        width=34,
    )


def _names(evaluation: Any, one: Any) -> list[str]:
    key = key_of(evaluation, str(one.outcome).split("@")[0])
    found = one.found
    names = [f"persistence.{key}.change"] if found.found.fade is not None else []
    return names + ([f"persistence.{key}.drop_off"] if found.drop_off is not None else [])


def _drop_off(drop_off: Any) -> list[object]:
    if drop_off is None:
        return ["Share of the difference lost a year", *[words.NOT_AVAILABLE] * 2, words.NOT_APPLICABLE]
    small = f"stated: {drop_off.source}" if drop_off.source else drop_off.method
    ends = words.interval(drop_off.low, drop_off.high, 0, percent=True)
    label = Cell("Share of the difference lost a year", small=small)
    return [label, words.percent(drop_off.value, 0), ends, words.NOT_APPLICABLE]


def _lost_say(found: Any) -> str:
    drop_off = found.drop_off
    if drop_off is None:
        return f"How much is lost each year cannot be told: {_reason(found.found)}"
    share = words.percent(drop_off.value, 0)
    if drop_off.source:
        return f"Drop-off {share} a year, stated and not estimated"
    if drop_off.high < 0:
        return "Nothing of the difference is lost from year to year; it grew"
    if drop_off.low <= 0 <= drop_off.high:
        return f"Drop-off {share} a year; none at all is compatible with the data"
    return f"Of the difference {share} is lost each year"


def _reason(found: Any) -> str:
    text = why_not(found.why_no_drop_off).rstrip(".")
    return f"{text[:1].lower()}{text[1:]}" if text else "the occasions do not say"


def _notes(found: Any) -> list[str]:
    drop_off = found.drop_off
    if drop_off is None:
        return []
    if drop_off.source:
        reason = f"The data do not say: {_reason(found.found)}." if found.found.why_no_drop_off else ""
        return [sentence(reason)] if reason else []
    notes = ["Below 0% the difference grows; above 100% it has turned. It supposes the same share lost each year."]
    if drop_off.low > 0:
        notes.append("It is of a difference that was clear at first; by that choice it tends to be too large.")
    return notes
