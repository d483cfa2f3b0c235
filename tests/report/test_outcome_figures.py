"""Figures of outcomes: what they draw is in proportion, what is hidden is nowhere, and no text covers another."""

from __future__ import annotations

import math
import re
import shutil
from html import unescape
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evalkit.report.figures as figures
from evalkit.errors import DataError
from evalkit.report.display import style
from evalkit.report.figures.caterpillar import Overall, Service, caterpillar
from evalkit.report.figures.change import Changed, Rules, change
from evalkit.report.figures.cumulative import At, Curve, Frame, attending, cumulative, monthly
from evalkit.report.figures.funnel import Dot, Limits, Plane, funnel, outside
from evalkit.report.figures.gaps import Known, gaps
from evalkit.report.figures.layout import apart, known, room, shade
from evalkit.report.figures.slopes import Area, Arm, slopes
from evalkit.report.figures.stages import Moves, Stages, stage_flow
from evalkit.report.figures.star import NOTE, star
from evalkit.report.figures.trajectories import Band, Cutoff, Line, Point, trajectories
from evalkit.words import SUPPRESSED

C = SUPPRESSED
NAN = math.nan
CHROMIUM = shutil.which("chromium")
OCCASIONS = [(0.0, "Start"), (180.0, "6 months"), (365.0, "12 months")]
LONG = "Structure, education, training and other daytime occupation"


def line(name, treated, means, ns=(120, 110, 95)):
    return Line(
        name,
        treated,
        [Point(day, m, m - 1, m + 1, str(n)) for (day, _), m, n in zip(OCCASIONS, means, ns, strict=False)],
    )


LINES = [line("help at home", True, (19.7, 16.9, 15.3)), line("usual care", False, (19.6, 18.2, 15.5))]
RULES = Rules([0, 10, 20, 30, 40], 6.1, "lower", 17, "cut-off 17 (a manual)")
CELLS = [[20, C, C, C], [C, 80, 12, C], [C, 40, 45, C], [C, C, 20, 18]]
MOVES = [[30, 24, C], [C, 41, 16], [C, C, 25]]
STAGES = Stages(["stuck", "accepting help", "self-reliant"])
AREAS = [Area("Safety", 2.4, 3.3), Area("Well-being", 2.3, 3.1), Area("Family", 2.6, 2.2)]
SERVICES = [
    Service("North", 4.4, 3.4, 5.4, 54),
    Service("South", 2.9, 1.9, 4.0, 71),
    Service("East", 0.4, -1.1, 1.9, 76),
]
LIMITS = [
    Limits(n, 3 - 12 / n**0.5, 3 + 12 / n**0.5, 3 - 18 / n**0.5, 3 + 18 / n**0.5) for n in (10, 20, 40, 80, 160, 320)
]
DOTS = [Dot("North", 40, 3.2), Dot("South", 80, 4.6), Dot("East", 160, 5.5), Dot("West", 120, 2.6)]
ARMS = [
    Known("help at home", True, [[1.0, 0.82, 0.55], [0.97, 0.71, C]]),
    Known("usual care", False, [[0.98, 0.64, 0.31], [None, C, 0.12]]),
]


def curve(name, treated, values, ns=None):
    ns = ns or [200 - 2 * month for month in range(len(values))]
    return Curve(
        name,
        treated,
        [At(month, v, v * 0.8, v * 1.2, str(n)) for month, (v, n) in enumerate(zip(values, ns, strict=True))],
    )


