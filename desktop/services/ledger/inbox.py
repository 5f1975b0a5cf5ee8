"""Taking messages in: each once, durably, with the cursor that covers them; and leaving other PCs' orders to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Protocol

import apsw

from desktop.services.infotrack.model import Incoming, OrderMessage, RetailerReference, Source
from desktop.services.ledger import rows
from desktop.services.ledger.facts import to_text
from desktop.services.ledger.model import Origin

OURS = (Origin.OURS, Origin.TYPED)


class Cursor(Protocol):
    @property
    def feed(self) -> str: ...

    @property
    def position(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Ownership:
    """Whose order it is, and how long another's is left alone (contracts, section 5)."""

    installation: str
    read_reference: Callable[[str], RetailerReference | None]
    takeover: timedelta
    random: Random

    def origin_of(self, db: apsw.Connection, message: OrderMessage) -> Origin:
        reference = self.read_reference(message.retailer_reference)
        if reference is not None:
            return Origin.OURS if reference.installation == self.installation else Origin.ANOTHER_PC
        if message.parent_id and not message.retailer_reference.strip():
            parent = list(db.execute("SELECT origin FROM customer_order WHERE order_id = ?", (message.parent_id,)))
            if parent:
                return Origin(str(parent[0][0]))
        return Origin.ELSEWHERE

    def moment(self, seen_at: datetime) -> datetime:
        """Some moment within the half of the waiting time that follows it."""
        return seen_at + self.takeover * (1 + self.random.random() / 2)


def record(
    db: apsw.Connection, own: Ownership, now: datetime, messages: Sequence[Incoming], cursor: Cursor | None
) -> list[Incoming]:
    """Gives those that were new."""
    new = [incoming for incoming in messages if _record(db, own, now, incoming)]
    if cursor is not None:
        db.execute(
            "INSERT INTO feed (address, position) VALUES (?, ?) ON CONFLICT (address) DO UPDATE SET position = excluded.position",
            (cursor.feed, cursor.position),
        )
    return new


def _record(db: apsw.Connection, own: Ownership, now: datetime, incoming: Incoming) -> bool:
    message, digest = incoming.message, rows.digest_of(incoming)
    if list(db.execute("SELECT 1 FROM message WHERE order_id = ? AND digest = ?", (message.order_id, digest))):
        return False
    take_at = _take_at(db, own, now, message, digest)
    _note_order(db, own, now, message, typed=incoming.source is Source.TYPED)
    db.execute(
        "INSERT INTO message (order_id, sequence, source, digest, body, raw, matter_number, file_name, file, received_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            message.order_id,
            message.sequence,
            incoming.source.value,
            digest,
            rows.encoded(message),
            incoming.raw,
            incoming.matter_number.strip(),
            incoming.file_name,
            incoming.file,
            to_text(now),
        ),
    )
    latest = rows.messages_of(db, message.order_id)[-1].message
    db.execute(
        "UPDATE customer_order SET latest = ?, parent_id = CASE WHEN ? <> '' THEN ? ELSE parent_id END, needs_plan = 1,"
        " look_again_at = NULL WHERE order_id = ?",
        (rows.encoded(latest), message.parent_id, message.parent_id, message.order_id),
    )
    if incoming.source is Source.TYPED:
        db.execute("UPDATE customer_order SET taken = 1, take_over_at = NULL WHERE order_id = ?", (message.order_id,))
    else:
        _draw_take_over(db, message.order_id, now, take_at)
    rows.write_step(db, now, "message", order_id=message.order_id, reason=latest.status, by=incoming.source.value)
    return True


def _take_at(db: apsw.Connection, own: Ownership, now: datetime, message: OrderMessage, digest: str) -> datetime:
    seen = list(db.execute("SELECT take_at FROM sighting WHERE order_id = ? AND digest = ?", (message.order_id, digest)))
    if seen:
        at = rows.moment(seen[0][0])
        if at is not None:
            return at
    return own.moment(now) if own.takeover else now


def _note_order(db: apsw.Connection, own: Ownership, now: datetime, message: OrderMessage, *, typed: bool) -> None:
    origin = own.origin_of(db, message)
    if typed and origin is Origin.ELSEWHERE:
        origin = Origin.TYPED
    db.execute(
        "INSERT INTO customer_order (order_id, parent_id, first_seen_at, origin, latest, needs_plan) VALUES (?, ?, ?, ?, ?, 0)"
        " ON CONFLICT (order_id) DO NOTHING",
        (message.order_id, message.parent_id, to_text(now), origin.value, rows.encoded(message)),
    )
    # A later message may be the first one that carries our mark.
    if origin in (Origin.OURS, Origin.ANOTHER_PC):
        db.execute(
            "UPDATE customer_order SET origin = ? WHERE order_id = ? AND origin = ?",
            (origin.value, message.order_id, Origin.ELSEWHERE.value),
        )


def _draw_take_over(db: apsw.Connection, order_id: str, now: datetime, take_at: datetime) -> None:
    """Each message of another's order is left to the others for its own time, unless one is still being waited for."""
    found = db.execute("SELECT origin, taken, take_over_at FROM customer_order WHERE order_id = ?", (order_id,))
    origin, taken, before = next(iter(found))
    if Origin(str(origin)) in OURS or taken:
        db.execute("UPDATE customer_order SET take_over_at = NULL WHERE order_id = ?", (order_id,))
        return
    waiting_until = rows.moment(before)
    if waiting_until is None or waiting_until <= now:
        db.execute("UPDATE customer_order SET take_over_at = ? WHERE order_id = ?", (to_text(take_at), order_id))


def may_take(db: apsw.Connection, own: Ownership, now: datetime, message: OrderMessage) -> bool | None:
    """None: not decided before, so `note_sighting` must be called (which needs a write)."""
    if not own.takeover or own.origin_of(db, message) in OURS:
        return True
    known = list(db.execute("SELECT origin, taken FROM customer_order WHERE order_id = ?", (message.order_id,)))
    if known and (Origin(str(known[0][0])) in OURS or known[0][1]):
        return True
    digest = rows.digest_of(Incoming(message, b"", Source.FOLDER))
    seen = list(db.execute("SELECT take_at FROM sighting WHERE order_id = ? AND digest = ?", (message.order_id, digest)))
    if not seen:
        return None
    at = rows.moment(seen[0][0])
    return at is not None and at <= now


def note_sighting(db: apsw.Connection, own: Ownership, now: datetime, message: OrderMessage) -> bool:
    """Another's message was seen for the first time: notes when, draws its moment, and shows the order in the list."""
    at = own.moment(now)
    digest = rows.digest_of(Incoming(message, b"", Source.FOLDER))
    db.execute(
        "INSERT INTO sighting (order_id, digest, seen_at, take_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (message.order_id, digest, to_text(now), to_text(at)),
    )
    _note_order(db, own, now, message, typed=False)
    _draw_take_over(db, message.order_id, now, at)
    return at <= now
