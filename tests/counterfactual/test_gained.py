"""Who gained, who lost: distributions of the two arms, and what may not be read from them."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evalkit.counterfactual import estimate
from evalkit.counterfactual.many.gained import who_gained
from evalkit.errors import EstimationError

ABOUT = {"outcome": "y", "treated": "treated"}


def people(seed=1, n=400, shift=0.5, spread=1.0, clusters=None):
    random = np.random.default_rng(seed)
    team = np.arange(n) if clusters is None else random.integers(0, clusters, n)
    treated = random.integers(0, 2, n) if clusters is None else team % 2
    before = random.normal(size=n)
    level = 0 if clusters is None else 0.4 * random.normal(size=clusters)[team]
    y = level + random.normal(size=n) * np.where(treated == 1, spread, 1.0) + shift * treated
    return pd.DataFrame({"person": [f"p{i}" for i in range(n)], "treated": treated, "before": before, "y": y,
                         "team": team})  # fmt: skip


def test_quantile_effects_are_differences_of_the_arms_quantiles():
    frame = people()
    found = who_gained(frame, **ABOUT, at=[0.25, 0.5])
    for share, effect in zip([0.25, 0.5], found.table["effect"], strict=True):
        by_arm = frame.groupby("treated")["y"].quantile(share, interpolation="midpoint")
        assert effect == pytest.approx(by_arm[1] - by_arm[0], abs=0.05)
    medians = frame.groupby("treated")["y"].median()
    assert found.table["effect"].iloc[1] == pytest.approx(medians[1] - medians[0])


def test_a_person_with_weight_two_is_two_people():
    frame = people(n=300)
    frame["w"] = np.where(frame["treated"] == 1, 1.0, 1 + np.arange(300) % 2)
    twice = pd.concat([frame, frame[frame["w"] == 2]])
    weighted, doubled = who_gained(frame, **ABOUT, weights="w"), who_gained(twice, **ABOUT)
    both = (weighted.table["why"] == "") & (doubled.table["why"] == "")
    assert both.sum() >= 6
    assert weighted.table.loc[both, "effect"].to_numpy() == pytest.approx(doubled.table.loc[both, "effect"].to_numpy())


def test_weights_of_an_estimate_are_joined_by_person():
    frame = people(n=500).assign(need=lambda f: f["before"])
    frame["treated"] = (np.random.default_rng(3).uniform(size=500) < 0.3).astype(int)
    matched = estimate(frame, "matching", covariates=["need"], person="person", **ABOUT)
    weights = matched.diagnostics["weights"]
    found = who_gained(frame, person="person", weights=weights.sample(frac=1, random_state=2), **ABOUT)
    assert (found.n_treated, found.n_comparison) == (matched.n_treated, matched.n_comparison)
    with pytest.raises(EstimationError, match="no weight belongs to a person"):
        who_gained(frame.assign(person="q" + frame["person"]), person="person", weights=weights, **ABOUT)
    with pytest.raises(EstimationError, match="need the column of ids"):
        who_gained(frame, weights=weights, **ABOUT)


def test_intervals_cover_and_those_for_all_cover_all():
    truth = 0.5 + stats.norm.ppf(np.arange(1, 10) / 10) * 0.5
    found = [who_gained(people(seed, 300, 0.5, 1.5), draws=199, **ABOUT).table for seed in range(100)]
    covered = np.mean([(one["low"] <= truth) & (truth <= one["high"]) for one in found])
    together = np.mean([((one["low_all"] <= truth) & (truth <= one["high_all"])).all() for one in found])
    assert 0.91 < covered < 0.99
    assert together > 0.88


def test_clusters_are_drawn_as_wholes():
    frame = people(clusters=16)
    alone, together = who_gained(frame, **ABOUT), who_gained(frame, cluster="team", **ABOUT)
    assert together.table["effect"].equals(alone.table["effect"])
    assert together.table["se"].mean() > 1.2 * alone.table["se"].mean()
    assert any("few clusters" in flag.text for flag in together.flags)


def test_an_arm_in_one_cluster_gets_no_interval():
    frame = people()
    frame["team"] = np.where(frame["treated"] == 1, "a", np.where(np.arange(400) % 3 == 0, "b", "c"))
    found = who_gained(frame, cluster="team", **ABOUT)
    assert found.table["effect"].notna().all()
    assert found.table[["low", "high", "se"]].isna().all(axis=None)
    assert any(flag.level == "serious" for flag in found.flags)


def test_shares_by_the_declared_threshold():
    frame = people(n=600)
    found = who_gained(frame, baseline="before", threshold=0.5, **ABOUT)
    change = frame["y"] - frame["before"]
    for arm, name in ((1, "treated"), (0, "comparison")):
        mine = change[frame["treated"] == arm]
        wanted = [(mine >= 0.5).mean(), (mine.abs() < 0.5).mean(), (mine <= -0.5).mean()]
        assert found.shares[name].tolist() == pytest.approx(wanted)
    assert found.shares["difference"].sum() == pytest.approx(0)
    fewer = who_gained(frame, baseline="before", threshold=0.5, better="lower", **ABOUT).shares
    assert fewer["treated"].tolist() == found.shares["treated"].tolist()[::-1]


def test_the_interval_of_a_share_is_near_the_known_one():
    frame = people(n=800)
    row = who_gained(frame, baseline="before", threshold=0.5, draws=1999, **ABOUT).shares.iloc[0]
    n = frame["treated"].value_counts()
    known = (row["treated"] * (1 - row["treated"]) / n[1] + row["comparison"] * (1 - row["comparison"]) / n[0]) ** 0.5
    assert row["se"] == pytest.approx(known, rel=0.06)
    assert (row["high"] - row["low"]) / 2 == pytest.approx(1.96 * known, rel=0.08)


def test_quantiles_with_too_few_beyond_them_are_not_given():
    found = who_gained(people(n=120), **ABOUT).table.set_index("at")
    assert found.loc[0.1, "why"].startswith("fewer than 10 people")
    assert found.loc[0.1, ["treated", "comparison", "effect", "low", "low_all"]].isna().all()
    assert found.loc[0.5, "why"] == ""
    with pytest.raises(EstimationError, match="smallest and largest values are not given"):
        who_gained(people(), at=[0, 0.5], **ABOUT)


def test_a_small_share_is_hidden_with_another_that_would_give_it_away():
    frame = people(n=200, shift=0).assign(y=lambda f: f["before"] + 1)
    frame.loc[:3, "y"] = frame.loc[:3, "before"] - 2
    frame.loc[100:, "y"] = frame.loc[100:, "before"]
    shares = who_gained(frame, baseline="before", threshold=1, **ABOUT).shares.set_index("state")
    assert (shares["why"] != "").sum() == 2
    assert np.isnan(shares.loc["worse", "treated"])


def test_dominance_is_said_cautiously():
    assert "better side, beyond what chance explains" in who_gained(people(shift=2.0, n=600), **ABOUT).dominance
    assert "worse side, beyond" in who_gained(people(shift=2.0, n=600), better="lower", **ABOUT).dominance
    assert "cross" in who_gained(people(shift=0.0, spread=4.0, n=900), **ABOUT).dominance
    assert "Neither" in who_gained(people(shift=0.0), **ABOUT).dominance


def test_distributions_are_not_called_effects_on_persons():
    texts = [flag.text for flag in who_gained(people(), **ABOUT).flags]
    assert any("not effects on any one person" in text for text in texts)
    assert any("without weights" in text for text in texts)
    rough = [flag.text for flag in who_gained(people().assign(y=lambda f: f["y"].round()), **ABOUT).flags]
    assert any("move in steps" in text for text in rough)


def test_slips_are_told_at_once():
    with pytest.raises(EstimationError, match="3 problems") as told:
        who_gained(people(), threshold=-1, bettter="lower", **ABOUT)
    assert 'Did you mean "better"' in str(told.value)
    with pytest.raises(EstimationError, match='"z" is not in the table'):
        who_gained(people(), outcome="z", treated="treated")


def test_the_table_is_left_alone_and_row_order_does_not_matter():
    frame = people()
    before = frame.copy(deep=True)
    given = who_gained(frame, person="person", baseline="before", threshold=0.5, **ABOUT)
    other = who_gained(frame.sample(frac=1, random_state=1), person="person", baseline="before", threshold=0.5, **ABOUT)
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(given.table, other.table)
    pd.testing.assert_frame_equal(given.shares, other.shares)
    assert "p17" not in repr(given)
