"""Added value in a study: asked for by name, re-scored from the forms, beside the comparison's."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import StudyError
from evalkit.outcomes import added_value, score, score_outcomes
from evalkit.study import read_study

PERSONS = 120
OCCASIONS = [
    {"id": "baseline", "title": "at the start", "day": 0},
    {"id": "m6", "title": "6 months", "day": 183},
    {"id": "m12", "title": "12 months", "day": 365},
]
SDQ = {"id": "sdq", "instrument": "sdq_parent", "table": "forms", "added_value": True}
ITEMS = [*(f"q{number}" for number in range(1, 26)), *(f"imp{number}" for number in range(1, 6))]

pytestmark = pytest.mark.filterwarnings("ignore::evalkit.errors.EvalkitWarning")


def forms_of(people=PERSONS, days=(0, 183, 365), seed=8):
    """A parent SDQ of each person on each of these days, some answers left blank."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(people):
        for place, day in enumerate(days):
            core = rng.integers(0, 3, 25).astype(float)
            core[rng.random(25) < 0.02] = np.nan
            better = core * (rng.random(25) > 0.2 * place * (person < people / 2))
            date = pd.Timestamp("2024-01-01") + pd.Timedelta(days=day)
            rows.append([f"p{person:03d}", date, *better, *rng.integers(0, 4, 5)])
    return pd.DataFrame(rows, columns=["id", "date", *ITEMS])


@pytest.fixture
def outcomes_of(cohort_of, people):
    """A function: (forms, measure, occasions) -> outcomes of 120 people in 12 teams."""

    def make(forms, measure=None, occasions=OCCASIONS):
        table = people(PERSONS, cluster=[f"team {person % 12}" for person in range(PERSONS)])
        arms = {"column": "arm", "treated": "treated", "comparison": "comparison"}
        cohort = {"person": "id", "index": {"table": "people", "date": "start"}, "arm": arms, "cluster": "team"}
        plan = {"occasion": occasions, "measure": [measure or SDQ], "cohort": cohort}
        return score_outcomes(cohort_of(table, {"forms": forms}, plan))

    return make


def about(outcomes):
    return [flag for flag in outcomes.flags if flag.about == "sdq"]


def test_it_is_that_of_the_scores_of_the_forms_at_the_start_and_six_months_later(outcomes_of):
    forms = forms_of()
    found = outcomes_of(forms)
    one = found.looks["added value"][0]
    assert (one.start, one.end, round(one.months)) == ("at the start", "6 months", 6)
    scores = score(forms, "sdq_parent").assign(id=forms["id"], date=forms["date"])
    first, last = (scores[scores["date"] == date].set_index("id") for date in ("2024-01-01", "2024-07-02"))
    known = added_value(first["total"], first["impact"], first["emotion"], last["total"])
    treated = known.index < "p060"
    assert one.found.table["n"].to_dict() == {"treated": known[treated].count(), "comparison": known[~treated].count()}
    assert one.found.table.loc["treated", "mean"] == pytest.approx(known[treated].mean())
    assert one.found.difference["mean"] == pytest.approx(known[treated].mean() - known[~treated].mean())
    assert one.found.difference["low"] < one.found.difference["mean"] < one.found.difference["high"]


def test_it_is_looked_at_only_where_the_study_asks_for_it_and_says_each_time_that_it_is_unconfirmed(outcomes_of):
    forms = forms_of()
    assert "added value" not in outcomes_of(forms, SDQ | {"added_value": False}).looks
    found = outcomes_of(forms)
    flag = next(flag for flag in about(found) if "added value" in flag.text)
    assert flag.level == "caution"
    assert "unconfirmed" in flag.text
    assert "erratum" in flag.detail.lower()
    assert "unconfirmed" in found.looks["added value"][0].found.text
    assert "unconfirmed" in repr(found.looks["added value"][0])
    assert "p000" not in repr(found.looks["added value"][0]) + found.looks["added value"][0].found._repr_html_()


def test_columns_of_other_names_answers_already_reversed_and_another_scale_give_the_same(outcomes_of):
    forms = forms_of()
    plain = outcomes_of(forms).looks["added value"][0].found.table
    other = forms.rename(columns={item: f"item_{item}" for item in ITEMS})
    named = SDQ | {"items": [f"item_{item}" for item in ITEMS]}
    pd.testing.assert_frame_equal(outcomes_of(other, named).looks["added value"][0].found.table, plain)
    turned = forms.assign(**{item: 2 - forms[item] for item in ("q7", "q11", "q14", "q21", "q25")})
    found = outcomes_of(turned, SDQ | {"coding": "as_scored"})
    pd.testing.assert_frame_equal(found.looks["added value"][0].found.table, plain)


def test_a_follow_up_too_early_or_too_late_is_said(outcomes_of):
    found = outcomes_of(forms_of(), occasions=[OCCASIONS[0], OCCASIONS[2]])
    assert found.looks["added value"][0].end == "12 months"
    assert any("12 months after the start" in flag.text for flag in about(found))
    wide = [OCCASIONS[0], OCCASIONS[1] | {"window": [-180, 180]}]
    late = forms_of(days=(0, 300))
    assert any(
        "earlier or later than the formula supposes" in flag.text for flag in about(outcomes_of(late, None, wide))
    )
    assert not any("supposes" in flag.text for flag in about(outcomes_of(forms_of())))


def test_without_the_impact_supplement_or_a_follow_up_it_says_what_is_lacking(outcomes_of):
    bare = outcomes_of(forms_of().drop(columns=[f"imp{number}" for number in range(1, 6)]))
    assert "added value" not in bare.looks
    assert any("impact supplement" in flag.detail for flag in about(bare))
    once = outcomes_of(forms_of(days=(0,)))
    assert any("one at a later occasion" in flag.detail for flag in about(once))


def test_where_the_comparison_has_no_forms_the_programme_stands_alone_and_that_is_said(outcomes_of):
    forms = forms_of()
    found = outcomes_of(forms[forms["id"] < "p060"])
    one = found.looks["added value"][0].found
    assert list(one.table.index) == ["treated"]
    assert np.isnan(one.difference["mean"])
    assert any("comparison has too few parent SDQs" in flag.text for flag in about(found))


def test_a_study_that_asks_for_it_at_another_instrument_is_told_so(tmp_path):
    (tmp_path / "people.csv").write_text("id,start\n1,2024-01-01\n")
    (tmp_path / "forms.csv").write_text("id,date\n1,2024-01-01\n")
    (tmp_path / "study.toml").write_text("""
[study]
id = "drawn"
title = "Drawn"
kind = "synthetic"
[tables]
people = "people.csv"
forms = "forms.csv"
[cohort]
person = "id"
index = { table = "people", date = "start" }
[[occasion]]
id = "baseline"
day = 0
[[measure]]
id = "wellbeing"
instrument = "swemwbs"
table = "forms"
added_value = true
""")
    with pytest.raises(StudyError, match=r"\[\[measure\]\] wellbeing: added_value is a score of the parent SDQ only"):
        read_study(tmp_path)
