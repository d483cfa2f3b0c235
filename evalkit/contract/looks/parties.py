"""Who was to pay which share, and who is recorded as having paid."""

from __future__ import annotations

from evalkit import tables
from evalkit.contract.looks.base import View, look
from evalkit.contract.parties import Payers, agency_flags, payers_of
from evalkit.errors import DataError, Flag


@look("parties")
def parties(view: View) -> tuple[Payers | None, list[Flag]]:
    """Agreed shares against what is recorded by payer.

    Parameters
    ----------
    view : View
        With actual payments, and commissioners with shares or payments with payers.

    Returns
    -------
    Payers or None, list of Flag
        None where neither a share nor a payer is on record.
    """
    flags = [*agency_flags(view.study.party, _agencies(view)), *_useless_shares(view)]
    commissioners = [(party.name, party.share) for party in view.study.party if party.role == "commissioner"]
    payments = view.papers.payments
    actual = payments[payments["kind"] == "actual"]
    named = bool((actual["payer"] != "").any()) if len(actual) else False
    if actual.empty or not (named or any(share is not None for _, share in commissioners)):
        return None, flags
    found = payers_of(payments, commissioners, view.study.study.currency)
    return found, [*flags, *found.flags]


def _agencies(view: View) -> list[str]:
    """The agencies of the impact map; none where there is none, or where its own room will say what is wrong."""
    if view.study.value is None or not any(party.agency for party in view.study.party):
        return []
    try:
        table = tables.read_csv_checked(view.study, view.study.value.impact_map, {"agency": "text"})
    except DataError:
        return []
    return [str(name) for name in table["agency"].dropna().unique()]


def _useless_shares(view: View) -> list[Flag]:
    """Shares of parties that are no commissioners are not used."""
    others = [party.name for party in view.study.party if party.share is not None and party.role != "commissioner"]
    if not others:
        return []
    text = f"A share of the payments is given for {', '.join(others)}, who is no commissioner: it is not used."
    return [Flag("contract", "note", text, about="parties")]
