"""A published cohort rule: London's entrenched rough sleepers, 2012."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from evalkit.cohort import select

FOLDER = Path(__file__).parents[1] / "data" / "domain_19"
RECENT = "exists(sightings, months=(-3, 0)) or '2012-07-31' <= hostel_last_seen <= index_date"
OFTEN = "count(sightings, months=(-24, 0)) >= 6"


def test_london_rough_sleepers_are_counted_as_published():
    people = pd.read_csv(FOLDER / "people.csv", dtype="str")
    sightings = people.assign(seen=people["sightings"].str.split(";")).explode("seen")[["person", "seen"]]
    tables = {"people": people[["person", "hostel_last_seen"]], "sightings": sightings}
    expected = pd.DataFrame(json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))["expected"]).T
    plan = {"person": "person", "index": {"date": "2012-10-31"}}
    everyone = select(tables, plan)
    # Whoever was never in a hostel has no date there: that is unknown, and unknown does not include.
    recent = everyone.rule_answers(RECENT).fillna(False)
    assert recent.to_dict() == expected["recent"].to_dict()
    assert everyone.rule_answers(OFTEN).to_dict() == expected["six_in_two_years"].to_dict()
    rules = [{"says": "seen in the last three months", "rule": RECENT}, {"says": "seen six times", "rule": OFTEN}]
    counted = select(tables, plan | {"include": rules})
    assert counted.table["person"].tolist() == expected.index[expected["in_cohort"].astype(bool)].tolist()
