"""The ledger's long life: looked at, backed up and tidied once a day, opened from its backup when it is damaged."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import apsw

from desktop.services.ledger import dispatch, inbox, retention
from desktop.services.ledger.backups import DAYS, size_of
from desktop.services.ledger.errors import LedgerCorrupt, LedgerDamaged, LedgerTrouble
from desktop.services.ledger.facts import from_text, to_text
from desktop.services.ledger.journal import number_of, turn_page
from desktop.services.ledger.mending import Mending, how_it_was, sentence
from desktop.services.ledger.store import Store

log = logging.getLogger(__name__)

CHECKED_EVERY = timedelta(days=1)
WHOLLY_CHECKED_EVERY = timedelta(days=7)
BACKED_UP_EVERY = timedelta(days=1)
LOOK_EVERY = timedelta(minutes=10)
TOLD_FOR = timedelta(days=7)
"""So long a restored ledger is spoken of."""

FILES_KEPT = timedelta(days=30)
"""So long a document's file is kept after it was read back; its hash is kept for good."""

RETENTION_LOOKED_AT_EVERY = timedelta(days=7)

_CHECKED = "ledger checked"
_WHOLLY_CHECKED = "ledger wholly checked"
_NO_BACKUP = "no backup because"
_RETENTION = "retention looked at"

Prepare = Callable[..., inbox.Ownership]


def opened(path: Path, mending: Mending, prepare: Prepare, clock: Callable[[], datetime]) -> tuple[Store, inbox.Ownership]:
    """A ledger that is whole, made or mended if need be. Raises LedgerError."""
    store, own = _opened(path, mending, prepare, clock)
    store.on_damage = lambda: _mended_in_use(store, mending)
    store.knows = lambda db: how_it_was(db) is not None and _installation(db) == own.installation
    return store, own


def _opened(path: Path, mending: Mending, prepare: Prepare, clock: Callable[[], datetime]) -> tuple[Store, inbox.Ownership]:
    why = "its file was not there any more"
    if path.exists() and mending.is_suspected:
        why = "its file was damaged"
    elif path.exists() and not mending.was_cut_off and not mending.is_lost():
        try:
            return _tried(path, mending, prepare, clock)
        except LedgerCorrupt as error:
            why = _why(error)
    with mending.alone():
        # Another process may have been quicker.
        if mending.was_cut_off:
            mending.finish()
        elif mending.is_lost() or (path.exists() and mending.is_damaged()):
            mending.mend(why)
        mending.no_longer_suspected()
        try:
            return _tried(path, mending, prepare, clock)
        except LedgerCorrupt as error:
            why = _why(error)
        mending.mend(why)
        try:
            return _tried(path, mending, prepare, clock)
        except LedgerCorrupt as error:
            raise LedgerDamaged(
                "The ledger is damaged, and so is what was made in its place: look at the disk. Nothing is sent."
            ) from error


def _why(error: LedgerCorrupt) -> str:
    return "its file was damaged" if error.__cause__ is not None or not error.args else str(error.args[0]).rstrip(".").lower()


def _tried(path: Path, mending: Mending, prepare: Prepare, clock: Callable[[], datetime]) -> tuple[Store, inbox.Ownership]:
    store = Store(path)
    store.before_upgrade = lambda db, found: _keep_old_schema(db, found, mending, clock())
    try:
        own = prepare(store, must_be_there=bool(mending.installation))
        check(store, clock())
        mending.keep_installation(own.installation)
        with store.reading() as db:
            number = number_of(db)
        if number not in mending.journal.numbers():
            _begin(mending, number)
    except BaseException:
        store.close()
        raise
    return store, own


def _keep_old_schema(db: apsw.Connection, found: int, mending: Mending, now: datetime) -> None:
    with mending.alone():
        # Another process may have made it a moment ago.
        if any(one.version == found and abs(now - one.at) < timedelta(hours=1) for one in mending.backups.all()):
            return
        # The journal's first file is the second one: what came before is in this backup.
        mending.backups.make(db, now, 2, version=found)


def _begin(mending: Mending, number: int) -> None:
    try:
        mending.journal.begin(number)
    except OSError as error:
        raise LedgerTrouble("The ledger's folder can't be written to. Check its rights and the disk.") from error


def _installation(db: apsw.Connection) -> str:
    found = list(db.execute("SELECT value FROM meta WHERE name = 'installation'"))
    return str(found[0][0]) if found else ""


def _mended_in_use(store: Store, mending: Mending) -> None:
    """Called by the thread that met the damage, outside any transaction. Every thread goes on in the new file."""
    store.let_go()
    with mending.alone():
        # Another thread or process may have been quicker.
        if mending.was_cut_off:
            mending.finish()
        elif mending.is_lost() or mending.is_damaged():
            mending.mend("its file was found damaged while it was in use")
    store.reopen()


