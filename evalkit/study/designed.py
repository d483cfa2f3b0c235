"""The part of a study file about its design before outcomes exist: how many people, what effect, what noise."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from evalkit.study.base import Part


class DesignPlan(Part):
    """[design]: what `evalkit simulate STUDY --draws 500` takes for granted; sizes left out come from the cohort."""

    outcome: str | None = Field(None, description="The outcome planned for. Default: the first of the plan.")
    treated: int | None = Field(None, ge=2, description="People with the programme (units of a panel, times after).")
    comparison: int | None = Field(None, ge=1, description="People without it (units of a panel, times before).")
    clusters: Annotated[tuple[int, int], Field(strict=False)] | None = Field(
        None, description="Clusters of the treated and of the comparison.", examples=[[12, 12]]
    )
    assigned: Literal["clusters", "people"] = Field(
        "clusters", description="Whether whole clusters are in one arm, or both arms are in each cluster."
    )
    icc: float = Field(0.0, ge=0, lt=1, description="Share of the spread that lies between clusters.")
    effect: float | None = Field(
        None, description="The expected effect, in the outcome's unit (a share for yes or no); negative where it falls."
    )
    smallest_worthwhile: float | None = Field(
        None, description="The smallest effect worth paying for, with its sign. Default: the expected one."
    )
    values: Literal["score", "amount", "yes or no"] | None = Field(None, description="Default: the outcome's own.")
    better: Literal["higher", "lower"] | None = Field(None, description="Default: the outcome's own.")
    mean: float | None = Field(None, description="Mean without the programme; needed for a relative threshold.")
    sd: float | None = Field(None, gt=0, description="Standard deviation without the programme.")
    base_rate: float | None = Field(None, gt=0, lt=1, description="Share of yes without the programme.")
    r2: float = Field(0.3, ge=0, lt=1, description="Share of the spread that the covariates explain.")
    confounding: float | None = Field(
        None,
        description="How far apart the arms start on what the covariates explain, in SD. Default: 0 where chance "
        "assigns, 0.3 elsewhere.",
    )
    unmeasured: float = Field(0.0, description="Bias from causes nobody recorded, in SD; above 0: flatters.")
    attrition: tuple[float, float] = Field(
        (0.0, 0.0), strict=False, description="Share lost of the treated and of the comparison.", examples=[[0.1, 0.1]]
    )
    correlation: float = Field(0.5, ge=0, lt=1, description="Between a person's, or unit's, readings over time.")
    periods: int = Field(10, ge=3, description="Times of a panel.")
    before: int = Field(5, ge=2, description="Times of a panel before the programme.")
    threshold: float | None = Field(None, description="The effect from which the contract pays, towards better.")
    threshold_is: Literal["effect", "relative"] = Field(
        "effect", description="In the outcome's unit, or as a share of the level without the programme."
    )
    power: float = Field(0.8, gt=0.5, lt=1)
    source: str = Field("", description="Where these figures come from.")
