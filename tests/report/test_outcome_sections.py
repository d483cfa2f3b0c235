"""The sections on outcomes: what they print is what was found, and tells of nobody."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

import evalkit as ek
from evalkit import words
from evalkit.report.common import few_events
from evalkit.report.html import plain, slug
from evalkit.report.rough import cells, shares, tens
from evalkit.report.sections.over_time import _joined

ROOT = Path(__file__).parents[2]
OURS = ("outcomes", "over_time", "change", "measures", "services")

pytestmark = pytest.mark.xdist_group("outcome sections")


@pytest.fixture(scope="module")
def evaluation():
    return ek.evaluate(ROOT / "data" / "raw" / "edge_of_care")


@pytest.fixture(scope="module")
def page(evaluation):
    return {name: plain(ek.show(evaluation, name).html) for name in OURS}


def test_every_look_of_the_demonstration_is_printed(evaluation, page):
    assert set(evaluation.outcomes.looks) == {
        *("reliable change", "distance travelled", "cumulative outcomes", "growth", "reliability", "comparability"),
        *("what each measure adds", "whose outcomes", "services", "engagement", "missing outcomes"),
    }
    heads = {
        "over_time": ["Days in care within 18 months:", "Lines with the programme", "Supposed, SD"],
        "change": ["reliably better", "Ladder of six areas", "stage 5", "it exaggerates"],
        "measures": ["hang together", "comparable across arms", "adds most to what the index knows", "asked for"],
        "services": ["pulled towards the mean", "outside the 95% limits", "a description, not an effect"],
        "outcomes": ["Least is known of", "known more exactly than any single measure", "Romano-Wolf step-down"],
    }
    for section, wanted in heads.items():
        assert [text for text in wanted if text not in page[section]] == []


def test_growth_is_printed_as_it_was_estimated(evaluation, page):
    for one in evaluation.outcomes.looks["growth"]:
        assert words.number(one.effect, 1, sign=True) in page["over_time"]
        assert words.interval(one.low, one.high, 1) in page["over_time"]


def test_the_arms_regress_to_the_mean_in_words(evaluation, page):
    assert evaluation.outcomes.looks["reliable change"][0].words in re.sub(r"\s+", " ", page["change"])


def test_the_index_of_the_experiment_is_known_more_exactly_than_any_single_test_and_the_page_says_so():
    evaluation = ek.evaluate(ROOT / "data" / "raw" / "project_star")
    said = plain(ek.show(evaluation, "outcomes").html)
    se = float(evaluation.effects.table["se"].iloc[0])
    singles = evaluation.effects.measures["se"].astype(float)
    assert se < singles.min()
    told = f"the index's standard error is {se:.3f} SD, theirs are {singles.min():.3f} to {singles.max():.3f} SD"
    assert f"The index is known more exactly than any single measure: {told}." in said
    assert "Westfall-Young step-down, 1,999 shuffles of people within strata" in said


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """The demonstration with four teams only, so that small counts arise everywhere by themselves."""
    folder = tmp_path_factory.mktemp("few") / "few_teams"
    shutil.copytree(ROOT / "data" / "raw" / "edge_of_care", folder)
    people = pd.read_csv(folder / "people.csv", dtype=str)
    kept = people["team"].isin(sorted(people["team"].unique())[3:7])
    people[kept].to_csv(folder / "people.csv", index=False)
    ids = set(people.loc[kept, "person_id"])
    for name in ("referrals", "episodes", "safeguarding", "assessments_sdq", "assessments_swemwbs", "ladder",
                 "sessions", "attendance", "offences"):  # fmt: skip
        table = pd.read_csv(folder / f"{name}.csv", dtype=str)
        table[table["person_id"].isin(ids)].to_csv(folder / f"{name}.csv", index=False)
    plan = (folder / "study.toml").read_text(encoding="utf-8")
    plan = plan.replace('id = "edge_of_care"', 'id = "few_teams"', 1)
    plan = plan.replace('outcomes = ["wellbeing@m12"]\npeople', 'outcomes = ["wellbeing@m12", "no_care"]\npeople', 1)
    plan = re.sub(r"\n\[contract\].*?(?=\n\[disclosure\])", "\n", plan, flags=re.DOTALL)
    (folder / "study.toml").write_text(plan, encoding="utf-8")
    return ek.evaluate(folder)


def rows_of(html, table):
    """The rows of a table on the page, as lists of cells."""
    found = re.search(rf'id="table-{table}".*?</table>', html, re.DOTALL)
    assert found is not None
    rows = re.findall(r"<tr>(.*?)</tr>", found.group(0), re.DOTALL)
    return [[plain(cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)] for row in rows]


def test_classes_of_few_people_are_hidden_on_the_page_and_so_is_what_would_give_them_away(few):
    html = ek.show(few, "change").html
    one = few.outcomes.looks["reliable change"][0]
    shown = {row[0]: row for row in rows_of(html, slug(f"reliable-change-{one.measure}")) if len(row) > 4}
    names = {"improved": "reliably better", "unchanged": "not reliably changed", "deteriorated": "reliably worse"}
    for place, arm in enumerate(("treated", "comparison")):
        mine = one.table[one.table["arm"] == arm].set_index("class")["count"]
        small = [name for name in names if mine[name] < 10]
        assert small  # or the test would tell nothing
        assert all(shown[names[name]][1 + 2 * place] == "[c]" for name in small)
        hidden = [name for name in names if shown[names[name]][1 + 2 * place] == "[c]"]
        assert len(hidden) >= 2
        assert all(shown[names[name]][5] == "[c]" for name in hidden)  # nor does the difference tell of them


def test_no_flag_tells_of_a_count_of_few_people(few):
    said = [f"{flag.text} {flag.detail}" for flag in few.flags]
    assert [text for text in said if re.search(r"\b[1-9] (people|persons|rows|forms|readings|complete)\b", text)] == []


def test_a_share_of_few_is_not_told_by_service(few):
    one = next(one for one in few.outcomes.looks["services"] if one.outcome == "no_care")
    rare = [
        str(name)
        for name, row in one.services.table.iterrows()
        if few_events(row["raw"], row["n"], "uk-children-10") or row["n"] < 10
    ]
    assert rare
    html = ek.show(few, "services").html
    drawn = re.search(r'id="figure-funnel-no_care".*?</figure>', html, re.DOTALL)
    assert drawn is None or not any(name in drawn.group(0) for name in rare)
    listed = re.search(r'id="figure-services-no_care".*?</figure>', html, re.DOTALL)
    assert listed is None or not any(name in listed.group(0) for name in rare)


def test_events_are_drawn_in_steps_of_ten_or_more(evaluation):
    one = next(one for one in evaluation.outcomes.looks["cumulative outcomes"] if one.unit == "events")
    joined = _joined(evaluation, one)
    assert len(joined) < len(one.curve.table)
    for _, mine in joined.groupby("arm"):
        assert (mine["mean"] * mine["n"]).diff().dropna().round().min() >= 10
        assert mine["day"].max() == one.curve.table["day"].max()


def test_counts_of_people_beside_other_tables_are_in_tens(few):
    arms = few.cohort.table["arm"].value_counts()
    assert (arms % 10 > 0).any()
    for name in ("over_time", "change", "measures"):
        said = plain(ek.show(few, name).html)
        assert [n for n in arms if n % 10 and re.search(rf"\bn {n}\b|\b{n} people\b", said)] == []


def test_no_number_below_ten_stands_in_a_drawing_of_people(few):
    html = ek.show(few, "change").html
    told = " ".join(re.findall(r'aria-label="([^"]*)"', html))
    cells = [int(n) for n in re.findall(r"after [\d.]+ to [\d.]+: (\d+)", told)]
    ways = [int(n) for n in re.findall(r"stage \d to stage \d:? (\d+)", told)]
    assert all(n >= 10 for n in [*cells, *ways])
    assert "not shown" in told


def test_shares_hide_their_complement(evaluation):
    assert shares([50, 30, 4], evaluation).count(words.SUPPRESSED) == 2
    assert shares([50, 30, 20], evaluation) == ["50%", "30%", "20%"]
    assert shares([5, 3, 1], evaluation) == [words.SUPPRESSED] * 3
    assert (tens(447, evaluation), tens(9, evaluation), tens(None, evaluation)) == ("450", "[c]", "[x]")
    assert cells(pd.DataFrame([[12, 3], [0, 40]]).to_numpy(), evaluation) == [[12, "[c]"], ["[c]", 40]]
