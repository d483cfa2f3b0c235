"""Every reading that figures allow of a claim, each with its formula, and whether the claim holds of it."""

from __future__ import annotations

import math
import re

from evalkit import words
from evalkit.evidence.claim_numbers import UNITS, Figures, tokens
from evalkit.evidence.claim_words import Said

Ends = tuple[float | None, float | None]
PLAIN = ("observed", "achieved", "actual", "treated", "result", "outcome", "after", "treatment", "intervention")
MIDDLE = "middle of the range, since no centre was given"
_OTHERWISE = re.compile(r"\bwould (?:\w+ )?have\b|\botherwise\b|\banyway\b", re.IGNORECASE)
_ADDED = re.compile(r"\b(?:additional|extra|added)\b", re.IGNORECASE)


class Reading(float):
    """One way of reading a claim: a number that remembers how it was made.

    Parameters
    ----------
    value : float
        The number itself.
    formula : str
        "44.2 / 28 = 1.58".
    says : str
        What it is, in words.
    low, high : float or None
        Its interval, where one was given.
    unit : str
        "%", "points", "times" or empty.
    clause : str
        How it is told, with "{}" where the number stands; default "<says> is {}".
    """

    formula: str
    says: str
    low: float | None
    high: float | None
    unit: str
    clause: str

    def __new__(
        cls,
        value: float,
        formula: str,
        says: str,
        low: float | None = None,
        high: float | None = None,
        unit: str = "",
        clause: str = "",
    ) -> Reading:
        """Make the number and tell it where it is from."""
        made = super().__new__(cls, value)
        made.formula, made.says, made.low, made.high, made.unit = formula, says, low, high, unit
        made.clause = clause or f"{says} is {{}}"
        return made

    @property
    def value(self) -> float:
        """The number alone."""
        return float(self)

    @property
    def text(self) -> str:
        """As it is printed, with its interval where there is one."""
        if self.low is None or self.high is None:
            return shown(self, self.unit)
        return f"{shown(self, self.unit)} ({shown(self.low)} to {shown(self.high, self.unit)})"


def shown(value: float, unit: str = "") -> str:
    """A number to two decimals at most, without idle zeros: 1.58, 2.5, 28, 80.4%."""
    if math.isinf(value):
        return "any number"
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 10 else 2
    while digits and math.isclose(round(value, digits - 1), round(value, digits), abs_tol=1e-9):
        digits -= 1
    text = words.number(value, digits)
    return {"%": f"{text}%", "points": f"{text} points", "times": f"{text} times"}.get(unit, text)


def readings_of(figures: Figures, said: Said) -> dict[str, Reading]:
    """All readings the figures allow, whatever the claim.

    Parameters
    ----------
    figures : Figures
        From `read_figures`.
    said : Said
        For the direction and the name of what is claimed.

    Returns
    -------
    dict of str to Reading
        reduction_points (or gain_points), relative_reduction_pct, target_reduction_points, reduction_ratio,
        proportion_ratio, reduction_over_target_pct, level_over_target_pct, level_ratio, ratio, net_ratio, saving,
        net_saving, share_pct, each: those that can be made.
    """
    found: dict[str, Reading] = {}
    for part in (_levels, _changes, _against_target, _ratios, _savings, _shares):
        found |= part(figures, said, found)
    return found


def falls(figures: Figures, said: Said) -> bool:
    """Whether the change spoken of is a fall: by the words, else the target, else the figures."""
    if said.fall is not None and said.kind not in ("over target", "of target", "multiple"):
        return said.fall
    comparison, target, observed = (figures.get(name) for name in ("comparison", "target", "observed"))
    if comparison is not None and target is not None and comparison != target:
        return target < comparison
    if said.fall is not None:
        return said.fall
    named = tokens(figures.given_as.get("change", "")) + tokens(figures.given_as.get("relative", ""))
    if any(part in ("reduction", "reduced", "decrease", "fall", "drop") for part in named):
        return True
    if comparison is not None and observed is not None:
        return observed < comparison
    return (figures.get("effect") or 0.0) < 0


