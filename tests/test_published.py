"""Published and peer results, each test named for its paper or its reference; acceptance numbers V and domain."""

import json
from pathlib import Path

import pandas as pd
import pytest

from evalkit import counterfactual as cf
from evalkit.study import read_study

ROOT = Path(__file__).parent.parent
PEOPLE = ROOT / "data" / "raw" / "national_supported_work"
COVARIATES = ["age", "educ", "race", "married", "nodegree", "re74", "re75"]
SCHOOL_COVARIATES = ["school_type", "father_ed", "mother_ed", "immigrant", "siblings", "q"]


@pytest.fixture(scope="module")
def lalonde():
    return pd.read_csv(PEOPLE / "people.csv")


@pytest.fixture(scope="module")
def girls():
    return pd.read_csv(ROOT / "tests" / "data" / "v06_achievement_girls_2001.csv", dtype={"q": str})


def on_lalonde(people, estimator, **options):
    columns = {"outcome": "re78", "treated": "treat", "covariates": COVARIATES, "person": "uid"}
    return cf.estimate(people, estimator, **columns, **options)


# ------------------------------------------------------- LaLonde (1986), Dehejia and Wahba (1999): V1 and V2


def test_v1a_matching_equals_matchit_to_the_cent(lalonde):
    found = on_lalonde(lalonde, "matching")
    assert found.diagnostics["pairs"] == 185
    assert found.effect == pytest.approx(894.367480, abs=0.01)
    assert found.se == pytest.approx(705.229764, rel=0.005)


def test_v1a_matching_adjusted_for_covariates(lalonde):
    found = on_lalonde(lalonde, "matching", adjust=True)
    assert found.effect == pytest.approx(1344.935605, abs=0.01)
    assert found.se == pytest.approx(718.977, rel=0.005)


def test_v1b_matching_within_a_caliper(lalonde):
    found = on_lalonde(lalonde, "matching", distance="logit", caliper=0.2)
    assert (found.diagnostics["pairs"], found.n_treated, found.n_comparison) == (117, 117, 117)
    assert found.effect == pytest.approx(1770.602906, abs=0.01)
    assert found.se == pytest.approx(924.234, rel=0.005)


def test_matching_exactly_on_race(lalonde):
    assert on_lalonde(lalonde, "matching", exact=["race"]).effect == pytest.approx(1472.69, abs=0.01)


def test_v1c_inverse_probability_weighting(lalonde):
    found = on_lalonde(lalonde, "ipw")
    assert found.effect == pytest.approx(1214.071221, abs=0.01)
    assert found.se == pytest.approx(798.155, rel=0.01)
    assert found.diagnostics["ess_comparison"] == pytest.approx(99.815386, abs=0.001)
    assert on_lalonde(lalonde, "ipw", se="hc0").se == pytest.approx(824.052, rel=0.01)


def test_v1e_augmented_weighting_in_both_forms(lalonde):
    hajek, plain = on_lalonde(lalonde, "aipw"), on_lalonde(lalonde, "aipw", normalise=False)
    assert (hajek.effect, plain.effect) == pytest.approx((1231.0443, 1226.5438), abs=0.05)
    assert hajek.se == pytest.approx(813.416, rel=0.01)


def test_v1f_regression_with_three_kinds_of_standard_error(lalonde, grid):
    grid(
        """
        kind      | se
        classical | 781.279
        hc2       | 742.182
        hc3       | 749.987
        """,
        lambda row: on_lalonde(lalonde, "ols", se=row.kind).se,
        "se",
    )
    assert on_lalonde(lalonde, "ols").effect == pytest.approx(1548.243802, abs=1e-3)


def test_v1g_balance_before(lalonde, grid):
    table = cf.balance(lalonde, "treat", COVARIATES)
    grid(
        """
        covariate  | smd
        age        | -0.309445
        educ       | 0.054965
        race black | 1.761542
        married    | -0.826309
        re74       | -0.721084
        re75       | -0.290263
        """,
        lambda row: table.loc[row.covariate, "smd_before"],
        "smd",
    )
    ratios = table.loc[["age", "re74"], "variance_ratio_before"]
    assert ratios.tolist() == pytest.approx([0.439995, 0.518128], abs=1e-5)


def test_v1h_balance_after_matching(lalonde, grid):
    table = on_lalonde(lalonde, "matching").balance
    grid(
        """
        covariate  | smd
        age        | 0.071770
        educ       | -0.129043
        race black | 1.025859
        re74       | -0.050451
        """,
        lambda row: table.loc[row.covariate, "smd_after"],
        "smd",
    )
    assert table.loc["age", "variance_ratio_after"] == pytest.approx(0.456803, abs=1e-5)


def test_v2_the_experiment_of_dehejia_and_wahba():
    experiment = pd.read_csv(PEOPLE / "experiment.csv")
    columns = {"outcome": "re78", "treated": "treat", "person": "uid"}
    classical = cf.estimate(experiment, "difference", se="classical", **columns)
    assert (classical.effect, classical.se) == pytest.approx((1794.3424, 632.8534), abs=1e-3)
    assert cf.estimate(experiment, "difference", **columns).se == pytest.approx(670.9965, abs=1e-3)


# ------------------------------------------------------- Card and Krueger (1994): V4, read from the shared folder


