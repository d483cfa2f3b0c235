"""Reliable change, cut-offs, and regression to the mean in words."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError, EstimationError
from evalkit.outcomes.change.expected import expected_change, mean_change, regression_to_the_mean
from evalkit.outcomes.change.reliable import clinical_cutoff, reliable_change, reliable_change_by_arm

DATA = Path(__file__).parents[1] / "data"
GIRLS = pd.read_csv(DATA / "v06_anorexia_prepost.csv")
EXPECTED = json.loads((DATA / "v06_anorexia_prepost.expected.json").read_text(encoding="utf-8"))
NAMED = {"sd": "a published sample", "reliability": "alpha, the same sample"}


@pytest.mark.parametrize("reliability", ["0.8", "0.9"])
def test_reliable_change_of_the_anorexia_girls_equals_that_of_r(reliability):
    expected = EXPECTED["by_reliability"][reliability]
    found = reliable_change(GIRLS["Prewt"], GIRLS["Postwt"], GIRLS["Prewt"].std(), float(reliability), better="higher")
    assert found.sem == pytest.approx(expected["sem"], abs=1e-10)
    assert found.sdiff == pytest.approx(expected["sdiff"], abs=1e-10)
    assert found.threshold == pytest.approx(expected["threshold_points"], abs=1e-10)
    assert found.table["index"].head(6).tolist() == pytest.approx(expected["rci_first6"], abs=1e-10)
    counts = found.counts["n"]
    wanted = [expected["n_reliably_up"], expected["n_no_change"], expected["n_reliably_down"]]
    assert counts[["improved", "unchanged", "deteriorated"]].tolist() == wanted
    by_treatment = pd.crosstab(GIRLS["Treat"], found.table["class"])
    for treatment, wanted in expected["by_treat"].items():
        row = by_treatment.loc[treatment].reindex(["improved", "unchanged", "deteriorated"], fill_value=0)
        assert row.tolist() == wanted


def test_the_cut_off_between_two_populations_is_criterion_c_of_jacobson_and_truax_1991():
    found = clinical_cutoff(GIRLS["Prewt"].mean(), GIRLS["Prewt"].std(), 95, 8)
    assert found == pytest.approx(EXPECTED["clinical_cutoff_c"]["value"], abs=1e-10)
    assert clinical_cutoff(10, 1, 20, 1) == 15
    with pytest.raises(EstimationError, match="above 0"):
        clinical_cutoff(10, 0, 20, 1)
    with pytest.raises(EstimationError, match="same mean"):
        clinical_cutoff(10, 1, 10, 1)


# sd 5 and reliability .82: sem 2.1213, sdiff 3, threshold 5.88 points. Lower is better, 11 and above is clinical.
@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (20, 8, "recovered"),  # better by 12, across the cut-off
        (20, 12, "improved"),  # better by 8, still clinical
        (20, 11, "improved"),  # on the cut-off is clinical
        (9, 2, "improved"),  # was never clinical, so cannot recover
        (12, 9, "unchanged"),  # across the cut-off, but by 3 only
        (20, 14.12, "unchanged"),  # exactly the threshold is not more than it
        (20, 14.11, "improved"),
        (8, 16, "deteriorated"),
        (20, None, None),
        (None, 8, None),
    ],
)
def test_a_person_is_put_into_one_class(before, after, kind):
    found = reliable_change([before, 20.0], [after, 20.0], 5, 0.82, cutoff=11, source=NAMED)
    assert found.threshold == pytest.approx(5.88)
    given = found.table["class"].iloc[0]
    assert given == kind if kind else pd.isna(given)
    turned = reliable_change(
        [None if before is None else -before, -20.0],
        [None if after is None else -after, -20.0],
        5,
        0.82,
        better="higher",
        cutoff=-11,
    )
    assert turned.table["class"].equals(found.table["class"])


def test_shares_are_of_those_with_both_readings_with_wilsons_interval():
    before, after = [20.0] * 10 + [None], [8.0] * 8 + [20.0] * 2 + [8.0]
    found = reliable_change(before, after, 5, 0.82, cutoff=11, source=NAMED)
    assert (found.n, found.missing) == (10, 1)
    assert found.counts.loc["recovered", ["n", "share"]].tolist() == [8, 0.8]
    assert found.counts.loc["recovered", ["low", "high"]].tolist() == pytest.approx([0.4902, 0.9433], abs=1e-4)
    assert found.by_start.loc[("clinical range", "recovered"), "n"] == 8
    assert found.by_start.loc["outside it", "n"].sum() == 0
    assert found.crossings["n"].to_dict() == {
        "stayed in the clinical range": 2, "left it": 8, "entered it": 0, "stayed outside it": 0
    }  # fmt: skip
    assert any("without both readings" in flag.text for flag in found.flags)


def test_where_the_threshold_comes_from_is_carried_or_missed_aloud():
    named = reliable_change([20, 20], [8, 20], 5, 0.82, z=1.645, source=NAMED)
    assert named.source == {"sd": "a published sample", "reliability": "alpha, the same sample", "z": "1.645"}
    assert not any("is not said" in flag.text for flag in named.flags)
    silent = reliable_change([20, 20], [8, 20], 5, 0.82)
    assert any("sd and the reliability" in flag.text for flag in silent.flags)


def test_reliable_change_says_that_it_is_never_the_effect():
    found = reliable_change([20, 20], [8, 20], 5, 0.82)
    assert "not the effect of the programme" in found.flags[0].text


def test_no_person_is_seen_in_what_is_shown():
    found = reliable_change([20.25] * 30, [8.75] * 15 + [20.25] * 15, 5, 0.82)
    for shown in (repr(found), found._repr_html_()):
        assert "20.25" not in shown
        assert "8.75" not in shown
    assert "15" in found._repr_html_()


def test_a_class_of_few_people_is_hidden_together_with_one_that_would_give_it_away():
    found = reliable_change([20.0] * 40, [8.0] * 3 + [20.0] * 20 + [30.0] * 17, 5, 0.82)
    html = found._repr_html_()
    assert html.count("[c]") == 8  # two of three rows: n, share, low and high


def test_what_cannot_be_is_refused():
    for wrong, words in (
        ({"sd": 0}, "sd is 0"),
        ({"reliability": 1}, "reliability is 1"),
        ({"reliability": -0.1}, "reliability is"),
        ({"z": 0}, "z is 0"),
        ({"better": "lowr"}, 'Did you mean "lower"'),
        ({"cutoff": np.nan}, "cutoff is not a number"),
    ):
        with pytest.raises(DataError, match=words):
            reliable_change([1, 2], [2, 3], **({"sd": 5, "reliability": 0.8} | wrong))
    with pytest.raises(DataError, match=r"before, row 1 .*not a number"):
        reliable_change([1, "secret"], [2, 3], 5, 0.8)
    with pytest.raises(DataError, match="reindex"):
        reliable_change(pd.Series([1, 2], index=["a", "b"]), pd.Series([1, 2], index=["b", "a"]), 5, 0.8)
    with pytest.raises(DataError, match="Nobody has both"):
        reliable_change([1, None], [None, 2], 5, 0.8)


def test_the_cells_text_is_not_repeated_in_a_message():
    with pytest.raises(DataError) as caught:
        reliable_change([1, "secret"], [2, 3], 5, 0.8)
    assert "secret" not in str(caught.value)


# ---------------------------------------------------------------- beside the comparison's


def test_family_therapy_beside_the_control_group_of_the_anorexia_girls():
    some = GIRLS[GIRLS["Treat"] != "CBT"]
    arm = some["Treat"].map({"FT": "treated", "Cont": "comparison"})
    found = reliable_change_by_arm(
        some["Prewt"], some["Postwt"], arm, sd=EXPECTED["sd_pre"], reliability=0.8, better="higher"
    ).table
    assert found["treated_count"].tolist() == [10, 7, 0]
    assert found["comparison_count"].tolist() == [5, 13, 8]
    assert (found["treated_n"].unique(), found["comparison_n"].unique()) == ([17], [26])
    assert found.loc["improved", "difference"] == pytest.approx(10 / 17 - 5 / 26)
    # Newcombe's interval from the two Wilson intervals, by hand.
    low = 10 / 17 - 5 / 26 - np.hypot(10 / 17 - 0.360054, 0.378763 - 5 / 26)
    assert found.loc["improved", "difference_low"] == pytest.approx(low, abs=1e-5)


def test_clusters_widen_the_interval_where_they_differ():
    rng = np.random.default_rng(4)
    cluster = np.repeat(np.arange(20), 15)
    arm = (cluster < 10).astype(int)
    before = np.full(300, 20.0)
    after = 20 - 12.0 * (rng.random(300) < rng.beta(0.6, 0.6, 20)[cluster])
    plain = reliable_change_by_arm(before, after, arm, sd=5, reliability=0.82).table.loc["improved"]
    robust = reliable_change_by_arm(before, after, arm, cluster, sd=5, reliability=0.82).table.loc["improved"]
    assert robust["difference"] == plain["difference"]
    assert robust["method"] == "clusters (CR2)"
    wide = robust["difference_high"] - robust["difference_low"]
    assert wide > 1.5 * (plain["difference_high"] - plain["difference_low"])
    assert robust["treated_low"] < plain["treated_low"]


def test_an_arm_with_nobody_in_it_is_refused():
    with pytest.raises(DataError, match='nobody who is "comparison"'):
        reliable_change_by_arm([1, 2], [2, 3], ["treated", "treated"], sd=5, reliability=0.8)
    with pytest.raises(DataError, match='neither "treated" nor "comparison"'):
        reliable_change_by_arm([1, 2], [2, 3], ["treated", "compairson"], sd=5, reliability=0.8)


# ---------------------------------------------------------------- regression to the mean


def regressing(people=3000, effect=-3.0):
    """Scores whose comparison comes back by itself: r = .6 between two readings, mean 15, everyone above 18."""
    rng = np.random.default_rng(1)
    before = rng.normal(15, 5, 10 * people)
    before = before[before > 18][:people]
    arm = (np.arange(people) % 2).astype(int)
    after = 15 + 0.6 * (before - 15) + rng.normal(0, 4, people) + effect * arm
    return before, after, arm


def test_the_comparisons_own_change_is_set_beside_the_programmes():
    before, after, arm = regressing()
    found = mean_change(before, after, arm)
    assert found.difference == pytest.approx(found.treated - found.comparison)
    assert found.low < -3 < found.high
    assert found.worst < found.comparison < 0
    assert found.n_worst == pytest.approx(found.n_comparison / 3, abs=1)


def test_the_sentence_on_regression_to_the_mean_is_made_from_the_numbers():
    before, after, arm = regressing()
    found = mean_change(before, after, arm)
    text = regression_to_the_mean(before, after, arm)
    assert text.startswith("Those furthest out at the start tend to come back by themselves: the comparison changed by")
    for value in (found.comparison, found.worst, found.treated, found.difference):
        assert f"−{abs(value):.1f}" in text
    assert "only as far as the two arms were alike" in text


def test_where_the_comparison_did_not_come_back_the_sentence_says_so():
    before = np.tile(np.arange(10.0, 40.0), 2)
    arm = np.repeat([0, 1], 30)
    text = regression_to_the_mean(before, before + 1.0, arm)
    assert "here they did not more than others" in text


def test_without_a_comparison_or_with_few_people_no_more_is_said_than_is_known():
    before, after, arm = regressing(60)
    assert "There is no comparison here" in regression_to_the_mean(before, after)
    few = regression_to_the_mean(before[:8], after[:8], arm[:8])
    assert "too small to print" in few
    assert not any(character.isdigit() for character in few)


def test_the_expected_change_of_a_single_arm_lies_on_the_line_through_the_population_mean():
    found = expected_change([20, 10, None], 15, 0.6)
    assert found.expected.head(2).tolist() == [18, 12]
    assert (found.slope, found.intercept, found.n) == (0.6, 6, 2)
    assert (found.mean_before, found.mean_change) == (15, 0)
    assert np.isnan(found.added)


def test_regression_alone_leaves_nothing_beyond_the_expected_change():
    before, after, arm = regressing(effect=-3.0)
    alone = expected_change(before[arm == 0], 15, 0.6, after[arm == 0])
    assert alone.low < 0 < alone.high
    assert alone.observed < -1  # a change of its own, all of it expected
    helped = expected_change(before[arm == 1], 15, 0.6, after[arm == 1])
    assert helped.low < -3 < helped.high
    assert "not on a comparison" in helped.flags[0].text
    assert "expected" not in repr(helped).split("(")[0]


def test_a_class_is_counted_by_its_name():
    found = reliable_change([20, 20, 20, 20], [5, 19, 35, np.nan], sd=5, reliability=0.8)
    assert (found.counts["improved"], found.counts["unchanged"], found.counts["deteriorated"]) == (1, 1, 1)
    assert found.counts["n"].tolist() == [1, 1, 1]
    with pytest.raises(KeyError):
        found.counts["recovered"]  # there is no cut-off


def test_where_the_arms_did_not_start_alike_the_plain_difference_is_not_put_down_to_the_programme():
    rng = np.random.default_rng(8)
    arm = np.repeat([1, 0], 2000)
    true = rng.normal(10, 3, 4000)
    before = true + rng.normal(0, 3, 4000)
    kept = np.where(arm == 1, before > 10, before < 14)  # the programme took those who stood high; it does nothing
    after = true + rng.normal(0, 3, 4000)
    found = mean_change(before[kept], after[kept], arm[kept])
    assert found.high < -1  # the plain difference finds much
    assert found.adjusted_low < 0 < found.adjusted_high
    words = regression_to_the_mean(before[kept], after[kept], arm[kept])
    assert "That cannot simply be put down to it: the arms did not start alike" in words
    assert "only the difference" not in words


def test_the_difference_adjusted_for_the_start_is_that_of_the_regression():
    rng = np.random.default_rng(9)
    arm, before = np.tile([1.0, 0.0], 50), rng.normal(size=100)
    after = 0.5 * before - arm + rng.normal(size=100)
    found = mean_change(before, after, arm)
    beta = np.linalg.lstsq(np.column_stack([np.ones(100), arm, before]), after, rcond=None)[0]
    assert found.adjusted == pytest.approx(beta[1])
