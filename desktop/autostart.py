"""Starting iConnect when the person signs in to this PC: an entry of their own, over what was set up for everybody.

Read as the systems read it. Linux: the first file of the name counts, the person's folder before the PC's, and `Hidden=true` in
it means «not at all» (Desktop Application Autostart Specification); GNOME's own key may switch an entry off too. Windows: the
values `iConnect` under the `Run` keys of the PC and of the person, each of which Task Manager may have switched off under
`StartupApproved` (an odd first byte; as seen on Windows 10 and 11, Microsoft documents it nowhere)."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol

_NAME = "iConnect"
_FILE = "iconnect.desktop"
_RUN = r"Software\Microsoft\Windows\CurrentVersion\Run"
_APPROVED = r"Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"

Hive = Literal["person", "machine"]


class Registry(Protocol):
    """What of Windows' registry is needed. Missing keys and values are None; raises OSError for what is forbidden."""

    def read(self, hive: Hive, key: str, name: str) -> str | bytes | None: ...

    def write(self, key: str, name: str, value: str) -> None:
        """In the person's hive."""
        ...

    def delete(self, key: str, name: str) -> None:
        """In the person's hive; nothing happens where there is none."""
        ...


def command() -> list[str]:
    """How to start this program without a command."""
    if not getattr(sys, "frozen", False):
        return [sys.executable, "-m", "desktop"]
    program = Path(sys.executable)
    # On Windows the same program lies beside it without a console, which would stand open as long as the tray runs.
    quiet = program.with_name("iConnect-Tray.exe")
    return [str(quiet if program.suffix.lower() == ".exe" and quiet.exists() else program)]


def starts_at_sign_in(environment: Mapping[str, str] = os.environ, registry: Registry | None = None) -> bool:
    """Whether iConnect starts with this person, whoever decided so: as the system itself would answer."""
    if sys.platform == "win32" or registry is not None:
        found = registry or _windows_registry()
        return _windows_on(found, "machine") or _windows_on(found, "person")
    return any(map(_linux_on, _linux_entries(environment)[:1]))


def is_decided_for_everybody(registry: Registry | None = None) -> bool:
    """Whether it starts for everybody on this PC and the person can't change that. On Linux they can: their own file counts
    before the PC's."""
    if sys.platform == "win32" or registry is not None:
        return _windows_on(registry or _windows_registry(), "machine")
    return False


def set_autostart(wanted: bool, environment: Mapping[str, str] = os.environ, registry: Registry | None = None) -> None:
    """Makes it so for this person. Raises OSError, also when it is started for everybody and that is not theirs to change. Does
    nothing on systems that have no such place."""
    if sys.platform == "win32" or registry is not None:
        _set_windows(wanted, registry or _windows_registry())
    elif sys.platform.startswith("linux"):
        _set_linux(wanted, environment)


# ---- Linux ----------------------------------------------------------------------------------------------------------------------


def linux_entry(environment: Mapping[str, str]) -> Path:
    """The person's own file."""
    config = environment.get("XDG_CONFIG_HOME") or str(Path(environment.get("HOME", "~")).expanduser() / ".config")
    return Path(config) / "autostart" / _FILE


def _linux_entries(environment: Mapping[str, str]) -> list[Path]:
    """Those that are there, the one that counts first."""
    machine = (environment.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
    places = [linux_entry(environment), *(Path(folder) / "autostart" / _FILE for folder in machine if folder)]
    return [place for place in places if place.is_file()]


def _linux_on(entry: Path) -> bool:
    try:
        found = _keys(entry.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return False
    is_off = found.get("Hidden") == "true" or found.get("X-GNOME-Autostart-enabled") == "false"
    return not is_off and bool(found.get("Exec"))


def _keys(text: str) -> dict[str, str]:
    """The keys of the group [Desktop Entry], as written."""
    found: dict[str, str] = {}
    inside = False
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            inside = line == "[Desktop Entry]"
        elif inside and "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key.strip(), value.strip())
    return found


def _set_linux(wanted: bool, environment: Mapping[str, str]) -> None:
    entry = linux_entry(environment)
    others = [place for place in _linux_entries(environment) if place != entry]
    is_for_everybody = any(map(_linux_on, others[:1]))
    if wanted is is_for_everybody:
        # What the PC says is what the person wants: a file of theirs would only outlive a change of it.
        entry.unlink(missing_ok=True)
        return
    entry.parent.mkdir(parents=True, exist_ok=True)
    line = " ".join(_quoted(part) for part in command())
    switch = "X-GNOME-Autostart-enabled=true" if wanted else "Hidden=true\nX-GNOME-Autostart-enabled=false"
    content = f"[Desktop Entry]\nType=Application\nName={_NAME}\nExec={line}\nIcon=iconnect\n{switch}\n"
    entry.write_text(content, encoding="utf-8")


def _quoted(part: str) -> str:
    """As the desktop entry rules want an argument: quoted, then escaped once more as every value is."""
    escaped = "".join("\\" + letter if letter in '"`$\\' else letter for letter in part)
    return f'"{escaped}"'.replace("\\", "\\\\").replace("%", "%%")


# ---- Windows --------------------------------------------------------------------------------------------------------------------


def _windows_on(registry: Registry, hive: Hive) -> bool:
    if not registry.read(hive, _RUN, _NAME):
        return False
    approved = registry.read(hive, _APPROVED, _NAME)
    return not (isinstance(approved, bytes) and approved[:1] and approved[0] % 2)


def _set_windows(wanted: bool, registry: Registry) -> None:
    import subprocess

    if _windows_on(registry, "machine"):
        if not wanted:
            raise OSError(1, "iConnect is started for everybody on this PC, which only an administrator changes")
        return
    # What Task Manager remembers of an earlier entry would switch the new one off.
    registry.delete(_APPROVED, _NAME)
    if wanted:
        registry.write(_RUN, _NAME, subprocess.list2cmdline(command()))
    else:
        registry.delete(_RUN, _NAME)


if sys.platform == "win32":
    import winreg

    _HIVES = {"person": winreg.HKEY_CURRENT_USER, "machine": winreg.HKEY_LOCAL_MACHINE}

    class _WindowsRegistry:
        def read(self, hive: Hive, key: str, name: str) -> str | bytes | None:
            try:
                with winreg.OpenKey(_HIVES[hive], key, 0, winreg.KEY_QUERY_VALUE | winreg.KEY_WOW64_64KEY) as found:
                    value = winreg.QueryValueEx(found, name)[0]
            except FileNotFoundError:
                return None
            return value if isinstance(value, str | bytes) else None

        def write(self, key: str, name: str, value: str) -> None:
            with winreg.CreateKeyEx(winreg.HKEY_CURRENT_USER, key, 0, winreg.KEY_SET_VALUE) as found:
                winreg.SetValueEx(found, name, 0, winreg.REG_SZ, value)

        def delete(self, key: str, name: str) -> None:
            try:
                with winreg.OpenKey(winreg.HKEY_CURRENT_USER, key, 0, winreg.KEY_SET_VALUE) as found:
                    winreg.DeleteValue(found, name)
            except FileNotFoundError:
                return


def _windows_registry() -> Registry:
    if sys.platform == "win32":
        return _WindowsRegistry()
    raise OSError("only Windows has a registry")
