"""The ledger of a contract as tables: by mechanism, what caps and floors did, and owed against paid by period."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from evalkit import words
from evalkit.contract.explained import KINDS
from evalkit.contract.hidden import NOT_PEOPLE, is_few
from evalkit.contract.limits import ORDER, YEAR_BY
from evalkit.contract.looks.periods import ALL, CONVENTION
from evalkit.contract.mechanisms import FLOOR
from evalkit.contract.pennies import ROUNDING, total
from evalkit.report.amounts import amount, pence, unit_words
from evalkit.report.blocks import Column, How, Table, Text
from evalkit.report.html import sentence
from evalkit.report.phrases import finite, real, said
from evalkit.report.rests import hidden_metrics

PER = {
    "day": "per day below the baseline",
    "unit": "per outcome",
    "milestone": "per milestone",
    "saved": "per unit below the baseline",
    "threshold": "per outcome, once the threshold is reached",
    "excess": "per outcome above the threshold",
    "step": "stepped",
    "slide": "sliding",
    "scale": "sliding between amounts",
    "trigger": "paid when reached",
    "floor": "floor",
}
LIMIT = re.compile(r"(?:cap|floor) of [\d,.]+ for (?:one person|the metric|the contract)(?: in [\d/]+)?")
MOST_ROWS = 30


def by_mechanism(evaluation: Any) -> Table | None:
    """What each way of paying came to.

    Parameters
    ----------
    evaluation : Evaluation
        With a contract.

    Returns
    -------
    Table or None
        None with one mechanism only, or where a metric is hidden: its amount would follow.
    """
    ledger = evaluation.contract.ledger
    if "mechanism" not in ledger or ledger["mechanism"].nunique() < 2 or hidden_metrics(evaluation):
        return None
    parts = {
        mechanism: [total(rows[name]) for name in ("gross", "cut_off", "paid")]
        for mechanism, rows in ledger.groupby("mechanism", sort=False)
    }
    digits = pence(*parts.values())
    rows = [
        [_way(str(mechanism)), amount(gross, digits), amount(-cut, digits), amount(owed, digits)]
        for mechanism, (gross, cut, owed) in parts.items()
    ]
    sums = [total(part[place] for part in parts.values()) for place in range(3)]
    most = max(parts, key=lambda name: parts[name][2])
    last = ["Total", amount(sums[0], digits), amount(-sums[1], digits), amount(sums[2], digits)]
    share = f": {words.percent(parts[most][2] / sums[2], 0)} of what is owed" if sums[2] > 0 else ""
    return Table(
        "mechanisms",
        f"Most is owed {_way(str(most), start=False)}{share}",
        f"The ledger by way of paying, in {unit_words(evaluation)}",
        [Column("Way of paying", False), Column("Before caps"), Column("Cut by cap"), Column("Owed")],
        [*rows, last],
        total=1,
        how=How([sentence(ROUNDING), ORDER]),
    )


def _way(mechanism: str, start: bool = True) -> str:
    text = "to lift a sum to its floor" if mechanism == FLOOR else PER.get(mechanism, mechanism)
    return text[:1].upper() + text[1:] if start else text


def limits(evaluation: Any) -> Table | None:
    """Which caps cut, and which floors lifted, metric by metric.

    Parameters
    ----------
    evaluation : Evaluation
        With a contract.

    Returns
    -------
    Table or None
        None where none did. Metrics whose amounts are hidden are left out.
    """
    contract, gone = evaluation.contract, hidden_metrics(evaluation)
    if "mechanism" not in contract.ledger:
        return None
    titles = dict(zip(contract.table["metric"], contract.table["title"], strict=True))
    bound = contract.ledger[contract.ledger["why"].str.contains(LIMIT.pattern, regex=True)]
    left_out = bound["metric"].isin(gone).any()
    bound = bound[~bound["metric"].isin(gone)]  # a cap that bound is itself the amount owed
    digits = pence(bound["cut_off"], bound["paid"])
    rows: list[list[object]] = []
    for metric, lines in bound.groupby("metric", sort=False):
        says = list(dict.fromkeys(limit for why in lines["why"] for limit in LIMIT.findall(why)))
        lifted = total(lines.loc[lines["mechanism"] == FLOOR, "paid"])
        cells = [amount(-total(lines["cut_off"]), digits), amount(lifted, digits)]
        rows.append([titles.get(str(metric), str(metric)), sentence(words.listed(says)), *cells])
    if not rows:
        return None
    many = 4 if (bound["mechanism"] == FLOOR).any() else 3  # without a floor nothing was lifted
    return Table(
        "limits",
        _limits_finding(bound, bool(left_out), str(evaluation.study.study.currency)),
        f"Caps and floors that changed what is owed, in {unit_words(evaluation)}",
        [Column("Metric", False), Column("What bound", False), Column("Cut off"), Column("Lifted by")][:many],
        [row[:many] for row in rows],
        notes=["Metrics that rest on hidden counts are left out." if left_out else ""],
        how=How([ORDER]),
    )


def _limits_finding(bound: pd.DataFrame, some_hidden: bool, currency: str) -> str:
    if some_hidden:
        return "Caps or floors changed what is owed for some metrics"
    cut, lifted = total(bound["cut_off"]), total(bound.loc[bound["mechanism"] == FLOOR, "paid"])
    told = [f"caps cut off {words.whole_money(cut, currency, pence([cut]))}"] if cut else []
    told += [f"floors added {words.whole_money(lifted, currency, pence([lifted]))}"] if lifted else []
    text = words.listed(told) or "Caps were reached"
    return text[:1].upper() + text[1:]


def conventions(evaluation: Any) -> list[str]:
    """The conventions that a reader of the amounts needs: rounding, the year of a cap, the lag.

    Parameters
    ----------
    evaluation : Evaluation
        With a contract.

    Returns
    -------
    list of str
        One sentence each.
    """
    plan, ledger = evaluation.study.contract, evaluation.contract.ledger
    told = [ROUNDING]
    if plan.cap_year is not None or ("why" in ledger and ledger["why"].str.contains(r" in \d{4}", regex=True).any()):
        month = f"{pd.Timestamp(2000, plan.year_starts_month, 1):%B}"
        told.append(f"A year of a cap begins in {month}; an amount counts in it by {YEAR_BY[plan.cap_year_by]}.")
    if "due_on" in ledger and (ledger["due_on"] > ledger["date"]).any():
        told.append("Amounts fall due some days after achievement, as the rate card says (lag_days).")
    return told


def by_period(evaluation: Any) -> list[Any]:
    """Owed against paid by metric and period, where they differ.

    Parameters
    ----------
    evaluation : Evaluation
        With a contract whose looks hold "periods".

    Returns
    -------
    list of block
        A table, or a sentence where nothing differs; empty without periods. Metrics with few people in a period are
        left out: their periods would tell how few.
    """
    found = getattr(evaluation.contract, "looks", {}).get("periods")
    if found is None or len(found.table) == found.table["metric"].nunique():  # one period: the table by metric says it
        return []
    safe = _safe_metrics(evaluation, found.table)
    shown = found.table[found.table["metric"].isin(safe)]
    apart = shown[shown["difference"] != 0]
    left_out = found.table["metric"].nunique() - len(safe)
    note = "Metrics with few people behind a period are not shown by period." if left_out else ""
    if shown.empty:
        return [Text(note)]
    if apart.empty:
        of = "every metric" if not left_out else "every metric that can be shown"
        return [Text(f"Paid equals owed in every period of {of}. {note}".strip())]
    return [_periods_table(evaluation, found, apart, note)]


def periods_shown(evaluation: Any) -> bool:
    """Whether what was paid up to a day may be told: with the prices, a difference of two such sums is a count.

    Parameters
    ----------
    evaluation : Evaluation
        With a contract.

    Returns
    -------
    bool
        True for published and for invented figures, and where no metric has few people behind a period.
    """
    study, found = evaluation.study, getattr(evaluation.contract, "looks", {}).get("periods")
    if study.contract.published or study.study.kind == "synthetic":
        return True
    if hidden_metrics(evaluation):
        return False
    return found is None or _safe_metrics(evaluation, found.table) == set(found.table["metric"])


def _safe_metrics(evaluation: Any, table: pd.DataFrame) -> set[str]:
    """Metrics of which no period, owed or paid, rests on few people."""
    study, contract = evaluation.study, evaluation.contract
    if study.contract.published:
        return set(table["metric"])
    gone = hidden_metrics(evaluation)
    mechanisms = dict(zip(contract.table["metric"], contract.table["mechanism"], strict=True))
    prices = dict(zip(contract.table["metric"], contract.table["price"], strict=True))
    if ALL in set(table["metric"]):
        counted = contract.ledger[~contract.ledger["mechanism"].isin(NOT_PEOPLE)]
        few = gone or any(is_few(study, units) for units in counted["units"].dropna())
        return set() if few else {ALL}
    return {
        str(metric)
        for metric, rows in table.groupby("metric", sort=False)
        if metric not in gone and not _few_in_a_period(study, rows, mechanisms[metric], real(prices[metric]))
    }


def _few_in_a_period(study: Any, rows: pd.DataFrame, mechanism: str, price: float) -> bool:
    """Whether a period that can be told tells of few: its people, its units, or what was paid over the price."""
    used = rows[(rows["owed"] != 0) | (rows["paid"] != 0) | (rows["units"] != 0)]
    counts = list(used["people"].dropna())
    if mechanism not in NOT_PEOPLE:
        counts += list(used.loc[used["people"].isna(), "units"])
        made = used.loc[used["paid"] != 0, "paid"]
        counts += list(made / price) if finite(price) and price > 0 else []
    return any(is_few(study, count) for count in counts)


def _periods_table(evaluation: Any, found: Any, apart: pd.DataFrame, note: str) -> Table:
    """The rows in which paid and owed differ, the largest that nobody has explained first."""
    order = apart["unexplained"].abs().sort_values(ascending=False, kind="stable").index
    listed = apart.loc[order].head(MOST_ROWS).sort_index()
    amounts = ["owed", "paid", "difference", "explained", "unexplained"]
    sums = ["owed_to_date", "paid_to_date"] if evaluation.study.contract.published else []
    digits = pence(*(listed[name] for name in [*amounts, *sums]))
    rows = [_period_row(row, found.reasons, [*amounts, *sums], digits) for row in listed.to_dict("records")]
    heads = ["Owed", "Paid", "Paid less owed", "Explained", "Not explained"]
    heads += ["Owed to date", "Paid to date"] if sums else []
    more = f"And {len(apart) - len(listed)} more, with smaller amounts." if len(apart) > len(listed) else ""
    open_ones = int((apart["unexplained"] != 0).sum())
    return Table(
        "periods",
        _periods_finding(len(apart), open_ones),
        f"Periods in which what was paid is not what was owed, in {unit_words(evaluation)}",
        [Column("Metric and period", False), *(Column(head) for head in heads), Column("What explains it", False)],
        rows,
        notes=[more, "A difference that is not explained is a question to the parties, not a finding.", note],
        how=How([found.convention, f"Explained: {'; '.join(KINDS.values())}. Each is exact to the penny."]),
        dense=True,
        width=58,
    )


def _periods_finding(apart: int, open_ones: int) -> str:
    periods = "1 period" if apart == 1 else f"{apart} periods"
    if not open_ones:
        return f"Paid and owed differ in {periods} of a metric, and all of it is explained"
    rest = "which is not explained" if apart == open_ones == 1 else f"of which {open_ones} not fully explained"
    return f"Paid and owed differ in {periods} of a metric, {rest}"


def _period_row(row: dict[Any, Any], reasons: pd.DataFrame, names: list[str], digits: int) -> list[object]:
    """One period of one metric."""
    mine = reasons[
        (reasons["metric"] == row["metric"])
        & (reasons["end"].eq(row["end"]) | reasons["end"].isna() & pd.isna(row["end"]))
    ]
    why = "; ".join(dict.fromkeys(said(one) for one in mine["says"])) or "Not known: to ask the parties"
    cells = [
        amount(row[name], digits, sign=name not in ("owed", "paid", "owed_to_date", "paid_to_date")) for name in names
    ]
    return [f"{row['title']}, {_when(row['start'], row['end'])}", *cells, sentence(why)]


def _when(start: Any, end: Any) -> str:
    if pd.isna(end):
        return "without a date"
    if pd.isna(start) or (start.year, start.month) == (end.year, end.month):
        return words.month(end)
    return f"{words.month(start)} to {words.month(end)}"


__all__ = ["CONVENTION", "PER", "by_mechanism", "by_period", "conventions", "limits"]
