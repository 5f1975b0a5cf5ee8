"""Tests that planted bugs asked for: without them a small mistake in a rule would have passed."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from desktop.services.errors import AnswerLost
from desktop.services.ledger.charges import price
from tests.delivery.stand_in import Books, Clock, Office, fee, order


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    clock = Clock()
    made = Office(tmp_path, clock, Books(clock))
    yield made
    made.ledger.close()


@pytest.mark.parametrize(("cost", "expected"), [("10.15", "11.17"), ("10.05", "11.06"), ("-10.15", "-11.17"), ("-10.05", "-11.06")])
def test_half_a_cent_goes_up_after_an_even_digit_and_after_an_odd_one(cost: str, expected: str) -> None:
    """D19."""
    assert price(Decimal(cost), Decimal(10)) == Decimal(expected)


def test_only_what_waits_in_the_queue_can_be_claimed(office: Office) -> None:
    """D1, D17: nothing that is unknown, confirmed or cancelled, however it is asked for."""
    office.practice.fault = lambda call, what: AnswerLost("The line broke.") if what == "IT-1-T-1" else None
    office.receive(order("1", retailer=fee("1.00"), sequence=1), order("2", retailer=fee("2.00"), sequence=2))
    office.deliver()
    office.deliver()
    office.receive(order("3", retailer=fee("3.00"), sequence=3))
    office.courier.plan_only()
    office.ledger.cancel("IT-3-T-1")
    assert office.states() == {"IT-1-T-1": "unknown", "IT-2-T-1": "confirmed", "IT-3-T-1": "cancelled"}
    for key in office.states():
        assert office.ledger.claim(key) is None
    assert office.states() == {"IT-1-T-1": "unknown", "IT-2-T-1": "confirmed", "IT-3-T-1": "cancelled"}


def test_fees_of_different_tax_have_keys_of_their_own(office: Office) -> None:
    """D7: and both lines stand in the books."""
    office.receive(order("1", retailer=fee("10.00", "1.00"), supplier=fee("20.00")))
    office.deliver_until(60)
    assert office.states() == {"IT-1-R-1": "confirmed", "IT-1-S-1": "confirmed"}
    assert office.amounts() == {"IT-1-R-1": Decimal("10.00"), "IT-1-S-1": Decimal("20.00")}
