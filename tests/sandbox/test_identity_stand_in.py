"""The identity stand-in behaves as the facts say the vendor does."""

from __future__ import annotations

import re

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet

from sandbox import world as w
from sandbox.house import Sandbox
from tests.sandbox.visitors import SCOPES, VERIFIER, Controls, Practice, Visitor

DAY = 86400


def test_a_sign_in_brings_tokens_and_the_connection_that_was_chosen(box: Sandbox, visitor: Visitor) -> None:
    back = visitor.allow()
    assert set(back) == {"code", "scope", "state", "session_state"}
    assert back["state"] == "some-state"
    tokens = visitor.exchange(back["code"]).json()
    assert tokens["expires_in"] == 1800
    assert tokens["token_type"] == "Bearer"
    rows = requests.get(f"{box.url('api')}/connections", headers={"Authorization": f"Bearer {tokens['access_token']}"}).json()
    assert [row["tenantType"] for row in rows] == ["ORGANISATION", "PRACTICEMANAGER"]  # the first one was connected long ago
    assert rows[1]["tenantId"] == w.MAIN_TENANT
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}", rows[1]["updatedDateUtc"])


def test_the_access_token_names_the_consent_that_made_the_connections(box: Sandbox, visitor: Visitor) -> None:
    token = visitor.tokens()["access_token"]
    keys = KeySet.import_key_set(requests.get(f"{box.url('identity')}/.well-known/openid-configuration/jwks").json())
    claims = jwt.decode(token, keys).claims
    headers = {"Authorization": f"Bearer {token}"}
    event = claims["authentication_event_id"]
    rows = requests.get(f"{box.url('api')}/connections", params={"authEventId": event}, headers=headers).json()
    assert [row["tenantId"] for row in rows] == [w.MAIN_TENANT]
    assert claims["exp"] - claims["nbf"] == 1800
    assert claims["scope"] == sorted(SCOPES.split())
    assert 1_250 < len(token) < 1_400


def test_the_id_token_is_signed_and_bound_to_the_attempt(box: Sandbox, visitor: Visitor) -> None:
    tokens = visitor.tokens(nonce="mine")
    keys = KeySet.import_key_set(requests.get(f"{box.url('identity')}/.well-known/openid-configuration/jwks").json())
    claims = jwt.decode(tokens["id_token"], keys).claims
    assert claims["nonce"] == "mine"
    assert claims["aud"] == w.CLIENT_ID
    assert claims["iss"] == "https://identity.xero.com"
    assert claims["email"] == w.DEMO_PERSON
    assert claims["exp"] - claims["iat"] == 300


@pytest.mark.parametrize("flaw", ["issuer", "audience", "nonce", "expired", "none", "hs256"])
def test_an_id_token_can_be_made_wrong_on_purpose(visitor: Visitor, controls: Controls, flaw: str) -> None:
    sound = visitor.tokens()["id_token"]
    controls.post("switches", id_token_flaw=flaw)
    assert visitor.tokens()["id_token"] != sound


def test_a_wrong_verifier_uses_the_code_up(visitor: Visitor) -> None:
    code = visitor.allow()["code"]
    wrong = visitor.exchange(code, code_verifier="another-verifier-of-forty-three-or-more-characters-01")
    assert (wrong.status_code, wrong.json()) == (400, {"error": "invalid_grant"})
    assert visitor.exchange(code).json() == {"error": "invalid_grant"}


def test_a_code_is_good_once_and_for_five_minutes(visitor: Visitor, controls: Controls) -> None:
    code = visitor.allow()["code"]
    assert visitor.exchange(code).status_code == 200
    assert visitor.exchange(code).json() == {"error": "invalid_grant"}
    late = visitor.allow()["code"]
    controls.post("clock", advance=301)
    assert visitor.exchange(late).json() == {"error": "invalid_grant"}


