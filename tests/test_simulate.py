"""The simulated world: the same draw twice, a truth that is its own, and tables the other rooms agree with."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import StudyError
from evalkit.simulate import redraw, simulate_study, worlds, write_study_tables
from evalkit.simulate.forms import sdq_total
from evalkit.simulate.school import attend
from evalkit.simulate.truth import truth
from evalkit.simulate.world import EdgeOfCare, completed_years, draw_people
from evalkit.study import read_study

STUDY = Path(__file__).parent.parent / "data" / "raw" / "edge_of_care"
OUTCOMES = ["care_days", "no_care", "wellbeing@m12", "sdq_better", "ladder@m12", "attendance", "offending"]
AREAS = ["home", "school_or_work", "friends", "feelings", "staying_safe", "family"]


@pytest.fixture(scope="module")
def drawn():
    return simulate_study(seed=11, people=400)


@pytest.fixture(scope="module")
def many():
    """More people, for shares and correlations."""
    return simulate_study(seed=12, people=3000)


def days_after_referral(simulated, table):
    first = simulated.record.set_index("person_id")["referred_on"]
    return (table["date"] - table["person_id"].map(first)).dt.days


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


# ---------------------------------------------------------------- drawing


def test_the_same_seed_writes_the_same_bytes_and_another_seed_does_not(tmp_path):
    for name, seed in (("one", 3), ("two", 3), ("three", 4)):
        write_study_tables(simulate_study(seed=seed, people=120), tmp_path / name)
    one, two, three = (bytes_of(tmp_path / name) for name in ("one", "two", "three"))
    assert one == two
    assert one.keys() == three.keys()
    assert [file for file in one if one[file] == three[file]] == ["truth.csv"]


def test_everyone_has_one_row_of_people_and_at_least_one_referral(drawn):
    people, referrals = drawn.tables["people"], drawn.tables["referrals"]
    assert people["person_id"].is_unique
    assert len(people) == 400
    assert set(referrals["person_id"]) == set(people["person_id"])
    assert 410 < len(referrals) < 460


def test_a_person_referred_again_stays_in_the_same_arm(drawn):
    arms = drawn.tables["referrals"].groupby("person_id")["arm"].nunique()
    assert arms.max() == 1


def test_most_teams_hold_both_arms_and_one_in_twelve_offers_no_therapy():
    record = simulate_study(seed=1).record
    share = record.groupby("team")["treated"].mean()
    assert len(share) == 36
    assert (share[[33, 34, 35]] == 0).all()
    assert share.between(0.05, 0.95).sum() >= 30


def test_nobody_is_in_care_on_the_day_of_referral(drawn):
    first = drawn.tables["referrals"].groupby("person_id")["referred_on"].min()
    care = drawn.tables["episodes"].query("state == 'care'")
    start = care["person_id"].map(first)
    there = (care["start"] <= start) & (care["end"].isna() | (care["end"] > start))
    assert there.sum() == 0
    assert (care["start"] <= start).any()


def test_days_in_care_before_referral_agree_with_the_episodes(drawn):
    referrals = drawn.tables["referrals"].drop_duplicates("person_id").set_index("person_id")
    care = drawn.tables["episodes"].query("state == 'care'")
    before = care[care["start"] < care["person_id"].map(referrals["referred_on"])]
    days = (before["end"] - before["start"]).dt.days.groupby(before["person_id"]).sum()
    assert days.reindex(referrals.index, fill_value=0).tolist() == referrals["prior_care_days"].tolist()


def test_answers_stay_within_what_the_forms_allow(drawn):
    sdq, swemwbs = (drawn.tables[name].iloc[:, 2:] for name in ("sdq", "swemwbs"))
    assert set(sdq.stack().dropna().astype(int)) == {0, 1, 2}
    assert set(swemwbs.stack().dropna().astype(int)) == {1, 2, 3, 4, 5}
    assert 0 < sdq.isna().sum().sum() < 0.01 * sdq.size


def test_nothing_is_missing_when_asked_so():
    complete = simulate_study(seed=5, people=100, missing=0)
    assert len(complete.tables["sdq"]) == 400
    assert complete.tables["sdq"].notna().all(axis=None)
    assert complete.tables["ladder"].notna().all(axis=None)
    assert (complete.tables["attendance"]["possible"] > 0).all()


def test_reversed_items_stand_as_ticked(drawn):
    answers = drawn.tables["sdq"].drop(columns=["person_id", "date"]).astype(float)
    assert answers["q5"].corr(answers["q2"]) > 0.1
    assert answers["q5"].corr(answers["q7"]) < -0.1


@pytest.mark.parametrize(
    ("born", "on", "years"),
    [
        ("2004-03-10", "2017-03-09", 12),
        ("2004-03-10", "2017-03-10", 13),
        ("2004-02-29", "2017-02-28", 12),
        ("2004-02-29", "2017-03-01", 13),
        ("2004-12-31", "2018-01-01", 13),
    ],
)
def test_age_counts_completed_birthdays(born, on, years):
    assert completed_years(np.array([born], "datetime64[D]"), np.array([on], "datetime64[D]")).tolist() == [years]


# ---------------------------------------------------------------- what the service, schools and police keep


def test_sessions_attended_within_18_months_are_as_many_as_the_referral_says(many):
    sessions, record = many.tables["sessions"], many.record
    within = sessions[days_after_referral(many, sessions).between(1, 548)]
    attended = within.groupby("person_id")["attended"].sum()
    treated = record[record["treated"]].set_index("person_id")
    assert attended.reindex(treated.index).tolist() == treated["sessions"].tolist()
    assert set(sessions["person_id"]) == set(treated.index)
    assert (treated["sessions"] == 0).any()


def test_sessions_are_weekly_on_working_days_for_about_five_months(many):
    sessions = many.tables["sessions"]
    gaps = sessions.groupby("person_id")["date"].diff().dropna().dt.days
    assert set(gaps) == {7}
    assert sessions["date"].dt.dayofweek.max() <= 4
    by_person = sessions.groupby("person_id")["date"]
    weeks = (by_person.max() - by_person.min()).dt.days[sessions.groupby("person_id")["attended"].sum() >= 12] / 7
    assert 15 < weeks.mean() < 24


def test_whoever_stops_early_missed_the_last_three_sessions_and_whoever_completed_came_to_the_last(many):
    sessions = many.tables["sessions"]
    last = sessions.groupby("person_id")["attended"].apply(lambda came: came.tail(3).tolist())
    attended = sessions.groupby("person_id")["attended"].sum()
    early = attended < 12
    assert last[early].map(sum).eq(0).all()
    assert last[~early].map(lambda came: came[-1]).eq(1).all()
    assert 0.1 < early.mean() < 0.3


def test_workers_rate_only_those_in_therapy_in_whole_steps_from_1_to_10(many):
    ladder = many.tables["ladder"]
    steps = ladder[AREAS]
    assert list(ladder.columns) == ["person_id", "date", *AREAS]
    assert set(ladder["person_id"]) <= set(many.record.loc[many.record["treated"], "person_id"])
    assert set(steps.stack().dropna().astype(int)) == set(range(1, 11))
    assert 0 < steps.isna().sum().sum() < 0.015 * steps.size
    day = days_after_referral(many, ladder)
    assert (day.between(2, 14) | day.between(153, 213) | day.between(335, 395)).all()


def test_nobody_who_never_came_is_rated_again(many):
    ladder = many.tables["ladder"]
    again = ladder.loc[days_after_referral(many, ladder) > 14, "person_id"]
    sessions = many.record.set_index("person_id")["sessions"]
    assert (sessions.reindex(again) > 0).all()


def test_the_ladder_moves_with_what_parents_tick_and_a_few_start_at_its_top(many):
    ladder, record = many.tables["ladder"], many.record.set_index("person_id")
    day = days_after_referral(many, ladder)
    start, end = (ladder[when].set_index("person_id")[AREAS].astype(float) for when in (day < 15, day > 330))
    assert -0.8 < start.mean(axis=1).corr(record["sdq_parent_baseline"]) < -0.5
    moved = end.mean(axis=1) - start.mean(axis=1)
    assert moved.corr(record["sdq_parent_m12_1"] - record["sdq_parent_baseline"]) < -0.35
    assert 0.01 < (start == 10).mean().mean() < 0.06


def test_school_terms_are_three_before_the_referral_and_five_after_it_and_end_with_school_age(many):
    attendance, record = many.tables["attendance"], many.record.set_index("person_id")
    born, age = (attendance["person_id"].map(record[name]) for name in ("born", "age"))
    born = born.to_numpy().astype("datetime64[D]")
    at = completed_years(born, attendance["date"].to_numpy().astype("datetime64[D]"))
    assert at.max() == 16  # turns 16 in that school year, and leaves in the summer
    young = attendance[age <= 13]
    day = days_after_referral(many, young)
    assert set((day < 0).groupby(young["person_id"]).sum()) == {3}
    assert set((day >= 0).groupby(young["person_id"]).sum()) == {5}
    assert set(record["treated"].reindex(attendance["person_id"].unique())) == {True, False}


@pytest.mark.parametrize(
    ("born", "last_term"),
    [("2003-09-01", "2020-04-20"), ("2003-08-31", "2019-04-22"), ("2004-02-29", "2020-04-20")],
)
def test_school_ends_with_the_summer_of_the_year_in_which_somebody_turns_16(born, last_term):
    one = pd.DataFrame({"born": [born], "referred_on": ["2019-08-01"], "age": [15]})
    one[["born", "referred_on"]] = one[["born", "referred_on"]].astype("datetime64[s]")
    nothing = np.zeros(1)
    school = attend(one, nothing, nothing, 0.0, np.random.default_rng(1))
    assert school.opens[school.possible > 0].max() == np.datetime64(last_term)


def test_nobody_misses_more_half_days_than_there_were_and_some_terms_were_not_returned(many):
    attendance = many.tables["attendance"]
    assert (attendance["missed"] <= attendance["possible"]).all()
    assert 0.01 < (attendance["possible"] == 0).mean() < 0.05
    assert 0.75 < 1 - attendance["missed"].sum() / attendance["possible"].sum() < 0.92


def test_half_days_recorded_are_those_of_the_arm_a_person_was_in():
    complete = simulate_study(seed=5, people=400, missing=0)
    attendance, record = complete.tables["attendance"], complete.record.set_index("person_id")
    day = days_after_referral(complete, attendance)
    year = attendance[(day >= 0) & (day < 365)].groupby("person_id")[["missed", "possible"]].sum()
    share = (1 - year["missed"] / year["possible"]).reindex(record.index)
    wanted = record["attendance_1"].where(record["treated"], record["attendance_0"])
    pd.testing.assert_series_equal(share, wanted, check_names=False)
    assert (record["attendance_1"] > record["attendance_0"]).mean() > 0.5


def test_offences_are_few_and_their_severity_is_1_to_5(many):
    offences = many.tables["offences"]
    assert set(offences["severity"]) == {1, 2, 3, 4, 5}
    assert 0.1 < offences["person_id"].nunique() / len(many.record) < 0.4
    here = offences[days_after_referral(many, offences).between(0, 364)]
    wanted = many.record.set_index("person_id")["offending"]
    assert wanted.index.isin(here["person_id"]).tolist() == (wanted == 1).tolist()
    by_arm = many.record.groupby("treated")["offending"].sum()
    assert (by_arm > 50).all()


def test_what_others_keep_ends_with_the_rest_of_the_data(many):
    for name in ("sessions", "ladder", "attendance", "offences"):
        assert many.tables[name]["date"].max() <= pd.Timestamp("2021-12-31")


# ---------------------------------------------------------------- the truth


def test_the_truth_belongs_to_the_world_and_not_to_the_seed():
    one, two = (simulate_study(seed=seed, people=60).truth for seed in (1, 2))
    pd.testing.assert_frame_equal(one, two)
    assert one["outcome"].tolist() == OUTCOMES
    assert one["note"].str.len().min() > 40


def test_therapy_keeps_people_out_of_care_helps_how_they_feel_and_changes_nothing_parents_tick():
    effect = truth(EdgeOfCare()).set_index("outcome")["effect"]
    assert -60 < effect["care_days"] < -30
    assert 0.08 < effect["no_care"] < 0.2
    assert 0.15 < effect["wellbeing@m12"] < 0.3
    assert effect["sdq_better"] == 0


def test_therapy_lifts_the_ladder_and_attendance_a_little_and_offending_not_at_all():
    effect = truth(EdgeOfCare()).set_index("outcome")["effect"]
    assert 0.1 < effect["ladder@m12"] < 0.4
    assert 0.01 < effect["attendance"] < 0.05
    assert effect["offending"] == 0


def test_part_of_the_ladders_rise_would_have_come_without_therapy(many):
    ladder = many.tables["ladder"]
    day = days_after_referral(many, ladder)
    start, end = (
        ladder[when].set_index("person_id")[AREAS].astype(float).mean(axis=1) for when in (day < 15, day > 330)
    )
    risen = (end - start).mean()
    assert risen > truth(EdgeOfCare()).set_index("outcome")["effect"]["ladder@m12"] + 0.1


def test_a_programme_without_effects_has_a_truth_of_exactly_nothing():
    nothing = EdgeOfCare(entry_effect=0, stay_effect=0, wellbeing_effect=0, attendance_effect=0, truth_people=3000)
    assert truth(nothing)["effect"].tolist() == [0] * len(OUTCOMES)


def test_the_truth_does_not_hang_on_how_many_people_worked_it_out():
    few, many = (truth(EdgeOfCare(truth_people=people)).set_index("outcome")["effect"] for people in (60_000, 150_000))
    assert abs(few["care_days"] - many["care_days"]) < 2
    assert abs(few["wellbeing@m12"] - many["wellbeing@m12"]) < 0.01


def test_need_decides_who_is_offered_therapy_unless_it_is_a_lottery():
    def gap(selection):
        record = draw_people(EdgeOfCare(selection=selection), 20_000, 3, ("baseline", "m12"), teams=800).record
        return record.groupby("treated")["care_days_0"].mean().diff().iloc[-1]

    assert gap(1.0) > 15
    assert abs(gap(0.0)) < 8


def test_a_plain_difference_misses_the_truth_that_adjusting_finds():
    record = draw_people(EdgeOfCare(), 60_000, 9, ("baseline", "m12"), teams=2400).record
    record = record[record["eligible"]]
    treated = record["treated"].to_numpy()
    seen = np.where(treated, record["care_days_1"], record["care_days_0"])
    wanted = (record["care_days_1"] - record["care_days_0"])[treated].mean()
    names = ["age", "prior_care_days", "female", "sdq_parent_baseline", "swemwbs_baseline"]
    known = np.column_stack([np.ones(len(record)), record[names].to_numpy(float)])
    fitted = known @ np.linalg.lstsq(known[~treated], seen[~treated], rcond=None)[0]
    plain = seen[treated].mean() - seen[~treated].mean()
    adjusted = (seen - fitted)[treated].mean()
    assert abs(plain - wanted) > 8
    assert abs(adjusted - wanted) < 4


# ---------------------------------------------------------------- asking wrongly


def test_all_that_is_wrong_with_a_simulation_is_said_at_once():
    with pytest.raises(StudyError) as caught:
        simulate_study(world="edge of car", people=10, selecton=0.5, missing=-1)
    text = str(caught.value)
    assert "4 problems" in text
    assert 'Did you mean "edge of care"?' in text
    assert 'Did you mean "selection"?' in text
    assert "at least 50" in text
    assert "missing = -1 is too small" in text


def test_the_worlds_are_listed():
    assert worlds() == ("edge of care",)


def test_a_study_without_a_simulation_is_not_drawn_again():
    with pytest.raises(StudyError, match=r"has no \[simulation\]"):
        redraw(read_study(STUDY.parent / "peterborough"))


def test_a_simulation_shows_itself_without_rows_of_people(drawn):
    page = drawn._repr_html_()
    assert "Invented study" in page
    assert "care_days" in page
    assert "P00001" not in page


# ---------------------------------------------------------------- the demonstration study


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("raw") / "edge_of_care"
    shutil.copytree(STUDY, folder)
    return folder


def test_drawing_the_demonstration_again_gives_the_committed_bytes(copy):
    before = bytes_of(STUDY)
    for file in ("people.csv", "ladder.csv", "achieved.csv", "payments.csv", "cash_flows.csv", "truth.csv"):
        (copy / file).unlink()
    redraw(read_study(copy, with_files=False))
    assert bytes_of(copy) == before


def test_only_tables_that_the_study_names_are_drawn_by_its_own_names_for_them(tmp_path):
    folder = shutil.copytree(STUDY, tmp_path / "small")
    for file in folder.glob("*.csv"):
        if file.name not in {"rate_card.csv", "impact_map.csv"}:
            file.unlink()
    plan = folder / "study.toml"
    plan.write_text(
        """
        [study]
        id = "small"
        title = "Small"
        kind = "synthetic"
        [tables]
        persons = "people.csv"
        offences = "proven.csv"
        [simulation]
        world = "edge of care"
        seed = 3
        people = 60
        """,
        encoding="utf-8",
    )
    redraw(read_study(folder, with_files=False))
    drawn = simulate_study(seed=3, people=60).tables
    assert {file.name for file in folder.glob("*.csv")} == {
        "people.csv", "proven.csv", "truth.csv", "rate_card.csv", "impact_map.csv"
    }  # fmt: skip
    assert len(pd.read_csv(folder / "proven.csv")) == len(drawn["offences"])
    assert len(pd.read_csv(folder / "people.csv")) == len(drawn["people"])


def test_the_reliable_change_figures_are_those_of_the_comparison_at_baseline():
    from evalkit import library
    from evalkit.cohort import build_cohort

    study = read_study(STUDY)
    people = build_cohort(study).table.set_index("person_id")
    people = people[people["arm"] == "comparison"]
    forms = pd.read_csv(STUDY / "assessments_sdq.csv", parse_dates=["date"])
    forms = forms[forms["person_id"].isin(people.index)]
    day = (forms["date"] - forms["person_id"].map(people["index_date"])).dt.days
    forms = forms[day.between(-30, 14)]
    keys = library.load("instruments", "sdq_parent")
    scales = {scale["id"]: scale for scale in keys["scale"]}
    items = [item for part in scales["total"]["sum_of"] for item in scales[part]["items"]]
    answers = forms[items].assign(**{item: 2 - forms[item] for item in keys["reverse"] if item in items})
    spread = answers.dropna().cov().to_numpy()
    alpha = len(items) / (len(items) - 1) * (1 - np.trace(spread) / spread.sum())
    totals = sdq_total(forms[[f"q{number}" for number in range(1, 26)]].fillna(-1).to_numpy(dtype=int))
    plan = study.find_measure("sdq_parent").reliable_change
    assert plan.sd == round(float(np.nanstd(totals, ddof=1)), 2)
    assert plan.reliability == round(alpha, 2)


def test_another_seed_draws_other_tables_and_other_books(copy):
    before = bytes_of(STUDY)
    plan = copy / "study.toml"
    plan.write_text(plan.read_text(encoding="utf-8").replace("seed = 2017", "seed = 2018"), encoding="utf-8")
    redraw(read_study(copy, with_files=False))
    changed = {file for file, content in bytes_of(copy).items() if content != before[file]}
    by_hand = {"variations.csv", "costs.csv", "budgets.csv", "splits.csv", "unit_costs.csv", "framework.csv"}
    untouched = {"SOURCES.md", "rate_card.csv", "impact_map.csv", "truth.csv", "looked_after.csv", *by_hand}
    assert changed == before.keys() - untouched


def test_the_cohort_room_finds_the_people_the_world_calls_eligible():
    from evalkit.cohort import build_cohort

    study = read_study(STUDY)
    record = simulate_study(seed=study.simulation.seed, people=study.simulation.people).record
    table = build_cohort(study).table
    assert table["person"].tolist() == record.loc[record["eligible"], "person_id"].tolist()
    assert (table["arm"] == "treated").tolist() == record.loc[record["eligible"], "treated"].tolist()


def test_the_outcomes_room_measures_what_the_world_recorded():
    from evalkit.cohort import build_cohort
    from evalkit.outcomes import score_outcomes

    study = read_study(STUDY)
    record = simulate_study(seed=study.simulation.seed, people=study.simulation.people).record
    record = record[record["eligible"]].set_index("person_id")
    wide = score_outcomes(build_cohort(study)).wide
    for outcome in ("care_days", "no_care", "sdq_better", "attendance", "offending"):
        measured, recorded = (table[outcome].astype(float) for table in (wide, record))
        pd.testing.assert_series_equal(measured, recorded, check_names=False)


# ---------------------------------------------------------------- coverage


def study_drawn_from(seed, folder):
    """The demonstration's plan without its second analyses, on tables drawn from another seed."""
    shutil.copytree(STUDY, folder, dirs_exist_ok=True)
    write_study_tables(simulate_study(seed=seed), folder)
    planned, _, rest = (STUDY / "study.toml").read_text(encoding="utf-8").partition("[[counterfactual.also]]")
    (folder / "study.toml").write_text(f"{planned}[contract]{rest.partition('[contract]')[2]}", encoding="utf-8")
    return read_study(folder)


