"""The file itself: opened with care, and honest about every failure."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import apsw
import pytest

from desktop.services.infotrack.model import Incoming, Source
from desktop.services.ledger.errors import LedgerDamaged, LedgerError, LedgerTooNew, LedgerTrouble
from desktop.services.ledger.ledger import Ledger
from desktop.services.ledger.model import DeliveryState
from desktop.services.ledger.store import Store, is_safe_sqlite, sorted_errors
from tests.delivery.stand_in import Clock, order


def opened(path: Path, *, vfs: str | None = None) -> Ledger:
    return Ledger.open(path, clock=Clock(), random=Random(3), vfs=vfs)


def take(ledger: Ledger, *order_ids: str) -> None:
    ledger.record([Incoming(order(order_id), b"raw", Source.FILE) for order_id in order_ids])


def test_a_new_ledger_has_a_name_for_good(tmp_path: Path) -> None:
    first = opened(tmp_path / "ledger.db")
    name = first.installation
    first.close()
    again = Ledger.open(tmp_path / "ledger.db", random=Random(99))
    assert again.installation == name
    assert len(name) == 6
    assert name == name.lower()
    assert name.isalnum()
    again.close()


def test_every_state_is_counted_zeros_included(tmp_path: Path) -> None:
    ledger = opened(tmp_path / "ledger.db")
    assert ledger.counts() == dict.fromkeys(DeliveryState, 0)
    assert ledger.waiting_for_person() == 0
    ledger.close()


@pytest.mark.skipif(os.name != "posix", reason="rights are an access list there")
def test_the_file_is_its_owners_alone_from_the_start(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        ledger = opened(tmp_path / "inner" / "ledger.db")
        take(ledger, "1")
        for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
            assert stat.S_IMODE((tmp_path / "inner" / name).stat().st_mode) == 0o600
        ledger.backup(tmp_path / "copy.db")
        assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
        ledger.close()
    finally:
        os.umask(before)


def test_the_settings_are_read_back(tmp_path: Path) -> None:
    """C1: full sync, write-ahead log, foreign keys, in every thread's connection."""
    ledger = opened(tmp_path / "ledger.db")
    found: list[list[str]] = []

    def look() -> None:
        db = ledger._store.connection()
        found.append([str(db.pragma(name)) for name in ("journal_mode", "synchronous", "foreign_keys")])

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    look()
    assert found == [["wal", "2", "1"]] * 2
    ledger.close()


@pytest.mark.parametrize(
    "found", [("delete", "2", "1"), ("wal", "1", "1"), ("wal", "0", "1"), ("wal", "2", "0"), ("memory", "2", "1")]
)
def test_settings_that_do_not_hold_refuse_the_file(found: tuple[str, str, str]) -> None:
    """C1, C8: a network share that can't keep a write-ahead log is refused, not used."""
    with pytest.raises(LedgerDamaged, match="network share"):
        Store._check_settings(*found)


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ("3.51.3", True),
        ("3.54.1", True),
        ("3.51.2", False),
        ("3.50.7", True),
        ("3.50.6", False),
        ("3.44.6", True),
        ("3.45.0", False),
        ("3.40.1", False),
        ("4.0.0", True),
    ],
)
def test_an_sqlite_that_loses_commits_is_refused(version: str, safe: bool) -> None:
    """C2."""
    assert is_safe_sqlite(version) is safe


def test_an_unsafe_sqlite_opens_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: "3.40.1")
    with pytest.raises(LedgerTooNew, match=r"3\.40\.1"):
        opened(tmp_path / "ledger.db")
    assert not (tmp_path / "ledger.db").exists()


def test_a_newer_schema_is_refused_not_guessed_at(tmp_path: Path) -> None:
    """C15, I11: it says so, and changes nothing."""
    opened(tmp_path / "ledger.db").close()
    other = apsw.Connection(str(tmp_path / "ledger.db"))
    other.pragma("user_version", 99)
    other.close()
    with pytest.raises(LedgerTooNew, match="newer version"):
        opened(tmp_path / "ledger.db")


@pytest.mark.parametrize("content", [b"this is no database at all" * 400, b"SQLite format 3\0" + b"\xff" * 8192])
def test_what_is_no_ledger_is_set_aside_and_said(tmp_path: Path, content: bytes) -> None:
    """C13: nothing is deleted, and the person is told where it lies."""
    (tmp_path / "ledger.db").write_bytes(content)
    ledger = opened(tmp_path / "ledger.db")
    (kept,) = tmp_path.glob("ledger.db.damaged-*")
    assert kept.read_bytes() == content
    assert kept.name in ledger.notices()[0]
    ledger.close()


