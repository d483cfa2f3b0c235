"""A study out to INDIGO: only what is public, in the form that the standard asks for."""

from __future__ import annotations

import csv
import json
import re

import pytest

import evalkit as ek
from evalkit.contract.indigo import read_indigo
from evalkit.errors import DisclosureError, StudyError
from evalkit.indigo import columns, export_indigo, write_export
from evalkit.indigo.schema import check_against

REVIEWED = 'reviewer = "A reader, data office"\nreviewed_on = 2026-03-01'


def values(part, path=()):
    """Every value of a JSON form with its place."""
    if isinstance(part, dict):
        for name, below in part.items():
            yield from values(below, (*path, name))
    elif isinstance(part, list):
        for below in part:
            yield from values(below, path)
    else:
        yield path, part


def by_metric(items):
    return {item["outcome_metric_id"]["value"]: item for item in items if "outcome_metric_id" in item}


def test_every_value_comes_with_its_status_and_every_status_is_public(study):
    project = export_indigo(ek.evaluate(study(published=True))).project
    assert {found for path, found in values(project) if path[-1] == "status"} == {"PUBLIC"}

    def bare(part):
        if isinstance(part, dict):
            if "value" in part and set(part) != {"value", "status"}:
                return [part]
            return [one for below in part.values() for one in bare(below)]
        return [one for below in part for one in bare(below)] if isinstance(part, list) else []

    assert bare(project) == []
    assert [path for path, found in values(project) if found in (None, "")] == []


def test_a_published_contract_is_exported_line_by_line(study):
    made = export_indigo(ek.evaluate(study(kind="published figures", published=True)))
    paid = [item["money"]["amount"]["value"] for item in made.project["outcome_payments"]]
    assert paid == [5000, 3700, 300, 2310, 3000]
    achieved = by_metric(made.project["results"])
    assert {name: item["outcomes_achieved"]["value"] for name, item in achieved.items()} == {
        "often": "40",
        "mid": "33",
        "rare": "3",
    }
    assert made.left_out == []
    assert made.project["overall_project_finance"]["total_outcome_payments_made"]["amount"]["value"] == 9310
    assert made.project["overall_project_finance"]["maximum_potential_outcome_payment_v2"]["amount"]["value"] == 90000
    assert made.project["dates"] == {"outcomes_contract_signed": {"value": "2019-05-06", "status": "PUBLIC"}}


def test_a_count_of_few_people_leaves_neither_as_a_count_nor_as_an_amount_nor_by_subtraction(study):
    made = export_indigo(ek.evaluate(study()))
    assert "rare" not in by_metric(made.project["results"])
    assert "rare" not in by_metric(made.project.get("outcome_payments", []))
    numbers = {str(found) for _, found in values(made.project)}
    assert numbers & {"3", "3000", "9310"} == set()
    assert "total_outcome_payments_made" not in made.project["overall_project_finance"]
    assert all("total_outcome_payments" not in item for item in made.project["outcome_payment_commitments"])
    told = {line["what"] for line in made.left_out}
    assert "rare: achieved, owed, paid" in told
    assert "total paid" in told


def test_payments_of_single_periods_are_added_up_where_they_would_tell_how_many_people_are_behind_each(study):
    made = export_indigo(ek.evaluate(study(few=25)))
    paid = {
        (item["type"]["value"], item["outcome_metric_id"]["value"]): item["money"]["amount"]["value"]
        for item in made.project["outcome_payments"]
    }
    assert paid[("Actual", "often")] == 4000
    assert paid[("Planned", "often")] == 5000
    assert "payments of single periods" in {line["what"] for line in made.left_out}


def test_beside_a_rounded_count_no_exact_amount_leaves(study):
    made = export_indigo(ek.evaluate(study(few=25, rule='rule = "opensafely"')))
    achieved = {name: item["outcomes_achieved"]["value"] for name, item in by_metric(made.project["results"]).items()}
    assert achieved["mid"] == "35"
    assert "mid" not in by_metric(made.project["outcome_payments"])
    assert "2310" not in {str(found) for _, found in values(made.project)}


def test_no_id_of_a_person_is_in_any_file(study, tmp_path):
    folder = write_export(ek.evaluate(study(published=True)), tmp_path / "out")
    assert [path.name for path in folder.iterdir() if "secret" in path.read_text(encoding="utf-8")] == []


