"""A disk in memory under the real ledger: any call of it may fail, and the power may go at any moment.

What was written but not synced may be there, missing or torn after a cut, sector by sector; a file that was deleted may be back.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import apsw

SECTOR = 512
CHANGES = frozenset({"write", "sync", "truncate", "delete"})


@dataclass
class Stored:
    """One file: what a program sees, what is on the platter, and what lies between."""

    seen: bytearray = field(default_factory=bytearray)
    durable: bytes = b""
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)

    def write(self, offset: int, data: bytes) -> None:
        if len(self.seen) < offset:
            self.seen.extend(bytes(offset - len(self.seen)))
        self.seen[offset : offset + len(data)] = data
        self.pending.append((offset, data))

    def truncate(self, size: int) -> None:
        del self.seen[size:]
        self.pending.append((size, None))

    def sync(self) -> None:
        self.durable = bytes(self.seen)
        self.pending.clear()

    def after_cut(self, random: Random) -> bytes:
        """What a start after a power cut finds."""
        found = bytearray(self.durable)
        for offset, data in self.pending:
            if data is None:
                if random.random() < 0.5:
                    del found[offset:]
                continue
            start = 0
            while start < len(data):
                end = min(len(data), start + SECTOR - (offset + start) % SECTOR)
                fate = random.random()
                if fate < 0.6:
                    # One in six of those that arrive arrives in part.
                    until = end if fate < 0.5 else start + random.randrange(end - start)
                    if len(found) < offset + start:
                        found.extend(bytes(offset + start - len(found)))
                    found[offset + start : offset + until] = data[start:until]
                start = end
        return bytes(found)


@dataclass
class Disk:
    """`before` is asked before every call with its name; what it raises is the call's failure. `room` bounds all files."""

    files: dict[str, Stored] = field(default_factory=dict)
    deleted: dict[str, Stored] = field(default_factory=dict)
    before: Callable[[str], None] = lambda call: None
    room: Callable[[], int] | None = None

    def write(self, name: str, offset: int, data: bytes) -> None:
        more = offset + len(data) - len(self.files[name].seen)
        if self.room is not None and more > 0 and self.size() + more > self.room():
            raise apsw.FullError
        self.files[name].write(offset, data)

    def size(self) -> int:
        return sum(len(one.seen) for one in self.files.values())

    def delete(self, name: str) -> None:
        gone = self.files.pop(name, None)
        if gone is not None:
            self.deleted[name] = gone

    def sync(self, name: str) -> None:
        self.files[name].sync()
        self.deleted.clear()

    def snapshot(self) -> Disk:
        return Disk(copy.deepcopy(self.files), copy.deepcopy(self.deleted))

    def after_cut(self, random: Random) -> Disk:
        found = {name: one.after_cut(random) for name, one in self.files.items()}
        for name, one in self.deleted.items():
            if name not in found and random.random() < 0.5:
                found[name] = one.after_cut(random)
        return Disk({name: Stored(bytearray(content), content) for name, content in found.items()})


class _File:
    """An open file, as SQLite calls it."""

    def __init__(self, vfs: MemoryVfs, name: str) -> None:
        self._disk, self._name = vfs.disk, name

    def excepthook(self, *_: Any) -> None:
        pass

    @property
    def _stored(self) -> Stored:
        return self._disk.files[self._name]

    def xRead(self, amount: int, offset: int) -> bytes:
        self._disk.before("read")
        return bytes(self._stored.seen[offset : offset + amount])

    def xWrite(self, data: Any, offset: int) -> None:
        self._disk.before("write")
        self._disk.write(self._name, offset, bytes(data))

    def xTruncate(self, size: int) -> None:
        self._disk.before("truncate")
        self._stored.truncate(size)

    def xSync(self, flags: int) -> None:
        self._disk.before("sync")
        self._disk.sync(self._name)

    def xFileSize(self) -> int:
        self._disk.before("size")
        return len(self._stored.seen)

    def xClose(self) -> None:
        pass

    def xLock(self, level: int) -> None:
        pass

    def xUnlock(self, level: int) -> None:
        pass

    def xCheckReservedLock(self) -> bool:
        return False

    def xFileControl(self, op: int, pointer: int) -> bool:
        return False

    def xSectorSize(self) -> int:
        return SECTOR

    def xDeviceCharacteristics(self) -> int:
        return int(apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE)


class MemoryVfs(apsw.VFS):
    """Keeps every file in `disk`, which tests replace."""

    def __init__(self, name: str) -> None:
        self.name, self.disk = name, Disk()
        super().__init__(name, "")

    def excepthook(self, *_: Any) -> bool:
        return True

    def xOpen(self, name: Any, flags: list[int]) -> Any:
        self.disk.before("open")
        path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        self.disk.files.setdefault(path, Stored())
        flags[1] = flags[0]
        return _File(self, path)

    def xAccess(self, pathname: str, flags: int) -> bool:
        self.disk.before("access")
        return pathname in self.disk.files

    def xDelete(self, filename: str, syncdir: bool) -> None:
        self.disk.before("delete")
        self.disk.delete(filename)
        if syncdir:
            self.disk.deleted.clear()


def _alone(db: apsw.Connection) -> None:
    # Memory can't be shared between processes, and the write-ahead log needs that unless there is but one.
    db.pragma("locking_mode", "exclusive")


_KEPT: list[MemoryVfs] = []
"""A collected VFS may still be asked by a connection that is collected with it, at any moment of any later test."""


@contextmanager
def memory_vfs(name: str) -> Iterator[MemoryVfs]:
    vfs = MemoryVfs(name)
    _KEPT.append(vfs)
    apsw.connection_hooks.append(_alone)
    try:
        yield vfs
    finally:
        apsw.connection_hooks.remove(_alone)
        vfs.unregister()


@dataclass
class Fails:
    """Fails the n-th of the calls that count, once or from there on."""

    at: int
    error: type[apsw.Error] = apsw.IOError
    for_good: bool = False
    only: frozenset[str] | None = None
    calls: int = 0
    hits: int = 0

    def __call__(self, call: str) -> None:
        if self.only is not None and call not in self.only:
            return
        self.calls += 1
        if self.calls == self.at or (self.for_good and self.calls > self.at):
            self.hits += 1
            raise self.error


def file_of(folder: Path) -> str:
    return str(folder / "ledger.db")
