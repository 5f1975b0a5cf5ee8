"""A look at a ledger's counts and unsettled rows without opening it for work: for support, also beside a running program and
for a file that is damaged in parts. Nothing that a person or a vendor wrote is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import apsw

from desktop.services.ledger.errors import LedgerDamaged, LedgerTrouble

_PATIENCE_MS = 2_000


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A delivery that is neither confirmed nor cancelled. Times are UTC text."""

    order_id: str
    part: str
    n: int
    system: str
    state: str
    hold: str
    attempts: int
    faults: int
    person: bool
    created_at: str
    updated_at: str
    next_at: str | None


@dataclass(frozen=True, slots=True)
class Glimpse:
    schema: int
    states: dict[str, int]
    orders: int
    messages: int
    steps: int
    unsettled: tuple[Unsettled, ...]


def glimpse(path: Path, most: int) -> Glimpse:
    """Read-only. Raises LedgerDamaged for a file that can't be read, LedgerTrouble when it is locked or away."""
    try:
        db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    except apsw.Error as error:
        raise LedgerTrouble("The ledger can't be opened for reading.") from error
    try:
        db.set_busy_timeout(_PATIENCE_MS)
        db.execute("BEGIN")
        (schema,), (orders,), (messages,), (steps,) = (
            next(iter(db.execute(sql)))
            for sql in (
                "PRAGMA user_version",
                "SELECT count(*) FROM customer_order",
                "SELECT count(*) FROM message",
                "SELECT ifnull(max(seq), 0) FROM trail",
            )
        )
        states = {str(state): int(count) for state, count in db.execute("SELECT state, count(*) FROM delivery GROUP BY state")}
        rows = list(
            db.execute(
                "SELECT order_id, part, n, system, state, hold, attempts, faults, person, created_at, updated_at, next_at"
                " FROM delivery WHERE state NOT IN ('confirmed', 'cancelled') ORDER BY seq DESC LIMIT ?",
                (most,),
            )
        )
        unsettled = tuple(
            Unsettled(order, part, n, system, state, hold, attempts, faults, bool(person), created, updated, following)
            for order, part, n, system, state, hold, attempts, faults, person, created, updated, following in rows
        )
        return Glimpse(int(schema), states, int(orders), int(messages), int(steps), unsettled)
    except (apsw.BusyError, apsw.LockedError, apsw.IOError, apsw.CantOpenError) as error:
        raise LedgerTrouble("The ledger can't be read just now.") from error
    except apsw.Error as error:
        raise LedgerDamaged("The ledger can't be read.") from error
    finally:
        db.close()