CURVES = [curve("help at home", True, [2.8 * m for m in range(25)]), curve("usual care", False, range(0, 100, 4))]
FRAME = Frame("Mean days in care so far", [(60.0, "target 60 days"), (110.0, "contract baseline 110 days")])
STILL = [curve("help at home", True, [0.95**m for m in range(19)], [C if m > 15 else 90 for m in range(19)])]
DRAWN = {
    "trajectories": trajectories(LINES, OCCASIONS, "lower", 1, Band(17, math.inf, "high"), Cutoff(17, "cut-off"), True),
    "trajectories, long titles": trajectories(LINES, [(d, f"{t} after referral") for d, t in OCCASIONS], "higher"),
    "trajectories, one occasion": trajectories([line("all", True, (-3.2,))], OCCASIONS[:1], "higher", 2, ends=True),
    "change": change(
        [Changed("help at home", True, CELLS, [("better", "41% (118)")], "290"), Changed("usual care", False, CELLS)],
        RULES,
    ),
    "change, one arm, no cut-off": change([Changed("all", True, CELLS)], Rules([-20, -10, 0, 10, 20], 90, "higher")),
    "stages": stage_flow(
        [
            Moves("help at home", True, MOVES, [60, 62, C], [C, 70, 48], [("moved up", "40% (70)")], "171"),
            Moves("usual care", False, MOVES),
        ],
        STAGES,
    ),
    "stages, one arm": stage_flow([Moves("all", True, [[50, C], [C, 60]])], Stages([LONG, "self-reliant"])),
    "slopes": slopes([Arm("help at home", True, AREAS, "212"), Arm("usual care", False, [*AREAS, Area(LONG, C, 2.0)])]),
    "slopes, one arm, negative": slopes([Arm("all", True, [Area(LONG, -2.0, -1.5), Area("same", -2.0, -2.0)])]),
    "star": star(AREAS, (1, 5)),
    "star, ten": star(
        [Area(f"{LONG if i % 3 else 'Area'} {i}", 1 + i / 5, C if i == 4 else 4.0) for i in range(10)], (1, 5)
    ),
    "caterpillar": caterpillar(
        [*SERVICES, Service(LONG, -3.0, -math.inf, math.inf, 33)], Overall(3.0, better="higher")
    ),
    "funnel": funnel([*DOTS, Dot(LONG, 300, 4.8), Dot("twin", 301, 4.8)], LIMITS, Plane(3.0)),
    "gaps": gaps(["SDQ, parent", LONG], [t for _, t in OCCASIONS], ARMS),
    "gaps, many": gaps(["SDQ"], [f"wave {i}" for i in range(20)], [Known("all", True, [[i / 20 for i in range(20)]])]),
    "cumulative": cumulative(CURVES, FRAME),
    "attending": attending(STILL, Frame("Share who still attend", share=True)),
}
NOTHING = {
    "trajectories": trajectories([Line("all", True, [])], OCCASIONS, "higher"),
    "change": change([], RULES),
    "stages": stage_flow([Moves("all", True, [[C, C], [C, C]])], Stages(["low", "high"])),
    "slopes": slopes([Arm("all", True, [Area("Safety", C, C)])]),
    "star, hidden": star([Area(str(i), C, C) for i in range(5)], (1, 5)),
    "star, two areas": star(AREAS[:2], (1, 5)),
    "caterpillar": caterpillar([Service("North", 1.0, 0.0, 2.0, C)], Overall(0.0)),
    "funnel": funnel([Dot("North", C, 1.0)], LIMITS, Plane(0.0)),
    "gaps": gaps([], [], []),
    "cumulative": cumulative([curve("all", True, [1.0, 2.0], [C, C])], FRAME),
    "attending": attending([], FRAME),
}
SVGS = [
    pytest.param(svg, id=f"{name}, {width}")
    for name, drawn in (DRAWN | {f"nothing: {name}": drawn for name, drawn in NOTHING.items()}).items()
    for width, svg in (("wide", drawn.wide), ("narrow", drawn.narrow))
    if svg
]


