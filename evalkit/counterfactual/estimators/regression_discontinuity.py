"""Regression discontinuity: people on either side of the number that decided who was treated."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import stats

from evalkit import disclosure, words
from evalkit.counterfactual.covariates import is_number
from evalkit.counterfactual.cutoffs import (
    DOUBT,
    FEW_NEAR,
    FEWEST_NEAR,
    HEAPED,
    Side,
    binned_means,
    covariate_jumps,
    crowding,
    fit_cutoff,
    limit_variances,
    other_bandwidths,
    signed,
)
from evalkit.counterfactual.deadweights import deadweight_of, define_deadweight
from evalkit.counterfactual.inference import Interval, conclude_from_interval
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.panel import Panel, Plan
from evalkit.counterfactual.registry import estimator
from evalkit.errors import EstimationError, Flag, did_you_mean, several

KERNELS, SIDES = ("triangular", "epanechnikov", "uniform"), ("above", "below")
FEWEST, LARGEST_ORDER, WEAK = 20, 4, 0.001
LOCAL = Flag(
    "counterfactual",
    "note",
    "The effect is that on people at the cutoff, and need not hold for those far from it.",
)


@estimator(
    "regression discontinuity",
    options={"cutoff": 0.0, "bandwidth": None, "kernel": "triangular", "order": 1, "treated_side": None},
    se=("nearest neighbour",),
    clustered_se="nearest neighbour",
    data="running",
    needs=("running",),
    comparison=False,
    assumes="continuity at the cutoff",
    says="local regressions on either side of the cutoff that decided who was treated",
)
def regression_discontinuity(panel: Panel, plan: Plan) -> Estimate:
    """Jump of local polynomials at the cutoff; over the jump in treatment where ``treated`` says it is not sharp.

    ``effect`` and ``se`` are the conventional ones; interval and p-value are robust and bias-corrected, so the interval
    is not centred on the effect. Without ``treated`` those at or above the cutoff are treated (``treated_side =
    "below"``: those below it).

    References
    ----------
    Calonico, Cattaneo and Titiunik (2014), Econometrica 82, 2295-2326; Hahn, Todd and Van der Klaauw (2001),
    Econometrica 69, 201-209.
    """
    how = _checked(panel, plan)
    side, lost = _sides(panel, plan)
    found = fit_cutoff(side, plan.level, **how)
    effect = signed(side, found)
    manual = {**how, "h": float(found.h_left), "b": float(found.b_left)}
    observed = _observed(side, plan.level, manual, found)
    diagnostics, balance = _diagnostics(side, plan, (found, effect, how), panel.dropped + lost)
    right, left = int(found.n_h_right), int(found.n_h_left)
    if min(left, right) < FEWEST_NEAR:
        raise EstimationError(
            f"only {min(left, right)} people lie within the bandwidth of {words.number(float(found.h_left), 2)} on one "
            f"side of the cutoff; {FEWEST_NEAR} are needed for an honest interval. Give a wider bandwidth."
        )
    result = conclude_from_interval(
        panel,
        plan,
        effect["effect"],
        Interval(effect["se"], effect["low"], effect["high"], effect["p"], effect["df"]),
        observed,
        n_treated=right if side.treated_right else left,
        n_comparison=left if side.treated_right else right,
        balance=balance,
        diagnostics=diagnostics,
        flags=_flags(side, (left, right), diagnostics, lost, len(panel.y)),
    )
    return result if side.takeup is not None else _joint_deadweight(plan, side, result, manual)


def _checked(panel: Panel, plan: Plan) -> dict[str, Any]:
    """Kernel, order and bandwidth as the library takes them."""
    options, problems = plan.options, []
    if options["kernel"] not in KERNELS:
        problems.append(f'kernel = "{options["kernel"]}" is not known. {did_you_mean(str(options["kernel"]), KERNELS)}')
    if options["treated_side"] not in (None, *SIDES):
        problems.append(f'treated_side = "{options["treated_side"]}" must be "above" or "below" the cutoff.')
    order, width, cutoff = options["order"], options["bandwidth"], options["cutoff"]
    if not (isinstance(order, int) and 0 <= order <= LARGEST_ORDER):
        problems.append(f"order = {order} must be a whole number from 0 to {LARGEST_ORDER}; 1 is the rule.")
    if width is not None and not (isinstance(width, int | float) and width > 0):
        problems.append(f"bandwidth = {width} must be a number above 0, in the unit of the running number.")
    if not (isinstance(cutoff, int | float) and math.isfinite(cutoff)):
        problems.append(f"cutoff = {cutoff} must be a number.")
    if panel.cluster is not None:
        problems.append(
            "regression discontinuity has no interval for clusters here. Leave cluster out and say so, or average the "
            "outcome by cluster where the cutoff decided for whole clusters."
        )
    if not is_number(panel.frame[panel.columns.running]):
        problems.append(f'running "{panel.columns.running}" is not a column of numbers.')
    if problems:
        raise EstimationError(several("the estimate", problems))
    return {"p": order, "kernel": options["kernel"]} | ({} if width is None else {"h": float(width)})


def _sides(panel: Panel, plan: Plan) -> tuple[Side, int]:
    """The people with a running number in an order of their own, and how many lack one."""
    score = panel.frame[panel.columns.running].to_numpy(dtype=float, na_value=np.nan)
    known = np.isfinite(score)
    score, treated, cutoff = score[known], panel.treated[known], float(plan.options["cutoff"])
    if len(score) < FEWEST or not score.min() < cutoff <= score.max():
        below, above = int((score < cutoff).sum()), int((score >= cutoff).sum())
        raise EstimationError(
            f'"{panel.columns.running}" has {below} people below the cutoff {words.number(cutoff, 2)} and {above} '
            f"at or above it; {FEWEST} people, on both sides, are needed. Check cutoff = ..."
        )
    columns = [score, panel.y[known], treated, *panel.x.to_numpy()[known].T]
    order = np.lexsort(columns[::-1])
    x = panel.x[known].iloc[order].reset_index(drop=True)
    score, y, treated = score[order], panel.y[known][order], treated[order]
    given = None if panel.columns.treated is None else treated
    score, takeup, right = _who(score, given, cutoff, plan.options["treated_side"])
    return Side(score, y, takeup, x, cutoff, right), int((~known).sum())


def _who(
    score: np.ndarray, treated: np.ndarray | None, cutoff: float, said: str | None
) -> tuple[np.ndarray, np.ndarray | None, bool]:
    """Which side is treated, and who was in fact, where the cutoff did not decide it alone.

    Where those exactly at the cutoff belong to the left, they are moved the least step to the left of it.
    """
    if treated is None:
        return score, None, said != "below"
    right, beyond = score >= cutoff, score > cutoff
    nudged = np.where(score == cutoff, np.nextafter(cutoff, -np.inf), score)
    for place, mask in ((score, right), (nudged, beyond)):
        if (treated == mask).all() or (treated == ~mask).all():
            above = bool((treated == mask).all())
            if said is not None and (said == "above") != above:
                raise EstimationError(f'treated_side = "{said}", and everybody treated is on the other side.')
            return place, None, above
    more = float(treated[right].mean()) >= float(treated[~right].mean())
    if said is not None and (said == "above") != more:
        raise EstimationError(f'treated_side = "{said}", and more people are treated on the other side.')
    return score, treated, more


def _observed(side: Side, level: float, manual: dict[str, Any], found: Any) -> float:
    """The treated's limit at the cutoff; of those whom the cutoff moved, where it did not decide alone."""
    if side.takeup is None:
        plain = found if not side.x.shape[1] else fit_cutoff(side, level, covariates=False, **manual)
        return float((plain.beta_p_right if side.treated_right else plain.beta_p_left)[0])
    moved = replace(side, y=side.y * side.takeup)
    return float(fit_cutoff(moved, level, covariates=False, **manual).att_conventional)


