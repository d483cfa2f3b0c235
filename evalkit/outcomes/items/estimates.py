"""Whether a measure would say the same again: internal consistency, agreement of raters, and two occasions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import pandas as pd

from evalkit.errors import DataError, Flag, did_you_mean
from evalkit.outcomes.items.agreement import full_table, mean_squares, meaning
from evalkit.outcomes.items.coefficients import Reliability, used_rows
from evalkit.outcomes.items.consistency import alpha, omega
from evalkit.outcomes.items.itemtable import POLICIES, item_matrix, still_spread
from evalkit.outcomes.items.unbalanced import ClusterIcc, cluster_icc, holed_table
from evalkit.words import number

__all__ = ["ClusterIcc", "Reliability", "cluster_icc", "reliability"]

Kind = Literal["alpha", "omega", "icc", "retest"]


def reliability(
    items: pd.DataFrame,
    kind: Kind = "alpha",
    missing: Literal["listwise", "pairwise"] = "listwise",
    level: float = 0.95,
) -> Reliability:
    """Estimate the reliability of a sum of items, of ratings, or of a measure taken twice.

    Parameters
    ----------
    items : DataFrame, shape (n_persons, k)
        One row per person. alpha, omega: one column per item, scored (reverse keys applied). icc: one column per rater.
        retest: two columns, the measure at the first and the second occasion.
    kind : {"alpha", "omega", "icc", "retest"}
        Cronbach's alpha; McDonald's omega total by a one-factor model; the six intraclass correlations; the correlation
        and agreement of two occasions.
    missing : {"listwise", "pairwise"}
        Whether a row with a hole is left out, or every pair of answers is used. icc: pairwise means that a mixed model
        uses every rating. omega and retest are listwise only.
    level : float
        Of the interval.

    Returns
    -------
    Reliability
        ``value`` is alpha, omega, ICC(A,1) or the retest correlation.

    Raises
    ------
    DataError
        Fewer than two columns (omega: three), text, an item without answers or without spread, too few rows.
    EstimationError
        omega: no one-factor model could be fitted.

    Notes
    -----
    Intervals: alpha by Feldt's F distribution (pairwise: with the persons of the thinnest pair); omega by the delta
    method on the logit scale with standard errors that do not suppose normal answers; icc by F distributions, with
    holes by profile likelihood; retest by Fisher's z. Reliability is that of this sample: a cohort chosen for high need
    spreads less, and its coefficients are lower than in the general population.

    References
    ----------
    Cronbach (1951), Psychometrika 16, 297-334. Feldt, Woodruff and Salih (1987), Applied Psychological Measurement 11,
    93-103. McDonald (1999), Test Theory. Shrout and Fleiss (1979), Psychological Bulletin 86, 420-428.
    """
    if kind not in _KINDS:
        raise DataError(f'kind "{kind}" is not known. {did_you_mean(kind, _KINDS)}')
    if missing not in POLICIES:
        raise DataError(f'missing "{missing}" is not known. {did_you_mean(missing, POLICIES)}')
    if missing == "pairwise" and kind in ("omega", "retest"):
        raise DataError(f'{kind} needs complete rows. Use missing = "listwise", or complete the answers first.')
    if not 0 < level < 1:
        raise DataError("level must lie between 0 and 1, such as 0.95.")
    what = {"icc": "rater", "retest": "occasion"}.get(kind, "item")
    names, values = item_matrix(items, what=what)
    return _KINDS[kind](names, values, missing, level)


# ---------------------------------------------------------------- raters and occasions


def _icc(names: list[str], values: np.ndarray, missing: str, level: float) -> Reliability:
    used, flags = used_rows(values, missing, 3)
    holes = bool(np.isnan(used).any())
    table = holed_table(used, level) if holes else full_table(used, level)
    row = table.T["ICC(A,1)"]
    said = "mixed model on every rating, profile likelihood" if holes else "two-way mean squares, F distribution"
    if row["icc"] < 0:
        text = (
            "The intraclass correlation is negative: ratings of one person differ more than ratings of different ones."
        )
        flags.append(Flag("outcomes", "serious", text, "Check that rows are persons and columns are raters."))
    return Reliability(
        float(row["icc"]), float(row["low"]), float(row["high"]), len(used), missing, "icc", len(names), len(values),
        level, said, table=table, flags=tuple(flags),
    )  # fmt: skip


def _retest(names: list[str], values: np.ndarray, missing: str, level: float) -> Reliability:
    if len(names) != 2:
        raise DataError(
            f"retest compares two occasions; {len(names)} columns were given. Give the first and the second."
        )
    used, flags = used_rows(values, missing, 4)
    still_spread(names, used, "items")
    table = _occasions(used, level)
    if (shift := _shift(used)) is not None:
        flags.append(shift)
    r, absolute = table.T["r"], table.T["ICC(A,1)"]
    return Reliability(
        float(r["value"]), float(r["low"]), float(r["high"]), len(used), missing, "retest", 2, len(values), level,
        "Fisher z", table=table, sem=float(absolute["sem"]), smallest_change=float(absolute["smallest_change"]),
        flags=tuple(flags),
    )  # fmt: skip


def _occasions(used: np.ndarray, level: float) -> pd.DataFrame:
    """Correlation, consistency and agreement of two occasions, each with what a reading may be off by.

    References: de Vet et al. (2006), Journal of Clinical Epidemiology 59, 1033-1039.
    """
    from scipy.stats import norm

    n, z = len(used), float(norm.ppf((1 + level) / 2))
    squares, forms = mean_squares(used), full_table(used, level)
    r = float(np.corrcoef(used, rowvar=False)[0, 1])
    half = z / np.sqrt(n - 3)
    with np.errstate(divide="ignore"):
        bounds = np.tanh(np.arctanh(r) + np.array([-half, half]))
    rows = {
        "r": (r, *bounds, np.sqrt(used.var(axis=0, ddof=1).mean() * max(1 - r, 0.0)), "the order of persons is kept")
    }
    moved = max((squares.raters - squares.rest) / n, 0.0)
    for form, error in (("ICC(C,1)", squares.rest), ("ICC(A,1)", squares.rest + moved)):
        row = forms.loc[form]
        rows[form] = (row["icc"], row["low"], row["high"], np.sqrt(error), meaning(form))
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high", "sem", "meaning"])
    table.insert(4, "smallest_change", z * np.sqrt(2) * table["sem"])
    return table.rename_axis("form")


def _shift(used: np.ndarray) -> Flag | None:
    """A flag where the level moved between the occasions, which no retest of a stable state should show."""
    from scipy.stats import ttest_rel

    gap = float((used[:, 1] - used[:, 0]).mean())
    if not ttest_rel(used[:, 1], used[:, 0]).pvalue < 0.05:
        return None
    text = "The level moved between the two occasions, so they may not be a retest of one unchanged state."
    detail = f"Mean change {number(gap, 2, sign=True)}; a correlation does not see it, ICC(A,1) does."
    return Flag("outcomes", "caution", text, detail)


_KINDS: dict[str, Callable[[list[str], np.ndarray, str, float], Reliability]] = {
    "alpha": alpha,
    "omega": omega,
    "icc": _icc,
    "retest": _retest,
}
