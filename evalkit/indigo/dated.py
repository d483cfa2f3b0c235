"""The dates of a project: what INDIGO calls them, and the steps in which a study tells them."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from typing import Any

from evalkit.indigo.public import Field, field

# What a step says -> (the date as planned, the date as done) in INDIGO's form.
STEPS = {
    "Outcomes contract signed": ("", "outcomes_contract_signed"),
    "Contracts between all parties signed": ("", "contracts_between_all_parties_signed"),
    "Service provision begins": ("", "start_date_of_service_provision"),
    "Service provision ends": ("anticipated_end_date_of_service_provision", "actual_end_date_of_service_provision"),
    "Project completed": ("anticipated_completion_date", "actual_completion_date"),
}
# Other words for the same steps, in studies typed by hand.
ALIKE = {
    "Outcomes contract signed": r"\bcontract(s)? (was |were )?signed\b",
    "Service provision begins": r"\b(service|services|delivery|service provision) (starts|started|begins|began)\b",
    "Service provision ends": r"\b(service|services|delivery|service provision) (ends|ended|closed)\b",
    "Project completed": r"\b(project|contract) (is )?(completed|complete|ended|ends)\b",
}
_DATE = re.compile(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?")
_RECORDED = re.compile(r"\b(planned|done) (?:is )?recorded as (\d{4}(?:-\d{2})?)\b")


def day_of(text: object, last: bool = False) -> dt.date | None:
    """A date of INDIGO as a day: the first, or the last, of a month or year; none where it is no date.

    Parameters
    ----------
    text : object
        ``2018``, ``2018-10`` or ``2018-10-01``; anything else is none.
    last : bool
        Whether it ends a period.

    Returns
    -------
    date or None
        A day of the calendar.
    """
    found = _DATE.fullmatch(str(text).strip())
    if found is None:
        return None
    year, month, day = (int(part) if part else 0 for part in found.groups())
    month = month or (12 if last else 1)
    try:
        return dt.date(year, month, day or (calendar.monthrange(year, month)[1] if last else 1))
    except (ValueError, calendar.IllegalMonthError):
        return None


def coarse(text: object) -> bool:
    """Whether a date of INDIGO gives a month or a year and no day."""
    found = _DATE.fullmatch(str(text).strip())
    return found is not None and found.group(3) is None


def known_to(*texts: str) -> str:
    """How exactly dates of INDIGO are known together: as the coarsest of them.

    Parameters
    ----------
    *texts : str
        Dates as recorded.

    Returns
    -------
    str
        "day", "month" or "year".
    """
    parts = [len(text.strip().split("-")) for text in texts]
    return {1: "year", 2: "month"}.get(min(parts, default=3), "day")


def recorded_note(**texts: str) -> str:
    """A note that keeps a month or a year as it was recorded, where a day had to be written.

    Parameters
    ----------
    texts : str
        ``planned`` and ``done`` as recorded.

    Returns
    -------
    str
        Empty where both were days.
    """
    told = [f"{name} is recorded as {text}" for name, text in texts.items() if coarse(text)]
    return f"{'; '.join(told).capitalize()}: no day." if told else ""


def dates_of(study: Any) -> dict[str, Field | None]:
    """A study's steps as INDIGO's dates.

    Parameters
    ----------
    study : Study
        Its [[contract.step]] parts.

    Returns
    -------
    dict
        Only the steps that are known by their words.
    """
    found: dict[str, Field | None] = {}
    for step in study.contract.step if study.contract else []:
        names = STEPS.get(_known(step.says), ("", ""))
        kept = {name.lower(): text for name, text in _RECORDED.findall(step.note.lower())}
        for name, which in zip(names, ("planned", "done"), strict=True):
            if name and getattr(step, which) is not None and name not in found:
                found[name] = field(kept.get(which) or getattr(step, which))
    return found


def _known(says: str) -> str:
    """The step that some words mean."""
    text = says.strip().rstrip(".")
    if text in STEPS:
        return text
    return next((step for step, pattern in ALIKE.items() if re.search(pattern, text, re.IGNORECASE)), "")
