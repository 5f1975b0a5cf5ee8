"""Files of the profile that nobody else on this PC may read, whatever the umask says (on Windows the folder's own rights
do it)."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import BinaryIO


def open_private(path: Path) -> BinaryIO:
    """A new or emptied file for writing, readable by its owner alone from its first byte on. Raises OSError."""
    return open(_private(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC), "wb")


def make_private(path: Path) -> None:
    """Creates the file empty where there is none; takes from one that is there what others may do with it. Raises OSError."""
    os.close(_private(path, os.O_CREAT | os.O_RDWR))


def _private(path: Path, flags: int) -> int:
    descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0), 0o600)
    if sys.platform != "win32":
        try:
            if os.fstat(descriptor).st_mode & 0o077:
                os.fchmod(descriptor, 0o600)
        except OSError:
            os.close(descriptor)
            raise
    return descriptor
