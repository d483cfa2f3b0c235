"""Forms of an instrument in a study's table: one per person and date, scored and given their occasions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit.errors import DataError, Flag, StudyError, did_you_mean
from evalkit.outcomes.alignment import dated_readings
from evalkit.outcomes.ground import Forms, Found, Ground, Reading, dates, lines
from evalkit.outcomes.kinds import Earlier, about, kind, occasions_of
from evalkit.outcomes.questionnaires.answers import Answers
from evalkit.outcomes.questionnaires.goals import same_goals
from evalkit.outcomes.questionnaires.instruments import INFORMANTS, empty_scales, scored
from evalkit.outcomes.questionnaires.keys import items_of, measure_keys, questionnaire, scale_entry
from evalkit.words import listed

if TYPE_CHECKING:
    from evalkit.study.model import Measure

_SHOWN = 5


@kind("instrument")
def instrument(ground: Ground, measure: Measure, _: Earlier) -> Found:
    """Score item answers by the shelf's keys, one form per person and date.

    Parameters
    ----------
    ground : Ground
        The cohort and its tables.
    measure : Measure
        The plan: ``instrument``, ``table``, and where needed ``items``, ``scale``, ``coding``, ``informant``, ``date``.

    Returns
    -------
    Found
        One Reading per occasion, what must be said of the forms, and the answers behind them.

    Raises
    ------
    StudyError
        No table, no such instrument or no occasion.
    DataError
        Impossible answers, missing columns, forms of several informants, or no form with a score.
    """
    if measure.table is None:
        raise StudyError('names an instrument and no table. Write table = "..." (one row per person and date).')
    keys = questionnaire(str(measure.instrument))
    facts = measure_keys(keys, measure.scale)
    forms = _informants(ground, measure, ground.need(measure.table, [measure.date]))
    forms = _in_numbers(forms, measure, keys)
    where = ground.where(measure.table)
    found, said, answers = scored(
        forms, keys, measure.items, measure.coding, where, lambda rows: lines(forms.index[rows])
    )
    _some_score(found, keys, facts["scale"], answers, where)
    rows = pd.DataFrame(
        {
            "person": ground.positions(measure.table)[forms.index],
            "date": dates(forms[measure.date], where).to_numpy(),
            "value": found[facts["scale"]].to_numpy(),
        }
    )
    readings, flags = dated_readings(ground, measure.id, rows, occasions_of(ground, measure))
    flags += [replace(flag, about=measure.id) for flag in said]
    flags += [*_informant_flags(measure, keys, forms), *_period_flags(measure, keys, readings)]
    flags += _version_flags(ground, measure, forms, readings)
    behind = Forms(pd.DataFrame(answers.keyed(slice(None))), keys, items_of(keys, facts["scale"]))
    if scale_entry(keys, facts["scale"]).get("over_time") == "same items":
        days = {occasion.id: occasion.day for occasion in ground.study.occasion}
        readings, left = same_goals(readings, behind.answers[behind.scale], days, ground.study.disclosure.rule)
        flags += [replace(flag, about=measure.id) for flag in left]
    return Found(readings, _about(measure, facts), flags, behind)


def _about(measure: Measure, facts: dict[str, Any]) -> dict[str, Any]:
    return about(measure, **{name: facts[name] for name in ("unit", "better", "values", "title")})


def _in_numbers(forms: pd.DataFrame, measure: Measure, keys: dict[str, Any]) -> pd.DataFrame:
    """The forms with the words and codes that the study explains turned into the numbers they stand for."""
    if not measure.answers:
        return forms
    stands = {word.strip().lower(): np.nan if value == "" else value for word, value in measure.answers.items()}
    columns = measure.items or [*keys["items"], *keys.get("supplement", {}).get("items", ())]
    turned = {}
    for column in [column for column in columns if column in forms.columns]:
        words = forms[column].astype("str").str.strip().str.lower().str.removesuffix(".0")
        known = words.isin(list(stands)).to_numpy()
        turned[column] = forms[column].astype(object).where(~known, words.map(stands))
    return forms.assign(**turned)


def _some_score(found: pd.DataFrame, keys: dict[str, Any], scale: str, answers: Answers, where: str) -> None:
    """Where no form has the score that is wanted, say for want of which answers."""
    if found.empty or found[scale].notna().any():
        return
    absent = [item for item in items_of(keys, scale) if item not in answers.items]
    if absent:
        raise DataError(f'{where} has no columns for {listed(absent[:_SHOWN])}, which "{scale}" needs. Name them.')
    titles = listed([one["title"] for one in empty_scales(answers, keys, found)])
    raise DataError(f"{where}: no form has enough answers for {titles or scale}. {keys.get('missing', '')}".strip())


# ---------------------------------------------------------------- whose forms, and which


def _informants(ground: Ground, measure: Measure, table: pd.DataFrame) -> pd.DataFrame:
    """The forms of one informant, never a silent mixture; rows are numbered as in the file."""
    table = table.reset_index(drop=True)
    if "informant" not in table.columns:
        return table
    present = sorted(table["informant"].dropna().astype("str").unique())
    where = ground.where(str(measure.table))
    if not measure.informant and len(present) > 1:
        raise DataError(
            f"{where} holds forms of {listed(present[:_SHOWN])}, which are not to be mixed. "
            'Say whose this measure is: informant = "...".'
        )
    if measure.informant and measure.informant not in present:
        raise DataError(
            f'{where} has no informant "{measure.informant}". {did_you_mean(measure.informant, present[:_SHOWN])}'
        )
    return table[table["informant"].astype("str") == measure.informant] if measure.informant else table


def _informant_flags(measure: Measure, keys: dict[str, Any], forms: pd.DataFrame) -> Iterator[Flag]:
    """Bands and norms belong to an informant's form; the answers do not show who gave them."""
    named = [measure.informant] if measure.informant else []
    if not named and "informant" in forms.columns:
        named = list(forms["informant"].dropna().astype("str").unique())
    meant = keys.get("informants", INFORMANTS)
    wrong = [name.lower() for name in named if name.lower() in set(INFORMANTS) - set(meant)]
    if wrong:
        text = f"The forms are those of the informant {wrong[0]}, and {keys['id']} is for {listed(list(meant), 'or')}."
        yield Flag("outcomes", "caution", text, "Bands and norms of one informant do not hold for another.", measure.id)
    if "informant" in forms.columns and not measure.informant and named and forms["informant"].isna().any():
        text = "Some forms do not say who answered them and are used with the others."
        yield Flag("outcomes", "caution", text, "Fill in the column informant, or leave those forms out.", measure.id)


