"""Checks of money: payments neither planned nor actual, recorded twice, above a maximum, or in two currencies."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from evalkit.contract.indigo.faults_cells import unreadable
from evalkit.contract.indigo.findings import Finding, Found, Tables, by_project, check, many, records
from evalkit.contract.indigo.reconcile import CLOSE, UNSTATED, counted_payments
from evalkit.contract.schedule import equal_to_one
from evalkit.words import listed, number, percent, whole_money

CURRENCIES = {
    ("projects", "investment_currency"): "investment",
    ("projects", "maximum_currency"): "maximum",
    ("projects", "paid_currency"): "paid",
    ("projects", "invested_currency"): "invested",
    ("outcome_pricings", "currency"): "price",
    ("outcome_payments", "currency"): "amount",
    ("outcome_payment_commitments", "maximum_currency"): "maximum",
    ("outcome_payment_commitments", "paid_currency"): "paid",
    ("investments", "currency"): "amount",
    ("transactions", "currency"): "amount",
    ("provider_side_cost", "currency"): "planned",
}
ONE_PERSON = 1.1  # a commitment of at most one person's full rate card, with a tenth to spare
TINY = 0.05  # of the investment


def in_full(amount: float, currency: str) -> str:
    """Money in full, with pence where there are any."""
    digits = 0 if round(amount * 100) % 100 == 0 else 2
    return whole_money(float(amount), currency or "GBP", digits) if currency else number(float(amount), digits)


@check("payment type not stated", "caution", "Was it planned or paid?")
def kindless(tables: Tables) -> Found:
    """Payments that are marked neither planned nor actual."""
    table = tables["outcome_payments"]
    rows = table[table["kind"] == ""]
    return by_project("outcome_payments", "kind", rows, _kindless)


def _kindless(rows: pd.DataFrame) -> str:
    amount = in_full(rows["amount"].sum(), rows["currency"].iloc[0])
    return f"{many(len(rows), 'payment')} ({amount}) of a type that is not stated."


@check("payment without an amount", "caution", "Which amount was meant?")
def amountless(tables: Tables) -> Found:
    """Payments whose amount is blank."""
    table = tables["outcome_payments"]
    rows = table[table["amount"].isna() & (table["amount_text"] == "")]
    return by_project(
        "outcome_payments", "amount", rows, lambda part: f"{many(len(part), 'payment')} without an amount."
    )


@check("identical payment in two projects", "caution", "Was one payment entered for two projects?")
def identical(tables: Tables) -> Found:
    """The same amount for the same period recorded for more than one project."""
    table = tables["outcome_payments"]
    some = table[table["amount"].notna() & (table["amount"] != 0)]
    key = ["amount", "currency", "kind", "start", "end"]
    shared = some[some.groupby(key)["project"].transform("nunique") > 1]
    if shared.empty:
        return
    for _, rows in shared.groupby(key, sort=False):
        one = rows.iloc[0]
        period = f"{one['kind'] or 'type not stated'}, {one['start']} to {one['end']}"
        projects = [str(project) for project in rows["project"].unique()]
        for project in projects:
            others = listed([other for other in projects if other != project])
            lines = tuple(rows.loc[rows["project"] == project, "line"].tolist())
            says = f"{in_full(one['amount'], one['currency'])} ({period}) is recorded for {others} too."
            yield Finding(project, "outcome_payments", "amount", lines, says)


@check("paid above the recorded maximum", "caution", "The maximum is not always a cap: was it one, or was it varied?")
def above(tables: Tables) -> Found:
    """Projects whose payments are more than the maximum on record, with the note beside it."""
    paid = counted_payments(tables["outcome_payments"])
    totals = paid.groupby(["project", "currency"])["pennies"].sum() / 100
    for row in records(_projects_with(tables, "maximum")):
        total = totals.get((row.project, row.maximum_currency))
        if total is not None and total > row.maximum + CLOSE / 100:
            says = f"{in_full(total, row.maximum_currency)} was paid, above the recorded maximum of "
            says += in_full(row.maximum, row.maximum_currency)
            notes = " ".join(note for note in (row.finance_note, row.note) if note)
            yield Finding(
                row.project,
                "projects",
                "maximum",
                (row.line,),
                f'{says}. The record notes: "{notes}"' if notes else f"{says}.",
            )


def _projects_with(tables: Tables, column: str) -> pd.DataFrame:
    projects = tables["projects"].drop_duplicates("project")
    return projects[projects[column].notna()]


def _planned(tables: Tables) -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame]]:
    """Every project with a plan and actual payments in one currency: its planned and its actual rows."""
    table = tables["outcome_payments"]
    table = table[table["amount"].notna() & table["kind"].isin(("planned", "actual"))]
    grouped = table.groupby("project")
    both = (grouped["kind"].transform("nunique") == 2) & (grouped["currency"].transform("nunique") == 1)
    for project, rows in table[both].groupby("project", sort=False):
        planned = rows["kind"] == "planned"
        yield str(project), rows[planned], rows[~planned]


def readable_periods(payments: pd.DataFrame) -> pd.DataFrame:
    """Payments with the periods that cannot be read left blank, for the arithmetic only."""
    return payments.assign(**{name: payments[name].where(~unreadable(payments[name]), "") for name in ("start", "end")})


@check("plan equals what was paid", "caution", "Was the plan overwritten with what was paid?")
def overwritten(tables: Tables) -> Found:
    """Planned amounts that equal an actual payment to the pound."""
    for project, planned, actual in _planned(tables):
        pennies, paid = ((rows["amount"] * 100).round().to_numpy() for rows in (planned, actual))
        equal = equal_to_one(pennies, paid)
        for plan in sorted(planned["plan"].unique()):
            of_plan = (planned["plan"] == plan).to_numpy()
            lines = planned["line"].to_numpy()[of_plan & equal].tolist()
            says = (
                f"{len(lines)} of {int(of_plan.sum())} planned amounts of {plan or 'the plan'} equal an actual payment"
            )
            if lines:
                yield Finding(project, "outcome_payments", "amount", tuple(lines), f"{says} to the pound.")


@check("planned and actual periods do not line up", "note", "Running sums are compared, not period by period.")
def misaligned(tables: Tables) -> Found:
    """Actual payments for periods that no version of the plan has."""
    for project, planned, actual in _planned(tables):
        periods = set(zip(planned["start"], planned["end"], strict=True))
        strange = [pair not in periods for pair in zip(actual["start"], actual["end"], strict=True)]
        if any(strange):
            says = f"{sum(strange)} of {len(actual)} actual payments are for periods that no plan has."
            yield Finding(project, "outcome_payments", "start", tuple(actual.loc[strange, "line"].tolist()), says)


@check("currencies mixed", "serious", "Amounts are not added across currencies without a dated rate.")
def mixed(tables: Tables) -> Found:
    """Projects with amounts in more than one currency."""
    parts = []
    for (name, column), amount in CURRENCIES.items():
        table = tables[name]
        some = table[(table[column] != "") & table[amount].notna()]
        parts.append(some[["project", "line"]].assign(currency=some[column], where=f"{amount} ({name})", table=name))
    rows = pd.concat(parts, ignore_index=True)
    several = rows[rows.groupby("project")["currency"].transform("nunique") > 1]
    for project, part in several.groupby("project", sort=False):
        each = [
            f"{code}: {listed(list(some['where'].unique()))}" for code, some in part.groupby("currency", sort=False)
        ]
        first = part[part["table"] == part["table"].iloc[0]]
        says = f"Amounts in {part['currency'].nunique()} currencies: {'; '.join(each)}."
        yield Finding(
            str(project), str(first["table"].iloc[0]), "currency", tuple(first["line"].unique().tolist()), says
        )


@check("price for one person entered as a total", "caution", "Is it the price of one person's outcomes?")
def per_person(tables: Tables) -> Found:
    """Commitments no larger than what one person's full rate card, or a sliver of the investment, would be."""
    table = tables["outcome_payment_commitments"]
    some = table[table["maximum"] > 0]
    pricings = tables["outcome_pricings"]
    card = some["project"].map(pricings.groupby("project")["price"].sum(min_count=1)).astype(float)
    projects = tables["projects"].drop_duplicates("project").set_index("project")
    same = some["maximum_currency"] == some["project"].map(projects["investment_currency"])
    invested = some["project"].map(projects["investment"]).astype(float).where(same)
    total = some.groupby("project")["maximum"].transform("sum")
    of_card = some["maximum"] <= card * ONE_PERSON
    sliver = (some["maximum"] <= invested * TINY) & (total < invested)
    for row in records(some[of_card | sliver]):
        amount = in_full(row.maximum, row.maximum_currency)
        against = (
            f"no more than one unit of everything on the rate card ({in_full(card[row.Index], row.maximum_currency)})"
            if of_card[row.Index]
            else f"{percent(row.maximum / invested[row.Index])} of the investment"
        )
        says = f"{amount} is recorded as the most that {row.organisation or 'a payer'} pays: {against}."
        yield Finding(row.project, "outcome_payment_commitments", "maximum", (row.line,), says)


