"""What the books hold already, by another PC or by hand, and what the courier makes of it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from desktop.services.ledger.errors import ActionRefused
from desktop.services.practice.model import CostLine
from tests.delivery.stand_in import START, Office, fee, order
from tests.delivery.usual_orders import MIXED, PLAIN, T1, D, R, S, set_by_hand


def test_a_line_that_another_pc_posted_is_adopted_not_posted(office: Office) -> None:
    """D9."""
    office.receive(order(**PLAIN))
    office.courier.plan_only()
    office.books.add_cost(CostLine(T1, "J001", "id-J001", START.date(), "x", "FREE", T1, D("20.00"), D("20.00"), True))
    office.deliver()
    assert office.states() == {T1: "confirmed"}
    assert office.practice.sent == []


def test_a_key_found_with_another_amount_is_adopted_with_it_and_the_rest_is_posted(office: Office) -> None:
    office.receive(order(**PLAIN))
    office.courier.plan_only()
    office.books.add_cost(CostLine(T1, "J001", "id-J001", START.date(), "x", "FREE", T1, D("17.50"), D("17.50"), True))
    office.deliver()
    assert office.amounts() == {T1: D("17.50"), "IT-71000123-T-2": D("2.50")}
    assert set(office.states().values()) == {"confirmed"}


def test_a_line_that_a_person_changed_in_the_books_is_not_made_up_for_unasked(office: Office) -> None:
    office.receive(order(**PLAIN))
    office.deliver()
    (lines,) = office.books.costs.values()
    lines[0] = replace(lines[0], unit_cost=Decimal(0), unit_price=Decimal(0))
    office.receive(order("71000124", **PLAIN))
    office.deliver_until(3600)
    assert office.books.posted_keys() == [T1, "IT-71000124-T-1"]
    assert office.states() == {T1: "confirmed", "IT-71000124-T-1": "confirmed"}


def test_a_change_of_one_fee_leaves_alone_the_other_that_a_person_took_back_in_the_books(office: Office) -> None:
    """A person's zero is not undone by a message that says nothing new of that fee."""
    office.receive(order(**MIXED, sequence=1))
    office.deliver()
    set_by_hand(office, R, "0.00")
    # Another order's delivery has the matter read meanwhile.
    office.receive(order("71000125", **PLAIN))
    office.deliver()
    dearer = order(retailer=MIXED["retailer"], supplier=fee("21.00"), sequence=2)
    office.receive(dearer)
    office.deliver()
    office.receive(order("71000124", **PLAIN))
    office.deliver_until(3600)
    mine = {key: cost for key, cost in office.amounts().items() if "71000123" in key}
    assert mine == {R: D("0.00"), S: D("20.00"), "IT-71000123-S-2": D("1.00")}
    assert set(office.states().values()) == {"confirmed"}


def test_a_change_of_a_fee_that_a_person_changed_in_the_books_waits_with_both_numbers(office: Office) -> None:
    office.receive(order(**PLAIN, sequence=1))
    office.deliver()
    set_by_hand(office, T1, "17.00")
    office.receive(order(supplier=fee("21.00"), sequence=2))
    office.deliver()
    # The change shows only in the read before the send: what was planned without it is withdrawn.
    waiting = [one for one in office.ledger.deliveries() if one.state.value == "held"]
    assert [one.amount for one in waiting] == [D("4.00")]
    reason = waiting[0].reason
    assert "posted with 20.00 and is 17.00 now" in reason
    assert "21.00" in reason
    office.courier.plan_only()
    office.deliver_until(3600)
    assert office.states()[waiting[0].key] == "held"
    assert len(office.practice.sent) == 1
    office.ledger.approve(waiting[0].key)
    office.deliver()
    assert office.books.sum_on("J001") == D("21.00")
    office.receive(order(supplier=fee("21.00"), sequence=3))
    office.deliver_until(3600)
    assert office.books.sum_on("J001") == D("21.00")


def test_a_correction_made_by_hand_as_it_was_spelled_out_is_built_upon(office: Office) -> None:
    office.capable(negative_costs=False)
    office.receive(order(**PLAIN, sequence=1))
    office.deliver()
    office.receive(order(supplier=fee("18.00"), sequence=2))
    office.deliver()
    assert office.states()["IT-71000123-T-2"] == "held"
    set_by_hand(office, T1, "18.00")
    office.ledger.cancel("IT-71000123-T-2")
    office.receive(order("71000125", total=fee("0.00"), hash="h1"), order("71000126", **PLAIN))
    office.deliver()
    office.receive(order(supplier=fee("19.00"), sequence=3))
    office.deliver()
    (further,) = [one for one in office.ledger.deliveries() if one.key == "IT-71000123-T-3"]
    assert (further.state.value, further.amount) == ("held", D("1.00"))
    assert "You cancelled an earlier line" in further.reason


