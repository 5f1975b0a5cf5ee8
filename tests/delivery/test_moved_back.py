"""An order that is moved away and back again: what stands at its first matter stands there once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from desktop.services.errors import NotSent
from tests.delivery.stand_in import Office, fee, matter, order

D = Decimal
PLAIN: dict[str, Any] = {"supplier": fee("20.00"), "hash": "h1"}


@pytest.mark.parametrize("reached", [False, True])
def test_a_document_that_stands_is_not_sent_again_when_its_order_comes_back(office: Office, reached: bool) -> None:
    """D1: also when the copy for the other matter has not left yet."""
    office.receive(order(**PLAIN))
    office.deliver()
    assert set(office.states().values()) == {"confirmed"}
    if not reached:
        office.practice.fault = lambda name, what: NotSent("There is no network.")
    office.ledger.move("71000123", matter("J002"))
    office.deliver()
    office.ledger.move("71000123", matter("J001"))
    office.practice.fault = lambda name, what: None
    office.deliver()
    office.deliver_until(3 * 3600)
    assert office.books.sum_on("J001") == D("20.00")
    keys = [key for key in office.books.posted_keys() if "-D-" in key and key in str(office.books.documents["id-J001"])]
    assert keys == ["IT-71000123-D-1"]
    assert set(office.states().values()) <= {"confirmed", "cancelled"}
