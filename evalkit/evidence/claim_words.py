"""What a sentence claims: how much, of which kind, at least or at most, against what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from evalkit.evidence.claim_numbers import as_figure

_N = r"[\d,]*\.?\d+"
_BIG = r"(?:\s*(?:k|thousand|m|mn|million|bn|billion)\b)?"
_SIGN = r"(?:[\u00a3$\u20ac]|GBP|USD|EUR)"
TIMES = {
    "double": 2, "doubled": 2, "doubling": 2, "doubles": 2, "twice": 2, "two-fold": 2, "twofold": 2,
    "triple": 3, "tripled": 3, "treble": 3, "trebled": 3, "threefold": 3, "three-fold": 3, "thrice": 3,
    "quadruple": 4, "quadrupled": 4, "fourfold": 4, "tenfold": 10,
}  # fmt: skip
COUNTED = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
FRACTIONS = {
    "two[- ]thirds": 200 / 3, "three[- ]quarters": 75, "four[- ]fifths": 80, "three[- ]fifths": 60,
    "two[- ]fifths": 40, "(?:a|one)[- ]third": 100 / 3, "(?:a|one)[- ]quarter": 25, "(?:a|one)[- ]fifth": 20,
    "(?:a|one)[- ]tenth": 10, "half": 50,
}  # fmt: skip
BOUNDS = (
    ("more than", r"(?:more than|over|above|exceed(?:s|ed|ing)?|upwards of|in excess of|better than|greater than)"),
    ("at least", r"(?:at least|no less than|not less than|no fewer than|a minimum of|minimum)"),
    ("up to", r"(?:up to|as much as|as many as|at most|no more than|a maximum of)"),
    ("less than", r"(?:less than|under|below|fewer than)"),
    ("nearly", r"(?:nearly|almost|close to|just under|approaching|virtually)"),
    ("about", r"(?:about|around|roughly|approximately|some|circa|c\.|~)"),
)
_FALL = (
    r"\b(?:reduc\w*|fewer|less\b(?! than)|lower\w*|fell|falls?|falling|fallen|cut|cuts|cutting|drop\w*|declin\w*|"
    r"decreas\w*|down|avert\w*|avoid\w*|prevent\w*|halv\w*)"
)
_RISE = (
    r"\b(?:increas\w*|higher|rose|rises?|risen|grew|grow\w*|gain\w*|rais\w*|improv\w*|up\b(?! to)|boost\w*|"
    r"(?:doubl|tripl|trebl)(?:ed|ing)|outperform\w*|more\b(?! than))"
)
_TARGET = r"\b(?:target\w*|expect\w*|planned|plans?|goals?|forecast|anticipated|aimed|contract(?:ed)?)\b"
_COMPARED = r"\b(?:comparison|control|counterfactual|similar|usual|otherwise|without|before|previous\w*|baseline)\b"
_EACH = (
    r"(?:for|per|on|from|to|of)?\s*(?:every|each|per|the|1)?\s*"
    rf"(?:{_SIGN}\s*1(?:\.00)?\b(?!\d)|pound\b|1 pound\b|dollar\b|euro\b)"
)
_NULL = (
    r"\b(?:(?:no|zero|without)(?: \w+){0,2} (?:effect|difference|impact|change|benefit)|"
    r"(?:did|does|do) not (?:\w+ )?(?:work|reduce|improve|change|help|differ)|ineffective|made no)\b"
)
_UNCLEAR = (
    r"\bno (?:clear|significant|statistically significant|detectable)\b|\bno (?:\w+ )?evidence (?:of|that|for)\b|"
    r"\bnot (?:statistically )?significant"
)
_OVER = (
    r"\b(?:exceed\w*|beat\w*|surpass\w*|outperform\w*|overachiev\w*|"
    r"(?:above|over|ahead of|better than) (?:the |its |their )?(?:target|plan|goal))"
)

_NO_ADJECTIVE = (
    r"(?:met|meets?|meeting|hit|reach\w*|achieve[sd]?|achieving|exceed\w*|miss\w*|beat\w*|surpass\w*|were|was|are|is|had|ha[sv]e?|who|that|"
    r"on|at|in|to|of|for|from|with|without|against|than|above|below|over|under|towards?)\b"
)
_OF_TARGET = (
    rf"(?:%|per ?cent|percent) of (?:the |its |their |our )?(?:(?!{_NO_ADJECTIVE})[\w-]+ ){{0,3}}(?:target|plan|goal)\b"
)


@dataclass(frozen=True)
class Said:
    """What a sentence claims.

    Parameters
    ----------
    text : str
        The sentence.
    kind : str
        "ratio" (value for each 1 of cost), "multiple", "relative" (per cent of change), "points", "share", "over
        target", "of target", "saving", "each", "change" (in units), "direction", "null", "significant"; empty where not
        understood.
    bound : str
        "exactly", "more than", "at least", "up to", "less than", "nearly", "about", "between".
    low, high : float or None
        The number claimed, or its two ends.
    half : float
        Half a unit of the last digit that was written; for words, what custom allows.
    basis : str
        "target", "comparison", or empty.
    fall : bool or None
        Whether something is said to have fallen, or risen.
    in_words : bool
        Whether the number is a word: "double", "a third".
    significant : bool
        Whether it is said to be significant.
    about : str
        Of what, where the claim names it.
    beside : str
        What else the sentence says, which is not looked at.
    """

    text: str
    kind: str = ""
    bound: str = "exactly"
    low: float | None = None
    high: float | None = None
    half: float = 0.0
    basis: str = ""
    fall: bool | None = None
    in_words: bool = False
    significant: bool = False
    about: str = ""
    beside: str = ""


def read_claim(claim: Any) -> Said:
    """Understand a claim.

    Parameters
    ----------
    claim : str, dict, or an object with ``says``
        A dict may have says, claim, text or sentence; and, before the words, kind, value, low, high, at_least, at_most,
        more_than, about, better, basis.

    Returns
    -------
    Said
        With an empty kind where nothing could be understood.
    """
    given = _given(claim)
    text = next(
        (str(given[name]) for name in ("says", "claim", "text", "sentence", "statement") if given.get(name)), ""
    )
    said = _from_words(" ".join(text.split()), given)
    return _from_keys(said, given)


def _given(claim: Any) -> dict[str, Any]:
    if isinstance(claim, str):
        return {"says": claim}
    if isinstance(claim, Mapping):
        return {str(key): value for key, value in claim.items()}
    return dict(getattr(claim, "__dict__", {}) or {})


def _from_words(text: str, given: dict[str, Any]) -> Said:
    """The first reading of the words that fits."""
    low = text.lower()
    base = Said(
        text,
        basis="target" if re.search(_TARGET, low) else "comparison" if re.search(_COMPARED, low) else "",
        fall=_falls(low, given),
        significant=bool(re.search(r"(?<!not )(?<!no )\bsignificant(?:ly)?\b", low)),
        about=str(given.get("about") or ""),
    )
    for reading in (_ratio, _null, _from_to, _over_target, _multiple, _fraction, _percent, _money, _plain):
        if (found := reading(low, base)) is not None:
            more = (
                base.basis == "target"
                and re.search(_OVER, low)
                and found.kind in ("relative", "points", "change", "share")
            )
            return replace(found, beside="that a target was exceeded") if more else found
    if base.significant:
        return replace(base, kind="significant")
    return replace(base, kind="direction") if base.fall is not None else base


def _falls(low: str, given: dict[str, Any]) -> bool | None:
    fell, rose = re.search(_FALL, low), re.search(_RISE, low)
    if rose and given.get("better") == "lower" and re.match(r"\b(?:improv|gain|better)", rose.group()):
        return True
    if fell and rose:
        return fell.start() < rose.start()
    return True if fell else False if rose else None


def _bound_before(low: str, start: int) -> str:
    """The word that stands right before a number: more than, at least, nearly ..."""
    before = low[:start].rstrip()
    before = re.sub(r"[\u00a3$\u20ac]$", "", before).rstrip()
    before = re.sub(r"(?:\b(?:by|a|an|the|of|been|was|were|is)|(?<!\bup )\bto)$", "", before).rstrip()
    return next((name for name, words in BOUNDS if re.search(rf"\b{words}$|(?:^|\s){words}$", before)), "exactly")


def _half(number: str) -> float:
    """Half a unit of the last digit written: 44 -> 0.5, 7.60 -> 0.005; 2m -> 0.5 million."""
    plain = re.sub(r"[^\d.]", "", number)
    digits = len(plain.partition(".")[2])
    scale = (as_figure(number) or 0.0) / float(plain) if plain.strip(".") and float(plain) else 1.0
    return 0.5 * 10**-digits * abs(scale or 1.0)


def _numbered(base: Said, kind: str, low: str, match: re.Match[str], fewest: str = "exactly") -> Said:
    """A claim with one number, or two ends, from the groups "a" and "b" of a match."""
    first, second = match.group("a"), match.groupdict().get("b")
    number = as_figure(first.strip())
    if second:
        return replace(base, kind=kind, bound="between", low=number, high=as_figure(second.strip()), half=_half(second))
    bound = _bound_before(low, match.start())
    return replace(base, kind=kind, bound=fewest if bound == "exactly" else bound, low=number, half=_half(first))


def _ratio(low: str, base: Said) -> Said | None:
    forms = (
        rf"{_SIGN}?\s*(?P<a>{_N})\s*(?:and|to|-|\u2013)\s*{_SIGN}?\s*(?P<b>{_N})\b[^.;]{{0,80}}?\b{_EACH}",
        rf"{_SIGN}\s*(?P<a>{_N})\b[^;]{{0,80}}?\b{_EACH}",
        rf"\b(?:every|each|per) (?:{_SIGN}1|pound|dollar|euro)\b[^;\d]{{0,60}}{_SIGN}\s*(?P<a>{_N})"
        rf"(?:\s*(?:and|to|-|\u2013)\s*{_SIGN}?(?P<b>{_N}))?",
        rf"(?P<a>{_N})\s*(?:times (?:the|its) (?:cost|investment)|:\s*1\b|to (?:1|one)\b)",
        rf"\b1\s*:\s*(?P<a>{_N})",
        r"\b(?:sroi|social return(?: on investment)?|benefit[- ]cost ratio|bcr|ratio)(?: ratio)?"
        r"(?: of| was| is|:)?(?: between)?"
        rf"\s*{_SIGN}?(?P<a>{_N})(?:\s*(?:and|to|-|\u2013)\s*{_SIGN}?(?P<b>{_N}))?",
    )
    for form in forms:
        if found := re.search(form.replace("GBP|USD|EUR", "gbp|usd|eur"), low):
            return _numbered(base, "ratio", low, found)
    if re.search(
        r"\b(?:pa(?:ys|id|y)(?: \w+)? for itself|worth more than (?:it|they) cost|value exceed\w* (?:its )?costs?)\b",
        low,
    ):
        return replace(base, kind="ratio", bound="more than", low=1.0)
    return None


def _null(low: str, base: Said) -> Said | None:
    if re.search(_UNCLEAR, low):
        return replace(base, kind="unclear", significant=False)
    return replace(base, kind="null", significant=False) if re.search(_NULL, low) else None


def _from_to(low: str, base: Said) -> Said | None:
    """ "fell from 60% to 49%": two levels, both of which must be so."""
    found = re.search(rf"\bfrom (?:{_SIGN})?(?P<a>{_N})\s*%?(?: per cent)?(?: \w+)? to (?:{_SIGN})?(?P<b>{_N})", low)
    if found is None or base.fall is None:
        return None
    ends = (as_figure(found.group("a")), as_figure(found.group("b")))
    half = max(_half(found.group("a")), _half(found.group("b")))
    return replace(base, kind="from to", bound="exactly", low=ends[0], high=ends[1], half=half)


def _over_target(low: str, base: Said) -> Said | None:
    number = re.search(rf"(?P<a>{_N})\s*(?:%|per ?cent|percent)", low)
    if re.search(_OF_TARGET, low) and number:
        return _numbered(base, "of target", low, number)
    if base.basis != "target":
        return None
    if re.search(_OVER, low):
        beyond = re.search(
            rf"\bby (?:\w+ ){{0,2}}(?P<a>{_N})\s*(?:%|per ?cent)|"
            rf"(?P<b>{_N})\s*(?:%|per ?cent) (?:above|over|ahead|better)",
            low,
        )
        if beyond:
            return _numbered(base, "over target", low, number) if number else None
        if number or re.search(r"\d", low):
            return None
        word = re.search("|".join(FRACTIONS), low)
        return _worded_fraction(base, "over target", low, word) if word else _by(base, "more than")
    if met := re.search(r"\b(?:met|meets?|hit|hits|reached|achieved) (?:\w+ ){0,2}(?:target|plan|goal)", low):
        share = number is not None and number.start() < met.start()  # "80% of the children met the target"
        return None if share else _by(base, "at least")
    return (
        _by(base, "less than")
        if re.search(r"\b(?:missed|fell short of|below) (?:\w+ ){0,2}(?:target|plan|goal)", low)
        else None
    )


def _by(base: Said, bound: str) -> Said:
    return replace(base, kind="over target", bound=bound, low=0.0)


def _multiple(low: str, base: Said) -> Said | None:
    if found := re.search(rf"\b(?P<a>{'|'.join(COUNTED)}) and a half times\b", low):
        bound = _bound_before(low, found.start())
        number = COUNTED[found.group("a")] + 0.5
        return replace(base, kind="multiple", bound=bound, low=number, half=0.05, in_words=True)
    found = re.search(rf"\b(?P<a>{_N}|{'|'.join(COUNTED)})\s*(?:times|-?\s?fold|x\b|\u00d7)", low)
    if found:
        number = as_figure(found.group("a")) or float(COUNTED.get(found.group("a"), 0))
        half = _half(found.group("a")) if found.group("a") not in COUNTED else 0.05
        bound = _bound_before(low, found.start())
        return replace(base, kind="multiple", bound=bound, low=number, half=half, in_words=found.group("a") in COUNTED)
    found = re.search(rf"\b(?:{'|'.join(TIMES)})\b", low)
    if found is None:
        return None
    bound = _bound_before(low, found.start())
    return replace(base, kind="multiple", bound=bound, low=float(TIMES[found.group()]), half=0.05, in_words=True)


def _fraction(low: str, base: Said) -> Said | None:
    if found := re.search(r"\bhalv(?:e[sd]?|ing)\b", low):
        bound = _bound_before(low, found.start())
        return replace(base, kind="relative", bound=bound, low=50.0, half=0.5, fall=True, in_words=True)
    names = "|".join(COUNTED)
    if found := re.search(
        rf"\b(?P<a>\d+|{names}) (?:out of|in) (?:every )?(?P<b>\d{{1,3}}|{names})\b(?! months| years)", low
    ):
        part, whole = (as_figure(one) or float(COUNTED.get(one, 0)) for one in (found.group("a"), found.group("b")))
        if 0 < part < whole:
            bound = _bound_before(low, found.start())
            return replace(base, kind="share", bound=bound, low=100 * part / whole, half=1.5, in_words=True)
    found = re.search(rf"\b(?:{'|'.join(FRACTIONS)})\b", low)
    if found is None:
        return None
    near = low[max(0, found.start() - 30) : found.start()] + low[found.end() : found.end() + 12]
    moved = base.fall is not None and (
        " by " in f" {near} " or re.match(r"\s*(?:fewer|less|lower|more|higher|as )", low[found.end() :])
    )
    return _worded_fraction(base, "relative" if moved else "share", low, found)


def _worded_fraction(base: Said, kind: str, low: str, found: re.Match[str]) -> Said:
    value = next(value for words, value in FRACTIONS.items() if re.fullmatch(words, found.group()))
    bound, half = _bound_before(low, found.start()), 0.5 if value == 50 and kind != "share" else 1.5
    return replace(base, kind=kind, bound=bound, low=float(value), half=half, in_words=True)


def _percent(low: str, base: Said) -> Said | None:
    ends = rf"(?P<a>{_N})\s*(?:%|per ?cent|percent)?(?:\s*(?:and|to|-|\u2013)\s*(?P<b>{_N}))?"
    if found := re.search(rf"{ends}\s*(?:percentage[- ])?(?:points?\b|pp\b)", low):
        return _numbered(base, "points", low, found)
    if found := re.search(rf"{ends}\s*(?:%|per ?cent|percent)", low):
        return _numbered(base, "share" if base.fall is None else "relative", low, found)
    return None


def _money(low: str, base: Said) -> Said | None:
    sign = _SIGN.replace("GBP|USD|EUR", "gbp|usd|eur")
    found = re.search(rf"{sign}\s*(?P<a>{_N}{_BIG})(?:\s*(?:and|to|-|\u2013)\s*{sign}?\s*(?P<b>{_N}{_BIG}))?", low)
    if found is None:
        return None
    saved = re.search(r"\bsav(?:e[sd]?|ings?)\b|\bavoided costs?\b|\bcosts? avoided\b", low)
    each = re.search(r"\b(?:per|each|for every|a head|apiece)\b", low)
    return _numbered(base, "saving" if saved else "each" if each else "amount", low, found)


def _plain(low: str, base: Said) -> Said | None:
    """A plain number beside a word of change: "47 fewer days"."""
    found = re.search(rf"(?<![\w.])(?P<a>{_N})(?:\s*(?:to|-|\u2013)\s*(?P<b>{_N}))?(?![\w%])", low)
    told = base.fall is not None or re.search(r"\b(?:effect|difference|impact)\b", low)
    return _numbered(base, "change", low, found) if found and told else None


KIND_WORDS = {
    "sroi": "ratio", "benefit cost ratio": "ratio", "times": "multiple", "percent": "relative", "pct": "relative",
    "reduction": "change", "effect": "change", "difference": "change", "savings": "saving", "no effect": "null",
    "significance": "significant", "proportion": "share", "over_target": "over target", "exceeded": "over target",
    "percentage points": "points", "rate": "share", "halved": "relative",
}  # fmt: skip
KNOWN_KINDS = ("ratio", "multiple", "relative", "points", "share", "over target", "of target", "saving", "each",
               "amount", "change", "from to", "unclear", "direction", "null", "significant")  # fmt: skip


def _from_keys(said: Said, given: dict[str, Any]) -> Said:
    """What a dict says in so many keys goes before the words."""
    kind = str(given.get("kind") or "").strip().lower().replace("_", " ")
    kind = KIND_WORDS.get(kind, KIND_WORDS.get(kind.replace(" ", "_"), kind))
    if kind in KNOWN_KINDS:
        said = replace(said, kind=kind)
    for key, bound in (("value", ""), ("at_least", "at least"), ("more_than", "more than"), ("at_most", "up to")):
        number = as_figure(given.get(key))
        if number is not None:
            half = said.half or (_half(str(given[key])) if key == "value" else 0.0)
            said = replace(said, low=number, high=None, half=half, bound=bound or said.bound)
    low, high = as_figure(given.get("low")), as_figure(given.get("high"))
    if low is not None and high is not None:
        said = replace(said, low=min(low, high), high=max(low, high), bound="between", half=_half(str(given["high"])))
    if str(given.get("basis") or given.get("against") or "") in ("target", "comparison"):
        said = replace(said, basis=str(given.get("basis") or given.get("against")))
    if not said.kind and said.low is not None:
        said = replace(said, kind="change")
    return said
