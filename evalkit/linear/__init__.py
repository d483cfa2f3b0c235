"""Least squares with honest standard errors: per row, what it contributes to an estimate.

Every variance here is the sum over clusters (or rows) of squared sums of contributions, so that estimates which share
people can be compared and drawn jointly.
"""

from __future__ import annotations

from evalkit.linear.fitting import (
    CLUSTERED,
    Array,
    Fit,
    cluster_numbers,
    degrees_of_freedom,
    demean,
    least_squares,
    row_contributions,
)
from evalkit.linear.wild import WildTest, bound_by_test, wild_cluster

__all__ = [
    "CLUSTERED",
    "Array",
    "Fit",
    "WildTest",
    "bound_by_test",
    "cluster_numbers",
    "degrees_of_freedom",
    "demean",
    "least_squares",
    "row_contributions",
    "wild_cluster",
]
