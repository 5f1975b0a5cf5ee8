"""The thin adapter between the windows and the services: work goes to a few threads, snapshots come back by queued signals.

The GUI thread never waits. Only this object's own signals are emitted from other threads; a widget's bound signal never
leaves the GUI thread, because the widget may be gone by the time a worker is done.
"""

from __future__ import annotations

import itertools
import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import shiboken6
from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from desktop.services.desk import ActionFailed, Desk, Status
from desktop.services.loggable import error_kind, frames, loggable
from desktop.ui.language import tr

log = logging.getLogger(__name__)

T = TypeVar("T")

Notify = Callable[[], None]
DeskFactory = Callable[[Notify], Desk]

COALESCE_MS = 120
WATCHED_POLL_MS = 4_000
IDLE_POLL_MS = 30_000
LOCAL_WORKERS = 2
NETWORK_WORKERS = 6

UNEXPECTED = tr(
    "Something went wrong inside iConnect. Nothing was lost; please try again. If it stays, send the diagnostics file to support."
)


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """What stays on the GUI thread while the work is away: a worker must never hold the last reference to a widget."""

    owner: QObject
    work: Callable[[Desk], Any]
    done: Callable[[Any], None]
    failed: Callable[[str], None]
    lane: tuple[int, str] | None
    network: bool


