"""The evalkit command: what it prints, its exit status, and that nothing is left half-written."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

from evalkit import cli
from evalkit.study import read_study

ROOT = Path(__file__).parents[1]


@pytest.fixture
def evalkit(capsys, monkeypatch, tmp_path):
    """Run the command in an empty folder: its exit status, what it printed, and its errors."""
    monkeypatch.chdir(tmp_path)

    def command(*words: str) -> SimpleNamespace:
        with pytest.raises(SystemExit) as ended:
            cli.main(words)
        printed = capsys.readouterr()
        return SimpleNamespace(status=ended.value.code, out=printed.out, err=printed.err)

    return command


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A new study, written once for this file."""
    from evalkit.cli.new import write_new_study

    return write_new_study("fresh", tmp_path_factory.mktemp("new"))


def test_new_writes_a_study_that_is_sound_and_says_what_to_do_next(evalkit, tmp_path):
    made = evalkit("new", "north_star")
    assert (made.status, made.err) == (0, "")
    assert "evalkit check data/raw/north_star" in made.out
    assert [each.name for each in (tmp_path / "data/raw").iterdir()] == ["north_star"]
    study = read_study("data/raw/north_star")
    assert (study.id, study.title, study.study.kind) == ("north_star", "North star", "synthetic")
    checked = evalkit("check", "data/raw/north_star")
    assert checked.status == 0, checked.err
    assert checked.out.startswith("data/raw/north_star is sound: 8 tables, ")
    assert "of 600 young people in the cohort, 5 measures, 3 metrics and 1 line of value." in checked.out


def test_a_new_study_is_walked_from_cohort_to_effects(fresh):
    from evalkit.cohort import build_cohort
    from evalkit.outcomes import score_outcomes

    cohort = build_cohort(read_study(fresh))
    outcomes = score_outcomes(cohort)
    assert {"care_days", "no_care", "wellbeing@m12"} <= set(outcomes.wide.columns)
    from evalkit.counterfactual import estimate_effects

    effects = estimate_effects(outcomes)
    assert effects.table["effect"].notna().all()


@pytest.mark.parametrize("name", ["two words", "../away", "1st", "", "é", "x" * 61])
def test_a_name_that_cannot_be_a_folder_is_refused_and_nothing_is_written(name, evalkit, tmp_path):
    made = evalkit("new", name)
    assert made.status == 2
    assert "cannot name a study. Begin with a letter" in made.err
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_never_written_into(evalkit, tmp_path):
    (tmp_path / "data/raw/mine").mkdir(parents=True)
    made = evalkit("new", "mine")
    assert made.status == 2
    assert "data/raw/mine exists already. Choose another name" in made.err
    assert list((tmp_path / "data/raw/mine").iterdir()) == []


def test_a_new_study_that_breaks_on_the_way_leaves_nothing(evalkit, tmp_path, monkeypatch):
    def broken(study):
        raise OSError(28, "No space left on device", "people.csv")

    monkeypatch.setattr("evalkit.simulate.redraw", broken)
    made = evalkit("new", "mine")
    assert made.status == 2
    assert "No space left on device" in made.err
    assert list((tmp_path / "data/raw").iterdir()) == []


def test_check_tells_several_studies_apart_and_reports_all(evalkit, fresh, make_study):
    wrong = make_study("[value]\nimpact_map = 'map.csv'\n", folder="wrong")
    checked = evalkit("check", str(wrong), str(fresh), "nowhere")
    assert checked.status == 2
    assert "fresh is sound" in checked.out
    assert "StudyError: wrong/study.toml has 2 problems:" in checked.err
    assert "[value] lacks cost" in checked.err
    assert "There is no study folder nowhere" in checked.err
    assert "Traceback" not in checked.err


def test_check_finds_what_the_tables_and_the_papers_have_wrong_together(evalkit, fresh, tmp_path):
    copy = shutil.copytree(fresh, tmp_path / "copy")
    for file, right, wrong in (
        ("people.csv", "person_id,born", "person_id,borne"),
        ("rate_card.csv", ",45,", ",much,"),
    ):
        text = (copy / file).read_text(encoding="utf-8")
        assert right in text
        (copy / file).write_text(text.replace(right, wrong), encoding="utf-8")
    checked = evalkit("check", str(copy))
    assert checked.status == 2
    assert checked.out == ""
    assert "born" in checked.err
    assert 'column "price": 1 cell is not an amount, in row 2 (the first: "much")' in checked.err


def test_check_refuses_deadweight_that_the_estimator_nets_out_already(evalkit, fresh, tmp_path):
    copy = shutil.copytree(fresh, tmp_path / "copy")
    text = (copy / "impact_map.csv").read_text(encoding="utf-8")
    assert ",180,2023,,0,0," in text
    (copy / "impact_map.csv").write_text(text.replace(",180,2023,,0,0,", ",180,2023,0.4,0,0,"), encoding="utf-8")
    checked = evalkit("check", str(copy))
    assert checked.status == 2
    assert '[value] gives deadweight and the estimator is "aipw", which already nets it out.' in checked.err


