"""The icons, from the package `resources`. The tray's five differ in shape as well as in colour."""

from __future__ import annotations

from importlib.resources import files

from PySide6.QtGui import QIcon

from desktop.ui.state import IconState


def icon_file(name: str) -> str:
    """The path of an icon's SVG. The icons are plain files in every build: never in an archive."""
    return str(files("resources") / "icons" / f"{name}.svg")


def tray_icon(state: IconState) -> QIcon:
    return QIcon(icon_file(f"tray-{state}"))


def app_icon() -> QIcon:
    return QIcon(icon_file("iconnect"))
