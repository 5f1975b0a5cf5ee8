"""Lists of orders of any length: which fit, in one statement that works without the interpreter, and some of them in full.

A list is its orders' numbers and sums alone; the rows in sight are asked for by number. So a window shows ten thousand orders
as quickly as ten."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal

import apsw

from desktop.services.ledger import rows
from desktop.services.ledger.dispatch import HOLD_RESTORED
from desktop.services.ledger.facts import Posting, from_text, split_key, to_text
from desktop.services.ledger.list_model import AuditLine, OrderQuery, OrderSums, TrailStep
from desktop.services.ledger.model import Delivery, DeliveryState, OrderView, Step
from desktop.services.ledger.planning import HOLD_DECIDED, HOLD_EDITED, HOLD_FEES, HOLD_NEGATIVE, HOLD_REVIEW
from desktop.services.ledger.store import Row, Value

MOST_AT_ONCE = 500

_APPROVABLE = (
    "state = 'held' AND matter_id <> '' AND (kind = 'document' OR cost IS NOT NULL) AND hold IN "
    f"('{HOLD_FEES}', '{HOLD_NEGATIVE}', '{HOLD_REVIEW}', '{HOLD_DECIDED}', '{HOLD_EDITED}', '{HOLD_RESTORED}')"
)

# All that a person may type to find an order by. A sum is told whole or in two parts.
_FACTS = "SELECT o.seq AS seq, o.order_id AS order_id, o.latest AS latest FROM customer_order AS o"
_NET = (
    "CASE WHEN json_type(latest, '$.total') = 'object' THEN json_extract(latest, '$.total.net')"
    " WHEN json_type(latest, '$.retailer') = 'object' OR json_type(latest, '$.supplier') = 'object'"
    " THEN ifnull(json_extract(latest, '$.retailer.net'), 0) + ifnull(json_extract(latest, '$.supplier.net'), 0) END"
)
_GST = _NET.replace(".net", ".gst")
_OPEN = ", ".join(f"'{state}'" for state in DeliveryState if state not in (DeliveryState.CONFIRMED, DeliveryState.CANCELLED))
# An order that was left to another PC, or not looked at yet, has a fee and no cost of its own.
_NOT_IN_BOOKS = (
    f"(o.order_id IN (SELECT order_id FROM delivery WHERE state IN ({_OPEN})) OR (NOT EXISTS"  # noqa: S608 - our own names and marks
    f" (SELECT 1 FROM delivery AS d WHERE d.order_id = o.order_id AND d.kind = 'cost') AND ifnull(CAST({_NET} AS REAL), 0) <> 0))"
)


def listed(db: apsw.Connection, wanted: OrderQuery) -> tuple[str, ...]:
    """The orders' numbers, newest first."""
    where, bindings = _where(db, wanted)
    found = db.execute(
        f"SELECT group_concat(order_id, ' ' ORDER BY seq DESC) FROM ({_FACTS}{where})",  # noqa: S608  # bound
        bindings,
    )
    ids = next(iter(found))[0]
    return tuple(str(ids).split(" ")) if ids else ()


def summed(db: apsw.Connection, wanted: OrderQuery) -> OrderSums:
    """Decimal text is summed as whole cents: SQLite's own sums would be floating ones."""
    where, bindings = _where(db, wanted)
    net, gst, untold = next(
        iter(
            db.execute(
                "SELECT sum(CAST(round(net * 100) AS INTEGER)), sum(CAST(round(gst * 100) AS INTEGER)), sum(net IS NULL)"  # noqa: S608 - our own names and marks
                f" FROM (SELECT {_NET} AS net, {_GST} AS gst FROM ({_FACTS}{where}))",
                bindings,
            )
        )
    )
    waiting = db.execute(
        f"SELECT count(*) FROM delivery WHERE {_APPROVABLE} AND order_id IN (SELECT order_id FROM ({_FACTS}{where}))",  # noqa: S608 - our own names and marks
        bindings,
    )
    return OrderSums(_cents(net), _cents(gst), int(untold or 0), int(next(iter(waiting))[0]))


def _folded(*texts: Value) -> Value:
    return str(texts[0]).casefold()


def approvable(db: apsw.Connection, wanted: OrderQuery) -> tuple[Posting, ...]:
    """Every posting of the list that waits for a person's yes, newest orders first."""
    where, bindings = _where(db, wanted)
    return rows.postings(
        db,
        f"{_APPROVABLE} AND order_id IN (SELECT order_id FROM ({_FACTS}{where}))",  # noqa: S608 - our own names and marks
        bindings,
        order="seq DESC",
    )


def _cents(sum_: object) -> Decimal:
    return (Decimal(int(str(sum_ or 0))) / 100).quantize(Decimal("0.01"))


