"""Whose turn it is to deliver: one process at a time for each profile, by a lock of the operating system.

The lock goes with the process that held it, however that ended; a file left behind means nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout


class Turn:
    """Made with the profile's folder. Taken for one pass at a time, so that the tray and a command alternate."""

    def __init__(self, profile: Path) -> None:
        self._path = profile / "deliver.lock"

    @contextlib.contextmanager
    def take(self) -> Iterator[bool]:
        """True while this process (and this call) has the turn; False at once when another has it."""
        lock = FileLock(self._path, timeout=0, mode=0o600, is_singleton=False)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock.acquire()
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()
