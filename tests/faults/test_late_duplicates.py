"""A request that lands after everybody gave up on it: found by a later read and shown to a person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from desktop.services.errors import AnswerLost
from tests.delivery.stand_in import Books, Clock, Office, fee, order


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    clock = Clock()
    made = Office(tmp_path, clock, Books(clock))
    yield made
    made.ledger.close()


def minutes(office: Office, count: int, *, at_a_time: int = 1) -> None:
    """Passes once in so many minutes, as the tray does."""
    for _ in range(0, count, at_a_time):
        office.clock.pass_time(60 * at_a_time)
        office.deliver()


def test_a_line_that_lands_late_is_found_and_a_person_is_told(office: Office) -> None:
    """D10: the first try lands nine minutes late, long after the second one was confirmed."""
    errors = [AnswerLost("The line broke.")]
    office.practice.fault = lambda call, what: errors.pop() if call == "post_cost" and errors else None
    office.practice.does_it_anyway, office.practice.late_by = True, timedelta(minutes=9)
    office.receive(order("1", retailer=fee("10.00")))
    office.deliver_until(300)
    assert office.states() == {"IT-1-T-1": "confirmed"}
    assert office.ledger.waiting_for_person() == 0
    minutes(office, 20)
    assert office.books.posted_keys() == ["IT-1-T-1", "IT-1-T-1"]
    assert "hold 2 lines" in office.reason("IT-1-T-1")
    assert office.ledger.waiting_for_person() == 1


def test_each_matter_is_read_twice_more_whatever_it_holds_and_through_a_restart(office: Office) -> None:
    """D10: after ten minutes and after a day, one read for all keys of the matter, and never again."""
    office.receive(*[order(str(number), retailer=fee("1.00"), sequence=number) for number in range(1, 9)])
    office.deliver_until(60)
    before = len(office.practice.named("costs"))
    minutes(office, 8)
    assert len(office.practice.named("costs")) == before
    minutes(office, 10)
    assert len(office.practice.named("costs")) == before + 1
    office.restart()
    minutes(office, 1380, at_a_time=30)
    assert len(office.practice.named("costs")) == before + 1
    minutes(office, 120, at_a_time=30)
    assert len(office.practice.named("costs")) == before + 2
    minutes(office, 8000, at_a_time=200)
    assert len(office.practice.named("costs")) == before + 2


def test_nobody_waits_for_the_later_reads(office: Office) -> None:
    """D10: when all is confirmed, nothing is due and nothing is pending."""
    office.receive(order("1", retailer=fee("10.00")))
    office.deliver_until(60)
    assert office.deliver().next_at is None
    assert office.courier.pending() == ()


def test_a_matter_that_can_not_be_read_later_harms_nothing(office: Office) -> None:
    """D10."""
    office.receive(order("1", retailer=fee("10.00")))
    office.deliver_until(60)
    office.practice.fault = lambda call, what: AnswerLost("The line broke.") if call == "costs" else None
    minutes(office, 20)
    assert office.deliver().trouble == ()
    office.practice.fault = lambda call, what: None
    before = len(office.practice.named("costs"))
    minutes(office, 5)
    assert len(office.practice.named("costs")) == before + 1
