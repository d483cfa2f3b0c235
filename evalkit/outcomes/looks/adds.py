"""What each measure of a domain adds to its index, against its cost in money and burden."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit.errors import Flag
from evalkit.outcomes.index.adds import what_each_adds
from evalkit.outcomes.looks.base import View, look


@look("what each measure adds")
def adds(view: View) -> tuple[pd.DataFrame | None, list[Flag]]:
    """Every domain as it is planned to be estimated.

    Returns
    -------
    (DataFrame or None, list of Flag)
        `evalkit.outcomes.what_each_adds` with ``domain``, ``domain_title`` and ``title`` beside.
    """
    treated = view.treated
    if treated is None:
        return None, []
    tables = [_domain(view, domain.id, treated) for domain in view.study.domain]
    return (pd.concat(tables, ignore_index=True) if tables else None), []


def _domain(view: View, domain: str, treated: np.ndarray) -> pd.DataFrame:
    key = view.planned(domain)
    index, occasion = view.outcomes.domains[key], key.partition("@")[2]
    columns = {_wide(view, str(name), occasion): str(name) for name in index.weights.index}
    columns = {wide: name for wide, name in columns.items() if wide in view.outcomes.wide}
    plans = {wide: view.study.find_measure(wide) for wide in columns}
    cost = {wide: plan.cost for wide, plan in plans.items() if plan and plan.cost is not None}
    minutes = {wide: plan.minutes for wide, plan in plans.items() if plan and plan.minutes is not None}
    signs = {wide: float(index.polarity[name]) for wide, name in columns.items()}
    frame = view.outcomes.wide.reset_index(drop=True)
    table = what_each_adds(
        frame, list(columns), treated, treated == 0, view.cluster, signs, cost or None, minutes or None
    )
    told = {wide: view.outcomes.describe(wide) for wide in columns}
    titles = [
        ", ".join(part for part in (told[w]["title"], told[w]["occasion_title"]) if part) for w in table["measure"]
    ]
    return table.assign(domain=key, domain_title=view.outcomes.describe(key)["title"], title=titles)


def _wide(view: View, name: str, occasion: str) -> str:
    return name if name in view.outcomes.wide or not occasion else f"{name}@{occasion}"
