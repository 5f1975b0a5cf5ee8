"""The matters as a person uses them: the local copy, refreshed from every practice system, and numbers asked for directly.

Each practice system is asked apart from the others: one that fails or stalls hides nothing that another one answers."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from desktop.services.desk import ActionFailed, MatterHit, NotConnected
from desktop.services.errors import AccessMissing, BadAnswer, NotNow, ServiceError, SignedOut
from desktop.services.identity.wallet import Identity
from desktop.services.infotrack.model import OrderMessage
from desktop.services.ledger.model import Suggestion
from desktop.services.loggable import error_kind
from desktop.services.plainly import plainly
from desktop.services.practice.directory import Directory
from desktop.services.practice.model import Matter, Staff
from desktop.services.practice.practice_system import PracticeSystem, Urgency
from desktop.services.practice_links import PracticeLinks
from desktop.services.practice_systems import title_of
from desktop.settings import SYSTEMS

_log = logging.getLogger(__name__)

Address = tuple[str, str]

REFRESH_EVERY = timedelta(minutes=30)
WHOLE_EVERY = timedelta(hours=24)
"""A list of changes can't tell what became invisible to the signed-in person: so often the whole list is read."""

OVERLAP = timedelta(minutes=10)
"""How far the vendor's clock may be behind this PC's without a change being missed."""

ANSWER_WITHIN = 20.0
OTHERS_WITHIN = 3.0
"""Seconds that a person who asks for a number waits: for any answer, and for the others once there is one."""

REFRESH_APART = 30.0
"""Seconds after which the background goes on without a refresh that is still under way."""

_FULL_NUMBER = re.compile(r"^[^\W\d_]*[\s\-_/.]*\d{3,}\S*$")


