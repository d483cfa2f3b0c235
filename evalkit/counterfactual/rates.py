"""Effects of a study that has published rates, or stated deadweight, and no people."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit.counterfactual.effects import Effects
from evalkit.counterfactual.estimating import VALUES, estimate
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.registry import Entry, find_estimator
from evalkit.counterfactual.rows import also_row, effect_row
from evalkit.counterfactual.without_people import effects_without_people
from evalkit.errors import EstimationError, EvalkitError, StudyError, did_you_mean, several

if TYPE_CHECKING:
    from evalkit.study import Study

TEXT = ("outcome", "title", "unit", "better", "values", "source", "published")
NUMBERS = ("treated", "comparison", "rounding", "n_treated", "n_comparison", "per")
STATED = ("observed", "deadweight", "low", "high")
PAST = ("trend", "trend_low", "trend_high", "years")
FROM = ("rates", "history")


def effects_from_rates(study: Study) -> Effects:
    """Effects from the rates file of a study, one row per outcome.

    Parameters
    ----------
    study : Study
        With ``counterfactual.rates``; estimator "published" (two rates), "historical baseline" (a rate now and one of
        an earlier period, with trend, trend_low, trend_high and years where a change is allowed for) or "assumed"
        (observed and a stated share).

    Returns
    -------
    Effects
        Without people: each outcome is drawn by itself, and there is no attrition. Yes/no rates are turned
        into shares by ``per``.

    Raises
    ------
    StudyError, DataError, EstimationError
        There is no rates file, it is not what it must be, or a rate cannot support what was asked.
    """
    plan = study.counterfactual
    if plan is None or plan.rates is None:
        raise StudyError('the study names no rates. Write rates = "rates.csv" under [counterfactual].')
    entry = find_estimator(plan.estimator)
    if entry.data not in FROM:
        raise StudyError(
            f'estimator "{plan.estimator}" works on people, not on rates. Use "published", "historical baseline" or '
            '"assumed".'
        )
    table = _read(study, entry)
    estimates = _estimates(study, table, entry)
    rows, also = [], []
    for place, line in enumerate(_lines(table)):
        found = estimates[line["outcome"]]
        rows.append(effect_row(_about(line, place), found, None))
        also.append(also_row(line["outcome"], {"id": "planned", "says": entry.says, "planned": True}, found))
    return effects_without_people(study, rows, also, estimates)


def _read(study: Study, entry: Entry) -> pd.DataFrame:
    """The rates file, its words checked."""
    from evalkit.tables import read_csv_checked

    numbers = (*NUMBERS, *PAST) if entry.data == "history" else NUMBERS if entry.comparison else STATED
    texts = (*TEXT, "trend_source") if entry.data == "history" else TEXT
    columns: dict[str, Any] = {**dict.fromkeys(texts, "text"), **dict.fromkeys(numbers, "number")}
    required = ["outcome", *(numbers[:2])]
    table = read_csv_checked(study, study.counterfactual.rates, columns, required)  # type: ignore[union-attr,arg-type]
    table["title"] = table["title"].where(table["title"].notna(), table["outcome"])
    table["better"] = table["better"].where(table["better"].notna(), "higher")
    problems = [
        f"column {name} has {int(table[name].isna().sum())} empty cells."
        for name in required
        if table[name].isna().any()
    ]
    for name, allowed in (("values", VALUES), ("better", ("higher", "lower"))):
        strange = [value for value in table[name].dropna().unique() if value not in allowed]
        problems += [f'{name} = "{value}" is not known. {did_you_mean(value, allowed)}' for value in strange]
    twice = table.loc[table["outcome"].duplicated(), "outcome"].tolist()
    problems += [f'outcome "{name}" stands there twice.' for name in dict.fromkeys(twice)]
    if problems:
        raise StudyError(several(f"{study.folder.name}/{study.counterfactual.rates}", problems))  # type: ignore[union-attr]
    return table


def _lines(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The file's lines."""
    return [{str(name): value for name, value in line.items()} for line in table.to_dict("records")]


def _about(line: dict[str, Any], place: int) -> dict[str, Any]:
    """What the table says beside the numbers."""
    text = {
        name: "" if pd.isna(line[name]) else str(line[name])
        for name in ("outcome", "title", "unit", "better", "source")
    }
    values = None if pd.isna(line["values"]) else line["values"]
    return {**text, "occasion_title": "", "values": values, "is_domain": False, "primary": place == 0}


def _estimates(study: Study, table: pd.DataFrame, entry: Entry) -> dict[str, Estimate]:
    """One estimate per line; all that is wrong at once."""
    run = _now_and_before if entry.data == "history" else _two_rates if entry.comparison else _stated
    found, problems = {}, []
    for line in _lines(table):
        try:
            one = run(study, line)
        except EvalkitError as error:
            problems.append(f"{line['outcome']}: {error}")
            continue
        found[line["outcome"]] = replace(one, flags=tuple(replace(flag, about=line["outcome"]) for flag in one.flags))
    if problems:
        raise EstimationError(several(f"{study.folder.name}/{study.counterfactual.rates}", problems))  # type: ignore[union-attr]
    return found


def _given(value: Any) -> Any:
    """None for a missing cell."""
    return None if pd.isna(value) else value


def _two_rates(study: Study, line: dict[str, Any]) -> Estimate:
    """A published pair of rates."""
    plan = study.counterfactual
    per = 1.0 if pd.isna(line["per"]) else float(line["per"])
    share = per if line["values"] == "yes or no" else 1.0
    frame = pd.DataFrame(
        {
            "arm": [1, 0],
            "rate": np.array([line["treated"], line["comparison"]], float) / share,
            "n": [line["n_treated"], line["n_comparison"]],
        }
    )
    rounding = _given(line["rounding"])
    options = {"values": _given(line["values"]), "better": line["better"], "level": plan.level, **plan.options}  # type: ignore[union-attr]
    known = frame["n"].notna().all()
    return estimate(
        frame,
        plan.estimator,  # type: ignore[union-attr]
        outcome="rate",
        treated="arm",
        n="n" if known else None,
        rounding=None if rounding is None else rounding / share,
        **options,
    )


def _now_and_before(study: Study, line: dict[str, Any]) -> Estimate:
    """A rate now, and the rate (or mean) of an earlier period."""
    plan = study.counterfactual
    share = line["values"] == "yes or no"
    per = float(line["per"]) if share and not pd.isna(line["per"]) else 1.0
    frame = pd.DataFrame({"rate": [float(line["treated"])], "n": [line["n_treated"]]})
    given = ("source", "trend_source", "values", *PAST)
    options: dict[str, Any] = {name: _given(line[name]) for name in given if not pd.isna(line[name])}
    options["baseline_rate" if share else "baseline_mean"] = float(line["comparison"])
    options |= {"baseline_n": _given(line["n_comparison"]), "better": line["better"], "level": plan.level}  # type: ignore[union-attr]
    return estimate(frame, plan.estimator, outcome="rate", n="n", per=per, **{**options, **plan.options})  # type: ignore[union-attr]


def _stated(study: Study, line: dict[str, Any]) -> Estimate:
    """An observed level and a stated share."""
    plan = study.counterfactual
    options = {name: _given(line[name]) for name in ("deadweight", "low", "high", "values", "better")}
    frame = pd.DataFrame({"observed": [float(line["observed"])]})
    return estimate(frame, plan.estimator, outcome="observed", **options, level=plan.level, **plan.options)  # type: ignore[union-attr]
