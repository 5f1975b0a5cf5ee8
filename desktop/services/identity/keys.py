"""The operating system's secret store, through the `keyring` package: off the caller's thread, with a time limit, and
with every way to fail told apart."""

from __future__ import annotations

import base64
import binascii
import contextlib
import errno
import logging
import threading
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from desktop.services.errors import NotNow
from desktop.services.loggable import error_kind, loggable

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

LONGEST_SECRET = 1_000  # characters; Windows keeps at most 1,280 in one entry
PATIENCE = 15.0  # seconds; an unlock question may be on the screen meanwhile
_MOST_STUCK = 8
_MOST_TRIES = 5
ACCOUNT = "iConnect"


class KeyringFault(StrEnum):
    """What is the matter with the secret store."""

    NONE = "there is none"
    LOCKED = "it is locked"
    DENIED = "access was denied"
    TIMED_OUT = "it did not answer"
    TOO_LONG = "the secret is too long for it"
    FULL = "it is full"
    NO_LOGON = "this logon session has none"
    GONE = "its service went away"
    GARBLED = "what it gave is damaged"
    CHANGED = "it is not the one that holds the sign-in"
    MISSING = "it no longer holds this sign-in's key"
    UNSAFE = "it would keep secrets in plain text, or not at all"
    OTHER = "it failed"


_CURES = {
    KeyringFault.NONE: "Install or switch on the desktop's secret store (GNOME Keyring or KWallet on Linux).",
    KeyringFault.LOCKED: "Unlock the keyring and try again.",
    KeyringFault.DENIED: "Allow iConnect Desktop to use it when the system asks, and try again.",
    KeyringFault.TIMED_OUT: "Look for a question from the keyring on the screen, answer it, and try again.",
    KeyringFault.TOO_LONG: "Tell IT: the value can't be kept on this PC.",
    KeyringFault.FULL: "Remove entries that are no longer needed from the system's credential manager and try again.",
    KeyringFault.NO_LOGON: "Sign in to this PC in the ordinary way (not as a service or over a bare remote shell) and try again.",
    KeyringFault.GONE: "Sign out of this PC and in again, then try again.",
    KeyringFault.GARBLED: "Sign in again to replace it.",
    KeyringFault.CHANGED: "Start iConnect Desktop on the same desktop as before, or sign in again to use this secret store.",
    KeyringFault.MISSING: "Sign in again.",
    KeyringFault.UNSAFE: "Ask IT for a keyring that encrypts, or unset PYTHON_KEYRING_BACKEND.",
    KeyringFault.OTHER: "Restart this PC and try again; tell IT if it repeats.",
}


class KeyringTrouble(NotNow):
    """The secret store could not do it. Nothing was erased."""

    def __init__(self, fault: KeyringFault) -> None:
        super().__init__(f"This PC's secret store can't be used: {fault.value}. {_CURES[fault]}")
        self.fault = fault


class Backend(Protocol):
    """The part of a `keyring` backend that is used."""

    def get_password(self, service: str, username: str) -> str | None: ...

    def set_password(self, service: str, username: str, password: str) -> None: ...

    def delete_password(self, service: str, username: str) -> None: ...


def system_backend() -> Backend:
    """What `keyring` picks, which PYTHON_KEYRING_BACKEND may decide."""
    import keyring

    chosen: Backend = keyring.get_keyring()
    if _unfit(chosen) is not None and not _is_asked_for():
        return _looked_for_again() or chosen
    return chosen


def _is_asked_for() -> bool:
    import keyring.core

    return keyring.core.load_env() is not None or keyring.core.load_config() is not None


def _looked_for_again() -> Backend | None:
    """The package judges once in a process which stores there are. A tray that starts with the desktop may be quicker than the
    desktop's own secret store, and would be without one until its next start."""
    from keyring.backend import KeyringBackend

    rivals = [kind for kind in KeyringBackend.get_viable_backends() if kind.__module__ != _CHAIN and _unsafe(kind) is None]
    if not rivals:
        _ask_a_busy_bus()
    found: Backend | None = max(rivals, key=lambda kind: kind.priority)() if rivals else None
    return found


def _ask_a_busy_bus() -> None:
    """The package takes a D-Bus that is only slow for one without a secret store: its TimeoutError is let through here."""
    from keyring.backends import SecretService

    try:
        _ = SecretService.Keyring.priority
    except TimeoutError:
        raise
    except (RuntimeError, OSError):
        return


