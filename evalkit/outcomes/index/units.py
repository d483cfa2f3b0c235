"""What an index is made of: measures as numbers, who belongs where, polarity, norms, filled readings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evalkit.errors import DataError, EstimationError, Flag, did_you_mean
from evalkit.linear import cluster_numbers
from evalkit.words import listed, number, percent

Array = np.ndarray
_SHOWN = 5
_FEWEST_IN_REFERENCE = 20


@dataclass(frozen=True)
class Norm:
    """A published mean and standard deviation, and where they stand."""

    mean: float
    sd: float
    source: str = ""

    @property
    def says(self) -> str:
        """The norm in words."""
        source = self.source or "no source given"
        return f"mean {number(self.mean, 2)}, SD {number(self.sd, 2)} ({source})"


def matrix(frame: pd.DataFrame, names: list[str]) -> Array:
    """The measures as numbers.

    Parameters
    ----------
    frame : DataFrame
        One row per person.
    names : list of str
        Its columns.

    Returns
    -------
    ndarray of float, shape (n_persons, n_measures)
        NaN where missing.

    Raises
    ------
    DataError
        Columns that hold text or infinite values, all of them named.
    """
    chosen = frame[names]
    if chosen.shape[1] != len(names):
        raise DataError(f"Columns of the frame share a name ({listed(names)}). Give each column its own.")
    if any(pd.api.types.is_object_dtype(kind) or not _numeric(kind) for kind in chosen.dtypes):
        chosen = _read(chosen)
    found = chosen.to_numpy(dtype=float, na_value=np.nan)
    if np.isinf(found).any():
        endless = [name for name, column in zip(names, found.T, strict=True) if np.isinf(column).any()]
        raise DataError(f"{listed(endless)} hold infinite values. Leave them blank, or correct them.")
    return found


def _numeric(kind: Any) -> bool:
    return pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind)


def _read(chosen: pd.DataFrame) -> pd.DataFrame:
    """Columns of objects or text as numbers; a DataError names the columns and rows that are not."""
    read = chosen.apply(pd.to_numeric, errors="coerce")
    wrong = read.isna() & chosen.notna()
    if not wrong.to_numpy().any():
        return read
    told = []
    for name in wrong.columns[wrong.any()]:
        rows = np.flatnonzero(wrong[name].to_numpy())
        shown = ", ".join(str(row + 1) for row in rows[:_SHOWN])
        told.append(f'"{name}" in {len(rows)} rows (row {shown}{", ..." if len(rows) > _SHOWN else ""} of the frame)')
    raise DataError(f"Measures must be numbers, and text was found: {listed(told)}. Correct it, or leave it blank.")


def members(given: pd.Series | Array, index: pd.Index, what: str) -> Array:
    """Who belongs to a group, in the frame's order.

    Parameters
    ----------
    given : Series or array of bool (or 0 and 1), shape (n_persons,)
        Missing means no. A Series is put into the frame's order by its labels.
    index : Index
        Of the frame.
    what : str
        Its name in messages.

    Returns
    -------
    ndarray of bool, shape (n_persons,)

    Raises
    ------
    DataError
        Other labels, another length, or something that is not yes or no.
    """
    column = _aligned(given, index, what)
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    if (np.isnan(numbers) & column.notna().to_numpy()).any() or not np.isin(numbers[~np.isnan(numbers)], (0, 1)).all():
        raise DataError(f"{what} must be yes or no for each person (True and False, or 1 and 0).")
    return numbers == 1


def arms_of(treated: pd.Series | Array, index: pd.Index) -> Array:
    """1 for treated, 0 for comparison, NaN for neither, in the frame's order (see `members`)."""
    absent = pd.isna(treated)
    absent = pd.Series(absent, index=treated.index) if isinstance(treated, pd.Series) else np.asarray(absent)
    return np.where(members(absent, index, "treated"), np.nan, members(treated, index, "treated").astype(float))


