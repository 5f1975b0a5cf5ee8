"""The ledger's file: opened with care, one connection a thread, writes in IMMEDIATE transactions, errors sorted.

What a caller may rely on: journal mode WAL with `synchronous=FULL` (read back at every open), foreign keys on, the file
readable by its owner alone from its first byte, a backup by SQLite's own backup before the schema changes, and a file that
has vanished or been replaced is noticed before the next write instead of being made anew.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import apsw

from desktop.services.ledger import files
from desktop.services.ledger.backups import copied, first_problem
from desktop.services.ledger.errors import LedgerCorrupt, LedgerDamaged, LedgerError, LedgerTooNew, LedgerTrouble
from desktop.services.ledger.reserve import Reserve
from desktop.services.ledger.sealing import trail_link
from desktop.services.ledger.transitions import LEGAL
from desktop.services.ledger.upgrade import SCHEMA_VERSION, bring_up

log = logging.getLogger(__name__)

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
    # Another thread has closed this connection, because the file is being put right.
    apsw.ConnectionClosedError,
    apsw.CursorClosedError,
    apsw.ThreadingViolationError,
)
_DAMAGE = (apsw.CorruptError, apsw.NotADBError, apsw.FormatError)


def is_safe_sqlite(version: str) -> bool:
    """True for a version without the write-ahead-log fault of 3.7.0 to 3.51.2 (sqlite.org, list of changes)."""
    numbers = tuple(int(part) for part in version.split(".")[:3])
    return numbers >= (3, 51, 3) or (3, 50, 7) <= numbers < (3, 51) or (3, 44, 6) <= numbers < (3, 45)


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
        raise LedgerCorrupt("The ledger's file is damaged. Nothing is sent until it was put right.") from error


def _inside(db: apsw.Connection) -> bool:
    return bool(db.in_transaction)


class Store:
    """One database file. Safe to use from several threads; several processes may have it open."""

    def __init__(self, path: Path, *, vfs: str | None = None) -> None:
        self.path = path
        self.reserve = Reserve(path)
        self._vfs = vfs
        self._local = threading.local()
        self._lock = threading.Lock()
        self._open: list[apsw.Connection] = []
        self._closed = False
        self._identity: tuple[int, int] | None = None
        self._generation = 0
        self.on_damage: Callable[[], None] | None = None
        """Puts the file right when it shows to be damaged while it is in use, or raises LedgerDamaged."""
        self.before_upgrade: Callable[[apsw.Connection, int], object] | None = None
        """Makes a backup of the schema that is left behind."""
        self.knows: Callable[[apsw.Connection], bool] = lambda db: False
        """True for a file that may take this one's place while it is in use."""

    def prepare(self, schema: str, first_facts: Callable[[Store], None], *, must_be_there: bool = False) -> None:
        """Makes the file if there is none, brings its schema up to date, and proves its settings. With `must_be_there` a
        file without a ledger in it is a damaged one."""
        version = apsw.sqlite_lib_version()
        if not is_safe_sqlite(version):
            raise LedgerTooNew(f"SQLite {version} can lose entries. Reinstall iConnect; it brings a safe version.")
        self._make_private()
        with sorted_errors():
            found = self._user_version()
        if not found and must_be_there:
            raise LedgerCorrupt("The ledger's file has lost what it held.")
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
            with sorted_errors():
                if self.before_upgrade is not None:
                    self.before_upgrade(self.connection(), found)
                else:
                    self.backup(self.path.with_name(f"{self.path.name}.before-{SCHEMA_VERSION}"))
        with self.write() as db:
            # Another process may have been quicker.
            now = int(str(db.pragma("user_version")))
            if now >= SCHEMA_VERSION:
                return
            if now:
                bring_up(db, now)
                return
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
            files.make_empty(target)
        except OSError as error:
            raise LedgerTrouble("No copy of the ledger could be made. Check the disk.") from error
        with sorted_errors():
            copied(self.connection(), target, vfs=self._vfs)

    def connection(self) -> apsw.Connection:
        """This thread's own connection."""
        if self._closed:
            raise LedgerTrouble("The ledger is closed.")
        connection: apsw.Connection | None = getattr(self._local, "connection", None)
        if connection is not None and self._local.generation != self._generation:
            # The file was put right since. A thread that is amid something must not go on in the new one.
            self._forget(connection)
            connection = None
        if connection is None:
            generation = self._generation
            with sorted_errors():
                connection = self._connect()
            self._local.connection, self._local.generation = connection, generation
            with self._lock:
                self._open.append(connection)
        return connection

    def _forget(self, connection: apsw.Connection) -> None:
        with self._lock:
            if connection in self._open:
                self._open.remove(connection)
        with contextlib.suppress(apsw.Error):
            connection.close()

    def _connect(self) -> apsw.Connection:
        db = apsw.Connection(str(self.path), flags=apsw.SQLITE_OPEN_READWRITE, vfs=self._vfs)
        try:
            db.set_busy_timeout(BUSY_MILLISECONDS)
            mode = str(db.pragma("journal_mode", "wal"))
            db.pragma("synchronous", "full")
            db.pragma("foreign_keys", True)
            db.pragma("trusted_schema", True)
            db.pragma("cell_size_check", True)
            # What was erased is to be gone from the file.
            db.pragma("secure_delete", True)
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
            if self._is_known():
                self.reopen()
            raise LedgerTrouble("The ledger's file was replaced while in use. Try again; if it stays, restart iConnect.")

    def look_whether_replaced(self) -> None:
        """For a process that only reads for a long time. Raises LedgerTrouble once; what follows is in the new file."""
        if not self.in_transaction:
            self._still_there()

    def _is_known(self) -> bool:
        try:
            db = apsw.Connection(str(self.path), flags=apsw.SQLITE_OPEN_READONLY, vfs=self._vfs)
            try:
                return self.knows(db)
            finally:
                db.close()
        except apsw.Error:
            return False

    def reopen(self) -> None:
        """From here on every thread works in the file that now lies at the ledger's path."""
        self.let_go()
        with contextlib.suppress(OSError):
            found = self.path.stat()
            self._identity = (found.st_dev, found.st_ino)

    def let_go(self) -> None:
        """Closes every connection that is not at work this moment; the others close when their threads come back."""
        with self._lock:
            self._generation += 1
            connections, self._open = self._open, []
        for connection in connections:
            with contextlib.suppress(apsw.Error):
                connection.close()

    @contextlib.contextmanager
    def mended(self) -> Iterator[None]:
        """Damage that shows is put right before anybody hears of it; what was asked for has to be asked again."""
        try:
            yield
        except LedgerCorrupt as error:
            if self.on_damage is None or self.in_transaction:
                raise
            self.on_damage()
            raise LedgerTrouble("The ledger's file was damaged and has been put right from its backup. Try again.") from error

    def read(self, sql: str, bindings: Sequence[Value] = ()) -> list[Row]:
        with self.mended(), sorted_errors():
            return list(self.connection().execute(sql, tuple(bindings)))

    @contextlib.contextmanager
    def reading(self) -> Iterator[apsw.Connection]:
        """Several reads of one state of affairs. Inside a write it is that write's own view."""
        if self.in_transaction:
            yield self.connection()
            return
        with self.mended(), sorted_errors():
            db = self.connection()
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
        if self.in_transaction:
            raise LedgerError("A write was begun inside another.")
        self._still_there()
        if takes_on:
            self._has_reserve()
        with self.mended(), sorted_errors():
            db = self.connection()
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
            # What was written into a file that has been set aside meanwhile was not stored.
            self._still_there()

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
        try:
            return connection is not None and connection.in_transaction
        except apsw.ConnectionClosedError:
            return False

    def problem(self, *, quick: bool) -> str:
        """What is wrong with the file, in a few words; empty when it is whole. Quick: SQLite's own look at its pages."""
        try:
            with sorted_errors():
                db = self.connection()
                db.execute("BEGIN")
                try:
                    return first_problem(db, quick=quick)
                finally:
                    if _inside(db):
                        db.execute("COMMIT")
        except LedgerCorrupt:
            return "its pages can't be read"

    def is_sound(self) -> bool:
        """SQLite's quick check of the whole file."""
        return not self.problem(quick=True)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            connections, self._open = self._open, []
        for connection in connections:
            with contextlib.suppress(apsw.Error):
                connection.close()
