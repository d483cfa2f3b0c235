"""Measurement invariance: agreement with lavaan, exact worlds over groups and occasions, and what cannot be told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError, EstimationError
from evalkit.outcomes.factors.reading import read_groups
from evalkit.outcomes.factors.structure import LEVELS, models
from evalkit.outcomes.factors.surface import Surface
from evalkit.outcomes.items.comparable import cfa, invariance, invariance_across, partial_invariance

DATA = Path(__file__).parents[1] / "data"
LAVAAN = json.loads((DATA / "v02_holzinger_swineford.expected.json").read_text())
THREE = {"visual": ["x1", "x2", "x3"], "textual": ["x4", "x5", "x6"], "speed": ["x7", "x8", "x9"]}
OURS = {
    "pvalue": "p", "npar": "parameters", "logl": "loglik", "rmsea.ci.lower": "rmsea_low",
    "rmsea.ci.upper": "rmsea_high", "d_chisq": "delta_chisq", "d_df": "delta_df", "d_p": "delta_p",
    "d_cfi": "delta_cfi",
}  # fmt: skip


@pytest.fixture(scope="module")
def pupils():
    return pd.read_csv(DATA / "v02_holzinger_swineford.csv")


@pytest.fixture(scope="module")
def by_school(pupils):
    return invariance(pupils, THREE, "school")


# ---------------------------------------------------------------- Holzinger and Swineford 1939


@pytest.mark.parametrize("level", LEVELS)
def test_holzinger_swineford_by_school_equals_lavaan(by_school, level):
    for name, want in LAVAAN["invariance_by_school"][level].items():
        assert by_school.loc[level, OURS.get(name, name)] == pytest.approx(want, rel=1e-4, abs=1e-6), name


def test_rosseel_2012_published_chi_squares_by_school(by_school):
    published = [115.851, 124.044, 164.103, 181.511]
    assert by_school["chisq"].round(3).tolist() == published
    assert by_school["df"].tolist() == [48, 54, 60, 69]


def test_the_step_that_fails_says_so_and_names_the_items(by_school):
    assert by_school["holds"].tolist()[1:3] == [True, False]
    assert by_school.loc["scalar", "verdict"].startswith("Fails")
    assert '"x3", "x7"' in by_school.loc["scalar", "verdict"]
    assert "scalar step failed" in by_school.loc["strict", "verdict"]
    assert [row["item"] for row in by_school.attrs["partial"]["scalar"]] == ["x3", "x7", "x2"]
    assert by_school.attrs["n"] == {"Grant-White": 145, "Pasteur": 156}


def test_the_release_of_an_item_is_a_model_with_that_intercept_free(pupils, by_school):
    found = partial_invariance(pupils, THREE, "school")
    assert found["df"].tolist() == [1] * 9
    assert found["chisq_drop"].is_monotonic_decreasing
    # With all but the marker's worth of intercepts free, the scalar model is the metric one.
    assert found["chisq_drop"].max() < by_school.loc["scalar", "delta_chisq"]


def test_holzinger_swineford_in_one_group_equals_lavaan(pupils):
    found = cfa(pupils, THREE)
    for name, want in LAVAAN["cfa"]["fit"].items():
        assert found.fit[OURS.get(name, name)] == pytest.approx(want, rel=1e-4, abs=1e-7), name
    assert found.omega["observed"].to_dict() == pytest.approx(LAVAAN["omega_semTools"], abs=1e-5)


def test_estimates_and_standard_errors_equal_lavaan(pupils):
    table = cfa(pupils, THREE).parameters
    loading = table["kind"] == "loading"
    for want in LAVAAN["cfa"]["params"]:
        pair = {want["lhs"], want["rhs"]}
        same = np.array([{left, right} == pair for left, right in zip(table["left"], table["right"], strict=True)])
        rows = table[(loading == (want["op"] == "=~")) & same]
        assert len(rows) == 1
        have = rows[["estimate", "se", "standardised"]].iloc[0].tolist()
        assert have == pytest.approx([want["est"], want["se"], want["std.all"]], abs=1e-3)


@pytest.mark.parametrize("method", ["regression", "bartlett"])
def test_factor_scores_equal_lavaan(pupils, method):
    found = cfa(pupils, THREE).scores(pupils, method)
    assert found.head().to_numpy() == pytest.approx(np.array(LAVAAN["factor_scores_first5"][method]), abs=1e-4)


def test_the_fit_does_not_depend_on_what_sets_the_scale(pupils):
    marker = cfa(pupils, THREE, "school", "scalar", scale="marker").fit
    variance = cfa(pupils, THREE, "school", "scalar", scale="variance").fit
    assert marker.to_numpy() == pytest.approx(variance.to_numpy(), rel=1e-8)


def test_neither_row_order_nor_the_names_of_groups_change_anything(pupils, by_school):
    other = pupils.sample(frac=1, random_state=1).assign(
        school=lambda t: t["school"].map({"Pasteur": 1, "Grant-White": 2})
    )
    found = invariance(other, THREE, "school")
    numbers = ["chisq", "cfi", "rmsea", "srmr", "loglik"]
    assert found[numbers].to_numpy() == pytest.approx(by_school[numbers].to_numpy(), rel=1e-8)


def test_slope_and_curvature_are_those_of_the_discrepancy(pupils):
    design, _ = read_groups(pupils, THREE, "school")
    for level in LEVELS:
        parts, book = models(design, level)
        surface = Surface(design.samples, parts, len(book.number), True)
        point = book.start + 0.05 * np.random.default_rng(2).normal(size=surface.size)
        here, steps = surface.local(point), 1e-5 * np.eye(surface.size)
        slope = [(surface.height(point + e) - surface.height(point - e)) / 2e-5 for e in steps]
        curve = [(surface.local(point + e).slope - surface.local(point - e).slope) / 2e-5 for e in steps]
        assert here.slope == pytest.approx(np.array(slope), abs=1e-6)
        assert here.observed == pytest.approx(np.array(curve), abs=1e-5)


# ---------------------------------------------------------------- worlds with known answers


def exact(mean: np.ndarray, covariance: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Persons whose means and covariances (divisor n) are exactly these."""
    values = np.random.default_rng(seed).normal(size=(n, len(mean)))
    values -= values.mean(axis=0)
    white = values @ np.linalg.inv(np.linalg.cholesky(values.T @ values / n)).T
    return white @ np.linalg.cholesky(covariance).T + mean


