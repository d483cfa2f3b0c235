"""Every known fault of the impact bond data set is found and reported, and none is repaired."""

import pandas as pd
import pytest

PAYMENTS = "project | plan | metric | kind | currency | amount | start | end\n"
TWO = "project | name\nP1 | One\nP2 | Two"


def found(data, fault):
    """The findings of one kind: project, table, column, lines and words."""
    rows = data.findings[data.findings["fault"] == fault]
    return [(row.project, row.table, row.column, row.rows, row.what) for row in rows.itertuples()]


def places(data, fault):
    return [one[:4] for one in found(data, fault)]


def test_a_clean_project_has_no_findings(indigo):
    data = indigo(
        projects="project | name | jurisdiction\nP1 | One | GB",
        outcome_metrics="project | metric | definition\nP1 | m1 | Housed",
        outcome_pricings="project | metric | currency | price\nP1 | m1 | GBP | 10",
        results="project | metric | achieved\nP1 | m1 | 3",
        outcome_payments=PAYMENTS + "P1 | | m1 | Actual | GBP | 30 | 2020-01 | 2020-03",
    )
    assert data.findings["fault"].tolist() == []
    assert data.project("P1").flags == ()


def test_a_metric_id_that_appears_twice(indigo):
    data = indigo(outcome_metrics="project | metric | definition\nP1 | m1 | A\nP1 | m2 | B\nP1 | m1 | C")
    assert places(data, "metric id repeated") == [("P1", "outcome_metrics", "metric", (2, 4))]
    assert len(data.tables["outcome_metrics"]) == 3


def test_the_same_metric_id_in_two_projects_is_no_fault(indigo):
    data = indigo(projects=TWO, outcome_metrics="project | metric | definition\nP1 | m1 | A\nP2 | m1 | B")
    assert found(data, "metric id repeated") == []


def test_prices_results_and_payments_of_metrics_that_are_not_defined(indigo):
    data = indigo(
        outcome_metrics="project | metric\nP1 | m1",
        outcome_pricings="project | metric | currency | price\nP1 | m1 | GBP | 1\nP1 | m7 | GBP | 2",
        results="project | metric | achieved\nP1 | m8 | 3",
        outcome_payments=PAYMENTS + "P1 | | m9 | Actual | GBP | 595540 | 2020-01 | 2020-03",
    )
    assert places(data, "metric not defined") == [
        ("P1", "outcome_pricings", "metric", (3,)),
        ("P1", "results", "metric", (2,)),
        ("P1", "outcome_payments", "metric", (2,)),
    ]
    assert "£595,540" in found(data, "metric not defined")[2][4]


def test_a_metric_without_an_id(indigo):
    data = indigo(outcome_metrics="project | metric | definition\nP1 | | A\nP1 | m1 | B")
    assert places(data, "metric without an id") == [("P1", "outcome_metrics", "metric", (2,))]


def test_payments_without_a_metric(indigo):
    data = indigo(
        outcome_payments=PAYMENTS
        + "P1 | | | Actual | GBP | 1 | 2020 | 2020\nP1 | | m1 | Actual | GBP | 2 | 2020 | 2020"
    )
    assert places(data, "payment without a metric") == [("P1", "outcome_payments", "metric", (2,))]


def test_payments_without_a_type_are_kept(indigo):
    data = indigo(outcome_payments=PAYMENTS + "P1 | | | | GBP | 1313690 | 2015-01 | 2017-12")
    assert found(data, "payment type not stated")[0][3:] == (
        (2,),
        "1 payment (£1,313,690) of a type that is not stated.",
    )
    assert data.tables["outcome_payments"]["kind"].tolist() == [""]


