"""Scoring: agreement with an independent scorer, and what is done with answers that cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit import library
from evalkit.errors import DataError, EvalkitWarning, StudyError
from evalkit.outcomes.change.reliable import reliable_change
from evalkit.outcomes.questionnaires.instruments import banded, measure_keys, part_of, score

DATA = Path(__file__).parents[1] / "data"


def expected(table):
    return table.filter(like="exp_").rename(columns=lambda name: name.removeprefix("exp_")).astype(float)


@pytest.mark.parametrize(
    ("file", "instrument"),
    [
        ("v20_sdq_parent.csv", "sdq_parent"),
        ("v20_sdq_teacher.csv", "sdq_teacher"),
        ("v20_sdq_self.csv", "sdq_self"),
        ("v22_swemwbs.csv", "swemwbs"),
        ("v24_core10_as_ticked.csv", "core_10"),
        ("v25_rcads25_raw.csv", "rcads_25"),
        ("v26_score15_as_ticked.csv", "score_15"),
        ("v29_ypcore_as_ticked.csv", "yp_core"),
    ],
)
def test_scores_and_bands_equal_those_of_an_independent_scorer(file, instrument):
    table = pd.read_csv(DATA / file)
    pd.testing.assert_frame_equal(score(table, instrument), expected(table), rtol=0, atol=1e-9)


def test_two_instruments_in_one_table_are_scored_each_by_its_own_items():
    table = pd.read_csv(DATA / "v23_phq9_gad7.csv")
    known = expected(table)
    assert list(score(table, "phq_9")) == ["phq9", "phq9_band", "phq9_case"]
    both = pd.concat([score(table, "phq_9"), score(table, "gad_7")], axis=1)
    pd.testing.assert_frame_equal(both[known.columns], known)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("file", "instrument"),
    [
        ("v20_sdq_parent.csv", "sdq_parent"),
        ("v24_core10_as_ticked.csv", "core_10"),
        ("v29_ypcore_as_ticked.csv", "yp_core"),
    ],
)
def test_answers_without_fault_are_scored_without_a_word(file, instrument):
    assert score(pd.read_csv(DATA / file), instrument).attrs["flags"] == ()


def test_more_forms_than_are_worked_on_at_a_time_are_scored_alike():
    table = pd.read_csv(DATA / "v20_sdq_parent.csv")
    many = pd.concat([table] * 400, ignore_index=True)
    assert len(many) > 2 * 32768
    found = score(many, "sdq_parent")
    assert found.iloc[-200:].reset_index(drop=True).equals(score(table, "sdq_parent"))
    many.loc[70_001, "q3"] = 7
    with pytest.raises(DataError, match='Column "q3", row 70001'):
        score(many, "sdq_parent")


def sdq(**answers):
    """A form with 1 everywhere, but for the items named."""
    return pd.DataFrame([{f"q{number}": 1 for number in range(1, 26)} | answers])


@pytest.mark.parametrize(
    ("answers", "conduct"),
    [
        ({"q22": None, "q5": 0, "q7": 2}, 3),  # 2 x 5 / 4 = 2.5: half up
        ({"q22": None, "q5": 2, "q12": 2, "q7": 1}, 8),  # 6 x 5 / 4 = 7.5: half up
        ({"q22": None, "q18": None}, 5),  # three of five are enough
        ({"q22": None, "q18": None, "q12": None}, None),  # two are not
    ],
)
def test_a_scale_is_pro_rated_and_rounded_half_up(answers, conduct):
    found = score(pd.concat([sdq(), sdq(**answers)]), "sdq_parent")["conduct"].iloc[1]
    assert found == conduct if conduct is not None else np.isnan(found)


def test_without_the_supplement_impact_is_missing_and_the_rest_is_there():
    found = score(sdq(), "sdq_parent").iloc[0]
    assert found["total"] == 20
    assert np.isnan(found["impact"])
    assert np.isnan(found["impact_band4"])


def test_item_columns_of_any_name_are_taken_in_the_instruments_order():
    table = pd.read_csv(DATA / "v20_sdq_parent.csv")
    renamed = table.rename(columns={f"q{number}": f"item {number:02d}" for number in range(1, 26)})
    named = [f"item {number:02d}" for number in range(1, 26)]
    found = score(renamed, "sdq_parent", columns=named)
    assert found["total"].equals(expected(table)["total"])
    assert found["impact"].isna().all()


def test_answers_already_reversed_are_not_reversed_again():
    ticked = pd.read_csv(DATA / "v20_sdq_parent.csv")
    turned = ticked.assign(**{item: 2 - ticked[item] for item in ("q7", "q11", "q14", "q21", "q25")})
    pd.testing.assert_frame_equal(score(turned, "sdq_parent", coding="as_scored"), score(ticked, "sdq_parent"))


@pytest.mark.parametrize("kind", ["Int8", "Int64", "Float32", "float32", "float64", "object", "str"])
def test_the_type_of_the_columns_does_not_matter(kind):
    table = pd.read_csv(DATA / "v22_swemwbs.csv")
    items = table.filter(regex=r"^sw\d")
    typed = items.astype("Int64").astype(kind)
    pd.testing.assert_frame_equal(score(typed, "swemwbs"), score(items, "swemwbs"))


def test_the_index_of_the_forms_is_kept():
    found = score(sdq().set_axis(["form 7"]), "sdq_parent")
    assert list(found.index) == ["form 7"]


def test_all_impossible_answers_are_named_at_once_with_rows_count_and_remedy():
    table = pd.concat([sdq()] * 12, ignore_index=True).astype({"q3": object})
    table.loc[2:9, "q1"] = 3
    table.loc[4, "q2"] = -1
    table.loc[11, "q3"] = "often"
    table["q4"] = table["q4"].astype(float)
    table.loc[0, "q4"] = 0.5
    with pytest.raises(DataError, match="has 4 problems") as caught:
        score(table, "sdq_parent")
    message = str(caught.value)
    assert 'Column "q1", rows 2, 3, 4, 5 and 6 and others (8 in all)' in message
    assert 'Column "q2", row 4' in message
    assert 'Column "q3", row 11' in message
    assert 'Column "q4", row 0' in message
    assert "whole number from 0 to 2" in message
    assert "leave it blank" in message
    assert "often" not in message


def test_a_missing_item_column_is_named():
    with pytest.raises(DataError, match='1 of 25 item columns are not there: "q9"'):
        score(sdq().drop(columns="q9"), "sdq_parent")


def test_the_wrong_number_of_item_columns_is_an_error():
    with pytest.raises(DataError, match="24 item columns were named and the instrument has 25, or 30"):
        score(sdq(), "sdq_parent", columns=[f"q{number}" for number in range(1, 25)])


def test_an_unknown_instrument_or_coding_is_answered_with_the_nearest():
    with pytest.raises(StudyError, match='Did you mean "swemwbs"'):
        score(sdq(), "swemwb")
    with pytest.raises(DataError, match='Did you mean "as_scored"'):
        score(sdq(), "sdq_parent", coding="as_score")


def test_whole_numbers_of_any_width_are_scored_alike():
    items = pd.read_csv(DATA / "v26_score15_as_ticked.csv").filter(regex=r"^sc\d")
    for kind in ("uint8", "int8", "int16", "uint64", "float16"):
        pd.testing.assert_frame_equal(score(items.astype(kind), "score_15"), score(items, "score_15"))


@pytest.mark.parametrize("answer", [256, 258, -254, 1e9, -1e9, np.inf, 1.0000001])
def test_an_answer_far_out_of_range_is_not_taken_for_a_small_one(answer):
    with pytest.raises(DataError, match='Column "q9", row 0'):
        score(sdq(q9=answer), "sdq_parent")


def test_blank_text_is_a_blank_and_other_text_is_not():
    table = pd.concat([sdq()] * 3, ignore_index=True).astype(object)
    table.loc[1, "q3"] = "  "
    assert score(table, "sdq_parent")["emotion"].tolist() == [5, 5, 5]
    table.loc[2, "q3"] = "n/a"
    with pytest.raises(DataError, match='Column "q3", row 2') as caught:
        score(table, "sdq_parent")
    assert "n/a" not in str(caught.value)


def test_the_answers_are_left_as_they_were():
    table = pd.read_csv(DATA / "v20_sdq_parent.csv")
    before = table.copy()
    score(table, "sdq_parent")
    pd.testing.assert_frame_equal(table, before)


def test_no_forms_give_no_scores_and_no_error():
    assert score(sdq().iloc[:0], "sdq_parent").shape == (0, 23)


# ---------------------------------------------------------------- whose forms, and which


def test_forms_of_several_informants_in_one_table_are_scored_with_a_warning_that_names_their_kinds():
    forms = pd.concat([sdq()] * 4, ignore_index=True).assign(informant=["parent", "Teacher", "parent ", None])
    with pytest.warns(EvalkitWarning, match="several informants are scored as one: parent and teacher"):
        found = score(forms, "sdq_parent")
    assert [flag.level for flag in found.attrs["flags"]] == ["caution"]
    forms.loc[3, "informant"] = "Mrs Smith, aunt"
    with pytest.warns(EvalkitWarning, match="parent, teacher and others") as caught:
        score(forms, "sdq_parent")
    assert "Smith" not in str(caught[0].message)


def test_forms_of_one_informant_whose_form_it_is_not_are_said():
    with pytest.warns(EvalkitWarning, match="informant teacher. sdq_parent is for parent"):
        score(sdq().assign(informant="teacher"), "sdq_parent")


def test_forms_of_several_versions_in_one_table_are_scored_with_a_warning():
    forms = pd.concat([sdq()] * 3, ignore_index=True).assign(version=["first print", "second print", None])
    with pytest.warns(EvalkitWarning, match="Forms of 2 versions are scored as one") as caught:
        score(forms, "sdq_parent")
    assert "print" not in str(caught[0].message)


@pytest.mark.filterwarnings("error")
def test_forms_of_one_informant_and_one_version_are_scored_without_a_word():
    forms = pd.concat([sdq()] * 3, ignore_index=True).assign(informant="parent", version=2014)
    assert score(forms, "sdq_parent").attrs["flags"] == ()
    own = forms.assign(informant="foster carer")
    assert score(own, "sdq_parent").attrs["flags"] == ()


# ---------------------------------------------------------------- columns


def test_a_renamed_item_column_is_answered_with_the_nearest():
    with pytest.raises(DataError, match=r'1 of 25 item columns are not there: "q9". Did you mean "q9_"?'):
        score(sdq().rename(columns={"q9": "q9_"}), "sdq_parent")


def test_a_column_named_for_two_items_or_standing_twice_is_an_error():
    named = [f"q{number}" for number in range(1, 26)]
    with pytest.raises(DataError, match="'q1' was named for more than one item"):
        score(sdq(), "sdq_parent", columns=["q1", "q1", *named[2:]])
    twice = pd.concat([sdq(), sdq()[["q4"]]], axis=1)
    with pytest.raises(DataError, match='more than one column "q4"'):
        score(twice, "sdq_parent")


def test_a_scale_without_any_score_is_said():
    with pytest.warns(EvalkitWarning, match="no form has enough answers for Emotional symptoms"):
        found = score(sdq(q3=None, q8=None, q13=None), "sdq_parent")
    assert found["total"].isna().all()
    assert [flag.level for flag in found.attrs["flags"]] == ["caution"]


def test_an_entry_of_the_users_own_must_say_enough():
    with pytest.raises(StudyError, match="lacks range, scale and better"):
        score(sdq(), {"id": "mine", "items": ["q1"]})
    old = library.load("instruments", "phq_9")
    old["bands"][0].pop("from")
    with pytest.raises(StudyError, match=r"lacks bands.from \(band\)"):
        score(pd.DataFrame([[0] * 9], columns=old["items"]), old)


# ---------------------------------------------------------------- how the answers were counted


def test_answers_counted_from_one_instead_of_nought_are_recognised():
    table = pd.DataFrame([[1, 2, 3, 4, 1, 2, 3, 4, 1]], columns=[f"phq{number}" for number in range(1, 10)])
    with pytest.raises(DataError, match=r"counted from 1 instead of 0. If so, take 1 off each"):
        score(table, "phq_9")


def test_answers_counted_from_nought_instead_of_one_are_recognised():
    table = pd.DataFrame([[0, 1, 2, 3, 4, 0, 1]], columns=[f"sw{number}" for number in range(1, 8)])
    with pytest.raises(DataError, match=r"counted from 0 instead of 1. If so, add 1 to each"):
        score(table, "swemwbs")


def test_a_single_wrong_answer_does_not_make_it_seem_that_all_are_counted_otherwise():
    table = pd.DataFrame([[0, 2, 3, 4, 1, 2, 3, 3, 1]], columns=[f"phq{number}" for number in range(1, 10)])
    with pytest.raises(DataError) as caught:
        score(table, "phq_9")
    assert "counted from" not in str(caught.value)


def test_nine_for_not_known_is_refused_with_what_to_do_about_it():
    table = pd.DataFrame([[1] * 12 + [9]], columns=[f"ho{number}" for number in range(1, 14)])
    with pytest.raises(DataError, match="Where 9 stands for not known, set it to blank"):
        score(table, "honosca")


def test_lines_are_measured_in_centimetres_with_decimals():
    table = pd.DataFrame(
        [[0, 10, 2.5, 7.13], [1, 1, 1, np.nan], [5, 5, 5, 10.1]], columns=["ors1", "ors2", "ors3", "ors4"]
    )
    found = score(table.iloc[:2], "ors")["total"]
    assert found[0] == pytest.approx(19.63)
    assert np.isnan(found[1])
    with pytest.raises(DataError, match=r'"ors4", row 2 .* a number from 0 to 10'):
        score(table, "ors")


# ---------------------------------------------------------------- what a scale is


def test_each_scale_knows_its_own_direction():
    assert measure_keys("sdq_parent")["better"] == "lower"
    assert measure_keys("sdq_parent", "prosoc")["better"] == "higher"
    assert measure_keys("ons4", "anxiety")["better"] == "lower"
    assert measure_keys("sdq_teacher", "impact")["high"] == 6


def test_a_scale_carries_the_confirmed_change_and_cut_off_and_no_other():
    core = measure_keys("core_10")
    assert (core["change"]["threshold"], core["cutoff"]["at"]) == (6, 11)
    assert measure_keys("sdq_parent")["change"] is None
    assert measure_keys("sdq_parent", "emotion")["cutoff"] is None


@pytest.mark.parametrize(
    ("name", "at", "says"),
    [
        ("rosenberg", 14, "below 15"),
        ("rosenberg_other_order", 14, "below 15"),
        ("cgas", 70, "at or below 70"),
        ("core_10", 11, "at or above 11"),
        ("phq_9", 10, "at or above 10"),
        ("gad_7", 8, "at or above 8"),
    ],
)
def test_a_score_on_the_cut_off_counts_as_clinical_whichever_way_its_source_words_it(name, at, says):
    cutoff = measure_keys(name)["cutoff"]
    assert (cutoff["at"], cutoff["says"]) == (at, says)


def test_recovery_from_low_self_esteem_is_a_score_of_15_and_not_of_14():
    better, at = measure_keys("rosenberg")["better"], measure_keys("rosenberg")["cutoff"]["at"]
    found = reliable_change([5.0, 5.0], [14.0, 15.0], 1, 0.8, better=better, cutoff=at)
    assert found.table["class"].tolist() == ["improved", "recovered"]


def test_a_cut_off_between_decimals_is_the_last_number_on_its_clinical_side():
    entry = library.load("instruments", "ors")
    entry["cutoff"][0]["status"] = "checked"
    cutoff = measure_keys(entry)["cutoff"]
    assert cutoff["at"] < 25
    assert cutoff["at"] == pytest.approx(25, abs=1e-12)
    assert cutoff["says"] == "below 25"


def test_a_cut_off_that_does_not_say_its_side_or_says_the_wrong_one_is_refused():
    entry = library.load("instruments", "phq_9")
    entry["cutoff"][0]["case"] = "at or below"
    with pytest.raises(DataError, match="calls the better scores clinical"):
        measure_keys(entry)
    entry["cutoff"][0].pop("case")
    with pytest.raises(DataError, match='Write case = "at or above", "above", "at or below" or "below"'):
        measure_keys(entry)


def test_questions_that_are_not_combined_have_no_main_score():
    with pytest.raises(DataError, match=r'No score of "ons4" is the main one. Name one: scale = satisfaction'):
        measure_keys("ons4")


def test_bands_that_are_not_added_unasked_come_by_their_name():
    scores = pd.Series([10.0, 10.9, 14.44, 25, np.nan], index=list("abcde"))
    found = banded(scores, "core_10", "severity")
    assert found.name == "clinical_score_severity"
    assert found.fillna(-1).tolist() == [1, 1, 2, 5, -1]
    with pytest.raises(DataError, match='"severity" of "core_10" has no bands'):
        banded(scores, library.load("instruments", "core_10") | {"scale": [{"id": "x"}]}, "severity", "x")


# ---------------------------------------------------------------- traps in published scorers (field notes, section 2)


def test_trap_1_half_is_rounded_up_and_not_to_the_even_number():
    table = pd.read_csv(DATA / "v20_sdq_parent.csv")
    items = table[["q5", "q7", "q12", "q18", "q22"]].assign(q7=2 - table["q7"])
    exact = (items.mean(axis=1) * 5).where(items.count(axis=1) >= 3)
    found = score(table, "sdq_parent")["conduct"]
    assert (found - np.round(exact)).abs().max() == 1
    pd.testing.assert_series_equal(found, np.floor(exact + 0.5), check_names=False)


def test_trap_2_the_impact_of_a_teacher_ends_at_6_and_needs_every_item():
    form = sdq(imp1=3, imp2=3, imp3=3)
    both = pd.concat([form, form.assign(imp2=np.nan)], ignore_index=True)
    assert score(both, "sdq_teacher")["impact"].fillna(-1).tolist() == [6, -1]


def test_trap_3_only_as_many_are_pro_rated_as_the_rule_allows_and_each_score_has_a_band():
    core = pd.DataFrame(np.ones((3, 10)), columns=[f"core{number}" for number in range(1, 11)])
    core.loc[1, "core1"] = core.loc[2, ["core1", "core4"]] = np.nan
    found = score(core, "core_10")["clinical_score"]
    assert found.round(2).fillna(-1).tolist() == [14, 14.44, -1]
    assert banded(found, "core_10", "severity").fillna(-1).tolist() == [2, 2, -1]


@pytest.mark.parametrize("instrument", ["sdq_parent", "core_10", "yp_core", "score_15", "rosenberg", "kidscreen_10"])
@pytest.mark.parametrize("coding", ["as_ticked", "as_scored"])
def test_trap_4_reversing_twice_or_not_at_all_is_said(instrument, coding):
    entry = library.load("instruments", instrument)
    low, high = entry["range"]
    draw = np.random.default_rng(7)
    latent = draw.normal(size=(400, 1)) + draw.normal(size=(400, len(entry["items"])))
    cuts = np.quantile(latent, np.linspace(0, 1, high - low + 2)[1:-1])
    scored = pd.DataFrame(low + np.searchsorted(cuts, latent), columns=entry["items"])
    ticked = scored.assign(**{item: low + high - scored[item] for item in entry["reverse"]})
    right, wrong = (ticked, scored) if coding == "as_ticked" else (scored, ticked)
    assert score(right, instrument, coding=coding).attrs["flags"] == ()
    with pytest.warns(EvalkitWarning, match="coding may be wrong"):
        found = score(wrong, instrument, coding=coding)
    other = "as_scored" if coding == "as_ticked" else "as_ticked"
    assert f'write coding = "{other}"' in found.attrs["flags"][0].detail
    assert found.attrs["flags"][0].level == "serious"


def test_trap_5_the_positive_items_of_core_10_are_2_and_3():
    form = pd.DataFrame([[0, 4, 4, 0, 0, 0, 0, 0, 0, 0]], columns=[f"core{number}" for number in range(1, 11)])
    assert score(form, "core_10")["clinical_score"].tolist() == [0]


def test_trap_6_item_22_of_the_short_rcads_counts_as_anxiety():
    form = pd.DataFrame([[0] * 25], columns=[f"rc{number}" for number in range(1, 26)]).assign(rc22=3)
    assert score(form, "rcads_25").iloc[0].to_dict() == {"depression": 0, "anxiety": 3, "total": 3}


def test_trap_7_the_two_orders_of_rosenbergs_items_are_two_instruments():
    form = pd.DataFrame([[0] * 10], columns=[f"rse{number}" for number in range(1, 11)])
    form.loc[0, ["rse2", "rse5", "rse6", "rse8", "rse9"]] = 3
    assert score(form, "rosenberg")["total"].tolist() == [0]
    assert score(form, "rosenberg_other_order")["total"].tolist() == [12]
    assert "order" in library.load("instruments", "rosenberg")["version"]


def test_trap_8_swemwbs_has_no_band_unasked_and_the_set_asked_for_names_its_source():
    assert list(score(pd.read_csv(DATA / "v22_swemwbs.csv"), "swemwbs")) == ["raw", "metric"]
    with pytest.raises(StudyError, match="unconfirmed"):
        banded(pd.Series([19.25]), "swemwbs", "warwick")
    edges = pd.Series([19.25, 19.98, 27.03, 28.13])
    assert banded(edges, "swemwbs", "warwick (unconfirmed)").tolist() == [3, 2, 2, 1]
    assert part_of(library.load("instruments", "swemwbs"), "warwick (unconfirmed)")["source"].startswith("Warwick")


def test_trap_9_the_four_questions_of_the_ons_go_from_0_to_10():
    form = pd.DataFrame([[0, 10, 0, 10]], columns=["ons_satisfied", "ons_worthwhile", "ons_happy", "ons_anxious"])
    assert score(form, "ons4").iloc[0].tolist() == [0, 10, 0, 10]
    with pytest.raises(DataError, match="whole number from 0 to 10"):
        score(form.assign(ons_happy=11), "ons4")
