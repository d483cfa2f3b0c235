"""The cohort's rules against hand-written DuckDB SQL and pandas, on a drawn register, in the same run.

Usage: python benchmarks/cohort.py [events], one million by default.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import duckdb
import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from evalkit import cohort

START = np.datetime64("2015-01-01")
DEFINITION = {
    "person": "person",
    "index": {"table": "referrals", "date": "referred_on", "pick": "first"},
    "people": "people",
    "include": [
        {"says": "aged 11 to 17 at referral", "rule": "11 <= age(born, referred_on) <= 17"},
        {
            "says": "edge of care within 90 days",
            "rule": "exists(events, kind == 'edge', on='happened_on', days=(0, 90))",
        },
    ],
    "exclude": [
        {
            "says": "open safeguarding concern",
            "rule": "exists(events, kind == 'safeguarding', on='happened_on', days=(-365, 0))",
        }
    ],
}
SQL = """
with index as (
  select person, min(referred_on) as referred_on from referrals group by person
), asked as (
  select index.person,
    bool_or(kind = 'edge' and happened_on between referred_on and referred_on + interval 90 day) as edge,
    bool_or(kind = 'safeguarding' and happened_on between referred_on - interval 365 day and referred_on) as concern
  from index join events using (person) group by index.person
)
select count(*) from index join people using (person) left join asked using (person)
where date_diff('year', born, referred_on)
      - (strftime(referred_on, '%m%d') < strftime(born, '%m%d'))::int between 11 and 17
  and coalesce(edge, false) and not coalesce(concern, false)
"""


def draw(events: int) -> dict[str, pd.DataFrame]:
    """Draw people, referrals and events."""
    rng = np.random.default_rng(1)
    people = max(events // 13, 100)
    ids = np.char.add("p", np.arange(people).astype(str))
    days = lambda low, high, n: (START + rng.integers(low, high, n).astype("timedelta64[D]")).astype("datetime64[us]")  # noqa: E731
    return {
        "people": pd.DataFrame({"person": ids, "born": days(-7000, -2500, people)}),
        "referrals": pd.DataFrame(
            {"person": rng.choice(ids, people * 3 // 2), "referred_on": days(0, 2000, people * 3 // 2)}
        ),
        "events": pd.DataFrame(
            {
                "person": rng.choice(ids, events),
                "happened_on": days(-400, 2400, events),
                "kind": rng.choice(["visit", "call", "edge", "safeguarding"], events, p=[0.5, 0.4, 0.08, 0.02]),
            }
        ),
    }


def by_sql(tables: dict[str, pd.DataFrame]) -> int:
    """What an engineer would write by hand."""
    with duckdb.connect() as connection:
        for name, table in tables.items():
            connection.register(name, table)
        return connection.execute(SQL).fetchone()[0]


def by_pandas(tables: dict[str, pd.DataFrame]) -> int:
    """What an evaluator would write in a notebook."""
    index = tables["referrals"].groupby("person", as_index=False)["referred_on"].min().merge(tables["people"])
    born, on = index["born"].dt, index["referred_on"].dt
    age = on.year - born.year - ((on.month < born.month) | ((on.month == born.month) & (on.day < born.day)))
    index = index[age.between(11, 17)]
    events = tables["events"].merge(index, on="person")
    since = (events["happened_on"] - events["referred_on"]).dt.days
    edge = events.loc[events["kind"].eq("edge") & since.between(0, 90), "person"].unique()
    concern = events.loc[events["kind"].eq("safeguarding") & since.between(-365, 0), "person"].unique()
    return int((index["person"].isin(edge) & ~index["person"].isin(concern)).sum())


def by_evalkit(tables: dict[str, pd.DataFrame]) -> int:
    """The same rules in the evaluator's words, with flow and reasons."""
    return len(cohort.select(tables, DEFINITION).table)


def main() -> None:
    """Time the three and hold them to the same answer."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    tables = draw(events)
    ways: dict[str, Callable[[dict[str, pd.DataFrame]], int]] = {
        "evalkit, with flow and reasons": by_evalkit,
        "hand-written DuckDB SQL, count only": by_sql,
        "pandas": by_pandas,
    }
    shown = Table(title=f"{events:,} events")
    for column in ("", "people", "seconds"):
        shown.add_column(column, justify="right" if column else "left")
    answers = set()
    for name, way in ways.items():
        start = time.perf_counter()
        people = way(tables)
        answers.add(people)
        shown.add_row(name, f"{people:,}", f"{time.perf_counter() - start:.2f}")
    Console().print(shown)
    if len(answers) > 1:
        raise SystemExit("the three do not agree")


if __name__ == "__main__":
    main()
