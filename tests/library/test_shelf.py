"""The shelf, and what every entry on it must hold. A new file is found by itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evalkit import library
from evalkit.errors import StudyError
from evalkit.outcomes import score

INSTRUMENTS = list(library.catalogue().query("kind == 'instruments'")["id"])
STATUS = {"checked", "unconfirmed"}


def entry_of(name):
    return library.load("instruments", name, allow_unconfirmed=True)


def test_the_catalogue_names_every_file_with_its_source():
    shelf = library.catalogue()
    assert list(shelf.columns) == ["kind", "id", "title", "status", "source", "file"]
    assert {"sdq_parent", "swemwbs"} <= set(shelf["id"])
    assert not shelf.duplicated(["kind", "id"]).any()
    assert shelf["source"].ne("").all()


def test_a_misspelt_entry_is_answered_with_the_nearest():
    with pytest.raises(StudyError, match=r'instrument "sdq_parnet" is not known. Did you mean "sdq_parent"?'):
        library.load("instruments", "sdq_parnet")
    with pytest.raises(StudyError, match=r'Did you mean "instruments"?'):
        library.load("instrumnets", "sdq_parent")


def test_the_singular_is_understood():
    assert library.load("instrument", "swemwbs")["id"] == "swemwbs"


def test_what_is_done_to_an_entry_does_not_reach_the_shelf():
    library.load("instruments", "swemwbs")["items"].clear()
    assert len(library.load("instruments", "swemwbs")["items"]) == 7


def test_an_unconfirmed_entry_comes_only_by_that_very_name(monkeypatch):
    entry = {"id": "guess", "status": "unconfirmed"}
    monkeypatch.setattr(library, "_shelf", lambda kind: {"guess.toml": entry})
    with pytest.raises(StudyError, match="no second source"):
        library.load("instruments", "guess")
    assert library.load("instruments", "guess (unconfirmed)") == entry
    assert library.load("instruments", "guess", allow_unconfirmed=True) == entry


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_an_instrument_says_what_it_is_and_where_its_keys_come_from(name):
    entry = entry_of(name)
    for key in ("title", "version", "unit", "items", "range", "coding", "reverse", "missing", "rounding", "licence",
                "sources", "better", "main", "informants", "reference_period", "scale", "example"):  # fmt: skip
        assert key in entry, f"{name} lacks {key}"
    assert entry["status"] in STATUS
    assert entry["wording"] is False
    assert set(entry["reverse"]) <= set(entry["items"])
    assert entry["main"] in [scale["id"] for scale in entry["scale"]]


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_every_item_of_an_instrument_counts_in_exactly_one_summed_scale(name):
    entry = entry_of(name)
    items = [*entry["items"], *entry.get("supplement", {}).get("items", [])]
    used = [item for scale in entry["scale"] for item in scale.get("items", [])]
    assert sorted(used) == sorted(items)


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_every_possible_score_of_an_instrument_has_a_band(name):
    entry = entry_of(name)
    scales = {scale["id"]: scale for scale in entry["scale"]}
    for bands in entry.get("bands", []):
        assert bands["source"]
        for scale, edges in bands["edges"].items():
            low, high = scales[scale]["range"]
            higher = scales[scale]["better"] == "higher"
            assert len(edges) == len(bands["names"])
            assert edges == sorted(edges, reverse=higher)
            assert edges[-1] == (low if higher else high)


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_the_worked_examples_of_an_instrument_are_what_it_scores(name):
    entry = entry_of(name)
    columns = [*entry["items"], *entry.get("supplement", {}).get("items", [])]
    for example in entry["example"]:
        answers = [np.nan if answer == "" else answer for answer in example["answers"]]
        row = score(pd.DataFrame([answers], columns=columns), entry).iloc[0]
        for scale, expected in example["scores"].items():
            found = "" if np.isnan(row[scale]) else row[scale]
            assert found == expected, f"{example['says']} {scale}"


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_the_lowest_and_highest_answers_reach_the_ends_of_every_scale(name):
    entry = entry_of(name)
    extra = entry.get("supplement", {})
    low, high = entry["range"]
    columns = [*entry["items"], *extra.get("items", [])]
    best = [[low] * len(entry["items"]) + [extra.get("range", [0])[0]] * len(extra.get("items", []))]
    worst = [[high] * len(entry["items"]) + [extra.get("range", [0])[-1]] * len(extra.get("items", []))]
    rows = score(pd.DataFrame(best + worst, columns=columns), entry, coding="as_scored")
    for scale in entry["scale"]:
        assert rows[scale["id"]].tolist() == scale["range"]
