"""The locked plan: what decides the analysis is kept with its date, and every later departure is told in words."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from evalkit.cli.lock import outcomes_in
from evalkit.counterfactual import effects_from_rates
from evalkit.errors import StudyError
from evalkit.study import read_study
from evalkit.study.locked import FILE, departures, lock_plan, lock_says, plan_hash, read_lock
from evalkit.study.planned import analysis_plan

PLAN = """
[tables]
people = "people.csv"

[cohort]
person = "person_id"
index = { table = "people", date = "referred_on" }
arm = { column = "arm", treated = "therapy", comparison = "usual care" }

[cohort.columns]
cost = "age * 2"

[[cohort.include]]
says = "of age"
rule = "age >= 11"

[[cohort.exclude]]
says = "moved away"
rule = "moved == 1"

[[occasion]]
id = "baseline"
day = 0

[[measure]]
id = "score"
title = "The score"
column = "score"
table = "people"

[[measure]]
id = "other"
column = "other"
table = "people"

[counterfactual]
estimator = "aipw"
covariates = ["age", "sex"]

[contract]
rate_card = "rate_card.csv"
cap = 1_000_000

[value]
impact_map = "impact_map.csv"
cost = 500_000
"""
CARD = "metric,title,outcome,price,mechanism\nscore,A better score,score,100,unit\n"
MAP = "outcome,title,quantity,proxy,deadweight\nscore,Worth,,50,\n"
DAY = dt.date(2026, 3, 16)


@pytest.fixture
def study(make_study):
    """A study's folder, and a way to rewrite its plan and read it again."""

    def read(*changes, plan=PLAN, card=CARD, impact=MAP):
        for old, new in changes:
            assert old in plan
            plan = plan.replace(old, new)
        folder = make_study(plan)
        (folder / "rate_card.csv").write_text(card, encoding="utf-8")
        (folder / "impact_map.csv").write_text(impact, encoding="utf-8")
        return read_study(folder, with_files=False)

    return read


def told(study, words_only=False):
    return [one.says for one in departures(study) if one.words_only == words_only]


def test_a_plan_that_was_never_locked_says_so_in_one_sentence(study):
    assert read_lock(study()) is None
    assert departures(study()) == []
    assert lock_says(study()) == ["The plan was not locked."]


def test_the_lock_holds_the_plan_its_hash_the_day_and_the_versions(study):
    lock = lock_plan(study(), today=DAY)
    written = json.loads((study().folder / FILE).read_text(encoding="utf-8"))
    assert written["locked_on"] == "2026-03-16"
    assert written["sha256"] == lock.sha256 == plan_hash(written["plan"])
    assert written["plan"]["counterfactual"]["estimator"] == "aipw"
    assert written["plan"]["rate card"] == [
        {
            "id": "score",
            "mechanism": "unit",
            "metric": "score",
            "outcome": "score",
            "price": 100.0,
            "title": "A better score",
        }
    ]
    assert {"evalkit", "numpy", "diff-diff"} <= set(written["made_with"])
    assert read_lock(study()) == lock
    assert lock.intact


def test_comments_order_spaces_and_written_defaults_never_count(study):
    lock = lock_plan(study(), today=DAY)
    head, _, rest = PLAN.partition("[counterfactual]")
    counter, _, rest = rest.partition("[contract]")
    moved = f"# a comment\n[contract]{rest}\n\n{head}\n[counterfactual]   # another\nlevel = 0.95\nse = 'hc2'{counter}"
    moved = moved.replace("se = 'hc2'\n", "\n").replace('["age", "sex"]', '[ "sex",\n  "age" ]')
    again = study(plan=moved, card=CARD.replace(",100,", ", 100.0 ,") + "\n")
    assert departures(again) == []
    assert plan_hash(analysis_plan(again)) == lock.sha256


def test_every_change_of_what_decides_the_analysis_is_told_in_words(study):
    lock_plan(study(), today=DAY)
    now = study(
        ('estimator = "aipw"', 'estimator = "matching"'),
        ("age >= 11", "age >= 12"),
        ("cap = 1_000_000", "cap = 2_000_000"),
        ('"age", "sex"', '"age"'),
        ('cost = "age * 2"', 'cost = "age * 3"'),
        ('id = "other"\ncolumn = "other"', 'id = "third"\ncolumn = "other"'),
        ("day = 0", "day = 0\nwindow = [-30, 0]"),
        ("[value]", "[growth]\noutcomes = ['score']\n\n[value]"),
        card=CARD.replace(",100,", ",150,"),
        impact=MAP.replace(",50,", ",60,"),
    )
    assert told(now) == [
        "[cohort] columns.cost was age * 2, is now age * 3.",
        "[[cohort.include]] of age: rule was age >= 11, is now age >= 12.",
        "[contract] cap was 1,000,000, is now 2,000,000.",
        "[counterfactual] covariates was age, sex, is now age.",
        "[counterfactual] estimator was aipw, is now matching.",
        "[counterfactual] outcomes was score, other, is now score, third.",
        "[growth] was added.",
        "the impact map, score / Worth: proxy was 50, is now 60.",
        "[[measure]] other was removed.",
        "[[measure]] third was added.",
        "[[occasion]] baseline: window was -60, 60 (the default), is now -30, 0.",
        "the rate card, score: price was 100, is now 150.",
    ]
    assert told(now, words_only=True) == []


def test_a_value_that_goes_back_to_its_default_is_told_with_the_default(study):
    lock_plan(study(("[contract]", "level = 0.9\nse = 'hc3'\n[contract]")), today=DAY)
    assert told(study()) == [
        "[counterfactual] level was 0.9, is now 0.95 (the default).",
        "[counterfactual] se was hc3, is no longer given.",
    ]


