"""Who may sign in to Smokeball, and every code and token that was given out. In memory; times are the clock's."""

from __future__ import annotations

import secrets
import threading
import uuid
from dataclasses import dataclass, field

from joserfc import jwt
from joserfc.jwk import RSAKey

from sandbox.clock import Clock
from sandbox.identity_store import Person
from sandbox.switches import Switches

SCOPES = frozenset(
    f"{resource}/{what}"
    for resource in (
        "matters",
        "mattertypes",
        "contacts",
        "staff",
        "firm",
        "documents",
        "expenses",
        "activitycodes",
        "memos",
        "notifications",
        "tasks",
        "webhooks",
    )
    for what in ("read", "write")
)
GRACE_SECONDS = 60  # how long a refresh token lives on after it was exchanged, where they rotate


@dataclass(slots=True)
class SmokeballApp:
    """A registered app. One without a secret is a public client. The key goes with each call."""

    client_id: str
    secret: str
    api_key: str
    redirects: list[str] = field(default_factory=list)

    @property
    def public(self) -> bool:
        """Whether it has no secret."""
        return not self.secret


@dataclass(slots=True)
class SignIn:
    """What one person allowed one app; without a person: the app itself, by client credentials."""

    person: Person | None
    client_id: str
    scopes: frozenset[str]
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class SmokeballCode:
    """An authorization code: one use, short life."""

    sign_in: SignIn
    redirect_uri: str
    challenge: str
    issued: float


@dataclass(slots=True)
class SmokeballRefresh:
    """A refresh token; its days count from `issued`, the sign-in, however often it is used."""

    value: str
    sign_in: SignIn
    issued: float
    rotated: float | None = None


@dataclass(slots=True)
class SmokeballAccess:
    """An access token as the interface knows it."""

    sign_in: SignIn
    scopes: frozenset[str]
    expires: float


class SmokeballSignIns:
    """Everything that the sign-in host keeps. `people` by e-mail address; `firm_name` is what the consent page says."""

    def __init__(self, clock: Clock, switches: Switches, firm_name: str) -> None:
        self.clock = clock
        self.switches = switches
        self.firm_name = firm_name
        self.people: dict[str, Person] = {}
        self.apps: dict[str, SmokeballApp] = {}
        self._lock = threading.RLock()
        self._key: RSAKey | None = None
        self.clear()

    def clear(self) -> None:
        """Nobody has signed in."""
        with self._lock:
            self._codes: dict[str, SmokeballCode] = {}
            self._refreshes: dict[str, SmokeballRefresh] = {}
            self._accesses: dict[str, SmokeballAccess] = {}
            self._sign_ins: list[SignIn] = []

    def new_code(self, person: Person, app: SmokeballApp, redirect_uri: str, scopes: list[str], challenge: str) -> str:
        """A code for what the person just allowed."""
        value = str(uuid.uuid4())
        sign_in = SignIn(person, app.client_id, frozenset(scopes))
        with self._lock:
            self._sign_ins.append(sign_in)
            self._codes[value] = SmokeballCode(sign_in, redirect_uri, challenge, self.clock.now())
        return value

    def take_code(self, value: str) -> SmokeballCode | None:
        """A code that is still good; whatever comes of it, it is used up."""
        with self._lock:
            code = self._codes.pop(value, None)
        if code is None or code.sign_in.revoked:
            return None
        return code if self.clock.now() - code.issued <= self.switches.smokeball_code_seconds else None

    def new_refresh(self, sign_in: SignIn, issued: float) -> str:
        """A refresh token whose days count from `issued`."""
        token = SmokeballRefresh(secrets.token_urlsafe(48), sign_in, issued)
        with self._lock:
            self._refreshes[token.value] = token
        return token.value

    def find_refresh(self, value: str, app: SmokeballApp) -> SmokeballRefresh | None:
        """A refresh token of that app that may still be used."""
        now = self.clock.now()
        with self._lock:
            token = self._refreshes.get(value)
        if token is None or token.sign_in.revoked or token.sign_in.client_id != app.client_id:
            return None
        if token.rotated is not None and now - token.rotated > GRACE_SECONDS:
            return None
        return token if now - token.issued <= self.switches.smokeball_refresh_days * 86400 else None

    def rotate(self, token: SmokeballRefresh) -> str:
        """A new refresh token in the place of an old one, with what is left of its days."""
        with self._lock:
            if token.rotated is None:
                token.rotated = self.clock.now()
        return self.new_refresh(token.sign_in, token.issued)

    def find_access(self, authorization: str) -> SmokeballAccess | None:
        """The access token behind an Authorization header, expired or not."""
        scheme, _space, token = authorization.partition(" ")
        return self._accesses.get(token) if scheme.lower() == "bearer" else None

    def answer(self, sign_in: SignIn, refresh: str | None = None) -> dict[str, object]:
        """The token endpoint's answer: a new access token, and a refresh token only where one is new. Its end is never told."""
        life = self.switches.smokeball_access_seconds
        answer: dict[str, object] = {
            "access_token": self._access_token(sign_in, life),
            "expires_in": int(life),
            "token_type": "Bearer",
        }
        return answer if refresh is None else {**answer, "refresh_token": refresh}

    def _access_token(self, sign_in: SignIn, life: float) -> str:
        now = int(self.clock.now())
        person = sign_in.person
        claims: dict[str, object] = {
            "sub": person.sub if person else sign_in.client_id,
            "token_use": "access",
            "scope": " ".join(sorted(sign_in.scopes)),
            "auth_time": now,
            "iss": "https://sign-in.smokeball.example/sandbox",
            "exp": int(now + life),
            "iat": now,
            "version": 2,
            "jti": str(uuid.uuid4()),
            "client_id": sign_in.client_id,
        }
        if person is not None:
            claims["username"] = person.email
        with self._lock:
            if self._key is None:  # made when it is first needed: it takes a while
                self._key = RSAKey.generate_key(2048, parameters={"use": "sig", "alg": "RS256"})
            token = jwt.encode({"alg": "RS256", "kid": self._key.thumbprint()}, claims, self._key)
            self._accesses[token] = SmokeballAccess(sign_in, sign_in.scopes, self.clock.now() + life)
        return token

    def expire_access(self) -> int:
        """Makes every access token an expired one; returns how many."""
        with self._lock:
            for access in self._accesses.values():
                access.expires = 0
            return len(self._accesses)

    def revoke_all(self) -> int:
        """The firm takes the app off: refresh tokens are dead. Access tokens live on till they expire. Returns how many ended."""
        with self._lock:
            live = [each for each in self._sign_ins if not each.revoked]
            for each in live:
                each.revoked = True
            return len(live)
