"""One PC of the simulated firm: the real ledger, courier, budget and adapter on a clock, a disk and a line of our making."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, cast

import apsw

from desktop.services.delivery.courier import Courier
from desktop.services.delivery.steady import SteadyClock
from desktop.services.errors import NotSent, SignedOut
from desktop.services.http import Answer, Http
from desktop.services.infotrack.inbox import FeedCursor, Inbox
from desktop.services.infotrack.model import FetchedFile, Incoming, OrderMessage, RetailerReference, Source
from desktop.services.ledger.ledger import Ledger
from desktop.services.ledger.model import Suggestion
from desktop.services.ledger.passed import Uptime
from desktop.services.ledger.reserve import LARGEST, SMALLEST, Reserve
from desktop.services.practice.model import Matter
from desktop.services.practice.practice_system import CallGate, PracticeSystem
from desktop.services.practice_systems import SYSTEMS
from desktop.settings import Settings
from tests.faults.disk import Disk, MemoryVfs, Stored, _alone

START = datetime(2026, 3, 4, 1, 0, tzinfo=UTC)
MOST_PCS = 2


class Crash(BaseException):
    """The process dies here."""


class WallClock:
    """What the PC believes the time is: the true time, and what somebody set it to besides."""

    def __init__(self) -> None:
        self.true = 0.0
        self.offset = 0.0

    def __call__(self) -> datetime:
        return START + timedelta(seconds=self.true + self.offset)


class _Stored(Stored):
    """A file whose sync costs what was written, not what the file holds."""

    def sync(self) -> None:
        durable: Any = self.durable
        if not isinstance(durable, bytearray):
            durable = bytearray(durable)
        for offset, data in self.pending:
            if data is None:
                del durable[offset:]
                continue
            if len(durable) < offset:
                durable.extend(bytes(offset - len(durable)))
            durable[offset : offset + len(data)] = data
        self.durable = durable
        self.pending.clear()


class _Vfs(MemoryVfs):
    def xOpen(self, name: Any, flags: list[int]) -> Any:
        path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        self.disk.files.setdefault(path, _Stored())
        return super().xOpen(name, flags)


def _quick(disk: Disk) -> Disk:
    return Disk({name: _Stored(one.seen, one.durable, one.pending) for name, one in disk.files.items()}, disk.deleted)


class Seat:
    """What a process keeps for its n-th PC over many seeds: a VFS, a path, and the bytes of a ledger just made."""

    def __init__(self, index: int, folder: Path) -> None:
        self.index = index
        self.path = folder / f"pc{index}" / "ledger.db"
        self.vfs = _Vfs(f"simulated-{index}")
        ledger = Ledger.open(self.path, clock=lambda: START, random=Random(index), vfs=self.vfs.name)
        self.installation = ledger.installation
        ledger.close()
        self.path.with_name("ledger.db.reserve").unlink(missing_ok=True)
        self.template = self.vfs.disk


_SEATS: list[Seat] = []


@contextlib.contextmanager
def seats() -> Iterator[Sequence[Seat]]:
    """The seats of this process, made once. Keeps SQLite's locking to what a disk in memory can do."""
    if not _SEATS:
        folder = Path(tempfile.mkdtemp(prefix="iconnect-simulation-"))
        apsw.connection_hooks.append(_alone)
        try:
            _SEATS.extend(Seat(index, folder) for index in range(MOST_PCS))
        finally:
            apsw.connection_hooks.remove(_alone)
    apsw.connection_hooks.append(_alone)
    try:
        yield _SEATS
    finally:
        apsw.connection_hooks.remove(_alone)


def leave_seats() -> None:
    """Removes what the seats left on the real disk."""
    for seat in _SEATS:
        seat.vfs.unregister()
        shutil.rmtree(seat.path.parent, ignore_errors=True)
        with contextlib.suppress(OSError):
            seat.path.parent.parent.rmdir()
    _SEATS.clear()


