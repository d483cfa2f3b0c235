"""Item answers as they stand in a table: found, checked, and coded by the keys of an instrument.

Answers become small whole numbers, the lowest 0, a blank one more than the largest sum of any scale. One sum per
scale then tells both how many answers are blank and what the others add up to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evalkit.errors import DataError, did_you_mean, several
from evalkit.words import listed

CODINGS = ("as_ticked", "as_scored")
ROWS = 32768  # forms at a time, so that what is worked on stays in the processor's cache
_SHOWN = 5
_SHORT = 10  # beyond so many steps a number is a rating, and one too many says nothing of how it is counted
_EACH, _NAMED = 8, 5
_WORDS = (
    "Words are not read as answers. Turn them into the numbers of the form; in a study file say what each stands for: "
    'answers = { "not true" = 0, "somewhat true" = 1, "99" = "" }.'
)

Rows = slice | np.ndarray
NameRows = Callable[[np.ndarray], Iterable[object]]


@dataclass(frozen=True, eq=False)
class Item:
    """One item: the column that holds it, its answers as numbers (NaN where blank), and what the keys do to it.

    ``unread``, shape (n_forms,): where the entry is not a number; None where all are.
    """

    name: str
    column: str
    values: np.ndarray
    unread: np.ndarray | None
    limits: tuple[int, int]
    reverse: bool
    recode: np.ndarray | None

    @property
    def scored(self) -> tuple[int, int]:
        """The lowest answer after the keys, and how far above it the highest stands."""
        if self.recode is not None:
            return 0, int(self.recode.max())
        return self.limits[0], self.limits[1] - self.limits[0]


@dataclass(frozen=True, eq=False)
class Answers:
    """The answers to one instrument, ready to be coded some rows at a time.

    ``blank`` is the code of a missing answer and ``kind`` the smallest whole-number type that holds every sum.
    """

    items: dict[str, Item]
    count: int
    decimal: bool
    blank: int
    kind: Any

    def coded(self, rows: Rows) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Codes of some rows by item, and where a column holds what is no answer."""
        codes, wrong = {}, {}
        for name, item in self.items.items():
            codes[name], impossible = _measured(item, rows) if self.decimal else self._code(item, rows)
            if impossible is not None:
                wrong[item.column] = impossible
        return codes, wrong

    def keyed(self, rows: Rows) -> dict[str, np.ndarray]:
        """Answers of some rows as they are scored, float with NaN where blank."""
        with np.errstate(invalid="ignore"):
            codes, _ = self.coded(rows)
        if self.decimal:
            return codes
        low = {name: item.scored[0] for name, item in self.items.items()}
        return {name: np.where(code == self.blank, np.nan, code + float(low[name])) for name, code in codes.items()}

    def _code(self, item: Item, rows: Rows) -> tuple[np.ndarray, np.ndarray | None]:
        """What is not a whole number within the limits compares unequal or lies beyond the span."""
        low, span = item.limits[0], item.limits[1] - item.limits[0]
        values = item.values[rows]
        if low:
            values = (values if values.dtype.kind == "f" else values.astype(np.int64)) - low
        code = values.astype(self.kind)
        good = code == values
        good &= code <= span
        if item.reverse:
            code = np.subtract(self.kind(span), code)
        elif item.recode is not None:
            code = np.take(item.recode, code, mode="clip").astype(self.kind)
        if good.all():
            return code, None
        bad = ~good
        # Cheaper than putting the blank in by a mask; what wrapped round in bad places is gone with the product.
        code *= good
        code += bad.view(np.uint8) * self.kind(self.blank)
        impossible = bad & (values == values)
        if item.unread is not None:
            impossible |= item.unread[rows]
        return code, impossible if impossible.any() else None


