"""Claims held to the numbers: read in every way, affirmed only where the whole interval bears them out."""

import itertools
import json
import math
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from evalkit import evidence
from evalkit.errors import StudyError
from evalkit.evidence.claims import STANDINGS
from evalkit.report.results import Result
from evalkit.report.sections.claims import numbers_of
from evalkit.study import Study, read_study

ESSEX = Path(__file__).parent / "data" / "domain" / "03_essex_mst_care_days"
ONE = "supported in one reading only"


@pytest.fixture
def facts():
    """The published figures, as a table of item and value."""
    return pd.read_csv(ESSEX / "facts.csv")


@pytest.fixture
def expected():
    return json.loads((ESSEX / "expected.json").read_text(encoding="utf-8"))["expected"]


def standing(claim, **numbers):
    return evidence.check_claim(claim, numbers).standing


# ---------------------------------------------------------------- Essex MST (acceptance 03)


def test_more_than_double_is_true_of_the_care_proportion_only(facts, expected):
    told = expected["claim_check"]
    found = evidence.check_claim({"claim": told["claim"]}, facts)
    assert found.readings["reduction_ratio"] == pytest.approx(told["reduction_ratio"], rel=1e-4)
    assert found.readings["proportion_ratio"] == pytest.approx(told["proportion_ratio"], rel=1e-4)
    assert found.standing == ONE
    for words in (
        "true only of the care proportion (27 / 10.8 = 2.5)",
        "not of the reduction (44.2 / 28 = 1.58)",
        "both",
    ):
        assert words in found.verdict
    assert "1.58 times" in found.sentence
    assert "2.5 times" in found.sentence


def test_the_arithmetic_of_the_published_page(facts, expected):
    found = evidence.check_claim("reduced by more than double the rate expected", facts).readings
    for name, key in (
        ("reduction_points", "reduction_pp_vs_comparison"),
        ("relative_reduction_pct", "relative_reduction_pct"),
        ("target_reduction_points", "target_reduction_pp"),
        ("reduction_ratio", "achieved_over_target_reduction"),
        ("proportion_ratio", "target_over_achieved_proportion"),
        ("share_pct", "completion_rate_pct"),
    ):
        assert found[name] == pytest.approx(expected[key], rel=1e-4), name
    numbers = dict(zip(facts["item"], facts["value"], strict=True))
    claim = {
        "says": "about £9,254 for each who completed",
        "kind": "each",
        "part": "commitment_gbp",
        "whole": "completed",
    }
    assert evidence.check_claim(claim, numbers).readings["each"] == pytest.approx(
        expected["investment_per_completer_gbp"], rel=1e-4
    )
    in_care = {"says": "10 % were in care", "part": "in_care_march_2019", "whole": "completed", "kind": "share"}
    share = expected["in_care_at_march_2019_share_of_completers_pct"]
    assert evidence.check_claim(in_care, numbers).readings["share_pct"] == pytest.approx(share, rel=1e-4)


def test_the_design_of_the_published_page_earns_level_1_and_no_cause(facts, expected):
    level = evidence.level("raw cross-section")
    assert level.sms == expected["sms_level_max"]
    numbers = {**dict(zip(facts["item"], facts["value"], strict=True)), "sms_level": level.sms}
    found = evidence.check_claim("The programme cut care by 44.2 percentage points", numbers)
    assert found.standing == "not established"
    assert '"cut" says more than level 1 of 5 allows' in found.verdict
    assert evidence.allowed(found.sentence, level) == []


@pytest.mark.parametrize(
    "names",
    [
        ("observed", "comparison", "target"),
        ("achieved", "counterfactual", "expected"),
        ("treated", "baseline", "planned"),
        ("care_proportion_pct", "historical_comparison_pct", "target_pct"),
        ("Actual rate", "Control rate", "Target rate"),
    ],
)
def test_the_usual_names_of_figures_are_understood(names):
    found = evidence.check_claim("more than double the rate expected", dict(zip(names, (10.8, 55, 27), strict=True)))
    assert found.standing == ONE
    assert found.readings["reduction_ratio"] == pytest.approx(44.2 / 28)
    assert found.readings["proportion_ratio"] == pytest.approx(2.5)


def test_shares_give_the_same_readings_as_percentages():
    as_shares = evidence.check_claim(
        "more than double the rate expected", {"observed": 0.108, "comparison": 0.55, "target": 0.27}
    )
    assert as_shares.readings["reduction_points"] == pytest.approx(44.2)
    assert as_shares.readings["reduction_ratio"] == pytest.approx(44.2 / 28)