@pytest.mark.skipif(os.name != "posix", reason="an open file can't be removed there")
def test_a_file_that_vanishes_is_noticed_and_not_made_anew(tmp_path: Path) -> None:
    """C18."""
    ledger = opened(tmp_path / "ledger.db")
    take(ledger, "1")
    (tmp_path / "ledger.db").rename(tmp_path / "elsewhere.db")
    with pytest.raises(LedgerTrouble, match="vanished"):
        take(ledger, "2")
    assert not (tmp_path / "ledger.db").exists()
    opened(tmp_path / "ledger.db").close()
    with pytest.raises(LedgerTrouble, match="replaced"):
        take(ledger, "2")
    ledger.close()


def test_two_processes_worth_of_ledgers_and_many_threads_share_one_file(tmp_path: Path) -> None:
    one, two = opened(tmp_path / "ledger.db"), opened(tmp_path / "ledger.db")

    def work(ledger: Ledger, start: int) -> None:
        for number in range(start, start + 10):
            take(ledger, str(number))

    threads = [
        threading.Thread(target=work, args=(ledger, start)) for start, ledger in ((100, one), (200, one), (300, two), (400, two))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(one.orders()) == 40
    assert one.first_bad_step() is None
    one.close()
    two.close()


def test_a_write_inside_a_write_is_a_bug_and_says_so(tmp_path: Path) -> None:
    """C12."""
    ledger = opened(tmp_path / "ledger.db")
    assert [ledger.in_transaction] == [False]
    with ledger._store.write():
        assert [ledger.in_transaction] == [True]
        with pytest.raises(LedgerError, match="inside another"), ledger._store.write():
            pass
    ledger.close()


def test_a_read_that_is_cut_by_another_threads_repair_is_a_passing_trouble(tmp_path: Path) -> None:
    """C13: the connection goes between two rows; who reads hears «try again», and no surprise ends their thread."""
    ledger = opened(tmp_path / "ledger.db")
    take(ledger, "1", "2", "3")
    store = ledger._store

    def cut_short() -> None:
        rows = store.connection().execute("SELECT order_id FROM customer_order")
        other = threading.Thread(target=store.let_go)
        other.start()
        other.join()
        list(rows)

    with pytest.raises(LedgerTrouble), sorted_errors():
        cut_short()
    assert {view.order_id for view in ledger.orders()} == {"1", "2", "3"}
    ledger.close()


def test_a_closed_ledger_says_so(tmp_path: Path) -> None:
    ledger = opened(tmp_path / "ledger.db")
    ledger.close()
    with pytest.raises(LedgerTrouble, match="closed"):
        ledger.counts()


# failing calls


class FailingFile(apsw.VFSFile):
    def __init__(self, vfs: FailingVfs, name: Any, flags: list[int]) -> None:
        self._vfs = vfs
        super().__init__(vfs.base, name, flags)

    def xWrite(self, data: Any, offset: int) -> None:
        self._vfs.count()
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        self._vfs.count()
        super().xSync(flags)

    def xTruncate(self, size: int) -> None:
        self._vfs.count()
        super().xTruncate(size)


class FailingVfs(apsw.VFS):
    """Fails the n-th call that would change the disk, once or from then on."""

    def __init__(self) -> None:
        self.base = ""
        self.calls = 0
        self.fail_at: int | None = None
        self.for_good = False
        self.error: type[apsw.Error] = apsw.FullError
        super().__init__("failing", self.base)

    def xOpen(self, name: Any, flags: list[int]) -> FailingFile:
        return FailingFile(self, name, flags)

    def count(self) -> None:
        self.calls += 1
        if self.fail_at is not None and (self.calls == self.fail_at or (self.for_good and self.calls > self.fail_at)):
            raise self.error


@pytest.fixture
def failing() -> Iterator[FailingVfs]:
    vfs = FailingVfs()
    yield vfs
    vfs.unregister()


@pytest.mark.parametrize("for_good", [False, True])
@pytest.mark.parametrize("error", [apsw.FullError, apsw.IOError])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_whatever_write_fails_nothing_that_was_acknowledged_is_lost(
    tmp_path: Path, failing: FailingVfs, error: type[apsw.Error], for_good: bool
) -> None:
    """C4, C6: every writing call fails in turn; the ledger says so and keeps what it had said yes to."""
    failing.error, failing.for_good = error, for_good
    failures = 0
    for number in range(1, 200):
        path = tmp_path / f"{number}.db"
        opened(path).close()
        acknowledged: list[str] = []
        ledger = opened(path, vfs="failing")
        failing.calls, failing.fail_at = 0, number
        for order_id in ("1", "2", "3", "4"):
            try:
                take(ledger, order_id)
                acknowledged.append(order_id)
            except LedgerTrouble:
                failures += 1
        reached = failing.calls >= number
        failing.fail_at = None
        take(ledger, "5")
        ledger.close()
        again = opened(path)
        assert again.is_sound()
        kept = {view.order_id for view in again.orders()}
        assert {*acknowledged, "5"} <= kept
        again.close()
        if not reached:
            break
    else:
        raise AssertionError("the work never ended")
    assert failures > 5
