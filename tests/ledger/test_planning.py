"""From recorded facts to deliveries: the same facts always give the same."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop.services.infotrack.model import Fee, OrderMessage
from desktop.services.ledger.facts import split_key
from desktop.services.ledger.planning import versions
from tests.delivery.stand_in import START, Books, Clock, FakeFeed, Office, fee, order
from tests.delivery.stand_in import settings as firm_settings
from tests.ledger.test_inbox import recorded


def a_fee(tens: int, taxed: bool) -> Fee:
    net = Decimal(tens) / 10
    gst = net / 10 if taxed else Decimal("0.00")
    return Fee(net, gst, net + gst)


fees = st.builds(a_fee, st.integers(-500, 5_000), st.booleans())
messages = st.lists(
    st.builds(
        lambda retailer, supplier, mark, sequence: order(retailer=retailer, supplier=supplier, hash=mark, sequence=sequence),
        st.none() | fees,
        st.none() | fees,
        st.sampled_from(["", "h1", "h2"]),
        st.none() | st.integers(1, 9),
    ),
    min_size=1,
    max_size=5,
)
_CHOSEN = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@contextmanager
def fresh_office(books: Books | None = None, clock: Clock | None = None) -> Iterator[Office]:
    folder = Path(tempfile.mkdtemp(prefix="iconnect-plan-"))
    clock = clock or Clock()
    made = Office(folder, clock, books or Books(clock))
    try:
        yield made
    finally:
        made.ledger.close()
        shutil.rmtree(folder, ignore_errors=True)


def rows(office: Office) -> list[tuple[object, ...]]:
    return [(one.key, one.state, one.amount, one.gst, one.code, one.description, one.reason) for one in office.ledger.deliveries()]


@_CHOSEN
@given(told=messages)
def test_planning_again_changes_nothing_and_another_pc_plans_the_same(told: list[OrderMessage]) -> None:
    """Deterministic keys: the same messages give the same deliveries, however often they are worked out."""
    with fresh_office() as one, fresh_office() as two:
        for office in (one, two):
            office.receive(*told)
            office.courier.plan_only()
        first = rows(one)
        assert rows(two) == first
        one.receive(replace(told[-1], status="Changed again", retailer=None, supplier=None, download_url=""))
        one.courier.plan_only()
        assert rows(one) == first


@_CHOSEN
@given(told=messages)
def test_sent_one_by_one_or_all_at_once_the_books_hold_the_same_sums(told: list[OrderMessage]) -> None:
    def sums(office: Office) -> dict[str, Decimal]:
        found: dict[str, Decimal] = {}
        for key, cost in office.amounts().items():
            split = split_key(key)
            assert split is not None
            found[split[1]] = found.get(split[1], Decimal(0)) + cost
        return {part: total for part, total in found.items() if total}

    with fresh_office() as one, fresh_office() as two:
        for message in told:
            one.receive(message)
            one.deliver()
        two.receive(*told)
        two.deliver()
        assert sums(one) == sums(two)


@_CHOSEN
@given(told=messages)
def test_a_reinstalled_pc_that_sees_everything_again_posts_nothing(told: list[OrderMessage]) -> None:
    """D1: a lost ledger costs no double: the marks in the books are enough."""
    clock = Clock()
    books = Books(clock)
    with fresh_office(books, clock) as before:
        for message in told:
            before.receive(message)
            before.deliver()
    stood = sorted(books.posted_keys())
    with fresh_office(books, clock) as after:
        after.receive(*told)
        after.deliver()
        assert [one.key for one in after.practice.sent if one.key in stood] == []
        assert sorted(books.posted_keys()) == stood


def test_amounts_with_gst_and_a_markup_reach_the_line_as_they_are_set(tmp_path: Path) -> None:
    clock = Clock()
    office = Office(tmp_path, clock, Books(clock), settings=firm_settings(amounts="inc_gst", markup_percent=10.0, billable=False))
    office.receive(order(retailer=fee("6.00", "0.60"), supplier=fee("20.05")))
    office.deliver()
    r, s = office.books.costs["id-J001"]
    assert (r.unit_cost, r.unit_price, r.billable) == (Decimal("6.60"), Decimal("7.26"), False)
    assert (s.unit_cost, s.unit_price) == (Decimal("20.05"), Decimal("22.06"))
    shown = {one.part: (one.amount, one.gst) for one in office.ledger.deliveries()}
    assert shown == {"R": (Decimal("6.00"), Decimal("0.60")), "S": (Decimal("20.05"), Decimal("0.00"))}
    # The setting changes; what stands does not move, and a difference follows what the order began with.
    office.change_settings(amounts="ex_gst")
    office.receive(order(retailer=fee("7.00", "0.70"), supplier=fee("20.05")))
    office.deliver()
    assert office.amounts()["IT-71000123-R-2"] == Decimal("1.10")
    office.ledger.close()


def test_versions_of_a_document_follow_their_sequence_and_a_typed_file_is_the_first() -> None:
    one, two = order(hash="h1", sequence=1), order(hash="h2", sequence=2)
    without = replace(order(hash="x"), file_hash="")
    base = recorded([None])[0]

    def marks(*told: OrderMessage, typed: bool = False) -> list[tuple[str, ...]]:
        found = [replace(base, seq=index, message=message) for index, message in enumerate(told, start=1)]
        if typed:
            found.insert(0, replace(base, file_mark="file:1"))
        return [version.marks for version in versions(found)]

    assert marks(one, two, one) == [("hash:h1",), ("hash:h2",)]
    assert marks(without, one, two) == [("", "hash:h1"), ("hash:h2",)]
    assert marks(one, two, typed=True) == [("file:1", "hash:h1"), ("hash:h2",)]
    assert marks(order()) == []


def test_an_order_without_a_date_is_dated_when_it_came(tmp_path: Path) -> None:
    clock = Clock(START.replace(hour=20))
    office = Office(tmp_path, clock, Books(clock), feed=FakeFeed())
    office.receive(replace(order(supplier=fee("20.00")), ordered_at=None))
    office.deliver()
    assert str(office.books.costs["id-J001"][0].on) == "2026-03-05"
    office.ledger.close()