# ---------------------------------------------------------------- ratios


def test_a_ratio_needs_range_price_year_and_level(grid):
    grid(
        """
        says                                      | low | high | year | level | standing
        between £7.60 and £9.20 for every £1      | 7.6 | 9.2  | 2009 | 2     | supported
        between £7.60 and £9.20 for every £1      | 7.6 | 9.2  | 2009 | -     | qualified
        between £7.60 and £9.20 for every £1      | 7.6 | 9.2  | -    | 2     | qualified
        between £7.60 and £9.20 for every £1      | -   | -    | 2009 | 2     | qualified
        between £7.60 and £9.20 for every £1      | 3   | 12   | 2009 | 2     | not established
        between £2 and £3 for every £1            | 7.6 | 9.2  | 2009 | 2     | contradicted
        £8.40 for every £1 invested               | 7.6 | 9.2  | 2009 | 2     | qualified
        £10 for every £1 invested                 | 7.6 | 9.2  | 2009 | 2     | contradicted
        up to £9.20 for each pound                | 7.6 | 9.2  | 2009 | 2     | qualified
        more than £5 per £1                       | 7.6 | 9.2  | 2009 | 2     | supported
        more than £8 per £1                       | 7.6 | 9.2  | 2009 | 2     | not established
        """,
        lambda row: standing(
            row.says, ratio=8.4, ratio_low=row.low, ratio_high=row.high, price_year=row.year, level=row.level
        ),
        "standing",
    )


def test_the_sentence_of_a_ratio_gives_the_range_first():
    numbers = {"ratio": 1.44, "ratio_low": 0.8, "ratio_high": 2.1, "price_year": 2020, "level": 3}
    found = evidence.check_claim("£1.44 for every £1 invested", numbers)
    start = "Between £0.80 and £2.10 for each £1, centre £1.44, in prices of 2020, evidence level 3"
    assert found.sentence == f"{start}: it is not established that value exceeded cost."


def test_a_ratio_without_a_range_says_so_and_is_no_more_than_qualified():
    found = evidence.check_claim("£7.60 for every £1", {"ratio": 7.6})
    assert found.standing == "qualified"
    assert "no range, price year or level of evidence was given" in found.verdict
    assert "no range was given" in found.sentence


def test_paying_for_itself_needs_the_whole_range_above_1():
    assert (
        standing("it more than pays for itself", ratio=1.2, ratio_low=0.8, ratio_high=1.6, level=3, price_year=2020)
        == "not established"
    )
    assert (
        standing("it more than pays for itself", ratio=1.4, ratio_low=1.1, ratio_high=1.6, level=3, price_year=2020)
        == "supported"
    )


def test_a_ratio_is_worked_out_from_benefit_and_cost():
    assert evidence.check_claim("£3 for every £1", {"benefit": 300, "cost": 100}).readings["ratio"] == pytest.approx(3)


# ---------------------------------------------------------------- changes, shares, nothing


def test_what_sentences_claim_is_held_to_figures(grid):
    grid(
        """
        says                                  | observed | comparison | target | standing
        halved                                | 20       | 50         | -      | supported
        halved                                | 30       | 50         | -      | contradicted
        more than halved                      | 25       | 50         | -      | contradicted
        a third fewer                         | 20       | 30         | -      | supported
        fell by 40%                           | 30       | 50         | -      | supported
        fell by 45%                           | 30       | 50         | -      | contradicted
        fell by nearly 45%                    | 29       | 50         | -      | supported
        three times as many in work           | 30       | 10         | -      | supported
        exceeded its target by 20%            | 120      | -          | 100    | supported
        exceeded its target by 60%            | 10.8     | 55         | 27     | supported in one reading only
        missed its target                     | 80       | -          | 100    | supported
        met its target                        | 80       | -          | 100    | contradicted
        92% of the target                     | 92       | -          | 100    | supported
        rose by 16 points                     | 59       | 75         | -      | contradicted
        at least double the target            | 25       | -          | 10     | supported
        two and a half times the target       | 25       | -          | 10     | supported
        fell from 50 to 20                    | 20       | 50         | -      | supported
        fell from 50 to 10                    | 20       | 50         | -      | contradicted
        """,
        lambda row: standing(row.says, observed=row.observed, comparison=row.comparison, target=row.target),
        "standing",
    )


