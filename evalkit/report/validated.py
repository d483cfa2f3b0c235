"""The validation page: every published result on the list, expected beside obtained, and what could not be repeated."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from evalkit import words
from evalkit.errors import EvalkitError, did_you_mean
from evalkit.report.blocks import Column, Table, facts
from evalkit.report.display import TITLE, Shown
from evalkit.report.html import Cell, esc, slug
from evalkit.report.render import displayed, execute, fill, notebook, page_of, write_whole
from evalkit.validation.nouns import Paper, Validation, printed

FOOT = "Published results, repeated. Made by evalkit."
COVERAGE = Path("benchmarks") / "results" / "coverage.json"
REJECTED = (
    "Rejected: ranks give no interval that could be judged; the share of draws with p of 0.05 or less, which should be "
    "5% or less where nothing was done, and large where something was."
)
SECTIONS = ("brief", "absent", "simulation")


def show_validation(found: Validation, section: str | None = None) -> Shown:
    """Show repeated results in a notebook.

    Parameters
    ----------
    found : Validation
        From `evalkit.validate`.
    section : str, optional
        "title", "brief", the id of a paper, "absent" (data that are not here) or "simulation". Default: all of them.

    Returns
    -------
    Shown
        Displayed when it is the last thing in a cell.

    Raises
    ------
    EvalkitError
        There is no such section.
    """
    names = ["brief", *found.papers, *SECTIONS[1:]]
    if section is None:
        parts = [show_validation(found, name) for name in (TITLE, *names)]
        return Shown("".join(part.html for part in parts), parts[0].metadata)
    if section == TITLE:
        page = {"title": "evalkit against published results", "lang": "en-GB", "foot": FOOT, "kind": "Reference data",
                "kind_note": "Public data sets of published papers.", "back": "index.html"}  # fmt: skip
        told = {"agrees": found.agrees, "says": found.says}
        return Shown(_header(found), {"section": TITLE, "title": page["title"], "page": page, **told})
    if section not in names:
        raise EvalkitError(f'There is no section "{section}". {did_you_mean(section, [TITLE, *names])}')
    number = names.index(section)
    title, body = _body(found, section, number)
    if not body:
        return Shown("", {"section": section, "title": ""})
    return Shown(_wrapped(section, title, body), {"section": slug(section), "title": title, "number": str(number + 1)})


def _header(found: Validation) -> str:
    told = {"Numbers repeated": words.number(len(found.table), 0), "Sources": words.number(len(found.papers), 0)}
    return (
        '<header class="ek-top"><p class="ek-over">Validation</p><h1>evalkit against published results</h1>'
        '<p class="ek-stand">Every number below is computed anew when this page is made, and stands beside the number '
        f"that its source printed.</p>{facts(told)}</header>"
    )


def _wrapped(section: str, title: str, body: str) -> str:
    anchor = slug(section)
    return (
        f'<section id="{anchor}" aria-labelledby="{anchor}-title"><h2 id="{anchor}-title">{esc(title)}</h2>'
        f"{body}</section>"
    )


def _body(found: Validation, section: str, number: int) -> tuple[str, str]:
    if section == "brief":
        return "In brief", _brief(found)
    if section == "absent":
        return "Not repeated here", _absent(found)
    if section == "simulation":
        return "By simulation", _simulation()
    paper = found.papers[section]
    return paper.title, _of_paper(found, paper, number)


def _brief(found: Validation) -> str:
    rows = []
    for name, paper in found.papers.items():
        mine = found.lines(name)
        rows.append([paper.reference, str(len(mine)), str(int(mine["agrees"].sum()))])
    columns = [Column("Source", False), Column("Numbers"), Column("Agree")]
    how = "A number agrees when it lies within the tolerance printed beside it."
    table = Table("validated", found.says.rstrip("."), "Numbers repeated, by source", columns, rows, notes=[how])
    return table.html(1)


def _of_paper(found: Validation, paper: Paper, number: int) -> str:
    rows = []
    mine = found.lines(paper.id)
    for row in mine.to_dict("records"):
        shown = [printed(row[name], row["tolerance"]) for name in ("expected", "obtained")]
        within = "exact" if row["tolerance"] == 0 else f"{row['tolerance']:g}"
        rows.append([str(row["what"]), *shown, within, "yes" if row["agrees"] else "no", str(row["source"])])
    columns = [Column("What", False), Column("Expected"), Column("Obtained"), Column("Within"), Column("Agrees", False),
               Column("Where from", False)]  # fmt: skip
    good = int(mine["agrees"].sum())
    finding = f"{good} of {len(mine)} numbers agree"
    source = f"{paper.reference}. Data: {paper.licence}" if paper.file else paper.reference
    return Table(f"paper-{paper.id}", finding, "", columns, rows, source=source, width=48).html(number + 1)


def _absent(found: Validation) -> str:
    if not found.absent:
        return ""
    told = (
        f"<dt>{esc(paper.title)} (<code>{esc(paper.file)}</code>)</dt><dd>{esc(paper.reference)}. {esc(paper.obtain)}"
        "</dd>"
        for paper in found.absent.values()
    )
    opening = (
        "These data may not be handed on with the project. Put the file into <code>data/reference</code> and run "
        "<code>evalkit validate</code> again."
    )
    return f"<p>{opening}</p><dl>{''.join(told)}</dl>"


def _simulation() -> str:
    """What the committed simulation found, where the project's folder has it."""
    places = [Path.cwd() / COVERAGE, Path(__file__).resolve().parents[2] / COVERAGE]
    file = next((place for place in places if place.is_file()), None)
    if file is None:
        return ""
    lines = json.loads(file.read_text(encoding="utf-8"))["lines"]
    columns = [Column("World and way", False), Column("Draws"), Column("Bias"), Column("RMSE"),
               Column("Coverage"), Column("Verdict", False)]  # fmt: skip
    good, ranked = sum(line["verdict"] == "ok" for line in lines), any(_ranks(line) for line in lines)
    table = Table(
        "coverage",
        f"{good} of {len(lines)} ways meet every limit where the truth is known",
        "Drawn worlds with a known effect: how far off estimates are, and how often a 95% interval holds the truth",
        columns,
        [_world(line) for line in lines],
        notes=[
            "Not computed with this page, but kept from benchmarks/coverage.py. Conservative: wider than need be.",
            *([REJECTED] if ranked else []),
        ],
        meanings={words.NOT_AVAILABLE: "not available: the way gave no such number, or refused"},
        width=44,
    )
    return table.html(99)


