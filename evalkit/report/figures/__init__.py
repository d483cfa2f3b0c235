"""Figures as SVG, written by hand so that they are fast, small, and follow the page's colours.

Each figure is one function that takes numbers which may leave (protected ones) and returns a `Drawn`: a wide
drawing, a narrow one for a phone, and the words that stand for it.
"""

from __future__ import annotations
