"""Menus: the lines between their groups."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from desktop.ui import theme
from desktop.ui.menus import lined


@pytest.mark.parametrize(
    ("ground", "ink"),
    [("#202124", "#eeeeee"), ("#ffffff", "#111111"), ("#000000", "#ffffff")],
    ids=["dark", "light", "high contrast"],
)
def test_the_line_between_two_groups_is_seen_in_every_theme(qtbot: QtBot, ground: str, ink: str) -> None:
    """WCAG 2, 1.4.11: what separates is seen at 3:1 or better."""
    before = QPalette(QGuiApplication.palette())
    palette = QPalette(QColor(ground))
    for role in (QPalette.ColorRole.Window, QPalette.ColorRole.Base):
        palette.setColor(role, QColor(ground))
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        palette.setColor(role, QColor(ink))
    QApplication.setPalette(palette)
    try:
        menu = lined(QMenu())
        qtbot.addWidget(menu)
        menu.addAction("One")
        line = menu.addSeparator()
        menu.addAction("Two")
        assert menu.styleSheet() == "", "costs nothing before it opens"
        menu.popup(menu.pos())
        qtbot.waitUntil(menu.isVisible)
        picture = menu.grab().toImage()
        scale = picture.devicePixelRatio()
        where = menu.actionGeometry(line)
        x = int(where.center().x() * scale)
        column = [picture.pixelColor(x, y) for y in range(int(where.top() * scale), int((where.bottom() + 1) * scale))]
        assert max(theme.contrast(colour.name(), ground) for colour in column) >= 3
        menu.hide()
    finally:
        QApplication.setPalette(before)
