"""What the outcomes were worth, and what may not be counted twice."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evalkit import library
from evalkit.errors import DataError, StudyError
from evalkit.study import Study
from evalkit.value import appraise, appraise_value
from evalkit.value.discount import read_rate

EMPLOYMENT = {
    "outcome": "in work", "quantity": 60, "proxy": 8500, "deadweight": 0.4, "displacement": 0,
    "attribution": 0.3, "drop_off": 0.3, "duration": 2,
}  # fmt: skip


def map_of(*lines: dict[str, Any], **changes: Any) -> pd.DataFrame:
    """An impact map of lines that differ from the employment example."""
    return pd.DataFrame([{**EMPLOYMENT, **changes, **line} for line in lines or ({},)])


@pytest.mark.parametrize(
    ("first_year", "present_value", "ratio", "months", "says"),
    [
        (True, 346927.12, 1.3877, 15.69, "year 1 discounted once"),
        (False, 359069.57, 1.4363, 14.97, "year 1 not discounted"),
    ],
)
def test_the_employment_example_under_both_conventions(first_year, present_value, ratio, months, says):
    value = appraise(map_of(), 250_000, 0.035, discount_first_year=first_year)
    assert value.by_year["value"].tolist() == pytest.approx([214200, 149940])
    assert value.present_value == pytest.approx(present_value, abs=0.005)
    assert value.npv == pytest.approx(present_value - 250_000, abs=0.005)
    assert round(value.ratio, 4) == ratio
    assert round(value.net_ratio, 4) == round(ratio - 1, 4)
    assert round(value.payback_months, 2) == months
    assert says in value.convention
    assert "3.5% a year" in value.convention


def test_the_family_support_example_keeps_its_negative_line():
    lines = map_of(
        {
            "outcome": "home",
            "quantity": 18,
            "proxy": 51080,
            "deadweight": 0.33,
            "attribution": 0.25,
            "drop_off": 0.2,
            "duration": 3,
        },
        {"outcome": "exclusion", "quantity": 9, "proxy": 9219, "displacement": 0.1, "drop_off": 0, "duration": 1},
        {"outcome": "entrant", "quantity": 7, "proxy": 3152, "deadweight": 0.5, "attribution": 0.4, "drop_off": 0.5},
        {"outcome": "parent", "quantity": 25, "proxy": 1300, "deadweight": 0.25, "attribution": 0.2, "duration": 3},
        {"outcome": "sibling", "quantity": 6, "proxy": -900, "deadweight": 0.1, "attribution": 0, "drop_off": 0.5},
    )
    value = appraise(lines, 420_000, 0.035)
    assert value.lines["impact"].tolist() == pytest.approx([462018.6, 31363.04, 6619.2, 19500, -4860], abs=0.005)
    assert value.present_value == pytest.approx(1131155.73, abs=0.005)
    assert (round(value.ratio, 4), round(value.payback_months, 2)) == (2.6932, 10.14)
    assert round(appraise(lines.head(4), 420_000, 0.035).ratio, 4) == 2.7098
    assert any("sibling" in flag.text for flag in value.flags)


def test_a_negative_effect_gives_a_negative_ratio():
    value = appraise(map_of(quantity=-16), 250_000, 0.035)
    assert value.ratio < 0
    assert value.payback_months is None
    assert any(flag.level == "serious" and "negative" in flag.text for flag in value.flags)


def test_a_ratio_without_ranges_has_none_and_a_flag_says_so():
    value = appraise(map_of(), 250_000, 0.035)
    assert (value.ratio_low, value.ratio_high, value.probability_exceeds_cost) == (None, None, None)
    assert any("no range" in flag.text for flag in value.flags)
    assert "no range given" in value._repr_html_()


def test_a_range_of_one_proxy_gives_the_quantiles_of_its_triangle():
    value = appraise(map_of(proxy_low=8500, proxy_high=17000), 250_000, 0.035, draws=40_000)
    ends = [17000 - 8500 * np.sqrt(1 - share) for share in (0.025, 0.975)]
    assert value.ratio_low == pytest.approx(value.ratio * ends[0] / 8500, rel=0.01)
    assert value.ratio_high == pytest.approx(value.ratio * ends[1] / 8500, rel=0.01)
    assert value.probability_exceeds_cost == 1
    assert "triangular" in value.range_method
    assert value.ratio_low == appraise(map_of(proxy_low=8500, proxy_high=17000), 250_000, 0.035, draws=40_000).ratio_low


def test_green_book_factors_are_cumulative_and_each_segment_has_its_own_rate():
    factors = read_rate("stpr 2022", first_year=True).factors(80)
    assert factors[29] == pytest.approx(1.035**-30)
    assert factors[30] == pytest.approx(1.035**-30 / 1.03)
    assert factors[75] == pytest.approx(1.035**-30 * 1.03**-45 / 1.025)
    assert read_rate("stpr 2022", first_year=False).factors(1).tolist() == [1]
    with pytest.raises(StudyError, match="stpr_2022"):
        read_rate("stpr 2021", first_year=True)
    with pytest.raises(StudyError, match=r"Write 0\.035"):
        read_rate(3.5, first_year=True)


def test_everything_wrong_with_an_impact_map_is_said_at_once():
    lines = map_of({"price_year": 2013, "deadweight": 1.2}, {"price_year": 2005, "proxy": None, "duration": 1.5})
    with pytest.raises(DataError) as error:
        appraise(lines, 250_000, 0.035)
    for text in ("deadweight 1.2 is not a share", "has no proxy", "duration 1.5", "Price years differ", "Deflate"):
        assert text in str(error.value)
    with pytest.raises(DataError, match="does not lie between"):
        appraise(map_of(proxy_low=9000, proxy_high=10000), 250_000, 0.035)
    with pytest.raises(DataError, match='lacks the column "proxy"'):
        appraise(map_of().drop(columns="proxy"), 250_000, 0.035)


def test_shares_left_empty_count_as_nothing_and_flags_say_so():
    value = appraise(map_of(attribution=None, displacement=None, drop_off=None), 250_000, 0.035)
    assert value.lines["impact"].tolist() == pytest.approx([60 * 8500 * 0.6])
    assert {"attribution", "displacement", "drop_off"} <= {flag.about for flag in value.flags}


def test_a_unit_value_of_the_shelf_brings_its_amount_year_agency_and_source():
    value = appraise(map_of(proxy="gmca_ss1_0"), 250_000, 0.035)
    line = value.lines.iloc[0]
    assert (line["proxy"], line["price_year"], line["agency"]) == (51080, 2013, "Local authority")
    assert "SS1.0" in line["source"]
    with pytest.raises(DataError, match='Did you mean "gmca_ss1_0"'):
        appraise(map_of(proxy="gmca_ss1_00"), 250_000, 0.035)
    with pytest.raises(DataError, match="2013/14, the line says 2023"):
        appraise(map_of(proxy="gmca_ss1_0", price_year=2023), 250_000, 0.035)


def test_every_unit_value_says_amount_unit_year_agency_source_date_licence_and_status():
    found = library.catalogue().query("kind == 'unit_values'")["id"]
    assert {"gmca_ss1_0", "gmca_ss1_1", "gmca_es2_0", "gmca_cr4_0", "gmca_ee10_4"} <= set(found)
    for name in found:
        entry = library.load("unit_values", name)
        assert entry["amount"] > 0
        for key in ("unit", "currency", "price_year_label", "agency", "source", "date", "licence", "status", "notes"):
            assert entry[key], f"{name} lacks {key}"
        assert str(entry["price_year"]) == entry["price_year_label"][:4]


# ---------------------------------------------------------------- from a study's effects


@pytest.fixture
def study(tmp_path):
    """A study folder with the impact map given."""

    def make(lines: pd.DataFrame, price_year: int = 2023, **plan: Any) -> Study:
        lines.to_csv(tmp_path / "impact_map.csv", index=False)
        about = {"id": "demo", "title": "Demo", "kind": "synthetic", "price_year": price_year, "seed": 11}
        value = {"impact_map": "impact_map.csv", "cost": 100_000, "discount_rate": 0.035, **plan}
        return Study(study=about, value=value, folder=tmp_path)

    return make


def effects_of(study: Study, *rows: dict[str, Any], se: float = 5.0) -> SimpleNamespace:
    """Effects on outcomes whose errors are the same (perfectly correlated)."""
    usual = {
        "outcome": "care_days", "unit": "days", "values": "amount", "better": "lower", "estimator": "aipw",
        "scale": "difference", "n_treated": 200, "effect": -20.0,
    }  # fmt: skip
    frame = pd.DataFrame([{**usual, **row} for row in rows or ({},)])

    def joint(draws: int, seed: int) -> pd.DataFrame:
        error = np.random.default_rng(seed).normal(size=draws) * se
        drawn = frame[~frame["estimator"].isin(["assumed", "published"])]
        columns = {(r["outcome"], "effect"): r["effect"] + error for r in drawn.to_dict("records")}
        return pd.DataFrame(columns, columns=pd.MultiIndex.from_tuples(columns)) if columns else pd.DataFrame()

    return SimpleNamespace(study=study, table=frame, joint=joint)


FROM_EFFECT = {
    "outcome": "care_days", "title": "Days out of care", "agency": "Council", "stakeholder": "Council",
    "quantity": None,
    "proxy": 140, "price_year": 2023, "deadweight": None, "attribution": 0.1, "drop_off": 0, "duration": 1,
}  # fmt: skip


def test_an_empty_quantity_is_the_effect_times_the_treated_towards_better(study):
    value = appraise_value(effects_of(study(map_of(FROM_EFFECT))))
    assert value.lines["quantity"].tolist() == [4000]
    assert value.lines["quantity_from"].tolist() == ["effect"]
    assert value.present_value == pytest.approx(4000 * 140 * 0.9 / 1.035)
    spread = 1.96 * 5 * 200 * 140 * 0.9 / 1.035 / 100_000
    assert value.ratio_low == pytest.approx(value.ratio - spread, rel=0.03)
    assert value.ratio_high == pytest.approx(value.ratio + spread, rel=0.03)
    assert value.by_agency["agency"].tolist() == ["Council"]


def test_effects_are_drawn_jointly_so_that_two_outcomes_with_the_same_error_do_not_average_out(study):
    twice = map_of(FROM_EFFECT, {**FROM_EFFECT, "outcome": "nights", "title": "Nights"})
    made = study(twice)
    both = appraise_value(effects_of(made, {}, {"outcome": "nights"}))
    one = appraise_value(effects_of(study(map_of(FROM_EFFECT))))
    assert both.ratio_high - both.ratio_low == pytest.approx(2 * (one.ratio_high - one.ratio_low), rel=1e-6)


def test_a_harmful_effect_makes_a_negative_line(study):
    value = appraise_value(effects_of(study(map_of(FROM_EFFECT)), {"effect": 6.0}))
    assert value.lines["quantity"].tolist() == [-1200]
    assert value.ratio < 0
    assert value.probability_exceeds_cost == pytest.approx(0.0217, abs=0.005)  # an effect below -4.1: 2.02 SE away


def test_deadweight_stated_for_an_estimated_outcome_is_refused_because_the_estimator_nets_it_out(study):
    for line in ({**FROM_EFFECT, "deadweight": 0.3}, {**FROM_EFFECT, "quantity": 60, "deadweight": 0.3}):
        with pytest.raises(StudyError, match='the estimator "aipw" already nets it out'):
            appraise_value(effects_of(study(map_of(line))))


def test_deadweight_may_be_stated_where_the_estimator_is_assumed_but_not_on_an_effect_net_of_it(study):
    typed = map_of({**FROM_EFFECT, "quantity": 60, "deadweight": 0.3})
    value = appraise_value(effects_of(study(typed), {"estimator": "assumed"}))
    assert value.lines["impact"].tolist() == pytest.approx([60 * 140 * 0.7 * 0.9])
    with pytest.raises(StudyError, match="already net of the assumed deadweight"):
        appraise_value(effects_of(study(map_of({**FROM_EFFECT, "deadweight": 0.3})), {"estimator": "assumed"}))


def test_quantities_that_no_effect_can_give_are_refused_all_at_once(study):
    lines = map_of(FROM_EFFECT, {**FROM_EFFECT, "outcome": "care_day"}, {**FROM_EFFECT, "outcome": "wellbeing"})
    effects = effects_of(study(lines), {}, {"outcome": "wellbeing", "values": "score"})
    with pytest.raises(StudyError) as error:
        appraise_value(effects)
    assert 'outcome "care_day" is not estimated. Did you mean "care_days"?' in str(error.value)
    assert "a score has no quantity in the world" in str(error.value)


def test_an_effect_per_area_and_period_gives_no_quantity(study):
    made, areas = study(map_of(FROM_EFFECT)), SimpleNamespace(areas=object())
    by_area = effects_of(made)
    by_area.study = made.model_copy(update={"counterfactual": areas})
    with pytest.raises(StudyError, match="per area and period, not per person; write the quantity"):
        appraise_value(by_area)


def test_shares_without_a_source_and_attribution_without_partners_are_said(grid):
    grid(
        """
        attribution | source   | partners | told
        0.3         | a survey | a school | 0
        0.3         | a survey | ''       | 1
        0.3         | ''       | a school | 1
        0           | ''       | ''       | 0
        """,
        lambda row: sum(
            flag.about == "attribution" and ("no partner is named" in flag.text or "without a source" in flag.text)
            for flag in appraise(map_of({**vars(row)}), 250_000, 0.035).flags
        ),
        "told",
    )


def test_price_years_must_be_the_studys(study):
    with pytest.raises(DataError, match="prices of 2019, the study in prices of 2023"):
        appraise_value(effects_of(study(map_of({**FROM_EFFECT, "price_year": 2019}))))


def test_a_yearly_unit_value_becomes_a_daily_one_where_the_effect_is_in_days(study):
    line = {**FROM_EFFECT, "proxy": "gmca_ss1_0", "price_year": None}
    value = appraise_value(effects_of(study(map_of(line), price_year=2013)))
    assert value.lines["proxy"].tolist() == pytest.approx([51080 / 365])
    assert any("divided by 365" in flag.text for flag in value.flags)


def test_a_typed_quantity_that_nothing_nets_is_a_serious_flag(study):
    value = appraise_value(study(map_of({**FROM_EFFECT, "outcome": "", "quantity": 60, "attribution": 0})))
    assert any(flag.level == "serious" and "No deadweight is taken off" in flag.text for flag in value.flags)
    assert value.effects is None


def test_the_contract_hands_its_effects_on(study):
    effects = effects_of(study(map_of(FROM_EFFECT)))
    contract = SimpleNamespace(study=effects.study, effects=effects, ledger=None)
    value = appraise_value(contract)
    assert value.contract is contract
    assert value.effects is effects


def test_the_cost_may_have_a_range_of_its_own(study):
    fixed = appraise_value(effects_of(study(map_of(FROM_EFFECT)), se=0.001))
    ranged = appraise_value(effects_of(study(map_of(FROM_EFFECT), cost_low=80_000, cost_high=150_000), se=0.001))
    assert ranged.ratio_high - ranged.ratio_low > 10 * (fixed.ratio_high - fixed.ratio_low)
    assert ranged.ratio == fixed.ratio


# ---------------------------------------------------------------- everyone treated, and what is taken for granted


def with_attrition(effects: SimpleNamespace, people: int, analysed: int) -> SimpleNamespace:
    """Effects of a cohort in which some treated have no reading."""
    arms = {"treated": (people, analysed), "comparison": (300, 290)}
    rows = [
        {"outcome": "care_days", "arm": arm, "people": a, "analysed": b, "share": b / a} for arm, (a, b) in arms.items()
    ]
    return SimpleNamespace(**vars(effects), attrition=pd.DataFrame(rows))


def about_care_days(value: Any) -> list[Any]:
    """The flags about the outcome that the quantity comes from."""
    return [flag for flag in value.flags if flag.about == "care_days"]


def test_a_quantity_counts_everyone_treated_and_says_that_not_all_have_a_reading(study):
    effects = with_attrition(effects_of(study(map_of(FROM_EFFECT)), {"n_treated": 140, "title": "Days"}), 200, 140)
    value = appraise_value(effects)
    complete = appraise_value(effects_of(effects.study))
    assert value.lines["quantity"].tolist() == [4000]  # 20 days for each of 200, not of 140
    assert (value.ratio, value.ratio_low) == (complete.ratio, complete.ratio_low)
    (flag,) = about_care_days(value)
    assert flag.level == "caution"
    assert "estimated on 140 treated people and the quantity counts all 200" in flag.text
    assert "are taken to have gained as much as the others" in flag.text


@pytest.mark.parametrize(
    ("analysed", "level", "numbers"),
    [(188, "caution", True), (190, "note", True), (191, "note", False), (199, "note", False)],
)
def test_a_few_people_left_out_are_a_note_and_fewer_than_ten_are_not_told_in_numbers(study, analysed, level, numbers):
    made = effects_of(study(map_of(FROM_EFFECT)), {"n_treated": analysed})
    (flag,) = about_care_days(appraise_value(with_attrition(made, 200, analysed)))
    assert flag.level == level
    assert any(character.isdigit() for character in flag.text + flag.detail) is numbers
    assert "are taken to have gained as much as the others" in flag.text


def test_people_without_a_match_are_left_out_too_and_nobody_left_out_is_no_flag(study):
    made = effects_of(study(map_of(FROM_EFFECT)), {"n_treated": 150})
    (flag,) = about_care_days(appraise_value(with_attrition(made, 200, 180)))
    assert "estimated on 150 treated people" in flag.text
    whole = effects_of(study(map_of(FROM_EFFECT)), {"n_treated": 400})  # two rows a person
    value = appraise_value(with_attrition(whole, 200, 200))
    assert value.lines["quantity"].tolist() == [4000]
    assert about_care_days(value) == []


# ---------------------------------------------------------------- chance


@pytest.mark.parametrize("place", [0, 1])
def test_ranges_are_drawn_from_another_stream_than_the_effects(study, place):
    made = study(map_of({**FROM_EFFECT, "proxy_low": 40, "proxy_high": 240}), draws=20_000)
    effects = effects_of(made)

    def joint(draws: int, seed: int) -> pd.DataFrame:
        """Drawn as `Effects.joint` begins its own stream; more days saved with a higher chance."""
        chances = np.random.default_rng([seed, 1]).uniform(size=(12, draws))
        columns = {("care_days", "effect"): -20 - 18 * (chances[place] - 0.5)}
        return pd.DataFrame(columns, columns=pd.MultiIndex.from_tuples(columns))

    value = appraise_value(SimpleNamespace(study=made, table=effects.table, joint=joint))
    random = np.random.default_rng(5)
    apart = (20 + 18 * (random.uniform(size=200_000) - 0.5)) * random.triangular(40, 140, 240, 200_000)
    ends = np.quantile(apart * 200 * 0.9 / 1.035 / 100_000, [0.025, 0.975])
    assert [value.ratio_low, value.ratio_high] == pytest.approx(ends.tolist(), rel=0.03)


def test_lines_that_share_a_unit_value_share_its_draw():
    ranged = {"proxy": "gmca_ss1_0", "proxy_low": 30_000, "proxy_high": 80_000}
    one = appraise(map_of(ranged, quantity=60), 250_000, 0.035)
    two = appraise(map_of({**ranged, "agency": "a"}, {**ranged, "agency": "b"}, quantity=30), 250_000, 0.035)
    assert [two.ratio_low, two.ratio_high] == pytest.approx([one.ratio_low, one.ratio_high], rel=1e-9)
    other = {**ranged, "proxy": 51080}
    apart = appraise(map_of(other, other, quantity=30), 250_000, 0.035)
    assert apart.ratio_high - apart.ratio_low < 0.8 * (one.ratio_high - one.ratio_low)


def test_the_range_of_a_yearly_unit_value_becomes_daily_with_it(study):
    line = {**FROM_EFFECT, "proxy": "gmca_ss1_0", "price_year": None, "proxy_low": 36_500, "proxy_high": 73_000}
    value = appraise_value(effects_of(study(map_of(line), price_year=2013), se=1e-9))
    ends = np.array([value.ratio_low, value.ratio_high]) * 100_000 * 1.035 / (4000 * 0.9)
    assert 100 < ends[0] < 51080 / 365 < ends[1] < 200


# ---------------------------------------------------------------- beside the money


def test_a_benefit_that_nobody_prices_stands_beside_the_money_and_is_not_lost(study):
    spared = {"outcome": "", "title": "Sleeping better", "stakeholder": "Parents", "quantity": None, "proxy": None}
    lines = map_of(spared, {})
    value = appraise(lines, 250_000, 0.035)
    assert value.ratio == appraise(map_of(), 250_000, 0.035).ratio
    assert value.lines["title"].tolist() == ["Sleeping better", "in work"]
    assert value.lines["quantity_from"].tolist() == ["not valued in money", "typed"]
    assert value.lines[["quantity", "proxy", "impact", "present_value"]].iloc[0].isna().all()
    (flag,) = [flag for flag in value.flags if flag.about == "beside"]
    assert flag.text == "Not valued in money, so no part of the ratio: Sleeping better."
    linked = appraise_value(effects_of(study(map_of(spared, FROM_EFFECT))))
    assert linked.lines["title"].tolist() == ["Sleeping better", "Days out of care"]
    assert linked.present_value == appraise_value(effects_of(study(map_of(FROM_EFFECT)))).present_value
    assert linked.by_stakeholder["stakeholder"].tolist() == ["Council"]


def test_a_map_that_prices_nothing_is_refused_and_so_is_a_quantity_without_a_price(study):
    with pytest.raises(DataError, match="No line has a proxy: nothing is valued in money"):
        appraise(map_of(quantity=None, proxy=None), 250_000, 0.035)
    with pytest.raises(DataError, match="has no proxy"):
        appraise(map_of({}, {"proxy": None}), 250_000, 0.035)
    lines = map_of(
        {"outcome": "", "title": "Sleep", "quantity": None, "proxy": None}, {**FROM_EFFECT, "outcome": "cot"}
    )
    with pytest.raises(StudyError, match=r"impact_map.csv has 1 problem:\n  1. line 3"):
        appraise_value(effects_of(study(lines)))
