"""A study of areas or of one series, from its folder to its effects."""

import numpy as np
import pandas as pd
import pytest

from evalkit.counterfactual import effects_from_areas
from evalkit.errors import DataError, EstimationError, StudyError
from evalkit.evaluation import evaluate
from evalkit.study import read_study

AREAS = """
[tables]
areas = "areas.csv"

[counterfactual]
estimator = "{estimator}"
design = "{design}"

[counterfactual.areas]
table = "areas"
time = "year"
unit = "area"
{columns}

[[counterfactual.areas.outcome]]
id = "entries"
title = "Children entering care"
column = "rate"
unit = "per 10,000"
values = "amount"
better = "lower"
contract_baseline = 60
"""
BEGAN = 2015


def areas(count=14, effect=-8.0, treated=1, seed=5):
    """Areas by year, 2005 to 2020; the first of them have the programme from 2015."""
    random = np.random.default_rng(seed)
    years = np.arange(2005, 2021)
    rows = []
    shared = random.normal(0, 1, len(years)).cumsum()
    for area in range(count):
        own = 50 + random.normal(0, 4)
        lift = random.uniform(0.9, 1.1)
        for place, year in enumerate(years):
            on = area < treated and year >= BEGAN
            value = own + lift * shared[place] + effect * on + random.normal(0, 0.6)
            began = BEGAN if area < treated else 0
            rows.append({"area": f"area {area:02d}", "year": year, "on": int(on), "began": began, "rate": value})
    return pd.DataFrame(rows)


def plan(estimator, design, columns='treated = "on"'):
    return AREAS.format(estimator=estimator, design=design, columns=columns)


def test_a_synthetic_control_goes_from_folder_to_effect(make_study):
    folder = make_study(plan("synthetic control", "synthetic control"), areas=areas())
    effects = evaluate(folder).effects
    row = effects.table.iloc[0]
    assert row["outcome"] == "entries"
    assert row["title"] == "Children entering care"
    assert row["effect"] == pytest.approx(-8, abs=3)
    assert row["p"] == pytest.approx(1 / 14)  # the smallest that 14 areas can give
    assert 0.2 < row["deadweight"] < 0.9  # counted from the contract's baseline of 60
    assert effects.evidence.design == "synthetic control"
    assert effects.outcomes is None


def test_a_staggered_programme_goes_from_folder_to_effect(make_study):
    text = plan("staggered did", "staggered difference-in-differences", 'first_treated = "began"')
    effects = evaluate(make_study(text, areas=areas(30, treated=12))).effects
    row = effects.table.iloc[0]
    assert row["low"] < -8 < row["high"]
    assert effects.estimates["entries"].diagnostics["event_study"]["event_time"].min() < 0
    assert np.isfinite(effects.joint(50, 1)[("entries", "effect")]).all()


def test_one_series_goes_from_folder_to_effect_and_analyses_stand_beside_it(make_study):
    months = np.arange(1, 61)
    random = np.random.default_rng(3)
    series = pd.DataFrame({"month": months, "on": (months > 36).astype(int)})
    series["events"] = random.poisson(80 * np.where(series["on"] == 1, 0.8, 1.0))
    text = plan("interrupted time series", "interrupted time series", 'treated = "on"').replace('unit = "area"\n', "")
    text = text.replace('"rate"', '"events"').replace('time = "year"', 'time = "month"') + (
        '\n[[counterfactual.also]]\nid = "slope"\nsays = "with a change of slope"\n'
        'estimator = "interrupted time series"\noptions = { slope = true }\n'
    )
    effects = evaluate(make_study(text, areas=series)).effects
    row = effects.table.iloc[0]
    assert row["scale"] == "ratio"
    assert row["low"] < 0.8 < row["high"] < 1
    assert row["conclusion"] == "better"  # fewer events than without it: a ratio is judged against 1
    assert effects.evidence.finding == "better"
    assert effects.also["id"].tolist() == ["planned", "slope"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('unit = "area"\n', ""), "lacks unit"),
        (('treated = "on"', ""), "lacks treated"),
        (('"synthetic control"', '"aipw"'), "works on people"),
        (('id = "entries"', 'id = "entries"\nkolumn = "x"'), 'Did you mean "column"'),
    ],
)
def test_what_is_wrong_with_the_plan_of_areas_is_said_before_data_are_read(make_study, change, told):
    text = plan("synthetic control", "synthetic control").replace(*change, 1)
    with pytest.raises(StudyError, match=told):
        read_study(make_study(text, areas=areas()))


def test_a_column_that_is_not_there_is_named_with_the_place_that_needs_it(make_study):
    folder = make_study(plan("synthetic control", "synthetic control"), areas=areas().rename(columns={"rate": "ratio"}))
    with pytest.raises(DataError, match=r'no column "rate", which \[counterfactual.areas\] outcome.entries names'):
        effects_from_areas(read_study(folder))


def test_an_area_treated_from_the_first_year_is_refused_with_the_reason(make_study):
    frame = areas().assign(on=lambda d: (d["area"] == "area 00").astype(int))
    with pytest.raises(EstimationError, match="entries"):
        effects_from_areas(read_study(make_study(plan("synthetic control", "synthetic control"), areas=frame)))
