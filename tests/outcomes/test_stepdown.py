"""Step-down maxT: shuffling as assigned, clusters drawn again, contributions multiplied."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError, EstimationError
from evalkit.linear import least_squares, row_contributions
from evalkit.outcomes.multiplicity.resampled import romano_wolf, romano_wolf_from_influence
from evalkit.outcomes.multiplicity.stepdown import step_down, westfall_young

DATA = Path(__file__).parents[1] / "data"


def world(seed=0, clusters=20, size=12, measures=3, shared=0.2, effect=0.0, by_cluster=True):
    """Pupils in schools; half of the schools treated, or half of the pupils of each."""
    rng = np.random.default_rng(seed)
    school = np.repeat(np.arange(clusters), size)
    arm = rng.permutation(clusters) < clusters // 2 if by_cluster else None
    treated = (
        arm[school] if by_cluster else np.concatenate([rng.permutation(size) < size // 2 for _ in range(clusters)])
    )
    common = np.sqrt(shared) * rng.standard_normal((clusters, measures))[school]
    y = common + np.sqrt(1 - shared) * rng.standard_normal((len(school), measures)) + effect * treated[:, None]
    frame = pd.DataFrame(y, columns=[f"y{number}" for number in range(measures)])
    return frame.assign(treated=treated.astype(int), school=[f"s{one}" for one in school])


Y = ["y0", "y1", "y2"]

# ---------------------------------------------------------------- the core


def test_the_largest_of_those_not_yet_rejected_decides():
    # Draws of two statistics. The larger one (3) is met by the larger of each draw once in four, (1 + 1) / 5; the
    # smaller (2) by itself in two draws, (1 + 2) / 5.
    draws = np.array([[3.5, 0.0], [0.0, -2.5], [1.0, 2.0], [0.5, 0.1]])
    assert step_down([-3.0, 2.0], draws).tolist() == pytest.approx([2 / 5, 3 / 5])
    assert step_down([-3.0, 2.0], draws, exact=True).tolist() == pytest.approx([1 / 4, 2 / 4])


def test_a_smaller_statistic_never_has_a_smaller_adjusted_p():
    draws = np.column_stack([np.full(9, 5.0), np.zeros(9)])
    assert step_down([4.0, 3.0], draws).tolist() == [1.0, 1.0]


def test_a_missing_statistic_is_no_test_and_a_draw_without_one_counts_as_none():
    draws = np.array([[9.0, 1.0], [9.0, np.nan]])
    assert np.isnan(step_down([np.nan, 1.0], draws)[0])
    assert step_down([np.nan, 1.0], draws)[1] == pytest.approx(2 / 3)


def test_draws_that_do_not_fit_are_an_error():
    with pytest.raises(DataError, match="do not fit"):
        step_down([1.0, 2.0], np.zeros((5, 3)))


# ---------------------------------------------------------------- Westfall and Young


def test_golub_genes_as_in_multtest():
    frame = pd.read_csv(DATA / "v10_westfall_young_30measures.csv")
    expected = json.loads((DATA / "v10_westfall_young.expected.json").read_text())
    found = westfall_young(frame, "group", [f"m{i}" for i in range(1, 31)], draws=100_000, seed=1)
    assert found["statistic"].to_numpy() == pytest.approx(np.array(expected["teststat"]), abs=1e-8)
    assert found["p_t"].to_numpy() == pytest.approx(np.array(expected["p_welch_t"]), abs=1e-8)
    assert found["p"].to_numpy() == pytest.approx(np.array(expected["rawp_perm"]), abs=0.006)
    assert found["p_adjusted"].to_numpy() == pytest.approx(np.array(expected["adjp_westfall_young"]), abs=0.006)


def test_few_people_are_shuffled_in_every_way_there_is():
    frame = pd.DataFrame(
        {"treated": [1, 1, 1, 0, 0, 0], "y": [5.0, 6.0, 9.0, 1.0, 2.0, 4.0], "z": [1, 2, 1, 2, 1, 2.5]}
    )
    found = westfall_young(frame, "treated", ["y"], draws=1000, seed=0)
    assert found.loc[0, "draws"] == 20  # 6 choose 3
    assert found.loc[0, "p"] == pytest.approx(2 / 20)  # as far apart only where the arms change places
    assert found.loc[0, "lowest_p"] == pytest.approx(1 / 20)
    assert "20 ways only" in found.attrs["flags"][0].text


def test_every_way_and_many_draws_agree():
    frame = pd.DataFrame(np.random.default_rng(5).normal(size=(14, 3)), columns=Y).assign(treated=[1, 0] * 7)
    all_ways = westfall_young(frame, "treated", Y, draws=5000, seed=0)
    drawn = westfall_young(frame, "treated", Y, draws=3000, seed=0)
    assert all_ways.loc[0, "draws"] == 3432
    assert drawn.loc[0, "draws"] == 3000
    assert drawn["p_adjusted"].to_numpy() == pytest.approx(all_ways["p_adjusted"].to_numpy(), abs=0.03)


def test_missing_values_leave_their_measure_only():
    frame = world(1, by_cluster=False)
    frame.loc[:9, "y1"] = np.nan
    whole, holed = (
        westfall_young(one, "treated", Y, 200, 0, assigned="individual") for one in (world(1, by_cluster=False), frame)
    )
    assert holed.loc[[0, 2], "statistic"].tolist() == pytest.approx(whole.loc[[0, 2], "statistic"].tolist())
    seen = frame.dropna(subset="y1")
    alone = westfall_young(seen, "treated", ["y1"], 200, 0)
    assert holed.loc[1, "statistic"] == pytest.approx(alone.loc[0, "statistic"])


def test_clusters_are_compared_with_the_cluster_robust_error_of_least_squares():
    frame = world(2, shared=0.3).drop(index=range(5))
    found = westfall_young(frame, "treated", Y, draws=99, seed=0, cluster="school")
    code = pd.factorize(frame["school"])[0]
    design = np.column_stack([np.ones(len(frame)), frame["treated"]])
    fit = least_squares(frame["y1"].to_numpy(), design)
    sums = np.bincount(code, row_contributions(fit, np.array([0.0, 1.0]), "cr1s", code))
    assert found.loc[1, "effect"] == pytest.approx(fit.beta[1], abs=1e-10)
    assert found.loc[1, "statistic"] == pytest.approx(fit.beta[1] / np.sqrt((sums**2).sum()), abs=1e-10)
    assert found.loc[1, "permuted"] == "clusters"


@pytest.mark.parametrize("by_cluster", [False, True])
def test_within_strata_the_statistic_is_that_of_a_regression_with_strata(by_cluster):
    frame = world(3, by_cluster=by_cluster, clusters=24).drop(index=range(4))
    area = pd.factorize(frame["school"])[0] % 3 if by_cluster else pd.factorize(frame["school"])[0]
    frame = frame.assign(area=area)
    cluster = {"cluster": "school"} if by_cluster else {}
    found = westfall_young(frame, "treated", ["y0"], draws=50, seed=0, strata="area", **cluster)
    design = np.column_stack([frame["treated"], pd.get_dummies(frame["area"])]).astype(float)
    fit = least_squares(frame["y0"].to_numpy(), design)
    contrast = np.eye(design.shape[1])[0]
    code = pd.factorize(frame["school"])[0]
    n, units, strata = len(frame), code.max() + 1, frame["area"].nunique()
    raw = row_contributions(fit, contrast, "hc0")
    if by_cluster:
        variance = (np.bincount(code, raw) ** 2).sum() * units / (units - strata) * (n - 1) / (n - 2)
    else:
        variance = (raw**2).sum() * n / (n - strata - 1)
    assert found.loc[0, "effect"] == pytest.approx(fit.beta[0], abs=1e-10)
    assert found.loc[0, "statistic"] == pytest.approx(fit.beta[0] / np.sqrt(variance), abs=1e-9)
    assert found.loc[0, "permuted"] == ("clusters within strata" if by_cluster else "people within strata")


def test_pairs_are_shuffled_within_pairs():
    # Three pairs, the treated always better: 8 ways, of which the observed and its mirror image are as extreme.
    frame = pd.DataFrame({"pair": [1, 1, 2, 2, 3, 3], "treated": [1, 0] * 3, "y": [5, 1, 15, 12, 25, 23.0]})
    found = westfall_young(frame, "treated", ["y"], draws=100, seed=0, strata="pair")
    assert found.loc[0, "draws"] == 8
    assert found.loc[0, "p"] == pytest.approx(2 / 8)
    difference = np.array([4, 3, 2.0])  # and the statistic is the paired t
    assert found.loc[0, "statistic"] == pytest.approx(difference.mean() / (difference.std(ddof=1) / np.sqrt(3)))


def by_brute_force(frame, arms, measures):
    """Adjusted p-values of Welch's t over every listed way, with nothing but loops."""

    def t(y, d):
        one, other = y[d == 1], y[d == 0]
        return abs(one.mean() - other.mean()) / np.sqrt(one.var(ddof=1) / len(one) + other.var(ddof=1) / len(other))

    observed = np.array([t(frame[m].to_numpy(), frame["treated"].to_numpy()) for m in measures])
    drawn = np.array([[t(frame[m].to_numpy(), arm) for m in measures] for arm in arms])
    order, p, running = np.argsort(-observed), {}, 0.0
    for place, one in enumerate(order):
        share = (drawn[:, order[place:]].max(axis=1) >= observed[one] - 1e-9).mean()
        running = max(running, share)
        p[one] = running
    return [p[one] for one in range(len(measures))]


