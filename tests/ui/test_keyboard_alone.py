"""Every window by the keyboard alone: Tab comes to everything in an order that one can follow and goes back the same way, what
has the keyboard shows it, every button and menu can be pressed, and Esc closes."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QImage, QKeySequence, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QScrollArea,
    QTabBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from desktop.ui.deliveries import DeliveriesWindow
from tests.ui.conftest import MakeBridge
from tests.ui.every_window import BROWSER, WINDOWS, Clock, name_of, shown, takes_part
from tests.ui.fake_desk import FakeDesk

# The list leads to what belongs to the chosen row before it leads on to the window's rarer buttons above.
ROW_FIRST = {"orders", "an order in detail", "a refused posting", "unmatched", "picker"}


def stops(window: QWidget) -> list[QWidget]:
    """What Tab comes to, from the first stop round to it again."""
    wanted = {widget for widget in takes_part(window) if widget.isEnabled() and widget.focusProxy() is None}
    first = next((one for one in chain(window) if one in wanted), None)
    assert first is not None
    first.setFocus(Qt.FocusReason.TabFocusReason)
    met = [first]
    for _ in range(3 * len(wanted) + 6):
        focus = QApplication.focusWidget()
        assert focus is not None
        QTest.keyClick(focus, Qt.Key.Key_Tab)
        focus = QApplication.focusWidget()
        assert focus is not None
        if focus is first:
            return met
        met.append(focus)
    raise AssertionError(f"Tab never comes round; it was last at {name_of(met[-1])}")


def chain(window: QWidget) -> list[QWidget]:
    found: list[QWidget] = []
    here = window.nextInFocusChain()
    while here is not None and here is not window:
        found.append(here)
        here = here.nextInFocusChain()
    return found


def place(widget: QWidget, window: QWidget) -> QRect:
    return QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())


@pytest.mark.parametrize("which", WINDOWS | BROWSER)
def test_tab_comes_to_everything_and_round_again(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, which: str) -> None:
    window = shown(qtbot, make_bridge(FakeDesk()), clock, which)
    met = stops(window)
    missed = {name_of(one) for one in takes_part(window) if one.isEnabled() and not isinstance(one, QScrollArea)}
    assert missed - {name_of(one) for one in met} == set()
    assert all(name_of(one).strip() for one in met)


@pytest.mark.parametrize("which", WINDOWS | BROWSER)
def test_shift_and_tab_go_back_the_same_way(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, which: str) -> None:
    window = shown(qtbot, make_bridge(FakeDesk()), clock, which)
    there = stops(window)
    back: list[QWidget] = []
    for _ in there:
        focus = QApplication.focusWidget()
        assert focus is not None
        QTest.keyClick(focus, Qt.Key.Key_Tab, Qt.KeyboardModifier.ShiftModifier)
        focus = QApplication.focusWidget()
        assert focus is not None
        back.append(focus)
    assert [name_of(one) for one in back] == [name_of(one) for one in reversed(there)]


@pytest.mark.parametrize("which", WINDOWS | BROWSER)
def test_tab_goes_as_one_reads(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, which: str) -> None:
    """Down, and to the right within a line; only where a row of a list leads to what belongs to it does it come back up."""
    window = shown(qtbot, make_bridge(FakeDesk()), clock, which)
    met = stops(window)
    back = []
    for one, other in pairwise(met):
        before, after = place(one, window), place(other, window)
        above = after.bottom() < before.top()
        left = after.right() < before.left() and after.top() < before.bottom()
        # Which of a dialog's buttons comes first is the desktop's own custom.
        together = isinstance(one.parent(), QDialogButtonBox) and one.parent() is other.parent()
        if (above or left) and not together:
            back.append((name_of(one), name_of(other)))
    if which in ROW_FIRST:
        lists = {one.accessibleName() for one in met if isinstance(one, (QAbstractItemView, QScrollArea))}
        back = [pair for pair in back if lists.isdisjoint(pair)]
    assert not back


def in_sight(widget: QWidget) -> QRect:
    """What the widgets around it leave of it."""
    seen, around = widget.rect(), widget.parentWidget()
    while around is not None and not widget.isWindow():
        seen &= QRect(widget.mapFrom(around, QPoint(0, 0)), around.size())
        around = None if around.isWindow() else around.parentWidget()
    return seen


def picture(window: QWidget, area: QRect) -> QImage:
    return window.grab(area.adjusted(-4, -4, 4, 4).intersected(window.rect())).toImage()


@pytest.mark.parametrize("which", WINDOWS | BROWSER)
def test_what_has_the_keyboard_shows_it(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, which: str) -> None:
    """The same place looks different with the keyboard there and with the keyboard at the next stop. The button that Enter
    presses from everywhere is marked all the time."""
    window = shown(qtbot, make_bridge(FakeDesk()), clock, which)
    hidden = []
    met = stops(window)
    for one in met if len(met) > 1 else []:
        assert QApplication.focusWidget() is one
        area = place(one, window)
        with_it = picture(window, area)
        QTest.keyClick(one, Qt.Key.Key_Tab)
        QApplication.processEvents()
        marked = isinstance(one, QPushButton) and one.isDefault()
        if not marked and place(one, window) == area and picture(window, area) == with_it:
            hidden.append(name_of(one))
    assert hidden == []


@pytest.mark.parametrize("which", WINDOWS | BROWSER)
def test_what_has_the_keyboard_is_in_sight_on_a_small_screen(
    qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, which: str
) -> None:
    """However little of a page there is room for, also from its end round to its beginning. At 200 % a small laptop has 680 by
    380."""
    window = shown(qtbot, make_bridge(FakeDesk()), clock, which)
    window.resize(680, 380)
    QApplication.processEvents()
    met = stops(window)
    unseen = []
    for _ in (*met, *met[:1]):
        focus = QApplication.focusWidget()
        assert focus is not None
        seen = in_sight(focus)
        if seen.height() < min(focus.height(), 20) or seen.width() < min(focus.width(), 20):
            unseen.append(name_of(focus))
        QTest.keyClick(focus, Qt.Key.Key_Tab)
        QApplication.processEvents()
    assert unseen == []


@pytest.mark.parametrize("which", WINDOWS | BROWSER)
def test_every_button_in_sight_is_pressed_by_the_space_bar(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, which: str) -> None:
    window = shown(qtbot, make_bridge(FakeDesk()), clock, which)
    reached = set(stops(window))
    for button in window.findChildren(QAbstractButton):
        # Del on a tab closes its page.
        own = isinstance(button.parent(), (QLineEdit, QAbstractItemView, QComboBox, QTabBar))
        if not button.isVisibleTo(window) or not button.isEnabled() or own:
            continue
        assert button in reached, f"only the mouse comes to {name_of(button)}"
        if isinstance(button, QPushButton) and button.menu() is not None:
            continue
        button.setFocus()
        QTest.keyPress(button, Qt.Key.Key_Space)
        assert button.isDown(), f"the space bar does not press {name_of(button)}"
        # Let go without a click: what the button does is another test's matter.
        button.setDown(False)
        QTest.keyRelease(button, Qt.Key.Key_Space)


@pytest.mark.parametrize("which", WINDOWS | BROWSER)
def test_no_key_means_two_things_in_a_window(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, which: str) -> None:
    window = shown(qtbot, make_bridge(FakeDesk()), clock, which)
    texts = [button.text() for button in window.findChildren(QAbstractButton) if button.isVisibleTo(window)]
    texts += [label.text() for label in window.findChildren(QLabel) if label.buddy() is not None and label.isVisibleTo(window)]
    every_shortcut = [shortcut.keys() for shortcut in window.findChildren(QShortcut)]
    keys = [QKeySequence.mnemonic(text).toString() for text in texts if not QKeySequence.mnemonic(text).isEmpty()]
    keys += [key.toString() for keys_of in every_shortcut for key in keys_of]
    assert {key for key, times in Counter(keys).items() if times > 1} == set()


@pytest.mark.parametrize("which", WINDOWS | BROWSER)
def test_escape_closes(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, which: str) -> None:
    """From wherever the keyboard is."""
    window = shown(qtbot, make_bridge(FakeDesk()), clock, which)
    window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    for one in stops(window):
        one.setFocus()
        QTest.keyClick(one, Qt.Key.Key_Escape)
        assert not window.isVisible(), f"Esc does nothing in {name_of(one)}"
        window.show()
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow)


def test_each_action_of_the_menu_is_chosen_by_keys(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    window = shown(qtbot, make_bridge(FakeDesk()), clock, "orders")
    assert isinstance(window, DeliveriesWindow)
    button = next(one for one in window.findChildren(QPushButton) if one.menu() is not None)
    menu = button.menu()
    names = [
        action.text() for action in menu.actions() if action.isVisible() and not action.isSeparator() and action.menu() is None
    ]
    assert "Export the list…" in names
    assert len(names) >= 4
    for name in names:
        done = disarmed(menu, name)
        button.setFocus()
        qtbot.waitUntil(lambda: not menu.isVisible())
        walk(qtbot, button, menu, name)
        assert done == [name]


def disarmed(menu: QMenu, name: str) -> list[str]:
    """The action says that it was chosen and does nothing else."""
    action = next(one for one in menu.actions() if one.text() == name)
    action.triggered.disconnect()
    done: list[str] = []
    action.triggered.connect(lambda: done.append(name))
    return done


def walk(qtbot: QtBot, button: QPushButton, menu: QMenu, name: str) -> None:
    menu.popup(button.mapToGlobal(button.rect().bottomLeft()))
    for _ in range(20):
        QTest.keyClick(menu, Qt.Key.Key_Down)
        active = menu.activeAction()
        if active is not None and active.text() == name:
            break
    QTest.keyClick(menu, Qt.Key.Key_Return)


def test_a_dialog_gives_the_keyboard_back(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    """After a question the keyboard is where it was, and not nowhere."""
    window = shown(qtbot, make_bridge(FakeDesk()), clock, "an order in detail")
    button = next(one for one in window.findChildren(QPushButton) if one.text() == "Don't post it…" and one.isVisibleTo(window))
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Space)
    box = next(one for one in window.findChildren(QDialog) if one.isVisible())
    QTest.keyClick(box, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not any(one.isVisible() for one in window.findChildren(QDialog)))
    window.activateWindow()
    assert window.focusWidget() is button
