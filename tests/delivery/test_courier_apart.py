"""Several organisations at once, over real sockets: what stalls at one keeps nothing of another's waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from desktop.services.delivery.courier import Courier, Report
from desktop.services.delivery.lanes import AskedApart, Lanes
from desktop.services.delivery.turn import Turn
from desktop.services.delivery.until_idle import until_idle
from desktop.services.delivery.worker import CourierThread
from desktop.services.errors import NotNow, ServiceError, SignedOut, Wait
from desktop.services.http import Http, Limits
from desktop.services.ledger.errors import LedgerDamaged
from desktop.services.ledger.ledger import Ledger
from desktop.services.ledger.model import DeliveryState
from desktop.services.practice.model import Matter
from desktop.settings import Costs, Delivery, Practice, Results, Settings
from tests.delivery.stand_in import (
    XPM,
    Books,
    FakeConnections,
    FakeFeed,
    FakeFiles,
    FakeLookup,
    FakePractice,
    fee,
    matter,
    order,
    read_reference,
)
from tests.infotrack.scripted_server import Reply, Request, ScriptedServer

PATIENCE = 10.0
SMOKEBALL = "smokeball"
SLOW, QUICK = (SMOKEBALL, "firm-1"), (XPM, "firm-2")
HERE, THERE = "IT-71000123-T-1", "IT-71000124-T-1"


@dataclass
class Server:
    """A practice system's server: it answers, or it holds the line until `go` is set. `held` is set while it does."""

    stalls_on: str = ""
    go: threading.Event = field(default_factory=threading.Event)
    held: threading.Event = field(default_factory=threading.Event)

    def answer(self, request: Request) -> Reply:
        if self.stalls_on and request.path.endswith(self.stalls_on):
            self.held.set()
            self.go.wait(PATIENCE)
        return Reply()


class SocketPractice(FakePractice):
    """A practice system whose every call first goes over the line."""

    http: Http
    address: str

    def _call(self, name: str, what: str) -> None:
        self.http.send("GET", f"{self.address}/{name}", headers={}, cap=1000)
        super()._call(name, what)

    def _write(self, name: str, key: str, effect: Callable[[], str]) -> Any:
        self.http.send("POST", f"{self.address}/{name}", headers={}, body=b"x", cap=1000)
        return super()._write(name, key, effect)


