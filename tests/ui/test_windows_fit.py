"""Every window fits a small laptop, and can be read from right to left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractItemView, QAbstractScrollArea, QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.conftest import MakeBridge
from tests.ui.every_window import WINDOWS, shown
from tests.ui.fake_desk import FakeDesk
from tests.ui.painted_text import painted_texts

Clock = Callable[[], datetime]

WIDE, HIGH = 1366, 768 - 40 - 32
"""A common small laptop's screen, without the panel and the window's own frame. The sizes that windows open with follow the
screen; the gallery refuses one that doesn't fit such a laptop's."""


@pytest.fixture
def right_to_left(qapp: QApplication) -> Iterator[None]:
    before = qapp.layoutDirection()
    qapp.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    yield
    qapp.setLayoutDirection(before)


@pytest.mark.parametrize("which", WINDOWS)
def test_every_window_fits_a_small_laptop(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, which: str) -> None:
    window = shown(qtbot, make_bridge(FakeDesk()), clock, which)
    least = window.minimumSizeHint().expandedTo(window.minimumSize())
    assert least.width() <= WIDE
    assert least.height() <= HIGH


def letters(window: QWidget) -> Counter[str]:
    """What is painted, letter by letter: from right to left Qt paints a line of several parts in another order."""
    return Counter(letter for text in painted_texts(window) for letter in text.text if letter.isalnum())


def laid_out(window: QWidget) -> Iterator[QWidget]:
    """Every widget in sight that a layout put where it is; what a list or a page scrolls may lie outside."""
    for widget in window.findChildren(QWidget):
        above = widget.parentWidget()
        scrolled = False
        while above is not None and above is not window:
            scrolled = scrolled or isinstance(above, QAbstractScrollArea | QAbstractItemView)
            above = above.parentWidget()
        if widget.isVisible() and not scrolled and not widget.isWindow():
            yield widget


@pytest.mark.parametrize("which", WINDOWS)
def test_nothing_is_cut_from_right_to_left(
    qtbot: QtBot, qapp: QApplication, make_bridge: MakeBridge, clock: Clock, which: str, right_to_left: None
) -> None:
    window = shown(qtbot, make_bridge(FakeDesk()), clock, which)
    assert window.layoutDirection() is Qt.LayoutDirection.RightToLeft
    found = list(laid_out(window))
    assert found
    for widget in found:
        place = widget.mapTo(window, QPoint())
        told = f"{type(widget).__name__} {widget.accessibleName()} at {place.x()}, {place.y()}, {widget.width()} wide"
        assert min(place.x(), place.y(), widget.width(), widget.height()) >= 0, told
        assert place.x() + widget.width() <= window.width(), told
        if isinstance(widget, QPushButton):
            assert widget.width() >= widget.sizeHint().width() - 1, told
    mirrored = letters(window)
    qapp.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
    QApplication.processEvents()
    plain = letters(window)
    assert plain.total() > 40
    # A line that is elided loses a letter more or fewer where its end is.
    assert (plain - mirrored).total() <= plain.total() // 100, plain - mirrored
