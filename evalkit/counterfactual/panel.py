"""The people, outcome, arms and covariates as an estimator receives them: checked, sorted, complete."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from evalkit import disclosure, words
from evalkit.counterfactual.covariates import as_numbers, encode, is_number
from evalkit.counterfactual.registry import Entry
from evalkit.errors import EstimationError, Flag, did_you_mean, several


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
    return np.unique(np.asarray(values).astype(str), return_inverse=True)[1]


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
    _check_columns(frame, columns)
    used = frame[columns.named()].copy()
    needed = [columns.outcome, *([columns.treated] if columns.treated else [])]
    complete = used[needed].notna().all(axis=1)
    if columns.cluster:
        complete &= used[columns.cluster].notna()
    left_out, everybody = _people_left_out(used, complete, columns)
    used = _sorted(used[complete], columns)
    _check_people(used, columns, entry.repeated)
    y = used[columns.outcome].to_numpy(dtype=float)
    covariates = used[list(columns.covariates)].reset_index(drop=True)
    x, flags = encode(covariates)
    if left_out:
        flags.insert(0, _dropped_flag(left_out, everybody, entry.data))
    return Panel(
        y=y,
        treated=_arm(used, columns, plan, entry.dose),
        x=x,
        covariates=covariates,
        person=used[columns.person].astype(str).to_numpy() if columns.person else _row_names(len(used)),
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
    return np.char.add("row ", np.char.zfill(np.arange(n).astype(str), len(str(n))))


def _people_left_out(used: pd.DataFrame, complete: pd.Series, columns: Columns) -> tuple[int, int]:
    """How many people lose a row, of how many; rows count as people where ids are not known."""
    if columns.person is None:
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


def _check_columns(frame: pd.DataFrame, columns: Columns) -> None:
    """Every named column is there, and the outcome is a column of numbers."""
    problems = [
        f'column "{name}" is not in the table. {did_you_mean(name, frame.columns)}'
        for name in columns.named()
        if name not in frame.columns
    ]
    if not problems and not is_number(frame[columns.outcome]):
        problems.append(f'outcome "{columns.outcome}" is not a column of numbers. Turn its words into numbers first.')
    elif not problems:
        infinite = np.flatnonzero(np.isinf(as_numbers(frame[columns.outcome])))
        if len(infinite):
            rows = ", ".join(str(row + 1) for row in infinite[:3])
            problems.append(f'outcome "{columns.outcome}" has {len(infinite)} infinite values (first rows: {rows}).')
    if problems:
        raise EstimationError(several("the table", problems))


def _sorted(used: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """Rows by person as text, then time; without a person by the table's own index."""
    if not len(used):
        raise EstimationError(f'no row has both an arm and a value of "{columns.outcome}". Nothing can be estimated.')
    if columns.person is None:
        return used.sort_index(kind="stable") if used.index.is_unique and used.index.nlevels == 1 else used
    keys = pd.DataFrame({"person": used[columns.person].astype(str).to_numpy()})
    if columns.time:
        keys["time"] = used[columns.time].to_numpy()
    return used.iloc[keys.sort_values(list(keys.columns), kind="stable").index.to_numpy()]


def _check_people(used: pd.DataFrame, columns: Columns, repeated: bool) -> None:
    """One row per person, unless the estimator looks at two times."""
    if columns.person is None:
        return
    by = [columns.person, *([columns.time] if repeated and columns.time else [])]
    if repeated and not columns.time:
        return
    twice = int(used[by].astype(str).duplicated().sum())
    if twice:
        what = "time" if repeated else "table"
        who = "unit" if columns.person == columns.unit else "person"
        raise EstimationError(f'{twice} rows repeat a {who} within one {what} ("{columns.person}"). Keep one row each.')


TREATED_WORDS = {"treated", "treatment", "programme", "program", "intervention", "yes", "true", "1"}
OTHER_WORDS = {"comparison", "control", "controls", "no", "false", "0"}


def _arm(used: pd.DataFrame, columns: Columns, plan: Plan, dose: bool) -> np.ndarray:
    """1 for the treated, 0 for the comparison, both of whom must be there; or the amount, where that may be."""
    if columns.treated is None:
        return np.ones(len(used))
    column = used[columns.treated]
    if dose and is_number(column) and column.nunique() > 2:
        return as_numbers(column)
    values = _as_arm(column, plan.treated_is)
    if not np.isin(values, (0.0, 1.0)).all():
        seen = words.listed([str(value) for value in column.unique()[:4]])
        remedy = f" Say which of them is the treated: treated_is = {column.iloc[0]!r}." if column.nunique() == 2 else ""
        raise EstimationError(
            f'treated column "{columns.treated}" must be 1 or 0 (true or false); it holds {seen}.{remedy}'
        )
    for arm, name in ((1.0, "treated"), (0.0, "comparison")):
        if not (values == arm).any():
            raise EstimationError(
                f'nobody in the {name} arm has a value of "{columns.outcome}". There is nothing to compare.'
            )
    return values


def _as_arm(column: pd.Series, treated_is: object) -> np.ndarray:
    """Numbers as they are; two labels by the one that means the treated; else not numbers."""
    labels = [str(value) for value in column.unique()]
    if treated_is is not None and str(treated_is) in labels and len(labels) <= 2:
        return (column.astype(str) == str(treated_is)).to_numpy(float)
    if is_number(column):
        return as_numbers(column)
    plain = column.astype(str).str.strip().str.casefold()
    one, none = plain.isin(TREATED_WORDS), plain.isin(OTHER_WORDS)
    if len(labels) == 2 and (one.any() or none.any()):
        return (one if one.any() else ~none).to_numpy(float)
    return np.full(len(column), np.nan)