def texts(svg):
    """Each text with its left and right end and its baseline, as wide as its letters are on the page."""
    found = re.findall(r'<text (?:transform="([^"]+)" )?x="([-\d.]+)" y="([-\d.]+)"([^>]*)>([^<]*)</text>', svg)
    for turned, x, y, rest, words in found:
        size = 0 if turned else room(unescape(words)) * (1.05 if "bold" in rest else 1) * 0.92
        left = float(x) - (size if 'anchor="end"' in rest else size / 2 if 'anchor="middle"' in rest else 0)
        yield unescape(words), left, left + size, float(y)


def said(drawn):
    """Everything a drawing says to anybody."""
    return unescape(drawn.wide + drawn.narrow + drawn.alt)


# what holds for every figure


@pytest.mark.parametrize("svg", SVGS)
def test_no_text_is_clipped(svg):
    width, height = (float(size) for size in re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups())
    for words, left, right, baseline in texts(svg):
        assert left >= -2, words
        assert right <= width + 2, words
        assert 9 <= baseline <= height, words


@pytest.mark.parametrize("svg", SVGS)
def test_no_drawing_holds_a_number_that_is_none(svg):
    assert not re.search(r"\bnan\b|\binf\b|None", svg)


@pytest.mark.parametrize("svg", SVGS)
def test_every_class_has_a_colour_and_no_text_is_small(svg):
    used = {name for names in re.findall(r'class="([^"]+)"', svg) for name in names.split()}
    sheet = style()
    assert {name for name in used if not re.search(rf"\.{name}\b", sheet)} == set()
    assert "small" not in used


@pytest.mark.parametrize("name", list(DRAWN))
def test_the_words_for_a_figure_give_numbers(name):
    assert re.search(r"\d", DRAWN[name].alt)
    assert f'role="img" aria-label="{DRAWN[name].alt[:20]}' in DRAWN[name].wide


@pytest.mark.parametrize("name", list(NOTHING))
def test_a_figure_of_which_nothing_may_be_shown_says_so(name):
    drawn = NOTHING[name]
    assert drawn.narrow == ""
    assert len(list(texts(drawn.wide))) >= 1
    assert re.search(r"may be shown|cannot be read|could be shown", drawn.alt)


@pytest.mark.parametrize("name", ["change, one arm, no cut-off", "stages, one arm", "slopes, one arm, negative"])
def test_one_arm_takes_half_the_width_and_serves_a_phone_too(name):
    assert 'viewBox="0 0 414 ' in DRAWN[name].wide
    assert DRAWN[name].narrow == ""


@pytest.mark.parametrize("name", list(DRAWN))
def test_drawn_the_same_twice(name):
    ids = re.findall(r'\bid="', DRAWN[name].wide + DRAWN[name].narrow)
    assert ids == []  # an id would have to differ between figures of one page


# layout


@given(st.lists(st.tuples(st.floats(0, 300), st.floats(10, 50)), min_size=1, max_size=12))
def test_labels_moved_apart_do_not_cover_each_other_and_keep_their_order(labels):
    wanted, heights = [at for at, _ in labels], [height for _, height in labels]
    placed = apart(wanted, heights, 0, 1000)
    order = sorted(range(len(labels)), key=lambda index: wanted[index])
    for one, other in pairwise(order):
        assert placed[other] - placed[one] >= (heights[one] + heights[other]) / 2 - 1e-6
    assert min(place - height / 2 for place, height in zip(placed, heights, strict=True)) >= -1e-6


def test_labels_that_do_not_touch_stay_where_they_are():
    assert apart([10, 100, 50], [16, 16, 16], 0, 200) == [10, 100, 50]


def test_two_labels_at_one_place_move_equally_far():
    assert apart([50, 50], [16, 16], 0, 200) == [42, 58]


def test_a_number_of_numpy_is_known_and_a_hidden_or_missing_one_is_not():
    assert [known(v) for v in (np.int64(3), np.float64(0.5), 3, C, None, NAN, True)] == [True] * 3 + [False] * 4


