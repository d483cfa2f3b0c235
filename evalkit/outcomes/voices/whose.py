"""Whose outcomes these are: who proposed each, who reports it, about whom, and what is paid for or never measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from evalkit.errors import DataError, Flag, did_you_mean, nearest, several
from evalkit.words import listed

SERVICE_USERS, PROVIDER, COMMISSIONER, INVESTOR = "service users", "provider", "commissioner", "investor"
NOT_SAID = "not said"
PAYERS = (COMMISSIONER, INVESTOR)
_WORDS = {
    SERVICE_USERS: "service user;client;participant;beneficiary;beneficiaries;child;children;young people;young person;"
    "parent;carer;family;families;children and families;people with lived experience",
    PROVIDER: "providers;service provider;delivery partner;charity;charities;practitioner;staff",
    COMMISSIONER: "commissioners;council;local authority;local authorities;government;outcome payer;outcomes payer;"
    "payer;department",
    INVESTOR: "investors;fund manager;social investor;intermediary;funder",
}
GROUPS = {word: group for group, words in _WORDS.items() for word in (group, *words.split(";"))}
_ANSWERS = {"true": True, "yes": True, "1": True, "1.0": True, "false": False, "no": False, "0": False, "0.0": False}
COLUMNS = ("id", "title", "proposed_by", "informant", "about", "paid", "measured", "valued")
PLACES = ("paid for", "measured but not paid", "valued but unmeasured")


@dataclass(frozen=True, eq=False)
class WhoseOutcomes:
    """Who stands behind each outcome.

    Attributes
    ----------
    table : DataFrame
        A row per outcome: ``id``, ``title``, ``proposed_by`` (as written), ``proposer`` (one of the four groups, what
        was written where it is another, or "not said"), ``informant``, ``about``, ``paid``, ``measured``, ``valued``
        (who values it), ``place`` (one of `PLACES`, or "" where it is neither measured nor valued).
    matrix : DataFrame
        A row per proposer, a column per place: titles in words.
    counts : DataFrame
        The same with numbers of outcomes.
    flags : tuple of Flag
        Whose voice is missing.
    """

    table: pd.DataFrame
    matrix: pd.DataFrame
    counts: pd.DataFrame
    flags: tuple[Flag, ...]

    def _repr_html_(self) -> str:
        told = "".join(f"<li>{escape(flag.text)}</li>" for flag in self.flags)
        return self.matrix.to_html(border=0) + (f"<ul>{told}</ul>" if told else "")


def whose_outcomes(measures: Sequence[Mapping[str, Any]] | pd.DataFrame) -> WhoseOutcomes:
    """Say of each outcome who proposed it, who reports it, about whom, and whether it is paid for.

    Parameters
    ----------
    measures : sequence of dict, or DataFrame
        ``id`` and, as far as known: ``title``; ``proposed_by`` (service users, provider, commissioner, investor, or
        others; several with ";"); ``informant``, who reports it; ``about``, for whom (child, sibling, carer,
        community); ``paid`` (True where a payment hangs on it); ``measured`` (default True); ``valued``, who values it.

    Returns
    -------
    WhoseOutcomes
        ``table``, ``matrix``, ``counts`` and ``flags``.

    Raises
    ------
    DataError
        No outcomes, an id missing or twice, an unknown column, or a proposer that is a misspelt group.

    Notes
    -----
    An outcome proposed by several groups stands in the row of each. Words such as "young people" or "council" are read
    as the group they belong to.
    """
    table = _table(measures)
    long = table.assign(proposer=table["proposer"].str.split("; ")).explode("proposer")
    return WhoseOutcomes(table, _matrix(long), _counts(long), tuple(_flags(table)))


def paid_measured_valued(measures: Sequence[Mapping[str, Any]] | pd.DataFrame) -> pd.DataFrame:
    """Lay out what is paid for, measured but not paid, and valued but unmeasured, by who proposed it.

    Parameters
    ----------
    measures : sequence of dict, or DataFrame
        As `whose_outcomes`.

    Returns
    -------
    DataFrame
        A row per proposer, a column per place; each cell holds titles in words.
    """
    return whose_outcomes(measures).matrix


# ---------------------------------------------------------------- reading


def _table(measures: Sequence[Mapping[str, Any]] | pd.DataFrame) -> pd.DataFrame:
    given = measures if isinstance(measures, pd.DataFrame) else pd.DataFrame([dict(one) for one in measures])
    problems = _problems(given)
    if problems:
        raise DataError(several("The list of outcomes", problems))
    table = pd.DataFrame({"id": given["id"].astype(str).to_numpy()})
    for name in ("title", "proposed_by", "informant", "about"):
        table[name] = [_text(value) for value in given[name]] if name in given else ""
    table["title"] = table["title"].where(table["title"] != "", table["id"])
    table["paid"] = _yes(given, "paid", False)
    table["measured"] = _yes(given, "measured", True)
    table["valued"] = [_valued(value) for value in given["valued"]] if "valued" in given else ""
    table["proposer"] = [_proposer(text) for text in table["proposed_by"]]
    table["place"] = [_place(*row) for row in zip(table["paid"], table["measured"], table["valued"], strict=True)]
    return table


def _problems(given: pd.DataFrame) -> list[str]:
    if not len(given):
        return ["It is empty. Give one entry per outcome."]
    if "id" not in given or given["id"].isna().any():
        return ["An outcome has no id. Name each."]
    problems = [f'"{name}" is not known. {did_you_mean(str(name), COLUMNS)}' for name in given if name not in COLUMNS]
    twice = given["id"][given["id"].duplicated()].astype(str).unique().tolist()
    problems += [f'"{name}" is listed twice. List each outcome once.' for name in twice]
    for name in ("paid", "measured"):
        strange = sum(_text(value).lower() not in {"", *_ANSWERS} for value in given.get(name, []))
        if strange:
            problems.append(f'"{name}" is neither yes nor no in {strange} rows. Write true or false.')
    words = {word for text in given.get("proposed_by", []) for word in _words(_text(text))}
    for word in sorted(words):
        meant = nearest(word, GROUPS, 0.85)
        if _group(word) is None and meant is not None:
            problems.append(f'proposed_by "{word}" is not known. Did you mean "{meant}"?')
    return problems


def _text(value: Any) -> str:
    if isinstance(value, list | tuple | set):
        return "; ".join(str(one) for one in value)
    return "" if value is None or pd.isna(value) else str(value).strip()


def _yes(given: pd.DataFrame, name: str, default: bool) -> list[bool]:
    if name not in given:
        return [default] * len(given)
    return [default if _text(value) == "" else _ANSWERS[_text(value).lower()] for value in given[name]]


def _valued(value: object) -> str:
    """Who values it; True says only that somebody does."""
    text = _text(value)
    return {"True": "yes", "False": ""}.get(text, text)


def _words(text: str) -> list[str]:
    return [word.strip().lower() for word in text.split(";") if word.strip()]


def _group(word: str) -> str | None:
    return GROUPS.get(word, GROUPS.get(word.removesuffix("s")))


def _proposer(text: str) -> str:
    return "; ".join(dict.fromkeys(_group(word) or word for word in _words(text))) or NOT_SAID


def _place(paid: bool, measured: bool, valued: str) -> str:
    if paid:
        return PLACES[0]
    if measured:
        return PLACES[1]
    return PLACES[2] if valued else ""


# ---------------------------------------------------------------- laying out


def _rows(long: pd.DataFrame) -> list[str]:
    others = [one for one in dict.fromkeys(long["proposer"]) if one not in (*_WORDS, NOT_SAID)]
    return [*_WORDS, *others, *([NOT_SAID] if (long["proposer"] == NOT_SAID).any() else [])]


def _matrix(long: pd.DataFrame) -> pd.DataFrame:
    cells = {place: [_titles(long, one, place) for one in _rows(long)] for place in PLACES}
    return pd.DataFrame(cells, index=pd.Index(_rows(long), name="proposed by"))


def _titles(long: pd.DataFrame, proposer: str, place: str) -> str:
    return listed(long.loc[(long["proposer"] == proposer) & (long["place"] == place), "title"].tolist())


def _counts(long: pd.DataFrame) -> pd.DataFrame:
    counts = pd.crosstab(long["proposer"], long["place"])
    return counts.reindex(index=_rows(long), columns=list(PLACES), fill_value=0).rename_axis("proposed by", axis=0)


def _flags(table: pd.DataFrame) -> list[Flag]:
    groups = table["proposer"].str.split("; ")
    asked = groups.map(lambda found: SERVICE_USERS in found)
    return [
        *_not_said(table),
        *_nobody_asked(table, asked),
        *_payers_only(table, groups),
        *_unmeasured(table),
        *_one_view(table),
    ]


def _not_said(table: pd.DataFrame) -> list[Flag]:
    silent = table.loc[table["proposer"] == NOT_SAID, "title"].tolist()
    if not silent:
        return []
    text = f"It is not said who proposed {'any outcome' if len(silent) == len(table) else listed(silent)}."
    return [Flag("outcomes", "note", text, 'Write proposed_by = "service users", "provider", "commissioner" ...')]


def _nobody_asked(table: pd.DataFrame, asked: pd.Series) -> list[Flag]:
    if (table["proposer"] == NOT_SAID).all():
        return []
    if not asked.any():
        text = "No outcome was proposed by the people the service is for."
        return [Flag("outcomes", "caution", text, "What is measured may not be what matters to them.")]
    if not (asked & table["measured"]).any():
        titles = listed(table.loc[asked, "title"].tolist())
        return [Flag("outcomes", "caution", f"None of what service users proposed is measured: {titles}.")]
    return []


def _payers_only(table: pd.DataFrame, groups: pd.Series) -> list[Flag]:
    paid = groups[table["paid"]]
    if paid.empty or not paid.map(lambda found: set(found) <= set(PAYERS)).all():
        return []
    text = "Every outcome that is paid for was proposed by those who pay or invest."
    return [Flag("outcomes", "caution", text, listed(table.loc[table["paid"], "title"].tolist()))]


def _unmeasured(table: pd.DataFrame) -> list[Flag]:
    flags = []
    paid = table.loc[table["paid"] & ~table["measured"], "title"].tolist()
    if paid:
        text = f"Paid for but not measured here: {listed(paid)}."
        flags.append(Flag("outcomes", "serious", text, "A payment rests on something this evaluation cannot see."))
    valued = table.loc[table["place"] == PLACES[2], "title"].tolist()
    if valued:
        text = f"Valued but not measured: {listed(valued)}."
        flags.append(Flag("outcomes", "caution", text, "No finding says anything about it."))
    return flags


def _one_view(table: pd.DataFrame) -> list[Flag]:
    measured = table[table["measured"]]
    flags = []
    for column, told in (("informant", "reported by"), ("about", "about")):
        found = [one for one in measured[column].unique() if one]
        if len(measured) > 1 and len(found) == 1 and (measured[column] != "").all():
            flags.append(Flag("outcomes", "note", f'Every outcome that is measured is {told} one group: "{found[0]}".'))
    return flags
