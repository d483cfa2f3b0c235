"""The cohort: who is counted, and who left at which rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from evalkit.errors import DataError, Flag, StudyError, did_you_mean
from evalkit.words import number

if TYPE_CHECKING:
    from evalkit.cohort.session import Session
    from evalkit.study import Study


class SqlTable(pd.DataFrame):
    """The SQL of each rule: kind, says, rule, sql; ``sql["aged 11 to 17"]`` is the SQL of that rule alone."""

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    def __getitem__(self, key):  # type: ignore[no-untyped-def, override]
        """A column, or by the sentence of a rule or the name of a new column its SQL."""
        if isinstance(key, str) and key not in self.columns:
            found = super().__getitem__("sql")[super().__getitem__("says") == key]
            if len(found):
                return found.iloc[0]
        return super().__getitem__(key)


class Tables(Mapping[str, pd.DataFrame]):
    """The tables of a cohort by name: those in memory whole, of the others only the rows of people in the cohort."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._read: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        """The rows of a table; those that lie elsewhere are fetched when first asked for."""
        if name not in self._session.scope.tables:
            raise KeyError(name)
        if name not in self._read:
            self._read[name] = self._session.rows_of_table(name)
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        """Their names, in the order of the study."""
        return iter(self._session.scope.tables)

    def __len__(self) -> int:
        """How many tables."""
        return len(self._session.scope.tables)

    def rows(self) -> dict[str, int]:
        """How many rows each table has, whoever they are of."""
        return {name: table.rows for name, table in self._session.scope.tables.items()}


@dataclass(frozen=True, eq=False)
class Cohort:
    """Everyone counted, one row each, and how the cohort came about.

    Parameters
    ----------
    study : Study or None
        The study it was built for; None when selected from plain tables.
    table : DataFrame, shape (n_people, n_columns)
        One row per person (with ``pick = "every"`` per person-episode), sorted by person: person, index_date, where the
        plan has them episode, arm, treated, group, cluster and strata, in_<set> (yes or no), then the new columns, the
        columns of the index row and those of people. Personal data.
    flow : DataFrame, one row per step
        step, kind ("start", "pick", "include", "exclude", "arm", "group"), says, rule, left_out, unknown, people,
        treated, comparison, one column per group shown beside, failed, only. ``unknown`` counts, at an include rule and
        at the arm, those leaving because it could not be answered; at an exclude rule those who stay although it could
        not be answered. ``failed`` counts all who do not meet a rule, whatever the order of the rules; ``only`` those
        who fail that rule and no other.
    flags : tuple of Flag
        Caveats that must reach the reader.
    tables : mapping of str to DataFrame
        The tables, checked: ids as text, ISO dates as dates. Personal data.
    sets : DataFrame
        set, says, rule, people, lost, unknown, treated, comparison: everyone eligible, then each analysis set; ``lost``
        counts those of the set before who are not in it.
    drift : DataFrame
        quarter, series, value, people, of, share: referrals, the share eligible, starts, the plan, the mix.
    beside : DataFrame
        People of the groups shown beside, as ``table`` has those of the arms. Personal data.
    """

    study: Study | None
    table: pd.DataFrame
    flow: pd.DataFrame
    flags: tuple[Flag, ...]
    tables: Mapping[str, pd.DataFrame]
    sets: pd.DataFrame
    drift: pd.DataFrame
    beside: pd.DataFrame
    _session: Session = field(repr=False)

    @cached_property
    def reasons(self) -> pd.DataFrame:
        """Every rule that each person who started does not meet, whatever the order of the rules: person, rule, answer.

        A person whom an exclude rule takes out has the answer "no"; "unknown" says that it could not be answered.
        Fetched from the engine when first asked for. Personal data.
        """
        return self._session.reasons()

    @cached_property
    def baseline(self) -> pd.DataFrame:
        """Table 1: the arms at the start, column by column, with standardised differences and what is missing.

        column, value, kind, then per arm n, missing, mean or share, sd, then difference; empty without arms.
        """
        from evalkit.cohort.described import baseline_of

        return baseline_of(self)

    @cached_property
    def selection(self) -> pd.DataFrame:
        """How those eligible who did not start differ from those who did; empty without a first analysis set."""
        from evalkit.cohort.described import selection_of

        return selection_of(self)

    @cached_property
    def sql(self) -> pd.DataFrame:
        """What each rule and new column was turned into, in the engine's own SQL: kind, says, rule, sql.

        Each text runs by itself, so that a data provider can audit it; ``sql["aged 11 to 17"]`` is that of one rule.
        """
        return SqlTable(self._session.audit())

    @cached_property
    def windows(self) -> pd.DataFrame:
        """The windows that rules look at: kind, says, table, on, unit, low, high (missing: no limit)."""
        return self._session.windows()

    def only(self, name: str) -> Cohort:
        """The cohort of one analysis set: a sensitivity analysis, never the headline.

        Parameters
        ----------
        name : str
            The id of a set.

        Returns
        -------
        Cohort
            The same with fewer people and a flag that says so.

        Raises
        ------
        StudyError
            There is no such set.
        """
        if f"in_{name}" not in self.table.columns:
            known = [str(one) for one in self.sets["set"][1:]]
            raise StudyError(f'The cohort has no set "{name}". {did_you_mean(name, known)}')
        kept = self.table[self.table[f"in_{name}"].fillna(False).to_numpy(dtype=bool)].reset_index(drop=True)
        if kept.empty:
            raise DataError(f'Nobody is in the set "{name}". See cohort.sets.')
        row = self.sets[self.sets["set"] == name].iloc[0]
        says = str(row["says"])
        counts = {arm: (kept["arm"] == arm).sum() for arm in ("treated", "comparison") if "arm" in kept}
        step = {"step": len(self.flow), "kind": "set", "says": says, "rule": row["rule"], "people": len(kept)} | counts
        step["left_out"] = len(self.table) - len(kept)
        flow = pd.concat([self.flow, pd.DataFrame([step])], ignore_index=True)
        counted = [column for column in self.flow if column not in ("kind", "says", "rule")]
        flow = flow[list(self.flow)].astype(dict.fromkeys(counted, "Int64"))
        text = f"Only a part of those eligible is analysed: {says}."
        detail = "Who is in it was settled after the index date, so it is no like-with-like comparison of the arms."
        return replace(
            self,
            table=kept,
            flow=flow,
            sets=self.sets.iloc[:0],
            flags=(*self.flags, Flag("cohort", "serious", text, detail, name)),
        )

    def rule_answers(self, rule: str) -> pd.Series:
        """Answer one rule of the rule language for everyone in the cohort.

        Parameters
        ----------
        rule : str
            Answerable by yes or no: 'not exists(episodes, state == "care", days=(1, 548))'.

        Returns
        -------
        Series of boolean, shape (n_people,)
            Indexed by person in the order of ``table``; missing where the rule cannot be answered.

        Raises
        ------
        StudyError, DataError
            The rule cannot be read, or asks for what the tables do not hold.
        """
        where = "The rule" if self.study is None else f"A rule of study {self.study.id}"
        answers = self._session.answer(rule, where)
        if "episode" in self.table.columns:
            return answers.reindex(pd.MultiIndex.from_frame(self.table[["person", "episode"]]))
        return answers.reindex(pd.Index(self.table["person"], name="person"))

    def __repr__(self) -> str:
        """Its size, and never its people."""
        return f"Cohort({number(len(self.table), 0)} people, {len(self.flow)} steps, {len(self.flags)} flags)"

    def _repr_html_(self) -> str:
        """The flow, and never the people."""
        shown = self.flow.drop(columns=["rule"]).astype("object")
        if self.flow["treated"].isna().all():
            shown = shown.drop(columns=["treated", "comparison"])
        flags = "".join(f"<li>{escape(flag.text)} {escape(flag.detail)}</li>" for flag in self.flags)
        return shown.to_html(index=False, border=0, na_rep="") + (f"<ul>{flags}</ul>" if flags else "")
