"""One profile, one fake vendor, one fake keyring, one fake person at a browser: everything else is the real inside."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from desktop.services.desk import SignInSteps, Tenant
from desktop.services.http import Http, Limits
from desktop.services.identity.keys import Backend
from desktop.services.identity.wallet import Identity
from desktop.settings import Practice, Settings, Xero
from tests.identity.fake_authorization_server import FakeAuthorizationServer, practice

XPM: Final = "xero-practice-manager"


class MemoryKeyring:
    """A secret store with Windows' own rule: 2,560 bytes of UTF-16 an entry."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.calls: list[str] = []
        self.fail: dict[str, Callable[[], None]] = {}

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if name in self.fail:
            self.fail[name]()

    def get_password(self, service: str, username: str) -> str | None:
        self._called("get")
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._called("set")
        if len(password.encode("utf-16-le")) > 2560:
            error = OSError("The stub received bad data.")
            error.winerror = 1783  # type: ignore[attr-defined, unused-ignore]  # what Windows' CredWrite says
            raise error
        self.entries[(service, username)] = password

    def delete_password(self, service: str, username: str) -> None:
        from keyring.errors import PasswordDeleteError

        self._called("delete")
        if self.entries.pop((service, username), None) is None:
            raise PasswordDeleteError(service)


class OtherKeyring(MemoryKeyring):
    """Another kind of store: another class name."""


class Clock:
    """Wall time and time since boot, moved by hand (or, for `wall`, offset)."""

    def __init__(self) -> None:
        self.boot = 1_000.0
        self.wall = datetime.now(UTC)

    def now(self) -> datetime:
        return self.wall

    def since_boot(self) -> float:
        return self.boot

    def pass_(self, seconds: float) -> None:
        self.boot += seconds
        self.wall += timedelta(seconds=seconds)


def free_ports(count: int) -> tuple[int, ...]:
    """Ports that were free on both families a moment ago."""
    held: list[socket.socket] = []
    try:
        for _ in range(count):
            four = socket.socket()
            four.bind(("127.0.0.1", 0))
            held.append(four)
        return tuple(int(sock.getsockname()[1]) for sock in held)
    finally:
        for sock in held:
            sock.close()


@dataclass
class Got:
    status: int
    headers: dict[str, str]
    body: bytes


def get(address: str, *, method: str = "GET", headers: dict[str, str] | None = None, timeout: float = 10) -> Got:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    try:
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), headers=headers or {})
        answer = connection.getresponse()
        return Got(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


@dataclass
class Person:
    """Someone at a browser. `visits` are the addresses that the browser went through."""

    visits: list[str] = field(default_factory=list)
    shown: list[Tenant] = field(default_factory=list)
    offered: list[tuple[Tenant, ...]] = field(default_factory=list)
    choice: Callable[[Sequence[Tenant]], Tenant | None] = lambda tenants: tenants[0]
    before_callback: Callable[[str], None] = lambda address: None
    cancel: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)
    pages: list[Got] = field(default_factory=list)

    def open(self, address: str) -> bool:
        thread = threading.Thread(target=self._browse, args=(address,), daemon=True)
        self.threads.append(thread)
        thread.start()
        return True

    def _browse(self, address: str) -> None:
        for _ in range(5):
            if "state=" in address and "/callback" in urlsplit(address).path:
                self.before_callback(address)
            self.visits.append(address)
            answer = get(address)
            location = answer.headers.get("location")
            if answer.status not in (302, 303) or not location:
                self.pages.append(answer)
                return
            address = urljoin(address, location)

    def choose(self, tenants: Sequence[Tenant]) -> Tenant | None:
        self.offered.append(tuple(tenants))
        return self.choice(tenants)

    def steps(self) -> SignInSteps:
        return SignInSteps(self.open, self.choose, self.shown.append, self.cancel.is_set)


@dataclass
class Rig:
    server: FakeAuthorizationServer
    profile: Path
    keyring: Backend
    clock: Clock
    ports: tuple[int, ...]
    person: Person
    xero: dict[str, Any] = field(default_factory=dict)

    def settings(self) -> Settings:
        values: dict[str, Any] = {
            "client_id": self.server.client_id,
            "redirect_ports": self.ports,
            "authorize_url": f"{self.server.origin}/authorize",
            "token_url": f"{self.server.origin}/connect/token",
            "revocation_url": f"{self.server.origin}/connect/revocation",
            "connections_url": f"{self.server.origin}/connections",
        }
        return Settings(practice=Practice(system=XPM), xero=Xero(**(values | self.xero)))

    def identity(self, **more: Any) -> Identity:
        """As another process would make one: nothing is shared but the profile folder and the keyring."""
        values: dict[str, Any] = {
            "clock": self.clock.now,
            "boot": self.clock.since_boot,
            "keyring_backend": lambda: self.keyring,
            "keyring_patience": 5.0,
        }
        return Identity(self.profile, self.settings, Http(limits=Limits(connect=5, read=5, total=10)), **(values | more))

    def signed_in(self, **more: Any) -> Identity:
        identity = self.identity(**more)
        identity.sign_in(XPM, self.person.steps())
        return identity


def rig_for(server: FakeAuthorizationServer, folder: Path) -> Rig:
    ports = free_ports(5)
    clock = Clock()
    server.redirects = {f"http://localhost:{port}/callback" for port in ports}
    server.clock = clock.since_boot
    server.wall = lambda: clock.wall.timestamp()
    server.connections = [
        practice("org-1", "Not A Practice", kind="ORGANISATION", event=server.event),
        practice("c3b2a190-0000-4000-8000-0000000feed1", "Kowhai & Rata Accountants", event=server.event),
    ]
    return Rig(server, folder / "profile", MemoryKeyring(), clock, ports, Person())