def intervals(seed, folder):
    """The planned estimates of one draw."""
    from evalkit.cohort import build_cohort
    from evalkit.counterfactual import estimate_effects
    from evalkit.outcomes import score_outcomes

    effects = estimate_effects(score_outcomes(build_cohort(study_drawn_from(seed, folder))))
    table = effects.table.set_index("outcome")[["effect", "se", "low", "high"]].astype(float)
    return table.assign(seed=seed).set_index("seed", append=True)


@pytest.mark.slow
def test_over_200_seeds_the_intervals_cover_the_truth_at_the_nominal_rate(tmp_path):
    found = pd.concat([intervals(seed, tmp_path) for seed in range(1, 201)])
    effect = truth(EdgeOfCare()).set_index("outcome")["effect"]
    wanted = found.index.get_level_values("outcome").map(effect)
    covered = ((found["low"] <= wanted) & (wanted <= found["high"])).groupby(level="outcome").mean()
    # 200 draws put a true rate of 95% between 91.5% and 98.5% in all but 2 of 100 cases.
    assert covered.between(0.91, 0.99).all(), covered.to_dict()
    bias = (found["effect"] - wanted).groupby(level="outcome").mean() / found.groupby(level="outcome")["se"].mean()
    assert bias.abs().max() < 0.3, bias.to_dict()
