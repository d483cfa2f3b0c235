"""Whether the arms overlap: where the scores of treated and comparison people lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit import disclosure, words
from evalkit.counterfactual.covariates import as_numbers, encode, is_number
from evalkit.counterfactual.panel import Panel
from evalkit.counterfactual.scores import Score, fit_logit, fit_score
from evalkit.errors import EstimationError, Flag, as_list, did_you_mean

FEW = 10  # people below which a band is not shown alone
POOR, BAD = 0.95, 0.80  # share of the treated within the comparison's range


@dataclass(frozen=True, eq=False)
class Overlap:
    """Where the scores of the two arms lie.

    Parameters
    ----------
    table : DataFrame
        For a figure: arm ("treated", "comparison"), low, high (of the score), share (of the arm), density (share over
        width). No band holds fewer than ten people; narrower ones were merged.
    common_support : float
        The share of the treated whose score lies within the range of the comparison's scores.
    flags : tuple of Flag
        What a reader must be told.
    """

    table: pd.DataFrame
    common_support: float
    flags: tuple[Flag, ...]

    def _repr_html_(self) -> str:
        """The bands, and what must be told."""
        return f"{self.table.to_html(index=False, float_format='{:.2f}'.format)}{as_list(self.flags)}"


def overlap(frame: pd.DataFrame, treated: str, covariates: Sequence[str], bands: int = 20) -> Overlap:
    """Show how far treated and comparison people are alike, before any outcome is looked at.

    Parameters
    ----------
    frame : DataFrame, shape (n, ...)
        One row per person.
    treated : str
        Column that is 1 for the treated, 0 for the comparison; people without it are left out.
    covariates : sequence of str
        What the score is fitted on, as an estimator would.
    bands : int
        Bands of the score, up to where 95% of the treated lie, before those with fewer than ten people are merged.

    Returns
    -------
    Overlap
        Bands, the share of the treated on common support, and flags.

    Raises
    ------
    EstimationError
        A column is missing, an arm is empty, no covariate varies, or bands is not a whole number above 0.
    """
    names = [covariates] if isinstance(covariates, str) else list(covariates)
    for name in (treated, *names):
        if name not in frame.columns:
            raise EstimationError(f'column "{name}" is not in the table. {did_you_mean(name, frame.columns)}')
    if isinstance(bands, bool) or not isinstance(bands, int) or bands < 1:
        raise EstimationError("bands must be a whole number above 0.")
    used = frame[frame[treated].notna()]
    arm = as_numbers(used[treated]) if is_number(used[treated]) else np.full(len(used), np.nan)
    if set(np.unique(arm)) != {0.0, 1.0}:
        raise EstimationError(f'column "{treated}" must hold 1 for the treated and 0 for the comparison, and both.')
    x, flags = encode(used[names].reset_index(drop=True))
    score = _score(x, arm)
    if score is None:
        text = "The covariates tell treated and comparison people apart without fail: nobody comparable is left."
        nothing = pd.DataFrame(columns=["arm", "low", "high", "share", "density"])
        return Overlap(nothing, 0.0, (*flags, Flag("counterfactual", "serious", text)))
    one, none = score.logit[arm == 1], score.logit[arm == 0]
    inside = float(((one >= none.min()) & (one <= none.max())).mean())
    edges = _edges(score.probability[arm == 1], bands)
    parts = [_banded(name, score.probability[arm == code], edges) for name, code in (("treated", 1), ("comparison", 0))]
    return Overlap(pd.concat(parts, ignore_index=True), inside, (*flags, *_support_flags(inside, len(one))))


def told_apart(panel: Panel) -> list[Flag]:
    """Say where a regression compares people who cannot be compared.

    Parameters
    ----------
    panel : Panel
        The people, with the covariates of the regression.

    Returns
    -------
    list of Flag
        Serious where one covariate has no value in common, a caution where several together separate the arms: the
        effect then rests on lines drawn on to where the other arm has nobody.
    """
    if not panel.x.shape[1] or _score(panel.x, panel.treated) is not None:
        return []
    one, none = (panel.x[panel.treated == arm] for arm in (1, 0))
    apart = (one.min() > none.max()) | (one.max() < none.min())
    names = [str(name) for name in panel.x.columns[apart.to_numpy()]]
    what = f"values of {words.listed(names)}" if names else "mix of covariates"
    text = (
        f"Treated and comparison people have no {what} in common, so the effect rests on the regression's line alone."
    )
    detail = (
        "It is drawn on to where the other arm has nobody. Drop or coarsen covariates, or use matching or weighting."
    )
    return [Flag("counterfactual", "serious" if names else "caution", text, detail)]


def _score(x: pd.DataFrame, arm: np.ndarray) -> Score | None:
    """The fitted score; None where the covariates separate the arms."""
    if x.shape[1]:
        values = x.to_numpy()
        design = np.column_stack([np.ones(len(values)), (values - values.mean(axis=0)) / values.std(axis=0)])
        if fit_logit(design, arm) is None:
            return None
    return fit_score(x, arm)


def _edges(treated: np.ndarray, bands: int) -> np.ndarray:
    """Even bands up to where nearly all of the treated lie, and one up to 1."""
    top = min(1.0, np.ceil(20 * np.quantile(treated, POOR)) / 20)
    edges = np.linspace(0, top, bands + 1)
    return edges if top == 1 else np.append(edges, 1.0)


def _banded(name: str, scores: np.ndarray, edges: np.ndarray) -> pd.DataFrame:
    """Bands of one arm, merged upwards until each holds ten people."""
    bands = len(edges) - 1
    counts = np.histogram(scores, edges)[0]
    low, total, rows = 0, 0, []
    for place, count in enumerate(counts, start=1):
        total += int(count)
        if total >= FEW:
            rows.append([low, place, total])
            low, total = place, 0
    if rows:  # what is left over joins the last band
        rows[-1][1:] = [bands, rows[-1][2] + total]
    else:
        rows = [[0, bands, total]]
    table = pd.DataFrame(rows, columns=["low", "high", "share"])
    table["low"], table["high"] = edges[table["low"]], edges[table["high"]]
    table["share"] = (table["share"] / len(scores)).round(2)
    table["density"] = (table["share"] / (table["high"] - table["low"])).round(2)
    table.insert(0, "arm", name)
    return table


def _support_flags(inside: float, treated: int) -> list[Flag]:
    """How many of the treated are unlike anybody in the comparison."""
    if inside >= POOR:
        return []
    outside = round((1 - inside) * treated)
    share = disclosure.roughly(outside, treated)
    who = f"{share[:1].upper()}{share[1:]} of the treated"
    text = f"{who} are unlike anybody in the comparison (outside its range of scores)."
    detail = "What would have happened to them anyway rests on the model alone."
    return [Flag("counterfactual", "serious" if inside < BAD else "caution", text, detail)]
