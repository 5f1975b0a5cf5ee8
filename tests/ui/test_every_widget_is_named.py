"""Whoever uses a screen reader or the keyboard alone: every widget that takes part has a name and can be reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QLineEdit, QPushButton, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from desktop.services.books import OrderQuery
from desktop.services.desk import ConnectionState, InfoTrackView
from desktop.services.ledger.model import DeliveryState
from desktop.ui.audit_window import AuditWindow
from desktop.ui.before_order import ClosedMatterDialog
from desktop.ui.bridge import Bridge
from desktop.ui.connections import ConnectionsWindow
from desktop.ui.deliveries import DeliveriesWindow
from desktop.ui.diagnostics_window import DiagnosticsWindow
from desktop.ui.home import HomeWindow
from desktop.ui.invoice_columns import ColumnsDialog
from desktop.ui.matter_picker import MatterChooser, MatterPicker
from desktop.ui.preview import MovePreview, PreviewDialog
from desktop.ui.reconcile_window import ReconcileWindow
from desktop.ui.result_form import ResultForm
from desktop.ui.settings_window import SettingsWindow
from desktop.ui.signing_in import SigningIn, TenantDialog
from desktop.ui.welcome import WelcomeWindow
from tests.ui.conftest import MakeBridge
from tests.ui.fake_desk import MATTERS, TENANTS, FakeDesk, connection, status, typical_orders
from tests.ui.fake_settings import FakeSettings

Clock = Callable[[], datetime]
Make = Callable[[Bridge, Clock], QWidget]


def _chooser(bridge: Bridge, clock: Clock) -> QWidget:
    over = QWidget()
    chooser = MatterChooser(bridge, "Move order 1", "What will happen.", "Move here", clock, over)
    chooser.setParent(None)
    return chooser


def _reconcile(bridge: Bridge, clock: Clock) -> QWidget:
    window = ReconcileWindow(bridge, clock=clock)
    window.compare(Path("march.csv"))
    return window


def _preview(bridge: Bridge, clock: Clock) -> QWidget:
    dialog = PreviewDialog(None)
    dialog.show_previews(FakeDesk().books.previews(OrderQuery()))
    return dialog


WINDOWS: dict[str, Make] = {
    "reconcile": _reconcile,
    "audit trail": lambda bridge, clock: AuditWindow(bridge, clock=clock),
    "diagnostics": lambda bridge, clock: DiagnosticsWindow(bridge, clock=clock),
    "preview": _preview,
    "move": lambda bridge, clock: MovePreview(None, typical_orders()[2], MATTERS[5]),
    "invoice columns": lambda bridge, clock: ColumnsDialog(None, ("Order No", "Gross"), {}),
    "picker": lambda bridge, clock: MatterPicker(bridge, clock=clock),
    "orders": lambda bridge, clock: DeliveriesWindow(bridge, clock=clock),
    "connections": lambda bridge, clock: ConnectionsWindow(bridge, SigningIn(bridge, parent=bridge), clock=clock),
    "settings": lambda bridge, clock: SettingsWindow(bridge, FakeSettings(), clock=clock),
    "welcome": lambda bridge, clock: WelcomeWindow(bridge, clock=clock),
    "home": lambda bridge, clock: HomeWindow(bridge, clock=clock),
    "result form": lambda bridge, clock: ResultForm(matter_number="J1"),
    "organisations": lambda bridge, clock: TenantDialog(TENANTS),
    "matter chooser": _chooser,
    "closed matter": lambda bridge, clock: ClosedMatterDialog(MATTERS[5], MATTERS[:2]),
}

STATES = {
    "signed in": status(connection(), waiting=3),
    "signed out": status(
        connection(ConnectionState.DISCONNECTED), infotrack=InfoTrackView(ConnectionState.DISCONNECTED), matters=0, refreshed=False
    ),
    "in trouble": status(
        connection(ConnectionState.ATTENTION, problem="Xero ended the sign-in.", cure="Sign in again."),
        infotrack=InfoTrackView(ConnectionState.ATTENTION, "priya", "InfoTrack refused the password."),
    ),
}


def takes_part(window: QWidget) -> Iterator[QWidget]:
    """Every widget in sight that the keyboard can reach, on its own account and not as a part of another."""
    for widget in window.findChildren(QWidget):
        inside = isinstance(widget.parent(), QComboBox) or widget.objectName().startswith("qt_")
        if widget.isVisibleTo(window) and widget.focusPolicy() & Qt.FocusPolicy.TabFocus and not inside:
            yield widget


def name_of(widget: QWidget) -> str:
    """As assistive technology hears it: an own name, a button's text, or the label that belongs to it."""
    if widget.accessibleName():
        return widget.accessibleName()
    if isinstance(widget, QAbstractButton) and widget.text():
        return widget.text().replace("&", "")
    labels = [label for label in widget.window().findChildren(QLabel) if label.buddy() is widget]
    return labels[0].text().replace("&", "") if labels else ""


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("which", WINDOWS)
def test_every_widget_that_takes_part_has_a_name(
    qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, which: str, state: str
) -> None:
    desk = FakeDesk()
    desk.now_status = STATES[state]
    bridge = make_bridge(desk)
    window = WINDOWS[which](bridge, clock)
    qtbot.addWidget(window)
    window.show()
    with qtbot.waitSignal(bridge.changed):
        bridge.notify()
    QTest.qWait(50)
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
        if button.text() in ("Approve", "Retry", "Cancel"):
            assert "IT-" in button.accessibleDescription()


@pytest.mark.parametrize("which", WINDOWS)
def test_tab_comes_to_every_widget_and_back(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, which: str) -> None:
    bridge = make_bridge(FakeDesk())
    window = WINDOWS[which](bridge, clock)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    with qtbot.waitSignal(bridge.changed):
        bridge.notify()
    qtbot.waitUntil(lambda: any(widget.isEnabled() for widget in takes_part(window)))
    QTest.qWait(100)
    wanted = {widget for widget in takes_part(window) if widget.isEnabled() and not isinstance(widget, QScrollArea)}
    met: set[QWidget] = set()
    start = next(iter(wanted))
    start.setFocus()
    for _ in range(3 * len(wanted) + 6):
        focus = QApplication.focusWidget()
        assert focus is not None
        met.add(focus)
        QTest.keyClick(focus, Qt.Key.Key_Tab)
    missed = [name_of(widget) for widget in wanted if widget not in met and widget.focusProxy() is None]
    assert missed == []


@pytest.mark.parametrize(
    "which",
    [
        "picker",
        "orders",
        "connections",
        "settings",
        "welcome",
        "home",
        "result form",
        "organisations",
        "reconcile",
        "audit trail",
        "diagnostics",
        "preview",
        "move",
    ],
)
def test_escape_closes_every_window(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, which: str) -> None:
    window = WINDOWS[which](make_bridge(FakeDesk()), clock)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    field = next((child for child in window.findChildren(QLineEdit) if child.isVisible() and child.isEnabled()), window)
    QTest.keyClick(field, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not window.isVisible())


def test_a_state_is_a_word_and_not_a_colour_alone(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    window = DeliveriesWindow(make_bridge(FakeDesk()), clock=clock)
    qtbot.addWidget(window)
    window.open_with()
    qtbot.waitUntil(lambda: window.model.rowCount() > 0)
    for row in range(window.model.rowCount()):
        spoken = str(window.model.index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole))
        assert any(str(state) in spoken for state in DeliveryState) or "no result yet" in spoken
