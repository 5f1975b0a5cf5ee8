"""Who may call a practice system whose limit is a bucket that fills by the second: people first, then read-backs, sends, the rest.

Facts (vendor docs): five calls a second with bursts of five; the bucket belongs to the app's client id and to each endpoint,
so every desk of every firm that uses the id draws on it; an answer does not tell what is left; over it comes 429, and whether
that says how long to wait is not documented. So one bucket here stands for all endpoints (stricter than the limit, and no
caller has to name its endpoint), and how fast it fills is learnt: each 429 makes it slower, by half, and time without one
faster again, a little at a time. Desks that do not know of each other come to even shares that way.
"""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from desktop.services.delivery.allowance import GO, Pause
from desktop.services.delivery.call_queue import CallQueue, after, let_time_pass
from desktop.services.errors import Wait
from desktop.services.practice.gateway import limit_named, retry_after
from desktop.services.practice.practice_system import Urgency

_SLOWEST = 0.05
_SLOWER = 0.5
_FASTER = 0.005
_FASTER_ALONE = 0.02
_FASTER_BY = 0.0005
_ALONE_AFTER = 120.0
"""By this share the rate grows in each second without a 429; and when there has been none for so long, the others are gone.
In proportion to the rate: then the growth of all desks together hardly depends on how many they are. Who calls more also meets
more 429s, and a small growth is the same for all, so their shares come out even."""
_OF_THE_LIMIT = 0.95
"""Calls that left evenly do not arrive evenly."""
_FIRST_BACK_OFF = 1.0
_LONGEST_BACK_OFF = 60.0
"""A bucket is full again after a second: to wait longer than this helps nobody."""
_LONGEST_KEPT = 3_600.0
_LONG = 3_600.0
_REFILLED = 1.0
"""Seconds in which the vendor's bucket is full again."""
_ONE_EVENT = 1.0
"""Calls that were under way together meet the same empty bucket: that counts once."""
_RESERVE = {Urgency.PERSON: 0.0, Urgency.READ_BACK: 0.0, Urgency.SEND: 0.0, Urgency.BACKGROUND: 1.0}
"""What a call of each urgency leaves in the bucket, so that a person's click finds something there."""


def _now() -> datetime:
    return datetime.now(UTC)


class Fill:
    """What is in the bucket, by this desk's reckoning: a pure account, fed with times (seconds) and with what answers say."""

    def __init__(self, *, per_second: float, burst: int, chance: random.Random) -> None:
        self.rate = per_second * _OF_THE_LIMIT
        """Calls a second that this desk allows itself now."""
        self.until = 0.0
        """Nothing goes before this moment, because an answer asked for it."""
        self.problem = ""
        self._most = self.rate
        self._burst = float(burst)
        self._left = self._whole = float(burst)
        self._told_until = 0.0
        self._at: float | None = None
        self._bad = 0
        self._met_at: float | None = None
        self._chance = chance

    def pause(self, urgency: Urgency, now: float) -> float:
        """Seconds until a call of this urgency may go, if nobody goes before it; 0: now."""
        now = self.at(now)
        if urgency is Urgency.PERSON:
            # Somebody waits at a screen: the vendor's limit counts, and not what this desk leaves to the others.
            soonest = max(self._told_until, min(self.until, (self._met_at or 0.0) + _REFILLED))
            return max((1.0 - self._whole) / self._most, soonest - now, 0.0)
        missing = max(0.0, 1.0 + _RESERVE[urgency] - self._left)
        return max(missing / self.rate, self.until - now, 0.0)

    def start(self, now: float) -> None:
        """A call goes out."""
        self.at(now)
        self._left -= 1.0
        self._whole = max(0.0, self._whole - 1.0)

    def learn(self, status: int, now: float, *, limit: str, after: float | None) -> None:
        """What an answer said. `limit` and `after` (seconds) are its refusal's, if it is one (429, 503)."""
        now = self.at(now)
        if status not in (429, 503):
            if now >= self.until:
                self._bad = 0
            # A call that was long under way may have been counted only at its end: the vendor's bucket lacks it then, and what
            # seemed to flow into a full bucket here meanwhile never did there.
            room = self._burst - 1.0
            self._left, self._whole = min(self._left, room), min(self._whole, room)
            return
        self.problem = "app" if status == 429 and limit == "server" else limit
        if self._met_at is None or now - self._met_at > _ONE_EVENT:
            self._met_at = now
            self._bad += 1
            if status == 429:
                self.rate = max(_SLOWEST, self.rate * _SLOWER)
        self._left = self._whole = 0.0
        if after is None:
            ceiling = min(_LONGEST_BACK_OFF, _FIRST_BACK_OFF * 2.0 ** min(self._bad, 10))
            until = now + self._chance.uniform(0.2, 1.0) * ceiling
        else:
            # Desks that were told the same moment must not all start in it.
            until = self._told_until = now + after + self._chance.uniform(0.05, 1.0)
        self.until = max(self.until, until)

    def at(self, now: float) -> float:
        """Lets time pass: the bucket fills, and its rate grows back."""
        if self._at is None or now < self._at:
            if self._at is not None and now < self._at - 5.0:
                # The PC's clock was set back: nothing may wait for hours because of that.
                self.until = min(self.until, now + _LONGEST_BACK_OFF)
                self._told_until = min(self._told_until, self.until)
                self._met_at = None
            self._at = now
            return now
        passed = now - self._at
        # Of a slower desk's bucket the burst is smaller, too: the other places in it are the others'.
        room = max(2.0, self._burst * self.rate / self._most)
        self._left = min(room, self._left + passed * self.rate)
        self._whole = min(self._burst, self._whole + passed * self._most)
        alone = self._met_at is None or now - self._met_at > _ALONE_AFTER
        grown = self.rate * (1.0 + (_FASTER_ALONE if alone else _FASTER)) ** min(passed, _LONG)
        self.rate = min(self._most, grown + _FASTER_BY * passed)
        self._at = now
        return now

    def kept(self, now: float) -> dict[str, float | int | str | None]:
        """What `restored` takes: plain values, times as seconds since the epoch."""
        held = self.at(now) < self.until
        return {
            "per_second": round(self.rate, 2),
            "at": None if self.rate >= self._most else int(now),
            "until": self.until if held else None,
            "problem": self.problem if held else None,
        }

    def restored(self, kept: Mapping[str, object], now: float) -> None:
        """Takes up what another run kept. What can't be believed is left out."""

        def number(name: str, low: float, high: float) -> float | None:
            value = kept.get(name)
            plain = isinstance(value, int | float) and not isinstance(value, bool)
            return float(value) if plain and low <= value <= high else None  # type: ignore[operator, arg-type]  # `plain` has looked

        rate, at = number("per_second", _SLOWEST, self._most), number("at", 0.0, now)
        if rate is not None and at is not None:
            self.rate = min(self._most, rate * (1.0 + _FASTER_ALONE) ** min(now - at, _LONG))
        until, problem = number("until", now, now + _LONGEST_KEPT), kept.get("problem")
        if until is not None:
            self.until = self._told_until = until
            self.problem = problem[:40] if isinstance(problem, str) else ""


