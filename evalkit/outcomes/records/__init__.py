"""Outcomes that add up: days in a state, events, attendance and placements, counted from records."""