@dataclass
class _Round:
    """One question to several systems at once, each on a thread of its own."""

    news: threading.Condition = field(default_factory=threading.Condition)
    open: set[Address] = field(default_factory=set)
    found: list[Matter] = field(default_factory=list)
    errors: list[tuple[str, ServiceError]] = field(default_factory=list)


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
        self._lock = threading.Lock()
        self._turns: dict[Address, threading.Lock] = {}

    @property
    def refreshing(self) -> bool:
        with self._lock:
            return any(turn.locked() for turn in self._turns.values())

    # finding

    def find(self, text: str, limit: int) -> tuple[MatterHit, ...]:
        """`text` may begin with a system's name and a colon: then only that system's matters are meant."""
        system, wanted = split_system(text)
        if not system:
            return self.directory.find(text, limit, mine=self._me(), now=self._clock())
        found = self.directory.find(wanted, 20 * limit, mine=self._me(), now=self._clock())
        return tuple(hit for hit in found if hit.matter.system == system)[:limit]

    def find_or_ask(self, text: str, limit: int) -> tuple[MatterHit, ...]:
        """As `find`; a number that no matter of the copy has is asked for at the practice systems, where they can be
        reached. Never raises for their sake."""
        found = self.find(text, limit)
        _, number = split_system(text)
        if not _FULL_NUMBER.match(number) or any(_has_number(hit.matter, number) for hit in found):
            return found
        answered, errors = self._ask_all(text.strip())
        for _, error in errors:
            _log.info("a number could not be asked for (%s)", error_kind(error))
        return (*(MatterHit(matter, 1.0) for matter in answered), *found)[:limit]

    def by_id(self, system: str, matter_id: str) -> Matter | None:
        return self.directory.by_id(system, matter_id)

    def by_number(self, number: str) -> tuple[Matter, ...]:
        """`number` may begin with a system's name and a colon. Nothing is to be charged to a deleted matter: it has no number any
        more."""
        system, wanted = split_system(number)
        return tuple(
            matter for matter in self.directory.by_number(wanted) if system in ("", matter.system) and not matter.is_deleted
        )

    def ask(self, system: str, number: str) -> Matter | None:
        """Network. What is found is kept in the copy. Raises what PracticeSystem.matter raises."""
        only, wanted = split_system(number)
        practice = self._links.of(system) if only in ("", system) else None
        if practice is None:
            return None
        found = practice.matter(wanted)
        if found is None or found.is_deleted:
            return None
        known = self.directory.by_id(system, found.id) or next(
            (m for m in self.directory.by_number(found.number) if (m.system, m.tenant) == (system, found.tenant)), None
        )
        if known is None:
            self.directory.keep(found)
            return found
        return known

    def ask_everywhere(self, number: str) -> Matter | None:
        """Network; for a person. Where several systems know the number, the first; the copy then holds them all. Raises
        ActionFailed when nobody could be asked, or when a system could not answer and no other knows the number."""
        if not self._links.connected():
            raise NotConnected("No practice system is connected, so the number can't be asked for. Connect first.")
        answered, errors = self._ask_all(number.strip())
        if answered:
            return answered[0]
        with plainly():
            _raise_all(errors, "")
        return None

    def named(self, number: str) -> Matter:
        """The one matter that a person means by its number, or by `<system>:<number>` where several systems have it. Raises
        ActionFailed."""
        found = self.by_number(number)
        connected = set(self._links.connected())
        here = tuple(one for one in found if (one.system, one.tenant) in connected)
        if here:
            return _the_one(number, here)
        if found and not connected:
            return _the_one(number, found)
        try:
            asked = self.ask_everywhere(number)
        except ActionFailed:
            if len(found) != 1:
                raise
            return found[0]
        if asked is None and found:
            # A matter of an organisation that is not signed in now: what is ordered for it waits for that.
            asked = _the_one(number, found)
        if asked is None:
            raise ActionFailed(f"There is no matter {number} in the list. Check the number, or refresh: iconnect matters refresh")
        self.check_typed(number)
        return asked

    def check_typed(self, number: str) -> None:
        """Raises ActionFailed when what a person typed is a matter of several connected systems."""
        connected = set(self._links.connected())
        here = [one for one in self.by_number(number) if (one.system, one.tenant) in connected]
        if here:
            _the_one(number, here)

    def _ask_all(self, number: str) -> tuple[list[Matter], list[tuple[str, ServiceError]]]:
        """Network: what the connected systems answer, and what kept the others from answering."""
        only, _ = split_system(number)
        wanted = [one for one in self._links.connected() if only in ("", one[0])]
        asking = _Round(open=set(wanted))
        if len(wanted) == 1:
            self._ask_one(asking, wanted[0], number)
        else:
            for address in wanted:
                threading.Thread(
                    target=self._ask_one, args=(asking, address, number), name="asking for a number", daemon=True
                ).start()
        end = time.monotonic() + ANSWER_WITHIN
        with asking.news:
            asking.news.wait_for(lambda: not asking.open or asking.found, ANSWER_WITHIN)
            asking.news.wait_for(lambda: not asking.open, min(OTHERS_WITHIN, max(0.0, end - time.monotonic())))
            silent = [(system, NotNow("It has not answered yet. Try again.")) for system, _ in asking.open]
            return list(asking.found), [*asking.errors, *silent]

    def _ask_one(self, asking: _Round, address: Address, number: str) -> None:
        answer: Matter | None = None
        problem: ServiceError | None = None
        try:
            answer = self.ask(address[0], number)
        except Exception as error:  # noqa: BLE001  # a thread's edge: one system's surprise must not hide another's answer
            problem = _expected(error)
        with asking.news:
            asking.open.discard(address)
            if answer is not None:
                asking.found.append(answer)
            if problem is not None:
                asking.errors.append((address[0], problem))
            asking.news.notify_all()

    def suggestions(self, message: OrderMessage, limit: int = 5) -> tuple[Suggestion, ...]:
        return self.directory.suggestions(message, limit)

    # refreshing

    def refresh(self, *, urgency: Urgency = Urgency.PERSON) -> int:
        """Network. Every connected system is tried; what was refreshed stays. Raises ServiceError for those that failed."""
        self._refresh_each(self._links.connected(), urgency, None)
        return self.directory.count()

    def refresh_if_old(self) -> bool:
        """For the background: those that are due. True when a copy was refreshed. Raises ServiceError as `refresh`; one that
        takes long goes on beside."""
        due = [one for one in self._links.connected() if self._is_due(one)]
        if due:
            self._refresh_each(due, Urgency.BACKGROUND, REFRESH_APART)
        return bool(due)

    def _is_due(self, address: Address) -> bool:
        at = self.directory.refreshed_at(*address)
        return (at is None or self._clock() - at >= REFRESH_EVERY) and not self._turn(address).locked()

    def _turn(self, address: Address) -> threading.Lock:
        with self._lock:
            return self._turns.setdefault(address, threading.Lock())

    def _refresh_each(self, wanted: Sequence[Address], urgency: Urgency, patience: float | None) -> None:
        if len(wanted) == 1:
            self._refresh_one(wanted[0], urgency)
            return
        done: list[Address] = []
        errors: list[tuple[str, ServiceError]] = []

        def run(address: Address) -> None:
            try:
                self._refresh_one(address, urgency)
                done.append(address)
            except Exception as error:  # noqa: BLE001  # a thread's edge: one system's surprise must not hide another's list
                errors.append((address[0], _expected(error)))

        threads = [threading.Thread(target=run, args=(one,), name=f"{one[0]} matters", daemon=True) for one in wanted]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(patience)
        _raise_all(list(errors), "The other systems' matters were refreshed." if done else "")

    def _refresh_one(self, address: Address, urgency: Urgency) -> None:
        with self._turn(address):
            practice = self._links.practice(*address)
            if practice is None:
                return
            began = self._clock()
            since = self._since(practice, address, began)
            if since is None:
                self.directory.replace(*address, practice.matters(urgency=urgency), began=began)
            else:
                self.directory.merge(*address, practice.matters(urgency=urgency, since=since), began=began)

    def _since(self, practice: PracticeSystem, address: Address, now: datetime) -> datetime | None:
        """From when on changes are asked for; None: the whole list is to be read."""
        if not practice.capabilities.changes_since:
            return None
        times = self.directory.refresh_times(*address)
        if times is None or not now - WHOLE_EVERY < times.whole_began <= times.began <= now:
            return None
        record = self._identity.record(address[0])
        if record is None or record.since >= times.whole_began:
            # Another person may see other matters.
            return None
        return times.began - OVERLAP

    def _me(self) -> tuple[Staff, ...]:
        return tuple(Staff(id="", name=record.user, email=record.email) for record in self._identity.records())


