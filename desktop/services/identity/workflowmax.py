"""Signing in to WorkflowMax (BlueRock): credentials in the body, scopes repeated when refreshing, the organisation in the
access token.

Facts from the vendor's authentication article and public client code. A refresh token is dead as soon as it was used,
without any grace, so a lost answer there can end the sign-in; that is the vendor's rule, not a choice of ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from desktop.services.desk import Tenant
from desktop.services.errors import AccessMissing, ServiceError
from desktop.services.http import Http, Limits
from desktop.services.identity.id_token import check_id_token, issuer_rule
from desktop.services.identity.model import Person, Registration, SignInFailed, TenantOffer, TokenSet, Vendor
from desktop.services.identity.names import is_id, one_line
from desktop.services.identity.oauth import unverified_claims
from desktop.services.identity.redirects import redirect_for
from desktop.settings import WorkflowMax

SYSTEM = "workflowmax"
TITLE = "WorkflowMax"
SCOPES = ("openid", "profile", "email", "workflowmax", "offline_access")
_LIMITS = Limits(connect=10.0, read=15.0, total=20.0)
_CURE = (
    'In WorkflowMax an administrator opens the staff member\'s record and ticks "Authorise 3rd Party Full Access". Then connect '
    "again and choose the organisation on WorkflowMax's page."
)


def vendor(settings: WorkflowMax, http: Http, *, clock: Callable[[], datetime], secret: str) -> Vendor:
    """`secret` goes into the form: the vendor says that a header may give a token without an organisation."""
    registration = Registration(
        system=SYSTEM,
        title=TITLE,
        client_id=settings.client_id,
        client_secret=secret,
        scopes=SCOPES,
        authorize_url=settings.authorize_url,
        token_url=settings.token_url,
        revocation_url="",
        redirect=redirect_for(settings.redirect_uri),
        authentication="client_secret_post" if secret else "none",
        extra=(("prompt", "consent"),),
        scopes_when_refreshing=True,
    )
    accepts = issuer_rule(settings.token_url, settings.authorize_url)

    def find_tenants(tokens: TokenSet) -> TenantOffer:
        named = _named(http, settings.api_url, tokens.access_token)
        claimed = unverified_claims(tokens.access_token).get("org_ids")
        ids = [claimed] if isinstance(claimed, str) else claimed if isinstance(claimed, list) else list(named)
        known = dict.fromkeys(one for one in ids if is_id(one))
        tenants = [Tenant(one, named.get(one, f"Organisation {one[:8]}")) for one in known]
        if not tenants:
            raise AccessMissing("WorkflowMax connected the person but no organisation.", cure=_CURE)
        return TenantOffer(tuple(tenants))

    def read_person(tokens: TokenSet, *, nonce: str, began: datetime) -> Person:
        # The vendor publishes neither its issuer nor whether it repeats the nonce: an ID token that can't be believed is
        # not used, and nothing hangs on it, because the organisation comes from the access token.
        if not tokens.id_token:
            return Person()
        try:
            return check_id_token(
                tokens.id_token, client_id=settings.client_id, nonce=nonce, accepts_issuer=accepts, began=began, now=clock()
            )
        except SignInFailed:
            return Person()

    def check_scopes(tokens: TokenSet) -> None:
        if not tokens.refresh_token:
            raise AccessMissing(
                "WorkflowMax did not allow this app to stay signed in, so the connection would end within the hour.", cure=_CURE
            )

    return Vendor(registration, find_tenants, read_person, accepts, check_scopes)


def _named(http: Http, api_url: str, access_token: str) -> dict[str, str]:
    """Organisation names by id, as far as they can be had: they only serve to be shown."""
    try:
        answer = http.send(
            "GET",
            f"{api_url.rstrip('/')}/v2/accounts",
            headers={"Authorization": f"Bearer {access_token}", "Accept": "application/json"},
            cap=1_000_000,
            limits=_LIMITS,
        )
        found = json.loads(answer.body) if answer.status == 200 else []
    except (ServiceError, ValueError, RecursionError):
        return {}
    rows = found
    if isinstance(found, dict):
        rows = next((found[name] for name in ("data", "accounts", "items", "value") if isinstance(found.get(name), list)), [found])
    return {key: name for row in rows if isinstance(row, dict) and (key := _first(row, _IDS)) and (name := _first(row, _NAMES))}


_IDS = ("id", "uuid", "accountId", "account_id", "orgId", "organisationId")
_NAMES = ("name", "accountName", "organisationName", "companyName", "displayName")


def _first(row: dict[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        if shown := one_line(row.get(name)):
            return shown
    return ""
