"""Savings by agency: who pays and who saves, cashable or not, by agreed and disputed splits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.errors import Flag, nearest
from evalkit.value.discount import line_factors
from evalkit.value.lines import RANGED
from evalkit.value.looks.base import View, look
from evalkit.value.payers import paid_by_agency
from evalkit.value.ranges import STREAM
from evalkit.value.saved import BEARS_ONLY, PAYS_AND_BEARS, PAYS_ONLY, SAVES_ONLY, Fiscal, PaysAndSaves, pays_and_saves
from evalkit.value.savings import NOT_IN_HAND, NOT_STATED, PARTS, agency_names
from evalkit.value.splits import Shares, Split, read_splits
from evalkit.value.unit_costs import children_of, look_up, read_unit_costs
from evalkit.value.worth import TAIL, draw_present_values, last_year, value_matrix

FISCAL = "fiscal"
OTHERS = ("economic", "social")
NOT_AGREED = ("disputed", "no", "false", "not agreed")
SEVERAL = ("several", "multiple", "various")
ALIKE = 0.8


@look("savings")
def savings(view: View) -> tuple[PaysAndSaves | None, list[Flag]]:
    """Who pays against who saves, from the fiscal lines of the impact map."""
    own = read_unit_costs(view.study)
    lines, parts, flags = _in_parts(view.lines.reset_index(drop=True), own)
    chosen = np.flatnonzero((lines["kind_of_value"] == FISCAL).to_numpy())
    flags += _not_counted(lines)
    if not len(chosen):
        return None, flags
    values, draws = _worth(view, lines)
    mine = lines.iloc[chosen].reset_index(drop=True)
    of_parts = {now: parts[int(was)] for now, was in enumerate(chosen) if int(was) in parts}
    written, said = read_splits(view.study, mine)
    splits, named = _named({**of_parts, **written}, mine)
    drawn = None if draws is None else draws[:, chosen]
    fiscal = Fiscal(values[chosen], drawn, mine["cashable"].to_numpy(dtype=float), splits)
    paid, asked = paid_by_agency(view.study, view.value.contract, fiscal.agencies)
    found = pays_and_saves(fiscal, _kinds(lines, values, draws), paid)
    flags += [
        *said,
        *_open(mine, written),
        *named,
        *asked,
        *_entries(mine, own),
        *_alike(fiscal.agencies),
        *_unheard_of(view.study, lines, written, own),
        *_of_another(mine, own),
        *_told(found),
    ]
    return found, flags


def _worth(view: View, lines: pd.DataFrame) -> tuple[np.ndarray, np.ndarray | None]:
    """Present value of every line, and its draws by column: the same joint draws as those of the ratio."""
    factors = line_factors(lines["rate"].tolist(), view.discounting, last_year(lines))
    values = (value_matrix(lines) * factors).sum(axis=1)
    drawing = view.drawing
    ranged = any((lines[f"{name}_high"] > lines[f"{name}_low"]).any() for name in RANGED)
    if not (ranged or drawing.quantities):
        return values, None
    random = np.random.default_rng([drawing.seed, STREAM])
    return values, draw_present_values(lines, factors, drawing.quantities, random, drawing.draws)


def _in_parts(lines: pd.DataFrame, own: pd.DataFrame | None) -> tuple[pd.DataFrame, dict[int, Split], list[Flag]]:
    """Lines valued with a parent of several agencies are shared out over the agencies of its children."""
    parts: dict[int, Split] = {}
    kinds, told = lines["kind_of_value"].copy(), []
    for place, row in enumerate(lines.to_dict("records")):
        if not row["proxy_id"] or row["agency"].casefold() not in SEVERAL:
            continue
        children = children_of(row["proxy_id"], own)
        total = sum(child["amount"] for child in children)
        if not children or abs(total - look_up(row["proxy_id"], own)["amount"]) > PARTS * abs(total):
            continue
        shares: Shares = {}
        for child in children:
            shares[child["agency"]] = shares.get(child["agency"], 0.0) + child["amount"] / total
        parts[place] = Split("", {"": shares})
        if {child["kind_of_value"] for child in children} == {FISCAL}:
            kinds.iloc[place] = FISCAL
        told.append(f"{row['title']} ({row['proxy_id']} over {words.listed([child['id'] for child in children])})")
    if not told:
        return lines, {}, []
    text = f"Shared out over the agencies of the parts of their unit cost: {'; '.join(told)}."
    detail = "The parent gives the amount, its parts the shares; they are never added."
    return lines.assign(kind_of_value=kinds), parts, [Flag("value", "note", text, detail, "unit_costs")]


def _kinds(lines: pd.DataFrame, values: np.ndarray, draws: np.ndarray | None) -> pd.DataFrame:
    """Present value by kind, never added."""
    kinds = lines["kind_of_value"].where(lines["kind_of_value"] != "", NOT_STATED)
    rows = []
    for kind in dict.fromkeys([FISCAL, *(one for one in OTHERS if (kinds == one).any()), *kinds]):
        chosen = np.flatnonzero(kinds == kind)
        low, high = (np.nan, np.nan) if draws is None else np.quantile(draws[:, chosen].sum(axis=1), TAIL)
        rows.append({"kind": kind, "present_value": float(values[chosen].sum()), "low": low, "high": high})
    return pd.DataFrame(rows)


def _not_counted(lines: pd.DataFrame) -> list[Flag]:
    """Value that counts as nobody's saving because its kind is not known."""
    kinds, flags = lines["kind_of_value"], []
    if (silent := kinds == "").any():
        text = f"Whether it is fiscal is not stated, so it counts as no agency's saving: {_titles(lines, silent)}."
        detail = "Write kind_of_value: fiscal, economic or social."
        flags.append(Flag("value", "caution", text, detail, "kind_of_value"))
    if (mixed := kinds.str.contains(FISCAL) & (kinds != FISCAL)).any():
        text = f"Fiscal and other value cannot be told apart, so it counts as no saving: {_titles(lines, mixed)}."
        detail = "Value the fiscal part on a line of its own."
        flags.append(Flag("value", "caution", text, detail, "kind_of_value"))
    return flags


