"""What it cost to run a contract: by phase, kind and party, against what was paid, its size and the people served."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from evalkit import words
from evalkit.contract.plain import absent, filled, lines, one_currency, pennies, total, unknown
from evalkit.errors import DataError, Flag, several

PHASES = ("development and design", "contract set up and negotiation", "operational and management")
KINDS = ("set-up", "management", "evaluation", "measurement", "delivery", "investment cost")
RUNNING = KINDS[:4]
NOT_STATED = "not stated"
OUTCOME_PAYMENTS = "outcome payments"
# Classes of cost in the INDIGO Data Specification v4.1.0 (both sides) whose phase does not tell the kind.
CLASSES = {
    "spv set up and operational costs": "management",
    "governance costs": "management",
    "enforcement costs": "management",
    "management cost of an outcomes fund": "management",
    "auditing and validation of service quality": "management",
    "monitoring costs": "measurement",
    "validation and administration of outcome achievement and related payments costs": "measurement",
    "evaluation costs": "evaluation",
    "evaluation, learning and dissemination": "evaluation",
    "service delivery costs": "delivery",
    "delivery innovations": "delivery",
    "cost of working capital": "investment cost",
    "outcome payments": OUTCOME_PAYMENTS,
}
COLUMNS = ["phase", "kind", "what", "party", "planned", "actual", "days", "date", "source"]
SUMS = ("planned", "actual", "days")


@dataclass(frozen=True, eq=False)
class CostToRun:
    """What `cost_to_run` found. Money in the study's currency, to the penny; missing where nothing is recorded.

    Parameters
    ----------
    lines : DataFrame
        One row per line: phase, kind, what, party, planned, actual, days, date, source.
    by_phase, by_kind, by_party : DataFrame
        The key, then planned, actual, days, unpriced_days (days on lines without money), lines.
    totals : dict
        planned, actual, days, unpriced_days: of all lines but outcome payments; running_planned, running_actual: of
        set-up, management, evaluation and measurement; running: the actual ones, or the planned where no actual is
        recorded; running_from: "actual", "planned" or "".
    against : DataFrame
        what, amount, share (running cost / amount), low, high (NaN without an interval, infinite where not bounded).
    per_person : float or None
        Running cost / people.
    people : int or None
        Who were served.
    flags : tuple of Flag
        What a reader must be told.
    """

    lines: pd.DataFrame
    by_phase: pd.DataFrame
    by_kind: pd.DataFrame
    by_party: pd.DataFrame
    totals: Mapping[str, Any]
    against: pd.DataFrame
    per_person: float | None = None
    people: int | None = None
    flags: tuple[Flag, ...] = field(default_factory=tuple)


def cost_to_run(
    costs: pd.DataFrame,
    sizes: Mapping[str, float | tuple[float, float, float] | None] | None = None,
    people: int | None = None,
    currency: str = "GBP",
) -> CostToRun:
    """Add up what it cost to run a contract, and hold it to what was paid and to the contract's size.

    Parameters
    ----------
    costs : DataFrame
        phase (development and design, contract set up and negotiation, operational and management), what, and planned
        or actual (or days) in each row; where they apply: party, date, days, kind (set-up, management, evaluation,
        measurement, delivery, investment cost), currency, source. A line without a kind has that of its INDIGO class,
        else is set-up in the first two phases, else its kind is not stated.
    sizes : mapping of str to number or (number, low, high), optional
        What the running cost is held to: {"outcome payments": 2_434_000, "most that can be paid": 2_900_000}.
    people : int, optional
        Who were served.
    currency : str
        The study's.

    Returns
    -------
    CostToRun
        The running cost is set-up, management, evaluation and measurement: what paying by outcome needs. Delivery and
        the investors' cost stand beside it. Days without money are kept as days and are never priced.

    Raises
    ------
    DataError
        Columns that are missing, unknown phases or kinds, negative amounts, rows with nothing, two currencies: all at
        once, with the lines of the file.

    References
    ----------
    Phases and classes: INDIGO Data Specification v4.1.0 (April 2024), provider side cost and outcome payer cost.
    """
    table = _checked(costs, currency)
    counted = table[table["kind"] != OUTCOME_PAYMENTS]
    totals = _totals(counted)
    running = totals["running"]
    against = _against(running, sizes or {})
    each = running / people if people and running == running else None
    by = {key: _by(counted, key, order) for key, order in (("phase", PHASES), ("kind", KINDS), ("party", ()))}
    flags = tuple(_flags(table, counted, totals, currency))
    return CostToRun(_money(table), by["phase"], by["kind"], by["party"], totals, against, each, people, flags)


def _checked(costs: pd.DataFrame, currency: str) -> pd.DataFrame:
    """The lines with normalised words and amounts in pennies."""
    problems = absent(costs, ("phase", "what"))
    table = filled(
        costs, ("phase", "what", "party", "kind", "source", "currency"), ("planned", "actual", "days", "date")
    )
    for name in ("phase", "kind"):
        table[name] = table[name].str.lower().str.replace(r"\s+", " ", regex=True)
    table["phase"] = table["phase"].str.replace("set-up", "set up").str.replace("setup", "set up")
    table["kind"] = table["kind"].replace({"set up": "set-up", "setup": "set-up"})
    problems += unknown(table["phase"], PHASES, "phase") + unknown(table["kind"], KINDS, "kind")
    for name in ("planned", "actual"):
        table[name] = pennies(table[name], name, problems)
    table["days"] = pennies(table["days"], "days", problems)
    if (nothing := table[["planned", "actual", "days"]].isna().all(axis=1)).any():
        problems.append(
            f"planned, actual and days are all empty ({lines(nothing)}). Give one of them, or drop the row."
        )
    problems += one_currency(table["currency"], currency)
    if problems:
        raise DataError(several("The table of costs", problems))
    table["kind"] = _kinds(table)
    table["phase"] = table["phase"].where(table["phase"] != "", NOT_STATED)
    table["party"] = table["party"].where(table["party"] != "", NOT_STATED)
    return table


def _kinds(table: pd.DataFrame) -> pd.Series:
    """The kind that is written, else that of the INDIGO class, else set-up before delivery, else not stated."""
    classes = table["what"].str.lower().str.replace(r"\s*\(.*", "", regex=True).str.strip().map(CLASSES)
    by_phase = pd.Series(NOT_STATED, index=table.index, dtype="str").where(~table["phase"].isin(PHASES[:2]), KINDS[0])
    return table["kind"].where(table["kind"] != "", classes.fillna(by_phase)).astype("str")


def _unpriced(table: pd.DataFrame) -> pd.Series:
    """Days on lines that have no money."""
    return table["days"].where(table[["planned", "actual"]].isna().all(axis=1))


def _totals(table: pd.DataFrame) -> dict[str, Any]:
    run = table[table["kind"].isin(RUNNING)]
    sums: dict[str, Any] = {name: total(table[name]) for name in SUMS}
    sums["unpriced_days"] = total(_unpriced(table))
    planned, actual = total(run["planned"]), total(run["actual"])
    source = "actual" if run["actual"].notna().any() else "planned" if run["planned"].notna().any() else ""
    running = {"actual": actual, "planned": planned, "": float("nan")}[source]
    return {**sums, "running_planned": planned, "running_actual": actual, "running": running, "running_from": source}


def _by(table: pd.DataFrame, key: str, order: tuple[str, ...]) -> pd.DataFrame:
    """Sums by one column, known words in their order and the others as they come."""
    names = [*(name for name in order if name in set(table[key])), *(n for n in table[key].unique() if n not in order)]
    rows = []
    for name in names:
        mine = table[table[key] == name]
        sums = {one: total(mine[one]) for one in SUMS}
        rows.append({key: name, **sums, "unpriced_days": total(_unpriced(mine)), "lines": len(mine)})
    return pd.DataFrame(rows, columns=[key, *SUMS, "unpriced_days", "lines"])


def _against(running: float, sizes: Mapping[str, Any]) -> pd.DataFrame:
    """The running cost as a share of each size; of a size with an interval, with the share's interval."""
    rows = []
    for what, size in sizes.items():
        amount, low, high = size if isinstance(size, tuple) else (size, float("nan"), float("nan"))
        if amount is None or amount != amount or running != running:
            continue
        share = running / amount if amount > 0 else float("nan")
        ends = (running / high if high > 0 else float("inf"), running / low if low > 0 else float("inf"))
        if low != low or high != high:
            ends = (float("nan"), float("nan"))
        rows.append({"what": what, "amount": amount, "share": share, "low": ends[0], "high": ends[1]})
    return pd.DataFrame(rows, columns=["what", "amount", "share", "low", "high"])


