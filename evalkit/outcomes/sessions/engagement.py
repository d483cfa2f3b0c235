"""Who came, how often and for how long: the simple measure of engagement beside the complex one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit import disclosure
from evalkit.errors import DataError, Flag, did_you_mean, several
from evalkit.outcomes.change.shares import wilson
from evalkit.outcomes.sessions.attended import counted_sessions
from evalkit.words import SUPPRESSED, number, percent

MISSED_AT_THE_END = 2
_MONTH = 30.4375
_BEHIND = ("value", "low", "high")
_COUNTED = ("reach", "completion", "drop-out")
_SHARES = ("share of offered", "dose", "continuity")


@dataclass(frozen=True, eq=False)
class Engagement:
    """Engagement of a cohort's people with what they were offered.

    Attributes
    ----------
    table : DataFrame, one row per person of an arm with sessions
        ``person``, ``arm``, ``offered``, ``attended``, ``share`` (attended of offered), ``dose`` (attended of planned;
        missing where no plan was given), ``first_day``, ``last_day`` (days after the index date), ``weeks`` (with a
        session), ``continuity`` (share of the weeks between the first and the last session that had one), ``reached``,
        ``completed``, ``dropped_out`` (missing where it cannot be told). Personal: never shown.
    summary : DataFrame
        Tidy: ``arm``, ``kind`` ("simple" or "complex"), ``what``, ``value``, ``low``, ``high``, ``n`` (people that are
        counted), ``of`` (how many they are of). For shares the interval is Wilson's at 95 %; for "sessions attended"
        and the like value, low and high are median and quartiles, rounded. Counts are not protected: `shown` is.
    curve : DataFrame
        Drop-out: ``arm``, ``by`` ("session" or "month"), ``at``, ``still``, ``of``, ``share`` of those reached who
        attended at least so many sessions, or attended a session in that month or later.
    until : int
        Days after the index date that were counted.
    flags : tuple of Flag
        What was left out, and what cannot be told.
    """

    table: pd.DataFrame
    summary: pd.DataFrame
    curve: pd.DataFrame
    until: int
    flags: tuple[Flag, ...]

    def shown(self, rule: str = "uk-children-10") -> pd.DataFrame:
        """Give the summary as it may leave.

        Parameters
        ----------
        rule : str
            The disclosure rule in force.

        Returns
        -------
        DataFrame
            ``arm``, ``people``, ``kind``, ``what``, ``value``, ``low``, ``high``. Shares and their intervals are to the
            nearest twentieth, so that no count follows from them, and in words where few people did, or did not; what
            rests on few people is "[c]".
        """
        rows = [_shown(row, rule) for row in self.summary.to_dict("records")]
        table = self.summary[["arm", "kind", "what"]].join(pd.DataFrame(rows, index=self.summary.index))
        people = self.table.groupby("arm", sort=False).size()
        table.insert(1, "people", [disclosure.count(int(people[arm]), rule) for arm in table["arm"]])
        return table

    def curve_shown(self, rule: str = "uk-children-10") -> pd.DataFrame:
        """Give the drop-out curve as it may leave: shares to the nearest twentieth, in words where people are few.

        Parameters
        ----------
        rule : str
            The disclosure rule in force.

        Returns
        -------
        DataFrame
            ``arm``, ``by``, ``at``, ``still``.
        """
        still = [
            disclosure.in_words(int(n), int(of), rule)
            for n, of in zip(self.curve["still"], self.curve["of"], strict=True)
        ]
        return self.curve[["arm", "by", "at"]].assign(still=still)

    def _repr_html_(self) -> str:
        return self.shown().to_html(index=False, border=0)

    def __repr__(self) -> str:
        return f"Engagement({len(self.summary)} lines of summary, {len(self.flags)} flags)"


def _shown(row: dict, rule: str) -> dict[str, str]:
    """Value, low and high of a line of the summary, as they may leave."""
    if row["what"] in _COUNTED:
        told = disclosure.in_words(row["n"], row["of"], rule)
        coarse = [percent(0.05 * round(20 * row[end]), 0) for end in ("low", "high")]
        # An interval beside "a few" would tell how few.
        ends = coarse if told.startswith("about") else [SUPPRESSED, SUPPRESSED]
        return {"value": told, "low": ends[0], "high": ends[1]}
    if not isinstance(disclosure.count(row["n"], rule), int):
        return dict.fromkeys(_BEHIND, SUPPRESSED)
    write = percent if row["what"] in _SHARES else number
    return {name: write(row[name], 0) for name in _BEHIND}


def engagement(
    sessions: pd.DataFrame,
    cohort: pd.DataFrame,
    until: int,
    complete_at: int | None = None,
    planned: int | None = None,
) -> Engagement:
    """Count sessions within a time after each person's index date.

    Parameters
    ----------
    sessions : DataFrame, shape (n_sessions, 2 or more)
        ``person``, ``date`` and ``attended`` (1 or 0; without the column every session was attended); ``session``, an
        id, where a person may have several on one day.
    cohort : DataFrame, shape (n_people, 3 or more)
        ``person``, ``index_date``, ``arm``; ``treated`` (1 or 0), where known.
    until : int
        Days after the index date that count; the index day does, day ``until`` does not.
    complete_at : int, optional
        Sessions attended that make a completed course.
    planned : int, optional
        Sessions that were planned for each person, for the dose.

    Returns
    -------
    Engagement
        ``table``, ``summary``, ``curve`` and ``flags``. An arm none of whose people has a session is left out: a
        comparison that was offered nothing has no engagement to speak of.

    Raises
    ------
    DataError
        Columns missing, dates that are none, ``attended`` other than 0 and 1, people twice in the cohort, no session
        of anyone in the cohort.

    Notes
    -----
    Repeats of a person's session count once, as attended if one of them says so. Dropped out means reached but not
    completed where ``complete_at`` is given; else that the last two sessions or more that were offered were all missed;
    else it cannot be told.
    """
    _checked(sessions, cohort, until, complete_at, planned)
    counted, flags = counted_sessions(sessions, cohort, until)
    arms = cohort.loc[cohort["person"].isin(counted["person"]), "arm"].unique()
    people = cohort.loc[cohort["arm"].isin(arms), ["person", "arm"]].reset_index(drop=True)
    table = _table(people, counted, complete_at, planned)
    unknown = complete_at is None and bool((counted["attended"] == 1).all())
    if unknown:
        table["dropped_out"] = pd.array([pd.NA] * len(table), dtype="boolean")
        flags.append(Flag("outcomes", "note", "Drop-out cannot be told: only sessions attended are on record."))
    summary = pd.concat([_summary(own, str(arm)) for arm, own in table.groupby("arm", sort=False)], ignore_index=True)
    curve = pd.concat(
        [_curve(own, str(arm), until) for arm, own in table.groupby("arm", sort=False)], ignore_index=True
    )
    return Engagement(table, summary, curve, until, tuple(flags))


def _checked(
    sessions: pd.DataFrame, cohort: pd.DataFrame, until: int, complete_at: int | None, planned: int | None
) -> None:
    problems = [
        f'{name} lacks the column "{column}". {did_you_mean(column, table.columns)}'
        for table, name, columns in (
            (sessions, "sessions", ("person", "date")),
            (cohort, "cohort", ("person", "index_date", "arm")),
        )
        for column in columns
        if column not in table.columns
    ]
    if not problems and cohort["person"].duplicated().any():
        problems.append(f"cohort holds {int(cohort['person'].duplicated().sum()):,} people twice. One row per person.")
    if not problems and cohort[["person", "arm", "index_date"]].isna().any(axis=None):
        problems.append("cohort has rows without person, arm or index_date. Fill them in.")
    for name, value in (("until", until), ("complete_at", complete_at), ("planned", planned)):
        if value is not None and value < 1:
            problems.append(f"{name} is {value}. Write 1 or more.")
    if problems:
        raise DataError(several("Engagement", problems))


# ---------------------------------------------------------------- per person


def _table(people: pd.DataFrame, counted: pd.DataFrame, complete_at: int | None, planned: int | None) -> pd.DataFrame:
    came = counted[counted["attended"] == 1]
    days, weeks = came.groupby("person")["day"], came.assign(week=came["day"] // 7).groupby("person")["week"]
    table = people.copy()
    person = table["person"]
    table["offered"] = person.map(counted.groupby("person").size()).fillna(0).astype(int)
    table["attended"] = person.map(came.groupby("person").size()).fillna(0).astype(int)
    table["share"] = (table["attended"] / table["offered"]).where(table["offered"] > 0)
    table["dose"] = table["attended"] / planned if planned else np.nan
    table["first_day"], table["last_day"] = person.map(days.min()), person.map(days.max())
    table["weeks"] = person.map(weeks.nunique()).fillna(0).astype(int)
    table["continuity"] = person.map(weeks.nunique() / (weeks.max() - weeks.min() + 1))
    table["reached"] = table["attended"] > 0
    done = table["attended"] >= complete_at if complete_at else pd.Series(pd.NA, index=table.index)
    table["completed"] = done.astype("boolean")
    ended = ~done & table["reached"] if complete_at else table["reached"] & person.isin(_missed_the_last(counted))
    table["dropped_out"] = ended.astype("boolean").mask(~table["reached"])
    return table


def _missed_the_last(counted: pd.DataFrame) -> pd.Index:
    """People whose last sessions that were offered were all missed."""
    last = counted.sort_values(["person", "day"], kind="stable").groupby("person").tail(MISSED_AT_THE_END)
    found = last.groupby("person")["attended"].agg(["sum", "size"])
    return found.index[(found["sum"] == 0) & (found["size"] == MISSED_AT_THE_END)]


# ---------------------------------------------------------------- per arm


def _summary(own: pd.DataFrame, arm: str) -> pd.DataFrame:
    reached = own[own["reached"]]
    rows = [_share("simple", "reach", own["reached"])]
    if own["completed"].notna().any():
        rows.append(_share("simple", "completion", own["completed"]))
    if reached["dropped_out"].notna().any():
        rows.append(_share("complex", "drop-out", reached["dropped_out"]))
    spread = {"sessions attended": "attended", "weeks with a session": "weeks", "share of offered": "share"}
    for what, name in {**spread, "dose": "dose", "continuity": "continuity"}.items():
        values = reached[name].dropna().to_numpy(dtype=float)
        if len(values):
            rows.append(_quartiles(what, values))
    table = pd.DataFrame(rows, columns=["kind", "what", "value", "low", "high", "n", "of"])
    table.insert(0, "arm", arm)
    return table


def _share(kind: str, what: str, yes: pd.Series) -> tuple:
    count, of = int(yes.fillna(False).sum()), len(yes)
    return kind, what, count / of if of else np.nan, *wilson(count, of), count, of


def _quartiles(what: str, values: np.ndarray) -> tuple:
    """Median and quartiles, rounded so that none of them is one person's: whole sessions, or shares of a twentieth."""
    step = 0.05 if what in _SHARES else 1.0
    low, middle, high = np.floor(np.quantile(values, [0.25, 0.5, 0.75]) / step + 0.5) * step
    return "complex", what, middle, low, high, len(values), len(values)


def _curve(own: pd.DataFrame, arm: str, until: int) -> pd.DataFrame:
    reached = own[own["reached"]]
    most = int(reached["attended"].max()) if len(reached) else 0
    months = int(np.ceil(until / _MONTH))
    last = np.floor(reached["last_day"].to_numpy(dtype=float) / _MONTH)
    by_session = [("session", at, int((reached["attended"] >= at).sum())) for at in range(1, most + 1)]
    by_month = [("month", at, int((last >= at - 1).sum())) for at in range(1, months + 1)] if len(reached) else []
    table = pd.DataFrame([*by_session, *by_month], columns=["by", "at", "still"])
    table.insert(0, "arm", arm)
    table["of"] = len(reached)
    table["share"] = table["still"] / table["of"]
    return table
