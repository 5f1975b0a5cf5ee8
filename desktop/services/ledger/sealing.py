"""The hashes that tie the trail's rows together."""

from __future__ import annotations

import hashlib

import apsw

from desktop.services.ledger.purged import newest_stub


def trail_link(before: object, *fields: object) -> str:
    """The hash of a row of the trail: over the hash before it and its own fields, each with its length."""
    digest = hashlib.sha256()
    for field in (before, *fields):
        raw = ("" if field is None else str(field)).encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "big"))
        digest.update(raw)
    return digest.hexdigest()


def first_bad_link(db: apsw.Connection) -> int | None:
    """The number of the first row of the trail that was changed, taken out or cut off; None when all is well. To be called
    inside a transaction where others write. Where the oldest were purged, the stub's hash stands for them; it is a row of the
    trail itself, so that one that was changed or forged does not fit."""
    before: str | None = None
    expected, head = 1, None
    stub = newest_stub(db)
    if stub is not None:
        before, expected = stub[1].hash, stub[1].last + 1
    for number, *fields, link in db.execute(
        "SELECT seq, at, order_id, key, what, from_state, to_state, reason, by, hash FROM trail ORDER BY seq"
    ):
        if number != expected or link != trail_link(before, *fields):
            return expected
        before, head, expected = str(link), f"{number} {link}", expected + 1
    noted = list(db.execute("SELECT value FROM meta WHERE name = 'trail_head'"))
    return None if (str(noted[0][0]) if noted else None) == head else expected
