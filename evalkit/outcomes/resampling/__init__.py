"""Clusters drawn again: standard errors and intervals of anything that is made of sums over clusters."""
