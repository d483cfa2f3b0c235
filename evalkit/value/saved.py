"""Who pays and who saves: fiscal lines by agency, by every version of the splits, beside what was paid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.value.payers import Paid
from evalkit.value.splits import Split
from evalkit.value.worth import TAIL

SAVES_ONLY = "saves and does not pay"
PAYS_ONLY = "pays and saves nothing"
PAYS_AND_BEARS = "pays and bears costs"
BEARS_ONLY = "bears costs and does not pay"
Sums = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class PaysAndSaves:
    """Who pays and who saves.

    Parameters
    ----------
    by_agency : DataFrame
        One row per agency: agency, saving (present value by the splits in use; negative: a cost) with low and high
        (2.5 and 97.5 % of the joint draws), cashable, not_cashable, cashable_unknown (parts of saving), split_low and
        split_high (over all versions of the splits: lines that have the same versions together, others apart), disputed
        (bool), pays (missing where not known), net (saving less pays) with net_low and net_high, commissioner (bool),
        role ("pays and saves", "saves and does not pay", "pays and saves nothing" ...).
    by_version : DataFrame
        version, standing, agency, saving, low, high: the splits in use, and each version that is disputed; empty
        where nothing is disputed.
    by_kind : DataFrame
        kind, present_value, low, high: fiscal, economic and social value, never added to each other.
    totals : dict
        fiscal, cashable, not_cashable and cashable_unknown, each with _low and _high.
    paid : Paid
        What each agency paid.
    """

    by_agency: pd.DataFrame
    by_version: pd.DataFrame
    by_kind: pd.DataFrame
    totals: dict[str, float]
    paid: Paid


@dataclass(frozen=True, eq=False)
class Fiscal:
    """The fiscal lines of an impact map.

    Parameters
    ----------
    values : ndarray, shape (n_lines,)
        Present values.
    draws : ndarray, shape (draws, n_lines), or None
        The same by draw; None where nothing has a range.
    cashable : ndarray, shape (n_lines,)
        The share that can be cashed; NaN where it is not known.
    splits : dict of int to Split
        Of every line, by its place.
    """

    values: np.ndarray
    draws: np.ndarray | None
    cashable: np.ndarray
    splits: Mapping[int, Split]

    @property
    def agencies(self) -> list[str]:
        """Every agency that any version names, in the order of the map."""
        versions = [shares for split in self.splits.values() for shares in split.versions.values()]
        return list(dict.fromkeys(name for shares in versions for name in shares))

    def weights(self, version: str = "") -> np.ndarray:
        """Shares by line and agency, shape (n_lines, n_agencies): by a version where a line has it."""
        agencies = self.agencies
        out = np.zeros((len(self.values), len(agencies)))
        for place, split in self.splits.items():
            for agency, share in split.of(version).items():
                out[place, agencies.index(agency)] += share
        return out

    def sums(self, weights: np.ndarray) -> Sums:
        """Present values and their ends, for each column of weights."""
        found = self.values @ weights
        if self.draws is None:
            return found, np.full(len(found), np.nan), np.full(len(found), np.nan)
        low, high = np.quantile(self.draws @ weights, TAIL, axis=0)
        return found, low, high


def pays_and_saves(fiscal: Fiscal, by_kind: pd.DataFrame, paid: Paid) -> PaysAndSaves:
    """Put savings and payments side by side.

    Parameters
    ----------
    fiscal : Fiscal
        The fiscal lines.
    by_kind : DataFrame
        kind, present_value, low, high.
    paid : Paid
        What each agency paid.

    Returns
    -------
    PaysAndSaves
        Agencies that save in the order of the map, then those that only pay.
    """
    weights = fiscal.weights()
    saving, low, high = fiscal.sums(weights)
    versions = list(dict.fromkeys(name for split in fiscal.splits.values() for name in split.disputed))
    others = {name: fiscal.sums(fiscal.weights(name)) for name in versions}
    least, most = _over_versions(fiscal)
    ends = {"split_low": least, "split_high": most}
    stated = ~np.isnan(fiscal.cashable)
    shares = {
        "cashable": np.where(stated, np.nan_to_num(fiscal.cashable), 0.0),
        "not_cashable": np.where(stated, 1 - np.nan_to_num(fiscal.cashable), 0.0),
        "cashable_unknown": (~stated).astype(float),
    }
    parts = {name: (fiscal.values * share) @ weights for name, share in shares.items()}
    columns = {"agency": fiscal.agencies, "saving": saving, "low": low, "high": high, **parts, **ends}
    table = pd.DataFrame(columns).assign(disputed=~np.isclose(ends["split_low"], ends["split_high"]))
    totals = _totals(fiscal, {"fiscal": np.ones(len(stated)), **shares})
    return PaysAndSaves(_with_payers(table, paid), _versions(fiscal, others), by_kind, totals, paid)


def _over_versions(fiscal: Fiscal) -> tuple[np.ndarray, np.ndarray]:
    """Ends of each agency's saving over the versions: lines that have the same versions move together, others apart."""
    groups: dict[frozenset[str], list[int]] = {}
    for place, split in fiscal.splits.items():
        groups.setdefault(frozenset((split.agreed, *split.disputed)), []).append(place)
    low, high = np.zeros(len(fiscal.agencies)), np.zeros(len(fiscal.agencies))
    for names, places in groups.items():
        sums = np.array([fiscal.values[places] @ fiscal.weights(name)[places] for name in sorted(names)])
        low, high = low + sums.min(axis=0), high + sums.max(axis=0)
    return low, high