LOADINGS = np.array([[0.8, 0], [0.7, 0], [0.9, 0], [0, 1.0], [0, 0.6], [0, 0.8]])
INTERCEPTS = np.array([3.0, 2.0, 1.0, 4.0, 2.5, 3.5])
TWO = {"worry": ["a", "b", "c"], "peers": ["d", "e", "f"]}


def two_groups(shift: float = 0.0) -> pd.DataFrame:
    tables = []
    for place, (means, variance) in enumerate([([0.0, 0.0], 1.0), ([0.5, -0.3], 1.5)]):
        factors = variance * np.array([[1.0, 0.4], [0.4, 1.0]])
        centre = INTERCEPTS + LOADINGS @ means + shift * place * np.array([0, 1, 0, 0, 0, 0])
        values = exact(centre, LOADINGS @ factors @ LOADINGS.T + 0.5 * np.eye(6), 200, place)
        tables.append(pd.DataFrame(values, columns=list("abcdef")).assign(arm=place))
    return pd.concat(tables, ignore_index=True)


def three_occasions(shift: float = 0.0, n: int = 250) -> pd.DataFrame:
    """Two factors over three occasions; each item keeps something of its own; one item may drift at the third."""
    means = np.concatenate([LOADINGS @ np.array([0.3 * t, -0.2 * t]) + INTERCEPTS for t in range(3)])
    means[13] += shift
    over_time = np.array([[1.0, 0.6, 0.4], [0.6, 1.2, 0.7], [0.4, 0.7, 1.4]])
    factors = np.kron(over_time, np.array([[1.0, 0.4], [0.4, 1.0]]))
    wide = np.kron(np.eye(3), LOADINGS)
    own = np.kron(0.2 * np.ones((3, 3)) + 0.3 * np.eye(3), np.eye(6))
    values = exact(means, wide @ factors @ wide.T + own, n, 5).reshape(n, 3, 6)
    tables = [pd.DataFrame(values[:, t], columns=list("abcdef")).assign(child=range(n), occasion=t) for t in range(3)]
    return pd.concat(tables, ignore_index=True)