def test_a_darker_tile_has_a_lighter_number():
    assert [shade(share) for share in (0, 0.199, 0.2, 0.6, 1.0)] == [
        ("shade1", ""),
        ("shade1", ""),
        ("shade2", ""),
        ("shade4", "paper"),
        ("shade5", "paper"),
    ]


# trajectories


def test_means_without_band_or_cut_off_are_drawn_as_before():
    drawn = trajectories(LINES, OCCASIONS, "lower")
    assert not re.search(r'class="(markfill|cutoff)"', drawn.wide)
    assert "help at home: Start 19.7 (n 120), 6 months 16.9 (n 110), 12 months 15.3 (n 95)" in drawn.alt


def test_a_cut_off_is_drawn_at_its_value_and_named():
    drawn = trajectories(LINES, OCCASIONS, "lower", cutoff=Cutoff(17, "cut-off 17 (a manual)"))
    lines = re.findall(r'class="cutoff" d="M34\.0 ([\d.]+)L414\.0 \1"', drawn.wide)
    ticks = {words: y - 4.5 for words, left, _, y in texts(drawn.wide) if left < 30 and re.fullmatch(r"\d+", words)}
    low, high = min(ticks, key=int), max(ticks, key=int)
    wanted = ticks[low] + (17 - int(low)) / (int(high) - int(low)) * (ticks[high] - ticks[low])
    assert [float(y) for y in lines] == [pytest.approx(wanted, abs=0.2)]
    assert "cut-off 17 (a manual)" in drawn.alt
    assert any("cut-off 17 (a manual)" in words for words, *_ in texts(drawn.wide))


def test_a_band_far_from_the_means_is_said_and_not_drawn():
    drawn = trajectories(LINES, OCCASIONS, "lower", band=Band(80, 90, "norm 80 to 90"))
    assert 'class="markfill"' not in drawn.wide
    assert "norm 80 to 90 (above this axis)" in drawn.alt


def test_no_agreed_cut_off_is_said_and_not_drawn():
    drawn = trajectories(LINES, OCCASIONS, "lower", cutoff=Cutoff(None, "No agreed cut-off"))
    assert 'class="cutoff"' not in drawn.wide
    assert "No agreed cut-off" in drawn.alt
    assert "No agreed cut-off" in [words for words, *_ in texts(drawn.wide)]


def test_last_means_that_are_close_have_labels_apart():
    drawn = trajectories(LINES, OCCASIONS, "lower", ends=True)
    at = {words: y for words, _, _, y in texts(drawn.wide) if words in {"15.3", "15.5"}}
    assert at["15.3"] - at["15.5"] >= 14.9


# reliable change


def test_the_area_of_a_square_is_its_count():
    drawn = DRAWN["change, one arm, no cut-off"].wide
    sides = sorted(float(side) for side in re.findall(r'<rect class="treated"[^>]* width="([\d.]+)"', drawn))
    counts = sorted(cell for row in CELLS for cell in row if cell != C)
    assert [side**2 / sides[-1] ** 2 for side in sides] == pytest.approx([c / 80 for c in counts], abs=0.01)


def test_hidden_cells_look_alike_and_have_no_number():
    drawn = DRAWN["change, one arm, no cut-off"]
    strokes = [re.findall(r"-?[\d.]+", data) for data in re.findall(r'class="notshown" d="([^"]+)"', drawn.wide)]
    assert len(strokes) == sum(cell == C for row in CELLS for cell in row) + 1  # and its swatch
    relative = {tuple(round(float(v) - float(cell[i % 2]), 0) for i, v in enumerate(cell)) for cell in strokes[:-1]}
    assert len({len(cell) for cell in relative}) == 1
    assert "Other cells are not shown." in drawn.alt


def test_the_band_of_change_that_is_not_reliable_is_as_wide_as_it_says():
    drawn = change([Changed("all", True, CELLS)], RULES).wide
    points = re.search(r'class="markfill" d="M([^"]+)Z"', drawn).group(1).split("L")
    (x, y), (x2, y2) = ([float(v) for v in point.split()] for point in points[:2])
    assert x == x2
    assert (y - y2) / 330 == pytest.approx(6.1 / 40, abs=0.001)


