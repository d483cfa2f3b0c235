"""From a notebook to one self-contained page: papermill runs it, evalkit's own template turns it into HTML."""

from __future__ import annotations

import json
import os
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

from evalkit.errors import EvalkitError
from evalkit.report.display import TEMPLATE, TITLE, style
from evalkit.report.html import esc, plain, slug
from evalkit.report.results import Result

PAGE, NOTEBOOK, RESULTS, SUMMARY = "report.html", "report.ipynb", "results.json", "summary.json"
PROVENANCE = "provenance.json"
RESULT_PARTS = [part.name for part in fields(Result)]
# What an added cell shows has passed no disclosure rule: it may be a row of people, so it stays in the notebook.
NOT_JUDGED = (
    "A cell shows something here that is not one of evalkit's own exhibits. What cannot be judged does not leave."
)
_STYLE = re.compile(r'<style class="ek-style">.*?</style>', re.DOTALL)
_WRAP = re.compile(r'^<div class="ek">(.*)</div>$', re.DOTALL)
_HEADING = re.compile(r"<h2[^>]*>(.*?)</h2>", re.DOTALL)


def notebook(name: str) -> Path:
    """Find a notebook of the project.

    Parameters
    ----------
    name : str
        "evaluation", "portfolio" ...

    Returns
    -------
    Path
        In ``notebooks/`` of the working directory, else of the repository in which the package lies.

    Raises
    ------
    EvalkitError
        Neither holds it.
    """
    places = [Path.cwd() / "notebooks", Path(__file__).resolve().parents[2] / "notebooks"]
    for place in places:
        if (place / f"{name}.ipynb").is_file():
            return place / f"{name}.ipynb"
    raise EvalkitError(
        f"There is no notebooks/{name}.ipynb here or beside the package. Run this from the project's folder."
    )


def execute(
    path: str | os.PathLike[str], parameters: dict[str, Any], out: str | os.PathLike[str], engine: str | None = None
) -> Path:
    """Run a notebook by papermill.

    Parameters
    ----------
    path : path
        The notebook, with a cell tagged "parameters".
    parameters : dict
        Written into it.
    out : path
        The executed notebook; it is there even when a cell failed, with the error in it.
    engine : str, optional
        A registered papermill engine; default papermill's own.

    Returns
    -------
    Path
        ``out``.

    Raises
    ------
    papermill.exceptions.PapermillExecutionError
        A cell failed.
    """
    import papermill

    papermill.execute_notebook(
        str(path),
        str(out),
        parameters=parameters,
        engine_name=engine,
        kernel_name="python3",
        progress_bar=False,
        log_output=False,
    )
    return Path(out)


def to_html(ipynb: str | os.PathLike[str], out: str | os.PathLike[str]) -> Path:
    """Turn an executed notebook into one self-contained page, with results.json and summary.json beside it.

    Parameters
    ----------
    ipynb : path
        An executed notebook.
    out : path
        The page; written aside and renamed when whole.

    Returns
    -------
    Path
        ``out``.

    Raises
    ------
    EvalkitError
        The notebook was not run, a cell failed, or it shows no title.
    """
    import nbformat

    book = nbformat.read(str(ipynb), as_version=4)
    found = displayed(book)
    title = found.get(TITLE)
    if title is None:
        raise EvalkitError(
            f'{Path(ipynb).name} shows no title: run it, with a cell ekshow(evaluation, "title").'.replace(
                "ekshow", "ek.show"
            )
        )
    page = page_of(book, title)
    write_whole(Path(out), fill(book, page))
    # A notebook's metadata come back with their keys sorted; a result is read in the order of its parts.
    ordered = [{part: found[part] for part in RESULT_PARTS} for found in title["results"]]
    for name, content in ((RESULTS, ordered), (SUMMARY, title["summary"]), (PROVENANCE, title["provenance"])):
        write_whole(Path(out).with_name(name), json.dumps(content, indent=1, ensure_ascii=False))
    return Path(out)


def render_report(study: Any, out: str | os.PathLike[str], engine: str | None = None) -> Path:
    """Run the evaluation notebook for one study and write its page.

    Parameters
    ----------
    study : Evaluation, Study or path
        Whose folder is evaluated.
    out : path
        Folder of the report: report.html, report.ipynb, results.json, summary.json.
    engine : str, optional
        A registered papermill engine.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    EvalkitError, papermill.exceptions.PapermillExecutionError
        As `execute` and `to_html`.
    """
    plan = getattr(study, "study", study)
    folder = Path(getattr(plan, "folder", plan)).resolve()
    target = Path(out)
    target.mkdir(parents=True, exist_ok=True)
    ran = execute(notebook("evaluation"), {"study": str(folder)}, target / NOTEBOOK, engine)
    page = to_html(ran, target / PAGE)
    _forget_places(ran, folder)
    from evalkit.provenance import write_crate

    write_crate(json.loads((target / PROVENANCE).read_text(encoding="utf-8")), target)
    return page


def _forget_places(ipynb: Path, folder: Path) -> None:
    """The notebook kept beside the page names the study, not where it lay on one machine."""
    book = json.loads(ipynb.read_text(encoding="utf-8"))
    book.get("metadata", {}).pop("papermill", None)
    text = json.dumps(book, indent=1, ensure_ascii=False).replace(str(folder), f"data/raw/{folder.name}")
    write_whole(ipynb, text + "\n")


