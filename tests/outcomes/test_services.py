"""Services side by side: agreement with lme4, coverage of intervals, funnel limits, few services, nothing leaked."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evalkit.errors import DataError, EstimationError
from evalkit.outcomes.growing import growth
from evalkit.outcomes.services import compare_services, funnel_limits

DATA = Path(__file__).parents[1] / "data"

SHRUNKEN = ["estimate", "low", "high"]


def served(services=20, sizes=(15, 60), between=0.5, seed=1, mean=10.0):
    """People in services of many sizes: frame, and each service's true mean."""
    draw = np.random.default_rng(seed)
    truth = mean + between * draw.normal(size=services)
    home = np.repeat(np.arange(services), draw.integers(*sizes, services))
    frame = pd.DataFrame({"service": [f"s{i:02d}" for i in home], "y": truth[home] + draw.normal(size=len(home))})
    return frame, truth


def test_raudenbush_and_bryk_2002_chapter_3_a_schools_mean_is_pulled_by_its_reliability():
    table = pd.read_csv(DATA / "v08_hsb_mathach.csv", dtype={"School": "str"})
    expected = json.loads((DATA / "v08_hsb_mathach.expected.json").read_text())["null"]
    between, within = (one["vcov"] for one in expected["varcorr"])
    mean = expected["fixed"]["(Intercept)"]["estimate"]
    found = compare_services(table, "MathAch", "School")
    own = table.groupby("School")["MathAch"].agg(["mean", "size"])
    reliability = between / (between + within / own["size"])
    by_hand = reliability * own["mean"] + (1 - reliability) * mean
    assert np.abs(found.table["estimate"] - by_hand).max() < 1e-5
    assert [found.mean, found.between_sd, found.within_sd] == pytest.approx([mean, between**0.5, within**0.5], rel=1e-5)
    assert found.icc == pytest.approx(0.18035, abs=1e-5)
    # The error given the variances is sqrt(between (1 - reliability)), and the overall mean's share of it.
    share = (1 - reliability) ** 2 * expected["fixed"]["(Intercept)"]["se"] ** 2
    assert np.abs(found.table["se"] - np.sqrt(between * (1 - reliability) + share)).max() < 1e-5


def test_schools_of_repeated_readings_have_the_effects_of_the_three_level_model():
    table = pd.read_csv(DATA / "v04_egsingle_growth.csv.gz", dtype={"schoolid": "str", "childid": "str"})
    found = compare_services(table, "math", "schoolid", ["year"], "childid")
    model = growth(table, "math", "year", "childid", cluster="schoolid", random="intercept")
    effects = model.group_effects["schoolid"]["(Intercept)"]
    assert np.abs(found.table["estimate"] - found.mean - effects).max() < 1e-8
    assert found.table["n"].sum() == 1721


def test_a_small_service_is_pulled_further_than_a_large_one():
    draw = np.random.default_rng(2)
    sizes = [4, 80, *[30] * 8]
    raw = [14.0, 14.0, *draw.normal(10, 1, 8)]
    rows = [{"service": f"s{i}", "y": value} for i, (n, at) in enumerate(zip(sizes, raw, strict=True))
            for value in at + stats.zscore(draw.normal(size=n))]  # fmt: skip
    found = compare_services(pd.DataFrame(rows), "y", "service").table
    assert found["raw"].tolist() == pytest.approx(raw)
    assert found.loc["s0", "estimate"] < found.loc["s1", "estimate"] < 14
    assert found.loc["s0", "high"] - found.loc["s0", "low"] > 2 * (found.loc["s1", "high"] - found.loc["s1", "low"])
    assert found.loc[["s0", "s1"], "rank"].tolist() == [2, 1]
    assert (found["rank_low"] <= found["rank"]).all()
    assert (found["rank"] <= found["rank_high"]).all()


@pytest.mark.parametrize("between", [0.1, 0.5])
def test_intervals_hold_the_truth_as_often_as_they_say_even_with_8_services(between):
    inside = []
    for seed in range(60):
        frame, truth = served(8, (8, 30), between, seed)
        found = compare_services(frame, "y", "service").table
        inside.append((found["low"] <= truth) & (truth <= found["high"]))
    assert 0.92 <= np.mean(inside) <= 0.995


