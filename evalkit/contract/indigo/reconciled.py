"""A project's reconciliation: totals to the penny, never across currencies, and the questions its differences raise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit.contract.indigo.findings import flags_of, many, records
from evalkit.contract.indigo.reconcile import CLOSE, OWN_TOTAL, UNSTATED, counted_payments
from evalkit.errors import Flag
from evalkit.words import listed, number, whole_money

if TYPE_CHECKING:
    from evalkit.contract.indigo.data import IndigoProject

SEVERAL = "several"
Row = dict[str, Any]
MOST_LISTED = 25
ABOUT_MONEY = (
    *("metric id repeated", "metric not defined", "metric without an id", "several prices of one metric"),
    *("several results of one metric", "achieved is text", "achieved is blank", "payment without a metric"),
    *("payment without an amount", "identical payment in two projects"),
    *("paid above the recorded maximum", "total differs from the payments", "currencies mixed"),
    *("price for one person entered as a total", "one maximum on every price", "ex-post verification only"),
)


@dataclass(frozen=True, eq=False)
class Reconciliation:
    """What one project's prices, results and payments come to.

    Parameters
    ----------
    project, name : str
        Its id and name.
    currency : str
        Of the amounts; "several" where there are more, "" where none is stated.
    owed, paid, difference : float or None
        Price times achieved; what was paid; paid - owed. None where nothing is known, or where the amounts are in
        several currencies (then see ``by_currency``).
    paid_share : float or None
        paid / owed.
    paid_from : str
        What ``paid`` is the sum of: "actual payments", "payments whose type is not stated", "the project's own total".
    paid_without_metric : float
        The part of ``paid`` whose payments name no metric.
    by_currency : DataFrame
        currency, owed, paid.
    table : DataFrame
        One row per metric id that stands in any table: see `reconcile.metric_table`.
    mismatched : DataFrame
        Its rows where paid and owed are more than half a unit of the currency apart.
    duplicate_metric_ids, orphan_metric_ids : tuple of str
        Ids defined more than once, and ids that are priced, achieved or paid and never defined.
    maximum, share_of_maximum : float or None
        The most that can be paid on record, not known to be a cap; paid / maximum.
    notes, maximum_notes : tuple of str
        What the record notes beside the payments; and about the project's finance and the project: whether the
        maximum is a cap may stand there.
    flags : tuple of Flag
        What a reader must be told; differences are questions to the parties.
    """

    project: str
    name: str
    currency: str
    owed: float | None
    paid: float | None
    difference: float | None
    paid_share: float | None
    paid_from: str
    paid_without_metric: float
    by_currency: pd.DataFrame
    table: pd.DataFrame
    mismatched: pd.DataFrame
    duplicate_metric_ids: tuple[str, ...]
    orphan_metric_ids: tuple[str, ...]
    maximum: float | None
    share_of_maximum: float | None
    notes: tuple[str, ...]
    maximum_notes: tuple[str, ...]
    flags: tuple[Flag, ...]


def totals_of(tables: dict[str, pd.DataFrame], metrics: pd.DataFrame) -> pd.DataFrame:
    """Add up every project.

    Parameters
    ----------
    tables : dict of str to DataFrame
        As read.
    metrics : DataFrame
        As `reconcile.metric_table` gives it.

    Returns
    -------
    DataFrame
        Indexed by project: name, currency, owed, paid, difference, paid_share, paid_from, paid_without_metric,
        type_not_stated, metrics, compared, mismatched, maximum, maximum_currency, share_of_maximum.
    """
    payments = tables["outcome_payments"]
    projects = _with_strangers(tables["projects"], pd.concat([metrics["project"], payments["project"]]))
    paid = counted_payments(payments)
    table = projects[["name"]].copy()
    owed, owed_in = _one_currency(metrics[metrics["pennies_owed"].notna()], "pennies_owed")
    sums, paid_in = _one_currency(paid, "pennies")
    table["owed"], table["paid"] = owed / 100, sums / 100
    origin = paid.groupby("project")["paid_from"].first().reindex(table.index)
    own = origin.isna() & projects["paid"].notna()
    table["paid"] = table["paid"].where(~own, projects["paid"])
    table["paid_from"] = origin.mask(own, OWN_TOTAL).fillna("")
    paid_in = paid_in.reindex(table.index).where(~own, projects["paid_currency"]).fillna("")
    owed_in = owed_in.reindex(table.index).fillna("")
    same = (owed_in == paid_in) | (owed_in == "") | (paid_in == "")
    table["currency"] = owed_in.where(owed_in != "", paid_in).where(same, SEVERAL)
    table["difference"] = (table["paid"] - table["owed"]).round(2).where(same)
    table["paid_share"] = (table["paid"] / table["owed"].where(table["owed"] > 0)).where(same)
    table["paid_without_metric"] = _sums(paid[paid["metric"] == ""], "pennies", table.index) / 100
    loose = payments[(payments["kind"] == "") & payments["amount"].notna()]
    table["type_not_stated"] = (
        _sums(loose.assign(pennies=(loose["amount"] * 100).round()), "pennies", table.index) / 100
    )
    grouped = metrics.groupby("project")
    table["metrics"] = grouped.size()
    table["compared"] = grouped["difference"].count()
    table["mismatched"] = (metrics["difference"].abs() * 100 > CLOSE).groupby(metrics["project"]).sum()
    whole = ["metrics", "compared", "mismatched"]
    table[whole] = table[whole].fillna(0).astype("int64")
    table["maximum"], table["maximum_currency"] = projects["maximum"], projects["maximum_currency"]
    in_maximum = (paid_in == projects["maximum_currency"]) | (paid_in == "")
    table["share_of_maximum"] = (table["paid"] / table["maximum"].where(table["maximum"] > 0)).where(in_maximum)
    first = ["name", "currency", "owed", "paid", "difference", "paid_share", "paid_from"]
    return table[[*first, *[name for name in table if name not in first]]]


def _with_strangers(projects: pd.DataFrame, named: pd.Series) -> pd.DataFrame:
    """The projects, and those that only other tables name: their money is not lost."""
    known = projects.drop_duplicates("project").set_index("project")
    strangers = [name for name in named.unique() if name not in known.index]
    columns = ["name", "paid", "paid_currency", "maximum", "maximum_currency"]
    table = known[columns].reindex([*known.index, *strangers]).rename_axis("project")
    return table.fillna(dict.fromkeys(["name", "paid_currency", "maximum_currency"], ""))


def _sums(rows: pd.DataFrame, column: str, index: pd.Index) -> pd.Series:
    return rows.groupby("project")[column].sum().reindex(index).fillna(0.0)


def _one_currency(rows: pd.DataFrame, column: str) -> tuple[pd.Series, pd.Series]:
    """Each project's sum and its currency; no sum where there are several."""
    stated = rows.assign(currency=rows["currency"].where(rows["currency"] != ""))
    grouped = stated.groupby("project")
    one = grouped["currency"].nunique() <= 1
    return grouped[column].sum().where(one), grouped["currency"].first().where(one, SEVERAL)


