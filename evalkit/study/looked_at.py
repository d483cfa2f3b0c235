"""The parts of a study file about how outcomes are looked at, beside the effect: growth, services, dose, views."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from evalkit.study.base import Id, Part

ForWhom = Literal["participant", "child", "sibling", "carer", "community"]


class GrowthPlan(Part):
    """[growth]: a line through each person's readings, and how much steeper it is with the programme."""

    outcomes: list[str] = Field(
        min_length=1, description="Measures or domains read on three occasions or more.", examples=[["sdq_parent"]]
    )
    random: Literal["slope", "intercept"] = Field(
        "slope", description="Whether people differ in how fast they change, or only in where they stand."
    )
    covariates: list[str] = Field(default_factory=list, description="Columns of the cohort.")
    services: bool = Field(True, description="Whether the cohort's clusters are a level of their own.")


class ServicesPlan(Part):
    """[services]: services side by side, pulled towards the mean as far as they are small."""

    column: str = Field(description="The column of the cohort that names the service.", examples=["team"])
    outcomes: list[str] = Field(min_length=1, examples=[["wellbeing@m12"]])
    covariates: list[str] = Field(default_factory=list, description="What services' people differ in at the start.")
    people: Literal["treated", "all"] = Field("treated", description="Whose outcomes count.")


class EngagementPlan(Part):
    """[engagement]: sessions offered and attended."""

    table: str = Field(description="One row for each session offered.", examples=["sessions"])
    date: str = "date"
    attended: str | None = Field(
        None, description="Column that is 1 where the session was attended; default: all were."
    )
    until_days: int = Field(gt=0, description="Days after the index date that are counted.", examples=[365])
    complete_at: int | None = Field(None, gt=0, description="So many sessions attended count as completed.")


class Comparability(Part):
    """[comparability]: whether an instrument measures the same thing in every arm, service and occasion."""

    measures: list[str] = Field(min_length=1, description="Measures with an instrument.", examples=[["swemwbs"]])
    across: list[Literal["arm", "service", "occasion"]] = Field(default=["arm", "occasion"], min_length=1)


class MissingPlan(Part):
    """[missing]: how far people without a reading would have to differ for the finding to go."""

    outcomes: list[str] = Field(min_length=1, examples=[["wellbeing@m12"]])
    deltas: list[float] = Field(
        default=[-0.5, -0.25, 0.0, 0.25, 0.5], description="In SD, added to the treated's filled values."
    )
    sets: int = Field(20, ge=2, le=200, description="Completed sets that are drawn.")


class Valued(Part):
    """[[valued]]: something that somebody values and nobody measures."""

    id: Id
    says: str = Field(examples=["being listened to"])
    proposed_by: str = Field("", examples=["service users"])
    about: ForWhom | None = Field(None, description="Whose life it is about.")
    source: str = ""


class Constituency(Part):
    """[[constituency]]: people with a view of which outcomes matter, and how much their view counts."""

    id: Id
    title: str = ""
    weight: float = Field(ge=0, description="How much this view counts beside the others.", examples=[1.0])
    views: dict[str, float] = Field(
        description="Outcome = how much it matters to them.", examples=[{"sdq_parent": 2.0, "swemwbs": 1.0}]
    )
    source: str = Field("", description="How they were asked.")
