"""`iconnect demo --headless`: the whole job by the whole program, as an ordinary user with the browser's sandbox on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.order_window_rig import AS_ROOT, NOBODY, base_environment, ordinary_user
from tests.commands.installation import ROOT

LONGEST = 280
SYSTEMS = ("xero-practice-manager", "workflowmax", "workflowmax-v1", "smokeball")


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that belongs to whoever runs the demo; under /tmp, because pytest's own is closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="demo-journey-"))
    for name in ("home", "run", "out"):
        (folder / name).mkdir(mode=0o700)
    if AS_ROOT:
        for path in (folder, *folder.iterdir()):
            os.chown(path, NOBODY, NOBODY)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.journey
@pytest.mark.browser
@pytest.mark.timeout(LONGEST + 60)
@pytest.mark.parametrize("system", SYSTEMS)
def test_the_demo_does_the_whole_job_and_takes_every_confirmed_from_the_books(home: Path, system: str) -> None:
    """G12: the browser's sandbox is on. D16: what is shown as posted was read back."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "desktop", "demo", "--headless", "--system", system, "--out", str(home / "out")],
        env=base_environment(home, PYTHONPATH=str(ROOT), PYTHONDONTWRITEBYTECODE="1"),
        cwd=home,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
        **ordinary_user(),  # type: ignore[call-overload]
    )
    took = time.monotonic() - began
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((home / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["passed"] is True
    assert "The embedded browser ran with its sandbox on." in report["notes"]
    assert [step["name"] for step in report["steps"] if not step["passed"]] == []
    evidence = [line for step in report["steps"] for line in step["evidence"]]
    assert any(line.startswith("books:") for line in evidence)
    named = {name for step in report["steps"] for name in step["pictures"]}
    found = {path.name for path in (home / "out").glob("*.png")}
    assert found == named
    assert len(found) >= 10
    assert all((home / "out" / name).read_bytes().startswith(b"\x89PNG") for name in found)
    print("\n".join([f"{took:.0f} s, {len(report['steps'])} steps, pictures:", *sorted(found)]))
    assert "Traceback" not in done.stderr
