"""A small record of invented projects in the form of INDIGO's spreadsheets, and a study with few people behind it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from evalkit.indigo import columns

FIRST, SECOND, THIRD = "INDIGO-POJ-0901", "INDIGO-POJ-0902", "INDIGO-POJ-0903"

PROJECTS = [
    {
        "ID": FIRST,
        "Impact Bond Name": 'A "quoted" name\nover two lines \\ with a slash',
        "Stage of Development": "Complete",
        "Dates - Date outcomes contract signed": "2018-08",
        "Dates - Start date of service provision": "2018",
        "Dates - Anticipated end date of service provision": "2021-03-31",
        "Overall project finance - Maximum potential outcome payment - Currency": "GBP",
        "Overall project finance - Maximum potential outcome payment - Amount": "9000",
        "Purpose and classifications - Intervention": "Support\x07 with \u2028 strange signs",
    },
    {"ID": SECOND, "Impact Bond Name": "A project of which nothing more is known"},
    {"ID": THIRD, "Impact Bond Name": "Two currencies"},
]
TABLES = {
    "projects_outcome_metrics": [
        {"Project ID": FIRST, "Id": "outcomemetric1", "Outcome Definition": "Stays at school"},
        {"Project ID": FIRST, "Id": "outcomemetric2", "Outcome Definition": "=SUM(A1) is no formula here"},
        {"Project ID": FIRST, "Id": "outcomemetric3", "Outcome Definition": "Feels safe", "Outcome metric target": "9"},
    ],
    "projects_outcome_pricings": [
        {
            "Project ID": FIRST,
            "Outcome Metric Id": "outcomemetric1",
            "Currency": "GBP",
            "Price Per Unit - Amount": "220",
        },
        {
            "Project ID": FIRST,
            "Outcome Metric Id": "outcomemetric2",
            "Currency": "GBP",
            "Price Per Unit - Amount": "100.5",
        },
        {"Project ID": THIRD, "Outcome Metric Id": "m1", "Currency": "USD", "Price Per Unit - Amount": "10"},
    ],
    "projects_results": [
        {
            "Project ID": FIRST,
            "Outcome Metric Id": "outcomemetric1",
            "Outcomes achieved": "12",
            "Period - End": "2020-06",
        },
        {
            "Project ID": FIRST,
            "Outcome Metric Id": "outcomemetric2",
            "Outcomes achieved": "No evidence was found that anybody did better, 12% (of 96)",
            "Result type": "Final",
        },
        {"Project ID": FIRST, "Outcome Metric Id": "outcomemetric3", "Outcomes achieved": "7"},
    ],
    "projects_outcome_payments": [
        {
            "Project ID": FIRST,
            "Outcome Payment Plan Id": "Plan1",
            "Outcome Metric Id": "outcomemetric1",
            "Period - Start": "2018-10",
            "Period - End": "2019-03",
            "Type": "Planned",
            "Payments - Currency": "GBP",
            "Payments - Amount": "3000",
        },
        {
            "Project ID": FIRST,
            "Outcome Metric Id": "outcomemetric1",
            "Period - Start": "2018-10",
            "Period - End": "2019-03",
            "Payer Organisation ID": "INDIGO-ORG-0001",
            "Type": "Actual",
            "Payments - Currency": "GBP",
            "Payments - Amount": "2420.10",
        },
        {
            "Project ID": FIRST,
            "Outcome Metric Id": "outcomemetric3",
            "Period - Start": "2019-03",
            "Period - End": "2018-10",
            "Type": "Actual",
            "Payments - Currency": "GBP",
            "Payments - Amount": "70",
        },
        {"Project ID": THIRD, "Type": "Actual", "Payments - Currency": "GBP", "Payments - Amount": "50"},
        {"Project ID": THIRD, "Type": "Actual", "Payments - Currency": "GBP", "Payments - Amount": "60"},
        {"Project ID": THIRD, "Type": "Actual", "Payments - Currency": "USD", "Payments - Amount": "10"},
    ],
    "projects_outcome_payment_commitments": [{"Project ID": FIRST, "Organisation ID": "INDIGO-ORG-0001"}],
    "projects_service_provisions": [
        {
            "Project ID": FIRST,
            "Organisation ID": "INDIGO-ORG-0002",
            "Alterations to service - Description": "Moved online",
        }
    ],
    "organisations": [
        {"ID": "INDIGO-ORG-0001", "Name": "A council"},
        {"ID": "INDIGO-ORG-0002", "Name": "A charity; of two towns"},
    ],
}


def write_table(folder: Path, table: str, rows: list[dict[str, str]]) -> None:
    """One spreadsheet with the headers the package makes; cells named by their labels."""
    labels = list(columns.tables()[table].values())
    unknown = [name for row in rows for name in row if name not in labels]
    assert unknown == []
    with (folder / columns.file_of(table)).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns.headers(table))
        writer.writerows([[row.get(label, "") for label in labels] for row in rows])


@pytest.fixture
def record(tmp_path):
    """The folder of the small record."""
    folder = tmp_path / "record"
    folder.mkdir()
    write_table(folder, "projects", PROJECTS)
    for table, rows in TABLES.items():
        write_table(folder, table, rows)
    return folder


@pytest.fixture
def whole_record(beside):
    """The folder of the published data set, where it lies beside the project."""
    return beside("../data/indigo")


@pytest.fixture
def schema(beside):
    """The folder of INDIGO's schema, where it lies beside the project."""
    return beside("../data/indigo_schema")


