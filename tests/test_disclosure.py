"""What may leave, and what a reader could otherwise work out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from evalkit.disclosure import count, ends, protect, protect_flow, roughly, scan
from evalkit.disclosure.scan import nhs_number
from evalkit.errors import DisclosureError

HIDDEN = "[c]"


@pytest.fixture
def authorities() -> pd.DataFrame:
    """Acceptance example 14 (synthetic)."""
    return pd.DataFrame(
        {"row": ["LA1", "LA2", "LA3"], "a": [34, 7, 0], "b": [9, 8, 58], "c": [120, 22, 12], "d": [15, 41, 10]}
    )


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("uk-children-10", [[34, HIDDEN, 120, 15], [HIDDEN, HIDDEN, 22, 41], [HIDDEN, 58, 12, 10]]),
        ("opensafely", [[35, 10, 120, 15], [HIDDEN, 10, 20, 40], [HIDDEN, 60, 10, 10]]),
        ("dfe-national", [[30, 10, 120, 20], [10, 10, 20, 40], [0, 60, 10, 10]]),
    ],
)
def test_each_rule_set_hides_and_rounds_as_its_owner_does(authorities, rule, expected):
    assert protect(authorities, rule).table[list("abcd")].to_numpy().tolist() == expected


def test_a_published_row_total_hides_the_smallest_visible_cell_where_only_one_was_hidden(authorities):
    authorities["total"] = authorities[list("abcd")].sum(axis=1)
    shown = protect(authorities, total="total")
    assert shown.table.loc[0].tolist() == ["LA1", 34, HIDDEN, 120, HIDDEN, 178]
    assert shown.table.loc[1].tolist() == ["LA2", HIDDEN, HIDDEN, 22, 41, 78]
    assert shown.table.loc[2].tolist() == ["LA3", HIDDEN, 58, 12, HIDDEN, 80]
    assert (shown.log["why"] == "could be used to find a small count by subtraction").sum() == 2


@pytest.mark.parametrize("seed", range(25))
def test_no_small_cell_of_a_table_with_totals_can_be_pinned_down_by_linear_programming(seed):
    random = np.random.default_rng(seed)
    cells = pd.DataFrame(
        random.choice([3, 6, 9, 15, 40, 90], size=(4, 4), p=[0.1, 0.1, 0.1, 0.3, 0.2, 0.2]), columns=list("abcd")
    )
    small = [(r, c) for r in range(4) for c in "abcd" if cells.at[r, c] < 10]
    whole = cells.assign(row=list("wxyz"), total=cells.sum(axis=1))
    whole.loc[4] = {**cells.sum().to_dict(), "row": "all", "total": cells.to_numpy().sum()}
    shown = protect(whole, total=["total", "all"]).table
    assert all(shown.at[cell] == HIDDEN for cell in small)
    for cell in small:
        low, high = bounds(shown, cell)
        assert high - low > 1e-6


def bounds(shown: pd.DataFrame, wanted: tuple[int, str]) -> tuple[float, float]:
    """The least and the most a hidden cell can be, given everything printed."""
    labels = [(r, c) for r in shown.index for c in [*"abcd", "total"]]
    place = {cell: number for number, cell in enumerate(labels)}
    system, right = [], []
    for cell in labels:
        if shown.at[cell] != HIDDEN:
            system.append(np.eye(len(labels))[place[cell]])
            right.append(float(shown.at[cell]))
    last = shown.index[-1]
    sums = [((r, "total"), [(r, c) for c in "abcd"]) for r in shown.index]
    sums += [((last, c), [(r, c) for r in shown.index[:-1]]) for c in [*"abcd", "total"]]
    for total, parts in sums:
        row = np.zeros(len(labels))
        row[place[total]] = -1
        row[[place[part] for part in parts]] = 1
        system.append(row)
        right.append(0.0)
    aim = np.eye(len(labels))[place[wanted]]
    least, most = (linprog(sign * aim, A_eq=np.array(system), b_eq=right) for sign in (1, -1))
    return float(least.fun), float(-most.fun)


def test_two_small_cells_whose_known_sum_is_small_pull_in_a_third():
    cells = pd.DataFrame({"a": [2], "b": [3], "c": [20], "d": [30], "total": [55]})
    assert protect(cells, total="total").table.loc[0].tolist() == [HIDDEN, HIDDEN, HIDDEN, 30, 55]


def test_percentages_and_means_behind_a_hidden_count_are_hidden_too():
    table = pd.DataFrame({"arm": ["therapy", "usual"], "n": [9, 40], "mean": [3.25, 4.5]})
    shown = protect(table, counts=["n"], behind={"mean": "n"})
    assert shown.table["mean"].tolist() == [HIDDEN, 4.5]
    assert shown.log[["row", "column", "why"]].to_numpy().tolist() == [
        [0, "n", "a count below the threshold"],
        [0, "mean", "rests on a hidden count"],
    ]


def test_the_table_given_is_never_changed_and_published_figures_pass(authorities):
    before = authorities.copy()
    assert protect(authorities, published=True).table.equals(before)
    protect(authorities)
    assert authorities.equals(before)


def test_what_cannot_be_judged_does_not_leave():
    table = pd.DataFrame({"people": [3.5, 20.0], "share": [0.1, 0.2]})
    with pytest.raises(DisclosureError) as error:
        protect(table, counts=["people", "pepole"], behind={"share": "people"})
    assert 'no column "pepole". Did you mean "people"?' in str(error.value)
    assert 'Column "people" holds what is not a count of people in 1 rows' in str(error.value)
    with pytest.raises(DisclosureError, match='Did you mean "uk-children-10"'):
        protect(table, rule="uk-children")


def test_a_single_number_in_prose_follows_the_rule():
    assert [count(n) for n in (0, 9, 10, None)] == [HIDDEN, HIDDEN, 10, "[x]"]
    assert [count(n, "opensafely") for n in (7, 8, 12)] == [HIDDEN, 10, 10]
    assert [count(n, "dfe-national") for n in (4, 15)] == [0, 20]
    assert count(3, published=True) == 3
    with pytest.raises(DisclosureError):
        count(2.5)


def test_a_flow_hides_the_people_beside_a_step_at_which_few_left():
    flow = pd.DataFrame({"people": [900, 850, 846, 700], "left_out": [0, 50, 4, 146]})
    shown = protect_flow(flow).table
    before, after = shown.loc[1, "people"], shown.loc[2, "people"]
    assert shown.loc[2, "left_out"] == HIDDEN
    assert HIDDEN in (before, after)
    known_before = before != HIDDEN or shown.loc[1, "left_out"] != HIDDEN
    known_after = after != HIDDEN or shown.loc[3, "left_out"] != HIDDEN
    assert not (known_before and known_after)
    assert shown["people"].tolist()[0] == 900
    assert shown["people"].tolist()[-1] == 700


def test_a_flow_without_small_steps_shows_everything_but_the_zeros():
    flow = pd.DataFrame({"people": [6325, 6325, 6149], "left_out": [0, 0, 176]})
    shown = protect_flow(flow).table
    assert shown["people"].tolist() == [6325, 6325, 6149]
    assert shown["left_out"].tolist() == [HIDDEN, HIDDEN, 176]


def test_a_flow_does_not_tell_how_few_left_one_arm():
    flow = pd.DataFrame(
        {"people": [200, 170], "left_out": [0, 30], "treated": [100, 97], "comparison": [100, 73], "unknown": [0, 0]}
    )
    shown = protect_flow(flow).table
    assert not all(worked_out(shown.loc[step]) for step in (0, 1))


def worked_out(step: pd.Series) -> bool:
    """Whether the treated of a step are printed, or are the people less the comparison."""
    return step["treated"] != HIDDEN or HIDDEN not in (step["people"], step["comparison"])


def test_the_last_net_finds_a_postcode_an_nhs_number_and_an_id_but_not_figures():
    page = """<script>"SW1A 1AA"</script><svg><path d="M943 476 5919"/><text>child_0042</text></svg>
    <p>£1,617,330 of 9434765919, postcode OX1 3UQ</p><style>.child_0042 {}</style>"""
    found = {(one.kind, one.masked, one.times) for one in scan(page, people=["child_0042", "12"])}
    assert found == {("postcode", "OX...", 1), ("NHS number", "94...", 1), ("person id", "ch...", 1)}
    assert scan("<p>In 2024 12 people, 1,234,567,890 pounds, 0.1234567890</p>", people=["12"]) == []


def test_an_nhs_number_is_known_by_its_check_digit():
    assert nhs_number("943 476 5919")
    assert not nhs_number("943 476 5918")


def test_a_share_in_a_remark_is_too_coarse_to_give_a_count_away():
    told = [roughly(n, 600) for n in (6, 12, 80, 306)]
    assert told == ["a few", "fewer than 5%", "about 15%", "about 50%"]


def test_the_ends_of_a_flow_do_not_tell_how_few_left_in_all():
    assert ends(6325, 6320) == ("[c]", 6320)
    assert ends(6325, 6325) == (6325, 6325)
    assert ends(6325, 6149) == (6325, 6149)
