"""People now against the past: its sampling error, its trend, a line through periods, and what is said of it."""

import math

import numpy as np
import pandas as pd
import pytest

from evalkit import counterfactual as cf
from evalkit.counterfactual.history.periods import extrapolate, period_means
from evalkit.errors import EstimationError
from evalkit.outcomes.change.shares import newcombe
from evalkit.study import read_study

SOURCE = {"source": "annual return, 2019"}
TREND = {"trend": -0.01, "trend_low": -0.02, "trend_high": 0.0, "trend_source": "national rates", "years": 3}


def yes(count, people):
    return pd.DataFrame({"y": [1] * count + [0] * (people - count)})


def run(frame, **options):
    return cf.estimate(frame, "historical baseline", outcome="y", **options)


def texts(found, level=None):
    return [flag.text for flag in found.flags if level in (None, flag.level)]


# ------------------------------------------------------------ a single past figure


def test_essex_half_would_have_stayed_out_of_care_anyway():
    found = run(yes(42, 388), better="lower", baseline_rate=0.55, baseline_n=100, **SOURCE)
    assert found.effect == pytest.approx(42 / 388 - 0.55)
    assert found.deadweight.value == pytest.approx((1 - 0.55) / (1 - 42 / 388))
    assert found.deadweight.value == pytest.approx(0.5045, abs=2e-4)
    assert (found.n_treated, found.n_comparison) == (388, 100)


def test_a_past_rate_is_an_independent_share_with_an_error_of_its_own():
    found = run(yes(30, 100), baseline_rate=0.2, baseline_n=50, **SOURCE)
    assert (found.low, found.high) == pytest.approx(newcombe(30, 100, 10, 50))
    assert found.se == pytest.approx(math.sqrt(0.3 * 0.7 / 99 + 0.2 * 0.8 / 50))
    wide, narrow = (run(yes(30, 100), baseline_rate=0.2, baseline_n=n, **SOURCE) for n in (20, 2000))
    assert wide.high - wide.low > found.high - found.low > narrow.high - narrow.low


def test_a_rate_out_of_100_is_the_same_rate():
    one = run(yes(30, 100), baseline_rate=0.2, baseline_n=50)
    hundred = run(yes(30, 100), baseline_rate=20, baseline_n=50, per=100)
    assert (one.low, one.counterfactual) == pytest.approx((hundred.low, hundred.counterfactual))


def test_a_past_mean_needs_its_spread_and_number():
    frame = pd.DataFrame({"y": np.random.default_rng(1).normal(10, 4, 60)})
    found = run(frame, baseline_mean=8, baseline_sd=4, baseline_n=80, values="amount", **SOURCE)
    own = frame["y"].var() / 60
    assert found.se == pytest.approx(math.sqrt(own + 16 / 80))
    assert found.df == pytest.approx((own + 0.2) ** 2 / (own**2 / 59 + 0.2**2 / 79))
    assert found.deadweight.low < 8 / found.observed < found.deadweight.high
    bare = run(frame, baseline_mean=8, values="amount", **SOURCE)
    assert all(math.isnan(one) for one in (bare.low, bare.p, bare.deadweight.low))
    assert "Sampling error of the past figure unknown." in texts(bare, "serious")
    fixed = run(frame, baseline_mean=8, baseline_se=0, values="amount", **SOURCE)
    assert fixed.se == pytest.approx(math.sqrt(own))
    assert any("taken as exact" in text for text in texts(fixed))


def test_it_covers_with_a_past_rate_and_with_a_past_mean():
    random = np.random.default_rng(4)
    covered = {"rate": [], "share": [], "mean": []}
    for _ in range(200):
        past = random.binomial(80, 0.5) / 80
        rate = run(yes(random.binomial(60, 0.15), 60), better="lower", baseline_rate=past, baseline_n=80)
        covered["rate"].append(rate.low <= -0.35 <= rate.high)
        covered["share"].append(rate.deadweight.low <= 0.5 / 0.85 <= rate.deadweight.high)
        frame, past = pd.DataFrame({"y": random.normal(10, 4, 40)}), random.normal(8, 4 / math.sqrt(50))
        mean = run(frame, baseline_mean=past, baseline_sd=4, baseline_n=50, values="amount")
        covered["mean"].append(mean.low <= 2 <= mean.high)
    assert all(0.91 <= np.mean(one) <= 0.99 for one in covered.values())


