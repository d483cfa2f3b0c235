"""Days in a state: half open, clipped, overlaps once."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from evalkit.errors import DataError
from evalkit.outcomes import days_in_state

DATA = Path(__file__).parents[1] / "data"


def spans(*rows):
    table = pd.DataFrame(list(rows), columns=["person", "start", "end"])
    return table.assign(start=pd.to_datetime(table["start"]), end=pd.to_datetime(table["end"]))


def test_care_days_equal_those_of_the_reference_data():
    episodes = pd.read_csv(DATA / "v28_care_episodes.csv", parse_dates=["from", "to"])
    windows = pd.read_csv(DATA / "v28_care_windows.csv", parse_dates=["window_start", "window_end_excl"])
    found = days_in_state(
        episodes.set_axis(["person", "start", "end"], axis=1),
        windows.rename(columns={"id": "person", "window_start": "start", "window_end_excl": "end"}),
    )
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
