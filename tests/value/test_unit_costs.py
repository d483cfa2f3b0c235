"""Unit costs: the study's own dated table, the shelf, a user's copy of a database, and no parent with its child."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from evalkit import library
from evalkit.errors import DataError, StudyError
from evalkit.study import Study
from evalkit.value import appraise, appraise_value
from evalkit.value.unit_cost_codes import one_name, rounding
from evalkit.value.unit_costs import both_levels, children_of, look_up, read_unit_costs, unit_costs_from

OWN = """code,parent,title,agency,amount,unit,per,price_year,kind_of_value,cashable,low,high,currency,source
A1.0,,A stay,several,100,stay,,2013/14,fiscal,,,,GBP,a survey
A1.0.1,,A stay: beds,hospital,60,stay,,2013/14,fiscal,0.5,50,70,,a survey
A1.0.2,,A stay: visits,council,40,stay,,2013/14,fiscal and economic,,,,,a survey
B1,,A year,council,7300,child,year,2014,social,,,,,a report
"""


@pytest.fixture
def study(tmp_path):
    """A study with its own unit costs."""

    def make(text: str = OWN, **more: object) -> Study:
        (tmp_path / "unit_costs.csv").write_text(text, encoding="utf-8")
        about = {"id": "demo", "title": "Demo", "kind": "synthetic", "price_year": 2013, "seed": 11}
        value = {"impact_map": "impact_map.csv", "unit_costs": "unit_costs.csv", "cost": 1000, **more}
        return Study(study=about, value=value, folder=tmp_path)

    return make


# ---------------------------------------------------------------- the study's own


def test_the_studys_own_unit_costs_know_their_parents_and_price_years(study):
    own = read_unit_costs(study())
    assert own["code"].tolist() == ["A1.0", "A1.0.1", "A1.0.2", "B1"]
    assert own["parent"].tolist() == ["", "A1.0", "A1.0", ""]
    assert own["price_year"].tolist() == [2013, 2013, 2013, 2014]
    assert own["price_year_label"].tolist()[:1] == ["2013/14"]
    assert set(own["currency"]) == {"GBP"}
    assert own["kind_of_value"].tolist() == ["fiscal", "fiscal", "fiscal and economic", "social"]


def test_a_study_without_unit_costs_has_none(tmp_path):
    about = {"id": "demo", "title": "Demo", "kind": "synthetic"}
    assert read_unit_costs(Study(study=about, folder=tmp_path)) is None
    assert read_unit_costs(Study(study=about, value={"impact_map": "m.csv", "cost": 1}, folder=tmp_path)) is None


def test_everything_wrong_with_unit_costs_is_said_at_once_with_the_lines_of_the_file(study):
    bad = """code,parent,agency,amount,price_year,kind_of_value,low,high,currency,source
