"""The worlds in which intervals are tested are what they say."""

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError
from evalkit.simulate.effect_worlds import Teams, clustered, confounded, rare


def test_a_world_repeats_with_its_seed_and_knows_its_effect():
    for world in (confounded, rare, clustered):
        pd.testing.assert_frame_equal(world(3), world(3))
        assert not world(3)["y"].equals(world(4)["y"])
        assert world(3)["person"].is_unique
    assert (confounded(1).attrs["effect"], rare(1).attrs["effect"]) == (2.0, -0.04)


def test_the_confounded_world_has_the_groups_and_the_bias_of_the_notes():
    frames = [confounded(seed) for seed in range(40)]
    assert frames[0]["treated"].value_counts().to_dict() == {0: 1500, 1: 150}
    gaps = [frame.groupby("treated")["y"].mean().diff().iloc[-1] for frame in frames]
    assert np.mean(gaps) == pytest.approx(2 + 2.58, abs=0.2)
    bent = [confounded(seed, nonlinear=True).groupby("treated")["y"].mean().diff().iloc[-1] for seed in range(40)]
    assert np.mean(bent) == pytest.approx(2 + 2.99, abs=0.25)


def test_the_rare_outcome_is_had_by_one_in_ten_and_risk_is_linear():
    frame = pd.concat([rare(seed) for seed in range(40)])
    assert frame.loc[frame["treated"] == 0, "y"].mean() == pytest.approx(0.10, abs=0.01)
    x = np.column_stack([np.ones(len(frame)), frame[["treated", "x1", "x2", "x3"]]])
    beta = np.linalg.lstsq(x, frame["y"].to_numpy(), rcond=None)[0]
    assert beta == pytest.approx([0.07, -0.04, 0.03, 0.05, 0.02], abs=0.01)


def test_clusters_are_treated_whole_or_within():
    whole = clustered(2, 5, 7).groupby("cluster")["treated"].mean()
    assert (whole.isin([0, 1]).all(), int(whole.sum()), len(whole)) == (True, 5, 12)
    within = clustered(2, within=True).groupby("cluster")["treated"].mean()
    assert within.between(0.01, 0.99).all()
    assert within.mean() == pytest.approx(0.25, abs=0.05)


def test_clusters_share_a_tenth_of_the_spread():
    from evalkit.outcomes import variance_components

    found = []
    for seed in range(20):
        frame = clustered(seed, 20, 20, within=True, lean=0.0)
        rest = frame["y"] - 1.5 * frame["x1"] - frame["x2"] - 2 * frame["treated"]
        found.append(variance_components(rest, frame["cluster"]).icc)
    assert np.mean(found) == pytest.approx(0.1, abs=0.02)


def test_two_readings_each_move_in_parallel():
    frame = clustered(1, 200, 200, times=2, size=10)
    means = frame.groupby(["treated", "time"])["y"].mean()
    assert (means[1, 1] - means[1, 0]) - (means[0, 1] - means[0, 0]) == pytest.approx(2.0, abs=0.3)
    assert (frame.groupby("person").size() == 2).all()
    assert frame.attrs["effect"] == 2.0


def test_what_cannot_be_drawn_is_said():
    with pytest.raises(DataError, match="treated = 0: each arm needs one or more"):
        confounded(1, treated=0)
    with pytest.raises(DataError, match=r'clusters have no "iccc"\. Known: size, ratio, icc, lean, times'):
        clustered(1, iccc=0.1)
    with pytest.raises(DataError, match="icc must lie from 0 to below 1"):
        clustered(1, teams=Teams(icc=1.0))
    with pytest.raises(DataError, match="effect must lie between"):
        rare(1, effect=-0.2)
