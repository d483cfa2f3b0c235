"""Growth models: agreement with lme4, lmerTest, mixedlm and statsmodels; intervals that respect clusters; bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError, EstimationError
from evalkit.linear import degrees_of_freedom, least_squares, row_contributions
from evalkit.outcomes.growing import growth, variance_components
from evalkit.outcomes.growing.fit import Fit
from evalkit.outcomes.growing.likelihood import evaluate, gradient
from evalkit.outcomes.growing.robust import sandwich
from evalkit.outcomes.growing.sums import free, sums_of

DATA = Path(__file__).parents[1] / "data"
SLEEP = json.loads((DATA / "v03_sleepstudy.expected.json").read_text())
SERIOUS, STEEPER = "serious", "per unit of time"


@pytest.fixture(scope="module")
def sleep():
    return pd.read_csv(DATA / "v03_sleepstudy.csv", dtype={"Subject": "str"})


@pytest.fixture
def school():
    table = pd.read_csv(DATA / "v04_egsingle_growth.csv.gz", dtype={"schoolid": "str", "childid": "str"})
    return table, json.loads((DATA / "v04_egsingle_growth.expected.json").read_text())


def agrees(found, expected, fixed, variances, df=1e-3):
    """Hold a model to R's figures, at the tolerances of the reference data."""
    for term, row in expected["fixed"].items():
        assert found.fixed.loc[term, "estimate"] == pytest.approx(row["estimate"], rel=fixed)
        assert found.fixed.loc[term, "se"] == pytest.approx(row["se"], rel=fixed)
        assert found.fixed.loc[term, "df"] == pytest.approx(row["df_satterthwaite"], rel=df)
        assert found.fixed.loc[term, "t"] == pytest.approx(row["t"], rel=2 * fixed)
        assert found.fixed.loc[term, "p"] == pytest.approx(row["p"], rel=0.05)
    rows = found.variances.to_dict("records")
    known = {(one["grp"].split(":")[0], one["var1"], one["var2"]): one for one in expected["varcorr"]}
    for row in rows:
        for figure in ("vcov", "sdcor"):
            same = known[row["grp"], row["var1"], row["var2"]][figure]
            assert row[figure] == pytest.approx(same, rel=variances)
    assert len(rows) == len(expected["varcorr"])
    assert found.criterion == pytest.approx(expected["criterion"], abs=1e-3)
    assert found.singular == expected["singular"]


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_bates_and_others_2015_sleep_deprivation_as_lme4(sleep, method):
    agrees(growth(sleep, "Reaction", "Days", "Subject", method=method), SLEEP[method], 1e-4, 1e-3)


def test_raudenbush_and_bryk_2002_chapter_8_children_in_schools_null_model_as_lme4(school):
    table, expected = school
    found = growth(table, "math", None, "childid", cluster="schoolid", random="intercept")
    agrees(found, expected["three_level_null"], 1e-3, 5e-3)


def test_raudenbush_and_bryk_2002_chapter_8_growth_of_children_in_schools_as_lme4(school):
    table, expected = school
    found = growth(table, "math", "year", "childid", cluster="schoolid")
    agrees(found, expected["three_level_growth"], 1e-3, 5e-3)
    schools = found.group_effects["schoolid"].loc[expected["school_blups_growth"]["school"]]
    assert np.abs(schools["(Intercept)"] - expected["school_blups_growth"]["u0"]).max() < 2e-3
    assert np.abs(schools["year"] - expected["school_blups_growth"]["u1"]).max() < 2e-3


def test_raudenbush_and_bryk_2002_chapter_8_poverty_and_growth_as_lme4(school):
    table, expected = school
    found = growth(table, "math", "year", "childid", "lowinc", "schoolid", cluster_random="intercept")
    agrees(found, expected["cross_level"], 1e-3, 5e-3)


