"""Nothing on a page, in its results or in its flags lets a reader work out a count of few people."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

import evalkit as ek
from evalkit.report.common import few_events
from evalkit.report.page import build
from evalkit.report.results import results

ROOT = Path(__file__).parent.parent.parent


def words_of(evaluation):
    html = " ".join(part.html for part in build(evaluation).values())
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


@pytest.mark.parametrize(
    ("share", "n", "few"),
    [(0.01, 300, True), (0.0, 300, True), (0.99, 300, True), (0.5, 300, False), (0.05, 200, False), (0.5, 18, True)],
)
def test_a_share_of_a_known_number_is_a_count(share, n, few):
    assert few_events(share, n, "uk-children-10") is few


@pytest.fixture(scope="module")
def three_schools(tmp_path_factory):
    """Three schools of the experiment: few enough for small counts to arise by themselves."""
    folder = tmp_path_factory.mktemp("small") / "few_schools"
    shutil.copytree(ROOT / "data" / "raw" / "project_star", folder)
    pupils = pd.read_csv(folder / "pupils.csv", dtype=str)
    sizes = pupils["sch"].value_counts()
    pupils[pupils["sch"].isin(sizes.index[20:23])].to_csv(folder / "pupils.csv", index=False)
    return ek.evaluate(folder)


def test_no_total_on_the_page_gives_away_how_few_have_no_reading(three_schools):
    summary = three_schools.outcomes.summary
    members = three_schools.cohort.table["arm"].value_counts()
    page = words_of(three_schools)
    for _, group in summary.groupby(["measure", "occasion"]):
        lost = {row.arm: members[row.arm] - row.n for row in group.itertuples()}
        if any(0 < n < 10 for n in lost.values()):
            both = int(group["n"].sum())
            assert not re.search(rf"\bn {both}\b", page)


def test_a_rare_answer_hides_its_share_and_what_follows_from_it(tmp_path):
    folder = tmp_path / "edge"
    shutil.copytree(ROOT / "data" / "raw" / "edge_of_care", folder)
    plan = (folder / "study.toml").read_text(encoding="utf-8")
    plan = plan.replace('id = "edge_of_care"', 'id = "rare"', 1)
    plan = plan.replace(
        'rule = "not exists(episodes', 'rule = "days(born, index_date) > 6560 and not exists(episodes', 1
    )
    (folder / "study.toml").write_text(plan, encoding="utf-8")
    evaluation = ek.evaluate(folder)
    row = evaluation.effects.table.set_index("outcome").loc["no_care"]
    assert 0 <= row["observed"] * row["n_treated"] < 10
    found = {result.id: result for result in results(evaluation)}
    assert found["no_care.observed"].value is None
    assert found["no_care.observed"].text == "[c]"
    assert "no_care.deadweight" not in found
