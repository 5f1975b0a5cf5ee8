"""A firm's books, a feed and a list of matters, all in memory, with faults on demand; and a clock that tests move."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Final

from desktop.services.delivery.courier import Courier, Report
from desktop.services.delivery.turn import Turn
from desktop.services.errors import Refused, ServiceError
from desktop.services.infotrack.inbox import FeedCursor, Inbox
from desktop.services.infotrack.model import Fee, FetchedFile, Incoming, OrderMessage, RetailerReference, Source
from desktop.services.ledger.errors import ActionRefused
from desktop.services.ledger.facts import split_key
from desktop.services.ledger.ledger import Ledger
from desktop.services.ledger.model import Suggestion
from desktop.services.ledger.passed import Uptime
from desktop.services.practice.model import (
    AccessFinding,
    ClientDetails,
    CostCode,
    CostLine,
    Document,
    Matter,
    PostedCost,
    PostedDocument,
    Receipt,
    Staff,
)
from desktop.services.practice.practice_system import Capabilities, MatterRef, Urgency
from desktop.settings import Costs, Delivery, Practice, Results, Settings

XPM: Final = "xero-practice-manager"
FIRM = "firm-1"
START = datetime(2026, 3, 4, 1, 0, tzinfo=UTC)


class Clock:
    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def pass_time(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def read_reference(text: str) -> RetailerReference | None:
    """The mark of contracts, section 5, as the house reads it."""
    head, _, rest = text.partition("|")
    tag, _, installation = head.partition("_")
    system, _, matter_id = rest.partition("|")
    if tag != "ICONNECT1" or not installation or not system or not matter_id:
        return None
    return RetailerReference(tag, installation, system, matter_id)


def matter(number: str, *, system: str = XPM, tenant: str = FIRM, matter_id: str = "") -> Matter:
    return Matter(system=system, tenant=tenant, id=matter_id or f"id-{number}", number=number, name=f"Matter {number}")


def fee(net: str, gst: str = "0.00") -> Fee:
    return Fee(Decimal(net), Decimal(gst), Decimal(net) + Decimal(gst))


def order(
    order_id: str = "71000123",
    *,
    number: str = "J001",
    reference: str = "",
    retailer: Fee | None = None,
    supplier: Fee | None = None,
    total: Fee | None = None,
    hash: str = "",
    sequence: int | None = None,
    status: str = "Complete",
    parent: str = "",
) -> OrderMessage:
    return OrderMessage(
        order_id=order_id,
        parent_id=parent,
        client_reference=number,
        retailer_reference=reference,
        reference="12RP90001",
        service="Title Search",
        description="QLD: Title Search - 12RP90001",
        ordered_by="Sample Firm",
        ordered_at=datetime(2026, 3, 3, 20, 0, tzinfo=UTC),
        status=status,
        retailer=retailer,
        supplier=supplier,
        total=total,
        download_url=f"https://api.infotrack.com.au/v1/order/download/{order_id}" if hash else "",
        file_hash=hash,
        sequence=sequence,
    )


@dataclass
class Books:
    """The practice system's own ledger: what the checker believes. Shared by every PC of a firm.

    `script` is asked at each call with its name and may return an error to raise; `after` decides whether a write that was
    asked for still takes effect although its answer is an error ("lost")."""

    clock: Clock
    costs: dict[str, list[PostedCost]] = field(default_factory=dict)
    documents: dict[str, list[tuple[PostedDocument, bytes]]] = field(default_factory=dict)
    late: list[tuple[datetime, Callable[[], None]]] = field(default_factory=list)
    unseen_until: dict[str, datetime] = field(default_factory=dict)
    count: int = 0

    def settle(self) -> None:
        due = [effect for at, effect in self.late if at <= self.clock()]
        self.late = [(at, effect) for at, effect in self.late if at > self.clock()]
        for effect in due:
            effect()

    def add_cost(self, line: CostLine) -> str:
        self.count += 1
        posted = PostedCost(
            remote_id=f"c{self.count}",
            keys=tuple(word for word in line.note.split() if split_key(word)),
            description=line.description,
            code=line.code,
            note=line.note,
            quantity=Decimal(1),
            unit_cost=line.unit_cost,
            unit_price=line.unit_price,
            billable=line.billable,
            on=line.on,
        )
        self.costs.setdefault(line.matter_id, []).append(posted)
        return posted.remote_id

    def add_document(self, document: Document) -> str:
        self.count += 1
        filed = PostedDocument(
            remote_id=f"d{self.count}",
            keys=tuple(word for word in document.text.split() if split_key(word)),
            title=document.title,
            text=document.text,
            folder=document.folder,
            file_name=document.file_name,
        )
        self.documents.setdefault(document.matter_id, []).append((filed, document.content))
        return filed.remote_id

    def posted_keys(self) -> list[str]:
        """Every key in the books, as often as it stands there."""
        found = [key for lines in self.costs.values() for line in lines for key in line.keys]
        return found + [key for filed in self.documents.values() for one, _ in filed for key in one.keys]

    def sum_on(self, number: str) -> Decimal:
        return sum((line.unit_cost for line in self.costs.get(f"id-{number}", [])), Decimal("0.00"))


Fault = Callable[[str, str], ServiceError | None]


TAKES_ALL = Capabilities(negative_costs=True, deletes_costs=False, folders=True, max_document_bytes=1_000_000)


@dataclass
class FakePractice:
    """A practice system over Books. `fault(call, key or matter)` may give an error; with `does_it_anyway` a write takes
    effect all the same, at once or after `late_by`."""

    books: Books
    name: str = XPM
    capabilities: Capabilities = TAKES_ALL
    fault: Fault = lambda call, what: None
    does_it_anyway: bool = False
    late_by: timedelta = timedelta()
    calls: list[tuple[str, str]] = field(default_factory=list)
    sent: list[CostLine | Document] = field(default_factory=list)
    known: frozenset[str] | None = None

    def _call(self, name: str, what: str) -> None:
        self.calls.append((name, what))
        self.books.settle()
        error = self.fault(name, what)
        if error is not None:
            raise error

    def costs(self, matter: MatterRef, *, urgency: Urgency = Urgency.READ_BACK) -> tuple[PostedCost, ...]:
        self._call("costs", matter.number)
        if self.known is not None and matter.number not in self.known:
            raise Refused("Invalid job identifier")
        return tuple(line for line in self.books.costs.get(matter.id, []) if self._visible(line.keys))

    def documents(self, matter: MatterRef, *, urgency: Urgency = Urgency.READ_BACK) -> tuple[PostedDocument, ...]:
        self._call("documents", matter.number)
        return tuple(filed for filed, _ in self.books.documents.get(matter.id, []) if self._visible(filed.keys))

    def _visible(self, keys: Sequence[str]) -> bool:
        return all(self.books.unseen_until.get(key, self.books.clock()) <= self.books.clock() for key in keys)

    def post_cost(self, line: CostLine, *, urgency: Urgency = Urgency.SEND) -> Receipt:
        self.sent.append(line)
        return self._write("post_cost", line.key, lambda: self.books.add_cost(line))

    def post_document(self, document: Document, *, urgency: Urgency = Urgency.SEND) -> Receipt:
        self.sent.append(document)
        return self._write("post_document", document.key, lambda: self.books.add_document(document))

    def _write(self, name: str, key: str, effect: Callable[[], str]) -> Receipt:
        self.calls.append((name, key))
        self.books.settle()
        error = self.fault(name, key)
        if error is None:
            return Receipt(effect())
        if self.does_it_anyway and self.late_by:

            def land() -> None:
                effect()

            self.books.late.append((self.books.clock() + self.late_by, land))
        elif self.does_it_anyway:
            effect()
        raise error

    def matters(self, *, urgency: Urgency = Urgency.BACKGROUND, since: datetime | None = None) -> Iterator[Matter]:
        return iter(())

    def matter(self, number: str, *, urgency: Urgency = Urgency.PERSON) -> Matter | None:
        return None

    def client(self, client_id: str, *, urgency: Urgency = Urgency.PERSON) -> ClientDetails | None:
        return None

    def staff(self, *, urgency: Urgency = Urgency.BACKGROUND) -> tuple[Staff, ...]:
        return ()

    def cost_codes(self, *, urgency: Urgency = Urgency.PERSON) -> tuple[CostCode, ...]:
        return ()

    def check_access(self) -> tuple[AccessFinding, ...]:
        return ()

    def named(self, call: str) -> list[str]:
        return [what for name, what in self.calls if name == call]


@dataclass
class FakeConnections:
    practices: dict[tuple[str, str], FakePractice]
    signed_out: set[tuple[str, str]] = field(default_factory=set)

    def practice(self, system: str, tenant: str) -> FakePractice | None:
        return None if (system, tenant) in self.signed_out else self.practices.get((system, tenant))

    def connected(self) -> tuple[tuple[str, str], ...]:
        return tuple(one for one in sorted(self.practices) if one not in self.signed_out)


@dataclass
class FakeLookup:
    matters: list[Matter]
    remote: list[Matter] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def by_id(self, system: str, matter_id: str) -> Matter | None:
        return next((one for one in self.matters if (one.system, one.id) == (system, matter_id)), None)

    def by_number(self, number: str) -> tuple[Matter, ...]:
        return tuple(one for one in self.matters if one.number.casefold() == number.strip().casefold())

    def ask(self, system: str, number: str) -> Matter | None:
        self.asked.append(number)
        return next((one for one in self.remote if one.system == system and one.number == number), None)

    def suggestions(self, message: OrderMessage, limit: int = 5) -> tuple[Suggestion, ...]:
        return ()


@dataclass
class FakeFeed:
    """A message feed. Everything in it comes again on every collection that starts from the beginning."""

    messages: list[OrderMessage] = field(default_factory=list)
    name: str = "feed"
    fault: Callable[[], Exception | None] = lambda: None

    def collect(self, inbox: Inbox) -> int:
        error = self.fault()
        if error is not None:
            raise error
        start = int(inbox.cursor(self.name) or 0)
        new = [Incoming(message, b"raw", Source.FEED) for message in self.messages[start:]]
        return inbox.record(new, cursor=FeedCursor(self.name, str(len(self.messages)))) if new else 0


@dataclass
class FakeFiles:
    """InfoTrack's downloads: the same address gives what the file is at the moment."""

    content: Callable[[str], bytes] = lambda url: b"%PDF-1.7 " + url.encode()
    fault: Callable[[str], ServiceError | None] = lambda url: None
    fetched: list[str] = field(default_factory=list)

    def fetch(self, download_url: str) -> FetchedFile:
        self.fetched.append(download_url)
        error = self.fault(download_url)
        if error is not None:
            raise error
        return FetchedFile(self.content(download_url), ".pdf", "application/pdf")