@dataclass(frozen=True, slots=True)
class _Errand:
    """What a worker gets: the work alone. `work` should close over values, not over widgets."""

    number: int
    work: Callable[[Desk], Any]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a worker gives back; `problem` is a sentence, or None when all went well."""

    number: int
    result: Any = None
    problem: str | None = None


class _Pool:
    """A few threads, started when first needed, that take errands from one queue."""

    def __init__(self, name: str, size: int) -> None:
        self._name = name
        self._size = size
        self._threads: list[threading.Thread] = []
        self._errands: queue.SimpleQueue[_Errand | None] = queue.SimpleQueue()

    def put(self, errand: _Errand, work: Callable[[queue.SimpleQueue[_Errand | None]], None]) -> None:
        # Daemons, because a sign-in may be waiting for a browser for minutes when the person quits; what such a thread can
        # leave undone, the ledger and the token store survive by design.
        while len(self._threads) < self._size:
            name = f"{self._name} {len(self._threads) + 1}"
            thread = threading.Thread(target=work, args=(self._errands,), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        self._errands.put(errand)

    def end(self) -> None:
        for _ in self._threads:
            self._errands.put(None)


class Bridge(QObject):
    """Runs the desk's methods off the GUI thread and tells windows when to look again.

    Signals:
        opened(): the desk is open; work that was asked for earlier starts now.
        open_failed(str): the desk could not be opened, with a sentence for a person.
        status_changed(Status): a new status that differs from the last.
        changed(): something may have changed; bursts are made into one.
        failed(str): work without a `failed` of its own could not be done.
    """

    opened = Signal()
    open_failed = Signal(str)
    status_changed = Signal(object)
    changed = Signal()
    failed = Signal(str)

    _returned = Signal(object)
    _called = Signal(object)
    _noticed = Signal()
    _desk_opened = Signal(object)
    _desk_failed = Signal(str)

    def __init__(self, desk_factory: DeskFactory, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._factory = desk_factory
        self._desk: Desk | None = None
        self._problem = ""
        self._closed = threading.Event()
        self._early: list[_Job] = []
        # Two queues, so that six slow answers from a vendor never stand before a search in the local copy.
        self._local = _Pool("local work", LOCAL_WORKERS)
        self._network = _Pool("network work", NETWORK_WORKERS)
        self._away: dict[int, _Job] = {}
        self._numbers = itertools.count(1)
        self._lanes: dict[tuple[int, str], _Job | None] = {}
        self._watchers: set[int] = set()
        self.status: Status | None = None

        queued = Qt.ConnectionType.QueuedConnection
        self._returned.connect(self._give_back, queued)
        self._called.connect(self._call, queued)
        self._noticed.connect(self._coalesce, queued)
        self._desk_opened.connect(self._use_desk, queued)
        self._desk_failed.connect(self._give_up, queued)

        self._soon = QTimer(self)
        self._soon.setObjectName("coalesce notices")
        self._soon.setSingleShot(True)
        self._soon.setInterval(COALESCE_MS)
        self._soon.timeout.connect(self.look_again)
        # Another process (a command, another tray's hand-over) changes the ledger without telling this one.
        self._poll = QTimer(self)
        self._poll.setObjectName("poll status")
        self._poll.setInterval(IDLE_POLL_MS)
        self._poll.timeout.connect(self.look_again)

    # life

    def open(self) -> None:
        """Opens the desk on a worker thread. Returns at once; `opened` or `open_failed` follows."""
        threading.Thread(target=self._open_desk, name="open desk", daemon=True).start()

    def close(self) -> None:
        """Lets go: no callback comes after this, and workers end after what they are doing. Does not wait for them."""
        self._closed.set()
        self._poll.stop()
        self._soon.stop()
        self._early.clear()
        self._lanes.clear()
        self._local.end()
        self._network.end()

    @property
    def is_open(self) -> bool:
        return self._desk is not None

    @property
    def is_closed(self) -> bool:
        """Readable from any thread: work that waits for a person should give up when it turns true."""
        return self._closed.is_set()

    def notify(self) -> None:
        """Says that something changed. Callable from any thread, as often as one likes."""
        self._emit(self._noticed)

    def watch(self, watcher: QObject, visible: bool) -> None:
        """While any window is visible, the status is polled more often."""
        (self._watchers.add if visible else self._watchers.discard)(id(watcher))
        self._poll.setInterval(WATCHED_POLL_MS if self._watchers else IDLE_POLL_MS)

    # work

    def run(
        self,
        owner: QObject,
        work: Callable[[Desk], T],
        done: Callable[[T], None],
        failed: Callable[[str], None] | None = None,
        *,
        lane: str = "",
        network: bool = False,
    ) -> None:
        """Does `work` on another thread, then calls `done` or `failed` on this one, unless `owner` is gone by then.

        Within an owner's `lane` one piece of work runs at a time and only the newest waits: what was overtaken is dropped
        without a call. `network`: it may take seconds. Call from the GUI thread."""
        job = _Job(owner, work, done, failed or self.failed.emit, (id(owner), lane) if lane else None, network)
        if self._closed.is_set():
            return
        if self._problem:
            QTimer.singleShot(0, self, lambda: self._hand_over(job, self._problem))
            return
        if self._desk is None:
            if job.lane is not None:
                self._early = [early for early in self._early if early.lane != job.lane]
            self._early.append(job)
            return
        self._submit(job)

    def ask(self, ask: Callable[[Callable[[T], None]], None], cancelled: Callable[[], bool]) -> T | None:
        """Puts a question to the person from a worker thread and waits for the answer.

        `ask` is called on the GUI thread with a function that takes the answer. None when cancelled or closing."""
        answered = threading.Event()
        answers: list[T] = []

        def answer(given: T) -> None:
            answers.append(given)
            answered.set()

        self._emit(self._called, lambda: ask(answer))
        while not answered.wait(0.1):
            if cancelled() or self._closed.is_set():
                return None
        return answers[0]

    def call(self, what: Callable[[], None]) -> None:
        """Runs `what` on the GUI thread soon. Callable from any thread."""
        self._emit(self._called, what)

    @Slot()
    def look_again(self) -> None:
        """Fetches the status off-thread and tells the windows to look again."""
        if self._desk is not None and not self._closed.is_set():
            self.run(self, lambda desk: desk.status(), self._take_status, self._no_status, lane="status")

    # on the GUI thread

    def _submit(self, job: _Job) -> None:
        if job.lane is not None:
            if job.lane in self._lanes:
                self._lanes[job.lane] = job
                return
            self._lanes[job.lane] = None
        number = next(self._numbers)
        self._away[number] = job
        pool = self._network if job.network else self._local
        pool.put(_Errand(number, job.work), self._work)

    @Slot(object)
    def _give_back(self, outcome: _Outcome) -> None:
        job = self._away.pop(outcome.number)
        if self._closed.is_set():
            return
        overtaken = False
        if job.lane is not None:
            waiting = self._lanes.pop(job.lane, None)
            if waiting is not None:
                overtaken = True
                self._submit(waiting)
        if not overtaken:
            self._hand_over(job, outcome.problem, outcome.result)

    def _hand_over(self, job: _Job, problem: str | None, result: Any = None) -> None:
        if self._closed.is_set() or not shiboken6.isValid(job.owner):
            return
        if problem is None:
            job.done(result)
        else:
            job.failed(problem)

    @Slot(object)
    def _call(self, what: Callable[[], None]) -> None:
        if not self._closed.is_set():
            what()

    @Slot()
    def _coalesce(self) -> None:
        if not self._closed.is_set() and not self._soon.isActive():
            self._soon.start()

    def _take_status(self, status: Status) -> None:
        if status != self.status:
            self.status = status
            self.status_changed.emit(status)
        self.changed.emit()

    def _no_status(self, problem: str) -> None:
        log.warning("the status could not be read")
        self.changed.emit()

    @Slot(object)
    def _use_desk(self, desk: Desk) -> None:
        if self._closed.is_set():
            return
        self._desk = desk
        early, self._early = self._early, []
        self.look_again()
        for job in early:
            self._submit(job)
        self._poll.start()
        self.opened.emit()

    @Slot(str)
    def _give_up(self, problem: str) -> None:
        if self._closed.is_set():
            return
        self._problem = problem
        early, self._early = self._early, []
        self.open_failed.emit(problem)
        for job in early:
            self._hand_over(job, problem)

    # on other threads

    def _open_desk(self) -> None:
        try:
            desk = self._factory(self.notify)
        except Exception as error:  # noqa: BLE001 - the thread's edge: the person must hear of it, whatever it was
            self._emit(self._desk_failed, _sentence(error, "opening the profile"))
        else:
            self._emit(self._desk_opened, desk)

    def _work(self, errands: queue.SimpleQueue[_Errand | None]) -> None:
        while (errand := errands.get()) is not None and not self._closed.is_set():
            desk = self._desk
            assert desk is not None, "errands start only when the desk is open"
            try:
                outcome = _Outcome(errand.number, errand.work(desk))
            except Exception as error:  # noqa: BLE001 - the thread's edge: a lost answer would leave a window waiting for ever
                outcome = _Outcome(errand.number, problem=_sentence(error, "a person's action"))
            self._emit(self._returned, outcome)
            # While it waits for the next errand, this thread must not keep the last one alive.
            del errand, outcome

    def _emit(self, signal: Any, *values: object) -> None:
        if self._closed.is_set():
            return
        try:
            signal.emit(*values)
        except RuntimeError:
            # The application went away between the question above and now; there is nobody left to tell.
            log.debug("a late answer was dropped")


def _sentence(error: Exception, doing: str) -> str:
    """What a person reads. Only a message that was written for a person is shown; logs get the place, never the text."""
    if isinstance(error, ActionFailed):
        return str(error)
    where = loggable(" > ".join(frames(error.__traceback__)))
    log.error("unexpected %s while %s at %s", error_kind(error), loggable(doing), where)
    return UNEXPECTED
