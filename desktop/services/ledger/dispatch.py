"""What the courier does to deliveries: claim, settle, and judge by what a read of the books showed.

Each function is one step of one transaction; none of them touches the network.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import apsw

from desktop.services.ledger import rows
from desktop.services.ledger.book_lines import Seen, note_lines
from desktop.services.ledger.charges import CENT, gst_within
from desktop.services.ledger.document_copies import copies_in, gives_way, of_its_file
from desktop.services.ledger.facts import (
    BY_COURIER,
    BY_PERSON,
    FILED,
    NewPosting,
    OrderFacts,
    Place,
    Plan,
    Posting,
    delivery_key,
    from_text,
    split_key,
    to_text,
)
from desktop.services.ledger.model import DeliveryKind, DeliveryState
from desktop.services.ledger.passed import Waits
from desktop.services.ledger.wording import document_note

_S = DeliveryState
HOLD_RESTORED = "restored"
SENT_BEFORE = "may have been sent before"
"""Under this name a restored ledger remembers when it was restored."""

QUIET = "quiet seconds"
DEFAULT_QUIET = 180.0
CLOCK_BELIEVED = Waits(None)
LOOKED_FOR_AGAIN = timedelta(minutes=15)
NOTHING_RESTS_LONGER = timedelta(hours=25)
"""A vendor's longest «later» is a day."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long after the last possible send "absent" may be believed, and how far apart the two reads are."""

    quiet: timedelta
    reread: timedelta


@dataclass(frozen=True, slots=True)
class Noted:
    """What a read brought to light. `surprised`: orders for which the books hold something else than was known here; they
    must be planned again before more of theirs is sent. `others`: orders of which another PC has posted something lately."""

    surprised: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


def apply_plan(db: apsw.Connection, facts: OrderFacts, plan: Plan, now: datetime, by: str) -> None:
    """Makes the order's rows what `plan` says. `facts` must have been read in the same transaction."""
    order_id, take_over_at = facts.order_id, facts.take_over_at
    found = {posting.key: posting for posting in facts.postings}
    for withdrawn in plan.withdrawn:
        rows.change(db, found[withdrawn.key], now, state=_S.CANCELLED, by=by, reason=withdrawn.reason, hold="", next_at=None)
    for reheld in plan.reheld:
        posting, place = found[reheld.key], reheld.place
        rows.change(
            db,
            posting,
            now,
            state=_S.HELD if reheld.hold else _S.QUEUED,
            by=by,
            system=place.system,
            tenant=place.tenant,
            matter_id=place.matter_id,
            matter_number=place.matter_number,
            hold=reheld.hold,
            reason=reheld.reason or _left_to_others(take_over_at, now),
            next_at=_first_try(reheld.hold, take_over_at, now),
        )
    for new in plan.added:
        _insert(db, order_id, new, now, take_over_at, by)


def _left_to_others(take_over_at: datetime | None, now: datetime) -> str:
    if take_over_at is None or take_over_at <= now:
        return ""
    return "Left for a while to the PC that it was ordered on."


def _first_try(hold: str, take_over_at: datetime | None, now: datetime) -> str | None:
    if hold:
        return None
    return to_text(take_over_at if take_over_at is not None and take_over_at > now else now)


_INSERTED = (
    "key, kind, order_id, part, n, system, tenant, matter_id, matter_number, state, amount, gst, cost, gst_included, taxed, code,"
    " description, price, on_day, billable, note, title, folder, file_name, file_mark, file_message, download_url, hold, reason,"
    " undo, next_at, by, created_at, updated_at"
)
_INSERT = f"INSERT INTO delivery ({_INSERTED}) VALUES (:{_INSERTED.replace(', ', ', :')})"  # noqa: S608  # names are ours


def decided(key: str) -> str:
    """Under this name a restored ledger remembers that a person had cancelled a delivery that it has not planned yet."""
    return f"cancelled before {key}"


def note_quiet(db: apsw.Connection, quiet: timedelta) -> None:
    """How long a send may be on its way, for whoever has to judge it without knowing the settings."""
    _remember(db, QUIET, str(quiet.total_seconds()))


def _remember(db: apsw.Connection, name: str, text: str) -> None:
    db.execute("INSERT INTO memory (name, text) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET text = excluded.text", (name, text))


