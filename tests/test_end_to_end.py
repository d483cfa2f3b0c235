"""The whole walk, as an evaluator takes it: from folders to finished reports and the index."""

import json
import os
import re
import shutil
import signal
import threading
import time
from pathlib import Path

import pandas as pd
import pytest

import evalkit as ek
from evalkit.batch import run_studies
from evalkit.evaluation import trace_tables
from evalkit.report.results import results

ROOT = Path(__file__).parent.parent
STUDIES = ["edge_of_care", "national_supported_work", "peterborough", "project_star", "reboot_west"]

pytestmark = pytest.mark.xdist_group("reports")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A copy of the demo studies and the reports made from it."""
    base = tmp_path_factory.mktemp("walk")
    for name in STUDIES:
        shutil.copytree(ROOT / "data" / "raw" / name, base / "data" / "raw" / name)
    result = run_studies([base / "data" / "raw" / name for name in STUDIES], base / "reports", progress=False)
    ek.render_portfolio(base / "reports")
    return base, result


def copy_of(name, folder, new=None):
    return Path(shutil.copytree(ROOT / "data" / "raw" / name, folder / (new or name)))


def numbers(folder):
    return {entry["id"]: entry for entry in json.loads((folder / "results.json").read_text(encoding="utf-8"))}


def test_all_five_studies_end_in_a_report_and_an_index(made):
    base, result = made
    assert result.failed == {}
    assert sorted(result.done) == STUDIES
    assert (base / "reports" / "index.html").is_file()


@pytest.mark.parametrize("name", [*STUDIES, ""])
def test_a_page_is_one_file_that_fetches_nothing(made, name):
    page = made[0] / "reports" / (f"{name}/report.html" if name else "index.html")
    html = page.read_text(encoding="utf-8")
    assert not re.search(r"""<(script|img|iframe|link)[^>]+(src|href)=["'](?!data:|#)""", html)
    assert not re.search(r"""@import|url\(\s*["']?(?!data:|#|["']?#)""", html)
    assert len(html) < 1_500_000


@pytest.mark.parametrize("name", STUDIES)
def test_the_kind_of_data_is_the_first_thing_on_the_page(made, name):
    html = (made[0] / "reports" / name / "report.html").read_text(encoding="utf-8")
    kind = ek.read_study(ROOT / "data" / "raw" / name).study.kind
    body = html[html.index("<body") :]
    assert kind in re.sub(r"<[^>]+>", "", body[: body.index("<h1")]).lower()


@pytest.mark.parametrize("name", STUDIES)
def test_results_have_stable_ids_units_and_texts(made, name):
    entries = json.loads((made[0] / "reports" / name / "results.json").read_text(encoding="utf-8"))
    assert all(list(entry) == ["id", "value", "unit", "low", "high", "text", "section", "source"] for entry in entries)
    assert len({entry["id"] for entry in entries}) == len(entries)
    assert all(entry["text"] for entry in entries)


@pytest.mark.parametrize("name", STUDIES)
def test_the_page_prints_its_headline_numbers_from_results(made, name):
    base = made[0] / "reports" / name
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", (base / "report.html").read_text(encoding="utf-8")))
    entries = [entry for entry in numbers(base).values() if entry["id"].endswith((".effect", "contract.paid"))]
    assert [entry["id"] for entry in entries if entry["text"] not in page] == []


def dated(table):
    """Dates in one unit: a file keeps milliseconds where memory keeps seconds."""
    return table.astype(dict.fromkeys(table.select_dtypes("datetime").columns, "datetime64[ns]"))


@pytest.mark.parametrize("name", STUDIES)
def test_the_trace_of_a_run_is_written_and_read_back(made, name):
    trace = ek.read_trace(made[0] / "data" / "processed" / name)
    again = ek.evaluate(made[0] / "data" / "raw" / name)
    expected = trace_tables(again)
    assert list(trace) == list(expected)
    for stage, table in expected.items():
        pd.testing.assert_frame_equal(dated(trace[stage]), dated(table), check_dtype=False, obj=stage)


def test_the_page_prints_the_published_numbers(made):
    base = made[0] / "reports"
    text = {name: (base / name / "report.html").read_text(encoding="utf-8") for name in STUDIES}
    assert "8.4%" in text["peterborough"]
    assert "1,617,330" in text["reboot_west"]
    assert "1,871,540" in text["reboot_west"]
    assert "6,325" in text["project_star"]
    assert "6,149" in text["project_star"]
    assert "0.19" in text["project_star"]
    assert "1,794" in text["national_supported_work"]
    assert "synthetic" in text["edge_of_care"].lower()


def test_nothing_is_run_again_when_nothing_has_changed(made):
    base, _ = made
    again = run_studies([base / "data" / "raw" / name for name in STUDIES], base / "reports", progress=False)
    assert sorted(again.unchanged) == STUDIES
    assert again.done == ()


