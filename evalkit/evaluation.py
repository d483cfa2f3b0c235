"""The hallway: walks every room that the study has data for, and says why of every room that it has not."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from evalkit.cohort import Cohort, build_cohort
from evalkit.contract import Contract, settle_contract
from evalkit.counterfactual import Effects, effects_from_areas, effects_from_rates, estimate_effects
from evalkit.errors import DataError, Flag
from evalkit.outcomes import Outcomes, score_outcomes
from evalkit.study import Study, read_study
from evalkit.value import Value, appraise_value

Noun = Study | Cohort | Outcomes | Effects | Contract | Value

ABSENT = {
    "cohort": "There are no person-level data behind this report: nobody is counted, only published figures are used.",
    "outcomes": "No measures of individual people are available.",
    "effects": "There is no comparison: nothing can be said about what would have happened anyway.",
    "contract": "No payments are part of this study.",
    "value": "No impact map was drawn up: what the outcomes were worth is not known.",
}
OF_AREAS = (
    "The figures behind this report are of areas and periods, not of people: nobody is counted by it, and who lies "
    "behind the figures is not known to it."
)
_SEVERITY = {"serious": 0, "caution": 1, "note": 2}


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Everything known about one SIB, reached from the last noun that was made.

    Parameters
    ----------
    noun : Study, Cohort, Outcomes, Effects, Contract or Value
        Each noun remembers the noun it was made from, so the last one holds the whole walk and a mixture of
        stale parts cannot be written down.
    """

    noun: Noun

    @cached_property
    def _walk(self) -> dict[type, Noun]:
        return {type(noun): noun for noun in _back(self.noun)}

    @property
    def study(self) -> Study:
        """The plan."""
        return self._walk[Study]  # type: ignore[return-value]

    @property
    def cohort(self) -> Cohort | None:
        """Who was counted."""
        return self._walk.get(Cohort)  # type: ignore[return-value]

    @property
    def outcomes(self) -> Outcomes | None:
        """What was measured."""
        return self._walk.get(Outcomes)  # type: ignore[return-value]

    @property
    def effects(self) -> Effects | None:
        """What happened against what would have happened anyway."""
        return self._walk.get(Effects)  # type: ignore[return-value]

    @property
    def contract(self) -> Contract | None:
        """What was owed and paid."""
        return self._walk.get(Contract)  # type: ignore[return-value]

    @property
    def value(self) -> Value | None:
        """What it was worth."""
        return self._walk.get(Value)  # type: ignore[return-value]

    @property
    def absent(self) -> dict[str, str]:
        """Why a room is empty, in one plain sentence each; only the rooms that are."""
        rooms = ("cohort", "outcomes", "effects", "contract", "value")
        plan = self.study.counterfactual
        why = ABSENT | ({"cohort": OF_AREAS} if plan is not None and plan.areas is not None else {})
        return {room: why[room] for room in rooms if getattr(self, room) is None}

    @cached_property
    def flags(self) -> tuple[Flag, ...]:
        """The caveats the study itself knows and those of every room walked through, serious ones first, none twice."""
        known = [Flag("study", one.level, one.text, one.detail, one.about) for one in getattr(self.study, "flag", ())]
        found = [flag for noun in reversed(list(self._walk.values())) for flag in getattr(noun, "flags", ())]
        return tuple(sorted(dict.fromkeys([*known, *found]), key=lambda flag: _SEVERITY[flag.level]))

    def _repr_html_(self) -> str:
        rooms = [room for room in ABSENT if room not in self.absent]
        many = "1 flag" if len(self.flags) == 1 else f"{len(self.flags)} flags"
        return f"<p><b>{self.study.title}</b>: {', '.join(rooms) or 'a plan only'}; {many}.</p>"


def _back(noun: Noun | None) -> Iterator[Noun]:
    """Walk from a noun to the study, each noun to the one it was made from."""
    while noun is not None:
        yield noun
        made_from = {Value: ("contract", "effects", "study"), Contract: ("effects", "study"), Outcomes: ("cohort",)}
        names = made_from.get(type(noun), ("outcomes", "study"))
        noun = (
            None
            if isinstance(noun, Study)
            else next((n for n in (getattr(noun, a, None) for a in names) if n is not None), None)
        )


def evaluate(folder: str | Path | Study) -> Evaluation:
    """Walk every room that the study has data for.

    Parameters
    ----------
    folder : path or Study
        The study's folder (or its study.toml), or a study already read.

    Returns
    -------
    Evaluation
        The last noun made and, through it, all others.

    Raises
    ------
    StudyError, DataError, EstimationError
        The plan is wrong, the data contradict it, or the data cannot support what was asked.
    """
    study = folder if isinstance(folder, Study) else read_study(folder)
    noun: Noun = study
    if study.cohort is not None:
        noun = build_cohort(study)
        if study.measure:
            noun = score_outcomes(noun)
    effects = _effects(study, noun)
    noun = effects or noun
    if study.contract is not None:
        noun = settle_contract(effects or study)
    if study.value is not None:
        noun = appraise_value(noun if isinstance(noun, Effects | Contract) else study)
    return Evaluation(noun)


