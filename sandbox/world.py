"""Everything the stand-ins share while they run: clock, switches, faults, limits, counts, the firms and who may sign in."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.calls import Calls
from sandbox.clock import Agenda, Clock
from sandbox.faults import Faults
from sandbox.firm import Firm
from sandbox.gateway import Limits, Meter
from sandbox.identity_store import App, Connection, IdentityStore, Person, Tenant
from sandbox.neighbour import XERO_SYSTEM, AnyFirm, Neighbour
from sandbox.seeds import make_firm
from sandbox.switches import Switches

CLIENT_ID = "5A0D80C00000400080000000000000C1"
WEB_CLIENT_ID = "5A0D80C00000400080000000000000EB"
WEB_CLIENT_SECRET = "sandbox-web-secret"

MAIN_TENANT = "c3b2a190-0000-4000-8000-0000000feed1"
OTHER_TENANT = "c3b2a190-0000-4000-8000-0000000feed2"
ORGANISATION = "c3b2a190-0000-4000-8000-0000000feed3"
PRACTICE = "c3b2a190-0000-4000-8000-0000000feed4"

DEMO_PERSON = "aroha.ngata@kowhai-rata.example"
TWO_FIRMS_PERSON = "sam.reid@kowhai-rata.example"
NO_PRIVILEGE_PERSON = "kim.ode@kowhai-rata.example"
PASSWORD = "correct horse"


@dataclass
class World:
    """One sandbox. `folder` is where the drop folder and the written files are."""

    folder: Path
    matters: int = 50
    seed: int = 1
    clock: Clock = field(default_factory=Clock)
    switches: Switches = field(default_factory=Switches)
    faults: Faults = field(default_factory=Faults)
    limits: Limits = field(default_factory=Limits)
    calls: Calls = field(default_factory=Calls)
    stopping: threading.Event = field(default_factory=threading.Event)
    firms: dict[str, Firm] = field(default_factory=dict)
    neighbours: list[Neighbour] = field(default_factory=list)  # the other practice systems

    def __post_init__(self) -> None:
        self.agenda = Agenda(self.clock)
        self.meter = Meter(self.clock, self.limits)
        self.identity = IdentityStore(self.clock, self.switches, self.may_connect)
        self.identity.people = {person.email: person for person in _PEOPLE}
        self.identity.tenants = list(_TENANTS)
        self.identity.apps = {
            CLIENT_ID: App(CLIENT_ID, "", []),
            WEB_CLIENT_ID: App(WEB_CLIENT_ID, WEB_CLIENT_SECRET, []),
        }
        self.seed_firms()
        self._connect_before()

    @property
    def drop_folder(self) -> Path:
        """Where order messages are dropped."""
        return self.folder / "drop"

    def seed_firms(self) -> None:
        """Puts the seeded firms in place of whatever was there."""
        today = self.clock.utc().date()
        staff = [(f"{p.given_name} {p.family_name}", p.email, p.email != NO_PRIVILEGE_PERSON) for p in _PEOPLE]
        self.firms[MAIN_TENANT] = make_firm(MAIN_TENANT, "Kōwhai & Rata Lawyers", self.matters, self.seed, today, staff)
        other = [entry for entry in staff if entry[1] == TWO_FIRMS_PERSON]
        self.firms[OTHER_TENANT] = make_firm(OTHER_TENANT, "Harbour Street Advisory", 30, self.seed, today, other)

    def reset(self, matters: int | None = None, seed: int | None = None) -> None:
        """As at start, but for addresses, registered redirects, limits and switches. The clock keeps its lead."""
        self.matters = self.matters if matters is None else matters
        self.seed = self.seed if seed is None else seed
        self.agenda.clear()
        self.faults.remove()
        self.calls.clear()
        self.meter.clear()
        self.identity.clear()
        self.seed_firms()
        for neighbour in self.neighbours:
            neighbour.reset()
        self._connect_before()

    def firm(self, tenant_id: str) -> AnyFirm | None:
        """A firm of any system by its tenant id; a neighbour's is made when it is first asked for."""
        found: AnyFirm | None = self.firms.get(tenant_id)
        for neighbour in self.neighbours:
            found = found or neighbour.firm(tenant_id)
        return found

    def all_firms(self) -> list[AnyFirm]:
        """The firms of all systems that were made so far: in one that was not, nothing was ever posted."""
        return [*self.firms.values(), *(firm for neighbour in self.neighbours for firm in neighbour.made())]

    def main_tenant(self, system: str) -> str:
        """The demo's tenant in that system; empty if there is no such system."""
        if system in ("", XERO_SYSTEM):
            return MAIN_TENANT
        return next((neighbour.main_tenant for neighbour in self.neighbours if neighbour.system == system), "")

    def books(self, job: str = "", tenant: str = "", system: str = "") -> list[dict[str, object]]:
        """What was posted, firm by firm, with the system of each."""
        rows = [{**firm.books(job), "system": XERO_SYSTEM} for firm in self.firms.values()]
        for neighbour in self.neighbours:
            made = {firm.tenant_id: firm for firm in neighbour.made()}
            for tenant_id, name in neighbour.names().items():
                empty: dict[str, object] = {"tenant_id": tenant_id, "name": name, "costs": [], "documents": []}
                rows.append({**(made[tenant_id].books(job) if tenant_id in made else empty), "system": neighbour.system})
        return [row for row in rows if tenant in ("", row["tenant_id"]) and system in ("", row["system"])]

    def _connect_before(self) -> None:
        """Long ago, the demo's person connected an accounting organisation: it stands first in the list of connections."""
        person = self.identity.people[DEMO_PERSON]
        tenant = next(tenant for tenant in self.identity.tenants if tenant.id == ORGANISATION)
        long_ago = self.clock.now() - 400 * 86400
        old = Connection(str(uuid.uuid4()), str(uuid.uuid4()), tenant, person, CLIENT_ID, long_ago, long_ago)
        with self.identity.lock:
            self.identity.connections.append(old)

    def may_connect(self, tenant_id: str, email: str) -> bool:
        """Whether the person is staff there with the API privilege."""
        firm = self.firms.get(tenant_id)
        return firm is not None and any(member.email == email and member.api for member in firm.staff)

    def set_privilege(self, tenant_id: str, email: str, allowed: bool) -> bool:
        """Gives or takes the API privilege; False if there is no such member of staff."""
        firm = self.firm(tenant_id)
        return firm is not None and firm.allow(email, allowed)

    def register_redirects(self, addresses: list[str]) -> None:
        """Redirect addresses that all apps may use, to the letter."""
        for neighbour in self.neighbours:
            neighbour.register_redirects(addresses)
        for app in self.identity.apps.values():
            app.redirects += [address for address in addresses if address not in app.redirects]

    def stop(self) -> None:
        """Ends whatever waits or runs later."""
        self.stopping.set()
        self.agenda.stop()


_PEOPLE = (
    Person(DEMO_PERSON, PASSWORD, "Aroha", "Ngata", "1" * 32, "7e57ab1e-0000-4000-8000-000000000001"),
    Person(TWO_FIRMS_PERSON, PASSWORD, "Sam", "Reid", "2" * 32, "7e57ab1e-0000-4000-8000-000000000002"),
    Person(NO_PRIVILEGE_PERSON, PASSWORD, "Kim", "Ode", "3" * 32, "7e57ab1e-0000-4000-8000-000000000003"),
)

_EVERYBODY = frozenset(person.email for person in _PEOPLE)
_TENANTS = (
    Tenant(ORGANISATION, "Kōwhai & Rata Pty Ltd", "ORGANISATION", _EVERYBODY),
    Tenant(MAIN_TENANT, "Kōwhai & Rata Lawyers", "PRACTICEMANAGER", _EVERYBODY),
    Tenant(PRACTICE, "Kōwhai & Rata HQ", "PRACTICE", frozenset({DEMO_PERSON})),
    Tenant(OTHER_TENANT, "Harbour Street Advisory", "PRACTICEMANAGER", frozenset({TWO_FIRMS_PERSON})),
)
