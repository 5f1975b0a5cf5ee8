"""A clock that is set while something waits for time to pass."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from desktop.services.delivery.steady import SteadyClock, since_boot
from desktop.services.errors import AnswerLost
from tests.delivery.stand_in import START, Books, Clock, Office, fee, order

HOLD = timedelta(minutes=5)


class Pc:
    def __init__(self) -> None:
        self.true, self.offset = 0.0, timedelta()
        self.clock = SteadyClock(HOLD, wall=lambda: START + timedelta(seconds=self.true) + self.offset, elapsed=lambda: self.true)

    def after(self, seconds: float) -> timedelta:
        self.true += seconds
        return self.clock() - START


@pytest.fixture
def pc() -> Pc:
    return Pc()


def test_it_goes_with_the_wall_and_small_corrections(pc: Pc) -> None:
    assert pc.after(60) == timedelta(seconds=60)
    pc.offset = timedelta(seconds=2)
    assert pc.after(60) == timedelta(seconds=122)


def test_a_clock_set_forward_is_followed_when_the_hold_has_truly_passed(pc: Pc) -> None:
    """C17, D6: an hour's leap ends no quiet time."""
    pc.after(10)
    pc.offset = timedelta(hours=1)
    assert pc.after(5) == timedelta(seconds=15)
    assert pc.after(290) == timedelta(seconds=305)
    assert pc.after(20) == timedelta(hours=1, seconds=325)


def test_two_leaps_are_each_held(pc: Pc) -> None:
    pc.offset = timedelta(hours=1)
    pc.after(100)
    pc.offset = timedelta(hours=3)
    assert pc.after(100) == timedelta(seconds=200)
    assert pc.after(250) == timedelta(hours=1, seconds=450)
    assert pc.after(100) == timedelta(hours=3, seconds=550)


def test_a_clock_set_back_is_followed_at_once(pc: Pc) -> None:
    """C17."""
    pc.after(100)
    pc.offset = timedelta(hours=-1)
    assert pc.after(10) == timedelta(seconds=110) - timedelta(hours=1)


def test_it_never_leaps_by_more_than_was_slept_where_nothing_tells_of_sleep(pc: Pc) -> None:
    """A system whose steady time stands still during sleep: eight hours come as a leap, and are there five minutes later."""
    pc.offset = timedelta(hours=8)
    assert pc.after(1) == timedelta(seconds=1)
    assert pc.after(301) == timedelta(hours=8, seconds=302)


@pytest.mark.parametrize(("steady", "stands"), [(True, 1), (False, 2)])
def test_a_line_that_lands_a_minute_late_stands_once_although_the_clock_was_set_forward(
    tmp_path: Path, steady: bool, stands: int
) -> None:
    """C17, D6: the first try lands after a minute; meanwhile somebody puts the clock right by an hour."""
    true = Clock()
    pc = Pc()

    def now() -> datetime:
        pc.true = (true.at - START).total_seconds()
        return pc.clock() if steady else true.at + pc.offset

    office = Office(tmp_path, true, Books(true))
    office.ledger._clock = now
    errors = [AnswerLost("The line broke.")]
    office.practice.fault = lambda call, what: errors.pop() if call == "post_cost" and errors else None
    office.practice.does_it_anyway, office.practice.late_by = True, timedelta(seconds=60)
    office.receive(order("1", retailer=fee("10.00")))
    office.deliver()
    pc.offset = timedelta(hours=1)
    for _ in range(60):
        true.pass_time(10)
        office.deliver()
    office.ledger.close()
    office.books.settle()
    assert len(office.books.posted_keys()) == stands


def test_the_systems_own_steady_time_goes_on() -> None:
    before = since_boot()
    assert since_boot() >= before
