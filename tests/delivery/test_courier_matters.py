"""Orders without a matter, moved, cancelled, or gone where their parent went."""

from __future__ import annotations

from datetime import timedelta

import pytest

from desktop.services.errors import Refused
from desktop.services.ledger.errors import ActionRefused
from tests.delivery.stand_in import FIRM, XPM, Office, fee, matter, order
from tests.delivery.usual_orders import DOC, LOST, MIXED, PLAIN, T1, D, R, S, fails_once


def test_an_order_without_a_matter_waits_visibly_and_goes_where_a_person_says_under_the_same_keys(office: Office) -> None:
    office.receive(order(**MIXED, number="nonsense", hash="h1"))
    office.deliver()
    assert set(office.states().values()) == {"held"}
    assert {one.matter_number for one in office.ledger.deliveries()} == {""}
    with pytest.raises(ActionRefused, match="no matter"):
        office.ledger.approve(R)
    office.ledger.move("71000123", matter("J003"))
    office.deliver()
    assert office.states() == {R: "confirmed", S: "confirmed", DOC: "confirmed"}
    assert {one.undo for one in office.ledger.deliveries()} == {""}
    assert office.books.sum_on("J003") == D("26.00")


def test_a_matter_that_becomes_known_releases_what_waited_for_it(office: Office) -> None:
    office.receive(order(**PLAIN, number="J777"))
    office.deliver()
    assert office.lookup.asked == ["J777"]
    assert office.states() == {T1: "held"}
    office.lookup.matters.append(matter("J777"))
    office.clock.pass_time(61)
    office.deliver()
    assert office.states() == {T1: "confirmed"}
    assert office.lookup.asked == ["J777"]


def test_an_order_that_came_before_the_sign_in_is_looked_at_again_after_it(office: Office) -> None:
    office.connections.signed_out.add((XPM, FIRM))
    known, office.lookup.matters = office.lookup.matters, []
    office.receive(order(**PLAIN))
    office.deliver()
    assert office.states() == {T1: "held"}
    assert "could not be looked up yet: not connected" in office.reason(T1)
    office.connections.signed_out.clear()
    office.lookup.matters = known
    office.deliver()
    assert office.states() == {T1: "held"}
    office.courier.forgive()
    office.deliver()
    assert office.states() == {T1: "confirmed"}


def test_a_number_missing_here_is_asked_for_once(office: Office) -> None:
    office.lookup.remote.append(matter("J888"))
    office.receive(order(**PLAIN, number="J888"))
    office.deliver()
    assert office.states() == {T1: "confirmed"}


def test_a_move_posts_to_the_other_matter_under_the_next_number_and_says_what_to_undo(office: Office) -> None:
    office.receive(order(**PLAIN, hash="h1"))
    office.deliver()
    office.ledger.move("71000123", matter("J002"))
    office.deliver()
    assert office.states() == {
        T1: "confirmed",
        DOC: "confirmed",
        "IT-71000123-T-2": "confirmed",
        "IT-71000123-D-2": "confirmed",
    }
    assert office.books.sum_on("J002") == D("20.00")
    undo = {one.key: one.undo for one in office.ledger.deliveries()}
    assert undo["IT-71000123-T-2"] == f"Undo by hand: {T1} on J001 (20.00)."
    assert undo["IT-71000123-D-2"] == f"Undo by hand: {DOC} on J001."
    office.receive(order(supplier=fee("25.00"), hash="h1", status="Changed"))
    office.deliver()
    assert office.books.sum_on("J002") == D("25.00")
    assert office.books.sum_on("J001") == D("20.00")


def test_what_was_refused_is_moved_under_the_next_number_with_nothing_to_undo(office: Office) -> None:
    office.practice.fault = lambda name, what: Refused("The job is closed") if what in (T1, DOC) else None
    office.receive(order(**PLAIN, hash="h1"))
    office.deliver()
    assert office.states() == {T1: "rejected", DOC: "rejected"}
    office.ledger.move("71000123", matter("J002"))
    office.deliver()
    assert office.states() == {
        T1: "cancelled",
        DOC: "cancelled",
        "IT-71000123-T-2": "confirmed",
        "IT-71000123-D-2": "confirmed",
    }
    assert {one.undo for one in office.ledger.deliveries()} == {""}


def test_a_move_while_a_send_is_unknown_never_sends_to_the_old_matter_again(office: Office) -> None:
    fails_once(office, "post_cost", LOST)
    office.receive(order(**PLAIN))
    office.deliver()
    office.ledger.move("71000123", matter("J002"))
    office.deliver_until(900)
    assert office.states() == {T1: "cancelled", "IT-71000123-T-2": "confirmed"}
    assert office.books.sum_on("J001") == 0
    assert office.books.sum_on("J002") == D("20.00")


