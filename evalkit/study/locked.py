"""The locked plan: what was decided, when, and every departure from it afterwards."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from evalkit import words
from evalkit.errors import StudyError
from evalkit.study.departed import Departure, compare, without_words
from evalkit.study.model import Study
from evalkit.study.planned import analysis_plan
from evalkit.study.read import shown

FILE = "lock.json"
MADE_WITH = ("evalkit", "numpy", "scipy", "pandas", "statsmodels", "diff-diff", "duckdb", "sqlglot")
WHAT = "The plan of the analysis as it was when it was locked. evalkit lock writes this file; it is not for editing."
NOT_LOCKED = "The plan was not locked."


@dataclass(frozen=True)
class Lock:
    """A plan as it was when it was locked.

    Parameters
    ----------
    locked_on : date
        The day.
    sha256 : str
        Of what decides the analysis; words, comments and order do not count.
    plan : dict
        The whole plan, part by part.
    made_with : dict of str to str
        Versions of evalkit and of the libraries that its estimators rest on.
    outcomes : dict
        ``there`` (bool or None: not looked at), ``latest`` (month, or None), ``says``.
    reason : str
        Why it was locked again; empty the first time.
    history : tuple of Lock
        The locks before this one, the first first.
    """

    locked_on: dt.date
    sha256: str
    plan: Mapping[str, Any]
    made_with: Mapping[str, str]
    outcomes: Mapping[str, Any]
    reason: str = ""
    history: tuple[Lock, ...] = field(default=(), repr=False)

    @property
    def intact(self) -> bool:
        """Whether the plan still has the hash that was written with it."""
        return plan_hash(self.plan) == self.sha256


def plan_hash(plan: Mapping[str, Any]) -> str:
    """Digest what decides the analysis.

    Parameters
    ----------
    plan : dict
        From `analysis_plan`.

    Returns
    -------
    str
        SHA-256; the same whatever the order, the comments, the titles and descriptions.
    """
    text = json.dumps(without_words(plan), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def lock_plan(
    study: Study, outcomes: Mapping[str, Any] | None = None, again: str | None = None, today: dt.date | None = None
) -> Lock:
    """Write the plan, its hash and the date into lock.json in the study's folder.

    Parameters
    ----------
    study : Study
        A validated plan.
    outcomes : dict, optional
        Whether outcomes are in already: ``there``, ``latest``, ``says``. Default: not looked at.
    again : str, optional
        Why the plan is locked again; the older lock is kept in the file.
    today : date, optional
        Default: today.

    Returns
    -------
    Lock
        As written: whole, or not at all.

    Raises
    ------
    StudyError
        The plan is locked already and no reason is given, or the file is not a lock.
    """
    old = read_lock(study)
    if old is not None and not (again or "").strip():
        raise StudyError(
            f"{shown(study.folder)} is locked since {words.day(old.locked_on)}. To lock another plan, say why: "
            '--again "REASON". The old plan is kept in the file.'
        )
    plan = analysis_plan(study)
    told = outcomes or {"there": None, "latest": None, "says": "Whether outcomes were in was not looked at."}
    new = Lock(
        locked_on=today or dt.date.today(),
        sha256=plan_hash(plan),
        plan=plan,
        made_with=_versions(),
        outcomes=dict(told),
        reason=(again or "").strip() if old is not None else "",
        history=() if old is None else (*old.history, _alone(old)),
    )
    _write(study.folder / FILE, {"what": WHAT, "study": study.id, **_as_dict(new)})
    return new


def read_lock(study: Study) -> Lock | None:
    """The lock of a study.

    Parameters
    ----------
    study : Study
        Whose folder is looked into.

    Returns
    -------
    Lock or None
        None where the plan was never locked.

    Raises
    ------
    StudyError
        lock.json is there and is not a lock.
    """
    path = study.folder / FILE
    if not path.is_file():
        return None
    try:
        return _from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise StudyError(
            f"{shown(path)} is not a lock that evalkit wrote, or is damaged. Take it from your records again; "
            "evalkit lock does not write over it."
        ) from None


def departures(study: Study, since: str = "last") -> list[Departure]:
    """Every departure of the study's plan from the locked one, in plain words.

    Parameters
    ----------
    study : Study
        As it is now.
    since : {"last", "first"}
        Which lock to compare with, where there are several.

    Returns
    -------
    list of Departure
        What decides the analysis first, then words only. Empty where nothing departs, or nothing was locked.

    Raises
    ------
    StudyError
        lock.json is not a lock.
    """
    lock = read_lock(study)
    if lock is None:
        return []
    if since == "first" and lock.history:
        lock = lock.history[0]
    found = compare(lock.plan, analysis_plan(study))
    if not lock.intact:
        says = f"{FILE} was changed by hand: its plan no longer has the hash that was written with it"
        found.insert(0, Departure(FILE, "", "", f"{says}.", "changed"))
    return sorted(found, key=lambda one: one.words_only)


def lock_says(study: Study) -> list[str]:
    """What a report says about the lock: one sentence or more.

    Parameters
    ----------
    study : Study
        As it is now.

    Returns
    -------
    list of str
        "The plan was not locked."; or when it was, whether outcomes were in, how often it was locked again and why,
        and how many departures there are.
    """
    lock = read_lock(study)
    if lock is None:
        return [NOT_LOCKED]
    first = lock.history[0] if lock.history else lock
    says = [f"The plan was locked on {words.day(first.locked_on)}.", str(first.outcomes.get("says") or "")]
    for one in (*lock.history[1:], *([lock] if lock.history else [])):
        says.append(f"It was locked again on {words.day(one.locked_on)}: {one.reason.rstrip('.')}.")
        says.append(str(one.outcomes.get("says") or ""))
    found = [one for one in departures(study) if not one.words_only]
    count = "1 departure" if len(found) == 1 else f"{len(found) or 'no'} departures"
    return [*(text for text in says if text), f"There {'is' if len(found) == 1 else 'are'} {count} from it since."]


# ---------------------------------------------------------------- the file


def _versions() -> dict[str, str]:
    """Of evalkit and what its estimators rest on."""
    found = {}
    for name in MADE_WITH:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _alone(lock: Lock) -> Lock:
    """Without its history."""
    return Lock(lock.locked_on, lock.sha256, lock.plan, lock.made_with, lock.outcomes, lock.reason)


def _as_dict(lock: Lock) -> dict[str, Any]:
    """As it stands in the file."""
    return {
        "locked_on": lock.locked_on.isoformat(),
        "reason": lock.reason,
        "sha256": lock.sha256,
        "outcomes": dict(lock.outcomes),
        "made_with": dict(lock.made_with),
        "plan": lock.plan,
        "history": [_as_dict(old) for old in lock.history],
    }


def _from_dict(raw: dict[str, Any]) -> Lock:
    """As it was."""
    return Lock(
        locked_on=dt.date.fromisoformat(raw["locked_on"]),
        sha256=str(raw["sha256"]),
        plan=dict(raw["plan"]),
        made_with=dict(raw["made_with"]),
        outcomes=dict(raw["outcomes"]),
        reason=str(raw.get("reason", "")),
        history=tuple(_from_dict(old) for old in raw.get("history", [])),
    )


def _write(path: Path, content: dict[str, Any]) -> None:
    """Aside first, then into place."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        aside.write_text(text, encoding="utf-8", newline="\n")
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
