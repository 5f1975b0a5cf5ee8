"""One PC, one firm's books: what the courier does with answers, refusals, silence and changed minds."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from desktop.services.errors import AccessMissing, AnswerLost, BadAnswer, NotSent, Refused, ServiceError, SignedOut, Wait
from desktop.services.infotrack.model import Incoming, Source
from desktop.services.ledger.errors import ActionRefused, LedgerTrouble
from desktop.services.practice.model import CostLine, Document
from tests.delivery.stand_in import FIRM, START, XPM, Books, Clock, FakeFeed, FakePractice, Office, fee, matter, order

D = Decimal
R, S, T1, DOC = "IT-71000123-R-1", "IT-71000123-S-1", "IT-71000123-T-1", "IT-71000123-D-1"
LOST = AnswerLost("The server did not answer in time.")
MIXED: dict[str, Any] = {"retailer": fee("6.00", "0.60"), "supplier": fee("20.00")}
PLAIN: dict[str, Any] = {"supplier": fee("20.00")}


def fails_once(office: Office, call: str, error: ServiceError, *, times: int = 1) -> None:
    left = [times]

    def fault(name: str, what: str) -> ServiceError | None:
        if name == call and left[0] > 0:
            left[0] -= 1
            return error
        return None

    office.practice.fault = fault


def test_an_order_becomes_costs_and_a_document_that_were_read_back(office: Office) -> None:
    office.receive(order(**MIXED, hash="h1"))
    office.deliver()
    assert office.states() == {R: "confirmed", S: "confirmed", DOC: "confirmed"}
    (r, s) = office.books.costs["id-J001"]
    assert (r.unit_cost, r.code, r.note.split()[-1]) == (D("6.00"), "GST", R)
    assert (s.unit_cost, s.code, s.note.split()[-1]) == (D("20.00"), "FREE", S)
    assert r.description == "Title Search - 12RP90001"
    # Ordered at 20:00 UTC on the 3rd: the 4th in Sydney.
    assert str(r.on) == "2026-03-04"
    ((filed, content),) = office.books.documents["id-J001"]
    assert filed.file_name == "Title Search 12RP90001 71000123.pdf"
    assert (filed.folder, filed.text.split()[-1]) == ("InfoTrack", DOC)
    assert content.startswith(b"%PDF")


def test_a_matter_is_read_before_anything_is_sent_and_read_back_once_for_all(office: Office) -> None:
    """D9, and one read serves a job."""
    mine = office.ours()
    office.receive(order(**MIXED, reference=mine), order("71000124", **MIXED, reference=mine))
    office.deliver()
    assert [name for name, _ in office.practice.calls] == ["costs", *["post_cost"] * 4, "costs"]


def test_an_order_that_another_pc_may_send_as_well_is_looked_for_right_before_its_first_send(office: Office) -> None:
    """D9: what was sent meanwhile makes a read old, whatever the clock says."""
    office.receive(order(**MIXED), order("71000124", **MIXED))
    office.deliver()
    one = ["costs", "post_cost", "post_cost"]
    assert [name for name, _ in office.practice.calls] == [*one, *one, "costs"]


def test_a_read_of_our_own_orders_grows_old_while_slow_sends_go_on(office: Office) -> None:
    def slow(name: str, what: str) -> None:
        office.clock.pass_time(4 if name == "post_cost" else 0)

    office.practice.fault = slow
    office.receive(*(order(str(71000123 + n), **PLAIN, reference=office.ours()) for n in range(3)))
    office.deliver()
    assert [name for name, _ in office.practice.calls] == ["costs", "post_cost", "post_cost", "costs", "post_cost", "costs"]


def test_a_yes_alone_confirms_nothing(office: Office) -> None:
    """D16: accepted until a read shows it."""
    office.books.unseen_until[T1] = START + timedelta(seconds=30)
    office.receive(order(**PLAIN))
    office.deliver()
    assert office.states() == {T1: "accepted"}
    office.deliver_until(60)
    assert office.states() == {T1: "confirmed"}
    assert len(office.practice.sent) == 1


def test_an_answer_lost_on_a_line_that_landed_is_settled_by_reading(office: Office) -> None:
    fails_once(office, "post_cost", LOST)
    office.practice.does_it_anyway = True
    office.receive(order(**PLAIN))
    office.deliver()
    assert office.states() == {T1: "unknown"}
    office.deliver_until(600)
    assert office.states() == {T1: "confirmed"}
    assert office.books.posted_keys() == [T1]


def test_an_answer_lost_on_a_line_that_never_landed_is_sent_again_after_the_quiet_time_and_two_reads(office: Office) -> None:
    """D6: not one second before."""
    fails_once(office, "post_cost", LOST)
    office.receive(order(**PLAIN))
    office.deliver()
    office.deliver_until(209)
    assert len(office.practice.sent) == 1
    assert office.states() == {T1: "unknown"}
    office.deliver_until(5)
    assert office.states() == {T1: "confirmed"}
    first, second = office.practice.sent
    assert first == second
    assert office.books.posted_keys() == [T1]


def test_a_line_that_lands_within_the_quiet_time_is_not_sent_again(office: Office) -> None:
    fails_once(office, "post_cost", LOST)
    office.practice.does_it_anyway = True
    office.practice.late_by = timedelta(seconds=170)
    office.receive(order(**PLAIN))
    office.deliver()
    office.deliver_until(900)
    assert office.books.posted_keys() == [T1]
    assert office.states() == {T1: "confirmed"}


def test_a_yes_with_a_number_that_never_shows_is_not_sent_again_but_shown_to_a_person(office: Office) -> None:
    """D1: a line may have been invoiced or moved there, or the list may be slow."""
    office.receive(order(**PLAIN))
    office.books.add_cost = lambda line: "c0"  # type: ignore[method-assign]
    office.deliver()
    office.deliver_until(10 * 3600)
    assert len(office.practice.sent) == 1
    assert office.states() == {T1: "accepted"}
    assert "is not sent again" in office.reason(T1)
    assert office.deliver().waiting_for_person == 1
    assert office.courier.pending() == ()


def test_a_yes_with_a_number_that_shows_late_is_confirmed_all_the_same(office: Office) -> None:
    office.receive(order(**PLAIN))
    real = office.books.add_cost
    kept: list[CostLine] = []

    def later(line: CostLine) -> str:
        kept.append(line)
        return "c1"

    office.books.add_cost = later  # type: ignore[method-assign]
    office.deliver()
    office.deliver_until(400)
    assert office.states() == {T1: "accepted"}
    real(kept[0])
    office.deliver_until(4000)
    assert office.books.posted_keys() == [T1]
    assert office.states() == {T1: "confirmed"}
    assert office.deliver().waiting_for_person == 0


def test_a_person_may_have_an_accepted_line_that_never_showed_sent_again(office: Office) -> None:
    office.receive(order(**PLAIN))
    real = office.books.add_cost
    office.books.add_cost = lambda line: "c0"  # type: ignore[method-assign]
    office.deliver()
    office.deliver_until(400)
    office.books.add_cost = real  # type: ignore[method-assign]
    office.ledger.retry(T1)
    office.deliver_until(800)
    assert len(office.practice.sent) == 2
    assert office.books.posted_keys() == [T1]
    assert office.states() == {T1: "confirmed"}


def test_a_yes_without_a_number_that_never_shows_goes_the_same_careful_way(office: Office) -> None:
    office.receive(order(**PLAIN))
    real = office.books.add_cost
    office.books.add_cost = lambda line: ""  # type: ignore[method-assign]
    office.deliver()
    office.books.add_cost = real  # type: ignore[method-assign]
    office.deliver_until(200)
    assert len(office.practice.sent) == 1
    office.deliver_until(400)
    assert len(office.practice.sent) == 2
    assert office.states() == {T1: "confirmed"}


def test_a_bare_yes_that_never_shows_is_sent_again_once_and_then_shown_to_a_person(office: Office) -> None:
    """D1: a list may be slower than all our patience; what shows up late confirms it, and a double is found."""
    late: list[CostLine] = []

    def never_shown(line: CostLine) -> str:
        late.append(line)
        return ""

    real, office.books.add_cost = office.books.add_cost, never_shown  # type: ignore[method-assign]
    office.receive(order(**PLAIN))
    office.deliver()
    office.deliver_until(24 * 3600)
    assert len(office.practice.sent) == 2
    assert office.states() == {T1: "accepted"}
    assert "sent 2 times and the practice system said yes" in office.reason(T1)
    assert office.deliver().waiting_for_person == 1
    assert office.courier.pending() == ()
    for line in late:
        real(line)
    office.deliver_until(1800)
    assert office.states() == {T1: "confirmed"}
    assert "2 lines" in office.reason(T1)
    assert office.deliver().waiting_for_person == 1


def test_a_refusal_is_shown_in_the_remotes_words_and_holds_up_nothing_else(office: Office) -> None:
    office.practice.fault = lambda name, what: Refused("No such code") if what == R else None
    office.receive(order(**MIXED, hash="h1"), order("71000124", **PLAIN))
    report = office.deliver()
    assert office.states() == {R: "rejected", S: "confirmed", DOC: "confirmed", "IT-71000124-T-1": "confirmed"}
    assert office.reason(R) == "No such code"
    assert report.waiting_for_person == 1
    office.practice.fault = lambda name, what: None
    office.ledger.retry(R)
    office.deliver()
    assert office.states()[R] == "confirmed"


def test_a_process_that_died_while_sending_leaves_an_unknown_not_a_queued(office: Office) -> None:
    class Dies(BaseException):
        pass

    def die(name: str, what: str) -> ServiceError | None:
        if name == "post_cost":
            raise Dies
        return None

    office.practice.fault = die
    office.receive(order(**PLAIN))
    with pytest.raises(Dies):
        office.deliver()
    assert office.states() == {T1: "sending"}
    office.practice.fault = lambda name, what: None
    office.restart()
    office.deliver()
    assert office.states() == {T1: "unknown"}
    office.deliver_until(209)
    assert len(office.practice.sent) == 1
    office.deliver_until(10)
    assert office.states() == {T1: "confirmed"}


def test_a_limit_rests_the_whole_tenant_until_it_ends_even_over_a_restart(office: Office) -> None:
    """D13: Retry-After is obeyed, and outlives the program; it costs no attempt."""
    fails_once(office, "post_cost", Wait("Too many calls.", after=timedelta(seconds=40), limit="minute"))
    office.receive(order(**MIXED))
    report = office.deliver()
    assert report.next_at == START + timedelta(seconds=40)
    assert {one.attempts for one in office.ledger.deliveries()} == {0}
    calls = len(office.practice.calls)
    office.restart()
    office.clock.pass_time(39)
    office.deliver()
    assert len(office.practice.calls) == calls
    office.clock.pass_time(2)
    office.deliver()
    assert set(office.states().values()) == {"confirmed"}


@pytest.mark.parametrize("error", [SignedOut("The sign-in has ended."), AccessMissing("No right.", cure="Ask Kim.")])
def test_a_lapsed_sign_in_parks_the_tenant_and_costs_no_attempt(office: Office, error: ServiceError) -> None:
    """A21, A23: rows stay queued for their own tenant until a person has signed in."""
    fails_once(office, "costs", error)
    office.receive(order(**MIXED))
    report = office.deliver()
    assert set(office.states().values()) == {"queued"}
    assert [(one.needs_person, one.where) for one in report.trouble] == [(True, XPM)]
    office.deliver()
    assert len(office.practice.calls) == 1
    office.courier.forgive()
    office.deliver()
    assert set(office.states().values()) == {"confirmed"}
    assert {one.attempts for one in office.ledger.deliveries()} == {1}


def test_another_tenants_sign_in_never_gets_the_old_queue(office: Office) -> None:
    """A23."""
    other = FakePractice(office.books)
    office.receive(order(**PLAIN))
    office.courier.plan_only()
    office.connections.practices[XPM, "firm-2"] = other
    office.connections.signed_out.add((XPM, FIRM))
    office.deliver_until(3600)
    assert other.calls == []
    assert office.states() == {T1: "queued"}
    assert office.courier.left() == 1
    assert office.courier.pending() == ()


def test_what_waits_for_a_sign_in_or_a_limit_says_so(office: Office) -> None:
    office.receive(order(**PLAIN))
    office.courier.plan_only()
    assert [one.reason for one in office.courier.explained(office.ledger.deliveries())] == [""]
    office.connections.signed_out.add((XPM, FIRM))
    (waiting,) = office.courier.explained(office.ledger.deliveries())
    assert "Waits for the sign-in" in waiting.reason
    office.connections.signed_out.clear()
    fails_once(office, "costs", Wait("The firm's calls for today are used up.", after=timedelta(hours=9), limit="day"))
    office.deliver()
    office.restart()
    (waiting,) = office.courier.explained(office.ledger.deliveries())
    assert waiting.reason == "The firm's calls for today are used up. It goes on by itself."


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


def set_by_hand(office: Office, key: str, cost: str) -> None:
    (lines,) = office.books.costs.values()
    index = next(index for index, line in enumerate(lines) if key in line.keys)
    lines[index] = replace(lines[index], unit_cost=D(cost), unit_price=D(cost))


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


def test_two_honest_equal_costs_are_both_posted(office: Office) -> None:
    """D8: the same amount, day and text under other keys confirm nothing."""
    office.receive(order("71000123", **PLAIN), order("71000124", **PLAIN))
    office.deliver()
    assert len(office.books.costs["id-J001"]) == 2


def test_a_poison_item_goes_to_a_person_after_three_lost_answers_and_blocks_nobody(office: Office) -> None:
    """D11."""
    office.practice.fault = lambda name, what: LOST if what == T1 else None
    office.receive(order(**PLAIN), *(order(str(80000000 + n), **PLAIN) for n in range(20)))
    office.deliver()
    assert sum(state == "confirmed" for state in office.states().values()) == 20
    office.deliver_until(3600)
    assert office.states()[T1] == "unknown"
    assert "sent 3 times without an answer" in office.reason(T1)
    assert office.deliver().waiting_for_person == 1
    assert office.courier.pending() == ()
    office.deliver_until(10 * 3600)
    assert sum(one.key == T1 for one in office.practice.sent) == 3
    office.practice.fault = lambda name, what: None
    office.ledger.retry(T1)
    office.deliver_until(120)
    assert office.states()[T1] == "confirmed"
    assert sum(one.key == T1 for one in office.practice.sent) == 4


def test_an_unreadable_matter_is_its_own_trouble_while_others_can_be_read(office: Office) -> None:
    office.practice.fault = lambda name, what: BadAnswer("Not XML.") if what == "J001" else None
    office.receive(order(**PLAIN), order("71000124", number="J002", **PLAIN))
    office.deliver()
    assert office.states() == {T1: "queued", "IT-71000124-T-1": "confirmed"}
    assert office.reason(T1) == "Not XML."


def test_a_system_that_answers_nothing_rests_and_costs_no_delivery_its_place(office: Office) -> None:
    office.practice.fault = lambda name, what: NotSent("The server could not be reached.")
    office.receive(*(order(str(80000000 + n), **PLAIN) for n in range(5)))
    office.deliver_until(4 * 3600)
    assert set(office.states().values()) == {"queued"}
    gaps = len(office.practice.calls)
    assert 16 < gaps < 200
    office.practice.fault = lambda name, what: None
    office.deliver_until(1000)
    assert set(office.states().values()) == {"confirmed"}


def test_a_matter_that_the_system_does_not_know_rejects_what_waits_for_it(office: Office) -> None:
    office.practice.known = frozenset({"J002"})
    office.receive(order(**PLAIN))
    office.deliver()
    assert office.states() == {T1: "rejected"}
    assert "Invalid job identifier" in office.reason(T1)


# changed fees


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


# documents


def test_a_new_hash_is_a_further_version_and_the_same_one_is_not(office: Office) -> None:
    office.receive(order(hash="h1", sequence=1))
    office.deliver()
    office.receive(order(hash="h1", sequence=2, status="Changed"), order(hash="h2", sequence=3))
    office.deliver()
    assert office.books.posted_keys() == [DOC, "IT-71000123-D-2"]


def test_a_file_is_kept_before_it_is_sent_and_every_send_is_the_same_to_the_byte(office: Office) -> None:
    """D18."""
    count = [0]

    def content(url: str) -> bytes:
        count[0] += 1
        return b"%PDF-1.7 version " + str(count[0]).encode()

    office.files.content = content
    fails_once(office, "post_document", LOST)
    office.receive(order(hash="h1"))
    office.deliver()
    office.restart()
    office.deliver_until(400)
    first, second = office.practice.sent
    assert isinstance(first, Document)
    assert first == second
    assert count == [1]
    assert office.states() == {DOC: "confirmed"}


def test_a_file_too_large_for_the_system_goes_to_a_person(office: Office) -> None:
    office.capable(max_document_bytes=10)
    office.receive(order(hash="h1", **PLAIN))
    office.deliver()
    assert office.states() == {T1: "confirmed", DOC: "held"}
    assert "by hand" in office.reason(DOC)
    assert office.practice.named("post_document") == []


def test_a_file_that_infotrack_refuses_is_rejected_and_the_cost_goes_on(office: Office) -> None:
    office.files.fault = lambda url: Refused("Order not found", status=404)
    office.receive(order(hash="h1", **PLAIN))
    office.deliver()
    assert office.states() == {T1: "confirmed", DOC: "rejected"}
    office.files.fault = lambda url: None
    office.ledger.retry(DOC)
    office.deliver()
    assert office.states()[DOC] == "confirmed"


def test_rejected_infotrack_credentials_are_not_tried_again_until_a_person_has_signed_in(office: Office) -> None:
    office.files.fault = lambda url: SignedOut("InfoTrack does not accept the login.")
    office.receive(order(hash="h1"), order("71000124", hash="h1"))
    report = office.deliver()
    office.deliver_until(7200)
    assert len(office.files.fetched) == 1
    assert [one.where for one in report.trouble] == ["documents"]
    assert set(office.states().values()) == {"queued"}
    office.files.fault = lambda url: None
    office.courier.forgive()
    office.deliver_until(1000)
    assert set(office.states().values()) == {"confirmed"}


def test_a_login_page_instead_of_a_file_is_never_filed(office: Office) -> None:
    office.files.fault = lambda url: BadAnswer("A web page came instead of the file.")
    office.receive(order(hash="h1"))
    office.deliver_until(4 * 3600)
    assert office.books.documents == {}
    assert office.states() == {DOC: "held"}


def test_a_typed_result_is_delivered_and_the_same_message_later_changes_nothing(office: Office) -> None:
    typed = replace(order(**MIXED, number="J002"), download_url="", file_hash="typed-1")
    office.ledger.record([Incoming(typed, b"raw", Source.TYPED, "J002", "scan.pdf", b"%PDF typed")])
    office.deliver()
    assert office.states() == {R: "confirmed", S: "confirmed", DOC: "confirmed"}
    assert office.books.documents["id-J002"][0][1] == b"%PDF typed"
    office.receive(order(**MIXED, number="J002", hash="h1", sequence=9))
    office.deliver()
    assert len(office.books.posted_keys()) == 3
    office.receive(order(retailer=fee("6.00", "0.60"), supplier=fee("21.00"), number="J002", hash="h1", sequence=10))
    office.deliver()
    assert office.amounts()["IT-71000123-S-2"] == D("1.00")


# people


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


def test_a_full_disk_stops_collecting_but_not_the_deliveries(office: Office) -> None:
    """C6: what is noted already is still delivered."""
    office.receive(order(**PLAIN))
    office.feed.fault = lambda: LedgerTrouble("The disk is full.")
    report = office.deliver()
    assert office.states() == {T1: "confirmed"}
    assert [one.message for one in report.trouble] == ["The disk is full."]


def test_a_surprise_in_one_source_or_one_send_keeps_nothing_else_back(office: Office) -> None:
    office.feed.fault = lambda: ValueError("a bug")

    def bug(name: str, what: str) -> ServiceError | None:
        if what == R:
            raise ValueError("a bug")
        return None

    office.practice.fault = bug
    office.receive(order(**MIXED))
    office.deliver()
    assert office.states()[R] == "unknown"
    office.deliver_until(1)
    office.practice.fault = lambda name, what: None
    office.deliver_until(900)
    assert set(office.states().values()) == {"confirmed"}
    assert sorted(office.books.posted_keys()) == [R, S]


def test_a_person_who_is_quicker_than_the_courier_is_obeyed_and_stops_nothing(office: Office) -> None:
    def cancel_it(url: str) -> ServiceError:
        office.ledger.cancel(DOC)
        return BadAnswer("A web page came instead of the file.")

    office.files.fault = cancel_it
    office.receive(order(**PLAIN, hash="h1"), order("71000124", number="J002", **PLAIN))
    office.deliver()
    assert office.states()[DOC] == "cancelled"
    assert office.states()["IT-71000124-T-1"] == "confirmed"
    office.deliver()
    assert office.states()[T1] == "confirmed"


# other PCs


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
