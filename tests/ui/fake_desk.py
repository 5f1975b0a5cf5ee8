"""A desk in memory for the windows' tests: the whole protocol, with doors that a test can hold shut or make fail."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from desktop.services.desk import (
    ActionFailed,
    ConnectionState,
    ConnectionView,
    InfoTrackView,
    MatterHit,
    OrderFilter,
    SignInSteps,
    Status,
    Tenant,
    TypedResult,
)
from desktop.services.ledger.model import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    OrderView,
    Origin,
    Step,
    Suggestion,
)
from desktop.services.practice.model import AccessFinding, CostCode, Finding, Matter, Staff
from tests.ui.fake_advice import FakeAdvice
from tests.ui.fake_books import FakeBooks

XPM = "xero-practice-manager"
NOW = datetime(2026, 3, 14, 4, 30, tzinfo=UTC)


def matter(number: str, name: str, client: str, *, state: str = "In Progress", is_open: bool | None = True) -> Matter:
    return Matter(
        system=XPM,
        tenant="tenant-1",
        id=f"uuid-{number}",
        number=number,
        name=name,
        client=client,
        state=state,
        staff=(Staff("s1", "Priya Raman"), Staff("s2", "Tom Becker")),
        is_open=is_open,
    )


MATTERS = (
    matter("J000101", "Purchase of 14 Harbour Street", "Kestrel Holdings Pty Ltd"),
    matter("J000102", "Estate of the late M. Whitlow", "Whitlow, Margaret (Estate)"),
    matter("J000103", "Sale of business: Blue Gum Bakery", "Blue Gum Bakery Pty Ltd", state="Awaiting Client"),
    matter("J000104", "Annual return and company searches 2026", "Öztürk & Søns Pty Ltd"),
    matter("J000105", "Lease review, Shop 3, 200 George Street, with a name that goes on for a good while longer", "Pelican Group"),
    matter("J000099", "Conveyance, 2 Mill Lane (settled)", "D'Arcy, Fiona", state="Completed", is_open=False),
)


def delivery(
    order_id: str,
    part: str,
    state: DeliveryState,
    *,
    n: int = 1,
    amount: str | None = "15.07",
    gst: str | None = "1.51",
    number: str = "J000101",
    reason: str = "",
    ago: timedelta = timedelta(minutes=12),
    waiting: bool | None = None,
    undo: str = "",
    next_at: datetime | None = None,
) -> Delivery:
    document = part == "D"
    return Delivery(
        key=f"IT-{order_id}-{part}-{n}",
        kind=DeliveryKind.DOCUMENT if document else DeliveryKind.COST,
        order_id=order_id,
        part=part,
        n=n,
        system=XPM,
        tenant="tenant-1",
        matter_id=f"uuid-{number}" if number else "",
        matter_number=number,
        state=state,
        amount=None if document or amount is None else Decimal(amount),
        gst=None if document or gst is None else Decimal(gst),
        code="" if document else "DISB-GST",
        description="Title Search 12-SP34567.pdf" if document else "Title Search - 12/SP34567",
        attempts=1,
        reason=reason,
        remote_id="cost-77" if state is DeliveryState.CONFIRMED else "",
        created_at=NOW - timedelta(hours=2),
        updated_at=NOW - ago,
        next_at=next_at,
        undo=undo,
        waiting_for_person=state in (DeliveryState.HELD, DeliveryState.REJECTED) if waiting is None else waiting,
    )


def order(
    order_id: str,
    *deliveries: Delivery,
    service: str = "Title Search",
    reference: str = "12/SP34567",
    number: str = "J000101",
    total: str | None = "16.58",
    gst: str | None = "1.51",
    origin: Origin = Origin.OURS,
    suggestions: tuple[Suggestion, ...] = (),
    reason: str = "",
    take_over_at: datetime | None = None,
    ago: timedelta = timedelta(hours=2),
    client_reference: str = "",
) -> OrderView:
    # One thing after the other, as it was: nothing is planned before its order was placed, nor moved before it was planned.
    ordered = NOW - ago
    deliveries = tuple(
        dataclasses.replace(one, created_at=made, updated_at=max(made, one.updated_at))
        for one in deliveries
        for made in (max(ordered, min(one.created_at, one.updated_at)),)
    )
    received = min([ordered + timedelta(minutes=3), *(one.created_at for one in deliveries)])
    steps = [Step(ordered, "Ordered", by="Priya Raman"), Step(received, "Result received")]
    for item in deliveries:
        steps.append(Step(item.created_at, "Planned", item.key, "", "queued"))
        if item.state is not DeliveryState.QUEUED:
            steps.append(Step(item.updated_at, "", item.key, "queued", str(item.state), item.reason))
    steps.sort(key=lambda step: step.at)
    return OrderView(
        order_id=order_id,
        service=service,
        reference=reference,
        description="",
        client_reference=client_reference or number,
        status="Complete",
        ordered_by="Priya Raman",
        ordered_at=NOW - ago,
        first_seen_at=NOW - ago + timedelta(minutes=3),
        origin=origin,
        system=XPM if number else "",
        tenant="tenant-1" if number else "",
        matter_id=f"uuid-{number}" if number else "",
        matter_number=number,
        total=Decimal(total) if total is not None else None,
        gst=Decimal(gst) if gst is not None else None,
        deliveries=deliveries,
        steps=tuple(steps),
        suggestions=suggestions,
        reason=reason,
        take_over_at=take_over_at,
    )


S = DeliveryState


def typical_orders() -> tuple[OrderView, ...]:
    """One order for each thing that a person should be able to see."""
    hour, day = timedelta(hours=1), timedelta(days=1)
    return (
        order("71000009", delivery("71000009", "T", S.QUEUED), delivery("71000009", "D", S.QUEUED), ago=timedelta(minutes=4)),
        order(
            "71000008",
            delivery("71000008", "T", S.CONFIRMED),
            delivery("71000008", "D", S.CONFIRMED),
            service="ASIC Current Company Extract",
            reference="ACN 004 085 616",
            ago=hour,
        ),
        order(
            "71000007",
            delivery("71000007", "R", S.UNKNOWN, amount="9.50", gst="0.95"),
            delivery("71000007", "S", S.ACCEPTED, amount="22.00", gst="0.00"),
            delivery("71000007", "D", S.SENDING),
            service="Land Tax Clearance Certificate",
            reference="14 Harbour Street",
            total="32.45",
            gst="0.95",
            ago=3 * hour,
        ),
        order(
            "71000006",
            delivery("71000006", "T", S.REJECTED, number="J000099", reason="The job is completed and takes no more costs."),
            delivery("71000006", "D", S.CONFIRMED, number="J000099"),
            number="J000099",
            ago=day,
        ),
        order(
            "71000005",
            delivery("71000005", "T", S.HELD, number="", reason="No matter was found for it."),
            number="",
            client_reference="HARBOUR ST",
            origin=Origin.ELSEWHERE,
            suggestions=(
                Suggestion(
                    XPM, "uuid-J000101", "J000101", "Purchase of 14 Harbour Street", "Kestrel Holdings Pty Ltd", "The address fits"
                ),
                Suggestion(
                    XPM, "uuid-J000105", "J000105", "Lease review, Shop 3", "Pelican Group", "The client's name fits in part"
                ),
            ),
            reason="No matter has the number “HARBOUR ST”. Choose one, and the rest goes by itself.",
            ago=day + hour,
        ),
        order(
            "71000004",
            delivery(
                "71000004", "T", S.HELD, reason="Review: you asked to see every posting first.", n=2, amount="-3.20", gst="-0.32"
            ),
            delivery("71000004", "T", S.CONFIRMED, ago=2 * day),
            ago=2 * day,
        ),
        order(
            "71000003",
            delivery("71000003", "T", S.CANCELLED, reason="Cancelled by Tom Becker."),
            origin=Origin.TYPED,
            service="Plan Image",
            ago=40 * day,
        ),
        order(
            "71000002",
            delivery("71000002", "T", S.QUEUED, next_at=NOW + timedelta(minutes=9), reason="Xero asked to wait: too many calls."),
            origin=Origin.ANOTHER_PC,
            take_over_at=NOW + timedelta(minutes=22),
            ago=3 * hour,
            number="J000102",
        ),
        order("71000001", service="Rates Certificate", reference="", total=None, gst=None, ago=5 * day, number="J000103"),
    )


def connection(state: ConnectionState = ConnectionState.CONNECTED, **changes: object) -> ConnectionView:
    view = ConnectionView(XPM, "Xero Practice Manager", state)
    if state in (ConnectionState.CONNECTED, ConnectionState.ATTENTION):
        view = dataclasses.replace(
            view, tenant="Harbour & Reed Legal", user="priya@harbourreed.example", since=NOW - timedelta(days=3)
        )
    return dataclasses.replace(view, **changes)  # type: ignore[arg-type]


INFOTRACK = InfoTrackView(ConnectionState.CONNECTED, "priya.raman")


def status(
    *connections: ConnectionView,
    infotrack: InfoTrackView = INFOTRACK,
    waiting: int = 0,
    matters: int = len(MATTERS),
    refreshed: bool = True,
    refreshing: bool = False,
    notices: tuple[str, ...] = (),
) -> Status:
    return Status(
        installation="k7f3q2",
        connections=connections,
        infotrack=infotrack,
        deliveries=dict.fromkeys(DeliveryState, 0),
        waiting_for_person=waiting,
        matters=matters,
        refreshed_at=NOW - timedelta(minutes=3) if refreshed else None,
        refreshing=refreshing,
        notices=notices,
    )


TENANTS = (Tenant("tenant-1", "Harbour & Reed Legal"), Tenant("tenant-2", "Demo Company (AU)"))
SIGN_IN_ADDRESS = "https://login.example/authorize?response_type=code&client_id=abc&state=" + "x" * 60


class FakeDesk:
    """Keeps a status, matters and orders; `calls` lists what was done to it, as (method, argument…).

    `fail[method] = sentence` makes a method raise ActionFailed; `hold(method)` keeps it from returning until the given
    event is set. Methods may be called from any thread."""

    def __init__(self, notify: Callable[[], None] = lambda: None) -> None:
        self.notify = notify
        self.advice = FakeAdvice(self)
        self.books = FakeBooks(self)
        self.now_status = status(connection(), waiting=3)
        self.matters: tuple[Matter, ...] = MATTERS
        self.hidden: tuple[Matter, ...] = ()
        self.all_orders: tuple[OrderView, ...] = typical_orders()
        self.calls: list[tuple[object, ...]] = []
        self.threads: set[str] = set()
        self.fail: dict[str, str] = {}
        self.holds: dict[str, threading.Event] = {}
        self.tenants: tuple[Tenant, ...] = TENANTS[:1]
        self.codes = (
            CostCode("1", "DISB-GST", "Disbursement with GST"),
            CostCode("2", "DISB-FREE", "Disbursement without GST"),
            CostCode("3", "SEARCH", "Searches"),
        )
        self.findings: tuple[AccessFinding, ...] = (
            AccessFinding("Read jobs", Finding.OK),
            AccessFinding("Read clients", Finding.OK),
            AccessFinding("Post costs", Finding.OK),
        )
        self._lock = threading.Lock()

    def hold(self, method: str) -> threading.Event:
        self.holds[method] = threading.Event()
        return self.holds[method]

    def called(self, method: str) -> list[tuple[object, ...]]:
        with self._lock:
            return [call[1:] for call in self.calls if call[0] == method]

    def _do(self, method: str, *arguments: object) -> None:
        with self._lock:
            self.calls.append((method, *arguments))
            self.threads.add(threading.current_thread().name)
        held = self.holds.get(method)
        if held is not None and not held.wait(20):
            raise AssertionError(f"{method} was held and never let go")
        if method in self.fail:
            raise ActionFailed(self.fail[method])

    def status(self) -> Status:
        self._do("status")
        return self.now_status

    def find_matters(self, text: str, limit: int = 50) -> tuple[MatterHit, ...]:
        self._do("find_matters", text)
        words = text.casefold().split()
        found = [m for m in self.matters if all(word in f"{m.number} {m.name} {m.client}".casefold() for word in words)]
        return tuple(MatterHit(m, 1.0, mine=i < 2, recent=i == 0) for i, m in enumerate(found[:limit]))

    def ask_for_matter(self, number: str) -> Matter | None:
        self._do("ask_for_matter", number)
        return next((m for m in self.hidden if m.number == number), None)

    def refresh_matters(self) -> int:
        self._do("refresh_matters")
        return len(self.matters)

    def order(self, matter: Matter) -> None:
        self._do("order", matter)

    def orders(self, wanted: OrderFilter) -> tuple[OrderView, ...]:
        self._do("orders", wanted)

        def fits(order: OrderView) -> bool:
            return (
                wanted.matter in ("", order.matter_number)
                and wanted.order_id in ("", order.order_id)
                and (wanted.state is None or any(d.state is wanted.state for d in order.deliveries))
                and (not wanted.waiting_for_person or any(d.waiting_for_person for d in order.deliveries))
            )

        found = [dataclasses.replace(o, steps=(), suggestions=()) for o in self.all_orders if fits(o)]
        return tuple(found[: wanted.limit])

    def order_view(self, order_id: str) -> OrderView | None:
        self._do("order_view", order_id)
        return next((o for o in self.all_orders if o.order_id == order_id), None)

    def add_result(self, result: TypedResult) -> None:
        self._do("add_result", result)
        self.all_orders = (
            order(result.order_id, service=result.service, number=result.matter_number, origin=Origin.TYPED),
            *self.all_orders,
        )

    def import_results(self, files: Sequence[Path]) -> int:
        self._do("import_results", tuple(files))
        return len(files)

    def retry(self, key: str) -> None:
        self._do("retry", key)
        self.set_state(key, DeliveryState.QUEUED)

    def approve(self, key: str) -> None:
        self._do("approve", key)
        self.set_state(key, DeliveryState.QUEUED)

    def cancel(self, key: str) -> None:
        self._do("cancel", key)
        self.set_state(key, DeliveryState.CANCELLED)

    def set_state(self, key: str, state: DeliveryState) -> None:
        def changed(d: Delivery) -> Delivery:
            return dataclasses.replace(d, state=state, reason="", waiting_for_person=False) if d.key == key else d

        self.all_orders = tuple(dataclasses.replace(o, deliveries=tuple(map(changed, o.deliveries))) for o in self.all_orders)

    def move(self, order_id: str, matter: Matter) -> None:
        self._do("move", order_id, matter)
        self.all_orders = tuple(
            dataclasses.replace(o, matter_number=matter.number, suggestions=(), reason="") if o.order_id == order_id else o
            for o in self.all_orders
        )

    def take_over(self, order_id: str) -> None:
        self._do("take_over", order_id)

    def deliver_now(self) -> None:
        self._do("deliver_now")

    def connect(self, system: str, steps: SignInSteps) -> ConnectionView:
        self._do("connect", system)
        steps.open_browser(SIGN_IN_ADDRESS)
        waited = self.holds.get("browser")
        while waited is not None and not waited.wait(0.02):
            if steps.cancelled():
                raise ActionFailed("The sign-in was cancelled.")
        chosen = self.tenants[0] if len(self.tenants) == 1 else steps.choose_tenant(self.tenants)
        if chosen is None:
            raise ActionFailed("No organisation was chosen; nothing was kept.")
        steps.show_tenant(chosen)
        view = connection(tenant=chosen.name)
        self.now_status = dataclasses.replace(self.now_status, connections=(view, *self.now_status.connections[1:]))
        self.calls.append(("connected", chosen))
        return view

    def disconnect(self, system: str) -> str:
        self._do("disconnect", system)
        kept = tuple(
            ConnectionView(v.system, v.title, ConnectionState.DISCONNECTED) if v.system == system else v
            for v in self.now_status.connections
        )
        self.now_status = dataclasses.replace(self.now_status, connections=kept)
        return "Signed out of Xero; the access was revoked there."

    def check_access(self, system: str) -> tuple[AccessFinding, ...]:
        self._do("check_access", system)
        return self.findings

    def sign_in_to_infotrack(self, user: str, password: str) -> InfoTrackView:
        self._do("sign_in_to_infotrack", user, len(password))
        view = InfoTrackView(ConnectionState.CONNECTED, user)
        self.now_status = dataclasses.replace(self.now_status, infotrack=view)
        return view

    def sign_out_of_infotrack(self) -> None:
        self._do("sign_out_of_infotrack")
        self.now_status = dataclasses.replace(self.now_status, infotrack=InfoTrackView(ConnectionState.DISCONNECTED))

    def cost_codes(self, system: str) -> tuple[CostCode, ...]:
        self._do("cost_codes", system)
        return self.codes
