"""The shelf, and what every entry on it must hold. A new file is found by itself."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest

from evalkit import library
from evalkit.errors import EvalkitWarning, StudyError
from evalkit.outcomes.questionnaires.instruments import banded, part_of, score

PROMISED = [
    *("sdq_parent", "sdq_teacher", "sdq_self", "rcads_25", "rcads_47", "wemwbs", "swemwbs", "phq_9", "gad_7"),
    *("core_10", "yp_core", "score_15", "rosenberg", "kidscreen_10", "cgas", "honosca", "ors", "cors", "gbo", "ons4"),
]
NOTHING_REVERSED = [
    *("rcads_25", "rcads_47", "wemwbs", "swemwbs", "phq_9", "gad_7"),
    *("cgas", "honosca", "ors", "cors", "gbo", "ons4"),
]
STATUS = {"checked", "unconfirmed"}


def entry_of(name):
    return library.load("instruments", name, allow_unconfirmed=True)


ALL = list(library.catalogue().query("kind == 'instruments'")["id"])
INSTRUMENTS = [name for name in ALL if entry_of(name).get("type") != "record"]
RECORDS = [name for name in ALL if name not in INSTRUMENTS]


def parts_of(entry):
    """Every part with a status of its own, with the name by which it is asked for."""
    single = [(name, part) for name, part in entry.items() if isinstance(part, dict) and "status" in part]
    lists = [entry.get(name, []) for name in ("bands", "norms", "reliability", "cutoff")]
    return single + [(part["id"], part) for parts in lists for part in parts]


def columns_of(entry):
    return [*entry["items"], *entry.get("supplement", {}).get("items", [])]


def scored(rows, entry, **how):
    """Scores of forms, the warnings about unconfirmed keys and empty scales apart."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EvalkitWarning)
        return score(pd.DataFrame(rows, columns=columns_of(entry)), entry, **how)


# ---------------------------------------------------------------- the shelf


def test_the_catalogue_names_every_file_with_its_source():
    shelf = library.catalogue()
    assert list(shelf.columns) == ["kind", "id", "title", "status", "source", "file"]
    assert set(PROMISED) <= set(shelf["id"])
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


def test_the_long_rcads_whose_keys_are_unconfirmed_scores_only_by_that_name():
    entry = entry_of("rcads_47")
    form = pd.DataFrame([[1] * 47], columns=entry["items"])
    with pytest.raises(StudyError, match=r'ask for "rcads_47 \(unconfirmed\)"'):
        score(form, "rcads_47")
    with pytest.warns(EvalkitWarning, match="keys of rcads_47 are unconfirmed"):
        assert score(form, "rcads_47 (unconfirmed)")["total"].tolist() == [47]


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_is_refused_as_a_questionnaire_and_the_function_for_it_is_named(name):
    with pytest.raises(StudyError, match=f'"{name}" is a kind of record and has no items to score. Use .* instead'):
        score(pd.DataFrame({"q1": [1]}), entry_of(name))