def test_intervals_of_shares_hold_the_truth_as_often_as_they_say():
    inside = []
    for seed in range(25):
        draw = np.random.default_rng(seed)
        truth = draw.beta(4, 16, 10)
        home = np.repeat(np.arange(10), draw.integers(10, 40, 10))
        frame = pd.DataFrame({"service": home, "kept": (draw.uniform(size=len(home)) < truth[home]).astype(int)})
        found = compare_services(frame, "kept", "service").table
        inside.append((found["low"] <= truth) & (truth <= found["high"]))
        assert found[SHRUNKEN].min(axis=None) > 0
    assert 0.91 <= np.mean(inside) <= 0.995


def test_services_that_differ_by_chance_only_are_the_mean_with_room_for_doubt():
    draw = np.random.default_rng(0)
    frame = pd.DataFrame({"service": np.repeat([f"s{i}" for i in range(8)], 20), "y": draw.normal(size=160)})
    frame["y"] -= frame.groupby("service")["y"].transform("mean") * 0.9
    found = compare_services(frame, "y", "service")
    assert found.between_sd == pytest.approx(0, abs=1e-3)
    assert found.table["estimate"].std() < 1e-4
    assert (found.table["high"] - found.table["low"] > 3.9 * found.table["se"]).all()
    assert "Services differ no more than chance would have it." in [flag.text for flag in found.flags]


def test_the_mix_of_people_is_taken_into_account():
    frame, _ = served(12, between=0.0, seed=3)
    draw = np.random.default_rng(5)
    hard = frame["service"].isin(["s00", "s01", "s02"])
    frame["need"] = draw.normal(size=len(frame)) + 2 * hard
    frame["area"] = np.where(hard, "town", draw.choice(["town", "shore"], len(frame)))
    frame["y"] -= 1.5 * frame["need"]
    plain = compare_services(frame, "y", "service").table
    fair = compare_services(frame, "y", "service", ["need", "area"]).table
    assert (plain.loc[["s00", "s01", "s02"], "outside"] == "99.8%").all()
    assert (fair.loc[["s00", "s01", "s02"], "outside"] == "").all()
    assert "99.8%" not in set(fair["outside"])
    assert fair["raw"].equals(plain["raw"])
    assert fair["adjusted"].std() < 0.3 * plain["adjusted"].std()


def test_funnel_limits_of_scores_are_those_of_a_mean():
    low, high = funnel_limits([25, 100], 10, 5)
    assert low.tolist() == pytest.approx([10 - 1.959964, 10 - 0.979982], abs=1e-5)
    assert high.tolist() == pytest.approx([10 + 1.959964, 10 + 0.979982], abs=1e-5)
    assert funnel_limits([25], 10, 5, 0.998)[1][0] == pytest.approx(10 + 3.090232, abs=1e-5)


def test_funnel_limits_of_shares_are_binomial_and_close_in_on_the_line():
    low, high = funnel_limits([20, 50, 200, 100_000], 0.3, 0, kind="share")
    assert (np.diff(low) > 0).all()
    assert (np.diff(high) < 0).all()
    assert [low[3], high[3]] == pytest.approx(
        [0.3 - 1.96 * (0.21 / 1e5) ** 0.5, 0.3 + 1.96 * (0.21 / 1e5) ** 0.5], abs=1e-4
    )
    # Spiegelhalter's interpolation: between the count whose cumulative share first passes the tail and the one before.
    before, reached = stats.binom.cdf([9, 10], 20, 0.3)
    assert stats.binom.ppf(0.975, 20, 0.3) == 10
    assert high[0] == pytest.approx((10 - (reached - 0.975) / (reached - before)) / 20)


def test_fewer_than_five_services_are_shown_as_they_are():
    frame, _ = served(3)
    found = compare_services(frame, "y", "service")
    own = frame.groupby("service")["y"].mean()
    assert found.table["estimate"].tolist() == pytest.approx(own.tolist())
    assert np.isnan([found.between_sd, found.icc]).all()
    assert "Services are too few to be pulled together." in [flag.text for flag in found.flags]
    frame["kept"] = (frame["y"] > 10).astype(int)
    share = compare_services(frame, "kept", "service").table.iloc[0]
    wilson = stats.binomtest(round(share["raw"] * share["n"]), int(share["n"])).proportion_ci(method="wilson")
    assert [share["low"], share["high"]] == pytest.approx([wilson.low, wilson.high])


