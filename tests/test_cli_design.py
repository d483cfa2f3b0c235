"""The commands before outcomes exist: evalkit lock, and evalkit simulate STUDY --draws."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pandas as pd
import pytest

from evalkit import cli

PLAN = """
[tables]
people = "people.csv"
forms = "forms.csv"

[cohort]
person = "person_id"
index = { table = "people", date = "referred_on" }
arm = { column = "arm", treated = "therapy", comparison = "usual care" }

[[occasion]]
id = "baseline"
day = 0

[[occasion]]
id = "later"
day = 180

[[measure]]
id = "score"
column = "score"
table = "forms"
date = "filled_on"

[counterfactual]
estimator = "difference"
design = "RCT"
"""
DESIGN = "\n[design]\ntreated = 64\ncomparison = 64\neffect = 0.5\nthreshold = 0.3\n"
PEOPLE = """
person_id,referred_on,arm
a,2024-01-01,therapy
b,2024-02-01,usual care
"""
BEFORE = "person_id,filled_on,score\na,2024-01-02,3\nb,2024-02-01,4\n"
AFTER = BEFORE + "a,2024-07-01,5\n"


@pytest.fixture
def evalkit(capsys, monkeypatch, tmp_path):
    """Run the command in the folder of the studies: its exit status, what it printed, and its errors."""
    monkeypatch.chdir(tmp_path)

    def command(*words: str) -> SimpleNamespace:
        with pytest.raises(SystemExit) as ended:
            cli.main(words)
        printed = capsys.readouterr()
        return SimpleNamespace(status=ended.value.code, out=printed.out, err=printed.err)

    return command


def test_lock_before_any_outcome_says_that_none_was_in(evalkit, make_study):
    folder = make_study(PLAN, people=PEOPLE, forms=BEFORE)
    locked = evalkit("lock", "demo")
    assert (locked.status, locked.err) == (0, "")
    assert locked.out.startswith("demo: the plan is locked in lock.json, hash ")
    assert "No outcome was in the study's tables when the plan was locked." in locked.out
    assert "From now on the report lists every departure from it." in locked.out
    written = json.loads((folder / "lock.json").read_text(encoding="utf-8"))
    assert written["outcomes"]["there"] is False


def test_lock_after_outcomes_are_in_says_so_with_the_month_and_never_the_day(evalkit, make_study):
    folder = make_study(PLAN, people=PEOPLE, forms=AFTER)
    locked = evalkit("lock", "demo")
    assert "Outcomes were in already when the plan was locked (forms, up to July 2024)" in locked.out
    text = (folder / "lock.json").read_text(encoding="utf-8")
    assert json.loads(text)["outcomes"]["latest"] == "2024-07"
    assert "2024-07-01" not in text


def test_lock_of_a_study_whose_tables_are_not_there_yet(evalkit, make_study):
    make_study(PLAN)
    assert "No outcome was in the study's tables when the plan was locked." in evalkit("lock", "demo").out


def test_lock_of_published_rates_says_that_they_were_in(evalkit, make_study):
    plan = '[counterfactual]\nestimator = "published"\nrates = "rates.csv"\n'
    make_study(plan, rates="outcome,treated,comparison\nreconvictions,142,155\n")
    assert "Outcomes were in already when the plan was locked (rates.csv)" in evalkit("lock", "demo").out


def test_a_second_lock_is_refused_and_with_a_reason_lists_what_changed(evalkit, make_study):
    make_study(PLAN)
    evalkit("lock", "demo")
    refused = evalkit("lock", "demo")
    assert refused.status == 2
    assert 'To lock another plan, say why: --again "REASON".' in refused.err
    make_study(PLAN.replace('"difference"', '"ols"'))
    again = evalkit("lock", "demo", "--again", "the council asked")
    assert again.status == 0
    assert "Since the lock before: [counterfactual] estimator was difference, is now ols." in again.out


def test_show_lists_departures_and_changes_nothing(evalkit, make_study):
    folder = make_study(PLAN)
    assert evalkit("lock", "demo", "--show").out == "The plan was not locked.\n"
    assert not (folder / "lock.json").exists()
    evalkit("lock", "demo")
    before = (folder / "lock.json").read_bytes()
    make_study(PLAN.replace("day = 180", "day = 365"))
    shown = evalkit("lock", "demo", "--show")
    assert "There is 1 departure from it since." in shown.out
    assert "  [[occasion]] later: day was 180, is now 365." in shown.out
    assert (folder / "lock.json").read_bytes() == before


def test_simulate_with_draws_tries_the_design_and_touches_no_table(evalkit, make_study):
    folder = make_study(PLAN + DESIGN, people=PEOPLE)
    tried = evalkit("simulate", "demo", "--draws", "60")
    assert (tried.status, tried.err) == (0, "")
    assert "demo: the design tried on invented outcomes; none of the study's own is used." in tried.out
    for words in ("True effect", "Effect found (error)", "expected", "smallest found", "Monte Carlo error"):
        assert words in tried.out
    assert "The contract pays from an estimate of 0.30 better." in tried.out
    assert sorted(path.name for path in folder.iterdir()) == ["people.csv", "study.toml"]


def test_simulate_write_saves_the_table_beside_the_other_traces(evalkit, make_study, tmp_path):
    make_study(PLAN + DESIGN, folder="data/raw/demo")
    written = evalkit("simulate", "data/raw/demo", "--draws", "20", "--seed", "3", "--write")
    assert "Written: data/processed/demo/design.csv" in written.out
    table = pd.read_csv(tmp_path / "data/processed/demo/design.csv")
    assert list(table["name"])[:2] == ["no effect", "expected"]
    assert {"bias_error", "coverage", "power", "pays"} <= set(table)
    assert [path.name for path in (tmp_path / "data/processed/demo").iterdir()] == ["design.csv"]


def test_simulate_says_why_the_sizes_are_not_known(evalkit, make_study):
    make_study(PLAN)
    refused = evalkit("simulate", "demo", "--draws", "20")
    assert refused.status == 2
    assert "Write [design] with treated = ... and comparison = ... ." in refused.err
    assert "The cohort cannot be built yet" in refused.err


def test_write_without_draws_is_a_slip(evalkit, make_study):
    make_study(PLAN)
    slip = evalkit("simulate", "demo", "--write")
    assert slip.status == 2
    assert "--write saves what --draws finds. Write, for example, --draws 500 --write." in slip.err


def test_published_rates_cannot_be_tried_and_the_message_says_what_can(evalkit, make_study):
    make_study('[counterfactual]\nestimator = "published"\nrates = "rates.csv"\n', rates="outcome\nx\n")
    refused = evalkit("simulate", "demo", "--draws", "20")
    assert refused.status == 2
    assert 'try estimator = "difference"' in refused.err
