"""Room on the disk that is given back when there is no other, so that what is under way can still be noted.

A file of zeros beside the ledger. Its being there is the whole state, so several processes agree about it.
"""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

log = logging.getLogger(__name__)

SMALLEST = 512 * 1024
LARGEST = 6 * 1024 * 1024
"""The write-ahead log grows to some 4 MB before it starts over; the rest is for the ledger itself."""

_PIECE = bytes(64 * 1024)


class Reserve:
    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger
        self.path = ledger.with_name(f"{ledger.name}.reserve")

    def size(self) -> int:
        """In bytes; 0 when it was given back."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def keep(self) -> None:
        """Sees to it that the reserve is there and as large as the ledger needs. Raises OSError; nothing is left then."""
        wanted = min(max(2 * self._ledger.stat().st_size, SMALLEST), LARGEST)
        found = self.size()
        if found >= wanted:
            return
        try:
            fill(self.path, wanted - found)
        except OSError:
            self.release()
            raise

    def release(self) -> None:
        """Gives the room back."""
        with contextlib.suppress(OSError):
            self.path.unlink()
            log.warning("The disk is full; the ledger's reserve was given back")


def fill(path: Path, size: int) -> None:
    """Adds so many bytes, truly written: a sparse file would reserve nothing."""
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600), "wb") as file:
        for start in range(0, size, len(_PIECE)):
            file.write(_PIECE[: size - start])
