"""The drop folder (contracts, section 3): another program writes order messages, we take those that are ours.

The folder may be a network share, may vanish, and may be watched by several PCs at the same moment. What a PC has taken
is durable in its inbox before the file moves; a file that two PCs reach for is moved by whoever comes first, and the
other finds it gone.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets as randomness
import stat
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from desktop.services.errors import NotNow
from desktop.services.infotrack.inbox import Inbox
from desktop.services.infotrack.messages import MAX_BYTES, Batch, MessageUnreadable, read_batch
from desktop.services.infotrack.model import Incoming, Source

_log = logging.getLogger(__name__)

STANDS_STILL = 2.0
EMPTY_FOR = 10.0
HELD_FOR = 60.0
_SUFFIXES = (".xml", ".json")
_AT_ONCE = 50
_REMEMBERED = 2_000
_NUMBERED = 100
_WATCHED = 200
_WATCHED_FOR = 3600.0


@dataclass(frozen=True, slots=True)
class _Shape:
    """What changes when a file is written to."""

    size: int
    modified: int


@dataclass(slots=True)
class _Seen:
    """What is known of a file from one pass to the next. `batch` is what it holds, once read; `taken` the places of its
    messages that are in the inbox already; `held_since` is when it first could not be opened or moved."""

    shape: _Shape
    since: float
    batch: Batch | None = None
    taken: set[int] = field(default_factory=set)
    held_since: float | None = None


@dataclass(frozen=True, slots=True)
class _Failed:
    """A file that could not be read, in failed/ now. Its writer may still have it open, and go on writing there."""

    path: Path
    name: str
    shape: _Shape
    since: float


class _Gone(Exception):
    """The file is not there any more, or not the one that was seen."""


class DropFolder:
    """One watched folder. Not for several threads at once. `clock` counts seconds and never goes back; `wait` lets some
    of them pass. With it, a pass that meets a new file stays the two seconds that the file has to stand still, so that one
    pass (a headless `deliver`) is enough to take it; None: never waits."""

    name = "drop folder"

    def __init__(
        self,
        folder: Path,
        zone: ZoneInfo,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] | None = time.sleep,
    ) -> None:
        self._folder = folder
        self._zone = zone
        self._clock = clock
        self._wait = wait
        self._seen: dict[str, _Seen] = {}
        self._failed: list[_Failed] = []
        self._due: float | None = None

    def due_in(self) -> float | None:
        """Seconds until a file that is there may be taken, None when no file needs only that. A caller that polls slowly
        looks again then."""
        return None if self._due is None else max(0.0, self._due - self._clock())

    def collect(self, inbox: Inbox) -> int:
        """See ResultSource. Raises NotNow when the folder, or some file in it, can't be worked with; whatever else could be
        taken has been taken by then."""
        trouble: list[str] = []
        new = self._look(inbox, trouble)
        due = self.due_in()
        if self._wait is not None and due is not None and due <= STANDS_STILL:
            self._wait(due + 0.01)
            trouble.clear()
            new += self._look(inbox, trouble)
        if trouble:
            raise NotNow(trouble[0])
        return new

    def _look(self, inbox: Inbox, trouble: list[str]) -> int:
        self._take_back()
        ready = self._ready()
        new = 0
        for start in range(0, len(ready), _AT_ONCE):
            new += self._take(ready[start : start + _AT_ONCE], inbox, trouble)
        return new

    def _take_back(self) -> None:
        """A writer that paused in the middle of a file was taken for done. Where it went on, the file comes back and is read
        whole."""
        now = self._clock()
        watched, self._failed = self._failed, []
        for failed in watched:
            shape = _shape(failed.path)
            if shape == failed.shape and now - failed.since < _WATCHED_FOR:
                self._failed.append(failed)
            elif shape is not None and shape != failed.shape:
                with contextlib.suppress(OSError):
                    failed.path.replace(_free(self._folder / failed.name))
                    _reason_of(failed.path).unlink(missing_ok=True)

    def _ready(self) -> list[str]:
        """The names of files that have stood still long enough, oldest first."""
        now = self._clock()
        self._due = None
        there: dict[str, _Seen] = {}
        for name in self._names():
            shape = _shape(self._folder / name)
            if shape is None:
                continue
            seen = self._seen.get(name)
            if seen is None or seen.shape != shape:
                seen = _Seen(shape, now)
            there[name] = seen
        self._seen = there
        ready = []
        for name, seen in there.items():
            at = seen.since + (STANDS_STILL if seen.shape.size else EMPTY_FOR)
            if now >= at:
                ready.append(name)
            else:
                self._due = at if self._due is None else min(self._due, at)
        return sorted(ready, key=lambda name: (there[name].shape.modified, name))

    def _names(self) -> list[str]:
        try:
            return [name for name in os.listdir(self._folder) if _is_message(name)]  # noqa: PTH208 - names alone
        except OSError as error:
            self._seen.clear()
            raise NotNow(
                "The drop folder can't be reached. Check the network drive and your access to it, or choose the folder in Settings."
            ) from error

    def _take(self, names: Iterable[str], inbox: Inbox, trouble: list[str]) -> int:
        """Records what may be taken from these files in one go, then lets go of those that are done with."""
        incoming: list[Incoming] = []
        taking: list[tuple[_Seen, set[int]]] = []
        done: list[tuple[str, str]] = []
        for name in names:
            seen = self._seen[name]
            try:
                batch = self._batch(name, seen)
            except _Gone:
                self._seen.pop(name, None)
                continue
            except MessageUnreadable as error:
                done.append((name, str(error)))
                continue
            except OSError:
                self._held(seen, "can't be opened", trouble)
                continue
            places = {
                place for place, found in enumerate(batch.messages) if place not in seen.taken and inbox.may_take(found.message)
            }
            incoming += [
                Incoming(batch.messages[place].message, batch.messages[place].raw, Source.FOLDER) for place in sorted(places)
            ]
            taking.append((seen, places))
            if len(seen.taken) + len(places) == len(batch.messages):
                done.append((name, _partly(batch)))
        new = inbox.record(incoming) if incoming else 0
        for seen, places in taking:
            seen.taken |= places
        for name, reason in done:
            self._let_go(name, self._seen[name], reason, trouble)
        self._forget_batches()
        return new

    def _batch(self, name: str, seen: _Seen) -> Batch:
        if seen.batch is None:
            if not seen.shape.size:
                raise MessageUnreadable("The file stayed empty.")
            if seen.shape.size > MAX_BYTES:
                raise MessageUnreadable(f"The file is larger than {MAX_BYTES // 1_000_000} MB, so it can't be an order message.")
            seen.batch = read_batch(_content(self._folder / name, seen.shape), self._zone)
        return seen.batch

    def _held(self, seen: _Seen, what: str, trouble: list[str]) -> None:
        """Another program still holds the file: it is left for the next pass, and spoken of only when that lasts."""
        now = self._clock()
        if seen.held_since is None:
            seen.held_since = now
        if now - seen.held_since >= HELD_FOR:
            trouble.append(
                f"A file in the drop folder {what}. Close the program that holds it, and check that you may read and write there."
            )

    def _let_go(self, name: str, seen: _Seen, reason: str, trouble: list[str]) -> None:
        try:
            moved = _move(self._folder / name, self._folder / ("failed" if reason else "processed"), seen.shape)
            if reason:
                _log.warning("a file in the drop folder could not be read; it is in failed/ with the reason beside it")
                self._failed = [*self._failed[1 - _WATCHED :], _Failed(moved, name, seen.shape, self._clock())]
                _write_new(_reason_of(moved), reason + "\n")
        except _Gone:
            pass
        except OSError:
            # What it holds is in the inbox; `taken` keeps it from being recorded at each pass.
            self._held(seen, "can't be moved aside", trouble)
            return
        self._seen.pop(name, None)

    def _forget_batches(self) -> None:
        """Files that wait for another PC are not read again at each pass, up to a bound on memory."""
        held = [seen for seen in self._seen.values() if seen.batch is not None]
        for seen in held[_REMEMBERED:]:
            seen.batch = None


def _partly(batch: Batch) -> str:
    """Why a file that was taken goes to failed/ all the same; empty when all of it could be read."""
    if not batch.unreadable:
        return ""
    total = len(batch.messages) + len(batch.unreadable)
    lines = [f"{len(batch.messages)} of the {total} messages in this file were taken. The others could not be read:"]
    lines += [f"message {bad.place}: {bad.reason}" for bad in batch.unreadable[:100]]
    return "\n".join(lines)


def _is_message(name: str) -> bool:
    return name.lower().endswith(_SUFFIXES) and not name.startswith((".", "~"))


def _shape(path: Path) -> _Shape | None:
    """None for what is no plain file of this folder: gone, a directory, a link to elsewhere."""
    try:
        # Not the directory entry's figures: Windows may keep stale ones there while a file is being written.
        found = path.stat(follow_symlinks=False)
    except OSError:
        return None
    return _shape_of(found) if stat.S_ISREG(found.st_mode) else None


def _shape_of(found: os.stat_result) -> _Shape:
    return _Shape(found.st_size, found.st_mtime_ns)


def _content(path: Path, expected: _Shape) -> bytes:
    """The whole file, if it is still the one that was seen, before and after reading. Raises _Gone, OSError."""
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError as error:
        raise _Gone from error
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
        if _shape_of(os.fstat(descriptor)) != expected:
            raise _Gone
        content = file.read(MAX_BYTES + 1)
        if len(content) != expected.size or _shape_of(os.fstat(descriptor)) != expected:
            raise _Gone
    return content


def _move(path: Path, into: Path, expected: _Shape) -> Path:
    """Moves the file, never over another one. Raises _Gone when somebody else moved or replaced it, OSError otherwise.

    First to a name that nobody else has: that step takes the file away from everybody at once, and what was taken can be
    looked at in peace."""
    into.mkdir(exist_ok=True)
    if into.is_symlink():
        # Whoever may write into a share may put a link there, and the file would end up among this person's own.
        raise OSError("the folder is a link to elsewhere")
    if _shape(path) != expected:
        raise _Gone
    own = into / f"{path.stem[:40]}.{randomness.token_hex(6)}{path.suffix}"
    try:
        path.rename(own)
    except FileNotFoundError as error:
        if not path.exists():
            raise _Gone from None
        raise error
    if _shape(own) != expected:
        # Replaced between the look and the move: nobody has read this one yet, so it goes back.
        own.replace(_free(path))
        raise _Gone
    target = _free(into / _short(path))
    own.replace(target)
    return target


def _reason_of(path: Path) -> Path:
    return path.with_name(path.name + ".reason.txt")


def _write_new(path: Path, text: str) -> None:
    """Never through what lies under the name already: on a share that may be somebody's link to a file of this person."""
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666), "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor, not a path
        file.write(text)


def _short(path: Path) -> str:
    """The file's name, cut where a number and `.reason.txt` would not fit behind it."""
    return path.name if len(os.fsencode(path.name)) <= 230 else f"{path.stem[:50]}{path.suffix}"


def _free(wanted: Path) -> Path:
    """A name like `wanted`, reserved for the caller by an empty file: creating one is a single step on every share."""
    for number in range(_NUMBERED):
        path = wanted if number == 0 else wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except FileExistsError:
            continue
        return path
    # A program that gives every file the same name has filled the numbers: looking for the next would take longer each time.
    path = wanted.with_name(f"{wanted.stem}-{randomness.token_hex(6)}{wanted.suffix}")
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    return path
