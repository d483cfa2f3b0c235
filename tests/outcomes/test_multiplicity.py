"""Adjusted p-values, against R's p.adjust."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from evalkit.errors import DataError
from evalkit.outcomes import adjust

STAR = json.loads((Path(__file__).parents[1] / "data" / "v05_star_icw.expected.json").read_text())
P = list(STAR["p_cr1s_tG1"].values())


@pytest.mark.parametrize(("method", "name"), [("holm", "holm"), ("hochberg", "hochberg"), ("bh", "BH"), ("by", "BY")])
def test_adjusted_p_values_equal_those_of_r(method, name):
    assert adjust(P, method).tolist() == pytest.approx(STAR["adjust"][name], abs=1e-12)


def test_a_missing_p_value_stays_missing_and_is_not_a_test():
    found = adjust([0.01, np.nan, 0.04])
    assert found[[0, 2]].tolist() == pytest.approx([0.02, 0.04])
    assert np.isnan(found[1])


def test_one_test_needs_no_adjustment_and_none_gives_none():
    assert adjust([0.03]).tolist() == [0.03]
    assert adjust([]).tolist() == []


def test_adjusted_p_values_never_pass_1():
    assert adjust([0.9, 0.8, 0.7]).tolist() == [1, 1, 1]


def test_what_is_not_a_p_value_or_a_method_is_an_error():
    with pytest.raises(DataError, match="outside 0 to 1"):
        adjust([1.2])
    with pytest.raises(DataError, match='Did you mean "holm"'):
        adjust([0.1], "hollm")
