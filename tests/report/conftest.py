"""Four evaluations made by hand from the nouns' columns: full, contract only, empty, and laden with flags."""

from __future__ import annotations

import pytest
from made_by_hand import INDEX, PROGRAMME, Walked, cohort, contract, effect_row, effects, outcomes, plan, value

from evalkit.errors import Flag


@pytest.fixture
def full() -> Walked:
    """Every room."""
    study = plan(**PROGRAMME)
    rooms = {
        "cohort": cohort(study),
        "outcomes": outcomes(study),
        "effects": effects(study, effect_row(), effect_row(**INDEX)),
    }
    flags = (Flag("counterfactual", "serious", "families chose to take part", "An unmeasured cause could explain it."),)
    return Walked(study, flags, **rooms, contract=contract(study), value=value(study))


@pytest.fixture
def contract_only() -> Walked:
    """Published contract figures and nothing else."""
    parts = {name: PROGRAMME[name] for name in ("party", "term")}
    about = PROGRAMME["study"] | {"kind": "published figures"}
    study = plan(study=about, contract={"published": True, "source": "a data set"}, **parts)
    paid = contract(study, achieved=(120, 4), anyway=False)
    paid.triggers, paid.plans = paid.triggers.iloc[:0], paid.plans.iloc[:0]
    return Walked(study, contract=paid)


@pytest.fixture
def empty() -> Walked:
    """A plan only."""
    return Walked(plan(study={"id": "bare", "title": "A bare plan", "kind": "real"}))


@pytest.fixture
def laden() -> Walked:
    """Every room, flags of every level, markup in the words, few people in one cell, a worse result."""
    parts = PROGRAMME | {"study": PROGRAMME["study"] | {"title": "Riverside <b>& co</b>"}}
    study = plan(**parts)
    worse = effect_row(
        effect=12.0,
        low=2.0,
        high=22.0,
        observed=143.3,
        conclusion="worse",
        deadweight=1.3,
        deadweight_low=float("-inf"),
        deadweight_high=float("inf"),
    )
    flags = tuple(
        Flag(room, level, f"<script>{level}</script> in {room}", "a < b", "days")
        for level in ("serious", "caution", "note")
        for room in ("cohort", "contract")
    )
    rooms = {"cohort": cohort(study, left=4), "outcomes": outcomes(study, few=7), "effects": effects(study, worse)}
    return Walked(study, flags, **rooms, contract=contract(study, achieved=(120, 4)), value=value(study))
