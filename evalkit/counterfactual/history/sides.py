"""Now and the past: their levels, and where the error of each comes from."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy import stats

from evalkit import words
from evalkit.counterfactual.balances import balance
from evalkit.counterfactual.few_people import freedom
from evalkit.counterfactual.history.periods import extrapolate, period_means, years_of
from evalkit.counterfactual.inference import mean_contributions
from evalkit.counterfactual.panel import Panel, Plan
from evalkit.counterfactual.two_shares import Share, wilson_at
from evalkit.errors import EstimationError, Flag, several
from evalkit.linear import least_squares, row_contributions

PAST_OPTIONS: dict[str, Any] = dict.fromkeys(
    (
        *("baseline_rate", "baseline_mean", "baseline_sd", "baseline_n", "baseline_se", "source"),
        *("trend", "trend_low", "trend_high", "trend_source", "years", "n"),
    )
) | {"per": 1}
ALONE = Flag(
    "counterfactual",
    "caution",
    "There is no comparison at the same time: people now are compared with the past.",
    "Whatever else changed between the periods (thresholds, services, recording) is in the effect.",
)
NO_TREND = Flag(
    "counterfactual",
    "serious",
    "No change over time is allowed for: the past is taken as what would have happened now.",
    "Give trend (a year, with low, high and source), or several earlier periods with time.",
)


@dataclass(frozen=True, eq=False)
class Side:
    """Now, or the past: its level and where its error comes from.

    Parameters
    ----------
    level : float
        Mean or share, per person.
    rows : ndarray, shape (n,)
        What each row of the table contributes to it.
    outside : float
        Standard error that no row carries (a published figure, a trend); NaN where not known.
    df, outside_df : float
        Degrees of freedom of the rows' part (infinite without rows, NaN where it allows no interval) and of the rest.
    n : float
        People behind it.
    share : Share or None
        Where it is a plain share of independent people.
    flags : tuple of Flag
        What must be said of it.
    about : dict
        For the diagnostics.
    """

    level: float
    rows: np.ndarray
    outside: float
    df: float
    n: float
    outside_df: float = math.inf
    share: Share | None = None
    flags: tuple[Flag, ...] = ()
    about: dict[str, Any] = field(default_factory=dict)


def now_side(panel: Panel, plan: Plan) -> Side:
    """The people now.

    Parameters
    ----------
    panel, plan : Panel, Plan
        What is estimated, and how; with the option ``n`` each row is a rate.

    Returns
    -------
    Side
        Their mean.

    Raises
    ------
    EstimationError
        Rates now are not one row, or nobody is left.
    """
    mine = panel.treated == 1
    zeros = np.zeros(len(panel.y))
    if plan.options["n"] is not None:
        return _rate_now(panel, plan, mine, zeros)
    n, level = int(mine.sum()), float(panel.y[mine].mean())
    if n < 2:
        raise EstimationError("there is one person now; a mean needs two or more.")
    plain = plan.values == "yes or no" and panel.cluster is None
    groups = n if panel.cluster is None else len(np.unique(panel.cluster[mine]))
    rows = mean_contributions(panel)
    still = plan.values == "yes or no" and level in (0.0, 1.0)
    return Side(
        level,
        rows,
        _score_error(level, groups, plan.level) if still else 0.0,
        float(max(groups - 1, 1)) if groups > 1 else math.nan,
        n,
        share=Share(level, n) if plain else None,
        flags=_one_cluster("now") if groups < 2 else (),
    )


def _one_cluster(when: str) -> tuple[Flag, ...]:
    """Everybody of a period in one cluster."""
    text = f"All people {when} lie in one cluster, so no interval or p-value can be given."
    return (Flag("counterfactual", "serious", text),)


def _score_error(share: float, n: float, level: float) -> float:
    """The error of a share of nobody or everybody: half of the score interval's reach, as its own error is not 0."""
    z = float(stats.norm.ppf(0.5 + level / 2))
    low, high = wilson_at(share, n, z)
    return max(high - share, share - low) / z


