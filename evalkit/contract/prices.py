"""Reading a rate card: one price per metric, with its steps, dates, caps and floor, or everything that is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from evalkit.contract.mechanisms import GATED, MANY_ROWS, MECHANISMS, NOT_ON_A_CARD, STEPPED, Price, Tariff
from evalkit.contract.pennies import NO_LIMIT, NONE, exact, to_penny
from evalkit.errors import DataError, did_you_mean, parts_of, several
from evalkit.tables.kinds import Kind, convert, must_be_table
from evalkit.tables.words import quoted, rows_listed, shape

Rows = list[dict[str, Any]]

NUMBERS: dict[str, Kind] = {
    "price": "money",
    "threshold": "number",
    "baseline": "number",
    "cap_person": "money",
    "cap_metric": "money",
    "cap_year": "money",
    "floor_metric": "money",
    "lag_days": "number",
    "from": "date",
    "until": "date",
}
OF_THE_METRIC = ("cap_person", "cap_metric", "cap_year", "floor_metric", "lag_days", "deadweight_in_price", "claw_back",
                 "per")  # fmt: skip
ANSWERS = {"yes": True, "true": True, "1": True, "y": True, "no": False, "false": False, "0": False, "n": False}
PER = {"": "", "person": "person", "cohort": "cohort", "metric": "cohort"}
MONTH = re.compile(r"^\s*\d{4}-\d{2}\s*$")
FIRST_LINE = 2  # the header of a file is line 1


def read_prices(
    rate_card: pd.DataFrame, where: str = "The rate card", lines: Sequence[int] | None = None
) -> dict[str, Price]:
    """Turn a rate card into one `Price` per metric.

    Parameters
    ----------
    rate_card : DataFrame
        As for `due`.
    where : str
        What messages call it: its file.
    lines : sequence of int, optional
        The line of each row in its file; default: rows follow a header of one line.

    Returns
    -------
    dict
        Metric -> Price, in the card's order.

    Raises
    ------
    DataError
        Everything that is wrong with the card, at once.
    """
    must_be_table(rate_card, where)
    missing = [name for name in ("metric", "price") if name not in rate_card]
    if missing:
        there = [str(name) for name in rate_card.columns]
        problems = [f'It lacks the column "{name}". {did_you_mean(name, there)}'.strip() for name in missing]
        raise DataError(several(where, problems))
    at = lines or range(FIRST_LINE, FIRST_LINE + len(rate_card))
    card, problems = _with_defaults(rate_card, at)
    by_metric = _by_metric(card)
    for metric, rows in by_metric.items():
        if metric and (wrong := _problems(metric, rows)):
            rows_of = [line for line, name in zip(at, card["metric"], strict=True) if name == metric]
            problems += [f"{problem} See {rows_listed(rows_of)}." for problem in wrong]
    if card["metric"].eq("").any():
        problems.append(f"{int(card['metric'].eq('').sum())} rows have no metric.")
    currencies = [one for one in dict.fromkeys(card["currency"].str.upper()) if one]
    if len(currencies) > 1:
        problems.append(f"Its prices are in {' and '.join(currencies)}: amounts in two currencies are never added.")
    if problems:
        raise DataError(several(where, problems))
    return {metric: _price(metric, rows) for metric, rows in by_metric.items()}


def together(where: str, calls: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """Make several calls, and say together what is wrong with any of them.

    Parameters
    ----------
    where : str
        What they are about, for the message.
    calls : mapping of str to callable
        Each without arguments.

    Returns
    -------
    dict
        Name -> what the call gave.

    Raises
    ------
    DataError
        All that the calls raised.
    """
    found: dict[str, Any] = {}
    wrong: list[DataError] = []
    for name, call in calls.items():
        try:
            found[name] = call()
        except DataError as problem:
            wrong.append(problem)
    if len(wrong) == 1:
        raise wrong[0]
    if wrong:
        raise DataError(several(where, [one for problem in wrong for one in parts_of(str(problem), where)]))
    return found


def texts(column: pd.Series) -> pd.Series:
    """Text without missing values or outer blanks; whole numbers without decimals.

    Parameters
    ----------
    column : Series
        Of any type.

    Returns
    -------
    Series of str
        "" where nothing is known.
    """
    return convert(column, "text")[0].fillna("").astype("str")


def cells(
    table: pd.DataFrame,
    name: str,
    kind: Kind,
    problems: list[str],
    lines: Sequence[int] | None = None,
    people: bool = False,
) -> pd.Series:
    """One column as numbers, amounts or dates; what is none of these is added to the problems.

    Parameters
    ----------
    table : DataFrame
        The column may be absent: then nothing is known.
    name : str
        The column.
    kind : {"number", "money", "date"}
        What it holds.
    problems : list of str
        Grows by one sentence that names the rows, the first wrong cell and the remedy.
    lines : sequence of int, optional
        The line of each row in its file; default: rows follow a header of one line.
    people : bool
        Whether rows may be people: then no cell is quoted.

    Returns
    -------
    Series
        Missing where nothing is known.
    """
    given = table.get(name, pd.Series([None] * len(table), index=table.index, dtype=object))
    values, wrong = convert(_full_dates(given) if kind == "date" else given, kind)
    if wrong is not None:
        at = [FIRST_LINE + row if lines is None else lines[row] for row in wrong.rows]
        first = f"looks like {shape(wrong.first)}" if people else f"is {quoted(wrong.first)}"
        are = "1 cell is" if len(at) == 1 else f"{len(at)} cells are"
        problems.append(
            f'column "{name}": {are} not {wrong.finding[len(at) > 1]}, in {rows_listed(at)} (the first {first}). '
            f"{wrong.remedy}"
        )
    if kind == "date":
        return values.astype("datetime64[us]")
    return pd.to_numeric(values, errors="coerce").astype(float)


def _full_dates(column: pd.Series) -> pd.Series:
    """Months written 2024-03 as their first day."""
    if column.dtype == object or pd.api.types.is_string_dtype(column):
        return column.map(lambda cell: f"{cell.strip()}-01" if isinstance(cell, str) and MONTH.match(cell) else cell)
    return column


def _with_defaults(rate_card: pd.DataFrame, lines: Sequence[int]) -> tuple[pd.DataFrame, list[str]]:
    """Every column a price needs, as numbers, dates and text; and the cells that cannot be read."""
    problems: list[str] = []
    table = rate_card.reset_index(drop=True)
    blank = pd.Series([None] * len(table), dtype=object)
    card = pd.DataFrame({"metric": texts(table["metric"])})
    card["mechanism"] = texts(table.get("mechanism", blank)).replace("", "unit").str.lower()
    for name, kind in NUMBERS.items():
        card[name] = cells(table, name, kind, problems, lines) if name in table else None
    card["unread"] = card["price"].isna() & (texts(table["price"]) != "")
    for name in ("deadweight_in_price", "claw_back"):
        words = texts(table.get(name, blank)).str.lower()
        card[name] = words.map(ANSWERS)
        if (strange := (words != "") & card[name].isna()).any():
            at = [lines[int(row)] for row in np.flatnonzero(strange)]
            problems.append(f'column "{name}": write yes or no, in {rows_listed(at)}.')
    card["per"] = texts(table.get("per", blank)).str.lower()
    card["currency"] = texts(table.get("currency", blank))
    return card, problems


def _by_metric(card: pd.DataFrame) -> dict[str, Rows]:
    """The rows of each metric, missing values as None: plain rows, since most metrics have only one."""
    plain = card.astype(object).where(card.notna(), None)
    found: dict[str, Rows] = {}
    for row in plain.to_dict("records"):
        found.setdefault(str(row["metric"]), []).append({str(name): value for name, value in row.items()})
    return found


def _given(rows: Rows, name: str) -> list[Any]:
    """What the rows say in one column, without repeats and empty cells."""
    return list(dict.fromkeys(row[name] for row in rows if row[name] not in (None, "")))


def _times(rows: Rows) -> dict[tuple[Any, Any], Rows]:
    """The rows of each time at which a price held."""
    found: dict[tuple[Any, Any], Rows] = {}
    for row in rows:
        found.setdefault((row["from"], row["until"]), []).append(row)
    return found


def _problems(metric: str, rows: Rows) -> list[str]:
    """What is wrong with one metric's rows."""
    mechanisms = list(dict.fromkeys(str(row["mechanism"]) for row in rows))
    on_cards = [name for name in MECHANISMS if name not in NOT_ON_A_CARD]
    strange = [name for name in mechanisms if name not in on_cards]
    found = [f'{metric}: mechanism "{name}" is not known. {did_you_mean(name, on_cards)}' for name in strange]
    if metric.startswith("trigger ") or metric == "contract floor":
        found.append(f"{metric}: this name is kept for triggers and floors. Give the metric another id.")
    if len(mechanisms) > 1:
        found.append(f"{metric}: its rows name several mechanisms. Give each mechanism its own metric.")
    if any((row["price"] is None and not row["unread"]) or (row["price"] or 0) < 0 for row in rows):
        found.append(f"{metric}: the price is missing or negative.")
    if any((row[name] or 0) < 0 for row in rows for name in ("cap_person", "cap_metric", "cap_year")):
        found.append(f"{metric}: a cap is negative.")
    return [*found, *_shape_problems(metric, mechanisms[0], rows), *_date_problems(metric, rows), *_whole(metric, rows)]


