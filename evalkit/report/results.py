"""Every number the report rests on, under a stable name: results.json and the page print the same text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from evalkit import words
from evalkit.disclosure import ends
from evalkit.report.common import few_events, rule_of, safe_cohort
from evalkit.report.phrases import finite, outcome_name, real, said, wording
from evalkit.report.rough import few


@dataclass(frozen=True)
class Result:
    """One number of the report.

    Parameters
    ----------
    id : str
        Stable words: "wellbeing.index.effect", "contract.owed".
    value, low, high : float or None
        Unrounded; None where there is none, or where it may not leave.
    unit : str
        "days", "SD", "share", "GBP", "people".
    text : str
        As the page prints it.
    section : str
        Id of the section that prints it.
    source : str
        How it was arrived at.
    """

    id: str
    value: float | None
    unit: str
    low: float | None
    high: float | None
    text: str
    section: str
    source: str


def results(evaluation: Any) -> list[Result]:
    """Collect every result of an evaluation.

    Parameters
    ----------
    evaluation : Evaluation
        Rooms that are absent give nothing.

    Returns
    -------
    list of Result
        In the order of the sections; ids are unique.
    """
    found: dict[str, Result] = {}
    for part in (_cohort, _outcomes, _effects, _benchmark, _looks, _series, _contract, _value, _of_sections):
        for result in part(evaluation):
            found.setdefault(result.id, result)
    return list(found.values())


def as_dicts(found: list[Result]) -> list[dict[str, Any]]:
    """The results as results.json holds them."""
    return [asdict(result) for result in found]


def texts(evaluation: Any) -> dict[str, str]:
    """What the page prints for each result id."""
    return {result.id: result.text for result in results(evaluation)}


def result_key(row: Any, rows: Any = ()) -> str:
    """The first words of an outcome's result ids: a domain's carry "index", and an occasion where there are several.

    Parameters
    ----------
    row : namedtuple
        A row of ``effects.table``.
    rows : iterable
        All of its rows; "wellbeing@m12" is "wellbeing.index" unless another occasion of it is estimated too.

    Returns
    -------
    str
        "care_days", "wellbeing.index".
    """
    name = str(row.outcome).split("@")[0]
    alone = sum(str(other.outcome).split("@")[0] == name for other in rows) == 1
    named = name if alone else str(row.outcome)
    return f"{named}.index" if bool(row.is_domain) else named


def unit_of(form: Any, currency: str) -> str:
    """Name the unit in which results.json holds an effect: a share as a share, though the page prints points.

    Parameters
    ----------
    form : Wording
        How the outcome is put into words.
    currency : str
        The study's.

    Returns
    -------
    str
        "share", "SD", "GBP", "days".
    """
    return {"share": "share", "index": "SD", "money": currency}.get(form.kind, form.unit)


def _number(value: object) -> float | None:
    return real(value) if finite(value) else None


def _cohort(evaluation: Any) -> Iterator[Result]:
    cohort = evaluation.cohort
    if cohort is None or not len(cohort.flow):
        return
    rule = evaluation.study.disclosure.rule
    told = (("started", "people before any rule"), ("people", "people after every rule"))
    steps = [int(n) for n in cohort.flow["people"]]
    safe = safe_cohort(cohort, rule).flow["people"]
    printed = zip(ends(steps[0], steps[-1], rule), (safe.iloc[0], safe.iloc[-1]), strict=True)
    for (name, source), shown in zip(told, printed, strict=True):
        people = None if words.SUPPRESSED in shown else int(shown[0])
        text = words.SUPPRESSED if people is None else words.number(people, 0)
        yield Result(f"cohort.{name}", people, "people", None, None, text, "cohort", source)


def _outcomes(evaluation: Any) -> Iterator[Result]:
    """Growth and reliability, as their tables print them."""
    looks = evaluation.outcomes.looks if evaluation.outcomes is not None else {}
    for one in looks.get("growth", ()):
        if few(one.people, evaluation):
            continue
        digits = 2 if one.unit == "SD" else 1
        text = words.number(one.effect, digits, sign=True)
        source = f"growth model, {one.how}"
        yield Result(f"growth.{one.outcome}.effect", one.effect, f"{one.unit} a year", one.low, one.high, text,
                     "over_time", source)  # fmt: skip
    for row in looks["reliability"].itertuples() if "reliability" in looks else ():
        if not few(row.n, evaluation):
            text = words.number(real(row.value), 2)
            yield Result(f"reliability.{row.measure}.{row.kind}", real(row.value), "share", real(row.low),
                         real(row.high), text, "measures", f"{row.kind}, {row.method}")  # fmt: skip


def _effects(evaluation: Any) -> Iterator[Result]:
    if evaluation.effects is None:
        return
    currency = evaluation.study.study.currency
    rows = list(evaluation.effects.table.itertuples())
    for row in rows:
        form, key, name = wording(row, currency), result_key(row, rows), outcome_name(row)
        unit = unit_of(form, currency)
        source = f"{name}: {row.estimator}"
        bounds = (_number(row.low), _number(row.high))
        yield Result(f"{key}.effect", _number(row.effect), unit, *bounds, form.signed(row.effect), "effect", source)
        few = tells_of_few(row, evaluation)
        for part in ("observed", "counterfactual"):
            value = None if few else _number(getattr(row, part))
            text = words.SUPPRESSED if few else form.level(getattr(row, part))
            yield Result(f"{key}.{part}", value, unit, None, None, text, "effect", source)
        if not few:
            yield _deadweight(row, key, name)


def tells_of_few(row: Any, evaluation: Any) -> bool:
    """Whether what was observed tells of too few people: a share of known people, or a series' count of events.

    Parameters
    ----------
    row : namedtuple
        A row of ``effects.table``.
    evaluation : Evaluation
        For the rule in force, and whether there are people behind the figures.

    Returns
    -------
    bool
        True where observed, counterfactual and deadweight may not be printed.
    """
    if said(getattr(row, "scale", "")) == "ratio" and finite(row.observed) and real(row.observed).is_integer():
        return bool(few(row.observed, evaluation))
    if said(row.values) != "yes or no" or evaluation.cohort is None:
        return False
    sides = ((row.observed, row.n_treated), (row.counterfactual, getattr(row, "n_comparison", None)))
    return any(few_events(share, n, rule_of(evaluation)) for share, n in sides)


def _deadweight(row: Any, key: str, name: str) -> Result:
    text = words.percent(real(row.deadweight), 0) if finite(row.deadweight) else no_deadweight(row)
    bounds = (_number(row.deadweight_low), _number(row.deadweight_high))
    source = said(row.deadweight_method) or said(row.why_no_deadweight) or name
    return Result(f"{key}.deadweight", _number(row.deadweight), "share", *bounds, text, "effect", source)


def no_deadweight(row: Any) -> str:
    """The symbol for a deadweight that is not there: "[z]" where none is defined, "[x]" where none is known."""
    is_score = bool(row.is_domain) or row.values == "score"
    return words.NOT_APPLICABLE if is_score and finite(row.effect) else words.NOT_AVAILABLE


def _benchmark(evaluation: Any) -> Iterator[Result]:
    table = getattr(evaluation.effects, "benchmark", None)
    if table is None or not len(table):
        return
    row = primary(evaluation)
    form = wording(row, evaluation.study.study.currency)
    unit = unit_of(form, evaluation.study.study.currency)
    first = table.iloc[0]
    width = 1.959964 * real(first.benchmark_se)
    low, high = _number(first.benchmark - width), _number(first.benchmark + width)
    yield Result(
        "benchmark.effect",
        _number(first.benchmark),
        unit,
        low,
        high,
        form.signed(first.benchmark),
        "effect",
        "the experiment",
    )
    for line in table.itertuples():
        text, bounds = form.signed(line.difference), (_number(line.difference_low), _number(line.difference_high))
        source = f"{line.says}: estimate minus benchmark"
        yield Result(f"benchmark.{line.id}.difference", _number(line.difference), unit, *bounds, text, "effect", source)


def _looks(evaluation: Any) -> Iterator[Result]:
    from evalkit.report.looked_results import (
        looked_results,
    )  # its exhibits name results too, so they import this module

    yield from looked_results(evaluation)


def _series(evaluation: Any) -> Iterator[Result]:
    from evalkit.report.interim import interim  # reads the study's csv, only where there is a series

    for series in interim(evaluation.study):
        for change in series.changes:
            source = f"{series.title}: arithmetic on published figures"
            name = f"series.{series.id}.{change.id}"
            yield Result(name, _number(change.value), series.unit, None, None, change.text, "series", source)


def _contract(evaluation: Any) -> Iterator[Result]:
    contract = evaluation.contract
    if contract is None:
        return
    from evalkit.report.rests import printed_totals  # it asks here which outcomes tell of few

    currency, totals = evaluation.study.study.currency, printed_totals(evaluation)
    for name in ("owed", "paid", "difference", "anyway"):
        value = totals.get(name)
        if not finite(value):
            continue
        bounds = (_number(totals.get(f"{name}_low")), _number(totals.get(f"{name}_high")))
        text = (
            words.money(real(value), currency)
            if name == "anyway"
            else words.whole_money(real(value), currency, sign=name == "difference")
        )
        yield Result(
            f"contract.{name}", _number(value), currency, *bounds, text, "payments", "rate card, achieved, payments"
        )


def _value(evaluation: Any) -> Iterator[Result]:
    from evalkit.report.rests import printed_value  # it asks here which outcomes tell of few
    from evalkit.report.value_robust import ratio_range  # its sections name results too

    value = printed_value(evaluation)
    if value is None or not finite(value.ratio):
        return
    bounds = (_number(value.ratio_low), _number(value.ratio_high))
    currency = evaluation.study.study.currency
    text = ratio_range(value, currency)  # what is printed of a ratio is its range
    yield Result(
        "value.ratio",
        _number(value.ratio),
        f"{currency} for each {currency} 1",
        *bounds,
        text,
        "value",
        said(value.convention),
    )


def _of_sections(evaluation: Any) -> Iterator[Result]:
    """What the sections that bring their own results print."""
    from evalkit.report.sections import sections  # they name results too, so they import this module

    for section in sections():
        if section.results is not None:
            yield from section.results(evaluation)


def primary(evaluation: Any) -> Any:
    """The row of the primary outcome: the first marked so, else the first; None without effects."""
    if evaluation.effects is None or not len(evaluation.effects.table):
        return None
    rows = list(evaluation.effects.table.itertuples())
    return next((row for row in rows if bool(row.primary)), rows[0])
