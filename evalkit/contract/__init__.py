"""What was owed, paid and planned under the contract; and how much of it was paid for deadweight."""

from __future__ import annotations

from evalkit.contract.ledger import due
from evalkit.contract.noun import Contract
from evalkit.contract.returns import Returns, returns
from evalkit.contract.settle import settle_contract

__all__ = ["Contract", "Returns", "due", "returns", "settle_contract"]
