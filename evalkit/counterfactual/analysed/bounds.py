"""How far people without an outcome could change the finding: bounds that lean on little or nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from evalkit import words
from evalkit.counterfactual.analysed.people import check_columns, read_arms
from evalkit.counterfactual.analysed.trimming import lee
from evalkit.counterfactual.covariates import as_numbers, is_number
from evalkit.counterfactual.panel import codes
from evalkit.errors import EstimationError, Flag, as_list, did_you_mean, several

KINDS = ("lee", "manski", "worst case")


@dataclass(frozen=True)
class Options:
    """How to bound; the words of `attrition_bounds`."""

    lowest: float | None = None
    highest: float | None = None
    better: str = "higher"
    level: float = 0.95
    treated_is: Any = None
    randomised: bool = True


@dataclass(frozen=True, eq=False)
class People:
    """Everyone with an arm: outcome (NaN where lost), arm, cluster codes or None, stratum codes."""

    y: np.ndarray
    arm: np.ndarray
    cluster: np.ndarray | None
    stratum: np.ndarray


@dataclass(frozen=True, eq=False)
class Bounds:
    """Between which values the effect lies, whatever the lost would have shown.

    Parameters
    ----------
    kind : {"lee", "manski", "worst case"}
        What is taken for granted: see `attrition_bounds`.
    low, high : float
        The bounds, as estimated.
    low_se, high_se : float
        Their standard errors.
    interval_low, interval_high : float
        Imbens and Manski's interval: it covers the effect at ``level``, wherever between the bounds it lies.
    level : float
        Confidence.
    on : str
        Whom the bounds are about.
    trimmed : float
        Share of one arm's read that was set aside (Lee); 0 otherwise.
    table : DataFrame
        One row per arm: arm, people, read, share. Counts: `evalkit.disclosure` must see it first.
    flags : tuple of Flag
        What must be said.
    """

    kind: str
    low: float
    high: float
    low_se: float
    high_se: float
    interval_low: float
    interval_high: float
    level: float
    on: str
    trimmed: float
    table: pd.DataFrame
    flags: tuple[Flag, ...]

    def __repr__(self) -> str:
        ends = words.interval(self.interval_low, self.interval_high, 4)
        return f"Bounds({self.kind}: {words.interval(self.low, self.high, 4)}; {words.percent(self.level, 0)}: {ends})"

    def _repr_html_(self) -> str:
        """The bounds in one line, with their caveats."""
        ends = words.interval(self.interval_low, self.interval_high, 4)
        text = f"{words.interval(self.low, self.high, 4)} ({words.percent(self.level, 0)} interval {ends})"
        return f"<p>Bounds ({self.kind}), on {self.on}: <strong>{text}</strong></p>{as_list(self.flags)}"


def attrition_bounds(
    frame: pd.DataFrame,
    *,
    outcome: str,
    treated: str,
    cluster: str | None = None,
    kind: str = "lee",
    strata: str | None = None,
    **options: Any,
) -> Bounds:
    """Bound the effect without saying how the lost differ from those who were read.

    Parameters
    ----------
    frame : DataFrame, shape (n_people, ...)
        Everyone assigned, one row each; whoever was lost has no outcome.
    outcome, treated : str
        Columns; treated is 1 or 0, or two words.
    cluster : str, optional
        Groups people come in; standard errors allow for them.
    kind : {"lee", "manski", "worst case"}
        "lee": trims the arm that was read more often from above and from below; on people who would have been read in
        either arm, taking it that the programme changed whether people were read in one direction only.
        "manski": the lost have the lowest or the highest value possible; on everybody, nothing taken for granted.
        "worst case": the lost treated have the worst value and the lost comparison the best: one number, and if it is
        still good nothing about the lost can overturn it.
    strata : str, optional
        For "lee": bounds within each level of a column, averaged over those who would have been read either way, which
        are tighter. Known before assignment.
    **options
        ``lowest`` and ``highest`` (the values possible; 0 and 1 for a yes/no), ``better`` ("higher" or "lower", for the
        worst case), ``level``, ``treated_is``, ``randomised`` (False: bounds are given with a serious flag).

    Returns
    -------
    Bounds
        With standard errors and Imbens and Manski's interval.

    Raises
    ------
    EstimationError
        A column is missing, an arm or a stratum's arm was not read at all, or the range of values is not known.

    Examples
    --------
    Of five treated all were read, of five others four. Lee sets aside a fifth of the treated: the highest, or the
    lowest.

    >>> people = pd.DataFrame({"arm": [1] * 5 + [0] * 5, "y": [1, 2, 3, 4, 10, 1, 2, 3, 2, None]})
    >>> found = attrition_bounds(people, outcome="y", treated="arm")
    >>> round(found.low, 4), round(found.high, 4), round(found.trimmed, 4)
    (0.5, 2.75, 0.2)

    The same as a yes/no: four of five treated, and two of the four others who were read.

    >>> people["y"] = [1, 1, 1, 1, 0, 1, 1, 0, 0, None]
    >>> found = attrition_bounds(people, outcome="y", treated="arm", kind="manski")
    >>> round(found.low, 4), round(found.high, 4)
    (0.2, 0.4)

    References
    ----------
    Lee (2009), Review of Economic Studies 76, 1071-1102; Horowitz and Manski (2000), JASA 95, 77-84; Imbens and Manski
    (2004), Econometrica 72, 1845-1857.
    """
    chosen = _options(options, kind, strata)
    people, table = _people(frame, (outcome, treated, cluster, strata), chosen)
    found = (_by_lee if kind == "lee" else _by_range)(people, kind, chosen)
    low, high, rows_low, rows_high, trimmed, flags = found
    errors = [_error(rows, people) for rows in (rows_low, rows_high)]
    df = math.inf if people.cluster is None else len(np.unique(people.cluster)) - 2
    ends = imbens_manski((low, high), (errors[0], errors[1]), chosen.level, df)
    on = "people who would have been read in either arm" if kind == "lee" else "everybody"
    return Bounds(
        kind=kind,
        low=low,
        high=high,
        low_se=errors[0],
        high_se=errors[1],
        interval_low=ends[0],
        interval_high=ends[1],
        level=chosen.level,
        on=on,
        trimmed=trimmed,
        table=table,
        flags=(*_taken(kind, chosen), *flags),
    )


def imbens_manski(
    bounds: tuple[float, float], errors: tuple[float, float], level: float, df: float = math.inf
) -> tuple[float, float]:
    """The interval that covers a value between two estimated bounds.

    Parameters
    ----------
    bounds, errors : (float, float)
        Lower and upper bound, and their standard errors.
    level : float
        Confidence.
    df : float
        Degrees of freedom of the errors (clusters less 2); infinite for the normal.

    Returns
    -------
    (float, float)
        The lower bound less, and the upper bound plus, c standard errors: c lies between the one-sided and the
        two-sided quantile, by how far the bounds are apart.

    Examples
    --------
    Far apart, only one side can err: 1.645 standard errors for 95 %; on one point both can: 1.96.

    >>> low, high = imbens_manski((0.0, 10.0), (1.0, 1.0), 0.95)
    >>> round(low, 3), round(high, 3)
    (-1.645, 11.645)
    >>> round(imbens_manski((0.0, 0.0), (1.0, 1.0), 0.95)[1], 3)
    1.96

    References
    ----------
    Imbens and Manski (2004), Econometrica 72, 1845-1857, equation 6.
    """
    worst = max(errors)
    if not worst > 0:
        return (math.nan, math.nan)
    apart = (bounds[1] - bounds[0]) / worst
    inside, outside = stats.t.ppf(level, df), stats.t.ppf(0.5 + level / 2, df)
    for _ in range(60):
        c = (inside + outside) / 2
        short = stats.t.cdf(c + apart, df) - stats.t.cdf(-c, df) < level
        inside, outside = (c, outside) if short else (inside, c)
    return bounds[0] - float(outside) * errors[0], bounds[1] + float(outside) * errors[1]


def _options(options: dict[str, Any], kind: str, strata: str | None) -> Options:
    """The options by name, checked."""
    known = [field.name for field in fields(Options)]
    problems = [f'bounds have no option "{one}". {did_you_mean(one, known)}' for one in options if one not in known]
    if kind not in KINDS:
        problems.append(f'kind "{kind}" is not known. {did_you_mean(kind, KINDS)}')
    chosen = Options(**{name: value for name, value in options.items() if name in known and value is not None})
    if chosen.better not in ("higher", "lower"):
        problems.append(f'better = "{chosen.better}" is not known. {did_you_mean(chosen.better, ("higher", "lower"))}')
    if not (isinstance(chosen.level, int | float) and 0.5 < chosen.level < 1):
        problems.append(f"level = {chosen.level} must be between 0.5 and 1, such as 0.95.")
    if strata is not None and kind != "lee":
        problems.append(f'strata tighten Lee\'s bounds; "{kind}" has no use for them. Drop strata.')
    if problems:
        raise EstimationError(several("the bounds", problems))
    return chosen


def _people(
    frame: pd.DataFrame, named: tuple[str, str, str | None, str | None], chosen: Options
) -> tuple[People, pd.DataFrame]:
    """Everyone with an arm, and how many were read."""
    outcome, treated, cluster, strata = named
    check_columns(frame, [name for name in named if name is not None])
    if not is_number(frame[outcome]):
        raise EstimationError(f'outcome "{outcome}" is not a column of numbers. Turn its words into numbers first.')
    arm = read_arms(frame, treated, chosen.treated_is)
    known = ~np.isnan(arm)
    for name in (cluster, strata):
        if name is not None and frame.loc[known, name].isna().any():
            raise EstimationError(f'"{name}" is missing for some people. Give everybody one, or a level for "unknown".')
    y, arm = as_numbers(frame[outcome])[known], arm[known]
    inside = frame[known]
    stratum = np.zeros(len(y), int) if strata is None else codes(inside[strata])
    people = People(y, arm, None if cluster is None else codes(inside[cluster]), stratum)
    rows = []
    for name, code in (("treated", 1.0), ("comparison", 0.0)):
        read, everybody = int((~np.isnan(y[arm == code])).sum()), int((arm == code).sum())
        if not read:
            raise EstimationError(f"nobody in the {name} arm was read, so nothing bounds the effect.")
        rows.append({"arm": name, "people": everybody, "read": read, "share": read / everybody})
    return people, pd.DataFrame(rows)


def _by_lee(people: People, kind: str, chosen: Options) -> tuple:
    """Trimming bounds, in each stratum and together."""
    found = lee(people.y, people.arm, people.stratum)
    flags = []
    if found.crossed:
        text = "In some strata the treated were read more often, in others less."
        flags.append(
            Flag("counterfactual", "caution", text, "The direction is then taken to be one within each stratum only.")
        )
    return found.low, found.high, found.rows_low, found.rows_high, found.trimmed, flags


def _by_range(people: People, kind: str, chosen: Options) -> tuple:
    """The lost at the ends of what is possible."""
    lowest, highest = _range(people.y, chosen)
    good, bad = (highest, lowest) if chosen.better == "higher" else (lowest, highest)
    if kind == "worst case":
        effect, rows = _filled(people, bad, good)
        return effect, effect, rows, rows, 0.0, []
    low, rows_low = _filled(people, lowest, highest)
    high, rows_high = _filled(people, highest, lowest)
    return low, high, rows_low, rows_high, 0.0, []


def _range(y: np.ndarray, chosen: Options) -> tuple[float, float]:
    """The values possible: as given; 0 and 1 where nothing else was seen."""
    read = y[~np.isnan(y)]
    lowest, highest = chosen.lowest, chosen.highest
    if lowest is None and highest is None and set(read.tolist()) <= {0.0, 1.0}:
        return 0.0, 1.0
    if lowest is None or highest is None or not lowest < highest:
        raise EstimationError(
            "these bounds need the lowest and the highest value possible (lowest = 0, highest = 40): what the scale "
            "allows, not what was seen."
        )
    outside = int(((read < lowest) | (read > highest)).sum())
    if outside:
        raise EstimationError(f"{outside} values lie outside lowest = {lowest:g} to highest = {highest:g}.")
    return float(lowest), float(highest)


def _filled(people: People, treated: float, comparison: float) -> tuple[float, np.ndarray]:
    """Difference of means with the lost at these values, and the rows' contributions."""
    y = np.where(np.isnan(people.y), np.where(people.arm == 1, treated, comparison), people.y)
    effect, rows = 0.0, np.zeros(len(y))
    for code, sign in ((1.0, 1.0), (0.0, -1.0)):
        mine = people.arm == code
        n = int(mine.sum())
        effect += sign * float(y[mine].mean())
        rows[mine] = sign * (y[mine] - y[mine].mean()) / n * math.sqrt(n / max(n - 1, 1))
    return effect, rows


def _error(rows: np.ndarray, people: People) -> float:
    """The standard error of contributions, summed by cluster."""
    if people.cluster is None:
        return math.sqrt(float((rows**2).sum()))
    sums = np.bincount(people.cluster, rows)
    groups = len(sums)
    if groups < 3:
        raise EstimationError("bounds need three clusters or more for an interval. Drop cluster, and say so.")
    return math.sqrt(float((sums**2).sum()) * groups / (groups - 2))


def _taken(kind: str, chosen: Options) -> list[Flag]:
    """What is taken for granted."""
    text = "Bounds on what people without an outcome could change; they take assignment to have been random."
    rests = {
        "lee": "And that the programme changed whether people were read in one direction only.",
        "manski": "Nothing is taken for granted about those who were lost.",
        "worst case": "The lost treated are given the worst value possible, the lost comparison the best.",
    }[kind]
    flags = [Flag("counterfactual", "note", text, rests)]
    if not chosen.randomised:
        more = "Assignment was not random, so these bounds leave out what else differs between the arms."
        flags.append(Flag("counterfactual", "serious", more))
    return flags