@check("one maximum on every price", "note", "Is it a cap per person, or of all metrics together?")
def same_maximum(tables: Tables) -> Found:
    """Rate cards whose different prices all carry one and the same maximum."""
    table = tables["outcome_pricings"]
    some = table[table["maximum_price"].notna()]
    grouped = some.groupby("project")
    odd = (grouped["maximum_price"].transform("nunique") == 1) & (grouped["price"].transform("nunique") > 2)
    return by_project(
        "outcome_pricings",
        "maximum_price",
        some[odd],
        lambda rows: (
            f"All {len(rows)} prices carry the same maximum of "
            f"{in_full(rows['maximum_price'].iloc[0], rows['currency'].iloc[0])}."
        ),
    )


@check("several prices of one metric", "caution", "Which price applies to whom? Nothing is worked out from them.")
def prices(tables: Tables) -> Found:
    """Metrics with more than one price."""
    table = tables["outcome_pricings"]
    rows = table[(table["metric"] != "") & table.duplicated(["project", "metric"], keep=False)]
    return by_project(
        "outcome_pricings", "price", rows, lambda part: f"Several prices of {listed(list(part['metric'].unique()))}."
    )


@check(
    "several results of one metric", "note", "What is cumulative is not added: the reconciliation says what was used."
)
def results(tables: Tables) -> Found:
    """Metrics with more than one plain number achieved."""
    table = tables["results"]
    some = table[(table["metric"] != "") & table["achieved"].notna()]
    rows = some[some.duplicated(["project", "metric"], keep=False)]
    return by_project(
        "results", "achieved", rows, lambda part: f"Several results of {listed(list(part['metric'].unique()))}."
    )


@check("total differs from the payments", "caution", "Which of the two is complete?")
def totals(tables: Tables) -> Found:
    """Projects whose own total of outcome payments is not the sum of their payments."""
    paid = counted_payments(tables["outcome_payments"])
    sums = (
        paid.groupby(["project", "currency"])[["pennies"]]
        .sum()
        .assign(kind=paid.groupby(["project", "currency"])["paid_from"].first())
    )
    for row in records(_projects_with(tables, "paid")):
        if (row.project, row.paid_currency) in sums.index:
            found = sums.loc[(row.project, row.paid_currency)]
            if abs(found["pennies"] - row.paid * 100) > CLOSE:
                own, parts = in_full(row.paid, row.paid_currency), in_full(found["pennies"] / 100, row.paid_currency)
                what = "payments (type not stated)" if found["kind"] == UNSTATED else "payments"
                says = f"The project's own total is {own} and its {what} come to {parts}."
                yield Finding(row.project, "projects", "paid", (row.line,), says)
