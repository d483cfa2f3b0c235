"""The studies of the repository: valid plans, tables that agree with their sources, nothing unconfirmed."""

import json
import re
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from evalkit import evaluate
from evalkit.report.interim import interim
from evalkit.study import read_study
from evalkit.study.files import files_named
from evalkit.study.model import StudyFile

ROOT = Path(__file__).parent.parent
RAW = ROOT / "data" / "raw"
DATA = ROOT / "tests" / "data"
STUDIES = sorted(path.parent.name for path in RAW.glob("*/SOURCES.md"))


def table(study, file):
    return pd.read_csv(RAW / study / file)


@pytest.fixture
def of_care_leavers(beside):
    """The rows of the INDIGO dataset on Reboot West and its sister project."""
    return pd.read_csv(beside("domain/10_indigo_reconcile_care_leavers/rate_card_and_results.csv"))


# ---------------------------------------------------------------- all of them


@pytest.mark.parametrize("name", STUDIES)
def test_the_plan_is_valid_and_its_files_are_there(name):
    plan = tomllib.loads((RAW / name / "study.toml").read_text(encoding="utf-8"))
    assert StudyFile.model_validate(plan).study.id == name
    study = read_study(RAW / name)
    assert [file for _, file in files_named(study) if not study.path(file).is_file()] == []


@pytest.mark.parametrize("name", STUDIES)
def test_every_table_in_the_folder_is_in_its_sources_and_used_by_the_plan(name):
    files = {path.name for path in (RAW / name).iterdir()} - {"study.toml", "SOURCES.md"}
    sources = (RAW / name / "SOURCES.md").read_text(encoding="utf-8")
    assert {file for file in files if f"`{file}`" not in sources} == set()
    assert files == {file for _, file in files_named(read_study(RAW / name))}


@pytest.mark.parametrize("name", STUDIES)
def test_the_report_will_say_what_it_cannot_say_and_whose_data_they_are(name):
    about = read_study(RAW / name).study
    assert about.cannot_say
    assert about.stand
    assert about.kind_note
    assert about.sources


@pytest.mark.parametrize("name", STUDIES)
def test_files_are_plain_text_with_line_feeds(name):
    for path in (RAW / name).iterdir():
        content = path.read_bytes()
        assert b"\r" not in content, path.name
        assert content.endswith(b"\n"), path.name
        content.decode("utf-8")


# ---------------------------------------------------------------- HMP Peterborough


def test_the_published_rates_are_142_against_155_and_no_sizes_are_claimed():
    rates = table("peterborough", "rates.csv").set_index("outcome").loc["reconvictions"]
    assert (rates["treated"], rates["comparison"], rates["rounding"], rates["per"]) == (142, 155, 1, 100)
    assert rates[["n_treated", "n_comparison"]].isna().all()
    assert "civilsociety.co.uk" in rates["source"]


def test_only_the_trigger_of_cohort_1_is_judged():
    triggers = {one.id: one for one in read_study(RAW / "peterborough").contract.trigger}
    assert (triggers["early"].at_least, triggers["early"].judged) == (0.10, True)
    assert (triggers["final"].at_least, triggers["final"].judged) == (0.075, False)
    assert "all cohorts" in triggers["final"].scope
    assert triggers["final"].note


def test_the_interim_series_is_the_published_one_with_its_overlapping_periods_named():
    given = pd.read_csv(DATA / "domain_02" / "series.csv")
    ours = table("peterborough", "interim.csv")
    assert ours["treated"].tolist() == given["pbo_freq_per_100"].tolist()
    assert ours["comparison"].tolist() == given["nat_freq_per_100"].tolist()
    assert ours["phase"].tolist() == given["period"].tolist()
    starts, ends = (pd.to_datetime(ours[end]) for end in ("start", "end"))
    assert (starts.dt.strftime("%b%y") + "-" + ends.dt.strftime("%b%y")).tolist() == given["discharge_period"].tolist()
    note = read_study(RAW / "peterborough").series[0].note
    for word in ("not matched", "overlap", "not the payment measure", "Six-month"):
        assert word in note


def test_the_ratios_named_in_the_note_are_those_of_the_series():
    series = table("peterborough", "interim.csv").query("phase == 'pre'")
    ratios = [f"{ratio:.2f}" for ratio in series["treated"] / series["comparison"]]
    assert f"({', '.join(ratios)})" in read_study(RAW / "peterborough").series[0].note


