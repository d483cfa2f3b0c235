"""Two published rates or counts, one of each arm."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from evalkit import words
from evalkit.counterfactual.covariates import is_number
from evalkit.counterfactual.deadweights import Definition, Quantities, combine, define_deadweight, fieller
from evalkit.counterfactual.nouns import Deadweight, Estimate
from evalkit.counterfactual.panel import Panel, Plan
from evalkit.counterfactual.registry import estimator
from evalkit.counterfactual.two_shares import Share, difference_ends, p_of_difference, ratio_ends
from evalkit.errors import EstimationError, Flag

INDEPENDENT = "The interval takes people as independent; clusters cannot be seen in published rates."


@dataclass(frozen=True)
class Rates:
    """Treated and comparison: rates (per ``per`` people where shares or events), people, half the rounding step.

    ``kind`` is "share" (of people), "events" (of which one person may have several) or "" where no sampling error is
    known; ``dispersion`` is the variance of events over what Poisson's law gives.
    """

    treated: float
    comparison: float
    n: tuple[float, float]
    half: float | None
    per: float
    kind: str
    dispersion: float = 1.0

    @property
    def shares(self) -> tuple[Share, Share]:
        """Both rates as shares of people."""
        return Share(self.treated / self.per, self.n[0]), Share(self.comparison / self.per, self.n[1])

    @property
    def variances(self) -> tuple[float, float]:
        """Of the two rates, in their own unit."""
        pairs = zip((self.treated, self.comparison), self.n, strict=True)
        one, none = (self._variance(rate / self.per, n) for rate, n in pairs)
        return one, none

    def _variance(self, rate: float, n: float) -> float:
        if self.kind == "events":
            return self.per**2 * self.dispersion * rate / n
        return self.per**2 * rate * (1 - rate) / n


@estimator(
    "published",
    options={"n": None, "rounding": None, "per": 1, "counts": False, "events": False, "dispersion": None},
    se=("binomial",),
    clustered_se="binomial",
    data="rates",
    adjusts=False,
    assumes="two rates",
    says="difference of two published rates",
)
def published(panel: Panel, plan: Plan) -> Estimate:
    """One row per arm. With numbers of people (``n``, a column), a sampling interval; without, none.

    ``per`` says what the rates are out of (100 for rates per 100). ``counts = true``: the outcome is how many people,
    or events, there were, and ``n`` out of how many people. ``events = true``: one person may have several
    (convictions, admissions); Poisson's variance is then the least there can be, and ``dispersion`` multiplies it.
    ``rounding`` is the step to which the rates were rounded: 1 means each may be half a unit off.

    A yes/no gets Newcombe's interval of the difference and the interval of the deadweight from the same two score
    intervals, which hold for shares near 0 and 1 as well; ``.se`` is the usual one of two independent shares.

    Examples
    --------
    The evaluation of the Innovation Fund: 59 % of 445 against 75 % of 445 in education, employment or training.

    >>> import pandas as pd
    >>> from evalkit.counterfactual import estimate
    >>> rates = pd.DataFrame({"arm": [1, 0], "rate": [59, 75], "n": [445, 445]})
    >>> found = estimate(rates, "published", outcome="rate", treated="arm", n="n", per=100, values="yes or no")
    >>> round(found.effect, 1), round(found.low, 1), round(found.high, 1), round(found.deadweight.value, 2)
    (-16.0, -22.0, -9.8, 1.27)
    """
    rates = _rates(panel, plan)
    effect = rates.treated - rates.comparison
    z = float(stats.norm.ppf(0.5 + plan.level / 2))
    se, low, high, p = _interval(rates, effect, z)
    deadweight, why = _deadweight(plan, rates, z)
    found = {"dropped": panel.dropped, **_rounding(rates), **_relative_interval(rates, z)}
    flags = [*panel.flags, *_flags(plan, rates)]
    return Estimate(
        effect=effect,
        se=se,
        low=low,
        high=high,
        p=p,
        df=math.inf if rates.kind else math.nan,
        scale="difference",
        n_treated=int(rates.n[0]) if math.isfinite(rates.n[0]) else 0,
        n_comparison=int(rates.n[1]) if math.isfinite(rates.n[1]) else 0,
        observed=rates.treated,
        counterfactual=rates.comparison,
        deadweight=deadweight,
        balance=None,
        diagnostics=found,
        flags=tuple(flags if not why else [*flags, Flag("counterfactual", "note", f"No deadweight: {why}.")]),
        level=plan.level,
        estimator=plan.estimator,
        n_clusters=None,
        influence=None,
        why_no_deadweight=why,
        terms=_terms(plan, rates),
    )


def _terms(plan: Plan, rates: Rates) -> dict[str, Any]:
    """What the deadweight is made of, in the unit of the rates."""
    definition = define_deadweight(plan, False)
    unit = {"one": rates.per} if plan.values == "yes or no" else {}

    def scaled(weights: Quantities | None) -> Quantities | None:
        return weights and {name: weight * unit.get(name, 1.0) for name, weight in weights.items()}

    return {"top": scaled(definition.top), "bottom": scaled(definition.bottom)}


def _rates(panel: Panel, plan: Plan) -> Rates:
    """What the two rows say, checked."""
    if len(panel.y) != 2:
        raise EstimationError(f"published needs one row per arm, two in all; the table has {len(panel.y)}.")
    one, none = int(np.argmax(panel.treated)), int(np.argmin(panel.treated))
    options = plan.options
    n = _people(panel, options["n"], one, none)
    known = all(math.isfinite(size) and size > 1 for size in n)
    half = None if options["rounding"] is None else float(options["rounding"]) / 2
    per, dispersion = float(options["per"]), 1.0 if options["dispersion"] is None else float(options["dispersion"])
    _check(options, known, half, per, dispersion)
    values = np.array([panel.y[one], panel.y[none]], float)
    if options["counts"]:
        values, half = values / np.array(n) * per, None
    events = bool(options["events"]) and plan.values != "yes or no"
    kind = "events" if events else "share" if plan.values == "yes or no" else ""
    if kind == "share" and known and not ((values >= 0) & (values <= per)).all():
        worst = float(values[np.argmax(np.abs(values / per - 0.5))] / per)
        raise EstimationError(
            f"a yes/no rate must lie between 0 and per; {words.number(worst, 2)} times per does not. "
            "Write per = 100 for rates per 100, or events = true where one person may have several."
        )
    if kind == "events" and (values < 0).any():
        raise EstimationError("a rate of events cannot be negative.")
    return Rates(float(values[0]), float(values[1]), n, half, per, kind if known else "", dispersion)


def _people(panel: Panel, column: str | None, one: int, none: int) -> tuple[float, float]:
    """How many people are behind each rate; NaN where not known."""
    if column is None:
        return math.nan, math.nan
    if column not in panel.frame:
        raise EstimationError(f'n names "{column}", which is no column of the table.')
    if not is_number(panel.frame[column]):
        raise EstimationError(f'n names "{column}", which is not a column of numbers.')
    sizes = panel.frame[column].to_numpy(dtype=float, na_value=np.nan)
    if (sizes <= 0).any():
        raise EstimationError(f'"{column}" holds numbers of people that are 0 or less. Leave unknown ones empty.')
    return float(sizes[one]), float(sizes[none])


def _check(options: dict, known: bool, half: float | None, per: float, dispersion: float) -> None:
    """Options that contradict each other or the world."""
    if half is not None and half < 0:
        raise EstimationError(
            "rounding is the step of the printed rates (1 for whole numbers), so it cannot be negative."
        )
    if options["counts"] and not known:
        raise EstimationError("counts need the numbers of people they were counted in: n = the column that holds them.")
    if not per > 0:
        raise EstimationError("per is what the rates are out of (1 for shares, 100 for rates per 100): above 0.")
    if not dispersion > 0:
        raise EstimationError("dispersion is the variance of the events over that of Poisson's law: above 0.")


def _interval(rates: Rates, effect: float, z: float) -> tuple[float, float, float, float]:
    """Standard error, bounds and p; NaN where the sampling error is not known."""
    if not rates.kind:
        return math.nan, math.nan, math.nan, math.nan
    se = math.sqrt(sum(rates.variances))
    if rates.kind == "share":
        low, high = difference_ends(*rates.shares, z)
        return se, rates.per * low, rates.per * high, p_of_difference(*rates.shares)
    if se == 0:
        return math.nan, math.nan, math.nan, math.nan
    return se, effect - z * se, effect + z * se, float(2 * stats.norm.sf(abs(effect) / se))


def _rounding(rates: Rates) -> dict[str, float]:
    """Change as a share of the comparison, and how far rounding may have moved it and the difference."""

    def relative(one: float, none: float) -> float:
        return (one - none) / none if none != 0 else math.nan

    treated, comparison, half = rates.treated, rates.comparison, rates.half
    found = {"relative": relative(treated, comparison)}
    if half is None:
        return found
    corners = [relative(treated + a * half, comparison + b * half) for a in (-1, 1) for b in (-1, 1)]
    effect = treated - comparison
    return {
        **found,
        "relative_low": min(corners),
        "relative_high": max(corners),
        "rounding_low": effect - 2 * half,
        "rounding_high": effect + 2 * half,
    }


def _relative_interval(rates: Rates, z: float) -> dict[str, tuple[float, float]]:
    """The sampling interval of the change as a share of the comparison."""
    if not rates.kind or not rates.comparison > 0:
        return {}
    one, none = rates.shares
    if rates.kind == "share":
        low, high = ratio_ends(one, none, z)
    else:
        low, high = fieller(rates.treated, rates.comparison, np.diag(rates.variances), z)
    return {"relative_interval": (low - 1, high - 1)}


def _deadweight(plan: Plan, rates: Rates, z: float) -> tuple[Deadweight | None, str]:
    """The ratio at the published rates; its interval from sampling where sizes are known, else from rounding alone."""
    definition = define_deadweight(plan, False)
    if definition.top is None or definition.bottom is None:
        return None, definition.why
    per = rates.per if plan.values == "yes or no" else 1.0
    top, bottom = _parts(definition, rates.treated / per, rates.comparison / per)
    if not bottom > 0:
        return None, "nothing was achieved on average, so there is no share of it to give"
    if rates.kind:
        low, high, how = _sampled(plan, rates, (top, bottom), z)
        how = how if math.isfinite(low) else f"{how}, not bounded"
        return Deadweight(top / bottom, low, high, f"{definition.says}; {how}"), ""
    if rates.half is None:
        return Deadweight(top / bottom, math.nan, math.nan, f"{definition.says}; sampling error unknown"), ""
    half = rates.half
    corners = [
        _parts(definition, (rates.treated + a * half) / per, (rates.comparison + b * half) / per)
        for a in (-1, 1)
        for b in (-1, 1)
    ]
    if any(under <= 0 for _, under in corners):
        return Deadweight(top / bottom, -math.inf, math.inf, f"{definition.says}; rounding alone, not bounded"), ""
    shares = [over / under for over, under in corners]
    return Deadweight(
        top / bottom, min(shares), max(shares), f"{definition.says}; rounding only, sampling error unknown"
    ), ""


def _sampled(plan: Plan, rates: Rates, parts: tuple[float, float], z: float) -> tuple[float, float, str]:
    """The sampling interval of the deadweight, and how it was made."""
    if rates.kind == "share":
        one, none = rates.shares
        one, none = (one.absence(), none.absence()) if plan.better == "lower" else (one, none)
        return *ratio_ends(none, one, z), "from the score intervals of both shares"
    one_variance, none_variance = rates.variances
    return *fieller(*parts, np.diag([none_variance, one_variance]), z), "Fieller's interval"


def _parts(definition: Definition, observed: float, counterfactual: float) -> tuple[float, float]:
    """Numerator and denominator."""
    values = {"observed": observed, "counterfactual": counterfactual}
    return combine(definition.top or {}, values), combine(definition.bottom or {}, values)


def _flags(plan: Plan, rates: Rates) -> list[Flag]:
    """What two rates cannot tell."""
    if rates.kind == "share":
        return [Flag("counterfactual", "note", INDEPENDENT)]
    if rates.kind == "events":
        text = "The interval takes events as independent of each other: it is the least there can be."
        more = "One person's events come together, so the true interval is wider; how much cannot be seen in rates."
        given = f"Variance taken as {words.number(rates.dispersion, 2)} times that of independent events."
        stated = rates.dispersion != 1
        return [Flag("counterfactual", "caution", INDEPENDENT if stated else text, given if stated else more)]
    detail = "No sampling interval and no p-value can be given"
    asks = ". Say the step to which the rates were rounded (rounding = 1), to see how far that may have moved them."
    detail += "; the interval shown is how far rounding alone may have moved it." if rates.half is not None else asks
    if all(math.isfinite(size) for size in rates.n) and plan.values is None:
        detail += ' Numbers of people are given: say values = "yes or no", or events = true.'
    return [Flag("counterfactual", "serious", "Sampling error unknown.", detail)]
