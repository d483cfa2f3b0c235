"""Who gained and who lost: the two arms' whole distributions beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.counterfactual.arms import cluster_flags, no_interval
from evalkit.counterfactual.many.resampled_quantiles import Drawn, draw_quantiles, draw_shares, widened
from evalkit.counterfactual.panel import Columns, Panel, Plan, prepare
from evalkit.counterfactual.registry import find_estimator
from evalkit.counterfactual.scores import effective_size
from evalkit.errors import EstimationError, Flag, as_list, did_you_mean, several

TENTHS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
BEYOND = 10  # people on either side of a quantile, and in each state, in each arm
FEW_VALUES = 20
STATES = ("improved", "unchanged", "worse")
WEIGHT = "(weight)"
NOT_PEOPLE = "These are differences between the two groups' distributions, not effects on any one person."


class Rare(TypedDict, total=False):
    """What is seldom asked of `who_gained`."""

    at: Sequence[float]
    better: str
    level: float
    draws: int
    seed: int
    treated_is: Any


@dataclass(frozen=True, eq=False)
class Gained:
    """The distribution of an outcome with the programme and without.

    Parameters
    ----------
    table : DataFrame, one row per quantile
        at (share of the people at or below), treated, comparison, effect (their difference), se, low, high, low_all,
        high_all (limits that hold for all rows at once), why (it is not given).
    shares : DataFrame or None, one row per state
        state ("improved", "unchanged", "worse" by the declared threshold), treated, comparison (shares), difference,
        se, low, high, why. None without a threshold.
    dominance : str
        Whether one distribution lies on the better side throughout, said cautiously.
    says : str
        In plain words.
    flags : tuple of Flag
        What a reader must be told.
    level : float
        Of the intervals.
    n_treated, n_comparison : int
        People behind it.
    """

    table: pd.DataFrame
    shares: pd.DataFrame | None
    dominance: str
    says: str
    flags: tuple[Flag, ...]
    level: float
    n_treated: int
    n_comparison: int

    def _repr_html_(self) -> str:
        parts = [self.table, *([] if self.shares is None else [self.shares])]
        shown = "".join(part.to_html(index=False, float_format="{:.3f}".format) for part in parts)
        return f"<p>{self.says}</p>{shown}{as_list(self.flags)}"


def who_gained(
    frame: pd.DataFrame,
    *,
    outcome: str,
    treated: str,
    person: str | None = None,
    baseline: str | None = None,
    threshold: float | None = None,
    cluster: str | None = None,
    weights: str | pd.Series | None = None,
    **options: Unpack[Rare],
) -> Gained:
    """Compare the whole distribution of an outcome, not its mean alone.

    Parameters
    ----------
    frame : DataFrame
        One row per person; left as it is.
    outcome, treated : str
        As for `evalkit.counterfactual.estimate`.
    person : str, optional
        Ids; wanted where ``weights`` are by person.
    baseline : str, optional
        Column of the same measure before the programme, in the outcome's unit.
    threshold : float, optional
        A change from baseline that counts, above 0, declared beforehand: at least as much is improved or worse, less
        is unchanged.
    cluster : str, optional
        Groups people come in; drawn again as wholes.
    weights : str or Series, optional
        A column, or weights by person as an estimate's ``diagnostics["weights"]`` holds them; people without one, or
        with 0, are left out. They are taken as given in the intervals.
    **options
        ``at`` (shares, default .1 to .9), ``better`` ("higher" or "lower"), ``level``, ``draws`` (999), ``seed``,
        ``treated_is``.

    Returns
    -------
    Gained
        Quantiles of each arm and their difference, shares improved and worse, what may be said of dominance.

    Raises
    ------
    EstimationError
        An option or column is unknown, a threshold stands without a baseline, or weights do not fit.

    Notes
    -----
    A quantile with fewer than 10 people (or their worth in weights) beyond it in an arm is not given, and neither are
    the smallest and largest value. Quantile effects compare distributions; they are effects on people only if the
    programme leaves everybody's rank as it is.

    References
    ----------
    Firpo (2007), Econometrica 75, 259-276, for weighted quantile effects; Hesterberg (2015), The American Statistician
    69, 371-386, for the intervals.
    """
    about = _options(dict(options), threshold, baseline)
    panel, mass = _people(frame, Columns(outcome, treated, person=person, cluster=cluster, baseline=baseline),
                          weights, about)  # fmt: skip
    at = np.array(about["at"], dtype=float)
    fault = no_interval(panel, mass > 0, float(panel.y.std()))
    drawn = draw_quantiles(panel, mass, at, about["draws"], about["seed"])
    tails = (np.nan, np.nan) if fault else widened(panel, about["level"])
    table = _quantiles(panel, mass, drawn, (at, tails, about["level"]))
    shares = None if threshold is None else _shares(panel, mass, float(threshold), (about, tails))
    dominance = _dominance(table, about["better"])
    flags = [*panel.flags, *([fault] if fault else cluster_flags(panel, mass > 0, float("nan")))]
    flags += _flags(panel, table, shares, weights is None)
    says = _says(table, shares, outcome, about["level"])
    n = [len(np.unique(panel.person[panel.treated == arm])) for arm in (1, 0)]
    return Gained(table, shares, dominance, f"{says} {dominance}", tuple(flags), about["level"], *n)


def _options(options: dict[str, Any], threshold: float | None, baseline: str | None) -> dict[str, Any]:
    """Defaults filled in, everything that is wrong said at once."""
    known = {"at": TENTHS, "better": "higher", "level": 0.95, "draws": 999, "seed": 0, "treated_is": None}
    problems = [f'there is no option "{name}". {did_you_mean(name, known)}' for name in options if name not in known]
    about = {**known, **{name: value for name, value in options.items() if name in known}}
    at = np.array(about["at"], dtype=float)
    if not len(at) or not ((at > 0) & (at < 1)).all():
        problems.append("at must hold shares between 0 and 1: smallest and largest values are not given.")
    if about["better"] not in ("higher", "lower"):
        problems.append('better must be "higher" or "lower".')
    if not 0.5 < about["level"] < 1:
        problems.append("level must be between 0.5 and 1, such as 0.95.")
    if about["draws"] < 100:
        problems.append("draws must be 100 or more.")
    if threshold is not None and not threshold > 0:
        problems.append("threshold must be above 0: a change that counts, in the outcome's unit.")
    if threshold is not None and baseline is None:
        problems.append("threshold counts changes from before: name the reading before (baseline = ...).")
    if problems:
        raise EstimationError(several("who gained", problems))
    return about


def _people(
    frame: pd.DataFrame, columns: Columns, weights: str | pd.Series | None, about: dict[str, Any]
) -> tuple[Panel, np.ndarray]:
    """The people with their weights; those without weight are left out."""
    given = _weights(frame, columns.person, weights)
    if given is not None:
        if not (np.isfinite(given) & (given >= 0)).all():
            raise EstimationError("weights must be numbers of 0 or more.")
        frame = frame.assign(**{WEIGHT: given})[given > 0]
        columns = Columns(**{**vars(columns), "extra": (WEIGHT,)})
    plan = Plan("difference", level=about["level"], treated_is=about["treated_is"])
    panel = prepare(frame, columns, plan, find_estimator("difference"))
    return panel, panel.frame[WEIGHT].to_numpy(float) if given is not None else np.ones(len(panel.y))


def _weights(frame: pd.DataFrame, person: str | None, weights: str | pd.Series | None) -> np.ndarray | None:
    """One weight per row, 0 where there is none."""
    if weights is None:
        return None
    if isinstance(weights, str):
        if weights not in frame.columns:
            raise EstimationError(f'weights "{weights}" is not in the table. {did_you_mean(weights, frame.columns)}')
        return np.asarray(frame[weights].fillna(0.0).to_numpy(dtype=float))
    if person is None:
        if not weights.index.equals(frame.index):
            raise EstimationError("weights by person need the column of ids: person = ...")
        return np.asarray(weights.fillna(0.0).to_numpy(dtype=float))
    own = pd.Series(weights.to_numpy(dtype=float), index=weights.index.astype(str))
    if own.index.has_duplicates:
        raise EstimationError("weights name a person twice. Give one weight each.")
    found = own.reindex(frame[person].astype(str)).fillna(0.0).to_numpy()
    if not (found > 0).any():
        raise EstimationError(f'no weight belongs to a person of "{person}". Are they the same ids?')
    return np.asarray(found)


def _interval(differences: np.ndarray, tails: tuple[float, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Standard error and percentile limits of each column of draws."""
    if np.isnan(tails).any():
        return (np.full(differences.shape[1], np.nan),) * 3
    return (
        np.nanstd(differences, axis=0, ddof=1),
        np.nanquantile(differences, tails[0], axis=0),
        np.nanquantile(differences, tails[1], axis=0),
    )


