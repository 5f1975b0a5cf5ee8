"""What the tray does by itself: the courier, and the refreshing of the matters, each on a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from desktop.lean import give_back
from desktop.services.delivery.courier import Courier, Report
from desktop.services.delivery.worker import CourierThread
from desktop.services.errors import ServiceError
from desktop.services.ledger.errors import LedgerError
from desktop.services.ledger.ledger import Ledger
from desktop.services.ledger.model import DeliveryState
from desktop.services.loggable import error_kind
from desktop.services.matter_desk import MatterDesk
from desktop.services.practice_links import PracticeLinks

_log = logging.getLogger(__name__)

LOOK_EVERY = 300.0
"""Seconds between looks whether the matters are due for a refresh."""

REST = 10.0
"""Seconds for which nothing new is begun after somebody asked for rest. Whoever still wants it asks again before."""


class Background:
    """Starts at once. `stop` ends both threads in order; what is under way is finished first. `windows` counts the order windows
    that are open."""

    def __init__(
        self,
        courier: Courier,
        ledger: Ledger,
        matters: MatterDesk,
        links: PracticeLinks,
        passed: Callable[[Report], None],
        windows: Callable[[], int] = lambda: 0,
        *,
        rest: float = REST,
    ) -> None:
        self._sending = courier
        self._matters = matters
        self._links = links
        self._ledger = ledger
        self._windows = windows
        self._rest = rest
        self._failed = ""
        self._forgive = False
        self._stopping = threading.Event()
        self._look = threading.Event()
        self._resting = threading.Lock()
        self._alarm: threading.Timer | None = None
        self._new_courier: Callable[[], CourierThread] = lambda: CourierThread(
            courier, ledger, on_change=passed, on_failure=self._ended
        )
        self._courier = self._new_courier()
        self._refresher = threading.Thread(target=self._refresh, name="matters", daemon=True)
        self._courier.start()
        self._refresher.start()

    @property
    def failure(self) -> str:
        """Why the courier had to stop; empty while it runs."""
        return self._failed

    def wake(self, *, forgive: bool = False) -> None:
        with self._resting:
            self._forgive = self._forgive or (forgive and self._alarm is not None)
            self._courier.wake(forgive=forgive)
        self._look.set()

    def come_to_rest(self) -> int:
        """Lets the sends that are under way come to their end and begins no new one for `rest` seconds. Does not wait. Gives how
        many things are in flight still: order windows that a person has open, else sends. Deliveries go on
        while a window is open."""
        if open_now := self._windows():
            return open_now
        with self._resting:
            if self._alarm is not None:
                self._alarm.cancel()
            self._courier.ask_to_stop()
            self._set_alarm()
            # Work on threads apart can outlast the courier's own thread. What another process sends is that process's to finish.
            ended = self._courier.stop(0) and not self._sending.is_under_way()
            sends = 0 if ended else self._sends()
        # A person may have opened one since the first look.
        return sends + self._windows()

    def _sends(self) -> int:
        """At least one, also where the ledger can't be read: not knowing is no permission to quit."""
        try:
            return max(1, self._ledger.counts()[DeliveryState.SENDING])
        except LedgerError as error:
            _log.warning("the sends under way could not be counted (%s)", error_kind(error))
            return 1

    def ask_to_stop(self) -> None:
        """Says so, and does not wait."""
        self._stopping.set()
        self._look.set()
        with self._resting:
            if self._alarm is not None:
                self._alarm.cancel()
            self._courier.ask_to_stop()

    def stop(self) -> None:
        self.ask_to_stop()
        self._courier.stop()
        self._refresher.join(5)

    def _set_alarm(self) -> None:
        self._alarm = threading.Timer(self._rest, self._go_on)
        self._alarm.name = "end of the rest"
        self._alarm.daemon = True
        self._alarm.start()

    def _go_on(self) -> None:
        """Nobody wants rest any more, and the program is still here."""
        with self._resting:
            if self._stopping.is_set() or threading.current_thread() is not self._alarm:
                return
            if not self._courier.stop(0):
                self._set_alarm()
                return
            self._alarm = None
            if self._failed:
                return
            self._courier = self._new_courier()
            self._courier.wake(forgive=self._forgive)
            self._forgive = False
            self._courier.start()

    def _ended(self, error: Exception) -> None:
        self._failed = f"Delivering has stopped: {error} Restart iConnect; if it stays, call support."

    def _refresh(self) -> None:
        while not self._stopping.is_set():
            try:
                self._matters.refresh_if_old()
            except ServiceError as error:
                _log.info("the matters could not be refreshed (%s)", error_kind(error))
            except Exception:  # noqa: BLE001  # the thread's edge: a fault here must not end refreshing for the day
                _log.exception("refreshing the matters failed")
            # A refresh of a large firm takes tens of megabytes for a moment.
            give_back()
            self._look.wait(LOOK_EVERY)
            # Only now: cleared before the wait, a stop that came during the refresh would go unheard.
            self._look.clear()