def test_nobody_now_has_an_interval_too():
    found = run(yes(0, 40), better="lower", baseline_rate=0.3, baseline_n=60, **SOURCE)
    assert -0.43 < found.low < -0.3 < found.high < -0.15
    assert found.deadweight.value == pytest.approx(0.7)
    assert 0.5 < found.deadweight.low < 0.7 < found.deadweight.high < 1
    assert found.se > math.sqrt(0.3 * 0.7 / 60)


def test_what_each_person_and_the_past_contribute_adds_up():
    found = run(yes(30, 100), baseline_rate=0.2, baseline_n=50, **SOURCE)
    assert len(found.influence) == 101
    assert math.sqrt((found.influence["effect"] ** 2).sum()) == pytest.approx(found.se)
    assert found.influence.index[-1] == "(past, y)"


def test_clusters_now_widen_the_interval():
    frame = yes(30, 100).sample(frac=1, random_state=1).assign(team=np.repeat(range(10), 10))
    frame["y"] = np.sort(frame["y"])
    found = run(frame, cluster="team", baseline_rate=0.2, baseline_n=50, **SOURCE)
    plain = run(frame, baseline_rate=0.2, baseline_n=50, **SOURCE)
    assert found.se > plain.se
    assert found.n_clusters == 10
    lonely = run(frame.assign(team=1), cluster="team", baseline_rate=0.2, baseline_n=50, **SOURCE)
    assert math.isnan(lonely.low)
    assert any("one cluster" in text for text in texts(lonely, "serious"))


def test_covariates_are_of_no_use_against_a_figure_and_that_is_said():
    frame = yes(30, 100).assign(x=np.arange(100) % 7)
    found = run(frame, covariates=["x"], baseline_rate=0.2, baseline_n=50, **SOURCE)
    assert any("Covariates are not used" in text for text in texts(found, "caution"))
    assert found.effect == pytest.approx(0.1)


# ------------------------------------------------------------ what would have changed anyway


def test_it_always_says_that_there_is_no_comparison_and_that_no_trend_is_allowed_for():
    found = run(yes(30, 100), baseline_rate=0.2, baseline_n=50, **SOURCE)
    assert any("no comparison at the same time" in text for text in texts(found))
    assert any("No change over time" in text for text in texts(found, "serious"))
    assert any("No source" in text for text in texts(run(yes(30, 100), baseline_rate=0.2, baseline_n=50)))
    allowed = run(yes(30, 100), baseline_rate=0.2, baseline_n=50, **SOURCE, **TREND)
    assert any("no comparison at the same time" in text for text in texts(allowed))
    assert not any("No change over time" in text for text in texts(allowed))


def test_a_trend_moves_the_past_and_its_range_widens_the_interval():
    plain = run(yes(30, 100), baseline_rate=0.2, baseline_n=50, **SOURCE)
    found = run(yes(30, 100), baseline_rate=0.2, baseline_n=50, **SOURCE, **TREND)
    assert found.counterfactual == pytest.approx(0.2 - 3 * 0.01)
    assert found.effect == pytest.approx(plain.effect + 0.03)
    spread = 3 * 0.02 / (2 * 1.959964)
    assert found.se == pytest.approx(math.hypot(plain.se, spread), rel=1e-6)
    assert found.high - found.low > plain.high - plain.low
    without = {name: value for name, value in TREND.items() if name not in ("trend_low", "trend_high")}
    bare = run(yes(30, 100), baseline_rate=0.2, baseline_n=50, **SOURCE, **without)
    assert any("uncertainty of the trend is not counted" in text for text in texts(bare, "caution"))


def test_a_trend_beyond_what_a_share_can_be_is_not_cut_off():
    found = run(yes(3, 100), baseline_rate=0.1, baseline_n=50, trend=-0.05, years=4, **SOURCE)
    assert found.counterfactual == pytest.approx(-0.1)
    assert any("beyond what a share can be" in text for text in texts(found, "serious"))


# ------------------------------------------------------------ people of before


