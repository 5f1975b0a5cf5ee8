"""`iconnect quit --when-idle`, as the setup asks it: the real tray, a slow practice system, real sends on their way."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtNetwork import QLocalServer

from desktop.services.background import Background
from desktop.services.delivery import courier as courier_module
from desktop.services.delivery import worker
from desktop.services.delivery.courier import Courier
from desktop.services.delivery.lanes import Lanes
from desktop.services.delivery.turn import Turn
from desktop.services.infotrack.model import Incoming, Source
from desktop.services.ledger.errors import LedgerTrouble
from desktop.services.ledger.ledger import Ledger
from desktop.ui.instance import Request, hand_over, in_flight_when_asked_to_quit, socket_name
from desktop.ui.instance_lock import LOCK_FILE, InstanceLock
from tests.commands.installation import DONE, NEEDS_PERSON, WRONG_USE, Installation, Outside, outside, until
from tests.delivery.stand_in import (
    FIRM,
    XPM,
    Books,
    Clock,
    FakeConnections,
    FakeLookup,
    FakePractice,
    fee,
    matter,
    read_reference,
    settings,
)
from tests.delivery.stand_in import order as stand_in_order

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the keyring of the tests is one of Linux")

SLOW = 10.0
"""Seconds: long enough for a command to start on a busy machine."""
ORDERS = range(941, 945)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    with outside(tmp_path_factory.mktemp("outside")) as running:
        yield running


@pytest.fixture(scope="module")
def pc(world: Outside, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(world, tmp_path_factory.mktemp("pc") / "profile").set_up()


@contextmanager
def tray(pc: Installation) -> Iterator[subprocess.Popen[str]]:
    with pc.beside() as process:
        until(lambda: process.poll() is not None or hand_over(pc.profile, Request("picker")))
        assert process.poll() is None
        yield process


def slow_send(world: Outside) -> int:
    """The next cost that is posted waits before it takes effect. Gives the fault's number."""
    made = world.controls.post("faults", name="slow", where="api POST practicemanager/3.1/job.api/*", seconds=SLOW, count=1)
    return int(made["id"])


def is_met(world: Outside, fault: int) -> bool:
    return any(each["hits"] for each in world.controls.get("faults")["faults"] if each["id"] == fault)


def times_in_books(world: Outside, order: int) -> int:
    return sum(key.startswith(f"IT-{order}-") for key in world.keys_in_books())


def test_a_program_with_nothing_to_do_quits_at_once_and_with_0(pc: Installation) -> None:
    """I10."""
    with tray(pc) as process:
        said = pc.run("quit", "--when-idle", "--wait", "30")
        assert (said.status, said.out) == (DONE, "quitting\n"), said.err
        assert process.wait(20) == 0
    said = pc.run("quit", "--when-idle")
    assert (said.status, said.out) == (DONE, "not running\n")


def test_an_upgrade_while_sending_waits_for_the_send_and_begins_no_new_one(pc: Installation, world: Outside) -> None:
    """I10, I15: asked in the middle of a slow send it says busy and stays; asked to wait it quits after that send; what was queued
    behind goes out after the next start. Nothing is lost, nothing is there twice."""
    for number, order in enumerate(ORDERS):
        pc.done("results", "add", "--order", str(order), "--matter", f"J00{4541 + number}", "--service", "X", "--retailer-fee", "5")
    made = slow_send(world)
    with tray(pc) as process:
        until(lambda: is_met(world, made))
        said = pc.run("quit", "--when-idle")
        assert said.status == NEEDS_PERSON, said
        assert said.out.startswith("busy: ")
        assert said.out.endswith(" in flight\n")
        assert process.poll() is None
        said = pc.run("quit", "--when-idle", "--wait", "60")
        assert (said.status, said.out) == (DONE, "quitting\n"), said.err
        assert process.wait(20) == 0
    states = pc.done("status", "--json").value["deliveries"]
    assert states["sending"] == 0
    assert states["queued"] >= 1, "it went on with new ones while it was asked to quit"
    before = sum(times_in_books(world, order) for order in ORDERS)
    assert 1 <= before < len(ORDERS)
    with tray(pc) as process:
        until(lambda: {row["state"] for order in ORDERS for row in pc.rows("--order", str(order))} == {"confirmed"}, patience=60)
        assert pc.run("quit", "--when-idle", "--wait", "30").status == DONE
        assert process.wait(20) == 0
    assert [times_in_books(world, order) for order in ORDERS] == [1] * len(ORDERS)


def test_a_setup_that_gives_up_leaves_a_program_that_goes_on(pc: Installation, world: Outside) -> None:
    """I10: the rest that a question brings ends by itself."""
    pc.done("results", "add", "--order", "951", "--matter", "J004551", "--service", "X", "--retailer-fee", "5")
    made = slow_send(world)
    with tray(pc) as process:
        until(lambda: is_met(world, made))
        assert pc.run("quit", "--when-idle").status == NEEDS_PERSON
        pc.done("results", "add", "--order", "952", "--matter", "J004552", "--service", "X", "--retailer-fee", "5")
        until(lambda: {row["state"] for row in pc.rows("--order", "952")} == {"confirmed"}, patience=60)
        assert process.poll() is None
        pc.run("quit", "--when-idle", "--wait", "30")
    assert [times_in_books(world, order) for order in (951, 952)] == [1, 1]