def test_a_percentage_of_a_percentage_and_points_are_two_readings():
    found = evidence.check_claim("fell by 44 %", {"observed_pct": 10.8, "comparison_pct": 55})
    assert found.standing == ONE
    assert found.judged == {"relative_reduction_pct": "fails", "reduction_points": "holds"}
    assert standing("fell by 44 percentage points", observed_pct=10.8, comparison_pct=55) == "supported"


def test_more_than_half_needs_the_whole_interval_above_half():
    assert standing("more than half", share=0.6, share_low=0.45, share_high=0.75) == "not established"
    assert standing("more than half", share=0.6, share_low=0.52, share_high=0.68) == "supported"
    assert standing("more than half", share=0.3, share_low=0.2, share_high=0.4) == "contradicted"


def test_an_effect_whose_interval_holds_nothing_is_not_established():
    fewer = "47 fewer days in care"
    assert standing(fewer, effect=-46.7, effect_low=-72.1, effect_high=-21.3, level=3) == "supported"
    assert standing(fewer, effect=-46.7, effect_low=-99.0, effect_high=5.6, level=3) == "not established"
    assert standing(fewer, effect=46.7, effect_low=21.3, effect_high=72.1, level=3) == "contradicted"


def test_no_effect_is_never_read_from_an_interval_that_is_merely_wide():
    wide = evidence.check_claim("it had no effect", {"effect": 1.1, "effect_low": -6.5, "effect_high": 8.7})
    assert wide.standing == "not established"
    assert wide.sentence.startswith("No clear difference")
    assert standing("it had no effect", effect=5, effect_low=2, effect_high=8) == "contradicted"
    assert (
        standing("it had no effect", effect=0.1, effect_low=-0.4, effect_high=0.5, smallest_worthwhile=1) == "supported"
    )
    assert standing("it had no effect", effect=0.1) == "cannot be checked"


def test_significant_needs_an_interval_without_0_or_a_small_p():
    assert standing("a significant difference", effect=-5, low=-8, high=1) == "not established"
    assert standing("a significant difference", p=0.03) == "supported"
    assert standing("a significant difference", effect=-5) == "cannot be checked"
    assert standing("absence fell significantly, by 5 points", effect=-5, low=-8, high=1, unit="%") == "not established"


def test_a_saving_is_read_before_and_after_its_cost():
    found = evidence.check_claim("a £2m saving", {"savings": 2_000_000, "cost": 1_500_000})
    assert found.standing == ONE
    assert found.readings["net_saving"] == pytest.approx(500_000)


def test_a_multiple_is_held_to_the_interval_of_the_effect_or_of_the_levels_behind_it():
    sure = {"observed": 25, "comparison": 10, "effect": 15, "effect_low": 11, "effect_high": 19, "level": 5}
    assert standing("more than doubled the rate", **sure) == "supported"
    found = evidence.check_claim("more than doubled the rate", {**sure, "effect_low": 2, "effect_high": 28})
    assert found.standing == "not established"
    assert (found.readings["level_ratio"].low, found.readings["level_ratio"].high) == pytest.approx((1.2, 3.8))
    fewer = {"observed": 5, "comparison": 20, "effect": -15, "effect_low": -22, "effect_high": -1, "level": 5}
    found = evidence.check_claim("four times as few as without it", fewer)
    assert found.readings["level_ratio"].low == pytest.approx(20 / 19)
    assert math.isinf(found.readings["level_ratio"].high)
    assert found.standing == "not established"
    assert "to any number" in found.verdict


def test_a_level_whose_own_range_crosses_the_threshold_does_not_establish_that_it_was_passed():
    level = {"observed": 62, "observed_low": 40, "observed_high": 80, "level": 2}
    assert standing("exceeded its target", **level, target=43) == "not established"
    assert standing("exceeded its target", **level, target=39) == "supported"
    assert standing("at least double the target", **level, target=25) == "not established"
    rise = {"observed": 40, "observed_low": 35, "observed_high": 45, "level": 5}
    assert standing("employment rose", **rise, comparison=38) == "not established"
    assert standing("employment rose", **rise, comparison=30) == "supported"
    assert (
        standing("employment rose", **rise, comparison=30, comparison_low=25, comparison_high=36) == "not established"
    )
    assert standing("employment rose", **rise, comparison=50) == "contradicted"


