"""Holding an export to INDIGO's own schema, which lies with the user and is not part of evalkit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evalkit.errors import DataError, StudyError, several


def check_against(folder: Path, project: dict[str, Any], organisations: list[dict[str, Any]]) -> None:
    """Hold a project and its organisations to the schema.

    Parameters
    ----------
    folder : Path
        Holds project.json and organisation.json of the INDIGO Data Specification.
    project, organisations : dict, list of dict
        In the JSON form.

    Raises
    ------
    StudyError
        The folder does not hold the schemas.
    DataError
        Everything that does not keep to them, in one message.
    """
    problems = list(_found(_schema(folder, "project.json"), project, "project"))
    rule = _schema(folder, "organisation.json")
    for organisation in organisations:
        problems += _found(rule, organisation, str(organisation.get("id", "organisation")))
    if problems:
        raise DataError(several("The export to INDIGO", problems))


def _schema(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    if not path.is_file():
        raise StudyError(f"{folder.as_posix()} holds no {name}. Give the folder of INDIGO's schema, v4.1.0.")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise StudyError(f"{path.as_posix()} is not JSON: {error}.") from None
    if not isinstance(found, dict) or "properties" not in found:
        raise StudyError(f"{path.as_posix()} is not a JSON Schema: it has no properties.")
    return found


def _found(schema: dict[str, Any], content: dict[str, Any], what: str) -> Iterator[str]:
    import jsonschema

    for error in jsonschema.Draft7Validator(schema).iter_errors(content):
        place = ".".join(str(part) for part in error.absolute_path) or "the whole"
        yield f"{what}, {place}: {error.message[:200]}"
