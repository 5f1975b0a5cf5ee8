"""Where a message that came over the feed but can't be read is kept until a person has looked at it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from desktop.private_files import open_private
from desktop.services.errors import NotNow

MOST = 1_000


class Unreadable:
    """A folder of the profile: each message beside a `.reason.txt`. The same bytes are kept once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, raw: bytes, reason: str) -> None:
        """Durable when this returns. Raises NotNow when it can't be: the caller must not let go of the message then."""
        name = hashlib.sha256(raw).hexdigest()[:24]
        path = self._folder / f"{name}.json"
        try:
            if path.exists():
                return
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.count() >= MOST:
                raise NotNow(
                    f"{MOST} order messages that can't be read have piled up. Ask support to look at them, then remove them."
                )
            with open_private(path.with_name(path.name + ".reason.txt")) as file:
                file.write(f"{reason}\n".encode())
            beside = path.with_suffix(".new")
            with open_private(beside) as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except OSError as error:
            raise NotNow("A message that can't be read could not be put aside. Check the disk of the profile folder.") from error

    def count(self) -> int:
        """How many wait for a person."""
        try:
            return sum(1 for name in os.listdir(self._folder) if name.endswith(".json"))  # noqa: PTH208 - names alone
        except OSError:
            return 0
