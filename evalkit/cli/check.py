"""What evalkit check and evalkit cohort find and say."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.errors import EvalkitError, Flag, StudyError, did_you_mean, parts_of, several
from evalkit.study import Study, read_study, shown
from evalkit.words import listed, number

if TYPE_CHECKING:
    import pandas as pd


OF_PAPERS = (
    "achieved",
    "claims",
    "payments",
    "rate_card",
    "cap",
    "cap_metric",
    "cap_year",
    "maximum",
    "plans",
    "costs",
    "budgets",
    "variations",
    "parties",
    "investors",
)
ORDER = {"serious": 0, "caution": 1, "note": 2}


def findings(folder: Path) -> list[str]:
    """Check a study as far as is cheap: plan, tables, cohort, rates, contract papers.

    Parameters
    ----------
    folder : Path
        The study's folder.

    Returns
    -------
    list of str
        "STUDY is sound: ..." and a line for each flag.

    Raises
    ------
    EvalkitError
        What is wrong; where several rooms find something, all of it.
    """
    study = read_study(folder)
    found: list[Any] = []
    errors: list[EvalkitError] = []
    for look in (_design, _cohort, _rates, _contract, _value, _curves):
        try:
            found += look(study)
        except EvalkitError as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise type(errors[0])(several(shown(study.folder), [one for error in errors for one in parts_of(str(error))]))
    facts = [one for one in found if isinstance(one, str)]
    flags = sorted((one for one in found if isinstance(one, Flag)), key=lambda flag: ORDER[flag.level])
    lines = [f"{shown(study.folder)} is sound: {listed(facts or ['the plan'])}."]
    return lines + [_told(flag) for flag in flags]


def _told(flag: Flag) -> str:
    """A flag on lines of its own, those after the first indented."""
    text = f"{flag.level} ({_where(flag)}): {flag.text} {flag.detail}".rstrip()
    return textwrap.indent(text, "    ").removeprefix("  ")


def _where(flag: Flag) -> str:
    return f"{flag.room}, {flag.about}" if flag.about else flag.room


def _cohort(study: Study) -> Iterator[str | Flag]:
    """The tables and the cohort."""
    if study.cohort is None:
        if study.tables:
            from evalkit.tables import read_tables

            yield _plural(len(read_tables(study)), "table")
        return
    from evalkit.cohort import build_cohort

    cohort = build_cohort(study)
    yield _plural(len(study.tables), "table")
    yield from _assured(study)  # not before the rules themselves are sound
    counted, started = (number(int(count), 0) for count in (len(cohort.table), cohort.flow["people"].iloc[0]))
    yield f"{counted} of {started} {study.study.people} in the cohort"
    yield _plural(len(study.measure), "measure")
    yield from cohort.flags
    if study.measure:
        from evalkit.outcomes import score_outcomes

        yield from score_outcomes(cohort).flags


def _assured(study: Study) -> Iterator[str | Flag]:
    """Invented people who must get a certain answer."""
    if not study.cohort.assure:  # type: ignore[union-attr]
        return
    from evalkit.cohort.assure import assure

    count = assure(study)
    yield f"{number(count, 0)} invented {'person' if count == 1 else 'people'} answered as they must be"


def _rates(study: Study) -> Iterator[str | Flag]:
    plan = study.counterfactual
    if plan is None or plan.rates is None:
        return
    from evalkit.counterfactual import effects_from_rates

    effects = effects_from_rates(study)
    yield _plural(len(effects.table), "outcome")
    yield from effects.flags


def _contract(study: Study) -> Iterator[str | Flag]:
    """Every table of the contract, and what its papers raise without an effect."""
    if study.contract is None:
        return
    from evalkit.contract import settle_contract

    contract = settle_contract(_from_rates(study) or study)
    _planned(
        study, study.contract.rate_card, dict(zip(contract.table["metric"], contract.table["outcome"], strict=True))
    )
    if study.contract.rate_card is not None:
        yield _plural(len(contract.table), "metric")
    yield from (flag for flag in contract.flags if flag.about in OF_PAPERS)


def _design(study: Study) -> Iterator[str | Flag]:
    """Whether the design is on the list of the standard of evidence, and the estimator carries it out."""
    if study.counterfactual is not None:
        from evalkit.evidence import fits, level

        level(study.counterfactual.design)
        if problem := fits(study.counterfactual.design, study.counterfactual.estimator):
            yield Flag("counterfactual", "serious", problem)


def _value(study: Study) -> Iterator[str | Flag]:
    """The impact map, and deadweight that the estimator nets out already."""
    if study.value is None:
        return
    from evalkit.value.linked import appraise_value, read_map

    effects = _from_rates(study)
    if effects is not None or study.counterfactual is None:
        yield _plural(len(appraise_value(effects or study).lines), "line") + " of value"
        return
    lines = read_map(study)
    plan = study.counterfactual
    in_money = lines[lines["proxy"].notna()]
    stated = in_money[in_money["deadweight"].fillna(0).ne(0) & in_money["quantity"].isna()]
    if plan.estimator != "assumed" and len(stated):
        text = f'[value] gives deadweight and the estimator is "{plan.estimator}", which already nets it out.'
        problems = [f'{line}: {text} Drop deadweight, or use estimator = "assumed".' for line in stated["line"]]
        raise StudyError(several(f"{shown(study.folder)}/{study.value.impact_map}", problems))
    _planned(study, study.value.impact_map, dict(zip(in_money["line"], in_money["outcome"], strict=True)))
    yield _plural(len(lines), "line") + " of value"


def _from_rates(study: Study) -> Any:
    """The effects where they cost nothing to have; None where they do, or where the look at the rates refuses them."""
    plan = study.counterfactual
    if plan is None or plan.rates is None:
        return None
    from evalkit.counterfactual import effects_from_rates

    try:
        return effects_from_rates(study)
    except EvalkitError:
        return None


def _planned(study: Study, file: str | None, links: dict[str, str]) -> None:
    """Refuse links of a table to outcomes that the study, once its people are estimated on, will not have."""
    plan = study.counterfactual
    if plan is None or plan.rates is not None or plan.areas is not None:
        return
    names = plan.outcomes or [one.id for part in (study.domain, study.measure) for one in part]
    problems = [
        f'{where}: outcome "{name}" is not among those estimated. {did_you_mean(name, names)} Else leave it empty.'
        for where, name in links.items()
        if name and name not in names
    ]
    if problems:
        raise StudyError(several(f"{shown(study.folder)}/{file}", problems))


def _curves(study: Study) -> Iterator[str | Flag]:
    """The series of curves, and the framework of outcomes."""
    if study.curve:
        from evalkit.value.curve import study_curves

        yield _plural(len(study_curves(study)), "curve")
    if study.framework is not None:
        from evalkit.value.framework import study_framework

        study_framework(study)
        yield "a framework of outcomes"


def _plural(count: int, word: str) -> str:
    return f"{number(count, 0)} {word}{'' if count == 1 else 's'}"


def flow_lines(folder: Path) -> list[str]:
    """The flow of a cohort as a table for the terminal.

    Parameters
    ----------
    folder : Path
        The study's folder.

    Returns
    -------
    list of str
        Lines of text.

    Raises
    ------
    StudyError
        The study has no cohort.
    """
    from evalkit.cohort import build_cohort

    study = read_study(folder)
    if study.cohort is None:
        raise StudyError(f"{shown(study.folder)} has no [cohort], so there is nobody to count.")
    cohort = build_cohort(study)
    drawn = _drawn(study, cohort.flow, cohort.sets)
    return [*drawn, *(f"{flag.level}: {flag.text}" for flag in cohort.flags)]


def explain_lines(folder: Path, person: str) -> list[str]:
    """Each rule's answer for one person. Personal data: for the evaluator's own screen.

    Parameters
    ----------
    folder : Path
        The study's folder.
    person : str
        The id as the tables have it.

    Returns
    -------
    list of str
        Lines of text.

    Raises
    ------
    EvalkitError
        The plan cannot be followed, or nobody of that id starts.
    """
    from evalkit.cohort import explain

    return explain(read_study(folder), person).lines()


def _drawn(study: Study, flow: pd.DataFrame, sets: pd.DataFrame) -> list[str]:
    """The flow and the analysis sets as tables for the terminal."""
    arms = {name: title for name, title in _arms(study).items() if name in flow.columns and flow[name].notna().any()}
    names = {"says": "Step", "left_out": "Left out", "unknown": "Not known", "failed": "Fail it"}
    names |= {"only": "Fail it alone", "people": "Left", **arms}
    lines = _table(study.title, names, flow)
    if len(sets):
        compared = {str(name): arms[name] for name in ("treated", "comparison") if name in arms}
        names = {"says": "Analysis set", "lost": "Lost", "unknown": "Not known", "people": "In it", **compared}
        lines += _table("Analysis sets", names, sets)
    return lines


def _table(title: str, names: dict[str, str], rows: pd.DataFrame) -> list[str]:
    from rich.console import Console
    from rich.table import Table

    table = Table(*names.values(), title=title, title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows.to_dict("records"):
        table.add_row(str(row["says"]), *(_count(row[key]) for key in list(names)[1:]))
    text = io.StringIO()
    Console(file=text, width=132, no_color=True).print(table)
    return text.getvalue().splitlines()


def _arms(study: Study) -> dict[str, str]:
    """What the columns of arms and groups are called."""
    plan = study.cohort
    if plan is None:
        return {}
    if plan.group:
        return {group.id if group.role == "beside" else group.role: group.says for group in plan.group}
    if plan.arm is None:
        return {}
    return {
        "treated": plan.arm.treated_name or str(plan.arm.treated),
        "comparison": plan.arm.comparison_name or str(plan.arm.comparison),
    }


def _count(value: object) -> str:
    import pandas as pd

    return "" if pd.isna(value) else number(float(value), 0)  # type: ignore[call-overload, arg-type]