def test_raudenbush_and_bryk_2002_table_4_2_schools_differ_in_mathematics():
    table = pd.read_csv(DATA / "v08_hsb_mathach.csv", dtype={"School": "str"})
    expected = json.loads((DATA / "v08_hsb_mathach.expected.json").read_text())
    found = variance_components(table["MathAch"], table["School"])
    row = expected["null"]["fixed"]["(Intercept)"]
    assert [found.mean, found.se] == pytest.approx([row["estimate"], row["se"]], rel=1e-4)
    assert [found.between, found.within] == pytest.approx([v["vcov"] for v in expected["null"]["varcorr"]], rel=1e-3)
    assert found.icc == pytest.approx(expected["icc1_reml"], abs=1e-5)
    assert found.icc_anova == pytest.approx(expected["icc1_anova"], abs=1e-9)
    assert found.group_size == pytest.approx(expected["n0"], abs=1e-9)
    assert found.design_effect == pytest.approx(expected["deff_mean_cluster"], rel=1e-5)
    same = growth(table, "MathAch", None, "School", random="intercept")
    assert same.criterion == pytest.approx(expected["null"]["criterion"], abs=1e-3)
    assert same.fixed["df"].iloc[0] == pytest.approx(row["df_satterthwaite"], rel=1e-3)


def panel(persons=60, occasions=4, services=0, seed=1, effect=0.2, service_slope=0.3, whole=True, even=True):
    """People on occasions, treated by service (``whole``) or in turn; services may differ in level and slope."""
    draw = np.random.default_rng(seed)
    home = np.arange(persons) % max(services, 1)
    treated = (home if whole and services else np.arange(persons)) % 2
    u = draw.multivariate_normal([0, 0], [[0.6, 0.05], [0.05, 0.04]], persons)
    v = draw.normal(size=(max(services, 1), 2)) * ([0.4, service_slope] if services else 0)
    time = np.tile(np.arange(occasions, dtype=float), (persons, 1))
    if not even:
        time = time + draw.uniform(-0.3, 0.3, time.shape)
    level, slope = (u + v[home]).T[:, :, None]
    y = 1 + level + (0.5 + slope + effect * treated[:, None]) * time + draw.normal(0, 0.5, time.shape)
    long = {"y": y, "month": time, "treated": np.repeat(treated[:, None], occasions, 1)}
    frame = pd.DataFrame({name: values.ravel() for name, values in long.items()})
    names = np.repeat(np.arange(persons), occasions)
    return frame.assign(child=[f"c{i:04d}" for i in names], service=[f"s{i:02d}" for i in home[names]])


FULL = ("y", "month", "child", "treated")


def test_statsmodels_finds_the_same_line_and_variances():
    import statsmodels.formula.api as smf

    table = panel(even=False)
    found = growth(table, *FULL)
    peer = smf.mixedlm("y ~ month * treated", table, groups="child", re_formula="~month").fit(method="powell")
    assert found.fixed["estimate"].tolist() == pytest.approx(
        peer.fe_params[["Intercept", "month", "treated", "month:treated"]].tolist(), rel=1e-3
    )
    assert found.variances["vcov"].iloc[-1] == pytest.approx(peer.scale, rel=1e-2)
    assert -2 * peer.llf >= found.criterion - 1e-6


@pytest.mark.parametrize("even", [True, False])
def test_mixedlm_finds_the_same_with_services(even):
    from mixedlm import lmer

    table = panel(90, 4, 9, seed=6, even=even, whole=False)
    found = growth(table, *FULL, cluster="service")
    peer = lmer("y ~ month * treated + (month | service) + (month | child)", table)
    assert found.fixed["estimate"].tolist() == pytest.approx(list(peer.fixef().values()), rel=2e-3, abs=1e-4)
    assert peer.deviance >= found.criterion - 1e-6


def test_the_gradient_is_the_slope_of_the_likelihood():
    table = panel(90, 4, 9, even=False)
    group = np.arange(90) % 9
    x = np.column_stack([np.ones(360), table["month"], table["treated"]])
    sums = sums_of(table["y"].to_numpy(), x, table["month"].to_numpy(), pd.factorize(table["child"])[0], group)
    entries = free(["slope", "slope"])
    theta, step = np.array([0.9, 0.1, 0.4, 0.5, -0.2, 0.3]), 1e-5
    for reml in (True, False):
        ends = [[evaluate(sums, theta + s * e, entries, reml).deviance for s in (-step, step)] for e in np.eye(6)]
        slopes = [(high - low) / (2 * step) for low, high in ends]
        assert gradient(sums, evaluate(sums, theta, entries, reml), entries, reml) == pytest.approx(slopes, rel=1e-6)


