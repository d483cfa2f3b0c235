"""Generated tables: the engine's answers against the same rules worked out in plain pandas and Python."""

from __future__ import annotations

import calendar
import datetime as dt
import itertools
import random

import pandas as pd
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from evalkit.cohort import select

# Month ends, leap days and their neighbours are where calendars go wrong.
DAYS = [dt.date(y, m, d) for y in (2019, 2020) for m in (1, 2, 3) for d in (1, 15, 27, 28, 31) if (m, d) != (2, 31)]
DAYS += [dt.date(2020, 2, 29), dt.date(2004, 2, 29), dt.date(2005, 2, 28), dt.date(2005, 3, 1)]
IDS = ["a", "b", "c", "d", "e"]
day = st.sampled_from(DAYS)
maybe_day = st.one_of(st.none(), day)
maybe_number = st.one_of(st.none(), st.integers(-3, 3))
text = st.one_of(st.none(), st.sampled_from(["care", "Care", "home", "été"]))
person = st.fixed_dictionaries({"born": maybe_day, "on": day, "n": maybe_number, "k": maybe_number, "word": text})
visit = st.fixed_dictionaries(
    {"person": st.sampled_from([*IDS, "z"]), "date": maybe_day, "v": maybe_number, "state": text}
)
spell = st.fixed_dictionaries(
    {"person": st.sampled_from([*IDS, "z"]), "start": maybe_day, "end": maybe_day, "state": text}
)


def both(a, b):
    return False if a is False or b is False else None if a is None or b is None else True


def either(a, b):
    return True if a is True or b is True else None if a is None or b is None else False


def holds(test, *values):
    return None if any(value is None for value in values) else test(*values)


def plus_months(date, months):
    year, month = divmod(date.year * 12 + date.month - 1 + months, 12)
    return date.replace(year=year, month=month + 1, day=min(date.day, calendar.monthrange(year, month + 1)[1]))


def age(born, on):
    """The number of birthdays up to and with that day, counted one by one."""
    years = on.year - born.year
    try:
        birthday = born.replace(year=on.year)
    except ValueError:
        birthday = dt.date(on.year, 3, 1)
    return years if birthday <= on else years - 1


def whole_months(start, end):
    months = -40 * 12
    while plus_months(start, months + 1) <= end:
        months += 1
    return months


def rows(p, table):
    return [row for row in table if row["person"] == p["person"]]


def in_days(p, row, low, high):
    return row["date"] is not None and low <= (row["date"] - p["on"]).days <= high


def in_months(p, row, low, high):
    return row["date"] is not None and plus_months(p["on"], low) <= row["date"] <= plus_months(p["on"], high)


def spell_day(p, row, low, high):
    """Whether one of the window's days is a day of the spell, by trying each."""
    window = (p["on"] + dt.timedelta(days=shift) for shift in range(low, high + 1))
    return row["start"] is not None and any(
        row["start"] <= d and (row["end"] is None or d < row["end"]) for d in window
    )


def total(values, empty):
    known = [value for value in values if value is not None]
    return sum(known) if known else (None if values else empty)


def mean(values):
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def at_end(p, visits, last):
    dated = [(row["date"], place, row["v"]) for place, row in enumerate(rows(p, visits)) if row["date"] is not None]
    return (max if last else min)(dated, key=lambda one: one[:2])[2] if dated else None


