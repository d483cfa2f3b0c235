"""What stands beside the estimates, under stable names: the numbers of the sections on certainty, groups and time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from evalkit import words
from evalkit.report.beside import form_of, key_of, looked, named, several
from evalkit.report.phrases import finite, real, said
from evalkit.report.results import Result, unit_of
from evalkit.report.sections.parts import shown_taking_part
from evalkit.report.unmeasured import e_value_text, placebo_text


def looked_results(evaluation: Any) -> Iterator[Result]:
    """Every number of a look that a table prints.

    Parameters
    ----------
    evaluation : Evaluation
        With or without effects.

    Yields
    ------
    Result
        In the order of the sections.
    """
    if evaluation.effects is None:
        return
    for part in (_worth, _unmeasured, _placebos, _lost, _curve, _subgroups, _taking_part, _lasting):
        yield from part(evaluation)


def _ends(found: Any) -> tuple[float | None, float | None]:
    return (real(found.low) if finite(found.low) else None, real(found.high) if finite(found.high) else None)


def _worth(evaluation: Any) -> Iterator[Result]:
    for one in several(evaluation, "worthwhile"):
        detectable, form = one.found.detectable, form_of(evaluation, str(one.outcome))
        if detectable is not None:
            source = f"{named(evaluation, one)}: found with a chance of {words.percent(detectable.power, 0)}"
            yield Result(f"detectable.{key_of(evaluation, str(one.outcome))}", detectable.effect,
                         _unit(evaluation, form), None, None, form.size(detectable.effect),
                         "effect", source)  # fmt: skip


def _unmeasured(evaluation: Any) -> Iterator[Result]:
    for one in several(evaluation, "unmeasured causes"):
        key, name = key_of(evaluation, str(one.outcome)), named(evaluation, one)
        e, omitted = one.found.e_value, one.found.omitted
        if e is not None:
            value = real(e.value) if finite(e.value) else None
            low = real(e.interval) if finite(e.interval) else None
            yield Result(f"unmeasured.{key}.e_value", value, "risk ratio", low, None, e_value_text(e.value),
                         "certainty", f"{name}: E-value; low: of the interval")  # fmt: skip
        if omitted is not None:
            text = words.percent(omitted.robustness_value)
            yield Result(f"unmeasured.{key}.robustness_value", omitted.robustness_value, "share",
                         omitted.robustness_value_significance, None, text, "certainty",
                         f"{name}: linear regression; low: of the interval")  # fmt: skip


def _placebos(evaluation: Any) -> Iterator[Result]:
    table = looked(evaluation, "placebo outcomes")
    joint = {} if table is None else table.attrs.get("joint") or {}
    if finite(joint.get("p")) and joint.get("df", 0) > 1:
        yield Result("placebos.p", real(joint["p"]), "p", None, None, placebo_text(joint), "certainty", joint["method"])


def _lost(evaluation: Any) -> Iterator[Result]:
    for one in several(evaluation, "attrition"):
        found, form = one.found.weighted, form_of(evaluation, str(one.outcome))
        if found is not None:
            yield Result(f"attrition.{key_of(evaluation, str(one.outcome))}.weighted", real(found.effect),
                         _unit(evaluation, form), *_ends(found), form.change(found.effect), "certainty",
                         f"{named(evaluation, one)}: weighted for who has the outcome")  # fmt: skip


def _curve(evaluation: Any) -> Iterator[Result]:
    one = looked(evaluation, "specifications")
    if one is None:
        return
    found, form, source = one.found, form_of(evaluation, str(one.outcome)), "every analysis listed that could be made"
    yield Result("specifications.median", real(found.median), _unit(evaluation, form),
                 real(found.range[0]), real(found.range[1]), form.change(found.median),
                 "certainty", f"{source}; low and high: the range")  # fmt: skip
    for name in ("share_sign", "share_significant"):
        share = real(getattr(found, name))
        yield Result(f"specifications.{name}", share, "share", None, None, words.percent(share, 0), "certainty", source)


def _subgroups(evaluation: Any) -> Iterator[Result]:
    for one in several(evaluation, "subgroups"):
        for row in one.found.interactions.itertuples():
            if not said(row.why) and finite(row.p):
                text = words.p_value(real(row.p))
                name = f"subgroups.{one.outcome}.{row.column}.p"
                yield Result(
                    name, real(row.p), "p", None, None, text, "parts", f"{named(evaluation, one)}: {row.method}"
                )


def _taking_part(evaluation: Any) -> Iterator[Result]:
    for key, found, form in shown_taking_part(evaluation):
        yield Result(f"taking_part.{key}.effect", real(found.effect), _unit(evaluation, form), *_ends(found),
                     form.change(found.effect), "parts", "two-stage least squares")  # fmt: skip


def _lasting(evaluation: Any) -> Iterator[Result]:
    one = looked(evaluation, "persistence")
    if one is None:
        return
    key, form = key_of(evaluation, str(one.outcome).split("@")[0]), form_of(evaluation, str(one.outcome))
    fade, drop_off = one.found.found.fade, one.found.drop_off
    if fade is not None:
        yield Result(f"persistence.{key}.change", real(fade.value), f"{_unit(evaluation, form)} a year", *_ends(fade),
                     form.change(fade.value), "lasting", fade.method)  # fmt: skip
    if drop_off is not None:
        text = words.percent(drop_off.value, 0)
        yield Result(f"persistence.{key}.drop_off", real(drop_off.value), "share a year", *_ends(drop_off), text,
                     "lasting", drop_off.source or drop_off.method)  # fmt: skip


def _unit(evaluation: Any, form: Any) -> str:
    return unit_of(form, evaluation.study.study.currency)
