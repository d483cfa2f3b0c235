"""The population or exposure behind each count of a series."""

from __future__ import annotations

import re

import numpy as np

from evalkit.counterfactual.panel import Panel
from evalkit.errors import EstimationError, Flag, did_you_mean

LARGEST_LOG = 50.0  # e to the 50 is more than anything that is counted


def log_exposure(panel: Panel, offset: object, exposure: object) -> tuple[np.ndarray, list[Flag]]:
    """Find what is added to the linear predictor of counts.

    Parameters
    ----------
    panel : Panel
        The series.
    offset : str or None
        A column of logarithms, or "log(column)". A column with values beyond 50 cannot hold logarithms of anything that
        is counted: its logarithm is taken, and a flag says so.
    exposure : str or None
        A column of amounts (people, days at risk), of which the logarithm is taken.

    Returns
    -------
    (ndarray of shape (n,), list of Flag)
        Zeros where neither is given.

    Raises
    ------
    EstimationError
        Both are given, the column is not there or not of numbers, or an amount is missing, 0 or negative.
    """
    if offset is None and exposure is None:
        return np.zeros(len(panel.y)), []
    if offset is not None and exposure is not None:
        raise EstimationError("offset and exposure are both given. Name the population once.")
    given = str(exposure if offset is None else offset)
    inside = re.fullmatch(r"(?:np\.)?log\(\s*(.+?)\s*\)", given)
    name = inside.group(1) if inside else given
    values = _column(panel, name, "exposure" if offset is None else "offset")
    if offset is not None and inside is None and np.abs(values).max() <= LARGEST_LOG:
        return values, []
    if (values <= 0).any():
        raise EstimationError(
            f'"{name}" is 0 or negative in {int((values <= 0).sum())} periods, so it has no logarithm.'
        )
    flags = []
    if offset is not None and inside is None:
        text = f'The offset "{name}" holds amounts, not logarithms, so its logarithm is used.'
        flags.append(Flag("counterfactual", "note", text, f'exposure = "{name}" says the same.'))
    return np.log(values), flags


def _column(panel: Panel, name: str, option: str) -> np.ndarray:
    """The numbers of a column, all there."""
    if name not in panel.frame:
        remedy = f'For the logarithm of a column write exposure = "{name}".'
        raise EstimationError(f'{option} names "{name}". {did_you_mean(name, panel.frame.columns)} {remedy}')
    try:
        values = panel.frame[name].to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError):
        raise EstimationError(f'{option} names "{name}", which is not a column of numbers.') from None
    if not np.isfinite(values).all():
        raise EstimationError(f'"{name}" is missing in {int((~np.isfinite(values)).sum())} periods. Fill it in.')
    return values
