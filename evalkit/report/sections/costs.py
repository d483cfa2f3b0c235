"""What it cost to run: set-up, management, evaluation and measurement, against what was paid; and the budgets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pandas as pd

from evalkit import words
from evalkit.disclosure import count
from evalkit.report.amounts import amount, exact_sum, pence, unit_words
from evalkit.report.blocks import Column, How, Table, Text
from evalkit.report.budgeted import budget_tables
from evalkit.report.common import rule_of, treated
from evalkit.report.html import Cell, sentence
from evalkit.report.phrases import finite, real
from evalkit.report.rests import judged_tell, printed_value, totals_tell
from evalkit.report.results import Result
from evalkit.report.sections import section

MEANS = "set-up, management, evaluation and measurement"
PAID = "outcome payments"
ADDED = "payments owed for what the programme added"
RESULT_NAMES = ["contract.running_cost", "contract.running_cost_share"]


def _found(evaluation: Any) -> Any:
    """The costs, held to no amount from which a hidden count would follow."""
    found = _looks(evaluation).get("costs")
    if found is None:
        return None
    secret = {PAID} if totals_tell(evaluation) else set()
    secret |= {ADDED} if judged_tell(evaluation) else set()
    return replace(found, against=found.against[~found.against["what"].isin(secret)]) if secret else found


def _looks(evaluation: Any) -> Any:
    return getattr(evaluation.contract, "looks", {})


def _results(evaluation: Any) -> Iterator[Result]:
    """The running cost, and its share of what was paid."""
    found, currency = _found(evaluation), str(evaluation.study.study.currency)
    if found is None or not finite(found.totals["running"]):
        return
    running = real(found.totals["running"])
    source = f"{MEANS}: {found.totals['running_from']} amounts in the table of costs"
    text = words.whole_money(running, currency, pence([running]))
    yield Result("contract.running_cost", running, currency, None, None, text, "costs", source)
    share = found.against.loc[found.against["what"] == PAID, "share"]
    if len(share) and finite(share.iloc[0]):
        text = words.percent(real(share.iloc[0]), 1)
        how = f"running cost divided by {PAID}; {source}"
        yield Result("contract.running_cost_share", real(share.iloc[0]), "share", None, None, text, "costs", how)


@section("costs", "What it cost to run", 78, results=_results)
def costs(evaluation: Any) -> list[Any]:
    """Cost by phase, party and kind; against what was paid; budgets."""
    found = _found(evaluation)
    blocks: list[Any] = []
    if found is not None:
        blocks.append(Text(*_opening(evaluation, found)))
        blocks += [_by_phase(evaluation, found), _against(evaluation, found), _by_party(evaluation, found)]
    blocks += budget_tables(evaluation, _looks(evaluation).get("budgets"))
    return [block for block in blocks if block is not None]


def _opening(evaluation: Any, found: Any) -> list[str]:
    """Is it large enough to justify the cost? The numbers, and what they do not say."""
    totals, currency = found.totals, str(evaluation.study.study.currency)
    if not finite(totals["running"]):
        return ["No amount is on record for what it cost to run the contract."]
    running = words.money(real(totals["running"]), currency)
    what = "cost" if totals["running_from"] == "actual" else "was planned to cost"
    told = [f"Running the contract ({MEANS}) {what} {running}."]
    paid = found.against[found.against["what"] == PAID]
    if len(paid) and finite(paid["share"].iloc[0]):
        share = real(paid["share"].iloc[0])
        of = words.money(real(paid["amount"].iloc[0]), currency)
        each = words.whole_money(share, currency, 2)
        one = words.whole_money(1, currency)
        told.append(f"That is {words.percent(share, 1)} of the {of} of outcome payments: {each} for each {one} paid.")
    question = (
        "Is it large enough to justify the cost? The figures below set the cost of paying by outcome against the "
        "contract's size. They do not say what another kind of contract would have cost to run, so they cannot settle "
        "it; that comparison needs the running cost of a contract without outcome payments."
    )
    return [" ".join(told), question]


def _amount_row(label: object, row: dict[str, Any], digits: int, days: bool) -> list[object]:
    gap = real(row["actual"]) - real(row["planned"])
    cells: list[object] = [label, amount(row["planned"], digits), amount(row["actual"], digits)]
    cells.append(Cell(amount(gap, digits, sign=True), bold=bool(finite(gap) and round(gap, 2) != 0)))
    return [*cells, _days(row)] if days else cells


def _days(row: dict[str, Any]) -> object:
    """Staff days, with those that have no money under them."""
    if not finite(row["days"]):
        return ""
    digits = 0 if real(row["days"]) % 1 == 0 else 1
    small = ""
    if finite(row.get("unpriced_days")):
        small = f"{words.number(real(row['unpriced_days']), digits)} without money"
    return Cell(words.number(real(row["days"]), digits), small=small)


def _columns(first: str, days: bool) -> list[Column]:
    heads = [Column("Planned"), Column("Actual"), Column("Actual less planned")]
    return [Column(first, False), *heads, *([Column("Staff days")] if days else [])]


def _by_phase(evaluation: Any, found: Any) -> Table:
    """Each phase with the kinds of cost in it, and the total of all lines."""
    totals = found.totals
    digits = pence(found.lines["planned"], found.lines["actual"])
    days = finite(totals["days"])
    rows = []
    for row in found.by_phase.to_dict("records"):
        mine = found.lines[found.lines["phase"] == row["phase"]]
        kinds = list(dict.fromkeys(kind for kind in found.by_kind["kind"] if kind in set(mine["kind"])))
        label = Cell(sentence(row["phase"]).rstrip("."), small=words.listed(kinds))
        rows.append(_amount_row(label, row, digits, days))
    run = {"planned": totals["running_planned"], "actual": totals["running_actual"], "days": float("nan")}
    rows += [
        _amount_row("All costs on record", totals, digits, days),
        _amount_row("Of these, running cost", run, digits, days),
    ]
    return Table(
        "running-costs",
        _phase_finding(evaluation, found),
        f"Costs by phase, in {unit_words(evaluation)} as recorded; delivery and investors' cost are no running cost",
        _columns("Phase", days),
        rows,
        notes=_notes(found),
        source="; ".join(dict.fromkeys(source for source in found.lines["source"] if source)),
        how=How(
            [f"Running cost = {MEANS}.", "Totals are exact sums of the lines, to the penny."], ["contract.running_cost"]
        ),
        total=2,
        width=44,
    )


def _phase_finding(evaluation: Any, found: Any) -> str:
    totals, currency = found.totals, str(evaluation.study.study.currency)
    running = words.whole_money(real(totals["running"]), currency, pence([totals["running"]]))
    if not finite(totals["running"]):
        return "What is on record of the cost of running the contract"
    planned, actual = real(totals["running_planned"]), real(totals["running_actual"])
    if totals["running_from"] == "planned":
        return f"Running the contract was planned to cost {running}; what it cost is not on record"
    if not finite(planned):
        return f"Running the contract cost {running}; no plan is on record"
    gap = actual - planned
    if round(gap, 2) == 0:
        return f"Running the contract cost {running}, as planned"
    size = words.whole_money(abs(gap), currency, pence([gap]))
    return f"Running the contract cost {running}, {size} {'more' if gap > 0 else 'less'} than planned"


def _notes(found: Any) -> list[str]:
    notes = []
    one_sided = found.lines[["planned", "actual"]].notna().sum(axis=1) == 1
    if one_sided.any():
        notes.append(
            "Some lines have a planned or an actual amount only: differences of sums are not of the same lines."
        )
    if finite(found.totals["unpriced_days"]):
        notes.append("Staff days without money are in no amount: nobody said what a day costs.")
    return notes


def _against(evaluation: Any, found: Any) -> Table | None:
    """The running cost against each size."""
    currency = str(evaluation.study.study.currency)
    rows: list[list[object]] = []
    ranged = False
    for row in [*found.against.to_dict("records"), *_value_row(evaluation, found)]:
        span = _span(row)
        ranged = ranged or bool(span)
        label = Cell(sentence(row["what"]).rstrip("."))
        share = words.percent(real(row["share"]), 1) if finite(row["share"]) else words.NOT_APPLICABLE
        rows.append([label, amount(row["amount"], 0), Cell(share, small=span)])
    if not rows and not finite(found.per_person):
        return None
    rows += _per_person(evaluation, found, currency)
    share = found.against.loc[found.against["what"] == PAID, "share"]
    names = RESULT_NAMES if len(share) and finite(share.iloc[0]) else RESULT_NAMES[:1]
    notes = _set_up_note(found, currency)
    if ranged:
        notes.append("Intervals are those of the amounts they are held to, at 95%.")
    return Table(
        "running-cost-against",
        _against_finding(found),
        f"Running cost ({MEANS}) against the contract's size, in {unit_words(evaluation)}",
        [Column("Held to", False), Column("Amount"), Column("Running cost is")],
        rows,
        notes=notes,
        how=How(
            [f"Share = running cost divided by the amount. {sentence(found.totals['running_from'])[:-1]} amounts."],
            names,
        ),
        width=30,
    )


def _span(row: dict[str, Any]) -> str:
    """The interval of a share, where what it is held to has one."""
    if not finite(row["low"]) and not finite(row["high"]):
        return ""
    return words.interval(real(row["low"]), real(row["high"]), 1, percent=True)


def _against_finding(found: Any) -> str:
    told = [
        f"{words.percent(real(row['share']), 1)} of {row['what']}"
        for row in found.against.to_dict("records")
        if finite(row["share"]) and not (finite(row["low"]) or finite(row["high"]))
    ]
    return f"Running cost was {words.listed(told[:2])}" if told else "The running cost against the contract's size"


def _per_person(evaluation: Any, found: Any, currency: str) -> list[list[object]]:
    """Running cost for each person served; hidden where they are few."""
    if not finite(found.per_person) or found.people is None:
        return []
    published = bool(evaluation.study.contract.published)
    counted = not published and not evaluation.study.contract.people and treated(evaluation) is None
    people = words.SUPPRESSED if counted else count(found.people, rule_of(evaluation), published)
    who = str(evaluation.study.study.people or "people")
    label = f"Number of {who} {'served' if evaluation.study.contract.people else 'in the programme who are counted'}"
    if people == words.SUPPRESSED:
        return [[label, words.SUPPRESSED, words.SUPPRESSED]]
    each = words.whole_money(real(found.per_person), currency, 0)
    return [[label, words.number(real(people), 0), f"{each} each"]]


def _set_up_note(found: Any, currency: str) -> list[str]:
    """How much of the running cost was spent before any outcome was paid for."""
    name = found.totals["running_from"]
    amounts = list(found.by_kind.loc[found.by_kind["kind"] == "set-up", name]) if name else []
    if not amounts or not finite(amounts[0]):
        return []
    return [f"{words.whole_money(real(amounts[0]), currency)} of it is set-up, which is the same whatever is paid."]


def _value_row(evaluation: Any, found: Any) -> list[dict[str, Any]]:
    """The present value of the outcomes as a size, where it has a range: never without one."""
    value, running = printed_value(evaluation), real(found.totals["running"])
    if value is None or not finite(value.ratio_low) or not finite(value.ratio_high) or not finite(running):
        return []
    size, low, high = (real(value.cost) * real(ratio) for ratio in (value.ratio, value.ratio_low, value.ratio_high))
    if not finite(size) or size <= 0:
        return []
    ends = {"low": running / high if high > 0 else float("inf"), "high": running / low if low > 0 else float("inf")}
    return [{"what": "present value of the outcomes", "amount": size, "share": running / size, **ends}]


def _by_party(evaluation: Any, found: Any) -> Table | None:
    """Who bore which cost, by kind."""
    parties = list(found.by_party["party"])
    if parties in ([], ["not stated"]):
        return None
    lines = found.lines[found.lines["kind"].isin(found.by_kind["kind"])]
    value = lines["actual"].fillna(lines["planned"])
    digits = pence(value)
    kinds = list(found.by_kind["kind"])
    grid = pd.pivot_table(
        lines.assign(value=value), index="party", columns="kind", values="value", aggfunc=exact_sum, observed=True
    )
    rows: list[list[object]] = []
    for party in parties:
        cells = [grid.loc[party].get(kind) if party in grid.index else None for kind in kinds]
        whole = exact_sum(value[lines["party"] == party])
        rows.append(
            [
                sentence(party).rstrip("."),
                *(amount(x, digits) if finite(x) else "" for x in cells),
                amount(whole, digits),
            ]
        )
    sums = [amount(exact_sum(value[lines["kind"] == kind]), digits) for kind in kinds]
    rows.append(["All parties", *sums, amount(exact_sum(value), digits)])
    mixed = bool((lines["actual"].isna() & lines["planned"].notna()).any())
    note = "The actual amount of each line, or the planned one where no actual is on record." if mixed else ""
    return Table(
        "costs-by-party",
        "Who bore which cost",
        f"Costs by party and kind, in {unit_words(evaluation)} as recorded",
        [Column("Party", False), *(Column(sentence(kind).rstrip(".")) for kind in kinds), Column("All")],
        rows,
        notes=[note],
        total=1,
        meanings={words.NOT_AVAILABLE: "no amount is on record, only staff days"},
        dense=True,
        width=46,
    )