def test_without_random_effects_cr2_is_that_of_least_squares():
    table = panel(60, 4, 9)
    y, x = table["y"].to_numpy(), np.column_stack([np.ones(240), table["month"], table["treated"]])
    person, group = pd.factorize(table["child"])[0], np.arange(60) % 9
    sums, entries = sums_of(y, x, None, person, group), free(["intercept"])
    none = Fit(sums, evaluate(sums, np.zeros(1), entries, True), np.zeros(1), entries, True, np.eye(1), True)
    ols, cluster = least_squares(y, x), group[person]
    for contrast in (*np.eye(3), np.array([0.0, 3.0, 1.0])):
        se, df = sandwich(none).standard_error(contrast)
        rows = np.bincount(cluster, row_contributions(ols, contrast, "cr2", cluster))
        assert se == pytest.approx(np.sqrt((rows**2).sum()), rel=1e-9)
        assert df == pytest.approx(degrees_of_freedom(ols, contrast, "cr2", cluster), rel=1e-9)


def test_time_may_start_anywhere_and_the_unit_may_be_any():
    table = panel(60, 4, 8)
    plain = growth(table, *FULL, cluster="service")
    moved = growth(table.assign(month=2019 + table["month"] / 12, y=100 * table["y"]), *FULL, cluster="service")
    assert moved.effect.loc[STEEPER, ["estimate", "low", "high"]].tolist() == pytest.approx(
        (1200 * plain.effect.loc[STEEPER, ["estimate", "low", "high"]]).tolist(), rel=1e-5
    )
    last = "at the final occasion"
    assert moved.effect.loc[last, "estimate"] == pytest.approx(100 * plain.effect.loc[last, "estimate"], rel=1e-5)
    assert moved.effect["df"].tolist() == pytest.approx(plain.effect["df"].tolist(), rel=1e-4)


def test_the_row_order_does_not_matter_and_the_table_is_left_alone():
    table = panel(60, 4, 8, even=False)
    kept = table.copy()
    one = growth(table, *FULL, cluster="service")
    other = growth(table.sample(frac=1, random_state=3), *FULL, cluster="service")
    assert np.allclose(one.fixed, other.fixed)
    for level, effects in one.group_effects.items():
        assert np.allclose(effects, other.group_effects[level].loc[effects.index])
    pd.testing.assert_frame_equal(table, kept)


def test_the_effect_is_said_per_unit_of_time_as_change_and_at_the_end():
    found = growth(panel(), *FULL)
    b = found.fixed["estimate"]
    assert found.effect["estimate"].tolist() == pytest.approx(
        [b["month:treated"], 3 * b["month:treated"], b["treated"] + 3 * b["month:treated"]]
    )
    assert set(found.effect["interval"]) == {"model"}
    assert found.effect.loc[STEEPER, "df"] == found.df["month:treated"]
    assert growth(panel(), *FULL[:3]).effect.empty


def test_words_become_terms_of_their_own_and_numbers_stay():
    table = panel().assign(age=lambda t: t["child"].str[-1].astype(int), area=lambda t: "area " + t["child"].str[-2])
    found = growth(table, *FULL, covariates=["age", "area"])
    assert found.fixed.index.tolist()[4:] == ["age", *(f"area[area {number}]" for number in range(1, 6))]


def test_children_whose_slopes_do_not_differ_give_an_edge_that_is_said():
    draw = np.random.default_rng(4)
    table = panel(40, 4)
    table["y"] = 0.3 * table["month"] + draw.normal(size=160)
    found = growth(table, *FULL)
    assert found.singular
    assert any("more than these data can tell apart" in flag.text for flag in found.flags)
    assert np.isfinite(found.effect.loc[STEEPER, ["low", "high"]].astype(float)).all()


