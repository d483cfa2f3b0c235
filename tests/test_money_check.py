"""What check and a run say of a contract's and a value's tables: all at once, with file, rows and remedy."""

import json

import pytest

from evalkit.cli.check import findings
from evalkit.errors import DataError, StudyError
from evalkit.evaluation import evaluate
from evalkit.report.results import results
from evalkit.report.summary import summary

RATES = "outcome,title,source,treated,comparison,per,values,better,n_treated,n_comparison,published\n"
TABLES = {
    "rates.csv": RATES
    + "stayed,In a home,invented,68,50,100,yes or no,higher,150,300,true\n"
    + "work,In work,invented,41,36,100,yes or no,higher,150,300,true\n",
    "rate_card.csv": "metric,title,outcome,mechanism,price\n"
    "stayed,In a home,stayed,unit,4000\njobs,In work,work,unit,9\n",
    "achieved.csv": "metric,units,date\nstayed,102,2023-12-31\njobs,62,2023-12-31\n",
    "payments.csv": "metric,kind,end,amount,payer\nstayed,actual,2023-12-31,408000,council\n"
    "jobs,actual,2023-12-31,558,council\n",
    "costs.csv": "phase,what,kind,actual\noperational and management,Governance,management,9600\n",
    "budgets.csv": "funder,year,amount\ncouncil,2023,528000\n",
    "impact_map.csv": "outcome,title,stakeholder,agency,kind_of_value,quantity,proxy,price_year,source\n"
    "stayed,Housing not needed,council,council,fiscal,,H1,,invented\nwork,In work,people,DWP,fiscal,,J1,,invented\n",
    "unit_costs.csv": "code,title,agency,amount,price_year,low,high,source\n"
    "H1,A year of housing,council,14000,2023,11000,17000,invented\nJ1,A year of benefits,DWP,9800,2023,,,invented\n",
    "splits.csv": "line,version,agency,share,source\nHousing not needed,one,council,0.8,invented\n"
    "Housing not needed,one,DWP,0.2,invented\n",
}
CONTRACT = '[contract]\npublished = true\nsource = "invented"\nstarts = 2023-01-01\n' + "".join(
    f'{name} = "{name}.csv"\n' for name in ("rate_card", "achieved", "payments", "costs", "budgets")
)
VALUE = '[value]\nimpact_map = "impact_map.csv"\nunit_costs = "unit_costs.csv"\nsplits = "splits.csv"\ncost = 600000\n'
EFFECTS = '[counterfactual]\nestimator = "published"\nrates = "rates.csv"\n'
ABOUT = '[study]\nid = "homes"\ntitle = "Homes"\nkind = "published figures"\ncurrency = "GBP"\nprice_year = 2023\n'


@pytest.fixture
def homes(tmp_path):
    """Write the study with some cells replaced: {file: [(right, wrong), ...]}; parts of study.toml may be left out."""

    def write(changes=None, parts=(EFFECTS, CONTRACT, VALUE)):
        for file, text in {**TABLES, "study.toml": ABOUT + "".join(parts)}.items():
            for right, wrong in (changes or {}).get(file, []):
                assert right in text
                text = text.replace(right, wrong)
            folder = tmp_path / "studies" / "homes"  # ids are looked for among the neighbours
            folder.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(text, encoding="utf-8")
        return folder

    return write


def test_the_study_itself_is_sound(homes):
    assert findings(homes())[0].endswith("is sound: 2 outcomes, 2 metrics and 2 lines of value.")


def test_every_table_of_the_contract_is_told_at_once_also_those_that_only_a_look_reads(homes):
    wrong = {
        "payments.csv": [("408000", '"£408,000"')],
        "costs.csv": [("9600", "tbc")],
        "budgets.csv": [("528000", "half a million")],
    }
    with pytest.raises(DataError) as caught:
        findings(homes(wrong))
    told = str(caught.value).splitlines()
    assert told[0] == "The contract of homes has 3 problems:"
    for line, file, column in zip(told[1:], wrong, ("amount", "actual", "amount"), strict=True):
        assert f'{file}: column "{column}": 1 cell is not an amount, in row 2' in line
        assert "The contract of" not in line


