"""Books behind a line that can be cut at any byte: a small practice system of our own, and a proxy that does the harm.

Raw sockets on loopback throughout, so that the real adapter and the real HTTP client meet what a bad line does.
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
from dataclasses import dataclass
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


class CostBooks:
    """Keeps what is posted whole, shows it when asked, and knows nothing of keys."""

    def __init__(self) -> None:
        self.costs: list[tuple[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or -1)
                body = self.rfile.read(max(length, 0))
                # A request that was cut off is none.
                if length < 0 or len(body) < length:
                    self.close_connection = True
                    return
                text = body.decode()
                job = re.search("<Job>(.*?)</Job>", text)
                inner = re.search("<Cost>(.*)</Cost>", text, re.DOTALL)
                assert job is not None
                assert inner is not None
                outer.costs.append((job[1], inner[1]))
                self._say(f"<Cost><UUID>u-{len(outer.costs)}</UUID>{inner[1]}</Cost>")

            def do_GET(self) -> None:
                job = unquote(self.path.rpartition("/")[2])
                here = [
                    f"<Cost><UUID>u-{n}</UUID>{inner}</Cost>" for n, (where, inner) in enumerate(outer.costs, 1) if where == job
                ]
                self._say(f"<Costs>{''.join(here)}</Costs>")

            def _say(self, payload: str) -> None:
                answer = f"<Response><Status>OK</Status>{payload}</Response>".encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/xml; charset=utf-8")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_port)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Harm(StrEnum):
    CUT = "the connection ends"
    RESET = "the connection is reset"
    HALF_CLOSE = "one direction ends"
    STALL = "nothing more comes"
    TRICKLE = "one byte at a time, then the end"
    TOO_LONG = "a length that is not reached"


@dataclass(frozen=True)
class Plan:
    """What happens to the first exchange that it fits: after `at` bytes of the request or of the answer."""

    method: bytes
    of_answer: bool
    at: int
    harm: Harm


class BadLine:
    """Passes bytes on, one exchange a connection, until the plan's moment has come; then once its harm, and no more."""

    def __init__(self, port: int) -> None:
        self.plan: Plan | None = None
        self.harmed = 0
        self.sizes: dict[tuple[bytes, bool], int] = {}
        self._behind = port
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._listener.getsockname()[1])
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._guarded, args=(near,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _guarded(self, near: socket.socket) -> None:
        with near, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._behind), timeout=5) as far:
            near.settimeout(5)
            while self._exchange(near, far):
                pass

    def _exchange(self, near: socket.socket, far: socket.socket) -> bool:
        request = _message(near)
        if not request:
            return False
        method = request.split(b" ", 1)[0]
        with self._lock:
            self.sizes[method, False] = len(request)
            plan = self.plan if self.plan is not None and self.plan.method == method else None
            if plan is not None:
                self.plan = None
                self.harmed += 1
        if plan is not None and not plan.of_answer:
            self._harm(plan, request, to=far, other=near)
            return False
        far.sendall(request)
        answer = _message(far)
        self.sizes[method, True] = len(answer)
        if plan is not None:
            self._harm(plan, answer, to=near, other=far)
            return False
        near.sendall(answer)
        return b"connection: close" not in request.lower()

    def _harm(self, plan: Plan, message: bytes, *, to: socket.socket, other: socket.socket) -> None:
        part = message[: plan.at]
        if plan.harm is Harm.TOO_LONG:
            length = re.sub(rb"(?i)(content-length: )(\d+)", lambda found: found[1] + str(int(found[2]) + 7).encode(), message)
            to.sendall(length)
        elif plan.harm is Harm.TRICKLE:
            to.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in part:
                to.sendall(bytes([byte]))
        else:
            to.sendall(part)
        if plan.harm is Harm.STALL:
            self._released.wait(3)
        elif plan.harm is Harm.HALF_CLOSE:
            to.shutdown(socket.SHUT_WR)
            with contextlib.suppress(OSError):
                to.settimeout(0.3)
                to.recv(65536)
        elif plan.harm is Harm.RESET:
            for end in (to, other):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def close(self) -> None:
        self._released.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()
        for thread in self._threads:
            thread.join()


def _message(source: socket.socket) -> bytes:
    """A head and as much of a body as its length says; less when the other side ends."""
    data = b""
    while b"\r\n\r\n" not in data or len(data) < _length(data):
        piece = source.recv(65536)
        if not piece:
            break
        data += piece
    return data


def _length(data: bytes) -> int:
    head, _, _ = data.partition(b"\r\n\r\n")
    found = re.search(rb"(?i)content-length: (\d+)", head)
    return len(head) + 4 + (int(found[1]) if found else 0)
