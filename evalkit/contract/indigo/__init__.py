"""The impact bond data set (INDIGO): read, checked and reconciled, nothing silently repaired."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from evalkit.contract.indigo import faults_cells, faults_ids, faults_money
from evalkit.contract.indigo.data import IndigoData, IndigoProject
from evalkit.contract.indigo.findings import find_all, summary_of
from evalkit.contract.indigo.planned import Planned
from evalkit.contract.indigo.reading import Read, read_all
from evalkit.contract.indigo.reconciled import Reconciliation
from evalkit.errors import Flag
from evalkit.words import listed

__all__ = ["IndigoData", "IndigoProject", "Planned", "Reconciliation", "read_indigo"]

CHECKED_BY = (faults_ids, faults_cells, faults_money)


def read_indigo(folder: str | PathLike[str]) -> IndigoData:
    """Read the impact bond data set, and say everything that is wrong with it.

    Parameters
    ----------
    folder : path
        The folder of csv files named for their tables ("original_projects.csv", "original_projects_results.csv"), or
        one spreadsheet with a sheet per table.

    Returns
    -------
    IndigoData
        ``projects``, ``tables``, ``findings``, ``flags``; ``project(id)`` takes one project, ``reconcile_all()``
        compares owed and paid in all of them. Amounts are in the currency of the record, as plainly written numbers;
        what is not one stays as text. Contacts of organisations are personal data and are not read.

    Raises
    ------
    DataError
        There is no such folder, it holds no table of projects, or a table cannot be read: all at once.

    References
    ----------
    INDIGO impact bond dataset and data specification 4.1.0, Government Outcomes Lab, University of Oxford.
    """
    read = read_all(Path(folder))
    findings = find_all(read.tables)
    return IndigoData(
        projects=faults_ids.with_country(read.tables),
        tables=read.tables,
        findings=findings,
        flags=(*_met(read), *summary_of(findings)),
    )


def _met(read: Read) -> list[Flag]:
    """What reading itself met."""
    flags = []
    if read.absent:
        text = f"These tables are not in the folder: {listed([name.replace('_', ' ') for name in read.absent])}."
        flags.append(Flag("contract", "caution", text, "What they would say is missing, not zero.", "tables"))
    for table, count in read.dropped.items():
        text = f"{count} columns about persons in the table of {table} were not read: they are personal data."
        flags.append(Flag("contract", "note", text, about=table))
    for table, heads in read.unknown.items():
        if table != "funds":
            text = f"The table {table} has columns that are not the data set's: {listed(list(heads))}. Kept as text."
            flags.append(Flag("contract", "note", text, about=table))
    return flags
