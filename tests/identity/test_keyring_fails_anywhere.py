"""The secret store fails at any one of its calls, in any flow: typed, bounded in time, nothing erased, and it passes."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from keyring.errors import InitError, KeyringLocked, NoKeyringError

from desktop.services.identity.keys import KeyringTrouble
from desktop.services.identity.wallet import Identity
from tests.identity.fake_authorization_server import FakeAuthorizationServer, serving
from tests.identity.identity_rig import XPM, MemoryKeyring, Rig, rig_for
from tests.identity.killed_child import Passer

PATIENCE = 0.1


class FailsAt(MemoryKeyring):
    """Its `at`-th call from now on fails (or all from there on); `hits` counts."""

    def __init__(self) -> None:
        super().__init__()
        self.at, self.for_good, self.hits = 0, False, 0
        self.failure: Callable[[], None] = lambda: None
        self._lock = threading.Lock()

    def fails(self, at: int, failure: Callable[[], None], *, for_good: bool) -> None:
        self.at, self.failure, self.for_good, self.hits = at, failure, for_good, 0

    def _called(self, name: str) -> None:
        super()._called(name)
        with self._lock:
            self.at -= 1
            hit = self.at == 0 or (self.for_good and self.at < 0)
            self.hits += hit
        if hit:
            self.failure()


LET_GO = threading.Event()


def locked() -> None:
    raise KeyringLocked("Failed to unlock the collection!")


def not_available() -> None:
    raise NoKeyringError("No recommended backend was available.")


def service_gone() -> None:
    raise InitError("Failed to open session")


def hangs() -> None:
    LET_GO.wait(20)
    raise TimeoutError


FAILURES = {"locked": locked, "not available": not_available, "its service is gone": service_gone, "hangs": hangs}


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    LET_GO.clear()
    with serving(FakeAuthorizationServer()) as server:
        made = rig_for(server, tmp_path)
        made.keyring = FailsAt()
        yield made
    LET_GO.set()


def identity_of(rig: Rig) -> Identity:
    return rig.identity(keyring_patience=PATIENCE)


def sign_in(rig: Rig) -> None:
    identity = identity_of(rig)
    record = identity.sign_in(XPM, Passer().steps())
    connection = identity.connection(XPM)
    assert connection is not None
    assert connection.token() in rig.server.issued
    # What the store would not keep lasts for the session, and the person is told.
    assert bool(identity.notices()) == record.session_only


def renew(rig: Rig) -> None:
    connection = identity_of(rig).connection(XPM)
    assert connection is not None
    assert connection.token() in rig.server.issued


def keep_a_password(rig: Rig) -> None:
    identity_of(rig).secrets.set("infotrack", "pa55")


def read_a_password(rig: Rig) -> None:
    identity_of(rig).secrets.get("infotrack")


FLOWS = {
    "signing in": sign_in,
    "signing in again": sign_in,
    "renewing": renew,
    "keeping a password": keep_a_password,
    "reading a password": read_a_password,
}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("flow", FLOWS)
def test_a_fault_at_any_call_of_the_secret_store_ends_in_words_and_passes(rig: Rig, flow: str, failure: str) -> None:
    """B2, B3: each call in turn, once and from there on; the next try without the fault works."""
    keyring = rig.keyring
    assert isinstance(keyring, FailsAt)
    if flow in ("signing in again", "renewing"):
        sign_in(rig)
    faults = 0
    for for_good in (False, True):
        for at in count(1):
            before = {record.tenant for record in identity_of(rig).records()}
            keyring.fails(at, FAILURES[failure], for_good=for_good)
            began = time.monotonic()
            # Anything else than that one kind of trouble would end the test here.
            with contextlib.suppress(KeyringTrouble):
                FLOWS[flow](rig)
            assert time.monotonic() - began < 5
            hits = keyring.hits
            keyring.fails(0, locked, for_good=False)
            assert {record.tenant for record in identity_of(rig).records()} >= before, "nothing that stood is gone"
            assert all(record.problem == "" for record in identity_of(rig).records())
            if not hits:
                break
            faults += 1
            FLOWS[flow](rig)
            if flow == "signing in":
                identity_of(rig).disconnect(XPM)
    assert faults >= 2


@pytest.mark.parametrize("failure", FAILURES)
def test_disconnecting_works_whichever_call_of_the_secret_store_fails(rig: Rig, failure: str) -> None:
    """A22, B2: the sign-in is forgotten here in any case; what of the key is left is used by the next sign-in."""
    keyring = rig.keyring
    assert isinstance(keyring, FailsAt)
    for at in count(1):
        sign_in(rig)
        keyring.fails(at, FAILURES[failure], for_good=True)
        said = identity_of(rig).disconnect(XPM)
        hits = keyring.hits
        keyring.fails(0, locked, for_good=False)
        assert "on this PC" in said
        assert identity_of(rig).records() == ()
        if not hits:
            break
    sign_in(rig)
    assert len(identity_of(rig).records()) == 1
