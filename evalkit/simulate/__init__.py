"""Invented studies with a known truth: for tests, for planning a design, for practice without data.

A world draws both what would happen to each person with the programme and without it. The tables show only what a real
study would see; the truth is kept apart, from the world's own record.
"""

from __future__ import annotations

from evalkit.simulate.draw import redraw, simulate_study, worlds, write_study_tables
from evalkit.simulate.effect_panels import discontinuity_world, staggered_panel
from evalkit.simulate.effect_worlds import clustered, confounded, rare
from evalkit.simulate.nouns import Simulated

__all__ = [
    "Simulated",
    "clustered",
    "confounded",
    "discontinuity_world",
    "rare",
    "redraw",
    "simulate_study",
    "staggered_panel",
    "worlds",
    "write_study_tables",
]