def _effects(study: Study, noun: Noun) -> Effects | None:
    if study.counterfactual is None:
        return None
    if study.counterfactual.areas is not None:
        return effects_from_areas(study)
    if isinstance(noun, Outcomes) and study.counterfactual.rates is None:
        return estimate_effects(noun)
    return effects_from_rates(study)


# ---------------------------------------------------------------- the written trace


def processed_folder(study: Study) -> Path:
    """Where the trace of a study is written: data/processed/<id> beside data/raw."""
    raw = study.folder.parent
    return (raw.parent if raw.name == "raw" else raw) / "processed" / study.id


def trace_tables(evaluation: Evaluation) -> dict[str, pd.DataFrame]:
    """List the tables of each stage by the name of their file.

    Parameters
    ----------
    evaluation : Evaluation
        A finished walk.

    Returns
    -------
    dict of str to DataFrame
        ``cohort`` and ``outcomes`` are personal data; the others hold no person.
    """
    cohort, outcomes, effects = evaluation.cohort, evaluation.outcomes, evaluation.effects
    tables: dict[str, pd.DataFrame] = {}
    if cohort is not None:
        tables |= {"cohort": cohort.table, "cohort_flow": cohort.flow, "cohort_reasons": cohort.reasons}
    if outcomes is not None:
        tables |= {"outcomes": outcomes.table, "outcomes_summary": outcomes.summary}
    if effects is not None:
        tables |= {"effects": effects.table, "effects_also": effects.also, "effects_measures": effects.measures}
    if evaluation.contract is not None:
        tables |= {"contract": evaluation.contract.table, "contract_ledger": evaluation.contract.ledger}
    if evaluation.value is not None:
        tables |= {"value_lines": evaluation.value.lines, "value_by_year": evaluation.value.by_year}
    return tables | {
        "flags": pd.DataFrame([vars(flag) for flag in evaluation.flags], columns=list(Flag.__annotations__))
    }


def write_trace(evaluation: Evaluation, folder: str | os.PathLike[str] | None = None) -> Path:
    """Write each stage's tables, whole or not at all.

    Parameters
    ----------
    evaluation : Evaluation
        A finished walk.
    folder : path, optional
        Default: data/processed/<id>. An older trace there is replaced.

    Returns
    -------
    Path
        The folder written: one parquet file per table and ``trace.json``, which lists them with their row counts.
    """
    target = Path(folder) if folder is not None else processed_folder(evaluation.study)
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    tables = trace_tables(evaluation)
    for name, table in tables.items():
        _storable(table).to_parquet(aside / f"{name}.parquet")
    listing = {"study": evaluation.study.id, "tables": {name: len(table) for name, table in tables.items()}}
    (aside / "trace.json").write_text(json.dumps(listing, indent=1), encoding="utf-8")
    _replace(aside, target)
    return target


def read_trace(folder: str | os.PathLike[str]) -> dict[str, pd.DataFrame]:
    """Read a written trace back.

    Parameters
    ----------
    folder : path
        What `write_trace` returned.

    Returns
    -------
    dict of str to DataFrame
        The tables by name.

    Raises
    ------
    DataError
        The folder holds no trace.
    """
    listing = Path(folder) / "trace.json"
    if not listing.is_file():
        raise DataError(f"{folder} holds no trace (no trace.json). Run the study first: evalkit run STUDY.")
    names = json.loads(listing.read_text(encoding="utf-8"))["tables"]
    return {name: pd.read_parquet(Path(folder) / f"{name}.parquet") for name in names}


def _storable(table: pd.DataFrame) -> pd.DataFrame:
    """Columns that mix kinds (a number here, a word there) become text, since parquet has one kind per column."""
    text = []
    for column in [column for column in map(str, table.columns) if table[column].dtype.kind == "O"]:
        kinds = {type(cell) for cell in table[column].dropna()}
        if len(kinds) > 1 or kinds & {list, dict, tuple}:
            text.append(column)
    return table.assign(**{column: table[column].map(str, na_action="ignore") for column in text})


def _replace(aside: Path, target: Path) -> None:
    """Put the finished folder in the place of the old one; readers see the one or the other, never a mixture."""
    old = target.with_name(f".{target.name}.{os.getpid()}.old")
    if target.exists():
        target.rename(old)
    aside.rename(target)
    shutil.rmtree(old, ignore_errors=True)
