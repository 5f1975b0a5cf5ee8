"""Start, memory and idle CPU of the tray, each as a ratio to a bare PySide6 tray program in the same run.

    python -m benchmarks.start_and_idle [--matters 20000] [--starts 7] [--idle 60]

Needs Xvfb, openbox and trayer; starts its own screen, sandbox and private keyring. Linux only.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from desktop.demo.person_in_browser import sign_in
from desktop.demo.private_keyring import PrivateKeyring
from desktop.demo.sandbox_process import SandboxProcess
from tests.ui.test_tray_on_screen import Screen

BARE = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QApplication, QSystemTrayIcon
app = QApplication(sys.argv[:1])
app.setQuitOnLastWindowClosed(False)
pixmap = QPixmap(32, 32); pixmap.fill("green")
icon = QSystemTrayIcon(QIcon(pixmap)); icon.show()
QTimer.singleShot(0, lambda: print("shown", flush=True))
app.exec()
"""

OURS = """
import sys
from PySide6.QtCore import QTimer
from desktop.ui.tray_app import TrayApp
start = TrayApp.start
def started(self):
    start(self)
    QTimer.singleShot(0, lambda: print("shown", flush=True))
TrayApp.start = started
from desktop.__main__ import main
main([])
"""


class Program:
    """A tray program; `seconds` from its start to its icon."""

    def __init__(self, code: str, environment: dict[str, str]) -> None:
        began = time.monotonic()
        self.process = subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.seconds = time.monotonic() - began
        assert line.strip() == "shown", "the program did not show its icon"

    def memory(self) -> tuple[float, float]:
        """Resident and proportional set, in MiB."""
        text = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text(encoding="ascii")
        found = {line.split()[0]: int(line.split()[1]) for line in text.splitlines()[1:]}
        return found["Rss:"] / 1024, found["Pss:"] / 1024

    def cpu(self) -> float:
        """Seconds used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()


def iconnect(environment: dict[str, str], *words: str, feed: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-m", "desktop", *words], env=environment, input=feed, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def connect(environment: dict[str, str]) -> None:
    waiting = subprocess.Popen(
        [sys.executable, "-m", "desktop", "connect", "--no-browser"], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert waiting.stdout is not None
    sign_in(waiting.stdout.readline().strip())
    assert waiting.wait(30) == 0
    waiting.stdout.close()


def until(look: object, seconds: float) -> None:
    assert callable(look)
    end = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--matters", type=int, default=20_000)
    parser.add_argument("--starts", type=int, default=7)
    parser.add_argument("--idle", type=float, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="iconnect-benchmark-") as folder, contextlib.closing(Screen()) as screen:
        screen.start_host()
        work = Path(folder)
        keyring, sandbox = PrivateKeyring(work / "keyring"), SandboxProcess(work / "sandbox")
        keyring.start()
        sandbox.start(matters=options.matters, delay=1, results="feed")
        toml = sandbox.platform_file.read_text(encoding="utf-8").replace("poll_seconds = 2", "poll_seconds = 60")
        platform = work / "platform.toml"
        platform.write_text(toml, encoding="utf-8")
        environment = {**os.environ, **screen.environment, **keyring.environment, "QT_QPA_PLATFORM": "xcb"}
        environment |= {"ICONNECT_PROFILE": str(work / "profile"), "ICONNECT_PLATFORM": str(platform)}
        try:
            measure(environment, sandbox, options)
        finally:
            sandbox.close()
            keyring.close()


def measure(environment: dict[str, str], sandbox: SandboxProcess, options: argparse.Namespace) -> None:
    starts: dict[str, list[float]] = {"bare": [], "ours": []}
    login = sandbox.where["infotrack_login"]
    connect(environment)
    iconnect(environment, "infotrack", "sign-in", "--user", login["user"], feed=login["password"] + "\n")
    iconnect(environment, "matters", "refresh")
    for _ in range(options.starts + 1):
        for name, code in (("bare", BARE), ("ours", OURS)):
            program = Program(code, environment)
            starts[name].append(program.seconds)
            time.sleep(1.5)
            program.stop()
    bare_start, our_start = (statistics.median(starts[name][1:]) for name in ("bare", "ours"))
    print(f"tray shown: bare {bare_start:.3f} s, ours {our_start:.3f} s, ratio {our_start / bare_start:.2f} (aim under 1.5)")

    bare, ours = Program(BARE, environment), Program(OURS, environment)
    time.sleep(20)
    count = json.loads(iconnect(environment, "status", "--json"))["matters"]["count"]
    (bare_rss, bare_pss), (our_rss, our_pss) = bare.memory(), ours.memory()
    print(
        f"memory, connected, {count} matters, courier running: bare {bare_rss:.0f} RSS / {bare_pss:.0f} PSS MiB, "
        f"ours {our_rss:.0f} / {our_pss:.0f}, ratio {our_rss / bare_rss:.2f} / {our_pss / bare_pss:.2f} (aim under 2.0)"
    )
    before_bare, before_ours = bare.cpu(), ours.cpu()
    time.sleep(options.idle)
    print(
        f"CPU over {options.idle:.0f} s idle, one poll of the feed in it: bare {(bare.cpu() - before_bare) / options.idle:.3%}, "
        f"ours {(ours.cpu() - before_ours) / options.idle:.3%} (aim under 0.1 %)"
    )
    bare.stop()
    ours.stop()


if __name__ == "__main__":
    main()