def test_every_table_of_the_value_is_told_at_once(homes):
    wrong = {"unit_costs.csv": [("14000", '"14,000"')], "splits.csv": [("0.8", "80"), ("0.2", "20")]}
    with pytest.raises(DataError, match=r"(?s)The value of homes has 2 problems:.*unit_costs\.csv.*splits\.csv"):
        findings(homes(wrong))


def test_check_sees_shares_of_a_split_that_do_not_sum_to_one(homes):
    with pytest.raises(DataError, match=r"rows 2 and 3\): the shares sum to 1\.200, not to 1"):
        findings(homes({"splits.csv": [("0.2", "0.4")]}))


def test_check_sees_outcomes_that_nobody_estimates_in_rate_card_and_map_together(homes):
    wrong = {"rate_card.csv": [(",work,", ",works,")], "impact_map.csv": [("\nwork,", "\nworked,")]}
    with pytest.raises(StudyError) as caught:
        findings(homes(wrong))
    told = str(caught.value)
    assert "has 2 problems:" in told
    assert 'rate_card.csv: jobs: outcome "works" is not estimated. Did you mean "work"?' in told
    assert 'impact_map.csv: line 3 ("In work"): outcome "worked" is not estimated. Did you mean "work"?' in told


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("work,unit", "work,units", 'jobs: mechanism "units" is not known. Did you mean "unit"? See row 3.'),
        ("work,unit,9", "work,unit,-9", "jobs: the price is missing or negative. See row 3."),
        ("\njobs,", "\nstayed,", "stayed stands on 2 rows."),
    ],
)
def test_what_is_wrong_with_a_rate_card_names_its_file_and_rows(homes, right, wrong, told):
    with pytest.raises(DataError) as caught:
        findings(homes({"rate_card.csv": [(right, wrong)]}))
    assert str(caught.value).splitlines()[0].endswith("rate_card.csv has 1 problem:")
    assert told in str(caught.value)


def test_check_tells_of_claims_before_the_contract_starts(homes):
    told = findings(homes({"achieved.csv": [("62,2023", "62,2022")]}))
    assert any("claims are dated before the contract starts (2023-01-01), in row 3" in line for line in told)


def test_a_value_without_contract_or_effects_is_appraised(homes):
    quantities = {"impact_map.csv": [("fiscal,,H1", "fiscal,20,H1"), ("fiscal,,J1", "fiscal,5,J1")]}
    found = evaluate(homes(quantities, parts=(VALUE,)))
    assert found.value.present_value == pytest.approx((20 * 14_000 + 5 * 9_800) / 1.035)
    assert found.contract is None


def test_a_ratio_is_printed_with_its_range_wherever_results_are_listed(homes):
    found = {one.id: one for one in results(evaluate(homes()))}["value.ratio"]
    assert found.low < found.value < found.high
    assert found.text.count("£") == 3
    assert " to " in found.text
    assert "central" in found.text


def test_without_a_range_no_ratio_goes_to_the_portfolio_and_its_text_says_so(homes):
    typed = {
        "impact_map.csv": [("fiscal,,H1", "fiscal,20,H1"), ("fiscal,,J1", "fiscal,5,J1")],
        "unit_costs.csv": [("11000,17000", ",")],
    }
    evaluation = evaluate(homes(typed))
    assert {one.id: one for one in results(evaluation)}["value.ratio"].text.endswith(", no range given")
    assert json.loads(json.dumps(summary(evaluation)))["ratio"] is None


def test_agencies_that_nothing_else_names_are_asked_about(homes):
    wrong = {"splits.csv": [("DWP", "helth")], "impact_map.csv": [("DWP", "DPW")]}
    asked = [flag.text for flag in evaluate(homes(wrong)).value.flags if flag.about == "agency"]
    assert "Named in splits.csv alone, and by no party, line of the map or unit cost: helth." in asked
    assert any('line 3 ("In work"): "DPW", and J1 is of "DWP"' in text for text in asked)
    right = [flag.text for flag in evaluate(homes()).value.flags]
    assert not any("Named in" in text or "another agency" in text for text in right)
