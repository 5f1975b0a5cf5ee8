"""A virtual screen with a window manager and, on demand, a tray host; for tests and benchmarks. Linux only."""

from __future__ import annotations

import os
import subprocess

TOOLS = ("Xvfb", "openbox", "trayer", "xdotool")


class Screen:
    """An X display of its own, with a window manager; a tray host on demand."""

    def __init__(self) -> None:
        self.running: list[subprocess.Popen[bytes]] = []
        read, write = os.pipe()
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x800x24", "-nolisten", "tcp"],
            pass_fds=(write,),
            stderr=subprocess.DEVNULL,
        )
        os.close(write)
        with os.fdopen(read) as told:
            self.display = f":{told.readline().strip()}"
        self.environment = {**os.environ, "DISPLAY": self.display, "QT_QPA_PLATFORM": "xcb"}
        self.environment.pop("WAYLAND_DISPLAY", None)
        self.start("openbox")

    def start(self, *command: str) -> None:
        quiet = subprocess.DEVNULL
        self.running.append(subprocess.Popen(command, env=self.environment, stdout=quiet, stderr=quiet))

    def start_host(self) -> None:
        self.start("trayer", "--edge", "top", "--align", "right", "--widthtype", "request", "--height", "32")

    def do(self, *command: str) -> None:
        subprocess.run(["xdotool", *command], env=self.environment, check=True, capture_output=True)

    def close(self) -> None:
        for process in [*reversed(self.running), self.server]:
            process.terminate()
            process.wait(10)
