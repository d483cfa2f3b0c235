"""Days, months, birthdays: the calendar is the same everywhere."""

from __future__ import annotations

from tests.cohort.spec.page import Page, on_every_home

PAGES = [
    Page(
        "someone born on 29 February turns on 1 March",
        {
            "people": """
                person | born       | on
                a      | 2008-02-29 | 2019-02-28
                b      | 2008-02-29 | 2019-03-01
                c      | 2008-02-29 | 2020-02-28
                d      | 2008-02-29 | 2020-02-29
                e      | 2008-03-15 | 2020-03-14
                f      | 2008-03-15 | 2020-03-15
                g      |            | 2020-03-15
                h      | 2008-02-29 | 2100-02-28
                i      | 2008-02-29 | 2100-03-01
                j      | 2020-12-31 | 2021-01-01
                k      | 2008-03-15 |
            """
        },
        """
        rule                     | a   | b   | c   | d   | e   | f   | g | h  | i  | j   | k
        age(born, on)            | 10  | 11  | 11  | 12  | 11  | 12  |   | 91 | 92 | 0   |
        11 <= age(born, on) < 12 | no  | yes | yes | no  | yes | no  |   | no | no | no  |
        age("2000-03-01", on)    | 18  | 19  | 19  | 19  | 20  | 20  | 20 | 99 | 100 | 20 |
        age(born, on) / 2        | 5   | 5.5 | 5.5 | 6   | 5.5 | 6   |   | 45.5 | 46 | 0 |
        """,
    ),
    Page(
        "on a day before birth an age is below 0",
        {
            "people": """
                person | born
                a      | 2020-04-01
                b      | 2021-03-31
                c      | 2021-03-30
                d      | 2020-03-31
            """
        },
        """
        rule                   | a  | b  | c  | d
        age(born, index_date)  | -1 | -1 | -1 | 0
        """,
    ),
    Page(
        "months are whole and clamp to the month's end",
        {
            "people": """
                person | start      | finish
                a      | 2020-01-31 | 2020-02-28
                b      | 2020-01-31 | 2020-02-29
                c      | 2019-01-31 | 2019-02-28
                d      | 2019-01-15 | 2019-02-14
                e      | 2019-01-15 | 2020-01-15
                f      | 2019-03-15 | 2019-03-01
                g      | 2020-03-31 | 2020-02-29
                h      | 2020-03-31 | 2020-02-28
                i      | 2020-02-29 | 2021-02-28
                j      | 2020-02-29 | 2020-03-28
                k      |            | 2020-03-28
            """
        },
        """
        rule                        | a  | b  | c  | d  | e  | f  | g  | h  | i  | j  | k
        months(start, finish)       | 0  | 1  | 1  | 0  | 12 | -1 | -1 | -2 | 12 | 0  |
        months(start, finish) >= 1  | no | yes | yes | no | yes | no | no | no | yes | no |
        months("2020-01-29", finish) | 0 | 1  | -11 | -12 | -1 | -11 | 1 | 0  | 13 | 1  | 1
        """,
    ),
    Page(
        "days run from the first date to the second, and a date moves by whole days",
        {
            "people": """
                person | born       | seen       | k
                a      | 2020-02-28 | 2020-03-01 | 1
                b      | 2019-02-28 | 2019-03-01 | 1
                c      | 2020-03-01 | 2020-02-28 | -1
                d      |            | 2020-01-01 | 3
            """
        },
        """
        rule                                      | a          | b          | c          | d
        days(born, seen)                          | 2          | 1          | -2         |
        seen - born                               | 2          | 1          | -2         |
        days("2020-02-28", "2020-03-01")          | 2          | 2          | 2          | 2
        date("2020-03-01") - date("2020-02-28")   | 2          | 2          | 2          | 2
        days("2019-12-31", seen)                  | 61         | -305       | 59         | 1
        index_date - seen                         | 30         | 396        | 32         | 90
        (seen - born) / 4                         | 0.5        | 0.25       | -0.5       |
        born + 1 == seen                          | no         | yes        | no         |
        seen - 1                                  | 2020-02-29 | 2019-02-28 | 2020-02-27 | 2019-12-31
        born + 366                                | 2021-02-28 | 2020-02-29 | 2021-03-02 |
        born + k                                  | 2020-02-29 | 2019-03-01 | 2020-02-29 |
        seen + k * 2                              | 2020-03-03 | 2019-03-03 | 2020-02-26 | 2020-01-07
        seen + days(born, seen)                   | 2020-03-03 | 2019-03-02 | 2020-02-26 |
        seen - k                                  | 2020-02-29 | 2019-02-28 | 2020-02-29 | 2019-12-29
        """,
    ),
    Page(
        "text beside a date is read as an ISO date",
        {
            "people": """
                person | born       | seen
                a      | 2020-02-28 | 2020-03-01
                b      | 2019-02-28 | 2019-03-01
                c      | 2020-03-01 | 2020-02-28
                d      |            | 2020-01-01
            """
        },
        """
        rule                                   | a   | b   | c   | d
        born < seen                            | yes | yes | no  |
        seen == "2020-03-01"                   | yes | no  | no  | no
        "2020-01-01" <= seen                   | yes | no  | yes | yes
        seen < date("2020-01-01")              | no  | yes | no  | no
        seen in ("2020-03-01", "2019-03-01")   | yes | yes | no  | no
        seen not in ["2020-03-01"]             | no  | yes | yes | yes
        index_date == "2020-03-31"             | yes | yes | yes | yes
        "2019-06-01" < born < "2020-03-01"     | yes | no  | no  |
        index_date                             | 2020-03-31 | 2020-03-31 | 2020-03-31 | 2020-03-31
        date("2020-02-29")                     | 2020-02-29 | 2020-02-29 | 2020-02-29 | 2020-02-29
        """,
    ),
    Page(
        "a time of day is dropped, so the last day of a window counts whole",
        {
            "people": "person\na\nb",
            "visits": """
                person | seen
                a      | 2020-03-31 23:59
                a      | 2020-03-31 00:00
                b      | 2020-04-01 00:00
            """,
        },
        """
        rule                                     | a          | b
        count(visits, days=(0, 0))               | 2          | 0
        count(visits, days=(1, 1))               | 0          | 1
        count(visits, seen == "2020-03-31")      | 2          | 0
        count(visits, seen <= index_date)        | 2          | 0
        days(last(visits, seen), index_date)     | 0          | -1
        last(visits, seen) - first(visits, seen) | 0          | 0
        last(visits, seen)                       | 2020-03-31 | 2020-04-01
        """,
    ),
    Page(
        "an instant is read on the clock of the study's time zone",
        {
            "people": "person\na\nb\nc\nd",
            "calls": """
                person | at                 | written
                a      | 2020-03-31 22:30 Z | 2020-03-31 23:30
                b      | 2020-03-31 23:30 Z | 2020-03-31 23:30
                c      | 2020-01-15 23:30 Z | 2020-01-15 23:30
                d      | 2020-03-29 00:30 Z | 2020-03-29 00:30
            """,
        },
        """
        rule                                       | a          | b          | c          | d
        exists(calls, on="at", days=(0, 0))        | yes        | no         | no         | no
        exists(calls, on="at", days=(1, 1))        | no         | yes        | no         | no
        last(calls, at, on="at")                   | 2020-03-31 | 2020-04-01 | 2020-01-15 | 2020-03-29
        last(calls, written, on="written")         | 2020-03-31 | 2020-03-31 | 2020-01-15 | 2020-03-29
        exists(calls, on="written", days=(0, 0))   | yes        | yes        | no         | no
        exists(calls, at == written)               | yes        | no         | yes        | yes
        """,
        definition={"time_zone": "Europe/London"},
    ),
    Page(
        "an index date that is an instant is the day on that clock",
        {
            "referrals": """
                person | at
                a      | 2020-03-31 22:30 Z
                b      | 2020-03-31 23:30 Z
            """
        },
        counted="""
        person | index_date
        a      | 2020-03-31
        b      | 2020-04-01
        """,
        definition={"index": {"table": "referrals", "date": "at"}, "time_zone": "Europe/London"},
    ),
    Page(
        "without a time zone in the definition a column of pandas is read on its own clock",
        {
            "people": "person\na\nb",
            "calls": """
                person | at: instant Europe/London | there: instant America/New_York
                a      | 2020-03-31 23:30 Z        | 2020-04-01 03:59 Z
                b      | 2020-03-31 22:59 Z        | 2020-04-01 04:00 Z
            """,
        },
        """
        rule                                   | a          | b
        last(calls, at, on="at")               | 2020-04-01 | 2020-03-31
        exists(calls, on="there", days=(0, 0)) | yes        | no
        """,
        homes=("frames",),
    ),
]


@on_every_home(PAGES)
def test_the_page_holds(page, home):
    page.holds_in(home)
