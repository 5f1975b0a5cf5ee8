"""The icon, clicked for real: a virtual screen, a window manager, a tray host, and a mouse."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ui.virtual_screen import TOOLS, Screen

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.screen,
    pytest.mark.skipif(any(shutil.which(tool) is None for tool in TOOLS), reason="needs " + ", ".join(TOOLS)),
]


class Program:
    """The program on that screen; its lines are read as they come."""

    def __init__(self, screen: Screen, *arguments: str) -> None:
        self.lines: list[str] = []
        self._news = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "tests" / "ui" / "screen_program.py"), *arguments],
            env=screen.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line.strip())
                self._news.notify_all()

    def wait(self, beginning: str, seconds: float = 20) -> str:
        """The first line that begins so."""
        end = time.monotonic() + seconds
        with self._news:
            while True:
                for line in self.lines:
                    if line.startswith(beginning):
                        return line
                left = end - time.monotonic()
                assert left > 0, f"no line «{beginning}» in {self.lines}"
                self._news.wait(left)

    def press(self, screen: Screen, button: str, beginning: str) -> str:
        """Presses the icon where it stands now until the line comes: the host may still be moving it to its place."""
        end = time.monotonic() + 20
        while True:
            _, x, y = [line for line in self.lines if line.startswith("icon")][-1].split()
            screen.do("mousemove", x, y, "click", button)
            try:
                return self.wait(beginning, 3)
            except AssertionError:
                if time.monotonic() > end:
                    raise

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        self._reader.join(5)
        if self.process.stdout is not None:
            self.process.stdout.close()


@pytest.fixture
def screen() -> Iterator[Screen]:
    made = Screen()
    yield made
    made.close()


def test_left_click_opens_the_picker_and_right_click_the_menu(screen: Screen) -> None:
    screen.start_host()
    program = Program(screen)
    try:
        program.wait("icon")
        program.press(screen, "1", "window iConnect - Choose a matter")
        # As the window manager and UI automation see it: nothing is added to the title.
        screen.do("search", "--sync", "--onlyvisible", "--name", "^iConnect - Choose a matter$")
        menu = program.press(screen, "3", "menu")
        assert menu == "menu Choose a matter|Orders and postings|Connections|Settings|Welcome|Disconnect|Quit"
        assert not any(line.startswith("window iConnect - Orders") for line in program.lines)
        screen.do("key", "Up", "Return")
        program.wait("ended")
        assert program.process.wait(10) == 0
    finally:
        program.close()


def test_left_click_signs_in_when_disconnected(screen: Screen) -> None:
    screen.start_host()
    program = Program(screen, "signed-out")
    try:
        program.wait("icon")
        program.press(screen, "1", "window iConnect - Connections")
        assert "window iConnect - Choose a matter" not in program.lines
    finally:
        program.close()


def test_without_a_host_a_window_opens_and_a_late_host_gets_the_icon(screen: Screen) -> None:
    program = Program(screen)
    try:
        program.wait("window iConnect - needs attention")
        screen.start_host()
        program.wait("icon")
    finally:
        program.close()
