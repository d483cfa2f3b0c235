"""Four evaluations made by hand from the nouns' columns: full, contract only, empty, and laden with flags."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import Flag
from evalkit.study import Study
from tests.report import worlds

PROGRAMME = {
    "study": {
        "id": "riverside",
        "title": "Riverside family support",
        "kind": "synthetic",
        "stand": "What happened to young people offered support at home.",
        "summary": "A council wanted fewer young people to enter care.",
        "people": "young people",
        "price_year": 2023,
        "sources": ["invented records"],
        "facts": {"Followed": "12 months"},
        "cannot_say": ["Whether it would do the same elsewhere"],
    },
    "party": [
        {"role": "commissioner", "name": "The council"},
        {"role": "provider", "name": "A charity", "note": "gave support"},
    ],
    "term": [{"term": "Who counts", "agreed": "aged 11 to 17", "varied": "aged 10 to 17"}],
    "cohort": {
        "person": "person",
        "index": {"date": "2020-01-01"},
        "arm": {
            "column": "arm",
            "treated": "t",
            "comparison": "c",
            "treated_name": "support",
            "comparison_name": "usual care",
        },
        "include": [{"says": "aged 11 to 17", "rule": "11 <= age <= 17"}],
    },
    "occasion": [{"id": "baseline", "title": "start", "day": 0}, {"id": "m12", "title": "12 months", "day": 365}],
    "measure": [
        {
            "id": "sdq",
            "title": "Difficulties",
            "table": "people",
            "columns": {"baseline": "s0", "m12": "s1"},
            "better": "lower",
        },
        {
            "id": "days",
            "title": "Days in care",
            "unit": "days",
            "column": "days",
            "values": "amount",
            "better": "lower",
        },
    ],
    "domain": [{"id": "wellbeing", "title": "Well-being", "measures": ["sdq", "days"]}],
    "counterfactual": {
        "estimator": "aipw",
        "covariates": ["age", "sex"],
        "assignment": "Families were offered support.",
    },
    "contract": {"cap": 900000, "source": "the contract"},
}


def plan(**parts: object) -> Study:
    """A study from parts; those not named are left out."""
    return Study(folder=Path("riverside"), **parts)


def flow(left: int = 120, treated: int = 300) -> pd.DataFrame:
    """A flow of one rule."""
    people = treated + 400
    return pd.DataFrame(
        {
            "step": [0, 1],
            "kind": ["start", "include"],
            "says": ["referred", "aged 11 to 17"],
            "rule": ["", "11 <= age <= 17"],
            "left_out": [0, left],
            "unknown": [0, 12],
            "people": [people + left, people],
            "treated": [treated + left // 2, treated],
            "comparison": [400 + left - left // 2, 400],
        }
    )


def cohort(study: Study, left: int = 120) -> SimpleNamespace:
    """300 treated and 400 comparison people."""
    rng = np.random.default_rng(3)
    table = pd.DataFrame(
        {
            "person": [f"p{i}" for i in range(700)],
            "arm": ["treated"] * 300 + ["comparison"] * 400,
            "age": rng.integers(11, 18, 700),
            "sex": ["girl", "boy"] * 350,
        }
    )
    return SimpleNamespace(
        study=study, table=table, flow=flow(left), reasons=pd.DataFrame(), sql={}, flags=(), tables={}
    )


def outcomes(study: Study, few: int | None = None) -> SimpleNamespace:
    """Two measures; `few` people of the treated have the last reading."""
    rows, told = [], {}
    for measure, title, occasions in (("sdq", "Difficulties", ["baseline", "m12"]), ("days", "Days in care", [""])):
        for occasion in occasions:
            key = f"{measure}@{occasion}" if occasion else measure
            told[key] = {
                "key": key,
                "id": measure,
                "title": title,
                "unit": "points" if measure == "sdq" else "days",
                "values": "score" if measure == "sdq" else "amount",
                "better": "lower",
                "occasion": occasion,
                "occasion_title": study.occasion_title(occasion) if occasion else "",
                "kind": "measure",
            }
            for arm, people in (("treated", 300), ("comparison", 400)):
                n = few if few is not None and arm == "treated" and occasion == "m12" else people - 40
                rows.append([measure, title, occasion, told[key]["occasion_title"], arm, n, 15.5, 4.0, 15.0, 16.0, n])
    columns = ["measure", "title", "occasion", "occasion_title", "arm", "n", "mean", "sd", "low", "high", "n_people"]
    summary = pd.DataFrame(rows, columns=columns)
    complete = summary[["measure", "occasion", "arm", "n"]].assign(people=[300, 400] * 3)
    index = SimpleNamespace(weights=pd.Series({"sdq@m12": 0.6, "days": 0.4}), mean=0, sd=1, n=600)
    told["wellbeing"] = {**told["days"], "key": "wellbeing", "title": "Well-being", "kind": "domain", "unit": "SD"}
    last = {"sdq": "sdq@m12", "days": "days", "wellbeing": "wellbeing"}
    return SimpleNamespace(
        summary=summary,
        completeness=complete.assign(share=complete["n"] / complete["people"]),
        wide=pd.DataFrame(),
        domains={"wellbeing": index},
        flags=(),
        looks={},
        find=lambda name: last.get(name, name),
        describe=lambda name: told[last.get(name, name)],
    )


def effect_row(**changed: object) -> dict[str, object]:
    """A row of effects.table: fewer days in care."""
    row = {
        "outcome": "days",
        "title": "Days in care",
        "occasion_title": "",
        "unit": "days",
        "values": "amount",
        "better": "lower",
        "is_domain": False,
        "primary": True,
        "estimator": "aipw",
        "scale": "difference",
        "n_treated": 300,
        "n_comparison": 400,
        "n_clusters": 36,
        "observed": 84.6,
        "counterfactual": 131.3,
        "effect": -46.7,
        "se": 13.0,
        "low": -72.1,
        "high": -21.3,
        "df": 34.0,
        "p": 0.001,
        "p_adjusted": 0.002,
        "deadweight": 0.42,
        "deadweight_low": 0.1,
        "deadweight_high": 0.74,
        "deadweight_method": "share of the reduction",
        "why_no_deadweight": "",
        "level": 3,
        "conclusion": "better",
        "rounding_low": None,
        "rounding_high": None,
        "relative": None,
        "relative_low": None,
        "relative_high": None,
        "truth": -40.0,
    }
    return row | changed


def effects(study: Study, *rows: dict[str, object]) -> SimpleNamespace:
    """Effects with a second analysis, two single measures and a balance table."""
    table = pd.DataFrame(rows)
    also = pd.DataFrame(
        [
            ["days", "planned", "as planned", "aipw", -46.7, 13.0, -72.1, -21.3, 0.001, 300, 400, True],
            ["days", "ols", "regression", "ols", -40.1, 13.0, -66.0, -14.0, 0.003, 300, 400, False],
        ],
        columns=[
            "outcome",
            "id",
            "says",
            "estimator",
            "effect",
            "se",
            "low",
            "high",
            "p",
            "n_treated",
            "n_comparison",
            "planned",
        ],
    )
    measures = pd.DataFrame(
        [["wellbeing", "sdq@m12", "Difficulties", "12 months", 0.2, 0.08, 0.04, 0.36, 0.01, 0.02, 600, "Holm", ""]],
        columns=[
            *["domain", "measure", "title", "occasion_title", "effect", "se", "low", "high", "p", "p_adjusted", "n"],
            *["adjusted_by", "verdict"],
        ],
    )
    balance = pd.DataFrame({"smd_before": [0.3, -0.2], "smd_after": [0.02, -0.05]}, index=["age", "sex girl"])
    attrition = pd.DataFrame(
        [["days", "treated", 300, 280, 0.93], ["days", "comparison", 400, 360, 0.9]],
        columns=["outcome", "arm", "people", "analysed", "share"],
    )
    evidence = SimpleNamespace(
        sms=3,
        reason="A comparison group made alike",
        verbs=(),
        may_say="The programme is estimated to have made the difference.",
        may_not_say="That it is proved.",
    )
    return SimpleNamespace(
        study=study,
        table=table,
        also=also,
        measures=measures,
        benchmark=None,
        attrition=attrition,
        evidence=evidence,
        flags=(),
        estimates={"days": SimpleNamespace(balance=balance)},
    )


def contract(study: Study, achieved: tuple[int, int] = (120, 60), anyway: bool = True) -> SimpleNamespace:
    """Two metrics, one paid differently from what was owed."""
    rows = []
    for metric, title, units, gap, share in (
        ("home", "Living at home", achieved[0], 0.0, 0.4),
        ("sdq", "Fewer difficulties", achieved[1], -900.0, None),
    ):
        owed = units * 900.0
        known = share is not None and anyway
        rows.append(
            [
                metric,
                title,
                "days" if known else "",
                "unit",
                900.0,
                units,
                units,
                owed,
                0.0,
                owed,
                owed + gap,
                gap,
                units,
                owed * share if known else None,
                owed * 0.2 if known else None,
                owed * 0.6 if known else None,
                share if known else None,
                "" if known else "no outcome is linked",
            ]
        )
    columns = [
        "metric",
        "title",
        "outcome",
        "mechanism",
        "price",
        "people",
        "achieved",
        "gross",
        "cut",
        "owed",
        "paid",
        "difference",
        "implied_units",
        "anyway",
        "anyway_low",
        "anyway_high",
        "anyway_share",
        "why_no_anyway",
    ]
    table = pd.DataFrame(rows, columns=columns)
    owed, paid = table["owed"].sum(), table["paid"].sum()
    totals = {
        "gross": owed,
        "cut": 0.0,
        "owed": owed,
        "paid": paid,
        "difference": paid - owed,
        "planned": {"first plan": 300000.0},
        "cap": 900000.0,
    }
    if anyway:
        first = table["owed"].iloc[0]
        totals |= {
            "judged": first,
            "anyway": first * 0.4,
            "anyway_low": first * 0.2,
            "anyway_high": first * 0.6,
            "anyway_share": 0.4,
            "anyway_share_low": 0.2,
            "anyway_share_high": 0.6,
        }
    plans = pd.DataFrame({"plan": ["first plan"], "planned": [300000.0], "actual": [paid], "share": [paid / 300000]})
    triggers = pd.DataFrame(
        [["early", "Early payment", "cohort 1", "days", 0.1, 0.08, 0.07, 0.09, "not met", ""]],
        columns=[
            "id",
            "says",
            "scope",
            "outcome",
            "threshold",
            "relative",
            "relative_low",
            "relative_high",
            "met",
            "note",
        ],
    )
    return SimpleNamespace(
        study=study,
        effects=None,
        table=table,
        totals=totals,
        ledger=pd.DataFrame(),
        plans=plans,
        triggers=triggers,
        flags=(),
        investor=None,
    )


def value(study: Study) -> SimpleNamespace:
    """A ratio whose range includes 1."""
    lines = pd.DataFrame(
        [
            [
                "days",
                "Days in care avoided",
                "councils",
                "council",
                14000.0,
                190.0,
                None,
                0.05,
                0.0,
                0.0,
                1.0,
                2_400_000.0,
                "invented",
            ]
        ],
        columns=[
            "outcome",
            "title",
            "stakeholder",
            "agency",
            "quantity",
            "proxy",
            "deadweight",
            "displacement",
            "attribution",
            "drop_off",
            "duration",
            "present_value",
            "source",
        ],
    )
    by_year = pd.DataFrame(
        {"year": [1, 2], "value": [1.5e6, 1.1e6], "factor": [0.9662, 0.9335], "present_value": [1.4e6, 1.0e6]}
    )
    by_agency = pd.DataFrame({"agency": ["council"], "present_value": [2.4e6], "low": [1.4e6], "high": [3.6e6]})
    return SimpleNamespace(
        study=study,
        lines=lines,
        by_year=by_year,
        by_agency=by_agency,
        present_value=2.4e6,
        npv=0.46e6,
        ratio=1.24,
        ratio_low=0.72,
        ratio_high=1.88,
        net_ratio=0.24,
        payback_months=None,
        cost=1.94e6,
        convention="3.5% a year, first year discounted",
        range_method="10,000 joint draws",
        probability_exceeds_cost=0.77,
        flags=(),
    )


RECORD = {
    "made": "2026-03-14",
    "study": {"file": "study.toml", "sha256": "9" * 64},
    "tables": [{"file": "people.csv", "sha256": "a" * 64, "rows": 820}],
    "versions": {"evalkit": "0.1.0"},
    "parameters": {"Seed": "1"},
    "lock": None,
}


class Walked:
    """A stand-in for Evaluation, which can be a key of the cache as Evaluation can."""

    def __init__(self, study: Study, flags: tuple[Flag, ...] = (), **rooms: object) -> None:
        self.study, self.flags, self.provenance = study, flags, RECORD
        names = ("cohort", "outcomes", "effects", "contract", "value")
        for name in names:
            setattr(self, name, rooms.get(name))
        self.absent = {name: f"There is no {name} here." for name in names if rooms.get(name) is None}


INDEX = {
    "outcome": "wellbeing",
    "title": "Well-being",
    "occasion_title": "12 months",
    "is_domain": True,
    "primary": False,
    "values": "score",
    "better": "higher",
    "observed": 0.3,
    "counterfactual": 0.24,
    "effect": 0.06,
    "low": -0.12,
    "high": 0.24,
    "p": 0.51,
    "p_adjusted": 0.51,
    "deadweight": None,
    "deadweight_low": None,
    "deadweight_high": None,
    "why_no_deadweight": "not defined for a score",
    "conclusion": "no clear difference",
    "truth": None,
}


@pytest.fixture
def full() -> Walked:
    """Every room."""
    study = plan(**PROGRAMME)
    rooms = {
        "cohort": cohort(study),
        "outcomes": outcomes(study),
        "effects": effects(study, effect_row(), effect_row(**INDEX)),
    }
    flags = (Flag("counterfactual", "serious", "families chose to take part", "An unmeasured cause could explain it."),)
    return Walked(study, flags, **rooms, contract=contract(study), value=value(study))


@pytest.fixture
def contract_only() -> Walked:
    """Published contract figures and nothing else."""
    parts = {name: PROGRAMME[name] for name in ("party", "term")}
    about = PROGRAMME["study"] | {"kind": "published figures"}
    study = plan(study=about, contract={"published": True, "source": "a data set"}, **parts)
    paid = contract(study, achieved=(120, 4), anyway=False)
    paid.triggers, paid.plans = paid.triggers.iloc[:0], paid.plans.iloc[:0]
    return Walked(study, contract=paid)


@pytest.fixture
def empty() -> Walked:
    """A plan only."""
    return Walked(plan(study={"id": "bare", "title": "A bare plan", "kind": "real"}))


@pytest.fixture
def laden() -> Walked:
    """Every room, flags of every level, markup in the words, few people in one cell, a worse result."""
    parts = PROGRAMME | {"study": PROGRAMME["study"] | {"title": "Riverside <b>& co</b>"}}
    study = plan(**parts)
    worse = effect_row(
        effect=12.0,
        low=2.0,
        high=22.0,
        observed=143.3,
        conclusion="worse",
        deadweight=1.3,
        deadweight_low=float("-inf"),
        deadweight_high=float("inf"),
    )
    flags = tuple(
        Flag(room, level, f"<script>{level}</script> in {room}", "a < b", "days")
        for level in ("serious", "caution", "note")
        for room in ("cohort", "contract")
    )
    rooms = {"cohort": cohort(study, left=4), "outcomes": outcomes(study, few=7), "effects": effects(study, worse)}
    return Walked(study, flags, **rooms, contract=contract(study, achieved=(120, 4)), value=value(study))


GROUPS = [
    {
        "id": "t",
        "says": "referred to the programme",
        "rule": "area == 'north'",
        "kind": "offered",
        "role": "treated",
    },
    {
        "id": "c",
        "says": "referred in the neighbouring area",
        "rule": "area == 'south'",
        "kind": "another area",
        "role": "comparison",
    },
    {
        "id": "earlier",
        "says": "referred before the start",
        "rule": "index_date < '2018-01-01'",
        "kind": "historical period",
        "role": "beside",
    },
]


@pytest.fixture
def counted() -> Walked:
    """A cohort with every table it can have: groups side by side, sets, drift, comparisons, windows."""
    parts = {name: part for name, part in PROGRAMME["cohort"].items() if name != "arm"}
    study = plan(**(PROGRAMME | {"cohort": parts | {"group": GROUPS}}))
    return Walked(study, cohort=worlds.cohort_of(worlds.people(0, 900), study))


@pytest.fixture
def few() -> Walked:
    """The same with two arms and so few people that much is hidden."""
    study = plan(**PROGRAMME)
    return Walked(study, cohort=worlds.cohort_of(worlds.people(1, 160), study, beside=False))


@pytest.fixture
def study() -> Study:
    """The plan behind the full evaluation."""
    return plan(**PROGRAMME)


@pytest.fixture
def row():
    """Make a row of effects.table, changed as the test says."""
    return lambda **changed: SimpleNamespace(**effect_row(**changed))
