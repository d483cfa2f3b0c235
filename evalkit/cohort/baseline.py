"""Who two groups are at the start, side by side, and whether they differ by more than chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from evalkit.cohort.checks import FEW, how_many
from evalkit.disclosure import roughly
from evalkit.errors import EstimationError, Flag, did_you_mean
from evalkit.words import listed, number, p_value

NOT_KNOWN = "not known"
DENOMINATOR = "square root of the mean of the two groups' variances"
CLOSE, FAR, MISSING_APART, ALPHA = 0.1, 0.25, 0.10, 0.05
LEVELS, DRAWS, SEED, SAMPLE = 12, 1999, 20260101, 100_000

Part = tuple[str | None, str, np.ndarray]  # the answer, "mean" or "share", and per person a number, NaN where unknown


def compare(
    frame: pd.DataFrame,
    first: pd.Series | np.ndarray,
    second: pd.Series | np.ndarray,
    columns: Sequence[str],
    names: tuple[str, str] = ("treated", "comparison"),
) -> pd.DataFrame:
    """Describe two groups column by column, with standardised differences (Table 1).

    Parameters
    ----------
    frame : DataFrame, shape (n_people, ...)
        One row per person. With index_date, dates count in days before it.
    first, second : Series or ndarray of bool, shape (n_people,)
        Who is in which group, in the order of the rows; missing is no.
    columns : sequence of str
        What is compared.
    names : (str, str)
        How the groups' columns begin.

    Returns
    -------
    DataFrame
        column, value, kind, then per group {name}_n, {name}_missing, {name}, {name}_sd, then difference. Numbers: one
        row of kind "mean" (n: people with a value; SD with n - 1). Yes/no and numbers that are only 0 or 1: one row of
        kind "share", value "yes" or "1" (n: people with that answer; the share is of those whose answer is known).
        Text: such a row per answer. A column with gaps has one more row, "not known", its share of the whole group.
        ``attrs``: "denominator"; "left_out", the reason by column; "people", the size of each group.

    Raises
    ------
    EstimationError
        A column is not there.

    Notes
    -----
    The difference is (first - second) / sqrt((s1^2 + s2^2) / 2), for shares with p (1 - p) for s^2 (Austin 2009,
    Statistics in Medicine 28, 3083-3107, section 2; Imbens and Rubin 2015, chapter 14): the same whichever group is
    named first, and defined where one group has no spread. `counterfactual.balance` divides by the treated's SD alone,
    to hold one yardstick before and after weighting towards the treated. Missing where neither group has any spread,
    or a group has fewer than two numbers. Infinite numbers count as missing; the text "not known" does too.
    """
    either, arms = _arms(first, second)
    left_out: dict[str, str] = {}
    rows = []
    for name in _checked(frame, columns):
        parts = _parts(frame, name, either)
        if isinstance(parts, str):
            left_out[name] = parts
            continue
        rows += [{"column": name, **_row(part, arms, names)} for part in parts]
    heads = [f"{name}{end}" for name in names for end in ("_n", "_missing", "", "_sd")]
    table = pd.DataFrame(rows, columns=["column", "value", "kind", *heads, "difference"])
    counts = [head for head in heads if head.endswith(("_n", "_missing"))]
    kinds = {"column": "str", "value": "str", "kind": "str", "difference": "float64"}
    table = table.astype({**kinds, **{head: "Int64" if head in counts else "float64" for head in heads}})
    people = {name: int(arm.sum()) for name, arm in zip(names, arms, strict=True)}
    table.attrs |= {"denominator": DENOMINATOR, "left_out": left_out, "people": people}
    return table


def _arms(first: pd.Series | np.ndarray, second: pd.Series | np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Who is in either group, and of those who is in which."""
    masks = [pd.Series(mask).astype("boolean").fillna(False).to_numpy(dtype=bool) for mask in (first, second)]
    either = masks[0] | masks[1]
    return either, [mask[either] for mask in masks]


