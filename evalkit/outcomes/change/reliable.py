"""Reliable and clinically significant change of single persons (Jacobson and Truax)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evalkit import disclosure
from evalkit.errors import DataError, EstimationError, Flag, did_you_mean
from evalkit.outcomes.change.pairs import pair
from evalkit.outcomes.change.shares import compare_shares, read_arm, wilson
from evalkit.words import number, percent

CLASSES = ("recovered", "improved", "unchanged", "deteriorated")
# Scores and thresholds are decimal; a change that equals the threshold must not exceed it by a binary fraction.
_TIE = 1e-9


class ClassCounts(pd.DataFrame):
    """People by class: n, share, low, high; ``counts["improved"]`` is the number of people in that class."""

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    def __getitem__(self, key):  # type: ignore[no-untyped-def, override]
        """A column, or by the name of a class its number of people."""
        if isinstance(key, str) and key not in self.columns and key in self.index:
            people: Any = self.loc[key, "n"]
            return int(people)
        return super().__getitem__(key)


@dataclass(frozen=True, eq=False, repr=False)
class ReliableChange:
    """Who changed by more than the measure's error, and never the effect of a programme.

    Attributes
    ----------
    threshold : float
        A change must exceed it, in the measure's unit: z x sdiff.
    sem, sdiff : float
        Standard error of one score, and of the difference of two.
    table : DataFrame
        Per person, with the index given: ``before``, ``after``, ``change``, ``index`` (change / sdiff), ``class``
        (missing where a reading is); with a cut-off also ``clinical_before``, ``clinical_after``. Never shown.
    counts : DataFrame
        By class: ``n``, ``share``, ``low``, ``high`` (Wilson, 95 %), of those with both readings;
        ``counts["improved"]`` is the number of people in a class.
    by_start : DataFrame or None
        With a cut-off: the same by (start, class), shares being of those on that side at the start; only those who
        start in the clinical range can recover.
    crossings : DataFrame or None
        With a cut-off: who stayed in, left, entered or stayed out of the clinical range, reliably or not.
    n, missing : int
        People with both readings, and without.
    z, better, cutoff : float, str, float or None
        As given.
    source : dict
        ``sd``, ``reliability``, ``z``: where each comes from, in words.
    flags : tuple of Flag
        What must be said beside these numbers.
    """

    threshold: float
    sem: float
    sdiff: float
    table: pd.DataFrame
    counts: pd.DataFrame
    by_start: pd.DataFrame | None
    crossings: pd.DataFrame | None
    n: int
    missing: int
    z: float
    better: str
    cutoff: float | None
    source: dict[str, str]
    flags: tuple[Flag, ...]

    def __repr__(self) -> str:
        return f"ReliableChange({self.n:,} people, threshold {number(self.threshold, 2)})"

    def _repr_html_(self) -> str:
        """Show the classes, nothing that rests on few people, and no person's row."""
        head = f"<p>Reliable change: more than {number(self.threshold, 2)} (z = {self.z:g})</p>"
        return head + protected(self.counts).to_html(border=0)


def protected(counts: pd.DataFrame) -> pd.DataFrame:
    """A table of ``n`` with shares and intervals beside it, as it may be shown."""
    shares = ("share", "low", "high")
    shown = counts.assign(**{name: [percent(value) for value in counts[name]] for name in shares})
    # The total follows from any count and its share, so it counts as published: a single hidden cell would be plain.
    whole = pd.DataFrame({"n": [int(counts["n"].sum())], **{name: [""] for name in shares}}, index=["all"])
    safe = disclosure.protect(
        pd.concat([shown, whole]), counts=["n"], behind=dict.fromkeys(shares, "n"), total="all"
    ).table
    return safe.drop(index="all").rename_axis(str(counts.index.name))


