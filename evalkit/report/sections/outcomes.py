"""Outcomes: how complete they are, how they moved in each arm, and the single measures beside their index."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evalkit import words
from evalkit.disclosure import count
from evalkit.report.blocks import Column, Figure, How, Html, Pair, Table, Text
from evalkit.report.common import absent, arms_legend, few_events, hidden, protected, rule_of, shown
from evalkit.report.figures.forest import Axis, Mark, forest
from evalkit.report.figures.trajectories import Line, Point, trajectories
from evalkit.report.html import Cell, lower_first
from evalkit.report.known import gap_map, read_against
from evalkit.report.phrases import arm_names, finite, real, said
from evalkit.report.sections import section

ARMS = ("treated", "comparison")
MEANS = ("mean", "sd", "low", "high")
KEY = {words.SUPPRESSED: "suppressed: a count below the threshold, or one from which it could be found"}


@section("outcomes", "Outcomes", 40)
def outcomes(evaluation: Any) -> list[Any]:
    """Trajectories, means by arm and occasion, forest of measures."""
    if evaluation.outcomes is None:
        return [Text(absent(evaluation, "outcomes", "No measures of individual people are available."))]
    safe = _summary(evaluation)
    blocks: list[Any] = [Text(_opening(evaluation))]
    drawn = [figure for measure in _moving(safe) if (figure := _trajectory(evaluation, safe, measure)) is not None]
    if drawn:
        blocks += [Html(arms_legend(evaluation, "Bars are 95% intervals")), *_pairs(drawn)]
    known = gap_map(evaluation, safe)
    blocks += [known] if known is not None else []
    blocks.append(_means(evaluation, safe))
    return blocks + _forests(evaluation)


def _opening(evaluation: Any) -> str:
    complete = evaluation.outcomes.completeness
    if not len(complete):
        return ""
    by = complete.groupby(["measure", "occasion"], sort=False)[["n", "people"]].sum()
    share = by["n"] / by["people"]
    least = share.idxmin()
    told = evaluation.study.occasion_title(least[1]) if least[1] else ""
    title = _title(evaluation, least[0])
    if share.min() >= 0.995:
        return "Every measure is known for nearly everyone."
    at = f" at {told}" if told else ""
    if words.percent(share.min(), 0) == words.percent(share.max(), 0):
        return f"Each measure is known for {words.percent(share.min(), 0)} of people."
    return (
        f"Measures are known for {words.percent(share.min(), 0)} to "
        f"{words.percent(share.max(), 0)} of people; least for {lower_first(title)}{at}."
    )


def _title(evaluation: Any, measure: str) -> str:
    rows = evaluation.outcomes.summary
    found = rows.loc[rows["measure"] == measure, "title"]
    return said(found.iloc[0]) if len(found) else str(measure)


def _summary(evaluation: Any) -> pd.DataFrame:
    """Means by arm and occasion, protected together with the number missing, so that neither gives the other away."""
    table = evaluation.outcomes.summary.reset_index(drop=True)
    counted = evaluation.cohort.table
    members = counted["arm"].value_counts() if "arm" in counted else pd.Series({"all": len(counted)})
    missing = table["arm"].map(members).astype("Int64") - table["n"].astype("Int64")
    # That a measure was read for nobody of an arm is a matter of design, and said in words: it is no count of people.
    read = table.groupby(["measure", "arm"])["n"].transform("sum") > 0
    frame = table.assign(
        n=table["n"].astype("Int64").where(read),
        missing=missing.where((missing > 0) & read),
        people=table["arm"].map(members).astype("Int64"),
    )
    safe = protected(
        frame, evaluation, ["n", "missing", "people"], dict.fromkeys(MEANS, "n"), {"people": ["n", "missing"]}
    )
    if any(
        count(int(n), rule_of(evaluation)) == words.SUPPRESSED for n in members
    ):  # everybody is told: the rest follows
        safe["n"] = safe["n"].astype(object).where(safe["n"].isna(), words.SUPPRESSED)
    many = [count(int(n), rule_of(evaluation)) != words.SUPPRESSED for n in table["n"]]
    only_n = [hidden(n) and rests for n, rests in zip(safe["n"], many, strict=True)]
    for name in ("mean", "sd"):  # n is hidden for the few who are missing; the mean rests on many and tells of none
        safe[name] = [raw if kept else now for raw, kept, now in zip(table[name], only_n, safe[name], strict=True)]
    return _few_yes(evaluation, safe, table)


def _few_yes(evaluation: Any, safe: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """A share tells its count: where few said yes, or no, it is hidden; the other arm's too, which the effect tells."""
    rule = rule_of(evaluation)
    few = [
        said(row.values) == "yes or no" and few_events(row.mean, row.n, rule)
        for row in table.assign(values=_values(evaluation, table)).itertuples()
    ]
    alike = table[["measure", "occasion"]].astype("str").agg("|".join, axis=1)
    told = alike.isin(alike[few]).set_axis(safe.index)
    safe[list(MEANS)] = (
        safe[list(MEANS)].astype(object).mask(told & table["n"].gt(0).set_axis(safe.index), words.SUPPRESSED)
    )
    return safe


