"""Domains of a study: the ways of clustering a plan may ask for, and whether a domain is balanced."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import StudyError
from evalkit.outcomes.index.clustering import cluster_index
from evalkit.outcomes.scoring import score_outcomes

OCCASIONS = [
    {"id": "baseline", "day": 0, "window": [-30, 14]},
    {"id": "m6", "day": 182, "window": [150, 210]},
    {"id": "m12", "day": 365, "window": [335, 395]},
]
AT = {"baseline": "0", "m6": "6", "m12": "12"}
NAMES = ["well", "ill", "calm"]
MEASURES = [
    {
        "id": name,
        "table": "scores",
        "columns": {occasion: f"{name}{tail}" for occasion, tail in AT.items()},
        "kind": kind,
    }
    | ({"better": "lower"} if name == "ill" else {})
    for name, kind in (("well", "subjective"), ("ill", "objective"), ("calm", "subjective"))
]


def scores(count=80, seed=1, missing=0.0):
    """Three measures on three occasions; the treated gain more."""
    draw = np.random.default_rng(seed)
    start, treated = draw.normal(size=count), np.arange(count) < count / 2
    table = pd.DataFrame({"id": [f"p{n:03d}" for n in range(count)]})
    for name, sign in (("well", 1), ("ill", -1), ("calm", 1)):
        for step, tail in enumerate(AT.values()):
            level = start + draw.normal(size=count) + 0.3 * step * (1 + treated)
            table[name + tail] = np.where(draw.random(count) < missing, np.nan, 50 + 10 * sign * level)
    return table


def outcomes(cohort_of, people, table=None, clusters=False, **domain):
    table = scores() if table is None else table
    plan = {
        "occasion": OCCASIONS,
        "measure": MEASURES,
        "domain": [{"id": "health", "title": "Health", "measures": NAMES} | domain],
    }
    columns = {"cluster": [f"t{n % 10}" for n in range(len(table))]} if clusters else {}
    return score_outcomes(cohort_of(people(len(table), **columns), {"scores": table}, plan))


def flags(found):
    return [flag for flag in found.flags if flag.about == "health"]


@pytest.mark.parametrize("index", ["icw", "klk", "obrien", "factor"])
def test_a_plan_may_ask_for_any_index_and_keeps_its_unit_from_the_baseline(cohort_of, people, index):
    found = outcomes(cohort_of, people, index=index)
    comparison = found.wide.iloc[40:]
    assert comparison["health@baseline"].mean() == pytest.approx(0, abs=1e-12)
    assert comparison["health@baseline"].std() == pytest.approx(1)
    assert found.domains["health@m12"].weights.equals(found.domains["health@baseline"].weights)
    growth = (found.wide["health@m12"] - found.wide["health@baseline"]).groupby(np.arange(80) < 40).mean()
    assert growth[True] > growth[False] > 0
    assert any("scalar invariance" in flag.text for flag in flags(found)) == (index == "factor")


def test_a_plan_may_fill_a_missing_measure_with_the_mean_of_the_arm(cohort_of, people):
    table = scores(missing=0.15)
    found = outcomes(cohort_of, people, table, index="klk", missing="arm_mean")
    plain = outcomes(cohort_of, people, table, index="klk")
    frame = pd.DataFrame({name: table[f"{name}12"] for name in NAMES})
    arm = (np.arange(80) < 40).astype(int)
    start = pd.DataFrame({name: table[f"{name}0"] for name in NAMES})
    index = cluster_index(start, NAMES, arm == 0, "klk", "full", {"ill": "lower"}, missing="arm_mean", arm=arm)
    assert np.allclose(found.wide["health@m12"], index.on(frame, arm).scaled, equal_nan=True)
    assert not np.allclose(found.wide["health@m12"], plain.wide["health@m12"], equal_nan=True)
    assert any("of the index's readings" in flag.text for flag in flags(found))


def test_a_plan_may_name_published_norms_which_the_flags_then_name(cohort_of, people):
    norms = {name: {"mean": 50, "sd": 20, "source": f"Author (2020), table {n}"} for n, name in enumerate(NAMES)}
    found = outcomes(cohort_of, people, index="klk", norms=norms)
    assert found.domains["health@baseline"].sd.tolist() == [20, 20, 20]
    table = scores()
    mean = (table["well0"] - table["ill0"] + table["calm0"] - 50) / 60
    assert np.allclose(found.domains["health@baseline"].values, mean)
    assert found.wide["health@baseline"][40:].std() < 1
    told = next(flag for flag in flags(found) if "published norms" in flag.text)
    assert "Author (2020), table 1" in told.detail
    named = outcomes(cohort_of, people, measures=[f"{name}@m12" for name in NAMES], norms={"well": norms["well"]})
    assert named.domains["health"].sd["well@m12"] == 20
    assert any("mixes units" in flag.text for flag in flags(named))


def test_norms_for_a_measure_outside_the_domain_are_an_error(cohort_of, people):
    with pytest.raises(StudyError, match='"wel"'):
        outcomes(cohort_of, people, norms={"wel": {"mean": 50, "sd": 20, "source": "Author (2020)"}})


def test_the_stability_of_the_weights_is_judged_by_the_studys_clusters(cohort_of, people):
    table = scores()
    found = outcomes(cohort_of, people, table, clusters=True).domains["health@baseline"]
    start = pd.DataFrame({name: table[f"{name}0"] for name in NAMES})
    by_team = cluster_index(
        start, NAMES, np.arange(80) >= 40, polarity={"ill": "lower"}, cluster=np.arange(80) % 10
    )  # fmt: skip
    assert np.allclose(found.errors, by_team.errors)


def test_a_balanced_domain_is_not_flagged_and_an_unbalanced_one_is_with_the_reason(cohort_of, people):
    assert flags(outcomes(cohort_of, people, index="klk")) == []
    thin = outcomes(cohort_of, people, measures=["well@baseline", "well@m12"], index="klk")
    told = {flag.text: flag.detail for flag in flags(thin)}
    assert "multiple measures taken on multiple occasions" in told["Health rests on a single measure."]
    assert "more than one outcome indicator" in told["Health rests on a single measure."]
    assert "regular intervals" in told["Health is measured on two occasions; three or more are advised."]
    assert "self-report beside observation" in told["Health has no measure declared as objective."]
