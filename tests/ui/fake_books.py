"""Books in memory for the windows' tests: the desk's own orders, an invoice's comparison, a trail and a bundle."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.services.books import AuditAnswer, AuditFiles, AuditLine, OrderQuery, OrderSums, Preview, TrailCheck, TrailStep
from desktop.services.desk import ActionFailed
from desktop.services.ledger.model import Delivery, DeliveryKind, DeliveryState, OrderView, Origin
from desktop.services.preview import rule
from desktop.services.reconcile.comparison import Compared, Reconciliation, Sums, Verdict
from desktop.services.reconcile.invoice import Unread
from desktop.services.support_bundle import Bundle, Part

if TYPE_CHECKING:
    from tests.ui.fake_desk import FakeDesk


def compared(order_id: str, verdict: Verdict, invoiced: str, posted: str, reason: str = "", **more: str) -> Compared:
    def sums(total: str) -> Sums:
        whole = Decimal(total)
        gst = (whole / 11).quantize(Decimal("0.01"))
        return Sums(whole - gst, gst, whole)

    known = verdict not in (Verdict.MISSING, Verdict.ANOTHER_FIRMS)
    return Compared(
        order_id,
        verdict,
        sums(invoiced),
        sums(posted),
        0 if verdict is Verdict.EXTRA else 1,
        service=more.get("service", "Title Search"),
        matter=more.get("matter", "J000101"),
        system="xero-practice-manager",
        reason=reason,
        known=known,
    )


NOT_KNOWN = (
    "iConnect has no order with this number. Was it ordered on the web site or on another PC? Its result may "
    "stand under another number among the orders without a matter. If not, import or add it, or post the cost by hand."
)


def typical_reconciliation() -> Reconciliation:
    """One order for each verdict, and a line that could not be read."""
    orders = (
        compared("71000008", Verdict.MATCHED, "16.58", "16.58"),
        compared("71000011", Verdict.MATCHED, "24.20", "24.20", service="ASIC Current Company Extract"),
        compared("71000020", Verdict.MISSING, "16.58", "0.00", NOT_KNOWN, matter=""),
        compared("71000006", Verdict.DIFFERENT, "18.70", "16.58", "The invoice has $2.12 more than the books."),
        compared("71000009", Verdict.UNDER_WAY, "16.58", "0.00", "It was sent or is about to be; look again when it is confirmed."),
        compared("71000004", Verdict.CREDITED, "-3.52", "-3.52"),
        compared("71000031", Verdict.ANOTHER_FIRMS, "9.90", "0.00", "It belongs to a firm that is not signed in here now."),
        compared("71000032", Verdict.EXTRA, "0.00", "11.00", "Posted in these days, and not on the invoice."),
    )
    counts = {verdict: sum(order.verdict is verdict for order in orders) for verdict in Verdict}
    return Reconciliation(orders, (Unread(14, "“n/a” is not an order's number."),), 8, counts)


BUNDLE = Bundle(
    (
        Part("about.json", '{\n "system": "Linux",\n "python": "3.11"\n}\n'),
        Part("ledger.json", '{\n "states": {"confirmed": 12, "held": 2}\n}\n'),
        Part("crashes/tray-1.txt", "Fatal Python error: Segmentation fault\n  File tray_app.py, line 80\n"),
        Part("logs/tray.log", "\n".join(f"2026-03-14 04:{n % 60:02} INFO read matter ‹…{n:03}›" for n in range(400)) + "\n"),
    )
)


MINUTE = timedelta(minutes=1)

# What the ledger calls the steps that the fake desk's orders tell in words.
_KINDS = {"": "moved", "Planned": "planned", "Ordered": "message", "Result received": "message"}


class FakeBooks:
    """Over the fake desk's orders. `trail` may be replaced; `bad_step` makes the check fail."""

    def __init__(self, desk: FakeDesk) -> None:
        self._desk = desk
        self.columns: dict[str, str] = {}
        self.headings: tuple[str, ...] = ("Order No", "Matter Ref", "Search", "Net", "Tax", "Gross")
        self.found = typical_reconciliation()
        self.bad_step: int | None = None
        self.addresses: dict[str, str] = {}
        self.bundle = BUNDLE

    # orders

    def list_orders(self, wanted: OrderQuery) -> tuple[str, ...]:
        self._desk._do("list_orders", wanted)
        return tuple(order.order_id for order in self._desk.all_orders if _fits(order, wanted))

    def sum_orders(self, wanted: OrderQuery) -> OrderSums:
        self._desk._do("sum_orders", wanted)
        orders = [order for order in self._desk.all_orders if _fits(order, wanted)]
        told = [(order.total, order.gst) for order in orders if order.total is not None and order.gst is not None]
        gst = sum((one for _, one in told), Decimal("0.00"))
        total = sum((one for one, _ in told), Decimal("0.00"))
        return OrderSums(total - gst, gst, len(orders) - len(told), len(self._waiting(wanted)))

    def orders_by_id(self, order_ids: Sequence[str]) -> tuple[OrderView, ...]:
        self._desk._do("orders_by_id", tuple(order_ids))
        known = {order.order_id: order for order in self._desk.all_orders}
        return tuple(dataclasses.replace(known[one], steps=(), suggestions=()) for one in order_ids if one in known)

    def export_orders(self, wanted: OrderQuery, file: Path) -> int:
        self._desk._do("export_orders", wanted, file)
        return len([order for order in self._desk.all_orders if _fits(order, wanted)])

    def _waiting(self, wanted: OrderQuery) -> list[tuple[OrderView, Delivery]]:
        return [
            (order, one)
            for order in self._desk.all_orders
            if _fits(order, wanted)
            for one in order.deliveries
            if one.state is DeliveryState.HELD and one.matter_number and one.amount is not None
        ]

    def previews(self, wanted: OrderQuery) -> tuple[Preview, ...]:
        self._desk._do("previews", wanted)
        matters = {matter.number: matter for matter in self._desk.matters}
        found = []
        for order, one in self._waiting(wanted):
            matter = matters.get(one.matter_number)
            found.append(
                Preview(
                    key=one.key,
                    kind=one.kind,
                    order_id=one.order_id,
                    service=order.service,
                    reference=order.reference,
                    system=one.system,
                    matter_number=one.matter_number,
                    matter_name=matter.name if matter else "",
                    client=matter.client if matter else "",
                    code=one.code,
                    description=one.description,
                    net=one.amount,
                    gst=one.gst,
                    cost=one.amount,
                    price=None if one.amount is None else (one.amount * Decimal("1.1")).quantize(Decimal("0.01")),
                    markup_percent=Decimal("10.0"),
                    billable=True,
                    on=order.first_seen_at.date(),
                    rule=rule(one.part, one.n, taxed=bool(one.gst), gst=one.gst, net=one.amount),
                    reason=one.reason,
                )
            )
        return tuple(found)

    def document(self, key: str) -> Path:
        self._desk._do("document", key)
        return Path("/tmp") / f"{key}.pdf"

    def job_address(self, system: str, matter_id: str) -> str:
        return self.addresses.get(system, "").format(id=matter_id)

    # the supplier's invoice

    def invoice_columns(self) -> Mapping[str, str]:
        self._desk._do("invoice_columns")
        return dict(self.columns)

    def keep_invoice_columns(self, columns: Mapping[str, str]) -> None:
        self._desk._do("keep_invoice_columns", dict(columns))
        self.columns = dict(columns)

    def invoice_headings(self, file: Path) -> tuple[str, ...]:
        self._desk._do("invoice_headings", file)
        return self.headings

    def reconcile(self, file: Path, columns: Mapping[str, str] | None = None) -> Reconciliation:
        self._desk._do("reconcile", file)
        if file.name.startswith("strange") and not self.columns:
            raise ActionFailed(f"{file.name} has no heading with OrderId and a fee.")
        return self.found

    def export_reconciliation(self, found: Reconciliation, file: Path) -> int:
        self._desk._do("export_reconciliation", file)
        return len(found.orders)

    # the trail

    def _trail(self) -> list[TrailStep]:
        steps = [(order, step) for order in reversed(self._desk.all_orders) for step in order.steps]
        # As the ledger writes them: whatever order they belong to, a later entry is never earlier than the one before.
        steps.sort(key=lambda one: one[1].at)
        return [
            TrailStep(
                number,
                step.at,
                order.order_id,
                step.key,
                _KINDS.get(step.what, step.what),
                step.from_state,
                step.to_state,
                step.reason or ("" if step.key else order.status),
                "courier" if step.key else "feed",
                f"{number:064x}",
            )
            for number, (order, step) in enumerate(steps, start=1)
        ]

    def audit(self, order_id: str) -> AuditAnswer:
        self._desk._do("audit", order_id)
        order = next((one for one in self._desk.all_orders if one.order_id == order_id), None)
        if order is None:
            return AuditAnswer(order_id)
        lines = tuple(
            AuditLine(
                key=one.key,
                kind=one.kind,
                state=one.state,
                system=one.system,
                matter_number=one.matter_number,
                net=one.amount,
                gst=one.gst,
                planned_at=one.created_at,
                sent_at=max(one.created_at, one.updated_at - MINUTE) if one.state is DeliveryState.CONFIRMED else None,
                seen_at=one.updated_at if one.state is DeliveryState.CONFIRMED else None,
                by="courier",
                attempts=one.attempts,
                remote_id=one.remote_id,
            )
            for one in order.deliveries
        )
        return AuditAnswer(order_id, order, lines, tuple(step for step in self._trail() if step.order_id == order_id))

    def trail_page(self, before: int | None, limit: int) -> tuple[TrailStep, ...]:
        self._desk._do("trail_page", before, limit)
        steps = [step for step in reversed(self._trail()) if before is None or step.number < before]
        return tuple(steps[:limit])

    def check_trail(self) -> TrailCheck:
        self._desk._do("check_trail")
        steps = self._trail()
        if not steps:
            return TrailCheck(0, self.bad_step, "")
        return TrailCheck(len(steps), self.bad_step, steps[-1].hash, first_at=steps[0].at, last_at=steps[-1].at)

    def export_trail(self, file: Path) -> AuditFiles:
        self._desk._do("export_trail", file)
        return AuditFiles(12, 40, file, file.with_name(f"{file.stem}-steps.csv"), self.bad_step, "a" * 64)

    # support

    def gather_diagnostics(self) -> Bundle:
        self._desk._do("gather_diagnostics")
        return self.bundle

    def save_diagnostics(self, bundle: Bundle, file: Path) -> None:
        self._desk._do("save_diagnostics", bundle, file)


def _fits(order: OrderView, wanted: OrderQuery) -> bool:
    hay = " ".join((order.order_id, order.matter_number, order.client_reference, order.reference, order.service)).casefold()
    return (
        all(word in hay for word in wanted.text.casefold().split())
        and wanted.matter in ("", order.matter_number)
        and wanted.order_id in ("", order.order_id)
        and (wanted.state is None or any(one.state is wanted.state for one in order.deliveries))
        and (not wanted.waiting_for_person or any(one.waiting_for_person for one in order.deliveries))
        and (not wanted.without_matter or not order.matter_id)
        and (not wanted.mine or order.origin in (Origin.OURS, Origin.TYPED))
        and (wanted.since is None or (order.ordered_at or order.first_seen_at) >= wanted.since)
        and (wanted.until is None or (order.ordered_at or order.first_seen_at) < wanted.until)
        and (not wanted.not_in_books or _not_in_books(order))
    )


def _not_in_books(order: OrderView) -> bool:
    done = (DeliveryState.CONFIRMED, DeliveryState.CANCELLED)
    costs = [one for one in order.deliveries if one.kind is DeliveryKind.COST]
    return any(one.state not in done for one in order.deliveries) or (not costs and bool(order.total))
