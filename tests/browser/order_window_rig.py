"""What the tests of the order window share: small sites, and the real window run as an ordinary user with its sandbox on."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from desktop.services.order_process import OrderWindowProcess
from desktop.services.order_protocol import AnyEvent, Do, Done, Event

NOBODY = 65534
AS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
E = TypeVar("E")

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def ordinary_user() -> dict[str, object]:
    """How to start a process as somebody who is not root; nothing where we are not root."""
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if AS_ROOT else {}


@dataclass
class Page:
    body: bytes
    content_type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    wait: threading.Event | None = None
    """Nothing is answered before this."""
    wait_inside: threading.Event | None = None
    """The body stops half way until this."""
    cut: bool = False
    """The line is cut half way through the body."""


@dataclass
class Site:
    """A scripted site. `seen` holds the path of each request, `posted` of those that sent a form, `headers` what came with the last
    one for a path."""

    server: ThreadingHTTPServer
    pages: dict[str, Page] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    posted: list[str] = field(default_factory=list)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def page(self, path: str, html: str, **more: Any) -> None:
        whole = f"<!doctype html><meta name=viewport content='width=device-width'><title>Site</title>{html}"
        self.pages[path] = Page(whole.encode(), **more)

    def redirect(self, path: str, to: str, status: int = 302) -> None:
        self.pages[path] = Page(b"", status=status, headers=(("Location", to),))

    def file(self, path: str, content: bytes, name: str = "", content_type: str = "application/pdf", **more: Any) -> None:
        headers = (("Content-Disposition", f'attachment; filename="{name}"'),) if name else ()
        self.pages[path] = Page(content, content_type, headers=headers, **more)


def serve(*, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Site:
    site: Site

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.split("?")[0]
            site.seen.append(path)
            site.headers[path] = dict(self.headers.items())
            page = site.pages.get(path, Page(b"not here", "text/plain", 404))
            if page.wait is not None:
                page.wait.wait(30)
            self.send_response(page.status)
            for name, value in page.headers:
                self.send_header(name, value)
            self.send_header("Content-Type", page.content_type)
            self.send_header("Content-Length", str(len(page.body)))
            self.end_headers()
            half = len(page.body) // 2
            with contextlib.suppress(OSError):
                self.wfile.write(page.body[:half])
                self.wfile.flush()
                if page.wait_inside is not None:
                    page.wait_inside.wait(30)
                if page.cut:
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self.wfile.write(page.body[half:])

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            site.posted.append(self.path.split("?")[0])
            self.do_GET()

        def log_message(self, *_args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_args: object) -> None:
            pass

    site = Site(Server((address, 0), Handler))
    if tls is not None:
        site.server.socket = tls.wrap_socket(site.server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=site.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return site


def base_environment(home: Path, **more: str) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home / "home"),
        "XDG_RUNTIME_DIR": str(home / "run"),
        "TMPDIR": str(home / "run"),
        "LANG": "C.UTF-8",
        "QT_QPA_PLATFORM": "offscreen",
        "NO_PROXY": "*",
        **more,
    }


def office_screen(home: Path) -> str:
    """A platform whose screen is an office's: Qt's own offscreen one is 800 pixels wide, and the window keeps within it."""
    config = home / "screen.json"
    config.write_text(
        '{"screens": [{"name": "office", "x": 0, "y": 0, "width": 2560, "height": 1920, "logicalDpi": 96, "dpr": 1}]}',
        encoding="utf-8",
    )
    config.chmod(0o644)
    return f"offscreen:configfile={config}"


class Window:
    """A running order window with everything that it said."""

    def __init__(self, process: OrderWindowProcess, home: Path) -> None:
        self.process = process
        self.home = home
        self.events: list[AnyEvent] = []
        self._changed = threading.Condition()
        self._next = 1

    def heard(self, event: AnyEvent) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def wait(self, kind: type[E], fits: Callable[[E], bool] = lambda _event: True, seconds: float = 30) -> E:
        until = time.monotonic() + seconds
        with self._changed:
            while True:
                for event in self.events:
                    if isinstance(event, kind) and fits(event):
                        return event
                left = until - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    raise AssertionError(f"no {kind.__name__}; heard {self.events!r}; {self.process.last_words()}")

    def wait_count(self, kind: type[Event], count: int, seconds: float = 30) -> None:
        """Waits until that many events of a kind have come."""
        with self._changed:
            enough = self._changed.wait_for(lambda: sum(isinstance(event, kind) for event in self.events) >= count, seconds)
        assert enough, f"fewer than {count} {kind.__name__}: {self.events!r}"

    def all(self, kind: type[E]) -> list[E]:
        with self._changed:
            return [event for event in self.events if isinstance(event, kind)]

    def do(self, do: str, *, ok: bool = True, **arguments: Any) -> str:
        number, self._next = self._next, self._next + 1
        self.process.do(msgspec.convert({"id": number, "do": do, **arguments}, Do))
        done = self.wait(Done, lambda one: one.id == number, 40)
        assert done.ok is ok, (do, arguments, done, self.do("state") if do != "state" else "")
        return done.value

    def state(self) -> dict[str, Any]:
        return json.loads(self.do("state"))  # type: ignore[no-any-return]

    def run_in_page(self, code: str) -> None:
        """Runs in the page's own world, as the page itself would."""
        made = f"const s = document.createElement('script'); s.textContent = {json.dumps(code)}; document.head.append(s)"
        self.do("script", text=f"(() => {{ {made}; return 1 }})()")

    def shot(self, name: str) -> Path:
        path = self.home / "shots" / f"{name}.png"
        self.do("shot", path=str(path))
        keep = os.environ.get("ORDER_WINDOW_SHOTS")
        if keep:
            shutil.copy(path, Path(keep) / path.name)
        return path


Open = Callable[..., Window]


def children_of(pid: int) -> list[int]:
    """A process's descendants (Linux)."""
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(line.split()[0]): int(line.split()[1]) for line in listed.splitlines() if line.strip()}
    found = [pid]
    for one in found:
        found.extend(child for child, parent in parents.items() if parent == one)
    return found[1:]


def command_line(pid: int) -> str:
    """A process's command line (Linux); empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""


def today() -> date:
    return datetime.now(UTC).date()


@dataclass
class Authority:
    """A certificate authority of our own."""

    folder: Path

    def __post_init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Office root")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(self._name)
            .issuer_name(self._name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=2))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.pem = certificate.public_bytes(serialization.Encoding.PEM).decode()

    def site(self, *, address: str = "127.0.0.1", days: int = 20, self_signed: bool = False) -> Site:
        """A site with a certificate for `address` that ends in `days`."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name if self_signed else self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=2))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
            .sign(key if self_signed else self._key, hashes.SHA256())
        )
        chain = self.folder / f"{x509.random_serial_number()}.pem"
        chain.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        served = serve(tls=context)
        served.page("/", "<h1>secure words</h1>")
        return served
