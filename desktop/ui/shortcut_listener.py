"""Listens for a key combination in the way that this desktop has. Nothing of this is loaded while no shortcut is set."""

from __future__ import annotations

import sys
from collections.abc import Callable

from desktop.ui.shortcut import Listener, NotPossible, Shortcut, cannot


def listen(shortcut: Shortcut, pressed: Callable[[], None]) -> Listener:
    """Calls `pressed` on the GUI thread each time. Raises NotPossible."""
    from PySide6.QtGui import QGuiApplication

    reason = cannot(qpa=QGuiApplication.platformName() if sys.platform.startswith("linux") else "")
    if reason:
        raise NotPossible(reason)
    if sys.platform == "win32":
        from desktop.ui.shortcut_windows import WindowsListener

        return WindowsListener(shortcut, pressed)
    from desktop.ui.shortcut_x11 import X11Listener

    return X11Listener(shortcut, pressed)