def test_change_tells_regions_rules_and_the_cells_that_may_be_told():
    alt = DRAWN["change"].alt
    assert "reliable change is beyond ±6.1; cut-off 17 (a manual)" in alt
    assert "help at home (n 290): better 41% (118); before 0 to 10, after 0 to 10: 20" in alt
    assert "no agreed cut-off" in DRAWN["change, one arm, no cut-off"].alt


# distance travelled


def test_a_band_is_as_high_as_its_people():
    drawn = stage_flow([Moves("all", True, [[50, 25], [C, 100]])], Stages(["low", "high"])).wide
    heights = {}
    for kind, data in re.findall(r'<path class="band(\w+)" d="M([^"]+)Z"', drawn):
        points = [float(v) for v in re.findall(r"[\d.]+", data)]
        heights.setdefault(kind, []).append(points[-1] - points[1])
    assert sorted(heights["same"]) == pytest.approx([heights["up"][0] * 2, heights["up"][0] * 4], rel=0.01)
    assert "down" not in heights


def test_what_a_total_holds_beyond_its_bands_is_hatched():
    shown = stage_flow([Moves("all", True, [[50, 25], [C, 100]], [75, 130], [C, C])], Stages(["low", "high"]))
    bare = stage_flow([Moves("all", True, [[50, 25], [C, 100]])], Stages(["low", "high"]))
    assert shown.wide.count('class="notshown"') == bare.wide.count('class="notshown"') + 1


def test_more_than_five_stages_are_refused_with_the_remedy():
    with pytest.raises(DataError, match=r"five is the most\. Draw slopes"):
        stage_flow([Moves("all", True, [[10] * 6] * 6)], Stages(list("abcdef")))


def test_a_slope_tells_both_means_and_the_change_and_hides_an_area_with_one_hidden_mean():
    drawn = slopes([Arm("all", True, [Area("Safety", 2.4, 3.3), Area("Family", 7.77, C)])], digits=2)
    assert "Safety 2.40 to 3.30 (+0.90); Family not shown" in drawn.alt
    assert "7.77" not in said(drawn)
    assert "Not shown: Family." in [words for words, *_ in texts(drawn.wide)]


def test_a_star_says_that_its_area_exaggerates():
    drawn = star(AREAS, (1, 5))
    assert NOTE in drawn.alt
    assert " ".join(words for words, *_ in texts(drawn.wide)).endswith(NOTE)
    assert "Safety 2.4 to 3.3" in drawn.alt


def test_a_star_is_drawn_in_ink_and_open_where_a_mean_is_hidden():
    whole, cut = star(AREAS, (1, 5)).wide, star([*AREAS, Area("Work", 2.0, C)], (1, 5)).wide
    assert not re.search("treated|comparison", whole)
    assert whole.count('class="inkline"') == 3 + 1  # and the key
    assert cut.count('class="inkline"') == 2 + 1
    assert cut.count('class="startline"') == 4 + 1


# services


def test_services_are_sorted_and_those_with_a_hidden_n_are_only_counted():
    drawn = caterpillar([*SERVICES, Service("Hidden place", 9.99, 9.0, 11.0, C)], Overall(3.0))
    names = [words for words, *_ in texts(drawn.wide) if words in {"North", "South", "East"}]
    assert names == ["North", "South", "East"]
    assert "Hidden place" not in said(drawn)
    assert "9.99" not in said(drawn)
    assert "1 service not shown: too few people" in drawn.alt
    assert "North 4.4 (3.4 to 5.4), n 54" in drawn.alt


def test_a_service_is_filled_where_its_interval_excludes_the_line():
    drawn = caterpillar(SERVICES, Overall(3.0)).wide
    assert re.findall(r'<circle class="(\w+)"', drawn) == ["solid", "hollow", "solid"]


