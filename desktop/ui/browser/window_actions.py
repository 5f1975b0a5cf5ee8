"""What can be done in the order window, each with its keys; the same actions stand in the «More» menu."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from desktop.ui.language import tr
from desktop.ui.menus import lined


@dataclass(frozen=True, slots=True)
class Deed:
    """`keys`: the first is shown. `in_menu`: stands in the menu; "" in `text` is not allowed there."""

    text: str
    keys: tuple[str, ...]
    act: Callable[[], None]
    in_menu: bool = False
    ends_group: bool = False


def make_actions(window: QWidget, deeds: tuple[Deed, ...]) -> QMenu:
    """Gives every deed its keys in the window, and makes the menu."""
    menu = lined(QMenu(window))
    menu.setAccessibleName(tr("More"))
    for deed in deeds:
        action = QAction(deed.text, window)
        action.setShortcuts([QKeySequence(key) for key in deed.keys])
        action.triggered.connect(lambda _checked=False, act=deed.act: act())
        window.addAction(action)
        if deed.in_menu:
            menu.addAction(action)
            if deed.ends_group:
                menu.addSeparator()
    return menu
