"""The kinds of measure: each is one function on a list, from the plan of a measure to its readings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit import library
from evalkit.errors import DataError, Flag, StudyError, did_you_mean
from evalkit.outcomes import instruments
from evalkit.outcomes.alignment import dated_readings
from evalkit.outcomes.ground import Found, Ground, Reading, amounts, dates, ids, lines
from evalkit.outcomes.states import days_in_state
from evalkit.words import listed, month, number

if TYPE_CHECKING:
    from evalkit.study.model import Measure, Occasion

Earlier = dict[str, Found]
Kind = Callable[[Ground, "Measure", Earlier], Found]
KINDS: dict[str, Kind] = {}


def kind(name: str) -> Callable[[Kind], Kind]:
    """Put a kind of measure on the list, under the key by which a measure asks for it."""

    def put(function: Kind) -> Kind:
        KINDS[name] = function
        return function

    return put


def read_measure(ground: Ground, measure: Measure, earlier: Earlier) -> Found:
    """Read one measure for everyone in the cohort.

    Parameters
    ----------
    ground : Ground
        The cohort and its tables.
    measure : Measure
        The plan.
    earlier : dict of str to Found
        Measures already read, for those that rest on another.

    Returns
    -------
    Found
        One Reading per occasion, or a single one.

    Raises
    ------
    StudyError, DataError
        The plan cannot be carried out on these tables, or no value is there at all.
    """
    name = next((key for key in KINDS if getattr(measure, key) is not None), None)
    if name is None:
        raise StudyError(f"says nothing to measure. Give one of {listed(list(KINDS), last='or')}.")
    found = KINDS[name](ground, measure, earlier)
    if not any(np.isfinite(reading.values).any() for reading in found.readings):
        raise DataError("every value is missing for the people of the cohort. Check table, ids and windows.")
    return found


def _about(measure: Measure, **default: Any) -> dict[str, Any]:
    """What a measure is, the study's own words first."""
    facts = {"unit": "", "better": "higher", "values": "score", "title": measure.id, "kind": "measure"} | default
    given = {name: getattr(measure, name) for name in ("unit", "better", "values", "title")}
    return facts | {name: value for name, value in given.items() if value}


def _occasions(ground: Ground, measure: Measure) -> list[Occasion]:
    """The occasions at which a measure is read: the one it names, or all."""
    named = [occasion for occasion in ground.study.occasion if measure.occasion in (None, occasion.id)]
    if not named:
        raise StudyError("has dated readings and the study has no such [[occasion]]. Say on which days it is read.")
    return named


def _once(ground: Ground, measure: Measure, values: np.ndarray) -> Reading:
    return Reading(measure.id, measure.id, measure.occasion or "", values)


# ---------------------------------------------------------------- instrument


@kind("instrument")
def _instrument(ground: Ground, measure: Measure, _: Earlier) -> Found:
    """Item answers, scored by the shelf's keys, one form per person and date."""
    if measure.table is None:
        raise StudyError('names an instrument and no table. Write table = "..." (one row per person and date).')
    keys = library.load("instruments", measure.instrument)  # type: ignore[arg-type]
    scale = instruments.main_scale(keys, measure.scale)
    forms = _informants(ground, measure, ground.need(measure.table, [measure.date]))
    where = ground.where(measure.table)
    codes = instruments.answers(
        forms, keys, measure.items, measure.coding, where, lambda rows: lines(forms.index[rows])
    )
    rows = pd.DataFrame(
        {
            "person": ground.positions(measure.table)[forms.index],
            "date": dates(forms[measure.date], where).to_numpy(),
            "value": instruments.scores(codes, keys, len(forms))[scale["id"]],
        }
    )
    occasions = _occasions(ground, measure)
    readings, flags = dated_readings(ground, measure.id, rows, occasions)
    flags += _coding_flags(measure, keys, codes) + _period_flags(measure, keys, readings)
    title = measure.title or f"{keys['title']}: {scale['title']}"
    about = _about(measure, unit=keys["unit"], better=scale.get("better", keys["better"]), values=keys["values"])
    return Found(readings, about | {"title": title}, flags)


def _informants(ground: Ground, measure: Measure, table: pd.DataFrame) -> pd.DataFrame:
    """The forms of one informant, never a silent mixture; rows are numbered as in the file."""
    table = table.reset_index(drop=True)
    if "informant" not in table.columns:
        return table
    present = sorted(table["informant"].dropna().astype("str").unique())
    if not measure.informant and len(present) > 1:
        raise DataError(
            f"{ground.where(str(measure.table))} holds forms of {listed(present)}, which are not to be mixed. "
            'Say whose this measure is: informant = "...".'
        )
    if measure.informant and measure.informant not in present:
        raise DataError(
            f'{ground.where(str(measure.table))} has no informant "{measure.informant}". '
            f"{did_you_mean(measure.informant, present)}"
        )
    return table[table["informant"].astype("str") == measure.informant] if measure.informant else table


