"""What the tray does by itself: the courier, and the refreshing of the matters, each on a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from desktop.lean import give_back
from desktop.services.delivery.courier import Courier, Report
from desktop.services.delivery.worker import CourierThread
from desktop.services.errors import ServiceError
from desktop.services.ledger.ledger import Ledger
from desktop.services.loggable import error_kind
from desktop.services.matter_desk import MatterDesk
from desktop.services.practice_links import PracticeLinks

_log = logging.getLogger(__name__)

LOOK_EVERY = 300.0
"""Seconds between looks whether the matters are due for a refresh."""


class Background:
    """Starts at once. `stop` ends both threads in order; what is under way is finished first."""

    def __init__(
        self, courier: Courier, ledger: Ledger, matters: MatterDesk, links: PracticeLinks, passed: Callable[[Report], None]
    ) -> None:
        self._matters = matters
        self._links = links
        self._failed = ""
        self._stopping = threading.Event()
        self._look = threading.Event()
        self._courier = CourierThread(courier, ledger, on_change=passed, on_failure=self._ended)
        self._refresher = threading.Thread(target=self._refresh, name="matters", daemon=True)
        self._courier.start()
        self._refresher.start()

    @property
    def failure(self) -> str:
        """Why the courier had to stop; empty while it runs."""
        return self._failed

    def wake(self, *, forgive: bool = False) -> None:
        self._courier.wake(forgive=forgive)
        self._look.set()

    def ask_to_stop(self) -> None:
        """Says so, and does not wait."""
        self._stopping.set()
        self._look.set()
        self._courier.ask_to_stop()

    def stop(self) -> None:
        self.ask_to_stop()
        self._courier.stop()
        self._refresher.join(5)

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
            self._look.clear()
            self._look.wait(LOOK_EVERY)