def reconciliation_of(project: IndigoProject) -> Reconciliation:
    """Build one project's reconciliation from the data set's metrics and totals."""
    ready, row = project.data.prepared, project.data.prepared.totals[project.id]
    places, lines = ready.places.get(project.id, []), ready.lines.get(project.id, [])
    table = ready.metrics.take(places).reset_index(drop=True)
    apart = [place for place, line in enumerate(lines) if abs(line.difference) * 100 > CLOSE]
    found = [one for one in ready.findings.get(project.id, []) if one.fault in ABOUT_MONEY]
    return Reconciliation(
        project=project.id,
        name=project.name,
        currency=str(row["currency"]),
        owed=_number(row["owed"]),
        paid=_number(row["paid"]),
        difference=_number(row["difference"]),
        paid_share=_number(row["paid_share"]),
        paid_from=str(row["paid_from"]),
        paid_without_metric=float(row["paid_without_metric"]),
        by_currency=pd.DataFrame(ready.currencies.get(project.id, []), columns=["currency", "owed", "paid"]),
        table=table,
        mismatched=table.take(apart).reset_index(drop=True),
        duplicate_metric_ids=tuple(line.metric for line in lines if line.ids > 1),
        orphan_metric_ids=tuple(line.metric for line in lines if line.ids == 0),
        maximum=_number(row["maximum"]),
        share_of_maximum=_number(row["share_of_maximum"]),
        notes=tuple(ready.notes.get(project.id, [])),
        maximum_notes=tuple(note for note in (project.row["finance_note"], project.row["note"]) if note),
        flags=(*_flags(row, lines, [lines[place] for place in apart]), *flags_of(found)),
    )


