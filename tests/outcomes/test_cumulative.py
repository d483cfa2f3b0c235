"""Rates per year at risk and mean cumulative curves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError
from evalkit.outcomes.records.cumulative import mean_cumulative
from evalkit.outcomes.records.rates import rate_per_year, rate_summary
from evalkit.outcomes.summaries import mean_interval

START = pd.Timestamp("2024-01-01")


def day(number):
    return START + pd.Timedelta(days=number)


def windows(**lengths):
    rows = [(name, START, day(length)) for name, length in lengths.items()]
    return pd.DataFrame(rows, columns=["person", "start", "end"])


def episodes(*rows):
    found = [(name, day(first), pd.NaT if last is None else day(last)) for name, first, last in rows]
    return pd.DataFrame(found, columns=["person", "start", "end"])


def events(*rows):
    table = pd.DataFrame([(name, day(when), *rest) for name, when, *rest in rows])
    return table.set_axis(["person", "date", "severity"][: table.shape[1]], axis=1)


# ---------------------------------------------------------------- rates


def test_a_rate_is_events_over_days_at_risk_times_365():
    custody = episodes(("a", 100, 150), ("a", 120, 173))  # 73 days, the overlap once
    found = rate_per_year(
        events(("a", 0, 3), ("a", 364, 1), ("a", 365, 9), ("b", 10, 2)),
        windows(a=365, b=73, c=100),
        custody,
        "severity",
    )
    table = found.table.set_index("person")
    assert table["count"].to_dict() == {"a": 2, "b": 1, "c": 0}
    assert table["days_at_risk"].to_dict() == {"a": 292, "b": 73, "c": 100}
    assert table["rate"].tolist() == pytest.approx([2.5, 5, 0])
    assert table["severity_rate"].tolist() == pytest.approx([5, 10, 0])


def test_a_person_who_is_never_at_risk_has_no_rate_and_is_said():
    found = rate_per_year(events(("a", 3)), windows(a=10, b=10), episodes(("a", -5, None)))
    assert np.isnan(found.table.loc[0, "rate"])
    assert found.table.loc[1, "rate"] == 0
    texts = [flag.text for flag in found.flags]
    assert any("at risk on no day" in text for text in texts)
    assert any("not at risk; they are counted" in text for text in texts)


def test_events_that_cannot_be_are_named():
    one = windows(a=10)
    with pytest.raises(DataError, match=r'column "severity", row 0 .*negative'):
        rate_per_year(events(("a", 1, -2)), one, severity="severity")
    with pytest.raises(DataError, match=r"events: row 0 .*no date"):
        rate_per_year(events(("a", 1)).assign(date=pd.NaT), one)
    with pytest.raises(DataError, match=r'events lack the column "severity"'):
        rate_per_year(events(("a", 1)), one, severity="severity")
    with pytest.raises(DataError, match="not a date"):
        rate_per_year(events(("a", 1)).assign(date="soon"), one)


def bursts(people=400, seed=0, ratio=0.5):
    """Offences in bursts: a person's own rate varies, and they come several at a time; half as many when treated."""
    rng = np.random.default_rng(seed)
    arm = np.arange(people) % 2
    length = rng.integers(200, 600, people)
    mean = 0.01 * length * rng.gamma(0.5, 2, people) * np.where(arm == 1, ratio, 1)
    count = rng.poisson(mean)
    followed = pd.DataFrame({"person": np.arange(people), "start": START})
    followed["end"] = followed["start"] + pd.to_timedelta(length, unit="D")
    who = np.repeat(np.arange(people), count)
    happened = pd.DataFrame({"person": who, "date": START})
    return happened, followed, arm


def test_the_ratio_of_rates_equals_poisson_regression_with_an_offset():
    import statsmodels.api as sm

    happened, followed, arm = bursts()
    cluster = np.arange(400) // 4
    rates = rate_per_year(happened, followed)
    found = rate_summary(rates, arm, cluster)
    model = sm.GLM(
        rates.table["count"], sm.add_constant(arm), sm.families.Poisson(), offset=np.log(rates.table["days_at_risk"])
    ).fit(cov_type="cluster", cov_kwds={"groups": cluster})
    assert np.log(found.ratio) == pytest.approx(model.params.iloc[1], abs=1e-8)
    width = np.log(found.ratio_high / found.ratio_low)
    low, high = model.conf_int().iloc[1]
    assert width == pytest.approx(high - low, rel=0.05)  # CR2 and t against the plain sandwich
    assert found.table.loc["comparison", "rate"] == pytest.approx(np.exp(model.params.iloc[0]) * 365)


def test_the_interval_of_the_ratio_covers_the_truth_where_offences_come_in_bursts():
    hits = []
    for seed in range(200):
        happened, followed, arm = bursts(seed=seed + 100)
        found = rate_summary(rate_per_year(happened, followed), arm)
        hits.append(found.ratio_low <= 0.5 <= found.ratio_high)
    assert 0.90 <= np.mean(hits) <= 0.985


def test_an_arm_without_an_event_has_an_upper_bound_and_no_ratio():
    found = rate_summary(rate_per_year(events(("a", 3)), windows(a=365, b=365)), ["treated", "comparison"])
    assert found.table.loc["comparison", ["rate", "low"]].tolist() == [0, 0]
    assert found.table.loc["comparison", "high"] == pytest.approx(3.6889, abs=1e-4)  # -log(.025) a year
    assert np.isnan(found.ratio)
    assert "no event in the comparison arm" in found.flags[0].text