def _values(evaluation: Any, table: pd.DataFrame) -> list[str]:
    return [said(evaluation.outcomes.describe(_key(evaluation, str(name)))["values"]) for name in table["measure"]]


def _moving(safe: pd.DataFrame) -> list[str]:
    occasions = safe.groupby("measure", sort=False)["occasion"].nunique()
    return list(occasions[occasions > 1].index)


def _pairs(figures: list[Figure]) -> list[Pair]:
    return [Pair(figures[i : i + 2]) for i in range(0, len(figures), 2)]


def _trajectory(evaluation: Any, safe: pd.DataFrame, measure: str) -> Figure | None:
    rows = safe[(safe["measure"] == measure) & ~safe["mean"].map(hidden)]
    days = {occasion.id: occasion.day for occasion in evaluation.study.occasion}
    rows = rows[rows["occasion"].isin(days) & rows["mean"].notna()]
    if rows.empty:
        return None
    told = evaluation.outcomes.describe(_key(evaluation, measure))
    digits = 2 if told["kind"] == "domain" else 1
    lines = []
    for arm, name in zip(ARMS, arm_names(evaluation.study), strict=True):
        mine = sorted(rows[rows["arm"] == arm].itertuples(), key=lambda row: days[row.occasion])
        points = [Point(days[r.occasion], real(r.mean), real(r.low), real(r.high), shown(r.n)) for r in mine]
        lines += [Line(name, arm == "treated", points)] if points else []
    titles = {days[r.occasion]: said(r.occasion_title) or str(r.occasion) for r in rows.itertuples()}
    band, cutoff = read_against(evaluation, measure)
    drawn = trajectories(lines, sorted(titles.items()), said(told["better"]) or "higher", digits, band, cutoff)
    unit = f", {told['unit']}" if said(told["unit"]) else ""
    barless = any(point.low != point.low for line in lines for point in line.points)
    note = ["Where n is hidden the interval is too: n would follow from it."] if barless else []
    title = _moved(told["title"], lines, digits)
    return Figure(f"means-{measure}", title, f"Mean{unit}, people with a known value", drawn.wide, notes=note)


def _key(evaluation: Any, measure: str) -> str:
    return str(evaluation.outcomes.find(measure))


def _moved(title: str, lines: list[Line], digits: int) -> str:
    told = [
        f"{words.number(line.points[0].mean, digits)} to {words.number(line.points[-1].mean, digits)} with {line.name}"
        for line in lines
        if len(line.points) > 1
    ]
    return f"{title}: {', '.join(told)}" if told else title


