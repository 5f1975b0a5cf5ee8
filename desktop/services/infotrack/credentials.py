"""The person's InfoTrack login: the name in a small file of the profile, the password in the keyring.

The file tells every process of the profile (`iconnect status` among them) who is signed in without opening the keyring.
A login that InfoTrack refused is marked and not used again until a person signs in: InfoTrack may lock an account that
is tried too often with a wrong password.
"""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import os
import secrets as randomness
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from desktop.services.desk import ConnectionState
from desktop.services.errors import NotNow, SignedOut

_log = logging.getLogger(__name__)
_NOT_SIGNED_IN = "You are not signed in to InfoTrack. Sign in under Connections."
_REJECTED = "InfoTrack did not accept your login. Sign in again under Connections."
_UNTIL_THEN = "Until then the InfoTrack login lasts only as long as this program runs: nothing was written to the disk."


class Secrets(Protocol):
    """The keyring, as this profile sees it. Every method may raise NotNow (locked, missing)."""

    def get(self, name: str, /) -> str | None: ...

    def set(self, name: str, value: str, /) -> None: ...

    def delete(self, name: str, /) -> None:
        """No error when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Login:
    """A login that may be sent. `stamp` tells one sign-in from the next."""

    user: str
    password: str = field(repr=False)
    stamp: str = ""

    def header(self) -> str:
        """The value of an Authorization header. Never log it."""
        return basic(self.user, self.password)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")


@dataclass(frozen=True, slots=True)
class LoginState:
    """What anybody may see: no password."""

    state: ConnectionState
    user: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Kept:
    user: str
    stamp: str
    rejected: bool


class Credentials:
    """One profile's InfoTrack login. Safe to use from several threads and processes; each call reads what stands now.

    `name` is the keyring entry's: it has to differ between profiles of one person."""

    def __init__(self, file: Path, secrets: Secrets, *, name: str = "iConnect InfoTrack") -> None:
        self._file = file
        self._secrets = secrets
        self._name = name
        self._known: Login | None = None
        self._session: _Kept | None = None
        self._why_not_kept = ""

    def state(self) -> LoginState:
        """Without the keyring and without the network."""
        kept = self._session or self._read()
        if kept is None:
            return LoginState(ConnectionState.DISCONNECTED)
        if kept.rejected:
            return LoginState(ConnectionState.ATTENTION, kept.user, _REJECTED)
        return LoginState(ConnectionState.CONNECTED, kept.user, "" if self._session is None else self._why_not_kept)

    def login(self) -> Login:
        """Raises SignedOut when there is none or InfoTrack refused it; NotNow when the keyring can't be opened."""
        kept = self._session or self._read()
        if kept is None:
            raise SignedOut(_NOT_SIGNED_IN)
        if kept.rejected:
            raise SignedOut(_REJECTED)
        known = self._known
        if known is not None and known.stamp == kept.stamp:
            return known
        found = _unpack(self._secrets.get(self._name))
        if found is None or found.stamp != kept.stamp:
            # The file and the keyring speak of different sign-ins: one of them was lost on the way.
            raise SignedOut(_NOT_SIGNED_IN)
        self._known = found
        return found

    def rejected(self, login: Login) -> None:
        """InfoTrack answered 401 to this login. A newer sign-in is left alone."""
        if self._session is not None:
            if self._session.stamp == login.stamp:
                self._session = _Kept(login.user, login.stamp, rejected=True)
            return
        kept = self._read()
        if kept is not None and kept.stamp == login.stamp and not kept.rejected:
            _log.warning("InfoTrack refused the login; it is not used again until somebody signs in")
            self._write(_Kept(kept.user, kept.stamp, rejected=True))

    def keep(self, user: str, password: str) -> str:
        """Stores a login that InfoTrack accepted, in place of any other. Where the keyring can't be used the login lives in this
        process alone, nothing is written, and a sentence for the person says so; else the text is empty. Raises NotNow, having
        changed nothing that counts, when the profile can't be written."""
        login = Login(user, password, randomness.token_hex(8))
        kept = _Kept(user, login.stamp, rejected=False)
        try:
            self._secrets.set(self._name, json.dumps([login.user, login.password, login.stamp], ensure_ascii=False))
        except NotNow as trouble:
            self._why_not_kept = f"{trouble} {_UNTIL_THEN}"
            self._known, self._session = login, kept
            return self._why_not_kept
        self._write(kept)
        self._known, self._session = login, None
        return ""

    def sign_out(self) -> None:
        """Forgets the name at once, then the password. Raises NotNow when the keyring can't be opened; the password left
        there is then useless to this program."""
        self._known = self._session = None
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:
            raise NotNow("The InfoTrack login could not be removed from this profile. Try again.") from error
        self._secrets.delete(self._name)

    def _read(self) -> _Kept | None:
        try:
            told = json.loads(self._file.read_bytes())
            return _Kept(str(told["user"]), str(told["stamp"]), bool(told["rejected"]))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise NotNow("The profile's InfoTrack login can't be read. Check the permissions of the profile folder.") from error
        except (ValueError, KeyError, TypeError):
            _log.warning("the file with the InfoTrack login is damaged; a new sign-in replaces it")
            return None

    def _write(self, kept: _Kept) -> None:
        beside = self._file.with_name(f"{self._file.name}.{os.getpid()}.new")
        content = json.dumps({"user": kept.user, "stamp": kept.stamp, "rejected": kept.rejected}).encode()
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._file)
        except OSError as error:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)
            raise NotNow("The InfoTrack login could not be written to the profile. Check its disk and permissions.") from error


def _unpack(text: str | None) -> Login | None:
    try:
        user, password, stamp = json.loads(text or "")
    except (ValueError, TypeError):
        return None
    return Login(str(user), str(password), str(stamp))
