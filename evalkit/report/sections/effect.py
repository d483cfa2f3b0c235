"""Against the comparison: what happened, what would have happened, and the difference."""

from __future__ import annotations

import math
from typing import Any

from evalkit import words
from evalkit.report import checks
from evalkit.report.beside import level_words
from evalkit.report.blocks import Column, Figure, How, Table, Text
from evalkit.report.common import absent
from evalkit.report.figures.forest import Axis, Mark, forest
from evalkit.report.html import Cell, lower_first, sentence
from evalkit.report.phrases import Wording, finite, outcome_name, real, said, wording
from evalkit.report.results import no_deadweight, primary, result_key, tells_of_few
from evalkit.report.sections import section
from evalkit.report.traces import traces
from evalkit.report.worth import comparable, scale_words, worthwhile


@section("effect", "Against the comparison", 50)
def effect(evaluation: Any) -> list[Any]:
    """Main table; paths, jumps and mixes of areas; overlap and balance; other analyses, worth, benchmark, truth."""
    effects = evaluation.effects
    if effects is None or not len(effects.table):
        return [
            Text(
                absent(
                    evaluation,
                    "effects",
                    "There is no comparison: nothing can be said about what would have happened anyway.",
                )
            )
        ]
    blocks: list[Any] = [Text(_opening(evaluation)), main_table(evaluation)]
    rates = checks.rates(evaluation)
    parts = [
        rates,
        *traces(evaluation),
        comparable(evaluation),
        checks.balance(evaluation),
        _analyses(evaluation),
        _other_analyses(evaluation),
        worthwhile(evaluation),
        checks.benchmark_table(evaluation),
        checks.truth(evaluation),
    ]
    return blocks + [part for part in parts if part is not None]


def _opening(evaluation: Any) -> str:
    plan, level = evaluation.study.counterfactual, evaluation.effects.evidence
    sms, reason = getattr(level, "sms", None), said(getattr(level, "reason", ""))
    told = (
        f"Evidence level {int(real(sms))} of 5 on the Maryland scale. {sentence(reason)}"
        if finite(sms)
        else sentence(reason)
    )
    return " ".join(part for part in (sentence(plan.assignment) if plan else "", told) if part)


def main_table(evaluation: Any) -> Table:
    """The table of all outcomes: observed, without it, difference, share that would have happened anyway.

    Parameters
    ----------
    evaluation : Evaluation
        With effects.

    Returns
    -------
    Table
        One row per outcome, the primary one first named in bold.
    """
    rows = list(evaluation.effects.table.itertuples())
    sampled = any(finite(row.se) or finite(row.p) for row in rows)
    level = f"{real(evaluation.study.counterfactual.level) * 100:.0f}%" if evaluation.study.counterfactual else "95%"
    columns = [
        Column("Outcome", number=False),
        Column("Observed"),
        Column("Without it"),
        Column("Estimate", group="Difference"),
    ]
    columns += [Column(level if sampled else "Rounding alone", group="Difference")]
    columns += [Column("p", group="Difference")] if sampled else []
    ends = level if sampled else "Rounding alone"
    columns += [Column("Share", group="Would have happened anyway"), Column(ends, group="Would have happened anyway")]
    return Table(
        "effects",
        "What happened, what would have happened, and the difference",
        "One row per outcome; percentages differ in points, an index in SD of its reference group",
        columns,
        [_row(row, evaluation, sampled) for row in rows],
        notes=_notes(rows, evaluation),
        source=_sources(rows, evaluation),
        how=_how(rows, evaluation),
        meanings=_meanings(rows),
        dense=True,
        width=46,
    )


def _sources(rows: list[Any], evaluation: Any) -> str:
    """Where published rates say their own source, that one; else the study's."""
    own = list(dict.fromkeys(said(getattr(row, "source", "")) for row in rows if said(getattr(row, "source", ""))))
    return "; ".join(source.rstrip(".") for source in own or evaluation.study.study.sources)


