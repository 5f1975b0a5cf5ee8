"""`iconnect deliver --until-idle`: passes until nothing is left that time alone can finish, with an end in sight."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from desktop.services.delivery.courier import LEDGER_REST, Courier, Report

LONGEST_WAIT = timedelta(minutes=10)
TRIES = 3
OUT_OF_REACH = timedelta(seconds=45)
LOOK_APART = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Idle:
    """How it ended. `left`: deliveries that are still queued or open; `waiting_for_person` likewise counted; `busy`: another
    process kept the turn all the time."""

    report: Report
    left: int
    waiting_for_person: int
    busy: bool = False

    @property
    def is_clean(self) -> bool:
        """True when the command ends with 0."""
        return not (self.left or self.waiting_for_person or self.busy or self.report.trouble)


@dataclass(slots=True)
class _Watched:
    """One thing that is waited for: since when, and how often it has been tried while we waited."""

    since: datetime
    first_tries: int
    stage: str


def until_idle(
    courier: Courier, now: Callable[[], datetime], wait: Callable[[datetime], None], *, stop: Callable[[], bool] = lambda: False
) -> Idle:
    """Delivers until nothing is left that time alone can finish.

    Waits at most ten minutes for any one thing, tries passing faults at least three times, and leaves the rest queued.
    Orders that are left to another PC are not waited for. `wait` lets time pass until the given moment."""
    watched: dict[str, _Watched] = {}
    courier.stopping = stop
    courier.look_again()
    looked = now()
    first = True
    while True:
        # While work goes on apart there are many passes, and the sources need not be asked in each.
        collect = first or not courier.is_under_way() or not timedelta() <= now() - looked < LOOK_APART
        first, looked = False, now() if collect else looked
        report = courier.run_once(collect=collect)
        moments = _worth_waiting_for(courier, report, now(), watched)
        if not moments or stop():
            left = courier.left()
            return Idle(report, left, report.waiting_for_person, report.busy)
        # What is due but could not be done (the disk is full, say) is not tried without a breath between.
        breath = timedelta(milliseconds=10) if report.did_something else timedelta(seconds=1)
        if report.ledger_fails:
            breath = LEDGER_REST
        wait(max(min(moments), now() + breath))


def _worth_waiting_for(courier: Courier, report: Report, now: datetime, watched: dict[str, _Watched]) -> list[datetime]:
    if report.busy:
        thing = watched.setdefault("turn", _Watched(now, 0, "turn"))
        return [] if now - thing.since > LONGEST_WAIT or report.next_at is None else [report.next_at]
    watched.pop("turn", None)
    moments = []
    things = [(one.key, one.state.value, one.due, one.tries) for one in courier.pending()]
    things += [(f"source {one.where}", "source", one.until, one.tries) for one in courier.resting_sources()]
    for name, stage, due, tries in things:
        thing = watched.setdefault(name, _Watched(now, tries, stage))
        if thing.stage != stage and tries <= thing.first_tries:
            # It has moved on: a new wait begins.
            thing = watched[name] = _Watched(now, tries, stage)
        if not _is_given_up(thing, now, due, tries - thing.first_tries + (1 if tries else 0)):
            moments.append(due)
    return moments


def _is_given_up(thing: _Watched, now: datetime, due: datetime, tried: int) -> bool:
    waited = now - thing.since
    if due - now > LONGEST_WAIT:
        return True
    if tried >= TRIES:
        return waited >= OUT_OF_REACH
    return tried == 0 and waited > LONGEST_WAIT
