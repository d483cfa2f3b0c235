"""The value of a study: its files, costs by year, deflators, rates, and what stands beside the money."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError, StudyError
from evalkit.study import Study
from evalkit.value import appraise_value

MAP = """
    outcome,title,stakeholder,quantity,proxy,price_year,deadweight,displacement,attribution,drop_off,duration,source
    ,Jobs,young people,60,8500,2023,0.4,0,0,0,2,a survey
    ,Harm,siblings,6,-900,2023,0.1,0,0,0,1,a survey
"""


@pytest.fixture
def study(tmp_path):
    """A study folder with the csv files given, by name."""

    def make(impact_map: str = MAP, price_year: int | None = 2023, files: dict[str, str] | None = None, **plan: Any):
        for name, text in {"impact_map": impact_map, **(files or {})}.items():
            lines = "\n".join(line.strip() for line in text.strip().splitlines())
            (tmp_path / f"{name}.csv").write_text(lines + "\n", encoding="utf-8")
        about = {"id": "demo", "title": "Demo", "kind": "synthetic", "price_year": price_year, "seed": 11}
        value = {"impact_map": "impact_map.csv", "discount_rate": 0.0, **plan}
        return Study(study=about, value=value, folder=tmp_path)

    return make


def effects_of(study: Study, **change: Any) -> SimpleNamespace:
    """One effect with its error: 10 of 100 more of them are in school."""
    row = {
        "outcome": "school", "unit": "", "values": "yes or no", "better": "higher", "estimator": "aipw",
        "scale": "difference", "n_treated": 200, "effect": 0.1, "low": 0.02, "high": 0.18, **change,
    }  # fmt: skip

    def joint(draws: int, seed: int) -> pd.DataFrame:
        drawn = row["effect"] + np.random.default_rng(seed).normal(size=draws) * 0.04
        columns = pd.MultiIndex.from_tuples([(row["outcome"], "effect")])
        return pd.DataFrame(drawn[:, None], columns=columns)

    return SimpleNamespace(study=study, table=pd.DataFrame([row]), joint=joint)


def test_costs_by_year_are_read_from_their_file_and_wrong_ones_named_by_its_lines(study):
    costs = "year,what,amount,low,high,party,source\n0,set-up,50000,,,council,the books\n1,running,50000,40000,90000,,"
    value = appraise_value(study(whole_life="whole_life.csv", files={"whole_life": costs}))
    assert value.cost == 100_000
    assert value.costs["party"].tolist() == ["council", ""]
    assert value.npv_low < value.npv < value.npv_high
    assert any("1 of 2 costs by year" in flag.text and "line 3" in flag.detail for flag in value.flags)
    with pytest.raises(DataError, match=r"whole_life\.csv has 1 problem:\s+1\. column .amount.*row 3"):
        appraise_value(
            study(whole_life="whole_life.csv", files={"whole_life": costs.replace("1,running,5", "1,running,£5")})
        )
    with pytest.raises(DataError, match=r"whole_life\.csv has 1 problem:\s+1\. line 3: amount does not lie"):
        appraise_value(study(whole_life="whole_life.csv", files={"whole_life": costs.replace("40000", "60000")}))


def test_a_wrong_line_of_the_map_is_named_by_its_file_and_its_line_there(study):
    quoted = MAP.replace(",Harm,", ',"Harm, told",').replace("0.1,0,0", "0.1,0,0")
    with pytest.raises(DataError, match=r'impact_map\.csv has 1 problem:\s+1\. line 3 \("Harm, told"\): duration 0'):
        appraise_value(study(quoted.replace("0,1,a survey", "0,0,a survey"), cost=1000))


def test_deflators_bring_the_map_to_the_studys_price_year(study):
    old = MAP.replace("8500,2023", "8500,2013/14")
    with pytest.raises(DataError, match=r"(?s)line 2 .*2013; line 3 .*2023; the study: 2023.*Deflate them"):
        appraise_value(study(old, cost=1000))
    table = {"deflators": "year,index,source\n2013,80,the office\n2023,120,the office"}
    value = appraise_value(study(old, cost=1000, deflators="deflators.csv", files=table))
    assert value.lines["proxy"].tolist() == [12_750, -900]
    assert value.lines["deflator_source"].tolist() == ["the office", ""]
    mixed = appraise_value(study(old, cost=1000, mixed_price_years="warn"))
    assert mixed.lines["proxy"].tolist() == [8500, -900]
    assert any(flag.level == "serious" and flag.about == "price_year" for flag in mixed.flags)


def test_the_interval_of_an_effect_is_the_range_of_its_quantity_and_a_bar_of_the_tornado(study):
    text = "outcome,title,quantity,proxy,price_year,duration,source\nschool,In school,,1000,2023,1,x"
    value = appraise_value(effects_of(study(text, cost=10_000)))
    line = value.lines.iloc[0]
    assert (line["quantity"], line["quantity_low"], line["quantity_high"]) == pytest.approx((20, 4, 36))
    assert line["quantity_source"] == "estimated here (aipw)"
    (bar,) = value.looks["tornado"].to_dict("records")
    assert (bar["kind"], bar["ratio_low"], bar["ratio_high"]) == ("effect", pytest.approx(0.4), pytest.approx(3.6))
    assert [value.ratio_low, value.ratio_high] == pytest.approx([2 - 1.96 * 0.8, 2 + 1.96 * 0.8], abs=0.06)
    names = value.looks["switching"].table["name"].tolist()
    assert "deadweight" not in names  # the estimate nets it out
    assert value.looks["switching"].beyond_estimates


def test_fewer_is_better_turns_the_interval_round(study):
    text = "outcome,title,quantity,proxy,price_year,duration,source\nschool,Away,,1000,2023,1,x"
    value = appraise_value(effects_of(study(text, cost=10_000), better="lower", effect=-0.1, low=-0.18, high=-0.02))
    line = value.lines.iloc[0]
    assert (line["quantity_low"], line["quantity"], line["quantity_high"]) == pytest.approx((4, 20, 36))


def test_beside_the_money_a_quantity_comes_from_its_effect_where_one_is_known(study):
    text = MAP + "    school,In school,young people,,,,,,,,,a survey\n    scool,Typo,young people,,,,,,,,,a survey\n"
    value = appraise_value(effects_of(study(text, cost=1000)))
    beside = value.lines.set_index("title").loc[["In school", "Typo"]]
    assert beside["quantity"].iloc[0] == pytest.approx(20)
    assert np.isnan(beside["quantity"].iloc[1])
    assert beside["present_value"].isna().all()
    (flag,) = [flag for flag in value.flags if flag.about == "outcome"]
    assert "scool" in flag.text
    assert 'Did you mean "school"' in flag.detail


def test_an_unknown_outcome_in_the_money_is_an_error_with_its_line(study):
    text = MAP + "    scool,Typo,young people,,10,2023,,,,,,a survey\n"
    with pytest.raises(StudyError, match=r'(?s)impact_map\.csv.*line 4 \("Typo"\).*Did you mean "school"'):
        appraise_value(effects_of(study(text, cost=1000)))
