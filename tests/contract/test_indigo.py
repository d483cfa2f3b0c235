"""Reading the impact bond data set, and holding what was owed to what was paid."""

import csv
import json

import pandas as pd
import pytest

import evalkit as ek
from evalkit.contract.indigo import read_indigo
from evalkit.contract.indigo.labels import LABELS
from evalkit.errors import DataError

# ---------------------------------------------------------------- reading


def test_missing_tables_are_empty_and_said(indigo):
    data = indigo()
    assert set(data.tables) == set(LABELS)
    assert len(data.tables["results"]) == 0
    assert {"project", "metric", "achieved", "achieved_text"} <= set(data.tables["results"].columns)
    assert any("not in the folder" in flag.text and "results" in flag.text for flag in data.flags)
    reconciled = data.project("P1").reconcile()
    assert (reconciled.owed, reconciled.paid, reconciled.difference) == (None, None, None)
    assert len(data.project("P1").schedule().table) == 0


def test_headers_in_other_capitals_without_their_ending_and_in_another_order_are_known(tmp_path):
    (tmp_path / "original_projects.csv").write_text("IMPACT bond name,id\nOne,P1\n", encoding="utf-8")
    (tmp_path / "projects_results.csv").write_text(
        "outcomes ACHIEVED,Outcome metric ID - (value),Project id,Our own column\n12,m1,P1,x\n", encoding="utf-8"
    )
    data = read_indigo(tmp_path)
    assert data.project("P1").name == "One"
    row = data.tables["results"].iloc[0]
    assert (row["project"], row["metric"], row["achieved"], row["our_own_column"]) == ("P1", "m1", 12, "x")
    assert any("Our own column" in flag.text for flag in data.flags)


def test_line_numbers_are_those_of_the_file_where_cells_hold_line_breaks(tmp_path):
    (tmp_path / "original_projects.csv").write_text('ID,Notes\nP1,"one\ntwo"\nP2,\n', encoding="utf-8")
    assert read_indigo(tmp_path).projects["line"].tolist() == [3, 4]


def test_a_country_called_na_is_namibia_and_not_missing(indigo):
    data = indigo(projects="project | name | jurisdiction\nP1 | One | NA")
    assert data.projects.loc[0, ["country", "country_from"]].tolist() == ["NA", "jurisdiction"]


def test_the_contacts_of_organisations_are_not_read(indigo):
    data = indigo(
        organisations="organisation | name | Contact Name | Contact Email | Volunteer Phone\nO1 | Org | A B | a@b.c | 1"
    )
    columns = set(data.tables["organisations"].columns)
    assert not [name for name in columns if "contact" in name or "phone" in name]
    assert not data.tables["organisations"].isin(["A B", "a@b.c"]).to_numpy().any()
    assert any("3 columns about persons" in flag.text for flag in data.flags)


def test_a_spreadsheet_with_a_sheet_per_table_is_read_like_the_folder(tmp_path):
    book = tmp_path / "indigo.xlsx"
    with pd.ExcelWriter(book) as writer:
        pd.DataFrame({"ID": ["P1"], "Impact Bond Name - (Value)": ["One"]}).to_excel(
            writer, sheet_name="projects", index=False
        )
        pd.DataFrame(
            {
                "Project ID": ["P1", "P1"],
                "Outcome Metric Id": ["m1", "m2"],
                "Outcomes achieved": [12, "twelve"],
                "Period - End": [2020, "2020-06"],
            }
        ).to_excel(writer, sheet_name="projects_results", index=False)
    for place in (book, tmp_path):
        table = read_indigo(place).tables["results"]
        assert table["achieved"].tolist()[0] == 12
        assert pd.isna(table["achieved"].tolist()[1])
        assert table["achieved_text"].tolist() == ["12", "twelve"]
        assert table["end"].tolist() == ["2020", "2020-06"]