def both(seed, people=120):
    random = np.random.default_rng(seed)
    now = np.repeat([1, 0], people // 2)
    x = random.normal(size=people) + 0.5 * now
    y = 10 + x + 2 * now + random.normal(size=people)
    return pd.DataFrame({"id": range(people), "now": now, "x": x, "y": y, "year": np.where(now, 2022, 2019)})


def test_people_of_before_are_compared_as_an_arm_adjusted_for_covariates():
    frame = both(1)
    found = run(frame, treated="now", covariates=["x"], person="id", values="amount")
    same = cf.estimate(frame, "ols", outcome="y", treated="now", covariates=["x"], person="id", values="amount")
    assert (found.effect, found.se, found.df) == pytest.approx((same.effect, same.se, same.df))
    assert (found.deadweight.low, found.deadweight.high) == pytest.approx((same.deadweight.low, same.deadweight.high))
    assert found.balance.loc["x", "smd_before"] == pytest.approx(same.balance.loc["x", "smd_before"])


def test_with_one_earlier_period_the_years_between_come_from_time():
    frame = both(2)
    told = {"treated": "now", "person": "id", "time": "year", "values": "amount"}
    plain, moved = run(frame, **told), run(frame, **told, trend=0.4, trend_source="trend of the region")
    assert moved.effect == pytest.approx(plain.effect - 3 * 0.4)
    assert moved.diagnostics["years"] == 3


def periods(random, earlier=6, shock=0.5, each=60):
    """Every period has its own chance; the line rises by a half a year; the programme adds 2."""
    tables = []
    for year in range(earlier + 1):
        level = 20 + 0.5 * year + random.normal(0, shock) + 2 * (year == earlier)
        tables.append(
            pd.DataFrame({"y": level + random.normal(0, 3, each), "year": 2010 + year, "now": year == earlier})
        )
    return pd.concat(tables, ignore_index=True)


def test_several_earlier_periods_are_drawn_on_to_now_by_their_line():
    frame = periods(np.random.default_rng(3))
    found = run(frame, treated="now", time="year", values="amount")
    means = frame[~frame["now"]].groupby("year")["y"].mean()
    slope, level = np.polyfit(means.index, means, 1)
    assert found.counterfactual == pytest.approx(level + slope * 2016)
    assert found.df == 4
    assert found.diagnostics["periods"]["n"].tolist() == [60] * 6
    assert not any("No change over time" in text for text in texts(found))
    dated = frame.assign(year=pd.to_datetime(frame["year"].astype(str) + "-06-01"))
    assert run(dated, treated="now", time="year", values="amount").effect == pytest.approx(found.effect)


def test_the_line_counts_that_periods_differ_by_chance():
    random, covered, naive = np.random.default_rng(5), [], []
    for _ in range(200):
        frame = periods(random, shock=1.0)
        found = run(frame, treated="now", time="year", values="amount")
        covered.append(found.low <= 2 <= found.high)
        means = frame.groupby("now")["y"].sem()
        naive.append(abs(found.effect - 2) < 2 * math.hypot(*means))
    assert 0.92 <= np.mean(covered) <= 0.995
    assert np.mean(naive) < 0.7


def test_the_error_of_the_line_is_that_of_a_new_period():
    table = pd.DataFrame({"time": [1.0, 2, 3, 4], "mean": [1.0, 2.2, 2.8, 4.4], "n": [50.0] * 4, "variance": [0.0] * 4})
    level, error, df, _ = extrapolate(table, 6.0)
    slope, start = np.polyfit(table["time"], table["mean"], 1)
    residuals = table["mean"] - start - slope * table["time"]
    leverage = 1 / 4 + (6 - 2.5) ** 2 / ((table["time"] - 2.5) ** 2).sum()
    assert (level, df) == (pytest.approx(start + 6 * slope), 2)
    assert error == pytest.approx(math.sqrt((residuals**2).sum() / 2 * (1 + leverage)))


def test_two_earlier_periods_are_a_line_whose_chance_nobody_knows():
    found = run(periods(np.random.default_rng(2), earlier=2), treated="now", time="year", values="amount")
    assert any("two earlier periods" in text for text in texts(found, "serious"))


def test_rates_of_periods_with_their_numbers_do_as_well():
    table = pd.DataFrame(
        {"year": range(2010, 2016), "y": [60, 58, 57, 54, 53, 40], "people": [120, 90, 100, 110, 95, 105]}
    )
    told = {"treated": "now", "time": "year", "n": "people", "per": 100, "values": "yes or no", "better": "lower"}
    found = run(table.assign(now=table["year"] == 2015), **told)
    slope, level = np.polyfit(table["year"][:5], table["y"][:5] / 100, 1)
    assert found.effect == pytest.approx(0.40 - level - slope * 2015)
    assert (found.n_treated, found.n_comparison, found.influence) == (105, 515, None)
    assert found.low < found.effect < found.high


def test_a_date_of_birth_is_no_period():
    with pytest.raises(EstimationError, match="hardly anybody in each"):
        period_means(np.arange(20.0), np.arange(20.0), None)


# ------------------------------------------------------------ what is refused


def test_one_past_and_a_whole_trend_are_needed():
    for options, told in (
        ({}, "needs a past"),
        ({"baseline_rate": 0.2, "baseline_mean": 3.0}, "more than one past"),
        ({"baseline_rate": 0.2, "values": "amount"}, "baseline_rate is for a yes-or-no"),
        ({"baseline_rate": 0.2, "trend": 0.1}, "how many years"),
        ({"baseline_rate": 0.2, "trend": 0.1, "trend_low": 0.0, "years": 1}, "both ends"),
        ({"baseline_rate": 0.2, "trend": 0.1, "trend_low": 0.2, "trend_high": 0.3, "years": 1}, "does not lie between"),
        ({"baseline_rate": 0.2, "trend_low": 0.0, "trend_high": 0.3}, "give trend as well"),
        ({"baseline_rate": 55, "baseline_n": 100}, "must lie between 0 and per"),
        ({"baseline_rate": 0.2, "baseline_n": -5}, "cannot be negative"),
    ):
        with pytest.raises(EstimationError, match=told):
            run(yes(30, 100), **options)
    with pytest.raises(EstimationError, match="more than one past"):
        run(both(1), treated="now", baseline_mean=3, values="amount")
    with pytest.raises(EstimationError, match="trend of their own"):
        run(periods(np.random.default_rng(1)), treated="now", time="year", values="amount", trend=1)


def test_the_order_of_rows_the_unit_and_the_frame_stay():
    frame = periods(np.random.default_rng(6))
    before = frame.copy(deep=True)
    told = {"treated": "now", "time": "year", "values": "amount"}
    given, hundred = run(frame, **told), run(frame.assign(y=frame["y"] * 100), **told)
    shuffled = run(frame.sample(frac=1, random_state=1), **told)
    assert (given.effect, given.se) == pytest.approx((shuffled.effect, shuffled.se), rel=1e-12)
    assert (hundred.effect, hundred.se, hundred.p) == pytest.approx((100 * given.effect, 100 * given.se, given.p))
    pd.testing.assert_frame_equal(frame, before)


def test_a_study_with_rates_of_now_and_before_needs_no_people(make_study):
    folder = make_study(
        '[counterfactual]\nestimator = "published"\nrates = "rates.csv"\ndesign = "before-after, no controls"\n',
        rates="""outcome,treated,comparison,per,values,better,n_treated,n_comparison,trend,trend_low,trend_high,years,source
        care,10.8,55,100,yes or no,lower,388,100,-1,-2,0,3,Social Finance
        days,60,100,,amount,lower,,,,,,,annual return""",
    )
    study = read_study(folder)
    plan = study.counterfactual.model_copy(update={"estimator": "historical baseline"})
    effects = cf.effects_from_rates(study.model_copy(update={"counterfactual": plan}))
    care, days = effects.table.set_index("outcome").loc[["care", "days"]].to_dict("records")
    assert care["effect"] == pytest.approx(0.108 - (0.55 - 0.03))
    assert care["low"] < care["effect"] < care["high"] < 0
    assert (care["n_treated"], care["level"], care["conclusion"]) == (388, 1, "better")
    assert days["effect"] == -40
    assert math.isnan(days["low"])
    assert days["conclusion"] == "not known"
