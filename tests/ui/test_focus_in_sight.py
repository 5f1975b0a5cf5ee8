"""Whoever uses the keyboard alone sees where they are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QScrollArea, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from desktop.ui import tray_app
from desktop.ui.tray_app import TrayApp
from tests.ui.fake_desk import FakeDesk
from tests.ui.fake_settings import FakeSettings

ROOT = Path(__file__).resolve().parents[2]


class LongPage(QWidget):
    """A page of forty fields above one button."""

    def __init__(self) -> None:
        super().__init__()
        page = QWidget()
        rows = QVBoxLayout(page)
        self.fields = [QLineEdit(str(number)) for number in range(40)]
        for field in self.fields:
            rows.addWidget(field)
        self.area = QScrollArea()
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setWidget(page)
        self.button = QPushButton("OK")
        column = QVBoxLayout(self)
        column.addWidget(self.area)
        column.addWidget(self.button)
        self.resize(300, 300)

    def seen(self, field: QWidget) -> bool:
        return not field.visibleRegion().isEmpty()


@pytest.fixture
def window(qtbot: QtBot) -> LongPage:
    window = LongPage()
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.area.verticalScrollBar().setValue(window.area.verticalScrollBar().maximum())
    window.button.setFocus()
    return window


def test_who_comes_into_a_page_from_outside_sees_where(window: LongPage) -> None:
    assert not window.seen(window.fields[0])
    QTest.keyClick(window.button, Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is window.fields[0]
    assert window.seen(window.fields[0])
    QTest.keyClick(window.fields[0], Qt.Key.Key_Tab, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(window.button, Qt.Key.Key_Tab, Qt.KeyboardModifier.ShiftModifier)
    assert QApplication.focusWidget() is window.fields[-1]
    assert window.seen(window.fields[-1])


def test_nothing_moves_under_a_pressed_mouse(window: LongPage) -> None:
    bar = window.area.verticalScrollBar()
    bar.setValue(bar.maximum() - 20)
    before, place = bar.value(), window.fields[-1].rect().topLeft()
    QTest.mousePress(window.fields[-1], Qt.MouseButton.LeftButton, pos=place)
    assert QApplication.focusWidget() is window.fields[-1]
    assert bar.value() == before
    QTest.mouseRelease(window.fields[-1], Qt.MouseButton.LeftButton, pos=place)


def test_a_window_that_comes_back_stays_where_it_was_scrolled_to(qtbot: QtBot, window: LongPage) -> None:
    window.fields[0].setFocus()
    bar = window.area.verticalScrollBar()
    bar.setValue(bar.maximum())
    other = QPushButton("another window")
    qtbot.addWidget(other)
    other.show()
    other.activateWindow()
    qtbot.waitUntil(other.isActiveWindow)
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is window.fields[0])
    assert bar.value() == bar.maximum()


def test_the_tray_program_sees_to_it(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[QApplication] = []
    monkeypatch.setattr(tray_app, "keep_focus_in_sight", told.append)
    app = TrayApp(qapp, lambda notify: FakeDesk(), FakeSettings(), host_grace_ms=0)
    app.close()
    assert told == [qapp]


def test_so_does_the_order_window(qapp: QApplication) -> None:
    """A process of its own, with an application of its own."""
    code = (
        "import desktop.ui, sys\n"
        "from desktop.ui import focus_in_sight\n"
        "told = []\n"
        "focus_in_sight.keep_focus_in_sight = told.append\n"
        "from desktop.ui.browser.start_up import make_application\n"
        "app = make_application('system')\n"
        "print(told == [app])\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env={**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    )
    assert ran.stdout.strip() == "True", ran.stderr[-300:]
