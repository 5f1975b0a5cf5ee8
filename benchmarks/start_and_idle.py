"""Start, memory and idle CPU of the tray, each as a ratio to a bare PySide6 tray program in the same run; and its memory after
an order window was opened and closed.

    python -m benchmarks.start_and_idle [--matters 20000] [--starts 9] [--idle 60]

«Shown» is the first turn of the event loop after the icon was offered to the tray host, in both programs, counted from the
start of the process. Memory is read of each program while the other does not run, because pages that both use would be split
between them in PSS; RSS counts shared libraries in full and is the steadier of the two when other Qt programs run beside.

Needs Xvfb, openbox, trayer and xdotool; starts its own screen, sandbox and private keyring. Linux only.
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
from tests.ui.virtual_screen import Screen

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

# Our own start, and a line when its icon is shown. Then, at each line on standard input, an order window for the first matter that
# the line finds: it is opened, left open for some seconds and closed, and a line says so.
OURS = """
import os, sys, threading, time
import desktop.ui
load = desktop.ui.load_qt
def loaded():
    load()
    import desktop.ui.first_icon as first
    from PySide6.QtCore import QTimer
    show = first.show_first_icon
    def shown():
        icon = show()
        QTimer.singleShot(0, lambda: print("shown", flush=True))
        return icon
    first.show_first_icon = shown
desktop.ui.load_qt = loaded

def orders():
    for line in sys.stdin:
        import desktop.profile_desk
        from desktop.services.order_desk import OrderDesk
        kept = []
        open_window = OrderDesk.open
        def opened(self, matter):
            kept.append(open_window(self, matter))
            return kept[-1]
        OrderDesk.open = opened
        office = desks[0].office
        office.order(office.find_matters(line.strip(), 1)[0].matter)
        OrderDesk.open = open_window
        time.sleep(8)
        running = kept[-1].is_running
        kept[-1].ask_to_close()
        closed = kept[-1].wait_closed(20)
        print("closed" if running and closed else "it did not stay open", flush=True)

desks = []
def watch():
    import desktop.profile_desk
    begin = desktop.profile_desk.ProfileDesk.open
    def opened(self, changed):
        from desktop.services.order_desk import WindowOptions
        self._window = WindowOptions(as_root_unsandboxed=hasattr(os, "geteuid") and os.geteuid() == 0)
        desks.append(self)
        return begin(self, changed)
    desktop.profile_desk.ProfileDesk.open = opened

if "orders" in sys.argv:
    import desktop.app
    go_on = desktop.app._Program._go_on
    def watched(self):
        watch()
        go_on(self)
    desktop.app._Program._go_on = watched
    threading.Thread(target=orders, daemon=True).start()
from desktop.__main__ import main
main([])
"""


class Program:
    """A tray program; `seconds` from its start to its icon."""

    def __init__(self, code: str, environment: dict[str, str], *words: str) -> None:
        began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *words], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
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

    def order(self, text: str) -> str:
        """Has an order window opened and closed. Gives what the program says of it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


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
    parser.add_argument("--starts", type=int, default=9)
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

    bare = Program(BARE, environment)
    time.sleep(10)
    bare_rss, bare_pss = bare.memory()
    bare_cpu = bare.cpu()
    time.sleep(options.idle)
    bare_cpu = bare.cpu() - bare_cpu
    bare.stop()

    ours = Program(OURS, environment, "orders")
    time.sleep(20)
    count = json.loads(iconnect(environment, "status", "--json"))["matters"]["count"]
    our_rss, our_pss = ours.memory()
    print(
        f"memory, connected, {count} matters, courier running: bare {bare_rss:.0f} RSS / {bare_pss:.0f} PSS MiB, "
        f"ours {our_rss:.0f} / {our_pss:.0f}, ratio {our_rss / bare_rss:.2f} / {our_pss / bare_pss:.2f} (aim under 2.0)"
    )
    our_cpu = ours.cpu()
    time.sleep(options.idle)
    our_cpu = ours.cpu() - our_cpu
    print(
        f"CPU over {options.idle:.0f} s idle, one poll of the feed in it: bare {bare_cpu / options.idle:.3%}, "
        f"ours {our_cpu / options.idle:.3%} (aim under 0.1 %)"
    )
    number = json.loads(iconnect(environment, "matters", "find", "J00", "--limit", "1", "--json"))[0]["number"]
    before, _ = ours.memory()
    told = ours.order(number)
    time.sleep(5)
    after, _ = ours.memory()
    print(
        f"an order window opened and {told}: RSS {before:.0f} before, {after:.0f} MiB after, {after / before - 1:+.1%} "
        "(aim within 10 %)"
    )
    ours.stop()


if __name__ == "__main__":
    main()