def kill_the_worker_of(name, reports):
    """Wait until a worker has begun on a study, and kill it there and then, as a machine short of memory would."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        for aside in reports.glob(f".making-{name}-*"):
            os.kill(int(aside.name.rsplit("-", 1)[1]), signal.SIGKILL)
            return
        time.sleep(0.002)


def test_a_broken_study_and_a_killed_worker_cost_only_themselves(tmp_path):
    raw = tmp_path / "raw"
    good = [copy_of("peterborough", raw), copy_of("reboot_west", raw)]
    typo = copy_of("peterborough", raw, "typo")
    (typo / "study.toml").write_text((typo / "study.toml").read_text().replace("[study]", "[studdy]"))
    no_table = copy_of("project_star", raw, "no_table")
    (no_table / "pupils.csv").unlink()
    not_toml = raw / "not_toml"
    not_toml.mkdir()
    (not_toml / "study.toml").write_text("this is not toml")
    killed = copy_of("reboot_west", raw, "killed")
    text = (killed / "study.toml").read_text().replace('id = "reboot_west"', 'id = "killed"')
    (killed / "study.toml").write_text(text)
    killer = threading.Thread(target=kill_the_worker_of, args=("killed", tmp_path / "reports"), daemon=True)
    killer.start()
    result = run_studies([*good, typo, no_table, not_toml, killed], tmp_path / "reports", progress=False)
    assert sorted(result.done) == ["peterborough", "reboot_west"]
    assert sorted(result.failed) == ["killed", "not_toml", "project_star", "typo"]
    assert f"signal {int(signal.SIGKILL)}" in result.failed["killed"]
    assert "pupils.csv" in result.failed["project_star"]
    failed = tmp_path / "reports" / "failed"
    assert {path.name for path in failed.glob("*.ipynb")} >= {"typo.ipynb", "not_toml.ipynb", "project_star.ipynb"}
    run_studies(good, tmp_path / "reports", progress=False)
    assert not list((tmp_path / "reports").glob(".making-*"))


def test_one_changed_score_moves_every_number_that_depends_on_it(tmp_path):
    folder = copy_of("project_star", tmp_path / "raw")
    before = ek.evaluate(folder).effects
    pupils = pd.read_csv(folder / "pupils.csv", dtype={"id": str, "sch": str})
    row = pupils.index[pupils["small"].eq(1) & pupils["read_K"].notna()][0]
    pupils.loc[row, "read_K"] += 50
    pupils.to_csv(folder / "pupils.csv", index=False)
    after = ek.evaluate(folder).effects
    for column in ("effect", "se", "low", "high", "observed"):
        assert before.table.loc[0, column] != after.table.loc[0, column]
    moved = before.measures["effect"].ne(after.measures["effect"])
    assert list(before.measures.loc[moved, "measure"]) == ["read@K"]
    assert before.also.loc[before.also["id"].eq("within_school"), "effect"].item() != pytest.approx(
        after.also.loc[after.also["id"].eq("within_school"), "effect"].item(), abs=1e-9
    )


def test_one_more_month_in_care_moves_effect_deadweight_payment_and_value(tmp_path):
    folder = copy_of("edge_of_care", tmp_path / "raw")
    before = {one.id: one.value for one in results(ek.evaluate(folder))}
    cohort = ek.build_cohort(ek.read_study(folder))
    treated = set(cohort.table.loc[cohort.table["arm"].eq("treated"), "person"])
    starts = dict(zip(cohort.table["person"], cohort.table["index_date"], strict=True))
    episodes = pd.read_csv(folder / "episodes.csv", dtype={"person_id": str}, parse_dates=["start", "end"])
    once = episodes["person_id"].map(episodes["person_id"].value_counts()).eq(1)
    in_care = episodes["state"].eq("care") & episodes["end"].notna()
    mine = episodes[once & in_care & episodes["person_id"].isin(treated)]
    inside = mine["end"] < mine["person_id"].map(starts) + pd.Timedelta(days=400)
    row = mine.index[inside & (mine["start"] > mine["person_id"].map(starts))][0]
    episodes.loc[row, "end"] += pd.Timedelta(days=30)
    episodes.to_csv(folder / "episodes.csv", index=False, date_format="%Y-%m-%d")
    after = {one.id: one.value for one in results(ek.evaluate(folder))}
    moved = {name for name, value in before.items() if value != after[name]}
    expected = {"care_days.effect", "care_days.observed", "care_days.deadweight", "contract.anyway", "value.ratio"}
    assert expected <= moved
    assert {"cohort.people", "contract.paid", "wellbeing.index.effect"} & moved == set()


def test_a_renamed_study_gives_the_same_numbers_under_its_new_name(tmp_path):
    folder = copy_of("reboot_west", tmp_path / "raw", "quite_another")
    text = (folder / "study.toml").read_text().replace('id = "reboot_west"', 'id = "quite_another"')
    (folder / "study.toml").write_text(text)
    result = run_studies([folder], tmp_path / "reports", progress=False)
    assert result.done == ("quite_another",)
    assert numbers(tmp_path / "reports" / "quite_another")["contract.paid"]["value"] == 1871540


def test_the_readmes_python_runs(monkeypatch):
    monkeypatch.chdir(ROOT)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = [code for code in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "import" in code]
    assert len(blocks) == 3
    names: dict = {}  # a later block may go on from an earlier one, as a reader does
    for code in blocks:
        exec(compile(code, "README.md", "exec"), names)


@pytest.mark.parametrize("name", ["tour.ipynb", "validation.ipynb"])
def test_the_other_notebooks_run_from_top_to_bottom(name, tmp_path):
    import papermill

    papermill.execute_notebook(
        ROOT / "notebooks" / name, tmp_path / name, cwd=ROOT / "notebooks", progress_bar=False, kernel_name="python3"
    )