def test_check_refuses_a_design_that_no_scale_knows(evalkit, fresh, tmp_path):
    copy = shutil.copytree(fresh, tmp_path / "copy")
    text = (copy / "study.toml").read_text(encoding="utf-8").replace('design = "propensity', 'design = "propensety')
    (copy / "study.toml").write_text(text, encoding="utf-8")
    checked = evalkit("check", str(copy))
    assert checked.status == 2
    assert "is not on the list of the Maryland scale. Did you mean" in checked.err


def test_cohort_prints_who_is_left_after_each_rule(evalkit, fresh):
    shown = evalkit("cohort", str(fresh))
    assert shown.status == 0
    assert "aged 11 to 17 at referral" in shown.out
    assert " 600 " in shown.out


def test_cohort_of_a_study_without_people_says_so(evalkit, make_study):
    shown = evalkit("cohort", str(make_study("")))
    assert (shown.status, shown.out) == (2, "")
    assert "has no [cohort], so there is nobody to count" in shown.err


def test_simulate_draws_the_same_tables_again_and_others_for_another_seed(evalkit, fresh, tmp_path):
    copy = shutil.copytree(fresh, tmp_path / "copy")
    before = (copy / "people.csv").read_bytes()
    (copy / "people.csv").unlink()
    assert evalkit("simulate", str(copy)).status == 0
    assert (copy / "people.csv").read_bytes() == before
    other = evalkit("simulate", str(copy), "--seed", "8")
    assert "study.toml says seed = 1. Write seed = 8 there" in other.out
    assert (copy / "people.csv").read_bytes() != before


def test_simulate_never_touches_a_study_that_is_not_synthetic(evalkit, make_study):
    folder = make_study("", people="person_id\n1")
    refused = evalkit("simulate", str(folder))
    assert refused.status == 2
    assert "has no [simulation]" in refused.err
    assert (folder / "people.csv").read_text(encoding="utf-8") == "person_id\n1\n"


def test_schema_prints_json(evalkit):
    assert json.loads(evalkit("schema").out)["required"] == ["study"]


@pytest.fixture
def batch(monkeypatch):
    """A stand-in for the batch room that remembers what it was asked."""
    import evalkit.batch

    asked = []

    def run_studies(folders, out, **options):
        asked.append((list(folders), out, options))
        failed = {folder.name: "it broke" for folder in folders if folder.name == "bad"}
        done = tuple(folder.name for folder in folders if folder.name not in failed)
        return evalkit.batch.BatchResult(done=done, failed=failed)

    monkeypatch.setattr(evalkit.batch, "run_studies", run_studies)
    return asked


def test_run_without_names_takes_every_study_in_data_raw(evalkit, batch, make_study):
    for name in ("b", "a"):
        make_study("", folder=f"data/raw/{name}")
    ran = evalkit("run", "--workers", "1", "--out", "there", "--force")
    assert ran.status == 0
    ((folders, out, options),) = batch
    assert [folder.name for folder in folders] == ["a", "b"]
    assert (out, options) == (Path("there"), {"workers": 1, "force": True, "progress": True})
    assert ran.out == "a: report written\nb: report written\n"


def test_run_ends_with_1_when_a_report_failed(evalkit, batch, make_study):
    ran = evalkit("run", str(make_study("", folder="bad")), str(make_study("", folder="good")))
    assert ran.status == 1
    assert "good: report written" in ran.out
    assert "bad: failed. it broke" in ran.err


def test_run_of_a_folder_that_is_not_there_runs_nothing(evalkit, batch, make_study):
    ran = evalkit("run", str(make_study("", folder="good")), "god")
    assert ran.status == 2
    assert 'There is no study folder god. Did you mean "good"?' in ran.err
    assert batch == []


def test_run_where_there_is_nothing_says_how_to_begin(evalkit):
    ran = evalkit("run")
    assert ran.status == 2
    assert "evalkit new NAME writes one to begin with" in ran.err


@pytest.mark.parametrize("words", [["run", "--worker", "2"], ["chek", "x"], ["run", "--workers", "0"], ["check"]])
def test_a_slip_on_the_command_line_ends_with_2(words, evalkit):
    slip = evalkit(*words)
    assert slip.status == 2
    assert "Usage: evalkit" in slip.err


def test_a_fault_of_ours_is_said_without_a_traceback(evalkit, monkeypatch, make_study):
    def broken(folder):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("evalkit.cli.check.findings", broken)
    fault = evalkit("check", str(make_study("")))
    assert fault.status == 1
    assert "This is a fault of evalkit, not of yours: ZeroDivisionError: division by zero" in fault.err
    assert "Traceback" not in fault.err


def test_the_help_loads_no_heavy_library():
    heavy = ("pandas", "numpy", "scipy", "statsmodels", "duckdb", "matplotlib", "papermill", "pydantic")
    code = (
        "import sys\nfrom evalkit.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"sys.stderr.write(' '.join(name for name in {heavy} if name in sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert "Commands:" in ran.stdout
    assert ran.stderr == ""


def test_the_package_names_the_command():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"]["evalkit"] == "evalkit.cli:main"
