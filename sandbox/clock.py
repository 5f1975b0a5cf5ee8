"""One clock for every stand-in, which a test may push forward, and an agenda of things that happen later."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

log = logging.getLogger(__name__)


class Clock:
    """Wall time plus what `advance` added to it. Thread-safe."""

    def __init__(self, base: Callable[[], float] = time.time) -> None:
        self._base = base
        self._ahead = 0.0
        self._moved: list[Callable[[], None]] = []

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._base() + self._ahead

    def utc(self) -> datetime:
        """The same moment as an aware UTC time."""
        return datetime.fromtimestamp(self.now(), tz=UTC)

    def after(self, seconds: float) -> datetime:
        """The aware UTC time `seconds` from now."""
        return self.utc() + timedelta(seconds=seconds)

    def advance(self, seconds: float) -> None:
        """Jumps ahead; whatever was due in between happens at once."""
        self._ahead += seconds
        for tell in self._moved:
            tell()

    def on_move(self, tell: Callable[[], None]) -> None:
        """`tell` is called after each jump."""
        self._moved.append(tell)


class Agenda:
    """Runs actions at their time of the clock, one after another, in a thread of its own."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._count = itertools.count()
        self._wake = threading.Condition()
        self._stopped = False
        self._busy = False
        clock.on_move(self._nudge)
        self._thread = threading.Thread(target=self._run, name="sandbox-agenda", daemon=True)
        self._thread.start()

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Runs `action` that many seconds of the clock from now; at once (still in the agenda's thread) for 0."""
        with self._wake:
            heapq.heappush(self._due, (self._clock.now() + seconds, next(self._count), action))
            self._wake.notify_all()

    def pending(self) -> int:
        """How many actions wait or run."""
        with self._wake:
            return len(self._due) + (1 if self._busy else 0)

    def next_due(self) -> float | None:
        """The time of the clock at which the next one is due; None while there is none."""
        with self._wake:
            return self._due[0][0] if self._due else None

    def clear(self) -> None:
        """Forgets what has not run yet."""
        with self._wake:
            self._due.clear()

    def stop(self) -> None:
        """Ends the thread; what has not run never will."""
        with self._wake:
            self._stopped = True
            self._due.clear()
            self._wake.notify_all()
        self._thread.join(timeout=10)

    def _nudge(self) -> None:
        with self._wake:
            self._wake.notify_all()

    def _run(self) -> None:
        while True:
            with self._wake:
                self._busy = False
                while not self._stopped:
                    wait = self._due[0][0] - self._clock.now() if self._due else None
                    if wait is not None and wait <= 0:
                        break
                    self._wake.wait(wait)
                if self._stopped:
                    return
                _when, _order, action = heapq.heappop(self._due)
                self._busy = True
            try:
                action()
            except Exception:
                log.exception("something on the agenda failed")
