"""The picker, by keyboard as people use it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime

import pytest
from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QListView, QPushButton
from pytestqt.qtbot import QtBot

from desktop.services.desk import ConnectionState
from desktop.ui.bridge import Bridge
from desktop.ui.matter_picker import MatterPicker
from tests.ui.conftest import MakeBridge
from tests.ui.fake_desk import MATTERS, FakeDesk, connection, matter, status

Clock = Callable[[], datetime]


@pytest.fixture
def picker(qtbot: QtBot, bridge: Bridge, clock: Clock) -> MatterPicker:
    return opened(qtbot, bridge, clock)


def opened(qtbot: QtBot, bridge: Bridge, clock: Clock) -> MatterPicker:
    window = MatterPicker(bridge, clock=clock)
    qtbot.addWidget(window)
    window.open_with()
    qtbot.waitExposed(window)
    qtbot.waitUntil(lambda: window.search._shown_for == "")
    return window


def spoken(model: QAbstractItemModel) -> list[str]:
    role = Qt.ItemDataRole.AccessibleTextRole
    return [str(model.index(row, 0).data(role)) for row in range(model.rowCount())]


def type_text(qtbot: QtBot, window: MatterPicker, text: str) -> None:
    QTest.keyClicks(window.search.field, text)
    qtbot.waitUntil(lambda: window.search._shown_for == window.search.field.text().strip())


def test_titles_and_names_are_the_contracts(picker: MatterPicker) -> None:
    assert picker.windowTitle() == "iConnect - Choose a matter"
    names = {kind: [w.accessibleName() for w in picker.findChildren(kind)] for kind in (QLineEdit, QListView, QPushButton)}
    assert "Find a matter" in names[QLineEdit]
    assert "Matters" in names[QListView]
    assert "New search" in names[QPushButton]


def test_assistive_technology_hears_each_row(picker: MatterPicker) -> None:
    assert spoken(picker.search.model)[0] == "J000101, Purchase of 14 Harbour Street, Kestrel Holdings Pty Ltd"
    interface = QAccessible.queryAccessibleInterface(picker.search.list)
    assert interface is not None
    heard = [interface.child(n).text(QAccessible.Text.Name) for n in range(interface.childCount())]
    assert any("J000102" in text and "Whitlow" in text for text in heard)


def test_the_cursor_is_in_the_field_when_it_opens(picker: MatterPicker) -> None:
    assert picker.focusWidget() is picker.search.field


def test_typing_arrows_and_enter_order_a_search(qtbot: QtBot, picker: MatterPicker, desk: FakeDesk) -> None:
    type_text(qtbot, picker, "pty")
    QTest.keyClick(picker.search.field, Qt.Key.Key_Down)
    current = picker.panel.matter()
    assert current is not None
    assert current.number == "J000103"
    assert picker.focusWidget() is picker.search.field
    QTest.keyClick(picker.search.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: desk.called("order") == [(current,)])
    qtbot.waitUntil(lambda: not picker.isVisible())


def test_enter_right_after_typing_waits_for_that_texts_answer(qtbot: QtBot, picker: MatterPicker, desk: FakeDesk) -> None:
    """The row of an older text is never ordered for."""
    gate = desk.hold("find_matters")
    QTest.keyClicks(picker.search.field, "whitlow")
    QTest.keyClick(picker.search.field, Qt.Key.Key_Return)
    assert desk.called("order") == []
    gate.set()
    qtbot.waitUntil(lambda: desk.called("order") == [(MATTERS[1],)])


def test_the_list_stops_at_its_ends(qtbot: QtBot, picker: MatterPicker) -> None:
    QTest.keyClick(picker.search.field, Qt.Key.Key_Up)
    assert picker.search.list.current_row() == 0
    for _ in range(20):
        QTest.keyClick(picker.search.field, Qt.Key.Key_Down)
    assert picker.search.list.current_row() == len(MATTERS) - 1


def test_escape_closes_it(qtbot: QtBot, picker: MatterPicker) -> None:
    QTest.keyClick(picker.search.field, Qt.Key.Key_Escape)
    assert not picker.isVisible()


def test_tab_goes_from_the_field_to_the_list_and_the_button(qtbot: QtBot, picker: MatterPicker) -> None:
    seen = []
    for _ in range(4):
        QTest.keyClick(picker.focusWidget(), Qt.Key.Key_Tab)
        seen.append(picker.focusWidget())
    assert seen == [picker.search.list, picker.panel.button, picker.panel.history, picker.search.refresh]


def test_the_chosen_matter_shows_its_orders(qtbot: QtBot, picker: MatterPicker, desk: FakeDesk) -> None:
    qtbot.waitUntil(lambda: picker.panel.model.rowCount() == 5)
    assert "71000007" in spoken(picker.panel.model)[2]
    assert "unknown" in spoken(picker.panel.model)[2]
    assert picker.panel.number.text() == "J000101"
    with qtbot.waitSignal(picker.open_order) as told:
        picker.panel.history.go_to(1)
        QTest.keyClick(picker.panel.history, Qt.Key.Key_Return)
    assert told.args == ["71000008"]


def test_orders_of_the_same_number_elsewhere_are_not_shown(qtbot: QtBot, picker: MatterPicker, desk: FakeDesk) -> None:
    desk.all_orders = tuple(dataclasses.replace(order, system="workflowmax") for order in desk.all_orders)
    picker.panel.look()
    qtbot.waitUntil(lambda: "Nothing ordered yet" in picker.panel.history_empty.words())
    assert picker.panel.model.rowCount() == 0


def test_a_closed_matter_is_said_to_be_closed(qtbot: QtBot, picker: MatterPicker) -> None:
    type_text(qtbot, picker, "mill lane")
    assert "closed in Xero Practice Manager" in picker.panel.warning.text()
    assert spoken(picker.search.model)[0].endswith("closed")
    type_text(qtbot, picker, "\b" * 9)
    picker.search.field.clear()
    qtbot.waitUntil(lambda: picker.search._shown_for == "")
    assert picker.panel.warning.text() == ""


def test_a_number_that_is_not_here_can_be_asked_for(qtbot: QtBot, picker: MatterPicker, desk: FakeDesk) -> None:
    desk.hidden = (matter("J000777", "Brand new", "New Client"),)
    type_text(qtbot, picker, "J000777")
    assert picker.search.empty.button.text() == "Ask Xero for J000777"
    QTest.keyClick(picker.search.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: picker.panel.matter() == desk.hidden[0])
    assert desk.called("ask_for_matter") == [("J000777",)]
    assert spoken(picker.search.model) == ["J000777, Brand new, New Client"]


def test_a_number_that_nobody_knows_is_said_to_be_unknown(qtbot: QtBot, picker: MatterPicker) -> None:
    type_text(qtbot, picker, "J000888")
    picker.search.empty.button.click()
    qtbot.waitUntil(lambda: "No such matter" in picker.search.empty.words())


def test_an_order_window_that_ends_by_itself_is_told_although_the_picker_has_gone(
    qtbot: QtBot, picker: MatterPicker, desk: FakeDesk, bridge: Bridge
) -> None:
    """Product complaint 14: told to whoever ordered."""
    told: list[str] = []
    picker.found_closed.connect(told.append)
    picker.panel.button.click()
    qtbot.waitUntil(lambda: not picker.isVisible() and bool(desk.called("order")))
    failure = "The order window ended by itself. There is no screen to show the order window on."
    desk.now_status = dataclasses.replace(desk.now_status, notices=(failure,))
    with qtbot.waitSignal(bridge.status_changed):
        bridge.notify()
    qtbot.waitUntil(lambda: told == [failure])
    desk.now_status = dataclasses.replace(desk.now_status, notices=(failure, "Something else."))
    with qtbot.waitSignal(bridge.status_changed):
        bridge.notify()
    assert told == [failure]


def test_an_order_that_fails_says_why_and_can_be_tried_again(qtbot: QtBot, picker: MatterPicker, desk: FakeDesk) -> None:
    desk.fail["order"] = "InfoTrack did not answer."
    picker.panel.button.click()
    assert not picker.panel.button.isEnabled()
    qtbot.waitUntil(lambda: picker.message.text() == "InfoTrack did not answer.")
    assert picker.isVisible()
    assert picker.panel.button.isEnabled()
    del desk.fail["order"]
    next(b for b in picker.message.findChildren(QPushButton) if b.text() == "Try again").click()
    qtbot.waitUntil(lambda: not picker.isVisible())
    assert len(desk.called("order")) == 2


def test_what_the_button_does_is_said_beside_it(qtbot: QtBot, picker: MatterPicker) -> None:
    """Beside a search field «New search» alone could be taken for clearing the field."""
    assert picker.panel.button.accessibleName() == picker.panel.button.text() == "New search"
    assert "from InfoTrack for J000101" in picker.panel.purpose.text()
    assert picker.panel.purpose.isVisible()


def test_a_search_that_fails_can_be_tried_again(qtbot: QtBot, picker: MatterPicker, desk: FakeDesk) -> None:
    desk.fail["find_matters"] = "The local copy could not be read."
    picker.search.field.setText("whitlow")
    qtbot.waitUntil(lambda: "could not be read" in picker.message.text())
    del desk.fail["find_matters"]
    next(b for b in picker.message.findChildren(QPushButton) if b.text() == "Try again").click()
    qtbot.waitUntil(lambda: picker.search.current() is not None and picker.search.model.rowCount() == 1)
    assert not picker.message.isVisible()


def test_a_second_press_while_the_link_is_fetched_does_nothing(qtbot: QtBot, picker: MatterPicker, desk: FakeDesk) -> None:
    gate = desk.hold("order")
    picker.panel.button.click()
    QTest.keyClick(picker.search.field, Qt.Key.Key_Return)
    QTest.keyClick(picker.search.field, Qt.Key.Key_Return)
    gate.set()
    qtbot.waitUntil(lambda: not picker.isVisible())
    assert len(desk.called("order")) == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (status(connection(ConnectionState.DISCONNECTED), matters=0), "Sign in to your practice system first"),
        (status(connection(), matters=0, refreshed=False), "have not been fetched"),
    ],
)
def test_without_matters_it_says_what_to_do(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, given: object, words: str) -> None:
    desk = FakeDesk()
    desk.matters = ()
    desk.now_status = given  # type: ignore[assignment]
    window = opened(qtbot, make_bridge(desk), clock)
    assert words in window.search.empty.words()


def test_signed_out_it_offers_to_sign_in(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    desk = FakeDesk()
    desk.now_status = status(connection(ConnectionState.DISCONNECTED))
    window = opened(qtbot, make_bridge(desk), clock)
    with qtbot.waitSignal(window.connect_wanted):
        window.notice._button.click()


def test_offline_it_says_that_ordering_goes_on(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    desk = FakeDesk()
    desk.now_status = status(connection(offline=True))
    window = opened(qtbot, make_bridge(desk), clock)
    assert "postings wait" in window.notice.text()
    assert window.panel.button.isEnabled()


def test_refreshing_shows_that_it_works_and_what_went_wrong(qtbot: QtBot, picker: MatterPicker, desk: FakeDesk) -> None:
    desk.fail["refresh_matters"] = "Xero is busy; try again in a minute."
    picker.search.refresh.click()
    assert picker.search.busy.isVisible()
    qtbot.waitUntil(lambda: picker.message.text() == "Xero is busy; try again in a minute.")
    assert not picker.search.busy.isVisible()


def test_a_change_elsewhere_keeps_the_chosen_row(qtbot: QtBot, picker: MatterPicker, desk: FakeDesk) -> None:
    picker.search.list.go_to(3)
    desk.matters = (matter("J000999", "Newest", "First in the list"), *desk.matters)
    desk.notify()
    qtbot.waitUntil(lambda: picker.search.model.rowCount() == len(MATTERS) + 1)
    assert picker.panel.matter() == MATTERS[3]


def test_while_hidden_it_asks_for_nothing(qtbot: QtBot, picker: MatterPicker, bridge: Bridge, desk: FakeDesk) -> None:
    picker.close()
    qtbot.waitUntil(lambda: not bridge._away)
    before = len(desk.called("find_matters"))
    with qtbot.waitSignal(bridge.changed):
        desk.notify()
    qtbot.waitUntil(lambda: not bridge._away)
    assert len(desk.called("find_matters")) == before


def test_no_desk_call_is_made_on_the_gui_thread(qtbot: QtBot, picker: MatterPicker, desk: FakeDesk) -> None:
    type_text(qtbot, picker, "pty")
    assert desk.threads
    assert "MainThread" not in desk.threads
