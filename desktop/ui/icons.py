"""The icons, from the package `resources`. The tray's five differ in shape as well as in colour."""

from __future__ import annotations

from PySide6.QtGui import QIcon

from desktop.ui.first_icon import icon_file
from desktop.ui.state import IconState


def tray_icon(state: IconState) -> QIcon:
    return QIcon(icon_file(f"tray-{state}"))


def app_icon() -> QIcon:
    return QIcon(icon_file("iconnect"))
