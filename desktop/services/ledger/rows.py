"""Between the database's rows and the values of the house."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

import apsw
import msgspec

from desktop.services.infotrack.model import Incoming, OrderMessage, Source
from desktop.services.ledger.errors import ChangedMeanwhile
from desktop.services.ledger.facts import (
    BookLine,
    OrderFacts,
    Place,
    Posting,
    Recorded,
    from_text,
    in_order,
    to_text,
)
from desktop.services.ledger.model import Delivery, DeliveryKind, DeliveryState, OrderView, Origin, Step
from desktop.services.ledger.sealing import trail_link
from desktop.services.ledger.store import Row, Value

POSTING_COLUMNS = (
    "seq, key, kind, order_id, part, n, system, tenant, matter_id, matter_number, state, amount, gst, cost, gst_included, taxed,"
    " code, description, price, on_day, billable, note, title, folder, file_name, file_mark, file_message, download_url, hold,"
    " approved, person, touched, attempts, faults, fault_since, reason, undo, remote_id, sent_at, absent_at, seen_at, next_at,"
    " deferred, by, created_at, updated_at"
)

ORDER_COLUMNS = (
    "order_id, first_seen_at, origin, take_over_at, taken, latest, system, tenant,"
    " matter_id, matter_number, pinned, reason, parent_id"
)

_decoder = msgspec.json.Decoder(OrderMessage)
_STATES = {state.value: state for state in DeliveryState}
_KINDS = {kind.value: kind for kind in DeliveryKind}


def encoded(message: OrderMessage) -> str:
    return msgspec.json.encode(message).decode()


def decoded(body: Value) -> OrderMessage:
    return _decoder.decode(str(body))


def digest_of(incoming: Incoming) -> str:
    """Equal for exact repeats: every field of the message counts, how it came does not."""
    file = hashlib.sha256(incoming.file).hexdigest() if incoming.file is not None else ""
    return trail_link(encoded(incoming.message), incoming.matter_number.strip(), file)


def moment(text: Value) -> datetime | None:
    return None if text is None else from_text(str(text))


def text_of(value: datetime | None) -> str | None:
    return None if value is None else to_text(value)


def money_of(text: Value) -> Decimal | None:
    return None if text is None else Decimal(str(text))


def posting_of(row: Row) -> Posting:
    (
        seq, key, kind, order_id, part, n, system, tenant, matter_id, matter_number, state, amount, gst, cost, gst_included, taxed,
        code, description, price, on_day, billable, note, title, folder, file_name, file_mark, file_message, download_url, hold,
        approved, person, touched, attempts, faults, fault_since, reason, undo, remote_id, sent_at, absent_at, seen_at, next_at,
        deferred, by, created_at, updated_at,
    ) = row  # fmt: skip
    return Posting(
        seq=seq,
        key=key,
        kind=_KINDS[kind],
        order_id=order_id,
        part=part,
        n=n,
        place=Place(system, tenant, matter_id, matter_number),
        state=_STATES[state],
        amount=money_of(amount),
        gst=money_of(gst),
        cost=money_of(cost),
        gst_included=bool(gst_included),
        taxed=bool(taxed),
        code=code,
        description=description,
        price=money_of(price),
        on=None if on_day is None else date.fromisoformat(on_day),
        billable=bool(billable),
        note=note,
        title=title,
        folder=folder,
        file_name=file_name,
        file_mark=file_mark,
        file_message=file_message,
        download_url=download_url,
        hold=hold,
        approved=bool(approved),
        person=bool(person),
        touched=bool(touched),
        attempts=attempts,
        faults=faults,
        fault_since=moment(fault_since),
        reason=reason,
        undo=undo,
        remote_id=remote_id,
        sent_at=moment(sent_at),
        absent_at=moment(absent_at),
        seen_at=moment(seen_at),
        next_at=moment(next_at),
        deferred=bool(deferred),
        by=by,
        created_at=from_text(created_at),
        updated_at=from_text(updated_at),
    )


def postings(db: apsw.Connection, where: str, bindings: Sequence[Value] = (), *, order: str = "seq") -> tuple[Posting, ...]:
    sql = f"SELECT {POSTING_COLUMNS} FROM delivery WHERE {where} ORDER BY {order}"  # noqa: S608  # where is ours, values are bound
    return tuple(posting_of(row) for row in db.execute(sql, tuple(bindings)))


def messages_of(db: apsw.Connection, order_id: str) -> tuple[Recorded, ...]:
    """An order's messages, oldest first by what they say (see in_order)."""
    rows = db.execute(
        "SELECT seq, body, source, received_at, matter_number, file_name, file FROM message WHERE order_id = ?", (order_id,)
    )
    return in_order(
        [
            Recorded(
                seq=seq,
                message=decoded(body),
                source=Source(source),
                received_at=from_text(received_at),
                matter_number=matter_number,
                file_name=file_name,
                file_mark="" if file is None else f"file:{hashlib.sha256(file).hexdigest()}",
            )
            for seq, body, source, received_at, matter_number, file_name, file in rows
        ]
    )


