"""Pure: what an answer or an error means for what was asked, and when to try again."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from random import Random

from desktop.services.errors import AccessMissing, NotNow, NotSent, Refused, SignedOut, Wait

FIRST_DELAY = timedelta(seconds=4)
LONGEST_DELAY = timedelta(minutes=15)
SHORTEST_DELAY = timedelta(seconds=1)
LONGEST_WAIT = timedelta(hours=24)

TRIES = 8
TRYING_TIME = timedelta(hours=24)


class Outcome(Enum):
    """What a send came to."""

    DONE = "the remote said yes"
    NOT_SENT = "nothing left this PC"
    REFUSED = "the remote said no"
    UNKNOWN = "it may be done"
    WAIT = "a limit: not done, later"
    SIGNED_OUT = "not done: a person must sign in"
    NO_ACCESS = "not done: a right is missing"
    NOT_NOW = "not done: something on this PC is missing for the moment"

    @property
    def costs_an_attempt(self) -> bool:
        """A limit, a lapsed sign-in or a locked keyring says nothing about the delivery itself."""
        return self not in (Outcome.WAIT, Outcome.SIGNED_OUT, Outcome.NO_ACCESS, Outcome.NOT_NOW)

    @property
    def stops_the_tenant(self) -> bool:
        """True when the tenant's other deliveries would meet the same."""
        return self in (Outcome.NOT_SENT, Outcome.WAIT, Outcome.SIGNED_OUT, Outcome.NO_ACCESS, Outcome.NOT_NOW)


def of_send(error: BaseException | None) -> Outcome:
    """The outcome of a write. Only what proves that nothing was done counts as not done; all else is unknown, also an
    error that nobody foresaw."""
    if error is None:
        return Outcome.DONE
    for kind, outcome in _PROVED:
        if isinstance(error, kind):
            return outcome
    return Outcome.UNKNOWN


_PROVED: tuple[tuple[type[BaseException], Outcome], ...] = (
    (NotSent, Outcome.NOT_SENT),
    (Refused, Outcome.REFUSED),
    (Wait, Outcome.WAIT),
    (SignedOut, Outcome.SIGNED_OUT),
    (AccessMissing, Outcome.NO_ACCESS),
    (NotNow, Outcome.NOT_NOW),
)


def delay(tries: int, random: Random) -> timedelta:
    """How long to wait after the `tries`-th failure (from 1): full jitter under a doubling ceiling of at most 15 minutes."""
    doublings = min(max(tries, 1) - 1, 20)
    ceiling = min(LONGEST_DELAY, FIRST_DELAY * (1 << doublings))
    return max(SHORTEST_DELAY, ceiling * random.random())


def pause(wait: Wait, tries: int, random: Random) -> timedelta:
    """How long a limit lasts: what the other side promised, within reason; where it promised nothing, our own back-off."""
    if wait.after is None:
        longest = {"concurrent": timedelta(seconds=5), "day": timedelta(hours=1)}.get(wait.limit)
        return delay(tries, random) if longest is None else max(SHORTEST_DELAY, longest * random.random())
    return min(max(wait.after, SHORTEST_DELAY), LONGEST_WAIT)
