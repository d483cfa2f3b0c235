"""From a validation error to a sentence: the place as it stands in the file, the finding, the remedy."""

from __future__ import annotations

import datetime as dt
import typing
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from evalkit.errors import did_you_mean, nearest
from evalkit.study.model import StudyFile, TableFile, TableInDatabase

Loc = tuple[int | str, ...]


def as_toml(value: object) -> str:
    """Write a value as it would stand in study.toml.

    Parameters
    ----------
    value : object
        A str, bool, number, date, list or dict.

    Returns
    -------
    str
        ``1_250_000``, ``"text"``, ``[1, 2]``, ``{ a = 1 }``.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:_}"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list | tuple):
        return f"[{', '.join(as_toml(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {as_toml(item)}' for key, item in value.items())} }}"
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _models(annotation: object) -> list[type[BaseModel]]:
    """The parts that an annotation may hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in typing.get_args(annotation) for model in _models(inner)]


def part_at(loc: Loc) -> type[BaseModel]:
    """The part of the study file that a location lies in.

    Parameters
    ----------
    loc : tuple
        As pydantic gives it.

    Returns
    -------
    type
        Its model, whose fields are the keys that may stand there.
    """
    if loc[:1] == ("tables",):
        return TableInDatabase if loc[2:3] == ("database",) else TableFile
    model: type[BaseModel] = StudyFile
    for key in loc:
        inside = _models(model.model_fields[key].annotation) if key in model.model_fields else []
        model = inside[0] if inside else model
    return model


def nearest_key(loc: Loc) -> str:
    """The key that was probably meant by one that is not known.

    Parameters
    ----------
    loc : tuple
        Location of the unknown key, as pydantic gives it.

    Returns
    -------
    str
        Empty when none is near.
    """
    return nearest(str(loc[-1]), part_at(loc[:-1]).model_fields) or ""


def trimmed(loc: Loc, raw: object) -> Loc:
    """A location without the steps that are not in the file (the members of unions).

    Parameters
    ----------
    loc : tuple
        As pydantic gives it.
    raw : object
        The file as read.

    Returns
    -------
    tuple
        Keys and positions that can be followed in the file, plus the last one where it is missing there.
    """
    here, kept = raw, []
    for key in loc[:2] + loc[3:] if loc[0] == "tables" else loc:
        if _holds(here, key):
            here = here[key]  # type: ignore[index]
            kept.append(key)
        elif isinstance(here, dict) and key == loc[-1]:
            kept.append(key)
    return tuple(kept)


def _holds(here: object, key: int | str) -> bool:
    if isinstance(here, list):
        return isinstance(key, int) and key < len(here)
    return isinstance(here, dict) and key in here


def place(loc: Loc, raw: dict[str, Any]) -> tuple[str, str]:
    """Where in the file: the heading of the part, and the keys within it.

    Parameters
    ----------
    loc : tuple
        Keys and positions, trimmed.
    raw : dict
        The file as read.

    Returns
    -------
    heading, keys : str
        ``[[measure]] sdq_parent`` and ``days_in.state``; keys may be empty.
    """
    here: Any = raw
    heading = ""
    names: list[str] = []
    keys: list[str] = []
    for key in loc:
        here = here[key] if _holds(here, key) else None
        if isinstance(here, dict) and isinstance(key, int):
            names, keys = [*names, *keys], []
            heading = f"[[{'.'.join(names)}]] {_label(here, key)}"
        elif isinstance(key, int):
            keys.append(f"entry {key + 1}")
        elif not names:
            names = [str(key)]
            heading = f"[{key}]"
        else:
            keys.append(str(key))
    return heading, ".".join(keys).replace(".entry", " entry")


def _where(heading: str, keys: str) -> str:
    return f"{heading}: {keys}" if keys and heading.startswith("[[") else f"{heading} {keys}".strip()


def _label(entry: dict[str, Any], position: int) -> str:
    return next((str(entry[key]) for key in ("id", "says", "term", "name") if key in entry), f"number {position + 1}")


def _article(field: FieldInfo | None, key: str) -> str:
    """What to write for a field, from its example and its description."""
    if field is None:
        return ""
    about = f" ({field.description[0].lower()}{field.description[1:].rstrip('.')})" if field.description else ""
    example = field.examples[0] if field.examples else None
    if example is None:
        return f" It means: {field.description}" if field.description else ""
    return f" Write, for example, {key} = {as_toml(example)}{about}."


def _written(value: object) -> str:
    """What the user wrote, short enough to quote."""
    text = as_toml(value)
    if isinstance(value, dict | list):
        text = "a table { ... }" if isinstance(value, dict) else "a list [ ... ]"
    return text if len(text) <= 40 else f"{text[:37]}..."


