"""Writing study.toml: any text of a source becomes a safe one-line string."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]+")


def one_line(text: object) -> str:
    """A text without line breaks, control characters and double spaces; what cannot be written in UTF-8 is left out."""
    kept = str(text).encode("utf-8", "ignore").decode("utf-8")
    return re.sub(r"\s+", " ", _CONTROL.sub(" ", kept)).strip()


def lines_of(text: object) -> str:
    """A text of several lines with each line tidied and empty ones left out."""
    parts = [one_line(part) for part in re.split(r"\r\n|\r|\n", str(text))]
    return "\n".join(part for part in parts if part)


def as_toml(content: Mapping[str, Any]) -> str:
    """Write a nested dict as TOML.

    Parameters
    ----------
    content : dict
        Text, numbers, booleans, dates, lists of text; dicts become tables and lists of dicts arrays of tables.

    Returns
    -------
    str
        What `tomllib` reads back as the same, without empty values.
    """
    return "\n".join(_table((), content)).strip() + "\n"


def _table(path: tuple[str, ...], content: Mapping[str, Any]) -> Iterator[str]:
    known = {name: value for name, value in content.items() if value is not None and value != [] and value != {}}
    for name, value in known.items():
        if not _is_table(value) and not _is_tables(value):
            yield f"{_key(name)} = {_value(value)}"
    for name, value in known.items():
        below = (*path, name)
        if _is_table(value):
            yield from ("", f"[{_dotted(below)}]")
            yield from _table(below, value)
        elif _is_tables(value):
            for item in value:
                yield from ("", f"[[{_dotted(below)}]]")
                yield from _table(below, item)


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping)


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _dotted(path: tuple[str, ...]) -> str:
    return ".".join(_key(name) for name in path)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, list):
        items = [_value(item) for item in value]
        return f"[{items[0]}]" if len(items) == 1 else "[\n" + "".join(f"    {item},\n" for item in items) + "]"
    return _text(value) if isinstance(value, str) else repr(value)


def _text(value: str) -> str:
    """JSON's escapes are TOML's too; JSON leaves one control character as it is, which TOML forbids."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
