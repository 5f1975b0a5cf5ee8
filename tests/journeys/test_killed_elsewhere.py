"""The real program killed while it signs in, renews its sign-in or reads the matters; and put to sleep while it sends."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from desktop.demo.person_in_browser import sign_in
from tests.commands.installation import DONE, XPM, Installation, Outside, outside, until

MATTERS = 3000


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Outside]:
    with outside(tmp_path / "outside") as running:
        yield running


@pytest.fixture
def dice(request: pytest.FixtureRequest) -> random.Random:
    return random.Random(request.node.nodeid)


def calls(world: Outside) -> Counter[str]:
    return Counter(world.sandbox.get("/api/calls")["calls"])


def state(pc: Installation) -> str:
    return str(pc.done("status", "--json").value["connections"][0]["state"])


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate(timeout=20)


def killed_when(process: subprocess.Popen[str], moment: Callable[[], bool], later: float = 0.0) -> bool:
    """Kills once the moment has come and a little has passed; False when the program was done before."""
    until(lambda: process.poll() is not None or moment())
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(later)
    alive = process.poll() is None
    kill(process)
    return alive


# signing in


def connecting(pc: Installation) -> tuple[subprocess.Popen[str], threading.Thread]:
    process = pc.start("connect", "--no-browser", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    assert process.stdout is not None
    address = process.stdout.readline().strip()

    def person() -> None:
        # The page that the browser is sent to may be gone with the program.
        with contextlib.suppress(OSError):
            sign_in(address)

    browser = threading.Thread(target=person)
    browser.start()
    return process, browser


@pytest.mark.journey
@pytest.mark.parametrize("where", ["identity POST connect/token", "api GET connections"])
def test_a_sign_in_killed_between_the_code_and_the_store_leaves_none(world: Outside, tmp_path: Path, where: str) -> None:
    """A20, B8: the browser said yes, the code was traded, and the program died: nothing half is left, and connecting works."""
    pc = Installation(world, tmp_path / "profile")
    fault = world.controls.post("faults", name="slow_answer", where=where, seconds=3, count=1)
    before = calls(world)
    process, browser = connecting(pc)
    assert killed_when(process, lambda: calls(world)[where] > before[where], 0.1)
    browser.join(30)
    world.controls.delete(f"faults?id={fault['id']}")
    assert state(pc) == "disconnected"
    assert pc.connect().status == DONE
    assert state(pc) == "connected"
    pc.done("matters", "refresh")


@pytest.mark.journey
def test_a_second_sign_in_killed_at_any_moment_keeps_the_connection(world: Outside, tmp_path: Path, dice: random.Random) -> None:
    """A20: what stood goes on standing, or the new one does."""
    pc = Installation(world, tmp_path / "profile")
    assert pc.connect().status == DONE
    world.controls.post("faults", name="slow_answer", where="api GET connections", seconds=0.3)
    killed = 0
    for _ in range(2):
        before = calls(world)["identity POST connect/token"]
        process, browser = connecting(pc)
        asked = lambda b=before: calls(world)["identity POST connect/token"] > b  # noqa: E731
        killed += killed_when(process, asked, dice.uniform(0, 0.15))
        browser.join(30)
        assert state(pc) == "connected"
        pc.done("matters", "refresh")
    assert killed


@pytest.mark.journey
def test_a_renewal_killed_while_the_vendor_answers_keeps_the_sign_in(world: Outside, tmp_path: Path, dice: random.Random) -> None:
    """A20: the vendor has given out a new refresh token and the program that asked for it is dead, four times in a row."""
    pc = Installation(world, tmp_path / "profile")
    assert pc.connect().status == DONE
    token = "identity POST connect/token"
    world.controls.post("faults", name="slow_answer", where=token, probability=0.7, seconds=0.6, seed=1)
    killed = 0
    for _ in range(4):
        before = calls(world)[token]
        process = pc.start("matters", "refresh", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        killed += killed_when(process, lambda b=before: calls(world)[token] > b, dice.uniform(0, 0.7))  # type: ignore[misc]
    assert killed >= 2
    world.controls.delete("faults")
    assert state(pc) == "connected"
    pc.done("matters", "refresh")


# the copy of the matters


@pytest.mark.journey
def test_a_refresh_killed_at_any_moment_leaves_the_old_copy_or_the_new_one(tmp_path: Path, dice: random.Random) -> None:
    """C5: half a list of matters is never what people search in."""
    with outside(tmp_path / "outside", matters=MATTERS) as world:
        pc = Installation(world, tmp_path / "profile").set_up()

        def known() -> int:
            return int(pc.done("status", "--json").value["matters"]["count"])

        count = whole = known()
        assert whole > MATTERS / 2
        tenant = world.sandbox.where["xero"]["tenant_id"]
        closing = [
            job["number"] for job in world.sandbox.get(f"/api/jobs?tenant={tenant}&limit=400") if job["number"].startswith("J")
        ]
        listing = "api GET job.api/current"
        killed = 0
        for closed, number in enumerate(closing[100:104], start=1):
            world.controls.post(f"jobs/{number}/close")
            before = calls(world)[listing]
            world.controls.delete("faults")
            world.controls.post("faults", name="trickle", where="api GET practicemanager/3.1/job.api/current", seconds=1.5, count=1)
            process = pc.start("matters", "refresh", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            killed += killed_when(process, lambda b=before: calls(world)[listing] > b, dice.uniform(0.0, 2.2))  # type: ignore[misc]
            now = known()
            assert now in (count, whole - closed), f"{now} matters: neither the old copy nor the new one"
            count = now
        assert killed >= 2
        world.controls.delete("faults")
        pc.done("matters", "refresh")
        assert known() == whole - 4


# sleep

SHORT = {"connect_timeout_seconds = 5": "connect_timeout_seconds = 2", "read_timeout_seconds = 10": "read_timeout_seconds = 1"}


@pytest.mark.journey
@pytest.mark.skipif(sys.platform == "win32", reason="stops a process by a POSIX signal")
def test_a_program_that_sleeps_while_it_sends_posts_each_key_once(world: Outside, tmp_path: Path) -> None:
    """C17, D6: stopped in the middle of a collect, a post and a read, each time for longer than every time-out, and woken."""
    pc = Installation(world, tmp_path / "profile")
    pc.platform = tmp_path / "platform.toml"
    text = world.sandbox.platform_file.read_text(encoding="utf-8")
    for longer, shorter in SHORT.items():
        assert longer in text
        text = text.replace(longer, shorter)
    pc.platform.write_text(text, encoding="utf-8")
    pc.set_up()
    number, matter_id = next((job["number"], job["uuid"]) for job in world.jobs()[1:])
    reference = f"ICONNECT1_{pc.installation_id()}|{XPM}|{matter_id}"
    orders = [world.order(number, retailer_reference=reference) for _ in range(4)]
    until(lambda: all(order["status"] == "Complete" for order in world.sandbox.get("/api/orders")["orders"]))
    world.controls.post("faults", name="slow_answer", where="api POST practicemanager/3.1/job.api/*", count=3, seconds=0.8)
    slept = 0
    before = calls(world)
    process = pc.start("deliver", "--until-idle", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for endpoint, count in (
        ("infotrack GET v1/messages", 1),
        ("api POST job.api/cost", 1),
        ("api POST job.api/document", 1),
        ("api GET job.api/costs", 4),
    ):
        until(lambda e=endpoint, c=count: process.poll() is not None or calls(world)[e] >= before[e] + c)  # type: ignore[misc]
        if process.poll() is None:
            os.kill(process.pid, signal.SIGSTOP)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(3.5)
            os.kill(process.pid, signal.SIGCONT)
            slept += 1
    assert slept >= 3
    _, err = process.communicate(timeout=120)
    assert process.returncode == DONE, err
    assert "Traceback" not in err
    keys = Counter(world.keys_in_books())
    assert set(keys.values()) == {1}
    assert {key.split("-")[1] for key in keys} == {str(order) for order in orders}
    assert {row["state"] for row in pc.rows()} == {"confirmed"}