def _may_still_land(db: apsw.Connection, now: datetime, since: datetime | None, waits: Waits) -> datetime | None:
    """After a restore, until when something that was sent before it may land: nothing is sent before. None: any time."""
    found = {
        str(name): str(text)
        for name, text in db.execute("SELECT name, text FROM memory WHERE name IN (?, ?)", (SENT_BEFORE, QUIET))
    }
    if SENT_BEFORE not in found:
        return None
    restored_at, quiet = from_text(found[SENT_BEFORE]), timedelta(seconds=float(found.get(QUIET, DEFAULT_QUIET)))
    waits.begins(SENT_BEFORE, restored_at)
    left = min(_later(restored_at, since) - now + quiet, quiet - waits.waited(SENT_BEFORE, restored_at))
    if left > timedelta():
        return now + left
    db.execute("DELETE FROM memory WHERE name = ?", (SENT_BEFORE,))
    return None


def _later(moment: datetime, since: datetime | None) -> datetime:
    """A wait that began at `moment` counts from here on (see passed.counted_from)."""
    return moment if since is None else max(moment, since)


def _insert(db: apsw.Connection, order_id: str, new: NewPosting, now: datetime, take_over_at: datetime | None, by: str) -> None:
    key = delivery_key(order_id, new.part, new.n)
    if list(db.execute("SELECT 1 FROM memory WHERE name = ?", (decided(key),))):
        new = replace(
            new,
            hold=new.hold or HOLD_RESTORED,
            reason=new.reason
            or "You had cancelled this before the ledger had to be restored. Approve it if it should be posted all the same.",
        )
    values = {
        "key": key,
        "kind": new.kind.value,
        "order_id": order_id,
        "part": new.part,
        "n": new.n,
        "system": new.place.system,
        "tenant": new.place.tenant,
        "matter_id": new.place.matter_id,
        "matter_number": new.place.matter_number,
        "state": (_S.HELD if new.hold else _S.QUEUED).value,
        "amount": None if new.amount is None else str(new.amount.quantize(CENT)),
        "gst": None if new.gst is None else str(new.gst.quantize(CENT)),
        "cost": None if new.cost is None else str(new.cost.quantize(CENT)),
        "gst_included": int(new.gst_included),
        "taxed": int(new.taxed),
        "code": new.code,
        "description": new.description,
        "price": None if new.price is None else str(new.price),
        "on_day": None if new.on is None else new.on.isoformat(),
        "billable": int(new.billable),
        "note": new.note,
        "title": new.title,
        "folder": new.folder,
        "file_name": new.file_name,
        "file_mark": new.file_mark,
        "file_message": new.file_message,
        "download_url": new.download_url,
        "hold": new.hold,
        "reason": new.reason or _left_to_others(take_over_at, now),
        "undo": new.undo,
        "next_at": _first_try(new.hold, take_over_at, now),
        "by": by,
        "created_at": to_text(now),
        "updated_at": to_text(now),
    }
    db.execute(_INSERT, values)


def orphans(db: apsw.Connection, now: datetime, patience: Patience, *, but: Collection[tuple[str, str]] = ()) -> int:
    """A delivery found `sending` by the only one who may send was left by a process that died: its fate is unknown. `but`:
    (system, tenant) pairs that it is sending to at this moment."""
    found = [one for one in rows.postings(db, "state = 'sending'") if (one.place.system, one.place.tenant) not in but]
    for posting in found:
        rows.change(
            db,
            posting,
            now,
            state=_S.UNKNOWN,
            by=BY_COURIER,
            touched=1,
            reason="iConnect stopped while this was being sent; the matter is read to find out.",
            sent_at=to_text(now),
            absent_at=None,
            next_at=to_text(now + patience.quiet),
        )
    return len(found)


def bring_near(db: apsw.Connection, now: datetime) -> None:
    """After a clock that was ahead has been set right: what it put off is due. The waits proper are judged when it is read."""
    db.execute(
        "UPDATE delivery SET next_at = ?1 WHERE state IN ('queued', 'unknown', 'accepted') AND next_at > ?2",
        (to_text(now), to_text(now + NOTHING_RESTS_LONGER)),
    )


