"""Standards of evidence: what a design earns, what the data take away, and the words that follow."""

import pytest

from evalkit import evidence
from evalkit.errors import StudyError


def test_each_design_has_the_level_of_the_maryland_scale(grid):
    grid(
        """
        design                                                                               | level
        RCT                                                                                  | 5
        cluster RCT                                                                          | 5
        IV                                                                                   | 4
        RDD                                                                                  | 4
        difference-in-differences with evidence of comparability                             | 3
        panel fixed effects                                                                  | 3
        propensity score matching with pre-programme outcome and evidence of comparability   | 3
        cross-sectional regression with adequate controls                                    | 2
        before-after with macro controls, no comparison group                                | 2
        before-after, no controls                                                            | 1
        raw cross-section                                                                    | 1
        self-reported additionality                                                          | none
        impact modelling                                                                     | none
        """,
        lambda row: evidence.level(row.design).sms,
        "level",
    )


def test_the_list_of_designs_is_the_list_above_and_no_longer():
    assert len(evidence.designs()) == 13


def test_capitals_and_spaces_do_not_matter():
    assert evidence.level(" cluster  rct ").sms == 5


def test_without_a_design_nothing_is_earned():
    nothing = evidence.level(None)
    assert (nothing.sms, nothing.nesta, nothing.eif) == (None, None, None)
    assert "No design was named" in nothing.reason


def test_a_misspelt_design_is_met_with_the_nearest_one():
    with pytest.raises(StudyError, match='Did you mean "panel fixed effects"'):
        evidence.level("panel fixed effect")


def test_arms_that_still_differ_cost_a_design_that_rests_on_comparability_one_level():
    design = "propensity score matching with pre-programme outcome and evidence of comparability"
    lowered = evidence.level(design, {"max_smd_after": 0.3})
    assert lowered.sms == 2
    assert "0.30 standard deviations" in lowered.reason
    assert evidence.level(design, {"max_smd_after": 0.12}).sms == 3


def test_trends_that_differed_before_cost_a_level_too():
    design = "difference-in-differences with evidence of comparability"
    assert evidence.level(design, {"pre_test": 0.01}).sms == 2
    assert evidence.level(design, {"pre_test": 0.4}).sms == 3


def test_chance_needs_no_comparability_shown():
    assert evidence.level("RCT", {"max_smd_after": 0.9}).sms == 5


def test_verbs_are_locked_to_the_level(grid):
    grid(
        """
        design                                             | first_verb
        RCT                                                | reduced
        RDD                                                | is estimated to have
        panel fixed effects                                | is estimated to have
        cross-sectional regression with adequate controls  | was followed by
        raw cross-section                                  | was followed by
        impact modelling                                   | was observed
        """,
        lambda row: evidence.level(row.design).verbs[0],
        "first_verb",
    )


def test_one_study_alone_never_claims_replication():
    best = evidence.level("RCT")
    assert (best.nesta, best.eif) == (3, "3")


def test_low_levels_may_not_speak_of_cause():
    assert "caused" in evidence.level("raw cross-section").may_not_say
