"""A secret store for the demo alone, so that it never touches the person's own.

Where the machine has D-Bus and GNOME Keyring, a real Secret Service runs in a private bus session. Elsewhere the demo's own
backend keeps the entries in the demo's folder: it guards nothing but the sandbox's invented logins.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

_UNLOCK = (
    'printf "demo\\n" | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; '
    'printf "%s\\n" "$DBUS_SESSION_BUS_ADDRESS"; cat'
)


class PrivateKeyring:
    """Starts the store; `environment` is what every process of the demo must be given. `close` ends it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = ""
        self.environment: dict[str, str] = {}
        self._session: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if sys.platform.startswith("linux") and self._start_secret_service():
            self.name = "GNOME Keyring in a private D-Bus session"
            return
        self.name = "the demo's own store (this machine has no D-Bus with GNOME Keyring to start)"
        self.environment = {
            "PYTHON_KEYRING_BACKEND": "desktop.demo.file_keyring.FileKeyring",
            "ICONNECT_DEMO_KEYRING": str(self.folder / "keyring.json"),
        }

    def _start_secret_service(self) -> bool:
        if not (shutil.which("dbus-run-session") and shutil.which("gnome-keyring-daemon")):
            return False
        run = self.folder / "run"
        run.mkdir(mode=0o700, exist_ok=True)
        private = {"HOME": str(self.folder), "XDG_RUNTIME_DIR": str(run), "XDG_DATA_HOME": str(self.folder / "data")}
        session = subprocess.Popen(
            ["dbus-run-session", "--", "sh", "-c", _UNLOCK],
            env={**os.environ, **private},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert session.stdout is not None
        address = session.stdout.readline().strip()
        if not address:
            session.kill()
            session.wait()
            return False
        self._session = session
        self.environment = {
            "DBUS_SESSION_BUS_ADDRESS": address,
            "PYTHON_KEYRING_BACKEND": "keyring.backends.SecretService.Keyring",
        }
        return True

    def close(self) -> None:
        if self._session is not None:
            # Its last command reads standard input to the end: closing that ends the session and all that it started.
            assert self._session.stdin is not None
            self._session.stdin.close()
            try:
                self._session.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._session.kill()
                self._session.wait()
            if self._session.stdout is not None:
                self._session.stdout.close()
