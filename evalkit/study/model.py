"""The study file, part by part: what may stand in study.toml and what it means.

Unknown keys are forbidden, so that a misspelt key is an error and not a silent default. The cross-checks between
parts (does this measure exist, is that file there) are in `checks`; this module only says what each part is.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]*$", description="A short stable word.")]
Share = Annotated[float, Field(ge=0, le=1)]
Better = Literal["higher", "lower"]
Date = dt.date | str


class Part(BaseModel):
    """Any part of a study: frozen, and unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


# ---------------------------------------------------------------- the SIB


class About(Part):
    """[study]: which SIB this is, and what kind of data the numbers are."""

    id: Id
    title: str
    kind: Literal["real", "published figures", "synthetic"] = Field(description="Printed on every page.")
    is_sib: bool = Field(True, description="false: a study that shows a method; the report says so.")
    over: str = Field("", description='The line above the title: "Evaluation report, social impact bond".')
    stand: str = Field("", description="One sentence under the title: for whom, what, against what.")
    summary: str = Field("", description="What the programme is, in two or three plain sentences.")
    kind_note: str = Field("", description="One sentence beside the kind of data: whose they are, or that all is invented.")
    people: str = Field("people", description='What the report calls those followed: "young people", "pupils".')
    indigo: str | None = Field(None, pattern=r"^INDIGO-POJ-\d{4}$")
    country: str = ""
    price_year: int | None = Field(None, ge=1950, le=2100)
    currency: str = Field("GBP", pattern=r"^[A-Z]{3}$")
    sources: list[str] = Field(default_factory=list, description="Where the data and figures come from.")
    facts: dict[str, str] = Field(default_factory=dict, description="Short facts under the title: label = text.")
    cannot_say: list[str] = Field(default_factory=list, description="What this report cannot say, in plain sentences.")
    seed: int = 20260101


class Party(Part):
    """[[party]]: one organisation of the contract and what it does."""

    role: Literal["commissioner", "investor", "provider", "intermediary", "evaluator", "other"]
    name: str
    note: str = ""
    source: str = ""


class Term(Part):
    """[[term]]: one line of what was agreed."""

    term: str
    agreed: str
    varied: str = ""
    source: str = ""


# ---------------------------------------------------------------- tables


class TableFile(Part):
    """A table in a file about which more than its name must be said."""

    file: str
    sheet: str | None = None
    note: str = ""


class TableInDatabase(Part):
    """A table in a database; credentials come from the environment, never from this file."""

    database: str
    table: str


Table = str | TableFile | TableInDatabase


# ---------------------------------------------------------------- the cohort


class Index(Part):
    """cohort.index: the day from which each person is counted."""

    table: str | None = Field(None, description="The table whose rows start a person; none: one fixed day for all.")
    date: Date = Field(description="A date column of that table, or one fixed date.")
    pick: Literal["first", "last", "first eligible"] = "first"


class Arm(Part):
    """cohort.arm: which column says who was offered the programme, and by which word."""

    column: str
    treated: str | int | bool
    comparison: str | int | bool
    treated_name: str = Field("", description="What the report calls the treated arm; default: the value.")
    comparison_name: str = ""


class Rule(Part):
    """[[cohort.include]] and [[cohort.exclude]]: one rule and the sentence the report prints for it."""

    says: str
    rule: str


class CohortPlan(Part):
    """[cohort]: who is counted."""

    person: str = Field(description="The column that identifies a person in every table.")
    people: str | None = Field(None, description='The table with one row per person; default: index.table, the only table, or "people".')
    index: Index
    arm: Arm | None = None
    strata: str | None = Field(None, description="Column of the blocks within which arms were formed (schools, authorities).")
    cluster: str | None = Field(None, description="Column of the groups people come in (teams, schools): intervals allow for them.")
    columns: dict[str, str] = Field(default_factory=dict, description='New columns by the rule language: age = "age(born, referred_on)".')
    include: list[Rule] = Field(default_factory=list)
    exclude: list[Rule] = Field(default_factory=list)


# ---------------------------------------------------------------- outcomes