def _titles(lines: pd.DataFrame, mask: pd.Series) -> str:
    return words.listed(list(dict.fromkeys(lines.loc[mask.to_numpy(), "title"])))


def _open(lines: pd.DataFrame, written: Mapping[int, Split]) -> list[Flag]:
    """Lines whose agency the map itself calls disputed, and of which no split says who else claims them."""
    silent = [place not in written for place in range(len(lines))]
    open_ = lines["agreed"].str.casefold().isin(NOT_AGREED) & pd.Series(silent, index=lines.index)
    if not open_.any():
        return []
    text = f"Whose saving it is, is not agreed, and no split says who else claims it: {_titles(lines, open_)}."
    detail = "The agency of the impact map is used. Write the versions in a table of splits."
    return [Flag("value", "caution", text, detail, "splits")]


def _named(splits: Mapping[int, Split], lines: pd.DataFrame) -> tuple[dict[int, Split], list[Flag]]:
    """Every line with its split, agencies that are one under one name."""
    agencies = enumerate(lines["agency"])
    whole = {place: splits.get(place) or Split("", {"": {agency: 1.0}}) for place, agency in agencies}
    used = [name for split in whole.values() for shares in split.versions.values() for name in shares]
    names = pd.Series(list(dict.fromkeys(used)), dtype="str")
    named, flags = agency_names(names)
    now = dict(zip(names, named, strict=True))
    return {place: _renamed(split, now) for place, split in whole.items()}, flags


def _renamed(split: Split, now: Mapping[str, str]) -> Split:
    """A split with the names that are used, shares of agencies that are one added."""
    versions = {}
    for version, shares in split.versions.items():
        joined: Shares = {}
        for name, share in shares.items():
            joined[now[name]] = joined.get(now[name], 0.0) + share
        versions[version] = joined
    return Split(split.agreed, versions, split.disputed)


def _entries(lines: pd.DataFrame, own: pd.DataFrame | None) -> list[Flag]:
    """What the entries behind the unit values say of themselves; sums of a lifetime beside yearly ones."""
    flags, of_life = [], []
    for name in dict.fromkeys(name for name in lines["proxy_id"] if name):
        entry = look_up(name, own)
        if entry["notes"]:
            flags.append(Flag("value", "note", f"{entry['title']} ({name}): {entry['notes']}", about=name))
        if entry["per"] == "lifetime":
            of_life.append(name)
    life = lines["proxy_id"].isin(of_life)
    if (long := life & (lines["duration"] > 1)).any():
        text = f"A sum for a lifetime is counted in more than one year: {_titles(lines, long)}."
        flags.append(Flag("value", "serious", text, "Its duration is 1: the years are in the sum.", "unit_costs"))
    same = lines["agency"].str.casefold().isin(set(lines.loc[life, "agency"].str.casefold()))
    if (beside := ~life & same).any():
        text = f"A sum for a lifetime ({_titles(lines, life)}) stands beside other savings of the same agency"
        detail = "If they are the same benefit, part of it is counted twice."
        flags.append(Flag("value", "serious", f"{text}: {_titles(lines, beside)}.", detail, "unit_costs"))
    return flags


