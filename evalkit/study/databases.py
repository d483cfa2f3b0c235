"""The address of a database: it may name a place, and never who asks."""

from __future__ import annotations

import re

SPARK = "spark"
_NAMES_SOMEBODY = re.compile(r"@|[?&](user|password|passfile|sslpassword)=", re.IGNORECASE)


def address_problem(url: str) -> str:
    """Say what is wrong with the address of a database.

    Parameters
    ----------
    url : str
        ``postgresql://host:port/base``, or ``spark``.

    Returns
    -------
    str
        A finding with its remedy, which does not repeat the address; empty where nothing is wrong.
    """
    who = "Who asks is told by PGUSER and PGPASSWORD in the environment."
    if _NAMES_SOMEBODY.search(url):
        return (
            "the address of the database holds a user or a password. A study is passed on: they do not belong there. "
            f'Write database = "postgresql://host/base". {who}'
        )
    if url == SPARK or re.match(r"postgres(ql)?://.", url):
        return ""
    return f'a database is named by its address, database = "postgresql://host/base", or is "{SPARK}". {who}'
