"""A damaged ledger is set aside whole, its newest good backup is opened, and nothing is sent that was not looked for.

Nothing is ever deleted: the damaged file keeps its content and its write-ahead log under another name. One process at a time
mends; a mark beside the ledger makes sure that a mending that was cut off is finished by whoever starts next.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import apsw
import msgspec
from filelock import FileLock, Timeout

from desktop.services.ledger import actions, files, inbox, rows
from desktop.services.ledger.backups import Backup, Backups, copied, first_problem, immutable
from desktop.services.ledger.dispatch import SENT_BEFORE, decided
from desktop.services.ledger.errors import ActionRefused, LedgerDamaged, LedgerTrouble
from desktop.services.ledger.facts import BY_COURIER, to_text
from desktop.services.ledger.journal import NUMBER, Entry, Journal
from desktop.services.ledger.model import DeliveryState
from desktop.services.ledger.store import Store

log = logging.getLogger(__name__)

RESTORED = "restored"
"""Under this name a ledger remembers that it was restored, and how."""

LOOK_FIRST = "The ledger had to be restored from a backup; the matter is read first, because this may have been posted since."

_STAMP = "%Y%m%dT%H%M%SZ"
_WAIT = 60.0
_BESIDE = ("-wal", "-shm")


def beside(ledger: Path) -> Path:
    """The folder of a ledger's backups and journal."""
    return ledger.with_name(f"{ledger.stem}-backups")


