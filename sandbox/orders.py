"""InfoTrack's desk: orders, their prices and files, and every message about them, numbered in the order in which it was sent."""

from __future__ import annotations

import hashlib
import itertools
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from sandbox.clock import Agenda, Clock
from sandbox.order_messages import Field, moment
from sandbox.papers import pdf, word
from sandbox.services import NO_FEES, SERVICES, Fees, Service
from sandbox.switches import Switches

FIRST_ORDER = 71000123
CLIENT_ACCOUNT = "1234567"


@dataclass(frozen=True, slots=True)
class Login:
    """An InfoTrack login."""

    user: str
    password: str
    name: str
    email: str


@dataclass(slots=True)
class Order:
    """An order. `versions` counts its files; the mark of each is in `marks`. `removed` holds fields that its messages lack."""

    id: int
    parent_id: int
    client_reference: str
    retailer_reference: str
    reference: str
    service: Service
    ordered_by: Login
    fees: Fees
    ordered: float
    completed: float | None = None
    status: str = "In Progress"
    status_message: str = ""
    marks: list[str] = field(default_factory=list)
    removed: tuple[str, ...] = ()
    download: str = ""  # how its file is served, instead of the switch
    form: str = ""  # the page's one-use number, so that a double click orders once

    @property
    def description(self) -> str:
        """The human line."""
        start = f"{self.service.state}: " if self.service.state else ""
        return f"{start}{self.service.name} - {self.reference}"


@dataclass(frozen=True, slots=True)
class Message:
    """A message as sent. A repeat has the sequence of the first."""

    sequence: int
    order_id: int
    fields: dict[str, Field]
    at: float


