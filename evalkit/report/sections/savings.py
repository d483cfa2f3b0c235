"""Who pays and who saves: avoided costs by agency beside what each agency paid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from evalkit import words
from evalkit.report.amounts import few_behind
from evalkit.report.blocks import Column, How, Table, Text
from evalkit.report.html import Cell, sentence, slug
from evalkit.report.phrases import finite, real, said
from evalkit.report.rests import hidden_metrics, printed_value
from evalkit.report.results import Result
from evalkit.report.sections import section
from evalkit.value.saved import BEARS_ONLY, PAYS_AND_BEARS, PAYS_ONLY, SAVES_ONLY
from evalkit.value.savings import NOT_STATED

CASHED = {"cashable": "yes", "not_cashable": "no", "cashable_unknown": "not known"}
NOTHING = "not applicable: nothing is counted as saved"
OTHER_KINDS = {"economic": "economic value", "social": "social value", "not stated": "value of no stated kind"}


def _results(evaluation: Any) -> Iterator[Result]:
    found = _found(evaluation)
    if found is None:
        return
    currency = str(evaluation.study.study.currency)
    source = "fiscal lines of the impact map, by the splits in use; present value"
    saves = found.by_agency[(found.by_agency["saving"] != 0) | (found.by_agency["split_high"] != 0)]
    rows = [(f"{_word(row.agency)}.value", row.saving, row.low, row.high) for row in saves.itertuples()]
    names = ["fiscal", *(["cashable"] if _any_cashable(found) else [])]
    ends = {name: (found.totals[name], found.totals[f"{name}_low"], found.totals[f"{name}_high"]) for name in names}
    rows += [(f"total_{name}" if name == "fiscal" else name, *numbers) for name, numbers in ends.items()]
    for name, value, low, high in rows:
        bounds = [real(end) if finite(end) else None for end in (low, high)]
        text = words.number(real(value), 0)
        yield Result(f"savings.{name}", real(value), currency, bounds[0], bounds[1], text, "savings", source)


@section("savings", "Who pays and who saves", 82, results=_results)
def savings(evaluation: Any) -> list[Any]:
    """Savings by agency against payments, and by every version of the splits."""
    found = _found(evaluation)
    if found is None:
        return []
    blocks: list[Any] = [Text(_opening(evaluation, found), _cash(evaluation, found)), _agencies(evaluation, found)]
    return [*blocks, *([_versions(evaluation, found)] if len(found.by_version) else [])]


def _found(evaluation: Any) -> Any:
    """What the look at savings found, or None."""
    return getattr(printed_value(evaluation), "looks", {}).get("savings")


def _word(agency: object) -> str:
    return slug(said(agency)).replace("-", "_")


def _any_cashable(found: Any) -> bool:
    return bool((found.by_agency[["cashable", "not_cashable"]] != 0).any().any())


def _money(evaluation: Any, value: object) -> str:
    return words.money(real(value), str(evaluation.study.study.currency))


def _span(evaluation: Any, low: object, high: object) -> str:
    """A range of money in words."""
    if not finite(low) or not finite(high):
        return "no range is known"
    return f"{_money(evaluation, low)} to {_money(evaluation, high)}"


def _opening(evaluation: Any, found: Any) -> str:
    """How much is spared in all, within which range, and who pays without saving or saves without paying."""
    total, low, high = (found.totals[name] for name in ("fiscal", "fiscal_low", "fiscal_high"))
    if real(total) < 0:
        lead = f"The outcomes are reckoned to have cost public agencies {_money(evaluation, -total)} more, not less"
    else:
        lead = f"Public agencies are reckoned to be spared costs of {_money(evaluation, total)}"
    sentences = [f"{lead} ({_span(evaluation, low, high)})."]
    if finite(low) and real(low) < 0 < real(high):
        sentences.append("The range includes 0: that anything was saved is not established.")
    return " ".join([*sentences, *_roles(found)])


SAYS = {  # role -> one agency, several
    SAVES_ONLY: ("saves and does not pay", "save and do not pay"),
    PAYS_ONLY: ("pays and saves nothing that is counted", "pay and save nothing that is counted"),
    PAYS_AND_BEARS: ("pays, and bears costs besides", "pay, and bear costs besides"),
    BEARS_ONLY: ("bears costs and does not pay", "bear costs and do not pay"),
}
UNCLEAR = {  # the same where the range includes 0
    SAVES_ONLY: ("does not pay; whether it saves", "do not pay; whether they save"),
    PAYS_AND_BEARS: ("pays; whether it bears costs", "pay; whether they bear costs"),
    BEARS_ONLY: ("does not pay; whether it bears costs", "do not pay; whether they bear costs"),
}
OPEN = " is not established"


def _roles(found: Any) -> list[str]:
    """Who saves without paying, or pays without saving, in plain sentences."""
    table, told = found.by_agency[found.by_agency["agency"] != NOT_STATED], []
    for role, says in SAYS.items():
        mine = table[table["role"] == role]
        unclear = mine[[_unclear(row) for row in mine.itertuples()]]
        for rows, verbs, end in ((mine.drop(unclear.index), says, ""), (unclear, UNCLEAR.get(role, says), OPEN)):
            if len(rows):
                told.append(f"{_first_up(words.listed(list(rows['agency'])))} {verbs[len(rows) > 1]}{end}.")
    return told


def _first_up(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _unclear(row: Any) -> bool:
    """Whether the range of an agency's saving includes 0."""
    return finite(row.low) and finite(row.high) and real(row.low) < 0 < real(row.high)


