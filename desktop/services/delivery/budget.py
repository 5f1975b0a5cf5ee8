"""Who may call a practice system now: people before read-backs, read-backs before sends, sends before the rest.

One Budget for each connected organisation: the vendor's limits are the organisation's. The account itself, and the facts
about the limits, are in `allowance`; this adds the queue and the waiting.
"""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from desktop.services.delivery.allowance import Allowance, Pause
from desktop.services.delivery.call_queue import CallQueue, after, let_time_pass
from desktop.services.errors import Wait
from desktop.services.practice.gateway import limit_named, retry_after
from desktop.services.practice.practice_system import Urgency


def _now() -> datetime:
    return datetime.now(UTC)


class Budget:
    """A CallGate. Safe to use from several threads. `patience` and `wait` are the queue's."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = _now,
        at_once: int = 5,
        patience: Mapping[Urgency, timedelta] | None = None,
        wait: Callable[[threading.Condition, float], None] = let_time_pass,
        chance: random.Random | None = None,
    ) -> None:
        self._clock = clock
        self._queue = CallQueue(clock=clock, patience=patience, wait=wait)
        self._changed = self._queue.changed
        self._allowance = Allowance(at_once=at_once, chance=chance)

    @contextlib.contextmanager
    def call(self, urgency: Urgency) -> Iterator[None]:
        """Hold this while one call is in progress. Raises Wait, and then nothing was counted."""
        self._take_turn(urgency)
        try:
            yield
        finally:
            with self._changed:
                self._allowance.finish()
                self._changed.notify_all()

    def learn(self, status: int, headers: Mapping[str, str]) -> None:
        """Tell what an answer's status and headers (lower-case names) said about the limits, while its call is held."""
        now = self._clock()
        after = retry_after(headers, now)
        with self._changed:
            self._allowance.learn(
                status,
                headers,
                now.timestamp(),
                limit=limit_named(headers),
                after=None if after is None else after.total_seconds(),
            )
            self._changed.notify_all()

    def close(self) -> None:
        """Everybody who waits, now or later, gets Wait at once: the program is ending."""
        self._queue.close()

    def snapshot(self) -> dict[str, object]:
        """For `status`, and for `restore` after the next start: plain values that JSON can hold. `minute_remaining` and
        `day_remaining` are None while nothing is known; `problem` and `until` are set while an answer's «later» holds."""
        with self._changed:
            now = self._clock().timestamp()
            account = self._allowance
            for window in (account.minute, account.day):
                window.at(now)
            held = now < account.until
            return {
                "minute_remaining": _shown(account.minute.left),
                "day_remaining": _shown(account.day.left),
                "problem": account.problem if held else None,
                "until": datetime.fromtimestamp(account.until, UTC).isoformat(timespec="seconds") if held else None,
                "in_progress": account.in_flight,
                "kept": account.kept(),
            }

    def restore(self, snapshot: Mapping[str, object]) -> None:
        """Takes up what an earlier run knew, so that a restart does not forget the day's count. Anything may be in it."""
        kept = snapshot.get("kept")
        if isinstance(kept, Mapping):
            with self._changed:
                self._allowance.restored(kept, self._clock().timestamp())

    def _take_turn(self, urgency: Urgency) -> None:
        self._queue.take_turn(
            urgency,
            pause=lambda now: self._allowance.pause(urgency, now),
            start=lambda now: self._allowance.start(urgency, now),
            used_up=_later,
        )


def _later(pause: Pause) -> Wait:
    if pause.limit == "day":
        return Wait(
            "The firm's calls for today are nearly used up; the rest is kept for people and for checking what was sent. "
            "It goes on by itself when the day's limit is renewed.",
            after=after(pause),
            limit="day",
        )
    message = "The firm's calls for this minute are used up. It goes on by itself."
    return Wait(message, after=after(pause), limit=pause.limit or "budget")


def _shown(left: float | None) -> int | None:
    return None if left is None else max(0, int(left))