class Bucket:
    """A CallGate and a CallAccount. Safe to use from several threads. `patience` and `wait` are the queue's."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = _now,
        per_second: float = 5.0,
        burst: int = 5,
        patience: Mapping[Urgency, timedelta] | None = None,
        wait: Callable[[threading.Condition, float], None] = let_time_pass,
        chance: random.Random | None = None,
    ) -> None:
        self._clock = clock
        self._queue = CallQueue(clock=clock, patience=patience, wait=wait)
        self._changed = self._queue.changed
        chance = chance or random.Random()  # noqa: S311 - spreads calls, protects nothing
        self._fill = Fill(per_second=per_second, burst=burst, chance=chance)
        self._in_progress = 0

    @contextlib.contextmanager
    def call(self, urgency: Urgency) -> Iterator[None]:
        """Hold this while one call is in progress. Raises Wait, and then nothing was counted."""
        self._take_turn(urgency)
        try:
            yield
        finally:
            with self._changed:
                self._in_progress -= 1

    def learn(self, status: int, headers: Mapping[str, str]) -> None:
        """Tell what an answer's status and headers (lower-case names) said about the limits, while its call is held."""
        now = self._clock()
        after = retry_after(headers, now)
        with self._changed:
            self._fill.learn(
                status,
                now.timestamp(),
                limit=limit_named(headers),
                after=None if after is None else after.total_seconds(),
            )
            self._changed.notify_all()

    def close(self) -> None:
        """Everybody who waits, now or later, gets Wait at once: the program is ending."""
        self._queue.close()

    def snapshot(self) -> dict[str, object]:
        """For `status`, and for `restore` after the next start: plain values that JSON can hold. `per_second` is how many
        calls a second this desk allows itself now; `problem` and `until` are set while an answer's «later» holds."""
        with self._changed:
            now = self._clock().timestamp()
            kept = self._fill.kept(now)
            until = self._fill.until
            return {
                "per_second": kept["per_second"],
                "problem": kept["problem"],
                "until": datetime.fromtimestamp(until, UTC).isoformat(timespec="seconds") if now < until else None,
                "in_progress": self._in_progress,
                "kept": kept,
            }

    def restore(self, snapshot: Mapping[str, object]) -> None:
        """Takes up what an earlier run knew of the other desks and of a «later» that still holds. Anything may be in it."""
        kept = snapshot.get("kept")
        if isinstance(kept, Mapping):
            with self._changed:
                self._fill.restored(kept, self._clock().timestamp())

    def _take_turn(self, urgency: Urgency) -> None:
        self._queue.take_turn(urgency, pause=lambda now: self._pause(urgency, now), start=self._start, used_up=_later)

    def _pause(self, urgency: Urgency, now: float) -> Pause:
        seconds = self._fill.pause(urgency, now)
        return Pause(seconds, self._fill.problem if now < self._fill.until else "") if seconds > 0 else GO

    def _start(self, now: float) -> None:
        self._fill.start(now)
        self._in_progress += 1


def _later(pause: Pause) -> Wait:
    message = "The practice system's calls are used up for the moment. It goes on by itself."
    return Wait(message, after=after(pause), limit="budget")
