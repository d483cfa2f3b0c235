"""The framework of outcomes: what is left to the provider, what poses as an outcome, what is covered."""

from io import StringIO
from types import SimpleNamespace

import pandas as pd
import pytest

from evalkit import library
from evalkit.errors import DataError, StudyError
from evalkit.report.html import plain
from evalkit.report.sections.framework import framework as section
from evalkit.study import read_study
from evalkit.value.framework import LEFT, counts_activity, frame_outcomes, study_framework

ROWS = """activity,output,service_outcome,community_outcome,indicator,kind,measure,target,weight,bottom_line,tags
,,Safe at home,Fewer in care,Days in care,outcome,care_days,under 180,0.5,economic,stay_safe
,,Safe at home,Fewer in care,Young person feels safe,outcome,,,0.2,social,Stay safe; every_child_matters:be_healthy
Groups,Ten groups,Families take part,,Number of sessions attended,outcome,,,0.3,social,enjoy and achieve
"""


def rows(text=ROWS):
    return pd.read_csv(StringIO(text))


def test_a_blank_activity_is_left_to_the_provider_and_no_fault():
    found = frame_outcomes(rows())
    assert found.table["activity"].tolist() == [LEFT, LEFT, "Groups"]
    assert found.total == pytest.approx(1)
    assert found.weights["weight"].tolist() == pytest.approx([0.7, 0.3])
    assert [flag.text for flag in found.flags] == ["1 indicator counts activity where an outcome is asked for."]


@pytest.mark.parametrize(
    "indicator",
    [
        "Number of sessions attended", "Referrals received", "Young people seen", "Families supported", "Staff trained",
        "Hours of support delivered", "Attendances at the group", "Workshops held", "Leaflets",
        "Number of participants",
        "Satisfaction with the service",
    ],
)  # fmt: skip
def test_counts_of_activity_pose_as_outcomes(indicator):
    assert counts_activity(indicator)


@pytest.mark.parametrize(
    "indicator",
    [
        "Days in care", "Re-referrals within 12 months", "School attendance",
        "Young person feels safe going about daily routine",
        "Frequency of contact with the criminal justice system", "Severity of offences", "Referrals to social care",
        "Emergency hospital attendances", "Attendance at school", "Children in need of a plan", "Well-being (SWEMWBS)",
        "Exclusions", "Half-days missed", "Parents' strengths and difficulties score",
    ],
)  # fmt: skip
def test_changes_for_those_served_do_not(indicator):
    assert counts_activity(indicator) == ""


def test_an_output_by_its_own_word_in_an_outcomes_place_is_flagged_and_as_the_headline_is_a_caution():
    table = rows().assign(kind=["output", "outcome", "outcome"])
    found = frame_outcomes(table, headline="care_days")
    assert found.table["poses"].iloc[0] == "an output or input stands where an outcome should"
    assert [flag.level for flag in found.flags] == ["note", "caution"]
    assert "headline" in found.flags[1].text


def test_weights_must_come_to_1_or_100(grid):
    grid(
        """
        a    | b   | c    | said
        0.5  | 0.2 | 0.3  | no
        50   | 20  | 30   | no
        0.5  | 0.2 | 0.2  | yes
        -    | -   | -    | no
        0.7  | 0.7 | 0.3  | no
        """,
        lambda row: any(
            "weights sum" in flag.text for flag in frame_outcomes(rows().assign(weight=[row.a, row.b, row.c])).flags
        ),
        "said",
    )


def test_coverage_says_which_headings_have_an_indicator_a_result_or_none():
    found = frame_outcomes(
        rows(), ["every_child_matters"], results={"care_days": ("\u221236.8 days", "\u221255.5 to \u221218.1")}
    )
    cover = found.coverage["Every Child Matters"].set_index("heading")
    assert cover.loc["Stay safe"].tolist() == [2, 1, "measured"]
    assert cover.loc["Be healthy"].tolist() == [1, 0, "indicator only"]
    assert cover.loc["Achieve economic well-being"].tolist() == [0, 0, "none"]
    assert found.table["result"].tolist() == ["\u221236.8 days", "", ""]


def test_own_sets_of_headings_are_understood_and_unknown_tags_are_told():
    found = frame_outcomes(rows(), sets={"Ours": ["Stay safe", "In school"]})
    assert found.coverage["Ours"]["indicators"].tolist() == [2, 0]
    told = next(flag for flag in found.flags if "no set of headings" in flag.text)
    assert '"enjoy and achieve"' in told.detail


def test_the_national_frameworks_are_on_the_shelf_with_their_sources():
    sizes = {"every_child_matters": 5, "girfec": 8, "rights_to_action": 7, "our_pledge": 6}
    for name, size in sizes.items():
        entry = library.load("framework", name)
        assert len(entry["heading"]) == size
        assert len({one["id"] for one in entry["heading"]}) == size
        assert entry["source"]
        assert entry["status"] == "checked"


def test_six_pathways_come_only_by_their_full_name_for_three_of_them_are_not_known():
    with pytest.raises(StudyError, match=r"six_pathways \(unconfirmed\)"):
        frame_outcomes(rows(), ["six_pathways"])
    found = frame_outcomes(rows(), ["six_pathways (unconfirmed)"])
    assert len(next(iter(found.coverage.values()))) == 3


def test_the_list_of_words_is_no_framework():
    with pytest.raises(StudyError, match="holds no headings"):
        frame_outcomes(rows(), ["output_words"])


def test_everything_wrong_is_told_at_once():
    bad = rows().assign(
        kind=["outcom", "outcome", "outcome"], bottom_line=["sozial", "", ""], weight=["0.5", "-0.1", "much"]
    )
    with pytest.raises(DataError) as refused:
        frame_outcomes(bad)
    for words in (
        'line 2: kind "outcom"',
        'Did you mean "outcome"',
        'Did you mean "social"',
        "weight -0.1 is below 0",
        '"much" is no number',
    ):
        assert words in str(refused.value)
    with pytest.raises(DataError, match='column "indicator" is missing'):
        frame_outcomes(rows().drop(columns="indicator"))


def test_a_minimal_table_is_enough_and_is_left_alone():
    least = pd.DataFrame({"service_outcome": ["Safe"], "indicator": ["Days in care"]})
    before = least.copy()
    found = frame_outcomes(least)
    assert found.table.loc[0, ["activity", "kind"]].tolist() == [LEFT, "outcome"]
    assert found.total is None
    pd.testing.assert_frame_equal(least, before)


def test_the_page_prints_results_with_intervals_and_who_is_left_what(make_study):
    text = '[framework]\nfile = "framework.csv"\ntag_sets = ["every_child_matters"]\nsource = "invented"\n'
    study = read_study(make_study(text, framework=ROWS))
    assert study_framework(study).total == pytest.approx(1)
    page = plain("".join(block.html(1) for block in section(SimpleNamespace(study=study, effects=None))))
    assert "left to the provider" in page
    assert "1 of 3 indicators counts activity where an outcome is asked for" in page
    assert "3 of 5 headings have an indicator, 0 a result of this study" in page


def test_an_unknown_framework_is_answered_when_the_study_is_read(make_study):
    text = '[framework]\nfile = "framework.csv"\ntag_sets = ["girfek"]\n'
    with pytest.raises(StudyError, match='Did you mean "girfec"'):
        read_study(make_study(text, framework=ROWS))
