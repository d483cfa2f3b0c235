"""What every part of a study file has in common."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Id = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]*$",
        description="A short stable word: letters, digits, _ . -",
        examples=["short_name"],
    ),
]
Better = Literal["higher", "lower"]
Date = dt.date | str


class Part(BaseModel):
    """Any part of a study: frozen, unknown keys are errors, and a number in quotes is not a number.

    The examples of a field are what an error message tells the user to write.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, protected_namespaces=())
