"""The parts of [counterfactual] about what stands beside the estimate: for whom, how sure, how long, who took part."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from evalkit.study.base import Better, Id, Part


class AreaOutcome(Part):
    """[[counterfactual.areas.outcome]]: one number that is known for each area and period."""

    id: Id
    column: str = Field(description="The column that holds it.", examples=["entries_to_care"])
    title: str = ""
    unit: str = ""
    values: Literal["score", "amount", "yes or no"] = Field("amount", description="Decides how deadweight is defined.")
    better: Better = "lower"
    contract_baseline: float | None = Field(None, description="The level from which the contract counts.")


class AreasPlan(Part):
    """[counterfactual.areas]: places or a series in the place of people: one row for each area and period."""

    table: str = Field(examples=["areas"])
    time: str = Field(description="Column of the period: a number, such as a year.", examples=["year"])
    unit: str | None = Field(None, description="Column that names the area; none: one series.", examples=["area"])
    treated: str | None = Field(None, description="Column that is 1 in the rows with the programme.")
    first_treated: str | None = Field(None, description="Column of the period in which each area began; 0: never.")
    covariates: list[str] = Field(default_factory=list)
    outcome: list[AreaOutcome] = Field(min_length=1)


class TakingPart(Part):
    """[counterfactual.taking_part]: who of those offered the programme took part, and who completed it."""

    column: str | None = Field(None, description="Column of the cohort that is 1 for those who took part.")
    completed: str | None = Field(None, description="Column of the cohort that is 1 for those who completed.")
    outcomes: list[str] | None = Field(None, description="Default: the first planned outcome.")


class Attrition(Part):
    """[counterfactual.attrition]: how far people without an outcome could change the finding."""

    outcomes: list[str] | None = Field(None, description="Default: the first planned outcome.")
    covariates: list[str] | None = Field(None, description="What predicts being traced; default: those of the plan.")
    lowest: float | None = Field(None, description="The lowest value possible, for bounds without assumptions.")
    highest: float | None = Field(None, description="The highest value possible.")


class Subgroup(Part):
    """[[counterfactual.subgroup]]: the effect for parts of the cohort."""

    column: str = Field(description="A column of the cohort.", examples=["sex"])
    says: str = Field("", description="What the report calls it.", examples=["Sex"])
    cuts: list[float] = Field(default_factory=list, description="Where a column of numbers is cut.", examples=[[14]])
    planned: bool = Field(True, description="false: looked at after the outcomes were seen.")
    outcomes: list[str] | None = Field(None, description="Default: the first planned outcome.")


class Gained(Part):
    """[counterfactual.gained]: who gained and who lost: the whole distribution, not its mean alone."""

    outcomes: list[str] = Field(min_length=1, examples=[["care_days"]])
    threshold: float | None = Field(None, gt=0, description="A change from baseline that counts, in the unit.")


class Placebo(Part):
    """[[counterfactual.placebo]]: an outcome that the programme cannot have changed."""

    outcome: str = Field(
        description='A column of the cohort, a measure or "measure@occasion".', examples=["prior_care_days"]
    )
    says: str = Field("", description="Why it cannot have been changed.", examples=["before referral"])


class Unmeasured(Part):
    """[counterfactual.unmeasured]: how strong a cause that nobody measured would have to be."""

    benchmarks: list[str] = Field(
        default_factory=list, description="Covariates it is compared with: so many times as strong."
    )
    times: list[float] = Field(default=[1.0, 2.0, 3.0], description="How many times as strong as the benchmark.")
    gammas: list[float] = Field(
        default=[1.0, 1.25, 1.5, 2.0, 3.0], description="Rosenbaum's odds of being treated, for matched pairs."
    )
    outcomes: list[str] | None = Field(None, description="Default: the first planned outcome.")


class Specifications(Part):
    """[counterfactual.specifications]: every defensible analysis of the first outcome, side by side."""

    outcome: str | None = Field(None, description="Default: the first planned outcome.")
    versions: list[str] = Field(default_factory=list, description="Other versions of that outcome in the same unit.")
    estimators: list[str] = Field(min_length=1, examples=[["ols", "matching", "aipw"]])
    covariate_sets: dict[str, list[str]] = Field(
        default_factory=dict, description="Name = covariates; the planned ones are always among them."
    )
    calipers: list[float] = Field(default_factory=list, description="For matching, in SD.", examples=[[0.1, 0.2]])


class DropOff(Part):
    """[counterfactual.persistence.drop_off]: how much of an effect is lost each year, stated, with its source."""

    value: float = Field(ge=0, le=1, examples=[0.2])
    low: float | None = Field(None, ge=0, le=1)
    high: float | None = Field(None, ge=0, le=1)
    source: str = Field(min_length=1, examples=["Author (year), table 2"])


class Persistence(Part):
    """[counterfactual.persistence]: the effect at one occasion after another, and how it fades."""

    outcome: str = Field(description="A measure or domain read on several occasions.", examples=["wellbeing"])
    occasions: list[str] = Field(min_length=2, description="In their order, after the index date.")
    ends_day: float | None = Field(None, description="Days from the index date at which the programme ended.")
    drop_off: DropOff | None = Field(None, description="Used where the data cannot say.")


class Replication(Part):
    """[counterfactual.replication]: whether others have found the same; with its source."""

    independent: bool = Field(False, description="An independent team found the same.")
    elsewhere: bool = Field(False, description="It was delivered elsewhere at scale and found to work there.")
    lasted_a_year: bool = Field(False, description="An effect was still found a year later or more.")
    source: str = Field(min_length=1, examples=["Author (year)"])
