"""Savings by agency: who is spared what, who pays, and what may not be added."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evalkit.contract.parties import payers_of
from evalkit.errors import DataError
from evalkit.report.html import plain
from evalkit.report.sections import sections
from evalkit.study import Study
from evalkit.value import appraise_value
from evalkit.value.payers import Paid
from evalkit.value.saved import Fiscal, pays_and_saves
from evalkit.value.savings import savings_by_agency
from evalkit.value.splits import Split

EXAMPLE = Path(__file__).parents[1] / "data" / "domain" / "09_gmca_exclusion_by_commissioner"


def by_agency(found: Any) -> dict[str, float]:
    """Agency -> saving."""
    return dict(zip(found.by_agency["agency"], found.by_agency["saving"], strict=True))


def texts(flags: Any, level: str = "") -> str:
    """What the flags say."""
    return "\n".join(f"{flag.text} {flag.detail}" for flag in flags if not level or flag.level == level)


# ---------------------------------------------------------------- plain tables


def test_twelve_exclusions_avoided_by_commissioner_as_in_the_published_unit_costs():
    expected = json.loads((EXAMPLE / "expected.json").read_text(encoding="utf-8"))["expected"]
    costs = pd.read_csv(EXAMPLE / "unit_costs.csv")
    before = costs.copy()
    found = savings_by_agency(costs, expected["exclusions_avoided"])
    assert by_agency(found) == pytest.approx(expected["savings_by_commissioner"], rel=1e-4)
    assert found.total == pytest.approx(expected["total"], rel=1e-4)
    for name in ("parent", "sum_children", "difference"):
        assert found.check[name] == pytest.approx(expected["check"][name], rel=1e-4)
    assert found.total == 110_623.56  # to the penny, and the parent is not in it
    assert "Local Authority (alternative provision) and Local Authority (social services)" in texts(found.flags)
    pd.testing.assert_frame_equal(costs, before)


@pytest.mark.parametrize(
    ("merge", "first"),
    [
        (True, {"Local Authority": 98_214.00}),
        (False, {"Local Authority (alternative provision)": 86_172.00, "Local Authority (social services)": 12_042.00}),
        ({"NHS": "Health", "Criminal Justice System": "Health"}, {"Health": 12_409.56}),
    ],
)
def test_agencies_are_joined_by_the_name_before_a_bracket_or_as_one_says(merge, first):
    found = savings_by_agency(pd.read_csv(EXAMPLE / "unit_costs.csv"), 12, merge=merge)
    assert {name: by_agency(found)[name] for name in first} == first
    assert found.total == 110_623.56


def test_a_bracket_that_nobody_shares_stays_and_capitals_do_not_make_two_agencies():
    costs = pd.DataFrame({"agency": ["Council (care)", "NHS", "nhs"], "amount": [1, 2, 3]})
    assert by_agency(savings_by_agency(costs, 10)) == {"Council (care)": 10, "NHS": 50}


def test_a_parent_alone_is_used_and_a_parent_is_never_added_to_its_children_in_any_order():
    costs = pd.read_csv(EXAMPLE / "unit_costs.csv")
    assert savings_by_agency(costs.head(1), 12).total == 12 * 9219
    assert savings_by_agency(costs.head(1), 12).check == {}
    assert savings_by_agency(costs.iloc[::-1], 12).total == 110_623.56
    named = costs.assign(code=["P", "a", "b", "c", "d"], parent=["", "P", "P", "P", "P"])
    assert savings_by_agency(named, 12).total == 110_623.56


def test_children_that_are_no_parts_of_their_parent_are_refused():
    costs = pd.DataFrame({"code": ["A1.0", "A1.0.1", "A1.0.2"], "agency": "Council", "amount": [105, 197, 107]})
    with pytest.raises(DataError, match=r"children of A1\.0 sum to 304\.00, A1\.0 is 105\.00"):
        savings_by_agency(costs, 1)
    near = costs.assign(amount=[300, 197, 107])
    assert "more than rounding explains" in texts(savings_by_agency(near, 1).flags, "caution")
    with pytest.raises(DataError, match="or not all of them"):
        savings_by_agency(pd.read_csv(EXAMPLE / "unit_costs.csv").head(3), 12)


def test_price_years_that_differ_are_refused_unless_deflators_are_given():
    costs = pd.DataFrame({"agency": ["A", "B"], "amount": [100, 100], "price_year": ["2005/06", 2010]})
    with pytest.raises(DataError, match="row 1: 2005; row 2: 2010"):
        savings_by_agency(costs, 1)
    with pytest.raises(DataError, match="wanted: 2023"):
        savings_by_agency(costs.assign(price_year=2010), 1, price_year=2023)
    index = pd.DataFrame({"year": [2005, 2010], "index": [80.0, 100.0], "source": "invented"})
    assert by_agency(savings_by_agency(costs, 2, deflators=index)) == {"A": 250, "B": 200}
    assert by_agency(savings_by_agency(costs, 2, deflators=index, price_year=2005)) == {"A": 200, "B": 160}
    with pytest.raises(DataError, match="no index for 2010"):
        savings_by_agency(costs, 2, deflators=index.head(1))


def test_fiscal_economic_and_social_value_are_never_summed_into_one_saving():
    costs = pd.DataFrame({"agency": "A", "amount": [100, 50, 25], "kind_of_value": ["fiscal", "economic", "social"]})
    found = savings_by_agency(costs, 1)
    assert found.total == 100
    assert "Rows 2 and 3 hold economic and social value" in texts(found.flags)


def test_what_can_be_cashed_is_said_or_said_to_be_unknown():
    costs = pd.DataFrame({"agency": ["A", "A", "B"], "amount": [100, 50, 25], "cashable": [0.5, 0.2, None]})
    found = savings_by_agency(costs, 10)
    assert found.by_agency["cashable"].tolist()[0] == 600
    assert np.isnan(found.by_agency["cashable"].tolist()[1])
    assert "How much of it can be cashed is not known" in texts(found.flags)
    assert "share that can be cashed is stated" in texts(savings_by_agency(costs.head(2), 10).flags)


def test_harm_is_a_cost_and_each_code_may_have_a_quantity_of_its_own():
    costs = pd.DataFrame({"code": ["a", "b"], "agency": ["A", "B"], "amount": [0.1, 10.0]})
    found = savings_by_agency(costs, {"a": 3, "b": -2})
    assert by_agency(found) == {"A": 0.3, "B": -20}
    assert found.total == -19.7
    assert "Costs rather than savings: B." in texts(found.flags)
    with pytest.raises(DataError, match="says nothing of b"):
        savings_by_agency(costs, {"a": 3})
    for wrong in ("many", float("nan"), float("inf")):
        with pytest.raises(DataError, match="no plain number"):
            savings_by_agency(costs, wrong)


def test_everything_wrong_with_a_table_of_unit_costs_is_said_at_once():
    costs = pd.DataFrame(
        {
            "code": ["a", "b", "a"],
            "agency": "A",
            "amount": ["£1,250", 10, 20],
            "currency": ["GBP", "EUR", ""],
            "cashable": [None, 1.5, None],
        }
    )
    with pytest.raises(DataError) as error:
        savings_by_agency(costs, 1)
    for text in ('row 1: amount "£1,250"', 'code "a" stands in rows 1 and 3', "row 2: cashable 1.5", "EUR and GBP"):
        assert text in str(error.value)
    with pytest.raises(DataError, match='lacks the column "agency"'):
        savings_by_agency(pd.DataFrame({"amount": [1]}), 1)
    with pytest.raises(DataError, match="no rows"):
        savings_by_agency(costs.iloc[:0], 1)
    with pytest.raises(DataError, match='Did you mean "NHS"'):
        savings_by_agency(pd.DataFrame({"agency": ["NHS"], "amount": [1]}), 1, merge={"NSH": "Health"})


# ---------------------------------------------------------------- a study's impact map

PARTIES = [
    {"role": "commissioner", "name": "The council", "agency": "Council", "share": 0.6},
    {"role": "commissioner", "name": "Justice board", "share": 0.4},
    {"role": "provider", "name": "A charity"},
]
LINES = [
    {"outcome": "care", "title": "Care avoided", "agency": "Council", "quantity": 10, "proxy": 1000,
     "kind_of_value": "fiscal", "cashable": 0.25, "proxy_low": 500, "proxy_high": 1500},
    {"outcome": "school", "title": "Exclusions", "agency": "schools", "quantity": 4, "proxy": 500,
     "kind_of_value": "fiscal", "cashable": None, "proxy_low": None, "proxy_high": None},
    {"outcome": "joy", "title": "Well-being", "agency": "", "quantity": 5, "proxy": 99,
     "kind_of_value": "social", "cashable": None, "proxy_low": None, "proxy_high": None},
]  # fmt: skip
USUAL = {"deadweight": 0, "displacement": 0, "attribution": 0, "drop_off": 0, "duration": 1, "price_year": 2023}
SPLIT = """line,version,agency,share,standing,source
Care avoided,minutes,Council,0.7,agreed,minutes
Care avoided,minutes,NHS,0.3,agreed,minutes
Care avoided,NHS letter,Council,0.4,disputed,a letter
Care avoided,NHS letter,NHS,0.6,disputed,a letter
"""


@pytest.fixture
def study(tmp_path):
    """A study with an impact map, and where given splits, unit costs and parties."""

    def make(*lines: dict[str, Any], splits: str = "", unit_costs: str = "", party: Any = PARTIES) -> Study:
        pd.DataFrame([{**USUAL, **line} for line in lines or LINES]).to_csv(tmp_path / "map.csv", index=False)
        value = {"impact_map": "map.csv", "cost": 5000, "discount_rate": 0.0, "draws": 4000}
        for name, text in (("splits", splits), ("unit_costs", unit_costs)):
            if text:
                (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
                value[name] = f"{name}.csv"
        about = {"id": "demo", "title": "Demo", "kind": "synthetic", "price_year": 2023, "seed": 11}
        return Study(study=about, value=value, party=party, folder=tmp_path)

    return make


def contract_of(made: Study, *payments: tuple[str, float], shares: bool = True) -> SimpleNamespace:
    """A contract under which payers paid."""
    frame = pd.DataFrame(payments, columns=["payer", "amount"]).assign(kind="actual")
    asked = [(one.name, one.share if shares else None) for one in made.party if one.role == "commissioner"]
    found = payers_of(frame, asked)
    totals = {"paid": found.paid}
    return SimpleNamespace(study=made, effects=None, ledger=None, totals=totals, looks={"parties": found})


def saved(source: Any) -> Any:
    """What the look at savings found."""
    return appraise_value(source).looks["savings"]


def column(found: Any, name: str) -> dict[str, float]:
    """Agency -> a column."""
    return dict(zip(found.by_agency["agency"], found.by_agency[name], strict=True))


def test_savings_are_the_fiscal_lines_by_agency_with_the_ranges_of_the_joint_draws(study):
    value = appraise_value(study())
    found = value.looks["savings"]
    assert column(found, "saving") == {"Council": 10_000, "schools": 2_000, "Justice board": 0}
    theirs = value.by_agency.set_index("agency").loc["Council"]
    mine = found.by_agency.set_index("agency").loc["Council"]
    assert (mine["low"], mine["high"]) == (theirs["low"], theirs["high"])  # the same draws, not others like them
    assert found.totals["fiscal"] == 12_000
    assert found.by_kind["kind"].tolist() == ["fiscal", "social"]
    assert found.by_kind["present_value"].tolist() == [12_000, 495]


def test_the_range_of_a_shared_line_is_the_range_of_the_line_shared_out(study):
    found = saved(study(LINES[0], splits=SPLIT))
    whole = saved(study(LINES[0])).by_agency.set_index("agency").loc["Council"]
    rows = found.by_agency.set_index("agency")
    for agency, share in (("Council", 0.7), ("NHS", 0.3)):
        for name in ("saving", "low", "high"):
            assert rows.loc[agency, name] == pytest.approx(share * whole[name], rel=1e-12)


def test_disputes_over_several_lines_are_open_at_once_and_the_range_over_versions_holds_all_of_them_together():
    home = Split(
        "minutes", {"minutes": {"Council": 0.7, "NHS": 0.3}, "letter": {"Council": 0.4, "NHS": 0.6}}, ("letter",)
    )
    school = Split("memo", {"memo": {"Council": 1.0}, "email": {"Council": 0.5, "NHS": 0.5}}, ("email",))
    fiscal = Fiscal(np.array([10_000.0, 2_000.0]), None, np.array([1.0, 1.0]), {0: home, 1: school})
    table = pays_and_saves(fiscal, pd.DataFrame(), Paid({}, (), False, "")).by_agency.set_index("agency")
    assert table.loc["NHS", ["saving", "split_low", "split_high"]].tolist() == pytest.approx([3_000, 3_000, 7_000])
    assert table.loc["Council", ["saving", "split_low", "split_high"]].tolist() == pytest.approx([9_000, 5_000, 9_000])
    alike = Fiscal(np.array([10_000.0, -2_000.0]), None, np.array([1.0, 1.0]), {0: home, 1: home})
    table = pays_and_saves(alike, pd.DataFrame(), Paid({}, (), False, "")).by_agency.set_index("agency")
    assert table.loc["NHS", ["split_low", "split_high"]].tolist() == pytest.approx(
        [2_400, 4_800]
    )  # one letter for both


def test_the_agreed_version_is_used_and_disputed_ones_give_the_range_over_versions(study):
    found = saved(study(LINES[0], LINES[1], splits=SPLIT))
    assert column(found, "saving") == pytest.approx(
        {"Council": 7_000, "NHS": 3_000, "schools": 2_000, "Justice board": 0}
    )
    assert column(found, "split_low")["NHS"] == pytest.approx(3_000)
    assert column(found, "split_high")["NHS"] == pytest.approx(6_000)
    assert column(found, "split_low")["Council"] == pytest.approx(4_000)
    assert column(found, "disputed") == {"Council": True, "NHS": True, "schools": False, "Justice board": False}
    told = found.by_version.set_index(["version", "agency"])
    assert told.loc[("minutes", "NHS"), "standing"] == "agreed"
    assert told.loc[("NHS letter", "NHS"), "standing"] == "disputed"
    assert told.loc[("NHS letter", "NHS"), "saving"] == pytest.approx(6_000)
    assert found.totals["fiscal"] == 12_000


def test_where_no_version_is_agreed_the_first_is_used_and_a_serious_flag_says_so(study):
    value = appraise_value(study(LINES[0], splits=SPLIT.replace("agreed", "disputed")))
    assert column(value.looks["savings"], "saving")["NHS"] == pytest.approx(3_000)
    assert 'No version of the split of Care avoided is agreed: "minutes"' in texts(value.flags, "serious")
    standing = value.looks["savings"].by_version.set_index(["version", "agency"])["standing"]
    assert standing[("minutes", "NHS")] == "in use, not agreed"


def test_a_line_that_the_map_calls_disputed_wants_a_split(study):
    lines = [{**LINES[0], "agreed": "disputed"}, {**LINES[1], "agreed": "yes"}]
    assert "no split says who else claims it: Care avoided." in texts(appraise_value(study(*lines)).flags)
    assert "no split says" not in texts(appraise_value(study(*lines, splits=SPLIT)).flags)


def test_everything_wrong_with_splits_is_said_at_once_with_rows(study):
    bad = """line,version,agency,share,standing,source