def _number(value: float) -> float | None:
    return None if pd.isna(value) else float(value)


def sums_by_currency(metrics: pd.DataFrame, payments: pd.DataFrame) -> dict[str, list[tuple[str, float, float]]]:
    """Each project's sums in each currency.

    Parameters
    ----------
    metrics : DataFrame
        As `reconcile.metric_table` gives it.
    payments : DataFrame
        As read.

    Returns
    -------
    dict
        Project -> [(currency, owed, paid)].
    """
    key = ["project", "currency"]
    owed = metrics[metrics["pennies_owed"].notna()].groupby(key)["pennies_owed"].sum()
    both = pd.DataFrame({"owed": owed, "paid": counted_payments(payments).groupby(key)["pennies"].sum()}) / 100
    found: dict[str, list[tuple[str, float, float]]] = {}
    for row in records(both.reset_index()):
        found.setdefault(str(row.project), []).append((str(row.currency), row.owed, row.paid))
    return found


def payment_notes(payments: pd.DataFrame) -> dict[str, list[str]]:
    """What is noted beside each project's payments."""
    some = payments[payments["note"] != ""].drop_duplicates(["project", "note"])
    return {str(name): list(notes) for name, notes in some.groupby("project")["note"]}


def _flags(row: Row, lines: list[Any], apart: list[Any]) -> list[Flag]:
    """What the arithmetic itself must tell."""
    flags = _origin(row)
    if row["currency"] == SEVERAL:
        text = "Owed and paid are in several currencies: they are not added up or compared."
        flags.append(Flag("contract", "serious", text, "A dated rate of exchange would be needed.", "payments"))
    flags += [*_total_apart(row), *_above(row)]
    if apart:
        text = f"Payments differ from units times price for {len(apart)} of {row['compared']} metrics."
        asked = [_question(line, str(row["currency"])) for line in apart[:MOST_LISTED]]
        asked += [f"And {len(apart) - MOST_LISTED} more."] if len(apart) > MOST_LISTED else []
        flags.append(Flag("contract", "caution", text, "\n".join(["To ask the parties:", *asked]), "payments"))
    return [*flags, *_left_out(lines), *_interim(lines), *_more_than_people(lines)]


def _origin(row: Row) -> list[Flag]:
    paid = _money(row["paid"], row["currency"])
    if row["paid_from"] == UNSTATED:
        text = f"The {paid} counted as paid is recorded without saying whether it was planned or paid."
        return [Flag("contract", "caution", text, "There is no payment marked as actual: was this paid?", "payments")]
    if row["paid_from"] == OWN_TOTAL:
        text = f"The {paid} counted as paid is the project's own total: there are no single payments."
        return [Flag("contract", "note", text, about="payments")]
    if row["type_not_stated"]:
        amount = _money(row["type_not_stated"], row["currency"])
        text = f"{amount} more is recorded without saying whether it was planned or paid; it is counted as neither."
        return [Flag("contract", "caution", text, about="payments")]
    return []


