"""The tables of a project's study: rate card, achieved, payments, costs, with nothing lost and nothing invented."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from evalkit import words
from evalkit.indigo.dated import day_of
from evalkit.indigo.export import as_csv
from evalkit.indigo.record import Record, Row, amount, number, text

RATE_CARD = ["metric", "title", "outcome", "price", "mechanism", "source"]
ACHIEVED = ["metric", "units", "date", "source"]
PAYMENTS = ["metric", "kind", "plan", "start", "end", "amount", "payer", "recorded_metric", "recorded_period", "source"]
COSTS = ["phase", "what", "party", "planned", "actual", "date", "days", "source"]
KINDS = ("planned", "actual", "")
LONGEST_TITLE = 160


@dataclass(frozen=True, eq=False)
class Ledgers:
    """The csv files of a study and what could not go into them.

    Parameters
    ----------
    files : dict of str to str
        Text by file name; only files with rows.
    priced : frozenset of str
        Metrics on the rate card.
    flags : list of dict
        level, text, detail, about: what was left out of a file, and why.
    """

    files: dict[str, str]
    priced: frozenset[str]
    flags: list[dict[str, str]]


def ledgers_of(record: Record, reconciled: pd.DataFrame) -> Ledgers:
    """Make the tables of a project's study.

    Parameters
    ----------
    record : Record
        The project.
    reconciled : DataFrame
        The project's own reconciliation: metric, price, achieved ...; units come from it.

    Returns
    -------
    Ledgers
        A metric without one plain price is on no rate card: what was achieved for it stands in the report as text.
    """
    flags: list[dict[str, str]] = []
    prices = _prices(record, reconciled, flags)
    tables = {
        "rate_card.csv": (RATE_CARD, _rate_card(record, prices)),
        "achieved.csv": (ACHIEVED, _achieved(record, prices, reconciled)),
        "payments.csv": (PAYMENTS, _payments(record, prices, flags)),
        "costs.csv": (COSTS, _costs(record, flags)),
    }
    files = {name: as_csv([head, *map(_safe, rows)]) for name, (head, rows) in tables.items() if rows}
    return Ledgers(files, frozenset(prices), flags)


def _safe(row: list[str]) -> list[str]:
    """Cells that a spreadsheet would read as a formula get a space before them, which reading takes away again."""
    return [
        f" {cell}" if cell[:1] in ("=", "+", "@") or (cell[:1] == "-" and not _is_number(cell)) else cell
        for cell in row
    ]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _flag(level: str, says: str, detail: str = "", about: str = "") -> dict[str, str]:
    return {"level": level, "text": says, "detail": detail, "about": about}


def _prices(record: Record, reconciled: pd.DataFrame, flags: list[dict[str, str]]) -> dict[str, float]:
    """The one plain price of each metric for which the project's reconciliation can say what is owed."""
    prices, strange = {}, []
    for line in reconciled.to_dict("records"):
        unsettled = pd.isna(line.get("owed")) and pd.notna(line["achieved"])
        if pd.isna(line["price"]) or float(line["price"]) < 0 or unsettled:
            continue
        if text(line, "currency") not in (record.currency, ""):
            strange.append(f"{line['metric']}: {number(float(line['price']))} {line['currency']}")
        else:
            prices[str(line["metric"])] = float(line["price"])
    if strange:
        says = f"{len(strange)} prices are in another currency than {record.currency} and are not used."
        flags.append(_flag("caution", says, words.listed(strange), "rate_card"))
    return prices


