"""The value of a study: quantities from its effects, nothing netted out twice."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from evalkit import tables
from evalkit.contract.prices import together
from evalkit.errors import Flag, StudyError, did_you_mean
from evalkit.study import Study, shown
from evalkit.tables.files import line_numbers
from evalkit.value.appraisal import appraise_lines
from evalkit.value.beside import beside_money, part_money
from evalkit.value.deflate import COLUMNS as DEFLATORS
from evalkit.value.deflate import Prices, read_deflators
from evalkit.value.discount import Discounting, read_rate
from evalkit.value.lines import COLUMNS, Origin, Reading, daily, read_lines
from evalkit.value.looks import View, look_at_all
from evalkit.value.noun import Value
from evalkit.value.ranges import Drawing
from evalkit.value.refused import impossible, of_areas, refuse
from evalkit.value.splits import COLUMNS as SPLITS
from evalkit.value.treated import everyone_treated, left_out_flags
from evalkit.value.unit_costs import read_unit_costs
from evalkit.value.whole_life import COLUMNS as WHOLE_LIFE
from evalkit.value.whole_life import Cost, one_cost, read_whole_life
from evalkit.value.worth import TAIL

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
    discounting = read_rate(plan.discount_rate, plan.discount_first_year)
    lines, flags, cost, more = _tables(study, discounting)
    known: dict[str, Row] = {} if effects is None else {row["outcome"]: row for row in effects.table.to_dict("records")}
    units = {name: str(row.get("unit") or "") for name, row in known.items()}
    lines, beside = part_money(lines)
    refuse(study, lines, known, effects is not None)
    lines, said = daily(lines, units)
    flags += said + _typed_flags(lines, known)
    lines, quantities = _quantities(lines, known, effects, plan.draws, study.study.seed)
    flags += _fixed_flags(lines, quantities) + left_out_flags(study, lines, known, effects)
    beside, said = _counted_beside(study, beside, known, effects)
    drawing = Drawing(plan.draws, study.study.seed, quantities)
    value = beside_money(appraise_lines(lines, cost, discounting, drawing, flags + said + more), beside)
    value = replace(value, study=study, contract=contract, effects=effects)
    looks, said = look_at_all(View(value, lines, cost, discounting, drawing))
    return replace(value, looks=looks, flags=(*value.flags, *said))


def read_map(study: Study) -> pd.DataFrame:
    """Read and check a study's impact map, and what it needs: deflators, unit costs, costs by year.

    Parameters
    ----------
    study : Study
        With a [value].

    Returns
    -------
    DataFrame
        As `read_lines` gives it; quantities that come from effects are still empty.

    Raises
    ------
    StudyError, DataError
        Everything that is wrong with one of the tables.
    """
    plan: Any = study.value
    return _tables(study, read_rate(plan.discount_rate, plan.discount_first_year))[0]


def _tables(study: Study, discounting: Discounting) -> tuple[pd.DataFrame, list[Flag], Cost, list[Flag]]:
    """The lines of the map and what was spent, each with flags; everything that is wrong with any table at once."""
    plan: Any = study.value
    read = partial(tables.read_csv_checked, study)
    calls: dict[str, Any] = {"prices": partial(_prices, study), "own": partial(read_unit_costs, study)}
    calls["map"] = partial(read, plan.impact_map, COLUMNS, required=["outcome", "quantity", "proxy"])
    if plan.whole_life:
        calls["life"] = partial(read, plan.whole_life, WHOLE_LIFE, required=["year", "amount"])
    if plan.splits:
        calls["splits"] = partial(read, plan.splits, SPLITS, required=["line", "agency", "share"])
    where = f"The value of {study.id}"
    raw = together(where, calls)
    lines = partial(_lines, study, raw["map"], raw["own"], raw["prices"])
    read_in = together(
        where, {"lines": lines, "cost": partial(_cost, study, raw.get("life"), discounting, raw["prices"])}
    )
    return *read_in["lines"], *read_in["cost"]


def _parts(source: Any) -> tuple[Any, Any, Study]:
    """Contract, effects and study behind what was given."""
    if isinstance(source, Study):
        return None, None, source
    contract = source if hasattr(source, "ledger") else None
    return contract, source.effects if contract is not None else source, source.study


def _prices(study: Study) -> Prices:
    """The study's price year, its deflators, and what is done without them."""
    plan: Any = study.value
    deflators = None
    if plan.deflators:
        table = tables.read_csv_checked(study, plan.deflators, DEFLATORS, required=list(DEFLATORS))
        deflators = read_deflators(table, _file(study, plan.deflators))
    return Prices(study.study.price_year, deflators, plan.mixed_price_years)


