"""The evalkit command: what a study team types."""

from __future__ import annotations

import os
from collections.abc import Sequence

import typer

from evalkit.cli.commands import app
from evalkit.errors import EvalkitError

__all__ = ["app", "main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line: 0 all well, 1 a report failed, 2 something the user can mend.

    Parameters
    ----------
    arguments : sequence of str, optional
        Default: those the command was started with.

    Raises
    ------
    SystemExit
        Always, with the status.
    """
    try:
        app(args=None if arguments is None else list(arguments), prog_name="evalkit")
    except EvalkitError as error:
        typer.echo(f"{type(error).__name__}: {error}", err=True)
        raise SystemExit(2) from None
    except OSError as error:
        typer.echo(f"A file could not be read or written: {error.strerror or error} {error.filename or ''}", err=True)
        raise SystemExit(2) from None
    except Exception as error:
        if os.environ.get("EVALKIT_DEBUG"):
            raise
        said = str(error).splitlines()[0] if str(error) else ""
        typer.echo(f"This is a fault of evalkit, not of yours: {type(error).__name__}: {said}", err=True)
        typer.echo("Set EVALKIT_DEBUG=1 and run it again to see where, and please report it.", err=True)
        raise SystemExit(1) from None
