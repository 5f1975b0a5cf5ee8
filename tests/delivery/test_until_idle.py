"""`deliver --until-idle`: what it waits for, and what it does not."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from desktop.services.delivery.turn import Turn
from desktop.services.delivery.until_idle import Idle, until_idle
from desktop.services.errors import AnswerLost, NotSent, Refused, ServiceError, SignedOut, Wait
from desktop.services.ledger.errors import LedgerTrouble
from tests.delivery.stand_in import START, Office, fee, order

KEY = "IT-71000123-T-1"
LOST = AnswerLost("The server did not answer in time.")


def run(office: Office) -> Idle:
    def wait(until: datetime) -> None:
        assert until > office.clock()
        office.clock.at = until

    return until_idle(office.courier, office.clock, wait)


def took(office: Office) -> timedelta:
    return office.clock() - START


def a_cost(office: Office, **more: str) -> None:
    office.receive(order(supplier=fee("20.00"), **more))  # type: ignore[arg-type]  # the test names the fields


def test_it_ends_at_once_when_everything_is_read_back(office: Office) -> None:
    a_cost(office)
    done = run(office)
    assert done.is_clean
    assert took(office) == timedelta()
    assert office.states() == {KEY: "confirmed"}


def test_it_begins_with_a_new_look_at_orders_that_had_no_matter(office: Office) -> None:
    known, office.lookup.matters = office.lookup.matters, []
    a_cost(office)
    run(office)
    assert office.states() == {KEY: "held"}
    office.lookup.matters = known
    assert run(office).is_clean
    assert office.states() == {KEY: "confirmed"}


def test_it_waits_for_the_quiet_time_of_a_lost_answer(office: Office) -> None:
    faults = [LOST]
    office.practice.fault = lambda name, what: faults.pop() if name == "post_cost" and faults else None
    a_cost(office)
    done = run(office)
    assert done.is_clean
    assert timedelta(seconds=210) <= took(office) < timedelta(seconds=215)


def test_a_file_of_nobodys_order_is_waited_for_once_its_turn_has_come(office: Office) -> None:
    faults: list[ServiceError] = [AnswerLost("The answer was cut off.")]
    office.files.fault = lambda url: faults.pop() if faults else None
    office.receive(order(hash="h1"))
    done = run(office)
    assert done.is_clean
    assert set(office.states().values()) == {"confirmed"}


def test_a_file_of_nobodys_order_that_never_comes_counts_as_left(office: Office) -> None:
    office.files.fault = lambda url: AnswerLost("The answer was cut off.")
    office.receive(order(hash="h1"))
    done = run(office)
    assert not done.is_clean
    assert done.left == 1
    assert len(office.files.fetched) >= 3


def test_it_tries_a_passing_fault_at_least_three_times_and_leaves_the_rest_queued(office: Office) -> None:
    office.practice.fault = lambda name, what: NotSent("The server could not be reached.")
    a_cost(office)
    done = run(office)
    assert not done.is_clean
    assert (done.left, done.waiting_for_person) == (1, 0)
    assert office.states() == {KEY: "queued"}
    assert len(office.practice.calls) >= 3
    assert took(office) < timedelta(minutes=3)


def test_a_send_whose_answer_is_always_lost_is_tried_three_times(office: Office) -> None:
    office.practice.fault = lambda name, what: LOST if name == "post_cost" else None
    a_cost(office)
    done = run(office)
    assert not done.is_clean
    assert len(office.practice.sent) >= 3
    assert took(office) < timedelta(minutes=20)


def test_it_does_not_wait_longer_than_ten_minutes_for_a_limit(office: Office) -> None:
    office.practice.fault = lambda name, what: Wait("The day's calls are used up.", after=timedelta(hours=9), limit="day")
    a_cost(office)
    done = run(office)
    assert (done.left, took(office)) == (1, timedelta())


def test_it_waits_for_a_short_limit(office: Office) -> None:
    faults: list[ServiceError] = [Wait("Too many calls.", after=timedelta(seconds=90), limit="minute")]
    office.practice.fault = lambda name, what: faults.pop() if faults else None
    a_cost(office)
    assert run(office).is_clean
    assert took(office) == timedelta(seconds=90)


def test_a_lapsed_sign_in_is_not_waited_for(office: Office) -> None:
    office.practice.fault = lambda name, what: SignedOut("The sign-in has ended.")
    a_cost(office)
    done = run(office)
    assert (done.left, took(office)) == (1, timedelta())


def test_what_needs_a_person_is_told_and_not_waited_for(office: Office) -> None:
    office.practice.fault = lambda name, what: Refused("No.") if name == "post_cost" else None
    a_cost(office)
    done = run(office)
    assert (done.left, done.waiting_for_person) == (0, 1)
    assert not done.is_clean
    assert took(office) == timedelta()


def test_another_pcs_time_is_not_a_reason_to_stay(office: Office) -> None:
    office.ledger.close()
    office.takeover = timedelta(minutes=5)
    office.start()
    a_cost(office)
    done = run(office)
    assert took(office) == timedelta()
    assert office.states() == {KEY: "queued"}
    assert done.left == 0


def test_a_source_that_does_not_answer_is_tried_three_times(office: Office) -> None:
    tries = [0]

    def fault() -> ServiceError:
        tries[0] += 1
        return NotSent("The feed could not be reached.")

    office.feed.fault = fault
    done = run(office)
    assert not done.is_clean
    assert tries[0] >= 3
    assert took(office) < timedelta(minutes=3)


def test_a_slow_list_is_waited_for_until_it_shows_the_line(office: Office) -> None:
    office.books.unseen_until[KEY] = START + timedelta(seconds=45)
    a_cost(office)
    assert run(office).is_clean
    assert timedelta(seconds=45) <= took(office) <= timedelta(seconds=120)


def test_while_another_process_delivers_it_waits_its_turn(office: Office, tmp_path: Path) -> None:
    a_cost(office)
    with Turn(tmp_path).take() as mine:
        assert mine
        done = run(office)
    assert done.busy
    assert not done.is_clean
    assert timedelta(minutes=10) <= took(office) < timedelta(minutes=11)
    assert office.practice.calls == []
    assert run(office).is_clean


def test_one_thing_that_fails_for_good_does_not_keep_it_from_the_others(office: Office) -> None:
    office.practice.fault = lambda name, what: LOST if what == KEY else None
    office.receive(*(order(str(71000123 + n), supplier=fee("20.00")) for n in range(3)))
    run(office)
    assert sorted(office.states().values())[:2] == ["confirmed", "confirmed"]


def test_a_full_disk_is_met_with_a_breath_between_tries_and_an_end(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """C6."""
    passes = [0]

    def full(key: str) -> None:
        passes[0] += 1
        raise LedgerTrouble("The disk is full.")

    a_cost(office)
    monkeypatch.setattr(office.ledger, "claim", full)
    done = run(office)
    assert not done.is_clean
    assert [one.message for one in done.report.trouble] == ["The disk is full."]
    assert passes[0] < 70
    assert took(office) <= timedelta(minutes=11)
