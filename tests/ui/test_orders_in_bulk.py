"""Orders and postings: narrowing, summing, exporting, approving in bulk, documents, and lists of any length."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given
from PySide6.QtCore import QSortFilterProxyModel, Qt, QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu, QPushButton
from pytestqt.qtbot import QtBot

from desktop.services.books import OrderQuery
from desktop.services.ledger.model import DeliveryState
from desktop.ui.bridge import Bridge
from desktop.ui.deliveries import DeliveriesWindow
from desktop.ui.matter_picker import MatterChooser
from desktop.ui.order_table import OrderModel, OrderRows
from desktop.ui.preview import PreviewDialog
from tests.ui.conftest import MakeBridge
from tests.ui.fake_desk import NOW, XPM, FakeDesk, delivery, order
from tests.ui.test_orders_window import choose, opened, press, words_on

S = DeliveryState
Clock = Callable[[], datetime]


@pytest.fixture
def window(qtbot: QtBot, bridge: Bridge, clock: Clock) -> DeliveriesWindow:
    return opened(qtbot, bridge, clock)


def noting(seen: list[QUrl]) -> Callable[[QUrl], bool]:
    def note(url: QUrl) -> bool:
        seen.append(url)
        return True

    return note


def ids_become(qtbot: QtBot, window: DeliveriesWindow, *ids: str) -> None:
    qtbot.waitUntil(lambda: window.model.ids() == ids)


def test_the_sums_of_what_is_shown_stand_below_it(qtbot: QtBot, window: DeliveriesWindow) -> None:
    """Complaints 3 and 11: ex GST, GST and together, of the list as it is narrowed."""
    qtbot.waitUntil(lambda: window.count.text() == "9 orders · $136.99 ex GST + $11.52 GST = $148.51 · 1 without a fee yet")
    QTest.keyClicks(window.field, "extract")
    qtbot.waitUntil(lambda: window.count.text() == "1 order · $15.07 ex GST + $1.51 GST = $16.58")


def test_the_list_narrows_to_mine_this_week_and_what_no_matter_claims(qtbot: QtBot, window: DeliveriesWindow) -> None:
    window.choose_filter("unmatched")
    ids_become(qtbot, window, "71000005")
    qtbot.waitUntil(lambda: window.filter.currentText() == "Without a matter (1)")
    window.choose_filter("mine")
    qtbot.waitUntil(lambda: window.model.rowCount() == 7)
    assert {"71000005", "71000002"}.isdisjoint(window.model.ids())
    window.choose_filter("all")
    window.choose_time("week")
    qtbot.waitUntil(lambda: "71000003" not in window.model.ids() and "71000008" in window.model.ids())


def test_one_matters_orders_are_chosen_with_the_pickers_search(qtbot: QtBot, window: DeliveriesWindow) -> None:
    window.choose_filter("matter")
    chooser = next(c for c in window.findChildren(MatterChooser) if c.isVisible())
    QTest.keyClicks(chooser.search.field, "whitlow")
    QTest.keyClick(chooser.search.field, Qt.Key.Key_Return)
    ids_become(qtbot, window, "71000002")
    assert window.filter.currentText() == "Matter J000102"
    window.choose_filter("all")
    qtbot.waitUntil(lambda: window.model.rowCount() == 9)


def test_thinking_better_of_one_matter_goes_back_to_what_was_shown(qtbot: QtBot, window: DeliveriesWindow) -> None:
    window.choose_filter("matter")
    next(c for c in window.findChildren(MatterChooser) if c.isVisible()).reject()
    qtbot.waitUntil(lambda: window.filter.currentData() == "all")


def test_the_list_is_exported_as_it_is_narrowed(qtbot: QtBot, window: DeliveriesWindow, desk: FakeDesk, tmp_path: Path) -> None:
    window.choose_filter("waiting")
    qtbot.waitUntil(lambda: window.model.rowCount() == 3)
    window.export(tmp_path / "orders.csv")
    qtbot.waitUntil(lambda: "3 orders written" in window.message.text())
    assert desk.called("export_orders") == [(OrderQuery(waiting_for_person=True), tmp_path / "orders.csv")]


def test_before_approving_each_posting_is_shown_with_its_gst_rule(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    """Complaints 11 and 20: job, code, GST and the rule that made it, markup and price; what is unticked waits on."""
    desk = FakeDesk()
    desk.all_orders = (
        order("1", delivery("1", "T", S.HELD)),
        order("2", delivery("2", "S", S.HELD, gst="0.00", reason="Review.")),
    )
    window = opened(qtbot, make_bridge(desk), clock)
    qtbot.waitUntil(lambda: window.approve_button.text() == "Approve all 2 shown…")
    window.approve_button.click()
    dialog = next(d for d in window.findChildren(PreviewDialog) if d.isVisible())
    qtbot.waitUntil(lambda: dialog.approve_button.isEnabled())
    model = dialog.table.model()
    cells = [[str(model.index(row, column).data() or "").strip() for column in range(9)] for row in range(2)]
    client = "Kestrel Holdings Pty Ltd"
    what = "Title Search - 12/SP34567"
    assert cells[0] == ["J000101", client, what, "DISB-GST", "$15.07", "$1.51", "$16.58", "10 %", "GST on the whole fee: one line"]
    assert cells[1][8] == "Supplier fee without GST: a line of its own"
    dialog.table.selectRow(1)
    assert "Review." in dialog.reason.text()
    QTest.keyClick(dialog.table, Qt.Key.Key_Space)
    assert dialog.approve_button.text() == "Approve 1 posting"
    assert "$15.07 ex GST + $1.51 GST = $16.58" in words_on(dialog)
    dialog.approve_button.click()
    qtbot.waitUntil(lambda: desk.called("approve") == [("IT-1-T-1",)])


def test_not_now_approves_nothing(qtbot: QtBot, window: DeliveriesWindow, desk: FakeDesk) -> None:
    qtbot.waitUntil(lambda: window.approve_button.isVisible())
    window.approve_button.click()
    dialog = next(d for d in window.findChildren(PreviewDialog) if d.isVisible())
    qtbot.waitUntil(lambda: dialog.approve_button.isEnabled())
    dialog.not_now.click()
    assert desk.called("approve") == []


def test_a_posting_that_waits_says_how_it_will_be_posted(qtbot: QtBot, window: DeliveriesWindow) -> None:
    """Complaint 11: beside each cost before posting."""
    choose(qtbot, window, "71000004")
    qtbot.waitUntil(lambda: "When approved: matter J000101, code DISB-GST, -$3.20 + GST -$0.32" in words_on(window.pane))
    assert "A credit." in words_on(window.pane)


def test_a_document_is_opened_in_a_viewer(qtbot: QtBot, bridge: Bridge, clock: Clock, desk: FakeDesk) -> None:
    seen: list[QUrl] = []
    window = DeliveriesWindow(bridge, clock=clock, open_url=noting(seen))
    qtbot.addWidget(window)
    window.open_with("71000008")
    qtbot.waitUntil(lambda: (shown := window.pane.order()) is not None and bool(shown.steps))
    press(qtbot, window, "Open document")
    qtbot.waitUntil(lambda: bool(seen))
    assert seen[0].toLocalFile().endswith("IT-71000008-D-1.pdf")


def test_a_job_is_opened_only_where_its_address_is_known(qtbot: QtBot, bridge: Bridge, clock: Clock, desk: FakeDesk) -> None:
    seen: list[QUrl] = []
    window = DeliveriesWindow(bridge, clock=clock, open_url=noting(seen))
    qtbot.addWidget(window)
    window.open_with("71000008")
    qtbot.waitUntil(lambda: (shown := window.pane.order()) is not None and bool(shown.steps))
    assert "Open in Xero" not in [button.text() for button in window.pane.findChildren(QPushButton)]
    desk.books.addresses[XPM] = "https://books.example/{id}"
    choose(qtbot, window, "71000007")
    qtbot.waitUntil(lambda: "Open in Xero" in [button.text() for button in window.pane.findChildren(QPushButton)])
    press(qtbot, window, "Open in Xero")
    assert [url.toString() for url in seen] == ["https://books.example/uuid-J000101"]


def test_every_attempt_with_the_vendors_own_words_can_be_copied(qtbot: QtBot, window: DeliveriesWindow) -> None:
    """Complaint 14."""
    choose(qtbot, window, "71000006")
    press(qtbot, window, "Copy details")
    story = QGuiApplication.clipboard().text()
    assert "Order 71000006: rejected" in story
    assert "The job is completed and takes no more costs." in story
    assert "IT-71000006-T-1" in story
    assert "queued → rejected" in story


def test_the_bookkeepers_windows_stand_under_more(window: DeliveriesWindow) -> None:
    menu = window.more_button.menu()
    assert isinstance(menu, QMenu)
    entries = [action.text() for action in menu.actions() if action.text()]
    assert entries[-4:] == ["Export the list…", "Reconcile an invoice…", "Audit trail…", "Diagnostics…"]


def test_ten_thousand_orders_are_listed_and_those_in_sight_fetched(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    desk = FakeDesk()
    desk.all_orders = tuple(order(str(80_000_000 - n), delivery(str(80_000_000 - n), "T", S.CONFIRMED)) for n in range(10_000))
    window = opened(qtbot, make_bridge(desk), clock)
    qtbot.waitUntil(lambda: window.model.rowCount() == 10_000)
    asked = [len(call[0]) for call in desk.called("orders_by_id") if isinstance(call[0], tuple)]
    assert max(asked) <= 120
    bar = window.list.verticalScrollBar()
    bar.setValue(bar.maximum())
    qtbot.waitUntil(lambda: window.model.value(9_999) is not None)
    assert len(window.model.values()) < 2_000
    window.open_with("79995000")
    qtbot.waitUntil(lambda: window.list.current_row() == 5_000 and window.model.value(5_000) is not None)


def test_a_change_of_one_row_does_not_lay_out_all_others(
    qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = FakeDesk()
    desk.all_orders = tuple(order(str(80_000_000 - n), delivery(str(80_000_000 - n), "T", S.QUEUED)) for n in range(3_000))
    laid_out: list[int] = []

    def lay_out(rows: OrderRows) -> None:
        laid_out.append(1)
        super(OrderRows, rows).doItemsLayout()

    monkeypatch.setattr(OrderRows, "doItemsLayout", lay_out, raising=False)
    window = opened(qtbot, make_bridge(desk), clock)
    assert laid_out
    laid_out.clear()
    desk.set_state("IT-80000000-T-1", S.CONFIRMED)
    desk.notify()
    qtbot.waitUntil(lambda: (first := window.model.value(0)) is not None and first.deliveries[0].state is S.CONFIRMED)
    qtbot.waitUntil(lambda: (order := window.pane.order()) is not None and order.deliveries[0].state is S.CONFIRMED)
    assert laid_out == []


def test_what_comes_while_a_person_reads_moves_nothing(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    """The courier writes under the open window: chosen row and the rows in sight stay."""
    desk = FakeDesk()
    desk.all_orders = tuple(order(str(80_000_000 - n), delivery(str(80_000_000 - n), "T", S.QUEUED)) for n in range(3_000))
    window = opened(qtbot, make_bridge(desk), clock)
    window.list.go_to(100)
    window.list.verticalScrollBar().setValue(100 * window.list.row_height() - 17)
    place = window.list.place()
    begun_anew: list[int] = []
    window.model.modelReset.connect(lambda: begun_anew.append(1))
    new = tuple(order(str(90_000_000 - n), delivery(str(90_000_000 - n), "T", S.QUEUED)) for n in range(7))
    # Seven came, and one above those in sight went away.
    desk.all_orders = (*new, *desk.all_orders[:5], *desk.all_orders[6:])
    desk.notify()
    qtbot.waitUntil(lambda: window.model.rowCount() == 3_006)
    assert window.model.id_at(window.list.current_row()) == "79999900"
    assert [index.row() for index in window.list.selectedIndexes()] == [106]
    after = window.list.place()
    assert (after.order_id, after.above) == (place.order_id, place.above)
    assert begun_anew == []


def test_a_list_that_stands_at_its_top_shows_what_comes(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    desk = FakeDesk()
    desk.all_orders = tuple(order(str(80_000_000 - n), delivery(str(80_000_000 - n), "T", S.QUEUED)) for n in range(3_000))
    window = opened(qtbot, make_bridge(desk), clock)
    desk.all_orders = (order("90000000", delivery("90000000", "T", S.QUEUED)), *desk.all_orders)
    desk.notify()
    qtbot.waitUntil(lambda: window.model.rowCount() == 3_001)
    assert window.list.rows_in_sight()[0] == 0
    assert window.model.id_at(window.list.current_row()) == "80000000"


def test_an_order_that_leaves_the_list_gives_way_to_the_next(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    """Who works through what waits goes on where they were, and not from the top."""
    desk = FakeDesk()
    held = [order(str(number), delivery(str(number), "T", S.HELD)) for number in range(9, 0, -1)]
    desk.all_orders = (order("10", delivery("10", "T", S.CONFIRMED)), *held)
    window = opened(qtbot, make_bridge(desk), clock)
    window.choose_filter("waiting")
    qtbot.waitUntil(lambda: window.model.rowCount() == 9)
    window.list.go_to(window.model.row_with_key("5"))
    desk.set_state("IT-5-T-1", S.CONFIRMED)
    desk.notify()
    qtbot.waitUntil(lambda: window.model.row_with_key("5") < 0)
    assert window.model.id_at(window.list.current_row()) == "4"


@given(old=st.lists(st.integers(0, 9), unique=True), new=st.lists(st.integers(0, 9), unique=True))
def test_the_list_is_what_it_was_told_whatever_stood_there_before(old: list[int], new: list[int]) -> None:
    model = OrderModel(lambda: NOW)
    model.show_ids([str(one) for one in old])
    spy = QSortFilterProxyModel()
    spy.setSourceModel(model)
    assert model.show_ids([str(one) for one in new]) == (old != new)
    assert model.rowCount() == spy.rowCount() == len(new)
    assert [model.index(row, 0).data() for row in range(len(new))] == [f"Order {one}" for one in new]
    assert [spy.index(row, 0).data() for row in range(len(new))] == [f"Order {one}" for one in new]


def test_a_crash_report_is_offered_and_shown_before_anything_is_saved(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:

    desk = FakeDesk()
    desk.now_status = dataclasses.replace(desk.now_status, crash_reports=1)
    window = opened(qtbot, make_bridge(desk), clock)
    qtbot.waitUntil(lambda: "ended unexpectedly" in window.notice.text())
    next(b for b in window.notice.findChildren(QPushButton) if b.text() == "Show the report…").click()
    assert window.diagnostics is not None
    qtbot.addWidget(window.diagnostics)
    assert window.diagnostics.isVisible()
    assert desk.called("save_diagnostics") == []


def test_a_credit_stands_as_its_own_line_linked_to_the_first(qtbot: QtBot, window: DeliveriesWindow) -> None:
    """Complaints 1 and 2: a refund is a further line of the same order, with its amount and what it waits for."""
    choose(qtbot, window, "71000004")
    said = words_on(window.pane)
    assert "Credit -$3.20" in said
    assert "IT-71000004-T-2" in said
    assert "IT-71000004-T-1" in said


def test_orders_started_elsewhere_say_so(qtbot: QtBot, window: DeliveriesWindow) -> None:
    """Complaint 6."""
    choose(qtbot, window, "71000005")
    assert "Started outside iConnect" in words_on(window.pane)


def test_an_order_of_last_year_can_be_found(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    """Complaint 7: the list has no window of days."""
    desk = FakeDesk()
    desk.all_orders = (*desk.all_orders, order("60000001", delivery("60000001", "T", S.CONFIRMED), ago=timedelta(days=500)))
    window = opened(qtbot, make_bridge(desk), clock)
    QTest.keyClicks(window.field, "60000001")
    ids_become(qtbot, window, "60000001")
