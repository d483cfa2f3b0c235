"""What a look at the effects may see, and the list that looks are on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit.counterfactual.asked import Request, planned_analysis, request
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.registry import find_estimator
from evalkit.errors import Flag

if TYPE_CHECKING:
    from evalkit.outcomes import Outcomes
    from evalkit.study import Study
    from evalkit.study.model import Counterfactual

Look = Callable[["View"], tuple[Any, list[Flag]]]
LOOKS: dict[str, Look] = {}


@dataclass(frozen=True, eq=False)
class Seen:
    """What was seen of one outcome: its name, what the report calls it, and the finding."""

    outcome: str
    title: str
    found: Any


@dataclass(frozen=True, eq=False)
class View:
    """What a look may see: the outcomes, the planned estimates, and the estimator chosen for each.

    Parameters
    ----------
    outcomes : Outcomes
        With cohort and study.
    estimates : dict of str to Estimate
        The planned ones by outcome.
    chosen : dict of str to str
        Outcomes with an estimator of their own.
    randomised : bool
        Whether chance decided who was treated.
    """

    outcomes: Outcomes
    estimates: dict[str, Estimate]
    chosen: dict[str, str]
    randomised: bool

    @property
    def study(self) -> Study:
        """The plan."""
        study: Any = self.outcomes.cohort.study
        return study

    @property
    def plan(self) -> Counterfactual:
        """The part of it about the counterfactual."""
        plan: Any = self.study.counterfactual
        return plan

    @property
    def arms(self) -> bool:
        """Whether the cohort has two arms: a cut-off or a figure of the past needs none."""
        table = self.outcomes.cohort.table
        return "treated" in table.columns and table["treated"].nunique() > 1

    @property
    def rests_on_what_was_measured(self) -> bool:
        """Whether the first outcome's estimate takes it that no cause went unmeasured."""
        entry = find_estimator(self.estimates[self.first].estimator)
        return not self.randomised and entry.assumes == "no unmeasured causes"

    @property
    def first(self) -> str:
        """The first planned outcome that could be estimated."""
        return next(iter(self.estimates))

    def these(self, named: Sequence[str] | None) -> list[str]:
        """The outcomes that a part names; the first planned one where it names none."""
        return list(named) if named is not None else [self.first]

    def asked(self, outcome: str) -> Request:
        """What `estimate` was asked about an outcome, as planned."""
        return request(self.outcomes, outcome, planned_analysis(self.plan, self.chosen.get(outcome)))

    def column(self, name: str) -> pd.Series:
        """A column of the cohort, or an outcome such as "measure@baseline", in the cohort's order."""
        table = self.outcomes.cohort.table
        if name in table.columns:
            return table[name].reset_index(drop=True)
        found = self.outcomes.wide[self.outcomes.find(name)].reindex(table["person"])
        return pd.Series(found.to_numpy(), name=name)

    def title(self, outcome: str) -> str:
        """What the report calls an outcome."""
        return str(self.outcomes.describe(outcome)["title"])

    def seen(self, outcome: str, found: Any) -> Seen:
        """A finding about an outcome."""
        return Seen(outcome, self.title(outcome), found)


def about(flags: Sequence[Flag], outcome: str) -> list[Flag]:
    """The same flags, said of one outcome."""
    return [replace(flag, about=outcome) for flag in flags]


def look(name: str) -> Callable[[Look], Look]:
    """Put a look on the list, under the name by which the report asks for it."""

    def put(function: Look) -> Look:
        LOOKS[name] = function
        return function

    return put