def _ranks(line: dict[str, Any]) -> bool:
    """Whether p is judged, and not an interval."""
    return line["judged"] in ("size", "power")


def _world(line: dict[str, Any]) -> list[object]:
    """A way in a world; a way that was refused too often has no numbers."""
    bias, rmse = (line.get(name) for name in ("bias", "rmse"))
    share = line.get("rejected" if _ranks(line) else "coverage")
    told = words.NOT_AVAILABLE if share is None else words.percent(share, 1)
    numbers = [words.number(bias, 3, sign=True), words.number(rmse, 3)]
    way = Cell(str(line["about"]), small=str(line["way"]))
    said = f"rejected {told}" if _ranks(line) and share is not None else told
    return [way, words.number(line["draws"], 0), *numbers, said, str(line["verdict"])]


def render_validation(
    out: str | os.PathLike[str] = "reports/validation.html",
    data: str | os.PathLike[str] | None = None,
    engine: str | None = None,
) -> tuple[Path, dict[str, Any]]:
    """Run the validation notebook and write its page.

    Parameters
    ----------
    out : path
        The page; written aside and renamed when whole.
    data : path, optional
        A further folder of reference data.
    engine : str, optional
        A registered papermill engine.

    Returns
    -------
    (Path, dict)
        The page; ``agrees``, whether every number does, and ``says``, the result in one sentence.

    Raises
    ------
    EvalkitError, papermill.exceptions.PapermillExecutionError
        The notebook is missing or a cell failed.
    """
    import nbformat

    target = Path(out)
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = "" if data is None else str(Path(data).resolve())
    aside = target.with_name(f".{os.getpid()}.{target.stem}.ipynb")
    ran = execute(notebook("validation"), {"data": folder}, aside, engine)
    try:
        book = nbformat.read(str(ran), as_version=4)
        title: dict[str, Any] | None = displayed(book).get(TITLE)
        if title is None:
            raise EvalkitError('validation.ipynb shows no title: it needs a cell show_validation(found, "title").')
        write_whole(target, fill(book, page_of(book, title)))
        return target, {name: title[name] for name in ("agrees", "says")}
    finally:
        ran.unlink(missing_ok=True)
