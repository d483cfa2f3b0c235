"""The estimate made again: without one cluster, without the edges, for those who were lost, and in every listed way."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evalkit import words
from evalkit.counterfactual.sensitivity.clusters import SMALL
from evalkit.report.beside import (
    about,
    between,
    clear_of,
    form_of,
    key_of,
    level_words,
    looked,
    named,
    row_of,
    several,
    spoken,
    unit_of,
    why_not,
)
from evalkit.report.blocks import Column, Figure, How, Table, Text
from evalkit.report.common import column_title
from evalkit.report.figures.forest import Axis, Mark, forest
from evalkit.report.figures.specifications import Way, specification_curve
from evalkit.report.html import Cell, lower_first
from evalkit.report.phrases import Wording, finite, real, said
from evalkit.report.rough import few

EACH_END = 4  # clusters drawn at either end
ALL_DRAWN = 10
SHORT = {
    "ols": "linear regression",
    "ipw": "weighting",
    "aipw": "weighting and regression",
    "difference": "plain difference",
    "did": "difference in differences",
}


def mark_of(label: str, row: Any, form: Wording, kind: str = "other", p: object = None) -> Mark:
    """One estimate with its interval for a forest, as printed and drawn."""
    ends = (real(row.low) * form.scale, real(row.high) * form.scale)
    printed = f"{form.change(row.effect)} ({form.interval(row.low, row.high)})"
    shown = words.p_value(real(p)) if finite(p) else ""
    return Mark(label, real(row.effect) * form.scale, *ends, printed, p=shown, kind=kind)


# ---------------------------------------------------------------- without one cluster


def without_one(evaluation: Any) -> Figure | Text | None:
    """The estimate without each cluster in turn.

    Parameters
    ----------
    evaluation : Evaluation
        With effects.

    Returns
    -------
    Figure, Text or None
        A sentence for a share, whose small changes would tell what happened in a named cluster; None where there are
        no clusters.
    """
    one = looked(evaluation, "without one cluster")
    if one is None:
        return None
    table, form = one.found, form_of(evaluation, str(one.outcome))
    known = table[table["effect"].notna()]
    word = _cluster_word(evaluation)
    if known.empty:
        return Text(f"With any one {word} left out nothing can be estimated: the estimate rests on each of them.")
    told = _leaving_out(one, known, form, word, spoken(evaluation, one))
    if form.kind == "share":
        return Text(f"{told}.")
    marks = [_whole(evaluation, one, form), *_ends(known, form, word)]
    drawn = forest(
        marks, Axis("Left out", f"Estimate, {level_words(evaluation)} interval, {form.unit}", zero=form.none)
    )
    return Figure(
        "without-one-cluster",
        told,
        f"{named(evaluation, one)}, {unit_of(form)}; {_which(known, word)}",
        drawn.wide,
        drawn.narrow,
        notes=_not_estimated(table, word),
    )


def _cluster_word(evaluation: Any) -> str:
    plan = evaluation.study.cohort
    name = getattr(plan, "cluster", None)
    return lower_first(column_title(evaluation.study, str(name))) if name else "cluster"


def _leaving_out(one: Any, known: pd.DataFrame, form: Wording, word: str, name: str) -> str:
    ends = between(form, known["effect"].min(), known["effect"].max())
    full = real(one.found.attrs.get("effect"))
    turned = int(((known["effect"] - form.none) * (full - form.none) <= 0).sum())
    sign = "the sign stays" if not turned else f"the sign turns in {turned} of {len(known)}"
    sure = _clear(known, form)
    return f"Without any one {word} the estimate for {name} lies from {ends}; {sign}, {sure}"


def _clear(known: pd.DataFrame, form: Wording) -> str:
    """How many intervals leave out no difference."""
    clear = sum(form.clear(row.low, row.high) for row in known.itertuples())
    if clear in (0, len(known)):
        return f"{'every' if clear else 'no'} interval is clear of {clear_of(form)}"
    return f"{clear} of {len(known)} intervals are clear of {clear_of(form)}"


def _whole(evaluation: Any, one: Any, form: Wording) -> Mark:
    row = row_of(evaluation, str(one.outcome))
    return mark_of("Nobody left out (planned)", row, form, "planned")


def _drawn(known: pd.DataFrame) -> pd.DataFrame:
    """All of few; of many those at the ends."""
    if len(known) <= ALL_DRAWN:
        return known
    return pd.concat([known.iloc[:EACH_END], known.iloc[-EACH_END:]])


def _ends(known: pd.DataFrame, form: Wording, word: str) -> list[Mark]:
    rows = _drawn(known).itertuples()
    return [mark_of(f"A small {word}" if row.cluster == SMALL else str(row.cluster), row, form) for row in rows]


def _which(known: pd.DataFrame, word: str) -> str:
    if len(known) <= ALL_DRAWN:
        return f"each {word} left out in turn"
    return f"of {len(known)} cases, one {word} left out in each, the {EACH_END} at either end"


def _not_estimated(table: pd.DataFrame, word: str) -> list[str]:
    lost = int(table["effect"].isna().sum())
    counted = "one of them" if lost == 1 else f"{lost} of them"
    return [f"Without {counted} nothing can be estimated."] if lost else []


# ---------------------------------------------------------------- without the edges


def without_edges(evaluation: Any) -> Table | None:
    """The estimate without people who are unlike the other arm; in shares of people, so that none can be counted.

    Parameters
    ----------
    evaluation : Evaluation
        With effects.

    Returns
    -------
    Table or None
        None where nothing rests on scores.
    """
    one = looked(evaluation, "without the edges")
    if one is None:
        return None
    table, form = one.found, form_of(evaluation, str(one.outcome))
    rows = []
    for row in table.itertuples():
        name = str(row.rule)[:1].upper() + str(row.rule)[1:]
        why = why_not(row.why) if said(row.why) else ""
        numbers = [form.change(row.effect), form.interval(row.low, row.high), words.p_value(real(row.p))]
        rows.append([Cell(name, small=why), about(row.share_left), *numbers])
    return Table(
        "without-the-edges",
        _edges_say(table, form, spoken(evaluation, one)),
        f"{named(evaluation, one)}, {unit_of(form)}; people with extreme chances of being treated left out",
        [Column("Who stays", False), Column("People left"), Column("Estimate"), Column(level_words(evaluation)),
         Column("p")],
        rows,
        notes=[
            "With fewer people it is about those treated who have their like in the comparison, no longer about all.",
        ],
        how=How(
            [
                "Scores from 0.1 to 0.9: Crump, Hotz, Imbens and Mitnik (2009). Ends of the scores: Sturmer, Rothman, "
                "Avorn and Glynn (2010). The score and the weights are estimated anew on who is left."
            ]
        ),
        meanings={words.NOT_AVAILABLE: "not available: nothing could be estimated"},
        width=36,
    )  # fmt: skip


def _edges_say(table: pd.DataFrame, form: Wording, name: str) -> str:
    known = table[table["effect"].notna()]
    if known.empty:
        return "Without the people at the edges nothing can be estimated"
    ends = between(form, known["effect"].min(), known["effect"].max())
    return f"Without people at the edges the estimate for {name} lies from {ends}; {_clear(known, form)}"


# ---------------------------------------------------------------- those who were lost


def lost(evaluation: Any) -> Table | None:
    """The estimate as planned, weighted for who has the outcome, and bounded.

    Parameters
    ----------
    evaluation : Evaluation
        With effects.

    Returns
    -------
    Table or None
        None where the study does not ask.
    """
    seen = several(evaluation, "attrition")
    if not seen:
        return None
    rows: list[list[object]] = []
    for one in seen:
        rows += _of_lost(evaluation, one)
    return Table(
        "attrition-estimates",
        _weighted_say(evaluation, seen),
        "Each in the unit of the main table; bounds say between which values the estimate can lie",
        [Column("Outcome and analysis", False), Column("Estimate"), Column(level_words(evaluation)), Column("p")],
        rows,
        notes=_of_bounds(seen),
        how=How(
            [
                "Weights: the inverse of the chance of having the outcome, by arm, from the characteristics at the "
                "start. Interval of bounds: Imbens and Manski (2004)."
            ],
            [f"attrition.{key_of(evaluation, str(one.outcome))}.weighted" for one in seen if one.found.weighted],
        ),
        meanings={
            words.SUPPRESSED: "suppressed: it would tell of few people",
            words.NOT_APPLICABLE: "not applicable: bounds have no p",
        },
        width=34,
    )


def _of_lost(evaluation: Any, one: Any) -> list[list[object]]:
    form, name, found = form_of(evaluation, str(one.outcome)), named(evaluation, one), one.found
    rows: list[list[object]] = []
    for label, each in (("as planned", found.planned), ("weighted for who has the outcome", found.weighted)):
        if each is not None:
            numbers = [form.change(each.effect), form.interval(each.low, each.high), words.p_value(real(each.p))]
            rows.append([Cell(name, small=label, bold=label == "as planned"), *numbers])
    if found.bounds is not None:
        rows.append(
            [Cell(name, small=f"bounds ({_kind(found.bounds.kind)})"), *_bounds(evaluation, found.bounds, form)]
        )
    return rows


def _kind(kind: str) -> str:
    return {"lee": "Lee", "manski": "Manski", "worst case": "worst case"}[kind]


def _bounds(evaluation: Any, bounds: Any, form: Wording) -> list[object]:
    """From the distance of two bounds follows how many were lost: hidden where those are few."""
    lost = [int(row.people) - int(row.read) for row in bounds.table.itertuples()]
    if any(n > 0 and few(n, evaluation) for n in lost):
        return [words.SUPPRESSED, words.SUPPRESSED, words.NOT_APPLICABLE]
    ends = form.interval(bounds.interval_low, bounds.interval_high)
    return [form.interval(bounds.low, bounds.high), ends, words.NOT_APPLICABLE]


def _of_bounds(seen: list[Any]) -> list[str]:
    kinds = {one.found.bounds.kind for one in seen if one.found.bounds is not None}
    told = {
        "lee": "Lee's bounds are about people who would have been read in either arm; they take it that being treated "
        "moved who was read in one direction only.",
        "manski": "Manski's bounds give those who were lost the lowest or the highest value possible, and take nothing "
        "else for granted about them.",
    }
    notes = [text for kind, text in told.items() if kind in kinds]
    weighted = "Weights take it that people alike at the start were lost by chance."
    return [weighted, *notes] if any(one.found.weighted is not None for one in seen) else notes


def _weighted_say(evaluation: Any, seen: list[Any]) -> str:
    one = next((one for one in seen if one.found.weighted is not None), None)
    if one is None:
        return "How far people without the outcome could move the estimate"
    form, found = form_of(evaluation, str(one.outcome)), one.found
    was, now = form.signed(found.planned.effect), form.signed(found.weighted.effect)
    if was == now:
        return f"Weighted for who has the outcome, the estimate for {spoken(evaluation, one)} stays at {was}"
    return f"Weighted for who has the outcome, the estimate for {spoken(evaluation, one)} is {now} (planned {was})"


# ---------------------------------------------------------------- every listed way


def curve(evaluation: Any) -> Figure | None:
    """The specification curve of the first outcome.

    Parameters
    ----------
    evaluation : Evaluation
        With effects.

    Returns
    -------
    Figure or None
        None where the study lists no specifications.
    """
    one = looked(evaluation, "specifications")
    if one is None:
        return None
    found, form = one.found, form_of(evaluation, str(one.outcome))
    words_ = f"Difference, {unit_of(form)}" if not form.ratio else unit_of(form)
    ways = [_way(row, form, _sets(found.table)) for row in found.counted.itertuples()]
    drawn = specification_curve(ways, words_, form.none)
    many, plain = len(found.counted), found.counted
    return Figure(
        "specifications",
        f"Of {many} {'analysis' if many == 1 else 'analyses'} "
        f"{_share(found.share_sign, many)} point the same way as the planned one; "
        f"{_share(found.share_significant, many)} lie clear of {clear_of(form)} on its side",
        f"{named(evaluation, one)}: every listed analysis from the lowest to the highest, with its "
        f"{level_words(evaluation)} interval; the planned one in ink",
        drawn.wide,
        drawn.narrow,
        notes=[
            f"From {form.interval(plain['effect'].min(), plain['effect'].max())}, median {form.change(found.median)}; "
            f"{words.percent(found.share_sign, 0)} point the same way, {words.percent(found.share_significant, 0)} "
            f"lie clear of {clear_of(form)} on its side. The analyses share one set of people, so that they agree is "
            "no independent confirmation; the shares are neither a test nor a probability."
        ],
        how=How(
            [*_repeats(found), "Simonsohn, Simmons and Nelson (2020)."],
            [f"specifications.{part}" for part in ("median", "share_sign", "share_significant")],
            _failed(found),
            summary=_drawer(found),
        ),
    )


def _share(share: float, many: int) -> str:
    return f"all {many}" if share == 1 else f"{round(share * many)} of them" if share > 0 else "none"


def _sets(table: pd.DataFrame) -> dict[tuple[str, ...], str]:
    """What each set of covariates is called: the study's name for it, from the sentence of the analysis."""
    names: dict[tuple[str, ...], str] = {}
    for row in table.to_dict("records"):
        told = said(row["says"]).removeprefix(str(row["estimator"])).split(";")[0].strip(" ,")
        names[tuple(row["covariates"])] = told.split(" (")[0].replace("planned", "as planned") or "nothing"
    return names


def _way(row: Any, form: Wording, sets: dict[tuple[str, ...], str]) -> Way:
    caliper = f"{real(row.caliper):g} SD" if finite(row.caliper) else ""
    choices = {
        "Analysis": SHORT.get(str(row.estimator), str(row.estimator)),
        "Adjusted for": sets[tuple(row.covariates)],
        "Furthest match": caliper,
        "Version": said(row.outcome),
    }
    choices |= {str(name): str(value) for name, value in dict(row.options).items()}
    effect, low, high = (real(value) * form.scale for value in (row.effect, row.low, row.high))
    return Way(effect, low, high, bool(row.main), choices)


def _repeats(found: Any) -> list[str]:
    same = int((found.table["same_as"] != "").sum())
    return [f"{same} with the same numbers as another are counted once."] if same else []


def _drawer(found: Any) -> str:
    failed = len(found.failed)
    return "How this was computed" if not failed else f"How this was computed, and {failed} that could not be made"


def _failed(found: Any) -> Table | None:
    failed = found.failed
    if failed.empty:
        return None
    rows = [[str(row.says), why_not(row.why)] for row in failed.itertuples()]
    return Table(
        "specifications-failed", "Listed and not possible", "", [Column("Analysis", False), Column("Why", False)], rows
    )
