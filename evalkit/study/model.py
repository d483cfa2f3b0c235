"""The study file, part by part: what may stand in study.toml and what it means.

Unknown keys are forbidden, so that a misspelt key is an error and not a silent default. The cross-checks between
parts (does this measure exist, is that file there) are in `checks`; this module only says what each part is.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Literal

from pydantic import Field

from evalkit.study.answers import (
    Also,
    Benchmark,
    Counterfactual,
    DisclosurePlan,
    EstimatorName,
    Series,
    Simulation,
)
from evalkit.study.base import Better, Date, Id, Part
from evalkit.study.contracted import ContractPlan, Party, Risk, Role, Step, Term, Trigger
from evalkit.study.counted import AnalysisSet, Arm, Assured, CohortPlan, Drift, Followed, Group, Index, Rule
from evalkit.study.designed import DesignPlan
from evalkit.study.looked_at import (
    Comparability,
    Constituency,
    EngagementPlan,
    GrowthPlan,
    MissingPlan,
    ServicesPlan,
    Valued,
)
from evalkit.study.measured import (
    AttendanceIn,
    Custody,
    DaysIn,
    Improved,
    Ladder,
    Norm,
    OffendingIn,
    OverTime,
    PlacementsIn,
    ReliableChange,
)
from evalkit.study.persons import (
    Domain,
    Measure,
    Occasion,
    Table,
    TableFile,
    TableInDatabase,
)
from evalkit.study.told import KnownFlag, Reported
from evalkit.study.worth import Action, Claim, Curve, FrameworkPlan, ValuePlan

__all__ = [
    "About",
    "Action",
    "Also",
    "AnalysisSet",
    "Arm",
    "Assured",
    "AttendanceIn",
    "Benchmark",
    "Better",
    "Claim",
    "CohortPlan",
    "Comparability",
    "Constituency",
    "ContractPlan",
    "Counterfactual",
    "Curve",
    "Custody",
    "Date",
    "DaysIn",
    "DesignPlan",
    "DisclosurePlan",
    "Domain",
    "Drift",
    "EngagementPlan",
    "EstimatorName",
    "Followed",
    "FrameworkPlan",
    "Group",
    "GrowthPlan",
    "Id",
    "Improved",
    "Index",
    "KnownFlag",
    "Ladder",
    "Measure",
    "MissingPlan",
    "Norm",
    "Occasion",
    "OffendingIn",
    "OverTime",
    "Part",
    "Party",
    "PlacementsIn",
    "ReliableChange",
    "Reported",
    "Risk",
    "Role",
    "Rule",
    "Series",
    "ServicesPlan",
    "Simulation",
    "Step",
    "Study",
    "StudyFile",
    "Table",
    "TableFile",
    "TableInDatabase",
    "Term",
    "Trigger",
    "ValuePlan",
    "Valued",
]


class About(Part):
    """[study]: which SIB this is, and what kind of data the numbers are."""

    id: Id
    title: str = Field(examples=["Edge of care family therapy"])
    kind: Literal["real", "published figures", "synthetic"] = Field(
        description="Printed on every page.", examples=["real"]
    )
    is_sib: bool = Field(True, description="false: a study that shows a method; the report says so.")
    over: str = Field("", description='The line above the title: "Evaluation report, social impact bond".')
    stand: str = Field("", description="One sentence under the title: for whom, what, against what.")
    summary: str = Field("", description="What the programme is, in two or three plain sentences.")
    kind_note: str = Field(
        "", description="One sentence beside the kind of data: whose they are, or that all is invented."
    )
    people: str = Field("people", description='What the report calls those followed: "young people", "pupils".')
    indigo: str | None = Field(None, pattern=r"^INDIGO-POJ-\d{4}$")
    country: str = ""
    price_year: int | None = Field(None, ge=1950, le=2100)
    currency: str = Field("GBP", pattern=r"^[A-Z]{3}$")
    sources: list[str] = Field(default_factory=list, description="Where the data and figures come from.")
    facts: dict[str, str] = Field(default_factory=dict, description="Short facts under the title: label = text.")
    cannot_say: list[str] = Field(default_factory=list, description="What this report cannot say, in plain sentences.")
    seed: int = 20260101


class StudyFile(Part):
    """The whole of study.toml."""

    study: About = Field(description="Which SIB this is.")
    party: list[Party] = Field(default_factory=list)
    term: list[Term] = Field(default_factory=list)
    tables: dict[str, Table] = Field(default_factory=dict)
    cohort: CohortPlan | None = None
    occasion: list[Occasion] = Field(default_factory=list)
    measure: list[Measure] = Field(default_factory=list)
    domain: list[Domain] = Field(default_factory=list)
    growth: GrowthPlan | None = None
    services: ServicesPlan | None = None
    engagement: EngagementPlan | None = None
    comparability: Comparability | None = None
    missing: MissingPlan | None = None
    valued: list[Valued] = Field(default_factory=list)
    constituency: list[Constituency] = Field(default_factory=list)
    counterfactual: Counterfactual | None = None
    design: DesignPlan | None = None
    series: list[Series] = Field(default_factory=list)
    contract: ContractPlan | None = None
    value: ValuePlan | None = None
    claim: list[Claim] = Field(default_factory=list)
    curve: list[Curve] = Field(default_factory=list)
    framework: FrameworkPlan | None = None
    flag: list[KnownFlag] = Field(default_factory=list)
    reported: list[Reported] = Field(default_factory=list)
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

    def _repr_html_(self) -> str:
        """Id, title, kind of data and the parts the plan has."""
        facts = {
            "kind of data": self.study.kind,
            "tables": ", ".join(self.tables),
            "measures": ", ".join(m.id for m in self.measure),
            "domains": ", ".join(d.id for d in self.domain),
            "estimator": self.counterfactual.estimator if self.counterfactual else "",
        }
        rows = "".join(f"<tr><th>{name}</th><td>{escape(text)}</td></tr>" for name, text in facts.items() if text)
        return f"<p><b>{escape(self.title)}</b> ({escape(self.id)})</p><table>{rows}</table>"

    def find_measure(self, name: str) -> Measure | None:
        """The measure behind "measure" or "measure@occasion", if there is one."""
        return next((m for m in self.measure if m.id == name.split("@")[0]), None)

    def find_domain(self, name: str) -> Domain | None:
        """The domain of that name (with or without "@occasion"), if there is one."""
        return next((d for d in self.domain if d.id == name.split("@")[0]), None)