def codes_of(given: pd.Series | Array, index: pd.Index, what: str) -> Array:
    """Group codes from 0 in the frame's order; someone without a group is one of their own.

    Parameters
    ----------
    given : Series or array, shape (n_persons,)
        Labels.
    index : Index
        Of the frame.
    what : str
        Its name in messages.

    Returns
    -------
    ndarray of int, shape (n_persons,)
        Numbered in the order of the labels, so that the order of rows does not matter.
    """
    return cluster_numbers(_aligned(given, index, what))


def need_clusters(treated: Array, codes: Array) -> None:
    """Refuse a standard error where a whole arm lies in one cluster.

    Parameters
    ----------
    treated : ndarray, shape (n,)
        1 (or True) treated, 0 comparison.
    codes : ndarray, shape (n,)
        Clusters.

    Raises
    ------
    EstimationError
        That arm's own cluster leaves no trace in the residuals, so CR2 would count it as known for certain.
    """
    for arm, name in ((1, "treated"), (0, "comparison")):
        if len(np.unique(codes[np.asarray(treated) == arm])) < 2:
            raise EstimationError(
                f"The whole {name} arm lies in one cluster, so no standard error can be given: what the programme did "
                "cannot be told apart from what is particular to that cluster."
            )


def _aligned(given: pd.Series | Array, index: pd.Index, what: str) -> pd.Series:
    if len(given) != len(index):
        raise DataError(f"{what} has {len(given)} entries and the frame {len(index)} rows. Give one per row.")
    if not isinstance(given, pd.Series) or given.index.equals(index):
        return pd.Series(np.asarray(given) if not isinstance(given, pd.Series) else given.array)
    if given.index.is_unique and index.is_unique and index.isin(given.index).all():
        return pd.Series(given.loc[index].array)
    raise DataError(f"{what} is labelled otherwise than the frame. Give it the frame's index, or pass an array.")


def signs_of(names: list[str], polarity: Mapping[str, object]) -> list[float]:
    """By measure +1 where higher is better and -1 where lower is; a DataError for anything else."""
    for name in polarity:
        if name not in names:
            raise DataError(f'polarity names "{name}", which is not among the measures. {did_you_mean(name, names)}')
    words = {"higher": 1.0, "lower": -1.0, 1: 1.0, -1: -1.0}
    signs = []
    for name in names:
        sign = polarity.get(name, 1)
        if sign not in words:
            raise DataError(f'polarity of "{name}" is "{sign}". Write "higher" or "lower" (or 1, -1).')
        signs.append(words[sign])  # type: ignore[index]
    return signs


def norms_of(names: list[str], given: Mapping[str, Any]) -> dict[str, Norm]:
    """Published norms by measure, from (mean, sd), (mean, sd, source), a mapping or an object with these names."""
    found = {}
    for name, norm in given.items():
        if name not in names:
            raise DataError(f'norms names "{name}", which is not among the measures. {did_you_mean(name, names)}')
        try:
            found[name] = _norm(norm)
        except (TypeError, ValueError, KeyError, AttributeError):
            raise DataError(f'norms of "{name}": write a mean, a standard deviation and a source.') from None
        if not (found[name].sd > 0 and np.isfinite(found[name].sd) and np.isfinite(found[name].mean)):
            raise DataError(f'norms of "{name}": the standard deviation must be above 0, and both must be numbers.')
    return found


def _norm(norm: Any) -> Norm:
    if isinstance(norm, Mapping):
        return Norm(float(norm["mean"]), float(norm["sd"]), str(norm.get("source", "")))
    if hasattr(norm, "mean") and hasattr(norm, "sd"):
        return Norm(float(norm.mean), float(norm.sd), str(getattr(norm, "source", "")))
    mean, sd, *source = norm
    return Norm(float(mean), float(sd), str(source[0]) if source else "")


