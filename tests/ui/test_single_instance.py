"""One tray for each person and profile, over real locks, real sockets and real processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QObject
from PySide6.QtNetwork import QLocalSocket
from pytestqt.qtbot import QtBot

from desktop.services.desk import ActionFailed, Desk
from desktop.ui.bridge import Bridge, Notify
from desktop.ui.instance import QUIT, Instance, Request, first_or_hand_over, socket_name
from desktop.ui.instance_lock import InstanceLock, NotFree
from desktop.ui.leaving import Leaving
from tests.ui.fake_desk import FakeDesk

ROOT = Path(__file__).resolve().parents[2]

HOLDER = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
import desktop.ui
from desktop.ui.instance import Instance, Request, first_or_hand_over
profile = Path(sys.argv[1])
lock = first_or_hand_over(profile, Request(sys.argv[2]))
if lock is None:
    print("handed over", flush=True)
    sys.exit(0)
app = QCoreApplication([])
instance = Instance(profile, lock)
instance.requested.connect(lambda request: print("asked for", request.show, flush=True))
print("first", flush=True)
app.exec()
"""


class Starter:
    def __init__(self, profile: Path) -> None:
        self.profile = profile
        self.started: list[subprocess.Popen[str]] = []

    def start(self, show: str = "picker") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(self.profile), show],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        )
        self.started.append(process)
        return process

    def line(self, process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        return process.stdout.readline().strip()


@pytest.fixture
def starter(tmp_path: Path) -> Iterator[Starter]:
    made = Starter(tmp_path / "profile")
    yield made
    for process in made.started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def test_a_second_start_hands_over_and_leaves(starter: Starter) -> None:
    """C10: the first shows itself; the second ends at once."""
    first = starter.start()
    assert starter.line(first) == "first"
    second = starter.start("deliveries")
    assert starter.line(second) == "handed over"
    assert second.wait(5) == 0
    assert starter.line(first) == "asked for deliveries"


def test_after_a_kill_the_next_start_is_the_first(starter: Starter) -> None:
    """C10: the lock dies with its holder, and a left-over socket stands in nobody's way."""
    first = starter.start()
    assert starter.line(first) == "first"
    first.kill()
    first.wait()
    began = time.monotonic()
    assert starter.line(starter.start()) == "first"
    assert time.monotonic() - began < 2


def test_of_many_starts_at_once_one_is_the_first(starter: Starter) -> None:
    """C10: eight at once, one holder, seven handed over."""
    lines = [starter.line(process) for process in [starter.start() for _ in range(8)]]
    assert sorted(lines) == ["first"] + ["handed over"] * 7


def test_two_profiles_have_a_tray_each(tmp_path: Path) -> None:
    one, other = InstanceLock(tmp_path / "a" / "tray.lock"), InstanceLock(tmp_path / "b" / "tray.lock")
    assert one.take()
    assert other.take()
    assert socket_name(tmp_path / "a") != socket_name(tmp_path / "b")
    one.release()
    other.release()


def test_a_holder_that_does_not_answer_is_named(tmp_path: Path) -> None:
    lock = InstanceLock(tmp_path / "tray.lock")
    assert lock.take()
    now = iter(range(100))
    with pytest.raises(NotFree, match="already running"):
        first_or_hand_over(tmp_path, Request(), clock=lambda: next(now), pause=lambda _: None)
    lock.release()


def test_a_lock_that_is_freed_while_waiting_is_taken(tmp_path: Path) -> None:
    lock = InstanceLock(tmp_path / "tray.lock")
    assert lock.take()
    taken = first_or_hand_over(tmp_path, Request(), pause=lambda _: lock.release())
    assert taken is not None
    taken.release()


@pytest.fixture
def instance(tmp_path: Path, qtbot: QtBot) -> Iterator[Instance]:
    lock = InstanceLock(tmp_path / "tray.lock")
    assert lock.take()
    made = Instance(tmp_path, lock)
    assert made.listening
    yield made
    made.close()


def test_the_request_arrives_with_its_text(instance: Instance, tmp_path: Path, qtbot: QtBot) -> None:
    code = (
        "import sys; from pathlib import Path; from desktop.ui.instance import Request, hand_over;"
        "print(hand_over(Path(sys.argv[1]), Request('picker', 'J0001'), 5000))"
    )
    with qtbot.waitSignal(instance.requested) as told:
        second = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert told.args == [Request("picker", "J0001")]
    assert second.communicate(timeout=10)[0].strip() == "True"


@pytest.mark.parametrize(
    "message", [b"garbage\n", b"[1]\n", b'{"show":"rm -rf"}\n', b'{"show":7}\n', b'{"show":"picker","text":7}\n', b"x" * 20_000]
)
def test_nonsense_on_the_socket_shows_nothing(instance: Instance, tmp_path: Path, qtbot: QtBot, message: bytes) -> None:
    socket = QLocalSocket()
    with qtbot.assertNotEmitted(instance.requested):
        socket.connectToServer(socket_name(tmp_path))
        assert socket.waitForConnected(2_000)
        socket.write(message)
        qtbot.waitUntil(lambda: socket.state() == QLocalSocket.LocalSocketState.UnconnectedState)


def test_a_long_profile_path_still_has_a_socket(tmp_path: Path) -> None:
    assert len(socket_name(tmp_path / ("x" * 120))) < 60


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_nothing(line: bytes) -> None:
    decoded = Request.decode(line)
    assert decoded is None or Request.decode(decoded.encode()) == decoded


class Asked:
    """An instance that is asked to quit, and what it made of that."""

    def __init__(self, instance: Instance, profile: Path, open_desk: Callable[[Notify], Desk], rest: Callable[[], int]) -> None:
        self.quits = 0
        self.owner = QObject()
        self.bridge = Bridge(open_desk, self.owner)
        Leaving(instance, self.bridge, rest, self._quit, self.owner)
        self.socket = QLocalSocket(self.owner)
        self.socket.connectToServer(socket_name(profile))
        assert self.socket.waitForConnected(2_000)
        self.socket.write(Request(QUIT).encode())
        self.socket.flush()

    def _quit(self) -> None:
        self.quits += 1

    def answer(self, qtbot: QtBot) -> bytes:
        qtbot.waitUntil(self.socket.canReadLine)
        return bytes(self.socket.readLine(200).data())


def unreadable() -> int:
    raise OSError("an error while asking")


def test_an_error_while_asking_is_no_permission_to_quit(instance: Instance, tmp_path: Path, qtbot: QtBot) -> None:
    """I10: of an open desk nothing is known then, so it is busy."""
    asked = Asked(instance, tmp_path, lambda notify: FakeDesk(), unreadable)
    asked.bridge.open()
    assert asked.answer(qtbot) == b"busy: 1 in flight\n"
    assert asked.quits == 0
    asked.bridge.close()


def test_a_desk_that_never_opened_quits_when_it_is_asked(instance: Instance, tmp_path: Path, qtbot: QtBot) -> None:
    """I10: the setup that repairs a profile must not wait for a desk that sends nothing."""

    def broken(notify: Notify) -> Desk:
        raise ActionFailed("The profile can't be opened.")

    asked = Asked(instance, tmp_path, broken, unreadable)
    asked.bridge.open()
    assert asked.answer(qtbot) == b"quitting\n"
    assert asked.quits == 1
    asked.bridge.close()


def test_who_has_given_up_asking_makes_nothing_quit_later(instance: Instance, tmp_path: Path, qtbot: QtBot) -> None:
    """I10: the answer is known only after the one who asked has gone; the person goes on working."""
    asked_at_rest: list[int] = []

    def rest() -> int:
        asked_at_rest.append(0)
        return 0

    asked = Asked(instance, tmp_path, lambda notify: FakeDesk(), rest)
    with qtbot.waitSignal(instance.quit_asked):
        pass
    asked.socket.abort()
    asked.bridge.open()
    known: list[Desk] = []
    qtbot.waitUntil(lambda: bool(asked_at_rest))
    # Comes back on the same way, after the answer.
    asked.bridge.run(asked.owner, lambda desk: desk, known.append)
    qtbot.waitUntil(lambda: bool(known))
    assert asked.quits == 0
    asked.bridge.close()
