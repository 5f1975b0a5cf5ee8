"""Who may call a practice system whose limit is a bucket that fills by the second: people first, then read-backs, sends, the rest.

Facts (vendor docs): five calls a second with bursts of five; the bucket belongs to the app's client id and to each endpoint,
so every desk of every firm that uses the id draws on it; an answer does not tell what is left; over it comes 429, and whether
that says how long to wait is not documented. So one bucket here stands for all endpoints (stricter than the limit, and no
caller has to name its endpoint), and how fast it fills is learnt: each 429 makes it slower, by half, and time without one
faster again, a little at a time. Desks that do not know of each other come to even shares that way.
"""

from __future__ import annotations

import contextlib
import itertools
import random
import threading
from bisect import insort
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from desktop.services.errors import Wait
from desktop.services.practice.gateway import limit_named, retry_after
from desktop.services.practice.practice_system import Urgency

_PATIENCE = {
    Urgency.PERSON: timedelta(seconds=8),
    Urgency.READ_BACK: timedelta(seconds=65),
    Urgency.SEND: timedelta(seconds=65),
    Urgency.BACKGROUND: timedelta(seconds=65),
}

_SLOWEST = 0.05
_SLOWER = 0.5
_FASTER = 0.03
"""Calls a second that each second without a 429 gives back."""
_FIRST_BACK_OFF = 1.0
_LONGEST_BACK_OFF = 60.0
"""A bucket is full again after a second: to wait longer than this helps nobody."""
_ONE_EVENT = 1.0
"""Calls that were under way together meet the same empty bucket: that counts once."""
_RESERVE = {Urgency.PERSON: 0.0, Urgency.READ_BACK: 0.0, Urgency.SEND: 0.0, Urgency.BACKGROUND: 1.0}
"""What a call of each urgency leaves in the bucket, so that a person's click finds something there."""


def _now() -> datetime:
    return datetime.now(UTC)


def _wait(changed: threading.Condition, seconds: float) -> None:
    changed.wait(seconds)