def _alike(agencies: Iterable[str]) -> list[Flag]:
    """Agencies whose names are nearly the same: perhaps one, misspelt."""
    flags = []
    seen: dict[str, str] = {}
    for name in agencies:
        if near := nearest(name.casefold(), seen, ALIKE):
            text = f'"{seen[near]}" and "{name}" are counted as two agencies. Did you mean the same one?'
            flags.append(Flag("value", "caution", text, "Write its name in one way.", "agency"))
        seen[name.casefold()] = name
    return flags


def _unheard_of(study: Any, lines: pd.DataFrame, written: Mapping[int, Split], own: pd.DataFrame | None) -> list[Flag]:
    """Agencies that the splits name and nothing else does: no party, no line of the map, no unit cost."""
    known = {name.casefold() for party in study.party for name in (party.name, party.agency)}
    known |= {str(name).casefold() for column in ("agency", "stakeholder") for name in lines[column]}
    known |= set() if own is None else set(own["agency"].str.casefold())
    used = [name for split in written.values() for shares in split.versions.values() for name in shares]
    strange = [name for name in dict.fromkeys(used) if name.casefold() not in known]
    if not strange:
        return []
    text = (
        f"Named in {study.value.splits} alone, and by no party, line of the map or unit cost: {words.listed(strange)}."
    )
    return [Flag("value", "note", text, "Is each name right?", "agency")]


def _of_another(lines: pd.DataFrame, own: pd.DataFrame | None) -> list[Flag]:
    """Lines whose saving is put down to another agency than that of their unit cost."""
    apart = []
    for row in lines.to_dict("records"):
        theirs = look_up(row["proxy_id"], own)["agency"] if row["proxy_id"] else ""
        if not theirs or theirs.casefold() in SEVERAL or not row["agency"]:
            continue
        both, _ = agency_names(pd.Series([row["agency"], theirs], dtype="str"))
        if both.iloc[0].casefold() != both.iloc[1].casefold():
            apart.append(f'{row["line"]}: "{row["agency"]}", and {row["proxy_id"]} is of "{theirs}"')
    if not apart:
        return []
    text = f"Savings of another agency than that of their unit cost: {'; '.join(apart)}."
    return [
        Flag("value", "caution", text, "The agency of the impact map is used. Which of the two is right?", "agency")
    ]


def _told(found: PaysAndSaves) -> list[Flag]:
    """What a reader must be told of the agencies."""
    table, flags = found.by_agency, []
    says = {
        SAVES_ONLY: ("Saves and does not pay", "Should it be asked to share the cost?"),
        PAYS_ONLY: ("Pays and saves nothing that is counted", "Is its saving missing from the impact map?"),
        PAYS_AND_BEARS: ("Pays, and bears costs besides", ""),
        BEARS_ONLY: ("Bears costs rather than saves", ""),
    }
    for role, (text, detail) in says.items():
        mine = table[(table["role"] == role) & (table["agency"] != NOT_STATED)]
        names = [
            f"{name} (its range includes 0)" if low < 0 < high else name
            for name, low, high in zip(mine["agency"], mine["low"], mine["high"], strict=True)
        ]
        if names:
            flags.append(Flag("value", "caution", f"{text}: {words.listed(names)}.", detail, "agency"))
    known = (table["cashable_unknown"] == 0).all()
    partly = bool((table[["cashable", "not_cashable"]] != 0).any().any())
    silent = "How much of it can be cashed is not known" + (" for every line." if partly else ".")
    share = "The share of it that can be cashed is stated." if known else silent
    flags.append(Flag("value", "note" if known else "caution", f"{NOT_IN_HAND} {share}", about="cashable"))
    if found.paid.known:
        text = "Payments are in money of the day, savings are present values: the net of an agency mixes the two."
        flags.append(Flag("value", "note", text, about="savings"))
    return flags
