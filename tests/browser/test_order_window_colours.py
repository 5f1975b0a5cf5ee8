"""The order window's bars follow the system's colours while they are open; and the cross on a page's tab."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QTabBar, QWidget
from pytestqt.qtbot import QtBot

from desktop.ui.browser.bars import Choice, MatterStrip, NavigationBar, NoticeBar
from desktop.ui.browser.tab_strip import TabStrip
from tests.ui.palettes import dark_palette, high_palette


def _navigation() -> QWidget:
    bar = NavigationBar()
    bar.show_zoom("125 %")
    bar.show_place("search.infotrack.com.au", "local")
    bar.show_history(back=True, forward=True)
    return bar


def _notice() -> QWidget:
    bar = NoticeBar()
    bar.say("News.", Choice("Act", lambda: None))
    return bar


def _tabs() -> QWidget:
    strip = TabStrip()
    for name in ("Order", "Terms"):
        strip.add(name)
    return strip


@pytest.fixture
def light(qapp: QApplication) -> Iterator[QPalette]:
    before = QPalette(qapp.palette())
    yield before
    qapp.setPalette(before)


def picture(part: QWidget) -> QImage:
    QApplication.processEvents()
    return part.grab().toImage()


@pytest.mark.parametrize("palette", ["dark", "black", "white"])
@pytest.mark.parametrize("make", [lambda: MatterStrip("J1", "a", "b", "c"), _notice, _navigation, _tabs])
def test_a_bar_made_in_the_light_looks_as_if_made_in_the_dark(
    qtbot: QtBot, qapp: QApplication, light: QPalette, make: Callable[[], QWidget], palette: str
) -> None:
    there = make()
    qtbot.addWidget(there)
    there.resize(600, 60)
    there.show()
    before = picture(there)
    grounds: dict[str, Callable[[], QPalette]] = {
        "dark": dark_palette,
        "black": lambda: high_palette("#000000", "#ffffff"),
        "white": lambda: high_palette("#ffffff", "#000000"),
    }
    qapp.setPalette(grounds[palette]())
    fresh = make()
    qtbot.addWidget(fresh)
    fresh.resize(600, 60)
    fresh.show()
    assert picture(there) == picture(fresh) != before
    qapp.setPalette(light)
    assert picture(there) == before


def test_a_page_is_closed_by_the_cross_on_its_tab(qtbot: QtBot) -> None:
    strip = TabStrip()
    qtbot.addWidget(strip)
    closed: list[int] = []
    strip.tabCloseRequested.connect(closed.append)
    for name in ("Order", "Terms", "Prices"):
        strip.add(name)
    strip.show()
    right = QTabBar.ButtonPosition.RightSide
    assert strip.tabButton(0, right) is None
    strip.take_out(1)
    cross = strip.tabButton(1, right)
    QTest.mouseClick(cross, Qt.MouseButton.LeftButton)
    assert closed == [1]
    assert cross.accessibleName() == "Close Prices"
