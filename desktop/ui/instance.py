"""One tray for each person and profile: a lock of the operating system decides, a local socket hands over.

The lock frees itself when its holder dies, however it dies; the socket only says «show yourself». Nothing here opens the
ledger, and nothing heavy is imported.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import shiboken6
from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from desktop.ui.instance_lock import LOCK_FILE, InstanceLock, NotFree

LINK = "link"
QUIT = "quit"
"""Not a window: asks the program to quit when nothing is in flight. A version that does not know it hangs up."""
SHOWABLE = ("picker", "deliveries", "connections", "settings", "welcome", LINK, QUIT)
MAX_MESSAGE = 8 * 1024
MAX_TEXT = 200
_ANSWER = b"ok\n"
_BUSY = re.compile(rb"busy: ([0-9]{1,9}) in flight\n")
_MAX_SOCKET_PATH = 96


@dataclass(frozen=True, slots=True)
class Request:
    """What a second start asks of the first: a window to bring forward, and text for its search field; or where a link leads
    that somebody followed. The link comes as it was: whoever shows it reads it as strictly as if it came from outside."""

    show: str = "picker"
    text: str = ""

    @staticmethod
    def for_link(link: str) -> Request:
        """One that is too long to be right is passed on cut off, and so stays wrong."""
        return Request(LINK, link if len(link) <= MAX_TEXT else link[:8])

    def encode(self) -> bytes:
        return json.dumps({"show": self.show, "text": self.text}).encode() + b"\n"

    @staticmethod
    def decode(line: bytes) -> Request | None:
        """None for anything that is not a request that this version knows."""
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            return None
        if not isinstance(told, dict):
            return None
        show, text = told.get("show", "picker"), told.get("text", "")
        if show not in SHOWABLE or not isinstance(text, str) or len(text) > MAX_TEXT:
            return None
        return Request(show, text)


def socket_name(profile: Path) -> str:
    """Where the first instance listens: inside the profile, which is the person's own, or, where the path would be too long
    for a socket, a name made from person and profile. On Windows a pipe of that name."""
    inside = str(profile / "tray.socket")
    if sys.platform != "win32" and len(os.fsencode(inside)) <= _MAX_SOCKET_PATH:
        return inside
    return f"iconnect-{_fingerprint(profile)}"


def _fingerprint(profile: Path) -> str:
    # Here, because the usual profile needs neither and hashlib brings all of OpenSSL into the idle tray.
    import getpass
    import hashlib

    return hashlib.sha256(f"{getpass.getuser()}\0{profile}".encode()).hexdigest()[:20]


class QuitAsked:
    """The question of one who wants the program to quit; answered once, from the GUI thread."""

    def __init__(self, socket: QLocalSocket) -> None:
        self._socket = socket

    def answer(self, in_flight: int) -> bool:
        """0: the program quits now. False when whoever asked is gone and has not been told; nobody waits for a quit then."""
        if not self._is_there():
            return False
        self._socket.write(b"busy: %d in flight\n" % in_flight if in_flight else b"quitting\n")
        self._socket.flush()
        # Where the other end had closed a moment ago, the write is what finds out.
        told = self._is_there()
        if told:
            self._socket.disconnectFromServer()
        return told

    def _is_there(self) -> bool:
        return shiboken6.isValid(self._socket) and self._socket.state() is QLocalSocket.LocalSocketState.ConnectedState


class Instance(QObject):
    """The first instance's ear.

    Signals:
        requested(Request): a second start asks for a window.
        quit_asked(QuitAsked): somebody asks the program to quit when nothing is in flight, and waits for the answer.
    """

    requested = Signal(object)
    quit_asked = Signal(object)

    def __init__(self, profile: Path, lock: InstanceLock, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = lock
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._greet)
        name = socket_name(profile)
        # We hold the lock, so whatever still stands under this name was left by a dead process.
        QLocalServer.removeServer(name)
        self.listening = self._server.listen(name)

    def close(self) -> None:
        self._server.close()
        self._lock.release()

    def _greet(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            socket.readyRead.connect(lambda socket=socket: self._read(socket))
            socket.disconnected.connect(socket.deleteLater)
            if socket.bytesAvailable():
                self._read(socket)

    def _read(self, socket: QLocalSocket) -> None:
        if socket.bytesAvailable() > MAX_MESSAGE:
            socket.abort()
            return
        if not socket.canReadLine():
            return
        request = Request.decode(bytes(socket.readLine(MAX_MESSAGE).data()))
        if request is None:
            socket.abort()
            return
        if request.show == QUIT:
            self.quit_asked.emit(QuitAsked(socket))
            return
        socket.write(_ANSWER)
        socket.flush()
        socket.disconnectFromServer()
        self.requested.emit(request)


def hand_over(profile: Path, request: Request, timeout_ms: int = 300) -> bool:
    """Gives the request to the running instance. True when it answered."""
    return _told(profile, request, timeout_ms) == _ANSWER


def in_flight_when_asked_to_quit(profile: Path, timeout_ms: int = 10_000) -> int | None:
    """Asks the running instance to quit when nothing is in flight. Gives how many things are: 0 when it quits now; None when it
    does not answer, or is a version that does not know the question."""
    told = _told(profile, Request(QUIT), timeout_ms)
    if told == b"quitting\n":
        return 0
    found = _BUSY.fullmatch(told)
    return int(found[1]) if found else None


def _told(profile: Path, request: Request, timeout_ms: int) -> bytes:
    """The running instance's answer, empty for none."""
    socket = QLocalSocket()
    socket.connectToServer(socket_name(profile))
    if not socket.waitForConnected(timeout_ms):
        return b""
    socket.write(request.encode())
    if not socket.waitForBytesWritten(timeout_ms) and socket.bytesToWrite():
        return b""
    while not socket.canReadLine():
        if not socket.waitForReadyRead(timeout_ms):
            # Also what it says when the answer and the end of the line came together; the answer is then here.
            break
    return bytes(socket.readLine(MAX_MESSAGE).data())


def first_or_hand_over(
    profile: Path,
    request: Request,
    *,
    patience_s: float = 5.0,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> InstanceLock | None:
    """The lock if this is the first instance; None when the running one took the request over.

    The holder may be starting (not listening yet) or ending (about to free the lock), so both are tried until patience
    ends; then NotFree. Works without a QApplication. OSError when the profile can't be written."""
    until = clock() + patience_s
    lock = InstanceLock(profile / LOCK_FILE)
    while True:
        if lock.take():
            return lock
        if hand_over(profile, request):
            return None
        if clock() >= until:
            raise NotFree(
                "iConnect is already running for you but does not answer. End it in the task manager, then start it again."
            )
        pause(0.05)
