"""The demo's secret store where the machine has none: a file in the demo's folder. Never picked by itself."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from filelock import FileLock
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError


class FileKeyring(KeyringBackend):
    """Chosen by name only (PYTHON_KEYRING_BACKEND), and only inside the demo, which names its file."""

    priority = -1.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # the library has no types
        self._path = Path(os.environ["ICONNECT_DEMO_KEYRING"])
        self._lock = FileLock(str(self._path) + ".lock")

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return found if isinstance(found, dict) else {}

    def _write(self, entries: dict[str, Any]) -> None:
        beside = self._path.with_suffix(".new")
        beside.write_text(json.dumps(entries), encoding="utf-8")
        beside.replace(self._path)

    def get_password(self, service: str, username: str) -> str | None:
        with self._lock:
            found = self._read().get(f"{service}\n{username}")
        return found if isinstance(found, str) else None

    def set_password(self, service: str, username: str, password: str) -> None:
        with self._lock:
            self._write({**self._read(), f"{service}\n{username}": password})

    def delete_password(self, service: str, username: str) -> None:
        with self._lock:
            entries = self._read()
            if entries.pop(f"{service}\n{username}", None) is None:
                raise PasswordDeleteError("There is no such entry.")
            self._write(entries)
