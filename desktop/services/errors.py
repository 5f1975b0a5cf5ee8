"""What can go wrong when the house talks to the outside, sorted by what it means for what we asked.

ServiceError
├── NotSent        proved: no byte of the request left this PC
├── AnswerLost     it may have been done: only reading can tell
├── Refused        the other side understood and said no; a person must act
│   └── LeftUnmarked   it was done, but our mark is missing there
├── Wait           the other side said «later» before doing anything
├── SignedOut      our credentials no longer count; a person must sign in
├── AccessMissing  signed in, but without the right that this needs
├── BadAnswer      a read gave something that can't be believed
└── NotNow         a thing on this PC is missing for the moment (keyring locked, no network set up)

A caller catches by meaning. Messages are sentences for a person and hold no secret, no address with a token and no client's name.
"""

from __future__ import annotations

from datetime import timedelta


class ServiceError(Exception):
    """Base of all of these. `str(error)` is one or two plain sentences."""


class NotSent(ServiceError):
    """Name look-up, connect, proxy CONNECT or TLS handshake failed: nothing left, so sending again is safe."""


class AnswerLost(ServiceError):
    """The request (or part of it) left and no believable answer came: time-out, reset, cut, 5xx, redirect on a write."""


class Refused(ServiceError):
    """The other side said no in its own words.

    `reason` holds those words, shortened; `status` is the HTTP status they came with.
    """

    def __init__(self, reason: str, *, status: int = 200) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


class LeftUnmarked(Refused):
    """It was done, but stands there without our mark, and giving it the mark did not work: sent again, it would stand twice.
    A person must act."""


class Wait(ServiceError):
    """A limit: nothing was done. `after` is None where the other side promised no time.

    `limit` is one of "minute", "day", "concurrent", "app", "server", "budget" or the vendor's own unknown word.
    """

    def __init__(self, message: str, *, after: timedelta | None, limit: str) -> None:
        super().__init__(message)
        self.after = after
        self.limit = limit


class SignedOut(ServiceError):
    """The sign-in has ended (revoked, lapsed, wrong password): do not try again until a person signs in."""


class AccessMissing(ServiceError):
    """The signed-in person lacks a right. `cure` says what an administrator does."""

    def __init__(self, message: str, *, cure: str) -> None:
        super().__init__(message)
        self.cure = cure


class BadAnswer(ServiceError):
    """A read answered with something unreadable, hostile or too large. Nothing may be concluded from it."""


class NotNow(ServiceError):
    """Something on this PC is not ready. The message says what to do."""
