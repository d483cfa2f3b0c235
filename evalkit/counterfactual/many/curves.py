"""The specification curve: the same question answered in every way that the study lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.counterfactual.estimating import COMMON
from evalkit.counterfactual.many.running import Task, run_all
from evalkit.counterfactual.many.scales import Scale, scales_of
from evalkit.counterfactual.many.specifications import Specification
from evalkit.counterfactual.registry import find_estimator
from evalkit.errors import EstimationError, Flag, as_list, did_you_mean, several

NUMBERS = ["effect", "se", "low", "high", "p", "n_treated", "n_comparison"]
WORDS = ["id", "says", "estimator", "covariates", "caliper", "outcome", "options"]
COLUMNS = [*WORDS, *NUMBERS, "main", "same_as", "why"]
PLACES = ("outcome", "treated", "person", "cluster", "strata", "time", "unit", "first_treated", "running", "covariates")
UNLIKE = 0.25  # of the other specifications: fewer beyond the main one, and it is an unusual choice


@dataclass(frozen=True, eq=False)
class SpecificationCurve:
    """One effect in every way that it was estimated.

    Parameters
    ----------
    table : DataFrame, one row per specification, by effect
        id, says (plain words), estimator, covariates, caliper, outcome, options, effect, se, low, high, p, n_treated,
        n_comparison, main, same_as (the id of an earlier one with the same numbers, which is counted), why (it could
        not be done; such rows come last).
    share_sign : float
        Share of the specifications whose effect has the sign of the main one's.
    share_significant : float
        Share whose interval excludes no effect on the main one's side.
    median : float
        Of the effects.
    range : tuple of float
        Smallest and largest effect.
    says : str
        The curve in a sentence or two.
    flags : tuple of Flag
        What a reader must be told.
    level : float
        Of the intervals.
    scale : str
        "difference" or "ratio"; with a ratio "no effect" is 1.
    """

    table: pd.DataFrame
    share_sign: float
    share_significant: float
    median: float
    range: tuple[float, float]
    says: str
    flags: tuple[Flag, ...]
    level: float
    scale: str = "difference"

    @property
    def main(self) -> pd.Series:
        """The row of the main specification."""
        return self.table[self.table["main"]].iloc[0]

    @property
    def failed(self) -> pd.DataFrame:
        """The specifications that could not be done, and why."""
        return self.table.loc[self.table["why"] != "", ["id", "says", "why"]].reset_index(drop=True)

    @property
    def counted(self) -> pd.DataFrame:
        """The specifications behind the shares: done, and each set of numbers once."""
        return self.table[(self.table["why"] == "") & (self.table["same_as"] == "")].reset_index(drop=True)

    def _repr_html_(self) -> str:
        return f"<p>{self.says}</p>{as_list(self.flags)}"


def specification_curve(
    frame: pd.DataFrame,
    specifications: Sequence[Specification],
    *,
    main: Specification | str | None = None,
    workers: int = 2,
    level: float = 0.95,
    standardise: bool | Mapping[str, float] = False,
    **arguments: Any,
) -> SpecificationCurve:
    """Run every specification and set the main one among them.

    Parameters
    ----------
    frame : DataFrame
        As for `evalkit.counterfactual.estimate`; left as it is.
    specifications : sequence of Specification
        From `specifications`, or written by hand.
    main : Specification or str, optional
        The planned one, or its id. Default: the first, with a flag.
    workers : int
        Processes. More than one are used only where they save time; the numbers and their order are the same.
    level : float
        Of the intervals.
    standardise : bool or dict of outcome to number
        True: effects are divided by the comparison's standard deviation of their version of the outcome. A dict: by
        the number declared for the version; one below 0 turns it over. Wanted where versions differ in unit.
    **arguments
        Columns and options of `evalkit.counterfactual.estimate`; an option (``within``, ``se``) is used by the
        specifications whose estimator offers it.

    Returns
    -------
    SpecificationCurve
        Table, shares, median, range, flags.

    Raises
    ------
    EstimationError
        A column is missing, versions of the outcome are in different units, the main specification is not on the list
        or could not be done.

    References
    ----------
    Simonsohn, Simmons and Nelson (2020), Nature Human Behaviour 4, 1208-1214.
    """
    listed = list({one.id: one for one in reversed(list(specifications))}.values())[::-1]
    chosen = _main(listed, main)
    _check_columns(frame, listed, arguments)
    scales = scales_of(frame, listed, standardise, arguments)
    wanted = [one for one in listed if not one.why]
    _check_options(wanted, arguments)
    tasks = [task_of(one, {**arguments, "level": level}) for one in wanted]
    found = dict(zip([one.id for one in wanted], run_all(frame, tasks, workers), strict=True))
    first = found[chosen.id]
    if first["why"]:
        raise EstimationError(f"the main specification ({chosen.says}) could not be estimated: {first['why']}")
    rows = [_row(one, found.get(one.id, {"why": one.why}), first["scale"], scales) for one in listed]
    table = _in_order(pd.DataFrame(rows, columns=COLUMNS), chosen)
    notes = [] if main is not None else [_unnamed(chosen)]
    return _curve(table, level, first["scale"], [*notes, *_of_kinds(table, wanted, standardise)])


def task_of(one: Specification, arguments: dict[str, Any]) -> Task:
    """Put a specification and what all have in common into one task.

    Parameters
    ----------
    one : Specification
        Its own covariates, caliper, outcome and options go first.
    arguments : dict
        What all have in common; options that its estimator does not offer are left out.

    Returns
    -------
    Task
        For `run_all`.
    """
    entry = find_estimator(one.estimator)
    offered = {"se": entry.se, "estimand": entry.estimands}
    common = {
        name: value
        for name, value in arguments.items()
        if (name in PLACES or name in COMMON or name in entry.options) and value in (*offered.get(name, (value,)), None)
    }
    return Task(entry.name, {**common, **one.arguments()})


def _check_options(wanted: list[Specification], arguments: dict[str, Any]) -> None:
    """Every option that all have in common is offered by some estimator."""
    own = {name for one in wanted for name in find_estimator(one.estimator).options}
    known = sorted({*PLACES, *COMMON, *own})
    problems = [
        f'no estimator on the list has an option "{name}". {did_you_mean(name, known)}'
        for name in arguments
        if name not in known
    ]
    if problems:
        raise EstimationError(several("the curve", problems))


def _main(listed: list[Specification], main: Specification | str | None) -> Specification:
    """The main specification among those listed."""
    able = [one for one in listed if not one.why]
    if not able:
        raise EstimationError("no specification can be run. List them with specifications(...).")
    wanted = able[0].id if main is None else main.id if isinstance(main, Specification) else str(main)
    chosen = next((one for one in able if one.id == wanted), None)
    if chosen is None:
        near = did_you_mean(wanted, [one.id for one in able])
        raise EstimationError(f'the main specification "{wanted}" is not among those that can be run. {near}')
    return chosen


def _check_columns(frame: pd.DataFrame, listed: list[Specification], arguments: dict[str, Any]) -> None:
    """Every estimator is known, and every column that a specification names is there."""
    named: dict[str, None] = {}
    for one in listed:
        find_estimator(one.estimator)
        named |= dict.fromkeys([*one.covariates, *([one.outcome] if one.outcome else [])])
    for name in PLACES[:-1]:
        named |= {arguments[name]: None} if arguments.get(name) is not None else {}
    if arguments.get("outcome") is None and any(one.outcome is None for one in listed if not one.why):
        raise EstimationError("the curve needs an outcome: name the column (outcome = ...).")
    problems = [
        f'column "{name}" is not in the table. {did_you_mean(name, frame.columns)}'
        for name in named
        if name not in frame.columns
    ]
    if problems:
        raise EstimationError(several("the table", problems))


def _row(one: Specification, found: dict[str, Any], scale: str, scales: dict[str | None, Scale]) -> dict[str, Any]:
    """One specification and its numbers, in the curve's unit."""
    told = {name: getattr(one, name) for name in WORDS} | {"covariates": list(one.covariates), "options": one.options}
    why = found["why"]
    if not why and found["scale"] != scale:
        why = f"it gives a {found['scale']} and the main specification a {scale}: they need a curve each"
    numbers = dict.fromkeys(NUMBERS, np.nan) if why else scales[one.outcome].of({key: found[key] for key in NUMBERS})
    return told | numbers | {"main": False, "same_as": "", "why": why}


