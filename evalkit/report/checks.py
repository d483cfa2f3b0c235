"""What stands beside the main estimate: balance, published rates, an experiment's benchmark, a simulation's truth."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evalkit import words
from evalkit.report.blocks import Column, Figure, How, Table
from evalkit.report.cohort_tables import YES
from evalkit.report.common import characteristic, hidden, rule_of, safe_cohort
from evalkit.report.figures.love import LIMIT, differences, love
from evalkit.report.figures.ranges import two_rates
from evalkit.report.html import Cell
from evalkit.report.phrases import finite, outcome_name, real, said, wording
from evalkit.report.results import primary


def balance(evaluation: Any) -> Figure | None:
    """Draw the love plot of the primary outcome's estimate.

    Parameters
    ----------
    evaluation : Evaluation
        With effects.

    Returns
    -------
    Figure or None
        None where there are no covariates.
    """
    row = primary(evaluation)
    estimate = (evaluation.effects.estimates or {}).get(row.outcome) if row is not None else None
    table = getattr(estimate, "balance", None)
    if table is None or not len(table) or "smd_before" not in table:
        return None
    table = table[[str(name) not in _few_people(evaluation) for name in table.index]]
    if not len(table):
        return None
    after = table["smd_after"] if "smd_after" in table else pd.Series(float("nan"), index=table.index)
    labels = [characteristic(evaluation, str(name)) for name in table.index]
    rows = [(label, real(b), real(a)) for label, b, a in zip(labels, table["smd_before"], after, strict=True)]
    both = any(finite(a) for *_, a in rows)
    drawn = love(rows, "after adjustment") if both else differences([(label, b) for label, b, _ in rows])
    grid = _balance_numbers(rows, both)
    told = f"Divided by the {table.attrs.get('denominator', 'standard deviation of the treated')}."
    how = How([told], table=grid, summary="Numbers and method")
    return Figure(
        "balance",
        _balance_finding(rows),
        f"Absolute standardised difference, for {outcome_name(row)}",
        drawn.wide,
        drawn.narrow,
        how=how,
    )


def _balance_numbers(rows: list[tuple[str, float, float]], both: bool) -> Table:
    """Differences before, and after where the estimator weighs or matches people."""
    columns = [Column("Characteristic", False), *([Column("Before"), Column("After")] if both else [Column("Before")])]
    cells = [[label, *(words.number(x, 2, sign=True) for x in (b, a)[: 1 + both])] for label, b, a in rows]
    return Table("balance-numbers", "Standardised differences, treated less comparison", "", columns, cells)


def _few_people(evaluation: Any) -> set[str]:
    """Answers whose share at the start is hidden: it would follow from the other arm's and the difference."""
    if evaluation.cohort is None or not len(evaluation.cohort.flow):
        return set()
    baseline = safe_cohort(evaluation.cohort, rule_of(evaluation)).baseline
    if baseline is None:
        return set()
    gone = [row for row in baseline.itertuples() if hidden(row.difference)]
    return {f"{row.column} {row.value}".strip() for row in gone} | {str(row.column) for row in gone if row.value in YES}


def _balance_finding(rows: list[tuple[str, float, float]]) -> str:
    after = [abs(value) for *_, value in rows if finite(value)]
    if not after:
        worst = max(abs(before) for _, before, _ in rows)
        return f"The groups differ by up to {words.number(worst, 2)} SD before any adjustment"
    if max(after) <= LIMIT:
        return f"After adjustment the groups are alike on all {len(after)} characteristics"
    return (
        "After adjustment the groups still differ by more than 0.1 SD on "
        f"{sum(v > LIMIT for v in after)} of {len(after)} characteristics"
    )


