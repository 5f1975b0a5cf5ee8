"""identity.db between threads of one process."""

from __future__ import annotations

import threading
from pathlib import Path

import apsw
import pytest

from desktop.services.identity import store as room
from desktop.services.identity.store import IdentityStore


def test_a_change_that_waits_for_a_reader_lets_that_reader_finish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader needs the interpreter to go on; a commit that kept the interpreter while it waits would wait in vain, with
    every window of the program."""
    monkeypatch.setattr(room, "_BUSY_MILLISECONDS", 5_000)
    file = tmp_path / "identity.db"
    store = IdentityStore(file)
    store.set_value("one", "1")
    store.set_value("two", "2")
    reader = apsw.Connection(str(file))
    rows = iter(reader.execute("SELECT name FROM meta ORDER BY name"))
    assert next(rows) == ("one",)
    failed: list[Exception] = []

    def write() -> None:
        try:
            store.set_value("three", "3")
        except Exception as error:  # noqa: BLE001  # told on the test's thread
            failed.append(error)

    writing = threading.Thread(target=write)
    writing.start()
    while writing.is_alive() and not _commit_waits(file):
        pass
    assert list(rows) == [("two",)]
    writing.join(30)
    reader.close()
    assert failed == []
    assert store.value("three") == "3"


def _commit_waits(file: Path) -> bool:
    """A commit that waits for readers to leave lets no new one in."""
    newcomer = apsw.Connection(str(file))
    try:
        list(newcomer.execute("SELECT count(*) FROM meta"))
    except apsw.BusyError:
        return True
    finally:
        newcomer.close()
    return False