def _row(row: Any, evaluation: Any, sampled: bool) -> list[object]:
    form = wording(row, evaluation.study.study.currency)
    unit = {"share": "share; difference in points", "index": "SD"}.get(form.kind, form.unit)
    unit = f"{form.unit or 'rate'}; difference as a ratio" if form.ratio else unit
    few = tells_of_few(row, evaluation)
    levels = [words.SUPPRESSED] * 2 if few else [form.level(row.observed), form.level(row.counterfactual)]
    cells: list[object] = [Cell(outcome_name(row), small=unit), *levels]
    ends = (row.low, row.high) if sampled else (row.rounding_low, row.rounding_high)
    cells += [form.change(row.effect), form.interval(*ends)]
    if sampled:
        cells.append(words.p_value(real(_p(row))))
    if few:
        return [*cells, words.SUPPRESSED, words.SUPPRESSED]
    if finite(row.deadweight):
        ends_text = words.interval(real(row.deadweight_low), real(row.deadweight_high), 0, percent=True)
        return [*cells, words.percent(real(row.deadweight), 0), ends_text]
    return [*cells, no_deadweight(row), no_deadweight(row)]


def _p(row: Any) -> object:
    return row.p_adjusted if finite(row.p_adjusted) else row.p


def _meanings(rows: list[Any]) -> dict[str, str]:
    why = dict.fromkeys(said(row.why_no_deadweight) for row in rows if said(row.why_no_deadweight))
    short = dict.fromkeys((words.NOT_APPLICABLE,), "not applicable: the share is not defined for a score")
    if len(why) == 1:
        short[words.NOT_AVAILABLE] = f"not available: {lower_first(next(iter(why)).rstrip('.'))}"
    return short


def _notes(rows: list[Any], evaluation: Any) -> list[str]:
    scales = [scale_words(wording(row, evaluation.study.study.currency)) for row in rows]
    notes = list(dict.fromkeys(text for text in scales if text))
    if sum(finite(row.p_adjusted) for row in rows) > 1:
        notes.append(f"p-values adjusted by Holm over {sum(finite(row.p_adjusted) for row in rows)} outcomes.")
    if any(finite(row.deadweight) and not 0 <= real(row.deadweight) <= 1 for row in rows):
        notes.append(
            "A share above 100% means that more would have been achieved without the "
            "programme; one below 0%, the reverse."
        )
    for row in rows:
        if finite(row.relative) and not finite(row.se) and wording(row).kind != "share":
            span = words.interval(real(row.relative_low), real(row.relative_high), 2, percent=True)
            rounding = (
                f" Rounding of the published figures alone allows {span}." if words.NOT_AVAILABLE not in span else ""
            )
            notes.append(
                f"{outcome_name(row)}: "
                f"{words.percent(real(row.relative), 1, sign=True)}.{rounding} Sampling error is not known."
            )
    clusters = {int(row.n_clusters) for row in rows if finite(row.n_clusters)}
    if clusters:
        many = f"{words.listed([str(n) for n in sorted(clusters)])} groups" if clusters != {1} else "1 group"
        told = f"Intervals allow for {many}." if any(finite(row.low) for row in rows) else f"People come in {many}."
        notes.append(told)
    return notes


def _error(row: Any) -> str:
    """The standard error and its degrees of freedom, for those who compare with another program."""
    if not finite(row.se):
        return ""
    freedom = f", {words.number(real(row.df), 1)} degrees of freedom" if finite(row.df) else ""
    digits = max(0, 2 - math.floor(math.log10(real(row.se)))) if real(row.se) > 0 else 2
    effect, error = (words.number(real(value), digits) for value in (row.effect, row.se))
    return f", effect {effect}, standard error {error}{freedom}"


