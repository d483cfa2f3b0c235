"""A published cohort rule: London's entrenched rough sleepers, 2012."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from evalkit.cohort import select

FOLDER = Path(__file__).parents[1] / "data" / "domain_19"
RECENT = "exists(sightings, months=(-3, 0)) or '2012-07-31' <= hostel_last_seen <= index_date"
OFTEN = "count(sightings, months=(-24, 0)) >= 6"


STUDY = f"""
[tables]
people = "people.csv"
sightings = "sightings.csv"

[cohort]
person = "person"
people = "people"
index = {{ date = 2012-10-31 }}

[cohort.rules]
seen_lately = "exists(sightings, months=(-3, 0))"
hostel_lately = "'2012-07-31' <= hostel_last_seen <= index_date"

[[cohort.include]]
says = "seen rough sleeping or in a hostel in the three months to the date"
rule = "seen_lately or hostel_lately"

[[cohort.include]]
says = "seen at least six times in two years"
rule = "{OFTEN}"

[[cohort.assure]]
says = "the first and the last day of both windows count"
tables.sightings = [
  {{ seen = 2012-07-31 }}, {{ seen = 2010-10-31 }}, {{ seen = 2010-10-31 }}, {{ seen = 2010-10-31 }},
  {{ seen = 2010-10-31 }}, {{ seen = 2012-10-31 }},
]
tables.people = [{{ person = "1" }}]
answer = "counted"

[[cohort.assure]]
says = "a day too early does not count"
tables.sightings = [
  {{ seen = 2012-07-31 }}, {{ seen = 2010-10-30 }}, {{ seen = 2010-10-31 }}, {{ seen = 2010-10-31 }},
  {{ seen = 2010-10-31 }}, {{ seen = 2012-10-31 }},
]
tables.people = [{{ person = "1" }}]
answer = "left out"
at = "seen at least six times in two years"
"""


def test_london_rough_sleepers_as_a_study(make_study):
    import evalkit
    from evalkit.cohort.assure import assure

    people = pd.read_csv(FOLDER / "people.csv", dtype="str")
    sightings = people.assign(seen=people["sightings"].str.split(";")).explode("seen")[["person", "seen"]]
    folder = make_study(STUDY, people=people[["person", "hostel_last_seen"]], sightings=sightings)
    study = evalkit.read_study(folder)
    expected = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))["expected"]
    cohort = evalkit.build_cohort(study)
    assert cohort.table["person"].tolist() == [person for person, answer in expected.items() if answer["in_cohort"]]
    left = cohort.reasons.groupby("person")["rule"].agg(list).to_dict()
    assert left == {
        "D": ["seen rough sleeping or in a hostel in the three months to the date"],
        "E": ["seen at least six times in two years"],
    }
    assert assure(study) == 2


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
