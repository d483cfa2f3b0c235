"""The parts of a study file about persons: tables, occasions, measures, domains (the cohort: `counted`)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from evalkit.study.base import Better, Id, Part
from evalkit.study.looked_at import ForWhom
from evalkit.study.measured import (
    AttendanceIn,
    DaysIn,
    Improved,
    Ladder,
    Norm,
    OffendingIn,
    OverTime,
    PlacementsIn,
    ReliableChange,
)

# ---------------------------------------------------------------- tables


class TableFile(Part):
    """A table in a file about which more than its name must be said."""

    file: str = Field(examples=["people.xlsx"])
    sheet: str | None = None
    note: str = ""


class TableInDatabase(Part):
    """A table in a database; credentials come from the environment, never from this file."""

    database: str = Field(examples=["postgresql://host/base"])
    table: str = Field(examples=["schema.people"])


def _table_form(value: object) -> str:
    """Which of the three ways of naming a table was meant."""
    if isinstance(value, TableInDatabase) or (isinstance(value, dict) and "database" in value):
        return "database"
    return "file" if isinstance(value, dict | TableFile) else "name"


Table = Annotated[
    Annotated[str, Tag("name")] | Annotated[TableFile, Tag("file")] | Annotated[TableInDatabase, Tag("database")],
    Discriminator(_table_form),
]


# ---------------------------------------------------------------- outcomes


class Occasion(Part):
    """[[occasion]]: a time of measurement, in days after the index date."""

    id: Id
    title: str = Field("", description='What the report calls it: "12 months".')
    day: int = Field(description="Days after the index date.", examples=[365])
    window: tuple[int, int] = Field(
        default=(-60, 60),
        strict=False,
        examples=[[-30, 30]],
        description="Days around `day` in which a reading counts, ends included.",
    )


class Measure(Part):
    """[[measure]]: one thing measured, by exactly one source.

    The sources: instrument, ladder, column, columns, days_in, attendance, offending, placements, rule, over_time,
    improved.
    """

    id: Id
    title: str = ""
    unit: str = Field("", description='"points", "days", "US dollars of 1978"; empty for yes/no.')
    table: str | None = None
    instrument: str | None = Field(None, description="A file on the shelf; the table has one row per person and date.")
    coding: Literal["as_ticked", "as_scored"] = "as_ticked"
    items: list[str] | None = Field(
        None, description="Item columns in the instrument's order; default: the shelf's names."
    )
    answers: dict[str, float | Literal[""]] = Field(
        default_factory=dict,
        description='What a word, or a code for missing, stands for: { "not true" = 0, "99" = "" }.',
    )
    scale: str | None = Field(None, description="Which score of the instrument; default: its main one.")
    date: str = Field("date", description="The date column of the table of assessments.")
    column: str | None = Field(
        None, description="A number as it stands: a person table's column, or one of dated readings."
    )
    columns: dict[str, str] | None = Field(None, description="Occasion id = column of a table with one row per person.")
    days_in: DaysIn | None = None
    rule: str | None = Field(None, description="Yes or no by the cohort's rule language, around the index date.")
    attendance: AttendanceIn | None = None
    offending: OffendingIn | None = None
    placements: PlacementsIn | None = None
    ladder: Ladder | None = None
    over_time: OverTime | None = None
    improved: Improved | None = None
    occasion: str | None = Field(None, description="The occasion at which a one-time measure is read.")
    informant: str = Field("", description="Who reports it.")
    kind: Literal["subjective", "objective"] | None = None
    proposed_by: str = Field(
        "", description="Who asked for it: service users, provider, commissioner, investor.", examples=["service users"]
    )
    about: ForWhom | None = Field(None, description="Whose life it is about.")
    paid: bool | None = Field(None, description="Whether it is paid for. Default: whether the rate card names it.")
    cost: float | None = Field(None, ge=0, description="Money for one reading, in the study's currency.")
    minutes: float | None = Field(None, ge=0, description="Minutes that one reading takes from those who answer.")
    cost_source: str = ""
    reliable_change: ReliableChange | None = Field(
        None, description="Default: the instrument's own, where a confirmed one is on the shelf."
    )
    added_value: bool = Field(
        False,
        description="Beside the means, the added value score of the parent SDQ, from baseline to 4 to 8 months later; "
        "its coefficients are unconfirmed, so it is shown only where it is asked for.",
    )
    better: Better | None = Field(None, description="Default: the instrument's; else higher.")
    values: Literal["score", "amount", "yes or no"] | None = Field(
        None, description="Amounts have a natural zero. Default: score for instruments and columns, else what it is."
    )
    contract_baseline: float | None = Field(
        None, description="The level per person the contract counts reductions from."
    )


class Domain(Part):
    """[[domain]]: several measures of one thing, combined into one index."""

    id: Id
    title: str = ""
    measures: list[str] = Field(
        min_length=2, description='Measure ids, or "measure@occasion".', examples=[["sdq_parent", "swemwbs"]]
    )
    index: Literal["icw", "klk", "obrien", "factor"] = "icw"
    missing: Literal["available", "arm_mean"] = Field(
        "available", description="A measure that a person lacks: left out of their mean, or filled with their arm's."
    )
    norms: dict[str, Norm] = Field(
        default_factory=dict,
        description="Measure = published mean and SD that define its unit, in the reference's place.",
    )
    covariance: Literal["full", "reference"] = "full"
    reference: Literal["comparison at baseline", "comparison at each measure's own occasion"] = "comparison at baseline"
    baseline: str = Field("baseline", description="Occasion id whose comparison arm defines the unit.")
