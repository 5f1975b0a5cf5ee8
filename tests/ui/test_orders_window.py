"""Orders and postings: every path, every button, honestly."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop.services.books import OrderQuery
from desktop.services.desk import ActionFailed, TypedResult
from desktop.services.ledger.model import DeliveryState
from desktop.ui.bridge import Bridge
from desktop.ui.deliveries import DeliveriesWindow, undo_words
from desktop.ui.matter_picker import MatterChooser
from desktop.ui.preview import MovePreview, PreviewDialog
from desktop.ui.result_form import ResultForm
from tests.ui.conftest import MakeBridge
from tests.ui.fake_desk import MATTERS, NOW, FakeDesk, delivery, order, typical_orders

S = DeliveryState
Clock = Callable[[], datetime]


@pytest.fixture
def window(qtbot: QtBot, bridge: Bridge, clock: Clock) -> DeliveriesWindow:
    return opened(qtbot, bridge, clock)


def opened(qtbot: QtBot, bridge: Bridge, clock: Clock) -> DeliveriesWindow:
    made = DeliveriesWindow(bridge, clock=clock)
    qtbot.addWidget(made)
    made.open_with()
    qtbot.waitUntil(lambda: made.model.rowCount() > 0)
    return made


def choose(qtbot: QtBot, window: DeliveriesWindow, order_id: str) -> None:
    window.list.go_to(window.model.row_with_key(order_id))
    qtbot.waitUntil(lambda: shows(window, order_id))


def shows(window: DeliveriesWindow, order_id: str) -> bool:
    """Whether the pane shows that order's whole path."""
    order = window.pane.order()
    return order is not None and order.order_id == order_id and bool(order.steps)


