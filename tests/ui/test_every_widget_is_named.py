"""Whoever uses a screen reader or the keyboard alone: each widget has a name, a role, and rows that are sentences."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import QAbstractItemView, QComboBox, QPushButton, QScrollArea, QTableView, QWidget
from pytestqt.qtbot import QtBot

from desktop.services.ledger.model import DeliveryState
from desktop.ui.deliveries import DeliveriesWindow
from tests.ui.conftest import MakeBridge
from tests.ui.every_window import BROWSER, STATES, WINDOWS, Clock, name_of, shown, takes_part
from tests.ui.fake_desk import FakeDesk, typical_orders


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("which", WINDOWS | BROWSER)
def test_every_widget_that_takes_part_has_a_name(
    qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, which: str, state: str
) -> None:
    desk = FakeDesk()
    desk.now_status = STATES[state]
    window = shown(qtbot, make_bridge(desk), clock, which, full=state == "signed in")
    found = list(takes_part(window))
    assert found, "a window without anything to press"
    nameless = [f"{type(widget).__name__} {widget.objectName()}" for widget in found if not name_of(widget).strip()]
    assert nameless == []


@pytest.mark.parametrize("order_id", [order.order_id for order in typical_orders()])
def test_every_button_of_an_order_has_a_name(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, order_id: str) -> None:
    """Several «Retry» stand in one window: each says in its description which posting it means."""
    window = DeliveriesWindow(make_bridge(FakeDesk()), clock=clock)
    qtbot.addWidget(window)
    window.open_with(order_id)
    qtbot.waitUntil(lambda: (shown := window.pane.order()) is not None and shown.order_id == order_id)
    assert all(name_of(widget) for widget in takes_part(window))
    for button in window.pane.findChildren(QPushButton):
        if button.text() in ("Approve", "Retry", "Don't post it…", "Don't file it…", "Stop trying…"):
            assert "IT-" in button.accessibleDescription()


def heard(widget: QWidget) -> QAccessibleInterface:
    found = QAccessible.queryAccessibleInterface(widget)
    assert found is not None
    return found


def heard_name(widget: QWidget) -> str:
    """What assistive technology reads. Of a box with choices Qt tells it the choice as the name, and on Linux leaves the name
    itself to the label that belongs to it."""
    if isinstance(widget, QComboBox):
        labels = [label for label, relation in heard(widget).relations() if relation & QAccessible.RelationFlag.Label]
        return labels[0].text(QAccessible.Text.Name) if labels else ""
    return heard(widget).text(QAccessible.Text.Name)


# Roles that say what can be done with a thing. A plain pane has none of its own.
ROLES = {
    QAccessible.Role.Button, QAccessible.Role.ButtonMenu, QAccessible.Role.CheckBox, QAccessible.Role.ComboBox,
    QAccessible.Role.EditableText, QAccessible.Role.List, QAccessible.Role.Table, QAccessible.Role.SpinBox,
    QAccessible.Role.RadioButton, QAccessible.Role.PageTabList, QAccessible.Role.StaticText,
}  # fmt: skip


@pytest.mark.parametrize("which", WINDOWS | BROWSER)
def test_assistive_technology_hears_a_name_and_a_role_of_each(
    qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, which: str
) -> None:
    window = shown(qtbot, make_bridge(FakeDesk()), clock, which)
    assert heard(window).text(QAccessible.Text.Name).startswith("iConnect")
    for widget in takes_part(window):
        assert heard_name(widget).strip(), f"{type(widget).__name__} {name_of(widget)} is not heard"
        if not isinstance(widget, QScrollArea):
            assert heard(widget).role() in ROLES, f"{name_of(widget)}: {heard(widget).role()}"


def rows_heard(view: QAbstractItemView) -> Iterator[str]:
    """Each row's first cell: what is read when somebody comes to the row."""
    model = view.model()
    for number in range(model.rowCount()):
        cell = heard(view)
        if isinstance(view, QTableView):
            # Row by row, each behind its own heading; the columns' headings are the first row.
            yield cell.child((number + 1) * (model.columnCount() + 1) + 1).text(QAccessible.Text.Name)
        else:
            yield cell.child(number).text(QAccessible.Text.Name)


ROW_WORDS = {
    "Orders": ("Order 7100", "matter"),
    "Orders for this matter": ("Order 7100", "matter"),
    "Matters": ("J0",),
    "Open matters of the same client": ("J0",),
    "Orders compared": ("Order 7100", "invoice", "books"),
    "Entries": ("7100",),
    "Postings to approve": ("IT-7100", "matter", "GST"),
    "Organisations": (),
    "Files in the bundle": (),
}
"""What each list's rows tell at least."""


@pytest.mark.parametrize("which", WINDOWS | BROWSER)
def test_each_row_is_heard_as_a_sentence(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, which: str) -> None:
    window = shown(qtbot, make_bridge(FakeDesk()), clock, which)
    for view in (one for one in takes_part(window) if isinstance(one, QAbstractItemView)):
        wanted = ROW_WORDS[view.accessibleName()]
        rows = list(rows_heard(view))
        assert rows, f"{view.accessibleName()} has no rows to hear"
        for row in rows:
            assert len(row) >= 8
            assert [word for word in wanted if word not in row] == [], row


def test_a_table_says_what_each_column_holds(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    for which in ("reconcile", "audit trail", "preview"):
        window = shown(qtbot, make_bridge(FakeDesk()), clock, which)
        table = next(one for one in takes_part(window) if isinstance(one, QTableView))
        for column in range(1, table.model().columnCount() + 1):
            assert heard(table).child(column).role() is QAccessible.Role.ColumnHeader
            assert heard(table).child(column).text(QAccessible.Text.Name).strip()


def test_a_state_is_a_word_and_not_a_colour_alone(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    window = DeliveriesWindow(make_bridge(FakeDesk()), clock=clock)
    qtbot.addWidget(window)
    window.open_with()
    qtbot.waitUntil(lambda: window.model.rowCount() > 0)
    for row in range(window.model.rowCount()):
        spoken = str(window.model.index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole))
        assert any(str(state) in spoken for state in DeliveryState) or "no result yet" in spoken