class Vault:
    """One entry for each service name. Every method raises KeyringTrouble and nothing else, within `patience` seconds;
    none may be called on the GUI thread all the same. `pick` gives the backend."""

    def __init__(self, pick: Callable[[], Backend] = system_backend, *, patience: float = PATIENCE) -> None:
        self._pick = pick
        self._patience = patience
        self._chosen: Backend | None = None
        self._stuck = 0
        self._lock = threading.Lock()

    def backend_name(self) -> str:
        """The class that holds the secrets, to be remembered."""
        return _class_name(self._timed(self._backend))

    def get(self, service: str) -> str | None:
        """None: this backend holds no such entry."""
        return self._timed(lambda: self._backend().get_password(service, ACCOUNT))

    def set(self, service: str, secret: str) -> None:
        if len(secret) > LONGEST_SECRET:
            raise KeyringTrouble(KeyringFault.TOO_LONG)

        def replace() -> None:
            backend = self._backend()
            if _is_windows(backend) and backend.get_password(service, ACCOUNT) is not None:
                # It would keep a copy of the old secret under another name. Others replace it, and have it while they can't.
                with contextlib.suppress(_delete_error()):
                    backend.delete_password(service, ACCOUNT)
            backend.set_password(service, ACCOUNT, secret)
            if backend.get_password(service, ACCOUNT) != secret:
                raise KeyringTrouble(KeyringFault.GARBLED)

        self._timed(replace)

    def delete(self, service: str) -> None:
        """No complaint when there is no such entry. Does not read it first: that may be what fails."""

        def remove() -> None:
            with contextlib.suppress(_delete_error()):
                self._backend().delete_password(service, ACCOUNT)

        self._timed(remove)

    def _backend(self) -> Backend:
        if self._chosen is None:
            backend = _safest(self._pick())
            if _is_windows(backend):
                # The package's default would follow a roaming profile to other PCs.
                backend.persist = "local machine"
            self._chosen = backend
        return self._chosen

    def _timed(self, call: Callable[[], _T]) -> _T:
        with self._lock:
            if self._stuck >= _MOST_STUCK:
                raise KeyringTrouble(KeyringFault.TIMED_OUT)
        result: list[_T] = []
        failure: list[Exception] = []
        done = threading.Event()
        given_up = threading.Event()

        def run() -> None:
            try:
                result.append(_patiently(call, given_up))
            except Exception as error:  # noqa: BLE001  # a thread's edge: foreign backends raise anything
                failure.append(error)
            finally:
                with self._lock:
                    done.set()
                    if given_up.is_set():
                        self._stuck -= 1

        threading.Thread(target=run, name="keyring", daemon=True).start()
        if not done.wait(self._patience):
            with self._lock:
                if not done.is_set():
                    given_up.set()
                    self._stuck += 1
                    raise KeyringTrouble(KeyringFault.TIMED_OUT)
        if failure:
            if isinstance(failure[0], KeyringTrouble):
                raise failure[0]
            fault = sort_failure(failure[0])
            _log.warning("The secret store failed: %s (%s).", loggable(fault.name), error_kind(failure[0]))
            # Not chained: a backend's own message may hold what was to be stored.
            raise KeyringTrouble(fault) from None
        return result[0]


def _patiently(call: Callable[[], _T], given_up: threading.Event) -> _T:
    """The Linux library gives a busy D-Bus one second to shake hands; a PC that has just been switched on needs more. What is
    called may be called again."""
    tries = 1
    while True:
        try:
            return call()
        except TimeoutError:
            if tries >= _MOST_TRIES or given_up.is_set():
                raise
            tries += 1


def _is_windows(backend: object) -> bool:
    return type(backend).__name__ == "WinVaultKeyring"


def _delete_error() -> type[Exception]:
    from keyring.errors import PasswordDeleteError

    found: type[Exception] = PasswordDeleteError
    return found


def _class_name(backend: object) -> str:
    return f"{type(backend).__module__}.{type(backend).__qualname__}"


def _safest(backend: Any) -> Any:
    """The backend itself, or the first of a chain that keeps secrets secret. Raises KeyringTrouble when it does not."""
    fault = _unfit(backend)
    if fault is not None:
        raise KeyringTrouble(fault)
    if type(backend).__module__ == _CHAIN:
        return next(member for member in backend.backends if _unsafe(type(member)) is None)
    return backend


