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
    data : str
        What a row is: "people" (one each), "people twice" (one for each person and time), "rates" (one for each arm),
        "series" (one for each time), "panel" (one for each unit and time), "running" (one each, with the number that
        decides who is treated), "history" (people now and people of an earlier period, or its rate).
    needs : tuple of str
        Columns that must be named beside the outcome: "treated", "time", "unit", "first_treated", "running",
        "cluster".
    comparison : bool
        Whether a comparison group is needed.
    earns_level : bool
        False where nothing about cause is learnt from the data.
    adjusts : bool
        Whether it uses covariates; named for one that does not, they are left alone and a flag says so.
    assumes : str
        What must hold for it to be right: "random assignment", "no unmeasured causes", "parallel trends", "two rates",
        "as stated".
    dose : bool
        Whether ``treated`` may be an amount of treatment with more than two values.
    says : str
        The method in a line.
    """

    name: str
    run: Callable[..., Any]
    options: dict[str, Any] = field(default_factory=dict)
    se: tuple[str, ...] = REGRESSION
    clustered_se: str = "cr2"
    estimands: tuple[str, ...] = ("ATT",)
    data: str = "people"
    needs: tuple[str, ...] = ()
    comparison: bool = True
    earns_level: bool = True
    adjusts: bool = True
    assumes: str = "no unmeasured causes"
    dose: bool = False
    says: str = ""

    @property
    def before_and_after(self) -> bool:
        """Whether each person is needed at two times."""
        return self.data == "people twice"

    @property
    def persons(self) -> bool:
        """Whether it works on a cohort's people, in two arms."""
        return self.data in ("people", "people twice")

    @property
    def repeated(self) -> bool:
        """Whether a person or unit may have several rows."""
        return self.data in ("people twice", "panel")


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
        As the study writes it; "synthetic_did" and "Synthetic-DiD" are "synthetic did".

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
    plain = " ".join(str(name).replace("_", " ").replace("-", " ").lower().split())
    if plain not in known:
        raise EstimationError(f'estimator "{name}" is not known. {did_you_mean(plain, known)}')
    return known[plain]