def test_the_exchange_wants_the_same_redirect_address(visitor: Visitor, box: Sandbox) -> None:
    code = visitor.allow()["code"]
    other = f"http://localhost:{box.redirect_ports[1]}/callback"
    assert visitor.exchange(code, redirect_uri=other).json() == {"error": "invalid_grant"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"client_id": "0" * 32}, "invalid_client"),
        ({"redirect_uri": "http://localhost:1/callback"}, "unauthorized_client : Invalid redirect_uri"),
        ({"scope": "openid practicemanager.everything"}, "invalid_scope"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
    ],
)
def test_a_bad_request_ends_on_a_page_and_never_redirects(visitor: Visitor, changes: dict[str, str], words: str) -> None:
    answer = visitor.browser.get(visitor.address(**changes), allow_redirects=False)
    assert answer.status_code == 500
    assert "<title>500</title>" in answer.text
    assert words in answer.text


def test_a_slash_too_many_is_another_redirect_address(visitor: Visitor) -> None:
    answer = visitor.browser.get(visitor.address(redirect_uri=visitor.redirect_uri + "/"), allow_redirects=False)
    assert "Invalid redirect_uri" in answer.text


def test_cancelling_comes_back_as_access_denied(visitor: Visitor) -> None:
    address, _page = visitor.to_consent()
    answer = visitor.browser.post(address, data={"step": "consent", "answer": "cancel"}, allow_redirects=False)
    assert answer.headers["Location"] == f"{visitor.redirect_uri}?error=access_denied&state=some-state"


def test_wrong_passwords_and_codes_lead_nowhere(visitor: Visitor) -> None:
    address = visitor.address()
    page = visitor.browser.post(address, data={"step": "sign-in", "user": w.DEMO_PERSON, "password": "wrong"}).text
    assert 'id="wrong"' in page
    visitor.browser.post(address, data={"step": "sign-in", "user": w.DEMO_PERSON, "password": w.PASSWORD})
    page = visitor.browser.post(address, data={"step": "two-factor", "code": "x"}).text
    assert "two-factor-form" in page
    page = visitor.browser.post(address, data={"step": "consent", "answer": "allow", "tenant": w.MAIN_TENANT}).text
    assert "sign-in-form" in page


def test_an_old_refresh_token_works_for_thirty_minutes_after_its_rotation(visitor: Visitor, controls: Controls) -> None:
    old = visitor.tokens()["refresh_token"]
    new = visitor.refresh(old).json()["refresh_token"]
    assert new != old
    controls.post("clock", advance=29 * 60)
    newest = visitor.refresh(old).json()["refresh_token"]
    controls.post("clock", advance=2 * 60)
    assert visitor.refresh(old).json() == {"error": "invalid_grant"}
    assert visitor.refresh(new).status_code == 200  # the chain lives on
    assert visitor.refresh(newest).status_code == 200


def test_a_refresh_token_lapses_after_sixty_days_unused(visitor: Visitor, controls: Controls) -> None:
    token = visitor.tokens()["refresh_token"]
    controls.post("clock", advance=59 * DAY)
    token = visitor.refresh(token).json()["refresh_token"]
    controls.post("clock", advance=61 * DAY)
    assert visitor.refresh(token).json() == {"error": "invalid_grant"}


def test_without_offline_access_there_is_no_refresh_token(visitor: Visitor) -> None:
    tokens = visitor.tokens(scope="openid practicemanager.job")
    assert "refresh_token" not in tokens


def test_scopes_add_up_until_they_are_revoked(box: Sandbox, visitor: Visitor) -> None:
    visitor.tokens(scope="openid offline_access practicemanager.job")
    tokens = visitor.tokens(scope="openid practicemanager.staff.read")
    assert tokens["scope"] == "offline_access openid practicemanager.job practicemanager.staff.read"
    requests.post(f"{box.url('identity')}/connect/revocation", data={"client_id": w.CLIENT_ID, "token": tokens["refresh_token"]})
    assert visitor.tokens(scope="openid practicemanager.job")["scope"] == "openid practicemanager.job"


