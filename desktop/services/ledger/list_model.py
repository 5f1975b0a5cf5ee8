"""What is asked of long lists and what they answer, as frozen values. Times are aware UTC; money is Decimal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from desktop.services.ledger.model import DeliveryKind, DeliveryState


@dataclass(frozen=True, slots=True)
class OrderQuery:
    """Which orders to list; what is empty asks for nothing. `text` is words that must all be found in an order's number,
    matter, references or service, or a delivery key; an order's whole number alone finds that order only. `matter` is a
    number. `mine`: started on this PC. `since` is a moment from which on it was ordered, `until` one before which; both aware.
    `not_in_books`: a cost or a document of it is neither seen in the books nor given up, or its fee has no cost yet."""

    text: str = ""
    matter: str = ""
    order_id: str = ""
    state: DeliveryState | None = None
    waiting_for_person: bool = False
    without_matter: bool = False
    mine: bool = False
    since: datetime | None = None
    until: datetime | None = None
    not_in_books: bool = False


@dataclass(frozen=True, slots=True)
class OrderSums:
    """The sums of what InfoTrack told of a list's fees. `untold` counts the orders whose fees are not told yet; `approvable`
    the postings among them that wait for approval."""

    net: Decimal = Decimal("0.00")
    gst: Decimal = Decimal("0.00")
    untold: int = 0
    approvable: int = 0


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One cost or document of an order: when it was planned, sent and read back, and who last moved it."""

    key: str
    kind: DeliveryKind
    state: DeliveryState
    system: str
    matter_number: str
    net: Decimal | None
    gst: Decimal | None
    planned_at: datetime
    sent_at: datetime | None
    seen_at: datetime | None
    by: str
    attempts: int
    remote_id: str


@dataclass(frozen=True, slots=True)
class TrailStep:
    """One row of the trail. `hash` ties it to the one before."""

    number: int
    at: datetime
    order_id: str
    key: str
    what: str
    from_state: str
    to_state: str
    reason: str
    by: str
    hash: str
