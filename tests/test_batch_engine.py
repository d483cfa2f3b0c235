"""The engine that runs a report's notebook in the process that makes it."""

import nbformat
import papermill
import pytest
from papermill.exceptions import PapermillExecutionError

from evalkit.batch.engine import register


def run(tmp_path, *cells):
    """Run a notebook of these cells; the executed file."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbformat.write(book, tmp_path / "given.ipynb")
    options = {"engine_name": register(), "kernel_name": "python3", "progress_bar": False}
    papermill.execute_notebook(tmp_path / "given.ipynb", tmp_path / "ran.ipynb", **options)
    return nbformat.read(tmp_path / "ran.ipynb", as_version=4)


def test_the_notebook_is_not_written_anew_around_every_cell(tmp_path, monkeypatch):
    written = []
    write = papermill.engines.write_ipynb
    monkeypatch.setattr("papermill.engines.write_ipynb", lambda *given: written.append(given) or write(*given))
    ran = run(tmp_path, *[f"print({number})" for number in range(12)])
    assert [cell.outputs[0].text for cell in ran.cells] == [f"{number}\n" for number in range(12)]
    assert len(written) <= 2  # before the first cell and after the last


def test_a_cell_that_fails_is_kept_with_what_was_shown_before_it(tmp_path):
    with pytest.raises(PapermillExecutionError, match="too little"):
        run(tmp_path, "print('begun')", "raise ValueError('too little')", "print('never')")
    kept = [cell for cell in nbformat.read(tmp_path / "ran.ipynb", as_version=4).cells if cell.cell_type == "code"]
    assert [[output.output_type for output in cell.outputs] for cell in kept] == [["stream"], ["error"], []]