@pytest.fixture
def study(tmp_path):
    """Write a study with a contract of two metrics: 40 and, unless said otherwise, 3 people behind them."""

    def write(kind: str = "synthetic", published: bool = False, few: int = 3, more: str = "", rule: str = "") -> Path:
        folder = tmp_path / "few"
        folder.mkdir(exist_ok=True)
        (folder / "study.toml").write_text(
            f"""
[study]
id = "few"
title = "A contract with few people behind one metric"
kind = "{kind}"
sources = ["The contract; its second schedule", "https://example.org/report.pdf"]
[[party]]
role = "commissioner"
name = "The council"
note = "Known as INDIGO-ORG-0007."
[[party]]
role = "investor"
name = "A fund"
[contract]
rate_card = "rate_card.csv"
achieved = "achieved.csv"
payments = "payments.csv"
cash_flows = "cash_flows.csv"
published = {str(published).lower()}
cap = 90000
source = "The contract"
[[contract.step]]
says = "Contract was signed"
done = 2019-05-06
{more}
[disclosure]
{rule}
""",
            encoding="utf-8",
        )
        tables = {
            "rate_card": [
                "metric,title,price",
                "often,Stays at school,100",
                "mid,Sits the test,70",
                "rare,Feels safe,1000",
            ],
            "achieved": [
                "metric,units,date,person",
                *[f"often,1,2020-01-15,secret-{n}" for n in range(40)],
                *[f"mid,1,2020-01-15,secret-{n}" for n in range(33)],
                *[f"rare,1,2020-02-20,secret-{n}" for n in range(few)],
            ],
            "payments": [
                "metric,kind,plan,start,end,amount,payer",
                "often,planned,plan1,2020-01-01,2020-06-30,5000,The council",
                "often,actual,,2020-01-01,2020-03-31,3700,The council",
                "often,actual,,2020-04-01,2020-06-30,300,The council",
                "mid,actual,,2020-04-01,2020-06-30,2310,The council",
                f"rare,actual,,2020-01-01,2020-03-31,{1000 * few},The council",
            ],
            "cash_flows": ["date,amount", "2019-06-01,-5000", "2021-06-01,6000"],
        }
        for name, lines in tables.items():
            (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return folder

    return write
