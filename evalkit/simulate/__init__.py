"""Invented studies with a known truth: for tests, for planning a design, for practice without data.

A world draws both what would happen to each person with the programme and without it. The tables show only what a real
study would see; the truth is kept apart, from the world's own record.
"""

from __future__ import annotations

from evalkit.simulate.draw import redraw, simulate_study, worlds, write_study_tables
from evalkit.simulate.nouns import Simulated

__all__ = ["Simulated", "redraw", "simulate_study", "worlds", "write_study_tables"]
