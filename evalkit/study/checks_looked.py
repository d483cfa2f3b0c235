"""Checks of the parts that look at outcomes beside the effect: growth, services, engagement, comparability, views."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evalkit.study.model import Study
from evalkit.study.names import Names, quoted, reading

Problems = Iterator[str]


def _outcomes_named(study: Study, names: Names) -> Problems:
    """Outcomes that [growth], [services], [missing] and the constituencies name."""
    named: dict[str, Sequence[str]] = {
        "[growth] outcomes": study.growth.outcomes if study.growth else (),
        "[services] outcomes": study.services.outcomes if study.services else (),
        "[missing] outcomes": study.missing.outcomes if study.missing else (),
    }
    named |= {f"[[constituency]] {one.id}: views": tuple(one.views) for one in study.constituency}
    for place, outcomes in named.items():
        for name in outcomes:
            if problem := reading(name, study, names):
                yield f"{place}: {problem}"


def _growth(study: Study, names: Names) -> Problems:
    for name in study.growth.outcomes if study.growth else ():
        whole = name.partition("@")[0]
        if whole != name and whole in (*names.measures, *names.domains):
            yield f'[growth] outcomes: "{name}" is one occasion and growth needs all. Write "{whole}".'


def _comparability(study: Study, names: Names) -> Problems:
    plan = study.comparability
    if plan is None:
        return
    for name in plan.measures:
        measure = study.find_measure(name)
        if name not in names.measures:
            yield f"[comparability] measures: {quoted(name, 'measure', names.measures)}"
        elif measure is not None and measure.instrument is None:
            yield f'[comparability] measures: "{name}" has no items to compare. Name measures with an instrument.'
    if "service" in plan.across and study.services is None and not (study.cohort and study.cohort.cluster):
        yield '[comparability] across names "service" and nothing says what that is. Write [services] column = "...".'


def _views(study: Study, _: Names) -> Problems:
    for one in study.constituency:
        if not one.views or sum(one.views.values()) <= 0 or min(one.views.values()) < 0:
            yield f"[[constituency]] {one.id}: views need weights of 0 or more, and one above 0."
    if study.constituency and sum(one.weight for one in study.constituency) <= 0:
        yield "[[constituency]]: every weight is 0, so that no view counts. Give one a weight above 0."


def _reliable_change(study: Study, _: Names) -> Problems:
    for measure in study.measure:
        if measure.reliable_change and not (measure.instrument or measure.columns or measure.column or measure.ladder):
            yield (
                f"[[measure]] {measure.id}: reliable_change is for scores read before and after. "
                "Take it out, or give the measure an instrument or columns."
            )


def _added_value(study: Study, _: Names) -> Problems:
    for measure in study.measure:
        if measure.added_value and measure.instrument != "sdq_parent":
            yield (
                f"[[measure]] {measure.id}: added_value is a score of the parent SDQ only. "
                'Take it out, or ask for it at a measure with instrument = "sdq_parent".'
            )


CHECKS = (_outcomes_named, _growth, _comparability, _views, _reliable_change, _added_value)