def test_a_ratio_told_by_its_centre_is_not_established_where_its_range_holds_1():
    told = {"ratio": 3.4, "ratio_high": 4.9, "price_year": 2023, "level": 3}
    assert standing("£3.40 for every £1", **told, ratio_low=0.6) == "not established"
    assert standing("£3.40 for every £1", **told, ratio_low=1.6) == "qualified"
    assert standing("£3.40 for every £1", ratio_low=0.6, ratio_high=9) == "not established"


def test_a_share_in_words_is_held_from_both_sides():
    assert standing("a third of payments were for deadweight", share=0.8) == "contradicted"
    assert standing("a third of payments were for deadweight", share=0.34) == "supported"
    assert standing("one in ten returned to care", observed_pct=40, level=2) == "contradicted"
    assert standing("half of them stayed", observed_pct=51, level=2) == "supported"


def test_a_cost_of_each_additional_outcome_is_never_read_from_all_outcomes():
    says = "it cost £5,000 for each additional child at home"
    assert standing(says, cost=500_000, n=100) == "cannot be checked"
    assert standing("it cost £5,000 for each child", cost=500_000, n=100) == "supported"
    assert standing(says, cost=500_000, n=200, additional=100, additional_low=80, additional_high=130) == "supported"
    assert standing(says, cost=500_000, n=200, additional=50) == "contradicted"
    found = evidence.check_claim(
        "less than £6,000 for each additional child", {"cost": 5e5, "additional": [100, -5, 130], "level": 5}
    )
    assert found.standing == "not established"


def test_a_saving_needs_a_range_and_a_level_that_tells_what_would_have_been_spent_otherwise():
    given = {"saving": 2e6, "saving_low": 1.5e6, "saving_high": 2.4e6}
    assert standing("savings came to £2m", saving=2e6) == "qualified"
    assert standing("savings came to £2m", saving=2e6, level=1) == "not established"
    assert standing("savings came to £2m", **given, level=3) == "supported"
    assert standing("savings of up to £2.4m", **given, level=3) == "qualified"
    assert standing("savings of up to £10m", **given, level=3) == "not established"
    assert standing("savings of at most £10m", **given, level=3) == "supported"


def test_what_would_have_been_is_held_to_the_comparison_and_not_to_what_was_observed():
    rates = {"counterfactual_pct": 20, "observed_pct": 5}
    assert standing("20% would otherwise have entered care", **rates) == "supported"
    assert standing("5% would otherwise have entered care", **rates) == "contradicted"


def test_a_relative_change_given_as_a_share_is_a_percentage():
    told = {"relative_reduction": 0.3, "relative_reduction_low": 0.05, "relative_reduction_high": 0.5, "level": 5}
    assert standing("fell by 30%", **told) == "supported"
    assert standing("fell by 30%", relative_reduction_pct=0.3) == "contradicted"


# ---------------------------------------------------------------- cause


def test_causal_verbs_need_the_level_for_them(grid):
    grid(
        """
        level | standing
        1     | not established
        2     | not established
        3     | qualified
        5     | supported
        -     | qualified
        """,
        lambda row: standing("The programme cut offending by a third", observed=20, comparison=30, level=row.level),
        "standing",
    )


CLAIMS = [
    "reduced by more than double the rate expected", "£7.60 for every £1", "between £7.60 and £9.20 for every £1",
    "halved", "a third fewer", "exceeded target by 60 %", "saved £2m", "no effect", "significantly better",
    "improved lives", "47 fewer days", "1:4", "more than half stayed", "met the target", "", "!!", "10", "£",
    "more than", "fell from 60% to 49%", "no evidence of it", "four out of five",
]  # fmt: skip
VALUES = [
    None,
    math.nan,
    math.inf,
    0,
    -3,
    0.4,
    27,
    "n/a",
    "£3.1m",
    "27 %",
    [1, 2],
    {"value": 2, "low": 1, "high": 3},
    True,
]
NAMES = ["observed", "comparison", "target", "effect", "effect_low", "effect_high", "ratio", "ratio_low", "ratio_high",
         "level", "price_year", "cost", "saving", "share", "part", "whole", "p"]  # fmt: skip


@pytest.mark.parametrize("claim", CLAIMS)
def test_nothing_that_is_given_makes_it_fail_and_every_sentence_may_be_printed(claim):
    for place, (value, other) in enumerate(itertools.product(VALUES, VALUES)):
        numbers = {name: (value, other, 2.5)[(place + index) % 3] for index, name in enumerate(NAMES)}
        found = evidence.check_claim(claim, numbers)
        assert found.standing in STANDINGS
        assert found.verdict.startswith(found.standing)
        assert evidence.allowed(found.sentence, None) == [], found.sentence
        assert "nan" not in f"{found.verdict} {found.sentence}".lower().split()