@dataclass
class TwoFirms:
    """One PC that is signed in to two practice systems, the slow one first in every list."""

    folder: Path
    http: Http
    slow: Server
    quick: Server
    slow_address: str
    quick_address: str
    apart: bool = True
    ledger: Ledger = field(init=False)
    courier: Courier = field(init=False)
    feed: FakeFeed = field(default_factory=FakeFeed)

    def __post_init__(self) -> None:
        random = Random(1)
        self.ledger = Ledger.open(self.folder / "ledger.db", random=random, takeover=timedelta(), read_reference=read_reference)
        self.practices = {
            SLOW: self._practice(SLOW, self.slow_address),
            QUICK: self._practice(QUICK, self.quick_address),
        }
        self.connections = FakeConnections(dict(self.practices))
        self.lookup = FakeLookup([matter("J001", system=SMOKEBALL), matter("J002", tenant="firm-2")])
        self.courier = Courier(
            self.ledger,
            connections=self.connections,
            lookup=self.lookup,
            sources=lambda: (self.feed,),
            documents=FakeFiles,
            settings=Settings(
                practice=Practice(system=XPM),
                costs=Costs(code_taxed="GST", code_untaxed="FREE"),
                results=Results(takeover_minutes=0),
                delivery=Delivery(),
            ),
            read_reference=read_reference,
            random=random,
            turn=Turn(self.folder),
            sleep=lambda seconds: None,
            lanes=Lanes() if self.apart else None,
        )
        self.feed.messages += [
            order(supplier=fee("20.00"), reference=self.mark(SMOKEBALL, "J001")),
            order("71000124", number="J002", supplier=fee("30.00"), reference=self.mark(XPM, "J002")),
        ]

    def _practice(self, where: tuple[str, str], address: str) -> SocketPractice:
        made = SocketPractice(Books(lambda: self.ledger.now()), name=where[0])  # type: ignore[arg-type]  # any clock does
        made.http, made.address = self.http, address
        return made

    def mark(self, system: str, number: str) -> str:
        return f"ICONNECT1_{self.ledger.installation}|{system}|id-{number}"

    def states(self) -> dict[str, str]:
        return {one.key: one.state.value for one in self.ledger.deliveries()}

    def passes_until(self, done: Callable[[dict[str, str]], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not done(self.states()):
            assert time.monotonic() < end, self.states()
            self.courier.run_once()


@pytest.fixture
def two(tmp_path: Path) -> Iterator[TwoFirms]:
    slow, quick = Server(), Server()
    with ScriptedServer(slow.answer) as first, ScriptedServer(quick.answer) as second:
        http = Http(limits=Limits(connect=5.0, read=60.0))
        made = TwoFirms(tmp_path, http, slow, quick, first.url, second.url)
        yield made
        slow.go.set()
        quick.go.set()
        assert made.courier.finish(PATIENCE)
        made.ledger.close()
        http.close()


@pytest.mark.parametrize("call", ["costs", "post_cost"])
def test_one_systems_stall_does_not_delay_anothers_deliveries(two: TwoFirms, call: str) -> None:
    """The stalled server has our request and says nothing; the other firm's line is in the books and read back meanwhile."""
    two.slow.stalls_on = call
    began = time.monotonic()
    two.courier.run_once()
    assert two.slow.held.is_set()
    assert not two.slow.go.is_set()
    assert two.states()[THERE] == "confirmed"
    assert two.states()[HERE] == ("sending" if call == "post_cost" else "queued")
    assert time.monotonic() - began < 15
    two.slow.go.set()
    two.passes_until(lambda states: states[HERE] == "confirmed")
    assert two.practices[SLOW].books.posted_keys() == [HERE]


def test_what_is_being_sent_is_left_alone_by_the_passes_beside_it(two: TwoFirms) -> None:
    """A send under way is no orphan: no pass of the same courier makes it unknown, and no other process gets the turn."""
    two.slow.stalls_on = "post_cost"
    two.courier.run_once()
    two.feed.messages.append(order("71000125", number="J002", supplier=fee("5.00"), reference=two.mark(XPM, "J002")))
    two.passes_until(lambda states: states.get("IT-71000125-T-1") == "confirmed")
    assert two.states()[HERE] == "sending"
    assert two.courier.is_under_way()
    with Turn(two.folder).take() as anothers:
        assert not anothers
    two.slow.go.set()
    two.passes_until(lambda states: states[HERE] == "confirmed")
    assert len(two.practices[SLOW].sent) == 1
    assert two.courier.finish(PATIENCE)
    with Turn(two.folder).take() as free:
        assert free


def test_without_threads_apart_the_same_stall_keeps_everything_waiting(tmp_path: Path) -> None:
    """Shows that the servers of these tests do stall, and that the stalled one's turn comes first."""
    slow, quick = Server("costs"), Server()
    with ScriptedServer(slow.answer) as first, ScriptedServer(quick.answer) as second:
        http = Http(limits=Limits(connect=5.0, read=60.0))
        two = TwoFirms(tmp_path, http, slow, quick, first.url, second.url, apart=False)
        thread = threading.Thread(target=two.courier.run_once)
        thread.start()
        assert slow.held.wait(PATIENCE)
        assert two.states() == {HERE: "queued", THERE: "queued"}
        slow.go.set()
        thread.join(PATIENCE)
        assert two.states() == {HERE: "confirmed", THERE: "confirmed"}
        two.ledger.close()
        http.close()


@pytest.mark.parametrize(
    "error",
    [
        SignedOut("The sign-in has ended."),
        Wait("The limit of a minute is used up.", after=None, limit="minute"),
        ServiceError("Something of its own."),
        ValueError("a surprise in an adapter"),
    ],
)
def test_one_systems_trouble_of_any_kind_is_its_own(two: TwoFirms, error: Exception) -> None:
    def fails(name: str, what: str) -> ServiceError | None:
        raise error

    two.practices[SLOW].fault = fails
    report = two.courier.run_once()
    assert two.states() == {HERE: "queued", THERE: "confirmed"}
    assert [one.where for one in report.trouble] == [SMOKEBALL]


def test_a_ledger_that_can_not_be_believed_still_ends_everything(two: TwoFirms) -> None:
    """C13: also when it shows on a thread apart."""

    def damaged(name: str, what: str) -> ServiceError | None:
        raise LedgerDamaged("The ledger's file is damaged.")

    two.practices[SLOW].fault = damaged
    two.courier.run_once()
    with pytest.raises(LedgerDamaged):
        two.courier.run_once()


def test_the_thread_goes_on_beside_a_stall_and_is_woken_by_its_end(two: TwoFirms) -> None:
    two.slow.stalls_on = "post_cost"
    reports: list[Report] = []
    news = threading.Condition()

    def passed(report: Report) -> None:
        with news:
            reports.append(report)
            news.notify_all()

    def reached(key: str, state: str) -> bool:
        with news:
            return news.wait_for(lambda: two.states().get(key) == state, PATIENCE)

    thread = CourierThread(two.courier, two.ledger, on_change=passed, on_failure=lambda error: None)
    thread.start()
    assert reached(THERE, "confirmed")
    assert two.states()[HERE] == "sending"
    with news:
        before = len(reports)
    two.slow.go.set()
    assert reached(HERE, "confirmed")
    with news:
        assert any(one.sent for one in reports[before:])
    assert thread.stop(PATIENCE)
    # It is not woken by work that ends within the pass that began it.
    assert len(reports) < 10


def test_waiting_until_idle_serves_the_others_meanwhile_and_ends_with_everything_done(two: TwoFirms) -> None:
    two.slow.stalls_on = "costs"
    seen: list[str] = []

    def wait(until: Any) -> None:
        seen.append(two.states()[THERE])
        two.slow.go.set()
        two.courier.finish(PATIENCE)

    idle = until_idle(two.courier, two.ledger.now, wait)
    assert seen[0] == "confirmed"
    assert idle.is_clean
    assert two.states() == {HERE: "confirmed", THERE: "confirmed"}


def test_a_system_that_does_not_answer_about_a_number_holds_up_no_planning(two: TwoFirms) -> None:
    """Another system's answer counts, and the late one is heard at the next look."""
    asked, go = threading.Event(), threading.Event()

    def ask(system: str, number: str) -> Matter | None:
        if system == SMOKEBALL:
            asked.set()
            go.wait(PATIENCE)
            return None
        return matter(number, tenant="firm-2")

    put = AskedApart(ask, seconds=0.2)
    with pytest.raises(NotNow):
        put(SMOKEBALL, "J777")
    assert asked.is_set()
    with pytest.raises(NotNow):
        put(SMOKEBALL, "J778")
    found = put(XPM, "J777")
    assert found is not None
    assert found.system == XPM
    go.set()
    assert put.lanes.wait({(SMOKEBALL, "")}, PATIENCE)
    assert put(SMOKEBALL, "J777") is None


def test_an_order_is_matched_by_the_system_that_answers(two: TwoFirms) -> None:
    def ask(system: str, number: str) -> Matter | None:
        if system == SMOKEBALL:
            raise SignedOut("The sign-in has ended.")
        return matter(number, tenant="firm-2")

    two.lookup.ask = ask  # type: ignore[method-assign]
    two.courier._planner._asked_apart = AskedApart(ask)
    two.feed.messages[:] = [order("71000129", number="J777", supplier=fee("4.00"))]
    two.courier.run_once()
    assert two.states() == {"IT-71000129-T-1": "confirmed"}


def test_the_queue_of_a_firm_that_is_not_signed_in_now_stays_its_own(two: TwoFirms) -> None:
    """After signing in to another firm of the same system nothing of the old one's goes there, and its rows say what they
    wait for."""
    two.courier._known_as = lambda system, tenant: "Old Firm in Smokeball" if tenant == "firm-1" else ""
    new_firm = two._practice((SMOKEBALL, "firm-9"), two.quick_address)
    two.connections.practices[SMOKEBALL, "firm-9"] = new_firm
    del two.connections.practices[SLOW]
    two.courier.run_once()
    assert two.states() == {HERE: "queued", THERE: "confirmed"}
    assert new_firm.sent == []
    (waiting,) = two.courier.explained(two.ledger.deliveries(state=DeliveryState.QUEUED))
    assert waiting.reason == "Waits for the sign-in to Old Firm in Smokeball."
    assert two.courier.pending() == ()
    two.connections.practices[SLOW] = two.practices[SLOW]
    two.passes_until(lambda states: states[HERE] == "confirmed")
    assert two.practices[SLOW].books.posted_keys() == [HERE]
