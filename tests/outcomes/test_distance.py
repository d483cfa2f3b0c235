"""Distance travelled on a ladder."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError
from evalkit.outcomes.change.distance import distance_by_arm, distance_travelled
from evalkit.outcomes.change.ladders import first_and_last

DATA = Path(__file__).parents[1] / "data"
LADDER = pd.read_csv(DATA / "v27_star_ladder.csv")
STARTS = LADDER[[f"start{number}" for number in range(1, 7)]]
ENDS = LADDER[[f"end{number}" for number in range(1, 7)]]


def frames(start, end, areas=("home", "friends")):
    return pd.DataFrame(start, columns=list(areas)), pd.DataFrame(end, columns=list(areas))


@pytest.mark.parametrize("stage", [None, lambda reading: math.ceil(reading / 2)], ids=["the shelf's", "given"])
def test_distance_travelled_equals_the_reference_data(stage):
    found = distance_travelled(STARTS, ENDS, stage=stage).table
    for name in ("mean_change", "n_up", "n_down", "n_stage_up", "headroom_share"):
        expected = LADDER[f"exp_{name}"]
        assert found[name].isna().equals(expected.isna())
        assert (found[name] - expected).abs().max() < 1e-9


def test_the_areas_of_domain_example_15_from_first_to_last_available_reading():
    readings = pd.read_csv(DATA / "domain_15" / "readings.csv")
    expected = json.loads((DATA / "domain_15" / "expected.json").read_text(encoding="utf-8"))["expected"]
    pairs = first_and_last(readings, "person", "occasion", list(expected["areas"]))
    assert (pairs.people, pairs.with_two) == (expected["people"], expected["with_two_or_more"])
    found = distance_travelled(pairs.start, pairs.end, top=5).areas
    shares = {"up": "improved_pct", "same": "same_pct", "down": "worse_pct", "at_top": "already_at_top_at_first_pct"}
    for area, wanted in expected["areas"].items():
        for name in ("mean_first", "mean_last", "mean_change", "sd_change"):
            assert found.loc[area, name] == pytest.approx(wanted[name], abs=5e-5)
        for name, printed in shares.items():
            assert 100 * found.loc[area, name] == pytest.approx(wanted[printed], abs=5e-4)


def test_an_area_counts_up_same_and_down_with_wilsons_interval():
    start, end = frames([[2, 9], [2, 10], [4, 10], [5, None]], [[5, 10], [2, 10], [3, 9], [6, 4]])
    areas = distance_travelled(start, end).areas
    assert areas.loc["home", ["n", "n_up", "n_same", "n_down"]].tolist() == [4, 2, 1, 1]
    assert areas.loc["friends", ["n", "n_up", "n_same", "n_down"]].tolist() == [3, 1, 1, 1]
    assert areas.loc["home", ["up_low", "up_high"]].tolist() == pytest.approx([0.1500, 0.8500], abs=1e-4)
    assert areas.loc["home", "headroom_share"] == pytest.approx(3 / (8 + 8 + 6 + 5))
    assert areas.loc["friends", "at_top"] == pytest.approx(2 / 3)


def test_stages_are_counted_from_start_to_end_in_every_area():
    start, end = frames([[2, 9], [2, 10], [4, 10]], [[5, 10], [1, 8], [3, 9]])
    stages = distance_travelled(start, end).stages
    assert stages.loc[("home", 1), 3] == 1  # 2 to 5
    assert stages.loc[("home", 1), 1] == 1  # 2 to 1 stays in the stage
    assert stages.loc[("home", 2), 2] == 1
    assert stages.loc[("friends", 5), [4, 5]].tolist() == [1, 2]
    assert stages.to_numpy().sum() == 6


def test_a_person_at_the_top_everywhere_has_no_headroom_and_one_rated_once_no_row():
    start, end = frames([[10, 10], [None, 3], [3, None]], [[10, 9], [4, None], [4, 5]])
    table = distance_travelled(start, end).table
    assert np.isnan(table.loc[0, "headroom_share"])
    assert table.loc[0, "n_down"] == 1
    assert table.loc[1].drop("n_areas").isna().all()
    assert table.loc[2, ["n_up", "n_areas", "mean_change"]].tolist() == [1, 1, 1]


def test_readings_may_be_one_series_and_areas_of_other_names_go_by_position():
    found = distance_travelled(pd.Series([2, 5, 9], name="home"), pd.Series([4, 5, 8], name="home"))
    assert found.areas.loc["home", "n_up"] == 1
    assert any("by their position" in flag.text for flag in distance_travelled(STARTS, ENDS).flags)
    assert not any("by their position" in flag.text for flag in found.flags)


def test_the_order_of_columns_does_not_matter_where_names_agree():
    start, end = frames([[2, 9], [3, 8]], [[5, 10], [4, 7]])
    assert distance_travelled(start, end).areas.equals(distance_travelled(start, end[["friends", "home"]]).areas)


def test_unequal_ranges_are_given_by_area():
    start, end = frames([[2, 3], [3, 2]], [[5, 5], [4, 4]])
    found = distance_travelled(start, end, top={"home": 10, "friends": 5})
    assert found.areas.loc["friends", "headroom_share"] == 1 - 1 / 5
    assert found.stages is None
    assert found.table["n_stage_up"].isna().all()
    with pytest.raises(DataError, match="top says nothing about friends"):
        distance_travelled(start, end, top={"home": 10})


def test_a_ladder_that_looks_shorter_than_was_said_is_flagged():
    start, end = frames([[2, 3], [3, 2]], [[8, 5], [4, 4]])
    texts = [flag.text for flag in distance_travelled(start, end).flags]
    assert any("friends is above half of the top" in text for text in texts)
    named = distance_travelled(start, end, top={"home": 10, "friends": 5})
    assert not any("above half" in flag.text for flag in named.flags)


def test_a_ceiling_and_the_ordinal_steps_are_said():
    start, end = frames([[10, 3]] * 2 + [[5, 3]] * 8, [[10, 6]] * 10)
    flags = [flag.text for flag in distance_travelled(start, end).flags]
    assert any("at the top already of: home" in text for text in flags)
    assert any("not at equal distances" in text for text in flags)


def test_what_cannot_be_is_named_by_area_and_row():
    start, end = frames([[2, 3], [11, 2]], [[5, 5], [4, -1]])
    with pytest.raises(DataError, match=r'start, area "home", row 1 .*above the top of 10') as caught:
        distance_travelled(start, end)
    assert 'end, area "friends", row 1' in str(caught.value)
    with pytest.raises(DataError, match='"family" and "friends" in one of them only'):
        distance_travelled(start, end.rename(columns={"friends": "family"}))
    with pytest.raises(DataError, match="not of the same people"):
        distance_travelled(start, end.iloc[:1])
    with pytest.raises(DataError, match="not a number"):
        distance_travelled(start.assign(home=["low", "high"]), end)
    with pytest.raises(DataError, match="Nobody was rated twice"):
        distance_travelled(*frames([[None, 2]], [[3, None]]))
    with pytest.raises(DataError, match="top must be above 0"):
        distance_travelled(*frames([[1, 2]], [[3, 4]]), top=0)
    with pytest.raises(DataError, match="stage must turn"):
        distance_travelled(*frames([[1, 2]], [[3, 4]]), stage=lambda reading: "low")


def test_no_person_is_seen_in_what_is_shown():
    found = distance_travelled(STARTS, ENDS)
    assert repr(found) == "DistanceTravelled(100 people, 6 areas)"
    few = distance_travelled(STARTS.iloc[:5], ENDS.iloc[:5])._repr_html_()
    assert "[c]" in few
    assert "%" not in few


# ---------------------------------------------------------------- first and last


def readings(*rows):
    return pd.DataFrame(list(rows), columns=["person", "occasion", "home", "friends"])


def test_first_and_last_are_those_available_area_by_area():
    table = readings(
        ("a", 3, 5, 6), ("a", 1, 2, None), ("a", 2, 3, 4), ("b", 1, 2, 2), ("c", 2, 4, None), ("c", 1, 3, 1)
    )
    found = first_and_last(table, "person", "occasion", ["home", "friends"])
    assert (found.people, found.with_two) == (3, 2)
    assert found.start.loc["a"].tolist() == [2, 4]
    assert found.end.loc["a"].tolist() == [5, 6]
    assert found.start.loc["c", "home"] == 3
    assert np.isnan(found.start.loc["c", "friends"])  # rated once only
    assert np.isnan(found.end.loc["c", "friends"])
    assert "fewer than two readings" in found.flags[0].text


def test_occasions_whose_order_is_not_known_are_refused():
    with pytest.raises(DataError, match="is text"):
        first_and_last(readings(("a", "before", 1, 1), ("a", "after", 2, 2)), "person", "occasion", ["home"])
    ordered = readings(("a", "before", 1, 1), ("a", "after", 2, 2)).astype(
        {"occasion": pd.CategoricalDtype(["before", "after"], ordered=True)}
    )
    assert first_and_last(ordered, "person", "occasion", ["home"]).end.loc["a", "home"] == 2
    with pytest.raises(DataError, match=r"row 1 .*stand there again"):
        first_and_last(readings(("a", 1, 1, 1), ("a", 1, 2, 2)), "person", "occasion", ["home"])
    with pytest.raises(DataError, match='Did you mean "home"'):
        first_and_last(readings(("a", 1, 1, 1)), "person", "occasion", ["hme"])


# ---------------------------------------------------------------- by arm


def test_the_share_that_went_up_is_set_beside_the_comparisons():
    start, end = frames([[2, 2]] * 40, [[4, 4]] * 15 + [[2, 2]] * 5 + [[4, 4]] * 8 + [[2, 2]] * 12)
    found = distance_by_arm(start, end, [1] * 20 + [0] * 20).areas.loc["home"]
    assert found[["treated_count", "comparison_count"]].tolist() == [15, 8]
    assert found["difference"] == pytest.approx(0.35)
    # Newcombe's interval for 15/20 against 8/20, from Wilson's (.5313, .8881) and (.2188, .6134).
    assert found["difference_low"] == pytest.approx(0.35 - np.hypot(0.75 - 0.5313, 0.6134 - 0.4), abs=2e-4)
    assert found["difference_high"] == pytest.approx(0.35 + np.hypot(0.8881 - 0.75, 0.4 - 0.2188), abs=2e-4)


def test_areas_of_a_person_that_move_together_do_not_count_as_many_people():
    rng = np.random.default_rng(2)
    up = rng.random(60) < 0.5
    start = pd.DataFrame(np.full((60, 6), 4.0), columns=list("abcdef"))
    end = start.add(2.0 * up, axis=0)
    arm = np.arange(60) % 2
    found = distance_by_arm(start, end, arm).areas
    one, every = found.loc["a"], found.loc["all areas"]
    assert every["difference"] == pytest.approx(one["difference"])
    ratio = (every["difference_high"] - every["difference_low"]) / (one["difference_high"] - one["difference_low"])
    assert 0.9 < ratio < 1.15  # six areas that say the same are no more than one
