"""Whether time has truly passed, also over the end of the program: a quiet time is not over because a clock was set.

The ledger remembers how its clock stood to the time since the PC was switched on. While the two go on side by side, what the
clock says has passed. As soon as they do not (the clock was set, the PC was switched on anew, the profile lies on another PC),
nothing that was waited for before counts, and every wait begins anew at that moment.

A clock that is set every few minutes would so let no wait end. What this very process has seen to wait is therefore measured
by the PC's steady time as well: whatever the clock says, that has passed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import apsw

from desktop.services.ledger.facts import from_text, to_text

NOTICED = 5.0
"""Seconds; a smaller difference is a time server's usual correction."""

_CLOCK = "clock"
_READS = 256
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Uptime:
    """How long the PC has been on. `boot` tells one time from another where the system has a name for it, else it is empty."""

    boot: str
    seconds: float


def since_boot() -> float:
    """Seconds that pass whatever anybody sets the clock to, a PC's sleep among them where the system tells."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


def uptime() -> Uptime:
    """This PC's."""
    try:
        boot = _BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        boot = ""
    return Uptime(boot, since_boot())


def counted_from(db: apsw.Connection, now: datetime, on: Uptime) -> datetime:
    """The moment from which on the ledger's clock can be believed to have measured time: no wait that began before it has
    lasted longer than since then. Within the transaction that judges a wait, or begins one."""
    stands = now.timestamp() - on.seconds
    found = [str(row[0]) for row in db.execute("SELECT text FROM memory WHERE name = ?", (_CLOCK,))]
    if found:
        boot, stood, since = found[0].split("|")
        if boot == on.boot and abs(stands - float(stood)) <= NOTICED:
            return from_text(since)
    db.execute(
        "INSERT INTO memory (name, text) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET text = excluded.text",
        (_CLOCK, f"{on.boot}|{stands:.3f}|{to_text(now)}"),
    )
    return now


class Waits:
    """What has truly been waited for, for one process. Without `on` the clock is believed. Safe to use from several threads."""

    def __init__(self, on: Callable[[], Uptime] | None) -> None:
        self._on = on
        self._lock = threading.Lock()
        self._reads: dict[datetime, float] = {}
        self._began: dict[str, tuple[datetime, float]] = {}

    def counted_from(self, db: apsw.Connection, now: datetime) -> datetime | None:
        """See above; None where the clock is believed."""
        return None if self._on is None else counted_from(db, now, self._on())

    def read_begins(self, now: datetime) -> datetime:
        """`now`, at which a read of the books begins; it is remembered where the steady time stood then."""
        if self._on is not None:
            seconds = self._on().seconds
            with self._lock:
                # Of two that begin by the same reading of the clock the earlier one counts.
                self._reads[now] = min(seconds, self._reads.get(now, seconds))
                while len(self._reads) > _READS:
                    del self._reads[next(iter(self._reads))]
        return now

    def begins(self, name: str, moment: datetime) -> None:
        """The wait of that name that the ledger has begin at `moment` is measured from here on, unless it is already."""
        if self._on is None:
            return
        seconds = self._on().seconds
        with self._lock:
            if name not in self._began or self._began[name][0] != moment:
                self._began[name] = (moment, seconds)

    def forget(self, name: str) -> None:
        """A wait of that name that comes now is another one, whatever moment the clock says that it began at."""
        with self._lock:
            self._began.pop(name, None)

    def waited(self, name: str, moment: datetime, until: datetime | None = None) -> timedelta:
        """For how long this process has measured that wait, until now or the beginning of the read `until`; nothing where it
        can't tell, and never more than has passed since `moment`."""
        if self._on is None:
            return timedelta()
        seconds = self._on().seconds
        with self._lock:
            of, began = self._began.get(name, (None, 0.0))
            ended = seconds if until is None else self._reads.get(until, began)
            return timedelta(seconds=max(ended - began, 0.0)) if of == moment else timedelta()
