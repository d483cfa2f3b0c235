"""Added value in each arm and the difference: what the formula says of those to whom nothing was added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evalkit import disclosure
from evalkit.errors import EstimationError, Flag
from evalkit.outcomes.change.shares import read_arm
from evalkit.outcomes.questionnaires.added import CAVEAT, added_value_part
from evalkit.outcomes.records.ratios import Ratio, cluster_codes, error, quantile, ratio
from evalkit.words import SUPPRESSED, interval, number

_NAMES = ("mean", "low", "high", "effect_size", "effect_size_low", "effect_size_high")
# An interval that reaches further than half a standard deviation to each side cannot tell 0 from a real difference.
_NARROW = 0.5


@dataclass(frozen=True, eq=False, repr=False)
class AddedValueByArm:
    """Added value of the parent SDQ by arm; its coefficients are unconfirmed.

    Attributes
    ----------
    table : DataFrame
        By arm ("treated" and "comparison", or "all"): ``n`` (with a score), ``mean``, ``low``, ``high`` (points,
        95 %), ``effect_size``, ``effect_size_low``, ``effect_size_high`` (standard deviations).
    difference : dict of str to float
        Treated less comparison: ``mean``, ``low``, ``high`` and the same as effect sizes; NaN with one arm.
    text : str
        What it says in words, without what rests on few people.
    flags : tuple of Flag
        That the coefficients are unconfirmed and the erratum was not read.
    """

    table: pd.DataFrame
    difference: dict[str, float]
    text: str
    flags: tuple[Flag, ...]

    def __repr__(self) -> str:
        return f"AddedValueByArm({len(self.table)} arms; {CAVEAT[:1].lower()}{CAVEAT[1:-1]})"

    def _repr_html_(self) -> str:
        """Show the arms, nothing that rests on few people; and that the coefficients are unconfirmed."""
        shown = self.table.reset_index()
        for name in _NAMES:
            shown[name] = [number(value, 2) for value in shown[name]]
        safe = disclosure.protect(shown, counts=["n"], behind=dict.fromkeys(_NAMES, "n")).table
        return f"<p>{self.text}</p>{safe.to_html(index=False, border=0)}"


def added_value_by_arm(
    values: Any, arm: Any = None, cluster: Any = None, rule: str = "uk-children-10"
) -> AddedValueByArm:
    """Compare added value scores between the arms.

    Parameters
    ----------
    values : Series or array, shape (n_children,)
        From `added_value`; missing scores are left out.
    arm : array-like, shape (n_children,), optional
        "treated" or 1, "comparison" or 0; missing for neither. Default: all are one group.
    cluster : array-like, shape (n_children,), optional
        Who belongs together.
    rule : str
        The disclosure rule by which the words leave out what rests on few children.

    Returns
    -------
    AddedValueByArm
        Intervals by CR2 with Satterthwaite's degrees of freedom; without clusters each child is one. The formula
        stands for a comparison group where there is none; where there is one, its own score should be near 0,
        and the difference is the finding.

    Raises
    ------
    DataError
        An arm with nobody in it, or arms and scores that are not as many.
    EstimationError
        Fewer than two children, or clusters, with a score in an arm.

    References
    ----------
    Ford, Hutchings, Bywater, Goodman and Goodman (2009), British Journal of Psychiatry 194, 552-558. Bell and McCaffrey
    (2002), Survey Methodology 28, 169-181.
    """
    scores = np.asarray(values, dtype=float)
    codes, clusters = cluster_codes(cluster, len(scores))
    sides = {"all": np.ones(len(scores), dtype=bool)}
    if arm is not None:
        treated = read_arm(arm, len(scores))
        sides = {"treated": treated == 1, "comparison": treated == 0}
    parts = {name: _part(scores, rows & np.isfinite(scores), codes, clusters) for name, rows in sides.items()}
    rows = {name: {"n": int(part.bottom)} | _reach([part], [1.0]) for name, part in parts.items()}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("arm")
    difference = dict.fromkeys(_NAMES, np.nan)
    if arm is not None:
        difference = _reach([parts["treated"], parts["comparison"]], [1.0, -1.0])
    return AddedValueByArm(table, difference, _said(table, difference, rule), (_unconfirmed(),))


def _part(scores: np.ndarray, rows: np.ndarray, codes: np.ndarray, clusters: int) -> Ratio:
    part = ratio(scores[rows], np.ones(int(rows.sum())), codes[rows], clusters)
    if part.groups < 2:
        raise EstimationError(
            "Added value needs at least two children, and two clusters, with both forms in each arm; fewer have no "
            "interval."
        )
    return part


def _reach(parts: list[Ratio], weights: list[float]) -> dict[str, float]:
    """A mean, or the difference of two, with its interval, in points and in standard deviations."""
    mean = sum(weight * part.value for weight, part in zip(weights, parts, strict=True))
    se, df = error(parts, weights)
    half = quantile(df) * se
    points = np.array([mean, mean - half, mean + half])
    return dict(zip(_NAMES, [*points.tolist(), *(points / added_value_part()["sd"]).tolist()], strict=True))


def _unconfirmed() -> Flag:
    detail = f"{added_value_part()['note']} The variables of the formula and their signs are checked."
    return Flag("outcomes", "caution", CAVEAT, detail)


# ---------------------------------------------------------------- in words


def _said(table: pd.DataFrame, difference: dict[str, float], rule: str) -> str:
    """What each arm's score says, and what the comparison's says of the formula."""
    if any(disclosure.count(int(n), rule) == SUPPRESSED for n in table["n"]):
        return f"Too few children have both forms for their added value to be printed. {CAVEAT}"
    lead = "Added value is how much better children did than the formula expects of referred children; 0 is none."
    if "all" in table.index:
        return f"{lead} Here it is {_points(table.loc['all'])}. {CAVEAT}"
    treated, comparison = (row for _, row in table.loc[["treated", "comparison"]].iterrows())
    return (
        f"{lead} With the programme it is {_points(treated)}, in the comparison {_points(comparison)}. "
        f"{_use(comparison)} The difference is {_points(difference)}. {CAVEAT}"
    )


def _points(row: Any) -> str:
    return f"{number(row['mean'], 1, sign=True)} points (95% interval {interval(row['low'], row['high'])})"


def _use(comparison: pd.Series) -> str:
    """A control group's value near 0 supports the use of the formula, one far from it speaks against it."""
    if comparison["low"] > 0 or comparison["high"] < 0:
        return (
            "A comparison's value away from 0 speaks against the formula for these children: the programme's own value "
            "then says little, and only the difference counts."
        )
    if (comparison["effect_size_high"] - comparison["effect_size_low"]) / 2 <= _NARROW:
        return "A comparison's value near 0 supports the use of the formula for these children."
    return "The comparison's value may be 0, but its interval is too wide to support the use of the formula."