SHAPES = {
    "11 <= age(born, on) <= 15": lambda p, v, s: holds(lambda b: 11 <= age(b, p["on"]) <= 15, p["born"]),
    "age(born, on)": lambda p, v, s: holds(lambda b: age(b, p["on"]), p["born"]),
    "months(born, on)": lambda p, v, s: holds(lambda b: whole_months(b, p["on"]), p["born"]),
    "days(born, on)": lambda p, v, s: holds(lambda b: (p["on"] - b).days, p["born"]),
    "n / 2 + k > 1": lambda p, v, s: holds(lambda n, k: n / 2 + k > 1, p["n"], p["k"]),
    "n / k": lambda p, v, s: None if p["k"] == 0 else holds(lambda n, k: n / k, p["n"], p["k"]),
    "n < k <= 2": lambda p, v, s: both(holds(lambda n, k: n < k, p["n"], p["k"]), holds(lambda k: k <= 2, p["k"])),
    "not (n > 0 or word == 'care')": lambda p, v, s: holds(
        lambda x: not x, either(holds(lambda n: n > 0, p["n"]), holds(lambda w: w == "care", p["word"]))
    ),
    "word not in ('care', 'home') and not missing(n)": lambda p, v, s: both(
        holds(lambda w: w not in ("care", "home"), p["word"]), p["n"] is not None
    ),
    "word < 'b'": lambda p, v, s: holds(lambda w: w < "b", p["word"]),
    "exists(visits, v > n, days=(-30, 0))": lambda p, v, s: any(
        in_days(p, r, -30, 0) and holds(lambda a, b: a > b, r["v"], p["n"]) is True for r in rows(p, v)
    ),
    "count(visits, state == 'care')": lambda p, v, s: sum(r["state"] == "care" for r in rows(p, v)),
    "count(visits, months=(-1, 1))": lambda p, v, s: sum(in_months(p, r, -1, 1) for r in rows(p, v)),
    "exists(spells, state != 'home', days=(0, 20))": lambda p, v, s: any(
        spell_day(p, r, 0, 20) and r["state"] not in (None, "home") for r in rows(p, s)
    ),
    "count(spells, days=(-45, -1))": lambda p, v, s: sum(spell_day(p, r, -45, -1) for r in rows(p, s)),
    "sum(visits, v, days=(-60, 60))": lambda p, v, s: total([r["v"] for r in rows(p, v) if in_days(p, r, -60, 60)], 0),
    "mean(visits, v / 4)": lambda p, v, s: mean([holds(lambda x: x / 4, r["v"]) for r in rows(p, v)]),
    "first(visits, v)": lambda p, v, s: at_end(p, v, last=False),
    "last(visits, v)": lambda p, v, s: at_end(p, v, last=True),
}


def table(records, columns):
    return pd.DataFrame(records, columns=columns).astype(dict.fromkeys(columns, "object"))


def known(found):
    return [None if pd.isna(one) else one for one in found]


def agree(found, expected):
    if expected is None or found is None:
        return found is expected
    return abs(float(found) - float(expected)) < 1e-12


@settings(max_examples=40, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate])
@given(st.lists(person, min_size=1, max_size=5), st.lists(visit, max_size=12), st.lists(spell, max_size=8))
def test_every_shape_of_rule_gives_the_answer_worked_out_by_hand(people, visits, spells):
    people = [{"person": name, **one} for name, one in zip(IDS, people, strict=False)]
    tables = {
        "people": table(people, ["person", "born", "on", "n", "k", "word"]),
        "visits": table(visits, ["person", "date", "v", "state"]),
        "spells": table(spells, ["person", "start", "end", "state"]),
    }
    filler = {"person": "filler", "date": DAYS[0], "v": 1, "state": "care", "start": DAYS[0], "end": DAYS[0]}
    # A row of somebody else gives every column a kind, so that each rule means something in every drawing.
    for name in ("visits", "spells"):
        tables[name] = pd.concat([tables[name], pd.DataFrame([filler])[list(tables[name].columns)].astype("object")])
    tables["people"].loc[len(people)] = ["zz", DAYS[0], DAYS[0], 1, 1, "care"]
    index = {"table": "people", "date": "on"}
    plan = {"person": "person", "index": index, "columns": {f"c{place}": rule for place, rule in enumerate(SHAPES)}}
    found = select(tables, plan).table
    for place, (rule, by_hand) in enumerate(SHAPES.items()):
        answers = known(found[f"c{place}"])[: len(people)]
        expected = [by_hand(one, visits, spells) for one in people]
        assert all(map(agree, answers, expected)), (rule, answers, expected)


