"""Who may sign in, to which tenants, and every code, token and connection that was given out. In memory; times are the clock's."""

from __future__ import annotations

import secrets
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.clock import Clock
from sandbox.switches import Switches

KNOWN_SCOPES = frozenset(
    [
        "openid",
        "profile",
        "email",
        "offline_access",
        "practicemanager.job",
        "practicemanager.job.read",
        "practicemanager.client",
        "practicemanager.client.read",
        "practicemanager.staff",
        "practicemanager.staff.read",
        "practicemanager.time",
        "practicemanager.time.read",
        "accounting.contacts",
        "accounting.transactions",
    ]
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can sign in. `sub` and `xero_userid` are not the practice's staff identifiers."""

    email: str
    password: str
    given_name: str
    family_name: str
    sub: str
    xero_userid: str


@dataclass(frozen=True, slots=True)
class Tenant:
    """An organisation that a person may connect: PRACTICEMANAGER, ORGANISATION or PRACTICE. `people` are e-mail addresses."""

    id: str
    name: str
    kind: str
    people: frozenset[str]


@dataclass(slots=True)
class App:
    """A registered app, with the methods that the authorization server asks a client for."""

    client_id: str
    secret: str
    redirects: list[str]

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str | None:
        return None  # a request without one is an error

    def get_allowed_scope(self, scope: str | None) -> str | None:
        return " ".join((scope or "").split()) or None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.redirects  # to the letter: port, path and trailing slash

    def check_client_secret(self, client_secret: str) -> bool:
        return bool(self.secret) and secrets.compare_digest(self.secret, client_secret)

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        return (method == "none") != bool(self.secret)

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in ("authorization_code", "refresh_token")


@dataclass(slots=True)
class Consent:
    """What one person allowed one app: the scopes add up over the consents; it ends as a whole by revocation."""

    person: Person
    client_id: str
    scopes: set[str] = field(default_factory=set)
    revoked: bool = False


@dataclass(slots=True)
class Code:
    """An authorization code: one use, short life."""

    code: str
    consent: Consent
    redirect_uri: str
    scope: str
    nonce: str
    event_id: str
    code_challenge: str
    code_challenge_method: str
    issued: float

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope


@dataclass(slots=True)
class Refresh:
    """A refresh token. `rotated` is when it was first exchanged for a newer one."""

    value: str
    consent: Consent
    scope: str
    event_id: str
    issued: float
    rotated: float | None = None
    revoked: bool = False

    def check_client(self, client: App) -> bool:
        return self.consent.client_id == client.client_id

    def get_scope(self) -> str:
        return self.scope


@dataclass(slots=True)
class Access:
    """An access token as the gateway knows it."""

    consent: Consent
    scopes: frozenset[str]
    expires: float


@dataclass(slots=True)
class Connection:
    """A person's connection of the app to a tenant. `id` is new at each consent, `tenant.id` stays."""

    id: str
    event_id: str
    tenant: Tenant
    person: Person
    client_id: str
    created: float
    updated: float


class IdentityStore:
    """Everything identity keeps. `may_connect` tells whether a person has the practice's API privilege."""

    def __init__(self, clock: Clock, switches: Switches, may_connect: Callable[[str, str], bool]) -> None:
        self.clock = clock
        self.switches = switches
        self.lock = threading.RLock()
        self.people: dict[str, Person] = {}
        self.apps: dict[str, App] = {}
        self.tenants: list[Tenant] = []
        self._may_connect = may_connect
        self.clear()

    def clear(self) -> None:
        """Nobody has consented to anything."""
        with self.lock:
            self.consents: dict[tuple[str, str], Consent] = {}
            self.codes: dict[str, Code] = {}
            self.refreshes: dict[str, Refresh] = {}
            self.accesses: dict[str, Access] = {}
            self.connections: list[Connection] = []

    def choices(self, person: Person) -> list[Tenant]:
        """The tenants that the person may connect: no practice without the API privilege in it."""
        mine = [tenant for tenant in self.tenants if person.email in tenant.people]
        return [tenant for tenant in mine if tenant.kind != "PRACTICEMANAGER" or self._may_connect(tenant.id, person.email)]

    def consent(self, person: Person, client_id: str, scopes: set[str], tenants: list[Tenant]) -> tuple[Consent, str]:
        """Records a consent and its connections; returns it with its authentication event."""
        now = self.clock.now()
        event_id = str(uuid.uuid4())
        with self.lock:
            consent = self.consents.get((person.email, client_id))
            if consent is None or consent.revoked:
                consent = Consent(person, client_id)
                self.consents[person.email, client_id] = consent
            consent.scopes |= scopes
            for tenant in tenants:
                old = self.connection(consent, tenant.id)
                if old is not None:
                    self.connections.remove(old)
                created = old.created if old is not None else now
                self.connections.append(Connection(str(uuid.uuid4()), event_id, tenant, person, client_id, created, now))
        return consent, event_id

    def connection(self, consent: Consent, tenant_id: str) -> Connection | None:
        """The consent's connection to that tenant."""
        for connection in self.connections_of(consent):
            if connection.tenant.id == tenant_id:
                return connection
        return None

    def connections_of(self, consent: Consent) -> list[Connection]:
        """All connections of that person to that app, oldest first."""
        with self.lock:
            return [c for c in self.connections if c.person.email == consent.person.email and c.client_id == consent.client_id]

    def take_code(self, value: str, client: App) -> Code | None:
        """A code that is still good; whatever comes of it, it is used up."""
        with self.lock:
            code = self.codes.pop(value, None)
        if code is None or code.consent.client_id != client.client_id or code.consent.revoked:
            return None
        return code if self.clock.now() - code.issued <= self.switches.code_seconds else None

    def find_refresh(self, value: str) -> Refresh | None:
        """A refresh token that may still be exchanged: unused for less than 60 days, or rotated less than 30 minutes ago."""
        now = self.clock.now()
        with self.lock:
            token = self.refreshes.get(value)
            if token is None or token.revoked or token.consent.revoked:
                return None
            if token.rotated is not None and now - token.rotated > self.switches.refresh_grace_seconds:
                return None
            if now - token.issued > self.switches.refresh_unused_days * 86400:
                return None
            return token

    def new_refresh(self, consent: Consent, scope: str, event_id: str) -> str:
        """A further refresh token of a consent."""
        token = Refresh(secrets.token_urlsafe(32), consent, scope, event_id, self.clock.now())
        with self.lock:
            self.refreshes[token.value] = token
        return token.value

    def rotated(self, token: Refresh) -> None:
        """The token was exchanged; its grace counts from the first time."""
        with self.lock:
            if token.rotated is None:
                token.rotated = self.clock.now()

    def revoke(self, consent: Consent) -> None:
        """Ends a consent, its refresh tokens and the person's connections to the app. Access tokens live on till they expire."""
        with self.lock:
            consent.revoked = True
            consent.scopes.clear()
            for token in self.refreshes.values():
                if token.consent is consent:
                    token.revoked = True
            gone = self.connections_of(consent)
            self.connections = [c for c in self.connections if c not in gone]

    def expire_access(self) -> int:
        """Makes every access token an expired one; returns how many."""
        with self.lock:
            for access in self.accesses.values():
                access.expires = 0
            return len(self.accesses)

    def revoke_all(self) -> int:
        """What happens when an administrator disconnects the app; returns how many consents ended."""
        with self.lock:
            live = [consent for consent in self.consents.values() if not consent.revoked]
            for consent in live:
                self.revoke(consent)
            return len(live)
