"""The loop that makes it so: collect results, plan what is owed, send it, read it back.

One pass at a time: `run_once` does all that can be done now and says when there will be more. It sleeps only for the moment or
two that keep two PCs apart which take over at once. The ledger decides, the courier obeys: it keeps nothing in memory that a
crash may not take.

With one organisation connected, all is done on the caller's thread. With several (and `lanes`), each one's deliveries are done
on a thread of its own, which may go on beside the following passes: a practice system that stalls keeps no other one waiting.
The turn is kept, and what is being sent is left alone, until all of them have come to an end.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence, Set
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Protocol, runtime_checkable

from desktop.services.delivery import outcomes
from desktop.services.delivery.lanes import SAY_SO_AFTER, Address, AskedApart, Lanes
from desktop.services.delivery.late_look import LateLook
from desktop.services.delivery.matter_work import DOCUMENTS, LONGEST_JITTER, MatterUnread, MatterWorker, Tally, TenantStops
from desktop.services.delivery.pauses import Pauses, Trouble
from desktop.services.delivery.planner import Planner
from desktop.services.delivery.ports import Connections, DocumentFetcher, MatterLookup, ResultSource
from desktop.services.delivery.turn import Turn
from desktop.services.errors import BadAnswer, ServiceError
from desktop.services.infotrack.model import RetailerReference
from desktop.services.ledger.dispatch import Patience
from desktop.services.ledger.errors import ChangedMeanwhile, LedgerDamaged, LedgerError, LedgerTrouble
from desktop.services.ledger.facts import Posting
from desktop.services.ledger.ledger import Ledger, Work
from desktop.services.ledger.model import Delivery, DeliveryState
from desktop.services.practice.practice_system import PracticeSystem
from desktop.settings import Settings

log = logging.getLogger(__name__)

LEDGER = "ledger"
LEDGER_REST = timedelta(seconds=10)
BUSY_AGAIN = timedelta(seconds=2)
AT_ONCE = 50
"""Matters in one pass, so that what was done is shown while more is being done."""
WOKEN_WITHIN = 10.0
"""Seconds within which what met an outage is tried again once the system answers."""
UNDER_WAY_AGAIN = timedelta(seconds=1)
"""So soon is looked again, by who is not told, whether work on a thread apart has come to an end."""


def _is_silent(delivery: Delivery) -> bool:
    return not delivery.reason and delivery.state in (DeliveryState.QUEUED, DeliveryState.UNKNOWN, DeliveryState.ACCEPTED)


@runtime_checkable
class Eager(Protocol):
    """A source that knows when there will be something to take."""

    def due_in(self) -> float | None:
        """Seconds from now; None while nothing is in sight."""
        ...


@dataclass(frozen=True, slots=True)
class Pending:
    """A delivery that time alone can still finish: when something can be done for it, and how often it was tried."""

    key: str
    state: DeliveryState
    due: datetime
    tries: int


@dataclass(frozen=True, slots=True)
class Report:
    """What a pass did and what is left.

    `next_at` is when the next pass can do something that this one could not (None: not before something new happens);
    `sources_at` when a source asks to be looked at before its usual time (a file that has to stand still first).
    `busy`: another process has the turn, nothing was done. `waiting_for_person` counts deliveries."""

    at: datetime
    busy: bool = False
    new: int = 0
    sent: int = 0
    reads: int = 0
    next_at: datetime | None = None
    sources_at: datetime | None = None
    waiting_for_person: int = 0
    trouble: tuple[Trouble, ...] = ()

    @property
    def ledger_fails(self) -> bool:
        """The ledger could not note something: reading and trying on at once would only cost calls."""
        return any(one.where == LEDGER for one in self.trouble)

    @property
    def did_something(self) -> bool:
        return bool(self.new or self.sent or self.reads)


class _Apart:
    """What the work on threads apart came to, until a pass takes it."""

    def __init__(self) -> None:
        self.damage: LedgerError | None = None
        self._lock = threading.Lock()
        self._tally = Tally()
        self._trouble: dict[Address, str] = {}

    def note(self, address: Address, tally: Tally, trouble: str) -> None:
        with self._lock:
            self._tally.sent += tally.sent
            self._tally.accepted += tally.accepted
            self._tally.reads += tally.reads
            self._trouble.pop(address, None)
            if trouble:
                self._trouble[address] = trouble

    def take_tally(self) -> Tally:
        with self._lock:
            taken, self._tally = self._tally, Tally()
            return taken

    def trouble(self) -> str:
        """Why the ledger could not note something; empty when it could."""
        with self._lock:
            return next(iter(self._trouble.values()), "")

    def raise_damage(self) -> None:
        if self.damage is not None:
            raise self.damage


class Courier:
    """Made by the composition root; used by one thread at a time.

    `settings` may be replaced between passes. While `stopping` says so, a pass ends after the matter in hand. Without a
    `turn` the caller sees to it that nobody else delivers. `sleep` lets seconds pass. `lanes` are for organisations that are
    connected side by side; `settled` is called, on a thread of theirs, when work has ended that had outlasted the pass that
    began it. `known_as` names an organisation that is not connected, empty where nobody knows."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        connections: Connections,
        lookup: MatterLookup,
        sources: Callable[[], Sequence[ResultSource]],
        documents: Callable[[], DocumentFetcher | None],
        settings: Settings,
        read_reference: Callable[[str], RetailerReference | None],
        random: Random,
        turn: Turn | None = None,
        sleep: Callable[[float], None] = time.sleep,
        lanes: Lanes | None = None,
        known_as: Callable[[str, str], str] = lambda system, tenant: "",
    ) -> None:
        self.settings = settings
        self.stopping: Callable[[], bool] = lambda: False
        self.settled: Callable[[], None] = lambda: None
        self._ledger = ledger
        self._connections = connections
        self._sources = sources
        self._documents = documents
        self._random = random
        self._turn = turn
        self._sleep = sleep
        self._known_as = known_as
        self._lanes = lanes
        if lanes is not None:
            lanes.settled = self._ended
        self._held = ExitStack()
        self._is_held = False
        self._pauses = Pauses(ledger, random)
        asked_apart = None if lanes is None else AskedApart(lookup.ask)
        self._planner = Planner(ledger, connections, lookup, read_reference, self._pauses, asked_apart=asked_apart)
        self._late_look = LateLook(ledger)
        self._ledger_trouble = ""
        self._apart = _Apart()
        self._outlasting: set[Address] = set()
        self._ending = threading.Lock()

    @property
    def patience(self) -> Patience:
        delivery = self.settings.delivery
        return Patience(timedelta(seconds=delivery.quiet_seconds), timedelta(seconds=delivery.reread_seconds))

    def forgive(self) -> None:
        """A person signed in or pressed «deliver now»: what failed may be tried again at once (limits excepted)."""
        self._pauses.forgive()
        self._planner.forget()
        self.look_again()

    def look_again(self) -> None:
        """More matters may be known now (a sign-in, a refresh): the next pass looks at every order without one again."""
        self._guarded(self._ledger.look_again)

    def plan_only(self) -> None:
        """Works out what new orders owe, from local data alone, so that their rows can be shown. Sends nothing."""
        self._planner.plan_all(self.settings, ask=False)

    def run_once(self, *, collect: bool = True) -> Report:
        """One pass; without `collect` the sources are left alone. Raises LedgerDamaged and LedgerTooNew; a passing trouble of
        the ledger is in the report."""
        if not self._take_turn():
            now = self._ledger.now()
            return Report(now, busy=True, next_at=now + BUSY_AGAIN)
        try:
            return self._pass(collect=collect)
        finally:
            self._leave_turn()

    def is_under_way(self) -> bool:
        """Work on threads apart has not come to an end yet."""
        return bool(self._under_way())

    def finish(self, seconds: float) -> bool:
        """Waits for the work on threads apart. True when it has come to an end; only then may another process deliver."""
        if self._lanes is None:
            return True
        ended = self._lanes.wait(self._under_way(), seconds)
        self._leave_turn()
        return ended

    def _under_way(self) -> frozenset[Address]:
        return frozenset() if self._lanes is None else self._lanes.under_way()

    def _take_turn(self) -> bool:
        if not self._is_held:
            with ExitStack() as stack:
                self._is_held = self._turn is None or stack.enter_context(self._turn.take())
                if self._is_held:
                    self._held = stack.pop_all()
        return self._is_held

    def _leave_turn(self) -> None:
        if self._is_held and not self._under_way():
            self._is_held = False
            self._held.close()

    def _pass(self, *, collect: bool) -> Report:
        self._ledger_trouble = ""
        self._apart.raise_damage()
        new = 0
        self._guarded(lambda: self._ledger.recover(self.patience, but=self._under_way(), keep_months=self.settings.audit.months))
        for source in self._sources() if collect else ():
            if self.stopping():
                break
            new += self._collect(source)
        self._guarded(lambda: self._planner.plan_all(self.settings))
        tally = self._deliver_all()
        return self._report(new, tally)

    def _deliver_all(self) -> Tally:
        """Everything that is due. With several organisations it is begun for each of them, and given a moment to end."""
        connected = self._connections.connected()
        if self._lanes is None or (len(connected) < 2 and not self._under_way()):
            tally = Tally()
            for system, tenant in connected:
                self._guarded(partial(self._deliver, system, tenant, tally))
                self._guarded(partial(self._look_for_late, system, tenant))
            return tally
        begun = [one for one in connected if self._lanes.start(one, partial(self._deliver_apart, one))]
        self._lanes.wait(begun, SAY_SO_AFTER)
        with self._ending:
            self._outlasting |= self._under_way().intersection(begun)
        return self._apart.take_tally()

    def _ended(self, address: Address) -> None:
        """On a thread of the lanes. What ended within the pass that began it is in that pass's report."""
        with self._ending:
            told = address not in self._outlasting
            self._outlasting.discard(address)
        if not told:
            self.settled()

    def _deliver_apart(self, address: Address) -> None:
        """On a thread of the lanes. What it meets concerns this organisation alone, but for a ledger that can't be believed."""
        tally, trouble = Tally(), ""
        try:
            self._deliver(*address, tally)
            self._look_for_late(*address)
        except LedgerTrouble as error:
            trouble = str(error)
        except LedgerError as error:
            self._apart.damage = error
        except Exception as error:  # one system's surprise must not end the others' deliveries
            log.exception("Delivering to one organisation failed")
            self._pauses.note(*address, BadAnswer(f"Delivering failed in a way that was not foreseen ({type(error).__name__})."))
        finally:
            self._apart.note(address, tally, trouble)

    def _guarded(self, step: Callable[[], object]) -> None:
        """A full disk stops one step, not the pass: what is noted already can still be delivered."""
        try:
            step()
        except LedgerDamaged:
            raise
        except LedgerTrouble as error:
            self._ledger_trouble = str(error)

    # collecting

    def _collect(self, source: ResultSource) -> int:
        if self._pauses.current(source.name) is not None:
            return 0
        try:
            found = source.collect(self._ledger)
        except ServiceError as error:
            self._pauses.note(source.name, "", error)
            return 0
        except LedgerTrouble as error:
            self._ledger_trouble = str(error)
            return 0
        except LedgerDamaged:
            raise
        except Exception as error:  # one source's surprise must not keep back the others, nor the deliveries
            log.exception("A result source failed")
            self._pauses.note(source.name, "", BadAnswer(f"Results could not be collected ({type(error).__name__})."))
            return 0
        self._pauses.works(source.name)
        return found

    # delivering

    def _deliver(self, system: str, tenant: str, tally: Tally) -> None:
        if self._pauses.current(system, tenant) is not None:
            return
        work = self._ledger.work(system, tenant, AT_ONCE)
        if not work:
            return
        practice = self._connections.practice(system, tenant)
        if practice is None:
            return
        worker = self._worker(practice, tally)
        unread: list[tuple[Work, ServiceError]] = []
        worked = 0
        for matter in work:
            if self.stopping():
                break
            try:
                worker.work(matter)
                worked += 1
                if self._pauses.works(system, tenant):
                    # What met the outage need not sit out its own rest; each desk begins at a moment of its own.
                    self._ledger.wake(system, tenant, timedelta(seconds=self._random.uniform(0.0, WOKEN_WITHIN)))
            except ChangedMeanwhile:
                # A person was quicker; the next pass sees what they did.
                continue
            except MatterUnread as error:
                unread.append((matter, error.error))
                if len(unread) >= 3 and not worked:
                    break
            except TenantStops as error:
                self._pauses.note(system, tenant, error.error)
                break
        self._leave_unread(system, tenant, unread, others_work=worked > 0)

    def _look_for_late(self, system: str, tenant: str) -> None:
        if self.stopping() or self._pauses.current(system, tenant) is not None:
            return
        practice = self._connections.practice(system, tenant)
        if practice is not None:
            self._late_look.look(practice, tenant, self._patience_with(practice))

    def _patience_with(self, practice: PracticeSystem) -> Patience:
        """Where a yes only says that it will be done, the quiet time is passed twice: until the request must have been taken,
        and until what was taken must show."""
        patience = self.patience
        return replace(patience, quiet=2 * patience.quiet) if practice.capabilities.asynchronous_writes else patience

    def _worker(self, practice: PracticeSystem, tally: Tally) -> MatterWorker:
        return MatterWorker(
            ledger=self._ledger,
            practice=practice,
            documents=self._documents(),
            patience=self._patience_with(practice),
            takeover=self._ledger.take_over_wait,
            replan=lambda order_id: self._planner.plan_order(order_id, self.settings, ask=False),
            pauses=self._pauses,
            delay=lambda tries: outcomes.delay(tries, self._random),
            jitter=lambda least: self._sleep((least + (LONGEST_JITTER - least) * self._random.random()).total_seconds()),
            tally=tally,
        )

    def _leave_unread(self, system: str, tenant: str, unread: Sequence[tuple[Work, ServiceError]], *, others_work: bool) -> None:
        """Matters that could not be read. Where others could, it is the matter's own fault and counts against it; where none
        could, the practice system rests as a whole."""
        now = self._ledger.now()
        if unread and not others_work:
            self._pauses.note(system, tenant, unread[0][1])
        for matter, error in unread:
            for posting in self._ledger.in_flight(matter.place):
                if posting.next_at is None or posting.next_at > now or posting.state is DeliveryState.SENDING:
                    continue
                if others_work:
                    until = now + outcomes.delay(posting.faults + 1, self._random)
                    with suppress(ChangedMeanwhile):
                        self._ledger.postpone(posting, str(error), until, fault=True)

    # reporting

    def _report(self, new: int, tally: Tally) -> Report:
        now = self._ledger.now()
        moments: list[datetime] = []
        connected = set(self._connections.connected())
        under_way = self._under_way()
        for (system, tenant), due in self._ledger.due_by_tenant().items():
            if (system, tenant) in connected and (system, tenant) not in under_way:
                resting = self._pauses.current(system, tenant)
                moments.append(due if resting is None else max(due, resting.until))
        troubles = self._pauses.troubles()
        resting_now = [one for one in troubles if not one.needs_person and one.until > now]
        moments += [one.until for one in resting_now if (one.where, one.tenant) not in connected]
        trouble = [one for one in troubles if one.until > now or not one.needs_person]
        if ledger_trouble := self._ledger_trouble or self._apart.trouble():
            trouble.append(Trouble(LEDGER, "", ledger_trouble, now + LEDGER_REST, 1))
            moments = [now + LEDGER_REST]
        waits = [source.due_in() for source in self._sources() if isinstance(source, Eager)]
        looks = [now + timedelta(seconds=seconds) for seconds in waits if seconds is not None]
        return Report(
            at=now,
            new=new,
            sent=tally.sent,
            reads=tally.reads,
            next_at=max(min(moments), now) if moments else None,
            sources_at=min(looks) if looks else None,
            waiting_for_person=self._ledger.waiting_for_person(),
            trouble=tuple(trouble),
        )

    def pending(self) -> tuple[Pending, ...]:
        """What time alone can still finish: not what waits for a person, for a sign-in, or for another PC's time to pass."""
        now = self._ledger.now()
        connected = set(self._connections.connected())
        under_way = self._under_way()
        found = []
        for posting in self._ledger.pending():
            address = (posting.place.system, posting.place.tenant)
            if address not in connected or posting.person or self._is_left_to_others(posting, now):
                continue
            due, tries = posting.next_at or now, posting.faults
            if address in under_way:
                due = max(due, now + UNDER_WAY_AGAIN)
            resting = self._pauses.current(*address)
            if resting is None and posting.download_url and self._ledger.body(posting.key) is None:
                resting = self._pauses.current(DOCUMENTS)
            if resting is not None:
                if resting.needs_person:
                    continue
                due, tries = max(due, resting.until), max(tries, resting.tries)
            found.append(Pending(posting.key, posting.state, due, tries))
        return tuple(found)

    def explained(self, deliveries: Sequence[Delivery]) -> tuple[Delivery, ...]:
        """The same, with a reason for those that wait for a sign-in or for a limit to pass and say nothing of their own."""
        connected = set(self._connections.connected())
        return tuple(replace(one, reason=self._why(one, connected)) if _is_silent(one) else one for one in deliveries)

    def _why(self, delivery: Delivery, connected: Set[tuple[str, str]]) -> str:
        address = (delivery.system, delivery.tenant)
        if address not in connected:
            known = self._known_as(*address) or "the organisation that its matter belongs to"
            return f"Waits for the sign-in to {known}."
        resting = self._pauses.current(*address)
        if resting is None:
            return ""
        alone = resting.needs_person or "by itself" in resting.message
        return resting.message if alone else f"{resting.message} It goes on by itself."

    def left(self) -> int:
        """How many deliveries are neither done, nor with a person, nor left to the PC that they were ordered on."""
        now = self._ledger.now()
        return sum(1 for one in self._ledger.pending() if not one.person and not self._is_left_to_others(one, now))

    def resting_sources(self) -> tuple[Trouble, ...]:
        """Sources that time alone may bring back."""
        names = {source.name for source in self._sources()}
        return tuple(one for one in self._pauses.troubles() if one.where in names and not one.needs_person)

    def _is_left_to_others(self, posting: Posting, now: datetime) -> bool:
        waiting = posting.next_at is not None and posting.next_at > now
        if posting.state is not DeliveryState.QUEUED or posting.touched or not waiting:
            return False
        # Once its turn has come, a wait after a fault is our own wait, whoever placed the order.
        deferred = posting.deferred and not posting.faults
        return self._ledger.is_anothers(posting.order_id) if deferred else self._ledger.is_left_alone(posting.order_id)