def _totals(fiscal: Fiscal, shares: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Sums over agencies, with their ends."""
    found, low, high = fiscal.sums(np.column_stack(list(shares.values())))
    out: dict[str, float] = {}
    for place, name in enumerate(shares):
        out |= {name: float(found[place]), f"{name}_low": float(low[place]), f"{name}_high": float(high[place])}
    return out


def _versions(fiscal: Fiscal, others: Mapping[str, Sums]) -> pd.DataFrame:
    """Savings by every version, where something is disputed."""
    columns = ["version", "standing", "agency", "saving", "low", "high"]
    if not others:
        return pd.DataFrame(columns=columns)
    open_ = [split for split in fiscal.splits.values() if split.disputed]
    in_use = list(dict.fromkeys(split.agreed for split in open_))
    unsettled = any(split.agreed in split.disputed for split in open_)
    called = words.listed([name for name in in_use if name]) or "in use"
    shown = {called: fiscal.sums(fiscal.weights()), **{name: sums for name, sums in others.items() if name != called}}
    rows = []
    for name, sums in shown.items():
        standing = "disputed" if name != called else "in use, not agreed" if unsettled else "agreed"
        for agency, saving, low, high in zip(fiscal.agencies, *sums, strict=True):
            rows.append([name, standing, agency, saving, low, high])
    return pd.DataFrame(rows, columns=columns)


def _with_payers(table: pd.DataFrame, paid: Paid) -> pd.DataFrame:
    """Agencies that pay beside those that save."""
    saving = set(table["agency"])
    absent = [name for name in dict.fromkeys([*paid.by, *paid.commissioners]) if name not in saving]
    nothing = dict.fromkeys(table.columns.difference(["agency", "disputed"]), 0.0)
    rows = pd.DataFrame([{"agency": name, "disputed": False, **nothing} for name in absent], columns=table.columns)
    table = pd.concat([table, rows], ignore_index=True) if absent else table
    pays = table["agency"].map(lambda name: paid.by.get(name, 0.0) if paid.known else np.nan).astype(float)
    asked = table["agency"].isin(paid.commissioners)
    roles = [
        _role(saves, bool(pay > 0), commissioner, paid.known)
        for saves, pay, commissioner in zip(table["saving"], pays, asked, strict=True)
    ]
    net = {"net": table["saving"] - pays, "net_low": table["low"] - pays, "net_high": table["high"] - pays}
    return table.assign(pays=pays, **net, commissioner=asked, role=roles)


def _role(saves: float, pays: bool, commissioner: bool, known: bool) -> str:
    """What an agency does, in words."""
    gains = "saves nothing" if saves == 0 else "saves" if saves > 0 else "bears costs"
    if pays:
        return f"pays and {gains}"
    if commissioner:
        return f"commissioner, {gains}" + (", has paid nothing" if known else "")
    return f"{gains} and does not pay" if known else gains