def test_v4_card_and_krueger_difference_in_differences(beside):
    file = beside("counterfactual/card_krueger_long.csv")
    columns = {"outcome": "fte", "treated": "nj", "person": "id", "time": "wave"}
    everybody = cf.estimate(pd.read_csv(file), "did", se="cr1s", **columns)
    assert (everybody.effect, everybody.se) == pytest.approx((2.753606, 1.306607), abs=1e-5)
    both = cf.estimate(pd.read_csv(file), "did", balanced=True, **columns)
    assert (both.effect, both.se) == pytest.approx((2.75, 1.3423), abs=5e-5)
    assert both.n_treated + both.n_comparison == 384


# ------------------------------------------------------- Angrist and Lavy (2009): V6


def test_v6_clustered_regression_equals_clubsandwich(girls):
    columns = {"outcome": "Bagrut_status", "treated": "treated", "cluster": "school_id", "person": "student_id"}
    found = {
        se: cf.estimate(girls, "ols", covariates=SCHOOL_COVARIATES, se=se, **columns) for se in ("cr1s", "cr2", "cr3")
    }
    assert [found[se].effect for se in found] == pytest.approx([0.0998235124] * 3, abs=1e-7)
    assert [found[se].se for se in found] == pytest.approx([0.0443288086, 0.0471727191, 0.0512532931], abs=1e-7)
    assert (found["cr1s"].p, found["cr2"].p) == pytest.approx((0.0311057, 0.0465427), abs=1e-6)
    assert (found["cr1s"].df, found["cr2"].df) == pytest.approx((33, 20.843114), abs=1e-5)
    assert (found["cr2"].low, found["cr2"].high) == pytest.approx((0.0016775, 0.1979695), abs=1e-6)


def test_v6_without_covariates_and_cr2_by_default(girls):
    columns = {"outcome": "Bagrut_status", "treated": "treated", "cluster": "school_id", "person": "student_id"}
    found = cf.estimate(girls, "difference", **columns)
    assert (found.effect, found.se) == pytest.approx((0.1085139662, 0.0647068553), abs=1e-7)
    assert (found.df, found.p) == pytest.approx((22.698434, 0.1072605), abs=1e-5)


# ------------------------------------------------------- sensitivity: V10, V11


def test_v11_vanderweele_and_ding_2017():
    found = cf.e_value(3.9, 1.8, 8.7)
    assert (found.value, found.interval) == pytest.approx((7.26, 3.00), abs=0.01)


def test_v10_cinelli_and_hazlett_2020():
    assert cf.robustness_value(4.18445, 783, alpha=1) == pytest.approx(0.138776, abs=1e-5)
    assert cf.robustness_value(4.18445, 783) == pytest.approx(0.076258, abs=1e-5)


# ------------------------------------------------------- Peterborough: V12 and domain 01; domain 03, 05


def test_v12_and_domain_01_the_first_social_impact_bond():
    effects = cf.effects_from_rates(read_study(ROOT / "data" / "raw" / "peterborough"))
    row = effects.table.iloc[0]
    assert (row.effect, row.rounding_low, row.rounding_high) == (-13, -14, -12)
    assert 100 * row.relative == pytest.approx(-8.387, abs=0.001)
    assert (100 * row.relative_high, 100 * row.relative_low) == pytest.approx((-7.767, -9.003), abs=0.001)
    assert row[["se", "low", "high", "p"]].isna().all()
    assert row.conclusion == "not known"
    assert "Sampling error unknown." in [flag.text for flag in effects.flags]


def test_domain_03_an_adverse_yes_or_no_is_turned_into_its_absence():
    rates = pd.DataFrame({"arm": [1, 0], "in_care": [0.108, 0.55]})
    found = cf.estimate(rates, "published", outcome="in_care", treated="arm", values="yes or no", better="lower")
    assert found.effect == pytest.approx(-0.442)
    assert found.deadweight.value == pytest.approx((1 - 0.55) / (1 - 0.108))
    assert 100 * found.diagnostics["relative"] == pytest.approx(-80.364, abs=0.001)


def test_domain_05_a_negative_effect_stays_negative():
    rates = pd.DataFrame({"arm": [1, 0], "eet": [0.59, 0.75], "n": [445, 445]})
    found = cf.estimate(rates, "published", outcome="eet", treated="arm", values="yes or no", n="n")
    assert 100 * found.effect == pytest.approx(-16.0)
    assert 100 * found.se == pytest.approx(3.106, abs=0.001)
    assert found.deadweight.value > 1


# ------------------------------------------------------- Tennessee STAR: v05


def test_v05_star_index_effects_with_their_clustered_errors():
    from evalkit.outcomes import cluster_index

    pupils = pd.read_csv(ROOT / "data" / "raw" / "project_star" / "pupils.csv", dtype={"id": str, "sch": str})
    expected = json.loads((ROOT / "tests" / "data" / "v05_star_icw.expected.json").read_text())
    for method, printed in (("icw", (0.1883, 0.0416)), ("klk", (0.1930, 0.0400))):
        index = cluster_index(pupils, expected["measures"], pupils["small"] == 0, method=method)
        frame = pupils.assign(index=index.scaled)
        columns = {"outcome": "index", "treated": "small", "person": "id", "cluster": "sch"}
        told = expected["effects_ols_cluster_school"][f"{method}_rescaled"]
        cr2, cr1s = cf.estimate(frame, "difference", **columns), cf.estimate(frame, "difference", se="cr1s", **columns)
        assert (cr2.effect, cr2.se) == pytest.approx((told["estimate"], told["se_CR2"]), abs=1e-6)
        assert cr1s.se == pytest.approx(told["se_CR1S_stata"], abs=1e-6)
        assert (cr2.effect, cr1s.se) == pytest.approx(printed, abs=5e-4 if method == "klk" else 5e-5)
