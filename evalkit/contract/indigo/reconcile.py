"""Price times achieved against paid, metric by metric and project by project; no money is ever dropped."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit.contract.indigo.results import KEY, achieved_of

CLOSE = 50  # pennies
SHARE = r"^\s*(?:%|(?:percent|percentage|proportion|share|ratio|rate)\b)|\(%\)"
ACTUAL, UNSTATED, OWN_TOTAL = "actual payments", "payments whose type is not stated", "the project's own total"
Tables = dict[str, pd.DataFrame]


def counted_payments(payments: pd.DataFrame) -> pd.DataFrame:
    """Payments that count as paid: the actual ones; where a project has none, those whose type is not stated.

    Parameters
    ----------
    payments : DataFrame
        project, kind, amount and others.

    Returns
    -------
    DataFrame
        Those with an amount, with ``pennies`` and ``paid_from``.
    """
    known = payments[payments["amount"].notna()]
    actual = known["kind"] == "actual"
    has_actual = known["project"].isin(known.loc[actual, "project"])
    loose = (known["kind"] == "") & ~has_actual
    paid = known[actual | loose]
    return paid.assign(
        pennies=(paid["amount"] * 100).round(), paid_from=np.where(paid["kind"] == "actual", ACTUAL, UNSTATED)
    )


def metric_table(tables: Tables) -> pd.DataFrame:
    """Hold every metric of every project to its price, its results and its payments.

    Parameters
    ----------
    tables : dict of str to DataFrame
        The data set's tables.

    Returns
    -------
    DataFrame
        One row per project and metric id that stands in any table (an outer join): project, metric, definition (all of
        them where an id is repeated), ids (rows of the table of metrics with this id: 0 for an orphan, 2 or more for a
        repeated id), price, currency, prices (rows), target, achieved, results, rests_on, engaged, owed, paid (missing
        where none of the project's payments names a metric), paid_currency, difference (paid - owed), implied_units
        (paid / price), achieved_text, note.
    """
    metrics, payments = tables["outcome_metrics"], counted_payments(tables["outcome_payments"])
    named = [metrics, tables["outcome_pricings"], tables["results"], tables["outcome_payments"]]
    keys = pd.concat([table[KEY] for table in named], ignore_index=True)
    keys = keys[keys["metric"] != ""].drop_duplicates()
    table = keys.join(_defined(metrics), on=KEY).join(_priced(tables["outcome_pricings"]), on=KEY)
    table = table.join(achieved_of(tables["results"]), on=KEY).join(_paid(payments), on=KEY)
    table = table.fillna(dict.fromkeys(["ids", "prices", "results"], 0)).astype(
        dict.fromkeys(["ids", "prices", "results"], "int64")
    )
    words = ["definition", "target", "currency", "paid_currency", "rests_on", "achieved_text", "why", "share_words"]
    table = table.fillna(dict.fromkeys(words, "")).reset_index(drop=True)
    by_metric = table["project"].isin(payments.loc[payments["metric"] != "", "project"])
    table["pennies_paid"] = table["pennies_paid"].where(table["pennies_paid"].notna() | ~by_metric, 0.0)
    return _compared(table)


def _defined(metrics: pd.DataFrame) -> pd.DataFrame:
    rows = metrics[metrics["metric"] != ""]
    first = rows.drop_duplicates(KEY).set_index(KEY)
    table = first[["definition", "target"]].assign(ids=rows.groupby(KEY, sort=False).size())
    again = rows[rows.duplicated(KEY, keep=False)].groupby(KEY, sort=False)["definition"].agg(" | or: ".join)
    table.loc[again.index, "definition"] = again
    table["share_words"] = np.where(_share_like(table["definition"], table["target"]), "share", "")
    return table


def _share_like(definition: pd.Series, target: pd.Series) -> pd.Series:
    """Metrics measured as a share or ratio, where a price per unit has no plain meaning."""
    number = pd.to_numeric(target, errors="coerce")
    fraction = number.gt(0) & number.lt(2) & (number % 1 != 0)
    return definition.str.contains(SHARE, case=False, regex=True) | fraction


def _priced(pricings: pd.DataFrame) -> pd.DataFrame:
    rows = pricings[pricings["metric"] != ""]
    grouped = rows.groupby(KEY, sort=False)
    first = rows.drop_duplicates(KEY).set_index(KEY)
    table = first[["price", "currency"]].assign(prices=grouped.size())
    one = (grouped["price"].nunique(dropna=False) == 1) & (grouped["currency"].nunique() == 1)
    table["price"] = table["price"].where(one.reindex(table.index))
    table["price_text"] = first["price_text"].where(first["price"].isna(), "")
    return table


def _paid(payments: pd.DataFrame) -> pd.DataFrame:
    grouped = payments[payments["metric"] != ""].groupby(KEY, sort=False)
    one = grouped["currency"].nunique() <= 1
    table = pd.DataFrame({"pennies_paid": grouped["pennies"].sum(), "paid_currency": grouped["currency"].first()})
    table["paid_currency"] = table["paid_currency"].where(one, "several")
    return table


def _compared(table: pd.DataFrame) -> pd.DataFrame:
    """Owed, paid, their difference and the units that the payment implies, to the penny."""
    product = (table["price"] * table["achieved"] * 100).round(6)
    table["pennies_owed"] = np.floor(product + 0.5).where(table["share_words"] == "")
    same = (table["currency"] == table["paid_currency"]) | (table["currency"] == "") | (table["paid_currency"] == "")
    table["owed"], table["paid"] = table["pennies_owed"] / 100, table["pennies_paid"] / 100
    table["difference"] = ((table["pennies_paid"] - table["pennies_owed"]) / 100).where(same)
    table["implied_units"] = (table["paid"] / table["price"].where(table["price"] > 0)).where(same)
    table["note"] = _notes(table, same)
    order = ["project", "metric", "definition", "price", "currency", "achieved", "owed", "paid", "difference"]
    rest = ["implied_units", "target", "engaged", "ids", "prices", "results", "rests_on", "paid_currency", "note"]
    return table[[*order, *rest, "achieved_text", "pennies_owed", "pennies_paid"]]


def _notes(table: pd.DataFrame, same: pd.Series) -> pd.Series:
    """What a reader must know about a row, in words."""
    price, several = table["price"].isna(), table["prices"] > 1
    wordy = table["achieved_text"] != ""
    says = [
        (table["ids"] == 0, "no such metric is defined"),
        (table["ids"] > 1, "the id stands for several definitions"),
        (price & several, "several prices: which one applies is not known"),
        (price & ~several & (table["price_text"].fillna("") != ""), "the price is not a plain number"),
        (table["achieved"].isna() & wordy, "achieved is text"),
        (table["achieved"].isna() & ~wordy & (table["results"] > 0), "no number achieved"),
        (table["share_words"] != "", "measured as a share: a price per unit does not say what is owed"),
        (~same, "price and payment are in different currencies"),
        (table["rests_on"].str.contains("interim"), "an interim result"),
    ]
    columns = [np.where(mask, f"{text}; ", "") for mask, text in says]
    columns.append(np.where(table["why"] != "", table["why"] + "; ", ""))
    joined = columns[0].astype(object)
    for column in columns[1:]:
        joined = joined + column.astype(object)
    return pd.Series(joined, index=table.index).astype("str").str.removesuffix("; ")
