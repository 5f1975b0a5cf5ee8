"""The house with one of its rules taken out, to see that the simulation notices: `--weaken NAME`.

Each takes hold of the product for as long as its context lasts, in the process that runs the seeds.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import apsw

from desktop.services.delivery import matter_work, outcomes
from desktop.services.delivery.outcomes import Outcome
from desktop.services.ledger import dispatch, rows
from desktop.services.ledger.facts import BY_COURIER, Recorded, to_text
from desktop.services.ledger.model import DeliveryKind, DeliveryState
from tests.faults.disk import Disk
from tests.model.world import Options

Weakened = Callable[[Options], contextlib.AbstractContextManager[Options]]


@contextlib.contextmanager
def no_quiet_time(options: Options) -> Iterator[Options]:
    """What is absent at once after a lost answer is believed to be absent for good."""
    yield replace(options, quiet=0.0, reread=0.0)


@contextlib.contextmanager
def one_read(options: Options) -> Iterator[Options]:
    """The second read follows the first at once, and the quiet time is short."""
    yield replace(options, quiet=30.0, reread=0.0)


@contextlib.contextmanager
def send_unread(options: Options) -> Iterator[Options]:
    """Nobody looks into the books before the first send."""
    read = matter_work.MatterWorker._read

    def unread(self: Any, place: Any, *, costs: bool, documents: bool, first: bool) -> bool:
        known = {one.state for one in self._due(place)}
        if first and known <= {DeliveryState.QUEUED}:
            for kind in (DeliveryKind.COST, DeliveryKind.DOCUMENT):
                self._read_at[kind] = self.ledger.now()
            return False
        return read(self, place, costs=costs, documents=documents, first=first)

    with patch.object(matter_work.MatterWorker, "_read", unread):
        yield options


@contextlib.contextmanager
def resend_unknown(options: Options) -> Iterator[Options]:
    """A lost answer counts as «not done»: tried again after the usual back-off."""
    of_send = outcomes.of_send

    def hasty(error: BaseException | None) -> Outcome:
        found = of_send(error)
        return Outcome.NOT_SENT if found is Outcome.UNKNOWN else found

    with patch.object(outcomes, "of_send", hasty):
        yield options


@contextlib.contextmanager
def lost_is_refused(options: Options) -> Iterator[Options]:
    """A lost answer counts as a no."""
    of_send = outcomes.of_send

    def gloomy(error: BaseException | None) -> Outcome:
        found = of_send(error)
        return Outcome.REFUSED if found is Outcome.UNKNOWN else found

    with patch.object(outcomes, "of_send", gloomy):
        yield options


@contextlib.contextmanager
def yes_is_enough(options: Options) -> Iterator[Options]:
    """The practice system's yes is believed without a look."""

    def confirmed(db: apsw.Connection, posting: Any, now: Any, remote_id: str) -> None:
        accepted(db, posting, now, remote_id)
        again = rows.postings(db, "key = ?", (posting.key,))[0]
        rows.change(db, again, now, state=DeliveryState.CONFIRMED, by=BY_COURIER, seen_at=to_text(now), next_at=None)

    accepted = dispatch.accepted
    with patch.object(dispatch, "accepted", confirmed):
        yield options


@contextlib.contextmanager
def orphans_are_queued(options: Options) -> Iterator[Options]:
    """What a dead process was sending is put back in the queue."""

    def again(db: apsw.Connection, now: Any, patience: Any, *, but: Collection[tuple[str, str]] = ()) -> int:
        found = rows.postings(db, "state = 'sending'")
        for posting in found:
            rows.change(db, posting, now, state=DeliveryState.QUEUED, by=BY_COURIER, next_at=to_text(now))
        return len(found)

    with patch.object(dispatch, "orphans", again):
        yield options


@contextlib.contextmanager
def last_come_counts(options: Options) -> Iterator[Options]:
    """Messages count in the order in which they come, whatever their number."""

    def by_arrival(messages: Sequence[Recorded]) -> tuple[Recorded, ...]:
        return tuple(sorted(messages, key=lambda one: one.seq))

    with patch.object(rows, "in_order", by_arrival):
        yield options


@contextlib.contextmanager
def the_disk_lies(options: Options) -> Iterator[Options]:
    """The disk says that it has synced, and has not."""

    def sync(self: Disk, name: str) -> None:
        pass

    with patch.object(Disk, "sync", sync):
        yield options


@contextlib.contextmanager
def any_clock_is_believed(options: Options) -> Iterator[Options]:
    """A clock that is set forward ends every quiet time."""
    yield replace(options, steady=False)


@contextlib.contextmanager
def the_number_starts_anew(options: Options) -> Iterator[Options]:
    """A line under a further number instead of the one whose fate is not known."""
    lost = dispatch.lost

    def forgets(db: apsw.Connection, posting: Any, now: Any, reason: str, patience: Any) -> None:
        lost(db, posting, now, reason, patience)
        found = rows.postings(db, "key = ?", (posting.key,))[0]
        rows.change(db, found, now, state=DeliveryState.CANCELLED, by="plan", next_at=None)
        db.execute("UPDATE customer_order SET needs_plan = 1 WHERE order_id = ?", (posting.order_id,))

    with patch.object(dispatch, "lost", forgets):
        yield options


WEAKENED: dict[str, Weakened] = {
    made.__name__.replace("_", "-"): made
    for made in (
        no_quiet_time, one_read, send_unread, resend_unknown, lost_is_refused, yes_is_enough, orphans_are_queued,
        last_come_counts, any_clock_is_believed, the_disk_lies, the_number_starts_anew,
    )
}  # fmt: skip