def _in_order(table: pd.DataFrame, chosen: Specification) -> pd.DataFrame:
    """The main one marked, repeats named, rows by effect."""
    table["main"] = table["id"] == chosen.id
    table = table.sort_values("main", ascending=False, kind="stable")  # the main one is never the repeat
    told = [
        None
        if row["why"]
        else tuple(f"{value:.9g}" for value in (row["effect"], row["se"], row["n_treated"], row["n_comparison"]))
        for row in table.to_dict("records")
    ]
    first: dict[tuple[str, ...], str] = {}
    for numbers, name in zip(told, table["id"], strict=True):
        if numbers is not None:
            first.setdefault(numbers, name)
    table["same_as"] = [
        "" if numbers is None or first[numbers] == name else first[numbers]
        for numbers, name in zip(told, table["id"], strict=True)
    ]
    return table.sort_values(["effect", "id"], kind="stable", na_position="last").reset_index(drop=True)


def _curve(table: pd.DataFrame, level: float, scale: str, flags: list[Flag]) -> SpecificationCurve:
    """Shares over the counted specifications, the sentence and the flags."""
    curve = SpecificationCurve(table, np.nan, np.nan, np.nan, (np.nan, np.nan), "", (), level, scale)
    counted, none = curve.counted, 1.0 if scale == "ratio" else 0.0
    sign = np.sign(float(curve.main["effect"]) - none)
    away = counted["low"] > none if sign > 0 else counted["high"] < none
    curve = replace(
        curve,
        share_sign=float((np.sign(counted["effect"] - none) == sign).mean()),
        share_significant=float(away.mean()),
        median=float(counted["effect"].median()),
        range=(float(counted["effect"].min()), float(counted["effect"].max())),
    )
    return replace(curve, says=_says(curve), flags=(*flags, *_on_the_curve(curve)))


