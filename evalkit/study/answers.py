"""The parts of a study file about results: counterfactual, series, contract, value, disclosure, simulation."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import Field

from evalkit.study.base import Id, Part
from evalkit.study.compared import (
    AreasPlan,
    Attrition,
    Gained,
    Persistence,
    Placebo,
    Replication,
    Specifications,
    Subgroup,
    TakingPart,
    Unmeasured,
)

# ---------------------------------------------------------------- the counterfactual

EstimatorName = str


class Also(Part):
    """[[counterfactual.also]]: a second analysis printed beside the planned one."""

    id: Id
    says: str = Field(
        description='What differs, in words: "within schools", "propensity score matching".', examples=["no adjustment"]
    )
    estimator: EstimatorName = Field(examples=["difference"])
    outcomes: list[str] | None = None
    covariates: list[str] | None = None
    within: str | None = Field(None, description="A column whose differences are taken out (fixed effects).")
    index: Literal["icw", "klk"] | None = Field(None, description="Domains only: combined by another method.")
    options: dict[str, Any] = Field(default_factory=dict)


class Benchmark(Part):
    """[counterfactual.benchmark]: an experiment against which the estimate can be checked."""

    table: str = Field(examples=["experiment"])
    outcome: str = Field(description="The outcome of this study that it checks.", examples=["earnings"])
    column: str = Field(description="The column of the outcome in that table.", examples=["earnings"])
    treated: str = Field(description="The column that is 1 for those assigned to the programme.", examples=["assigned"])
    person: str = Field(
        description="Ids; those shared with the cohort are counted once in the interval.", examples=["person_id"]
    )
    title: str = "Experimental benchmark"
    source: str = ""


class Counterfactual(Part):
    """[counterfactual]: how what would have happened anyway is estimated."""

    estimator: EstimatorName = Field(examples=["aipw"])
    outcomes: list[str] | None = Field(
        None,
        description='Domain ids, measure ids or "measure@occasion". Default: all domains, then the rest.',
    )
    by_outcome: dict[str, EstimatorName] = Field(default_factory=dict, description="Another estimator for one outcome.")
    covariates: list[str] = Field(default_factory=list, description='Columns, or "measure@occasion".')
    within: str | None = Field(None, description="A column whose differences are taken out (fixed effects).")
    baseline: str = Field(
        "baseline", description='Occasion id before the programme, for "did" and for the balance table.'
    )
    options: dict[str, Any] = Field(
        default_factory=dict, description="The estimator's own: caliper, ratio, distance ..."
    )
    se: str | None = None
    level: float = Field(0.95, gt=0.5, lt=1)
    design: str | None = Field(
        None, description='The design on the Maryland scale\'s list, e.g. "cluster RCT"; see evalkit.evidence.'
    )
    assignment: str = Field("", description="How people came to be in an arm, in one sentence.")
    also: list[Also] = Field(default_factory=list)
    benchmark: Benchmark | None = None
    rates: str | None = Field(
        None,
        description='For "published", "historical baseline" and "assumed": a csv file, see docs/reference/tables.',
    )
    running: str | None = Field(
        None, description='For "regression discontinuity": the column that decided who was treated.'
    )
    areas: AreasPlan | None = Field(None, description="For estimators of areas and series.")
    smallest_worthwhile: dict[str, float] = Field(
        default_factory=dict,
        description="Outcome = the smallest difference worth having, in its unit; a share counts as 0.04 for 4 points.",
        examples=[{"care_days": 20.0}],
    )
    taking_part: TakingPart | None = None
    attrition: Attrition | None = None
    subgroup: list[Subgroup] = Field(default_factory=list)
    gained: Gained | None = None
    placebo: list[Placebo] = Field(default_factory=list)
    unmeasured: Unmeasured | None = None
    specifications: Specifications | None = None
    persistence: Persistence | None = None
    replication: Replication | None = None


class Series(Part):
    """[[series]]: a published series shown as arithmetic; it never feeds a headline or a payment."""

    id: Id
    title: str = Field(examples=["Reconvictions, interim figures"])
    file: str = Field(
        description="csv: period, start, end, phase (pre|post), treated, comparison, source.", examples=["interim.csv"]
    )
    unit: str = Field(examples=["events per 100"])
    note: str = ""
    treated_name: str = "programme"
    comparison_name: str = "comparison"
    source: str = ""


# ---------------------------------------------------------------- contract and value


class Trigger(Part):
    """[[contract.trigger]]: a payment that falls due when an effect reaches a threshold."""

    id: Id
    says: str = Field(examples=["10 % fewer reconvictions"])
    outcome: str = Field(description="An estimated outcome.", examples=["reconvictions"])
    at_least: float = Field(description="Relative reduction (or gain) that triggers it, as a share.", examples=[0.1])
    scope: str = Field("", description='Whom it counts: "cohort 1", "all cohorts".')
    judged: bool = Field(True, description="false: this study's figures cannot judge it; the note says why.")
    note: str = ""
    source: str = ""


class ContractPlan(Part):
    """[contract]: what was to be paid for what."""

    rate_card: str | None = Field(
        None,
        description="csv: metric, title, outcome, price, mechanism (unit|milestone|step|slide|day), threshold, "
        "baseline, cap_person, cap_metric.",
    )
    achieved: str | None = Field(None, description="csv: metric, units, date, person (optional).")
    payments: str | None = Field(
        None, description="csv: metric, kind (planned|actual), plan, start, end, amount, payer."
    )
    cash_flows: str | None = Field(None, description="csv: date, amount (negative: paid in).")
    variations: str | None = Field(None, description="csv: date, what, reason, source.")
    cap: float | None = Field(None, gt=0, description="Most that can be paid under the contract.")
    maximum_recorded: float | None = Field(None, gt=0, description="A maximum on record that is not known to be a cap.")
    deadweight_in_price: bool = Field(
        False, description="true: prices already allow for deadweight and are not reduced again."
    )
    published: bool = Field(
        False, description="Units achieved are published figures, not counts from person-level data."
    )
    source: str = ""
    trigger: list[Trigger] = Field(default_factory=list)


class ValuePlan(Part):
    """[value]: what the outcomes were worth."""

    impact_map: str = Field(
        description="csv: outcome, title, stakeholder, agency, quantity, proxy, price_year, "
        "deadweight, displacement, attribution, drop_off, duration, *_low, *_high, source.",
        examples=["impact_map.csv"],
    )
    cost: float = Field(
        gt=0, description="What was spent, in the study's currency and price year.", examples=[1_250_000]
    )
    cost_low: float | None = None
    cost_high: float | None = None
    cost_source: str = ""
    discount_rate: float | str = Field("stpr 2022", description="A dated parameter file, or a number.")
    discount_first_year: bool = True
    draws: int = Field(10_000, ge=1000)


class DisclosurePlan(Part):
    """[disclosure]: the rule under which tables leave, and who released them."""

    rule: Literal["uk-children-10", "opensafely", "dfe-national"] = "uk-children-10"
    reviewer: str = ""
    reviewed_on: dt.date | None = None


class Simulation(Part):
    """[simulation]: the world from which a synthetic study's tables were drawn, so that they can be drawn again."""

    world: str = "edge of care"
    seed: int = 1
    people: int = Field(900, ge=50)
    truth: str = Field("truth.csv", description="csv: outcome, effect, unit, note; what the world's own record says.")
    options: dict[str, Any] = Field(default_factory=dict)