def _diagnostics(side: Side, plan: Plan, fitted: tuple, dropped: int) -> tuple[dict[str, Any], Any]:
    """Bandwidths, numbers near the cutoff, the tests a sceptic asks for; and the covariates' balance."""
    found, effect, how = fitted
    balance = covariate_jumps(side, plan.level, {key: how[key] for key in ("p", "kernel")})
    sign = 1.0 if side.treated_right or side.takeup is not None else -1.0
    plain = sorted(sign * float(one) for one in found.conf_int_conventional)
    values = len(np.unique(side.score))
    return {
        "bandwidth": float(found.h_left),
        "bandwidth_bias": float(found.b_left),
        "bias_corrected": effect["bias_corrected"],
        "se_robust": float(found.se_robust),
        "robust_p": effect["p"],
        "conventional": (plain[0], plain[1]),
        "n_left": int(found.n_h_left),
        "n_right": int(found.n_h_right),
        "fuzzy": side.takeup is not None,
        "jump_in_treatment": None if side.takeup is None else float(found.first_stage_conventional),
        "jump_in_treatment_p": None if side.takeup is None else float(found.first_stage_p_value),
        "repeated_values": 1 - values / len(side.score),
        "covariate_jumps": balance,
        "bandwidths": other_bandwidths(side, plan.level, found, {key: how[key] for key in ("p", "kernel")}),
        "points": binned_means(side),
        "dropped": dropped,
        **crowding(side),
    }, balance


