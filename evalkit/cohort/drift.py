"""Whether those referred, and those let in, changed from quarter to quarter, and whether starts kept to the plan."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evalkit.cohort.checks import FEW
from evalkit.cohort.planned import behind_plan
from evalkit.cohort.planned import read_planned as read_planned
from evalkit.disclosure import roughly
from evalkit.disclosure.rules import find_rule
from evalkit.errors import Flag
from evalkit.study.counted import Drift
from evalkit.words import listed, p_value

NOT_KNOWN, OTHERS = "not known", "all others"
# 0.01 and not 0.05: brothers and sisters are referred together, which makes tests of independent people too keen.
ALPHA, MATERIAL = 0.01, 0.10
ENOUGH = 2 * FEW  # so that a share and the rest can both rest on people enough to be told
LEVELS, DRAWS, SEED = 12, 1999, 20260101
_TOTALS = ["referred", "eligible", "starts"]


def drift_table(counts: pd.DataFrame, plan: Drift, planned: dict[str, float] | None = None) -> pd.DataFrame:
    """People by calendar quarter of their index date: all, eligible, started, planned, and the mix of those referred.

    Parameters
    ----------
    counts : DataFrame
        quarter (its first day), by ("" for everyone, else a column's name), value (missing: not known), referred,
        eligible, starts (missing where no set of starts is named): numbers of people.
    plan : Drift
        The columns watched, and the one that says who referred.
    planned : dict of str to float, optional
        Planned starts by quarter, from `read_planned`.

    Returns
    -------
    DataFrame
        quarter ("2019-Q1"), series ("referred", "eligible", "starts", "planned", or a column's name), value (the
        answer, only where the series is a column), people (Float64: plans need not be whole), of, share (people / of).
        Eligible are of those referred, starts of those eligible, answers of those referred. A quarter without referrals
        between the first and the last is there with 0; planned quarters may lie outside.
    """
    frame = counts[counts["quarter"].notna()]
    frame = frame.assign(quarter=pd.to_datetime(frame["quarter"]).dt.to_period("Q"))
    whole = frame[frame["by"] == ""].groupby("quarter")[_TOTALS].sum(min_count=1)
    seen = whole.index[(whole["referred"] > 0).fillna(False).to_numpy(dtype=bool)]
    span = pd.period_range(seen.min(), seen.max(), freq="Q") if len(seen) else pd.PeriodIndex([], freq="Q")
    has_starts = whole["starts"].notna().any()
    whole = whole.reindex(span).astype("Float64").fillna(0)
    parts = [_long("referred", whole["referred"]), _long("eligible", whole["eligible"], whole["referred"])]
    parts += [_long("starts", whole["starts"], whole["eligible"])] if has_starts else []
    if planned:
        keys = pd.PeriodIndex([key.replace("-", "") for key in planned], freq="Q")
        parts.append(_long("planned", pd.Series(list(planned.values()), keys).sort_index()))
    for name in dict.fromkeys([*plan.by, *([plan.who] if plan.who else [])]):
        mix = _mix(frame[frame["by"] == name], span)
        parts += [_long(name, mix[value], mix.sum(axis=1), value) for value in mix.columns]
    return pd.concat(parts, ignore_index=True)


def _long(series: str, people: pd.Series, of: pd.Series | None = None, value: str | None = None) -> pd.DataFrame:
    """One series as tidy rows."""
    whole = pd.Series(pd.NA, people.index, dtype="Float64") if of is None else of.astype("Float64")
    count = people.astype("Float64")
    quarters = pd.PeriodIndex(people.index, freq="Q").strftime("%Y-Q%q")
    texts = {
        "quarter": pd.array(quarters.tolist(), dtype="str"),
        "series": pd.array([series] * len(count), dtype="str"),
        "value": pd.array([value] * len(count), dtype="str"),
    }
    return pd.DataFrame(
        {**texts, "people": count.array, "of": whole.array, "share": (count / whole.mask(whole == 0)).array}
    )


def _mix(rows: pd.DataFrame, span: pd.PeriodIndex) -> pd.DataFrame:
    """People referred by quarter and answer: the most frequent answer first, not known last."""
    value = rows["value"].astype("str").fillna(NOT_KNOWN)
    grid = rows["referred"].astype("Float64").groupby([rows["quarter"], value]).sum().unstack(fill_value=0)
    grid = grid.reindex(span).astype("Float64").fillna(0)
    order = grid.sum().sort_values(ascending=False, kind="stable").index
    return grid[sorted(order, key=lambda name: name == NOT_KNOWN)]


# ---------------------------------------------------------------- what a reader must be told


def drift_flags(table: pd.DataFrame, plan: Drift, rule: str = "uk-children-10", seed: int = SEED) -> list[Flag]:
    """Caveats on a changed mix of referrals, a changed share eligible, and starts behind the plan.

    Parameters
    ----------
    table : DataFrame
        From `drift_table`.
    plan : Drift
        The columns watched.
    rule : str
        The disclosure rule in force: shares are told only where both they and the rest rest on people enough.
    seed : int
        For the drawn tables.

    Returns
    -------
    list of Flag
        Cautions on series that changed; notes on what could not be judged; a note or a caution on starts.

    Notes
    -----
    Per series two chi-square tests: over all quarters, and the first half of the quarters against the second, which
    sees a slow move. Where an expected count is below 5 (Cochran 1954) the p-value comes from 1,999 tables drawn with
    the same margins. Holm (1979) over all tests of all series. A flag needs an adjusted p of at most 0.01 *and* a
    departure of at least 10 percentage points: between the halves, or of a quarter with 20 people or more from all
    others, that quarter's own exact (hypergeometric) p holding after Holm. The tests take people as independent: then
    about one study in 100 without drift is told of a change; where half of all come in pairs who are alike, about one
    in 10. So the first question to a flag is whether families came together.

    A quarter looks unfinished, and is not judged, if it is one of the last two and has fewer than half the referrals
    usual in the four before. For the share eligible also left out: quarters at either end in which nobody is eligible
    (follow-up or dates asked for by the rules), and the quarter next to them, which may be open in part.
    """
    whole = table[table["value"].isna()].pivot(index="quarter", columns="series", values="people").astype("float64")
    whole = whole.reindex(columns=[*_TOTALS, "planned"])
    seen = whole[whole["referred"].notna()]
    if seen.empty:
        return []
    done = seen.iloc[: len(seen) - _unfinished(seen["referred"].tolist())]
    flags = [*_quiet(done), *_unfinished_flag(seen, done)]
    window = _open(done)
    flags += _window_flag(done, window)
    eligible = window.assign(other=window["referred"] - window["eligible"])[["eligible", "other"]]
    judged = [_Watched("eligible", "The share of those referred who meet every rule", eligible, "other")]
    for name in dict.fromkeys([*plan.by, *([plan.who] if plan.who else [])]):
        rows = table[(table["series"] == name) & table["value"].notna() & table["quarter"].isin(done.index)]
        grid = rows.pivot(index="quarter", columns="value", values="people").astype("float64")
        lead = f"Who referred ({name})" if name == plan.who else f"The mix of referrals by {name}"
        judged.append(_Watched(name, lead, _pooled(grid)))
    return flags + _changes(judged, rule, np.random.default_rng(seed)) + behind_plan(whole, str(done.index[-1]), rule)


@dataclass(frozen=True, eq=False)
class _Watched:
    """One series: how a sentence on it begins, people by quarter and answer, the answer that is never told."""

    name: str
    lead: str
    grid: pd.DataFrame
    rest: str = OTHERS

    @property
    def halves(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        middle = len(self.grid) // 2
        return self.grid.iloc[:middle], self.grid.iloc[middle:]


def _pooled(grid: pd.DataFrame) -> pd.DataFrame:
    """The most frequent answers; the others as one, so that many rare ones do not drown a change."""
    order = grid.sum().sort_values(ascending=False, kind="stable").index
    if len(order) <= LEVELS:
        return grid[order]
    return grid[order[: LEVELS - 1]].assign(**{OTHERS: grid[order[LEVELS - 1 :]].sum(axis=1)})


def _unfinished(referred: list[float]) -> int:
    """How many of the last two quarters have fewer than half the referrals usual in the four before."""
    for gone in range(2):
        left = referred[: len(referred) - gone]
        usual = np.median(left[-5:-1]) if len(left) > 2 else 0
        if usual < FEW or left[-1] >= usual / 2:
            return gone
    return 2


def _unfinished_flag(seen: pd.DataFrame, done: pd.DataFrame) -> list[Flag]:
    late = seen.index[len(done) :].tolist()
    if not late:
        return []
    text = f"{listed(late)} {'looks' if len(late) == 1 else 'look'} unfinished and cannot show a change."
    detail = "Fewer than half the referrals usual in the four quarters before: did referrals stop, or are records late?"
    return [Flag("cohort", "note", text, detail, "referred")]


def _quiet(done: pd.DataFrame) -> list[Flag]:
    """Quarters between busy ones in which referrals nearly stop."""
    usual = done["referred"].median()
    busy = np.flatnonzero(done["referred"] >= usual / 2)
    if not len(busy) or usual < ENOUGH:
        return []
    inner = done.iloc[busy[0] : busy[-1]]
    names = inner.index[inner["referred"] < usual / 4].tolist()
    text = f"Referrals nearly stop in {listed(names)}: are records missing?"
    detail = "Fewer than a quarter of the referrals of a usual quarter, with busy quarters before and after."
    return [Flag("cohort", "caution", text, detail, "referred")] if names else []


def _open(done: pd.DataFrame) -> pd.DataFrame:
    """The quarters in which people can be eligible, for the whole of the quarter."""
    some = np.flatnonzero(done["eligible"] > 0)
    if not len(some):
        return done.iloc[:0]
    first, last = some[0], some[-1]
    return done.iloc[first + (first > 0) : last + (last == len(done) - 1)]


def _window_flag(done: pd.DataFrame, window: pd.DataFrame) -> list[Flag]:
    outside = done.loc[~done.index.isin(window.index)]
    if outside["referred"].sum() < ENOUGH or not len(window):
        return []
    text = f"Whether the share eligible changed is judged from {_span(window)} only."
    detail = "At the ends the rules let nobody in, by dates or follow-up they ask for; or did referrals change there?"
    return [Flag("cohort", "note", text, detail, "eligible")]


def _span(part: pd.DataFrame) -> str:
    first, last = part.index[0], part.index[-1]
    return first if first == last else f"{first} to {last}"


# ---------------------------------------------------------------- tests


def _changes(judged: list[_Watched], rule: str, random: np.random.Generator) -> list[Flag]:
    """Test every series twice, correct for all tests, and tell the changes that also matter."""
    tests = [(one, kind, *_test(one, kind, random)) for one in judged for kind in ("halves", "quarters")]
    tests = [test for test in tests if np.isfinite(test[2])]
    if not tests:
        text = "Whether referrals changed from quarter to quarter cannot be judged."
        detail = f"That needs quarters or halves with {ENOUGH} people or more, and more than one answer."
        return [Flag("cohort", "note", text, detail, "referred")]
    adjusted = _holm(np.array([test[2] for test in tests]))
    sure = {(one.lead, kind): (p, how) for (one, kind, _, how), p in zip(tests, adjusted, strict=True) if p <= ALPHA}
    flags = []
    for one in judged:
        odd = _odd(one) if (one.lead, "quarters") in sure else []
        kind = "halves" if (one.lead, "halves") in sure and not _by_few_quarters(one, odd) else "quarters"
        answers = _moved(one) if kind == "halves" else []
        text = _move_told(one, answers, rule) if answers else _odd_told(one, odd, rule) if odd else ""
        if text:
            kind = "halves" if answers else "quarters"
            p, how = sure[one.lead, kind]
            told = "first half against second" if answers else f"over {len(one.grid)} quarters"
            detail = f"{how}, {told}, Holm over {len(tests)} tests: p {_equals(p)}. Told from 10 points on."
            detail += f" The quarters part most clearly after {_parting(one.grid)}." if answers else ""
            flags.append(Flag("cohort", "caution", text, detail, one.name))
    return flags


def _holm(p: np.ndarray) -> np.ndarray:
    """Holm's adjusted p-values; here because the one of the outcomes stands below and statsmodels' is slow to load."""
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1)
    return adjusted


def _equals(p: float) -> str:
    return p_value(p) if p < 0.001 else f"= {p_value(p)}"


def _test(one: _Watched, kind: str, random: np.random.Generator) -> tuple[float, str]:
    """The p-value and how it came about; not a number where no change could be told."""
    if kind == "halves":
        sums = np.array([half.sum() for half in one.halves])
        able = len(one.grid) >= 4 and bool((sums.sum(axis=1) >= ENOUGH).all())
        return homogeneity(sums, random) if able else (np.nan, "")
    return homogeneity(one.grid.to_numpy(), random) if len(_large(one.grid)) else (np.nan, "")


def homogeneity(counts: np.ndarray, random: np.random.Generator) -> tuple[float, str]:
    """Test whether the rows of a table of counts have the same shares.

    Parameters
    ----------
    counts : ndarray, shape (rows, columns)
        People.
    random : Generator
        For drawn tables, used where an expected count is below 5.

    Returns
    -------
    (float, str)
        The p-value, not a number where there are fewer than two rows or columns with people; the test's name.

    References
    ----------
    Cochran (1954), Biometrics 10, 417-451; Patefield (1981), Applied Statistics 30, 91-97.
    """
    from scipy.special import chdtrc  # scipy.stats takes long to load, and is needed for small counts only

    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0].astype("int64")
    if min(counts.shape) < 2:
        return np.nan, ""
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    expected = np.outer(rows, columns) / counts.sum()
    found = ((counts - expected) ** 2 / expected).sum()
    if expected.min() >= 5:
        return float(chdtrc((len(rows) - 1) * (len(columns) - 1), found)), "Chi-square test"
    from scipy import stats

    drawn = stats.random_table(rows, columns, seed=random).rvs(DRAWS)
    beyond = (((drawn - expected) ** 2 / expected).sum(axis=(1, 2)) >= found * (1 - 1e-9)).sum()
    return float((beyond + 1) / (DRAWS + 1)), "Chi-square test with drawn tables"


def _large(grid: pd.DataFrame) -> list[str]:
    """Quarters with people enough to be set against all others."""
    sums = grid.sum(axis=1)
    return sums.index[(sums >= ENOUGH) & (sums.sum() - sums >= ENOUGH)].tolist()


# ---------------------------------------------------------------- changes in words


def _moved(one: _Watched) -> list[str]:
    """The answers whose share differs by 10 points or more between the halves; of two answers one says it all."""
    early, late = (half.sum() for half in one.halves)
    gap = (late / late.sum() - early / early.sum()).drop(one.rest, errors="ignore").abs().round(9)
    most = 2 if one.grid.shape[1] > 2 else 1
    return gap[gap >= MATERIAL].sort_values(ascending=False, kind="stable").index[:most].tolist()


def _by_few_quarters(one: _Watched, odd: list[tuple[str, str]]) -> bool:
    """Whether the halves differ only by odd quarters, at most one in four of all."""
    quarters = {at for at, _ in odd}
    if not quarters or len(quarters) > len(one.grid) / 4:
        return False
    return not _moved(replace(one, grid=one.grid.mul(~one.grid.index.isin(quarters), axis=0)))


def _move_told(one: _Watched, answers: list[str], rule: str) -> str:
    early, late = one.halves
    places = f"from {_span(late)}", f"from {_span(early)}"
    return f"{one.lead} changed: {'; '.join(_told(one, name, (late, early), places, rule) for name in answers)}."


def _told(
    one: _Watched, name: str, parts: tuple[pd.DataFrame, pd.DataFrame], places: tuple[str, str], rule: str
) -> str:
    """One answer in two sets of quarters: its shares to the nearest five, or in words where few people are behind."""
    people, sizes = [int(part[name].sum()) for part in parts], [int(part.sum().sum()) for part in parts]
    few = max(FEW, find_rule(rule).below)
    lead = "" if one.rest != OTHERS else f'"{name}" '
    if all(min(n, of - n) >= few for n, of in zip(people, sizes, strict=True)):
        here, there = (roughly(n, of, rule) for n, of in zip(people, sizes, strict=True))
        return f"{lead}{here} {places[0]}, against {there} {places[1]}"
    more = "larger" if people[0] * sizes[1] > people[1] * sizes[0] else "smaller"
    return f"{lead}{more} {places[0]} than {places[1]} (too few people to tell the shares)"


def _parting(grid: pd.DataFrame) -> str:
    """The quarter after which the earlier and the later differ most, by the chi-square of the two."""
    total, best = grid.to_numpy().sum(), ("", -1.0)
    for place in range(1, len(grid)):
        sums = np.array([grid.iloc[:place].sum(), grid.iloc[place:].sum()])
        expected = np.outer(sums.sum(axis=1), sums.sum(axis=0)) / total
        found = ((sums - expected) ** 2 / np.where(expected > 0, expected, 1)).sum()
        if sums.sum(axis=1).min() >= ENOUGH and found > best[1]:
            best = (str(grid.index[place - 1]), found)
    return best[0]


def _odd_told(one: _Watched, odd: list[tuple[str, str]], rule: str) -> str:
    """Quarters whose share departs by 10 points or more from all others, beyond chance; the largest departure first."""
    quarter, name = odd[0]
    parts = one.grid.loc[[quarter]], one.grid.drop(index=quarter)
    text = f"{one.lead} differs in {quarter}: {_told(one, name, parts, ('then', 'in all other quarters'), rule)}."
    others = sorted({at for at, _ in odd} - {quarter}) if len(one.grid) > 2 else []
    more = f" So it does in {listed(others[:3])}{' and others' if len(others) > 3 else ''}." if others else ""
    same = others and len({at[-2:] for at, _ in odd}) == 1
    return text + more + (" All lie in the same season: a change, or the time of year?" if same else "")


def _odd(one: _Watched) -> list[tuple[str, str]]:
    """Quarter and answer, the largest departure first."""
    from scipy import stats

    grid, large = one.grid, _large(one.grid)
    total, answers = grid.to_numpy().sum(), grid.sum()
    people, sizes = grid.loc[large], grid.loc[large].sum(axis=1).to_numpy()[:, None]
    gap = people / sizes - (answers - people) / (total - sizes)
    of = (total, answers.to_numpy()[None, :], sizes)
    tail = np.minimum(stats.hypergeom.cdf(people, *of), stats.hypergeom.sf(people - 1, *of))
    adjusted = _holm(np.minimum(2 * tail, 1).ravel()).reshape(gap.shape)
    size = gap.abs().where((gap.abs() >= MATERIAL) & (adjusted <= ALPHA))
    size = size.drop(columns=one.rest, errors="ignore")
    # Of equal departures the later comes first: with two quarters it is the later that changed.
    return [tuple(at) for at in size.iloc[::-1].stack().dropna().sort_values(ascending=False, kind="stable").index]
