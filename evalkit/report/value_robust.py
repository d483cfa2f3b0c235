"""How sure the value is: every figure with its range, what moves it, where it would equal the cost."""

from __future__ import annotations

from typing import Any

from evalkit import words
from evalkit.report.blocks import Column, Figure, How, Table
from evalkit.report.figures.tornado import Swing, tornado
from evalkit.report.html import Cell
from evalkit.report.phrases import finite, real, said
from evalkit.report.value_tables import currency_of, price_year

SHARES = ("deadweight", "displacement", "attribution", "drop_off")
BARS = 12
NEVER = "never"
NO_RANGE = "no range given"


def money_range(evaluation: Any, name: str) -> str:
    """A figure of the value as results and page print it: range first, centre second.

    Parameters
    ----------
    evaluation : Evaluation
        With a value.
    name : str
        "present_value" or "npv".

    Returns
    -------
    str
        "£1.2m to £3.4m, central £2.4m"; "£2.4m, no range given".
    """
    found, currency = evaluation.value, currency_of(evaluation)
    low, high = getattr(found, f"{name}_low", None), getattr(found, f"{name}_high", None)
    centre = words.money(real(getattr(found, name)), currency)
    if not finite(low) or not finite(high):
        return f"{centre}, {NO_RANGE}"
    return f"{words.money(real(low), currency)} to {words.money(real(high), currency)}, central {centre}"


def payback_range(found: Any) -> str:
    """Months until value has caught up, range first.

    Parameters
    ----------
    found : Value
        With payback_low and payback_high where ranges were given.

    Returns
    -------
    str
        "9 to 15 months, central 11 months"; an end may be "never".
    """
    low, high = getattr(found, "payback_low", None), getattr(found, "payback_high", None)
    centre = f"{words.number(real(found.payback_months), 0)} months" if finite(found.payback_months) else NEVER
    if low is None or high is None:
        return f"{centre}, {NO_RANGE}"
    if not finite(low):
        return NEVER
    if not finite(high):
        return f"from {words.number(real(low), 0)} months to {NEVER}, central {centre}"
    return f"{words.number(real(low), 0)} to {words.number(real(high), 0)} months, central {centre}"


def certainty(evaluation: Any) -> Table | None:
    """Every figure with its range, by joint draws.

    Parameters
    ----------
    evaluation : Evaluation
        With a value.

    Returns
    -------
    Table or None
        None where the value has no such figures.
    """
    found, currency = evaluation.value, currency_of(evaluation)
    if not hasattr(found, "npv_low"):
        return None
    rows: list[list[object]] = [
        ["Present value", money_range(evaluation, "present_value")],
        [
            "Cost",
            f"{words.money(real(found.cost), currency)}{'' if found.costs is None else ', present value by year'}",
        ],
        ["Net present value", money_range(evaluation, "npv")],
        [f"Value for each {words.whole_money(1, currency)} of cost", ratio_range(found, currency)],
        ["Net ratio (value less cost, for each unit of cost)", _net(found)],
        ["Payback within the years of the map", payback_range(found)],
    ]
    if finite(found.probability_exceeds_cost):
        rows.append(["Chance that value exceeds cost", chance(found)])
    rows += _together(found) + _anyway(evaluation)
    return Table(
        "value-certainty",
        "Every figure with its range" if found.ratio_low is not None else "No figure has a range: none was given",
        f"{currency}{price_year(evaluation)}; 95% ranges, effects and assumptions drawn together",
        [Column("Figure", False), Column("Range, then the central value", False)],
        rows,
        notes=[_leaning(found)],
        how=How([said(found.range_method)] if found.range_method else [],
                ["value.present_value", "value.npv", "value.ratio", "value.payback", "value.probability"]),
        width=0,
    )  # fmt: skip


def chance(found: Any) -> str:
    """The share of the draws in which value exceeds cost."""
    return f"{words.percent(real(found.probability_exceeds_cost), 0)} of the joint draws"


