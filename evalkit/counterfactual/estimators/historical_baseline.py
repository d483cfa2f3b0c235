"""People now against an earlier period, or against its rate: no comparison at the same time."""

from __future__ import annotations

from dataclasses import replace

from evalkit.counterfactual.history import PAST_OPTIONS, now_side, past_side, set_beside
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.panel import Panel, Plan
from evalkit.counterfactual.registry import estimator


@estimator(
    "historical baseline",
    options=PAST_OPTIONS,
    data="history",
    comparison=False,
    assumes="nothing else changed",
    says="people now against an earlier period; what else changed since is in the effect",
)
def historical_baseline(panel: Panel, plan: Plan) -> Estimate:
    """What happened now against what happened before, the past's sampling error counted.

    The past is one of three:

    - people of an earlier period on the same table (``treated`` is 1 for people now and 0 for those of before),
      adjusted for covariates where they are named;
    - people of several earlier periods (``time``: a year, or a date): a line through the periods' means is drawn on to
      now, and the interval is that of a new period's mean (Student's t with the number of past periods less 2);
    - a single past figure: ``baseline_rate`` with ``baseline_n`` (a share of people), or ``baseline_mean`` with
      ``baseline_sd`` and ``baseline_n``, or either with ``baseline_se`` (0: fixed by contract); ``source`` says whence.

    ``trend`` is the change a year that would have come anyway, over ``years`` (worked out where ``time`` is given),
    with ``trend_low`` and ``trend_high`` (taken as an interval at ``level``) and ``trend_source``. With ``n``, a column
    of numbers of people, each row is a rate of one period instead of a person.

    Examples
    --------
    Essex: of the 388 worked with 10.8 % went into care, and 55 % of a historical comparison (Social Finance). How many
    people that 55 % was of is not known here; 100 is invented. (1 - .55) / (1 - .108) = 50 % would have stayed out of
    care anyway.

    >>> import pandas as pd
    >>> from evalkit.counterfactual import estimate
    >>> now = pd.DataFrame({"in_care": [1] * 42 + [0] * 346})
    >>> past = {"baseline_rate": 0.55, "baseline_n": 100, "source": "Social Finance"}
    >>> found = estimate(now, "historical baseline", outcome="in_care", better="lower", **past)
    >>> round(found.effect, 3), round(found.deadweight.value, 3)
    (-0.442, 0.505)
    >>> round(found.deadweight.low, 2), round(found.deadweight.high, 2)
    (0.4, 0.62)
    """
    if plan.values is None and plan.options["baseline_rate"] is not None:
        plan = replace(plan, values="yes or no")
    now = now_side(panel, plan)
    return set_beside(panel, plan, now, past_side(panel, plan, now))
