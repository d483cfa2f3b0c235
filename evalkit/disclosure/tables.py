"""Tables: small cells hidden, complements hidden, what rests on them hidden, and a log of it all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from evalkit import words
from evalkit.disclosure.complement import Cell, Sum, hide_complements
from evalkit.disclosure.rules import Rule, find_rule
from evalkit.errors import DisclosureError, did_you_mean, several

Total = str | Sequence[str] | Mapping[str, Sequence[str]] | None

SMALL = "a count below the threshold"
COMPLEMENT = "could be used to find a small count by subtraction"
RESTS = "rests on a hidden count"
PUBLISHED = "published figures: not counts of people in our care"


@dataclass(frozen=True, eq=False)
class Protected:
    """A table that may leave.

    Parameters
    ----------
    table : DataFrame
        As it was given, with "[c]" in hidden cells (their columns become object columns).
    log : DataFrame
        One row per change: row (index label, or "all"), column, why. Holds no values.
    """

    table: pd.DataFrame
    log: pd.DataFrame

    def _repr_html_(self) -> str:
        """Show the protected table in a notebook."""
        return self.table.to_html(index=False)


def protect(
    table: pd.DataFrame,
    rule: str = "uk-children-10",
    counts: Sequence[str] | None = None,
    behind: Mapping[str, str] | None = None,
    total: Total = None,
    links: Sequence[tuple[Cell, Sequence[Cell]]] = (),
    published: bool = False,
) -> Protected:
    """Hide what would tell of few people, and what would let a reader work it out.

    Parameters
    ----------
    table : DataFrame, shape (n_rows, n_columns)
        Never changed. Row labels must be unique.
    rule : str
        The rule set in force.
    counts : list of str, optional
        Columns that are counts of people. Default: every whole-number column.
    behind : dict, optional
        Column of percentages, means or amounts -> the count column it rests on.
    total : str, list or dict, optional
        Published totals: a column (of all other counts, or in a dict of those listed), or the label of a row.
    links : list of (whole, parts), optional
        Further sums, each cell as (row label, column).
    published : bool
        Published figures pass as they are, and the log says so.

    Returns
    -------
    Protected
        ``table`` and ``log``.

    Raises
    ------
    DisclosureError
        A column that is named does not exist, or holds what is not a count.
    """
    found = find_rule(rule)
    if published:
        return Protected(table.copy(), _log([("all", "", PUBLISHED)]))
    names = _count_columns(table) if counts is None else list(counts)
    check_counts(table, names, behind or {})
    values = {(row, name): value for name in names for row, value in numbers(table, name)}
    sums = (
        [*_sums(table, names, total), *((whole, list(parts)) for whole, parts in links)] if found.nearest == 1 else []
    )
    small = {cell for cell, value in values.items() if value < found.below}
    hidden = hide_complements(values, small, sums, found.below)
    return written(table, names, behind or {}, found, (small, hidden))


def written(
    table: pd.DataFrame, names: Sequence[str], behind: Mapping[str, str], rule: Rule, cells: tuple[set[Cell], set[Cell]]
) -> Protected:
    """The table with its hidden cells written, and the log."""
    small, hidden = cells
    out, log = table.copy(), []
    for name in names:
        column = {row: rule.shown(n) for row, n in numbers(table, name)}
        gone = {row for row, cell_name in hidden if cell_name == name}
        out[name] = _column(table[name], {**column, **dict.fromkeys(gone, words.SUPPRESSED)})
        log += [(row, name, SMALL if (row, name) in small else COMPLEMENT) for row in table.index if row in gone]
        if rule.nearest > 1:
            log.append(("all", name, f"rounded to the nearest {rule.nearest}"))
    for name, base in behind.items():
        gone = {row for row in table.index if str(out.at[row, base]) == words.SUPPRESSED}
        out[name] = _column(table[name], dict.fromkeys(gone, words.SUPPRESSED))
        log += [(row, name, RESTS) for row in table.index if row in gone]
    return Protected(out, _log(log))


def _column(column: pd.Series, changes: Mapping[object, object]) -> pd.Series:
    """A column with some entries replaced; object only where a text entered."""
    replaced = [changes.get(row, value) for row, value in column.items()]
    hides = any(value == words.SUPPRESSED for value in changes.values())
    return pd.Series(replaced, index=column.index, dtype=object if hides else column.dtype, name=column.name)


def _count_columns(table: pd.DataFrame) -> list[str]:
    """Every whole-number column."""
    return [name for name in table.columns if pd.api.types.is_integer_dtype(table[name])]


def numbers(table: pd.DataFrame, name: str) -> list[tuple[object, int]]:
    """Row label and count, without the rows that have none."""
    return [(row, int(n)) for row, n in table[name].items() if not pd.isna(n) and n != words.SUPPRESSED]


def check_counts(table: pd.DataFrame, names: Sequence[str], behind: Mapping[str, str]) -> None:
    """Refuse what cannot be judged, everything at once."""
    wanted = [*names, *behind.keys(), *behind.values()]
    problems = [
        f'There is no column "{name}". {did_you_mean(name, table.columns)}'
        for name in dict.fromkeys(wanted)
        if name not in table
    ]
    bad = {name: _not_counts(table[name]) for name in names if name in table}
    problems += [
        f'Column "{name}" holds what is not a count of people in {rows} rows: it cannot be judged.'
        for name, rows in bad.items()
        if rows
    ]
    problems += [
        f'Column "{column}" rests on "{base}", which is not among the counts. Add it to counts.'
        for column, base in behind.items()
        if base in table and base not in names
    ]
    if not table.index.is_unique:
        problems.append("Row labels are not unique. Use reset_index(drop=True) first.")
    if problems:
        raise DisclosureError(several("The table to protect", problems))


def _not_counts(column: pd.Series) -> int:
    """How many entries are neither whole non-negative numbers nor missing nor already hidden."""
    rest = column[column.notna() & (column.astype(object) != words.SUPPRESSED)]
    numbers = pd.to_numeric(rest, errors="coerce")
    return int((numbers.isna() | (numbers < 0) | (numbers % 1 != 0)).sum())


def _sums(table: pd.DataFrame, names: Sequence[str], total: Total) -> list[Sum]:
    """The sums that published totals make known."""
    if total is None:
        return []
    wanted: dict[str, Sequence[str] | None]
    wanted = dict(total) if isinstance(total, Mapping) else dict.fromkeys([total] if isinstance(total, str) else total)
    rows = {name: _total_row(table, name) for name in wanted if name not in table.columns}
    sums: list[Sum] = []
    for name, parts in wanted.items():
        if name in rows:
            others = [row for row in table.index if row != rows[name]]
            sums += [((rows[name], column), [(row, column) for row in others]) for column in names]
        else:
            columns = list(parts) if parts else [column for column in names if column not in wanted]
            sums += [((row, name), [(row, column) for column in columns]) for row in table.index]
    present = {(row, name) for name in names for row, _ in numbers(table, name)}
    kept = ((whole, [part for part in parts if part in present]) for whole, parts in sums if whole in present)
    return [(whole, parts) for whole, parts in kept if parts]


def _total_row(table: pd.DataFrame, label: object) -> object:
    """The label of the one row that holds column totals."""
    matches = [row for row in table.index if row == label or (table.loc[row].astype(str) == str(label)).any()]
    if len(matches) != 1:
        known = [*table.columns, *table.index]
        raise DisclosureError(
            f'Total "{label}" is neither a column nor the label of one row. {did_you_mean(str(label), known)}'
        )
    return matches[0]


def _log(rows: Iterable[tuple[object, str, str]]) -> pd.DataFrame:
    """The log as a table."""
    return pd.DataFrame(list(rows), columns=["row", "column", "why"])
