"""From which of a person's rows the counting starts."""

from __future__ import annotations

from tests.cohort.spec.page import Page, on_every_home

REFERRALS = """
    person | referred_on | source
    b      | 2020-06-01  | school
    a      | 2021-01-01  | police
    a      | 2020-01-01  | school
    a      | 2020-07-01  | health
    c      | 2020-03-01  | health
    c      |             | police
    d      | 2020-02-29  | police
    d      | 2020-03-01  | school
"""
PEOPLE = """
    person | born       | area
    a      | 2005-06-01 | north
    b      | 2005-06-01 | south
    c      | 2009-03-01 | north
    d      | 2009-03-01 | north
"""
EPISODES = """
    person | came       | left       | n
    a      | 2020-03-01 | 2020-03-05 | 5
    a      | 2020-01-01 | 2020-02-01 | 1
    a      | 2020-01-15 | 2020-01-20 | 2
    a      | 2020-01-31 | 2020-02-20 | 3
    a      | 2020-02-15 |            | 4
    b      | 2020-05-01 |            | 6
    b      | 2021-05-01 | 2021-06-01 | 7
    c      |            | 2021-06-01 | 8
    c      | 2020-03-31 | 2020-04-01 | 9
"""


def index(**given):
    return {"index": {"table": "referrals", "date": "referred_on", **given}}


PAGES = [
    Page(
        "pick first takes the earliest date",
        {"referrals": REFERRALS, "people": PEOPLE},
        """
        rule                     | a      | b      | c      | d
        source                   | school | school | health | police
        referred_on == index_date | yes   | yes    | yes    | yes
        age(born, referred_on)   | 14     | 15     | 11     | 10
        area == "north"          | yes    | no     | yes    | yes
        count(referrals)         | 3      | 1      | 2      | 2
        count(referrals, days=(1, None)) | 2 | 0   | 0      | 1
        """,
        counted="""
        person | index_date | source
        a      | 2020-01-01 | school
        b      | 2020-06-01 | school
        c      | 2020-03-01 | health
        d      | 2020-02-29 | police
        """,
        definition=index(pick="first"),
    ),
    Page(
        "pick last takes the latest date",
        {"referrals": REFERRALS, "people": PEOPLE},
        """
        rule                     | a      | b      | c      | d
        source                   | police | school | health | school
        age(born, index_date)    | 15     | 15     | 11     | 11
        count(referrals, days=(None, -1)) | 2 | 0  | 0      | 1
        """,
        definition=index(pick="last"),
    ),
    Page(
        "pick first eligible takes the earliest row that meets every rule",
        {"referrals": REFERRALS, "people": PEOPLE},
        counted="""
        person | index_date | source
        a      | 2020-07-01 | health
        b      | 2020-06-01 | school
        d      | 2020-03-01 | school
        """,
        definition={
            **index(pick="first eligible"),
            "include": [
                {"says": "aged 11 or more", "rule": "age(born, referred_on) >= 11"},
                {"says": "from mid 2020, or by a school", "rule": "referred_on >= '2020-06-01' or source == 'school'"},
            ],
            "exclude": [{"says": "first of January", "rule": "referred_on == '2020-01-01'"}],
        },
    ),
    Page(
        "one fixed date counts everybody from that day",
        {"people": PEOPLE},
        """
        rule                  | a          | b          | c          | d
        index_date            | 2020-02-29 | 2020-02-29 | 2020-02-29 | 2020-02-29
        age(born, index_date) | 14         | 14         | 10         | 10
        """,
        definition={"index": {"date": "2020-02-29"}},
    ),
    Page(
        "a date column of the only table may be the index date, and rows that are twice there count once",
        {
            "referrals": """
                person | referred_on | source
                a      | 2020-01-01  | school
                a      | 2020-01-01  | school
                b      | 2020-01-02  | police
            """
        },
        """
        rule             | a      | b
        source           | school | police
        count(referrals) | 2      | 1
        """,
        definition=index(),
    ),
    Page(
        "a column that the index row and the table of people both have is that of the index row",
        {
            "referrals": "person | referred_on | area\na | 2020-01-01 | south\nb | 2020-01-01 |",
            "people": "person | area | n\na | north | 1\nb | north | 2",
        },
        """
        rule           | a     | b
        area           | south |
        n              | 1     | 2
        area == "south" | yes  |
        """,
        definition=index(),
    ),
    Page(
        "every row that comes at least gap_days after the last counted one counts",
        {"episodes": EPISODES},
        counted="""
        person | index_date | n | so_far
        a      | 2020-01-01 | 1 | 0
        a      | 2020-01-31 | 3 | 2
        a      | 2020-03-01 | 5 | 4
        b      | 2020-05-01 | 6 | 0
        b      | 2021-05-01 | 7 | 1
        c      | 2020-03-31 | 9 | 0
        """,
        definition={
            "index": {"table": "episodes", "date": "came", "pick": "every", "gap_days": 30},
            "columns": {"so_far": "count(episodes, days=(None, -1), on='came')"},
        },
    ),
    Page(
        "with a column of exits the gap is counted from the exit, and who is still in does not come again",
        {"episodes": EPISODES},
        counted="""
        person | index_date | n
        a      | 2020-01-01 | 1
        a      | 2020-02-15 | 4
        b      | 2020-05-01 | 6
        c      | 2020-03-31 | 9
        """,
        definition={"index": {"table": "episodes", "date": "came", "pick": "every", "gap_days": 14, "exit": "left"}},
    ),
    Page(
        "groups are made by the same rules and told apart by a rule of their own, and a set is some of those counted",
        {
            "referrals": """
                person | referred_on | area
                a      | 2019-01-01  | north
                b      | 2018-03-31  | north
                c      | 2018-04-01  | north
                d      | 2018-02-01  | south
                e      | 2016-01-01  | north
                f      |             | north
            """,
            "sessions": """
                person | date
                a      | 2019-04-01
                b      | 2018-06-30
                c      | 2018-04-01
                e      | 2016-01-02
            """,
        },
        counted="""
        person | index_date | arm        | group  | in_started | in_soon
        a      | 2019-01-01 | treated    | now    | yes        | no
        b      | 2018-03-31 | comparison | before | no         | no
        c      | 2018-04-01 | treated    | now    | yes        | yes
        """,
        definition={
            **index(),
            "include": [{"says": "in the north", "rule": "area == 'north'"}],
            "group": [
                {
                    "id": "now",
                    "says": "referred since the start",
                    "rule": "index_date >= '2018-04-01'",
                    "kind": "offered",
                    "role": "treated",
                },
                {
                    "id": "before",
                    "says": "referred before the start",
                    "rule": "'2017-04-01' <= index_date < '2018-04-01'",
                    "kind": "historical period",
                    "role": "comparison",
                },
            ],
            "set": [
                {"id": "started", "says": "started", "rule": "exists(sessions, days=(0, 90))"},
                {"id": "soon", "says": "started within a week", "rule": "exists(sessions, days=(0, 7))"},
            ],
        },
    ),
]


@on_every_home(PAGES)
def test_the_page_holds(page, home):
    page.holds_in(home)