def ratio_range(found: Any, currency: str) -> str:
    """The ratio as results and page print it: range first, centre second.

    Parameters
    ----------
    found : Value
        With ratio_low and ratio_high where ranges were given.
    currency : str
        Its code.

    Returns
    -------
    str
        "£0.43 to £1.41, central £0.91"; "£0.94, no range given".
    """
    centre = words.whole_money(real(found.ratio), currency, 2)
    if not finite(found.ratio_low) or not finite(found.ratio_high):
        return f"{centre}, {NO_RANGE}"
    low, high = (words.whole_money(real(end), currency, 2) for end in (found.ratio_low, found.ratio_high))
    return f"{low} to {high}, central {centre}"


def _net(found: Any) -> str:
    centre = words.number(real(found.net_ratio), 2)
    if found.ratio_low is None:
        return f"{centre}, {NO_RANGE}"
    return f"{words.interval(found.ratio_low - 1, found.ratio_high - 1, 2)}, central {centre}"


def _together(found: Any) -> list[list[object]]:
    """The ratio if assumptions of one kind moved together."""
    alike = found.looks.get("together")
    if alike is None:
        return []
    told = (
        f"{words.interval(alike.ratio_low, alike.ratio_high, 2)}, value above cost in {words.percent(alike.exceeds, 0)}"
    )
    return [[Cell("Ratio if all assumptions of one kind moved together", small="a bound: how they hang together is not "
                  "known"), told]]  # fmt: skip


def _anyway(evaluation: Any) -> list[list[object]]:
    """What was owed for outcomes that would have happened anyway, from the contract's own draws."""
    totals = getattr(evaluation.contract, "totals", None) or {}
    ends = (totals.get("anyway_low"), totals.get("anyway_high"))
    if not finite(totals.get("anyway")) or not all(finite(end) for end in ends):
        return []
    currency = currency_of(evaluation)
    low, high = (words.money(real(end), currency) for end in ends)
    told = f"{low} to {high}, central {words.money(real(totals['anyway']), currency)}"
    return [[Cell("Owed for what would have happened anyway", small="of the contract, by the same effects"), told]]


def _leaning(found: Any) -> str:
    """Whether the draws lean to one side."""
    spread = getattr(found, "spread", None)
    if spread is None:
        return ""
    return (
        f"Of the drawn ratios the mean is {words.number(spread.mean, 2)}, the median {words.number(spread.median, 2)}, "
        f"the skewness {words.number(spread.skewness, 2)}; {words.percent(spread.below_centre, 0)} lie below the "
        "central value."
    )


def swings(evaluation: Any) -> Figure | None:
    """The tornado: one assumption at a time.

    Parameters
    ----------
    evaluation : Evaluation
        With a value.

    Returns
    -------
    Figure or None
        None where nothing has a range.
    """
    table = getattr(evaluation.value, "looks", {}).get("tornado")
    if table is None or not len(table):
        return None
    rows = list(table.head(BARS).itertuples())
    drawn = tornado([_swing(row, evaluation) for row in rows], real(evaluation.value.ratio))
    crossing = [row.says for row in rows if row.crosses]
    unit = words.whole_money(1, currency_of(evaluation))
    return Figure(
        "tornado",
        f"What moves the ratio most: {_named(rows[0].says)}",
        f"Value for each {unit} of cost, one assumption at a time over its own range, the others as they stand; the "
        "values at the ends of a bar are those of the assumption; dashed line: everything as it stands",
        drawn.wide,
        drawn.narrow,
        notes=_tornado_notes(crossing, len(table)),
        how=How(table=_tornado_table(table, evaluation), summary="The numbers of this figure"),
    )


def _named(says: str) -> str:
    """An assumption within a sentence: "estimated effect (Days in care avoided)"."""
    what, _, whose = says.partition(": ")
    return f"{what[:1].lower()}{what[1:]} ({whose})" if whose else f"{what[:1].lower()}{what[1:]}"


def _tornado_notes(crossing: list[str], all_bars: int) -> list[str]:
    notes = []
    if crossing:
        notes.append(f"Alone enough to make value more or less than cost: {'; '.join(crossing)}.")
    else:
        notes.append("No assumption alone, within its range, makes value more or less than cost.")
    if all_bars > BARS:
        notes.append(f"The {BARS} widest of {all_bars}.")
    return notes