def test_the_same_amount_for_the_same_period_in_two_projects(indigo):
    data = indigo(
        projects=TWO,
        outcome_payments=PAYMENTS
        + "P1 | | | | GBP | 1323670 | 2015-01 | 2017-12\nP2 | | | | GBP | 1323670 | 2015-01 | 2017-12\n"
        + "P1 | | | Actual | GBP | 0 | 2020 | 2020\nP2 | | | Actual | GBP | 0 | 2020 | 2020\n"
        + "P1 | | | Actual | GBP | 500 | 2020 | 2020\nP2 | | | Actual | GBP | 500 | 2021 | 2021",
    )
    rows = found(data, "identical payment in two projects")
    assert [row[:1] + row[3:4] for row in rows] == [("P1", (2,)), ("P2", (3,))]
    assert rows[0][4] == "£1,323,670 (type not stated, 2015-01 to 2017-12) is recorded for P2 too."


def test_paid_above_the_recorded_maximum_stands_beside_the_note(indigo):
    data = indigo(
        projects="project | name | maximum | maximum_currency | finance_note\n"
        "P1 | One | 100 | GBP | A limit of the fund only\n"
        "P2 | Two | 100 | GBP |\nP3 | Three | 100 | USD |",
        outcome_payments=PAYMENTS
        + "P1 | | | Actual | GBP | 60 | 2020 | 2020\nP1 | | | Actual | GBP | 50.50 | 2021 | 2021\n"
        + "P2 | | | Actual | GBP | 100 | 2020 | 2020\nP3 | | | Actual | GBP | 500 | 2020 | 2020",
    )
    (only,) = found(data, "paid above the recorded maximum")
    assert only[0] == "P1"
    assert "£110.50 was paid, above the recorded maximum of £100" in only[4]
    assert "A limit of the fund only" in only[4]
    question = data.findings.loc[data.findings["fault"] == "paid above the recorded maximum", "question"].iloc[0]
    assert "not always a cap" in question


def test_a_plan_that_equals_what_was_paid_to_the_pound(indigo):
    data = indigo(
        outcome_payments=PAYMENTS
        + "P1 | plan1 | | Planned | GBP | 100.40 | 2020-01 | 2020-03\n"
        + "P1 | plan1 | | Planned | GBP | 300 | 2020-04 | 2020-06\n"
        + "P1 | plan2 | | Planned | GBP | 400 | 2020-04 | 2020-06\nP1 | | | Actual | GBP | 100 | 2020-01 | 2020-03",
    )
    (only,) = found(data, "plan equals what was paid")
    assert only[3:] == ((2,), "1 of 2 planned amounts of plan1 equal an actual payment to the pound.")


def test_achievements_written_as_text_are_kept_and_give_no_number(indigo):
    says = "The final report does not find evidence that 12 fewer reoffended"
    rows = f"P1 | m1 | {says}\nP1 | m2 | 12\nP1 | m3 |\nP1 | m4 | 52.7%\nP1 | m5 | 1,200"
    data = indigo(results=f"project | metric | achieved\n{rows}")
    table = data.tables["results"]
    assert table["achieved"].isna().tolist() == [True, False, True, True, True]
    assert table["achieved_text"].tolist() == [says, "12", "", "52.7%", "1,200"]
    assert places(data, "achieved is text") == [("P1", "results", "achieved", (2, 5, 6))]
    assert places(data, "achieved is blank") == [("P1", "results", "achieved", (4,))]


@pytest.mark.parametrize(
    ("table", "column", "text"),
    [
        ("results", "engaged", "3600 (as of Jan 2019)"),
        ("outcome_metrics", "users_target", "3000 (later revised to 944)"),
        ("outcome_payment_commitments", "maximum", "$11.712M"),
        ("outcome_payment_commitments", "maximum", "C$1.16M (estimate)"),
        ("outcome_payment_commitments", "maximum", "$10,000,000"),
        ("outcome_payment_commitments", "maximum", "=D41-D36"),
        ("outcome_payments", "amount", "1.2k"),
        ("outcome_pricings", "price", "CHF 290.000"),
        ("projects", "maximum_return", "3% to 5%"),
        ("investments", "maximum_loss", "50% of principal"),
    ],
)
def test_numbers_with_anything_around_them_are_not_read(indigo, table, column, text):
    data = indigo(**{table: f"project | {column}\nP1 | {text}"})
    assert places(data, "number written as text") == [("P1", table, column, (2,))]
    assert pd.isna(data.tables[table].loc[0, column])
    assert data.tables[table].loc[0, f"{column}_text"] == text