def test_real_data_need_a_named_reviewer_and_the_name_itself_is_not_exported(study):
    evaluation = ek.evaluate(study(kind="real"))
    with pytest.raises(DisclosureError, match=r'under \[disclosure\]: reviewer = "Name, role"'):
        export_indigo(evaluation)
    with pytest.raises(DisclosureError):
        export_indigo(ek.evaluate(study(kind="real", rule='reviewer = "  "')))
    project = export_indigo(ek.evaluate(study(kind="real", rule=REVIEWED))).project
    assert "Reviewed for release on 2026-03-01." in project["notes"]["value"]
    assert "A reader" not in json.dumps(project)


def test_cash_flows_of_a_real_contract_stay_unless_they_are_published(study):
    made = export_indigo(ek.evaluate(study(kind="real", rule=REVIEWED)))
    assert "investment_details" not in made.project
    assert "cash flows" in {line["what"] for line in made.left_out}
    open_one = export_indigo(ek.evaluate(study(kind="published figures", published=True))).project
    assert open_one["investment_details"]["total_funds_invested"]["latest"]["amount"]["value"] == 5000
    assert open_one["investments"][0]["investment_commitment"]["amount"]["exact"]["value"] == 5000


def test_the_kind_of_data_is_in_the_notes_and_no_amount_is_converted(study):
    project = export_indigo(ek.evaluate(study())).project
    assert "Kind of data: synthetic." in project["notes"]["value"]
    assert [path for path, _ in values(project) if any("usd" in part for part in path)] == []


def test_an_organisation_keeps_its_indigo_id_and_a_source_with_a_semicolon_stays_whole(study):
    made = export_indigo(ek.evaluate(study()))
    assert {one["id"]: one["name"]["value"] for one in made.organisations} == {
        "INDIGO-ORG-0007": "The council",
        "party2": "A fund",
    }
    sources = {one["name"]["value"]: one for one in made.project["sources"]}
    assert "The contract; its second schedule" in sources
    assert sources["https://example.org/report.pdf"]["url"]["value"] == "https://example.org/report.pdf"
    used = {id for path, found in values(made.project) if path[-1] == "source_ids" for id in str(found).split(",")}
    assert used <= {one["id"] for one in made.project["sources"]}


def test_a_null_result_is_exported_with_its_interval():
    project = export_indigo(ek.evaluate("data/raw/edge_of_care")).project
    found = next(item for item in project["results"] if item.get("result_level", {}).get("value") == "Project level")
    told = found["other_description_of_result"]["value"]
    assert "No clear difference in SDQ better" in told
    assert len(re.findall(r"\(.*? to .*?\)", told)) == 4


def test_headers_end_in_value_only_where_the_json_form_keeps_a_status_apart():
    assert columns.headers("projects_outcome_pricings")[:3] == [
        "Project ID",
        "Outcome Metric Id - (Value)",
        "Currency - (Value)",
    ]
    assert columns.headers("organisations")[:2] == ["ID", "Name"]
    assert not [name for table in columns.tables() for name in columns.headers(table) if "contact" in name.lower()]


def test_headers_are_those_of_the_published_spreadsheets(whole_record):
    for table in columns.tables():
        with (whole_record / columns.file_of(table)).open(encoding="utf-8-sig", newline="") as file:
            assert columns.headers(table) == next(csv.reader(file)), table


@pytest.mark.parametrize("name", ["edge_of_care", "reboot_west", "peterborough"])
def test_an_export_keeps_to_the_schema(name, schema):
    made = export_indigo(ek.evaluate(f"data/raw/{name}"))
    check_against(schema, made.project, made.organisations)


def test_an_export_is_read_back_to_the_same_owed_and_paid(tmp_path):
    evaluation = ek.evaluate("data/raw/reboot_west")
    folder = write_export(evaluation, tmp_path / "out")
    again = read_indigo(folder).project("INDIGO-POJ-0121").reconcile()
    assert (again.owed, again.paid) == (evaluation.contract.totals["owed"], evaluation.contract.totals["paid"])


def test_a_folder_that_stands_is_kept_unless_it_is_an_export_that_may_be_replaced(study, tmp_path):
    evaluation = ek.evaluate(study())
    folder = write_export(evaluation, tmp_path / "out")
    (folder / "project.json").write_text("{}", encoding="utf-8")
    with pytest.raises(StudyError, match="--replace"):
        write_export(evaluation, folder)
    assert (folder / "project.json").read_text(encoding="utf-8") == "{}"
    assert json.loads((write_export(evaluation, folder, replace=True) / "project.json").read_text("utf-8"))["name"]
    other = tmp_path / "thesis"
    other.mkdir()
    (other / "chapter.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(StudyError, match=r"holds no project\.json"):
        write_export(evaluation, other, replace=True)
    assert [path.name for path in other.iterdir()] == ["chapter.txt"]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
