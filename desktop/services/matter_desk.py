"""The matters as a person uses them: the local copy, refreshed from every practice system, and numbers asked for directly."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from desktop.services.desk import ActionFailed, MatterHit, NotConnected
from desktop.services.errors import ServiceError
from desktop.services.identity.wallet import Identity
from desktop.services.infotrack.model import OrderMessage
from desktop.services.ledger.model import Suggestion
from desktop.services.loggable import error_kind
from desktop.services.plainly import plainly
from desktop.services.practice.directory import Directory
from desktop.services.practice.model import Matter, Staff
from desktop.services.practice.practice_system import Urgency
from desktop.services.practice_links import PracticeLinks

_log = logging.getLogger(__name__)

REFRESH_EVERY = timedelta(minutes=30)
_FULL_NUMBER = re.compile(r"^[^\W\d_]*[\s\-_/.]*\d{3,}\S*$")


class MatterDesk:
    """Implements delivery.ports.MatterLookup. Safe to use from several threads."""

    def __init__(
        self,
        directory: Directory,
        links: PracticeLinks,
        identity: Identity,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.directory = directory
        self._links = links
        self._identity = identity
        self._clock = clock
        self._refreshing = threading.Lock()

    @property
    def refreshing(self) -> bool:
        return self._refreshing.locked()

    def find(self, text: str, limit: int) -> tuple[MatterHit, ...]:
        return self.directory.find(text, limit, mine=self._me(), now=self._clock())

    def find_or_ask(self, text: str, limit: int) -> tuple[MatterHit, ...]:
        """As `find`; a number that no matter of the copy has is asked for at the practice systems, where they can be
        reached. Never raises for their sake."""
        found = self.find(text, limit)
        number = text.strip()
        if not _FULL_NUMBER.match(number) or any(_has_number(hit.matter, number) for hit in found):
            return found
        for system, _ in self._links.connected():
            try:
                asked = self.ask(system, number)
            except ServiceError as error:
                _log.info("a number could not be asked for (%s)", error_kind(error))
                continue
            if asked is not None:
                return (MatterHit(asked, 1.0), *found)[:limit]
        return found

    def by_id(self, system: str, matter_id: str) -> Matter | None:
        return self.directory.by_id(system, matter_id)

    def by_number(self, number: str) -> tuple[Matter, ...]:
        return self.directory.by_number(number)

    def ask(self, system: str, number: str) -> Matter | None:
        """Network. What is found is kept in the copy. Raises what PracticeSystem.matter raises."""
        practice = self._links.of(system)
        if practice is None:
            return None
        found = practice.matter(number)
        if found is None:
            return None
        known = self.directory.by_id(system, found.id) or next(
            (m for m in self.directory.by_number(found.number) if (m.system, m.tenant) == (system, found.tenant)), None
        )
        if known is None:
            self.directory.keep(found)
            return found
        return known

    def ask_everywhere(self, number: str) -> Matter | None:
        """Network; for a person. Raises ActionFailed when nobody could be asked or a system could not answer."""
        systems = self._links.connected()
        if not systems:
            raise NotConnected("No practice system is connected, so the number can't be asked for. Connect first.")
        with plainly():
            for system, _ in systems:
                found = self.ask(system, number)
                if found is not None:
                    return found
        return None

    def named(self, number: str) -> Matter:
        """The one matter that a person means by its number. Raises ActionFailed."""
        found = self.by_number(number)
        if len(found) > 1:
            raise ActionFailed(f"{number} is a matter of more than one practice system. Choose it in the picker.")
        if found:
            return found[0]
        asked = self.ask_everywhere(number)
        if asked is None:
            raise ActionFailed(f"There is no matter {number} in the list. Check the number, or refresh: iconnect matters refresh")
        return asked

    def suggestions(self, message: OrderMessage, limit: int = 5) -> tuple[Suggestion, ...]:
        return self.directory.suggestions(message, limit)

    def refresh(self, *, urgency: Urgency = Urgency.PERSON) -> int:
        """Network. Raises ServiceError; what was refreshed before that stays."""
        with self._refreshing:
            for system, tenant in self._links.connected():
                practice = self._links.practice(system, tenant)
                if practice is not None:
                    self.directory.replace(system, tenant, practice.matters(urgency=urgency))
        return self.directory.count()

    def refresh_if_old(self) -> bool:
        """For the background. True when the copy was refreshed."""
        for system, tenant in self._links.connected():
            at = self.directory.refreshed_at(system, tenant)
            if at is None or self._clock() - at >= REFRESH_EVERY:
                self.refresh(urgency=Urgency.BACKGROUND)
                return True
        return False

    def _me(self) -> tuple[Staff, ...]:
        return tuple(Staff(id="", name=record.user, email=record.email) for record in self._identity.records())


def _has_number(matter: Matter, number: str) -> bool:
    def plain(text: str) -> str:
        return re.sub(r"[\W_]", "", text).casefold().lstrip("0")

    return plain(number) in plain(matter.number)