def rates(evaluation: Any) -> Figure | None:
    """Draw the two published rates of the primary outcome.

    Parameters
    ----------
    evaluation : Evaluation
        With effects.

    Returns
    -------
    Figure or None
        None where the estimate rests on people.
    """
    row = primary(evaluation)
    if row is None or finite(row.se) or not finite(row.observed) or not finite(row.counterfactual):
        return None
    estimate = (evaluation.effects.estimates or {}).get(row.outcome)
    if finite(row.p) or "series" in (getattr(estimate, "diagnostics", None) or {}):
        return None  # areas: their path is drawn, and an interval may come without a standard error
    form = wording(row, evaluation.study.study.currency)
    scale = form.scale
    bars = [
        ("Observed", real(row.observed) * scale, True),
        ("Without it, by the comparison", real(row.counterfactual) * scale, False),
    ]
    drawn = two_rates(bars, form.unit, form.digits)
    of_level = finite(row.relative) and form.kind != "share"  # shares differ in points, never in per cent of a share
    change = words.percent(abs(real(row.relative)), 1) if of_level else form.size(row.effect)
    way = "below" if real(row.effect) < 0 else "above"
    return Figure(
        "rates",
        f"{form.level(row.observed)} against {form.level(row.counterfactual)}: {change} {way} the comparison",
        f"{outcome_name(row)}, {form.unit}",
        drawn.wide,
        drawn.narrow,
        notes=["Published figures: no sampling interval can be drawn."],
        source=said(getattr(row, "source", "")),
    )


def benchmark_of(evaluation: Any) -> float | None:
    """The experiment's estimate, where there is one."""
    table = evaluation.effects.benchmark
    return None if table is None or not len(table) else real(table["benchmark"].iloc[0])


def benchmark_table(evaluation: Any) -> Table | None:
    """Set each estimate against the experiment.

    Parameters
    ----------
    evaluation : Evaluation
        With effects.

    Returns
    -------
    Table or None
        Estimate minus benchmark, its interval, and whether that includes 0; None without a benchmark.
    """
    table = evaluation.effects.benchmark
    if table is None or not len(table):
        return None
    form = wording(primary(evaluation), evaluation.study.study.currency)
    rows = [_benchmark_row(row, form) for row in table.itertuples()]
    agree = int(table["includes_zero"].astype(bool).sum())
    plan = evaluation.study.counterfactual.benchmark
    first = table.iloc[0]
    title = said(getattr(plan, "title", "")) or "Experimental benchmark"
    return Table(
        "benchmark",
        f"{agree} of {len(table)} analyses agree with the experiment within their uncertainty",
        (
            f"{title}: {form.signed(first.benchmark)} (SE "
            f"{form.change(first.benchmark_se).lstrip('+')}); differences in {form.unit}"
        ),
        [
            Column("Analysis", False),
            Column("Estimate"),
            Column("95%"),
            Column("Estimate minus benchmark"),
            Column("95%"),
            Column("Includes 0", False),
        ],
        rows,
        notes=[
            "People who stand in both the estimate and the experiment are counted once in "
            "the interval of the difference."
        ],
        source=said(getattr(plan, "source", "")),
        how=How([], ["benchmark.effect", *(f"benchmark.{row.id}.difference" for row in table.itertuples())]),
        dense=True,
        width=46,
    )


def _benchmark_row(row: Any, form: Any) -> list[object]:
    answer = "yes" if bool(row.includes_zero) else "no"
    return [
        Cell(said(row.says)[:1].upper() + said(row.says)[1:]),
        form.change(row.estimate),
        form.interval(row.low, row.high),
        form.change(row.difference),
        form.interval(row.difference_low, row.difference_high),
        Cell(answer, bold=answer == "no"),
    ]


def truth(evaluation: Any) -> Table | None:
    """Set each estimate against the truth that the simulation recorded.

    Parameters
    ----------
    evaluation : Evaluation
        With effects.

    Returns
    -------
    Table or None
        None where the data are not simulated.
    """
    table = evaluation.effects.table
    if "truth" not in table or table["truth"].isna().all():
        return None
    rows, inside, known = [], 0, 0
    for row in table.itertuples():
        if not finite(row.truth):
            continue
        form = wording(row, evaluation.study.study.currency)
        held = real(row.low) <= real(row.truth) <= real(row.high)
        inside, known = inside + held, known + 1
        numbers = [form.signed(row.truth), form.signed(row.effect), form.interval(row.low, row.high)]
        rows.append([outcome_name(row), *numbers, Cell("yes" if held else "no", bold=not held)])
    return Table(
        "truth",
        f"{inside} of {known} intervals hold the truth of the simulation",
        "These data were simulated, so the true effect is known; over many simulations 95 of 100 intervals hold it",
        [Column("Outcome", False), Column("Truth"), Column("Estimate"), Column("95%"), Column("Inside", False)],
        rows,
        source="the simulation's own record",
        width=34,
    )
