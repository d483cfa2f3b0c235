"""Who took part, what was agreed, when, and what came of it in words: a project's parts that are no tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from evalkit.indigo.dated import STEPS, day_of, known_to, recorded_note
from evalkit.indigo.ledgers import titles_of
from evalkit.indigo.record import Record, Row, as_recorded, as_share, money, span, text

Parts = list[dict[str, Any]]
FEW = 3
# INDIGO's date -> the short name of its column.
DATES = {
    "outcomes_contract_signed": "signed_on",
    "contracts_between_all_parties_signed": "all_signed_on",
    "start_date_of_service_provision": "service_start",
    "anticipated_end_date_of_service_provision": "service_end_planned",
    "actual_end_date_of_service_provision": "service_end_actual",
    "anticipated_completion_date": "completion_planned",
    "actual_completion_date": "completion_actual",
}
TERMS = (
    ("Total investment commitment", "investment", "investment_currency"),
    ("Most that outcome payments could come to", "maximum", "maximum_currency"),
    ("Outcome payments made, as recorded for the project", "paid", "paid_currency"),
    ("Funds invested to date", "invested", "invested_currency"),
)
SHARES = (
    ("Most that investors could lose", "maximum_loss", ""),
    ("Most that investors could gain", "maximum_return", "maximum_return_type"),
    ("Target internal rate of return", "irr_target", ""),
    ("Latest internal rate of return", "irr_latest", ""),
)
NOTES = (
    ("For whom", "population"),
    ("Who contracts with whom", "configuration"),
    ("What investors got back", "investor_repayment"),
    ("Changes because of Covid-19", "covid"),
    ("Note on the money", "finance_note"),
    ("Note on the dates", "dates_note"),
    ("Note on the people", "users_note"),
    ("Note on the project", "note"),
)


def parties_of(record: Record) -> Parts:
    """Commissioners, investors, providers and intermediaries, each once in each role.

    Parameters
    ----------
    record : Record
        The project.

    Returns
    -------
    list of dict
        role, name, note (what is recorded of its part, and its id), source.
    """
    found: dict[tuple[str, str], list[str]] = {}
    for role, id, note in _roles(record):
        if id:
            found.setdefault((role, id), []).append(note)
    return [
        {
            "role": role,
            "name": record.organisation(id),
            "note": _noted([part for part in (*notes, id) if part != record.organisation(id)]),
            "source": f"{record.source}.",
        }
        for (role, id), notes in found.items()
    ]


def _noted(parts: list[str]) -> str:
    """Sentences one after the other, each once and with one full stop, the last without."""
    return ". ".join(dict.fromkeys(part.strip().rstrip(".") for part in parts if part.strip()))


def _roles(record: Record) -> Iterator[tuple[str, str, str]]:
    for row in record.rows("outcome_payment_commitments"):
        most, paid = money(row, "maximum", "maximum_currency"), money(row, "paid", "paid_currency")
        told = [f"Maximum on record: {most}" if most else "", f"Paid to date: {paid}" if paid else ""]
        yield "commissioner", text(row, "organisation"), ". ".join(part for part in told if part)
    for row in record.rows("investments"):
        put_in = money(row, "amount", "currency")
        told = [f"Commitment on record: {put_in}" if put_in else "", text(row, "type")]
        yield "investor", text(row, "organisation"), ". ".join(part for part in told if part)
    for row in record.rows("service_provisions"):
        yield "provider", text(row, "organisation"), text(row, "intervention")
    for row in record.rows("intermediary_services"):
        parts = (text(row, "role"), text(row, "role_other"))
        yield "intermediary", text(row, "organisation"), ": ".join(part for part in parts if part)


def terms_of(record: Record, priced: frozenset[str]) -> Parts:
    """What was agreed, line by line.

    Parameters
    ----------
    record : Record
        The project.
    priced : frozenset of str
        Metrics on the rate card.

    Returns
    -------
    list of dict
        term, agreed, varied, source.
    """
    about, lines = record.about, []
    lines += [(term, money(about, name, currency), "") for term, name, currency in TERMS]
    lines += [(term, as_share(about, name, kind), "") for term, name, kind in SHARES]
    lines.append(("Planned months of service", as_recorded(about, "months_planned"), ""))
    lines += [(term, text(about, name), "") for term, name in NOTES]
    lines += [*_metrics(record, priced), *_prices(record, priced), *_alterations(record)]
    return [
        {"term": term, "agreed": agreed or "not stated", "varied": varied or None, "source": f"{record.source}."}
        for term, agreed, varied in lines
        if agreed or varied
    ]


def _metrics(record: Record, priced: frozenset[str]) -> Iterator[tuple[str, str, str]]:
    for row in record.rows("outcome_metrics"):
        metric = text(row, "metric")
        told = {
            "": "" if metric in priced else text(row, "definition"),
            "Target": text(row, "target"),
            "Other target": text(row, "target_other"),
            "Validated by": text(row, "validation"),
            "Data": text(row, "data_source"),
        }
        parts = [f"{name}: {says}" if name else says for name, says in told.items() if says]
        yield f"Outcome, {metric or 'without an id'}", " ".join(_stopped(part) for part in parts), ""


def _stopped(says: str) -> str:
    return says if says[-1:] in ".!?" else f"{says}."


def _prices(record: Record, priced: frozenset[str]) -> Iterator[tuple[str, str, str]]:
    """What the prices say beyond a plain amount, and prices that are on no rate card."""
    for row in record.rows("outcome_pricings"):
        metric = text(row, "metric")
        told = {
            "Price": "" if metric in priced else money(row, "price", "currency"),
            "At most": money(row, "maximum_price", "currency"),
            "Increases": text(row, "increases"),
            "": text(row, "description"),
        }
        parts = [f"{name}: {says}" if name else says for name, says in told.items() if says]
        yield f"Price, {metric or 'without a metric'}", " ".join(_stopped(part) for part in parts), ""


def _alterations(record: Record) -> Iterator[tuple[str, str, str]]:
    for table, what in (("service_provisions", "Service"), ("outcome_payment_commitments", "Payment commitment")):
        for row in record.rows(table):
            parts = [text(row, "alterations"), text(row, "alterations_why")]
            varied = " ".join(_stopped(part) for part in parts if part)
            if varied:
                yield f"{what} of {record.organisation(text(row, 'organisation')) or 'a party'}", "", varied


def steps_of(record: Record) -> Parts:
    """The dates on record as steps of the contract; a month or a year is written as its first day and noted.

    Parameters
    ----------
    record : Record
        The project.

    Returns
    -------
    list of dict
        says, phase, planned, done, known_to, note, source.
    """
    steps, about = [], record.about
    for says, (planned, done) in STEPS.items():
        texts = {which: text(about, DATES[name]) for which, name in (("planned", planned), ("done", done)) if name}
        days = {which: day_of(told, last="ends" in says or "completed" in says) for which, told in texts.items()}
        if any(days.values()):
            step = {"says": says, "phase": "commissioning" if "signed" in says else "delivery", **days}
            dated = {which: texts[which] for which, day in days.items() if day}
            told = {"known_to": known_to(*dated.values()), "note": recorded_note(**dated) or None}
            steps.append({**step, **told, "source": f"{record.source}."})
    return steps


def reported_of(record: Record, priced: frozenset[str]) -> Parts:
    """Results that no price can be put to: sentences, counts of people, achievements of unpriced metrics.

    Parameters
    ----------
    record : Record
        The project.
    priced : frozenset of str
        Metrics on the rate card; their plain numbers are in achieved.csv.

    Returns
    -------
    list of dict
        about, says, when, source; the same text once, whatever the number of metrics it stands at.
    """
    titles = titles_of(record)
    found: dict[tuple[str, str], list[str]] = {}
    for row in record.rows("results"):
        says, metric = _says(row, priced), text(row, "metric")
        if says:
            period = ", ".join(part for part in (span(text(row, "start"), text(row, "end")), text(row, "type")) if part)
            names = found.setdefault((says, period), [])
            names.append(metric if metric in priced else titles.get(metric) or metric)
    return [
        {
            "about": _listed(list(dict.fromkeys(name for name in names if name))),
            "says": says,
            "when": period or None,
            "source": f"{record.source}.",
        }
        for (says, period), names in found.items()
    ]


def _listed(names: list[str]) -> str | None:
    """A few metrics by name, many by their number."""
    return ("; ".join(names) or None) if len(names) <= FEW else f"{len(names)} metrics"


def _says(row: Row, priced: frozenset[str]) -> str:
    achieved = as_recorded(row, "achieved")
    plainly = achieved != text(row, "achieved_text") or achieved.replace(",", "").isdigit()
    in_table = text(row, "metric") in priced and row.get("achieved") == row.get("achieved")
    parts = [
        "" if in_table or not achieved else f"{achieved} achieved" if plainly else achieved,
        f"{engaged} engaged" if (engaged := as_recorded(row, "engaged")) else "",
        f"{positive} with a positive outcome" if (positive := as_recorded(row, "positive")) else "",
        text(row, "description"),
    ]
    return " ".join(_stopped(part) for part in parts if part)
