"""One estimate from one table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.options import faults, tidy, with_values
from evalkit.counterfactual.panel import Columns, Panel, Plan, prepare
from evalkit.counterfactual.registry import Entry, find_estimator
from evalkit.errors import EstimationError, Flag, did_you_mean, several

COMMON: dict[str, Any] = {
    "se": None,
    "estimand": None,
    "level": 0.95,
    "values": None,
    "better": "higher",
    "contract_baseline": None,
    "baseline": None,
    "treated_is": None,
    "draws": 9_999,
    "seed": 0,
}
UNUSED = Flag("counterfactual", "note", "This estimator adjusts for no covariates; those named are not used.")
VALUES = ("score", "amount", "yes or no")


def estimate(
    frame: pd.DataFrame,
    estimator: str,
    *,
    outcome: str,
    treated: str | None = None,
    covariates: Sequence[str] = (),
    person: str | None = None,
    cluster: str | None = None,
    strata: str | None = None,
    time: str | None = None,
    unit: str | None = None,
    first_treated: str | None = None,
    running: str | None = None,
    **options: Any,
) -> Estimate:
    """Estimate what the programme changed in one outcome.

    Parameters
    ----------
    frame : DataFrame, shape (n_people, ...)
        One row per person (for "did" one per person and time; for panels one per unit and time; for a series one per
        time; for "published" one per arm). Left as it is.
    estimator : str
        A name on the list that `known_estimators` gives: "difference", "ols", "matching", "ipw", "entropy balancing",
        "aipw", "multilevel", "did", "staggered did", "synthetic control", "synthetic did", "interrupted time series",
        "regression discontinuity", "historical baseline", "published", "assumed".
    outcome : str
        A column of numbers; rows without it are left out and counted.
    treated : str, optional
        Column that is 1 for the treated and 0 for the comparison; or two words, of which ``treated_is`` names the
        treated.
    covariates : sequence of str
        Columns to adjust for; words become dummies, gaps are filled with the mean and marked.
    person : str, optional
        Ids. Rows are sorted by them as text first, so that the order of rows never matters.
    cluster : str, optional
        Groups people come in; the interval allows for them.
    strata, time, unit, first_treated, running : str, optional
        Columns for the estimators that use them.
    **options
        For all: ``se``, ``estimand``, ``level``, ``values`` ("score", "amount" or "yes or no"), ``better``,
        ``contract_baseline``, ``baseline`` (column of the outcome before the programme), ``treated_is`` (the word of
        the treated), ``draws`` and ``seed`` (where something is drawn at random). And the estimator's own.

    Returns
    -------
    Estimate
        Effect, interval, deadweight, balance, diagnostics and flags.

    Raises
    ------
    EstimationError
        An option is unknown, a column is missing, or the data cannot support the estimate.
    """
    entry = find_estimator(estimator)
    options = tidy(options)
    _check_options(entry, options)
    frame, options = with_values(frame, entry, options)
    named = _listed(covariates)
    plan = _plan(entry, options, cluster is not None)
    columns = Columns(
        outcome=outcome,
        treated=treated,
        covariates=_used(entry, named, options),
        person=(person or unit) if entry.repeated else person,
        cluster=cluster,
        strata=strata,
        time=time,
        unit=unit,
        first_treated=first_treated,
        running=running,
        baseline=options.get("baseline"),
        extra=_extra_columns(frame, entry, options),
    )
    _check_names(columns)
    _check_needs(entry, columns)
    panel = prepare(frame, columns, plan, entry)
    found = entry.run(panel, _infer_values(panel, plan))
    said = [] if columns.covariates or not named else [UNUSED]
    if columns.baseline and entry.adjusts and columns.baseline != OWN and columns.baseline not in columns.covariates:
        said.append(NOT_ADJUSTED)
    return replace(found, flags=(*found.flags, *said)) if said else found


OWN = "(baseline)"  # the reading before that a study's plan brings along, adjusted for where the plan names it
NOT_ADJUSTED = Flag(
    "counterfactual",
    "note",
    "The reading before is used for the deadweight and is not adjusted for.",
    "Name it among the covariates as well, where the arms may not have started alike.",
)
WANTED = {
    "treated": "compares two arms: say which column is 1 for the treated (treated = ...)",
    "time": "needs a column of time (time = ...)",
    "cluster": "needs the column that says which school, service or area people belong to (cluster = ...)",
    "unit": "needs the column that names the unit: area, school, state (unit = ...)",
    "first_treated": "needs the time at which each unit was first treated, 0 or empty for never (first_treated = ...)",
    "running": "needs the number that decided who was treated (running = ...)",
}


def _check_names(columns: Columns) -> None:
    """Each part is one column, named by its name; the outcome is there."""
    parts = {name: getattr(columns, name) for name in (*WANTED, "outcome", "person", "strata", "baseline")}
    parts |= {"each of covariates": next((name for name in columns.covariates if _no_name(name) or name is None), "x")}
    problems = [
        f"{part} must be the name of one column, and is a {type(given).__name__}."
        for part, given in parts.items()
        if _no_name(given) or (given is None and part in ("outcome", "each of covariates"))
    ]
    if problems:
        raise EstimationError(several("the estimate", problems))


def _no_name(given: object) -> bool:
    """Lists and tables name nothing; a tuple may, where columns have several levels."""
    return pd.api.types.is_list_like(given) and not isinstance(given, tuple)


def _check_needs(entry: Entry, columns: Columns) -> None:
    """Every column without which the estimator has no meaning is named."""
    wanted = {*(("treated",) if entry.comparison else ()), *entry.needs}
    if entry.data == "panel" and columns.first_treated is not None:
        wanted.discard("treated")  # the time at which a unit was first treated says it all
    absent = [what for name, what in WANTED.items() if name in wanted and getattr(columns, name) is None]
    if absent:
        raise EstimationError(several("the estimate", [f'estimator "{entry.name}" {what}.' for what in absent]))


def _listed(covariates: Sequence[str] | None) -> tuple[str, ...]:
    """The covariates named, each once."""
    if covariates is None:
        return ()
    if isinstance(covariates, str) or not pd.api.types.is_list_like(covariates):
        return (covariates,)  # type: ignore[return-value]
    names = tuple(covariates)
    return names if any(_no_name(name) for name in names) else tuple(dict.fromkeys(names))


def _used(entry: Entry, names: tuple[str, ...], options: dict[str, Any]) -> tuple[str, ...]:
    """The covariates that the estimator has a use for."""
    return names if entry.adjusts or options.get("adjust") is True else ()


def _check_options(entry: Entry, options: dict[str, Any]) -> None:
    """Options are known, and their words too."""
    known = [*COMMON, *entry.options]
    problems = faults(entry, options, known)
    for name, allowed in (
        ("se", entry.se),
        ("estimand", entry.estimands),
        ("values", VALUES),
        ("better", ("higher", "lower")),
    ):
        given = options.get(name)
        if given is not None and given not in allowed:
            problems.append(f'{name} = "{given}" is not offered by "{entry.name}". {did_you_mean(given, allowed)}')
    level = options.get("level", 0.95)
    if not (isinstance(level, int | float) and 0.5 < level < 1):
        problems.append(f"level = {level} must be between 0.5 and 1, such as 0.95.")
    for name, least in (("draws", 1), ("seed", 0)):
        given = options.get(name)
        if given is not None and (isinstance(given, bool) or not isinstance(given, int) or given < least):
            problems.append(f"{name} = {given} must be a whole number, {least} or more.")
    if problems:
        raise EstimationError(several("the estimate", problems))


def _plan(entry: Entry, options: dict[str, Any], clustered: bool) -> Plan:
    """Options with the defaults filled in."""
    common = {name: COMMON[name] if options.get(name) is None else options[name] for name in COMMON}
    own = {name: options.get(name, default) for name, default in entry.options.items()}
    se = common["se"] or (entry.clustered_se if clustered else "hc2" if "hc2" in entry.se else entry.se[0])
    if se.startswith("cr") and not clustered and not entry.repeated:
        raise EstimationError(f'se = "{se}" is for clustered data: name the column of clusters (cluster = ...).')
    if clustered and se in ("classical", "hc0", "hc1", "hc2", "hc3") and len(entry.se) > 2:
        raise EstimationError(
            f'se = "{se}" leaves the clusters out of the interval. Use "cr2", "cr1s" or "cr3", or drop cluster.'
        )
    return Plan(
        estimator=entry.name,
        se=se,
        estimand=common["estimand"] or entry.estimands[0],
        level=float(common["level"]),
        values=common["values"],
        better=common["better"],
        contract_baseline=common["contract_baseline"],
        treated_is=common["treated_is"],
        options=own,
        draws=int(common["draws"]),
        seed=int(common["seed"]),
    )


def _extra_columns(frame: pd.DataFrame, entry: Entry, options: dict[str, Any]) -> tuple[str, ...]:
    """Columns named inside the estimator's own options (within, exact, n, offset = "log(people)")."""
    names = []
    for name in entry.options:
        given = options.get(name)
        words = [given] if isinstance(given, str) else given if isinstance(given, list | tuple) else []
        plain = [re.sub(r"^(?:np\.)?log\(\s*(.+?)\s*\)$", r"\1", word) for word in words if isinstance(word, str)]
        names += [word for word in plain if word in frame.columns]
    return tuple(names)


def _infer_values(panel: Panel, plan: Plan) -> Plan:
    """An outcome of zeros and ones is a yes/no; nothing else is guessed."""
    if plan.values is not None or not np.isin(panel.y, (0.0, 1.0)).all():
        return plan
    return replace(plan, values="yes or no")
