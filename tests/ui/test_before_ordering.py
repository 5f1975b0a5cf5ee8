"""What stands in the picker before a search is ordered, and the question about a closed matter."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from desktop.services.advice import EarlierOrder, LastPrice
from desktop.services.books import OrderQuery
from desktop.services.practice.matter_marks import marks
from desktop.services.practice.model import Matter
from desktop.ui.before_order import earlier_words, lately_words, price_words
from desktop.ui.bridge import Bridge
from desktop.ui.matter_picker import MatterChooser, MatterPicker
from desktop.ui.matter_rows import spans
from desktop.ui.preview import PreviewModel, posting_words
from tests.ui.conftest import MakeBridge
from tests.ui.fake_desk import MATTERS, NOW, FakeDesk, matter

Clock = Callable[[], datetime]


def earlier(**changes: object) -> EarlierOrder:
    order = EarlierOrder("1", "Title Search", "12/SP34567", NOW - timedelta(days=3), "Priya Raman", Decimal("16.58"))
    return dataclasses.replace(order, **changes)  # type: ignore[arg-type]


def opened(qtbot: QtBot, bridge: Bridge, clock: Clock, text: str) -> MatterPicker:
    picker = MatterPicker(bridge, clock=clock)
    qtbot.addWidget(picker)
    picker.open_with(text)
    qtbot.waitUntil(lambda: (chosen := picker.panel.matter()) is not None and text in chosen.number)
    return picker


def test_an_earlier_order_is_told_with_when_by_whom_and_for_what_else() -> None:
    assert earlier_words(earlier(), NOW) == "Title Search 12/SP34567: ordered 3\xa0days\xa0ago by Priya Raman."
    assert earlier_words(earlier(times=2, by="", total=None, elsewhere=("J2",)), NOW) == (
        "Title Search 12/SP34567: ordered twice, last 3\xa0days\xa0ago, also for J2."
    )
    assert "ordered 4 times, last" in earlier_words(earlier(times=4), NOW)


def test_only_a_few_earlier_orders_are_told_in_words() -> None:
    assert lately_words([earlier()] * 5, NOW).splitlines()[2:] == ["And 3 more in the list below."]
    assert lately_words([], NOW) == ""


def test_prices_say_that_they_hold_gst() -> None:
    assert price_words([LastPrice("Title Search", Decimal("16.58"), NOW)]) == "Price last paid, with GST: Title Search $16.58"
    assert price_words([]) == ""


def test_the_picker_tells_what_was_ordered_lately_before_new_search_is_pressed(
    qtbot: QtBot, desk: FakeDesk, bridge: Bridge, clock: Clock
) -> None:
    """Product section 5, item 7."""
    picker = opened(qtbot, bridge, clock, "J000101")
    qtbot.waitUntil(picker.panel.lately.isVisible)
    assert "ordered 4\xa0min\xa0ago by Priya Raman" in picker.panel.lately.bar.text()
    assert "Title Search $16.58" in picker.panel.lately.prices.text()
    assert desk.called("order") == []


def test_another_matter_does_not_keep_the_advice_of_the_one_before(qtbot: QtBot, bridge: Bridge, clock: Clock) -> None:
    picker = opened(qtbot, bridge, clock, "J000101")
    qtbot.waitUntil(lambda: bool(picker.panel.lately.bar.text()))
    picker.open_with("J000104")
    qtbot.waitUntil(lambda: (chosen := picker.panel.matter()) is not None and chosen.number == "J000104")
    assert picker.panel.lately.bar.text() == ""


def test_a_closed_matter_asks_first_and_one_click_goes_on(qtbot: QtBot, desk: FakeDesk, bridge: Bridge, clock: Clock) -> None:
    """Product complaint 16."""
    picker = opened(qtbot, bridge, clock, "J000099")
    picker.panel.button.click()
    qtbot.waitUntil(lambda: picker.closed_dialog is not None)
    assert desk.called("order") == []
    assert picker.closed_dialog is not None
    assert picker.closed_dialog.cancel_button.isDefault()
    picker.closed_dialog.anyway_button.click()
    qtbot.waitUntil(lambda: desk.called("order") == [(MATTERS[5],)])


def test_enter_pressed_twice_orders_nothing_for_a_closed_matter(qtbot: QtBot, desk: FakeDesk, bridge: Bridge, clock: Clock) -> None:
    picker = opened(qtbot, bridge, clock, "J000099")
    QTest.keyClick(picker.search.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: picker.closed_dialog is not None)
    dialog = picker.closed_dialog
    assert dialog is not None
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: picker.closed_dialog is None)
    assert desk.called("order") == []
    assert picker.panel.button.isEnabled()


def test_another_open_matter_of_the_client_can_be_taken_instead(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    """Product complaint 16: another job is offered."""
    desk = FakeDesk()
    other = matter("J000120", "Purchase of 9 Mill Lane", "D'Arcy, Fiona")
    desk.matters = (*MATTERS, other)
    picker = opened(qtbot, make_bridge(desk), clock, "J000099")
    picker.panel.button.click()
    qtbot.waitUntil(lambda: picker.closed_dialog is not None)
    assert picker.closed_dialog is not None
    assert picker.closed_dialog.instead_button.text() == "Order for J000120 instead"
    picker.closed_dialog.instead_button.click()
    qtbot.waitUntil(lambda: desk.called("order") == [(other,)])


def test_moving_away_from_a_closed_matter_offers_the_clients_open_ones_first(
    qtbot: QtBot, make_bridge: MakeBridge, clock: Clock
) -> None:
    """Product complaint 16: where the practice system has refused a line, another job is offered."""
    desk = FakeDesk()
    other = matter("J000120", "Purchase of 9 Mill Lane", "D'Arcy, Fiona")
    desk.matters = (*MATTERS, other)
    refused = next(one for one in desk.all_orders if one.matter_number == "J000099")
    over = QWidget()
    qtbot.addWidget(over)
    chooser = MatterChooser(make_bridge(desk), "Move", "What will happen.", "Move here", clock, over)
    chosen: list[Matter] = []
    chooser.ask(chosen.append, instead_of=refused)
    qtbot.waitUntil(lambda: chooser.search.current() == other)
    assert "open matters of D'Arcy, Fiona" in chooser.offered.text()
    numbers = [one.matter.number for one in chooser.search.model.values()]
    assert len(numbers) == len(set(numbers)) > 1
    QTest.keyClick(chooser.search.field, Qt.Key.Key_Return)
    assert chosen == [other]


def test_a_posting_to_a_closed_matter_is_said_to_be_so_before_it_is_approved(desk: FakeDesk) -> None:
    """Product complaint 16: the job's state before posting."""
    [one, *_] = desk.books.previews(OrderQuery())
    closed = dataclasses.replace(one, closed=True, system="xero-practice-manager")
    assert "The matter is closed, so Xero may refuse it." in posting_words(closed)
    assert "closed" not in posting_words(one)
    model = PreviewModel([closed, one])
    assert [model.index(row, 0).data() for row in (0, 1)] == [f"{one.matter_number} (closed)", one.matter_number]