def claim(
    db: apsw.Connection, key: str, now: datetime, since: datetime | None = None, waits: Waits = CLOCK_BELIEVED
) -> Posting | None:
    """Marks a delivery as being sent. None when it is no longer there to be sent: moved, cancelled, or its order is to be
    planned anew first. `since`: no wait counts from before."""
    found = rows.postings(
        db,
        "key = ? AND state = 'queued' AND seen_at IS NULL AND EXISTS (SELECT 1 FROM customer_order AS o"
        " WHERE o.order_id = delivery.order_id AND o.needs_plan = 0 AND o.matter_id = delivery.matter_id"
        " AND o.tenant = delivery.tenant AND o.system = delivery.system)",
        (key,),
    )
    if not found:
        return None
    posting = found[0]
    until = _may_still_land(db, now, since, waits)
    if until is not None:
        rows.change(
            db, posting, now, by=BY_COURIER, next_at=to_text(until),
            reason="The ledger was restored; nothing is sent until what was sent before it must have landed.",
        )  # fmt: skip
        return None
    waits.forget(_sent(key))
    rows.change(
        db,
        posting,
        now,
        state=_S.SENDING,
        by=BY_COURIER,
        attempts=posting.attempts + 1,
        sent_at=to_text(now),
        absent_at=None,
        reason="",
        next_at=None,
    )
    return rows.postings(db, "key = ?", (key,))[0]


def accepted(db: apsw.Connection, posting: Posting, now: datetime, remote_id: str) -> None:
    rows.change(
        db, posting, now, state=_S.ACCEPTED, by=BY_COURIER, touched=1, remote_id=remote_id or posting.remote_id,
        sent_at=to_text(now), next_at=to_text(now), reason="", undo=posting.undo,
    )  # fmt: skip


def lost(db: apsw.Connection, posting: Posting, now: datetime, reason: str, patience: Patience) -> None:
    """Sent, and no believable answer: it may be done."""
    rows.change(
        db, posting, now, state=_S.UNKNOWN, by=BY_COURIER, touched=1, reason=reason, sent_at=to_text(now), absent_at=None,
        faults=posting.faults + 1, fault_since=to_text(posting.fault_since or now), next_at=to_text(now + patience.quiet),
    )  # fmt: skip


def refused(db: apsw.Connection, posting: Posting, now: datetime, reason: str, *, hold: str = "") -> None:
    """The remote said no. With `hold` it waits for a person as held instead of rejected."""
    state = _S.HELD if hold else _S.REJECTED
    rows.change(db, posting, now, state=state, by=BY_COURIER, touched=1, reason=reason, hold=hold, next_at=None)
    if not hold and keeps_back(db, posting):
        db.execute("UPDATE customer_order SET needs_plan = 1 WHERE order_id = ?", (posting.order_id,))


def not_done(db: apsw.Connection, posting: Posting, now: datetime, reason: str, next_at: datetime, *, fault: bool) -> None:
    """Proved not done. Without `fault` it costs no attempt (a limit, a lapsed sign-in)."""
    rows.change(
        db,
        posting,
        now,
        state=_S.QUEUED,
        by=BY_COURIER,
        reason=reason,
        next_at=to_text(next_at),
        attempts=posting.attempts if fault else posting.attempts - 1,
        faults=posting.faults + fault,
        fault_since=to_text(posting.fault_since or now) if fault else rows.text_of(posting.fault_since),
    )


def wake(db: apsw.Connection, system: str, tenant: str, at: datetime) -> None:
    """Brings forward what was tried and could not leave this PC. A file that could not be fetched is InfoTrack's matter."""
    db.execute(
        "UPDATE delivery SET next_at = ?1 WHERE state = 'queued' AND system = ?2 AND tenant = ?3 AND next_at > ?1"
        " AND faults > 0 AND attempts > 0 AND deferred = 0"
        " AND (kind = 'cost' OR EXISTS (SELECT 1 FROM body WHERE body.key = delivery.key))",
        (to_text(at), system, tenant),
    )


def to_person(db: apsw.Connection, posting: Posting, now: datetime, hold: str, reason: str) -> None:
    """Takes a queued delivery out of the queue until a person has looked."""
    rows.change(db, posting, now, state=_S.HELD, by=BY_COURIER, hold=hold, reason=reason, next_at=None)