def test_what_is_missing_is_named():
    found = evidence.check_claim("more than double the rate expected", {"observed": 10.8})
    assert found.standing == "cannot be checked"
    assert "a target or a comparison" in found.verdict
    assert evidence.check_claim(None, None).standing == "cannot be checked"
    assert evidence.check_claim({"says": "a lovely service"}, {"observed": 1}).standing == "cannot be checked"


def test_keys_go_before_words():
    found = evidence.check_claim(
        {"text": "the headline", "kind": "multiple", "at_least": 2}, {"observed": 25, "target": 10}
    )
    assert found.standing == "supported"
    between = {"says": "value for money", "kind": "ratio", "low": 7.6, "high": 9.2}
    assert evidence.check_claim(between, {"ratio": 8.4}).standing == "qualified"


def test_the_callers_numbers_are_left_alone():
    numbers = {"observed": 0.108, "comparison": 0.55, "target": 0.27}
    evidence.check_claim("halved", numbers)
    assert numbers == {"observed": 0.108, "comparison": 0.55, "target": 0.27}


# ---------------------------------------------------------------- in a study


def test_a_claim_with_nothing_to_hold_it_to_is_refused_with_the_remedy(make_study):
    folder = make_study(
        '[[claim]]\nid = "a"\nsays = "halved"\n[[claim]]\nid = "a"\nsays = "x"\nresult = "value.ratio"\n'
    )
    with pytest.raises(StudyError) as refused:
        read_study(folder)
    for words in ("nothing to hold it to", "the id stands 2 times", "the study has no value"):
        assert words in str(refused.value)


CLAIM = {"id": "a", "says": "47 fewer days in care", "result": "care_days.effect"}


@pytest.fixture
def evaluation():
    """An evaluation at level 5 whose study makes a claim on its own result."""
    about = {"id": "demo", "title": "Demo", "kind": "synthetic", "price_year": 2023}
    study = Study(folder=Path("demo"), study=about, claim=[CLAIM])
    return SimpleNamespace(study=study, effects=SimpleNamespace(evidence=evidence.level("RCT")))


def test_a_claim_on_a_result_is_held_to_it_with_its_interval_level_and_prices(evaluation):
    own = {
        "care_days.effect": Result("care_days.effect", -46.7, "days", -72.1, -21.3, "", "effect", ""),
        "care_days.observed": Result("care_days.observed", 84.6, "days", None, None, "", "effect", ""),
    }
    numbers = numbers_of(evaluation, evaluation.study.claim[0], own)
    assert (numbers["effect"], numbers["effect_low"], numbers["price_year"]) == (-46.7, -72.1, 2023)
    found = evidence.check_claim("47 fewer days in care", numbers)
    assert found.standing == "supported"
    assert "between 21.3 and 72.1 (centre 46.7)" in found.sentence
    assert "Evidence level 5 of 5" in found.sentence


def test_a_result_that_may_not_leave_is_not_used_to_check_a_claim(evaluation):
    hidden = {"care_days.effect": Result("care_days.effect", None, "days", None, None, "[c]", "effect", "")}
    numbers = numbers_of(evaluation, evaluation.study.claim[0], hidden)
    assert evidence.check_claim("47 fewer days in care", numbers).standing == "cannot be checked"


def test_a_claim_on_a_result_that_the_study_cannot_have_is_refused(make_study):
    measure = '[[measure]]\nid = "care_days"\ntable = "t"\ncolumn = "d"\nvalues = "amount"\n'
    claim = '[[claim]]\nid = "a"\nsays = "fewer days"\nresult = "care_dayz.effect"\n'
    with pytest.raises(StudyError, match='Did you mean "care_days"'):
        read_study(make_study(measure + claim))


def test_a_share_is_held_in_points(evaluation):
    own = {"care_days.effect": Result("care_days.effect", 0.152, "share", 0.091, 0.214, "", "effect", ""),
           "care_days.observed": Result("care_days.observed", 0.7, "share", None, None, "", "effect", "")}  # fmt: skip
    numbers = numbers_of(evaluation, evaluation.study.claim[0], own)
    assert evidence.check_claim("rose by 15 points", numbers).standing == "supported"