def _where(db: apsw.Connection, wanted: OrderQuery) -> tuple[str, list[str]]:
    where, bindings = ["1"], list[str]()
    if not wanted.text.isascii():
        # SQLite's own LIKE knows capitals of ASCII alone.
        db.create_scalar_function("folded", _folded, 1, deterministic=True)
    if wanted.order_id:
        where.append("o.order_id = ?")
        bindings.append(wanted.order_id)
    if wanted.matter:
        where.append("(o.matter_number = ? OR o.order_id IN (SELECT order_id FROM delivery WHERE matter_number = ?))")
        bindings += [wanted.matter, wanted.matter]
    if wanted.state is not None:
        where.append("o.order_id IN (SELECT order_id FROM delivery WHERE state = ?)")
        bindings.append(wanted.state.value)
    if wanted.waiting_for_person:
        where.append("o.order_id IN (SELECT order_id FROM delivery WHERE state IN ('held', 'rejected') OR person = 1)")
    if wanted.without_matter:
        where.append("o.matter_id = ''")
    if wanted.mine:
        where.append("o.origin IN ('ours', 'typed in')")
    if wanted.not_in_books:
        where.append(_NOT_IN_BOOKS)
    for bound, sign in ((wanted.since, ">="), (wanted.until, "<")):
        if bound is not None:
            where.append(f"julianday(ifnull(json_extract(o.latest, '$.ordered_at'), o.first_seen_at)) {sign} julianday(?)")
            bindings.append(to_text(bound))
    texts = wanted.text.split()
    if len(texts) == 1 and texts[0].isdecimal() and _is_order(db, texts[0]):
        # Who types an order's whole number means that order, and not those whose references hold the same figures.
        where.append("o.order_id = ?")
        bindings.append(texts.pop())
    for word in texts:
        key = split_key(word.upper())
        if key is not None:
            where.append("o.order_id = ?")
            bindings.append(key[0])
            continue
        haystack = (
            "concat_ws(' ', o.order_id, o.matter_number, json_extract(o.latest, '$.client_reference'),"
            " json_extract(o.latest, '$.reference'), json_extract(o.latest, '$.service'))"
        )
        if word.isascii() and wanted.text.isascii():
            where.append(f"{haystack} LIKE ? ESCAPE '\\'")
            bindings.append("%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%")
        else:
            where.append(f"instr(folded({haystack}), ?)")
            bindings.append(word.casefold())
    return f" WHERE {' AND '.join(where)}", bindings


def _is_order(db: apsw.Connection, number: str) -> bool:
    return any(db.execute("SELECT 1 FROM customer_order WHERE order_id = ?", (number,)))


def by_id(db: apsw.Connection, order_ids: Sequence[str], now: datetime) -> tuple[OrderView, ...]:
    """Those of the orders that are there, in the order asked for; steps are left out."""
    found: dict[str, OrderView] = {}
    for start in range(0, len(order_ids), MOST_AT_ONCE):
        ids = order_ids[start : start + MOST_AT_ONCE]
        marks = ", ".join("?" for _ in ids)
        deliveries: dict[str, list[Delivery]] = {}
        for posting in rows.postings(db, f"order_id IN ({marks})", ids):
            deliveries.setdefault(posting.order_id, []).append(posting.public())
        steps: tuple[Step, ...] = ()
        for row in db.execute(f"SELECT {rows.ORDER_COLUMNS} FROM customer_order WHERE order_id IN ({marks})", tuple(ids)):  # noqa: S608 - our own names and marks
            found[str(row[0])] = rows.view_of(row, deliveries.get(str(row[0]), ()), steps, now)
    return tuple(found[order_id] for order_id in order_ids if order_id in found)


def each(db: apsw.Connection, wanted: OrderQuery, now: datetime, use: Callable[[OrderView], None]) -> None:
    """Every order of the list, newest first, a few hundred in memory at a time."""
    ids = listed(db, wanted)
    for start in range(0, len(ids), MOST_AT_ONCE):
        for view in by_id(db, ids[start : start + MOST_AT_ONCE], now):
            use(view)


def lines_of(db: apsw.Connection, order_id: str) -> tuple[AuditLine, ...]:
    """An order's costs and documents with their moments, oldest first."""
    return tuple(
        AuditLine(
            key=one.key,
            kind=one.kind,
            state=one.state,
            system=one.place.system,
            matter_number=one.place.matter_number,
            net=one.amount,
            gst=one.gst,
            planned_at=one.created_at,
            sent_at=one.sent_at,
            seen_at=one.seen_at,
            by=one.by,
            attempts=one.attempts,
            remote_id=one.remote_id,
        )
        for one in rows.postings(db, "order_id = ?", (order_id,))
    )


_STEP = "SELECT seq, at, order_id, key, what, from_state, to_state, reason, by, hash FROM trail"


def steps_of(db: apsw.Connection, order_id: str) -> tuple[TrailStep, ...]:
    return tuple(_step(row) for row in db.execute(f"{_STEP} WHERE order_id = ? ORDER BY seq", (order_id,)))


def steps_before(db: apsw.Connection, before: int | None, limit: int) -> tuple[TrailStep, ...]:
    """The newest first."""
    if before is None:
        found = db.execute(f"{_STEP} ORDER BY seq DESC LIMIT ?", (limit,))
    else:
        found = db.execute(f"{_STEP} WHERE seq < ? ORDER BY seq DESC LIMIT ?", (before, limit))
    return tuple(_step(row) for row in found)


def _step(row: Row) -> TrailStep:
    number, at, *texts = row
    order_id, key, what, before, after, reason, by, link = map(str, texts)
    return TrailStep(int(number), from_text(str(at)), order_id, key, what, before, after, reason, by, link)


def trail_span(db: apsw.Connection) -> tuple[datetime, datetime] | None:
    """When the first and the last step that are there were written; None for no step."""
    found = list(
        db.execute("SELECT at FROM trail WHERE seq IN ((SELECT min(seq) FROM trail), (SELECT max(seq) FROM trail)) ORDER BY seq")
    )
    return (from_text(str(found[0][0])), from_text(str(found[-1][0]))) if found else None


def trail_head(db: apsw.Connection) -> tuple[int, str]:
    """The number and the hash of the trail's last step, as noted beside it."""
    found = list(db.execute("SELECT value FROM meta WHERE name = 'trail_head'"))
    number, _, link = str(found[0][0]).partition(" ") if found else ("0", "", "")
    return int(number), link
