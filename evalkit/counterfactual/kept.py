"""Whether the analysis is the one that was named and locked: contradictions and departures, as flags."""

from __future__ import annotations

from evalkit import evidence
from evalkit.errors import Flag
from evalkit.study import Study
from evalkit.study.locked import departures

DECIDES = ("[counterfactual", "[[counterfactual", "[contract", "[[contract", "[cohort", "[[cohort")
SHOWN = 3


def plan_flags(study: Study) -> list[Flag]:
    """Say where the estimator does not carry out the design, and where the plan departs from the locked one.

    Parameters
    ----------
    study : Study
        With [counterfactual].

    Returns
    -------
    list of Flag
        Serious where the departure is one of who is counted, how the effect is estimated or what is paid.
    """
    flags = []
    plan = study.counterfactual
    if plan is not None and (problem := evidence.fits(plan.design, plan.estimator)):
        text = "The estimator does not carry out the design that the study names."
        flags.append(Flag("counterfactual", "serious", text, problem))
    away = [one for one in departures(study) if not one.words_only]
    if away:
        many = f"{len(away)} departures" if len(away) > 1 else "one departure"
        more = f" and {len(away) - SHOWN} more" if len(away) > SHOWN else ""
        told = " ".join(one.says for one in away[:SHOWN])
        serious = any(one.where.startswith(DECIDES) for one in away)
        text = f"There is {many} from the locked plan." if len(away) == 1 else f"There are {many} from the locked plan."
        flags.append(Flag("counterfactual", "serious" if serious else "caution", text, f"{told}{more}"))
    return flags
