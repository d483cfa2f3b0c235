"""Figures: round ticks, whole words, numbers in the text that stands for them, and no colour of their own."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

import evalkit.report.figures as figures
from evalkit.report.figures.bars import Bar, payments
from evalkit.report.figures.forest import Axis, Mark, forest
from evalkit.report.figures.love import love
from evalkit.report.figures.ranges import small_range, threshold, two_rates
from evalkit.report.figures.svg import Scale, fit, tick_digits, ticks


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 4.2, [0, 1, 2, 3, 4, 5]), (-0.2, 0.61, [-0.2, 0, 0.2, 0.4, 0.6, 0.8]), (0, 100, [0, 20, 40, 60, 80, 100])],
)
def test_ticks_are_round_and_cover_the_numbers(low, high, expected):
    assert ticks(low, high) == expected


def test_ticks_of_numbers_that_do_not_differ_still_are_an_axis():
    assert len(ticks(3.0, 3.0)) >= 2


def test_tick_labels_have_as_few_decimals_as_they_need():
    assert [tick_digits(row) for row in ([0, 1, 2], [0, 0.5], [0, 0.25])] == [0, 1, 2]


def test_a_scale_maps_its_ends():
    scale = Scale(0, 10, 100, 200)
    assert (scale(0), scale(5), scale(10)) == (100, 150, 200)


def test_text_is_broken_between_words_and_none_is_lost():
    text = "a sentence that is rather too long for one line"
    lines = fit(text, 100)
    assert len(lines) > 1
    assert " ".join(lines) == text


def test_a_forest_tells_its_numbers_and_survives_an_interval_without_bounds():
    marks = [
        Mark("one", 0.2, 0.1, 0.3, "+0.20 (0.10 to 0.30)"),
        Mark("two", 0.1, -math.inf, math.inf, "+0.10 (not bounded)"),
    ]
    drawn = forest(marks, Axis("Measure", "Effect"))
    assert "one: +0.20 (0.10 to 0.30); two: +0.10 (not bounded)" in drawn.alt
    assert "inf" not in drawn.wide + drawn.narrow
    assert "nan" not in drawn.wide + drawn.narrow


def test_the_index_of_a_forest_is_a_diamond_as_wide_as_its_interval():
    drawn = forest([Mark("index", 0.2, 0.0, 0.4, "+0.20", kind="index")], Axis("Measure", "Effect")).wide
    diamond = re.search(r'class="solid" d="M([\d.]+) [\d.]+L([\d.]+) [\d.]+L([\d.]+)', drawn)
    left, middle, right = (float(value) for value in diamond.groups())
    assert middle == pytest.approx((left + right) / 2)
    assert right - left > 100


def test_balance_is_hollow_before_and_filled_after():
    drawn = love([("age", 0.3, -0.02)])
    assert drawn.wide.count('<circle class="hollow"') == 2  # the point and its key
    assert drawn.wide.count('<rect class="solid"') == 2
    assert "age 0.30 to 0.02" in drawn.alt


def test_a_bar_never_shows_more_anyway_than_there_is():
    drawn = payments([Bar("Owed", 100.0, 130.0, split=True)], "GBP", "x").wide
    widths = [float(width) for width in re.findall(r'class="hatched"[^>]* width="([\d.]+)"', drawn)]
    assert len(widths) == 1
    assert 'class="added"' not in drawn


def test_published_rates_are_drawn_from_zero():
    drawn = two_rates([("Observed", 142, True), ("Without it", 155, False)], "events per 100")
    treated, other = (float(w) for w in re.findall(r'class="(?:added|hatched)"[^>]* width="([\d.]+)"', drawn.wide))
    assert treated / other == pytest.approx(142 / 155, abs=0.001)
    assert "Observed: 142 events per 100" in drawn.alt


def test_a_change_is_drawn_against_its_threshold():
    drawn = threshold(0.0839, 0.0777, 0.09, [(0.1, "10.0%: early payment")])
    assert "Change 8.4%, range 7.8% to 9.0%" in drawn.alt
    assert 'class="reference"' in drawn.wide


def test_a_small_drawing_without_an_interval_is_decoration_all_the_same():
    assert 'aria-hidden="true"' in small_range(1.0, math.nan, math.nan, 0.0, ["", "", "0"])


def test_no_figure_names_a_colour():
    for path in Path(figures.__file__).parent.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"#[0-9A-Fa-f]{6}\b|(fill|stroke)=\"(?!url)", text), path.name


def test_every_class_of_a_drawing_has_a_colour_in_the_style_sheet():
    style = (Path(figures.__file__).parents[1] / "template" / "style.css").read_text(encoding="utf-8")
    drawn = (
        love([("age", 0.3, 0.02)]).wide + payments([Bar("Owed", 9.0, 3.0, 2.0, 1.0, 5.0, split=True)], "GBP", "x").wide
    )
    drawn += forest([Mark("one", 0.2, 0.1, 0.3, "x", "10", "0.1", "other")], Axis("a", "b", "l", "r")).narrow
    used = {name for names in re.findall(r'class="([^"]+)"', drawn) for name in names.split()}
    assert {name for name in used if f".{name}" not in style} == set()