@pytest.mark.parametrize("sign", ["£", "$", "C$", "€", "GBP"])
def test_a_currency_sign_where_an_amount_should_be_is_missing(indigo, sign):
    data = indigo(outcome_payment_commitments=f"project | paid\nP1 | {sign}")
    assert places(data, "currency sign instead of an amount") == [("P1", "outcome_payment_commitments", "paid", (2,))]
    assert found(data, "number written as text") == []
    assert pd.isna(data.tables["outcome_payment_commitments"].loc[0, "paid"])


def test_currencies_mixed_inside_a_project(indigo):
    data = indigo(
        projects="project | name | investment_currency | investment | maximum_currency | maximum\n"
        "P1 | One | CHF | 267731 | USD | 422000\nP2 | Two | GBP | 5 | GBP | 6\nP3 | Three | CHF | | GBP | 6"
    )
    (only,) = found(data, "currencies mixed")
    assert only[0] == "P1"
    assert only[4] == "Amounts in 2 currencies: CHF: investment (projects); USD: maximum (projects)."
    assert "serious" in data.findings.loc[data.findings["fault"] == "currencies mixed", "level"].tolist()


def test_a_price_per_person_entered_as_a_total(indigo):
    data = indigo(
        projects="project | name | investment_currency | investment\nP1 | One | GBP | 2000000\nP2 | Two | GBP | 100\n"
        "P3 | Three | GBP | 2000000",
        outcome_pricings="project | metric | currency | price\nP2 | m1 | GBP | 8000\nP2 | m2 | GBP | 23000",
        outcome_payment_commitments="project | organisation | maximum_currency | maximum\n"
        "P1 | O1 | GBP | 54000\nP1 | O2 | GBP | 1000000\nP2 | O3 | GBP | 31000\nP2 | O4 | GBP | 900000\n"
        "P3 | O5 | GBP | 54000\nP3 | O6 | GBP | 4000000",
    )
    rows = found(data, "price for one person entered as a total")
    assert [row[3] for row in rows] == [(2,), (4,)]
    assert "2.7% of the investment" in rows[0][4]
    assert "no more than one unit of everything on the rate card (£31,000)" in rows[1][4]


def test_free_text_in_coded_columns(indigo):
    data = indigo(
        projects="project | name | investor_repayment | maximum_return\nP1 | One | USD 422000 | 3% to 5%\n"
        "P2 | Two | Principal + positive financial returns | 0.05",
        outcome_payments=PAYMENTS + "P1 | | | Forecast | GBP | 5 | 2020 | 2020",
    )
    assert sorted(places(data, "text in a coded column")) == [
        ("P1", "outcome_payments", "kind_text", (2,)),
        ("P1", "projects", "investor_repayment", (2,)),
        ("P1", "projects", "maximum_return", (2,)),
    ]
    assert data.projects.loc[0, "investor_repayment"] == "USD 422000"


@pytest.mark.parametrize(
    ("table", "column", "text"),
    [
        ("outcome_payment_plans", "end", "current"),
        ("service_provisions", "planned_start", "2023/07"),
        ("results", "start", "2018-13"),
        ("results", "start", "2019-02-30"),
        ("sources", "published_on", "9th August 2022"),
        ("sources", "read_on", "2023-01-Apr"),
        ("outcome_payments", "end", "31/03/2020"),
        ("outcome_payments", "end", "2020-03-31 00:00"),
    ],
)
def test_dates_outside_the_patterns_are_listed(indigo, table, column, text):
    data = indigo(**{table: f"project | {column}\nP1 | {text}\nP1 | 2020\nP1 | 2020-02\nP1 | 2020-02-29\nP1 |"})
    assert places(data, "date not understood") == [("P1", table, column, (2,))]
    assert data.tables[table].loc[0, column] == text


