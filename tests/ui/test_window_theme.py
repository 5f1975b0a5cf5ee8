"""Windows follow the system's colours while they are open."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QColor, QPalette, QPixmap
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from desktop.ui import theme
from desktop.ui.widgets import Field, MessageBar, Muted, Pill
from desktop.ui.words import Tone

DARK = QPalette(QColor("#3b3f45"), QColor("#202327"))


@pytest.fixture
def light_again(qapp: QApplication) -> Iterator[None]:
    before = QPalette(qapp.palette())
    yield
    qapp.setPalette(before)


def test_an_open_window_changes_with_the_system(qtbot: QtBot, qapp: QApplication, light_again: None) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    muted, field, bar, pill = Muted("second line"), Field(), MessageBar(), Pill("held", Tone.WARN)
    for widget in (muted, field, bar, pill):
        column.addWidget(widget)
    bar.say("Something happened.", Tone.BAD)
    window.show()
    for palette, colours in ((qapp.palette(), theme.LIGHT), (DARK, theme.DARK)):
        qapp.setPalette(palette)
        QApplication.processEvents()
        assert muted.palette().color(QPalette.ColorRole.WindowText).name() == colours.muted
        assert field.palette().color(QPalette.ColorRole.PlaceholderText).name() == colours.muted
        assert bar._text.palette().color(QPalette.ColorRole.WindowText).name() == colours.tone(Tone.BAD).ink
        drawn: QPixmap = pill.grab(QRect(4, pill.height() // 2, 1, 1))
        assert drawn.toImage().pixelColor(0, 0).name() == colours.tone(Tone.WARN).ground


@pytest.mark.parametrize(
    ("ground", "ink"), [("#308cc6", "#ffffff"), ("#a0c8ff", "#000000"), ("#0078d7", "#ffffff"), ("#555555", "#000000")]
)
def test_a_selected_row_can_be_read(ground: str, ink: str) -> None:
    made = theme.readable(QColor(ground), QColor(ink))
    assert theme.contrast(made.name(), ink) >= 4.5
