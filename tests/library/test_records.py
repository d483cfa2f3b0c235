"""The shelf's records: what is counted and not asked, with definitions by year, and their worked examples."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from evalkit import library
from evalkit.errors import StudyError
from evalkit.outcomes import days_in_state
from evalkit.outcomes.change.distance import distance_travelled
from evalkit.outcomes.questionnaires.instruments import score
from evalkit.outcomes.records.care import care_proportion
from evalkit.outcomes.records.counts import attendance, definition, offending, placements


def entry_of(name):
    return library.load("instruments", name, allow_unconfirmed=True)


NAMES = list(library.catalogue().query("kind == 'instruments'")["id"])
RECORDS = [name for name in NAMES if entry_of(name).get("type") == "record"]


def test_the_records_that_are_promised_are_on_the_shelf():
    assert set(RECORDS) == {"attendance", "offending", "days_in_care", "placements", "attainment", "ladder"}


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_says_what_it_counts_and_where_that_comes_from(name):
    entry = entry_of(name)
    for key in ("title", "version", "unit", "values", "better", "records", "formula", "missing", "informants",
                "licence", "sources", "unconfirmed"):  # fmt: skip
        assert key in entry, f"{name} lacks {key}"
    assert entry["status"] in {"checked", "unconfirmed"}
    assert entry["better"] in {"higher", "lower"}
    assert entry["values"] in {"score", "amount", "yes or no"}
    assert entry["wording"] is False
    assert "items" not in entry
    assert entry.get("example") or entry["status"] == "unconfirmed"


@pytest.mark.parametrize("name", RECORDS)
def test_every_definition_and_figure_of_a_record_has_a_source_and_a_status(name):
    entry = entry_of(name)
    for part in [one for key in ("definition", "norms", "reliability", "caution") for one in entry.get(key, [])]:
        assert part["source"]
        assert part["status"] in {"checked", "unconfirmed"}
    for part in entry.get("definition", []):
        assert part["status"] == "unconfirmed" or entry["status"] == "checked"


def test_the_lines_of_persistent_absence_follow_each_other_without_a_gap():
    lines = [one for one in entry_of("attendance")["definition"] if one["id"] == "persistent absence"]
    lines.sort(key=lambda one: one["from"])
    assert lines[0]["from"] == ""
    assert lines[-1]["to"] == ""
    for before, after in itertools.pairwise(lines):
        assert int(after["from"][:4]) == int(before["to"][:4]) + 1


def test_attainment_comes_only_by_its_full_name():
    with pytest.raises(StudyError, match="no second source"):
        library.load("instruments", "attainment")
    assert library.load("instruments", "attainment (unconfirmed)")["range"] == [0, 90]


@pytest.mark.parametrize(("record", "name"), [("attendance", "severe absence"), ("placements", "unstable")])
def test_an_unconfirmed_definition_comes_only_by_its_full_name(record, name):
    with pytest.raises(StudyError, match="no second source"):
        definition(record, name)
    assert definition(record, f"{name} (unconfirmed)")["status"] == "unconfirmed"


def test_no_text_of_a_licensed_star_is_on_the_shelf():
    ladder = entry_of("ladder")
    assert "licence of their own" in ladder["licence"]
    assert "areas" not in ladder


# ---------------------------------------------------------------- the worked examples


@pytest.mark.parametrize("example", entry_of("attendance")["example"], ids=lambda one: one["says"][:40])
def test_the_examples_of_attendance_come_out(example):
    records = pd.DataFrame([{"person": "a", **example["records"]}])
    row = attendance(records, "person", "missed", "possible", year=example["records"]["year"]).table.loc["a"]
    assert row["share_attended"] == pytest.approx(example["result"]["share_attended"])
    assert row["absent"] == example["result"]["persistent_absence"]


def test_the_example_of_offending_comes_out():
    example = entry_of("offending")["example"][0]
    given, start = example["records"], pd.Timestamp("2024-01-01")
    offences = pd.DataFrame({"person": "a", "date": start, "severity": given["severities"]})
    window = pd.DataFrame({"person": ["a"], "start": start, "end": start + pd.Timedelta(days=given["window_days"])})
    custody = window.assign(end=start + pd.Timedelta(days=given["custody_days"]))
    row = offending(offences, window, custody, "severity").table.iloc[0]
    for name, value in example["result"].items():
        assert row[name] == pytest.approx(value)


def test_the_example_of_days_in_care_comes_out():
    example = entry_of("days_in_care")["example"][0]
    spells = pd.DataFrame(example["records"]["episodes"], columns=["start", "end"]).assign(person="a")
    window = pd.DataFrame([example["records"]["window"]], columns=["start", "end"]).assign(person="a")
    days = days_in_state(spells, window)
    assert days.tolist() == [example["result"]["days"]]
    assert care_proportion(days, window).share == pytest.approx(example["result"]["share"])


@pytest.mark.parametrize("example", entry_of("placements")["example"], ids=lambda one: one["says"][:40])
def test_the_examples_of_placements_come_out(example):
    spells = pd.DataFrame(example["records"]["placements"], columns=["place", "start", "end"]).replace("", None)
    window = pd.DataFrame([example["records"]["window"]], columns=["start", "end"]).assign(person="a")
    spells["end"] = pd.to_datetime(spells["end"])
    row = placements(spells.assign(person="a"), window).table.iloc[0]
    assert row[["number", "moves"]].tolist() == [example["result"]["number"], example["result"]["moves"]]


def test_the_example_of_the_ladder_comes_out():
    example = entry_of("ladder")["example"][0]
    start, end = (pd.DataFrame([example["records"][name]], columns=["x", "y"]) for name in ("start", "end"))
    row = distance_travelled(start, end, top=entry_of("ladder")["top"]).table.iloc[0]
    for name, value in example["result"].items():
        assert row[name] == pytest.approx(value)


def test_the_template_for_an_instrument_of_ones_own_can_be_scored_as_it_stands():
    template = entry_of("custom")
    assert template["type"] == "template"
    for example in template["example"]:
        answers = [np.nan if answer == "" else answer for answer in example["answers"]]
        row = score(pd.DataFrame([answers], columns=template["items"]), template).iloc[0]
        for scale, expected in example["scores"].items():
            assert row[scale] == expected