def suspicion(ledger: Path) -> Path:
    """While this file is there, somebody has seen damage: whoever delivers, or starts next, takes a whole look."""
    return ledger.with_name(f"{ledger.name}.suspect")


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done. `aside` is the damaged file's name, empty when there was none; `backup_at` is when the backup was made
    (None: there was no good one); `heard` counts the messages and decisions that came from the journal; `gap` is true where
    the journal does not reach back far enough to tell everything."""

    at: datetime
    why: str
    aside: str
    backup_at: datetime | None
    heard: int
    gap: bool


_decoder = msgspec.json.Decoder(Restored)


@dataclass(frozen=True, slots=True)
class _Mark:
    """A mending under way."""

    at: datetime
    why: str
    aside: str


class Mending:
    """What lies beside one ledger. `prepare` brings a new Store's file into shape."""

    def __init__(self, path: Path, clock: Callable[[], datetime], prepare: Callable[[Store], inbox.Ownership]) -> None:
        self._path = path
        self._clock = clock
        self._prepare = prepare
        folder = beside(path)
        self.backups = Backups(folder)
        self.journal = Journal(folder)
        self._id = path.with_name(f"{path.name}.installation")
        self._mark = path.with_name(f"{path.name}.mending")
        self._lock = FileLock(path.with_name(f"{path.name}.lock"), timeout=_WAIT, mode=0o600, is_singleton=False)

    @property
    def installation(self) -> str:
        """This profile's name, kept beside the ledger so that it outlives it; empty before the first ledger was made."""
        found = files.read_text(self._id).strip()
        return found if found.isascii() and found.isalnum() else ""

    def keep_installation(self, name: str) -> None:
        if self.installation != name:
            try:
                files.write_text(self._id, name)
            except OSError as error:
                raise LedgerTrouble("The ledger's folder can't be written to. Check its rights and the disk.") from error

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One process at a time makes or mends the ledger."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock.acquire()
        except Timeout:
            raise LedgerTrouble("Another iConnect process is putting the ledger right. Try again in a minute.") from None
        except OSError as error:
            raise LedgerTrouble("The ledger's folder can't be written to. Check its rights and the disk.") from error
        try:
            yield
        finally:
            self._lock.release()

    @property
    def was_cut_off(self) -> bool:
        return self._mark.exists()

    def is_lost(self) -> bool:
        """True where there was a ledger and there is none, or an empty file."""
        try:
            there = self._path.stat().st_size > 0
        except OSError:
            there = False
        return not there and bool(self.installation)

    @property
    def is_suspected(self) -> bool:
        return suspicion(self._path).exists()

    def no_longer_suspected(self) -> None:
        with suppress(OSError):
            suspicion(self._path).unlink(missing_ok=True)

    def is_damaged(self) -> bool:
        """A whole look at the file, through a connection of its own."""
        try:
            db = apsw.Connection(str(self._path), flags=apsw.SQLITE_OPEN_READWRITE)
            try:
                db.set_busy_timeout(10_000)
                return bool(first_problem(db))
            finally:
                db.close()
        except (apsw.CorruptError, apsw.NotADBError, apsw.FormatError, apsw.SQLError):
            return True
        except apsw.Error as error:
            raise LedgerTrouble("The ledger could not be read on this PC. Check the disk.") from error

    def mend(self, why: str) -> Restored:
        """Sets the file aside and puts a restored one in its place. To be called `alone`, with no connection of this process
        open. Raises LedgerDamaged when the file can't be set aside, LedgerTrouble when there is no room for a new one."""
        mark = self._marked(why)
        try:
            self._set_aside(mark)
            restored = self._restore(mark)
            self._mark.unlink(missing_ok=True)
        except OSError as error:
            raise LedgerDamaged(
                "The ledger is damaged and could not be put right, because another program holds it or the disk is full. "
                "Nothing is sent. Quit every iConnect of this profile, free some space, and start it again."
            ) from error
        log.error("The ledger was restored; %d entries of the journal were heard", restored.heard)
        return restored

    def finish(self) -> None:
        """Ends a mending that was cut off. To be called `alone`."""
        text = files.read_text(self._mark)
        if text and self._is_done(text):
            self._mark.unlink(missing_ok=True)
            return
        self.mend("it was being put right when iConnect was stopped")

    def _is_done(self, text: str) -> bool:
        """The restored ledger lies in its place already, and only the mark was left."""
        try:
            mark = msgspec.json.decode(text.encode(), type=_Mark)
            db = apsw.Connection(str(self._path), flags=apsw.SQLITE_OPEN_READWRITE)
            try:
                restored = how_it_was(db)
            finally:
                db.close()
        except (msgspec.MsgspecError, apsw.Error):
            return False
        return restored is not None and restored.at == mark.at

    def _marked(self, why: str) -> _Mark:
        text = files.read_text(self._mark)
        if text:
            try:
                return msgspec.json.decode(text.encode(), type=_Mark)
            except msgspec.MsgspecError:
                log.warning("The mark of an earlier mending can't be read")
        now = self._clock()
        mark = _Mark(now, why, self._free_name(now) if self._path.exists() else "")
        try:
            files.write_text(self._mark, msgspec.json.encode(mark).decode())
        except OSError as error:
            raise LedgerDamaged(
                "The ledger is damaged, and its folder can't be written to. Nothing is sent. "
                "Check the folder's rights and the disk, and start iConnect again."
            ) from error
        return mark

    def _free_name(self, now: datetime) -> str:
        name = f"{self._path.name}.damaged-{now.strftime(_STAMP)}"
        for number in range(1, 1000):
            tried = name if number == 1 else f"{name}-{number}"
            if not self._path.with_name(tried).exists():
                return tried
        return name

    def _set_aside(self, mark: _Mark) -> None:
        """The main file last: while it lies in its place, a cut-off mending has still to begin."""
        aside = self._path.with_name(mark.aside) if mark.aside else None
        if aside is None or aside.exists():
            return
        for ending in _BESIDE:
            beside = self._path.with_name(self._path.name + ending)
            if beside.exists() and not aside.with_name(aside.name + ending).exists():
                files.rename(beside, aside.with_name(aside.name + ending))
        if self._path.exists():
            files.rename(self._path, aside)
        files.sync_folder(self._path.parent)

    def _restore(self, mark: _Mark) -> Restored:
        made = self._path.with_name(f"{self._path.name}.restored")
        for ending in ("", *_BESIDE):
            made.with_name(made.name + ending).unlink(missing_ok=True)
        backup = self.backups.newest_good()
        if backup is not None:
            files.make_empty(made)
            source = immutable(backup.path)
            try:
                copied(source, made)
            finally:
                source.close()
        restored = self._bring_up(made, mark, backup)
        files.sync_file(made)
        for ending in _BESIDE:
            # Of a ledger that is no longer there; a new one must not read them.
            self._path.with_name(self._path.name + ending).unlink(missing_ok=True)
        files.rename(made, self._path)
        files.sync_folder(self._path.parent)
        return restored

    def _bring_up(self, made: Path, mark: _Mark, backup: Backup | None) -> Restored:
        store = Store(made)
        store.before_upgrade = lambda db, found: None
        first = backup.journal if backup is not None else 1
        numbers = self.journal.numbers()
        gap = not numbers or numbers != list(range(numbers[0], numbers[-1] + 1)) or numbers[0] > first
        try:
            own = self._prepare(store)
            with store.write() as db:
                _look_for_everything(db, mark.at)
                heard = sum(_heard(db, own, entry) for entry in self.journal.since(first))
                # A decision that was heard of may have led to a send as well.
                _look_for_everything(db, mark.at)
                restored = Restored(mark.at, mark.why, mark.aside, backup.at if backup is not None else None, heard, gap)
                _remember(db, SENT_BEFORE, to_text(mark.at))
                _remember(db, RESTORED, msgspec.json.encode(restored).decode())
                # What comes from now on is written behind what was there.
                _remember(db, NUMBER, str(numbers[-1] if numbers else first))
                rows.write_step(db, mark.at, "restored", reason=_told_in_the_trail(restored), by=BY_COURIER)
        finally:
            store.close()
        return restored


