"""Every defensible way of analysing one question, listed before any is run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from evalkit import words
from evalkit.counterfactual.registry import Entry, find_estimator
from evalkit.errors import EstimationError, did_you_mean, several

Sets = Mapping[str, Sequence[str]] | Sequence[Sequence[str]]
LISTED = 3  # covariates named one by one


@dataclass(frozen=True)
class Specification:
    """One way of analysing the question.

    Parameters
    ----------
    estimator : str
        A name on the list of estimators.
    covariates : tuple of str
        Columns to adjust for.
    caliper : float or None
        In standard deviations of the matching distance; None for none.
    outcome : str or None
        Version of the outcome; None for the one that the curve is given.
    options : dict
        Further options of the estimator.
    named : str
        What the set of covariates is called.
    unit : str
        Of the version of the outcome, where it was said.
    why : str
        Why this cannot be done; empty where it can.
    """

    estimator: str
    covariates: tuple[str, ...] = ()
    caliper: float | None = None
    outcome: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    named: str = ""
    unit: str = ""
    why: str = ""

    @property
    def id(self) -> str:
        """The same specification has the same id in every run."""
        parts = [self.estimator, *([self.outcome] if self.outcome else [])]
        parts += [f"[{', '.join(self.covariates)}]"] if self.covariates else []
        parts += [f"caliper {self.caliper:g}"] if self.caliper is not None else []
        return "; ".join([*parts, *(f"{name} {value}" for name, value in sorted(self.options.items()))])

    @property
    def says(self) -> str:
        """The specification in plain words."""
        parts = [f"{self.estimator}, {self._adjusted_for()}"]
        parts += [f"caliper {self.caliper:g} SD"] if self.caliper is not None else []
        parts += [f"{name} = {value}" for name, value in sorted(self.options.items())]
        return "; ".join([*parts, *([f"outcome {self.outcome}"] if self.outcome else [])])

    def _adjusted_for(self) -> str:
        count = len(self.covariates)
        if not count:
            return "no covariates"
        listed = words.listed(list(self.covariates)) if count <= LISTED else f"{count} covariates"
        return f"{self.named} ({listed})" if self.named else f"with {listed}"

    def arguments(self) -> dict[str, Any]:
        """Write the specification as keyword arguments of `evalkit.counterfactual.estimate`.

        Returns
        -------
        dict
            covariates, options, and caliper and outcome where they are set.
        """
        told: dict[str, Any] = {"covariates": list(self.covariates), **self.options}
        told |= {} if self.caliper is None else {"caliper": self.caliper}
        return told if self.outcome is None else {**told, "outcome": self.outcome}


def specifications(
    estimators: Sequence[str],
    covariate_sets: Sets = ((),),
    calipers: Sequence[float | None] = (),
    outcomes: Mapping[str, str] | Sequence[str] = (),
    options: Mapping[str, Sequence[Any]] | None = None,
) -> list[Specification]:
    """List every combination that can be defended, each once.

    A caliper is combined only with estimators that take one, a set of covariates only with those that adjust, an
    option (a standard error, an estimand) only with those that offer it.

    Parameters
    ----------
    estimators : sequence of str
        Names on the list of estimators. Those of another kind of table than the first (a row a person, a row a person
        and time ...) and those that learn nothing from the data are listed with the reason and not run.
    covariate_sets : sequence of sequences of str, or dict of name to them
        Each set one way of adjusting; an empty one is "no covariates".
    calipers : sequence of float
        In standard deviations of the matching distance; None for no caliper.
    outcomes : sequence of str, or dict of column to unit
        Versions of the outcome; with their units they can be put on one axis.
    options : dict of name to sequence of values
        Such as ``{"ratio": [1, 2], "se": ["hc2", "hc3"]}``.

    Returns
    -------
    list of Specification
        The defensible ones, then those that cannot be, with ``why``.

    Raises
    ------
    EstimationError
        An unknown estimator or option, a caliper that nobody takes or that is not above 0, or nothing to run.

    References
    ----------
    Simonsohn, Simmons and Nelson (2020), Nature Human Behaviour 4, 1208-1214: specifications should be sensible,
    statistically valid and not redundant. Steegen, Tuerlinckx, Gelman and Vanpaemel (2016), Perspectives on
    Psychological Science 11, 702-712.

    Examples
    --------
    >>> for one in specifications(["difference", "matching"], [["age"], ["age", "need"]], calipers=[None, 0.2]):
    ...     one.says
    'difference, no covariates'
    'matching, with age'
    'matching, with age; caliper 0.2 SD'
    'matching, with age and need'
    'matching, with age and need; caliper 0.2 SD'
    """
    entries = [find_estimator(name) for name in _several_names(estimators, "estimators")]
    sets = _sets(covariate_sets)
    named = isinstance(outcomes, Mapping)
    versions = dict(outcomes) if named else dict.fromkeys(_several_names(outcomes, "outcomes"), "")  # type: ignore
    options = dict(options or {})
    _check(entries, calipers, options)
    fit, cannot = [], []
    for entry in dict.fromkeys(entry.name for entry in entries):
        chosen = find_estimator(entry)
        why = _why_not(chosen, find_estimator(entries[0].name))
        if why:
            cannot.append(Specification(chosen.name, why=why))
            continue
        fit += _combined(chosen, sets, calipers, versions, options)
    unique = list({one.id: one for one in reversed(fit)}.values())[::-1]
    if not unique:
        raise EstimationError(several("the list of specifications", [f"{one.estimator}: {one.why}" for one in cannot]))
    return [*unique, *cannot]


def _several_names(given: Sequence[str], what: str) -> list[str]:
    """A list of names; a bare word is a slip."""
    if isinstance(given, str):
        raise EstimationError(f'{what} must be a list of names: write ["{given}"].')
    return list(given)


def _sets(covariate_sets: Sets) -> dict[str, tuple[str, ...]]:
    """Sets by what they are called; sets without a name by their place."""
    if isinstance(covariate_sets, Mapping):
        return {str(name): tuple(_several_names(one, "a set of covariates")) for name, one in covariate_sets.items()}
    found = [tuple(_several_names(one, "a set of covariates")) for one in covariate_sets]
    return {f"({place})": one for place, one in enumerate(found or [()])}


def _check(entries: list[Entry], calipers: Sequence[float | None], options: dict[str, Sequence[Any]]) -> None:
    """Options that some estimator takes, values in lists, calipers above 0 that somebody takes."""
    problems = []
    if not entries:
        problems.append("no estimator is named. Name one or more.")
    if any(one is not None and not one > 0 for one in calipers):
        problems.append("a caliper must be above 0, in standard deviations of the distance; None for no caliper.")
    if len(calipers) and entries and not any("caliper" in entry.options for entry in entries):
        problems.append('none of the estimators takes a caliper. Leave calipers out, or add "matching".')
    known = sorted({"se", "estimand", *(name for entry in entries for name in entry.options)})
    for name, values in options.items():
        if name == "caliper":
            problems.append('options names "caliper": list calipers as calipers = [...].')
        elif name not in known and entries:
            problems.append(f'no estimator named has an option "{name}". {did_you_mean(name, known)}')
        elif isinstance(values, str) or not isinstance(values, Sequence):
            problems.append(f'options: "{name}" must have a list of values.')
        elif entries and not any(_values(entry, name, values) for entry in entries):
            problems.append(f'options: no value of "{name}" is offered by any of the estimators.')
    if problems:
        raise EstimationError(several("the list of specifications", problems))


def _why_not(entry: Entry, first: Entry) -> str:
    """Why an estimator has no place on the curve; empty where it has."""
    if not entry.earns_level:
        return "it learns nothing from the data, so it is no specification of an analysis"
    if entry.data != first.data:
        return f'its rows are "{entry.data}", those of "{first.name}" are "{first.data}": they need a curve each'
    return ""


def _values(entry: Entry, name: str, values: Sequence[Any]) -> list[Any]:
    """The values of an option that an estimator offers."""
    offered = {"se": entry.se, "estimand": entry.estimands}
    if name in offered:
        return [value for value in values if value in offered[name]]
    return list(values) if name in entry.options else []


def _combined(
    entry: Entry,
    sets: dict[str, tuple[str, ...]],
    calipers: Sequence[float | None],
    versions: dict[str, str],
    options: dict[str, Sequence[Any]],
) -> list[Specification]:
    """All that one estimator can be combined with."""
    sets = sets if entry.adjusts else {"": ()}
    widths: Sequence[float | None] = list(calipers) if len(calipers) and "caliper" in entry.options else [None]
    own_versions: list[str | None] = [*versions] or [None]
    own = {name: found for name, values in options.items() if (found := _values(entry, name, values))}
    return [
        Specification(
            estimator=entry.name,
            covariates=covariates,
            caliper=None if width is None else float(width),
            outcome=version,
            options=dict(zip(own, chosen, strict=True)),
            named="" if name.startswith("(") else name,
            unit=str(versions.get(version, "")) if version is not None else "",
        )
        for version in own_versions
        for name, covariates in sets.items()
        for chosen in product(*own.values())
        for width in widths
    ]
