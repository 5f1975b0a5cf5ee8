"""What the courier does where a system, a source, a disk or one delivery is in trouble."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from desktop.services.errors import AccessMissing, AnswerLost, BadAnswer, NotNow, NotSent, ServiceError, SignedOut, Wait
from desktop.services.ledger.errors import LedgerTrouble
from desktop.services.practice.practice_system import MatterRef, Urgency
from tests.delivery.stand_in import FIRM, START, XPM, FakePractice, Office, matter, order
from tests.delivery.usual_orders import DOC, LOST, MIXED, PLAIN, T1, D, R, S, fails_once


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


def test_when_a_system_answers_again_what_could_not_leave_goes_soon(office: Office) -> None:
    """D6: each row had its own growing rest; the first answer ends them all, a few seconds apart from the other desks."""
    office.receive(*(order(str(71000123 + n), number=f"J00{n + 1}", **PLAIN) for n in range(3)))
    office.practice.fault = lambda call, what: NotSent("No network.") if call == "post_cost" else None
    for _ in range(20):
        office.deliver()
        office.courier.forgive()
        office.clock.pass_time(5)
    rests = [one.next_at - office.clock() for one in office.ledger.deliveries() if one.next_at is not None]
    assert max(rests) > min(rests) + timedelta(seconds=30)
    office.practice.fault = lambda call, what: None
    while not office.books.posted_keys():
        office.clock.pass_time(1)
        office.deliver()
    office.deliver_until(11)
    assert len(office.books.posted_keys()) == 3


class Keeper(FakePractice):
    """A practice system whose deleted jobs answer as before."""

    deleted: frozenset[str] = frozenset()

    def is_deleted(self, matter: MatterRef, *, urgency: Urgency = Urgency.SEND) -> bool:
        self._call("is_deleted", matter.number)
        return matter.number in self.deleted


def test_nothing_is_charged_to_a_job_that_was_deleted_since_the_list_was_read(office: Office) -> None:
    """D8: by our own mark the order names it for good; a person chooses another."""
    keeper = Keeper(office.books)
    keeper.deleted = frozenset({"J001"})
    office.connections.practices[XPM, FIRM] = keeper
    office.receive(order(**PLAIN, hash="h1", reference=office.ours()), order("71000124", number="J002", **PLAIN))
    office.deliver()
    assert office.states() == {T1: "held", DOC: "held", "IT-71000124-T-1": "confirmed"}
    assert office.reason(T1) == "The job J001 was deleted. Choose another one."
    office.ledger.retry(T1)
    office.deliver()
    assert office.states()[T1] == "held"
    office.ledger.move("71000123", matter("J003"))
    office.deliver()
    assert office.books.sum_on("J001") == 0
    assert office.books.sum_on("J003") == D("20.00")


def test_a_job_that_can_not_be_looked_at_gets_nothing_yet(office: Office) -> None:
    keeper = Keeper(office.books)
    office.connections.practices[XPM, FIRM] = keeper
    keeper.fault = lambda call, what: AnswerLost("It did not answer.") if call == "is_deleted" else None
    office.receive(order(**PLAIN))
    office.deliver()
    assert (keeper.sent, office.states()) == ([], {T1: "queued"})
    keeper.fault = lambda call, what: None
    office.deliver_until(600)
    assert office.states() == {T1: "confirmed"}


def test_a_file_that_is_held_for_an_hour_keeps_the_rest_of_its_folder_waiting_a_minute_at_most(office: Office) -> None:
    """What costs nobody a call is looked for again soon, however often it was missing before."""
    looks: list[timedelta] = []

    def held() -> NotNow:
        looks.append(office.clock() - START)
        return NotNow("A file in the drop folder can't be opened.")

    office.feed.fault = held
    for _ in range(3600):
        office.courier.run_once()
        office.clock.pass_time(1)
    gaps = [later - earlier for earlier, later in pairwise(looks)]
    assert max(gaps) <= timedelta(seconds=61)
    assert len(looks) <= 400
    office.feed.fault = lambda: None
    office.receive(order(**PLAIN))
    office.clock.pass_time(61)
    office.deliver()
    assert office.states() == {T1: "confirmed"}
