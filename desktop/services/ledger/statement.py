"""Every cost and document with its order's facts in one row: for reconciling and for the auditor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import apsw

from desktop.services.infotrack.model import OrderMessage
from desktop.services.ledger import rows
from desktop.services.ledger.facts import from_text
from desktop.services.ledger.model import DeliveryKind, DeliveryState


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One delivery. Times are aware UTC; `on` is the firm's day that the line carries. `seen_at` is when it was read back.
    `left_behind`: the order was moved since, and this line stands at the matter it was moved from. `by` is who put it
    where it is now: a person or the courier."""

    key: str
    kind: DeliveryKind
    order_id: str
    state: DeliveryState
    service: str
    reference: str
    ordered_by: str
    ordered_at: datetime | None
    origin: str
    system: str
    tenant: str
    matter_number: str
    net: Decimal | None
    gst: Decimal | None
    cost: Decimal | None
    price: Decimal | None
    code: str
    description: str
    on: date | None
    attempts: int
    reason: str
    remote_id: str
    created_at: datetime
    sent_at: datetime | None
    seen_at: datetime | None
    by: str
    left_behind: bool


@dataclass(frozen=True, slots=True)
class TrailRow:
    """One step of the trail, with the hash that ties it to the one before."""

    number: int
    at: str
    order_id: str
    key: str
    what: str
    from_state: str
    to_state: str
    reason: str
    by: str
    hash: str


def statement(db: apsw.Connection) -> Iterator[StatementRow]:
    """Oldest first."""
    found = db.execute(
        "SELECT d.key, d.kind, d.order_id, d.state, o.latest, o.origin, d.system, d.tenant, d.matter_number, d.amount, d.gst,"
        " d.cost, d.price, d.code, d.description, d.on_day, d.attempts, d.reason, d.undo, d.remote_id, d.created_at, d.sent_at,"
        " d.seen_at, d.by, d.matter_id <> o.matter_id AND o.matter_id <> '' FROM delivery AS d"
        " JOIN customer_order AS o ON o.order_id = d.order_id ORDER BY d.seq"
    )
    known: tuple[object, OrderMessage] | None = None
    for (
        key, kind, order_id, state, latest, origin, system, tenant, number, net, gst, cost, price, code, description,
        on_day, attempts, reason, undo, remote_id, created, sent, seen, by, left_behind,
    ) in found:  # fmt: skip
        # An order's lines stand together, and its message is the dear part.
        if known is None or known[0] != latest:
            known = (latest, rows.decoded(latest))
        message = known[1]
        yield StatementRow(
            key=str(key),
            kind=DeliveryKind(kind),
            order_id=str(order_id),
            state=DeliveryState(state),
            service=message.service,
            reference=message.reference,
            ordered_by=message.ordered_by,
            ordered_at=message.ordered_at,
            origin=str(origin),
            system=str(system),
            tenant=str(tenant),
            matter_number=str(number),
            net=rows.money_of(net),
            gst=rows.money_of(gst),
            cost=rows.money_of(cost),
            price=rows.money_of(price),
            code=str(code),
            description=str(description),
            on=None if on_day is None else date.fromisoformat(str(on_day)),
            attempts=int(attempts),
            reason=" ".join(filter(None, (str(reason), str(undo)))),
            remote_id=str(remote_id),
            created_at=from_text(created),
            sent_at=rows.moment(sent),
            seen_at=rows.moment(seen),
            by=str(by),
            left_behind=bool(left_behind),
        )


def trail(db: apsw.Connection) -> Iterator[TrailRow]:
    """From the first step on."""
    for row in db.execute("SELECT seq, at, order_id, key, what, from_state, to_state, reason, by, hash FROM trail ORDER BY seq"):
        yield TrailRow(int(row[0]), *map(str, row[1:]))
