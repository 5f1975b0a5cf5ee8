"""One profile that is connected to all three systems at once, over real sockets, with the real register, sign-ins, accounts of
calls and lanes: each delivery goes to its own, and one system's trouble keeps no other's waiting."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
import requests

from desktop.services.delivery.courier import Courier
from desktop.services.delivery.lanes import Lanes
from desktop.services.delivery.turn import Turn
from desktop.services.desk import SignInSteps
from desktop.services.http import Http, Limits
from desktop.services.infotrack.model import Incoming, Source
from desktop.services.ledger.ledger import Ledger
from desktop.services.practice.model import Matter
from desktop.services.practice_links import PracticeLinks
from desktop.settings import Settings
from sandbox import world as w
from sandbox.workflowmax_books import OTHER_ORGANISATION
from tests.delivery.stand_in import FakeFiles, FakeLookup, fee, order, read_reference
from tests.systems.contract_rig import CASES, Books, Case, Firms, contents, person

THREE = tuple(case for case in CASES if case.name != "workflowmax-v1")
ANY = {"xero-practice-manager": "api * practicemanager/*", "workflowmax": "workflowmax * v2/*", "smokeball": "smokeball * *"}
PATIENCE = 120.0  # longer than a call may wait for its turn


@dataclass
class Several:
    """One PC with three connections."""

    firms: Firms
    folder: Path
    http: Http
    settings: Settings = field(init=False)
    matters: dict[str, Matter] = field(default_factory=dict)
    books: dict[str, Books] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.settings = self.firms.settings_for(THREE[0])
        for case in THREE:
            self.matters[case.system] = self.firms.matter(case)
            self.books[case.system] = Books(self.firms, case)
        self.lookup = FakeLookup(list(self.matters.values()))
        self.start()

    def start(self) -> None:
        random = Random(1)
        self.ledger = Ledger.open(
            self.folder / "ledger.db",
            clock=self.firms.now,
            random=random,
            takeover=timedelta(),
            read_reference=read_reference,
        )
        self.links = PracticeLinks(
            lambda: self.settings,
            self.http,
            self.firms.identity,
            remember=self.ledger.remember,
            recall=self.ledger.recall,
            changed=lambda: None,
        )
        self.courier = Courier(
            self.ledger,
            connections=self.links,
            lookup=self.lookup,
            sources=lambda: (),
            documents=lambda: FakeFiles(content=contents),
            settings=self.settings,
            read_reference=read_reference,
            random=random,
            turn=Turn(self.folder),
            lanes=Lanes(),
        )

    def stop(self) -> None:
        """The program ends: who waits for a turn gives up."""
        self.links.close()
        assert self.courier.finish(PATIENCE)
        for system, matter in self.matters.items():
            # The accounts of calls go by the PC's own clock, which nobody pushes forward: an hour's «later» is over here.
            self.ledger.remember(f"budget {system} {matter.tenant}", "{}")
        self.ledger.close()

    def restart(self) -> None:
        self.stop()
        self.start()

    def close(self) -> None:
        self.firms.world.faults.remove()
        self.stop()
        self.http.close()

    def place(self, matter: Matter) -> str:
        order_id = str(next(self.firms.orders))
        mark = f"ICONNECT1_{self.ledger.installation}|{matter.system}|{matter.id}"
        message = order(order_id, number=matter.number, reference=mark, supplier=fee("20.00"), hash="h1")
        self.ledger.record([Incoming(message, b"raw", Source.FILE)])
        return order_id

    def place_everywhere(self) -> dict[str, str]:
        return {system: self.place(matter) for system, matter in self.matters.items()}

    def states_of(self, order_id: str) -> set[str]:
        return {one.state.value for one in self.ledger.deliveries() if one.order_id == order_id}

    def passes_until(self, done: Callable[[], bool], *, patience: float = PATIENCE) -> float:
        """Passes in real time; gives how many seconds it took."""
        began = time.monotonic()
        while not done():
            assert time.monotonic() - began < patience, self.told()
            report = self.courier.run_once()
            if not report.did_something:
                time.sleep(0.05)
        return time.monotonic() - began

    def told(self) -> str:
        """What is not done, and why, for a test that waits in vain."""
        rows = [f"{one.key} {one.system} {one.state.value} {one.reason}" for one in self.ledger.deliveries()]
        undone = [row for row in rows if " confirmed" not in row]
        resting = [f"{one.where}: {one.message}" for one in self.courier.resting_sources()]
        return "; ".join([*undone, *resting, f"under way: {self.courier.is_under_way()}"])

    def are_confirmed(self, *orders: str) -> bool:
        return all(self.states_of(one) == {"confirmed"} for one in orders)

    def stands(self) -> dict[str, dict[str, int]]:
        return {system: dict(books.keys()) for system, books in self.books.items()}


def owed(order_id: str) -> dict[str, int]:
    return {f"IT-{order_id}-T-1": 1, f"IT-{order_id}-D-1": 1}


@pytest.fixture
def several(firms: Firms, tmp_path: Path) -> Iterator[Several]:
    made = Several(firms, tmp_path, Http(limits=Limits(connect=5, read=70, total=90)))
    yield made
    made.close()


def test_each_delivery_goes_to_its_own(several: Several) -> None:
    assert len(several.links.connected()) == 3
    orders = [several.place_everywhere() for _ in range(3)]
    every = [one for placed in orders for one in placed.values()]
    several.passes_until(lambda: several.are_confirmed(*every))
    for system, stands in several.stands().items():
        assert stands == {key: 1 for placed in orders for key in owed(placed[system])}, system


@dataclass(frozen=True)
class Trouble:
    name: str
    fault: dict[str, Any] = field(default_factory=dict)
    renews: bool = False


TROUBLES = (
    Trouble("refused"),
    Trouble("dropped", {"name": "drop_before"}),
    Trouble("401 for ever", {"name": "token_expired"}, renews=True),
    Trouble("429 for hours", {"name": "limited", "problem": "", "retry_after": "3500"}),
    Trouble("503 for hours", {"name": "html_503", "retry_after": "3500"}),
    Trouble("a page for everything", {"name": "html_200"}),
)


def out_of_reach(settings: Settings, system: str) -> Settings:
    """That system's address is a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{probe.getsockname()[1]}/"
    name = "xero" if system == "xero-practice-manager" else system
    section = msgspec.structs.replace(getattr(settings, name), api_url=address)
    return msgspec.structs.replace(settings, **{name: section})


