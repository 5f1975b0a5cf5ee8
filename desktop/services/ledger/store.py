"""The ledger's file: opened with care, one connection a thread, writes in IMMEDIATE transactions, errors sorted.

What a caller may rely on: journal mode WAL with `synchronous=FULL` (read back at every open), foreign keys on, the file
readable by its owner alone from its first byte, a backup by SQLite's own backup before the schema changes, and a file that
has vanished or been replaced is noticed before the next write instead of being made anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import apsw

from desktop.services.ledger.errors import LedgerDamaged, LedgerError, LedgerTooNew, LedgerTrouble
from desktop.services.ledger.reserve import Reserve
from desktop.services.ledger.transitions import LEGAL

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1
BUSY_MILLISECONDS = 10_000

Value = Any
Row = tuple[Value, ...]

_TROUBLE = (
    apsw.FullError,
    apsw.IOError,
    apsw.BusyError,
    apsw.LockedError,
    apsw.CantOpenError,
    apsw.ReadOnlyError,
    apsw.PermissionsError,
    apsw.NoMemError,
    apsw.InterruptError,
    apsw.ProtocolError,
)
_DAMAGE = (apsw.CorruptError, apsw.NotADBError, apsw.FormatError)


def is_safe_sqlite(version: str) -> bool:
    """True for a version without the write-ahead-log fault of 3.7.0 to 3.51.2 (sqlite.org, list of changes)."""
    numbers = tuple(int(part) for part in version.split(".")[:3])
    return numbers >= (3, 51, 3) or (3, 50, 7) <= numbers < (3, 51) or (3, 44, 6) <= numbers < (3, 45)


def trail_link(before: Value, *fields: Value) -> str:
    """The hash of a row of the trail: over the hash before it and its own fields, each with its length."""
    digest = hashlib.sha256()
    for field in (before, *fields):
        raw = ("" if field is None else str(field)).encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "big"))
        digest.update(raw)
    return digest.hexdigest()


@contextlib.contextmanager
def sorted_errors() -> Iterator[None]:
    """Turns apsw's errors into the ledger's own; a broken rule of ours stays what it is, a bug."""
    try:
        yield
    except apsw.FullError as error:
        raise LedgerTrouble("The disk is full, so nothing could be noted. Free some space; nothing was lost.") from error
    except (apsw.BusyError, apsw.LockedError) as error:
        raise LedgerTrouble("Another program holds the ledger. Try again in a moment.") from error
    except _TROUBLE as error:
        raise LedgerTrouble("The ledger could not be read or written on this PC. Check the disk.") from error
    except _DAMAGE as error:
        raise LedgerDamaged("The ledger's file is damaged. Nothing is sent until it was put right.") from error


def _inside(db: apsw.Connection) -> bool:
    return bool(db.in_transaction)


class Store:
    """One database file. Safe to use from several threads; several processes may have it open."""

    def __init__(self, path: Path, *, vfs: str | None = None, page_limit: int | None = None) -> None:
        self.path = path
        self.reserve = Reserve(path)
        self._vfs = vfs
        self._page_limit = page_limit
        self._local = threading.local()
        self._lock = threading.Lock()
        self._open: list[apsw.Connection] = []
        self._closed = False
        self._identity: tuple[int, int] | None = None

    def prepare(self, schema: str, first_facts: Callable[[Store], None]) -> None:
        """Makes the file if there is none, brings its schema up to date, and proves its settings."""
        version = apsw.sqlite_lib_version()
        if not is_safe_sqlite(version):
            raise LedgerTooNew(f"SQLite {version} can lose entries. Reinstall iConnect; it brings a safe version.")
        self._make_private()
        with sorted_errors():
            found = self._user_version()
        if found > SCHEMA_VERSION:
            raise LedgerTooNew("The ledger was written by a newer version of iConnect. Install that version again.")
        if found < SCHEMA_VERSION:
            self._migrate(schema, found, first_facts)

    def _make_private(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with contextlib.suppress(FileExistsError):
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            found = self.path.stat()
            self._identity = (found.st_dev, found.st_ino)
        except OSError as error:
            raise LedgerTrouble("The ledger's folder can't be written to. Check its rights and the disk.") from error

    def _user_version(self) -> int:
        return int(str(self.connection().pragma("user_version")))

    def _migrate(self, schema: str, found: int, first_facts: Callable[[Store], None]) -> None:
        if found:
            self.backup(self.path.with_name(f"{self.path.name}.before-{SCHEMA_VERSION}"))
        with self.write() as db:
            # Another process may have been quicker.
            if int(str(db.pragma("user_version"))) == SCHEMA_VERSION:
                return
            if found == 0:
                db.execute(schema)
                db.executemany(
                    "INSERT INTO legal_move VALUES (?, ?)",
                    [(before.value, after.value) for before, allowed in LEGAL.items() for after in sorted(allowed)],
                )
                first_facts(self)
            db.pragma("user_version", SCHEMA_VERSION)

    def backup(self, target: Path) -> None:
        """A consistent copy by SQLite's backup interface; never by copying the file. Private, like the original."""
        try:
            target.unlink(missing_ok=True)
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except OSError as error:
            raise LedgerTrouble("No copy of the ledger could be made. Check the disk.") from error
        with sorted_errors():
            copy = apsw.Connection(str(target), vfs=self._vfs)
            try:
                with copy.backup("main", self.connection(), "main") as backup:
                    while not backup.done:
                        backup.step(1000)
            finally:
                copy.close()

    def connection(self) -> apsw.Connection:
        """This thread's own connection."""
        if self._closed:
            raise LedgerTrouble("The ledger is closed.")
        connection: apsw.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            with sorted_errors():
                connection = self._connect()
            self._local.connection = connection
            with self._lock:
                self._open.append(connection)
        return connection

    def _connect(self) -> apsw.Connection:
        db = apsw.Connection(str(self.path), flags=apsw.SQLITE_OPEN_READWRITE, vfs=self._vfs)
        try:
            db.set_busy_timeout(BUSY_MILLISECONDS)
            mode = str(db.pragma("journal_mode", "wal"))
            db.pragma("synchronous", "full")
            db.pragma("foreign_keys", True)
            db.pragma("trusted_schema", True)
            db.pragma("cell_size_check", True)
            if self._page_limit is not None:
                db.pragma("max_page_count", self._page_limit)
            self._check_settings(mode, str(db.pragma("synchronous")), str(db.pragma("foreign_keys")))
            db.create_scalar_function("trail_link", lambda *fields: trail_link(*fields), -1, deterministic=True)
        except BaseException:
            db.close()
            raise
        return db

    @staticmethod
    def _check_settings(journal: str, synchronous: str, foreign_keys: str) -> None:
        if journal != "wal" or synchronous != "2" or foreign_keys != "1":
            raise LedgerDamaged(
                "The ledger's folder does not allow safe writing (is it on a network share?). Move the profile to a local disk."
            )

    def _still_there(self) -> None:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            raise LedgerTrouble("The ledger's file has vanished while in use. Stop iConnect and restore it.") from None
        except OSError as error:
            raise LedgerTrouble("The ledger's file can't be reached. Check the disk.") from error
        if (found.st_dev, found.st_ino) != self._identity:
            raise LedgerTrouble("The ledger's file was replaced while in use. Restart iConnect.")

    def read(self, sql: str, bindings: Sequence[Value] = ()) -> list[Row]:
        with sorted_errors():
            return list(self.connection().execute(sql, tuple(bindings)))

    @contextlib.contextmanager
    def reading(self) -> Iterator[apsw.Connection]:
        """Several reads of one state of affairs. Inside a write it is that write's own view."""
        db = self.connection()
        if _inside(db):
            yield db
            return
        with sorted_errors():
            db.execute("BEGIN")
            try:
                yield db
            finally:
                if _inside(db):
                    db.execute("COMMIT")

    @contextlib.contextmanager
    def write(self, *, takes_on: bool = False) -> Iterator[apsw.Connection]:
        """One transaction, durable when this returns; nothing of it when it raises. Not to be nested.

        `takes_on`: it brings something new, for which there must be room beyond the reserve. On a full disk the reserve is
        given back, so that the next write of what is under way succeeds."""
        db = self.connection()
        if _inside(db):
            raise LedgerError("A write was begun inside another.")
        self._still_there()
        if takes_on:
            self._has_reserve()
        with sorted_errors():
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException as error:
                with contextlib.suppress(apsw.Error):
                    if _inside(db):
                        db.execute("ROLLBACK")
                if isinstance(error, apsw.FullError):
                    self.reserve.release()
                raise

    def _has_reserve(self) -> None:
        try:
            self.reserve.keep()
        except OSError as error:
            raise LedgerTrouble(
                "The disk is full, so no new results are taken. What is under way goes on. Free some space; nothing was lost."
            ) from error

    @property
    def in_transaction(self) -> bool:
        """True while this thread is inside a transaction: no network call may be made then."""
        connection: apsw.Connection | None = getattr(self._local, "connection", None)
        return connection is not None and connection.in_transaction

    def is_sound(self) -> bool:
        """SQLite's quick check of the whole file."""
        try:
            return [row[0] for row in self.read("PRAGMA quick_check(1)")] == ["ok"]
        except LedgerDamaged:
            return False

    def close(self) -> None:
        with self._lock:
            self._closed = True
            connections, self._open = self._open, []
        for connection in connections:
            with contextlib.suppress(apsw.Error):
                connection.close()
