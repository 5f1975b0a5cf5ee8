"""1,000 deliveries against the sandbox: without limits, deliveries a second; with Xero's limits on, how well they are used.

python -m benchmarks.deliveries [--deliveries 1000] [--minutes 6]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.start_and_idle import connect, iconnect
from desktop.demo.private_keyring import PrivateKeyring
from desktop.demo.sandbox_process import SandboxProcess

API = "api "


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=6)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="iconnect-benchmark-") as folder:
        without_limits(Path(folder) / "free", options.deliveries)
        with_limits(Path(folder) / "limited", options.deliveries, options.minutes)


class Desk:
    """A sandbox, a keyring, a signed-in profile, and orders that wait in the feed. `limits` False: none at all."""

    def __init__(self, work: Path, *, limits: bool) -> None:
        self.keyring, self.sandbox = PrivateKeyring(work / "keyring"), SandboxProcess(work / "sandbox")
        work.mkdir(parents=True)
        self.keyring.start()
        self.sandbox.start(matters=400, delay=0, results="feed")
        if not limits:
            self.sandbox.post("/api/limits", minute=0, day=0, appminute=0, concurrent=0)
        self.environment = {**os.environ, **self.keyring.environment}
        self.environment |= {"ICONNECT_PROFILE": str(work / "profile"), "ICONNECT_PLATFORM": str(self.sandbox.platform_file)}
        login = self.sandbox.where["infotrack_login"]
        connect(self.environment)
        iconnect(self.environment, "infotrack", "sign-in", "--user", login["user"], feed=login["password"] + "\n")
        iconnect(self.environment, "matters", "refresh")
        import json

        self.installation = json.loads(iconnect(self.environment, "status", "--json"))["installation"]

    def place(self, deliveries: int) -> None:
        """Each order is one cost and one document, spread over 200 jobs."""
        jobs = self.sandbox.get("/api/jobs?limit=200")
        for number in range(deliveries // 2):
            job = jobs[number % len(jobs)]
            self.sandbox.post(
                "/api/orders",
                service="vic-title",
                client_reference=job["number"],
                retailer_reference=f"ICONNECT1_{self.installation}|xero-practice-manager|{job['uuid']}",
                delay=0,
            )
        self.sandbox._ask("DELETE", "/api/calls", None)

    def posted(self) -> int:
        books = self.sandbox.get("/api/books")["tenants"]
        return sum(len(firm["costs"]) + len(firm["documents"]) for firm in books)

    def calls(self) -> tuple[int, int]:
        """Calls to the practice system, and how many of all were refused for a limit."""
        told: dict[str, Any] = self.sandbox.get("/api/calls?last=0")
        return sum(count for name, count in told["calls"].items() if name.startswith(API) and "job.api" in name), told["limited"]

    def close(self) -> None:
        self.sandbox.close()
        self.keyring.close()


def without_limits(work: Path, deliveries: int) -> None:
    desk = Desk(work, limits=False)
    try:
        desk.place(deliveries)
        before = desk.posted()
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "desktop", "deliver", "--until-idle"],
            env=desk.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.monotonic() - began
        calls, limited = desk.calls()
        posted = desk.posted() - before
        print(
            f"without limits: {posted} of {deliveries} deliveries posted and read back in {seconds:.1f} s, "
            f"{posted / seconds:.1f} a second, {calls / max(1, posted):.2f} calls each, {limited} refused; "
            f"ended with {done.returncode} {done.stderr.strip()[-200:]}"
        )
    finally:
        desk.close()


def with_limits(work: Path, deliveries: int, minutes: float) -> None:
    desk = Desk(work, limits=True)
    try:
        desk.place(deliveries)
        before = desk.posted()
        program = subprocess.Popen(
            [sys.executable, "-c", _CLICKING, str(minutes * 60)], env=desk.environment, stdout=subprocess.PIPE, text=True
        )
        rates: list[int] = []
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(60):
                rates.append(desk.calls()[0])

        threading.Thread(target=watch, daemon=True).start()
        told, _ = program.communicate()
        ended.set()
        calls, limited = desk.calls()
        posted = desk.posted() - before
        each = [after - before for before, after in zip([0, *rates], rates, strict=False)]
        whole = each[1:] or each
        print(
            f"with limits, {minutes:.0f} minutes: {sum(whole) / (60 * max(1, len(whole))):.0%} of the permitted calls used "
            f"(whole minutes: {whole}), {calls / max(1, posted):.2f} calls for each of {posted} deliveries, "
            f"{limited} times 429 (aim 0); {told.strip()}"
        )
    finally:
        desk.close()


_CLICKING = """
import os, sys, time
from desktop.places import places
from desktop.services.office import open_office
from desktop.settings import find_platform_file, read_platform
where = places(None, os.environ)
file = find_platform_file(None, where, os.environ)
office = open_office(read_platform(file), file, where)
office.start_background()
waits, until = [], time.monotonic() + float(sys.argv[1])
while time.monotonic() < until:
    time.sleep(15)
    began = time.monotonic()
    office.ask_for_matter("J004521")
    waits.append(time.monotonic() - began)
office.close()
middle = sorted(waits)[len(waits) // 2]
print(f"a person's click waited {max(waits):.2f} s at the longest, {middle:.2f} s in the median of {len(waits)}")
"""

if __name__ == "__main__":
    main()
