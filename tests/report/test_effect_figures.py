"""Figures of effects: what they draw stands where it is, no text is cut, and what is not known is not drawn."""

from __future__ import annotations

import math
import re
from html import unescape
from itertools import combinations

import pytest

from evalkit.report.display import style
from evalkit.report.figures.jump import Bin, Cut, jump
from evalkit.report.figures.layout import room
from evalkit.report.figures.moments import Moment, Time, moments
from evalkit.report.figures.overlap import Band, overlap
from evalkit.report.figures.paths import Around, Step, paths
from evalkit.report.figures.specifications import Way, specification_curve

NAN = math.nan
YEARS = [Step(2000 + i, 50.0 - i, 52.0 - i / 2, 48.0 - i / 2, 56.0 - i / 2) for i in range(12)]
MONTHS = [Step(2010 + i / 12, 20.0 + i % 5, 22.0, label=f"2010-{i + 1:02d}") for i in range(12)]
AROUND = Around("Children in care, per 10,000", began=2006.0)
EVENTS = [Moment(i, f"{i:+d}", -0.5 * max(i, 0), -0.5 * max(i, 0) - 1, -0.5 * max(i, 0) + 1, "x") for i in range(-4, 5)]
LASTING = [
    Moment(0.5, "6 months", 0.2, 0.1, 0.3, "+0.20 (0.10 to 0.30)"),
    Moment(1.5, "18 months", 0.1, -0.1, 0.3, "y"),
]
RATIOS = [Moment(1, "year 1", 0.8, 0.7, 0.92, "0.80"), Moment(2, "year 2", 0.95, 0.8, 1.1, "0.95")]
TREATED = [Band(0.0, 0.4, 0.2), Band(0.4, 0.5, 0.5), Band(0.5, 1.0, 0.3)]
COMPARISON = [Band(0.0, 0.2, 0.4), Band(0.2, 1.0, 0.6)]
NAMES = ("family therapy", "usual care")
SETS = ["as planned", "without the questionnaires that parents filled in"]
WAYS = [
    Way(-10.0 + i, -14.0 + i, -6.0 + i, i == 3, {"Analysis": f"way {i % 3}", "Adjusted for": SETS[i % 2], "Same": "x"})
    for i in range(9)
]
BINS = [Bin(float(at), 2.0 + at / 20 + (3 if at >= 50 else 0)) for at in range(5, 100, 10)]
CUT = Cut(50.0, 4.5, 7.5, "Score, mean in bands", "points in the test")
DRAWN = {
    "path": paths(YEARS, AROUND),
    "path of months, as points": paths(MONTHS, Around("Entries", points=True, times="month")),
    "path with a gap": paths([YEARS[0], Step(2001, NAN, 51.0), *YEARS[2:]], AROUND),
    "events": moments(EVENTS, Time("Difference, points", "periods since the start", -0.5, "programme begins")),
    "moments": moments(LASTING, Time("Difference, SD", "time since the start", 0.5, "programme ends")),
    "ratios": moments(RATIOS, Time("Ratio", "time", none=1.0)),
    "curve": specification_curve(WAYS, "Difference, days"),
    "curve of ratios": specification_curve([Way(0.8, 0.7, 0.9, True, {}), Way(1.1, 0.9, 1.3, False, {})], "Ratio", 1.0),
    "overlap": overlap(TREATED, COMPARISON, NAMES, "Chance of being treated"),
    "jump": jump(BINS, CUT),
    "jump, treated below, no limits": jump(BINS, Cut(50.0, NAN, NAN, "Score", "points", treated_above=False)),
}
NOTHING = {
    "path": paths(YEARS[:1], AROUND),
    "moments": moments([Moment(1, "a", NAN, NAN, NAN, "[x]")], Time("a", "b")),
    "curve": specification_curve([Way(NAN, NAN, NAN, True, {})], "a"),
    "overlap": overlap([], COMPARISON, NAMES, "a"),
    "jump": jump([], CUT),
}
SVGS = [
    pytest.param(svg, id=f"{name}, {width}")
    for name, drawn in (DRAWN | {f"nothing: {name}": drawn for name, drawn in NOTHING.items()}).items()
    for width, svg in (("wide", drawn.wide), ("narrow", drawn.narrow))
    if svg
]