def test_what_is_counted_must_be_known_and_someone_at_risk():
    rates = rate_per_year(events(("a", 3)), windows(a=0))
    with pytest.raises(DataError, match="Nobody was at risk"):
        rate_summary(rates)
    with pytest.raises(DataError, match='Did you mean "count"'):
        rate_summary(rates, of="counts")


# ---------------------------------------------------------------- curves


def test_a_mean_cumulative_curve_worked_by_hand():
    """Three children: a followed 4 days, in care on days 1 and 2; b 4 days, never; c 2 days, in care on day 1.

    Day 0: nobody of 3. Day 1: 2 of 3. Day 2: 1 of 2 (c is gone). Day 3: 0 of 2.
    """
    found = mean_cumulative(episodes(("a", 1, 3), ("c", 1, 2)), windows(a=4, b=4, c=2), grid=[0, 1, 2, 3, 4]).table
    assert found["mean"].tolist() == pytest.approx([0, 0, 2 / 3, 7 / 6, 7 / 6])
    assert found["n"].tolist() == [3, 3, 3, 2, 2]
    # Up to day 2 each contributes (own - 2/3) / 3; from day 2 on a adds (1 - 1/2) / 2 and b takes the same.
    contributions = np.array([1 / 9 + 1 / 4, -2 / 9 - 1 / 4, 1 / 9])
    assert found["se"].iloc[-1] == pytest.approx(np.sqrt((contributions**2).sum() * 3 / 2))


def test_events_add_up_in_the_same_way():
    found = mean_cumulative(events(("a", 1), ("a", 1), ("b", 3), ("c", 5)), windows(a=4, b=4, c=2), grid=[0, 2, 4])
    assert found.unit == "events"
    assert found.table["mean"].tolist() == pytest.approx([0, 2 / 3, 2 / 3 + 1 / 2])  # c's comes after c is gone


def many(people=120, seed=0):
    rng = np.random.default_rng(seed)
    followed = windows(**{f"p{number}": 365 for number in range(people)})
    who = np.repeat(np.arange(people), rng.poisson(3, people))
    first, length = rng.integers(-50, 365, len(who)), rng.integers(0, 90, len(who))
    return episodes(*((f"p{one}", int(a), int(a + b)) for one, a, b in zip(who, first, length, strict=True))), followed


@pytest.mark.parametrize("clustered", [False, True])
def test_without_censoring_the_end_of_the_curve_is_the_plain_mean_with_its_interval(clustered):
    from evalkit.outcomes import days_in_state

    spells, followed = many()
    cluster = np.arange(120) // 10 if clustered else None
    last = mean_cumulative(spells, followed, cluster=cluster).table.iloc[-1]
    days = days_in_state(spells, followed).to_numpy()
    assert last["day"] == 365
    assert (last["mean"], last["low"], last["high"]) == pytest.approx(mean_interval(days, cluster))


def test_arms_are_estimated_apart_and_their_difference_has_an_interval():
    spells, followed = many()
    arm = np.arange(120) % 2
    found = mean_cumulative(spells, followed, arm)
    ends = found.table.groupby("arm").last()
    last = found.difference.iloc[-1]
    assert last["difference"] == pytest.approx(ends.loc["treated", "mean"] - ends.loc["comparison", "mean"])
    assert last["se"] == pytest.approx(np.hypot(ends.loc["treated", "se"], ends.loc["comparison", "se"]))
    assert found.difference.iloc[0][["difference", "low", "high"]].tolist() == [0, 0, 0]


def test_the_curve_of_censored_windows_covers_that_of_windows_followed_to_the_end():
    rng = np.random.default_rng(9)
    whole = []
    hits = 0
    for seed in range(150):
        spells, followed = many(80, seed)
        whole.append(mean_cumulative(spells, followed, grid=[365]).table["mean"].iloc[0])
    truth = float(np.mean(whole))
    for seed in range(150):
        spells, followed = many(80, seed)
        gone = followed.assign(end=START + pd.to_timedelta(rng.integers(120, 600, 80).clip(max=365), unit="D"))
        last = mean_cumulative(spells, gone, grid=[365]).table.iloc[0]
        hits += last["low"] <= truth <= last["high"]
    assert 0.90 <= hits / 150 <= 0.99


def test_a_curve_whose_end_rests_on_few_is_flagged():
    followed = windows(**{f"p{number}": 400 if number < 10 else 60 for number in range(40)})
    found = mean_cumulative(episodes(("p0", 0, 9)), followed)
    assert "Fewer than 50%" in found.flags[0].text
    assert found.table["day"].tolist()[:3] == [0, 30, 60]


def test_a_grid_or_windows_that_cannot_be_are_refused():
    with pytest.raises(DataError, match="days from 0 to 10"):
        mean_cumulative(episodes(("a", 0, 3)), windows(a=10), grid=[0, 11])
    with pytest.raises(DataError, match="No window has a length"):
        mean_cumulative(episodes(("a", 0, 3)), windows(a=0))


def test_the_row_order_of_the_tables_does_not_matter():
    spells, followed = many()
    arm = pd.Series(np.arange(120) % 2)
    order = np.random.default_rng(1).permutation(120)
    first = mean_cumulative(spells, followed, arm).difference
    again = mean_cumulative(spells.sample(frac=1, random_state=2), followed.iloc[order], arm.iloc[order]).difference
    assert np.allclose(first, again)
