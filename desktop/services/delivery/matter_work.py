"""Everything that is due on one matter: read it, take in what it shows, send what is missing, read it back."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import PurePath

from desktop.services.delivery import outcomes
from desktop.services.delivery.outcomes import Outcome
from desktop.services.delivery.pauses import Pauses
from desktop.services.delivery.planner import no_negatives
from desktop.services.delivery.ports import DocumentFetcher
from desktop.services.errors import AnswerLost, BadAnswer, LeftUnmarked, NotNow, NotSent, Refused, ServiceError, SignedOut, Wait
from desktop.services.ledger import wording
from desktop.services.ledger.book_lines import Seen
from desktop.services.ledger.dispatch import Patience, too_many_tries
from desktop.services.ledger.errors import LedgerTrouble
from desktop.services.ledger.facts import Place, Posting
from desktop.services.ledger.ledger import Ledger, Work
from desktop.services.ledger.model import DeliveryKind, DeliveryState
from desktop.services.ledger.planning import HOLD_DELETED, HOLD_FILE, HOLD_NEGATIVE, HOLD_TRIES, HOLD_UNMARKED
from desktop.services.loggable import error_kind
from desktop.services.practice.keys import file_word_in
from desktop.services.practice.model import CostLine, Document, PostedCost, PostedDocument, Receipt
from desktop.services.practice.practice_system import KeepsDeleted, MatterRef, PracticeSystem, Urgency

log = logging.getLogger(__name__)

FRESH = timedelta(seconds=5)
"""A read is good for sends of this installation's own orders that begin within this time."""

FRESH_FOR_OTHERS = timedelta(seconds=1)
"""The same for the first send of an order that another PC may send as well; and only while nothing else was sent since."""

LONGEST_JITTER = timedelta(seconds=2)
AT_WORK = timedelta(seconds=0.5)
"""At least so long another PC is left to finish the order that it is seen to be at work on."""

LOOKS = 4
"""So often an order is looked at anew while the matter shows that another PC is at work on it."""

DOCUMENTS = "documents"

_BEYOND_MONEY = Decimal(10) ** 15

_ABOUT_THE_SIGN = re.compile(r"negativ|positiv|minus|credit|below|less than|greater than|at least|zero|[<>]", re.IGNORECASE)

_UNMARKED = (
    "It was sent without an answer, and a line like it stands there without our mark: it may be this one. If it is, put {key} "
    "into that line's note and then retry. If it is not, retry, and it is sent again."
)


class TenantStops(Exception):
    """The tenant's other deliveries would meet the same; `error` says what."""

    def __init__(self, error: ServiceError) -> None:
        super().__init__(str(error))
        self.error = error