def test_all_ways_give_what_loops_give():
    frame = pd.DataFrame(np.random.default_rng(8).normal(size=(8, 3)), columns=Y).assign(
        treated=[1, 1, 1, 1, 0, 0, 0, 0]
    )
    frame["y0"] += 1.5 * frame["treated"]
    arms = [np.isin(np.arange(8), chosen).astype(int) for chosen in itertools.combinations(range(8), 4)]
    found = westfall_young(frame, "treated", Y, draws=70, seed=0)
    assert found["p_adjusted"].tolist() == pytest.approx(by_brute_force(frame, arms, Y))


def test_the_same_seed_gives_the_same_answer_and_the_data_are_left_alone():
    frame = world(4, by_cluster=False)
    before = frame.copy()
    first, again = (westfall_young(frame, "treated", Y, 500, 7, assigned="individual") for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    pd.testing.assert_frame_equal(frame, before)


def test_a_measure_without_spread_is_no_test_and_is_named():
    frame = world(5, by_cluster=False).assign(flat=1.0)
    found = westfall_young(frame, "treated", ["y0", "flat"], 99, 0)
    assert np.isnan(found.loc[1, ["statistic", "p", "p_adjusted"]].astype(float)).all()
    assert found.attrs["flags"][0].text.startswith("No test of flat")


# ---------------------------------------------------------------- assignment that nobody named


def test_assignment_by_cluster_without_cluster_is_an_error_that_names_the_column():
    with pytest.raises(DataError, match=r'same "school" is in the same arm.*Pass cluster="school"'):
        westfall_young(world(), "treated", Y, 99, 0)
    with pytest.raises(DataError, match=r'Pass cluster="school"'):
        romano_wolf(world(), "treated", Y, 99, 0)
    assert len(westfall_young(world(), "treated", Y, 99, 0, assigned="individual")) == 3
    with pytest.raises(DataError, match=r'pass cluster="\.\.\."\. "school" looks like it'):
        westfall_young(world(), "treated", Y, 99, 0, assigned="cluster")


def test_what_merely_goes_with_the_arm_is_not_taken_for_a_cluster():
    frame = world(6, by_cluster=False)
    rng = np.random.default_rng(0)
    frame["arm"] = np.where(frame["treated"] == 1, "therapy", "usual care")  # the arm by another name
    frame["sessions"] = np.where(frame["treated"] == 1, rng.integers(1, 9, len(frame)), 0)  # of the treated only
    frame["therapist"] = np.where(frame["treated"] == 1, "t" + frame["sessions"].astype(str), None)
    frame["age"] = rng.integers(11, 18, len(frame))
    frame["person"] = range(len(frame))
    assert len(westfall_young(frame, "treated", Y, 99, 0)) == 3


def test_a_study_that_knows_its_cluster_is_believed_on_less_evidence():
    frame = world(7, clusters=4, size=3)
    frame.attrs["cluster"] = "school"
    with pytest.raises(DataError, match='Pass cluster="school"'):
        westfall_young(frame, "treated", Y, 99, 0)


def test_arms_that_vary_inside_clusters_were_assigned_within_them():
    with pytest.raises(DataError, match=r'varies inside 20 of 20 clusters.*pass strata="school" in place of cluster='):
        westfall_young(world(by_cluster=False), "treated", Y, 99, 0, cluster="school")


def test_strata_that_cut_through_clusters_are_an_error():
    frame = world().assign(half=[0, 1] * 120)
    with pytest.raises(DataError, match="The stratum varies inside 20 of 20 clusters"):
        westfall_young(frame, "treated", Y, 99, 0, cluster="school", strata="half")


def test_few_clusters_are_gone_through_and_the_least_p_is_said():
    frame = world(clusters=6, size=5, effect=3.0)
    found = westfall_young(frame, "treated", Y, 1000, 0, cluster="school")
    assert (found["draws"] == 20).all()
    assert found["p"].min() == pytest.approx(2 / 20)
    flag = found.attrs["flags"][0]
    assert flag.level == "note"
    assert "no p-value can be below 0.05" in flag.text
    four = westfall_young(world(clusters=4, size=9), "treated", Y, 1000, 0, cluster="school")
    assert four.attrs["flags"][0].level == "caution"


def test_strata_of_one_arm_are_flagged_and_all_of_them_an_error():
    frame = pd.DataFrame({"treated": [1, 1, 1, 0, 1, 0], "area": list("aabbcc"), "y": [1, 2, 3, 4, 5, 7.0]})
    found = westfall_young(frame, "treated", ["y"], 99, 0, strata="area")
    assert any("1 of 3 strata hold one arm only" in flag.text for flag in found.attrs["flags"])
    with pytest.raises(EstimationError, match="one way only"):
        westfall_young(frame.assign(area=[1, 1, 1, 2, 1, 2]), "treated", ["y"], 99, 0, strata="area")


def test_bad_requests_are_told_all_at_once():
    frame = world().assign(word="x")
    with pytest.raises(DataError, match=r'(?s)no measure "y9".*"word" does not hold numbers.*draws must be'):
        westfall_young(frame, "treated", ["y9", "word"], 0, 0)
    with pytest.raises(DataError, match="as a list"):
        westfall_young(frame, "treated", "y0", 99, 0)
    with pytest.raises(DataError, match="1 row is not 1"):
        westfall_young(
            frame.assign(treated=frame["treated"].replace({1: 1}).mask(frame.index == 0, 3)), "treated", Y, 9, 0
        )
    with pytest.raises(DataError, match="same arm"):
        westfall_young(frame.assign(treated=1), "treated", Y, 99, 0)
    with pytest.raises(DataError, match="2 rows are empty"):
        westfall_young(frame.assign(school=frame["school"].mask(frame.index < 2)), "treated", Y, 9, 0, cluster="school")
    with pytest.raises(DataError, match='no column "scool"'):
        westfall_young(frame, "treated", Y, 99, 0, cluster="scool")
    with pytest.raises(DataError, match="contradict each other"):
        westfall_young(frame, "treated", Y, 99, 0, cluster="school", assigned="individual")


# ---------------------------------------------------------------- Romano and Wolf


def test_the_bootstrap_compares_with_the_same_cluster_robust_error():
    frame = world(9)
    shuffled = westfall_young(frame, "treated", Y, 99, 0, cluster="school")
    drawn = romano_wolf(frame, "treated", Y, 99, 0, cluster="school")
    assert drawn["statistic"].to_numpy() == pytest.approx(shuffled["statistic"].to_numpy(), abs=1e-10)
    assert (drawn["resampled"] == "clusters within arms").all()


def test_a_bootstrap_draw_is_what_a_table_of_the_clusters_drawn_would_give():
    from evalkit.outcomes.multiplicity.resampled import _Sums

    frame = world(10, clusters=9, by_cluster=False).assign(area=lambda t: pd.factorize(t["school"])[0] % 2)
    code = pd.factorize(frame["school"])[0]
    sums = _Sums(frame[Y].to_numpy(), frame["treated"].to_numpy(), code, frame["area"].to_numpy())
    weight = np.array([2, 0, 1, 1, 0, 3, 1, 0, 1])
    effect, error = (part[0] for part in sums.parts(weight[None, :].astype(float)))
    rows = [(one, copy) for one in range(9) for copy in range(weight[one])]
    again = pd.concat([frame[code == one].assign(drawn=place) for place, (one, _) in enumerate(rows)])
    drawn = romano_wolf(again, "treated", Y, 9, 0, cluster="drawn", strata="area")
    assert effect == pytest.approx(drawn["effect"].to_numpy(), abs=1e-10)
    assert error == pytest.approx(drawn["se"].to_numpy(), rel=1e-9)


def test_a_real_difference_is_found_in_its_measure_and_not_in_the_others():
    frame = world(11, clusters=40)
    frame["y1"] += 1.0 * frame["treated"]
    for found in (
        romano_wolf(frame, "treated", Y, 1999, 0, cluster="school"),
        westfall_young(frame, "treated", Y, 1999, 0, cluster="school"),
    ):
        assert found.loc[1, "p_adjusted"] < 0.01
        assert (found.loc[[0, 2], "p_adjusted"] > 0.05).all()
        assert (found["p_adjusted"] >= found["p"] - 1e-12).all()


def test_few_clusters_are_said():
    found = romano_wolf(world(clusters=8), "treated", Y, 99, 0, cluster="school")
    assert "4 clusters only" in found.attrs["flags"][0].text
    with pytest.raises(EstimationError, match="three clusters"):
        romano_wolf(world(clusters=2), "treated", Y, 99, 0, cluster="school")


def contributions(frame):
    code = pd.factorize(frame["school"])[0]
    fits = [least_squares(frame[y].to_numpy(), np.column_stack([np.ones(len(frame)), frame["treated"]])) for y in Y]
    parts = [np.bincount(code, row_contributions(fit, np.array([0.0, 1.0]), "cr2", code)) for fit in fits]
    effects = pd.Series([fit.beta[1] for fit in fits], index=Y)
    return effects, np.sqrt([(part**2).sum() for part in parts]), np.column_stack(parts)


@pytest.mark.parametrize("multiplier", ["webb", "mammen", "rademacher", "normal"])
def test_contributions_of_any_estimator_lead_to_the_same_p_values(multiplier):
    frame = world(12, clusters=60, effect=0.15)
    effects, ses, parts = contributions(frame)
    found = romano_wolf_from_influence(effects, ses, parts, draws=4000, seed=0, multiplier=multiplier)
    drawn = romano_wolf(frame, "treated", Y, 4000, 0, cluster="school")
    assert found["measure"].tolist() == Y
    assert found["p_adjusted"].to_numpy() == pytest.approx(drawn["p_adjusted"].to_numpy(), abs=0.05)


def test_contributions_that_do_not_go_with_the_errors_are_refused():
    effects, ses, parts = contributions(world(13))
    with pytest.raises(DataError, match="divided by the number of people"):
        romano_wolf_from_influence(effects, ses, parts * 240, 99, 0)
    with pytest.raises(DataError, match="do not fit"):
        romano_wolf_from_influence(effects, ses, parts[:, :2], 99, 0)
    with pytest.raises(DataError, match="write 0"):
        romano_wolf_from_influence(effects, ses, np.where(parts == parts.max(), np.nan, parts), 99, 0)
    with pytest.raises(DataError, match='Did you mean "webb"'):
        romano_wolf_from_influence(effects, ses, parts, 99, 0, multiplier="web")
    with pytest.raises(EstimationError, match="2 clusters are too few"):
        romano_wolf_from_influence(effects, ses, parts[:2], 99, 0)


# ---------------------------------------------------------------- how often they err

WORLDS = 200


def family_wise_error(test, **how):
    return np.mean([test(world(100 + one, **how), one)["p_adjusted"].min() <= 0.05 for one in range(WORLDS)])


def test_shuffling_clusters_holds_the_family_wise_error_where_shuffling_people_does_not():
    by_cluster = family_wise_error(lambda frame, seed: westfall_young(frame, "treated", Y, 199, seed, cluster="school"))
    one_by_one = family_wise_error(
        lambda frame, seed: westfall_young(frame, "treated", Y, 199, seed, assigned="individual")
    )
    assert by_cluster <= 0.09  # .05 and two and a half standard errors of 200 worlds
    assert one_by_one >= 0.35  # the trap


def test_shuffling_within_strata_holds_where_strata_differ():
    def stratified(frame, seed):
        # In schools with good results most are treated: a shuffle over all pupils would call that an effect.
        rng = np.random.default_rng(seed)
        code = pd.factorize(frame["school"])[0]
        treated = (rng.random(len(frame)) < np.where(code < 4, 0.3, 0.7)).astype(int)
        shifted = frame.assign(treated=treated, **{y: frame[y] + 0.5 * (code >= 4) for y in Y})
        held = westfall_young(shifted, "treated", Y, 199, seed, strata="school")
        loose = westfall_young(shifted, "treated", Y, 199, seed, assigned="individual")
        return pd.DataFrame({"held": held["p_adjusted"], "loose": loose["p_adjusted"]})

    rejected = np.mean(
        [stratified(world(one, by_cluster=False, clusters=8, size=20), one).min() <= 0.05 for one in range(WORLDS)],
        axis=0,
    )
    assert rejected[0] <= 0.09
    assert rejected[1] >= 0.3


@pytest.mark.slow
def test_the_bootstraps_hold_the_family_wise_error():
    def multiplied(frame, seed):
        return romano_wolf_from_influence(*contributions(frame), 499, seed)

    def drawn(frame, seed):
        return romano_wolf(frame, "treated", Y, 499, seed, cluster="school")

    assert 0.005 <= family_wise_error(drawn, clusters=40) <= 0.09
    assert 0.01 <= family_wise_error(multiplied, clusters=40) <= 0.10