def _quantiles(panel: Panel, mass: np.ndarray, drawn: Drawn, how: tuple) -> pd.DataFrame:
    """The quantiles that may be given, with limits for one and for all."""
    at, tails, level = how
    se, low, high = _interval(drawn.differences, tails)
    table = pd.DataFrame(
        {"at": at, "treated": drawn.found[0], "comparison": drawn.found[1], "effect": drawn.difference,
         "se": se, "low": low, "high": high}
    )  # fmt: skip
    table["why"] = _too_few_beyond(panel, mass, drawn.found, at)
    given = (table["why"] == "").to_numpy()
    reach = _reach(drawn.differences[:, given], drawn.difference[given], se[given], level)
    # The single limits are stretched, not replaced: they keep their skew, and can never be wider than those for all.
    stretch = max(1.0, reach / max(_reach_of_one(tails), 1e-300)) if np.isfinite(reach) else np.nan
    table["low_all"] = table["effect"] - stretch * (table["effect"] - table["low"])
    table["high_all"] = table["effect"] + stretch * (table["high"] - table["effect"])
    numbers = ["treated", "comparison", "effect", "se", "low", "high", "low_all", "high_all"]
    table.loc[~given, numbers] = np.nan
    return table[["at", *numbers, "why"]]


def _reach_of_one(tails: tuple[float, float]) -> float:
    """How many standard errors a single interval reaches."""
    from scipy import stats

    return float(stats.norm.isf(tails[0]))


