"""The loopback listener: hears the one callback of one sign-in, and is deaf to everything else.

One thread, no blocking reads: neither idle nor slow connections can hold up the callback."""

from __future__ import annotations

import contextlib
import logging
import re
import selectors
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from desktop.services.identity.callback import Consent, NotTheCallback, Refusal, read_callback
from desktop.services.identity.loopback import MakeSocket, bind_first_free
from desktop.services.identity.reply_page import HEADERS, PAGE
from desktop.services.loggable import error_kind

_log = logging.getLogger(__name__)

_LARGEST_HEAD = 16_384
_MOST_CONNECTIONS = 200
_TICK = 0.05
_FAREWELL = 0.15
_CLEAN_PATH = "/return-to-iconnect"
_REASONS = {
    200: "OK",
    303: "See Other",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    431: "Request Header Fields Too Large",
}
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(slots=True)
class _Visitor:
    opened: float
    head: bytes = b""
    reply: bytes = b""
    answered_at: float | None = None


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    target: str
    hosts: tuple[str, ...] = field(default=())
    has_body: bool = False


class _Bad(ValueError):
    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


class CallbackListener:
    """Bound when made; `redirect_uri` is then the registered address to send. Use as a context manager.

    Lives until `close()`. `life` is how long one connection may last, in seconds of `clock` (monotonic)."""

    def __init__(
        self,
        ports: Sequence[int],
        *,
        state: str,
        accepts_issuer: Callable[[str], bool],
        path: str = "/callback",
        host: str = "localhost",
        clock: Callable[[], float] = time.monotonic,
        life: float = 30.0,
        make_socket: MakeSocket = socket.socket,
    ) -> None:
        """Raises NotNow when no port is free."""
        self._state = state
        self._accepts_issuer = accepts_issuer
        self._path = path
        self._clock = clock
        self._life = life
        self._result: Consent | Refusal | None = None
        self._winner = ""
        self._heard_at = 0.0
        self._heard = threading.Event()
        self._shown = threading.Event()
        self._closing = threading.Event()
        self._visitors: dict[socket.socket, _Visitor] = {}
        self.port, self._listening = bind_first_free(ports, make_socket=make_socket)
        self._hosts = {f"{host}:{self.port}"} | ({host} if self.port == 80 else set())
        self.redirect_uri = f"http://{host}:{self.port}{path}"
        self._waker, self._wake = socket.socketpair()
        self._waker.setblocking(False)
        self._selector = selectors.DefaultSelector()
        for listening in (*self._listening, self._waker):
            self._selector.register(listening, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._serve, name="sign-in listener", daemon=True)
        self._thread.start()

    def __enter__(self) -> CallbackListener:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def wait(self, seconds: float) -> Consent | Refusal | None:
        """The callback, or None when it has not come within `seconds` (real time)."""
        self._heard.wait(seconds)
        return self._result

    def close(self) -> None:
        """Ends every connection and frees the port. After a callback the browser gets a moment to fetch its page."""
        if self._heard.is_set() and self._thread.is_alive():
            self._shown.wait(max(0.0, self._heard_at + 0.5 - time.monotonic()))
        self._closing.set()
        with contextlib.suppress(OSError):
            self._wake.send(b".")
        self._thread.join(5)

    # the listener's own thread

    def _serve(self) -> None:
        try:
            while not self._closing.is_set():
                for key, _ in self._selector.select(_TICK):
                    sock = key.fileobj
                    assert isinstance(sock, socket.socket)
                    if sock in self._listening:
                        self._accept(sock)
                    elif sock in self._visitors:
                        self._hear(sock, self._visitors[sock])
                self._end_old_visits()
        finally:
            for sock in (*self._listening, *self._visitors, self._waker, self._wake):
                self._end(sock)
            self._selector.close()

    def _accept(self, listening: socket.socket) -> None:
        try:
            sock, _ = listening.accept()
        except OSError:
            return
        sock.setblocking(False)
        if len(self._visitors) >= _MOST_CONNECTIONS:
            self._leave(min(self._visitors, key=lambda held: self._visitors[held].opened))
        self._visitors[sock] = _Visitor(self._clock())
        self._selector.register(sock, selectors.EVENT_READ)

    def _hear(self, sock: socket.socket, visitor: _Visitor) -> None:
        if visitor.reply:
            self._speak(sock, visitor)
        try:
            piece = sock.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            self._leave(sock)
            return
        if not piece:
            self._leave(sock)
            return
        if visitor.answered_at is not None:
            return
        visitor.head += piece
        end = visitor.head.find(b"\r\n\r\n")
        if end < 0 and len(visitor.head) <= _LARGEST_HEAD and _may_become_one(visitor.head):
            return
        try:
            if end < 0 and len(visitor.head) <= _LARGEST_HEAD:
                raise _Bad(400)
            if end < 0 or end > _LARGEST_HEAD:
                raise _Bad(431)
            visitor.reply = self._answer(_parse(visitor.head[:end]))
        except _Bad as error:
            visitor.reply = _reply(error.status, body_wanted=not visitor.head.startswith(b"HEAD "))
        visitor.head = b""
        visitor.answered_at = self._clock()
        self._speak(sock, visitor)

    def _speak(self, sock: socket.socket, visitor: _Visitor) -> None:
        try:
            visitor.reply = visitor.reply[sock.send(visitor.reply) :]
        except BlockingIOError:
            pass
        except OSError:
            self._leave(sock)
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if visitor.reply else 0)
        self._selector.modify(sock, events)

    def _end_old_visits(self) -> None:
        now = self._clock()
        for sock, visitor in list(self._visitors.items()):
            told = visitor.answered_at is not None and not visitor.reply
            if now - visitor.opened >= self._life or (told and now - (visitor.answered_at or now) >= _FAREWELL):
                self._leave(sock)

    def _leave(self, sock: socket.socket) -> None:
        if self._visitors.pop(sock, None) is not None:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(sock)
            self._end(sock)

    def _end(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if sys.platform != "win32" and sock.family in (socket.AF_INET, socket.AF_INET6) and sock not in self._listening:
                # Say goodbye in order, then let go at once: a lingering TIME_WAIT would keep the port for a minute.
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                sock.shutdown(socket.SHUT_WR)
        sock.close()

    def _answer(self, request: _Request) -> bytes:
        if len(request.hosts) != 1 or request.hosts[0].lower() not in self._hosts:
            raise _Bad(400)
        if not request.target.startswith("/") or "#" in request.target:
            raise _Bad(400)
        path, _, query = request.target.partition("?")
        if path not in (self._path, _CLEAN_PATH):
            raise _Bad(404)
        if request.method != "GET":
            raise _Bad(405)
        if request.has_body:
            raise _Bad(400)
        if path == _CLEAN_PATH and path != self._path:
            if self._result is None or query:
                raise _Bad(404)
            self._shown.set()
            return _reply(200, PAGE)
        if self._result is None:
            try:
                self._result = read_callback(query, state=self._state, accepts_issuer=self._accepts_issuer)
            except NotTheCallback as error:
                _log.info("A request to the sign-in address was not the callback (%s).", error_kind(error))
                raise _Bad(400) from error
            self._winner = query
            self._heard_at = time.monotonic()
            self._heard.set()
        elif query != self._winner:
            raise _Bad(400)
        # The code must not stay in the address bar and the history.
        return _reply(303, b"", (("Location", _CLEAN_PATH),))


def _may_become_one(head: bytes) -> bool:
    """Whether more bytes can make it a request: not a TLS greeting, nor a head whose lines end in another way."""
    return head[:1].isalpha() and b"\n\n" not in head


def _parse(head: bytes) -> _Request:
    try:
        text = head.decode("ascii")
    except UnicodeDecodeError as error:
        raise _Bad(400) from error
    lines = text.split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3 or parts[2] not in ("HTTP/1.1", "HTTP/1.0") or not _TOKEN.fullmatch(parts[0]):
        raise _Bad(400)
    if any(not "!" <= letter <= "~" for letter in parts[1]):
        raise _Bad(400)
    hosts: list[str] = []
    has_body = False
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not _TOKEN.fullmatch(name) or any(letter < " " and letter != "\t" for letter in value):
            raise _Bad(400)
        name, value = name.lower(), value.strip(" \t")
        if name == "host":
            hosts.append(value)
        if name == "transfer-encoding" or (name == "content-length" and value != "0"):
            has_body = True
    return _Request(parts[0], parts[1], tuple(hosts), has_body)


def _reply(status: int, body: bytes | None = None, more: tuple[tuple[str, str], ...] = (), *, body_wanted: bool = True) -> bytes:
    kind = "text/html; charset=utf-8" if body else "text/plain; charset=utf-8"
    if body is None:
        body = f"{_REASONS[status]}\n".encode()
    lines = [f"HTTP/1.1 {status} {_REASONS[status]}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", "Connection: close"]
    if status == 405:
        lines.append("Allow: GET")
    lines += [f"{name}: {value}" for name, value in (*HEADERS, *more)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (body if body_wanted else b"")
