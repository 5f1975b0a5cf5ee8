"""What a person may do to a delivery or an order. Each checks first and refuses with a sentence."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import apsw

from desktop.services.ledger import late, rows
from desktop.services.ledger.dispatch import HOLD_RESTORED, keeps_back
from desktop.services.ledger.errors import ActionRefused
from desktop.services.ledger.facts import BY_PERSON, LEFT_BEHIND, Place, Posting, to_text
from desktop.services.ledger.model import DeliveryKind, DeliveryState, Origin
from desktop.services.ledger.planning import (
    HOLD_DECIDED,
    HOLD_EDITED,
    HOLD_FEES,
    HOLD_MATTER,
    HOLD_NEGATIVE,
    HOLD_REVIEW,
    PLANNED_HOLDS,
)

_S = DeliveryState


def _the(db: apsw.Connection, key: str) -> Posting:
    found = rows.postings(db, "key = ?", (key.strip(),))
    if not found:
        raise ActionRefused(f"There is no delivery {key.strip()}.")
    return found[0]


def retry(db: apsw.Connection, key: str, now: datetime) -> None:
    posting = _the(db, key)
    again: dict[str, Any] = {"next_at": to_text(now), "faults": 0, "fault_since": None, "person": 0, "reason": "", "deferred": 0}
    match posting.state:
        case _S.CONFIRMED if posting.person:
            rows.write_step(db, now, "to be looked for again", order_id=posting.order_id, key=posting.key, by=BY_PERSON)
            late.look_soon(db, posting.place)
        case _S.CONFIRMED:
            raise ActionRefused(f"{posting.key} is in the books already; there is nothing to try again.")
        case _S.SENDING:
            raise ActionRefused(f"{posting.key} is being sent at this moment. Look again in a minute.")
        case _S.ACCEPTED if posting.person and posting.absent_at is not None:
            # A person has looked and wants it sent: once more it is looked for, and its number no longer counts.
            rows.change(db, posting, now, state=_S.UNKNOWN, by=BY_PERSON, remote_id="", absent_at=None, **again)
        case _S.UNKNOWN if posting.person and posting.absent_at is not None:
            rows.write_step(db, now, "to be looked for again", order_id=posting.order_id, key=posting.key, by=BY_PERSON)
            rows.change(db, posting, now, by=BY_PERSON, absent_at=None, **again)
        case _S.UNKNOWN | _S.ACCEPTED | _S.QUEUED:
            rows.change(db, posting, now, by=BY_PERSON, **{**again, "reason": posting.reason})
        case _S.REJECTED:
            rows.change(db, posting, now, state=_S.QUEUED, by=BY_PERSON, **again)
        case _S.CANCELLED:
            _retry_cancelled(db, posting, now, again)
        case _S.HELD if posting.hold in PLANNED_HOLDS and not (posting.hold == HOLD_NEGATIVE and posting.touched):
            db.execute("UPDATE customer_order SET needs_plan = 1, look_again_at = NULL WHERE order_id = ?", (posting.order_id,))
            db.execute("DELETE FROM memory WHERE name = ?", (f"asked {posting.order_id}",))
        case _S.HELD:
            rows.change(db, posting, now, state=_S.QUEUED, by=BY_PERSON, hold="", **again)


def _retry_cancelled(db: apsw.Connection, posting: Posting, now: datetime, again: dict[str, Any]) -> None:
    if not posting.cancelled_by_person or posting.undo:
        raise ActionRefused(f"{posting.key} was withdrawn because something else took its place; it can't be sent any more.")
    if not posting.place or not _is_of_order(db, posting, posting.place):
        raise ActionRefused(f"{posting.key} belongs to no matter, or the order was moved since. Move the order instead.")
    # What was cancelled while its fate was unknown may still turn up: it is looked for before it is sent.
    state = _S.UNKNOWN if posting.touched else _S.QUEUED
    rows.change(db, posting, now, state=state, by=BY_PERSON, approved=1, hold="", absent_at=None, **again)


def _is_of_order(db: apsw.Connection, posting: Posting, place: Place) -> bool:
    """Whether its order belongs to that matter."""
    return _of_order(db, posting).is_same(place)


def _of_order(db: apsw.Connection, posting: Posting) -> Place:
    """The matter that its order belongs to now."""
    found = db.execute(
        "SELECT system, tenant, matter_id, matter_number FROM customer_order WHERE order_id = ?", (posting.order_id,)
    )
    return Place(*next(iter(found)))


def _goes_along(posting: Posting) -> bool:
    """Nothing of it was left on the matter that it stands at: whatever becomes of it counts where its order is."""
    if posting.touched:
        return False
    return posting.state is _S.QUEUED or (posting.state is _S.HELD and posting.hold in PLANNED_HOLDS)


def approve(db: apsw.Connection, key: str, now: datetime) -> None:
    posting = _the(db, key)
    if posting.state is not _S.HELD:
        raise ActionRefused(f"{posting.key} does not wait for approval: it is {posting.state.value}.")
    if posting.hold == HOLD_MATTER or not posting.place:
        raise ActionRefused(f"{posting.key} has no matter yet. Move the order to a matter first.")
    if posting.hold not in (HOLD_FEES, HOLD_NEGATIVE, HOLD_REVIEW, HOLD_DECIDED, HOLD_EDITED, HOLD_RESTORED):
        raise ActionRefused(f"{posting.key} waits for another reason. {posting.reason} Then try it again.")
    if posting.cost is None and posting.kind is DeliveryKind.COST:
        raise ActionRefused(f"The amount of {posting.key} is not known. {posting.reason}")
    rows.change(
        db,
        posting,
        now,
        state=_S.QUEUED,
        by=BY_PERSON,
        approved=1,
        hold="",
        reason="",
        next_at=to_text(now),
        faults=0,
        fault_since=None,
    )


def cancel(db: apsw.Connection, key: str, now: datetime, *, stood_at: Place | None = None) -> Place:
    """Gives the matter that the line stood at when it was decided on, or was about to follow its order to. `stood_at`: that
    matter, for a decision that is heard again after a restore, when the line may not have gone along with its order yet."""
    posting = _the(db, key)
    decided_at = stood_at or (_of_order(db, posting) if _goes_along(posting) else posting.place)
    match posting.state:
        case _S.CONFIRMED | _S.ACCEPTED:
            raise ActionRefused(f"{posting.key} was posted already. Undo it in the practice system by hand.")
        case _S.SENDING:
            raise ActionRefused(f"{posting.key} is being sent at this moment. Look again in a minute.")
        case _S.CANCELLED:
            raise ActionRefused(f"{posting.key} is cancelled already.")
        case _:
            maybe = posting.state is _S.UNKNOWN or (posting.touched and posting.state is _S.QUEUED)
            reason = "Cancelled; it may already be posted, so look at the matter." if maybe else "Cancelled."
            hold = "" if _is_of_order(db, posting, decided_at) else LEFT_BEHIND
            rows.change(db, posting, now, state=_S.CANCELLED, by=BY_PERSON, reason=reason, hold=hold, person=0, next_at=None)
            if keeps_back(db, posting):
                db.execute("UPDATE customer_order SET needs_plan = 1 WHERE order_id = ?", (posting.order_id,))
    return decided_at


def move(db: apsw.Connection, order_id: str, place: Place, now: datetime) -> None:
    found = list(
        db.execute("SELECT system, tenant, matter_id, matter_number FROM customer_order WHERE order_id = ?", (order_id.strip(),))
    )
    if not found:
        raise ActionRefused(f"There is no order {order_id.strip()}.")
    before = Place(*found[0])
    if before and before.is_same(place):
        raise ActionRefused(f"The order belongs to {place.matter_number} already.")
    if not place:
        raise ActionRefused("Name the matter that the order belongs to.")
    db.execute(
        "UPDATE customer_order SET system = ?, tenant = ?, matter_id = ?, matter_number = ?, pinned = 1, needs_plan = 1,"
        " look_again_at = NULL, reason = '', taken = 1, take_over_at = NULL WHERE order_id = ?",
        (place.system, place.tenant, place.matter_id, place.matter_number, order_id.strip()),
    )
    db.execute("UPDATE customer_order SET needs_plan = 1 WHERE parent_id = ? AND pinned = 0", (order_id.strip(),))
    told = f"from {before.matter_number} to {place.matter_number}" if before else f"to {place.matter_number}"
    rows.write_step(
        db, now, "moved to another matter" if before else "matter chosen", order_id=order_id.strip(), reason=told, by=BY_PERSON
    )


def take_over(db: apsw.Connection, order_id: str, now: datetime) -> None:
    found = list(db.execute("SELECT origin, taken FROM customer_order WHERE order_id = ?", (order_id.strip(),)))
    if not found:
        raise ActionRefused(f"There is no order {order_id.strip()}.")
    if Origin(str(found[0][0])) in (Origin.OURS, Origin.TYPED) or found[0][1]:
        raise ActionRefused("This PC delivers that order already.")
    db.execute("UPDATE customer_order SET taken = 1, take_over_at = NULL, needs_plan = 1 WHERE order_id = ?", (order_id.strip(),))
    db.execute("UPDATE sighting SET take_at = ? WHERE order_id = ?", (to_text(now), order_id.strip()))
    for posting in rows.postings(db, "order_id = ? AND state = 'queued' AND touched = 0", (order_id.strip(),)):
        rows.change(db, posting, now, by=BY_PERSON, next_at=to_text(now), reason="")
    rows.write_step(db, now, "taken over", order_id=order_id.strip(), by=BY_PERSON)
