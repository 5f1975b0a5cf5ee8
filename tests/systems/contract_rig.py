"""One firm in every practice system's stand-in, and one PC that delivers to it by the real adapters, ledger and courier.

Everybody goes by the stand-ins' clock, which is pushed forward: hours of waiting take no time. What counts is what the
stand-ins' own books hold."""

from __future__ import annotations

import itertools
import os
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, cast

import msgspec

from desktop.demo.person_in_browser import sign_in
from desktop.services.delivery.courier import Courier, Report
from desktop.services.delivery.turn import Turn
from desktop.services.desk import SignInSteps
from desktop.services.http import Http, Limits
from desktop.services.identity.wallet import Identity
from desktop.services.infotrack.model import Incoming, OrderMessage, Source
from desktop.services.ledger.facts import split_key
from desktop.services.ledger.ledger import Ledger
from desktop.services.ledger.model import Delivery
from desktop.services.practice.keys import keys_in
from desktop.services.practice.model import Matter
from desktop.services.practice.practice_system import CallGate, MatterRef, PracticeSystem
from desktop.services.practice_systems import SYSTEMS
from desktop.settings import Delivery as DeliverySettings
from desktop.settings import Results, Settings, read_platform
from sandbox.house import Sandbox
from tests.delivery.stand_in import FakeConnections, FakeFiles, FakeLookup, FakePractice, read_reference
from tests.identity.identity_rig import MemoryKeyring
from tests.practice.xpm_server import Gate

QUIET, REREAD = 180, 30
PATIENCE = 20.0
HOURS = 2 * 3600


@dataclass(frozen=True)
class Write:
    """One kind of write: what its requests are called for faults."""

    name: str
    where: str


@dataclass(frozen=True)
class Case:
    """One practice system by one interface. `reads`: what the requests of a read-back are called for faults."""

    name: str
    system: str
    writes: tuple[Write, ...]
    reads: str
    api: str = ""

    def __str__(self) -> str:
        return self.name

    @property
    def speaks_xml(self) -> bool:
        return self.name in ("xero-practice-manager", "workflowmax-v1")


CASES = (
    Case(
        "xero-practice-manager",
        "xero-practice-manager",
        (
            Write("cost", "api POST practicemanager/3.1/job.api/cost"),
            Write("document", "api POST practicemanager/3.1/job.api/document"),
        ),
        "api GET practicemanager/3.1/job.api/costs",
    ),
    Case(
        "workflowmax-v1",
        "workflowmax",
        (Write("cost", "workflowmax POST job.api/cost"), Write("document", "workflowmax POST job.api/document")),
        "workflowmax GET job.api/costs",
        "v1",
    ),
    Case(
        "workflowmax-v2",
        "workflowmax",
        (Write("cost", "workflowmax POST v2/jobs/*/costs"), Write("document", "workflowmax POST v2/jobs/*/documents")),
        "workflowmax GET v2/jobs/*/costs",
        "v2",
    ),
    Case(
        "smokeball",
        "smokeball",
        (
            Write("cost", "smokeball POST matters/*/expenses"),
            Write("entry", "smokeball POST matters/*/documents/files"),
            Write("contents", "smokeball_files PUT*"),
        ),
        "smokeball GET matters/*/expenses",
    ),
)

# What holds for all tests; a test may change more and need not put it back.
USUAL: dict[str, Any] = {
    "results": "none",
    "smokeball_rate": 0,
    "smokeball_refresh_days": 36_500,
    "refresh_unused_days": 36_500,
}


