"""Standards of evidence: what a design earns, what the data take away, and the words that follow."""

import pytest

from evalkit import evidence
from evalkit.errors import StudyError
from evalkit.evidence.comparability import LOOKS
from evalkit.evidence.shelf import plain, standard


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


def test_designs_that_the_list_does_not_name_are_read_on_to_it_and_marked_as_our_own_reading(grid):
    grid(
        """
        design                                                        | level
        encouragement design                                          | 4
        staggered difference-in-differences                           | 3
        weighting with pre-programme outcome and evidence of comparability | 3
        synthetic control                                             | 3
        synthetic difference-in-differences                           | 3
        interrupted time series with comparison series                | 3
        historical baseline with comparison group                     | 3
        interrupted time series                                       | 2
        historical baseline with controls                             | 2
        historical baseline                                           | 1
        """,
        lambda row: evidence.level(row.design).sms,
        "level",
    )
    assert any("own reading" in limit for limit in evidence.level("synthetic control").limits)
    assert not any("own reading" in limit for limit in evidence.level("IV").limits)


def test_every_design_has_a_name_once_a_reason_a_status_and_an_estimator():
    entries = standard("maryland_sms")["design"]
    names = [plain(name) for entry in entries for name in (entry["name"], *entry.get("also", ()))]
    assert len(names) == len(set(names))
    assert all(entry["why"] and entry["estimators"] for entry in entries)
    assert {entry["status"] for entry in entries} == {"on the list", "evalkit's reading"}
    looked_at = {name for entry in entries for name in entry.get("lowered_by", ())}
    assert looked_at == set(LOOKS)


def test_the_estimators_that_designs_name_are_on_the_list_of_estimators():
    from evalkit.study import ESTIMATORS

    named = {name for entry in standard("maryland_sms")["design"] for name in entry["estimators"]}
    assert named - {"instrument", "instrumental variables"} <= set(ESTIMATORS)
    assert set(ESTIMATORS) <= named


def test_other_names_of_a_design_are_understood():
    assert evidence.level("randomised controlled trial").design == "RCT"
    assert evidence.level("Regression-discontinuity").sms == 4
    assert evidence.level("propensity score matching").sms == 2


def test_difference_in_differences_earns_three_only_where_comparability_is_shown(grid):
    grid(
        """
        smd  | pre_test | level
        -    | -        | 2
        0.1  | -        | 3
        -    | 0.4      | 3
        0.1  | 0.01     | 2
        0.4  | 0.4      | 2
        """,
        lambda row: evidence.level("did", {"max_smd_after": row.smd, "pre_test": row.pre_test}).sms,
        "level",
    )


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


def test_all_failures_are_named_and_together_cost_one_level():
    design = "propensity score matching with pre-programme outcome and evidence of comparability"
    shown = {"max_smd_after": 0.4, "outside_support": 0.3, "pre_test": 0.01, "attrition_gap": -0.2}
    lowered = evidence.level(design, shown)
    assert lowered.sms == 2
    for clause in ("0.40 standard deviations", "30% of the treated", "p 0.010", "differ by 20 points"):
        assert clause in lowered.reason


def test_each_design_falls_by_what_it_rests_on_and_by_nothing_else(grid):
    grid(
        """
        design                          | key             | value | level
        IV                              | first_stage_f   | 4     | 3
        IV                              | first_stage_f   | 40    | 4
        IV                              | max_smd_after   | 0.9   | 4
        RDD                             | density_test    | 0.01  | 3
        RDD                             | attrition_gap   | 0.3   | 3
        synthetic control               | pre_fit         | 0.8   | 2
        synthetic control               | pre_fit         | 0.1   | 3
        raw cross-section               | max_smd_after   | 0.9   | 1
        cluster RCT                     | fewest_clusters | 1     | 2
        cluster RCT                     | fewest_clusters | 9     | 5
        propensity score matching       | outside_support | 0.5   | 1
        panel fixed effects             | pre_test        | 0.049 | 2
        """,
        lambda row: evidence.level(row.design, {row.key: row.value}).sms,
        "level",
    )


def test_a_trial_that_lost_people_unevenly_is_worth_what_its_comparability_is_worth():
    bare = evidence.level("RCT", {"attrition_gap": 0.2})
    shown = evidence.level("RCT", {"attrition_gap": 0.2, "max_smd_after": 0.08})
    apart = evidence.level("RCT", {"attrition_gap": 0.2, "max_smd_after": 0.5})
    assert (bare.sms, shown.sms, apart.sms) == (2, 3, 2)
    assert "nothing shows that those who are left are alike" in bare.reason
    assert evidence.level("RCT", {"attrition_gap": 0.1}).sms == 5


def test_a_test_of_trends_may_come_as_an_estimate_gives_it():
    design = "staggered difference-in-differences"
    assert evidence.level(design, {"pre_test": {"p": 0.01, "statistic": 9.0}, "dropped": 3}).sms == 2
    assert evidence.level(design, {"pre_test": float("nan")}).sms == 3


def test_a_published_figure_takes_the_level_of_its_source_and_a_stated_share_has_none():
    assert evidence.level("published", {"source_design": "RCT"}).sms == 5
    assert evidence.level("published").sms is None
    assert "design of the source is not named" in evidence.level("published").reason
    assert evidence.level("assumed").sms is None
    assert evidence.level("RCT", {"estimator": "assumed"}).sms is None