Care avoided,a,Council,0.7,agreed,x
Care avoided,a,NHS,0.2,agreed,x
Care avoided,b,NHS,0.5,agreed,x
Care avoided,b,NHS,0.5,disputed,x
Exclusons,,schools,1,agreed,x
Exclusions,,,1,maybe,x
"""
    with pytest.raises(DataError) as error:
        appraise_value(study(splits=bad))
    for text in (
        'line "Care avoided", version "a" (rows 2 and 3): the shares sum to 0.900, not to 1',
        'version "b" (rows 4 and 5): NHS stands in it more than once',
        'version "b" (rows 4 and 5): is it agreed or disputed?',
        "has 2 agreed versions",
        'line "Exclusons" (row 6) is no line of the impact map',
        'Did you mean "Exclusions"?',
        'column "agency" is empty in row 7',
        'standing "maybe" (row 7) is not known',
    ):
        assert text in str(error.value)


def test_an_outcome_names_all_of_its_lines_and_a_title_its_own(study):
    twice = [{**LINES[0], "title": "First year"}, {**LINES[0], "title": "Second year"}]
    shared = SPLIT.splitlines()[0] + "\ncare,,NHS,1,,x\n"
    assert column(saved(study(*twice, splits=shared)), "saving")["NHS"] == 20_000
    one = SPLIT.splitlines()[0] + "\nSecond year,,NHS,1,,x\n"
    assert column(saved(study(*twice, splits=one)), "saving") == {"Council": 10_000, "NHS": 10_000, "Justice board": 0}


# ---------------------------------------------------------------- who pays


def test_who_saves_and_does_not_pay_and_who_pays_and_saves_nothing_is_named(study):
    made = study()
    value = appraise_value(contract_of(made, ("The council", 9_000)))
    found = value.looks["savings"]
    assert column(found, "pays") == {"Council": 5_400, "schools": 0, "Justice board": 3_600}  # the agreed shares
    assert column(found, "net") == {"Council": 4_600, "schools": 2_000, "Justice board": -3_600}
    assert column(found, "role") == {
        "Council": "pays and saves",
        "schools": "saves and does not pay",
        "Justice board": "pays and saves nothing",
    }
    council = found.by_agency.set_index("agency").loc["Council"]
    assert (council["net_low"], council["net_high"]) == (council["low"] - 5_400, council["high"] - 5_400)
    said = texts(value.flags)
    assert "Saves and does not pay: schools." in said
    assert "Pays and saves nothing that is counted: Justice board." in said
    assert "avoided, not money in hand" in said


def test_without_agreed_shares_payments_stand_under_the_payer_on_record(study):
    made = study(party=[{**PARTIES[0], "share": None}, {**PARTIES[1], "share": None}])
    value = appraise_value(contract_of(made, ("the council (lead)", 5_000), ("A fund", 700.10), ("", 50), shares=False))
    assert column(value.looks["savings"], "pays") == {
        "Council": 5_000, "schools": 0, "A fund": 700.10, "payer not stated": 50, "Justice board": 0,
    }  # fmt: skip
    said = texts(value.flags)
    assert "A fund paid, and is no party of the study." in said
    assert "Some payments name no payer" in said
    assert column(value.looks["savings"], "role")["Justice board"] == "commissioner, saves nothing, has paid nothing"


def test_the_only_commissioner_pays_everything_and_without_a_contract_nobody_knows(study):
    alone = study(party=[PARTIES[0] | {"share": None}])
    plain_contract = SimpleNamespace(study=alone, effects=None, ledger=None, totals={"paid": 8_000.0}, looks={})
    assert column(saved(plain_contract), "pays") == {"Council": 8_000, "schools": 0}
    unknown = saved(alone)
    assert np.isnan(unknown.by_agency["pays"]).all()
    assert column(unknown, "role") == {"Council": "commissioner, saves", "schools": "saves"}
    several = study()
    said = appraise_value(SimpleNamespace(study=several, effects=None, ledger=None, totals={"paid": 8.0}, looks={}))
    assert not said.looks["savings"].paid.known
    assert "Nothing says which commissioner paid what" in texts(said.flags)


# ---------------------------------------------------------------- what may not be added, or must be said


def test_what_can_be_cashed_what_cannot_and_what_nobody_knows_stand_apart(study):
    found = saved(study())
    assert column(found, "cashable")["Council"] == 2_500
    assert column(found, "not_cashable")["Council"] == 7_500
    assert column(found, "cashable_unknown")["schools"] == 2_000
    totals = {name: found.totals[name] for name in ("cashable", "not_cashable", "cashable_unknown")}
    assert totals == {"cashable": 2_500, "not_cashable": 7_500, "cashable_unknown": 2_000}
    assert found.totals["cashable_low"] == pytest.approx(0.25 * found.by_agency["low"].iloc[0])


def test_harm_is_printed_as_a_cost(study):
    value = appraise_value(study({**LINES[0], "quantity": -10}, LINES[1]))
    found = value.looks["savings"]
    assert column(found, "saving")["Council"] == -10_000
    assert found.totals["fiscal"] == -8_000
    assert "bears costs" in column(found, "role")["Council"]


def test_value_whose_kind_is_not_stated_is_nobodys_saving(study):
    value = appraise_value(study({**LINES[0], "kind_of_value": ""}, LINES[2]))
    assert "savings" not in value.looks
    assert "Whether it is fiscal is not stated, so it counts as no agency's saving: Care avoided." in texts(value.flags)


def test_a_parent_of_several_agencies_is_shared_out_over_its_parts_and_never_added_to_them(study):
    costs = """code,title,agency,amount,price_year,kind_of_value,source