def texts(svg):
    """Each text with its left and right end and its baseline, as wide as its letters are on the page."""
    for x, y, rest, words in re.findall(r'<text x="([-\d.]+)" y="([-\d.]+)"([^>]*)>([^<]*)</text>', svg):
        size = room(unescape(words)) * (1.05 if "bold" in rest else 1) * 0.92
        left = float(x) - (size if 'anchor="end"' in rest else size / 2 if 'anchor="middle"' in rest else 0)
        yield unescape(words), left, left + size, float(y)


def scale_of(svg, pattern=r"[+\u2212]?[\d.,]+", before=60):
    """From the labels at the left: a function from a number to its place."""
    marks = [(float(words.replace("\u2212", "-").replace(",", "")), y - 4.5)
             for words, left, _, y in texts(svg) if left < before and re.fullmatch(pattern, words)]  # fmt: skip
    (low, start), (high, end) = min(marks), max(marks)
    return lambda value: start + (value - low) / (high - low) * (end - start)


# what holds for every figure


@pytest.mark.parametrize("svg", SVGS)
def test_no_text_is_clipped(svg):
    width, height = (float(size) for size in re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups())
    for words, left, right, baseline in texts(svg):
        assert left >= -2, words
        assert right <= width + 2, words
        assert 9 <= baseline <= height, words


@pytest.mark.parametrize("svg", SVGS)
def test_no_text_covers_another(svg):
    for (one, left, right, y), (other, left2, right2, y2) in combinations(texts(svg), 2):
        apart = abs(y - y2) >= 11 or right <= left2 + 1 or right2 <= left + 1
        assert apart, (one, other)


@pytest.mark.parametrize("svg", SVGS)
def test_no_drawing_holds_a_number_that_is_none(svg):
    assert not re.search(r"\bnan\b|\binf\b|None", svg)


@pytest.mark.parametrize("svg", SVGS)
def test_every_class_has_a_colour(svg):
    used = {name for names in re.findall(r'class="([^"]+)"', svg) for name in names.split()}
    sheet = style()
    assert {name for name in used if not re.search(rf"\.{name}\b", sheet)} == set()


@pytest.mark.parametrize("name", list(DRAWN))
def test_the_words_for_a_figure_give_numbers(name):
    assert re.search(r"\d", DRAWN[name].alt)
    assert f'role="img" aria-label="{DRAWN[name].alt[:20]}' in DRAWN[name].wide
    assert DRAWN[name].narrow


@pytest.mark.parametrize("name", list(NOTHING))
def test_a_figure_of_which_nothing_may_be_shown_says_so(name):
    drawn = NOTHING[name]
    assert drawn.narrow == ""
    assert re.search(r"may be shown|could be made|fewer than two periods", drawn.alt)


# paths


def test_what_was_observed_is_a_line_and_what_would_have_been_is_dashed():
    svg = DRAWN["path"].wide
    place = scale_of(svg, r"\d\d")
    for css, value in (("treatedline", "observed"), ("comparisonline", "counterfactual")):
        data = re.findall(rf'class="{css}" d="M([^"]+)"', svg)[-1]
        ys = [float(spot.split()[1]) for spot in data.split("L")]
        assert ys == pytest.approx([place(getattr(step, value)) for step in YEARS], abs=0.2)


def test_the_start_of_the_programme_stands_at_its_period_and_its_numbers_are_told():
    drawn = DRAWN["path"]
    x = float(re.search(r'class="reference" d="M([\d.]+) ', drawn.wide).group(1))
    spots = re.findall(r'class="treatedline" d="M([^"]+)"', drawn.wide)[-1].split("L")
    assert x == pytest.approx(float(spots[6].split()[0]), abs=0.1)
    assert "2006: observed 44.0, without the programme 49.0" in drawn.alt


def test_a_period_that_is_hidden_is_neither_drawn_nor_told():
    drawn = paths([Step(1, NAN, 20.0), Step(2, 25.0, 21.0), Step(3, 30.0, 22.0)], Around("Entries", points=True))
    assert drawn.wide.count("<circle") == 2 + 1  # and the key
    assert "1: observed not shown" in drawn.alt


def test_a_year_is_no_amount_and_a_month_has_its_name():
    assert "2,0" not in DRAWN["path"].wide
    assert "2010-01" in [words for words, *_ in texts(DRAWN["path of months, as points"].wide)]


# moments