def _shape_problems(metric: str, mechanism: str, rows: Rows) -> list[str]:
    """Thresholds, baselines and numbers of rows that do not fit the mechanism."""
    found, together = [], list(_times(rows).values())
    most, least = max(map(len, together)), min(map(len, together))
    if most > 1 and mechanism not in MANY_ROWS:
        found.append(
            f"{metric} stands on {most} rows. Only the steps of one step, slide or scale may share a metric, and "
            'prices that follow each other in time (columns "from" and "until").'
        )
    if mechanism == "scale" and least < 2:
        found.append(f"{metric}: a scale needs two rows or more, the amounts between which it runs.")
    if mechanism in MANY_ROWS and any(len({row["threshold"] for row in part}) < len(part) for part in together):
        found.append(f"{metric}: a threshold is given twice.")
    with_threshold = mechanism in (*STEPPED, *GATED)
    if with_threshold and any(row["threshold"] is None for row in rows):
        found.append(f"{metric}: a {mechanism} needs a threshold.")
    if not with_threshold and mechanism in MECHANISMS and _given(rows, "threshold"):
        found.append(
            f'{metric}: a threshold belongs to "step", "slide", "scale", "threshold" or "excess", not to "{mechanism}".'
        )
    if mechanism == "saved" and any(row["baseline"] is None for row in rows):
        found.append(f'{metric}: "saved" needs a baseline.')
    if True in _given(rows, "claw_back") and mechanism != "saved":
        found.append(f'{metric}: claw_back belongs to "saved", not to "{mechanism}".')
    return found