def _money(table: pd.DataFrame) -> pd.DataFrame:
    """The lines as they are shown: money and days in whole units again."""
    return table[COLUMNS].assign(**{name: table[name] / 100 for name in SUMS})


def _flags(table: pd.DataFrame, counted: pd.DataFrame, totals: dict[str, Any], currency: str) -> list[Flag]:
    """What is not in the running cost, and what is only planned."""
    flags = []
    unclear = counted[counted["kind"] == NOT_STATED]
    if len(unclear):
        amount = total(unclear["actual"].fillna(unclear["planned"]))
        text = (
            f"{_said(amount, currency)} of costs do not say of which kind they are: they are not in the running cost."
        )
        detail = f"To ask the parties: were they delivery, management or something else? ({_rows(unclear)})"
        flags.append(Flag("contract", "caution", text, detail, "costs"))
    open_lines = counted[counted["kind"].isin(RUNNING) & counted["actual"].isna() & counted["planned"].notna()]
    if totals["running_from"] == "actual" and len(open_lines):
        said = _said(total(open_lines["planned"]), currency)
        text = f"{said} of planned running cost has no actual amount on record: what was spent may be more than shown."
        flags.append(Flag("contract", "caution", text, _rows(open_lines), "costs"))
    if totals["running_from"] == "planned":
        text = "What it cost to run is what was planned: no actual amount is on record."
        flags.append(Flag("contract", "caution", text, about="costs"))
    if totals["unpriced_days"] == totals["unpriced_days"]:
        days = words.number(totals["unpriced_days"], 0 if totals["unpriced_days"] % 1 == 0 else 1)
        text = f"{days} staff days are on record without money: they are shown as days and are in no amount."
        flags.append(Flag("contract", "note", text, about="costs"))
    if (table["kind"] == OUTCOME_PAYMENTS).any():
        text = "The table of costs holds outcome payments: they are no cost of running the contract and are left out."
        flags.append(Flag("contract", "caution", text, "They belong in the payments.", "costs"))
    return flags + _twice(table)


def _twice(table: pd.DataFrame) -> list[Flag]:
    """Lines that agree in everything: a question, not a repair."""
    same = table.duplicated(["phase", "what", "party", "planned", "actual", "days", "date"], keep=False)
    if not same.any():
        return []
    text = "Some costs are written twice alike: were they spent twice, or typed twice?"
    return [Flag("contract", "caution", text, f"In the table of costs: {lines(same)}. All are counted.", "costs")]


def _rows(table: pd.DataFrame) -> str:
    """What some lines are, in their own words."""
    return words.listed(list(dict.fromkeys(table["what"].where(table["what"] != "", "unnamed"))))


def _said(amount: float, currency: str) -> str:
    """Money in full, with pence only where there are any."""
    if amount != amount:
        return "An unknown amount"
    return words.whole_money(amount, currency, 0 if abs(amount - round(amount)) < 0.005 else 2)
