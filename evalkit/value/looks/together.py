"""If the ranges of one kind moved together: a bound on what is not known of how assumptions hang together."""

from __future__ import annotations

from dataclasses import dataclass, replace

from evalkit import words
from evalkit.errors import Flag
from evalkit.value.discount import line_factors
from evalkit.value.looks.base import View, look
from evalkit.value.ranges import Drawing, spread_of
from evalkit.value.worth import last_year

MOST = 10_000
WIDER = 1.25  # times as wide as with assumptions that move by themselves: then it is said


@dataclass(frozen=True)
class Together:
    """The range of the ratio where all deadweights move together, all unit values, and so on.

    Parameters
    ----------
    ratio_low, ratio_high : float
        2.5 and 97.5 % of the draws.
    exceeds : float
        Share of the draws in which value exceeds cost.
    times : float
        How many times as wide it is as with assumptions that move by themselves.
    """

    ratio_low: float
    ratio_high: float
    exceeds: float
    times: float


@look("together")
def together(view: View) -> tuple[Together | None, list[Flag]]:
    """Draw once more with all ranges of one kind moving together, effects as they are.

    Parameters
    ----------
    view : View
        What may be seen.

    Returns
    -------
    (Together or None, list of Flag)
        None where nothing has a range, or one line only. A caution where the range is much wider, or tells otherwise
        whether value exceeds cost.
    """
    spread = view.value.spread
    if spread is None or len(view.lines) < 2:
        return None, []
    draws = min(view.drawing.draws, MOST)
    given = {place: drawn[:draws] for place, drawn in view.drawing.quantities.items()}
    drawing: Drawing = replace(view.drawing, draws=draws, quantities=given, alike=True)
    years = max(last_year(view.lines), view.cost.last_year)
    factors = line_factors(view.lines["rate"].tolist(), view.discounting, years)
    alike = spread_of(view.lines, factors, view.cost, drawing, {})
    if alike is None:
        return None, []
    width, usual = alike.ratio[1] - alike.ratio[0], spread.ratio[1] - spread.ratio[0]
    found = Together(*alike.ratio, alike.exceeds, width / usual if usual > 0 else 1.0)
    turned = (spread.ratio[0] > 1 >= alike.ratio[0]) or (spread.ratio[1] < 1 <= alike.ratio[1])
    if found.times < WIDER and not turned:
        return found, []
    text = (
        "Assumptions are drawn each by itself. If all of one kind moved together, the ratio's range would be "
        f"{words.interval(*alike.ratio, 2)}."
    )
    return found, [Flag("value", "caution", text, "How they hang together is not known.", "ratio")]