class Occasion(Part):
    """[[occasion]]: a time of measurement, in days after the index date."""

    id: Id
    title: str = Field("", description='What the report calls it: "12 months".')
    day: int
    window: tuple[int, int] = Field(default=(-60, 60), description="Days around `day` in which a reading counts, ends included.")


class DaysIn(Part):
    """measure.days_in: days spent in a state within a window after the index date."""

    table: str
    state: str
    window_days: int = Field(gt=0)
    state_column: str = "state"
    start: str = "start"
    end: str = Field("end", description="Empty end dates mean still in the state.")


class Improved(Part):
    """measure.improved: yes where another measure got better by at least so much."""

    measure: str
    start: str = Field(description="Occasion id of the starting point.")
    by: float = Field(gt=0, description="At least this many points, towards better.")


class Measure(Part):
    """[[measure]]: one thing measured, by exactly one of instrument, column, columns, days_in, rule, improved."""

    id: Id
    title: str = ""
    unit: str = Field("", description='"points", "days", "US dollars of 1978"; empty for yes/no.')
    table: str | None = None
    instrument: str | None = Field(None, description="A file on the shelf; the table has one row per person and date.")
    coding: Literal["as_ticked", "as_scored"] = "as_ticked"
    items: list[str] | None = Field(None, description="Item columns in the instrument's order; default: the shelf's names.")
    scale: str | None = Field(None, description="Which score of the instrument; default: its main one.")
    date: str = Field("date", description="The date column of the table of assessments.")
    column: str | None = Field(None, description="A number as it stands: a person table's column, or one of dated readings.")
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
    contract_baseline: float | None = Field(None, description="The level per person the contract counts reductions from.")


class Domain(Part):
    """[[domain]]: several measures of one thing, combined into one index."""

    id: Id
    title: str = ""
    measures: list[str] = Field(min_length=2, description='Measure ids, or "measure@occasion".')
    index: Literal["icw", "klk"] = "icw"
    covariance: Literal["full", "reference"] = "full"
    reference: Literal["comparison at baseline", "comparison at each measure's own occasion"] = "comparison at baseline"
    baseline: str = Field("baseline", description="Occasion id whose comparison arm defines the unit.")


# ---------------------------------------------------------------- the counterfactual

EstimatorName = str


class Also(Part):
    """[[counterfactual.also]]: a second analysis printed beside the planned one."""

    id: Id
    says: str = Field(description='What differs, in words: "within schools", "propensity score matching".')
    estimator: EstimatorName
    outcomes: list[str] | None = None
    covariates: list[str] | None = None
    within: str | None = Field(None, description="A column whose differences are taken out (fixed effects).")
    options: dict[str, Any] = Field(default_factory=dict)


class Benchmark(Part):
    """[counterfactual.benchmark]: an experiment against which the estimate can be checked."""

    table: str
    outcome: str
    column: str = Field(description="The column of the outcome in that table.")
    treated: str = Field(description="The column that is 1 for those assigned to the programme.")
    person: str = Field(description="Ids; those shared with the cohort are counted once in the interval.")
    title: str = "Experimental benchmark"
    source: str = ""


class Counterfactual(Part):
    """[counterfactual]: how what would have happened anyway is estimated."""

    estimator: EstimatorName
    outcomes: list[str] | None = Field(
        None, description='Domain ids, measure ids or "measure@occasion". Default: all domains, then the rest, at their last occasion.'
    )
    by_outcome: dict[str, EstimatorName] = Field(default_factory=dict, description="Another estimator for one outcome.")
    covariates: list[str] = Field(default_factory=list, description='Columns, or "measure@occasion".')
    within: str | None = Field(None, description="A column whose differences are taken out (fixed effects).")
    baseline: str = Field("baseline", description='Occasion id before the programme, for "did" and for the balance table.')
    options: dict[str, Any] = Field(default_factory=dict, description="The estimator's own: caliper, ratio, distance ...")
    se: str | None = None
    level: float = Field(0.95, gt=0.5, lt=1)
    design: str | None = Field(None, description='The design on the Maryland scale\'s list, e.g. "cluster RCT"; see evalkit.evidence.')
    assignment: str = Field("", description="How people came to be in an arm, in one sentence.")
    also: list[Also] = Field(default_factory=list)
    benchmark: Benchmark | None = None
    rates: str | None = Field(None, description='For "published" and "assumed": a csv file, see docs/reference/tables.')


