"""Ways through the ledger and the courier that are seldom taken, and must hold all the same."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from desktop.services.delivery.courier import Report
from desktop.services.delivery.worker import CourierThread
from desktop.services.errors import AnswerLost, Refused
from desktop.services.ledger.errors import ActionRefused, LedgerTrouble
from desktop.services.ledger.ledger import Ledger
from desktop.services.practice.model import Matter
from tests.delivery.stand_in import Books, Clock, Office, fee, matter, order


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    clock = Clock()
    made = Office(tmp_path, clock, Books(clock))
    yield made
    made.ledger.close()


# what a person may not do


def delivered(office: Office) -> None:
    """One row in each of the states that refuse something."""
    office.receive(order("1", retailer=fee("1.00"), sequence=1), order("3", number="nobody", retailer=fee("3.00"), sequence=2))
    office.deliver_until(30)
    office.receive(order("2", retailer=fee("2.00"), sequence=3), order("4", retailer=fee("4.00"), sequence=4))
    office.courier.plan_only()
    assert office.ledger.claim("IT-2-T-1") is not None
    office.ledger.cancel("IT-4-T-1")
    assert office.states() == {"IT-1-T-1": "confirmed", "IT-2-T-1": "sending", "IT-3-T-1": "held", "IT-4-T-1": "cancelled"}


Act = Callable[[Ledger], None]
NOWHERE = Matter(system="", tenant="", id="", number="", name="")
REFUSED: dict[str, tuple[Act, str]] = {
    "trying what is confirmed": (lambda ledger: ledger.retry("IT-1-T-1"), "in the books already"),
    "trying what is being sent": (lambda ledger: ledger.retry("IT-2-T-1"), "being sent at this moment"),
    "trying what is not there": (lambda ledger: ledger.retry("IT-9-T-1"), "There is no delivery"),
    "cancelling what is confirmed": (lambda ledger: ledger.cancel("IT-1-T-1"), "posted already"),
    "cancelling what is being sent": (lambda ledger: ledger.cancel("IT-2-T-1"), "being sent at this moment"),
    "cancelling twice": (lambda ledger: ledger.cancel("IT-4-T-1"), "cancelled already"),
    "approving what is confirmed": (lambda ledger: ledger.approve("IT-1-T-1"), "does not wait for approval"),
    "approving what has no matter": (lambda ledger: ledger.approve("IT-3-T-1"), "has no matter yet"),
    "moving to where it is": (lambda ledger: ledger.move("1", matter("J001")), "belongs to J001 already"),
    "moving to nowhere": (lambda ledger: ledger.move("1", NOWHERE), "Name the matter"),
    "moving what is not there": (lambda ledger: ledger.move("9", matter("J001")), "There is no order 9"),
    "taking over what is not there": (lambda ledger: ledger.take_over("9"), "There is no order 9"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_can_not_be_done_is_refused_in_words_and_changes_nothing(office: Office, what: str) -> None:
    """D16, D17: a click that comes too late, or a key that was mistyped."""
    delivered(office)
    before, steps = office.states(), [len(office.ledger.orders(order_id=str(number))[0].steps) for number in range(1, 5)]
    act, words = REFUSED[what]
    with pytest.raises(ActionRefused, match=words):
        act(office.ledger)
    assert office.states() == before
    assert [len(office.ledger.orders(order_id=str(number))[0].steps) for number in range(1, 5)] == steps


# one that fails, and the others


def test_an_order_that_can_not_be_planned_keeps_no_other_back(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """D11: a surprise in one order's facts is logged, and the rest is delivered."""
    real = Ledger.facts

    def facts(ledger: Ledger, order_id: str) -> object:
        if order_id == "1":
            raise ZeroDivisionError
        return real(ledger, order_id)

    monkeypatch.setattr(Ledger, "facts", facts)
    office.receive(order("1", retailer=fee("1.00"), sequence=1), order("2", retailer=fee("2.00"), sequence=2))
    office.deliver_until(30)
    assert office.states() == {"IT-2-T-1": "confirmed"}
    monkeypatch.undo()
    office.deliver_until(30)
    assert office.states() == {"IT-1-T-1": "confirmed", "IT-2-T-1": "confirmed"}


@pytest.mark.parametrize("error", [AnswerLost("The line broke."), Refused("Invalid job identifier")])
def test_a_number_that_nobody_could_be_asked_for_waits_with_the_reason_and_is_asked_for_again(
    office: Office, error: Exception
) -> None:
    """D16: a practice system that does not answer is no proof that there is no such matter; one that refuses the number is."""
    asked: list[str] = []

    def ask(system: str, number: str) -> Matter | None:
        asked.append(number)
        if len(asked) == 1:
            raise error
        return matter(number)

    office.lookup.ask = ask  # type: ignore[method-assign]
    office.receive(order("1", number="J777", retailer=fee("1.00")))
    office.deliver()
    assert office.states() == {"IT-1-T-1": "held"}
    reason = office.reason("IT-1-T-1")
    assert "No matter has the number J777" in reason
    assert ("could not be asked yet" in reason) == isinstance(error, AnswerLost)
    for _ in range(3):
        office.clock.pass_time(10)
        office.deliver()
    assert asked == ["J777"], "not asked again at once"
    office.clock.pass_time(90_000)
    office.deliver_until(60)
    assert office.states() == {"IT-1-T-1": "confirmed"}


def test_a_file_that_finds_no_room_waits_and_is_filed_when_there_is_some(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """C6: the disk is full for new files; the cost beside it is delivered, and the file follows."""

    def full(*_: object) -> None:
        raise LedgerTrouble("The disk is full.")

    monkeypatch.setattr(Ledger, "keep_body", full)
    office.receive(order("1", retailer=fee("1.00"), hash="h1"))
    office.deliver_until(30)
    assert office.states() == {"IT-1-T-1": "confirmed", "IT-1-D-1": "queued"}
    assert "disk is full" in office.reason("IT-1-D-1")
    monkeypatch.undo()
    office.deliver_until(1200)
    assert office.states() == {"IT-1-T-1": "confirmed", "IT-1-D-1": "confirmed"}


# the courier's thread


def test_a_courier_that_meets_a_bug_says_so_and_does_not_end_in_silence(office: Office) -> None:
    """D16: the edge of the thread: whoever started it is told, once, and nothing goes on half alive."""
    told: list[Exception] = []
    heard = threading.Event()

    def failed(error: Exception) -> None:
        told.append(error)
        heard.set()

    def broken(**_: object) -> Report:
        raise ZeroDivisionError

    office.courier.run_once = broken  # type: ignore[method-assign]
    thread = CourierThread(office.courier, office.ledger, on_change=lambda report: None, on_failure=failed)
    thread.start()
    assert heard.wait(20)
    assert thread.stop(20)
    assert [type(error) for error in told] == [ZeroDivisionError]
