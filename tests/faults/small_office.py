"""One PC whose ledger lies on a disk that can fail, a day's work for it, and what it was told is done."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from desktop.services.delivery.courier import Courier
from desktop.services.infotrack.model import OrderMessage
from desktop.services.ledger.dispatch import Noted
from desktop.services.ledger.errors import LedgerTrouble
from desktop.services.ledger.facts import Posting
from desktop.services.ledger.ledger import Ledger
from tests.delivery.stand_in import Books, Clock, Office, fee, order, read_reference
from tests.faults.disk import Disk, MemoryVfs

RANK = {"held": 0, "queued": 0, "sending": 1, "unknown": 1, "accepted": 2, "confirmed": 3}
DAY: tuple[tuple[OrderMessage, ...], ...] = (
    (order("1", retailer=fee("10.00", "1.00"), supplier=fee("20.00"), sequence=1, hash="a1"),),
    (order("2", retailer=fee("7.50", "0.75"), sequence=2), order("3", number="J002", supplier=fee("3.00"), sequence=3)),
    (order("2", retailer=fee("9.50", "0.95"), sequence=4),),
)
"""Two matters, both codes, a document, and a price that changes."""

OWED = {"J001": Decimal("39.50"), "J002": Decimal("3.00")}


@dataclass
class Told:
    """What the ledger has said yes to: the orders taken, and how far each delivery had come."""

    orders: set[str] = field(default_factory=set)
    reached: dict[str, str] = field(default_factory=dict)

    def reach(self, key: str, state: str) -> None:
        if RANK[state] >= RANK[self.reached.get(key, "queued")]:
            self.reached[key] = state

    def missing(self, orders: set[str], states: dict[str, str]) -> list[str]:
        lost = sorted(self.orders - orders)
        return lost + [key for key, state in self.reached.items() if RANK[states.get(key, "queued")] < RANK[state]]


class _Noting:
    """The real ledger; what returned without an error is noted as promised."""

    def __init__(self, ledger: Ledger, told: Told) -> None:
        self._ledger, self._told = ledger, told

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def claim(self, key: str) -> Posting | None:
        found = self._ledger.claim(key)
        if found is not None:
            self._told.reach(key, "sending")
        return found

    def accepted(self, posting: Posting, remote_id: str) -> None:
        self._ledger.accepted(posting, remote_id)
        self._told.reach(posting.key, "accepted")

    def note_books(self, *args: Any, seen: Sequence[Any], **named: Any) -> Noted:
        noted = self._ledger.note_books(*args, seen=seen, **named)
        for one in seen:
            self._told.reach(one.key, "confirmed")
        return noted


@dataclass
class SmallOffice(Office):
    vfs: MemoryVfs | None = None
    reserve: int = 0
    told: Told = field(default_factory=Told)

    def start(self) -> None:
        random = Random(self.seed)
        self.real = Ledger.open(
            self.folder / "ledger.db",
            clock=self.clock,
            random=random,
            takeover=self.takeover,
            read_reference=read_reference,
            vfs=None if self.vfs is None else self.vfs.name,
        )
        self.ledger = _Noting(self.real, self.told)  # type: ignore[assignment]  # it passes everything on
        self.courier = Courier(
            self.ledger,
            connections=self.connections,
            lookup=self.lookup,
            sources=lambda: (),
            documents=lambda: self.files,
            settings=self.settings,
            read_reference=read_reference,
            random=random,
            sleep=lambda _seconds: None,
        )

    def day(self) -> None:
        """The day's work, going on after whatever the ledger can't note."""
        for messages in DAY:
            try:
                self.receive(*messages)
                self.told.orders.update(one.order_id for one in messages)
            except LedgerTrouble:
                pass
            self.courier.run_once()

    def finish(self) -> None:
        """Everything comes once more, as from a feed, and time passes until nothing is left to do."""
        for messages in DAY:
            self.receive(*messages)
        self.deliver_until(3600)


def started(folder: Path, vfs: MemoryVfs, disk: Disk, books: Books | None = None, told: Told | None = None) -> SmallOffice:
    vfs.disk = disk
    clock = Clock() if books is None else copy.copy(books.clock)
    mine = Books(clock) if books is None else copy_of(books, clock)
    return SmallOffice(folder, clock, mine, vfs=vfs, told=told or Told())


def copy_of(books: Books, clock: Clock) -> Books:
    return Books(
        clock,
        {matter: list(lines) for matter, lines in books.costs.items()},
        {matter: list(filed) for matter, filed in books.documents.items()},
        count=books.count,
    )


@dataclass
class Verdict:
    lost: list[str]
    sound: bool
    doubled: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return self.sound and not (self.lost or self.doubled or self.unfinished)


def judged(office: SmallOffice, *, finish: bool) -> Verdict:
    """What a start without faults finds, and (with `finish`) what a clean run makes of it."""
    ledger = office.real
    verdict = Verdict(office.told.missing({one.order_id for one in ledger.orders()}, office.states()), ledger.is_sound())
    if finish and verdict.is_good:
        office.finish()
        counted = Counter(office.books.posted_keys())
        verdict.doubled = [key for key, times in counted.items() if times > 1]
        # A line that was never sent may be replaced before its time by the later price; the sums tell whether that was right.
        ends = {"confirmed": 1, "cancelled": 0}
        verdict.unfinished = [key for key, state in office.states().items() if ends.get(state) != min(counted[key], 1)]
        verdict.unfinished += [number for number, owed in OWED.items() if office.books.sum_on(number) != owed]
        verdict.sound = ledger.is_sound()
    return verdict
