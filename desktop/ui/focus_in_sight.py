"""Whoever uses the keyboard alone sees where they are, however small the window is."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QScrollArea, QWidget


def keep_focus_in_sight(app: QApplication) -> None:
    """In every window that is opened from now on: whoever comes by the keyboard to a widget of a page that scrolls sees it."""
    # One function for all of them: a connection to each area would be called once more while the area is taken down.
    app.focusChanged.connect(_follow)


def _follow(old: QWidget | None, new: QWidget | None) -> None:
    """From widget to widget of one page Qt scrolls by itself, but not where one comes from outside. Nothing moves under a
    pressed mouse, nor because a window comes to the front again."""
    if old is None or new is None or old.window() is not new.window() or QApplication.mouseButtons() != Qt.MouseButton.NoButton:
        return
    around = new.parentWidget()
    while around is not None:
        page = around.widget() if isinstance(around, QScrollArea) else None
        if isinstance(around, QScrollArea) and page is not None and not page.isAncestorOf(old):
            around.ensureWidgetVisible(new)
        around = None if around.isWindow() else around.parentWidget()