def reliable_change(
    before: Any,
    after: Any,
    sd: float,
    reliability: float,
    z: float = 1.96,
    better: str = "lower",
    cutoff: float | None = None,
    source: Mapping[str, str] | None = None,
) -> ReliableChange:
    """Sort people by whether they changed by more than the measure's error.

    For single persons and services that describe their caseload. It is never the primary effect: some people change
    reliably without any help, most of all those who start furthest out, so set it beside a comparison
    (`reliable_change_by_arm`).

    Parameters
    ----------
    before, after : array-like, shape (n,)
        The same people in the same order; NaN where missing.
    sd : float
        Standard deviation of the scores in the population that ``source`` names, in points.
    reliability : float
        From 0 up to, but not including, 1: alpha or a retest correlation; say which in ``source``.
    z : float
        1.96 for 95 %; some manuals use 1.645 (90 %).
    better : {"lower", "higher"}
        Which way is better.
    cutoff : float, optional
        Parts the clinical range from the rest; a score on it counts as clinical.
    source : mapping, optional
        ``sd``, ``reliability`` ("alpha, ..." or "retest, ...") and ``z``: where they come from.

    Returns
    -------
    ReliableChange
        ``threshold``, ``sem``, ``sdiff``, ``table``, ``counts``. A class "improved" or "deteriorated" needs a change
        larger than the threshold; "recovered" is improved and across the cut-off to its healthy side.

    Raises
    ------
    DataError
        An sd, reliability, z or direction that cannot be; before and after that do not belong together.

    References
    ----------
    Jacobson and Truax (1991), Journal of Consulting and Clinical Psychology 59, 12-19.
    """
    _checked(sd, reliability, z, better, cutoff)
    sem = sd * np.sqrt(1 - reliability)
    sdiff = np.sqrt(2) * sem
    table = _classed(pair(before, after), sdiff, z, better, cutoff)
    seen = table[table["class"].notna()]
    classes = CLASSES if cutoff is not None else CLASSES[1:]
    given = {name: str(source[name]) if source and source.get(name) else "not named" for name in ("sd", "reliability")}
    says_z = str((source or {}).get("z") or f"{z:g}")
    missing = len(table) - len(seen)
    return ReliableChange(
        float(z * sdiff), float(sem), float(sdiff), table, _counted(seen["class"], classes),
        _by_start(seen, classes) if cutoff is not None else None,
        _crossings(seen) if cutoff is not None else None, len(seen), missing, z, better, cutoff,
        given | {"z": says_z}, _flags(given, missing, len(table)),
    )  # fmt: skip


def _checked(sd: float, reliability: float, z: float, better: str, cutoff: float | None) -> None:
    if better not in ("lower", "higher"):
        raise DataError(f'better must be "lower" or "higher". {did_you_mean(better, ("lower", "higher"))}')
    if not (np.isfinite(sd) and sd > 0):
        raise DataError(f"sd is {sd}: it must be above 0. Give the standard deviation of a named population.")
    if not 0 <= reliability < 1:
        raise DataError(f"reliability is {reliability}: it must be from 0 up to, but not including, 1.")
    if not (np.isfinite(z) and z > 0):
        raise DataError(f"z is {z}: it must be above 0. Write 1.96 for 95%.")
    if cutoff is not None and not np.isfinite(cutoff):
        raise DataError("cutoff is not a number. Give the score that parts the clinical range from the rest.")


def _classed(both: pd.DataFrame, sdiff: float, z: float, better: str, cutoff: float | None) -> pd.DataFrame:
    change = both["after"] - both["before"]
    gain = -change if better == "lower" else change
    beyond = z * sdiff + _TIE
    kinds = np.select([gain > beyond, gain < -beyond], ["improved", "deteriorated"], "unchanged").astype(object)
    table = both.assign(change=change, index=change / sdiff)
    if cutoff is not None:
        for name in ("before", "after"):
            clinical = both[name] >= cutoff if better == "lower" else both[name] <= cutoff
            table[f"clinical_{name}"] = clinical.astype("boolean").mask(both[name].isna())
        crossed = (table["clinical_before"] & ~table["clinical_after"]).fillna(False).to_numpy(dtype=bool)
        kinds[(kinds == "improved") & crossed] = "recovered"
    kinds[change.isna().to_numpy()] = None
    return table.assign(**{"class": pd.Series(kinds, index=table.index, dtype="str")})


def _counted(found: pd.Series, names: tuple[str, ...]) -> pd.DataFrame:
    n = found.value_counts().reindex(list(names), fill_value=0).to_numpy()
    low, high = wilson(n, np.full(len(names), len(found)))
    share = n / len(found) if len(found) else np.full(len(names), np.nan)
    return ClassCounts(
        {"n": n, "share": share, "low": low, "high": high},
        index=pd.Index(np.array(names), dtype="str", name=str(found.name or "class")),
    )


def _by_start(seen: pd.DataFrame, classes: tuple[str, ...]) -> pd.DataFrame:
    clinical = seen["clinical_before"].to_numpy(dtype=bool)
    sides = {"clinical range": clinical, "outside it": ~clinical}
    return pd.concat({name: _counted(seen["class"][rows], classes) for name, rows in sides.items()}, names=["start"])


def _crossings(seen: pd.DataFrame) -> pd.DataFrame:
    first, last = (seen[f"clinical_{name}"].to_numpy(dtype=bool) for name in ("before", "after"))
    names = ("stayed in the clinical range", "left it", "entered it", "stayed outside it")
    kinds = np.select([first & last, first & ~last, ~first & last], names[:3], names[3])
    return _counted(pd.Series(kinds, name="crossing"), names)


