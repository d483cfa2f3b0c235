"""The effect of taking part by instrument: hand formulas, coverage, weak first stages, and completers beside it."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evalkit import counterfactual as cf
from evalkit.counterfactual.analysed import completers
from evalkit.counterfactual.taking_part import _robust_set, taking_part
from evalkit.errors import EstimationError

EFFECT = 2.0


def offered(seed, people=300, brought_in=0.6, without_offer=0.0, groups=None):
    """Chance decides the offer; who takes part is not chance: they would have done better anyway."""
    random = np.random.default_rng([seed, 3])
    cluster = np.arange(people) % (groups or people)
    draw = random.permutation(np.repeat([1, 0], (groups or people) // 2))
    assigned = draw[cluster]
    kind = random.uniform(size=people)
    always, complier = kind > 1 - without_offer, kind < brought_in
    came = np.where(always, 1, np.where(complier, assigned, 0))
    x = random.normal(size=people)
    luck = random.normal(0, 0.4, groups)[cluster] if groups else 0.0
    y = 5 + x + 1.5 * complier + always + EFFECT * came + luck + random.normal(size=people)
    ids = [f"p{i}" for i in range(people)]
    return pd.DataFrame({"person": ids, "offer": assigned, "came": came, "x": x, "y": y, "team": cluster})


def run(frame, **options):
    return taking_part(frame, outcome="y", assigned="offer", took_part="came", person="person", **options)


def test_it_is_the_effect_of_the_offer_over_the_share_it_brought_in():
    frame = offered(1, without_offer=0.1)
    found = run(frame)
    means = frame.groupby("offer")[["y", "came"]].mean()
    wald = (means.loc[1, "y"] - means.loc[0, "y"]) / (means.loc[1, "came"] - means.loc[0, "came"])
    assert found.effect == pytest.approx(wald, rel=1e-10)
    assert found.diagnostics["intention_to_treat"] == pytest.approx(means.loc[1, "y"] - means.loc[0, "y"])
    assert found.diagnostics["first_stage"]["share"].tolist() == pytest.approx(
        [means.loc[1, "came"], means.loc[0, "came"]]
    )


def test_two_stage_least_squares_with_covariates_equals_its_matrix_formula():
    frame = offered(2, without_offer=0.1)
    found = run(frame, covariates=["x"], se="hc0")
    one = np.ones(len(frame))
    z = np.column_stack([frame["offer"], one, frame["x"]])
    d = np.column_stack([frame["came"], one, frame["x"]])
    y = frame["y"].to_numpy()
    beta = np.linalg.solve(z.T @ d, z.T @ y)
    middle = (z * ((y - d @ beta) ** 2)[:, None]).T @ z
    bread = np.linalg.inv(z.T @ d)
    assert found.effect == pytest.approx(beta[0], rel=1e-10)
    assert found.se == pytest.approx(math.sqrt((bread @ middle @ bread.T)[0, 0]), rel=1e-8)
    assert found.df == len(frame) - 3


def test_with_full_compliance_it_is_the_plain_difference():
    frame = offered(3, brought_in=1.1)
    found, plain = run(frame), cf.estimate(frame, "difference", outcome="y", treated="offer", person="person")
    assert (found.effect, found.se, found.df) == pytest.approx((plain.effect, plain.se, plain.df))
    assert found.observed == pytest.approx(plain.observed)
    assert math.isinf(found.diagnostics["f"])


def test_where_nobody_came_without_an_offer_observed_is_the_mean_of_those_who_came():
    frame = offered(4)
    found = run(frame)
    assert found.observed == pytest.approx(frame.loc[frame["came"] == 1, "y"].mean())
    assert found.diagnostics["one_sided"]
    assert any("the effect on those who took part" in flag.detail for flag in found.flags)


def test_with_always_takers_it_says_whom_it_is_on():
    found = run(offered(4, without_offer=0.2))
    assert not found.diagnostics["one_sided"]
    assert any("those whom the assignment brought in" in flag.detail for flag in found.flags)


def test_its_interval_covers_the_effect_and_deadweight_of_those_brought_in():
    found = [run(offered(seed, without_offer=0.1), values="amount") for seed in range(200)]
    covered = np.mean([one.low <= EFFECT <= one.high for one in found])
    shares = np.mean([one.deadweight.low <= 6.5 / 8.5 <= one.deadweight.high for one in found])
    assert 0.91 <= covered <= 0.985
    assert 0.91 <= shares <= 0.985
    assert np.mean([one.effect for one in found]) == pytest.approx(EFFECT, abs=0.08)


def test_clusters_that_were_assigned_together_widen_it():
    found = [run(offered(seed, people=400, groups=20), cluster="team") for seed in range(120)]
    covered = np.mean([one.low <= EFFECT <= one.high for one in found])
    assert 0.89 <= covered <= 1
    assert found[0].n_clusters == 20
    assert found[0].df < 20
    teams = offered(0, people=400, groups=20).set_index("person")["team"]
    sums = found[0].influence["effect"].groupby(teams.reindex(found[0].influence.index)).sum()
    assert math.sqrt((sums**2).sum()) == pytest.approx(found[0].se)


def test_strata_are_taken_out_where_offers_were_more_frequent_in_some():
    random = np.random.default_rng(5)
    stratum = np.repeat([1, 2], 4000)
    offer = (random.uniform(size=8000) < np.where(stratum == 1, 0.2, 0.8)).astype(int)
    came = offer * (random.uniform(size=8000) < 0.7)
    y = 10.0 * stratum + EFFECT * came + random.normal(size=8000)
    frame = pd.DataFrame({"offer": offer, "came": came, "y": y, "place": stratum})
    told = {"outcome": "y", "assigned": "offer", "took_part": "came"}
    assert abs(taking_part(frame, **told).effect - EFFECT) > 1
    assert taking_part(frame, **told, strata="place").effect == pytest.approx(EFFECT, abs=0.15)


# ------------------------------------------------------------ Anderson and Rubin


def test_the_robust_set_holds_just_the_effects_whose_test_is_not_rejected():
    frame = offered(6, people=120, brought_in=0.35, without_offer=0.1)
    found = run(frame)
    robust = found.diagnostics["anderson_rubin"]
    assert robust.shape == "interval"
    for bound in (robust.low, robust.high):
        shifted = frame.assign(y=frame["y"] - bound * frame["came"])
        test = cf.estimate(shifted, "difference", outcome="y", treated="offer", person="person")
        assert test.p == pytest.approx(0.05, abs=1e-6)


def test_a_weak_first_stage_reports_the_robust_set_and_no_standard_error():
    found = run(offered(9, people=200, brought_in=0.15, without_offer=0.2))
    assert found.diagnostics["f"] < 10
    assert math.isnan(found.se)
    assert found.influence is None
    robust = found.diagnostics["anderson_rubin"]
    assert (found.low, found.high) == (
        (robust.low, robust.high) if robust.shape == "interval" else (-math.inf, math.inf)
    )
    assert any(flag.level == "serious" and "moved taking part little" in flag.text for flag in found.flags)
    assert found.p == found.diagnostics["anderson_rubin_p"]


def test_the_reported_interval_covers_even_where_the_first_stage_is_weak():
    covered = []
    for seed in range(200):
        try:
            found = run(offered(seed, people=200, brought_in=0.12, without_offer=0.15))
        except EstimationError:  # exactly as many came without an offer: nothing is ruled out
            continue
        covered.append(found.low <= EFFECT <= found.high)
    assert np.mean(covered) >= 0.92


@pytest.mark.parametrize(
    ("total", "share", "shape"), [(2.0, 1.0, "interval"), (2.0, 0.1, "two pieces"), (0.1, 0.1, "everything")]
)
def test_the_set_may_be_an_interval_two_pieces_or_everything(total, share, shape):
    covariance, square = np.array([[0.09, 0.0], [0.0, 0.04]]), stats.norm.ppf(0.975) ** 2
    found = _robust_set(total, share, covariance, square)
    assert found.shape == shape

    def kept(effect):
        return (total - effect * share) ** 2 <= square * (covariance[0, 0] + effect**2 * covariance[1, 1])

    inside = {"interval": [found.low + 1e-6, 2.0], "two pieces": [found.low - 1e-6, found.high + 1e-6]}
    outside = {"interval": [found.low - 1e-6, found.high + 1e-6], "two pieces": [(found.low + found.high) / 2]}
    assert all(kept(one) for one in inside.get(shape, [-1e6, 0.0, 1e6]))
    assert not any(kept(one) for one in outside.get(shape, []))
    assert ("not bounded" in found.text) == (shape != "interval")


# ------------------------------------------------------------------ what is refused


def test_it_refuses_where_assignment_was_not_random_unless_a_reason_is_given():
    with pytest.raises(EstimationError, match="was not random"):
        run(offered(1), randomised=False)
    found = run(offered(1), randomised="places were given by date of birth")
    assert any(flag.level == "serious" and "date of birth" in flag.text for flag in found.flags)


def test_it_says_what_is_wrong_with_the_columns():
    frame = offered(1)
    for changed, told in (
        (frame.assign(came=frame["came"].astype(float).where(frame.index > 30)), "Write 0 for whoever did not"),
        (frame.assign(came=frame["came"] * 3), "must be 1 for those who took part"),
        (frame.assign(came=1), "the same for everybody"),
        (frame.assign(offer=1), "nobody in the comparison arm"),
        (frame.drop(columns="came"), 'column "came" is not in the table'),
    ):
        with pytest.raises(EstimationError, match=told):
            run(changed)
    with pytest.raises(EstimationError, match='no option "levle"'):
        run(frame, levle=0.9)
    with pytest.raises(EstimationError, match="changed nobody's taking part"):
        run(pd.DataFrame({"person": list("abcd"), "offer": [1, 1, 0, 0], "came": [1, 0, 1, 0], "y": [1.0, 2, 3, 5]}))


def test_the_order_of_rows_and_the_frame_itself_stay():
    frame = offered(2)
    before = frame.copy(deep=True)
    given, shuffled = run(frame), run(frame.sample(frac=1, random_state=1))
    assert (given.effect, given.se) == (shuffled.effect, shuffled.se)
    pd.testing.assert_frame_equal(frame, before)


# ------------------------------------------------------------------ completers


def test_completers_leave_out_the_treated_who_did_not_and_say_what_that_is():
    frame = offered(7).rename(columns={"came": "done"})
    found = completers(frame, "ols", "done", outcome="y", treated="offer", covariates=["x"], person="person")
    kept = frame[(frame["offer"] == 0) | (frame["done"] == 1)]
    same = cf.estimate(kept, "ols", outcome="y", treated="offer", covariates=["x"], person="person")
    assert (found.effect, found.se) == (same.effect, same.se)
    assert found.flags[0].level == "serious"
    assert "earns no level" in found.flags[0].detail
    assert found.diagnostics["earns_level"] is False
    assert found.effect > EFFECT + 0.5  # who completes would have done better anyway


def test_completers_work_on_people_seen_twice_and_need_somebody_who_completed():
    random = np.random.default_rng(1)
    twice = pd.DataFrame({"who": list("abcdefgh") * 2, "when": [0] * 8 + [1] * 8, "arm": ([1] * 4 + [0] * 4) * 2})
    twice["y"] = random.normal(size=16)
    twice["done"] = [None] * 8 + [1, 1, 1, 0] + [None] * 4
    told = {"outcome": "y", "treated": "arm", "person": "who", "time": "when"}
    assert completers(twice, "did", "done", **told).n_treated == 3
    with pytest.raises(EstimationError, match="nobody treated completed"):
        completers(twice.assign(done=0), "did", "done", **told)
    with pytest.raises(EstimationError, match="no treated people to leave out"):
        completers(twice, "assumed", "done", outcome="y", deadweight=0.3)