class Firms:
    """The stand-ins, running, and this PC's sign-ins to them. One for all tests; orders and matters are each test's own."""

    def __init__(self, folder: Path, *, matters: int = 150) -> None:
        self.box = Sandbox(folder / "stand-ins", matters=matters, delay=0, limits=False)
        self.folder = folder
        self.http = Http(limits=Limits(connect=5, read=10, total=30))
        self.impatient = Http(limits=Limits(connect=5, read=0.5, total=5))
        self.orders = itertools.count(72_000_001)
        self._unused: dict[str, Iterator[str]] = {}

    def start(self) -> Firms:
        self.box.start()
        self.world = self.box.world
        self._at_first = self.world.switches.as_json()
        self.settings = read_platform(self.box.platform_file)
        self.keyring = MemoryKeyring()
        self.identity = self.identity_in(self.folder / "profile")
        self.sign_in_everywhere()
        self.calm()
        return self

    def sign_in_everywhere(self) -> None:
        for system in SYSTEMS:
            self.identity.sign_in(system, person())

    def stop(self) -> None:
        self.http.close()
        self.impatient.close()
        self.box.stop()

    def identity_in(self, profile: Path) -> Identity:
        """A profile's sign-ins, by the stand-ins' clock."""
        profile.mkdir(parents=True, exist_ok=True)
        return Identity(
            profile,
            lambda: self.settings,
            self.http,
            clock=self.now,
            boot=lambda: self.world.clock.now(),
            keyring_backend=lambda: self.keyring,
        )

    def now(self) -> datetime:
        return self.world.clock.utc()

    def calm(self) -> None:
        """No faults, every switch as usual. What was asked and answered until now is kept in the file that
        ICONNECT_KEEP_REQUESTS names, for `python -m sandbox.against_specs`."""
        kept = os.environ.get("ICONNECT_KEEP_REQUESTS", "")
        if kept:
            with Path(kept).open("a", encoding="utf-8") as file:
                file.write(self.box.recording.lines())
            self.box.recording.clear()
        self.world.faults.remove()
        self.world.limits.off()
        self.world.switches.change(self._at_first | USUAL | {"keep_requests": bool(kept)})
        if any(record.problem for record in self.identity.records()) or len(self.identity.records()) < len(SYSTEMS):
            self.sign_in_everywhere()

    def settings_for(self, case: Case) -> Settings:
        found = self.settings
        workflowmax = msgspec.structs.replace(found.workflowmax, api=case.api or "v2")
        return msgspec.structs.replace(
            found,
            practice=msgspec.structs.replace(found.practice, system=case.system),
            workflowmax=workflowmax,
            results=Results(takeover_minutes=0),
            delivery=DeliverySettings(quiet_seconds=QUIET, reread_seconds=REREAD),
        )

    def practice(
        self, case: Case, *, gate: CallGate | None = None, http: Http | None = None, settings: Settings | None = None
    ) -> PracticeSystem:
        """The real adapter as the register makes it, with a real sign-in."""
        tokens = self.identity.connection(case.system)
        assert tokens is not None
        return SYSTEMS[case.system].make(http or self.http, tokens, gate or Gate(), settings or self.settings_for(case))

    def matter(self, case: Case) -> Matter:
        """An open matter that no other test has."""
        numbers = self._unused.get(case.system)
        if numbers is None:
            found = sorted(one.number for one in self.practice(case).matters() if one.number.startswith("J0"))
            numbers = self._unused[case.system] = iter(found * 50)
        number = next(numbers)
        self.firm(case).work(number, "open", self.now())
        matter = self.practice(case).matter(number)
        assert matter is not None
        return matter

    def firm(self, case: Case) -> Any:
        firm = self.world.firm(self.world.main_tenant(case.system))
        assert firm is not None
        return firm

    def books(self, case: Case) -> dict[str, Any]:
        (found,) = self.world.books(system=case.system, tenant=self.world.main_tenant(case.system))
        return found

    def fault(self, name: str, where: str, **more: Any) -> None:
        self.world.faults.add({"name": name, "where": where, **more})

    def hits(self) -> int:
        """How often a fault was met."""
        return sum(fault.hits for fault in self.world.faults.all())

    def switch(self, **values: Any) -> None:
        self.world.switches.change(values)

    def pass_time(self, seconds: float) -> None:
        """Moves everybody's clock, from one thing that is due to the next: what follows from one begins at its time."""
        clock, agenda = self.world.clock, self.world.agenda
        end = clock.now() + max(seconds, 0.0)
        while (due := agenda.next_due()) is not None and due <= end:
            clock.advance(max(due - clock.now(), 0.0))
            self._settle()
        clock.advance(max(end - clock.now(), 0.0))
        self._settle()

    def _settle(self) -> None:
        done = threading.Event()
        self.world.agenda.after(0, done.set)
        assert done.wait(PATIENCE)


def person() -> SignInSteps:
    """Someone who opens the address in a browser and allows everything, the first organisation where several are offered."""

    def browse(address: str) -> bool:
        threading.Thread(target=sign_in, args=(address,), daemon=True).start()
        return True

    return SignInSteps(browse, lambda tenants: tenants[0], lambda tenant: None, lambda: False)