def _means(evaluation: Any, safe: pd.DataFrame) -> Table:
    rows = []
    for (measure, _occasion), group in safe.groupby(["measure", "occasion"], sort=False, dropna=False):
        told = evaluation.outcomes.describe(_key(evaluation, str(measure)))
        cells: list[object] = [Cell(said(group["title"].iloc[0]), small=_small(group, told))]
        for arm in ARMS:
            mine = group[group["arm"] == arm]
            cells += _mean_cells(mine.iloc[0], told) if len(mine) else [words.NOT_AVAILABLE] * 2
        rows.append(cells)
    columns = [Column("Measure", number=False)]
    columns += [
        Column(head, group=name) for name in arm_names(evaluation.study) for head in ("n", "mean (SD) or share")
    ]
    scale = "Index values are in SD of their reference group. " if evaluation.outcomes.domains else ""
    return Table(
        "means",
        "What was measured, by group",
        "Everyone with a known value, as measured: not adjusted for differences between the groups",
        columns,
        rows,
        notes=[f"{scale}Rule in force: {rule_of(evaluation)}."],
        meanings=KEY,
        how=_weights(evaluation),
    )


def _small(group: pd.DataFrame, told: dict[str, Any]) -> str:
    """The occasion where the title does not say it, and the unit."""
    title, occasion = said(group["title"].iloc[0]), said(group["occasion_title"].iloc[0])
    parts = [occasion if occasion.lower() not in title.lower() else "", said(told["unit"])]
    return ", ".join(part for part in parts if part)


def _mean_cells(row: Any, told: dict[str, Any]) -> list[str]:
    if hidden(row["mean"]) or not finite(row["mean"]):
        return [words.SUPPRESSED if hidden(row["mean"]) else words.NOT_AVAILABLE] * 2
    if told["values"] == "yes or no":
        return [shown(row["n"]), words.percent(real(row["mean"]))]
    if told["unit"] == "share":
        return [shown(row["n"]), f"{words.percent(real(row['mean']))} ({words.percent(real(row['sd']))})"]
    digits = 2 if told["kind"] == "domain" else 0 if abs(real(row["mean"])) >= 1000 else 1
    return [shown(row["n"]), f"{words.number(real(row['mean']), digits)} ({words.number(real(row['sd']), digits)})"]


def _weights(evaluation: Any) -> How | None:
    rows: list[list[object]] = []
    for key, index in evaluation.outcomes.domains.items():
        head = evaluation.outcomes.describe(key)["title"]
        for name, weight in index.weights.items():
            # Measures named without an occasion keep one weight on every occasion.
            measure = evaluation.study.find_measure(str(name)) if "@" not in str(name) else None
            called = (measure.title or measure.id) if measure else _measure_name(evaluation, name)
            row = [head, called, words.number(real(weight), 3)]
            rows += [row] if row not in rows else []
    if not rows:
        return None
    methods = "; ".join(
        f"{domain.title or domain.id}: {domain.index}, unit from {domain.reference}"
        for domain in evaluation.study.domain
    )
    table = Table(
        "weights",
        "Weights of the measures in each index",
        "",
        [Column("Index", False), Column("Measure", False), Column("Weight")],
        rows,
    )
    return How(
        [f"Each measure is turned so that higher is better, standardised and weighted. {methods}."],
        table=table,
        summary="How the indices are made up",
    )


def _measure_name(evaluation: Any, key: str) -> str:
    told = evaluation.outcomes.describe(key)
    return ", ".join(part for part in (told["title"], said(told["occasion_title"])) if part)


def _forests(evaluation: Any) -> list[Figure]:
    measures = getattr(evaluation.effects, "measures", None)
    if measures is None or not len(measures):
        return []
    return [_forest(evaluation, domain, group) for domain, group in measures.groupby("domain", sort=False)]


