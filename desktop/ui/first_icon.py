"""The first thing that a person sees: the tray icon, drawn before the rest of the program is imported.

Imports Qt's widgets and nothing else of ours, so that the icon stands about as soon as a bare Qt program's would. The program
takes the icon over a moment later (TrayApp); clicks until then wait in Qt's queue.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

import resources

FIRST_FACE = "tray-connecting"
FIRST_WORDS = "iConnect: connecting"

_LOOK_MS = 4
_LOOKS = 25


def icon_file(name: str) -> str:
    """The path of an icon's SVG. The icons are plain files in every build: never in an archive."""
    # Not importlib.resources: it brings tempfile, random and hashlib, and with that OpenSSL, into the idle tray.
    return str(Path(resources.__path__[0]) / "icons" / f"{name}.svg")


def prepare(app: QApplication) -> None:
    """What the application object needs before anything is shown."""
    app.setApplicationName("iConnect")
    app.setApplicationDisplayName("")
    app.setDesktopFileName("iconnect")
    app.setQuitOnLastWindowClosed(False)


def show_first_icon() -> QSystemTrayIcon:
    """The icon, offered to the tray host if there is one now. A host that comes later is the Tray's to find."""
    icon = QSystemTrayIcon(QIcon(icon_file(FIRST_FACE)))
    icon.setToolTip(FIRST_WORDS)
    if QSystemTrayIcon.isSystemTrayAvailable():
        icon.show()
    return icon


def after_first_paint(icon: QSystemTrayIcon, then: Callable[[], None]) -> None:
    """Calls `then` once, on the GUI thread, when the icon stands in the tray: what follows keeps the interpreter busy for a
    while, and the host needs an answer from us before it draws. Where no place is ever told (no host, or a host that draws
    by itself), it waits a tenth of a second at most."""
    left = _LOOKS if icon.isVisible() else 0

    # A function and no bound method: Qt's timer would not keep its object alive.
    def look() -> None:
        nonlocal left
        if left > 0 and icon.geometry().isEmpty():
            left -= 1
            QTimer.singleShot(_LOOK_MS, look)
        else:
            # One turn more, in which the icon's own window paints.
            QTimer.singleShot(_LOOK_MS, then)

    QTimer.singleShot(0, look)
