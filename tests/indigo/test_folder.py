"""A project of the data set as a study folder."""

from __future__ import annotations

import csv
import datetime as dt
import tomllib

import pytest

import evalkit as ek
from evalkit.contract.indigo import read_indigo
from evalkit.errors import StudyError
from evalkit.indigo import organisation_names, write_every_study, write_study
from evalkit.indigo.dated import day_of
from evalkit.indigo.record import Record, as_recorded, as_share
from evalkit.indigo.terms import _noted
from evalkit.indigo.toml import as_toml
from evalkit.report.sections import sections
from tests.indigo.conftest import FIRST, SECOND, THIRD


@pytest.fixture
def made(record, tmp_path):
    """Make the study of one project, and evaluate it."""

    def make(id):
        data = read_indigo(record)
        folder = write_study(data.project(id), organisation_names(data), tmp_path / "raw")
        return folder, ek.evaluate(folder)

    return make


def rows_of(file):
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def page_of(evaluation):
    return ek.show(evaluation).html


def test_any_text_becomes_toml_that_is_read_back_as_it_was():
    texts = ['a "quote"', "back\\slash", "two\nlines", "del\x7f", "bell\x07", "tab\t", "\u00e9\u4e2d", "'''", "= # [x]"]
    content = {
        "study": {"a": texts, "b c": "x", "n": 1.5, "yes": True, "on": dt.date(2020, 2, 29)},
        "flag": [{"t": "1"}] * 2,
    }
    assert tomllib.loads(as_toml(content)) == content


def test_dates_of_indigo_become_the_first_or_last_day(grid):
    grid(
        """
        text       | last | day
        "2018"     | no   | 2018-01-01
        "2018"     | yes  | 2018-12-31
        "2020-02"  | yes  | 2020-02-29
        2020-02-03 | yes  | 2020-02-03
        "2018-13"  | no   | none
        current    | no   | none
        9999/99    | no   | none
        """,
        lambda row: day_of(str(row.text), bool(row.last)),
        "day",
    )


def test_a_project_becomes_a_study_whose_owed_and_paid_are_those_of_the_record(made, record):
    folder, evaluation = made(FIRST)
    reconciled = read_indigo(record).project(FIRST).reconcile()
    totals = evaluation.contract.totals
    assert totals["owed"] == reconciled.owed == 2640.0
    assert totals["paid"] == reconciled.paid == 2490.10
    assert evaluation.study.study.kind == "published figures"
    assert evaluation.study.contract.published is True
    assert evaluation.study.contract.maximum_recorded == 9000
    assert {"study.toml", "rate_card.csv", "achieved.csv", "payments.csv"} == {path.name for path in folder.iterdir()}


def test_a_name_with_quotes_and_line_breaks_is_kept_on_one_line(made):
    _, evaluation = made(FIRST)
    assert evaluation.study.title == 'A "quoted" name over two lines \\ with a slash'
    assert evaluation.study.study.summary == "Support with strange signs"


def test_a_month_is_written_as_its_first_day_and_says_so(made):
    _, evaluation = made(FIRST)
    steps = {step.says: step for step in evaluation.study.contract.step}
    assert steps["Outcomes contract signed"].done == dt.date(2018, 8, 1)
    assert "2018-08: no day" in steps["Outcomes contract signed"].note
    assert steps["Service provision ends"].planned == dt.date(2021, 3, 31)
    assert steps["Service provision ends"].note == ""


def test_a_payment_of_a_metric_without_a_price_is_kept_and_flagged(made):
    folder, evaluation = made(FIRST)
    rows = rows_of(folder / "payments.csv")
    assert [(row["metric"], row["recorded_metric"], row["amount"]) for row in rows] == [
        ("outcomemetric1", "", "3000"),
        ("outcomemetric1", "", "2420.1"),
        ("", "outcomemetric3", "70"),
    ]
    assert (rows[2]["start"], rows[2]["end"], rows[2]["recorded_period"]) == ("", "", "2019-03 to 2018-10")
    assert rows[1]["payer"] == "A council"
    assert any("without one plain price" in flag.text for flag in evaluation.flags)


def test_the_faults_of_the_record_are_flags_of_the_study_that_the_report_prints(made, record):
    _, evaluation = made(FIRST)
    faults = read_indigo(record).project(FIRST).flags
    assert len(faults) > 0
    known = {flag.text for flag in evaluation.flags if flag.room == "study"}
    assert {" ".join(flag.text.split()) for flag in faults} <= known
    html = page_of(evaluation)
    assert 'id="flag-1"' in html
    assert "(study" in html


def test_a_result_in_words_is_printed_as_it_stands_and_gives_no_number(made):
    folder, evaluation = made(FIRST)
    assert [row["metric"] for row in rows_of(folder / "achieved.csv")] == ["outcomemetric1"]
    html = page_of(evaluation)
    assert "No evidence was found that anybody did better, 12% (of 96)." in html
    assert "7 achieved" in html


def test_a_cell_that_a_spreadsheet_would_run_as_a_formula_is_defused_and_read_as_it_was(made):
    folder, evaluation = made(FIRST)
    titles = {row["metric"]: row["title"] for row in rows_of(folder / "rate_card.csv")}
    assert titles["outcomemetric2"].startswith(" =SUM")
    assert set(evaluation.contract.table["title"]) == {"Stays at school", "=SUM(A1) is no formula here"}


def test_a_project_of_which_nothing_is_known_still_has_a_report(made):
    folder, evaluation = made(SECOND)
    assert [path.name for path in folder.iterdir()] == ["study.toml"]
    assert "A project of which nothing more is known" in page_of(evaluation)