def test_leaving_the_services_out_makes_the_model_too_sure_and_cr2_mends_it():
    """Trap 7 of the field notes in small: services with slopes of their own, treated as wholes."""
    truth, held = 0.2, {"naive": [], "robust": [], "in the model": []}
    errors = []
    for seed in range(80):
        table = panel(160, 3, 16, seed=seed, effect=truth)
        out = growth(table, *FULL, cluster="service", random="intercept", cluster_random="none")
        into = growth(table, *FULL, cluster="service", random="intercept", cluster_random="slope", robust="model")
        row, effect = out.fixed.loc["month:treated"], into.effect.loc[STEEPER]
        held["naive"].append(row["low"] <= truth <= row["high"])
        held["robust"].append(row["low_robust"] <= truth <= row["high_robust"])
        held["in the model"].append(effect["low"] <= truth <= effect["high"])
        errors.append([row["se"], row["se_robust"], row["estimate"]])
    naive, robust, estimate = np.array(errors).T
    assert np.mean(held["naive"]) < 0.75
    assert 0.88 <= np.mean(held["robust"]) <= 0.99
    assert 0.88 <= np.mean(held["in the model"]) <= 0.99
    assert naive.mean() < 0.6 * estimate.std()
    assert robust.mean() == pytest.approx(estimate.std(), rel=0.2)


def test_with_services_the_effects_interval_is_robust_and_both_stand_in_the_table():
    found = growth(panel(90, 4, 12), *FULL, cluster="service")
    row, effect = found.fixed.loc["month:treated"], found.effect.loc[STEEPER]
    assert effect["interval"] == "robust (CR2)"
    assert [effect["se"], effect["low"], effect["high"]] == [row["se_robust"], row["low_robust"], row["high_robust"]]
    assert effect["df"] < 12
    model = growth(panel(90, 4, 12), *FULL, cluster="service", robust="model").effect.loc[STEEPER]
    assert [model["se"], model["df"], model["interval"]] == [row["se"], row["df"], "model"]
    assert "se_robust" in growth(panel(), *FULL, robust="cr2").fixed
    assert "se_robust" not in growth(panel(), *FULL).fixed


def levels(found):
    return {flag.text: flag.level for flag in found.flags}


def test_one_service_against_one_has_no_interval():
    found = growth(panel(40, 4, 2), *FULL, cluster="service")
    assert found.effect[["se", "low", "high", "p"]].isna().all(axis=None)
    assert levels(found)["There are two clusters in all."] == SERIOUS
    text = "The effect has no interval: an arm is one cluster, and so is what it is compared with."
    assert levels(found)[text] == SERIOUS
    bare = growth(panel(40, 4, 2), *FULL, cluster="service", robust="model")
    assert bare.effect["low"].isna().all()


def test_one_treated_service_among_many_rests_on_the_model_and_says_so():
    table = panel(100, 4, 10).assign(treated=lambda t: (t["service"] == "s03").astype(int))
    found = growth(table, *FULL, cluster="service")
    assert set(found.effect["interval"]) == {"model"}
    assert levels(found)["The effect's interval rests on the model alone, since one cluster alone stands for an arm."]
    without = growth(table, *FULL, cluster="service", cluster_random="none")
    assert without.effect["low"].isna().all()


def test_few_services_people_alone_in_one_and_single_occasions_are_said():
    table = panel(40, 4, 6)
    table.loc[table["child"] == "c0007", "service"] = "s99"
    table = table[(table["child"] > "c0001") | (table["month"] == 0)]
    found = levels(growth(table, *FULL, cluster="service"))
    assert found["Few clusters stand behind the comparison."] == SERIOUS
    assert found["Some clusters have one person only."] == "caution"
    assert found["Some people have one occasion only (a few)."] == "note"