def test_plan_ids_in_capitals_are_one_plan_and_keep_what_was_written(indigo):
    data = indigo(
        outcome_payments=PAYMENTS
        + "P1 | plan1 | | Planned | GBP | 5 | 2020 | 2020\nP1 | Plan1 | | Planned | GBP | 6 | 2021 | 2021"
    )
    assert places(data, "plan id in other capitals") == [("P1", "outcome_payments", "plan", (3,))]
    table = data.tables["outcome_payments"]
    assert (table["plan"].tolist(), table["plan_text"].tolist()) == (["plan1", "plan1"], ["plan1", "Plan1"])
    assert found(data, "several plan versions") == []


def test_several_plan_versions(indigo):
    data = indigo(
        outcome_payments=PAYMENTS
        + "P1 | plan1 | | Planned | GBP | 5 | 2020 | 2020\nP1 | plan2 | | Planned | GBP | 6 | 2021 | 2021"
    )
    assert found(data, "several plan versions")[0][4] == "2 versions of the payment plan: plan1 and plan2."


def test_planned_and_actual_periods_that_do_not_line_up(indigo):
    data = indigo(
        outcome_payments=PAYMENTS
        + "P1 | plan1 | | Planned | GBP | 5 | 2020-01 | 2020-03\nP1 | | | Actual | GBP | 6 | 2020-01 | 2020-03\n"
        + "P1 | | | Actual | GBP | 7 | 2020-03 | 2020-07"
    )
    (only,) = found(data, "planned and actual periods do not line up")
    assert only[3:] == ((4,), "1 of 2 actual payments are for periods that no plan has.")


def test_a_blank_jurisdiction_falls_back_to_where_the_project_was_delivered(indigo):
    data = indigo(
        projects="project | name | jurisdiction\nP1 | One |\nP2 | Two | PT\nP3 | Three |",
        delivery_locations="project | name | country\nP1 | Leeds | GB\nP1 | Cork | IE\nP1 | York | GB\nP2 | Paris | FR",
    )
    assert data.projects["country"].tolist() == ["GB, IE", "PT", ""]
    assert data.projects["country_from"].tolist() == ["delivery", "jurisdiction", ""]
    rows = found(data, "jurisdiction blank")
    assert [row[0] for row in rows] == ["P1", "P3"]
    assert "delivered in GB, IE" in rows[0][4]


def test_simple_ex_post_verification_is_not_a_counterfactual(indigo):
    data = indigo(
        outcome_metrics="project | metric | validation\nP1 | m1 | Simple Ex-post verification \n"
        "P1 | m2 | Historical comparison"
    )
    (only,) = found(data, "ex-post verification only")
    assert only[3] == (2,)
    assert "not a counterfactual" in only[4]


def test_the_projects_own_total_against_the_sum_of_its_payments(indigo):
    data = indigo(
        projects="project | name | paid_currency | paid\nP1 | One | GBP | 100\nP2 | Two | GBP | 60.10",
        outcome_payments=PAYMENTS
        + "P1 | | | Actual | GBP | 60 | 2020 | 2020\nP2 | | | Actual | GBP | 60.10 | 2020 | 2020",
    )
    (only,) = found(data, "total differs from the payments")
    assert only[4] == "The project's own total is £100 and its payments come to £60."


def test_several_prices_and_several_results_of_one_metric(indigo):
    data = indigo(
        outcome_metrics="project | metric\nP1 | m1",
        outcome_pricings="project | metric | currency | price\nP1 | m1 | GBP | 1000\nP1 | m1 | GBP | 1100",
        results="project | metric | achieved\nP1 | m1 | 5\nP1 | m1 | 6",
    )
    assert places(data, "several prices of one metric") == [("P1", "outcome_pricings", "price", (2, 3))]
    assert places(data, "several results of one metric") == [("P1", "results", "achieved", (2, 3))]


def test_one_maximum_on_prices_that_differ(indigo):
    data = indigo(
        outcome_pricings="project | metric | currency | price | maximum_price\nP1 | m1 | GBP | 1300 | 11700\n"
        "P1 | m2 | GBP | 800 | 11700\nP1 | m3 | GBP | 700 | 11700"
    )
    assert found(data, "one maximum on every price")[0][4] == "All 3 prices carry the same maximum of £11,700."


