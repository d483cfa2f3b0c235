"""The parts of a study about worth: the impact map, claims, curves to be turned, and the framework of outcomes."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field

from evalkit.study.base import Better, Id, Part


class ValuePlan(Part):
    """[value]: what the outcomes were worth."""

    impact_map: str = Field(
        description="csv: outcome, title, stakeholder, agency, bottom_line (social|environmental|economic), "
        "kind_of_value, cashable, agreed, quantity, proxy (an amount, a unit value, or not valued), price_year, "
        "deadweight, displacement, attribution, drop_off, duration, starts_year, rate, *_low, *_high, source, "
        "*_source, partners.",
        examples=["impact_map.csv"],
    )
    cost: float | None = Field(
        None, gt=0, description="What was spent, in the study's currency and price year.", examples=[1_250_000]
    )
    cost_low: float | None = None
    cost_high: float | None = None
    cost_source: str = ""
    whole_life: str | None = Field(
        None,
        description="csv: year (0 is before year 1), what, amount, low, high, party, price_year, source: costs by "
        "year, instead of cost.",
    )
    unit_costs: str | None = Field(
        None, description="csv: code, parent, title, agency, amount, unit, price_year, ...: the study's own unit costs."
    )
    deflators: str | None = Field(
        None, description="csv: year, index, source: brings amounts of other price years to the study's."
    )
    mixed_price_years: Literal["refuse", "warn"] = Field(
        "refuse", description="Without deflators: refuse amounts of other price years, or add them with a serious flag."
    )
    splits: str | None = Field(
        None, description="csv: line, version, agency, share, standing (agreed|disputed), source: savings by agency."
    )
    discount_rate: float | str = Field("stpr 2022", description="A dated parameter file, or a number.")
    discount_first_year: bool = True
    draws: int = Field(10_000, ge=1000)


class Claim(Part):
    """[[claim]]: a sentence that somebody said of the programme, held to the numbers."""

    id: Id
    says: str = Field(examples=["more than double the reduction that was planned"])
    result: str = Field("", description="Which result of this study it speaks of: value.ratio, care_days.effect.")
    numbers: dict[str, float] = Field(
        default_factory=dict,
        description="The published figures it rests on: observed, comparison, target ...",
        examples=[{"observed": 10.8}],
    )
    said_by: str = ""
    source: str = ""


class Action(Part):
    """[[curve.action]]: what somebody will do to turn the curve."""

    what: str = Field(examples=["Offer family meetings within ten days"])
    who: str = ""
    by: dt.date | None = None


class Curve(Part):
    """[[curve]]: a series of an area, where it was heading, where it should go, and where it went."""

    id: Id
    outcome: str = Field(
        "", description="The condition that the indicator stands for.", examples=["Children safe at home"]
    )
    title: str = Field(examples=["Children looked after, per 10,000"])
    file: str = Field(description="csv: one row per area and year.", examples=["looked_after.csv"])
    area: str = Field(description="The area whose curve it is.", examples=["Northmoor"])
    column: str = Field(description="The column of the indicator.", examples=["rate"])
    area_column: str = "area"
    year_column: str = "year"
    where: dict[str, str] = Field(
        default_factory=dict,
        description="Column = the answer wanted, where the file holds several measures.",
        examples=[{"measure": "Percentage"}],
    )
    unit: str = Field(examples=["per 10,000 children"])
    better: Better = "lower"
    baseline_from: int | None = Field(None, description="First year of the past that is carried forward.")
    baseline_until: int = Field(description="Last year of the past that is carried forward.", examples=[2018])
    desired: dict[str, float] = Field(
        default_factory=dict, description="Year = the value aimed at.", examples=[{"2024": 60.0}]
    )
    neighbours: list[str] = Field(default_factory=list, description="Statistical neighbours: areas of the same file.")
    story: str = Field("", description="The story behind the curve, with its source.")
    partners: list[str] = Field(default_factory=list)
    works: list[str] = Field(default_factory=list, description="What works, with its source.")
    action: list[Action] = Field(default_factory=list)
    source: str = ""


class FrameworkPlan(Part):
    """[framework]: from activities to community outcomes, with indicators, weights and tags."""

    file: str = Field(
        description="csv: activity, output, service_outcome, community_outcome, indicator, kind, measure, target, "
        "weight, bottom_line, tags, source.",
        examples=["framework.csv"],
    )
    tag_sets: list[str] = Field(
        default_factory=list, description="Frameworks on the shelf whose coverage is shown: every_child_matters ..."
    )
    sets: dict[str, list[str]] = Field(
        default_factory=dict,
        description="Frameworks of the study's own: name = its headings.",
        examples=[{"Our priorities": ["Safe at home", "In school"]}],
    )
    source: str = ""
