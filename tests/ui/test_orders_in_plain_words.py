"""What the orders' window says to somebody who meets it for the first time: state words, buttons, and what is done by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from desktop.services.books import OrderQuery
from desktop.services.ledger.model import DeliveryState
from desktop.ui import words
from desktop.ui.bridge import Bridge
from desktop.ui.deliveries import DeliveriesWindow
from desktop.ui.order_steps import PathStrip
from desktop.ui.preview import MovePreview, PreviewDialog
from desktop.ui.upright_scroll import UprightScroll
from desktop.ui.widgets import Pill
from tests.ui.conftest import MakeBridge
from tests.ui.fake_desk import MATTERS, XPM, FakeDesk, delivery, order
from tests.ui.test_orders_window import choose, opened, words_on

S = DeliveryState
Clock = Callable[[], datetime]


def with_one(state: DeliveryState, part: str, qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> DeliveriesWindow:
    desk = FakeDesk()
    desk.all_orders = (order("7", delivery("7", part, state)),)
    window = opened(qtbot, make_bridge(desk), clock)
    choose(qtbot, window, "7")
    return window


def button(window: DeliveriesWindow, name: str) -> QPushButton | None:
    return window.pane.findChild(QPushButton, name)


# state words


@pytest.mark.parametrize("state", DeliveryState)
def test_a_states_word_stays_and_its_meaning_stands_beside_it(
    qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, state: DeliveryState
) -> None:
    window = with_one(state, "T", qtbot, make_bridge, clock)
    word, meaning = words.state_word(state), words.state_meaning(state)
    pills = window.pane.findChildren(Pill)
    assert [pill.text() for pill in pills] == [word, word]
    for pill in pills:
        assert pill.toolTip() == f"{words.sentence(word)}: {meaning}"
        assert pill.accessibleDescription() == meaning
    assert meaning in window.pane.findChildren(PathStrip)[0].toolTip()
    row = window.model.index(0, 0)
    assert meaning in str(row.data(Qt.ItemDataRole.ToolTipRole))
    assert f"Order 7: {word}" in str(row.data(Qt.ItemDataRole.AccessibleTextRole))
    assert window.filter.itemData(window.filter.findData(str(state)), Qt.ItemDataRole.ToolTipRole) == meaning


def test_an_order_without_a_result_is_explained_too(qtbot: QtBot, bridge: Bridge, clock: Clock) -> None:
    window = opened(qtbot, bridge, clock)
    row = window.model.index(window.model.row_with_key("71000001"), 0)
    assert "No result yet: InfoTrack has not reported a result yet." in str(row.data(Qt.ItemDataRole.ToolTipRole))


# giving a posting up


@pytest.mark.parametrize(
    ("state", "part", "text", "tip", "question"),
    [
        (S.REJECTED, "T", "Don't post it…", "This cost is never posted to the matter.", "Never post this cost?"),
        (S.QUEUED, "D", "Don't file it…", "This document is never filed to the matter.", "Never file this document?"),
        (S.UNKNOWN, "T", "Stop trying…", "what may already stand at the matter stays", "Stop trying what may already be posted?"),
    ],
)
def test_the_button_that_gives_a_posting_up_says_what_it_gives_up(
    qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, state: DeliveryState, part: str, text: str, tip: str, question: str
) -> None:
    """D17: of what was sent nothing is promised. The last question uses the same words as the button."""
    window = with_one(state, part, qtbot, make_bridge, clock)
    give_up = button(window, f"Cancel IT-7-{part}-1")
    assert give_up is not None
    assert give_up.text() == text
    assert tip in give_up.toolTip()
    assert f"IT-7-{part}-1. " in give_up.accessibleDescription()
    give_up.click()
    box = next(one for one in window.findChildren(QMessageBox) if one.isVisible())
    assert box.text() == question
    assert [one.text() for one in box.buttons()] == [text.rstrip("…"), "Keep it"]


def test_a_retry_of_what_may_be_posted_says_that_it_looks_first(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    desk = FakeDesk()
    desk.all_orders = (order("7", delivery("7", "T", S.UNKNOWN, waiting=True), delivery("7", "D", S.REJECTED)),)
    window = opened(qtbot, make_bridge(desk), clock)
    choose(qtbot, window, "7")
    doubtful, refused = button(window, "Retry IT-7-T-1"), button(window, "Retry IT-7-D-1")
    assert doubtful is not None
    assert refused is not None
    assert doubtful.toolTip() == "iConnect looks in the books again, and sends it only when it is not there."
    assert refused.toolTip() == "iConnect tries it again now, as it is."


# approving in bulk


def three_that_wait() -> PreviewDialog:
    desk = FakeDesk()
    desk.all_orders = tuple(order(str(n), delivery(str(n), "T", S.HELD)) for n in (1, 2, 3))
    dialog = PreviewDialog(None)
    dialog.show_previews(desk.books.previews(OrderQuery()))
    return dialog


def test_one_box_ticks_and_unticks_every_posting(qtbot: QtBot) -> None:
    """With the keyboard alone, too; between all and none it shows that it is some of them."""
    dialog = three_that_wait()
    qtbot.addWidget(dialog)
    dialog.show()
    box = dialog.all_box
    assert (box.checkState(), box.text()) == (Qt.CheckState.Checked, "All postings (3 of 3 ticked)")
    QTest.keyClick(dialog.table, Qt.Key.Key_Space)
    assert (box.checkState(), box.text()) == (Qt.CheckState.PartiallyChecked, "All postings (2 of 3 ticked)")
    assert dialog.approve_button.text() == "Approve 2 postings"
    QTest.keyClick(dialog.table, Qt.Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
    assert dialog.focusWidget() is box
    QTest.keyClick(box, Qt.Key.Key_Space)
    assert (box.checkState(), dialog.approve_button.text()) == (Qt.CheckState.Checked, "Approve 3 postings")
    QTest.keyClick(box, Qt.Key.Key_Space)
    assert (box.checkState(), box.text()) == (Qt.CheckState.Unchecked, "All postings (0 of 3 ticked)")
    assert not dialog.approve_button.isEnabled()
    assert "$0.00 ex GST" in words_on(dialog)
    QTest.keyClick(box, Qt.Key.Key_Space)
    assert box.checkState() is Qt.CheckState.Checked


def test_what_was_unticked_all_at_once_is_not_approved(qtbot: QtBot) -> None:
    dialog = three_that_wait()
    qtbot.addWidget(dialog)
    said: list[tuple[str, ...]] = []
    dialog.ask(said.append)
    dialog.all_box.click()
    dialog.table.selectRow(1)
    QTest.keyClick(dialog.table, Qt.Key.Key_Space)
    dialog.approve_button.click()
    assert said == [("IT-2-T-1",)]


def test_the_clients_name_has_room_and_is_told_whole(qtbot: QtBot) -> None:
    dialog = three_that_wait()
    qtbot.addWidget(dialog)
    dialog.show()
    model = dialog.table.model()
    name = str(model.index(0, 1).data())
    assert dialog.table.columnWidth(1) > dialog.table.fontMetrics().horizontalAdvance(name)
    assert str(model.index(0, 1).data(Qt.ItemDataRole.ToolTipRole)).startswith(f"{name}\n")


# what a move leaves to be done by hand


def asked_to_move(qtbot: QtBot, window: DeliveriesWindow, order_id: str) -> MovePreview:
    choose(qtbot, window, order_id)
    shown = window.pane.order()
    assert shown is not None
    window._move(shown, MATTERS[1])
    return next(one for one in window.findChildren(MovePreview) if one.isVisible())


def test_before_a_move_the_old_matter_opens_where_something_is_to_be_removed(
    qtbot: QtBot, bridge: Bridge, clock: Clock, desk: FakeDesk
) -> None:
    seen: list[str] = []

    def note(url: QUrl) -> bool:
        seen.append(url.toString())
        return True

    desk.books.addresses[XPM] = "https://books.example/{id}"
    window = DeliveriesWindow(bridge, clock=clock, open_url=note)
    qtbot.addWidget(window)
    window.open_with("71000007")
    preview = asked_to_move(qtbot, window, "71000007")
    assert preview.open_button is not None
    assert preview.open_button.text() == "Open J000101 in Xero"
    preview.open_button.click()
    assert seen == ["https://books.example/uuid-J000101"]
    assert preview.isVisible()
    assert desk.called("move") == []


def test_where_no_address_is_known_what_to_remove_can_be_copied(qtbot: QtBot, bridge: Bridge, clock: Clock) -> None:
    window = opened(qtbot, bridge, clock)
    preview = asked_to_move(qtbot, window, "71000007")
    assert preview.open_button is None
    assert preview.copy_button is not None
    preview.copy_button.click()
    assert QGuiApplication.clipboard().text().splitlines() == [
        "Remove by hand at J000101 in Xero Practice Manager",
        "Cost $22.00 + GST $0.00, IT-71000007-S-1",
        "May already be posted at J000101: look there, and remove it if so",
        "Cost $9.50 + GST $0.95, IT-71000007-R-1",
        "Document, IT-71000007-D-1",
    ]


def test_the_question_before_a_move_is_whole_at_first_and_keeps_its_buttons_on_a_small_screen(qtbot: QtBot) -> None:
    """At 200 % a small laptop has 680 by 380."""
    preview = MovePreview(None, FakeDesk().all_orders[2], MATTERS[5], lambda: None)
    qtbot.addWidget(preview)
    preview.show()
    preview.activateWindow()
    qtbot.waitUntil(preview.isActiveWindow)
    scroll = preview.findChildren(UprightScroll)[0]
    assert scroll.verticalScrollBar().maximum() == 0
    assert preview.open_button is not None
    preview.resize(600, 340)
    qtbot.waitUntil(lambda: scroll.verticalScrollBar().maximum() > 0)
    assert preview.height() == 340
    for shown in (preview.move_button, preview.keep_button):
        assert preview.rect().contains(shown.mapTo(preview, shown.rect().bottomRight()))
    assert preview.focusWidget() is preview.move_button
    for _ in range(2):
        QTest.keyClick(preview.focusWidget(), Qt.Key.Key_Tab)
    assert preview.focusWidget() is preview.open_button
    place = preview.open_button.mapTo(scroll.viewport(), preview.open_button.rect().center())
    assert scroll.viewport().rect().contains(place)


def test_a_move_that_leaves_nothing_behind_offers_neither(qtbot: QtBot, bridge: Bridge, clock: Clock, desk: FakeDesk) -> None:
    desk.books.addresses[XPM] = "https://books.example/{id}"
    window = opened(qtbot, bridge, clock)
    preview = asked_to_move(qtbot, window, "71000009")
    assert (preview.open_button, preview.copy_button) == (None, None)


# from the invoice to what no matter claims


def test_from_a_line_without_an_order_to_the_orders_without_a_matter(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    window = opened(qtbot, make_bridge(FakeDesk()), clock)
    window.open_reconcile()
    assert window.reconcile is not None
    qtbot.addWidget(window.reconcile)
    window.reconcile.open_unmatched.emit()
    assert window.filter.currentData() == "unmatched"
    window.reconcile.close()