def name_of_level(figures: Figures, said: Said) -> str:
    """What the level is called: the claim's own word, the figure's name, or plainly "level"."""
    if said.about:
        return f"{said.about.replace('_', ' ')}"
    parts = [part for part in tokens(figures.given_as.get("observed", "")) if part not in UNITS]
    named = [part for part in parts if part not in PLAIN]
    return " ".join(named) if named else "proportion" if figures.percent else "level"


def _word(figures: Figures, said: Said) -> str:
    return "reduction" if falls(figures, said) else "gain"


def _levels(figures: Figures, said: Said, found: dict[str, Reading]) -> dict[str, Reading]:
    """The level against the target's and against the comparison's, as a multiple."""
    observed, target, comparison = (figures.get(name) for name in ("observed", "target", "comparison"))
    down, name, out = falls(figures, said), name_of_level(figures, said), dict[str, Reading]()
    for key, other, whose in (("proportion_ratio", target, "target"), ("level_ratio", comparison, "comparison's")):
        over, under = (other, observed) if down else (observed, other)
        if other is not None and over is not None and under:
            clause = f"the {whose} is {{}} the {name}" if down else f"the {name} is {{}} the {whose}"
            out[key] = _divided(over, under, f"the {name}", "times", clause, _ends_of(figures, other, key, down))
    return out


def _ends_of(figures: Figures, other: float, key: str, down: bool) -> Ends:
    """Ends of a level over another: the other as it is, the level as far as its range, or the effect's, lets it go."""
    low, high = figures.bounds("observed") if key == "proportion_ratio" else figures.change_bounds()
    if low is None or high is None or other <= 0:
        return None, None
    moved = [end + (0.0 if key == "proportion_ratio" else other) for end in (low, high)]
    if not down:
        return moved[0] / other, moved[1] / other
    least, most = (other / end if end > 0 else math.inf for end in reversed(moved))
    return least, most


def _divided(
    over: float,
    under: float,
    says: str,
    unit: str,
    clause: str = "",
    ends: Ends = (None, None),
) -> Reading:
    value = over / under
    return Reading(value, f"{shown(over)} / {shown(under)} = {shown(value)}", says, *ends, unit=unit, clause=clause)


def _change(figures: Figures, down: bool) -> tuple[float, str, float | None, float | None] | None:
    """The change towards the claimed side, its formula and interval; from an effect, from levels, or as given."""
    sign = -1 if down else 1
    observed, comparison = figures.get("observed"), figures.get("comparison")
    effect, given = figures.get("effect"), figures.get("change")
    low, high = (None if end is None else sign * end for end in figures.change_bounds())
    if given is not None:
        return given, f"{shown(given)} as given", *figures.bounds("change")
    if down and low is not None:
        low, high = high, low
    if effect is not None:
        return sign * effect, f"{shown(sign * effect)} as estimated", low, high
    if observed is None or comparison is None:
        return None
    first, second = (comparison, observed) if down else (observed, comparison)
    return first - second, f"{shown(first)} \u2212 {shown(second)} = {shown(first - second)}", low, high


def _changes(figures: Figures, said: Said, found: dict[str, Reading]) -> dict[str, Reading]:
    """The change, and the change as a share of what the comparison had."""
    down, word, out = falls(figures, said), _word(figures, said), dict[str, Reading]()
    relative = figures.get("relative")
    if relative is not None:
        low, high = figures.bounds("relative")
        turn = -1 if relative < 0 and down else 1
        near, far = (None, None) if low is None or high is None else sorted((turn * low, turn * high))
        value, name = turn * relative, f"relative_{word}_pct"
        out[name] = Reading(value, f"{shown(value, '%')} as given", f"the relative {word}", near, far, "%")
    change = _change(figures, down)
    if change is None:
        return out
    value, formula, low, high = change
    out[f"{word}_points" if figures.percent else word] = Reading(
        value, formula, f"the {word}", low, high, "points" if figures.percent else ""
    )
    base = _base(figures)
    if base and f"relative_{word}_pct" not in out:
        part = value / base * 100
        ends = [None if end is None else end / base * 100 for end in (low, high)]
        told = f"{shown(value)} / {shown(base)} = {shown(part, '%')}"
        out[f"relative_{word}_pct"] = Reading(part, told, f"the relative {word}", ends[0], ends[1], "%")
    return out


