"""Signing in to Smokeball: authorization code with PKCE at the region's own host; one firm for each sign-in.

Facts from the vendor's public documentation. No revocation endpoint is documented, and a refresh gives no new refresh
token (one that comes all the same is kept)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta

from desktop.services.desk import Tenant
from desktop.services.errors import AccessMissing, AnswerLost, BadAnswer, SignedOut, Wait
from desktop.services.http import Http, Limits
from desktop.services.identity.id_token import issuer_rule
from desktop.services.identity.model import Person, Registration, TenantOffer, TokenSet, Vendor
from desktop.services.identity.names import is_id, one_line
from desktop.services.identity.oauth import unverified_claims
from desktop.services.identity.redirects import redirect_for
from desktop.services.practice.smokeball_hosts import api_root, auth_root
from desktop.settings import Smokeball

SYSTEM = "smokeball"
TITLE = "Smokeball"
LASTS = timedelta(days=30)
"""A refresh token's fixed life, counted from its issue (vendor docs). Some are said to live for 180 days; no answer tells."""

_LIMITS = Limits(connect=10.0, read=15.0, total=20.0)
_CURE = "Ask IT whether the app in the Smokeball console has the scope firm/read, and whether region and API key belong to it."


def vendor(settings: Smokeball, http: Http, *, clock: Callable[[], datetime], secret: str) -> Vendor:
    """No scope is asked for: the vendor then grants every scope that the app was given. `secret` goes as HTTP Basic."""
    del clock
    auth, api = auth_root(settings), api_root(settings)
    registration = Registration(
        system=SYSTEM,
        title=TITLE,
        client_id=settings.client_id,
        client_secret=secret,
        scopes=(),
        authorize_url=f"{auth}/oauth2/authorize",
        token_url=f"{auth}/oauth2/token",
        revocation_url="",
        redirect=redirect_for(settings.redirect_uri),
        authentication="client_secret_basic" if secret else "none",
        id_in_body=bool(secret),
    )

    def find_tenants(tokens: TokenSet) -> TenantOffer:
        return TenantOffer((_firm(http, api, settings.api_key, tokens.access_token, settings.region),))

    def read_person(tokens: TokenSet, *, nonce: str, began: datetime) -> Person:
        # The vendor's ID tokens are deprecated: the access token's claims serve as a label on the screen and no more.
        claims = unverified_claims(tokens.access_token)
        subject, name, email = (one_line(claims.get(key)) for key in ("sub", "username", "email"))
        return Person(id=subject, name="" if email else name, email=email)

    def check_scopes(tokens: TokenSet) -> None:
        if not tokens.refresh_token:
            raise AccessMissing("Smokeball did not allow this app to stay signed in.", cure=_CURE)

    return Vendor(
        registration, find_tenants, read_person, issuer_rule(registration.token_url, registration.authorize_url), check_scopes
    )


def _firm(http: Http, api: str, api_key: str, access_token: str, region: str) -> Tenant:
    answer = http.send(
        "GET",
        f"{api}/firm",
        headers={"Authorization": f"Bearer {access_token}", "x-api-key": api_key, "Accept": "application/json"},
        cap=1_000_000,
        limits=_LIMITS,
    )
    if answer.status == 401:
        raise SignedOut("Smokeball did not accept the fresh sign-in. Sign in again; if it repeats, ask IT to check the region.")
    if answer.status in (403, 404):
        raise AccessMissing("Smokeball does not let this app see the firm.", cure=_CURE)
    if answer.status == 429:
        raise Wait("Smokeball asks to wait. Try again in a minute.", after=None, limit="app")
    if answer.status != 200:
        raise AnswerLost(f"Smokeball could not name the firm (HTTP {answer.status}). Try again.")
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise BadAnswer("Smokeball's answer about the firm could not be read. Try again.") from error
    if not isinstance(found, dict):
        raise BadAnswer("Smokeball's answer about the firm could not be read. Try again.")
    key, shown = found.get("id"), one_line(found.get("name"))
    # One sign-in reaches one firm, so a firm without an id is still told apart by its name.
    return Tenant(key if is_id(key) else f"{region}:{shown or 'firm'}", shown or "Smokeball firm")
