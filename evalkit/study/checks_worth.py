"""Checks of claims, curves and the framework: ids, years, neighbours, results that exist, frameworks on the shelf."""

from __future__ import annotations

from collections.abc import Iterator

from evalkit import library
from evalkit.errors import StudyError
from evalkit.study.model import Study
from evalkit.study.names import Names, quoted

Problems = Iterator[str]
ROOMS = {"value": "value", "contract": "contract", "series": "series", "curve": "curve", "growth": "growth"}


def _ids_once(study: Study, _: Names) -> Problems:
    for part, entries in (("claim", study.claim), ("curve", study.curve)):
        ids = [one.id for one in entries]
        for name in dict.fromkeys(one for one in ids if ids.count(one) > 1):
            yield f"[[{part}]] {name}: the id stands {ids.count(name)} times. Give each its own."


def _claims(study: Study, names: Names) -> Problems:
    for claim in study.claim:
        if not claim.says.strip():
            yield f"[[claim]] {claim.id}: says is empty. Write the sentence as it was said."
        if not claim.result and not claim.numbers:
            yield f'[[claim]] {claim.id}: nothing to hold it to. Write result = "value.ratio", or numbers = {{ ... }}.'
        if claim.result and (problem := _result(claim.result, study, names)):
            yield f"[[claim]] {claim.id}: {problem}"


def _result(name: str, study: Study, names: Names) -> str:
    """What is wrong with the name of a result; empty where it may exist."""
    stem, dot, _ = name.partition(".")
    if not dot:
        return f'result "{name}" is no name of a result. Write "{name}.effect", or "value.ratio".'
    stem = stem.partition("@")[0]
    if stem in ROOMS:
        return "" if getattr(study, ROOMS[stem]) else f'result "{name}": the study has no {ROOMS[stem]}.'
    known = [*names.measures, *names.domains]
    return "" if stem in known or not known else f"result: {quoted(stem, 'outcome', [*known, *ROOMS])}"


def _curves(study: Study, _: Names) -> Problems:
    for curve in study.curve:
        where = f"[[curve]] {curve.id}"
        if curve.baseline_from is not None and curve.baseline_from >= curve.baseline_until:
            yield f"{where}: baseline_from {curve.baseline_from} is not before baseline_until {curve.baseline_until}."
        for year in curve.desired:
            if not year.isdigit() or int(year) <= curve.baseline_until:
                remedy = f'Write desired = {{ "{curve.baseline_until + 1}" = ... }}.'
                yield f'{where}: desired "{year}" is no year after {curve.baseline_until}. {remedy}'
        if curve.area in curve.neighbours:
            yield f'{where}: neighbours name "{curve.area}" itself. Take it out.'


def _framework(study: Study, _: Names) -> Problems:
    for name in study.framework.tag_sets if study.framework else ():
        try:
            if "heading" not in library.load("frameworks", name):
                yield f'[framework] tag_sets: "{name}" on the shelf holds no headings.'
        except StudyError as problem:
            yield f"[framework] tag_sets: {problem}"
    for name, headings in (study.framework.sets if study.framework else {}).items():
        if not headings:
            yield f'[framework.sets] "{name}" has no headings. Write "{name}" = ["...", "..."].'


CHECKS = (_ids_once, _claims, _curves, _framework)
