"""No count of 1 to 9 people can be found from all that the section "Who was followed" prints, taken together."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

from evalkit.disclosure import protect, protect_cohort, protect_flow, rounded
from evalkit.disclosure.quarters import covers
from evalkit.errors import DisclosureError
from tests.report.attack import HIDDEN, Mask, Reader, every_kind, found_out
from tests.report.worlds import cohort_of, people

GROUPS = ["treated", "comparison", "earlier", ""]
RULES = ["fail0", "fail1", "fail2"]
WORLDS = [(seed, n) for n in (160, 400, 900) for seed in range(2)]


def fails(name: str) -> Mask:
    return lambda frame: frame[name]


def fails_any(names: list[str]) -> Mask:
    return lambda frame: frame[names].any(axis=1)


def not_in(mask: Mask) -> Mask:
    return lambda frame: ~mask(frame)


def unknown(frame: pd.DataFrame) -> pd.Series:
    return frame["unknown"]


def left_at(place: int) -> Mask:
    """Those who leave at a rule."""
    before = RULES[:place]
    return lambda frame: frame[RULES[place]] & ~frame[before].any(axis=1)


def in_group(mask: Mask, group: str) -> Mask:
    return lambda frame: mask(frame) & (frame["group"] == group)


def also(mask: Mask, other: Mask) -> Mask:
    return lambda frame: mask(frame) & other(frame)


def everyone(frame: pd.DataFrame) -> pd.Series:
    return pd.Series(True, index=frame.index)


def eligible(frame: pd.DataFrame) -> pd.Series:
    return ~frame[RULES].any(axis=1) & frame["group"].isin(["treated", "comparison"])


def in_set(name: str) -> Mask:
    return lambda frame: eligible(frame) & (frame[name] | (frame["group"] == "comparison"))


def possible(kinds: pd.DataFrame) -> pd.Series:
    """Who starts was offered it and is eligible; who completes started; what is not known fails the first rule."""
    may_start = eligible(kinds.assign(started=False)) & (kinds["group"] == "treated")
    return (
        (~kinds["unknown"] | kinds["fail0"])
        & (~kinds["started"] | may_start)
        & (~kinds["completed"] | kinds["started"])
    )


def a_world(seed: int, n: int) -> pd.DataFrame:
    """People of whom only the eligible start."""
    frame = people(seed, n)
    frame["started"] &= eligible(frame)
    frame["completed"] &= frame["started"]
    return frame


def reader_of_the_flow(safe) -> Reader:
    values = {name: [False, True] for name in [*RULES, "unknown", "started", "completed"]}
    reader = Reader(every_kind(values | {"group": GROUPS}, possible))
    alive: Mask = everyone
    steps: list[tuple[Mask, Mask | None]] = [(everyone, None)]
    for place in range(3):
        alive = not_in(fails_any(RULES[: place + 1]))
        steps.append((alive, left_at(place)))
    steps.append((eligible, also(alive, lambda frame: ~frame["group"].isin(["treated", "comparison"]))))
    for (stay, left), (_, row) in zip(steps, safe.flow.iterrows(), strict=True):
        counted = stay if row["kind"] != "group" else alive
        reader.reads(stay, row["people"])
        for group in safe.groups:
            reader.reads(in_group(counted if group == "earlier" else stay, group), row[group])
        if left is not None:
            reader.reads(left, row["left_out"])
            reader.reads(
                also(left, lambda frame: frame["unknown"]), row["unknown"] if row["kind"] == "include" else HIDDEN
            )
    _read_sets(reader, safe)
    _read_reasons(reader, safe)
    return reader


def _read_sets(reader: Reader, safe) -> None:
    before: Mask = eligible
    for name, (_, row) in zip(("started", "completed"), safe.sets.iloc[1:].iterrows(), strict=True):
        here = in_set(name)
        reader.reads(here, row["people"])
        reader.reads(also(before, not_in(here)), row["lost"])
        for arm in ("treated", "comparison"):
            reader.reads(in_group(here, arm), row[arm])
        before = here


def _read_reasons(reader: Reader, safe) -> None:
    if safe.reasons is None:
        return
    for place, row in safe.reasons.iterrows():
        others = fails_any([name for name in RULES if name != RULES[place]])
        reader.reads(fails(RULES[place]), row["failed"], (5, 4))
        reader.reads(also(fails(RULES[place]), not_in(others)), row["only"], (5, 4))


def targets_of_the_flow() -> dict[str, Mask]:
    targets: dict[str, Mask] = {}
    for place, rule in enumerate(RULES):
        left, more = left_at(place), fails_any([name for name in RULES if name != rule])
        targets |= {f"left at {rule}": left, f"fails {rule}": fails(rule)}
        targets |= {f"{rule} and another": also(fails(rule), more), f"{rule} and a later one": also(left, more)}
        targets |= {f"only {rule}": also(fails(rule), not_in(more))}
        targets |= {f"{rule} and one before": also(fails(rule), fails_any(RULES[:place]))}
        targets |= {f"left at {rule}: {group}": in_group(left, group) for group in GROUPS}
        targets |= {f"{rule} unknown": also(left, unknown), f"{rule} known": also(left, not_in(unknown))}
    targets |= {f"not {name}": also(eligible, not_in(in_set(name))) for name in ("started", "completed")}
    targets["started, not completed"] = lambda frame: frame["started"] & ~frame["completed"]
    return targets


@pytest.mark.parametrize(("seed", "n"), WORLDS)
def test_the_flow_the_sets_and_the_reasons_together_give_no_small_count_away(seed, n):
    world = a_world(seed, n)
    safe = protect_cohort(cohort_of(world))
    assert found_out(reader_of_the_flow(safe), world, targets_of_the_flow()) == {}


def test_the_reader_would_find_them_if_they_were_printed():
    world = a_world(0, 400)
    cohort = cohort_of(world)
    bare = protect_cohort(cohort, "dfe-national")
    flow = cohort.flow.astype(object)
    honest = type(bare)(
        "none", ("treated", "comparison", "earlier"), flow, cohort.sets.astype(object), None, None, None, None, None
    )
    assert found_out(reader_of_the_flow(honest), world, targets_of_the_flow()) != {}


# ---------------------------------------------------------------- quarters and comparisons


def is_in(column: str, value: object) -> Mask:
    if value is None:
        return lambda frame: frame[column].isna() | (frame[column] == "missing")
    return lambda frame: frame[column] == value


def periods_of(world: pd.DataFrame, quarters: int) -> pd.DataFrame:
    dates = world["index_date"]
    part = {1: "-Q" + dates.dt.quarter.astype(str), 2: "-H" + ((dates.dt.quarter + 1) // 2).astype(str), 4: ""}
    is_eligible = eligible(world)
    role = np.where(~is_eligible, "no", np.where(world["group"] == "comparison", "comparison", "treated"))
    role = np.where((role == "treated") & world["started"], "started", role)
    period = dates.dt.year.astype(str) + part[quarters]
    return pd.DataFrame({"period": period, "role": role, "area": world["area"], "sex": world["sex"].fillna("missing")})


def in_period(longer: str) -> Mask:
    return lambda frame: frame["period"].map(lambda period: covers(longer, period))


SERIES: dict[str, list[str]] = {
    "referred": ["no", "comparison", "treated", "started"],
    "eligible": ["comparison", "treated", "started"],
    "starts": ["started"],
}
SIDES: dict[str, list[str]] = {
    "treated": ["treated", "started"],
    "comparison": ["comparison"],
    "started": ["started"],
    "not_started": ["treated"],
}


def of_roles(roles: list[str], *masks: Mask) -> Mask:
    def mask(frame: pd.DataFrame) -> pd.Series:
        found = frame["role"].isin(roles)
        for one in masks:
            found &= one(frame)
        return found

    return mask


def reader_of_quarters(safe, periods: list[str], column: str) -> Reader:
    """Reads totals, quarters and what both comparisons say of one column."""
    answers = ["north", "south", "islands"] if column == "area" else ["F", "M", "missing"]
    roles = ["no", "comparison", "treated", "started"]
    reader = Reader(every_kind({"period": periods, "role": roles, column: answers}, everyone))
    reader.reads(everyone, safe.flow["people"].iloc[0])
    reader.reads(of_roles(SERIES["eligible"]), safe.flow["people"].iloc[-1])
    for arm in ("treated", "comparison"):
        reader.reads(of_roles(SIDES[arm]), safe.flow[arm].iloc[-1])
    reader.reads(of_roles(["comparison", "started"]), safe.sets["people"].iloc[1])
    reader.reads(of_roles(["started"]), safe.sets["treated"].iloc[1])
    for table in (safe.drift, safe.starts):
        for row in table[table["series"] != "planned"].itertuples():
            roles = SERIES.get(row.series) or SIDES.get(row.series) or SERIES["referred"]
            if row.value and row.series != column:
                continue
            answer = [is_in(column, row.value)] if row.value else []
            reader.reads(of_roles(roles, in_period(row.period), *answer), row.people)
    for table, sides in ((safe.baseline, SIDES), (safe.selection, SIDES)):
        for row in table[table["column"] == column].to_dict("records"):
            for side in [side for side in sides if side in row]:
                _read_side(reader, row, side, column)
    return reader


def _read_side(reader: Reader, row: dict, side: str, column: str) -> None:
    known = not_in(is_in(column, "missing"))
    step = row[f"{side}_step"]
    reader.reads(of_roles(SIDES[side], known), row[f"{side}_n"])
    reader.reads(of_roles(SIDES[side], is_in(column, None)), row[f"{side}_missing"])
    if row[side] == HIDDEN:
        return
    half = 0.0005 if np.isnan(step) else step / 2
    part, whole = of_roles(SIDES[side], is_in(column, row["value"])), of_roles(SIDES[side], known)
    reader.reads_share(part, whole, rounded(row[side], step), half)


def targets_of_quarters(periods: list[str], column: str) -> dict[str, Mask]:
    answers = ["north", "south", "islands"] if column == "area" else ["F", "M", None]
    roles = {**SERIES, **SIDES, "not eligible": ["no"]}
    found = {
        f"{name} {period}": of_roles(r, is_in("period", period))
        for (name, r), period in product(roles.items(), periods)
    }
    if column == "area":
        found |= {
            f"referred {period} {answer}": of_roles(SERIES["referred"], is_in("period", period), is_in("area", answer))
            for period, answer in product(periods, answers)
        }
    sides = {**SIDES, "not eligible": ["no"]} if column == "area" else SIDES
    return found | {f"{n} {a}": of_roles(r, is_in(column, a)) for (n, r), a in product(sides.items(), answers)}


@pytest.mark.parametrize("column", ["area", "sex"])
@pytest.mark.parametrize(("seed", "n"), WORLDS)
def test_quarters_and_comparisons_together_give_no_small_count_away(seed, n, column):
    world = a_world(seed, n)
    safe = protect_cohort(cohort_of(world))
    told = periods_of(world, safe.drift.attrs["quarters"])
    periods = sorted(told["period"].unique())
    reader = reader_of_quarters(safe, periods, column)
    assert found_out(reader, told, targets_of_quarters(periods, column)) == {}


@pytest.mark.parametrize(("seed", "n"), [(seed, n) for n in (120, 300, 700, 2500) for seed in range(5)])
def test_shares_of_a_number_that_is_hidden_fit_any_number_of_missing_values(seed, n):
    safe = protect_cohort(cohort_of(people(seed, n, few=0.02)))
    for arm in ("treated", "comparison"):
        total = safe.flow[arm].iloc[-1]
        rows = safe.baseline[safe.baseline["column"] == "sex"]
        if rows[f"{arm}_n"].iloc[0] != HIDDEN or HIDDEN in list(rows[arm]) or total == HIDDEN:
            continue
        shares = [(rounded(row[arm], row[f"{arm}_step"]), row[f"{arm}_step"] / 2) for _, row in rows.iterrows()]
        assert all(_fits(shares, total - missing) for missing in range(1, 10))


def _fits(shares: list[tuple[float, float]], n: int) -> bool:
    """Whether whole numbers of people, n in all, give the shares that are printed."""
    (first, half), (second, other) = shares
    near = range(int((first - half) * n), int((first + half) * n) + 2)
    return any(abs(k / n - first) <= half + 1e-9 and abs((n - k) / n - second) <= other + 1e-9 for k in near)


# ---------------------------------------------------------------- tables drawn by hand


def test_a_group_shown_beside_is_protected_as_an_arm_is():
    flow = pd.DataFrame(
        {"people": [200, 150], "left_out": [0, 50], "treated": [80, 60], "comparison": [70, 45], "earlier": [50, 45]}
    )
    shown = protect_flow(flow).table
    assert HIDDEN in list(shown["earlier"])


def test_people_of_no_group_are_protected_too():
    flow = pd.DataFrame({"people": [204, 150], "left_out": [0, 54], "treated": [100, 80], "comparison": [100, 70]})
    assert HIDDEN in protect_flow(flow).table.loc[0].tolist()


def test_few_who_left_over_several_steps_together_do_not_follow_from_the_steps_around():
    flow = pd.DataFrame({"people": [900, 850, 847, 843, 700], "left_out": [0, 50, 3, 4, 143]})
    shown = protect_flow(flow).table
    assert HIDDEN in (shown.loc[1, "people"], shown.loc[3, "people"])
    assert [shown.loc[0, "people"], shown.loc[4, "people"]] == [900, 700]


def test_how_few_answered_no_does_not_follow_from_those_who_left_and_those_not_known():
    flow = pd.DataFrame({"kind": ["start", "include"], "people": [200, 150], "left_out": [0, 50], "unknown": [0, 47]})
    shown = protect_flow(flow).table
    assert shown.loc[1, "unknown"] == HIDDEN
    assert shown["people"].tolist() == [200, 150]


def test_counts_of_reasons_do_not_leave_by_the_door_of_the_flow():
    flow = pd.DataFrame({"people": [200, 150], "left_out": [0, 50], "failed": [pd.NA, 50], "only": [pd.NA, 50]})
    assert list(protect_flow(flow).table) == ["people", "left_out"]


def test_reasons_are_rounded_and_hidden_where_the_flow_hides():
    safe = protect_cohort(cohort_of(people(0, 900)))
    for row in safe.reasons.itertuples():
        assert all(n == HIDDEN or n % 10 == 0 for n in (row.failed, row.only))
        assert row.left_out != HIDDEN or (row.failed, row.only) == (HIDDEN, HIDDEN)


def test_quarters_of_few_people_are_joined_until_most_can_be_shown():
    sizes = [protect_cohort(cohort_of(people(1, n))).drift.attrs["quarters"] for n in (4000, 300)]
    assert sizes == [1, 2]


def test_a_set_that_few_are_not_in_hides_one_end_of_the_difference():
    cohort = cohort_of(people(2, 900))
    end = int(cohort.flow["people"].iloc[-1])
    sets = cohort.sets.iloc[:2].copy()
    sets.loc[1, ["people", "lost", "treated"]] = [end - 4, 4, int(sets.loc[0, "treated"]) - 4]
    cohort.sets = sets
    safe = protect_cohort(cohort)
    assert safe.sets["lost"].tolist()[1] == HIDDEN
    assert HIDDEN in (safe.flow["people"].iloc[-1], safe.sets["people"].iloc[1])
    assert safe.flow["people"].iloc[-1] == end


def test_a_cohort_with_a_flow_alone_has_nothing_else_to_print():
    cohort = cohort_of(people(0, 900))
    for name in ("sets", "drift", "baseline", "selection", "table"):
        delattr(cohort, name)
    cohort.flow = cohort.flow.drop(columns=["failed", "only"])
    safe = protect_cohort(cohort)
    assert [safe.sets, safe.reasons, safe.baseline, safe.selection, safe.drift, safe.starts] == [None] * 6


@pytest.mark.parametrize("rule", ["opensafely", "dfe-national"])
def test_a_rule_that_rounds_rounds_every_table(rule):
    safe = protect_cohort(cohort_of(people(0, 900)), rule)
    nearest = {"opensafely": 5, "dfe-national": 10}[rule]
    printed = [*safe.flow["people"], *safe.sets["people"], *safe.baseline["treated_n"]]
    printed += list(safe.drift.loc[safe.drift["series"] != "planned", "people"])
    assert all(n == HIDDEN or n % nearest == 0 for n in printed)


def test_an_unknown_rule_is_refused():
    with pytest.raises(DisclosureError, match="Did you mean"):
        protect_cohort(cohort_of(people(0, 200)), "uk-children")


def test_hiding_an_unrelated_cell_never_counts_as_protection():
    table = pd.DataFrame({"a": [3, 40], "b": [50, 60], "total": [53, 100]})
    assert protect(table, total="total").table.loc[1].tolist() == [40, 60, 100]