def _rate_now(panel: Panel, plan: Plan, mine: np.ndarray, zeros: np.ndarray) -> Side:
    """One row is the rate, or the mean, of everybody now."""
    if int(mine.sum()) != 1:
        raise EstimationError(f"with n each row is a rate of a period: give one row for now, not {int(mine.sum())}.")
    place = int(np.flatnonzero(mine)[0])
    level, n = float(panel.y[place]) / float(plan.options["per"]), _sizes(panel, plan)[place]
    if plan.values == "yes or no":
        _check_share(level, "the rate now")
        if not math.isnan(n):
            return Side(level, zeros, _share_error(level, n, plan.level), math.inf, n, share=Share(level, n))
    text = "Sampling error of the figure of now unknown."
    detail = "No interval or p-value can be given: that needs a yes-or-no outcome and its number of people, or people."
    return Side(level, zeros, math.nan, math.inf, n, flags=(Flag("counterfactual", "serious", text, detail),))


def _sizes(panel: Panel, plan: Plan) -> np.ndarray:
    """Numbers of people by row; missing where not known."""
    column = plan.options["n"]
    if column not in panel.frame:
        raise EstimationError(f'n names "{column}", which is no column of the table.')
    sizes = panel.frame[column].to_numpy(dtype=float, na_value=np.nan)
    if (sizes <= 1).any():
        raise EstimationError(f'"{column}" must hold numbers of people above 1.')
    return sizes


def _check_share(level: float, what: str) -> None:
    """A share lies between 0 and 1."""
    if not 0 <= level <= 1:
        raise EstimationError(f"{what} must lie between 0 and per (1 for shares, 100 for rates per 100).")


def _share_error(share: float, n: float, level: float) -> float:
    """Standard error of a share of n independent people."""
    if share in (0.0, 1.0):
        return _score_error(share, n, level)
    return math.sqrt(share * (1 - share) / n)


def past_side(panel: Panel, plan: Plan, now: Side) -> Side:
    """What the past says would have happened now.

    Parameters
    ----------
    panel, plan : Panel, Plan
        What is estimated, and how.
    now : Side
        From `now_side`.

    Returns
    -------
    Side
        Level of now without the programme.

    Raises
    ------
    EstimationError
        There is no past, or there are two, or a trend without years.
    """
    options = plan.options
    before = panel.treated == 0
    given = [name for name in ("baseline_rate", "baseline_mean") if options[name] is not None]
    _check_past(plan, given, bool(before.any()))
    if given:
        return _with_trend(_unadjusted(_figure(panel, plan, given[0]), panel), panel, plan)
    periods = len(np.unique(years_of(panel.time)[before])) if panel.time is not None else 1
    if periods > 1 or (options["n"] is not None and periods == 1 and int(before.sum()) > 1):
        return _line(panel, plan)
    if options["n"] is not None:
        return _with_trend(_unadjusted(_rate_before(panel, plan, before), panel), panel, plan)
    return _with_trend(_people(panel, plan, now), panel, plan)


def _check_past(plan: Plan, given: list[str], people: bool) -> None:
    """One past, and what goes with it."""
    options, problems = plan.options, []
    if not given and not people:
        problems.append(
            "historical baseline needs a past: people of an earlier period (treated = a column that is 1 for people "
            "now and 0 for them), or a figure (baseline_rate = 0.55, baseline_n = 200, source = ...)."
        )
    if len(given) + people > 1:
        problems.append("there is more than one past: people of before, baseline_rate or baseline_mean. Give one.")
    if "baseline_rate" in given and plan.values != "yes or no":
        problems.append('baseline_rate is for a yes-or-no outcome; give baseline_mean, or say values = "yes or no".')
    ends = [options[name] is None for name in ("trend_low", "trend_high")]
    if options["trend"] is None and not all(ends):
        problems.append("trend_low and trend_high are the range of trend: give trend as well.")
    elif any(ends) and not all(ends):
        problems.append("give both ends of the range of the trend (trend_low and trend_high), or neither.")
    elif not any(ends) and not options["trend_low"] <= options["trend"] <= options["trend_high"]:
        problems.append("the trend does not lie between trend_low and trend_high.")
    problems += [
        f"{name} cannot be negative."
        for name in ("baseline_sd", "baseline_n", "baseline_se")
        if options[name] is not None and options[name] < 0
    ]
    if problems:
        raise EstimationError(several("the estimate", problems))


