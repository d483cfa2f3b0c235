"""The impact bond data set and one of its projects, as nouns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

import pandas as pd

from evalkit.contract.indigo.faults_money import readable_periods
from evalkit.contract.indigo.findings import flags_of, many, records
from evalkit.contract.indigo.planned import Planned, schedule_of_project
from evalkit.contract.indigo.reconcile import metric_table
from evalkit.contract.indigo.reconciled import (
    Reconciliation,
    payment_notes,
    reconciliation_of,
    sums_by_currency,
    totals_of,
)
from evalkit.errors import DataError, Flag, as_list, did_you_mean

NO_PROJECT = ("organisations", "funds")


@dataclass(frozen=True, eq=False)
class IndigoData:
    """What `read_indigo` read.

    Parameters
    ----------
    projects : DataFrame
        One row per project: the data set's columns by short names, and ``country`` with ``country_from``
        ("jurisdiction", "delivery" or "").
    tables : dict of str to DataFrame
        Every table, empty where it was absent. ``line`` is a row's line in its file; ``<column>_text`` is a number
        column as it was typed.
    findings : DataFrame
        fault, project, table, rows (a tuple of lines), column, what, question, level: everything found wrong, none of
        it repaired.
    flags : tuple of Flag
        One per kind of fault, with counts; and what the folder lacked.
    """

    projects: pd.DataFrame
    tables: dict[str, pd.DataFrame]
    findings: pd.DataFrame
    flags: tuple[Flag, ...]

    def project(self, project: str) -> IndigoProject:
        """Take one project.

        Parameters
        ----------
        project : str
            Its id; capitals and outer blanks do not matter.

        Returns
        -------
        IndigoProject
            Its rows of every table, and its flags.

        Raises
        ------
        DataError
            No such project.
        """
        word = str(project).strip()
        name = word if word in self.records else {one.lower(): one for one in self.records}.get(word.lower())
        if name is None:
            raise DataError(f'There is no project "{project}" in the data set. {self._hint(word)}')
        return IndigoProject(name, self)

    def reconcile_all(self) -> pd.DataFrame:
        """Hold what was owed to what was paid, for every project.

        Returns
        -------
        DataFrame
            One row per project: project, name, currency, owed, paid, difference (paid - owed), paid_share (paid /
            owed), paid_from, paid_without_metric, type_not_stated, metrics, compared, mismatched, maximum,
            share_of_maximum. Missing where there is nothing to compare, or two currencies.
        """
        return self.totals.reset_index()

    def schedule_all(self) -> pd.DataFrame:
        """Hold every version of every project's plan to what was paid; one row per plan, with its project."""
        payments = self.tables["outcome_payments"]
        planned = payments.loc[payments["kind"] == "planned", "project"].unique()
        parts = [
            self.project(name).schedule().table.assign(project=name)
            for name in map(str, planned)
            if name in self.records
        ]
        table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"project": []})
        return table[["project", *table.columns.drop("project")]]

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """Every metric of every project: price, achieved, owed, paid; see `reconcile.metric_table`."""
        return metric_table(self.tables)

    @cached_property
    def totals(self) -> pd.DataFrame:
        """Every project's totals, indexed by id; see `reconciled.totals_of`."""
        return totals_of(self.tables, self.metrics)

    @cached_property
    def records(self) -> dict[str, dict[str, Any]]:
        """Each project's own row; the first, where its id is repeated."""
        rows = self.projects.drop_duplicates("project").to_dict("records")
        return {str(row["project"]): {str(name): value for name, value in row.items()} for row in rows}

    @cached_property
    def prepared(self) -> Prepared:
        """What reconciling one project after another needs, worked out once."""
        return _prepare(self)

    @cached_property
    def rows_of(self) -> dict[str, dict[Any, Any]]:
        """Where each project's rows stand in every table."""
        return {name: table.groupby("project").indices for name, table in self.tables.items() if name not in NO_PROJECT}

    def _hint(self, word: str) -> str:
        """The nearest id; or the project whose name it is."""
        named = [row for row in self.records.values() if word and word.lower() in str(row["name"]).lower()]
        if 0 < len(named) <= 5:
            ids = " or ".join(f"{row['project']} ({str(row['name']).strip()})" for row in named)
            return f"Did you mean {ids}?"
        return did_you_mean(word.upper(), self.records)

    def __repr__(self) -> str:
        """Counts, not rows."""
        return f"IndigoData({many(len(self.projects), 'project')}, {many(len(self.findings), 'finding')})"

    def _repr_html_(self) -> str:
        counts = f"{many(len(self.projects), 'project')}, {many(len(self.findings), 'finding')}"
        return f"<p>Impact bond data set: {counts}.</p>{as_list(self.flags)}"


