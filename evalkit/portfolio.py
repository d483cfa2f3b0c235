"""All studies side by side: one page with links, kind of data, headline, effect, money, value and evidence."""

from __future__ import annotations

import hashlib
import html
import json
import os
import re
from pathlib import Path
from typing import Any

from evalkit import words
from evalkit.errors import EvalkitError
from evalkit.report.blocks import Column, Table
from evalkit.report.display import TEMPLATE, Shown
from evalkit.report.figures.ranges import small_range
from evalkit.report.html import Cell, esc, sentence
from evalkit.report.page import KIND_NOTES, KINDS
from evalkit.report.render import PAGE, SUMMARY, displayed, execute, fill, notebook, page_style, write_whole

INDEX, BOOK = "index.html", "index.ipynb"
CARDS = 60  # more headlines than anybody reads one after the other: then only those with an estimate get a card
_TITLE = re.compile(r"<title>([^<]*)</title>")
_KEY = re.compile(r'name="evalkit-key" content="([0-9a-f]+)"')
CONCLUSIONS = {
    "better": "Better",
    "worse": "Worse",
    "no clear difference": "No clear difference",
    "not known": "Not known",
}


def read_summaries(reports: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Read what each finished report says of itself.

    Parameters
    ----------
    reports : path
        Folder with one folder per report.

    Returns
    -------
    list of dict
        summary.json of each, with ``folder``; synthetic ones last, else by title.
    """
    paths = [path for path in sorted(Path(reports).glob(f"*/{SUMMARY}")) if (path.parent / PAGE).is_file()]
    finished = [path for path in paths if not path.parent.name.startswith(".")]
    found = [json.loads(path.read_text(encoding="utf-8")) | {"folder": path.parent.name} for path in finished]
    return sorted(found, key=lambda one: (one["kind"] == "synthetic", not one["is_sib"], one["title"]))


def failures(reports: str | os.PathLike[str]) -> list[str]:
    """Names of the studies whose report could not be made last time."""
    return sorted(path.stem for path in Path(reports).glob("failed/*.ipynb"))


def pages_beside(reports: str | os.PathLike[str]) -> dict[str, str]:
    """Other pages that lie beside the index, by file: what their title says."""
    files = [path for path in sorted(Path(reports).glob("*.html")) if path.name != INDEX]
    titles = {path.name: _TITLE.search(path.read_text(encoding="utf-8", errors="replace")) for path in files}
    return {name: html.unescape(found.group(1)).strip() or name for name, found in titles.items() if found}


def show_portfolio(reports: str | os.PathLike[str]) -> Shown:
    """Show all finished reports side by side in a notebook.

    Parameters
    ----------
    reports : path
        Folder with one folder per report.

    Returns
    -------
    Shown
        Overview, table, one card per study.
    """
    found = read_summaries(reports)
    parts = [_head(found), _overview(found), _beside(reports), _table(found), _cards(found), _failed(reports)]
    page = {"title": "Evaluations, side by side", "lang": "en-GB", **_kind(found)}
    return Shown("".join(parts), {"section": "portfolio", "title": page["title"], "page": page})


def render_portfolio(reports: str | os.PathLike[str] = "reports", engine: str | None = None) -> Path:
    """Write index.html, the page of all reports; left alone where nothing changed.

    Parameters
    ----------
    reports : path
        Folder with one folder per report.
    engine : str, optional
        A registered papermill engine.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    EvalkitError, papermill.exceptions.PapermillExecutionError
        The notebook is missing or a cell failed.
    """
    folder = Path(reports).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / INDEX
    return page if is_current(folder) else _render(folder, page, _key(folder), engine)


def is_current(reports: str | os.PathLike[str]) -> bool:
    """Whether index.html stands and was made from just these reports."""
    folder = Path(reports).resolve()
    page = folder / INDEX
    written = _KEY.search(page.read_text(encoding="utf-8")) if page.is_file() else None
    return written is not None and written.group(1) == _key(folder)


def _render(folder: Path, page: Path, key: str, engine: str | None) -> Path:
    import nbformat

    ran = execute(notebook("portfolio"), {"reports": str(folder)}, folder / f".{os.getpid()}.{BOOK}", engine)
    try:
        book = nbformat.read(str(ran), as_version=4)
        shown = displayed(book).get("portfolio")
        if shown is None:
            raise EvalkitError("portfolio.ipynb shows no portfolio: it needs a cell show_portfolio(reports).")
        filled = shown["page"] | {"body": shown["html"], "key": key, "style": page_style(shown["page"]["foot"])}
        write_whole(page, fill(book, filled, "portfolio.html.j2"))
    finally:
        ran.unlink(missing_ok=True)
    return page


def _key(folder: Path) -> str:
    """Digest of everything the page is made from."""
    sources = [Path(__file__), notebook("portfolio"), *sorted(TEMPLATE.iterdir())]
    made = hashlib.sha256("\n".join([*failures(folder), *map(repr, pages_beside(folder).items())]).encode())
    for path in [*sources, *sorted(folder.glob(f"*/{SUMMARY}"))]:
        made.update(path.parent.name.encode() + path.read_bytes())
    return made.hexdigest()


def _kind(found: list[dict[str, Any]]) -> dict[str, str]:
    kinds = sorted({one["kind"] for one in found})
    if len(kinds) == 1:
        return {
            "kind": KINDS[kinds[0]],
            "kind_note": KIND_NOTES[kinds[0]],
            "foot": f"{KINDS[kinds[0]]}. All evaluations. Made by evalkit.",
        }
    listed = words.listed([KINDS[kind].lower() for kind in kinds]) or "no evaluations yet"
    return {
        "kind": "Mixed data",
        "kind_note": f"{sentence(listed)} Each row says which.",
        "foot": f"Mixed data: {listed}. Made by evalkit.",
    }


def _head(found: list[dict[str, Any]]) -> str:
    count = {0: "No evaluation has been made yet.", 1: "One evaluation"}.get(len(found), f"{len(found)} evaluations")
    rest = (
        ""
        if not found
        else " made by one method: what changed, how sure that is, what was owed and paid, and what it was worth."
    )
    return f'<header class="ek-top"><h1>Evaluations, side by side</h1><p class="ek-stand">{count}{rest}</p></header>'


def _overview(found: list[dict[str, Any]]) -> str:
    if not found:
        return ""
    counts = {name: sum(one["conclusion"] == name for one in found) for name in CONCLUSIONS}
    told = words.listed([f"{n} {CONCLUSIONS[name].lower()}" for name, n in counts.items() if n])
    real = [one for one in found if one["kind"] != "synthetic"]
    paid = [one for one in real if one["paid"]]
    differing = [one for one in paid if one["owed"] is not None and round(one["paid"]) != round(one["owed"])]
    serious = sum(one["serious"] for one in found)
    money = _sums(paid)
    tiles = [
        (
            "Impact",
            told[:1].upper() + told[1:],
            "Main outcome of each. \u201cNot known\u201d: no comparison, or no sampling error published.",
        ),
        (
            "Payments",
            f"{money} paid" if paid else "None recorded",
            (
                f"In {len(paid)} of {len(real)} evaluations of real programmes; in "
                f"{len(differing)} of them paid and owed differ."
            ),
        ),
        (
            "Challenges",
            "1 serious flag" if serious == 1 else f"{serious} serious flags",
            f"In {sum(one['serious'] > 0 for one in found)} of {len(found)} evaluations; each report lists them.",
        ),
    ]
    items = "".join(
        f'<li><h2>{esc(head)}</h2><p class="ek-big">{esc(big)}</p><p>{esc(text)}</p></li>' for head, big, text in tiles
    )
    return f'<ul class="ek-three">{items}</ul>'


def _sums(paid: list[dict[str, Any]]) -> str:
    """What was paid, currency by currency: never one sum of several."""
    sums: dict[str, float] = {}
    for one in paid:
        sums[one["currency"]] = sums.get(one["currency"], 0.0) + one["paid"]
    return words.listed([words.money(round(total, 2), code) for code, total in sums.items()])


def _beside(reports: str | os.PathLike[str]) -> str:
    """Links to the other pages in the folder of reports."""
    links = [f'<a href="{esc(name)}">{esc(title)}</a>' for name, title in pages_beside(reports).items()]
    return f'<p class="ek-notes">See also: {", ".join(links)}.</p>' if links else ""


def _table(found: list[dict[str, Any]]) -> str:
    if not found:
        return ""
    columns = [
        Column("Programme", False),
        Column("Kind of data", False),
        Column("People"),
        Column("Result", False),
        Column("Effect"),
    ]
    columns += [Column("Evidence level"), Column("Paid"), Column("Value for each 1 spent"), Column("Flags")]
    table = Table(
        "all",
        f"{len(found)} evaluations: effect, evidence, money and value",
        "One row each; effect on the main outcome in its own unit, 95% interval below it",
        columns,
        [_row(one) for one in found],
        notes=[
            "Flags: serious + cautions. Value is not a league table: ratios rest on "
            "different outcomes, comparisons and prices."
        ],
        dense=True,
        width=62,
    )
    find = (
        '<div class="ek-find" hidden><label for="find">Find a programme or '
        'result</label><input id="find" type="search" autocomplete="off"><span id="found" '
        'role="status" class="ek-soft"></span></div>'
    )
    return (
        '<section id="all" aria-labelledby="all-title"><h2 id="all-title">All '
        f"evaluations</h2>{find}{table.html(1)}</section>"
    )


def _row(one: dict[str, Any]) -> list[object]:
    symbol = words.SYMBOLS.get(one["currency"], one["currency"])
    ratio = words.NOT_AVAILABLE
    if one["ratio_low"] is not None and one["ratio_high"] is not None:
        ratio = f"{symbol}{words.number(one['ratio_low'], 2)} to {symbol}{words.number(one['ratio_high'], 2)}"
    owed = f"owed {words.money(one['owed'], one['currency'])}" if one["owed"] else ""
    paid = words.money(one["paid"], one["currency"]) if one["paid"] else words.NOT_AVAILABLE
    effect = one.get("effect_value")
    return [
        Cell(one["title"], small=one["country"], href=f"{one['folder']}/{PAGE}", sort=one["title"]),
        Cell(KINDS[one["kind"]], sort=one["kind"]),
        Cell(one["people"], sort=one["people"].replace(",", "") if one["people"][:1].isdigit() else "-1"),
        Cell(CONCLUSIONS.get(one["conclusion"], one["conclusion"]), small=one["outcome"], sort=one["conclusion"]),
        Cell(one["effect"], small=one["interval"], sort=str(effect if effect is not None else -1e12)),
        Cell(f"{one['level']} of 5" if one["level"] else words.NOT_AVAILABLE, sort=str(one["level"] or 0)),
        Cell(paid, small=owed, sort=str(one["paid"] or -1)),
        Cell(ratio, sort=str(one["ratio"] or -1)),
        Cell(f"{one['serious']} + {one['cautions']}", sort=str(1000 * one["serious"] + one["cautions"])),
    ]


def _cards(found: list[dict[str, Any]]) -> str:
    if not found:
        return ""
    known = found if len(found) <= CARDS else [one for one in found if one["conclusion"] != "not known"]
    if not known:
        return ""
    items = "".join(f'<li class="ek-card">{_card(one)}</li>' for one in known)
    return (
        '<section aria-labelledby="cards-title"><h2 id="cards-title">The headlines</h2><ul '
        f'class="ek-cards">{items}</ul></section>'
    )


def _card(one: dict[str, Any]) -> str:
    drawing = ""
    if one.get("effect_low") is not None:
        printed = ["", "", "0"]
        drawing = small_range(one["effect_value"], one["effect_low"], one["effect_high"], 0.0, printed)
        drawing += f'<p class="ek-notes">{esc(one["effect"])} ({esc(one["interval"])})</p>'
    pips = "".join(f"<i{_on(index, one['level'])}></i>" for index in range(5))
    level = f"Evidence level {one['level']} of 5" if one["level"] else "No evidence level"
    return (
        f'<h3><a href="{esc(one["folder"])}/{PAGE}">{esc(one["title"])}</a></h3><p '
        f'class="ek-notes">{esc(KINDS[one["kind"]])}</p>'
        f'<p>{esc(one["headline"])}</p>{drawing}<p class="ek-notes"><span class="ek-pips" '
        f'aria-hidden="true">{pips}</span> {level}</p>'
    )


def _on(index: int, level: int | None) -> str:
    return ' class="ek-on"' if level and index < level else ""


def _failed(reports: str | os.PathLike[str]) -> str:
    names = failures(reports)
    if not names:
        return ""
    items = "".join(f"<li>{esc(name)}: the reason and the notebook are in failed/{esc(name)}</li>" for name in names)
    return (
        '<section aria-labelledby="failed-title"><h2 id="failed-title">Not made this '
        f"time</h2><ul>{items}</ul></section>"
    )
