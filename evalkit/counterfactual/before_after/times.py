"""Which readings come before the programme and which after, and who was ever treated."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from evalkit.counterfactual.panel import Panel, codes
from evalkit.errors import EstimationError

Array = np.ndarray
BEFORE = {"before", "baseline", "pre", "start", "entry", "first"}
AFTER = {"after", "follow-up", "followup", "follow up", "post", "end", "exit", "last"}
_UNORDERED = (
    "did cannot tell which of the times comes after: they are words. Say so (post = ...), or write times as numbers "
    "or dates."
)


@dataclass(frozen=True, eq=False)
class Times:
    """Rows with their place in time.

    Parameters
    ----------
    panel : Panel
        ``treated`` says who is ever treated, at every time.
    place : ndarray of int, shape (n,)
        0 for the first time, 1 for the second ...
    after : ndarray of bool, shape (n,)
        Whether the programme runs.
    values : ndarray
        The times themselves, in order.
    first_after : int
        The place of the first time after.
    """

    panel: Panel
    place: Array
    after: Array
    values: Array
    first_after: int

    @property
    def many(self) -> bool:
        """Whether there are more than two times."""
        return len(self.values) > 2

    def only(self, rows: Array) -> Times:
        """The same of some rows."""
        return replace(self, panel=rows_of(self.panel, rows), place=self.place[rows], after=self.after[rows])


def read_times(panel: Panel, post: Any) -> Times:
    """Find out which times come after, from ``post`` or from the rows in which the treated begin to be treated.

    Parameters
    ----------
    panel : Panel
        Sorted by person and time.
    post : value, list of values or None
        The first time after, or all of them.

    Returns
    -------
    Times
        Two blocks of times, and arms that stay.

    Raises
    ------
    EstimationError
        One time; several of which nobody says which come after; treatment that starts at different times, stops, or
        runs from the first time.
    """
    if panel.time is None:
        raise EstimationError("did needs a column of time with two values, before and after. Name it: time = ...")
    place, values = _in_order(panel.frame[str(panel.columns.time)], post)
    if len(values) < 2:
        raise EstimationError("did needs exactly two times, and the table has 1. Add readings from before or after.")
    ever, onset = _begins(panel, place)
    first = _first_after(values, post, onset)
    panel = replace(panel, treated=ever, time=(place >= first).astype(float))
    return Times(panel, place, place >= first, values, first)


def _in_order(time: pd.Series, post: Any) -> tuple[Array, Array]:
    """The place of each row among the times, and the times in order."""
    if lost := int(time.isna().sum()):
        raise EstimationError(f'{lost} rows have no time ("{time.name}"). Fill it in, or drop them.')
    if isinstance(time.dtype, pd.CategoricalDtype) and time.cat.ordered:
        known = time.cat.remove_unused_categories()
        return known.cat.codes.to_numpy(dtype=int), known.cat.categories.to_numpy()
    plain = time.astype(object) if isinstance(time.dtype, pd.CategoricalDtype) else time
    if pd.api.types.is_numeric_dtype(plain) or pd.api.types.is_datetime64_any_dtype(plain):
        values, place = np.unique(plain.to_numpy(), return_inverse=True)
        return place, values
    texts = plain.astype(str)
    ranks = _ranked(sorted(texts.unique()), post)
    return texts.map(ranks).to_numpy(dtype=int), np.array(sorted(ranks, key=ranks.__getitem__), dtype=object)


def _ranked(texts: list[str], post: Any) -> dict[str, int]:
    """Times in words in their order: before and after, or numbered, or as ``post`` says."""
    plain = [text.strip().casefold() for text in texts]
    after = {str(one) for one in _listed(post)} if post is not None else set()
    if len(texts) == 2 and len(after & set(texts)) == 1:
        return {text: int(text in after) for text in texts}
    if len(texts) == 2 and ((plain[0] in BEFORE) != (plain[1] in BEFORE) or (plain[0] in AFTER) != (plain[1] in AFTER)):
        first = 0 if plain[0] in BEFORE or plain[1] in AFTER else 1
        return {texts[first]: 0, texts[1 - first]: 1}
    if all(re.fullmatch(r"\d{4}-\d{2}(-\d{2})?([ T].*)?", text) for text in texts):
        return {text: rank for rank, text in enumerate(texts)}
    numbered = [re.fullmatch(r"(\D*)(\d+)", text) for text in texts]
    if not all(numbered) or len({one[1] for one in numbered if one}) > 1:
        raise EstimationError(_UNORDERED)
    order = np.argsort([int(one[2]) for one in numbered if one], kind="stable")
    return {texts[place]: rank for rank, place in enumerate(order)}


def _listed(post: Any) -> list[Any]:
    return list(post) if isinstance(post, list | tuple | set | np.ndarray | pd.Series) else [post]


def _begins(panel: Panel, place: Array) -> tuple[Array, int | None]:
    """Who is ever treated, and the place at which treatment begins; None where arms are given for good."""
    if panel.columns.person is None:
        return panel.treated, None
    person = codes(panel.person)
    rows, ever = np.bincount(person), np.bincount(person, panel.treated)
    if ((ever == 0) | (ever == rows)).all():
        return panel.treated, None
    treated = panel.treated == 1
    start = np.full(len(rows), np.iinfo(np.int64).max)
    np.minimum.at(start, person[treated], place[treated])
    _check_starts(place, treated, start[person])
    return (ever > 0)[person].astype(float), int(start.min())


def _check_starts(place: Array, treated: Array, start: Array) -> None:
    """Treatment begins once, for all at the same time as far as they were seen, and stays."""
    stopped = int((~treated & (place >= start)).sum())
    if stopped:
        raise EstimationError(
            f"treatment switches off again in {stopped} rows. did compares before with after: leave these units out, "
            "or end their rows where treatment ends."
        )
    always = int((treated & (place == 0)).sum())
    if always:
        raise EstimationError(
            f"{always} units are treated from the first time on, with nothing known from before. Leave them out."
        )
    later = ~treated & (place >= start.min()) & (start < np.iinfo(np.int64).max)
    if later.any():
        raise EstimationError(
            f"treatment starts at {len(np.unique(start[treated]))} different times, and did knows one. "
            'Use estimator = "staggered did" with first_treated = the column of the time at which each unit began.'
        )


def _first_after(values: Array, post: Any, onset: int | None) -> int:
    """The place of the first time after."""
    if post is None and onset is None:
        if len(values) > 2:
            raise EstimationError(
                f"did needs exactly two times, and the table has {len(values)}. Say which come after "
                "(post = the first of them) and the rest is averaged as before, or keep one before and one after."
            )
        return 1
    named = onset if post is None else _named(values, post)
    if onset is not None and named != onset:
        raise EstimationError("post is not the time at which the treated begin to be treated. Leave one of them out.")
    if not 0 < int(named or 0) < len(values):
        raise EstimationError("post leaves no time before. Name the first time at which the programme ran.")
    return int(named or 0)


def _named(values: Array, post: Any) -> int:
    """The place of ``post`` among the times; of a list all later times must be in it."""
    texts = [str(value) for value in values]
    places = [place for one in _listed(post) if (place := _place(values, texts, one)) is not None]
    if not places:
        raise EstimationError("post names no time of the table. Name the first time at which the programme ran.")
    if len(_listed(post)) > 1 and sorted(set(places)) != list(range(min(places), len(values))):
        raise EstimationError("post names times that are followed by others from before. Name the first time after.")
    return min(places)


def _place(values: Array, texts: list[str], one: Any) -> int | None:
    """Where a time stands; a number or date between two times means the next."""
    if str(one) in texts:
        return texts.index(str(one))
    if np.issubdtype(values.dtype, np.number) and isinstance(one, int | float):
        return int(np.searchsorted(values, one))
    if np.issubdtype(values.dtype, np.datetime64):
        return int(np.searchsorted(values, np.datetime64(pd.Timestamp(one))))
    return None


def rows_of(panel: Panel, rows: Array) -> Panel:
    """Some rows of a panel.

    Parameters
    ----------
    panel : Panel
        Whose.
    rows : ndarray of bool or int
        Which.

    Returns
    -------
    Panel
        Cluster codes without gaps.
    """
    rows = np.arange(len(panel.y))[rows]
    return replace(
        panel,
        y=panel.y[rows],
        treated=panel.treated[rows],
        x=panel.x.iloc[rows].reset_index(drop=True),
        covariates=panel.covariates.iloc[rows].reset_index(drop=True),
        person=panel.person[rows],
        cluster=None if panel.cluster is None else np.unique(panel.cluster[rows], return_inverse=True)[1],
        frame=panel.frame.iloc[rows].reset_index(drop=True),
        time=None if panel.time is None else panel.time[rows],
        baseline=None if panel.baseline is None else panel.baseline[rows],
    )
