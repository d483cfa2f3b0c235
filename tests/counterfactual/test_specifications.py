"""The specification curve: what is listed, what is counted, and where the main one stands."""

import numpy as np
import pandas as pd
import pytest

from evalkit.counterfactual import estimate
from evalkit.counterfactual.many import running
from evalkit.counterfactual.many.curve_tests import curve_test
from evalkit.counterfactual.many.curves import specification_curve
from evalkit.counterfactual.many.shuffling import Shuffle, assigned_as
from evalkit.counterfactual.many.specifications import Specification, specifications
from evalkit.errors import EstimationError

ABOUT = {"outcome": "y", "treated": "treated", "person": "person"}


@pytest.fixture
def people():
    random = np.random.default_rng(3)
    n = 300
    age, need = random.normal(14, 2, n), random.normal(size=n)
    treated = (random.uniform(size=n) < 1 / (1 + np.exp(0.5 - 0.4 * need))).astype(int)
    y = age + 1.5 * need + 2 * treated + random.normal(0, 2, n)
    frame = pd.DataFrame({"age": age, "need": need, "treated": treated, "y": y, "late": y * 10 + random.normal(size=n)})
    return frame.assign(person=[f"p{i}" for i in range(n)], school=[f"s{i % 20}" for i in range(n)])


def test_only_combinations_that_have_a_meaning_are_listed():
    found = specifications(["difference", "ols", "matching"], [["age"], ["age", "need"]], calipers=[None, 0.2])
    assert [one.says for one in found] == [
        "difference, no covariates",
        "ols, with age",
        "ols, with age and need",
        "matching, with age",
        "matching, with age; caliper 0.2 SD",
        "matching, with age and need",
        "matching, with age and need; caliper 0.2 SD",
    ]
    assert len({one.id for one in found}) == len(found)


def test_an_option_is_combined_only_with_estimators_that_offer_it():
    found = specifications(["ols", "ipw"], [["age"]], options={"se": ["hc2", "hc3"], "normalise": [True, False]})
    assert [(one.estimator, one.options) for one in found] == [
        ("ols", {"se": "hc2"}),
        ("ols", {"se": "hc3"}),
        ("ipw", {"normalise": True}),
        ("ipw", {"normalise": False}),
    ]


def test_what_repeats_is_listed_once():
    assert len(specifications(["ols", "ols"], [["age"], ["age"]])) == 1


def test_what_cannot_be_is_listed_with_the_reason():
    found = specifications(["ols", "did", "assumed"], {"all": ["age"]})
    assert [(one.estimator, bool(one.why)) for one in found] == [("ols", False), ("did", True), ("assumed", True)]
    assert "they need a curve each" in found[1].why
    assert "learns nothing from the data" in found[2].why


def test_a_slip_in_the_list_is_said_with_its_remedy():
    with pytest.raises(EstimationError, match='Did you mean "ratio"'):
        specifications(["matching"], [["age"]], options={"ration": [1, 2]})
    with pytest.raises(EstimationError, match="none of the estimators takes a caliper"):
        specifications(["ols"], [["age"]], calipers=[0.2])
    with pytest.raises(EstimationError, match="a caliper must be above 0"):
        specifications(["matching"], [["age"]], calipers=[-1])
    with pytest.raises(EstimationError, match=r'write \["ols"\]'):
        specifications("ols", [["age"]])


def test_every_row_is_the_estimate_that_one_call_gives(people):
    listed = specifications(["ols", "matching", "ipw"], {"both": ["age", "need"]}, calipers=[0.5])
    curve = specification_curve(people, listed, main=listed[0], **ABOUT)
    rows = curve.table.set_index("estimator")
    for name, more in (("ols", {}), ("matching", {"caliper": 0.5}), ("ipw", {})):
        alone = estimate(people, name, covariates=["age", "need"], **ABOUT, **more)
        told = (alone.effect, alone.se, alone.low, alone.high, alone.p, alone.n_treated)
        assert tuple(rows.loc[name, ["effect", "se", "low", "high", "p", "n_treated"]]) == pytest.approx(told)
    assert curve.table["effect"].is_monotonic_increasing
    assert curve.main["estimator"] == "ols"