# what a read of the books showed


def note_books(
    db: apsw.Connection,
    place: Place,
    *,
    documents: bool,
    seen: Sequence[Seen],
    read_at: datetime,
    now: datetime,
    patience: Patience,
    since: datetime | None = None,
    waits: Waits = CLOCK_BELIEVED,
) -> Noted:
    """Takes in one whole read of a matter's costs (or documents), begun at `read_at`. `since`: no wait counts from before, by
    the clock; `waits`: what this process has measured itself."""
    lines: dict[str, list[Seen]] = {}
    for one in seen:
        if split_key(one.key) is not None:
            lines.setdefault(one.key, []).append(one)
    surprised = note_lines(db, place, lines, documents=documents, read_at=read_at)
    others = set(surprised)
    kind = DeliveryKind.DOCUMENT if documents else DeliveryKind.COST
    copies = copies_in(lines) if documents else {}
    doubled = {key for key, found in lines.items() if len(found) > 1} | {
        one.key for found in copies.values() if len(found) > 1 for one in found
    }
    for posting in rows.postings(
        db,
        # What was confirmed for good and stands once more is most of an old matter; nothing follows from it.
        "system = ? AND tenant = ? AND matter_id = ? AND kind = ?"
        " AND (state <> 'confirmed' OR person = 1 OR touched = 0 OR key IN (SELECT value FROM json_each(?)))",
        (place.system, place.tenant, place.matter_id, kind.value, json.dumps(sorted(doubled))),
    ):
        same_key = lines.get(posting.key, ())
        found = of_its_file(posting, same_key, copies)
        if not found and same_key and gives_way(posting, copies):
            _take_for_anothers(db, posting, same_key[0], now)
            surprised.add(posting.order_id)
            others.add(posting.order_id)
        elif found:
            # A double of what was sent a moment ago is another PC's as well.
            if not posting.touched or (len(found) > 1 and posting.state is not _S.CONFIRMED):
                others.add(posting.order_id)
            if _found(db, posting, found, now):
                surprised.add(posting.order_id)
        else:
            _absent(db, posting, read_at, now, patience, since, waits)
    return Noted(tuple(sorted(surprised)), tuple(sorted(others)))


def _take_for_anothers(db: apsw.Connection, posting: Posting, filed: Seen, now: datetime) -> None:
    """Its number belongs to another version, which another PC has filed: the row stands for that one from now on, and its own
    version is planned anew."""
    db.execute("DELETE FROM body WHERE key = ?", (posting.key,))
    rows.change(
        db, posting, now, state=_S.CONFIRMED, by=BY_COURIER, touched=1, seen_at=to_text(now), remote_id=filed.remote_id, person=0,
        reason="Another PC has filed another version of the document under this number.", hold="", faults=0, fault_since=None,
        absent_at=None, next_at=None, file_mark=f"{FILED}{filed.code}", file_message=None, download_url="",
        note=document_note(posting.key, filed.code),
    )  # fmt: skip


