"""The rule sets under which counts of people leave, and the number in prose."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import pandas as pd

from evalkit import words
from evalkit.errors import DisclosureError, did_you_mean


@dataclass(frozen=True)
class Rule:
    """One rule set.

    Parameters
    ----------
    id : str
        Its name in a study file.
    below : int
        Counts smaller than this are hidden, zero included; 0 hides nothing.
    nearest : int
        What remains is rounded to the nearest multiple, halves up; 1 leaves it as it is.
    says : str
        The sentence a report prints.
    source : str
        Where the rule was read.
    """

    id: str
    below: int
    nearest: int
    says: str
    source: str

    def shown(self, n: int) -> int | str:
        """Hide or round one count.

        Parameters
        ----------
        n : int
            People.

        Returns
        -------
        int or str
            The count as it may be printed, or "[c]".
        """
        if n < self.below:
            return words.SUPPRESSED
        return math.floor(n / self.nearest + 0.5) * self.nearest


RULES = {
    rule.id: rule
    for rule in (
        Rule(
            "uk-children-10",
            10,
            1,
            "Counts of people below 10, zero included, are hidden, and so is what rests on them.",
            "UK LLC guidebook",
        ),
        Rule(
            "opensafely",
            8,
            5,
            "Counts of 7 or fewer are hidden; the others are rounded to the nearest 5.",
            "opensafely-core/ehrql pull request 1746",
        ),
        Rule(
            "dfe-national",
            0,
            10,
            "Counts are rounded to the nearest 10, halves up.",
            "Explore Education Statistics methodology",
        ),
    )
}


def find_rule(rule: str) -> Rule:
    """Look up a rule set by its name.

    Parameters
    ----------
    rule : str
        "uk-children-10", "opensafely" or "dfe-national".

    Returns
    -------
    Rule
        The rule set.

    Raises
    ------
    DisclosureError
        The name is not known.
    """
    if rule not in RULES:
        raise DisclosureError(f'Disclosure rule "{rule}" is not known. {did_you_mean(rule, RULES)}')
    return RULES[rule]


def count(n: float | None, rule: str = "uk-children-10", published: bool = False) -> int | str:
    """Protect a single number of people in prose.

    Parameters
    ----------
    n : int or None
        How many people; None is written "[x]".
    rule : str
        The rule set in force.
    published : bool
        Whether the number is a published figure, which passes as it is.

    Returns
    -------
    int or str
        The number as it may be printed, or "[c]".

    Raises
    ------
    DisclosureError
        Not a whole, non-negative number, or an unknown rule.
    """
    if n is None or pd.isna(n):
        return words.NOT_AVAILABLE
    if n < 0 or n != int(n):
        raise DisclosureError(f"{n} is not a count of people: it cannot be judged and does not leave.")
    return int(n) if published else find_rule(rule).shown(int(n))


def roughly(n: int, of: int, rule: str = "uk-children-10") -> str:
    """Write a share of people in a remark beside tables, so coarse that no count can be worked out from both.

    Parameters
    ----------
    n, of : int
        How many people, of how many.
    rule : str
        The rule set in force.

    Returns
    -------
    str
        "a few" where the count itself may not be printed; else "about 15%", to the nearest five.
    """
    if not isinstance(count(n, rule), int):
        return "a few"
    share = 5 * round(20 * n / of)
    return f"about {share}%" if share else "fewer than 5%"


def in_words(n: int, of: int, rule: str = "uk-children-10") -> str:
    """Write a share of people so that neither they nor the rest can be counted.

    Parameters
    ----------
    n, of : int
        How many people, of how many.
    rule : str
        The disclosure rule in force.

    Returns
    -------
    str
        "a few", "about 15%" (to the nearest five), or "all or nearly all".
    """
    few_left = roughly(of - n, of, rule) == "a few"
    return "all or nearly all" if few_left and n > of / 2 else roughly(n, of, rule)


def uncounted(text: str) -> str:
    """Take the whole numbers out of a sentence that was made for whoever holds the data.

    Parameters
    ----------
    text : str
        The words of an error, on its way to a report; years stay, and decimals.

    Returns
    -------
    str
        With "..." for every number that could be a count.
    """
    return re.sub(r"(?<![\w.])(?!(?:19|20)\d\d\b)\d[\d,]*(?![\w.]\d|\d)", "...", text)


def ends(first: int, last: int, rule: str = "uk-children-10") -> tuple[int | str, int | str]:
    """Protect the first and the last count of a flow: those who left in between follow from the two.

    Parameters
    ----------
    first, last : int
        People before any step and after every step.
    rule : str
        The rule set in force.

    Returns
    -------
    tuple
        The counts as they may be printed; the first is "[c]" where too few left in all.
    """
    few = first != last and not isinstance(count(first - last, rule), int)
    return (words.SUPPRESSED if few else count(first, rule)), count(last, rule)
