"""Whether an effect lasts: occasion by occasion, beyond the programme's end, and how it fades."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evalkit import disclosure, words
from evalkit.counterfactual.estimating import estimate
from evalkit.counterfactual.many.fading import DropOff, Fade, drop_off_of, fade_of
from evalkit.counterfactual.many.joint import contributions, covariance
from evalkit.counterfactual.many.moments import Moment, moments_of
from evalkit.counterfactual.many.running import FAULTS
from evalkit.counterfactual.nouns import Estimate
from evalkit.errors import EstimationError, Flag, as_list, several
from evalkit.outcomes.multiplicity.adjusting import adjust

Frames = pd.DataFrame | Mapping[Any, pd.DataFrame]
NUMBERS = ["effect", "se", "low", "high", "p", "n_treated", "n_comparison"]
COLUMNS = ["occasion", "time", *NUMBERS[:5], "p_adjusted", "n", "n_treated", "n_comparison", "after_end", "why"]
LOST = 0.02  # of the people of one occasion: fewer than this and they count as the same people


@dataclass(frozen=True, eq=False)
class Persistence:
    """One effect at one occasion after another.

    Parameters
    ----------
    table : DataFrame, one row per occasion
        occasion, time (years since the start), effect, se, low, high, p, p_adjusted (Holm over the occasions), n
        (people behind it), n_treated, n_comparison, after_end (at or after the end; missing where no end was given),
        why (it was not estimated).
    fade : Fade or None
        Change of the effect per year: over the occasions at and after the end where there are two, else over all.
    drop_off : DropOff or None
        Share of the effect lost each year after the end; None where the data do not say, with the reason in
        ``why_no_drop_off`` and a flag.
    why_no_drop_off : str
        Empty where there is one.
    says : str
        In plain words.
    flags : tuple of Flag
        What a reader must be told.
    level : float
        Of the intervals.
    """

    table: pd.DataFrame
    fade: Fade | None
    drop_off: DropOff | None
    why_no_drop_off: str
    says: str
    flags: tuple[Flag, ...]
    level: float

    def _repr_html_(self) -> str:
        shown = self.table[["occasion", "time", "effect", "low", "high", "p"]]
        return f"<p>{self.says}</p>{shown.to_html(index=False, float_format='{:.3f}'.format)}{as_list(self.flags)}"


def persistence(
    frame: Frames,
    estimator: str,
    *,
    outcomes: Mapping[str, float] | None = None,
    occasions: str | Mapping[Any, float] | None = None,
    ends: float | None = None,
    same_people: bool = False,
    **arguments: Any,
) -> Persistence:
    """Estimate an effect at every occasion, how it fades, and what share is lost each year.

    The occasions come in one of three ways:

    - one row per person and a column per occasion: ``outcomes = {"y_6m": 0.5, "y_12m": 1.0, "y_24m": 2.0}``;
    - one row per person and occasion: ``occasions = "years"`` names the column of times, in years;
    - a table per occasion: ``{"6 months": frame, ...}`` with ``occasions = {"6 months": 0.5, ...}``.

    Parameters
    ----------
    frame : DataFrame, or dict of occasion to DataFrame
        As for `evalkit.counterfactual.estimate`; left as it is.
    estimator : str
        A name on the list of estimators.
    outcomes : dict of column to years, optional
        The first way.
    occasions : str or dict of occasion to years, optional
        The second and third.
    ends : float, optional
        Years from the start to the end of the programme or contract: later occasions are beyond it, and the drop-off
        is estimated from those at or after it.
    same_people : bool
        Whether only people read at every occasion are compared.
    **arguments
        Columns and options of `evalkit.counterfactual.estimate`; ``outcome`` for the second and third way. Name
        ``person``, so that the occasions' effects can be drawn jointly.

    Returns
    -------
    Persistence
        Table, fade, drop-off or why there is none, flags.

    Raises
    ------
    EstimationError
        Fewer than two occasions, times that are not numbers or repeat, or a column that is missing.

    Notes
    -----
    The occasions' effects rest on the same people, so the interval of their change needs the joint covariance, from
    the sums by person or cluster of what each contributes. The drop-off is the one yearly ratio that fits the effects
    after the end; it is given only where the first of them is told apart from 0. That choice favours effects that are
    by chance too large at first, so a drop-off from an effect just significant is likely too large.

    References
    ----------
    Fieller (1954), JRSS B 16, 175-185.
    """
    moments, arguments = moments_of(frame, estimator, (outcomes, occasions), same_people, arguments)
    level = float(arguments.get("level", 0.95))
    found: dict[Any, Estimate] = {}
    why: dict[Any, str] = {}
    for moment in moments:
        try:
            found[moment.occasion] = estimate(moment.frame, estimator, **{**arguments, "outcome": moment.outcome})
        except FAULTS as reason:
            why[moment.occasion] = str(reason)
    if not found:
        raise EstimationError(several("persistence", [f"{name}: {text}" for name, text in why.items()]))
    table = _table(moments, found, why, ends)
    fade, drop_off, no_drop_off, flags = _change(moments, found, arguments, ends, level)
    flags = [*_flags(moments, table, arguments, ends), *flags]
    says = _says(table, fade, drop_off, no_drop_off)
    return Persistence(table, fade, drop_off, no_drop_off, says, tuple(flags), level)


def _table(moments: list[Moment], found: dict[Any, Estimate], why: dict[Any, str], ends: float | None) -> pd.DataFrame:
    """One row per occasion, in their order."""
    rows = []
    for moment in moments:
        one = found.get(moment.occasion)
        numbers = {name: np.nan if one is None else getattr(one, name) for name in NUMBERS}
        rows.append(
            {
                "occasion": str(moment.occasion),
                "time": moment.time,
                **numbers,
                "n": numbers["n_treated"] + numbers["n_comparison"],
                "after_end": None if ends is None else bool(moment.time >= ends),
                "why": why.get(moment.occasion, ""),
            }
        )
    table = pd.DataFrame(rows)
    table["p_adjusted"] = adjust(table["p"].to_numpy(dtype=float))
    return table[COLUMNS]


def _change(
    moments: list[Moment], found: dict[Any, Estimate], arguments: dict[str, Any], ends: float | None, level: float
) -> tuple[Fade | None, DropOff | None, str, list[Flag]]:
    """The fade, the drop-off or why there is none, and what to say of both."""
    known = [one for one in moments if one.occasion in found and np.isfinite(found[one.occasion].se)]
    if any(found[one.occasion].scale != "difference" for one in known):
        return None, None, *_none("the effects are ratios, and a share of a ratio has no meaning")
    after = [one for one in known if ends is not None and one.time >= ends]
    used = after if len(after) > 1 else known
    if len(used) < 2:
        return None, None, *_none("fewer than two occasions have an effect with an interval")
    joint = _joint(used, found, arguments)
    estimates = [found[one.occasion] for one in used]
    effects, se = np.array([one.effect for one in estimates]), np.array([one.se for one in estimates])
    times = np.array([one.time for one in used])
    how = level, float(np.nanmin([one.df if np.isfinite(one.df) else np.inf for one in estimates]))
    fade = fade_of(effects, joint, se, times, how)
    flags = [] if joint is not None else [_covariance_unknown()]
    if ends is not None and len(after) < 2:
        text = "The change per year is over all occasions, those before the end among them."
        flags.append(Flag("counterfactual", "note", text))
    why = _why_no_drop_off(ends, after, found, joint)
    if why:
        told, more = _none(why)
        return fade, None, told, [*flags, *more]
    drop_off = drop_off_of(effects, np.asarray(joint), times, how)
    return fade, drop_off, "", [*flags, *_of_drop_off(drop_off)]


def _why_no_drop_off(
    ends: float | None, after: list[Moment], found: dict[Any, Estimate], joint: np.ndarray | None
) -> str:
    """Why the data do not say what is lost each year; empty where they do."""
    if ends is None:
        return "when the programme ended was not said (ends = ...)"
    if len(after) < 2:
        return "fewer than two occasions lie at or after the end of the programme"
    first = found[after[0].occasion]
    if first.low <= 0 <= first.high:
        return "the first effect after the programme cannot be told apart from none, so there is nothing to lose"
    if joint is None:
        return "what the occasions have in common is not known (name person, or take an estimator with contributions)"
    return ""


def _none(why: str) -> tuple[str, list[Flag]]:
    """A reason, and the flag that carries it."""
    detail = "State one with its source: stated_drop_off(value, low, high, source)."
    return why, [Flag("counterfactual", "note", f"No drop-off can be estimated: {why}.", detail)]


def _joint(used: list[Moment], found: dict[Any, Estimate], arguments: dict[str, Any]) -> np.ndarray | None:
    """The covariance of the occasions' effects; None where it cannot be known."""
    named = arguments.get("cluster") or arguments.get("person") or arguments.get("unit")
    if named is None:
        return None
    parts = [
        contributions(found[one.occasion], one.frame, {**arguments, "outcome": one.outcome})
        for one in used
    ]  # fmt: skip
    told = [part for part in parts if part is not None]
    return covariance(told) if len(told) == len(parts) else None


