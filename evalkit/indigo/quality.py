"""The page of data-quality findings: what the record of all projects leaves open, as questions and never as repairs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from evalkit import words
from evalkit.indigo.folder import folder_name
from evalkit.report.blocks import Column, Table
from evalkit.report.html import Cell, esc, sentence
from evalkit.report.render import PAGE, fill, page_style, write_whole
from evalkit.tables.words import rows_listed

QUALITY = "indigo-quality.html"
TITLE = "Data quality of the impact bond record"
WEIGHTS = {
    "serious": "they could change a total",
    "caution": "they change how a figure is read",
    "note": "they are for the record",
}
LEVELS = tuple(WEIGHTS)
MOST = 20
FIND = (
    '<div class="ek-find" hidden><label for="find">Find a project, table or fault</label><input id="find" '
    'type="search" autocomplete="off"><span id="found" role="status" class="ek-soft"></span></div>'
)


def render_quality(data: Any, reports: str | os.PathLike[str], without: Mapping[str, str] | None = None) -> Path:
    """Write the page of findings beside the reports.

    Parameters
    ----------
    data : IndigoData
        What `evalkit.contract.read_indigo` read.
    reports : path
        The folder of reports.
    without : dict of str to str, optional
        Project or report -> why it has no report.

    Returns
    -------
    Path
        ``indigo-quality.html``.
    """
    import nbformat

    folder = Path(reports)
    folder.mkdir(parents=True, exist_ok=True)
    foot = f"{TITLE}. Made by evalkit."
    page = {
        "title": TITLE,
        "lang": "en-GB",
        "kind": "Published figures",
        "kind_note": "Findings about a public record, not about the projects; no record of any person was seen.",
        "foot": foot,
        "body": "".join(_parts(data, dict(without or {}))),
        "key": "",
        "style": page_style(foot),
    }
    write_whole(folder / QUALITY, fill(nbformat.v4.new_notebook(), page, "portfolio.html.j2"))
    return folder / QUALITY


def _parts(data: Any, without: dict[str, str]) -> list[str]:
    found = data.findings
    names = {str(row["project"]): str(row["name"]).strip() for row in data.projects.to_dict("records")}
    gone = {folder_name(name) for name in without}
    links = {name: f"{folder_name(name)}/{PAGE}" for name in names if folder_name(name) not in gone}
    return [
        _head(found, names),
        _tiles(found, names),
        _section("kinds", "What was found, by kind", _by_fault(found).html(1)),
        _section("projects", "Projects with most to ask about", _by_project(found, names, links).html(2)),
        _section("all", "Every finding", FIND + _all(found, names, links).html(3)),
        _missing(without),
    ]


def _section(id: str, title: str, body: str) -> str:
    return f'<section id="{id}" aria-labelledby="{id}-title"><h2 id="{id}-title">{esc(title)}</h2>{body}</section>'


def _count(many: int, thing: str) -> str:
    return f"{words.number(many, 0)} {thing}{'' if many == 1 else 's'}"


def _head(found: pd.DataFrame, names: dict[str, str]) -> str:
    stand = (
        f"{_count(len(found), 'finding')} in the record of {_count(len(names), 'project')}. Nothing was repaired: "
        "each is a question to those who keep the record, and stands as a flag in the project's own report."
    )
    back = '<p><a href="index.html">All evaluations</a></p>'
    return f'<header class="ek-top"><h1>{TITLE}</h1><p class="ek-stand">{esc(stand)}</p>{back}</header>'


def _tiles(found: pd.DataFrame, names: dict[str, str]) -> str:
    items = []
    for level, says in WEIGHTS.items():
        rows = found[found["level"] == level]
        kinds, projects = rows["fault"].nunique(), rows.loc[rows["project"] != "", "project"].nunique()
        told = f"Of {_count(kinds, 'kind')}, in {words.number(projects, 0)} of {_count(len(names), 'project')}: {says}."
        big = f'<p class="ek-big">{_count(len(rows), "finding")}</p>'
        items.append(f"<li><h2>{level.capitalize()}</h2>{big}<p>{told}</p></li>")
    return f'<ul class="ek-three">{"".join(items)}</ul>'


def _by_fault(found: pd.DataFrame) -> Table:
    rows = []
    for fault, part in sorted(found.groupby("fault", sort=False), key=_weight):
        first = part.iloc[0]
        projects = part.loc[part["project"] != "", "project"].nunique()
        counts = [words.number(many, 0) for many in (projects, int(part["rows"].map(len).sum()))]
        rows.append([sentence(str(fault)).rstrip("."), str(first["level"]), *counts, str(first["question"])])
    columns = [Column("Finding", False), Column("Weight", False), Column("Projects"), Column("Rows")]
    return Table(
        "kinds",
        f"{_count(len(rows), 'kind')} of fault were found",
        "How many projects and rows each concerns, and the question it raises; the weightiest first",
        [*columns, Column("Question", False)],
        rows,
        dense=True,
        width=48,
    )


def _weight(group: tuple[Any, pd.DataFrame]) -> tuple[int, int]:
    """The weightiest first, then those of most projects."""
    _, part = group
    return LEVELS.index(str(part["level"].iloc[0])), -int(part["project"].nunique())


def _by_project(found: pd.DataFrame, names: dict[str, str], links: dict[str, str]) -> Table:
    """The projects with most serious findings, then most cautions."""
    counts = pd.crosstab(found["project"], found["level"]).reindex(columns=list(LEVELS), fill_value=0)
    counts = counts[counts.index != ""].sort_values(list(LEVELS), ascending=False, kind="stable")
    first = counts.head(MOST)
    told = f"{words.number(len(counts), 0)} of {_count(len(names), 'project')} have a finding"
    return Table(
        "projects",
        told if len(first) == len(counts) else f"{told}; the {MOST} with the weightiest",
        "Findings per project, by weight; a project that records much has more that can be found",
        [Column("Project", False), *(Column(level.capitalize()) for level in LEVELS)],
        [
            [_project(str(name), names, links), *(words.number(many, 0) for many in row)]
            for name, row in zip(first.index, first.to_numpy().tolist(), strict=True)
        ],
        dense=True,
    )


def _project(id: str, names: dict[str, str], links: dict[str, str]) -> Cell:
    if not id:
        return Cell("The whole data set", sort="")
    return Cell(names.get(id) or id, small=id if id in names else "", href=links.get(id, ""), sort=id)


def _all(found: pd.DataFrame, names: dict[str, str], links: dict[str, str]) -> Table:
    columns = [Column("Project", False), Column("Weight", False), Column("Finding", False)]
    columns += [Column("Where", False), Column("Question", False)]
    ranks = found["level"].map({level: str(place) for place, level in enumerate(LEVELS)})
    return Table(
        "findings",
        f"{_count(len(found), 'finding')}, with the rows they rest on",
        "Rows are lines of the table's file; line 1 is its header",
        columns,
        [
            [
                _project(str(row.project), names, links),
                Cell(str(row.level), sort=rank),
                Cell(str(row.what), small=str(row.fault)),
                Cell(str(row.table), small=rows_listed(list(row.rows)) if row.rows else ""),
                str(row.question),
            ]
            for row, rank in zip(_lines(found), ranks, strict=True)
        ],
        dense=True,
        width=62,
    )


def _lines(found: pd.DataFrame) -> Iterator[Any]:
    return iter(found.itertuples())


def _missing(without: dict[str, str]) -> str:
    if not without:
        return ""
    items = "".join(f"<li>{esc(name)}: {esc(sentence(why))}</li>" for name, why in without.items())
    return _section("without", "Projects without a report this time", f"<ul>{items}</ul>")