def titles_of(record: Record) -> dict[str, str]:
    """What each metric is called: the start of its definition; of all of them where an id is repeated."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in record.rows("outcome_metrics"):
        found[text(row, "metric")].append(text(row, "definition"))
    return {
        metric: shortened(" | or: ".join(dict.fromkeys(one for one in definitions if one)))
        for metric, definitions in found.items()
    }


def shortened(says: str) -> str:
    """A long text cut at a word, and marked so."""
    if len(says) <= LONGEST_TITLE:
        return says
    return f"{says[:LONGEST_TITLE].rsplit(' ', 1)[0].rstrip(' ,;:.')} \u2026"


def _rate_card(record: Record, prices: dict[str, float]) -> list[list[str]]:
    titles = titles_of(record)
    return [
        [metric, titles.get(metric) or metric, "", number(price), "unit", record.source]
        for metric, price in prices.items()
    ]


def _achieved(record: Record, prices: dict[str, float], reconciled: pd.DataFrame) -> list[list[str]]:
    """Units by metric as the project's own reconciliation counts them, dated by the last period they came from."""
    ends: dict[str, list[Any]] = defaultdict(list)
    for row in record.rows("results"):
        day = day_of(text(row, "end"), last=True) or day_of(text(row, "start"), last=True)
        if day is not None and amount(row, "achieved") is not None:
            ends[text(row, "metric")].append(day)
    rows = []
    for line in reconciled.to_dict("records"):
        metric, units = str(line["metric"]), line["achieved"]
        if metric in prices and pd.notna(units) and float(units) >= 0:
            date = max(ends[metric]).isoformat() if ends[metric] else ""
            rows.append([metric, number(float(units)), date, record.source])
    return rows


def _payments(record: Record, prices: dict[str, float], flags: list[dict[str, str]]) -> list[list[str]]:
    kept, other, nothing = [], [], 0
    for row in record.rows("outcome_payments"):
        value, currency = amount(row, "amount"), text(row, "currency")
        if value is None:
            nothing += 1
        elif currency not in (record.currency, ""):
            other.append(f"{number(value)} {currency}")
        else:
            kept.append(_payment(row, value, record, prices))
    if nothing:
        says = f"{nothing} payments have no plain amount on record and are not used."
        flags.append(_flag("caution", says, about="payments"))
    if other:
        says = (
            f"{len(other)} payments are in another currency than {record.currency} and are not used: no rate is given."
        )
        flags.append(_flag("serious", says, words.listed(other[:20]), "payments"))
    flags += _unpriced(kept)
    return kept


def _payment(row: Row, value: float, record: Record, prices: dict[str, float]) -> list[str]:
    metric, kind = text(row, "metric"), text(row, "kind").lower()
    start, end = day_of(text(row, "start")), day_of(text(row, "end"), last=True)
    backwards = start is not None and end is not None and end < start  # a flag of the record says so
    if backwards:
        start = end = None
    return [
        metric if metric in prices else "",
        kind if kind in KINDS else "",
        text(row, "plan"),
        start.isoformat() if start else "",
        end.isoformat() if end else "",
        number(value),
        record.organisation(text(row, "payer")),
        "" if metric in prices else metric,
        f"{text(row, 'start')} to {text(row, 'end')}" if backwards else "",
        record.source,
    ]


def _unpriced(payments: Iterable[list[str]]) -> list[dict[str, str]]:
    sums: dict[str, float] = defaultdict(float)
    for row in payments:
        if row[7]:
            sums[row[7]] += float(row[5])
    if not sums:
        return []
    says = f"Payments are recorded for {len(sums)} metrics without one plain price: they count in the totals only."
    return [
        _flag("caution", says, "\n".join(["By metric:", *[f"{one}: {number(sums[one])}" for one in sums]]), "payments")
    ]


def _costs(record: Record, flags: list[dict[str, str]]) -> list[list[str]]:
    rows, other = [], 0
    for row in record.rows("provider_side_cost"):
        if text(row, "currency") not in (record.currency, ""):
            other += 1
            continue
        day = day_of(text(row, "date"))
        rows.append(
            [
                text(row, "phase"),
                text(row, "classification"),
                record.organisation(text(row, "incurred_by")) or "provider side",
                number(amount(row, "planned")),
                number(amount(row, "actual")),
                day.isoformat() if day else "",
                number(amount(row, "days")),
                record.source,
            ]
        )
    if other:
        flags.append(_flag("caution", f"{other} costs are in another currency and are not used.", about="costs"))
    return rows
