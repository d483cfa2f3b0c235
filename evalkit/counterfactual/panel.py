"""The people, outcome, arms and covariates as an estimator receives them: checked, sorted, complete."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from evalkit import disclosure, words
from evalkit.counterfactual.covariates import as_numbers, encode, is_number
from evalkit.counterfactual.given import check_ids, read_table
from evalkit.counterfactual.registry import Entry
from evalkit.errors import EstimationError, Flag, did_you_mean


@dataclass(frozen=True)
class Columns:
    """Which column of the frame is what; None where there is none."""

    outcome: str
    treated: str | None = None
    covariates: tuple[str, ...] = ()
    person: str | None = None
    cluster: str | None = None
    strata: str | None = None
    time: str | None = None
    unit: str | None = None
    first_treated: str | None = None
    running: str | None = None
    baseline: str | None = None
    extra: tuple[str, ...] = ()

    def named(self) -> list[str]:
        """Every column the estimate needs, without repeats."""
        single = (self.outcome, self.treated, self.person, self.cluster, self.strata, self.time, self.baseline)
        rest = (self.unit, self.first_treated, self.running, *self.covariates, *self.extra)
        return list(dict.fromkeys(name for name in (*single, *rest) if name is not None))


@dataclass(frozen=True)
class Plan:
    """How to estimate: the estimator's options and what kind of outcome it is.

    Parameters
    ----------
    estimator, se, estimand, level
        The estimator's name, its standard error, ATT or ATE, and the confidence level.
    values : {"score", "amount", "yes or no"} or None
        Decides how deadweight is defined.
    better : {"higher", "lower"}
        Which way is good.
    contract_baseline : float or None
        The level per person from which the contract counts.
    treated_is : str, number or None
        The word by which the column of arms means the treated.
    options : dict
        The estimator's own options, defaults filled in.
    draws, seed : int
        How often an estimator that draws does so, and the seed that makes it repeatable.
    """

    estimator: str
    se: str = "hc2"
    estimand: str = "ATT"
    level: float = 0.95
    values: str | None = None
    better: str = "higher"
    contract_baseline: float | None = None
    treated_is: Any = None
    options: dict[str, Any] = field(default_factory=dict)
    draws: int = 9_999
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Panel:
    """What an estimator works on; rows sorted by person (and time), so that the given order never matters.

    Parameters
    ----------
    y, treated : ndarray, shape (n,)
        Outcome, and 1 for the treated.
    x : DataFrame, shape (n, k)
        Covariates as numbers; no constant.
    covariates : DataFrame
        The same as they were given, for the balance table.
    person : ndarray of str, shape (n,)
        Ids; places in the table's index where none were given.
    cluster : ndarray of int, shape (n,), or None
        Cluster codes.
    time, baseline : ndarray or None
        Period codes (0, 1); the outcome before the programme.
    frame : DataFrame
        The rows used, with all columns named.
    columns : Columns
        What each column is.
    dropped : int
        People left out, or of whom a row is, for want of an outcome or an arm.
    flags : tuple of Flag
        What preparing found.
    """

    y: np.ndarray
    treated: np.ndarray
    x: pd.DataFrame
    covariates: pd.DataFrame
    person: np.ndarray
    cluster: np.ndarray | None
    time: np.ndarray | None
    baseline: np.ndarray | None
    frame: pd.DataFrame
    columns: Columns
    dropped: int
    flags: tuple[Flag, ...]

    @property
    def groups(self) -> np.ndarray:
        """Cluster codes, or one per person."""
        return self.cluster if self.cluster is not None else codes(self.person)

    @cached_property
    def one_row_each(self) -> bool:
        """Whether nobody has two rows; ids stand in order, as `prepare` puts them."""
        return bool(_ordered(self.person) and (self.person[1:] != self.person[:-1]).all())

    def people(self, rows: np.ndarray) -> int:
        """Count the persons behind these rows, given as a mask."""
        return int(rows.sum()) if self.one_row_each else len(np.unique(self.person[rows].astype(str)))

    def __repr__(self) -> str:
        arms = f"{self.people(self.treated == 1):,} treated, {self.people(self.treated == 0):,} comparison"
        return f"Panel({len(self.y):,} rows; {arms})"


def codes(values: np.ndarray | pd.Series) -> np.ndarray:
    """Number the distinct values.

    Parameters
    ----------
    values : array-like
        Words or numbers.

    Returns
    -------
    ndarray of int
        0, 1, 2 ... in ascending order of the values as text.
    """
    array = np.asarray(values)
    if array.dtype.kind in "OU" and len(array) and _texts(array) and _ordered(array):
        return np.cumsum(np.append(0, array[1:] != array[:-1]))
    found, known = pd.factorize(array, use_na_sentinel=False)
    return np.unique(np.asarray(known).astype(str), return_inverse=True)[1][found]


def _texts(array: np.ndarray) -> bool:
    """Whether an array holds text only."""
    return array.dtype.kind == "U" or pd.api.types.infer_dtype(array, skipna=False) == "string"


def _ordered(texts: np.ndarray) -> bool:
    """Whether texts ascend."""
    return bool((texts[1:] >= texts[:-1]).all())


def prepare(frame: pd.DataFrame, columns: Columns, plan: Plan, entry: Entry) -> Panel:
    """Check a table, leave out rows without outcome or arm, sort it, and encode covariates.

    Parameters
    ----------
    frame : DataFrame
        One row per person (or per person and time, unit and time, time ... as the estimator's ``data`` says).
    columns : Columns
        Which column is what.
    plan : Plan
        How to estimate.
    entry : Entry
        What the estimator takes.

    Returns
    -------
    Panel
        A copy; the frame is left alone.

    Raises
    ------
    EstimationError
        A column is missing or not a number, an arm is empty, a person comes twice, or nothing is left.
    """
    used = read_table(frame, columns)
    needed = [columns.outcome, *([columns.treated] if columns.treated else [])]
    complete = used[needed].notna().all(axis=1)
    if columns.cluster:
        complete &= used[columns.cluster].notna()
    left_out, everybody = _people_left_out(used, complete, columns)
    check_ids(used[complete], columns)
    used, person = _sorted(used[complete], columns)
    _check_people(used, person, columns, entry.repeated)
    y = used[columns.outcome].to_numpy(dtype=float)
    covariates = used[list(columns.covariates)].reset_index(drop=True)
    x, flags = encode(covariates)
    if left_out:
        flags.insert(0, _dropped_flag(left_out, everybody, entry.data))
    return Panel(
        y=y,
        treated=_arm(used, columns, plan, entry),
        x=x,
        covariates=covariates,
        person=person,
        cluster=codes(used[columns.cluster]) if columns.cluster else None,
        time=used[columns.time].to_numpy() if columns.time else None,
        baseline=as_numbers(used[columns.baseline]) if columns.baseline else None,
        frame=used.reset_index(drop=True),
        columns=columns,
        dropped=left_out,
        flags=tuple(flags),
    )


def _row_names(n: int) -> np.ndarray:
    """Ids for people without one, which sort as text in row order."""
    width = len(str(n))
    digits = np.arange(n)[:, None] // 10 ** np.arange(width)[::-1] % 10 + ord("0")
    letters = np.tile([ord(letter) for letter in "row "], (n, 1))
    return np.ascontiguousarray(np.hstack([letters, digits]), dtype=np.uint32).view(f"U{width + 4}").ravel()


def _people_left_out(used: pd.DataFrame, complete: pd.Series, columns: Columns) -> tuple[int, int]:
    """How many people lose a row, of how many; rows count as people where ids are not known."""
    if columns.person is None or complete.all():
        return int((~complete).sum()), len(used)
    return int(used.loc[~complete, columns.person].nunique()), int(used[columns.person].nunique())


def _dropped_flag(dropped: int, people: int, data: str) -> Flag:
    """How many people were left out, or a reading of theirs; of units and times, which are no people, how many rows."""
    if data in ("panel", "series", "rates"):
        text = f"{dropped} of {people} {'units lack' if data == 'panel' else 'rows lack'} a value of this outcome."
        return Flag("counterfactual", "caution" if dropped / people > 0.05 else "note", text)
    repeated = data == "people twice"
    what = "Readings" if repeated else "People"
    text = f"{what} without this outcome, or without an arm or cluster, are not in the estimate."
    share = disclosure.roughly(dropped, people)
    detail = f"{share[:1].upper()}{share[1:]} of those in the cohort{' lack one' if repeated else ''}."
    return Flag("counterfactual", "caution" if dropped / people > 0.05 else "note", text, detail)


def _sorted(used: pd.DataFrame, columns: Columns) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows by person as text, then time, with the ids as text; without a person by the table's own index."""
    if not len(used):
        raise EstimationError(f'no row has both an arm and a value of "{columns.outcome}". Nothing can be estimated.')
    if columns.person is None:
        known = used.index.is_unique and used.index.nlevels == 1
        return (used.sort_index(kind="stable") if known else used), _row_names(len(used))
    order: np.ndarray = np.arange(len(used))
    if columns.time:
        order = used[columns.time].argsort(kind="stable").to_numpy()
    order = order[_text_order(used[columns.person].iloc[order])]
    used = used.iloc[order]
    return used, used[columns.person].astype(str).to_numpy(dtype=object)


def _text_order(ids: pd.Series) -> np.ndarray:
    """The stable order of ids as text; of whole numbers, with or without letters before, far faster than as text."""
    if ids.dtype.kind in "iu" and ids.min() >= 0 and ids.max() < 10**17:
        values = ids.to_numpy(dtype=np.int64)
        return _number_order(values, np.searchsorted(10 ** np.arange(1, 18, dtype=np.int64), values, side="right") + 1)
    texts = ids.astype(str)
    if texts.is_monotonic_increasing:
        return np.arange(len(ids))
    letters = re.match(r"\D*", texts.iloc[0])[0]  # type: ignore[index]
    rest = texts.str.slice(len(letters))
    if texts.str.startswith(letters).all() and rest.str.fullmatch("[0-9]{1,17}").all():
        return _number_order(rest.astype(np.int64).to_numpy(), rest.str.len().to_numpy(dtype=np.int64))
    return texts.argsort(kind="stable").to_numpy()


def _number_order(values: np.ndarray, digits: np.ndarray) -> np.ndarray:
    """The order as text of whole numbers written with so many digits: as decimals, the shorter first."""
    return np.lexsort((digits, values * 10 ** (17 - digits)))


def _check_people(used: pd.DataFrame, person: np.ndarray, columns: Columns, repeated: bool) -> None:
    """One row per person, unless the estimator looks at several times; rows stand in order."""
    if columns.person is None or (repeated and not columns.time):
        return
    same = person[1:] == person[:-1]
    if repeated and columns.time:
        time = used[columns.time].to_numpy()
        same = same & (time[1:] == time[:-1])
    twice = int(same.sum())
    if twice:
        what = "time" if repeated else "table"
        who = "unit" if columns.person == columns.unit else "person"
        raise EstimationError(f'{twice} rows repeat a {who} within one {what} ("{columns.person}"). Keep one row each.')


TREATED_WORDS = {"treated", "treatment", "programme", "program", "intervention", "yes", "true", "1"}
OTHER_WORDS = {"comparison", "control", "controls", "no", "false", "0"}


def _arm(used: pd.DataFrame, columns: Columns, plan: Plan, entry: Entry) -> np.ndarray:
    """1 for everybody where no column of arms is named; the amount, where that may be; else the two arms."""
    if columns.treated is None:
        return np.ones(len(used))
    column = used[columns.treated]
    if entry.dose and is_number(column) and column.nunique() > 2:
        return as_numbers(column)
    if not entry.comparison and entry.data in ("rates", "history") and (_as_arm(column, plan.treated_is) == 1).all():
        return np.ones(len(used))  # these need no comparison, so the column may say that everybody is treated
    return read_arms(column, columns, plan)


def read_arms(column: pd.Series, columns: Columns, plan: Plan) -> np.ndarray:
    """Read a column of arms.

    Parameters
    ----------
    column : Series, shape (n,)
        Ones and zeros, or two words.
    columns : Columns
        ``treated`` and ``outcome``, for the messages.
    plan : Plan
        ``treated_is``, the word of the treated.

    Returns
    -------
    ndarray of float, shape (n,)
        1 for the treated, 0 for the comparison, not a number where the column is empty.

    Raises
    ------
    EstimationError
        Other values, more than two, or nobody in an arm.
    """
    known = column.notna().to_numpy()
    values = np.full(len(column), np.nan)
    values[known] = _as_arm(column[known], plan.treated_is)
    if not np.isin(values[known], (0.0, 1.0)).all():
        raise EstimationError(_not_arms(column[known], str(columns.treated)))
    for arm, name in ((1.0, "treated"), (0.0, "comparison")):
        if not (values == arm).any():
            raise EstimationError(
                f'nobody in the {name} arm has a value of "{columns.outcome}". There is nothing to compare.'
            )
    return values


def _not_arms(column: pd.Series, name: str) -> str:
    """What is wrong with a column of arms; values are not told unless they are two, which are then names of arms."""
    start = f'treated column "{name}" must be 1 or 0 (true or false)'
    count = column.nunique()
    if count != 2:
        return f"{start}; it holds {count:,} different values. Name the column of arms, or keep the rows of two arms."
    seen = sorted(str(value) for value in column.unique())
    return f"{start}; it holds {words.listed(seen)}. Say which of them is the treated: treated_is = {seen[0]!r}."


def _as_arm(column: pd.Series, treated_is: object) -> np.ndarray:
    """Numbers as they are; two labels by the one that means the treated; else not numbers."""
    labels = [str(value) for value in column.unique()]
    if treated_is is not None and len(labels) <= 2:
        meant = (column == treated_is).to_numpy(bool) | (column.astype(str) == str(treated_is)).to_numpy(bool)
        if meant.any():
            return meant.astype(float)
        raise EstimationError(
            f"treated_is = {treated_is!r} is no value of the column. {did_you_mean(str(treated_is), labels)}"
        )
    if is_number(column):
        return as_numbers(column)
    plain = column.astype(str).str.strip().str.casefold()
    one, none = plain.isin(TREATED_WORDS), plain.isin(OTHER_WORDS)
    if len(labels) == 2 and (one.any() or none.any()):
        return (one if one.any() else ~none).to_numpy(float)
    return np.full(len(column), np.nan)