def _how(rows: list[Any], evaluation: Any) -> How:
    told = [
        f"{outcome_name(row)}: {row.estimator}{_error(row)}. "
        f"{sentence(said(row.deadweight_method) or said(row.why_no_deadweight))}"
        for row in rows
    ]
    names = [f"{result_key(row, rows)}.{part}" for row in rows[:3] for part in ("effect", "deadweight")]
    return How(told, names)


def _beside(evaluation: Any) -> dict[str, list[Any]]:
    """The analyses of each outcome that has more than the planned one."""
    also = evaluation.effects.also
    if also is None or not len(also):
        return {}
    grouped = {str(outcome): list(group.itertuples()) for outcome, group in also.groupby("outcome", sort=False)}
    return {outcome: lines for outcome, lines in grouped.items() if len(lines) > 1}


def _analyses(evaluation: Any) -> Figure | None:
    """The analyses of the main outcome, drawn."""
    row = primary(evaluation)
    lines = _beside(evaluation).get(str(row.outcome)) if row is not None else None
    return _analysis(evaluation, row, lines) if lines else None


def _other_analyses(evaluation: Any) -> Table | None:
    """The analyses of the other outcomes, in one table."""
    main, beside = primary(evaluation), _beside(evaluation)
    rows: list[list[object]] = []
    for row in evaluation.effects.table.itertuples():
        form = wording(row, evaluation.study.study.currency)
        for line in beside.get(str(row.outcome), []) if row.outcome != main.outcome else []:
            name = f"{said(line.says) or line.estimator}{' (planned)' if bool(line.planned) else ''}"
            numbers = [form.change(line.effect), form.interval(line.low, line.high), words.p_value(real(line.p))]
            rows.append([Cell(outcome_name(row), small=name), *numbers])
    if not rows:
        return None
    return Table(
        "analyses-others",
        "The other outcomes, analysed in the same ways",
        "Differences in the units of the main table; p not adjusted for several outcomes",
        [Column("Outcome and analysis", number=False), Column("Estimate"), Column("95%"), Column("p")],
        rows,
        notes=["Analyses beside the planned one are context, not evidence for the best of them."],
    )


def _analysis(evaluation: Any, row: Any, group: list[Any]) -> Figure:
    form, head = wording(row, evaluation.study.study.currency), outcome_name(row)
    ordered = sorted(group, key=lambda line: (not bool(line.planned), line.id))
    marks = [_mark(line, form) for line in ordered]
    bench = checks.benchmark_of(evaluation) if row.outcome == primary(evaluation).outcome else None
    head_words = f"Estimate, {level_words(evaluation)} interval, {'ratio' if form.ratio else form.unit}"
    axis = Axis("Analysis", head_words, "lower", "higher", zero=form.none)
    if bench is not None:
        line, told = bench * form.scale, f"experiment {form.signed(bench)}"
        axis = Axis("Analysis", head_words, reference=line, reference_words=told)
    drawn = forest(marks, axis)
    away = real(row.effect) - form.none
    same = sum((real(line.effect) - form.none) * away > 0 for line in group)
    sure = sum(form.clear(line.low, line.high) for line in group)
    excluding = "1 excludes" if sure == 1 else f"{sure} exclude"
    finding = f"{same} of {len(group)} analyses point the same way; {excluding} no difference"
    return Figure(
        f"analyses-{row.outcome}",
        finding,
        f"{head}; the planned analysis in ink, the others in grey",
        drawn.wide,
        drawn.narrow,
        notes=["Analyses beside the planned one are context, not evidence for the best of them."],
    )


def _mark(line: Any, form: Wording) -> Mark:
    printed = f"{form.change(line.effect)} ({form.interval(line.low, line.high)})"
    label = f"{said(line.says) or line.estimator}{' (planned)' if bool(line.planned) else ''}"
    label = label[:1].upper() + label[1:]
    low, high = real(line.low) * form.scale, real(line.high) * form.scale
    return Mark(
        label,
        real(line.effect) * form.scale,
        low,
        high,
        printed,
        p=words.p_value(real(line.p)),
        kind="planned" if bool(line.planned) else "other",
    )
