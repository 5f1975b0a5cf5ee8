"""Every window that the program opens, made for a test, and what the keyboard and assistive technology find in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QComboBox, QLabel, QWidget
from pytestqt.qtbot import QtBot

from desktop.services.books import OrderQuery
from desktop.services.desk import ConnectionState, InfoTrackView
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
from desktop.ui.update_state import UpdateState, UpdateView
from desktop.ui.update_watch import UpdateOptions, UpdateWatch
from desktop.ui.update_window import UpdateWindow
from desktop.ui.welcome import WelcomeWindow
from tests.ui.browser_bars import crashed, in_fees, in_trouble, looking_for_words, signed_out
from tests.ui.fake_desk import MATTERS, TENANTS, FakeDesk, connection, status, typical_orders
from tests.ui.fake_settings import FakeSettings

Clock = Callable[[], datetime]
Make = Callable[[Bridge, Clock], QWidget]


def _chooser(bridge: Bridge, clock: Clock) -> QWidget:
    over = QWidget()
    chooser = MatterChooser(bridge, "Move order 1", "What will happen.", "Move here", clock, over)
    chooser.setParent(None)
    chooser.search.search()
    return chooser


def _reconcile(bridge: Bridge, clock: Clock) -> QWidget:
    window = ReconcileWindow(bridge, clock=clock)
    window.compare(Path("march.csv"))
    return window


def _order(order_id: str) -> Make:
    def make(bridge: Bridge, clock: Clock) -> QWidget:
        window = DeliveriesWindow(bridge, clock=clock)
        window.open_with(order_id)
        return window

    return make


def _answer(bridge: Bridge, clock: Clock) -> QWidget:
    window = AuditWindow(bridge, clock=clock)
    window.open_with("71000008")
    return window


def _preview(bridge: Bridge, clock: Clock) -> QWidget:
    dialog = PreviewDialog(None)
    dialog.show_previews(FakeDesk().books.previews(OrderQuery()))
    return dialog


def updates(view: UpdateView, bridge: Bridge, clock: Clock) -> QWidget:
    """The window of new versions as it stands with `view`."""
    watch = UpdateWatch(bridge, UpdateOptions(Path("updates"), (), {}, installs_itself=view.installs_itself), parent=bridge)
    watch.view = view
    return UpdateWindow(bridge, watch, current="1.4.0", clock=clock)


_NOTES = "Orders that were billed twice are found.\nThe list scrolls without a hitch."
_READY_VERSION = UpdateView(UpdateState.READY, "1.5.0", _NOTES, installs_itself=True)
_FETCHING_VERSION = UpdateView(UpdateState.FETCHING, "1.5.0", _NOTES, done=31, of=88, installs_itself=True)


WINDOWS: dict[str, Make] = {
    "reconcile": _reconcile,
    "audit trail": lambda bridge, clock: AuditWindow(bridge, clock=clock),
    "audit of an order": _answer,
    "an order in detail": _order("71000004"),
    "a refused posting": _order("71000006"),
    "unmatched": _order("71000005"),
    "reconcile, empty": lambda bridge, clock: ReconcileWindow(bridge, clock=clock),
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
    "updates": lambda bridge, clock: updates(_READY_VERSION, bridge, clock),
    "updates, fetching": lambda bridge, clock: updates(_FETCHING_VERSION, bridge, clock),
    "updates, none": lambda bridge, clock: updates(UpdateView(UpdateState.NEWEST), bridge, clock),
}

# The bars of the order window; its page belongs to a process of its own.
BROWSER: dict[str, Make] = {
    "order window": lambda bridge, clock: looking_for_words(),
    "order window, fees": lambda bridge, clock: in_fees(),
    "order window, offline": lambda bridge, clock: in_trouble(),
    "order window, crashed": lambda bridge, clock: crashed(),
    "order window, signed out": lambda bridge, clock: signed_out(),
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


# What is there when a window has shown all that it has to show.
_READY: dict[str, Callable[[QWidget], bool]] = {
    "reconcile": lambda window: isinstance(window, ReconcileWindow) and bool(window.model.orders),
    "audit trail": lambda window: isinstance(window, AuditWindow) and bool(window.model.steps),
    "audit of an order": lambda window: isinstance(window, AuditWindow) and window.answer.isVisible(),
    "diagnostics": lambda window: isinstance(window, DiagnosticsWindow) and window.save_button.isEnabled(),
    "picker": lambda window: isinstance(window, MatterPicker) and _holds(window.panel.history),
    "matter chooser": lambda window: isinstance(window, MatterChooser) and _holds(window.search.list),
    **dict.fromkeys(
        ("orders", "an order in detail", "a refused posting", "unmatched"),
        lambda window: (
            isinstance(window, DeliveriesWindow)
            and window.sums is not None
            and (order := window.pane.order()) is not None
            and bool(order.steps)
        ),
    ),
}


def _holds(rows: QAbstractItemView) -> bool:
    return rows.model() is not None and rows.model().rowCount() > 0


def shown(qtbot: QtBot, bridge: Bridge, clock: Clock, which: str, *, full: bool = True) -> QWidget:
    """The window on the screen, with the keyboard, when nothing that it asked for is still to come. `full`: with all that it
    shows of the typical desk."""
    window = (WINDOWS | BROWSER)[which](bridge, clock)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    with qtbot.waitSignal(bridge.changed):
        bridge.notify()
    if full and which in _READY:
        qtbot.waitUntil(lambda: _READY[which](window))
    qtbot.waitUntil(lambda: not bridge._away and any(widget.isEnabled() for widget in takes_part(window)))
    return window


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
