"""Who waits for a call and in which order: people first, then read-backs, sends, the rest; of equals, who came first."""

from __future__ import annotations

import itertools
import threading
from bisect import insort
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from desktop.services.delivery.allowance import GO, Pause
from desktop.services.errors import Wait
from desktop.services.practice.practice_system import Urgency

PATIENCE: Mapping[Urgency, timedelta] = {
    Urgency.PERSON: timedelta(seconds=8),
    Urgency.READ_BACK: timedelta(seconds=65),
    Urgency.SEND: timedelta(seconds=65),
    Urgency.BACKGROUND: timedelta(seconds=65),
}

OUT_OF_SERVICE = "server"
"""What a pause is for that a 503 asked for: nobody's calls are used up then."""


def let_time_pass(changed: threading.Condition, seconds: float) -> None:
    changed.wait(seconds)


class CallQueue:
    """Safe to use from several threads. `changed` guards the account that the callers draw on, and is to be notified when an
    answer or the end of a call has changed it.

    `patience` is how long a call of each urgency may be kept waiting before Wait is raised instead; where the wait is known
    to be longer, Wait is raised at once. `wait` waits on the condition, at most so many seconds."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        patience: Mapping[Urgency, timedelta] | None,
        wait: Callable[[threading.Condition, float], None],
    ) -> None:
        self.changed = threading.Condition()
        self._clock = clock
        self._patience = {**PATIENCE, **(patience or {})}
        self._wait = wait
        self._queue: list[tuple[int, int]] = []
        self._numbers = itertools.count()
        self._closed = False

    def close(self) -> None:
        """Everybody who waits, now or later, gets Wait at once: the program is ending."""
        with self.changed:
            self._closed = True
            self.changed.notify_all()

    def take_turn(
        self,
        urgency: Urgency,
        *,
        pause: Callable[[float], Pause],
        start: Callable[[float], None],
        used_up: Callable[[Pause], Wait],
    ) -> None:
        """Returns when the call may go and `start` has counted it. `pause` says what a call would have to wait for now (times
        are seconds since the epoch); `used_up` makes the Wait for a pause that is too long."""
        with self.changed:
            turn = (int(urgency), next(self._numbers))
            insort(self._queue, turn)
            since = self._clock()
            try:
                while True:
                    if self._closed:
                        raise Wait("The program is ending.", after=None, limit="budget")
                    now = self._clock()
                    since = min(since, now)
                    asked = pause(now.timestamp())
                    first = self._queue[0] == turn
                    if first and asked is GO:
                        start(now.timestamp())
                        return
                    left = (self._patience[urgency] - (now - since)).total_seconds()
                    if left <= 0 or (asked is not GO and asked.promised and asked.seconds > left):
                        raise _out_of_service(asked) or used_up(asked)
                    # Behind others, or waiting for a call to end: somebody will notify.
                    self._wait(self.changed, min(left, asked.seconds) if first else left)
            finally:
                self._queue.remove(turn)
                self.changed.notify_all()


def after(pause: Pause) -> timedelta | None:
    """How long the pause is known to last."""
    return timedelta(seconds=pause.seconds) if pause is not GO and pause.promised else None


def _out_of_service(pause: Pause) -> Wait | None:
    if pause.limit != OUT_OF_SERVICE:
        return None
    message = "The practice system is out of service for the moment. It goes on by itself."
    return Wait(message, after=after(pause), limit=OUT_OF_SERVICE)
