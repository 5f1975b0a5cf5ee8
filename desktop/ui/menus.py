"""Menus whose lines between groups can be seen in every theme."""

from __future__ import annotations

from PySide6.QtWidgets import QMenu

# The style draws them from a colour that a dark or a high-contrast theme has no place for; this one is made from the text's.
_LINES = "QMenu::separator { height: 1px; background: palette(placeholder-text); margin: 3px 8px }"


def lined(menu: QMenu) -> QMenu:
    """The same menu. Its lines are made when it opens first: a tray that nobody touches shall not carry a style sheet's weight."""

    def draw() -> None:
        if not menu.styleSheet():
            menu.setStyleSheet(_LINES)

    menu.aboutToShow.connect(draw)
    return menu
