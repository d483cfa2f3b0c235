"""Services compared, as a noun."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit import disclosure
from evalkit.errors import Flag
from evalkit.words import SUPPRESSED


@dataclass(frozen=True, eq=False)
class Services:
    """Services compared.

    Attributes
    ----------
    table : DataFrame
        A row per service: ``n`` people; ``raw`` mean; ``adjusted`` mean, as if all had the same mix of people; shrunken
        ``estimate`` with ``se``, ``low`` and ``high``; ``rank`` (1 is highest) with ``rank_low`` and ``rank_high``;
        funnel limits of 95 % and 99.8 %, which allow for chance only; ``outside``: "", "95%" or "99.8%".
    mean : float
        The overall line.
    between_sd : float
        Standard deviation between services; missing where they are too few.
    within_sd : float
        Between people of one service.
    icc : float
        Share of variance between services.
    method : str
        How estimates were pulled together, in words.
    binary : bool
        Whether limits are those of a share.
    level : float
        Of the intervals.
    flags : tuple of Flag
        What a reader must know.
    yes_no : bool
        Whether the outcome is 0 or 1, so that a raw mean and ``n`` tell how many people had it.
    """

    table: pd.DataFrame
    mean: float
    between_sd: float
    within_sd: float
    icc: float
    method: str
    binary: bool
    level: float
    flags: tuple[Flag, ...]
    yes_no: bool = False

    def protected(self, rule: str = "uk-children-10") -> pd.DataFrame:
        """The table with small services hidden.

        Parameters
        ----------
        rule : str
            The disclosure rule in force.

        Returns
        -------
        DataFrame
            ``n`` as it may be printed, "[c]" for a service that is too small, or of whose people too few had a
            yes-or-no outcome, or too few had not; everything else of such a service is missing. Where just one would
            be hidden, so is the smallest of the others: one alone follows from the total.
        """
        hidden = self._hidden(rule)
        rest = self.table.drop(columns="n")[~hidden].reindex(self.table.index)
        counted = zip(self.table["n"], hidden, strict=True)
        people = [SUPPRESSED if hide else disclosure.count(int(n), rule) for n, hide in counted]
        return pd.concat([pd.Series(people, index=rest.index, name="n", dtype=object), rest], axis=1)

    def _hidden(self, rule: str) -> np.ndarray:
        n = self.table["n"].to_numpy()
        parts = [n]
        if self.yes_no:
            with_it = np.rint(self.table["raw"].to_numpy() * n).astype(int)
            parts += [with_it, n - with_it]
        few = [[not isinstance(disclosure.count(int(count), rule), int) for count in part] for part in parts]
        hidden = np.any(few, axis=0)
        if hidden.sum() == 1 and not hidden.all():
            hidden[np.where(hidden, np.inf, n).argmin()] = True
        return hidden

    def __repr__(self) -> str:
        return f"{self._head()}\n{self.protected().round(3)}"

    def _repr_html_(self) -> str:
        return f"<p>{self._head()}</p>{self.protected().round(3).to_html(border=0)}"

    def _head(self) -> str:
        return (
            f"{len(self.table)} services, mean {self.mean:.3f}, between-service SD {self.between_sd:.3f}; {self.method}"
        )
