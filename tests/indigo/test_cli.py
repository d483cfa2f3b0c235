"""evalkit indigo, as it is typed."""

from __future__ import annotations

import json

import pytest

from evalkit.cli import main
from evalkit.indigo import QUALITY
from tests.indigo.conftest import FIRST


def run(*arguments):
    """Run the command; its status."""
    with pytest.raises(SystemExit) as ended:
        main(["indigo", *map(str, arguments)])
    return ended.value.code or 0


def test_a_project_becomes_a_folder_that_evalkit_run_takes(record, tmp_path, capsys):
    assert run(FIRST.lower(), "--from", record, "--to", tmp_path / "raw") == 0
    said = capsys.readouterr().out
    assert "stand in it as flags" in said
    assert f"evalkit run {(tmp_path / 'raw' / 'indigo_poj_0901').as_posix()}" in said


def test_an_unknown_project_is_told_with_the_nearest(record, tmp_path, capsys):
    assert run("INDIGO-POJ-0991", "--from", record, "--to", tmp_path / "raw") == 2
    assert "Did you mean" in capsys.readouterr().err
    assert not (tmp_path / "raw").exists()


def test_a_study_is_exported_and_what_was_left_out_is_told(study, tmp_path, capsys):
    assert run(study(), "--export", tmp_path / "out") == 0
    assert "left out: outcome_metrics, rare: achieved, owed, paid." in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "project.json").read_text(encoding="utf-8"))["status"] == "PUBLIC"
    assert (tmp_path / "out" / "original_projects_outcome_payments.csv").is_file()


def test_real_data_without_a_reviewer_leave_nothing_behind(study, tmp_path, capsys):
    assert run(study(kind="real"), "--export", tmp_path / "out") == 2
    assert "DisclosureError" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_without_the_schema_is_told(study, tmp_path, capsys):
    assert run(study(), "--export", tmp_path / "out", "--schema", tmp_path) == 2
    assert "holds no project.json" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "Name a study"),
        (["x"], "Say which way"),
        (["x", "--from", "a", "--export", "b"], "Say which way"),
        (["--all"], "--all needs the data set"),
        (["x", "--all", "--from", "a"], "leave out the name"),
        (["x", "--from", "a", "--schema", "b"], "Add --export"),
    ],
)
def test_what_means_nothing_is_refused_with_what_to_write(arguments, told, capsys):
    assert run(*arguments) == 2
    assert told in capsys.readouterr().err


@pytest.mark.slow
def test_all_projects_become_reports_a_portfolio_and_a_page_of_findings(record, tmp_path, capsys):
    reports, raw = tmp_path / "reports", tmp_path / "raw"
    (raw / "indigo_poj_0902").mkdir(parents=True)
    (raw / "indigo_poj_0902" / "study.toml").write_text("# typed by hand\n", encoding="utf-8")
    assert run("--all", "--from", record, "--to", raw, "--out", reports) == 1
    said = capsys.readouterr()
    assert "2 reports written" in said.out
    assert "INDIGO-POJ-0902: no study." in said.err
    assert {path.parent.name for path in reports.glob("*/report.html")} == {"indigo_poj_0901", "indigo_poj_0903"}
    assert f'href="{QUALITY}"' in (reports / "index.html").read_text(encoding="utf-8")
    assert (reports / QUALITY).is_file()
