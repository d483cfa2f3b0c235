"""Every defensible analysis of the first outcome, side by side."""

from __future__ import annotations

from evalkit.counterfactual.looks.base import Seen, View, about, look
from evalkit.counterfactual.many.curves import specification_curve
from evalkit.counterfactual.many.specifications import Specification, specifications
from evalkit.counterfactual.registry import find_estimator
from evalkit.errors import Flag

OWN = ("caliper", "baseline")  # each specification has its own, or none


@look("specifications")
def curve(view: View) -> tuple[Seen | None, list[Flag]]:
    """Estimators x covariate sets x calipers x versions, the planned analysis among them."""
    plan = view.plan.specifications
    if plan is None:
        return None, []
    outcome = plan.outcome or view.first
    asked = view.asked(outcome)
    planned = tuple(asked.arguments.get("covariates") or ())
    sets = {"planned": planned, **{name: _names(view, given) for name, given in plan.covariate_sets.items()}}
    versions = [asked.arguments["outcome"], *(view.outcomes.find(name) for name in plan.versions)]
    names = list(dict.fromkeys([find_estimator(asked.estimator).name, *plan.estimators]))
    own = asked.arguments.get("caliper")
    calipers: list[float | None] = list(dict.fromkeys([own, *plan.calipers])) if plan.calipers or own else []
    listed = specifications(names, sets, calipers, dict.fromkeys(versions, "same") if len(versions) > 1 else ())
    frame = asked.frame
    for column in {name for given in sets.values() for name in given} | set(versions):
        if column not in frame:
            frame = frame.assign(**{column: view.column(column).to_numpy()})
    common = {name: value for name, value in asked.arguments.items() if name not in (*OWN, "covariates")}
    main = _main(listed, asked.estimator, planned, asked.arguments)
    found = specification_curve(frame, listed, main=main, **common)
    return view.seen(outcome, found), about(found.flags, outcome)


def _names(view: View, given: list[str]) -> tuple[str, ...]:
    table = view.outcomes.cohort.table
    return tuple(name if name in table.columns else view.outcomes.find(name) for name in given)


def _main(
    listed: list[Specification], estimator: str, planned: tuple[str, ...], arguments: dict
) -> Specification | None:
    """The planned analysis on the list."""
    name = find_estimator(estimator).name
    adjusts = find_estimator(estimator).adjusts
    fits = [
        one
        for one in listed
        if not one.why and one.estimator == name
        and (not adjusts or tuple(one.covariates) == planned)
        and one.caliper == arguments.get("caliper")
        and one.outcome in (None, "", arguments["outcome"])
    ]  # fmt: skip
    return fits[0] if fits else None
