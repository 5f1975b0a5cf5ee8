from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.services.infotrack.inbox import FeedCursor, Inbox
from desktop.services.infotrack.model import Incoming, OrderMessage, Source
from desktop.services.ledger.facts import Recorded, in_order
from desktop.services.ledger.ledger import Ledger
from desktop.services.ledger.model import Origin
from tests.delivery.stand_in import START, XPM, Clock, fee, order, read_reference

WAIT = timedelta(minutes=30)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    opened = Ledger.open(tmp_path / "ledger.db", clock=clock, random=Random(7), takeover=WAIT, read_reference=read_reference)
    yield opened
    opened.close()


def came(message: OrderMessage, source: Source = Source.FEED) -> Incoming:
    return Incoming(message, b"raw", source)


def ours(ledger: Ledger) -> str:
    return f"ICONNECT1_{ledger.installation}|{XPM}|id-J001"


ANOTHERS = f"ICONNECT1_zzzzzz|{XPM}|id-J001"


def test_the_ledger_is_an_inbox(ledger: Ledger) -> None:
    inbox: Inbox = ledger
    assert inbox.cursor("https://feed.test/") is None


def test_a_message_comes_back_as_it_was_with_every_field(ledger: Ledger) -> None:
    """D19: amounts are decimal text end to end."""
    message = replace(order(retailer=fee("7.29", "0.73"), sequence=5), problems=("x",), is_billable=False, completed_at=START)
    ledger.record([came(message)])
    assert ledger.latest_message("71000123") == message
    facts = ledger.facts("71000123")
    assert facts is not None
    assert facts.latest.retailer is not None
    assert str(facts.latest.retailer.net) == "7.29"


def test_an_exact_repeat_from_any_source_changes_nothing(ledger: Ledger) -> None:
    message = order(retailer=fee("6.00", "0.60"))
    assert ledger.record([came(message), came(message)]) == 1
    assert ledger.record([came(message, Source.FOLDER), came(message, Source.FILE)]) == 0
    assert ledger.record([came(replace(message, status="Changed"))]) == 1
    view = ledger.order_view("71000123")
    assert view is not None
    assert len([step for step in view.steps if step.what == "message"]) == 2


def test_the_cursor_is_stored_with_the_messages_that_it_covers_or_not_at_all(ledger: Ledger) -> None:
    feed = "https://feed.test/"
    ledger.record([came(order())], cursor=FeedCursor(feed, "12"))
    assert ledger.cursor(feed) == "12"
    broken = replace(order("71000124"), order_id=None)  # type: ignore[arg-type]  # on purpose
    with pytest.raises(Exception, match=r".*"):
        ledger.record([came(order("71000125")), came(broken)], cursor=FeedCursor(feed, "13"))
    assert ledger.cursor(feed) == "12"
    assert ledger.order_view("71000125") is None
    ledger.record([], cursor=FeedCursor(feed, "14"))
    assert ledger.cursor(feed) == "14"


@pytest.mark.parametrize(
    ("reference", "expected"),
    [("ours", Origin.OURS), (ANOTHERS, Origin.ANOTHER_PC), ("", Origin.ELSEWHERE), ("OFX_a|b|c", Origin.ELSEWHERE)],
)
def test_who_started_an_order_is_read_from_its_mark(ledger: Ledger, reference: str, expected: Origin) -> None:
    ledger.record([came(order(reference=ours(ledger) if reference == "ours" else reference))])
    (view,) = ledger.orders()
    assert view.origin is expected
    assert (view.take_over_at is None) == (expected is Origin.OURS)


def test_a_typed_result_is_this_pcs_own(ledger: Ledger) -> None:
    ledger.record([Incoming(order(), b"raw", Source.TYPED, "J001")])
    ledger.record([came(order(status="Later"))])
    (view,) = ledger.orders()
    assert (view.origin, view.take_over_at) == (Origin.TYPED, None)


