"""Orders and postings and the bookkeeper's windows as scenes: empty, typical, full, in trouble and busy."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import desktop.ui  # noqa: F401  # isort: skip  # before any Qt module

from PySide6.QtWidgets import QDialog, QWidget

from desktop.services.ledger.model import DeliveryState
from desktop.services.reconcile.comparison import Reconciliation, Verdict
from desktop.ui.audit_window import AuditWindow
from desktop.ui.bridge import Bridge
from desktop.ui.deliveries import DeliveriesWindow
from desktop.ui.diagnostics_window import DiagnosticsWindow
from desktop.ui.invoice_columns import ColumnsDialog
from desktop.ui.preview import MovePreview
from desktop.ui.reconcile_window import ReconcileWindow
from tests.ui.fake_books import compared
from tests.ui.fake_desk import MATTERS, FakeDesk, delivery, order
from tests.ui.look import Studio, clock


def full_desk() -> FakeDesk:
    """A long list, and thirty postings that wait for a yes."""
    desk = FakeDesk()
    many = tuple(
        order(
            str(70_900_000 - n),
            delivery(str(70_900_000 - n), "T", DeliveryState.HELD if n < 30 else DeliveryState.CONFIRMED, reason="Review."),
            delivery(str(70_900_000 - n), "D", DeliveryState.CONFIRMED),
            service="Land Tax Clearance Certificate with a name that goes on" if n % 7 == 0 else "Title Search",
            number=MATTERS[n % 5].number,
            ago=timedelta(hours=n),
        )
        for n in range(400)
    )
    desk.all_orders = (*desk.all_orders, *many)
    return desk


def full_reconciliation() -> Reconciliation:
    orders = tuple(
        compared(str(71_000_000 + n), list(Verdict)[n % 7], "16.58", "16.58" if n % 7 == 0 else "0.00", "Why it is so.")
        for n in range(2_000)
    )
    return Reconciliation(orders, (), 2_000, {verdict: sum(one.verdict is verdict for one in orders) for verdict in Verdict})


def scenes(studio: Studio, wanted: set[str]) -> None:
    def scene(
        name: str, make: Callable[[Bridge], QWidget], desk: FakeDesk | None = None, after: Callable[[QWidget], object] = id
    ) -> None:
        if not wanted or any(name.startswith(want) for want in wanted):
            studio.take(name, make, desk, after)

    def desk(**changes: object) -> FakeDesk:
        made = FakeDesk()
        for name, value in changes.items():
            setattr(made, name, value)
        return made

    def orders(bridge: Bridge) -> QWidget:
        return DeliveriesWindow(bridge, clock=clock)

    def go(order_id: str) -> Callable[[QWidget], object]:
        return lambda window: window.open_with(order_id)  # type: ignore[attr-defined]

    def filtered(name: str) -> Callable[[QWidget], object]:
        return lambda window: window.choose_filter(name)  # type: ignore[attr-defined]

    for name, order_id in (("unmatched", "71000005"), ("review", "71000004"), ("rejected", "71000006"), ("unknown", "71000007")):
        scene(f"order-books-{name}", orders, None, go(order_id))
    scene("orders-full", orders, full_desk(), filtered("waiting"))
    scene("orders-empty", orders, desk(all_orders=()))
    crashed = FakeDesk()
    crashed.now_status = replace(crashed.now_status, crash_reports=1)
    crashed.fail["retry"] = "Xero did not answer within a minute. Nothing was changed; please try again."
    scene("orders-error", orders, crashed, lambda window: window._act(lambda desk: desk.retry("x"), "Trying again…"))  # type: ignore[attr-defined]
    busy = FakeDesk()
    busy.hold("retry")
    scene("orders-busy", orders, busy, lambda window: window._act(lambda desk: desk.retry("x"), "Trying again…"))  # type: ignore[attr-defined]

    def small(bridge: Bridge) -> QWidget:
        window = DeliveriesWindow(bridge, clock=clock)
        window.resize(683, 352)
        return window

    scene("orders-small-screen", small, None, go("71000007"))

    def show_preview(window: QWidget) -> QWidget:
        assert isinstance(window, DeliveriesWindow)
        window.approve_all()
        studio.settle()
        return window.findChildren(QDialog)[0]

    scene("preview-full", orders, full_desk(), show_preview)

    def move(bridge: Bridge) -> QWidget:
        return MovePreview(None, FakeDesk().all_orders[2], MATTERS[5])

    scene("move-typical", move)

    def reconcile(bridge: Bridge) -> QWidget:
        return ReconcileWindow(bridge, clock=clock)

    def compare(name: str) -> Callable[[QWidget], object]:
        return lambda window: window.compare(Path(name))  # type: ignore[attr-defined]

    scene("reconcile-empty", reconcile)
    scene("reconcile-typical", reconcile, None, compare("infotrack-march.csv"))
    many = FakeDesk()
    many.books.found = full_reconciliation()
    scene("reconcile-full", reconcile, many, compare("infotrack-2025.xlsx"))
    scene("reconcile-error", reconcile, None, compare("strange.csv"))
    held = FakeDesk()
    held.hold("reconcile")
    scene("reconcile-busy", reconcile, held, compare("infotrack-march.csv"))

    def columns(bridge: Bridge) -> QWidget:
        return ColumnsDialog(None, ("Order No", "Matter Ref", "Search", "Net", "GST", "Gross"), {})

    scene("reconcile-columns", columns)

    def audit(bridge: Bridge) -> QWidget:
        return AuditWindow(bridge, clock=clock)

    scene("audit-empty", audit, desk(all_orders=()))
    scene("audit-typical", audit, None, lambda window: window.open_with("71000008"))  # type: ignore[attr-defined]
    scene("audit-not-yet", audit, None, lambda window: window.open_with("71000007"))  # type: ignore[attr-defined]
    scene("audit-full", audit, full_desk(), lambda window: window.check())  # type: ignore[attr-defined]
    broken = FakeDesk()
    broken.books.bad_step = 17
    scene("audit-error", audit, broken, lambda window: window.check())  # type: ignore[attr-defined]
    reading = FakeDesk()
    reading.hold("check_trail")
    scene("audit-busy", audit, reading, lambda window: window.check())  # type: ignore[attr-defined]

    def diagnostics(bridge: Bridge) -> QWidget:
        return DiagnosticsWindow(bridge, clock=clock)

    scene("diagnostics-typical", diagnostics)
    scene("diagnostics-full", diagnostics, None, lambda window: window.parts.setCurrentRow(3))  # type: ignore[attr-defined]
    failing = FakeDesk()
    failing.fail["gather_diagnostics"] = "The profile folder can't be read."
    scene("diagnostics-error", diagnostics, failing)
    gathering = FakeDesk()
    gathering.hold("gather_diagnostics")
    scene("diagnostics-busy", diagnostics, gathering)
