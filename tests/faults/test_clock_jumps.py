"""This PC's clock is set while a send is in doubt; the practice system's time goes on as ever."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from desktop.services.errors import AnswerLost
from tests.delivery.stand_in import XPM, Books, Clock, Office, fee, order

LANDS_AFTER = timedelta(seconds=60)
MINUTES, DAY = timedelta(minutes=5), timedelta(days=1)


class PcClock(Clock):
    """The right time, and how far this PC is from it."""

    def __init__(self, right: Clock) -> None:
        self._right = right
        self.off = timedelta()

    def __call__(self) -> datetime:
        return self._right() + self.off

    @property
    def at(self) -> datetime:
        return self()

    @at.setter
    def at(self, value: datetime) -> None:
        self._right.at = value - self.off


def in_doubt(folder: Path) -> tuple[Office, Clock, PcClock]:
    """One cost whose answer was lost, and which lands a minute later."""
    right = Clock()
    pc = PcClock(right)
    office = Office(folder, pc, Books(right))
    errors = [AnswerLost("The line broke.")]
    office.practice.fault = lambda call, what: errors.pop() if call == "post_cost" and errors else None
    office.practice.does_it_anyway, office.practice.late_by = True, LANDS_AFTER
    office.receive(order("1", retailer=fee("10.00")))
    office.deliver()
    assert office.states() == {"IT-1-T-1": "unknown"}
    return office, right, pc


def pass_real_time(office: Office, right: Clock, span: timedelta, *, step: int) -> None:
    """The right time passes, and the courier looks every `step` seconds."""
    for _ in range(int(span.total_seconds()) // step):
        right.pass_time(step)
        office.deliver()
    office.books.settle()


def times_posted(office: Office) -> int:
    return Counter(office.books.posted_keys())["IT-1-T-1"]


@pytest.mark.parametrize("back", [MINUTES, DAY])
def test_a_clock_put_back_delays_the_look_and_sends_nothing_twice(tmp_path: Path, back: timedelta) -> None:
    """C17, D6: by minutes or by a day; when it is settled, the line stands once and is confirmed."""
    office, right, pc = in_doubt(tmp_path)
    pc.off = -back
    pass_real_time(office, right, back + timedelta(minutes=5), step=30)
    assert office.states() == {"IT-1-T-1": "confirmed"}
    assert times_posted(office) == 1
    office.ledger.close()


def test_a_clock_put_forward_a_day_sends_nothing_twice_and_asks_a_person(tmp_path: Path) -> None:
    """C17, D6: what was tried «for a day» by the clock is not tried again unasked."""
    office, right, pc = in_doubt(tmp_path)
    pc.off = DAY
    pass_real_time(office, right, timedelta(minutes=30), step=10)
    assert times_posted(office) == 1
    assert office.ledger.waiting_for_person() == 1 or office.states() == {"IT-1-T-1": "confirmed"}
    office.ledger.close()


def test_a_clock_put_forward_by_minutes_within_the_quiet_time_is_found_out_by_the_later_look(tmp_path: Path) -> None:
    """C17, D10: the quiet time is over too soon by that clock, which is an assumption that is written down; what then stands
    twice is not kept quiet."""
    office, right, pc = in_doubt(tmp_path)
    pc.off = MINUTES
    pass_real_time(office, right, timedelta(minutes=20), step=10)
    if times_posted(office) == 1:
        assert office.states() == {"IT-1-T-1": "confirmed"}
    else:
        assert office.ledger.waiting_for_person() == 1
        assert "hold 2 lines" in office.reason("IT-1-T-1")
    office.ledger.close()


@pytest.mark.parametrize("jump", [-DAY, -MINUTES, MINUTES, DAY])
def test_after_the_answer_no_jump_of_the_clock_makes_a_second_line(tmp_path: Path, jump: timedelta) -> None:
    """C17: a plain day's work with the clock set in between."""
    right = Clock()
    pc = PcClock(right)
    office = Office(tmp_path, pc, Books(right))
    office.receive(order("1", retailer=fee("10.00")))
    office.deliver()
    pc.off = jump
    pass_real_time(office, right, timedelta(minutes=5), step=10)
    office.restart()
    pass_real_time(office, right, timedelta(minutes=5), step=10)
    assert times_posted(office) == 1
    assert office.states() == {"IT-1-T-1": "confirmed"}
    office.ledger.close()


def test_a_read_from_before_the_clock_was_set_back_is_no_fresh_one(tmp_path: Path) -> None:
    """D5: the first of two sends takes two minutes, and the clock goes back by ten meanwhile; the matter is read before the
    second one."""
    right = Clock()
    pc = PcClock(right)
    office = Office(tmp_path, pc, Books(right))
    ours = f"ICONNECT1_{office.ledger.installation}|{XPM}|id-J001"
    office.receive(order("1", reference=ours, retailer=fee("5.00")), order("2", reference=ours, retailer=fee("6.00")))
    office.courier.plan_only()
    right.pass_time(3600)

    def slow(call: str, what: str) -> None:
        if call == "post_cost" and not pc.off:
            pc.off = -2 * MINUTES
            right.pass_time(120)

    office.practice.fault = slow
    office.deliver()
    calls = [name for name, *_ in office.practice.calls]
    assert calls[:4] == ["costs", "post_cost", "costs", "post_cost"]
    assert times_posted(office) == 1
    office.ledger.close()
