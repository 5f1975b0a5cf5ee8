"""The order window's process is killed while a person types fees: the program goes on, and what was sent is recorded once."""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from desktop.services import order_desk
from desktop.services.desk import TypedResult
from desktop.services.infotrack import typed
from desktop.services.infotrack.model import OrderLink
from desktop.services.ledger.ledger import Ledger
from desktop.services.order_desk import OrderDesk, WindowOptions
from desktop.services.order_process import SOFTWARE_MARK, OrderWindowProcess
from desktop.services.order_protocol import AnyEvent, Closed, Crashed, Do, FeesTyped, PageLoaded
from desktop.services.practice.model import Matter
from desktop.settings import InfoTrack, Practice, Settings
from tests.browser.order_window_rig import AS_ROOT, NOBODY, Site, Window, base_environment, children_of, ordinary_user, serve

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not hasattr(os, "fork"), reason="kills by a POSIX signal")]

MATTER = Matter(system="xero-practice-manager", tenant="firm-1", id="id-1", number="J004521", name="Purchase of 8 Wattle Court")


@dataclass
class Desk:
    """The real order desk over a real ledger; InfoTrack and the practice system are stand-ins."""

    home: Path
    site: Site
    windows: dict[OrderWindowProcess, Window] = field(default_factory=dict)

    def __post_init__(self) -> None:
        profile = self.home / "profile"
        # Painted without a graphics card.
        (profile / SOFTWARE_MARK).write_text(version("iconnect-desktop"), encoding="utf-8")
        self.ledger = Ledger.open(self.home / "ledger.db", random=random.Random(1))
        settings = Settings(practice=Practice(system="xero-practice-manager"), infotrack=InfoTrack(hosts=("127.0.0.1",)))
        values: dict[str, Any] = {
            "installation": "ABC123",
            "profile": profile,
            "downloads": profile / "downloads",
            "add_result": self.add,
            "options": WindowOptions(automation=True, listener=self.told),
        }
        self.desk = OrderDesk(lambda: settings, self, self, **values)  # type: ignore[arg-type]  # it stands in for both

    def link(self, *_: object) -> OrderLink:
        return OrderLink(self.site.url())

    def practice(self, *_: object) -> None:
        return None

    def add(self, result: TypedResult) -> None:
        self.ledger.record([typed.incoming(result, ZoneInfo("Australia/Sydney"))])

    def told(self, process: OrderWindowProcess, event: AnyEvent) -> None:
        self.window(process).heard(event)

    def window(self, process: OrderWindowProcess) -> Window:
        return self.windows.setdefault(process, Window(process, self.home))

    def open(self) -> Window:
        window = self.window(self.desk.open(MATTER))
        window.wait(PageLoaded, seconds=60)
        return window


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    home = Path(tempfile.mkdtemp(prefix="order-killed-"))
    for name in ("profile", "home", "run"):
        (home / name).mkdir(mode=0o700)
        if AS_ROOT:
            os.chown(home / name, NOBODY, NOBODY)
    home.chmod(0o755)
    site = serve()
    site.page("/", "<h1>safe</h1>")
    real = partial(OrderWindowProcess, environ=base_environment(home), popen_options=ordinary_user())
    monkeypatch.setattr(order_desk, "OrderWindowProcess", real)
    made = Desk(home, site)
    yield made
    made.desk.close()
    made.ledger.close()
    site.server.shutdown()
    site.server.server_close()
    shutil.rmtree(home, ignore_errors=True)


def type_fees(window: Window, order_id: str) -> None:
    window.do("press", name="Type in fees")
    for name, text in (
        ("Order number", order_id),
        ("Service", "Title Search"),
        ("InfoTrack fee (without GST)", "6"),
        ("GST on InfoTrack fee", "0.60"),
    ):
        window.do("type", name=name, text=text)


def send(window: Window) -> None:
    """Presses the button and does not wait for the answer."""
    window.process.do(msgspec.convert({"id": 9_000, "do": "press", "name": "Record for J004521"}, Do))


def test_a_window_killed_at_any_moment_of_a_typed_result_loses_nothing_that_it_told(
    desk: Desk, request: pytest.FixtureRequest
) -> None:
    """G18, C5: killed before, while and after what was typed is recorded; a new window opens, and nothing stands twice."""
    dice = random.Random(request.node.nodeid)
    recorded = 0
    rounds = 4
    for number in range(rounds):
        window = desk.open()
        order_id = f"7100010{number}"
        type_fees(window, order_id)
        send(window)
        if number == rounds - 1:
            window.wait(FeesTyped)
        else:
            window.process.wait_closed(dice.uniform(0, 0.12))  # the moment of the kill is what varies
        assert window.process.pid is not None
        os.kill(window.process.pid, signal.SIGKILL)
        window.wait(Closed)
        assert window.wait(Crashed).where == "process"
        orders = desk.ledger.orders(order_id=order_id)
        assert len(orders) == len(window.all(FeesTyped)), "recorded exactly when the window told it"
        recorded += len(orders)
    assert recorded
    assert {str(one.total) for one in desk.ledger.orders()} == {"6.60"}

    last = desk.open()
    type_fees(last, "71000100")
    last.do("press", name="Record for J004521")
    last.do("wait", text="Recorded for J004521")
    assert len(desk.ledger.orders(order_id="71000100")) == 1, "typed a second time, it is the same order"


DATABASE = re.compile(r"\.db(?:-wal|-shm|-journal)?(?: \(deleted\))?$")
"""The engine's own passing files have names by chance: one of them began with `.db`."""


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="reads what processes hold open from /proc")
def test_no_process_of_the_window_holds_a_file_of_ours(desk: Desk) -> None:
    """C19: neither the ledger nor anything else that this program has open is handed on to the engine."""
    window = desk.open()
    pid = window.process.pid
    assert pid is not None
    assert any("ledger.db" in held for held in held_by(os.getpid()))
    for process in (pid, *children_of(pid)):
        ours = [held for held in held_by(process) if DATABASE.search(held)]
        assert not [held for held in ours if str(desk.home / "profile") not in held]


def held_by(pid: int) -> list[str]:
    found = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            found.append(str(link.readlink()))
    return found