def test_a_yes_or_no_with_covariates_is_a_straight_line_and_says_so():
    frame, _ = served(8)
    frame = frame.assign(kept=(frame["y"] > 10).astype(int), age=np.arange(len(frame)) % 7)
    found = compare_services(frame, "kept", "service", ["age"])
    assert not found.binary
    assert "A yes-or-no outcome is adjusted as if it were a score." in [flag.text for flag in found.flags]


def test_missing_rows_and_people_in_two_services_are_said():
    frame, _ = served(6)
    frame["person"] = np.arange(len(frame)) % (len(frame) - 5)
    frame.loc[3:40, "y"] = np.nan
    found = compare_services(frame, "y", "service", person="person")
    texts = [flag.text for flag in found.flags]
    assert "Rows with a missing value are left out." in texts
    assert "Some people were in more than one service." in texts


def test_small_services_are_hidden_wherever_the_table_is_shown():
    frame, _ = served(8, (12, 20))
    small = pd.DataFrame({"service": "tiny", "y": [11.25, 9.5, 10.75]})
    found = compare_services(pd.concat([frame, small]), "y", "service")
    assert found.table.loc["tiny", "n"] == 3
    shown = found.protected()
    assert shown.loc["tiny", "n"] == "[c]"
    assert shown.loc["tiny"].drop("n").isna().all()
    # One hidden service would follow from the total, so the smallest of the others is hidden too.
    next_smallest = found.table["n"].drop("tiny").idxmin()
    assert shown.index[shown["n"] == "[c]"].tolist() == sorted(["tiny", next_smallest])
    assert shown.drop(index=["tiny", next_smallest]).notna().all(axis=None)
    assert "10.5" not in repr(found.protected().loc["tiny"])
    assert "[c]" in found._repr_html_()


def kept(**services):
    """People by service, so many with and so many without."""
    rows = [(name, value) for name, counts in services.items() for value, n in zip((1, 0), counts, strict=True)
            for _ in range(n)]  # fmt: skip
    return pd.DataFrame(rows, columns=["service", "kept"])


def test_services_of_which_few_people_had_a_yes_or_no_outcome_or_few_had_not_are_hidden():
    frame = kept(a=(20, 30), b=(25, 20), c=(4, 60), d=(40, 3), e=(15, 15), f=(30, 40))
    found = compare_services(frame, "kept", "service")
    assert found.yes_no
    shown = found.protected()["n"]
    assert shown.to_dict() == {"a": 50, "b": 45, "c": "[c]", "d": "[c]", "e": 30, "f": 70}
    assert found.protected().loc[["c", "d"]].drop(columns="n").isna().all(axis=None)
    adjusted = compare_services(frame.assign(age=np.arange(len(frame)) % 7), "kept", "service", ["age"])
    assert (adjusted.binary, adjusted.yes_no) == (False, True)
    assert adjusted.protected()["n"].equals(shown)


def test_where_one_service_alone_is_hidden_so_is_the_smallest_of_the_others():
    frame = kept(a=(20, 30), b=(25, 20), c=(4, 60), d=(15, 15), e=(30, 40))
    shown = compare_services(frame, "kept", "service").protected()["n"]
    assert shown.index[shown == "[c]"].tolist() == ["c", "d"]
    nothing_small = compare_services(frame[frame["service"] != "c"], "kept", "service").protected()
    assert nothing_small.notna().all(axis=None)


@pytest.mark.parametrize("services", [3, 12])
def test_a_service_of_one_person_is_said_however_many_there_are_without_its_name_or_number(services):
    frame, _ = served(services)
    one = pd.DataFrame({"service": ["lonely"], "y": [12.5]})
    found = compare_services(pd.concat([frame, one], ignore_index=True), "y", "service")
    said = [f"{flag.text} {flag.detail}" for flag in found.flags if "one person only" in flag.text]
    assert said == [
        "Services with one person only: a few of them. One person says next to nothing about a service. Join it with "
        "another, or leave it out."
    ]
    assert not any("one person only" in flag.text for flag in compare_services(frame, "y", "service").flags)


def test_what_cannot_be_compared_is_refused():
    frame, _ = served(6)
    with pytest.raises(DataError, match=r'no column "sevice"\. Did you mean "service"'):
        compare_services(frame, "y", "sevice")
    with pytest.raises(DataError, match='column "service" holds str values, not numbers'):
        compare_services(frame, "service", "y")
    with pytest.raises(EstimationError, match="two services or more"):
        compare_services(frame.assign(service="one"), "y", "service")
    with pytest.raises(EstimationError, match="same value"):
        compare_services(frame.assign(y=1), "y", "service")
