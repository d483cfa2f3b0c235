"""Ways to find the same cohort, each run in a process of its own by `cohort.py`.

Every way answers with how many people are left after each rule (see STEPS). Usage:
python benchmarks/cohort_peers.py WAY FOLDER, where WAY is a name in WAYS or growth:TABLES:RULES.
"""

from __future__ import annotations

import datetime as dt
import json
import resource
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

STEPS = (
    "first referral only",
    "aged 11 to 17 at referral",
    "edge of care within 90 days",
    "no safeguarding concern in the 365 days before",
    "followed for 12 months",
    "assessed at baseline",
)
Left = list[int]
OUT = ("died_on", "moved_on")


def about(folder: Path) -> dict[str, Any]:
    """What the rules must know of the register: its last day and the kinds of events."""
    return json.loads((folder / "register.json").read_text())


# ---------------------------------------------------------------- the rules in each way of writing them

# The same opening for all three: one row per person with the first referral, and what needs no other table.
INDEX = """
with firsts as (
  select person, min(referred_on) as referred_on from '{folder}/referrals.parquet' group by person
), candidates as (
  select person, referred_on,
    date_part('year', referred_on) - date_part('year', born)
      - (strftime(referred_on, '%m%d') < strftime(born, '%m%d'))::int between 11 and 17 as aged,
    referred_on + 365 <= date '{end}' and coalesce(died_on > referred_on + 365, true)
      and coalesce(moved_on > referred_on + 365, true) as followed
  from firsts join '{folder}/people.parquet' using (person)
)"""
COUNTS = """
select count(*),
  count(*) filter (aged),
  count(*) filter (aged and edge),
  count(*) filter (aged and edge and not concern),
  count(*) filter (aged and edge and not concern and followed),
  count(*) filter (aged and edge and not concern and followed and baseline)
from asked"""
EVENTS, ASSESSMENTS = "'{folder}/events.parquet' e", "'{folder}/assessments.parquet' s"
IN_EDGE = "e.kind = 'edge' and e.happened_on between c.referred_on and c.referred_on + 90"
IN_CONCERN = "e.kind = 'safeguarding' and e.happened_on between c.referred_on - 365 and c.referred_on"
IN_BASELINE = "s.assessed_on between c.referred_on - 90 and c.referred_on + 7"
JOINED = f"""
, edge as (
  select distinct c.person from candidates c join {EVENTS} on e.person = c.person where {IN_EDGE}
), concern as (
  select distinct c.person from candidates c join {EVENTS} on e.person = c.person where {IN_CONCERN}
), baseline as (
  select distinct c.person from candidates c join {ASSESSMENTS} on s.person = c.person where {IN_BASELINE}
), asked as (
  select aged, followed, edge.person is not null as edge, concern.person is not null as concern,
    baseline.person is not null as baseline
  from candidates c
  left join edge on edge.person = c.person
  left join concern on concern.person = c.person
  left join baseline on baseline.person = c.person
)"""
CORRELATED = f"""
, asked as (
  select aged, followed,
    exists (select 1 from {EVENTS} where e.person = c.person and {IN_EDGE}) as edge,
    exists (select 1 from {EVENTS} where e.person = c.person and {IN_CONCERN}) as concern,
    exists (select 1 from {ASSESSMENTS} where s.person = c.person and {IN_BASELINE}) as baseline
  from candidates c
)"""
GROUPED = f"""
, of_events as (
  select c.person, bool_or({IN_EDGE}) as edge, bool_or({IN_CONCERN}) as concern
  from candidates c join {EVENTS} on e.person = c.person
  where e.kind in ('edge', 'safeguarding') group by c.person
), of_assessments as (
  select c.person, bool_or({IN_BASELINE}) as baseline
  from candidates c join {ASSESSMENTS} on s.person = c.person group by c.person
), asked as (
  select aged, followed, coalesce(edge, false) as edge, coalesce(concern, false) as concern,
    coalesce(baseline, false) as baseline
  from candidates
  left join of_events using (person)
  left join of_assessments using (person)
)"""
# Each rule joined only to those whom the rules before it left: less work, and no answer for those who left early.
NARROWED = f"""
, aged as (select * from candidates where aged
), edge as (
  select distinct c.* from aged c join {EVENTS} on e.person = c.person where {IN_EDGE}
), concern as (
  select distinct c.person from edge c join {EVENTS} on e.person = c.person where {IN_CONCERN}
), safe as (select * from edge anti join concern using (person)
), followed as (select * from safe where followed
), baseline as (
  select distinct c.person from followed c join {ASSESSMENTS} on s.person = c.person where {IN_BASELINE}
)
select (select count(*) from candidates), (select count(*) from aged), (select count(*) from edge),
  (select count(*) from safe), (select count(*) from followed), (select count(*) from baseline)"""