def test_the_hidden_do_not_stretch_the_axis():
    beside = caterpillar([*SERVICES, Service("Hidden place", 999.0, 900.0, 1100.0, C)], Overall(3.0)).wide
    ticks = [words for words, *_ in texts(beside) if re.fullmatch(r"\u2212?[\d,]+", words)]
    assert ticks == [words for words, *_ in texts(caterpillar(SERVICES, Overall(3.0)).wide) if words in ticks]


@pytest.mark.parametrize(("estimate", "n", "expected"), [(3.0, 40, 0), (4.5, 80, 1), (5.5, 160, 2), (0.0, 30, 1)])
def test_a_service_is_outside_where_the_limits_at_its_n_say_so(estimate, n, expected):
    assert outside(Dot("x", n, estimate), LIMITS) == expected


def test_a_funnel_names_only_services_outside():
    drawn = funnel(DOTS, LIMITS, Plane(3.0))
    words = " ".join(words for words, *_ in texts(drawn.wide))
    assert "South 4.6" in words
    assert "East 5.5" in words
    assert "North" not in words
    assert "East 5.5, n 160 (outside the 99.8% limits)" in drawn.alt
    assert "North 3.2, n 40" in drawn.alt


def test_a_name_without_room_in_a_funnel_stands_below_it():
    crowd = [Dot(f"{LONG} {i}", 300 + i, 6.0 + i / 50) for i in range(30)]
    drawn = funnel(crowd, LIMITS, Plane(3.0))
    for svg in (drawn.wide, drawn.narrow):
        words = " ".join(words for words, *_ in texts(svg))
        assert "Also outside, without room for a name: " in words
        assert all(re.search(rf"\b{LONG} {i} 6\.\d", words) for i in range(30))


def test_a_funnel_leaves_out_services_with_a_hidden_n():
    drawn = funnel([*DOTS, Dot("Hidden place", C, 8.88)], LIMITS, Plane(3.0, digits=2))
    assert "Hidden place" not in said(drawn)
    assert "8.88" not in said(drawn)
    assert drawn.wide.count("<circle") == len(DOTS) + 2  # and the key


# completeness


def test_a_tile_prints_its_share_a_hidden_one_its_symbol_and_one_not_due_nothing():
    drawn = gaps(["SDQ"], ["Start", "End", "Later"], [Known("all", True, [[0.824, C, None]])])
    assert "SDQ: all Start 82%, End [c], Later [z]." in drawn.alt
    words = [words for words, *_ in texts(drawn.wide)]
    assert "82%" in words
    assert words.count(C) == 1
    assert re.findall(r'<rect class="(shade\d)"', drawn.wide)[0] == "shade5"


def test_arms_stand_side_by_side_only_where_numbers_have_room():
    few, many = (
        DRAWN["gaps"].wide,
        gaps(["SDQ"], [f"wave {i}" for i in range(12)], [Known("a", True, [[0.5] * 12])] * 2),
    )
    rows = {round(float(y)) for y in re.findall(r'<rect class="shade\d" x="[\d.]+" y="([\d.]+)"', few)}
    assert len(rows) == 2 + 1  # two measures and the key
    assert "50%" in [words for words, *_ in texts(many.wide)]
    assert "50" in [words for words, *_ in texts(many.narrow)] or "50%" not in [w for w, *_ in texts(many.narrow)]


# curves over months


def test_a_curve_moves_only_at_whole_months():
    days = [At(m, v, NAN, NAN, "50") for m, v in ((0, 0.0), (0.3, 1.0), (0.7, 2.0), (1.9, 3.0), (2.6, 9.0), (3.0, 9.5))]
    assert [(p.month, p.value) for p in monthly(days)] == [(0, 0.0), (1, 2.0), (2, 3.0), (3, 9.5)]


