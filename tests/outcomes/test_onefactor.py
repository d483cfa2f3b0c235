"""The one-factor model: agreement with lavaan, exact recovery, solutions at the edge, and what is not identified."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import DataError, EstimationError
from evalkit.outcomes.items import onefactor
from evalkit.outcomes.items.onefactor import one_factor

DATA = Path(__file__).parents[1] / "data"
BFI = json.loads((DATA / "v01_bfi_items.expected.json").read_text())
LOADINGS, UNIQUE = np.array([0.9, 1.2, 0.5, 2.0]), np.array([0.5, 0.4, 0.8, 1.0])
COVARIANCE = np.outer(LOADINGS, LOADINGS) + np.diag(UNIQUE)


@pytest.mark.parametrize("scale", list(BFI))
def test_bfi_one_factor_models_equal_lavaan(scale):
    want = BFI[scale]
    items = pd.read_csv(DATA / "v01_bfi_items.csv")[want["items"]].dropna()
    for item in want["reverse"]:
        items[item] = 7 - items[item]
    found = one_factor(np.cov(items.to_numpy(float), rowvar=False, bias=True), len(items))
    assert found.loadings.tolist() == pytest.approx(list(want["loadings_std_lv_ML"].values()), abs=1e-4)
    fit = [found.chisq, found.df, found.cfi, found.rmsea, found.srmr]
    names = ("cfa1_chisq", "cfa1_df", "cfa1_cfi", "cfa1_rmsea", "cfa1_srmr")
    assert fit == pytest.approx([want[name] for name in names], abs=1e-4)


def test_a_covariance_made_by_one_factor_gives_it_back():
    found = one_factor(COVARIANCE, 200)
    assert found.loadings == pytest.approx(LOADINGS, abs=1e-6)
    assert found.uniquenesses == pytest.approx(UNIQUE, abs=1e-6)
    assert found.chisq == pytest.approx(0, abs=1e-9)
    assert (found.df, found.cfi, found.rmsea, found.heywood, found.flags) == (2, 1.0, 0.0, False, ())
    assert found.implied == pytest.approx(COVARIANCE, abs=1e-6)


def test_the_unit_of_a_measure_changes_only_its_own_loading():
    units = np.array([1.0, 100.0, 0.01, 3.0])
    found = one_factor(COVARIANCE * np.outer(units, units), 200)
    assert found.loadings / units == pytest.approx(LOADINGS, abs=1e-6)


def test_bartlett_weights_give_back_the_factor_without_noise():
    weights = one_factor(COVARIANCE, 200).bartlett_weights
    assert weights @ LOADINGS == pytest.approx(1)
    assert weights == pytest.approx((LOADINGS / UNIQUE) / (LOADINGS**2 / UNIQUE).sum(), abs=1e-6)


def test_slope_and_both_curvatures_are_those_of_the_discrepancy():
    rng = np.random.default_rng(3)
    sample = np.corrcoef(rng.normal(size=(4, 40)))
    point = np.concatenate([rng.uniform(0.3, 0.8, 4), rng.uniform(0.3, 0.9, 4)])

    def split(values):
        return values[:4], values[4:]

    def numeric(curve, matrix):
        rows = [
            (curve(matrix, *split(point + 1e-5 * e)) - curve(matrix, *split(point - 1e-5 * e))) / 2e-5
            for e in np.eye(8)
        ]
        return np.array(rows)

    assert numeric(onefactor._discrepancy, sample) == pytest.approx(onefactor._slope(sample, *split(point)), abs=1e-7)
    assert numeric(onefactor._slope, sample) == pytest.approx(
        onefactor.observed_information(sample, *split(point)), abs=1e-6
    )
    implied = np.outer(point[:4], point[:4]) + np.diag(point[4:])
    assert numeric(onefactor._slope, implied) == pytest.approx(onefactor._information(*split(point)), abs=1e-6)


def test_a_factor_that_would_explain_more_than_all_of_a_measure_is_held_at_the_edge_and_flagged():
    correlation = np.array([[1.0, 0.7, 0.7], [0.7, 1.0, 0.3], [0.7, 0.3, 1.0]])
    found = one_factor(correlation, 100)
    assert found.heywood
    assert found.uniquenesses[0] == pytest.approx(onefactor.FLOOR)
    assert "held" in found.flags[0].text
    assert np.isfinite(found.bartlett_weights).all()


def test_weak_and_small_samples_still_settle():
    rng = np.random.default_rng(3)
    for _ in range(150):
        size = int(rng.integers(3, 9))
        loadings = rng.uniform(0.1, 0.8, size)
        values = rng.normal(size=(size + 12, 1)) * loadings + rng.normal(size=(size + 12, size))
        correlation = np.corrcoef(values, rowvar=False)
        found = one_factor(correlation, size + 12)
        slope = onefactor._slope(correlation, found.loadings, found.uniquenesses)
        inside = np.concatenate([np.ones(size, bool), found.uniquenesses > onefactor.FLOOR * 1.001])
        assert np.abs(slope[inside]).max() < 1e-4


def test_a_measure_that_runs_against_the_others_is_flagged():
    turn = np.diag([1.0, -1.0, 1.0, 1.0])
    found = one_factor(turn @ COVARIANCE @ turn, 100)
    assert found.loadings[1] < 0 < found.loadings.sum()
    assert "number 2" in found.flags[0].detail


def test_two_measures_are_not_enough():
    with pytest.raises(EstimationError, match="at least three"):
        one_factor(np.eye(2), 50)


@pytest.mark.parametrize(
    ("matrix", "n", "says"),
    [
        (np.ones((3, 2)), 50, "square"),
        (COVARIANCE, 4, "more persons than measures"),
        (np.where(np.eye(4) > 0, np.nan, COVARIANCE), 50, "holes"),
        (np.ones((4, 4)), 50, "not positive definite"),
    ],
)
def test_matrices_that_cannot_be_fitted_are_refused(matrix, n, says):
    with pytest.raises(DataError, match=says):
        one_factor(matrix, n)
