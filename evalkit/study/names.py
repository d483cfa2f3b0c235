"""The names in a study file, and what is wrong with one that points at nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from evalkit.errors import did_you_mean
from evalkit.study.model import Study

# Kinds of measure with one value per person.
ONCE = ("days_in", "attendance", "offending", "placements", "rule", "over_time", "improved")


@dataclass(frozen=True)
class Names:
    """What the file names, wrong entries included, so that one mistake is told once and not wherever it is used.

    Parameters
    ----------
    measures, domains, occasions, tables : tuple of str
        Ids as written.
    parts : tuple of str
        The parts the file has.
    """

    measures: tuple[str, ...]
    domains: tuple[str, ...]
    occasions: tuple[str, ...]
    tables: tuple[str, ...]
    parts: tuple[str, ...]

    @classmethod
    def of(cls, study: Study, raw: dict[str, Any]) -> Names:
        """Gather the names of a study and of the file it was read from.

        Parameters
        ----------
        study : Study
            What of the file could be understood.
        raw : dict
            The file as read.

        Returns
        -------
        Names
            Ids in the order of the file.
        """

        def ids(part: str) -> tuple[str, ...]:
            written = raw.get(part)
            entries = written if isinstance(written, list) else [written]
            found = [str(entry["id"]) for entry in entries if isinstance(entry, dict) and "id" in entry]
            return tuple(dict.fromkeys([*found, *(one.id for one in getattr(study, part))]))

        tables = raw.get("tables")
        return cls(
            measures=ids("measure"),
            domains=ids("domain"),
            occasions=ids("occasion"),
            tables=tuple(tables) if isinstance(tables, dict) else tuple(study.tables),
            parts=tuple(raw),
        )


def quoted(name: str, kind: str, known: Iterable[str]) -> str:
    """Say that a name is not known, and which one may have been meant.

    Parameters
    ----------
    name : str
        As written.
    kind : str
        "measure", "occasion", "table" ...
    known : iterable of str
        What would have been understood.

    Returns
    -------
    str
        ``measure "x" is not known. Did you mean "y"?``
    """
    known = list(known)
    hint = did_you_mean(name, known) or f"The study has no {kind}s."
    return f'{kind} "{name}" is not known. {hint}'


def reading(name: str, study: Study, names: Names, domains: bool = True) -> str:
    """What is wrong with a name such as "measure", "measure@occasion" or, where allowed, the same of a domain.

    Parameters
    ----------
    name : str
        As written.
    study : Study
        What of the file could be understood.
    names : Names
        What the file names.
    domains : bool
        Whether a domain may stand there.

    Returns
    -------
    str
        Empty when nothing is wrong.
    """
    stem, at, occasion = name.partition("@")
    known = [*names.measures, *(names.domains if domains else ())]
    if stem not in known:
        return quoted(stem, "outcome" if domains else "measure", known)
    if not at:
        return ""
    if occasion not in names.occasions:
        return f'"{name}": {quoted(occasion, "occasion", names.occasions)}'
    measure, domain = study.find_measure(stem), study.find_domain(stem)
    if measure and any(getattr(measure, kind) is not None for kind in ONCE):
        return f'"{name}": {stem} is read once, not on occasions. Write "{stem}".'
    if measure and measure.columns and occasion not in measure.columns:
        return f'"{name}": {stem} has no column for {occasion}. It has: {", ".join(measure.columns)}.'
    if domain and not measure and all("@" in each for each in domain.measures):
        return f'"{name}": {stem} is one index over all its occasions. Write "{stem}".'
    return ""