def _flags(side: Side, near: tuple[int, int], told: dict[str, Any], lost: int, people: int) -> list[Flag]:
    """What a reader must be told."""
    flags = [LOCAL]
    if lost:
        text = "People without the number that decided who was treated are left out."
        share = disclosure.roughly(lost, people)
        detail = f"{share[:1].upper()}{share[1:]} of those with this outcome."
        flags.append(Flag("counterfactual", "caution" if lost / people > 0.05 else "note", text, detail))
    if min(near) < FEW_NEAR:
        text = (
            "Few people lie within the bandwidth on one side of the cutoff, so the interval is less sure than it looks."
        )
        flags.append(
            Flag(
                "counterfactual",
                "caution",
                text,
                f"Fewer than {FEW_NEAR}: Student's t is used; see the wider bandwidth too.",
            )
        )
    if told["repeated_values"] > HEAPED:
        text = "The number that decided who was treated takes the same values for many people."
        detail = "Comparisons at the cutoff then rest on few distinct values."
        flags.append(Flag("counterfactual", "caution", text, detail))
    return [*flags, *_doubts(side, told)]


def _doubts(side: Side, told: dict[str, Any]) -> list[Flag]:
    """Crowding, covariates that jump, and a cutoff that hardly moved treatment."""
    flags = []
    if told["density_p"] < DOUBT or told["binomial_p"] < DOUBT / 5:
        text = "People crowd on one side of the cutoff, as they would if the number could be pushed over it."
        detail = (
            f"Density test p {words.p_value(told['density_p'])}; those nearest p {words.p_value(told['binomial_p'])}."
        )
        sure = (told["density_p"] < DOUBT / 5) or (told["binomial_p"] < DOUBT / 5)
        flags.append(Flag("counterfactual", "serious" if sure else "caution", text, detail))
    if math.isnan(told["density_p"]):
        text = "There are too few people or values near the cutoff for a test of crowding by density."
        detail = f"Counting those nearest to it: p {words.p_value(told['binomial_p'])}."
        flags.append(Flag("counterfactual", "caution", text, detail))
    table = told["covariate_jumps"]
    # Bonferroni, so that many covariates do not raise the alarm by their number.
    jumps = (
        [] if table is None or "p" not in table else [str(one) for one in table.index[table["p"] < DOUBT / len(table)]]
    )
    if jumps:
        text = f"At the cutoff people also differ in {words.listed(jumps[:4])}, which treatment cannot have changed."
        flags.append(Flag("counterfactual", "serious", text))
    if side.takeup is not None:
        text = "The cutoff did not decide alone: the effect is that on people whom it moved into treatment."
        detail = f"Treatment jumps by {words.points(abs(told['jump_in_treatment']))}."
        flags.append(Flag("counterfactual", "note", text, detail))
        if told["jump_in_treatment_p"] > WEAK:
            text = "Treatment hardly jumps at the cutoff, so neither the effect nor its interval is to be trusted."
            flags.append(Flag("counterfactual", "serious", text, detail))
    return flags


def _joint_deadweight(plan: Plan, side: Side, found: Estimate, manual: dict[str, Any]) -> Estimate:
    """The deadweight where both limits are uncertain, and independent of each other."""
    definition = define_deadweight(plan, False)
    if found.deadweight is None or definition.top is None:
        return found
    both = limit_variances(side, manual["h"], manual["kernel"], manual["p"])
    other, mine = both if side.treated_right else both[::-1]
    if not mine + other > 0:
        return found
    critical = float(stats.t.ppf(0.5 + plan.level / 2, found.df))
    # The limits' own variances say how the interval's error is split between them.
    scale = (found.high - found.low) / (2 * critical) / math.sqrt(mine + other)
    parts = {
        "observed": np.array([math.sqrt(mine) * scale, 0.0]),
        "counterfactual": np.array([0.0, math.sqrt(other) * scale]),
    }
    values = {"observed": found.observed, "counterfactual": found.counterfactual}
    deadweight, _ = deadweight_of(definition, values, parts, critical)
    return replace(found, deadweight=deadweight)