@pytest.mark.parametrize("gone", ["note", "line"])
def test_a_correction_made_by_hand_is_built_upon_although_one_of_its_lines_is_known_no_more(office: Office, gone: str) -> None:
    """Of what was taken off, only what stands on lines that still carry their key can be seen."""
    office.capable(negative_costs=False)
    office.receive(order(**PLAIN, sequence=1))
    office.deliver()
    office.receive(order(supplier=fee("25.00"), sequence=2))
    office.deliver()
    lines = office.books.costs["id-J001"]
    lines[0] = replace(lines[0], note="paid", keys=())
    office.receive(order(supplier=fee("0.00"), sequence=3))
    office.deliver()
    assert office.states()["IT-71000123-T-3"] == "held"
    lines[0] = replace(lines[0], unit_cost=D("0.00"), unit_price=D("0.00"))
    if gone == "line":
        del lines[0]
    set_by_hand(office, "IT-71000123-T-2", "0.00")
    office.ledger.cancel("IT-71000123-T-3")
    office.receive(order("71000126", **PLAIN))
    office.deliver()
    office.receive(order(supplier=fee("6.00"), sequence=4))
    office.deliver()
    (further,) = [one for one in office.ledger.deliveries() if one.key == "IT-71000123-T-4"]
    assert (further.state.value, further.amount) == ("held", D("6.00"))
    assert "You cancelled an earlier line" in further.reason


def test_a_line_lowered_beyond_what_was_spelled_out_waits_for_a_person(office: Office) -> None:
    """More was taken off than the correction said: what can't be seen explains no more than it held."""
    office.capable(negative_costs=False)
    office.receive(order(**PLAIN, sequence=1))
    office.deliver()
    office.receive(order(supplier=fee("25.00"), sequence=2))
    office.deliver()
    lines = office.books.costs["id-J001"]
    lines[1] = replace(lines[1], note="paid", keys=())
    office.receive(order(supplier=fee("12.00"), sequence=3))
    office.deliver()
    set_by_hand(office, T1, "0.00")
    office.ledger.cancel("IT-71000123-T-3")
    office.receive(order("71000126", **PLAIN))
    office.deliver()
    office.receive(order(supplier=fee("13.00"), sequence=4))
    office.deliver()
    (further,) = [one for one in office.ledger.deliveries() if one.key == "IT-71000123-T-4"]
    # By what is seen to stand; by what was sent it would be 1.00.
    assert (further.state.value, further.amount) == ("held", D("21.00"))


def test_a_new_number_goes_above_what_the_books_already_hold(office: Office) -> None:
    key = "IT-71000123-T-2"
    office.books.add_cost(CostLine(key, "J001", "id-J001", START.date(), "x", "FREE", key, D("15.00"), D("15.00"), True))
    office.receive(order(**PLAIN))
    office.deliver()
    assert office.amounts() == {key: D("15.00"), "IT-71000123-T-3": D("5.00")}
    assert office.states() == {T1: "cancelled", "IT-71000123-T-3": "confirmed"}


def test_a_key_that_stands_twice_is_shown_to_a_person_and_nothing_is_deleted(office: Office) -> None:
    """D10: doubles are reported, never removed by us, and no third is sent."""
    office.receive(order(**PLAIN))
    office.deliver()
    office.books.add_cost(CostLine(T1, "J001", "id-J001", START.date(), "x", "FREE", T1, D("20.00"), D("20.00"), True))
    office.receive(order("71000124", **PLAIN))
    report = office.deliver()
    assert office.states()[T1] == "confirmed"
    assert "2 lines" in office.reason(T1)
    assert report.waiting_for_person == 1
    office.books.costs["id-J001"].pop(1)
    office.receive(order("71000125", **PLAIN))
    assert office.deliver().waiting_for_person == 0


@pytest.mark.parametrize("asked", [False, True])
def test_a_double_that_a_person_removed_days_later_is_noticed_by_itself_and_at_once_when_asked(office: Office, asked: bool) -> None:
    """D10: nothing else has the matter read by then."""
    office.receive(order(**PLAIN))
    office.deliver()
    line = CostLine(T1, "J001", "id-J001", START.date(), "x", "FREE", T1, D("20.00"), D("20.00"), True)
    office.books.add_cost(line)
    for _ in range(6 * 24):
        office.clock.pass_time(3600)
        office.deliver()
    assert office.deliver().waiting_for_person == 1
    office.books.costs["id-J001"].pop()
    reads = len(office.practice.calls)
    office.clock.pass_time(61)
    office.deliver()
    assert (office.deliver().waiting_for_person, len(office.practice.calls)) == (1, reads)
    if asked:
        office.ledger.retry(T1)
        office.clock.pass_time(61)
    else:
        office.clock.pass_time(3600)
    office.deliver()
    assert office.deliver().waiting_for_person == 0
    assert office.states() == {T1: "confirmed"}
    assert len(office.practice.sent) == 1
    with pytest.raises(ActionRefused, match="in the books already"):
        office.ledger.retry(T1)
    reads = len(office.practice.calls)
    for _ in range(48):
        office.clock.pass_time(3600)
        office.deliver()
    # The two late looks that every line gets after it was seen.
    assert len(office.practice.calls) == reads + 2


def test_a_double_is_looked_at_after_the_clock_was_set_back(office: Office) -> None:
    office.receive(order(**PLAIN))
    office.deliver()
    office.books.add_cost(CostLine(T1, "J001", "id-J001", START.date(), "x", "FREE", T1, D("20.00"), D("20.00"), True))
    office.clock.pass_time(86_400)
    office.deliver()
    assert office.deliver().waiting_for_person == 1
    office.books.costs["id-J001"].pop()
    office.clock.pass_time(-40_000)
    office.deliver()
    office.clock.pass_time(120)
    office.deliver()
    assert office.deliver().waiting_for_person == 0


def test_two_honest_equal_costs_are_both_posted(office: Office) -> None:
    """D8: the same amount, day and text under other keys confirm nothing."""
    office.receive(order("71000123", **PLAIN), order("71000124", **PLAIN))
    office.deliver()
    assert len(office.books.costs["id-J001"]) == 2