@pytest.mark.parametrize("name", STUDIES)
def test_no_figure_that_is_marked_unconfirmed_is_printed(name):
    """The second decimal of cohort 1, the final result with a decimal, cohort 2, the matching ratio, group sizes."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in (RAW / name).glob("*.*") if path.suffix != ".csv")
    for figure in (
        r"8\.39",
        r"\b9\.0\s?%",
        r"\b9\.7\s?%",
        r"\b10\s?:\s?1\b",
        r"\bup to ten\b",
        r"\b9,360\b",
        r"\b936\b",
    ):
        assert not re.search(figure, text), figure


# ---------------------------------------------------------------- Reboot West


def test_rates_units_and_payments_are_the_published_ones(of_care_leavers):
    given = of_care_leavers[of_care_leavers["project"] == "INDIGO-POJ-0121"].set_index("metric")
    for file, ours, theirs in (
        ("rate_card.csv", "price", "price"),
        ("achieved.csv", "units", "achieved"),
        ("payments.csv", "amount", "paid"),
    ):
        assert table("reboot_west", file).set_index("metric")[ours].astype(float).equals(given[theirs].rename(ours))


def test_price_times_units_and_payments_differ_by_254210():
    card, achieved, payments = (table("reboot_west", f"{file}.csv") for file in ("rate_card", "achieved", "payments"))
    owed = card.merge(achieved, on="metric")
    assert (owed["price"] * owed["units"]).sum() == 1_617_330
    assert payments["amount"].sum() == 1_871_540
    assert set(payments["kind"]) == {"actual"}


def test_no_outcome_is_linked_to_an_effect_and_no_causal_claim_is_planned():
    study = read_study(RAW / "reboot_west")
    assert table("reboot_west", "rate_card.csv")["outcome"].isna().all()
    assert study.counterfactual is None
    assert study.value is None
    assert study.contract.published
    assert (study.contract.maximum_recorded, study.contract.cap) == (2_250_000, None)


def test_metrics_are_described_in_our_own_words(of_care_leavers):
    theirs = set(of_care_leavers["definition_first_match"].dropna().str.lower().str.strip())
    ours = table("reboot_west", "rate_card.csv")["title"].str.lower()
    assert [title for title in ours if title in theirs] == []
    assert ours.is_unique


def test_every_typed_figure_carries_its_source():
    for file in ("rate_card.csv", "achieved.csv", "payments.csv"):
        assert table("reboot_west", file)["source"].str.contains("INDIGO-POJ-0121").all()
    study = read_study(RAW / "reboot_west")
    assert all(part.source for part in (*study.party, *study.term))


# ---------------------------------------------------------------- the two worked examples on public data


def test_project_star_holds_6325_entrants_of_79_schools_of_whom_6149_have_a_score():
    pupils = table("project_star", "pupils.csv")
    scores = pupils.filter(regex="^(read|math)_")
    assert (len(pupils), pupils["sch"].nunique(), scores.shape[1]) == (6325, 79, 8)
    assert pupils["id"].is_unique
    assert scores.notna().any(axis=1).sum() == 6149


def test_the_185_participants_are_the_same_people_in_both_files():
    people, experiment = (table("national_supported_work", file) for file in ("people.csv", "experiment.csv"))
    ours, theirs = (frame[frame["treat"] == 1].reset_index(drop=True) for frame in (people, experiment))
    shared = ["uid", "age", "educ", "nodegree", "re74", "re75", "re78"]
    pd.testing.assert_frame_equal(ours[shared], theirs[shared])
    assert len(ours) == 185
    assert set(people["uid"]) & set(experiment["uid"]) == set(ours["uid"])
    assert (len(people), len(experiment)) == (614, 445)


def test_the_experiments_own_difference_is_the_benchmark():
    earned = table("national_supported_work", "experiment.csv").groupby("treat")["re78"].mean()
    assert earned[1] - earned[0] == pytest.approx(1794.3424, abs=1e-3)


# ---------------------------------------------------------------- edge of care


def test_the_synthetic_study_says_so_wherever_a_reader_looks():
    study = read_study(RAW / "edge_of_care")
    assert study.study.kind == "synthetic"
    for text in (study.study.kind_note, study.study.over, study.study.stand, study.study.cannot_say[0]):
        assert re.search("synthetic|invented", text)
    assert "Synthetic" in (RAW / "edge_of_care" / "SOURCES.md").read_text(encoding="utf-8")
    assert table("edge_of_care", "impact_map.csv")["source"].str.contains("invented").all()


def test_the_books_agree_but_for_two_units_paid_in_error():
    card = table("edge_of_care", "rate_card.csv").set_index("metric")
    units = table("edge_of_care", "achieved.csv").groupby("metric")["units"].sum()
    payments = table("edge_of_care", "payments.csv")
    paid = payments[payments["kind"] == "actual"].groupby("metric")["amount"].sum()
    owed = (card["price"] * units).clip(upper=card["cap_metric"])
    assert (paid - owed).to_dict() == {"care_days": 0, "engagement": 0, "no_care": 6000, "sdq_better": 0}
    assert paid.sum() <= read_study(RAW / "edge_of_care").contract.cap


def test_the_contracts_baseline_is_the_same_in_plan_and_rate_card():
    study = read_study(RAW / "edge_of_care")
    baseline = table("edge_of_care", "rate_card.csv").set_index("metric").at["care_days", "baseline"]
    assert study.find_measure("care_days").contract_baseline == baseline


def test_cash_flows_are_payments_less_the_cost_of_delivery():
    study = read_study(RAW / "edge_of_care")
    payments = table("edge_of_care", "payments.csv").query("kind == 'actual'")
    flows = table("edge_of_care", "cash_flows.csv")
    assert flows["amount"].sum() == pytest.approx(payments["amount"].sum() - study.value.cost, abs=len(flows))
    assert flows["amount"].iloc[0] < 0 < flows["amount"].iloc[-1]


def test_every_planned_outcome_has_a_truth():
    study = read_study(RAW / "edge_of_care")
    assert set(study.counterfactual.outcomes) <= set(table("edge_of_care", "truth.csv")["outcome"])


def test_the_flow_of_the_demonstration_leaves_somebody_out_at_every_step_and_does_not_know_for_some():
    from evalkit.cohort import build_cohort

    flow = build_cohort(read_study(RAW / "edge_of_care")).flow
    rules = flow[flow["kind"].isin(["include", "exclude"])]
    assert (rules["left_out"] >= 10).all()
    assert flow["unknown"].sum() > 0
    assert flow["people"].iloc[-1] == flow["treated"].iloc[-1] + flow["comparison"].iloc[-1]


def test_the_expected_figures_of_the_acceptance_examples_are_reached_from_the_committed_tables():
    expected = json.loads((DATA / "domain_01" / "expected.json").read_text())["expected"]
    rates = table("peterborough", "rates.csv").iloc[0]
    relative = 100 * (1 - rates["treated"] / rates["comparison"])
    assert relative == pytest.approx(expected["cohort1_relative_reduction_pct_from_rounded_rates"], abs=5e-4)
    half = rates["rounding"] / 2
    low = 100 * (1 - (rates["treated"] + half) / (rates["comparison"] - half))
    high = 100 * (1 - (rates["treated"] - half) / (rates["comparison"] + half))
    assert [low, high] == pytest.approx(expected["rounding_interval_pct"], abs=5e-4)


def test_the_interim_series_comes_to_the_expected_differences():
    expected = json.loads((DATA / "domain_02" / "expected.json").read_text())["expected"]
    (series,) = interim(read_study(RAW / "peterborough"))
    found = {change.id: change.value for change in series.changes}
    assert found["last_pre"] == pytest.approx(expected["did_frequency_last_pre_period"], abs=1e-9)
    assert found["mean_pre"] == pytest.approx(expected["did_frequency_mean_of_4_pre"], abs=1e-9)
    assert 100 * found["relative_ratio"] == pytest.approx(expected["relative_effect_ratio_pct"], abs=5e-4)
    assert 100 * found["relative_additive"] == pytest.approx(expected["relative_effect_additive_pct"], abs=5e-4)


def test_the_plain_mean_of_the_tests_stands_beside_the_weighted_index():
    also = evaluate(RAW / "project_star").effects.also.set_index("id")
    assert also.loc["planned", ["effect", "se"]].tolist() == pytest.approx([0.1883, 0.0416], abs=5e-5)
    assert also.loc["mean_of_tests", ["effect", "se"]].tolist() == pytest.approx([0.1930, 0.0400], abs=6e-5)
