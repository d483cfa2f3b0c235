"""Comparing services: the verb, its table and its flags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from evalkit import disclosure
from evalkit.errors import Flag
from evalkit.outcomes.services.funnel import funnel_limits
from evalkit.outcomes.services.noun import Services
from evalkit.outcomes.services.rows import Rows, read
from evalkit.outcomes.services.shrink import Found, scores, separate, shares

FEWEST = 5  # below it the variance between services cannot be judged
_LIMITS = (0.95, 0.998)
_COLUMNS = [
    *("n", "raw", "adjusted", "estimate", "se", "low", "high", "rank", "rank_low", "rank_high"),
    *("funnel_low_95", "funnel_high_95", "funnel_low_998", "funnel_high_998", "outside"),
]


def compare_services(
    frame: pd.DataFrame,
    outcome: str,
    service: str,
    covariates: Sequence[str] = (),
    person: str | None = None,
    level: float = 0.95,
) -> Services:
    """Compare services by estimates that do not reward or punish small numbers.

    Parameters
    ----------
    frame : DataFrame
        One row per person, or per person and occasion.
    outcome : str
        Column of numbers; 0 and 1 only makes it a share.
    service : str
        Column of services.
    covariates : sequence of str
        What services' people differ in at the start: numbers, or words as one term per value but the first.
    person : str, optional
        Column of persons, where they have several rows.
    level : float
        Of the intervals.

    Returns
    -------
    Services
        ``table``, ``mean``, ``between_sd``, ``within_sd``, ``icc``, ``flags``.

    Raises
    ------
    DataError
        Columns missing or of the wrong kind.
    EstimationError
        Fewer than two services, no spread, covariates that repeat each other.

    Notes
    -----
    Scores: random-intercept model by restricted maximum likelihood; ``estimate`` and ``se`` are the prediction and its
    standard error given the variances, the overall mean's included; ``low`` and ``high`` also carry how poorly the
    variance between services is known (averaged over it, the share of variance between services even beforehand).
    Shares: beta-binomial, averaged over mean and share of variance alike; with covariates or repeated rows the model of
    scores, and a flag. Below five services nothing is pulled together. Ranks have intervals because they deserve none
    of the trust usually put in them (Goldstein and Spiegelhalter 1996).

    References
    ----------
    Raudenbush and Bryk (2002), Hierarchical Linear Models, chapter 3. Spiegelhalter (2005), Statistics in Medicine 24,
    1185-1202 (funnel). Daniels (1999), Canadian J. of Statistics 27, 567-578 (uniform shrinkage).
    """
    data, flags = read(frame, outcome, service, tuple(covariates), person)
    plain = data.binary and not data.repeated and data.x.shape[1] == 1
    if len(data.names) < FEWEST:
        found = separate(data, plain, level)
    else:
        found = shares(data, level) if plain else scores(data, level)
    table = _table(data, found, plain)
    return Services(
        table, found.mean, found.between_sd, found.within_sd, found.icc, found.method, plain, level,
        (*flags, *_flags(data, found, table, plain, outcome)), data.binary,
    )  # fmt: skip


def _table(data: Rows, found: Found, plain: bool) -> pd.DataFrame:
    rows = np.bincount(data.service)
    raw = np.bincount(data.service, data.y) / rows
    mix = np.column_stack([np.bincount(data.service, column) / rows for column in data.x.T[1:]] or [raw[:, None] * 0])
    adjusted = raw - mix @ (found.beta[1:] if data.x.shape[1] > 1 else np.zeros(1))
    if len(data.names) < FEWEST:
        adjusted = found.estimate
    n = np.bincount(data.home)
    place = np.argsort(np.argsort(-found.draws, axis=1), axis=1) + 1
    sd = np.sqrt(n / found.precision)
    kind: Literal["score", "share"] = "share" if plain else "score"
    limits = [one for level in _LIMITS for one in funnel_limits(n, found.mean, sd, level, kind)]
    ends = np.quantile(place, [0.025, 0.975], axis=0, method="closest_observation")
    outside = np.where(
        (adjusted < limits[2]) | (adjusted > limits[3]), "99.8%",
        np.where((adjusted < limits[0]) | (adjusted > limits[1]), "95%", ""),
    )  # fmt: skip
    rank = np.argsort(np.argsort(-found.estimate, kind="stable")) + 1
    values = [
        n,
        raw,
        adjusted,
        found.estimate,
        found.se,
        found.low,
        found.high,
        rank,
        *ends.astype(int),
        *limits,
        outside,
    ]
    return pd.DataFrame(dict(zip(_COLUMNS, values, strict=True)), index=data.names)


def _flags(data: Rows, found: Found, table: pd.DataFrame, plain: bool, outcome: str) -> list[Flag]:
    services = len(table)
    flags = []
    if services < FEWEST:
        detail = f"{services} services: what is chance and what is service cannot be learnt from so few."
        flags.append(Flag("outcomes", "caution", "Services are too few to be pulled together.", detail, outcome))
    elif found.between_sd < 1e-4 * found.within_sd:
        detail = "Estimates are all the overall mean; their intervals say how far services might still differ."
        flags.append(Flag("outcomes", "note", "Services differ no more than chance would have it.", detail, outcome))
    if data.binary and not plain:
        detail = "Shares are modelled on a straight line, and an interval may pass 0 or 1."
        flags.append(
            Flag("outcomes", "note", "A yes-or-no outcome is adjusted as if it were a score.", detail, outcome)
        )
    return flags + _single(table, outcome) + _dispersion(found, table, outcome)


def _single(table: pd.DataFrame, outcome: str) -> list[Flag]:
    """Services of one person each: neither named nor counted, since a number of them is one of people."""
    alone = int((table["n"] == 1).sum())
    if not alone:
        return []
    text = f"Services with one person only: {disclosure.roughly(alone, len(table))} of them."
    detail = "One person says next to nothing about a service. Join it with another, or leave it out."
    return [Flag("outcomes", "caution", text, detail, outcome)]


def _dispersion(found: Found, table: pd.DataFrame, outcome: str) -> list[Flag]:
    """Services outside the funnel, and whether that is more than chance explains."""
    out = table["outside"] != ""
    if not out.any():
        return []
    services, expected = len(table), 0.05 * len(table)
    text = f"{int(out.sum())} of {services} services lie outside the 95% limits; chance would put {expected:.1f} there."
    detail = "Limits allow for chance only, not for differences in what services do or whom they serve."
    if np.isfinite(found.between_sd) and found.between_sd > 0:
        detail += f" The standard deviation between services is {found.between_sd:.3g}."
    return [Flag("outcomes", "caution" if out.sum() > 2 * expected + 1 else "note", text, detail, outcome)]
