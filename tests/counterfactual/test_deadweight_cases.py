"""One case per kind of outcome, worked in the docstrings; and that harm stays harm in payments and value."""

import doctest
import importlib
import math

import numpy as np
import pandas as pd
import pytest

from evalkit import counterfactual as cf
from evalkit.counterfactual.credit import attribution, displacement_of
from evalkit.counterfactual.deadweights import deadweight_from_levels, fieller
from evalkit.errors import EstimationError
from evalkit.value import appraise

WORKED = ("deadweights", "credit", "attrition", "taking_part", "estimators.published", "estimators.historical_baseline")
ANALYSED = ("analysed.bounds", "analysed.completing", "analysed.weights")


@pytest.mark.filterwarnings("ignore::evalkit.errors.EvalkitWarning")
@pytest.mark.parametrize("name", [*WORKED, *ANALYSED])
def test_the_worked_examples_of_the_docstrings_come_out(name):
    found = doctest.testmod(importlib.import_module(f"evalkit.counterfactual.{name}"))
    assert found.attempted > 0
    assert found.failed == 0


def test_every_kind_of_outcome_has_its_case(grid):
    grid(
        """
        values    | better | observed | anyway | contract | start | deadweight
        yes or no | higher | 0.60     | 0.30   |          |       | 0.5000
        amount    | higher | 200      | 150    |          |       | 0.7500
        yes or no | lower  | 0.108    | 0.55   |          |       | 0.5045
        amount    | lower  | 60       | 100    | 180      |       | 0.6667
        score     | higher | 30       | 26     |          | 20    | 0.6000
        score     | lower  | 12       | 15     |          | 20    | 0.6250
        yes or no | higher | 0.59     | 0.75   |          |       | 1.2712
        amount    | lower  | 60       | 190    | 180      |       | -0.0833
        """,
        lambda row: (
            deadweight_from_levels(
                row.observed,
                row.anyway,
                values=row.values,
                better=row.better,
                contract_baseline=row.contract,
                baseline=row.start,
            )[0].value
        ),
        "deadweight",
    )


def test_the_estimators_use_the_same_definition():
    random = np.random.default_rng(2)
    frame = pd.DataFrame({"arm": [1] * 300 + [0] * 300, "start": 20.0})
    frame["y"] = np.where(frame["arm"] == 1, 30.0, 26.0) + random.normal(0, 3, 600)
    for told in (
        {"values": "amount"},
        {"values": "amount", "better": "lower", "contract_baseline": 50.0},
        {"values": "score", "baseline": "start"},
    ):
        found = cf.estimate(frame, "difference", outcome="y", treated="arm", **told)
        plain = {**told, "baseline": 20.0} if "baseline" in told else told
        same, _ = deadweight_from_levels(found.observed, found.counterfactual, **plain)
        assert found.deadweight.value == pytest.approx(same.value)
        assert found.deadweight.method.partition(";")[0] == same.method.partition(";")[0]


def test_a_responder_definition_makes_a_yes_or_no_of_a_score():
    random = np.random.default_rng(5)
    frame = pd.DataFrame({"arm": [1] * 400 + [0] * 400, "start": random.normal(20, 4, 800)})
    frame["end"] = frame["start"] + np.where(frame["arm"] == 1, 5, 3) + random.normal(0, 5, 800)
    frame["improved"] = (frame["end"] - frame["start"] >= 5).astype(int)
    score = cf.estimate(frame, "difference", outcome="end", treated="arm", values="score")
    responders = cf.estimate(frame, "difference", outcome="improved", treated="arm")
    shares = frame.groupby("arm")["improved"].mean()
    assert score.why_no_deadweight == "not defined for a score"
    assert responders.deadweight.value == pytest.approx(shares[0] / shares[1])
    assert responders.deadweight.low < responders.deadweight.value < responders.deadweight.high


def test_a_set_without_bounds_or_in_two_pieces_is_not_clipped():
    two_pieces = fieller(3.0, 1.0, np.diag([0.25, 1.0]), 1.96)
    everything = fieller(0.1, 0.1, np.diag([1.0, 1.0]), 1.96)
    assert two_pieces == everything == (-math.inf, math.inf)


