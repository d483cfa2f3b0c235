"""Checks of the parts about results: counterfactual, contract, value, simulation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from evalkit.study.checks_compared import FROM_AREAS, plain_name
from evalkit.study.model import Counterfactual, Study, ValuePlan
from evalkit.study.names import Names, quoted, reading

ESTIMATORS = (
    *("difference", "ols", "matching", "ipw", "entropy balancing", "aipw", "multilevel", "did", "staggered did"),
    *("synthetic control", "synthetic did", "interrupted time series", "regression discontinuity"),
    *("historical baseline", "published", "assumed"),
)
FROM_RATES = ("published", "assumed")
WITHOUT_ARMS = ("historical baseline", "regression discontinuity")
Problems = Iterator[str]


def _estimators(study: Study, _: Names) -> Problems:
    plan = study.counterfactual
    if plan is None:
        return
    named = {"[counterfactual] estimator": plan.estimator}
    named |= {f"[counterfactual] by_outcome.{outcome}": name for outcome, name in plan.by_outcome.items()}
    named |= {f"[[counterfactual.also]] {also.id}: estimator": also.estimator for also in plan.also}
    for place, name in named.items():
        if plain_name(name) not in ESTIMATORS:
            yield f"{place}: {quoted(name, 'estimator', ESTIMATORS)}"
    if plan.estimator in FROM_RATES and plan.rates is None:
        yield (
            f'[counterfactual] estimator = "{plan.estimator}" takes its figures from a file and rates is not given. '
            'Write rates = "rates.csv".'
        )
    if plan.rates is not None and plain_name(plan.estimator) in ESTIMATORS and not _takes_rates(plan):
        yield (
            f'[counterfactual] rates is given and estimator = "{plan.estimator}" does not use it. '
            'Drop rates, or write estimator = "published" or "assumed".'
        )


def _takes_rates(plan: Counterfactual) -> bool:
    """Whether the estimator can work on a file of rates."""
    return plain_name(plan.estimator) in (*FROM_RATES, "historical baseline")


def _from_persons(study: Study) -> Counterfactual | None:
    """The plan where it estimates from people, not from a file of rates or a table of areas."""
    plan = study.counterfactual
    if plan is None or (plan.rates is not None and _takes_rates(plan)):
        return None
    return None if plain_name(plan.estimator) in (*FROM_RATES, *FROM_AREAS) else plan


def _persons(study: Study, names: Names) -> Problems:
    if "cohort" not in names.parts and (names.measures or names.domains):
        yield "[[measure]] there are measures and no [cohort]. Write [cohort]: whom are they measured on?"
    plan, cohort = _from_persons(study), study.cohort
    if plan is None:
        return
    if not names.measures:
        yield f'[counterfactual] estimator = "{plan.estimator}" needs a [[measure]] and there is none.'
    if "cohort" not in names.parts and not names.measures:
        yield f'[counterfactual] estimator = "{plan.estimator}" needs people and there is no [cohort].'
    armless = plain_name(plan.estimator) in WITHOUT_ARMS
    if cohort is not None and cohort.arm is None and not cohort.group and not armless:
        yield f'[counterfactual] estimator = "{plan.estimator}" compares two arms and [cohort] lacks arm.'


def _outcomes(study: Study, names: Names) -> Problems:
    plan = _from_persons(study)
    if plan is None:
        return
    used: dict[str, Iterable[str]] = {
        "[counterfactual] outcomes": plan.outcomes or (),
        "[counterfactual] by_outcome": plan.by_outcome,
    }
    used |= {f"[[counterfactual.also]] {also.id}: outcomes": also.outcomes or () for also in plan.also}
    if plan.benchmark:
        used["[counterfactual.benchmark] outcome"] = (plan.benchmark.outcome,)
    if study.contract:
        used |= {f"[[contract.trigger]] {one.id}: outcome": (one.outcome,) for one in study.contract.trigger}
    covariates = [name for name in plan.covariates if "@" in name]
    covariates += [name for also in plan.also for name in also.covariates or () if "@" in name]
    used["[counterfactual] covariates"] = covariates
    for place, outcomes in used.items():
        for name in outcomes:
            if problem := reading(name, study, names):
                yield f"{place}: {problem}"


def _before(study: Study, names: Names) -> Problems:
    plan = study.counterfactual
    if plan is None:
        return
    used = {plan.estimator, *plan.by_outcome.values(), *(also.estimator for also in plan.also)}
    if ("did" in used or "baseline" in plan.model_fields_set) and plan.baseline not in names.occasions:
        yield f"[counterfactual] baseline: {quoted(plan.baseline, 'occasion', names.occasions)}"


def _money(study: Study, names: Names) -> Problems:
    contract, value = study.contract, study.value
    if contract and contract.achieved and not contract.rate_card:
        yield '[contract] has achieved and lacks rate_card: what is a unit paid? Write rate_card = "rate_card.csv".'
    if contract and contract.trigger and study.counterfactual is None and "counterfactual" not in names.parts:
        yield "[[contract.trigger]] a trigger is judged by an effect and there is no [counterfactual]."
    if value and study.study.price_year is None:
        yield "[study] lacks price_year: a value has no meaning without one. Write, for example, price_year = 2023."
    if value:
        yield from _cost(value)


def _cost(value: ValuePlan) -> Problems:
    """One cost, given once, within its range."""
    if value.cost is None and value.whole_life is None:
        yield (
            "[value] lacks cost. Write, for example, cost = 1_250_000 (what was spent, in the study's currency and "
            "price year), or name a table of costs by year: whole_life."
        )
    if value.cost is None:
        return
    if value.whole_life is not None:
        yield "[value] gives both cost and whole_life, which would count the cost twice. Drop one of them."
    if value.cost_low is not None and value.cost_low > value.cost:
        yield f"[value] cost_low = {value.cost_low:_} is above cost = {value.cost:_}. It is the lower end."
    if value.cost_high is not None and value.cost_high < value.cost:
        yield f"[value] cost_high = {value.cost_high:_} is below cost = {value.cost:_}. It is the upper end."


def _simulation(study: Study, _: Names) -> Problems:
    if study.simulation and study.study.kind != "synthetic":
        yield (
            f'[simulation] draws invented tables and [study] kind = "{study.study.kind}". '
            'Drop [simulation], or write kind = "synthetic".'
        )


CHECKS = (_persons, _estimators, _outcomes, _before, _money, _simulation)
