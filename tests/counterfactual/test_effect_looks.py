"""What stands beside the planned estimates, from the study file to the numbers."""

import numpy as np
import pandas as pd
import pytest

from evalkit import counterfactual as cf
from evalkit.cohort import build_cohort
from evalkit.errors import StudyError
from evalkit.outcomes import score_outcomes
from evalkit.study import read_study

PLAN = """
[tables]
people = "people.csv"

[cohort]
person = "id"
index = { date = 2020-01-01 }
arm = { column = "arm", treated = "new", comparison = "usual" }
cluster = "team"

[cohort.columns]
years = "age"

[[occasion]]
id = "baseline"
day = 0

[[occasion]]
id = "m6"
day = 183

[[occasion]]
id = "m12"
day = 365

[[measure]]
id = "mood"
title = "Mood"
table = "people"
columns = { baseline = "mood_0", m6 = "mood_6", m12 = "mood_12" }

[counterfactual]
estimator = "ESTIMATOR"
outcomes = ["mood@m12"]
covariates = ["age", "mood@baseline"]
design = "DESIGN"
"""
BESIDE = """
smallest_worthwhile = { "mood@m12" = 1.0 }

[counterfactual.taking_part]
column = "came"
completed = "stayed"

[counterfactual.attrition]

[[counterfactual.subgroup]]
column = "sex"

[[counterfactual.subgroup]]
column = "age"
cuts = [14]
planned = false

[counterfactual.gained]
outcomes = ["mood@m12"]
threshold = 3

[[counterfactual.placebo]]
outcome = "height"
says = "before it began"

[counterfactual.unmeasured]
benchmarks = ["mood@baseline"]

[counterfactual.specifications]
estimators = ["difference", "matching"]
covariate_sets = { "age alone" = ["age"] }
calipers = [0.2]

[counterfactual.persistence]
outcome = "mood"
occasions = ["m6", "m12"]
ends_day = 183
drop_off = { value = 0.2, low = 0.1, high = 0.3, source = "a review (2020)" }
"""
TRIAL = ("ols", "RCT")
SURVEY = ("matching", "cross-sectional regression with adequate controls")


@pytest.fixture(scope="module")
def people():
    """240 people in 24 teams; half are offered the programme by chance, most of them come, some are lost."""
    random = np.random.default_rng(8)
    n = 240
    arm = random.permutation([1, 0] * (n // 2))
    came = arm * (random.uniform(size=n) < 0.8)
    table = pd.DataFrame({"id": [f"p{i:03}" for i in range(n)], "arm": np.where(arm == 1, "new", "usual")})
    table["team"], table["sex"] = np.arange(n) % 24, random.choice(["f", "m"], n)
    table["age"], table["height"] = random.integers(11, 18, n), random.normal(150, 10, n).round()
    table["came"], table["stayed"] = came, came * (random.uniform(size=n) < 0.7)
    table["stayed"] = table["stayed"].astype(int)
    table["mood_0"] = random.normal(30, 5, n).round(1)
    table["mood_6"] = (table["mood_0"] + 3 * came + random.normal(0, 3, n)).round(1)
    table["mood_12"] = (table["mood_0"] + 2.5 * came + random.normal(0, 3, n)).round(1)
    for offered, lost in ((1, 8), (0, 22)):
        table.loc[random.choice(np.flatnonzero(arm == offered), lost, replace=False), "mood_12"] = np.nan
    return table


@pytest.fixture
def effects_of(make_study, people):
    def make(kind=TRIAL, beside=BESIDE, table=None):
        text = PLAN.replace("ESTIMATOR", kind[0]).replace("DESIGN", kind[1]) + beside
        folder = make_study(text, people=people if table is None else table)
        return cf.estimate_effects(score_outcomes(build_cohort(read_study(folder))))

    return make


def test_a_trial_shows_everything_that_its_study_asks_for(effects_of):
    looks = effects_of().looks
    assert {"taking part", "attrition", "subgroups", "who gained", "placebo outcomes"} <= set(looks)
    assert {"specifications", "persistence", "worthwhile", "without one cluster", "unmeasured causes"} <= set(looks)
    assert "overlap" not in looks  # chance decided: there is nothing to compare


def test_everyone_offered_is_the_headline_and_those_who_came_gained_more(effects_of):
    effects = effects_of()
    found = effects.looks["taking part"][0].found
    assert found.everyone.effect == effects.table["effect"].iloc[0]
    assert found.took_part.effect > found.everyone.effect
    assert found.completed.diagnostics["earns_level"] is False


def test_where_chance_did_not_decide_taking_part_is_refused_and_said(effects_of):
    effects = effects_of(SURVEY)
    assert effects.looks["taking part"][0].found.took_part is None
    assert any("effect of taking part is not estimated" in flag.text for flag in effects.flags)


def test_each_kind_of_subgroup_says_whether_it_was_planned(effects_of):
    seen = {one.found.planned: one.found for one in effects_of().looks["subgroups"]}
    assert set(seen[True].table["column"]) == {"sex"}
    assert set(seen[False].table["column"]) == {"age"}
    assert seen[True].interactions["p"].between(0, 1).all()


def test_the_planned_analysis_is_the_main_one_of_the_curve(effects_of):
    effects = effects_of()
    curve = effects.looks["specifications"].found
    assert curve.main["effect"] == pytest.approx(effects.table["effect"].iloc[0], rel=1e-10)
    assert set(curve.table["estimator"]) == {"ols", "difference", "matching"}


def test_an_outcome_from_before_shows_no_effect(effects_of):
    table = effects_of().looks["placebo outcomes"]
    assert table["title"].tolist() == ["height"]
    assert table["p"].iloc[0] > 0.01


def test_attrition_is_weighted_for_and_bounded(effects_of):
    found = effects_of().looks["attrition"][0].found
    assert found.weighted.effect == pytest.approx(found.planned.effect, abs=0.5)
    assert found.bounds.low < found.bounds.high  # the comparison lost more, so the treated are trimmed both ways


def test_matched_pairs_have_rosenbaums_bounds(effects_of):
    found = effects_of(SURVEY).looks["unmeasured causes"][0].found
    assert found.rosenbaum.table["p_high"].is_monotonic_increasing
    assert found.omitted.bounds["benchmark"].nunique() == 1


def test_a_stated_drop_off_is_used_where_the_data_cannot_say(effects_of, people):
    quiet = people.assign(mood_6=people["mood_0"] + (np.arange(240) % 7 - 3))
    found = effects_of(table=quiet).looks["persistence"].found
    assert found.found.drop_off is None
    assert (found.drop_off.value, found.drop_off.source) == (0.2, "a review (2020)")


def test_the_smallest_worthwhile_difference_is_judged(effects_of):
    worth = effects_of().looks["worthwhile"][0].found
    assert worth.smallest == 1.0
    assert worth.finding.verdict == "better"
    assert worth.detectable.effect > 0


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ('outcome = "mood"\n', 'outcome = "moot"\n', 'Did you mean "mood"'),
        ("value = 0.2", "value = 0.5", "must stand in that order"),
        ('estimators = ["difference", "matching"]', 'estimators = ["diference"]', 'Did you mean "difference"'),
        ('"mood@m12" = 1.0', '"mood@m12" = -1.0', "above 0"),
        ('column = "came"\ncompleted = "stayed"', "", "names neither column nor completed"),
    ],
)
def test_what_cannot_be_asked_is_said_when_the_study_is_read(effects_of, was, now, told):
    with pytest.raises(StudyError, match=told):
        effects_of(beside=BESIDE.replace(was, now))