def _expected(error: Exception) -> ServiceError:
    if isinstance(error, ServiceError):
        return error
    _log.error("an adapter failed", exc_info=error)
    return BadAnswer(f"Its answer could not be used ({type(error).__name__}).")


def split_system(text: str) -> tuple[str, str]:
    """`<system>:<number>` in its two parts; without a known system's name before the colon, the whole is the number."""
    before, colon, after = text.strip().partition(":")
    system = before.strip().casefold()
    return (system, after.strip()) if colon and system in SYSTEMS else ("", text.strip())


def _the_one(number: str, found: Sequence[Matter]) -> Matter:
    """Raises ActionFailed when they are matters of several organisations."""
    if len({(one.system, one.tenant) for one in found}) > 1:
        systems = sorted({one.system for one in found})
        if len(systems) > 1:
            named = " and ".join(f"{title_of(system)} ({system}:{split_system(number)[1]})" for system in systems)
            raise ActionFailed(f"{number} is a matter in {named}. Say which, as in the brackets, or choose it in the picker.")
    if len(found) > 1:
        raise ActionFailed(f"There is more than one matter with the number {number}. Choose it in the picker.")
    return found[0]


def _raise_all(errors: Sequence[tuple[str, ServiceError]], others: str) -> None:
    """One system's own error as it is; of several, or where others went well, what was met at which. Only when all of them
    need a sign-in does it count as one."""
    if not errors:
        return
    if len(errors) == 1 and not others:
        raise errors[0][1]
    told = []
    for system, error in sorted(errors, key=lambda one: one[0]):
        cure = f" {error.cure}" if isinstance(error, AccessMissing) else ""
        told.append(f"{title_of(system)}: {error}{cure}")
    text = " ".join([*told, others]).strip()
    if not others and all(isinstance(error, SignedOut | AccessMissing) for _, error in errors):
        raise SignedOut(text)
    raise NotNow(text)


def _has_number(matter: Matter, number: str) -> bool:
    def plain(text: str) -> str:
        return re.sub(r"[\W_]", "", text).casefold().lstrip("0")

    return plain(number) in plain(matter.number)
