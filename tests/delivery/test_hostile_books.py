"""What stands in a firm's books is written by many hands: nothing that is written there may make a line go out twice or stop
the courier."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from desktop.services.delivery.matter_work import seen_cost
from desktop.services.practice.keys import keys_in
from desktop.services.practice.model import CostLine, PostedCost
from tests.delivery.stand_in import Office, fee, order

D = Decimal
PLAIN: dict[str, Any] = {"supplier": fee("20.00")}


def line(key: str, unit_cost: str = "5.00", quantity: str = "1") -> PostedCost:
    return PostedCost("x1", (key,), "by hand", "FREE", key, D(quantity), D(unit_cost), D(unit_cost))


@pytest.mark.parametrize("n", ["999999999", "1000001"])
def test_a_number_that_no_order_reaches_does_not_lead_to_one_that_no_read_back_can_find(office: Office, n: str) -> None:
    """D7: the difference that follows such a line goes out once and is confirmed."""
    office.books.costs["id-J001"] = [line(f"IT-71000123-T-{n}")]
    real = office.books.add_cost

    def without_a_number(line: CostLine) -> str:
        real(line)
        return ""

    office.books.add_cost = without_a_number  # type: ignore[method-assign]
    office.receive(order(**PLAIN))
    office.deliver()
    office.deliver_until(3 * 3600)
    assert len(office.practice.sent) == 1
    assert office.books.sum_on("J001") == D("20.00")
    assert "unknown" not in office.states().values()


def test_an_amount_beyond_all_reckoning_does_not_stop_the_other_matters(office: Office) -> None:
    office.books.costs["id-J001"] = [line("IT-71000123-T-1", "999999999999999999", "999999999999999999")]
    office.receive(order(**PLAIN), order("71000124", number="J002", **PLAIN))
    office.deliver()
    assert office.states()["IT-71000124-T-1"] == "confirmed"
    assert [sent.key for sent in office.practice.sent if isinstance(sent, CostLine)] == ["IT-71000124-T-1"]


def test_only_the_last_key_of_a_line_has_its_amount() -> None:
    both = PostedCost("x", ("IT-1-T-1", "IT-2-T-1"), "", "", "", D(1), D("7.00"), D("7.00"))
    assert [(one.key, one.cost) for one in seen_cost(both)] == [("IT-1-T-1", None), ("IT-2-T-1", D("7.00"))]


def test_a_markup_that_was_changed_since_does_not_make_a_line_look_edited(office: Office) -> None:
    """Where a system keeps the price alone, its cost is reckoned back: a line of ours that still has its price has its cost."""
    office.practice.capabilities = replace(office.practice.capabilities, one_price=True)
    office.receive(order(**PLAIN))
    office.deliver()
    (posted,) = office.books.costs["id-J001"]
    office.books.costs["id-J001"] = [replace(posted, unit_cost=D("18.18"))]
    office.receive(order(supplier=fee("22.00"), sequence=2))
    office.deliver()
    office.deliver_until(3 * 3600)
    assert [sent.unit_cost for sent in office.practice.sent if isinstance(sent, CostLine)] == [D("20.00"), D("2.00")]
    assert set(office.states().values()) == {"confirmed"}


def test_a_number_too_long_to_be_ours_is_not_cut_to_another_key() -> None:
    assert keys_in("InfoTrack IT-71000123-T-1000000001") == ()
    assert keys_in("IT-71000123-T-1/IT-71000123-T-2.") == ("IT-71000123-T-1", "IT-71000123-T-2")
