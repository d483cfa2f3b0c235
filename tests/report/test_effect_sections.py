"""The sections about effects: they print what was found, with the words the evidence allows, and tell of nobody."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import evalkit as ek
from evalkit import words
from evalkit.counterfactual.estimating import estimate
from evalkit.counterfactual.testing import Finding
from evalkit.errors import Flag
from evalkit.evidence import allowed, comparability
from evalkit.report import validated
from evalkit.report.beside import about, form_of, gives_away, why_not
from evalkit.report.checks import balance
from evalkit.report.cutoff import _bins
from evalkit.report.html import plain, slug
from evalkit.report.page import build
from evalkit.report.phrases import finding, lead, wording
from evalkit.report.results import results
from evalkit.report.robust import lost, without_one
from evalkit.report.sections.brief import _care
from evalkit.report.sections.cohort import _groups
from evalkit.report.sections.flags import in_words
from evalkit.report.sections.plan import NOT_LOCKED
from evalkit.report.traces import _alike, _before, _few_at, _off_before, _rank_notes, _thin
from evalkit.report.unmeasured import unmeasured
from evalkit.report.worth import verdict, worthwhile
from evalkit.study.locked import lock_plan
from tests.report import worlds
from tests.report.attack import Reader
from tests.report.conftest import PROGRAMME, Walked, cohort, effect_row, effects, outcomes, plan

OURS = ("effect", "certainty", "parts", "lasting", "plan")
ASKED = {
    "subgroup": [{"column": "sex", "says": "Sex"}, {"column": "age", "says": "Age at referral", "cuts": [14]}],
    "gained": {"outcomes": ["days"], "threshold": 4.0},
    "persistence": {"outcome": "days", "occasions": ["baseline", "m12"], "ends_day": 183},
    "smallest_worthwhile": {"days": 5.0},
}
HOME = {"outcome": "home", "title": "At home", "values": "yes or no", "better": "higher", "unit": "", "primary": False}

pytestmark = pytest.mark.xdist_group("effect sections")


@pytest.fixture(scope="module")
def people():
    return worlds.compared()


@pytest.fixture(scope="module")
def found(people):
    return worlds.looks(people)


@pytest.fixture(scope="module")
def evaluation(people, found):
    study = plan(**(PROGRAMME | {"counterfactual": PROGRAMME["counterfactual"] | ASKED}))
    days = found["worthwhile"][0]
    main = estimate(people, "ols", outcome="y12", **worlds.TOLD)
    numbers = {name: getattr(main, name) for name in ("effect", "se", "low", "high", "p", "observed", "counterfactual")}
    rows = effect_row(**numbers, n_treated=300, n_comparison=300, p_adjusted=main.p, level=5)
    home = effect_row(**HOME, observed=0.55, counterfactual=0.4, effect=0.15, low=0.07, high=0.23, truth=None)
    room = effects(study, rows, home)
    room.looks = found
    assert days.outcome == "days"
    return Walked(study, cohort=cohort(study), outcomes=outcomes(study), effects=room)


@pytest.fixture(scope="module")
def page(evaluation):
    built = build(evaluation)
    return {name: plain(built[name].html) for name in OURS}


def said_in(evaluation, names=OURS):
    """Every piece of text of the sections, the words for drawings among them, tag by tag."""
    html = " ".join(part.html for name, part in build(evaluation).items() if name in names)
    drawn = [unescape(text) for text in re.findall(r'aria-label="([^"]*)"', html)]
    return drawn + [unescape(text).strip() for text in re.split(r"<[^>]+>", html) if text.strip()]


def with_looks(evaluation, **changed):
    """The same evaluation with other looks."""
    room = SimpleNamespace(**{**vars(evaluation.effects), "looks": changed})
    return Walked(evaluation.study, cohort=evaluation.cohort, outcomes=evaluation.outcomes, effects=room)


def table_rows(html, table):
    """The rows of a table on the page, as lists of cells."""
    found = re.search(rf'id="table-{table}".*?</table>', html, re.DOTALL)
    rows = re.findall(r"<tr>(.*?)</tr>", found.group(0), re.DOTALL)
    return [[plain(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)] for row in rows]


# everything that was looked at is printed


def test_every_look_has_its_place(page):
    heads = {
        "effect": ["lie within the range of the comparison", "Smallest worth having"],
        "certainty": ["If something was not measured", "To explain this effect away", "twice as strong", "2.00",
                      "outcomes that cannot have moved", "Without any one cluster", "Without people at the edges",
                      "Weighted for who has the outcome", "bounds (Lee)", "point the same way as the planned one"],
        "parts": ["Age at referral: below 14", "planned before the outcomes were seen", "exploratory",
                  "is no difference between them", "got better with support", "Completers only",
                  "Those who took part because they were offered it"],
        "lasting": ["from occasion to occasion", "Share of the difference lost a year", "programme ends"],
        "plan": [NOT_LOCKED],
    }  # fmt: skip
    for section, wanted in heads.items():
        assert [text for text in wanted if text not in page[section]] == []


def test_what_is_printed_is_what_was_found(page, found):
    clusters = found["without one cluster"].found["effect"]
    assert words.interval(clusters.min(), clusters.max(), 1) in page["certainty"]
    omitted = found["unmeasured causes"][0].found.omitted
    assert words.percent(omitted.robustness_value) in page["certainty"]
    assert words.p_value(found["placebo outcomes"].attrs["joint"]["p"]) in page["certainty"]
    fade = found["persistence"].found.found.fade
    assert (
        words.number(fade.value, 2, sign=True) in page["lasting"]
        or words.number(fade.value, 1, sign=True) in page["lasting"]
    )
    through = found["taking part"][0].found.took_part
    assert words.number(through.effect, 1, sign=True) in page["parts"]


def test_every_result_of_a_look_is_printed_as_its_text_and_named_in_a_drawer(evaluation, page):
    mine = [one for one in results(evaluation) if one.section in ("certainty", "parts", "lasting")]
    assert [one.id for one in mine if one.text not in page[one.section]] == []
    assert [one.id for one in mine if one.id not in page[one.section]] == []
    assert {
        *("unmeasured.days.e_value", "unmeasured.days.robustness_value", "placebos.p", "attrition.days.weighted"),
        *("specifications.median", "specifications.share_sign", "specifications.share_significant"),
        *("subgroups.days.sex.p", "subgroups.days.age.p", "taking_part.days.effect", "taking_part.home.effect"),
        *("persistence.days.change", "persistence.days.drop_off"),
    } <= {one.id for one in mine}
    assert "detectable.days" in {one.id for one in results(evaluation)}


@pytest.mark.parametrize("kind", ["full", "contract_only", "empty", "laden", "counted", "few"])
def test_without_a_look_the_sections_do_not_appear(kind, request):
    built = build(request.getfixturevalue(kind))
    assert not {"certainty", "parts", "lasting"} & set(built)
    assert ("plan" in built) == (kind not in ("empty", "contract_only"))


def test_a_look_that_is_missing_takes_nothing_else_with_it(evaluation, found):
    for name in found:
        rest = with_looks(evaluation, **{other: one for other, one in found.items() if other != name})
        assert plain(build(rest)["certainty"].html)
    for name, one in found.items():
        assert build(with_looks(evaluation, **{name: one}))["plan"].html


# the words the evidence allows


@pytest.mark.parametrize("level", [1, 2])
def test_no_sentence_speaks_of_cause_at_a_low_level_of_evidence(evaluation, level):
    table = evaluation.effects.table.assign(level=level)
    evidence = SimpleNamespace(sms=level, reason="Before and after, without a comparison", verbs=(), may_say="",
                               may_not_say="")  # fmt: skip
    room = SimpleNamespace(**{**vars(evaluation.effects), "table": table, "evidence": evidence})
    low = Walked(evaluation.study, cohort=evaluation.cohort, outcomes=evaluation.outcomes, effects=room)
    texts = said_in(low)
    assert len(texts) > 300
    assert [(text, problems) for text in texts if (problems := allowed(text, level))] == []


def test_the_test_of_words_would_see_a_claim():
    assert allowed("Support reduced days in care by 46.7 days.", 2)


def test_no_text_holds_what_is_none(evaluation):
    assert [text for text in said_in(evaluation) if re.search(r"\bnan\b|None|\binf\b", text)] == []


def test_p_is_not_told_without_a_number_and_no_p_is_zero(page):
    assert not re.search(r"\bp 0\.000", " ".join(page.values()))


# nothing tells of few


def an_estimate(n, observed):
    return SimpleNamespace(n_treated=n, observed=observed)


@pytest.mark.parametrize(
    ("whole", "part", "yes_or_no", "tells"),
    [
        ((300, 0.50), (230, 0.50), True, False),
        ((300, 0.50), (295, 0.50), True, True),  # five did not complete
        ((300, 0.50), (230, 146 / 230), True, True),  # four of the 70 others had the outcome
        ((300, 0.50), (230, 88 / 230), True, True),  # eight of the 70 others had it not
        ((300, 80.0), (230, 90.0), False, False),
        ((300, 0.50), (300, 0.50), True, False),
    ],
)
def test_two_estimates_do_not_tell_of_the_few_between_them(evaluation, whole, part, yes_or_no, tells):
    assert gives_away(evaluation, an_estimate(*whole), an_estimate(*part), yes_or_no) is tells


def test_completers_whose_others_are_few_are_hidden(evaluation, found, people):
    most = people.assign(done=(people["treated"] == 1).astype(float).where(people.index > 7, 0.0))
    one = worlds.seen(worlds._takers(most, found["taking part"][0].found.everyone, "y12"))
    rows = table_rows(build(with_looks(evaluation, **{"taking part": [one]}))["parts"].html, "taking-part")
    completers = next(row for row in rows if row and row[0].startswith("Completers"))
    assert completers[1:] == ["[c]", "[c]", "[c]"]
    shown = table_rows(build(evaluation)["parts"].html, "taking-part")
    assert "[c]" not in next(row for row in shown if row and row[0].startswith("Completers"))


def test_bounds_are_hidden_where_few_were_lost(evaluation, people, found):
    few = people.assign(lost=people["y12"].where(people.index > 5))
    assert "[c]" in str(lost(with_looks(evaluation, attrition=[worlds._traced(few)])).html())
    assert "[c]" not in str(lost(evaluation).html())


def test_people_at_the_edges_are_told_in_fives_and_never_counted(evaluation, found):
    html = build(evaluation)["certainty"].html
    left = [row[1] for row in table_rows(html, "without-the-edges") if len(row) == 5][1:]
    assert left
    assert all(re.fullmatch(r"all|nearly all|about \d*[05]%", text) for text in left)
    told = plain(html)
    table = found["without the edges"].found
    assert [n for n in table["n_treated"] if n != 300 and re.search(rf"\b{n}\b(?!\.)", told)] == []


@pytest.mark.parametrize(
    ("share", "told"),
    [(1.0, "all"), (0.99, "nearly all"), (0.93, "about 95%"), (0.02, "fewer than 5%"), (float("nan"), "[x]")],
)
def test_a_share_beside_counted_tables_is_coarse(share, told):
    assert about(share) == told


def test_no_cluster_is_named_where_the_outcome_is_a_yes_or_no(evaluation, found):
    table = found["without one cluster"].found
    one = worlds.seen(table, "home", "At home")
    block = without_one(with_looks(evaluation, **{"without one cluster": one}))
    assert not any(name in block.html() for name in table["cluster"])
    assert "the sign stays" in block.html()


def test_a_small_cluster_has_no_name(evaluation, people):
    few = people.assign(team=people["team"].where(people.index > 8, "tiny team"))
    table = worlds.leave_one_cluster_out(few, "ols", outcome="y12", cluster="team", **worlds.TOLD)
    html = without_one(with_looks(evaluation, **{"without one cluster": worlds.seen(table)})).html()
    assert "tiny team" not in html


def test_people_in_groups_are_counted_in_tens(page, found):
    table = pd.concat([one.found.table for one in found["subgroups"]])
    sizes = [int(n) for n in table["n_treated"] + table["n_comparison"] if n % 10]
    assert sizes
    assert [n for n in sizes if re.search(rf"\bn {n}\b|\s{n}\s", page["parts"])] == []


def test_pairs_of_a_yes_or_no_have_no_table_of_p_values(evaluation, found):
    unknown = found["unmeasured causes"][0].found
    binary = worlds.rosenbaum_bounds(np.array([1] * 30 + [-1] * 12 + [0] * 50), (1, 1.5), "greater")
    both = worlds.seen(worlds.Unknown(unknown.e_value, None, binary), "home", "At home")
    blocks = unmeasured(with_looks(evaluation, **{"unmeasured causes": [both]}))
    assert [block.id for block in blocks if hasattr(block, "id")] == ["unmeasured"]


def test_why_something_failed_gives_no_small_count_and_no_advice():
    assert why_not("only 3 people lie within the bandwidth") == "Only few people lie within the bandwidth."
    assert why_not("when it ended was not said (ends = ...)") == "When it ended was not said."
    assert why_not("fewer than 10 people in an arm") == "Fewer than 10 people in an arm."


def test_periods_with_few_cannot_be_found_from_the_others_and_the_total(evaluation):
    rng = np.random.default_rng(4)
    hidden_at_all = 0
    for _ in range(20):
        seen = rng.poisson(14, 24).astype(float)
        hide = _few_at(evaluation, seen, 12)
        periods = pd.DataFrame({"at": range(24)})
        reader = Reader(periods)
        for place in np.flatnonzero(~hide):
            reader.reads(lambda kinds, place=place: kinds["at"] == place, seen[place])
        for side in (range(12), range(12, 24)):
            reader.reads(lambda kinds, side=side: kinds["at"].isin(side), seen[list(side)].sum())
        few = {str(at): (lambda kinds, at=at: kinds["at"] == at) for at in np.flatnonzero(seen < 10)}
        hidden_at_all += len(few)
        assert all(high - low >= 1 for low, high in reader.bounds(few).values())
    assert hidden_at_all > 10


def test_bands_of_a_yes_or_no_are_joined_until_they_tell_of_ten_of_either_kind(evaluation):
    rng = np.random.default_rng(2)
    table = pd.DataFrame({"side": ["left"] * 8 + ["right"] * 8, "running": np.arange(16.0), "n": 15})
    table["outcome"] = rng.binomial(15, 0.5, 16) / 15
    bins = _bins(evaluation, table, form_of(evaluation, "home"))
    assert len(bins) < 16
    whole = table.groupby("side")[["n"]].sum()["n"]
    for side in ("left", "right"):
        mine = [one for one in bins if (one.at < 8) == (side == "left")]
        assert all(0 < one.mean < 100 for one in mine)
        assert len(mine) * 20 <= whole[side]


# worth


def a_verdict(evaluation, low, high, told, conclusion="", smallest=5.0, better="lower"):
    row = effect_row(low=low, high=high, better=better, conclusion=conclusion or told)
    other = with_looks(evaluation)
    other.effects = SimpleNamespace(**{**vars(other.effects), "table": pd.DataFrame([row])})
    one = worlds.seen(worlds.Worth(smallest, Finding(told, ""), None))
    return verdict(other, one)


@pytest.mark.parametrize(
    ("low", "high", "told", "conclusion", "wanted"),
    [
        (-20, -6, "better", "", ("better", "worth having")),
        (-20, -2, "better", "", ("better", "may be less than worth having")),
        (-20, -2, "better", "no clear difference", ("no clear difference", "not once all outcomes are allowed for")),
        (-4, 9, "no clear difference", "", ("no clear difference", "one worth having is ruled out, harm is not")),
        (-9, 4, "no clear difference", "", ("no clear difference", "one worth having is not ruled out")),
        (-3, 3, "no worthwhile difference", "no clear difference", ("no worthwhile difference", "")),
        (2, 9, "worse", "", ("worse", "")),
    ],
)
def test_a_verdict_says_whether_what_would_be_worth_having_is_reached(evaluation, low, high, told, conclusion, wanted):
    assert a_verdict(evaluation, low, high, told, conclusion) == wanted


# ratios


RATIO = {"scale": "ratio", "effect": 0.72, "low": 0.61, "high": 0.86, "observed": 465.0, "counterfactual": 642.9,
         "unit": "entries", "title": "Entries to care", "conclusion": "better"}  # fmt: skip


def test_a_ratio_is_never_written_as_a_difference(study):
    row = SimpleNamespace(**effect_row(**RATIO, level=2))
    form = wording(row)
    assert (form.change(0.72), form.signed(0.72), form.interval(0.61, 0.86)) == ("0.72", "0.72 times", "0.61 to 0.86")
    assert (form.level(465.0), form.level(642.9)) == ("465", "643")
    assert form.directed(1.1) == "10% higher"
    assert (form.spread(0.61, 0.86), form.spread(0.9, 1.2)) == ("14% to 39% lower", "10% lower to 20% higher")
    assert lead(row, study) == "Support was followed by lower entries to care: 28% below usual care."
    assert finding(row, study)[1] == " entries to care: 28% lower (14% to 39% lower)."


def test_the_sign_of_a_ratio_is_seen_from_1_and_so_is_the_line(study):
    room = effects(study, effect_row(**RATIO))
    room.also = room.also.assign(effect=[0.72, 0.80], low=[0.61, 0.7], high=[0.86, 1.02])
    evaluation = Walked(study, cohort=cohort(study), effects=room)
    html = build(evaluation)["effect"].html
    assert "2 of 2 analyses point the same way; 1 excludes no difference" in plain(html)
    assert "A ratio below 1 is lower with the programme" in plain(html)
    assert "+0.72" not in html


# areas and series, through and through


HEAD = """
[study]
id = "{name}"
title = "Invented areas"
kind = "synthetic"
summary = "Invented."
sources = ["invented"]
cannot_say = ["Anything about real places."]

