"""Fees that change, are taken back, wait for approval or do not add up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desktop.services.errors import Refused
from desktop.services.infotrack.model import Source
from desktop.services.ledger.errors import ActionRefused
from tests.delivery.stand_in import Office, fee, matter, order
from tests.delivery.usual_orders import DOC, LOST, PLAIN, T1, D, R, S, fails_once


def test_a_later_fee_posts_the_difference_and_a_refund_a_credit(office: Office) -> None:
    office.receive(order(**PLAIN, sequence=1))
    office.deliver()
    office.receive(order(supplier=fee("25.00"), sequence=2))
    office.deliver()
    office.receive(order(supplier=fee("0.00"), retailer=fee("0.00"), sequence=3))
    office.deliver()
    assert office.amounts() == {T1: D("20.00"), "IT-71000123-T-2": D("5.00"), "IT-71000123-T-3": D("-25.00")}
    assert office.books.sum_on("J001") == 0


def test_repeats_and_older_messages_change_nothing(office: Office) -> None:
    new, old = order(supplier=fee("25.00"), sequence=2), order(**PLAIN, sequence=1)
    office.receive(new)
    office.deliver()
    assert office.receive(new, source=Source.FEED) == 0
    assert office.receive(old) == 1
    office.deliver()
    assert office.amounts() == {T1: D("25.00")}


def test_a_difference_that_was_not_sent_is_withdrawn_and_keeps_its_number(office: Office) -> None:
    office.receive(order(**PLAIN, sequence=1))
    office.deliver()
    office.receive(order(supplier=fee("25.00"), sequence=2))
    office.courier.plan_only()
    office.receive(order(supplier=fee("22.00"), sequence=3))
    office.deliver()
    assert office.states() == {T1: "confirmed", "IT-71000123-T-2": "cancelled", "IT-71000123-T-3": "confirmed"}
    assert office.amounts() == {T1: D("20.00"), "IT-71000123-T-3": D("2.00")}


def test_a_difference_waits_for_the_line_that_it_differs_from(office: Office) -> None:
    """D12: order is kept where it matters."""
    fails_once(office, "post_cost", LOST)
    office.receive(order(**PLAIN, sequence=1))
    office.deliver()
    office.receive(order(supplier=fee("15.00"), sequence=2))
    office.deliver()
    assert office.states() == {T1: "unknown", "IT-71000123-T-2": "queued"}
    office.deliver_until(400)
    assert [sent.key for sent in office.practice.sent] == [T1, T1, "IT-71000123-T-2"]
    assert office.books.sum_on("J001") == D("15.00")


def test_a_system_without_negative_lines_waits_with_the_correction_spelled_out(office: Office) -> None:
    office.capable(negative_costs=False)
    office.receive(order(**PLAIN, sequence=1))
    office.deliver()
    office.receive(order(supplier=fee("15.00"), sequence=2))
    office.deliver()
    assert office.states() == {T1: "confirmed", "IT-71000123-T-2": "held"}
    assert f"Change {T1} from 20.00 to 15.00" in office.reason("IT-71000123-T-2")


def test_an_order_that_is_moved_away_and_back_has_its_document_once(office: Office) -> None:
    office.receive(order(**PLAIN, hash="h1", sequence=1))
    office.deliver()
    office.ledger.move("71000123", matter("J002"))
    office.courier.plan_only()
    office.ledger.move("71000123", matter("J001"))
    office.deliver()
    assert office.states()[DOC] == "confirmed"
    assert office.states()["IT-71000123-D-2"] == "cancelled"
    assert [key for key in office.books.posted_keys() if "-D-" in key] == [DOC]


@pytest.mark.parametrize("becomes", ["confirmed", "rejected", "cancelled"])
def test_a_correction_by_hand_is_spelled_out_only_once_the_line_that_it_lowers_was_read_back(office: Office, becomes: str) -> None:
    """A line lowered by hand before it was known here would be adopted with what is left of it, and made good by another."""
    office.capable(negative_costs=False)
    fails_once(office, "post_cost", LOST)
    office.receive(order(**PLAIN, sequence=1))
    office.deliver()
    office.receive(order(supplier=fee("15.00"), sequence=2))
    office.deliver()
    assert office.states() == {T1: "unknown", "IT-71000123-T-2": "held"}
    assert f"until {T1} was seen there or is given up" in office.reason("IT-71000123-T-2")
    if becomes == "cancelled":
        office.ledger.cancel(T1)
        office.deliver()
        assert "You cancelled an earlier line" in office.reason("IT-71000123-T-2")
        return
    if becomes == "rejected":
        fails_once(office, "post_cost", Refused("The job is closed."))
    office.deliver_until(400)
    if becomes == "rejected":
        assert office.states() == {T1: "rejected", "IT-71000123-T-2": "held"}
        assert f"until {T1} was seen there or is given up" in office.reason("IT-71000123-T-2")
        office.ledger.retry(T1)
        office.deliver()
    assert office.states() == {T1: "confirmed", "IT-71000123-T-2": "held"}
    assert f"Change {T1} from 20.00 to 15.00" in office.reason("IT-71000123-T-2")


def test_where_nobody_knows_the_first_answer_to_a_negative_line_decides(office: Office) -> None:
    office.capable(negative_costs=None)
    negative: set[str] = set()
    office.practice.fault = lambda name, what: Refused("Quantity must be positive") if what in negative else None
    for order_id in ("71000123", "71000124"):
        negative.add(f"IT-{order_id}-T-2")
        office.receive(order(order_id, **PLAIN, sequence=1))
        office.deliver()
        office.receive(order(order_id, supplier=fee("15.00"), sequence=2))
        office.deliver()
    assert office.states()["IT-71000123-T-2"] == "held"
    assert "Quantity must be positive" in office.reason("IT-71000123-T-2")
    assert "from 20.00 to 15.00" in office.reason("IT-71000123-T-2")
    # The second one was not even tried.
    assert "IT-71000124-T-2" not in [sent.key for sent in office.practice.sent]
    negative.clear()
    office.ledger.retry("IT-71000123-T-2")
    office.deliver()
    assert office.states()["IT-71000123-T-2"] == "confirmed"


@pytest.mark.parametrize(
    ("review", "first", "second"),
    [("never", "confirmed", "confirmed"), ("differences", "confirmed", "held"), ("always", "held", "held")],
)
def test_review_decides_what_waits_for_approval(office: Office, review: str, first: str, second: str) -> None:
    office.change_settings(review=review)
    office.receive(order(**PLAIN, hash="h1", sequence=1))
    office.deliver()
    assert office.states() == {T1: first, DOC: "confirmed"}
    if first == "held":
        office.ledger.approve(T1)
        office.deliver()
    office.receive(order(supplier=fee("25.00"), sequence=2))
    office.deliver()
    assert office.states()["IT-71000123-T-2"] == second
    if second == "held":
        office.ledger.approve("IT-71000123-T-2")
        office.deliver()
    assert office.books.sum_on("J001") == D("25.00")


def test_fees_that_do_not_add_up_hold_the_cost_but_not_the_document(office: Office) -> None:
    office.receive(order(**PLAIN, total=fee("21.00"), hash="h1"))
    office.deliver()
    assert office.states() == {T1: "held", DOC: "confirmed"}
    with pytest.raises(ActionRefused):
        office.ledger.approve(DOC)
    office.receive(order(**PLAIN, total=fee("20.00"), hash="h1"))
    office.deliver()
    assert office.states()[T1] == "confirmed"


def test_unreadable_fees_wait_without_an_amount_until_a_better_message_comes(office: Office) -> None:
    office.receive(replace(order(hash="h1"), problems=("RetailerFee is not an amount.",)))
    office.deliver()
    assert office.states() == {T1: "held", DOC: "confirmed"}
    assert "RetailerFee is not an amount." in office.reason(T1)
    with pytest.raises(ActionRefused, match="not known"):
        office.ledger.approve(T1)
    office.receive(order(**PLAIN, hash="h1"))
    office.deliver()
    assert office.states() == {T1: "cancelled", DOC: "confirmed", "IT-71000123-T-2": "confirmed"}


def test_a_partly_taxed_fee_is_posted_as_the_split_once_approved(office: Office) -> None:
    office.receive(order(retailer=fee("6.00", "0.60"), supplier=fee("20.00", "1.50")))
    office.deliver()
    assert office.states() == {R: "confirmed", S: "held", "IT-71000123-S-2": "held"}
    for key in (S, "IT-71000123-S-2"):
        office.ledger.approve(key)
    office.deliver()
    assert {line.code: line.unit_cost for line in office.books.costs["id-J001"][1:]} == {"GST": D("15.00"), "FREE": D("5.00")}


@pytest.mark.parametrize("known", [False, None])
def test_where_prices_are_shown_the_correction_by_hand_speaks_of_prices(office: Office, known: bool | None) -> None:
    """Known beforehand, or from the system's first no."""
    office.capable(negative_costs=known, one_price=True)
    office.change_settings(markup_percent=10)
    office.receive(order(**PLAIN, sequence=1))
    office.deliver()
    fails_once(office, "post_cost", Refused("A price can't be negative."))
    office.receive(order(supplier=fee("15.00"), sequence=2))
    office.deliver()
    told = f"Change {T1} from 22.00 to 16.50 there by hand (the price that is shown there, without GST)"
    assert told in office.reason("IT-71000123-T-2")
