"""The blocks a section is made of. Each knows how to write itself as HTML in evalkit's look.

A section returns a list of blocks; tables and figures are numbered when the page is put together, so `html` takes
the number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from evalkit.errors import Flag
from evalkit.report.html import Cell, cell, esc, sentence, slug
from evalkit.words import KEYS

SIGNS = {
    "serious": ("Serious", "M5 1h8l4 4v8l-4 4H5l-4-4V5z", "!", 13.5),
    "caution": ("Caution", "M9 1l8.5 16H.5z", "!", 15),
    "note": ("Note", "M9 1a8 8 0 1 1 0 16A8 8 0 0 1 9 1z", "i", 13.5),
}


@dataclass(frozen=True)
class Column:
    """A column of a table: its head, whether it holds numbers, and the spanning head above it."""

    head: str
    number: bool = True
    group: str = ""


@dataclass(frozen=True)
class Text:
    """Paragraphs; plain text, escaped when written."""

    paragraphs: tuple[str, ...]

    def __init__(self, *paragraphs: str) -> None:
        object.__setattr__(self, "paragraphs", tuple(p for p in paragraphs if p))

    def html(self, number: int = 0) -> str:
        """The paragraphs as HTML."""
        return "".join(f"<p>{esc(p)}</p>" for p in self.paragraphs)


@dataclass(frozen=True)
class Html:
    """HTML that a section wrote itself; everything in it must already be escaped."""

    markup: str

    def html(self, number: int = 0) -> str:
        """The markup as it is."""
        return self.markup


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    text: str

    def html(self, number: int = 0) -> str:
        """The heading as h3."""
        return f"<h3>{esc(self.text)}</h3>"


@dataclass(frozen=True)
class How:
    """The drawer of an exhibit: formula, convention, the numbers of a figure, and the name of the result."""

    paragraphs: Sequence[str] = ()
    results: Sequence[str] = ()
    table: Table | None = None
    summary: str = "How this was computed"

    def html(self) -> str:
        """The drawer as a closed details element; empty where it holds nothing."""
        if not (self.paragraphs or self.results or self.table):
            return ""
        body = "".join(f"<p>{esc(p)}</p>" for p in self.paragraphs)
        if self.table is not None:
            body += f'<div class="ek-scroll" role="region" tabindex="0" aria-label="{esc(self.table.finding)}">'
            body += f"{_grid(self.table, '')}</div>" + "".join(_notes(self.table))
        if self.results:
            names = ", ".join(f"<code>{esc(r)}</code>" for r in self.results)
            body += f"<p>Result name{'s' if len(self.results) > 1 else ''}: {names}</p>"
        return f'<details class="ek-how"><summary>{esc(self.summary)}</summary><div>{body}</div></details>'


@dataclass(frozen=True)
class Table:
    """A numbered table.

    Parameters
    ----------
    id : str
        Stable word, the anchor of the table.
    finding : str
        The title: what the table shows.
    subtitle : str
        What is counted, in which unit, for whom.
    columns : sequence of Column
        The first one heads the rows.
    rows : sequence of sequence of (str or Cell)
        Text as it is to be printed; counts of people have passed disclosure.
    notes : sequence of str
        Printed below, after the key of symbols.
    source : str
        Printed last.
    how : How, optional
        The drawer.
    total : int
        How many rows at the end are totals.
    meanings : dict
        What a symbol means here, where more can be said than its usual key.
    dense, width
        Smaller type; least width in rem below which a phone scrolls the table (two columns always fit).
    """

    id: str
    finding: str
    subtitle: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[object]]
    notes: Sequence[str] = ()
    source: str = ""
    how: How | None = None
    total: int = 0
    meanings: dict[str, str] = field(default_factory=dict)
    dense: bool = False
    width: int = 36

    def html(self, number: int = 0) -> str:
        """The table with caption, notes, key, source and drawer."""
        anchor, grid = f"table-{slug(self.id)}", _grid(self, _caption(self, "Table", number))
        hint, opening = "", '<div class="ek-scroll ek-fits">'
        if len(self.columns) > 2:
            hint = '<p class="ek-hint">Wide table: slide it sideways to see every column</p>'
            opening = (
                f'<div class="ek-scroll" role="region" tabindex="0" aria-labelledby="{anchor}-title"'
                f' style="--least:{max(self.width, 8 * len(self.columns))}rem">'
            )
        dense = " ek-dense" if self.dense else ""
        body = "".join(_notes(self)) + (self.how.html() if self.how else "")
        return f'<div class="ek-exhibit{dense}" id="{anchor}">{hint}{opening}{grid}</div>{body}</div>'


@dataclass(frozen=True)
class Figure:
    """A numbered figure: a wide drawing and, for a phone, a narrow one.

    Parameters
    ----------
    id, finding, subtitle, notes, source, how
        As for `Table`.
    wide, narrow : str
        SVG; the narrow one may be empty when the wide one serves both.
    legend : str
        HTML list of the marks, once per section.
    """

    id: str
    finding: str
    subtitle: str
    wide: str
    narrow: str = ""
    notes: Sequence[str] = ()
    source: str = ""
    how: How | None = None
    legend: str = ""

    def html(self, number: int = 0) -> str:
        """The figure with caption, drawings, notes and drawer."""
        anchor = f"figure-{slug(self.id)}"
        drawings = self.wide
        if self.narrow:
            drawings = f'<div class="ek-wide">{self.wide}</div><div class="ek-narrow">{self.narrow}</div>'
        notes = "".join(f'<p class="ek-notes">{esc(note)}</p>' for note in self.notes)
        source = f'<p class="ek-notes">Source: {esc(sentence(self.source))}</p>' if self.source else ""
        drawer = self.how.html() if self.how else ""
        return (
            f'<figure class="ek-exhibit" id="{anchor}"><figcaption>{_title(self, "Figure", number)}</figcaption>'
            f"{self.legend}{drawings}{notes}{source}{drawer}</figure>"
        )


@dataclass(frozen=True)
class Pair:
    """Two or more half-width figures side by side, one under another on a phone."""

    figures: Sequence[Figure]


@dataclass(frozen=True)
class Tile:
    """One big number: what it is, the number, its unit, its range in words, and a small drawing."""

    label: str
    big: str
    unit: str = ""
    under: str = ""
    drawing: str = ""

    def html(self) -> str:
        """The tile as a group of a description list."""
        unit = f" <small>{esc(self.unit)}</small>" if self.unit else ""
        return (
            f'<div><dt>{esc(self.label)}</dt><dd><span class="ek-big">{esc(self.big)}{unit}</span>'
            f'<div class="ek-range">{esc(self.under)}</div>{self.drawing}</dd></div>'
        )


@dataclass(frozen=True)
class Flags:
    """The numbered list of flags, serious first."""

    flags: Sequence[Flag]
    names: dict[str, str] = field(default_factory=dict)

    def html(self, number: int = 0) -> str:
        """The list as HTML; each flag has an anchor "flag-n"."""
        items = "".join(_flag(index, flag, self.names) for index, flag in enumerate(self.flags, start=1))
        return f'<ol class="ek-flags">{items}</ol>' if items else ""


def facts(pairs: dict[str, str], css: str = "ek-facts") -> str:
    """Short facts as a description list: label and text."""
    items = "".join(f"<div><dt>{esc(label)}</dt><dd>{esc(text)}</dd></div>" for label, text in pairs.items() if text)
    return f'<dl class="{css}">{items}</dl>' if items else ""


def _flag(index: int, flag: Flag, names: dict[str, str]) -> str:
    word, outline, letter, base = SIGNS[flag.level]
    sign = (
        f'<span class="ek-level ek-{flag.level}"><svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true"'
        f' focusable="false"><path d="{outline}"/><text x="9" y="{base}" '
        f'text-anchor="middle">{letter}</text></svg>{word}</span>'
    )
    about = f": {names.get(flag.about, flag.about)}" if flag.about else ""
    first, *lines = flag.detail.split("\n")  # further lines are a list, one question each
    listed = f"<ul>{''.join(f'<li>{esc(line)}</li>' for line in lines)}</ul>" if lines else ""
    detail = f"{esc(first)} " if first else ""
    return (
        f'<li id="flag-{index}">{sign}<div><p><b>{index}. {esc(sentence(flag.text))}</b></p>'
        f'<p>{detail}<span class="ek-room">({esc(flag.room + about)})</span></p>{listed}</div></li>'
    )


def _title(exhibit: Table | Figure, word: str, number: int) -> str:
    count = f'<span class="ek-no">{word} {number}</span>' if number else ""
    below = f'<span class="ek-sub">{esc(exhibit.subtitle)}</span>' if exhibit.subtitle else ""
    return f'{count}<span class="ek-ttl">{esc(exhibit.finding)}</span>{below}'


def _caption(table: Table, word: str, number: int) -> str:
    return f'<caption id="table-{slug(table.id)}-title"><span>{_title(table, word, number)}</span></caption>'


def _grid(table: Table, caption: str) -> str:
    cut = len(table.rows) - table.total
    rows = "".join(_row(row, table.columns, index >= cut, index == cut) for index, row in enumerate(table.rows))
    return f"<table>{caption}<thead>{_head(table.columns)}</thead><tbody>{rows}</tbody></table>"


def _head(columns: Sequence[Column]) -> str:
    if not any(column.group for column in columns):
        return f"<tr>{''.join(_th(column) for column in columns)}</tr>"
    first, second, previous = [], [], ""
    for column in columns:
        if not column.group:
            first.append(_th(column, ' rowspan="2"'))
        else:
            if column.group != previous:
                span = sum(other.group == column.group for other in columns)
                first.append(f'<th scope="colgroup" colspan="{span}" class="ek-span">{esc(column.group)}</th>')
            second.append(_th(column))
        previous = column.group
    return f"<tr>{''.join(first)}</tr><tr>{''.join(second)}</tr>"


def _th(column: Column, extra: str = "") -> str:
    css = ' class="ek-r"' if column.number else ""
    return f'<th scope="col"{extra}{css}>{esc(column.head)}</th>'


def _row(row: Sequence[object], columns: Sequence[Column], total: bool, first_total: bool) -> str:
    contents = [cell(content) for content in row]
    css = f' class="ek-total{" ek-first" if first_total else ""}"' if total else ""
    tail = "".join(_td(content, column) for content, column in zip(contents[1:], columns[1:], strict=True))
    return f'<tr{css}><th scope="row"{_sort(contents[0])}>{contents[0].html()}</th>{tail}</tr>'


def _td(content: Cell, column: Column) -> str:
    css = ' class="ek-r"' if column.number else ""
    return f"<td{css}{_sort(content)}>{content.html()}</td>"


def _sort(content: Cell) -> str:
    return f' data-v="{esc(content.sort)}"' if content.sort else ""


def _notes(table: Table) -> list[str]:
    used = {cell(content).text for row in table.rows for content in row}
    keys = [
        f"<b>{symbol}</b> {esc(table.meanings.get(symbol, word))}." for symbol, word in KEYS.items() if symbol in used
    ]
    lines = [" ".join(keys)] if keys else []
    lines += [esc(note) for note in table.notes if note]
    lines += [f"Source: {esc(sentence(table.source))}"] if table.source else []
    return [f'<p class="ek-notes">{line}</p>' for line in lines]
