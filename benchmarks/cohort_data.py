"""A drawn register in Parquet for `cohort.py`: people, referrals, events and assessments, written a piece at a time."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

DAY_0 = np.datetime64("2015-01-01")
LAST_REFERRAL, LAST_DAY = 2000, 2200
PIECE = 1_000_000
KINDS = {
    "visit": 0.30,
    "call": 0.20,
    "edge": 0.15,
    "safeguarding": 0.15,
    "school": 0.08,
    "police": 0.05,
    "health": 0.05,
    "housing": 0.02,
}
AREAS = ("Avon", "Borders", "Central", "Dales", "East", "Fens", "Glen", "Hills", "Isles", "Lakes")
REFERRERS = ("school", "police", "health", "family", "self")
PARTS = 4


def sizes(events: int) -> dict[str, int]:
    """How many rows each table has; at 20 million events 1.5 million people and 1.2 million referrals."""
    people = max(events * 3 // 40, 100)
    return {"people": people, "referrals": people * 4 // 5, "events": events, "assessments": people * 2}


def make(folder: Path, events: int) -> Path:
    """Draw the register once; a folder that already holds it is left as it is.

    What the rules must know of it stands in register.json, written last, so that reading it costs no import.
    """
    home = folder / f"register_{events}"
    if (home / "register.json").exists():
        return home
    home.mkdir(parents=True, exist_ok=True)
    rng, rows = np.random.default_rng(1), sizes(events)
    _write([home / "people.parquet"], _people(rng, rows["people"]))
    _write([home / "referrals.parquet"], _referrals(rng, rows))
    _write([home / "assessments.parquet"], _assessments(rng, rows))
    _write(
        [home / "events.parquet", *(home / f"events_{part + 1}.parquet" for part in range(PARTS))], _events(rng, rows)
    )
    about = {"end": str(DAY_0 + LAST_DAY), "kinds": list(KINDS), "rows": rows}
    (home / "register.json").write_text(json.dumps(about, indent=2) + "\n")
    return home


def _write(paths: list[Path], pieces: Iterator[pa.Table]) -> None:
    """Write pieces to the first file, and in turn to the others, a row group each: never more than one in memory."""
    writers: dict[Path, pq.ParquetWriter] = {}
    others = paths[1:]
    for place, piece in enumerate(pieces):
        for path in [paths[0], *others[place % PARTS : place % PARTS + 1]]:
            if path not in writers:
                writers[path] = pq.ParquetWriter(path, piece.schema)
            writers[path].write_table(piece)
    for writer in writers.values():
        writer.close()


def _pieces(rows: int) -> list[int]:
    """The sizes of the pieces; at least one for each of the four tables of events."""
    piece = min(PIECE, max(rows // (2 * PARTS), 1))
    return [min(piece, rows - start) for start in range(0, rows, piece)]


def _days(rng: np.random.Generator, low: int, high: int, rows: int) -> pa.Array:
    """Days from low up to high, counted from day 0."""
    return pa.array(DAY_0 + rng.integers(low, high, rows), type=pa.date32())


def _words(rng: np.random.Generator, words: tuple[str, ...], rows: int, shares: list[float] | None = None) -> pa.Array:
    """Words of a short list, as plain text."""
    drawn = pa.array(rng.choice(len(words), rows, p=shares).astype("int8"))
    return pa.DictionaryArray.from_arrays(drawn, pa.array(words)).cast(pa.string())


def _some(rng: np.random.Generator, share: float, days: pa.Array) -> pa.Array:
    """Keep a share of the days; the others are missing."""
    return pa.array(days.to_numpy(zero_copy_only=False), mask=rng.random(len(days)) >= share, type=pa.date32())


def _people(rng: np.random.Generator, rows: int) -> Iterator[pa.Table]:
    first = 1
    for n in _pieces(rows):
        died, moved = (_some(rng, share, _days(rng, 0, LAST_DAY, n)) for share in (0.005, 0.15))
        ids = pa.array(np.arange(first, first + n))
        yield pa.table({"person": ids, "born": _days(rng, -6500, -2000, n), "died_on": died, "moved_on": moved})
        first += n


def _referrals(rng: np.random.Generator, rows: dict[str, int]) -> Iterator[pa.Table]:
    for n in _pieces(rows["referrals"]):
        yield pa.table(
            {
                "person": rng.integers(1, rows["people"] + 1, n),
                "referred_on": _days(rng, 0, LAST_REFERRAL, n),
                "area": _words(rng, AREAS, n),
                "referrer": _words(rng, REFERRERS, n),
            }
        )


def _events(rng: np.random.Generator, rows: dict[str, int]) -> Iterator[pa.Table]:
    for n in _pieces(rows["events"]):
        yield pa.table(
            {
                "person": rng.integers(1, rows["people"] + 1, n),
                "happened_on": _days(rng, -600, LAST_DAY, n),
                "kind": _words(rng, tuple(KINDS), n, list(KINDS.values())),
                "value": 5.0 * rng.integers(1, 37, n),
            }
        )


def _assessments(rng: np.random.Generator, rows: dict[str, int]) -> Iterator[pa.Table]:
    for n in _pieces(rows["assessments"]):
        yield pa.table(
            {
                "person": rng.integers(1, rows["people"] + 1, n),
                "assessed_on": _days(rng, -600, LAST_DAY, n),
                "score": rng.integers(0, 41, n),
            }
        )


if __name__ == "__main__":
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("folder", type=Path)
    given.add_argument("events", type=int)
    asked = given.parse_args()
    make(asked.folder, asked.events)
