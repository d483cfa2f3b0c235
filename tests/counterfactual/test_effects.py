"""All effects of a study: the plan, other analyses, benchmark, attrition, joint draws, published rates."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit import counterfactual as cf
from evalkit.cohort import build_cohort
from evalkit.counterfactual.rows import conclude_in_words
from evalkit.errors import DataError, EstimationError, StudyError
from evalkit.outcomes import score_outcomes
from evalkit.study import read_study

RAW = Path(__file__).parent.parent.parent / "data" / "raw"

PLAN = """
[tables]
people = "people.csv"

[cohort]
person = "id"
index = { date = 2020-01-01 }
arm = { column = "arm", treated = "new", comparison = "usual" }
cluster = "team"

[[occasion]]
id = "baseline"
day = 0

[[occasion]]
id = "later"
title = "a year later"
day = 365

[[measure]]
id = "worry"
title = "Worry"
table = "people"
columns = { baseline = "worry_0", later = "worry_1" }
better = "lower"

[[measure]]
id = "mood"
title = "Mood"
table = "people"
columns = { baseline = "mood_0", later = "mood_1" }

[[measure]]
id = "job"
title = "In work"
column = "job"
values = "yes or no"

[[domain]]
id = "feeling"
title = "Feeling"
measures = ["worry", "mood"]

[counterfactual]
estimator = "ols"
covariates = ["age"]
design = "RCT"
"""

ALSO = """
[[counterfactual.also]]
id = "plain"
says = "no adjustment"
estimator = "difference"

