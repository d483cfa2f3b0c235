"""The sentence that may be printed of a claim: ranges first, gaps called gaps, no more cause than the level allows."""

from __future__ import annotations

from evalkit import words
from evalkit.evidence.claim_numbers import Figures
from evalkit.evidence.claim_readings import MIDDLE, Reading, shown
from evalkit.evidence.claim_words import Said
from evalkit.evidence.levels import CAUSE_FROM

NO_INTERVAL = "No interval was given, so how sure that is cannot be said."


def sentence_of(
    standing: str, said: Said, figures: Figures, judged: dict[str, Reading], readings: dict[str, Reading]
) -> str:
    """Write what may be said.

    Parameters
    ----------
    standing : str
        Of the claim.
    said : Said
        What was claimed.
    figures : Figures
        For price year and level.
    judged, readings : dict of str to Reading
        Those the claim can mean, and all.

    Returns
    -------
    str
        One to three sentences.
    """
    if said.kind == "ratio" and "ratio" in readings:
        return _ratio(readings["ratio"], figures, said)
    if said.kind in ("null", "unclear", "significant", "direction"):
        return _difference(figures, readings)
    if not judged:
        return "Nothing can be said of it from these numbers."
    told = "; ".join(_one(reading) for reading in judged.values())
    bare = all(reading.low is None for reading in judged.values())
    comparing = any(name not in ("share_pct", "level_pct", "each") for name in judged)
    parts = [
        f"{told[:1].upper()}{told[1:]}.",
        NO_INTERVAL if bare and comparing else "",
        _level(figures) if comparing else "",
    ]
    return " ".join(part for part in parts if part)


def _one(reading: Reading) -> str:
    """One reading as a clause, range first where there is one."""
    if reading.low is not None and reading.high is not None:
        each = "%" if reading.unit == "%" else ""
        span = f"between {shown(reading.low, each)} and {shown(reading.high, reading.unit)}"
        return f"{reading.clause.format(span)} (centre {shown(reading)})"
    given = reading.formula.endswith(("as given", "as estimated"))
    return f"{reading.clause.format(shown(reading, reading.unit))}{'' if given else f' ({reading.formula})'}"


def _level(figures: Figures) -> str:
    """How far one may speak of cause."""
    if not figures.level_given:
        return "The level of evidence is not stated: this is a difference, and what brought it about is not known."
    if figures.level is None:
        return "The evidence cannot be scored: this is a difference, and what brought it about is not known."
    if figures.level < CAUSE_FROM:
        return f"Evidence level {figures.level} of 5: this is a difference, and what brought it about is not known."
    return f"Evidence level {figures.level} of 5."


def _ratio(ratio: Reading, figures: Figures, said: Said) -> str:
    """Range first, centre second, prices, level, and whether value exceeded cost."""
    known = words.SYMBOLS.get(figures.currency, "")
    sign = next((one for one in ("\u00a3", "$", "\u20ac") if one in said.text), known)
    each = f"for each {sign}1" if sign else "for each 1 of cost"
    year, level = figures.get("price_year"), figures.level
    prices = f"in prices of {year:.0f}" if year is not None else "price year not stated"
    rated = (
        f"evidence level {level}"
        if level is not None
        else "evidence level none"
        if figures.level_given
        else "evidence level not stated"
    )
    centre = f"{sign}{words.number(ratio, 2)}"
    if ratio.low is None or ratio.high is None:
        bare = "no range was given, so how sure that is cannot be said"
        return f"A central figure of {centre} {each}, {prices}, {rated}: {bare}."
    told = "no centre given" if ratio.formula == MIDDLE else f"centre {centre}"
    span = f"Between {sign}{words.number(ratio.low, 2)} and {sign}{words.number(ratio.high, 2)} {each}, {told}"
    if ratio.low > 1:
        verdict = "value exceeds cost over the whole range"
    elif ratio.high < 1:
        verdict = "value falls short of cost over the whole range"
    else:
        verdict = "it is not established that value exceeded cost"
    return f"{span}, {prices}, {rated}: {verdict}."


def _difference(figures: Figures, readings: dict[str, Reading]) -> str:
    """A difference with its interval, or the words that there is none."""
    low, high = figures.bounds("effect")
    effect = figures.get("effect")
    if low is not None and high is not None:
        digits = 2 if max(abs(low), abs(high)) < 10 else 1
        start = "No clear difference" if low <= 0 <= high else "A difference"
        centre = "" if effect is None else f"{words.number(effect, digits, sign=True)}, "
        return f"{start}: {centre}interval {words.interval(low, high, digits)}. {_level(figures)}"
    change = next(
        (one for name, one in readings.items() if name in ("reduction", "gain", "reduction_points", "gain_points")),
        None,
    )
    if change is None:
        return "Nothing can be said of it from these numbers."
    told = _one(change)
    bare = f" {NO_INTERVAL}" if change.low is None else ""
    return f"{told[:1].upper()}{told[1:]}.{bare} {_level(figures)}"
