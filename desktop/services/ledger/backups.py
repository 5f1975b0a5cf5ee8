"""Copies of the ledger that can be opened in its place: made while others work, proved to be whole, a bounded number kept."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import apsw

from desktop.services.ledger import files
from desktop.services.ledger.errors import LedgerCorrupt, LedgerTrouble
from desktop.services.ledger.sealing import trail_link

log = logging.getLogger(__name__)

DAYS = 7
"""So many days have a backup each."""

BEFORE_UPGRADES = 2
"""So many backups of older schemas are kept besides."""

_STAMP = "%Y%m%dT%H%M%S%fZ"
_NAME = re.compile(r"ledger-(\d{8}T\d{12}Z)-j(\d{6,})(?:-v(\d+))?\.db")
_COUNTED = ("customer_order", "message", "delivery", "body", "trail")


@dataclass(frozen=True, slots=True)
class Backup:
    """`journal`: the entries from that file on came after it. `version`: the older schema that it was made of, or 0."""

    path: Path
    at: datetime
    journal: int
    version: int = 0


class Backups:
    """The copies in `folder`."""

    def __init__(self, folder: Path, *, vfs: str | None = None) -> None:
        self.folder = folder
        self._vfs = vfs

    def all(self) -> list[Backup]:
        """Newest first."""
        found = []
        for path in self.folder.glob("ledger-*.db"):
            name = _NAME.fullmatch(path.name)
            if name is not None:
                at = datetime.strptime(name[1], _STAMP).replace(tzinfo=UTC)
                found.append(Backup(path, at, int(name[2]), int(name[3] or 0)))
        return sorted(found, key=lambda one: one.path.name, reverse=True)

    def make(self, source: apsw.Connection, now: datetime, journal: int, *, version: int = 0) -> Backup:
        """A private, synced and proved copy of what `source` sees in one transaction. `source` must have no other work.

        Raises LedgerCorrupt when the copy does not prove whole, which says the same of the source; LedgerTrouble when it
        can't be written. Either way no earlier backup was touched."""
        older = f"-v{version}" if version else ""
        target = self.folder / f"ledger-{now.astimezone(UTC).strftime(_STAMP)}-j{journal:06}{older}.db"
        part = target.with_name(f"{target.name}.part")
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._forget_parts()
            files.make_empty(part)
            counts = copied(source, part, vfs=self._vfs)
            prove(part, counts, vfs=self._vfs)
            if self._vfs is None:
                files.sync_file(part)
                files.rename(part, target)
                files.sync_folder(self.folder)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise LedgerTrouble("No backup of the ledger could be made. Check the disk.") from error
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise
        return Backup(target, now, journal, version)

    def _forget_parts(self) -> None:
        """Of backups that were cut off; another process may be making one at this moment."""
        for path in self.folder.glob("ledger-*.db.part*"):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > 3600:
                    path.unlink()

    def prune(self) -> int | None:
        """Keeps the newest of each of the last days and the newest of older schemas. Gives the number of the first journal
        that is still needed; None where there is no backup. Raises OSError."""
        found = self.all()
        kept: list[Backup] = []
        days: set[object] = set()
        older = 0
        for one in found:
            if one.version:
                older += 1
                if older <= BEFORE_UPGRADES:
                    kept.append(one)
            elif one.at.date() not in days and len(days) < DAYS:
                days.add(one.at.date())
                kept.append(one)
        for one in found:
            if one not in kept:
                one.path.unlink(missing_ok=True)
        return min((one.journal for one in kept), default=None)

    def newest_good(self) -> Backup | None:
        """The newest one that proves whole today."""
        for one in self.all():
            try:
                prove(one.path, vfs=self._vfs)
            except (LedgerCorrupt, LedgerTrouble):
                log.warning("A backup of the ledger is damaged itself and is passed over")
                continue
            return one
        return None

    def has_room_for(self, size: int) -> bool:
        """A backup must not be what fills the disk."""
        nearest = self.folder if self.folder.exists() else self.folder.parent
        return shutil.disk_usage(nearest).free > 2 * size + 50_000_000


