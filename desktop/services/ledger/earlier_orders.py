"""What was ordered lately, and at what price: read in one statement over the newest orders alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import apsw

from desktop.services.advice import BeforeOrder, EarlierOrder, LastPrice
from desktop.services.ledger.facts import from_text
from desktop.services.ledger.rows import decoded, told_sums
from desktop.services.practice.model import Matter

LATELY = timedelta(days=14)
"""A search is out of date sooner or later; what was ordered within this time is seldom meant to be ordered again."""

NEWEST = 1_000
MOST_PRICES = 6
MOST_LATELY = 8


@dataclass(frozen=True, slots=True)
class _Order:
    order_id: str
    service: str
    reference: str
    at: datetime
    by: str
    total: Decimal | None
    here: bool
    number: str

    @property
    def search(self) -> tuple[str, str]:
        return _plain(self.service), _plain(self.reference)


def before_order(db: apsw.Connection, matter: Matter, now: datetime) -> BeforeOrder:
    """Orders that were cancelled at InfoTrack count for neither."""
    orders = sorted(_newest(db, matter), key=lambda order: order.at, reverse=True)
    return BeforeOrder(_lately(orders, now), _prices(orders))


def _newest(db: apsw.Connection, matter: Matter) -> Iterator[_Order]:
    seen: set[str] = set()
    columns = "order_id, first_seen_at, latest, system, tenant, matter_id, matter_number"
    # The matter's own are few and may be older than the firm's newest.
    own = db.execute(
        f"SELECT {columns} FROM customer_order WHERE matter_number = ? ORDER BY seq DESC LIMIT {NEWEST}",  # noqa: S608  # ours
        (matter.number,),
    )
    firms = db.execute(f"SELECT {columns} FROM customer_order ORDER BY seq DESC LIMIT {NEWEST}")  # noqa: S608  # ours
    for rows in (own, firms):
        for order_id, first_seen, latest, system, tenant, matter_id, number in rows:
            if str(order_id) in seen:
                continue
            seen.add(str(order_id))
            message = decoded(latest)
            if message.status.casefold().startswith("cancel"):
                continue
            net, gst = told_sums(message)
            yield _Order(
                order_id=str(order_id),
                service=message.service,
                reference=message.reference,
                at=message.ordered_at or from_text(str(first_seen)),
                by=message.ordered_by,
                total=None if net is None or gst is None else net + gst,
                here=(system, tenant, matter_id) == (matter.system, matter.tenant, matter.id),
                number=str(number),
            )


def _lately(orders: list[_Order], now: datetime) -> tuple[EarlierOrder, ...]:
    recent = [order for order in orders if now - order.at <= LATELY and order.service]
    found: list[EarlierOrder] = []
    told: set[tuple[str, str]] = set()
    for order in recent:
        if not order.here or order.search in told:
            continue
        told.add(order.search)
        same = [other for other in recent if other.search == order.search]
        # Without a reference two orders of one service may be about different things.
        elsewhere = [other.number for other in same if not other.here and other.number and other.reference]
        found.append(
            EarlierOrder(
                order.order_id,
                order.service,
                order.reference,
                order.at,
                order.by,
                order.total,
                times=sum(other.here for other in same),
                elsewhere=tuple(dict.fromkeys(elsewhere)),
            )
        )
    return tuple(found[:MOST_LATELY])


def _prices(orders: list[_Order]) -> tuple[LastPrice, ...]:
    """Nothing is a price but a fee that is not zero and not a credit."""
    last: dict[str, LastPrice] = {}
    here: set[str] = set()
    often: Counter[str] = Counter()
    for order in orders:
        if not order.service:
            continue
        name = _plain(order.service)
        often[name] += 1
        if order.here:
            here.add(name)
        if order.total is not None and order.total > 0:
            last.setdefault(name, LastPrice(order.service, order.total, order.at))
    ranked = sorted(last, key=lambda name: (name not in here, -often[name], name))
    return tuple(last[name] for name in ranked[:MOST_PRICES])


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