def test_there_is_no_quitting_in_the_middle(pc: Installation) -> None:
    assert pc.run("quit").status == WRONG_USE


def test_a_profile_that_nobody_used_is_not_running_and_stays_unmade(pc: Installation, tmp_path: Path) -> None:
    """I15."""
    nobody = tmp_path / "nobody"
    said = pc.run("--profile", str(nobody), "quit", "--when-idle")
    assert (said.status, said.out) == (DONE, "not running\n")
    assert not nobody.exists()


def test_a_program_that_does_not_answer_is_named_within_the_time(pc: Installation, tmp_path: Path) -> None:
    """I10: nothing is killed; a person is told."""
    lock = InstanceLock(tmp_path / LOCK_FILE)
    assert lock.take()
    began = time.monotonic()
    said = pc.run("--profile", str(tmp_path), "quit", "--when-idle", "--wait", "1")
    assert said.status == NEEDS_PERSON
    assert "does not answer" in said.err
    assert time.monotonic() - began < 30
    lock.release()


def test_whoever_listens_but_knows_no_such_question_does_not_quit_anything(tmp_path: Path) -> None:
    """I10: silence and gibberish are no permission to replace files."""
    assert in_flight_when_asked_to_quit(tmp_path, 200) is None
    server = QLocalServer()
    assert server.listen(socket_name(tmp_path))
    assert in_flight_when_asked_to_quit(tmp_path, 200) is None
    server.close()


def test_only_the_person_can_reach_the_pipe(pc: Installation) -> None:
    """I10: the pipe lies in the person's own folder and is the person's own."""
    with tray(pc) as process:
        assert pc.profile.stat().st_mode & 0o077 == 0
        assert (pc.profile / "tray.socket").stat().st_mode & 0o077 == 0
        pc.run("quit", "--when-idle", "--wait", "30")
        assert process.wait(20) == 0


class Sender:
    """A Background over the real courier and ledger; the cost that it posts stays under way until `go` is set."""

    def __init__(self, folder: Path, windows: Callable[[], int] = lambda: 0, *, firms: int = 1) -> None:
        self.posting, self.go = threading.Event(), threading.Event()
        clock = Clock()
        books = Books(clock)
        first, second = FakePractice(books), FakePractice(books)
        first.fault = self._slow
        self.ledger = Ledger.open(
            folder / "ledger.db", clock=clock, random=Random(1), read_reference=read_reference, takeover=timedelta()
        )
        practices = [((XPM, FIRM), first), ((XPM, "firm-2"), second)]
        courier = Courier(
            self.ledger,
            connections=FakeConnections(dict(practices[:firms])),
            lookup=FakeLookup([matter("J001")]),
            sources=tuple,
            documents=lambda: None,
            settings=settings(),
            read_reference=read_reference,
            random=Random(1),
            turn=Turn(folder),
            lanes=Lanes(),
        )
        before = set(threading.enumerate())
        matters: Any = SimpleNamespace(refresh_if_old=lambda: None)
        self.background = Background(courier, self.ledger, matters, matters, lambda report: None, windows, rest=60)
        (self.thread,) = (each for each in set(threading.enumerate()) - before if each.name == "courier")

    def _slow(self, call: str, what: object) -> None:
        if call == "post_cost":
            self.posting.set()
            self.go.wait(30)

    def send(self) -> bool:
        """True once the cost is on its way."""
        self.ledger.record([Incoming(stand_in_order("1", retailer=fee("1.00")), b"raw", Source.FILE)])
        self.background.wake()
        return self.posting.wait(10)

    def close(self) -> None:
        self.go.set()
        self.background.stop()
        until(lambda: not self.background.come_to_rest())
        self.background.ask_to_stop()
        self.ledger.close()


def test_a_send_that_outlasts_the_couriers_thread_is_still_in_flight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """I10: with two organisations a send has a thread of its own, which may go on after the courier's has ended."""
    monkeypatch.setattr(worker, "LONGEST_END", 0.0)
    monkeypatch.setattr(courier_module, "SAY_SO_AFTER", 0.0)
    sender = Sender(tmp_path, firms=2)
    assert sender.send()
    assert sender.background.come_to_rest() == 1
    sender.thread.join(10)
    assert not sender.thread.is_alive()
    assert sender.background.come_to_rest() == 1
    sender.close()


def test_sends_that_cannot_be_counted_count_as_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """I10: a disk that can't be read for a moment is no permission to quit in the middle of a send."""

    def unreadable(ledger: Ledger) -> None:
        raise LedgerTrouble("The disk can't be read.")

    sender = Sender(tmp_path)
    assert sender.send()
    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "counts", unreadable)
        assert sender.background.come_to_rest() == 1
    sender.close()


def test_an_open_order_window_says_busy_and_stops_no_delivery(tmp_path: Path) -> None:
    """I10: somebody who asks again and again while a person orders keeps nothing from the practice system."""
    open_windows = [1]
    sender = Sender(tmp_path, lambda: open_windows[0])
    assert sender.background.come_to_rest() == 1
    assert sender.send()
    open_windows[0] = 0
    sender.close()


def test_a_window_that_opens_while_the_courier_comes_to_rest_is_seen(tmp_path: Path) -> None:
    """I10: the last look before «quitting» is at the windows."""
    looks = iter([0, 1])
    sender = Sender(tmp_path, lambda: next(looks, 0))
    sender.background.stop()
    assert sender.background.come_to_rest() == 1
    sender.close()