[tables]
areas = "areas.csv"

[counterfactual]
estimator = "{estimator}"
assignment = "One area began first."

[counterfactual.areas]
table = "areas"
time = "year"
{columns}

[[counterfactual.areas.outcome]]
id = "rate"
title = "Children in care"
column = "rate"
unit = "{unit}"
values = "amount"
better = "lower"
"""


def a_study(folder, name, table, columns, estimator, unit="per 10,000"):
    folder = folder / name
    folder.mkdir()
    table.to_csv(folder / "areas.csv", index=False)
    told = "\n".join(f'{key} = "{value}"' for key, value in columns.items())
    text = HEAD.format(name=name, estimator=estimator, columns=told, unit=unit)
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return ek.evaluate(folder)


def areas(seed=1, treated=1):
    rng = np.random.default_rng(seed)
    common = np.cumsum(rng.normal(0, 1, 20))
    rows = []
    for area in range(12):
        level = 50 if area < treated else rng.normal(50, 6)
        for at, year in enumerate(range(2000, 2020)):
            on = int(area < treated and year >= 2012)
            rows.append((f"Area {area:02d}", year, level + common[at] + rng.normal(0, 0.5) - 5 * on, on))
    return pd.DataFrame(rows, columns=["area", "year", "rate", "on"]).round(3)


def test_an_area_is_drawn_beside_its_mix_with_weights_and_rank(tmp_path):
    evaluation = a_study(tmp_path, "mix", areas(), {"unit": "area", "treated": "on"}, "synthetic control")
    found = evaluation.effects.estimates["rate"]
    html = build(evaluation)["effect"].html
    told = plain(html)
    assert f"the gap after the start is the largest of 12 (p {words.p_value(found.p)})" in told
    rows = {row[0]: row[1:] for row in table_rows(html, "donors-rate") if len(row) == 3}
    heaviest = found.diagnostics["donor_weights"].index[0]
    weight = found.diagnostics["donor_weights"].iloc[0]
    assert rows[heaviest][0] == words.percent(weight, 1)
    assert rows[heaviest][1] == words.number(found.diagnostics["leave_one_out"].loc[heaviest, "effect"], 1, sign=True)
    assert "Rounding alone" not in told
    assert "no sampling interval can be drawn" not in told
    assert 'id="figure-path-rate"' in html
    assert [text for text in said_in(evaluation) if allowed(text, 1)] == []


def test_a_mix_over_areas_and_times_tells_its_weights_of_times(tmp_path):
    evaluation = a_study(tmp_path, "both", areas(), {"unit": "area", "treated": "on"}, "synthetic did")
    told = plain(build(evaluation)["effect"].html)
    assert "Weights of periods before:" in told
    assert "difference in differences" in told


def test_an_event_study_has_the_test_of_trends_before_in_its_subtitle(tmp_path):
    rng = np.random.default_rng(3)
    rows = []
    for area in range(40):
        first = [0, 2010, 2012, 0][area % 4]
        level = rng.normal(50, 4)
        rows += [(f"a{area}", year, level + rng.normal(0, 1) - 3 * (0 < first <= year), first)
                 for year in range(2005, 2016)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["area", "year", "rate", "began"])
    evaluation = a_study(tmp_path, "events", table, {"unit": "area", "first_treated": "began"}, "staggered did")
    found = evaluation.effects.estimates["rate"]
    told = plain(build(evaluation)["effect"].html)
    assert f"all before the start are zero: p {words.p_value(found.diagnostics['pre_test'])}" in told
    assert words.interval(found.low, found.high, 1) in told
    assert "programme begins" in told
    assert [text for text in said_in(evaluation) if allowed(text, 1)] == []


def test_a_difference_before_the_start_is_said_in_title_and_note():
    alike, off = (
        SimpleNamespace(event_time=at, effect=1.0, band_low=low, band_high=3.0, n=n)
        for at, low, n in ((-3, -1.0, 8), (-2, 0.5, 2))
    )
    assert _off_before([alike]) == []
    assert "no difference was found there does not show" in _before(0.4, 0.05, [])
    wrong = _off_before([alike, off])
    assert wrong == ["\u22122"]
    assert _alike(0.4, 0.05, wrong) == "Before the start a difference was found, at \u22122"
    assert "the trends were not alike there" in _before(0.4, 0.05, wrong)
    assert _thin([alike, off]) == ["Fewer than 3 areas that began stand behind \u22122."]


def test_a_study_of_areas_does_not_say_that_its_figures_are_published(tmp_path):
    table = areas()
    table.loc[table["area"] == "Area 00", "rate"] += 40
    evaluation = a_study(tmp_path, "far", table, {"unit": "area", "treated": "on"}, "synthetic control")
    told = " ".join(plain(part.html) for part in build(evaluation).values())
    assert "published figures" not in told
    assert "areas and periods, not of people" in told
    head = lead(next(evaluation.effects.table.itertuples()), evaluation.study)
    assert "the programme" in head.lower()
    assert "the comparison" not in head
    gap = words.number(evaluation.effects.estimates["rate"].diagnostics["pre_fit"], 2)
    assert f"The gap before is {gap} standard deviations of its own outcome" in told
    reason = comparability.LOOKS["fit before"](evaluation.effects.estimates["rate"].diagnostics, {"pre_fit": 0.5})
    assert f"missed the treated by {gap} standard deviations of their own outcome" in reason
    assert "adjusted p" not in told


def test_what_was_ranked_is_what_the_note_says():
    form = wording(SimpleNamespace(**effect_row()))
    assert _rank_notes({"placebo_rank": 1, "ranked_by": "the gap after the start"}, form)[0].startswith(
        "Ranked by the gap after the start, "
    )


def test_without_weights_and_without_a_standard_error_the_page_says_so(evaluation, found):
    assert "compared as they are, without weights" in plain(build(evaluation)["parts"].html)
    days = found["worthwhile"][0]
    bare = worlds.seen(worlds.Worth(5.0, days.found.finding, None))
    told = plain(worthwhile(with_looks(evaluation, worthwhile=[bare])).html())
    assert "needs a standard error, and there is none" in told
    assert "stated beforehand" not in told


def test_balance_of_an_estimator_that_gives_no_weights_has_no_after(evaluation):
    table = pd.DataFrame({"smd_before": [0.3, 0.1], "smd_after": [np.nan, np.nan]}, index=["sex", "age"])
    room = SimpleNamespace(**vars(evaluation.effects))
    room.estimates = {"days": SimpleNamespace(balance=table, diagnostics={})}
    html = balance(Walked(evaluation.study, outcomes=evaluation.outcomes, effects=room)).html()
    assert "after adjustment" not in html
    assert "After" not in plain(html)
    assert "[x]" not in html


def test_an_id_in_read_with_care_is_told_as_its_title_and_no_flag_twice(evaluation):
    flag = Flag("counterfactual", "serious", "Gaps were filled: sdq_parent@baseline.")
    twice = replace(flag, detail="Again.")
    named = {"sdq_parent@baseline": "Difficulties, at referral"}
    assert in_words(flag, named).text == "Gaps were filled: Difficulties, at referral."
    cared = SimpleNamespace(study=evaluation.study, outcomes=None, contract=None, effects=None, flags=(flag, twice))
    assert _care(cared).count("Gaps were filled") == 1


def test_one_group_has_no_interval_that_allows_for_groups(evaluation):
    assert _groups(evaluation, 1, "Team") == "They come in 1 group (team), so that no interval can allow for groups."
    assert _groups(evaluation, 12, "Team") == "They come in 12 groups (team); intervals allow for that."
    assert why_not("fewer than 2 clusters in an arm") == "Fewer than 2 clusters in an arm."


def test_a_kept_simulation_is_shown_line_by_line(tmp_path, monkeypatch):
    common = {"draws": 200, "bias": 0.01, "rmse": 0.2, "rejected": 0.05, "verdict": "ok"}
    lines = [
        common | {"about": "A linear world", "way": "ols", "judged": "interval", "coverage": 0.945},
        common | {"about": "Areas", "way": "ranks", "judged": "size", "coverage": None, "verdict": "weak"},
        {"about": "A hard world", "way": "aipw", "judged": "interval", "draws": 200, "verdict": "refused"},
    ]
    file = tmp_path / "coverage.json"
    file.write_text(json.dumps({"draws": 200, "lines": lines}), encoding="utf-8")
    monkeypatch.setattr(validated, "COVERAGE", file)
    rows = table_rows(validated._simulation(), "coverage")[1:]
    assert [row[1:] for row in rows] == [
        ["200", "+0.010", "0.200", "94.5%", "ok"],
        ["200", "+0.010", "0.200", "rejected 5.0%", "weak"],
        ["200", "[x]", "[x]", "[x]", "refused"],
    ]


def test_a_series_of_counts_is_told_as_a_ratio_and_its_small_months_are_hidden(tmp_path):
    rng = np.random.default_rng(6)
    at = np.arange(60)
    table = pd.DataFrame({"year": at + 1, "rate": rng.poisson(np.where(at < 40, 16, 12)), "on": (at >= 40).astype(int)})
    evaluation = a_study(tmp_path, "series", table, {"treated": "on"}, "interrupted time series", "entries")
    row = evaluation.effects.table.iloc[0]
    html = build(evaluation)["effect"].html
    told = plain(html)
    percent = words.percent(1 - row["effect"], 0)
    assert f"{int(table['rate'][at >= 40].sum())} observed in all" in told
    assert f"{percent} lower" in told or row["effect"] > 1
    few = int((table["rate"] < 10).sum())
    assert few
    drawn = re.search(r'id="figure-path-rate".*?<svg.*?</svg>', html, re.DOTALL).group(0)
    assert drawn.count('<circle class="treated"') - 1 <= len(table) - few - 1
    assert "too few to be shown are not drawn" in told
    assert [text for text in said_in(evaluation) if allowed(text, 1)] == []


def test_a_cut_off_is_drawn_with_its_bandwidth_and_the_test_of_crowding():
    rng = np.random.default_rng(8)
    score = rng.uniform(0, 100, 900)
    frame = pd.DataFrame({"score": score, "y": 20 + score / 10 + 4 * (score >= 50) + rng.normal(0, 2, 900)})
    found = estimate(frame, "regression discontinuity", outcome="y", running="score", cutoff=50.0)
    study = plan(**(PROGRAMME | {"counterfactual": {"estimator": "regression discontinuity", "running": "score",
                                                     "options": {"cutoff": 50.0}}}))  # fmt: skip
    numbers = {
        name: getattr(found, name) for name in ("effect", "se", "low", "high", "p", "observed", "counterfactual")
    }
    room = effects(study, effect_row(**numbers))
    room.estimates = {"days": found}
    html = build(Walked(study, cohort=cohort(study), effects=room))["effect"].html
    told = plain(html)
    assert f"lines compared within {words.number(found.diagnostics['bandwidth'], 2)} of the cut-off at 50;" in told
    assert f"p {words.p_value(found.diagnostics['density_p'])}" in told
    assert "At the cut-off days in care jumps by" in told
    assert f"{found.counterfactual:.2f} below, {found.observed:.2f} above" in unescape(html)


# the plan


def test_a_plan_that_was_locked_says_when_and_what_departs(tmp_path, evaluation):
    study = plan(**PROGRAMME).model_copy(update={"folder": tmp_path})
    lock = lock_plan(study, {"there": False, "latest": None, "says": "No outcome was there."})
    same = Walked(study, cohort=cohort(study), effects=evaluation.effects)
    told = plain(build(same)["plan"].html)
    assert "No outcome was there." in told
    assert lock.sha256[:12] in told
    assert 'id="table-departures"' not in build(same)["plan"].html
    changed = plan(**(PROGRAMME | {"counterfactual": PROGRAMME["counterfactual"] | {"estimator": "ols"}}))
    now = Walked(changed.model_copy(update={"folder": tmp_path}), cohort=cohort(study), effects=evaluation.effects)
    html = build(now)["plan"].html
    assert "1 departure from the locked plan decides numbers" in plain(html)
    row = next(row for row in table_rows(html, "departures") if "estimator" in row[0])
    assert row[1:] == ["aipw", "ols", "numbers"]


def test_a_lock_that_cannot_be_read_is_said(tmp_path):
    (tmp_path / "lock.json").write_text("{}", encoding="utf-8")
    study = plan(**PROGRAMME).model_copy(update={"folder": tmp_path})
    told = plain(build(Walked(study))["plan"].html)
    assert "cannot be read" in told


def test_exhibits_have_unique_anchors(evaluation):
    ids = re.findall(r'\sid="([^"]+)"', "".join(part.html for part in build(evaluation).values()))
    assert len(ids) == len(set(ids))
    assert slug("Subgroups days planned") == "subgroups-days-planned"
