"""The effect of taking part on those whom the offer brought in, with random assignment as the instrument."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from evalkit import disclosure, words
from evalkit.counterfactual.few_people import freedom
from evalkit.counterfactual.inference import Interval, conclude, conclude_from_interval
from evalkit.counterfactual.nouns import Deadweight, Estimate
from evalkit.counterfactual.panel import Columns, Panel, Plan, prepare
from evalkit.counterfactual.registry import REGRESSION, Entry
from evalkit.errors import EstimationError, Flag, did_you_mean, several
from evalkit.linear import Fit, least_squares, row_contributions

NAME = "taking part"
WEAK = 10.0  # Staiger and Stock's rule of thumb for the first stage's F


@dataclass(frozen=True)
class Options:
    """How to estimate the effect of taking part; the words of `taking_part`."""

    strata: str | None = None
    randomised: bool | str = True
    level: float = 0.95
    values: str | None = None
    better: str = "higher"
    contract_baseline: float | None = None
    treated_is: Any = None
    se: str | None = None
    weak_below: float = WEAK


@dataclass(frozen=True, eq=False)
class Stages:
    """The design of both stages and what was regressed on it.

    Parameters
    ----------
    reduced : dict of str to Fit
        Outcome and taking part ("y", "d") on assignment and covariates; assignment is column 0.
    structural : dict of str to Fit
        Second stage of "y" and of the outcome while taking part ("dy"): fitted taking part is column 0, residuals are
        those of the real one.
    se : str
        Kind of standard error.
    """

    reduced: dict[str, Fit]
    structural: dict[str, Fit]
    se: str


@dataclass(frozen=True)
class RobustSet:
    """Every effect that the data do not rule out, however weak the first stage is (Anderson and Rubin 1949).

    Parameters
    ----------
    low, high : float
        The bounds; in two pieces the set is everything up to ``low`` and everything from ``high``.
    shape : {"interval", "two pieces", "everything"}
        What the set looks like.
    """

    low: float
    high: float
    shape: str

    @property
    def text(self) -> str:
        """In words."""
        if self.shape == "everything":
            return "not bounded: no effect is ruled out"
        low, high = words.number(self.low, 4), words.number(self.high, 4)
        if self.shape == "two pieces":
            return f"not bounded: up to {low}, or from {high}"
        return f"{low} to {high}"


def taking_part(
    frame: pd.DataFrame,
    *,
    outcome: str,
    assigned: str,
    took_part: str,
    covariates: Sequence[str] = (),
    person: str | None = None,
    cluster: str | None = None,
    **options: Any,
) -> Estimate:
    """Estimate the effect of taking part on those who take part because they are offered it.

    Where chance decided who was offered the programme but not who took part, everyone assigned is the headline; this
    stands beside it. It is two-stage least squares with the assignment as the only instrument.

    Parameters
    ----------
    frame : DataFrame, shape (n_people, ...)
        One row per person. Left as it is.
    outcome, assigned, took_part : str
        Columns: the outcome; 1 for those assigned to the programme and 0 for the others; 1 for whoever took part.
    covariates : sequence of str
        From before the assignment. They sharpen the estimate.
    person, cluster : str, optional
        Ids; the groups that were assigned, or in which people come.
    **options
        ``strata`` (column within which people were assigned: taken out as fixed effects, so that the effect is an
        average over strata weighted by how much each can tell); ``randomised`` (True; False refuses; a sentence says
        why assignment was as good as random, and is flagged); ``level``, ``values``, ``better``,
        ``contract_baseline``, ``treated_is``, ``se`` as in `estimate`; ``weak_below`` (10: the F below which the robust
        set replaces the usual interval).

    Returns
    -------
    Estimate
        ``observed`` and ``counterfactual`` are the mean outcomes of those brought in, with and without taking part
        (Abadie 2002). ``diagnostics``: first_stage (table: arm, people, took_part, share), brought_in (their share),
        f (of the first stage, robust; with one instrument also the effective F), weak, anderson_rubin
        (`RobustSet`), anderson_rubin_p, wald (low, high), one_sided, intention_to_treat (effect of being assigned).
        With a weak first stage the interval and p are Anderson and Rubin's, and there is no standard error; a set
        without bounds has infinite ends.

    Raises
    ------
    EstimationError
        Assignment was not random, a column is wrong, taking part is missing, or assignment changed nobody's.

    Examples
    --------
    Half of the eight assigned took part, and nobody else. Those assigned scored 2.5 more on average, all of it from the
    half who took part: 5 more each.

    >>> import pandas as pd
    >>> people = pd.DataFrame({"offer": [1] * 8 + [0] * 8, "came": [1, 1, 1, 1] + [0] * 12})
    >>> people["score"] = [14, 16, 13, 17, 9, 11, 8, 12] + [9, 11, 8, 12, 9, 11, 8, 12]
    >>> found = taking_part(people, outcome="score", assigned="offer", took_part="came")
    >>> round(found.effect, 6), round(found.observed, 6), round(found.counterfactual, 6)
    (5.0, 15.0, 10.0)

    References
    ----------
    Imbens and Angrist (1994), Econometrica 62, 467-475; Abadie (2002), JASA 97, 284-292; Anderson and Rubin (1949),
    Annals of Mathematical Statistics 20, 46-63; Staiger and Stock (1997), Econometrica 65, 557-586; Montiel Olea and
    Pflueger (2013), J. of Business and Economic Statistics 31, 358-369.
    """
    chosen = _options(options, cluster is not None)
    columns = Columns(outcome, assigned, tuple(covariates), person, cluster, extra=(took_part,))
    panel, plan, came = _prepared(frame, columns, chosen)
    stages = _fit(panel, came, plan.se)
    table = _first_stage(panel, came)
    found, weak = _diagnostics(panel, plan, stages, table, chosen.weak_below)
    flags = (*_assumed(chosen, table, found), *_weakness(found, weak, chosen.weak_below))
    about = {"diagnostics": found, "flags": flags, **_people(panel)}
    return (_robust if weak else _usual)(panel, plan, stages, about)


def _options(options: dict[str, Any], clustered: bool) -> Options:
    """The options by name, checked."""
    known = [field.name for field in fields(Options)]
    problems = [f'"{NAME}" has no option "{one}". {did_you_mean(one, known)}' for one in options if one not in known]
    chosen = Options(**{name: value for name, value in options.items() if name in known and value is not None})
    if chosen.randomised is False or chosen.randomised == "":
        problems.append(
            "assignment was not random, so it is no instrument: those assigned differ for other reasons than the "
            "programme. If something as good as chance decided, say what: randomised = 'places were drawn by lot'."
        )
    if not (isinstance(chosen.level, int | float) and 0.5 < chosen.level < 1):
        problems.append(f"level = {chosen.level} must be between 0.5 and 1, such as 0.95.")
    allowed = [kind for kind in REGRESSION if kind.startswith("cr") == clustered]
    if chosen.se is not None and chosen.se not in allowed:
        problems.append(f'se = "{chosen.se}" is not offered here. {did_you_mean(chosen.se, allowed)}')
    if problems:
        raise EstimationError(several("the effect of taking part", problems))
    return replace(chosen, se=chosen.se or ("cr2" if clustered else "hc2"))


def _prepared(frame: pd.DataFrame, columns: Columns, chosen: Options) -> tuple[Panel, Plan, np.ndarray]:
    """The people, the plan, and who took part."""
    if chosen.strata is not None and chosen.strata in frame.columns:
        text = frame[chosen.strata].astype(object).where(frame[chosen.strata].isna(), frame[chosen.strata].astype(str))
        frame = frame.assign(**{"(stratum)": text})
        columns = replace(columns, covariates=(*columns.covariates, "(stratum)"))
    elif chosen.strata is not None:
        raise EstimationError(f'strata column "{chosen.strata}" is not in the table.')
    plan = Plan(
        NAME,
        str(chosen.se),
        level=float(chosen.level),
        values=chosen.values,
        better=chosen.better,
        contract_baseline=chosen.contract_baseline,
        treated_is=chosen.treated_is,
    )
    panel = prepare(frame, columns, plan, Entry(NAME, _robust))
    if plan.values is None and set(panel.y.tolist()) <= {0.0, 1.0}:
        plan = replace(plan, values="yes or no")
    return panel, plan, _came(panel, columns.extra[0])


def _came(panel: Panel, column: str) -> np.ndarray:
    """Who took part, as 1 and 0."""
    given = panel.frame[column]
    missing = int(given.isna().sum())
    if missing:
        raise EstimationError(
            f'"{column}" is missing for {disclosure.roughly(missing, len(given))} of those with an outcome. '
            "Write 0 for whoever did not take part: leaving people out by what they did after assignment would undo "
            "the chance."
        )
    came = pd.to_numeric(given, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    if not np.isin(came, (0.0, 1.0)).all():
        raise EstimationError(f'"{column}" must be 1 for those who took part and 0 for the others (true or false).')
    if np.ptp(came) == 0:
        raise EstimationError(f'"{column}" is the same for everybody, so there is no effect of taking part to tell.')
    return came


def _fit(panel: Panel, came: np.ndarray, se: str) -> Stages:
    """Both stages, once for all."""
    controls = np.column_stack([np.ones(len(panel.y)), panel.x])
    design = np.column_stack([panel.treated, controls])
    reduced = {"y": least_squares(panel.y, design), "d": least_squares(came, design)}
    if abs(reduced["d"].beta[0]) < 1e-10:
        raise EstimationError(
            "assignment changed nobody's taking part: as many took part without being assigned. There is nothing to "
            "divide the effect of assignment by."
        )
    fitted = np.column_stack([came - reduced["d"].residuals, controls])
    real = np.column_stack([came, controls])
    structural = {}
    for name, y in (("y", panel.y), ("dy", came * panel.y)):
        second = least_squares(y, fitted)
        structural[name] = replace(second, residuals=y - real @ second.beta)
    return Stages(reduced, structural, se)


def _first_stage(panel: Panel, came: np.ndarray) -> pd.DataFrame:
    """How many of each arm took part."""
    rows = []
    for arm, code in (("assigned", 1.0), ("not assigned", 0.0)):
        mine = panel.treated == code
        people, took = int(mine.sum()), int(came[mine].sum())
        rows.append({"arm": arm, "people": people, "took_part": took, "share": took / people})
    return pd.DataFrame(rows)


def _people(panel: Panel) -> dict[str, int]:
    """People of each arm."""
    return {"n_treated": int((panel.treated == 1).sum()), "n_comparison": int((panel.treated == 0).sum())}


def _first(fit: Fit) -> np.ndarray:
    """The contrast that takes the first coefficient."""
    return np.eye(fit.x.shape[1])[0]


def _by_cluster(panel: Panel, rows: np.ndarray) -> np.ndarray:
    """Contributions summed by cluster."""
    return rows if panel.cluster is None else np.bincount(panel.cluster, rows)


def _diagnostics(
    panel: Panel, plan: Plan, stages: Stages, table: pd.DataFrame, weak_below: float
) -> tuple[dict[str, Any], bool]:
    """The first stage, both intervals, and whether the first stage is weak."""
    y, d = (stages.reduced[name] for name in ("y", "d"))
    parts = [_by_cluster(panel, row_contributions(fit, _first(fit), stages.se, panel.cluster)) for fit in (y, d)]
    covariance = np.array([[float((one * two).sum()) for two in parts] for one in parts])
    total, share = float(y.beta[0]), float(d.beta[0])
    f = share**2 / covariance[1, 1] if covariance[1, 1] > 1e-20 else math.inf
    df = freedom(panel, y, _first(y), stages.se, panel.cluster)
    square = float(stats.t.ppf(0.5 + plan.level / 2, df)) ** 2
    error = math.sqrt(covariance[0, 0])
    p = float(2 * stats.t.sf(abs(total) / error, df)) if error > 0 else math.nan
    weak = not f >= weak_below
    return {
        "first_stage": table,
        "brought_in": share,
        "f": f,
        "weak": weak,
        "anderson_rubin": _robust_set(total, share, covariance, square),
        "anderson_rubin_p": p,
        "one_sided": not table.loc[1, "took_part"],
        "intention_to_treat": total,
        "robust_df": df,
    }, weak


def _robust_set(total: float, share: float, covariance: np.ndarray, square: float) -> RobustSet:
    """Effects b at which (total - b share) is within the critical value of 0: a quadratic inequality in b."""
    a = share**2 - square * covariance[1, 1]
    b = total * share - square * covariance[0, 1]
    c = total**2 - square * covariance[0, 0]
    inside = b**2 - a * c
    if a > 0:
        root = math.sqrt(max(inside, 0.0))
        return RobustSet((b - root) / a, (b + root) / a, "interval")
    if a == 0 or inside <= 0:
        return RobustSet(-math.inf, math.inf, "everything")
    ends = sorted(((b - math.sqrt(inside)) / a, (b + math.sqrt(inside)) / a))
    return RobustSet(ends[0], ends[1], "two pieces")


def _usual(panel: Panel, plan: Plan, stages: Stages, about: dict[str, Any]) -> Estimate:
    """Two-stage least squares with every row's contribution."""
    y, dy = stages.structural["y"], stages.structural["dy"]
    rows = {
        "effect": row_contributions(y, _first(y), stages.se, panel.cluster),
        "observed": row_contributions(dy, _first(dy), stages.se, panel.cluster),
    }
    df = freedom(panel, y, _first(y), stages.se, panel.cluster)
    found = conclude(panel, plan, float(y.beta[0]), rows, df, observed=float(dy.beta[0]), **about)
    return replace(found, diagnostics=found.diagnostics | {"wald": (found.low, found.high)})


