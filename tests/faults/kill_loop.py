"""`python -m tests.faults.kill_loop --kills 300 --seed 1`: the real program against the sandbox, killed at random moments.

Each round starts `iconnect deliver --until-idle` (or, one time in six, the tray) in a process of its own, waits for a chance
moment or for a chance call at the sandbox and a little longer, and kills with SIGKILL. Answers come late meanwhile, and one
post in a few takes effect only after its sender is dead. Where a vendor gives no second chance for a refresh token whose
successor never arrived (WorkflowMax), a kill in that moment ends the sign-in: then a person signs in again, and it is counted.

At the end one run is let be, and what counts is what the sandbox's books hold: each key once, the right amounts, the whole
files. Prints one JSON object; ends with 1 when something is wrong.

`--system` takes another practice system than Xero Practice Manager. `--weaken quiet` sets a quiet time that is shorter than
what the practice system needs, to see whether the loop would notice.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from desktop.services.ledger.facts import split_key
from desktop.services.ledger.ledger import Ledger
from tests.commands.installation import DONE, XPM, Installation, Outside, outside, until

SERVICES = ("nsw-title", "vic-title", "qld-title", "act-title", "bankruptcy", "asic-current")
V1 = "workflowmax-v1"
"""WorkflowMax by its older interface."""
SUPPLY = 14
"""Keys that are still owed before a round: fewer, and more orders are placed."""


@dataclass(frozen=True)
class Target:
    """A practice system in the sandbox: what its writes are called for faults, and where kills are aimed, each beginning of a
    call's name with the number of calls to choose from."""

    writes: str
    calls: dict[str, int]


_ALL = {"infotrack GET v1/messages": 2}
TARGETS = {
    XPM: Target(
        "api POST practicemanager/3.1/job.api/*",
        {
            **_ALL,
            "api POST job.api/cost": 6,
            "api POST job.api/document": 4,
            "api GET job.api/costs": 6,
            "api GET job.api/documents": 3,
            "identity POST connect/token": 1,
        },
    ),
    "workflowmax": Target(
        "workflowmax POST v2/jobs/*",
        {**_ALL, "workflowmax POST": 8, "workflowmax GET": 20, "workflowmax-identity POST": 1},
    ),
    V1: Target(
        "workflowmax POST job.api/*",
        {
            **_ALL,
            "workflowmax POST job.api/cost": 6,
            "workflowmax POST job.api/document": 4,
            "workflowmax GET job.api/": 9,
            "workflowmax-identity POST": 1,
        },
    ),
    "smokeball": Target(
        "smokeball POST matters/*",
        {**_ALL, "smokeball POST": 8, "smokeball GET": 12, "smokeball_files PUT": 3, "smokeball_auth POST": 1},
    ),
}


@dataclass
class Figures:
    """What the loop did, and what it found in the end."""

    system: str
    seed: int
    weakened: str = ""
    kills: int = 0
    ended_before: int = 0
    kills_of_the_tray: int = 0
    signed_in_again: int = 0
    killed_after: dict[str, int] = field(default_factory=dict)
    orders: int = 0
    keys: int = 0
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    unconfirmed: list[str] = field(default_factory=list)
    ledger_is_sound: bool = False
    seconds: int = 0

    @property
    def is_good(self) -> bool:
        return self.ledger_is_sound and not (self.lost or self.twice or self.wrong or self.unconfirmed)


