"""Clustering several measures of one thing into one index: ICW, KLK, O'Brien's, or one factor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypedDict, Unpack, get_args

import numpy as np
import pandas as pd

from evalkit.errors import DataError, Flag, as_list, did_you_mean
from evalkit.outcomes.index.stability import Basis, stability_flags, weight_errors
from evalkit.outcomes.index.units import (
    Norm,
    codes_of,
    filled_by_arm,
    matrix,
    members,
    norms_of,
    pooled_sd,
    signs_of,
    unit_flags,
)
from evalkit.outcomes.index.weights import (
    Pairs,
    blocks,
    factor_weights,
    inverse_weights,
    opposed_flags,
    pair_sums,
    positive_definite,
    together,
    weight_flags,
)
from evalkit.words import listed

Method = Literal["icw", "klk", "obrien", "factor"]
Covariance = Literal["full", "reference"]
Missing = Literal["available", "arm_mean"]
_SMALLEST_WEIGHT_SUM = 1e-8
_SCORES_NEED = (
    "Factor scores compare people only if the measures hang together alike in both arms and on every occasion: check "
    "that loadings and intercepts are equal (scalar invariance) before reading a difference."
)


class Rare(TypedDict, total=False):
    """What is seldom asked of an index: `cluster_index` says what each means."""

    missing: Missing
    arm: pd.Series | np.ndarray
    norms: Mapping[str, Any]
    cluster: pd.Series | np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class ClusterIndex:
    """One index from several measures, with everything needed to compute it again.

    Attributes
    ----------
    values : Series, shape (n_persons,)
        The weighted mean of the available z-scores (of a factor: Bartlett's score from the available ones); missing
        where no measure is there.
    scaled : Series, shape (n_persons,)
        The same in units of the reference: reference mean 0 and standard deviation 1.
    weights : Series, shape (n_measures,)
        They sum to 1.
    mean, sd : Series, shape (n_measures,)
        The unit of each measure: of the reference, or of the published norms where there are any.
    n : int
        Persons with an index.
    flags : tuple of Flag
        Negative or unstable weights, a covariance that had to be shrunk, norms, filled readings.
    method, covariance : str
        How the weights came about.
    polarity : Series, shape (n_measures,)
        +1 where higher is better, -1 where lower is.
    centre, spread : float
        Mean and standard deviation of ``values`` in the reference (in the norms' population, see `cluster_index`).
    loadings : Series, shape (n_measures,)
        Of the factor; 1 for the other methods.
    errors : Series, shape (n_measures,)
        Standard errors of inverse-covariance weights; missing for the other methods.
    missing : {"available", "arm_mean"}
        What was done where a person lacks a measure.
    norms : tuple of str
        Measures whose unit is published norms.
    """

    values: pd.Series
    scaled: pd.Series
    weights: pd.Series
    mean: pd.Series
    sd: pd.Series
    n: int
    flags: tuple[Flag, ...]
    method: str
    covariance: str
    polarity: pd.Series
    centre: float
    spread: float
    loadings: pd.Series
    errors: pd.Series
    missing: str = "available"
    norms: tuple[str, ...] = ()

    def on(self, frame: pd.DataFrame, arm: pd.Series | np.ndarray | None = None) -> ClusterIndex:
        """Compute the same index on other persons or another occasion, with weights, means and unit kept.

        Parameters
        ----------
        frame : DataFrame
            The same measure columns, in the same units.
        arm : Series or array, shape (n_persons,), optional
            Needed where missing readings are filled with the arm's mean.

        Returns
        -------
        ClusterIndex
            ``values``, ``scaled`` and ``n`` for these rows; all else unchanged, so that growth survives.

        Raises
        ------
        DataError
            Missing readings are filled with the arm's mean and no arm is given.
        """
        raw, _ = _filled(matrix(frame, list(self.weights.index)), self.missing, arm)
        found = _values(raw, (self.polarity, self.mean, self.sd, self.weights, self.loadings))
        values = pd.Series(found, index=frame.index)
        scaled = (values - self.centre) / self.spread
        return replace(self, values=values, scaled=scaled, n=int(values.notna().sum()))

    def _repr_html_(self) -> str:
        columns = {"weight": self.weights, "standard error": self.errors, "mean of the unit": self.mean}
        table = pd.DataFrame(columns | {"SD of the unit": self.sd}).dropna(axis="columns", how="all")
        head = f"<p>{self.method.upper()} index of {len(self.weights)} measures</p>"
        return head + table.round(4).to_html(border=0) + as_list(self.flags)

    def __repr__(self) -> str:
        head = f"ClusterIndex({self.method}, {len(self.weights)} measures)"
        return "\n".join([head, *(f"{flag.level}: {flag.text}" for flag in self.flags)])


def cluster_index(
    frame: pd.DataFrame,
    measures: Sequence[str],
    reference: pd.Series | np.ndarray,
    method: Method = "icw",
    covariance: Covariance = "full",
    polarity: Mapping[str, object] | None = None,
    **rare: Unpack[Rare],
) -> ClusterIndex:
    """Combine several measures of one domain into one index.

    Parameters
    ----------
    frame : DataFrame, shape (n_persons, n_measures or more)
        One row per person; a column is one measure (at one occasion); missing scores are NaN.
    measures : sequence of str
        Two columns or more (three for one factor).
    reference : Series or array of bool, shape (n_persons,)
        Persons whose mean and standard deviation define the unit (the comparison arm). Each column is standardised
        on its own reference, so a measure at several occasions has as many references.
    method : {"icw", "klk", "obrien", "factor"}
        Inverse-covariance weights; equal weights (mean effects index); equal weights in units of the SD within
        arms, the composite whose two-sample t is O'Brien's OLS test; or Bartlett scores on one factor fitted by
        maximum likelihood.
    covariance : {"full", "reference"}
        Whose covariance of the z-scores is used: all persons' (Stata ``swindex``) or the reference's
        (``ivcvscore``). Pairwise complete.
    polarity : mapping, optional
        By measure: +1 or "higher" (default) where higher is better, -1 or "lower" where lower is.
    **rare : optional
        ``missing``: "available" (default: a measure that a person lacks is left out of their mean) or "arm_mean"
        (it is filled with the mean of their own arm, for persons with at least one measure, as Kling, Liebman and
        Katz do). ``arm``: who is in which arm, for that, and for the SD within arms of "obrien" (default: the
        reference and the others). ``norms``: by measure a published (mean, sd) or (mean, sd, source), or an object
        with these names, which defines its unit in the reference's place. Where all measures have norms, ``scaled``
        is in SD of the norms' population, taking the measures to go together there as they do here; where only some
        have, it is in SD of the reference. ``cluster``: by which the stability of the weights is judged.

    Returns
    -------
    ClusterIndex
        ``values``, ``scaled`` (reference mean 0, SD 1), ``weights``, ``mean``, ``sd``, ``n``, ``flags``.

    Raises
    ------
    DataError
        Fewer than two measures, unknown columns, text or infinite values, a reference without spread, measures
        never seen together.
    EstimationError
        One factor does not fit (a Heywood case).

    References
    ----------
    Anderson (2008), JASA 103, 1481-1495, section 3.2. Kling, Liebman and Katz (2007), Econometrica 75, 83-119.
    O'Brien (1984), Biometrics 40, 1079-1087. Schwab et al. (2020), Stata Journal 20, 952-964.
    """
    names = list(measures)
    _checked_request(frame, names, method, covariance, rare)
    signs = pd.Series(signs_of(names, polarity or {}), index=names)
    norms = norms_of(names, rare.get("norms") or {})
    raw, inside = matrix(frame, names), members(reference, frame.index, "reference")
    pairs = pair_sums(raw, inside, covariance == "reference")
    mean, sd = _unit(raw, inside, pairs, names, norms)
    scale = (signs / sd).to_numpy()
    spreads = pairs.covariance * np.outer(scale, scale)
    weights, loadings, errors, flags = _weights(
        _Sought(frame, raw, inside, names, method, covariance, rare), pairs, spreads, scale
    )
    filled, more = _filled(raw, rare.get("missing", "available"), rare.get("arm"))
    parts = [pd.Series(part, index=names) for part in (weights, loadings, errors)]
    values = _values(filled, (signs, mean, sd, parts[0], parts[1]))
    centre, spread = _scale(values, inside, norms, spreads, (weights, loadings), names)
    found = pd.Series(values, index=frame.index)
    return ClusterIndex(
        found, (found - centre) / spread, parts[0], mean, sd, int(found.notna().sum()),
        (*flags, *opposed_flags(names, spreads), *more, *unit_flags(norms, names, _fewest(pairs, names, norms))),
        method, covariance, signs, centre, spread, parts[1], parts[2], rare.get("missing", "available"), tuple(norms),
    )  # fmt: skip


def _fewest(pairs: Pairs, names: list[str], norms: dict[str, Norm]) -> int:
    """Readings behind the unit of the measure of which the reference has fewest; of the index itself with norms."""
    own = [int(count) for count, name in zip(pairs.own[0], names, strict=True) if name not in norms]
    return min(own) if own else int(pairs.own[0].max())


@dataclass(frozen=True, eq=False)
class _Sought:
    """What the weights are made from."""

    frame: pd.DataFrame
    raw: np.ndarray
    inside: np.ndarray
    names: list[str]
    method: str
    covariance: str
    rare: Rare


# ---------------------------------------------------------------- checks


def _checked_request(frame: pd.DataFrame, names: list[str], method: str, covariance: str, rare: Rare) -> None:
    if len(set(names)) < 2:
        raise DataError("An index needs at least two measures: with one, analyse the measure itself.")
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise DataError(f"{listed(twice)} would count twice in the index. Name each measure once.")
    for measure in names:
        if measure not in frame.columns:
            raise DataError(f'There is no measure "{measure}" to index. {did_you_mean(measure, frame.columns)}')
    missing = rare.get("missing", "available")
    for word, known in ((method, get_args(Method)), (covariance, get_args(Covariance)), (missing, get_args(Missing))):
        if word not in known:
            raise DataError(f'"{word}" is not known for an index. {did_you_mean(word, known)}')
    for word in rare:
        if word not in Rare.__annotations__:
            raise DataError(f'"{word}" is no option of an index. {did_you_mean(word, Rare.__annotations__)}')


# ---------------------------------------------------------------- the unit


def _unit(
    raw: np.ndarray, inside: np.ndarray, pairs: Pairs, names: list[str], norms: dict[str, Norm]
) -> tuple[pd.Series, pd.Series]:
    """Mean and SD of each measure: of its norms, else of the reference."""
    means, sds = pairs.unit
    for place, name in enumerate(names):
        if name in norms:
            means[place], sds[place] = norms[name].mean, norms[name].sd
            continue
        column = raw[inside, place] if not sds[place] > 1e-6 * abs(means[place]) else None
        if column is None:
            continue
        seen = column[~np.isnan(column)]
        if len(seen) < 2 or seen.min() == seen.max():
            reason = "has no two values" if len(seen) < 2 else "has the same value for everyone"
            raise DataError(
                f'Measure "{name}" {reason} in the reference, so its unit is not defined. '
                "Leave it out of the domain, or choose another reference."
            )
    return pd.Series(means, index=names), pd.Series(sds, index=names)


def _scale(
    values: np.ndarray,
    inside: np.ndarray,
    norms: dict[str, Norm],
    spreads: np.ndarray,
    made: tuple[np.ndarray, np.ndarray],
    names: list[str],
) -> tuple[float, float]:
    """Mean and SD of the index in the reference, or in the norms' population where every measure has norms."""
    if len(norms) == len(names):
        sd = np.sqrt(np.diag(spreads))
        weights, loadings = made
        return 0.0, float(np.sqrt(weights @ (spreads / np.outer(sd, sd)) @ weights) / abs(weights @ loadings))
    seen = values[inside]
    seen = seen[~np.isnan(seen)]
    if len(seen) < 2 or not seen.std(ddof=1) > 0:
        raise DataError("The index has the same value for everyone in the reference. Choose another reference.")
    return float(seen.mean()), float(seen.std(ddof=1))


# ---------------------------------------------------------------- weights and values


def _weights(
    sought: _Sought, pairs: Pairs, spreads: np.ndarray, scale: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[Flag]]:
    """Weights that sum to 1, loadings, standard errors of the weights, and what must be said."""
    names, ones = sought.names, np.ones(len(sought.names))
    unknown = np.full(len(names), np.nan)
    needs_pairs = sought.method in ("icw", "factor") or len(sought.rare.get("norms") or {}) == len(names)
    if needs_pairs:
        instead = 'Use index = "klk" (equal weights), or leave one of them out.'
        together(
            pairs, names, instead if sought.method in ("icw", "factor") else "Leave one of them out, or its norms."
        )
    if sought.method == "klk":
        return ones / len(names), ones, unknown, []
    if sought.method == "obrien":
        arm = sought.rare.get("arm")
        within = pooled_sd(
            sought.raw, codes_of(sought.inside if arm is None else arm, sought.frame.index, "arm"), names
        )
        relative = 1 / (np.abs(scale) * within)
        return relative / relative.sum(), ones, unknown, []
    if sought.method == "factor":
        weights, loadings = factor_weights(spreads, int(pairs.count.min()), names)
        flags = weight_flags(names, weights, None, positive_definite(spreads)[1], spreads)
        return weights, loadings, unknown, [*flags, Flag("outcomes", "note", _SCORES_NEED)]
    weights, sums, shrunk = inverse_weights(spreads)
    errors, flags = _stability(sought, pairs, spreads, scale, weights)
    return weights, ones, errors, [*weight_flags(names, weights, sums, shrunk, spreads), *flags]


def _stability(
    sought: _Sought, pairs: Pairs, spreads: np.ndarray, scale: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, list[Flag]]:
    keep = sought.inside if sought.covariance == "reference" else slice(None)
    norms = sought.rare.get("norms") or {}
    anew = np.array([name not in norms for name in sought.names], dtype=float)
    cluster = sought.rare.get("cluster")
    codes = None if cluster is None else codes_of(cluster, sought.frame.index, "cluster")
    if codes is not None and sought.covariance == "reference":
        codes = np.unique(codes[keep], return_inverse=True)[1]
    basis = Basis(sought.raw[keep], sought.inside[keep], scale, anew, pairs, spreads)
    errors, most = weight_errors(basis, weights, codes)
    return errors, stability_flags(sought.names, weights, errors, most, "person" if codes is None else "cluster")


def _filled(raw: np.ndarray, missing: str, arm: pd.Series | np.ndarray | None) -> tuple[np.ndarray, list[Flag]]:
    if missing == "available":
        return raw, []
    if arm is None:
        raise DataError('missing = "arm_mean" fills with the mean of a person\'s own arm: give arm= as well.')
    return filled_by_arm(raw, arm)


def _values(raw: np.ndarray, parts: tuple[pd.Series, ...]) -> np.ndarray:
    """The weighted sum of a person's z-scores over that of their loadings, over the measures they have."""
    signs, mean, sd, weights, loadings = (part.to_numpy(dtype=float) for part in parts)
    pull, hold = weights * signs / sd, weights * loadings
    found = np.full(len(raw), np.nan)
    for rows, filled, there in blocks(raw, mean):
        held = there @ hold
        np.divide(filled @ pull, held, out=found[rows], where=np.abs(held) > _SMALLEST_WEIGHT_SUM)
    return found
