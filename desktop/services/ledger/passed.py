"""Whether time has truly passed, also over the end of the program: a quiet time is not over because a clock was set.

The ledger remembers how its clock stood to the time since the PC was switched on. While the two go on side by side, what the
clock says has passed. As soon as they do not (the clock was set, the PC was switched on anew, the profile lies on another PC),
nothing that was waited for before counts, and every wait begins anew at that moment.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import apsw

from desktop.services.ledger.facts import from_text, to_text

NOTICED = 5.0
"""Seconds; a smaller difference is a time server's usual correction."""

_CLOCK = "clock"
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