def test_payments_in_a_second_currency_are_flagged_and_never_added(made):
    _, evaluation = made(THIRD)
    assert evaluation.study.study.currency == "GBP"
    assert evaluation.contract.totals["paid"] == 110
    serious = [flag.text for flag in evaluation.flags if flag.level == "serious"]
    assert any("1 payments are in another currency than GBP" in text for text in serious)
    assert any("prices are in another currency" in flag.text for flag in evaluation.flags)


def test_a_study_that_stands_is_kept(record, tmp_path):
    data = read_indigo(record)
    names, raw = organisation_names(data), tmp_path / "raw"
    folder = write_study(data.project(SECOND), names, raw)
    with pytest.raises(StudyError, match="--replace"):
        write_study(data.project(SECOND), names, raw)
    assert write_study(data.project(SECOND), names, raw, replace=True) == folder
    (folder / "study.toml").write_text("# typed by hand\n", encoding="utf-8")
    with pytest.raises(StudyError, match="not made by evalkit indigo"):
        write_study(data.project(SECOND), names, raw, replace=True)
    assert (folder / "study.toml").read_text(encoding="utf-8") == "# typed by hand\n"


def test_a_fault_in_one_project_never_stops_the_rest(record, tmp_path):
    data, raw = read_indigo(record), tmp_path / "raw"
    (raw / "indigo_poj_0902").mkdir(parents=True)
    (raw / "indigo_poj_0902" / "study.toml").write_text("# typed by hand\n", encoding="utf-8")
    made = write_every_study(data, raw)
    assert [folder.name for folder in made.folders] == ["indigo_poj_0901", "indigo_poj_0903"]
    assert list(made.failed) == [SECOND]
    again = write_every_study(data, raw)
    assert (len(again.folders), again.written) == (2, 0)


def test_no_contact_of_an_organisation_reaches_a_study(record, tmp_path):
    file = record / "original_organisations.csv"
    head, *rest = file.read_text(encoding="utf-8").splitlines()
    lines = [f"{head},Contact - Email - (Value)", *[f"{line},someone@example.org" for line in rest]]
    file.write_text("\n".join(lines), encoding="utf-8")
    made = write_every_study(read_indigo(record), tmp_path / "raw")
    assert made.failed == {}
    assert not [path for path in (tmp_path / "raw").rglob("*.*") if "someone@" in path.read_text(encoding="utf-8")]


@pytest.mark.slow
def test_every_project_of_the_data_set_becomes_a_report_with_the_record_s_owed_and_paid(whole_record, tmp_path):
    data = read_indigo(whole_record)
    made = write_every_study(data, tmp_path / "raw")
    assert made.failed == {}
    assert len(made.folders) == len(data.projects) == 319
    reconciled = data.reconcile_all().set_index("project")
    for folder in made.folders:
        evaluation = ek.evaluate(folder)
        for part in sections():
            part.blocks(evaluation)
        line, totals = reconciled.loc[evaluation.study.study.indigo], evaluation.contract.totals
        if line["owed"] == line["owed"]:
            assert totals["owed"] == pytest.approx(line["owed"], abs=0.005), folder.name
        if line["paid_from"] == "actual payments":
            assert totals["paid"] == pytest.approx(line["paid"], abs=0.005), folder.name


@pytest.mark.parametrize("id", ["INDIGO-POJ-0121", "INDIGO-POJ-0123", "INDIGO-POJ-0174", "INDIGO-POJ-0302"])
def test_a_project_with_known_faults_becomes_a_study_and_loses_no_payment(id, whole_record, tmp_path):
    data = read_indigo(whole_record)
    project = data.project(id)
    evaluation = ek.evaluate(write_study(project, organisation_names(data), tmp_path))
    payments = project.tables["outcome_payments"]
    recorded = payments.loc[payments["kind"] == "actual", "amount"].sum()
    assert (evaluation.contract.totals["paid"] or 0) == pytest.approx(recorded, abs=0.005)
    assert len([flag for flag in evaluation.flags if flag.room == "study"]) >= len(project.flags)


def test_shares_of_the_record_are_told_in_per_cent_and_lose_no_digit():
    row = {"maximum_return": 0.066, "maximum_return_type": "IRR", "maximum_loss": 1.0, "irr_target": 3.5}
    assert as_share(row, "maximum_return", "maximum_return_type") == "6.6% (recorded as 0.066), IRR"
    assert as_share(row, "maximum_loss") == "100% (recorded as 1)"
    assert as_share(row, "irr_target") == "3.5"
    assert as_share({"maximum_return": None, "maximum_return_text": "3% to 5%"}, "maximum_return") == "3% to 5%"
    assert as_recorded({"achieved": 0.128}, "achieved") == "0.128"
    assert as_recorded({"achieved": 1234.5}, "achieved") == "1,234.5"


def test_a_note_that_ends_in_a_full_stop_is_not_given_another():
    assert _noted(["Workshops.", "", "Workshops", "INDIGO-ORG-0001"]) == "Workshops. INDIGO-ORG-0001"


def test_the_cells_of_a_project_are_tidied_once_however_often_they_are_read(record, monkeypatch):
    tidied = []
    monkeypatch.setattr("evalkit.indigo.record.one_line", lambda cell: tidied.append(cell) or cell)
    project = read_indigo(record).project(FIRST)
    found = Record(project.id, project.tables, {})
    first, many = [list(found.rows("outcome_metrics")), found.about, found.currency], len(tidied)
    assert many > 0
    assert [list(found.rows("outcome_metrics")), found.about, found.currency] == first
    assert len(tidied) == many
