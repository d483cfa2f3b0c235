"""Services side by side, each pulled towards the mean as far as it is small."""

from __future__ import annotations

from dataclasses import dataclass, replace

from evalkit.errors import Flag
from evalkit.outcomes.looks.base import View, look
from evalkit.outcomes.services import Services, compare_services


@dataclass(frozen=True, eq=False)
class Compared:
    """One outcome by service: the services, and the title, unit and direction of the outcome."""

    outcome: str
    title: str
    unit: str
    better: str
    occasion: str
    service: str
    people: str
    services: Services


@look("services")
def services(view: View) -> tuple[list[Compared], list[Flag]]:
    """Every outcome that the study wants services compared on."""
    plan = view.study.services
    found: list[Compared] = []
    flags: list[Flag] = []
    if plan is None:
        return found, flags
    table = view.ground.cohort.table.reset_index(drop=True)
    column = table[plan.column] if plan.column in table else view.ground.column("cluster").reset_index(drop=True)
    frame = table[list(plan.covariates)].assign(**{"(service)": column.astype("str")})
    inside = column.notna().to_numpy()
    if plan.people == "treated" and view.treated is not None:
        inside = inside & (view.treated == 1)
    for name in plan.outcomes:
        key = view.outcomes.find(name)
        frame["(outcome)"] = view.outcomes.wide[key].to_numpy()
        rows = frame[inside & frame["(outcome)"].notna().to_numpy()].reset_index(drop=True)
        compared = compare_services(rows, "(outcome)", "(service)", plan.covariates)
        told = view.outcomes.describe(key)
        words = (told["title"], told["unit"], told["better"], told["occasion_title"])
        found.append(Compared(key, *words, plan.column, plan.people, compared))
        flags += [_named(flag, name) for flag in compared.flags]
    return found, flags


def _named(flag: Flag, name: str) -> Flag:
    text = flag.text.replace("(outcome)", "the outcome").replace("(service)", "service")
    return replace(flag, text=text, detail=flag.detail.replace("(outcome)", "the outcome"), about=name)