def _checked(frame: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    absent = [name for name in columns if name not in frame.columns]
    if absent:
        raise EstimationError(f'column "{absent[0]}" is not in the table. {did_you_mean(absent[0], frame.columns)}')
    return list(dict.fromkeys(columns))


# ---------------------------------------------------------------- columns as numbers


def _parts(frame: pd.DataFrame, name: str, either: np.ndarray) -> list[Part] | str:
    """What is compared of one column, or why nothing is."""
    column = _typed(frame[name][either])
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        if name == "index_date" or "index_date" not in frame.columns:
            return "a date, and there is no index date to count days from" if name != "index_date" else "the index date"
        days = (_day(_typed(frame["index_date"][either])) - _day(column)).dt.days
        parts: list[Part] | str = _of_numbers(days, "days before the index date")
    elif pd.api.types.is_numeric_dtype(column.dtype):
        parts = _of_numbers(column, None)
    else:
        parts = _of_text(column)
    if isinstance(parts, str):
        return parts
    gaps = np.isnan(parts[0][2])
    return [*parts, (NOT_KNOWN, "share", gaps.astype(float))] if gaps.any() else parts


def _typed(column: pd.Series) -> pd.Series:
    """A column of Python objects as what they are."""
    if column.dtype != object:
        return column
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind in {"date", "datetime", "datetime64"}:
        return pd.to_datetime(column, errors="coerce")
    if kind == "boolean":
        return column.astype("boolean")
    return pd.to_numeric(column) if kind in {"integer", "floating", "mixed-integer-float", "decimal"} else column


def _day(column: pd.Series) -> pd.Series:
    return pd.to_datetime(column).dt.tz_localize(None).dt.normalize()


def _of_numbers(column: pd.Series, value: str | None) -> list[Part] | str:
    values = column.to_numpy(dtype="float64", na_value=np.nan)
    values = np.where(np.isfinite(values), values, np.nan)
    known = values[~np.isnan(values)]
    if not len(known):
        return "nobody's value is known"
    if value is None and np.isin(known, (0.0, 1.0)).all():
        return [("yes" if pd.api.types.is_bool_dtype(column.dtype) else "1", "share", values)]
    return [(value, "mean", values)]


def _of_text(column: pd.Series) -> list[Part] | str:
    text = column.astype("str").str.strip()
    gap = column.isna() | text.isna() | (text == "") | (text.str.lower() == NOT_KNOWN)
    known = text[~gap.to_numpy(dtype=bool)]
    there = set(known.unique())
    if not there:
        return "nobody's value is known"
    if len(there) > LEVELS:
        return f"text with more than {LEVELS} different answers"
    if len(there) == len(known) >= 5:
        return "no two people have the same answer"
    ordered = column.cat.categories.astype("str") if isinstance(column.dtype, pd.CategoricalDtype) else sorted(there)
    levels = [level for level in dict.fromkeys(str(one).strip() for one in ordered) if level in there]
    codes = pd.Categorical(text.where(~gap), categories=levels).codes
    return [(level, "share", np.where(codes < 0, np.nan, codes == at)) for at, level in enumerate(levels)]


# ---------------------------------------------------------------- one row


def _row(part: Part, arms: list[np.ndarray], names: tuple[str, str]) -> dict[str, object]:
    value, kind, values = part
    row: dict[str, object] = {"value": value, "kind": kind}
    means, spreads = [], []
    for name, arm in zip(names, arms, strict=True):
        known = values[arm][~np.isnan(values[arm])]
        mean = float(known.mean()) if len(known) else np.nan
        spread = mean * (1 - mean) if kind == "share" else float(known.var(ddof=1)) if len(known) > 1 else np.nan
        row[f"{name}_n"] = int(known.sum()) if kind == "share" else len(known)
        row[f"{name}_missing"] = int(arm.sum()) - len(known)
        row |= {name: mean, f"{name}_sd": np.sqrt(spread) if kind == "mean" else np.nan}
        means.append(mean)
        spreads.append(spread)
    return row | {"difference": _standardised(means, spreads)}


def _standardised(means: list[float], spreads: list[float]) -> float:
    """The difference in units of spread; numbers that differ by rounding only have none."""
    unit = np.sqrt(np.mean(spreads))
    return (means[0] - means[1]) / unit if unit > 1e-9 * max(1.0, *np.abs(means)) else np.nan


# ---------------------------------------------------------------- what a reader must be told


def baseline_flags(table: pd.DataFrame, names: tuple[str, str] = ("treated", "comparison")) -> list[Flag]:
    """Caveats on groups that are unlike at the start, and on values missing unequally.

    Parameters
    ----------
    table : DataFrame
        From `compare`.
    names : (str, str)
        The same names.

    Returns
    -------
    list of Flag
        A caution naming columns with a standardised difference of at least 0.25 (or without any overlap), a note on
        those from 0.1 on, a caution on columns missing 10 percentage points more in one group. However large a
        difference chance makes, it stands between the groups: there is no test here.
    """
    size = _size(table, names).where(table["value"] != NOT_KNOWN)
    worst = size.groupby(table["column"], sort=False).max()
    flags = [_unlike(table, size, worst[worst >= FAR], "caution", names)]
    flags.append(_unlike(table, size, worst[(worst >= CLOSE) & (worst < FAR)], "note", names))
    gaps = table[table["value"] == NOT_KNOWN]
    apart = gaps.loc[(gaps[names[0]] - gaps[names[1]]).abs() >= MISSING_APART]
    if len(apart):
        more = [
            f"{row.column} (more in {names[0 if row[names[0]] > row[names[1]] else 1]})" for _, row in apart.iterrows()
        ]
        text = f"Between {names[0]} and {names[1]}, values are missing unequally: {_some(more)}."
        flags.append(
            Flag("cohort", "caution", text, "Shares missing differ by 10 points or more: who was asked, and how?")
        )
    return [flag for flag in flags if flag is not None]


def _size(table: pd.DataFrame, names: tuple[str, str]) -> pd.Series:
    """The size of each difference; without limit where the groups do not overlap at all."""
    whole = table["difference"].isna() & ((table[names[0]] - table[names[1]]).abs() > 0)
    alone = (table[[f"{name}_n" for name in names]] < 2).any(axis=1) & (table["kind"] == "mean")
    return table["difference"].abs().mask(whole & ~alone.to_numpy(dtype=bool), np.inf)


def _unlike(table: pd.DataFrame, size: pd.Series, worst: pd.Series, level: str, names: tuple[str, str]) -> Flag | None:
    if worst.empty:
        return None
    order = worst.sort_values(ascending=False, kind="stable")
    rows = table.loc[[size[table["column"] == column].idxmax() for column in order.index]]
    called = [_called(table, row) for _, row in rows.iterrows()]
    text = f"At the start {names[0]} and {names[1]} differ in {_some(called)}."
    asked = "up to 0.1 is wished for" if level == "note" else "from 0.25 on, adjusting for it leans on the model"
    people = [table.attrs["people"][name] for name in names]
    chance = 1.96 * np.sqrt(1 / people[0] + 1 / people[1]) if min(people) >= FEW else np.nan
    told = (
        f" Chance alone takes one column in 20 beyond {number(chance, 2)} in groups of this size." if chance > 0 else ""
    )
    told_size = np.isfinite(order.iloc[0]) and _may_be_told(rows.iloc[0], people, names)
    largest = f"Largest standardised difference {number(order.iloc[0], 2)}; " if told_size else ""
    detail = (largest + asked)[:1].upper() + (largest + asked)[1:] + "." + told
    return Flag("cohort", "caution" if level == "caution" else "note", text, detail)


def _called(table: pd.DataFrame, row: pd.Series) -> str:
    """A row in words: "age", "race (black)"; the one answer of a yes/no is not said."""
    answers = (table["column"] == row["column"]) & (table["value"] != NOT_KNOWN)
    alone = answers.sum() == 1 and row["value"] != NOT_KNOWN
    return str(row["column"]) if alone else f"{row['column']} ({row['value']})"


def _may_be_told(row: pd.Series, people: list[int], names: tuple[str, str]) -> bool:
    """Whether people enough are behind a mean, or behind a share and the rest."""
    counts = [int(row[f"{name}_n"]) for name in names]
    if row["kind"] == "mean":
        return min(counts) >= FEW
    known = [of - int(row[f"{name}_missing"]) for of, name in zip(people, names, strict=True)]
    return all(min(n, of - n) >= FEW for n, of in zip(counts, known, strict=True))


def _some(words: list[str], most: int = 5) -> str:
    return listed(words if len(words) <= most else [*words[:most], f"{number(len(words) - most, 0)} more"])


# ---------------------------------------------------------------- cherry-picking


def overall_p(
    frame: pd.DataFrame,
    first: pd.Series | np.ndarray,
    second: pd.Series | np.ndarray,
    columns: Sequence[str],
    seed: int = SEED,
) -> float:
    """Test whether two groups differ over all columns together by more than a lottery between them would make.

    Parameters
    ----------
    frame, first, second, columns
        As in `compare`.
    seed : int
        For the lotteries.

    Returns
    -------
    float
        p of the sum of squared standardised differences over all rows of `compare`, gaps at the mean: among 1,999
        lotteries of the same group sizes where the smaller group has at most 1,000 people, else of the weighted sum of
        chi-squares that such lotteries tend to. Of more than 100,000 people, a drawn 100,000. Not a number where a
        group is empty or nothing varies.

    References
    ----------
    Hansen and Bowers (2008), Statistical Science 23, 219-236, for one test over all covariates under the
    distribution of random assignment; the sum here needs no inverse, so that many columns of few people do no harm.
    """
    random = np.random.default_rng(seed)
    either, arms = _arms(first, second)
    chosen = np.flatnonzero(either)
    kept = np.sort(random.permutation(len(chosen))[:SAMPLE])
    one = arms[0][kept]
    small = int(min(one.sum(), (~one).sum()))
    names = _checked(frame, columns)
    dated = ["index_date"] if "index_date" in frame.columns and "index_date" not in names else []
    scores = _scores(frame[[*names, *dated]].iloc[chosen[kept]], names) if small else np.empty((0, 0))
    if not scores.size:
        return np.nan
    found = (scores[one].sum(axis=0) ** 2).sum()
    drawn = _lotteries(scores, small, random) if small <= 1000 else _limit(scores, small, random)
    return float(((drawn >= found * (1 - 1e-9)).sum() + 1) / (len(drawn) + 1))


def _scores(frame: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """All that is compared, centred and in units of its own spread; gaps are 0."""
    everyone, scores = np.ones(len(frame), dtype=bool), []
    for name in columns:
        parts = _parts(frame, name, everyone)
        for _, _, values in parts if not isinstance(parts, str) else []:
            centred = np.nan_to_num(values - np.nanmean(values))
            spread = np.sqrt((centred**2).mean())
            if spread > 1e-9 * max(1.0, abs(float(np.nanmean(values)))):
                scores.append(centred / spread)
    return np.column_stack(scores) if scores else np.empty((len(frame), 0))


def _lotteries(scores: np.ndarray, small: int, random: np.random.Generator) -> np.ndarray:
    """The statistic under lotteries. Scores sum to 0, so that both groups' sums have the same size."""
    sums = (scores[random.choice(len(scores), small, replace=False)].sum(axis=0) for _ in range(DRAWS))
    return np.array([(one**2).sum() for one in sums])


def _limit(scores: np.ndarray, small: int, random: np.random.Generator) -> np.ndarray:
    """The statistic under lotteries of many people: normal sums with the covariance of a draw without replacement."""
    n = len(scores)
    weights = np.linalg.eigvalsh(scores.T @ scores).clip(min=0) * small * (n - small) / (n * (n - 1))
    return random.chisquare(1, (10 * DRAWS, len(weights))) @ weights


def selection_flags(table: pd.DataFrame, p: float, names: tuple[str, str] = ("started", "did not start")) -> list[Flag]:
    """Tell how those who started differ from those who were referred, eligible, and did not.

    Parameters
    ----------
    table : DataFrame
        From `compare`, those who started first.
    p : float
        From `overall_p`, over the same people and columns.
    names : (str, str)
        The same names.

    Returns
    -------
    list of Flag
        A caution where p is at most 0.05 and a standardised difference at least 0.1, with the three largest in words; a
        note where a group is too small to judge. Nothing otherwise: of thirty columns some differ by chance.
    """
    people = [table.attrs["people"][name] for name in names]
    if min(people) < FEW:
        lead = f"A group has {how_many(min(people), 'person', 'people')}: whether those who started differ from those"
        text = f"{lead} who did not cannot be judged."
        return [Flag("cohort", "note", text)] if min(people) else []
    size = _size(table, names)
    worst = size.groupby(table["column"], sort=False).max()
    order = worst[worst >= CLOSE].sort_values(ascending=False, kind="stable").index[:3]
    if not p <= ALPHA or not len(order):
        return []
    rows = table.loc[[size[table["column"] == column].idxmax() for column in order]]
    told = [_in_words(table, row, names) for _, row in rows.iterrows()]
    text = (
        f"Those who started differ by more than chance from those referred and eligible who did not: {'; '.join(told)}."
    )
    detail = (
        f"One test over all columns: p {p_value(p) if p < 0.001 else f'= {p_value(p)}'}. "
        "Were people chosen who would have done well anyway? Compare everyone referred and eligible."
    )
    return [Flag("cohort", "caution", text, detail)]


def _in_words(table: pd.DataFrame, row: pd.Series, names: tuple[str, str]) -> str:
    """One difference: means, or shares to the nearest five, where people enough are behind them."""
    people = [table.attrs["people"][name] for name in names]
    one, other, tell = row[names[0]], row[names[1]], _may_be_told(row, people, names)
    if row["kind"] == "mean":
        digits = 0 if max(abs(one), abs(other)) >= 100 else 1
        told = f" (mean {number(one, digits)} against {number(other, digits)})" if tell else ""
        if isinstance(row["value"], str):
            return f"{row['column']}: {'more' if one > other else 'fewer'} {row['value']}{told}"
        return f"{row['column']} is {'higher' if one > other else 'lower'}{told}"
    known = [of - int(row[f"{name}_missing"]) for of, name in zip(people, names, strict=True)]
    shares = [roughly(int(row[f"{name}_n"]), of) for name, of in zip(names, known, strict=True)] if tell else []
    told = f" ({shares[0]} against {shares[1]})" if shares else ""
    return f"{_called(table, row)} is {'more' if one > other else 'less'} frequent{told}"
