"""From an evaluation to INDIGO: its public results as the JSON form of one project, and as spreadsheets."""

from __future__ import annotations

import csv
import io
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalkit.contract.reading import Papers, read_papers
from evalkit.indigo import columns, paid, priced
from evalkit.indigo.aside import written_whole
from evalkit.indigo.dated import dates_of
from evalkit.indigo.public import Public, engaged, field, filled, may_leave
from evalkit.indigo.registers import Registers, organisation_list, registers_of, source_list
from evalkit.indigo.schema import check_against

UNKNOWN = "INDIGO-POJ-0000"
STAGES = ("Contracted", "Implementation", "Service delivery complete", "Complete")
COUNTRIES = dict.fromkeys(("england", "scotland", "wales", "northern ireland", "united kingdom", "uk"), "GB")
KINDS = {
    "real": "Rests on records of real people, given as counts and sums after disclosure control.",
    "published figures": "Rests on figures typed in from publications; no record of any person was seen.",
    "synthetic": "Every person, organisation and number is invented: not evidence about any real project.",
}
PROJECT_FILE, ORGANISATIONS_FILE, LEFT_OUT = "project.json", "organisations.json", "left_out.csv"


@dataclass(frozen=True, eq=False)
class Exported:
    """A study in INDIGO's form.

    Parameters
    ----------
    project : dict
        The JSON form of one project; every value with its status, PUBLIC.
    organisations : list of dict
        Those it refers to: id and name.
    left_out : list of dict
        table, what, why: what was not exported.
    """

    project: dict[str, Any]
    organisations: list[dict[str, Any]]
    left_out: list[dict[str, str]]

    def sheets(self) -> dict[str, list[list[str]]]:
        """The rows of each of INDIGO's spreadsheets, header first."""
        return {
            table: [columns.headers(table), *columns.rows(table, self.project, self.organisations)]
            for table in columns.tables()
        }


def export_indigo(evaluation: Any) -> Exported:
    """Put a study's public results into INDIGO's form, after disclosure control.

    Parameters
    ----------
    evaluation : Evaluation
        Any. Records of people and lines of the ledger are never read for it.

    Returns
    -------
    Exported
        The project, its organisations and a list of what was left out and why.

    Raises
    ------
    DisclosureError
        The data are records of real people and nobody is named who reviewed the release.

    References
    ----------
    INDIGO Data Specification v4.1.0, project and organisation; Government Outcomes Lab, 18 April 2024.
    """
    public, study = may_leave(evaluation), evaluation.study
    registers = registers_of(study)
    papers = None if study.contract is None else read_papers(study)
    report = f"{study.title}: evaluation report ({study.study.kind}), made by evalkit"
    registers.source(report)
    project = {**_about(public, registers), **_lists(public, papers, registers, report)}
    project["sources"] = source_list(registers, report)
    return Exported(filled(project), organisation_list(registers), list(public.left_out))


def _about(public: Public, registers: Registers) -> dict[str, Any]:
    study = public.evaluation.study
    stage = next((fact for fact in study.study.facts.values() if fact in STAGES), "")
    return {
        "id": study.study.indigo or UNKNOWN,
        "status": "PUBLIC",
        "name": field(study.title),
        "stage_development": field(stage),
        "dates": {**dates_of(study)},
        "jurisdiction": _jurisdiction(study.study.country),
        "overall_project_finance": _finance(public),
        "investment_details": _invested(public),
        "purpose_and_classifications": {"notes": study.study.summary.strip()},
        "service_and_beneficiaries": {
            "target_population": field("" if study.study.people == "people" else study.study.people),
            "actual_number_service_users_or_beneficiaries_total": field(engaged(public)),
        },
        "notes": field(_notes(public)),
    }


def _jurisdiction(country: str) -> dict[str, Any]:
    """INDIGO wants a country's two letters; anything else is a note."""
    text = country.strip()
    code = text if len(text) == 2 and text.isupper() else COUNTRIES.get(text.lower(), "")
    return {"jurisdiction": field(code), "notes": text if text != code else ""}


def _finance(public: Public) -> dict[str, Any]:
    study, flows = public.evaluation.study, paid.invested(public)
    committed = {"currency": field(study.study.currency), "amount": {"exact": field(float(flows["amount"].sum()))}}
    recorded = study.contract is not None and study.contract.cap is None and study.contract.maximum_recorded is not None
    return {
        "total_investment_commitment": committed if len(flows) else None,
        "maximum_potential_outcome_payment_v2": paid.maximum(study),
        "total_outcome_payments_made": paid.total_paid(public),
        "notes": "The maximum is one on record; it is not known to be a cap." if recorded else "",
    }