def test_the_cohort_is_the_same_in_any_order_of_the_rows():
    draw = random.Random(7)
    people = pd.DataFrame({"person": [f"p{n}" for n in range(200)], "n": [draw.random() for _ in range(200)]})
    visits = pd.DataFrame(
        {
            "person": [f"p{draw.randrange(200)}" for _ in range(3000)],
            "date": pd.Timestamp("2020-01-01") + pd.to_timedelta([draw.randrange(400) for _ in range(3000)], "D"),
            "v": [draw.random() for _ in range(3000)],
        }
    )
    plan = {
        "person": "person",
        "index": {"date": "2020-06-30"},
        "include": [{"says": "seen", "rule": "count(visits, days=(-90, 0)) >= 3"}],
        "columns": {"paid": "sum(visits, v)", "mean": "mean(visits, v, days=(-90, 90))"},
    }
    shuffled = {"people": people.sample(frac=1, random_state=1), "visits": visits.sample(frac=1, random_state=2)}
    pd.testing.assert_frame_equal(
        select({"people": people, "visits": visits}, plan).table, select(shuffled, plan).table, check_exact=True
    )
    in_window = visits[visits["date"].between("2020-04-01", "2020-06-30")].groupby("person").size()
    expected = sorted(in_window.index[in_window >= 3])
    assert select(shuffled, plan).table["person"].tolist() == expected


def test_ages_and_months_agree_on_every_pair_of_awkward_days():
    pairs = [
        {"person": f"{place:05d}", "born": a, "on": b} for place, (a, b) in enumerate(itertools.product(DAYS, DAYS))
    ]
    tables = {"people": pd.DataFrame(pairs).astype("object")}
    rules = {"age": "age(born, on)", "months": "months(born, on)", "days": "days(born, on)"}
    plan = {
        "person": "person",
        "index": {"date": "2020-01-01"},
        "columns": {f"c_{name}": r for name, r in rules.items()},
    }
    found = select(tables, plan).table
    assert found["c_age"].tolist() == [age(p["born"], p["on"]) for p in pairs]
    assert found["c_months"].tolist() == [whole_months(p["born"], p["on"]) for p in pairs]
    assert found["c_days"].tolist() == [(p["on"] - p["born"]).days for p in pairs]


def test_windows_agree_on_every_pair_of_neighbouring_days():
    near = [dt.date(2020, 2, 26) + dt.timedelta(days=shift) for shift in range(9)]
    spans = [(a, b) for a in near for b in [*near, None]]
    people = [{"person": f"{place:03d}", "on": on} for place, on in enumerate(near)]
    spells = [
        {"person": p["person"], "start": start, "end": end, "n": n}
        for p in people
        for n, (start, end) in enumerate(spans)
    ]
    visits = [{"person": p["person"], "date": date, "n": n} for p in people for n, date in enumerate(DAYS + near)]
    tables = {
        name: pd.DataFrame(rows).astype("object")
        for name, rows in (("people", people), ("spells", spells), ("visits", visits))
    }
    rules = {f"s{n}": f"count(spells, n == {n}, days=(-1, 2))" for n in range(len(spans))}
    rules |= {"d": "count(visits, days=(-2, 1))", "m": "count(visits, months=(-1, 0))"}
    found = select(tables, {"person": "person", "index": {"table": "people", "date": "on"}, "columns": rules}).table
    for place, p in enumerate(people):
        mine = [row for row in spells if row["person"] == p["person"]]
        by_hand = [int(spell_day(p, row, -1, 2)) for row in mine]
        assert [int(found.loc[place, f"s{n}"]) for n in range(len(spans))] == by_hand
        seen = [row for row in visits if row["person"] == p["person"]]
        assert found.loc[place, "d"] == sum(in_days(p, row, -2, 1) for row in seen)
        assert found.loc[place, "m"] == sum(in_months(p, row, -1, 0) for row in seen)
