"""The value of a study: quantities from its effects, nothing netted out twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from evalkit import tables
from evalkit.errors import DataError, Flag, StudyError, did_you_mean, several
from evalkit.study import Study
from evalkit.value.appraisal import Cost, Drawing, appraise_lines
from evalkit.value.beside import beside_money, part_money
from evalkit.value.discount import read_rate
from evalkit.value.lines import COLUMNS, daily, read_lines
from evalkit.value.looks import View, look_at_all
from evalkit.value.noun import Value
from evalkit.value.treated import everyone_treated, left_out_flags

Row = dict[str, Any]


def appraise_value(source: Any) -> Value:
    """Appraise what the outcomes of a study were worth.

    Parameters
    ----------
    source : Effects, Contract or Study
        The study behind it has a [value]. An empty quantity is the effect per treated person, towards better, times
        everyone treated in the cohort: people for a yes-or-no outcome, units (days) for an amount. A flag says how
        many of them the effect was not estimated on.

    Returns
    -------
    Value
        With its study, contract and effects.

    Raises
    ------
    StudyError
        No [value]; a line names an outcome that is not estimated; a line gives a deadweight that the estimator
        already nets out; a quantity cannot come from a score, a ratio or an effect per area and period.
    DataError
        The impact map is wrong, or price years differ among lines or from the study's.
    """
    contract, effects, study = _parts(source)
    plan = study.value
    if plan is None:
        raise StudyError(f"{study.id} has no [value]. Add one with impact_map and cost.")
    table = tables.read_csv_checked(study, plan.impact_map, COLUMNS, required=["outcome", "quantity", "proxy"])
    lines, flags = read_lines(table, study.study.currency)
    lines, beside = part_money(lines)
    flags += _price_years(study, lines)
    known: dict[str, Row] = {} if effects is None else {row["outcome"]: row for row in effects.table.to_dict("records")}
    _refuse(study, lines, known, effects is not None)
    lines, more = daily(lines, {name: str(row.get("unit") or "") for name, row in known.items()})
    flags += more + _typed_flags(lines, known)
    lines, quantities = _quantities(lines, known, effects, plan.draws, study.study.seed)
    flags += _fixed_flags(lines, quantities) + left_out_flags(study, lines, known, effects)
    cost = Cost(float(plan.cost or 0.0), plan.cost_low, plan.cost_high)
    drawing = Drawing(plan.draws, study.study.seed, quantities)
    discounting = read_rate(plan.discount_rate, plan.discount_first_year)
    value = beside_money(appraise_lines(lines, cost, discounting, drawing, flags), beside)
    value = replace(value, study=study, contract=contract, effects=effects)
    looks, said = look_at_all(View(value, lines, cost, discounting, drawing))
    return replace(value, looks=looks, flags=(*value.flags, *said))


def _parts(source: Any) -> tuple[Any, Any, Study]:
    """Contract, effects and study behind what was given."""
    if isinstance(source, Study):
        return None, None, source
    contract = source if hasattr(source, "ledger") else None
    return contract, source.effects if contract is not None else source, source.study


def _price_years(study: Study, lines: pd.DataFrame) -> list[Flag]:
    """The lines' price year must be the study's; a line without one is taken to be in it."""
    years = lines["price_year"].dropna()
    own = study.study.price_year
    if own is not None and len(years) and int(years.iloc[0]) != own:
        raise DataError(
            f"The impact map of {study.id} is in prices of {int(years.iloc[0])}, the study in prices of {own}. "
            "Deflate the proxies first and write the amounts."
        )
    if silent := len(lines) - len(years):
        text = f"{silent} of {len(lines)} lines state no price year; they are taken to be in the study's."
        return [Flag("value", "caution", text, about="price_year")]
    return []


def _refuse(study: Study, lines: pd.DataFrame, known: dict[str, Row], estimated: bool) -> None:
    """Refuse what would count something twice or cannot be worked out, everything at once."""
    problems: list[str] = []
    for place, record in zip(lines.index + 1, lines.to_dict("records"), strict=True):
        line: Row = {str(name): value for name, value in record.items()}
        where, outcome = f'line {place} ("{line["title"]}")', line["outcome"]
        empty = bool(pd.isna(line["quantity"]))
        row = known.get(outcome)
        if row is None:
            if empty or (estimated and outcome):
                problems.append(f"{where}: {_not_estimated(outcome, known, estimated)}")
            continue
        problems += [f"{where}: {text}" for text in _contradictions(line, row, empty, _of_areas(study))]
    if problems:
        raise StudyError(several(f"The impact map of {study.id}", problems))


def _not_estimated(outcome: str, known: dict[str, Row], estimated: bool) -> str:
    """Why a line cannot take its quantity from an effect."""
    if not estimated:
        return "its quantity is empty, and this study estimates no effect. Write the quantity."
    if not outcome:
        return "its quantity and its outcome are both empty. Write the quantity, or name an estimated outcome."
    return (
        f'outcome "{outcome}" is not estimated. {did_you_mean(outcome, known)} Else leave outcome empty and use title.'
    )


def _of_areas(study: Study) -> bool:
    """Whether the effects are those of areas over time, not of people."""
    return study.counterfactual is not None and study.counterfactual.areas is not None


def _contradictions(line: Row, row: Row, empty: bool, of_areas: bool = False) -> list[str]:
    """Deadweight twice, and quantities that no effect can give."""
    found = []
    if line["given_deadweight"] and row["estimator"] != "assumed":
        found.append(
            f'it gives a deadweight, and the estimator "{row["estimator"]}" already nets it out. '
            'Drop the deadweight, or use the estimator "assumed".'
        )
    if line["given_deadweight"] and row["estimator"] == "assumed" and empty:
        found.append("its quantity comes from an effect that is already net of the assumed deadweight. Drop it here.")
    if empty and row.get("values") == "score":
        found.append(
            "a score has no quantity in the world. Use a yes-or-no outcome or an amount, or write the quantity."
        )
    if empty and row.get("scale", "difference") == "ratio":
        found.append("its effect is a ratio, which is no quantity. Write the quantity.")
    if empty and of_areas:
        found.append("its effect is per area and period, not per person; write the quantity.")
    if empty and (pd.isna(row["effect"]) or pd.isna(row["n_treated"])):
        found.append("its effect or the number treated is not known. Write the quantity.")
    return found


def _quantities(
    lines: pd.DataFrame, known: dict[str, Row], effects: Any, draws: int, seed: int
) -> tuple[pd.DataFrame, dict[int, np.ndarray]]:
    """Empty quantities from the effects, and their joint draws by line."""
    empty = lines["quantity"].isna()
    if not empty.any():
        return lines.assign(quantity_from="typed"), {}
    scale = {name: _towards_better(row, effects) for name, row in known.items()}
    joint = effects.joint(draws, seed)
    present = set(joint.columns.get_level_values(0)) if joint.columns.nlevels > 1 else set()
    quantity, drawn = lines["quantity"].to_numpy(dtype=float, copy=True), {}
    for place in np.flatnonzero(empty):
        outcome = str(lines["outcome"].iloc[place])
        quantity[place] = scale[outcome] * float(known[outcome]["effect"])
        if outcome in present:
            drawn[int(place)] = scale[outcome] * joint[(outcome, "effect")].to_numpy(dtype=float)
    where = np.where(empty, "effect", "typed")
    return lines.assign(quantity=quantity, quantity_from=where), drawn


def _towards_better(row: Row, effects: Any) -> float:
    """The number treated, negative where lower is better."""
    return everyone_treated(row, effects) * (-1 if row["better"] == "lower" else 1)


def _typed_flags(lines: pd.DataFrame, known: dict[str, Row]) -> list[Flag]:
    """Typed quantities that are not netted by anything."""
    typed = lines[lines["quantity"].notna() & ~lines["given_deadweight"]]
    linked = list(typed.loc[typed["outcome"].isin(list(known)), "title"])
    alone = list(typed.loc[~typed["outcome"].isin(list(known)), "title"])
    flags = []
    if linked:
        text = f"Quantities are typed although an effect was estimated, and are taken as net: {', '.join(linked)}."
        flags.append(Flag("value", "caution", text, about="quantity"))
    if alone:
        text = f"No deadweight is taken off: {', '.join(alone)}. No effect was estimated and none is stated."
        flags.append(Flag("value", "serious", text, about="deadweight"))
    return flags


def _fixed_flags(lines: pd.DataFrame, quantities: dict[int, np.ndarray]) -> list[Flag]:
    """Quantities from effects without a sampling distribution do not vary in the range."""
    from_effect = np.flatnonzero(lines["quantity_from"] == "effect")
    fixed = [str(lines["title"].iloc[place]) for place in from_effect if place not in quantities]
    if not fixed:
        return []
    text = f"The range leaves out the sampling error of {', '.join(fixed)}: their effect has no sampling distribution."
    return [Flag("value", "caution", text, about="quantity")]
