"""A table that stays where it is: what its columns hold is asked of the engine, and only when a rule names them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import pandas as pd
from sqlglot import exp

from evalkit.cohort.engines.base import Engine, Stored
from evalkit.cohort.engines.vocabulary import as_type, word, wrap
from evalkit.cohort.held import ORDER, PERSON, SHOWN, Held, column, short
from evalkit.cohort.kinds import Kind, as_dates
from evalkit.tables.kinds import NOT_THERE

ISO = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
KINDS: dict[Stored, Kind] = {"whole": "number", "number": "number", "yes or no": "yes or no", "other": "text"}
SAMPLE = 1000  # rows of a file that are looked at before any question about all of them
TIME = "([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?Z?)?"


class PlacedTable(Held):
    """A table that stays where it is: a large file, or a table of a database.

    Parameters
    ----------
    source : sqlglot.exp.Expr
        What stands in a FROM.
    engine : Engine
        Where it is.
    zones : dict of str to str
        By column, the clock on which its instants are read; "" holds for the others.
    typed : bool
        False where every column is text that may stand for something else (csv).
    order : Expression, optional
        What gives a row's place in the file, from 0; None: the rows have no order.
    names : list of str, optional
        The columns as the file has them, in order; default: as the engine has them.
    ordered : Expression, optional
        What stands in a FROM where that place is asked for; default: the source.
    """

    def __init__(self, name: str, person: str, source: exp.Expr, engine: Engine, **about: Any) -> None:
        there = engine.stored(source)
        names = about.get("names") or list(there)
        # An engine may have renamed columns that differ only in case; the rules use the names of the file.
        self._actual: dict[str, str] = dict(zip(names, there, strict=True))
        self.stored: dict[str, Stored] = {one: there[actual] for one, actual in self._actual.items()}
        super().__init__(name, person, self.stored)
        self._source, self._engine = source, engine
        self._zones: dict[str, str] = about.get("zones", {})
        self._typed, self._order = bool(about.get("typed", True)), about.get("order")
        self._ordered = about.get("ordered", source)
        self._kinds: dict[str, tuple[Kind, bool]] = {}
        self.numbered, self._numbered = "", set[str]()

    def kind(self, name: str) -> Kind:
        """What a column holds: by how it is stored, and where that is text by its values."""
        return self._known(name)[0]

    def whole(self, name: str) -> bool:
        """Whether a column of numbers holds whole numbers only."""
        return self._known(name)[1]

    @property
    def whole_ids(self) -> bool:
        """Whether ids are stored as whole numbers."""
        return self._typed and self.stored.get(self.person) == "whole"

    @cached_property
    def rows(self) -> int:
        """Counted by the engine."""
        return int(str(self._ask(exp.Count(this=exp.Star()))[0]))

    @property
    def zoneless(self) -> list[str]:
        """Columns of instants for which nobody has said on whose clock they are read."""
        instants = [name for name, stored in self.stored.items() if stored == "instant"]
        return [name for name in instants if not self._zones.get(name) and not self._zones.get("")]

    def _ask(self, *wanted: exp.Expr) -> list[object]:
        found = self._engine.fetch(exp.select(*(one.as_(f"a{n}") for n, one in enumerate(wanted))).from_(self._source))
        return [None if pd.isna(value) else value for value in found.iloc[0]]

    def _known(self, name: str) -> tuple[Kind, bool]:
        if name not in self._kinds:
            self._kinds[name] = self._find_kind(name)
        return self._kinds[name]

    def _raw(self, name: str) -> exp.Expr:
        return column(self._actual[name])

    def _find_kind(self, name: str) -> tuple[Kind, bool]:
        """Only text must be looked at: it may hold dates, or nothing at all."""
        stored = self.stored[name]
        if name == self.person:
            return "text", False
        if stored != "text":
            kinds: dict[Stored, Kind] = {
                "whole": "number",
                "number": "number",
                "yes or no": "yes or no",
                "other": "text",
            }
            return kinds.get(stored, "date"), stored == "whole"
        text, looks = self._cell(name), self._looks(name)
        if looks == "date":
            return ("date" if self._all(is_date(text, timed=not self._typed), text) else "text"), False
        if looks == "yes or no":
            words = exp.func("LOWER", text).isin("true", "false")
            return ("yes or no" if self._all(words, text) else "text"), False
        if looks == "number":
            numbers, whole = (self._failing(test, text) for test in (is_number(text), is_whole(text)))
            not_numbers, not_whole = self._ask(numbers, whole)  # in one look at the file
            return ("text", False) if not_numbers else ("number", not not_whole)
        return looks, False

    @property
    def date_columns(self) -> list[str]:
        """The columns that hold dates; those whose first value is none are not asked further."""
        return [name for name in self.columns if self._may_be_date(name) and self.kind(name) == "date"]

    def _may_be_date(self, name: str) -> bool:
        if name in self._kinds or name == self.person:
            return name != self.person
        stored = self.stored[name]
        return stored in ("date", "time", "instant") or (stored == "text" and self._looks(name) == "date")

    @cached_property
    def _first(self) -> dict[str, str | None]:
        """A value of each text column among the first rows: it spares a look at the whole of most columns."""
        texts = [name for name, stored in self.stored.items() if stored == "text" and name != self.person]
        if not texts:
            return {}
        chosen = [self._cell(name).as_(f"c{n}") for n, name in enumerate(texts)]
        rows = exp.select(*chosen).from_(self._source.copy()).limit(SAMPLE).subquery("r")
        one_each = [exp.Min(this=exp.column(f"c{n}")).as_(f"c{n}") for n in range(len(texts))]
        found = self._engine.fetch(exp.select(*one_each).from_(rows)).iloc[0]
        values = {name: found[f"c{n}"] for n, name in enumerate(texts)}
        return {name: None if pd.isna(value) else str(value) for name, value in values.items()}

    def _looks(self, name: str) -> Kind:
        """What the first value of a text column looks like."""
        first = self._first[name]
        if first is None:  # not among the first rows
            text = self._cell(name)
            there = exp.select(text.as_("a")).from_(self._source).where(text.copy().is_(exp.null()).not_())
            found = self._engine.fetch(there.limit(1))
            first = self._first[name] = None if found.empty else str(found["a"].iloc[0])
        if first is None:
            return "empty"
        one = pd.Series([first], dtype="str")
        if as_dates(one if self._typed else one.str.slice(0, 10)).notna().all():
            return "date"
        if self._typed:
            return "text"
        if first.lower() in ("true", "false"):
            return "yes or no"
        return "number" if pd.to_numeric(one, errors="coerce").notna().all() else "text"

    def _failing(self, condition: exp.Expr, text: exp.Expr) -> exp.Expr:
        """How many values do not meet a condition."""
        bad = exp.and_(text.copy().is_(exp.null()).not_(), exp.paren(condition).not_())
        return exp.Filter(this=exp.Count(this=exp.Star()), expression=exp.Where(this=bad))

    def _all(self, condition: exp.Expr, text: exp.Expr) -> bool:
        return not self._ask(self._failing(condition, text))[0]

    def _text(self, name: str) -> exp.Expr:
        """A column as text; in a csv file without spaces around it, an empty cell missing."""
        text = as_type(self._raw(name), "TEXT")
        return text if self._typed else exp.func("NULLIF", _trimmed(text), exp.Literal.string(""))

    def _cell(self, name: str) -> exp.Expr:
        """A column of text that stands for something else; in a csv file NA and its like are missing too."""
        text = self._text(name)
        if self._typed:
            return _trimmed(text)
        return exp.Case(ifs=[exp.If(this=text.copy().isin(*NOT_THERE), true=exp.null())], default=text)

    def _read(self, name: str) -> exp.Expr:
        """A column as its kind."""
        if name == self.person:
            return self._id(whole_ids=False)
        kind, whole = self._known(name)
        stored, raw = self.stored[name], self._raw(name)
        if kind == "empty":
            return exp.null()
        if stored == "instant":
            return word("LOCAL_DAY", raw, self._zones.get(name) or self._zones.get("") or "UTC")
        if stored in ("date", "time"):
            return word("FINITE", as_type(raw, "DATE"))  # a database may hold infinity for "until further notice"
        if stored == "number":
            return word("NOT_NAN", as_type(raw, "DOUBLE"))
        if stored == "whole":
            return as_type(raw, "BIGINT")
        if stored == "yes or no":
            return raw
        if kind == "date":
            return self._day(name)
        to = {"number": "BIGINT" if whole else "DOUBLE", "yes or no": "BOOLEAN"}.get(kind)
        return as_type(self._cell(name), to) if to else self._text(name)

    def _day(self, name: str) -> exp.Expr:
        """A date written as text; in a csv file a time may follow, and a Z for an instant in UTC."""
        text, zone = self._cell(name), self._zones.get("")
        if self._typed:
            return as_type(text, "DATE")
        day = as_type(exp.func("SUBSTRING", text.copy(), exp.convert(1), exp.convert(10)), "DATE")
        if not zone:
            return day
        local = word("LOCAL_DAY", as_type(text.copy(), "TIMESTAMPTZ"), zone)
        return exp.Case(ifs=[exp.If(this=word("MATCHES", text, ".*Z"), true=local)], default=day)

    def _id(self, whole_ids: bool) -> exp.Expr:
        """Person ids as every table of the cohort has them."""
        stored, raw = self.stored[self.person], self._raw(self.person)
        if whole_ids:
            return as_type(raw, "BIGINT")
        if stored == "number":
            near = exp.and_(raw.eq(exp.func("FLOOR", raw.copy())), exp.func("ABS", raw.copy()) < 2**53)
            cut = as_type(as_type(raw.copy(), "BIGINT"), "TEXT")
            there = word("NOT_NAN", as_type(raw.copy(), "DOUBLE")).is_(exp.null()).not_()
            whole = exp.If(this=exp.and_(there, near), true=cut)
            return exp.Case(ifs=[whole, exp.If(this=there.copy(), true=as_type(raw.copy(), "TEXT"))])
        text = self._text(self.person)
        if self._ids_with_point:
            text = exp.func(
                "SUBSTRING", text, exp.convert(1), exp.func("STRPOS", text.copy(), exp.Literal.string(".")) - 1
            )
        return exp.func("NULLIF", text, exp.Literal.string(""))

    @cached_property
    def _ids_with_point(self) -> bool:
        """Whether every id of a csv file is a whole number written as 17.0, as statistics programs do."""
        if self._typed:
            return False
        text = self._text(self.person)
        there = exp.select(text.as_("a")).from_(self._source).where(text.copy().is_(exp.null()).not_())
        first = self._engine.fetch(there.limit(1))["a"].astype("str")
        return bool(first.str.endswith(".0").any()) and self._all(word("MATCHES", text, "[0-9]+[.]0"), text)

    def relation(self, columns: Iterable[str], whole_ids: bool, order: bool) -> exp.Expr:
        """A subquery that reads the columns asked for, and no other."""
        chosen = [self._id(whole_ids).as_(PERSON, quoted=True)] if self.person in self.columns else []
        if order and self.numbered:
            return exp.Table(this=exp.to_identifier(self.numbered, quoted=True))
        if order and isinstance(self._order, exp.Expr):
            chosen.append(self._order.copy().as_(ORDER, quoted=True))
        chosen += [self._read(name).as_(self.sql_name(name), quoted=True) for name in columns]
        source = self._ordered if order and isinstance(self._ordered, exp.Expr) else self._source
        return exp.select(*chosen or [exp.Literal.number(1).as_("one")]).from_(source.copy()).subquery()

    def without_day(self, name: str) -> exp.Select:
        """Of a column stored as dates, asked as it is stored."""
        if self.stored[name] not in ("date", "time"):
            return super().without_day(name)
        return exp.select(exp.convert(1).as_("one")).from_(self._source.copy()).where(word("NO_DAY", self._raw(name)))

    @property
    def has_places(self) -> bool:
        """Whether a row has a place in a file."""
        return isinstance(self._order, exp.Expr)

    def number_rows(self, columns: Iterable[str], whole_ids: bool) -> None:
        """Give the rows a place: that of the file or, in a database, by their values, so that twins are alike."""
        wanted = list(columns)
        if isinstance(self._order, exp.Column) or (self.numbered and self._numbered >= set(wanted)):
            return  # the file itself tells, or it is done
        keys = [column(PERSON), *(self._sorted(name) for name in wanted)]
        place = word("ROW_ID", *keys) if self._order is None else self._order.copy()
        plain = self.relation(wanted, whole_ids, order=False)
        query = exp.select(exp.Star(), place.as_(ORDER, quoted=True)).from_(plain.as_("r"))
        self._engine.make(f"_rows of {short(self.name)}", query)
        self.numbered, self._numbered = f"_rows of {short(self.name)}", set(wanted)

    def _sorted(self, name: str) -> exp.Expr:
        plain = column(self.sql_name(name))
        return word("CODE", plain) if self.kind(name) == "text" else plain

    def not_of_kind(self, name: str, kind: Kind) -> tuple[int, int, list[int]]:
        """Asked of the engine; places only where the rows have an order."""
        text = self._cell(name)
        there = text.is_(exp.null()).not_()
        bad = exp.and_(there, (is_date(text, timed=not self._typed) if kind == "date" else is_number(text)).not_())
        counted = [exp.Filter(this=exp.Count(this=exp.Star()), expression=exp.Where(this=one)) for one in (there, bad)]
        total, wrong = (int(n) for n in self._ask(*counted))  # type: ignore[call-overload]
        if self._order is None or not wrong:
            return total, wrong, []
        inner = exp.select(self._order.copy().as_(ORDER, quoted=True), bad.as_("bad")).from_(self._ordered.copy())
        query = exp.select(column(ORDER)).from_(inner.subquery("r")).where(exp.column("bad"))
        found = self._engine.fetch(query.order_by(column(ORDER)).limit(SHOWN))
        return total, wrong, [int(place) for place in found[ORDER]]


def _trimmed(text: exp.Expr) -> exp.Expr:
    """Text without white space around it."""
    return exp.Trim(this=text, expression=exp.Literal.string(" \t\r\n"))


def is_date(text: exp.Expr, timed: bool = False) -> exp.Expr:
    """Whether text is an ISO date that the calendar has; worked out in numbers, since a failed cast may be an error."""

    def part(start: int, length: int) -> exp.Expr:
        return as_type(exp.func("SUBSTRING", text.copy(), exp.convert(start), exp.convert(length)), "INT")

    year, month, day = part(1, 4), part(6, 2), part(9, 2)
    leap = exp.or_(
        exp.and_(
            exp.Mod(this=year, expression=exp.convert(4)).eq(0),
            exp.Mod(this=year.copy(), expression=exp.convert(100)).neq(0),
        ),
        exp.Mod(this=year.copy(), expression=exp.convert(400)).eq(0),
    )
    february = exp.Case(ifs=[exp.If(this=leap, true=exp.convert(29))], default=exp.convert(28))
    last = exp.Case(
        ifs=[
            exp.If(this=month.copy().isin(4, 6, 9, 11), true=exp.convert(30)),
            exp.If(this=month.copy().eq(2), true=february),
        ],
        default=exp.convert(31),
    )
    valid = exp.and_(
        month.copy().between(1, 12),
        exp.GTE(this=day, expression=exp.convert(1)),
        exp.LTE(this=day.copy(), expression=wrap(last)),
        exp.GTE(this=year.copy(), expression=exp.convert(1)),
    )
    return exp.Case(
        ifs=[exp.If(this=word("MATCHES", text.copy(), ISO + TIME if timed else ISO), true=valid)], default=exp.false()
    )


def is_whole(text: exp.Expr) -> exp.Expr:
    """Whether text is a whole number of at most 64 bits; of 19 digits, by the largest there is."""
    largest = exp.and_(word("MATCHES", text.copy(), "[0-9]{19}"), text.copy() <= exp.Literal.string(str(2**63 - 1)))
    smallest = exp.and_(word("MATCHES", text.copy(), "-[0-9]{19}"), text.copy() <= exp.Literal.string(str(-(2**63))))
    return exp.or_(word("MATCHES", text.copy(), "[+-]?[0-9]{1,18}"), largest, smallest)


def is_number(text: exp.Expr) -> exp.Expr:
    """Whether text is a number, and no code with a leading zero."""
    plain = word("MATCHES", text.copy(), "[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?")
    code = word("MATCHES", text.copy(), "[+-]?0[0-9].*")
    return exp.and_(plain, code.not_())