def definition(end: str) -> dict[str, Any]:
    """The six rules in the evaluator's words."""
    seen = [f"referred_on + 365 <= '{end}'", *(f"(missing({out}) or {out} > referred_on + 365)" for out in OUT)]
    rules = (
        "11 <= age(born, referred_on) <= 17",
        "exists(events, kind == 'edge', days=(0, 90))",
        "not exists(events, kind == 'safeguarding', days=(-365, 0))",
        " and ".join(seen),
        "exists(assessments, days=(-90, 7))",
    )
    return {
        "person": "person",
        "people": "people",
        "index": {"table": "referrals", "date": "referred_on", "pick": "first"},
        "include": [{"says": says, "rule": rule} for says, rule in zip(STEPS[1:], rules, strict=True)],
    }


# ---------------------------------------------------------------- the ways


def by_sql(query: str) -> Callable[[Path], Callable[[], Left]]:
    """A way by hand-written SQL."""

    def prepare(folder: Path) -> Callable[[], Left]:
        import duckdb

        text = query.format(folder=folder, end=about(folder)["end"])

        def run() -> Left:
            with duckdb.connect() as engine:
                return list(engine.execute(text).fetchone() or ())

        return run

    return prepare


def by_pandas(lean: bool) -> Callable[[Path], Callable[[], Left]]:
    """What an evaluator would write in a notebook: each file's needed columns, then rule after rule.

    Plain `read_parquet` makes a Python object of every date; lean reads dates as such and only the events asked about.
    """

    def prepare(folder: Path) -> Callable[[], Left]:
        import pandas as pd
        import pyarrow.parquet  # noqa: F401

        end = pd.Timestamp(about(folder)["end"])

        def read(table: str, *columns: str) -> pd.DataFrame:
            path, wanted = folder / f"{table}.parquet", ["person", *columns]
            if lean:
                only = [("kind", "in", ["edge", "safeguarding"])] if "kind" in columns else None
                return pd.read_parquet(path, columns=wanted, filters=only, to_pandas_kwargs={"date_as_object": False})
            frame = pd.read_parquet(path, columns=wanted)
            return frame.assign(**{name: pd.to_datetime(frame[name]) for name in columns if name != "kind"})

        return lambda: _in_turn(read, end)

    return prepare


def _in_turn(read: Callable[..., pd.DataFrame], end: pd.Timestamp) -> Left:
    """The rules in pandas, each asked of those whom the rules before it left."""
    index = read("referrals", "referred_on").groupby("person", as_index=False)["referred_on"].min()
    index = index.merge(read("people", "born", *OUT), on="person")
    left = [len(index)]
    on, born = index["referred_on"].dt, index["born"].dt
    before = (on.month < born.month) | ((on.month == born.month) & (on.day < born.day))
    index = index[(on.year - born.year - before).between(11, 17)]
    left.append(len(index))
    events = read("events", "happened_on", "kind")
    index = index[_near(index, events[events["kind"] == "edge"], "happened_on", 0, 90)]
    left.append(len(index))
    index = index[~_near(index, events[events["kind"] == "safeguarding"], "happened_on", -365, 0)]
    left.append(len(index))
    until = index["referred_on"] + dt.timedelta(days=365)
    gone = index[list(OUT)].le(until, axis=0).any(axis=1)
    index = index[(until <= end) & ~gone]
    left.append(len(index))
    index = index[_near(index, read("assessments", "assessed_on"), "assessed_on", -90, 7)]
    return [*left, len(index)]


def _near(index: pd.DataFrame, rows: pd.DataFrame, on: str, low: int, high: int) -> pd.Series:
    """Whether each person has a row so many days from the referral."""
    both = rows.merge(index[["person", "referred_on"]], on="person")
    earliest, latest = (both["referred_on"] + dt.timedelta(days=days) for days in (low, high))
    return index["person"].isin(both.loc[both[on].between(earliest, latest), "person"])


