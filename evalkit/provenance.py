"""Where every number came from: hashes of the plan and the tables, versions, parameters, and an RO-Crate."""

from __future__ import annotations

import datetime as dt
import hashlib
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import evalkit
from evalkit.cohort.noun import Tables
from evalkit.contract.hidden import hidden_metrics
from evalkit.disclosure import count
from evalkit.evaluation import Evaluation
from evalkit.study import Study
from evalkit.study.locked import FILE as LOCK_FILE
from evalkit.words import SUPPRESSED

OF_MONEY = ("achieved", "payments", "cash_flows")  # what units, prices and periods make up, cell by cell
LIBRARIES = ("pandas", "numpy", "scipy", "statsmodels", "duckdb", "sqlglot", "pingouin", "papermill", "nbconvert")


def record(evaluation: Evaluation) -> dict[str, Any]:
    """State what the numbers of an evaluation were made from and with.

    Parameters
    ----------
    evaluation : Evaluation
        A finished walk.

    Returns
    -------
    dict
        ``title``, ``kind``, ``made`` (date), ``study`` and ``tables``
        (file, sha256, rows where read), ``versions``, ``parameters``
        (seed, level, estimator, index method, discount rate, disclosure rule), ``lock`` (sha256 of the lock file).
    """
    study = evaluation.study
    rule = study.disclosure.rule
    read = evaluation.cohort.tables if evaluation.cohort else {}
    counts = read.rows() if isinstance(read, Tables) else {name: len(table) for name, table in read.items()}
    rows = {name: _rows(count, rule) for name, count in counts.items()}
    withheld = _tell_by_their_hash(evaluation)
    return {
        "title": study.title,
        "kind": study.study.kind,
        "made": dt.date.today().isoformat(),
        "study": {"file": "study.toml", "sha256": sha256(study.folder / "study.toml")},
        "tables": [
            {"file": path.name, "sha256": SUPPRESSED if name in withheld else sha256(path), "rows": rows.get(name)}
            for name, path in files_read(study).items()
        ],
        "versions": versions(),
        "lock": _lock(),
        "parameters": _parameters(evaluation),
    }


def _tell_by_their_hash(evaluation: Evaluation) -> tuple[str, ...]:
    """Files of a contract with a hidden count: the few counts that are possible could be tried on their hash."""
    contract = evaluation.contract
    if contract is None or not len(contract.table) or not hidden_metrics(evaluation.study, contract.table):
        return ()
    return OF_MONEY


def _rows(n: int, rule: str) -> int | str:
    """Rows of a table, to tens: exact ones could be set against the counts of people. The hash says which table."""
    shown = count(n, rule)
    return round(shown, -1) if isinstance(shown, int) else shown


def files_read(study: Study) -> dict[str, Path]:
    """Every file that the study names and that lies in its folder, by table or by part.

    Parameters
    ----------
    study : Study
        A validated plan.

    Returns
    -------
    dict of str to Path
        In the order of the study file.
    """
    named: dict[str, str | None] = {}
    for name, table in study.tables.items():
        named[name] = table if isinstance(table, str) else getattr(table, "file", None)
    drift = study.cohort.drift if study.cohort else None
    if drift is not None and isinstance(drift.planned, str):
        named["planned starts"] = drift.planned
    if study.counterfactual is not None:
        named["rates"] = study.counterfactual.rates
    named |= {series.id: series.file for series in study.series}
    if study.contract is not None:
        of_contract = ("rate_card", *OF_MONEY, "variations", "costs", "budgets")
        named |= {part: getattr(study.contract, part) for part in of_contract}
    if study.value is not None:
        of_value = ("impact_map", "whole_life", "unit_costs", "deflators", "splits")
        named |= {part: getattr(study.value, part) for part in of_value}
    named |= {f"curve {curve.id}": curve.file for curve in study.curve}
    if study.framework is not None:
        named["framework"] = study.framework.file
    if study.simulation is not None:
        named["truth"] = study.simulation.truth
    named["locked plan"] = LOCK_FILE
    return {name: study.path(file) for name, file in named.items() if file and study.path(file).is_file()}


def sha256(path: Path) -> str:
    """Digest a file."""
    with path.open("rb") as file:  # piece by piece: tables may be larger than memory
        return hashlib.file_digest(file, "sha256").hexdigest()


def versions() -> dict[str, str]:
    """Versions of evalkit, Python and the libraries that make numbers or pages."""
    return {
        "evalkit": evalkit.__version__,
        "Python": platform.python_version(),
        **{name: metadata.version(name) for name in LIBRARIES},
    }


def _lock() -> str | None:
    lock = Path(evalkit.__file__).parent.parent / "requirements.lock"
    return sha256(lock) if lock.is_file() else None


def _parameters(evaluation: Evaluation) -> dict[str, str]:
    study = evaluation.study
    people = evaluation.cohort is not None
    found: dict[str, str] = {"Disclosure rule": study.disclosure.rule if people else _without_people(study)}
    if people:
        found["Seed"] = str(study.study.seed)
    if study.counterfactual is not None and not people:
        found["Estimator"] = study.counterfactual.estimator
    elif study.counterfactual is not None:
        found["Estimator"] = study.counterfactual.estimator
        found["Interval"] = f"{study.counterfactual.level:.0%}"
    if study.domain:
        found["Index"] = ", ".join(
            f"{domain.id}: {domain.index}, {domain.covariance} covariance" for domain in study.domain
        )
    if evaluation.value is not None and study.value is not None:
        found["Discount rate"] = str(study.value.discount_rate)
        found["Draws"] = f"{study.value.draws:,}"
    return found


def _without_people(study: Study) -> str:
    """What is done about small counts where nobody is counted."""
    if study.counterfactual is None or study.counterfactual.areas is None:
        return "none needed: published figures only"
    return f"{study.disclosure.rule}, for counts by period and their totals; other figures of areas were not checked"


def write_crate(facts: dict[str, Any], folder: Path) -> None:
    """Describe a finished report as an RO-Crate: what was made, from what, with what.

    Parameters
    ----------
    facts : dict
        What `record` returned.
    folder : Path
        The report's folder; ``ro-crate-metadata.json`` is written into it. Tables are described by name and hash and
        not included: they may be about people.
    """
    from rocrate.rocrate import ROCrate

    crate = ROCrate()
    crate.name = facts["title"]
    crate.description = f"Evaluation report made by evalkit. Kind of data: {facts['kind']}."
    results = [crate.add_file(path, path.name) for path in sorted(folder.iterdir()) if path.is_file()]
    objects = [_described(crate, part) for part in (facts["study"], *facts["tables"])]
    tool = crate.add_jsonld(
        {"@id": "#evalkit", "@type": "SoftwareApplication", "name": "evalkit", "version": evalkit.__version__}
    )
    crate.add_jsonld(
        {
            "@id": "#run",
            "@type": "CreateAction",
            "name": "evaluation",
            "instrument": {"@id": tool.id},
            "object": [{"@id": thing.id} for thing in objects],
            "result": [{"@id": thing.id} for thing in results],
            "endTime": facts["made"],
        }
    )
    crate.metadata.write(folder)


def _described(crate: Any, part: dict[str, Any]) -> Any:
    """A file that is named and hashed but stays where it is."""
    about = {"@id": f"#{part['file']}", "@type": "CreativeWork", "name": part["file"], "sha256": part["sha256"]}
    return crate.add_jsonld(about)