def test_our_own_message_may_be_taken_and_anothers_only_after_its_time(ledger: Ledger, clock: Clock) -> None:
    assert ledger.may_take(order(reference=ours(ledger)))
    foreign = order("71000200", reference=ANOTHERS)
    assert not ledger.may_take(foreign)
    (waiting,) = ledger.orders(order_id="71000200")
    assert waiting.take_over_at is not None
    assert WAIT <= waiting.take_over_at - START <= WAIT * 1.5
    clock.pass_time(29 * 60)
    assert not ledger.may_take(foreign)
    clock.pass_time(16 * 60)
    assert ledger.may_take(foreign)
    # Taken from the folder after its time, it does not wait a second time.
    ledger.record([came(foreign, Source.FOLDER)])
    assert ledger.orders(order_id="71000200")[0].take_over_at is None


def test_the_moment_outlives_a_restart(tmp_path: Path, clock: Clock) -> None:
    foreign = order(reference=ANOTHERS)
    for _ in range(2):
        opened = Ledger.open(tmp_path / "l.db", clock=clock, random=Random(7), takeover=WAIT, read_reference=read_reference)
        assert not opened.may_take(foreign)
        opened.close()
        clock.pass_time(24 * 60)
    opened = Ledger.open(tmp_path / "l.db", clock=clock, random=Random(7), takeover=WAIT, read_reference=read_reference)
    assert opened.may_take(foreign)
    opened.close()


def test_a_person_who_takes_an_order_over_may_take_its_message_too(ledger: Ledger) -> None:
    foreign = order(reference=ANOTHERS)
    assert not ledger.may_take(foreign)
    ledger.take_over("71000123")
    assert ledger.may_take(foreign)
    assert ledger.may_take(replace(foreign, status="Changed"))


def test_without_a_waiting_time_everything_may_be_taken_at_once(tmp_path: Path, clock: Clock) -> None:
    opened = Ledger.open(tmp_path / "l.db", clock=clock, random=Random(7), takeover=timedelta(), read_reference=read_reference)
    assert opened.may_take(order(reference=ANOTHERS))
    opened.record([came(order(reference=ANOTHERS))])
    assert opened.orders()[0].take_over_at is None
    opened.close()


def recorded(numbers: list[int | None]) -> list[Recorded]:
    return [Recorded(seq, order(sequence=number, total=fee(str(seq))), Source.FEED, START) for seq, number in enumerate(numbers)]


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([1, 2, 3], [0, 1, 2]),
        ([3, 1, 2], [1, 2, 0]),
        ([None, None], [0, 1]),
        ([5, None, 3], [2, 0, 1]),
        ([5, None, 6], [0, 1, 2]),
        ([5, 5], [0, 1]),
    ],
)
def test_messages_are_ordered_by_number_where_there_is_one_else_by_arrival(numbers: list[int | None], expected: list[int]) -> None:
    assert [one.seq for one in in_order(recorded(numbers))] == expected


@given(st.lists(st.integers(1, 50), unique=True, max_size=8), st.randoms())
def test_numbered_messages_end_in_the_same_order_however_they_arrive(numbers: list[int], random: Random) -> None:
    shuffled = list(numbers)
    random.shuffle(shuffled)
    assert [one.message.sequence for one in in_order(recorded(list(shuffled)))] == sorted(numbers)


def test_the_list_finds_orders_by_matter_state_and_need(ledger: Ledger) -> None:
    ledger.record([came(order(str(n), number=f"J00{n}")) for n in range(1, 4)])
    assert [view.order_id for view in ledger.orders()] == ["3", "2", "1"]
    assert [view.order_id for view in ledger.orders(order_id="2")] == ["2"]
    assert [view.order_id for view in ledger.orders(limit=1)] == ["3"]
    assert ledger.orders(waiting_for_person=True) == ()
    assert ledger.orders(matter="J001") == ()


def test_small_facts_are_remembered(ledger: Ledger) -> None:
    assert ledger.recall("x") is None
    ledger.remember("x", "one")
    ledger.remember("x", "two")
    assert ledger.recall("x") == "two"


def test_sums_are_the_latest_messages(ledger: Ledger) -> None:
    ledger.record([came(order(total=fee("26.00", "0.60"), sequence=2)), came(order(total=fee("1.00"), sequence=1))])
    (view,) = ledger.orders()
    assert (view.total, view.gst) == (Decimal("26.60"), Decimal("0.60"))