def words_on(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def press(qtbot: QtBot, window: DeliveriesWindow, text: str) -> None:
    buttons = [b for b in window.pane.findChildren(QPushButton) if b.text() == text and b.isVisible()]
    assert buttons, f"no button {text}"
    buttons[0].click()


def box_of(window: DeliveriesWindow) -> QMessageBox:
    return next(box for box in window.findChildren(QMessageBox) if box.isVisible())


def answer(qtbot: QtBot, window: DeliveriesWindow, text: str) -> None:
    box = box_of(window)
    next(button for button in box.buttons() if button.text() == text).click()


def test_the_title_is_the_contracts(window: DeliveriesWindow) -> None:
    assert window.windowTitle() == "iConnect - Orders and postings"


def test_each_row_is_heard_with_order_id_and_state(window: DeliveriesWindow) -> None:
    role = Qt.ItemDataRole.AccessibleTextRole
    heard = [str(window.model.index(row, 0).data(role)) for row in range(window.model.rowCount())]
    expected = ["queued", "confirmed", "unknown", "rejected", "held", "held", "cancelled", "queued", "no result yet"]
    for text, shown, word in zip(heard, typical_orders(), expected, strict=True):
        assert text.startswith(f"Order {shown.order_id}: {word}")


def test_nothing_unconfirmed_is_shown_as_posted(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    """D16: from each state, what the pane says."""
    desk = FakeDesk()
    desk.all_orders = tuple(order(str(n), delivery(str(n), "T", state)) for n, state in enumerate(DeliveryState, start=1))
    window = opened(qtbot, make_bridge(desk), clock)
    for number, state in enumerate(DeliveryState, start=1):
        choose(qtbot, window, str(number))
        assert ("Posted: seen in Xero" in words_on(window.pane)) == (state is S.CONFIRMED)
    choose(qtbot, window, str(list(DeliveryState).index(S.ACCEPTED) + 1))
    assert "Sent 12 min ago, not yet seen in Xero" in words_on(window.pane)


@pytest.mark.parametrize("state", [S.SENDING, S.UNKNOWN])
def test_cancelling_in_flight_warns_that_it_may_be_posted(
    qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, state: DeliveryState
) -> None:
    """D17: the question says so before anything is done, and keeping it does nothing."""
    desk = FakeDesk()
    desk.all_orders = (order("7", delivery("7", "T", state)),)
    window = opened(qtbot, make_bridge(desk), clock)
    choose(qtbot, window, "7")
    press(qtbot, window, "Stop trying…")
    assert "may already be posted in Xero Practice Manager" in box_of(window).informativeText()
    answer(qtbot, window, "Keep it")
    assert desk.called("cancel") == []
    press(qtbot, window, "Stop trying…")
    answer(qtbot, window, "Stop trying")
    qtbot.waitUntil(lambda: desk.called("cancel") == [("IT-7-T-1",)])


def test_cancelling_what_was_never_sent_says_that_it_was_not(qtbot: QtBot, window: DeliveriesWindow, desk: FakeDesk) -> None:
    choose(qtbot, window, "71000009")
    press(qtbot, window, "Don't post it…")
    assert "was not posted" in box_of(window).informativeText()
    answer(qtbot, window, "Don't post it")
    qtbot.waitUntil(lambda: "cancelled" in words_on(window.pane))


def test_retry_and_approve_do_what_they_say_and_show_it(qtbot: QtBot, window: DeliveriesWindow, desk: FakeDesk) -> None:
    choose(qtbot, window, "71000006")
    press(qtbot, window, "Retry")
    qtbot.waitUntil(lambda: desk.called("retry") == [("IT-71000006-T-1",)])
    qtbot.waitUntil(lambda: "Not sent yet" in words_on(window.pane))
    choose(qtbot, window, "71000004")
    press(qtbot, window, "Approve")
    qtbot.waitUntil(lambda: desk.called("approve") == [("IT-71000004-T-2",)])


def test_while_an_action_runs_no_button_can_be_pressed_again(qtbot: QtBot, window: DeliveriesWindow, desk: FakeDesk) -> None:
    gate = desk.hold("retry")
    choose(qtbot, window, "71000006")
    press(qtbot, window, "Retry")

    def pressable() -> bool:
        return any(button.isEnabled() for button in window.pane.findChildren(QPushButton) if button.isVisible())

    assert not pressable()
    gate.set()
    qtbot.waitUntil(pressable)
    assert len(desk.called("retry")) == 1


def test_an_action_that_fails_says_why(qtbot: QtBot, window: DeliveriesWindow, desk: FakeDesk) -> None:
    desk.fail["retry"] = "It was confirmed in the meantime."
    choose(qtbot, window, "71000006")
    press(qtbot, window, "Retry")
    qtbot.waitUntil(lambda: window.message.text() == "It was confirmed in the meantime.")


def test_an_unmatched_order_moves_to_a_suggestion_with_one_press(qtbot: QtBot, window: DeliveriesWindow, desk: FakeDesk) -> None:
    choose(qtbot, window, "71000005")
    assert "The address fits" in words_on(window.pane)
    press(qtbot, window, "Move here")
    qtbot.waitUntil(lambda: bool(desk.called("move")))
    order_id, matter = desk.called("move")[0]
    assert order_id == "71000005"
    assert matter == MATTERS[0], "with its organisation: without one it would wait for ever"


def test_a_suggestion_whose_matter_is_gone_moves_nothing(qtbot: QtBot, window: DeliveriesWindow, desk: FakeDesk) -> None:
    choose(qtbot, window, "71000005")
    desk.matters = desk.matters[1:]
    press(qtbot, window, "Move here")
    qtbot.waitUntil(lambda: "Choose a matter from the list" in window.message.text())
    assert desk.called("move") == []


def test_what_was_done_to_an_order_is_said_where_it_leaves_the_list(qtbot: QtBot, window: DeliveriesWindow, desk: FakeDesk) -> None:
    window.open_with(waiting=True)
    qtbot.waitUntil(lambda: window.model.rowCount() == 3)
    choose(qtbot, window, "71000006")
    press(qtbot, window, "Retry")
    qtbot.waitUntil(lambda: "IT-71000006-T-1 is tried again." in window.message.text())
    show = next(b for b in window.message.findChildren(QPushButton) if b.text() == "Show the order")
    show.click()
    qtbot.waitUntil(lambda: shows(window, "71000006"))
    assert window.filter.currentIndex() == 0


def test_moving_says_what_to_undo_and_takes_a_matter(qtbot: QtBot, window: DeliveriesWindow, desk: FakeDesk) -> None:
    choose(qtbot, window, "71000007")
    press(qtbot, window, "Move to another matter…")
    chooser = next(c for c in window.findChildren(MatterChooser) if c.isVisible())
    said = words_on(chooser)
    assert "must be removed there by hand: IT-71000007-S-1, IT-71000007-R-1, IT-71000007-D-1" in said
    assert "may already be posted" in said
    QTest.keyClicks(chooser.search.field, "blue gum")
    QTest.keyClick(chooser.search.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: any(p.isVisible() for p in window.findChildren(MovePreview)))
    preview = next(p for p in window.findChildren(MovePreview) if p.isVisible())
    said = words_on(preview)
    assert "iConnect posts to J000103\nRetailer fee $9.50 + GST $0.95\nSupplier fee $22.00 + GST $0.00\nDocument" in said
    assert "Remove by hand at J000101 in Xero Practice Manager\nCost $22.00 + GST $0.00, IT-71000007-S-1" in said
    assert "May already be posted at J000101" in said
    assert desk.called("move") == []
    preview.move_button.click()
    qtbot.waitUntil(lambda: desk.called("move") == [("71000007", MATTERS[2])])


def test_moving_what_was_never_sent_has_nothing_to_undo() -> None:
    assert "by hand" not in undo_words(order("7", delivery("7", "T", S.QUEUED)), "J1")


def test_another_pcs_order_can_be_taken_over(qtbot: QtBot, window: DeliveriesWindow, desk: FakeDesk) -> None:
    choose(qtbot, window, "71000002")
    assert "left to that PC until today 15:52" in words_on(window.pane)
    press(qtbot, window, "Take over now")
    qtbot.waitUntil(lambda: desk.called("take_over") == [("71000002",)])


def test_open_matter_leads_to_the_picker(qtbot: QtBot, window: DeliveriesWindow) -> None:
    choose(qtbot, window, "71000008")
    with qtbot.waitSignal(window.open_matter) as told:
        press(qtbot, window, "Open matter")
    assert told.args == ["J000101"]


def test_each_step_is_shown_with_time_change_and_reason(qtbot: QtBot, window: DeliveriesWindow) -> None:
    choose(qtbot, window, "71000006")
    said = words_on(window.pane)
    assert "queued → rejected" in said
    assert "The job is completed and takes no more costs." in said
    assert "today 15:18" in said


def test_what_to_undo_by_hand_stays_in_sight(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    desk = FakeDesk()
    desk.all_orders = (order("7", delivery("7", "T", S.CONFIRMED, undo="Undo by hand: IT-7-T-1 on J000099 ($15.07).")),)
    window = opened(qtbot, make_bridge(desk), clock)
    choose(qtbot, window, "7")
    assert "Remove it there in Xero Practice Manager: IT-7-T-1 on J000099 ($15.07)." in words_on(window.pane)


def test_an_order_that_is_not_in_the_list_yet_is_not_taken_for_another(
    qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk
) -> None:
    bridge = make_bridge(desk)
    window = opened(qtbot, bridge, clock)
    window.open_with("79999999")
    qtbot.waitUntil(lambda: "79999999 is not here yet" in words_on(window.pane))
    assert window.list.current_row() == -1
    desk.all_orders = (order("79999999", delivery("79999999", "T", S.QUEUED)), *desk.all_orders)
    bridge.notify()
    qtbot.waitUntil(lambda: shows(window, "79999999"))
    assert window.list.current_row() == 0


def test_a_person_who_chooses_another_order_meanwhile_keeps_it(
    qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk
) -> None:
    bridge = make_bridge(desk)
    window = opened(qtbot, bridge, clock)
    window.open_with("79999999")
    qtbot.waitUntil(lambda: "79999999 is not here yet" in words_on(window.pane))
    choose(qtbot, window, "71000006")
    desk.all_orders = (order("79999999", delivery("79999999", "T", S.QUEUED)), *desk.all_orders)
    bridge.notify()
    qtbot.waitUntil(lambda: window.model.row_with_key("79999999") == 0)
    assert shows(window, "71000006")


def test_the_list_can_be_narrowed_by_state_and_by_text(qtbot: QtBot, window: DeliveriesWindow, desk: FakeDesk) -> None:
    window.filter.setCurrentIndex(window.filter.findText("Waiting for me", Qt.MatchFlag.MatchStartsWith))
    qtbot.waitUntil(lambda: window.model.rowCount() == 3)
    window.filter.setCurrentText("Confirmed")
    qtbot.waitUntil(lambda: window.model.ids() == ("71000008", "71000006", "71000004"))
    assert OrderQuery(state=S.CONFIRMED) in [call[0] for call in desk.called("list_orders")]
    window.filter.setCurrentIndex(0)
    qtbot.waitUntil(lambda: window.model.rowCount() == 9)
    QTest.keyClicks(window.field, "extract")
    qtbot.waitUntil(lambda: window.model.ids() == ("71000008",))


def test_empty_lists_say_why(qtbot: QtBot, window: DeliveriesWindow, desk: FakeDesk) -> None:
    QTest.keyClicks(window.field, "zzz")
    qtbot.waitUntil(lambda: "No order fits" in window.empty.words())
    window.empty.button.click()
    qtbot.waitUntil(lambda: window.model.rowCount() == 9)
    desk.all_orders = ()
    desk.notify()
    qtbot.waitUntil(lambda: "No orders yet" in window.empty.words())


def test_a_change_elsewhere_keeps_selection_and_focus(qtbot: QtBot, window: DeliveriesWindow, desk: FakeDesk) -> None:
    choose(qtbot, window, "71000006")
    retry = next(b for b in window.pane.findChildren(QPushButton) if b.text() == "Retry")
    retry.setFocus()
    touched = [dataclasses.replace(o, status="Touched") if o.order_id == "71000006" else o for o in desk.all_orders]
    desk.all_orders = (order("71000010", delivery("71000010", "T", S.QUEUED)), *touched)
    desk.notify()
    qtbot.waitUntil(lambda: "Touched" in words_on(window.pane))
    current = window.model.value(window.list.current_row())
    assert current is not None
    assert current.order_id == "71000006"
    focus = window.focusWidget()
    assert isinstance(focus, QPushButton)
    assert focus.text() == "Retry"


def test_it_opens_at_a_given_order(qtbot: QtBot, bridge: Bridge, clock: Clock) -> None:
    window = DeliveriesWindow(bridge, clock=clock)
    qtbot.addWidget(window)
    window.open_with("71000004")
    qtbot.waitUntil(lambda: shows(window, "71000004"))


def test_by_keyboard_from_the_list_to_a_button(qtbot: QtBot, window: DeliveriesWindow, desk: FakeDesk) -> None:
    choose(qtbot, window, "71000008")
    window.list.setFocus()
    QTest.keyClick(window.list, Qt.Key.Key_Down)
    QTest.keyClick(window.list, Qt.Key.Key_Down)
    choose(qtbot, window, "71000006")
    for _ in range(12):
        focus = QApplication.focusWidget() or window.focusWidget()
        assert focus is not None
        if isinstance(focus, QPushButton) and focus.text() == "Retry":
            break
        QTest.keyClick(focus, Qt.Key.Key_Tab)
    focus = window.focusWidget()
    assert isinstance(focus, QPushButton)
    assert focus.text() == "Retry"
    QTest.keyClick(focus, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: bool(desk.called("retry")))


def test_all_that_is_held_can_be_approved_at_once(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    """One that fails is named, and does not keep the others."""
    desk = FakeDesk()
    held = [order(str(n), delivery(str(n), "T", S.HELD)) for n in (1, 2, 3)]
    desk.all_orders = (
        *held,
        order("4", delivery("4", "T", S.HELD, number=""), number=""),
        order("5", delivery("5", "T", S.QUEUED)),
    )
    window = opened(qtbot, make_bridge(desk), clock)
    qtbot.waitUntil(lambda: window.approve_button.text() == "Approve all 3 shown…")
    approve = desk.approve

    def picky(key: str) -> None:
        if key == "IT-2-T-1":
            raise ActionFailed("its matter was closed.")
        approve(key)

    desk.approve = picky  # type: ignore[method-assign]
    window.approve_button.click()
    dialog = next(d for d in window.findChildren(PreviewDialog) if d.isVisible())
    qtbot.waitUntil(lambda: dialog.approve_button.text() == "Approve 3 postings")
    assert "$45.21 ex GST + $4.53 GST = $49.74" in words_on(dialog)
    dialog.approve_button.click()
    qtbot.waitUntil(lambda: window.message.text() == "IT-2-T-1: its matter was closed.")
    assert desk.called("approve") == [("IT-1-T-1",), ("IT-3-T-1",)]
    qtbot.waitUntil(lambda: window.approve_button.text() == "Approve 1 shown…")


def test_the_age_of_what_is_unconfirmed_goes_on(qtbot: QtBot, bridge: Bridge, desk: FakeDesk) -> None:
    """D16: with its age, also while the window stays open and nothing else changes."""
    now = [NOW]
    window = opened(qtbot, bridge, lambda: now[0])
    choose(qtbot, window, "71000007")
    assert "Sent 12 min ago" in words_on(window.pane)
    now[0] += timedelta(minutes=3)
    desk.notify()
    qtbot.waitUntil(lambda: "Sent 15 min ago" in words_on(window.pane))


# results by hand


def fill(form: ResultForm, **texts: str) -> None:
    for name, text in texts.items():
        (form.fees.get(name) or getattr(form, name)).setText(text)


def test_a_typed_result_is_handed_over_whole(qtbot: QtBot, window: DeliveriesWindow, desk: FakeDesk, tmp_path: Path) -> None:
    pdf = tmp_path / "result.pdf"
    pdf.write_bytes(b"%PDF-1.7")
    window.add_button.click()
    form = next(f for f in window.findChildren(ResultForm) if f.isVisible())
    fill(
        form,
        order_id="72000001",
        matter="J000102",
        service="Title Search",
        reference="1/2",
        retailer_fee="15.07",
        retailer_gst="1.51",
    )
    form.file.setText(str(pdf))
    form.add_button.click()
    wanted = TypedResult("72000001", "J000102", "Title Search", "1/2", Decimal("15.07"), Decimal("1.51"), None, None, pdf)
    qtbot.waitUntil(lambda: desk.called("add_result") == [(wanted,)])
    qtbot.waitUntil(lambda: shows(window, "72000001"))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"order_id": ""}, "The order number is missing"),
        ({"order_id": "12a"}, "digits only"),
        ({"matter": " "}, "The matter number is missing"),
        ({"service": ""}, "The service is missing"),
        ({"retailer_fee": "x"}, "must be an amount"),
        ({"retailer_fee": ""}, "Give a fee"),
        ({"file": "/no/such.pdf"}, "does not exist"),
    ],
)
def test_a_form_that_lacks_something_says_what(qtbot: QtBot, changes: dict[str, str], problem: str) -> None:
    form = ResultForm()
    qtbot.addWidget(form)
    form.ask(lambda value: pytest.fail("it was handed on"))
    fill(form, **{"order_id": "7", "matter": "J1", "service": "Title", "retailer_fee": "1.00", **changes})
    form.add_button.click()
    assert problem in form.message.text()


