"""Checks of what stands beside the estimate: areas, subgroups, specifications, persistence, who took part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from evalkit.study.model import Study
from evalkit.study.names import Names, quoted, reading

FROM_AREAS = ("staggered did", "synthetic control", "synthetic did", "interrupted time series")
NEEDS_UNITS = FROM_AREAS[:3]
Problems = Iterator[str]


def plain_name(estimator: str) -> str:
    """An estimator's name as the list has it.

    Parameters
    ----------
    estimator : str
        As the study writes it.

    Returns
    -------
    str
        "synthetic did" for "Synthetic_DiD".
    """
    return " ".join(estimator.replace("_", " ").replace("-", " ").lower().split())


def _areas(study: Study, names: Names) -> Problems:
    plan = study.counterfactual
    if plan is None:
        return
    name = plain_name(plan.estimator)
    if name in FROM_AREAS and plan.areas is None:
        yield (
            f'[counterfactual] estimator = "{plan.estimator}" compares areas or times and [counterfactual.areas] is '
            "not there. Write its table, time, unit, treated and outcome."
        )
    if plan.areas is None:
        return
    if name not in FROM_AREAS:
        yield (
            f'[counterfactual.areas] is given and estimator = "{plan.estimator}" works on people. '
            f"Drop it, or write one of: {', '.join(FROM_AREAS)}."
        )
    if name in NEEDS_UNITS and plan.areas.unit is None:
        yield f'[counterfactual.areas] lacks unit, and estimator = "{plan.estimator}" compares areas. Name the column.'
    if name == "staggered did" and plan.areas.first_treated is None:
        yield "[counterfactual.areas] lacks first_treated: in which period did each area begin?"
    if name in FROM_AREAS and name != "staggered did" and plan.areas.treated is None:
        yield "[counterfactual.areas] lacks treated: the column that is 1 in the rows with the programme."
    for outcome, count in Counter(one.id for one in plan.areas.outcome).items():
        if count > 1:
            yield f'[[counterfactual.areas.outcome]] {outcome}: {count} entries have the id "{outcome}".'
    known = [one.id for one in plan.areas.outcome]
    for outcome in plan.outcomes or ():
        if outcome not in known:
            yield f"[counterfactual] outcomes: {quoted(outcome, 'outcome', known)}"


ABOUT_PEOPLE = ("taking_part", "attrition", "gained", "unmeasured", "specifications", "persistence", "benchmark")


def _about_people(study: Study, _: Names) -> Problems:
    """Parts about people, in a study that counts none: they would be passed over in silence."""
    plan = study.counterfactual
    if plan is None or (plan.areas is None and plan.rates is None):
        return
    used = "[counterfactual.areas]" if plan.areas is not None else "[counterfactual] rates"
    parts = [f"[counterfactual.{part}]" for part in ABOUT_PEOPLE if getattr(plan, part) is not None]
    parts += [f"[[counterfactual.{part}]]" for part in ("subgroup", "placebo") if getattr(plan, part)]
    for part in parts:
        yield f"{part} looks at people, and {used} has none. Take it out."


def _running(study: Study, _: Names) -> Problems:
    plan = study.counterfactual
    if plan is None:
        return
    cuts = plain_name(plan.estimator) == "regression discontinuity"
    if cuts and plan.running is None:
        yield '[counterfactual] lacks running: which column decided who was treated? Write running = "score".'
    if plan.running is not None and not cuts and not plan.also:
        yield (
            f'[counterfactual] running is given and estimator = "{plan.estimator}" does not use it. '
            'Drop it, or write estimator = "regression discontinuity".'
        )


def _outcomes_named(study: Study, names: Names) -> Problems:
    plan = study.counterfactual
    if plan is None or plan.areas is not None or plan.rates is not None:
        return
    named: dict[str, Sequence[str]] = {"[counterfactual] smallest_worthwhile": tuple(plan.smallest_worthwhile)}
    for part in ("taking_part", "attrition", "unmeasured", "gained"):
        one = getattr(plan, part)
        named[f"[counterfactual.{part}] outcomes"] = (one.outcomes or ()) if one else ()
    for group in plan.subgroup:
        named[f"[[counterfactual.subgroup]] {group.column}: outcomes"] = group.outcomes or ()
    if plan.specifications:
        chosen = [plan.specifications.outcome] if plan.specifications.outcome else []
        named["[counterfactual.specifications]"] = (*chosen, *plan.specifications.versions)
    if plan.persistence:
        outcome, occasions = plan.persistence.outcome, plan.persistence.occasions
        named["[counterfactual.persistence]"] = tuple(f"{outcome}@{occasion}" for occasion in occasions)
    for place, outcomes in named.items():
        for name in outcomes:
            if problem := reading(name, study, names):
                yield f"{place}: {problem}"


def _worthwhile(study: Study, _: Names) -> Problems:
    plan = study.counterfactual
    for name, value in plan.smallest_worthwhile.items() if plan else ():
        if not value > 0:
            yield f"[counterfactual] smallest_worthwhile.{name} = {value}: a size, so above 0 whichever way is good."


def _subgroups(study: Study, _: Names) -> Problems:
    plan = study.counterfactual
    for column, count in Counter(one.column for one in plan.subgroup).items() if plan else ():
        if count > 1:
            yield f'[[counterfactual.subgroup]] "{column}" stands {count} times. Put its cuts into one entry.'


def _specifications(study: Study, _: Names) -> Problems:
    from evalkit.study.checks_answers import ESTIMATORS

    plan = study.counterfactual.specifications if study.counterfactual else None
    for name in plan.estimators if plan else ():
        if plain_name(name) not in ESTIMATORS:
            yield f"[counterfactual.specifications] estimators: {quoted(name, 'estimator', ESTIMATORS)}"


def _drop_off(study: Study, _: Names) -> Problems:
    plan = study.counterfactual.persistence if study.counterfactual else None
    stated = plan.drop_off if plan else None
    if stated is None:
        return
    low, high = stated.low, stated.high
    if (low is not None and low > stated.value) or (high is not None and high < stated.value):
        yield "[counterfactual.persistence.drop_off]: low, value and high must stand in that order."


def _taking_part(study: Study, _: Names) -> Problems:
    plan = study.counterfactual.taking_part if study.counterfactual else None
    if plan is not None and plan.column is None and plan.completed is None:
        yield "[counterfactual.taking_part] names neither column nor completed, so it says nothing. Name one."


CHECKS = (
    _areas,
    _about_people,
    _running,
    _outcomes_named,
    _worthwhile,
    _subgroups,
    _specifications,
    _drop_off,
    _taking_part,
)
