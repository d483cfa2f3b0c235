"""Only those treated who completed: beside the headline, never in its place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from evalkit import disclosure
from evalkit.counterfactual.analysed.people import check_columns, read_arms, yes
from evalkit.counterfactual.estimating import estimate
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.registry import find_estimator
from evalkit.errors import EstimationError, Flag

SELECTED = "Completers only: the treated who did not complete are left out, and who stays is not a matter of chance."
NO_LEVEL = "It earns no level of evidence of its own. The headline counts everyone referred and eligible."


def completers(frame: pd.DataFrame, estimator: str, completed: str, **arguments: Any) -> Estimate:
    """Estimate with only those treated who completed, and all of the comparison.

    Parameters
    ----------
    frame : DataFrame
        As for `estimate`.
    estimator : str
        Its name; one that compares a treated arm with a comparison.
    completed : str
        Column that is 1 for the treated who completed; what it says of the comparison is not looked at. Where a person
        has several rows, completed in one of them counts. Not known counts as not completed.
    **arguments
        Of `estimate`: outcome, treated, covariates ...

    Returns
    -------
    Estimate
        Flagged as selected. ``diagnostics``: analysis "completers", completed (share of the treated), earns_level
        False.

    Raises
    ------
    EstimationError
        No treated arm is named, nobody completed, or the estimate is not possible.

    Examples
    --------
    The two who completed did well; the headline counts the other two as well.

    >>> people = pd.DataFrame({"arm": [1] * 4 + [0] * 4, "done": [1, 1, 0, 0] + [None] * 4})
    >>> people["y"] = [6.0, 8, 3, 5, 4, 6, 3, 5]
    >>> round(completers(people, "difference", "done", outcome="y", treated="arm").effect, 6)
    2.5

    References
    ----------
    Hollis and Campbell (1999), BMJ 319, 670-674, on intention to treat.
    """
    entry, treated = find_estimator(estimator), arguments.get("treated")
    if treated is None or not entry.persons:
        raise EstimationError(
            f'"{entry.name}" has no treated people to leave out here. Completers need treated = the column of arms and '
            "an estimator on people."
        )
    person = arguments.get("person")
    check_columns(frame, [completed, treated, *([person] if person else [])])
    arm = read_arms(frame, treated, arguments.get("treated_is"))
    done = pd.Series(yes(frame[completed].where(arm == 1), completed), index=frame.index)
    if person:
        done = done.groupby(frame[person].to_numpy()).transform("max")
    who = frame[arm == 1] if person is None else frame[arm == 1].drop_duplicates(person)
    finished, everybody = int(done.loc[who.index].sum()), len(who)
    if not finished:
        raise EstimationError(f'nobody treated completed by "{completed}". There is nobody to look at.')
    found = estimate(frame[np.asarray(done) | ~(arm == 1)], estimator, **arguments)
    share = disclosure.roughly(finished, everybody)
    about = {"analysis": "completers", "completed": finished / everybody, "earns_level": False}
    text = f"{share[:1].upper()}{share[1:]} of the treated completed. {NO_LEVEL}"
    flag = Flag("counterfactual", "serious", SELECTED, text)
    return replace(found, flags=(flag, *found.flags), diagnostics=found.diagnostics | about)
