"""A connection's access tokens: in memory only, renewed in time, once for everybody who waits."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from desktop.services.errors import AnswerLost, NotNow, NotSent, ServiceError, SignedOut, Wait
from desktop.services.identity.grants import Grant
from desktop.services.identity.model import ClientRefused, TokenSet
from desktop.services.identity.oauth import asks_to_wait
from desktop.services.loggable import error_kind, loggable

_log = logging.getLogger(__name__)

_BOOTTIME: int | None = getattr(time, "CLOCK_BOOTTIME", None)
RENEW_AT = 0.8
_STILL_GOOD = 0.98
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
_REJECTED_AGAIN = 30.0


def boot_clock() -> float:
    """Seconds on a clock that never goes back and, unlike most monotonic ones, also runs while the PC sleeps."""
    if _BOOTTIME is not None:
        return time.clock_gettime(_BOOTTIME)
    return time.monotonic()


@dataclass(frozen=True, slots=True)
class _Held:
    access_token: str = field(repr=False)
    sign_in: str
    lifetime: float
    boot: float
    wall: datetime


class _Flight:
    def __init__(self, grant: Grant) -> None:
        self.grant = grant
        self.landed = threading.Event()
        self.access_token = ""
        self.error: ServiceError | None = None


class Connection:
    """One organisation at one practice system, signed in. Implements `AccessTokens`; safe to use from several threads.

    One object serves the organisation as long as the process lives. A later sign-in comes into it (`use`): whoever holds it
    never goes on as the person before.

    `boot` is in seconds and should run through sleep; `clock` gives aware UTC. Sleep, a clock put forward and the passing of
    time all make a token old; a clock put back does not make it young, and none of them ends a sign-in."""

    def __init__(
        self,
        system: str,
        tenant: str,
        grant: Grant,
        *,
        clock: Callable[[], datetime],
        boot: Callable[[], float] = boot_clock,
    ) -> None:
        self.system = system
        self.tenant = tenant
        self._grant = grant
        self._clock = clock
        self._boot = boot
        self._held: _Held | None = None
        self._flight: _Flight | None = None
        self._lock = threading.Lock()
        self._failures = 0
        self._not_before = 0.0
        self._last_error: ServiceError | None = None
        self._forced_at: float | None = None

    @property
    def offline(self) -> bool:
        """Signed in, but the last renewal could not be had."""
        return self._failures > 0

    @property
    def grant(self) -> Grant:
        return self._grant

    def use(self, grant: Grant) -> None:
        """Goes on with this grant. Another one's tokens, failures and pauses are forgotten, also those that are on their way."""
        with self._lock:
            if grant is not self._grant:
                self._grant = grant
                self._flight = None
                self._forget()

    def forget(self) -> None:
        """Drops the token that is held, when the sign-in is over."""
        with self._lock:
            self._forget()

    def seed(self, tokens: TokenSet, sign_in: str) -> None:
        """The token that came with the sign-in."""
        with self._lock:
            self._forced_at = None
            self._hold(tokens, sign_in)

    def token(self) -> str:
        """A token that is good now. Raises SignedOut, NotNow; NotSent: still signed in, later may do. Never AnswerLost nor Wait:
        whatever became of the renewal, what the caller wanted the token for has not left this PC; and how long the sign-in server
        asks to wait is kept to here, so that the queue goes on as soon as a person has signed in again."""
        standing = self._grant.standing()
        held = self._held
        if held is not None and held.sign_in == standing and self._age(held) < RENEW_AT:
            return held.access_token
        try:
            return self._renewed(held.access_token if held else None, standing)
        except (NotSent, NotNow):
            if held is not None and held.sign_in == standing and self._age(held) < _STILL_GOOD:
                return held.access_token
            raise

    def rejected(self, token: str) -> str:
        """The API answered 401 to `token`: gives another. Raises as `token`; SignedOut when a fresh one was rejected too."""
        standing = self._grant.standing()
        held = self._held
        if held is not None and held.access_token != token and held.sign_in == standing:
            return self.token()
        now = self._boot()
        with self._lock:
            again = (
                self._forced_at is not None
                and held is not None
                and now - self._forced_at < _REJECTED_AGAIN
                and held.boot >= self._forced_at
            )
        if again:
            raise SignedOut(
                "The practice system refuses a sign-in that was renewed just now. Try again in a minute, or connect again."
            )
        fresh = self._renewed(token, standing)
        with self._lock:
            self._forced_at = now
        return fresh

    def _renewed(self, stale: str | None, standing: str) -> str:
        with self._lock:
            held = self._held
            if held is not None and held.access_token != stale and held.sign_in == standing and self._age(held) < RENEW_AT:
                return held.access_token
            flight, pilot = self._flight, False
            if flight is None:
                problem = self._still_failing()
                if problem is not None:
                    raise problem
                flight = self._flight = _Flight(self._grant)
                pilot = True
        if pilot:
            self._fly(flight, standing)
        else:
            flight.landed.wait()
        if self._grant is not flight.grant:
            # Somebody signed in meanwhile: neither the token nor the failure of the sign-in before counts.
            return self.token()
        if flight.error is not None:
            raise flight.error
        if not flight.access_token:
            raise NotNow("The sign-in could not be renewed. Try again.")
        return flight.access_token

    def _fly(self, flight: _Flight, standing: str) -> None:
        try:
            tokens = flight.grant.renew()
            with self._lock:
                if self._grant is flight.grant:
                    # By the name from before the renewal: a sign-in that came meanwhile must not take over another's token.
                    self._hold(tokens, standing)
            flight.access_token = tokens.access_token
        except ServiceError as error:
            flight.error = NotSent(str(error)) if isinstance(error, (AnswerLost, Wait)) else error
            with self._lock:
                if self._grant is flight.grant:
                    self._failed(error)
        finally:
            # Whatever happened, everybody who waits is let go and the next one may try.
            with self._lock:
                if self._flight is flight:
                    self._flight = None
            flight.landed.set()

    def _hold(self, tokens: TokenSet, sign_in: str) -> None:
        self._held = _Held(tokens.access_token, sign_in, tokens.lifetime, self._boot(), self._clock())
        self._failures = 0
        self._last_error = None

    def _forget(self) -> None:
        self._held = None
        self._forced_at = None
        self._failures = 0
        self._last_error = None

    def _failed(self, error: ServiceError) -> None:
        if isinstance(error, (NotSent, AnswerLost, Wait, ClientRefused)):
            pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**self._failures)
            if isinstance(error, Wait) and error.after is not None:
                pause = max(pause, error.after.total_seconds())
            self._failures = min(self._failures + 1, 10)
            self._not_before = self._boot() + pause
            self._last_error = error
            _log.info(
                "Renewing the sign-in to %s failed (%s); next try in %.0f s.", loggable(self.system), error_kind(error), pause
            )

    def _still_failing(self) -> ServiceError | None:
        """What to answer without asking again; None when it is time to ask."""
        left = self._not_before - self._boot()
        if self._last_error is None or left <= 0:
            return None
        if isinstance(self._last_error, Wait):
            return NotSent(asks_to_wait(timedelta(seconds=left)))
        if isinstance(self._last_error, ClientRefused):
            return ClientRefused(str(self._last_error))
        return NotSent(str(self._last_error))

    def _age(self, held: _Held) -> float:
        """As a share of its lifetime, by the clock that says more."""
        by_boot = self._boot() - held.boot
        by_wall = (self._clock() - held.wall).total_seconds()
        return max(by_boot, by_wall, 0.0) / held.lifetime
