"""The courier on a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

from desktop.services.delivery.courier import Courier, Report
from desktop.services.ledger.errors import LedgerError, LedgerTrouble
from desktop.services.ledger.ledger import Ledger
from desktop.services.loggable import error_kind

log = logging.getLogger(__name__)

SHORTEST_REST = timedelta(milliseconds=200)
TROUBLED_REST = timedelta(seconds=5)
LONGEST_END = 20.0
"""Seconds that the end of the thread waits for work on threads apart."""


class CourierThread:
    """Runs passes until stopped: when something is due, at least every `poll_seconds`, and at once when woken. The sources
    are looked at every `poll_seconds`, when one asks for it, and when woken.

    `on_change` is called on this thread after each pass, `on_failure` once if the ledger can't be believed (the thread then
    ends). Between passes the thread sleeps; it never polls faster than needed."""

    def __init__(
        self, courier: Courier, ledger: Ledger, *, on_change: Callable[[Report], None], on_failure: Callable[[Exception], None]
    ) -> None:
        self._courier = courier
        self._ledger = ledger
        self._on_change = on_change
        self._on_failure = on_failure
        self._wakened = threading.Event()
        self._called = threading.Event()
        self._forgive = threading.Event()
        self._stopping = threading.Event()
        self._look_at = ledger.now()
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self, *, forgive: bool = False) -> None:
        """A pass soon. `forgive`: a person asked for it, or signed in, so that what failed lately is tried as well."""
        if forgive:
            self._forgive.set()
        self._called.set()
        self._wakened.set()

    def ask_to_stop(self) -> None:
        """The thread ends after what it is doing. Does not wait."""
        self._stopping.set()
        self._wakened.set()

    def stop(self, timeout: float = 30.0) -> bool:
        """Asks the thread to end after what it is doing, and waits. True when it has ended."""
        self.ask_to_stop()
        if self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        self._courier.stopping = self._stopping.is_set
        self._courier.settled = self._wakened.set
        try:
            self._passes()
        finally:
            self._courier.finish(LONGEST_END)

    def _passes(self) -> None:
        collect = True
        while not self._stopping.is_set():
            self._wakened.clear()
            if self._called.is_set():
                self._called.clear()
                collect = True
            try:
                if self._forgive.is_set():
                    self._courier.forgive()
                    self._forgive.clear()
                report = self._courier.run_once(collect=collect)
            except LedgerTrouble as error:
                # This PC's disk, for the moment: what was begun is in the ledger, and the next pass goes on from there.
                log.warning("The ledger could not be used (%s); trying again", error_kind(error))
                self._wakened.wait(TROUBLED_REST.total_seconds())
                continue
            except LedgerError as error:
                log.error("The courier stopped: %s", error_kind(error))
                self._on_failure(error)
                return
            except Exception as error:  # the thread's edge: a bug must be seen, not end in silence
                log.exception("The courier stopped")
                self._on_failure(error)
                return
            if collect and not report.busy:
                self._look_at = report.at + timedelta(seconds=self._courier.settings.results.poll_seconds)
                if report.sources_at is not None:
                    self._look_at = min(self._look_at, report.sources_at)
            self._on_change(report)
            self._wakened.wait(self._rest(report).total_seconds())
            collect = self._ledger.now() >= self._look_at

    def _rest(self, report: Report) -> timedelta:
        """Until something is due or the sources are to be looked at; a clock that was set back does not make it long."""
        longest = timedelta(seconds=self._courier.settings.results.poll_seconds)
        now = self._ledger.now()
        moments = [self._look_at - now, longest]
        if report.next_at is not None:
            moments.append(report.next_at - now)
        return max(SHORTEST_REST, min(moments))
