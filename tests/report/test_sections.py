"""Every section, on every kind of evaluation: the contract that a new section meets by being there."""

from __future__ import annotations

import re

import pytest

from evalkit import EvalkitError, show
from evalkit.report.html import plain
from evalkit.report.page import build
from evalkit.report.results import results
from evalkit.report.sections import sections

KINDS = ["full", "contract_only", "empty", "laden", "counted", "few"]
SECTIONS = [found.id for found in sections()]


@pytest.fixture(params=KINDS)
def evaluation(request):
    return request.getfixturevalue(request.param)


def words(evaluation, section=None):
    return plain(show(evaluation, section).html)


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_stands_on_every_kind_of_evaluation(evaluation, section):
    found = next(part for part in sections() if part.id == section)
    html = "".join(block.html(1) if not hasattr(block, "figures") else "" for block in found.blocks(evaluation))
    assert "nan" not in plain(html).lower().split()
    assert "None" not in plain(html)


def test_a_room_that_is_absent_says_so_in_one_sentence(empty):
    for section, room in (
        ("cohort", "cohort"),
        ("outcomes", "outcomes"),
        ("effect", "effects"),
        ("payments", "contract"),
        ("value", "value"),
    ):
        assert f"There is no {room} here." in words(empty, section)


def test_words_of_the_study_are_text_and_never_markup(laden):
    html = show(laden).html
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "Riverside &lt;b&gt;&amp; co&lt;/b&gt;" in html


def test_ids_are_unique_and_every_link_within_the_page_leads_somewhere(evaluation):
    html = show(evaluation).html
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', html)) <= set(ids)


def test_tables_and_figures_are_numbered_through_the_whole_report(full):
    html = show(full).html
    for kind in ("Table", "Figure"):
        numbers = [int(n) for n in re.findall(rf">{kind} (\d+)<", html)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert numbers


def test_a_cell_shows_the_same_number_when_it_is_run_alone(full):
    alone = show(full, "payments").html
    assert alone in show(full).html


def test_every_header_has_a_scope_and_every_drawing_words_or_is_hidden(evaluation):
    html = show(evaluation).html
    assert all("scope=" in head for head in re.findall(r"<th[^e][^>]*>", html))
    for drawing in re.findall(r"<svg[^>]*>", html):
        assert 'role="img" aria-label="' in drawing or 'aria-hidden="true"' in drawing


def test_every_result_is_printed_as_its_text(evaluation):
    page = words(evaluation)
    missing = [found.id for found in results(evaluation) if found.text not in page]
    assert missing == []


def test_results_have_unique_names_and_say_where_they_stand(full):
    found = results(full)
    assert len({one.id for one in found}) == len(found)
    assert {one.section for one in found} <= set(SECTIONS)
    assert {
        "days.effect",
        "days.deadweight",
        "wellbeing.index.effect",
        "contract.owed",
        "contract.anyway",
        "value.ratio",
    } <= {one.id for one in found}


def test_the_headline_says_how_much_against_whom_with_the_verb_the_level_allows(full):
    assert "Support is estimated to have reduced days in care by 46.7 days, compared with usual care." in words(
        full, "brief"
    )
    assert "anything from 21.3 to 72.1 days fewer" in words(full, "brief")


def test_a_null_result_stands_in_the_box_with_its_interval(full):
    assert "No clear difference in well-being, 12 months: 0.06 SD higher (0.12 lower to 0.24 higher)." in words(
        full, "brief"
    )


def test_a_worse_result_is_called_worse(laden):
    assert words(laden, "brief").startswith(
        "In brief Worse: support is estimated to have increased days in care by 12.0 days"
    )


def test_a_range_that_includes_cost_is_called_not_established(full):
    assert "It is not established that value exceeded cost." in words(full, "brief")


def test_without_a_comparison_the_headline_is_what_was_paid_and_that_the_difference_is_not_known(contract_only):
    assert "whether the programme made a difference is not known" in words(contract_only, "brief")
    assert "Evidence level none" in words(contract_only, "brief")


def test_few_people_are_hidden_and_what_rests_on_them_too(laden):
    assert "[c]" in words(laden, "outcomes")
    drawn = re.findall(r'aria-label="(Means over time[^"]*)"', show(laden, "outcomes").html)
    assert drawn
    assert all("12 months" not in label.split("usual care")[0] for label in drawn)


def test_amounts_that_give_away_few_outcomes_are_hidden_unless_published(laden, contract_only):
    assert "3,600" not in words(laden, "payments")
    assert "[c]" in words(laden, "payments")
    assert "3,600" in words(contract_only, "payments")


def test_a_flow_that_left_out_few_people_does_not_tell_how_few(laden):
    assert "\u22124" not in words(laden, "cohort")
    assert "4 left out" not in show(laden, "cohort").html


def test_a_payment_that_differs_is_bold_and_called_a_question(full):
    html = show(full, "payments").html
    assert "<b>\u2212900</b>" in html
    assert "Each difference is a question" in html


def test_an_interval_without_a_bound_is_called_so(laden):
    assert "not bounded" in words(laden, "effect")


def test_a_simulated_truth_stands_beside_the_estimate(full):
    assert "1 of 1 intervals hold the truth of the simulation" in words(full, "effect")


def test_an_unknown_section_is_refused_with_the_nearest_name(full):
    with pytest.raises(EvalkitError, match=r'There is no section "paymnets"\. Did you mean "payments"\?'):
        show(full, "paymnets")


def test_a_section_that_has_nothing_to_show_does_not_appear(full):
    assert "series" not in build(full)
    assert show(full, "series").html == ""
