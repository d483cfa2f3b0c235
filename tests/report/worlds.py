"""Invented people, the cohort that an honest count of them gives, and looks at them: what tests draw and attack."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd

from evalkit.cohort.baseline import compare
from evalkit.counterfactual.analysed import attrition_bounds, completers, with_attrition_weights
from evalkit.counterfactual.estimating import estimate
from evalkit.counterfactual.looks.base import Seen
from evalkit.counterfactual.looks.lasting import Lasting
from evalkit.counterfactual.looks.takers import Takers
from evalkit.counterfactual.looks.traced import Traced
from evalkit.counterfactual.looks.unmeasured import Unknown
from evalkit.counterfactual.looks.worthwhile import Worth
from evalkit.counterfactual.many.curves import specification_curve
from evalkit.counterfactual.many.gained import who_gained
from evalkit.counterfactual.many.persistence import Persistence, persistence
from evalkit.counterfactual.many.specifications import specifications
from evalkit.counterfactual.many.subgroups import subgroup_effects
from evalkit.counterfactual.matched.overlaps import overlap
from evalkit.counterfactual.sensitivity import (
    e_value_of,
    leave_one_cluster_out,
    omitted_variable_bounds,
    placebo_outcomes,
    rosenbaum_bounds,
    trimmed,
)
from evalkit.counterfactual.taking_part import taking_part
from evalkit.counterfactual.testing import detectable_effect, finding

COMPARED = ("age", "sex", "area")
KINDS = ("include", "include", "exclude")
SAYS = ("aged 11 to 17 at referral", "lives in the area", "safeguarding concern opened in the year before")
RULES = ("11 <= age(born, referred_on) <= 17", "area in ('north', 'south')", "exists(safeguarding, days=(-365, 0))")


def people(
    seed: int = 0, n: int = 900, fails: tuple[float, ...] = (0.1, 0.05, 0.12), few: float = 0.03
) -> pd.DataFrame:
    """One row per person: which rules they fail, group, quarter, sex and area (some missing), who started."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({f"fail{k}": rng.random(n) < share for k, share in enumerate(fails)})
    frame["unknown"] = frame["fail0"] & (rng.random(n) < 0.4)
    frame["group"] = rng.choice(["treated", "comparison", "earlier", ""], n, p=[0.4, 0.4, 0.17, 0.03])
    frame["index_date"] = pd.Timestamp("2018-01-01") + pd.to_timedelta(rng.integers(0, 3 * 365, n), unit="D")
    frame["sex"] = rng.choice(["F", "M", None], n, p=[0.55 - few, 0.45, few])
    frame["area"] = rng.choice(["north", "south", "islands"], n, p=[0.6, 0.37, 0.03])
    frame["age"] = rng.integers(11, 18, n).astype(float)
    frame.loc[rng.random(n) < few / 2, "age"] = np.nan
    frame["started"] = (frame["group"] == "treated") & (rng.random(n) < 0.85)
    frame["completed"] = frame["started"] & (rng.random(n) < 0.8)
    return frame


def cohort_of(frame: pd.DataFrame, study: object = None, beside: bool = True) -> SimpleNamespace:
    """The tables of a cohort, counted from people."""
    rules = [name for name in frame if name.startswith("fail")]
    alive, flow = _flow(frame, rules, beside)
    end = frame[alive & frame["group"].isin(["treated", "comparison"])]
    referred = frame
    treated = end[end["group"] == "treated"]
    table = end.rename(columns={"group": "arm"})[["arm", "index_date", "sex", "area", "age"]].reset_index(drop=True)
    table.insert(0, "person", [f"p{place}" for place in range(len(table))])
    return SimpleNamespace(
        study=study,
        table=table,
        flow=flow,
        sets=_sets(end),
        drift=_drift(referred, end),
        baseline=compare(end, end["group"] == "treated", end["group"] == "comparison", COMPARED),
        selection=compare(treated, treated["started"], ~treated["started"], COMPARED, ("started", "not_started")),
        windows=windows(),
        reasons=pd.DataFrame(),
        sql={},
        flags=(),
        tables={},
    )


def windows() -> pd.DataFrame:
    """Windows of every kind, one of them into the future."""
    rows = [
        ["include", "known to the team in the two years before", "contacts", "seen_on", "months", -24, 0],
        ["exclude", "safeguarding concern opened in the year before", "safeguarding", "opened_on", "days", -365, 0],
        ["include", "came to a first meeting", "sessions", "held_on", "days", 0, 30],
        ["column", "earlier days in care", "episodes", "from", "", pd.NA, 0],
        ["set", "started: a first session within 90 days", "sessions", "held_on", "days", 0, 90],
    ]
    columns = ["kind", "says", "table", "on", "unit", "low", "high"]
    return pd.DataFrame(rows, columns=columns).astype({"low": "Int64", "high": "Int64"})


