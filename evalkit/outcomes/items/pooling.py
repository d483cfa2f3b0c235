"""Whether readings of several services may be put together: a refusal, with the reason, for what is not comparable."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from evalkit.errors import DataError, EvalkitWarning, Flag, did_you_mean, several
from evalkit.words import listed

_MUST_AGREE = ("instrument", "informant", "version", "unit")
_NEEDED = (*_MUST_AGREE, "standardised")
_SHOWN = 5
_PLURAL = {"instrument": "instruments", "informant": "informants", "version": "versions", "unit": "units"}
_REMEDY = {
    "instrument": "Use the instrument all services share",
    "informant": "Pool each informant by itself",
    "version": "Pool each version by itself, or score all by the items they share",
    "unit": "Bring all to one unit",
}
_STANDARDISE = (
    "bring all to one scale: standardise each measure on the same reference group (cluster_index with that reference) "
    "and name the reference in the column standardised, or convert by a published crosswalk and describe the result"
)


@dataclass(frozen=True, eq=False)
class Poolable:
    """Whether readings may be pooled, and why not.

    Attributes
    ----------
    allowed : bool
        Whether they may.
    reason : str
        What differs and what would make it comparable; or why it may be pooled.
    differs : DataFrame
        One row per column that differs and value found: ``what``, ``value``, ``where``.
    flags : tuple of Flag
        What a reader of the pooled figure must know.
    """

    allowed: bool
    reason: str
    differs: pd.DataFrame
    flags: tuple[Flag, ...] = field(default=())

    def __repr__(self) -> str:
        return f"Poolable({'yes' if self.allowed else 'no'}: {self.reason})"


def poolable(described: pd.DataFrame) -> Poolable:
    """Judge whether readings described row by row may be pooled.

    Parameters
    ----------
    described : DataFrame, one row per set of readings (a service, a study)
        ``instrument``, ``informant``, ``version``, ``unit`` and ``standardised``: empty or False for raw readings, or
        the name of the reference group on which they were standardised (True with a column ``reference`` does as
        well). The index, or a column ``service``, names the sets in messages. What does not apply to any set (no
        informant, no version) is left empty in all.

    Returns
    -------
    Poolable
        Allowed where instrument, informant, version and unit are one, or where all are standardised on one named
        reference.

    Raises
    ------
    DataError
        A column is missing, the table is empty, or an instrument is not named.
    """
    table = _checked(described)
    names = table["service"] if "service" in table.columns else pd.Series(table.index, index=table.index)
    names = names.astype(str)
    differs = _differences(table, names)
    reference = _references(table)
    what = list(dict.fromkeys(differs["what"]))
    if "standardised" in what:
        return Poolable(False, _refused(table, names, what), differs)
    if not what:
        return Poolable(True, _alike(table, reference), differs)
    if reference.iloc[0] == "":
        return Poolable(False, _refused(table, names, what), differs)
    if reference.iloc[0] == _UNNAMED:
        text = (
            "All are standardised, but not said on which reference group; units of different groups are not one unit. "
        )
        return Poolable(False, text + "Name the reference in the column standardised.", differs)
    return _standardised(table, what, str(reference.iloc[0]), differs)


def check_poolable(described: pd.DataFrame) -> tuple[Flag, ...]:
    """Refuse to pool what is not comparable.

    Parameters
    ----------
    described : DataFrame
        As in `poolable`.

    Returns
    -------
    tuple of Flag
        What a reader of the pooled figure must know; empty where all sets are alike.

    Raises
    ------
    DataError
        The sets may not be pooled: what differs, where, and what would make them comparable.
    """
    judged = poolable(described)
    if not judged.allowed:
        raise DataError(f"These readings cannot be pooled. {judged.reason}")
    return judged.flags


def pool_readings(frames: Mapping[str, pd.DataFrame], described: pd.DataFrame) -> pd.DataFrame:
    """Put the readings of several services into one table, if they may be pooled.

    Parameters
    ----------
    frames : mapping of str to DataFrame
        By service: its readings, all with the same columns and without a column ``service``.
    described : DataFrame, one row per service
        As in `poolable`, by service in the index or in a column ``service``.

    Returns
    -------
    DataFrame
        All rows, numbered from 0, with ``service`` first. What a reader of the pooled figure must know stands in
        ``.attrs["flags"]`` (tuple of Flag) and is warned of (EvalkitWarning). Ids of persons are not looked at: the
        same id in two services is two people, or one, as the reader knows.

    Raises
    ------
    DataError
        What is not comparable, as in `check_poolable`; services that are not described, or described and not given;
        columns that differ.
    """
    described = described.set_index("service") if "service" in described.columns else described
    _same_services(frames, described)
    _same_columns(frames)
    flags = check_poolable(described)
    parts = [frame.assign(service=name)[["service", *frame.columns]] for name, frame in frames.items()]
    pooled = pd.concat(parts, ignore_index=True)
    pooled.attrs["flags"] = flags
    for flag in flags:
        warnings.warn(f"{flag.text} {flag.detail}".strip(), EvalkitWarning, stacklevel=2)
    return pooled


def _same_services(frames: Mapping[str, pd.DataFrame], described: pd.DataFrame) -> None:
    """Each service is described once, and each that is described is there."""
    given, named = [str(name) for name in frames], described.index.astype(str)
    problems = [f'"{name}" is not described. Add its row.' for name in given if name not in set(named)]
    problems += [f'"{name}" is described and has no readings. Give them, or take its row out.'
                 for name in dict.fromkeys(named) if name not in given]  # fmt: skip
    problems += [f'"{name}" is described more than once. Pool it by itself first.'
                 for name in dict.fromkeys(named[named.duplicated()])]  # fmt: skip
    if problems or not given:
        raise DataError(several("The readings to be pooled", problems or ["There are none. Give a frame by service."]))


def _same_columns(frames: Mapping[str, pd.DataFrame]) -> None:
    """A column that one service lacks would be missing for all its people without a word."""
    first, *others = frames
    wanted = set(frames[first].columns)
    problems = []
    if any("service" in frame.columns for frame in frames.values()):
        problems = ['A frame has a column "service" of its own. Rename it.']
    for name in others:
        if apart := sorted(map(str, wanted ^ set(frames[name].columns))):
            shown = listed([f'"{column}"' for column in apart[:_SHOWN]])
            problems.append(f'"{first}" and "{name}" differ in the columns {shown}. Give both the same.')
    if problems:
        raise DataError(several("The readings to be pooled", problems))


_UNNAMED = "(unnamed)"


def _checked(described: pd.DataFrame) -> pd.DataFrame:
    problems = [
        f'There is no column "{column}". {did_you_mean(column, described.columns)}'
        for column in _NEEDED
        if column not in described.columns
    ]
    if not problems and not len(described):
        problems = ["It has no rows, so there is nothing to pool. Describe each set of readings in a row."]
    if not problems and (blank := int(_words(described["instrument"]).eq("").sum())):
        problems = [f"{blank} of {len(described)} rows name no instrument. Name it: what is not known is not pooled."]
    if problems:
        raise DataError(several("The description of what is to be pooled", problems))
    return described


def _words(column: pd.Series) -> pd.Series:
    """As text without outer blanks, empty where missing."""
    return column.astype("object").where(column.notna(), "").astype(str).str.strip()


def _references(table: pd.DataFrame) -> pd.Series:
    """The reference each set is standardised on: empty for raw readings."""
    said = _words(table["standardised"])
    low = said.str.lower()
    reference = _words(table["reference"]) if "reference" in table.columns else pd.Series("", index=table.index)
    named = said.mask(low.isin(["false", "no", "0", "0.0"]), "")
    return named.mask(low.isin(["true", "yes", "1", "1.0"]), reference.mask(reference.eq(""), _UNNAMED))


def _differences(table: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    """Each column with more than one value: which value stands where."""
    rows = []
    columns = {column: _words(table[column]) for column in _MUST_AGREE} | {"standardised": _references(table)}
    for what, values in columns.items():
        found = list(dict.fromkeys(values))
        if len(found) > 1:
            where = [list(names[(values == value).to_numpy()]) for value in found]
            rows += [{"what": what, "value": value, "where": one} for value, one in zip(found, where, strict=True)]
    return pd.DataFrame(rows, columns=["what", "value", "where"])


def _refused(table: pd.DataFrame, names: pd.Series, what: list[str]) -> str:
    """All that differs, and the ways out."""
    found = _differences(table, names)
    parts, ways = [], []
    for one in what:
        rows = found[found["what"] == one]
        kinds = [
            f"{_said(one, value)} ({_some(where)})" for value, where in zip(rows["value"], rows["where"], strict=True)
        ]
        if one == "standardised":
            parts.append(f"some are standardised and some are not, or on different references: {listed(kinds)}")
            ways.append("Standardise all on one reference, or none")
        else:
            parts.append(f"{len(rows)} {_PLURAL[one]}: {listed(kinds)}")
            ways.append(_REMEDY[one])
    return f"They differ: {'; '.join(parts)}. {'. '.join(ways)}. Or {_STANDARDISE}."


def _said(what: str, value: str) -> str:
    if value:
        return f'"{value}"' if value != _UNNAMED else "standardised on a reference that is not named"
    return "raw readings" if what == "standardised" else "not stated"


def _some(names: list[str]) -> str:
    return listed(names) if len(names) <= _SHOWN else f"{', '.join(names[:_SHOWN])} and {len(names) - _SHOWN} more"


def _alike(table: pd.DataFrame, reference: pd.Series) -> str:
    instrument = _words(table["instrument"]).iloc[0]
    on = f', standardised on "{reference.iloc[0]}"' if reference.iloc[0] not in ("", _UNNAMED) else ""
    return f'All are "{instrument}" with one informant, version and unit{on}.'


def _standardised(table: pd.DataFrame, what: list[str], reference: str, differs: pd.DataFrame) -> Poolable:
    """Allowed, with what the reader must know."""
    reason = f'All are standardised on "{reference}", though {listed([_PLURAL[one] for one in what])} differ.'
    if not {"instrument", "informant", "version"} & set(what):
        return Poolable(True, reason, differs)
    kinds = listed(sorted(set(_words(table["instrument"]))))
    text = f"Pooled in standard deviations over different {listed([_PLURAL[one] for one in what])}."
    detail = f'Reference "{reference}"; instruments: {kinds}. This supposes that they measure the same thing.'
    return Poolable(True, reason, differs, (Flag("outcomes", "caution", text, detail),))
