"""All stand-ins together: starts them, tells where they are, stops them."""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask, Response, request

from sandbox import world as w
from sandbox.calls import Counted
from sandbox.controls import make_controls
from sandbox.gateway import Metered, make_connections
from sandbox.identity import make_identity
from sandbox.identity_tokens import TokenMaker
from sandbox.infotrack_api import Landing, make_api, make_elsewhere
from sandbox.infotrack_site import make_site
from sandbox.mishaps import LOGIN_PAGE, Mishaps
from sandbox.neighbour import XERO_SYSTEM
from sandbox.orders import Login, OrderDesk
from sandbox.outbox import Outbox
from sandbox.platform_file import platform_toml, sections
from sandbox.recording import Recorder, Recording, add_recording_controls
from sandbox.serving import Server
from sandbox.smokeball_controls import make_smokeball_controls
from sandbox.smokeball_house import SmokeballHouse
from sandbox.workflowmax import HTTPS_REDIRECT, WorkflowMax, make_workflowmax_api
from sandbox.workflowmax_books import MAIN_ORGANISATION, OTHER_ORGANISATION
from sandbox.workflowmax_controls import add_workflowmax_controls
from sandbox.workflowmax_gateway import Turnstile
from sandbox.workflowmax_identity import make_workflowmax_identity
from sandbox.world import World
from sandbox.xpm import BASE, check_access, make_xpm
from sandbox.xpm_books import make_books
from sandbox.xpm_xml import BadBody, error

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LOOPBACK = "127.0.0.1"
ELSEWHERE = "127.0.0.2"  # loopback as well, but another host
LOGINS = (
    Login("kowhai-rata", "correct staple", "Kōwhai & Rata Lawyers", "orders@kowhai-rata.example"),
    Login("sam.reid", "correct battery", "Sam Reid", "sam.reid@kowhai-rata.example"),
)
DEFAULT_PORTS = (28761, 28762, 28763, 28764, 28765)  # the ones that the platform file names when it names none