def _cash(evaluation: Any, found: Any) -> str:
    """What a saving is, and how much of it can be cashed."""
    unknown = real(found.totals["cashable_unknown"])
    first = "A saving is a cost that is avoided, not money in hand."
    if not _any_cashable(found):
        return f"{first} How much of it could be taken out of a budget, nobody has said."
    says = f"Of it, {_money(evaluation, found.totals['cashable'])} is said to be cashable"
    rest = f"; of {_money(evaluation, unknown)} that is not known" if round(unknown) else ""
    return f"{first} {says}{rest}."


def _pays_hidden(evaluation: Any, found: Any) -> bool:
    """Whether what agencies paid would tell of few people."""
    contract = evaluation.contract
    if contract is None or not found.paid.known or evaluation.study.contract is None:
        return False
    if len(contract.table) and hidden_metrics(evaluation):  # an agency may have paid for one metric
        return True
    return any(value > 0 and few_behind(evaluation, value) for value in found.paid.by.values())


def _agencies(evaluation: Any, found: Any) -> Table:
    parts = [name for name in CASHED if _any_cashable(found) and found.by_agency[name].abs().sum() > 0]
    pays, secret = found.paid.known, _pays_hidden(evaluation, found)
    columns = [Column("Agency", False), Column("Present value", group="Saves"), Column("95% range", group="Saves")]
    columns += [Column(CASHED[name], group="Can it be cashed?") for name in parts]
    columns += [Column("Pays")] if pays else []
    columns += [Column("Net", group="Saves less pays"), Column("95% range", group="Saves less pays")] if pays else []
    rows = [_row(row, parts, pays, secret) for row in found.by_agency.itertuples()]
    year = evaluation.study.study.price_year
    unit = f"{evaluation.study.study.currency}{f', {year} prices' if year else ''}"
    names = [f"savings.{_word(row.agency)}.value" for row in found.by_agency.itertuples() if row.saving != 0]
    return Table(
        "savings",
        _finding(found),
        f"Fiscal value only, {unit}; a minus is a cost",
        columns,
        [*rows, _total(found, parts, pays, secret)],
        notes=_notes(evaluation, found),
        how=How(_method(evaluation, found), [*names, *_result_names(found)]),
        total=1,
        meanings={words.NOT_APPLICABLE: NOTHING, words.NOT_AVAILABLE: "not available: no ranges were given"},
        dense=True,
        width=52,
    )


def _result_names(found: Any) -> list[str]:
    return ["savings.total_fiscal", *(["savings.cashable"] if _any_cashable(found) else [])]


def _finding(found: Any) -> str:
    """Who saves without paying, or else that those who save also pay."""
    if not found.paid.known:
        return "Whom the avoided costs fall to; who paid is not known"
    told = [text for text in _roles(found) if "save" in text and "not pay" in text]
    return told[0].rstrip(".") if told else "What each agency saves, and what it pays"