class MatterUnread(Exception):
    """The matter could not be read believably; whether that is the matter's fault or the system's shows elsewhere."""

    def __init__(self, error: ServiceError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(slots=True)
class Tally:
    """What a pass did."""

    sent: int = 0
    accepted: int = 0
    reads: int = 0


@dataclass(slots=True)
class MatterWorker:
    """Works on one tenant's matters. `replan` plans an order anew (no network); `jitter` lets a random moment
    pass, of at least so long, so that two PCs that begin together do not go on together."""

    ledger: Ledger
    practice: PracticeSystem
    documents: DocumentFetcher | None
    patience: Patience
    takeover: Callable[[], timedelta]
    replan: Callable[[str], None]
    pauses: Pauses
    delay: Callable[[int], timedelta]
    jitter: Callable[[timedelta], None] = lambda least: None
    tally: Tally = field(default_factory=Tally)
    _read_at: dict[DeliveryKind, datetime] = field(default_factory=dict)
    _sent_since: set[DeliveryKind] = field(default_factory=set)
    _jittered: bool = False
    _unmarked: list[PostedCost] = field(default_factory=list)

    def work(self, work: Work) -> None:
        """One matter. Raises TenantStops or MatterUnread; everything that was learnt before is in the ledger."""
        self._weed(work.place)
        self._fetch_files(work.place)
        due = self._due(work.place)
        if not due:
            return
        costs = any(one.kind is DeliveryKind.COST for one in due)
        documents = any(one.kind is DeliveryKind.DOCUMENT for one in due)
        self._keep_apart(due)
        self._read(work.place, costs=costs, documents=documents, first=True)
        self._hold_if_deleted(work.place)
        if self._send_all(work.place, costs=costs, documents=documents):
            sent = [one for one in self.ledger.in_flight(work.place) if one.state is DeliveryState.ACCEPTED]
            self._read(
                work.place,
                costs=any(one.kind is DeliveryKind.COST for one in sent),
                documents=any(one.kind is DeliveryKind.DOCUMENT for one in sent),
                first=False,
            )

    def _due(self, place: Place) -> list[Posting]:
        now = self.ledger.now()
        return [one for one in self.ledger.in_flight(place) if one.next_at is not None and one.next_at <= now]

    def _weed(self, place: Place) -> None:
        """What was tried too often goes to a person."""
        for posting in self._due(place):
            if posting.state is DeliveryState.QUEUED:
                self._given_up(posting)

    def _given_up(self, posting: Posting) -> bool:
        reason = too_many_tries(posting, self.ledger.now(), outcomes.TRIES, outcomes.TRYING_TIME)
        if reason:
            self.ledger.to_person(posting, HOLD_TRIES, reason)
        return bool(reason)

    # files

    def _fetch_files(self, place: Place) -> None:
        """Every document that is due gets its file, kept on disk, before anything is sent."""
        for posting in self._due(place):
            if posting.kind is DeliveryKind.DOCUMENT and posting.state is DeliveryState.QUEUED:
                self._fetch_file(posting)

    def _fetch_file(self, posting: Posting) -> None:
        kept = self.ledger.body(posting.key)
        if kept is None:
            try:
                name, content = self._file_of(posting)
            except (SignedOut, Wait, NotSent, NotNow) as error:
                # InfoTrack as a whole does not answer: that is no fault of this document.
                trouble = self.pauses.current(DOCUMENTS) or self.pauses.note(DOCUMENTS, "", error)
                until = min(trouble.until, self.ledger.now() + outcomes.LONGEST_DELAY)
                self.ledger.postpone(posting, f"The file could not be fetched yet. {error}", until)
                return
            except Refused as error:
                self.ledger.reject(posting, f"InfoTrack does not give the file: {error.reason}")
                return
            except ServiceError as error:
                until = self.ledger.now() + self.delay(posting.faults + 1)
                self.ledger.postpone(posting, f"The file could not be fetched. {error}", until, fault=True)
                return
            try:
                self.ledger.keep_body(posting.key, content, name)
            except LedgerTrouble as error:
                # A full disk keeps back new files, not what is under way.
                self.ledger.postpone(posting, str(error), self.ledger.now() + outcomes.LONGEST_DELAY)
                return
            kept = (name, content)
        limit = self.practice.capabilities.max_document_bytes
        if len(kept[1]) > limit:
            self.ledger.to_person(
                posting,
                HOLD_FILE,
                f"The file has {_megabytes(len(kept[1]))} MB; the practice system takes {_megabytes(limit)} MB. "
                "Save it from InfoTrack, make it smaller and file it by hand, then cancel this delivery.",
            )

    def _file_of(self, posting: Posting) -> tuple[str, bytes]:
        if posting.file_message is not None:
            typed = self.ledger.typed_file(posting.file_message)
            if typed is not None:
                return wording.with_extension(posting.file_name, PurePath(typed[0]).suffix or ".pdf"), typed[1]
        resting = self.pauses.current(DOCUMENTS)
        if resting is not None:
            raise NotNow(resting.message)
        if self.documents is None:
            raise NotNow("Sign in to InfoTrack, so that files can be fetched.")
        fetched = self.documents.fetch(posting.download_url)
        self.pauses.works(DOCUMENTS)
        return wording.with_extension(posting.file_name, fetched.extension), fetched.content

    # reading

    def _keep_apart(self, due: Sequence[Posting]) -> None:
        """Where orders of nobody's are taken over at once, only chance keeps two PCs from sending in the same moment."""
        if self._jittered or not self.ledger.takes_over_at_once:
            return
        if any(one.state is DeliveryState.QUEUED and not self.ledger.was_started_here(one.order_id) for one in due):
            self._jittered = True
            self.jitter(timedelta())

    def _read(self, place: Place, *, costs: bool, documents: bool, first: bool) -> bool:
        """True when it showed that another PC is at work on an order of this matter."""
        matter = MatterRef(place.matter_id, place.matter_number)
        others = False
        try:
            if costs:
                read_at = self.ledger.read_begins()
                there = self.practice.costs(matter)
                self._unmarked = [posted for posted in there if not posted.keys]
                lines = seen_among(self.practice, self.ledger, there)
                others |= self._take_in(place, lines, read_at, documents=False, first=first)
            if documents:
                read_at = self.ledger.read_begins()
                lines = [one for filed in self.practice.documents(matter) for one in seen_document(filed)]
                others |= self._take_in(place, lines, read_at, documents=True, first=first)
        except Refused as error:
            again = self.ledger.now() + outcomes.LONGEST_DELAY
            keys = [one.key for one in self._due(place)]
            self.ledger.unreadable(keys, f"The practice system does not show the matter: {error.reason}", again)
        except (AnswerLost, BadAnswer) as error:
            raise MatterUnread(error) from error
        except ServiceError as error:
            raise TenantStops(error) from error
        return others

    def _take_in(self, place: Place, lines: Sequence[Seen], read_at: datetime, *, documents: bool, first: bool) -> bool:
        kind = DeliveryKind.DOCUMENT if documents else DeliveryKind.COST
        self._read_at[kind] = self.ledger.now()
        self._sent_since.discard(kind)
        self.tally.reads += 1
        noted = self.ledger.note_books(place, documents=documents, seen=lines, read_at=read_at, patience=self.patience)
        for order_id in noted.surprised:
            self.replan(order_id)
        if first:
            self._leave_to_others(place, noted.others)
        return bool(noted.others)

    def _leave_to_others(self, place: Place, orders: Sequence[str]) -> None:
        """Another PC is at work on an order that is not ours: what it has not posted yet is left to it once more."""
        for order_id in orders:
            if not self.ledger.is_anothers(order_id):
                continue
            for posting in self._due(place):
                if posting.order_id == order_id and posting.state is DeliveryState.QUEUED and not posting.deferred:
                    until = self.ledger.now() + self.takeover()
                    self.ledger.postpone(posting, "Another PC has begun to deliver this order.", until, deferred=True)

    def _hold_if_deleted(self, place: Place) -> None:
        """Nothing is charged to a matter that was deleted since the list of matters was read."""
        queued = [one for one in self._due(place) if one.state is DeliveryState.QUEUED]
        if not queued or not isinstance(self.practice, KeepsDeleted):
            return
        try:
            deleted = self.practice.is_deleted(MatterRef(place.matter_id, place.matter_number))
        except (AnswerLost, BadAnswer, Refused) as error:
            raise MatterUnread(error) from error
        except ServiceError as error:
            raise TenantStops(error) from error
        for posting in queued if deleted else ():
            self.ledger.to_person(posting, HOLD_DELETED, f"The job {place.matter_number} was deleted. Choose another one.")

    # sending

    def _send_all(self, place: Place, *, costs: bool, documents: bool) -> bool:
        """Sends what is due, in the order in which it was planned. True when something was accepted."""
        accepted = self.tally.accepted
        begun: set[tuple[str, DeliveryKind]] = set()
        kinds = [kind for kind, read in ((DeliveryKind.COST, costs), (DeliveryKind.DOCUMENT, documents)) if read]
        for planned in self._due(place):
            if planned.state is not DeliveryState.QUEUED or planned.kind not in kinds or self._given_up(planned):
                continue
            before = self._goes_before(planned)
            if before is not None:
                later = max(before.next_at or self.ledger.now(), self.ledger.now() + outcomes.SHORTEST_DELAY)
                self.ledger.postpone(planned, f"Waits for {before.key}.", later)
                continue
            self._look(planned, first=(planned.order_id, planned.kind) not in begun)
            begun.add((planned.order_id, planned.kind))
            # The read may have settled it, left it to another PC, or planned it anew.
            posting = self.ledger.posting(planned.key)
            if posting is None or posting.state is not DeliveryState.QUEUED or self._is_later(posting):
                continue
            if self._may_stand_unmarked(posting):
                self.ledger.to_person(posting, HOLD_UNMARKED, _UNMARKED.format(key=posting.key))
                continue
            self._send(posting)
            self._sent_since.add(posting.kind)
        return self.tally.accepted > accepted

    def _is_later(self, posting: Posting) -> bool:
        return posting.next_at is None or posting.next_at > self.ledger.now()

    def _look(self, posting: Posting, *, first: bool) -> None:
        """Reads the matter again where the last read is too old to send this by (contracts, section 5)."""
        shared = first and not self.ledger.was_started_here(posting.order_id)
        for look in range(LOOKS):
            age = self.ledger.now() - self._read_at[posting.kind]
            # By a clock that was set back since nobody can tell how old it is.
            old = not timedelta() <= age <= (FRESH_FOR_OTHERS if shared else FRESH)
            stale = old or (shared and posting.kind in self._sent_since)
            if not stale and not look:
                return
            costs = posting.kind is DeliveryKind.COST
            others = self._read(posting.place, costs=costs, documents=not costs, first=True)
            if not (others and shared and self.ledger.takes_over_at_once):
                return
            self.jitter(AT_WORK)

    def _may_stand_unmarked(self, posting: Posting) -> bool:
        """Where a line may lose its note, one that is equal in all else may be the one that was sent. Such a likeness confirms
        nothing, but sending again would be a guess."""
        if posting.cost is None or not posting.touched or self.practice.capabilities.keeps_marks:
            return False
        alike = any(
            one.quantity * one.unit_cost == posting.cost
            and one.description.strip() == posting.description.strip()
            and one.on in (None, posting.on)
            for one in self._unmarked
        )
        return alike and self.ledger.was_sent_since_asked(posting)

    def _goes_before(self, posting: Posting) -> Posting | None:
        """An earlier cost of the same order whose fate is open: a difference is not posted before what it differs from."""
        if posting.kind is not DeliveryKind.COST:
            return None
        for other in self.ledger.in_flight(posting.place):
            same = other.order_id == posting.order_id and other.kind is DeliveryKind.COST and other.seq < posting.seq
            if same and other.state is not DeliveryState.ACCEPTED:
                return other
        return None

    def _send(self, posting: Posting) -> None:
        kept = None
        if posting.kind is DeliveryKind.DOCUMENT:
            kept = self.ledger.body(posting.key)
            if kept is None:
                return
        claimed = self.ledger.claim(posting.key)
        if claimed is None:
            return
        self.tally.sent += 1
        receipt, error = Receipt(), None
        try:
            if kept is None:
                receipt = self.practice.post_cost(cost_line(claimed))
            else:
                receipt = self.practice.post_document(document(claimed, *kept))
        except ServiceError as caught:
            error = caught
        except Exception as caught:  # noqa: BLE001  # an adapter's surprise must not pass for «not sent»
            log.warning("A send ended in an unforeseen %s", error_kind(caught))
            error = AnswerLost("The send ended in an error that was not foreseen.")
        self._settle(claimed, receipt, error)

    def _settle(self, posting: Posting, receipt: Receipt, error: ServiceError | None) -> None:
        outcome = outcomes.of_send(error)
        match outcome:
            case Outcome.DONE:
                self.tally.accepted += 1
                self.ledger.accepted(posting, receipt.remote_id)
            case Outcome.UNKNOWN:
                self.ledger.lost(posting, str(error), self.patience)
            case Outcome.REFUSED:
                self._refused(posting, error)
            case _:
                fault = outcome.costs_an_attempt
                until = self.ledger.now() + (self.delay(posting.faults + 1) if fault else timedelta())
                self.ledger.not_done(posting, str(error), until, fault=fault)
        if outcome.stops_the_tenant and error is not None:
            raise TenantStops(error)

    def _refused(self, posting: Posting, error: ServiceError | None) -> None:
        reason = error.reason if isinstance(error, Refused) else str(error)
        if posting.cost is None or posting.cost >= 0 or isinstance(error, LeftUnmarked):
            self.ledger.refused(posting, reason)
            return
        # Nobody has said whether this system takes credits: its first answer decides, if it is about that. A job that is
        # closed, say, refuses this credit and no other.
        if self.practice.capabilities.negative_costs is None and _ABOUT_THE_SIGN.search(reason):
            self.ledger.remember(no_negatives(posting.place.system, posting.place.tenant), "yes")
        told = self.ledger.correction(posting, one_price=self.practice.capabilities.one_price)
        self.ledger.refused(posting, f"The practice system refused this credit: {reason} {told}", hold=HOLD_NEGATIVE)


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f}"


