"""Pooling readings: what may be put together, and a refusal that says what differs and what would help."""

from __future__ import annotations

import pandas as pd
import pytest

from evalkit.errors import DataError, EvalkitWarning
from evalkit.outcomes.items.pooling import check_poolable, pool_readings, poolable


def described(**changes: list) -> pd.DataFrame:
    alike = {
        "instrument": ["sdq_parent"] * 3,
        "informant": ["parent"] * 3,
        "version": ["2014"] * 3,
        "unit": ["points"] * 3,
        "standardised": [False] * 3,
    }
    return pd.DataFrame(alike | changes, index=["north", "south", "east"])


def test_one_instrument_informant_version_and_unit_may_be_pooled():
    judged = poolable(described())
    assert judged.allowed
    assert judged.differs.empty
    assert check_poolable(described()) == ()


@pytest.mark.parametrize(
    ("column", "values", "says"),
    [
        ("instrument", ["sdq_parent", "rcads_25", "sdq_parent"], r'2 instruments: "sdq_parent" \(north and east\)'),
        ("informant", ["parent", "teacher", "parent"], r'"teacher" \(south\)'),
        ("version", ["2014", "2014", None], r"not stated \(east\)"),
        ("unit", ["points", "points", "T score"], "Bring all to one unit"),
    ],
)
def test_what_differs_is_refused_with_where_and_the_ways_out(column, values, says):
    with pytest.raises(DataError, match=says) as caught:
        check_poolable(described(**{column: values}))
    assert "cluster_index" in str(caught.value)
    assert "crosswalk" in str(caught.value)


def test_everything_that_differs_is_said_at_once():
    with pytest.raises(DataError, match=r"instruments.*informants"):
        check_poolable(described(instrument=["a", "b", "b"], informant=["x", "x", "y"]))


def test_different_instruments_on_one_named_reference_may_be_pooled_with_a_caution():
    table = described(instrument=["sdq_parent", "rcads_25", "rcads_25"], standardised=["comparison at baseline"] * 3)
    flags = check_poolable(table)
    assert [flag.level for flag in flags] == ["caution"]
    assert "rcads_25 and sdq_parent" in flags[0].detail


@pytest.mark.parametrize(
    ("standardised", "says"),
    [
        ([True, True, True], "not said on which reference"),
        (["norms 2001", "comparison", "comparison"], "on different references"),
        (["comparison", False, "comparison"], "raw readings"),
    ],
)
def test_standard_units_of_different_or_unknown_references_are_not_one_unit(standardised, says):
    with pytest.raises(DataError, match=says):
        check_poolable(described(instrument=["a", "b", "b"], standardised=standardised))


def test_raw_and_standardised_readings_of_one_instrument_are_not_pooled():
    assert not poolable(described(standardised=["comparison", "comparison", False])).allowed


def test_a_reference_may_stand_in_a_column_of_its_own():
    table = described(instrument=["a", "b", "b"], standardised=[True] * 3, reference=["comparison"] * 3)
    assert poolable(table).allowed


def test_services_are_named_by_their_column_where_there_is_one():
    table = described(informant=["parent", "teacher", "parent"], service=["Alpha", "Beta", "Gamma"])
    assert "Beta" in poolable(table).reason


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (described().drop(columns="version"), '"version"'),
        (described().rename(columns={"informant": "informnat"}), 'Did you mean "informnat"'),
        (described().head(0), "no rows"),
        (described(instrument=["a", None, "a"]), "1 of 3 rows name no instrument"),
    ],
)
def test_a_description_that_lacks_something_is_refused(table, says):
    with pytest.raises(DataError, match=says):
        check_poolable(table)


# ---------------------------------------------------------------- the readings themselves


def readings(**changes):
    frames = {
        name: pd.DataFrame({"person": [1, 2], "score": [place, place + 1.0]})
        for place, name in enumerate(("north", "south", "east"))
    }
    return frames | changes


def test_readings_of_one_instrument_are_put_together_with_their_service():
    frames = readings()
    found = pool_readings(frames, described())
    assert found["service"].tolist() == ["north"] * 2 + ["south"] * 2 + ["east"] * 2
    assert found["score"].tolist() == [0, 1, 1, 2, 2, 3]
    assert list(found.columns) == ["service", "person", "score"]
    assert found.attrs["flags"] == ()
    assert list(frames["north"].columns) == ["person", "score"]
    by_column = described().reset_index(names="service")
    assert pool_readings(frames, by_column).equals(found)


def test_readings_of_different_instruments_are_not_put_together_unless_standardised():
    other = ["sdq_parent", "rcads_25", "rcads_25"]
    with pytest.raises(DataError, match=r'cannot be pooled.*2 instruments: "sdq_parent" \(north\)'):
        pool_readings(readings(), described(instrument=other))
    with pytest.warns(EvalkitWarning, match="Pooled in standard deviations over different instruments"):
        found = pool_readings(readings(), described(instrument=other, standardised=["comparison at baseline"] * 3))
    assert [flag.level for flag in found.attrs["flags"]] == ["caution"]
    assert len(found) == 6


@pytest.mark.parametrize(
    ("frames", "table", "says"),
    [
        (readings(west=readings()["north"]), described(), '"west" is not described'),
        ({"north": readings()["north"]}, described(), '"south" is described and has no readings'),
        (readings(), pd.concat([described(), described().iloc[:1]]), '"north" is described more than once'),
        (readings(south=pd.DataFrame({"person": [1], "scroe": [2]})), described(), 'columns "score" and "scroe"'),
        (readings(south=readings()["south"].assign(service="x")), described(), 'column "service" of its own'),
        ({}, described().head(0), "There are none"),
    ],
)
def test_readings_that_do_not_fit_their_description_or_each_other_are_refused(frames, table, says):
    with pytest.raises(DataError, match=says):
        pool_readings(frames, table)
