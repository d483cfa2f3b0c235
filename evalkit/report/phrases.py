"""How the results of one outcome are put into words: its unit, its change, its interval, its headline."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from evalkit import words
from evalkit.report.html import lower_first, sentence

RATIO_DIGITS = 2
MONEY = ("dollar", "pound", "euro", "\u00a3", "$", "\u20ac")


def finite(value: object) -> bool:
    """Whether there is a number: not None, not NaN, not infinite, not pandas' NA."""
    try:
        return math.isfinite(float(value))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False


def real(value: object) -> float:
    """The number, or NaN where there is none (infinite bounds stay infinite)."""
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return math.nan


def said(value: object) -> str:
    """Text of a table's cell; empty where it is missing."""
    return "" if value is None or value != value else str(value)


@dataclass(frozen=True)
class Wording:
    """How numbers of one outcome are written.

    ``kind`` is "share" (yes or no: percentages, differences in points), "index" (SD), "money" or "number". With
    ``ratio`` the levels are written so, and what is compared is a ratio of two of them: "0.89 times", "11% lower".
    """

    kind: str
    digits: int
    unit: str
    currency: str
    ratio: bool = False

    @property
    def none(self) -> float:
        """The number that stands for no difference: 0, and 1 for a ratio."""
        return 1.0 if self.ratio else 0.0

    def clear(self, low: object, high: object) -> bool:
        """Whether an interval leaves out no difference."""
        return (real(low) - self.none) * (real(high) - self.none) > 0

    def level(self, value: object) -> str:
        """An observed level without its unit: "84.6", "18.2%", "$6,349"."""
        if not finite(value):
            return words.NOT_AVAILABLE
        if self.kind == "share":
            return words.percent(real(value))
        if self.kind == "money":
            return words.whole_money(real(value), self.currency, self.digits)
        return words.number(real(value), self.digits)

    def change(self, value: object) -> str:
        """A difference without its unit: "\u221246.7", "+9.7", "+$1,600"; a ratio: "0.89"."""
        if not finite(value):
            return words.NOT_AVAILABLE
        if self.ratio:
            return words.number(real(value), RATIO_DIGITS)
        if self.kind == "money":
            return words.whole_money(real(value), self.currency, self.digits, sign=True)
        return words.number(real(value) * self.scale, self.digits, sign=True)

    def size(self, value: object) -> str:
        """The size of a difference with its unit and no sign: "46.7 days", "9.7 points"."""
        if not finite(value):
            return words.NOT_AVAILABLE
        if self.ratio:
            return words.percent(abs(real(value) - 1), 0)
        return self._with_unit(self.change(abs(real(value))).lstrip("+"))

    def signed(self, value: object) -> str:
        """A difference with sign and unit: "\u221246.7 days"."""
        return self._with_unit(self.change(value)) if finite(value) else words.NOT_AVAILABLE

    def interval(self, low: object, high: object) -> str:
        """An interval of differences, or why there is none."""
        if not finite(low) or not finite(high):
            return words.interval(real(low), real(high))
        if self.ratio:
            return words.interval(real(low), real(high), RATIO_DIGITS)
        if self.kind == "money":
            return f"{self._plain_money(low)} to {self._plain_money(high)}"
        return words.interval(real(low) * self.scale, real(high) * self.scale, self.digits)

    def directed(self, value: object) -> str:
        """A difference in words: "46.7 days fewer", "0.22 SD higher"; "0.0 points, the same" at zero."""
        up, down = self._ways()
        return f"{self.size(value)} {down if real(value) < self.none else up}"

    def _ways(self) -> tuple[str, str]:
        days = self.kind == "number" and self.unit == "days" and not self.ratio
        return ("more", "fewer") if days else ("higher", "lower")

    def spread(self, low: object, high: object, with_unit: bool = False) -> str:
        """An interval in words: "6.5 lower to 8.7 higher", "21.3 to 72.1 days fewer"."""
        if not finite(low) or not finite(high):
            return words.interval(real(low), real(high))
        up, down = self._ways()
        if self.ratio:
            return _spread_of_ratio(self, low, high)
        near, far = sorted((real(low), real(high)), key=abs)
        ends = [self.change(abs(end)).lstrip("+") for end in (near, far)]
        units = [self._with_unit(end) if with_unit else end for end in ends]
        if real(low) * real(high) >= 0:
            return f"{ends[0]} to {units[1]} {down if far < 0 else up}"
        parts = [self.change(abs(real(end))).lstrip("+") for end in (low, high)]
        parts = [self._with_unit(end) if with_unit else end for end in parts]
        return f"{parts[0]} {down} to {parts[1]} {up}"

    @property
    def scale(self) -> float:
        """What a number is multiplied with before it is written."""
        return 100.0 if self.kind == "share" and not self.ratio else 1.0

    def _plain_money(self, value: object) -> str:
        return words.whole_money(real(value), self.currency, self.digits)

    def _with_unit(self, text: str) -> str:
        unit = {"share": "points", "index": "SD", "money": ""}.get(self.kind, self.unit)
        return f"{text} {'times' if self.ratio else unit}".strip()


