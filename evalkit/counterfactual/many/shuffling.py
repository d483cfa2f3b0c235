"""Arms dealt out again as they were assigned, for tests of the whole curve under "no effect for anybody"."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Shuffle:
    """One new deal of the arms.

    Parameters
    ----------
    treated : str
        Column of arms.
    unit : str or None
        What was assigned as a whole: the column of clusters or of people; None: each row.
    within : str or None
        Column within whose values arms are dealt out.
    seed : tuple of int
        Of the deal.
    """

    treated: str
    unit: str | None
    within: str | None
    seed: tuple[int, ...]

    def of(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Deal the arms out again.

        Parameters
        ----------
        frame : DataFrame
            Left as it is; rows without an arm (or unit) stay as they are.

        Returns
        -------
        DataFrame
            With other arms.
        """
        known = frame[self.treated].notna()
        if self.unit is not None:
            known &= frame[self.unit].notna()
        rows = frame[known]
        names = rows[self.unit].astype(str).to_numpy() if self.unit else np.arange(len(rows))
        _, first, unit = np.unique(names, return_index=True, return_inverse=True)
        arms = rows[self.treated].to_numpy()[first]
        blocks = rows[self.within].astype(str).to_numpy()[first] if self.within else np.zeros(len(arms))
        random = np.random.default_rng(self.seed)
        dealt = arms.copy()
        for block in np.unique(blocks):
            mine = np.flatnonzero(blocks == block)
            dealt[mine] = arms[random.permutation(mine)]
        column = frame[self.treated].copy()
        column[known] = dealt[unit]
        return frame.assign(**{self.treated: column})


def assigned_as(frame: pd.DataFrame, arguments: dict) -> tuple[str | None, str | None]:
    """Read off how the arms were assigned.

    Parameters
    ----------
    frame : DataFrame
        The people.
    arguments : dict
        Keyword arguments of `evalkit.counterfactual.estimate`: treated, cluster, person and strata are looked at.

    Returns
    -------
    (str or None, str or None)
        What was assigned as a whole (clusters where each lies in one arm, else people), and within what (strata; else
        clusters that hold both arms).
    """
    cluster, strata, person = (arguments.get(name) for name in ("cluster", "strata", "person"))
    if cluster is None:
        return person, strata
    whole = frame.groupby(cluster)[arguments["treated"]].nunique().max() <= 1
    return (cluster, strata) if whole else (person, strata or cluster)