def _total_apart(row: Row) -> list[Flag]:
    """The project's total, where payments name no metric."""
    if pd.isna(row["difference"]) or abs(row["difference"]) * 100 <= CLOSE or row["compared"]:
        return []
    owed, paid = (_money(row[name], row["currency"]) for name in ("owed", "paid"))
    text = f"{paid} was paid and {owed} follows from units and prices ({number(row['paid_share'] * 100, 1)}%): why?"
    detail = "The payments name no metric, so only totals can be compared. Was there a cap, or are units not paid yet?"
    return [Flag("contract", "caution", text, detail, "payments")]


def _above(row: Row) -> list[Flag]:
    """What follows from units and prices is more than the maximum on record: caps bind."""
    same = row["currency"] in ("", row["maximum_currency"])
    if not same or pd.isna(row["owed"]) or pd.isna(row["maximum"]) or row["owed"] <= row["maximum"] + CLOSE / 100:
        return []
    owed, most = (_money(row[name], row["currency"]) for name in ("owed", "maximum"))
    text = f"{owed} follows from units and prices, above the recorded maximum of {most}: did a cap apply?"
    return [Flag("contract", "caution", text, "Units times price is before any cap.", "payments")]


def _left_out(lines: list[Any]) -> list[Flag]:
    """Metrics with a result or a price that could not be multiplied."""
    priced = [line for line in lines if line.prices]
    lost = [line for line in priced if pd.isna(line.owed)]
    unpriced = sum(1 for line in lines if not line.prices and not pd.isna(line.achieved))
    flags = []
    if lost:
        text = f"No amount owed can be worked out for {len(lost)} of {many(len(priced), 'priced metric')}."
        why = [f"{line.metric}: {line.note or 'no result is recorded'}." for line in lost[:MOST_LISTED]]
        flags.append(Flag("contract", "caution", text, "\n".join(why), "rate_card"))
    if unpriced:
        text = f"{many(unpriced, 'metric')} with a result and no price: nothing owed follows."
        flags.append(Flag("contract", "note", text, about="rate_card"))
    return flags


def _interim(lines: list[Any]) -> list[Flag]:
    rows = [line for line in lines if "interim" in line.rests_on and not pd.isna(line.owed)]
    several = [line for line in lines if line.results > 1 and not pd.isna(line.achieved)]
    flags = []
    if rows:
        text = f"What is owed on {many(len(rows), 'metric')} rests on interim results: it is not final."
        flags.append(
            Flag("contract", "caution", text, listed([line.metric for line in rows[:MOST_LISTED]]), "achieved")
        )
    if several:
        text = f"{many(len(several), 'metric')} with several results; what was used is said for each."
        used = [f"{line.metric}: {line.note}." for line in several[:MOST_LISTED]]
        flags.append(Flag("contract", "caution", text, "\n".join(used), "achieved"))
    return flags


def _more_than_people(lines: list[Any]) -> list[Flag]:
    rows = [line for line in lines if line.implied_units > line.engaged + 0.5]
    if not rows:
        return []
    text = f"More units were paid than people were engaged for {many(len(rows), 'metric')}: were claims repeated?"
    detail = [
        f"{line.metric}: {number(line.implied_units, 0)} units, {number(line.engaged, 0)} people."
        for line in rows[:MOST_LISTED]
    ]
    return [Flag("contract", "caution", text, "\n".join(detail), "achieved")]


def _question(line: Any, currency: str) -> str:
    paid, owed, price = (_money(amount, currency) for amount in (line.paid, line.owed, line.price))
    if pd.isna(line.implied_units):
        return f"{line.metric}: {paid} was paid and {owed} follows from what was achieved: why?"
    whole = abs(line.implied_units - round(line.implied_units)) < 1e-6
    units = number(line.achieved, 0 if line.achieved % 1 == 0 else 1)
    asked = f"were {number(line.implied_units, 0)} units paid, or other prices?" if whole else "were other prices paid?"
    return f"{line.metric}: {paid} was paid for {units} recorded units at {price} ({owed}): {asked}"


def _money(value: float, currency: str) -> str:
    code = currency if currency not in ("", SEVERAL) else ""
    digits = 0 if pd.isna(value) or abs(value - round(value)) < 0.005 else 2
    return whole_money(None if pd.isna(value) else float(value), code, digits).strip()
