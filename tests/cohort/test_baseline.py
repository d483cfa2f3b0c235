"""Two groups side by side at the start, and whether they differ by more than chance."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.cohort.baseline import baseline_flags, compare, overall_p, selection_flags
from evalkit.counterfactual import balance
from evalkit.errors import EstimationError

SIX = """
    arm | age | sex | lives | care
    a   | 10  | f   | town  | 1
    a   | 12  | f   | town  | 0
    a   | 14  | m   |       | 1
    b   | 13  | m   | coast | 0
    b   | 15  | m   | coast | 0
    b   |     | m   | town  | 1
"""


def described(frame, columns, names=("treated", "comparison")):
    return compare(frame, frame["arm"] == "a", frame["arm"] == "b", columns, names)


def lines(table):
    """The rows without missing values written as NaN."""
    return table.astype(object).where(table.notna(), None).values.tolist()


@pytest.fixture
def lalonde():
    frame = pd.read_csv(Path(__file__).parents[2] / "data" / "raw" / "national_supported_work" / "people.csv")
    return frame.assign(arm=frame["treat"].map({1: "a", 0: "b"}))


# ---------------------------------------------------------------- the table


def test_numbers_have_means_and_answers_have_shares_of_those_known(table):
    found = described(table(SIX), ["age", "sex", "lives", "care"])
    assert found.columns.tolist() == [
        *("column", "value", "kind", "treated_n", "treated_missing", "treated", "treated_sd"),
        *("comparison_n", "comparison_missing", "comparison", "comparison_sd", "difference"),
    ]
    third, two_thirds = pytest.approx(1 / 3), pytest.approx(2 / 3)
    # 12 - 14, over the root of (4 + 2) / 2
    assert lines(found.iloc[:2]) == [
        ["age", None, "mean", 3, 0, 12, 2, 2, 1, 14, pytest.approx(2**0.5), pytest.approx(-2 / 3**0.5)],
        ["age", "not known", "share", 0, 0, 0, None, 1, 0, third, None, pytest.approx(-(1 / 3) / (1 / 9) ** 0.5)],
    ]
    # 2 of 3 against 0 of 3: (2/3) over the root of (2/9 + 0) / 2
    assert lines(found.iloc[2:4]) == [
        ["sex", "f", "share", 2, 0, two_thirds, None, 0, 0, 0, None, pytest.approx(2)],
        ["sex", "m", "share", 1, 0, third, None, 3, 0, 1, None, pytest.approx(-2)],
    ]
    assert lines(found.iloc[4:7])[0][:7] == ["lives", "coast", "share", 0, 1, 0, None]
    assert lines(found.iloc[4:7])[2][:7] == ["lives", "not known", "share", 1, 0, third, None]
    assert lines(found.iloc[7:]) == [
        ["care", "1", "share", 2, 0, two_thirds, None, 1, 0, third, None, pytest.approx((1 / 3) / (2 / 9) ** 0.5)]
    ]
    assert found.attrs["people"] == {"treated": 3, "comparison": 3}


def test_the_difference_follows_from_published_ones_by_another_denominator(lalonde):
    # Acceptance V1g, on the same people: MatchIt divides by the treated's SD and gives variance ratios v.
    # Divided by both SDs the same difference is d x sqrt(2 / (1 + 1 / v)).
    found = described(lalonde, ["age", "re74"]).set_index("column")["difference"]
    for name, smd, ratio in (("age", -0.309445, 0.439995), ("re74", -0.721084, 0.518128)):
        assert found[name] == pytest.approx(smd * np.sqrt(2 / (1 + 1 / ratio)), abs=2e-6)


def test_the_balance_of_the_counterfactual_divides_by_the_treated_alone_and_both_say_so(lalonde):
    columns = ["age", "educ", "re74", "re75", "married"]
    ours, theirs = described(lalonde, columns), balance(lalonde, "treat", columns)
    rescaled = ours["difference"] * np.sqrt((ours["treated_sd"] ** 2 + ours["comparison_sd"] ** 2) / 2)
    assert (rescaled / ours["treated_sd"])[:4].to_numpy() == pytest.approx(theirs["smd_before"].to_numpy()[:4])
    assert ours["treated"].to_numpy() == pytest.approx(theirs["mean_treated"].to_numpy())
    assert ours.attrs["denominator"] == "square root of the mean of the two groups' variances"
    assert theirs.attrs["denominator"] == "standard deviation of the treated before weighting"


def test_the_difference_only_changes_its_sign_when_the_groups_change_places(lalonde):
    columns = ["age", "race", "married"]
    one = described(lalonde, columns)
    other = compare(lalonde, lalonde["treat"] == 0, lalonde["treat"] == 1, columns)
    assert one["difference"].to_numpy() == pytest.approx(-other["difference"].to_numpy())


@pytest.mark.parametrize(
    ("values", "row"),
    [
        (pd.array([True, None, False, True], dtype="boolean"), ["yes", "share", 1, 1, 1.0]),
        (pd.Series([True, None, False, True], dtype=object), ["yes", "share", 1, 1, 1.0]),
        (pd.array([1, None, 0, 1], dtype="Int64"), ["1", "share", 1, 1, 1.0]),
        (pd.array([3, None, 4, 5], dtype="Int64"), [None, "mean", 1, 1, 3.0]),
        (pd.Series([3, None, 4, 5], dtype=object), [None, "mean", 1, 1, 3.0]),
        ([3.0, np.inf, 4.0, 5.0], [None, "mean", 1, 1, 3.0]),
        (
            pd.Categorical(["low", None, "high", "low"], ["none", "low", "high"], ordered=True),
            ["low", "share", 1, 1, 1],
        ),
        (["low", "Not known", "high", "low"], ["high", "share", 0, 1, 0]),
        ([0.0, 0.0, 0.0, 0.0], ["1", "share", 0, 0, 0.0]),
    ],
)
def test_a_column_of_any_type_is_read_as_what_it_is(values, row):
    found = described(pd.DataFrame({"arm": list("aabb"), "x": values}), ["x"])
    assert lines(found)[0][1:6] == row


def test_dates_count_in_days_before_the_index_date():
    frame = pd.DataFrame({"arm": list("aabb"), "index_date": pd.to_datetime(["2020-01-11"] * 4)})
    frame["seen"] = [dt.date(2020, 1, 1), dt.date(2020, 1, 5), dt.date(2020, 1, 11), None]
    found = described(frame, ["seen", "index_date"])
    assert lines(found)[0][1:6] == ["days before the index date", "mean", 2, 0, 8.0]
    assert found["comparison"].iloc[0] == 0
    assert found.attrs["left_out"] == {"index_date": "the index date"}
    assert "no index date" in described(frame.drop(columns="index_date"), ["seen"]).attrs["left_out"]["seen"]


def test_what_cannot_be_compared_is_left_out_with_the_reason():
    frame = pd.DataFrame({"arm": ["a", "b"] * 20, "id": [f"p{k}" for k in range(40)], "empty": np.nan})
    frame["short_id"] = [f"q{k}" if k < 6 else None for k in range(40)]
    found = described(frame, ["id", "empty", "short_id"])
    assert len(found) == 0
    assert found.attrs["left_out"] == {
        "id": "text with more than 12 different answers",
        "empty": "nobody's value is known",
        "short_id": "no two people have the same answer",
    }


def test_a_difference_without_spread_in_either_group_is_missing_and_yet_told():
    frame = pd.DataFrame(
        {"arm": list("aaabbb"), "same": 5.3, "apart": [1.5] * 3 + [2.5] * 3, "yes": [1, 1, 1, 0, 0, 0]}
    )
    found = described(frame, ["same", "apart", "yes"])
    assert found["difference"].isna().all()
    (flag,) = baseline_flags(found)
    assert flag.text == "At the start treated and comparison differ in apart and yes."


def test_an_empty_group_and_a_single_person_are_no_error(table):
    frame = table(SIX)
    nobody = compare(frame, frame["arm"] == "c", frame["arm"] == "b", ["age", "sex", "care"])
    assert nobody.attrs["people"] == {"treated": 0, "comparison": 3}
    assert nobody["treated_n"].sum() == 0
    assert nobody["difference"].isna().all()
    assert baseline_flags(nobody) == []
    alone = compare(frame, pd.Series([True] + [False] * 5), frame["arm"] == "b", ["age"])
    assert lines(alone)[0][3:7] == [1, 0, 10, None]
    assert np.isnan(alone["difference"].iloc[0])
    assert [flag.text for flag in baseline_flags(alone) if "missing" not in flag.text] == []


def test_people_of_whom_the_group_is_not_known_are_in_neither(table):
    mask = pd.array([True, None, True, False, False, None], dtype="boolean")
    assert compare(table(SIX), mask, ~mask, ["age"]).attrs["people"] == {"treated": 2, "comparison": 2}


def test_an_unknown_column_is_an_error_with_a_suggestion(table):
    with pytest.raises(EstimationError, match=r'column "aeg" is not in the table. Did you mean "age"\?'):
        described(table(SIX), ["aeg"])
    with pytest.raises(EstimationError, match="aeg"):
        overall_p(table(SIX), np.arange(6) < 3, np.arange(6) >= 3, ["aeg"])


# ---------------------------------------------------------------- flags of the arms


def normal(n, shift, seed=0):
    """Two groups of n whose means differ by exactly this many standard deviations."""
    values = np.random.default_rng(seed).normal(size=n)
    values = (values - values.mean()) / values.std(ddof=1)
    return pd.DataFrame({"arm": ["a"] * n + ["b"] * n, "x": np.concatenate([values + shift, values])})


@pytest.mark.parametrize(
    ("shift", "level"), [(0.09, None), (0.11, "note"), (-0.24, "note"), (0.26, "caution"), (-0.26, "caution")]
)
def test_a_difference_is_noted_from_a_tenth_and_cautioned_from_a_quarter_of_a_standard_deviation(shift, level):
    flags = baseline_flags(described(normal(100, shift), ["x"]))
    assert [flag.level for flag in flags] == ([level] if level else [])


def test_the_flag_names_each_column_once_the_largest_difference_first(lalonde):
    columns = ["age", "educ", "race", "married", "nodegree", "re74", "re75"]
    caution, note = baseline_flags(described(lalonde, columns))
    assert caution.text == "At the start treated and comparison differ in race (black), married, re74 and re75."
    assert caution.detail == (
        "Largest standardised difference 1.67; from 0.25 on, adjusting for it leans on the model. "
        "Chance alone takes one column in 20 beyond 0.17 in groups of this size."
    )
    assert note.text == "At the start treated and comparison differ in age and nodegree."


def test_no_number_rests_on_a_share_of_few_people():
    frame = pd.DataFrame({"arm": ["a"] * 50 + ["b"] * 50, "yes": [1] * 9 + [0] * 41 + [1] * 25 + [0] * 25})
    (few,) = baseline_flags(described(frame, ["yes"]))
    assert "Largest" not in few.detail
    frame.loc[9, "yes"] = 1
    (enough,) = baseline_flags(described(frame, ["yes"]))
    assert "Largest standardised difference 0.66" in enough.detail


def test_values_missing_unequally_are_told_from_10_points_on():
    frame = normal(100, 0).assign(y=1.5)
    frame.loc[:8, "x"] = np.nan
    assert [f for f in baseline_flags(described(frame, ["x"])) if "missing" in f.text] == []
    frame.loc[:9, "x"] = np.nan
    (flag,) = [f for f in baseline_flags(described(frame, ["x", "y"])) if "missing" in f.text]
    assert flag.level == "caution"
    assert flag.text == "Between treated and comparison, values are missing unequally: x (more in treated)."


# ---------------------------------------------------------------- cherry-picking

NAMES = ("started", "did not start")


def invented(random, n, columns=30):
    """People with many columns, some related, skewed, of words and with gaps."""
    frame = pd.DataFrame(random.normal(size=(n, columns)), columns=[f"x{k}" for k in range(columns)])
    frame["x1"] += frame["x0"]
    frame["x2"] = np.exp(1.5 * frame["x2"])
    frame["area"] = random.choice(list("abcdefg"), n)
    frame["ill"] = pd.array(random.random(n) < 0.1, dtype="boolean")
    return frame.mask(random.random(frame.shape) < 0.05)


@pytest.mark.parametrize(("n", "columns"), [(60, 30), (2200, 6)])
def test_chance_alone_is_called_cherry_picking_in_one_study_of_twenty(n, columns):
    random, who, draws = np.random.default_rng(n), np.arange(n) < n // 2, 80
    people = (invented(random, n, columns) for _ in range(draws))
    p = np.array([overall_p(frame, who, ~who, list(frame), seed=7) for frame in people])
    assert (p <= 0.05).mean() <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / draws)
    assert np.mean(p) == pytest.approx(0.5, abs=4 * np.sqrt(1 / 12 / draws))


def test_those_who_were_chosen_are_found_out_among_thirty_columns():
    random, found = np.random.default_rng(2), 0
    for _ in range(20):
        frame = invented(random, 300)
        who = (frame["x5"].fillna(0) + random.normal(size=300) > 0).to_numpy()
        found += overall_p(frame, who, ~who, list(frame)) <= 0.05
    assert found >= 18


def test_lotteries_and_their_limit_agree():
    from evalkit.cohort.baseline import _limit, _lotteries

    random = np.random.default_rng(3)
    scores = random.normal(size=(2000, 6)) @ random.normal(size=(6, 6))
    scores = (scores - scores.mean(axis=0)) / scores.std(axis=0)
    drawn, limit = _lotteries(scores, 700, random), _limit(scores, 700, random)
    for share in (0.5, 0.9, 0.95):
        assert np.quantile(drawn, share) == pytest.approx(np.quantile(limit, share), rel=0.12)


def test_the_lottery_of_six_people_is_the_exact_one():
    # 3 of 6 people have 20 draws; only the true one and its mirror are as far apart: p = 2 / 20.
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0, 11.0, 12.0, 13.0]})
    who = np.arange(6) < 3
    assert overall_p(frame, who, ~who, ["x"]) == pytest.approx(0.1, abs=0.03)


def test_nobody_on_one_side_or_nothing_that_varies_is_no_test():
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0], "same": 4.2})
    everyone, nobody = np.ones(3, dtype=bool), np.zeros(3, dtype=bool)
    assert np.isnan(overall_p(frame, everyone, nobody, ["x"]))
    assert np.isnan(overall_p(frame, np.arange(3) < 1, np.arange(3) >= 1, ["same"]))


def picked():
    """120 people: those who started are two years older and more often girls."""
    age = np.tile([12.0, 13.0, 14.0], 40)
    frame = pd.DataFrame({"arm": ["a"] * 60 + ["b"] * 60, "age": age + np.repeat([2.0, 0.0], 60)})
    frame["sex"] = ["f"] * 40 + ["m"] * 20 + ["f"] * 20 + ["m"] * 40
    return frame.assign(calm=np.tile([1.5, 2.5], 60))


def test_how_those_who_started_differ_is_told_in_words():
    table = described(picked(), ["age", "sex", "calm"], NAMES)
    (flag,) = selection_flags(table, 0.0005, NAMES)
    assert flag.level == "caution"
    assert flag.text == (
        "Those who started differ by more than chance from those referred and eligible who did not: "
        "age is higher (mean 15.0 against 13.0); sex (f) is more frequent (about 65% against about 35%)."
    )
    assert flag.detail.startswith("One test over all columns: p < 0.001.")


def test_a_difference_that_chance_explains_or_that_is_tiny_is_not_told():
    table = described(picked(), ["age", "sex"], NAMES)
    assert selection_flags(table, 0.2, NAMES) == []
    assert selection_flags(table, float("nan"), NAMES) == []
    assert selection_flags(described(normal(2000, 0.09), ["x"], NAMES), 0.001, NAMES) == []


def test_shares_of_few_people_are_told_in_words_only():
    frame = pd.DataFrame({"arm": ["a"] * 40 + ["b"] * 40, "ill": [1] * 3 + [0] * 37 + [1] * 25 + [0] * 15})
    (flag,) = selection_flags(described(frame, ["ill"], NAMES), 0.001, NAMES)
    assert flag.text.endswith("who did not: ill is less frequent.")


def test_days_before_the_index_date_read_as_such():
    frame = picked().assign(index_date=pd.Timestamp("2020-01-31"))
    frame["seen"] = frame["index_date"] - pd.to_timedelta(frame["age"], unit="D")
    (flag,) = selection_flags(described(frame, ["seen"], NAMES), 0.001, NAMES)
    assert flag.text.endswith("seen: more days before the index date (mean 15.0 against 13.0).")


def test_a_group_of_few_cannot_be_judged_and_of_nobody_nothing_is_said():
    frame = picked()
    who = np.arange(120) < 7
    (flag,) = selection_flags(compare(frame, who, ~who, ["age"], NAMES), 0.01, NAMES)
    assert flag.level == "note"
    assert flag.text.startswith("A group has fewer than 10 people: whether those who started differ")
    assert selection_flags(compare(frame, who & False, ~who, ["age"], NAMES), float("nan"), NAMES) == []