def _reach(differences: np.ndarray, found: np.ndarray, se: np.ndarray, level: float) -> float:
    """How many standard errors must be allowed for all quantiles at once, from the largest deviation of each draw."""
    moving = se > 0
    if not moving.any():
        return float("nan")
    far = np.abs(differences[:, moving] - found[moving]) / se[moving]
    return float(np.nanquantile(far.max(axis=1), level))


def _too_few_beyond(panel: Panel, mass: np.ndarray, found: np.ndarray, at: np.ndarray) -> list[str]:
    """Whether each quantile has enough people on both sides in both arms."""
    told = []
    for place, share in enumerate(at):
        few = False
        for arm, values in zip((1.0, 0.0), found, strict=True):
            mine = panel.treated == arm
            y = panel.y[mine]
            beyond = min((y <= values[place]).sum(), (y >= values[place]).sum())
            few |= beyond < BEYOND or effective_size(mass[mine]) * min(share, 1 - share) < BEYOND - 1e-9
        told.append(f"fewer than {BEYOND} people, or their worth, lie beyond it in an arm" if few else "")
    return told


def _shares(panel: Panel, mass: np.ndarray, threshold: float, how: tuple) -> pd.DataFrame:
    """Improved, unchanged and worse in each arm, from the same draws."""
    about, tails = how
    change = (panel.y - np.asarray(panel.baseline)) * (1 if about["better"] == "higher" else -1)
    slack = 1e-9 * max(1.0, abs(threshold))
    read = ~np.isnan(change)
    up, down = read & (change >= threshold - slack), read & (change <= -threshold + slack)
    states = np.column_stack([up, read & ~up & ~down, down])
    if min((read & (panel.treated == arm)).sum() for arm in (1, 0)) < BEYOND:
        raise EstimationError(f"fewer than {BEYOND} people of an arm have a reading before: no shares can be given.")
    drawn = draw_shares(panel, mass, states, about["draws"], about["seed"])
    se, low, high = _interval(drawn.differences, tails)
    table = pd.DataFrame(
        {"state": STATES, "treated": drawn.found[0], "comparison": drawn.found[1], "difference": drawn.difference,
         "se": se, "low": low, "high": high}
    )  # fmt: skip
    counts = np.array([[(states[:, k] & (panel.treated == arm)).sum() for arm in (1, 0)] for k in range(3)])
    few = np.asarray((counts < BEYOND).any(axis=1))
    if few.sum() == 1:  # the other two would give it away
        few[np.argmin(np.where(few, np.inf, counts.min(axis=1)))] = True
    table["why"] = np.where(few, f"fewer than {BEYOND} people in an arm, or it would give such a number away", "")
    table.loc[few, ["treated", "comparison", "difference", "se", "low", "high"]] = np.nan
    return table