def test_shares_agree_with_the_rows(people):
    people["noise"] = people["y"] - 4.5 * people["treated"] - 1.2 * people["need"]
    listed = specifications(["ols", "difference"], [["age"], ["need"]], outcomes={"y": "points", "noise": "points"})
    curve = specification_curve(people, listed, main=listed[0], **ABOUT)
    rows = curve.counted
    assert curve.share_sign == (rows["effect"] > 0).mean() == 0.5
    assert curve.share_significant == (rows["low"] > 0).mean()
    assert curve.median == rows["effect"].median()
    assert curve.range == (rows["effect"].min(), rows["effect"].max())
    assert any("agree in the direction" in flag.text for flag in curve.flags)


def test_the_same_numbers_are_counted_once(people):
    listed = specifications(["difference", "ols"], [[], ["age", "need"]])
    curve = specification_curve(people, listed, main=listed[0], **ABOUT)
    assert len(curve.table) == 3
    assert len(curve.counted) == 2
    assert curve.table.loc[curve.table["same_as"] != "", "same_as"].tolist() == ["difference"]
    assert any("counted once" in flag.text for flag in curve.flags)


def test_what_fails_stands_in_the_table_with_its_reason_and_not_in_the_shares(people):
    listed = specifications(["ols", "ipw"], [[], ["age"]])
    curve = specification_curve(people, listed, main=listed[0], **ABOUT)
    assert curve.failed["id"].tolist() == ["ipw"]
    assert "needs covariates" in curve.failed["why"].iloc[0]
    assert np.isnan(curve.table["effect"].iloc[-1])
    assert len(curve.counted) == 3


def test_a_main_specification_that_is_not_there_or_fails_is_an_error(people):
    listed = specifications(["ols", "ipw"], [[], ["age"]])
    with pytest.raises(EstimationError, match="not among those"):
        specification_curve(people, listed, main="olls", **ABOUT)
    with pytest.raises(EstimationError, match=r"main specification .* could not be estimated"):
        specification_curve(people, listed, main="ipw", **ABOUT)


def test_without_a_main_one_the_first_stands_in_and_the_reader_is_told(people):
    curve = specification_curve(people, specifications(["ols"], [["age"], ["need"]]), **ABOUT)
    assert curve.main["covariates"] == ["age"]
    assert any("No main specification was named" in flag.text for flag in curve.flags)


def test_a_main_one_stronger_than_most_others_is_flagged(people):
    listed = specifications(["difference", "ols"], [["need"], ["need", "age"]])
    curve = specification_curve(people, listed, main="difference", **ABOUT)
    assert curve.main["effect"] == curve.range[1]
    assert any("stronger effect than most" in flag.text for flag in curve.flags)
    modest = curve.table["id"].iloc[1]
    again = specification_curve(people, listed, main=modest, **ABOUT)
    assert not any("stronger effect than most" in flag.text for flag in again.flags)


def test_versions_of_the_outcome_in_unknown_units_are_refused(people):
    with pytest.raises(EstimationError, match="not known to be in one unit"):
        specification_curve(people, specifications(["ols"], [["age"]], outcomes=["y", "late"]), **ABOUT)
    listed = specifications(["ols"], [["age"]], outcomes={"y": "points", "late": "days"})
    with pytest.raises(EstimationError, match="not known to be in one unit"):
        specification_curve(people, listed, **ABOUT)


def test_versions_can_be_divided_by_the_comparisons_spread(people):
    listed = specifications(["ols"], [["age"]], outcomes=["y", "late"])
    curve = specification_curve(people, listed, standardise=True, **ABOUT)
    rows = curve.table.set_index("outcome")
    for name in ("y", "late"):
        plain = estimate(people, "ols", covariates=["age"], outcome=name, treated="treated", person="person")
        spread = people.loc[people["treated"] == 0, name].std()
        assert tuple(rows.loc[name, ["effect", "se"]]) == pytest.approx((plain.effect / spread, plain.se / spread))
    turned = specification_curve(people, listed, standardise={"y": 1, "late": -10}, **ABOUT).table.set_index("outcome")
    assert turned.loc["late", "effect"] < 0
    assert turned.loc["late", "low"] < turned.loc["late", "effect"] < turned.loc["late", "high"]