def _flow(frame: pd.DataFrame, rules: list[str], beside: bool) -> tuple[pd.Series, pd.DataFrame]:
    alive = pd.Series(True, index=frame.index)
    lines = [_line(frame, alive, 0, "start", "people in referrals", "", 0)]
    fails = frame[rules].sum(axis=1)
    for place, name in enumerate(rules):
        before, alive = alive, alive & ~frame[name]
        kind = KINDS[place % 3]
        unknown = int((before & ~alive & frame["unknown"]).sum()) if kind == "include" else 0
        line = _line(frame, alive, place + 1, kind, SAYS[place % 3], RULES[place % 3], unknown)
        line |= {"left_out": int((before & ~alive).sum()), "failed": int(frame[name].sum())}
        lines.append(line | {"only": int((frame[name] & (fails == 1)).sum())})
    last = alive & frame["group"].isin(["treated", "comparison"])
    line = _line(frame, last, len(rules) + 1, "group" if beside else "arm", "in one of the groups compared", "", 0)
    line |= {"earlier": int((alive & (frame["group"] == "earlier")).sum())}
    lines.append(line | {"left_out": int(alive.sum() - last.sum())})
    flow = pd.DataFrame(lines).reindex(columns=[*lines[0], "failed", "only"])
    counts = ["left_out", "unknown", "people", "treated", "comparison", "earlier", "failed", "only"]
    flow = flow.astype(dict.fromkeys(counts, "Int64"))
    return alive, flow if beside else flow.drop(columns="earlier")


def _line(
    frame: pd.DataFrame, alive: pd.Series, step: int, kind: str, says: str, rule: str, unknown: int
) -> dict[str, object]:
    line = {"step": step, "kind": kind, "says": says, "rule": rule, "left_out": 0, "unknown": unknown}
    line["people"] = int(alive.sum())
    return line | {name: int((alive & (frame["group"] == name)).sum()) for name in ("treated", "comparison", "earlier")}


def _sets(end: pd.DataFrame) -> pd.DataFrame:
    rows, before = [], len(end)
    everyone = pd.Series(True, index=end.index)
    for name, says, chosen in (
        ("eligible", "everyone referred and eligible", everyone),
        ("started", "started: a first session within 90 days", end["started"] | (end["group"] == "comparison")),
        ("completed", "completed the programme", end["completed"] | (end["group"] == "comparison")),
    ):
        arms = [int((chosen & (end["group"] == arm)).sum()) for arm in ("treated", "comparison")]
        rows.append([name, says, "", int(chosen.sum()), before - int(chosen.sum()), 0, *arms])
        before = int(chosen.sum())
    columns = ["set", "says", "rule", "people", "lost", "unknown", "treated", "comparison"]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[3:], "Int64"))


def _quarter(dates: pd.Series) -> pd.Series:
    return dates.dt.year.astype(str) + "-Q" + dates.dt.quarter.astype(str)