@dataclass(frozen=True, eq=False)
class Prepared:
    """Lookups by project.

    Parameters
    ----------
    metrics : DataFrame
        The table of metrics, without what only sums need.
    places : dict
        Project -> where its rows stand in it.
    lines : dict
        Project -> these rows as named tuples.
    totals : dict
        Project -> its totals.
    currencies : dict
        Project -> [(currency, owed, paid)].
    notes : dict
        Project -> what is noted beside its payments.
    findings : dict
        Project -> its findings.
    payments : dict
        Project -> its planned and actual payments, periods that cannot be read left blank.
    """

    metrics: pd.DataFrame
    places: dict[Any, Any]
    lines: dict[str, list[Any]]
    totals: dict[str, dict[str, Any]]
    currencies: dict[str, list[tuple[str, float, float]]]
    notes: dict[str, list[str]]
    findings: dict[str, list[Any]]
    payments: dict[str, pd.DataFrame]


def _prepare(data: IndigoData) -> Prepared:
    shown = data.metrics.drop(columns=["pennies_owed", "pennies_paid"])
    payments = readable_periods(data.tables["outcome_payments"])
    payments = payments[payments["kind"].isin(("planned", "actual"))]
    return Prepared(
        metrics=shown.drop(columns="project"),
        places=shown.groupby("project").indices,
        lines=_by_project(shown),
        totals={str(row["project"]): row for row in data.reconcile_all().to_dict("records")},  # type: ignore[misc]
        currencies=sums_by_currency(data.metrics, data.tables["outcome_payments"]),
        notes=payment_notes(data.tables["outcome_payments"]),
        findings=_by_project(data.findings),
        payments={str(name): rows for name, rows in payments.groupby("project", sort=False)},
    )


def _by_project(table: pd.DataFrame) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in records(table):
        found.setdefault(str(row.project), []).append(row)
    return found


class _RowsOf(Mapping[str, pd.DataFrame]):
    """One project's rows of every table, taken when asked for (organisations and funds: all)."""

    def __init__(self, project: str, data: IndigoData) -> None:
        self._project, self._data = project, data
        self._taken: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._taken:
            table = self._data.tables[name]
            if name not in NO_PROJECT:
                places = self._data.rows_of[name].get(self._project, ())
                table = table.take(places).reset_index(drop=True) if len(places) else table.iloc[:0]
            self._taken[name] = table
        return self._taken[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._data.tables)

    def __len__(self) -> int:
        return len(self._data.tables)


@dataclass(frozen=True, eq=False)
class IndigoProject:
    """One project of the data set.

    Parameters
    ----------
    id : str
        Such as "INDIGO-POJ-0001".
    data : IndigoData
        What it was taken from.
    """

    id: str
    data: IndigoData

    @property
    def row(self) -> dict[str, Any]:
        """The project's own row, by short names; numbers missing where not plainly written."""
        return self.data.records[self.id]

    @property
    def name(self) -> str:
        """The name of the impact bond."""
        return str(self.row["name"]).strip()

    @cached_property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """This project's rows of every table (organisations and funds: all)."""
        return _RowsOf(self.id, self.data)

    @cached_property
    def findings(self) -> pd.DataFrame:
        """What was found wrong in its rows."""
        return self.data.findings[self.data.findings["project"] == self.id].reset_index(drop=True)

    @cached_property
    def flags(self) -> tuple[Flag, ...]:
        """What was found wrong, as flags, serious ones first."""
        return flags_of(self.data.prepared.findings.get(self.id, []))

    def reconcile(self) -> Reconciliation:
        """Hold what was owed (price times achieved) to what was paid, metric by metric.

        Returns
        -------
        Reconciliation
            ``owed``, ``paid``, ``difference`` (paid - owed; None where not known, or in two currencies), ``table`` per
            metric, ``mismatched``, ``flags``.
        """
        return reconciliation_of(self)

    def schedule(self) -> Planned:
        """Hold each version of the payment plan to what was paid.

        Returns
        -------
        Planned
            ``table`` per plan version as `evalkit.contract.schedule_of` gives it, ``actual_total``, ``flags``.
        """
        return schedule_of_project(self)

    def __repr__(self) -> str:
        """The id and the name."""
        return f'IndigoProject("{self.id}", "{self.name}")'

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.id)}: {escape(self.name)}</p>{as_list(self.flags)}"
