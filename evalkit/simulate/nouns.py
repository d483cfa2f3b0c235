"""What a simulation gives back."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True, eq=False)
class Simulated:
    """An invented study: the tables an evaluator would receive, and apart from them the truth.

    Parameters
    ----------
    world : str
        The world it was drawn from.
    seed : int
        With the same seed, people and options the same tables are drawn again.
    tables : dict of str to DataFrame
        By table name, as study.toml names them.
    files : dict of str to str
        By table name, the file the table is written to.
    truth : DataFrame
        One row per outcome: ``outcome`` (as study.toml names it), ``effect``, ``unit``, ``note``. The effect is the
        average over treated, eligible people of an endless supply of such studies, not of this one sample.
    record : DataFrame
        One row per person: arm, eligibility, and each outcome without (``_0``) and with (``_1``) the programme, and as
        observed; what no real study could know.
    """

    world: str
    seed: int
    tables: dict[str, pd.DataFrame]
    files: dict[str, str]
    truth: pd.DataFrame
    record: pd.DataFrame

    def _repr_html_(self) -> str:
        sizes = "".join(
            f"<tr><td>{name}</td><td>{len(table):,}</td><td>{', '.join(table.columns[:8])}</td></tr>"
            for name, table in self.tables.items()
        )
        head = "<thead><tr><th>table</th><th>rows</th><th>columns</th></tr></thead>"
        return (
            f"<p><b>Invented study</b>, world “{self.world}”, seed {self.seed}, {len(self.record):,} people.</p>"
            f"<table>{head}<tbody>{sizes}</tbody></table>{self.truth.to_html(index=False)}"
        )
