"""The Windows setup under Wine: install, ask, install again, remove, and what is left.

Needs a Wine that the machine's owner has prepared, told by three variables: ICONNECT_WINE, the command that runs a Windows program;
ICONNECT_WINE_DRIVE, the folder of its drive C; ICONNECT_WINE_SETUP, the setup and ICONNECT_WINE_PLATFORM a platform file, both by
their Windows paths.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time
from pathlib import Path

import pytest

NEEDED = ("ICONNECT_WINE", "ICONNECT_WINE_DRIVE", "ICONNECT_WINE_SETUP", "ICONNECT_WINE_PLATFORM")
PROGRAM = r"C:\Program Files\iConnect"

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(not all(name in os.environ for name in NEEDED), reason="needs a prepared Wine: " + ", ".join(NEEDED)),
]


def wine(*words: str, may_fail: bool = False) -> str:
    done = subprocess.run(
        [*shlex.split(os.environ["ICONNECT_WINE"]), *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=400,
        check=False,
    )
    assert may_fail or done.returncode == 0, words
    return done.stdout.decode("utf-8", errors="replace")


def test_a_queue_outlives_installing_repairing_and_removing() -> None:
    """I4, I15: per machine, silent, with a platform file; again over itself; removed; nothing of the program's is left."""
    drive = Path(os.environ["ICONNECT_WINE_DRIVE"])
    setup = os.environ["ICONNECT_WINE_SETUP"]
    program = drive / "Program Files" / "iConnect"
    wine(setup, "/S", "/AllUsers", f"/PLATFORM={os.environ['ICONNECT_WINE_PLATFORM']}")
    assert (drive / "ProgramData" / "iConnect" / "platform.toml").is_file()
    assert wine(rf"{PROGRAM}\iconnect.exe", "--version").startswith("iConnect, version ")
    checks = {
        row["check"]: row["verdict"] for row in json.loads(wine(rf"{PROGRAM}\iconnect.exe", "doctor", "--json", may_fail=True))
    }
    assert checks["platform file"] == checks["ledger"] == checks["keyring"] == "ok"
    wine(rf"{PROGRAM}\iconnect.exe", "status", "--json")
    (ledger,) = drive.glob("users/*/AppData/Local/iConnect/ledger.db")
    link = wine("reg", "query", r"HKLM\Software\Classes\iconnect\shell\open\command")
    assert rf'"{PROGRAM}\iConnect-Tray.exe" --link "%1"' in link
    run = r"HKLM\Software\Microsoft\Windows\CurrentVersion\Run"
    assert "iConnect-Tray.exe" in wine("reg", "query", run)

    stray = program / "_internal" / "of-an-older-version.dll"
    stray.write_bytes(b"")
    before = ledger.read_bytes()
    wine(setup, "/S", "/AllUsers", "/AUTOSTART=0")
    assert not stray.exists()
    assert ledger.read_bytes() == before
    assert "iConnect-Tray.exe" not in wine("reg", "query", run, may_fail=True)

    wine(rf"{PROGRAM}\Uninstall.exe", "/S", "/AllUsers")
    # It removes from a copy of itself, which nobody can wait for.
    end = time.monotonic() + 60
    while program.exists():
        assert time.monotonic() < end, sorted(program.rglob("*"))[:5]
        time.sleep(0.2)
    left = [path for path in drive.rglob("*[iI][cC]onnect*") if "users" not in path.parts]
    assert left == [drive / "ProgramData" / "iConnect"]
    assert ledger.read_bytes() == before
    assert "iconnect" not in wine("reg", "query", r"HKLM\Software\Classes\iconnect", may_fail=True).lower()
