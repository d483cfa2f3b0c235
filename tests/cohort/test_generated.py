"""Generated rules asked of generated tables: every engine against the rule language in plain Python (oracle.py)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from evalkit.cohort import select
from tests.cohort.oracle import World
from tests.cohort.spec import test_calendar, test_one_row, test_tables, test_text_and_names
from tests.cohort.spec.homes import holding, home_params
from tests.cohort.spec.page import TYPES, answer_of, drawn, lines_of, plain, same

# Month ends, leap days and their neighbours are where calendars go wrong.
NEAR = [dt.date(2020, 2, 27) + dt.timedelta(days=shift) for shift in range(5)]
FAR = ["2019-02-28", "2019-03-01", "2019-12-31", "2020-01-30", "2020-01-31", "2020-03-30", "2020-03-31", "2020-05-01"]
BORN = ["2004-02-29", "2005-02-28", "2005-03-01", "2008-12-31", "2019-01-31"]
DAYS = [*NEAR, *map(dt.date.fromisoformat, [*FAR, *BORN])]
WORDS = ["care", "Care", "home", "été", "a'b", "50%", "\\"]
NUMBERS = [-2, -1, 0, 1, 2, 3]

COLUMNS = {
    "people": {
        "born": "date",
        "on": "date",
        "n": "int",
        "k": "int",
        "x": "float",
        "word": "text",
        "ok": "yes or no",
    },
    "visits": {"date": "date", "n": "int", "v": "float", "state": "text", "flag": "yes or no"},
    "spells": {"start": "date", "end": "date", "m": "int", "state": "text"},
}
NEVER_MISSING = {"on", "k"}
IDS = ["a", "b", "c", "d", "e"]
RULES = {"grown": "age(born, on) >= 11", "often": "count(visits, days=(-400, 0)) > 1", "twice": "n * 2"}
FOLLOWED = {"since": ["2004-03-01", "born"], "until": ["2020-12-31"]}


# ---------------------------------------------------------------- tables


CELLS: dict[str, st.SearchStrategy] = {
    "date": st.sampled_from(DAYS),
    "int": st.sampled_from(NUMBERS),
    # Quarters are exact in binary, so no sum of them depends on its order.
    "float": st.sampled_from([-1.5, -0.25, 0.0, 0.5, 1.0, 2.75]),
    "text": st.sampled_from(WORDS),
    "yes or no": st.booleans(),
}


def rows_of(table: str, **more: st.SearchStrategy) -> st.SearchStrategy:
    """A row: about one cell in five is missing where it may be, and one in three of a spell's."""
    often = 2 if table == "spells" else 4
    cells = {
        name: CELLS[kind]
        if name in NEVER_MISSING
        else st.integers(0, often).flatmap(lambda draw, kind=kind: CELLS[kind] if draw else st.none())
        for name, kind in COLUMNS[table].items()
    }
    return st.fixed_dictionaries({**more, **cells})


WHOSE = {"person": st.sampled_from([*IDS, "z"])}


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, list[dict]]:
    """People, their visits and their spells, some rows twice."""
    people = draw(st.lists(rows_of("people"), min_size=4, max_size=5))
    tables = {
        "people": [{"person": name, **row} for name, row in zip(IDS, people, strict=False)],
        "visits": draw(st.lists(rows_of("visits", **WHOSE), min_size=6, max_size=16)),
        "spells": draw(st.lists(rows_of("spells", **WHOSE), min_size=4, max_size=10)),
    }
    for name in ("visits", "spells"):
        tables[name] += draw(st.lists(st.sampled_from(tables[name]), max_size=3)) if tables[name] else []
        # A row of somebody else gives every column a value, so that each rule means something in every drawing.
        filled = {column: FILLED[kind] for column, kind in COLUMNS[name].items()}
        tables[name].append({"person": "nobody", **filled})
    tables["people"].append({"person": "zz", **{column: FILLED[kind] for column, kind in COLUMNS["people"].items()}})
    return tables


