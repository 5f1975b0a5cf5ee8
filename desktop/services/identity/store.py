"""identity.db: which connections stand, and their refresh tokens under a key that only the keyring holds.

A small SQLite file of its own, full sync, one transaction a change. What it holds in the clear is no secret: names, times
and problems, so that any process can show them without the keyring."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import apsw

from desktop.services.errors import NotNow
from desktop.services.identity.model import ConnectionRecord

SCHEMA_VERSION = 1
_BUSY_MILLISECONDS = 60_000
"""Longer than anybody else's: a rotated token that finds no room in time can end the sign-in."""

_SCHEMA = """
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE token (
    system TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    tenant_name TEXT NOT NULL,
    user_id TEXT NOT NULL,
    user_name TEXT NOT NULL,
    email TEXT NOT NULL,
    since TEXT NOT NULL,
    sign_in TEXT NOT NULL,
    problem TEXT NOT NULL DEFAULT '',
    cure TEXT NOT NULL DEFAULT '',
    fault TEXT NOT NULL DEFAULT '' CHECK (fault IN ('', 'ended', 'client', 'access')),
    generation INTEGER NOT NULL CHECK (generation >= 1),
    ciphertext BLOB NOT NULL,
    prev_ciphertext BLOB,
    obtained_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""


class Fault(StrEnum):
    """What a row's problem is about."""

    NOTHING = ""
    ENDED = "ended"  # the grant is gone: only a new sign-in helps
    CLIENT = "client"  # the server does not accept this app; goes away when a refresh works
    ACCESS = "access"  # a right is missing; the one who found it clears it


@dataclass(frozen=True, slots=True)
class StoredToken:
    """One row. `sign_in` is a random name of the sign-in that made it; `generation` grows with each rotation. The previous
    token's generation is one less. `obtained_at` is when the current one came (UTC)."""

    record: ConnectionRecord
    sign_in: str
    generation: int
    ciphertext: bytes = field(repr=False)
    previous: bytes | None = field(repr=False)
    obtained_at: datetime
    fault: Fault = Fault.NOTHING

    def place(self, generation: int) -> tuple[str, str, str, int]:
        """What a ciphertext of this row is bound to."""
        return (self.record.system, self.record.tenant, self.sign_in, generation)


