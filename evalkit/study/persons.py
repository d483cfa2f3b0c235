"""The parts of a study file about persons: tables, occasions, measures, domains (the cohort: `counted`)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from evalkit.study.base import Better, Id, Part

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


class Measure(Part):
    """[[measure]]: one thing measured, by exactly one of instrument, column, columns, days_in, rule, improved."""

    id: Id
    title: str = ""
    unit: str = Field("", description='"points", "days", "US dollars of 1978"; empty for yes/no.')
    table: str | None = None
    instrument: str | None = Field(None, description="A file on the shelf; the table has one row per person and date.")
    coding: Literal["as_ticked", "as_scored"] = "as_ticked"
    items: list[str] | None = Field(
        None, description="Item columns in the instrument's order; default: the shelf's names."
    )
    scale: str | None = Field(None, description="Which score of the instrument; default: its main one.")
    date: str = Field("date", description="The date column of the table of assessments.")
    column: str | None = Field(
        None, description="A number as it stands: a person table's column, or one of dated readings."
    )
    columns: dict[str, str] | None = Field(None, description="Occasion id = column of a table with one row per person.")
    days_in: DaysIn | None = None
    rule: str | None = Field(None, description="Yes or no by the cohort's rule language, around the index date.")
    improved: Improved | None = None
    occasion: str | None = Field(None, description="The occasion at which a one-time measure is read.")
    informant: str = ""
    kind: Literal["subjective", "objective"] | None = None
    proposed_by: str = ""
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
    index: Literal["icw", "klk"] = "icw"
    covariance: Literal["full", "reference"] = "full"
    reference: Literal["comparison at baseline", "comparison at each measure's own occasion"] = "comparison at baseline"
    baseline: str = Field("baseline", description="Occasion id whose comparison arm defines the unit.")
