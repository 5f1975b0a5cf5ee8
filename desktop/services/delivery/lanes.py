"""Work on threads apart, one for each organisation, so that one that stalls keeps nobody else waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from desktop.services.errors import NotNow
from desktop.services.practice.model import Matter

Address = tuple[str, str]

SAY_SO_AFTER = 2.0
"""Seconds that a pass waits for the work that it has begun; what takes longer goes on beside the next passes."""

ANSWER_WITHIN = 3.0
"""Seconds that planning waits for one practice system's answer about a number; a later answer is kept for the next look."""


class Lanes:
    """Each name has one thread, made when it is first needed and kept: a thread's connection to the ledger is kept as well.

    `settled` is called on that thread, with the name, after each piece of work. The work catches its own errors. Safe to use
    from several threads."""

    def __init__(self) -> None:
        self.settled: Callable[[Address], None] = lambda name: None
        self._news = threading.Condition()
        self._waiting: dict[Address, Callable[[], None]] = {}
        self._busy: set[Address] = set()
        self._threads: dict[Address, threading.Thread] = {}

    def start(self, name: Address, work: Callable[[], None]) -> bool:
        """False, and nothing is begun, while this name's last work is still under way."""
        with self._news:
            if name in self._busy:
                return False
            self._busy.add(name)
            self._waiting[name] = work
            if name not in self._threads:
                self._threads[name] = threading.Thread(target=self._run, args=(name,), name=f"{name[0]} apart", daemon=True)
                self._threads[name].start()
            self._news.notify_all()
            return True

    def under_way(self) -> frozenset[Address]:
        with self._news:
            return frozenset(self._busy)

    def wait(self, names: Collection[Address], seconds: float) -> bool:
        """True as soon as none of them is under way any more."""
        end = time.monotonic() + seconds
        with self._news:
            return self._news.wait_for(lambda: not self._busy.intersection(names), max(0.0, end - time.monotonic()))

    def _run(self, name: Address) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: name in self._waiting)
                work = self._waiting.pop(name)
            try:
                work()
            finally:
                with self._news:
                    self._busy.discard(name)
                    self._news.notify_all()
            self.settled(name)


@dataclass(slots=True)
class _Asked:
    """One question: `done` with either an answer (None: nobody knows the number) or an error."""

    done: bool = False
    answer: Matter | None = None
    error: Exception | None = None


@dataclass
class AskedApart:
    """Asks a practice system for a number without waiting long for it. What comes late is the answer to the next question."""

    ask: Callable[[str, str], Matter | None]
    lanes: Lanes = field(default_factory=Lanes)
    seconds: float = ANSWER_WITHIN
    _asked: dict[Address, _Asked] = field(default_factory=dict)

    def __call__(self, system: str, number: str) -> Matter | None:
        """Raises what `ask` raises, and NotNow when the answer has not come yet. For one thread at a time."""
        question = (system, number)
        asked = self._asked.get(question)
        if asked is None:
            asked = _Asked()
            if not self.lanes.start((system, ""), lambda: self._answer(asked, system, number)):
                raise NotNow("It is still busy with an earlier question.")
            self._asked[question] = asked
        if not asked.done and not self.lanes.wait({(system, "")}, self.seconds):
            raise NotNow("It has not answered yet.")
        del self._asked[question]
        if asked.error is not None:
            raise asked.error
        return asked.answer

    def _answer(self, asked: _Asked, system: str, number: str) -> None:
        try:
            asked.answer = self.ask(system, number)
        except Exception as error:  # noqa: BLE001  # a thread's edge: raised again where it was asked
            asked.error = error
        asked.done = True
