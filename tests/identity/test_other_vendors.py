"""Signing in to WorkflowMax and Smokeball, each by its vendor's own rules."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from desktop.services.errors import AccessMissing, AnswerLost, BadAnswer, NotNow, ServiceError, SignedOut, Wait
from desktop.services.http import Http, Limits
from desktop.services.identity.model import LoopbackRedirect, SignInCancelled, SignInFailed, WatchedRedirect
from desktop.services.identity.redirects import redirect_for
from desktop.services.identity.wallet import Identity
from desktop.settings import Practice, Settings, Smokeball, WorkflowMax
from tests.identity.identity_rig import Rig


def identity_with(rig: Rig, settings: Settings, **more: Any) -> Identity:
    return Identity(
        rig.profile,
        lambda: settings,
        Http(limits=Limits(connect=5, read=5, total=10)),
        clock=rig.clock.now,
        boot=rig.clock.since_boot,
        keyring_backend=lambda: rig.keyring,
        **more,
    )


def workflowmax(rig: Rig, *, redirect: str | None = None) -> Settings:
    redirect = redirect or f"http://localhost:{rig.ports[0]}/oauth/callback"
    rig.server.redirects = {redirect}
    rig.server.client_secret, rig.server.authentication = "wfm-secret", "body"
    rig.server.grace = -1.0
    rig.server.access_claims = {"org_ids": ["org-1"]}
    rig.server.pages["/v2/accounts"] = (
        200,
        {"data": [{"uuid": "org-1", "name": "Rimu Legal"}, {"uuid": "org-2", "name": "Totara"}]},
    )
    return Settings(
        practice=Practice(system="workflowmax"),
        workflowmax=WorkflowMax(
            client_id=rig.server.client_id,
            client_secret="wfm-secret",
            redirect_uri=redirect,
            authorize_url=f"{rig.server.origin}/oauth/authorize",
            token_url=f"{rig.server.origin}/oauth/token",
            api_url=f"{rig.server.origin}/",
        ),
    )


def smokeball(rig: Rig, *, secret: str = "") -> Settings:
    redirect = f"http://127.0.0.1:{rig.ports[0]}/callback"
    rig.server.redirects = {redirect}
    rig.server.client_secret = secret
    rig.server.rotates = False
    rig.server.access_claims = {"email": "anna@firm.example", "sub": "s-1"}
    rig.server.pages["/firm"] = (200, {"id": "firm-1", "name": "Kauri Law"})
    return Settings(
        practice=Practice(system="smokeball"),
        smokeball=Smokeball(
            client_id=rig.server.client_id,
            client_secret=secret,
            api_key="key-1",
            redirect_uri=redirect,
            auth_url=f"{rig.server.origin}/",
            api_url=f"{rig.server.origin}/",
        ),
    )


def test_workflowmax_gets_its_secret_in_the_body_and_its_scopes_with_each_refresh(rig: Rig) -> None:
    identity = identity_with(rig, workflowmax(rig))
    record = identity.sign_in("workflowmax", rig.person.steps())
    assert (record.tenant, record.tenant_name, record.user) == ("org-1", "Rimu Legal", "Mere Tūī")
    asked = parse_qs(urlsplit(rig.person.visits[0]).query)
    assert asked["scope"] == ["openid profile email workflowmax offline_access"]
    assert asked["prompt"] == ["consent"]
    connection = identity.connection("workflowmax")
    assert connection is not None
    for _ in range(3):
        rig.clock.pass_(1800)
        assert connection.token() in rig.server.issued
    refreshed = rig.server.forms("/oauth/token")[-1]
    assert refreshed["scope"] == "openid profile email workflowmax offline_access"
    assert "no way to do it from here" in identity.disconnect("workflowmax")


def test_of_several_organisations_a_person_chooses(rig: Rig) -> None:
    settings = workflowmax(rig)
    rig.server.access_claims = {"org_ids": ["org-2", "org-1", "org-3", 7]}
    rig.person.choice = lambda tenants: tenants[1]
    record = identity_with(rig, settings).sign_in("workflowmax", rig.person.steps())
    assert [tenant.name for tenant in rig.person.offered[0]] == ["Totara", "Rimu Legal", "Organisation org-3"]
    assert record.tenant == "org-1"


def test_names_that_cannot_be_had_do_not_stop_a_sign_in(rig: Rig) -> None:
    settings = workflowmax(rig)
    rig.server.pages["/v2/accounts"] = (404, {})
    rig.server.claims = {"iss": "https://somebody.example"}
    record = identity_with(rig, settings).sign_in("workflowmax", rig.person.steps())
    assert (record.tenant_name, record.user) == ("Organisation org-1", "")


def test_an_opaque_token_leaves_the_accounts_list(rig: Rig) -> None:
    settings = workflowmax(rig)
    rig.server.opaque_access = True
    rig.server.pages["/v2/accounts"] = (200, [{"id": "org-9", "name": "Nine"}])
    assert identity_with(rig, settings).sign_in("workflowmax", rig.person.steps()).tenant == "org-9"
    rig.server.pages["/v2/accounts"] = (200, [])
    with pytest.raises(AccessMissing) as told:
        identity_with(rig, settings).sign_in("workflowmax", rig.person.steps())
    assert "Authorise 3rd Party Full Access" in told.value.cure


HTTPS = "https://firm.example/iconnect/signed-in"


def watching(rig: Rig, change: Callable[[str], str | None] = lambda address: address) -> Callable[..., str | None]:
    def watch(address: str, redirect: str, cancelled: Callable[[], bool]) -> str | None:
        assert redirect == HTTPS
        assert not cancelled()
        return change(rig.server.authorize(urlsplit(address).query)[1])

    return watch


def test_an_https_redirect_is_watched_for_in_the_sign_in_window(rig: Rig) -> None:
    settings = workflowmax(rig, redirect=HTTPS)
    record = identity_with(rig, settings, watch=watching(rig)).sign_in("workflowmax", rig.person.steps())
    assert record.tenant == "org-1"
    assert rig.person.visits == []


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda address: None, SignInCancelled),
        (lambda address: address.replace("https://firm.example", "https://evil.example"), SignInFailed),
        (lambda address: address.replace("signed-in", "signed-in/x"), SignInFailed),
        (lambda address: address + "&code=another", SignInFailed),
        (lambda address: address.replace("state=", "state=x"), SignInFailed),
        (lambda address: address.replace("code=", "error=access_denied&no="), SignInCancelled),
    ],
)
def test_what_the_window_brings_back_is_checked_like_a_callback(
    rig: Rig, change: Callable[[str], str | None], error: type[ServiceError]
) -> None:
    """A3."""
    settings = workflowmax(rig, redirect=HTTPS)
    with pytest.raises(error):
        identity_with(rig, settings, watch=watching(rig, change)).sign_in("workflowmax", rig.person.steps())
    assert rig.server.count("/oauth/token") == 0


def test_without_a_window_an_https_redirect_is_told_plainly(rig: Rig) -> None:
    with pytest.raises(SignInFailed, match="sign-in window"):
        identity_with(rig, workflowmax(rig, redirect=HTTPS)).sign_in("workflowmax", rig.person.steps())


@pytest.mark.parametrize("secret", ["", "sb-secret"], ids=["public client", "confidential client"])
def test_smokeball_signs_in_to_one_firm_and_keeps_its_refresh_token(rig: Rig, secret: str) -> None:
    settings = smokeball(rig, secret=secret)
    rig.server.rotates = True
    identity = identity_with(rig, settings)
    record = identity.sign_in("smokeball", rig.person.steps())
    assert (record.tenant, record.tenant_name, record.email) == ("firm-1", "Kauri Law", "anna@firm.example")
    assert "scope" not in parse_qs(urlsplit(rig.person.visits[0]).query)
    _, _, headers = next(asked for asked in rig.server.asked if asked[0] == "/firm")
    assert headers["x-api-key"] == "key-1"
    rig.server.rotates = False
    connection = identity.connection("smokeball")
    assert connection is not None
    for _ in range(3):
        rig.clock.pass_(3600)
        assert connection.token() in rig.server.issued
    forms = rig.server.forms("/oauth2/token")
    assert {form["client_id"] for form in forms} == {rig.server.client_id}
    assert len({form["refresh_token"] for form in forms[1:]}) == 1


@pytest.mark.parametrize(
    ("status", "page", "error"),
    [
        (401, {}, SignedOut),
        (403, {}, AccessMissing),
        (404, {}, AccessMissing),
        (429, {}, Wait),
        (500, {}, AnswerLost),
        (200, [], BadAnswer),
    ],
)
def test_a_firm_that_cannot_be_named_stores_nothing(rig: Rig, status: int, page: Any, error: type[ServiceError]) -> None:
    settings = smokeball(rig)
    rig.server.pages["/firm"] = (status, page)
    with pytest.raises(error):
        identity_with(rig, settings).sign_in("smokeball", rig.person.steps())
    assert identity_with(rig, settings).records() == ()


def test_several_systems_may_be_connected_at_once_and_leave_one_by_one(rig: Rig) -> None:
    """B10: the key stays while any row needs it."""
    settings = smokeball(rig)
    identity = identity_with(rig, settings)
    identity.sign_in("smokeball", rig.person.steps())
    rig.server.redirects = {f"http://localhost:{port}/callback" for port in rig.ports}
    xero = rig.signed_in()
    assert [record.system for record in identity.records()] == ["smokeball", "xero-practice-manager"]
    xero.disconnect("xero-practice-manager")
    # As after a restart: nothing remembered, so the key must still be in the keyring.
    connection = identity_with(rig, settings).connection("smokeball")
    assert connection is not None
    assert connection.token() in rig.server.issued


def test_redirects_are_sorted_by_who_can_hear_them() -> None:
    assert redirect_for("http://localhost:8000/a/b") == LoopbackRedirect((8000,), "/a/b", "localhost")
    assert redirect_for("http://127.0.0.1/cb") == LoopbackRedirect((80,), "/cb", "127.0.0.1")
    assert redirect_for("http://[::1]:9000") == LoopbackRedirect((9000,), "/", "[::1]")
    assert redirect_for("https://localhost:8000/cb") == WatchedRedirect("https://localhost:8000/cb")


def test_an_unknown_system_is_named_with_those_that_exist(rig: Rig) -> None:
    with pytest.raises(NotNow, match="xero-practice-manager"):
        rig.identity().sign_in("quickbooks", rig.person.steps())
    assert rig.identity().disconnect("quickbooks") == "quickbooks was not connected."
    assert threading.active_count() < 50


def test_an_organisations_id_that_no_header_can_carry_is_none(rig: Rig) -> None:
    """H6: line ends, blanks and letters that the wire does not know."""
    settings = workflowmax(rig)
    rig.server.access_claims = {"org_ids": ["org\r\nX-Other: 1", "", "orgé", 5, None, "org-2"]}
    assert identity_with(rig, settings).sign_in("workflowmax", rig.person.steps()).tenant == "org-2"


def test_a_firm_and_a_person_of_smokeballs_are_shown_in_one_line(rig: Rig) -> None:
    """H6."""
    settings = smokeball(rig)
    rig.server.access_claims = {"sub": "s\ud800", "username": "Ann\x1b[2J\u202e"}
    rig.server.pages["/firm"] = (200, {"id": "firm 1\r\n", "name": "Kauri\ud83d\u202e Law"})
    record = identity_with(rig, settings).sign_in("smokeball", rig.person.steps())
    assert (record.tenant_name, record.user, record.user_id) == ("Kauri Law", "Ann[2J", "s")
    assert record.tenant == "au:Kauri Law"