def _all() -> list[Any]:
    """Each trouble of each system; they take a while on the clock, since lanes and accounts of calls go by the real one."""
    return [
        pytest.param(down, trouble, id=f"{down}-{trouble.name}", marks=[pytest.mark.long]) for down in THREE for trouble in TROUBLES
    ]


@pytest.mark.parametrize(("down", "trouble"), _all())
def test_one_system_that_is_down_holds_up_no_other(several: Several, firms: Firms, down: Case, trouble: Trouble) -> None:
    """D11: and goes on by itself, or after the next sign-in, with each line once."""
    if trouble.fault:
        firms.fault(**{**trouble.fault, "where": ANY[down.system]})
    else:
        several.settings = out_of_reach(several.settings, down.system)
    orders = several.place_everywhere()
    others = [one for system, one in orders.items() if system != down.system]
    try:
        several.passes_until(lambda: several.are_confirmed(*others))
        assert several.states_of(orders[down.system]) == {"queued"}
        stands = several.stands()
        assert stands.pop(down.system) == {}
        assert sorted(stands.values(), key=str) == sorted((owed(one) for one in others), key=str)
    finally:
        firms.world.faults.remove()
        several.settings = firms.settings_for(THREE[0])
        several.restart()
        if trouble.renews:
            firms.sign_in_everywhere()
    firms.pass_time(2 * 3600)
    several.courier.forgive()
    several.passes_until(lambda: several.are_confirmed(*orders.values()))
    assert several.stands() == {system: owed(one) for system, one in orders.items()}