def check(store: Store, now: datetime) -> None:
    """SQLite's quick look once in a day, a whole look once in a week. Raises LedgerCorrupt."""
    wholly = _is_due(store, _WHOLLY_CHECKED, now, WHOLLY_CHECKED_EVERY)
    if not wholly and not _is_due(store, _CHECKED, now, CHECKED_EVERY):
        return
    problem = store.problem(quick=not wholly)
    if problem:
        raise LedgerCorrupt(f"The ledger's file is damaged: {problem}.")
    # On a full disk the check is done again at the next opening.
    try:
        with store.write() as db:
            for name in (_CHECKED, _WHOLLY_CHECKED) if wholly else (_CHECKED,):
                _remember(db, name, to_text(now))
    except LedgerTrouble:
        log.info("That the ledger was checked could not be noted")


def _is_due(store: Store, name: str, now: datetime, every: timedelta) -> bool:
    found = store.read("SELECT text FROM memory WHERE name = ?", (name,))
    return not found or abs(now - from_text(str(found[0][0]))) >= every


def _remember(db: apsw.Connection, name: str, text: str) -> None:
    db.execute("INSERT INTO memory (name, text) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET text = excluded.text", (name, text))


class Upkeep:
    """Done by whoever has the turn to deliver; never twice at the same time."""

    def __init__(self, store: Store, mending: Mending, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._mending = mending
        self._clock = clock
        self._looked_at: datetime | None = None
        self._quiet: timedelta | None = None

    def run(self, quiet: timedelta, keep_months: int | None = None) -> None:
        """Cheap unless something is due. `quiet`: how long a send may be on its way. `keep_months`: how long the trail's steps
        are kept (None: for ever). Raises LedgerTrouble and, from a file that could not be put right, LedgerDamaged."""
        self._store.look_whether_replaced()
        if quiet != self._quiet:
            with self._store.write() as db:
                dispatch.note_quiet(db, quiet)
            self._quiet = quiet
        now = self._clock()
        if self._mending.is_suspected:
            with self._store.mended():
                problem = self._store.problem(quick=False)
                self._mending.no_longer_suspected()
                if problem:
                    raise LedgerCorrupt(f"The ledger's file is damaged: {problem}.")
        if self._looked_at is not None and abs(now - self._looked_at) < LOOK_EVERY:
            return
        self._looked_at = now
        with self._store.mended():
            check(self._store, now)
            self._back_up(now)
            self._purge(now, keep_months)

    def _back_up(self, now: datetime) -> None:
        """A backup that can't be made keeps nobody from delivering; it is spoken of instead."""
        newest = next((one for one in self._mending.backups.all() if not one.version), None)
        if newest is not None and abs(now - newest.at) < BACKED_UP_EVERY:
            return
        try:
            self._tidy(now)
            if not self._mending.backups.has_room_for(size_of(self._store.path)):
                raise LedgerTrouble("There is too little room on the disk for a backup of the ledger. Free some space.")
            with self._store.write() as db:
                number = turn_page(db)
                self._mending.journal.begin(number)
            self._mending.backups.make(self._store.connection(), now, number)
            needed = self._mending.backups.prune()
            if needed is not None:
                self._mending.journal.forget_before(min(needed, number - DAYS))
            reason = ""
        except LedgerTrouble as error:
            reason = str(error)
        except OSError:
            reason = "No backup of the ledger could be made. Check the disk and the rights to the profile's folder."
        self._note(reason)

    def _note(self, reason: str) -> None:
        if reason:
            log.warning("The ledger has no new backup")
        before = self._store.read("SELECT text FROM memory WHERE name = ?", (_NO_BACKUP,))
        if (str(before[0][0]) if before else "") != reason:
            with self._store.write() as db:
                _remember(db, _NO_BACKUP, reason)

    def _tidy(self, now: datetime) -> None:
        """What was read back long ago is never sent again: its file is erased, its hash stays."""
        old = (
            "FROM body WHERE length(content) > 0 AND key IN"
            " (SELECT key FROM delivery WHERE state = 'confirmed' AND seen_at < ?) LIMIT 100"
        )
        before = to_text(now - FILES_KEPT)
        if not self._store.read(f"SELECT 1 {old}", (before,)):
            return
        with self._store.write() as db:
            db.execute(f"UPDATE body SET content = x'' WHERE key IN (SELECT key {old})", (before,))  # noqa: S608  # ours

    def _purge(self, now: datetime, months: int | None) -> None:
        """The trail's oldest steps, where the settings say so. A disk that does not let it keeps nobody from delivering."""
        if months is None or not _is_due(self._store, _RETENTION, now, RETENTION_LOOKED_AT_EVERY):
            return
        try:
            purged = retention.purge(self._store, now, months)
            if purged is None:
                with self._store.write() as db:
                    _remember(db, _RETENTION, to_text(now))
        except LedgerTrouble:
            log.warning("The trail's oldest steps could not be purged")

    def notices(self) -> tuple[str, ...]:
        found = []
        with self._store.reading() as db:
            restored = how_it_was(db)
            no_backup = list(db.execute("SELECT text FROM memory WHERE name = ? AND text <> ''", (_NO_BACKUP,)))
        if restored is not None and abs(self._clock() - restored.at) < TOLD_FOR:
            found.append(sentence(restored, self._store.path.parent))
        found += [str(row[0]) for row in no_backup]
        return tuple(found)
