"""The parts of a study file about one measure: records that are counted, and what is known about an instrument."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from evalkit.study.base import Part


class DaysIn(Part):
    """measure.days_in: days spent in a state within a window after the index date."""

    table: str = Field(examples=["episodes"])
    state: str = Field(examples=["care"])
    window_days: int = Field(gt=0, description="Days after the index date that are counted.", examples=[365])
    state_column: str = "state"
    start: str = "start"
    end: str = Field("end", description="Empty end dates mean still in the state.")


class Improved(Part):
    """measure.improved: yes where another measure got better by at least so much."""

    measure: str = Field(examples=["sdq_parent"])
    start: str = Field(description="Occasion id of the starting point.", examples=["baseline"])
    by: float = Field(gt=0, description="At least this many points, towards better.", examples=[5])


class AttendanceIn(Part):
    """measure.attendance: half-days of school attended, within a window after the index date."""

    table: str = Field(examples=["attendance"])
    missed: str = Field("missed", description="Column of half-days missed.")
    possible: str = Field("possible", description="Column of half-days possible; 0 means not known.")
    date: str = Field("date", description="Column of the day (or the first day of the term) that a row counts from.")
    window_days: int = Field(gt=0, description="Days after the index date that are counted.", examples=[365])
    says: Literal["share attended", "persistent absence"] = "share attended"
    year: str | None = Field(
        None, description='The school year whose definition of persistent absence holds: "2018/19".'
    )


class Custody(Part):
    """measure.offending.custody: when a person was not free to offend."""

    table: str = Field(examples=["episodes"])
    state: str = Field(examples=["custody"])
    state_column: str = "state"
    start: str = "start"
    end: str = "end"


class OffendingIn(Part):
    """measure.offending: proven offences within a window after the index date."""

    table: str = Field(examples=["offences"])
    date: str = "date"
    window_days: int = Field(gt=0, description="Days after the index date that are counted.", examples=[365])
    says: Literal["any", "count", "severity per year at risk"] = "any"
    severity: str | None = Field(None, description="Column of each offence's severity; default: 1 each.")
    custody: Custody | None = Field(None, description="Days in custody are not at risk and are taken out.")


class PlacementsIn(Part):
    """measure.placements: how many placements a child had, or moves between them, within a window."""

    table: str = Field(examples=["placements"])
    start: str = "start"
    end: str = "end"
    state_column: str | None = None
    state: str | None = Field(None, description="Only episodes in this state count; default: all.")
    window_days: int = Field(gt=0, description="Days after the index date that are counted.", examples=[365])
    says: Literal["moves", "number"] = "moves"


class Ladder(Part):
    """measure.ladder: areas of life rated on a ladder, named by you; nothing of a licensed Star is shipped."""

    table: str = Field(examples=["readings"])
    areas: list[str] = Field(min_length=1, description="Columns, one for each area.", examples=[["home", "friends"]])
    titles: dict[str, str] = Field(default_factory=dict, description="Column = what the report calls the area.")
    top: int = Field(10, gt=1, description="The highest step, the same for every area.")
    stage_width: int = Field(2, gt=0, description="Steps of the ladder in one stage of the journey.")
    date: str = "date"


class ReliableChange(Part):
    """measure.reliable_change: from which change on a person's own change is more than error of measurement."""

    sd: float = Field(gt=0, description="Standard deviation in the population that `source` names.", examples=[7.7])
    reliability: float = Field(gt=0, lt=1, description="Alpha or retest correlation.", examples=[0.9])
    kind: Literal["alpha", "retest"] = Field("alpha", description="What the reliability is.")
    z: float = Field(1.96, gt=0, description="1.96 for 95%; 1.645 for 90%.")
    cutoff: float | None = Field(None, description="The score that parts the clinical range from the rest.")
    source: str = Field(description="Where sd and reliability come from.", examples=["Author (year), table 2"])


class Norm(Part):
    """A mean and standard deviation from a published sample."""

    mean: float = Field(examples=[8.4])
    sd: float = Field(gt=0, examples=[5.8])
    source: str = Field(examples=["Author (year), table 2"])


class OverTime(Part):
    """measure.over_time: one number from a person's readings of another measure, or of a domain, over its occasions."""

    of: str = Field(description="A measure or a domain that is read on occasions.", examples=["sdq_parent"])
    kind: Literal["endpoint", "mean of post", "area under the curve", "slope", "peak and hold"] = "mean of post"
    start: str = Field("baseline", description="The occasion before which nothing counts.")