def _period_flags(measure: Measure, keys: dict[str, Any], readings: list[Reading]) -> Iterator[Flag]:
    period = keys.get("reference_period", {})
    before, after = period.get("baseline"), period.get("follow_up")
    if before == after or len(readings) < 2:
        return
    text = f"The follow-up form of {keys['id']} looks back {after}, the baseline form {before}."
    detail = "Part of any change from baseline may come from the form; both arms answer the same forms."
    yield Flag("outcomes", "note", text, detail, measure.id)


def _version_flags(ground: Ground, measure: Measure, forms: pd.DataFrame, readings: list[Reading]) -> Iterator[Flag]:
    """Versions are told apart by the column ``version``; their names stay in the table, since they are free text."""
    if "version" not in forms.columns:
        return
    versions = {reading.occasion: _versions(forms["version"], reading) for reading in readings}
    titles = {occasion: ground.study.occasion_title(occasion) for occasion in versions}
    mixed = [titles[occasion] for occasion, found in versions.items() if len(found) > 1]
    if mixed:
        text = f"Forms of more than one version are mixed at: {', '.join(mixed)}."
        yield Flag("outcomes", "caution", text, "Scores of two versions need not mean the same.", measure.id)
    days = {occasion.id: occasion.day for occasion in ground.study.occasion}
    known = sorted((occasion for occasion in versions if versions[occasion]), key=lambda occasion: days[occasion])
    for before, after in pairwise(known):
        if versions[before] != versions[after]:
            text = f"The version of the form changed between {titles[before]} and {titles[after]}."
            detail = "Part of the change between them may come from the form."
            yield Flag("outcomes", "caution", text, detail, measure.id)


def _versions(column: pd.Series, reading: Reading) -> set[str]:
    """The versions of the forms that were read at one occasion."""
    rows = np.array([], dtype=int) if reading.rows is None else reading.rows
    return set(column.iloc[rows[rows >= 0]].dropna().astype("str"))
