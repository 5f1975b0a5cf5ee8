"""Files that lie beside the ledger: private, durable when a call returns, and patient with a virus scanner's open handles."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE = 2.5
"""Seconds. A scanner or an indexer holds a new file for a moment; Windows then refuses to rename it."""

_HELD = frozenset({5, 32, 33})
"""Windows: access denied, sharing violation, lock violation."""


def rename(
    source: Path,
    target: Path,
    *,
    replace: Callable[[Path, Path], None] = os.replace,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Puts `source` in `target`'s place in one step, trying again while another program holds either. Raises OSError."""
    until, pause = clock() + PATIENCE, 0.01
    while True:
        try:
            replace(source, target)
        except OSError as error:
            if getattr(error, "winerror", None) not in _HELD or clock() >= until:
                raise
            sleep(pause)
            pause = min(2 * pause, 0.25)
        else:
            return


def sync_folder(folder: Path) -> None:
    """Makes new names in a folder durable. Windows does that by itself."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Of a file that no connection has open: closing a descriptor of a live database would drop its locks."""
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_empty(path: Path) -> None:
    """A new file, its owner's alone from the start; what lay there is gone. Raises OSError."""
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def append(path: Path, content: bytes) -> None:
    """Adds to a private file and syncs it. Raises OSError."""
    new = not path.exists()
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if new:
        sync_folder(path.parent)


def write_text(path: Path, text: str) -> None:
    """A small private file, whole or not at all. Raises OSError."""
    # Two processes may write it in the same moment.
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        make_empty(part)
        append(part, text.encode())
        rename(part, path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def read_text(path: Path) -> str:
    """Empty when there is none, or none that can be read."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return path.read_bytes().decode()
    return ""
