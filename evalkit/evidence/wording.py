"""Which words of a sentence speak of cause, and whether its level of evidence allows them."""

from __future__ import annotations

import re

from evalkit import words
from evalkit.evidence.levels import CAUSE_FROM, Level

RANDOMISED = 5
# Verbs that say that one thing did another, whatever stands after them.
_ALWAYS = (
    r"caus(?:es|ed|ing)|(?:led|leads?|leading) to|result(?:s|ed|ing)? in|prevent(?:s|ed|ing)?|avert(?:s|ed|ing)?|"
    r"produc(?:e[sd]?|ing)|br(?:ings?|ought|inging) about|boost(?:s|ed|ing)?|sav(?:e[sd]|ing)|spare[sd]?|"
    r"(?:is|was|were|are) (?:due|attributable) to|thanks to|because of|"
    r"ma(?:kes?|de) (?:a|the|all the|no) difference|ha[sd] an? (?:\w+ )?(?:effect|impact)|"
    r"pro(?:ves?|ved|of that)|help(?:s|ed)"
)
# Verbs that also say that something moved by itself: they speak of cause only with an object, or in the passive.
_WITH_OBJECT = (
    r"reduc(?:e[sd]?|ing)|increas(?:e[sd]?|ing)|decreas(?:e[sd]?|ing)|rais(?:e[sd]?|ing)|lower(?:s|ed|ing)|"
    r"improv(?:e[sd]?|ing)|chang(?:e[sd]?|ing)|cuts?|cutting|halv(?:e[sd]?|ing)|doubl(?:e[sd]?|ing)|"
    r"shorten(?:s|ed|ing)?|strengthen(?:s|ed|ing)?|worsen(?:s|ed|ing)?|harm(?:s|ed|ing)|transform(?:s|ed|ing)?|"
    r"affect(?:s|ed|ing)?"
)
_BY_ITSELF = (
    r"(?:by|from|to|in|over|between|after|during|since|at|more|less|most|and|or|but|with|as|than|when|while|for|only|"
    r"again|too|slightly|steadily)\b"
)
_NOUN_BEFORE = r"(?:a|an|the|of|with|by|for|from|in|at|its|their|this|that|these|no|any|and|followed by)"
_PASSIVE = r"(?:is|was|were|are|been|be|being)"
_CLAIM = re.compile(
    rf"\b(?:(?P<always>{_ALWAYS})\b"
    rf"|(?P<passive>{_PASSIVE}\s+(?:{_WITH_OBJECT})\s+by\s+(?!\d|about|around|roughly|nearly|some\b|half))"
    rf"|(?P<object>(?:{_WITH_OBJECT}))\s+(?!{_BY_ITSELF})(?=[A-Za-z]))",
    re.IGNORECASE,
)
_HEDGE = re.compile(r"\b(?:estimated to(?: have)?|estimate is that|may have|might have|could have)\b", re.IGNORECASE)
_NOT_CLAIMED = re.compile(
    r"\b(?:(?:can|could|may|must) ?not (?:be )?(?:say|said|claim|claimed|show|shown|tell|told|know|known)"
    r"|(?:does|do|did) not (?:show|say|mean|prove|tell)|no evidence (?:that|of)|not known (?:whether|if|that)"
    r"|nothing (?:shows|says) that|no claim that|(?:whether|if) the programme|to find out|is not evidence)\b",
    re.IGNORECASE,
)
_TOGETHER = re.compile(r"\b(?:(?:is|are|was|were) associated with|(?:was|were|is|are) followed by)\b", re.IGNORECASE)


def causal_words(text: str) -> list[str]:
    """Find the words of a text that say that one thing changed another.

    Parameters
    ----------
    text : str
        One sentence or several.

    Returns
    -------
    list of str
        In order, as they stand. "Attendance increased by 3 points" has none; "the programme increased attendance" and
        "was reduced by the programme" have. A sentence that says what cannot be said has none.

    Examples
    --------
    >>> causal_words("Family therapy reduced days in care. Attendance rose by 3 points.")
    ['reduced']
    """
    return [word for sentence in _sentences(text) for word, _ in _claims(sentence)]


def allowed(sentence: str, level: Level | int | None) -> list[str]:
    """Hold a sentence to the level of evidence behind it.

    Parameters
    ----------
    sentence : str
        One sentence or several.
    level : Level, int or None
        From `evalkit.evidence.level`, or its Maryland level; None: not scoreable.

    Returns
    -------
    list of str
        One problem each, with the words that may be used instead; empty where the sentence may stand. At 5 cause may
        be spoken of; at 3 and 4 behind "is estimated to have"; at 1 and 2 not at all; where nothing can be scored,
        not even "is associated with".
    """
    sms = level.sms if isinstance(level, Level) else level
    if sms is not None and sms >= RANDOMISED:
        return []
    hedged_may = sms is not None and sms >= CAUSE_FROM
    problems = []
    for one in _sentences(sentence):
        said = [word for word, hedged in _claims(one) if not (hedged and hedged_may)]
        said += [] if sms is not None else [found.group() for found in _TOGETHER.finditer(one)]
        problems += [_problem(word, sms) for word in dict.fromkeys(said)]
    return problems


def _problem(word: str, sms: int | None) -> str:
    """What is wrong with a word, and what to write."""
    if sms is None:
        return f'"{word}" says more than evidence that cannot be scored allows. Write "was observed".'
    instead = ["is estimated to have"] if sms >= CAUSE_FROM else ["was followed by", "is associated with"]
    quoted = words.listed([f'"{one}"' for one in instead], "or")
    return f'"{word}" says more than level {sms} of 5 allows. Write {quoted}.'


def _sentences(text: str) -> list[str]:
    """Sentence by sentence; a point in a number is none."""
    return [one for one in re.split(r"(?<=[.!?;:])\s+", text) if one.strip()]


def _claims(sentence: str) -> list[tuple[str, bool]]:
    """The causal words of one sentence, and whether each stands behind a hedge."""
    if _NOT_CLAIMED.search(sentence):
        return []
    found = []
    for match in _CLAIM.finditer(sentence):
        before = sentence[: match.start()]
        if match.lastgroup == "object" and re.search(rf"\b{_NOUN_BEFORE}\s+$", before, re.IGNORECASE):
            continue  # "a reduced risk", "of improving schools": a description, not a deed
        word = re.sub(r"\s+by\s*$", "", match.group(str(match.lastgroup))).strip()
        near = " ".join(before.split()[-6:])
        found.append((word, bool(_HEDGE.search(near))))
    return found