def test_a_refused_result_keeps_what_was_typed(qtbot: QtBot, window: DeliveriesWindow, desk: FakeDesk) -> None:
    desk.fail["add_result"] = "There is no matter J9."
    window.add_button.click()
    form = next(f for f in window.findChildren(ResultForm) if f.isVisible())
    fill(form, order_id="7", matter="J9", service="Title", retailer_fee="1")
    form.add_button.click()
    qtbot.waitUntil(lambda: form.message.text() == "There is no matter J9.")
    assert form.add_button.isEnabled()
    assert form.order_id.text() == "7"


def drop(window: DeliveriesWindow, *files: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
    event = QDropEvent(QPoint(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    window.dropEvent(event)


def test_dropped_messages_are_imported(qtbot: QtBot, window: DeliveriesWindow, desk: FakeDesk, tmp_path: Path) -> None:
    files = (tmp_path / "a.xml", tmp_path / "b.json")
    drop(window, *files)
    qtbot.waitUntil(lambda: desk.called("import_results") == [(files,)])
    qtbot.waitUntil(lambda: window.message.text() == "2 messages recorded.")


def test_a_dropped_pdf_opens_the_form_with_it(qtbot: QtBot, window: DeliveriesWindow, tmp_path: Path) -> None:
    pdf = tmp_path / "result.pdf"
    drop(window, pdf)
    form = next(f for f in window.findChildren(ResultForm) if f.isVisible())
    assert form.file.text() == str(pdf)


def test_no_desk_call_is_made_on_the_gui_thread(qtbot: QtBot, window: DeliveriesWindow, desk: FakeDesk) -> None:
    choose(qtbot, window, "71000006")
    press(qtbot, window, "Retry")
    qtbot.waitUntil(lambda: bool(desk.called("retry")))
    assert "MainThread" not in desk.threads


def test_tab_leads_from_the_list_to_the_orders_buttons_and_then_to_the_windows(
    qtbot: QtBot, window: DeliveriesWindow, desk: FakeDesk
) -> None:
    window.resize(1180, 720)
    choose(qtbot, window, "71000006")
    window.list.setFocus()
    met: list[str] = []
    for _ in range(8):
        before = QApplication.focusWidget()
        assert before is not None
        QTest.keyClick(before, Qt.Key.Key_Tab)
        focus = QApplication.focusWidget()
        assert focus is not None
        met.append(focus.text() if isinstance(focus, QPushButton) else focus.accessibleName())
    path = "The order's path"
    buttons = ["Open matter", "Move to another matter…", "Copy details", "Retry", "Don't post it…", "Open document"]
    assert met == [*buttons, path, "Add a result…"]