class IdentityStore:
    """Safe to use from several threads and processes. Every method raises NotNow when the file can't be used (disk full,
    no permission, made by a newer version), having changed nothing."""

    def __init__(self, file: Path) -> None:
        self._file = file

    # values that are no secret

    def value(self, name: str) -> str | None:
        if not self._file.exists():
            return None
        found: list[tuple[object, ...]] = []
        with self._open() as db:
            found = list(db.execute("SELECT value FROM meta WHERE name = ?", (name,)))
        return str(found[0][0]) if found else None

    def set_value(self, name: str, value: str) -> None:
        with self._changing() as db:
            db.execute("INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2", (name, value))

    def drop_value(self, name: str) -> None:
        with self._changing() as db:
            db.execute("DELETE FROM meta WHERE name = ?", (name,))

    def profile_id(self) -> str:
        """A random name for this profile's keyring entries, made once."""
        known = self.value("profile")
        if known is None:
            with self._changing() as db:
                db.execute("INSERT OR IGNORE INTO meta VALUES ('profile', ?)", (secrets.token_hex(5),))
            known = self.value("profile")
        assert known is not None
        return known

    # tokens

    def rows(self) -> tuple[StoredToken, ...]:
        if not self._file.exists():
            return ()
        found: list[StoredToken] = []
        with self._open() as db:
            found = [_row(row) for row in db.execute(f"{_SELECT} ORDER BY system")]
        return tuple(found)

    def row(self, system: str) -> StoredToken | None:
        if not self._file.exists():
            return None
        found: list[StoredToken] = []
        with self._open() as db:
            found = [_row(row) for row in db.execute(f"{_SELECT} WHERE system = ?", (system,))]
        return found[0] if found else None

    def put(self, row: StoredToken) -> None:
        """A new sign-in: replaces whatever stood for that system."""
        known = row.record
        with self._changing() as db:
            db.execute(
                "INSERT OR REPLACE INTO token VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                (
                    known.system,
                    known.tenant,
                    known.tenant_name,
                    known.user_id,
                    known.user,
                    known.email,
                    _text(known.since),
                    row.sign_in,
                    known.problem,
                    known.cure,
                    row.fault.value,
                    row.generation,
                    row.ciphertext,
                    row.previous,
                    _text(row.obtained_at),
                ),
            )

    def rotate(self, old: StoredToken, ciphertext: bytes, at: datetime) -> bool:
        """Durable when it returns True: the new token stands, the old one is kept beside it. False: the row is no longer
        the one that was read, and nothing changed."""
        changed = 0
        with self._changing() as db:
            db.execute(
                "UPDATE token SET generation = generation + 1, prev_ciphertext = ciphertext, ciphertext = ?, obtained_at = ?,"
                " problem = iif(fault = 'access', problem, ''), cure = iif(fault = 'access', cure, ''),"
                " fault = iif(fault = 'access', fault, '') WHERE system = ? AND sign_in = ? AND generation = ?",
                (ciphertext, _text(at), old.record.system, old.sign_in, old.generation),
            )
            changed = db.changes()
        return changed == 1

    def mark(self, system: str, fault: Fault, problem: str, cure: str, *, sign_in: str | None = None) -> None:
        """Notes a problem; with `sign_in`, only while that sign-in stands. An ended grant stays an ended grant."""
        if not self._file.exists():
            return
        with self._changing() as db:
            db.execute(
                "UPDATE token SET problem = ?1, cure = ?2, fault = ?3 WHERE system = ?4 AND (?5 IS NULL OR sign_in = ?5)"
                " AND (fault <> 'ended' OR ?3 = 'ended') AND (problem <> ?1 OR cure <> ?2 OR fault <> ?3)",
                (problem, cure, fault.value, system, sign_in),
            )

    def clear(self, system: str) -> None:
        """Forgets a missing right; other problems stay."""
        if not self._file.exists():
            return
        with self._changing() as db:
            db.execute("UPDATE token SET problem = '', cure = '', fault = '' WHERE system = ? AND fault = 'access'", (system,))

    def erase(self, system: str) -> None:
        if not self._file.exists():
            return
        with self._changing() as db:
            db.execute("DELETE FROM token WHERE system = ?", (system,))

    # the file

    @contextlib.contextmanager
    def _open(self) -> Iterator[apsw.Connection]:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not self._file.exists():
                # Private before anything is in it.
                os.close(os.open(self._file, os.O_CREAT | os.O_RDWR, 0o600))
            db = apsw.Connection(str(self._file))
        except (OSError, apsw.Error) as error:
            raise _unusable(self._file, error) from error
        try:
            try:
                self._prepare(db)
                yield db
            except apsw.Error as error:
                raise _unusable(self._file, error) from error
        finally:
            db.close()

    @contextlib.contextmanager
    def _changing(self) -> Iterator[apsw.Connection]:
        with self._open() as db, _transaction(db):
            yield db

    def _prepare(self, db: apsw.Connection) -> None:
        db.set_busy_timeout(_BUSY_MILLISECONDS)
        # A rollback journal with full sync loses no acknowledged commit, and needs no shared memory between processes.
        for name, value in (("synchronous", "EXTRA"), ("secure_delete", "ON"), ("trusted_schema", "OFF")):
            db.pragma(name, value)
        db.pragma("journal_mode", "TRUNCATE")
        version = _version(db)
        if version == 0:
            with _transaction(db):
                if _version(db) == 0:
                    db.execute(_SCHEMA)
                    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        elif version > SCHEMA_VERSION:
            raise NotNow(f"{self._file.name} was made by a newer version of iConnect Desktop. Install that version again to go on.")


@contextlib.contextmanager
def _transaction(db: apsw.Connection) -> Iterator[None]:
    """Not the connection's own `with`: its commit waits for readers while it holds the interpreter's lock, and a reader on
    another thread needs that lock to finish."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def _version(db: apsw.Connection) -> int:
    return int(str(db.pragma("user_version")))


_SELECT = (
    "SELECT system, tenant, tenant_name, user_id, user_name, email, since, sign_in, problem, cure, fault,"
    " generation, ciphertext, prev_ciphertext, obtained_at FROM token"
)


def _row(found: tuple[object, ...]) -> StoredToken:
    system, tenant, tenant_name, user_id, user, email, since, sign_in, problem, cure, fault, generation, now, before, at = found
    assert isinstance(generation, int)
    assert isinstance(now, bytes)
    assert before is None or isinstance(before, bytes)
    record = ConnectionRecord(
        system=str(system),
        tenant=str(tenant),
        tenant_name=str(tenant_name),
        user=str(user),
        since=_moment(str(since)),
        user_id=str(user_id),
        email=str(email),
        problem=str(problem),
        cure=str(cure),
    )
    return StoredToken(record, str(sign_in), generation, now, before, _moment(str(at)), Fault(str(fault)))


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _unusable(file: Path, error: Exception) -> NotNow:
    if isinstance(error, apsw.FullError):
        return NotNow(f"The disk is full, so {file.name} could not be written. Free some space and try again.")
    if isinstance(error, (apsw.NotADBError, apsw.CorruptError)):
        return NotNow(f"{file} is damaged. Close iConnect Desktop, move the file away, and connect again; deliveries are kept.")
    if isinstance(error, apsw.BusyError):
        return NotNow(f"{file.name} is in use by another program. Try again.")
    return NotNow(f"{file} can't be read or written. Check the folder's permissions and the disk, and try again.")
