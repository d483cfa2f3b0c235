"""A claim held to the numbers: what it can mean, whether it is so, and what may be said instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any

from evalkit import words
from evalkit.evidence.claim_judge import BEST, judge
from evalkit.evidence.claim_numbers import Figures, as_figure, read_figures, tokens
from evalkit.evidence.claim_readings import MIDDLE, Reading, falls, readings_of
from evalkit.evidence.claim_says import sentence_of
from evalkit.evidence.claim_words import Said, read_claim
from evalkit.evidence.levels import CAUSE_FROM
from evalkit.evidence.wording import allowed, causal_words

SUPPORTED, QUALIFIED = "supported", "qualified"
ONE_READING, NOT_ESTABLISHED = "supported in one reading only", "not established"
CONTRADICTED, NOT_CHECKED = "contradicted", "cannot be checked"
STANDINGS = (SUPPORTED, QUALIFIED, ONE_READING, NOT_ESTABLISHED, CONTRADICTED, NOT_CHECKED)
NEEDS = {
    "ratio": "a ratio with its low and high, or benefit and cost",
    "multiple": "observed, and a target or a comparison",
    "relative": "observed and comparison, or a relative effect",
    "points": "observed and comparison in per cent, or an effect",
    "share": "a share, or part and whole",
    "over target": "observed and target",
    "of target": "observed and target",
    "saving": "a saving",
    "each": "an amount (cost) and a count (part, whole; for each additional one: additional)",
    "amount": "an amount with its name: saving, cost, benefit",
    "change": "an effect, or observed and comparison",
    "direction": "an effect with its low and high, or observed and comparison",
    "from to": "both levels: before (or comparison) and after (or observed)",
    "unclear": "an effect with its low and high",
    "null": "an effect with its low and high",
    "significant": "an effect with its low and high, or p",
}


@dataclass(frozen=True)
class CheckedClaim:
    """A claim held to the numbers.

    Parameters
    ----------
    verdict : str
        The standing, a colon, and why, in plain words with the numbers.
    readings : dict of str to Reading
        Every reading that the figures allow, as numbers with ``formula``, ``says``, ``low`` and ``high``.
    sentence : str
        What may be printed instead: range first, no more cause than the level allows.
    standing : str
        One of "supported", "qualified", "supported in one reading only", "not established", "contradicted",
        "cannot be checked".
    claim : str
        The words of the claim.
    judged : dict of str to str
        For the readings that the claim can mean: "holds", "not over its interval", "fails".
    problems : tuple of str
        What its wording says beyond the level of evidence, and what is missing.
    """

    verdict: str
    readings: dict[str, Reading] = field(default_factory=dict)
    sentence: str = ""
    standing: str = NOT_CHECKED
    claim: str = ""
    judged: dict[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """The claim and its verdict, in one line; the readings carry their ranges in the verdict, not here."""
        return f"CheckedClaim({self.claim!r}: {self.verdict})"

    def _repr_html_(self) -> str:
        """The claim, the verdict, and what may be said instead."""
        told = {"Claim": self.claim, "Verdict": self.verdict, "May be said": self.sentence}
        return "".join(f"<p><b>{label}:</b> {escape(text)}</p>" for label, text in told.items() if text)


def check_claim(claim: Any, numbers: Any = None) -> CheckedClaim:
    """Hold a claim to the numbers: read it in every way it can be meant, and say in which it is so.

    Parameters
    ----------
    claim : str or dict
        "reduced by more than double the rate expected"; or a dict with says (or claim, text) and, where the words are
        not plain enough, kind ("ratio", "multiple", "relative", "points", "share", "over target", "saving", "change",
        "null", "significant"), value, low, high, at_least, more_than, about, better, and part and whole (names of
        numbers of which it is a share).
    numbers : dict
        Named figures: observed, comparison, target, effect, effect_low, effect_high, ratio, ratio_low, ratio_high,
        saving, cost, part, whole, level (Maryland), price_year ... Other usual names are understood ("achieved",
        "historical_comparison_pct", "counterfactual").

    Returns
    -------
    CheckedClaim
        ``verdict``, ``readings``, ``sentence``, ``standing``. Nothing is raised: what cannot be checked says what is
        missing. A claim that holds at the point and not over the whole interval is "not established".

    Examples
    --------
    >>> figures = {"observed": 10.8, "comparison": 55, "target": 27}
    >>> found = check_claim("more than double the reduction expected", figures)
    >>> found.standing
    'supported in one reading only'
    >>> round(found.readings["reduction_ratio"], 4), round(found.readings["proportion_ratio"], 4)
    (1.5786, 2.5)
    """
    given = dict(claim) if isinstance(claim, Mapping) else {}
    said = read_claim(claim)
    figures = _with_parts(read_figures(_merged(numbers, given.get("numbers"))), given, numbers)
    readings = readings_of(figures, said)
    if not said.kind:
        return _unread(said, readings)
    if said.kind in ("null", "unclear", "significant", "direction"):
        return _finished(*_by_interval(said, figures, readings), said, figures, readings, {})
    meant = _meant(said, figures, readings)
    judged = {name: judge(readings[name], _end_of(said, name)) for name in meant}
    return _finished(*_standing(said, readings, judged), said, figures, readings, judged)


def _merged(numbers: Any, own: Any) -> Any:
    """The numbers, with those that the claim brought itself beneath them."""
    if not isinstance(own, Mapping):
        return numbers
    return {**own, **numbers} if isinstance(numbers, Mapping) else dict(own) if numbers is None else numbers


def _with_parts(figures: Figures, given: dict[str, Any], numbers: Any) -> Figures:
    """Figures that the claim itself points at by name: part, whole."""
    there = numbers if isinstance(numbers, Mapping) else {}
    named = {role: as_figure(there.get(given.get(role))) for role in ("part", "whole") if given.get(role)}
    if "part" in named and given.get("kind") == "each":
        named["cost"], named["part"] = named["part"], named.get("whole")
    return replace(figures, known={**figures.known, **{name: one for name, one in named.items() if one is not None}})


def _unread(said: Said, readings: dict[str, Reading]) -> CheckedClaim:
    why = (
        "no claim was given"
        if not said.text
        else "it holds no number, multiple or direction that could be held to figures"
    )
    return CheckedClaim(
        f"{NOT_CHECKED}: {why}.", readings, "Nothing can be said of it from these numbers.", NOT_CHECKED, said.text
    )


def _meant(said: Said, figures: Figures, readings: dict[str, Reading]) -> list[str]:
    """The readings that the words can mean."""
    word = "reduction" if falls(figures, said) else "gain"
    change = [f"{word}_points", word]
    target = [f"{word}_ratio", "proportion_ratio"]
    meant: dict[str, list[str]] = {
        "ratio": ["net_ratio"] if " net " in f" {said.text.lower()} " else ["ratio"],
        "multiple": {"target": target, "comparison": ["level_ratio"]}.get(said.basis, [*target, "level_ratio"]),
        "relative": [f"relative_{word}_pct", *([] if said.in_words else [f"{word}_points"])],
        "points": change,
        "share": _shares_meant(said, figures),
        "over target": [f"{word}_over_target_pct", "level_over_target_pct"],
        "of target": [f"{word}_of_target_pct", "level_of_target_pct"],
        "saving": ["saving", "net_saving"],
        "each": ["each"],
        "from to": ["comparison_level", "observed_level"],
        "amount": ["amount", "saving"],
        "change": change,
    }
    found = [name for name in meant.get(said.kind, ()) if name in readings]
    if said.kind == "multiple" and not found and said.basis:
        found = [name for name in (*target, "level_ratio") if name in readings]
    if said.kind == "multiple" and not said.basis and any(name in readings for name in target):
        found = [name for name in found if name != "level_ratio"]
    return found


def _end_of(said: Said, name: str) -> Said:
    """Of "from 60% to 49%" the end that a reading speaks of."""
    if said.kind != "from to":
        return said
    return replace(said, low=said.low if name == "comparison_level" else said.high, high=None)


def _shares_meant(said: Said, figures: Figures) -> list[str]:
    """A share of counts, or the level itself, by the words they have in common with the claim; else both."""
    text = said.text.lower()
    named = {
        name: any(part[:5] in text for part in tokens(figures.given_as.get(role, "")) if len(part) > 4)
        for name, role in (("share_pct", "part"), ("level_pct", "observed"))
    }
    meant = [name for name, spoken in named.items() if spoken]
    return meant if len(meant) == 1 else ["share_pct", "level_pct"]


def _standing(said: Said, readings: dict[str, Reading], judged: Mapping[str, str]) -> tuple[str, str]:
    """Where the claim stands, and why."""
    if not judged:
        return NOT_CHECKED, f"it needs {NEEDS[said.kind]}, and the figures given do not hold that"
    told = {name: _told(readings[name]) for name in judged}
    holds = [told[name] for name, found in judged.items() if found == "holds"]
    others = [told[name] for name, found in judged.items() if found != "holds"]
    if said.kind == "from to" and (others or len(holds) < 2):
        return (
            (CONTRADICTED, f"the figures give {words.listed(others)}")
            if others
            else (NOT_CHECKED, f"it needs {NEEDS[said.kind]}")
        )
    if holds and others:
        return ONE_READING, f"true only of {words.listed(holds)}, not of {words.listed(others)}: show both readings"
    if holds:
        return SUPPORTED, words.listed(holds)
    open_ = [told[name] for name, found in judged.items() if found == "not over its interval"]
    if open_:
        return NOT_ESTABLISHED, f"{words.listed(open_)} does not bear it out over the whole interval"
    return CONTRADICTED, f"the figures give {words.listed(others)}"


def _told(reading: Reading) -> str:
    """A reading with its formula, and its interval."""
    spread = "" if reading.low is None else f"; interval {reading.text.partition('(')[2].rstrip(')')}"
    return f"{reading.says} ({reading.formula}{spread})"


def _by_interval(said: Said, figures: Figures, readings: dict[str, Reading]) -> tuple[str, str]:
    """Claims of an effect, of none, or of significance, by the interval alone."""
    low, high = figures.bounds("effect")
    p = figures.get("p")
    if low is None or high is None:
        return _without_interval(said, figures, readings, p)
    clear, spread = low > 0 or high < 0, f"the effect's interval is {_span(low, high)}"
    if said.kind == "unclear":
        return (CONTRADICTED, f"{spread}, which leaves out 0") if clear else (SUPPORTED, f"{spread}, which holds 0")
    if said.kind == "null":
        worth = figures.get("smallest")
        if clear:
            return CONTRADICTED, f"{spread}, which leaves out 0"
        if worth is not None and max(abs(low), abs(high)) < abs(worth):
            return SUPPORTED, f"{spread}, smaller throughout than {abs(worth):g}, the smallest that would matter"
        return NOT_ESTABLISHED, f"{spread}: no clear difference, which is not the same as none"
    if not clear:
        return NOT_ESTABLISHED, f"{spread}, which holds 0"
    wrong = said.fall is not None and (high < 0) != said.fall
    return (CONTRADICTED if wrong else SUPPORTED), spread


def _span(low: float, high: float) -> str:
    return words.interval(low, high, 2 if max(abs(low), abs(high)) < 10 else 1)


def _without_interval(said: Said, figures: Figures, readings: dict[str, Reading], p: float | None) -> tuple[str, str]:
    if said.kind == "significant" and p is not None:
        return (SUPPORTED if p < 0.05 else NOT_ESTABLISHED), f"p {words.p_value(p)}"
    if said.kind == "direction":
        word = "reduction" if falls(figures, said) else "gain"
        change = readings.get(f"{word}_points", readings.get(word))
        if change is not None and change.low is not None and change.high is not None:
            sure = SUPPORTED if change.low > 0 else CONTRADICTED if change.high < 0 else NOT_ESTABLISHED
            return sure, _told(change)
        if change is not None:
            bare = "; no interval was given, so how sure that is cannot be said"
            return (QUALIFIED if change > 0 else CONTRADICTED), f"{_told(change)}{bare}"
    return NOT_CHECKED, f"it needs {NEEDS[said.kind]}"


def _finished(
    standing: str, why: str, said: Said, figures: Figures, readings: dict[str, Reading], judged: Mapping[str, str]
) -> CheckedClaim:
    """What else bounds the claim: significance, what a ratio must carry, and the words for its level."""
    problems: list[str] = []
    for part in (_significance, _ratio_needs, _saving_needs, _best_end, _beside, _wording):
        standing, more = part(standing, said, figures, readings)
        problems += more
    verdict = f"{standing}: {'; '.join([why, *problems])}."
    sentence = sentence_of(standing, said, figures, {name: readings[name] for name in judged}, readings)
    return CheckedClaim(verdict, readings, sentence, standing, said.text, dict(judged), tuple(problems))


def _significance(standing: str, said: Said, figures: Figures, readings: Any) -> tuple[str, list[str]]:
    if not said.significant or said.kind == "significant" or standing not in (SUPPORTED, QUALIFIED, ONE_READING):
        return standing, []
    (low, high), p = figures.bounds("effect"), figures.get("p")
    if low is not None and high is not None:
        return (
            (standing, []) if low > 0 or high < 0 else (NOT_ESTABLISHED, [f"the interval {_span(low, high)} holds 0"])
        )
    if p is not None:
        return (standing, []) if p < 0.05 else (NOT_ESTABLISHED, [f"p is {words.p_value(p)}"])
    return NOT_ESTABLISHED, ['"significant" needs an interval or p, and neither was given']


def _ratio_needs(standing: str, said: Said, figures: Figures, readings: dict[str, Reading]) -> tuple[str, list[str]]:
    """A ratio never goes without its range, its price year and its level of evidence."""
    if said.kind != "ratio" or standing not in (SUPPORTED, QUALIFIED):
        return standing, []
    ratio = readings["ratio"]
    absent = [] if ratio.low is not None else ["range"]
    absent += [] if figures.get("price_year") is not None else ["price year"]
    absent += [] if figures.level_given else ["level of evidence"]
    problems = [f"no {words.listed(absent, 'or')} was given, and a ratio must carry all three"] if absent else []
    if ratio.formula == MIDDLE:
        problems.append("no central figure was given")
    if said.bound == "up to":
        problems.append('"up to" tells the best end alone')
    elif ratio.low is not None and said.bound in ("exactly", "about", "nearly"):
        problems.append("it tells the centre alone, where the range comes first")
    return (QUALIFIED if problems else standing), problems


def _saving_needs(standing: str, said: Said, figures: Figures, readings: dict[str, Reading]) -> tuple[str, list[str]]:
    """A saving is a cost that would have come otherwise: it needs a range, and a level that allows to say so."""
    spoken = said.kind == "saving" or (said.kind == "amount" and "amount" not in readings)
    if not spoken or standing not in (SUPPORTED, QUALIFIED):
        return standing, []
    otherwise = "a saving says what would have been spent otherwise"
    if figures.level_given and (figures.level is None or figures.level < CAUSE_FROM):
        level = "evidence that cannot be scored" if figures.level is None else f"level {figures.level} of 5"
        return NOT_ESTABLISHED, ["the figures agree with it", f"{otherwise}, which {level} does not tell"]
    absent = [] if readings["saving"].low is not None else ["range"]
    absent += [] if figures.level_given else ["level of evidence"]
    return (QUALIFIED, [f"no {words.listed(absent, 'or')} was given, and {otherwise}"]) if absent else (standing, [])


def _best_end(standing: str, said: Said, figures: Figures, readings: Any) -> tuple[str, list[str]]:
    """ "Up to 40%" tells the best end alone, of whatever is spoken."""
    if said.kind == "ratio" or standing != SUPPORTED or not (said.bound == "up to" and BEST.search(said.text)):
        return standing, []
    return QUALIFIED, ['"up to" tells the best end alone']


def _beside(standing: str, said: Said, figures: Figures, readings: Any) -> tuple[str, list[str]]:
    """A second thing that the sentence says, and that was not looked at."""
    if not said.beside:
        return standing, []
    return (QUALIFIED if standing == SUPPORTED else standing), [
        f"it also says {said.beside}, and that was not looked at"
    ]


def _wording(standing: str, said: Said, figures: Figures, readings: Any) -> tuple[str, list[str]]:
    """Causal verbs that the level of evidence does not allow; a sentence that denies an effect uses none."""
    if said.kind in ("null", "unclear"):
        return standing, []
    if not figures.level_given:
        spoken = [word for word in causal_words(said.text) if word.lower() != "double"]  # "double the rate" is no deed
        told = [f'no level of evidence was given, so that "{word}" cannot stand' for word in dict.fromkeys(spoken)]
        return (QUALIFIED if told and standing == SUPPORTED else standing), told
    held = re.sub(r"\bdouble\b", "twice", said.text, flags=re.IGNORECASE)  # "double the rate" is no deed
    told = [problem.rstrip(".").replace(". Write", "; write") for problem in allowed(held, figures.level)]
    low_level = figures.level is None or figures.level < CAUSE_FROM
    if told and standing in (SUPPORTED, QUALIFIED):
        return (NOT_ESTABLISHED if low_level else QUALIFIED), ["the figures agree with it", *told]
    return standing, told