def _forest(evaluation: Any, domain: str, group: pd.DataFrame) -> Figure:
    marks = [_mark(evaluation, row, said(row.title), "measure") for row in group.itertuples()]
    names = arm_names(evaluation.study)
    for row in evaluation.effects.table.itertuples():
        if bool(row.is_domain) and str(row.outcome).split("@")[0] == str(domain).split("@")[0]:
            better = 1 if said(row.better) != "lower" else -1
            marks.append(_mark(evaluation, row, f"Index: {said(row.title)}", "index", better))
    drawn = forest(marks, Axis("Measure", "Effect, 95% interval", f"{names[1]} better", f"{names[0]} better, SD"))
    up = sum(m.kind == "measure" and m.low > 0 for m in marks)
    down = sum(m.kind == "measure" and m.high < 0 for m in marks)
    singles = sum(m.kind == "measure" for m in marks)
    finding = (
        f"{up} of {singles} single measures are better with {names[0]}, {down} worse, "
        f"{singles - up - down} not clearly either"
    )
    precise = _precision(evaluation, domain, group)
    return Figure(
        f"measures-{domain}",
        finding,
        "Difference in SD of the reference group, better to the right",
        drawn.wide,
        drawn.narrow,
        notes=[
            f"The index is the diamond, as wide as its interval. {_adjustment(group)}",
            *([precise] if precise else []),
        ],
    )


def _adjustment(group: pd.DataFrame) -> str:
    how = [said(text) for text in group["adjusted_by"].dropna().unique() if said(text)]
    if not how:
        return "p as estimated."
    told = f"p of the single measures is adjusted for their number: {'; '.join(how)}; never below a measure's own p."
    if group["verdict"].astype("str").str.startswith("not tested further").any():
        return f"{told} The index did not pass (Holm over domains), so its measures are not tested further."
    return f"{told} The error is held over the domains, and again within each domain whose index passed."


def _precision(evaluation: Any, domain: str, group: pd.DataFrame) -> str:
    """Whether the index is known more exactly than its measures, in words and from the numbers."""
    table = evaluation.effects.table
    row = table[table["is_domain"].astype(bool) & (table["outcome"] == domain)]
    singles = group["se"].dropna().astype(float)
    if row.empty or len(singles) < 2 or not finite(row["se"].iloc[0]):
        return ""
    own, least, most = real(row["se"].iloc[0]), float(singles.min()), float(singles.max())
    digits = 3 if most < 0.1 else 2
    told = f"the index's standard error is {words.number(own, digits)} SD"
    theirs = f"theirs are {words.number(least, digits)} to {words.number(most, digits)} SD"
    if own < least:
        return f"The index is known more exactly than any single measure: {told}, {theirs}."
    better = int((singles < own).sum())
    few = "one single measure is" if better == 1 else f"{better} single measures are"
    return (
        f"The index is not known more exactly than every measure: {few} known more exactly than it; {told}, {theirs}."
    )


def _both_arms(evaluation: Any, key: str) -> str:
    """How many of both arms have a value; hidden where it is for one arm, which would follow by subtraction."""
    safe = _summary(evaluation)
    measure, _, occasion = key.partition("@")
    mine = safe.loc[(safe["measure"] == measure) & (safe["occasion"] == occasion if occasion else True), "n"]
    if mine.map(hidden).any() or mine.empty:
        return words.SUPPRESSED if len(mine) else words.NOT_AVAILABLE
    return words.number(float(mine.sum()), 0)


def _mark(evaluation: Any, row: Any, title: str, kind: str, sign: int = 1) -> Mark:
    low, high = sorted((sign * real(row.low), sign * real(row.high)))
    effect = sign * real(row.effect)
    p = row.p_adjusted if finite(row.p_adjusted) else row.p
    occasion = said(getattr(row, "occasion_title", ""))
    label = f"{title}, {occasion}" if occasion and occasion.lower() not in title.lower() else title
    printed = f"{words.number(effect, 2, sign=True)} ({words.interval(low, high, 2)})"
    name = row.measure if kind == "measure" else evaluation.outcomes.find(str(row.outcome))
    size = _both_arms(evaluation, str(name))
    return Mark(label, effect, low, high, printed, size, words.p_value(real(p)), kind)