class OrderDesk:
    """Takes orders and sends messages. `deliver` is told of each message and puts it where the firm looks. Thread-safe."""

    def __init__(self, clock: Clock, agenda: Agenda, switches: Switches, deliver: Callable[[Message], None]) -> None:
        self._clock = clock
        self._agenda = agenda
        self._switches = switches
        self._deliver = deliver
        self.api_url = ""  # set when the servers' ports are known
        self.site_url = ""
        self.lock = threading.RLock()
        self.clear()

    def clear(self) -> None:
        """No orders, no messages."""
        with self.lock:
            self.orders: dict[int, Order] = {}
            self.messages: list[Message] = []
            self._ids = itertools.count(FIRST_ORDER)
            self._sequence = itertools.count(5001)

    def place(
        self,
        service: Service,
        *,
        login: Login,
        client_reference: str,
        retailer_reference: str,
        reference: str,
        parent_id: int = 0,
        delay: float | None = None,
        fees: Fees | None = None,
        form: str = "",
        removed: tuple[str, ...] = (),
    ) -> Order:
        """A new order; its result comes after the delay. The same `form` again gives the order that it gave before."""
        with self.lock:
            for known in self.orders.values():
                if form and known.form == form:
                    return known
            order = Order(
                next(self._ids),
                parent_id,
                client_reference,
                retailer_reference,
                reference,
                service,
                login,
                service.fees if fees is None else fees,
                self._clock.now(),
                form=form,
                removed=removed,
            )
            self.orders[order.id] = order
        wait = self._switches.delay_seconds * service.factor if delay is None else delay
        if self._switches.announce:
            self.send(order, self._fields(order, NO_FEES, file=False))
        self._agenda.after(wait, lambda: self._complete(order))
        for code in service.children:
            self.place(
                SERVICES[code],
                login=login,
                client_reference=client_reference,
                retailer_reference=retailer_reference,
                reference=SERVICES[code].example,
                parent_id=order.id,
                delay=delay,
                removed=removed,
            )
        return order

    def _complete(self, order: Order) -> None:
        flow = self._switches.order_flow
        with self.lock:
            if order.completed is None:
                order.completed = self._clock.now()
                order.status, order.status_message = (
                    ("List", "") if order.service.children else ("Complete", "Finished.\nNothing more to do.")
                )
                if not order.service.children:
                    self._new_mark(order)
        if order.service.children or flow == "together":
            self.send(order)
        elif flow == "fees_first":
            self.send(order, self._fields(order, order.fees, file=False))
            self._agenda.after(self._switches.delay_seconds / 2, lambda: self.send(order))
        else:
            self.send(order, self._fields(order, NO_FEES, file=True))
            self._agenda.after(self._switches.delay_seconds / 2, lambda: self.send(order))

    def change_price(self, order: Order, values: dict[str, Decimal], *, send: bool = True) -> None:
        """Other fees for an order that was billed already."""
        with self.lock:
            order.fees = order.fees.with_changes(values)
        if send:
            self.send(order)

    def refund(self, order: Order, *, as_new_order: bool) -> Order:
        """Takes all money back: the same order with no fees, or a new order with negative ones. Nobody knows which it would be."""
        if not as_new_order:
            self.change_price(order, {name: Decimal("0.00") for name in ("retailer", "retailer_gst", "supplier", "supplier_gst")})
            return order
        credit = Order(
            next(self._ids),
            0,
            order.client_reference,
            order.retailer_reference,
            order.reference,
            order.service,
            order.ordered_by,
            order.fees.negated(),
            self._clock.now(),
            completed=self._clock.now(),
            status="Complete",
            status_message=f"Credit for order {order.id}",
        )
        with self.lock:
            self.orders[credit.id] = credit
        self.send(credit)
        return credit

    def new_version(self, order: Order) -> None:
        """A changed file under a new hash."""
        with self.lock:
            self._new_mark(order)
        self.send(order)

    def send(self, order: Order, fields: dict[str, Field] | None = None) -> Message:
        """Sends a message about an order as it stands, or with other fields."""
        with self.lock:
            told = self._fields(order, order.fees, file=True) if fields is None else fields
            message = Message(
                next(self._sequence), order.id, {k: v for k, v in told.items() if k not in order.removed}, self._clock.now()
            )
            self.messages.append(message)
            self._deliver(message)
        return message

    def repeat(self, message: Message) -> None:
        """The same message once more."""
        with self.lock:
            self.messages.append(message)
            self._deliver(message)

    def fields_of(self, order: Order) -> dict[str, Field]:
        """What a message about the order says now."""
        with self.lock:
            return self._fields(order, order.fees, file=True)

    def file_of(self, order: Order, *, as_word: bool = False) -> bytes:
        """The bytes of the order's newest file."""
        lines = [
            order.description,
            f"Order {order.id}, version {len(order.marks)}",
            f"Matter {order.client_reference}",
            "This is a sandbox document. Nothing in it is real.",
        ]
        return word(lines) if as_word else pdf(lines, order.service.size)

    def _new_mark(self, order: Order) -> None:
        """From the time, not from the content: as the vendor's is."""
        text = f"{order.id}/{len(order.marks)}/{self._clock.now()}/{uuid.uuid4()}"
        order.marks.append(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest())

    def _fields(self, order: Order, fees: Fees, *, file: bool) -> dict[str, Field]:
        dates = self._switches.dates
        done = order.completed is not None
        has_file = file and bool(order.marks)
        return {
            "OrderId": order.id,
            "ParentOrderId": order.parent_id,
            "ClientReference": order.client_reference,
            "RetailerReference": order.retailer_reference,
            "Reference": order.reference,
            "ServiceName": order.service.name,
            "Description": order.description,
            "BillingTypeName": order.service.billing_type,
            "OrderedBy": order.ordered_by.name,
            "Email": order.ordered_by.email,
            "DateOrdered": moment(order.ordered, dates),
            "DateCompleted": moment(order.completed, dates),
            "Status": order.status,
            "StatusMessage": order.status_message,
            "RetailerFee": fees.retailer,
            "RetailerFeeGST": fees.retailer_gst,
            "RetailerFeeTotal": fees.retailer + fees.retailer_gst,
            "SupplierFee": fees.supplier,
            "SupplierFeeGST": fees.supplier_gst,
            "SupplierFeeTotal": fees.supplier + fees.supplier_gst,
            "TotalFee": fees.retailer + fees.supplier,
            "TotalFeeGST": fees.gst,
            "TotalFeeTotal": fees.total,
            "IsBillable": done and fees != NO_FEES,
            "AvailableOnline": done,
            "OnlineUrl": f"{self.site_url}/orders/{order.id}" if done else None,
            "DownloadUrl": f"{self.api_url}/v1/order/download/{order.id}" if has_file else None,
            "FileHash": order.marks[-1] if has_file else "",
        }
