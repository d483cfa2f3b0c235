"""Studies whose cohort has no arms: a cut-off decides, or a figure of the past stands in for the comparison."""

import numpy as np
import pandas as pd
import pytest

from evalkit.evaluation import evaluate

PLAN = """
[tables]
people = "people.csv"

[cohort]
person = "id"
index = { date = 2020-01-01 }

[[measure]]
id = "care"
title = "Entered care"
column = "care"
values = "yes or no"
better = "lower"

[[measure]]
id = "mood"
title = "Mood"
column = "mood"

[counterfactual]
"""


@pytest.fixture
def people():
    random = np.random.default_rng(2)
    need = random.uniform(-10, 10, 800)
    mood = 30 + 0.5 * need + 4 * (need >= 0) + random.normal(0, 3, 800)
    care = (random.uniform(size=800) < 0.11).astype(int)
    return pd.DataFrame({"id": np.arange(800), "need": need.round(3), "mood": mood.round(2), "care": care})


def test_a_cut_off_needs_no_arms(make_study, people):
    plan = PLAN + 'estimator = "regression discontinuity"\nrunning = "need"\noutcomes = ["mood"]\ndesign = "RDD"\n'
    effects = evaluate(make_study(plan, people=people)).effects
    row = effects.table.iloc[0]
    assert row["low"] < 4 < row["high"]
    assert row["conclusion"] == "better"
    assert effects.evidence.sms == 4
    assert effects.attrition.empty


def test_a_figure_of_the_past_needs_no_arms(make_study, people):
    plan = PLAN + (
        'estimator = "historical baseline"\noutcomes = ["care"]\ndesign = "historical baseline"\n'
        'options = { baseline_rate = 0.55, baseline_n = 400, source = "the council\'s records" }\n'
    )
    effects = evaluate(make_study(plan, people=people)).effects
    row = effects.table.iloc[0]
    assert row["counterfactual"] == pytest.approx(0.55)
    assert row["deadweight"] == pytest.approx((1 - 0.55) / (1 - row["observed"]))  # of those who stayed out of care
    assert any(flag.level == "serious" for flag in effects.flags)  # nothing allows for a trend
    assert effects.evidence.sms is None or effects.evidence.sms <= 2
