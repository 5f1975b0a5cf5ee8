"""Where the program's own log goes: a small rotating file in the profile. Modules log no names, notes, addresses or secrets."""

from __future__ import annotations

import logging
import logging.handlers
from io import TextIOWrapper
from pathlib import Path

from desktop.private_files import make_private


class _PrivateLog(logging.handlers.RotatingFileHandler):
    """For its owner's eyes, like everything in the profile."""

    def _open(self) -> TextIOWrapper:
        make_private(Path(self.baseFilename))
        return super()._open()


def log_to(folder: Path, name: str) -> None:
    """Call once, at the start. A folder that can't be written costs the log, not the program."""
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    for chatty in ("urllib3", "authlib", "keyring", "filelock"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        for each in (folder.parent, folder):  # the mode is not the parents'
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = _PrivateLog(folder / f"{name}.log", maxBytes=1_000_000, backupCount=3, encoding="utf-8", delay=True)
    except OSError:
        root.addHandler(logging.NullHandler())
        return
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s"))
    root.addHandler(handler)
