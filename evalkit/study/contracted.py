"""The parts of a study about the contract: what was to be paid for what, by whom, and who bore the risk."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field

from evalkit.study.base import Id, Part

Role = Literal["commissioner", "investor", "provider", "intermediary", "evaluator", "other"]


class Party(Part):
    """[[party]]: one organisation of the contract and what it does."""

    role: Role = Field(examples=["commissioner"])
    name: str = Field(examples=["The council"])
    share: float | None = Field(None, ge=0, le=1, description="Share of the outcome payments that a commissioner pays.")
    agency: str = Field("", description="The agency it stands for in the impact map, where that has another name.")
    note: str = ""
    source: str = ""


class Term(Part):
    """[[term]]: one line of what was agreed."""

    term: str = Field(examples=["Maximum payment"])
    agreed: str = Field(examples=["4.5 million pounds"])
    varied: str = ""
    source: str = ""


class Trigger(Part):
    """[[contract.trigger]]: a payment that falls due when an effect reaches a threshold."""

    id: Id
    says: str = Field(examples=["10 % fewer reconvictions"])
    outcome: str = Field(description="An estimated outcome.", examples=["reconvictions"])
    at_least: float = Field(description="Relative reduction (or gain) that triggers it, as a share.", examples=[0.1])
    pays: float | None = Field(None, gt=0, description="What falls due when it is met; none: only the verdict is told.")
    due_on: dt.date | None = Field(None, description="The day on which it would fall due.")
    scope: str = Field("", description='Whom it counts: "cohort 1", "all cohorts".')
    judged: bool = Field(True, description="false: this study's figures cannot judge it; the note says why.")
    note: str = ""
    source: str = ""


class Risk(Part):
    """[[contract.risk]]: one risk, and who bears it."""

    risk: str = Field(examples=["Fewer referrals than planned"])
    carried_by: list[Role] = Field(examples=[["investor"]])
    how: str = Field("", description="By which term of the contract.")
    source: str = ""


class Step(Part):
    """[[contract.step]]: one step of commissioning and delivery, planned and done."""

    says: str = Field(examples=["Contract signed"])
    phase: str = Field("", description='What it belongs to: "commissioning", "delivery", "evaluation".')
    planned: dt.date | None = None
    done: dt.date | None = None
    known_to: Literal["day", "month", "year"] = Field("day", description="How exactly these dates are known.")
    note: str = ""
    source: str = ""


class ContractPlan(Part):
    """[contract]: what was to be paid for what."""

    rate_card: str | None = Field(
        None,
        description="csv: metric, title, outcome, price, mechanism (unit|milestone|day|saved|threshold|excess|step|"
        "slide|scale), threshold, baseline, cap_person, cap_metric, cap_year, floor_metric, lag_days, "
        "deadweight_in_price, from, until, per (person|cohort), claw_back.",
    )
    achieved: str | None = Field(None, description="csv: metric, units, date, person (optional).")
    payments: str | None = Field(
        None, description="csv: metric, kind (planned|actual), plan, start, end, amount, payer, currency, why."
    )
    cash_flows: str | None = Field(None, description="csv: date, amount (negative: paid in), kind, investor, source.")
    variations: str | None = Field(None, description="csv: date, kind, what, reason, source.")
    costs: str | None = Field(
        None,
        description="csv: phase, what, party, kind (set-up|management|evaluation|measurement|delivery|"
        "investment cost), planned, actual, date, days, currency, source.",
    )
    budgets: str | None = Field(None, description="csv: funder, year, kind, amount, spent, pool, holder, source.")
    starts: dt.date | None = Field(None, description="The day from which payments can fall due.")
    ends: dt.date | None = Field(None, description="The last day of the contract, as planned at signature.")
    cap: float | None = Field(None, gt=0, description="Most that can be paid under the contract.")
    cap_year: float | None = Field(None, gt=0, description="Most that can be paid in any one year of the contract.")
    cap_currency: str = Field("", description="Where the caps are in another currency than the prices: not applied.")
    cap_year_by: Literal["achieved", "due"] = Field(
        "achieved", description="Which date says in which year a payment counts: achieved, or due (lag_days later)."
    )
    year_starts_month: int = Field(1, ge=1, le=12, description="The month in which such a year begins: 4 is April.")
    floor: float | None = Field(None, gt=0, description="Least that is paid under the contract, whatever is achieved.")
    people: int | None = Field(None, gt=0, description="How many people were served, where a publication says so.")
    maximum_recorded: float | None = Field(None, gt=0, description="A maximum on record that is not known to be a cap.")
    deadweight_in_price: bool = Field(
        False, description="true: prices already allow for deadweight and are not reduced again."
    )
    published: bool = Field(
        False, description="Units achieved are published figures, not counts from person-level data."
    )
    source: str = ""
    trigger: list[Trigger] = Field(default_factory=list)
    risk: list[Risk] = Field(default_factory=list)
    step: list[Step] = Field(default_factory=list)
