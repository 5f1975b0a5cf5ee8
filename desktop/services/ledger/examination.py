"""What `doctor` asks of the ledger, through a connection of its own, while others work in it. Its content is not changed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import apsw

from desktop.services.ledger import files
from desktop.services.ledger.backups import Backups, first_problem, prove, size_of
from desktop.services.ledger.errors import LedgerError
from desktop.services.ledger.mending import beside, how_it_was, sentence, suspicion
from desktop.services.ledger.purged import purged
from desktop.services.ledger.sealing import first_bad_link
from desktop.services.ledger.upgrade import SCHEMA_VERSION

LARGE = 500_000_000
"""Bytes. A whole look at a larger file takes longer than a person waits; it is looked at quickly, and wholly once a week."""

OLD = timedelta(days=3)
SPOKEN_OF = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Finding:
    """`bad`: something must be done; otherwise a `cure` makes it a note. Without one all is well."""

    name: str
    message: str
    cure: str = ""
    bad: bool = False


def examined(path: Path, now: datetime) -> tuple[Finding, ...]:
    """Everything about the ledger's file, its settings and its backups. Raises nothing. Damage is marked, so that whoever
    delivers or starts next looks for itself and puts the file right."""
    found = (*_file(path, now), *_backups(path, now), *_set_aside(path))
    if any(one.name == "ledger" and one.bad for one in found):
        with contextlib.suppress(OSError):
            files.write_text(suspicion(path), "doctor\n")
    return found


def _file(path: Path, now: datetime) -> Iterator[Finding]:
    try:
        db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    except apsw.Error as error:
        yield Finding(
            "ledger", f"It can't be opened ({type(error).__name__}).", "Check the folder's rights and the disk.", bad=True
        )
        return
    try:
        db.set_busy_timeout(10_000)
        db.execute("BEGIN")
        yield from _content(db, quick=size_of(path) > LARGE)
        yield from _settings(db)
        restored = how_it_was(db)
        if restored is not None:
            recent = abs(now - restored.at) < SPOKEN_OF
            cure = "Tell your IT; look whether the disk is failing." if recent else ""
            yield Finding("ledger restored", sentence(restored, path.parent), cure)
        db.execute("COMMIT")
    except apsw.Error as error:
        yield Finding(
            "ledger",
            f"It can't be read ({type(error).__name__}).",
            "Quit iConnect and start it: a damaged file is put right.",
            bad=True,
        )
    finally:
        db.close()


def _content(db: apsw.Connection, *, quick: bool) -> Iterator[Finding]:
    problem = first_problem(db, quick=quick)
    if problem:
        yield Finding(
            "ledger",
            f"It is damaged: {problem}.",
            "Quit iConnect and start it: the file is set aside and its backup opened.",
            bad=True,
        )
        return
    bad = first_bad_link(db)
    if bad is not None:
        yield Finding(
            "ledger's trail",
            f"From step {bad} on, what happened was changed by another program.",
            "Keep the profile's folder as it is and find out who changed it; a backup shows how it was.",
            bad=True,
        )
    elif (stub := purged(db)) is not None:
        yield Finding("ledger's trail", f"It is whole. {stub.sentence()}.")
    looked = "quickly, because it is large" if quick else "wholly"
    deliveries = next(iter(db.execute("SELECT count(*) FROM delivery")))[0]
    yield Finding("ledger", f"It is sound (looked at {looked}; {deliveries} deliveries).")


def _settings(db: apsw.Connection) -> Iterator[Finding]:
    version, journal = db.pragma("user_version"), str(db.pragma("journal_mode"))
    if version != SCHEMA_VERSION:
        yield Finding(
            "ledger's version", f"It is of version {version}.", f"This program writes version {SCHEMA_VERSION}.", bad=True
        )
    if journal != "wal":
        yield Finding(
            "ledger's settings",
            f"Its journal mode is {journal}, so a power cut could lose entries.",
            "Move the profile to a local disk, and restart iConnect.",
            bad=True,
        )
    else:
        yield Finding("ledger's settings", "Every entry is on disk before it counts.")


def _backups(path: Path, now: datetime) -> Iterator[Finding]:
    backups = Backups(beside(path))
    found = [one for one in backups.all() if not one.version]
    if not found:
        yield Finding("ledger's backups", "There is none yet.", "The first is made with the next delivery run (iconnect deliver).")
        return
    newest = found[0]
    try:
        prove(newest.path)
    except LedgerError as error:
        yield Finding("ledger's backups", str(error), "Run iconnect deliver tomorrow; if this stays, look at the disk.", bad=True)
        return
    age = now - newest.at
    told = f"{len(found)} kept; the newest, of {newest.at:%d %B %Y, %H:%M} UTC, is whole."
    if age > OLD:
        room = "" if backups.has_room_for(size_of(path)) else " There is too little room on the disk for another."
        yield Finding(
            "ledger's backups", f"{told}{room}", "One is made each day while the tray runs: keep it running, or free some space."
        )
    else:
        yield Finding("ledger's backups", told)


def _set_aside(path: Path) -> Iterator[Finding]:
    found = sorted(one for one in path.parent.glob(f"{path.name}.damaged-*") if one.name[-4:] not in ("-wal", "-shm"))
    if found:
        size = sum(size_of(one) for one in found) // 1_000_000
        yield Finding(
            "damaged ledgers kept",
            f"{len(found)} ({size} MB); the last is {found[-1]}.",
            "When nothing is missed any more, your IT may archive and remove them.",
        )