def _covariance_unknown() -> Flag:
    text = (
        "What the occasions have in common is not known: the interval of the change per year is the widest it may be."
    )
    return Flag("counterfactual", "caution", text, "Name person, and use an estimator that keeps contributions.")


def _of_drop_off(found: DropOff) -> list[Flag]:
    """What a reader of a drop-off must be told."""
    text = "The drop-off is of an effect that was told apart from none: by that choice it tends to be too large."
    flags = [
        Flag("counterfactual", "note", text, "It supposes the same share lost each year, also later than was read.")
    ]
    if not np.isfinite(found.low):
        text = "The drop-off is not bounded: the data do not say whether the effect stays, grows or goes."
        flags.append(Flag("counterfactual", "caution", text))
    elif found.high > 1:
        text = "The interval of the drop-off goes beyond 100%: after a year the effect may be gone or have turned."
        flags.append(Flag("counterfactual", "caution", text))
    if found.low <= 0 <= found.high:
        text = "The data are also compatible with no drop-off at all."
        flags.append(Flag("counterfactual", "note", text))
    return flags


def _flags(moments: list[Moment], table: pd.DataFrame, arguments: dict[str, Any], ends: float | None) -> list[Flag]:
    """Different people at different occasions; occasions beyond the end; occasions without an effect."""
    flags = []
    known = [one for one in moments if one.people is not None]
    most = set().union(*[one.people for one in known if one.people is not None])
    every = most.intersection(*[one.people for one in known if one.people is not None])
    if known and most and 1 - len(every) / len(most) > LOST:
        text = "Not the same people are compared at every occasion, so a change may be one of people."
        share = disclosure.roughly(len(most) - len(every), len(most))
        detail = f"{share[:1].upper()}{share[1:]} of the people miss an occasion. Same people only: same_people = True."
        flags.append(Flag("counterfactual", "caution", text, detail))
    if not known and arguments.get("person") is None:
        text = "Whether the same people are compared at every occasion is not known: name person."
        flags.append(Flag("counterfactual", "caution", text))
    beyond = [str(one.occasion) for one in moments if ends is not None and one.time > ends]
    if beyond:
        text = f"Beyond the end of the programme: {words.listed(beyond)}."
        flags.append(Flag("counterfactual", "note", text, "What is found there was not part of what it paid for."))
    text = "The effect at {} was not estimated."
    failed = table[table["why"] != ""].to_dict("records")
    flags += [Flag("counterfactual", "caution", text.format(row["occasion"]), str(row["why"])) for row in failed]
    return flags


def _says(table: pd.DataFrame, fade: Fade | None, drop_off: DropOff | None, why: str) -> str:
    """Occasion by occasion, then the change."""
    told = [
        f"{words.number(row['effect'], 2, sign=True)} "
        f"({words.interval(row['low'], row['high'], 2)}) at {row['occasion']}"
        for row in table[table["why"] == ""].to_dict("records")
    ]
    text = f"The effect was {words.listed(told)}."
    if fade is not None:
        text += (
            f" It changed by {words.number(fade.value, 2, sign=True)} a year "
            f"({words.interval(fade.low, fade.high, 2)})."
        )
    if drop_off is not None:
        return f"{text} Drop-off: {drop_off.says}."
    return f"{text} No drop-off can be estimated: {why}."