def _spread_of_ratio(form: Wording, low: object, high: object) -> str:
    """The interval of a ratio in words: "2% to 19% lower", "4% lower to 10% higher"."""
    if form.clear(low, high):
        near, far = sorted((real(low), real(high)), key=lambda end: abs(end - 1))
        return f"{form.size(near)} to {form.directed(far)}"
    return f"{form.directed(low)} to {form.directed(high)}"


def wording(row: Any, currency: str = "GBP") -> Wording:
    """How the numbers of a row of ``effects.table`` are written.

    Parameters
    ----------
    row : Series or namespace
        Needs ``values``, ``unit``, ``is_domain``, ``observed``, ``counterfactual``.
    currency : str
        The study's.

    Returns
    -------
    Wording
        Decimals follow the size of the level, not of the difference, so that columns agree.
    """
    form = _wording(row, currency)
    if getattr(row, "scale", "") != "ratio":
        return form
    seen = real(getattr(row, "observed", None))  # of a ratio of counts, which are whole
    return replace(form, ratio=True, digits=0 if form.kind == "number" and seen == _whole(seen) else form.digits)


def _whole(value: float) -> float:
    """The nearest whole number, NaN where there is none."""
    return float(round(value)) if math.isfinite(value) else math.nan


def _wording(row: Any, currency: str) -> Wording:
    """How levels and differences are written."""
    unit = said(getattr(row, "unit", ""))
    if bool(getattr(row, "is_domain", False)):
        return Wording("index", 2, "SD", currency)
    if getattr(row, "values", "") == "yes or no" or unit == "share":
        return Wording("share", 1, "points", currency)
    levels = [abs(real(v)) for v in (getattr(row, "observed", None), getattr(row, "counterfactual", None)) if finite(v)]
    size = max(levels, default=1.0)
    digits = 0 if size >= 1000 else 1 if size >= 2 else 2
    if levels and str(getattr(row, "estimator", "")) == "published" and all(level == round(level) for level in levels):
        digits = 0
    if any(word in unit.lower() for word in MONEY):
        return Wording("money", digits if size < 1000 else 0, unit, currency)
    return Wording("number", digits, unit, currency)


def outcome_name(row: Any) -> str:
    """The outcome's title, with its occasion where the title does not say it already."""
    title, occasion = said(row.title) or said(row.outcome), said(getattr(row, "occasion_title", ""))
    return f"{title}, {occasion}" if occasion and occasion.lower() not in title.lower() else title


def arm_names(study: Any) -> tuple[str, str]:
    """What the report calls the treated and the comparison arm."""
    plan = getattr(study, "cohort", None)
    arm = getattr(plan, "arm", None)
    if arm is not None:
        return str(arm.treated_name or arm.treated), str(arm.comparison_name or arm.comparison)
    says = {group.role: str(group.says) for group in getattr(plan, "group", None) or []}
    return says.get("treated", "the programme"), says.get("comparison", "the comparison")


def has_arms(study: Any) -> bool:
    """Whether people are in one of two arms: by a column, or by groups with those roles."""
    plan = getattr(study, "cohort", None)
    roles = {group.role for group in getattr(plan, "group", None) or []}
    return getattr(plan, "arm", None) is not None or {"treated", "comparison"} <= roles


def verb(level: object, up: bool) -> str:
    """The strongest verb the evidence allows: "reduced", "is estimated to have reduced", "was followed by lower"."""
    bare = "increased" if up else "reduced"
    if finite(level) and real(level) >= 5:
        return bare
    if finite(level) and real(level) >= 3:
        return f"is estimated to have {bare}"
    return "was followed by higher" if up else "was followed by lower"


def _with_article(doing: str, name: str) -> str:
    """ "was followed by a lower share", since a share is one thing; "by lower days in care" otherwise."""
    return doing.replace("followed by ", "followed by a ") if name.lower().startswith("share ") else doing