FILLED = {"date": DAYS[0], "int": 1, "float": 0.5, "text": "care", "yes or no": True}


def as_arrow(table: str, rows: list[dict]) -> pa.Table:
    kinds = {"person": "text", **COLUMNS[table]}
    return pa.table({name: pa.array([row[name] for row in rows], type=TYPES[kind]) for name, kind in kinds.items()})


# ---------------------------------------------------------------- rules


class Grammar:
    """Draws rules. ``tables`` are those in whose conditions the rule stands, ``depth`` how much may still follow."""

    def __init__(self, draw: st.DrawFn, depth: int, tables: tuple[str, ...] = ()) -> None:
        self.draw, self.depth, self.tables = draw, depth, tables

    def pick(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def less(self) -> Grammar:
        return Grammar(self.draw, self.depth - 1, self.tables)

    def column(self, kind: str) -> str:
        """A name that may stand here, of a kind."""
        places = [*self.tables, "people"]
        return self.pick(*[name for place in places for name, one in COLUMNS[place].items() if one == kind])

    def truth(self) -> str:
        simple = ["compared", "compared", "chained", "listed", "worded", "dated", "lacking", "column", "seen", "named"]
        parts = ["asked", "asked", "joined", "joined", "turned"] if self.depth > 0 else []
        return getattr(self, f"_{self.pick(*simple, *parts)}")()

    def _sign(self) -> str:
        return self.pick("==", "!=", "<", "<=", ">", ">=")

    def _compared(self) -> str:
        return f"{self.number()} {self._sign()} {self.number()}"

    def _chained(self) -> str:
        return f"{self.number()} {self._sign()} {self.number()} {self._sign()} {self.number()}"

    def _listed(self) -> str:
        within = self.pick("in", "not in")
        if self.pick(True, False):
            return f"{self.number()} {within} ({self.number()}, {self.number()})"
        return f"{self.text()} {within} [{self.text()}, {self.pick(*map(repr, WORDS))}]"

    def _worded(self) -> str:
        return self.pick(
            lambda: f"{self.text()} {self._sign()} {self.text()}",
            lambda: f"startswith({self.text()}, {self.pick('c', 'h', 'é', '50%', '')!r})",
            lambda: f"{self.pick('a', 'm', 'é', '%', '_', chr(92), '')!r} {self.pick('in', 'not in')} {self.text()}",
        )()

    def _dated(self) -> str:
        day = self.pick(*FAR, *BORN)
        return self.pick(
            lambda: f"{self.day()} {self._sign()} {self.day()}",
            lambda: f"{self.column('date')} {self._sign()} {day!r}",
            lambda: f"{day!r} <= {self.column('date')} < {self.day()}",
            lambda: f"{self.column('date')} in ({day!r}, {self.day()})",
        )()

    def _lacking(self) -> str:
        return f"missing({self.pick(self.number, self.text, self.day)()})"

    def _column(self) -> str:
        name = self.column("yes or no")
        return self.pick(name, f"{name} == {self.column('yes or no')}", f"{name} != {self.column('yes or no')}")

    def _seen(self) -> str:
        if self.tables:
            return self._lacking()
        ends = self.pick("days=365", "days=-365", "days=(-30, 306)", "months=12", "months=(-1, 10)", "days=(0, 0)")
        return f"followed({ends})"

    def _named(self) -> str:
        return self.pick("grown", "not grown", "often", "grown and often") if not self.tables else self._lacking()

    def _joined(self) -> str:
        return f"({self.less().truth()} {self.pick('and', 'or')} {self.less().truth()})"

    def _turned(self) -> str:
        return f"not ({self.less().truth()})"

    def _asked(self) -> str:
        if len(self.tables) >= 2:
            return self._lacking()
        return f"exists({self.rows(self.pick('visits', 'spells'))})"

    def number(self) -> str:
        simple = ["literal", "literal", "number", "number", "years", "between"]
        parts = ["sum", "times", "share", "signed", "rows", "rows"] if self.depth > 0 else []
        return getattr(self, f"_n_{self.pick(*simple, *parts)}")()

    def _n_literal(self) -> str:
        return self.pick("0", "1", "2", "-1", "0.5", "11", "1e1")

    def _n_number(self) -> str:
        return self.column(self.pick("int", "float"))

    def _n_years(self) -> str:
        return f"{self.pick('age', 'months', 'days')}({self.column('date')}, {self.day()})"

    def _n_between(self) -> str:
        return f"({self.column('date')} - {self.day()})"

    def _n_sum(self) -> str:
        return f"({self.less().number()} {self.pick('+', '-')} {self.less().number()})"

    def _n_times(self) -> str:
        return f"{self.less().number()} * {self.pick('2', '-0.5', 'k')}"

    def _n_share(self) -> str:
        return f"{self._n_number()} / {self.pick('2', '4', '0', 'k', '(k - 1)')}"

    def _n_signed(self) -> str:
        return f"{self.pick('-', '+')}({self.less().number()})"

    def _n_rows(self) -> str:
        if len(self.tables) >= 2:
            return self._n_number()
        table = self.pick("visits", "spells")
        inner = Grammar(self.draw, 0, (table, *self.tables))
        function = self.pick("count", "sum", "mean", "first", "last")
        if function == "count":
            return f"count({self.rows(table)})"
        of = self.pick(inner._n_number, inner._n_number, inner._n_share)()
        return f"{function}({self.rows(table, of)})"

    def rows(self, table: str, of: str = "") -> str:
        """What stands in the brackets of a call that asks a table: table, value, condition, window."""
        inner = Grammar(self.draw, self.depth - 1, (table, *self.tables))
        condition = self.pick(True, True, False) and inner.truth()
        dates = [name for name, kind in COLUMNS[table].items() if kind == "date"]
        on = self.pick("", "", f'on="{self.pick(*dates)}"')
        return ", ".join(part for part in (table, of, condition, self.window(), on) if part)

    def window(self) -> str:
        low, high = sorted([self.pick(-400, -31, -30, -1, 0), self.pick(0, 1, 30, 366)])
        months = sorted([self.pick(-13, -12, -1, 0), self.pick(0, 1, 12)])
        return self.pick(
            "",
            f"days=({low}, {high})",
            f"days=(None, {high})",
            f"days=({low}, None)",
            f"months=({months[0]}, {months[1]})",
            f"months=(None, {months[0]})",
        )

    def text(self) -> str:
        choices = ["literal", "column", "column", "end"] if self.depth > 0 and len(self.tables) < 2 else ["column"]
        which = self.pick(*choices)
        if which == "end":
            table = self.pick("visits", "spells")
            return f"{self.pick('first', 'last')}({self.rows(table, 'state')})"
        return self.column("text") if which == "column" else repr(self.pick(*WORDS))

    def day(self) -> str:
        choices = ["column", "column", "index", "literal", "moved"]
        choices += ["end"] if self.depth > 0 and len(self.tables) < 2 else []
        which = self.pick(*choices)
        if which == "end":
            table, on = self.pick(("visits", "date"), ("spells", "start"), ("spells", "end"))
            return f"{self.pick('first', 'last')}({self.rows(table, on)})"
        if which == "moved":
            return f"({self.column('date')} {self.pick('+', '-')} {self.pick('1', '30', '366', 'k', 'k * 30')})"
        return {
            "column": lambda: self.column("date"),
            "index": lambda: "index_date",
            "literal": lambda: f'date("{self.pick(*FAR)}")',
        }[which]()

    def anything(self) -> str:
        return self.pick(*[self.truth] * 6, self.number, self.number, self.day, self.text)()


@st.composite
def rules(draw: st.DrawFn) -> str:
    return Grammar(draw, depth=draw(st.sampled_from([0, 1, 2, 2, 3]))).anything()


# ---------------------------------------------------------------- engines against oracle


def found_in(home: str, tables: dict[str, list[dict]], asked: list[str]) -> dict[str, list]:
    """What the engine answers, rule by rule, for the people in the order of their ids."""
    definition = {
        "person": "person",
        "index": {"table": "people", "date": "on"},
        "rules": RULES,
        "followed": FOLLOWED,
        "columns": {f"c{place}": rule for place, rule in enumerate(asked)},
    }
    with holding(home, {name: as_arrow(name, rows) for name, rows in tables.items()}) as sources:
        table = select(sources, definition).table
    return {rule: [plain(one) for one in table[f"c{place}"].astype("object")] for place, rule in enumerate(asked)}


def worked_out(tables: dict[str, list[dict]], asked: list[str], ties: str) -> dict[str, list]:
    """The same by the oracle."""
    dates = {name: [one for one, kind in kinds.items() if kind == "date"] for name, kinds in COLUMNS.items()}
    world = World(tables, dates, rules=RULES, followed=FOLLOWED, ties=ties)
    return {rule: [plain(world.answer(rule, row, row["on"])) for row in tables["people"]] for rule in asked}


def disagreements(home: str, tables: dict[str, list[dict]], asked: list[str]) -> list[str]:
    asked = list(dict.fromkeys(asked))
    found = found_in(home, tables, asked)
    expected = worked_out(tables, asked, "value" if home in ("postgres", "spark") else "file")
    return [
        f"{rule}: {home} found {found[rule]}, by hand {expected[rule]}"
        for rule in asked
        if not all(map(same, found[rule], expected[rule]))
    ]


# Few statements where each costs much: what Spark does for one it does for all.
EXAMPLES = {"frames": 40, "parquet": 20, "postgres": 12, "spark": 4}


@pytest.mark.parametrize("home", home_params(tuple(EXAMPLES)))
def test_generated_rules_get_the_answer_worked_out_in_plain_python(home):
    @settings(
        max_examples=EXAMPLES[home],
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(worlds(), st.lists(rules(), min_size=25, max_size=25))
    def every_example(tables, asked):
        assert not disagreements(home, tables, asked), tables

    every_example()


# ---------------------------------------------------------------- the oracle itself


PAGES = [*test_one_row.PAGES, *test_calendar.PAGES, *test_tables.PAGES, *test_text_and_names.PAGES]
# What is about ids and clocks is no matter of rules.
ON_RULES = [
    page
    for page in PAGES
    if page.answers
    and "instant" not in page.says
    and "clock" not in page.says
    and " id " not in page.says
    and "by name" not in page.says
]


@pytest.mark.parametrize("page", ON_RULES, ids=lambda page: page.says)
def test_the_oracle_answers_the_pages_of_the_language(page):
    tables = {name: drawn(text) for name, text in page.tables.items()}
    rows = {name: plain_rows(table) for name, table in tables.items()}
    dates = {name: [f.name for f in table.schema if pa.types.is_temporal(f.type)] for name, table in tables.items()}
    world = World(
        rows,
        dates,
        rules=page.definition.get("rules", {}),
        followed=page.definition.get("followed", {}),
        ties="value" if page.homes == ("postgres", "spark") else "file",
    )
    on = page.definition.get("index", {}).get("date")
    _, *lines = lines_of(page.answers)
    for rule, *cells in lines:
        found = [
            plain(world.answer(rule, row, row[on] if on else dt.date(2020, 3, 31)))
            for row in rows["people"]
            if not on or row[on] is not None
        ]
        assert all(map(same, found, map(answer_of, cells))), (rule, found)


def plain_rows(table: pa.Table) -> list[dict]:
    """Rows as the oracle has them: days without a time, no such number as NaN."""
    columns = {}
    for field, column in zip(table.schema, table.columns, strict=True):
        values = column.to_pylist()
        if pa.types.is_timestamp(field.type):
            values = [value and value.date() for value in values]
        columns[field.name] = [None if value != value else value for value in values]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
