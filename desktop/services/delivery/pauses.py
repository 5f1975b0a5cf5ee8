"""What has to rest for a while, why, and until when: a tenant, a source, the fetching of documents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from desktop.services.delivery import outcomes
from desktop.services.errors import AccessMissing, NotNow, ServiceError, SignedOut, Wait
from desktop.services.ledger.facts import from_text, to_text
from desktop.services.ledger.ledger import Ledger

UNTIL_TOLD = timedelta(days=3650)
CHECK_ACCESS_AGAIN = timedelta(minutes=15)
LOOK_HERE_AGAIN = timedelta(minutes=1)
"""What is missing on this PC (a locked keyring, a file that another program holds) costs nobody a call to look for again, and
the other files of the folder wait with it."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that does not work now. `where` is a system's name, `documents`, or a source's name; `needs_person`: time
    alone will not mend it. `tries` counts failures in a row."""

    where: str
    tenant: str
    message: str
    until: datetime
    tries: int
    needs_person: bool = False
    cure: str = ""


class Pauses:
    """Limits are remembered in the ledger (they outlive a restart), the rest only here. Safe to use from several threads."""

    def __init__(self, ledger: Ledger, random: Random) -> None:
        self._ledger = ledger
        self._random = random
        self._now: Callable[[], datetime] = ledger.now
        self._rest: dict[tuple[str, str], Trouble] = {}
        self._asked: set[tuple[str, str]] = set()
        self._works: set[tuple[str, str]] = set()

    def note(self, where: str, tenant: str, error: ServiceError) -> Trouble:
        """After a failure: how long to leave this alone."""
        before = self._rest.get((where, tenant))
        tries = 1 if before is None else before.tries + 1
        now = self._now()
        match error:
            case Wait():
                until, person, cure = now + outcomes.pause(error, tries, self._random), False, ""
                self._ledger.remember(self._name(where, tenant), f"{to_text(until)} {error}")
            case SignedOut():
                until, person, cure = now + UNTIL_TOLD, True, "Sign in again."
            case AccessMissing():
                until, person, cure = now + CHECK_ACCESS_AGAIN, True, error.cure
            case NotNow():
                until, person, cure = now + min(outcomes.delay(tries, self._random), LOOK_HERE_AGAIN), False, ""
            case _:
                until, person, cure = now + outcomes.delay(tries, self._random), False, ""
        trouble = Trouble(where, tenant, str(error), until, tries, person, cure)
        self._rest[where, tenant] = trouble
        return trouble

    @staticmethod
    def _name(where: str, tenant: str) -> str:
        return f"pause {where} {tenant}"

    def current(self, where: str, tenant: str = "") -> Trouble | None:
        """What keeps this resting now; None when it may be tried."""
        if (where, tenant) not in self._asked:
            self._asked.add((where, tenant))
            self._recall(where, tenant)
        trouble = self._rest.get((where, tenant))
        return trouble if trouble is not None and trouble.until > self._now() else None

    def _recall(self, where: str, tenant: str) -> None:
        text = self._ledger.recall(self._name(where, tenant))
        if text and (where, tenant) not in self._rest:
            told, _, message = text.partition(" ")
            until, now = from_text(told), self._now()
            # Further away than any limit: a clock wrote it that was ahead then.
            if now < until <= now + outcomes.LONGEST_WAIT + timedelta(hours=1):
                self._rest[where, tenant] = Trouble(where, tenant, message, until, 1)

    def works(self, where: str, tenant: str = "") -> bool:
        """It has just answered well. True for the first time since the program began, and after an outage: one call that
        failed among others that went well is none."""
        before = self._rest.pop((where, tenant), None)
        news = (where, tenant) not in self._works or (before is not None and before.tries > 1)
        self._works.add((where, tenant))
        return news

    def forgive(self) -> None:
        """A person signed in or asked to try now: everything but the vendors' limits may be tried at once."""
        for name, trouble in tuple(self._rest.items()):
            limited = self._ledger.recall(self._name(*name))
            is_limit = bool(limited) and from_text(str(limited).partition(" ")[0]) == trouble.until
            if not is_limit and self._rest.get(name) is trouble:
                self._rest.pop(name, None)

    def troubles(self) -> tuple[Trouble, ...]:
        """Everything that failed when it was last tried, also what may be tried again by now."""
        return tuple(self._rest.values())
