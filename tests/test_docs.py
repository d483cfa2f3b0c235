"""The pages say what the code does."""

import re
from pathlib import Path

import pytest

from evalkit.cohort.functions import FUNCTIONS
from evalkit.study.model import StudyFile

DOCS = Path(__file__).parent.parent / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
PARTS = StudyFile.model_json_schema()["$defs"]


@pytest.mark.parametrize("part", PARTS)
def test_the_study_file_page_lists_every_key_and_no_other(part):
    page = (DOCS / "reference" / "study-file.md").read_text(encoding="utf-8")
    about = PARTS[part]["description"].split("\n")[0].strip()
    section = page[page.index(f"\n{about}\n") :].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(PARTS[part]["properties"])


def test_the_rules_page_names_every_function():
    page = (DOCS / "reference" / "rules.md").read_text(encoding="utf-8")
    assert [name for name in FUNCTIONS if f"{name}(" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_a_link_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