def test_a_month_with_a_hidden_n_has_no_value_in_the_drawing():
    drawn = cumulative([curve("all", True, [1.0, 2.0, 3.0, 987.6], [50, 40, 30, C])], Frame("Days"))
    assert "987.6" not in said(drawn)
    ticks = [words for words, *_ in texts(drawn.wide) if re.fullmatch(r"[\d.,]+", words)]
    assert max(float(tick.replace(",", "")) for tick in ticks) <= 50
    assert "month 2 3.0 (n 30" in drawn.alt


def test_a_curve_is_broken_where_a_month_may_not_be_shown():
    drawn = cumulative([curve("all", True, [1.0, 2.0, 3.0, 4.0, 5.0], [50, 40, C, 30, 20])], Frame("Days"))
    assert drawn.wide.count('<path class="treatedline"') == 2


def test_curves_end_with_their_names_and_values_and_stand_against_their_lines():
    drawn = DRAWN["cumulative"]
    words = [words for words, *_ in texts(drawn.wide)]
    assert "67.2" in words
    assert "96.0" in words
    assert "help at home" in words
    assert "Line: target 60 days (60.0). Line: contract baseline 110 days (110.0)." in drawn.alt
    assert 'class="target"' in drawn.wide
    assert "month 24 67.2 (n 152, 53.8 to 80.6)" in drawn.alt


def test_attendance_is_a_share_from_0_to_100_and_hides_the_last_few():
    drawn = DRAWN["attending"]
    words = [words for words, *_ in texts(drawn.wide)]
    assert {"0%", "50%", "100%", "46%"} <= set(words)
    assert "month 15 46%" in drawn.alt
    assert "month 16" not in drawn.alt
    both = attending([*STILL, curve("usual care", False, [0.9**m for m in range(19)])], FRAME)
    assert [words for words, *_ in texts(both.wide)].count(C) == 1  # month 18, which only the other arm may show


# on the page


CROWDED = """() => { const bad = [];
for (const svg of document.querySelectorAll('svg[role=img]')) {
  const r = svg.getBoundingClientRect(); if (!r.width) continue;
  const all = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
  all.forEach(([w, b], i) => {
    if (b.left < r.left - 1 || b.right > r.right + 1 || b.bottom > r.bottom + 3 || b.top < r.top - 2)
      bad.push('out: ' + w);
    for (const [v, c] of all.slice(i + 1))
      if (Math.min(b.right, c.right) - Math.max(b.left, c.left) > 1
          && Math.min(b.bottom, c.bottom) - Math.max(b.top, c.top) > 4.5) bad.push(w + ' on ' + v);
  }); }
return bad; }"""


@pytest.mark.xdist_group("browser")
@pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium: apt install chromium")
def test_no_text_covers_another_in_a_browser(tmp_path):
    from playwright.sync_api import sync_playwright

    page = tmp_path / "figures.html"
    body = "".join(f"<figure>{drawn.wide}</figure><figure>{drawn.narrow}</figure>" for drawn in DRAWN.values())
    page.write_text(f'<meta charset="utf-8"><style>{style()}</style><body class="ek">{body}', encoding="utf-8")
    with sync_playwright() as play:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
        flags += ["--disable-component-update", "--disable-sync"]
        chromium = play.chromium.launch(executable_path=CHROMIUM, headless=True, args=flags)
        tab = chromium.new_context(viewport={"width": 1280, "height": 900}).new_page()
        tab.goto(page.as_uri())
        found = tab.evaluate(CROWDED)
        chromium.close()
    assert found == []


def test_the_figures_of_outcomes_take_numbers_only_and_never_a_table():
    names = ("change", "stages", "slopes", "star", "caterpillar", "funnel", "gaps", "cumulative", "trajectories")
    for name in names:
        source = (Path(figures.__file__).parent / f"{name}.py").read_text(encoding="utf-8")
        assert "pandas" not in source
