"""``python -m evalkit`` is the ``evalkit`` command."""

from __future__ import annotations

from evalkit.cli import main

main()
