"""Whose outcomes: who proposed, reports and values each; views weighted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError
from evalkit.outcomes.voices.weighted import weighted_views
from evalkit.outcomes.voices.whose import paid_measured_valued, whose_outcomes

OUTCOMES = [
    {"id": "care_days", "title": "Days in care", "proposed_by": "councils", "informant": "records", "about": "child",
     "paid": True},
    {"id": "sdq", "title": "SDQ", "proposed_by": "provider; parents", "informant": "parent", "about": "child"},
    {"id": "friends", "title": "Having a friend", "proposed_by": "young people", "valued": "young people",
     "measured": False},
]  # fmt: skip


def texts(found, level=None):
    return [flag.text for flag in found.flags if level in (None, flag.level)]


def test_the_matrix_tells_paid_from_measured_from_merely_valued_by_who_proposed_it():
    matrix = paid_measured_valued(OUTCOMES)
    assert matrix.to_dict("index") == {
        "service users": {"paid for": "", "measured but not paid": "SDQ", "valued but unmeasured": "Having a friend"},
        "provider": {"paid for": "", "measured but not paid": "SDQ", "valued but unmeasured": ""},
        "commissioner": {"paid for": "Days in care", "measured but not paid": "", "valued but unmeasured": ""},
        "investor": {"paid for": "", "measured but not paid": "", "valued but unmeasured": ""},
    }
    counts = whose_outcomes(OUTCOMES).counts
    assert counts.loc["service users"].tolist() == [0, 1, 1]


def test_a_table_and_a_list_give_the_same():
    listed, tabled = whose_outcomes(OUTCOMES), whose_outcomes(pd.DataFrame(OUTCOMES))
    pd.testing.assert_frame_equal(listed.table, tabled.table)
    assert listed.table["proposer"].tolist() == ["commissioner", "provider; service users", "service users"]
    assert listed.table["measured"].tolist() == [True, True, False]


def test_what_was_proposed_by_those_who_pay_and_what_nobody_measures_is_said():
    told = texts(whose_outcomes(OUTCOMES), "caution")
    assert told == [
        "Every outcome that is paid for was proposed by those who pay or invest.",
        "Valued but not measured: Having a friend.",
    ]


def test_paid_outcomes_that_service_users_helped_to_propose_are_not_the_payers_alone():
    both = [{**OUTCOMES[0], "proposed_by": "council; families"}, OUTCOMES[1]]
    assert not any("those who pay" in text for text in texts(whose_outcomes(both)))


def test_nobody_asked_the_people_the_service_is_for():
    found = whose_outcomes([OUTCOMES[0], {**OUTCOMES[1], "proposed_by": "provider"}])
    assert "No outcome was proposed by the people the service is for." in texts(found, "caution")
    shelved = whose_outcomes([OUTCOMES[0], OUTCOMES[2]])
    assert "None of what service users proposed is measured: Having a friend." in texts(shelved, "caution")


def test_where_nothing_is_said_nothing_is_concluded():
    found = whose_outcomes([{"id": "a"}, {"id": "b"}])
    assert texts(found) == ["It is not said who proposed any outcome."]
    assert found.matrix.index.tolist()[-1] == "not said"
    part = whose_outcomes([OUTCOMES[0], {"id": "b", "title": "Attendance"}])
    assert "It is not said who proposed Attendance." in texts(part)


def test_an_outcome_paid_for_but_not_measured_is_serious():
    found = whose_outcomes([{**OUTCOMES[0], "measured": "no"}, OUTCOMES[1]])
    assert texts(found, "serious") == ["Paid for but not measured here: Days in care."]


def test_one_informant_for_everything_is_noted():
    found = whose_outcomes([{"id": one, "proposed_by": "families", "informant": "parent"} for one in "ab"])
    assert texts(found, "note") == ['Every outcome that is measured is reported by one group: "parent".']


def test_others_have_rows_of_their_own():
    found = whose_outcomes([{"id": "a", "proposed_by": "the research team"}])
    assert found.matrix.loc["the research team", "measured but not paid"] == "a"


@pytest.mark.parametrize(
    ("outcomes", "told"),
    [
        ([], "It is empty"),
        ([{"title": "x"}], "has no id"),
        ([{"id": "a"}, {"id": "a"}], '"a" is listed twice'),
        ([{"id": "a", "proposed_by": "comissioner"}], 'Did you mean "commissioner"'),
        ([{"id": "a", "propose_by": "provider"}], 'Did you mean "proposed_by"'),
        ([{"id": "a", "paid": "perhaps"}], '"paid" is neither yes nor no in 1 rows'),
    ],
)
def test_lists_that_cannot_be_read(outcomes, told):
    with pytest.raises(DataError, match=told):
        whose_outcomes(outcomes)


# ---------------------------------------------------------------- views weighted

EFFECTS = pd.DataFrame({"measure": ["care", "wellbeing"], "effect": [0.4, -0.1], "se": [0.1, 0.1]})
VIEWS = pd.DataFrame({"care": [3, 1], "wellbeing": [1, 3]}, index=["commissioner", "families"])


def test_each_view_and_the_blend_worked_by_hand():
    found = weighted_views(EFFECTS, VIEWS, covariance=np.diag([0.01, 0.01]))
    # Commissioner .75 * .4 - .25 * .1 = .275; families .25 * .4 - .75 * .1 = .025; both .15.
    assert found.table["headline"].tolist() == pytest.approx([0.275, 0.025, 0.15])
    assert found.table["se"].tolist() == pytest.approx([0.1 * np.sqrt(0.625)] * 2 + [0.1 * np.sqrt(0.5)])
    assert found.table.loc[2, "low"] == pytest.approx(0.15 - 1.959964 * 0.1 * np.sqrt(0.5), abs=1e-6)
    assert found.table["constituency"].tolist() == ["commissioner", "families", "all, weighted"]


def test_constituencies_count_as_much_as_they_are_given():
    found = weighted_views(EFFECTS, VIEWS, {"commissioner": 1, "families": 3})
    assert found.table["weight"].tolist() == [0.25, 0.75, 1]
    assert found.table.loc[2, "headline"] == pytest.approx(0.25 * 0.275 + 0.75 * 0.025)


def test_the_path_runs_from_the_others_to_the_one():
    found = weighted_views(EFFECTS, VIEWS)
    families = found.path[found.path["constituency"] == "families"]
    assert families["headline"].iloc[[0, -1]].tolist() == pytest.approx([0.275, 0.025])
    assert families["weight"].iloc[[0, -1]].tolist() == [0, 1]
    middle = families.loc[np.isclose(families["weight"], 0.5), "headline"].item()
    assert middle == pytest.approx(found.table.loc[2, "headline"])


def test_without_the_covariance_the_interval_is_the_widest_possible_and_says_so():
    bound = weighted_views(EFFECTS, VIEWS)
    assert bound.table["se"].tolist() == pytest.approx([0.1] * 3)
    assert "widest possible" in bound.flags[-1].text
    for correlation in (-0.9, 0, 0.9, 1.0):
        matrix = 0.01 * np.array([[1, correlation], [correlation, 1]])
        assert (weighted_views(EFFECTS, VIEWS, covariance=matrix).table["se"] <= bound.table["se"] + 1e-12).all()


def test_a_headline_whose_sign_hangs_on_whose_view_counts_is_serious():
    effects = EFFECTS.assign(effect=[0.4, -0.3])
    flag = weighted_views(effects, VIEWS).flags[0]
    assert (flag.level, flag.text) == ("serious", "Whose view counts decides the sign of the headline.")
    assert flag.detail == "It runs from −0.12 SD (families) to 0.23 SD (commissioner)."
    open_for_some = weighted_views(EFFECTS, VIEWS, covariance=np.diag([0.01, 0.01])).flags[0]
    assert (open_for_some.level, "includes 0" in open_for_some.text) == ("caution", True)


def test_what_is_valued_but_has_no_effect_is_said_and_the_rest_weighs_more():
    found = weighted_views(EFFECTS, VIEWS.assign(friends=[0, 4]))
    assert found.weights.loc["families"].tolist() == [0.25, 0.75]
    assert "50% of what families value has no effect to go with it." in texts(found)


def test_a_covariance_by_name_is_put_in_order():
    matrix = pd.DataFrame([[0.04, 0], [0, 0.01]], index=["wellbeing", "care"], columns=["wellbeing", "care"])
    effects = EFFECTS.assign(se=[0.1, 0.2])
    found = weighted_views(effects, VIEWS, covariance=matrix)
    assert found.table.loc[0, "se"] == pytest.approx(np.sqrt(0.75**2 * 0.01 + 0.25**2 * 0.04))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"effects": EFFECTS.drop(columns="se")}, 'lacks the column "se"'),
        ({"views": -VIEWS}, "weight of 0 or more"),
        ({"views": VIEWS.rename(columns={"care": "cars", "wellbeing": "well"})}, "value no measure that has an effect"),
        ({"covariance": np.eye(3)}, "must be symmetric"),
        ({"covariance": np.diag([0.01, 4.0])}, "does not go with the standard errors"),
        ({"covariance": np.array([[0.01, 0.02], [0.02, 0.01]])}, "impossible"),
        ({"constituency_weights": {"commissioner": 1, "familys": 1}}, 'Did you mean "families"'),
        ({"constituency_weights": {"commissioner": 0, "families": 0}}, "not all 0"),
        ({"effects": EFFECTS.assign(effect=[0.1, np.nan])}, "missing effect"),
    ],
)
def test_views_that_cannot_be_weighed(change, told):
    with pytest.raises(DataError, match=told):
        weighted_views(**({"effects": EFFECTS, "views": VIEWS} | change))