A,,council,100,2013,fiscal,,,GBP,a survey
A,,council,100,2013,fiscal,,,GBP,a survey
B,Ax,council,,2013,fiscl,,,GBP,
C,,council,10,last year,fiscal,11,12,EUR,a survey
D,,council,10,,fiscal,5,,GBP,a survey
"""
    with pytest.raises(DataError) as error:
        read_unit_costs(study(bad))
    for text in (
        'code "A" occurs 2 times, in rows 2 and 3',
        'column "amount" is empty in row 4',
        'column "source" is empty in row 4',
        'column "price_year" is empty in row 6',
        'row 4: parent "Ax" is no other code here',
        'row 4: kind_of_value "fiscl" is not known. Did you mean "fiscal"?',
        'row 5: price_year "last year" is no year',
        "row 5: amount 10 does not lie between low 11 and high 12",
        "row 5: is in EUR, the study in GBP",
        "row 6: only one end of its range is given",
    ):
        assert text in str(error.value)


def test_amounts_with_signs_and_separators_are_refused_with_their_line(study):
    with pytest.raises(DataError, match=r'"amount".*row 2.*"£1,250"'):
        read_unit_costs(study('code,amount,price_year,source\nA,"£1,250",2013,a survey\n'))
    with pytest.raises(DataError, match='column "price_year" is missing'):
        read_unit_costs(study("code,amount,source\nA,1250,a survey\n"))


# ---------------------------------------------------------------- looking up


def test_a_unit_cost_is_looked_up_in_the_studys_own_table_first_and_then_on_the_shelf(study):
    own = read_unit_costs(study(OWN + "gmca_ss1_0,,Ours,council,1,child,,2013,fiscal,,,,,a guess\n"))
    mine = look_up("A1.0.1", own)
    assert (mine["id"], mine["amount"], mine["price_year"], mine["agency"]) == ("A1.0.1", 60, 2013, "hospital")
    assert (mine["low"], mine["high"], mine["cashable"], mine["parent"]) == (50, 70, 0.5, "A1.0")
    assert look_up("B1", own)["per"] == "year"
    assert look_up("B1", own)["cashable"] is None
    assert look_up("gmca_ss1_0", own)["amount"] == 1
    assert look_up("gmca_ss1_0")["amount"] == 51080
    assert look_up("gmca_es2_0_2", own)["amount"] == 63.69
    with pytest.raises(StudyError, match=r'Did you mean "A1\.0\.1"'):
        look_up("A1.0.11", own)
    with pytest.raises(StudyError, match='Did you mean "gmca_ss1_1"'):
        look_up("gmca_ss11", own)


def test_an_impact_map_may_be_valued_with_the_studys_own_unit_costs(study):
    made = study()
    line = {"outcome": "stay", "quantity": 10, "proxy": "A1.0.1", "deadweight": 0.1, "attribution": 0, "drop_off": 0}
    pd.DataFrame([line]).to_csv(made.folder / "impact_map.csv", index=False)
    value = appraise_value(made)
    row = value.lines.iloc[0]
    assert (row["impact"], row["agency"], row["kind_of_value"], row["cashable"]) == (540, "hospital", "fiscal", 0.5)
    assert value.ratio_low < value.ratio < value.ratio_high  # the range is the unit cost's own


# ---------------------------------------------------------------- never a parent and its child


def rows(*used: tuple[str, str]) -> pd.DataFrame:
    """Lines of an impact map: outcome and unit cost."""
    lines = [
        {"line": f'line {at} ("{outcome}")', "outcome": outcome, "title": outcome, "proxy_id": name}
        for at, (outcome, name) in enumerate(used, start=2)
    ]
    return pd.DataFrame(lines)


def test_the_same_outcome_valued_with_a_parent_and_its_child_is_refused_and_the_rows_are_named():
    lines = [
        {"outcome": "exclusion", "quantity": 12, "proxy": name, "deadweight": 0.1}
        for name in ("gmca_es2_0", "gmca_es2_0_1", "gmca_es2_0_2")
    ]
    with pytest.raises(DataError, match=r"row 1 .* gmca_es2_0 and row 2 .* gmca_es2_0_1") as error:
        appraise(pd.DataFrame(lines), 1000, 0.035)
    assert str(error.value).count("the same money twice") == 2
    assert appraise(pd.DataFrame(lines[1:]), 1000, 0).lines["impact"].sum() == pytest.approx(0.9 * 12 * 7244.69)


def test_grandparents_and_scenarios_that_stand_for_their_parent_are_refused_too(study):
    own = read_unit_costs(study(OWN + "A1.0.1.1,,One bed,hospital,5,stay,,2013,fiscal,,,,,a survey\n"))
    problems, flags = both_levels(rows(("stay", "A1.0"), ("stay", "A1.0.1.1")), own)
    assert len(problems) == 1
    assert flags == []
    assert "line 2" in problems[0]
    assert "line 3" in problems[0]
    assert len(both_levels(rows(("care", "gmca_ss1_0"), ("care", "gmca_ss1_1")))[0]) == 1


def test_different_outcomes_valued_with_a_parent_and_its_child_are_a_question():
    problems, flags = both_levels(rows(("exclusion", "gmca_es2_0"), ("health", "gmca_es2_0_2")))
    assert problems == []
    assert [flag.level for flag in flags] == ["caution"]
    assert both_levels(rows(("exclusion", "gmca_es2_0_1"), ("exclusion", "gmca_es2_0_2"), ("work", ""))) == ([], [])


# ---------------------------------------------------------------- the shelf


def test_the_four_parts_of_an_exclusion_sum_to_their_parent_but_for_rounding():
    parts = children_of("gmca_es2_0")
    assert [part["amount"] for part in parts] == [7181, 63.69, 970.44, 1003.5]
    parent = look_up("gmca_es2_0")
    assert sum(part["amount"] for part in parts) - parent["amount"] == pytest.approx(-0.37)
    assert {part["price_year"] for part in parts} == {parent["price_year"]} == {2005}
    assert children_of("gmca_ss1_0") == []  # its scenarios stand in its place: they are no parts of it


def test_every_parent_on_the_shelf_is_on_the_shelf():
    ids = list(library.catalogue().query("kind == 'unit_values'")["id"])
    parents = {look_up(name)["parent"] for name in ids if library.load("unit_values", name).get("parent")}
    assert parents == {"gmca_es2_0", "gmca_ss1_0"}
    assert parents <= set(ids)


def test_a_lifetime_sum_is_called_one():
    assert look_up("gmca_ee10_4")["per"] == "lifetime"


# ---------------------------------------------------------------- a user's copy of a database

ENTRIES = [
    ("X1.0", "A stay - fiscal, economic and social values", "Per year", 100.0, "Multiple", "2010/11"),
    ("X1.0.1", "A stay - fiscal cost of beds", "Per year", 59.6, "Council", "2010/11"),
    ("X1.0.2", "A stay - fiscal cost of visits", "Per year", 40.0, "council", "2010/11"),
    ("X2.0", "Cost per 18-24 year old", "Per year", 100.0, "Council", "2010/11"),
    ("X2.0.1", "Cost per 16-17 year old", "Per year", 100.0, "Council", "2012/13"),
    ("X3.0", "An average", "Per night", 50.0, "Council", "2013/14"),
    ("X3.0.1", "One kind", "Per night", 40.0, "Council", "2013/14"),
    ("X3.0.2", "Another kind", "Per night", 60.0, "Council", "2013/14"),
    ("X4.0", "A year of work", "Per year", 4000.0, "Council", "2013/14"),
    ("X4.0.1", "An hour of work", "Per hour", 40.0, "Council", "2013/14"),
    ("X5.0", "Lifetime fiscal costs", "Lifetime", 9.0, "Council", "2013/14"),
]
KEYS = ("code", "description", "unit", "cost_gbp", "agency", "source_detail")


@pytest.fixture
def copy(tmp_path) -> Path:
    """A database in the shape of the published one."""
    entries = [dict(zip(KEYS, entry, strict=True), notes="=IF(H3>0,1,2)", agency_detail=None) for entry in ENTRIES]
    shape = {"source": "A database", "categories": {"x": {"sheet": "X", "count": 11, "entries": entries}}}
    path = tmp_path / "costs.json"
    path.write_text(json.dumps(shape), encoding="utf-8")
    return path


def test_a_users_copy_is_read_with_price_years_parents_and_one_name_for_an_agency(copy):
    found = unit_costs_from(copy)
    table = found.table.set_index("code")
    assert len(table) == 11
    assert table.loc["X1.0.1", "parent"] == "X1.0"
    assert (table.loc["X1.0", "price_year"], table.loc["X1.0", "price_year_label"]) == (2010, "2010/11")
    assert set(table["agency"]) == {"Multiple", "Council"}
    assert (table["notes"] == "").all()
    assert table.loc["X1.0", "kind_of_value"] == "fiscal and economic and social"
    assert table.loc["X1.0.1", "kind_of_value"] == "fiscal"
    assert table.loc["X5.0", "per"] == "lifetime"
    assert table.loc["X1.0", "source"] == "A database, entry X1.0"
    assert any('"council" is read as "Council"' in flag.text for flag in found.flags)
    assert look_up("X1.0.2", found.table)["amount"] == 40


def test_entries_that_contradict_their_parent_are_named_and_nothing_is_mended(copy):
    doubt = unit_costs_from(copy).table.set_index("code")["doubt"]
    assert doubt["X1.0"] == ""  # 99.6 rounds to 100
    assert "ages 18-24 against 16-17" in doubt["X2.0.1"]
    assert "price year" in doubt["X2.0.1"]
    assert doubt["X3.0"] == "its 2 children sum to 100.00, it is 50.00: they are scenarios, or not all of its parts"
    assert "counted per hour, it is per year" in doubt["X4.0"]
    assert (doubt != "").sum() == 3


def test_a_plain_csv_of_unit_costs_is_read_too_and_what_is_wrong_is_said_by_code(tmp_path):
    path = tmp_path / "costs.csv"
    path.write_text("code,title,amount,agency,price_year\nA,Stay,12.5,NHS,2013\n", encoding="utf-8")
    found = unit_costs_from(path)
    assert found.table["amount"].tolist() == [12.5]
    assert found.flags == ()
    path.write_text("code,amount,agency,price_year\nA,1,NHS,2013\nA,£2,NHS,2013\nB,3,NHS,soon\n", encoding="utf-8")
    with pytest.raises(DataError) as error:
        unit_costs_from(path)
    for text in ("A: occur more than once", "A: have an amount that is no plain number", "B: have a price year"):
        assert text in str(error.value)
    path.write_text("code,amount\nA,1\n", encoding="utf-8")
    with pytest.raises(DataError, match="no column for the price_year"):
        unit_costs_from(path)


def test_the_published_database_is_read_with_its_known_faults(beside):
    found = unit_costs_from(beside("../data/parameters/gmca-unit-costs-full.json"))
    table = found.table.set_index("code")
    assert len(table) == 674
    assert set(table["price_year"]) == set(range(2000, 2015)) - {2001}
    assert (table["notes"] == "").all()
    assert "Local authority" not in set(table["agency"])
    assert table.loc["E&S2.0.4", "parent"] == "E&S2.0"
    assert table.loc["E&S2.0", "doubt"] == ""
    assert {"E&E10.0.1", "E&E10.0.2"} == {
        code for code, text in table["doubt"].items() if "ages 18-24 against 16-17" in text
    }
    for name in ("gmca_es2_0", "gmca_es2_0_1", "gmca_es2_0_3", "gmca_ss1_0", "gmca_ee10_4", "gmca_cr4_0"):
        entry = look_up(name)
        row = table.loc[entry["code"]]
        assert (row["amount"], row["price_year_label"]) == (entry["amount"], entry["price_year_label"])


# ---------------------------------------------------------------- small parts


def test_rounding_is_half_a_unit_of_the_last_digit_of_each_amount():
    assert rounding([9219, 7181, 63.69, 970.44, 1003.5]) == pytest.approx(0.5 + 0.5 + 0.005 + 0.005 + 0.05)
    assert rounding([9200]) == 0.5


def test_the_most_frequent_way_of_writing_an_agency_is_kept():
    named, changed = one_name(pd.Series(["Local authority", "Local  Authority", "Local Authority", "NHS"]))
    assert named.tolist() == ["Local Authority"] * 3 + ["NHS"]
    assert changed["Local authority"] == "Local Authority"
