"""Checks of ids: metrics that are defined twice or never, projects nobody knows, plans written two ways."""

from __future__ import annotations

from functools import partial

import pandas as pd

from evalkit.contract.indigo.findings import Finding, Found, Tables, by_project, check, many, records
from evalkit.words import listed, number, whole_money

WITH_METRICS = {"outcome_pricings": "prices", "results": "results", "outcome_payments": "payments"}
SHOWN = 8


def ids_of(column: pd.Series) -> str:
    """The first few different ids of a column, and how many more."""
    ids = [str(value) for value in column.unique()]
    more = [f"{number(len(ids) - SHOWN, 0)} more"] if len(ids) > SHOWN else []
    return listed([*ids[:SHOWN], *more])


@check("metric id repeated", "serious", "Which definition do the prices, results and payments of this id mean?")
def repeated(tables: Tables) -> Found:
    """Metric ids that stand for several definitions in one project."""
    table = tables["outcome_metrics"]
    again = (table["metric"] != "") & table.duplicated(["project", "metric"], keep=False)
    return by_project(
        "outcome_metrics",
        "metric",
        table[again],
        lambda rows: f"{many(rows['metric'].nunique(), 'metric id')} repeated: {ids_of(rows['metric'])}.",
    )


@check("metric not defined", "serious", "Which metric is meant? Rows and money are kept under the id as written.")
def orphans(tables: Tables) -> Found:
    """Prices, results and payments whose metric has no row in the table of metrics."""
    metrics = tables["outcome_metrics"]
    known = pd.MultiIndex.from_frame(metrics[["project", "metric"]])
    for name, things in WITH_METRICS.items():
        table = tables[name]
        lost = (table["metric"] != "") & ~pd.MultiIndex.from_frame(table[["project", "metric"]]).isin(known)
        yield from by_project(name, "metric", table[lost], partial(_orphan, things=things))


def _orphan(rows: pd.DataFrame, things: str) -> str:
    money = ""
    if "amount" in rows and rows["amount"].notna().any():
        money = f" ({whole_money(rows['amount'].sum(), rows['currency'].iloc[0] or 'GBP')} in all)"
    return f"{things.capitalize()}{money} of metrics that are not defined: {ids_of(rows['metric'])}."


@check("metric without an id", "caution", "Which id do its prices and results use?")
def nameless(tables: Tables) -> Found:
    """Definitions of a metric that carry no id."""
    table = tables["outcome_metrics"]
    return by_project(
        "outcome_metrics", "metric", table[table["metric"] == ""], lambda rows: "A metric is defined without an id."
    )


@check("result without a metric", "note", "Is it a result of the whole project?")
def loose_results(tables: Tables) -> Found:
    """Results that name no metric: they count for no metric."""
    table = tables["results"]
    return by_project(
        "results", "metric", table[table["metric"] == ""], lambda rows: f"{many(len(rows), 'result')} of no metric."
    )


@check("payment without a metric", "note", "They are reconciled with the project's total only.")
def loose_payments(tables: Tables) -> Found:
    """Payments that name no metric."""
    table = tables["outcome_payments"]
    return by_project(
        "outcome_payments",
        "metric",
        table[table["metric"] == ""],
        lambda rows: f"{many(len(rows), 'payment')} of no metric.",
    )


@check("plan id in other capitals", "note", "Read as one plan; what was written is kept in plan_text.")
def capitals(tables: Tables) -> Found:
    """Plan ids such as Plan1 beside plan1."""
    for name in ("outcome_payments", "outcome_payment_plans"):
        table = tables[name]
        yield from by_project(
            name,
            "plan",
            table[table["plan"] != table["plan_text"]],
            lambda rows: f"Plan ids written with capitals: {ids_of(rows['plan_text'])}.",
        )


@check("several plan versions", "note", "They are never added; each share of plan names its version.")
def versions(tables: Tables) -> Found:
    """Projects with more than one version of the payment plan."""
    table = tables["outcome_payments"]
    planned = table[table["kind"] == "planned"]
    count = planned.groupby("project")["plan"].transform("nunique")
    return by_project(
        "outcome_payments",
        "plan",
        planned[count > 1],
        lambda rows: f"{rows['plan'].nunique()} versions of the payment plan: {ids_of(rows['plan'].sort_values())}.",
    )


@check("project not known", "serious", "Is the id mistyped? The rows are kept under it.")
def strangers(tables: Tables) -> Found:
    """Rows of any table whose project is not in the table of projects."""
    known = tables["projects"]["project"]
    for name, table in tables.items():
        if name not in ("projects", "organisations", "funds"):
            lost = table[~table["project"].isin(known)]
            yield from by_project(name, "project", lost, lambda rows: f"{many(len(rows), 'row')} of a project that "
                                  "is not in the table of projects.")  # fmt: skip


@check("project id repeated", "serious", "Which row describes the project?")
def twins(tables: Tables) -> Found:
    """Project ids on several rows."""
    table = tables["projects"]
    return by_project(
        "projects",
        "project",
        table[table.duplicated("project", keep=False)],
        lambda rows: f"The project stands on {len(rows)} rows.",
    )


@check("jurisdiction blank", "note", "The country of delivery stands in for it.")
def nowhere(tables: Tables) -> Found:
    """Projects without a jurisdiction; the country is taken from where they were delivered."""
    projects = with_country(tables)
    for row in records(projects[projects["jurisdiction"] == ""]):
        says = f"delivered in {row.country}" if row.country else "and no country of delivery"
        yield Finding(row.project, "projects", "jurisdiction", (row.line,), f"No jurisdiction is recorded; {says}.")


def with_country(tables: Tables) -> pd.DataFrame:
    """Add to the projects the country: the jurisdiction, or where the project was delivered.

    Parameters
    ----------
    tables : dict of str to DataFrame
        As read.

    Returns
    -------
    DataFrame
        The projects with ``country`` (codes, "GB, IE" where there are several) and ``country_from`` ("jurisdiction",
        "delivery" or "").
    """
    places = tables["delivery_locations"]
    named = places[places["country"] != ""].drop_duplicates(["project", "country"])
    countries = named.groupby("project")["country"].agg(lambda codes: ", ".join(sorted(codes)))
    projects = tables["projects"]
    delivered = projects["project"].map(countries).fillna("")
    stated = projects["jurisdiction"] != ""
    source = pd.Series("", index=projects.index).mask(delivered != "", "delivery").mask(stated, "jurisdiction")
    return projects.assign(country=projects["jurisdiction"].where(stated, delivered), country_from=source)
