"""What a design was found to do, in plain sentences and flags."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from evalkit import words
from evalkit.counterfactual.design.settings import Setting
from evalkit.counterfactual.registry import Entry
from evalkit.errors import Flag

TARGET = 0.935
OFTEN = 0.05
WHO = {
    "people": ("people with the programme", "without"),
    "people twice": ("people with the programme", "without, each read twice"),
    "panel": ("units with the programme", "without"),
    "running": ("people above the cut-off", "below it"),
    "series": ("times after the start", "before it"),
}


def size(value: float, setting: Setting, sign: bool = False) -> str:
    """Write an effect.

    Parameters
    ----------
    value : float
        In the outcome's unit.
    setting : Setting
        For shares: percentage points.
    sign : bool
        Whether a plus is written.

    Returns
    -------
    str
        "+4.0 points", "0.52".
    """
    if setting.yes_or_no:
        return words.points(value, 1, sign)
    digits = 2 if abs(setting.sd) < 10 else 1 if abs(setting.sd) < 100 else 0
    return words.number(value, digits, sign)


def share(row: Any, name: str) -> str:
    """Write a share of draws with its Monte Carlo error: "80.4% (Monte Carlo error 1.8)"."""
    return f"{words.percent(row[name])} (Monte Carlo error {words.number(100 * row[f'{name}_error'])})"


def sentences_of(entry: Entry, setting: Setting, table: pd.DataFrame, detectable: float) -> tuple[str, ...]:
    """The findings in plain sentences.

    Parameters
    ----------
    entry : Entry
        The estimator.
    setting : Setting
        The world.
    table : DataFrame
        A row for each true effect.
    detectable : float
        The smallest effect found.

    Returns
    -------
    tuple of str
        Sizes, error and coverage, power, the smallest effect, what the contract would do.
    """
    rows = {row["name"]: row for row in table.to_dict("records")}
    says = [_sizes(entry, setting, rows["no effect"]), _honest(setting, rows["no effect"])]
    for name, row in rows.items():
        if name in ("expected", "smallest worthwhile"):
            true = f"A true effect of {size(row['effect'], setting, True)} ({name})"
            says.append(f"{true} is found in {share(row, 'power')} of draws.")
    says.append(_smallest(setting, detectable))
    return (*says, *_payment(setting, rows))


def _sizes(entry: Entry, setting: Setting, row: Any) -> str:
    one, other = WHO[entry.data]
    one = one.replace("units", "unit") if setting.treated == 1 else one
    text = f"{words.number(setting.treated, 0)} {one} and {words.number(setting.comparison, 0)} {other}"
    if setting.clusters is not None:
        mine, theirs = setting.clusters
        of = (
            f"{mine} and {theirs} clusters"
            if setting.assigned == "clusters"
            else f"{max(mine, theirs)} shared clusters"
        )
        text += f", in {of} (icc {words.number(setting.icc, 2)})"
    failed = f" {row['failed']} could not be estimated." if row["failed"] else ""
    return f'{text}; estimator "{entry.name}"; {row["draws"]} invented data sets.{failed}'


def _honest(setting: Setting, row: Any) -> str:
    error = f"Monte Carlo error {size(row['bias_error'], setting)}"
    off = f"the estimate is off by {size(row['bias'], setting, True)} on average ({error})"
    text = f"Where the programme changes nothing, {off}"
    if math.isnan(row["coverage"]):
        return f"{text}; this estimator gives no interval."
    return f"{text}; the {100 * setting.level:.0f}% interval covers the truth in {share(row, 'coverage')} of draws."


def _smallest(setting: Setting, detectable: float) -> str:
    often = words.percent(setting.power, 0)
    if math.isnan(detectable):
        return f"No effect that was tried is found in {often} of draws."
    return f"The smallest effect that is found in {often} of draws is {size(detectable, setting, True)}."


def _payment(setting: Setting, rows: dict[str, Any]) -> list[str]:
    """What the contract would do."""
    if setting.threshold is None:
        return ["No threshold was given, so nothing can be said about paying for nothing."]
    relative = setting.threshold_is == "relative"
    at = size(setting.threshold, setting)
    at = f"{words.percent(setting.threshold, 1)} of the level without it" if relative else at
    says = [
        f"The contract pays from an estimate of {at} better. If the programme changes nothing it still pays in "
        f"{share(rows['no effect'], 'pays')} of draws."
    ]
    for name in ("smallest worthwhile", "expected"):
        if name in rows:
            row = {**rows[name], "misses": 1 - rows[name]["pays"], "misses_error": rows[name]["pays_error"]}
            true = f"If the true effect is {size(row['effect'], setting, True)} ({name})"
            says.append(f"{true} it does not pay in {share(row, 'misses')} of draws.")
    return says


def flags_of(entry: Entry, setting: Setting, table: pd.DataFrame, detectable: float) -> tuple[Flag, ...]:
    """What must be told of a design.

    Parameters
    ----------
    entry : Entry
        The estimator.
    setting : Setting
        The world.
    table : DataFrame
        A row for each true effect.
    detectable : float
        The smallest effect found.

    Returns
    -------
    tuple of Flag
        Bias, coverage, power, refusals, payment for nothing, and what was taken for granted.
    """
    rows = {row["name"]: row for row in table.to_dict("records")}
    plain = rows["no effect"]
    found = [
        _biased(plain, setting),
        _covers(plain, setting),
        _refused(plain),
        _weak(rows, setting),
        _pays(plain, setting),
    ]
    return tuple(flag for flag in (*found, *_granted(entry, setting)) if flag is not None)


def _flag(level: Any, text: str, detail: str = "") -> Flag:
    return Flag("counterfactual", level, text, detail, "design")


def _biased(row: Any, setting: Setting) -> Flag | None:
    wide = max(3 * row["bias_error"], 0.1 * row["sd"])
    if not abs(row["bias"]) > wide:
        return None
    level = "serious" if abs(row["bias"]) > 0.5 * row["sd"] else "caution"
    return _flag(
        level,
        "This design is off on average.",
        f"By {size(row['bias'], setting, True)}, where the spread of its estimates is {size(row['sd'], setting)}.",
    )


def _covers(row: Any, setting: Setting) -> Flag | None:
    short = TARGET - (0.95 - setting.level)
    if math.isnan(row["coverage"]) or not row["coverage"] < short - 2 * row["coverage_error"]:
        return None
    level = "serious" if row["coverage"] < short - 0.05 else "caution"
    return _flag(
        level,
        "The interval is too narrow: it covers the truth less often than it says.",
        f"In {share(row, 'coverage')} of draws.",
    )


def _refused(row: Any) -> Flag | None:
    lost = row["failed"] + row["no_interval"]
    if lost <= OFTEN * row["draws"]:
        return None
    text = "In many draws there is no estimate, or no interval; they count as effects not found."
    return _flag("caution", text, f"{row['failed']} and {row['no_interval']} of {row['draws']}.")


def _weak(rows: dict[str, Any], setting: Setting) -> Flag | None:
    row = rows.get("smallest worthwhile") or rows.get("expected")
    if row is None or not row["power"] < setting.power - 2 * row["power_error"]:
        return None
    text = "The study is too small for the effect it looks for: a result without a clear difference will say little."
    return _flag(
        "caution", text, f"Found in {share(row, 'power')} of draws; {words.percent(setting.power, 0)} were wanted."
    )


def _pays(row: Any, setting: Setting) -> Flag | None:
    if setting.threshold is None or not row["pays"] > OFTEN + 2 * row["pays_error"]:
        return None
    level = "serious" if row["pays"] > 0.2 else "caution"
    return _flag(
        level, "The contract would often pay for nothing.", f"In {share(row, 'pays')} of draws without any effect."
    )


def _granted(entry: Entry, setting: Setting) -> list[Flag]:
    """What the draws take for granted."""
    found = []
    if entry.data == "people twice" and setting.yes_or_no:
        found.append(_flag("note", "A yes or no read twice is drawn as a number of the same spread."))
    if setting.unmeasured == 0 and entry.assumes != "random assignment":
        text = f"The draws take for granted what the estimator assumes ({entry.assumes})."
        detail = "Try unmeasured = 0.1 to see what it costs where that fails."
        found.append(_flag("note", text, detail))
    return found
