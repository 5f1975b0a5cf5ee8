"""`iconnect quit --when-idle`, as the setup asks it: the real tray, a slow practice system, real sends on their way."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtNetwork import QLocalServer

from desktop.ui.instance import Request, hand_over, in_flight_when_asked_to_quit, socket_name
from desktop.ui.instance_lock import LOCK_FILE, InstanceLock
from tests.commands.installation import DONE, NEEDS_PERSON, WRONG_USE, Installation, Outside, outside, until

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