A.0,A stay,several,100,2023,fiscal and economic,x
A.0.1,Beds,hospital,60,2023,fiscal,x
A.0.2,Visits,council,40.4,2023,fiscal,x
"""
    line = {"outcome": "stay", "title": "Stays", "quantity": 10, "proxy": "A.0"}
    value = appraise_value(study(line, unit_costs=costs, party=[]))
    assert column(value.looks["savings"], "saving") == pytest.approx(
        {"hospital": 1000 * 60 / 100.4, "council": 1000 * 40.4 / 100.4}
    )
    assert value.looks["savings"].totals["fiscal"] == 1_000
    assert "Stays (A.0 over A.0.1 and A.0.2)" in texts(value.flags)
    both = [line, {**line, "title": "Beds", "proxy": "A.0.1"}]
    with pytest.raises(DataError, match="the same money twice"):
        appraise_value(study(*both, unit_costs=costs))


def test_a_sum_for_a_lifetime_is_not_counted_for_several_years_nor_beside_yearly_savings_unsaid(study):
    costs = """code,agency,amount,per,price_year,kind_of_value,source,notes
LIFE,Benefits office,64000,lifetime,2023,fiscal,x,A sum for a lifetime: duration is 1.
YEAR,Benefits office,4000,year,2023,fiscal,x,
"""
    life = {"outcome": "work", "title": "Never out of work", "quantity": 1, "proxy": "LIFE", "duration": 2}
    year = {"outcome": "benefit", "title": "Less benefit", "quantity": 1, "proxy": "YEAR"}
    said = appraise_value(study(life, year, unit_costs=costs)).flags
    assert "counted in more than one year: Never out of work" in texts(said, "serious")
    assert "stands beside other savings of the same agency: Less benefit" in texts(said, "serious")
    assert "LIFE (LIFE): A sum for a lifetime: duration is 1." in texts(said, "note")
    alone = appraise_value(study({**life, "duration": 1}, unit_costs=costs)).flags
    assert "lifetime" not in texts(alone, "serious")


def test_agencies_that_are_one_are_joined_and_nearly_the_same_ones_are_a_question(study):
    names = ["Council (care)", "council (schools)", "Police", "Polcie"]
    lines = [{**LINES[1], "title": name, "outcome": name, "agency": name} for name in names]
    value = appraise_value(study(*lines, party=[]))
    assert list(column(value.looks["savings"], "saving").values()) == [4_000, 2_000, 2_000]
    assert "Agencies joined" in texts(value.flags)
    assert '"Police" and "Polcie" are counted as two agencies' in texts(value.flags)


# ---------------------------------------------------------------- the page


def page(value: Any, contract: Any = None) -> str:
    """The words of the section."""
    found = next(part for part in sections() if part.id == "savings")
    walked = SimpleNamespace(study=value.study, value=value, contract=contract, absent={})
    return plain("".join(block.html(1) for block in found.blocks(walked)))


def test_the_page_says_who_saves_without_paying_in_money_with_its_range_and_never_one_sum_of_kinds(study):
    told = page(appraise_value(contract_of(study(splits=SPLIT), ("The council", 9_000))))
    assert "NHS and schools save and do not pay" in told
    assert "Justice board pays and saves nothing that is counted." in told
    assert "12,000" in told
    assert "12,495" not in told
    assert "social value of £495" in told
    assert "The split is disputed for Council and NHS" in told
    assert "3,000 to 6,000" in told
    assert "not money in hand" in told


def test_the_page_prints_harm_as_plainly_as_savings_and_an_open_question_as_one(study):
    told = page(appraise_value(study({**LINES[0], "quantity": -10})))
    assert "The outcomes are reckoned to have cost public agencies £10,000 more, not less" in told
    assert "\u221210,000" in told
    open_ = [{**LINES[0], "quantity": 1, "quantity_low": -10, "quantity_high": 12}]
    asked = page(appraise_value(contract_of(study(*open_, party=PARTIES[1:]), ("Justice board", 100))))
    assert "Council does not pay; whether it saves is not established." in asked
    assert "that anything was saved is not established" in asked


def test_what_was_paid_for_few_people_is_not_printed_nor_is_the_total_from_which_it_follows(study):
    for paid, shown in ((3_000, False), (30_000, True)):
        made = study(party=PARTIES[:1])
        made = made.model_copy(update={"contract": SimpleNamespace(published=False)})
        price = {"metric": ["m"], "mechanism": ["unit"], "price": [1_000.0], "achieved": [paid / 1_000]}
        contract = contract_of(made, ("The council", paid), shares=False)
        contract.table = pd.DataFrame({**price, "owed": [paid], "paid": [paid]})
        told = page(appraise_value(contract), contract)
        assert (f"{paid:,}" in told) is shown
        assert ("[c]" in told) is not shown
        assert "12,000" in told  # what is saved stays


def test_every_result_of_the_section_is_printed_as_its_text(study):
    value = appraise_value(contract_of(study(splits=SPLIT), ("The council", 9_000)))
    part = next(part for part in sections() if part.id == "savings")
    results = list(part.results(SimpleNamespace(study=value.study, value=value, contract=None, absent={})))
    found = {one.id: one for one in results}
    assert set(found) == {
        "savings.council.value", "savings.nhs.value", "savings.schools.value", "savings.total_fiscal",
        "savings.cashable",
    }  # fmt: skip
    assert found["savings.nhs.value"].value == pytest.approx(3_000)
    assert found["savings.nhs.value"].low < 3_000 < found["savings.nhs.value"].high
    assert (found["savings.schools.value"].low, found["savings.total_fiscal"].unit) == (2_000, "GBP")
    told = page(value)
    assert [one.id for one in results if one.text not in told] == []


def test_a_study_without_fiscal_value_has_no_such_section(study):
    assert page(appraise_value(study(LINES[2]))) == ""