def read_answers(
    items: pd.DataFrame, keys: dict[str, Any], columns: Sequence[str] | None, coding: str, where: str
) -> Answers:
    """Find the answers to an instrument in a table.

    Parameters
    ----------
    items : DataFrame, shape (n_forms, n_items or more)
        One row per form; a blank answer is missing.
    keys : dict
        The instrument's entry.
    columns : sequence of str or None
        The item columns in the instrument's order, supplement last; None for the shelf's names.
    coding : {"as_ticked", "as_scored"}
        Whether the reverse keys are still to be applied.
    where : str
        The file or table, for messages.

    Returns
    -------
    Answers
        Checked for columns and coding; answers are checked as they are coded.

    Raises
    ------
    DataError
        Missing or doubled columns, an unknown coding.
    """
    if coding not in CODINGS:
        raise DataError(f'{where}: coding "{coding}" is not known. {did_you_mean(coding, CODINGS)}')
    found = {}
    for name, column in item_columns(items, keys, columns, where).items():
        values, unread = _read(items[column])
        turned = coding == "as_ticked" and name in keys.get("reverse", ())
        found[name] = Item(name, column, values, unread, _limits(keys, name), turned, _recode(keys, name))
    largest = max(sum(_span(keys, item) for item in scale.get("items", ())) for scale in keys["scale"])
    most = max(len(scale.get("items", ())) for scale in keys["scale"]) * (largest + 1)
    high = max(item.limits[1] - item.limits[0] for item in found.values())
    kind = np.min_scalar_type(max(most, high)).type
    return Answers(found, len(items), keys.get("answers") == "decimal", largest + 1, kind)


def item_columns(
    items: pd.DataFrame, keys: dict[str, Any], columns: Sequence[str] | None, where: str
) -> dict[str, str]:
    """Which column holds which item; without the supplement its items are left out.

    Raises
    ------
    DataError
        Columns that are not there, stand twice, or are too many or too few.
    """
    core, extra = list(keys["items"]), list(keys.get("supplement", {}).get("items", []))
    if columns is None:
        wanted = core + (extra if set(extra) & set(items.columns) else [])
        named = dict(zip(wanted, wanted, strict=True))
    elif len(columns) in (len(core), len(core) + len(extra)):
        named = dict(zip(core + extra, columns, strict=False))
    else:
        also = f", or {len(core) + len(extra)} with the supplement" if extra else ""
        raise DataError(f"{where}: {len(columns)} item columns were named and the instrument has {len(core)}{also}.")
    problems = [*_absent(items, list(named.values())), *_doubled(items, list(named.values()))]
    if problems:
        raise DataError(f"{where}: {' '.join(problems)}")
    return named


def _absent(items: pd.DataFrame, named: list[str]) -> Iterator[str]:
    absent = [column for column in named if column not in items.columns]
    if absent:
        shown = listed([f'"{column}"' for column in absent[:_SHOWN]])
        spare = [column for column in items.columns if column not in named]
        near = did_you_mean(absent[0], spare)
        yield (
            f"{len(absent)} of {len(named)} item columns are not there: {shown}. "
            f"{near + ' ' if near.startswith('Did') else ''}"
            "Name the item columns in the instrument's order (items = [...] in a study, columns=[...] in score)."
        )


def _doubled(items: pd.DataFrame, named: list[str]) -> Iterator[str]:
    twice = [column for column in dict.fromkeys(named) if named.count(column) > 1]
    if twice:
        yield f"{listed([f'{column!r}' for column in twice])} was named for more than one item. Name each column once."
    again = [column for column in named if (items.columns == column).sum() > 1]
    if again:
        yield f'The table has more than one column "{again[0]}". Give each its own name.'


def _limits(keys: dict[str, Any], item: str) -> tuple[int, int]:
    low, high = keys["range"] if item in keys["items"] else keys["supplement"]["range"]
    return int(low), int(high)


def _recode(keys: dict[str, Any], item: str) -> np.ndarray | None:
    recode = None if item in keys["items"] else keys["supplement"].get("recode")
    return None if recode is None else np.array(recode)


def _span(keys: dict[str, Any], item: str) -> int:
    recode = _recode(keys, item)
    low, high = _limits(keys, item)
    return high - low if recode is None else int(recode.max())


def _read(column: pd.Series) -> tuple[np.ndarray, np.ndarray | None]:
    """A column as numbers without a copy where it holds them; text that is not blank is marked."""
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "fiu":
        return column.to_numpy(), None
    if pd.api.types.is_integer_dtype(column.dtype):
        return column.to_numpy(dtype=np.float32, na_value=np.nan), None  # exact as far as any answer goes
    values = numbers(column)
    if pd.api.types.is_numeric_dtype(column.dtype):
        return values, None
    unread = np.isnan(values) & column.notna().to_numpy()
    if unread.any():
        unread[unread] = column[unread].astype("str").str.strip().ne("").to_numpy()
    return values, unread if unread.any() else None