def _base(figures: Figures) -> float | None:
    """The level without the programme: as given, or observed less the effect."""
    comparison, observed, effect = (figures.get(name) for name in ("comparison", "observed", "effect"))
    if comparison is not None:
        return comparison
    return None if observed is None or effect is None else observed - effect


def _against_target(figures: Figures, said: Said, found: dict[str, Reading]) -> dict[str, Reading]:
    """The change against the change that was planned, as a multiple and as the part beyond it."""
    word, down, out = _word(figures, said), falls(figures, said), dict[str, Reading]()
    target, comparison, planned = figures.get("target"), figures.get("comparison"), figures.get("target_change")
    achieved = found.get(f"{word}_points", found.get(word))
    if planned is None and target is not None and comparison is not None:
        planned = comparison - target if down else target - comparison
        told = f"{shown(comparison)} \u2212 {shown(target)}" if down else f"{shown(target)} \u2212 {shown(comparison)}"
        out[f"target_{word}_points" if figures.percent else f"target_{word}"] = Reading(
            planned, f"{told} = {shown(planned)}", f"the {word} planned", unit="points" if figures.percent else ""
        )
    if achieved is not None and planned is not None and planned > 0:
        ends = [None if end is None else end / planned for end in (achieved.low, achieved.high)]
        value = achieved / planned
        told = f"{shown(achieved)} / {shown(planned)} = {shown(value)}"
        clause = f"the {word} is {{}} the one planned"
        out[f"{word}_ratio"] = Reading(value, told, f"the {word}", ends[0], ends[1], "times", clause)
        out[f"{word}_over_target_pct"] = _beyond(value, told, f"the {word}", *ends)
    return out | _level_against_target(figures, said, down)


def _level_against_target(figures: Figures, said: Said, down: bool) -> dict[str, Reading]:
    """How far the level lies beyond the target, and what part of it that is, as far as the level's range goes."""
    observed, target, (low, high) = figures.get("observed"), figures.get("target"), figures.bounds("observed")
    if observed is None or not target:
        return {}
    gap = target - observed if down else observed - target
    told = f"{shown(target)} \u2212 {shown(observed)}" if down else f"{shown(observed)} \u2212 {shown(target)}"
    value, name = gap / abs(target) * 100, f"the {name_of_level(figures, said)}"
    formula, clause = f"({told}) / {shown(target)} = {shown(value, '%')}", f"{name} is {{}} beyond the target"
    beyond: Ends = (None, None)
    part: Ends = (None, None)
    if low is not None and high is not None:
        near, far = (target - high, target - low) if down else (low - target, high - target)
        beyond, part = (near / abs(target) * 100, far / abs(target) * 100), (low / target * 100, high / target * 100)
    return {
        "level_over_target_pct": Reading(value, formula, name, *beyond, unit="%", clause=clause),
        "level_of_target_pct": _percent_of(observed, target, name, f"{name} is {{}} of the target", part),
    }


def _beyond(ratio: float, told: str, says: str, low: float | None, high: float | None) -> Reading:
    ends = [None if end is None else (end - 1) * 100 for end in (low, high)]
    value = (ratio - 1) * 100
    formula = f"{told}, less 1 = {shown(value, '%')}"
    return Reading(value, formula, says, ends[0], ends[1], "%", f"{says} is {{}} beyond the one planned")


def _percent_of(part: float, whole: float, says: str, clause: str = "", ends: Ends = (None, None)) -> Reading:
    value = part / whole * 100
    return Reading(value, f"{shown(part)} / {shown(whole)} = {shown(value, '%')}", says, *ends, unit="%", clause=clause)


