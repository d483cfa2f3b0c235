"""The look: the style sheet that every piece of a report needs, in a page and in a notebook."""

from __future__ import annotations

from functools import cache
from pathlib import Path

TEMPLATE = Path(__file__).parent / "template"


@cache
def style() -> str:
    """The style sheet that sections need, in a page and in a notebook."""
    return (TEMPLATE / "style.css").read_text(encoding="utf-8")


def in_notebook(html: str) -> str:
    """A piece of a report as a cell of a notebook shows it: with its style, so that it looks right by itself.

    Parameters
    ----------
    html : str
        The piece.

    Returns
    -------
    str
        The same between a style element and the end of a wrapper.
    """
    return f'<style class="ek-style">{style()}</style><div class="ek">{html}</div>'