@pytest.mark.parametrize("way", ["form", "basic"])
def test_revoking_drops_the_consent_and_its_connections(box: Sandbox, visitor: Visitor, controls: Controls, way: str) -> None:
    tokens = visitor.tokens()
    address = f"{box.url('identity')}/connect/revocation"
    if way == "form":
        answer = requests.post(address, data={"client_id": w.CLIENT_ID, "token": tokens["refresh_token"]})
    else:
        answer = requests.post(address, data={"token": tokens["refresh_token"]}, auth=(w.CLIENT_ID, ""))
    assert answer.status_code == 200
    assert controls.get("connections")["connections"] == []
    assert visitor.refresh(tokens["refresh_token"]).json() == {"error": "invalid_grant"}
    assert Practice(box, tokens["access_token"]).call("GET", "staff.api/list").status_code == 403


def test_an_unknown_token_is_revoked_just_as_well(box: Sandbox) -> None:
    answer = requests.post(f"{box.url('identity')}/connect/revocation", data={"client_id": w.CLIENT_ID, "token": "never-seen"})
    assert answer.status_code == 200


def test_a_member_of_staff_without_the_privilege_has_no_practice_to_choose(visitor: Visitor) -> None:
    _address, page = visitor.to_consent(w.NO_PRIVILEGE_PERSON)
    assert 'id="no-practice"' in page
    assert "PRACTICEMANAGER" not in page


def test_the_privilege_can_be_given_later(visitor: Visitor, controls: Controls) -> None:
    controls.post("staff/privilege", email=w.NO_PRIVILEGE_PERSON, allowed=True)
    _address, page = visitor.to_consent(w.NO_PRIVILEGE_PERSON)
    assert "PRACTICEMANAGER" in page


def test_a_person_of_two_firms_chooses_one(visitor: Visitor, box: Sandbox) -> None:
    tokens = visitor.tokens(person=w.TWO_FIRMS_PERSON, tenants=(w.OTHER_TENANT,))
    rows = requests.get(f"{box.url('api')}/connections", headers={"Authorization": f"Bearer {tokens['access_token']}"}).json()
    assert [row["tenantName"] for row in rows] == ["Harbour Street Advisory"]


def test_consenting_again_changes_the_connection_but_not_the_tenant(visitor: Visitor, controls: Controls) -> None:
    visitor.tokens()
    first = controls.get("connections")["connections"][-1]
    visitor.tokens()
    second = controls.get("connections")["connections"][-1]
    assert first["tenant_id"] == second["tenant_id"]
    assert first["id"] != second["id"]


def test_a_connection_is_deleted_by_its_own_id_only(box: Sandbox, visitor: Visitor) -> None:
    headers = {"Authorization": f"Bearer {visitor.tokens()['access_token']}"}
    address = f"{box.url('api')}/connections"
    row = requests.get(address, headers=headers).json()[-1]
    assert requests.delete(f"{address}/{row['tenantId']}", headers=headers).status_code == 403
    assert requests.delete(f"{address}/00000000-0000-4000-8000-000000000000", headers=headers).status_code == 404
    assert requests.delete(f"{address}/{row['id']}", headers=headers).status_code == 204
    assert [each["tenantType"] for each in requests.get(address, headers=headers).json()] == ["ORGANISATION"]


def test_a_web_app_proves_itself_with_its_secret(box: Sandbox) -> None:
    web = Visitor(box, client_id=w.WEB_CLIENT_ID)
    code = web.allow()["code"]
    assert web.exchange(code).json() == {"error": "invalid_client"}
    assert web.exchange(code, client_secret="wrong").json() == {"error": "invalid_client"}
    assert web.exchange(code, client_secret=w.WEB_CLIENT_SECRET).status_code == 200
    web.browser.close()


def test_a_public_app_must_not_leave_the_verifier_out(visitor: Visitor) -> None:
    assert visitor.exchange(visitor.allow()["code"], code_verifier="").json() == {"error": "invalid_request"}
    assert len(VERIFIER) >= 43