def seen_costs(practice: PracticeSystem, ledger: Ledger, matter: MatterRef, urgency: Urgency) -> list[Seen]:
    """One whole read of a matter's costs. Raises what PracticeSystem.costs raises, and BadAnswer as `seen_cost`."""
    return seen_among(practice, ledger, practice.costs(matter, urgency=urgency))


def seen_among(practice: PracticeSystem, ledger: Ledger, costs: Iterable[PostedCost]) -> list[Seen]:
    seen: list[Seen] = []
    for posted in costs:
        known = ledger.posting(posted.keys[-1]) if practice.capabilities.one_price and posted.keys else None
        seen += seen_cost(posted, known)
    return seen


def seen_cost(posted: PostedCost, known: Posting | None = None) -> list[Seen]:
    """A line counts under each key in its note; its amount belongs to the last one, which is the one it was posted under.
    `known` is our own row of that key where the system keeps the price alone: a line that still has its price has its cost,
    whatever the markup has become since.

    Raises BadAnswer for an amount that is none: anybody who may write into the books may write our key beside it."""
    if not posted.keys:
        return []
    cost = posted.quantity * posted.unit_cost
    if known is not None and known.cost is not None and known.price == posted.quantity * posted.unit_price:
        cost = known.cost
    if not cost.is_finite() or abs(cost) >= _BEYOND_MONEY:
        raise BadAnswer("A line of the matter that carries one of our keys has an amount beyond all reckoning.")
    return [
        Seen(key, cost if key == posted.keys[-1] else None, posted.code, posted.remote_id) for key in dict.fromkeys(posted.keys)
    ]


def seen_document(filed: PostedDocument) -> list[Seen]:
    return [Seen(key, None, file_word_in(filed.text), filed.remote_id) for key in dict.fromkeys(filed.keys)]


def cost_line(posting: Posting) -> CostLine:
    """The line as it was fixed when it was planned: every send of it is the same."""
    if posting.cost is None or posting.price is None or posting.on is None:
        raise ValueError("a cost without amounts can't be sent")
    return CostLine(
        key=posting.key,
        matter_number=posting.place.matter_number,
        matter_id=posting.place.matter_id,
        on=posting.on,
        description=posting.description,
        code=posting.code,
        note=posting.note,
        unit_cost=posting.cost,
        unit_price=posting.price,
        billable=posting.billable,
        gst=posting.gst or Decimal("0.00"),
        gst_included=posting.gst_included,
        taxed=posting.taxed,
    )


def document(posting: Posting, file_name: str, content: bytes) -> Document:
    return Document(
        key=posting.key,
        matter_number=posting.place.matter_number,
        matter_id=posting.place.matter_id,
        title=posting.title,
        text=posting.note,
        folder=posting.folder,
        file_name=file_name,
        content=content,
    )
