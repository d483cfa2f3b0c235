"""Who pays: each commissioner's agreed share of what was paid against what is recorded under its name."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from evalkit import words
from evalkit.contract.plain import PENNIES, filled, pennies
from evalkit.errors import DataError, Flag, did_you_mean, several

CLOSE = 1e-6
NOT_STATED = "payer not stated"


@dataclass(frozen=True, eq=False)
class Payers:
    """What `payers_of` found. Money in the study's currency, to the penny.

    Parameters
    ----------
    table : DataFrame
        payer, commissioner (whether it is one on record), share (agreed), agreed (share of all that was paid), recorded
        (paid under its name, missing where no payment says who paid), difference (recorded - agreed).
    paid : float
        All that was paid; what is recorded adds up to it.
    shares : float
        The sum of the agreed shares; NaN where none is on record.
    flags : tuple of Flag
        Questions to the parties.
    """

    table: pd.DataFrame
    paid: float
    shares: float
    flags: tuple[Flag, ...] = field(default_factory=tuple)


def payers_of(
    payments: pd.DataFrame, commissioners: Sequence[tuple[str, float | None]], currency: str = "GBP"
) -> Payers:
    """Hold each commissioner's agreed share to what was paid under its name.

    Parameters
    ----------
    payments : DataFrame
        kind and amount; payer where it is recorded. Only what was paid ("actual") counts.
    commissioners : sequence of (name, share or None)
        As agreed; shares are between 0 and 1 and at most 1 in sum.
    currency : str
        The study's.

    Returns
    -------
    Payers
        Agreed amounts are whole pennies; where the shares are 1 in sum they add up to all that was paid.

    Raises
    ------
    DataError
        Shares outside 0-1 or above 1 in sum; amounts that are no numbers.
    """
    problems = _shares_wrong(commissioners)
    table = filled(payments, ("kind", "payer"), ("amount",))
    amounts = pennies(table["amount"], "amount", problems, below_zero=True)
    if problems:
        raise DataError(several("The parties and payments", problems))
    actual = table.assign(amount=amounts)[table["kind"].str.lower() == "actual"]
    paid = int(actual["amount"].sum())
    recorded = _recorded(actual, [name for name, _ in commissioners])
    agreed = split(paid, [share for _, share in commissioners])
    rows = [
        [name, True, math.nan if share is None else share, owed, recorded.pop(name, 0)]
        for (name, share), owed in zip(commissioners, agreed, strict=True)
    ]
    rows += [[name, False, math.nan, math.nan, amount] for name, amount in recorded.items()]
    found = pd.DataFrame(rows, columns=["payer", "commissioner", "share", "agreed", "recorded"])
    found[["agreed", "recorded"]] = found[["agreed", "recorded"]].astype(float) / PENNIES
    if list(recorded) == [NOT_STATED] and not (found["recorded"] > 0)[found["commissioner"]].any():
        found.loc[found["commissioner"], "recorded"] = math.nan  # nobody is recorded: that is not nothing paid
    found["difference"] = (found["recorded"] - found["agreed"]).round(2)
    shares = float(found["share"].sum(min_count=1))
    return Payers(found, paid / PENNIES, shares, tuple(_flags(found, shares, currency)))


def _shares_wrong(commissioners: Sequence[tuple[str, float | None]]) -> list[str]:
    """Shares outside 0-1, or above 1 in sum."""
    known = [(name, share) for name, share in commissioners if share is not None]
    problems = [
        f"the share of {name} is {share:g}. Write a share between 0 and 1: 40 % is 0.4."
        for name, share in known
        if not 0 <= share <= 1
    ]
    whole = sum(share for _, share in known)
    if not problems and whole > 1 + CLOSE:
        problems.append(f"the commissioners' shares are {whole:.4g} in sum. Together they can be at most 1.")
    return problems


def split(amount: int, shares: Sequence[float | None]) -> list[float]:
    """Split pennies by shares: whole pennies each, and all of them where the shares are 1 in sum.

    Parameters
    ----------
    amount : int
        Pennies.
    shares : sequence of float or None
        None is a share that is not known.

    Returns
    -------
    list of float
        In their order; NaN for None. Odd pennies go to the largest remainders, the first of equal ones.
    """
    exact = [math.nan if share is None else amount * share for share in shares]
    known = [place for place, part in enumerate(exact) if part == part]
    parts = {place: math.floor(exact[place]) for place in known}
    left = round(sum(exact[place] for place in known)) - sum(parts.values())
    for place in sorted(known, key=lambda one: parts[one] - exact[one])[: max(left, 0)]:
        parts[place] += 1
    return [float(parts[place]) if place in parts else math.nan for place in range(len(exact))]


def _recorded(actual: pd.DataFrame, names: list[str]) -> dict[str, int]:
    """Pennies paid by name; a payer written like a commissioner, remarks in brackets apart, is that commissioner."""
    by_key = {_key(name): name for name in names}
    found: dict[str, int] = {}
    for payer, amount in zip(actual["payer"], actual["amount"], strict=True):
        name = by_key.get(_key(payer), payer) if payer else NOT_STATED
        found[name] = found.get(name, 0) + (0 if amount != amount else int(amount))
    return found


def _key(name: str) -> str:
    return " ".join(re.sub(r"\([^)]*\)", " ", name).casefold().split())


def _flags(table: pd.DataFrame, shares: float, currency: str) -> list[Flag]:
    """Shares that leave a rest, payers who are no party, and payers who paid something else than agreed."""
    flags = []
    if shares < 1 - CLOSE:
        rest = words.percent(1 - shares, 1)
        text = f"The agreed shares of the commissioners leave {rest} of the payments: who pays the rest?"
        flags.append(Flag("contract", "caution", text, about="parties"))
    known = table.loc[table["commissioner"], "payer"]
    strange = table[~table["commissioner"] & (table["payer"] != NOT_STATED)]
    if len(strange) and len(known):
        hints = [f"{name}. {did_you_mean(name, known)}" for name in strange["payer"]]
        text = "Payments are recorded under payers that are not on record as commissioners: for whom did they pay?"
        flags.append(Flag("contract", "note", text, " ".join(hints), "parties"))
    apart = table[table["difference"].abs() > 0.5]
    if len(apart):
        text = f"What is recorded as paid differs from the agreed share for {len(apart)} of {len(known)} commissioners."
        detail = "Did one pay on behalf of others, or were other shares agreed?"
        flags.append(Flag("contract", "caution", text, detail, "parties"))
    return flags


def agency_flags(parties: Sequence[Any], agencies: Sequence[str]) -> list[Flag]:
    """Say which parties stand for an agency that the impact map does not have.

    Parameters
    ----------
    parties : sequence of Party
        name and agency.
    agencies : sequence of str
        As the impact map names them; with none nothing is said.

    Returns
    -------
    list of Flag
        One for each such party.
    """
    known = {name.casefold() for name in agencies}
    return [
        Flag(
            "contract",
            "caution",
            f'{party.name} stands for the agency "{party.agency}", which the impact map does not have.',
            f"What it saves cannot be set against what it pays. {did_you_mean(party.agency, agencies)}",
            "parties",
        )
        for party in parties
        if agencies and party.agency and party.agency.casefold() not in known
    ]
