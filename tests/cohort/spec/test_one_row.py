"""What a rule says about one row: comparisons, logic, lists, arithmetic."""

from __future__ import annotations

from tests.cohort.spec.page import Page, on_every_home

SCORES = """
    person | score | sex | limit
    a      | 1     | f   | 1
    b      | 3     | m   | 2.5
    c      |       |     |
    d      | 0     | f   |
"""
TRUTHS = """
    person | ok  | other
    p1     | yes | yes
    p2     | yes | no
    p3     | yes |
    p4     | no  | yes
    p5     | no  | no
    p6     | no  |
    p7     |     | yes
    p8     |     | no
    p9     |     |
"""
PAGES = [
    Page(
        "a comparison with a missing value is neither yes nor no",
        {"people": SCORES},
        """
        rule                 | a   | b   | c   | d
        score > 2            | no  | yes |     | no
        score >= 1           | yes | yes |     | no
        score < 3            | yes | no  |     | yes
        score <= 0           | no  | no  |     | yes
        score == 3           | no  | yes |     | no
        score != 3           | yes | no  |     | yes
        score == limit       | yes | no  |     |
        score != limit       | no  | yes |     |
        limit == score       | yes | no  |     |
        not score > 2        | yes | no  |     | yes
        sex == "f"           | yes | no  |     | yes
        sex != "f"           | no  | yes |     | no
        missing(score)       | no  | no  | yes | no
        not missing(score)   | yes | yes | no  | yes
        missing(score + 1)   | no  | no  | yes | no
        missing(sex == "f")  | no  | no  | yes | no
        missing(limit)       | no  | no  | yes | yes
        score                | 1   | 3   |     | 0
        limit                | 1   | 2.5 |     |
        sex                  | f   | m   |     | f
        """,
    ),
    Page(
        "and, or and not know three values",
        {"people": TRUTHS},
        """
        rule                       | p1  | p2  | p3  | p4  | p5  | p6  | p7  | p8  | p9
        ok and other               | yes | no  |     | no  | no  | no  |     | no  |
        ok or other                | yes | yes | yes | yes | no  |     | yes |     |
        not ok                     | no  | no  | no  | yes | yes | yes |     |     |
        not (ok and other)         | no  | yes |     | yes | yes | yes |     | yes |
        not (ok or other)          | no  | no  | no  | no  | yes |     | no  |     |
        not ok or other            | yes | no  |     | yes | yes | yes | yes |     |
        ok == other                | yes | no  |     | no  | yes |     |     |     |
        ok != other                | no  | yes |     | yes | no  |     |     |     |
        ok == True                 | yes | yes | yes | no  | no  | no  |     |     |
        ok and not missing(other)  | yes | yes | no  | no  | no  | no  |     |     | no
        missing(ok and other)      | no  | no  | yes | no  | no  | no  | yes | no  | yes
        ok and other or not other  | yes | yes |     | no  | yes |     |     | yes |
        not not ok                 | yes | yes | yes | no  | no  | no  |     |     |
        ok                         | yes | yes | yes | no  | no  | no  |     |     |
        """,
    ),
    Page(
        "a chain of comparisons holds at every link",
        {"people": SCORES},
        """
        rule                 | a   | b   | c   | d
        0 < score <= 1       | yes | no  |     | no
        0 < score <= 1 < 2   | yes | no  |     | no
        score < limit < 3    | no  | no  |     |
        3 >= score >= limit  | yes | yes |     |
        5 > 4 > score        | yes | yes |     | yes
        1 < 0 < score        | no  | no  | no  | no
        0 < score in (1, 2)  | yes | no  |     | no
        """,
    ),
    Page(
        "in and not in look into a list, where an unknown member may be the one",
        {"people": SCORES},
        """
        rule                     | a   | b   | c   | d
        score in (1, 2)          | yes | no  |     | no
        score not in (1, 2)      | no  | yes |     | yes
        score in [3]             | no  | yes |     | no
        score in (1, limit)      | yes | no  |     |
        score not in (1, limit)  | no  | yes |     |
        sex in ("f", "m")        | yes | yes |     | yes
        sex not in ("x", "y")    | yes | yes |     | yes
        1 in (score, limit)      | yes | no  |     |
        not score in (1, 2)      | no  | yes |     | yes
        """,
    ),
    Page(
        "division is real and by zero unknown",
        {
            "people": """
                person | n  | k | x: float
                a      | 7  | 2 | 0.5
                b      | -7 | 2 | 2
                c      | 0  | 0 |
                d      |    | 5 | 1
            """
        },
        """
        rule                   | a    | b    | c   | d
        1 / 2                  | 0.5  | 0.5  | 0.5 | 0.5
        7 / 2 * 2 == 7         | yes  | yes  | yes | yes
        n / 2                  | 3.5  | -3.5 | 0   |
        n / k                  | 3.5  | -3.5 |     |
        k / 4                  | 0.5  | 0.5  | 0   | 1.25
        n / (k - 2)            |      |      | 0   |
        n / 0 > 1              |      |      |     |
        missing(1 / k)         | no   | no   | yes | no
        (n + 1) / (k + 1) > 1  | yes  | no   | no  |
        n / x                  | 14   | -3.5 |     |
        """,
    ),
    Page(
        "numbers are added, taken away and multiplied, and a missing one makes the result missing",
        {
            "people": """
                person | n  | k | x: float
                a      | 7  | 2 | 0.5
                b      | -7 | 2 | 2
                c      | 0  | 0 |
                d      |    | 5 | 1
            """
        },
        """
        rule               | a   | b   | c   | d
        n + k              | 9   | -5  | 0   |
        n - k              | 5   | -9  | 0   |
        n * k              | 14  | -14 | 0   |
        n * x              | 3.5 | -14 |     |
        -n                 | -7  | 7   | 0   |
        +k                 | 2   | 2   | 0   | 5
        -(n - k) * 2       | -10 | 18  | 0   |
        n - -k             | 9   | -5  | 0   |
        2 - 3 - 4          | -5  | -5  | -5  | -5
        2 * 3 + 4 / 8      | 6.5 | 6.5 | 6.5 | 6.5
        2 - (3 - 4)        | 3   | 3   | 3   | 3
        12 / (3 * 2)       | 2   | 2   | 2   | 2
        0.1 + 0.2 > 0.3    | yes | yes | yes | yes
        0.1 + 0.2 == 0.3   | no  | no  | no  | no
        n < 1e3            | yes | yes | yes |
        0.1                | 0.1 | 0.1 | 0.1 | 0.1
        """,
    ),
    Page(
        "large whole numbers are told apart, and arithmetic on them does not overflow",
        {
            "people": """
                person | n
                a      | 9223372036854775807
                b      | 9007199254740993
                c      | 9007199254740992
                d      | -9223372036854775807
            """
        },
        """
        rule                        | a   | b   | c   | d
        n == 9007199254740993       | no  | yes | no  | no
        n > 9007199254740992        | yes | yes | no  | no
        n in (9007199254740992, 1)  | no  | no  | yes | no
        n * 1000 + n > 1            | yes | yes | yes | no
        n / 2 > 4e18                | yes | no  | no  | no
        10000000000000000000000 > n | yes | yes | yes | yes
        -n < 0                      | yes | yes | yes | no
        """,
    ),
    Page(
        "not a number is a missing number",
        {
            "people": """
                person | x
                a      | NaN
                b      | 1.5
                c      |
            """,
            "readings": """
                person | date       | v
                a      | 2020-01-01 | NaN
                a      | 2020-01-02 | 2
                a      | 2020-01-03 | NaN
                b      | 2020-01-01 | NaN
            """,
        },
        """
        rule                                   | a   | b   | c
        x > 1                                  |     | yes |
        x == x                                 |     | yes |
        missing(x)                             | yes | no  | yes
        missing(x + 1)                         | yes | no  | yes
        x in (1, 1.5)                          |     | yes |
        count(readings)                        | 3   | 1   | 0
        count(readings, v > 1)                 | 1   | 0   | 0
        count(readings, missing(v))            | 2   | 1   | 0
        sum(readings, v)                       | 2   |     | 0
        mean(readings, v)                      | 2   |     |
        first(readings, v)                     |     |     |
        first(readings, v, not missing(v))     | 2   |     |
        last(readings, v)                      |     |     |
        """,
    ),
    Page(
        "a column without any value answers nothing",
        {
            "people": """
                person | born: date | n: int | word: text
                a      |            |        |
                b      |            |        |
            """,
            "visits": """
                person | date       | v: float | done: date
                a      | 2020-01-01 |          |
            """,
        },
        """
        rule                            | a   | b
        age(born, index_date) > 3       |     |
        missing(born)                   | yes | yes
        born == "2010-01-01"            |     |
        born < index_date               |     |
        n + 1                           |     |
        n == 1                          |     |
        n in (1, 2)                     |     |
        word == "x"                     |     |
        not word == "x"                 |     |
        sum(visits, v)                  |     | 0
        mean(visits, v)                 |     |
        last(visits, v)                 |     |
        count(visits, v > 1)            | 0   | 0
        count(visits, missing(v))       | 1   | 0
        exists(visits, done < "2021-01-01") | no | no
        """,
    ),
]


@on_every_home(PAGES)
def test_the_page_holds(page, home):
    page.holds_in(home)
