"""What a way of `outcomes_peers.py` is, and how evalkit's own functions are found."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Answer = dict[str, Any]


def ours(name: str) -> Callable[..., Any]:
    """A function of evalkit's room; imported when it is needed, so that peers do not hold evalkit in memory."""
    return getattr(importlib.import_module("evalkit.outcomes"), name)


@dataclass(frozen=True)
class Way:
    """How to draw the data of a size, what is on the clock, and what is to be compared."""

    draw: Callable[[int], tuple]
    run: Callable[..., Any]
    answer: Callable[[Any], Answer] = field(default=lambda found: {"values": np.asarray(found)})
    check: Callable[..., Any] | None = None  # a smaller run to compare, where the one on the clock cannot be

    def compared(self, found: Any, data: tuple) -> Answer:
        """The answer, off the clock."""
        return self.answer(self.check(*data) if self.check else found)


@dataclass(frozen=True)
class Elsewhere:
    """What another program measured of itself."""

    seconds: float
    cpu: float
    peak: float | None
    version: str
    answer: Answer = field(default_factory=dict)