def _found(db: apsw.Connection, posting: Posting, found: Sequence[Seen], now: datetime) -> bool:
    """The key is in the books. True when it stands there for another amount than was known here."""
    first = found[0]
    twice = "" if len(found) == 1 else _told_twice(found)
    # Of a double that two PCs made, a person may have left the other's line.
    was_double = posting.state is _S.CONFIRMED and posting.person and not twice
    if posting.state in (_S.CONFIRMED, _S.SENDING) and not was_double:
        if posting.state is _S.CONFIRMED and (posting.person != bool(twice) or (twice and posting.reason != twice)):
            rows.change(db, posting, now, by=BY_COURIER, person=int(bool(twice)), reason=twice)
        return False
    if posting.cancelled_by_person:
        where = posting.place.matter_number
        undo = f"You cancelled it, but it stands in the books of {where}. Undo it there by hand if it should not."
        if posting.undo != undo:
            rows.change(db, posting, now, by=BY_COURIER, undo=undo, remote_id=first.remote_id)
        return False
    withdrawn = posting.state is _S.CANCELLED
    # A line that another PC posted may stand under the other of the two codes; a system that shows no code says nothing.
    other_cost = posting.cost is not None and first.cost is not None and first.cost.quantize(CENT) != posting.cost
    was_sent = posting.state in (_S.UNKNOWN, _S.ACCEPTED) or (posting.state is _S.QUEUED and posting.touched)
    is_ours = was_sent and not other_cost
    other_code = not is_ours and posting.cost is not None and _is_another_code(first.code, posting.code)
    adopted = other_code or other_cost
    columns: dict[str, str | int | None] = {}
    reason = twice
    if adopted and first.cost is not None:
        cost = first.cost.quantize(CENT)
        taxed = posting.taxed != other_code
        gst = gst_within(cost, taxed=taxed, gst_included=posting.gst_included)
        columns = {
            "cost": str(cost),
            "gst": str(gst),
            "amount": str(cost - gst if posting.gst_included else cost),
            "code": first.code if other_code else posting.code,
            "taxed": int(taxed),
        }
        reason = twice or f"The books hold {cost} under this key; that is what counts."
    elif was_double:
        reason = ""
    elif not posting.touched:
        reason = twice or "It was in the books already."
    rows.change(
        db,
        posting,
        now,
        state=_S.CONFIRMED,
        by=BY_COURIER,
        touched=1,
        seen_at=to_text(now),
        remote_id=first.remote_id or posting.remote_id,
        person=int(bool(twice)),
        reason=reason,
        hold="",
        faults=0,
        fault_since=None,
        absent_at=None,
        next_at=None,
        **columns,
    )
    return adopted or withdrawn or keeps_back(db, posting)


def _told_twice(found: Sequence[Seen]) -> str:
    keys = sorted({one.key for one in found})
    where = "under this key" if len(keys) == 1 else f"of this document, under {' and '.join(keys)}"
    return f"The books hold {len(found)} lines {where}. Remove all but one there by hand."


def _is_another_code(shown: str, ours: str) -> bool:
    """A system may show no code, or one in other letters than it was given."""
    return bool(shown) and shown.strip().casefold() != ours.strip().casefold()


def keeps_back(db: apsw.Connection, posting: Posting) -> bool:
    """A credit that is to be made by hand waits for what becomes of this line: only then its correction is spelled out."""
    held = rows.postings(
        db,
        "order_id = ? AND part = ? AND state = 'held' AND hold = 'negative' AND key <> ?",
        (posting.order_id, posting.part, posting.key),
    )
    return bool(held)


def _sent(key: str) -> str:
    """The name of the wait for what was sent (see passed.Waits)."""
    return f"sent {key}"


