"""A two-level model: people in clusters that differ in level, and in what the programme does there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from evalkit.counterfactual.inference import conclude
from evalkit.counterfactual.matched.overlaps import told_apart
from evalkit.counterfactual.mixed import TwoLevels, scaled_to, two_levels
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.panel import Panel, Plan, codes
from evalkit.counterfactual.registry import estimator
from evalkit.errors import EstimationError, Flag, did_you_mean
from evalkit.linear import least_squares

FEW = 30  # clusters below which maximum likelihood visibly understates the spread between them
RANDOM, METHODS = ("intercept", "slope"), ("reml", "ml")


@estimator(
    "multilevel",
    options={"random": "intercept", "method": "reml"},
    se=("model", "cr2"),
    clustered_se="model",
    needs=("cluster",),
    dose=True,
    says="a model of people in clusters, each cluster with a level (and an effect) of its own",
)
def multilevel(panel: Panel, plan: Plan) -> Estimate:
    """Two levels by restricted maximum likelihood; ``treated`` may be an amount, whose slope is then the effect.

    ``random = "slope"`` lets the effect differ between clusters. Model standard error with Satterthwaite's degrees of
    freedom, at most those between and within clusters; ``se = "cr2"`` does not rely on the model of the spread.
    """
    _check(panel, plan)
    t, cluster = panel.treated, codes(panel.cluster)  # type: ignore[arg-type]
    amount = not np.isin(t, (0.0, 1.0)).all()
    slope = plan.options["random"] == "slope"
    x = np.column_stack([np.ones(len(t)), t, panel.x])
    least_squares(panel.y, x)  # refuses terms that repeat each other, in the words of the other estimators
    model = two_levels(panel.y, x, t if slope else None, cluster, plan.options["method"] == "reml")
    contrast = np.eye(x.shape[1])[1]
    rows, df, flags = _spread(model, plan, contrast, t)
    effect = model.found.estimate(contrast)
    table = _about(model, panel, plan)
    if amount:
        return _of_amount(panel, plan, effect, rows, df, table, flags)
    flags = [*flags, *told_apart(panel)]
    return conclude(panel, plan, effect, {"effect": rows}, df, diagnostics=table, flags=flags)


def _check(panel: Panel, plan: Plan) -> None:
    """Words that are known, more than one cluster, and clusters with both arms where their effects differ."""
    for name, known in (("random", RANDOM), ("method", METHODS)):
        if plan.options[name] not in known:
            given = plan.options[name]
            raise EstimationError(f'{name} = "{given}" is not known. {did_you_mean(str(given), known)}')
    cluster = codes(panel.cluster)  # type: ignore[arg-type]
    groups = int(cluster.max()) + 1
    if groups < 2:
        raise EstimationError("everybody is in one cluster, so clusters cannot be compared. Use ols without cluster.")
    if groups == len(cluster):
        raise EstimationError("everybody is in a cluster of their own, so there are no two levels. Use ols.")
    sizes, sums = np.bincount(cluster), np.bincount(cluster, panel.treated)
    squares = np.bincount(cluster, panel.treated**2)
    inside = (squares - sums**2 / sizes) > 1e-10 * np.maximum(squares, 1e-300)
    if plan.options["random"] == "slope" and inside.sum() < 2:
        raise EstimationError(
            'random = "slope" needs clusters in which some are treated and others are not. Use random = "intercept".'
        )


def _spread(model: TwoLevels, plan: Plan, contrast: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, float, list[Flag]]:
    """Contributions, degrees of freedom, and what weakens them."""
    rows, flags = model.rows(contrast), _flags(model, plan)
    robust_se, robust_df = model.robust.standard_error(contrast)
    if plan.se == "cr2" and np.isfinite(robust_se):
        return rows, robust_df, flags
    return (
        scaled_to(rows, model.cluster, model.found.standard_error(contrast)),
        (model.degrees_of_freedom(contrast, t)),
        flags,
    )


def _flags(model: TwoLevels, plan: Plan) -> list[Flag]:
    """A variance on its edge, a fit that is known roughly, and maximum likelihood on few clusters."""
    flags, groups = [], int(model.cluster.max()) + 1
    if model.singular:
        text = "The clusters are estimated not to differ in level or effect at all, which few clusters cannot show."
        detail = 'The interval takes their difference as nothing; se = "cr2" does not.'
        flags.append(Flag("counterfactual", "caution", text, detail))
    if model.found.rough:
        text = "The best fit of the two-level model is known roughly only: almost nothing is left as error."
        flags.append(Flag("counterfactual", "caution", text))
    if plan.options["method"] == "ml" and groups < FEW:
        text = f"Maximum likelihood makes {groups} clusters look more alike than they are, and the interval too short."
        flags.append(Flag("counterfactual", "caution", text, 'Use method = "reml".'))
    return flags


def _about(model: TwoLevels, panel: Panel, plan: Plan) -> dict:
    """Variance components and the criterion."""
    parts = model.variances((str(panel.columns.cluster), str(panel.columns.treated)))
    name = "minus_2_log_likelihood" if plan.options["method"] == "ml" else "reml_criterion"
    shared = float(parts.iloc[0] / (parts.iloc[0] + parts["residual"]))
    terms = [*("(constant)", str(panel.columns.treated)), *map(str, panel.x.columns)]
    own = [(model.found.estimate(one), model.found.standard_error(one)) for one in np.eye(len(terms))]
    fixed = pd.DataFrame(own, index=pd.Index(terms, name="term"), columns=["estimate", "se"])
    found = {"variance_components": parts, name: model.found.criterion, "icc": shared, "singular": model.singular}
    return found | {"fixed_effects": fixed}


def _of_amount(
    panel: Panel, plan: Plan, effect: float, rows: np.ndarray, df: float, table: dict, flags: list[Flag]
) -> Estimate:
    """The effect of one unit more: everybody has some amount, so there is no comparison arm and no deadweight."""
    everybody = replace(panel, treated=np.ones(len(panel.y)), baseline=None)
    found = conclude(
        everybody, replace(plan, values=None), effect, {"effect": rows}, df, diagnostics=table, flags=flags
    )
    why = "the treatment is an amount, so nobody was simply without it"
    said = Flag(
        "counterfactual", "note", "The effect is that of one unit more of the treatment.", f"No deadweight: {why}."
    )
    kept = tuple(flag for flag in found.flags if not flag.text.startswith("No deadweight"))
    return replace(found, flags=(*kept, said), why_no_deadweight=why)
