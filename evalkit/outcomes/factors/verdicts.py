"""What a comparison of factor models says, in words, by the published rules of thumb."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from evalkit.errors import Flag
from evalkit.outcomes.factors.structure import Design
from evalkit.words import listed, number

# Chen (2007): for samples beyond 300; the pair after is for smaller ones.
CFI_FALL, RMSEA_RISE = 0.010, 0.015
CFI_FALL_SMALL, RMSEA_RISE_SMALL = 0.005, 0.010
SMALL = 300
# Hu and Bentler (1999) for a good fit; Byrne (2008) and others for a fair one.
_GOOD = {"cfi": 0.95, "rmsea": 0.06, "srmr": 0.08}
_FAIR = {"cfi": 0.90, "rmsea": 0.08, "srmr": 0.08}
_SAME = {
    "configural": "the same items go together everywhere",
    "metric": "items count alike everywhere",
    "scalar": "equal standing gets equal answers everywhere, so means can be compared",
    "strict": "answers are equally precise everywhere",
}
_DIFFERENT = {
    "metric": "items count differently, so neither associations nor means are comparable as they stand",
    "scalar": "equal standing gets different answers, so differences in means are partly differences in answering",
    "strict": "answers are not equally precise; means may still be compared if the scalar row holds",
}


def rows_of(table: pd.DataFrame) -> list[pd.Series]:
    """The rows of a table, in order."""
    return [row for _, row in table.iterrows()]


def good_enough(level: str, row: pd.Series) -> bool:
    """Whether a row holds: fair fit of the pattern, or a change in fit within Chen's limits.

    Parameters
    ----------
    level : str
        The row's name.
    row : Series
        ``cfi``, ``rmsea``, ``srmr`` and their ``delta_``.

    Returns
    -------
    bool
        Of this step alone; a later step rests on the ones before.
    """
    if level == "configural":
        return _within(row, _FAIR)
    return bool(row["delta_cfi"] >= -CFI_FALL and row["delta_rmsea"] <= RMSEA_RISE)


def _within(row: pd.Series, limits: dict[str, float]) -> bool:
    return bool(row["cfi"] >= limits["cfi"] and row["rmsea"] <= limits["rmsea"] and row["srmr"] <= limits["srmr"])


def verdict(level: str, row: pd.Series, held: pd.Series, partial: Sequence[dict[str, Any]]) -> str:
    """Say what a row means.

    Parameters
    ----------
    level : str
        The row's name.
    row : Series
        Of the table.
    held : Series of bool
        Whether each row up to this one holds.
    partial : sequence of dict
        The items whose release helps most, where the step fails.

    Returns
    -------
    str
        One or two sentences.
    """
    if level == "configural":
        return _pattern(row)
    change = f"CFI {number(row['delta_cfi'], 3, sign=True)}, RMSEA {number(row['delta_rmsea'], 3, sign=True)}"
    if not row["holds"]:
        names = listed([f'"{one["item"]}"' for one in partial])
        most = f" Most of it comes from {names}." if names else ""
        return f"Fails ({change}): {_DIFFERENT[level]}.{most}"
    broken = [name for name, holds in held.iloc[1:-1].items() if not holds]
    if broken:
        return f"No further loss of fit ({change}), but the {broken[0]} step failed, so this one cannot be built on."
    return f"Holds ({change}): {_SAME[level]}."


def _pattern(row: pd.Series) -> str:
    fit = f"CFI {number(row['cfi'], 3)}, RMSEA {number(row['rmsea'], 3)}, SRMR {number(row['srmr'], 3)}"
    if _within(row, _GOOD):
        return f"Fits well ({fit}): {_SAME['configural']}."
    if _within(row, _FAIR):
        return f"Fits fairly ({fit}): {_SAME['configural']}, roughly."
    return f"Fits poorly ({fit}): the factors as named do not describe the answers well, so read the steps with care."


def small_sample_flags(design: Design, table: pd.DataFrame) -> list[Flag]:
    """Say where a step holds only by the limits meant for larger samples."""
    if design.n > SMALL:
        return []
    near = [
        str(level)
        for level, row in table.iloc[1:].iterrows()
        if row["holds"] and (row["delta_cfi"] < -CFI_FALL_SMALL or row["delta_rmsea"] > RMSEA_RISE_SMALL)
    ]
    if not near:
        return []
    text = f"The {listed(near)} step holds by the limits for more than {SMALL} persons, not by those for fewer."
    detail = (
        f"{design.n} persons. Chen (2007): CFI may fall by {CFI_FALL_SMALL}, RMSEA rise by {RMSEA_RISE_SMALL} where "
        "samples are small."
    )
    return [Flag("outcomes", "caution", text, detail)]
