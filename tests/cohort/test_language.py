"""The rule language, construct by construct."""

from __future__ import annotations

import pandas as pd
import pytest

ONE = """
    person
    a
"""
SCORES = """
    person | score | sex
    a      | 1     | f
    b      | 3     | m
    c      |       |
"""


def test_someone_born_on_29_february_turns_on_1_march(value):
    born = """
        person | born       | on
        a      | 2008-02-29 | 2019-02-28
        b      | 2008-02-29 | 2019-03-01
        c      | 2008-02-29 | 2020-02-28
        d      | 2008-02-29 | 2020-02-29
        e      | 2008-03-15 | 2020-03-14
        f      | 2008-03-15 | 2020-03-15
        g      |            | 2020-03-15
    """
    assert value("age(born, on)", born) == [10, 11, 11, 12, 11, 12, None]


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        ("2020-01-31", "2020-02-28", 0),
        ("2020-01-31", "2020-02-29", 1),
        ("2019-01-31", "2019-02-28", 1),
        ("2019-01-15", "2019-02-14", 0),
        ("2019-01-15", "2020-01-15", 12),
        ("2019-03-15", "2019-03-01", -1),
    ],
)
def test_months_count_whole_months_and_clamp_to_the_months_end(value, start, end, months):
    assert value(f'months(date("{start}"), date("{end}"))', ONE) == [months]


def test_days_count_from_the_first_date_to_the_second(value):
    assert value('days("2020-02-28", "2020-03-01")', ONE) == [2]
    assert value('date("2020-03-01") - date("2020-02-28")', ONE) == [2]
    assert value('date("2020-02-28") + 2 == date("2020-03-01")', ONE) == [True]


def test_both_ends_of_a_window_of_days_are_in_it(value):
    concerns = """
        person | opened_on
        a      | 2020-03-01
        a      | 2020-03-31
        a      | 2020-02-29
        a      | 2020-04-01
    """
    assert value("count(concerns, days=(-30, 0))", ONE, concerns=concerns) == [2]
    assert value("count(concerns, days=(-31, 0))", ONE, concerns=concerns) == [3]
    assert value("count(concerns, days=(None, 0))", ONE, concerns=concerns) == [3]
    assert value("count(concerns, days=(1, None))", ONE, concerns=concerns) == [1]


def test_a_window_of_months_clamps_to_the_months_end_and_includes_it(answer):
    visits = """
        person | date
        a      | 2020-02-29
        b      | 2020-02-28
    """
    two = "person\na\nb"
    assert answer("exists(visits, months=(-1, 0))", two, visits=visits) == [True, False]


def test_a_date_with_a_time_of_day_still_counts_on_the_last_day(table):
    from evalkit.cohort import select

    visits = pd.DataFrame({"person": ["a"], "seen": pd.to_datetime(["2020-03-31 23:59"]).tz_localize("Europe/London")})
    cohort = select({"people": table(ONE), "visits": visits}, {"person": "person", "index": {"date": "2020-03-31"}})
    assert cohort.rule_answers("exists(visits, days=(0, 0))").tolist() == [True]


def test_a_spell_counts_if_one_of_its_days_is_in_the_window(value):
    episodes = """
        person | start      | end
        a      | 2020-01-01 | 2020-03-31
        b      | 2020-01-01 | 2020-04-01
        c      | 2020-04-30 |
        d      | 2020-05-01 |
        e      | 2020-04-10 | 2020-04-10
        f      | 2020-04-20 | 2020-04-01
        g      | 2019-01-01 |
    """
    people = "person\n" + "\n".join("abcdefg")
    found = value("exists(episodes, days=(0, 30))", people, episodes=episodes)
    assert found == [False, True, True, False, False, False, True]
    by_start = value('exists(episodes, on="start", days=(0, 30))', people, episodes=episodes)
    assert by_start == [False, False, True, False, True, True, False]


def test_unknown_is_neither_yes_nor_no(answer):
    assert answer("score > 2", SCORES) == [False, True, None]
    assert answer("not score > 2", SCORES) == [True, False, None]
    assert answer('score > 2 or sex == "f"', SCORES) == [True, True, None]
    assert answer("score > 2 or missing(sex)", SCORES) == [False, True, True]
    assert answer("score > 2 and person == 'a'", SCORES) == [False, False, False]
    assert answer("score in (1, 2)", SCORES) == [True, False, None]
    assert answer("score not in (1, 2)", SCORES) == [False, True, None]
    assert answer("missing(score)", SCORES) == [False, False, True]


def test_division_is_real_and_by_zero_unknown(value, answer):
    assert value("1 / 2", ONE) == [0.5]
    assert value("score / 2", SCORES) == [0.5, 1.5, None]
    assert answer("score / (score - 1) > 0", SCORES) == [None, True, None]


def test_numbers_do_not_overflow_and_decimals_are_exact(answer):
    big = "person | n\na | 9223372036854775807"
    assert answer("n * 1000 + n > 1", big) == [True]
    assert answer("0.1 + 0.2 > 0.3", ONE) == [True]
    assert answer("10000000000000000000000 > 1", ONE) == [True]


def test_a_chain_of_comparisons_holds_at_every_link(answer):
    assert answer("0 < score <= 1 < 2", SCORES) == [True, False, None]


def test_text_compares_by_code_point(answer):
    words = """
        person | word
        a      | Zebra
        b      | apple
        c      | éclair
    """
    assert answer('word < "a"', words) == [True, False, False]
    assert answer('word > "z"', words) == [False, False, True]


