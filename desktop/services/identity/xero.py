"""Signing in to Xero Practice Manager: which organisation a fresh token stands for, and what it may do there.

Facts from Xero's public documentation, SDK samples and recorded client traffic; the tenant type's spelling is the vendor
sample's."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from desktop.services.desk import Tenant
from desktop.services.errors import AccessMissing, AnswerLost, BadAnswer, SignedOut, Wait
from desktop.services.http import Http
from desktop.services.identity.id_token import check_id_token, issuer_rule
from desktop.services.identity.model import LoopbackRedirect, Person, Registration, SignInFailed, TenantOffer, TokenSet, Vendor
from desktop.services.identity.names import is_id, one_line
from desktop.services.identity.oauth import unverified_claims
from desktop.services.loggable import loggable
from desktop.settings import Xero

SYSTEM = "xero-practice-manager"
TITLE = "Xero Practice Manager"
TENANT_TYPE = "PRACTICEMANAGER"
_LARGEST_LIST = 5_000_000

_log = logging.getLogger(__name__)

ACCESS_CURE = (
    "In Xero Practice Manager an administrator opens Business > Settings > Staff, picks this staff member, and ticks "
    '"Full" and "Authorise 3rd Party Full Access" under API access (newer screens call it "Connect third-party add-ons"). '
    "Then connect again and choose the practice on Xero's page."
)


@dataclass(frozen=True, slots=True)
class Link:
    """One row of Xero's connections list. `updated` is UTC with the list's ten-millionths; the zero moment if unreadable."""

    tenant: Tenant
    event: str
    updated: tuple[datetime, int]


def vendor(settings: Xero, http: Http, *, clock: Callable[[], datetime], secret: str) -> Vendor:
    """`secret` is empty for a PKCE app; a web app's is sent as HTTP Basic, which is how Xero's web apps authenticate."""
    registration = Registration(
        system=SYSTEM,
        title=TITLE,
        client_id=settings.client_id,
        client_secret=secret,
        scopes=settings.scopes,
        authorize_url=settings.authorize_url,
        token_url=settings.token_url,
        revocation_url=settings.revocation_url,
        redirect=LoopbackRedirect(settings.redirect_ports),
        authentication="client_secret_basic" if secret else "none",
    )
    accepts = issuer_rule(settings.token_url, settings.authorize_url)

    def find_tenants(tokens: TokenSet) -> TenantOffer:
        links = fetch_links(http, settings.connections_url, tokens.access_token)
        event = unverified_claims(tokens.access_token).get("authentication_event_id")
        return TenantOffer(narrow(links, event if isinstance(event, str) else ""))

    def read_person(tokens: TokenSet, *, nonce: str, began: datetime) -> Person:
        if not tokens.id_token:
            if "openid" in settings.scopes:
                raise SignInFailed("Xero did not say who signed in, although it was asked to. Nothing was stored. Try again.")
            return Person()
        if "openid" not in settings.scopes:
            nonce = ""
        return check_id_token(
            tokens.id_token, client_id=settings.client_id, nonce=nonce, accepts_issuer=accepts, began=began, now=clock()
        )

    def check_scopes(tokens: TokenSet) -> None:
        check_granted(settings.scopes, tokens)

    return Vendor(registration, find_tenants, read_person, accepts, check_scopes)


def check_granted(asked: Sequence[str], tokens: TokenSet) -> None:
    """More than was asked for is fine: Xero adds earlier consents. Raises AccessMissing when nothing could be delivered: no
    scope for jobs, or no way to stay signed in. What else is missing costs a convenience, and is only noted."""
    granted = tokens.scopes
    if granted is None:
        claim = unverified_claims(tokens.access_token).get("scope")
        if isinstance(claim, str):
            # A list in Xero's recorded tokens; the standard's form is one text.
            claim = claim.split()
        granted = frozenset(map(str, claim)) if isinstance(claim, list) else None
    if granted is not None:
        missing = [scope for scope in asked if scope.startswith("practicemanager") and not _covered(scope, granted)]
        if missing and not any(scope.startswith("practicemanager.job") for scope in missing):
            _log.warning("Xero did not grant %s.", loggable(", ".join(missing)))
        elif missing:
            raise AccessMissing(
                f"Xero did not grant everything that was asked for; missing: {', '.join(missing)}.",
                cure="Connect again and leave everything ticked on Xero's page. If it repeats, ask IT whether the app in "
                "Xero's developer portal has these scopes.",
            )
    if "offline_access" in asked and not tokens.refresh_token:
        raise AccessMissing(
            "Xero did not allow this app to stay signed in (offline_access), so the connection would end within the hour.",
            cure="Connect again and leave everything ticked on Xero's page. If it repeats, ask IT to check the app's scopes.",
        )


def _covered(scope: str, granted: frozenset[str]) -> bool:
    covers = {scope, scope.removesuffix(".read"), "practicemanager"}
    if scope.endswith(".read"):
        covers.add("practicemanager.read")
    return not covers.isdisjoint(granted)


def fetch_links(http: Http, address: str, access_token: str) -> tuple[Link, ...]:
    """Every practice that this person ever connected to this app. Raises NotSent, AnswerLost, BadAnswer, Wait, SignedOut
    or AccessMissing."""
    answer = http.send(
        "GET",
        address,
        headers={"Authorization": f"Bearer {access_token}", "Accept": "application/json"},
        cap=_LARGEST_LIST,
    )
    if answer.status == 401:
        raise SignedOut("Xero did not accept the fresh sign-in when asked for its organisations. Sign in again.")
    if answer.status == 403:
        raise AccessMissing("Xero does not let this app see the person's organisations.", cure=ACCESS_CURE)
    if answer.status == 429:
        raise Wait("Xero asks to wait before it lists the organisations. Try again in a minute.", after=None, limit="app")
    if answer.status != 200:
        raise AnswerLost(f"Xero could not list the organisations (HTTP {answer.status}). Try again.")
    try:
        rows = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise BadAnswer("Xero's list of organisations could not be read. Try again.") from error
    if not isinstance(rows, list):
        raise BadAnswer("Xero's list of organisations could not be read. Try again.")
    return tuple(link for row in rows if isinstance(row, dict) and (link := _link(row)))


def narrow(links: Sequence[Link], event: str) -> tuple[Tenant, ...]:
    """The practices that this consent may mean: those of its own event; else the one touched last; several only when the
    facts say no more. Raises AccessMissing when there is none."""
    newest: dict[str, Link] = {}
    for link in links:
        known = newest.get(link.tenant.id)
        if known is None or (link.event == event, link.updated) > (known.event == event, known.updated):
            newest[link.tenant.id] = link
    if not newest:
        raise AccessMissing(
            "Xero connected the person but no practice: either none was chosen on Xero's page, or this staff member may not "
            "connect apps to Xero Practice Manager.",
            cure=ACCESS_CURE,
        )
    of_this_event = [link for link in newest.values() if event and link.event.lower() == event.lower()]
    if of_this_event:
        return tuple(link.tenant for link in of_this_event)
    last = max(link.updated for link in newest.values())
    return tuple(link.tenant for link in newest.values() if link.updated == last)


def _link(row: dict[str, Any]) -> Link | None:
    if row.get("tenantType") != TENANT_TYPE:
        return None
    tenant_id = row.get("tenantId")
    if not is_id(tenant_id):
        return None
    shown, event = one_line(row.get("tenantName")), row.get("authEventId")
    return Link(
        Tenant(tenant_id, shown or f"Practice {tenant_id[:8]}"),
        event if isinstance(event, str) else "",
        _moment(row.get("updatedDateUtc") or row.get("createdDateUtc")),
    )


_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?")
_NEVER = (datetime(1, 1, 1, tzinfo=UTC), 0)


def _moment(text: object) -> tuple[datetime, int]:
    """Whole seconds, and the fraction in thousand-millionths: the vendor gives seven digits and no zone, meaning UTC."""
    match = _MOMENT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return _NEVER
    zone = match[3] if match[3] and match[3] != "Z" else "+00:00"
    try:
        whole = datetime.fromisoformat(match[1] + zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return _NEVER
    return whole, int((match[2] or "").ljust(9, "0"))