def _drift(referred: pd.DataFrame, end: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for quarter, here in referred.groupby(_quarter(referred["index_date"])):
        kept = end[_quarter(end["index_date"]) == quarter]
        starts = int(kept["started"].sum())
        rows += [[quarter, "referred", "", len(here), np.nan], [quarter, "eligible", "", len(kept), len(here)]]
        rows += [[quarter, "starts", "", starts, len(kept)], [quarter, "planned", "", 24.0, np.nan]]
        rows += [[quarter, "area", area, n, len(here)] for area, n in here["area"].value_counts().items()]
    drift = pd.DataFrame(rows, columns=["quarter", "series", "value", "people", "of"])
    return drift.assign(share=drift["people"] / drift["of"])


# ---------------------------------------------------------------- looks at effects


def compared(seed: int = 0, n: int = 600) -> pd.DataFrame:
    """One row per person, chance having decided: before, three readings after, a yes or no, who took part, teams."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"person": [f"q{place:04d}" for place in range(n)], "treated": np.arange(n) % 2})
    frame["team"] = [f"team {place:02d}" for place in rng.integers(0, 30, n)]
    frame["need"], frame["age"] = rng.normal(size=n), rng.integers(11, 18, n).astype(float)
    frame["sex"] = rng.choice(["girl", "boy"], n)
    frame["before"] = 60 + 10 * frame["need"] + rng.normal(0, 8, n)
    for name, effect in (("y6", -12.0), ("y12", -9.0), ("y18", -7.0)):
        frame[name] = frame["before"] + rng.normal(0, 8, n) + effect * frame["treated"]
    frame["yes"] = (rng.random(n) < 0.4 + 0.15 * frame["treated"]).astype(float)
    frame["came"] = ((frame["treated"] == 1) & (rng.random(n) < 0.8)).astype(float)
    frame["done"] = ((frame["came"] == 1) & (rng.random(n) < 0.7)).astype(float)
    frame["lost"] = frame["y12"].where(rng.random(n) < 0.88)
    return frame


TOLD = {"treated": "treated", "covariates": ["need", "age"], "person": "person"}


def looks(frame: pd.DataFrame) -> dict[str, object]:
    """Everything that may stand beside an estimate, found in these people; days of care are `y12`, a yes is `yes`."""
    days = estimate(frame, "ols", outcome="y12", **TOLD)
    told = TOLD | {"outcome": "y12"}
    return {
        "overlap": seen(overlap(frame, "treated", ["need", "age"])),
        "unmeasured causes": [seen(_unknown(frame, days))],
        "placebo outcomes": _placebo(frame),
        "without one cluster": seen(leave_one_cluster_out(frame, "ols", **told, cluster="team")),
        "without the edges": seen(trimmed(frame, "ipw", (0, 0.05), **told)),
        "attrition": [_traced(frame)],
        "specifications": seen(specification_curve(frame, _listed(), main=_listed()[0], workers=1, **told)),
        "subgroups": [seen(subgroup_effects(frame, "ols", {"sex": [], "age": [14]}, planned=True, **told)),
                      seen(subgroup_effects(frame, "ols", ["sex"], **told))],
        "who gained": [_gained(frame)],
        "taking part": [seen(_takers(frame, days, "y12")), seen(_takers(frame, None, "yes"), "home")],
        "persistence": _lasting(frame),
        "worthwhile": [seen(Worth(5.0, finding(days, 5.0, "lower"), detectable_effect(days)))],
    }  # fmt: skip


def seen(found: object, outcome: str = "days", title: str = "Days in care") -> Seen:
    """A finding about an outcome."""
    return Seen(outcome, title, found)


def _unknown(frame: pd.DataFrame, days: object) -> Unknown:
    omitted = omitted_variable_bounds(frame, outcome="y12", treated="treated", covariates=["need", "age", "before"],
                                      benchmark="before")  # fmt: skip
    order = frame.sort_values(["treated", "need"], kind="stable")
    half = len(frame) // 2
    pairs = order["y12"].to_numpy()[half:] - order["y12"].to_numpy()[:half]
    return Unknown(e_value_of(days, sd=10.0), omitted, rosenbaum_bounds(pairs, (1, 1.5, 2), "less"))


def _placebo(frame: pd.DataFrame) -> pd.DataFrame:
    table = placebo_outcomes(frame, "ols", ["before", "need"], treated="treated", covariates=["age"], person="person")
    return table.assign(says=["before referral"] * 2, title=["before", "need"])


def _traced(frame: pd.DataFrame) -> Seen:
    told = TOLD | {"outcome": "lost"}
    planned, weighted = estimate(frame, "ols", **told), with_attrition_weights(frame, "ols", **told)
    return seen(Traced(planned, weighted, attrition_bounds(frame, outcome="lost", treated="treated")))


def _listed() -> list[object]:
    return specifications(
        ["ols", "ipw", "difference"], {"planned": ["need", "age"], "with sex": ["need", "age", "sex"]}
    )


def _gained(frame: pd.DataFrame) -> Seen:
    found = who_gained(frame, outcome="y12", treated="treated", person="person", baseline="before", threshold=4.0,
                       better="lower", draws=199)  # fmt: skip
    return seen(found)


def _takers(frame: pd.DataFrame, everyone: object, outcome: str) -> Takers:
    told = TOLD | {"outcome": outcome}
    whole = everyone or estimate(frame, "ols", **told, values="yes or no")
    through = taking_part(frame, outcome=outcome, assigned="treated", took_part="came", person="person")
    return Takers(whole, through, completers(frame, "ols", "done", **told))


def _lasting(frame: pd.DataFrame) -> Seen:
    found = persistence(frame, "ols", outcomes={"y6": 0.5, "y12": 1.0, "y18": 1.5}, ends=0.5, **TOLD)
    table = found.table.assign(title=["6 months", "12 months", "18 months"])
    return seen(Lasting(Persistence(**{**vars(found), "table": table}), found.drop_off))