def test_quotes_and_backslashes_in_text_are_only_text(answer):
    words = "person | word\na | O'Brien\nb | x\"; DROP\nc | a\\b"
    assert answer('word == "O\'Brien"', words) == [True, False, False]
    assert answer("word == 'x\"; DROP'", words) == [False, True, False]
    assert answer(r'word == "a\\b"', words) == [False, False, True]


def test_a_column_whose_name_is_no_word_is_asked_for_by_name(answer):
    people = 'person | date of birth | class | we"ird\na | 2010-01-01 | 3 | 1'
    assert answer('column("date of birth") < "2011-01-01" and column("class") == 3', people) == [True]
    assert answer("column('we\"ird') == 1", people) == [True]


def test_columns_that_differ_only_in_case_are_told_apart(answer):
    assert answer("Sex == 1 and sex == 2 and SEX == 3", "person | sex | Sex | SEX\na | 2 | 1 | 3") == [True]


def test_sum_mean_count_first_and_last_look_at_a_persons_rows(value):
    readings = """
        person | date       | score
        a      | 2020-01-02 | 2
        a      | 2020-01-01 |
        a      | 2020-01-03 | 5
        b      | 2020-01-01 |
    """
    people = "person\na\nb\nc"
    assert value("count(readings)", people, readings=readings) == [3, 1, 0]
    assert value("sum(readings, score)", people, readings=readings) == [7, None, 0]
    assert value("mean(readings, score)", people, readings=readings) == [3.5, None, None]
    assert value("first(readings, score)", people, readings=readings) == [None, None, None]
    assert value("first(readings, score, not missing(score))", people, readings=readings) == [2, None, None]
    assert value("last(readings, score)", people, readings=readings) == [5, None, None]


def test_of_two_rows_on_one_day_first_takes_the_first_in_the_file_and_last_the_last(value):
    readings = "person | date | score\n" + "\n".join(f"a | 2020-01-01 | {n}" for n in (7, 3, 9, 5))
    assert value("first(readings, score)", ONE, readings=readings) == [7]
    assert value("last(readings, score)", ONE, readings=readings) == [5]


def test_a_sum_of_fractions_does_not_depend_on_the_order_of_the_rows(value):
    amounts = [0.1] * 10 + [1e16, -1e16]
    for order in (amounts, amounts[::-1], sorted(amounts)):
        paid = "person | date | amount\n" + "\n".join(f"a | 2020-01-01 | {amount}" for amount in order)
        assert value("sum(paid, amount)", ONE, paid=paid) == value(
            "sum(paid, amount)", ONE, paid=paid.replace("-01", "-02")
        )
    paid = "person | amount\n" + "\n".join(["a | 0.1"] * 10)
    assert value("sum(paid, amount) >= 1", ONE, paid=paid) == [True]


def test_inside_exists_a_name_is_first_a_column_of_that_table_then_of_the_person(answer):
    people = "person | score | limit\na | 10 | 5\nb | 10 | 50"
    readings = "person | date | score\na | 2020-01-01 | 7\nb | 2020-01-01 | 7"
    assert answer("exists(readings, score > limit)", people, readings=readings) == [True, False]
    assert answer("exists(readings, date < index_date)", people, readings=readings) == [True, True]


def test_the_date_of_a_table_is_its_only_one_else_date_else_the_first(cohort_of):
    rules = {
        "only": "person | opened_on\na | 2020-01-01",
        "named": "person | written | date\na | 2019-01-01 | 2020-01-01",
        "several": "person | written | seen\na | 2019-01-01 | 2020-01-01",
    }
    asked = {"include": [{"says": name, "rule": f"exists({name}, days=(-9999, 0))"} for name in rules]}
    sql = cohort_of(ONE, definition=asked, **rules).sql
    assert "read on its column opened_on" in sql["only"]
    assert "read on its column date" in sql["named"]
    assert "read on its column written" in sql["several"]


def test_ids_written_as_numbers_and_as_text_are_the_same_person():
    from evalkit.cohort import select

    people = pd.DataFrame({"person": [1, 2, 10]})
    visits = pd.DataFrame({"person": [10.0, None, 1.0], "date": ["2020-01-01"] * 3})
    cohort = select({"people": people, "visits": visits}, {"person": "person", "index": {"date": "2020-01-01"}})
    assert cohort.rule_answers("exists(visits)").to_dict() == {"1": True, "10": True, "2": False}


def test_a_column_of_which_every_value_is_missing_answers_nothing(answer):
    people = "person | born\na |\nb |"
    assert answer("age(born, index_date) > 3", people) == [None, None]
    assert answer("missing(born)", people) == [True, True]


def test_a_table_without_rows_holds_nothing_and_says_so(cohort_of):
    asked = {"exclude": [{"says": "open concern", "rule": "exists(concerns, days=(-365, 0))"}]}
    cohort = cohort_of("person\na\nb", definition=asked, concerns="person | opened_on")
    assert len(cohort.table) == 2
    assert [flag.text for flag in cohort.flags] == ["Table concerns has no rows, so no rule found anything in it."]


def test_the_sql_shown_for_a_rule_gives_the_answer_that_was_counted(cohort_of):
    visits = "person | date | n\na | 2020-03-01 | 1\nb | 2019-01-01 | 5\nb | 2020-03-30 |"
    rules = ["exists(visits, n > 0, days=(-40, 0))", "count(visits) >= 2", "sum(visits, n) > 2"]
    asked = {"columns": {f"r{place}": rule for place, rule in enumerate(rules)}}
    cohort = cohort_of("person\na\nb\nc", definition=asked, visits=visits)
    for name in asked["columns"]:
        found = cohort._session.scope.engine._run(cohort.sql[name]).df()
        assert found["answer"].tolist() == cohort.table[name].tolist()
