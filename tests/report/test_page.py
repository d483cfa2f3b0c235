"""The page: one file, no script, nothing from outside, headings in order, the code folded away."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from evalkit import EvalkitError, show
from evalkit.portfolio import read_summaries, show_portfolio
from evalkit.report import notebook, to_html
from evalkit.report.html import plain
from evalkit.report.sections import sections

ORDER = ["title", *(found.id for found in sections())]


def executed(evaluation, path, extra=(), shown=ORDER):
    """The evaluation notebook as papermill leaves it."""
    cells = [new_code_cell('study = "/home/someone/data/raw/riverside"', metadata={"tags": ["injected-parameters"]})]
    for section in shown:
        data, metadata = show(evaluation, section)._repr_mimebundle_()
        outputs = [new_output("execute_result", data=data, metadata=metadata)]
        cells.append(new_code_cell(f'ek.show(evaluation, "{section}")', outputs=outputs))
    nbformat.write(new_notebook(cells=[*cells, *extra]), path)
    return path


@pytest.fixture
def page(full, tmp_path):
    return to_html(executed(full, tmp_path / "report.ipynb"), tmp_path / "report.html")


@pytest.fixture
def html(page):
    return page.read_text(encoding="utf-8")


class Headings(HTMLParser):
    """The levels of the headings, in the order of the page."""

    def __init__(self):
        super().__init__()
        self.levels = []

    def handle_starttag(self, tag, attrs):
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))


def test_the_page_is_one_file_without_script_that_asks_for_nothing(html):
    assert "<script" not in html
    assert not re.search(r"""(src|srcset|data)\s*=\s*["'](?!data:)""", html)
    assert not re.search(r"@import|url\((?!#)", html)
    assert "<link" not in html
    assert set(re.findall(r'href="([^"#][^"]*)"', html)) == {"../index.html"}


def test_there_is_one_first_heading_and_no_level_is_skipped(html):
    parser = Headings()
    parser.feed(html)
    assert parser.levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(parser.levels, parser.levels[1:], strict=False))


def test_the_page_names_its_language_its_title_and_its_kind_of_data(html):
    assert '<html lang="en-GB">' in html
    assert "<title>Riverside family support: evaluation report (synthetic)</title>" in html
    assert "SYNTHETIC DATA" in plain(html).upper()
    assert 'content: "Synthetic data. Riverside family support. Made by evalkit."' in html


def test_a_skip_link_leads_to_the_findings_and_every_section_is_in_the_contents(html):
    assert '<a class="ek-skip" href="#main">' in html
    sections_there = re.findall(r'<section id="([^"]+)"', html)
    contents = re.findall(r'<li><a href="#([^"]+)">', html.split("<main")[0])
    assert contents == sections_there
    assert "payments" in contents


def test_code_is_folded_away_and_the_place_of_the_study_is_not_told(html):
    assert "<summary>Code</summary><pre>" in html
    assert "ek.show(evaluation, &quot;cohort&quot;)" in html
    assert "/home/someone" not in html


def test_results_stand_beside_the_page_and_each_is_printed_in_it(page, html):
    found = json.loads((page.parent / "results.json").read_text(encoding="utf-8"))
    assert set(found[0]) == {"id", "value", "unit", "low", "high", "text", "section", "source"}
    assert [one["id"] for one in found if one["text"] not in plain(html)] == []


def test_words_that_an_evaluator_adds_are_on_the_page_and_what_a_cell_shows_is_not(full, tmp_path):
    own = [
        new_markdown_cell("## Our own reading\n\nSome words."),
        new_code_cell(
            "people.head()", outputs=[new_output("execute_result", data={"text/plain": "  id born  0 p17 2004-05-06"})]
        ),
    ]
    html = to_html(executed(full, tmp_path / "a.ipynb", own), tmp_path / "report.html").read_text(encoding="utf-8")
    assert '<a href="#our-own-reading">' in html
    assert "Some words." in html
    assert "2004-05-06" not in html
    assert "What cannot be judged does not leave." in html


def test_a_notebook_with_a_failed_cell_makes_no_page(full, tmp_path):
    broken = [
        new_code_cell(
            "1 / 0", outputs=[new_output("error", ename="ZeroDivisionError", evalue="division by zero", traceback=[])]
        )
    ]
    with pytest.raises(EvalkitError, match="A cell failed: ZeroDivisionError: division by zero"):
        to_html(executed(full, tmp_path / "a.ipynb", broken), tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_a_notebook_that_was_never_run_makes_no_page(full, tmp_path):
    with pytest.raises(EvalkitError, match="shows no title"):
        to_html(executed(full, tmp_path / "a.ipynb", shown=["brief"]), tmp_path / "report.html")


def test_the_evaluation_notebook_has_a_cell_for_every_section():
    source = notebook("evaluation").read_text(encoding="utf-8")
    assert re.findall(r'ek\.show\(evaluation, \\"(\w+)\\"\)', source) == ORDER


def test_a_notebook_that_does_not_exist_is_refused():
    with pytest.raises(EvalkitError, match=r"There is no notebooks/nothing\.ipynb"):
        notebook("nothing")


def test_a_table_that_may_not_fit_a_phone_can_be_reached_by_keyboard(html):
    for scroll in re.findall(r'<div class="ek-scroll[^>]*>', html):
        assert "ek-fits" in scroll or 'tabindex="0"' in scroll


def portfolio(folder, **evaluations):
    for name, evaluation in evaluations.items():
        (folder / name).mkdir(parents=True)
        to_html(executed(evaluation, folder / name / "report.ipynb"), folder / name / "report.html")
    return folder


def test_the_portfolio_sets_every_finished_report_side_by_side(full, contract_only, tmp_path):
    reports = portfolio(tmp_path, first=full, second=contract_only)
    (tmp_path / ".making-third").mkdir()
    html = show_portfolio(reports).html
    assert {one["folder"] for one in read_summaries(reports)} == {"first", "second"}
    assert 'href="first/report.html"' in html
    assert "\u221246.7 days" in html
    assert "\u00a30.72 to \u00a31.88" in html
    assert "Synthetic data" in html
    assert "Published figures" in html


def test_money_of_a_synthetic_study_is_not_added_to_that_of_real_ones(full, contract_only, tmp_path):
    html = show_portfolio(portfolio(tmp_path, first=full, second=contract_only)).html
    assert "In 1 of 1 evaluations of real programmes" in plain(html)


def test_a_study_whose_report_could_not_be_made_is_named(full, tmp_path):
    reports = portfolio(tmp_path, first=full)
    (reports / "failed").mkdir()
    (reports / "failed" / "broken.ipynb").write_text("{}")
    assert "broken: the reason and the notebook are in failed/broken" in show_portfolio(reports).html


def test_an_empty_portfolio_says_so(tmp_path):
    assert "No evaluation has been made yet." in show_portfolio(tmp_path).html
