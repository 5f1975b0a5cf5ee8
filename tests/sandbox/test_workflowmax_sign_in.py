"""The WorkflowMax stand-in: what its sign-in, its account header and its limits promise, over real sockets."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
import requests

from sandbox import world as w
from sandbox.house import Sandbox
from sandbox.workflowmax import CLIENT_ID, CLIENT_SECRET, HTTPS_REDIRECT
from sandbox.workflowmax_books import MAIN_ORGANISATION, OTHER_ORGANISATION
from tests.sandbox.visitors import Controls
from tests.sandbox.workflowmax_visitor import App, Person, came_back, claims


def test_a_consent_gives_a_pair_of_tokens_that_names_the_organisation(person: Person) -> None:
    back = person.allow()
    assert back["state"] == "some-state"
    answer = person.exchange(back["code"])
    pair = answer.json()
    assert set(pair) == {"access_token", "expires_in", "token_type", "refresh_token"}
    assert pair["expires_in"] == 1800
    said = claims(pair["access_token"])
    assert said["org_ids"] == [MAIN_ORGANISATION]
    assert not {"org_id", "organisation_id", "account_id"} & set(said)
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_consent_page_has_the_marks_that_a_robot_needs(person: Person) -> None:
    page = person.browser.get(person.address()).text
    assert all(f'id="{each}"' in page for each in ("user", "password", "sign-in"))
    _address, page = person.to_consent()
    assert all(f'id="{each}"' in page for each in ("tenant-1", "allow", "cancel"))
    assert 'class="tenant"' in page
    assert "checked" in page


def test_credentials_as_basic_are_refused_even_with_a_good_body(person: Person, controls: Controls) -> None:
    code = person.allow()["code"]
    body = {"grant_type": "authorization_code", "code": code, "redirect_uri": person.redirect_uri}
    answer = person.token(body, auth=(CLIENT_ID, CLIENT_SECRET))
    assert answer.status_code == 401
    assert answer.json()["error"] == "access_denied"
    controls.post("switches", workflowmax_basic="no_organisation")
    answer = person.token(body, auth=(CLIENT_ID, CLIENT_SECRET))
    assert "org_ids" not in claims(answer.json()["access_token"])


def test_a_wrong_secret_is_refused(person: Person) -> None:
    answer = person.exchange(person.allow()["code"], client_secret="another")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_code_works_once_and_only_with_its_own_redirect_address(person: Person) -> None:
    code = person.allow()["code"]
    assert person.exchange(code).status_code == 200
    assert person.exchange(code).json()["error"] == "invalid_grant"
    other = person.exchange(person.allow()["code"], redirect_uri=HTTPS_REDIRECT)
    assert (other.status_code, other.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("ending", ["/", "?x=1", "#a"])
def test_a_redirect_address_is_compared_to_the_letter(person: Person, ending: str) -> None:
    answer = person.browser.get(person.address(redirect_uri=person.redirect_uri + ending), allow_redirects=False)
    assert answer.status_code == 400
    assert 'id="error"' in answer.text


def test_an_https_redirect_is_registered_too_and_others_can_be(person: Person, controls: Controls) -> None:
    address, _page = person.to_consent(redirect_uri=HTTPS_REDIRECT)
    form = {"step": "consent", "answer": "allow", "tenant": MAIN_ORGANISATION}
    answer = person.browser.post(address, data=form, allow_redirects=False)
    assert answer.headers["Location"].startswith(f"{HTTPS_REDIRECT}?")
    controls.post("redirects", add=["https://other.example/back"])
    answer = person.browser.get(person.address(redirect_uri="https://other.example/back"), allow_redirects=False)
    assert answer.status_code == 200


def test_cancel_comes_back_as_access_denied_with_a_description(person: Person) -> None:
    back = person.answer("cancel", (), w.DEMO_PERSON)
    assert back["error"] == "access_denied"
    assert back["error_description"]
    assert back["state"] == "some-state"


def test_a_person_without_the_privilege_can_not_consent(person: Person, controls: Controls) -> None:
    _address, page = person.to_consent(w.NO_PRIVILEGE_PERSON)
    assert 'id="no-practice"' in page
    assert person.allow(person=w.NO_PRIVILEGE_PERSON)["error"] == "access_denied"
    controls.post("switches", workflowmax_no_privilege="calls")
    app = App(person.box, person.tokens(person=w.NO_PRIVILEGE_PERSON)["access_token"])
    assert app.call("GET", "v2/me").status_code == 403


@pytest.mark.parametrize(("how", "expected"), [("chosen", [0, 1]), ("reversed", [1, 0]), ("all", [0, 1]), ("none", None)])
def test_several_organisations_come_in_the_order_that_the_switch_says(
    person: Person, controls: Controls, how: str, expected: list[int] | None
) -> None:
    both = (MAIN_ORGANISATION, OTHER_ORGANISATION)
    controls.post("switches", workflowmax_org_ids=how)
    said = claims(person.tokens(organisations=both, person=w.TWO_FIRMS_PERSON)["access_token"])
    assert said.get("org_ids") == (None if expected is None else [both[each] for each in expected])


def test_a_refresh_rotates_and_the_old_token_is_dead_at_once(person: Person) -> None:
    first = person.tokens()
    second = person.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert claims(second["access_token"])["org_ids"] == [MAIN_ORGANISATION]
    again = person.refresh(first["refresh_token"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert "reuse" in again.json()["error_description"].lower()
    newest = person.refresh(second["refresh_token"])
    assert (newest.status_code, newest.json()["error"]) == (400, "invalid_grant"), "the chain is lost"


def test_another_sign_in_is_not_hurt_by_a_lost_chain(person: Person) -> None:
    first, second = person.tokens(), person.tokens()
    person.refresh(first["refresh_token"])
    person.refresh(first["refresh_token"])
    assert person.refresh(second["refresh_token"]).status_code == 200


@pytest.mark.parametrize(("life", "expected"), [("fresh", 200), ("from_consent", 400)])
def test_a_refresh_token_lives_sixty_days(person: Person, controls: Controls, life: str, expected: int) -> None:
    controls.post("switches", workflowmax_refresh_life=life)
    pair = person.tokens()
    controls.post("clock", advance=59 * 86400)
    pair = person.refresh(pair["refresh_token"]).json()
    controls.post("clock", advance=2 * 86400)
    answer = person.refresh(pair["refresh_token"])
    assert answer.status_code == expected
    if expected == 200:
        controls.post("clock", advance=61 * 86400)
        assert person.refresh(answer.json()["refresh_token"]).status_code == 400


def test_there_is_no_refresh_token_without_offline_access(person: Person) -> None:
    assert "refresh_token" not in person.tokens(scope="openid profile email workflowmax")
    answer = person.browser.get(person.address(scope="openid"), allow_redirects=False)
    assert came_back(answer)["error"] == "invalid_scope"


def test_a_code_challenge_is_checked_if_it_was_sent(person: Person, controls: Controls) -> None:
    verifier = "v" * 50
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    more: dict[str, Any] = {"code_challenge": challenge, "code_challenge_method": "S256"}
    assert person.exchange(person.allow(**more)["code"], code_verifier="w" * 50).json()["error"] == "invalid_grant"
    assert person.exchange(person.allow(**more)["code"], code_verifier=verifier).status_code == 200
    controls.post("switches", workflowmax_pkce="ignored")
    assert person.exchange(person.allow(**more)["code"]).status_code == 200
    controls.post("switches", workflowmax_pkce="refused")
    answer = person.browser.get(person.address(**more), allow_redirects=False)
    assert came_back(answer)["error"] == "invalid_request"


def test_without_a_prompt_an_earlier_consent_is_enough(person: Person) -> None:
    person.tokens()
    back = came_back(person.browser.get(person.address(prompt=""), allow_redirects=False))
    assert person.exchange(back["code"]).status_code == 200
    assert 'id="allow"' in person.browser.get(person.address()).text


def test_nothing_can_be_revoked(box: Sandbox) -> None:
    assert requests.post(f"{box.url('workflowmax-identity')}/oauth/revoke").status_code == 404


def test_tokens_expire_and_consents_end_by_the_controls(person: Person, app: App, controls: Controls) -> None:
    pair = person.tokens()
    assert app.call("GET", "v2/me").status_code == 200
    controls.post("tokens/expire")
    assert app.call("GET", "v2/me").status_code == 401
    controls.post("tokens/revoke")
    assert person.refresh(pair["refresh_token"]).json()["error"] == "invalid_grant"


# the account, the limits


@pytest.mark.parametrize(
    ("switch", "header", "expected"),
    [
        ("either", "account_id", 200),
        ("either", "account-id", 200),
        ("account_id", "account_id", 200),
        ("account_id", "account-id", 401),
        ("account-id", "account-id", 200),
        ("account-id", "account_id", 401),
    ],
)
def test_the_account_header_is_wanted_as_the_switch_spells_it(
    app: App, controls: Controls, switch: str, header: str, expected: int
) -> None:
    controls.post("switches", workflowmax_account_header=switch)
    app.headers = {header: MAIN_ORGANISATION}
    assert app.call("GET", "v2/jobs").status_code == expected
    assert app.call("GET", "staff.api/list").status_code == expected


def test_a_proxy_may_drop_the_underscored_name(app: App, controls: Controls) -> None:
    controls.post("switches", workflowmax_drops_underscores=True)
    app.headers = {"account_id": MAIN_ORGANISATION}
    assert app.call("GET", "v2/jobs").status_code == 401
    app.headers = {"account_id": MAIN_ORGANISATION, "account-id": MAIN_ORGANISATION}
    assert app.call("GET", "v2/jobs").status_code == 200


def test_no_account_is_401_and_a_foreign_one_403(app: App) -> None:
    app.headers = {}
    assert app.call("GET", "job.api/current").status_code == 401
    app.headers = {"account-id": OTHER_ORGANISATION}
    assert app.call("GET", "job.api/current").status_code == 403
    app.headers = {}
    assert app.json("v2/accounts")["data"] == [{"uuid": MAIN_ORGANISATION, "name": "Kōwhai & Rata Lawyers"}]
    assert app.json("v2/me")["organisationName"] == "Kōwhai & Rata Lawyers"


def test_an_organisation_that_the_person_belongs_to_but_did_not_allow_is_foreign(box: Sandbox, person: Person) -> None:
    app = App(box, person.tokens(person=w.TWO_FIRMS_PERSON)["access_token"], {"account-id": OTHER_ORGANISATION})
    assert app.call("GET", "v2/jobs").status_code == 403
    app.headers = {"account-id": MAIN_ORGANISATION}
    assert app.call("GET", "v2/jobs").status_code == 200
    assert {row["uuid"] for row in app.json("v2/accounts")["data"]} == {MAIN_ORGANISATION, OTHER_ORGANISATION}


@pytest.mark.parametrize("how", ["own", "json", "xml", "html", "empty"])
def test_a_refusal_keeps_its_status_whatever_its_body_is(app: App, controls: Controls, how: str) -> None:
    controls.post("switches", workflowmax_refusals=how)
    app.headers = {}
    assert app.call("GET", "job.api/current").status_code == app.call("GET", "v2/jobs").status_code == 401


def test_the_privilege_can_be_taken_away_later(app: App, controls: Controls) -> None:
    controls.post("staff/privilege", email=w.DEMO_PERSON, allowed=False, system="workflowmax")
    assert app.call("GET", "v2/jobs").status_code == 403
    controls.post("staff/privilege", email=w.DEMO_PERSON, allowed=True, system="workflowmax")
    assert app.call("GET", "v2/jobs").status_code == 200


def test_sixty_calls_a_minute_are_allowed_and_then_a_wait_is_told(app: App, controls: Controls) -> None:
    statuses = [app.call("GET", "v2/job-status").status_code for _ in range(61)]
    assert statuses.count(429) >= 1 or controls.get("calls")["calls"]["workflowmax GET v2/job-status"] == 61
    answer = app.call("GET", "staff.api/list")
    while answer.status_code == 200:  # the window turned over meanwhile
        answer = app.call("GET", "staff.api/list")
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert not [name for name in answer.headers if name.lower().startswith("x-rate")]
    controls.post("switches", workflowmax_rate_headers=True)
    assert app.call("GET", "staff.api/list").headers["X-RateLimit-Remaining"] == "0"
    controls.post("clock", advance=60)
    assert app.call("GET", "staff.api/list").status_code == 200
