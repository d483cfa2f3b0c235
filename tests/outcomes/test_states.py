"""Days in a state: half open, clipped, overlaps once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError
from evalkit.outcomes import days_in_state, mean_cumulative, placements, rate_per_year
from evalkit.outcomes.records.care import care_proportion
from evalkit.outcomes.records.states import covered_spans, overlap_flags

DATA = Path(__file__).parents[1] / "data"


def spans(*rows):
    table = pd.DataFrame(list(rows), columns=["person", "start", "end"])
    return table.assign(start=pd.to_datetime(table["start"]), end=pd.to_datetime(table["end"]))


def test_care_days_equal_those_of_the_reference_data_under_its_own_names():
    episodes = pd.read_csv(DATA / "v28_care_episodes.csv")
    windows = pd.read_csv(DATA / "v28_care_windows.csv")
    before = episodes.copy(), windows.copy()
    found = days_in_state(episodes, windows)
    pd.testing.assert_frame_equal(episodes, before[0])
    pd.testing.assert_frame_equal(windows, before[1])
    assert care_proportion(found, windows).share == pytest.approx(0.1838450292398, abs=1e-12)
    assert found.tolist() == windows["exp_days_in_care"].tolist()
    assert found.sum() / (912 * len(windows)) == pytest.approx(0.1838450292398, abs=1e-12)


JANUARY = ("a", "2024-01-01", "2024-02-01")


@pytest.mark.parametrize(
    ("episodes", "days"),
    [
        ([("a", "2024-01-05", "2024-01-06")], 1),  # the first day counts, the last does not
        ([("a", "2024-01-05", "2024-01-05")], 0),
        ([("a", "2023-12-01", "2024-01-03")], 2),  # clipped at the start
        ([("a", "2024-01-31", "2024-03-01")], 1),  # and at the end
        ([("a", "2024-02-01", "2024-03-01")], 0),
        ([("a", "2024-01-05", "2024-01-15"), ("a", "2024-01-10", "2024-01-20")], 15),  # overlaps once
        ([("a", "2024-01-05", "2024-01-20"), ("a", "2024-01-07", "2024-01-09")], 15),  # one within another
        ([("a", "2024-01-05", "2024-01-10"), ("a", "2024-01-10", "2024-01-15")], 10),
        ([("a", "2024-01-20", None)], 12),  # still in the state
        ([("b", "2024-01-05", "2024-01-10")], 0),
    ],
)
def test_days_of_january(episodes, days):
    assert days_in_state(spans(*episodes), spans(JANUARY)).tolist() == [days]


def test_several_windows_of_a_person_are_counted_apart_and_in_their_order():
    episodes = spans(("a", "2024-01-10", "2024-03-10"), ("b", "2024-01-01", "2024-01-02"))
    windows = spans(("b", "2024-01-01", "2024-02-01"), ("a", "2024-03-01", "2024-04-01"), JANUARY).set_axis([7, 3, 5])
    found = days_in_state(episodes, windows)
    assert found.to_dict() == {7: 1, 3: 9, 5: 22}


def test_episodes_that_cannot_be_are_named():
    with pytest.raises(DataError, match=r"row 1 .* end before they start"):
        days_in_state(spans(("a", "2024-01-01", "2024-01-02"), ("a", "2024-01-05", "2024-01-01")), spans(JANUARY))
    with pytest.raises(DataError, match="no start"):
        days_in_state(spans(("a", None, "2024-01-02")), spans(JANUARY))
    with pytest.raises(DataError, match='episodes lacks the column "end"'):
        days_in_state(spans(JANUARY).drop(columns="end"), spans(JANUARY))


@pytest.mark.parametrize("names", [("id", "from", "to"), ("person_id", "start", "end"), ("person", "from", "end")])
@pytest.mark.parametrize("others", [("id", "window_start", "window_end"), ("person_id", "from", "window_end_excl")])
def test_usual_names_of_columns_are_understood(names, others):
    episodes = spans(("a", "2024-01-10", "2024-01-12")).set_axis(names, axis=1)
    windows = spans(JANUARY, ("b", "2024-01-01", "2024-02-01")).set_axis(others, axis=1)
    assert days_in_state(episodes, windows).tolist() == [2, 0]
    assert rate_per_year(pd.DataFrame(columns=["person", "date"]), windows).table["person"].tolist() == ["a", "b"]
    assert placements(episodes, windows).table["number"].tolist() == [1, 0]
    assert mean_cumulative(episodes, windows).table["mean"].iloc[-1] == 1


def test_two_columns_of_one_meaning_are_an_error_that_names_both():
    episodes, windows = spans(("a", "2024-01-10", "2024-01-12")), spans(JANUARY)
    with pytest.raises(DataError, match=r'episodes has "person" and "id", each of which may be the person'):
        days_in_state(episodes.assign(id=7), windows)
    twice = windows.rename(columns={"end": "to"}).assign(window_end=windows["end"])
    with pytest.raises(DataError, match=r'windows has "to" and "window_end", each of which may be the end'):
        days_in_state(episodes, twice)
    with pytest.raises(DataError, match=r'windows has "to" and "window_end"'):
        care_proportion(pd.Series([2.0]), twice)
    with pytest.raises(DataError, match=r'"start" \(or "from" or "window_start"\).*lacks the column "end"'):
        days_in_state(episodes[["person"]], windows)


def test_windows_and_dates_that_cannot_be_are_named():
    episode = spans(("a", "2024-01-01", "2024-01-02"))
    with pytest.raises(DataError, match=r"windows: row 0 .* end before they start"):
        days_in_state(episode, spans(("a", "2024-02-01", "2024-01-01")))
    with pytest.raises(DataError, match=r'episodes: column "end", row 0 .*not a date'):
        days_in_state(episode.assign(end="soon"), spans(JANUARY))
    with pytest.raises(DataError, match=r"episodes: row 0 .* have no person"):
        days_in_state(episode.assign(person=None), spans(JANUARY))


def test_ids_that_are_numbers_in_one_table_and_text_in_the_other_are_refused():
    episode = spans((1, "2024-01-05", "2024-01-06"))
    windows = spans(("1", "2024-01-01", "2024-02-01"))
    with pytest.raises(DataError, match="number in one table and text in the other"):
        days_in_state(episode, windows)
    as_objects = windows.astype({"person": object})
    with pytest.raises(DataError, match="number in one table"):
        days_in_state(episode, as_objects)
    assert days_in_state(episode.astype({"person": "str"}), windows).tolist() == [1]


def test_no_episodes_are_no_days_and_a_window_without_an_end_has_no_answer():
    windows = spans(JANUARY, ("b", "2024-01-01", None))
    found = days_in_state(spans(JANUARY).iloc[:0], windows)
    assert found.iloc[0] == 0
    assert np.isnan(found.iloc[1])


def test_days_equal_those_counted_one_by_one():
    rng = np.random.default_rng(5)
    start = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(-60, 120, 400), unit="D")
    episodes = pd.DataFrame({"person": rng.integers(0, 40, 400), "start": start})
    episodes["end"] = episodes["start"] + pd.to_timedelta(rng.integers(0, 40, 400), unit="D")
    episodes.loc[rng.random(400) < 0.1, "end"] = pd.NaT
    opens = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 30, 60), unit="D")
    windows = pd.DataFrame({"person": rng.integers(0, 45, 60), "start": opens})
    windows["end"] = windows["start"] + pd.to_timedelta(rng.integers(0, 90, 60), unit="D")
    counted = []
    for window in windows.itertuples():
        days = set()
        for one in episodes[episodes["person"] == window.person].itertuples():
            last = window.end if pd.isna(one.end) else min(one.end, window.end)
            days |= set(pd.date_range(max(one.start, window.start), last - pd.Timedelta(days=1)))
        counted.append(len(days))
    assert days_in_state(episodes, windows).tolist() == counted


def test_spans_of_a_window_never_overlap():
    episodes = spans(
        ("a", "2024-01-05", "2024-01-20"), ("a", "2024-01-07", "2024-01-25"), ("a", "2024-01-08", "2024-01-09")
    )
    found = covered_spans(episodes, spans(JANUARY))
    assert found.start.tolist() == [4, 19]
    assert found.end.tolist() == [19, 24]


def test_overlapping_episodes_are_counted_once_and_said():
    apart = spans(
        ("a", "2024-01-05", "2024-01-10"), ("a", "2024-01-10", "2024-01-15"), ("b", "2024-01-06", "2024-01-09")
    )
    assert overlap_flags(apart) == []
    assert overlap_flags(apart.iloc[:0]) == []
    over = pd.concat([apart, spans(("a", "2024-01-14", None))], ignore_index=True)
    assert "before an earlier one" in overlap_flags(over, about="care_days")[0].text


# ---------------------------------------------------------------- the pooled share


def reference():
    episodes = pd.read_csv(DATA / "v28_care_episodes.csv", parse_dates=["from", "to"])
    windows = pd.read_csv(DATA / "v28_care_windows.csv", parse_dates=["window_start", "window_end_excl"])
    windows = windows.rename(columns={"id": "person", "window_start": "start", "window_end_excl": "end"})
    return episodes.set_axis(["person", "start", "end"], axis=1), windows


def test_the_pooled_care_proportion_equals_that_of_the_reference_data():
    episodes, windows = reference()
    expected = json.loads((DATA / "v28_care.expected.json").read_text(encoding="utf-8"))["care_proportion_pooled"]
    found = care_proportion(days_in_state(episodes, windows), windows)
    assert found.share == pytest.approx(expected, abs=1e-12)
    assert found.child_days == 912 * 60
    assert 0 < found.low < found.share < found.high < 1


def test_its_interval_is_that_of_a_mean_where_all_windows_are_alike():
    episodes, windows = reference()
    days = days_in_state(episodes, windows)
    found = care_proportion(days, windows)
    share = days / 912
    se = share.std(ddof=1) / np.sqrt(60)
    slope = found.share * (1 - found.share)
    from scipy.stats import t

    logit = np.log(found.share / (1 - found.share)) + t.ppf(0.975, 59) * se / slope
    assert found.high == pytest.approx(1 / (1 + np.exp(-logit)), rel=1e-9)


def test_windows_of_one_child_are_no_more_than_one_child():
    episodes, windows = reference()
    once = care_proportion(days_in_state(episodes, windows), windows)
    twice = pd.concat([windows, windows], ignore_index=True)
    again = care_proportion(days_in_state(episodes, twice), twice)
    assert (again.low, again.high) == pytest.approx((once.low, once.high))
    assert (again.n, again.groups) == (120, 60)


def test_the_arms_shares_and_their_difference_stand_side_by_side():
    episodes, windows = reference()
    days = days_in_state(episodes, windows)
    arm = np.arange(60) % 2
    found = care_proportion(days, windows, arm=arm)
    one, other = (days[arm == value] / 912 for value in (1, 0))
    assert found.difference == pytest.approx(one.mean() - other.mean())
    assert found.difference_high - found.difference_low == pytest.approx(
        2 * 2.0017 * np.sqrt(one.var() / 30 + other.var() / 30), rel=1e-3
    )


def test_where_nobody_or_everybody_was_in_care_the_interval_is_not_of_no_width():
    windows = spans(*[(name, "2024-01-01", "2024-02-01") for name in "abcdefghij"])
    none = care_proportion(pd.Series(np.zeros(10)), windows)
    assert (none.share, none.low) == (0, 0)
    assert none.high == pytest.approx(0.2775, abs=1e-4)  # Wilson for 0 of 10


def test_days_that_do_not_fit_their_windows_are_refused():
    windows = spans(JANUARY)
    with pytest.raises(DataError, match="more than the window has"):
        care_proportion(pd.Series([32.0]), windows)
    with pytest.raises(DataError, match="2 numbers of days for 1 windows"):
        care_proportion(pd.Series([1.0, 2.0]), windows)
    with pytest.raises(DataError, match="No window has a length"):
        care_proportion(pd.Series([0.0]), spans(("a", "2024-01-01", "2024-01-01")))