# ---------------------------------------------------------------- every questionnaire


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_an_instrument_says_what_it_is_and_where_its_keys_come_from(name):
    entry = entry_of(name)
    for key in ("title", "version", "unit", "items", "range", "coding", "reverse", "missing", "rounding", "licence",
                "sources", "better", "main", "informants", "reference_period", "scale", "example"):  # fmt: skip
        assert key in entry, f"{name} lacks {key}"
    assert entry["status"] in STATUS
    assert entry["coding"] == "as_ticked"
    assert entry["rounding"] in {"none", "half up"}
    assert set(entry["reference_period"]) == {"baseline", "follow_up"}
    assert all(entry["sources"])
    assert entry["licence"]
    assert entry["missing"]
    assert set(entry["reverse"]) <= set(entry["items"])
    assert entry["main"] in ["", *(scale["id"] for scale in entry["scale"])]


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_no_wording_of_an_item_is_on_the_shelf(name):
    entry = entry_of(name)
    assert entry["wording"] is False
    assert all(len(item) <= 16 and " " not in item for item in columns_of(entry))
    assert not {"text", "wordings", "questions", "item_text", "labels"} & set(entry)


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_every_part_of_an_instrument_has_a_name_a_source_and_a_status(name):
    parts = parts_of(entry_of(name))
    names = [part for part, _ in parts]
    assert len(set(names)) == len(names)
    for part, content in parts:
        assert content["source"], part
        assert content["status"] in STATUS, part


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_an_unconfirmed_part_comes_only_by_that_very_name_and_adds_no_column(name):
    entry = entry_of(name)
    columns = set(scored([[entry["range"][0]] * len(columns_of(entry))], entry))
    for part, content in parts_of(entry):
        if content["status"] == "unconfirmed":
            with pytest.raises(StudyError, match="no second source"):
                part_of(entry, part)
            assert not columns & {f"{scale}_{part}" for scale in content.get("from", ())}
        assert part_of(entry, f"{part} (unconfirmed)") == content


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_every_item_of_an_instrument_counts_in_a_scale_and_in_none_twice(name):
    entry = entry_of(name)
    for scale in entry["scale"]:
        items = scale.get("items", [])
        assert len(set(items)) == len(items)
        assert not items or 1 <= scale["answered"] <= len(items)
    assert {item for scale in entry["scale"] for item in scale.get("items", [])} == set(columns_of(entry))


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_bands_start_at_the_end_of_the_range_and_are_in_order(name):
    entry = entry_of(name)
    scales = {scale["id"]: scale for scale in entry["scale"]}
    for bands in entry.get("bands", []):
        for scale, starts in bands["from"].items():
            higher = scales[scale]["better"] == "higher"
            assert len(starts) == len(bands["names"])
            assert starts == sorted(set(starts), reverse=higher)
            assert starts[-1 if higher else 0] == scales[scale]["range"][0]
            assert starts[0 if higher else -1] <= scales[scale]["range"][1]


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_every_possible_score_has_a_band_also_between_two_whole_numbers(name):
    entry = entry_of(name)
    for bands in entry.get("bands", []):
        for scale in bands["from"]:
            low, high = next(one["range"] for one in entry["scale"] if one["id"] == scale)
            grid = pd.Series(np.arange(low, high + 0.001, 1 / 12))
            found = banded(grid, entry, f"{bands['id']} (unconfirmed)", scale)
            first = bands.get("first", 1)
            assert set(found) == set(range(first, first + len(bands["names"])))
            assert (found.diff().dropna().abs() <= 1).all()


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_every_form_with_a_score_has_its_bands_whatever_was_left_blank(name):
    entry = entry_of(name)
    low, high = entry["range"]
    draw = np.random.default_rng(4)
    forms = draw.integers(low, min(high, 3) + 1, (300, len(columns_of(entry)))).astype(float)
    forms[draw.random(forms.shape) < 0.08] = np.nan
    found = scored(forms, entry)
    for bands in entry.get("bands", []):
        for scale in bands["from"]:
            column = bands.get("column", f"{scale}_{bands['id']}")
            if column in found:
                assert found[column].isna().equals(found[scale].isna())


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_the_worked_examples_of_an_instrument_are_what_it_scores(name):
    entry = entry_of(name)
    for example in entry["example"]:
        answers = [np.nan if answer == "" else answer for answer in example["answers"]]
        row = scored([answers], entry).iloc[0]
        for scale, expected in example["scores"].items():
            found = "" if np.isnan(row[scale]) else row[scale]
            assert found == (expected if expected == "" else pytest.approx(expected, abs=1e-9)), (
                f"{example['says']} {scale}"
            )


@pytest.mark.parametrize("name", [name for name in INSTRUMENTS if name != "custom"])
def test_an_instrument_has_worked_examples_of_its_ends_of_a_blank_and_of_reversed_items(name):
    entry = entry_of(name)
    examples = entry["example"]
    assert len(examples) >= 3
    assert any("" in example["answers"] for example in examples)
    scale = next(one for one in entry["scale"] if one["id"] == (entry["main"] or entry["scale"][0]["id"]))
    scores = [example["scores"].get(scale["id"]) for example in examples]
    if not name.startswith("sdq"):
        assert set(scale["range"]) <= set(scores)
    if entry["reverse"]:
        places = [entry["items"].index(item) for item in entry["reverse"]]
        alike = [len({example["answers"][place] for place in places} - {""}) == 1 for example in examples]
        assert any(alike)


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_the_lowest_and_highest_answers_reach_the_ends_of_every_scale(name):
    entry = entry_of(name)
    extra = entry.get("supplement", {})
    low, high = entry["range"]
    lowest = [low] * len(entry["items"]) + [extra.get("range", [0])[0]] * len(extra.get("items", []))
    highest = [high] * len(entry["items"]) + [extra.get("range", [0])[-1]] * len(extra.get("items", []))
    rows = scored([lowest, highest], entry, coding="as_scored")
    for scale in entry["scale"]:
        assert rows[scale["id"]].tolist() == scale["range"]


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_a_reliable_change_follows_from_its_standard_deviation_and_reliability(name):
    for part, change in parts_of(entry_of(name)):
        if part.startswith("change") and "sd" in change:
            worked = change["z"] * change["sd"] * np.sqrt(2 * (1 - change["reliability"]))
            assert worked == pytest.approx(change["threshold"], abs=0.4)


