"""Ranges by joint draws, what moves the ratio, where value equals cost, subtotals, stated and shown drop-off."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evalkit.value import appraise
from evalkit.value.looks import View
from evalkit.value.looks.drop_off import drop_off
from evalkit.value.worth import triangular

LINE = {
    "outcome": "a", "quantity": 100, "proxy": 100, "deadweight": 0.2, "displacement": 0, "attribution": 0,
    "drop_off": 0.5, "duration": 2,
}  # fmt: skip


def map_of(*lines: dict[str, Any], **changes: Any) -> pd.DataFrame:
    """An impact map of lines that differ from one."""
    return pd.DataFrame([{**LINE, **changes, **line} for line in lines or ({},)])


def by_hand(lines: pd.DataFrame, rate: float, draws: int, random: np.random.Generator) -> np.ndarray:
    """Present values by draw, a line and a year at a time."""
    total = np.zeros(draws)
    for line in lines.to_dict("records"):
        drawn = {}
        for name in ("quantity", "proxy", "deadweight", "displacement", "attribution", "drop_off"):
            low, high = line.get(f"{name}_low", np.nan), line.get(f"{name}_high", np.nan)
            ranged = low == low and high > low
            drawn[name] = random.triangular(low, line[name], high, draws) if ranged else np.full(draws, line[name])
        worth = drawn["quantity"] * drawn["proxy"]
        worth = worth * (1 - drawn["deadweight"]) * (1 - drawn["displacement"]) * (1 - drawn["attribution"])
        for year in range(1, int(line["duration"]) + 1):
            total += worth * (1 - drawn["drop_off"]) ** (year - 1) / (1 + rate) ** year
    return total


def test_the_ranges_are_those_of_a_plain_loop_over_lines_and_years():
    lines = map_of(
        {"proxy_low": 50, "proxy_high": 180, "drop_off_low": 0.1, "drop_off_high": 0.9, "duration": 5},
        {"quantity_low": 80, "quantity_high": 160, "deadweight_low": 0.1, "deadweight_high": 0.6},
        {"proxy": -40, "proxy_low": -90, "proxy_high": -10},
    )
    value = appraise(lines, 9000, 0.035, draws=200_000)
    drawn = by_hand(lines, 0.035, 200_000, np.random.default_rng(8))
    assert [value.present_value_low, value.present_value_high] == pytest.approx(
        np.quantile(drawn, [0.025, 0.975]).tolist(), rel=0.01
    )
    assert value.npv_low == pytest.approx(value.present_value_low - 9000)
    assert value.ratio_high == pytest.approx(value.present_value_high / 9000)
    assert value.probability_exceeds_cost == pytest.approx((drawn > 9000).mean(), abs=0.005)
    assert value.spread.skewness == pytest.approx(
        float(((drawn - drawn.mean()) ** 3).mean() / drawn.std() ** 3), abs=0.05
    )


def test_a_negative_line_stays_negative_in_every_draw_and_is_never_held_to_nothing():
    lines = map_of({"proxy": -40, "proxy_low": -90, "proxy_high": -10})
    value = appraise(lines, 9000, 0.035)
    assert value.present_value_high < 0
    assert value.ratio_low < value.ratio < value.ratio_high < 0
    assert value.probability_exceeds_cost == 0
    assert math.isinf(value.payback_low)


def test_the_number_of_draws_and_the_piece_they_are_worked_in_do_not_decide_the_answer(monkeypatch):
    lines = map_of({"proxy_low": 50, "proxy_high": 180}, {"deadweight_low": 0.1, "deadweight_high": 0.6})
    whole = appraise(lines, 9000, 0.035, draws=10_000)
    monkeypatch.setattr("evalkit.value.worth.PIECE", 777)
    pieces = appraise(lines, 9000, 0.035, draws=10_000)
    assert (whole.ratio_low, whole.ratio_high) == (pieces.ratio_low, pieces.ratio_high)


def test_a_range_more_on_one_line_changes_nothing_in_the_draws_of_another():
    lines = map_of({"proxy_low": 50, "proxy_high": 180}, {"deadweight_low": 0.1, "deadweight_high": 0.6})
    one = appraise(lines, 9000, 0.035).lines
    more = appraise(lines.assign(quantity_low=[np.nan, 20], quantity_high=[np.nan, 190]), 9000, 0.035).lines
    assert (one["low"].iloc[0], one["high"].iloc[0]) == (more["low"].iloc[0], more["high"].iloc[0])
    assert one["low"].iloc[1] != more["low"].iloc[1]


def test_the_error_left_by_the_draws_is_told_and_is_about_right():
    lines = map_of({"proxy_low": 50, "proxy_high": 180})
    ends = [appraise(lines, 9000, 0.035, draws=2000, seed=seed).ratio_high for seed in range(60)]
    told = appraise(lines, 9000, 0.035, draws=2000).spread.error
    assert told == pytest.approx(float(np.std(ends)), rel=0.6)
    fewer, more = (appraise(lines, 9000, 0.035, draws=draws).spread.error for draws in (1000, 100_000))
    assert fewer > 4 * more
    assert "one standard error of the draws" in appraise(lines, 9000, 0.035).range_method
    rough = appraise(lines, 9000, 0.035, draws=200)
    assert any("rough" in flag.text for flag in rough.flags)


def test_ranges_that_lean_to_one_side_are_said():
    value = appraise(map_of(proxy_low=99, proxy_high=400), 9000, 0.035)
    assert value.spread.below_centre < 0.05
    assert any("lies at the low end" in flag.text for flag in value.flags)
    even = appraise(map_of(proxy_low=50, proxy_high=150), 9000, 0.035)
    assert not any("lies at the" in flag.text for flag in even.flags)


def test_an_uncertain_cost_widens_the_ratio_and_not_the_value():
    value = appraise(map_of(), 9000, 0.035, cost_low=6000, cost_high=18_000)
    assert (value.present_value_low, value.present_value_high) == pytest.approx((value.present_value,) * 2)
    chances = np.random.default_rng(4).random(200_000)
    ends = np.quantile(value.present_value / triangular(chances, 6000, 9000, 18_000), [0.025, 0.975])
    assert [value.ratio_low, value.ratio_high] == pytest.approx(ends.tolist(), rel=0.02)
    table = pd.DataFrame({"year": [0, 2], "amount": [4000, 5000], "low": [4000, 1000], "high": [4000, 20_000]})
    by_year = appraise(map_of(), table, 0.0)
    ends = np.quantile(by_year.present_value - 4000 - triangular(chances, 1000, 5000, 20_000), [0.025, 0.975])
    assert [by_year.npv_low, by_year.npv_high] == pytest.approx(ends.tolist(), rel=0.02)


def test_an_uncertain_cost_is_drawn_apart_from_every_assumption_of_the_map():
    ranged = {"quantity": 50, "quantity_low": -20, "quantity_high": 90, "deadweight_low": 0.1, "deadweight_high": 0.6}
    value = appraise(map_of(ranged), 3000, 0.035, draws=200_000, cost_low=2000, cost_high=9000)
    random = np.random.default_rng(8)
    drawn = by_hand(map_of(ranged), 0.035, 200_000, random)
    cost = random.triangular(2000, 3000, 9000, 200_000)
    assert value.ratio_high == pytest.approx(np.quantile(drawn / cost, 0.975), rel=0.02)
    ends = np.quantile(drawn - cost, [0.025, 0.975])
    assert [value.npv_low, value.npv_high] == pytest.approx(ends.tolist(), rel=0.02)
    assert value.probability_exceeds_cost == pytest.approx((drawn > cost).mean(), abs=0.005)


def test_how_often_value_has_caught_up_grows_with_the_years_and_ends_with_the_chance_that_it_exceeds_cost():
    value = appraise(map_of(proxy_low=20, proxy_high=200, duration=4, drop_off=0.1), 20_000, 0.035)
    caught = value.by_year["paid_back"]
    assert caught.is_monotonic_increasing
    assert caught.iloc[-1] == pytest.approx(value.probability_exceeds_cost)
    assert value.payback_low < value.payback_months
    assert math.isinf(value.payback_high)


def test_if_assumptions_of_one_kind_moved_together_the_range_would_be_wider_and_that_is_said():
    lines = map_of(*[{"proxy_low": 20, "proxy_high": 180} for _ in range(8)])
    value = appraise(lines, 60_000, 0.035)
    alike = value.looks["together"]
    one = appraise(lines.head(1), 7500, 0.035)  # eight that move as one
    assert alike.ratio_high - alike.ratio_low == pytest.approx(one.ratio_high - one.ratio_low, rel=0.03)
    assert alike.times == pytest.approx(math.sqrt(8), rel=0.1)
    assert any("moved together" in flag.text for flag in value.flags)


# ---------------------------------------------------------------- one at a time


RANGED = {"proxy_low": 50, "proxy_high": 180, "deadweight_low": 0, "deadweight_high": 0.5}


def test_the_tornado_is_each_range_alone_the_widest_first():
    value = appraise(map_of(RANGED), 9000, 0.035, cost_low=8000, cost_high=10_000)
    table = value.looks["tornado"].set_index("name")
    assert list(table.index) == ["proxy", "deadweight", "cost"]
    for name, end in [("proxy", "low"), ("proxy", "high"), ("deadweight", "low"), ("deadweight", "high")]:
        alone = appraise(map_of({name: RANGED[f"{name}_{end}"]}), 9000, 0.035).ratio
        assert table.at[name, f"ratio_{end}"] == pytest.approx(alone)
    assert table.at["cost", "ratio_low"] == pytest.approx(value.present_value / 8000)
    assert table["width"].is_monotonic_decreasing
    assert bool(table.at["proxy", "crosses"])


def test_lines_that_share_a_unit_value_are_one_bar():
    shared = {"proxy": "gmca_ss1_0", "proxy_low": 30_000, "proxy_high": 80_000}
    value = appraise(map_of(shared, {**shared, "title": "again"}), 9e6, 0.035)
    (row,) = value.looks["tornado"].to_dict("records")
    both = appraise(map_of({"proxy": 30_000}, {"proxy": 30_000}), 9e6, 0.035)
    assert row["kind"] == "unit value"
    assert row["ratio_low"] == pytest.approx(both.ratio)


def test_at_its_switching_value_every_assumption_makes_value_equal_cost():
    lines = map_of({"duration": 4, "title": "long"}, {"proxy": 20, "title": "small"}, {"proxy": -15, "title": "harm"})
    cost = appraise(lines, 1, 0.035).present_value * 0.8
    table = appraise(lines, cost, 0.035).looks["switching"].table
    found = table[table["switching"].notna() & (table["kind"] == "line")]
    assert {"quantity", "proxy", "deadweight", "displacement", "attribution", "drop_off"} <= set(found["name"])
    for row in found.to_dict("records"):
        title = row["says"].split(": ")[1]
        moved = lines.assign(**{row["name"]: lines[row["name"]].where(lines["title"] != title, row["switching"])})
        assert appraise(moved, cost, 0.035).ratio == pytest.approx(1, abs=1e-9), row["says"]
    small = table[(table["says"] == "Deadweight: small")].iloc[0]
    assert small["why_none"] == "none between 0 and 1"
    assert table.iloc[-1]["switching"] == pytest.approx(cost / 0.8)


def test_where_value_is_below_cost_no_common_deadweight_makes_them_equal_and_that_is_said():
    value = appraise(map_of(), 1e9, 0.035)
    assert value.break_even_deadweight is None
    assert value.looks["switching"].says == "No common deadweight between 0 and 1 makes value equal cost."


def test_assumptions_that_could_turn_the_verdict_within_their_own_range_are_flagged():
    value = appraise(map_of(RANGED), 9000, 0.035)
    (flag,) = [flag for flag in value.flags if flag.about == "switching"]
    assert "Worth each: a" in flag.text
    safe = appraise(map_of(RANGED), 900, 0.035)
    assert not [flag for flag in safe.flags if flag.about == "switching"]


# ---------------------------------------------------------------- subtotals


def test_subtotals_add_up_and_a_bottom_line_that_nobody_prices_is_not_counted_as_nothing():
    lines = map_of(
        {"stakeholder": "Young people", "bottom_line": "Social"},
        {"stakeholder": "Foster carers", "bottom_line": "social", "proxy": -30},
        {"stakeholder": "Northern council", "bottom_line": "economic", "quantity": 40},
        {"stakeholder": "Bees", "bottom_line": "environmental", "quantity": 9, "proxy": "not valued", "title": "Bees"},
        {"stakeholder": None},
    )
    value = appraise(lines, 9000, 0.035)
    table = value.looks["subtotals"].set_index(["by", "name"])
    for by in ("bottom line", "group", "stakeholder", "kind of value"):
        assert table.loc[by, "present_value"].sum() == pytest.approx(value.present_value)
    assert table.loc[("bottom line", "social"), "lines"] == 2
    assert np.isnan(table.loc[("bottom line", "environmental"), "present_value"])
    assert table.loc[("bottom line", "environmental"), "not_in_money"] == 1
    assert {"children", "carers", "agencies", "other", "not stated"} == set(table.loc["group"].index)
    assert value.lines.set_index("title").at["Bees", "quantity"] == 9
    assert any("Bees" in flag.text and flag.level == "note" for flag in value.flags if flag.about == "stakeholder")


def test_a_sub_totals_range_is_that_of_its_lines_together():
    same = {"proxy_low": 50, "proxy_high": 180, "bottom_line": "social"}
    two = appraise(map_of(same, same), 9000, 0.035)
    assert two.by_bottom_line["low"].iloc[0] == pytest.approx(two.present_value_low)
    assert two.by_bottom_line["low"].iloc[0] > two.lines["low"].sum()  # they do not add up


def test_every_assumption_has_its_own_source_or_that_of_its_line():
    value = appraise(map_of(source="a survey", deadweight_source="a register"), 9000, 0.035)
    line = value.lines.iloc[0]
    assert (line["deadweight_source"], line["proxy_source"], line["quantity_source"]) == (
        "a register",
        "a survey",
        "a survey",
    )
    shelf = appraise(map_of(proxy="gmca_ss1_0", deadweight=0.2), 9000, 0.035)
    assert "GMCA" in shelf.lines["proxy_source"].iloc[0]
    assert shelf.lines["deadweight_source"].iloc[0] == ""
    assert any(flag.about == "deadweight" and "without a source" in flag.text for flag in shelf.flags)


# ---------------------------------------------------------------- drop-off, stated and shown


@pytest.mark.parametrize(
    ("low", "high", "verdict", "flags"),
    [(0.6, 0.9, "outside the interval", 1), (0.4, 0.9, "within the interval", 0),
     (-np.inf, np.inf, "the interval is not bounded", 0)],
)  # fmt: skip
def test_a_stated_drop_off_is_held_to_the_one_that_the_outcomes_show_and_never_replaced(low, high, verdict, flags):
    shown = SimpleNamespace(value=0.7, low=low, high=high, method="one yearly ratio", source="")
    seen = [SimpleNamespace(outcome="a", found=SimpleNamespace(drop_off=shown))]
    value = appraise(map_of(outcome="a@m12"), 9000, 0.035)
    lines = value.lines
    noun = SimpleNamespace(effects=SimpleNamespace(looks={"persistence": seen}))
    table, said = drop_off(View(noun, lines, None, None, None))
    assert table["verdict"].tolist() == [verdict]
    assert table["stated"].tolist() == [0.5]
    assert len(said) == flags
    assert all("70%" in flag.text and "50%" in flag.text for flag in said)


def test_without_an_estimate_nothing_is_compared():
    value = appraise(map_of(), 9000, 0.035)
    noun = SimpleNamespace(effects=None)
    assert drop_off(View(noun, value.lines, None, None, None)) == (None, [])
