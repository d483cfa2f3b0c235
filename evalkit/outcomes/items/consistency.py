"""Internal consistency of the items of one sum: Cronbach's alpha and McDonald's omega."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit.errors import DataError, Flag
from evalkit.outcomes.items.coefficients import Reliability, used_rows
from evalkit.outcomes.items.itemtable import pairwise_covariance, still_spread
from evalkit.outcomes.items.onefactor import fit_correlation, observed_information, one_factor
from evalkit.words import listed, number

# ---------------------------------------------------------------- alpha


def alpha(names: list[str], values: np.ndarray, missing: str, level: float) -> Reliability:
    """Cronbach's alpha, as `reliability` describes it."""
    import pingouin

    used, flags = used_rows(values, missing, 3)
    if missing == "listwise":
        still_spread(names, used, "items")
        covariance, counts = np.cov(used, rowvar=False), np.full((len(names), len(names)), float(len(used)))
    else:
        covariance, counts = pairwise_covariance(used)
        _paired(names, counts)
    value = float(pingouin.cronbach_alpha(pd.DataFrame(used), nan_policy=missing)[0])
    low, high = feldt(value, int(counts.min()), len(names), level)
    table = _item_table(names, covariance, counts)
    return Reliability(
        value, low, high, len(used), missing, "alpha", len(names), len(values), level, "Feldt", table,
        _standardised(covariance), flags=(*flags, *_against(table, value)),
    )  # fmt: skip


def _paired(names: list[str], counts: np.ndarray) -> None:
    row, column = np.unravel_index(int(counts.argmin()), counts.shape)
    if counts[row, column] < 3:
        raise DataError(
            f'items: "{names[row]}" and "{names[column]}" are answered together by fewer than 3 persons, so how they '
            "go together cannot be told. Leave one of them out."
        )


def feldt(alpha: float, n: int, k: int, level: float = 0.95) -> tuple[float, float]:
    """The exact interval of alpha for parallel normal items.

    Parameters
    ----------
    alpha : float
        The coefficient.
    n, k : int
        Persons and items.
    level : float
        Of the interval.

    Returns
    -------
    low, high : float
        Equal tails.

    References
    ----------
    Feldt (1965), Psychometrika 30, 357-370.
    """
    from scipy.stats import f

    df = (n - 1, (n - 1) * (k - 1))
    tail = (1 + level) / 2
    return float(1 - (1 - alpha) * f.ppf(tail, *df)), float(1 - (1 - alpha) * f.ppf(1 - tail, *df))


def _coefficient(covariance: np.ndarray) -> float:
    k = len(covariance)
    return k / (k - 1) * (1 - np.trace(covariance) / covariance.sum())


def _standardised(covariance: np.ndarray) -> float:
    spread = np.sqrt(np.diag(covariance))
    return float(_coefficient(covariance / np.outer(spread, spread)))


def _item_table(names: list[str], covariance: np.ndarray, counts: np.ndarray) -> pd.DataFrame:
    """Each item against the rest, all from the covariances."""
    own, with_sum, whole = np.diag(covariance), covariance.sum(axis=1), covariance.sum()
    rest = whole - 2 * with_sum + own
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = (with_sum - own) / np.sqrt(own * rest)
        k = len(names) - 1
        without = k / (k - 1) * (1 - (own.sum() - own) / rest) if k > 1 else np.full(len(names), np.nan)
    table = {"r_rest": correlation, "alpha_without": without, "n": np.diag(counts).astype(int)}
    return pd.DataFrame(table, index=pd.Index(names, name="item"))


def _against(table: pd.DataFrame, value: float) -> list[Flag]:
    """Flags for items that run against the rest."""
    flags = []
    turned = [f'"{name}" ({number(r, 2)})' for name, r in table["r_rest"].items() if r < 0]
    if turned:
        text = f"{len(turned)} item(s) run against the rest: are the reverse keys applied, once and not twice?"
        flags.append(Flag("outcomes", "serious", text, f"Correlation with the sum of the others: {listed(turned)}."))
    if value < 0:
        text = "Alpha is negative: these items do not belong to one sum as they are scored."
        flags.append(Flag("outcomes", "serious", text, "Check reverse keys and which items belong to the scale."))
    return flags


# ---------------------------------------------------------------- omega


def omega(names: list[str], values: np.ndarray, missing: str, level: float) -> Reliability:
    """McDonald's omega total, as `reliability` describes it."""
    if len(names) < 3:
        raise DataError(f'omega needs at least three items; {len(names)} were given. Use kind = "alpha".')
    used, flags = used_rows(values, missing, len(names) + 1)
    still_spread(names, used, "items")
    n = len(used)
    covariance = np.cov(used, rowvar=False, bias=True)
    model = one_factor(covariance, n)
    low, high = omega_interval(used, covariance, level)
    if model.heywood:
        low, high = np.nan, np.nan
        text = "Omega has no interval here: an item's unique variance stands at its lower limit."
        flags.append(Flag("outcomes", "caution", text, "Leave the item out, or use alpha."))
    table = pd.DataFrame(
        {"loading": model.loadings, "uniqueness": model.uniquenesses,
         "standardised": model.loadings / np.sqrt(np.diag(covariance))},
        index=pd.Index(names, name="item"),
    )  # fmt: skip
    turned = [f'"{name}"' for name, loading in zip(names, model.loadings, strict=True) if loading < 0]
    if turned:
        text = f"{len(turned)} item(s) run against the rest: are the reverse keys applied, once and not twice?"
        flags.append(Flag("outcomes", "serious", text, f"Negative loading: {listed(turned)}."))
    said = "delta method on the logit, robust to skew"
    return Reliability(
        model.omega, low, high, n, missing, "omega", len(names), len(values), level, said, table, flags=tuple(flags)
    )


def omega_interval(used: np.ndarray, covariance: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Interval of omega by the delta method, with a sandwich that does not suppose normal answers.

    Parameters
    ----------
    used : ndarray, shape (n, k)
        Complete rows.
    covariance : ndarray, shape (k, k)
        Theirs, divisor n.
    level : float
        Of the interval.

    Returns
    -------
    low, high : float
        Between 0 and 1.

    References
    ----------
    Raykov (2002), Multivariate Behavioral Research 37, 89-103. White (1982), Econometrica 50, 1-25.
    """
    from scipy.stats import norm

    n, spread = len(used), np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(spread, spread)
    loadings, unique = fit_correlation(correlation)
    inverse = np.linalg.inv(np.outer(loadings, loadings) + np.diag(unique))
    pulled = ((used - used.mean(axis=0)) / spread) @ inverse
    pushed = np.outer(pulled @ loadings, np.ones(len(loadings))) * pulled
    slopes = np.hstack([2 * (inverse @ loadings - pushed), np.diag(inverse) - pulled**2])
    bread = np.linalg.pinv(observed_information(correlation, loadings, unique))
    common, own = float(spread @ loadings), float(spread**2 @ unique)
    # d log(omega / (1 - omega)) = 2 d log(common) - d log(own)
    slope = np.concatenate([2 * spread / common, -(spread**2) / own])
    variance = ((slopes @ (bread @ slope)) ** 2).sum() / n**2
    half = float(norm.ppf((1 + level) / 2) * np.sqrt(variance))
    centre = np.log(common**2 / own)
    return float(1 / (1 + np.exp(half - centre))), float(1 / (1 + np.exp(-half - centre)))