def by_evalkit(folder: Path) -> Callable[[], Left]:
    """The same rules in the evaluator's words; the flow and everybody left, a row each, are made and taken."""
    select, tables = _evalkit(folder, "people", "referrals", "events", "assessments")

    def run() -> Left:
        cohort = select(tables, definition(about(folder)["end"]))
        flow = cohort.flow[cohort.flow["kind"].isin(["pick", "include"])]
        left = [int(people) for people in flow["people"]]
        if len(cohort.table) != left[-1]:
            raise SystemExit("evalkit's table and its flow do not agree")
        return left

    return run


def _evalkit(folder: Path, *tables: str) -> tuple[Callable, dict[str, str]]:
    """Select, with all that it imports on the way imported before the clock starts, as for every other way."""
    import pandas as pd
    import pyarrow.parquet  # noqa: F401
    import scipy.special  # noqa: F401

    from evalkit.cohort import select

    people = pd.DataFrame({"person": ["a", "b"], "on": ["2020-01-01", "2020-07-01"]})
    index = {"table": "people", "date": "on"}
    select({"people": people}, {"person": "person", "index": index, "columns": {"n": "count(people, days=(0, 1))"}})
    return select, {name: str(folder / f"{name}.parquet") for name in tables}


# ---------------------------------------------------------------- growth


def rules_for(tables: list[str], kinds: list[str], rules: int) -> list[dict[str, str]]:
    """Draw so many rules that differ in function, kind of event and window; as exclusions most people pass them."""
    asked = []
    for place in range(rules):
        table, kind = tables[place % len(tables)], kinds[(place * 3) % len(kinds)]
        window = f"days=({-30 - 7 * place}, {place})" if (place // 4) % 2 else f"months=({-1 - place % 24}, 0)"
        rows = f"kind == '{kind}', {window}"
        rule = (
            f"exists({table}, value > 175 and {rows})",
            f"count({table}, {rows}) > 12",
            f"last({table}, value, {rows}) > 175",
            f"mean({table}, value, {rows}) > 170",
        )[(place + place // 4) % 4]
        asked.append({"says": f"rule {place + 1}", "rule": rule})
    return asked


def by_growth(tables: int, rules: int) -> Callable[[Path], Callable[[], Left]]:
    """So many rules over one table, or in turn over four."""

    def prepare(folder: Path) -> Callable[[], Left]:
        names = ["events"] if tables == 1 else [f"events_{part}" for part in range(1, tables + 1)]
        select, paths = _evalkit(folder, "people", "referrals", *names)
        asked = {key: value for key, value in definition("").items() if key != "include"}
        asked["exclude"] = rules_for(names, about(folder)["kinds"], rules)

        def run() -> Left:
            cohort = select(paths, asked)
            return [len(cohort.table), int(cohort.flow["people"].iloc[-1])]

        return run

    return prepare


# ---------------------------------------------------------------- measuring

WAYS: dict[str, Callable[[Path], Callable[[], Left]]] = {
    "joined": by_sql(INDEX + JOINED + COUNTS),
    "narrowed": by_sql(INDEX + NARROWED),
    "correlated": by_sql(INDEX + CORRELATED + COUNTS),
    "grouped": by_sql(INDEX + GROUPED + COUNTS),
    "pandas": by_pandas(lean=False),
    "pandas, lean": by_pandas(lean=True),
    "evalkit": by_evalkit,
}


def way_named(name: str) -> Callable[[Path], Callable[[], Left]]:
    """A way by its name; growth:4:50 is 50 rules over four tables."""
    if not name.startswith("growth:"):
        return WAYS[name]
    tables, rules = (int(part) for part in name.split(":")[1:])
    return by_growth(tables, rules)


def peak() -> float:
    """The most memory this process ever held, in MB.

    Linux hands ru_maxrss on from the parent through fork and exec; the high-water mark in /proc starts anew.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1024 / (1024 if sys.platform == "darwin" else 1)


def main() -> None:
    """Prepare (imports), then run one way on the clock, and print what was found as JSON."""
    times = [time.perf_counter()]
    run = way_named(sys.argv[1])(Path(sys.argv[2]))
    before, cpu = peak(), time.process_time()
    times.append(time.perf_counter())
    left = run()
    times.append(time.perf_counter())
    imports, seconds = (later - earlier for earlier, later in pairwise(times))
    found = {"left": left, "seconds": seconds, "cpu": time.process_time() - cpu, "imports": imports}
    print(json.dumps(found | {"peak": peak(), "before": before}))  # noqa: T201


if __name__ == "__main__":
    main()
