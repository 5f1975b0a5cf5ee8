"""Who signed in to WorkflowMax and what was given out: codes, access tokens that name organisations, chains of refresh tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.clock import Clock
from sandbox.identity_store import App, Person
from sandbox.switches import Switches

KNOWN_SCOPES = frozenset({"openid", "profile", "email", "workflowmax", "offline_access"})


class Refused(Exception):
    """The token endpoint's no: a status, an error code and words."""

    def __init__(self, status: int, code: str, words: str) -> None:
        super().__init__(words)
        self.status, self.code, self.words = status, code, words


@dataclass(slots=True)
class Consent:
    """What one person allowed one app, for which organisations."""

    person: Person
    client_id: str
    scopes: frozenset[str]
    organisations: tuple[str, ...]
    given: float
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code: one use, short life."""

    consent: Consent
    scopes: frozenset[str]
    redirect_uri: str
    challenge: str
    method: str
    issued: float


@dataclass(slots=True)
class Chain:
    """Refresh tokens that followed one another. One that comes twice ends all of them."""

    consent: Consent
    scopes: frozenset[str]
    current: str
    issued: float
    with_organisations: bool
    lost: bool = False


@dataclass(slots=True)
class Access:
    """An access token as the gateway knows it."""

    consent: Consent
    organisations: tuple[str, ...]
    expires: float


class SignIns:
    """Everything that identity keeps. `may_connect` tells whether a person has the privilege in an organisation."""

    def __init__(
        self,
        clock: Clock,
        switches: Switches,
        *,
        people: dict[str, Person],
        apps: dict[str, App],
        organisations: Callable[[], dict[str, str]],
        members: Callable[[str, str], bool],
        may_connect: Callable[[str, str], bool],
    ) -> None:
        self.clock = clock
        self.switches = switches
        self.people = people
        self.apps = apps
        self.organisations = organisations
        self._members = members
        self._may_connect = may_connect
        self._key = secrets.token_bytes(32)
        self.lock = threading.RLock()
        self.clear()

    def clear(self) -> None:
        """Nobody has consented to anything."""
        with self.lock:
            self._consents: list[Consent] = []
            self._codes: dict[str, Code] = {}
            self._chains: dict[str, Chain] = {}
            self.accesses: dict[str, Access] = {}

    def organisations_of(self, person: Person) -> list[str]:
        """The organisations that the person belongs to."""
        return [each for each in self.organisations() if self._members(each, person.email)]

    def choices(self, person: Person) -> list[str]:
        """The organisations that the person may connect."""
        mine = self.organisations_of(person)
        if self.switches.workflowmax_no_privilege == "calls":
            return mine
        return [each for each in mine if self._may_connect(each, person.email)]

    def allowed_before(self, person: Person, client_id: str, scopes: set[str]) -> list[str]:
        """What the person allowed the app earlier, if that covers these scopes; a request without a prompt relies on it."""
        with self.lock:
            for consent in reversed(self._consents):
                if consent.person.email == person.email and consent.client_id == client_id and not consent.revoked:
                    return list(consent.organisations) if scopes <= consent.scopes else []
        return []

    def new_code(
        self,
        person: Person,
        client_id: str,
        scopes: set[str],
        organisations: list[str],
        *,
        redirect_uri: str,
        challenge: str,
        method: str,
    ) -> str:
        """Records a consent; returns the code for it."""
        now, value = self.clock.now(), secrets.token_urlsafe(24)
        consent = Consent(person, client_id, frozenset(scopes), tuple(organisations), now)
        with self.lock:
            self._consents.append(consent)
            self._codes[value] = Code(consent, frozenset(scopes), redirect_uri, challenge, method, now)
        return value

    def take_code(self, value: str, client: App) -> Code | None:
        """A code that is still good; whatever comes of it, it is used up."""
        with self.lock:
            code = self._codes.pop(value, None)
        if code is None or code.consent.client_id != client.client_id or code.consent.revoked:
            return None
        return code if self.clock.now() - code.issued <= self.switches.code_seconds else None

    def new_tokens(self, consent: Consent, scopes: frozenset[str], *, with_organisations: bool = True) -> dict[str, Any]:
        """The token endpoint's answer to a code: a refresh token only with `offline_access`."""
        answer = self._access(consent, scopes, with_organisations)
        if "offline_access" in scopes:
            value = secrets.token_urlsafe(32)
            with self.lock:
                self._chains[value] = Chain(consent, scopes, value, self.clock.now(), with_organisations)
            answer["refresh_token"] = value
        return answer

    def refresh(self, value: str, client: App) -> dict[str, Any]:
        """A new pair for the newest token of a chain. Raises Refused; an older token ends the chain."""
        now = self.clock.now()
        with self.lock:
            chain = self._chains.get(value)
            if chain is None or chain.consent.client_id != client.client_id or chain.consent.revoked or chain.lost:
                raise Refused(400, "invalid_grant", "The refresh token is not valid.")
            if chain.current != value:
                chain.lost = True
                raise Refused(400, "invalid_grant", "Reuse of a refresh token was detected; the person has to consent again.")
            start = chain.issued if self.switches.workflowmax_refresh_life == "fresh" else chain.consent.given
            if now - start > self.switches.refresh_unused_days * 86400:
                raise Refused(400, "invalid_grant", "The refresh token has expired.")
            newer = secrets.token_urlsafe(32)
            chain.current, chain.issued = newer, now
            self._chains[newer] = chain
        answer = self._access(chain.consent, chain.scopes, chain.with_organisations)
        answer["refresh_token"] = newer
        return answer

    def expire_access(self) -> int:
        """Makes every access token an expired one; returns how many."""
        with self.lock:
            for access in self.accesses.values():
                access.expires = 0
            return len(self.accesses)

    def revoke_all(self) -> int:
        """What happens when an administrator takes the app away; returns how many consents ended. Access tokens live on."""
        with self.lock:
            live = [consent for consent in self._consents if not consent.revoked]
            for consent in live:
                consent.revoked = True
            return len(live)

    def _access(self, consent: Consent, scopes: frozenset[str], with_organisations: bool) -> dict[str, Any]:
        now, life = self.clock.now(), self.switches.access_seconds
        organisations = self._named(consent) if with_organisations else []
        claims: dict[str, Any] = {
            "iss": "workflowmax-sandbox",
            "sub": consent.person.xero_userid[::-1].replace("-", "")[:24],
            "client_id": consent.client_id,
            "scope": " ".join(sorted(scopes)),
            "iat": int(now),
            "exp": int(now + life),
            "jti": secrets.token_hex(8),
        }
        if organisations:
            claims["org_ids"] = organisations
        head, body = _part({"alg": "HS256", "typ": "JWT"}), _part(claims)
        sign = hmac.new(self._key, f"{head}.{body}".encode(), hashlib.sha256).digest()
        token = f"{head}.{body}.{base64.urlsafe_b64encode(sign).rstrip(b'=').decode()}"
        with self.lock:
            self.accesses[token] = Access(consent, tuple(organisations), now + life)
        return {"access_token": token, "expires_in": int(life), "token_type": "Bearer"}

    def _named(self, consent: Consent) -> list[str]:
        how, chosen = self.switches.workflowmax_org_ids, list(consent.organisations)
        if how == "none":
            return []
        if how == "all":
            return self.organisations_of(consent.person)
        return chosen[::-1] if how == "reversed" else chosen


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
