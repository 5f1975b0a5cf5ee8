"""What a killed program and a cut network leave behind: each key once in the books, and every row confirmed in the end."""

from __future__ import annotations

import contextlib
import random
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.commands.installation import DONE, XPM, Installation, Outside, outside, until

ORDERS = 30


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Outside]:
    with outside(tmp_path / "outside") as running:
        yield running


@pytest.fixture
def pc(world: Outside, tmp_path: Path) -> Installation:
    return Installation(world, tmp_path / "profile").set_up()


@pytest.fixture
def dice(request: pytest.FixtureRequest) -> random.Random:
    """Chance that is the same each time this test runs."""
    return random.Random(request.node.nodeid)


def place(world: Outside, pc: Installation, count: int, *, services: tuple[str, ...] = ("nsw-title", "vic-title")) -> list[int]:
    """Orders of this installation on several matters; the result of each is in the feed at once."""
    numbers = [job["number"] for job in world.jobs()][1 : 1 + max(1, count // 3)]
    installation = pc.installation_id()
    ids = {job["number"]: job["uuid"] for job in world.jobs()}
    orders = []
    for index in range(count):
        number = numbers[index % len(numbers)]
        reference = f"ICONNECT1_{installation}|{XPM}|{ids[number]}"
        orders.append(world.order(number, services[index % len(services)], retailer_reference=reference))
    until(lambda: all(order["status"] == "Complete" for order in world.sandbox.get("/api/orders")["orders"]))
    return orders


def expected_keys(world: Outside, orders: list[int]) -> Counter[str]:
    """What the contract makes of these orders: by the sandbox's own fees, not by the product's word."""
    keys: Counter[str] = Counter()
    for order in world.sandbox.get("/api/orders")["orders"]:
        if order["id"] not in orders:
            continue
        fees = {name: float(text) for name, text in order["fees"].items()}
        parts = [part for part, name in (("R", "retailer_fee"), ("S", "supplier_fee")) if fees[name]]
        if len(parts) == 2 and bool(fees["retailer_gst"]) == bool(fees["supplier_gst"]):
            parts = ["T"]
        keys.update(f"IT-{order['id']}-{part}-1" for part in [*parts, "D"])
    return keys


def assert_all_there_once(world: Outside, pc: Installation, orders: list[int]) -> None:
    wanted = expected_keys(world, orders)
    assert Counter(world.keys_in_books()) == wanted
    rows = pc.rows()
    assert {row["key"] for row in rows} == set(wanted)
    assert Counter(row["state"] for row in rows) == {"confirmed": len(wanted)}


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate(timeout=20)


def started(pc: Installation, *words: str) -> subprocess.Popen[str]:
    return pc.start(*words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def calls(world: Outside) -> Counter[str]:
    return Counter(world.sandbox.get("/api/calls")["calls"])


def bad_weather(world: Outside, *, late: tuple[str, int] | None) -> None:
    """Answers that come late, so that kills fall between an effect and its answer; and, where a post is waited for, one whose
    effect comes three seconds after it was sent, when another run is already at work."""
    world.controls.delete("faults")
    if late is not None and " POST " in late[0]:
        endpoint, count = late
        where = endpoint.replace("job.api", "practicemanager/3.1/job.api") + "*"
        world.controls.post("faults", name="late_effect", where=where, count=1, skip=count - 1, seconds=3, hold=3)
    else:
        where = "api POST practicemanager/3.1/job.api/*"
        world.controls.post("faults", name="slow_answer", where=where, probability=0.4, seconds=0.4, seed=3)


PHASES = {
    "collecting": ("infotrack GET v1/messages", 1),
    "sending a cost": ("api POST job.api/cost", 3),
    "sending a document": ("api POST job.api/document", 2),
    "reading back": ("api GET job.api/costs", 4),
}


@pytest.mark.journey
def test_deliver_killed_at_any_moment_posts_each_key_once(
    world: Outside, pc: Installation, dice: random.Random, record_property: Callable[[str, object], None]
) -> None:
    """C5, D1, D2: `kill -9` while it collects, sends and reads back, then a run that is let be."""
    orders = place(world, pc, ORDERS)
    seen: list[dict[str, int]] = []
    moments: list[tuple[str, int] | float] = [*PHASES.values(), *(dice.uniform(0.1, 4.0) for _ in range(8))]
    dice.shuffle(moments)
    killed = 0
    for moment in moments:
        bad_weather(world, late=moment if isinstance(moment, tuple) else None)
        before = calls(world)
        process = started(pc, "deliver", "--until-idle")
        if isinstance(moment, float):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(moment)
        else:
            endpoint, count = moment
            until(lambda p=process, e=endpoint, b=before, c=count: p.poll() is not None or calls(world)[e] >= b[e] + c)  # type: ignore[misc]
        killed += process.poll() is None
        kill(process)
        if isinstance(moment, float):  # after the others the next run is to come at once, before the late effect
            seen.append({state: n for state, n in pc.done("status", "--json").value["deliveries"].items() if n})
    assert killed >= 8, seen
    world.controls.delete("faults")
    said = pc.run("deliver", "--until-idle")
    assert said.status == DONE, said.err
    assert_all_there_once(world, pc, orders)
    record_property("kills", killed)
    record_property("states after each kill", seen)
    print(killed, "kills", seen)


@pytest.mark.journey
@pytest.mark.parametrize("what", ["cost", "document"])
def test_a_post_that_lands_after_its_sender_was_killed_is_not_sent_again(world: Outside, pc: Installation, what: str) -> None:
    """D6, C5: what a dead process left as `sending` is unknown; «absent» is not believed before the quiet time is over."""
    orders = place(world, pc, 1)
    where = f"api POST practicemanager/3.1/job.api/{what}*"
    world.controls.post("faults", name="late_effect", where=where, count=1, seconds=2.8, hold=3)
    before = calls(world)
    process = started(pc, "deliver", "--until-idle")
    until(lambda: calls(world)[f"api POST job.api/{what}"] > before[f"api POST job.api/{what}"])
    kill(process)
    said = pc.run("deliver", "--until-idle")
    assert said.status == DONE, said.err
    until(lambda: world.sandbox.get("/api/pending")["pending"] == 0)
    assert_all_there_once(world, pc, orders)


@pytest.mark.journey
def test_the_tray_killed_at_any_moment_posts_each_key_once(world: Outside, pc: Installation, dice: random.Random) -> None:
    """C5, C10: a killed tray leaves no lock behind that keeps the next start or a command from delivering."""
    orders = place(world, pc, 12)
    world.controls.post(
        "faults", name="slow_answer", where="api POST practicemanager/3.1/job.api/*", probability=0.5, seconds=0.3, seed=5
    )
    killed = 0
    for _ in range(6):
        process = started(pc)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(dice.uniform(0.8, 3.0))
        killed += process.poll() is None
        kill(process)
    assert killed == 6
    world.controls.delete("faults")
    process = started(pc)
    try:
        until(lambda: {row["state"] for row in pc.rows()} == {"confirmed"} and len(pc.rows()) >= 12, patience=90)
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == 0
    assert_all_there_once(world, pc, orders)


FAULTS: dict[str, dict[str, object]] = {
    "drop_after": {"count": 6},
    "reset_after": {"count": 6},
    "half_answer": {"count": 6},
    "status": {"status": 503, "count": 2},
    "status_after": {"status": 503, "count": 2},
    "late_effect": {"count": 4, "seconds": 2, "hold": 0.2},
}


@pytest.mark.journey
@pytest.mark.parametrize("fault", FAULTS)
def test_a_cut_network_while_posting_posts_each_key_once(world: Outside, pc: Installation, fault: str) -> None:
    """D3, D6: whether the request took effect or not, soon or late, the books hold each key once."""
    orders = place(world, pc, 6)
    made = world.controls.post("faults", name=fault, where="api POST practicemanager/3.1/job.api/*", **FAULTS[fault])
    said = pc.run("deliver", "--until-idle")
    if said.status != DONE:  # it may leave what it has tried three times
        said = pc.run("deliver", "--until-idle")
    assert said.status == DONE, said.err
    until(lambda: world.sandbox.get("/api/pending")["pending"] == 0)
    hits = next(each["hits"] for each in world.sandbox.get("/api/faults")["faults"] if each["id"] == made["id"])
    assert hits == FAULTS[fault]["count"], "the faults were met"
    until(lambda: world.sandbox.get("/api/pending")["pending"] == 0)
    assert_all_there_once(world, pc, orders)


@pytest.mark.journey
def test_a_bad_line_everywhere_posts_each_key_once(world: Outside, pc: Installation, dice: random.Random) -> None:
    """D1, D2: one call in five fails in some way, reads and the feed included."""
    orders = place(world, pc, 12)
    for name in ("drop_before", "drop_after", "reset_after", "half_answer", "html_503"):
        for where in ("api ", "infotrack GET"):
            world.controls.post("faults", name=name, where=where, probability=0.05, seed=dice.randrange(1000))
    for _ in range(3):
        pc.run("deliver", "--until-idle")
    world.controls.delete("faults")
    said = pc.run("deliver", "--until-idle")
    assert said.status == DONE, said.err
    assert_all_there_once(world, pc, orders)
