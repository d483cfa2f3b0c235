"""What a look at a contract may see, and the list that looks are on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalkit.contract.noun import Contract
from evalkit.contract.reading import Papers
from evalkit.errors import Flag

if TYPE_CHECKING:
    from evalkit.study import Study
    from evalkit.study.model import ContractPlan

Look = Callable[["View"], tuple[Any, list[Flag]]]
LOOKS: dict[str, Look] = {}


@dataclass(frozen=True, eq=False)
class View:
    """What a look may see: the settled contract, and the tables it was settled from.

    Parameters
    ----------
    contract : Contract
        Settled; its own looks are not taken yet.
    papers : Papers
        Rate card, claims, payments and cash flows, checked.
    """

    contract: Contract
    papers: Papers

    @property
    def study(self) -> Study:
        """The study."""
        return self.contract.study

    @property
    def plan(self) -> ContractPlan:
        """The part of it about the contract."""
        plan: Any = self.contract.study.contract
        return plan

    @property
    def effects(self) -> Any:
        """The effects that payments were held against, or None."""
        return self.contract.effects


def look(name: str) -> Callable[[Look], Look]:
    """Put a look on the list, under the name by which the report asks for it."""

    def put(function: Look) -> Look:
        LOOKS[name] = function
        return function

    return put
