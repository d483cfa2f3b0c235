"""Two plans side by side: what was added, removed and changed, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from evalkit.study.wording import part_at

# Keys that the reader sees and no number depends on.
WORDS = frozenset(
    [
        *("title", "titles", "says", "note", "unit", "source", "cost_source", "assignment", "treated_name"),
        *("comparison_name", "informant", "proposed_by", "about", "cost", "minutes", "stakeholder"),
    ]
)
# Below these the keys are names of the study's own: a column may be called "cost".
NAMED = frozenset({"columns", "views", "by_outcome", "options", "answers", "norms"})
FILES = ("rate card", "impact map", "stated deadweight")
ABSENT = object()


@dataclass(frozen=True)
class Departure:
    """One departure from a locked plan.

    Parameters
    ----------
    where : str
        The place as it stands in study.toml: "[counterfactual] estimator", "[[measure]] sdq_parent: instrument".
    was, now : str
        In words; empty where there was, or is, nothing.
    says : str
        The whole as a sentence.
    kind : {"added", "removed", "changed"}
        What happened.
    words_only : bool
        Whether it changes what the reader is told and no number.
    """

    where: str
    was: str
    now: str
    says: str
    kind: str
    words_only: bool = False


def without_words(value: Any, named: bool = False) -> Any:
    """A plan without the keys that no number depends on.

    Parameters
    ----------
    value : dict, list or scalar
        From `analysis_plan`.
    named : bool
        Whether the keys are names that the study gave, so that none is a word of ours.

    Returns
    -------
    same
        A copy. Rules are known by what they ask, not by what they are called.
    """
    if isinstance(value, Mapping):
        kept = {key: one for key, one in value.items() if named or key not in WORDS}
        return {key: without_words(one, key in NAMED) for key, one in kept.items()}
    return [without_words(one) for one in value] if isinstance(value, list) else value


def compare(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[Departure]:
    """Every difference between two plans.

    Parameters
    ----------
    was, now : dict
        From `analysis_plan`.

    Returns
    -------
    list of Departure
        In the order of the parts' names.
    """
    found: list[Departure] = []
    for part in sorted({*was, *now}):
        head = f"the {part}," if part in FILES else f"[{part}]"
        found += _between(was.get(part, ABSENT), now.get(part, ABSENT), (part,), head, ())
    return found


def _between(was: Any, now: Any, loc: tuple[Any, ...], head: str, keys: tuple[str, ...]) -> Iterator[Departure]:
    """Differences at one place."""
    if was == now:
        return
    if _parts(was, now):
        yield from _entries(was, now, loc)
    elif isinstance(was, Mapping) and isinstance(now, Mapping):
        for key in sorted({*was, *now}):
            if key != "id":
                yield from _between(was.get(key, ABSENT), now.get(key, ABSENT), (*loc, key), head, (*keys, key))
    elif not keys:
        yield _whole(head, "added" if was is ABSENT else "removed")
    else:
        yield _leaf(was, now, loc, head, keys)


def _parts(was: Any, now: Any) -> bool:
    """Whether these are lists of parts, one of which may be absent."""
    lists = [one for one in (was, now) if one is not ABSENT]
    return all(isinstance(one, list) and bool(one) and isinstance(one[0], Mapping) for one in lists if one != [])


def _entries(was: Any, now: Any, loc: tuple[Any, ...]) -> Iterator[Departure]:
    """Differences between two lists of parts, paired by id; rules by what they ask, then by what they are called."""
    old, new = ([] if one is ABSENT else list(one) for one in (was, now))
    names = ".".join(str(name) for name in loc if not isinstance(name, int))
    pairs = []
    for key in ("id", "rule", "says"):
        for one in list(old):
            mine = key in one and (key == "id" or "id" not in one)
            match = next((other for other in new if mine and other.get(key) == one[key]), None)
            if match is not None:
                pairs.append((one, match))
                old.remove(one)
                new.remove(match)
    for one, other in pairs:
        yield from _between(one, other, (*loc, 0), _heading(names, one), ())
    for entry in old:
        yield _whole(_heading(names, entry), "removed")
    for entry in new:
        yield _whole(_heading(names, entry), "added")


def _heading(names: str, entry: Mapping[str, Any]) -> str:
    label = next((str(entry[key]) for key in ("id", "says", "rule", "table") if key in entry), "an entry")
    return f"the {names}, {label}" if names in FILES else f"[[{names}]] {label}"


def _whole(where: str, kind: str) -> Departure:
    """A part that came or went."""
    where = where.rstrip(",")
    was, now = ("", where) if kind == "added" else (where, "")
    return Departure(where, was, now, f"{where} was {kind}.", kind)


def _leaf(was: Any, now: Any, loc: tuple[Any, ...], head: str, keys: tuple[str, ...]) -> Departure:
    """A value that came, went or changed."""
    between = ": " if head.startswith("[[") or not head.startswith("[") else " "
    where = f"{head}{between}{'.'.join(keys)}"
    before, after = _written(was, loc), _written(now, loc)
    kind = "changed" if before and after else "added" if after else "removed"
    told = {
        "changed": f"{where} was {before}, is now {after}.",
        "added": f"{where} was not given, is now {after}.",
        "removed": f"{where} was {before}, is no longer given.",
    }
    words_only = any(key in WORDS for key in keys) and not any(key in NAMED for key in keys[:-1])
    return Departure(where, before, after, told[kind], kind, words_only)


def _written(value: Any, loc: tuple[Any, ...]) -> str:
    """A value in words; where it is not in the plan, its default, if that is something."""
    if value is ABSENT:
        value = _default(loc)
        return f"{_plain(value)} (the default)" if value not in (None, "", [], {}, ()) else ""
    return _plain(value)


def _plain(value: Any) -> str:
    """As a person would write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:,.0f}" if float(value).is_integer() else f"{value:,}"
    if isinstance(value, list | tuple):
        return ", ".join(_plain(one) for one in value) or "none"
    if isinstance(value, Mapping):
        return "; ".join(f"{key} = {_plain(one)}" for key, one in value.items())
    return str(value)


def _default(loc: tuple[Any, ...]) -> Any:
    """What a key means where it is not written; None for what is not a key of a study file."""
    field = part_at(loc[:-1]).model_fields.get(str(loc[-1])) if loc[0] not in FILES else None
    return None if field is None or field.is_required() else field.get_default(call_default_factory=True)