def test_other_processes_find_the_same_numbers_to_the_last_bit(people):
    listed = specifications(["ols", "matching", "ipw"], [["age"], ["need"], ["age", "need"]])
    tasks = [running.Task(one.estimator, {**ABOUT, **one.arguments()}) for one in listed]
    with running.one_thread():
        here = [running.run_one(people, task) for task in tasks]
        beside = running.run_beside(people, tasks, range(len(tasks)), workers=2)
    assert sorted(beside) == list(range(len(tasks)))
    assert [beside[place] for place in range(len(tasks))] == here


def test_a_process_that_cannot_start_is_made_up_for(people, monkeypatch):
    listed = specifications(["ols"], [["age"], ["need"], ["age", "need"]])
    tasks = [running.Task(one.estimator, {**ABOUT, **one.arguments()}) for one in listed] * 10
    monkeypatch.setattr(running, "START", 0.0)
    monkeypatch.setattr(running.sys, "executable", "/nowhere/python")
    found = running.run_all(people, tasks, workers=2)
    assert [row["why"] for row in found] == [""] * 30
    assert found[29]["effect"] == found[2]["effect"]


def test_the_table_is_left_alone_and_the_order_of_rows_does_not_matter(people):
    before = people.copy(deep=True)
    listed = specifications(["ols", "matching"], [["age", "need"]])
    given = specification_curve(people, listed, **ABOUT).table
    shuffled = specification_curve(people.sample(frac=1, random_state=1), listed, **ABOUT).table
    pd.testing.assert_frame_equal(people, before)
    pd.testing.assert_frame_equal(given, shuffled)


def test_an_option_for_all_reaches_only_those_who_offer_it(people):
    listed = specifications(["ols", "ipw"], [["age"]])
    curve = specification_curve(people, listed, se="hc3", **ABOUT)
    hc3 = estimate(people, "ols", covariates=["age"], se="hc3", **ABOUT)
    assert curve.table.set_index("estimator").loc["ols", "se"] == pytest.approx(hc3.se)
    assert curve.failed.empty
    with pytest.raises(EstimationError, match="no estimator on the list has an option"):
        specification_curve(people, listed, calliper=0.2, **ABOUT)
    with pytest.raises(EstimationError, match='Did you mean "need"'):
        specification_curve(people, [Specification("ols", ("needs",))], **ABOUT)


def test_whole_clusters_are_dealt_out_where_they_were_assigned(people):
    people["treated"] = people["school"].isin([f"s{i}" for i in range(8)]).astype(int)
    unit, within = assigned_as(people, {"treated": "treated", "cluster": "school", "person": "person"})
    dealt = Shuffle("treated", unit, within, (1, 2)).of(people)
    assert dealt.groupby("school")["treated"].nunique().max() == 1
    assert dealt.groupby("school")["treated"].first().sum() == 8
    assert not dealt["treated"].equals(people["treated"])


def test_a_curve_of_nothing_is_not_called_something(people):
    random = np.random.default_rng(8)
    people["treated"] = random.permutation(np.arange(len(people)) % 2)
    listed = specifications(["difference", "ols"], [["age"], ["age", "need"]])
    nothing = people.assign(y=people["age"] + random.normal(size=len(people)))
    assert (curve_test(nothing, listed, draws=40, **ABOUT).table["p"] > 0.05).all()
    something = nothing.assign(y=nothing["y"] + 3 * nothing["treated"])
    found = curve_test(something, listed, draws=40, **ABOUT)
    assert (found.table["p"] <= 2 / 41).all()
    assert found.draws == 40
