"""Those who took part and those who completed, beside everyone who was referred and eligible."""

from __future__ import annotations

from dataclasses import dataclass

from evalkit.counterfactual.analysed import completers
from evalkit.counterfactual.looks.base import Seen, View, about, look
from evalkit.counterfactual.nouns import Estimate
from evalkit.counterfactual.taking_part import taking_part
from evalkit.errors import EstimationError, Flag


@dataclass(frozen=True, eq=False)
class Takers:
    """The effect on everyone, on those who took part (only where chance decided), and the completers' difference."""

    everyone: Estimate
    took_part: Estimate | None
    completed: Estimate | None


@look("taking part")
def takers(view: View) -> tuple[list[Seen], list[Flag]]:
    """For each outcome named; everyone stays the headline."""
    plan = view.plan.taking_part
    seen: list[Seen] = []
    flags: list[Flag] = []
    for outcome in view.these(plan.outcomes) if plan and view.arms else ():
        if plan is None or outcome not in view.estimates:
            continue
        through = completed = None
        if plan.column and view.randomised:
            through = _taking_part(view, outcome, plan.column)
            flags += about(through.flags, outcome)
        elif plan.column:
            text = "The effect of taking part is not estimated: chance did not decide who was offered the programme."
            flags.append(Flag("counterfactual", "note", text, about=outcome))
        if plan.completed:
            asked = view.asked(outcome)
            try:
                completed = completers(asked.frame, asked.estimator, plan.completed, **asked.arguments)
            except EstimationError as error:
                flags.append(
                    Flag("counterfactual", "caution", "Completers could not be compared.", str(error), outcome)
                )
        seen.append(view.seen(outcome, Takers(view.estimates[outcome], through, completed)))
    return seen, flags


def _taking_part(view: View, outcome: str, column: str) -> Estimate:
    asked = view.asked(outcome)
    columns = {name: asked.arguments[name] for name in ("person", "cluster", "strata") if name in asked.arguments}
    about_it = {name: asked.arguments[name] for name in ("values", "better") if name in asked.arguments}
    return taking_part(
        asked.frame, outcome=asked.arguments["outcome"], assigned="treated", took_part=column,
        covariates=asked.arguments.get("covariates") or (), level=view.plan.level, **columns, **about_it,
    )  # fmt: skip
