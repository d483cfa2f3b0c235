"""What was owed, paid and planned under the contract; and how much of it was paid for deadweight."""

from __future__ import annotations

from evalkit.contract.indigo import IndigoData, IndigoProject, read_indigo
from evalkit.contract.ledger import due
from evalkit.contract.milestones import milestones_earned
from evalkit.contract.noun import Contract
from evalkit.contract.returns import Returns, returns
from evalkit.contract.schedule import schedule_of
from evalkit.contract.settle import settle_contract

__all__ = [
    "Contract",
    "IndigoData",
    "IndigoProject",
    "Returns",
    "due",
    "milestones_earned",
    "read_indigo",
    "returns",
    "schedule_of",
    "settle_contract",
]