def _flags(source: Mapping[str, str], missing: int, people: int) -> tuple[Flag, ...]:
    flags = [
        Flag(
            "outcomes", "note", "Reliable change sorts single people. It is not the effect of the programme.",
            "Some change reliably without help, most of all those who start furthest out: read it beside the "
            "comparison's.",
        )
    ]  # fmt: skip
    unnamed = [name for name, text in source.items() if text == "not named"]
    if unnamed:
        text = f"Where the {' and the '.join(unnamed)} behind the threshold come from is not said."
        flags.append(Flag("outcomes", "caution", text, "Alpha and retest reliability give different thresholds."))
    if missing:
        share = disclosure.roughly(missing, people)
        text = "People without both readings are not among the classes."
        flags.append(Flag("outcomes", "caution", text, f"That is {share}."))
    return tuple(flags)


def clinical_cutoff(mean_0: float, sd_0: float, mean_1: float, sd_1: float) -> float:
    """The score at which a person is as likely to belong to one population as to the other (criterion c).

    Parameters
    ----------
    mean_0, sd_0 : float
        Of the clinical population, in points.
    mean_1, sd_1 : float
        Of the general population, in points.

    Returns
    -------
    float
        (sd_0 x mean_1 + sd_1 x mean_0) / (sd_0 + sd_1), in points.

    Raises
    ------
    EstimationError
        A standard deviation that is not above 0, or two populations with the same mean.

    References
    ----------
    Jacobson and Truax (1991), Journal of Consulting and Clinical Psychology 59, 12-19.
    """
    if not (sd_0 > 0 and sd_1 > 0) or not np.isfinite([mean_0, sd_0, mean_1, sd_1]).all():
        raise EstimationError("A cut-off needs two means and two standard deviations above 0.")
    if mean_0 == mean_1:
        raise EstimationError("Both populations have the same mean, so no score parts them.")
    return float((sd_0 * mean_1 + sd_1 * mean_0) / (sd_0 + sd_1))


# ---------------------------------------------------------------- beside the comparison's


@dataclass(frozen=True, eq=False, repr=False)
class ReliableChangeByArm:
    """Reliable change in both arms and the difference.

    Attributes
    ----------
    table : DataFrame
        By class: ``treated_n`` (people with both readings), ``treated_count`` (in the class), ``treated_share``,
        ``treated_low``, ``treated_high``, the same for ``comparison_``, ``difference``, ``difference_low``,
        ``difference_high`` (95 %), ``method``.
    change : ReliableChange
        Of everyone, with the rows behind the table.
    flags : tuple of Flag
        What must be said beside these numbers.
    """

    table: pd.DataFrame
    change: ReliableChange
    flags: tuple[Flag, ...]

    def __repr__(self) -> str:
        return f"ReliableChangeByArm({self.change.n:,} people, threshold {number(self.change.threshold, 2)})"


def reliable_change_by_arm(before: Any, after: Any, arm: Any, cluster: Any = None, **how: Any) -> ReliableChangeByArm:
    """Set the programme's reliable change beside the comparison's.

    Parameters
    ----------
    before, after : array-like, shape (n,)
        As in `reliable_change`.
    arm : array-like, shape (n,)
        "treated" or 1, "comparison" or 0; missing for neither.
    cluster : array-like, shape (n,), optional
        Who belongs together; then intervals are robust to it.
    **how
        ``sd``, ``reliability`` and the rest of `reliable_change`.

    Returns
    -------
    ReliableChangeByArm
        Shares per arm with Wilson's intervals and their differences: Newcombe's interval, with clusters CR2. The
        difference is a companion of the effect on the score, never the primary effect: it throws away how much each
        person changed, and arms that were not made alike differ for other reasons too.

    Raises
    ------
    DataError
        As in `reliable_change`, or an arm with nobody in it.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17, 873-890.
    """
    change = reliable_change(before, after, **how)
    treated = read_arm(arm, len(change.table))
    kinds = change.table["class"]
    known = kinds.notna().to_numpy()
    of_class = [
        np.where(known, (kinds == name).to_numpy(dtype=float, na_value=0), np.nan) for name in change.counts.index
    ]
    rows = [compare_shares(yes, treated, cluster).row() for yes in of_class]
    table = pd.DataFrame(rows, index=change.counts.index).astype({"treated_count": int, "comparison_count": int})
    return ReliableChangeByArm(table, change, change.flags)
