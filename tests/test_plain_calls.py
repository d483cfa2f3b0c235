"""The promised names, called as a stranger would: plain tables, near misses in names, things that are no tables."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from evalkit import contract, evidence, value
from evalkit.errors import DataError

DOMAIN = Path(__file__).parent / "data" / "domain"
LINE = {
    "outcome": "in work", "quantity": 60, "proxy": 8500, "deadweight": 0.4, "displacement": 0, "attribution": 0.3,
    "drop_off": 0.3, "duration": 2,
}  # fmt: skip
CARD = pd.DataFrame({"metric": ["a"], "price": [100]})
DONE = pd.DataFrame({"metric": ["a"], "units": [1]})


@pytest.mark.parametrize("thing", ["rate_card.csv", [{"metric": "a"}], None])
@pytest.mark.parametrize(
    "call",
    [
        lambda thing: contract.due(thing, DONE),
        lambda thing: contract.due(CARD, thing),
        contract.returns,
        contract.schedule_of,
        lambda thing: contract.milestones_earned(thing, "2020-01-01", {"placed": "placed"}),
        lambda thing: value.appraise(thing, 1000, 0.035),
        lambda thing: value.savings_by_agency(thing, 1),
    ],
)
def test_what_is_no_table_is_refused_with_the_remedy(call, thing):
    remedy = "pd.read_csv" if isinstance(thing, str) else "pd.DataFrame"
    with pytest.raises(DataError, match=f"must be a pandas DataFrame, and is a {type(thing).__name__}.*{remedy}"):
        call(thing)


def test_an_assumption_under_nearly_its_name_is_refused_and_not_left_out():
    lines = pd.DataFrame([LINE]).rename(columns={"deadweight": "dead_weight", "drop_off": "dropoff"})
    with pytest.raises(DataError) as error:
        value.appraise(lines, 250_000, 0.035)
    assert 'lacks the column "deadweight". Did you mean "dead_weight"?' in str(error.value)
    assert 'lacks the column "drop_off". Did you mean "dropoff"?' in str(error.value)
    assert value.appraise(pd.DataFrame([LINE]).assign(notes="x"), 250_000, 0.035).ratio == pytest.approx(1.3877, 1e-4)


def test_a_plain_map_without_deadweight_says_so_as_loudly_as_a_study_does():
    bare = value.appraise(pd.DataFrame([LINE]).drop(columns="deadweight"), 250_000, 0.035)
    assert [flag.level for flag in bare.flags if flag.about == "deadweight"] == ["serious"]
    stated = value.appraise(pd.DataFrame([LINE]), 250_000, 0.035)
    assert not any("No deadweight is taken off" in flag.text for flag in stated.flags)


@pytest.mark.parametrize(
    ("says", "numbers", "standing"),
    [
        ("achieved 160% of the final learning target", {"achieved": 8940, "target": 5592}, "supported"),
        ("116% of the enrolment target", {"achieved": 91.756, "target": 79}, "supported"),
        ("achieved 190% of the final learning target", {"achieved": 8940, "target": 5592}, "contradicted"),
        ("80% of the children met the target", {"part": 80, "whole": 100}, "supported"),
        ("the programme met its target", {"achieved": 82, "target": 79}, "supported"),
        ("92% of eligible girls, against a target of 79%", {"part": 768, "whole": 837}, "supported"),
    ],
)
def test_a_per_cent_of_a_named_target_is_read_as_such_and_a_share_of_people_is_not(says, numbers, standing):
    assert evidence.check_claim(says, numbers).standing == standing


def test_a_curve_is_turned_from_what_read_area_series_gives_or_can_read(tmp_path):
    file = DOMAIN / "13_oba_turning_the_curve" / "series.csv"
    plain = value.turn_curve(pd.read_csv(file), 2018, "Essex")
    read = value.read_area_series(file)
    assert read.table["area"].dtype == "str"
    assert value.turn_curve(read, 2018, "Essex").slope_per_year == plain.slope_per_year
    assert value.turn_curve(file, 2018, "Essex").table.equals(plain.table)
    with pytest.raises(DataError, match='The series is of "re_referral_pct"'):
        value.turn_curve(read, 2018, "Essex", "referrals")


def test_symbols_in_the_past_of_a_curve_are_told_by_the_plain_call_too():
    years = list(range(2010, 2018))
    series = pd.DataFrame({"area": "A", "year": years, "rate": ["5", "c", "6", "7", "7", "8", "8", "9"]})
    curve = value.turn_curve(series, 2015, "A", "rate")
    assert any("suppressed" in f"{flag.text} {flag.detail}" for flag in curve.flags)


def test_columns_of_a_national_table_are_text_not_objects():
    table = pd.DataFrame({"time_period": [2019, 2020], "geographic_level": "National", "country_name": "England"})
    read = value.read_area_series(table.assign(country_code="E92", rate=[60, 61]), "rate")
    assert not any(pd.api.types.is_object_dtype(read.table[name]) for name in read.table)


def test_a_file_of_the_data_set_is_no_folder_of_it(tmp_path):
    (tmp_path / "original_projects.csv").write_text("ID\n", encoding="utf-8")
    with pytest.raises(DataError, match="is a file"):
        contract.read_indigo(tmp_path / "original_projects.csv")


@pytest.mark.parametrize("mechanism", ["step", "slide", "scale"])
def test_a_level_below_nothing_is_a_bad_result_that_pays_nothing_and_not_a_wrong_entry(mechanism):
    card = pd.DataFrame({"metric": "fall", "price": [100, 200], "mechanism": mechanism, "threshold": [8.5, 10]})
    worse = contract.due(card, pd.DataFrame({"metric": ["fall"], "units": [-3.0]}))
    assert (worse["paid"].sum(), worse["why"].item()) == (0, "below the threshold")
    both = contract.due(card, pd.DataFrame({"metric": ["fall", "fall"], "units": [10, -3]}))
    assert both["paid"].sum() == contract.due(card, pd.DataFrame({"metric": ["fall"], "units": [10]}))["paid"].sum()
    with pytest.raises(DataError, match="negative units"):
        contract.due(CARD, pd.DataFrame({"metric": ["a"], "units": [-1]}))