def test_intervals_stand_at_their_numbers_and_the_line_at_no_difference():
    svg = DRAWN["ratios"].wide
    place = scale_of(svg)
    lines = re.findall(r'class="inkline" d="M[\d.]+ ([\d.]+)L[\d.]+ ([\d.]+)"', svg)
    wanted = [(place(one.low), place(one.high)) for one in RATIOS]
    assert [tuple(map(float, line)) for line in lines] == [pytest.approx(pair, abs=0.2) for pair in wanted]
    zero = re.search(r'class="zero" d="M[\d.]+ ([\d.]+)', svg).group(1)
    assert float(zero) == pytest.approx(place(1.0), abs=0.2)
    assert "+1" not in svg  # a ratio has no plus


def test_an_effect_without_an_interval_has_a_mark_and_no_line():
    drawn = moments([Moment(1, "a", 2.0, NAN, NAN, "+2.0"), *LASTING], Time("Difference", "time"))
    assert drawn.wide.count('class="solid"') == 3
    assert drawn.wide.count('class="inkline"') == 2


# the specification curve


def test_analyses_stand_in_the_order_of_their_effect_and_the_planned_one_is_in_ink():
    svg = specification_curve(WAYS[::-1], "Difference, days").wide
    heights = [float(y) for y in re.findall(r'<circle class="edge" cx="[\d.]+" cy="([\d.]+)"', svg)]
    assert heights == sorted(heights, reverse=True)
    assert len(heights) == len(WAYS) - 1
    assert svg.count('class="solid"') == 1
    assert "9 analyses, from \u221210.0 to \u22122.0. The planned one: \u22127.0." in specification_curve(WAYS, "x").alt


def test_a_choice_that_never_differs_is_left_out_and_a_long_one_is_told_whole():
    for svg in (DRAWN["curve"].wide, DRAWN["curve"].narrow):
        told = " ".join(words for words, *_ in texts(svg))
        assert "Same" not in told
        assert SETS[1] in told


def test_every_analysis_has_a_tick_for_each_of_its_choices():
    svg = DRAWN["curve"].wide
    ticks = re.findall(r'd="M([\d.]+) ([\d.]+)L\1 ([\d.]+)"', svg)
    short = [tick for tick in ticks if float(tick[2]) - float(tick[1]) == pytest.approx(10, abs=0.1)]
    assert len(short) == 2 * len(WAYS)


# overlap


def test_areas_are_shares_and_the_arms_lie_on_their_own_side():
    svg = DRAWN["overlap"].wide
    areas = {}
    for css in ("treatedarea", "comparisonarea"):
        spots = [[float(v) for v in spot.split()] for spot in
                 re.search(rf'<path class="{css}" d="M([^"]+)Z"', svg).group(1).split("L")]  # fmt: skip
        middle = spots[0][1]
        pairs = list(zip(spots[1:-1:2], spots[2:-1:2], strict=True))
        areas[css] = [(b[0] - a[0]) * (middle - a[1]) for a, b in pairs]
    assert all(area > 0 for area in areas["treatedarea"])
    assert all(area < 0 for area in areas["comparisonarea"])
    sizes = [area / sum(areas["treatedarea"]) for area in areas["treatedarea"]]
    assert sizes == pytest.approx([band.share for band in TREATED], abs=0.01)
    assert sum(areas["treatedarea"]) == pytest.approx(-sum(areas["comparisonarea"]), rel=0.01)


def test_both_arms_are_told_band_by_band():
    assert "Of family therapy, at a chance of 0% to 40%: 20%; 40% to 50%: 50%" in DRAWN["overlap"].alt
    assert "Of usual care, at a chance of 0% to 20%: 40%" in DRAWN["overlap"].alt


# a jump


def test_bands_on_the_treated_side_are_filled_and_the_others_hollow():
    above, below = DRAWN["jump"].wide, DRAWN["jump, treated below, no limits"].wide
    assert above.count('<circle class="treated"') == 5 + 1  # and the key
    assert above.count('class="comparison"') == 5
    assert re.findall(r'<circle class="treated" cx="([\d.]+)"', above)[1:] != re.findall(
        r'<circle class="treated" cx="([\d.]+)"', below
    )


def test_the_two_limits_meet_the_cut_off_at_their_numbers():
    svg = DRAWN["jump"].wide
    place = scale_of(svg)
    ends = re.findall(r'class="inkline" d="M[\d.]+ ([\d.]+)L', svg)
    assert [float(y) for y in ends] == pytest.approx([place(4.5), place(7.5)], abs=0.2)
    assert "At the cut-off 50.0: 4.50 below, 7.50 above." in DRAWN["jump"].alt


def test_limits_that_are_not_known_are_not_told():
    assert DRAWN["jump, treated below, no limits"].alt.endswith("Cut-off at 50.0.")
