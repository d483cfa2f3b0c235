"""How a result is put into words."""

from __future__ import annotations

import pytest

from evalkit import evidence
from evalkit.report.phrases import finding, lead, verb, wording


@pytest.mark.parametrize(
    ("changed", "signed", "interval"),
    [
        ({}, "\u221246.7 days", "\u221272.1 to \u221221.3"),
        ({"values": "yes or no", "effect": 0.097, "low": 0.01, "high": 0.18}, "+9.7 points", "1.0 to 18.0"),
        ({"is_domain": True, "effect": 0.221, "low": 0.09, "high": 0.35}, "+0.22 SD", "0.09 to 0.35"),
        (
            {"unit": "pounds", "observed": 6349.0, "effect": 1231.4, "low": -363.0, "high": 2825.0},
            "+\u00a31,231",
            "\u2212\u00a3363 to \u00a32,825",
        ),
        ({"low": float("-inf")}, "\u221246.7 days", "not bounded"),
    ],
)
def test_a_difference_is_written_in_its_own_unit(changed, signed, interval, row):
    one = row(**changed)
    form = wording(one)
    assert form.signed(one.effect) == signed
    assert form.interval(one.low, one.high) == interval


@pytest.mark.parametrize(
    ("level", "says"),
    [
        (5, "Support reduced days in care by 46.7 days"),
        (3, "is estimated to have reduced"),
        (2, "was followed by lower days in care"),
        (None, "was followed by"),
    ],
)
def test_the_verb_follows_the_level_of_evidence(level, says, row, study):
    assert says in lead(row(level=level), study)


@pytest.mark.parametrize("up", [True, False])
@pytest.mark.parametrize(
    ("level", "design"),
    [(5, "RCT"), (3, "panel fixed effects"), (2, "cross-sectional regression with adequate controls")],
)
def test_the_verb_is_one_of_those_that_the_level_of_evidence_names(level, design, up):
    earned = evidence.level(design)
    assert earned.sms == level
    assert verb(level, up).startswith(earned.verbs)
    assert level == 2 or verb(level, up).endswith(evidence.level("RCT").verbs)


def test_a_null_result_is_never_called_no_effect(row, study):
    text = lead(row(effect=1.1, low=-6.5, high=8.7, conclusion="no clear difference"), study)
    assert text.startswith("No clear difference in days in care: 1.1 days more (6.5 fewer to 8.7 more)")
    assert text.endswith("with support than with usual care.")


def test_an_effect_that_was_not_estimated_is_called_not_known(row, study):
    assert lead(row(effect=None), study) == "The effect on days in care is not known."
    assert finding(row(effect=None, why_no_deadweight=""), study) == ("Not known:", " days in care; no comparison.")


def test_published_rates_are_compared_without_an_interval(row, study):
    published = row(
        observed=142,
        counterfactual=155,
        effect=-13,
        se=None,
        low=None,
        high=None,
        relative=-0.0839,
        unit="events per 100",
        estimator="published",
    )
    assert lead(published, study) == "Days in care: 142 against 155 events per 100 in the comparison, 8.4% lower."
