"""Two PCs of one firm on the same orders."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from desktop.services.ledger.errors import ActionRefused
from tests.delivery.stand_in import START, Books, Clock, FakeFeed, Office, fee, order
from tests.delivery.usual_orders import DOC, LOST, PLAIN, T1, D


def two_offices(tmp_path: Path) -> tuple[Office, Office]:
    clock = Clock()
    books, feed = Books(clock), FakeFeed()
    one, two = (
        Office(tmp_path / name, clock, books, feed=feed, takeover=timedelta(minutes=30), seed=seed)
        for seed, name in enumerate(("one", "two"))
    )
    return one, two


def test_another_pcs_order_is_left_to_it_and_delivered_when_it_does_not_come(tmp_path: Path) -> None:
    one, two = two_offices(tmp_path)
    one.feed.messages.append(order(**PLAIN, hash="h1", reference=one.ours()))
    report = two.deliver()
    assert set(two.states().values()) == {"queued"}
    assert two.practice.calls == []
    assert two.courier.pending() == ()
    view = two.ledger.order_view("71000123")
    assert view is not None
    assert view.take_over_at is not None
    assert timedelta(minutes=30) <= view.take_over_at - START <= timedelta(minutes=45)
    assert report.next_at == view.take_over_at
    two.deliver_until(29 * 60)
    assert two.practice.calls == []
    two.deliver_until(17 * 60)
    assert set(two.states().values()) == {"confirmed"}
    one.deliver()
    assert set(one.states().values()) == {"confirmed"}
    assert sorted(one.books.posted_keys()) == [DOC, T1]
    one.ledger.close()
    two.ledger.close()


def test_an_order_of_ours_is_delivered_at_once_and_the_other_pc_adopts_it(tmp_path: Path) -> None:
    one, two = two_offices(tmp_path)
    one.feed.messages.append(order(**PLAIN, hash="h1", reference=one.ours()))
    one.deliver()
    assert set(one.states().values()) == {"confirmed"}
    two.deliver_until(3 * 3600)
    assert set(two.states().values()) == {"confirmed"}
    assert two.practice.sent == []
    one.ledger.close()
    two.ledger.close()


def test_two_pcs_that_take_over_in_the_same_moment_do_not_go_on_together(tmp_path: Path) -> None:
    """One PC posts between the other's look and its first send: at most that order is there twice, and both say so."""
    clock = Clock()
    books, feed = Books(clock), FakeFeed()
    rests: list[float] = []
    one = Office(tmp_path / "one", clock, books, feed=feed, seed=1)
    two = Office(tmp_path / "two", clock, books, feed=feed, seed=2, sleep=rests.append)
    feed.messages += [order(str(71000200 + n), **PLAIN) for n in range(6)]
    two.courier.plan_only()

    def meanwhile(name: str, what: str) -> None:
        if name == "post_cost" and not one.practice.calls:
            one.deliver()

    two.practice.fault = meanwhile
    two.deliver()
    counted = Counter(books.posted_keys())
    assert sorted(counted.values()) == [1, 1, 1, 1, 1, 2]
    assert len(two.practice.sent) == 1
    assert len(rests) >= 2
    assert all(0 <= seconds <= 2 for seconds in rests)
    two.deliver_until(3600)
    assert set(two.states().values()) == {"confirmed"}
    assert two.deliver().waiting_for_person == 1
    one.ledger.close()
    two.ledger.close()


def test_a_person_can_take_an_order_over_at_once(tmp_path: Path) -> None:
    one, two = two_offices(tmp_path)
    one.feed.messages.append(order(**PLAIN, reference=one.ours()))
    two.deliver()
    two.ledger.take_over("71000123")
    two.deliver()
    assert two.states() == {T1: "confirmed"}
    with pytest.raises(ActionRefused):
        two.ledger.take_over("71000123")
    one.ledger.close()
    two.ledger.close()


def test_a_later_change_of_anothers_order_is_left_to_it_as_well(tmp_path: Path) -> None:
    one, two = two_offices(tmp_path)
    one.feed.messages.append(order(**PLAIN, reference=one.ours(), sequence=1))
    one.deliver()
    two.deliver_until(3600)
    assert two.states() == {T1: "confirmed"}
    one.feed.messages.append(order(supplier=fee("25.00"), reference=one.ours(), sequence=2))
    two.deliver()
    assert two.practice.sent == []
    one.deliver()
    two.deliver_until(3 * 3600)
    assert one.books.sum_on("J001") == D("25.00")
    assert two.practice.sent == []
    one.ledger.close()
    two.ledger.close()


def test_a_pc_that_finds_another_at_work_leaves_it_the_rest_once_more(tmp_path: Path) -> None:
    one, two = two_offices(tmp_path)
    one.feed.messages.append(order(**PLAIN, hash="h1", reference=one.ours()))
    one.practice.fault = lambda name, what: LOST if name == "post_document" else None
    one.deliver()
    assert one.books.posted_keys() == [T1]
    two.deliver_until(46 * 60)
    assert two.states()[T1] == "confirmed"
    assert two.states()[DOC] in ("queued", "confirmed")
    two.deliver_until(2 * 3600)
    assert two.states()[DOC] == "confirmed"
    assert sorted(one.books.posted_keys()) == [DOC, T1]
    one.ledger.close()
    two.ledger.close()