[[counterfactual.also]]
id = "impossible"
says = "within sites"
estimator = "ols"
within = "site"
"""


def drawn_people(seed=4, people=240):
    """People in 24 teams whose mood rises and worry falls by half a unit."""
    random = np.random.default_rng(seed)
    arm = random.permutation([1, 0] * (people // 2))
    table = pd.DataFrame({"id": [f"p{i:03}" for i in range(people)], "arm": np.where(arm == 1, "new", "usual")})
    table["team"] = np.arange(people) % 24
    table["age"] = random.integers(11, 18, people)
    table["site"] = np.where(arm == 1, "north", "south")
    table["worry_0"], table["mood_0"] = random.normal(20, 4, people).round(2), random.normal(30, 5, people).round(2)
    table["worry_1"] = (table["worry_0"] - 2 * arm + random.normal(0, 3, people)).round(2)
    table["mood_1"] = (table["mood_0"] + 2.5 * arm + random.normal(0, 3, people)).round(2)
    table["job"] = (random.uniform(size=people) < 0.4 + 0.2 * arm).astype(int)
    return table


@pytest.fixture
def outcomes_of(make_study):
    def make(plan=PLAN, people=None):
        folder = make_study(plan, people=drawn_people() if people is None else people)
        return score_outcomes(build_cohort(read_study(folder)))

    return make


def rows(effects):
    return effects.table.set_index("outcome")


def test_without_a_list_all_domains_come_first_and_then_the_rest_at_their_last_occasion(outcomes_of):
    effects = cf.estimate_effects(outcomes_of())
    assert effects.table["outcome"].tolist() == ["feeling", "job"]
    assert effects.table["primary"].tolist() == [True, False]
    assert rows(effects).loc["feeling", "occasion_title"] == "a year later"
    assert rows(effects).loc["feeling", "is_domain"]
    assert rows(effects)["n_clusters"].tolist() == [24, 24]


def test_p_values_are_adjusted_over_the_planned_outcomes(outcomes_of):
    table = cf.estimate_effects(outcomes_of()).table
    ordered = np.sort(table["p"])
    assert np.sort(table["p_adjusted"]).tolist() == pytest.approx([2 * ordered[0], max(2 * ordered[0], ordered[1])])


def test_another_estimator_for_one_outcome_keeps_both_results(outcomes_of):
    outcomes = outcomes_of()
    planned, other = cf.estimate_effects(outcomes), cf.estimate_effects(outcomes, feeling="did")
    assert rows(planned)["estimator"].tolist() == ["ols", "ols"]
    assert rows(other)["estimator"].tolist() == ["did", "ols"]
    assert rows(other).loc["feeling", "effect"] != rows(planned).loc["feeling", "effect"]
    assert rows(other).loc["job", "effect"] == rows(planned).loc["job", "effect"]
    with pytest.raises(StudyError, match='Did you mean "feeling"'):
        cf.estimate_effects(outcomes, feling="did")


def test_a_score_with_a_reading_before_has_the_deadweight_of_its_improvement(outcomes_of):
    row = rows(cf.estimate_effects(outcomes_of())).loc["feeling"]
    assert "improvement from baseline" in row["deadweight_method"]
    assert row["deadweight_low"] < row["deadweight"] < row["deadweight_high"]


def test_an_analysis_that_is_not_possible_is_a_flag_and_the_others_stand(outcomes_of):
    effects = cf.estimate_effects(outcomes_of(PLAN + ALSO))
    assert effects.also.groupby("outcome")["id"].apply(list).to_dict() == {
        "feeling": ["planned", "plain"],
        "job": ["planned", "plain"],
    }
    assert effects.also["planned"].tolist() == [True, False, True, False]
    assert 'The analysis "within sites" was not possible.' in [flag.text for flag in effects.flags]


def test_an_outcome_that_cannot_be_estimated_is_not_known_and_flagged(outcomes_of):
    people = drawn_people()
    people.loc[people["arm"] == "new", "job"] = np.nan
    effects = cf.estimate_effects(outcomes_of(people=people))
    assert rows(effects).loc["job", "conclusion"] == "not known"
    assert np.isnan(rows(effects).loc["job", "effect"])
    assert [flag.about for flag in effects.flags if flag.level == "serious"] == ["job"]


def test_when_no_outcome_can_be_estimated_all_reasons_are_given_at_once(outcomes_of):
    plan = PLAN.replace('covariates = ["age"]', 'within = "site"')
    with pytest.raises(EstimationError, match=r"(?s)has 2 problems.*feeling.*job"):
        cf.estimate_effects(outcomes_of(plan))


def test_single_measures_stand_beside_the_index_with_better_to_the_right(outcomes_of):
    measures = cf.estimate_effects(outcomes_of()).measures.set_index("measure")
    assert list(measures.index) == ["worry@later", "mood@later"]
    assert (measures["effect"] > 0).all()
    assert (measures["low"] < measures["effect"]).all()
    assert (measures["effect"] < measures["high"]).all()
    assert (measures["p_adjusted"] >= measures["p"]).all()


def test_uneven_loss_is_counted_by_arm_and_flagged(outcomes_of):
    people = drawn_people()
    people.loc[people.index[people["arm"] == "usual"][:24], "job"] = np.nan
    effects = cf.estimate_effects(outcomes_of(people=people))
    lost = effects.attrition.set_index(["outcome", "arm"]).loc["job"]
    assert lost["share"].to_dict() == {"treated": 1.0, "comparison": 0.8}
    assert "The arms differ by about 20 points in how many have this outcome." in [flag.text for flag in effects.flags]


def test_joint_draws_have_the_estimates_means_errors_and_shared_people(outcomes_of):
    effects = cf.estimate_effects(outcomes_of())
    drawn = effects.joint(40_000, seed=1)
    table = rows(effects)
    for name in table.index:
        assert drawn[(name, "effect")].mean() == pytest.approx(
            table.loc[name, "effect"], abs=0.02 * table.loc[name, "se"] * 3
        )
        df = table.loc[name, "df"]
        assert drawn[(name, "effect")].std() == pytest.approx(table.loc[name, "se"] * np.sqrt(df / (df - 2)), rel=0.03)
        gap = drawn[(name, "observed")] - drawn[(name, "counterfactual")] - drawn[(name, "effect")]
        assert gap.abs().max() < 1e-9
    assert (
        drawn[("job", "deadweight")] - drawn[("job", "counterfactual")] / drawn[("job", "observed")]
    ).abs().max() < 1e-9
    assert drawn.equals(effects.joint(40_000, seed=1))


def test_joint_draws_of_an_outcome_and_its_opposite_are_opposite(outcomes_of):
    plan = PLAN + '\n[[measure]]\nid = "no_job"\ncolumn = "no_job"\nvalues = "yes or no"\n'
    people = drawn_people()
    effects = cf.estimate_effects(outcomes_of(plan, people.assign(no_job=1 - people["job"])))
    drawn = effects.joint(500, seed=2)
    centred = drawn[("job", "effect")] + drawn[("no_job", "effect")]
    assert centred.abs().max() < 1e-8


def test_an_adverse_interval_is_worse_and_one_that_includes_0_is_no_clear_difference(grid):
    grid(
        """
        low  | high | better | conclusion
        0.1  | 0.5  | higher | better
        0.1  | 0.5  | lower  | worse
        -0.5 | -0.1 | lower  | better
        -0.5 | 0.1  | lower  | no clear difference
        nan  | nan  | higher | not known
        """,
        lambda row: conclude_in_words(float(row.low), float(row.high), row.better),
        "conclusion",
    )


def with_gaps(share=0.2, seed=3):
    """Treated people are older, and the age of some is not known."""
    people = drawn_people()
    random = np.random.default_rng(seed)
    people["age"] = (people["age"] + 3 * (people["arm"] == "new")).astype(float)
    return people.assign(age=people["age"].where(random.uniform(size=len(people)) > share))


MATCHED = PLAN.replace('"RCT"', '"propensity score matching with pre-programme outcome and evidence of comparability"')


def test_people_without_a_covariate_are_said_not_to_be_adjusted_for_it_unless_chance_decided(outcomes_of, grid):
    plans = {"chance": PLAN, "covariates": MATCHED, "plain": MATCHED.replace('"ols"', '"difference"')}
    grid(
        """
        plan       | missing | serious
        covariates | 0.2     | 2
        covariates | 0.02    | 0
        chance     | 0.2     | 0
        plain      | 0.2     | 0
        """,
        lambda row: sum(
            flag.text == "People without age are not adjusted for it." and flag.level == "serious"
            for flag in cf.estimate_effects(outcomes_of(plans[row.plan], with_gaps(row.missing))).flags
        ),
        "serious",
    )


def test_what_is_missing_counts_against_comparability_as_it_was_before(outcomes_of):
    many, none = (cf.estimate_effects(outcomes_of(MATCHED, with_gaps(share))) for share in (0.4, 0.0))
    assert none.evidence.sms == 3
    assert many.evidence.sms == 2
    assert "after adjustment the arms still differ" in many.evidence.reason


def test_a_large_effect_in_estimated_standard_deviations_is_noted(outcomes_of):
    people = drawn_people()
    moved = people.assign(mood_1=people["mood_1"] + 20 * (people["arm"] == "new"))
    noted = [
        [flag.about for flag in cf.estimate_effects(outcomes_of(people=table)).flags if "standard dev" in flag.text]
        for table in (moved, people.assign(mood_1=people["mood_0"], worry_1=people["worry_0"]))
    ]
    assert noted == [["feeling"], []]


def test_did_counts_people_and_not_rows_among_those_who_lack_a_reading(outcomes_of):
    people = drawn_people()
    people.loc[:11, ["mood_1", "worry_1"]] = np.nan
    found = cf.estimate_effects(outcomes_of(people=people), feeling="did").estimates["feeling"]
    assert found.diagnostics["dropped"] == 12
    assert [flag.detail for flag in found.flags if flag.text.startswith("Readings without this outcome")] == [
        "About 5% of those in the cohort lack one."
    ]


# ------------------------------------------------------------------ real studies


@pytest.fixture(scope="module")
def supported_work():
    return cf.estimate_effects(score_outcomes(build_cohort(read_study(RAW / "national_supported_work"))))


def test_the_benchmark_counts_shared_people_once(supported_work):
    """The plain difference less the experiment sets its controls against the survey: the treated drop out."""
    row = supported_work.benchmark.set_index("id").loc["difference"]
    survey = pd.read_csv(RAW / "national_supported_work" / "people.csv").query("treat == 0")["re78"]
    controls = pd.read_csv(RAW / "national_supported_work" / "experiment.csv").query("treat == 0")["re78"]
    assert row["difference"] == pytest.approx(controls.mean() - survey.mean())
    se = np.sqrt(survey.var(ddof=1) / len(survey) + controls.var(ddof=1) / len(controls))
    assert (row["difference_high"] - row["difference_low"]) / 2 == pytest.approx(1.96 * se, rel=0.01)
    assert not row["includes_zero"]


def test_the_benchmark_is_the_published_one_and_adjusted_estimates_agree_with_it(supported_work):
    table = supported_work.benchmark.set_index("id")
    assert table["benchmark"].round().unique().tolist() == [1794]
    assert table["benchmark_se"].round().unique().tolist() == [633]
    assert table.loc[["planned", "matching", "matching_caliper", "ipw", "ols"], "includes_zero"].all()


def test_the_four_estimators_of_the_worked_example(supported_work, grid):
    found = supported_work.also.set_index("id")["effect"]
    grid(
        """
        id               | effect
        planned          | 1231.0443
        matching         | 894.3675
        matching_caliper | 1770.6029
        ipw              | 1214.0712
        ols              | 1548.2438
        """,
        lambda row: found[row.id],
        "effect",
    )


def test_the_school_experiment_has_its_known_effect_and_single_measures():
    effects = cf.estimate_effects(score_outcomes(build_cohort(read_study(RAW / "project_star"))))
    row = effects.table.iloc[0]
    assert (row["effect"], row["se"]) == pytest.approx((0.1883, 0.0416), abs=5e-5)
    assert (row["level"], row["conclusion"], row["n_clusters"]) == (5, "better", 79)
    assert row["why_no_deadweight"] == "not defined for a score"
    assert (effects.measures["effect"].min(), effects.measures["effect"].max()) == pytest.approx(
        (0.123, 0.227), abs=5e-4
    )
    assert (effects.measures["se"].min(), effects.measures["se"].max()) == pytest.approx((0.046, 0.056), abs=5e-4)
    assert effects.also["id"].tolist() == ["planned", "within_school", "mean_of_tests"]


# ------------------------------------------------------------------ rates

RATES = """
[counterfactual]
estimator = "published"
rates = "rates.csv"
"""


def test_published_shares_with_numbers_have_an_interval_and_those_without_have_none(make_study):
    folder = make_study(
        RATES,
        rates="""outcome,treated,comparison,per,values,better,rounding,n_treated,n_comparison
        jobs,59,75,100,yes or no,higher,1,445,445
        homes,40,30,100,yes or no,higher,1,,""",
    )
    effects = cf.effects_from_rates(read_study(folder))
    table = rows(effects)
    assert table["effect"].tolist() == pytest.approx([-0.16, 0.10])
    assert table.loc["jobs", "se"] == pytest.approx(0.03106, abs=1e-5)
    assert table["conclusion"].tolist() == ["worse", "not known"]
    assert np.isnan(table.loc["homes", "p"])
    assert (table.loc["homes", "rounding_low"], table.loc["homes", "rounding_high"]) == pytest.approx((0.09, 0.11))
    assert effects.evidence.sms is None
    drawn = effects.joint(40_000, 1)
    assert list(drawn.columns.levels[0]) == ["jobs"]
    assert np.quantile(drawn[("jobs", "effect")], [0.025, 0.975]) == pytest.approx(
        table.loc["jobs", ["low", "high"]].to_numpy(dtype=float), abs=0.002
    )
    assert (drawn[("jobs", "observed")] == 0.59).all()
    share = (drawn[("jobs", "observed")] - drawn[("jobs", "effect")]) / 0.59
    assert (drawn[("jobs", "deadweight")] - share).abs().max() < 1e-9


@pytest.mark.parametrize(("ends", "drawn_ends"), [((0.3, 1.2), (0.3, 1.2)), ((0.6, 1.4), (0.1, 0.9))])
def test_an_effect_with_only_an_interval_is_drawn_from_it_and_has_no_deadweight_where_none_is_known(ends, drawn_ends):
    from dataclasses import replace

    frame = pd.DataFrame({"arm": [1, 0], "rate": [0.6, 0.1], "n": [400, 400]})
    told = {"outcome": "rate", "treated": "arm", "n": "n", "values": "yes or no"}
    one = replace(cf.estimate(frame, "published", **told), low=ends[0], high=ends[1], df=8.0, deadweight=None)
    blind = replace(one, se=np.nan)
    nothing = dict.fromkeys(("outcomes", "study", "table", "also", "measures", "benchmark", "attrition", "evidence"))
    drawn = cf.Effects(**nothing, estimates={"blind": blind, "cut": one}, flags=()).joint(40_000, seed=1)
    assert list(drawn.columns.get_level_values(0).unique()) == ["cut"]
    found = np.quantile(drawn[("cut", "effect")], [0.025, 0.5, 0.975])
    assert found == pytest.approx([drawn_ends[0], 0.5, drawn_ends[1]], abs=0.02)
    assert drawn[("cut", "deadweight")].isna().all()


def test_an_effect_without_an_interval_supports_no_finding_of_help(make_study):
    folder = make_study(
        RATES + 'design = "RCT"\n',
        rates="""outcome,treated,comparison,per,values,better
        homes,40,30,100,yes or no,higher""",
    )
    found = cf.effects_from_rates(read_study(folder)).evidence
    assert (found.sms, found.eif, found.finding) == (5, "NL2", "no clear difference")
    assert any("no interval was possible" in limit for limit in found.limits)


def test_assumed_deadweight_earns_no_level_even_with_a_design(make_study):
    folder = make_study(
        RATES.replace("published", "assumed") + 'design = "RCT"\n',
        rates="""outcome,observed,deadweight,low,high,values
        jobs,0.6,0.5,0.4,0.7,yes or no""",
    )
    effects = cf.effects_from_rates(read_study(folder))
    row = effects.table.iloc[0]
    assert (row["deadweight"], row["deadweight_low"], row["deadweight_high"]) == (0.5, 0.4, 0.7)
    assert row["counterfactual"] == pytest.approx(0.3)
    assert pd.isna(row["level"])
    assert effects.evidence.sms is None


def test_a_rates_file_that_is_not_what_it_must_be_is_told_all_at_once(make_study):
    folder = make_study(
        RATES,
        rates="""outcome,treated,comparison,values,better
        jobs,59,75,share,higher
        jobs,40,,amount,up""",
    )
    with pytest.raises((StudyError, DataError)) as told:
        cf.effects_from_rates(read_study(folder))
    for part in ('values = "share"', 'better = "up"', "stands there twice", "column comparison"):
        assert part in str(told.value)


def test_rates_above_their_base_are_refused_for_a_yes_or_no(make_study):
    folder = make_study(
        RATES,
        rates="""outcome,treated,comparison,per,values,n_treated,n_comparison
        events,142,155,100,yes or no,900,900""",
    )
    with pytest.raises(EstimationError, match="must lie between 0 and per"):
        cf.effects_from_rates(read_study(folder))
