"""One PC, one firm's books: what is sent, read back, and made of answers, refusals and silence."""

from __future__ import annotations

from datetime import timedelta

import pytest

from desktop.services.errors import Refused, ServiceError
from desktop.services.practice.model import CostLine
from tests.delivery.stand_in import START, Office, order
from tests.delivery.usual_orders import DOC, LOST, MIXED, PLAIN, T1, D, R, S, fails_once


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
