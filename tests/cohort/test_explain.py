"""One person, rule by rule; and invented people whose answers are known."""

from __future__ import annotations

import pytest

import evalkit
from evalkit import cli
from evalkit.cohort import explain
from evalkit.cohort.assure import assure
from evalkit.errors import DataError, StudyError

STUDY = """
    [tables]
    people = "people.csv"
    referrals = "referrals.csv"
    concerns = "concerns.csv"

    [cohort]
    person = "person"
    index = { table = "referrals", date = "referred_on" }

    [cohort.columns]
    age = "age(born, referred_on)"

    [[cohort.include]]
    says = "aged 11 to 17"
    rule = "11 <= age(born, referred_on) <= 17"

    [[cohort.exclude]]
    says = "open concern"
    rule = "exists(concerns, level == 'high', days=(-365, 0))"
"""
PEOPLE = """
    person,born
    a,2007-05-01
    b,2008-03-02
    c,2007-01-01
"""
REFERRALS = """
    person,referred_on
    a,2019-03-01
    b,2019-03-01
    c,2019-03-01
"""
CONCERNS = """
    person,opened_on,level
    a,2019-03-01,low
    a,2017-03-01,high
    c,2018-03-01,high
    c,2019-03-02,high
"""


@pytest.fixture
def study(make_study):
    def make(more: str = ""):
        return evalkit.read_study(make_study(STUDY + more, people=PEOPLE, referrals=REFERRALS, concerns=CONCERNS))

    return make


def ran(capsys, *words: object, status: int = 0):
    """What the command printed; it must end with that status."""
    with pytest.raises(SystemExit) as ended:
        cli.main([str(word) for word in words])
    assert ended.value.code == status
    return capsys.readouterr()


def test_each_rules_answer_is_shown_with_the_rows_that_decided_it(study):
    found = explain(study(), "c")
    assert not found.counted
    table = found.table.set_index("says")
    assert table["answer"].to_dict() == {"aged 11 to 17": "yes", "open concern": "yes", "age": "12"}
    assert table["stays"].dropna().to_dict() == {"aged 11 to 17": True, "open concern": False}
    assert table.loc["aged 11 to 17", "columns"] == "born 2007-01-01"
    rows = found.rows["open concern", "concerns"]
    counting = rows.set_index(rows["opened_on"].dt.strftime("%Y-%m-%d"))["counts"]
    assert counting.to_dict() == {"2018-03-01": True, "2019-03-02": False}


def test_somebody_who_meets_every_rule_is_said_to_and_why(study):
    found = explain(study(), "a")
    assert found.counted
    text = "\n".join(found.lines())
    assert "a: meets every rule." in text
    assert "concerns: 0 of 2 rows of this person count" in text


def test_the_command_line_explains_one_person(study, capsys):
    told = ran(capsys, "cohort", study().folder, "--explain", "b").out
    assert "b: is left out." in told
    assert 'include "aged 11 to 17": no: LEFT OUT' in told


def test_an_id_that_nobody_has_is_one_clear_error(study):
    with pytest.raises(DataError, match='nobody with the id "q" starts'):
        explain(study(), "q")


ASSURED = """
    [[cohort.assure]]
    says = "a concern opened on the day itself keeps a child out"
    tables.people = [{ born = 2007-05-01 }]
    tables.referrals = [{ referred_on = 2019-03-01 }]
    tables.concerns = [{ opened_on = 2019-03-01, level = "high" }]
    answer = "left out"
    at = "open concern"

    [[cohort.assure]]
    says = "eleven on the day itself is old enough, a day less is not"
    tables.people = [{ person = "old", born = "2008-03-01" }, { person = "young", born = 2008-03-02 }]
    tables.referrals = [{ person = "old", referred_on = 2019-03-01 }, { person = "young", referred_on = 2019-03-01 }]
    answer = { old = "counted", young = "left out" }
    columns = { age = 11 }
"""


def test_invented_people_who_get_the_answers_they_must_are_counted(study):
    assert assure(study(ASSURED)) == 3


def test_without_invented_people_nobody_is_asked(study):
    assert assure(study()) == 0


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (('at = "open concern"', 'at = "aged 11 to 17"'), 'must be left out at "aged 11 to 17", and meets that rule.'),
        (('level = "high"', 'level = "low"'), "must be left out, and is counted."),
        (
            ('born = "2008-03-01"', 'born = "2008-03-05"'),
            'person old must be counted, and is left out at "aged 11 to 17"',
        ),
        (("age = 11", "age = 12"), "person old age must be 12, and is 11."),
        (("level = ", "levle = "), 'table concerns has no column "levle". Did you mean "level"?'),
        (('at = "open concern"', 'at = "open concerns"'), 'which no rule says. Did you mean "open concern"?'),
        (("age = 11", "aged = 11"), 'which is no new column. Did you mean "age"?'),
        ((', young = "left out"', ""), "answer lacks person"),
    ],
)
def test_an_answer_that_differs_is_told_with_what_it_is(study, change, finding):
    with pytest.raises(StudyError) as caught:
        assure(study(ASSURED.replace(*change)))
    assert finding in str(caught.value)


def test_evalkit_check_asks_the_invented_people(study, capsys):
    assert "3 invented people answered as they must be" in ran(capsys, "check", study(ASSURED).folder).out
    wrong = ran(capsys, "check", study(ASSURED.replace('"high"', '"low"')).folder, status=2)
    assert "must be left out, and is counted" in wrong.err