def printed(value: object, name: str) -> str:
    """A value of an assumption: shares as percentages, the rest as numbers."""
    if not finite(value):
        return words.NOT_AVAILABLE
    number = real(value)
    if name in SHARES:
        return words.percent(number, 0 if abs(number * 100 - round(number * 100)) < 0.05 else 1)
    return words.number(number, 0 if abs(number) >= 100 or number == round(number) else 1)


def _swing(row: Any, evaluation: Any) -> Swing:
    return Swing(row.says, real(row.ratio_low), real(row.ratio_high), printed(row.low, row.name),
                 printed(row.high, row.name))  # fmt: skip


def _tornado_table(table: Any, evaluation: Any) -> Table:
    rows = [
        [row.says, f"{printed(row.low, row.name)} to {printed(row.high, row.name)}", printed(row.central, row.name),
         words.number(real(row.ratio_low), 2), words.number(real(row.ratio_high), 2)]
        for row in table.itertuples()
    ]  # fmt: skip
    columns = [Column("Assumption", False), Column("Range"), Column("As it stands"), Column("Ratio at low"),
               Column("Ratio at high")]  # fmt: skip
    return Table("tornado-numbers", "The ratio at both ends of each range", "", columns, rows)


def switching(evaluation: Any) -> Table | None:
    """Where each assumption would make value equal cost.

    Parameters
    ----------
    evaluation : Evaluation
        With a value.

    Returns
    -------
    Table or None
        None where it was not looked at.
    """
    found = getattr(evaluation.value, "looks", {}).get("switching")
    if found is None:
        return None
    told: list[Any] = [row for row in found.table.itertuples() if finite(row.switching) or real(row.central) != 0]
    inside = [row.says for row in told if row.within_range is True]
    finding = "No assumption alone, within its own range, makes value equal cost"
    if inside:
        many = "1 assumption" if len(inside) == 1 else f"{len(inside)} assumptions"
        finding = f"{many} could make value equal cost, each alone and within its own range"
    return Table(
        "switching-values",
        finding,
        "The value of each assumption at which value equals cost, the others as they stand",
        [Column("Assumption", False), Column("As it stands"), Column("Would have to be"), Column("Change"),
         Column("Within its range", False)],
        [_switch(row) for row in told],
        notes=[found.says],
        meanings={words.NOT_APPLICABLE: "no value between 0 and 1 does it, or it has no range"},
        dense=True,
        width=46,
    )  # fmt: skip


def _switch(row: Any) -> list[object]:
    """One assumption: as it stands, as it would have to be."""
    within = {True: "yes", False: "no"}.get(row.within_range, words.NOT_APPLICABLE)
    if not finite(row.switching):
        return [row.says, printed(row.central, row.name), Cell(words.NOT_APPLICABLE, small=row.why_none), "", within]
    if row.name in SHARES:
        change = words.points(real(row.switching) - real(row.central), 0)
    else:
        change = f"\u00d7 {words.number(real(row.times), 2)}"
    return [row.says, printed(row.central, row.name), printed(row.switching, row.name), change, within]


def drop_offs(evaluation: Any) -> Table | None:
    """Stated drop-offs beside estimated ones.

    Parameters
    ----------
    evaluation : Evaluation
        With a value.

    Returns
    -------
    Table or None
        None where no lasting line has an estimate.
    """
    table = getattr(evaluation.value, "looks", {}).get("drop_off")
    if table is None or not len(table):
        return None
    rows = [
        [row.title, words.percent(row.stated, 0), words.percent(row.estimated, 0),
         words.interval(row.low, row.high, 0, percent=True), row.verdict]
        for row in table.itertuples()
    ]  # fmt: skip
    return Table(
        "value-drop-off",
        "Drop-off as the map states it, and as the outcomes after the programme show it",
        "Share of the effect lost each year",
        [
            Column("Line", False),
            Column("Stated"),
            Column("Estimated"),
            Column("95% interval"),
            Column("Verdict", False),
        ],
        rows,
        notes=["The stated one is used in every figure; the estimate never takes its place unasked."],
    )