def _unfit(backend: Any) -> KeyringFault | None:
    """Why neither the backend nor, of a chain, any member may hold a secret; None when one may."""
    if type(backend).__module__ != _CHAIN:
        return _unsafe(type(backend))
    members = [_unsafe(type(member)) for member in backend.backends]
    if None in members:
        return None
    return KeyringFault.UNSAFE if members else KeyringFault.NONE


_CHAIN = "keyring.backends.chainer"
_UNSAFE_MODULES = {"keyring.backends.null": KeyringFault.UNSAFE, "keyring.backends.fail": KeyringFault.NONE}
_UNSAFE_CLASSES = {"keyrings.alt.pyfs.BasicKeyring", "keyrings.alt.Google.DocsKeyring", "keyrings.alt.Gnome.Keyring"}


def _unsafe(own: type) -> KeyringFault | None:
    """The package's null and fail backends, and the plain-text ones of its companion package with what derives from them."""
    if own.__module__ in _UNSAFE_MODULES:
        return _UNSAFE_MODULES[own.__module__]
    for kind in own.__mro__:
        if kind.__module__.startswith("keyrings.alt.") and (
            "plaintext" in kind.__name__.lower() or f"{kind.__module__}.{kind.__qualname__}" in _UNSAFE_CLASSES
        ):
            return KeyringFault.UNSAFE
    return None


_WINDOWS = {
    5: KeyringFault.DENIED,
    8: KeyringFault.FULL,
    14: KeyringFault.FULL,
    1312: KeyringFault.NO_LOGON,
    1783: KeyringFault.TOO_LONG,
    1223: KeyringFault.DENIED,
}
_MAC = {"-128": KeyringFault.DENIED, "-25293": KeyringFault.DENIED, "-25308": KeyringFault.LOCKED, "-34": KeyringFault.FULL}
_BY_CLASS = {
    "NoKeyringError": KeyringFault.NONE,
    "KeyringLocked": KeyringFault.LOCKED,
    "LockedException": KeyringFault.LOCKED,
    "PromptDismissedException": KeyringFault.LOCKED,
    "SecretServiceNotAvailableException": KeyringFault.GONE,
    "DBusErrorResponse": KeyringFault.GONE,
    "DBusConnectionException": KeyringFault.GONE,
    "DBusException": KeyringFault.GONE,
    "ConnectionError": KeyringFault.GONE,
    "ConnectionRefusedError": KeyringFault.GONE,
    "ConnectionResetError": KeyringFault.GONE,
    "BrokenPipeError": KeyringFault.GONE,
    "EOFError": KeyringFault.GONE,
    "TimeoutError": KeyringFault.TIMED_OUT,
    "UnicodeDecodeError": KeyringFault.GARBLED,
    "ModuleNotFoundError": KeyringFault.NONE,
}


def sort_failure(error: BaseException) -> KeyringFault:
    """Which of the known troubles this is, by its code, its class and, last, the words that the known backends use."""
    seen: BaseException | None = error
    while seen is not None:
        windows = getattr(seen, "winerror", None)
        if windows in _WINDOWS:
            return _WINDOWS[windows]
        if isinstance(seen, OSError) and seen.errno in (errno.ENOSPC, errno.EDQUOT if hasattr(errno, "EDQUOT") else errno.ENOSPC):
            return KeyringFault.FULL
        if isinstance(seen, PermissionError):
            return KeyringFault.DENIED
        text = str(seen).lower()
        for code, fault in _MAC.items():
            if code in text:
                return fault
        if "dismissed" in text or "locked" in text:
            return KeyringFault.LOCKED
        if "denied" in text or "not authorized" in text or "cancelled by user" in text:
            return KeyringFault.DENIED
        if type(seen).__name__ in _BY_CLASS:
            return _BY_CLASS[type(seen).__name__]
        if type(seen).__name__ == "InitError":
            return KeyringFault.GONE
        seen = seen.__cause__ or seen.__context__
    return KeyringFault.OTHER


def encode_key(key: bytes) -> str:
    return base64.b64encode(key).decode()


def decode_key(text: str) -> bytes:
    """Raises KeyringTrouble (damaged) unless it is 32 bytes in base64."""
    try:
        key = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise KeyringTrouble(KeyringFault.GARBLED) from error
    if len(key) != 32:
        raise KeyringTrouble(KeyringFault.GARBLED)
    return key