def test_a_matter_closed_since_the_list_was_read_asks_too(qtbot: QtBot, desk: FakeDesk, bridge: Bridge, clock: Clock) -> None:
    """Product complaint 16: the practice system is asked for the state before ordering."""
    desk.advice.closed_now.add("J000101")
    picker = opened(qtbot, bridge, clock, "J000101")
    picker.panel.button.click()
    qtbot.waitUntil(lambda: picker.closed_dialog is not None)
    assert desk.called("order") == []


def test_a_slow_answer_about_the_state_delays_nothing_and_is_told_afterwards(
    qtbot: QtBot, desk: FakeDesk, bridge: Bridge, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.ui.matter_picker.GRACE_MS", 20)
    desk.advice.closed_now.add("J000101")
    held = desk.hold("as_it_is_now")
    picker = opened(qtbot, bridge, clock, "J000101")
    picker.panel.button.click()
    qtbot.waitUntil(lambda: desk.called("order") == [(MATTERS[0],)])
    with qtbot.waitSignal(picker.found_closed) as told:
        held.set()
    assert told.args is not None
    assert "J000101" not in told.args[0]


def test_the_letters_that_were_typed_are_found_in_both_lines_of_a_row() -> None:
    """Marked letters: number and name stand in the first line, the client in the second."""
    kestrel = MATTERS[0]
    first, second = spans(kestrel.number, marks("harb kestrel", kestrel))
    title = f"{kestrel.number}  {kestrel.name}"
    assert [title[start:end] for start, end in first] == ["Harb"]
    assert [kestrel.client[start:end] for start, end in second] == ["Kestrel"]
    assert spans(kestrel.number, marks("101", kestrel))[0] == ((4, 7),)


def test_marked_letters_are_underlined_on_the_screen(qtbot: QtBot, bridge: Bridge, clock: Clock) -> None:
    picker = opened(qtbot, bridge, clock, "J000101")
    picker.search.list.clearSelection()
    marked = picker.search.list.viewport().grab().toImage()
    picker.search._shown_for = ""
    picker.search.list.viewport().update()
    assert picker.search.list.viewport().grab().toImage() != marked
