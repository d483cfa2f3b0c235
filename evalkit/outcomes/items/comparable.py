"""Whether an instrument measures the same thing in every arm, service and occasion.

Four models, each stricter than the one before: the same pattern of items (configural), the same loadings (metric), the
same intercepts (scalar), the same residual variances (strict). Means may be compared where the scalar model holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from evalkit.errors import DataError, EstimationError, Flag, did_you_mean
from evalkit.outcomes.factors.cfa import FactorModel, cfa, fit_row
from evalkit.outcomes.factors.fitting import Fitted, fit_level, impossible
from evalkit.outcomes.factors.reading import labels, named_factors, read_groups, read_occasions
from evalkit.outcomes.factors.structure import LEVELS, Design
from evalkit.outcomes.factors.verdicts import good_enough, rows_of, small_sample_flags, verdict
from evalkit.outcomes.items.itemtable import complete_rows, item_matrix

__all__ = ["FactorModel", "cfa", "invariance", "invariance_across", "partial_invariance"]

OCCASION = "occasion"
_KIND_OF = {"metric": "loading", "scalar": "intercept", "strict": "residual"}
_NAMED = 3
_SIGNIFICANT = 0.05


def invariance(
    items: pd.DataFrame,
    factors: Mapping[str, Sequence[str]],
    groups: Any = None,
    occasions: Any = None,
    person: Any = None,
) -> pd.DataFrame:
    """Test measurement invariance over groups, over occasions, or over both at once.

    Parameters
    ----------
    items : DataFrame, shape (n_rows, n_items or more)
        Scored answers. Over groups one row per person; over occasions one row per person and occasion.
    factors : dict of factor to its item columns
        Each item under one factor.
    groups : column name or array, shape (n_rows,), optional
        Arms, services: different people.
    occasions : column name or array, shape (n_rows,), optional
        The same people again: one model for all occasions side by side, in which factors correlate over time and each
        item keeps a residual of its own over time, so that people are not counted as new ones.
    person : column name or array, shape (n_rows,), optional
        Whose row it is, with ``occasions``; by default the index.

    Returns
    -------
    DataFrame, shape (4, n_columns)
        Rows "configural", "metric", "scalar", "strict". Columns ``chisq``, ``df``, ``p``, ``cfi``, ``tli``, ``rmsea``
        (``rmsea_low``, ``rmsea_high``: 90 %), ``srmr``; against the row before ``delta_chisq``, ``delta_df``,
        ``delta_p``, ``delta_cfi``, ``delta_rmsea``, ``delta_srmr``; ``parameters``, ``loglik``, ``aic``, ``bic``,
        ``n``; ``holds`` and ``verdict`` (in words). ``attrs["flags"]``: rows left out, impossible estimates;
        ``attrs["partial"]``: where a step fails, the items whose release lowers chi-square most; ``attrs["n"]``: rows
        or persons used by group; ``attrs["dropped"]``: the share left out.

    Raises
    ------
    DataError
        Unknown columns, text, fewer than two groups or occasions, a person twice at one occasion.
    EstimationError
        Too few items per factor, a group no larger than the number of items, an item without spread in a group, no
        maximum.

    Notes
    -----
    Maximum likelihood for normal answers, fit indices by lavaan's conventions (baseline: means and variances free in
    every group). Rows are taken as independent: where children share services, chi-square is somewhat too large, and
    the changes in CFI and RMSEA are the safer guide. A step holds where CFI falls by no more than .010 and RMSEA rises
    by no more than .015.

    References
    ----------
    Chen (2007), Structural Equation Modeling 14, 464-504. Meredith (1993), Psychometrika 58, 525-543. Widaman, Ferrer
    and Conger (2010), Child Development Perspectives 4, 10-18.
    """
    design, flags, dropped = _design(items, factors, groups, occasions, person)
    found: list[Fitted] = []
    for level in LEVELS:
        found.append(fit_level(design, level, near=found[-1] if found else None))
    table = _compared(found)
    partial = _worst(design, found, table)
    table["verdict"] = [
        verdict(level, row, table["holds"].iloc[: place + 1], partial.get(level, []))
        for place, (level, row) in enumerate(zip(LEVELS, rows_of(table), strict=True))
    ]
    table.attrs = {
        "flags": [*flags, *[flag for one in found for flag in impossible(one)], *small_sample_flags(design, table)],
        "partial": partial,
        "n": {label or "all": sample.n for label, sample in zip(design.groups, design.samples, strict=True)},
        "dropped": dropped,
    }
    return table


def _design(
    items: pd.DataFrame, factors: Mapping[str, Sequence[str]], groups: Any, occasions: Any, person: Any
) -> tuple[Design, list[Flag], float]:
    if groups is None and occasions is None:
        raise DataError("Say over what the measure should be the same: groups = ..., occasions = ..., or both.")
    if occasions is None:
        design, flags = read_groups(items, factors, groups)
        rows = len(items)
    else:
        design, flags = read_occasions(items, factors, occasions, person, groups)
        rows = int(pd.Series(items.index if person is None else labels(items, person, "person")).nunique())
    return design, flags, 1 - design.n / rows


def _compared(found: list[Fitted]) -> pd.DataFrame:
    """One row per model, each against the one before."""
    table = pd.DataFrame([fit_row(one) for one in found], index=pd.Index(LEVELS, name="model"))
    whole = ["df", "parameters", "n"]
    table[whole] = table[whole].astype(int)
    for name in ("chisq", "df", "cfi", "rmsea", "srmr"):
        table[f"delta_{name}"] = table[name].diff()
    table["delta_p"] = _tail(table["delta_chisq"], table["delta_df"])
    table["holds"] = [good_enough(level, row) for level, row in zip(LEVELS, rows_of(table), strict=True)]
    first = ["chisq", "df", "p", "cfi", "tli", "rmsea", "rmsea_low", "rmsea_high", "srmr", "delta_chisq", "delta_df"]
    then = ["delta_p", "delta_cfi", "delta_rmsea", "delta_srmr", "parameters", "loglik", "aic", "bic", "n", "holds"]
    return table[first + then]


def _tail(chisq: Any, df: Any) -> np.ndarray:
    from scipy.stats import chi2

    return chi2.sf(np.maximum(np.asarray(chisq, dtype=float), 0.0), np.asarray(df, dtype=float))


def _worst(design: Design, found: list[Fitted], table: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """For the first step that fails, what frees most of its misfit."""
    failing = [level for level in LEVELS[1:] if not table.loc[level, "holds"]]
    if not failing:
        return {}
    level = failing[0]
    worst = _released(design, found[LEVELS.index(level)]).head(_NAMED)
    return {level: [{str(name): value for name, value in row.items()} for row in worst.to_dict("records")]}


def _released(design: Design, held: Fitted) -> pd.DataFrame:
    """Re-fit with the equality of one item given up, item by item."""
    kind, rows = _KIND_OF[held.level], []
    for item in design.items:
        try:
            freed = fit_level(design, held.level, [(kind, item)], near=held)
        except EstimationError:  # one item that cannot be freed must not hide the others
            continue
        drop, df = held.indices.chisq - freed.indices.chisq, held.indices.df - freed.indices.df
        rows.append({
            "item": item, "released": kind, "chisq_drop": drop, "df": df, "p": float(_tail(drop, df)),
            "cfi": freed.indices.cfi, "rmsea": freed.indices.rmsea,
        })  # fmt: skip
    columns = ["item", "released", "chisq_drop", "df", "p", "cfi", "rmsea"]
    return pd.DataFrame(rows, columns=columns).sort_values("chisq_drop", ascending=False, ignore_index=True)


def partial_invariance(
    items: pd.DataFrame,
    factors: Mapping[str, Sequence[str]],
    groups: Any = None,
    occasions: Any = None,
    person: Any = None,
    level: str = "scalar",
) -> pd.DataFrame:
    """Find the items that keep a level of invariance from holding.

    Parameters
    ----------
    items, factors, groups, occasions, person
        As in `invariance`.
    level : {"metric", "scalar", "strict"}
        Whose equality is given up for one item at a time: of loadings, intercepts or residual variances.

    Returns
    -------
    DataFrame, shape (n_items, 7)
        ``item``, ``released``, ``chisq_drop`` with its ``df`` and ``p`` (not adjusted for looking at every item),
        ``cfi`` and ``rmsea`` of the model with this item free; largest drop first.

    Raises
    ------
    DataError, EstimationError
        As in `invariance`.

    References
    ----------
    Byrne, Shavelson and Muthen (1989), Psychological Bulletin 105, 456-466.
    """
    if level not in _KIND_OF:
        raise DataError(f'level "{level}" holds nothing that could be released. {did_you_mean(level, _KIND_OF)}')
    design, _, _ = _design(items, factors, groups, occasions, person)
    return _released(design, fit_level(design, level))


def invariance_across(
    items: pd.DataFrame, factors: Mapping[str, Sequence[str]], across: Mapping[str, Any], person: Any = None
) -> pd.DataFrame:
    """Test invariance over several groupings, one after the other.

    Parameters
    ----------
    items, factors
        As in `invariance`; with occasions one row per person and occasion.
    across : dict of name to column name or array
        Such as ``{"arm": "arm", "service": "team", "occasion": "occasion"}``. The name "occasion" means the same people
        again; under every other name the groups are different people, of whom the earliest complete occasion counts.
    person : column name or array, shape (n_rows,), optional
        Whose row it is; by default the index.

    Returns
    -------
    DataFrame
        The rows of `invariance` for each grouping, by (``across``, ``model``). A grouping that could not be tested has
        one row "not tested" with the reason as its verdict. ``attrs["flags"]`` holds the flags of all.
    """
    if not across:
        raise DataError('across: nothing named. Give for instance {"arm": "arm", "occasion": "occasion"}.')
    named_factors(items, factors)
    tables, flags = {}, []
    for name in across:
        try:
            table = _one_grouping(items, factors, name, across, person)
        except EstimationError as reason:
            table = pd.DataFrame({"verdict": [str(reason)]}, index=pd.Index(["not tested"], name="model"))
            text = f"Whether the measure is the same over {name} could not be tested."
            table.attrs = {"flags": [Flag("outcomes", "caution", text, str(reason), name)]}
        flags += [Flag(flag.room, flag.level, flag.text, flag.detail, name) for flag in table.attrs["flags"]]
        table.attrs = {}
        tables[name] = table
    whole = pd.concat(tables, names=["across", "model"])
    whole.attrs = {"flags": flags}
    return whole


def _one_grouping(
    items: pd.DataFrame, factors: Mapping[str, Sequence[str]], name: str, across: Mapping[str, Any], person: Any
) -> pd.DataFrame:
    if name == OCCASION:
        return invariance(items, factors, occasions=across[name], person=person)
    group = labels(items, across[name], name)
    rows = _first_rows(items, factors, across.get(OCCASION), person)
    inside, notes = _large_enough(items[rows], factors, group[rows], name)
    table = invariance(items[rows][inside], factors, group[rows][inside].to_numpy())
    table.attrs["flags"] = [*notes, *table.attrs["flags"]]
    return table


def _first_rows(items: pd.DataFrame, factors: Mapping[str, Sequence[str]], occasions: Any, person: Any) -> np.ndarray:
    """The earliest complete row of each person, so that nobody counts twice in a group; all rows if none repeats."""
    who = labels(items, person, "person") if person is not None else None
    if who is None and occasions is None:
        return np.ones(len(items), dtype=bool)
    codes = pd.factorize(pd.Series(items.index) if who is None else who)[0]
    when = np.zeros(len(items)) if occasions is None else pd.factorize(labels(items, occasions, OCCASION), sort=True)[0]
    columns, _ = named_factors(items, factors)
    whole = complete_rows(item_matrix(items[columns])[1])
    order = np.lexsort((when, ~whole))
    first = order[~pd.Series(codes[order]).duplicated().to_numpy()]
    rows = np.zeros(len(items), dtype=bool)
    rows[first] = True
    return rows & (codes >= 0)


def _large_enough(
    items: pd.DataFrame, factors: Mapping[str, Sequence[str]], group: pd.Series, name: str
) -> tuple[np.ndarray, list[Flag]]:
    """Leave out groups with no more complete rows than items, and say so."""
    columns, _ = named_factors(items, factors)
    whole = complete_rows(item_matrix(items[columns])[1])
    codes, found = pd.factorize(group.to_numpy())
    counts = np.bincount(codes[whole & (codes >= 0)], minlength=len(found))
    small = np.flatnonzero(counts <= len(columns))
    if not len(small):
        return np.ones(len(items), dtype=bool), []
    if len(found) - len(small) < 2:
        raise EstimationError(
            f"{name}: fewer than two groups have more complete rows than the {len(columns)} items. Join like groups, "
            "or test fewer items at a time."
        )
    text = f"{len(small)} of {len(found)} groups ({name}) were too small to be tested."
    detail = f"They have no more complete rows than the {len(columns)} items; what is said holds for the others."
    return ~np.isin(codes, small), [Flag("outcomes", "caution", text, detail)]
