"""Outcomes by how much people took part: a description, never an effect."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit import disclosure
from evalkit.errors import DataError, Flag
from evalkit.outcomes.sessions.engagement import Engagement
from evalkit.words import SUPPRESSED, number

NONE = "no session"
_NAMES = ("lowest third", "middle third", "highest third")
NOT_AN_EFFECT = Flag(
    "outcomes",
    "caution",
    "Outcomes by dose describe who stayed; they do not show what more sessions do.",
    "People who come more often differ from those who stop, in ways that also decide their outcomes.",
)


@dataclass(frozen=True, eq=False)
class ByDose:
    """Outcomes of people by how many sessions they attended.

    Attributes
    ----------
    table : DataFrame
        A row for those without a session and for each third of the rest: ``arm``, ``dose``, ``sessions`` (mean),
        ``n``, ``mean``, ``sd``, ``low``, ``high`` (95 %).
    flags : tuple of Flag
        Always says that this is no effect.
    """

    table: pd.DataFrame
    flags: tuple[Flag, ...]

    def shown(self, rule: str = "uk-children-10", digits: int = 1) -> pd.DataFrame:
        """Give the table as it may leave.

        Parameters
        ----------
        rule : str
            The disclosure rule in force.
        digits : int
            Decimals of the outcome.

        Returns
        -------
        DataFrame
            ``arm``, ``dose``, ``people`` (a share in words, since counts and their total would give small ones away),
            ``sessions``, ``mean``, ``sd``, ``low``, ``high``; "[c]" where few people are behind them.
        """
        table = self.table[["arm", "dose"]].copy()
        of = self.table.groupby("arm")["n"].transform("sum")
        table["people"] = [
            disclosure.in_words(int(n), int(total), rule) for n, total in zip(self.table["n"], of, strict=True)
        ]
        enough = [isinstance(disclosure.count(int(n), rule), int) for n in self.table["n"]]
        for name in ("sessions", "mean", "sd", "low", "high"):
            values = zip(self.table[name], enough, strict=True)
            places = 1 if name == "sessions" else digits
            table[name] = [number(value, places) if shown else SUPPRESSED for value, shown in values]
        return table

    def _repr_html_(self) -> str:
        return self.shown().to_html(index=False, border=0) + f"<p>{NOT_AN_EFFECT.text}</p>"

    def __repr__(self) -> str:
        return f"ByDose({len(self.table)} groups; {NOT_AN_EFFECT.text})"


def by_dose(found: Engagement, outcome: pd.Series) -> ByDose:
    """Lay outcomes beside the number of sessions attended.

    Parameters
    ----------
    found : Engagement
        From `engagement`.
    outcome : Series of float
        By person; missing ones stay out.

    Returns
    -------
    ByDose
        Thirds of those reached, people with equal doses kept together (so thirds can be uneven, or fewer).

    Raises
    ------
    DataError
        The outcome names a person twice, or nobody of those who were offered sessions.
    """
    if outcome.index.has_duplicates:
        raise DataError("outcome names a person twice. Give one value per person.")
    table = found.table.assign(outcome=found.table["person"].map(outcome.astype(float)))
    table = table[table["outcome"].notna()]
    if table.empty:
        raise DataError("outcome has a value for nobody who was offered sessions. Use the person ids as its index.")
    parts = [_rows(own, str(arm)) for arm, own in table.groupby("arm", sort=False)]
    return ByDose(pd.concat(parts, ignore_index=True), (NOT_AN_EFFECT,))


def _rows(own: pd.DataFrame, arm: str) -> pd.DataFrame:
    place = _third(own["attended"].to_numpy())
    names = [NONE, *_NAMES]
    rows = [_row(own[place == one], arm, names[one]) for one in range(4) if (place == one).any()]
    return pd.DataFrame(rows)


def _third(attended: np.ndarray) -> np.ndarray:
    """0 for no session, else 1 to 3; the same number of sessions is always in the same third."""
    came = attended[attended > 0]
    if not len(came):
        return np.zeros(len(attended), dtype=int)
    edges = np.quantile(came, [1 / 3, 2 / 3], method="inverted_cdf")
    return np.where(attended == 0, 0, 1 + (attended > edges[0]).astype(int) + (attended > edges[1]).astype(int))


def _row(part: pd.DataFrame, arm: str, name: str) -> dict[str, object]:
    from scipy import stats

    values = part["outcome"].to_numpy(dtype=float)
    mean, n = float(values.mean()), len(values)
    sd = float(values.std(ddof=1)) if n > 1 else np.nan
    reach = float(stats.t.ppf(0.975, n - 1)) * sd / np.sqrt(n) if n > 1 else np.nan
    told = {"arm": arm, "dose": name, "sessions": float(part["attended"].mean()), "n": n, "mean": mean, "sd": sd}
    return {**told, "low": mean - reach, "high": mean + reach}
