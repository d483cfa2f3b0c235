"""The last net: what a rendered page may not hold, whatever the tables did."""

from __future__ import annotations

import html as entities
import re
from collections.abc import Iterable
from dataclasses import dataclass

POSTCODE = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]? \d[ABD-HJLNP-UW-Z]{2}\b")
TEN_DIGITS = re.compile(r"(?<![\w.,:/#-])\d{3}[ -]?\d{3}[ -]?\d{4}(?![\w.,:/-]*\d)")
UNSEEN = re.compile(r"<(style|script|svg|head)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
SVG_TEXT = re.compile(r"<(text|title|desc)\b[^>]*>(.*?)</\1\s*>", re.DOTALL | re.IGNORECASE)
TAG = re.compile(r"<[^>]*>")
SHORTEST_ID = 5


@dataclass(frozen=True)
class Finding:
    """Something in a page that looks like a person.

    Parameters
    ----------
    kind : {"postcode", "NHS number", "person id"}
        What it looks like.
    masked : str
        Its first two characters and dots, so that the finding itself tells nothing.
    times : int
        How often it stands in the page.
    """

    kind: str
    masked: str
    times: int


def scan(html: str, people: Iterable[object] = ()) -> list[Finding]:
    """Look through a rendered page for postcodes, NHS numbers and ids of people.

    Parameters
    ----------
    html : str
        The page. Read is what a person can read: text, and the words inside figures; not styles and scripts.
    people : iterable
        Ids of the cohort. Ids that any figure could look like (fewer than five characters, or all digits and fewer
        than seven) cannot be told from ordinary numbers and are not looked for.

    Returns
    -------
    list of Finding
        Empty when nothing was found.
    """
    text = _visible(html)
    hits = [("postcode", found) for found in POSTCODE.findall(text)]
    hits += [("NHS number", found) for found in TEN_DIGITS.findall(text) if nhs_number(found)]
    wanted = {str(person) for person in people if _distinct(str(person))}
    hits += [("person id", token) for token in re.findall(r"[\w.@-]+", text) if token.strip(".-") in wanted]
    return [Finding(kind, f"{found[:2]}...", hits.count((kind, found))) for kind, found in dict.fromkeys(hits)]


def nhs_number(text: str) -> bool:
    """Whether ten digits carry the check digit of an NHS number (modulus 11).

    Parameters
    ----------
    text : str
        Ten digits, spaces and hyphens allowed.

    Returns
    -------
    bool
        True for "943 476 5919".
    """
    digits = [int(character) for character in text if character.isdigit()]
    if len(digits) != 10 or len(set(digits)) == 1:
        return False
    check = 11 - sum(digit * (10 - place) for place, digit in enumerate(digits[:9])) % 11
    return check % 11 == digits[9]


def _visible(html: str) -> str:
    """What a person can read of a page, figures' words included."""
    inside = " ".join(found for _, found in SVG_TEXT.findall(html))
    return entities.unescape(TAG.sub(" ", f"{UNSEEN.sub(' ', html)} {inside}"))


def _distinct(person: str) -> bool:
    """Whether an id cannot be an ordinary number or word by chance."""
    return (
        len(person) >= SHORTEST_ID and any(c.isdigit() for c in person) and not (person.isdigit() and len(person) < 7)
    )
