"""The parts of a study about its own sources: what is doubtful in them, and results they give as sentences."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from evalkit.study.base import Part


class KnownFlag(Part):
    """[[flag]]: a caveat known before any calculation, such as a fault in the source; the report prints it."""

    level: Literal["serious", "caution", "note"] = Field(examples=["caution"])
    text: str = Field(examples=["Two payments of the same amount are on record for one period"])
    detail: str = Field("", description="The numbers behind it, or the question it raises; one line each.")
    about: str = Field("", description="The metric, outcome or table it concerns.")


class Reported(Part):
    """[[reported]]: a result that a source gives as a sentence; it is printed as it stands and no number is read."""

    about: str = Field("", description="The metric or outcome it is about; empty: the whole programme.")
    says: str = Field(examples=["The final report found no difference in attendance."])
    when: str = Field("", description='The period, in words: "2018 to 2020", "interim".')
    source: str = ""
