"""Benefits that are not valued in money: carried beside it, never lost and never counted as nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from evalkit.errors import Flag
from evalkit.value.lines import SHARES
from evalkit.value.noun import Value

NOT_IN_MONEY = "not valued in money"
REMEDY = "They stand beside the ratio. To value one, write its proxy, and its quantity or an estimated outcome."
WITHOUT = (*SHARES, "impact", "present_value", "low", "high", "proxy", "proxy_stated", "price_factor")


def part_money(lines: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part the lines that are valued in money from those that are not.

    Parameters
    ----------
    lines : DataFrame
        From `read_lines`.

    Returns
    -------
    (DataFrame, DataFrame)
        Those with a proxy; those without. Both keep the index of the map.
    """
    return lines[lines["proxy"].notna()], lines[lines["proxy"].isna()]


def beside_money(value: Value, beside: pd.DataFrame) -> Value:
    """Put what is not valued in money back into its place in the map.

    Parameters
    ----------
    value : Value
        Of the lines with a proxy; its lines keep the index of the map.
    beside : DataFrame
        From `part_money`; a quantity that is known stays.

    Returns
    -------
    Value
        Its lines with rows of missing impact and present_value, and a note that names them; lines numbered from 0.
    """
    if beside.empty:
        return replace(value, lines=value.lines.reset_index(drop=True))
    rows = beside.assign(**dict.fromkeys(WITHOUT, np.nan), quantity_from=NOT_IN_MONEY)
    rows = rows.assign(**{name: rows[name].astype(int) for name in ("duration", "starts_year")})[list(value.lines)]
    lines = pd.concat([value.lines, rows]).sort_index().reset_index(drop=True)
    text = f"Not valued in money, so no part of the ratio: {', '.join(beside['title'])}."
    return replace(value, lines=lines, flags=(*value.flags, Flag("value", "note", text, REMEDY, "beside")))