def _coding_flags(measure: Measure, keys: dict[str, Any], codes: dict[str, np.ndarray]) -> list[Flag]:
    """Reversing twice is silent, since the range does not change; it shows where reversed items oppose their scale."""
    opposed = [item for item in keys["reverse"] if _opposes(item, keys, codes)]
    if not keys["reverse"] or len(opposed) <= len(keys["reverse"]) / 2:
        return []
    text = f"Most reversed items of {keys['id']} run against the rest of their scale: the coding may be wrong."
    other = "as_scored" if measure.coding == "as_ticked" else "as_ticked"
    detail = (
        f'Read as coding = "{measure.coding}". If the keys were applied before, or were not, write coding = "{other}".'
    )
    return [Flag("outcomes", "serious", text, detail, measure.id)]


def _opposes(item: str, keys: dict[str, Any], codes: dict[str, np.ndarray]) -> bool:
    scale = next(scale for scale in keys["scale"] if item in scale.get("items", []))
    others = [codes[other] for other in scale["items"] if other not in keys["reverse"]]
    rest = np.sum(others, axis=0)
    full = (codes[item] >= 0) & np.all([other >= 0 for other in others], axis=0)
    if full.sum() < 20 or codes[item][full].std() == 0 or rest[full].std() == 0:
        return False
    return bool(np.corrcoef(codes[item][full], rest[full])[0, 1] < 0)


def _period_flags(measure: Measure, keys: dict[str, Any], readings: list[Reading]) -> list[Flag]:
    period = keys.get("reference_period", {})
    before, after = period.get("baseline"), period.get("follow_up")
    if before == after or len(readings) < 2:
        return []
    text = f"The follow-up form of {keys['id']} looks back {after}, the baseline form {before}."
    detail = "Part of any change from baseline may come from the form; both arms answer the same forms."
    return [Flag("outcomes", "note", text, detail, measure.id)]


# ---------------------------------------------------------------- columns


@kind("columns")
def _columns(ground: Ground, measure: Measure, _: Earlier) -> Found:
    """A column per occasion of a table with one row per person."""
    planned = {occasion.id for occasion in ground.study.occasion}
    readings = []
    for occasion, column in measure.columns.items():  # type: ignore[union-attr]
        if occasion not in planned:
            raise StudyError(f'columns names the occasion "{occasion}". {did_you_mean(occasion, planned)}')
        values = _person_column(ground, measure.table, column)
        readings.append(Reading(f"{measure.id}@{occasion}", measure.id, occasion, values))
    return Found(readings, _about(measure))


@kind("column")
def _column(ground: Ground, measure: Measure, _: Earlier) -> Found:
    """A number as it stands: once per person, or dated readings where its table has dates and there are occasions."""
    column = str(measure.column)
    if measure.table and ground.study.occasion and _is_dated(ground, measure):
        table = ground.need(measure.table, [column, measure.date]).reset_index(drop=True)
        where = ground.where(measure.table)
        rows = pd.DataFrame(
            {
                "person": ground.positions(measure.table),
                "date": dates(table[measure.date], where).to_numpy(),
                "value": amounts(table[column], where),
            }
        )
        readings, flags = dated_readings(ground, measure.id, rows, _occasions(ground, measure))
        return Found(readings, _about(measure), flags)
    values = _person_column(ground, measure.table, column)
    yes_no = bool(np.isin(values[np.isfinite(values)], (0, 1)).all())
    return Found([_once(ground, measure, values)], _about(measure, values="yes or no" if yes_no else "score"))


def _is_dated(ground: Ground, measure: Measure) -> bool:
    start = ground.study.cohort.index.table  # type: ignore[union-attr]
    return measure.table != start and measure.date in ground.table(str(measure.table)).columns


def _person_column(ground: Ground, table: str | None, column: str) -> np.ndarray:
    """A column with one value per person, from the cohort itself or from another table."""
    if table is None or table == ground.study.cohort.index.table:  # type: ignore[union-attr]
        frame = ground.cohort.table
        if column not in frame.columns:
            raise DataError(f'The cohort has no column "{column}". {did_you_mean(column, frame.columns)}')
        return amounts(frame[column].reset_index(drop=True), "the cohort")
    source = ground.need(table, [column]).reset_index(drop=True)
    position = ground.positions(table)
    repeated = np.flatnonzero(pd.Series(position).duplicated() & (position >= 0))
    if len(repeated):
        raise DataError(
            f"{ground.where(table)}, {instruments.rows_in_words(lines(repeated))}: the person stands there again. "
            "Keep one row per person, or give the table a date column."
        )
    values = np.full(len(ground.people), np.nan)
    values[position[position >= 0]] = amounts(source[column], ground.where(table))[position >= 0]
    return values


# ---------------------------------------------------------------- days, rules, improvement