WANTED = {
    "string_type": "must be text in quotes",
    "int_type": "must be a whole number without quotes",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number without quotes",
    "bool_type": "must be true or false, without quotes",
    "date_type": "must be a date without quotes, such as 2024-01-31",
    "date_from_datetime_inexact": "must be a date without a time of day, such as 2024-01-31",
    "model_type": "must be a table of keys, { ... } or under its own heading",
    "dict_type": "must be a table of keys, { ... } or under its own heading",
    "list_type": "must be a list in square brackets",
    "tuple_type": "must be a list in square brackets",
}


def _finding(error: ErrorDetails) -> str:
    """What is wrong with a value, in words."""
    kind, limits = error["type"], error.get("ctx") or {}
    if kind in WANTED:
        return WANTED[kind]
    if kind == "literal_error":
        return f"must be one of {limits['expected'].replace(chr(39), chr(34))}"
    if kind == "string_pattern_mismatch":
        return f"must look like {limits['pattern']}"
    if kind in ("too_short", "too_long"):
        least = "min_length" in limits
        return f"needs {'at least' if least else 'exactly'} {limits['min_length' if least else 'max_length']} entries"
    bounds = {"greater_than": "gt", "greater_than_equal": "ge", "less_than": "lt", "less_than_equal": "le"}
    words = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"}
    if kind in bounds:
        return f"must be {words[bounds[kind]]} {limits[bounds[kind]]}"
    return error["msg"][0].lower() + error["msg"][1:]


def _two_brackets(loc: Loc, model: type[BaseModel]) -> bool:
    """The commonest slip: [measure] for [[measure]], or the reverse."""
    return bool(_models(model.model_fields[str(loc[-1])].annotation))


def sentences(errors: list[ErrorDetails], raw: dict[str, Any]) -> list[str]:
    """All validation errors as finished sentences, one for each place in the file.

    Parameters
    ----------
    errors : list of ErrorDetails
        As pydantic gives them: a value that may be of several kinds has one for each kind.
    raw : dict
        The file as read.

    Returns
    -------
    list of str
        Place, finding, remedy.
    """
    places: dict[Loc, list[ErrorDetails]] = {}
    misspelt = {
        (*error["loc"][:-1], nearest_key(error["loc"])) for error in errors if error["type"] == "extra_forbidden"
    }
    for error in errors:
        if error["type"] == "missing" and error["loc"] in misspelt:
            continue  # told already, as a misspelt key
        places.setdefault(trimmed(error["loc"], raw), []).append(error)
    return [_sentence(several[0], raw, [_finding(one) for one in several]) for several in places.values()]


def _sentence(error: ErrorDetails, raw: dict[str, Any], findings: list[str]) -> str:
    """One place's finding with its remedy."""
    loc = trimmed(error["loc"], raw)
    heading, keys = place(loc, raw)
    model = part_at(error["loc"][:-1])
    field = model.model_fields.get(str(loc[-1]))
    if error["type"] == "missing":
        return _missing(loc, raw, field)
    if error["type"] == "extra_forbidden":
        return _unknown(loc, raw, model)
    if field is not None and error["type"] in ("list_type", "model_type") and _two_brackets(loc, model):
        return _brackets(error, ".".join(map(str, loc)))
    value = error["input"]
    finding = " or ".join(dict.fromkeys(findings)).replace(" or must", ", or must")
    example = _article(field, str(loc[-1])) if error["type"] not in ("literal_error",) else _near(value, error)
    return f"{_where(heading, keys)} = {_written(value)}: it {finding}.{example}"


def _near(value: object, error: ErrorDetails) -> str:
    options = str((error.get("ctx") or {}).get("expected", "")).replace("' or '", "', '").strip("'").split("', '")
    hint = did_you_mean(str(value), options)
    return f" {hint}" if hint.startswith("Did") else ""


def _missing(loc: Loc, raw: dict[str, Any], field: FieldInfo | None) -> str:
    heading, keys = place(loc[:-1], raw)
    key = str(loc[-1])
    if not heading:
        return f"[{key}] is missing. {field.description if field else ''} Write [{key}] and its keys.".replace(
            "  ", " "
        )
    return f"{_where(heading, keys)} lacks {key}.{_article(field, key)}"


def _unknown(loc: Loc, raw: dict[str, Any], model: type[BaseModel]) -> str:
    heading, keys = place(loc[:-1], raw)
    hint = did_you_mean(str(loc[-1]), model.model_fields)
    if not heading:
        return f"[{loc[-1]}] is not a part of a study file. {hint}"
    return f'{_where(heading, keys)} has a key "{loc[-1]}" that is not known. {hint}'


def _brackets(error: ErrorDetails, name: str) -> str:
    if error["type"] == "list_type":
        return f"[{name}] is a list of parts. Write [[{name}]], with two brackets, once for each."
    wrong = f"[[{name}]]" if isinstance(error["input"], list) else f"{name} = {_written(error['input'])}"
    return f"{wrong}: there is only one of it, with keys. Write [{name}], with one bracket, or {name} = {{ ... }}."