class Bucket:
    """A CallGate and a CallAccount. Safe to use from several threads.

    `patience` is how long a call of each urgency may be kept waiting before Wait is raised instead; where the wait is known
    to be longer, Wait is raised at once. `wait` waits on the condition, at most so many seconds."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = _now,
        per_second: float = 5.0,
        burst: int = 5,
        patience: Mapping[Urgency, timedelta] | None = None,
        wait: Callable[[threading.Condition, float], None] = _wait,
        chance: random.Random | None = None,
    ) -> None:
        self._clock = clock
        self._patience = {**_PATIENCE, **(patience or {})}
        self._wait = wait
        self._chance = chance or random.Random()  # noqa: S311 - spreads calls, protects nothing
        self._most = per_second
        self._rate = per_second
        self._burst = float(burst)
        self._left = float(burst)
        self._at = 0.0
        self._until = 0.0
        self._problem = ""
        self._bad = 0
        self._met_at: float | None = None
        self._in_progress = 0
        self._changed = threading.Condition()
        self._queue: list[tuple[int, int]] = []
        self._numbers = itertools.count()
        self._closed = False

    @contextlib.contextmanager
    def call(self, urgency: Urgency) -> Iterator[None]:
        """Hold this while one call is in progress. Raises Wait, and then nothing was counted."""
        self._take_turn(urgency)
        try:
            yield
        finally:
            with self._changed:
                self._in_progress -= 1
                self._changed.notify_all()

    def learn(self, status: int, headers: Mapping[str, str]) -> None:
        """Tell what an answer's status and headers (lower-case names) said about the limits, while its call is held."""
        moment = self._clock()
        with self._changed:
            now = self._time(moment.timestamp())
            if status in (429, 503):
                after = retry_after(headers, moment)
                self._refused(status, now, limit_named(headers), None if after is None else after.total_seconds())
            elif now >= self._until:
                self._bad = 0
            self._changed.notify_all()

    def close(self) -> None:
        """Everybody who waits, now or later, gets Wait at once: the program is ending."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def snapshot(self) -> dict[str, object]:
        """For `status`, and for `restore` after the next start: plain values that JSON can hold. `per_second` is how many
        calls a second this desk allows itself now; `problem` and `until` are set while an answer's «later» holds."""
        with self._changed:
            now = self._time(self._clock().timestamp())
            held = now < self._until
            return {
                "per_second": round(self._rate, 2),
                "problem": self._problem if held else None,
                "until": datetime.fromtimestamp(self._until, UTC).isoformat(timespec="seconds") if held else None,
                "in_progress": self._in_progress,
                "kept": {
                    "per_second": round(self._rate, 2),
                    "at": None if self._rate >= self._most else int(now),
                    "until": self._until if held else None,
                    "problem": self._problem if held else None,
                },
            }

    def restore(self, snapshot: Mapping[str, object]) -> None:
        """Takes up what an earlier run knew of the other desks and of a «later» that still holds. Anything may be in it."""
        kept = snapshot.get("kept")
        if not isinstance(kept, Mapping):
            return
        with self._changed:
            now = self._clock().timestamp()
            rate, at = _number(kept, "per_second", _SLOWEST, self._most), _number(kept, "at", 0.0, now)
            if rate is not None and at is not None:
                self._rate = min(self._most, rate + (now - at) * _FASTER)
            until = _number(kept, "until", now, now + 3_600.0)
            problem = kept.get("problem")
            if until is not None:
                self._until = until
                self._problem = problem[:40] if isinstance(problem, str) else ""

    def _take_turn(self, urgency: Urgency) -> None:
        with self._changed:
            turn = (int(urgency), next(self._numbers))
            insort(self._queue, turn)
            since = self._clock()
            try:
                while True:
                    if self._closed:
                        raise Wait("The program is ending.", after=None, limit="budget")
                    moment = self._clock()
                    since = min(since, moment)
                    pause = self._pause(urgency, self._time(moment.timestamp()))
                    first = self._queue[0] == turn
                    if first and pause <= 0:
                        self._left -= 1.0
                        self._in_progress += 1
                        return
                    left = (self._patience[urgency] - (moment - since)).total_seconds()
                    if left <= 0 or pause > left:
                        raise self._later(pause)
                    # Behind others: somebody will notify.
                    self._wait(self._changed, min(left, pause) if first else left)
            finally:
                self._queue.remove(turn)
                self._changed.notify_all()

    def _pause(self, urgency: Urgency, now: float) -> float:
        """Seconds until a call of this urgency may go, if nobody goes before it; 0: now."""
        wanted = 1.0 + _RESERVE[urgency]
        missing = max(0.0, wanted - self._left) / self._rate
        return max(missing, self._until - now, 0.0)

    def _time(self, now: float) -> float:
        """Lets time pass: the bucket fills, and its rate grows back."""
        if not self._at or now < self._at:
            if now < self._at - 5.0:
                # The PC's clock was set back: nothing may wait for hours because of that.
                self._until = min(self._until, now + _LONGEST_BACK_OFF)
                self._met_at = None
            self._at = now
            return now
        passed = now - self._at
        self._left = min(self._burst, self._left + passed * self._rate)
        # A slower bucket lets fewer calls go together, too: the others' places in the burst are theirs.
        if self._rate < self._most:
            self._left = min(self._left, max(2.0, self._burst * self._rate / self._most))
        self._rate = min(self._most, self._rate + passed * _FASTER)
        self._at = now
        return now

    def _refused(self, status: int, now: float, limit: str, after: float | None) -> None:
        self._problem = "app" if status == 429 and limit == "server" else limit
        if self._met_at is None or now - self._met_at > _ONE_EVENT:
            self._met_at = now
            self._bad += 1
            if status == 429:
                self._rate = max(_SLOWEST, self._rate * _SLOWER)
        self._left = 0.0
        if after is None:
            ceiling = min(_LONGEST_BACK_OFF, _FIRST_BACK_OFF * 2.0 ** min(self._bad, 10))
            until = now + self._chance.uniform(0.2, 1.0) * ceiling
        else:
            # Desks that were told the same moment must not all start in it.
            until = now + after + self._chance.uniform(0.05, 1.0 / self._rate)
        self._until = max(self._until, until)

    def _later(self, pause: float) -> Wait:
        after = timedelta(seconds=pause) if pause > 0 else None
        return Wait("The practice system's calls are used up for the moment. It goes on by itself.", after=after, limit="budget")


def _number(kept: Mapping[str, object], name: str, low: float, high: float) -> float | None:
    value = kept.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high else None
