"""Putting the sections of one evaluation together: numbers for sections, tables and figures, and their HTML."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any

from evalkit import words
from evalkit.report.blocks import Figure, Pair, Table, facts
from evalkit.report.html import esc, sentence
from evalkit.report.sections import Section, sections

KINDS = {
    "real": "Real data",
    "published figures": "Published figures",
    "synthetic": "Synthetic data",
}
KIND_NOTES = {
    "real": "Records of real people, shown as counts and averages only.",
    "published figures": "Typed in from publications; no record of any person was seen.",
    "synthetic": (
        "Every person, organisation, contract and number on this page is invented. Not "
        "evidence about any real programme."
    ),
}
_BUILT: weakref.WeakKeyDictionary[Any, dict[str, Built]] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class Built:
    """A section as it stands on the page."""

    id: str
    title: str
    number: str
    html: str


def build(evaluation: Any) -> dict[str, Built]:
    """Build every section once, so that numbers run through the whole report.

    Parameters
    ----------
    evaluation : Evaluation
        Built sections are kept as long as it lives.

    Returns
    -------
    dict of str to Built
        In the order of the page; sections without blocks are not in it.
    """
    try:
        if evaluation in _BUILT:
            return _BUILT[evaluation]
    except TypeError:  # a stand-in that cannot be a key is built anew each time
        return _build(evaluation)
    _BUILT[evaluation] = _build(evaluation)
    return _BUILT[evaluation]


def _build(evaluation: Any) -> dict[str, Built]:
    counts, built, number = {"Table": 0, "Figure": 0}, {}, 0
    for part in sections():
        blocks = part.blocks(evaluation)
        if not blocks:
            continue
        number += part.numbered
        label = str(number) if part.numbered else ""
        body = "".join(_numbered(block, counts) for block in blocks)
        built[part.id] = Built(
            part.id, part.name(evaluation), label, _wrapped(part, part.name(evaluation), label, body)
        )
    return built


def _numbered(block: Any, counts: dict[str, int]) -> str:
    if isinstance(block, Pair):
        return f'<div class="ek-pair">{"".join(_numbered(figure, counts) for figure in block.figures)}</div>'
    if isinstance(block, Table | Figure):
        kind = type(block).__name__
        counts[kind] += 1
        return block.html(counts[kind])
    return block.html()


def _wrapped(part: Section, title: str, label: str, body: str) -> str:
    css = "" if part.numbered else f' class="ek-{part.id}"'
    number = f'<span class="ek-n">{label}</span>' if label else ""
    heading = f'<h2 id="{part.id}-title">{number}{esc(title)}</h2>'
    return f'<section id="{part.id}"{css} aria-labelledby="{part.id}-title">{heading}{body}</section>'


def header(evaluation: Any) -> str:
    """The head of the page: the line above the title, the title, one sentence, short facts.

    Parameters
    ----------
    evaluation : Evaluation
        Only its study is used.

    Returns
    -------
    str
        HTML.
    """
    about = evaluation.study.study
    shown = dict(about.facts)
    if about.price_year:
        shown["Prices"] = f"{words.SYMBOLS.get(about.currency, about.currency)}, {about.price_year} unless said"
    over = f'<p class="ek-over">{esc(about.over)}</p>' if about.over else ""
    stand = f'<p class="ek-stand">{esc(about.stand)}</p>' if about.stand else ""
    return f'<header class="ek-top">{over}<h1>{esc(about.title)}</h1>{stand}{facts(shown)}</header>'


def about_page(evaluation: Any) -> dict[str, str]:
    """What the page around the sections needs: title, kind of data, footer.

    Parameters
    ----------
    evaluation : Evaluation
        Only its study is used.

    Returns
    -------
    dict of str to str
        title, kind, kind_note, foot, lang.
    """
    about = evaluation.study.study
    kind, note = KINDS[about.kind], sentence(about.kind_note) or KIND_NOTES[about.kind]
    if about.kind == "synthetic" and about.kind_note:
        note = f"{note} Not evidence about any real programme."
    return {
        "id": about.id,
        "title": f"{about.title}: evaluation report ({about.kind})",
        "kind": kind,
        "kind_note": note,
        "foot": f"{kind}. {about.title}. Made by evalkit.",
        "lang": "en-GB",
    }
