"""Text is compared letter by letter, and text or names that look like SQL are only text and names."""

from __future__ import annotations

import pytest

from tests.cohort.spec.page import Page, on_every_home

WORDS = """
    person | word   | other
    a      | Zebra  | apple
    b      | apple  | Zebra
    c      | éclair | f
    d      | Ångström | z
    e      |        | x
    f      | ～     | 😀
    g      | 😀     | ～
"""
SIGNS = r"""
    person | word
    a      | O'Brien
    b      | x"; DROP TABLE people; --
    c      | a\b
    d      | 50%_off
    e      | {x} $1 :n ? %s
    f      | `tick` [x]
    g      | a''b
    h      | /* no */ ${y}
"""
PAGES = [
    Page(
        "text compares by code point, whatever the language of the machine",
        {"people": WORDS},
        """
        rule                    | a   | b   | c   | d   | e | f   | g
        word < "a"              | yes | no  | no  | no  |   | no  | no
        word > "z"              | no  | no  | yes | yes |   | yes | yes
        word >= "Zebra"         | yes | yes | yes | yes |   | yes | yes
        word > "～"             | no  | no  | no  | no  |   | no  | yes
        "a" < word < "b"        | no  | yes | no  | no  |   | no  | no
        word < other            | yes | no  | no  | no  |   | yes | no
        word == "apple"         | no  | yes | no  | no  |   | no  | no
        word == "APPLE"         | no  | no  | no  | no  |   | no  | no
        word != "zebra"         | yes | yes | yes | yes |   | yes | yes
        word in ("Zebra", "😀") | yes | no  | no  | no  |   | no  | yes
        word == "e\\u0301clair" | no  | no  | no  | no  |   | no  | no
        "Z" < "a" < "Å" < "é"   | yes | yes | yes | yes | yes | yes | yes
        """,
    ),
    Page(
        "quotes, backslashes and signs that mean something to an engine are only text",
        {"people": SIGNS},
        r"""
        rule                                    | a   | b   | c   | d   | e   | f   | g   | h
        word == "O'Brien"                       | yes | no  | no  | no  | no  | no  | no  | no
        word == 'x"; DROP TABLE people; --'     | no  | yes | no  | no  | no  | no  | no  | no
        word == "a\\b"                          | no  | no  | yes | no  | no  | no  | no  | no
        word == "50%_off"                       | no  | no  | no  | yes | no  | no  | no  | no
        word == "{x} $1 :n ? %s"                | no  | no  | no  | no  | yes | no  | no  | no
        word == "`tick` [x]"                    | no  | no  | no  | no  | no  | yes | no  | no
        word == "a''b"                          | no  | no  | no  | no  | no  | no  | yes | no
        word == "/* no */ ${y}"                 | no  | no  | no  | no  | no  | no  | no  | yes
        word == "a'b"                           | no  | no  | no  | no  | no  | no  | no  | no
        word == "a\b"                           | no  | no  | no  | no  | no  | no  | no  | no
        word in ("a\\b", "a''b", "\\", "'")     | no  | no  | yes | no  | no  | no  | yes | no
        "a\\b"                                  | a\b | a\b | a\b | a\b | a\b | a\b | a\b | a\b
        """,
    ),
    Page(
        "startswith and in look for a part of a text, sign by sign",
        {"people": SIGNS.replace("a''b", "")},
        r"""
        rule                                 | a   | b   | c   | d   | e   | f   | g | h
        startswith(word, "O'")               | yes | no  | no  | no  | no  | no  |   | no
        startswith(word, "o")                | no  | no  | no  | no  | no  | no  |   | no
        startswith(word, "a\\")              | no  | no  | yes | no  | no  | no  |   | no
        startswith(word, "50%")              | no  | no  | no  | yes | no  | no  |   | no
        startswith(word, "%")                | no  | no  | no  | no  | no  | no  |   | no
        startswith(word, "_")                | no  | no  | no  | no  | no  | no  |   | no
        startswith(word, "`tick` [x] and on") | no | no  | no  | no  | no  | no  |   | no
        not startswith(word, "O'")           | no  | yes | yes | yes | yes | yes |   | yes
        "%" in word                          | no  | no  | no  | yes | yes | no  |   | no
        "_" in word                          | no  | no  | no  | yes | no  | no  |   | no
        "." in word                          | no  | no  | no  | no  | no  | no  |   | no
        "\\" in word                         | no  | no  | yes | no  | no  | no  |   | no
        "'" in word                          | yes | no  | no  | no  | no  | no  |   | no
        "x" in word                          | no  | yes | no  | no  | yes | yes |   | no
        "x" not in word                      | yes | no  | yes | yes | no  | no  |   | yes
        "DROP" in word                       | no  | yes | no  | no  | no  | no  |   | no
        "drop" in word                       | no  | no  | no  | no  | no  | no  |   | no
        "[x]" in word                        | no  | no  | no  | no  | no  | yes |   | no
        "x" in word or missing(word)         | no  | yes | no  | no  | yes | yes | yes | no
        """,
    ),
    Page(
        "startswith and in look into whatever gives text",
        {
            "people": """
                person | word  | part
                a      | north | nor
                b      | north | NOR
                c      | north |
                d      |       | or
                e      | or    | orth
                f      | été   | ét
            """,
            "visits": """
                person | date       | place
                a      | 2020-01-01 | northern line
                b      | 2020-01-01 | line
                b      | 2020-01-02 | the north
            """,
        },
        """
        rule                                     | a   | b   | c   | d  | e  | f
        "o" in word                              | yes | yes | yes |    | yes | no
        "" in word                               | yes | yes | yes |    | yes | yes
        "té" in word                             | no  | no  | no  |    | no | yes
        startswith(word, "ét")                   | no  | no  | no  |    | no | yes
        startswith(word, part)                   | yes | no  |     |    | no | yes
        startswith(word, "")                     | yes | yes | yes |    | yes | yes
        "north" in last(visits, place)           | yes | yes |     |    |    |
        startswith(first(visits, place), "line") | no  | yes |     |    |    |
        count(visits, "line" in place)           | 1   | 1   | 0   | 0  | 0  | 0
        count(visits, startswith(place, word))   | 1   | 0   | 0   | 0  | 0  | 0
        """,
    ),
    Page(
        "a column whose name is no word is asked for by name",
        {
            "people": """
                person | date of birth | class | we"ird | a.b | `tick` | 100% %s | {x} | été | select | a'b
                a      | 2010-01-01    | 3     | 4      | 5   | 6      | 7       | 8   | 9   | 10     | 11
            """,
            "visits": """
                person | seen on    | from
                a      | 2020-01-01 | north
            """,
        },
        """
        rule                                                       | a
        column("date of birth") < "2011-01-01"                     | yes
        column("class")                                            | 3
        column('we"ird')                                           | 4
        column("a.b")                                              | 5
        column("`tick`")                                           | 6
        column("100% %s")                                          | 7
        column("{x}")                                              | 8
        été                                                        | 9
        select + column("été")                                     | 19
        column("a'b")                                              | 11
        count(visits, column("seen on") < index_date)              | 1
        last(visits, column("from"))                               | north
        exists(visits, column("from") == "north", on="seen on", days=(-90, 0)) | yes
        """,
    ),
    Page(
        "columns that differ only in case are told apart",
        {
            "people": """
                person | sex | Sex | SEX
                a      | 2   | 1   | 3
            """,
            "visits": """
                person | date       | n | N
                a      | 2020-01-01 | 1 | 2
            """,
        },
        """
        rule               | a
        Sex                | 1
        sex                | 2
        SEX                | 3
        sum(visits, n)     | 1
        sum(visits, N)     | 2
        last(visits, N, n < N) | 2
        """,
        # Spark takes such names for one unless it is told otherwise.
        homes=("frames", "csv", "parquet", "postgres"),
    ),
    Page(
        "a person is the same whether the id is written as a number or as text",
        {
            "people": """
                person: int | n
                12345678    | 1
                17          | 2
                3           | 3
            """,
            "as text": """
                person: text | date
                17           | 2020-01-01
                12345678     | 2020-01-01
            """,
            "as float": """
                person: float | date
                17            | 2020-01-01
                12345678      | 2020-01-01
                              | 2020-01-01
            """,
        },
        """
        rule                           | 12345678 | 17  | 3
        n                              | 1        | 2   | 3
        exists("as text")              | yes      | yes | no
        exists("as float")             | yes      | yes | no
        person == "17"                 | no       | yes | no
        """,
    ),
    Page(
        "a blank id names nobody",
        {
            "people": """
                person | n
                a      | 1
                       | 2
                ''     | 3
            """,
            "visits": """
                person | date
                a      | 2020-01-01
                       | 2020-01-01
                ''     | 2020-01-01
            """,
        },
        """
        rule          | a
        n             | 1
        count(visits) | 1
        """,
    ),
]


@on_every_home(PAGES)
def test_the_page_holds(page, home):
    page.holds_in(home)


@pytest.mark.parametrize("name", ["as text", "x'); DROP TABLE people; --"])
def test_a_table_by_an_odd_name_is_only_a_name(name):
    people = "person\na"
    Page("", {"people": people, name: "person | n\na | 1"}, f'rule | a\nexists("{name}", n == 1) | yes').holds_in(
        "frames"
    )