LONG = [pytest.mark.long, pytest.mark.timeout(300)]
STALLS = [
    *(pytest.param(case, "reads", 4, id=f"{case} reads") for case in THREE),
    *(pytest.param(case, "writes", 4, id=f"{case} writes", marks=LONG) for case in THREE),
    *(pytest.param(case, call, 60, id=f"{case} {call} a minute", marks=LONG) for case in THREE for call in ("reads", "writes")),
]


@pytest.mark.parametrize(("down", "call", "seconds"), STALLS)
def test_one_system_that_stalls_holds_up_no_other(several: Several, firms: Firms, down: Case, seconds: int, call: str) -> None:
    """D15: the others' lines stand and are read back while this one's call is still open."""
    where = down.reads if call == "reads" else down.writes[0].where
    firms.fault("slow", where, count=1, seconds=seconds)
    orders = several.place_everywhere()
    others = [one for system, one in orders.items() if system != down.system]
    several.passes_until(lambda: several.are_confirmed(*others))
    assert several.states_of(orders[down.system]) <= {"queued", "sending"}
    assert several.courier.is_under_way()
    several.passes_until(lambda: several.are_confirmed(*orders.values()), patience=seconds + PATIENCE)
    assert several.stands() == {system: owed(one) for system, one in orders.items()}


# another firm of the same system


def allow(address: str, user: str, tenant: str) -> None:
    """That person at a browser, who allows that one organisation."""
    with requests.Session() as browser:
        page = browser.get(address).text
        if "sign-in-form" in page:
            page = browser.post(address, data={"step": "sign-in", "user": user, "password": w.PASSWORD}).text
        code = re.search(r'id="code-shown">(\d{6})<', page)
        if code:
            browser.post(address, data={"step": "two-factor", "code": code[1]})
        browser.post(address, data={"step": "consent", "answer": "allow", "tenant": [tenant]})


def steps_of(user: str, tenant: str) -> SignInSteps:
    def browse(address: str) -> bool:
        threading.Thread(target=allow, args=(address, user, tenant), daemon=True).start()
        return True

    return SignInSteps(
        browse, lambda tenants: next(one for one in tenants if one.id == tenant), lambda _tenant: None, lambda: False
    )


@pytest.mark.parametrize(
    ("case", "other"),
    [
        pytest.param(THREE[0], w.OTHER_TENANT, id="xero-practice-manager"),
        pytest.param(THREE[1], OTHER_ORGANISATION, id="workflowmax"),
    ],
)
def test_a_sign_in_to_another_firm_parks_the_old_ones_queue_until_it_is_back(
    several: Several, firms: Firms, case: Case, other: str
) -> None:
    """A23: and what is placed meanwhile goes to the firm that it belongs to."""
    waits = several.place(several.matters[case.system])
    try:
        record = firms.identity.sign_in(case.system, steps_of(w.TWO_FIRMS_PERSON, other))
        assert record.tenant == other
        practice = several.links.practice(case.system, other)
        assert practice is not None
        theirs = next(one for one in practice.matters() if one.number not in (several.matters[case.system].number, "J004521"))
        several.lookup.matters.append(theirs)
        new = several.place(theirs)
        beside = several.place(several.matters["smokeball"])
        several.passes_until(lambda: several.are_confirmed(new, beside))
        assert several.states_of(waits) == {"queued"}
        assert several.stands()[case.system] == {}
        (there,) = firms.world.books(system=case.system, tenant=other)
        rows: list[Any] = [*there["costs"], *there["documents"]]  # type: ignore[misc]  # lists of rows
        assert sorted(key for row in rows for key in Books.keys_of(row)) == sorted(owed(new))
    finally:
        firms.identity.sign_in(case.system, person())
    several.courier.forgive()
    several.passes_until(lambda: several.are_confirmed(waits))
    assert several.stands()[case.system] == owed(waits)