def test_people_who_move_count_where_first_seen_and_repeated_ids_are_two_people():
    table = panel(40, 4, 4, whole=False)
    moved = table.copy()
    moved.loc[(moved["child"] == "c0000") & (moved["month"] > 1), "service"] = "s03"
    found = growth(moved, *FULL, cluster="service")
    assert found.criterion == pytest.approx(growth(table, *FULL, cluster="service").criterion)
    assert levels(found)["Some people moved between clusters."] == "caution"
    number = (table["child"].str[1:].astype(int) // 4).astype(str)
    again = growth(table.assign(child=number), *FULL, cluster="service")
    assert again.persons == 40
    assert "Ids repeat from cluster to cluster." in levels(again)
    assert again.criterion == pytest.approx(growth(table, *FULL, cluster="service").criterion)


def test_missing_rows_arms_that_change_and_repeated_rows_are_said():
    table = panel(60)
    table.loc[:50, "y"] = np.nan
    table.loc[100:101, "treated"] = [0, 1]
    table = pd.concat([table, table.tail(1)])
    found = growth(table, *FULL)
    assert found.n == 241 - 51
    said = levels(found)
    assert said["Rows with a missing value are left out."] == "caution"
    assert said["For some people the arm changes over time."] == "caution"
    assert said["Some people have several rows of the same time."] == "caution"


def test_nobodys_values_are_shown():
    found = growth(panel(), *FULL)
    for text in (repr(found), found._repr_html_()):
        assert "60 people" in text
        assert "c00" not in text
    assert "[c] people" in repr(growth(panel(8, 5), *FULL, random="intercept"))


def test_everything_wrong_with_the_table_is_said_at_once():
    table = panel().assign(month=pd.Timestamp("2024-01-01"), treated="therapy")
    with pytest.raises(DataError, match="2 problems") as error:
        growth(table, *FULL)
    assert 'column "month" holds dates. Give days, months or years' in str(error.value)
    assert 'column "treated" holds str values, not numbers' in str(error.value)
    with pytest.raises(DataError, match=r'no column "chld"\. Did you mean "child"'):
        growth(table, "y", "month", "chld")
    with pytest.raises(DataError, match=r'random="slop" is not known\. Did you mean "slope"'):
        growth(panel(), *FULL, random="slop")
    with pytest.raises(DataError, match="needs time"):
        growth(panel(), "y", None, "child")


@pytest.mark.parametrize(
    ("change", "options", "says"),
    [
        (lambda t: t[t["month"] == 0], {}, "Every person has one occasion only"),
        (lambda t: t.assign(month=2.0), {}, "All rows are of one time"),
        (lambda t: t[t["month"] < 2], {}, 'Use random="intercept"'),
        (lambda t: t.assign(y=3.0), {}, "The outcome is constant"),
        (lambda t: t.assign(treated=1), {}, "one value only: there is nothing to compare"),
        (lambda t: t, {"cluster": "service"}, "Leave cluster out"),
        (lambda t: t.assign(twice=2 * t["month"]), {"covariates": ["twice"]}, "terms that repeat each other"),
        (lambda t: t.assign(y=np.nan), {}, "No row has a value in every column"),
    ],
)
def test_what_the_data_cannot_support_is_refused_with_the_remedy(change, options, says):
    with pytest.raises(EstimationError, match=says):
        growth(change(panel()), *FULL, **options)


def test_two_occasions_are_enough_for_intercepts():
    found = growth(panel().query("month < 2"), *FULL, random="intercept")
    assert found.fixed.loc["month:treated", "se"] > 0


def test_variance_between_groups_needs_groups():
    with pytest.raises(EstimationError, match="two groups or more"):
        variance_components([1.0, 2.0], ["a", "a"])
    with pytest.raises(EstimationError, match="one with two people"):
        variance_components([1.0, 2.0], ["a", "b"])
    with pytest.raises(DataError, match="one group per outcome"):
        variance_components([1.0, 2.0], ["a"])


def almost_without_error(noise):
    draw = np.random.default_rng(3)
    table = panel(22, 6, seed=3, even=False)
    slopes = np.repeat(20 * draw.normal(size=22), 6)
    return table.assign(y=slopes * table["month"] + noise * draw.normal(size=132))


def test_readings_almost_without_error_are_fitted_roughly_and_that_is_said():
    table = almost_without_error(0.03)
    found = growth(table, *FULL)
    # Without error each child's slope is known, and the effect is a difference of means of slopes.
    slopes = table.groupby("child")[["month", "y"]].apply(lambda t: np.polyfit(t["month"], t["y"], 1)[0])
    arms = [slopes[table.groupby("child")["treated"].first() == arm] for arm in (0, 1)]
    assert found.effect.loc[STEEPER, "estimate"] == pytest.approx(arms[1].mean() - arms[0].mean(), rel=0.01)
    assert found.effect.loc[STEEPER, "se"] == pytest.approx((slopes.std() ** 2 * 2 / 11) ** 0.5, rel=0.1)
    assert found.effect.loc[STEEPER, "df"] <= 18
    assert any("known roughly" in flag.text for flag in found.flags)
    with pytest.raises(EstimationError, match="found no best fit"):
        growth(almost_without_error(1e-5), *FULL)
