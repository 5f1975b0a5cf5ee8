"""The drop folder (contracts, section 3): another program writes order messages, we take those that are ours.

The folder may be a network share, may vanish, and may be watched by several PCs at the same moment. What a PC has taken
is durable in its inbox before the file moves; a file that two PCs reach for is moved by whoever comes first, and the
other finds it gone.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from desktop.services.delivery.ports import Inbox
from desktop.services.errors import NotNow
from desktop.services.infotrack.messages import MAX_BYTES, Batch, MessageUnreadable, read_batch
from desktop.services.infotrack.model import Incoming, Source

_log = logging.getLogger(__name__)

STANDS_STILL = 2.0
EMPTY_FOR = 10.0
LOCKED_FOR = 60.0
_SUFFIXES = (".xml", ".json")
_AT_ONCE = 50
_REMEMBERED = 2_000


@dataclass(frozen=True, slots=True)
class _Shape:
    """What changes when a file is written to."""

    size: int
    modified: int
    number: int


@dataclass(slots=True)
class _Seen:
    """What is known of a file from one pass to the next. `batch` is what it holds, once read; `taken` the places of its
    messages that are in the inbox already; `locked_since` is when it first could not be opened."""

    shape: _Shape
    since: float
    batch: Batch | None = None
    taken: set[int] = field(default_factory=set)
    locked_since: float | None = None


class _Gone(Exception):
    """The file is not there any more, or not the one that was seen."""


class DropFolder:
    """One watched folder. Not for several threads at once. `clock` counts seconds and never goes back."""

    name = "drop folder"

    def __init__(self, folder: Path, zone: ZoneInfo, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._zone = zone
        self._clock = clock
        self._seen: dict[str, _Seen] = {}
        self._due: float | None = None

    def due_in(self) -> float | None:
        """Seconds until a file that is there may be taken, None when no file needs only that. A caller that polls slowly
        looks again then."""
        return None if self._due is None else max(0.0, self._due - self._clock())

    def collect(self, inbox: Inbox) -> int:
        """See ResultSource. Raises NotNow when the folder, or some file in it, can't be worked with; whatever else could be
        taken has been taken by then."""
        ready = self._ready()
        trouble: list[str] = []
        new = 0
        for start in range(0, len(ready), _AT_ONCE):
            new += self._take(ready[start : start + _AT_ONCE], inbox, trouble)
        if trouble:
            raise NotNow(trouble[0])
        return new

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
                self._locked(seen, trouble)
                continue
            seen.locked_since = None
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

    def _locked(self, seen: _Seen, trouble: list[str]) -> None:
        """Another program still holds the file: it is left for the next pass, and spoken of only when that lasts."""
        now = self._clock()
        if seen.locked_since is None:
            seen.locked_since = now
        if now - seen.locked_since >= LOCKED_FOR:
            trouble.append(
                "A file in the drop folder can't be opened. Close the program that holds it, or check your access to it."
            )

    def _let_go(self, name: str, seen: _Seen, reason: str, trouble: list[str]) -> None:
        try:
            moved = _move(self._folder / name, self._folder / ("failed" if reason else "processed"), seen.shape)
            if reason:
                _log.warning("a file in the drop folder could not be read; it is in failed/ with the reason beside it")
                moved.with_name(moved.name + ".reason.txt").write_text(reason + "\n", encoding="utf-8")
        except _Gone:
            pass
        except OSError:
            # What it holds is in the inbox; `taken` keeps it from being recorded at each pass.
            trouble.append("A file in the drop folder can't be moved aside. Check that you may write to the folder.")
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
    return _Shape(found.st_size, found.st_mtime_ns, found.st_ino)


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
    """Moves the file, never over another one. Raises _Gone when somebody else moved or replaced it, OSError otherwise."""
    into.mkdir(exist_ok=True)
    if _shape(path) != expected:
        raise _Gone
    for number in range(10_000):
        target = into / (path.name if number == 0 else f"{path.stem}-{number}{path.suffix}")
        try:
            _rename(path, target)
        except FileExistsError:
            if _same_file(path, target):
                # A crash left it under both names.
                path.unlink(missing_ok=True)
                return target
            continue
        except FileNotFoundError:
            if not path.exists():
                raise _Gone from None
            raise
        if _shape(target) not in (expected, None):
            # Replaced between the look and the move: nobody has read this one yet, so it goes back.
            with contextlib.suppress(OSError):
                _rename(target, path)
            raise _Gone
        return target
    raise FileExistsError(path.name)


def _same_file(path: Path, target: Path) -> bool:
    try:
        return path.samefile(target)
    except OSError:
        return False


def _rename(path: Path, target: Path) -> None:
    """Raises FileExistsError where `target` is taken, in one step wherever the file system can do that."""
    if os.name == "nt":
        path.rename(target)
        return
    try:
        target.hardlink_to(path)
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError:
        # No hard links on this share: look, then move.
        if target.exists():
            raise FileExistsError(target.name) from None
        path.rename(target)
        return
    try:
        path.unlink()
    except FileNotFoundError:
        # Another PC moved it at the same moment: one copy is enough.
        target.unlink(missing_ok=True)
        raise
    except OSError:
        target.unlink(missing_ok=True)
        raise
