"""Who pays, by agency: what was paid under the contract, by agreed shares or by the payers on record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit.contract.parties import NOT_STATED
from evalkit.errors import Flag, nearest

if TYPE_CHECKING:
    from evalkit.study import Study

CLOSE = 0.005
ALIKE = 0.8


@dataclass(frozen=True)
class Paid:
    """What each agency paid.

    Parameters
    ----------
    by : dict
        Agency -> amount paid under the contract.
    commissioners : tuple of str
        Agencies of those who commissioned, whether they have paid or not.
    known : bool
        Whether it is known who paid.
    how : str
        In words.
    """

    by: Mapping[str, float]
    commissioners: tuple[str, ...]
    known: bool
    how: str


def paid_by_agency(study: Study, contract: Any, agencies: list[str]) -> tuple[Paid, list[Flag]]:
    """Work out what each agency paid.

    Parameters
    ----------
    study : Study
        Its parties: name, agency (its name in the impact map).
    contract : Contract or None
        Whose payments, and what its look "parties" found of payers and shares.
    agencies : list of str
        Agencies that save.

    Returns
    -------
    (Paid, list of Flag)
        Where the agreed shares of the commissioners make up the whole, each bears its share, whoever sent the money;
        else what is recorded under each payer's name. All of it is that of the only commissioner where there is one
        and no other payer is on record.
    """
    names = {party.name: _agency(party, agencies) for party in study.party}
    asked = [party.name for party in study.party if party.role == "commissioner"]
    commissioners = tuple(dict.fromkeys(names[name] for name in asked))
    total = 0.0 if contract is None else float(contract.totals.get("paid") or 0.0)
    parties = None if contract is None else contract.looks.get("parties")
    if contract is None or not (total or parties is not None):
        return Paid({}, commissioners, False, "What each agency paid is not known."), []
    if parties is None and len(asked) != 1:
        text = "Nothing says which commissioner paid what: give the commissioners shares, or the payments payers."
        return Paid({}, commissioners, False, text), [Flag("value", "caution", text, about="payer")]
    amounts, how = _amounts(parties, asked, total)
    paid: dict[str, float] = {}
    for name, amount in amounts.items():
        agency = names.get(name) or next((one for one in agencies if _same(one, name)), name)
        paid[agency] = round(paid.get(agency, 0.0) + amount, 2)
    return Paid(paid, commissioners, True, how), _flags(study, amounts, [*names, *agencies])


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _agency(party: Any, agencies: list[str]) -> str:
    """The agency of a party, as the savings call it."""
    name = party.agency or party.name
    return next((one for one in agencies if _same(one, name)), str(name))


def _amounts(parties: Any, asked: list[str], total: float) -> tuple[dict[str, float], str]:
    """Amounts by party or payer, and by what they are told apart."""
    if parties is None:
        return {asked[0]: total}, f"All payments are those of {asked[0]}, the only commissioner."
    table: pd.DataFrame = parties.table
    if abs(parties.shares - 1) < CLOSE:
        agreed = table[table["commissioner"]]
        how = "Each commissioner bears its agreed share of what was paid, whoever sent the money."
        return dict(zip(agreed["payer"], agreed["agreed"], strict=True)), how
    recorded = table[table["recorded"].fillna(0.0) != 0]
    amounts = dict(zip(recorded["payer"], recorded["recorded"], strict=True))
    if len(asked) == 1 and set(amounts) <= {NOT_STATED, asked[0]}:
        return {asked[0]: float(sum(amounts.values()))}, f"All payments are those of {asked[0]}, the only commissioner."
    return amounts, "Payments stand under the payer on record."


def _flags(study: Study, amounts: Mapping[str, float], known: list[str]) -> list[Flag]:
    """Payers that are no party, and payments of nobody."""
    flags = []
    strange = [name for name in amounts if name != NOT_STATED and not any(_same(name, one) for one in known)]
    for name in strange if study.party else ():
        near = nearest(name, known, ALIKE)
        hint = f'Did you mean "{near}"?' if near else "Name it in [[party]], with the agency it stands for."
        flags.append(Flag("value", "caution", f"{name} paid, and is no party of the study.", hint, "payer"))
    if amounts.get(NOT_STATED):
        text = "Some payments name no payer: which agency bore them is not known."
        flags.append(Flag("value", "caution", text, about="payer"))
    return flags
