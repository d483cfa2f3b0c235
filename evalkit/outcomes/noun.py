"""The outcomes of a cohort: the noun of this room."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import disclosure
from evalkit.errors import Flag, StudyError, did_you_mean
from evalkit.outcomes.index.clustering import ClusterIndex
from evalkit.words import number

if TYPE_CHECKING:
    from evalkit.cohort import Cohort


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What was measured for each person of a cohort.

    Attributes
    ----------
    cohort : Cohort
        Whose outcomes these are.
    table : DataFrame
        One row per person and outcome, missing values included: ``person``, ``arm``, ``treated``, ``cluster``,
        ``strata`` (missing where the plan has none), ``outcome`` (wide key), ``measure`` (measure or domain id),
        ``kind`` ("measure" or "domain"), ``occasion`` ("" where none), ``date`` (of the reading), ``value``.
    wide : DataFrame, shape (n_people, n_outcomes)
        By person in the cohort's order; columns are "measure@occasion", "measure", "domain@occasion" or "domain".
        Domains are in SD of their reference, better to the right.
    summary : DataFrame
        By outcome and arm: ``measure``, ``title``, ``occasion``, ``occasion_title``, ``arm``, ``n``, ``mean``,
        ``sd``, ``low``, ``high`` (95 %, cluster-robust where there are clusters), ``n_people`` and more.
    domains : dict of str to ClusterIndex
        By wide key.
    completeness : DataFrame
        ``measure``, ``occasion``, ``arm``, ``people``, ``n``, ``share``, ``outcome``.
    flags : tuple of Flag
        What a reader must know.
    facts : dict of str to dict
        By wide key, what `describe` gives.
    looks : dict of str to object
        What is seen beside the means, as counts and estimates and never as persons: "reliable change",
        "added value", "distance travelled", "cumulative outcomes", "growth", "reliability", "comparability",
        "what each measure adds", "whose outcomes", "services", "engagement", "missing outcomes"; only those that the
        study gives reason for.
    """

    cohort: Cohort
    table: pd.DataFrame
    wide: pd.DataFrame
    summary: pd.DataFrame
    domains: dict[str, ClusterIndex]
    completeness: pd.DataFrame
    flags: tuple[Flag, ...]
    facts: dict[str, dict[str, Any]]
    looks: dict[str, Any] = field(default_factory=dict)

    def find(self, name: str) -> str:
        """Find the outcome a study means by a name.

        Parameters
        ----------
        name : str
            A wide key, or a measure or domain without "@occasion", which means its last occasion.

        Returns
        -------
        str
            The wide key.

        Raises
        ------
        StudyError
            No such outcome, with the nearest name.
        """
        if name in self.facts:
            return name
        keys = [key for key in self.facts if key.partition("@")[0] == name]
        if not keys:
            known = [*self.facts, *dict.fromkeys(key.partition("@")[0] for key in self.facts)]
            raise StudyError(f'There is no outcome "{name}". {did_you_mean(name, known)}')
        return max(keys, key=lambda key: self.facts[key]["day"])

    def describe(self, name: str) -> dict[str, Any]:
        """Say what an outcome is.

        Parameters
        ----------
        name : str
            As in `find`.

        Returns
        -------
        dict
            ``key``, ``id``, ``title``, ``unit`` ("SD" for a domain), ``values`` ("score", "amount", "yes or no"),
            ``better``, ``occasion``, ``occasion_title``, ``baseline_key`` or None, ``contract_baseline``, ``kind``
            ("measure" or "domain").
        """
        facts = self.facts[self.find(name)]
        return {key: value for key, value in facts.items() if key != "day"}

    def _repr_html_(self) -> str:
        """Show means by arm and occasion; no person's row, and nothing that rests on few people."""
        shown = self.summary[["title", "occasion_title", "arm", "n", "mean", "low", "high"]].copy()
        for column in ("mean", "low", "high"):
            shown[column] = [number(value, 2) for value in shown[column]]
        behind = dict.fromkeys(("mean", "low", "high"), "n")
        rule = self.cohort.study.disclosure.rule if self.cohort.study else "uk-children-10"
        safe = disclosure.protect(shown, rule, counts=["n"], behind=behind).table
        names = {"occasion_title": "occasion", "low": "95% low", "high": "95% high"}
        return safe.rename(columns=names).to_html(index=False, border=0)

    def __repr__(self) -> str:
        return f"Outcomes({len(self.wide):,} people, {self.wide.shape[1]} outcomes, {len(self.flags)} flags)"
