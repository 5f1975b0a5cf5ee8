"""Advice in memory, reckoned from the fake desk's orders as the ledger reckons it from messages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from desktop.services.advice import BeforeOrder, EarlierOrder, LastPrice
from desktop.services.practice.model import Matter

if TYPE_CHECKING:
    from tests.ui.fake_desk import FakeDesk


class FakeAdvice:
    """`closed_now` holds the numbers of matters that were closed since the list was read."""

    def __init__(self, desk: FakeDesk) -> None:
        self._desk = desk
        self.closed_now: set[str] = set()

    def before_order(self, matter: Matter) -> BeforeOrder:
        self._desk._do("before_order", matter.number)
        lately, prices, seen = [], [], set()
        for order in self._desk.all_orders:
            at = order.ordered_at or order.first_seen_at
            if order.total is not None and order.service not in seen:
                seen.add(order.service)
                prices.append(LastPrice(order.service, order.total, at))
            if order.matter_number == matter.number:
                lately.append(EarlierOrder(order.order_id, order.service, order.reference, at, order.ordered_by, order.total))
        return BeforeOrder(tuple(lately), tuple(prices))

    def as_it_is_now(self, matter: Matter) -> Matter:
        self._desk._do("as_it_is_now", matter.number)
        return replace(matter, state="Completed", is_open=False) if matter.number in self.closed_now else matter

    def open_matters_of_client(self, matter: Matter, limit: int = 20) -> tuple[Matter, ...]:
        self._desk._do("open_matters_of_client", matter.number)
        return tuple(
            one for one in self._desk.matters if one.client == matter.client and one.id != matter.id and one.is_open is not False
        )[:limit]