class MemoryReserve(Reserve):
    """The room that is kept for what is under way, on the simulated disk."""

    def __init__(self, disk: Disk, path: Path) -> None:
        super().__init__(path)
        self.disk, self.kept = disk, 0

    def size(self) -> int:
        return self.kept

    def keep(self) -> None:
        wanted = min(max(2 * self.disk.size(), SMALLEST), LARGEST)
        if self.kept >= wanted:
            return
        if self.disk.room is not None and self.disk.size() + wanted - self.kept > self.disk.room():
            self.release()
            raise OSError("full")
        self.kept = wanted

    def release(self) -> None:
        self.kept = 0


@dataclass
class Tokens:
    """The sign-in to one tenant. `turned_away`: so many calls are answered 401 before a fresher token is there."""

    tenant: str
    ended: bool = False
    renewed: int = 0

    def token(self) -> str:
        if self.ended:
            raise SignedOut("The sign-in has ended.")
        return f"token-{self.renewed}"

    def rejected(self, token: str) -> str:
        self.renewed += 1
        return self.token()


class Line:
    """In place of the HTTP client: hands each request to the world."""

    def __init__(self, carry: Callable[[str, str, Mapping[str, str], bytes | None], Answer]) -> None:
        self._carry = carry

    def send(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None, **_: object
    ) -> Answer:
        return self._carry(method, url, headers or {}, body)


@dataclass
class Feed:
    """InfoTrack's messages as this PC gets them: at least once, from a cursor on."""

    messages: list[OrderMessage]
    chance: Random
    trouble: float = 0.0
    name: str = "feed"

    def collect(self, inbox: Inbox) -> int:
        if self.trouble and self.chance.random() < self.trouble:
            raise NotSent("The feed could not be reached.")
        start = int(inbox.cursor(self.name) or 0)
        upto = len(self.messages)
        if start == upto:
            return 0
        new = [Incoming(message, b"raw", Source.FEED) for message in self.messages[start:upto]]
        return inbox.record(new, cursor=FeedCursor(self.name, str(upto)))


@dataclass
class Files:
    chance: Random
    trouble: float = 0.0

    def fetch(self, download_url: str) -> FetchedFile:
        if self.trouble and self.chance.random() < self.trouble:
            raise NotSent("The file could not be fetched.")
        return FetchedFile(content_of(download_url), ".pdf", "application/pdf")


def content_of(download_url: str) -> bytes:
    return b"%PDF-1.7 " + download_url.encode()


@dataclass
class Matters:
    known: Sequence[Matter]

    def by_id(self, system: str, matter_id: str) -> Matter | None:
        return next((one for one in self.known if (one.system, one.id) == (system, matter_id)), None)

    def by_number(self, number: str) -> tuple[Matter, ...]:
        return tuple(one for one in self.known if one.number.casefold() == number.strip().casefold())

    def ask(self, system: str, number: str) -> Matter | None:
        return None

    def suggestions(self, message: OrderMessage, limit: int = 5) -> tuple[Suggestion, ...]:
        return ()


def read_reference(text: str) -> RetailerReference | None:
    """The mark of contracts, section 5, as it reads."""
    head, _, rest = text.partition("|")
    tag, _, installation = head.partition("_")
    system, _, matter_id = rest.partition("|")
    return RetailerReference(tag, installation, system, matter_id) if tag == "ICONNECT1" and matter_id else None


