"""The durable store of what is owed and what was done: the few named operations that the rest of the house may call.

Several threads and several processes may have one ledger open. Every operation is one transaction: when it returns, what it
did is on disk; when it raises LedgerError, nothing of it was stored. Times are aware UTC, money is Decimal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any

import apsw

from desktop.services.infotrack.model import Incoming, OrderMessage, RetailerReference
from desktop.services.ledger import actions, dispatch, inbox, late, rows, upkeep
from desktop.services.ledger.book_lines import Seen
from desktop.services.ledger.dispatch import Noted, Patience
from desktop.services.ledger.errors import LedgerCorrupt, LedgerTrouble
from desktop.services.ledger.facts import BY_PLAN, NOWHERE, OrderFacts, Place, Posting, from_text, to_text
from desktop.services.ledger.journal import Entry
from desktop.services.ledger.matching import Match, place_of
from desktop.services.ledger.mending import Mending
from desktop.services.ledger.model import Delivery, DeliveryState, OrderView, Origin, Suggestion
from desktop.services.ledger.passed import Uptime, Waits
from desktop.services.ledger.planning import Rules, correction, plan, standing_lines
from desktop.services.ledger.sealing import first_bad_link
from desktop.services.ledger.statement import StatementRow, TrailRow, statement, trail
from desktop.services.ledger.store import Store
from desktop.services.practice.model import Matter

_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


def _now() -> datetime:
    return datetime.now(UTC)


def _no_reference(_: str) -> RetailerReference | None:
    return None


@dataclass(frozen=True, slots=True)
class Work:
    """A matter on which something is due, and whether that is costs, documents or both."""

    place: Place
    costs: bool
    documents: bool


class Ledger:
    """See the module. Made by `Ledger.open`; `close` when the program ends."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        own: inbox.Ownership,
        mending: Mending | None = None,
        uptime: Callable[[], Uptime] | None = None,
    ) -> None:
        self._store = store
        self._waits = Waits(uptime)
        self._clock = clock
        self._own = own
        self._mending = mending
        self._upkeep = None if mending is None else upkeep.Upkeep(store, mending, clock)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        clock: Callable[[], datetime] = _now,
        random: Random,
        takeover: timedelta = timedelta(minutes=30),
        read_reference: Callable[[str], RetailerReference | None] = _no_reference,
        vfs: str | None = None,
        uptime: Callable[[], Uptime] | None = None,
    ) -> Ledger:
        """Opens the file, making it if there is none. `read_reference` reads our own mark out of a RetailerReference. With
        `uptime` a clock that was set, even between two runs, ends no wait; without it the clock is believed.

        A damaged file is set aside and its newest backup opened (see `notices`). Raises LedgerTrouble, LedgerTooNew, or
        LedgerDamaged where that can't be done."""
        schema = files("desktop.services.ledger").joinpath("schema.sql").read_text(encoding="utf-8")
        mending: Mending | None = None

        def prepare(store: Store, *, must_be_there: bool = False) -> inbox.Ownership:
            def first_facts(made: Store) -> None:
                kept = mending.installation if mending is not None else ""
                name = kept or "".join(random.choice(_ALPHABET) for _ in range(6))
                made.connection().execute("INSERT INTO meta (name, value) VALUES ('installation', ?)", (name,))

            store.prepare(schema, first_facts, must_be_there=must_be_there)
            found = store.read("SELECT value FROM meta WHERE name = 'installation'")
            if not found:
                raise LedgerCorrupt("The ledger does not know whose it is.")
            return inbox.Ownership(str(found[0][0]), read_reference, takeover, random)

        if vfs is not None:
            # A disk of a test: nothing beside it can be renamed or copied.
            store = Store(path, vfs=vfs)
            try:
                own = prepare(store)
                upkeep.check(store, clock())
            except BaseException:
                store.close()
                raise
            return cls(store, clock, own, uptime=uptime)
        mending = Mending(path, clock, prepare)
        store, own = upkeep.opened(path, mending, prepare, clock)
        return cls(store, clock, own, mending, uptime)

    @property
    def installation(self) -> str:
        """Six letters and digits, drawn when the file was made, the same for good."""
        return self._own.installation

    @property
    def in_transaction(self) -> bool:
        return self._store.in_transaction

    def now(self) -> datetime:
        return self._clock()

    def read_begins(self) -> datetime:
        """Now, for a read of a matter that begins (see note_books)."""
        return self._waits.read_begins(self._clock())

    def close(self) -> None:
        self._store.close()

    def backup(self, target: Path) -> None:
        """A consistent copy, made while others work."""
        self._store.backup(target)

    def notices(self) -> tuple[str, ...]:
        """What a person must know about the file itself, in whole sentences; empty as long as all is well."""
        return () if self._upkeep is None else self._upkeep.notices()

    def is_sound(self) -> bool:
        """SQLite's quick check of the file, and the trail's chain of hashes."""
        return self._store.is_sound() and self.first_bad_step() is None

    # the inbox

    def record(self, messages: Sequence[Incoming], *, cursor: inbox.Cursor | None = None) -> int:
        """Stores messages and the cursor that covers them. Gives how many were new; exact repeats change nothing."""
        now = self._clock()
        with self._store.write(takes_on=True) as db:
            new = inbox.record(db, self._own, now, messages, cursor)
            if new and self._mending is not None:
                try:
                    self._mending.journal.add(db, [Entry(now, "message", incoming) for incoming in new])
                except OSError as error:
                    raise LedgerTrouble("Nothing new could be kept on this PC. Check the disk; nothing was lost.") from error
            return len(new)

    def cursor(self, feed: str) -> str | None:
        found = self._store.read("SELECT position FROM feed WHERE address = ?", (feed,))
        return str(found[0][0]) if found else None

    def may_take(self, message: OrderMessage) -> bool:
        """True when the message's order is this installation's or was taken over, or the message's own time for the others
        has passed. The first question notes durably when it was seen and draws the moment."""
        now = self._clock()
        with self._store.reading() as db:
            known = inbox.may_take(db, self._own, now, message)
        if known is not None:
            return known
        with self._store.write() as db:
            return inbox.note_sighting(db, self._own, now, message)

    # what people see

    def orders(
        self,
        *,
        matter: str = "",
        order_id: str = "",
        state: DeliveryState | None = None,
        waiting_for_person: bool = False,
        limit: int = 500,
    ) -> tuple[OrderView, ...]:
        """Newest first, with deliveries, without steps and suggestions. `matter` is a number."""
        where, bindings = ["1"], list[str | int]()
        if matter:
            where.append("(o.matter_number = ? OR o.order_id IN (SELECT order_id FROM delivery WHERE matter_number = ?))")
            bindings += [matter, matter]
        if order_id:
            where.append("o.order_id = ?")
            bindings.append(order_id)
        if state is not None:
            where.append("o.order_id IN (SELECT order_id FROM delivery WHERE state = ?)")
            bindings.append(state.value)
        if waiting_for_person:
            where.append("o.order_id IN (SELECT order_id FROM delivery WHERE state IN ('held', 'rejected') OR person = 1)")
        now = self._clock()
        with self._store.reading() as db:
            found = list(
                db.execute(
                    f"SELECT {rows.ORDER_COLUMNS} FROM customer_order AS o WHERE {' AND '.join(where)}"  # noqa: S608  # bound
                    " ORDER BY o.seq DESC LIMIT ?",
                    (*bindings, limit),
                )
            )
            by_order: dict[str, list[Delivery]] = {}
            for start in range(0, len(found), 500):
                ids = [str(row[0]) for row in found[start : start + 500]]
                for posting in rows.postings(db, f"order_id IN ({', '.join('?' for _ in ids)})", ids):
                    by_order.setdefault(posting.order_id, []).append(posting.public())
        return tuple(rows.view_of(row, by_order.get(str(row[0]), ()), (), now) for row in found)

    def order_view(self, order_id: str, suggestions: tuple[Suggestion, ...] = ()) -> OrderView | None:
        """One order with every step that was taken. Suggestions are the caller's (they need the list of matters)."""
        with self._store.reading() as db:
            found = list(
                db.execute(f"SELECT {rows.ORDER_COLUMNS} FROM customer_order WHERE order_id = ?", (order_id,))  # noqa: S608 - our own names and marks
            )
            if not found:
                return None
            deliveries = [posting.public() for posting in rows.postings(db, "order_id = ?", (order_id,))]
            steps = [
                rows.step_of(row)
                for row in db.execute(
                    "SELECT at, key, what, from_state, to_state, reason, by FROM trail WHERE order_id = ? ORDER BY seq", (order_id,)
                )
            ]
        view = rows.view_of(found[0], deliveries, steps, self._clock())
        if not suggestions or view.matter_id:
            return view
        return replace(view, suggestions=suggestions)

    def latest_message(self, order_id: str) -> OrderMessage | None:
        found = self._store.read("SELECT latest FROM customer_order WHERE order_id = ?", (order_id,))
        return rows.decoded(found[0][0]) if found else None

    def deliveries(self, *, matter: str = "", order_id: str = "", state: DeliveryState | None = None) -> tuple[Delivery, ...]:
        """Every delivery that fits, oldest first. `matter` is a number."""
        where, bindings = ["1"], list[str]()
        for column, wanted in (("matter_number", matter), ("order_id", order_id), ("state", state.value if state else "")):
            if wanted:
                where.append(f"{column} = ?")
                bindings.append(wanted)
        with self._store.reading() as db:
            return tuple(posting.public() for posting in rows.postings(db, " AND ".join(where), bindings))

    def counts(self) -> dict[DeliveryState, int]:
        """How many deliveries are in each state; every state is named."""
        found = {str(state): int(count) for state, count in self._store.read("SELECT state, count(*) FROM delivery GROUP BY state")}
        return {state: found.get(state.value, 0) for state in DeliveryState}

    def waiting_for_person(self) -> int:
        """How many deliveries wait for a person."""
        return int(self._store.read("SELECT count(*) FROM delivery WHERE state IN ('held', 'rejected') OR person = 1")[0][0])

    def first_bad_step(self) -> int | None:
        """The number of the first row of the trail that was changed, taken out or cut off; None when all is well."""
        with self._store.reading() as db:
            return first_bad_link(db)

    def statement(self) -> Iterator[StatementRow]:
        """Every cost and document with its order's facts, oldest first, as of one moment."""
        with self._store.reading() as db:
            yield from statement(db)

    def trail(self) -> Iterator[TrailRow]:
        """Every step of the trail, from the first on, as of one moment."""
        with self._store.reading() as db:
            yield from trail(db)

    def reading(self) -> AbstractContextManager[apsw.Connection]:
        """Several reads of one state of affairs, for lists that this class has no words for (see order_lists)."""
        return self._store.reading()

    def note(self, what: str, *, order_id: str = "", key: str = "", reason: str = "", by: str = "") -> None:
        """Adds a row to the trail for something outside deliveries (a sign-in, a changed setting). No personal data."""
        with self._store.write() as db:
            rows.write_step(db, self._clock(), what, order_id=order_id, key=key, reason=reason, by=by)

    # small facts

    def remember(self, name: str, text: str) -> None:
        with self._store.write() as db:
            db.execute(
                "INSERT INTO memory (name, text) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET text = excluded.text", (name, text)
            )

    def recall(self, name: str) -> str | None:
        found = self._store.read("SELECT text FROM memory WHERE name = ?", (name,))
        return str(found[0][0]) if found else None

    def note_asked(self, order_id: str, number: str) -> None:
        """The practice systems were asked for this number on behalf of an order."""
        self.remember(f"asked {order_id}", f"{to_text(self._clock())} {number}")

    def asked(self, order_id: str) -> tuple[str, datetime] | None:
        """The number that was last asked for on behalf of an order, and when; None also after a person's `retry`."""
        text = self.recall(f"asked {order_id}")
        if not text:
            return None
        at, _, number = text.partition(" ")
        return number, from_text(at)

    # what a person does; each raises ActionRefused with a sentence

    def retry(self, key: str) -> None:
        with self._store.write() as db:
            actions.retry(db, key, self._clock())

    def approve(self, key: str) -> None:
        with self._store.write() as db:
            actions.approve(db, key, self._clock())
            self._note_decision(db, "approve", key=key.strip())

    def cancel(self, key: str) -> None:
        with self._store.write() as db:
            stood_at = actions.cancel(db, key, self._clock())
            self._note_decision(db, "cancel", key=key.strip(), place=stood_at)

    def move(self, order_id: str, matter: Matter) -> None:
        """The order belongs to `matter` from now on, whatever later messages say; the next plan posts it there."""
        with self._store.write() as db:
            actions.move(db, order_id, place_of(matter), self._clock())
            self._note_decision(db, "move", order_id=order_id.strip(), place=place_of(matter))

    def take_over(self, order_id: str) -> None:
        with self._store.write() as db:
            actions.take_over(db, order_id, self._clock())
            self._note_decision(db, "take over", order_id=order_id.strip())

    def _note_decision(self, db: apsw.Connection, what: str, *, key: str = "", order_id: str = "", place: Place = NOWHERE) -> None:
        """A decision that could not be kept twice counts all the same: on a full disk people must be able to act."""
        if self._mending is not None:
            with suppress(OSError):
                self._mending.journal.add(db, [Entry(self._clock(), what, key=key, order_id=order_id, place=place)])

    # planning

    def to_plan(self, limit: int = 1000) -> tuple[str, ...]:
        """Orders whose deliveries must be worked out: parents before children, in order of arrival."""
        found = self._store.read(
            "SELECT order_id FROM (SELECT order_id, parent_id, seq FROM customer_order WHERE needs_plan = 1"
            " UNION ALL SELECT order_id, parent_id, seq FROM customer_order WHERE look_again_at <= ? AND needs_plan = 0)"
            " ORDER BY parent_id <> '', seq LIMIT ?",
            (to_text(self._clock()), limit),
        )
        return tuple(str(row[0]) for row in found)

    def facts(self, order_id: str) -> OrderFacts | None:
        with self._store.reading() as db:
            return rows.facts_of(db, order_id)

    def plan(
        self, order_id: str, match: Match, rules_for: Callable[[Place], Rules], *, look_again_at: datetime | None = None
    ) -> None:
        """Brings the order's deliveries to what they should be. `match` says where the order belongs; it counts while no
        person has decided that and nothing was sent yet. `look_again_at`: when an unmatched order is looked at again."""
        now = self._clock()
        with self._store.write() as db:
            facts = rows.facts_of(db, order_id)
            if facts is None:
                return
            if not facts.pinned and match.place != facts.place and not _is_settled(facts) and (match.place or not facts.place):
                facts = replace(facts, place=match.place)
                db.execute(
                    "UPDATE customer_order SET system = ?, tenant = ?, matter_id = ?, matter_number = ? WHERE order_id = ?",
                    (match.place.system, match.place.tenant, match.place.matter_id, match.place.matter_number, order_id),
                )
                db.execute(
                    "UPDATE customer_order SET needs_plan = 1 WHERE parent_id = ? AND matter_id = '' AND pinned = 0", (order_id,)
                )
                rows.write_step(db, now, "matched", order_id=order_id, reason=match.place.matter_number, by=BY_PLAN)
            db.execute(
                "UPDATE customer_order SET needs_plan = 0, reason = CASE WHEN matter_id = '' THEN ? ELSE '' END,"
                " look_again_at = CASE WHEN matter_id = '' THEN ? ELSE NULL END WHERE order_id = ?",
                (match.reason, rows.text_of(look_again_at), order_id),
            )
            # What was just written, without reading all of it once more.
            facts = replace(facts, reason="" if facts.place else match.reason)
            dispatch.apply_plan(db, facts, plan(facts, rules_for(facts.place)), now, BY_PLAN)

    # the courier

    def recover(self, patience: Patience, *, but: Collection[tuple[str, str]] = (), keep_months: int | None = None) -> int:
        """For the one that holds the turn: the file is looked after once a day, and what another left as `sending` is unknown
        from now on. `but`: the tenants that the caller is itself sending to at this moment. `keep_months`: how long the trail's
        steps are kept (None: for ever)."""
        if self._upkeep is not None:
            self._upkeep.run(patience.quiet, keep_months)
        far = to_text(self._clock() + dispatch.NOTHING_RESTS_LONGER)
        if self._store.read(
            "SELECT 1 FROM delivery WHERE state IN ('queued', 'unknown', 'accepted') AND next_at > ? LIMIT 1", (far,)
        ):
            with self._store.write() as db:
                dispatch.bring_near(db, self._clock())
        if not self._store.read("SELECT 1 FROM delivery WHERE state = 'sending' LIMIT 1"):
            return 0
        with self._store.write() as db:
            now, _ = self._moment(db)
            return dispatch.orphans(db, now, patience, but=but)

    def _moment(self, db: apsw.Connection) -> tuple[datetime, datetime | None]:
        """Now, and the moment before which no wait counts; inside the write that begins or judges a wait."""
        now = self._clock()
        return now, self._waits.counted_from(db, now)

    def work(self, system: str, tenant: str, limit: int = 200) -> tuple[Work, ...]:
        """The tenant's matters on which something is due now, longest waiting first."""
        found = self._store.read(
            "SELECT matter_id, max(matter_number), max(kind = 'cost'), max(kind = 'document'), min(next_at) AS due FROM delivery"
            # In these words the index of what is in flight serves, however much was delivered before.
            " WHERE state IN ('queued', 'sending', 'unknown', 'accepted') AND state <> 'sending'"
            " AND system = ? AND tenant = ? AND next_at <= ? GROUP BY matter_id ORDER BY due, min(seq) LIMIT ?",
            (system, tenant, to_text(self._clock()), limit),
        )
        return tuple(
            Work(Place(system, tenant, str(matter_id), str(number)), bool(costs), bool(documents))
            for matter_id, number, costs, documents, _ in found
        )

    def in_flight(self, place: Place) -> tuple[Posting, ...]:
        """Everything on a matter that the courier is not done with, oldest first."""
        with self._store.reading() as db:
            return rows.postings(
                db,
                "state IN ('queued', 'sending', 'unknown', 'accepted') AND system = ? AND tenant = ? AND matter_id = ?",
                (place.system, place.tenant, place.matter_id),
            )

    def posting(self, key: str) -> Posting | None:
        with self._store.reading() as db:
            found = rows.postings(db, "key = ?", (key,))
        return found[0] if found else None

    def was_sent_since_asked(self, posting: Posting) -> bool:
        """Whether it may have been posted by a send that no person has decided about since."""
        with self._store.reading() as db:
            return dispatch.sends(db, posting.order_id, posting.key)[0] > 0

    def pending(self) -> tuple[Posting, ...]:
        """Everything that the courier is not done with, of all tenants."""
        with self._store.reading() as db:
            return rows.postings(db, "state IN ('queued', 'sending', 'unknown', 'accepted')")

    def note_books(self, place: Place, *, documents: bool, seen: Sequence[Seen], read_at: datetime, patience: Patience) -> Noted:
        """Takes in a whole read of a matter begun at `read_at` (see read_begins): what it shows is confirmed, what is missing is
        judged by the quiet time. Surprised orders are marked to be planned again."""
        with self._store.write() as db:
            now, since = self._moment(db)
            noted = dispatch.note_books(
                db, place, documents=documents, seen=seen, read_at=read_at,
                now=now, patience=patience, since=since, waits=self._waits,
            )  # fmt: skip
            for order_id in noted.surprised:
                db.execute("UPDATE customer_order SET needs_plan = 1 WHERE order_id = ?", (order_id,))
        return noted

    def late_looks(self, system: str, tenant: str) -> tuple[tuple[Place, bool, bool], ...]:
        """Matters to be read again for what may have landed late, and whether their costs and their documents are meant."""
        with self._store.reading() as db:
            return late.due(db, system, tenant, self._clock())

    def looked_again(self, place: Place, read_at: datetime) -> None:
        with self._store.write() as db:
            late.looked_at(db, place, read_at)

    def is_anothers(self, order_id: str) -> bool:
        """True while an order is neither this installation's nor taken over by a person here."""
        found = self._store.read("SELECT origin, taken FROM customer_order WHERE order_id = ?", (order_id,))
        return bool(found) and Origin(str(found[0][0])) not in inbox.OURS and not found[0][1]

    def was_started_here(self, order_id: str) -> bool:
        """True for this installation's own orders: no other PC sends them while this one does."""
        found = self._store.read("SELECT origin FROM customer_order WHERE order_id = ?", (order_id,))
        return bool(found) and Origin(str(found[0][0])) in inbox.OURS

    @property
    def takes_over_at_once(self) -> bool:
        """True where nothing sets two PCs apart in time that both may send an order of nobody's."""
        return not self._own.takeover

    def look_again(self) -> int:
        """Marks every order without a matter to be planned anew, because more matters may be known now. Gives how many."""
        if not self._store.read("SELECT 1 FROM customer_order WHERE matter_id = '' AND pinned = 0 AND needs_plan = 0 LIMIT 1"):
            return 0
        with self._store.write() as db:
            db.execute("UPDATE customer_order SET needs_plan = 1 WHERE matter_id = '' AND pinned = 0 AND needs_plan = 0")
            return int(db.changes())

    def is_left_alone(self, order_id: str) -> bool:
        """True while another's order still waits for its time to be taken over."""
        found = self._store.read("SELECT take_over_at FROM customer_order WHERE order_id = ?", (order_id,))
        return bool(found) and bool(found[0][0]) and str(found[0][0]) > to_text(self._clock()) and self.is_anothers(order_id)

    def take_over_wait(self) -> timedelta:
        """How long another PC's order is to be left alone from now, drawn anew."""
        now = self._clock()
        return self._own.moment(now) - now

    def correction(self, posting: Posting, *, one_price: bool = False) -> str:
        """What to do by hand instead of a credit that the practice system does not take; in prices where it shows no costs."""
        facts = self.facts(posting.order_id)
        if facts is None or posting.cost is None:
            return ""
        lines = [line for line in standing_lines(facts) if line.part == posting.part and line.n != posting.n]
        as_shown = posting.price / posting.cost if one_price and posting.price and posting.cost else None
        return correction(facts, posting.part, posting.cost, lines, n=posting.n, as_shown=as_shown)

    def due_by_tenant(self) -> dict[tuple[str, str], datetime]:
        """When the next delivery of each tenant is due."""
        found = self._store.read(
            "SELECT system, tenant, min(next_at) FROM delivery WHERE state IN ('queued', 'unknown', 'accepted')"
            " AND next_at IS NOT NULL GROUP BY system, tenant"
        )
        return {(str(system), str(tenant)): from_text(str(due)) for system, tenant, due in found}

    def claim(self, key: str) -> Posting | None:
        """Durably notes that a delivery is about to be sent; None when it is not to be sent now."""
        with self._store.write() as db:
            return dispatch.claim(db, key, *self._moment(db), self._waits)

    def accepted(self, posting: Posting, remote_id: str) -> None:
        with self._store.write() as db:
            now, _ = self._moment(db)
            dispatch.accepted(db, posting, now, remote_id)

    def lost(self, posting: Posting, reason: str, patience: Patience) -> None:
        with self._store.write() as db:
            now, _ = self._moment(db)
            dispatch.lost(db, posting, now, reason, patience)

    def refused(self, posting: Posting, reason: str, *, hold: str = "") -> None:
        with self._store.write() as db:
            dispatch.refused(db, posting, self._clock(), reason, hold=hold)

    def not_done(self, posting: Posting, reason: str, next_at: datetime, *, fault: bool) -> None:
        with self._store.write() as db:
            dispatch.not_done(db, posting, self._clock(), reason, next_at, fault=fault)

    def wake(self, system: str, tenant: str, within: timedelta) -> None:
        """The system answers again: what could not leave is due after `within` at the latest."""
        with self._store.write() as db:
            dispatch.wake(db, system, tenant, self._clock() + within)

    def postpone(self, posting: Posting, reason: str, next_at: datetime, *, fault: bool = False, deferred: bool = False) -> None:
        """Leaves a delivery where it is until `next_at`."""
        now = self._clock()
        with self._store.write() as db:
            columns: dict[str, Any] = {"next_at": to_text(next_at), "reason": reason}
            if fault:
                columns |= {"faults": posting.faults + 1, "fault_since": to_text(posting.fault_since or now)}
            if deferred:
                columns["deferred"] = 1
            rows.change(db, posting, now, by="", **columns)

    def to_person(self, posting: Posting, hold: str, reason: str) -> None:
        with self._store.write() as db:
            dispatch.to_person(db, posting, self._clock(), hold, reason)

    def reject(self, posting: Posting, reason: str) -> None:
        """A queued delivery that an answer has ruled out before it was sent."""
        with self._store.write() as db:
            rows.change(db, posting, self._clock(), state=DeliveryState.REJECTED, by="courier", reason=reason, next_at=None)

    def unreadable(self, keys: Sequence[str], reason: str, next_at: datetime) -> None:
        """The remote itself says that the matter can't be read."""
        with self._store.write() as db:
            dispatch.needs_person(db, keys, self._clock(), reason, next_at)

    def keep_body(self, key: str, content: bytes, file_name: str) -> None:
        """Keeps a document's file before its first send. The first one kept is the one that every send uses."""
        with self._store.write(takes_on=True) as db:
            db.execute(
                "INSERT INTO body (key, content, file_name, sha256) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
                (key, content, file_name, hashlib.sha256(content).hexdigest()),
            )

    def body(self, key: str) -> tuple[str, bytes] | None:
        """A kept file's name and content."""
        found = self._store.read("SELECT file_name, content FROM body WHERE key = ?", (key,))
        return (str(found[0][0]), bytes(found[0][1])) if found else None

    def typed_file(self, message_seq: int) -> tuple[str, bytes] | None:
        """The file that a person gave with a typed-in result."""
        found = self._store.read("SELECT file_name, file FROM message WHERE seq = ? AND file IS NOT NULL", (message_seq,))
        return (str(found[0][0]), bytes(found[0][1])) if found else None


def _is_settled(facts: OrderFacts) -> bool:
    """Something of the order was sent: from then on only a person changes its matter."""
    return any(posting.touched for posting in facts.postings)