def pooled_sd(raw: Array, groups: Array, names: list[str]) -> Array:
    """Standard deviation of each measure within groups, pooled by degrees of freedom, shape (k,)."""
    squares, degrees = np.zeros(raw.shape[1]), np.zeros(raw.shape[1])
    for group in np.unique(groups):
        part = raw[groups == group]
        there = ~np.isnan(part)
        count = there.sum(axis=0)
        mean = np.where(there, part, 0.0).sum(axis=0) / np.maximum(count, 1)
        squares += (np.where(there, part - mean, 0.0) ** 2).sum(axis=0)
        degrees += np.maximum(count - 1, 0)
    still = [name for name, square in zip(names, squares, strict=True) if not square > 0]
    if still:
        raise DataError(f"{listed(still)} does not vary within the arms. Leave it out of the domain.")
    return np.sqrt(squares / degrees)


def filled_by_arm(raw: Array, arm: pd.Series | Array) -> tuple[Array, list[Flag]]:
    """Fill a missing measure with the mean of the person's own arm, where they have at least one other.

    Parameters
    ----------
    raw : ndarray, shape (n, k)
        NaN where missing.
    arm : Series or array, shape (n,)
        Labels; persons without one are left as they are.

    Returns
    -------
    ndarray, list of Flag
        A filled copy, and how much of it was filled. A measure that an arm lacks altogether stays missing there.

    References
    ----------
    Kling, Liebman and Katz (2007), Econometrica 75, 83-119, section 3 and its supplement.
    """
    codes = pd.factorize(np.asarray(arm))[0]
    if len(codes) != len(raw):
        raise DataError(f"arm has {len(codes)} entries and the frame {len(raw)} rows. Give one per row.")
    filled = raw.copy()
    absent = np.isnan(raw)
    some = ~absent.all(axis=1)
    for code in range(codes.max(initial=-1) + 1):
        rows = (codes == code) & some
        count = (~absent[rows]).sum(axis=0)
        with np.errstate(invalid="ignore"):
            mean = np.where(absent[rows], 0.0, raw[rows]).sum(axis=0) / np.where(count, count, np.nan)
        filled[rows] = np.where(absent[rows], mean, raw[rows])
    share = (absent & ~np.isnan(filled)).sum() / max(some.sum() * raw.shape[1], 1)
    if not share:
        return filled, []
    text = f"{percent(share)} of the index's readings are missing and stand in as the mean of the person's own arm."
    detail = "Filled readings do not vary, so the index varies less than measured ones would, and its SD is smaller."
    return filled, [Flag("outcomes", "note", text, detail)]


def unit_flags(norms: dict[str, Norm], names: list[str], n: int) -> list[Flag]:
    """What must be said of the unit of an index: published norms, a mixture of units, a small reference.

    Parameters
    ----------
    norms : dict of str to Norm
        By measure.
    names : list of str
        All measures.
    n : int
        Readings in the reference of the measure that has fewest there.

    Returns
    -------
    list of Flag
    """
    flags = []
    if norms:
        parts = [f"{name}: {norm.says}" for name, norm in norms.items()]
        text = f"{listed(list(norms))} in units of published norms."
        flags = [Flag("outcomes", "note", text, "; ".join(parts) + "."), _norms_flag(norms, names)]
    if n < _FEWEST_IN_REFERENCE:
        text = f"The unit of the index rests on fewer than {_FEWEST_IN_REFERENCE} people."
        share = percent(1 / np.sqrt(2 * (_FEWEST_IN_REFERENCE - 1)), 0)
        flags.append(Flag("outcomes", "caution", text, f"An SD from so few is itself uncertain by {share} or more."))
    return flags


def _norms_flag(norms: dict[str, Norm], names: list[str]) -> Flag:
    if len(norms) < len(names):
        rest = listed([name for name in names if name not in norms])
        text = f"The index mixes units: {rest} in SD of the reference, the others in SD of published norms."
        detail = "A selected group varies less than a population, so the mix changes what each measure counts."
        return Flag("outcomes", "caution", text, detail)
    text = "The index is in SD of the norms' population, not of the reference."
    detail = "Norms give no correlations, so the measures are taken to go together there as they do in these data."
    return Flag("outcomes", "note", text, detail)
