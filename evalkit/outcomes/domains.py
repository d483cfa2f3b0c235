"""Domains: several measures of one thing, on the occasions they share, as one index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit.errors import DataError, Flag, StudyError, did_you_mean
from evalkit.outcomes.ground import Found, Ground, Reading
from evalkit.outcomes.index.clustering import ClusterIndex, Rare, cluster_index

if TYPE_CHECKING:
    from evalkit.study.model import Domain

_FEWEST_MEASURES, _FEWEST_OCCASIONS = 2, 3
_CLUSTERED = (
    "The GO Lab's children's services workshop (November 2016) asks that outcomes \"be clustered, using multiple "
    'measures taken on multiple occasions".'
)
_GUIDE = "the nef and Action for Children guide to commissioning children's services (2009)"
_ASKS = f"{_GUIDE[:1].upper()}{_GUIDE[1:]} asks for"


def index_domain(
    ground: Ground, domain: Domain, found: dict[str, Found]
) -> tuple[dict[str, ClusterIndex], list[Reading], list[Flag]]:
    """Combine the measures of a domain.

    Measures named plainly are indexed on every occasion, with the weights, the means and the unit of the baseline's
    comparison (or of each occasion's own, where the plan says so). Measures named with "@occasion" give one index
    over all of them, each standardised on its own comparison.

    Parameters
    ----------
    ground : Ground
        The cohort.
    domain : Domain
        The plan.
    found : dict of str to Found
        Every measure that was read.

    Returns
    -------
    dict of str to ClusterIndex, list of Reading, list of Flag
        By wide key: "domain@occasion", or "domain".

    Raises
    ------
    StudyError, DataError
        An unknown measure or baseline, mixed ways of naming, or an index that is not defined.
    """
    parts = _parts(domain, found)
    polarity = {name: found[name].about["better"] for name in parts}
    flags = _reference_flags(ground, domain) + _coverage_flags(ground, domain, parts)
    if any("@" in name for name in domain.measures) or not _on_occasions(parts):
        indices, more = _one_index(ground, domain, parts, polarity)
        flags += more
    else:
        indices = _index_per_occasion(ground, domain, parts, polarity)
    flags += _index_flags(domain, indices)
    readings = [_reading(domain, key, index) for key, index in indices.items()]
    return indices, readings, flags


def _parts(domain: Domain, found: dict[str, Found]) -> dict[str, list[Reading]]:
    """The readings a domain is made of, by measure."""
    parts: dict[str, list[Reading]] = {}
    for name in domain.measures:
        measure, _, occasion = name.partition("@")
        if measure not in found:
            raise StudyError(f'names the measure "{measure}". {did_you_mean(measure, found)}')
        readings = found[measure].readings
        chosen = [reading for reading in readings if occasion in ("", reading.occasion)]
        if not chosen:
            known = [reading.occasion for reading in readings if reading.occasion]
            raise StudyError(f'names "{name}", at which nobody was read. {did_you_mean(occasion, known)}')
        parts.setdefault(measure, []).extend(chosen)
    return parts


def _on_occasions(parts: dict[str, list[Reading]]) -> bool:
    return all("@" in reading.key for readings in parts.values() for reading in readings)


def _frame(ground: Ground, readings: dict[str, Reading]) -> pd.DataFrame:
    return pd.DataFrame({name: reading.values for name, reading in readings.items()}, index=ground.people)


def _reference(ground: Ground) -> np.ndarray:
    return ground.arms.get("comparison", next(iter(ground.arms.values())))


def _rare(ground: Ground, domain: Domain, measures: dict[str, str]) -> Rare:
    """What the plan says beyond the method; norms stand by measure, or by "measure@occasion"."""
    norms = getattr(domain, "norms", None) or {}
    unknown = [name for name in norms if name not in {*measures, *measures.values()}]
    if unknown:
        raise StudyError(f'gives norms for "{unknown[0]}". {did_you_mean(unknown[0], measures.values())}')
    chosen = {key: norms.get(key, norms.get(measure)) for key, measure in measures.items()}
    rare: Rare = {
        "missing": getattr(domain, "missing", "available"),
        "arm": np.zeros(len(ground.people)) if ground.treated is None else ground.treated,
        "norms": {key: norm for key, norm in chosen.items() if norm is not None},
    }
    cluster = ground.column("cluster")
    if cluster.notna().any():
        rare["cluster"] = cluster.to_numpy()
    return rare


# ---------------------------------------------------------------- one index over named columns


def _one_index(
    ground: Ground, domain: Domain, parts: dict[str, list[Reading]], polarity: dict[str, Any]
) -> tuple[dict[str, ClusterIndex], list[Flag]]:
    several = [name for name in domain.measures if "@" not in name and len(parts[name]) > 1]
    if several:
        raise StudyError(
            f'names "{several[0]}", which is read on several occasions, beside measures of one occasion. '
            f'Say which is meant: "{several[0]}@...".'
        )
    names = [name.partition("@") for name in domain.measures]
    ordered = {r.key: r for measure, _, at in names for r in parts[measure] if at in ("", r.occasion)}
    signs = {key: polarity[reading.measure] for key, reading in ordered.items()}
    index = cluster_index(
        _frame(ground, ordered), list(ordered), _reference(ground), domain.index, domain.covariance, signs,
        **_rare(ground, domain, {key: reading.measure for key, reading in ordered.items()}),
    )  # fmt: skip
    return {domain.id: index}, _own_occasion_flags(domain, ordered)


def _own_occasion_flags(domain: Domain, readings: dict[str, Reading]) -> list[Flag]:
    later = any(reading.occasion not in ("", domain.baseline) for reading in readings.values())
    if domain.reference != "comparison at baseline" or not later:
        return []
    text = "Each measure is standardised on the comparison at its own occasion, since the domain names occasions."
    detail = 'Write reference = "comparison at each measure\'s own occasion" to say so in the plan.'
    return [Flag("outcomes", "note", text, detail, domain.id)]


# ---------------------------------------------------------------- an index per occasion


def _index_per_occasion(
    ground: Ground, domain: Domain, parts: dict[str, list[Reading]], polarity: dict[str, Any]
) -> dict[str, ClusterIndex]:
    occasions = [occasion.id for occasion in sorted(ground.study.occasion, key=lambda occasion: occasion.day)]
    frames = {occasion: _at(ground, parts, occasion) for occasion in occasions}
    frames = {occasion: frame for occasion, frame in frames.items() if frame.notna().any(axis=None)}
    own = domain.reference != "comparison at baseline"
    if not own and domain.baseline not in frames:
        raise StudyError(
            f'takes its unit from the comparison at "{domain.baseline}", at which nobody was read. '
            f"{did_you_mean(domain.baseline, frames)}"
        )
    options = (_reference(ground), domain.index, domain.covariance, polarity)
    rare = _rare(ground, domain, {name: name for name in parts})
    if own:
        return {
            f"{domain.id}@{occasion}": cluster_index(frame, list(parts), *options, **rare)
            for occasion, frame in frames.items()
        }
    baseline = cluster_index(frames[domain.baseline], list(parts), *options, **rare)
    return {f"{domain.id}@{occasion}": baseline.on(frame, rare["arm"]) for occasion, frame in frames.items()}


def _at(ground: Ground, parts: dict[str, list[Reading]], occasion: str) -> pd.DataFrame:
    """All measures at one occasion; a measure not read there is missing for everyone."""
    blank = np.full(len(ground.people), np.nan)
    values = {
        name: next((reading.values for reading in readings if reading.occasion == occasion), blank)
        for name, readings in parts.items()
    }
    return pd.DataFrame(values, index=ground.people)


def _reading(domain: Domain, key: str, index: ClusterIndex) -> Reading:
    if not index.n:
        raise DataError("no person has a value of the index.")
    return Reading(key, domain.id, key.partition("@")[2], index.scaled.to_numpy())


# ---------------------------------------------------------------- what must be said


def _index_flags(domain: Domain, indices: dict[str, ClusterIndex]) -> list[Flag]:
    """What the indices say of themselves, each finding once: one kept from the baseline says the same everywhere."""
    found = {flag.text: flag for index in indices.values() for flag in index.flags}
    return [Flag(flag.room, flag.level, flag.text, flag.detail, domain.id) for flag in found.values()]


def _reference_flags(ground: Ground, domain: Domain) -> list[Flag]:
    if "comparison" in ground.arms:
        return []
    reason = "A selected group varies less than the population, which makes effects look larger."
    text = "There is no comparison arm: the index is in units of everyone's own readings at the start."
    return [
        Flag(
            "outcomes",
            "caution",
            text,
            reason,
            domain.id,
        )
    ]


def _coverage_flags(ground: Ground, domain: Domain, parts: dict[str, list[Reading]]) -> list[Flag]:
    title = domain.title or domain.id
    occasions = {reading.occasion for readings in parts.values() for reading in readings}
    flags: list[Flag] = []
    if len(parts) < _FEWEST_MEASURES:
        reason = f'{_CLUSTERED} {_ASKS} "more than one outcome indicator" per outcome.'
        flags.append(Flag("outcomes", "caution", f"{title} rests on a single measure.", reason, domain.id))
    if len(occasions) < _FEWEST_OCCASIONS:
        count = "one occasion" if len(occasions) == 1 else "two occasions"
        text = f"{title} is measured on {count}; three or more are advised."
        reason = (
            f'{_CLUSTERED} {_ASKS} measurement before and after "at a minimum and preferably at regular intervals in '
            'between".'
        )
        flags.append(Flag("outcomes", "caution", text, reason, domain.id))
    return flags + _kind_flags(ground, domain, title, list(parts))


def _kind_flags(ground: Ground, domain: Domain, title: str, measures: list[str]) -> list[Flag]:
    kinds = {getattr(ground.study.find_measure(name), "kind", None) for name in measures}
    absent = [kind for kind in ("subjective", "objective") if kind not in kinds]
    if not absent:
        return []
    text = f"{title} has no measure declared as {' or '.join(absent)}."
    reason = (
        "A domain should hold at least one of each: what people say about themselves and what others can observe "
        f"may differ, and {_GUIDE} sets self-report beside observation."
    )
    return [Flag("outcomes", "caution", text, reason, domain.id)]