def test_groups_that_differ_only_in_the_factors_fit_all_four_models_exactly():
    found = invariance(two_groups(), TWO, "arm")
    assert found["chisq"].to_numpy() == pytest.approx(np.zeros(4), abs=1e-6)
    assert found["df"].tolist() == [16, 20, 24, 30]
    assert found["holds"].all()
    means = cfa(two_groups(), TWO, "arm", "scalar", scale="variance").parameters
    assert means.loc[means["kind"] == "factor mean", "estimate"].tolist() == pytest.approx([0.5, -0.3], abs=1e-5)


def test_an_item_one_arm_answers_higher_is_found():
    found = invariance(two_groups(shift=1.0), TWO, "arm")
    assert found["holds"].tolist() == [True, True, False, True]
    assert found.attrs["partial"]["scalar"][0]["item"] == "b"
    assert found.loc["scalar", "chisq"] == pytest.approx(found.attrs["partial"]["scalar"][0]["chisq_drop"], abs=1e-4)


def test_the_same_children_on_three_occasions_fit_exactly_with_what_items_keep_to_themselves():
    found = invariance(three_occasions(), TWO, occasions="occasion", person="child")
    assert found["chisq"].to_numpy() == pytest.approx(np.zeros(4), abs=1e-6)
    # 18 means and 171 covariances; 18 loadings, 18 residuals, 18 intercepts, 3 + 12 factor and 18 item covariances.
    assert found.loc["configural", "df"] == 189 - 87
    assert found["delta_df"].tolist()[1:] == [8, 8, 12]
    assert found.attrs["n"] == {"all": 250}


def test_an_item_that_drifts_at_one_occasion_is_found_whatever_the_order_of_rows():
    table = three_occasions(shift=0.8).sample(frac=1, random_state=2)
    found = invariance(table, TWO, occasions="occasion", person="child")
    assert not found.loc["scalar", "holds"]
    assert found.attrs["partial"]["scalar"][0]["item"] == "b"


def test_taking_occasions_for_groups_of_other_children_gives_another_answer():
    table = three_occasions(shift=0.4)
    same = invariance(table, TWO, occasions="occasion", person="child")
    others = invariance(table, TWO, groups="occasion")
    assert same.loc["scalar", "delta_chisq"] != pytest.approx(others.loc["scalar", "delta_chisq"], rel=0.05)


def test_groups_and_occasions_can_be_held_equal_at_once():
    table = three_occasions().assign(arm=lambda t: np.where(t["child"] < 125, "x", "y"))
    found = invariance(table, TWO, "arm", "occasion", "child")
    assert found["df"].tolist()[0] == 2 * (189 - 87)
    assert found["delta_df"].tolist()[1:] == [5 * 6 - 5 * 2, 5 * 6 - 5 * 2, 5 * 6]
    assert found["n"].tolist() == [250] * 4


def test_children_with_a_missing_occasion_are_left_out_and_counted():
    table = three_occasions()
    found = invariance(table[~((table["child"] < 50) & (table["occasion"] == 2))], TWO, None, "occasion", "child")
    assert found["n"].tolist() == [200] * 4
    assert found.attrs["dropped"] == pytest.approx(0.2)
    assert "50 of 250 persons" in found.attrs["flags"][0].detail
    assert found.attrs["flags"][0].level == "caution"


def test_across_arm_service_and_occasion_in_one_call():
    table = three_occasions().assign(
        arm=lambda t: np.where(t["child"] % 2 == 0, "x", "y"),
        service=lambda t: np.where(t["child"] < 120, "n", np.where(t["child"] < 245, "s", "tiny")),
    )
    across = {"arm": "arm", "service": "service", "occasion": "occasion"}
    found = invariance_across(table, TWO, across, person="child")
    assert list(dict.fromkeys(found.index.get_level_values("across"))) == ["arm", "service", "occasion"]
    # Each child counts once in a comparison of groups, by the first occasion.
    assert found.loc[("arm", "metric"), "n"] == 250
    assert found.loc[("service", "metric"), "n"] == 245
    small = [flag for flag in found.attrs["flags"] if flag.about == "service" and "too small" in flag.text]
    assert len(small) == 1


