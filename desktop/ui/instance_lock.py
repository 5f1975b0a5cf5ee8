"""The lock that makes one tray for each person and profile. Without Qt: it is taken before anything is drawn.

The operating system frees it when its holder dies, however it dies.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

LOCK_FILE = "tray.lock"


class NotFree(Exception):
    """Another instance holds the profile and does not answer. The message says what to do."""


class InstanceLock:
    """An exclusive lock on a file in the profile; released by `release` or by the end of the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def take(self) -> bool:
        """True when this process now holds the lock. OSError when the profile can't be written."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        try:
            _lock(handle)
        except OSError:
            os.close(handle)
            return False
        self._handle = handle
        return True

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
