"""The effect for parts of the cohort, and the whole distribution of an outcome in both arms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from evalkit import words
from evalkit.report.beside import form_of, level_words, named, row_of, several, spoken, unit_of, why_not
from evalkit.report.blocks import Column, Figure, How, Table
from evalkit.report.common import column_title
from evalkit.report.figures.forest import Axis, Mark, forest
from evalkit.report.figures.moments import Moment, Time, moments
from evalkit.report.html import Cell, lower_first
from evalkit.report.phrases import Wording, arm_names, finite, real, said
from evalkit.report.robust import mark_of
from evalkit.report.rough import TENS, tens

NOT_A_DIFFERENCE = (
    "That one group's interval is clear of no difference and another's is not is no difference between them: the test "
    "of the difference itself is in the table."
)
STATES = {"improved": "better by that much or more", "unchanged": "neither", "worse": "worse by that much or more"}


def subgroups(evaluation: Any) -> list[Any]:
    """Forests of the groups, and a table of the tests that they differ.

    Parameters
    ----------
    evaluation : Evaluation
        With effects.

    Returns
    -------
    list of blocks
        A forest for each outcome, planned and exploratory apart; one table of tests.
    """
    seen = several(evaluation, "subgroups")
    if not seen:
        return []
    return [*(_forest(evaluation, one) for one in seen), _tests(evaluation, seen)]


def titled(evaluation: Any, column: str) -> str:
    """What the study calls a column by which people are divided."""
    plan = evaluation.study.counterfactual
    says = {one.column: one.says for one in (plan.subgroup if plan is not None else ()) if one.says}
    return says.get(column, column_title(evaluation.study, column))


def _forest(evaluation: Any, one: Any) -> Figure:
    form, found = form_of(evaluation, str(one.outcome)), one.found
    known = found.table[found.table["why"] == ""]
    whole = row_of(evaluation, str(one.outcome))
    marks = [] if whole is None else [_with_n("Everyone", whole, form, evaluation, "planned")]
    for row in known.itertuples():
        label = f"{titled(evaluation, str(row.column))}: {row.group}"
        marks.append(_with_n(label, row, form, evaluation, "measure", row.p_adjusted))
    reach = level_words(evaluation)
    drawn = forest(marks, Axis("Group", f"Estimate, {reach}; p adjusted", "lower", "higher", zero=form.none))
    kind = "planned before the outcomes were seen" if found.planned else "exploratory: chosen after they could be seen"
    return Figure(
        f"subgroups-{one.outcome}-{'planned' if found.planned else 'exploratory'}",
        _apart(evaluation, one),
        f"{named(evaluation, one)}, {unit_of(form)}, by group; {kind}",
        drawn.wide,
        drawn.narrow,
        notes=[NOT_A_DIFFERENCE, *_left_out(evaluation, found), TENS],
        how=How(
            [
                "Each group is estimated by itself, by the planned analysis with the same characteristics. p is "
                f"adjusted by Holm over {len(known)} {'group' if len(known) == 1 else 'groups'}; the intervals are not."
            ]
        ),
    )


def _with_n(label: str, row: Any, form: Wording, evaluation: Any, kind: str, p: object = None) -> Mark:
    mark = mark_of(label, row, form, kind, p)
    n = tens(real(row.n_treated) + real(row.n_comparison), evaluation)
    return Mark(**{**vars(mark), "n": n if n != words.NOT_AVAILABLE else ""})


def _apart(evaluation: Any, one: Any) -> str:
    name, level = spoken(evaluation, one), one.found.level
    tested = one.found.interactions[one.found.interactions["why"] == ""]
    if tested.empty:
        return f"Whether the estimate for {name} differs by group cannot be tested"
    differ = tested[tested["p_adjusted"] < 1 - level]
    if differ.empty:
        told = words.listed([f"{_by(evaluation, row)} (p {_p(row)})" for row in tested.itertuples()], "or")
        return f"No difference in {name} between groups by {told} was shown"
    told = words.listed([f"{_by(evaluation, row)} (p {_p(row)})" for row in differ.itertuples()])
    return f"The estimate for {name} differs by {told}"


def _by(evaluation: Any, row: Any) -> str:
    return lower_first(titled(evaluation, str(row.column)))


def _p(row: Any) -> str:
    return words.p_value(real(row.p_adjusted))


def _left_out(evaluation: Any, found: Any) -> list[str]:
    gone = found.table[found.table["why"] != ""]
    told = [f"{titled(evaluation, str(row.column))}: {row.group} ({_why(row.why)})" for row in gone.itertuples()]
    return [f"Not estimated: {'; '.join(told)}."] if told else []


def _why(text: object) -> str:
    return lower_first(why_not(text)).rstrip(".")


def _tests(evaluation: Any, seen: Sequence[Any]) -> Table:
    rows = [line for one in seen for line in _test_rows(evaluation, one)]
    return Table(
        "subgroup-tests",
        _tests_say(seen),
        "Tests that all groups of a characteristic have the same estimate; for two groups also the first less the "
        "second",
        [
            Column("Outcome and characteristic", False),
            Column("Difference"),
            Column(level_words(evaluation)),
            Column("p"),
            Column("adjusted p"),
        ],
        rows,
        notes=[
            "No difference shown is not evidence that the groups are alike: tests between groups see large differences "
            "only. Adjusted by Holm over the characteristics of one outcome."
        ],
        how=How(["By the groups' joint covariance: Welch (1951); Hotelling where they share clusters."],
                [f"subgroups.{one.outcome}.{row.column}.p" for one in seen for row in _tested(one)]),
        meanings={words.NOT_APPLICABLE: "not applicable: more than two groups",
                  words.NOT_AVAILABLE: "not available: it cannot be tested"},
        width=36,
    )  # fmt: skip


def _tested(one: Any) -> list[Any]:
    return [row for row in one.found.interactions.itertuples() if not said(row.why) and finite(row.p)]


def _tests_say(seen: Sequence[Any]) -> str:
    tested = [(row, 1 - one.found.level) for one in seen for row in _tested(one)]
    if not tested:
        return "No difference between groups can be tested"
    clear = sum(real(row.p_adjusted) < alpha for row, alpha in tested)
    if len(tested) == 1:
        return f"The difference between groups is {'' if clear else 'not '}clear"
    count = f"{clear} of {len(tested)}" if clear else f"Not one of {len(tested)}"
    return f"{count} differences between groups {'is' if clear < 2 else 'are'} clear"


def _test_rows(evaluation: Any, one: Any) -> list[list[object]]:
    form, rows = form_of(evaluation, str(one.outcome)), []
    for row in one.found.interactions.itertuples():
        column = titled(evaluation, str(row.column))
        label = Cell(named(evaluation, one), small=f"{column}{'' if one.found.planned else ' (exploratory)'}")
        if said(row.why):
            rows.append([label, *[words.NOT_AVAILABLE] * 4])
            continue
        groups = one.found.table[(one.found.table["column"] == row.column) & (one.found.table["why"] == "")]
        gap = [words.NOT_APPLICABLE] * 2
        if len(groups) == 2:
            first = groups.iloc[0]
            gap = [form.change(first["difference"]), form.interval(first["difference_low"], first["difference_high"])]
        rows.append([label, *gap, words.p_value(real(row.p)), _p(row)])
    return rows


# ---------------------------------------------------------------- who gained


def gained(evaluation: Any) -> list[Any]:
    """Quantiles of both arms, and who got better or worse by a threshold.

    Parameters
    ----------
    evaluation : Evaluation
        With effects.

    Returns
    -------
    list of blocks
        Per outcome a figure, and a table where a threshold was declared.
    """
    blocks: list[Any] = []
    for one in several(evaluation, "who gained"):
        blocks.append(_quantiles(evaluation, one))
        blocks += [_shares(evaluation, one)] if one.found.shares is not None else []
    return blocks


def _quantiles(evaluation: Any, one: Any) -> Figure:
    form, found = form_of(evaluation, str(one.outcome)), one.found
    rows = [row for row in found.table.itertuples() if not said(row.why)]
    drawn = moments(
        [_moment(row, form) for row in rows],
        Time(f"Difference between the arms, {unit_of(form)}", "share of each arm at or below, from lowest to highest"),
    )
    treated, comparison = arm_names(evaluation.study)
    grid = Table(
        f"quantiles-{one.outcome}",
        f"{named(evaluation, one)}: the same share of each arm lies at or below",
        "",
        [Column("Share", False), Column(treated), Column(comparison), Column("Difference"),
         Column(level_words(evaluation)), Column("all at once")],
        [_quantile_row(row, form) for row in found.table.itertuples()],
        meanings={words.SUPPRESSED: "suppressed: too few people lie beyond it"},
    )  # fmt: skip
    return Figure(
        f"gained-{one.outcome}",
        f"{named(evaluation, one)}: {lower_first(str(found.dominance)).rstrip('.').replace('quantile', 'point')}",
        f"Difference between the arms at the same place of their distributions, with {level_words(evaluation)} "
        "intervals",
        drawn.wide,
        drawn.narrow,
        notes=_gained_notes(evaluation, str(one.outcome)),
        how=How(
            [
                _weighing(evaluation, str(one.outcome)),
                "Intervals by drawing people or clusters again.",
            ],
            table=grid,
            summary="Numbers and method",
        ),
    )


def _moment(row: Any, form: Wording) -> Moment:
    scale = form.scale
    printed = f"{form.change(row.effect)} ({form.interval(row.low, row.high)})"
    label = words.percent(real(row.at), 0)
    return Moment(100 * real(row.at), label, real(row.effect) * scale, real(row.low) * scale,
                  real(row.high) * scale, printed)  # fmt: skip


def _weighted(evaluation: Any, outcome: str) -> bool:
    """Whether the planned analysis weighs people, so that the quantiles are weighted too."""
    estimated = (evaluation.effects.estimates or {}).get(outcome)
    return (getattr(estimated, "diagnostics", None) or {}).get("weights") is not None


def _weighing(evaluation: Any, outcome: str) -> str:
    if _weighted(evaluation, outcome):
        return "Quantiles weighted as the planned analysis weighs people (Firpo 2007). Weights are taken as given."
    return "Quantiles of both arms as they are: the planned analysis gives people no weights."


def _gained_notes(evaluation: Any, outcome: str) -> list[str]:
    notes = ["Differences between two distributions, not what became of any one person."]
    if not _weighted(evaluation, outcome):
        notes.append("The arms are compared as they are, without weights: what they differed in before is in it.")
    return notes


def _quantile_row(row: Any, form: Wording) -> list[object]:
    at = words.percent(real(row.at), 0)
    if said(row.why):
        return [at, *[words.SUPPRESSED] * 5]
    ends = [form.interval(row.low, row.high), form.interval(row.low_all, row.high_all)]
    return [at, form.level(row.treated), form.level(row.comparison), form.change(row.effect), *ends]


def _shares(evaluation: Any, one: Any) -> Table:
    rows: list[list[object]] = []
    treated, comparison = arm_names(evaluation.study)
    for row in one.found.shares.itertuples():
        if said(row.why):
            rows.append([STATES[str(row.state)], *[words.SUPPRESSED] * 4])
            continue
        shares = [words.percent(real(share), 0) for share in (row.treated, row.comparison)]
        gap = words.number(100 * real(row.difference), 0, sign=True)
        ends = words.interval(100 * real(row.low), 100 * real(row.high), 0)
        rows.append([STATES[str(row.state)], *shares, gap, ends])
    return Table(
        f"gained-shares-{one.outcome}",
        _shares_say(evaluation, one, (treated, comparison)),
        f"{named(evaluation, one)}: shares by change since the start{_counts(evaluation, one)}",
        [Column("Change", False), Column(treated), Column(comparison), Column("Difference, points"),
         Column(level_words(evaluation))],
        rows,
        notes=["Who got better might have done so anyway, and who got worse might have done worse without it."],
        meanings={words.SUPPRESSED: "suppressed: too few people, or others could be found from it"},
        width=32,
    )  # fmt: skip


def _counts(evaluation: Any, one: Any) -> str:
    """The change that was declared to count."""
    plan = evaluation.study.counterfactual
    if plan is None or plan.gained is None or plan.gained.threshold is None:
        return ""
    return f"; declared as a change that counts: {form_of(evaluation, str(one.outcome)).size(plan.gained.threshold)}"


def _shares_say(evaluation: Any, one: Any, arms: tuple[str, str]) -> str:
    table: pd.DataFrame = one.found.shares
    row = next((row for row in table.itertuples() if row.state == "improved" and not said(row.why)), None)
    if row is None:
        return f"{named(evaluation, one)}: the shares who got better tell of too few people"
    share = [words.percent(real(value), 0) for value in (row.treated, row.comparison)]
    return f"{named(evaluation, one)}: {share[0]} got better with {arms[0]}, {share[1]} with {arms[1]}"
