"""A line that looks like ours but bears no key, where the system may drop notes: a person is asked, and only then."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from desktop.services.errors import NotSent, Refused, Wait
from desktop.services.ledger.facts import Posting
from desktop.services.practice.model import CostLine, PostedCost
from tests.delivery.stand_in import Books, Office, order
from tests.delivery.usual_orders import LOST, PLAIN, T1, D, fails_once

HOUR = 3600


class Forgetful(Books):
    """Books that drop every note."""

    def add_cost(self, line: CostLine) -> str:
        return super().add_cost(replace(line, note=""))


@pytest.fixture
def forgetful(office: Office) -> Office:
    office.books = Forgetful(office.clock)
    office.practice.books = office.books
    office.capable(keeps_marks=False)
    return office


def lines(office: Office) -> list[PostedCost]:
    return office.books.costs.get("id-J001", [])


def ours(office: Office) -> Posting:
    posting = office.ledger.posting(T1)
    assert posting is not None
    return posting


def typed(office: Office, **changes: Any) -> None:
    """A person's own line: what ours will be but for `changes`."""
    like = ours(office)
    line = PostedCost("p1", (), like.description, "FREE", "", Decimal(1), D("20.00"), D("20.00"), True, like.on)
    office.books.costs.setdefault("id-J001", []).append(replace(line, **changes))


def held(office: Office, *, restarted: bool = False) -> None:
    """Its answer was lost, it took effect, and its note was dropped."""
    fails_once(office, "post_cost", LOST)
    office.practice.does_it_anyway = True
    office.receive(order(**PLAIN))
    office.deliver()
    if restarted:
        office.restart()
    office.deliver_until(HOUR)
    assert office.states() == {T1: "held"}


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "started anew"])
def test_a_line_that_may_be_ours_is_held_and_not_posted_again(forgetful: Office, restarted: bool) -> None:
    """D6, D8."""
    held(forgetful, restarted=restarted)
    assert f"put {T1} into that line's note" in forgetful.reason(T1)
    assert (len(lines(forgetful)), len(forgetful.practice.sent)) == (1, 1)
    assert forgetful.ledger.waiting_for_person() == 1


def test_a_person_who_puts_the_key_there_and_retries_has_one_line(forgetful: Office) -> None:
    """D2, D8."""
    held(forgetful)
    (line,) = lines(forgetful)
    forgetful.books.costs["id-J001"] = [replace(line, keys=(T1,), note=T1)]
    forgetful.ledger.retry(T1)
    forgetful.deliver_until(HOUR)
    assert (forgetful.states(), len(lines(forgetful))) == ({T1: "confirmed"}, 1)


def test_a_person_who_says_that_it_is_another_has_it_sent(office: Office) -> None:
    office.capable(keeps_marks=False)
    fails_once(office, "post_cost", LOST)
    office.receive(order(**PLAIN))
    office.deliver()
    typed(office)
    office.deliver_until(HOUR)
    assert office.states() == {T1: "held"}
    office.ledger.retry(T1)
    office.deliver_until(HOUR)
    assert office.states() == {T1: "confirmed"}
    assert office.books.posted_keys() == [T1]


@pytest.mark.parametrize("changes", [{"on": None}, {"quantity": D(2), "unit_cost": D("10.00")}], ids=["no day", "two of half"])
def test_a_likeness_told_in_another_way_holds_too(office: Office, changes: dict[str, Any]) -> None:
    """D8."""
    office.capable(keeps_marks=False)
    fails_once(office, "post_cost", LOST)
    office.receive(order(**PLAIN))
    office.deliver()
    typed(office, **changes)
    office.deliver_until(HOUR)
    assert (office.states(), len(office.practice.sent)) == ({T1: "held"}, 1)


@pytest.mark.parametrize("changed", ["day", "description", "amount", "key"])
def test_a_firms_own_line_that_differs_holds_nothing(office: Office, changed: str) -> None:
    """D8: after a lost answer it is sent again, as ever."""
    office.capable(keeps_marks=False)
    fails_once(office, "post_cost", LOST)
    office.receive(order(**PLAIN))
    office.deliver()
    on = ours(office).on
    assert on is not None
    changes: dict[str, dict[str, Any]] = {
        "day": {"on": on - timedelta(days=1)},
        "description": {"description": "Courier to court"},
        "amount": {"unit_cost": D("20.01")},
        "key": {"keys": ("IT-79999999-T-1",), "note": "IT-79999999-T-1"},
    }
    typed(office, **changes[changed])
    office.deliver_until(HOUR)
    assert office.states() == {T1: "confirmed"}
    assert office.books.posted_keys().count(T1) == 1


BUSY = Wait("Too many calls.", after=timedelta(seconds=5), limit="minute")


@pytest.mark.parametrize("error", [None, NotSent("No network."), BUSY], ids=["first send", "no network", "limit"])
def test_an_equal_line_holds_nothing_that_never_left(office: Office, error: NotSent | Wait | None) -> None:
    """D8: what was proved not sent can't be the line that stands there."""
    office.capable(keeps_marks=False)
    office.receive(order(**PLAIN))
    office.courier.plan_only()
    typed(office)
    if error is not None:
        fails_once(office, "post_cost", error)
    office.deliver_until(HOUR)
    assert office.states() == {T1: "confirmed"}


def test_an_equal_line_holds_nothing_where_notes_stay(office: Office) -> None:
    fails_once(office, "post_cost", LOST)
    office.receive(order(**PLAIN))
    office.deliver()
    typed(office)
    office.deliver_until(HOUR)
    assert (office.states(), len(office.practice.sent)) == ({T1: "confirmed"}, 2)


def test_an_equal_line_holds_nothing_that_was_refused_and_is_retried(office: Office) -> None:
    office.capable(keeps_marks=False)
    fails_once(office, "post_cost", Refused("The job is closed."))
    office.receive(order(**PLAIN))
    office.deliver()
    typed(office)
    office.ledger.retry(T1)
    office.deliver_until(HOUR)
    assert office.states() == {T1: "confirmed"}
