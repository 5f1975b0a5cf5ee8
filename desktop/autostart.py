"""Starting iConnect when the person signs in to this PC: an entry of their own, removed as easily as it is made."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

_NAME = "iConnect"


def command() -> list[str]:
    """How to start this program without a command."""
    if getattr(sys, "frozen", False):
        return [sys.executable]
    return [sys.executable, "-m", "desktop"]


def linux_entry(environment: Mapping[str, str]) -> Path:
    config = environment.get("XDG_CONFIG_HOME") or str(Path(environment.get("HOME", "~")).expanduser() / ".config")
    return Path(config) / "autostart" / "iconnect.desktop"


def set_autostart(wanted: bool, environment: Mapping[str, str] = os.environ) -> None:
    """Makes or removes the entry. Raises OSError. Does nothing on systems that have no such place."""
    if sys.platform == "win32":
        _set_windows(wanted)
    elif sys.platform.startswith("linux"):
        entry = linux_entry(environment)
        if not wanted:
            entry.unlink(missing_ok=True)
            return
        entry.parent.mkdir(parents=True, exist_ok=True)
        line = " ".join(_quoted(part) for part in command())
        entry.write_text(
            f"[Desktop Entry]\nType=Application\nName={_NAME}\nExec={line}\nIcon=iconnect\nX-GNOME-Autostart-enabled=true\n"
        )


def _quoted(part: str) -> str:
    """As the desktop entry rules want an argument."""
    escaped = "".join("\\" + letter if letter in '"`$\\' else letter for letter in part)
    return f'"{escaped}"'.replace("%", "%%")


def _set_windows(wanted: bool) -> None:
    if sys.platform == "win32":
        import subprocess
        import winreg

        with winreg.OpenKey(
            winreg.HKEY_CURRENT_USER, r"Software\Microsoft\Windows\CurrentVersion\Run", 0, winreg.KEY_SET_VALUE
        ) as key:
            if wanted:
                winreg.SetValueEx(key, _NAME, 0, winreg.REG_SZ, subprocess.list2cmdline(command()))
            else:
                try:
                    winreg.DeleteValue(key, _NAME)
                except FileNotFoundError:
                    return