def _lines(
    study: Study, table: pd.DataFrame, own: pd.DataFrame | None, prices: Prices
) -> tuple[pd.DataFrame, list[Flag]]:
    """The lines of the study's map, named by the lines of its file."""
    plan: Any = study.value
    origin = Origin(_file(study, plan.impact_map), line_numbers(study.path(plan.impact_map)) or ())
    return read_lines(table, Reading(study.study.currency, origin, prices, own))


def _cost(
    study: Study, table: pd.DataFrame | None, discounting: Discounting, prices: Prices
) -> tuple[Cost, list[Flag]]:
    """What the study says was spent: one sum, or costs by year."""
    plan: Any = study.value
    if table is None:
        return one_cost(float(plan.cost or 0.0), plan.cost_low, plan.cost_high), []
    places = line_numbers(study.path(plan.whole_life))
    return read_whole_life(table, discounting, prices, _file(study, plan.whole_life), places)


def _file(study: Study, name: str) -> str:
    """What messages call a file of the study."""
    return f"{shown(study.folder)}/{name}"


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
    lines = lines.assign(quantity_from=np.where(empty, "effect", "typed"))
    drawn: dict[int, np.ndarray] = {}
    for place in np.flatnonzero(empty).tolist():
        outcome, label = str(lines["outcome"].iloc[place]), lines.index[place]
        row, times = known[outcome], scale[outcome]
        lines.loc[label, "quantity"] = times * float(row["effect"])
        lines.loc[label, "quantity_source"] = f"estimated here ({row['estimator']})"
        if outcome in present:
            drawn[int(place)] = times * joint[(outcome, "effect")].to_numpy(dtype=float)
            ends = _interval(row, times, drawn[int(place)])
            lines.loc[label, ["quantity_low", "quantity_high"]] = ends
    return lines, drawn


def _interval(row: Row, times: float, drawn: np.ndarray) -> list[float]:
    """The quantity at both ends of its effect's interval; where that has none, those of the draws."""
    ends = [times * float(row[end]) if pd.notna(row.get(end)) else np.nan for end in ("low", "high")]
    ends = ends if np.isfinite(ends).all() else [float(end) for end in np.quantile(drawn, TAIL)]
    return sorted(ends)


def _counted_beside(
    study: Study, beside: pd.DataFrame, known: dict[str, Row], effects: Any
) -> tuple[pd.DataFrame, list[Flag]]:
    """Quantities of what is not valued in money, where an effect tells them; outcomes that nobody knows are said."""
    strange = []
    for label, outcome, quantity in zip(beside.index, beside["outcome"], beside["quantity"], strict=True):
        row = known.get(outcome)
        if row is None:
            strange += [outcome] if outcome and effects is not None and outcome not in _valued(study) else []
        elif pd.isna(quantity) and not impossible(row, of_areas(study)):
            times = _towards_better(row, effects)
            beside.loc[label, "quantity"] = times * float(row["effect"])
            if pd.notna(row.get("low")) and pd.notna(row.get("high")):
                ends = sorted(times * float(row[end]) for end in ("low", "high"))
                beside.loc[label, ["quantity_low", "quantity_high"]] = ends
            beside.loc[label, "quantity_source"] = f"estimated here ({row['estimator']})"
    if not strange:
        return beside, []
    text = f"Beside the money stand outcomes that this study neither estimates nor names: {', '.join(strange)}."
    hints = " ".join(did_you_mean(name, [*known, *_valued(study)]) for name in strange)
    return beside, [Flag("value", "caution", text, hints, "outcome")]


def _valued(study: Study) -> list[str]:
    """What the study measures, or says is valued."""
    return [one.id for part in (study.measure, study.domain, study.valued) for one in part or []]


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