@kind("days_in")
def _days_in(ground: Ground, measure: Measure, _: Earlier) -> Found:
    """Days in a state from the index date on; the window's last day is the day before its end."""
    plan: Any = measure.days_in
    person = ground.study.cohort.person  # type: ignore[union-attr]
    table = ground.need(plan.table, [person, plan.start, plan.end, plan.state_column]).reset_index(drop=True)
    states = table[plan.state_column].astype("str")
    if plan.state not in set(states):
        known = did_you_mean(plan.state, states.dropna().unique())
        raise DataError(f'{ground.where(plan.table)} has no state "{plan.state}". {known}')
    here = (states == plan.state).to_numpy()
    where = ground.where(plan.table)
    start, end = dates(table[plan.start], where), dates(table[plan.end], where)
    _checked_spells(where, plan, start, end, here)
    spells = pd.DataFrame({"person": ids(table[person]), "start": start, "end": end})[here]
    opens = ground.index_date
    closes = opens + pd.Timedelta(days=plan.window_days)
    windows = pd.DataFrame({"person": ground.people.to_numpy(), "start": opens, "end": closes})
    values = days_in_state(spells, windows).to_numpy()
    flags = _horizon_flags(ground, measure, closes, start, end)
    return Found([_once(ground, measure, values)], _about(measure, unit="days", values="amount"), flags)


def _checked_spells(where: str, plan: Any, start: pd.Series, end: pd.Series, here: np.ndarray) -> None:
    absent = np.flatnonzero(start.isna().to_numpy() & here)
    if len(absent):
        raise DataError(
            f'{where}: column "{plan.start}", {instruments.rows_in_words(lines(absent))}: no date. Give it.'
        )
    backwards = np.flatnonzero((end < start).to_numpy() & here)
    if len(backwards):
        rows = instruments.rows_in_words(lines(backwards))
        raise DataError(f'{where}, {rows}: "{plan.end}" is before "{plan.start}". Correct the dates.')


def _horizon_flags(ground: Ground, measure: Measure, closes: pd.Series, start: pd.Series, end: pd.Series) -> list[Flag]:
    """Windows that run past the last date in the data see less than they claim."""
    last = _last_date(ground, [start, end])
    past = int((closes > last + pd.Timedelta(days=1)).sum())
    if not past:
        return []
    of = f"{ground.says(past)} of {ground.says(len(closes))} people"
    text = f"The window of {of} runs past the last date in the data."
    detail = (
        f"The data end in {month(last.date())}. Later days count as in the state where an episode has no end, "
        "and as not in it elsewhere."
    )
    return [Flag("outcomes", "caution", text, detail, measure.id)]


def _last_date(ground: Ground, also: list[pd.Series]) -> pd.Timestamp:
    columns = [frame[name] for frame in ground.cohort.tables.values() for name in frame.select_dtypes("datetime")]
    return max(column.max() for column in [*columns, *also] if column.notna().any())


@kind("rule")
def _rule(ground: Ground, measure: Measure, _: Earlier) -> Found:
    """Yes or no by the cohort's rule language; missing where the rule cannot be answered."""
    answers = ground.cohort.rule_answers(str(measure.rule))
    by_person = pd.Series(answers.to_numpy(dtype=float, na_value=np.nan), index=ids(answers.index.to_series()))
    values = by_person.reindex(ground.people.to_numpy()).to_numpy()
    return Found([_once(ground, measure, values)], _about(measure, values="yes or no"))


@kind("improved")
def _improved(ground: Ground, measure: Measure, earlier: Earlier) -> Found:
    """Whether another measure got better by at least so much; missing where either reading is."""
    plan: Any = measure.improved
    name, _, at = plan.measure.partition("@")
    if name not in earlier:
        raise StudyError(f'improved names the measure "{plan.measure}". {did_you_mean(name, earlier)}')
    found = earlier[name]
    readings = {reading.occasion: reading for reading in found.readings}
    end = at or measure.occasion or _last(ground, readings)
    for occasion in (plan.start, end):
        if occasion not in readings:
            raise StudyError(f'improved: "{name}" has no reading at "{occasion}". {did_you_mean(occasion, readings)}')
    sign = -1 if found.about["better"] == "lower" else 1
    gain = sign * (readings[end].values - readings[plan.start].values)
    values = np.where(np.isnan(gain), np.nan, gain >= plan.by - 1e-9)
    reading = Reading(measure.id, measure.id, end, values, readings[end].dates)
    title = f"{found.about['title']} better by at least {number(plan.by, 0 if float(plan.by).is_integer() else 1)}"
    return Found([reading], _about(measure, values="yes or no", title=title))


def _last(ground: Ground, readings: dict[str, Reading]) -> str:
    days = {occasion.id: occasion.day for occasion in ground.study.occasion}
    return max(readings, key=lambda occasion: days.get(occasion, 0))
