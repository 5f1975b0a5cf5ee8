"""The time of day, without the leaps that somebody else's hand makes: a quiet time is not over because a clock was set."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from desktop.services.ledger.passed import NOTICED, since_boot

_NOTICED = timedelta(seconds=NOTICED)


def _now() -> datetime:
    return datetime.now(UTC)


class SteadyClock:
    """Aware UTC, as `wall` says. When that is set forward, it is followed only after `hold` has truly passed, so that whatever
    was waited for then has been waited for; set back, it is followed at once. Safe to use from several threads.

    `hold` must be longer than anything that is judged by time having passed (the quiet time and its two reads). What begins
    while a leap is held, or is left to the next process, is the ledger's to judge (see ledger/passed.py)."""

    def __init__(self, hold: timedelta, *, wall: Callable[[], datetime] = _now, elapsed: Callable[[], float] = since_boot) -> None:
        self._hold = hold
        self._wall = wall
        self._elapsed = elapsed
        self._lock = threading.Lock()
        self._before = (wall(), elapsed())
        self._leaps: list[tuple[float, timedelta]] = []

    def __call__(self) -> datetime:
        with self._lock:
            wall, elapsed = self._wall(), self._elapsed()
            leap = (wall - self._before[0]) - timedelta(seconds=elapsed - self._before[1])
            self._before = (wall, elapsed)
            if leap > _NOTICED:
                self._leaps.append((elapsed + self._hold.total_seconds(), leap))
            elif leap < -_NOTICED:
                self._leaps.clear()
            self._leaps = [(until, by) for until, by in self._leaps if until > elapsed]
            return wall - sum((by for _, by in self._leaps), timedelta())
