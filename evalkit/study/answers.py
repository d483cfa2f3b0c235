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
