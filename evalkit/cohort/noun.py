"""The cohort: who is counted, and who left at which rule."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from evalkit.errors import Flag
from evalkit.words import number

if TYPE_CHECKING:
    from evalkit.cohort.scope import Scope
    from evalkit.study import Study


@dataclass(frozen=True, eq=False)
class Cohort:
    """Everyone counted, one row each, and how the cohort came about.

    Parameters
    ----------
    study : Study or None
        The study it was built for; None when selected from plain tables.
    table : DataFrame, shape (n_people, n_columns)
        One row per person, sorted by person: person, index_date, where the plan has them arm, treated, cluster and
        strata, then the new columns, the columns of the index row and those of people. Personal data.
    flow : DataFrame, one row per step
        step, kind ("start", "pick", "include", "exclude", "arm"), says, rule, left_out, unknown, people, treated,
        comparison. ``unknown`` counts, at an include rule and at the arm, those leaving because it could not be
        answered; at an exclude rule those who stay although it could not be answered.
    reasons : DataFrame
        person, rule (its sentence), answer ("no" or "unknown"): one row per person and rule not met, over all who
        started, whatever the order of the rules. A person whom an exclude rule takes out has the answer "no".
    sql : dict of str to str
        By the sentence of each rule and the name of each new column, the SQL that answers it.
    flags : tuple of Flag
        Caveats that must reach the reader.
    tables : dict of str to DataFrame
        The tables read, checked: ids as text, ISO dates as dates. Personal data.
    """

    study: Study | None
    table: pd.DataFrame
    flow: pd.DataFrame
    reasons: pd.DataFrame
    sql: dict[str, str]
    flags: tuple[Flag, ...]
    tables: dict[str, pd.DataFrame]
    _scope: Scope = field(repr=False)

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
        from evalkit.cohort.answers import Question, ask

        where = "The rule" if self.study is None else f"A rule of study {self.study.id}"
        found = ask(self._scope, [Question("rule", "rule", rule)], where).table[0]
        people = self._scope.start["_person"].to_numpy()
        answers = pd.Series(found.array, index=pd.Index(people, name="person"), name="answer")
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
