"""A server that answers as each test says and keeps what it was asked; tokens and a gate beside it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from desktop.services.errors import SignedOut
from desktop.services.http import Http, Limits
from desktop.services.practice.practice_system import Urgency
from desktop.services.practice.xero_practice_manager import XeroPracticeManager


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Said:
    status: int = 200
    body: bytes | str = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    kind: str = "text/xml; charset=utf-8"


def ok(payload: str = "", method: str = "Get") -> Said:
    return Said(200, f'<Response api-method="{method}"><Status>OK</Status>{payload}</Response>')


def error(reason: str = "No such job", status: int = 200) -> Said:
    body = f'<Response api-method="Get"><Status>ERROR</Status><ErrorDescription>{reason}</ErrorDescription></Response>'
    return Said(status, body)


def gateway(status: int, title: str, detail: str, **headers: str) -> Said:
    body = f'{{"Type":null,"Title":"{title}","Status":{status},"Detail":"{detail}","Instance":"1b2c3d4e","Extensions":{{}}}}'
    return Said(status, body, {name.replace("_", "-"): value for name, value in headers.items()}, "application/json")


class Tokens:
    """Gives first, second, third …; `lasts` is how many there are."""

    tenant = "tenant-1"

    def __init__(self, lasts: int = 2) -> None:
        self.words = ["first", "second", "third"][:lasts]
        self.rejections: list[str] = []

    def token(self) -> str:
        return self.words[0]

    def rejected(self, token: str) -> str:
        self.rejections.append(token)
        self.words = [word for word in self.words if word != token]
        if not self.words:
            raise SignedOut("The sign-in has ended. Connect again.")
        return self.words[0]


class Gate:
    def __init__(self) -> None:
        self.urgencies: list[Urgency] = []
        self.learnt: list[tuple[int, dict[str, str]]] = []
        self.open = 0

    @contextlib.contextmanager
    def call(self, urgency: Urgency) -> Iterator[None]:
        self.urgencies.append(urgency)
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1

    def learn(self, status: int, headers: dict[str, str]) -> None:
        assert self.open > 0
        self.learnt.append((status, headers))


class World:
    """`answer` may be replaced by a test."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answer: Callable[[Asked], Said] = lambda asked: ok()
        self.tokens = Tokens()
        self.gate = Gate()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                asked = Asked(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                outer.asked.append(asked)
                said = outer.answer(asked)
                data = said.body.encode() if isinstance(said.body, str) else said.body
                self.send_response(said.status)
                if said.kind:
                    self.send_header("Content-Type", said.kind)
                for name, value in {"xero-correlation-id": "0000-correlation-0042", **said.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                with contextlib.suppress(OSError):  # an answer that is too long is not read to its end
                    self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = _any

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.http = Http(limits=Limits(5, 5, 20))
        self.root = f"http://127.0.0.1:{self._server.server_port}/practicemanager/3.1/"
        self.xpm = XeroPracticeManager(self.http, self.tokens, self.gate, self.root)

    def says(self, *answers: Said) -> None:
        """These answers in turn; the last one again and again."""
        queue = list(answers)
        self.answer = lambda asked: queue.pop(0) if len(queue) > 1 else queue[0]

    @property
    def paths(self) -> list[str]:
        return [f"{asked.method} {asked.path.removeprefix('/practicemanager/3.1/')}" for asked in self.asked]

    def close(self) -> None:
        self.http.close()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
