"""Short texts under labels: the steps of a plan, what is told of a claim."""

from __future__ import annotations

from collections.abc import Mapping

from evalkit.report.blocks import Html
from evalkit.report.html import esc


def labelled(pairs: Mapping[str, str]) -> Html:
    """Paragraphs that begin with their label; those without text are left out.

    Parameters
    ----------
    pairs : dict of str to str
        Label -> text, both plain.

    Returns
    -------
    Html
        One paragraph each.
    """
    told = (f"<p><b>{esc(label)}:</b> {esc(text)}</p>" for label, text in pairs.items() if text)
    return Html("".join(told))