def _figure(panel: Panel, plan: Plan, name: str) -> Side:
    """A single past rate or mean."""
    options = plan.options
    rate = name == "baseline_rate"
    unit = float(options["per"]) if rate else 1.0
    level = float(options[name]) / unit
    if rate:
        _check_share(level, "baseline_rate")
    n = math.nan if options["baseline_n"] is None else float(options["baseline_n"])
    sd = None if rate else options["baseline_sd"]
    share, df = None, math.inf
    if options["baseline_se"] is not None:
        error = float(options["baseline_se"]) / unit
        share = Share(level, math.inf, also=error) if rate else None
    elif rate and n > 1:
        error, share = _share_error(level, n, plan.level), Share(level, n)
    elif sd is not None and n > 1:
        error, df = float(sd) / math.sqrt(n), n - 1
    else:
        error = math.nan
    zeros = np.zeros(len(panel.y))
    return Side(level, zeros, error, math.inf, n, df, share, tuple(_figure_flags(options, error, rate)))


def _figure_flags(options: dict[str, Any], error: float, rate: bool) -> list[Flag]:
    """What a single figure leaves open."""
    flags = []
    if math.isnan(error):
        wanted = "baseline_n" if rate else "baseline_sd and baseline_n"
        detail = f"No interval or p-value can be given. Give {wanted}, or baseline_se = 0 where a contract fixed it."
        flags.append(Flag("counterfactual", "serious", "Sampling error of the past figure unknown.", detail))
    elif options["baseline_se"] == 0:
        text = "The past figure is taken as exact: the interval counts only the error of people now."
        flags.append(Flag("counterfactual", "caution", text))
    elif options["baseline_se"] is None:
        text = "The past figure's error takes its people as independent; clusters cannot be seen in a figure."
        flags.append(Flag("counterfactual", "note", text))
    if not options["source"]:
        flags.append(Flag("counterfactual", "caution", "No source is named for the past figure (source = ...)."))
    return flags


def _rate_before(panel: Panel, plan: Plan, before: np.ndarray) -> Side:
    """One row is the rate of an earlier period."""
    place = int(np.flatnonzero(before)[0])
    level, n = float(panel.y[place]) / float(plan.options["per"]), float(_sizes(panel, plan)[place])
    if plan.values != "yes or no" or math.isnan(n):
        raise EstimationError('an earlier rate with n needs values = "yes or no" and its number of people.')
    _check_share(level, "the rate before")
    error = _share_error(level, n, plan.level)
    return Side(level, np.zeros(len(panel.y)), error, math.inf, n, share=Share(level, n))


def _people(panel: Panel, plan: Plan, now: Side) -> Side:
    """People of one earlier period, adjusted for covariates."""
    fit = least_squares(panel.y, np.column_stack([panel.treated, np.ones(len(panel.y)), panel.x]))
    contrast = np.eye(fit.x.shape[1])[0]
    effect = row_contributions(fit, contrast, plan.se, panel.cluster)
    before = panel.treated == 0
    n, level = int(before.sum()), now.level - float(fit.beta[0])
    adjusted = panel.x.shape[1] > 0
    raw = float(panel.y[before].mean())
    still = plan.values == "yes or no" and not adjusted and raw in (0.0, 1.0)
    groups = n if panel.cluster is None else len(np.unique(panel.cluster[before]))
    frame = panel.covariates.assign(**{"(treated)": panel.treated})
    return Side(
        level,
        now.rows - effect,
        _score_error(raw, groups, plan.level) if still else 0.0,
        freedom(panel, fit, contrast, plan.se, panel.cluster) if groups > 1 else math.nan,
        n,
        share=Share(level, n) if now.share is not None and not adjusted else None,
        flags=_one_cluster("before") if groups < 2 else (),
        about={"balance": balance(frame, "(treated)", list(panel.columns.covariates))} if adjusted else {},
    )


