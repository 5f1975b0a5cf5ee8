"""What the pure rules work on: messages as recorded, postings with all their detail, and what the books showed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from desktop.services.infotrack.model import OrderMessage, Source
from desktop.services.ledger.model import Delivery, DeliveryKind, DeliveryState, Origin
from desktop.services.ledger.transitions import WAITS_FOR_PERSON

COST_PARTS = ("T", "R", "S")
DOCUMENT_PART = "D"


FILED = "filed:"
"""Begins the file mark of a document that another PC has filed; its file word follows (see keys.file_word)."""


def delivery_key(order_id: str, part: str, n: int) -> str:
    """The mark in the firm's books (contracts, section 5)."""
    return f"IT-{order_id}-{part}-{n}"


def split_key(key: str) -> tuple[str, str, int] | None:
    """Order id, part and n of a delivery key; None for anything else."""
    pieces = key.split("-")
    if len(pieces) != 4 or pieces[0] != "IT" or pieces[2] not in ("T", "R", "S", "D"):
        return None
    order_id, number = pieces[1], pieces[3]
    if not (order_id.isascii() and order_id.isdecimal() and number.isascii() and number.isdecimal()) or not 0 < len(number) < 10:
        return None
    return order_id, pieces[2], int(number)


def to_text(moment: datetime) -> str:
    """UTC text of fixed width, so that times compare as text. A naive time is a bug and raises."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_text(text: str) -> datetime:
    return datetime.fromisoformat(text)


@dataclass(frozen=True, slots=True)
class Place:
    """A matter as an address. Empty fields: nowhere yet."""

    system: str = ""
    tenant: str = ""
    matter_id: str = ""
    matter_number: str = ""

    def __bool__(self) -> bool:
        return bool(self.matter_id)

    def is_same(self, other: Place) -> bool:
        """The same matter, whatever number it goes by now."""
        return (self.system, self.tenant, self.matter_id) == (other.system, other.tenant, other.matter_id)


NOWHERE = Place()


@dataclass(frozen=True, slots=True)
class Recorded:
    """A message as it was recorded. `seq` is the order of arrival; `has_file`: a person typed it in with a PDF."""

    seq: int
    message: OrderMessage
    source: Source
    received_at: datetime
    matter_number: str = ""
    file_name: str = ""
    file_mark: str = ""


def in_order(messages: Sequence[Recorded]) -> tuple[Recorded, ...]:
    """Oldest first: by sequence number where there is one, else by arrival.

    A message with a number goes before the first one that has a higher number; one without goes behind everything that
    came before it. The outcome depends on nothing but numbers and arrival."""
    ordered: list[Recorded] = []
    for recorded in sorted(messages, key=lambda one: one.seq):
        number = recorded.message.sequence
        position = len(ordered)
        if number is not None:
            for index, other in enumerate(ordered):
                if other.message.sequence is not None and other.message.sequence > number:
                    position = index
                    break
        ordered.insert(position, recorded)
    return tuple(ordered)


@dataclass(frozen=True, slots=True)
class BookLine:
    """What a read showed under one of our keys on one matter. `rows` over 1 is a double, or of a document two versions. Of a
    document `cost` is None, and `code` holds the words of the files that stand there, as far as they are known."""

    key: str
    place: Place
    order_id: str
    part: str
    n: int
    cost: Decimal | None
    code: str
    remote_id: str
    rows: int


@dataclass(frozen=True, slots=True)
class Posting:
    """A delivery with all that the rules and the courier need.

    `cost` is what the books hold for it (unit cost: with or without GST by `gst_included`). `hold` says in one word why it
    is held. `touched` is true once a send of it may have left this PC or was answered. `sent_at` is the last moment at which
    a send may still have been on its way; `absent_at` the first read after the quiet time that did not show it."""

    seq: int
    key: str
    kind: DeliveryKind
    order_id: str
    part: str
    n: int
    place: Place
    state: DeliveryState
    amount: Decimal | None
    gst: Decimal | None
    cost: Decimal | None
    gst_included: bool
    taxed: bool
    code: str
    description: str
    price: Decimal | None
    on: date | None
    billable: bool
    note: str
    title: str
    folder: str
    file_name: str
    file_mark: str
    file_message: int | None
    download_url: str
    hold: str
    approved: bool
    person: bool
    touched: bool
    attempts: int
    faults: int
    fault_since: datetime | None
    reason: str
    undo: str
    remote_id: str
    sent_at: datetime | None
    absent_at: datetime | None
    seen_at: datetime | None
    next_at: datetime | None
    deferred: bool
    by: str
    created_at: datetime
    updated_at: datetime

    @property
    def stands(self) -> bool:
        """True when it was sent and nobody has said no: it counts as posted."""
        if self.state in (DeliveryState.SENDING, DeliveryState.UNKNOWN, DeliveryState.ACCEPTED, DeliveryState.CONFIRMED):
            return True
        return self.state is DeliveryState.QUEUED and self.touched

    @property
    def was_tried(self) -> bool:
        """True once a send of it was begun, however that ended: its key then belongs to its matter."""
        return self.touched or self.sent_at is not None

    @property
    def is_open(self) -> bool:
        """True when it does not stand but somebody still means to post it."""
        if self.state is DeliveryState.QUEUED:
            return not self.touched
        return self.state in (DeliveryState.HELD, DeliveryState.REJECTED)

    @property
    def cancelled_by_person(self) -> bool:
        return self.state is DeliveryState.CANCELLED and self.by == BY_PERSON

    def decided_against(self, place: Place) -> bool:
        """A person does not want it posted to `place`, where its order is now. What was cancelled on a matter that the order
        had left says nothing of any other one."""
        return self.cancelled_by_person and (self.hold != LEFT_BEHIND or self.place.is_same(place))

    def public(self) -> Delivery:
        return Delivery(
            key=self.key,
            kind=self.kind,
            order_id=self.order_id,
            part=self.part,
            n=self.n,
            system=self.place.system,
            tenant=self.place.tenant,
            matter_id=self.place.matter_id,
            matter_number=self.place.matter_number,
            state=self.state,
            amount=self.amount,
            gst=self.gst,
            code=self.code,
            description=self.description,
            attempts=self.attempts,
            reason=self.reason,
            remote_id=self.remote_id,
            created_at=self.created_at,
            updated_at=self.updated_at,
            next_at=self.next_at,
            undo=self.undo,
            waiting_for_person=self.state in WAITS_FOR_PERSON or self.person,
        )


BY_PERSON = "person"
LEFT_BEHIND = "left behind"
"""Why a delivery was cancelled on a matter that its order had left."""
BY_COURIER = "courier"
BY_PLAN = "plan"


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """All that is known of one order. `messages` oldest first (see in_order)."""

    order_id: str
    messages: tuple[Recorded, ...]
    postings: tuple[Posting, ...]
    books: tuple[BookLine, ...]
    place: Place
    pinned: bool
    reason: str
    origin: Origin
    first_seen_at: datetime
    take_over_at: datetime | None
    parent_id: str = ""
    parent_place: Place = NOWHERE

    @property
    def latest(self) -> OrderMessage:
        return self.messages[-1].message


@dataclass(frozen=True, slots=True)
class NewPosting:
    """A delivery to be made. Its key follows from order, part and n."""

    kind: DeliveryKind
    part: str
    n: int
    place: Place
    hold: str = ""
    reason: str = ""
    undo: str = ""
    amount: Decimal | None = None
    gst: Decimal | None = None
    cost: Decimal | None = None
    gst_included: bool = False
    taxed: bool = False
    code: str = ""
    description: str = ""
    price: Decimal | None = None
    on: date | None = None
    billable: bool = True
    note: str = ""
    title: str = ""
    folder: str = ""
    file_name: str = ""
    file_mark: str = ""
    file_message: int | None = None
    download_url: str = ""


@dataclass(frozen=True, slots=True)
class Reheld:
    """An open delivery whose matter or reason to wait has changed; an empty `hold` queues it."""

    key: str
    place: Place
    hold: str
    reason: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to change so that an order's deliveries are what they should be. Empty when all is as it should be."""

    withdrawn: tuple[Withdrawn, ...] = ()
    added: tuple[NewPosting, ...] = ()
    reheld: tuple[Reheld, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.withdrawn or self.added or self.reheld)
