"""A papermill engine that runs the notebook in this process, where the libraries are loaded already.

A kernel of its own costs each report a start and all imports. A report made by `run_studies` has a process of its own
in any case, so the notebook may as well run there. nbclient, papermill's own engine, stays the one for everybody else,
and a test holds the two to the same outputs.
"""

from __future__ import annotations

from typing import Any

import nbformat
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import CapturedIO, capture_output
from nbformat import NotebookNode
from papermill.engines import Engine, papermill_engines

NAME = "evalkit-warm"


class WarmEngine(Engine):
    """Run the cells one after the other in a fresh IPython shell of this process."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, log_output: bool = False, **kwargs: Any) -> None:
        """Run every code cell of a managed notebook, stopping at the first that fails.

        Parameters
        ----------
        nb_man : papermill.engines.NotebookExecutionManager
            The notebook and its bookkeeping.
        kernel_name, log_output, kwargs
            Accepted for papermill's sake; this process is the kernel.
        """
        InteractiveShell.clear_instance()
        shell = InteractiveShell.instance(colors="nocolor")
        # papermill writes the whole notebook before and after each cell, for whoever watches it grow. Nobody watches
        # this one, and the writing took longer than the report: it is written when the last cell has run.
        written_to, nb_man.output_path = nb_man.output_path, None
        try:
            _run_cells(nb_man, shell)
        finally:
            nb_man.output_path = written_to


def _run_cells(nb_man: Any, shell: InteractiveShell) -> None:
    """Run the code cells in their order and stop at the first that fails."""
    for index, cell in enumerate(nb_man.nb.cells):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        nb_man.cell_start(cell, index)
        # The trap goes first: run_cell would otherwise put its own display hook over the one that captures.
        with shell.display_trap, capture_output() as captured:
            result = shell.run_cell(cell.source, store_history=False)
        error = result.error_before_exec or result.error_in_exec
        cell.outputs = _outputs(captured, error, shell)
        if error is not None:
            nb_man.cell_exception(cell, index, exception=error)
            break
        nb_man.cell_complete(cell, index)


def _outputs(captured: CapturedIO, error: BaseException | None, shell: InteractiveShell) -> list[NotebookNode]:
    outputs = []
    for name, text in (("stdout", captured.stdout if error is None else ""), ("stderr", captured.stderr)):
        if text:
            outputs.append(nbformat.v4.new_output("stream", name=name, text=text))
    outputs += [
        nbformat.v4.new_output("display_data", data=rich.data, metadata=rich.metadata or {})
        for rich in captured.outputs
    ]
    if error is not None:
        trace = shell.InteractiveTB.structured_traceback(type(error), error, error.__traceback__)
        outputs.append(
            nbformat.v4.new_output("error", ename=type(error).__name__, evalue=str(error), traceback=list(trace))
        )
    return outputs


def register() -> str:
    """Make the engine known to papermill and return its name."""
    papermill_engines.register(NAME, WarmEngine)
    return NAME
