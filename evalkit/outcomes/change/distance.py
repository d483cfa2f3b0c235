"""Distance travelled on a ladder: who went up, stayed or went down, by how many stages, of what was left to climb."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evalkit import disclosure
from evalkit.errors import DataError, Flag
from evalkit.outcomes.change.ladders import Stage, Top, areas_of, stage_rule, staged, tops
from evalkit.outcomes.change.shares import compare_shares, read_arm, wilson
from evalkit.outcomes.records.ratios import cluster_codes, error, quantile, ratio
from evalkit.words import listed, number, percent

_WAYS = ("up", "same", "down")
# From this share at the top at the start on, an area has a ceiling: Terwee et al. (2007), J Clin Epidemiol 60, 34-42.
CEILING = 0.15
_ORDINAL = Flag(
    "outcomes",
    "note",
    "The steps of a ladder are in order but not at equal distances.",
    "Read the shares that went up, stayed and went down first; mean change is a secondary number.",
)


@dataclass(frozen=True, eq=False, repr=False)
class DistanceTravelled:
    """How far people came on a ladder.

    Attributes
    ----------
    table : DataFrame
        Per person: ``mean_change``, ``n_up``, ``n_down``, ``n_stage_up`` (areas; missing without stages),
        ``headroom_share`` (sum of change over sum of top - start; missing for those at the top everywhere),
        ``n_areas`` (rated at both times). Never shown.
    areas : DataFrame
        By area: ``n``; for each of up, same and down ``n_up``, ``up``, ``up_low``, ``up_high`` (share, Wilson,
        95 %); ``mean_first``, ``mean_last``, ``mean_change``, ``sd_change``; ``at_top`` (share at the top at the
        start); ``headroom_share``; ``top``.
    stages : DataFrame or None
        People by (area, stage at the start) and stage at the end.
    stage_rule : str
        How a reading becomes a stage.
    n : int
        People with at least one area rated twice.
    flags : tuple of Flag
        Ordinal steps, ceilings, ladders that look shorter than said.
    """

    table: pd.DataFrame
    areas: pd.DataFrame
    stages: pd.DataFrame | None
    stage_rule: str
    n: int
    flags: tuple[Flag, ...]

    def __repr__(self) -> str:
        return f"DistanceTravelled({self.n:,} people, {len(self.areas)} areas)"

    def _repr_html_(self) -> str:
        """Show the shares by area, nothing that rests on few people, and no person's row."""
        counts = ["n", *(f"n_{way}" for way in _WAYS)]
        shown = self.areas[counts].copy()
        for way in _WAYS:
            shown[way] = [percent(share) for share in self.areas[way]]
        shown["mean change"] = [number(value, 2, sign=True) for value in self.areas["mean_change"]]
        behind = {way: f"n_{way}" for way in _WAYS} | {"mean change": "n"}
        total = {"n": [f"n_{way}" for way in _WAYS]}
        safe = disclosure.protect(shown, counts=counts, behind=behind, total=total).table
        return safe.rename(columns={f"n_{way}": f"people {way}" for way in _WAYS}).to_html(border=0)


def distance_travelled(start: Any, end: Any, top: Top = 10, stage: Stage | None = None) -> DistanceTravelled:
    """Measure how far each person came, and what became of each area.

    Parameters
    ----------
    start, end : DataFrame, shape (n_persons, n_areas), or Series
        First and last readings of the same people in the same order (`first_and_last` makes them); NaN where missing.
    top : float or mapping
        The highest step of the ladder; by area where their ranges differ.
    stage : callable, optional
        From one reading to its stage. Default: the shelf's ladder (two steps a stage) where every top is its top,
        else none.

    Returns
    -------
    DistanceTravelled
        ``table``, ``areas``, ``stages``. Of itself it says nothing about what would have happened anyway: see
        `distance_by_arm`.

    Raises
    ------
    DataError
        Other people or areas, readings that are not numbers or lie above the top, an area without a top.
    """
    first, last, flags = areas_of(start, end)
    highest, short = tops(first, last, top)
    both = first.notna() & last.notna()
    if not both.to_numpy().any():
        raise DataError("Nobody was rated twice in any area, so there is no distance travelled.")
    change = (last - first).where(both)
    room = (highest - first).where(both)
    rule, says = stage_rule(stage, highest)
    up = None
    stages = None
    if rule is not None:
        at_first, at_last = staged(first.where(both), rule), staged(last.where(both), rule)
        up, stages = at_last > at_first, _matrices(at_first, at_last)
    areas = _areas(first.where(both), last.where(both), change, room, highest)
    flags = [*flags, _ORDINAL, *short, *_ceilings(areas)]
    n = int(both.any(axis=1).sum())
    return DistanceTravelled(_persons(change, room, up), areas, stages, says, n, tuple(flags))


def _persons(change: pd.DataFrame, room: pd.DataFrame, stage_up: pd.DataFrame | None) -> pd.DataFrame:
    rated = change.notna().sum(axis=1)
    seen = rated > 0
    headroom = room.sum(axis=1)
    return pd.DataFrame(
        {
            "mean_change": change.mean(axis=1),
            "n_up": (change > 0).sum(axis=1).where(seen),
            "n_down": (change < 0).sum(axis=1).where(seen),
            "n_stage_up": np.nan if stage_up is None else stage_up.sum(axis=1).where(seen),
            "headroom_share": change.sum(axis=1) / headroom.where(headroom > 0),
            "n_areas": rated,
        },
        index=change.index,
    )


