"""What fell due: the rate card times what was achieved, claim by claim, price first and cap second."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit.contract.mechanisms import MECHANISMS, STEPPED, Price, walk
from evalkit.errors import DataError, did_you_mean, several

COLUMNS = ["metric", "person", "date", "units", "price", "gross", "paid", "cut_off", "why"]


def due(rate_card: pd.DataFrame, achieved: pd.DataFrame, cap: float | None = None) -> pd.DataFrame:
    """Work out what fell due for what was achieved.

    Parameters
    ----------
    rate_card : DataFrame
        metric and price, and where they apply: mechanism (default "unit"), threshold, cap_person, cap_metric.

        - unit: price x units. day: the same, units being days below the contract's baseline.
        - milestone: the same, but each person's milestone counts once.
        - step: one row per step (same metric, rising threshold); units are the level reached, and the price is what the
          highest step reached pays in all; nothing below the first step, nothing in between.
        - slide: units are the level reached; the price is paid for every unit above the threshold, up to the cap.

        cap_person is the most paid for one person over all metrics that carry one; cap_metric the most for the metric.
    achieved : DataFrame
        metric and units, and where known: date, person. Units are not negative.
    cap : float, optional
        The most that can be paid under the contract.

    Returns
    -------
    DataFrame
        One row per claim, in date order and then in the order given (claims without a date last): metric, person,
        date, units, price, gross, paid, cut_off, why. ``gross - paid = cut_off``; ``why`` names the caps that bound.
        The price of a step is missing: it has several.

    Raises
    ------
    DataError
        Metrics that are not on the rate card, unknown mechanisms, missing prices, negative units: all at once.
    """
    card = read_prices(rate_card)
    claims = in_order(achieved)
    refuse_unknown(claims["metric"], list(card), "What was achieved")
    lines = list(walk(claims, card, np.inf if cap is None else cap, {}))
    ledger = claims.assign(
        price=[np.nan if card[m].mechanism == "step" else card[m].price for m in claims["metric"]],
        gross=[float(line.gross[0]) for line in lines],
        paid=[float(line.paid[0]) for line in lines],
        why=[line.why for line in lines],
    )
    ledger["cut_off"] = ledger["gross"] - ledger["paid"]
    return ledger[COLUMNS]


def read_prices(rate_card: pd.DataFrame) -> dict[str, Price]:
    """Turn a rate card into one `Price` per metric.

    Parameters
    ----------
    rate_card : DataFrame
        As for `due`.

    Returns
    -------
    dict
        Metric -> Price, in the card's order.

    Raises
    ------
    DataError
        Everything that is wrong with the card, at once.
    """
    missing = [name for name in ("metric", "price") if name not in rate_card]
    if missing:
        raise DataError(several("The rate card", [f'It lacks the column "{name}".' for name in missing]))
    card = _with_defaults(rate_card)
    problems = [
        problem for metric, rows in card.groupby("metric", sort=False) for problem in _problems(str(metric), rows)
    ]
    if card["metric"].eq("").any():
        problems.append(f"{int(card['metric'].eq('').sum())} rows have no metric.")
    if problems:
        raise DataError(several("The rate card", problems))
    return {str(metric): _price(str(metric), rows) for metric, rows in card.groupby("metric", sort=False)}


def in_order(achieved: pd.DataFrame) -> pd.DataFrame:
    """Put what was achieved in date order, then file order, and refuse what is not a number of units.

    Parameters
    ----------
    achieved : DataFrame
        metric, units, and where known date and person.

    Returns
    -------
    DataFrame
        metric (str), person (str, "" where not known), date (datetime64), units (float).

    Raises
    ------
    DataError
        A column is missing, units are missing or negative, dates are not dates.
    """
    absent = [name for name in ("metric", "units") if name not in achieved]
    if absent:
        raise DataError(several("What was achieved", [f'The table lacks the column "{name}".' for name in absent]))
    blank = pd.Series([None] * len(achieved), index=achieved.index, dtype=object)
    given = achieved.get("date", blank)
    claims = pd.DataFrame(
        {
            "metric": _texts(achieved["metric"]),
            "person": _texts(achieved.get("person", blank)),
            "date": pd.to_datetime(given, errors="coerce", format="ISO8601"),
            "units": pd.to_numeric(achieved["units"], errors="coerce"),
        }
    )
    checks = {
        "have no number of units": claims["units"].isna(),
        "have negative units; correct the earlier claim instead": claims["units"] < 0,
        "have a date that is not a date (write 2024-03-31)": claims["date"].isna() & given.notna(),
    }
    problems = [_rows_that(says, wrong) for says, wrong in checks.items() if wrong.any()]
    if problems:
        raise DataError(several("What was achieved", problems))
    return claims.sort_values("date", kind="stable", na_position="last").reset_index(drop=True)


def refuse_unknown(metrics: pd.Series, known: list[str], where: str) -> None:
    """Refuse metrics that are not on the rate card, all of them at once.

    Parameters
    ----------
    metrics : Series of str
        As written in the table.
    known : list of str
        The rate card's metrics.
    where : str
        The table, for the message.

    Raises
    ------
    DataError
        Naming each unknown metric, its rows and the nearest known one.
    """
    strange = metrics[~metrics.isin(known)]
    problems = [
        f'Metric "{metric}" (rows: {rows}) is not on the rate card. {did_you_mean(str(metric), known)}'
        for metric, rows in strange.value_counts(sort=False).items()
    ]
    if problems:
        raise DataError(several(where, problems))


def _rows_that(says: str, wrong: pd.Series) -> str:
    """How many rows are wrong, and the first few by their line in a file (the header is line 1)."""
    lines = ", ".join(str(place + 2) for place in np.flatnonzero(wrong)[:3])
    return f"{int(wrong.sum())} rows {says} (first at line {lines})."


def _texts(column: pd.Series) -> pd.Series:
    """Text without missing values or outer blanks."""
    return column.map(lambda value: "" if pd.isna(value) else str(value).strip()).astype("str")


def _with_defaults(rate_card: pd.DataFrame) -> pd.DataFrame:
    """Every column a price needs, as numbers and text."""
    card = pd.DataFrame({"metric": _texts(rate_card["metric"])})
    blank = pd.Series([None] * len(card), index=card.index, dtype=object)
    card["mechanism"] = _texts(rate_card.get("mechanism", blank)).replace("", "unit").str.lower()
    for name in ("price", "threshold", "cap_person", "cap_metric"):
        card[name] = pd.to_numeric(rate_card.get(name, blank), errors="coerce").astype(float)
    return card


def _problems(metric: str, rows: pd.DataFrame) -> list[str]:
    """What is wrong with one metric's rows."""
    mechanisms = rows["mechanism"].unique()
    strange = [name for name in mechanisms if name not in MECHANISMS]
    found = [f'{metric}: mechanism "{name}" is not known. {did_you_mean(name, MECHANISMS)}' for name in strange]
    stepped = mechanisms[0] in STEPPED
    if len(mechanisms) > 1 or (len(rows) > 1 and mechanisms[0] != "step"):
        found.append(f"{metric} stands on {len(rows)} rows. Only the steps of one step mechanism may share a metric.")
    if rows["price"].isna().any() or (rows["price"] < 0).any():
        found.append(f"{metric}: the price is missing, not a number or negative.")
    if stepped and rows["threshold"].isna().any():
        found.append(f"{metric}: a {mechanisms[0]} needs a threshold.")
    if not stepped and rows["threshold"].notna().any():
        found.append(f'{metric}: a threshold belongs to "step" or "slide", not to "{mechanisms[0]}".')
    if (rows[["cap_person", "cap_metric"]] < 0).any(axis=None):
        found.append(f"{metric}: a cap is negative.")
    return found


def _price(metric: str, rows: pd.DataFrame) -> Price:
    """One metric's price."""
    steps = rows[["threshold", "price"]].fillna(0.0).sort_values("threshold").to_numpy(dtype=float)
    caps = rows[["cap_person", "cap_metric"]].min().fillna(np.inf)
    return Price(metric, str(rows["mechanism"].iloc[0]), steps, float(caps["cap_person"]), float(caps["cap_metric"]))