def test_a_grouping_that_cannot_be_tested_does_not_hide_the_others():
    table = two_groups().assign(team=np.arange(400) % 100)
    found = invariance_across(table, TWO, {"team": "team", "arm": "arm"})
    assert "fewer than two groups" in found.loc[("team", "not tested"), "verdict"]
    assert found.loc[("arm", "scalar"), "holds"]


def test_few_kinds_of_answer_and_small_samples_are_said():
    table = two_groups().round(0).clip(0, 3)
    flags = invariance(table, TWO, "arm").attrs["flags"]
    assert any("kinds of answer" in flag.text for flag in flags)


def test_a_negative_residual_variance_is_flagged_by_item():
    covariance = np.array([[1.0, 0.7, 0.7], [0.7, 1.0, 0.45], [0.7, 0.45, 1.0]])
    table = pd.DataFrame(exact(np.zeros(3), covariance, 100, 1), columns=list("abc"))
    found = cfa(table, {"one": ["a", "b", "c"]})
    assert found.fit["chisq"] == pytest.approx(0, abs=1e-6)
    assert '"a"' in found.flags[0].detail
    assert found.flags[0].level == "serious"


def test_the_table_given_is_left_alone(pupils):
    before = pupils.copy()
    invariance(pupils, THREE, "school")
    pd.testing.assert_frame_equal(pupils, before)


# ---------------------------------------------------------------- what cannot be told


@pytest.mark.parametrize(
    ("factors", "says"),
    [
        ({"worry": ["a", "b", "x"]}, 'no column "x"'),
        ({"worry": ["a", "b", "c"], "peers": ["c", "d", "e"]}, '"c" is named twice'),
    ],
)
def test_factors_that_do_not_match_the_table_are_refused(factors, says):
    with pytest.raises(DataError, match=says):
        invariance(two_groups(), factors, "arm")


@pytest.mark.parametrize("factors", [{"worry": ["a", "b"]}, {"worry": ["a", "b", "c"], "peers": ["d"]}, {}])
def test_too_few_items_for_a_factor_are_refused(factors):
    with pytest.raises(EstimationError, match="cannot be told from the data"):
        invariance(two_groups(), factors, "arm")


def test_a_group_no_larger_than_the_number_of_items_is_refused_by_name():
    table = two_groups().iloc[:206]
    with pytest.raises(EstimationError, match='Group "1" has 6 complete rows for 6 items'):
        invariance(table, TWO, "arm")


def test_an_item_without_spread_in_one_group_is_refused_by_name():
    table = two_groups()
    table.loc[table["arm"] == 1, "e"] = 2.0
    with pytest.raises(EstimationError, match='Group "1": all complete rows give the same answer to "e"'):
        invariance(table, TWO, "arm")


@pytest.mark.parametrize(
    ("groups", "occasions", "person", "says"),
    [
        (None, None, None, "Say over what"),
        ("arms", None, None, 'Did you mean "arm"'),
        ([1, 2], None, None, "2 values for 400 rows"),
        (np.zeros(400), None, None, "fewer than two groups"),
        (None, "arm", None, "nobody has two rows"),
        (None, "arm", np.zeros(400), "repeat a person at the same occasion"),
        (None, np.zeros(400), np.arange(400), "fewer than two, so"),
    ],
)
def test_groups_and_occasions_that_say_nothing_are_refused(groups, occasions, person, says):
    with pytest.raises(DataError, match=says):
        invariance(two_groups(), TWO, groups, occasions, person)


def test_factors_that_do_not_hang_together_are_an_error_or_a_flag_never_a_silent_number():
    noise = pd.DataFrame(np.random.default_rng(1).normal(size=(80, 6)), columns=list("abcdef"))
    try:
        levels = [flag.level for flag in invariance(noise, TWO, np.arange(80) % 2).attrs["flags"]]
    except EstimationError:
        levels = ["serious"]
    assert "serious" in levels