def test_payments_without_an_amount_and_periods_that_run_backwards(indigo):
    data = indigo(
        outcome_payments=PAYMENTS
        + "P1 | plan1 | | Planned | GBP | | 2020-01 | 2020-03\nP1 | plan1 | | Planned | GBP | 5 | 2021-07 | 2021-03"
    )
    assert places(data, "payment without an amount") == [("P1", "outcome_payments", "amount", (2,))]
    assert places(data, "period ends before it starts") == [("P1", "outcome_payments", "end", (3,))]


def test_rows_of_a_project_that_is_not_known_and_projects_that_stand_twice(indigo):
    data = indigo(projects="project | name\nP1 | One\nP1 | Uno", results="project | metric | achieved\nP9 | m1 | 3")
    assert places(data, "project not known") == [("P9", "results", "project", (2,))]
    assert places(data, "project id repeated") == [("P1", "projects", "project", (2, 3))]
    assert data.project("P1").name == "One"


def test_findings_become_flags_of_their_project_with_the_place_and_the_question(indigo):
    data = indigo(projects=TWO, outcome_metrics="project | metric\nP1 | m1\nP1 | m1")
    flag = data.project("P1").flags[0]
    assert (flag.room, flag.level, flag.about) == ("contract", "serious", "outcome_metrics")
    assert "rows 2 and 3" in flag.detail
    assert "Which definition" in flag.detail
    assert [one.text for one in data.project("P2").flags] == [
        "No jurisdiction is recorded; and no country of delivery."
    ]


# ---------------------------------------------------------------- the counts in the published data


@pytest.mark.parametrize(
    ("fault", "rows", "projects"),
    [
        ("metric id repeated", 14, 2),
        ("payment without a metric", 2162, 35),
        ("payment type not stated", 7, 7),
        ("achieved is text", 55, 31),
        ("achieved is blank", 38, 24),
        ("jurisdiction blank", 271, 271),
        ("price for one person entered as a total", 1, 1),
        ("metric without an id", 1, 1),
        ("payment without an amount", 5, 1),
    ],
)
def test_the_published_faults_are_all_found(published, fault, rows, projects):
    found = published.findings[published.findings["fault"] == fault]
    assert (int(found["rows"].map(len).sum()), found["project"].nunique()) == (rows, projects)


def of(published, fault, table, column):
    rows = published.findings
    rows = rows[(rows["fault"] == fault) & (rows["table"] == table) & (rows["column"] == column)]
    return int(rows["rows"].map(len).sum())


def test_the_published_numbers_written_as_text_are_all_found(published):
    words, sign = "number written as text", "currency sign instead of an amount"
    assert of(published, words, "results", "engaged") == 8
    assert of(published, words, "outcome_metrics", "users_target") == 1
    both = [of(published, fault, "outcome_payment_commitments", "maximum") for fault in (words, sign)]
    assert sum(both) == 32
    assert of(published, sign, "outcome_payment_commitments", "paid") == 35


def test_the_published_plans_and_dates_are_all_found(published):
    assert of(published, "plan id in other capitals", "outcome_payments", "plan") == 62
    assert of(published, "date not understood", "outcome_payment_plans", "end") == 15


def test_the_published_orphans_are_those_of_four_projects(published):
    rows = published.findings[published.findings["fault"] == "metric not defined"]
    assert sorted(name[-4:] for name in rows["project"].unique()) == ["0123", "0295", "0302", "0304"]
    paid = published.project("INDIGO-POJ-0123").reconcile().table.query("ids == 0")["paid"].sum()
    assert paid == 595_540


def test_the_published_lump_sum_of_two_projects_is_found(published):
    rows = published.findings[published.findings["fault"] == "identical payment in two projects"]
    lumps = rows[rows["what"].str.contains("1,323,670")]
    assert sorted(name[-4:] for name in lumps["project"]) == ["0135", "0136"]


def test_no_name_of_a_project_stands_in_the_package():
    from pathlib import Path

    import evalkit.contract.indigo as home

    for file in Path(home.__file__).parent.glob("*.py"):
        assert "INDIGO-POJ-0" not in file.read_text(encoding="utf-8").replace("INDIGO-POJ-0001", "")
