"""Where the program's own log goes: a small rotating file in the profile. Modules log no names, notes, addresses or secrets."""

from __future__ import annotations

import logging
import logging.handlers
from pathlib import Path


def log_to(folder: Path, name: str) -> None:
    """Call once, at the start. A folder that can't be written costs the log, not the program."""
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    for chatty in ("urllib3", "authlib", "keyring", "filelock"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            folder / f"{name}.log", maxBytes=1_000_000, backupCount=3, encoding="utf-8", delay=True
        )
    except OSError:
        root.addHandler(logging.NullHandler())
        return
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s"))
    root.addHandler(handler)