def immutable(path: Path, *, vfs: str | None = None) -> apsw.Connection:
    """A connection to a file that nobody writes to; nothing is made beside it."""
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    return apsw.Connection(f"file:{quote(path.as_posix())}?immutable=1", flags=flags, vfs=vfs)


def copied(source: apsw.Connection, target: Path, *, vfs: str | None = None) -> tuple[int, ...]:
    """Copies by SQLite's backup interface, and gives how much there was to copy."""
    copy = apsw.Connection(str(target), flags=apsw.SQLITE_OPEN_READWRITE, vfs=vfs)
    try:
        # Without a transaction of our own, another process's write would make the copying begin anew, again and again.
        source.execute("BEGIN")
        try:
            counts = _counts(source)
            with copy.backup("main", source, "main") as backup:
                while not backup.done:
                    backup.step(1000)
        finally:
            if source.in_transaction:
                source.execute("COMMIT")
        # The copy lies alone: a reader of it must not need a write-ahead log.
        copy.pragma("journal_mode", "delete")
    finally:
        copy.close()
    return counts


def prove(path: Path, counts: Sequence[int] | None = None, *, vfs: str | None = None) -> None:
    """Raises LedgerCorrupt unless the copy is whole: pages, references, files, messages, and `counts`."""
    try:
        db = immutable(path, vfs=vfs)
        try:
            problem = first_problem(db)
            if not problem and counts is not None and _counts(db) != tuple(counts):
                problem = "it does not hold as much as was copied"
        finally:
            db.close()
    except (apsw.CorruptError, apsw.NotADBError, apsw.FormatError, apsw.SQLError) as error:
        raise LedgerCorrupt(f"A backup of the ledger can't be read ({type(error).__name__}).") from error
    except apsw.Error as error:
        raise LedgerTrouble("A backup of the ledger can't be read just now. Check the disk.") from error
    if problem:
        raise LedgerCorrupt(f"A backup of the ledger is not whole: {problem}.")


def first_problem(db: apsw.Connection, *, quick: bool = False) -> str:
    """What is wrong with a ledger's content, in a few words without anything of a client; empty when it is whole.

    The trail's chain of hashes is not looked at: who changed that on purpose is to be found out, not put right."""
    pragma = "quick_check" if quick else "integrity_check"
    if [row[0] for row in db.execute(f"PRAGMA {pragma}(1)")] != ["ok"]:
        return "its pages do not fit together"
    if quick:
        return ""
    if list(db.execute("PRAGMA foreign_key_check")):
        return "a row refers to another one that is not there"
    for name, check in _CONTENT_CHECKS:
        if check(db):
            return name
    return ""


_NO_STATE = (
    "SELECT 1 FROM delivery WHERE state NOT IN (SELECT from_state FROM legal_move UNION SELECT to_state FROM legal_move) LIMIT 1"
)


def _bad_states(db: apsw.Connection) -> bool:
    return bool(list(db.execute(_NO_STATE)))


def _bad_bodies(db: apsw.Connection) -> bool:
    found = db.execute("SELECT content, sha256 FROM body WHERE length(content) > 0")
    return any(hashlib.sha256(bytes(content)).hexdigest() != mark for content, mark in found)


def _bad_messages(db: apsw.Connection) -> bool:
    for digest, body, number, file in db.execute("SELECT digest, body, matter_number, file FROM message"):
        if digest != trail_link(body, number, "" if file is None else hashlib.sha256(bytes(file)).hexdigest()):
            return True
    return False


_CONTENT_CHECKS: Sequence[tuple[str, Callable[[apsw.Connection], bool]]] = (
    ("a delivery is in a state that does not exist", _bad_states),
    ("a kept file is not what it was", _bad_bodies),
    ("a message is not what it was when it came", _bad_messages),
)


def _counts(db: apsw.Connection) -> tuple[int, ...]:
    return tuple(int(next(iter(db.execute(f"SELECT count(*) FROM {name}")))[0]) for name in _COUNTED)  # noqa: S608  # ours


def size_of(path: Path) -> int:
    """In bytes, of the ledger's file; 0 where there is none."""
    try:
        return os.stat(path).st_size  # noqa: PTH116  # a name, not an open file
    except OSError:
        return 0