def _ratios(figures: Figures, said: Said, found: dict[str, Reading]) -> dict[str, Reading]:
    """Value for each 1 of cost, and the same less the cost itself."""
    ratio, (low, high), cost, benefit = (
        figures.get("ratio"), figures.bounds("ratio"), figures.get("cost"), figures.get("benefit"),
    )  # fmt: skip
    told = "" if ratio is None else f"{shown(ratio)} as given"
    if ratio is None and benefit is not None and cost and cost > 0:
        ratio, told = benefit / cost, f"{shown(benefit)} / {shown(cost)} = {shown(benefit / cost)}"
        if low is None:
            low, high = (None if end is None else end / cost for end in figures.bounds("benefit"))
    if ratio is None and low is not None and high is not None:
        return {"ratio": Reading((low + high) / 2, MIDDLE, "the ratio", low, high)}
    if ratio is None:
        return {}
    less = [None if end is None else end - 1 for end in (low, high)]
    net = Reading(ratio - 1, f"{shown(ratio)} \u2212 1 = {shown(ratio - 1)}", "the net ratio", less[0], less[1])
    return {"ratio": Reading(ratio, told, "the ratio", low, high), "net_ratio": net}


def _savings(figures: Figures, said: Said, found: dict[str, Reading]) -> dict[str, Reading]:
    """What was saved, before and after what was spent on it."""
    saving, cost = figures.get("saving"), figures.get("cost")
    if saving is None:
        return {}
    low, high = figures.bounds("saving")
    out = {"saving": Reading(saving, f"{shown(saving)} as given", "the sum of savings before costs", low, high)}
    if cost is not None:
        less = [None if end is None else end - cost for end in (low, high)]
        told = f"{shown(saving)} \u2212 {shown(cost)} = {shown(saving - cost)}"
        out["net_saving"] = Reading(saving - cost, told, "the sum of savings net of cost", less[0], less[1])
    return out


def _shares(figures: Figures, said: Said, found: dict[str, Reading]) -> dict[str, Reading]:
    """A part of a whole, as a percentage and as so much each."""
    part, whole, share = (figures.get(name) for name in ("part", "whole", "share"))
    out = {}
    if share is not None:
        scale = 100 if 0 <= share <= 1 else 1
        ends = [None if end is None else end * scale for end in figures.bounds("share")]
        out["share_pct"] = Reading(
            share * scale, f"{shown(share * scale, '%')} as given", "the share", ends[0], ends[1], "%"
        )
    elif part is not None and whole and said.kind != "each":
        out["share_pct"] = _percent_of(part, whole, "the share")
    role = "comparison" if _OTHERWISE.search(said.text) else "observed"
    if figures.percent and (spoken := figures.get(role)) is not None:
        name = f"the {name_of_level(figures, said)}" if role == "observed" else "the level without it"
        out["level_pct"] = Reading(spoken, f"{shown(spoken, '%')} as given", name, *figures.bounds(role), unit="%")
    for role in ("comparison", "observed"):
        if said.kind == "from to" and (level := figures.get(role)) is not None:
            unit, name = (
                "%" if figures.percent else "",
                "before or without" if role == "comparison" else "after or with",
            )
            out[f"{role}_level"] = Reading(level, f"{shown(level, unit)} as given", f"the level {name} it", unit=unit)
    if (amount := figures.get("amount")) is not None:
        out["amount"] = Reading(amount, f"{shown(amount)} as given", "the amount", *figures.bounds("amount"))
    return out | _each(figures, said)


def _each(figures: Figures, said: Said) -> dict[str, Reading]:
    """The cost of each; of each additional one only where it is known how many those are."""
    cost, added = figures.get("cost"), bool(_ADDED.search(said.text))
    names = ("additional",) if added else ("part", "whole")
    people = next((one for one in map(figures.get, names) if one is not None), None)
    if cost is None or people is None or people <= 0:
        return {}
    few, many = figures.bounds("additional") if added else (None, None)
    ends: Ends = (None, None) if few is None or many is None else (cost / many, cost / few if few > 0 else math.inf)
    return {"each": _divided(cost, people, f"the cost of each{' additional one' if added else ''}", "", "", ends)}
