"""What a mistake in a rule looks like to the one who made it."""

from __future__ import annotations

import pytest

from evalkit.errors import DataError, StudyError

PEOPLE = """
    person | born       | sex | score | urgent
    a      | 2010-01-01 | f   | 1     | yes
    b      | 2011-01-01 | m   | 2     | no
"""
VISITS = "person | date | note\na | 2020-01-01 | x\nb | 2020-01-02 | y"


@pytest.mark.parametrize(
    ("rule", "at", "finding"),
    [
        (
            "11 <= age(bron, index_date)",
            10,
            '"bron" is not a column of the index row or of people. Did you mean "born"?',
        ),
        ("exists(visit)", 7, '"visit" is not a table of the study. Did you mean "visits"?'),
        ("exist(visits)", 0, '"exist" is not a function of the rule language. Did you mean "exists"?'),
        ("exists(visits, nte == 'x')", 15, '"nte" is not a column of visits or of the people. Did you mean "note"?'),
        ("age(born) > 3", 0, "write age(born, on): two dates."),
        ("exists(visits, dayz=(0, 1))", 0, "write exists(table, condition, days=(a, b))"),
        ("exists(visits, days=(1, 0))", 20, "the window ends before it starts. Write (0, 1)."),
        ("exists(visits, days=(0.5, 1))", 20, "a window has two whole numbers"),
        ("exists(visits, days=(0, 1), months=(0, 1))", 35, "in days= or in months=, not in both"),
        (
            "exists(visits, exists(visits, exists(visits)))",
            37,
            "cannot be asked about inside the condition of a table inside another's",
        ),
        ("sex > 3", 6, "sex holds text and 3 is a number: they cannot be compared."),
        ("score == 'f'", 9, "score holds numbers and 'f' is text: they cannot be compared."),
        ("born > '2020-02-30'", 7, '"2020-02-30" is not a date. Write year-month-day, such as "2020-01-31".'),
        ("score = 1", 6, "cannot be read as a rule. Write == to compare."),
        ("score == 1 AND score == 2", 11, "Write and, or, not, in in small letters."),
        ("score == None", 9, "Write missing(x) to ask whether x is missing."),
        ("score is 1", 0, "Write missing(x), or == to compare."),
        ("score", 0, "A rule is answered by yes or no, and score holds numbers."),
        ("count(visits)", 0, "A rule is answered by yes or no, and count(visits) gives a number."),
        ("sum(visits, note) > 1", 12, "Only numbers can be added up, and note holds text."),
        ("sex in sex", 7, 'in needs a list of values: in ("a", "b").'),
        ("lambda: 1", 0, "lambda is not part of the rule language."),
        ("born.year == 3", 0, "a dot is not part of the rule language."),
        ("born[0] == 3", 0, "[...] after a name is not part of the rule language."),
        ("sex == f'{sex}'", 7, 'f"..." is not part of the rule language.'),
        ("__import__('os').system('true')", 0, "only the functions by name are part of the rule language."),
        ("(lambda: 1)() == 1", 0, "only the functions by name"),
        ("score if score else 1", 0, "if ... else is not part of the rule language."),
        ("score ** 2 > 1", 0, "only + - * / are part of the rule language."),
        ("score == 1 & score", 9, "Write and, or."),
        ("sex == 'é' and scor > 1", 15, 'Did you mean "score"?'),
    ],
)
def test_a_mistake_is_shown_at_its_character_with_what_to_write(cohort_of, rule, at, finding):
    cohort = cohort_of(PEOPLE, visits=VISITS)
    with pytest.raises(StudyError) as caught:
        cohort.rule_answers(rule)
    message = str(caught.value)
    assert finding in message
    assert f"\n       {rule}\n       {' ' * at}^" in message


def test_a_misspelt_function_does_not_hide_what_else_is_wrong_in_it(cohort_of):
    with pytest.raises(StudyError) as caught:
        cohort_of(PEOPLE, visits=VISITS).rule_answers("exist(visit, nte == 'x') and ag(bron, index_date) > 3")
    for part in ('Did you mean "exists"?', 'Did you mean "visits"?', 'Did you mean "age"?', 'Did you mean "born"?'):
        assert part in str(caught.value)
    assert "has 4 problems" in str(caught.value)


def test_a_rule_over_several_lines_is_one_rule(answer):
    assert answer("score == 1\n    or\n\tscore == 2", PEOPLE) == [True, True]


@pytest.mark.parametrize(
    "rule", ["", "   ", "not " * 900 + "urgent", "score == 1 and " * 900 + "urgent", "a\x00b", "(" * 300]
)
def test_a_rule_that_is_empty_or_endless_is_a_study_error(cohort_of, rule):
    with pytest.raises(StudyError):
        cohort_of(PEOPLE).rule_answers(rule)


def test_all_mistakes_of_all_rules_are_told_at_once(cohort_of):
    asked = {
        "include": [{"says": "young", "rule": "age(bron, index_date) < 18 and sexx == 'f'"}],
        "exclude": [{"says": "seen", "rule": "exists(visit)"}],
        "columns": {"double": "scor * 2"},
    }
    with pytest.raises(StudyError) as caught:
        cohort_of(PEOPLE, definition=asked, visits=VISITS)
    message = str(caught.value)
    assert "has 4 problems" in message
    for part in ('[[cohort.include]] 1 "young"', '[[cohort.exclude]] 1 "seen"', "cohort.columns.double", '"sexx"'):
        assert part in message


def test_one_date_that_is_none_is_the_datas_fault_and_named_by_row(cohort_of):
    people = "person | born\na | 2010-01-01\nb | 31/02/2010\nc | 2011-01-01"
    with pytest.raises(DataError, match=r"1 row \(3\) of table people, column born, hold something else"):
        cohort_of(people).rule_answers("age(born, index_date) < 18")


def test_text_in_a_column_of_numbers_is_the_datas_fault(cohort_of):
    people = "person | score\na | 1\nb | twelve\nc | 3"
    with pytest.raises(DataError, match=r"score should hold numbers; 1 row \(3\)"):
        cohort_of(people).rule_answers("score > 2")


def test_a_table_that_does_not_say_whose_rows_it_holds_is_an_error(cohort_of):
    with pytest.raises(DataError, match='table visits has no column "person"'):
        cohort_of("person\na", visits="persona | date\na | 2020-01-01").rule_answers("exists(visits)")


def test_columns_defined_by_each_other_are_an_error(cohort_of):
    with pytest.raises(StudyError, match="needs itself"):
        cohort_of(PEOPLE, definition={"columns": {"x": "y + 1", "y": "x + 1"}})


def test_no_rule_reaches_a_file_or_a_variable(cohort_of):
    secret = "person | date\na | 2020-01-01"
    with pytest.raises(StudyError):
        cohort_of(PEOPLE, visits=secret).rule_answers("exists('/etc/passwd')")
    with pytest.raises(StudyError):
        cohort_of(PEOPLE, visits=secret).rule_answers("exists(secret)")