def settings(**costs: object) -> Settings:
    """Codes GST and FREE, at once for other PCs' orders, unless told otherwise."""
    chosen: dict[str, object] = {"code_taxed": "GST", "code_untaxed": "FREE", **costs}
    return Settings(
        practice=Practice(system=XPM),
        costs=Costs(**chosen),  # type: ignore[arg-type]  # the test names the fields
        results=Results(takeover_minutes=0),
        delivery=Delivery(),
    )


@dataclass
class Office:
    """One PC with its own ledger, at a firm's books. Many may share clock, books, feed and matters."""

    folder: Path
    clock: Clock
    books: Books
    feed: FakeFeed = field(default_factory=FakeFeed)
    files: FakeFiles = field(default_factory=FakeFiles)
    lookup: FakeLookup = field(default_factory=lambda: FakeLookup([matter("J001"), matter("J002"), matter("J003")]))
    settings: Settings = field(default_factory=settings)
    takeover: timedelta = timedelta()
    seed: int = 1
    sleep: Callable[[float], None] = lambda seconds: None
    uptime: Callable[[], Uptime] | None = None
    practice: FakePractice = field(init=False)
    connections: FakeConnections = field(init=False)
    ledger: Ledger = field(init=False)
    courier: Courier = field(init=False)

    def __post_init__(self) -> None:
        self.practice = FakePractice(self.books)
        self.connections = FakeConnections({(XPM, FIRM): self.practice})
        self.start()

    def start(self) -> None:
        """Starts the program: the ledger is opened from its file."""
        random = Random(self.seed)
        self.ledger = Ledger.open(
            self.folder / "ledger.db",
            clock=self.clock,
            random=random,
            takeover=self.takeover,
            read_reference=read_reference,
            uptime=self.uptime,
        )
        self.courier = Courier(
            self.ledger,
            connections=self.connections,
            lookup=self.lookup,
            sources=lambda: (self.feed,),
            documents=lambda: self.files,
            settings=self.settings,
            read_reference=read_reference,
            random=random,
            turn=Turn(self.folder),
            sleep=self.sleep,
        )

    def restart(self) -> None:
        self.ledger.close()
        self.start()

    def ours(self, number: str = "J001") -> str:
        """Our own mark for an order started here."""
        return f"ICONNECT1_{self.ledger.installation}|{XPM}|id-{number}"

    def receive(self, *messages: OrderMessage, source: Source = Source.FILE) -> int:
        return self.ledger.record([Incoming(message, b"raw", source) for message in messages])

    def deliver(self) -> Report:
        return self.courier.run_once()

    def deliver_until(self, seconds: float) -> None:
        """Passes whenever something is due, for so long."""
        end = self.clock() + timedelta(seconds=seconds)
        for _ in range(500):
            report = self.deliver()
            if report.next_at is None or report.next_at > end:
                break
            self.clock.at = max(report.next_at, self.clock() + timedelta(milliseconds=1))
        self.clock.at = max(self.clock(), end)

    def states(self) -> dict[str, str]:
        return {one.key: one.state.value for one in self.ledger.deliveries()}

    def reason(self, key: str) -> str:
        return next(one.reason for one in self.ledger.deliveries() if one.key == key)

    def amounts(self) -> dict[str, Decimal]:
        """Unit costs in the books by key."""
        return {key: line.unit_cost for lines in self.books.costs.values() for line in lines for key in line.keys}

    def change_settings(self, **costs: object) -> None:
        self.settings = settings(**costs)
        self.courier.settings = self.settings

    def capable(self, **changes: object) -> None:
        self.practice.capabilities = replace(self.practice.capabilities, **changes)  # type: ignore[arg-type]  # the test names them

    def retry_or_approve(self, key: str) -> None:
        """What a person does who wants everything posted."""
        try:
            self.ledger.approve(key)
        except ActionRefused:
            pass
