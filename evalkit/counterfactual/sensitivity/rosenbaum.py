"""Rosenbaum bounds: how far matched people may differ in what was not measured before a finding no longer holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from evalkit import disclosure, words
from evalkit.counterfactual.sensitivity.signed_ranks import (
    EXACT,
    critical_sum,
    likeliest_shift,
    ranks_of,
    tails,
    where_fewer,
)
from evalkit.errors import EstimationError, Flag, as_list, did_you_mean, several

SIDES = {"greater": (1.0,), "less": (-1.0,), "two-sided": (1.0, -1.0)}
GAMMAS = (1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
FURTHEST = 1e6
ZERO = 1e-12  # of the largest difference: less than this is rounding
Tails = Callable[[float], tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Rosenbaum:
    """Bounds on a paired test's p-value.

    Parameters
    ----------
    table : DataFrame
        A row for each gamma: gamma, p_low, p_high; for numbers also hl_low and hl_high (bounds on the Hodges-Lehmann
        estimate of a constant effect) and low and high (bounds of its two-sided interval); NaN for yes/no outcomes.
    gamma_at : float or None
        The largest gamma at which p_high is still at most 1 - level; None where it is not even without hidden bias.
    alternative : {"greater", "less", "two-sided"}
        Whether treated people are expected to have more, less, or either.
    method : str
        The test, and whether it was counted or approximated.
    pairs, differing : int
        Pairs with both readings, and those whose readings differ.
    level : float
        1 less the level of significance.
    flags : tuple of Flag
        What a reader must be told.
    """

    table: pd.DataFrame
    gamma_at: float | None
    alternative: str
    method: str
    pairs: int
    differing: int
    level: float
    flags: tuple[Flag, ...] = ()

    @property
    def says(self) -> str:
        """What it means, in a sentence or two."""
        at = words.percent(
            1 - self.level, 0 if abs(round(100 * (1 - self.level)) - 100 * (1 - self.level)) < 1e-9 else 1
        )
        if self.gamma_at is None:
            return (
                f"Even if chance had decided who of each pair was treated, the difference would not be significant "
                f"at {at}, so there is nothing for a hidden cause to explain away."
            )
        shown = words.number(math.floor(self.gamma_at * 100) / 100, 2)
        text = (
            f"Two matched people could differ {shown}-fold in their odds of being treated, because of a cause of the "
            f"outcome that was not measured, and the difference would still be significant at {at}; beyond that it "
            "might not be"
        )
        return f"{text} ({self.method})."

    def _repr_html_(self) -> str:
        """The sentence, the table without counts, and the caveats."""
        return f"<p>{self.says}</p>{self.table.round(4).to_html(index=False)}{as_list(self.flags)}"

    def __repr__(self) -> str:
        pairs = disclosure.count(self.pairs)
        return f"Rosenbaum(gamma_at={self.gamma_at}, alternative={self.alternative!r}, pairs={pairs})"


def rosenbaum_bounds(
    pairs: Any,
    gammas: float | Sequence[float] = GAMMAS,
    alternative: str = "greater",
    level: float = 0.95,
    exact: bool | None = None,
) -> Rosenbaum:
    """How strong a hidden cause would have to be to make a difference between matched people insignificant.

    Parameters
    ----------
    pairs : array, Series or DataFrame, shape (n_pairs,) or (n_pairs, 2)
        Treated less comparison of each pair; or columns "treated" and "comparison". Yes/no outcomes (differences of
        -1, 0 and 1) are tested by McNemar's test, others by Wilcoxon's signed ranks; pairs without a difference are
        left out of both. See `matched_differences`.
    gammas : float or sequence of float
        1 or more: by how much the odds of treatment may differ between two matched people.
    alternative : {"greater", "less", "two-sided"}
        Whether treated people are expected to have more. Two-sided is twice the smaller one-sided p-value.
    level : float
        ``gamma_at`` is at significance 1 - level; so are the intervals.
    exact : bool, optional
        Whether signed ranks are counted (ties share their mean rank); default up to 200 pairs, beyond that a normal
        approximation is taken. Intervals take the differences as free of ties.

    Returns
    -------
    Rosenbaum
        ``.table`` and ``.gamma_at``.

    Raises
    ------
    EstimationError
        No pairs, none that differs, a gamma below 1, or something that is not a number.

    References
    ----------
    Rosenbaum (2002), Observational Studies, 2nd ed., sections 4.3.2 (McNemar), 4.3.3 (signed ranks) and 4.3.4 to 4.3.5
    (estimates and intervals).

    Examples
    --------
    >>> found = rosenbaum_bounds([3.0, 1.0, 2.5, 4.0, -0.5, 2.0], gammas=(1, 2))
    >>> found.table["p_high"].round(4).tolist()
    [0.0312, 0.1317]
    """
    wanted = _gammas(gammas)
    _check(wanted, alternative, level)
    differences, lost = _differences(pairs)
    binary = bool(np.isin(differences, (-1.0, 0.0, 1.0)).all())
    counted = len(differences) <= EXACT if exact is None else bool(exact)
    kept = differences[np.abs(differences) > ZERO * np.abs(differences).max()]
    bounds = _together([_test(side * kept, binary, counted) for side in SIDES[alternative]])
    rows = [_row(float(gamma), bounds, differences, binary, (level, counted)) for gamma in wanted]
    how = "exact" if binary or counted else "normal approximation"
    return Rosenbaum(
        table=pd.DataFrame(rows),
        gamma_at=_gamma_at(bounds, 1 - level),
        alternative=alternative,
        method=f"{'McNemar' if binary else 'Wilcoxon signed rank'} test, {how}",
        pairs=len(differences),
        differing=len(kept),
        level=level,
        flags=tuple(_flags(len(differences), len(kept), lost)),
    )


def _gammas(gammas: object) -> np.ndarray:
    """One gamma or several."""
    try:
        return np.atleast_1d(np.asarray(gammas, dtype=float))
    except (TypeError, ValueError):
        raise EstimationError("gammas must be numbers, 1 or more; 1 is no hidden bias.") from None


def matched_differences(frame: pd.DataFrame, *, sets: str, outcome: str, treated: str) -> pd.Series:
    """Treated less comparison in each matched pair.

    Parameters
    ----------
    frame : DataFrame, shape (n_people, ...)
        One row per person.
    sets : str
        Column that names the matched pair; missing for those unmatched.
    outcome, treated : str
        Columns of the outcome and of the arm (1 or 0).

    Returns
    -------
    Series, shape (n_pairs,)
        For `rosenbaum_bounds`; without the sets' names. Pairs in which a reading is missing are left out.

    Raises
    ------
    EstimationError
        A column is missing, or a set is not one treated and one comparison person.
    """
    absent = [name for name in (sets, outcome, treated) if name not in frame.columns]
    if absent:
        said = [f'column "{name}" is not in the table. {did_you_mean(name, frame.columns)}' for name in absent]
        raise EstimationError(several("the matched pairs", said))
    inside = frame[frame[sets].notna()]
    arm = pd.to_numeric(inside[treated], errors="coerce")
    if not arm.isin([0, 1]).all():
        raise EstimationError(f'treated column "{treated}" must be 1 or 0 for everybody who is matched.')
    sizes = pd.DataFrame({"one": arm == 1, "none": arm == 0}).groupby(inside[sets].to_numpy()).sum()
    odd = int(((sizes["one"] != 1) | (sizes["none"] != 1)).sum())
    if odd or not len(sizes):
        raise EstimationError(
            f"{odd} matched sets are not one treated and one comparison person. Match one to one, without replacement."
            if odd
            else f'nobody has a value of "{sets}", so there are no pairs.'
        )
    signed: pd.Series = inside[outcome].astype(float) * np.where(arm == 1, 1.0, -1.0)
    return signed.groupby(inside[sets].to_numpy()).sum(min_count=2).dropna().reset_index(drop=True).rename("difference")


def _check(gammas: np.ndarray, alternative: str, level: float) -> None:
    """All that can be wrong with what was asked."""
    problems = []
    if not len(gammas) or not ((gammas >= 1) & np.isfinite(gammas)).all():
        problems.append("gammas must be 1 or more; 1 is no hidden bias.")
    if alternative not in SIDES:
        problems.append(f'alternative = "{alternative}" is not known. {did_you_mean(alternative, SIDES)}')
    if not 0.5 < level < 1:
        problems.append(f"level = {level} must be between 0.5 and 1, such as 0.95.")
    if problems:
        raise EstimationError(several("the Rosenbaum bounds", problems))


def _differences(pairs: Any) -> tuple[np.ndarray, int]:
    """Differences of the pairs with both readings, and how many pairs lack one."""
    if isinstance(pairs, pd.DataFrame):
        absent = [name for name in ("treated", "comparison") if name not in pairs.columns]
        if absent:
            raise EstimationError(
                f'pairs need the columns "treated" and "comparison". {did_you_mean(absent[0], pairs.columns)}'
            )
        treated, comparison = (_numbers(pairs[name]) for name in ("treated", "comparison"))
        values = treated - comparison
    else:
        values = _numbers(pairs)
    known = values[~np.isnan(values)]
    if np.isinf(known).any():
        raise EstimationError(f"{int(np.isinf(known).sum())} differences between pairs are infinite.")
    if not len(known):
        raise EstimationError("there are no pairs with both readings, so there is nothing to bound.")
    if not known.any():
        raise EstimationError("no pair differs in the outcome, so there is no difference to explain away.")
    return known, len(values) - len(known)


def _numbers(values: Any) -> np.ndarray:
    """Floats, missing as NaN."""
    try:
        found = pd.Series(values).to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError):
        raise EstimationError(
            "pairs must be one number each: treated less comparison, or two columns of numbers."
        ) from None
    return found


def _test(differences: np.ndarray, binary: bool, counted: bool) -> Tails:
    """One-sided bounds by gamma for "treated people have more"; no difference is 0."""
    positive = differences > 0
    if not binary:
        ranks = ranks_of(np.abs(differences))
        return lambda gamma: tails(ranks, positive, gamma, counted)
    n, seen = len(differences), int(positive.sum())

    def by_count(gamma: float) -> tuple[float, float]:
        low, high = (float(stats.binom.sf(seen - 1, n, chance / (1 + gamma))) for chance in (1, gamma))
        return low, high

    return by_count


def _together(tests: list[Tails]) -> Tails:
    """One side as it is; of two, twice the smaller p-value."""
    if len(tests) == 1:
        return tests[0]

    def twice(gamma: float) -> tuple[float, float]:
        low, high = (min(2 * min(ends), 1.0) for ends in zip(*(test(gamma) for test in tests), strict=True))
        return low, high

    return twice


def _row(
    gamma: float, bounds: Tails, differences: np.ndarray, binary: bool, how: tuple[float, bool]
) -> dict[str, float]:
    """One line of the table."""
    p_low, p_high = bounds(gamma)
    row = {"gamma": gamma, "p_low": p_low, "p_high": p_high}
    if binary:
        return row | dict.fromkeys(("hl_low", "hl_high", "low", "high"), math.nan)
    level, counted = how
    ordered = np.sort(differences)
    hl_low, hl_high = likeliest_shift(ordered, gamma)
    sum_needed = critical_sum(len(ordered), gamma, (1 - level) / 2, counted)
    low, high = where_fewer(ordered, sum_needed), -where_fewer(np.sort(-ordered), sum_needed)
    return row | {"hl_low": hl_low, "hl_high": hl_high, "low": low, "high": high}


def _gamma_at(bounds: Tails, alpha: float) -> float | None:
    """The gamma at which the larger p-value passes alpha."""
    from scipy.optimize import brentq

    if bounds(1.0)[1] > alpha:
        return None
    top = 2.0
    while bounds(top)[1] <= alpha:
        if top > FURTHEST:
            return top
        top *= 2
    return float(brentq(lambda gamma: bounds(gamma)[1] - alpha, 1.0, top, xtol=1e-9))


def _flags(pairs: int, differing: int, lost: int) -> list[Flag]:
    """Pairs left out."""
    flags = []
    if lost:
        share = disclosure.roughly(lost, pairs + lost)
        text = "Pairs in which a reading is missing are left out."
        flags.append(Flag("counterfactual", "caution", text, f"{share[:1].upper()}{share[1:]} of pairs."))
    if differing < 10:
        text = "Few pairs differ in the outcome, so the test can tell little."
        flags.append(Flag("counterfactual", "caution", text))
    return flags
