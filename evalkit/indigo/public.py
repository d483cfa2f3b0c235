"""What of an evaluation may be published, and a list of what may not: the only source of an export's numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from evalkit import disclosure, words
from evalkit.errors import DisclosureError
from evalkit.report.common import hidden, rule_of, treated

Field = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Public:
    """What may leave.

    Parameters
    ----------
    evaluation : Evaluation
        Where it is from.
    metrics : DataFrame
        The contract's table; an amount or count that may not leave is "[c]". Empty without a contract.
    exact : bool
        Whether amounts may be given line by line: the contract's figures are published ones.
    left_out : list of dict
        table, what, why: grows while the export is made.
    """

    evaluation: Any
    metrics: pd.DataFrame
    exact: bool
    left_out: list[dict[str, str]]

    @property
    def some_hidden(self) -> bool:
        """Whether a metric's amount was hidden, so that no total may be given from which it follows."""
        return any(hidden(amount) for name in ("owed", "paid") if name in self.metrics for amount in self.metrics[name])

    def leave_out(self, table: str, what: str, why: str) -> None:
        """Write down that something was not exported."""
        line = {"table": table, "what": what, "why": why}
        if line not in self.left_out:
            self.left_out.append(line)


def field(value: object) -> Field | None:
    """A value with its status; None where there is none.

    Parameters
    ----------
    value : str, number, date or None
        Empty text and missing numbers are none.

    Returns
    -------
    dict or None
        ``{"value": ..., "status": "PUBLIC"}``.
    """
    if value is None or (isinstance(value, float) and pd.isna(value)) or value is pd.NaT:
        return None
    if isinstance(value, str):
        value = value.strip()
        return {"value": value, "status": "PUBLIC"} if value else None
    if hasattr(value, "isoformat"):
        return {"value": value.isoformat()[:10], "status": "PUBLIC"}
    return {"value": plain(value), "status": "PUBLIC"}


def plain(value: Any) -> int | float:
    """A number without a decimal point where it is whole, to the penny where it is not."""
    number = round(float(value), 2)
    return int(number) if number.is_integer() else number


def filled(parts: Mapping[str, Any]) -> dict[str, Any]:
    """A part without what is not known: no empty value, no empty part."""
    kept = {name: filled(part) if isinstance(part, dict) else part for name, part in parts.items()}
    return {name: part for name, part in kept.items() if part is not None and part != {} and part != [] and part != ""}


def may_leave(evaluation: Any) -> Public:
    """Judge what of an evaluation may be published.

    Parameters
    ----------
    evaluation : Evaluation
        Any.

    Returns
    -------
    Public
        After disclosure control.

    Raises
    ------
    DisclosureError
        The data are records of real people and nobody is named who reviewed the release.
    """
    study = evaluation.study
    if study.study.kind == "real" and not study.disclosure.reviewer.strip():
        raise DisclosureError(
            f"{study.id} rests on records of real people and names nobody who reviewed the release: nothing is "
            'exported. Have it reviewed, then write in study.toml, under [disclosure]: reviewer = "Name, role" and '
            "reviewed_on = 2026-01-31."
        )
    exact = bool(study.contract and study.contract.published)
    left_out: list[dict[str, str]] = []
    metrics = pd.DataFrame() if evaluation.contract is None else _metrics(evaluation, exact, left_out)
    return Public(evaluation, metrics, exact, left_out)


def _metrics(evaluation: Any, exact: bool, left_out: list[dict[str, str]]) -> pd.DataFrame:
    """The contract's table as the report prints it; amounts that tell the exact count behind a rounded one go too."""
    from evalkit.report.rests import hidden_metrics
    from evalkit.report.sections.payments import _safe

    contract = evaluation.contract
    if exact or contract.table.empty:
        return contract.table
    table = _safe(evaluation).astype(dict.fromkeys(("achieved", "owed", "paid"), object))
    gone = table["metric"].isin(hidden_metrics(evaluation))
    table.loc[gone, ["achieved", "owed", "paid"]] = words.SUPPRESSED
    for row in table.index:
        told = _rounded(table.loc[row], rule_of(evaluation))
        table.loc[row, list(told)] = list(told.values())
    for row in table.to_dict("records"):
        few = [name for name in ("achieved", "owed", "paid") if hidden(row[name])]
        if few:
            why = f"Few people are behind it, or a hidden figure would follow from it ({rule_of(evaluation)})."
            left_out.append({"table": "outcome_metrics", "what": f"{row['metric']}: {', '.join(few)}", "why": why})
    return table


def _rounded(row: pd.Series, rule: str) -> dict[str, Any]:
    """A count as the rule prints it; beside a rounded one no amount may leave that the price divides to the exact."""
    achieved = row["achieved"]
    is_count = not isinstance(achieved, str) and row["mechanism"] not in ("day", "saved", "step", "slide")
    if not is_count or pd.isna(achieved) or float(achieved) != int(achieved):
        return {}
    shown = disclosure.count(int(achieved), rule)
    if shown == int(achieved):
        return {}
    return {"achieved": shown, "owed": words.SUPPRESSED, "paid": words.SUPPRESSED}


def engaged(public: Public) -> int | None:
    """How many people were served, as the report prints it; None where it does not."""
    shown = treated(public.evaluation)
    if shown is None and public.evaluation.cohort is not None:
        public.leave_out("service_and_beneficiaries", "number engaged", "Too few people to be told.")
    return shown
