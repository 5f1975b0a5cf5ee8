"""A clock that is set while something waits for time to pass."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from desktop.services.delivery.steady import SteadyClock
from desktop.services.errors import AnswerLost
from desktop.services.ledger.passed import Uptime, Waits, uptime
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


class Elsewhere:
    """A PC whose clock somebody sets while the program is not running; it may be switched off as well."""

    def __init__(self, folder: Path, *, believed: bool = False) -> None:
        self.true = Clock()
        self.offset = timedelta()
        self.boots, self.booted_at = 1, START
        self.office = Office(folder, _Wall(self), Books(self.true), uptime=None if believed else self.uptime)

    def uptime(self) -> Uptime:
        return Uptime(f"boot {self.boots}", (self.true.at - self.booted_at).total_seconds() + 500)

    def loses_an_answer(self, *, lands_after: float) -> None:
        errors = [AnswerLost("The line broke.")]
        self.office.practice.fault = lambda call, what: errors.pop() if call == "post_cost" and errors else None
        self.office.practice.does_it_anyway, self.office.practice.late_by = True, timedelta(seconds=lands_after)
        self.office.receive(order("1", retailer=fee("10.00")))
        self.office.deliver()

    def works(self, seconds: int) -> None:
        for _ in range(seconds // 5):
            self.true.pass_time(5)
            self.office.deliver()
        self.office.books.settle()

    def restarts(self, *, switched_off: bool = False) -> None:
        if switched_off:
            self.boots, self.booted_at = self.boots + 1, self.true.at
        self.office.restart()

    def times_posted(self) -> int:
        return self.office.books.posted_keys().count("IT-1-T-1")


class _Wall(Clock):
    def __init__(self, pc: Elsewhere) -> None:
        self._pc = pc

    def __call__(self) -> datetime:
        return self._pc.true.at + self._pc.offset


@pytest.mark.parametrize(("believed", "stands"), [(False, 1), (True, 2)])
@pytest.mark.parametrize("switched_off", [False, True])
@pytest.mark.parametrize("hours", [1, -3])
def test_a_clock_set_while_the_program_was_not_running_ends_no_wait(
    tmp_path: Path, believed: bool, stands: int, switched_off: bool, hours: int
) -> None:
    """C17, D6: an hour forward at once, or hours back and, after a send, forward again: the first try lands after 100 s."""
    pc = Elsewhere(tmp_path, believed=believed)
    if hours < 0:
        pc.offset = timedelta(hours=hours)
        pc.restarts()
    pc.loses_an_answer(lands_after=100)
    pc.works(10)
    pc.offset += timedelta(hours=abs(hours))
    pc.restarts(switched_off=switched_off)
    pc.works(900)
    assert pc.times_posted() == stands
    if not believed:
        assert pc.office.states() == {"IT-1-T-1": "confirmed"}
    pc.office.ledger.close()


def test_a_send_right_before_a_held_leap_is_let_go_waits_its_whole_time(tmp_path: Path) -> None:
    """C17, D6: the steady clock follows a leap after a while; what was sent a moment before that has not waited for it."""
    pc = Elsewhere(tmp_path)
    steady = SteadyClock(HOLD, wall=pc.office.clock, elapsed=lambda: pc.uptime().seconds)
    pc.office.ledger._clock = steady
    pc.offset = timedelta(hours=1)
    pc.works(280)
    pc.loses_an_answer(lands_after=100)
    pc.works(900)
    assert pc.times_posted() == 1
    pc.office.ledger.close()


def test_a_pc_that_was_switched_off_over_night_sends_again_after_one_whole_wait(tmp_path: Path) -> None:
    """D6: nobody proves that the night has passed, and three minutes more cost nobody anything."""
    pc = Elsewhere(tmp_path)
    pc.loses_an_answer(lands_after=10**6)
    pc.true.pass_time(12 * 3600)
    pc.restarts(switched_off=True)
    pc.works(150)
    assert pc.office.states() == {"IT-1-T-1": "unknown"}
    pc.works(100)
    assert pc.office.states() == {"IT-1-T-1": "confirmed"}
    assert pc.times_posted() == 1
    pc.office.ledger.close()


def test_a_program_started_anew_on_the_same_day_goes_on_where_it_was(tmp_path: Path) -> None:
    """D6: where the clock can be believed, a restart makes nothing wait longer."""
    pc = Elsewhere(tmp_path)
    pc.loses_an_answer(lands_after=10**6)
    pc.works(120)
    pc.restarts()
    pc.works(100)
    assert pc.office.states() == {"IT-1-T-1": "confirmed"}
    pc.office.ledger.close()


def test_the_systems_own_steady_time_goes_on() -> None:
    before = uptime()
    after = uptime()
    assert (after.boot, after.seconds >= before.seconds) == (before.boot, True)


@pytest.mark.parametrize("every", [20, 45, 120])
@pytest.mark.parametrize("by", [6, 400])
@pytest.mark.parametrize("lands_after", [100, 10**6])
def test_a_clock_that_is_set_every_few_minutes_keeps_no_line_in_doubt(
    tmp_path: Path, every: int, by: int, lands_after: float
) -> None:
    """C17, D6: forward again and again, as by a poor time server or a virtual machine; what this process has truly waited for
    counts, and what lands before the quiet time is over stands once."""
    pc = Elsewhere(tmp_path)
    pc.office.ledger._clock = SteadyClock(HOLD, wall=pc.office.clock, elapsed=lambda: pc.uptime().seconds)
    for _ in range(20):
        pc.works(every // 5 * 5)
        pc.offset += timedelta(seconds=by)
    pc.loses_an_answer(lands_after=lands_after)
    for _ in range(900 // every):
        pc.works(every // 5 * 5)
        pc.offset += timedelta(seconds=by)
    pc.office.books.settle()
    assert pc.times_posted() == 1
    assert pc.office.states() == {"IT-1-T-1": "confirmed"}
    pc.office.ledger.close()


def test_what_an_earlier_run_has_waited_for_counts_no_more_once_the_clock_was_set(tmp_path: Path) -> None:
    """C17, D6: a clock that is set and a program that is started anew, again and again: no wait ends before it is over."""
    pc = Elsewhere(tmp_path)
    pc.loses_an_answer(lands_after=10**6)
    for _ in range(10):
        pc.works(170)
        pc.offset += timedelta(hours=1)
        pc.restarts()
    assert pc.office.states() == {"IT-1-T-1": "unknown"}
    pc.works(900)
    assert pc.office.states() == {"IT-1-T-1": "confirmed"}
    assert pc.times_posted() == 1
    pc.office.ledger.close()


def test_a_read_during_which_the_clock_is_set_back_is_no_later_one(tmp_path: Path) -> None:
    """C17, D6: begun seconds after the send, by a clock that then goes back ten minutes."""
    pc = Elsewhere(tmp_path)
    pc.loses_an_answer(lands_after=100)
    ledger = pc.office.ledger
    posting = ledger.posting("IT-1-T-1")
    assert posting is not None
    patience = pc.office.courier.patience
    pc.true.pass_time(5)
    read_at = ledger.read_begins()
    pc.offset -= timedelta(minutes=10)
    ledger.note_books(posting.place, documents=False, seen=(), read_at=read_at, patience=patience)
    posting = ledger.posting("IT-1-T-1")
    assert posting is not None
    assert posting.absent_at is None
    pc.works(1800)
    assert pc.times_posted() == 1
    pc.office.ledger.close()


def test_a_wait_is_measured_to_the_beginning_of_a_read_and_anew_after_it_was_forgotten() -> None:
    """D6: a read that took long says nothing of its last seconds, nor a wait of one that went by the same name."""
    seconds = 100.0
    waits = Waits(lambda: Uptime("boot", seconds))
    waits.begins("sent", START)
    seconds = 110.0
    read_at = waits.read_begins(START + timedelta(seconds=10))
    seconds = 400.0
    waits.begins("sent", START)
    assert waits.waited("sent", START, read_at) == timedelta(seconds=10)
    assert waits.waited("sent", START, START + timedelta(seconds=11)) == timedelta()
    assert waits.waited("sent", START) == timedelta(seconds=300)
    assert waits.waited("sent", START + timedelta(seconds=1)) == timedelta()
    waits.forget("sent")
    assert waits.waited("sent", START) == timedelta()
