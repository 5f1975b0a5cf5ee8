"""Start and memory of the built program against the same from source and against a bare PySide6 tray, in one run.

    python -m benchmarks.bundled_start BUNDLE [--starts 7] [--settle 15]

BUNDLE is the folder that `python -m installer.build --bundle-only` made. Both moments are seen from outside, on a screen of the
benchmark's own, by looking at its pixels some hundred times a second: when anything of the tray icon shows, and when the icon is
green. All three run by turns on the same profile, which is signed in to the sandbox (the bare program's icon is green from its
beginning). Memory is read when the icon has been green for a while, of one program at a time. Needs what start_and_idle needs.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.start_and_idle import BARE, connect, iconnect
from desktop.demo.private_keyring import PrivateKeyring
from desktop.demo.sandbox_process import SandboxProcess
from tests.ui.virtual_screen import Screen

_LONGEST = 60.0
_PAUSE = 0.004


@dataclass
class Measured:
    command: list[str]
    shown: list[float] = field(default_factory=list)
    green: list[float] = field(default_factory=list)
    rss: float = 0
    pss: float = 0


class Eye:
    """Looks at a screen. `strip` is its uppermost part, where the tray host stands, as bytes of 32-bit pixels."""

    def __init__(self, display: str) -> None:
        os.environ["DISPLAY"] = display
        import desktop.ui  # noqa: F401  # isort: skip  # before any Qt module
        from PySide6.QtGui import QGuiApplication

        self._app = QGuiApplication(["eye", "-platform", "xcb"])
        screen = QGuiApplication.primaryScreen()
        assert screen is not None
        self._screen = screen
        self._width = screen.size().width()

    def strip(self) -> bytes:
        return bytes(self._screen.grabWindow(0, self._width - 200, 0, 200, 40).toImage().constBits())

    def is_green(self) -> bool:
        """Whether at least a dozen pixels have a green that is twice their red and blue."""
        pixels = self.strip()
        wanted = sum(
            1
            for blue, green, red in zip(pixels[0::4], pixels[1::4], pixels[2::4], strict=True)
            if green > 90 and green > 1.6 * red and green > 1.6 * blue
        )
        return wanted >= 12

    def is_at_rest(self) -> bool:
        """Whether the icon is gone and the tray host has done with it."""
        before = self.strip()
        time.sleep(1.0)
        return before == self.strip() and not self.is_green()


def until(look: Callable[[], bool], began: float) -> float:
    """Seconds from `began` until it is so."""
    while not look():
        assert time.monotonic() - began < _LONGEST, "it took too long"
        time.sleep(_PAUSE)
    return time.monotonic() - began


def start(eye: Eye, one: Measured, environment: dict[str, str], settle: float = 0) -> None:
    empty = eye.strip()
    began = time.monotonic()
    process = subprocess.Popen(one.command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        one.shown.append(until(lambda: eye.strip() != empty, began))
        one.green.append(until(eye.is_green, began))
        time.sleep(settle or 1)
        if settle:
            one.rss, one.pss = memory(process.pid)
    finally:
        process.terminate()
        process.wait(30)
    until(eye.is_at_rest, time.monotonic())


def memory(process: int) -> tuple[float, float]:
    """Resident and proportional set, in MiB."""
    text = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii")
    found = {line.split()[0]: int(line.split()[1]) for line in text.splitlines()[1:]}
    return found["Rss:"] / 1024, found["Pss:"] / 1024


def report(measured: dict[str, Measured]) -> None:
    bare = measured["bare"]
    bare_shown = statistics.median(bare.shown)
    print("              tray icon (s)         green (s)             RSS / PSS (MiB)")
    for name, one in measured.items():
        shown, green = statistics.median(one.shown), statistics.median(one.green)
        print(
            f"{name:8}  {shown:.3f} ({min(one.shown):.3f}-{max(one.shown):.3f}) x{shown / bare_shown:.2f}   "
            f"{green:.3f} ({min(one.green):.3f}-{max(one.green):.3f})   "
            f"{one.rss:.0f} / {one.pss:.0f}  x{one.rss / bare.rss:.2f} / x{one.pss / bare.pss:.2f}"
        )
    source, bundle = measured["source"], measured["bundle"]
    print(
        f"bundle to source: icon x{statistics.median(bundle.shown) / statistics.median(source.shown):.2f}, "
        f"green x{statistics.median(bundle.green) / statistics.median(source.green):.2f}, RSS x{bundle.rss / source.rss:.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--starts", type=int, default=7)
    parser.add_argument("--settle", type=float, default=15)
    options = parser.parse_args()
    measured = {
        "bare": Measured([sys.executable, "-c", BARE]),
        "source": Measured([sys.executable, "-m", "desktop"]),
        "bundle": Measured([str(options.bundle.absolute() / "iconnect")]),
    }
    with tempfile.TemporaryDirectory(prefix="iconnect-benchmark-") as folder, contextlib.closing(Screen()) as screen:
        screen.start_host()
        work = Path(folder)
        keyring, sandbox = PrivateKeyring(work / "keyring"), SandboxProcess(work / "sandbox")
        keyring.start()
        sandbox.start(matters=500, delay=1, results="feed")
        environment = {**os.environ, **screen.environment, **keyring.environment}
        environment |= {"ICONNECT_PROFILE": str(work / "profile"), "ICONNECT_PLATFORM": str(sandbox.platform_file)}
        try:
            connect(environment)
            login = sandbox.where["infotrack_login"]
            iconnect(environment, "infotrack", "sign-in", "--user", login["user"], feed=login["password"] + "\n")
            iconnect(environment, "matters", "refresh")
            eye = Eye(screen.display)
            time.sleep(2)
            for one in measured.values():
                start(eye, one, environment)
                one.shown.clear()
                one.green.clear()
            for _ in range(options.starts):
                for one in measured.values():
                    start(eye, one, environment)
            for one in measured.values():
                start(eye, one, environment, settle=options.settle)
        finally:
            sandbox.close()
            keyring.close()
    report(measured)


if __name__ == "__main__":
    main()