def books_of(db: apsw.Connection, order_id: str) -> tuple[BookLine, ...]:
    rows = db.execute(
        "SELECT b.key, b.system, b.tenant, b.matter_id, b.order_id, b.part, b.n, b.cost, b.code, b.remote_id, b.rows"
        " FROM book_line AS b WHERE b.order_id = ? ORDER BY b.part, b.n",
        (order_id,),
    )
    return tuple(
        BookLine(key, Place(system, tenant, matter_id), order, part, n, money_of(cost), code, remote_id, count)
        for key, system, tenant, matter_id, order, part, n, cost, code, remote_id, count in rows
    )


def facts_of(db: apsw.Connection, order_id: str) -> OrderFacts | None:
    found = list(
        db.execute(
            f"SELECT {ORDER_COLUMNS} FROM customer_order WHERE order_id = ?",  # noqa: S608  # no outside text in it
            (order_id,),
        )
    )
    if not found:
        return None
    _, first_seen, origin, take_over, _taken, _latest, system, tenant, matter_id, number, pinned, reason, parent_id = found[0]
    parent = list(
        db.execute("SELECT system, tenant, matter_id, matter_number FROM customer_order WHERE order_id = ?", (parent_id,))
    )
    return OrderFacts(
        order_id=order_id,
        messages=messages_of(db, order_id),
        postings=postings(db, "order_id = ?", (order_id,)),
        books=books_of(db, order_id),
        place=Place(system, tenant, matter_id, number),
        pinned=bool(pinned),
        reason=reason,
        origin=Origin(origin),
        first_seen_at=from_text(first_seen),
        take_over_at=moment(take_over),
        parent_id=parent_id,
        parent_place=Place(*parent[0]) if parent else Place(),
    )


def view_of(row: Row, deliveries: Sequence[Delivery], steps: Sequence[Step], now: datetime) -> OrderView:
    _id, first_seen, origin, take_over, _taken, latest, system, tenant, matter_id, matter_number, _pinned, reason, _parent = row
    message = decoded(latest)
    net, gst = told_sums(message)
    take_over_at = moment(take_over)
    return OrderView(
        order_id=message.order_id,
        service=message.service,
        reference=message.reference,
        description=message.description,
        client_reference=message.client_reference,
        status=message.status,
        ordered_by=message.ordered_by,
        ordered_at=message.ordered_at,
        first_seen_at=from_text(first_seen),
        origin=Origin(origin),
        system=system,
        tenant=tenant,
        matter_id=matter_id,
        matter_number=matter_number,
        total=None if net is None or gst is None else net + gst,
        gst=gst,
        deliveries=tuple(deliveries),
        steps=tuple(steps),
        reason=reason,
        take_over_at=take_over_at if take_over_at is not None and take_over_at > now else None,
    )


def told_sums(message: OrderMessage) -> tuple[Decimal | None, Decimal | None]:
    """The message's sum without GST and its GST; None where it does not tell."""
    if message.total is not None:
        return message.total.net, message.total.gst
    parts = [fee for fee in (message.retailer, message.supplier) if fee is not None]
    if not parts:
        return None, None
    return sum((fee.net for fee in parts), Decimal("0.00")), sum((fee.gst for fee in parts), Decimal("0.00"))


def step_of(row: Row) -> Step:
    at, key, what, before, after, reason, by = row
    return Step(at=from_text(at), what=what, key=key, from_state=before, to_state=after, reason=reason, by=by)


def write_step(
    db: apsw.Connection, at: datetime, what: str, *, order_id: str = "", key: str = "", reason: str = "", by: str = ""
) -> None:
    """A row of the trail that is not a delivery's change of state (those are written by the database itself)."""
    fields = (to_text(at), order_id, key, what, "", "", reason, by)
    db.execute(
        "INSERT INTO trail (at, order_id, key, what, from_state, to_state, reason, by, hash)"
        " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,"
        " trail_link((SELECT hash FROM trail ORDER BY seq DESC LIMIT 1), ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        fields,
    )


def change(
    db: apsw.Connection, posting: Posting, at: datetime, *, state: DeliveryState | None = None, by: str, **columns: Value
) -> None:
    """Changes a delivery from exactly the state that `posting` shows. Raises ChangedMeanwhile if it has moved on."""
    values: dict[str, Value] = dict(columns)
    values["updated_at"] = to_text(at)
    if state is not None:
        values["state"] = state.value
        values["by"] = by
    assignments = ", ".join(f"{name} = ?" for name in values)
    db.execute(
        f"UPDATE delivery SET {assignments} WHERE key = ? AND state = ?",  # noqa: S608  # names are ours, values are bound
        (*values.values(), posting.key, posting.state.value),
    )
    if db.changes() != 1:
        raise ChangedMeanwhile(posting.key)
