"""Checks of single cells: sentences where a number belongs, signs where an amount belongs, dates nobody can read."""

from __future__ import annotations

import re
from functools import partial

import numpy as np
import pandas as pd

from evalkit.contract.indigo.columns import columns_of
from evalkit.contract.indigo.findings import Found, Tables, by_project, check, many
from evalkit.contract.schedule import month_of
from evalkit.tables.words import quoted
from evalkit.words import listed, number

SIGN = r"(?:[A-Z]{1,3})?\s*[$£€¥₹₽]+|[A-Z]{3}"
DATE = re.compile(r"\d{4}(?:-\d{2}){0,2}")
SHOWN = 3
# The answers that the data set's own guide lists for these columns (INDIGO data specification 4.1.0).
CODES = {
    ("projects", "stage"): ("Contracted", "Implementation", "Service delivery complete", "Complete"),
    ("projects", "maximum_return_type"): ("IRR", "Average annual return"),
    ("results", "level"): ("Project level", "Outcome level"),
    ("results", "type"): ("Interim", "Final"),
    ("outcome_payments", "kind_text"): ("Planned", "Actual"),
    ("outcome_payment_commitments", "type"): ("Interim", "Overall"),
    ("investments", "maximum_return_type"): ("IRR", "Average annual return"),
}
REPAID = (
    "No repayment (no principle or return)",
    "Some repayment (but below value of principle)",
    "Principal repaid (but no net return)",
    "Principal + positive financial returns",
    "Not publicly available",
)
CODES |= {(table, "investor_repayment"): REPAID for table in ("projects", "investments")}


def cells(column: pd.Series) -> str:
    """The first few different values of a column, quoted short."""
    values = list(column.unique())
    more = [f"{number(len(values) - SHOWN, 0)} more"] if len(values) > SHOWN else []
    return listed([*[quoted(" ".join(str(value).split())) for value in values[:SHOWN]], *more])


def _quoting(says: str, column: str, rows: pd.DataFrame) -> str:
    return f"{says}: {cells(rows[column])}."


@check("achieved is text", "caution", "No number is taken from a sentence; the text is kept.")
def wordy_results(tables: Tables) -> Found:
    """Results written as sentences."""
    table = tables["results"]
    wrong = table["achieved"].isna() & (table["achieved_text"] != "")
    return by_project(
        "results",
        "achieved",
        table[wrong],
        lambda rows: f"Achieved is written as text: {cells(rows['achieved_text'])}.",
    )


@check("achieved is blank", "note", "What was achieved?")
def blank_results(tables: Tables) -> Found:
    """Results without anything achieved."""
    table = tables["results"]
    return by_project(
        "results",
        "achieved",
        table[table["achieved_text"] == ""],
        lambda rows: f"Achieved is blank on {many(len(rows), 'row')}.",
    )


def _unread(tables: Tables) -> list[tuple[str, str, pd.DataFrame]]:
    """Every number column's cells that hold something else; results achieved are told apart."""
    found = []
    for name, table in tables.items():
        for column in columns_of(name).values() if len(table) else ():
            if column.kind in ("number", "money") and (name, column.short) != ("results", "achieved"):
                wrong = table[column.short].isna() & (table[f"{column.short}_text"] != "")
                if wrong.any():
                    found.append((name, column.short, table[wrong]))
    return found


def _key(name: str) -> str:
    return {"organisations": "organisation", "funds": "fund"}.get(name, "project")


@check("number written as text", "caution", "No part of it is read: a suffix such as M is never dropped.")
def wordy_numbers(tables: Tables) -> Found:
    """Numbers with words, signs, separators or formulas around them."""
    for name, column, rows in _unread(tables):
        text = f"{column}_text"
        wrong = rows[~rows[text].str.fullmatch(SIGN)]
        yield from by_project(name, column, wrong, partial(_quoting, "Not a plain number", text), _key(name))


@check("currency sign instead of an amount", "note", "Which amount was meant? It is treated as missing.")
def signs(tables: Tables) -> Found:
    """Cells that hold a currency sign and no amount."""
    for name, column, rows in _unread(tables):
        text = f"{column}_text"
        wrong = rows[rows[text].str.fullmatch(SIGN)]
        yield from by_project(
            name,
            column,
            wrong,
            partial(_quoting, "A currency sign and no amount", text),
            _key(name),
        )


@check("text in a coded column", "note", "The text is kept and counts as no code.")
def uncoded(tables: Tables) -> Found:
    """Words where the guide of the data set lists the answers, or where a return is a share."""
    for (name, column), codes in CODES.items():
        table = tables[name]
        known = {code.lower() for code in codes} | {""}
        wrong = table[~table[column].str.lower().isin(known)]
        yield from by_project(name, column, wrong, partial(_quoting, "Not one of the listed answers", column))
    for name in ("projects", "investments"):
        table = tables[name]
        wrong = table[table["maximum_return"].isna() & (table["maximum_return_text"] != "")]
        yield from by_project(
            name,
            "maximum_return",
            wrong,
            lambda rows: f"A return in words, not as a share: {cells(rows['maximum_return_text'])}.",
        )


@check("date not understood", "caution", "Write 2023, 2023-06 or 2023-06-30. It counts as no date.")
def dates(tables: Tables) -> Found:
    """Dates outside the patterns of the data set, and days or months that no calendar has."""
    for name, table in tables.items():
        for column in columns_of(name).values() if len(table) else ():
            if column.kind == "date" and column.short in table:
                wrong = table[unreadable(table[column.short])]
                short = column.short
                yield from by_project(name, short, wrong, partial(_quoting, "Not a date", short), _key(name))


def unreadable(column: pd.Series) -> pd.Series:
    """Which cells of a column of dates hold something that is no date."""
    readable = {
        value: value == "" or (DATE.fullmatch(value) is not None and bool(np.isfinite(month_of(value))))
        for value in column.unique()
    }
    return ~column.map(readable).astype(bool)


@check("period ends before it starts", "caution", "Which of the two dates is mistyped?")
def backwards(tables: Tables) -> Found:
    """Periods whose end lies before their start."""
    for name in ("outcome_payments", "outcome_payment_plans", "results", "outcome_payment_commitments"):
        table = tables[name]
        start = table["start"].map({value: month_of(value) for value in table["start"].unique()}).astype(float)
        end = table["end"].map({value: month_of(value, True) for value in table["end"].unique()}).astype(float)
        yield from by_project(
            name,
            "end",
            table[(end < start).to_numpy()],
            lambda rows: f"A period from {rows['start'].iloc[0]} to {rows['end'].iloc[0]}.",
        )


@check("ex-post verification only", "note", "Counting what happened is no comparison: it says nothing of deadweight.")
def no_comparison(tables: Tables) -> Found:
    """Metrics validated by simple ex-post verification, which is no counterfactual."""
    table = tables["outcome_metrics"]
    wrong = table["validation"].str.contains(r"ex[\s-]?post verification", case=False, regex=True)
    return by_project(
        "outcome_metrics",
        "validation",
        table[wrong],
        lambda rows: (
            f"{many(len(rows), 'metric')} validated by simple ex-post verification, which is not a counterfactual."
        ),
    )
