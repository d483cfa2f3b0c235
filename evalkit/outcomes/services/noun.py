"""Services compared, as a noun."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit import disclosure
from evalkit.errors import Flag


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

    def protected(self, rule: str = "uk-children-10") -> pd.DataFrame:
        """The table with small services hidden.

        Parameters
        ----------
        rule : str
            The disclosure rule in force.

        Returns
        -------
        DataFrame
            ``n`` as it may be printed; everything else of a service that is too small is missing.
        """
        shown = [disclosure.count(n, rule) for n in self.table["n"]]
        seen = np.array([isinstance(n, int) for n in shown])
        rest = self.table.drop(columns="n")[seen].reindex(self.table.index)
        return pd.concat([pd.Series(shown, index=rest.index, name="n", dtype=object), rest], axis=1)

    def __repr__(self) -> str:
        return f"{self._head()}\n{self.protected().round(3)}"

    def _repr_html_(self) -> str:
        return f"<p>{self._head()}</p>{self.protected().round(3).to_html(border=0)}"

    def _head(self) -> str:
        return (
            f"{len(self.table)} services, mean {self.mean:.3f}, between-service SD {self.between_sd:.3f}; {self.method}"
        )
