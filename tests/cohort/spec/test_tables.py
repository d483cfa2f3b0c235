"""What a rule asks of a person's rows in a table: which rows, in which window, and what of them."""

from __future__ import annotations

from tests.cohort.spec.page import Page, on_every_home

READINGS = """
    person | date       | score
    a      | 2020-01-02 | 2
    a      | 2020-01-01 |
    a      | 2020-01-03 | 5
    b      | 2020-01-01 |
    d      |            | 4
    z      | 2020-01-01 | 9
"""
FOUR = "person\na\nb\nc\nd"
PAGES = [
    Page(
        "sum, mean, count, first and last look at a person's rows",
        {"people": FOUR, "readings": READINGS},
        """
        rule                                       | a          | b          | c   | d
        exists(readings)                           | yes        | yes        | no  | yes
        count(readings)                            | 3          | 1          | 0   | 1
        count(readings) / 2                        | 1.5        | 0.5        | 0   | 0.5
        sum(readings, score)                       | 7          |            | 0   | 4
        mean(readings, score)                      | 3.5        |            |     | 4
        first(readings, score)                     |            |            |     |
        last(readings, score)                      | 5          |            |     |
        first(readings, date)                      | 2020-01-01 | 2020-01-01 |     |
        last(readings, date)                       | 2020-01-03 | 2020-01-01 |     |
        last(readings, date) - first(readings, date) | 2        | 0          |     |
        days(last(readings, date), index_date)     | 88         | 90         |     |
        missing(first(readings, score))            | yes        | yes        | yes | yes
        sum(readings, score) > 5                   | yes        |            | no  | no
        """,
    ),
    Page(
        "a condition chooses rows, and a row of which it is unknown is not chosen",
        {"people": FOUR, "readings": READINGS},
        """
        rule                                       | a   | b   | c   | d
        count(readings, score > 2)                 | 1   | 0   | 0   | 1
        count(readings, not score > 2)             | 1   | 0   | 0   | 0
        count(readings, missing(score))            | 1   | 1   | 0   | 0
        count(readings, score in (2, 4))           | 1   | 0   | 0   | 1
        exists(readings, score > 2)                | yes | no  | no  | yes
        not exists(readings, score > 2)            | no  | yes | yes | no
        first(readings, score, not missing(score)) | 2   |     |     |
        last(readings, score, score < 5)           | 2   |     |     |
        sum(readings, score, score > 2)            | 5   | 0   | 0   | 4
        sum(readings, score * 2, score > 2)        | 10  | 0   | 0   | 8
        sum(readings, score, missing(score))       |     |     | 0   | 0
        mean(readings, score / 2)                  | 1.75 |    |     | 2
        mean(readings, score, score > 9)           |     |     |     |
        """,
    ),
    Page(
        "both ends of a window are in it, None is no limit, and a row without a date lies in no window",
        {
            "people": "person\na\nb\nc",
            "concerns": """
                person | opened_on
                a      | 2020-03-01
                a      | 2020-03-31
                a      | 2020-02-29
                a      | 2020-04-01
                a      |
                c      | 2020-03-31
                c      | 2020-03-31
            """,
        },
        """
        rule                                    | a   | b   | c
        count(concerns)                         | 5   | 0   | 2
        count(concerns, days=(-30, 0))          | 2   | 0   | 2
        count(concerns, days=(-31, 0))          | 3   | 0   | 2
        count(concerns, days=(-31, -31))        | 1   | 0   | 0
        count(concerns, days=(None, 0))         | 3   | 0   | 2
        count(concerns, days=(1, None))         | 1   | 0   | 0
        count(concerns, days=(0, 0))            | 1   | 0   | 2
        exists(concerns, days=(1, 1))           | yes | no  | no
        exists(concerns, missing(opened_on))    | yes | no  | no
        exists(concerns, opened_on > index_date) | yes | no | no
        count(concerns, months=(-1, 0))         | 3   | 0   | 2
        count(concerns, months=(0, 1))          | 2   | 0   | 2
        count(concerns, months=(None, -1))      | 1   | 0   | 0
        count(concerns, opened_on > "2020-03-01", days=(-31, 0)) | 1 | 0 | 2
        """,
    ),
    Page(
        "a window of months clamps to the month's end",
        {
            "people": """
                person | on
                a      | 2020-03-31
                b      | 2020-05-31
                c      | 2020-02-29
                d      | 2019-03-31
            """,
            "visits": """
                person | date
                a      | 2020-02-29
                a      | 2020-02-28
                b      | 2020-04-30
                b      | 2020-04-29
                b      | 2020-06-30
                b      | 2020-07-01
                c      | 2020-01-29
                c      | 2020-01-28
                c      | 2020-03-29
                c      | 2020-03-30
                c      | 2021-02-28
                c      | 2019-02-28
                d      | 2019-02-28
                d      | 2019-02-27
            """,
        },
        """
        rule                              | a | b | c | d
        count(visits, months=(-1, 0))     | 1 | 1 | 1 | 1
        count(visits, months=(0, 1))      | 0 | 1 | 1 | 0
        count(visits, months=(12, 12))    | 0 | 0 | 1 | 0
        count(visits, months=(-12, -12))  | 0 | 0 | 1 | 0
        count(visits, months=(None, -1))  | 2 | 2 | 3 | 2
        count(visits, months=(1, None))   | 0 | 2 | 3 | 0
        """,
        definition={"index": {"table": "people", "date": "on"}},
    ),
    Page(
        "a spell lasts until the day before its end and counts if one of its days is in the window",
        {
            "people": "person\n" + "\n".join("abcdefgh"),
            "episodes": """
                person | start      | end
                a      | 2020-01-01 | 2020-03-31
                b      | 2020-01-01 | 2020-04-01
                c      | 2020-04-30 |
                d      | 2020-05-01 |
                e      | 2020-04-10 | 2020-04-10
                f      | 2020-04-20 | 2020-04-01
                g      | 2019-01-01 |
                h      |            |
            """,
        },
        """
        rule                                      | a   | b   | c   | d   | e   | f   | g   | h
        exists(episodes, days=(0, 30))            | no  | yes | yes | no  | no  | no  | yes | no
        exists(episodes, months=(0, 1))           | no  | yes | yes | no  | no  | no  | yes | no
        exists(episodes, days=(None, 0))          | yes | yes | no  | no  | no  | no  | yes | no
        exists(episodes, days=(1, None))          | no  | no  | yes | yes | no  | no  | yes | no
        exists(episodes, on="start", days=(0, 30)) | no | no  | yes | no  | yes | yes | no  | no
        exists(episodes, on="end", days=(0, 30))  | yes | yes | no  | no  | yes | yes | no  | no
        exists(episodes)                          | yes | yes | yes | yes | yes | yes | yes | yes
        last(episodes, start, days=(0, 30))       |     | 2020-01-01 | 2020-04-30 | | |   | 2019-01-01 |
        last(episodes, end, days=(0, 30))         |     | 2020-04-01 |            | | |   |            |
        missing(last(episodes, start))            | no  | no  | no  | no  | no  | no  | no  | yes
        """,
    ),
    Page(
        "the date of a row is its only one, else date, else start, else the first",
        {
            "people": "person\na",
            "only": "person | opened_on\na | 2020-03-31",
            "named": "person | written | date\na | 2019-01-01 | 2020-03-31",
            "started": "person | seen | start\na | 2019-01-01 | 2020-03-31",
            "several": "person | written | seen\na | 2020-03-31 | 2019-01-01",
        },
        """
        rule                                          | a
        exists(only, days=(0, 0))                     | yes
        exists(named, days=(0, 0))                    | yes
        exists(named, on="written", days=(0, 0))      | no
        exists(started, days=(0, 0))                  | yes
        exists(started, on="seen", days=(0, 0))       | no
        exists(several, days=(0, 0))                  | yes
        exists(several, on="seen", days=(None, -400)) | yes
        """,
    ),
    Page(
        "on= also says by which date first and last are ordered",
        {
            "people": "person\na",
            "letters": """
                person | written    | received   | n
                a      | 2020-01-01 | 2020-03-03 | 1
                a      | 2020-01-02 | 2020-03-02 | 2
                a      | 2020-01-03 | 2020-03-01 | 3
            """,
        },
        """
        rule                                | a
        first(letters, n)                   | 1
        last(letters, n)                    | 3
        first(letters, n, on="received")    | 3
        last(letters, n, on="received")     | 1
        last(letters, n, on="received", days=(None, -29)) | 2
        """,
    ),
    Page(
        "inside a table's condition a name is first a column of that table, then of the person",
        {
            "people": """
                person | score | limit | note
                a      | 10    | 5     | x
                b      | 10    | 50    | y
                c      | 10    |       | z
            """,
            "readings": """
                person | date       | score | note
                a      | 2020-01-01 | 7     | p
                b      | 2020-01-01 | 7     | y
                c      | 2020-01-01 | 7     | z
            """,
        },
        """
        rule                                   | a   | b   | c
        exists(readings, score > limit)        | yes | no  | no
        exists(readings, score == 10)          | no  | no  | no
        score                                  | 10  | 10  | 10
        exists(readings, note == "y")          | no  | yes | no
        exists(readings, date < index_date)    | yes | yes | yes
        sum(readings, score + limit)           | 12  | 57  |
        last(readings, limit)                  | 5   | 50  |
        count(readings, age("2000-01-01", date) == 20) | 1 | 1 | 1
        """,
    ),
    Page(
        "rows that say the same count each",
        {
            "people": "person\na\nb",
            "paid": """
                person | date       | amount
                a      | 2020-03-01 | 0.5
                a      | 2020-03-01 | 0.5
                a      | 2020-03-01 | 0.5
                b      | 2020-03-01 | 2.5
            """,
        },
        """
        rule                       | a   | b
        count(paid)                | 3   | 1
        sum(paid, amount)          | 1.5 | 2.5
        mean(paid, amount)         | 0.5 | 2.5
        first(paid, amount)        | 0.5 | 2.5
        last(paid, amount)         | 0.5 | 2.5
        """,
    ),
    Page(
        "ten tenths are one",
        {"people": "person\na", "paid": "person | date | amount\n" + "\n".join(["a | 2020-03-01 | 0.1"] * 10)},
        """
        rule                      | a
        sum(paid, amount) >= 1    | yes
        sum(paid, amount) == 1    | yes
        mean(paid, amount) == 0.1 | yes
        """,
    ),
    Page(
        "of rows on one day first takes the first and last the last, drawn so that every home agrees",
        {
            "people": "person\na\nb\nc",
            "readings": """
                person | date       | score | word   | ok  | day
                a      | 2020-01-01 | 3     | Zebra  | no  | 2020-01-05
                a      | 2020-01-01 | 5     | apple  | no  | 2020-01-06
                a      | 2020-01-01 | 7     | éclair | yes | 2020-01-07
                b      | 2020-01-01 | 2     | a      | no  | 2020-01-01
                b      | 2020-01-01 |       |        |     |
                b      | 2020-01-01 | 9     | b      | yes | 2020-01-02
                c      | 2020-01-01 |       |        |     |
                c      | 2020-01-01 |       |        |     |
            """,
        },
        """
        rule                             | a          | b          | c
        first(readings, score)           | 3          | 2          |
        last(readings, score)            | 7          | 9          |
        first(readings, word)            | Zebra      | a          |
        last(readings, word)             | éclair     | b          |
        first(readings, ok)              | no         | no         |
        last(readings, ok)               | yes        | yes        |
        first(readings, day)             | 2020-01-05 | 2020-01-01 |
        last(readings, day)              | 2020-01-07 | 2020-01-02 |
        first(readings, score / 2)       | 1.5        | 1          |
        last(readings, score, score < 7) | 5          | 2          |
        """,
    ),
    Page(
        "of rows on one day in a file, the order of the file decides",
        {
            "people": "person\na\nb\nc",
            "readings": """
                person | date       | score | word
                a      | 2020-01-01 | 7     | b
                c      | 2020-01-01 | 1     | q
                a      | 2020-01-01 | 3     | c
                a      | 2020-01-01 | 9     | d
                b      | 2020-01-01 |       |
                b      | 2020-01-01 | 4     | x
                a      | 2020-01-01 | 5     | a
                c      | 2020-01-01 |       | p
                c      | 2019-12-31 | 8     | o
            """,
        },
        """
        rule                             | a | b | c
        first(readings, score)           | 7 |   | 8
        last(readings, score)            | 5 | 4 |
        first(readings, word)            | b |   | o
        last(readings, word)             | a | x | p
        first(readings, score, score < 7) | 3 | 4 | 1
        last(readings, score, score > 5) | 9 |   | 8
        """,
        homes=("frames", "csv", "parquet"),
    ),
    Page(
        "of rows on one day in a database, which has no order, the smallest and the largest value are taken",
        {
            "people": "person\na\nb\nc",
            "readings": """
                person | date       | score | word
                a      | 2020-01-01 | 7     | b
                c      | 2020-01-01 | 1     | q
                a      | 2020-01-01 | 3     | é
                a      | 2020-01-01 | 9     | d
                b      | 2020-01-01 |       |
                b      | 2020-01-01 | 4     | x
                a      | 2020-01-01 | 5     | B
                c      | 2020-01-01 |       | p
                c      | 2019-12-31 | 8     | o
            """,
        },
        """
        rule                             | a | b | c
        first(readings, score)           | 3 | 4 | 8
        last(readings, score)            | 9 | 4 | 1
        first(readings, word)            | B | x | o
        last(readings, word)             | é | x | q
        first(readings, -score)          | -9 | -4 | -8
        """,
        homes=("postgres", "spark"),
    ),
    Page(
        "a table without rows holds nothing",
        {
            "people": "person\na\nb",
            "concerns": "person: text | opened_on: date | n: int",
        },
        """
        rule                                     | a   | b
        exists(concerns)                         | no  | no
        count(concerns)                          | 0   | 0
        exists(concerns, days=(-365, 0))         | no  | no
        count(concerns, n > 2, days=(None, 0))   | 0   | 0
        sum(concerns, n)                         | 0   | 0
        mean(concerns, n)                        |     |
        first(concerns, n)                       |     |
        last(concerns, opened_on)                |     |
        missing(last(concerns, n))               | yes | yes
        """,
        # A file without rows is refused when it is read: it is more often the wrong file than a true answer.
        homes=("frames", "postgres", "spark"),
    ),
    Page(
        "another table may be asked about inside a table's condition",
        {
            "people": "person | worker\na | kim\nb | lee\nc | kim\nd | kim",
            "visits": """
                person | seen       | by  | length
                a      | 2020-03-01 | kim | 1
                a      | 2020-03-10 | lee | 2
                a      | 2019-12-01 | kim | 4
                b      | 2020-03-20 | lee | 8
                c      | 2020-03-05 | kim | 16
            """,
            "assessments": """
                person | done       | by  | score
                a      | 2020-03-05 | kim | 1
                a      | 2020-01-15 | lee | 2
                c      | 2020-03-05 | lee | 3
                c      | 2020-03-06 | kim | 4
                d      | 2020-03-01 | kim | 5
            """,
        },
        """
        rule                                                                          | a   | b   | c   | d
        exists(visits, seen > last(assessments, done))                                | yes | no  | no  | no
        count(visits, seen > first(assessments, done))                                | 2   | 0   | 0   | 0
        count(visits, exists(assessments, done < seen))                               | 2   | 0   | 0   | 0
        count(visits, not exists(assessments, done < seen))                           | 1   | 1   | 1   | 0
        count(visits, count(assessments, done <= seen) >= 2)                          | 1   | 0   | 0   | 0
        exists(visits, exists(assessments, done == seen))                             | no  | no  | yes | no
        sum(visits, length, exists(assessments, done >= seen))                        | 5   | 0   | 16  | 0
        count(visits, exists(assessments, by == "kim" and done <= seen))              | 1   | 0   | 0   | 0
        count(visits, exists(assessments, by == worker and done <= seen))             | 1   | 0   | 0   | 0
        count(visits, by == "kim" and exists(assessments, by == "lee"))               | 2   | 0   | 1   | 0
        count(visits, exists(assessments, done <= seen, days=(-60, 0)), days=(-30, 0)) | 1  | 0   | 1   | 0
        count(visits, exists(assessments, days=(-30, 0)))                             | 3   | 0   | 1   | 0
        last(visits, length, sum(assessments, score, done < seen) == 2)               | 1   |     |     |
        count(visits, sum(assessments, score + length, done < seen) > 6)              | 1   | 0   | 0   | 0
        count(visits, mean(assessments, score) == 1.5)                                | 3   | 0   | 0   | 0
        exists(visits, missing(last(assessments, done)))                              | no  | yes | no  | no
        exists(visits, seen > first(visits, seen))                                    | yes | no  | no  | no
        """,
    ),
    Page(
        "a rule with a name stands for itself in other rules",
        {
            "people": """
                person | born       | n
                a      | 2005-06-01 | 1
                b      | 2005-06-01 | 0
                c      |            | 1
                d      | 1990-01-01 | 1
            """,
            "visits": """
                person | date       | length
                a      | 2020-03-01 | 5
                a      | 2020-03-02 | 6
                b      | 2020-03-01 | 7
                c      | 2020-03-01 | 8
            """,
        },
        """
        rule                          | a   | b   | c   | d
        teen                          | yes | yes |     | no
        busy                          | yes | no  | no  | no
        teen and busy                 | yes | no  | no  | no
        not teen                      | no  | no  |     | yes
        busy_teen or n == 0           | yes | yes | no  | no
        load + 1                      | 5   | 3   | 3   | 1
        load > 2                      | yes | no  | no  | no
        missing(teen)                 | no  | no  | yes | no
        count(visits, teen)           | 2   | 1   | 0   | 0
        sum(visits, length, not teen) | 0   | 0   | 0   | 0
        0 < n <= load                 | yes | no  | yes | no
        """,
        definition={
            "rules": {
                "teen": "11 <= age(born, index_date) <= 17",
                "busy": "count(visits, days=(-30, 0)) >= 2",
                "busy_teen": "teen and busy",
                "load": "count(visits) * 2",
            }
        },
    ),
    Page(
        "followed asks whether a person could be seen all through",
        {
            "people": """
                person | on         | registered | died       | moved
                a      | 2020-03-31 | 2019-04-01 |            |
                b      | 2020-03-31 | 2019-04-02 | 2021-03-31 |
                c      | 2020-03-31 | 2019-03-31 | 2021-03-30 | 2025-01-01
                d      | 2020-03-31 |            |            | 2020-04-30
                e      | 2020-02-29 | 2020-02-29 |            | 2021-02-28
                f      | 2015-06-01 | 2010-01-01 | 2010-01-01 |
                g      | 2022-01-01 | 2021-01-01 |            |
            """
        },
        """
        rule                                 | a   | b   | c   | d   | e   | f   | g
        followed(days=365)                   | yes | yes | no  | no  | yes | no  | no
        followed(days=-365)                  | yes | no  | yes | yes | no  | no  | yes
        followed(days=(-365, 364))           | yes | no  | yes | no  | no  | no  | yes
        followed(days=(0, 0))                | yes | yes | yes | yes | yes | no  | yes
        followed(months=12)                  | yes | yes | no  | no  | yes | no  | no
        followed(months=(0, 1))              | yes | yes | yes | yes | yes | no  | yes
        followed(days=(0, 30))               | yes | yes | yes | yes | yes | no  | yes
        followed(days=(0, 31))               | yes | yes | yes | no  | yes | no  | yes
        followed(months=-12)                 | no  | no  | yes | yes | no  | no  | yes
        not followed(days=365)               | no  | no  | yes | yes | no  | yes | yes
        """,
        definition={
            "index": {"table": "people", "date": "on"},
            "followed": {"since": ["2015-01-01", "registered"], "until": ["2022-12-31", "died", "moved"]},
        },
    ),
]


@on_every_home(PAGES)
def test_the_page_holds(page, home):
    page.holds_in(home)
