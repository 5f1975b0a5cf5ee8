"""How long the trail is kept, and how its oldest steps are purged so that the rest still proves itself.

A clock is not believed when something is erased on its word. What counts is what the trail itself shows has passed: the steps for
which a practice system had to answer, over a connection that a badly wrong clock does not get. A silence of more than half a year
shows nothing, and neither do steps that none followed two days later, or that were followed by earlier ones. So a clock that is
ahead purges nothing, and a program that was seldom used keeps its steps for longer than it must.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import apsw

from desktop.services.ledger import rows
from desktop.services.ledger.facts import BY_COURIER, from_text, to_text
from desktop.services.ledger.purged import AT_LEAST, PURGED, Purged, months_before, purged
from desktop.services.ledger.sealing import first_bad_link
from desktop.services.ledger.store import Store

CONFIRMED_AFTER = timedelta(days=2)
SILENCE = timedelta(days=183)

AT_ONCE = 50_000
"""Steps. More than that are purged in several goes, because others wait for the ledger meanwhile."""

_SHOWN = "SELECT seq, at FROM trail WHERE to_state IN ('accepted', 'confirmed') OR what = 'signed in' ORDER BY seq DESC"

_OPEN = (
    "SELECT min(seq) FROM trail WHERE order_id <> '' AND order_id IN ("
    "SELECT order_id FROM delivery WHERE state NOT IN ('confirmed', 'cancelled') OR person = 1"
    " UNION SELECT order_id FROM customer_order WHERE needs_plan = 1)"
)


def purge(store: Store, now: datetime, months: int) -> Purged | None:
    """Takes out the steps from the first on that are older than `months`, up to the first one of an order that is not settled, and
    writes a step that says so, in one transaction. Gives what that step says, or None when nothing is due. A trail that somebody
    changed is left as it is, for whoever finds out who it was.

    Raises ValueError for less than twelve months, and LedgerTrouble."""
    if months < AT_LEAST:
        raise ValueError(f"the trail is kept for {AT_LEAST} months or more, not {months}")
    with store.reading() as db:
        if not _last_due(db, now, months) or first_bad_link(db) is not None:
            return None
    with store.write() as db:
        # Another process may have been quicker.
        last = _last_due(db, now, months)
        if not last:
            return None
        before = purged(db)
        first_at = before.first_at if before is not None else _at(db, 1)
        link = str(next(iter(db.execute("SELECT hash FROM trail WHERE seq = ?", (last,))))[0])
        stub = Purged(last, first_at, _at(db, last), months, link)
        _erase(db, last)
        rows.write_step(db, now, PURGED, reason=str(stub), by=BY_COURIER)
    return stub


def _at(db: apsw.Connection, number: int) -> datetime:
    return from_text(str(next(iter(db.execute("SELECT at FROM trail WHERE seq = ?", (number,))))[0]))


def _erase(db: apsw.Connection, last: int) -> None:
    """The triggers that keep the trail from being shortened stand in the file for everybody else; they are off on this connection
    alone, for this one statement."""
    db.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
    try:
        db.execute("DELETE FROM trail WHERE seq <= ?", (last,))
    finally:
        db.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 1)


def _last_due(db: apsw.Connection, now: datetime, months: int) -> int:
    """The number of the last step to be purged; 0 for none."""
    shown = _shown_old(db, now, months)
    if shown is None:
        return 0
    last, cut = shown
    first = next(iter(db.execute("SELECT min(seq) FROM trail")))[0]
    young = next(iter(db.execute("SELECT seq FROM trail WHERE at >= ? ORDER BY seq LIMIT 1", (to_text(cut),))), None)
    unsettled = next(iter(db.execute(_OPEN)))[0]
    ends = [last, int(str(first)) + AT_ONCE - 1]
    ends += [int(str(one)) - 1 for one in (young[0] if young else None, unsettled) if one is not None]
    return min(ends) if min(ends) >= int(str(first)) else 0


def _shown_old(db: apsw.Connection, now: datetime, months: int) -> tuple[int, datetime] | None:
    """The newest step since which the trail shows that long a time, and the moment that is `months` before the last one that is
    beyond doubt. None where it shows too little."""
    newest: datetime | None = None
    later: datetime | None = None
    cut: datetime | None = None
    needed = passed = timedelta(0)
    for number, at in _never_after(db, now):
        newest = newest or at
        if cut is None:
            if newest - at < CONFIRMED_AFTER:
                continue
            cut = months_before(at, months)
            needed = at - cut
        elif later is not None and later - at <= SILENCE:
            passed += later - at
        later = at
        if passed >= needed:
            return number, cut
    return None


def _never_after(db: apsw.Connection, now: datetime) -> Iterator[tuple[int, datetime]]:
    """The steps that show a time, newest first, but for those that are dated later than one that came after them."""
    bound = now
    for number, text in db.execute(_SHOWN):
        at = from_text(str(text))
        if at <= bound:
            bound = at
            yield int(str(number)), at