def displayed(book: Any) -> dict[str, dict[str, Any]]:
    """What an executed notebook displayed.

    Parameters
    ----------
    book : NotebookNode
        Executed.

    Returns
    -------
    dict of str to dict
        The metadata of each piece that `show` displayed, by section.

    Raises
    ------
    EvalkitError
        A cell failed.
    """
    found: dict[str, dict[str, Any]] = {}
    for cell in book.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                raise EvalkitError(f"A cell failed: {output.ename}: {output.evalue}")
            told = output.get("metadata", {}).get("evalkit")
            if told:
                found[told["section"]] = told | {"html": bare(_html(output))}
    return found


def page_of(book: Any, title: dict[str, Any]) -> dict[str, Any]:
    """What the template is filled with: the parts an executed notebook displayed, their contents, the style.

    Parameters
    ----------
    book : NotebookNode
        Executed.
    title : dict
        The piece it displayed as its title, with ``page``.

    Returns
    -------
    dict
        header, parts, contents, style and what ``page`` held.
    """
    page: dict[str, Any] = dict(title["page"])
    parts: list[str] = []
    contents: list[dict[str, str]] = []
    code: list[str] = []
    for cell in book.cells:
        if cell.cell_type == "markdown":
            parts.append(_markdown(cell.source, contents))
            continue
        tags = cell.get("metadata", {}).get("tags", [])
        if cell.cell_type == "code" and "parameters" in tags and _injected(book):
            continue  # the study that was run stands in the cell papermill put below it
        if cell.cell_type == "code":
            code.append(_as_shared(cell.source) if "injected-parameters" in tags else cell.source)
            parts += _outputs(cell, page, contents, code)
    page["parts"], page["contents"] = [part for part in parts if part], contents
    page["style"] = style() + (TEMPLATE / "page.css").read_text(encoding="utf-8").replace(
        "FOOT", page["foot"].replace('"', "'")
    )
    return page


def _injected(book: Any) -> bool:
    return any("injected-parameters" in cell.get("metadata", {}).get("tags", []) for cell in book.cells)


def _as_shared(source: str) -> str:
    """The parameters as another machine would write them: the study's folder, not where it lay on this one."""
    lines = [line for line in source.splitlines() if not line.startswith("#")]
    return re.sub(r'study = "[^"]*/([^"/]+)"', r'study = "data/raw/\1"', "\n".join(lines))


def _outputs(cell: Any, page: dict[str, Any], contents: list[dict[str, str]], code: list[str]) -> list[str]:
    parts = []
    for output in cell.outputs:
        told = output.get("metadata", {}).get("evalkit")
        html = bare(_html(output))
        if told and told["section"] == TITLE:
            page["header"] = html
        elif told and html:
            contents.append({"id": told["section"], "number": told["number"], "title": told["title"]})
            boxed = not told["number"]  # the headline box carries no code; the next section does
            parts.append(html if boxed else html.removesuffix("</section>") + _drawer(code) + "</section>")
            if not boxed:
                code.clear()
        elif html:
            parts.append(f'<p class="ek-notes">{NOT_JUDGED}</p>')
    return parts


def _drawer(code: list[str]) -> str:
    source = "\n\n".join(part for part in code if part.strip())
    return f'<details class="ek-codes"><summary>Code</summary><pre>{esc(source)}</pre></details>' if source else ""


def _html(output: Any) -> str:
    """The richest form of an output that stands by itself in a page."""
    if output.output_type == "stream":
        return f"<pre>{esc(output.text)}</pre>" if output.name == "stdout" else ""
    data = output.get("data", {})
    for kind in ("text/html", "image/svg+xml"):
        if data.get(kind):
            return str(data[kind])
    if data.get("image/png"):
        words = esc(data.get("text/plain", "figure"))
        return f'<img alt="{words}" src="data:image/png;base64,{"".join(data["image/png"].split())}">'
    return f"<pre>{esc(data['text/plain'])}</pre>" if data.get("text/plain") else ""


def bare(html: str) -> str:
    """The HTML of a displayed piece without the style and the wrapper a notebook needs."""
    html = _STYLE.sub("", html)
    wrapped = _WRAP.match(html.strip())
    return wrapped.group(1) if wrapped else html


def _markdown(source: str, contents: list[dict[str, str]]) -> str:
    """A cell of text; its second-level headings enter the contents."""
    from nbconvert.filters.markdown import markdown2html

    html = markdown2html(source)
    match = _HEADING.search(html)
    words = plain(match.group(1)).rstrip("\u00b6").strip() if match else ""
    if not words:
        return f"<section>{html}</section>" if html.strip() else ""
    contents.append({"id": slug(words), "number": "", "title": words})
    html = _HEADING.sub(f'<h2 id="{slug(words)}-title">{esc(words)}</h2>', html, count=1)
    return f'<section id="{slug(words)}" aria-labelledby="{slug(words)}-title">{html}</section>'


def page_style(foot: str) -> str:
    """The whole style sheet of a page; the words at the foot of each printed sheet are written into it."""
    quoted = foot.replace("\\", "").replace('"', "\u201d").replace("<", "")
    return style() + (TEMPLATE / "page.css").read_text(encoding="utf-8").replace("FOOT", quoted)


def fill(book: Any, page: dict[str, Any], file: str = "index.html.j2") -> str:
    """Fill one of the package's page templates by nbconvert.

    Parameters
    ----------
    book : NotebookNode
        Executed.
    page : dict
        What the template needs, as ``resources.page``.
    file : str
        The template.

    Returns
    -------
    str
        A whole HTML page.
    """
    from nbconvert.exporters.templateexporter import TemplateExporter

    folder = str(TEMPLATE.parent)
    exporter = TemplateExporter(template_name=TEMPLATE.name, extra_template_basedirs=[folder], template_file=file)
    return str(exporter.from_notebook_node(book, resources={"page": page})[0])


def write_whole(path: Path, text: str) -> None:
    """Write a file aside and rename it, so that nobody reads half of it."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)
