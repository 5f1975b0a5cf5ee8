"""A signed repository, a web server in front of it that can misbehave, and the product's reading of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from desktop.services.http import Http
from desktop.services.updates.repository import UpdateRepository
from installer.release import Repository

PACKAGE = b"the package of a release " * 4000


@dataclass
class Mirror:
    """Serves a folder. `instead` may answer in its place: (status, body, promised length)."""

    folder: Path
    url: str = ""
    asked: list[str] = field(default_factory=list)
    instead: Callable[[str], tuple[int, bytes, int] | None] = lambda path: None
    drops: Callable[[str], bool] = lambda path: False
    """Which paths come a byte at a time, without an end."""
    closed: threading.Event = field(default_factory=threading.Event)


@contextmanager
def served(folder: Path) -> Iterator[Mirror]:
    mirror = Mirror(folder)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            mirror.asked.append(self.path)
            told = mirror.instead(self.path)
            if told is None:
                file = mirror.folder / self.path.lstrip("/")
                body = file.read_bytes() if file.is_file() else b""
                told = (200, body, len(body)) if file.is_file() else (404, b"", 0)
            status, body, promised = told
            self.send_response(status)
            self.send_header("Content-Length", str(promised))
            self.end_headers()
            if mirror.drops(self.path):
                self._drip()
                return
            self.wfile.write(body)
            if promised != len(body):
                self.close_connection = True

        def _drip(self) -> None:
            self.close_connection = True
            try:
                while not mirror.closed.wait(0.05):
                    self.wfile.write(b" ")
            except OSError:
                return

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    mirror.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield mirror
    finally:
        mirror.closed.set()
        server.shutdown()
        server.server_close()
        thread.join()


def release(folder: Path, *versions: str, now: datetime | None = None, package: bytes = PACKAGE) -> Repository:
    """A repository in `folder`/site with these releases for the platform "linux-deb"; its keys lie beside it."""
    repository = Repository(folder / "site", folder / "keys", now=now or datetime.now(UTC))
    repository.init()
    for version in versions:
        file = folder / f"iconnect-{version}.deb"
        file.write_bytes(package + version.encode())
        repository.publish("linux-deb", version, file)
    return repository


def reading(http: Http, mirror: Mirror, root: Path, folder: Path) -> UpdateRepository:
    """The product's own reading, with the root of trust as shipped."""
    return UpdateRepository(http, mirror.url, (root / "metadata" / "1.root.json").read_bytes(), folder, platform="linux-deb")
