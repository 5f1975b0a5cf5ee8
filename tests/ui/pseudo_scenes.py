"""The bookkeeper's windows, the updates window, the stand-in for the tray and its menu, as the pseudo-language program shows them.

Imported by that program alone, after it put its language in use."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import datetime
from enum import Enum
from pathlib import Path

from PySide6.QtWidgets import QMessageBox, QWidget

from desktop.services.books import OrderQuery
from desktop.services.desk import ConnectionState, InfoTrackView, Status
from desktop.services.ledger.model import DeliveryState, OrderView, Step
from desktop.ui.audit_window import AuditWindow
from desktop.ui.bridge import Bridge
from desktop.ui.deliveries import DeliveriesWindow
from desktop.ui.diagnostics_window import DiagnosticsWindow
from desktop.ui.home import HomeWindow
from desktop.ui.matter_picker import MatterChooser
from desktop.ui.preview import MovePreview, PreviewDialog
from desktop.ui.reconcile_window import ReconcileWindow
from desktop.ui.state import tooltip
from desktop.ui.tray import Tray
from desktop.ui.tray_app import named_matters, notice
from desktop.ui.update_state import UpdateState, UpdateView, menu_text
from desktop.ui.update_state import notice as update_notice
from desktop.ui.update_watch import UpdateOptions, UpdateWatch
from desktop.ui.update_window import UpdateWindow
from tests.ui.fake_books import typical_reconciliation
from tests.ui.fake_desk import MATTERS, XPM, FakeDesk, connection, status, typical_orders

Clock = Callable[[], datetime]
Show = Callable[[str, QWidget], None]
Settle = Callable[[], None]

VERSION = "1.5.0"
NOTES = "1. 2. 3."
PROBLEM = "The server did not answer."
LINKS = {XPM: "https://practice.example/job/{id}"}

OUT = status(
    connection(ConnectionState.DISCONNECTED), infotrack=InfoTrackView(ConnectionState.DISCONNECTED), matters=0, refreshed=False
)
STATUSES: dict[str, Status | None] = {
    "nothing known": None,
    "signed in": status(connection(), waiting=1),
    "several wait": status(connection(), waiting=3),
    "signed out": OUT,
    "signing in": status(connection(ConnectionState.CONNECTING)),
    "offline": status(connection(offline=True)),
    "a problem": status(connection(problem="Xero asked to wait.")),
    "in trouble": status(
        connection(ConnectionState.ATTENTION, problem="Xero ended the sign-in.", cure="Sign in again."),
        infotrack=InfoTrackView(ConnectionState.ATTENTION, "priya", "InfoTrack refused the password."),
    ),
}


def data_of(value: object) -> Iterator[str]:
    """Every text inside a value that the services hand out: names, numbers, and sentences that the ledger recorded."""
    if isinstance(value, Enum):
        return
    if isinstance(value, str):
        yield value
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            if field.name not in ("from_state", "to_state"):
                yield from data_of(getattr(value, field.name))
    elif isinstance(value, tuple | list):
        for one in value:
            yield from data_of(one)


def orders() -> tuple[OrderView, ...]:
    """The typical ones. What happened to them is the ledger's record, and their status InfoTrack's word: both are marked with a
    number, so that they are told from words of ours that are spelt alike."""

    def marked(step: Step) -> Step:
        return dataclasses.replace(step, what=step.what and f"{step.what} 1")

    return tuple(
        dataclasses.replace(order, status="Complete 1", steps=tuple(map(marked, order.steps))) for order in typical_orders()
    )


def desk_with(orders: tuple[OrderView, ...]) -> FakeDesk:
    desk = FakeDesk()
    desk.all_orders = orders
    desk.books.addresses = LINKS
    desk.now_status = status(connection(), waiting=3)
    return desk


def data() -> set[str]:
    desk = desk_with(orders())
    books = desk.books
    values = (
        *desk.all_orders,
        *books.previews(OrderQuery()),
        *books.trail_page(None, 500),
        typical_reconciliation(),
        *(status for status in STATUSES.values() if status is not None),
    )
    found = {text for value in values for text in data_of(value)} | {part.name for part in books.bundle.parts} | {PROBLEM}
    # A word alone would hide the same word of ours.
    return {text.replace("&", "") for text in found if not text.isalpha()}


def notices() -> Iterator[tuple[str, str]]:
    """What is told without a window."""
    quiet = status(connection())
    done = dataclasses.replace(quiet, deliveries={**quiet.deliveries, DeliveryState.CONFIRMED: 1})
    many = dataclasses.replace(quiet, deliveries={**quiet.deliveries, DeliveryState.CONFIRMED: 4})
    for name, now in STATUSES.items():
        yield f"tooltip, {name}", tooltip(now)
        if now is not None:
            yield f"notice, {name}", notice(None, now)
    yield "notice, posted", notice(quiet, done, "all")
    yield "notice, several posted", notice(quiet, many, "all")
    yield "notice, one matter", named_matters(typical_orders()[:1])
    yield "notice, matters", named_matters(typical_orders())
    for state in UpdateState:
        for itself in (True, False):
            view = UpdateView(state, VERSION, installs_itself=itself)
            yield f"menu, {state}", menu_text(view)
            yield f"notice, {state}", update_notice(view)


def show_all(show: Show, settle: Settle, clock: Clock) -> None:
    desk = desk_with(orders())
    bridge = _bridge(desk, settle)
    _orders(bridge, show, settle, clock)
    _books(bridge, desk, show, settle, clock)
    _dialogs(bridge, show, settle, clock)
    bridge.close()
    _without_anything(show, settle, clock)
    for name, now in STATUSES.items():
        home = HomeWindow(bridge, clock=clock)
        bridge.status = now
        show(f"home, {name}", home)
        tray = Tray()
        tray.show_status(now)
        show(f"menu, {name}", tray.menu)
        tray.stop()
    for state in UpdateState:
        for refused, itself in ((False, True), (True, False)):
            view = UpdateView(state, VERSION, NOTES, problem=PROBLEM, refused=refused, installs_itself=itself, done=31, of=88)
            watch = UpdateWatch(bridge, UpdateOptions(Path("updates"), (), {}, installs_itself=itself), parent=bridge)
            watch.view = view
            show(f"updates, {state}", UpdateWindow(bridge, watch, current="1.4.0", clock=clock))


def _bridge(desk: FakeDesk, settle: Settle) -> Bridge:
    bridge = Bridge(lambda notify: desk)
    bridge.open()
    settle()
    return bridge


def _orders(bridge: Bridge, show: Show, settle: Settle, clock: Clock) -> None:
    for order in typical_orders():
        window = DeliveriesWindow(bridge, clock=clock)
        window.open_with(order.order_id)
        settle()
        show(f"order {order.order_id}", window)
    window = DeliveriesWindow(bridge, clock=clock)
    window.open_with("71999999")
    settle()
    show("an order that is not here", window)
    window.open_with("71000008")
    settle()
    for row in range(window.filter.count() - 1):
        window.filter.setCurrentIndex(row)
        settle()
        show(f"orders, filter {row}", window)
    window.open_with(matter="J000777")
    settle()
    show("one matter's orders", window)
    window.choose_filter("all")
    window.field.setText("zzzz")
    settle()
    show("no order found", window)
    window.open_with("71000009")
    settle()
    window.pane.copied.emit()
    show("orders, copied", window)
    window.export(Path("9.csv"))
    settle()
    show("orders, exported", window)
    bridge.status = dataclasses.replace(bridge.status or OUT, crash_reports=1)
    show("orders, after a crash", window)
    for delivery in (one for order in typical_orders() for one in order.deliveries if one.state in list(DeliveryState)[:4]):
        window.pane.cancel.emit(delivery)
        settle()
        for box in window.findChildren(QMessageBox):
            show(f"cancel {delivery.key}", box)
            box.deleteLater()
        settle()


def _books(bridge: Bridge, desk: FakeDesk, show: Show, settle: Settle, clock: Clock) -> None:
    reconcile = ReconcileWindow(bridge, clock=clock)
    show("reconcile, empty", reconcile)
    reconcile.compare(Path("1.csv"))
    settle()
    show("reconcile", reconcile)
    reconcile.export(Path("2.csv"))
    settle()
    show("reconcile, exported", reconcile)
    audit = AuditWindow(bridge, clock=clock)
    audit.open_with()
    settle()
    show("audit trail", audit)
    for bad in (None, 3):
        desk.books.bad_step = bad
        audit.check()
        settle()
        show(f"audit trail, checked, {bad}", audit)
        audit.export(Path("3.csv"))
        settle()
        show(f"audit trail, exported, {bad}", audit)
    for order_id in (*(order.order_id for order in typical_orders()), "71999999"):
        audit.open_with(order_id)
        settle()
        show(f"audit of {order_id}", audit)
    diagnostics = DiagnosticsWindow(bridge, clock=clock)
    diagnostics.show()
    settle()
    show("diagnostics", diagnostics)
    diagnostics.save(Path("4.zip"))
    settle()
    show("diagnostics, saved", diagnostics)


def _dialogs(bridge: Bridge, show: Show, settle: Settle, clock: Clock) -> None:
    for name, found in (("full", FakeDesk().books.previews(OrderQuery())), ("empty", ())):
        dialog = PreviewDialog(None)
        show(f"preview, waiting, {name}", dialog)
        dialog.show_previews(found)
        show(f"preview, {name}", dialog)
    dialog.refuse(PROBLEM)
    show("preview, refused", dialog)
    for order in typical_orders():
        show(f"move {order.order_id}", MovePreview(None, order, MATTERS[5]))
    over = QWidget()
    chooser = MatterChooser(bridge, "1", "2", "3", clock, over)
    chooser.setParent(None)
    chooser.search.search()
    settle()
    show("matter chooser", chooser)


def _without_anything(show: Show, settle: Settle, clock: Clock) -> None:
    desk = FakeDesk()
    desk.all_orders = ()
    desk.now_status = OUT
    bridge = _bridge(desk, settle)
    for name, window in (("orders", DeliveriesWindow(bridge, clock=clock)), ("audit", AuditWindow(bridge, clock=clock))):
        window.show()
        settle()
        show(f"{name}, empty", window)
    bridge.close()
