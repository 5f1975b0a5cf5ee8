"""A person who has never seen it: from nothing to a placed order, by keyboard alone, on a real screen with the real program."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser.order_window_rig import AS_ROOT, NOBODY, ordinary_user
from tests.commands.installation import XPM, Installation, Outside, outside
from tests.ui.virtual_screen import TOOLS, Screen

TWO_MINUTES = 120
MOST_KEYS = 16
"""Keys and Enters beside what has to be typed: login, a few letters of the matter, what is searched."""
ENOUGH_LOOKS = 6
TRIES = 3

pytestmark = [
    pytest.mark.screen,
    pytest.mark.browser,
    pytest.mark.journey,
    pytest.mark.skipif(any(shutil.which(tool) is None for tool in (*TOOLS, "import")), reason="needs a virtual screen"),
]


class Person:
    """Presses keys, and looks at the screen before the next one."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.keys: list[str] = []
        self.typed = 0

    def press(self, *keys: str) -> None:
        for key in keys:
            self.keys.append(key)
            self.screen.do("key", key)

    def type(self, text: str) -> None:
        self.typed += len(text)
        self.screen.do("type", "--delay", "15", text)

    def until(self, what: str, true: Callable[[], object], patience: float = 40) -> None:
        end = time.monotonic() + patience
        while not true():
            assert time.monotonic() < end, f"{what} never came; in front: {self.in_front()!r}, pressed: {self.keys}"
            time.sleep(0.1)

    def in_front(self) -> str:
        asked = ["xdotool", "getactivewindow", "getwindowname"]
        return subprocess.run(asked, env=self.screen.environment, capture_output=True, text=True, check=False).stdout.strip()

    def until_window(self, title: str) -> None:
        self.until(title, lambda: title in self.in_front())

    def press_for_window(self, key: str, title: str) -> None:
        """Counts once: a key that finds nothing to press, because the window is still at work, is pressed again."""
        self.press(key)
        for _ in range(TRIES):
            end = time.monotonic() + 10
            while time.monotonic() < end and title not in self.in_front():
                time.sleep(0.1)
            if title in self.in_front():
                return
            self.screen.do("key", key)
        self.until_window(title)

    def until_still(self, unlike: frozenset[str] = frozenset()) -> frozenset[str]:
        """Until the screen has become another one and stays so but for a caret: a page has come. Gives its pictures' hashes."""
        seen: Counter[str] = Counter()

        def still() -> bool:
            now = self._picture()
            if now in unlike:
                seen.clear()
            else:
                seen[now] += 1
            # A caret comes and goes: of two pictures at most, each was seen again.
            return len(seen) <= 2 and sum(seen.values()) >= ENOUGH_LOOKS

        def settled() -> bool:
            if len(seen) > 2:
                seen.clear()
            return still()

        self.until("a page that stands still", settled)
        return frozenset(seen)

    def _picture(self) -> str:
        shot = ["import", "-window", "root", "-depth", "4", "rgb:-"]
        return hashlib.sha256(subprocess.run(shot, env=self.screen.environment, capture_output=True, check=True).stdout).hexdigest()


@pytest.fixture
def home() -> Iterator[Path]:
    """Under /tmp, because pytest's own folder is closed to the ordinary user that the program runs as."""
    folder = Path(tempfile.mkdtemp(prefix="first-order-"))
    folder.chmod(0o755)
    own = folder / "own"
    own.mkdir(mode=0o700)
    if AS_ROOT:
        os.chown(own, NOBODY, NOBODY)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def screen() -> Iterator[Screen]:
    made = Screen()
    made.start_host()
    yield made
    made.close()


def _new_pc(world: Outside, home: Path, screen: Screen) -> Installation:
    own = home / "own"
    more = {
        "DISPLAY": screen.display,
        "QT_QPA_PLATFORM": "xcb",
        "HOME": str(own),
        "XDG_RUNTIME_DIR": str(own),
        "BROWSER": f"{sys.executable} -m desktop.demo.person_in_browser %s",
        "PYTHON_KEYRING_BACKEND": "desktop.demo.file_keyring.FileKeyring",
        "ICONNECT_DEMO_KEYRING": str(own / "keyring.json"),
        "DBUS_SESSION_BUS_ADDRESS": "",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return Installation(world, own / "profile", more=more, popen=ordinary_user())


@pytest.mark.timeout(240)
def test_from_nothing_to_a_placed_order_in_two_minutes_by_keyboard_alone(home: Path, screen: Screen) -> None:
    person = Person(screen)
    with outside(home / "world", matters=80, results="both", delay=0.5) as world:
        login = world.sandbox.where["infotrack_login"]
        number = world.jobs()[0]["number"]
        pc = _new_pc(world, home, screen)
        with pc.beside():
            person.until_window("iConnect - Welcome")
            person.until_still()
            began = time.monotonic()
            # Each Enter is on what the window put the keyboard on.
            person.press("Return")
            person.until_window("iConnect - Connections")
            person.until_window("iConnect - Welcome")
            person.until_still()
            person.type(login["user"])
            person.press("Return")
            person.type(login["password"])
            person.press("Return")
            person.until_still()
            person.press_for_window("Return", "iConnect - Choose a matter")
            person.type(number)
            person.press("Return")
            person.until_window(f"iConnect - Order for {number}")
            in_the_programs_windows = len(person.keys)
            services = person.until_still()
            # The site's own pages: past three menu words to the first service, what is searched, then past them to the button.
            person.press("Tab", "Tab", "Tab", "Tab")
            chosen = person.until_still(services)
            person.press("Return")
            form = person.until_still(chosen)
            person.type("12/90001")
            filled = person.until_still(form)
            person.press("Return")
            confirm = person.until_still(filled)
            person.press("Tab", "Tab", "Tab", "Tab")
            person.until_still(confirm)
            person.press("Return")
            person.until("the order", lambda: world.sandbox.get("/api/orders")["orders"])
            took = time.monotonic() - began
        [order] = world.sandbox.get("/api/orders")["orders"]
    assert str(order.get("matter", order)).find(number) >= 0
    assert in_the_programs_windows == 5
    assert len(person.keys) <= MOST_KEYS
    assert took < TWO_MINUTES
    print(f"{took:.0f} s, {len(person.keys)} keys ({in_the_programs_windows} in our windows) and {person.typed} letters; {XPM}")