def test_what_a_person_cancelled_no_later_message_brings_back(office: Office) -> None:
    office.receive(order(**PLAIN, hash="h1", sequence=1))
    office.courier.plan_only()
    office.ledger.cancel(T1)
    office.ledger.cancel(DOC)
    office.receive(order(**PLAIN, hash="h1", sequence=2, status="Changed"))
    office.deliver()
    assert office.books.posted_keys() == []
    office.receive(order(supplier=fee("22.00"), hash="h1", sequence=3))
    office.deliver()
    assert office.states() == {T1: "cancelled", DOC: "cancelled", "IT-71000123-T-2": "held"}
    assert office.ledger.deliveries()[-1].amount == D("2.00")


def test_cancelling_what_may_be_posted_says_so_and_what_then_turns_up_is_named(office: Office) -> None:
    """D17."""
    fails_once(office, "post_cost", LOST)
    office.practice.does_it_anyway = True
    office.receive(order(**PLAIN))
    office.deliver()
    office.ledger.cancel(T1)
    assert "may already be posted" in office.reason(T1)
    office.receive(order("71000124", **PLAIN))
    office.deliver()
    (cancelled,) = office.ledger.deliveries(order_id="71000123")
    assert cancelled.state.value == "cancelled"
    assert "stands in the books of J001" in cancelled.undo


def test_what_was_cancelled_while_unknown_is_looked_for_before_it_is_sent_again(office: Office) -> None:
    fails_once(office, "post_cost", LOST)
    office.practice.does_it_anyway = True
    office.practice.late_by = timedelta(seconds=100)
    office.receive(order(**PLAIN))
    office.deliver()
    office.ledger.cancel(T1)
    office.ledger.retry(T1)
    office.deliver_until(900)
    assert office.books.posted_keys() == [T1]
    assert office.states() == {T1: "confirmed"}


@pytest.mark.parametrize("action", ["cancel", "retry"])
def test_what_is_in_the_books_can_be_neither_cancelled_nor_sent_again(office: Office, action: str) -> None:
    office.receive(order(**PLAIN))
    office.deliver()
    with pytest.raises(ActionRefused):
        getattr(office.ledger, action)(T1)
    with pytest.raises(ActionRefused, match="no delivery"):
        getattr(office.ledger, action)("IT-1-T-1")


def test_a_child_order_goes_where_its_parent_went(office: Office) -> None:
    office.receive(order("71000200", number="", parent="71000123", **PLAIN))
    office.deliver()
    assert office.states() == {"IT-71000200-T-1": "held"}
    office.receive(order(hash="h1"))
    office.deliver()
    assert office.states()["IT-71000200-T-1"] == "confirmed"


def test_cancelling_what_is_left_behind_on_the_old_matter_says_nothing_of_the_new_one(office: Office) -> None:
    """D8: the order was moved while a send was in doubt; nobody wants the old line any more, and everybody the new one."""
    fails_once(office, "post_cost", LOST)
    office.receive(order(**PLAIN, sequence=1))
    office.deliver()
    office.ledger.move("71000123", matter("J002"))
    office.courier.plan_only()
    office.ledger.cancel(T1)
    office.receive(order(supplier=fee("25.00"), sequence=2))
    office.deliver_until(60)
    assert office.states()[T1] == "cancelled"
    assert office.books.sum_on("J002") == D("25.00")
    with pytest.raises(ActionRefused, match="Move the order instead"):
        office.ledger.retry(T1)


def test_what_never_arrived_on_a_matter_that_was_left_waits_for_nobody_although_the_matter_was_closed_for_a_while(
    office: Office,
) -> None:
    fails_once(office, "post_cost", LOST)
    office.receive(order(**PLAIN))
    office.deliver()
    office.ledger.move("71000123", matter("J002"))
    office.deliver_until(181)
    # Once it was looked for after the quiet time; before the second look the matter can't be read, and a person is told.
    office.practice.fault = lambda call, what: Refused("No such job") if (call, what) == ("costs", "J001") else None
    office.deliver_until(60)
    assert office.deliver().waiting_for_person == 1
    office.practice.fault = lambda call, what: None
    office.deliver_until(86400)
    assert office.states() == {T1: "cancelled", "IT-71000123-T-2": "confirmed"}
    assert office.reason(T1) == "The order was moved to another matter; this never arrived."
    assert office.deliver().waiting_for_person == 0