def test_not_effective_needs_an_interval_without_a_worthwhile_effect_or_harm(grid):
    grid(
        """
        low  | high | worth | better | finding                  | eif
        -0.1 | 0.1  | 0.2   | higher | no worthwhile difference | NE
        -0.5 | 0.5  | 0.2   | higher | no clear difference      | NL2
        -0.5 | 0.5  | -     | higher | no clear difference      | NL2
        -0.5 | -0.1 | -     | higher | worse                    | NE
        -0.5 | -0.1 | -     | lower  | better                   | "3"
        0.01 | 0.1  | 0.2   | higher | no worthwhile difference | NE
        0.1  | 0.5  | 0.2   | higher | better                   | "3"
        """,
        lambda row: evidence.level("RCT", _interval(row)).eif,
        "eif",
    )
    assert evidence.level("RCT").eif == "3"
    assert evidence.level("raw cross-section", {"finding": "worse"}).eif == "NL2"


def _interval(row):
    told = {"low": row.low, "high": row.high, "smallest_worthwhile": row.worth, "better": row.better}
    assert evidence.finding_of(told) == row.finding
    return told


def test_the_joint_judgement_can_take_clearness_from_an_interval_and_never_give_it():
    assert evidence.finding_of({"low": 0.1, "high": 0.5, "finding": "no clear difference"}) == "no clear difference"
    assert evidence.finding_of({"low": -0.1, "high": 0.5, "finding": "better"}) == "no clear difference"
    with pytest.raises(StudyError, match=r'finding "beter" is not known\. Did you mean "better"'):
        evidence.finding_of({"finding": "beter"})


def test_where_no_interval_was_possible_the_limits_say_so():
    plain, blind = (
        evidence.level("RCT", {"finding": "no clear difference", **more}) for more in ({}, {"no_interval": 1})
    )
    assert plain.eif == blind.eif == "NL2"
    assert "no interval was possible" in " ".join(blind.limits)
    assert "no interval was possible" not in " ".join(plain.limits)


def test_replication_counts_only_when_it_is_independent_and_has_a_source(grid):
    grid(
        """
        design            | independent | source      | elsewhere | year | nesta
        RCT               | yes         | Doe (2020)  | no        | no   | 4
        RCT               | yes         | Doe (2020)  | yes       | no   | 5
        RCT               | yes         |             | yes       | no   | 3
        RCT               | no          | Doe (2020)  | yes       | no   | 3
        raw cross-section | yes         | Doe (2020)  | yes       | yes  | 2
        """,
        lambda row: evidence.level(row.design, _replicated(row)).nesta,
        "nesta",
    )
    told = {"independent": True, "source": "Doe (2020)"}
    assert evidence.level("RCT", {"replication": told}).eif == "3"
    assert evidence.level("RCT", {"replication": {**told, "lasted_a_year": True}}).eif == "4"
    assert "has no source" in " ".join(evidence.level("RCT", {"replication": {"independent": True}}).limits)


def _replicated(row):
    told = {"independent": row.independent, "source": row.source, "elsewhere": row.elsewhere}
    return {"replication": {**told, "lasted_a_year": row.year}}


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


def test_causal_words_are_found_and_descriptions_are_not(grid):
    grid(
        """
        sentence                                                             | words
        Family therapy reduced days in care by 46.7 days.                    | reduced
        Days in care were reduced by the programme.                          | were reduced
        The programme led to better sleep and saved money.                   | led to, saved
        It prevents reoffending.                                             | prevents
        Attendance increased by 3 points in both arms.                       | ''
        A reduced timetable was offered.                                     | ''
        The price was reduced by 3%.                                         | ''
        Family therapy was followed by lower days in care.                   | ''
        It cannot be said that the programme reduced crime.                  | ''
        No clear difference in attendance: 1.1 points higher than usual care. | ''
        """,
        lambda row: ", ".join(evidence.causal_words(row.sentence)),
        "words",
    )


def test_a_sentence_is_held_to_its_level(grid):
    grid(
        """
        sentence                                            | level | problems
        Therapy reduced days in care.                       | 5     | 0
        Therapy reduced days in care.                       | 4     | 1
        Therapy is estimated to have reduced days in care.  | 3     | 0
        Therapy is estimated to have reduced days in care.  | 2     | 1
        Therapy was followed by fewer days in care.         | 1     | 0
        Therapy was followed by fewer days in care.         | none  | 1
        Days in care: 20 were observed.                     | none  | 0
        """,
        lambda row: len(evidence.allowed(row.sentence, row.level)),
        "problems",
    )
    (problem,) = evidence.allowed("Therapy reduced days in care.", evidence.level("raw cross-section"))
    assert problem == ('"reduced" says more than level 1 of 5 allows. Write "was followed by" or "is associated with".')


def test_what_a_level_says_may_be_said_may_be_said():
    for design in evidence.designs():
        found = evidence.level(design)
        assert evidence.allowed(found.may_say, found) == []


def test_the_headlines_of_the_report_keep_to_their_level():
    from evalkit.report.phrases import verb

    for level in (1, 2, 3, 4, 5):
        for up in (True, False):
            assert evidence.allowed(f"therapy {verb(level, up)} days in care: 4 days below usual care", level) == []


def test_a_design_and_an_estimator_that_contradict_each_other_are_found(grid):
    grid(
        """
        design                                     | estimator                | fits
        RCT                                        | difference               | yes
        RCT                                        | regression discontinuity | no
        RDD                                        | difference               | no
        RDD                                        | regression discontinuity | yes
        synthetic control                          | synthetic_control        | yes
        panel fixed effects                        | published                | yes
        RCT                                        | assumed                  | no
        self-reported additionality                | assumed                  | yes
        cross-sectional regression with adequate controls | did               | no
        """,
        lambda row: evidence.fits(row.design, row.estimator) == "",
        "fits",
    )
    assert evidence.fits(None, "difference") == ""
    assert 'which "regression discontinuity" would' in evidence.fits("RDD", "difference")
