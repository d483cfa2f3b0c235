"""Whose outcomes are measured, and how the headline moves with whose view counts."""
