"""The open list of estimators: one function each, found by its name."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from evalkit.errors import EstimationError, did_you_mean

SCORE_BASED = ("m-estimation",)
REGRESSION = ("classical", "hc0", "hc1", "hc2", "hc3", "cr1s", "cr2", "cr3")


@dataclass(frozen=True)
class Entry:
    """One estimator and what it takes.

    Parameters
    ----------
    name : str
        What the study writes.
    run : callable
        ``(panel, plan) -> Estimate``.
    options : dict
        Its own options with their defaults.
    se : tuple of str
        Kinds of standard error it offers; the first is the default without clusters.
    clustered_se : str
        The default with clusters.
    estimands : tuple of str
        "ATT", "ATE": the first is the default.
    before_and_after : bool
        Whether each person is needed at two times.
    persons : bool
        False for estimators that work on published rates.
    comparison : bool
        Whether a comparison group is needed.
    earns_level : bool
        False where nothing about cause is learnt from the data.
    adjusts : bool
        Whether it uses covariates; named for one that does not, they are left alone and a flag says so.
    assumes : str
        What must hold for it to be right: "random assignment", "no unmeasured causes", "parallel trends", "two rates",
        "as stated".
    says : str
        The method in a line.
    """

    name: str
    run: Callable[..., Any]
    options: dict[str, Any] = field(default_factory=dict)
    se: tuple[str, ...] = REGRESSION
    clustered_se: str = "cr2"
    estimands: tuple[str, ...] = ("ATT",)
    before_and_after: bool = False
    persons: bool = True
    comparison: bool = True
    earns_level: bool = True
    adjusts: bool = True
    assumes: str = "no unmeasured causes"
    says: str = ""


_LIST: dict[str, Entry] = {}


def estimator(name: str, **about: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Put a function ``(panel, plan) -> Estimate`` on the list of estimators.

    Parameters
    ----------
    name : str
        What the study will write.
    **about
        The fields of `Entry`: options, se, estimands, says ...

    Returns
    -------
    callable
        The function itself, unchanged.
    """

    def register(run: Callable[..., Any]) -> Callable[..., Any]:
        says = about.pop("says", "") or (run.__doc__ or "").strip().split("\n")[0]
        _LIST[name] = Entry(name, run, says=says, **about)
        return run

    return register


def known_estimators() -> dict[str, Entry]:
    """All estimators by name.

    Returns
    -------
    dict
        Name to `Entry`, in alphabetical order.
    """
    import evalkit.counterfactual.estimators as folder

    for module in pkgutil.iter_modules(folder.__path__):
        importlib.import_module(f"{folder.__name__}.{module.name}")
    return dict(sorted(_LIST.items()))


def find_estimator(name: str) -> Entry:
    """The estimator of that name.

    Parameters
    ----------
    name : str
        As the study writes it.

    Returns
    -------
    Entry
        The function and what it takes.

    Raises
    ------
    EstimationError
        Nothing on the list has that name.
    """
    known = known_estimators()
    if name not in known:
        raise EstimationError(f'estimator "{name}" is not known. {did_you_mean(name, known)}')
    return known[name]
