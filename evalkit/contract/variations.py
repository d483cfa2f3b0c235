"""How a contract was varied: dates, kinds and reasons, and whether it ended as planned, early or late."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pandas as pd

from evalkit import words
from evalkit.contract.plain import absent, filled, lines, unknown
from evalkit.contract.schedule import month_of
from evalkit.errors import DataError, Flag, several

KINDS = ("price", "target", "cohort", "duration", "extension", "grant", "termination", "other")
NEAR = 3  # months within which the last payment is taken to belong to the contract's planned end
COLUMNS = ["date", "kind", "what", "reason", "source"]


@dataclass(frozen=True)
class Ending:
    """How a contract ended.

    Parameters
    ----------
    how : str
        "terminated", "extended", "as planned", "paid before the end", "paid after the end", "not known".
    says : str
        The same in a sentence, with dates.
    question : str
        What must be asked of the parties; empty where nothing is open.
    """

    how: str
    says: str
    question: str = ""


def variations_of(variations: pd.DataFrame) -> pd.DataFrame:
    """Check the log of a contract's variations and put it in the order of its dates.

    Parameters
    ----------
    variations : DataFrame
        date (``2019-04-01``) and what; where they apply: kind (price, target, cohort, duration, extension, grant,
        termination, other; empty is other), reason, source.

    Returns
    -------
    DataFrame
        date (Timestamp), kind, what, reason, source; those of one day in the order given.

    Raises
    ------
    DataError
        Columns that are missing, rows without a date or with a date that is none, unknown kinds: all at once.
    """
    problems = absent(variations, ("date", "what"))
    table = filled(variations, ("kind", "what", "reason", "source"), ("date",))
    table["kind"] = table["kind"].str.lower().replace("", "other")
    dates = pd.to_datetime(table["date"].map(_as_text), errors="coerce", format="ISO8601")
    if "date" in variations and (bad := dates.isna()).any():
        remedy = "Write 2019-04-01; where only the month is known, its first day, and say so in what."
        problems.append(f"date is empty or no date ({lines(bad)}). {remedy}")
    if "what" in variations and (bare := table["what"] == "").any():
        problems.append(f"what is empty ({lines(bare)}). Say what was changed, from what to what.")
    problems += unknown(table["kind"], KINDS, "kind")
    if problems:
        raise DataError(several("The table of variations", problems))
    return table.assign(date=dates)[COLUMNS].sort_values("date", kind="stable").reset_index(drop=True)


def _as_text(value: object) -> str | None:
    """A date as ISO text; None where there is none."""
    if value is None or value is pd.NaT or value != value:
        return None
    return value.strftime("%Y-%m-%d") if isinstance(value, dt.date) else str(value).strip()


def ending_of(variations: pd.DataFrame, ends: dt.date | None = None, last_paid: object = None) -> Ending:
    """Say whether a contract was terminated, extended, or ended as planned, as far as is on record.

    Parameters
    ----------
    variations : DataFrame
        From `variations_of`; may have no rows.
    ends : date, optional
        The last day as planned at signature.
    last_paid : date or str, optional
        The end of the last period for which a payment is recorded.

    Returns
    -------
    Ending
        A recorded termination or extension is a fact; what only the payments suggest is a question.
    """
    told = f" It was planned to end on {words.day(ends)}." if ends else ""
    for kind, word in (("termination", "terminated"), ("extension", "extended")):
        rows = variations[variations["kind"] == kind]
        if len(rows):
            return _recorded(rows.iloc[-1], word, told)
    if ends is None:
        return Ending("not known", "Its planned end is not on record, nor any termination or extension.")
    if last_paid is None or pd.isna(gap := month_of(last_paid) - month_of(ends)):
        return Ending("not known", f"The contract was planned to end on {words.day(ends)}; when it ended is not known.")
    return _from_payments(int(gap), f"the contract was planned to end on {words.day(ends)}")


def _recorded(row: pd.Series, word: str, told: str) -> Ending:
    """A termination or extension on record, with its reason."""
    why = f": {row['reason'].rstrip('.')}" if row["reason"] else "; no reason is on record"
    return Ending(word, f"The contract was {word} by a variation of {words.day(row['date'])}{why}.{told}")


def _from_payments(gap: int, planned: str) -> Ending:
    """What the last payment suggests about the end, where no variation says it."""
    start = f"{planned[:1].upper()}{planned[1:]}, and no termination or extension is on record"
    months = "1 month" if abs(gap) == 1 else f"{abs(gap)} months"
    if abs(gap) <= NEAR:
        return Ending("as planned", f"{start}; payments are recorded up to about then.")
    if gap < 0:
        question = "Did it end early, or are later payments not on record?"
        return Ending("paid before the end", f"{start}; the last recorded payment is {months} before.", question)
    question = "Were the last outcomes paid late, as agreed, or was the contract extended?"
    return Ending("paid after the end", f"{start}; the last recorded payment is {months} after.", question)


def variation_flags(
    variations: pd.DataFrame, plans: int, starts: dt.date | None = None, last: dt.date | None = None
) -> list[Flag]:
    """Ask what a log of variations leaves open.

    Parameters
    ----------
    variations : DataFrame
        From `variations_of`; may have no rows.
    plans : int
        Versions of the payment plan.
    starts : date, optional
        The contract's first day.
    last : date, optional
        The day after which nothing of the contract is recorded.

    Returns
    -------
    list of Flag
        Questions to the parties.
    """
    flags = []
    if plans > 1 and len(variations) < plans - 1:
        found = f"only {_count(len(variations), 'variation')}" if len(variations) else "no variation"
        changes = f"{found} of the contract {'are' if len(variations) > 1 else 'is'} on record"
        text = f"There are {plans} versions of the payment plan, and {changes}."
        flags.append(Flag("contract", "caution", text, "What was changed, when, and why?", "variations"))
    if bare := int((variations["reason"] == "").sum()):
        text = f"{_count(bare, 'variation')} of the contract {'has' if bare == 1 else 'have'} no reason on record: why?"
        listed = "; ".join(variations.loc[variations["reason"] == "", "what"].head(5))
        flags.append(Flag("contract", "note", text, listed, "variations"))
    early = variations["date"] < pd.Timestamp(starts) if starts else pd.Series(False, index=variations.index)
    late = variations["date"] > pd.Timestamp(last) if last else pd.Series(False, index=variations.index)
    if outside := int((early | late).sum()):
        verb = "is" if outside == 1 else "are"
        text = f"{_count(outside, 'variation')} {verb} dated before the contract or after all that is recorded of it."
        flags.append(Flag("contract", "caution", text, "Is the date right?", "variations"))
    return flags


def _count(n: int, what: str) -> str:
    return f"1 {what}" if n == 1 else f"{n} {what}s"
