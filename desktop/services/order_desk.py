"""Ordering: a link at click time, the order window, and what the person does in it on its way into the ledger."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from desktop.services.desk import ActionFailed, TypedResult
from desktop.services.errors import ServiceError
from desktop.services.infotrack.ordering import Ordering
from desktop.services.loggable import error_kind
from desktop.services.order_events import typed_result
from desktop.services.order_process import OrderWindowProcess, authorities_from
from desktop.services.order_protocol import AnyEvent, Closed, FeesTyped, NewLinkWanted, OfferedToMatter, OrderWindowStart
from desktop.services.plainly import plainly
from desktop.services.practice.model import ClientDetails, Matter
from desktop.services.practice_links import PracticeLinks
from desktop.services.practice_systems import title_of
from desktop.settings import Settings

_log = logging.getLogger(__name__)

Listener = Callable[[OrderWindowProcess, AnyEvent], None]


@dataclass(frozen=True, slots=True)
class WindowOptions:
    """What only the demo and the tests change: `automation` lets the listener drive the window over its pipe."""

    automation: bool = False
    as_root_unsandboxed: bool = False
    listener: Listener | None = None


class OrderDesk:
    """One window a matter. Safe to use from several threads."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        ordering: Ordering,
        links: PracticeLinks,
        *,
        installation: str,
        profile: Path,
        downloads: Path,
        add_result: Callable[[TypedResult], None],
        options: WindowOptions,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._changed = changed
        self.failure = ""
        """Why the window that was opened last ended by itself, as a sentence; empty when it did not."""
        self._settings = settings
        self._ordering = ordering
        self._links = links
        self._installation = installation
        self._profile = profile
        self._downloads = downloads
        self._add_result = add_result
        self._options = options
        self._lock = threading.Lock()
        self._windows: dict[tuple[str, str], OrderWindowProcess] = {}

    def open(self, matter: Matter) -> OrderWindowProcess:
        """Asks InfoTrack for a link and opens the window; brings it forward when it is open already. Raises ServiceError."""
        with self._lock:
            known = self._windows.get((matter.system, matter.id))
        if known is not None and known.is_running:
            known.bring_forward()
            return known
        link = self._ordering.link(matter, self._client(matter), self._installation)
        if self.failure:
            self.failure = ""
            self._changed()
        settings = self._settings()
        window = OrderWindowProcess()
        start = OrderWindowStart(
            link=link.url,
            matter_number=matter.number,
            matter_name=matter.name,
            client_name=matter.client,
            system_title=title_of(matter.system),
            hosts=settings.infotrack.hosts,
            profile_folder=str(self._profile),
            download_folder=str(self._downloads),
            version=version("iconnect-desktop"),
            never_ports=settings.xero.redirect_ports,
            sign_in_addresses=(settings.xero.authorize_url, settings.workflowmax.authorize_url),
            extra_authorities=authorities_from(os.environ),
            results_come_by_themselves=bool(settings.results.folder or settings.results.pull_url),
            automation=self._options.automation,
            demo_as_root_unsandboxed=self._options.as_root_unsandboxed,
        )
        with self._lock:
            self._windows[matter.system, matter.id] = window
        window.start(start, lambda event: self._told(matter, window, event))
        return window

    def running(self) -> int:
        """How many windows are open."""
        with self._lock:
            return sum(window.is_running for window in self._windows.values())

    def close(self) -> None:
        """Asks every window to close, and does not wait for a person's half-filled form longer than a moment."""
        with self._lock:
            windows = [window for window in self._windows.values() if window.is_running]
        for window in windows:
            window.ask_to_close()
        for window in windows:
            if not window.wait_closed(5):
                window.kill()

    def _client(self, matter: Matter) -> ClientDetails | None:
        """Fills in more of the order form; an order can be placed without."""
        practice = self._links.practice(matter.system, matter.tenant)
        if practice is None or not matter.client_id:
            return None
        try:
            return practice.client(matter.client_id)
        except ServiceError as error:
            _log.info("the client's details could not be read (%s)", error_kind(error))
            return None

    def _told(self, matter: Matter, window: OrderWindowProcess, event: AnyEvent) -> None:
        if isinstance(event, OfferedToMatter | FeesTyped):
            self._take(matter, window, event)
        elif isinstance(event, NewLinkWanted):
            self._new_link(matter, window, event.id)
        elif isinstance(event, Closed):
            with self._lock:
                if self._windows.get((matter.system, matter.id)) is window:
                    del self._windows[matter.system, matter.id]
            if window.failure:
                self.failure = f"The order window ended by itself. {window.failure}"
                self._changed()
        if self._options.listener is not None:
            self._options.listener(window, event)

    def _take(self, matter: Matter, window: OrderWindowProcess, event: OfferedToMatter | FeesTyped) -> None:
        try:
            self._add_result(typed_result(event, matter_number=matter.number, download_folder=self._downloads))
        except ActionFailed as error:
            window.answer(event.id, ok=False, message=str(error))
        else:
            window.answer(event.id, ok=True, message=f"Recorded for {matter.number}. It is on its way.")

    def _new_link(self, matter: Matter, window: OrderWindowProcess, answer_to: int) -> None:
        try:
            with plainly():
                link = self._ordering.link(matter, self._client(matter), self._installation)
        except ActionFailed as error:
            window.answer(answer_to, ok=False, message=str(error))
        else:
            window.open_link(link.url)
            window.answer(answer_to, ok=True)