@dataclass
class Loop:
    """One PC, one sandbox, and chance."""

    world: Outside
    pc: Installation
    dice: random.Random
    figures: Figures
    lands_after: float = 2.0
    placed: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.system = self.figures.system.removesuffix("-v1")
        self.target = TARGETS[self.figures.system]
        self.installation = self.pc.installation_id()
        known = self.pc.done("matters", "find", "J0", "--limit", "200", "--json").value
        self.matters = {hit["number"]: hit["id"] for hit in known if hit["number"].startswith("J0")}
        self.matters = {number: self.matters[number] for number in sorted(self.matters)[1:13]}
        assert len(self.matters) > 3, known

    def place(self, count: int) -> None:
        numbers = sorted(self.matters)
        for _ in range(count):
            number = self.dice.choice(numbers)
            reference = f"ICONNECT1_{self.installation}|{self.system}|{self.matters[number]}"
            order = self.world.order(number, self.dice.choice(SERVICES), retailer_reference=reference)
            self.placed[order] = number
        until(lambda: all(order["status"] == "Complete" for order in self.orders().values()))

    def orders(self) -> dict[int, dict[str, Any]]:
        return {order["id"]: order for order in self.world.sandbox.get("/api/orders")["orders"] if order["id"] in self.placed}

    def wanted(self) -> dict[str, Decimal | None]:
        """Key -> what it should cost, by the sandbox's own fees; None for a document."""
        found: dict[str, Decimal | None] = {}
        for number, order in self.orders().items():
            fees = {name: Decimal(str(text)) for name, text in order["fees"].items()}
            lines = {part: fees[name] for part, name in (("R", "retailer_fee"), ("S", "supplier_fee")) if fees[name]}
            # A fee of nothing carries no GST.
            if lines and bool(fees["retailer_gst"]) == bool(fees["supplier_gst"]):
                lines = {"T": sum(lines.values(), Decimal(0))}
            found |= {f"IT-{number}-{part}-1": amount for part, amount in lines.items()}
            found[f"IT-{number}-D-1"] = None
        return found

    def firms(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.world.sandbox.get(f"/api/books?system={self.system}")["tenants"]
        return found

    def keys(self) -> Counter[str]:
        """Our keys in the books of this practice system, as often as each stands there."""
        texts = [cost["note"] for firm in self.firms() for cost in firm["costs"]]
        texts += [one["text"] for firm in self.firms() for one in firm["documents"]]
        found = Counter(text.split()[-1] for text in texts if text.split()[-1:])
        return Counter({key: times for key, times in found.items() if (split_key(key) or ("",))[0].startswith("7")})

    def calls(self) -> Counter[str]:
        return Counter(self.world.sandbox.get("/api/calls")["calls"])

    def weather(self) -> None:
        """How the practice system answers in this round."""
        self.world.controls.delete("faults")
        post = self.target.writes
        kind = self.dice.choice(("calm", "slow", "slow", "late", "late", "dropped"))
        seed = self.dice.randrange(10_000)
        if kind == "slow":
            self.world.controls.post("faults", name="slow_answer", where=post, probability=0.5, seconds=0.4, seed=seed)
        elif kind == "late":
            self.world.controls.post(
                "faults", name="late_effect", where=post, count=2, skip=self.dice.randrange(3), seconds=self.lands_after, hold=2
            )
        elif kind == "dropped":
            self.world.controls.post("faults", name="drop_after", where=post, probability=0.3, seed=seed)

    def moment(self, process: subprocess.Popen[str], before: Counter[str]) -> None:
        """Waits until it is time to kill, or until the program has ended by itself."""
        if self.dice.random() < 0.35:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(self.dice.uniform(0.3, 4.0))
            return
        where = self.dice.choice(list(self.target.calls))
        wanted = _times(before, where) + self.dice.randint(1, self.target.calls[where])
        end = time.monotonic() + 5
        while process.poll() is None and time.monotonic() < end and _times(self.calls(), where) < wanted:
            time.sleep(0.01)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(self.dice.choice((0.001, 0.01, 0.03, 0.1, 0.3)))

    def round(self) -> bool:
        """Whether the program was still running when it was killed."""
        there = set(self.keys())
        if sum(key not in there for key in self.wanted()) < SUPPLY:
            self.place(self.dice.randint(2, 5))
        self.weather()
        tray = self.dice.random() < 1 / 6
        before = self.calls()
        nothing = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = self.pc.start(*(() if tray else ("deliver", "--until-idle")), **nothing)
        try:
            self.moment(process, before)
        finally:
            alive = process.poll() is None
            process.kill()
            process.wait()
        if not alive:
            self.figures.ended_before += 1
            return False
        self.figures.kills += 1
        self.figures.kills_of_the_tray += tray
        last = self._last_call(before)
        self.figures.killed_after[last] = self.figures.killed_after.get(last, 0) + 1
        return True

    def _last_call(self, before: Counter[str]) -> str:
        after = self.world.sandbox.get("/api/calls?last=1")
        if Counter(after["calls"]) == before:
            return "(before any call)"
        last = after["last"][-1]
        return f"{last['server']} {last['endpoint']}"

    def sign_in_if_need_be(self) -> None:
        """What a person does who is asked to."""
        if self.pc.done("status", "--json").value["connections"][0]["state"] != "connected":
            assert self.pc.connect().status == DONE
            self.figures.signed_in_again += 1

    def finish(self) -> None:
        """A run that is let be, and the books compared."""
        self.world.controls.delete("faults")
        until(lambda: self.world.sandbox.get("/api/pending")["pending"] == 0)
        self.sign_in_if_need_be()
        for _ in range(3):
            if self.pc.run("deliver", "--until-idle", timeout=900).status == DONE:
                break
        wanted, figures = self.wanted(), self.figures
        there = self.keys()
        figures.orders, figures.keys = len(self.placed), len(wanted)
        figures.lost = sorted(key for key in wanted if not there[key])
        figures.twice = sorted(key for key, times in there.items() if times > 1)
        figures.wrong = sorted([key for key in there if key not in wanted] + self._spoilt(wanted))
        states = {row["key"]: row["state"] for row in self.pc.rows()}
        figures.unconfirmed = sorted(
            f"{key}: {states.get(key, 'unknown to iConnect')}" for key in wanted if states.get(key) != "confirmed"
        )
        with contextlib.closing(Ledger.open(self.pc.profile / "ledger.db", random=self.dice)) as ledger:
            figures.ledger_is_sound = ledger.is_sound()

    def _spoilt(self, wanted: dict[str, Decimal | None]) -> list[str]:
        """Amounts that are not what was charged, lines on another job, files that are not whole."""
        found = []
        for firm in self.firms():
            for cost in firm["costs"]:
                key = cost["note"].split()[-1:]
                if key and wanted.get(key[0]) is not None:
                    right = Decimal(str(cost["unit_cost"])) * Decimal(str(cost["quantity"])) == wanted[key[0]]
                    if not right or cost["job"] != self.placed[int(key[0].split("-")[1])]:
                        found.append(f"{key[0]}: {cost['unit_cost']} on {cost['job']}")
            found += [f"{one['text'].split()[-1]}: {one['size']} bytes" for one in firm["documents"] if one["size"] < 500]
        return found


def _times(calls: Counter[str], beginning: str) -> int:
    return sum(count for name, count in calls.items() if name.startswith(beginning))


def platform_of(pc: Installation, system: str, weaken: str) -> None:
    """Gives the PC a platform file with that practice system and, if so wanted, one rule less."""
    text = pc.world.sandbox.platform_file.read_text(encoding="utf-8")
    assert f'system = "{XPM}"' in text
    if system == V1:
        assert 'api = "v2"' in text
        text = text.replace('api = "v2"', 'api = "v1"')
    text = text.replace(f'system = "{XPM}"', f'system = "{system.removesuffix("-v1")}"')
    if weaken == "quiet":
        assert "quiet_seconds = 3" in text
        text = text.replace("quiet_seconds = 3", "quiet_seconds = 1")
    pc.platform = pc.profile.parent / "platform.toml"
    pc.platform.write_text(text, encoding="utf-8")


def run(folder: Path, *, kills: int, seed: int, system: str = XPM, weaken: str = "", patience: float = 7200) -> Figures:
    """The whole loop in that folder."""
    began = time.monotonic()
    figures = Figures(system, seed, weaken)
    with outside(folder / "outside", matters=40) as world:
        pc = Installation(world, folder / "profile")
        platform_of(pc, system, weaken)
        pc.set_up()
        loop = Loop(world, pc, random.Random(seed), figures, lands_after=8.0 if weaken else 2.0)
        while figures.kills < kills and time.monotonic() - began < patience:
            if loop.round() and figures.kills % 10 == 0:
                loop.sign_in_if_need_be()
                print(f"{figures.kills} kills, {len(loop.placed)} orders", file=sys.stderr, flush=True)
        loop.finish()
    figures.seconds = round(time.monotonic() - began)
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--system", choices=list(TARGETS), default=XPM)
    parser.add_argument("--weaken", choices=["quiet"], default="")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="killed-") as folder:
        figures = run(Path(folder), kills=chosen.kills, seed=chosen.seed, system=chosen.system, weaken=chosen.weaken)
    print(json.dumps({**asdict(figures), "is_good": figures.is_good}, indent=1))
    return 0 if figures.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
