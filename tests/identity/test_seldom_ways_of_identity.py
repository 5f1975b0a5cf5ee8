"""Ways through the identity room that are seldom taken: a lock that is held, a store that can't be used, a row that changes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from desktop.services.errors import NotNow, NotSent
from desktop.services.identity import grants
from desktop.services.identity.grants import credential_lock
from desktop.services.identity.store import Fault, IdentityStore
from desktop.services.identity.tokens import Connection
from tests.identity.identity_rig import XPM, Rig


def connection_of(rig: Rig) -> Connection:
    connection = rig.identity().connection(XPM)
    assert connection is not None
    return connection


def test_a_lock_that_another_program_keeps_ends_in_words(tmp_path: Path) -> None:
    """A18: bounded, and nothing is touched without it."""
    held, let_go = threading.Event(), threading.Event()

    def other() -> None:
        with credential_lock(tmp_path, "xpm"):
            held.set()
            let_go.wait(20)

    thread = threading.Thread(target=other)
    thread.start()
    assert held.wait(10)
    with pytest.raises(NotNow, match="Another iConnect program"), credential_lock(tmp_path, "xpm", seconds=0.05):
        raise AssertionError("two have it")
    let_go.set()
    thread.join()
    with credential_lock(tmp_path, "xpm", seconds=5):
        pass


def test_a_folder_that_can_not_be_written_ends_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A20."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(NotNow, match="can't be written"), credential_lock(tmp_path / "x", "xpm"):
        raise AssertionError("it has a lock")


def test_a_row_that_keeps_changing_is_given_up_as_unknown_and_stands(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A19: somebody rotates at every look of ours: no endless loop, no sign-out."""
    rig.signed_in()
    monkeypatch.setattr(IdentityStore, "rotate", lambda *_: False)
    asked = rig.server.count("/connect/token", "refresh_token")
    with pytest.raises(NotSent, match="kept changing"):
        connection_of(rig).token()
    assert rig.server.count("/connect/token", "refresh_token") - asked <= 4
    assert rig.identity().records()[0].problem == ""
    monkeypatch.undo()
    assert connection_of(rig).token() in rig.server.issued


def test_a_token_that_the_disk_refused_is_forgotten_when_somebody_signed_in_anew(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A20: it belongs to a sign-in that no longer stands."""
    rig.signed_in()
    connection = connection_of(rig)

    def full(*_: object) -> bool:
        raise NotNow("The disk is full.")

    monkeypatch.setattr(IdentityStore, "rotate", full)
    with pytest.raises(NotNow, match="full"):
        connection.token()
    monkeypatch.undo()
    rig.signed_in()
    assert connection.token() in rig.server.issued
    assert rig.identity().records()[0].problem == ""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (apsw.FullError("x"), "disk is full"),
        (apsw.CorruptError("x"), "is damaged"),
        (apsw.NotADBError("x"), "is damaged"),
        (apsw.BusyError("x"), "in use by another program"),
        (apsw.IOError("x"), "can't be read or written"),
    ],
)
def test_every_trouble_with_the_file_is_told_by_its_cure_and_passes(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, error: apsw.Error, words: str
) -> None:
    """C4, C6: of the store of sign-ins."""
    rig.signed_in()

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(IdentityStore, "_prepare", fail)
    with pytest.raises(NotNow, match=words):
        rig.identity().records()
    monkeypatch.undo()
    assert connection_of(rig).token() in rig.server.issued


Look = Callable[[IdentityStore], object]
LOOKS: dict[str, Look] = {
    "a value": lambda made: made.value("profile"),
    "a row": lambda made: made.row(XPM),
    "all rows": lambda made: made.rows(),
    "a problem": lambda made: made.mark(XPM, Fault.ACCESS, "x", "y"),
    "no problem": lambda made: made.clear(XPM),
    "an end": lambda made: made.erase(XPM),
}


@pytest.mark.parametrize("what", LOOKS)
def test_looking_into_a_store_that_is_not_there_makes_none(tmp_path: Path, what: str) -> None:
    """B10: a PC that never signed in keeps no file of sign-ins."""
    file = tmp_path / "identity.db"
    assert not LOOKS[what](IdentityStore(file))
    assert not file.exists()


def test_the_lock_is_named_for_the_credential_and_lies_beside_it(tmp_path: Path) -> None:
    """A18: two profiles, or two systems, do not wait for each other; two processes of one profile do."""
    with credential_lock(tmp_path, "one"), credential_lock(tmp_path, "two", seconds=1):
        assert (tmp_path / "identity-one.lock").exists()
    assert grants.REFRESH_LIMITS.total < grants.LOCK_SECONDS
