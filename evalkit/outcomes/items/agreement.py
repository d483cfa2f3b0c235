"""How far raters or occasions agree: intraclass correlations of a full table, from mean squares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.errors import EstimationError

FORMS = ("ICC(1,1)", "ICC(A,1)", "ICC(C,1)", "ICC(1,k)", "ICC(A,k)", "ICC(C,k)")
_OLDER = dict(zip(("ICC1", "ICC2", "ICC3", "ICC1k", "ICC2k", "ICC3k"), FORMS, strict=True))
_MEANING = {
    "1": "raters differ from person to person",
    "A": "same raters, and their level counts as disagreement",
    "C": "same raters, and their level does not count",
}


def meaning(form: str) -> str:
    """What a form of the intraclass correlation answers, in words."""
    unit = "one rating" if form.endswith("1)") else "the mean of all ratings"
    return f"{unit}; {_MEANING[form[4]]}"


# ---------------------------------------------------------------- full tables


@dataclass(frozen=True)
class MeanSquares:
    """Two-way table of persons by raters, one rating each.

    Attributes
    ----------
    persons, raters, rest, within : float
        Mean squares: between persons, between raters, residual, within persons.
    n, k : int
        Persons and raters.
    """

    persons: float
    raters: float
    rest: float
    within: float
    n: int
    k: int


def mean_squares(ratings: np.ndarray) -> MeanSquares:
    """Work out the mean squares of a full table, shape (n_persons, n_raters)."""
    n, k = ratings.shape
    centred = ratings - ratings.mean()
    persons = k * (centred.mean(axis=1) ** 2).sum()
    raters = n * (centred.mean(axis=0) ** 2).sum()
    rest = max((centred**2).sum() - persons - raters, 0.0)
    return MeanSquares(
        persons / (n - 1), raters / (k - 1), rest / ((n - 1) * (k - 1)), (raters + rest) / (n * (k - 1)), n, k
    )


def point_estimates(ratings: np.ndarray) -> dict[str, float]:
    """The six forms of a full table, by pingouin.

    Parameters
    ----------
    ratings : ndarray, shape (n_persons, n_raters)
        Without holes.

    Returns
    -------
    dict of form to value
        Under the names in `FORMS`.
    """
    import pingouin

    n, k = ratings.shape
    long = pd.DataFrame({
        "person": np.repeat(np.arange(n), k), "rater": np.tile(np.arange(k), n), "rating": ratings.ravel(),
    })  # fmt: skip
    table = pingouin.intraclass_corr(long, targets="person", raters="rater", ratings="rating", nan_policy="raise")
    return values_by_form(table)


def values_by_form(table: pd.DataFrame) -> dict[str, float]:
    """Read pingouin's table whatever its version calls the columns and rows.

    Parameters
    ----------
    table : DataFrame
        With a column of form names ("Type"; "ICC(A,1)" or the older "ICC2") and one of values ("ICC").

    Returns
    -------
    dict of form to value
        Under the names in `FORMS`.

    Raises
    ------
    EstimationError
        The table is of a kind that is not known.
    """
    plain = {"".join(filter(str.isalnum, str(name))).lower(): name for name in table.columns}
    label, value = plain.get("type", plain.get("form")), plain.get("icc", plain.get("value"))
    if label is not None and value is not None:
        named = {_OLDER.get(str(form), str(form).replace(" ", "")): number for form, number in zip(
            table[label], table[value], strict=True)}  # fmt: skip
        if set(FORMS) <= set(named):
            return {form: float(named[form]) for form in FORMS}
    raise EstimationError(
        "This version of pingouin names its intraclass correlations in a way evalkit does not know. Install the "
        "version in requirements.lock."
    )


def full_table(ratings: np.ndarray, level: float) -> pd.DataFrame:
    """All six forms with F tests and exact (A: Satterthwaite) intervals.

    Parameters
    ----------
    ratings : ndarray, shape (n_persons, n_raters)
        Without holes.
    level : float
        Of the intervals.

    Returns
    -------
    DataFrame, shape (6, 8)
        By form: ``icc``, ``F``, ``df1``, ``df2``, ``p``, ``low``, ``high``, ``meaning``.

    References
    ----------
    Shrout and Fleiss (1979), Psychological Bulletin 86, 420-428. McGraw and Wong (1996), Psychological Methods 1,
    30-46.
    """
    from scipy.stats import f

    squares, values = mean_squares(ratings), point_estimates(ratings)
    n, k = squares.n, squares.k
    limits = {"1": _one_way(squares, level), "C": _consistent(squares, level), "A": _absolute(squares, level)}
    rows = {}
    for form in FORMS:
        noise, df2 = (squares.within, n * (k - 1)) if form[4] == "1" else (squares.rest, (n - 1) * (k - 1))
        ratio = squares.persons / noise if noise > 0 else np.inf
        low, high = limits[form[4]] if form.endswith("1)") else (of_mean(limit, k) for limit in limits[form[4]])
        rows[form] = {
            "icc": values[form], "F": ratio, "df1": n - 1, "df2": df2, "p": float(f.sf(ratio, n - 1, df2)),
            "low": low, "high": high, "meaning": meaning(form),
        }  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("form")


def of_mean(single: float, k: int) -> float:
    """Spearman-Brown: from one rating to the mean of k."""
    return k * single / (1 + (k - 1) * single)


def _from_ratio(ratio: float, df: tuple[int, int], k: int, level: float) -> tuple[float, float]:
    from scipy.stats import f

    tail = (1 + level) / 2
    low, high = ratio / f.ppf(tail, *df), ratio * f.ppf(tail, *df[::-1])
    return _single(low, k), _single(high, k)


def _single(ratio: float, k: int) -> float:
    """From an F ratio to the correlation of single ratings."""
    return float((ratio - 1) / (ratio + k - 1)) if np.isfinite(ratio) else 1.0


def _one_way(squares: MeanSquares, level: float) -> tuple[float, float]:
    ratio = squares.persons / squares.within if squares.within > 0 else np.inf
    return _from_ratio(ratio, (squares.n - 1, squares.n * (squares.k - 1)), squares.k, level)


def _consistent(squares: MeanSquares, level: float) -> tuple[float, float]:
    ratio = squares.persons / squares.rest if squares.rest > 0 else np.inf
    return _from_ratio(ratio, (squares.n - 1, (squares.n - 1) * (squares.k - 1)), squares.k, level)


def agreement(squares: MeanSquares) -> float:
    """ICC(A,1) from mean squares."""
    n, k = squares.n, squares.k
    spread = squares.persons + (k - 1) * squares.rest + k * (squares.raters - squares.rest) / n
    return (squares.persons - squares.rest) / spread


def _absolute(squares: MeanSquares, level: float) -> tuple[float, float]:
    from scipy.stats import f

    n, k, tail = squares.n, squares.k, (1 + level) / 2
    if squares.rest <= 0:
        return np.nan, np.nan
    single, ratio = agreement(squares), squares.raters / squares.rest
    base = n * (1 + (k - 1) * single) - k * single
    top = (n - 1) * (k - 1) * (k * single * ratio + base) ** 2
    df = top / ((n - 1) * (k * single * ratio) ** 2 + base**2)
    noise = k * squares.raters + (k * n - k - n) * squares.rest
    down, up = f.ppf(tail, n - 1, df), f.ppf(tail, df, n - 1)
    low = n * (squares.persons - down * squares.rest) / (down * noise + n * squares.persons)
    high = n * (up * squares.persons - squares.rest) / (noise + n * up * squares.persons)
    return float(low), float(high)
