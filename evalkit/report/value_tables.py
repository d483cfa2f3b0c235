"""The tables of the value: the map, its assumptions with their sources, subtotals, years, and what has no price."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evalkit import words
from evalkit.report.blocks import Column, How, Table
from evalkit.report.html import Cell, sentence
from evalkit.report.phrases import finite, real, said

NET = "not applicable: the effect is net of it already"
SHARES = ("deadweight", "displacement", "attribution", "drop_off")
NAMES = {
    "quantity": "Quantity",
    "proxy": "Worth each",
    **{name: name.replace("_", "-").capitalize() for name in SHARES},
}
MONEY_HEADS = {"present_cost": "Present cost", "present_value": "Present value", "cumulative_net": "Net so far"}


def price_year(evaluation: Any) -> str:
    """The price year as a subtitle carries it: ", 2023 prices"."""
    year = evaluation.study.study.price_year
    return f", {year} prices" if year else ""


def currency_of(evaluation: Any) -> str:
    """The currency of the study."""
    return str(evaluation.study.study.currency)


def _amount(value: object) -> str:
    """Whole money in a table, or that there is none."""
    return words.number(real(value), 0) if finite(value) else words.NOT_AVAILABLE


def spread(low: object, high: object, digits: int = 0) -> str:
    """An interval of money or numbers in a table; "[x]" where there is none."""
    if not finite(low) or not finite(high):
        return words.NOT_AVAILABLE
    return words.interval(real(low), real(high), digits)


def in_money(lines: pd.DataFrame) -> pd.DataFrame:
    """The lines that are part of the ratio."""
    return lines[lines["present_value"].notna()] if "present_value" in lines else lines


def impact_map(evaluation: Any) -> Table | None:
    """What was valued, at what price, what was taken off.

    Parameters
    ----------
    evaluation : Evaluation
        With a value.

    Returns
    -------
    Table or None
        One row per line valued in money, negative ones too.
    """
    lines = in_money(evaluation.value.lines)
    if not len(lines):
        return None
    parts = [name for name in SHARES if name in lines]
    years = "starts_year" in lines and bool((lines["starts_year"] != 1).any())
    columns = [Column("Outcome", False), Column("Quantity"), Column("Worth each")]
    columns += [Column(NAMES[name], group="Taken off") for name in parts]
    columns += [Column("Years"), Column("Present value"), Column("Range")]
    total = ["Total", *[""] * (len(columns) - 3), _amount(evaluation.value.present_value), _total_range(evaluation)]
    return Table(
        "impact-map",
        "What was valued, at what price, and what was taken off",
        f"Quantity \u00d7 worth \u00d7 (1 \u2212 deadweight) \u00d7 (1 \u2212 displacement) \u00d7 (1 \u2212 "
        "attribution), in each later year \u00d7 (1 \u2212 drop-off); "
        f"{currency_of(evaluation)}{price_year(evaluation)}",
        columns,
        [*(_line(row, parts, years) for row in _rows(lines)), total],
        notes=[sentence(said(evaluation.value.convention)), _deflated(lines)],
        source="; ".join(dict.fromkeys(said(s) for s in lines["source"] if said(s))) if "source" in lines else "",
        total=1,
        meanings={words.NOT_APPLICABLE: NET, words.NOT_AVAILABLE: "not available: nothing was given a range"},
        dense=True,
        width=56,
    )


def _rows(table: pd.DataFrame) -> Any:
    return table.itertuples()


def _total_range(evaluation: Any) -> str:
    found = evaluation.value
    return spread(getattr(found, "present_value_low", None), getattr(found, "present_value_high", None))


def _deflated(lines: pd.DataFrame) -> str:
    """Which amounts were brought to the price year, by how much."""
    if "price_factor" not in lines:
        return ""
    told = [
        f"{row.title} from {words.number(row.proxy_stated, 2)} in {int(row.price_year_stated)} prices, \u00d7 "
        f"{words.number(row.price_factor, 4)} ({row.deflator_source})"
        for row in _rows(lines[lines["price_factor"] != 1])
    ]
    return f"Deflated: {'; '.join(told)}." if told else ""


def _line(row: Any, parts: list[str], years: bool) -> list[object]:
    """One line of the map."""
    who = ", ".join(dict.fromkeys(said(getattr(row, name, "")) for name in ("stakeholder", "agency", "bottom_line")))
    who = ", ".join(part for part in who.split(", ") if part)
    quantity = real(getattr(row, "quantity", None))
    small = {"effect": "estimated", "typed": "stated"}.get(said(getattr(row, "quantity_from", "")), "")
    lasts = words.number(real(getattr(row, "duration", None)), 0)
    since = getattr(row, "starts_year", 1)
    return [
        Cell(said(getattr(row, "title", "")) or said(row.outcome), small=who),
        Cell(words.number(quantity, 0 if abs(quantity) >= 100 else 1), small=small),
        words.number(real(getattr(row, "proxy", None)), 2),
        *(_taken(row, name) for name in parts),
        Cell(lasts, small=f"from year {int(since)}" if years else ""),
        _amount(getattr(row, "present_value", None)),
        spread(getattr(row, "low", None), getattr(row, "high", None)),
    ]


def _share(value: object) -> str:
    return words.percent(real(value), 0) if finite(value) else words.NOT_APPLICABLE


def _taken(row: Any, name: str) -> str:
    """A share taken off; an estimated effect is net of deadweight already, so there it does not apply."""
    if name == "deadweight" and said(getattr(row, "quantity_from", "")) == "effect" and not real(row.deadweight):
        return words.NOT_APPLICABLE
    return _share(getattr(row, name))


def assumptions(evaluation: Any) -> Table | None:
    """Every assumption with its range and its source.

    Parameters
    ----------
    evaluation : Evaluation
        With a value.

    Returns
    -------
    Table or None
        None where the map tells no sources by assumption.
    """
    lines = in_money(evaluation.value.lines)
    if "proxy_source" not in lines or not len(lines):
        return None
    rows = [row for line in lines.to_dict("records") for row in _assumed(line)]
    bare = sum(row[-1] == words.NOT_AVAILABLE for row in rows)
    return Table(
        "value-assumptions",
        f"{len(rows)} assumptions, {bare} of them without a source" if bare else "Every assumption has a source",
        f"Each number of the map that is not 0, its range and where it comes from; {currency_of(evaluation)}"
        f"{price_year(evaluation)}",
        [Column("Line", False), Column("Assumption", False), Column("Value"), Column("Range"), Column("Source", False)],
        rows,
        meanings={words.NOT_AVAILABLE: "not given", words.NOT_APPLICABLE: "no range was given"},
        dense=True,
        width=52,
    )


def _assumed(line: dict[Any, Any]) -> list[list[object]]:
    """The assumptions of one line."""
    rows: list[list[object]] = []
    for name in ("quantity", "proxy", *SHARES):
        value, low, high = (line.get(column) for column in (name, f"{name}_low", f"{name}_high"))
        if not finite(value) or (name in SHARES and not real(value) and not real(high) > 0):
            continue
        share = name in SHARES
        digits = 0 if share or max(abs(real(value)), abs(real(high)) if finite(high) else 0) >= 100 else 1
        ranged = words.interval(real(low), real(high), digits, percent=share)
        shown = words.percent(real(value), 0) if share else words.number(real(value), 2 if name == "proxy" else digits)
        year = line.get("price_year") if name == "proxy" else None
        what = f"{NAMES[name]}, {int(real(year))} prices" if finite(year) else NAMES[name]
        source = said(line.get(f"{name}_source")) or words.NOT_AVAILABLE
        rows.append([said(line["title"]), what, shown, ranged if finite(low) else words.NOT_APPLICABLE, source])
    return rows


def subtotals(evaluation: Any) -> Table | None:
    """Present value by bottom line, group of stakeholders and kind of value.

    Parameters
    ----------
    evaluation : Evaluation
        With a value.

    Returns
    -------
    Table or None
        None where they were not worked out.
    """
    table = getattr(evaluation.value, "looks", {}).get("subtotals")
    if table is None or not len(table):
        return None
    rows: list[list[object]] = []
    for by in dict.fromkeys(table["by"]):
        mine = table[table["by"] == by]
        if by == "stakeholder" and len(mine) == int((table["by"] == "group").sum()):
            continue  # every group is one stakeholder
        for row in _rows(mine):
            name = "group of stakeholders" if by == "group" else by
            rows.append([Cell(said(row.name).capitalize(), small=name), _amount(row.present_value),
                         spread(row.low, row.high), str(row.lines), str(row.not_in_money)])  # fmt: skip
    return Table(
        "value-subtotals",
        _subtotal_finding(table),
        f"Present value, {currency_of(evaluation)}{price_year(evaluation)}; 95% ranges of the joint draws, which do "
        "not add up",
        [Column("Subtotal", False), Column("Present value"), Column("Range"), Column("In money", group="Lines"),
         Column("Beside it", group="Lines")],
        rows,
        notes=["Each block adds up to the whole present value. A line that nobody prices is counted beside the money."],
        meanings={words.NOT_AVAILABLE: "not available: no line in money, or no range was given"},
        dense=True,
        width=38,
    )  # fmt: skip


def _subtotal_finding(table: pd.DataFrame) -> str:
    lines = table[(table["by"] == "bottom line") & (table["lines"] > 0)]
    if set(lines["name"]) <= {"not stated"}:
        return "The lines do not say to which bottom line they belong"
    first = lines["name"].iloc[int(lines["present_value"].astype(float).argmax())]
    below = list(lines.loc[lines["present_value"] < 0, "name"])
    tail = f"; {words.listed(below)} value is below 0" if below else ""
    return f"The largest part is {first} value{tail}"


def agencies(evaluation: Any) -> Table | None:
    """Present value by agency."""
    return _amounts(evaluation, evaluation.value.by_agency, "agency", "by-agency", "Who the value falls to", "Agency")


def years(evaluation: Any) -> Table | None:
    """Value by year, beside the costs where they are known by year."""
    table = evaluation.value.by_year
    finding = "When the value falls due"
    if table is not None and "cost" in table:
        finding = "When the costs and the value fall due"
    return _amounts(evaluation, table, "year", "by-year", finding, "Year")


def _amounts(evaluation: Any, table: pd.DataFrame | None, key: str, id: str, finding: str, head: str) -> Table | None:
    if table is None or not len(table):
        return None
    table = table if key in table else table.reset_index().rename(columns={"index": key})
    numeric = [name for name in table.columns if name != key and pd.api.types.is_numeric_dtype(table[name])]
    numeric = [name for name in numeric if not (name in ("low", "high") and table[name].isna().all())]
    rows = [[_key(row[key]), *(_number(row[name], name) for name in numeric)] for _, row in table.iterrows()]
    if len(rows) > 1 and key == "agency" and "present_value" in table:
        top = table[key].iloc[int(table["present_value"].astype(float).argmax())]
        finding = f"The largest part falls to {said(top)}"
    return Table(
        id,
        finding,
        f"{currency_of(evaluation)}{price_year(evaluation)}",
        [Column(head, False), *(Column(_head(name)) for name in numeric)],
        rows,
        notes=_notes_of_years(table) if key == "year" else [],
        width=24 + 6 * max(len(numeric) - 2, 0),
    )


def _head(name: str) -> str:
    return "Caught up" if name == "paid_back" else MONEY_HEADS.get(name, name.replace("_", " ").capitalize())


def _number(value: object, name: str) -> str:
    if name == "paid_back":
        return words.percent(real(value), 0)
    return words.number(real(value), 3 if "factor" in name else 0)


def _notes_of_years(table: pd.DataFrame) -> list[str]:
    notes = []
    if "low" in table:
        notes.append("Low and high: 2.5% and 97.5% of the draws of that year's present value.")
    if "paid_back" in table:
        notes.append(
            "Caught up: share of the draws in which value has caught up with cost by the year's end, for good."
        )
    if "cost" in table and (table["year"] == 0).any():
        notes.append("Year 0: before the first year of outcomes; not discounted.")
    return notes


def _key(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value == int(value) else str(value)


def beside(evaluation: Any) -> Table | None:
    """What is valued by somebody and has no price.

    Parameters
    ----------
    evaluation : Evaluation
        With a value.

    Returns
    -------
    Table or None
        None where every line is in money.
    """
    lines = evaluation.value.lines
    if "present_value" not in lines or not lines["present_value"].isna().any():
        return None
    rows = [_beside(row) for row in _rows(lines[lines["present_value"].isna()])]
    single = len(rows) == 1
    many = "1 benefit has no price and is" if single else f"{len(rows)} benefits have no price and are"
    return Table(
        "beside-the-money",
        f"{many} no part of the ratio",
        "For whom, and how many where that is known: no less real for having no price",
        [Column("Benefit", False), Column("For whom", False), Column("Quantity"), Column("Source", False)],
        rows,
        meanings={words.NOT_AVAILABLE: "not known"},
        width=40,
    )


def _beside(row: Any) -> list[object]:
    low, high = getattr(row, "quantity_low", None), getattr(row, "quantity_high", None)
    small = spread(low, high) if finite(low) and finite(high) else ""
    number = words.number(real(row.quantity), 0) if finite(row.quantity) else words.NOT_AVAILABLE
    label = said(getattr(row, "bottom_line", ""))
    who = said(getattr(row, "stakeholder", "")) or words.NOT_AVAILABLE
    return [Cell(said(row.title) or said(row.outcome), small=label), who, Cell(number, small=small),
            said(getattr(row, "source", "")) or words.NOT_AVAILABLE]  # fmt: skip


def rates(evaluation: Any) -> Table | None:
    """The rates in use, with the dated files they come from.

    Parameters
    ----------
    evaluation : Evaluation
        With a value.

    Returns
    -------
    Table or None
        None where the value does not tell them.
    """
    table = getattr(evaluation.value, "rates", None)
    if table is None or not len(table):
        return None
    rows = [[row.rate, row.lines or "all others" if len(table) > 1 else row.lines or "all", row.source or "the study"]
            for row in _rows(table)]  # fmt: skip
    return Table(
        "value-conventions",
        "The conventions behind these figures",
        "Discount rates and the dated files they come from",
        [Column("Rate", False), Column("Lines", False), Column("Source", False)],
        rows,
        notes=[sentence(said(getattr(evaluation.value, name, ""))) for name in ("convention", "range_method")],
        how=How(["Order: quantity, worth each, deadweight, displacement, attribution, then drop-off by year, then "
                 "discounting. The shares taken off commute."]),
        width=36,
    )  # fmt: skip