def _absent(
    db: apsw.Connection,
    posting: Posting,
    read_at: datetime,
    now: datetime,
    patience: Patience,
    since: datetime | None,
    waits: Waits,
) -> None:
    """A whole read did not show the key. Only two of them, after the quiet time, mean that it is not there."""
    if posting.state is _S.CONFIRMED and posting.person:
        rows.change(db, posting, now, by=BY_COURIER, person=0, reason="It was removed from the books by hand.")
        return
    if posting.state not in (_S.UNKNOWN, _S.ACCEPTED) or posting.sent_at is None:
        return
    begun = min(read_at, now)  # A clock set back meanwhile makes no read a later one.
    # Sent by a clock that was ahead and has been set right: then it counts from when that was noticed.
    sent_at = posting.sent_at if since is None or posting.sent_at <= now else since
    missed = f"missed {posting.key}"
    waits.begins(_sent(posting.key), posting.sent_at)
    measured = waits.waited(_sent(posting.key), posting.sent_at, read_at)
    quiet_until = min(_later(sent_at, since), now - measured) + patience.quiet
    if begun < quiet_until and measured < patience.quiet:
        waited = now - sent_at
        again = now + max(waited, timedelta(seconds=2)) if posting.state is _S.ACCEPTED else quiet_until
        rows.change(db, posting, now, by=BY_COURIER, next_at=to_text(min(again, quiet_until)))
        return
    measured = timedelta() if posting.absent_at is None else waits.waited(missed, posting.absent_at, read_at)
    if posting.absent_at is None or (since is not None and posting.absent_at < since and not measured):
        waits.begins(missed, begun)
        rows.change(db, posting, now, by=BY_COURIER, absent_at=to_text(begun), next_at=to_text(now + patience.reread), person=0)
        return
    again = min(_later(posting.absent_at, since), now - measured) + patience.reread
    if begun < again and measured < patience.reread:
        rows.change(db, posting, now, by=BY_COURIER, next_at=to_text(again))
        return
    never_shown = _never_shown(db, posting)
    if never_shown:
        rows.change(
            db, posting, now, by=BY_COURIER, person=1, next_at=to_text(now + min(now - posting.sent_at, LOOKED_FOR_AGAIN)),
            reason=f"{never_shown} It is not sent again by itself: look at the matter there; "
            "retry looks twice more and then sends it again.",
        )  # fmt: skip
        return
    if posting.state is _S.ACCEPTED:
        rows.change(
            db, posting, now, state=_S.UNKNOWN, by=BY_COURIER, absent_at=None, faults=posting.faults + 1,
            fault_since=to_text(posting.fault_since or now), next_at=to_text(now + patience.reread),
            reason="The practice system said yes, but does not show it; the matter is read again.",
        )  # fmt: skip
        return
    order = next(
        iter(db.execute("SELECT system, tenant, matter_id FROM customer_order WHERE order_id = ?", (posting.order_id,))), None
    )
    if order != (posting.place.system, posting.place.tenant, posting.place.matter_id):
        rows.change(
            db, posting, now, state=_S.CANCELLED, by=BY_COURIER, next_at=None, absent_at=None, person=0,
            reason="The order was moved to another matter; this never arrived.",
        )  # fmt: skip
        return
    rows.change(
        db, posting, now, state=_S.QUEUED, by=BY_COURIER, absent_at=None, next_at=to_text(now), person=0,
        reason="It did not arrive: two reads after the waiting time did not show it. It is sent again.",
    )  # fmt: skip


def sends(db: apsw.Connection, order_id: str, key: str) -> tuple[int, int]:
    """How many sends may have taken effect since a person last asked for it, and how many of them were answered with yes."""
    found = db.execute(
        "SELECT count(*), ifnull(sum(to_state = 'accepted'), 0) FROM trail WHERE order_id = ?1 AND key = ?2"
        " AND from_state = 'sending' AND to_state IN ('accepted', 'unknown') AND seq >"
        " (SELECT ifnull(max(seq), 0) FROM trail WHERE order_id = ?1 AND key = ?2 AND by = ?3)",
        (order_id, key, BY_PERSON),
    )
    sent, yes = next(iter(found))
    return int(str(sent)), int(str(yes))


def _never_shown(db: apsw.Connection, posting: Posting) -> str:
    """Why a delivery that no read shows is not sent again by itself; empty while it may be."""
    if posting.state is _S.ACCEPTED and posting.remote_id:
        # The remote gave the line a number of its own, so it exists: perhaps it was invoiced, moved or deleted there.
        return "The practice system said yes and gave it a number, but does not show it."
    sent, yes = sends(db, posting.order_id, posting.key)
    if yes and sent > 1:
        return f"It was sent {sent} times and the practice system said yes, but does not show it."
    if sent > 2:
        return f"It was sent {sent} times without an answer, and the practice system does not show it."
    return ""


def needs_person(db: apsw.Connection, keys: Iterable[str], now: datetime, reason: str, next_at: datetime) -> None:
    """The matter can't be read, by the remote's own word: what was sent there can only be settled by a person."""
    for key in keys:
        for posting in rows.postings(db, "key = ?", (key,)):
            if posting.state in (_S.UNKNOWN, _S.ACCEPTED):
                rows.change(db, posting, now, by=BY_COURIER, person=1, reason=reason, next_at=to_text(next_at))
            elif posting.state is _S.QUEUED:
                rows.change(db, posting, now, state=_S.REJECTED, by=BY_COURIER, reason=reason, next_at=None)


def too_many_tries(posting: Posting, now: datetime, tries: int, within: timedelta) -> str:
    """Why this delivery should go to a person instead of being tried again; empty while it need not."""
    if posting.faults > tries or (posting.fault_since is not None and now - posting.fault_since > within):
        return f"It was tried {posting.attempts} times without success. {posting.reason}".strip()
    return ""