def test_a_negative_effect_stays_negative_in_value():
    rates = pd.DataFrame({"arm": [1, 0], "eet": [0.59, 0.75], "n": [445, 445]})
    found = cf.estimate(rates, "published", outcome="eet", treated="arm", values="yes or no", n="n")
    assert found.deadweight.low > 1
    line = {"outcome": "eet", "quantity": 445 * found.effect, "proxy": 1000, "deadweight": 0, "displacement": 0}
    lines = pd.DataFrame([line | {"attribution": 0, "drop_off": 0, "duration": 1}])
    value = appraise(lines, cost=100_000, discount_rate=0.0)
    assert value.present_value == pytest.approx(-71_200)
    assert value.ratio < 0


# ------------------------------------------------------------------ what others did, what others lost


def test_attribution_is_0_with_a_flag_and_names_partners_where_there_are_any():
    none = attribution()
    assert (none.value, none.partners) == (0.0, {})
    assert none.flags[0].level == "caution"
    some = attribution({"mentors": 0.1, "charity": 0.2})
    assert some.value == pytest.approx(0.3)
    assert "mentors and charity" in some.flags[0].text
    assert "No source" in some.flags[0].detail
    for wrong, told in (
        ({"a": 1.2}, "between 0 and 1"),
        ({"a": 0.6, "b": 0.6}, "more than all"),
        ({" ": 0.1}, "no name"),
    ):
        with pytest.raises(EstimationError, match=told):
            attribution(wrong)


def yes(share, people, start=0):
    ids = [f"p{start + i}" for i in range(people)]
    return pd.DataFrame({"person": ids, "job": [1] * round(share * people) + [0] * (people - round(share * people))})


def effect_of(one, none):
    frame = pd.concat([one.assign(arm=1), none.assign(arm=0)], ignore_index=True)
    return cf.estimate(frame, "difference", outcome="job", treated="arm", person="person")


def test_displacement_is_what_others_lost_for_every_unit_gained():
    gained = effect_of(yes(0.75, 80), yes(0.5, 80, 1000))
    on_others = effect_of(yes(0.48, 200, 2000), yes(0.5, 200, 3000))
    found = displacement_of(on_others, gained)
    assert found.value == pytest.approx(200 * 0.02 / (80 * 0.25))
    assert found.low < found.value < found.high
    assert displacement_of(on_others, gained, others=400).value == pytest.approx(2 * found.value)
    helped = displacement_of(effect_of(yes(0.55, 200, 2000), yes(0.5, 200, 3000)), gained)
    assert helped.value == pytest.approx(-0.5)  # others gained as well: printed as such
    assert "gained as well" in helped.flags[0].detail


def test_people_in_both_estimates_are_counted_once():
    gained = effect_of(yes(0.75, 80), yes(0.5, 200, 3000))
    on_others = effect_of(yes(0.48, 200, 2000), yes(0.5, 200, 3000))
    apart = effect_of(yes(0.48, 200, 2000), yes(0.5, 200, 9000))
    shared, own = displacement_of(on_others, gained), displacement_of(apart, gained)
    assert shared.value == pytest.approx(own.value)
    assert (shared.low, shared.high) != pytest.approx((own.low, own.high))


def test_displacement_covers_and_says_where_it_has_no_bound():
    random, covered = np.random.default_rng(6), []
    for _ in range(200):
        shares = random.binomial(400, [0.7, 0.4, 0.42, 0.5]) / 400
        frames = [yes(share, 400, 1000 * place) for place, share in enumerate(shares)]
        found = displacement_of(effect_of(frames[2], frames[3]), effect_of(frames[0], frames[1]))
        covered.append(found.low <= 0.08 / 0.3 <= found.high)
    assert 0.91 <= np.mean(covered) <= 0.99
    nothing = displacement_of(
        effect_of(yes(0.5, 50), yes(0.4, 50, 99)), effect_of(yes(0.52, 50, 999), yes(0.5, 50, 9999))
    )
    assert "not bounded" in nothing.method
