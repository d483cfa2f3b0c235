"""How people came to be in an arm: one by one or by cluster, within strata; and every other way it could have fallen.

A permutation test is right only if it shuffles what was drawn. Where whole schools were assigned, shuffling pupils
compares the real difference with differences that could never have arisen, and finds effects that are not there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import pandas as pd

from evalkit.errors import DataError, did_you_mean, several
from evalkit.words import number

Given = str | Sequence[object] | np.ndarray | pd.Series | None
KINDS = ("individual", "cluster")
_CHANCE = math.log(1e-6)
_CELLS = 1_000_000


@dataclass(frozen=True, eq=False)
class Assignment:
    """Who or what was assigned, and within what.

    Attributes
    ----------
    treated : ndarray of bool, shape (n_units,)
        The arm of each unit, a person or a cluster; units of a stratum stand together.
    unit : ndarray of int, shape (n_people,)
        Which unit each person belongs to.
    blocks : tuple of slice, length n_strata
        The units of each stratum.
    clustered : bool
        Whether units are clusters.
    """

    treated: np.ndarray
    unit: np.ndarray
    blocks: tuple[slice, ...]
    clustered: bool

    @property
    def says(self) -> str:
        """What is shuffled, in words."""
        return ("clusters" if self.clustered else "people") + (" within strata" if len(self.blocks) > 1 else "")

    @property
    def ways(self) -> int:
        """In how many ways the arms could have fallen."""
        arms = (self.treated[block] for block in self.blocks)
        return math.prod(math.comb(len(arm), int(arm.sum())) for arm in arms)

    def drawn(self, draws: int, seed: int) -> Iterator[np.ndarray]:
        """Draw arms at random, in chunks of shape (some draws, n_units), 1 for treated."""
        rng = np.random.default_rng(seed)
        size = chunk_of(len(self.treated))
        for start in range(0, draws, size):
            arms = np.tile(self.treated, (min(size, draws - start), 1))
            for block in self.blocks:
                arms[:, block] = rng.permuted(arms[:, block], axis=1)
            yield arms.astype(float)

    def all_ways(self) -> Iterator[np.ndarray]:
        """Every way the arms could have fallen, the one that happened among them, in chunks."""
        chosen = [_choices(self.treated[block]) for block in self.blocks]
        sizes = [len(one) for one in chosen]
        step = chunk_of(len(self.treated))
        for start in range(0, self.ways, step):
            left = np.arange(start, min(start + step, self.ways))
            arms = np.zeros((len(left), len(self.treated)))
            for block, choice, size in zip(self.blocks, chosen, sizes, strict=True):
                np.put_along_axis(arms[:, block], choice[left % size], 1.0, axis=1)
                left = left // size
            yield arms


def chunk_of(columns: int) -> int:
    """How many draws are worked on at a time, so that they fit a processor's memory."""
    return max(_CELLS // max(columns, 1), 64)


def _choices(treated: np.ndarray) -> np.ndarray:
    """Every choice of as many units as were treated; shape (n_choices, n_treated)."""
    count = int(treated.sum())
    found = list(combinations(range(len(treated)), count))
    return np.array(found, dtype=np.intp).reshape(len(found), count)


# ---------------------------------------------------------------- reading the assignment


def read_assignment(
    frame: pd.DataFrame,
    group: Given,
    measures: Sequence[str],
    cluster: Given = None,
    strata: Given = None,
    assigned: str | None = None,
) -> Assignment:
    """Find out what was assigned, and refuse what would shuffle something else.

    Parameters
    ----------
    frame : DataFrame, shape (n_people, n_columns)
        One row per person.
    group : str or array
        1 treated, 0 comparison: a column, or one value per row.
    measures : sequence of str
        The outcomes' columns: never taken for clusters.
    cluster : str or array, optional
        The clusters that were assigned whole.
    strata : str or array, optional
        Within which the assignment was made.
    assigned : {"individual", "cluster"}, optional
        What was assigned. "individual" says so where the data look as if clusters had been.

    Returns
    -------
    Assignment
        Units, arms and strata.

    Raises
    ------
    DataError
        Columns missing or with gaps, arms that are not 0 and 1, arms that vary within a cluster, strata that vary
        within a cluster, and assignment by cluster without ``cluster``.
    """
    if assigned not in (None, *KINDS):
        raise DataError(f'assigned is "{assigned}". {did_you_mean(str(assigned), KINDS)}')
    arm = arms_of(frame, group)
    inside = codes_of(frame, strata, "strata")
    if cluster is None:
        _refuse_hidden_clusters(frame, arm, {*measures, *(x for x in (group, strata) if isinstance(x, str))}, assigned)
        return _by_unit(arm, np.arange(len(frame)), inside, clustered=False)
    if assigned == "individual":
        raise DataError('assigned="individual" and cluster= contradict each other. Leave one of them out.')
    unit = codes_of(frame, cluster, "cluster")
    _constant(arm, unit, "The arm", f"pass {_as_argument('strata', cluster)} in place of cluster=")
    _constant(inside, unit, "The stratum", "correct the strata, or leave them out")
    return _by_unit(arm, unit, inside, clustered=True)


def _by_unit(arm: np.ndarray, unit: np.ndarray, inside: np.ndarray, clustered: bool) -> Assignment:
    first = np.unique(unit, return_index=True)[1]
    order = np.argsort(inside[first], kind="stable")
    place = np.empty(len(order), dtype=np.intp)
    place[order] = np.arange(len(order))
    edges = np.flatnonzero(np.diff(inside[first][order])) + 1
    ends = [0, *edges.tolist(), len(order)]
    blocks = tuple(slice(a, b) for a, b in pairwise(ends))
    return Assignment(arm[first][order].astype(bool), place[unit], blocks, clustered)


def arms_of(frame: pd.DataFrame, group: Given) -> np.ndarray:
    """The arm of each row as 0 and 1.

    Parameters
    ----------
    frame : DataFrame
        One row per person.
    group : str or array
        A column, or one value per row.

    Returns
    -------
    ndarray of int, shape (n_people,)
        1 treated, 0 comparison.

    Raises
    ------
    DataError
        Other values than 0 and 1, gaps, or one arm only.
    """
    column = _column(frame, group, "group")
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    strange = int((~np.isin(values, (0.0, 1.0))).sum())
    if strange:
        raise DataError(
            f"group: {_count(strange)} not 1 (treated) or 0 (comparison). Correct it or leave the rows out."
        )
    if not 0 < values.sum() < len(values):
        raise DataError("group: everyone is in the same arm. A comparison needs both.")
    return values.astype(int)


def codes_of(frame: pd.DataFrame, given: Given, role: str) -> np.ndarray:
    """Whole numbers from 0 for the values of a column; all 0 where there is none.

    Parameters
    ----------
    frame : DataFrame
        One row per person.
    given : str, array or None
        A column, or one value per row.
    role : str
        "cluster" or "strata", for messages.

    Returns
    -------
    ndarray of int, shape (n_people,)
        Codes in the order of first appearance.

    Raises
    ------
    DataError
        No such column, or a value is missing.
    """
    if given is None:
        return np.zeros(len(frame), dtype=np.intp)
    codes = pd.factorize(_column(frame, given, role))[0]
    if (codes < 0).any():
        raise DataError(f"{role}: {_count(int((codes < 0).sum()))} empty. Fill it in, or leave the rows out.")
    return codes


def _column(frame: pd.DataFrame, given: Given, role: str) -> pd.Series:
    if isinstance(given, str):
        if given not in frame.columns:
            raise DataError(f'{role}: there is no column "{given}". {did_you_mean(given, frame.columns)}')
        return frame[given]
    column = pd.Series(np.asarray(given))
    if len(column) != len(frame):
        raise DataError(f"{role} has {len(column):,} values and the table {len(frame):,} rows. Give one per row.")
    return column


def _count(rows: int) -> str:
    return "1 row is" if rows == 1 else f"{rows:,} rows are"


def _as_argument(name: str, given: Given) -> str:
    return f'{name}="{given}"' if isinstance(given, str) else f"{name}= these clusters"


def _constant(values: np.ndarray, unit: np.ndarray, what: str, remedy: str) -> None:
    table = pd.Series(values).groupby(unit).nunique()
    mixed = int((table > 1).sum())
    if mixed:
        raise DataError(
            f"{what} varies inside {mixed:,} of {len(table):,} clusters, so they were not assigned whole. "
            f"If people were assigned one by one within them, {remedy}."
            if what == "The arm"
            else f"{what} varies inside {mixed:,} of {len(table):,} clusters. Each cluster lies in one: {remedy}."
        )


# ---------------------------------------------------------------- clusters that nobody named


def _refuse_hidden_clusters(frame: pd.DataFrame, arm: np.ndarray, known: set[str], assigned: str | None) -> None:
    if assigned == "individual":
        return
    names = hidden_clusters(frame, arm, known)
    if assigned == "cluster":
        hint = f' "{names[0]}" looks like it.' if names else ""
        raise DataError(f'assigned="cluster" needs to be told the clusters: pass cluster="...".{hint}')
    problems = [
        f'Everyone with the same "{name}" is in the same arm, which does not happen when people are assigned one by '
        f'one. Pass cluster="{name}": shuffling people would then find differences that are not there far more often '
        'than the test says. If people truly were assigned one by one, pass assigned="individual".'
        for name in names
    ]
    if problems:
        raise DataError(several("The assignment", problems))


def hidden_clusters(frame: pd.DataFrame, arm: np.ndarray, known: set[str]) -> list[str]:
    """Columns within whose values the arm never varies, where chance would not bring that about.

    Parameters
    ----------
    frame : DataFrame
        One row per person.
    arm : ndarray of int, shape (n_people,)
        1 treated, 0 comparison.
    known : set of str
        Columns that are not looked at.

    Returns
    -------
    list of str
        Names; the one that is told by the table itself (``frame.attrs["cluster"]``) needs no small probability.

    Notes
    -----
    A column counts when at least half of those with a value share it with somebody, each arm has two values or more,
    and the probability that people assigned one by one would all agree with their companions is below one in a
    million: at most 2^(values) / choose(people, treated).
    """
    told = frame.attrs.get("cluster")
    found = []
    for name in frame.columns:
        if name in known or not isinstance(name, str):
            continue
        codes = pd.factorize(frame[name])[0]
        if _looks_assigned(codes[codes >= 0], arm[codes >= 0], 0.0 if name == told else _CHANCE):
            found.append(name)
    return found


def _looks_assigned(codes: np.ndarray, arm: np.ndarray, chance: float) -> bool:
    people = np.bincount(codes)
    if not len(codes) or len(people) > len(codes) / 2 or people[people > 1].sum() < len(codes) / 2:
        return False
    treated = np.bincount(codes, arm)
    shared = people > 1
    if ((treated > 0) & (treated < people)).any():
        return False
    each = int((treated[shared] > 0).sum()), int((treated[shared] == 0).sum())
    if min(each) < 2:
        return False
    n, ones = int(people[shared].sum()), int(treated[shared].sum())
    ways = math.lgamma(n + 1) - math.lgamma(ones + 1) - math.lgamma(n - ones + 1)
    return sum(each) * math.log(2) - ways < chance


def few_ways(ways: int) -> str:
    """Say how small a p-value can be when there are few ways the arms could have fallen."""
    return f"The arms could have fallen in {number(ways, 0)} ways only, so no p-value can be below {1 / ways:.2g}."
