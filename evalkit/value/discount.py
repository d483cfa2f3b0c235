"""Discounting: a rate, or a dated schedule of rates, and whether year 1 counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from evalkit import library, words
from evalkit.errors import StudyError


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
    """

    rate: float | list[dict[str, Any]]
    first_year: bool
    name: str = ""

    def factors(self, years: int) -> np.ndarray:
        """Discount factors, cumulative over the segments.

        Parameters
        ----------
        years : int
            How many.

        Returns
        -------
        ndarray, shape (years,)
            Of year 1, 2 and so on.
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
        """
        if not isinstance(self.rate, list):
            return float(self.rate)
        return float(next(s["rate"] for s in reversed(self.rate) if s["years_from"] <= year))

    @property
    def says(self) -> str:
        """The convention in words."""
        percent = words.percent(self.at(1))
        rate = f"{percent} a year ({self.name}, falling for later years)" if self.name else f"{percent} a year"
        first = "year 1 discounted once" if self.first_year else "year 1 not discounted"
        return f"Discounted at {rate}, {first}; drop-off from year 2; payback assumes value spread evenly in each year."


def read_rate(rate: float | str, first_year: bool) -> Discounting:
    """Find a discount rate: a number, or a dated parameter file.

    Parameters
    ----------
    rate : float or str
        0.035, or the name of a parameter file as a study writes it: "stpr 2022".
    first_year : bool
        Whether the value of year 1 is discounted once.

    Returns
    -------
    Discounting
        The rate or schedule.

    Raises
    ------
    StudyError
        The file is not known, holds no schedule, or the number is not a share between 0 and 1.
    """
    if isinstance(rate, str):
        entry = library.load("parameters", rate.strip().lower().replace(" ", "_"))
        if "schedule" not in entry:
            raise StudyError(f'Parameter "{rate}" is not a schedule of discount rates.')
        return Discounting(entry["schedule"], first_year, rate)
    if not 0 <= rate < 1:
        raise StudyError(f"discount_rate {rate} is not a share a year. Write 0.035 for 3.5%.")
    return Discounting(float(rate), first_year)
