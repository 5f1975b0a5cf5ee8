"""The Smokeball stand-in as a whole: its three hosts, its firm and sign-ins for the controls, and what the port file says."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from flask import Flask

from sandbox.smokeball_api import make_smokeball
from sandbox.smokeball_documents import make_documents
from sandbox.smokeball_expenses import make_expenses
from sandbox.smokeball_firm import SmokeballFirm
from sandbox.smokeball_gate import Buckets, Effects, guard
from sandbox.smokeball_identity import make_smokeball_identity
from sandbox.smokeball_seeds import FIRM_ID, FOREIGN_MATTER, make_smokeball_firm
from sandbox.smokeball_sign_ins import SmokeballApp, SmokeballSignIns
from sandbox.smokeball_storage import Storage, make_storage

if TYPE_CHECKING:
    from sandbox.world import World

SYSTEM = "smokeball"
CLIENT_ID = "5a0d80c1000040008000sandbox"
CLIENT_SECRET = "sandbox-smokeball-secret"
API_KEY = "sandbox-smokeball-key"
PUBLIC_CLIENT_ID = "5a0d80c2000040008000sandbox"
PUBLIC_API_KEY = "sandbox-smokeball-public-key"
HTTPS_REDIRECT = "https://iconnect.example/smokeball/callback"  # for a window that watches for it; nothing answers there
FIRM_NAME = "Kōwhai & Rata Lawyers"


class SmokeballHouse:
    """What runs beside the first practice system; a `sandbox.neighbour.Neighbour`."""

    system = SYSTEM
    main_tenant = FIRM_ID

    def __init__(self, world: World, source_tenant: str, redirect_uri: str) -> None:
        """`source_tenant` is the firm whose people, clients and matters this one has too."""
        self._world = world
        self._source = source_tenant
        self._redirect_uri = redirect_uri
        self._lock = threading.Lock()
        self._firm: SmokeballFirm | None = None
        redirects = [redirect_uri, HTTPS_REDIRECT]
        self.signs = SmokeballSignIns(world.clock, world.switches, FIRM_NAME)
        self.signs.people = world.identity.people
        self.signs.apps = {
            CLIENT_ID: SmokeballApp(CLIENT_ID, CLIENT_SECRET, API_KEY, list(redirects)),
            PUBLIC_CLIENT_ID: SmokeballApp(PUBLIC_CLIENT_ID, "", PUBLIC_API_KEY, list(redirects)),
        }
        self.buckets = Buckets(world.clock, world.switches)
        self.storage = Storage(world.clock, world.switches)
        self._effects = Effects(world.agenda, world.switches)

    def identity(self, demo_person: str) -> Flask:
        """The application of the sign-in host."""
        return make_smokeball_identity(self.signs, demo_person)

    def api(self) -> Flask:
        """The application of the interface."""
        world = self._world
        app = Flask("sandbox.smokeball", static_folder=None)
        guard(app, self.signs, world.switches, self.current, self.buckets)
        app.register_blueprint(make_smokeball(world.clock, world.switches))
        app.register_blueprint(make_expenses(world.clock, world.switches, self._effects))
        app.register_blueprint(make_documents(world.clock, world.switches, self._effects, self.storage))
        return app

    def files(self) -> Flask:
        """The application of the file host."""
        return make_storage(self.storage, self._world.clock, self._world.switches, self._effects, self.current)

    def current(self) -> SmokeballFirm:
        """The firm, made when it is first needed."""
        with self._lock:
            if self._firm is None:
                world = self._world
                self._firm = make_smokeball_firm(world.firms[self._source], world.seed, world.clock.utc().date())
            return self._firm

    def names(self) -> dict[str, str]:
        """The one firm."""
        return {FIRM_ID: FIRM_NAME}

    def firm(self, tenant_id: str) -> SmokeballBooks | None:
        """The firm, for the controls."""
        return SmokeballBooks(self.current(), self._world) if tenant_id == FIRM_ID else None

    def made(self) -> list[SmokeballBooks]:
        """The firm, if it exists yet."""
        return [] if self._firm is None else [SmokeballBooks(self._firm, self._world)]

    def reset(self) -> None:
        """As at start."""
        with self._lock:
            self._firm = None
        self.signs.clear()
        self.buckets.clear()
        self.storage.clear()

    def expire_access(self) -> int:
        """Every access token is an expired one."""
        return self.signs.expire_access()

    def revoke_all(self) -> int:
        """Every consent ends."""
        return self.signs.revoke_all()

    def register_redirects(self, addresses: list[str]) -> None:
        """Further redirect addresses for both apps."""
        for app in self.signs.apps.values():
            app.redirects += [address for address in addresses if address not in app.redirects]

    def registered(self) -> dict[str, list[str]]:
        """Redirect addresses by client id."""
        return {app_id: app.redirects for app_id, app in self.signs.apps.items()}

    def platform_table(self, auth: str, api: str) -> dict[str, object]:
        """Its table in the platform file, for the app with a secret."""
        return {
            "region": self._world.switches.smokeball_region,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "api_key": API_KEY,
            "redirect_uri": self._redirect_uri,
            "auth_url": auth,
            "api_url": api,
        }

    def description(self, auth: str, api: str, *, user: str, password: str) -> dict[str, object]:
        """What the port file says."""
        return {
            "region": self._world.switches.smokeball_region,
            "auth": auth,
            "api": api,
            "files": self.storage.base,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "api_key": API_KEY,
            "public_client_id": PUBLIC_CLIENT_ID,
            "public_api_key": PUBLIC_API_KEY,
            "redirect_uri": self._redirect_uri,
            "https_redirect_uri": HTTPS_REDIRECT,
            "user": user,
            "password": password,
            "firm_id": FIRM_ID,
            "firm_name": FIRM_NAME,
            "tenant_id": FIRM_ID,
            "foreign_matter_id": FOREIGN_MATTER,
        }


class SmokeballBooks:
    """The firm as the controls deal with it; a `sandbox.neighbour.AnyFirm`."""

    def __init__(self, firm: SmokeballFirm, world: World) -> None:
        self.record = firm
        self.tenant_id = firm.tenant_id
        self._world = world

    @property
    def contents(self) -> dict[str, bytes]:
        """Files by their hash."""
        return self.record.contents

    def books(self, job: str = "") -> dict[str, object]:
        """Everything that took effect."""
        return self.record.books(job)

    def change_cost(self, uuid: str, values: dict[str, str]) -> object | None:
        """Staff edit an expense: the note is its description."""
        expense = self.record.expense(uuid)
        if expense is None:
            return None
        changed = replace(expense, description=values.get("note", expense.description))
        self.record.put_expense(changed, self._world.clock.now())
        return changed

    def remove_cost(self, uuid: str) -> bool:
        """Staff delete an expense: it stays, marked as deleted."""
        expense = self.record.expense(uuid)
        if expense is None or expense.deleted:
            return False
        self.record.put_expense(replace(expense, deleted=True), self._world.clock.now())
        return True

    def rows(self, limit: int) -> list[dict[str, object]]:
        """The first matters."""
        firm = self.record
        return [
            {
                "number": each.number or "",
                "uuid": each.id,
                "name": each.title,
                "description": each.description,
                "client": firm.contacts[each.clients[0]].name if each.clients else "",
                "state": each.status,
                "lead": each.lead,
            }
            for each in list(firm.matters.values())[:limit]
        ]

    def work(self, number: str, what: str, now: datetime) -> dict[str, object] | None:
        """Staff close a matter or open it again; `number` may be its id. Nothing can make one refuse expenses but the switch."""
        matter = self.record.find_matter(number)
        if matter is None:
            return None
        if what not in ("close", "open"):
            raise ValueError("a matter in Smokeball can be closed or opened; what it refuses is a switch")
        self.record.set_status(matter, "Closed" if what == "close" else "Open", now.timestamp())
        return {"number": matter.label, "state": matter.status, "refuses_costs": False}

    def allow(self, email: str, allowed: bool) -> bool:
        """There is no such privilege."""
        return False
