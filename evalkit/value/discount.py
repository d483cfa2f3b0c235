"""Discounting: a rate, or a dated schedule of rates, and whether year 1 counts; lines may have rates of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evalkit import library, words
from evalkit.errors import StudyError

ASKED = " (unconfirmed)"
HEALTH = "health"
HEALTH_FILE = "health_2022"


@dataclass(frozen=True)
class Discounting:
    """How later years are discounted.

    Parameters
    ----------
    rate : float or list of dict
        One rate a year, or segments years_from, years_to (absent: no end), rate.
    first_year : bool
        Whether the value of year 1 is discounted once.
    name : str
        The parameter file it came from; empty for a plain number.
    source : str
        Of the parameter file, with its date and status; empty for a plain number.
    """

    rate: float | list[dict[str, Any]]
    first_year: bool
    name: str = ""
    source: str = ""

    def factors(self, years: int) -> np.ndarray:
        """Discount factors, cumulative over the segments.

        Parameters
        ----------
        years : int
            How many.

        Returns
        -------
        ndarray, shape (years,)
            Of year 1, 2 and so on. What is spent before year 1 ("year 0") has the factor 1.
        """
        steps = np.cumprod([1.0, *(1 / (1 + self.at(year)) for year in range(1, years + 1))])
        return steps[1:] if self.first_year else steps[:-1]

    def at(self, year: int) -> float:
        """Look up the rate of one year.

        Parameters
        ----------
        year : int
            Years from the start.

        Returns
        -------
        float
            A share a year.

        Raises
        ------
        StudyError
            The schedule ends before that year.
        """
        if not isinstance(self.rate, list):
            return float(self.rate)
        segment = next(s for s in reversed(self.rate) if s["years_from"] <= year)
        if year > segment.get("years_to", year):
            raise StudyError(
                f'Parameter "{self.name}" holds no rate for year {year}: it ends with {segment["years_to"]}.'
            )
        return float(segment["rate"])

    @property
    def says(self) -> str:
        """The convention in words."""
        first = "year 1 discounted once" if self.first_year else "year 1 not discounted"
        return (
            f"Discounted at {self.rate_says}, {first}; drop-off from the second year of each line; "
            "payback assumes value spread evenly in each year."
        )

    @property
    def rate_says(self) -> str:
        """The rate in words: "3.5% a year (stpr 2022, falling for later years)"."""
        percent = words.percent(self.at(1), 2 if round(self.at(1) * 1000) != self.at(1) * 1000 else 1)
        if not self.name:
            return f"{percent} a year"
        rates = self.rate if isinstance(self.rate, list) else []
        falling = ", falling for later years" if len(rates) > 1 else ""
        return f"{percent} a year ({self.name}{falling})"


def read_rate(rate: float | str, first_year: bool) -> Discounting:
    """Find a discount rate: a number, or a dated parameter file.

    Parameters
    ----------
    rate : float or str
        0.035, or the name of a parameter file as a study writes it: "stpr 2022". One that is unconfirmed comes only by
        its full name: "health 2022 (unconfirmed)".
    first_year : bool
        Whether the value of year 1 is discounted once.

    Returns
    -------
    Discounting
        The rate or schedule.

    Raises
    ------
    StudyError
        The file is not known, is unconfirmed and not asked for as such, holds no schedule, or the number is not a
        share between 0 and 1.

    References
    ----------
    HM Treasury, The Green Book: the social time preference rate, which falls after 30 years.
    """
    if isinstance(rate, str):
        entry = library.load("parameters", _id(rate))
        if "schedule" not in entry:
            raise StudyError(f'Parameter "{rate}" is not a schedule of discount rates.')
        source = f"{entry['source']} ({entry['date']}, {entry['status']})"
        return Discounting(entry["schedule"], first_year, rate.strip(), source)
    if not 0 <= rate < 1:
        raise StudyError(f"discount_rate {rate} is not a share a year. Write 0.035 for 3.5%.")
    return Discounting(float(rate), first_year)


def _id(rate: str) -> str:
    """The id of a parameter file, as the shelf knows it."""
    told = rate.strip().lower()
    asked = ASKED if told.endswith(ASKED) else ""
    name = told.removesuffix(ASKED).strip().replace(" ", "_")
    return f"{HEALTH_FILE if name == HEALTH else name}{asked}"


def read_line_rate(rate: str, first_year: bool) -> Discounting:
    """Find the rate that a line of the impact map writes: "health", a parameter file, or a number.

    Parameters
    ----------
    rate : str
        The cell of the column rate.
    first_year : bool
        As for the whole map.

    Returns
    -------
    Discounting
        Of that line.

    Raises
    ------
    StudyError
        As for `read_rate`.
    """
    try:
        number = float(rate)
    except ValueError:
        return read_rate(rate, first_year)
    return read_rate(number, first_year)


def line_factors(rates: Sequence[str], discounting: Discounting, years: int) -> np.ndarray:
    """Discount factors of every line: its own rate's, or those of the whole map.

    Parameters
    ----------
    rates : sequence of str
        The column rate; empty: the map's.
    discounting : Discounting
        Of the map.
    years : int
        How many.

    Returns
    -------
    ndarray, shape (n_lines, years)
        Of year 1, 2 and so on.
    """
    usual = discounting.factors(years)
    own = {rate: read_line_rate(rate, discounting.first_year).factors(years) for rate in dict.fromkeys(rates) if rate}
    return np.array([own.get(rate, usual) for rate in rates])


def rates_table(lines: pd.DataFrame, discounting: Discounting) -> pd.DataFrame:
    """List the rates in use, with the dated files they come from.

    Parameters
    ----------
    lines : DataFrame
        With title and rate.
    discounting : Discounting
        Of the whole map.

    Returns
    -------
    DataFrame
        rate (in words), lines (their titles; empty: all without a rate of their own), source.
    """
    rows = [{"rate": discounting.rate_says, "lines": "", "source": discounting.source}]
    for rate in dict.fromkeys(one for one in lines["rate"] if one):
        own = read_line_rate(rate, discounting.first_year)
        titles = ", ".join(lines.loc[lines["rate"] == rate, "title"])
        rows.append({"rate": own.rate_says, "lines": titles, "source": own.source})
    return pd.DataFrame(rows)