def _invested(public: Public) -> dict[str, Any]:
    """What investors paid in, and their return where there is one."""
    flows, contract = paid.invested(public), public.evaluation.contract
    if flows.empty:
        return {}
    rate = getattr(contract.investor, "irr", None) if contract is not None else None
    latest = {
        "currency": field(public.evaluation.study.study.currency),
        "amount": field(float(flows["amount"].sum())),
        "date": field(paid.latest(flows["date"])),
    }
    told = {"latest": field(f"{rate:.1%}")} if rate is not None else {}
    return {"total_funds_invested": {"latest": latest}, "internal_rate_of_return": told}


def _notes(public: Public) -> str:
    about, plan = public.evaluation.study.study, public.evaluation.study.disclosure
    parts = [f"Kind of data: {about.kind}.", KINDS[about.kind], about.kind_note]
    if not public.exact:
        parts.append(f"Disclosure rule: {plan.rule}.")
    if about.kind == "real":
        parts.append(f"Reviewed for release{f' on {plan.reviewed_on}' if plan.reviewed_on else ''}.")
    if not about.indigo:
        parts.append(f"{UNKNOWN} stands where INDIGO has not yet given an id.")
    if any(party for party in public.evaluation.study.party):
        parts.append("Organisations called party1, party2 ... have no INDIGO id known to the study.")
    return " ".join(part.strip() for part in parts if part.strip())


def _lists(public: Public, papers: Papers | None, registers: Registers, report: str) -> dict[str, Any]:
    study, flows = public.evaluation.study, paid.invested(public)
    of_provider, of_payer = paid.costs(public, registers)
    if of_payer:
        public.leave_out("provider_side_cost", "costs of the commissioners", "The spreadsheets have no table for them.")
    found = {
        "service_provisions": _providers(study, registers),
        "outcome_payment_commitments": paid.commitments(public, registers),
        "investments": paid.investments(public, flows, registers),
        "intermediary_services": _intermediaries(study, registers),
        "results": priced.results(public, papers, registers, report),
        "provider_side_cost": of_provider,
        "outcome_payer_cost": of_payer,
        "documents": [filled({"title": field(report), "status": "PUBLIC"})],
    }
    if papers is not None:
        found |= {
            "outcome_metrics": priced.metrics(public, registers),
            "outcome_pricings": priced.pricings(public, papers, registers),
            "outcome_payment_plans": paid.plans(papers),
            "outcome_payments": paid.payments(public, papers, registers),
        }
    return found


def _providers(study: Any, registers: Registers) -> list[dict[str, Any]]:
    providers = [party for party in study.party if party.role == "provider"]
    return [
        filled(
            {
                "id": f"serviceprovision{number}",
                "organisation_id": registers.organisation(party.name),
                "source_ids": registers.source(party.source),
                "notes": party.note,
                "status": "PUBLIC",
            }
        )
        for number, party in enumerate(providers, start=1)
    ]


def _intermediaries(study: Any, registers: Registers) -> list[dict[str, Any]]:
    """Intermediaries and evaluators: INDIGO has one list for both, told apart by a description."""
    others = [party for party in study.party if party.role in ("intermediary", "evaluator", "other")]
    return [
        filled(
            {
                "organisation_id": registers.organisation(party.name),
                "organisation_role_category": None if party.role == "intermediary" else field("Other"),
                "other_role_description": None if party.role == "intermediary" else field(party.role.capitalize()),
                "source_ids": registers.source(party.source),
                "notes": party.note,
                "status": "PUBLIC",
            }
        )
        for party in others
    ]


# ---------------------------------------------------------------- files


def write_export(
    evaluation: Any,
    folder: str | os.PathLike[str],
    schema: str | os.PathLike[str] | None = None,
    replace: bool = False,
) -> Path:
    """Write a study's public results in INDIGO's form, whole or not at all.

    Parameters
    ----------
    evaluation : Evaluation
        Any.
    folder : path
        project.json, organisations.json, original_<table>.csv for each spreadsheet, and left_out.csv.
    schema : path, optional
        A folder with INDIGO's project.json and organisation.json schemas: the export is held to them first.
    replace : bool
        Whether an earlier export there may be replaced.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    DisclosureError
        As `export_indigo`.
    DataError
        The export does not keep to the schema.
    StudyError
        The folder exists.
    """
    made = export_indigo(evaluation)
    if schema is not None:
        check_against(Path(schema), made.project, made.organisations)
    files = {PROJECT_FILE: _as_json(made.project), ORGANISATIONS_FILE: _as_json(made.organisations)}
    files |= {columns.file_of(table): as_csv(rows) for table, rows in made.sheets().items()}
    names = ["table", "what", "why"]
    files[LEFT_OUT] = as_csv([names, *[[line[name] for name in names] for line in made.left_out]])
    return written_whole(Path(folder), files, PROJECT_FILE, replace)


def _as_json(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def as_csv(rows: list[list[str]]) -> str:
    """Rows as the text of a csv file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