def _date_problems(metric: str, rows: Rows) -> list[str]:
    """Prices of one metric that hold at the same time, or never."""
    times = sorted(_times(rows), key=lambda time: time[0] or pd.Timestamp.min)
    if any(start is not None and until is not None and until < start for start, until in times):
        return [f'{metric}: a price ends ("until") before it begins ("from").']
    # missing means without end on that side
    apart = all(early[1] is not None and late[0] is not None and early[1] < late[0] for early, late in pairwise(times))
    return [] if apart else [f'{metric}: prices of the same time. Let each "until" lie before the next "from".']


def _whole(metric: str, rows: Rows) -> list[str]:
    """What belongs to the metric as a whole, and differs between its rows or cannot be."""
    given = {name: _given(rows, name) for name in OF_THE_METRIC}
    found = [
        f'{metric}: "{name}" differs between its rows; it belongs to the metric as a whole.'
        for name, values in given.items()
        if len(values) > 1
    ]
    if any(lag < 0 or lag % 1 for lag in given["lag_days"]):
        found.append(f"{metric}: lag_days is a whole number of days, not below 0.")
    floor, cap = (given[name][:1] for name in ("floor_metric", "cap_metric"))
    if floor and (floor[0] < 0 or (cap and floor[0] > cap[0])):
        found.append(f"{metric}: the floor is negative or above the metric's cap.")
    if strange := [word for word in given["per"] if word not in PER]:
        found.append(f'{metric}: per "{strange[0]}" is not known. {did_you_mean(strange[0], ["person", "cohort"])}')
    return found


def _price(metric: str, rows: Rows) -> Price:
    """One metric's price."""
    tariffs = sorted(map(_tariff, _times(rows).values()), key=lambda one: one.starts or pd.Timestamp.min)
    whole = {name: next(iter(_given(rows, name)), None) for name in OF_THE_METRIC}
    caps = {
        name: NO_LIMIT if whole[name] is None else to_penny(exact(whole[name]))
        for name in ("cap_person", "cap_metric", "cap_year")
    }
    return Price(
        metric,
        str(rows[0]["mechanism"]),
        tuple(tariffs),
        **caps,
        floor=NONE if whole["floor_metric"] is None else to_penny(exact(whole["floor_metric"])),
        lag_days=int(whole["lag_days"] or 0),
        in_price=whole["deadweight_in_price"],
        claw_back=bool(whole["claw_back"]),
        per=PER[whole["per"] or ""],
    )


def _tariff(rows: Rows) -> Tariff:
    """The price of one metric while it held."""
    first = rows[0]
    steps = sorted((exact(row["threshold"] or 0), exact(row["price"])) for row in rows)
    saved = first["mechanism"] == "saved"
    return Tariff(tuple(steps), exact(first["baseline"]) if saved else None, first["from"], first["until"])