@dataclass
class Pc:
    """One installation of the firm's, with one practice system connected."""

    firms: Firms
    case: Case
    folder: Path
    matters: list[Matter]
    practice: PracticeSystem = field(init=False)
    files: FakeFiles = field(default_factory=lambda: FakeFiles(content=contents))
    settings: Settings = field(init=False)
    ledger: Ledger = field(init=False)
    courier: Courier = field(init=False)

    def __post_init__(self) -> None:
        self.settings = self.firms.settings_for(self.case)
        self.start()

    def start(self) -> None:
        """As after a start of the program: the adapter remembers nothing."""
        random = Random(1)
        self.practice = self.firms.practice(self.case)
        self.connections = FakeConnections({self._address: cast(FakePractice, self.practice)})
        self.ledger = Ledger.open(
            self.folder / "ledger.db",
            clock=self.firms.now,
            random=random,
            takeover=timedelta(),
            read_reference=read_reference,
        )
        self.courier = Courier(
            self.ledger,
            connections=self.connections,
            lookup=FakeLookup(self.matters),
            sources=lambda: (),
            documents=lambda: self.files,
            settings=self.settings,
            read_reference=read_reference,
            random=random,
            turn=Turn(self.folder),
            sleep=self.firms.pass_time,
        )

    def restart(self) -> None:
        self.ledger.close()
        self.start()

    def change_costs(self, **changes: Any) -> None:
        """The firm's IT changes [costs] of the platform file, and the program makes its adapter anew."""
        self.settings = msgspec.structs.replace(self.settings, costs=msgspec.structs.replace(self.settings.costs, **changes))
        self.courier.settings = self.settings
        self.use(self.firms.practice(self.case, settings=self.settings))

    def use(self, practice: PracticeSystem) -> None:
        """From now on another adapter, as with other settings."""
        self.practice = practice
        self.connections.practices = {self._address: cast(FakePractice, practice)}

    @property
    def _address(self) -> tuple[str, str]:
        return self.case.system, self.matters[0].tenant

    def ours(self, matter: Matter | None = None) -> str:
        """The mark of an order that was placed here."""
        return f"ICONNECT1_{self.ledger.installation}|{self.case.system}|{(matter or self.matters[0]).id}"

    def receive(self, *messages: OrderMessage) -> None:
        self.ledger.record([Incoming(message, b"raw", Source.FILE) for message in messages])

    def deliver(self) -> Report:
        report = self.courier.run_once()
        self.firms.pass_time(0)
        return report

    def deliver_for(self, seconds: float) -> None:
        """Passes whenever something is due, for so long."""
        end = self.firms.now() + timedelta(seconds=seconds)
        for _ in range(400):
            report = self.deliver()
            if report.next_at is None or report.next_at > end:
                break
            self.firms.pass_time(max((report.next_at - self.firms.now()).total_seconds(), 0.001))
        else:
            raise AssertionError(f"there was no end to it: {self.states()}")
        self.firms.pass_time((end - self.firms.now()).total_seconds())

    def rows(self) -> dict[str, Delivery]:
        return {one.key: one for one in self.ledger.deliveries()}

    def states(self) -> dict[str, str]:
        return {key: one.state.value for key, one in self.rows().items()}

    def waiting(self) -> dict[str, str]:
        """What waits for a person, with the reason."""
        return {key: one.reason for key, one in self.rows().items() if one.waiting_for_person}

    @property
    def ref(self) -> MatterRef:
        return MatterRef(self.matters[0].id, self.matters[0].number)


class Books:
    """What stands in the system's books beyond what stood there when this was made."""

    def __init__(self, firms: Firms, case: Case) -> None:
        self._firms, self._case = firms, case
        self._before = {row["uuid"] for rows in self._all().values() for row in rows}

    def _all(self) -> dict[str, list[dict[str, Any]]]:
        found = self._firms.books(self._case)
        names = ("costs", "documents", "estimates", "deleted", "unfinished", "deleted_documents")
        return {name: list(found.get(name, ())) for name in names}

    def _new(self, name: str) -> list[dict[str, Any]]:
        return [row for row in self._all()[name] if row["uuid"] not in self._before]

    def costs(self) -> list[dict[str, Any]]:
        return self._new("costs")

    def documents(self) -> list[dict[str, Any]]:
        return self._new("documents")

    def strays(self) -> list[str]:
        """What should never be: an estimate, an entry without contents, a line without a key."""
        given_up = self._firms.world.clock.now() - self._firms.world.switches.smokeball_link_seconds  # by Smokeball itself
        unfinished = [row for row in self._new("unfinished") if row["at"] >= given_up]
        found = [f"no contents: {row}" for row in unfinished] + [f"estimate: {row}" for row in self._new("estimates")]
        return found + [f"no key: {row}" for row in (*self.costs(), *self.documents()) if not self.keys_of(row)]

    @staticmethod
    def keys_of(row: dict[str, Any]) -> tuple[str, ...]:
        return keys_in(str(row.get("note") or row.get("text") or ""))

    def keys(self) -> Counter[str]:
        """Our keys, as often as each stands there."""
        return Counter(key for row in (*self.costs(), *self.documents()) for key in self.keys_of(row) if split_key(key))

    def cost(self, key: str) -> dict[str, Any]:
        (found,) = [row for row in self.costs() if key in self.keys_of(row)]
        return found

    def document(self, key: str) -> dict[str, Any]:
        (found,) = [row for row in self.documents() if key in self.keys_of(row)]
        return found


def contents(url: str) -> bytes:
    """A file that text handling would spoil."""
    return b"%PDF-1.7\r\n\x00\xff\xfe&<]]>\r\n--" + url.encode() * 40 + bytes(range(256)) * 8
