"""The first table of a report: who the two arms are at the start."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evalkit import words
from evalkit.cohort.baseline import compare
from evalkit.disclosure import count
from evalkit.report.blocks import Column, Table
from evalkit.report.common import characteristic, protected, rule_of, shown
from evalkit.report.html import Cell
from evalkit.report.phrases import arm_names, has_arms
from evalkit.report.sections import Blocks

MOST = 12  # characteristics described at most
ANSWERS = 6  # more different answers than this are not listed
ARMS = ("treated", "comparison")


def characteristics(evaluation: Any) -> Table | None:
    """Describe the arms by the covariates of the plan.

    Parameters
    ----------
    evaluation : Evaluation
        With a cohort.

    Returns
    -------
    Table or None
        Mean and SD of numbers, count and share of answers, all protected; None without arms or covariates.
    """
    study = evaluation.study
    if not has_arms(study):
        return None
    rows = [row for name in _named(evaluation) for row in _describe(evaluation, name)]
    if not rows:
        return None
    columns = [Column("Characteristic", number=False)]
    columns += [Column(head, group=name) for name in arm_names(study) for head in ("n", "mean (SD) or share")]
    return Table(
        "characteristics",
        "Who the two groups are at the start",
        f"{study.study.people.capitalize()} who meet every rule, before any weighting",
        columns,
        rows,
        notes=[f"n: people whose value is known, or who gave that answer. Rule in force: {rule_of(evaluation)}."],
        meanings={words.SUPPRESSED: "suppressed: a count below the threshold, or one from which it could be found"},
    )


def readings(evaluation: Any) -> pd.DataFrame | None:
    """Compare the arms on what the cohort's own comparison lacks of the plan: questionnaires at the start.

    Parameters
    ----------
    evaluation : Evaluation
        With a cohort and, for readings, outcomes.

    Returns
    -------
    DataFrame or None
        In the form of ``cohort.baseline``; None without arms or further characteristics.
    """
    found, wide = evaluation.cohort, evaluation.outcomes.wide if evaluation.outcomes is not None else pd.DataFrame()
    baseline = getattr(found, "baseline", None)
    if baseline is None or not len(baseline) or not len(wide) or not has_arms(evaluation.study):
        return None
    names = [name for name in _named(evaluation) if name in wide and name not in set(baseline["column"])]
    numbers = [name for name in names if pd.api.types.is_numeric_dtype(wide[name])]
    arms = [(found.table["arm"] == arm).to_numpy() for arm in ARMS]
    return compare(wide[numbers].reset_index(drop=True), arms[0], arms[1], numbers) if numbers else None


def _named(evaluation: Any) -> list[str]:
    plan, table = evaluation.study.counterfactual, evaluation.cohort.table
    wide = evaluation.outcomes.wide.columns if evaluation.outcomes is not None else []
    wanted = [*(plan.covariates if plan else []), *evaluation.study.cohort.columns]
    return [name for name in dict.fromkeys(wanted) if name in table.columns or name in wide][:MOST]


def _describe(evaluation: Any, name: str) -> Blocks:
    table = evaluation.cohort.table
    if name in table.columns:
        values = table[name]
    else:
        values = pd.Series(evaluation.outcomes.wide[name].to_numpy(), index=table.index)
    arms = {arm: values[table["arm"] == arm].dropna() for arm in ARMS}
    label = characteristic(evaluation, name)
    if pd.api.types.is_numeric_dtype(values) and values.nunique() > 2:
        return _mean(evaluation, label, arms)
    return _answers(evaluation, label, arms)


def _mean(evaluation: Any, label: str, arms: dict[str, pd.Series]) -> Blocks:
    frame = pd.DataFrame({f"{arm}_n": [len(values)] for arm, values in arms.items()})
    for arm, values in arms.items():
        numbers = values.astype(float)
        digits = 0 if abs(numbers.mean()) >= 1000 else 1
        frame[arm] = f"{words.number(numbers.mean(), digits)} ({words.number(numbers.std(), digits)})"
    row = next(_safe(frame, evaluation).itertuples())
    few = {arm for arm, values in arms.items() if _few_missing(evaluation, arm, len(values))}
    return [_written(row, label, few)]


def _few_missing(evaluation: Any, arm: str, n: int) -> bool:
    """Whether n would tell that few people lack a value; then n is hidden and the mean, which rests on many, is not."""
    missing = int((evaluation.cohort.table["arm"] == arm).sum()) - n
    return missing > 0 and count(missing, rule_of(evaluation)) == words.SUPPRESSED


def _answers(evaluation: Any, label: str, arms: dict[str, pd.Series]) -> Blocks:
    answers = sorted(pd.concat(arms.values()).astype(str).unique(), key=str)
    if not answers or len(answers) > ANSWERS:
        return []
    frame = pd.DataFrame({"answer": [*answers, "all answers"]})
    for arm, values in arms.items():
        counts = [int((values.astype(str) == answer).sum()) for answer in answers]
        frame[f"{arm}_n"] = [*counts, sum(counts)]
        shares = [
            words.percent(n / sum(counts)) if sum(counts) else words.NOT_AVAILABLE for n in [*counts, sum(counts)]
        ]
        frame[arm] = shares
    safe = _safe(frame, evaluation, total="all answers")  # so that no answer can be found from the others
    yes = [answer for answer in answers if answer in {"1", "1.0", "True"}]
    only = yes if len(answers) <= 2 and yes else answers
    heads = {answer: label if answer in yes else f"{label}: {answer}" for answer in only}
    few = {arm for arm, values in arms.items() if _few_missing(evaluation, arm, len(values))}
    return [_written(row, heads[row.answer], few) for row in safe.itertuples() if row.answer in heads]


def _safe(frame: pd.DataFrame, evaluation: Any, total: str | None = None) -> pd.DataFrame:
    counts = [f"{arm}_n" for arm in ARMS]
    return protected(frame, evaluation, counts, dict(zip(ARMS, counts, strict=True)), total)


def _written(row: Any, label: str, few: set[str]) -> list[object]:
    cells: list[object] = [Cell(label)]
    for arm in ARMS:
        cells += [words.SUPPRESSED if arm in few else shown(getattr(row, f"{arm}_n")), getattr(row, arm)]
    return cells