def _areas(
    first: pd.DataFrame, last: pd.DataFrame, change: pd.DataFrame, room: pd.DataFrame, top: pd.Series
) -> pd.DataFrame:
    n = change.notna().sum()
    table = pd.DataFrame({"n": n})
    for way, found in zip(_WAYS, (change > 0, change == 0, change < 0), strict=True):
        count = found.sum()
        low, high = wilson(count.to_numpy(), n.to_numpy())
        table[f"n_{way}"], table[way] = count, count / n.where(n > 0)
        table[f"{way}_low"], table[f"{way}_high"] = low, high
    table["mean_first"], table["mean_last"] = first.mean(), last.mean()
    table["mean_change"], table["sd_change"] = change.mean(), change.std(ddof=1)
    table["at_top"] = (first >= top).sum() / n.where(n > 0)
    headroom = room.sum()
    table["headroom_share"] = change.sum() / headroom.where(headroom > 0)
    table["top"] = top
    return table.rename_axis("area")


def _matrices(first: pd.DataFrame, last: pd.DataFrame) -> pd.DataFrame:
    """People by stage at the start and at the end, a square for each area with every stage that occurs."""
    known = np.unique(np.concatenate([first.to_numpy().ravel(), last.to_numpy().ravel()]))
    known = known[~np.isnan(known)]
    labels = pd.Index([int(one) if one == int(one) else float(one) for one in known])
    squares = {}
    for area in first.columns:
        seen = first[area].notna().to_numpy()
        rows, columns = (np.searchsorted(known, frame[area].to_numpy()[seen]) for frame in (first, last))
        cells = np.bincount(rows * len(known) + columns, minlength=len(known) ** 2).reshape(len(known), -1)
        squares[area] = pd.DataFrame(cells, index=labels, columns=labels)
    return pd.concat(squares, names=["area", "start stage"]).rename_axis(columns="end stage")


def _ceilings(areas: pd.DataFrame) -> list[Flag]:
    high = [str(area) for area in areas.index[areas["at_top"] >= CEILING]]
    if not high:
        return []
    text = f"At the start {percent(CEILING, 0)} or more were at the top already of: {listed(high)}."
    return [Flag("outcomes", "caution", text, "They cannot go up, so these areas understate what changed.")]


# ---------------------------------------------------------------- beside the comparison's


@dataclass(frozen=True, eq=False, repr=False)
class DistanceByArm:
    """Distance travelled in both arms and the difference.

    Attributes
    ----------
    areas : DataFrame
        By area, and "all areas" (each person's share of areas that went up): ``treated_n``, ``treated_count``,
        ``treated_share``, ``treated_low``, ``treated_high``, the same for ``comparison_``, ``difference``,
        ``difference_low``, ``difference_high`` (share up, treated less comparison, 95 %), ``method``.
    distance : DistanceTravelled
        Of everyone.
    flags : tuple of Flag
        What must be said.
    """

    areas: pd.DataFrame
    distance: DistanceTravelled
    flags: tuple[Flag, ...]

    def __repr__(self) -> str:
        return f"DistanceByArm({self.distance.n:,} people, {len(self.distance.areas)} areas)"


def distance_by_arm(
    start: Any, end: Any, arm: Any, top: Top = 10, stage: Stage | None = None, cluster: Any = None
) -> DistanceByArm:
    """Set the share that went up beside the comparison's.

    Parameters
    ----------
    start, end, top, stage
        As in `distance_travelled`.
    arm : array-like, shape (n_persons,)
        "treated" or 1, "comparison" or 0; missing for neither.
    cluster : array-like, shape (n_persons,), optional
        Who belongs together.

    Returns
    -------
    DistanceByArm
        Newcombe's interval of each difference, with clusters CR2; for "all areas" the difference of mean shares,
        whose error is taken between persons or clusters, since a person's areas move together.

    Raises
    ------
    DataError
        As in `distance_travelled`, or an arm with nobody in it.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17, 873-890.
    """
    distance = distance_travelled(start, end, top, stage)
    first, last, _ = areas_of(start, end)
    treated = read_arm(arm, len(first))
    change = (last - first).to_numpy()
    up = np.where(np.isnan(change), np.nan, change > 0)
    rows = [compare_shares(column, treated, cluster).row() for column in up.T]
    rated = (~np.isnan(up)).sum(axis=1)
    share = np.where(rated > 0, np.nansum(up, axis=1) / np.maximum(rated, 1), np.nan)
    rows.append(_all_areas(share, treated, cluster))
    index = pd.Index([*map(str, first.columns), "all areas"], name="area")
    return DistanceByArm(pd.DataFrame(rows, index=index), distance, distance.flags)


def _all_areas(share: np.ndarray, treated: np.ndarray, cluster: Any) -> dict[str, Any]:
    """Mean shares per person are not shares of people: their own spread gives the interval."""
    codes, clusters = cluster_codes(cluster, len(share))
    row: dict[str, Any] = {}
    parts = []
    for arm, value in (("treated", 1.0), ("comparison", 0.0)):
        inside = (treated == value) & np.isfinite(share)
        part = ratio(share[inside], np.ones(int(inside.sum())), codes[inside], clusters)
        se, df = error([part], [1.0])
        half = quantile(df) * se
        row |= {
            f"{arm}_n": int(part.bottom), f"{arm}_count": np.nan, f"{arm}_share": part.value,
            f"{arm}_low": part.value - half, f"{arm}_high": part.value + half,
        }  # fmt: skip
        parts.append(part)
    se, df = error(parts, [1.0, -1.0])
    half, difference = quantile(df) * se, parts[0].value - parts[1].value
    reach = {"difference_low": difference - half, "difference_high": difference + half}
    return row | {"difference": difference} | reach | {"method": "persons or clusters (CR2)"}