class Sandbox:
    """The running stand-ins. `start` before use, `stop` after; or use it as a context manager.

    `folder` gets the drop folder, `platform.toml` and `sandbox.json`."""

    def __init__(
        self, folder: Path, *, matters: int = 50, seed: int = 1, limits: bool = True, delay: float = 2.0, system: str = XERO_SYSTEM
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.world = World(folder.resolve(), matters=matters, seed=seed)
        self.world.drop_folder.mkdir(exist_ok=True)
        self.world.switches.delay_seconds = delay
        self._system = system  # of the platform file
        if not limits:
            self.world.limits.off()
            self.world.switches.smokeball_rate = 0
        *self.redirect_ports, self.workflowmax_port, self.smokeball_port = _free_ports(7)
        self.world.register_redirects([f"http://localhost:{port}/callback" for port in (*self.redirect_ports, *DEFAULT_PORTS)])
        self.workflowmax = self._workflowmax()
        self.world.neighbours.append(self.workflowmax)
        self.smokeball = SmokeballHouse(self.world, w.MAIN_TENANT, f"http://localhost:{self.smokeball_port}/callback")
        self.world.neighbours.append(self.smokeball)
        self.landing = Landing({login.user: login for login in LOGINS})
        self.outbox = Outbox(self.world.drop_folder, self.world.agenda, self.world.switches)
        self.desk = OrderDesk(self.world.clock, self.world.agenda, self.world.switches, self.outbox.deliver)
        self.recording = Recording()
        self._servers: dict[str, Server] = {}
        self._make()

    def _workflowmax(self) -> WorkflowMax:
        people = self.world.identity.people.values()
        staff = [(f"{p.given_name} {p.family_name}", p.email, p.email != w.NO_PRIVILEGE_PERSON) for p in people]
        other = [entry for entry in staff if entry[1] == w.TWO_FIRMS_PERSON]
        redirects = [f"http://localhost:{self.workflowmax_port}/callback", HTTPS_REDIRECT]
        return WorkflowMax(self.world, {MAIN_ORGANISATION: staff, OTHER_ORGANISATION: other}, redirects)

    def _make(self) -> None:
        world = self.world
        late = _Late()
        self._servers["identity"] = Server(self._layers(late, "identity"), LOOPBACK)
        late.app = make_identity(world.identity, TokenMaker(world.identity, self.url("identity")), w.DEMO_PERSON)
        gateway = self._layers(_gateway(world), "api", metered=True)
        self._servers["api"] = Server(gateway, LOOPBACK)
        house, pages = self.workflowmax, str(Path(__file__).parent)
        sign_in = make_workflowmax_identity(house.store, w.DEMO_PERSON, pages)
        self._servers["workflowmax-identity"] = Server(self._layers(sign_in, "workflowmax-identity"), LOOPBACK)
        books = Mishaps(make_workflowmax_api(world, house), "workflowmax", world.faults, world.agenda, world.stopping)
        kept = self._kept(Turnstile(books, house.store, house.meter, world.limits), "workflowmax")
        counted = Counted(kept, "workflowmax", world.calls, world.clock.now)
        self._servers["workflowmax"] = Server(counted, LOOPBACK)
        for name, app in (("smokeball_auth", self.smokeball.identity(w.DEMO_PERSON)), ("smokeball", self.smokeball.api())):
            self._servers[name] = Server(self._layers(app, name), LOOPBACK)
        self._servers["smokeball_files"] = _outside(self._layers(self.smokeball.files(), "smokeball_files"))
        self.smokeball.storage.base = self.url("smokeball_files")
        site, elsewhere = _Late(), _Late()
        self._servers["infotrack"] = Server(self._layers(site, "infotrack"), LOOPBACK)
        self._servers["elsewhere"] = _outside(self._layers(elsewhere, "elsewhere"))
        self.desk.api_url = self.url("infotrack")
        self.desk.site_url = f"http://localhost:{self._servers['infotrack'].port}"
        site.app = self._infotrack()
        controls = make_controls(world, self.desk, self.outbox, self.landing, self.description, str(Path(__file__).parent))
        controls.register_blueprint(make_smokeball_controls(self.smokeball, world.clock))
        add_recording_controls(controls, self.recording)
        add_workflowmax_controls(controls, self.workflowmax.organisations)
        self._servers["controls"] = Server(controls, LOOPBACK)
        elsewhere.app = Flask("sandbox.elsewhere", static_folder=None)
        elsewhere.app.register_blueprint(make_elsewhere(self.desk, self.landing))

    def _infotrack(self) -> Flask:
        world = self.world
        app = Flask("sandbox.infotrack", static_folder=None, template_folder="pages", root_path=str(Path(__file__).parent))
        api = make_api(world.clock, world.switches, self.landing, self.desk, self.outbox, self.url("elsewhere"))
        app.register_blueprint(api, url_prefix="/v1")
        app.register_blueprint(make_site(world.clock, world.switches, self.landing, self.desk))
        return app

    def _layers(self, app: WSGIApplication, name: str, *, metered: bool = False) -> WSGIApplication:
        world = self.world
        layered: WSGIApplication = Mishaps(app, name, world.faults, world.agenda, world.stopping)
        if metered:
            layered = Metered(layered, world.identity, world.meter)
        return Counted(self._kept(layered, name), name, world.calls, world.clock.now)

    def _kept(self, app: WSGIApplication, name: str) -> WSGIApplication:
        """With a recording of what the practice systems are sent; sign-ins and InfoTrack are never kept."""
        return Recorder(app, name, self.recording, self.world.switches) if name in ("api", "workflowmax", "smokeball") else app

    def url(self, name: str) -> str:
        """Where a server is: identity, api, infotrack, site, elsewhere, controls."""
        return self._servers[name].url

    def start(self) -> Sandbox:
        """Begins to answer, and writes platform.toml and sandbox.json."""
        for server in self._servers.values():
            server.start()
        if self._system == self.smokeball.system:
            self.smokeball.current()  # now, not within the first call's time
        self._write_platform_file()
        return self

    @property
    def platform_file(self) -> Path:
        """The product's platform file for this sandbox."""
        return self.world.folder / "platform.toml"

    def description(self) -> dict[str, object]:
        """What the port file holds: addresses, logins, identifiers, paths."""
        return {
            **{name: server.url for name, server in self._servers.items()},
            "site": self.desk.site_url,
            "pid": os.getpid(),
            "platform": str(self.platform_file),
            "drop_folder": str(self.world.drop_folder),
            "xero": {
                "client_id": w.CLIENT_ID,
                "redirect_ports": self.redirect_ports,
                "user": w.DEMO_PERSON,
                "password": w.PASSWORD,
                "user_of_two_firms": w.TWO_FIRMS_PERSON,
                "user_without_privilege": w.NO_PRIVILEGE_PERSON,
                "tenant_id": w.MAIN_TENANT,
                "tenant_name": self.world.firms[w.MAIN_TENANT].name,
                "other_tenant_id": w.OTHER_TENANT,
                "web_client_id": w.WEB_CLIENT_ID,
                "web_client_secret": w.WEB_CLIENT_SECRET,
            },
            "workflowmax": self._workflowmax_description(),
            "smokeball": self.smokeball.description(
                self.url("smokeball_auth"), self.url("smokeball"), user=w.DEMO_PERSON, password=w.PASSWORD
            ),
            "infotrack_login": {"user": LOGINS[0].user, "password": LOGINS[0].password},
            "infotrack_logins": [{"user": login.user, "password": login.password} for login in LOGINS],
        }

    def _workflowmax_description(self) -> dict[str, object]:
        return self.workflowmax.description(
            self.url("workflowmax-identity"),
            self.url("workflowmax"),
            user=w.DEMO_PERSON,
            two=w.TWO_FIRMS_PERSON,
            without=w.NO_PRIVILEGE_PERSON,
            password=w.PASSWORD,
        )

    def _write_platform_file(self) -> None:
        tables = sections(
            addresses={name: server.url for name, server in self._servers.items()},
            client_id=w.CLIENT_ID,
            redirect_ports=self.redirect_ports,
            drop_folder=str(self.world.drop_folder),
            practice=self._system,
            workflowmax=self._workflowmax_description(),
        )
        tables["smokeball"] = self.smokeball.platform_table(self.url("smokeball_auth"), self.url("smokeball"))
        write_atomically(self.platform_file, platform_toml(tables))

    def stop(self) -> None:
        """Closes all ports."""
        self.world.stop()
        stops = [threading.Thread(target=server.stop) for server in self._servers.values()]  # each waits for its own loop's turn
        for stop in stops:
            stop.start()
        for stop in stops:
            stop.join()

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()


class _Late:
    """Stands for an application that needs to know its server's port before it can be made."""

    app: WSGIApplication

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self.app(environ, start_response)


def _outside(app: WSGIApplication) -> Server:
    """A server on another host of loopback or, where the system has only the one, on another port of it."""
    try:
        return Server(app, ELSEWHERE)
    except (OSError, SystemExit):  # the library ends the program where it can't bind
        return Server(app, LOOPBACK)


def _gateway(world: World) -> Flask:
    app = Flask("sandbox.gateway", static_folder=None)
    app.register_blueprint(make_connections(world.identity))
    check = check_access(world.identity, world.firms.get, world.switches)
    for pages in (make_xpm(world.clock, world.switches), make_books(world.clock, world.switches)):
        pages.before_request(check)
        app.register_blueprint(pages, url_prefix=BASE)

    @app.before_request
    def correlate() -> None:
        request.environ.setdefault("sandbox.correlation", str(uuid.uuid4()))

    @app.get("/practice/<path:_what>")
    def screens(_what: str) -> Response:
        """Where the addresses in answers lead: the vendor's screens, which want a person and have no file for a program."""
        return Response(LOGIN_PAGE, content_type="text/html; charset=utf-8")

    @app.errorhandler(BadBody)
    def bad_body(_problem: BadBody) -> Response:
        return error("Error", "An unexpected error occurred", 500)

    return app


def _free_ports(count: int) -> list[int]:
    """Ports below the usual ephemeral range that are free on both address families of loopback just now."""
    found: list[int] = []
    start = 20000 + secrets.randbelow(9000)  # so that two sandboxes at a time don't choose the same ones
    for port in range(start, start + 2000):
        if _is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise OSError(f"there are no {count} free ports")


def _is_free(port: int) -> bool:
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.bind((host, port))
        except OSError:
            if family == socket.AF_INET6 and not _has_ipv6():
                continue
            return False
    return True


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def write_atomically(path: Path, text: str) -> None:
    """The file is there whole, or not at all."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def as_json(value: object) -> str:
    """Readable JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False)