def lead(row: Any, study: Any) -> str:
    """The headline sentence of one outcome: what, how much, against whom, over what time.

    Parameters
    ----------
    row : Series
        A row of ``effects.table``.
    study : Study
        For the names of the arms.

    Returns
    -------
    str
        One sentence; a null and a worse result are said in the same size as a better one.
    """
    wording_, name = wording(row, study.study.currency), lower_first(outcome_name(row))
    if not finite(row.effect):
        return f"The effect on {name} is not known."
    if finite(getattr(row, "relative", None)) and not finite(row.se):
        return _published(row, wording_, name)
    if row.conclusion == "no clear difference":
        return (
            f"No clear difference in {name}: {wording_.directed(row.effect)} ({wording_.spread(row.low, row.high)})"
            f" {_against(study)}{_jointly(row)}."
        )
    changed = (
        _changed_areas(row, wording_, name) if _of_areas(study) else _changed(row, wording_, name, arm_names(study))
    )
    return f"Worse: {changed}" if row.conclusion == "worse" else sentence(changed)


def _of_areas(study: Any) -> bool:
    """Whether places or a series stand in the place of people."""
    return getattr(getattr(study, "counterfactual", None), "areas", None) is not None


def _against(study: Any) -> str:
    if _of_areas(study):
        return "with the programme than expected without it"
    return f"with {arm_names(study)[0]} than with {arm_names(study)[1]}"


def _changed_areas(row: Any, wording_: Wording, name: str) -> str:
    """Of areas and series: against what would have been expected there without the programme."""
    up = real(row.effect) > wording_.none
    doing = verb(row.level, up)
    if doing.startswith("was followed"):
        doing, side = _with_article(doing, name), "above" if up else "below"
        return f"the programme {doing} {name}: {wording_.size(row.effect)} {side} what was expected without it"
    return f"the programme {doing} {name} by {wording_.size(row.effect)}, against what was expected without it"


def _jointly(row: Any) -> str:
    """Why a difference whose own interval leaves out 0 is not called clear."""
    if not finite(row.low) or not wording(row).clear(row.low, row.high):
        return ""
    p = words.p_value(real(row.p_adjusted))
    if real(row.p_adjusted) == real(getattr(row, "p", None)):
        return f", not clear by its p-value (p {p})"
    return f", not clear once all outcomes are allowed for (adjusted p {p})"


def _changed(row: Any, wording_: Wording, name: str, arms: tuple[str, str]) -> str:
    up = real(row.effect) > wording_.none
    doing = verb(row.level, up)
    if doing.startswith("was followed"):
        doing = _with_article(doing, name)
        return f"{arms[0]} {doing} {name}: {wording_.size(row.effect)} {'above' if up else 'below'} {arms[1]}"
    return f"{arms[0]} {doing} {name} by {wording_.size(row.effect)}, compared with {arms[1]}"


def _published(row: Any, wording_: Wording, name: str) -> str:
    way = "higher" if real(row.effect) > 0 else "lower"
    unit = f" {wording_.unit}" if wording_.unit and wording_.kind == "number" else ""
    change = wording_.size(row.effect) if wording_.kind == "share" else words.percent(abs(real(row.relative)))
    return sentence(
        f"{name}: {wording_.level(row.observed)} against "
        f"{wording_.level(row.counterfactual)}{unit} in the comparison, {change} {way}"
    )


def finding(row: Any, study: Any) -> tuple[str, str]:
    """One line of "Also found": the bold word and the rest of the sentence.

    Parameters
    ----------
    row : Series
        A row of ``effects.table``.
    study : Study
        For the currency.

    Returns
    -------
    tuple of (str, str)
        ("No clear difference", " in school attendance: 1.1 points higher (6.5 lower to 8.7 higher).").
    """
    form, name = wording(row, study.study.currency), lower_first(outcome_name(row))
    if not finite(row.effect):
        return "Not known:", f" {name}; {lower_first(said(row.why_no_deadweight)) or 'no comparison'}."
    numbers = f"{name}: {form.directed(row.effect)} ({form.spread(row.low, row.high)})."
    if row.conclusion == "no clear difference":
        return "No clear difference", f" in {numbers.rstrip('.')}{_jointly(row)}."
    if row.conclusion in {"better", "worse"}:
        return f"{row.conclusion.capitalize()}:", f" {numbers}"
    return "Not settled:", f" {name}, {form.directed(row.effect)}; sampling error is not known."
