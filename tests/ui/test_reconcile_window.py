"""Reconcile: an invoice dropped on the window, what was found, the columns asked for once, and the export."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from desktop.services.reconcile.comparison import Reconciliation
from desktop.ui.bridge import Bridge
from desktop.ui.invoice_columns import ColumnsDialog, guessed
from desktop.ui.reconcile_window import ReconcileWindow
from tests.ui.fake_desk import FakeDesk

Clock = Callable[[], datetime]


@pytest.fixture
def window(qtbot: QtBot, bridge: Bridge, clock: Clock) -> ReconcileWindow:
    made = ReconcileWindow(bridge, clock=clock)
    qtbot.addWidget(made)
    made.bring_forward()
    return made


def drop(window: ReconcileWindow, *files: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
    event = QDropEvent(QPoint(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    window.dropEvent(event)


def test_an_empty_window_says_what_to_drop_on_it(window: ReconcileWindow) -> None:
    assert window.windowTitle() == "iConnect - Reconcile"
    assert "Drop the supplier's invoice here" in window.empty.words()


def test_a_dropped_invoice_shows_first_what_needs_a_look(qtbot: QtBot, window: ReconcileWindow, desk: FakeDesk) -> None:
    """Complaint 3: missing and different ones, with the amounts of both sides and the reason."""
    drop(window, Path("/x/march.csv"))
    qtbot.waitUntil(lambda: [one.order_id for one in window.model.orders] == ["71000020", "71000006"])
    assert desk.called("reconcile") == [(Path("/x/march.csv"),)]
    cells = [str(window.model.index(0, column).data()).strip() for column in range(8)]
    assert cells[:7] == ["✕  missing", "71000020", "Title Search", "", "$16.58", "$0.00", "$16.58"]
    assert "iConnect has no order with this number." in window.remark.text()
    assert "Line 14" in window.unread.text()
    assert "MainThread" not in desk.threads


def test_every_verdict_has_a_word_a_shape_and_a_place_in_the_filter(qtbot: QtBot, window: ReconcileWindow) -> None:
    window.compare(Path("march.csv"))
    qtbot.waitUntil(lambda: window.filter.count() == 9)
    titles = [window.filter.itemText(index) for index in range(window.filter.count())]
    assert titles == [
        "All 8", "Needs a look (2)", "Missing (1)", "Different (1)", "Extra (1)", "Under way (1)", "Credited (1)",
        "Other firm's (1)", "Matched (2)",
    ]  # fmt: skip
    window.filter.setCurrentIndex(0)
    words = [str(window.model.index(row, 0).data()) for row in range(8)]
    assert len({word[0] for word in words}) == 7, "each verdict has a shape of its own"
    window.filter.setCurrentIndex(titles.index("Credited (1)"))
    assert [one.order_id for one in window.model.orders] == ["71000004"]


def test_the_sums_of_both_sides_stand_by_gst(qtbot: QtBot, window: ReconcileWindow) -> None:
    window.compare(Path("march.csv"))
    qtbot.waitUntil(lambda: bool(window.model.orders))
    shown = [label.text() for label in window.totals.findChildren(QLabel) if label.isVisible()]
    assert {"Invoice", "Books", "Difference", "GST", "In all", "$99.02", "$64.84", "$34.18"} <= set(shown)


def test_a_strange_heading_is_asked_for_once_and_kept(qtbot: QtBot, window: ReconcileWindow, desk: FakeDesk) -> None:
    """Complaint 12: names differ from firm to firm, so they are a setting."""
    window.compare(Path("strange.csv"))
    qtbot.waitUntil(lambda: "has no heading" in window.message.text())
    next(b for b in window.message.findChildren(QPushButton) if b.text() == "Choose its columns…").click()
    qtbot.waitUntil(lambda: bool(window.findChildren(ColumnsDialog)))
    dialog = window.findChildren(ColumnsDialog)[0]
    dialog.boxes["OrderId"].setCurrentText("Order No")
    dialog.boxes["TotalFeeTotal"].setCurrentText("Gross")
    dialog.keep_button.click()
    qtbot.waitUntil(lambda: bool(window.model.orders))
    assert desk.books.columns["OrderId"] == "Order No"
    assert desk.books.columns["TotalFeeTotal"] == "Gross"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"OrderId": "(not there)"}, "order number"),
        ({"TotalFeeTotal": "(not there)", "TotalFee": "(not there)"}, "at least one column with an amount"),
        ({"TotalFeeTotal": "(not there)", "TotalFee": "Net", "TotalFeeGST": "(not there)"}, "its GST"),
        ({"ServiceName": "Order No"}, "chosen twice"),
    ],
)
def test_columns_that_can_not_work_are_not_kept(
    qtbot: QtBot, window: ReconcileWindow, changes: dict[str, str], problem: str
) -> None:
    dialog = ColumnsDialog(window, ("Order No", "Net", "GST", "Gross"), {})
    dialog.ask(lambda columns: pytest.fail("it was kept"))
    for name, text in changes.items():
        dialog.boxes[name].setCurrentText(text)
    dialog.keep_button.click()
    assert problem in dialog.message.text()


def test_columns_are_guessed_by_their_names_and_what_was_said_before_counts_first() -> None:
    found = guessed(("Order No", "Your Reference", "Net", "GST", "Gross"), {"ClientReference": "Your Reference"})
    assert found["OrderId"] == "Order No"
    assert found["TotalFeeTotal"] == "Gross"
    assert found["TotalFeeGST"] == "GST"
    assert found["ClientReference"] == "Your Reference"


def test_enter_on_a_row_shows_its_order(qtbot: QtBot, window: ReconcileWindow) -> None:
    window.compare(Path("march.csv"))
    qtbot.waitUntil(lambda: bool(window.model.orders))
    window.table.selectRow(1)
    assert window.show_button.text() == "Show the order"
    with qtbot.waitSignal(window.open_order) as told:
        QTest.keyClick(window.table, Qt.Key.Key_Return)
    assert told.args == ["71000006"]


def test_a_missing_order_that_nobody_knows_leads_to_what_is_unmatched(qtbot: QtBot, window: ReconcileWindow) -> None:
    """Complaint 3: by Enter and by the button, and never to a page that says that the order is not there."""
    opened: list[str] = []
    window.open_order.connect(opened.append)
    window.open_unmatched.connect(lambda: opened.append("unmatched"))
    window.compare(Path("march.csv"))
    qtbot.waitUntil(lambda: bool(window.model.orders))
    assert window.show_button.text() == "Orders without a matter"
    QTest.keyClick(window.table, Qt.Key.Key_Return)
    window.show_button.click()
    assert opened == ["unmatched", "unmatched"]


def test_where_nobody_shows_the_unmatched_the_order_itself_is_opened(qtbot: QtBot, window: ReconcileWindow) -> None:
    window.compare(Path("march.csv"))
    qtbot.waitUntil(lambda: bool(window.model.orders))
    assert window.show_button.text() == "Show the order"
    with qtbot.waitSignal(window.open_order) as told:
        window.show_button.click()
    assert told.args == ["71000020"]


def test_what_was_found_is_exported(qtbot: QtBot, window: ReconcileWindow, desk: FakeDesk, tmp_path: Path) -> None:
    window.compare(Path("march.csv"))
    qtbot.waitUntil(lambda: bool(window.model.orders))
    window.export(tmp_path / "out.csv")
    qtbot.waitUntil(lambda: "8 orders written" in window.message.text())


def test_while_it_compares_it_says_so_and_takes_nothing_else(qtbot: QtBot, window: ReconcileWindow, desk: FakeDesk) -> None:
    gate = desk.hold("reconcile")
    window.compare(Path("march.csv"))
    assert window.busy.isVisible()
    assert not window.empty.button.isEnabled()
    gate.set()
    qtbot.waitUntil(lambda: not window.busy.isVisible())


def test_an_invoice_without_an_order_says_so(qtbot: QtBot, window: ReconcileWindow, desk: FakeDesk) -> None:
    desk.books.found = Reconciliation(())
    window.compare(Path("march.csv"))
    qtbot.waitUntil(lambda: "holds no order" in window.empty.words())
