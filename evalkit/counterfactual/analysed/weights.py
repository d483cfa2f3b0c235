"""Weights that let those who were read speak for those who were lost, and effects estimated with them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.counterfactual.analysed.copies import by_copies
from evalkit.counterfactual.analysed.observing import Observing, extreme_flags, fit_observing
from evalkit.counterfactual.analysed.people import check_columns, read_arms
from evalkit.counterfactual.arms import ARMS, allow_for_size
from evalkit.counterfactual.estimating import COMMON, estimate
from evalkit.counterfactual.inference import conclude
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.panel import Columns, Panel, Plan, prepare
from evalkit.counterfactual.registry import find_estimator
from evalkit.errors import EstimationError, EvalkitWarning, Flag, several

LARGE = 0.10  # of an arm's weight on one person
READ = "(read)"
TAKEN = "The weights take it that people alike in these covariates were lost by chance."
BY_WEIGHTS = ("difference", "ols")


def attrition_weights(
    frame: pd.DataFrame,
    outcome: str,
    treated: str,
    covariates: Sequence[str],
    *,
    stabilised: bool = True,
    treated_is: Any = None,
) -> pd.Series:
    """Weigh those who were read by how unlikely people like them were to be read.

    Parameters
    ----------
    frame : DataFrame, shape (n_people, ...)
        Everyone referred and eligible, one row each; whoever was lost has no outcome.
    outcome, treated : str
        Columns; treated is 1 or 0, or two words.
    covariates : sequence of str
        What is known of everybody and tells who was lost.
    stabilised : bool
        Whether each arm's weights are multiplied by its share read, so that they are 1 on average; else they add up to
        about everybody in the arm.
    treated_is
        The word that means the treated.

    Returns
    -------
    Series, shape (n_people,)
        By the frame's index: 1 / (chance of being read), by a logit within each arm; 0 for those not read; missing
        where the arm is. ``.attrs["flags"]`` holds what must be said of extreme weights, which is also warned of.

    Raises
    ------
    EstimationError
        A column is missing, nobody of an arm was read, or covariates tell the read from the lost without fail.

    Examples
    --------
    All four town people were read, and two of four from the country: each of those two speaks for two.

    >>> people = pd.DataFrame({"arm": [1] * 8 + [0] * 8, "place": (["town"] * 4 + ["country"] * 4) * 2})
    >>> people["y"] = [1.0, 2, 3, None, 5, 6, None, None] + [1.0] * 8
    >>> attrition_weights(people, "y", "arm", ["place"], stabilised=False).round(3).tolist()[:8]
    [1.333, 1.333, 1.333, 0.0, 2.0, 2.0, 0.0, 0.0]

    References
    ----------
    Robins, Rotnitzky and Zhao (1995), JASA 90, 106-121; Wooldridge (2007), J. of Econometrics 141, 1281-1301.
    """
    check_columns(frame, [outcome, treated, *covariates])
    arm, read = read_arms(frame, treated, treated_is), frame[outcome].notna().to_numpy(float)
    weights = np.full(len(frame), np.nan)
    models = fit_observing(frame[list(covariates)], read, arm)
    for model in models:
        mine = read[model.rows]
        weights[model.rows] = mine / model.probability * (mine.mean() if stabilised else 1.0)
    flags = extreme_flags(models, read)
    for flag in flags:
        warnings.warn(f"{flag.text} {flag.detail}", EvalkitWarning, stacklevel=2)
    series = pd.Series(weights, index=frame.index, name="weight")
    series.attrs["flags"] = tuple(flags)
    return series


def with_attrition_weights(
    frame: pd.DataFrame,
    estimator: str,
    *,
    observed_by: Sequence[str] = (),
    draws: int = 200,
    seed: int = 0,
    **arguments: Any,
) -> Estimate:
    """Estimate an effect with those who were read speaking for those who were lost.

    Parameters
    ----------
    frame : DataFrame, shape (n_people, ...)
        Everyone referred and eligible, one row each; whoever was lost has no outcome.
    estimator : str
        "difference" and "ols" are weighted least squares, with an interval that counts the estimated weights (stacked
        equations). Others on people, one row each, are run on copies in proportion to the weights, with an interval
        from a bootstrap of everybody (clusters, where named) in which the weights are estimated anew. Matching is
        refused: its bootstrap is not valid (Abadie and Imbens 2008).
    observed_by : sequence of str
        Covariates that tell who was lost; default: ``covariates``.
    draws, seed : int
        Of the bootstrap.
    **arguments
        Of `estimate`: outcome, treated, covariates ...

    Returns
    -------
    Estimate
        ``diagnostics["analysis"]`` is "attrition weights"; ``unweighted`` holds the effect without them, and
        ``attrition`` the share read by arm.

    Raises
    ------
    EstimationError
        No covariates, nobody was read, or the estimator cannot be weighted.

    References
    ----------
    Wooldridge (2007), J. of Econometrics 141, 1281-1301; Abadie and Imbens (2008), Econometrica 76, 1537-1557.
    """
    entry = find_estimator(estimator)
    names = tuple(observed_by) or tuple(arguments.get("covariates", ()))
    _check(entry.name, entry.data, names, arguments)
    plain = estimate(frame, estimator, **arguments)
    analytic = entry.name in BY_WEIGHTS and arguments.get("within") is None
    if analytic:
        found = _least_squares(frame, entry.name, names, arguments)
    else:
        found = by_copies(frame, estimator, names, (draws, seed), arguments, plain)
    about = {"analysis": "attrition weights", "unweighted": plain.effect}
    taken = f"{TAKEN} They are {words.listed(list(names))}."
    detail = f"Without weights the effect is {words.number(plain.effect, 4)}."
    flags = (*plain.flags, *found.flags, Flag("counterfactual", "caution", taken, detail))
    return replace(found, diagnostics=found.diagnostics | about, flags=tuple(dict.fromkeys(flags)))


def _check(name: str, data: str, covariates: tuple[str, ...], arguments: dict[str, Any]) -> None:
    """What cannot be weighted."""
    problems = []
    if data != "people":
        problems.append(f'"{name}" cannot be weighted for attrition here: it does not work on one row per person.')
    if name == "matching":
        problems.append("matching cannot be weighted for attrition: no valid interval is known. Use aipw, or bounds.")
    if not covariates:
        problems.append("name what tells who was lost: covariates, or observed_by = [...].")
    if arguments.get("se") is not None:
        problems.append("the standard error here is its own (it counts the estimated weights). Drop se.")
    absent = [name for name in ("outcome", "treated") if arguments.get(name) is None]
    problems += [f"{name} is missing: name its column." for name in absent]
    if problems:
        raise EstimationError(several("the weighted estimate", problems))


def _least_squares(frame: pd.DataFrame, name: str, names: tuple[str, ...], arguments: dict[str, Any]) -> Estimate:
    """Weighted least squares with the error of the weights counted."""
    panel, plan, read = _everybody(frame, name, names, arguments)
    models = fit_observing(panel.frame[list(names)], read, panel.treated)
    weights = _weights(models, read)
    treated = panel.treated == 1
    x = np.column_stack([panel.treated, np.ones(len(read)), panel.x if name == "ols" else np.zeros((len(read), 0))])
    bread = np.linalg.inv((x * weights[:, None]).T @ x)
    beta = bread @ (x.T @ (weights * panel.y))
    leverage = weights * np.einsum("ij,jk,ik->i", x, bread, x)
    residuals = (panel.y - x @ beta) / (1 - np.minimum(leverage, 0.9))
    rows = _stacked(models, weights, x * residuals[:, None]) @ bread[:, 0]
    total = weights[treated].sum()
    observed = float((weights * panel.y)[treated].sum() / total)
    own = _stacked(models, weights, np.where(treated, panel.y - observed, 0.0)[:, None])[:, 0] / total
    scale, df = allow_for_size(panel, rows, weights, ())
    scale = np.ones(len(read)) if panel.cluster is None else scale
    there = read == 1
    panel = replace(panel, y=np.where(there, panel.y, observed))
    return conclude(
        panel,
        plan,
        float(beta[0]),
        {"effect": rows * scale, "observed": own * scale},
        df,
        observed=observed,
        analysed=there,
        readings=panel.y[there],
        n_treated=panel.people(there & treated),
        n_comparison=panel.people(there & ~treated),
        diagnostics={"attrition": _shares(models, read), "dropped": int((~there).sum())},
        flags=extreme_flags(models, read),
    )


def _everybody(
    frame: pd.DataFrame, name: str, names: tuple[str, ...], arguments: dict[str, Any]
) -> tuple[Panel, Plan, np.ndarray]:
    """Everybody's rows, with an outcome of 0 where there is none and a mark that says so."""
    outcome, treated = arguments["outcome"], arguments["treated"]
    check_columns(frame, [outcome, treated, *names])
    told = {
        key: arguments[key] for key in COMMON if arguments.get(key) is not None and key in Plan.__dataclass_fields__
    }
    entry = find_estimator(name)
    clustered = arguments.get("cluster") is not None
    plan = Plan(entry.name, **(told | {"se": "cr2" if clustered else "hc2"}))
    full = frame.assign(**{READ: frame[outcome].notna(), outcome: frame[outcome].fillna(0.0)})
    columns = Columns(
        outcome,
        treated,
        tuple(arguments.get("covariates", ())) if entry.adjusts else (),
        arguments.get("person"),
        arguments.get("cluster"),
        baseline=arguments.get("baseline"),
        extra=(READ, *names),
    )
    panel = prepare(full, columns, plan, entry)
    read = panel.frame[READ].to_numpy(float)
    if plan.values is None and set(panel.y[read == 1].tolist()) <= {0.0, 1.0}:
        plan = replace(plan, values="yes or no")
    return panel, plan, read


def _weights(models: list[Observing], read: np.ndarray) -> np.ndarray:
    """1 / (chance of being read) for those who were; 0 for the others."""
    weights = np.zeros(len(read))
    for model in models:
        weights[model.rows] = read[model.rows] / model.probability
    return weights


def _stacked(models: list[Observing], weights: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """Weighted moments by row, shape (n, k), less what the estimated weights take out of them."""
    rows = moments * weights[:, None]
    for model in models:
        slope = (rows[model.rows] * (1 - model.probability)[:, None]).T @ model.design
        rows[model.rows] = rows[model.rows] - model.influence @ slope.T
    return rows


def _shares(models: list[Observing], read: np.ndarray) -> dict[str, float]:
    """Share read by arm."""
    return {name: float(read[model.rows].mean()) for model, (name, _) in zip(models, ARMS, strict=True)}
