"""The real tray is ended by a fault: a report stays, the next start offers to look at it, and nothing was sent to anybody."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.house import Sandbox
from tests.canary.search import Search
from tests.commands.installation import Installation, until
from tests.journeys.test_canary import box, connect, home, pc  # noqa: F401  # fixtures

# ruff: noqa: F811  # fixtures

pytestmark = pytest.mark.journey

SITE = """
import socket, sys
_connect, _send = socket.socket.connect, socket.socket.sendto
def connect(self, address):
    with open({log!r}, "a") as log:
        log.write(repr(address) + "\\n")
    return _connect(self, address)
def sendto(self, data, *rest):
    with open({log!r}, "a") as log:
        log.write(repr(rest[-1]) + "\\n")
    return _send(self, data, *rest)
socket.socket.connect, socket.socket.sendto = connect, sendto
_ask = socket.getaddrinfo
def getaddrinfo(host, *rest, **more):
    with open({log!r}, "a") as log:
        log.write(repr(("name", host)) + "\\n")
    return _ask(host, *rest, **more)
socket.getaddrinfo = getaddrinfo
"""


def recorded(pc: Installation, folder: Path) -> Path:
    """Every connection and name look-up of its processes goes into this file."""
    log = folder / "network.log"
    log.touch(mode=0o666)
    log.chmod(0o666)
    site = folder / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(SITE.format(log=str(log)))
    for path in (site, site / "sitecustomize.py"):
        path.chmod(0o755)
    pc.more = {**pc.more, "PYTHONPATH": f"{site}{os.pathsep}{Path(__file__).resolve().parents[2]}"}
    return log


def test_a_crash_is_offered_at_the_next_start_and_nothing_is_sent(box: Sandbox, pc: Installation, home: Path) -> None:
    """J8, J7: traffic before, during and after goes to the vendors of the platform file alone."""
    log = recorded(pc, home)
    connect(pc)
    for how in (signal.SIGSEGV, signal.SIGABRT):
        with pc.beside() as tray:
            until(lambda: (pc.profile / "tray.socket").exists(), patience=60)
            native = pc.profile / "crashes" / f"{tray.pid}.native"
            until(native.exists)
            tray.send_signal(how)
            tray.communicate(timeout=30)
            assert tray.returncode == -how
            assert "desktop/" in native.read_text() or "Fatal Python error" in native.read_text()
        (pc.profile / "tray.socket").unlink(missing_ok=True)
    with pc.beside() as tray:
        until(lambda: (pc.profile / "tray.socket").exists(), patience=60)
        told = pc.run("status").out
        assert "ended unexpectedly 2 times" in told
        assert "iconnect diagnostics" in told
        assert len(list((pc.profile / "crashes").glob("*.native"))) >= 2
        tray.terminate()
        tray.communicate(timeout=30)
    pc.done("diagnostics", str(pc.profile / "bundle.zip"))
    assert "ended unexpectedly" not in pc.run("status").out
    # Those that the platform file names: doctor, for the bundle, asks whether they can be reached.
    ours = set(re.findall(r"(?:127\.0\.0\.1|localhost):(\d+)", box.platform_file.read_text(encoding="utf-8")))
    others = [line for line in log.read_text().splitlines() if not _expected(line, ours)]
    assert others == []
    assert any(port in log.read_text() for port in ours), "the recording records"


def _expected(line: str, ports: set[str]) -> bool:
    """A vendor's port on this PC, a socket of this PC's own (D-Bus, the tray's), or the look-up of this PC's own name."""
    if line.startswith(("'", "b'")):
        return True
    if line.startswith("('name'"):
        return any(host in line for host in ("'127.0.0.1'", "'localhost'", "None"))
    return line.startswith("('127.0.0.1', ") and any(line.rstrip(")").endswith(port) for port in ports)


SLOT = """
import sys
from pathlib import Path
from desktop.logs import report_crashes_to
report_crashes_to(Path(sys.argv[1]))
from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal, Slot
class Desk(QObject):
    changed = Signal(str)
    @Slot(str)
    def show(self, text):
        raise KeyError(text)
app = QCoreApplication([])
desk = Desk()
desk.changed.connect(desk.show)
QTimer.singleShot(0, lambda: desk.changed.emit(sys.stdin.read()))
QTimer.singleShot(100, app.quit)
app.exec()
"""


def test_an_error_in_a_slot_leaves_a_report_without_its_text(tmp_path: Path) -> None:
    """J8: Qt calls it, and would only print it."""
    mark = "Zanzibarfish-canary-in-a-slot"
    subprocess.run(
        [sys.executable, "-c", SLOT, str(tmp_path / "crashes")],
        input=mark,
        text=True,
        capture_output=True,
        check=False,
        cwd=Path(__file__).resolve().parents[2],
        timeout=60,
    )
    [report] = list((tmp_path / "crashes").glob("*.json"))
    told = json.loads(report.read_text())
    assert told["error"] == "KeyError"
    assert told["where"][-1].endswith(" show")
    assert Search([mark]).through([("report", report.read_bytes())]) == []
