"""The drop-off that the map states, beside the one that the outcomes after the programme show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.errors import Flag
from evalkit.value.looks.base import View, look

COLUMNS = ["title", "outcome", "stated", "stated_low", "stated_high", "estimated", "low", "high", "verdict", "method"]
OUTSIDE, INSIDE, OPEN = "outside the interval", "within the interval", "the interval is not bounded"


@look("drop_off")
def drop_off(view: View) -> tuple[pd.DataFrame | None, list[Flag]]:
    """Hold the stated drop-off of each lasting line to the estimated one of its outcome.

    Parameters
    ----------
    view : View
        What may be seen; ``effects.looks["persistence"]`` where an effect was followed over occasions.

    Returns
    -------
    (DataFrame or None, list of Flag)
        title, outcome, stated (with stated_low, stated_high), estimated with low and high, verdict, method. None where
        no line that lasts longer than a year has an estimate. A caution where the stated one lies outside; it is never
        replaced.
    """
    estimated = _estimates(getattr(view.value.effects, "looks", None) or {})
    rows = []
    lasting: Any = view.lines[view.lines["duration"] > 1].itertuples()
    for row in lasting:
        found = estimated.get(str(row.outcome)) or estimated.get(str(row.outcome).split("@")[0])
        if found is not None:
            stated = (row.drop_off, row.drop_off_low, row.drop_off_high)
            rows.append([row.title, row.outcome, *stated, found.value, found.low, found.high,
                         _verdict(float(row.drop_off), found), found.method])  # fmt: skip
    if not rows:
        return None, []
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table, [_flag(row) for row in table[table["verdict"] == OUTSIDE].itertuples()]


def _estimates(looks: dict[str, Any]) -> dict[str, Any]:
    """Estimated drop-offs by outcome, with and without its occasion."""
    seen = looks.get("persistence") or []
    found: dict[str, Any] = {}
    for one in seen if isinstance(seen, list | tuple) else [seen]:
        estimate = getattr(getattr(one, "found", one), "drop_off", None)
        if estimate is not None and not getattr(estimate, "source", ""):
            name = str(getattr(one, "outcome", ""))
            found |= {name: estimate, name.split("@")[0]: estimate}
    return found


def _verdict(stated: float, found: Any) -> str:
    """Where the stated drop-off lies."""
    if not np.isfinite([found.low, found.high]).all():
        return OPEN
    return INSIDE if found.low <= stated <= found.high else OUTSIDE


def _flag(row: Any) -> Flag:
    """A stated drop-off that the data contradict."""
    text = (
        f"{row.title}: the map states a drop-off of {words.percent(row.stated, 0)} a year, the outcomes show "
        f"{words.percent(row.estimated, 0)} ({words.interval(row.low, row.high, 0, percent=True)})."
    )
    detail = "The stated one is used. Which is right is a question to whoever stated it."
    return Flag("value", "caution", text, detail, "drop_off")
