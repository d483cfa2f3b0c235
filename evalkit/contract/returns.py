"""What investors got back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.errors import DataError


@dataclass(frozen=True)
class Returns:
    """What a row of cash flows came to.

    Parameters
    ----------
    irr : float or None
        Internal rate of return, a share a year, Actual/365; None where there is none or more than one.
    multiple : float or None
        Money out over money in; None where nothing was paid in.
    peak_drawdown : float
        The most that was ever out of pocket.
    net : float
        The sum of all flows.
    day_count : str
        The convention.
    """

    irr: float | None
    multiple: float | None
    peak_drawdown: float
    net: float
    day_count: str = "Actual/365"


def returns(cash_flows: pd.DataFrame) -> Returns:
    """Work out return, multiple and draw-down of an investment.

    Parameters
    ----------
    cash_flows : DataFrame
        date and amount; negative amounts were paid in by the investors.

    Returns
    -------
    Returns
        ``irr multiple peak_drawdown net day_count``.

    Raises
    ------
    DataError
        Columns missing, no rows, dates that are not dates, amounts that are not numbers.
    """
    absent = [name for name in ("date", "amount") if name not in cash_flows]
    if absent or cash_flows.empty:
        raise DataError(
            f"Cash flows need rows with date and amount{'; missing: ' + ', '.join(absent) if absent else ''}."
        )
    flows = pd.DataFrame(
        {
            "date": pd.to_datetime(cash_flows["date"], errors="coerce", format="ISO8601"),
            "amount": pd.to_numeric(cash_flows["amount"], errors="coerce"),
        }
    )
    if bad := int(flows.isna().any(axis=1).sum()):
        raise DataError(f"Cash flows: {bad} rows have no date (written 2024-03-31) or no amount in numbers.")
    flows = flows.sort_values("date", kind="stable")
    amounts = flows["amount"].to_numpy(dtype=float)
    years = (flows["date"] - flows["date"].iloc[0]).dt.days.to_numpy() / 365
    paid_in = -amounts[amounts < 0].sum()
    multiple = float(amounts[amounts > 0].sum() / paid_in) if paid_in > 0 else None
    drawdown = float(max(0.0, -np.cumsum(amounts).min()))
    return Returns(_irr(amounts, years), multiple, drawdown, float(amounts.sum()))


def _irr(amounts: np.ndarray, years: np.ndarray) -> float | None:
    """The one rate at which the flows are worth nothing today; None where there is none, or several."""

    from scipy.optimize import brentq  # here, so that importing evalkit stays fast

    def worth(rate: float) -> float:
        return float((amounts / (1 + rate) ** years).sum())

    grid = np.concatenate([np.linspace(-0.99, 1, 400), np.geomspace(1.01, 100, 100)])
    signs = np.sign([worth(rate) for rate in grid])
    changes = np.flatnonzero(np.diff(signs) != 0)
    if len(changes) != 1 or not years.any():
        return None
    low, high = grid[changes[0]], grid[changes[0] + 1]
    return float(brentq(worth, low, high, xtol=1e-12))