# ---------------------------------------------------------------- keys as the field notes give them


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        *[
            (f"sdq_{who}", {"emotion": 5, "conduct": 5, "hyper": 5, "peer": 5, "prosoc": 5, "impact": impact})
            for who, impact in (("parent", 5), ("teacher", 3), ("self", 5))
        ],
        ("rcads_25", {"depression": 10, "anxiety": 15}),  # a list in circulation lacks item 22: 14
        (
            "rcads_47",
            {"social": 9, "panic": 9, "general": 6, "separation": 7, "obsessions": 6, "depression": 10},
        ),
        ("wemwbs", {"total": 14}),
        ("swemwbs", {"raw": 7}),
        ("phq_9", {"phq9": 9}),
        ("gad_7", {"gad7": 7}),
        ("core_10", {"clinical_score": 10}),
        ("yp_core", {"clinical_score": 10}),
        ("score_15", {"strengths": 5, "difficulties": 5, "communication": 5}),
        ("rosenberg", {"total": 10}),
        ("kidscreen_10", {"raw": 10}),
        ("cgas", {"rating": 1}),
        ("honosca", {"total": 13}),
        ("ors", {"total": 4}),
        ("cors", {"total": 4}),
        ("gbo", {"goal_1": 1, "goal_2": 1, "goal_3": 1, "mean": 3}),
        ("ons4", {"satisfaction": 1, "worthwhile": 1, "happiness": 1, "anxiety": 1}),
    ],
)
def test_each_scale_has_as_many_items_as_its_manual_says(name, counts):
    found = {scale["id"]: len(scale["items"]) for scale in entry_of(name)["scale"] if "items" in scale}
    assert found == counts


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        *[(f"sdq_{who}", [7, 11, 14, 21, 25]) for who in ("parent", "teacher", "self")],
        ("core_10", [2, 3]),  # one guidance page says 3 and 4
        ("yp_core", [3, 5, 10]),
        ("score_15", [2, 4, 5, 7, 8, 9, 11, 12, 13, 14]),
        ("rosenberg", [2, 5, 6, 8, 9]),
        ("rosenberg_other_order", [3, 5, 8, 9, 10]),
        ("kidscreen_10", [3, 4]),
        *[
            (name, [])
            for name in [
                "rcads_25",
                "rcads_47",
                "wemwbs",
                "swemwbs",
                "phq_9",
                "gad_7",
                "cgas",
                "honosca",
                "ors",
                "cors",
                "gbo",
                "ons4",
            ]
        ],
    ],
)
def test_the_reversed_items_are_those_of_the_manual(name, numbers):
    entry = entry_of(name)
    assert [entry["items"].index(item) + 1 for item in entry["reverse"]] == numbers


def test_the_depression_items_of_the_short_rcads_are_the_ten_of_two_public_lists():
    entry = entry_of("rcads_25")
    depression = next(scale for scale in entry["scale"] if scale["id"] == "depression")
    numbers = [entry["items"].index(item) + 1 for item in depression["items"]]
    assert numbers == [1, 4, 8, 10, 13, 15, 16, 19, 21, 24]


@pytest.mark.parametrize(("name", "threshold"), [("phq_9", 6), ("gad_7", 4), ("core_10", 6), ("cgas", 10.73)])
def test_a_checked_reliable_change_is_there_unasked(name, threshold):
    assert part_of(entry_of(name), "change")["threshold"] == threshold


@pytest.mark.parametrize("name", ["sdq_parent", "gbo", "ors", "cors"])
def test_an_unconfirmed_reliable_change_is_not(name):
    with pytest.raises(StudyError, match="unconfirmed"):
        part_of(entry_of(name), "change")


def test_two_instruments_share_no_band_set_without_a_source_of_its_own():
    sets = [(name, bands) for name in INSTRUMENTS for bands in entry_of(name).get("bands", [])]
    checked = [bands for _, bands in sets if bands["status"] == "checked"]
    assert all(bands["source"] != "No source read" for bands in checked)
    assert all(len(bands["names"]) == len(starts) for _, bands in sets for starts in bands["from"].values())


def test_item_names_of_instruments_that_are_asked_together_do_not_collide():
    apart = [name for name in PROMISED if not name.startswith(("sdq", "rcads"))]
    for one, other in itertools.combinations(apart, 2):
        assert not set(entry_of(one)["items"]) & set(entry_of(other)["items"]), (one, other)
