"""A small HTTP server on loopback that answers as it is told, and what the tests of this room share."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

import pytest

from desktop.services.errors import NotNow
from desktop.services.infotrack.inbox import FeedCursor
from desktop.services.infotrack.model import Incoming, OrderMessage


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.path).query, keep_blank_values=True)


@dataclass(frozen=True)
class Reply:
    """`cut`: the connection ends after so many bytes of the body. `length` False: no Content-Length, the end is the end."""

    status: int = 200
    body: bytes = b""
    kind: str = "application/json"
    headers: Sequence[tuple[str, str]] = ()
    cut: int | None = None
    length: bool = True


class ScriptedServer:
    """Answers with `answer(request)`; remembers every request. Use as a context manager."""

    def __init__(self, answer: Callable[[Request], Reply], *, host: str = "127.0.0.1") -> None:
        self.requests: list[Request] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                request = Request(
                    self.command,
                    self.path,
                    {name.lower(): value for name, value in self.headers.items()},
                    self.rfile.read(length),
                )
                outer.requests.append(request)
                reply = answer(request)
                self.send_response(reply.status)
                for name, value in reply.headers:
                    self.send_header(name, value)
                if reply.kind:
                    self.send_header("Content-Type", reply.kind)
                if reply.length:
                    self.send_header("Content-Length", str(len(reply.body)))
                else:
                    self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(reply.body if reply.cut is None else reply.body[: reply.cut])
                self.close_connection = self.close_connection or reply.cut is not None or not reply.length

            do_GET = do_POST = _any

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                pass

            def server_bind(self) -> None:
                socketserver.TCPServer.server_bind(self)
                self.server_name, self.server_port = host, self.server_address[1]

        self._server = Server((host, 0), Handler)
        self.host = host
        self.port = self._server.server_address[1]
        self.url = f"http://{host}:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@dataclass
class KeptSecrets:
    """A keyring that is a dictionary, and can be locked."""

    entries: dict[str, str] = field(default_factory=dict)
    locked: bool = False
    reads: int = 0

    def _open(self) -> None:
        if self.locked:
            raise NotNow("The keyring is locked. Unlock it.")

    def get(self, name: str) -> str | None:
        self._open()
        self.reads += 1
        return self.entries.get(name)

    def set(self, name: str, value: str) -> None:
        self._open()
        self.entries[name] = value

    def delete(self, name: str) -> None:
        self._open()
        self.entries.pop(name, None)


class LedgerFull(Exception):
    """Stands for the ledger's own trouble."""


@dataclass
class KeptInbox:
    """An inbox that keeps what a ledger would, and knows an exact repeat by its bytes."""

    recorded: list[Incoming] = field(default_factory=list)
    cursors: dict[str, str] = field(default_factory=dict)
    mine: Callable[[OrderMessage], bool] = lambda _message: True
    asked: int = 0
    calls: int = 0
    full: bool = False

    def record(self, messages: Sequence[Incoming], *, cursor: FeedCursor | None = None) -> int:
        self.calls += 1
        if self.full:
            raise LedgerFull
        known = {(kept.message.order_id, kept.raw) for kept in self.recorded}
        new = [incoming for incoming in messages if (incoming.message.order_id, incoming.raw) not in known]
        self.recorded += new
        if cursor is not None:
            self.cursors[cursor.feed] = cursor.position
        return len(new)

    def cursor(self, feed: str) -> str | None:
        return self.cursors.get(feed)

    def may_take(self, message: OrderMessage) -> bool:
        self.asked += 1
        return self.mine(message)

    @property
    def ids(self) -> list[str]:
        return [incoming.message.order_id for incoming in self.recorded]


@dataclass
class Clock:
    """Seconds that a test moves on."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def our_log(caplog: pytest.LogCaptureFixture) -> str:
    """What this program's own modules logged; what its libraries may log is the log's own business."""
    return "\n".join(
        record.getMessage() + str(record.exc_info or "") for record in caplog.records if record.name.startswith("desktop.")
    )