@dataclass
class Pc:
    """`carry` takes its requests; `pass_time` lets true time pass."""

    index: int
    seat: Seat
    clock: WallClock
    chance: Random
    settings: Settings
    takeover: timedelta
    system: str
    tenants: Sequence[str]
    matters: Matters
    feed: Feed
    files: Files
    carry: Callable[[Pc, str, str, Mapping[str, str], bytes | None], Answer]
    pass_time: Callable[[float], None]
    steady: bool = True
    boots: int = 0
    booted_at: float = 0.0
    dead: bool = False
    asleep: bool = False
    signed_in: set[str] = field(default_factory=set)
    tokens: dict[str, Tokens] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.signed_in = {self.tenants[0]}
        self.seat.vfs.disk = self.seat.template.snapshot()
        self.start()

    @property
    def disk(self) -> Disk:
        return self.seat.vfs.disk

    def start(self) -> None:
        """The program begins: everything but the disk is new."""
        self.dead = False
        self.tokens = {tenant: Tokens(tenant) for tenant in self.tenants}
        random = Random(self.chance.random())
        patience = self.settings.delivery
        hold = timedelta(seconds=patience.quiet_seconds + 2 * patience.reread_seconds + patience.read_timeout_seconds)
        now: Callable[[], datetime] = self.clock
        on: Callable[[], Uptime] | None = None
        if self.steady:
            now = SteadyClock(hold, wall=self.clock, elapsed=lambda: self.clock.true)
            on = self._uptime
        self.ledger = Ledger.open(
            self.seat.path,
            clock=now,
            random=random,
            takeover=self.takeover,
            read_reference=read_reference,
            vfs=self.seat.vfs.name,
            uptime=on,
        )
        self.ledger._store.reserve = self.reserve = MemoryReserve(self.disk, self.seat.path)
        line = Line(lambda method, url, headers, body: self.carry(self, method, url, headers, body))
        self.practices = {tenant: self._practice(line, tenant, random) for tenant in self.tenants}
        self.courier = Courier(
            self.ledger,
            connections=self,
            lookup=self.matters,
            sources=lambda: (self.feed,),
            documents=lambda: self.files,
            settings=self.settings,
            read_reference=read_reference,
            random=random,
            sleep=self.pass_time,
        )

    def _uptime(self) -> Uptime:
        return Uptime(f"boot {self.boots}", self.clock.true - self.booted_at)

    def _practice(self, line: Line, tenant: str, random: Random) -> PracticeSystem:
        known = SYSTEMS[self.system]
        account: Callable[..., CallGate] = known.account
        gate = account(clock=self.clock, wait=self._wait, chance=random)
        return known.make(cast(Http, line), self.tokens[tenant], gate, self.settings, clock=self.clock)

    def _wait(self, changed: threading.Condition, seconds: float) -> None:
        self.pass_time(max(seconds, 0.001))

    def practice(self, system: str, tenant: str) -> PracticeSystem | None:
        return self.practices.get(tenant) if tenant in self.signed_in else None

    def connected(self) -> tuple[tuple[str, str], ...]:
        return tuple((self.system, tenant) for tenant in sorted(self.signed_in))

    def restart(self, *, power_cut: bool = False) -> None:
        """The process ends wherever it is and another begins: on all that was written, or, after a power cut, on what was
        synced and some of the rest."""
        old = self.disk
        old.before = lambda call: None
        after = _quick(old.after_cut(self.chance)) if power_cut else old.snapshot()
        if power_cut:
            self.boots, self.booted_at = self.boots + 1, self.clock.true
        # What the old process's connection does while it is taken apart happens to a disk that nobody reads any more.
        with contextlib.suppress(Exception):
            self.ledger.close()
        self.seat.vfs.disk = after
        self.start()

    def close(self) -> None:
        self.disk.before = lambda call: None
        self.disk.room = None
        self.ledger.close()

    def fails_from(self, call: int, *, dies: bool) -> None:
        """The disk's so-manieth call from now on fails; with `dies` that is the process's end."""
        left = call

        def before(name: str) -> None:
            nonlocal left
            left -= 1
            if self.dead or left == 0:
                self.dead = self.dead or dies
                raise apsw.IOError

        self.disk.before = before

    def fill_up(self) -> None:
        """Not a byte more, but what the reserve gives back."""
        disk, reserve = self.disk, self.reserve
        most = disk.size() + reserve.kept
        disk.room = lambda: most - reserve.kept

    def has_room(self) -> None:
        self.disk.room = None
