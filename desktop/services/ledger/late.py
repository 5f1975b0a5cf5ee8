"""Which matters are to be read again: for what may have landed late, ten minutes and a day after a line was confirmed; and for
what stands twice and waits for a person, until one of the lines is gone."""

from __future__ import annotations

from datetime import datetime, timedelta

import apsw

from desktop.services.ledger.facts import Place, from_text, to_text

LOOKS = (timedelta(minutes=10), timedelta(hours=24))
FORGOTTEN = timedelta(days=4)
"""A PC that was off for longer does not make up for it."""
STANDS_TWICE = timedelta(hours=1)
"""So often a matter is read on which somebody is to remove a line."""


def _name(place: Place) -> str:
    return f"looked again {place.system} {place.tenant} {place.matter_id}"


def due(db: apsw.Connection, system: str, tenant: str, now: datetime) -> tuple[tuple[Place, bool, bool], ...]:
    """The matters, and whether their costs and their documents are meant. One read of a matter serves all of its keys."""
    found: dict[str, tuple[Place, bool, bool]] = {}
    looked: dict[str, datetime | None] = {}
    recent = db.execute(
        "SELECT matter_id, matter_number, kind, seen_at, 0 FROM delivery WHERE state = 'confirmed' AND system = ? AND tenant = ?"
        " AND seen_at > ?",
        (system, tenant, to_text(now - FORGOTTEN)),
    )
    twice = db.execute(
        "SELECT matter_id, matter_number, kind, seen_at, 1 FROM delivery WHERE person = 1 AND state = 'confirmed'"
        " AND system = ? AND tenant = ?",
        (system, tenant),
    )
    for matter_id, number, kind, seen_at, person in (*recent, *twice):
        place = Place(system, tenant, str(matter_id), str(number))
        if place.matter_id not in looked:
            last = list(db.execute("SELECT text FROM memory WHERE name = ?", (_name(place),)))
            looked[place.matter_id] = from_text(str(last[0][0])) if last else None
        at, last_look = from_text(str(seen_at)), looked[place.matter_id]
        if person:
            # By a clock that was set back since nobody can tell how long ago the last look was.
            is_due = last_look is None or not timedelta() <= now - last_look < STANDS_TWICE
        else:
            is_due = any(at + wait <= now and (last_look is None or last_look < at + wait) for wait in LOOKS)
        if is_due:
            _, costs, documents = found.get(place.matter_id, (place, False, False))
            found[place.matter_id] = (place, costs or kind == "cost", documents or kind == "document")
    return tuple(found.values())


def look_soon(db: apsw.Connection, place: Place) -> None:
    """A person says that something there has changed."""
    db.execute("DELETE FROM memory WHERE name = ?", (_name(place),))


def looked_at(db: apsw.Connection, place: Place, read_at: datetime) -> None:
    db.execute(
        "INSERT INTO memory (name, text) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET text = excluded.text",
        (_name(place), to_text(read_at)),
    )
