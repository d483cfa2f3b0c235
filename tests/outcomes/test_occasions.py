"""Summaries over occasions: each kind worked by hand, what a person must have read, and plans that do not allow it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError, EstimationError
from evalkit.outcomes.change.occasions import RULES, occasion_summary, occasion_weights, summary_shares

DRAWN = """
    person | wave | day | y
    ann    | 0    | 0   | 10
    ann    | 1    | 100 | 12
    ann    | 2    | 200 | 18
    ann    | 3    | 400 | 16
    ben    | 0    | 0   | 20
    ben    | 1    | 110 |
    ben    | 2    | 210 | 14
    ben    | 3    | 410 | 12
    cat    | 0    | 0   | 8
    cat    | 1    | 90  | 9
    cat    | 2    |     |
    cat    | 3    |     |
"""


def readings():
    lines = [[cell.strip() for cell in line.split("|")] for line in DRAWN.strip().splitlines()]
    table = pd.DataFrame(lines[1:], columns=lines[0])
    return table.assign(**{name: pd.to_numeric(table[name]) for name in ("wave", "day", "y")})


def summary(kind, table=None, **more):
    more = {"time": "day"} | more
    return occasion_summary(readings() if table is None else table, "person", "wave", "y", kind, **more)


@pytest.mark.parametrize(
    ("kind", "ann", "ben", "cat"),
    [
        ("endpoint", 16, 12, None),
        ("mean of post", (12 + 18 + 16) / 3, (14 + 12) / 2, None),
        ("area under the curve", (11 * 100 + 15 * 100 + 17 * 200) / 400, (17 * 210 + 13 * 200) / 410, None),
        ("peak and hold", 16, 12, None),
    ],
)
def test_each_summary_is_what_one_works_out_by_hand(kind, ann, ben, cat):
    values = summary(kind).values
    assert values["ann"] == pytest.approx(ann)
    assert values["ben"] == pytest.approx(ben)
    assert np.isnan(values["cat"]) == (cat is None)


def test_the_slope_is_the_least_squares_line_through_true_days_per_year():
    values = summary("slope").values
    assert values["ann"] == pytest.approx(np.polyfit([0, 100, 200, 400], [10, 12, 18, 16], 1)[0] * 365.25)
    assert values["ben"] == pytest.approx(np.polyfit([0, 210, 410], [20, 14, 12], 1)[0] * 365.25)
    assert np.isnan(values["cat"])  # two readings where four were planned


def test_peak_and_hold_takes_the_higher_of_the_last_two_where_lower_is_better():
    values = summary("peak and hold", better="lower").values
    assert (values["ann"], values["ben"]) == (18, 14)


def test_mean_of_post_needs_half_of_the_occasions():
    table = readings()
    table.loc[(table["person"] == "cat") & (table["wave"] == 2), "y"] = 11
    assert summary("mean of post", table).values["cat"] == 10


def test_dates_serve_as_days_and_two_occasions_as_a_slope():
    table = (
        readings().query("wave <= 1").assign(day=lambda t: pd.Timestamp("2024-01-01") + pd.to_timedelta(t["day"], "D"))
    )
    values = summary("slope", table).values
    assert values["ann"] == pytest.approx(0.02 * 365.25)
    assert np.isnan(values["ben"])


def test_occasions_before_the_baseline_do_not_count():
    assert summary("mean of post", baseline=1).values["ann"] == 17
    assert summary("area under the curve", baseline=1).values["ann"] == pytest.approx((15 * 100 + 17 * 200) / 300)
    with pytest.raises(DataError, match='no occasion "9"'):
        summary("endpoint", baseline=9)


@pytest.mark.parametrize("kind", [kind for kind in RULES if kind != "peak and hold"])
def test_on_a_common_schedule_the_summary_is_a_weighted_sum_of_the_occasions(kind):
    draw = np.random.default_rng(1)
    days = [0.0, 90, 200, 365]
    values = draw.normal(size=(30, 4))
    table = pd.DataFrame({
        "id": np.repeat(np.arange(30), 4), "wave": np.tile(np.arange(4), 30), "day": np.tile(days, 30),
        "y": values.ravel(),
    })  # fmt: skip
    found = occasion_summary(table, "id", "wave", "y", kind, "day").values
    weights = occasion_weights(days, kind)
    assert np.allclose(found, values @ weights)
    assert weights.sum() == pytest.approx(0 if kind == "slope" else 1)


def test_how_many_are_lost_is_told_with_the_rule():
    found = summary("endpoint")
    assert (found.n, found.lost) == (2, 1)
    assert found.flags[0].level == "caution"
    assert found.flags[0].text.startswith("33.3% of people have no endpoint")
    assert "nothing is carried forward" in found.flags[0].detail
    assert found.table["n"].tolist() == [3, 2, 2, 2]
    assert found.table["day"].tolist() == [0, 95, 205, 405]


def test_readings_without_a_date_are_left_out_of_slope_and_area_and_told():
    table = readings()
    table.loc[1, "day"] = np.nan
    found = summary("area under the curve", table)
    assert found.values["ann"] == pytest.approx((14 * 200 + 17 * 200) / 400)
    assert any("have no date" in flag.text for flag in found.flags)


def test_the_share_of_people_who_would_have_each_summary():
    found = summary_shares(readings(), "person", "wave", "y", "day").set_index("kind")
    assert found["n"].to_dict() == dict.fromkeys(RULES, 2)
    assert found.loc["slope", "share"] == pytest.approx(2 / 3)
    once = summary_shares(readings().query("wave <= 1"), "person", "wave", "y", "day").set_index("kind")
    assert "needs at least 3 occasions" in once.loc["peak and hold", "why_not"]
    assert once.loc["endpoint", "n"] == 2


def test_words_for_occasions_are_put_in_order_by_their_days_or_their_categories():
    names = {0: "start", 1: "half-way", 2: "later", 3: "end"}
    table = readings().assign(wave=lambda t: t["wave"].map(names))
    assert summary("endpoint", table).occasions == ("start", "half-way", "later", "end")
    ordered = table.assign(wave=pd.Categorical(table["wave"], list(names.values())))
    assert occasion_summary(ordered, "person", "wave", "y").values["ann"] == 16
    with pytest.raises(DataError, match="need an order"):
        occasion_summary(table, "person", "wave", "y")


@pytest.mark.parametrize(
    ("kind", "change", "kinds", "message"),
    [
        ("endpoint", lambda t: t[t["wave"] == 0], EstimationError, "needs at least 2 occasions.*there is one occasion"),
        ("peak and hold", lambda t: t[t["wave"] < 2], EstimationError, "needs at least 3 occasions"),
        ("endpoint", lambda t: pd.concat([t, t[:2]]), DataError, "2 readings are a person's second"),
        ("slope", lambda t: t.assign(day=-t["day"]), DataError, "dated on or before that of an earlier"),
        ("endpoint", lambda t: t.assign(y=t["y"].astype("str")), DataError, "must hold numbers"),
        ("endpoint", lambda t: t.assign(person=t["person"].where(t.index > 0)), DataError, 'Rows lack "person"'),
        ("slop", lambda t: t, DataError, 'Did you mean "slope"'),
    ],
)
def test_what_cannot_be_summarised_says_why(kind, change, kinds, message):
    with pytest.raises(kinds, match=message):
        summary(kind, change(readings()))


def test_numbers_of_occasions_are_not_taken_for_days():
    with pytest.raises(DataError, match="goes by true days"):
        occasion_summary(readings(), "person", "wave", "y", "slope")


def test_weights_of_occasions_that_are_none_are_an_error():
    with pytest.raises(DataError, match="not a weighted sum"):
        occasion_weights([0, 1, 2], "peak and hold")
    with pytest.raises(DataError, match="in increasing order"):
        occasion_weights([0, 2, 1], "slope")


def test_a_summary_shows_no_person_and_hides_small_counts():
    found = summary("endpoint")
    assert "ann" not in repr(found) + found._repr_html_()
    assert "66.7%" not in found._repr_html_()
