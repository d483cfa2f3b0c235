"""Savings by agency: who is spared which cost, a parent never added to its children, names that are one joined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.errors import DataError, Flag, as_list, did_you_mean, several
from evalkit.tables.kinds import must_be_table, plain_text
from evalkit.value.deflate import read_deflators
from evalkit.value.unit_cost_codes import before_bracket, one_name, parents_of, rounding

AMOUNTS = ("amount", "gbp", "cost_gbp")
NOT_STATED = "not stated"
NOT_IN_HAND = "A saving is a cost that is avoided, not money in hand."
PARTS = 0.05  # children that miss their parent by more than this share are no parts of it
PENNY = Decimal("0.01")


@dataclass(frozen=True, eq=False)
class Savings:
    """What each agency is spared.

    Parameters
    ----------
    by_agency : DataFrame
        One row per agency: agency, saving (negative: a cost), cashable (the part of it that can be cashed, missing
        where that is not known), merged_from (the names that were joined), codes (the unit costs behind it).
    total : float
        The sum of the savings, to the penny.
    check : dict
        code, parent, sum_children, difference (children less parent), of the parent that its children miss by most;
        empty where no parent stands beside its children.
    checks : DataFrame
        The same for every such parent.
    flags : tuple of Flag
        What a reader must be told.
    """

    by_agency: pd.DataFrame
    total: float
    check: dict[str, Any]
    checks: pd.DataFrame
    flags: tuple[Flag, ...]

    def __repr__(self) -> str:
        """Counts and the sum, in one line."""
        return f"Savings({len(self.by_agency)} agencies, {words.number(self.total, 2)} in all, {len(self.flags)} flags)"

    def _repr_html_(self) -> str:
        """What each agency is spared, the sum, and the flags."""
        shown = self.by_agency[[name for name in ("agency", "saving", "cashable") if name in self.by_agency]]
        total = f"<p>In all: {words.number(self.total, 2)}. A saving is a cost avoided, not money in hand.</p>"
        return shown.to_html(index=False, na_rep="not known") + total + as_list(self.flags)


def savings_by_agency(
    unit_costs: pd.DataFrame,
    quantity: float | Mapping[str, float],
    merge: bool | Mapping[str, str] = True,
    deflators: pd.DataFrame | None = None,
    price_year: int | None = None,
) -> Savings:
    """Work out what each agency is spared by outcomes that were avoided.

    Parameters
    ----------
    unit_costs : DataFrame
        agency, amount (or gbp), and where known code, parent, price_year, currency, kind_of_value, cashable (a share).
        A code that has children in the table ("A2.0" of "A2.0.1") is held to their sum and never added to them.
    quantity : float or mapping of str to float
        How many were avoided, net of deadweight; or for each code. Negative where there were more of them.
    merge : bool or mapping of str to str
        True: agencies with the same name before a bracket are one. A mapping: from names to the name they get.
    deflators : DataFrame, optional
        year, index, source: needed where price years differ.
    price_year : int, optional
        To which amounts are brought; default: the latest of the table.

    Returns
    -------
    Savings
        In the order of the table.

    Raises
    ------
    DataError
        Everything that is wrong with the table, with rows counted from 1: amounts that are no numbers, codes twice,
        several currencies, price years that differ without deflators, children that are no parts of their parent.
    """
    table = _checked(unit_costs)
    table, flags = _one_price_year(table, deflators, price_year)
    table, more = _fiscal(table)
    flags += more
    checks, leaves, more = _families(table)
    named, said = agency_names(leaves["agency"], merge)
    leaves = leaves.assign(agency=named, was=leaves["agency"])
    pennies = _pennies(leaves, quantity)
    by_agency = _summed(leaves, pennies)
    flags += [*more, *said, *_sign_flags(by_agency), _in_hand(by_agency)]
    worst: dict[Any, Any] = {}
    if len(checks):
        worst = checks.iloc[int(checks["difference"].abs().argmax())].to_dict()
    return Savings(by_agency, float(sum(pennies, Decimal(0))), worst, checks, tuple(flags))


def _checked(unit_costs: pd.DataFrame) -> pd.DataFrame:
    """The columns that are needed, typed; everything wrong at once."""
    must_be_table(unit_costs, "The table of unit costs")
    amount = next((name for name in AMOUNTS if name in unit_costs), None)
    if amount is None or "agency" not in unit_costs or unit_costs.empty:
        lacks = [f'It lacks the column "{name}".' for name in ("agency",) if name not in unit_costs]
        lacks += ['It lacks the column "amount" (or gbp).'] if amount is None else []
        raise DataError(several("The table of unit costs", lacks or ["It has no rows."]))
    table = unit_costs.reset_index(drop=True).copy()
    for name in ("code", "parent", "agency", "currency", "kind_of_value"):
        values = table[name] if name in table else pd.Series("", index=table.index)
        table[name] = plain_text(values)
    for name in ("price_year", "cashable"):
        table[name] = table.get(name)
    table["amount"] = pd.to_numeric(table[amount], errors="coerce").astype(float)
    table["cashable"] = pd.to_numeric(table["cashable"], errors="coerce").astype(float)
    table["parent"] = table["parent"].where(table["parent"] != "", parents_of(table["code"]))
    problems = _problems(table, unit_costs[amount].reset_index(drop=True))
    if problems:
        raise DataError(several("The table of unit costs", problems))
    return table


def _problems(table: pd.DataFrame, written: pd.Series) -> list[str]:
    """What is wrong with the cells."""
    found = [
        f'row {place + 1}: amount "{written.iloc[place]}" is no plain number. Write digits, a point for pence.'
        for place in np.flatnonzero(table["amount"].isna())
    ]
    codes = table["code"]
    for code in dict.fromkeys(codes[(codes != "") & codes.duplicated()]):
        rows = words.listed([str(place + 1) for place in np.flatnonzero(codes == code)])
        found.append(f'code "{code}" stands in rows {rows}. Keep one.')
    shares = table["cashable"]
    found += [
        f"row {place + 1}: cashable {shares.iloc[place]:g} is not a share between 0 and 1."
        for place in np.flatnonzero(shares.notna() & ~shares.between(0, 1))
    ]
    if len(currencies := sorted(set(table["currency"]) - {""})) > 1:
        found.append(f"amounts are in {words.listed(currencies)}. Convert them at a dated rate first.")
    return found


def _one_price_year(
    table: pd.DataFrame, deflators: pd.DataFrame | None, price_year: int | None
) -> tuple[pd.DataFrame, list[Flag]]:
    """Amounts of one price year: refused, or deflated, where they differ."""
    label = plain_text(table["price_year"]).str[:4]
    years = sorted(set(label) - {""})
    if not years:
        return table, []
    wanted = str(price_year) if price_year is not None else years[-1]
    if set(years) == {wanted}:
        return table, []
    if deflators is None:
        listed = "; ".join(f"row {place}: {year}" for place, year in enumerate(label, 1) if year)
        raise DataError(
            f"The price years of the unit costs are not one ({listed}; wanted: {wanted}). "
            "Give deflators (year, index, source), or unit costs of one price year."
        )
    index = read_deflators(deflators)["index"]
    if absent := [year for year in dict.fromkeys([wanted, *years]) if int(year) not in index.index]:
        raise DataError(f"The deflators hold no index for {words.listed(absent)}. Add the year.")
    factor = label.map(lambda year: 1.0 if not year else float(index[int(wanted)] / index[int(year)]))
    text = f"Unit costs were brought to prices of {wanted} from {words.listed([y for y in years if y != wanted])}."
    return table.assign(amount=table["amount"] * factor), [Flag("value", "note", text, about="price_year")]


def _fiscal(table: pd.DataFrame) -> tuple[pd.DataFrame, list[Flag]]:
    """Fiscal rows; economic and social value is no saving of an agency."""
    other = (table["kind_of_value"] != "") & ~table["kind_of_value"].str.contains("fiscal")
    mixed = table["kind_of_value"].str.contains("fiscal") & (table["kind_of_value"] != "fiscal")
    flags = []
    if other.any():
        kinds = words.listed(sorted(set(table.loc[other, "kind_of_value"])))
        rows = words.listed([str(place + 1) for place in np.flatnonzero(other)])
        flags.append(Flag("value", "note", f"Rows {rows} hold {kinds} value, which is no saving, and are left out."))
    alone = mixed & ~table["code"].isin(set(table["parent"]) - {""})
    if alone.any():
        rows = words.listed([str(place + 1) for place in np.flatnonzero(alone)])
        text = f"Rows {rows} hold fiscal value together with other value: the saving is overstated."
        flags.append(Flag("value", "caution", text))
    return table[~other], flags


def _families(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, list[Flag]]:
    """Parents held to the sum of their children, and the rows that are counted: those without children."""
    families = table[(table["parent"] != "") & table["parent"].isin(table["code"])].groupby("parent", sort=False)
    rows, problems, flags = [], [], []
    for code, children in families:
        parent = float(table.loc[table["code"] == code, "amount"].iloc[0])
        total = round(float(children["amount"].sum()), 2)
        rows.append({"code": code, "parent": parent, "sum_children": total, "difference": round(total - parent, 2)})
        said = f"The children of {code} sum to {words.number(total, 2)}, {code} is {words.number(parent, 2)}"
        if abs(total - parent) > max(PARTS * abs(parent), rounding([parent, *children["amount"]])):
            problems.append(f"{said}: they are no parts of it, or not all of them. Keep {code}, or its children.")
        elif abs(total - parent) > rounding([parent, *children["amount"]]):
            flags.append(Flag("value", "caution", f"{said}: more than rounding explains.", "The children are used."))
        elif total != parent:
            flags.append(Flag("value", "note", f"{said}: rounding. The children are used."))
    if problems:
        raise DataError(several("The table of unit costs", problems))
    parents = {str(row["code"]) for row in rows}
    checks = pd.DataFrame(rows, columns=["code", "parent", "sum_children", "difference"])
    return checks, table[~table["code"].isin(parents)].reset_index(drop=True), flags


def agency_names(agencies: pd.Series, merge: bool | Mapping[str, str] = True) -> tuple[pd.Series, list[Flag]]:
    """Join the names of agencies that are one.

    Parameters
    ----------
    agencies : Series of str
        Names; an empty one is called "not stated".
    merge : bool or mapping of str to str
        True: names that are the same before a bracket, or but for capitals, are one. False: only the latter. A
        mapping: from names to the name they get.

    Returns
    -------
    (Series of str, list of Flag)
        The names, and what was joined.

    Raises
    ------
    DataError
        The mapping names what is no agency here.
    """
    stated = agencies.where(agencies != "", NOT_STATED)
    flags = []
    if (agencies == "").any():
        text = f"{int((agencies == '').sum())} amounts name no agency: who is spared them is not known."
        flags.append(Flag("value", "caution", text, about="agency"))
    if isinstance(merge, Mapping):
        if strange := [name for name in merge if name not in set(stated)]:
            said = [f'merge names "{name}", which is no agency here. {did_you_mean(name, stated)}' for name in strange]
            raise DataError(several("The agencies", said))
        named = stated.map(lambda name: merge.get(name, name)).astype("str")
    else:
        one = one_name(stated)[0]
        bases = one_name(one.map(before_bracket))[0]
        several_names = one.groupby(bases).transform("nunique") > 1
        named = bases.where(several_names, one) if merge else one
    return named, [*flags, *_joined(stated, named)]


def _joined(was: pd.Series, now: pd.Series) -> list[Flag]:
    """Say which names of agencies were joined."""
    groups = {name: list(dict.fromkeys(was[now == name])) for name in dict.fromkeys(now)}
    told = [f"{words.listed(names)} count as {name}" for name, names in groups.items() if len(names) > 1]
    return [Flag("value", "note", f"Agencies joined: {'; '.join(told)}.", about="agency")] if told else []


def _pennies(leaves: pd.DataFrame, quantity: float | Mapping[str, float]) -> list[Decimal]:
    """The saving of each row, rounded once."""
    if isinstance(quantity, Mapping):
        if absent := [code for code in leaves["code"] if code not in quantity]:
            raise DataError(f"quantity says nothing of {words.listed(absent)}. Give a number for every code.")
        numbers = [quantity[code] for code in leaves["code"]]
    else:
        numbers = [quantity] * len(leaves)
    numbers = [pd.to_numeric(number, errors="coerce") for number in numbers]
    if any(not words.known(float(number)) for number in numbers):
        raise DataError(f"quantity {quantity!r} is no plain number: write how many were avoided.")
    return [
        (Decimal(repr(float(number))) * Decimal(repr(float(amount)))).quantize(PENNY, ROUND_HALF_UP)
        for number, amount in zip(numbers, leaves["amount"], strict=True)
    ]


def _summed(leaves: pd.DataFrame, pennies: list[Decimal]) -> pd.DataFrame:
    """One row per agency, in the order of the table."""
    rows = []
    for agency in dict.fromkeys(leaves["agency"]):
        places = [place for place, name in enumerate(leaves["agency"]) if name == agency]
        mine = leaves.iloc[places]
        saving = sum((pennies[place] for place in places), Decimal(0))
        cashable = sum(float(pennies[place]) * leaves["cashable"].iloc[place] for place in places)
        rows.append(
            {
                "agency": agency,
                "saving": float(saving),
                "cashable": round(cashable, 2),
                "merged_from": ", ".join(dict.fromkeys(name for name in mine["was"] if name not in ("", agency))),
                "codes": ", ".join(code for code in mine["code"] if code),
            }
        )
    return pd.DataFrame(rows)


def _sign_flags(by_agency: pd.DataFrame) -> list[Flag]:
    """Agencies that are worse off."""
    worse = list(by_agency.loc[by_agency["saving"] < 0, "agency"])
    return [Flag("value", "caution", f"Costs rather than savings: {words.listed(worse)}.")] if worse else []


def _in_hand(by_agency: pd.DataFrame) -> Flag:
    """What a saving is, and whether it can be cashed."""
    if by_agency["cashable"].isna().any():
        return Flag("value", "caution", f"{NOT_IN_HAND} How much of it can be cashed is not known.", about="cashable")
    return Flag("value", "note", f"{NOT_IN_HAND} The share that can be cashed is stated.", about="cashable")
