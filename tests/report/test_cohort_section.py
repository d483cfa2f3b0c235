"""Who was followed: what stands in the section, what it says, and the figures of a cohort in a notebook."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pandas as pd
import pytest

from evalkit.cohort.baseline import compare
from evalkit.errors import DataError
from evalkit.report.figures.cohort import baseline_figure, drift_figure, flow_figure, starts_figure, windows_figure
from evalkit.report.figures.windows import Window, windows
from evalkit.report.html import plain
from evalkit.report.look import style
from evalkit.report.page import build
from tests.report.worlds import cohort_of, people

FIGURES = [flow_figure, drift_figure, starts_figure, baseline_figure, windows_figure]


def html(evaluation):
    return build(evaluation)["cohort"].html


def exhibits(evaluation):
    return re.findall(r'id="((?:figure|table)-[^"]+?)"', re.sub(r'id="[^"]*-title"', "", html(evaluation)))


def test_everything_a_cohort_has_stands_in_the_section_in_the_order_of_the_story(counted):
    assert exhibits(counted) == [
        "figure-flow",
        "table-reasons",
        "table-sets",
        "table-characteristics",
        "table-selection",
        "figure-drift",
        "table-mix-area",
        "figure-windows",
    ]


def test_what_a_cohort_does_not_have_does_not_appear(full):
    assert exhibits(full) == ["figure-flow", "table-characteristics"]


def test_groups_stand_side_by_side_with_how_many_are_left_at_each_step(counted):
    told = re.search(r'aria-label="(Cohort flow by group[^"]+)"', html(counted)).group(1)
    assert "900 young people in the data (359 referred to the programme, 362 referred in the neighbouring area" in told
    assert "lives in the area: 51 left out, 770 remain (312 referred to the programme" in told
    assert "504 started: a first session within 90 days (227 referred to the programme and 277" in told


def test_the_order_of_the_rules_is_said_not_to_matter(counted):
    assert "The order of the rules does not change who is in, only how many leave at each." in plain(html(counted))


def test_titles_of_the_tables_are_findings(counted):
    words = plain(html(counted))
    assert "One rule by itself kept out about 100: safeguarding concern opened in the year before" in words
    assert 'Of 543 eligible, 504 in "started" and 455 in "completed"' in words
    assert "At the start the two groups are alike on all of 3 characteristics" in words
    assert "The share eligible went from 63% to 57% of those referred" in words


def test_reasons_are_printed_to_the_nearest_ten(counted):
    table = html(counted).split('id="table-reasons"')[1].split("</table>")[0]
    assert {int(n) % 10 for n in re.findall(r"about (\d+)", table)} == {0}


def test_a_characteristic_without_missing_values_says_none_and_few_are_hidden(counted):
    table = html(counted).split('id="table-characteristics"')[1].split("</table>")[0]
    cells = [plain(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", table)]
    assert "none" in cells
    assert "[c]" in cells
    assert "0" not in cells


def test_a_rule_that_looks_past_the_index_date_is_named_in_the_title(counted):
    assert "A rule for who is counted looks past the index date" in plain(html(counted))


def test_rules_that_all_look_back_are_said_to(counted):
    counted.cohort.windows = counted.cohort.windows.drop(index=2)
    assert "Every rule for who is counted looks back from the index date" in plain(html(counted))


def test_quarters_of_few_people_are_said_to_be_joined(few):
    assert "they are joined to" in plain(html(few))


def test_one_rule_alone_needs_no_table_of_overlaps(counted):
    counted.cohort.flow = counted.cohort.flow.drop(index=[2, 3])
    assert "table-reasons" not in exhibits(counted)


def test_an_answer_of_few_people_is_left_out_of_the_balance_too(full):
    frame = full.cohort.table.assign(sex=["girl"] * 5 + ["boy"] * 295 + ["girl", "boy"] * 200)
    full.cohort.baseline = compare(frame, frame["arm"] == "treated", frame["arm"] == "comparison", ["sex"])
    assert "Sex girl 0.20" not in build(full)["effect"].html


# ---------------------------------------------------------------- figures


@pytest.mark.parametrize("figure", FIGURES)
def test_a_figure_of_a_cohort_shows_itself_with_its_style_and_says_its_numbers(counted, figure):
    drawn = figure(counted.cohort)
    shown = drawn._repr_html_()
    assert style() in shown
    assert shown.count("<svg") == 2
    assert re.search(r"\d", drawn.alt)
    assert "nan" not in shown.lower().replace("nano", "")


@pytest.mark.parametrize("figure", FIGURES)
def test_every_class_of_a_figure_has_a_colour_in_the_style_sheet(counted, few, figure):
    for evaluation in (counted, few):
        drawn = figure(evaluation.cohort)
        used = {name for names in re.findall(r'class="([^"]+)"', drawn.wide + drawn.narrow) for name in names.split()}
        assert {name for name in used if f".{name}" not in style()} == set()


@pytest.mark.parametrize("figure", FIGURES)
def test_nothing_is_drawn_outside_a_phones_width(counted, figure):
    narrow = figure(counted.cohort).narrow
    rights = [float(x) + float(w) for x, w in re.findall(r'<rect[^>]* x="([-\d.]+)"[^>]* width="([\d.]+)"', narrow)]
    assert max(rights, default=0) <= 352


def test_a_cohort_without_a_study_can_be_drawn():
    cohort = cohort_of(people(0, 900))
    assert "treated" in flow_figure(cohort).alt or "the programme" in flow_figure(cohort).alt
    assert "Sex: F" in baseline_figure(cohort).alt


@pytest.mark.parametrize(
    ("figure", "says"),
    [
        (drift_figure, "The cohort has no drift to draw. Give cohort.drift in the study."),
        (starts_figure, "The cohort has no starts in more than one quarter to draw. One fixed date needs no figure."),
        (baseline_figure, "The cohort has no baseline to draw. It needs two arms and columns to compare."),
        (windows_figure, "The cohort has no window to draw. No rule names one."),
    ],
)
def test_a_figure_of_what_is_not_there_says_what_is_missing(figure, says):
    bare = SimpleNamespace(study=None, flow=cohort_of(people(0, 900)).flow, table=pd.DataFrame())
    with pytest.raises(DataError, match=re.escape(says)):
        figure(bare)


@pytest.mark.parametrize(
    ("low", "high", "unit", "told"),
    [
        (-365, 0, "days", "365 days before to day 0"),
        (-1, 1, "days", "1 day before to 1 day after"),
        (None, 0, "", "from the first row to day 0"),
        (-24, None, "months", "24 months before to the last row"),
        (None, None, "", "every row of contacts, whenever"),
    ],
)
def test_a_window_is_told_in_words(low, high, unit, told):
    assert Window("column", "earlier care", "contacts", unit, low, high).told() == told


def test_only_a_rule_for_who_is_counted_is_said_to_look_ahead():
    ahead = [Window(kind, kind, "sessions", "days", 0, 30).ahead for kind in ("include", "exclude", "group", "set")]
    assert ahead == [True, True, True, False]


def test_what_lies_after_the_index_date_is_drawn_in_ink_on_shaded_ground():
    drawn = windows([Window("set", "started", "sessions", "days", -30, 90)]).wide
    ground, ink, grey = (
        [float(x) for x in re.findall(rf'<rect class="{css}" x="([\d.]+)"', drawn)]
        for css in ("markfill", "solid", "edge")
    )
    assert ground == ink
    assert grey < ink
