"""One PC with iConnect on it, used through its real command in processes of their own, against the sandbox as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from desktop.demo.person_in_browser import sign_in
from desktop.demo.private_keyring import PrivateKeyring
from desktop.demo.sandbox_process import SandboxProcess
from tests.sandbox.visitors import Controls

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]
XPM = "xero-practice-manager"
STATES = ("held", "queued", "sending", "unknown", "accepted", "confirmed", "rejected", "cancelled")
DONE, NEEDS_PERSON, WRONG_USE, NOT_CONNECTED = 0, 1, 2, 3


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    status: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        """The one JSON value on standard output; a second one, or anything else there, fails."""
        return json.loads(self.out)


class Outside:
    """The sandbox and a private keyring: the world that every installation of a test shares."""

    def __init__(self, folder: Path) -> None:
        self.sandbox = SandboxProcess(folder / "sandbox")
        self.keyring = PrivateKeyring(folder / "keyring")

    def start(self, *, matters: int = 60, results: str = "feed", delay: float = 0.0, limits: bool = False) -> None:
        """Without the vendor's limits, unless they are wanted: tests call more often than a firm does."""
        self.sandbox.start(matters=matters, delay=delay, results=results)
        if not limits:
            self.sandbox.post("/api/limits", concurrent=0, minute=0, day=0, appminute=0)
        self.keyring.start()

    def close(self) -> None:
        self.keyring.close()
        self.sandbox.close()

    @property
    def controls(self) -> Controls:
        return Controls(self.sandbox.controls)

    def jobs(self) -> list[dict[str, Any]]:
        """The firm's jobs with plain numbers that take costs."""
        tenant = self.sandbox.where["xero"]["tenant_id"]
        found: list[dict[str, Any]] = self.sandbox.get(f"/api/jobs?tenant={tenant}&limit=400")
        return [job for job in found if job["number"].startswith("J0") and job["state"] not in ("Completed", "Cancelled")]

    def keys_in_books(self) -> list[str]:
        """The key at the end of every cost and document of every firm, as often as it stands there."""
        firms = self.sandbox.get("/api/books")["tenants"]
        notes = [cost["note"] for firm in firms for cost in firm["costs"]]
        notes += [document["text"] for firm in firms for document in firm["documents"]]
        return [note.split()[-1] for note in notes if note.split()[-1:] and note.split()[-1].startswith("IT-")]

    def order(self, matter: str, service: str = "nsw-title", **more: object) -> int:
        """Places an order in the sandbox, not through the product; gives its number."""
        answer = self.sandbox.post("/api/orders", matter=matter, service=service, **more)
        return int(answer["id"])


@contextmanager
def outside(folder: Path, **start: Any) -> Iterator[Outside]:
    world = Outside(folder)
    try:
        world.start(**start)
        yield world
    finally:
        world.close()


@dataclass
class Installation:
    """One profile. `run` starts `python -m desktop` as a person would type `iconnect`."""

    world: Outside
    profile: Path
    platform: Path | None = None
    more: Mapping[str, str] = field(default_factory=dict)
    popen: Mapping[str, Any] = field(default_factory=dict)
    """How its processes are started, such as by which user."""

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ICONNECT_", "QT_", "DISPLAY"))}
        return {
            **inherited,
            **self.world.keyring.environment,
            "ICONNECT_PROFILE": str(self.profile),
            "ICONNECT_PLATFORM": str(self.platform or self.world.sandbox.platform_file),
            "QT_QPA_PLATFORM": "offscreen",
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "default",
            "NO_PROXY": "*",
            **self.more,
        }

    def start(self, *words: str, **more: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "desktop", *words],
            env=self.environment,
            text=True,
            cwd=self.profile.parent,
            **self.popen,
            **more,
        )

    @contextmanager
    def beside(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """A command, or the tray, that runs while the block does; whatever is left of it then is killed."""
        process = self.start(*words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
            process.wait(20)

    def run(self, *words: str, feed: str = "", timeout: float = 120) -> Said:
        done = subprocess.run(
            [sys.executable, "-m", "desktop", *words],
            input=feed,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env=self.environment,
            cwd=self.profile.parent,
            **self.popen,
        )
        assert "Traceback" not in done.stderr, f"iconnect {' '.join(words)}: {done.stderr}"
        return Said(done.returncode, done.stdout, done.stderr)

    def done(self, *words: str, feed: str = "") -> Said:
        """As `run`, for what has to succeed."""
        said = self.run(*words, feed=feed)
        assert said.status == DONE, f"iconnect {' '.join(words)} ended with {said.status}: {said.err}"
        return said

    def connect(self) -> Said:
        """Signs in to the practice system: the address from `connect --no-browser`, opened by a person's stand-in."""
        process = self.start("connect", "--no-browser", stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        with process:
            assert process.stdout is not None
            address = process.stdout.readline()
            assert address.startswith("http"), address
            sign_in(address.strip())
            out, err = process.communicate(timeout=30)
        return Said(process.returncode, address + out, err)

    def sign_in_to_infotrack(self) -> Said:
        login = self.world.sandbox.where["infotrack_login"]
        return self.done("infotrack", "sign-in", "--user", login["user"], feed=login["password"] + "\n")

    def set_up(self) -> Installation:
        """Connected to both, with the matters read."""
        assert self.connect().status == DONE
        self.sign_in_to_infotrack()
        self.done("matters", "refresh")
        return self

    def rows(self, *words: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.done("deliveries", "--json", *words).value
        return found

    def installation_id(self) -> str:
        return str(self.done("status", "--json").value["installation"])

    def reference_for(self, number: str) -> str:
        """The mark that this installation's own orders carry (contracts, section 5)."""
        hits = self.done("matters", "find", number, "--json").value
        matter = next(hit for hit in hits if hit["number"] == number)
        return f"ICONNECT1_{self.installation_id()}|{matter['system']}|{matter['id']}"


def until(look: Callable[[], T | None], *, patience: float = 30) -> T:
    """Waits for something to become true."""
    end = time.monotonic() + patience
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)
