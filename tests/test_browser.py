"""A report in Chromium, from the file system: accessible, quiet, and alone."""

import shutil
from pathlib import Path

import pytest

import evalkit as ek
from evalkit.batch import run_studies

ROOT = Path(__file__).parent.parent
CHROMIUM = shutil.which("chromium")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
STUDIES = ["edge_of_care", "peterborough"]

pytestmark = [
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium: apt install chromium"),
]


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    out = tmp_path_factory.mktemp("browser") / "reports"
    raw = out.parent / "raw"
    for name in STUDIES:
        shutil.copytree(ROOT / "data" / "raw" / name, raw / name)
    assert run_studies([raw / name for name in STUDIES], out, progress=False).failed == {}
    ek.render_portfolio(out)
    return {name: out / name / "report.html" for name in STUDIES} | {"index": out / "index.html"}


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield chromium
        chromium.close()


def opened(browser, page, **context):
    """Open a page and note every console message and every request that is not the page itself."""
    said, asked = [], []
    tab = browser.new_context(**context).new_page()
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(page.as_uri())
    return tab, said, [url for url in asked if url != page.as_uri() and not url.startswith("data:")]


@pytest.mark.parametrize("name", [*STUDIES, "index"])
def test_a_page_says_nothing_on_the_console_and_asks_for_nothing(pages, browser, name):
    tab, said, asked = opened(browser, pages[name])
    tab.wait_for_load_state("networkidle")
    assert said == []
    assert asked == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", [*STUDIES, "index"])
def test_a_page_has_no_accessibility_violation(pages, browser, name, scheme):
    from axe_playwright_python.sync_playwright import Axe

    tab, _, _ = opened(browser, pages[name], color_scheme=scheme)
    found = Axe().run(tab).response["violations"]
    assert [(rule["id"], [node["html"][:120] for node in rule["nodes"]][:3]) for rule in found] == []


@pytest.mark.parametrize("width", [390, 768, 1280])
@pytest.mark.parametrize("name", [*STUDIES, "index"])
def test_a_page_never_scrolls_sideways(pages, browser, name, width):
    tab, _, _ = opened(browser, pages[name], viewport={"width": width, "height": 900})
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", STUDIES)
def test_every_figure_says_its_numbers_to_those_who_cannot_see_it(pages, browser, name):
    tab, _, _ = opened(browser, pages[name])
    texts = tab.evaluate(
        "[...document.querySelectorAll('figure svg[role=img]')].map(s => s.getAttribute('aria-label') || '')"
    )
    assert texts
    assert all(any(character.isdigit() for character in text) for text in texts)