def test_titles_and_descriptions_are_words_only_and_leave_the_hash_alone(study):
    lock = lock_plan(study(), today=DAY)
    now = study(
        ('title = "The score"', 'title = "Another name"'),
        ('says = "of age"', 'says = "old enough"'),
        ("[contract]", 'assignment = "By a panel."\n[contract]'),
        card=CARD.replace("A better score", "Better"),
    )
    assert told(now) == []
    assert "[[measure]] score: title was The score, is now Another name." in told(now, words_only=True)
    assert "[[cohort.include]] of age: says was of age, is now old enough." in told(now, words_only=True)
    assert len(departures(now)) == 4
    assert plan_hash(analysis_plan(now)) == lock.sha256


def test_where_the_data_lie_and_what_they_cost_decide_nothing(study):
    lock_plan(study(), today=DAY)
    now = study(('people = "people.csv"', 'people = "others.csv"'), ("cost = 500_000", "cost = 600_000"))
    assert departures(now) == []


def test_another_primary_outcome_is_a_departure_even_where_the_plan_only_changes_its_order(study):
    lock_plan(study(("[contract]", 'outcomes = ["score", "other"]\n[contract]')), today=DAY)
    now = study(("[contract]", 'outcomes = ["other", "score"]\n[contract]'))
    assert told(now) == ["[counterfactual] outcomes was score, other, is now other, score."]


def test_a_second_lock_needs_a_reason_and_keeps_the_first(study):
    first = lock_plan(study(), today=DAY)
    now = study(("age >= 11", "age >= 12"))
    with pytest.raises(
        StudyError, match=r"demo is locked since 16 March 2026\. To lock another plan, say why: --again"
    ):
        lock_plan(now)
    assert read_lock(now) == first
    second = lock_plan(now, again="The council raised the age.", today=dt.date(2026, 5, 2))
    assert (second.reason, second.history) == ("The council raised the age.", (first,))
    assert departures(now) == []
    assert [one.where for one in departures(now, since="first")] == ["[[cohort.include]] of age: rule"]
    says = " ".join(lock_says(now))
    assert "locked on 16 March 2026." in says
    assert "It was locked again on 2 May 2026: The council raised the age." in says
    third = lock_plan(now, again="Once more", today=dt.date(2026, 6, 1))
    assert [old.locked_on for old in third.history] == [DAY, dt.date(2026, 5, 2)]


def test_departures_are_counted_and_outcomes_that_were_in_are_told(study):
    lock_plan(study(), {"there": True, "latest": "2026-02", "says": "Outcomes were in already."}, today=DAY)
    now = study(("age >= 11", "age >= 12"), ('title = "The score"', 'title = "Another"'))
    assert lock_says(now) == [
        "The plan was locked on 16 March 2026.",
        "Outcomes were in already.",
        "There is 1 departure from it since.",
    ]


def test_a_lock_that_was_changed_by_hand_is_found_out(study):
    lock_plan(study(), today=DAY)
    path = study().folder / FILE
    path.write_text(path.read_text(encoding="utf-8").replace('"aipw"', '"matching"'), encoding="utf-8")
    assert (
        told(study())[0] == "lock.json was changed by hand: its plan no longer has the hash that was written with it."
    )


def test_a_damaged_lock_is_not_written_over(study):
    path = study().folder / FILE
    path.write_text("{", encoding="utf-8")
    for go in (read_lock, departures, lambda one: lock_plan(one, again="why")):
        with pytest.raises(StudyError, match=r"demo/lock\.json is not a lock that evalkit wrote, or is damaged"):
            go(study())
    assert path.read_text(encoding="utf-8") == "{"


def test_a_lock_that_cannot_be_written_leaves_the_old_one_whole(study, monkeypatch):
    lock = lock_plan(study(), today=DAY)

    def broken(one, other):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", broken)
    with pytest.raises(OSError, match="No space left"):
        lock_plan(study(), again="why")
    assert read_lock(study()) == lock
    assert [path.name for path in study().folder.glob(".lock*")] == []


def test_outcomes_of_areas_that_are_in_already_are_told(make_study):
    """A certificate that nothing was in, with the years of the programme in the table, would be false."""
    text = """
    [tables]
    areas = "areas.csv"

    [counterfactual]
    estimator = "synthetic control"

    [counterfactual.areas]
    table = "areas"
    time = "year"
    unit = "area"
    treated = "on"

    [[counterfactual.areas.outcome]]
    id = "entries"
    column = "rate"
    """.replace("\n    ", "\n")
    table = "area,year,on,rate\na,2019,0,5\na,2020,1,4\nb,2019,0,6\nb,2020,0,6"
    told = outcomes_in(read_study(make_study(text, areas=table)))
    assert told["there"] is True
    early = table.replace("a,2020,1,4", "a,2020,1,")
    assert outcomes_in(read_study(make_study(text, areas=early)))["there"] is False


def test_a_departure_from_the_locked_plan_reaches_the_flags_of_the_effects(make_study):
    text = (
        '[counterfactual]\nestimator = "published"\nrates = "rates.csv"\noutcomes = ["care"]\n'
        'design = "cross-sectional regression with adequate controls"\n'
    )
    rates = "outcome,title,treated,comparison,per,values,better\ncare,Care,20,30,100,yes or no,lower"
    folder = make_study(text, rates=rates)
    lock_plan(read_study(folder))
    assert not any("locked plan" in flag.text for flag in effects_from_rates(read_study(folder)).flags)
    file = folder / "study.toml"
    file.write_text(file.read_text(encoding="utf-8") + "level = 0.9\n", encoding="utf-8")
    flags = effects_from_rates(read_study(folder)).flags
    assert [flag.level for flag in flags if "departure from the locked plan" in flag.text] == ["serious"]
