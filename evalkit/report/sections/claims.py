"""What has been said of it: each claim held to the numbers, and the sentence that may be said."""

from __future__ import annotations

from typing import Any

from evalkit import evidence, words
from evalkit.errors import did_you_mean
from evalkit.evidence.claim_readings import Reading
from evalkit.report.blocks import Column, Heading, Table, Text
from evalkit.report.html import Cell, sentence
from evalkit.report.labelled import labelled
from evalkit.report.results import Result, results
from evalkit.report.sections import section

JUDGED = {"holds": "yes", "not over its interval": "not over the whole interval", "fails": "no"}


@section("claims", "What has been said of it", 88)
def claims(evaluation: Any) -> list[Any]:
    """Each claim, who said it, verdict, readings, what may be said; nothing where the study names none."""
    plans = evaluation.study.claim
    if not plans:
        return []
    own = {one.id: one for one in results(evaluation)}
    checked = [(plan, evidence.check_claim({"says": plan.says}, numbers_of(evaluation, plan, own))) for plan in plans]
    blocks: list[Any] = [Text(_opening(checked))]
    for plan, found in checked:
        blocks += [Heading(f"\u201c{plan.says}\u201d"), labelled(_told(plan, found, own)), _readings(plan, found)]
    return [block for block in blocks if block is not None]


def _opening(checked: list[tuple[Any, Any]]) -> str:
    counts: dict[str, int] = {}
    for _, found in checked:
        counts[found.standing] = counts.get(found.standing, 0) + 1
    if len(checked) == 1:
        standing = checked[0][1].standing
        found = standing if standing.startswith("cannot") else f"is {standing}"
        return f"One sentence that was said of the programme was held to the numbers. It {found}."
    told = words.listed([f"{count} {standing}" for standing, count in counts.items()])
    return f"{len(checked)} sentences that were said of the programme were held to the numbers: {told}."


def _told(plan: Any, found: Any, own: dict[str, Result]) -> dict[str, str]:
    held = f"result {plan.result} of this study" if plan.result else "the figures named with the claim"
    if plan.result and plan.result not in own:
        held = f"{plan.result}, which is no result of this study. {did_you_mean(plan.result, own)}"
    return {
        "Said by": plan.said_by or "not recorded",
        "Verdict": sentence(found.verdict),
        "May be said": found.sentence,
        "Held to": held,
        "Source": plan.source,
    }


def _readings(plan: Any, found: Any) -> Table | None:
    """The ways in which the claim can be read, and whether it holds of each."""
    if not found.judged:
        return None
    rows = [_row(found.readings[name], standing) for name, standing in found.judged.items()]
    holding = sum(one == "holds" for one in found.judged.values())
    finding = f"Read in {len(rows)} ways, the claim holds in {holding}"
    if len(rows) == 1:
        finding = f"The claim {'holds' if holding else 'does not hold'} in the one way it can be read"
    return Table(
        f"claim-{plan.id}",
        finding,
        "Each reading with its formula",
        [Column("Reading", False), Column("Formula", False), Column("Comes to"), Column("Claim holds", False)],
        rows,
    )


def _row(reading: Reading, standing: str) -> list[object]:
    return [
        sentence(reading.says).rstrip("."),
        reading.formula,
        reading.text,
        Cell(JUDGED[standing], bold=standing != "holds"),
    ]


def numbers_of(evaluation: Any, plan: Any, own: dict[str, Result]) -> dict[str, Any]:
    """The figures that a claim is held to: those it names, and the result of this study that it speaks of.

    Parameters
    ----------
    evaluation : Evaluation
        For price year, cost and level of evidence.
    plan : Claim
        Of the study.
    own : dict of str to Result
        Results by id; what may not leave has no value there.

    Returns
    -------
    dict
        As `evalkit.evidence.check_claim` takes them.
    """
    study = evaluation.study
    numbers: dict[str, Any] = dict(plan.numbers)
    if not plan.result:
        return numbers
    numbers.setdefault("currency", study.study.currency)
    level = getattr(evaluation.effects, "evidence", None)
    if level is not None:
        numbers.setdefault("level", level if level.sms is not None else "not scored")
    if study.study.price_year is not None:
        numbers.setdefault("price_year", study.study.price_year)
    found = own.get(plan.result)
    if found is None or found.value is None:
        return numbers
    stem, _, last = plan.result.rpartition(".")
    if last == "effect":
        return _of_effect(stem, own, found) | numbers
    name = {"ratio": "ratio", "deadweight": "share"}.get(last, "saving" if "saving" in plan.result else "amount")
    ends = {} if found.low is None or found.high is None else {f"{name}_low": found.low, f"{name}_high": found.high}
    return {name: found.value, **ends} | numbers


def _of_effect(stem: str, own: dict[str, Result], found: Result) -> dict[str, Any]:
    """An effect with its interval and its levels; shares as percentages."""
    scale, mark = (100.0, "_pct") if found.unit == "share" else (1.0, "")
    out = {"effect": found.value, "effect_low": found.low, "effect_high": found.high}
    for name in ("observed", "counterfactual"):
        level = own.get(f"{stem}.{name}")
        out[f"{name}{mark}"] = None if level is None else level.value
    return {name: None if value is None else value * scale for name, value in out.items()}
