"""Two published rates, one of each arm."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from evalkit import words
from evalkit.counterfactual.deadweights import Definition, combine, define_deadweight, fieller
from evalkit.counterfactual.nouns import Deadweight, Estimate
from evalkit.counterfactual.panel import Panel, Plan
from evalkit.counterfactual.registry import estimator
from evalkit.errors import EstimationError, Flag


@estimator(
    "published",
    options={"n": None, "rounding": None, "per": 1},
    se=("binomial",),
    clustered_se="binomial",
    data="rates",
    assumes="two rates",
    says="difference of two published rates",
)
def published(panel: Panel, plan: Plan) -> Estimate:
    """One row per arm. With numbers of people (``n``, a column) and yes/no rates, a sampling interval; without, none.

    ``rounding`` is the step to which the rates were rounded: 1 means each may be half a unit off. ``per`` says what the
    rates are out of (100 for rates per 100).
    """
    rates, sizes, half = _rates(panel, plan)
    treated, comparison = rates
    effect = treated - comparison
    known = plan.values == "yes or no" and all(math.isfinite(n) and n > 1 for n in sizes)
    se = _standard_error(rates, sizes, float(plan.options["per"])) if known else math.nan
    critical = float(stats.norm.ppf(0.5 + plan.level / 2))
    deadweight, why = _deadweight(plan, rates, sizes if known else None, half, critical)
    diagnostics = {"dropped": panel.dropped, **_rounding(treated, comparison, half)}
    flags = [
        *panel.flags,
        *_flags(plan, known, half),
        *([Flag("counterfactual", "note", f"No deadweight: {why}.")] if why else []),
    ]
    return Estimate(
        effect=effect,
        se=se,
        low=effect - critical * se,
        high=effect + critical * se,
        p=float(2 * stats.norm.sf(abs(effect) / se)) if known and se > 0 else math.nan,
        df=math.inf if known else math.nan,
        scale="difference",
        n_treated=int(sizes[0]) if math.isfinite(sizes[0]) else 0,
        n_comparison=int(sizes[1]) if math.isfinite(sizes[1]) else 0,
        observed=treated,
        counterfactual=comparison,
        deadweight=deadweight,
        balance=None,
        diagnostics=diagnostics,
        flags=tuple(flags),
        level=plan.level,
        estimator=plan.estimator,
        n_clusters=None,
        influence=None,
        why_no_deadweight=why,
    )


def _rates(panel: Panel, plan: Plan) -> tuple[tuple[float, float], tuple[float, float], float | None]:
    """The treated's and the comparison's rate, their numbers of people, and half the rounding step."""
    if len(panel.y) != 2:
        raise EstimationError(f"published needs one row per arm, two in all; the table has {len(panel.y)}.")
    one, none = int(np.argmax(panel.treated)), int(np.argmin(panel.treated))
    rounding = plan.options["rounding"]
    half = None if rounding is None else float(rounding) / 2
    if half is not None and half < 0:
        raise EstimationError(
            "rounding is the step of the printed rates (1 for whole numbers), so it cannot be negative."
        )
    column = plan.options["n"]
    if column is None:
        return (float(panel.y[one]), float(panel.y[none])), (math.nan, math.nan), half
    if column not in panel.frame:
        raise EstimationError(f'n names "{column}", which is no column of the table.')
    sizes = panel.frame[column].to_numpy(dtype=float, na_value=np.nan)
    return (float(panel.y[one]), float(panel.y[none])), (float(sizes[one]), float(sizes[none])), half


def _standard_error(rates: tuple[float, float], sizes: tuple[float, float], per: float) -> float:
    """Of a difference of two independent shares, in the rates' unit."""
    return per * math.sqrt(sum(_variance(rate / per, n) for rate, n in zip(rates, sizes, strict=True)))


def _variance(share: float, n: float) -> float:
    """Of one share."""
    if not 0 <= share <= 1:
        raise EstimationError(f"a yes/no rate must lie between 0 and per; {words.number(share, 2)} times per does not.")
    return share * (1 - share) / n


def _rounding(treated: float, comparison: float, half: float | None) -> dict[str, float]:
    """Change as a share of the comparison, and how far rounding may have moved it and the difference."""

    def relative(one: float, none: float) -> float:
        return (one - none) / none if none != 0 else math.nan

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


def _deadweight(
    plan: Plan, rates: tuple[float, float], sizes: tuple[float, float] | None, half: float | None, critical: float
) -> tuple[Deadweight | None, str]:
    """The ratio at the published rates; its interval from sampling where sizes are known, else from rounding alone."""
    definition = define_deadweight(plan, False)
    if definition.top is None or definition.bottom is None:
        return None, definition.why
    per = float(plan.options["per"]) if plan.values == "yes or no" else 1.0
    top, bottom = _parts(definition, rates[0] / per, rates[1] / per)
    if not bottom > 0:
        return None, "nothing was achieved on average, so there is no share of it to give"
    if sizes is not None:
        variance = [_variance(rate / per, n) for rate, n in zip(rates, sizes, strict=True)]
        low, high = fieller(top, bottom, np.diag([variance[1], variance[0]]), critical)
        return Deadweight(top / bottom, low, high, f"{definition.says}; Fieller's interval"), ""
    if half is None:
        return Deadweight(top / bottom, math.nan, math.nan, f"{definition.says}; sampling error unknown"), ""
    corners = [
        _parts(definition, (rates[0] + a * half) / per, (rates[1] + b * half) / per) for a in (-1, 1) for b in (-1, 1)
    ]
    if any(under <= 0 for _, under in corners):
        return Deadweight(top / bottom, -math.inf, math.inf, f"{definition.says}; rounding alone, not bounded"), ""
    shares = [over / under for over, under in corners]
    return Deadweight(
        top / bottom, min(shares), max(shares), f"{definition.says}; rounding only, sampling error unknown"
    ), ""


def _parts(definition: Definition, observed: float, counterfactual: float) -> tuple[float, float]:
    """Numerator and denominator."""
    values = {"observed": observed, "counterfactual": counterfactual}
    return combine(definition.top or {}, values), combine(definition.bottom or {}, values)


def _flags(plan: Plan, known: bool, half: float | None) -> list[Flag]:
    """What two rates cannot tell."""
    if known:
        return [
            Flag(
                "counterfactual",
                "note",
                "The interval takes people as independent; clusters cannot be seen in published rates.",
            )
        ]
    detail = "No sampling interval and no p-value can be given"
    detail += "; the interval shown is how far rounding alone may have moved it." if half is not None else "."
    return [Flag("counterfactual", "serious", "Sampling error unknown.", detail)]
