"""Where DuckDB puts what does not fit into memory: a folder that only this user can open, swept of what was left."""

from __future__ import annotations

import getpass
import os
import shutil
import tempfile
import uuid
from pathlib import Path


def place_aside() -> Path:
    """Name a folder for one database. DuckDB makes it when memory runs out, and removes it when it is closed.

    Returns
    -------
    Path
        ``evalkit-USER/PID-...`` in the system's temporary folder; what processes that were killed left is removed.
    """
    home = Path(tempfile.gettempdir()) / f"evalkit-{getpass.getuser()}"
    home.mkdir(mode=0o700, exist_ok=True)
    if not _is_private(home):  # somebody else made a folder of that name
        home = Path(tempfile.mkdtemp(prefix="evalkit-"))
    for left in home.iterdir():
        process = left.name.partition("-")[0]
        if process.isdigit() and not _runs(int(process)):
            shutil.rmtree(left, ignore_errors=True)
    return home / f"{os.getpid()}-{uuid.uuid4().hex[:12]}"


def _is_private(folder: Path) -> bool:
    """Whether a folder is this user's and nobody else can open it."""
    if not hasattr(os, "getuid"):
        return True  # Windows: the temporary folder is the user's own
    about = folder.lstat()
    return about.st_uid == os.getuid() and not about.st_mode & 0o077 and not folder.is_symlink()


def _runs(process: int) -> bool:
    """Whether a process of that number is there; on Windows, where asking would disturb it, always yes."""
    if os.name == "nt":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
