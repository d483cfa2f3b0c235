"""Completed sets pooled; missing outcomes filled in and shifted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError, EstimationError
from evalkit.linear import least_squares, row_contributions
from evalkit.outcomes.missing.completed import complete_sets
from evalkit.outcomes.missing.imputed import pool, pool_frames
from evalkit.outcomes.missing.shifted import delta_shift

DATA = Path(__file__).parents[1] / "data"


def regression(frame):
    """Cholesterol on age and body mass index: coefficients, variances, degrees of freedom."""
    fit = least_squares(
        frame["chl"].to_numpy(float), np.column_stack([np.ones(len(frame)), frame["age"], frame["bmi"]])
    )
    spread = (fit.residuals**2).sum() / (len(frame) - 3)
    return fit.beta, np.diag(fit.bread) * spread, len(frame) - 3


# ---------------------------------------------------------------- Rubin


def test_nhanes_pooled_as_in_mice():
    expected = json.loads((DATA / "v09_nhanes_mi.expected.json").read_text())
    sets = [one for _, one in pd.read_csv(DATA / "v09_nhanes_mi_completed.csv").groupby(".imp")]
    found = pool_frames(sets, regression)
    for name, key in (("estimate", "estimate"), ("df", "df"), ("fmi", "fmi"), ("riv", "riv"), ("lambda_", "lambda")):
        assert getattr(found, name) == pytest.approx([row[key] for row in expected["components"]], rel=1e-8), name
    for name, key in (("se", "std.error"), ("p", "p.value"), ("low", "2.5 %"), ("high", "97.5 %")):
        assert getattr(found, name) == pytest.approx([row[key] for row in expected["pooled"]], rel=1e-8), name
    assert found.n_sets == 5
    assert "5 completed sets are few" in found.flags[0].text


def test_three_sets_worked_by_hand():
    found = pool([1.0, 2.0, 3.0], [0.5, 0.5, 0.5])
    # Within 0.5, between 1: total 0.5 + 4/3.
    assert found.estimate == 2
    assert found.se == pytest.approx(np.sqrt(0.5 + 4 / 3))
    assert found.lambda_ == pytest.approx((4 / 3) / (0.5 + 4 / 3))
    assert found.riv == pytest.approx((4 / 3) / 0.5)
    assert found.df == pytest.approx(2 / found.lambda_**2)  # without a bound from the complete data


def test_sets_that_agree_lose_nothing():
    found = pool([2.0, 2.0, 2.0], [0.25, 0.25, 0.25], df_complete=50)
    assert (found.se, found.fmi, found.riv) == (0.5, pytest.approx(2 / (found.df + 3)), 0)
    assert found.df == pytest.approx(51 / 53 * 50)
    assert pool([2.0, 2.0], [0.25, 0.25]).df == np.inf


def test_degrees_of_freedom_never_pass_those_of_the_complete_data():
    rng = np.random.default_rng(0)
    for _ in range(20):
        found = pool(rng.normal(size=5), rng.uniform(0.1, 5, 5), df_complete=12)
        assert 0 < found.df < 12
        assert 0 <= found.lambda_ <= found.fmi <= 1


@pytest.mark.parametrize(
    ("estimates", "variances", "df", "told"),
    [
        ([1.0], [1.0], 10, "Complete the data several times"),
        ([1.0, 2.0], [1.0], 10, "do not fit"),
        ([1.0, np.nan], [1.0, 1.0], 10, "missing in a completed set"),
        ([1.0, 2.0], [1.0, -1.0], 10, "variance is negative"),
        ([1.0, 2.0], [1.0, 1.0], 0, "df_complete must be above 0"),
    ],
)
def test_what_cannot_be_pooled(estimates, variances, df, told):
    with pytest.raises(DataError, match=told):
        pool(estimates, variances, df)


def test_the_index_is_computed_inside_each_set():
    rng = np.random.default_rng(1)
    sets = [pd.DataFrame({"y": rng.normal(size=20), "z": rng.normal(size=20)}) for _ in range(4)]
    seen = []

    def analysis(frame):
        index = (frame / frame.std()).mean(axis=1)  # this set's own unit
        seen.append(frame["y"].std())
        return index.mean(), index.var() / 20, 19

    found = pool_frames(sets, analysis)
    assert len(set(seen)) == 4
    assert found.estimate == pytest.approx(np.mean([(s / s.std()).mean(axis=1).mean() for s in sets]))


def test_a_set_that_fails_is_named_and_sets_must_hold_the_same_people():
    def analysis(frame):
        if frame["y"].iloc[0] > 1:
            raise EstimationError("no spread")
        return 0.0, 1.0, 5

    sets = [pd.DataFrame({"y": [0, 1]}), pd.DataFrame({"y": [2, 1]})]
    with pytest.raises(EstimationError, match="Completed set 2: no spread"):
        pool_frames(sets, analysis)
    with pytest.raises(DataError, match="1 to 2 rows"):
        pool_frames([sets[0], sets[1].head(1)], analysis)
    with pytest.raises(DataError, match="Complete the data several times"):
        pool_frames(sets[:1], analysis)


# ---------------------------------------------------------------- filling in


def trial(seed, people=240, clusters=24, effect=0.5, hidden=0.3):
    """A trial by cluster; the outcome is more often missing where the baseline is low."""
    rng = np.random.default_rng(seed)
    team = np.arange(people) % clusters
    treated, before = team % 2, rng.normal(size=people)
    y = effect * treated + 0.6 * before + 0.4 * rng.normal(size=clusters)[team] + 0.7 * rng.normal(size=people)
    gone = rng.random(people) < hidden * 2 / (1 + np.exp(before))
    table = pd.DataFrame({"treated": treated, "team": team, "before": before, "true": y})
    return table.assign(y=np.where(gone, np.nan, y))


def test_what_was_seen_stays_and_what_was_not_differs_from_set_to_set():
    frame = trial(0)
    before = frame.copy()
    found = complete_sets(frame, "y", "treated", ["before"], sets=5, seed=3)
    seen = frame["y"].notna().to_numpy()
    assert (found.values[:, seen] == frame.loc[seen, "y"].to_numpy()).all()
    # A person's values spread as people of the same baseline and cluster do, by 0.7.
    assert found.values[:, ~seen].std(axis=0, ddof=1).mean() == pytest.approx(0.7, abs=0.15)
    assert (found.missing == ~seen).all()
    assert (complete_sets(frame, "y", "treated", ["before"], sets=5, seed=3).values == found.values).all()
    pd.testing.assert_frame_equal(frame, before)
    assert "p0" not in repr(found)


def test_filling_in_with_the_baseline_mends_what_the_seen_alone_get_wrong():
    frames = [trial(seed, people=2400) for seed in range(5)]
    off = [
        (complete_sets(frame, "y", "treated", ["before"], sets=5, seed=1).values.mean() - frame["true"].mean(),
         frame["y"].mean() - frame["true"].mean())
        for frame in frames
    ]  # fmt: skip
    filled, seen_only = np.abs(np.mean(off, axis=0))
    assert filled < 0.03 < 0.08 < seen_only


def test_a_yes_or_no_that_everyone_seen_shares_is_filled_in_with_it():
    frame = pd.DataFrame({"treated": [1] * 6 + [0] * 6, "y": [1.0] * 5 + [np.nan] + [0.0, 1] * 3})
    assert complete_sets(frame, "y", "treated", sets=3).values[:, 5] == pytest.approx([1, 1, 1])


def test_what_cannot_be_learned_from_is_refused():
    frame = trial(1).assign(word="x")
    with pytest.raises(DataError, match=r'(?s)no column "befor".*"word" does not hold numbers'):
        complete_sets(frame, "y", "treated", ["befor", "word"])
    with pytest.raises(DataError, match='Covariate "before" is missing in 3 rows'):
        complete_sets(frame.assign(before=frame["before"].mask(frame.index < 3)), "y", "treated", ["before"])
    bare = frame.assign(y=frame["y"].where((frame["treated"] == 0) | (frame.index < 4)))
    with pytest.raises(EstimationError, match="too few"):
        complete_sets(bare, "y", "treated")


# ---------------------------------------------------------------- shifting


def test_without_a_shift_the_answer_is_that_of_the_filled_in_sets():
    frame = trial(2)
    sets = complete_sets(frame, "y", "treated", ["before"], "team", sets=8, seed=4)
    found = delta_shift(frame, "y", "treated", [-1], cluster="team", completed=sets).table.set_index("delta")
    contrast, design = np.array([0.0, 1.0]), np.column_stack([np.ones(len(frame)), frame["treated"]])
    parts = []
    for one in sets.frames():
        fit = least_squares(one["y"].to_numpy(), design)
        sums = np.bincount(frame["team"], row_contributions(fit, contrast, "cr2", frame["team"].to_numpy()))
        parts.append((fit.beta[1], (sums**2).sum()))
    pooled = pool(*zip(*parts, strict=True))
    assert found.loc[0, "effect"] == pytest.approx(pooled.estimate)
    assert found.loc[0, "se"] == pytest.approx(pooled.se)


def test_each_shift_moves_the_effect_by_the_share_that_was_not_seen():
    frame = trial(3)
    gone = frame["y"].isna().groupby(frame["treated"]).mean()
    sd = frame.loc[frame["treated"] == 0, "y"].std()
    for who, expected in (("treated", gone[1]), ("comparison", -gone[0]), ("both", gone[1] - gone[0])):
        found = delta_shift(frame, "y", "treated", [-1, 1], shifted=who).table.set_index("delta")["effect"]
        assert found[1] - found[0] == pytest.approx(expected * sd)
        assert found[0] - found[-1] == pytest.approx(expected * sd)


def test_the_tipping_point_is_where_the_interval_reaches_0():
    frame = trial(4, effect=1.2, people=600)
    found = delta_shift(frame, "y", "treated", np.arange(-5, 1), cluster="team")
    at = delta_shift(frame, "y", "treated", [found.tipping, found.tipping + 0.01], cluster="team").table
    assert found.tipping < 0
    assert at["includes_zero"].tolist() == [True, False, False]  # the point, a step back, and no shift
    assert "the treated who were not seen are" in found.says
    assert found.flags[-1].text == found.says


def test_a_finding_that_never_tips_or_tips_already_is_said():
    strong = delta_shift(trial(5, effect=3.0), "y", "treated", [-0.5, -0.25])
    assert strong.tipping is None
    assert strong.says == "The interval does not include 0 for any shift from −0.50 to 0.00 SD."
    weak = delta_shift(trial(6, effect=0.0), "y", "treated", [-0.5], cluster="team")
    assert (weak.tipping, weak.says) == (0.0, "The interval includes 0 already without a shift.")


def test_an_analysis_of_ones_own_is_used_on_every_set():
    def adjusted(one):
        fit = least_squares(one["y"].to_numpy(), np.column_stack([np.ones(len(one)), one["treated"], one["before"]]))
        parts = row_contributions(fit, np.array([0, 1.0, 0]), "hc2")
        return fit.beta[1], (parts**2).sum(), len(one) - 3

    frame = trial(7)
    sets = complete_sets(frame, "y", "treated", ["before"], sets=10)
    found = [delta_shift(frame, "y", "treated", [0], analysis=one, completed=sets) for one in (None, adjusted)]
    plain, better = (one.table.loc[0] for one in found)
    assert better["se"] < 0.9 * plain["se"]
    assert better["effect"] == pytest.approx(pool_frames(sets.frames(), adjusted).estimate)


def test_small_counts_of_the_unseen_do_not_show():
    frame = trial(8).assign(y=lambda t: t["true"].where(t.index > 3))
    found = delta_shift(frame, "y", "treated", [-0.5])
    assert found.missing.sum() == 4
    assert "[c]" in found._repr_html_()
    assert "treated: 2" not in found._repr_html_() + repr(found)


def test_nothing_missing_or_an_unknown_word_is_an_error():
    frame = trial(9)
    with pytest.raises(EstimationError, match="nothing to suppose"):
        delta_shift(frame.assign(y=frame["true"]), "y", "treated", [-1])
    with pytest.raises(DataError, match='Did you mean "treated"'):
        delta_shift(frame, "y", "treated", [-1], shifted="treatd")
    with pytest.raises(DataError, match="deltas must be numbers"):
        delta_shift(frame, "y", "treated", [np.nan])
    with pytest.raises(DataError, match="another table"):
        delta_shift(frame, "y", "treated", [-1], completed=complete_sets(trial(9, people=120), "y", "treated"))


def test_intervals_of_filled_in_clusters_cover_the_truth():
    hits, errors, found = 0, [], []
    for seed in range(60):
        frame = trial(seed, clusters=20, people=200)
        sets = complete_sets(frame, "y", "treated", ["before"], "team", sets=10, seed=seed)
        row = delta_shift(frame, "y", "treated", [0], cluster="team", completed=sets).table.iloc[0]
        hits += row["low"] <= 0.5 <= row["high"]
        errors.append(row["se"])
        found.append(row["effect"])
    assert hits >= 52  # of 60; 57 expected
    assert np.mean(errors) == pytest.approx(np.std(found), rel=0.3)