def _robust(panel: Panel, plan: Plan, stages: Stages, about: dict[str, Any]) -> Estimate:
    """The point with Anderson and Rubin's set; nothing that rests on a strong first stage."""
    effect, observed = (float(stages.structural[name].beta[0]) for name in ("y", "dy"))
    usual = _usual(panel, plan, stages, {})
    found = about["diagnostics"]
    robust: RobustSet = found["anderson_rubin"]
    whole = robust.shape == "interval"
    ends = (robust.low, robust.high) if whole else (-math.inf, math.inf)
    interval = Interval(low=ends[0], high=ends[1], p=found["anderson_rubin_p"], df=found["robust_df"])
    more = about | {"diagnostics": found | {"wald": (usual.low, usual.high)}}
    clusters = None if panel.cluster is None else len(np.unique(panel.cluster))
    result = conclude_from_interval(panel, plan, effect, interval, observed, **more, n_clusters=clusters)
    share = result.deadweight
    if share is None:
        return result
    told = f"{share.method.partition(';')[0]}; the first stage is weak, so not bounded"
    return replace(result, deadweight=Deadweight(share.value, -math.inf, math.inf, told))


def _assumed(chosen: Options, table: pd.DataFrame, found: dict[str, Any]) -> list[Flag]:
    """Whom the effect is on, and what it takes for granted."""
    text = "The effect of being assigned, on everyone assigned, is the headline; this stands beside it."
    share = words.percent(found["brought_in"], 0)
    if found["one_sided"]:
        who = f"Nobody took part without being assigned, so it is the effect on those who took part (about {share})."
    else:
        who = (
            f"It is the effect on those whom the assignment brought in (about {share} of people), and takes it that it "
            "kept nobody out."
        )
    rests = "It takes it that being assigned changed the outcome only through taking part."
    flags = [Flag("counterfactual", "caution", text, f"{who} {rests}")]
    if isinstance(chosen.randomised, str):
        reason = f"Assignment is taken as good as random: {chosen.randomised}"
        flags.append(Flag("counterfactual", "serious", reason, "Nothing in the data can show that it was."))
    if found["brought_in"] < 0:
        text = "Fewer of those assigned took part than of the others: see whether the columns are the right way round."
        flags.append(Flag("counterfactual", "serious", text))
    return flags


def _weakness(found: dict[str, Any], weak: bool, below: float) -> list[Flag]:
    """What a weak first stage does to the interval."""
    if not weak:
        return []
    text = f"Assignment moved taking part little (F {words.number(found['f'], 1)}, below {words.number(below, 0)})."
    robust: RobustSet = found["anderson_rubin"]
    detail = f"The interval is Anderson and Rubin's, which holds however weak it is: {robust.text}."
    return [Flag("counterfactual", "serious", text, detail)]
