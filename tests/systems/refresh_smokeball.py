"""How long a large firm's Smokeball matters take at five calls a second: `python -m tests.systems.refresh_smokeball [--matters N]`

The stand-in runs in a process of its own with its real bucket on (five a second, bursts of five, for each endpoint), the desk's
own bucket stands before it, and the local copy takes in what comes. Measured are the first refresh, one of the changes after
one matter in a hundred was touched, and one right after that. Prints one JSON object; the calls are the stand-in's own count.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from desktop.demo.person_in_browser import sign_in
from desktop.demo.sandbox_process import SandboxProcess
from desktop.services.desk import SignInSteps
from desktop.services.http import Http
from desktop.services.identity.wallet import Identity
from desktop.services.practice.directory import Directory
from desktop.services.practice_systems import SYSTEMS, CallAccount
from desktop.settings import read_platform
from tests.identity.identity_rig import MemoryKeyring
from tests.sandbox.visitors import Controls

SYSTEM = "smokeball"
OVERLAP = timedelta(minutes=10)


def calls(sandbox: SandboxProcess) -> dict[str, Any]:
    """What the stand-in was asked since it was last cleared, and how often it said «too many»."""
    told = sandbox.get("/api/calls?last=0")
    counted = {name.removeprefix("smokeball "): count for name, count in told["calls"].items() if name.startswith("smokeball ")}
    return {"calls": sum(counted.values()), "by_endpoint": counted, "turned_away": told["limited"]}


def run(folder: Path, matters: int) -> dict[str, Any]:
    found: dict[str, Any] = {"matters": matters}
    with contextlib.closing(SandboxProcess(folder / "stand-in")) as sandbox:
        sandbox.start(matters=matters, delay=0.0, results="none")
        settings = read_platform(sandbox.platform_file)
        http = Http()
        keyring = MemoryKeyring()
        (folder / "profile").mkdir()
        identity = Identity(folder / "profile", lambda: settings, http, keyring_backend=lambda: keyring)

        def browse(address: str) -> bool:
            threading.Thread(target=sign_in, args=(address,), daemon=True).start()
            return True

        identity.sign_in(SYSTEM, SignInSteps(browse, lambda tenants: tenants[0], lambda tenant: None, lambda: False))
        tokens = identity.connection(SYSTEM)
        assert tokens is not None
        gate: CallAccount = SYSTEMS[SYSTEM].account()
        practice = SYSTEMS[SYSTEM].make(http, tokens, gate, settings)
        directory = Directory.open(folder / "directory.db", clock=lambda: datetime.now(UTC))

        def measured(since: datetime | None) -> dict[str, Any]:
            Controls(sandbox.controls).delete("calls")
            began, work = time.monotonic(), time.process_time()
            if since is None:
                report = directory.replace(SYSTEM, tokens.tenant, practice.matters())
            else:
                report = directory.merge(SYSTEM, tokens.tenant, practice.matters(since=since))
            seconds = time.monotonic() - began
            return {
                **calls(sandbox),
                "minutes": round(seconds / 60, 2),
                "seconds_of_work": round(time.process_time() - work, 1),
                "new": report.new,
                "changed": report.changed,
                "total": report.total,
            }

        found["first"] = measured(None)
        time.sleep(1)
        before = datetime.now(UTC)
        jobs = sandbox.get(f"/api/jobs?system={SYSTEM}&limit={matters}")
        chosen = Random(1).sample([job for job in jobs if job["state"] in ("Open", "Pending") and not job["lead"]], matters // 100)
        for job in chosen:
            sandbox.post(f"/api/smokeball/matters/{job['uuid']}/change", title=f"{job['name']} (renamed)")
        found["later"] = measured(before)
        found["again"] = measured(datetime.now(UTC) - OVERLAP)
        directory.close()
        http.close()
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--matters", type=int, default=20_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run(Path(folder), options.matters)
    print(json.dumps(found, indent=1))
    complete = found["later"]["changed"] >= options.matters // 100 and not found["first"]["changed"]
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
