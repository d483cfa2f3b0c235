"""The page of data-quality findings, and the portfolio beside it."""

from __future__ import annotations

import html
import json

from evalkit.contract.indigo import read_indigo
from evalkit.indigo import QUALITY, render_quality
from evalkit.portfolio import pages_beside, show_portfolio
from tests.indigo.conftest import FIRST, SECOND


def summary(folder, **more):
    """One finished report, as the portfolio reads it."""
    about = {
        "id": folder.name,
        "title": folder.name,
        "stand": "",
        "kind": "published figures",
        "is_sib": True,
        "country": "GB",
        "currency": "GBP",
        "people": "[z]",
        "headline": "Nothing can be said yet.",
        "outcome": "",
        "effect": "[x]",
        "interval": "",
        "conclusion": "not known",
        "level": None,
        "paid": None,
        "owed": None,
        "planned": None,
        "ratio_low": None,
        "ratio": None,
        "ratio_high": None,
        "serious": 0,
        "cautions": 0,
    }
    folder.mkdir(parents=True)
    (folder / "summary.json").write_text(json.dumps(about | more), encoding="utf-8")
    (folder / "report.html").write_text("<title>r</title>", encoding="utf-8")


def test_the_page_counts_every_finding_and_lists_each_with_its_rows_and_question(record, tmp_path):
    data = read_indigo(record)
    page = render_quality(data, tmp_path / "reports").read_text(encoding="utf-8")
    assert f"{len(data.findings)} findings in the record of 3 projects" in page
    section = page[page.index('<section id="all"') :]
    body = section[section.index("<tbody>") : section.index("</tbody>")]
    assert body.count("<tr>") == len(data.findings)
    for one in data.findings.itertuples():
        assert html.escape(one.what, quote=True) in body
        assert html.escape(one.question, quote=True) in body


def test_a_project_s_findings_lead_to_its_report_unless_it_has_none(record, tmp_path):
    data = read_indigo(record)
    page = render_quality(data, tmp_path, {SECOND: "it broke <here>"}).read_text(encoding="utf-8")
    assert 'href="indigo_poj_0901/report.html"' in page
    assert "indigo_poj_0902/report.html" not in page
    assert "It broke &lt;here&gt;." in page


def test_a_name_with_markup_is_shown_as_text(record, tmp_path):
    file = record / "original_projects.csv"
    file.write_text(file.read_text(encoding="utf-8").replace("with a slash", "<script>x</script>"), encoding="utf-8")
    page = render_quality(read_indigo(record), tmp_path).read_text(encoding="utf-8")
    assert "<script>x" not in page
    assert FIRST in page


def test_the_portfolio_leads_to_the_page_of_findings(record, tmp_path):
    summary(tmp_path / "one")
    assert QUALITY not in show_portfolio(tmp_path).html
    render_quality(read_indigo(record), tmp_path)
    assert list(pages_beside(tmp_path)) == [QUALITY]
    assert f'href="{QUALITY}"' in show_portfolio(tmp_path).html


def test_money_of_several_currencies_is_told_currency_by_currency(tmp_path):
    for name, paid, currency in (("a", 1000.0, "GBP"), ("b", 250.0, "USD"), ("c", 30.0, "GBP")):
        summary(tmp_path / name, paid=paid, currency=currency)
    page = show_portfolio(tmp_path).html
    assert "£1,030 and $250 paid" in page
    assert "1,280" not in page


def test_among_many_studies_only_those_with_an_estimate_get_a_card(tmp_path):
    for number in range(61):
        summary(tmp_path / f"s{number:02}")
    summary(tmp_path / "known", conclusion="worse", title="A negative result", effect_low=None)
    page = show_portfolio(tmp_path).html
    assert page.count('class="ek-card"') == 1
    assert page.count("report.html") == 63
