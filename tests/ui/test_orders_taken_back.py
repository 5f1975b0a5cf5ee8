"""What can be taken back with one press, what can not, and that whatever takes long says so."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from desktop.services.ledger.model import DeliveryState
from desktop.ui.audit_window import AuditWindow
from desktop.ui.bridge import Bridge
from desktop.ui.deliveries import DeliveriesWindow
from desktop.ui.widgets import MessageBar
from desktop.ui.words import cancel_button
from tests.ui.conftest import MakeBridge
from tests.ui.fake_desk import MATTERS, XPM, FakeDesk, delivery, order
from tests.ui.test_orders_window import answer, opened, press, shows

S = DeliveryState
Clock = Callable[[], datetime]


def button_of(bar: MessageBar, text: str) -> QPushButton | None:
    return next((one for one in bar.findChildren(QPushButton) if one.text() == text and one.isVisible()), None)


def with_one(state: DeliveryState, qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> tuple[FakeDesk, DeliveriesWindow]:
    desk = FakeDesk()
    desk.all_orders = (order("7", delivery("7", "T", state)),)
    window = opened(qtbot, make_bridge(desk), clock)
    qtbot.waitUntil(lambda: shows(window, "7"))
    return desk, window


def cancel(qtbot: QtBot, window: DeliveriesWindow) -> None:
    order = window.pane.order()
    assert order is not None
    words = cancel_button(order.deliveries[0])
    press(qtbot, window, words)
    answer(qtbot, window, words.rstrip("…"))
    qtbot.waitUntil(lambda: (one := window.pane.order()) is not None and one.deliveries[0].state is S.CANCELLED)


def test_a_cancelled_posting_that_was_waiting_its_turn_goes_again(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    desk, window = with_one(S.QUEUED, qtbot, make_bridge, clock)
    cancel(qtbot, window)
    undo = button_of(window.message, "Undo")
    assert undo is not None
    undo.click()
    qtbot.waitUntil(lambda: desk.called("retry") == [("IT-7-T-1",)])
    qtbot.waitUntil(lambda: (one := window.pane.order()) is not None and one.deliveries[0].state is S.QUEUED)
    assert not window.message.isVisible()


@pytest.mark.parametrize("state", [S.HELD, S.REJECTED, S.SENDING, S.UNKNOWN])
def test_taking_back_never_sends_what_would_not_have_gone_by_itself(
    qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, state: DeliveryState
) -> None:
    """D17: what waited for a yes would get one by being taken back, and what may be posted would go twice."""
    desk, window = with_one(state, qtbot, make_bridge, clock)
    cancel(qtbot, window)
    assert button_of(window.message, "Undo") is None
    assert desk.called("retry") == []


def moved(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, state: DeliveryState) -> tuple[FakeDesk, DeliveriesWindow]:
    desk, window = with_one(state, qtbot, make_bridge, clock)
    before = window.pane.order()
    assert before is not None
    window._move_now(before, MATTERS[1])
    qtbot.waitUntil(lambda: (one := window.pane.order()) is not None and one.matter_number == MATTERS[1].number)
    return desk, window


def test_an_order_that_was_moved_before_it_was_sent_goes_back(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    desk, window = moved(qtbot, make_bridge, clock, S.QUEUED)
    undo = button_of(window.message, "Undo")
    assert undo is not None
    undo.click()
    qtbot.waitUntil(lambda: [call[1] for call in desk.called("move")] == [MATTERS[1], MATTERS[0]])
    assert MATTERS[0].system == XPM


def test_what_was_sent_meanwhile_is_not_moved_back_by_a_press(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    """What is to be removed by hand must be shown first."""
    desk, window = moved(qtbot, make_bridge, clock, S.QUEUED)
    undo = button_of(window.message, "Undo")
    assert undo is not None
    desk.set_state("IT-7-T-1", S.SENDING)
    undo.click()
    qtbot.waitUntil(lambda: "was sent to its new matter meanwhile" in window.message.text())
    assert len(desk.called("move")) == 1


def test_a_move_that_leaves_lines_behind_has_no_undo(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    _, window = moved(qtbot, make_bridge, clock, S.CONFIRMED)
    assert button_of(window.message, "Undo") is None


# what takes long


def test_a_list_that_takes_long_says_so(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    desk = FakeDesk()
    window = opened(qtbot, make_bridge(desk), clock)
    assert window.busy.isHidden()
    go_on = desk.hold("list_orders")
    window.choose_filter("waiting")
    qtbot.waitUntil(window.busy.isVisible)
    go_on.set()
    qtbot.waitUntil(window.busy.isHidden)


def test_a_trail_that_takes_long_says_so_and_so_does_its_failure(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    desk = FakeDesk()
    window = AuditWindow(make_bridge(desk), clock=clock)
    qtbot.addWidget(window)
    go_on = desk.hold("trail_page")
    window.open_with()
    qtbot.waitUntil(window.busy.isVisible)
    desk.fail["trail_page"] = "The disk can't be read."
    go_on.set()
    qtbot.waitUntil(lambda: window.message.text() == "The disk can't be read.")
    assert window.busy.isHidden()


def test_an_action_that_runs_keeps_its_own_words(qtbot: QtBot, bridge: Bridge, clock: Clock, desk: FakeDesk) -> None:
    window = opened(qtbot, bridge, clock)
    window.busy.start("Delivering…")
    go_on = desk.hold("list_orders")
    before = len(desk.called("list_orders"))
    QTest.keyClicks(window.field, "7100")
    qtbot.waitUntil(lambda: not window._patience._timer.isActive())
    go_on.set()
    qtbot.waitUntil(lambda: len(desk.called("list_orders")) > before and not window.bridge._away)
    assert window.busy.isVisible()


def test_the_keyboard_stays_on_the_answers_button_while_nothing_changes(
    qtbot: QtBot, make_bridge: MakeBridge, clock: Clock
) -> None:
    """The window looks again every few seconds; the card is not made anew each time."""
    desk = FakeDesk()
    bridge = make_bridge(desk)
    window = AuditWindow(bridge, clock=clock)
    qtbot.addWidget(window)
    window.open_with("71000008")
    qtbot.waitUntil(window.answer.isVisible)
    button = window.answer.findChildren(QPushButton)[0]
    button.setFocus()
    before = len(desk.called("audit"))
    bridge.notify()
    qtbot.waitUntil(lambda: len(desk.called("audit")) > before and not bridge._away)
    assert window.focusWidget() is button


def test_what_happens_meanwhile_stands_above_the_older_steps(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    """The trail grows under the open window: older steps that were scrolled to, and the chosen one, stay."""
    desk = FakeDesk()
    desk.all_orders = tuple(order(str(n), delivery(str(n), "T", S.CONFIRMED)) for n in range(1, 120))
    bridge = make_bridge(desk)
    window = AuditWindow(bridge, clock=clock)
    qtbot.addWidget(window)
    window.open_with()
    qtbot.waitUntil(lambda: len(window.model.steps) == 200)
    bar = window.table.verticalScrollBar()
    bar.setValue(bar.maximum())
    qtbot.waitUntil(lambda: len(window.model.steps) == 400)
    window.table.selectRow(250)
    chosen = window.model.steps[250]
    first = desk.all_orders[0]
    # The fake's trail begins with the last of its orders: a step of the first one is the newest.
    desk.all_orders = (dataclasses.replace(first, steps=(*first.steps, first.steps[-1])), *desk.all_orders[1:])
    bridge.notify()
    qtbot.waitUntil(lambda: len(window.model.steps) == 401)
    assert window.model.steps[window.table.currentIndex().row()] == chosen
    numbers = [step.number for step in window.model.steps]
    assert numbers == sorted(numbers, reverse=True)