def test_a_wrong_folder_says_what_is_there_and_what_is_wanted(tmp_path):
    (tmp_path / "a.csv").write_text("x\n1\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"holds a\.csv.*original_projects\.csv"):
        read_indigo(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        read_indigo(tmp_path / "nowhere")


def test_the_folder_above_points_to_the_right_one(tmp_path):
    (tmp_path / "indigo").mkdir()
    (tmp_path / "indigo" / "original_projects.csv").write_text("ID\nP1\n", encoding="utf-8")
    with pytest.raises(DataError, match='in the folder "indigo"'):
        read_indigo(tmp_path)


def test_all_tables_that_cannot_be_read_are_named_at_once(tmp_path):
    (tmp_path / "original_projects.csv").write_text("ID,Notes\nP1,a,b,c\n", encoding="utf-8")
    (tmp_path / "original_projects_results.csv").write_bytes(b"Project ID\n\xff\xfe\n")
    with pytest.raises(DataError) as error:
        read_indigo(tmp_path)
    assert "2 problems" in str(error.value)
    assert "original_projects.csv" in str(error.value)
    assert "original_projects_results.csv" in str(error.value)


def test_an_unknown_project_gets_a_suggestion_by_id_or_name(indigo):
    data = indigo(projects="project | name\nINDIGO-POJ-0001 | Step Down\nINDIGO-POJ-0002 | Ways Out")
    with pytest.raises(DataError, match='Did you mean "INDIGO-POJ-0001"'):
        data.project("INDIGO-POJ-001")
    with pytest.raises(DataError, match="INDIGO-POJ-0002"):
        data.project("ways out")
    assert data.project(" indigo-poj-0001 ").id == "INDIGO-POJ-0001"


def test_a_project_holds_its_own_rows_of_every_table(indigo):
    data = indigo(
        projects="project | name\nP1 | One\nP2 | Two",
        results="project | metric | achieved\nP1 | m1 | 1\nP2 | m1 | 2\nP1 | m2 | 3",
    )
    assert data.project("P1").tables["results"]["achieved"].tolist() == [1, 3]
    assert set(data.project("P2").tables) == set(LABELS)
    assert len(data.project("P2").tables["investments"]) == 0


# ---------------------------------------------------------------- owed and paid

CARD = "project | metric | currency | price\nP1 | m1 | GBP | 100\nP1 | m2 | GBP | 33.33"
METRICS = "project | metric | definition\nP1 | m1 | Housed\nP1 | m2 | In work"
PAID = "project | metric | kind | currency | amount | start | end\n"


def reconciled(indigo, results, payments="", card=CARD, metrics=METRICS):
    tables = {"outcome_metrics": metrics, "outcome_pricings": card, "results": results}
    if payments:
        tables["outcome_payments"] = PAID + payments
    return indigo(**tables).project("P1").reconcile()


def achieved(indigo, rows):
    """What one metric's results amount to, and why."""
    found = reconciled(indigo, "project | metric | level | type | start | end | achieved | engaged\n" + rows)
    line = found.table.set_index("metric").loc["m1"]
    return (None if pd.isna(line["achieved"]) else line["achieved"]), line["note"]


def test_owed_is_price_times_achieved_and_the_difference_is_paid_less_owed(indigo):
    found = reconciled(
        indigo,
        "project | metric | achieved\nP1 | m1 | 10\nP1 | m2 | 3",
        "P1 | m1 | Actual | GBP | 700 | 2020-01 | 2020-03\nP1 | m1 | Actual | GBP | 600 | 2020-04 | 2020-06\n"
        "P1 | m2 | Actual | GBP | 99.99 | 2020-01 | 2020-03\nP1 | m1 | Planned | GBP | 5000 | 2020-01 | 2020-03",
    )
    assert (found.owed, found.paid, found.difference) == (1099.99, 1399.99, 300.0)
    assert found.currency == "GBP"
    assert found.paid_from == "actual payments"
    line = found.mismatched.iloc[0]
    assert (line["metric"], line["owed"], line["paid"], line["implied_units"]) == ("m1", 1000, 1300, 13)
    assert any("1 of 2 metrics" in flag.text and "were 13 units paid" in flag.detail for flag in found.flags)


def test_amounts_are_exact_to_the_penny(indigo):
    found = reconciled(
        indigo,
        "project | metric | achieved\nP1 | m1 | 3\nP1 | m2 | 1",
        "\n".join(["P1 | m1 | Actual | GBP | 0.1 | 2020-01 | 2020-03"] * 10),
        card="project | metric | currency | price\nP1 | m1 | GBP | 0.1\nP1 | m2 | GBP | 1.005",
    )
    assert (found.owed, found.paid, found.difference) == (1.31, 1.0, -0.31)


def test_payments_without_a_metric_are_held_to_the_total_only(indigo):
    found = reconciled(
        indigo, "project | metric | achieved\nP1 | m1 | 10", "P1 | | Actual | GBP | 900 | 2020-01 | 2020-03"
    )
    assert (found.owed, found.paid, found.difference, found.paid_without_metric) == (1000, 900, -100, 900)
    assert found.table["paid"].isna().all()
    assert len(found.mismatched) == 0
    assert any("£900 was paid and £1,000 follows" in flag.text for flag in found.flags)


def test_where_only_payments_of_no_stated_type_exist_they_count_and_that_is_said(indigo):
    found = reconciled(indigo, "project | metric | achieved\nP1 | m1 | 10", "P1 | | | GBP | 900 | 2020-01 | 2020-03")
    assert (found.paid, found.paid_from) == (900, "payments whose type is not stated")
    assert any("without saying whether it was planned or paid" in flag.text for flag in found.flags)


def test_beside_actual_payments_those_of_no_stated_type_count_as_neither(indigo):
    found = reconciled(
        indigo,
        "project | metric | achieved\nP1 | m1 | 10",
        "P1 | | | GBP | 900 | 2020-01 | 2020-03\nP1 | | Actual | GBP | 50 | 2020-01 | 2020-03",
    )
    assert found.paid == 50
    assert any("£900 more is recorded" in flag.text for flag in found.flags)


def test_without_single_payments_the_projects_own_total_counts_and_that_is_said(indigo):
    found = indigo(projects="project | name | paid | paid_currency\nP1 | One | 400 | GBP").project("P1").reconcile()
    assert (found.paid, found.paid_from, found.owed) == (400, "the project's own total", None)
    assert any("the project's own total" in flag.text for flag in found.flags)


def test_money_of_metrics_that_nobody_defined_is_not_lost(indigo):
    found = reconciled(
        indigo,
        "project | metric | achieved\nP1 | m1 | 1\nP1 | m9 | 2",
        "P1 | m8 | Actual | GBP | 70 | 2020-01 | 2020-03",
        card=CARD + "\nP1 | m9 | GBP | 10",
    )
    assert (found.owed, found.paid) == (120, 70)
    assert found.orphan_metric_ids == ("m9", "m8")
    assert found.table["metric"].tolist() == ["m1", "m2", "m9", "m8"]


def test_a_repeated_id_shows_all_its_definitions(indigo):
    found = reconciled(indigo, "project | metric | achieved\nP1 | m1 | 1", metrics=METRICS + "\nP1 | m1 | Fed")
    assert found.duplicate_metric_ids == ("m1",)
    assert found.table.loc[0, "definition"] == "Housed | or: Fed"
    assert found.table.loc[0, "ids"] == 2


def test_amounts_in_two_currencies_are_not_added_or_compared(indigo):
    found = reconciled(
        indigo,
        "project | metric | achieved\nP1 | m1 | 10\nP1 | m2 | 3",
        "P1 | m1 | Actual | USD | 900 | 2020-01 | 2020-03\nP1 | m1 | Actual | GBP | 100 | 2020-01 | 2020-03",
    )
    assert (found.owed, found.paid, found.difference, found.currency) == (1099.99, None, None, "several")
    table = found.by_currency.set_index("currency")
    assert table["paid"].to_dict() == {"GBP": 100, "USD": 900}
    assert any(flag.level == "serious" and "several currencies" in flag.text for flag in found.flags)


def test_a_price_in_one_currency_is_not_held_to_a_payment_in_another(indigo):
    found = reconciled(
        indigo, "project | metric | achieved\nP1 | m1 | 10", "P1 | m1 | Actual | USD | 900 | 2020-01 | 2020-03"
    )
    assert (found.owed, found.paid, found.difference, found.paid_share) == (1000, 900, None, None)
    line = found.table.set_index("metric").loc["m1"]
    assert pd.isna(line["difference"])
    assert pd.isna(line["implied_units"])


def test_a_price_that_is_a_description_makes_nothing_owed(indigo):
    card = "project | metric | currency | price\nP1 | m1 | GBP | 100 per day\nP1 | m2 | GBP | £50"
    found = reconciled(indigo, "project | metric | achieved\nP1 | m1 | 10\nP1 | m2 | 3", card=card)
    assert found.owed is None
    assert found.table["note"].tolist() == ["the price is not a plain number"] * 2
    assert any("No amount owed can be worked out for 2 of 2 priced metrics" in flag.text for flag in found.flags)


def test_several_prices_of_one_metric_are_not_chosen_from(indigo):
    found = reconciled(
        indigo, "project | metric | achieved\nP1 | m1 | 10\nP1 | m2 | 1", card=CARD + "\nP1 | m1 | GBP | 120"
    )
    assert found.owed == 33.33
    assert "several prices" in found.table.loc[0, "note"]


@pytest.mark.parametrize(
    ("definition", "target"), [("% of users resupplied", ""), ("Repeat users (%)", ""), ("Wages", "0.45")]
)
def test_a_share_is_not_a_number_of_units(indigo, definition, target):
    metrics = f"project | metric | definition | target\nP1 | m1 | {definition} | {target}"
    found = reconciled(indigo, "project | metric | achieved\nP1 | m1 | 0.45", metrics=metrics)
    assert found.owed is None
    assert "measured as a share" in found.table.loc[0, "note"]


def test_a_metric_that_only_mentions_a_percentage_is_counted(indigo):
    metrics = "project | metric | definition | target\nP1 | m1 | Completes 25% of course | 40"
    assert reconciled(indigo, "project | metric | achieved\nP1 | m1 | 4", metrics=metrics).owed == 400


def test_more_units_paid_than_people_engaged_is_a_question(indigo):
    found = reconciled(
        indigo,
        "project | metric | achieved | engaged\nP1 | m1 | 10 | 12",
        "P1 | m1 | Actual | GBP | 2000 | 2020-01 | 2020-03",
    )
    assert any("were claims repeated?" in flag.text and "20 units, 12 people" in flag.detail for flag in found.flags)


def test_units_times_price_above_the_recorded_maximum_asks_for_a_cap(indigo):
    data = indigo(
        projects="project | name | maximum | maximum_currency | finance_note\nP1 | One | 600 | GBP | A fund's limit",
        outcome_pricings=CARD,
        results="project | metric | achieved\nP1 | m1 | 10",
    )
    found = data.project("P1").reconcile()
    assert any("did a cap apply?" in flag.text for flag in found.flags)
    assert found.maximum_notes == ("A fund's limit",)


# ---------------------------------------------------------------- several results of one metric


def test_a_final_result_is_not_added_to_the_interim_ones(indigo):
    rows = "P1 | m1 | | Interim | 2018-04 | 2019-03 | 40 |\nP1 | m1 | | Final | 2018-04 | 2020-03 | 100 |"
    assert achieved(indigo, rows) == (100, "the result whose period covers the others counts")


def test_without_periods_the_final_result_counts(indigo):
    assert achieved(indigo, "P1 | m1 | | Interim | | | 40 |\nP1 | m1 | | Final | | | 100 |")[0] == 100


def test_of_cumulative_interim_results_the_widest_counts(indigo):
    rows = "P1 | m1 | | Interim | 2018-04 | 2020-03 | 70 |\nP1 | m1 | | Interim | 2018-04 | 2019-03 | 40 |"
    number, note = achieved(indigo, rows)
    assert number == 70
    assert "an interim result" in note


def test_results_of_periods_that_follow_one_another_are_added_and_that_is_said(indigo):
    rows = "P1 | m1 | | Interim | 2018-04 | 2019-03 | 40 |\nP1 | m1 | | Interim | 2019-04 | 2020-03 | 30 |"
    number, note = achieved(indigo, rows)
    assert number == 70
    assert "were added" in note


def test_results_that_cannot_be_told_apart_give_no_number(indigo):
    for rows in (
        "P1 | m1 | | Interim | | | 40 |\nP1 | m1 | | Interim | | | 30 |",
        "P1 | m1 | | Interim | 2018-04 | 2019-06 | 40 |\nP1 | m1 | | Interim | 2019-01 | 2020-03 | 30 |",
    ):
        number, note = achieved(indigo, rows)
        assert number is None
        assert "several results" in note


def test_results_of_the_outcome_go_before_those_of_the_project(indigo):
    rows = "P1 | m1 | Project level | Final | 2018 | 2020 | 900 |\nP1 | m1 | Outcome level | Final | 2018 | 2020 | 80 |"
    number, note = achieved(indigo, rows)
    assert number == 80
    assert "project level were left aside" in note


def test_a_result_recorded_twice_counts_once(indigo):
    rows = "P1 | m1 | | Final | 2018 | 2020 | 80 |\nP1 | m1 | | Final | 2018 | 2020 | 80 |"
    assert achieved(indigo, rows)[0] == 80


def test_a_project_level_result_with_a_metric_counts_where_it_is_the_only_one(indigo):
    assert achieved(indigo, "P1 | m1 | Project level | Final | 2018 | 2020 | 80 |")[0] == 80


def test_an_interim_number_beside_a_final_sentence_is_said(indigo):
    rows = "P1 | m1 | | Interim | 2018 | 2019 | 80 |\nP1 | m1 | | Final | 2018 | 2020 | Ninety were housed |"
    number, note = achieved(indigo, rows)
    assert number == 80
    assert "a final result is recorded in words only" in note


def test_what_is_owed_on_interim_results_is_called_not_final(indigo):
    found = reconciled(indigo, "project | metric | type | achieved\nP1 | m1 | Interim | 10")
    assert any("rests on interim results" in flag.text for flag in found.flags)


# ---------------------------------------------------------------- all projects; schedules


def test_all_projects_stand_in_one_table_with_those_that_only_payments_name(indigo):
    data = indigo(
        projects="project | name\nP1 | One\nP2 | Two",
        outcome_pricings=CARD,
        results="project | metric | achieved\nP1 | m1 | 10",
        outcome_payments=PAID + "P1 | m1 | Actual | GBP | 1000 | 2020 | 2020\nP9 | | Actual | GBP | 5 | 2020 | 2020",
    )
    table = data.reconcile_all().set_index("project")
    assert table.index.tolist() == ["P1", "P2", "P9"]
    assert table["paid"].sum() == 1005
    assert table.loc["P1", ["owed", "paid", "difference", "mismatched"]].tolist() == [1000, 1000, 0, 0]
    assert pd.isna(table.loc["P2", "owed"])


def test_a_schedule_names_its_plans_and_what_has_no_readable_period(indigo):
    data = indigo(
        outcome_payments="project | plan | kind | currency | amount | start | end\n"
        "P1 | Plan1 | Planned | GBP | 100 | 2020-01 | 2020-03\nP1 | plan1 | Planned | GBP | 100 | 9999/99 | current\n"
        "P1 | plan2 | Planned | GBP | 50 | 2020-01 | 2020-03\nP1 | | Actual | GBP | 100 | 2020-01 | 2020-03"
    )
    found = data.project("P1").schedule()
    table = found.table.set_index("plan")
    assert table["planned"].to_dict() == {"plan1": 200, "plan2": 50}
    assert table["half_actual_by"].tolist() == ["2020-03", "2020-03"]
    assert (found.actual_total, found.last_actual_period_end, found.currency) == (100, "2020-03", "GBP")
    texts = " ".join(flag.text for flag in found.flags)
    assert "£100 of planned payments have no period" in texts
    assert "50.0% of plan1 and 200.0% of plan2" in texts


def test_no_schedule_is_drawn_across_currencies(indigo):
    data = indigo(
        outcome_payments="project | plan | kind | currency | amount | start | end\n"
        "P1 | plan1 | Planned | GBP | 100 | 2020-01 | 2020-03\nP1 | | Actual | USD | 100 | 2020-01 | 2020-03"
    )
    found = data.project("P1").schedule()
    assert len(found.table) == 0
    assert found.actual_total is None
    assert found.flags[0].level == "serious"


def test_the_schedules_of_all_projects_stand_in_one_table(indigo):
    data = indigo(
        projects="project | name\nP1 | One\nP2 | Two",
        outcome_payments="project | plan | kind | currency | amount | start | end\n"
        "P1 | plan1 | Planned | GBP | 100 | 2020-01 | 2020-03\nP2 | plan1 | Planned | GBP | 70 | 2020-01 | 2020-03",
    )
    assert data.schedule_all()[["project", "plan", "planned"]].to_numpy().tolist() == [
        ["P1", "plan1", 100],
        ["P2", "plan1", 70],
    ]


# ---------------------------------------------------------------- the published data


def test_the_published_data_set_is_read_whole(published):
    counts = {"projects": 319, "outcome_metrics": 1408, "outcome_pricings": 385, "results": 518}
    counts |= {"outcome_payments": 2232, "investments": 1080, "sources": 2072, "organisations": 1549, "funds": 21}
    assert {name: len(published.tables[name]) for name in counts} == counts
    assert len(published.reconcile_all()) == 319


def test_every_payment_of_the_published_data_set_is_kept(published):
    payments = published.tables["outcome_payments"]
    actual = payments.loc[payments["kind"].isin(("actual", "")), "amount"].sum()
    own = published.reconcile_all().query('paid_from == "the project\'s own total"')["paid"].sum()
    assert published.reconcile_all()["paid"].sum() - own == pytest.approx(actual, abs=0.005)


def _agrees(found, want):
    keys = ["sum_price_x_achieved", "sum_paid", "difference_paid_minus_calc", "max_potential", "notes"]
    got = [found.owed, found.paid, found.difference, found.maximum, list(found.notes)]
    assert got == [want[key] for key in keys]
    assert found.paid_share * 100 == pytest.approx(want["paid_share_of_calc_pct"], rel=1e-4)
    assert len(found.table) == want["metrics"]
    assert list(found.duplicate_metric_ids) == want["duplicate_metric_ids"]
    assert list(found.orphan_metric_ids) == want["orphan_metric_ids"]
    rows = found.mismatched[["metric", "owed", "paid", "implied_units"]].to_numpy().tolist()
    assert rows == [list(row.values()) for row in want["mismatched_metrics"]]


@pytest.mark.parametrize("example", ["10_indigo_reconcile_care_leavers", "11_fair_chance_fund_two_projects"])
def test_owed_and_paid_agree_with_the_reference(published, beside, example):
    """Acceptance examples 10 and 11, from the data set itself."""
    expected = json.loads(beside(f"domain/{example}/expected.json").read_text())["expected"]
    for project, want in expected.items():
        _agrees(published.project(project).reconcile(), want)


@pytest.mark.parametrize("example", ["10_indigo_reconcile_care_leavers", "11_fair_chance_fund_two_projects"])
def test_every_metric_agrees_with_the_reference(published, beside, example):
    """Price, achieved and paid of every metric, as the example lists them."""
    file = beside(f"domain/{example}/rate_card_and_results.csv")
    for row in csv.DictReader(file.open(encoding="utf-8")):
        table = published.project(row["project"]).reconcile().table.set_index("metric")
        line = table.loc[row["metric"]]
        assert (line["price"], line["achieved"]) == (float(row["price"]), float(row["achieved"]))
        assert line["ids"] == int(row["id_occurrences_in_metrics_table"])
        assert pd.isna(line["paid"]) if row["paid"] == "" else line["paid"] == float(row["paid"])


def test_schedules_agree_with_the_reference(published, beside):
    """Acceptance example 12, from the data set itself."""
    expected = json.loads(beside("domain/12_lcf_schedule/expected.json").read_text())["expected"]
    for project, want in expected.items():
        found = published.project(project).schedule()
        assert (found.actual_total, found.last_actual_period_end) == (
            want["actual_total"],
            want["last_actual_period_end"],
        )
        assert found.maximum == want["max_potential"]
        assert found.share_of_maximum * 100 == pytest.approx(want["actual_over_max_pct"], rel=1e-4)
        assert found.table["plan"].tolist() == sorted(want["plans"])
        late = found.table.set_index("plan")["months_late"].to_dict()
        assert late == {plan: row["months_late_at_half"] for plan, row in want["plans"].items()}


def test_every_project_can_be_reconciled_and_scheduled(published):
    for project in published.projects["project"]:
        one = published.project(project)
        found, planned = one.reconcile(), one.schedule()
        if found.owed is not None and found.paid is not None and found.currency != "several":
            assert found.difference == pytest.approx(found.paid - found.owed, abs=0.005)
        if found.table["paid"].notna().any():
            assert found.table["paid"].sum() + found.paid_without_metric == pytest.approx(found.paid, abs=0.005)
        assert (planned.table["planned"] >= 0).all()


def test_nouns_show_counts_and_flags_in_a_notebook(indigo):
    data = indigo(results="project | metric | achieved\nP1 | m1 | about ten")
    assert "1 project, 3 findings" in data._repr_html_()
    assert "Achieved is text" in data._repr_html_()
    assert "about ten" in data.project("P1")._repr_html_()


def test_the_package_offers_the_reader_at_its_top(indigo):
    assert ek.read_indigo is read_indigo
    assert isinstance(indigo(), ek.IndigoData)
    assert isinstance(indigo().project("P1"), ek.IndigoProject)
