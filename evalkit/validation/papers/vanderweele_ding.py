"""The E-value of the paper that proposed it."""

from __future__ import annotations

import pandas as pd

from evalkit.counterfactual import e_value
from evalkit.validation.nouns import Line
from evalkit.validation.repeated import paper


@paper(
    "vanderweele ding",
    "The E-value",
    "VanderWeele and Ding (2017), Annals of Internal Medicine 167, 268-274",
)
def e_values(_: pd.DataFrame) -> list[Line]:
    """A risk ratio of 3.9 (1.8 to 8.7)."""
    found = e_value(3.9, low=1.8, high=8.7)
    return [
        Line("risk ratio 3.9: E-value", 7.26, found.value, 0.01, "published"),
        Line("its interval's limit 1.8: E-value", 3.00, float(found.interval or 0), 0.01, "published"),
    ]