class Series(Part):
    """[[series]]: a published series shown as arithmetic; it never feeds a headline or a payment."""

    id: Id
    title: str
    file: str = Field(description="csv: period, start, end, phase (pre|post), treated, comparison, source.")
    unit: str
    note: str = ""
    treated_name: str = "programme"
    comparison_name: str = "comparison"
    source: str = ""


# ---------------------------------------------------------------- contract and value


class Trigger(Part):
    """[[contract.trigger]]: a payment that falls due when an effect reaches a threshold."""

    id: Id
    says: str
    outcome: str = Field(description="An estimated outcome.")
    at_least: float = Field(description="Relative reduction (or gain) that triggers it, as a share.")
    scope: str = Field("", description='Whom it counts: "cohort 1", "all cohorts".')
    judged: bool = Field(True, description="false: this study's figures cannot judge it; the note says why.")
    note: str = ""
    source: str = ""


class ContractPlan(Part):
    """[contract]: what was to be paid for what."""

    rate_card: str | None = Field(
        None, description="csv: metric, title, outcome, price, mechanism (unit|milestone|step|slide|day), threshold, baseline, cap_person, cap_metric."
    )
    achieved: str | None = Field(None, description="csv: metric, units, date, person (optional).")
    payments: str | None = Field(None, description="csv: metric, kind (planned|actual), plan, start, end, amount, payer.")
    cash_flows: str | None = Field(None, description="csv: date, amount (negative: paid in).")
    variations: str | None = Field(None, description="csv: date, what, reason, source.")
    cap: float | None = Field(None, gt=0, description="Most that can be paid under the contract.")
    maximum_recorded: float | None = Field(None, gt=0, description="A maximum on record that is not known to be a cap.")
    deadweight_in_price: bool = Field(False, description="true: prices already allow for deadweight and are not reduced again.")
    published: bool = Field(False, description="Units achieved are published figures, not counts from person-level data.")
    source: str = ""
    trigger: list[Trigger] = Field(default_factory=list)


class ValuePlan(Part):
    """[value]: what the outcomes were worth."""

    impact_map: str = Field(
        description="csv: outcome, title, stakeholder, agency, quantity, proxy, price_year, deadweight, displacement, attribution, drop_off, duration, *_low, *_high, source."
    )
    cost: float = Field(gt=0, description="What was spent, in the study's currency and price year.")
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


class StudyFile(Part):
    """The whole of study.toml."""

    study: About
    party: list[Party] = Field(default_factory=list)
    term: list[Term] = Field(default_factory=list)
    tables: dict[str, Table] = Field(default_factory=dict)
    cohort: CohortPlan | None = None
    occasion: list[Occasion] = Field(default_factory=list)
    measure: list[Measure] = Field(default_factory=list)
    domain: list[Domain] = Field(default_factory=list)
    counterfactual: Counterfactual | None = None
    series: list[Series] = Field(default_factory=list)
    contract: ContractPlan | None = None
    value: ValuePlan | None = None
    disclosure: DisclosurePlan = Field(default_factory=DisclosurePlan)
    simulation: Simulation | None = None


class Study(StudyFile):
    """A validated study and the folder it was read from.

    The noun of this room: every part of study.toml as an attribute, plus ``folder`` (absolute path).
    """

    folder: Path

    @property
    def id(self) -> str:
        """The study's id."""
        return self.study.id

    @property
    def title(self) -> str:
        """The study's title."""
        return self.study.title

    def path(self, name: str) -> Path:
        """Where a file that the study names lies."""
        return self.folder / name

    def occasion_title(self, occasion: str) -> str:
        """What the report calls an occasion; its id where it has no title."""
        return next((o.title or o.id for o in self.occasion if o.id == occasion), occasion)

    def find_measure(self, name: str) -> Measure | None:
        """The measure behind "measure" or "measure@occasion", if there is one."""
        return next((m for m in self.measure if m.id == name.split("@")[0]), None)

    def find_domain(self, name: str) -> Domain | None:
        """The domain of that name (with or without "@occasion"), if there is one."""
        return next((d for d in self.domain if d.id == name.split("@")[0]), None)