def _says(curve: SpecificationCurve) -> str:
    """The curve in two sentences."""
    main, counted = curve.main, curve.counted
    low, high = curve.range
    return (
        f"{words.number(len(counted), 0)} specifications give effects from {words.number(low, 3)} to "
        f"{words.number(high, 3)} (median {words.number(curve.median, 3)}); the main one gives "
        f"{words.number(main['effect'], 3)} ({words.interval(main['low'], main['high'], 3)}). "
        f"{words.percent(curve.share_sign, 0)} agree with it in sign, and {words.percent(curve.share_significant, 0)} "
        f"have a {words.percent(curve.level, 0)} interval that excludes no effect on its side."
    )


def _unnamed(chosen: Specification) -> Flag:
    text = "No main specification was named, so the first on the list stands as the main one."
    return Flag("counterfactual", "caution", text, f"It is: {chosen.says}. Name the planned one: main = ...")


def _of_kinds(table: pd.DataFrame, wanted: list[Specification], standardise: bool | Mapping[str, float]) -> list[Flag]:
    """Specifications that answer another question than the rest, or rest on other people."""
    flags = []
    if len({str(one.options.get("estimand", find_estimator(one.estimator).estimands[0])) for one in wanted}) > 1:
        text = "The specifications differ in whose effect they estimate (the treated's, or everybody's)."
        flags.append(Flag("counterfactual", "caution", text, "Part of the spread may be a real difference."))
    if any(one.caliper is not None for one in wanted):
        text = "With a caliper the effect is that of the treated who could be matched, not of all treated."
        flags.append(Flag("counterfactual", "note", text))
    if standardise is True:
        text = "Effects are in standard deviations of the comparison, taken as known in the intervals."
        flags.append(Flag("counterfactual", "note", text))
    failed, same = int((table["why"] != "").sum()), int((table["same_as"] != "").sum())
    if failed:
        text = f"{failed} of {len(table)} specifications could not be estimated, and the shares leave them out."
        flags.append(Flag("counterfactual", "caution", text, "The reasons stand beside them."))
    if same:
        who = "1 specification gives" if same == 1 else f"{same} specifications give"
        text = f"{who} the same numbers as another, and such are counted once."
        flags.append(Flag("counterfactual", "note", text))
    return flags


def _on_the_curve(curve: SpecificationCurve) -> list[Flag]:
    """Where the main one stands, and what the shares are not."""
    text = "The shares describe the specifications that were listed; they are neither a test nor a probability."
    detail = "The specifications share one set of people, so their agreement is not independent confirmation."
    flags = [Flag("counterfactual", "note", text, detail)]
    others = curve.counted[~curve.counted["main"]]
    if len(others) < 2:
        return flags
    none = 1.0 if curve.scale == "ratio" else 0.0
    effect = float(curve.main["effect"])
    beyond = float((others["effect"] > effect).mean() if effect > none else (others["effect"] < effect).mean())
    if beyond < UNLIKE:
        text = "The main specification gives a stronger effect than most of the others."
        detail = f"{words.percent(beyond, 0)} of the others give a stronger one: say why it was chosen, and when."
        flags.append(Flag("counterfactual", "caution", text, detail))
    if curve.share_sign < 1:
        text = "Not all specifications agree in the direction of the effect."
        detail = f"{words.percent(1 - curve.share_sign, 0)} do not have the sign of the main one."
        flags.append(Flag("counterfactual", "serious" if curve.share_sign < 0.5 else "caution", text, detail))
    return flags
