"""Every published result on the list is repeated; a wrong number is seen, missing data are said."""

import re

import pandas as pd
import pytest
from typer.testing import CliRunner

import evalkit as ek
from evalkit.cli import app
from evalkit.errors import EvalkitError, StudyError
from evalkit.report import show_validation
from evalkit.validation import Line, Paper, Validation, papers, validate
from evalkit.validation.nouns import COLUMNS, printed


@pytest.fixture(scope="module")
def shipped():
    return validate()


def test_every_result_whose_data_are_here_agrees(shipped):
    wrong = shipped.table[~shipped.table["agrees"]]
    assert wrong[["paper", "what", "expected", "obtained"]].to_dict("records") == []
    assert {"dehejia wahba experiment", "angrist lavy", "goldstein", "cinelli hazlett"} <= set(shipped.papers)


def test_every_result_whose_data_may_not_be_handed_on_agrees(beside):
    folder = beside("counterfactual/mpdta.csv").parent
    found = validate(folder, only=[name for name, one in papers().items() if not one.shipped])
    assert found.absent == {}
    assert found.table[~found.table["agrees"]][["paper", "what", "expected", "obtained"]].to_dict("records") == []


def test_a_paper_whose_data_may_not_be_handed_on_says_how_to_get_them():
    kept_out = [one for one in papers().values() if not one.shipped]
    assert {one.file for one in kept_out} == {"mpdta.csv", "card_krueger_long.csv", "sicily_its.csv", "prop99.csv"}
    assert all(one.obtain and one.licence for one in kept_out)
    assert all(one.reference and re.search(r"\((19|20)\d\d\)|as reported", one.reference) for one in papers().values())


def test_a_number_that_does_not_agree_is_told_as_such():
    line = Line("effect", 1.0, 1.1, 0.05, "published")
    row = {"paper": "p", **vars(line), "difference": 0.1, "agrees": line.agrees}
    paper = Paper("p", "A paper", "Somebody (2020)", run=lambda _: [line])
    found = Validation(pd.DataFrame([row])[COLUMNS], {"p": paper}, {})
    assert not found.agrees
    assert found.says == "0 of 1 numbers from 1 sources agree to the stated tolerance."
    assert "<td>no</td>" in show_validation(found, "p").html


def test_a_missing_number_never_agrees():
    assert not Line("effect", 1.0, float("nan"), 10.0, "").agrees


@pytest.mark.parametrize(
    ("value", "tolerance", "text"),
    [(0.13312, 0.001, "0.1331"), (1794.34, 1, "1,794"), (117, 0, "117"), (float("nan"), 1, "[x]")],
)
def test_a_result_is_printed_with_the_digits_that_its_tolerance_gives_meaning_to(value, tolerance, text):
    assert printed(value, tolerance) == text


def test_the_page_shows_every_paper_and_what_is_not_here(shipped):
    html = show_validation(shipped).html
    assert all(re.search(rf"<h2[^>]*>{re.escape(one.title)}", html) for one in shipped.papers.values())
    assert "mpdta.csv" in html or not shipped.absent


def test_wrong_words_are_met_with_the_nearest(shipped, tmp_path):
    with pytest.raises(StudyError, match='Did you mean "goldstein"'):
        validate(only=["goldstien"])
    with pytest.raises(StudyError, match="is not a folder"):
        validate(tmp_path / "nowhere")
    with pytest.raises(EvalkitError, match='Did you mean "brief"'):
        show_validation(shipped, "breif")


def test_the_command_writes_the_page_and_says_how_many_agree(tmp_path):
    page = tmp_path / "validation.html"
    told = CliRunner().invoke(app, ["validate", "--out", str(page)])
    assert told.exit_code == 0, told.output
    assert re.search(r"(\d+) of \1 numbers from \d+ sources agree", told.output)
    text = page.read_text(encoding="utf-8")
    assert "evalkit against published results" in text
    assert "index.html" in text
    assert ek.validate(only=["vanderweele ding"]).agrees