def _measured(item: Item, rows: Rows) -> tuple[np.ndarray, np.ndarray | None]:
    """Answers that need not be whole numbers, as float."""
    values = item.values[rows].astype(float)
    low, high = item.limits
    impossible = (values < low) | (values > high)
    if item.unread is not None:
        impossible |= item.unread[rows]
    if item.reverse:
        values = low + high - values
    return values, impossible if impossible.any() else None


def numbers(column: pd.Series) -> np.ndarray:
    """A column as float, NaN where blank and where the entry is not a number."""
    if column.dtype.kind == "f" and isinstance(column.dtype, np.dtype):
        return column.to_numpy()
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy(dtype=float, na_value=np.nan)
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)


def rows_in_words(found: Sequence[object]) -> str:
    """Name the first few rows: "rows 3, 9 and 12 (12 in all)"."""
    shown = listed([str(row) for row in found[:_SHOWN]])
    more = f" and others ({len(found)} in all)" if len(found) > _SHOWN else f" ({len(found)} in all)"
    return f"{'row' if len(found) == 1 else 'rows'} {shown}{more}"


# ---------------------------------------------------------------- impossible answers


def refuse(
    answers: Answers, keys: dict[str, Any], wrong: dict[str, list[np.ndarray]], where: str, name_rows: NameRows
) -> None:
    """Tell of every column that holds what is no answer, with rows, count and remedy; never the answer itself.

    Raises
    ------
    DataError
        Where there is any.
    """
    if not wrong:
        return
    by_column = {item.column: item for item in answers.items.values()}
    alike: dict[str, dict[str, np.ndarray]] = {}
    for column, rows in wrong.items():
        alike.setdefault(_possible(by_column[column], answers.decimal), {})[column] = np.concatenate(rows)
    problems = [line for possible, columns in alike.items() for line in _impossible(columns, possible, name_rows)]
    hints = [*_shifted(answers), *([keys["remedy"]] if "remedy" in keys else [])]
    if any(by_column[column].unread is not None for column in wrong):
        hints.append(_WORDS)
    raise DataError("\n".join([several(where, problems), *hints]))


def _impossible(columns: dict[str, np.ndarray], possible: str, name_rows: NameRows) -> Iterator[str]:
    """A line for each column; one for all of them where there are many."""
    says = f"not a possible answer, which is {possible}. Correct it, or leave it blank when it is missing."
    if len(columns) <= _EACH:
        for column, rows in columns.items():
            yield f'Column "{column}", {rows_in_words(list(name_rows(rows)))}: {says}'
        return
    every = np.concatenate(list(columns.values()))
    named = listed([f'"{column}"' for column in list(columns)[:_NAMED]])
    told = rows_in_words(list(name_rows(np.unique(every))))
    yield f"{len(columns)} columns, {named} and others, {told}; {len(every):,} entries: {says}"


def _possible(item: Item, decimal: bool) -> str:
    low, high = item.limits
    return f"a {'number' if decimal else 'whole number'} from {low} to {high}"


def _shifted(answers: Answers) -> Iterator[str]:
    """Answers counted from another first number show as all of them lying one higher or lower than they can."""
    by_limits: dict[tuple[int, int], list[np.ndarray]] = {}
    for item in answers.items.values():
        known = item.values[item.values == item.values]
        by_limits.setdefault(item.limits, []).append(known)
    for (low, high), columns in by_limits.items():
        ends = [(column.min(), column.max()) for column in columns if len(column)]
        if not ends or answers.decimal or high - low > _SHORT:
            continue
        least, most = min(end[0] for end in ends), max(end[1] for end in ends)
        if least > low and most == high + 1:
            yield f"The answers seem to be counted from {low + 1} instead of {low}. If so, take 1 off each."
        elif least == low - 1 and most < high:
            yield f"The answers seem to be counted from {low - 1} instead of {low}. If so, add 1 to each."
