"""A key combination that opens the picker from wherever the person is working.

Windows and X11 let a program ask for one; Wayland lets no program listen, so there the desktop's own settings must start
`iconnect` instead. Nothing of this is loaded while no shortcut is set.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from typing import Protocol

from desktop.ui.language import tr

MODIFIERS = ("Ctrl", "Alt", "Shift", "Meta")
_KEY = re.compile(r"[A-Z0-9]|F(?:[1-9]|1[0-2])")


class BadShortcut(Exception):
    """The message says what a shortcut looks like."""


@dataclass(frozen=True, slots=True)
class Shortcut:
    """`modifiers` in the order of MODIFIERS; `key` is a capital letter, a digit, or F1 to F12."""

    modifiers: tuple[str, ...]
    key: str

    def __str__(self) -> str:
        return "+".join((*self.modifiers, self.key))


def read_shortcut(text: str) -> Shortcut:
    """Raises BadShortcut. Two modifiers at least (one for F1 to F12): a single one would take a key from other programs."""
    *modifiers, key = [part.strip() for part in text.split("+")]
    named = {name.casefold(): name for name in MODIFIERS} | {"win": "Meta", "super": "Meta", "control": "Ctrl"}
    try:
        held = {named[part.casefold()] for part in modifiers}
    except KeyError:
        raise BadShortcut(_SHAPE) from None
    key = key.upper()
    if not _KEY.fullmatch(key) or len(held) != len(modifiers):
        raise BadShortcut(_SHAPE)
    enough = len(held) > 1 or (len(key) > 1 and held - {"Shift"})
    if not enough:
        raise BadShortcut(_SHAPE)
    return Shortcut(tuple(name for name in MODIFIERS if name in held), key)


_SHAPE = tr(
    "A shortcut is two of Ctrl, Alt, Shift and Meta with a letter or a digit, such as Ctrl+Alt+I; or one of them with F1 to F12."
)


class Listener(Protocol):
    """Listens until it is closed."""

    def close(self) -> None: ...


class NotPossible(Exception):
    """The message says why, and what a person can do instead."""


def cannot(environment: dict[str, str] | os._Environ[str] = os.environ, platform: str = sys.platform, qpa: str = "") -> str:
    """Why no shortcut can be had on this desktop; empty where one can. `qpa` is Qt's own name for it; on a screen that nobody
    sees there is nobody to tell."""
    if platform == "win32" or qpa == "offscreen":
        return ""
    if (
        platform.startswith("linux")
        and environment.get("DISPLAY")
        and not environment.get("WAYLAND_DISPLAY")
        and qpa in ("", "xcb")
    ):
        return ""
    if environment.get("WAYLAND_DISPLAY"):
        return tr(
            "Wayland lets no program listen for keys. Make a shortcut in your desktop's keyboard settings that starts the "
            "command iconnect: it brings the picker forward."
        )
    return tr("This system has no way to ask for a shortcut. Make one in its keyboard settings that starts the command iconnect.")
