"""The picture of the books that is kept here: what the latest read of a matter showed under our keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import apsw

from desktop.services.ledger import rows
from desktop.services.ledger.charges import CENT
from desktop.services.ledger.facts import DOCUMENT_PART, Place, split_key, to_text
from desktop.services.ledger.model import DeliveryState
from desktop.services.practice.keys import file_word_in


@dataclass(frozen=True, slots=True)
class Seen:
    """One row of the books that carries one of our keys. Of a document `cost` is None, and `code` the word of its file (see
    keys.file_word), where its note has one."""

    key: str
    cost: Decimal | None
    code: str
    remote_id: str


def note_lines(db: apsw.Connection, place: Place, lines: dict[str, list[Seen]], *, documents: bool, read_at: datetime) -> set[str]:
    """Keeps the picture of the books' lines under our keys, this matter's and this kind's; gives the orders that it changed for."""
    kind = "part = 'D'" if documents else "part <> 'D'"
    where = f"system = ? AND tenant = ? AND matter_id = ? AND {kind}"
    address = (place.system, place.tenant, place.matter_id)
    before = {
        str(key): (cost, code, count)
        for key, cost, code, count in db.execute(f"SELECT key, cost, code, rows FROM book_line WHERE {where}", address)  # noqa: S608 - our own names and marks
    }
    surprised: set[str] = set()
    for key in before.keys() - lines.keys():
        db.execute(f"DELETE FROM book_line WHERE key = ? AND {where}", (key, *address))  # noqa: S608  # no outside text in it
    for key, found in lines.items():
        split = split_key(key)
        if split is None or (split[1] == DOCUMENT_PART) != documents:
            continue
        first = found[0]
        cost = None if first.cost is None else str(first.cost.quantize(CENT))
        code = " ".join(sorted({one.code for one in found if one.code})) if documents else first.code
        if before.get(key) == (cost, code, len(found)):
            continue
        db.execute(
            "INSERT INTO book_line (key, system, tenant, matter_id, order_id, part, n, cost, code, remote_id, rows, seen_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key, system, tenant, matter_id) DO UPDATE SET"
            " cost = excluded.cost, code = excluded.code, remote_id = excluded.remote_id, rows = excluded.rows",
            (key, *address, *split, cost, code, first.remote_id, len(found), to_text(read_at)),
        )
        # What was withdrawn here counts as a surprise when it turns up; `_found` sees to that.
        # A line that was read back here and has another amount now was changed by a person: nobody's message asks for more.
        # It matters only to a difference of the same fee that has not been sent yet.
        known = list(db.execute("SELECT cost IS ?, state, note FROM delivery WHERE key = ?", (cost, key)))
        expected = False
        for same_cost, state, note in known:
            by_hand = state == DeliveryState.CONFIRMED.value and not _has_open(db, split[0], split[1])
            other_files = set(code.split()) - {file_word_in(str(note))} if documents else set()
            expected = bool(same_cost or by_hand) and not other_files
        if not expected:
            surprised.add(split[0])
    return surprised


def _has_open(db: apsw.Connection, order_id: str, part: str) -> bool:
    return any(one.is_open for one in rows.postings(db, "order_id = ? AND part = ?", (order_id, part)))
