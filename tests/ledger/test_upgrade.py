"""Every schema that was ever released comes up to the current one with all that it holds, whatever happens on the way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random

import apsw
import pytest

from desktop.services.ledger.errors import LedgerDamaged, LedgerError
from desktop.services.ledger.ledger import Ledger
from desktop.services.ledger.sealing import trail_link
from desktop.services.ledger.upgrade import SCHEMA_VERSION, STEPS
from tests.delivery.stand_in import Books, Clock, Office, read_reference
from tests.faults.disk import CHANGES, Disk, Fails, MemoryVfs, Stored, memory_vfs

RELEASED = Path(__file__).parent / "released"
VERSIONS = range(1, SCHEMA_VERSION)
TABLES = ("meta", "feed", "customer_order", "message", "sighting", "delivery", "body", "book_line", "trail")


def kept(path: Path, version: int) -> Path:
    """The kept ledger of that version, as its program left it."""
    db = apsw.Connection(str(path))
    db.create_scalar_function("trail_link", lambda *fields: trail_link(*fields), -1)
    db.execute((RELEASED / f"v{version}.sql").read_text(encoding="utf-8"))
    db.pragma("journal_mode", "wal")
    assert db.pragma("user_version") == version
    db.close()
    return path


def rows(db: apsw.Connection) -> dict[str, list[tuple[object, ...]]]:
    found = {name: list(db.execute(f"SELECT * FROM {name} ORDER BY 1, 2")) for name in TABLES}
    found["memory"] = list(db.execute("SELECT * FROM memory WHERE name NOT LIKE 'ledger%checked' AND name <> 'journal' ORDER BY 1"))
    return found


def rows_of(path: Path) -> dict[str, list[tuple[object, ...]]]:
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return rows(db)
    finally:
        db.close()


def layout(path: Path) -> list[tuple[object, ...]]:
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return list(
            db.execute(
                "SELECT type, name, tbl_name, replace(sql, char(10), ' ') FROM sqlite_schema WHERE sql <> '' ORDER BY type, name"
            )
        ) + list(db.execute("SELECT from_state, to_state FROM legal_move ORDER BY 1, 2"))
    finally:
        db.close()


def opened(path: Path, vfs: str | None = None) -> Ledger:
    return Ledger.open(path, clock=Clock(), random=Random(1), read_reference=read_reference, vfs=vfs)


def test_every_released_schema_is_kept_and_has_its_step() -> None:
    """C15."""
    assert {path.name for path in RELEASED.glob("*.sql")} >= {f"v{version}.sql" for version in VERSIONS}
    assert set(STEPS) == set(VERSIONS)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_kept_ledger_comes_up_with_all_its_rows(tmp_path: Path, version: int) -> None:
    """C15: rows, keys, states and the trail's seals are what they were; the layout is that of a new ledger."""
    path = kept(tmp_path / "ledger.db", version)
    before = rows_of(path)
    assert {str(row[10]) for row in before["delivery"]} >= {"held", "queued", "sending", "unknown", "accepted", "confirmed"}
    ledger = opened(path)
    assert ledger.first_bad_step() is None
    assert ledger.is_sound()
    assert len(ledger.deliveries()) == len(before["delivery"])
    ledger.close()
    assert rows_of(path) == before
    opened(tmp_path / "new.db").close()
    assert layout(path) == layout(tmp_path / "new.db")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_backup_of_the_old_schema_is_made_first(tmp_path: Path, version: int) -> None:
    """C15: private, and openable by the program that wrote it."""
    path = kept(tmp_path / "ledger.db", version)
    before = rows_of(path)
    opened(path).close()
    (backup,) = (tmp_path / "ledger-backups").glob(f"*-v{version}.db")
    db = apsw.Connection(str(backup), flags=apsw.SQLITE_OPEN_READONLY)
    assert db.pragma("user_version") == version
    assert rows(db) == before
    db.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_an_upgraded_ledger_goes_on_where_it_was(tmp_path: Path, version: int) -> None:
    """C15: what was under way is read back or sent, once."""
    kept(tmp_path / "ledger.db", version)
    clock = Clock()
    clock.pass_time(100_000)
    office = Office(tmp_path, clock, Books(clock))
    office.deliver_until(3600)
    posted = office.books.posted_keys()
    assert len(posted) == len(set(posted))
    assert office.states()["IT-109-T-1"] == "confirmed"
    assert not {"queued", "sending"} & set(office.states().values())
    office.ledger.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_many_at_once_upgrade_it_once(tmp_path: Path, version: int) -> None:
    """C15: the tray and commands that start in the same moment."""
    path = kept(tmp_path / "ledger.db", version)
    before = rows_of(path)
    wrong: list[Exception] = []

    def start() -> None:
        try:
            opened(path).close()
        except LedgerError as error:
            wrong.append(error)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert rows_of(path) == before


# power and errors on the way


@pytest.fixture
def vfs() -> Iterator[MemoryVfs]:
    with memory_vfs("upgrade") as made:
        yield made


def on_disk(folder: Path, version: int) -> bytes:
    path = kept(folder / "source.db", version)
    db = apsw.Connection(str(path))
    db.pragma("journal_mode", "delete")
    db.close()
    return path.read_bytes()


def in_memory(vfs: MemoryVfs) -> dict[str, list[tuple[object, ...]]]:
    path = next(name for name in vfs.disk.files if name.endswith("ledger.db"))
    db = apsw.Connection(path, vfs=vfs.name)
    try:
        return rows(db)
    finally:
        db.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_power_goes_at_every_change_of_an_upgrade(tmp_path: Path, vfs: MemoryVfs, version: int) -> None:
    """C15, C3: it is the old or the new one afterwards, with all rows, and the next start finishes."""
    content = on_disk(tmp_path, version)
    before = rows_of(tmp_path / "source.db")
    path = tmp_path / "ledger.db"
    vfs.disk = Disk({str(path): Stored(bytearray(content), content)})
    moments: list[Disk] = []
    disk = vfs.disk
    disk.before = lambda call: moments.append(disk.snapshot()) if call in CHANGES else None
    opened(path, vfs.name).close()
    assert len(moments) > 20
    for number, moment in enumerate(moments):
        for seed in range(3):
            vfs.disk = moment.after_cut(Random(number * 10 + seed))
            opened(path, vfs.name).close()
            assert in_memory(vfs) == before, (number, seed)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("error", [apsw.IOError, apsw.FullError])
def test_every_call_of_an_upgrade_fails_once(tmp_path: Path, vfs: MemoryVfs, version: int, error: type[apsw.Error]) -> None:
    """C15, C4."""
    content = on_disk(tmp_path, version)
    before = rows_of(tmp_path / "source.db")
    path = tmp_path / "ledger.db"
    for at in range(1, 1000, 7):
        fails = Fails(at, error, only=CHANGES if error is apsw.FullError else None)
        vfs.disk = Disk({str(path): Stored(bytearray(content), content)}, before=fails)
        try:
            opened(path, vfs.name).close()
        except LedgerDamaged:
            raise
        except LedgerError:
            pass
        vfs.disk.before = lambda call: None
        opened(path, vfs.name).close()
        assert in_memory(vfs) == before, at
        if not fails.hits:
            break
    else:
        raise AssertionError("the upgrade never ended")