def _row(row: Any, parts: list[str], pays: bool, secret: bool) -> list[object]:
    none = row.saving == 0 and row.split_high == 0 and row.split_low == 0
    ends = words.NOT_APPLICABLE if none else words.interval(real(row.low), real(row.high), 0)
    role = f"{row.role}: not established" if _unclear(row) else said(row.role)
    cells: list[object] = [Cell(said(row.agency), small=role), words.number(real(row.saving), 0), ends]
    cells += [words.number(real(getattr(row, name)), 0) for name in parts]
    if pays:
        net = words.interval(real(row.net_low), real(row.net_high), 0)
        shown = [words.number(real(row.pays), 0), words.number(real(row.net), 0, sign=True), net]
        cells += [words.SUPPRESSED] * 3 if secret and row.pays > 0 else shown
    return cells


def _total(found: Any, parts: list[str], pays: bool, secret: bool) -> list[object]:
    totals, paid = found.totals, float(found.by_agency["pays"].sum())
    saves = real(totals["fiscal"])
    cells: list[object] = [
        "Together",
        words.number(saves, 0),
        words.interval(real(totals["fiscal_low"]), real(totals["fiscal_high"]), 0),
        *(words.number(real(totals[name]), 0) for name in parts),
    ]
    if pays:
        net = words.interval(real(totals["fiscal_low"]) - paid, real(totals["fiscal_high"]) - paid, 0)
        shown = [words.number(paid, 0), words.number(saves - paid, 0, sign=True), net]
        cells += [words.SUPPRESSED] * 3 if secret else shown
    return cells


def _notes(evaluation: Any, found: Any) -> list[str]:
    """What is not in the table, and what it mixes."""
    notes = []
    others = found.by_kind[found.by_kind["kind"] != "fiscal"]
    if len(others):
        listed = words.listed([_beside(evaluation, row) for row in others.itertuples()])
        notes.append(f"Beside it and never added to it: {listed}.")
    if found.paid.known:
        notes.append(
            f"{found.paid.how} Payments are in money of the day and savings are present values, "
            "so the net is a comparison, not an account."
        )
    elif found.paid.how:
        notes.append(found.paid.how)
    return notes


def _beside(evaluation: Any, row: Any) -> str:
    kind = OTHER_KINDS.get(row.kind, f"{row.kind} value")
    return f"{kind} of {_money(evaluation, row.present_value)} ({_span(evaluation, row.low, row.high)})"


def _method(evaluation: Any, found: Any) -> list[str]:
    """How the savings were worked out."""
    told = [
        "A saving is the present value of the fiscal lines of the impact map, shared out by the splits in use; a line "
        "without a split falls to its own agency. Quantities from effects are net of what would have happened anyway.",
        "Ranges are from the same joint draws as those of the ratio; ranges of agencies do not add up to that of the "
        "total.",
    ]
    return [*told, sentence(said(evaluation.value.convention))]


def _versions(evaluation: Any, found: Any) -> Table:
    disputed = list(found.by_agency.loc[found.by_agency["disputed"], "agency"])
    table: pd.DataFrame = found.by_version[found.by_version["agency"].isin(disputed)]
    versions = list(dict.fromkeys(zip(table["version"], table["standing"], strict=True)))
    rows: list[list[object]] = []
    for agency, mine in table.groupby("agency", sort=False):
        cells: list[object] = [said(agency)]
        for row in mine.itertuples():
            ends = words.interval(real(row.low), real(row.high), 0) if finite(row.low) else ""
            cells.append(Cell(words.number(real(row.saving), 0), small=ends))
        rows.append([*cells, words.interval(mine["saving"].min(), mine["saving"].max(), 0)])
    head = [Column("Agency", False), *(Column(f"{name} ({standing})") for name, standing in versions)]
    return Table(
        "splits",
        f"The split is disputed for {words.listed(disputed)}" if disputed else "The versions of the split agree",
        f"Saving by each version, present value, {evaluation.study.study.currency}; below it the 95% range",
        [*head, Column("Over versions")],
        rows,
        notes=["Which version is right is a question to the parties; the table above uses the first."],
        width=36,
    )
