"""What is owed and what was done, as frozen values. Times are aware UTC; money is Decimal with two places."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class DeliveryState(StrEnum):
    """Where a delivery is. The words are the contract's (contracts, section 2)."""

    HELD = "held"
    QUEUED = "queued"
    SENDING = "sending"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class DeliveryKind(StrEnum):
    COST = "cost"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One cost line or one document on its way to one matter.

    `part` is R, S, T or D. `amount` is what the line adds without GST, `gst` its GST (None for a document). `reason` says
    why it stands where it stands, in words for a person, empty when all is well. `next_at` is when time alone will move it
    on. `undo` spells out what to undo by hand at the old matter after a move. `waiting_for_person` is true for held and
    rejected, and for an unknown that only a person can settle."""

    key: str
    kind: DeliveryKind
    order_id: str
    part: str
    n: int
    system: str
    tenant: str
    matter_id: str
    matter_number: str
    state: DeliveryState
    amount: Decimal | None
    gst: Decimal | None
    code: str
    description: str
    attempts: int
    reason: str
    remote_id: str
    created_at: datetime
    updated_at: datetime
    next_at: datetime | None = None
    undo: str = ""
    waiting_for_person: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to an order or to one of its deliveries (then `key` is set)."""

    at: datetime
    what: str
    key: str = ""
    from_state: str = ""
    to_state: str = ""
    reason: str = ""
    by: str = ""


class Origin(StrEnum):
    """Who started an order."""

    OURS = "ours"
    ANOTHER_PC = "another PC"
    ELSEWHERE = "started elsewhere"
    TYPED = "typed in"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A matter that an unmatched order may belong to, and why."""

    system: str
    matter_id: str
    matter_number: str
    matter_name: str
    client: str
    reason: str


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order's whole path. `total` and `gst` are the latest message's; empty matter fields mean: not matched."""

    order_id: str
    service: str
    reference: str
    description: str
    client_reference: str
    status: str
    ordered_by: str
    ordered_at: datetime | None
    first_seen_at: datetime
    origin: Origin
    system: str
    tenant: str
    matter_id: str
    matter_number: str
    total: Decimal | None
    gst: Decimal | None
    deliveries: tuple[Delivery, ...] = ()
    steps: tuple[Step, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    reason: str = ""
    take_over_at: datetime | None = None
