"""One report in a few facts, for the page that sets all reports side by side."""

from __future__ import annotations

from typing import Any

from evalkit import words
from evalkit.report.phrases import finite, outcome_name, real, wording
from evalkit.report.rests import printed_totals, printed_value
from evalkit.report.results import primary
from evalkit.report.sections.brief import headline


def summary(evaluation: Any) -> dict[str, Any]:
    """Collect what summary.json holds beside each report.

    Parameters
    ----------
    evaluation : Evaluation
        Any.

    Returns
    -------
    dict
        id, title, stand, kind, is_sib, country, currency, people (as printed), headline, effect, interval,
        effect_value,
        effect_low, effect_high, is_sd, outcome, conclusion, level, paid, owed, planned, ratio_low, ratio, ratio_high,
        serious, cautions.
    """
    study = evaluation.study.study
    about = {name: getattr(study, name) for name in ("id", "title", "stand", "kind", "is_sib", "country", "currency")}
    flags = [flag.level for flag in evaluation.flags]
    return {
        **about,
        "people": _people(evaluation),
        "headline": headline(evaluation),
        **_effect(evaluation),
        **_money(evaluation),
        "serious": flags.count("serious"),
        "cautions": flags.count("caution"),
    }


def _people(evaluation: Any) -> str:
    from evalkit.report.common import people

    return (
        people(evaluation.cohort.flow["people"].iloc[-1], evaluation)
        if evaluation.cohort is not None
        else words.NOT_APPLICABLE
    )


def _effect(evaluation: Any) -> dict[str, Any]:
    row = primary(evaluation)
    if row is None:
        return {
            "outcome": "",
            "effect": words.NOT_AVAILABLE,
            "interval": "",
            "conclusion": "not known",
            "level": None,
            "is_sd": False,
        }
    form = wording(row, evaluation.study.study.currency)
    sms = getattr(evaluation.effects.evidence, "sms", None)
    relative = words.percent(real(row.relative), 1, sign=True) if finite(row.relative) and not finite(row.low) else ""
    return {
        "outcome": outcome_name(row),
        "effect": form.signed(row.effect),
        "interval": form.interval(row.low, row.high) if finite(row.low) else relative,
        "effect_value": real(row.effect) if finite(row.effect) else None,
        "effect_low": real(row.low) if finite(row.low) else None,
        "effect_high": real(row.high) if finite(row.high) else None,
        "is_sd": form.kind == "index",
        "conclusion": str(row.conclusion),
        "level": int(real(sms)) if finite(sms) else None,
    }


def _money(evaluation: Any) -> dict[str, Any]:
    totals = printed_totals(evaluation)
    found: dict[str, Any] = {
        name: real(totals[name]) if finite(totals.get(name)) else None for name in ("paid", "owed")
    }
    plans = [real(amount) for amount in (totals.get("planned") or {}).values() if finite(amount)]
    found["planned"] = plans[0] if plans else None
    value = printed_value(evaluation)
    names = ("ratio_low", "ratio", "ratio_high")
    ranged = all(finite(getattr(value, name, None)) for name in names)  # never a ratio without its range
    return found | {name: real(getattr(value, name)) if ranged else None for name in names}