def _dominance(table: pd.DataFrame, better: str) -> str:
    """What may be said of one distribution lying on the better side throughout."""
    rows = table[table["why"] == ""]
    if len(rows) < 3:
        return "Too few quantiles can be given to compare the distributions throughout."
    sign = 1 if better == "higher" else -1
    gap = sign * rows["effect"]
    low = rows["low_all"] if sign > 0 else -rows["high_all"]
    high = rows["high_all"] if sign > 0 else -rows["low_all"]
    if (low > 0).all():
        return "At every quantile looked at the treated lie on the better side, beyond what chance explains."
    if (high < 0).all():
        return "At every quantile looked at the treated lie on the worse side, beyond what chance explains."
    if (low > 0).any() and (high < 0).any():
        return "The distributions cross: the treated lie on the better side at some quantiles and the worse at others."
    if (gap >= 0).all() and (low > 0).any():
        return "At no quantile looked at do the treated lie on the worse side, but at some this could be chance."
    if (gap <= 0).all() and (high < 0).any():
        return "At no quantile looked at do the treated lie on the better side, but at some this could be chance."
    return "Neither distribution can be said to lie on the better side throughout."


def _says(table: pd.DataFrame, shares: pd.DataFrame | None, outcome: str, level: float) -> str:
    """The middle and the outer quantiles given, and who improved."""
    rows = table[table["why"] == ""]
    if not len(rows):
        told = f"No quantile of {outcome} has enough people beyond it in both arms."
    else:
        chosen = rows.iloc[sorted({0, len(rows) // 2, len(rows) - 1})]
        parts = [
            f"{words.number(row['effect'], 2, sign=True)} ({words.interval(row['low'], row['high'], 2)}) at the "
            f"{words.percent(row['at'], 0)} point"
            for row in chosen.to_dict("records")
        ]
        told = f"Differences between the arms' quantiles of {outcome}: {words.listed(parts)}."
    if shares is None:
        return told
    for row in shares[shares["why"] == ""].to_dict("records"):
        if row["state"] != "unchanged":
            told += (
                f" {row['state'].capitalize()}: {words.percent(row['treated'], 0)} of the treated and "
                f"{words.percent(row['comparison'], 0)} of the comparison ({words.points(row['difference'], 0)}, "
                f"{words.percent(level, 0)} interval {words.interval(row['low'], row['high'], 0, percent=True)})."
            )
    return told


def _flags(panel: Panel, table: pd.DataFrame, shares: pd.DataFrame | None, unweighted: bool) -> list[Flag]:
    """What a reader of distributions must be told."""
    detail = "Who improved might have done so anyway, and who got worse might have done worse without it."
    flags = [Flag("counterfactual", "caution", NOT_PEOPLE, detail)]
    if unweighted:
        text = "The arms are compared as they are, without weights: right only where chance decided who was treated."
        flags.append(Flag("counterfactual", "caution", text))
    else:
        text = "The weights are taken as given: the intervals do not count that they were estimated."
        flags.append(Flag("counterfactual", "note", text))
    if (table["why"] != "").any():
        text = "Some quantiles have too few people beyond them and are not given."
        flags.append(Flag("counterfactual", "note", text))
    if len(np.unique(panel.y)) < FEW_VALUES:
        text = "The outcome has few values, so its quantiles move in steps and their intervals are rough."
        flags.append(Flag("counterfactual", "caution", text))
    if shares is not None and np.isnan(np.asarray(panel.baseline)).any():
        text = "Shares improved and worse are of the people who were also read before."
        flags.append(Flag("counterfactual", "caution", text))
    return flags
