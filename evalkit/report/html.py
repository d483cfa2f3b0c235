"""The few HTML helpers of the page: escaping, tags, and the cells a table is made of."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from evalkit.words import KEYS

_TAGS = re.compile(r"<[^>]+>")


def esc(text: object) -> str:
    """Escape text for HTML; numbers and other objects by their ``str``."""
    return html.escape(str(text), quote=True)


def plain(markup: str) -> str:
    """The words of a piece of HTML: tags dropped, entities resolved, blanks joined."""
    return " ".join(html.unescape(_TAGS.sub(" ", markup)).split())


def slug(text: str) -> str:
    """An id for an element from any text: letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "x"


def sentence(text: str) -> str:
    """The text with a capital first letter and a full stop at its end."""
    text = str(text).strip()
    if not text:
        return ""
    return f"{text[0].upper()}{text[1:]}{'' if text[-1] in '.!?' else '.'}"


def lower_first(text: str) -> str:
    """The text with a small first letter, unless its first word is an abbreviation (SDQ, SWEMWBS)."""
    first = text.split(" ", 1)[0]
    return text if sum(letter.isupper() for letter in first) > 1 else text[:1].lower() + text[1:]


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Parameters
    ----------
    text : str
        Its content; "[c]", "[x]" and "[z]" get their meaning as a title.
    small : str
        A second, smaller line.
    bold : bool
        A difference that is not zero, a planned analysis.
    href : str
        Where the text leads, within the page or to another report.
    sort : str
        The value by which a sortable table orders the row; the text where empty.
    """

    text: str
    small: str = ""
    bold: bool = False
    href: str = ""
    sort: str = ""

    def html(self) -> str:
        """The content as HTML."""
        body = esc(self.text)
        if self.text in KEYS:
            body = f'<abbr title="{esc(KEYS[self.text])}" class="ek-key">{body}</abbr>'
        if self.href:
            body = f'<a href="{esc(self.href)}">{body}</a>'
        if self.bold:
            body = f"<b>{body}</b>"
        return body + (f"<small>{esc(self.small)}</small>" if self.small else "")


def cell(content: object) -> Cell:
    """A cell from anything: a `Cell` as it is, None as an empty one, the rest as text."""
    if isinstance(content, Cell):
        return content
    return Cell("" if content is None else str(content))