def _line(panel: Panel, plan: Plan) -> Side:
    """A line through the means of several earlier periods, drawn on to now."""
    if plan.options["trend"] is not None:
        raise EstimationError("several earlier periods have a trend of their own. Drop trend, or keep one period.")
    if panel.time is None:
        raise EstimationError("several earlier rates need their time (time = the column of years).")
    sizes = None if plan.options["n"] is None else _sizes(panel, plan)
    if sizes is not None and (plan.values != "yes or no" or np.isnan(sizes).any()):
        raise EstimationError('earlier rates with n need values = "yes or no" and a number of people in every row.')
    y = panel.y / float(plan.options["per"]) if sizes is not None else panel.y
    before = panel.treated == 0
    times = years_of(panel.time)
    table = period_means(y[before], times[before], None if sizes is None else sizes[before])
    target = float(times[~before].mean())
    level, error, df, flags = extrapolate(table, target)
    if plan.values == "yes or no" and not 0 <= level <= 1:
        text = "The line through the earlier periods leads beyond what a share can be; nothing was cut off."
        flags = [*flags, Flag("counterfactual", "serious", text)]
    about = {"periods": table, "extrapolated_to": target}
    zeros, n = np.zeros(len(panel.y)), float(table["n"].sum())
    return _unadjusted(Side(level, zeros, error, math.inf, n, df, flags=tuple(flags), about=about), panel)


def _unadjusted(past: Side, panel: Panel) -> Side:
    """Say that covariates are of no use where the past is no table of people of one period."""
    if not panel.columns.covariates:
        return past
    text = "Covariates are not used: the past is figures, or several periods, so people cannot be made alike."
    return replace(past, flags=(*past.flags, Flag("counterfactual", "caution", text)))


def _with_trend(past: Side, panel: Panel, plan: Plan) -> Side:
    """The past moved on by the stated change a year."""
    options = plan.options
    if options["trend"] is None:
        return replace(past, flags=(*past.flags, NO_TREND))
    years = _years_between(panel, plan)
    unit = float(options["per"]) if options["baseline_rate"] is not None or options["n"] is not None else 1.0
    moved = float(options["trend"]) * years / unit
    error = 0.0
    if options["trend_low"] is not None:
        reach = float(options["trend_high"] - options["trend_low"]) * years / unit
        error = abs(reach) / (2 * float(stats.norm.ppf(0.5 + plan.level / 2)))
    level = past.level + moved
    share = None if past.share is None else Share(level, past.share.n, moved, math.hypot(past.share.also, error))
    return replace(
        past,
        level=level,
        outside=math.hypot(past.outside, error),
        share=share,
        flags=(*past.flags, *_trend_flags(plan, level)),
        about=past.about | {"trend": moved, "years": years},
    )


def _years_between(panel: Panel, plan: Plan) -> float:
    """From the past to now."""
    if plan.options["years"] is not None:
        return float(plan.options["years"])
    before = panel.treated == 0
    if panel.time is not None and before.any():
        times = years_of(panel.time)
        return float(times[~before].mean() - times[before].mean())
    raise EstimationError("trend is a change a year: say how many years lie between the past and now (years = 3).")


def _trend_flags(plan: Plan, level: float) -> list[Flag]:
    """What the trend rests on."""
    options = plan.options
    text = f"A change of {words.number(float(options['trend']), 4, sign=True)} a year is taken to have come anyway."
    source = f"Source: {options['trend_source']}." if options["trend_source"] else "No source is named for it."
    flags = [Flag("counterfactual", "note" if options["trend_source"] else "caution", text, source)]
    if options["trend_low"] is None:
        text = "The uncertainty of the trend is not counted (trend_low and trend_high were not given)."
        flags.append(Flag("counterfactual", "caution", text))
    if plan.values == "yes or no" and not 0 <= level <= 1:
        text = "The trend leads beyond what a share can be; nothing was cut off."
        flags.append(Flag("counterfactual", "serious", text))
    return flags
