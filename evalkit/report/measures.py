"""Tables on the measures themselves: reliability, comparability, what each adds, whose they are."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evalkit import words
from evalkit.report.blocks import Column, How, Table
from evalkit.report.html import lower_first
from evalkit.report.phrases import finite, real, said
from evalkit.report.rough import TENS, few, tens

MODELS = {
    "configural": "the same questions belong together",
    "metric": "and count alike",
    "scalar": "and start from the same level",
    "strict": "and are as exact",
}
_ENOUGH = 0.7


def reliabilities(evaluation: Any, table: pd.DataFrame) -> Table:
    """How well the items of each score hang together.

    Parameters
    ----------
    evaluation : Evaluation
        For the rule in force.
    table : DataFrame
        The look "reliability".

    Returns
    -------
    Table
        A row per measure.
    """
    rows: list[list[object]] = []
    for _, mine in table.groupby("measure", sort=False):
        found = {row.kind: row for row in mine.itertuples()}
        first = next(iter(found.values()))
        row: list[object] = [f"{first.title}, {lower_first(said(first.occasion_title))}", str(first.k)]
        row.append(tens(first.n, evaluation))
        for kind in ("alpha", "omega"):
            row += _coefficient(evaluation, found.get(kind))
        rows.append(row)
    low = sum(finite(value) and real(value) < _ENOUGH for value in table.loc[table["kind"] == "alpha", "value"])
    finding = "The items of every score hang together well enough to compare groups (alpha 0.7 or more)"
    if low:
        finding = f"{low} of {table['measure'].nunique()} scores hang together less than is usual (alpha below 0.7)"
    columns = [Column("Score", False), Column("items"), Column("people")]
    for head in ("Alpha", "Omega"):
        columns += [Column("value", group=head), Column("95% interval", group=head)]
    return Table(
        "reliability",
        finding,
        "Internal consistency at the first occasion, of everyone with all answers",
        columns,
        rows,
        notes=["That items hang together does not say that they measure what they should.", TENS],
        how=How([f"{row.kind}: {row.method}, {row.policy}." for row in table.drop_duplicates("kind").itertuples()]),
    )


def _coefficient(evaluation: Any, row: Any) -> list[str]:
    if row is None or few(row.n, evaluation):
        return [words.NOT_AVAILABLE if row is None else words.SUPPRESSED] * 2
    return [words.number(real(row.value), 2), words.interval(real(row.low), real(row.high), 2)]


def comparabilities(evaluation: Any, table: pd.DataFrame) -> Table:
    """Whether scores mean the same across arms, services and occasions.

    Parameters
    ----------
    evaluation : Evaluation
        For the rule in force.
    table : DataFrame
        The look "comparability".

    Returns
    -------
    Table
        A row per measure, grouping and model.
    """
    rows: list[list[object]] = []
    row: Any
    failed: set[str] = set()
    for row in table.itertuples():
        head = f"{row.title}, across {_plural(row.across)}"
        if row.model not in MODELS:
            rows.append([head, said(row.verdict), *[words.NOT_AVAILABLE] * 6])
            continue
        fit = [words.number(real(getattr(row, name)), 3) for name in ("cfi", "rmsea", "srmr")]
        change = words.number(real(row.delta_cfi), 3, sign=True) if finite(row.delta_cfi) else words.NOT_APPLICABLE
        chisq = f"{words.number(real(row.chisq), 1)} ({int(row.df)})"
        rows.append([head, f"{row.model}: {MODELS[row.model]}", chisq, *fit, change, _holds(row, head in failed)])
        failed |= set() if bool(row.holds) else {head}
    return Table(
        "comparability",
        _comparable(table),
        "Factor models in which more and more is held equal, one below another",
        [Column("Score", False), Column("Held equal", False), Column("chi-square (df)"), Column("CFI"),
         Column("RMSEA"), Column("SRMR"), Column("change of CFI"), Column("holds", False)],
        rows,
        notes=[
            "A step holds where the CFI falls by no more than 0.010 and the RMSEA rises by no more than 0.015 "
            "(Chen 2007). Means may be compared where the scalar step holds."
        ],
        how=How(
            [
                "Maximum likelihood with a mean structure, answers taken as normal. Over occasions the same people "
                "answer again: one model for all occasions, each item keeping a residual of its own over time.",
                *dict.fromkeys(said(text) for text in table["verdict"]),
            ]
        ),
    )  # fmt: skip


def _plural(across: object) -> str:
    return {"arm": "arms", "service": "services", "occasion": "occasions"}.get(str(across), str(across))


def _holds(row: Any, failed: bool) -> str:
    """A step says nothing once one before it has failed."""
    return words.NOT_APPLICABLE if failed else "yes" if bool(row.holds) else "no"


def _comparable(table: pd.DataFrame) -> str:
    """Which comparisons of means the measures bear."""
    parts = []
    for title, rows in table.groupby("title", sort=False):
        told = [_borne(str(across), mine) for across, mine in rows.groupby("across", sort=False)]
        parts.append(f"{title}: {', '.join(told)}")
    return "; ".join(parts)


def _borne(across: str, mine: pd.DataFrame) -> str:
    steps = mine.set_index("model")["holds"] if "holds" in mine else pd.Series(dtype=object)
    if "scalar" not in steps:
        return f"not tested across {_plural(across)}"
    held = all(bool(steps[step]) for step in ("configural", "metric", "scalar"))
    return f"{'comparable' if held else 'not shown to be comparable'} across {_plural(across)}"


def additions(evaluation: Any, table: pd.DataFrame) -> list[Table]:
    """What each measure adds to its domain's index, against its cost.

    Parameters
    ----------
    evaluation : Evaluation
        For currency and the rule in force.
    table : DataFrame
        The look "what each measure adds".

    Returns
    -------
    list of Table
        One per domain.
    """
    return [_addition(evaluation, mine) for _, mine in table.groupby("domain", sort=False)]


def _addition(evaluation: Any, mine: pd.DataFrame) -> Table:
    currency = evaluation.study.study.currency
    priced, timed = bool(mine["cost"].notna().any()), bool(mine["minutes"].notna().any())
    columns = [Column("Measure", False), Column("weight"), Column("of its own"), Column("alone"), Column("without it"),
               Column("precision added")]  # fmt: skip
    columns += [Column("cost of a reading")] if priced else []
    columns += [Column("minutes of a reading")] if timed else []
    rows: list[list[object]] = []
    for row in mine.itertuples():
        cells: list[object] = [row.title, words.number(real(row.weight), 2), words.percent(real(row.unique), 0)]
        cells += [_error(row.se_alone), _error(row.se_without), words.percent(real(row.precision_added), 0)]
        cells += [words.whole_money(real(row.cost), currency, 2) if finite(row.cost) else words.NOT_AVAILABLE] * priced
        cells += [words.number(real(row.minutes), 0) if finite(row.minutes) else words.NOT_AVAILABLE] * timed
        rows.append(cells)
    most = mine.iloc[int(mine["precision_added"].astype(float).argmax())]
    se = words.number(real(mine["se"].iloc[0]), 3)
    return Table(
        f"adds-{mine['domain'].iloc[0]}",
        f"{mine['domain_title'].iloc[0]}: {lower_first(most['title'])} adds most to what the index knows",
        f"Standard errors of the plain difference of the arms, in SD; that of the whole index is {se}",
        columns,
        rows,
        notes=[
            "Of its own: the share of a measure's variance that the others do not explain. Precision added: the share "
            "of the index's precision (1 / standard error squared) that is lost without it; below 0 the others alone "
            "are more exact.",
            "A measure may be worth its cost although it adds no precision: because only it speaks of something that "
            "matters.",
        ],
        how=How(
            [
                "Each measure left out in turn, the weights worked out anew; CR2 standard errors by cluster.",
                "An index of this occasion by itself, with inverse-covariance weights and the comparison's unit: it "
                "need not equal the index of the planned analysis.",
            ]
        ),
    )


def _error(value: object) -> str:
    return words.number(real(value), 3) if finite(value) else words.NOT_AVAILABLE


def voices(found: Any) -> list[Table]:
    """Who asked for what, and what is paid for, measured and valued.

    Parameters
    ----------
    found : WhoseOutcomes
        The look "whose outcomes".

    Returns
    -------
    list of Table
        The matrix, and the list of outcomes.
    """
    matrix = Table(
        "whose-outcomes",
        _whose(found.counts),
        "Outcomes by who asked for them",
        [Column("Asked for by", False), *(Column(place, False) for place in found.matrix.columns)],
        [[str(proposer), *(said(cell) or "none" for cell in row)] for proposer, row in
         zip(found.matrix.index, found.matrix.to_numpy(), strict=True)],
        how=How(
            ["Who reports each outcome, and whose life it is about:"],
            table=Table(
                "whose-outcomes-each", "Each outcome", "", [Column("Outcome", False), Column("asked for by", False),
                Column("reported by", False), Column("about", False), Column("place", False)],
                [[said(row.title), said(row.proposed_by) or "not said", said(row.informant) or "records or not said",
                  said(row.about) or "not said", said(row.place) or "neither"] for row in found.table.itertuples()],
            ),
            summary="Each outcome by itself",
        ),
    )  # fmt: skip
    return [matrix]


def _whose(counts: pd.DataFrame) -> str:
    asked = counts.sum(axis=1)
    own = int(asked["service users"]) if "service users" in asked.index else 0
    if not own:
        return "No outcome was asked for by those whom the service is for"
    paid = int(counts["paid for"]["service users"])
    outcomes = "one outcome" if own == 1 else f"{own} outcomes"
    return f"Service users asked for {outcomes}; {paid or 'none'} of them {'is' if paid == 1 else 'are'} paid for"