def _remember(db: apsw.Connection, name: str, text: str) -> None:
    db.execute("INSERT INTO memory (name, text) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET text = excluded.text", (name, text))


def _look_for_everything(db: apsw.Connection, now: datetime) -> None:
    """Whatever was not final in the backup may have been sent since: it is unknown, from now on. What was still left to
    another PC stays so; it is looked for when its time has come, like everything before its first send."""
    left_alone = {
        str(row[0])
        for row in db.execute("SELECT order_id FROM customer_order WHERE take_over_at > ? AND taken = 0", (to_text(now),))
    }
    for posting in rows.postings(db, "state IN ('queued', 'sending', 'unknown', 'accepted')"):
        if posting.state is DeliveryState.QUEUED and not posting.touched:
            later = posting.next_at is not None and posting.next_at > now
            if later and (posting.deferred or posting.order_id in left_alone):
                continue
        becomes = DeliveryState.UNKNOWN if posting.state in (DeliveryState.QUEUED, DeliveryState.SENDING) else None
        rows.change(
            db, posting, now, state=becomes, by=BY_COURIER, touched=1, sent_at=to_text(now), absent_at=None,
            next_at=to_text(now), reason=LOOK_FIRST,
        )  # fmt: skip


def _heard(db: apsw.Connection, own: inbox.Ownership, entry: Entry) -> int:
    if entry.incoming is not None:
        return len(inbox.record(db, own, entry.at, [entry.incoming], None))
    try:
        match entry.what:
            case "cancel":
                _cancel(db, entry)
            case "approve":
                actions.approve(db, entry.key, entry.at)
            case "move":
                actions.move(db, entry.order_id, entry.place, entry.at)
            case "take over":
                actions.take_over(db, entry.order_id, entry.at)
    except ActionRefused:
        return 0
    return 1


def _cancel(db: apsw.Connection, entry: Entry) -> None:
    if rows.postings(db, "key = ?", (entry.key,)):
        actions.cancel(db, entry.key, entry.at, stood_at=entry.place or None)
    else:
        # It was planned after the backup: when it is planned again, it waits for the person who did not want it.
        _remember(db, decided(entry.key), to_text(entry.at))


def _told_in_the_trail(restored: Restored) -> str:
    since = f"the backup of {to_text(restored.backup_at)}" if restored.backup_at is not None else "no backup"
    return f"{restored.why}; from {since}; {restored.heard} entries of the journal; set aside: {restored.aside or 'nothing'}"


def how_it_was(db: apsw.Connection) -> Restored | None:
    """How this ledger was restored, if it ever was."""
    found = list(db.execute("SELECT text FROM memory WHERE name = ?", (RESTORED,)))
    return _decoder.decode(str(found[0][0])) if found else None


def sentence(restored: Restored, folder: Path) -> str:
    """For the person: what happened, where the damaged file is, what is in use now, and what is done."""
    day = f"{restored.at:%d %B %Y, %H:%M} UTC"
    parts = [f"The ledger had to be restored on {day}: {restored.why}."]
    if restored.aside:
        parts.append(f"The damaged file is kept as {folder / restored.aside}.")
    if restored.backup_at is not None:
        parts.append(f"In use is the backup of {restored.backup_at:%d %B %Y, %H:%M} UTC and everything that was taken since.")
    else:
        parts.append("There was no backup; it was made anew from everything that was taken.")
    parts.append("Whatever may have been posted since is looked for in the practice system before anything is sent.")
    if restored.gap:
        parts.append(
            "What was typed in or imported by hand may be missing: look at the latest orders, and import the files in the drop "
            "folder's «processed» once more (iconnect results import); what is known already changes nothing."
        )
    return " ".join(parts)
