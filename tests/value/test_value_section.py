"""What the report prints of a value: ranges first, sources by assumption, costs by year, what has no price."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from evalkit.report.html import plain
from evalkit.report.results import results
from evalkit.report.sections.value import opening, value
from evalkit.study import Study
from evalkit.value import appraise_value

HEAD = (
    "outcome,title,stakeholder,bottom_line,quantity,proxy,price_year,deadweight,drop_off,duration,proxy_low,proxy_high,"
)
MAP = f"""{HEAD}source,deadweight_source
,Jobs,young people,economic,60,8500,2023,0.4,0.3,2,{{range}},a survey,a register
,Harm,siblings,social,6,-900,2023,0.1,0,1,,,a survey,a register
,Sleep,carers,social,,,,,,,,,interviews,
"""
COSTS = "year,what,amount,low,high,source\n0,set-up,100000,90000,130000,the books\n1,running,150000,,,the books\n"


@pytest.fixture
def page(tmp_path):
    """The evaluation of a study with this map, and the words of its section."""

    def make(ends: str = "4000,9000", **plan: Any) -> tuple[SimpleNamespace, str]:
        (tmp_path / "impact_map.csv").write_text(MAP.format(range=ends), encoding="utf-8")
        (tmp_path / "whole_life.csv").write_text(COSTS, encoding="utf-8")
        about = {"id": "demo", "title": "Demo", "kind": "synthetic", "price_year": 2023, "seed": 11}
        study = Study(study=about, value={"impact_map": "impact_map.csv", "cost": 250_000, **plan}, folder=tmp_path)
        found = appraise_value(study)
        rooms = dict.fromkeys(("cohort", "outcomes", "effects", "contract"))
        evaluation = SimpleNamespace(study=study, value=found, flags=found.flags, absent={}, **rooms)
        return evaluation, plain("".join(block.html(1) for block in value(evaluation)))

    return make


def test_every_figure_is_a_range_first_and_its_result_is_printed_word_for_word(page):
    evaluation, words = page()
    found = {one.id: one for one in results(evaluation) if one.section == "value"}
    assert {"value.ratio", "value.npv", "value.present_value", "value.payback", "value.probability"} == set(found)
    for one in found.values():
        assert one.text in words
    npv = found["value.npv"]
    assert npv.low < npv.value < npv.high
    assert npv.text.index(" to ") < npv.text.index("central")
    assert found["value.probability"].value == evaluation.value.probability_exceeds_cost


def test_without_ranges_every_figure_says_so_and_no_ratio_is_drawn(page):
    evaluation, words = page(ends=",")
    assert "no ranges were given, so how sure that is cannot be said" in opening(evaluation)
    assert words.count("no range given") >= 4
    assert "1 = cost" not in words
    assert [one.low for one in results(evaluation) if one.section == "value"] == [None] * 4
    assert "no range given" in repr(evaluation.value)


def test_each_assumption_stands_beside_its_source(page):
    _, words = page()
    assert "Deadweight 40%" in words
    assert "a register" in words
    assert "Every assumption has a source" in words


def test_negative_lines_subtotals_and_what_has_no_price_are_printed(page):
    _, words = page()
    assert "\u2212900.00" in words
    assert "The largest part is economic value; social value is below 0" in words
    assert "1 benefit has no price and are no part of the ratio" not in words
    assert "1 benefit has no price and is no part of the ratio" in words
    assert "Sleep social carers" in words


def test_costs_by_year_stand_beside_the_value_of_the_year(page):
    _, words = page(cost=None, whole_life="whole_life.csv")
    assert "When the costs and the value fall due" in words
    assert "Year 0: before the first year of outcomes; not discounted." in words
    assert "Cost of year 0: set-up" in words  # a bar of the tornado
    assert "Costs are discounted by the same rate" in words


def test_the_rates_tell_the_dated_file_they_come_from(page):
    _, words = page()
    assert "3.5% a year (stpr 2022, falling for later years)" in words
    assert "HM Treasury, The Green Book: discount rates (2022, checked)" in words
