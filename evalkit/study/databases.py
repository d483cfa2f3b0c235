"""The address of a database: it may name a place, and never who asks."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote, urlsplit

SPARK = "spark"
# What may be said of a connection; whatever else stands after the ? could be a name or a password.
MAY_BE_SAID = {"sslmode", "sslrootcert", "connect_timeout", "application_name", "target_session_attrs"}


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
    if url == SPARK:
        return ""
    if "@" in unquote(unquote(url)) or any(key not in MAY_BE_SAID for key in _asked(url)):
        return (
            "the address of the database holds a user, a password or something else that does not belong there: a "
            f'study is passed on. Write database = "postgresql://host/base". {who}'
        )
    if re.match(r"postgres(ql)?://.", url):
        return ""
    return f'a database is named by its address, database = "postgresql://host/base", or is "{SPARK}". {who}'


def _asked(url: str) -> list[str]:
    """The keys after the question mark, as the client reads them."""
    try:
        return [key for key, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)]
    except ValueError:
        return ["?"]
