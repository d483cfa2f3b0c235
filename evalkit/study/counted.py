"""[cohort]: the part of a study file that says who is counted, from which day, in which group."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Literal

from pydantic import Field, field_validator

from evalkit.study.base import Date, Id, Part

Cell = dt.datetime | dt.date | bool | int | float | str
Answer = Literal["counted", "left out"]
Engine = Literal["duckdb", "postgres", "spark"]


class Index(Part):
    """cohort.index: the day from which each person is counted."""

    table: str | None = Field(None, description="The table whose rows start a person; none: one fixed day for all.")
    date: Date = Field(description="A date column of that table, or one fixed date.", examples=["referred_on"])
    pick: Literal["first", "last", "first eligible", "every"] = Field(
        "first", description="Which rows of a person count; every: person-episodes, at least gap_days apart."
    )
    gap_days: int = Field(
        0, ge=0, description='Only with pick = "every": days from one counted row to the next that counts.'
    )
    exit: str | None = Field(
        None,
        description='Only with pick = "every": the column of the day of exit, from which the gap is counted instead; '
        "empty: still in, so no later row counts.",
    )


class Arm(Part):
    """cohort.arm: which column says who was offered the programme, and by which word."""

    column: str = Field(examples=["arm"])
    treated: str | int | bool = Field(
        description="The word in that column for those offered the programme.", examples=["therapy"]
    )
    comparison: str | int | bool = Field(description="The word for those it is compared with.", examples=["usual care"])
    treated_name: str = Field("", description="What the report calls the treated arm; default: the value.")
    comparison_name: str = ""


class Group(Part):
    """[[cohort.group]]: a group of people by a rule of its own; all other rules are the same for every group."""

    id: Id
    says: str = Field(description="What the report calls the group.", examples=["referred before the start"])
    rule: str = Field(description="The rule language.", examples=["index_date < '2018-04-01'"])
    kind: Literal["offered", "usual services", "another area", "historical period", "referred, not started"] = Field(
        description="What makes it a group; the flags follow it.", examples=["historical period"]
    )
    role: Literal["treated", "comparison", "beside"] = Field(
        description="Which arm of the effect it is; beside: shown in the flow only.", examples=["comparison"]
    )


class Rule(Part):
    """[[cohort.include]] and [[cohort.exclude]]: one rule and the sentence the report prints for it."""

    says: str = Field(description="The sentence the report prints.", examples=["aged 11 to 17 at referral"])
    rule: str = Field(description="The rule language.", examples=["11 <= age(born, referred_on) <= 17"])


class AnalysisSet(Part):
    """[[cohort.set]]: those of everyone eligible who started, completed ...: never the headline."""

    id: Id
    says: str = Field(description="Who they are.", examples=["started: a first session within 90 days"])
    rule: str = Field(description="The rule language.", examples=["exists(sessions, days=(0, 90))"])


class Followed(Part):
    """cohort.followed: from when until when a person can be seen, for the function followed(...)."""

    since: list[Date] = Field(
        default_factory=list,
        description="Dates and date columns of a person; the latest of them is the first day seen.",
        examples=[["2015-01-01", "registered_on"]],
    )
    until: list[Date] = Field(
        default_factory=list,
        description="Dates and date columns of a person (death, move out); the earliest is the last day seen.",
        examples=[["2022-12-31", "died_on"]],
    )


class Drift(Part):
    """cohort.drift: what is watched from quarter to quarter."""

    by: list[str] = Field(default_factory=list, description="Columns whose mix is watched: area, sex.")
    who: str | None = Field(None, description="The column that says who referred.")
    starts: str | None = Field(None, description="The id of the set of those who started.")
    planned: str | dict[str, float] | None = Field(
        None,
        description='Planned starts by quarter: a csv file with quarter and planned, or { "2018-Q2" = 12 }.',
        examples=["planned_starts.csv"],
    )


class Assured(Part):
    """[[cohort.assure]]: a few invented people, and the answer each must get; `evalkit check` runs them."""

    says: str = Field(description="What is tried.", examples=["an open concern on the day itself keeps a child out"])
    tables: dict[str, list[dict[str, Cell]]] = Field(
        description="Invented rows by table; ids may be left out for one person.",
        examples=[{"referrals": [{"referred_on": "2019-03-01"}]}],
    )
    answer: Answer | dict[str, Answer] = Field(
        description="Counted or left out: of everybody, or by person.", examples=["left out"]
    )
    at: str | None = Field(None, description="Only with left out: the sentence of a rule that must keep them out.")
    columns: dict[str, Cell] = Field(
        default_factory=dict, description="Only with counted: what columns of the cohort must hold."
    )


class CohortPlan(Part):
    """[cohort]: who is counted."""

    person: str = Field(description="The column that identifies a person in every table.", examples=["person_id"])
    people: str | None = Field(
        None, description='The table with one row per person; default: index.table, the only table, or "people".'
    )
    index: Index = Field(examples=[{"table": "referrals", "date": "referred_on"}])
    arm: Arm | None = None
    group: list[Group] = Field(default_factory=list)
    strata: str | None = Field(
        None, description="Column of the blocks within which arms were formed (schools, authorities)."
    )
    cluster: str | None = Field(
        None, description="Column of the groups people come in (teams, schools): intervals allow for them."
    )
    rules: dict[str, str] = Field(
        default_factory=dict, description="Rules with a name, to be used by that name in other rules."
    )
    columns: dict[str, str] = Field(
        default_factory=dict, description='New columns by the rule language: age = "age(born, referred_on)".'
    )
    titles: dict[str, str] = Field(
        default_factory=dict, description='What the report calls a column: re74 = "Earnings in 1974".'
    )
    include: list[Rule] = Field(default_factory=list)
    exclude: list[Rule] = Field(default_factory=list)
    set: list[AnalysisSet] = Field(default_factory=list)
    followed: Followed | None = None
    drift: Drift | None = None
    baseline: list[str] = Field(
        default_factory=list,
        description="Columns compared between the arms at the start; default: new columns and covariates.",
    )
    time_zone: str | None = Field(
        None, description="On whose clock an instant with a time zone is read.", examples=["Europe/London"]
    )
    engine: Engine | None = Field(
        None, description="What runs the rules; default: postgres where a table lies there, else duckdb."
    )
    assure: list[Assured] = Field(default_factory=list)

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, given: str | None) -> str | None:
        """A name that the calendar of time zones has."""
        if given is not None and given not in zoneinfo.available_timezones():
            raise ValueError("must be the name of a time zone such as Europe/London")
        return given
