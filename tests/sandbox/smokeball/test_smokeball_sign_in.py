"""Signing in to the Smokeball stand-in goes as the facts say, and so does what stands before every call."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from sandbox import world as w
from sandbox.house import Sandbox
from sandbox.smokeball_seeds import FIRM_ID
from sandbox.smokeball_sign_ins import SCOPES
from tests.sandbox.smokeball.smokeball_visitor import SmokeballCaller, SmokeballVisitor, books, expense
from tests.sandbox.visitors import Controls


def test_a_person_signs_in_and_the_token_says_who_and_what(person: SmokeballVisitor) -> None:
    back = person.answer()
    assert back["state"] == "some-state"
    tokens = person.exchange(back["code"]).json()
    assert set(tokens) == {"access_token", "expires_in", "token_type", "refresh_token"}  # when that ends is never told
    assert tokens["expires_in"] == 3600
    middle = tokens["access_token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    assert claims["username"] == w.DEMO_PERSON
    assert claims["sub"]
    assert set(claims["scope"].split()) == SCOPES  # none were asked for, so the token has all


def test_a_person_may_say_no(person: SmokeballVisitor) -> None:
    assert person.answer("cancel") == {"error": "access_denied", "state": "some-state"}


def test_asked_scopes_are_the_ones_in_the_token(person: SmokeballVisitor, box: Sandbox) -> None:
    token = person.tokens(scope="matters/read firm/read")["access_token"]
    caller = SmokeballCaller(person.place["api"], person.key, token)
    assert caller.call("GET", "matters").status_code == 200
    assert caller.call("GET", "staff").status_code == 403
    box.world.switches.smokeball_scope_status = 401
    assert caller.call("GET", "contacts").status_code == 401


def test_an_unknown_scope_comes_back_as_an_error(person: SmokeballVisitor) -> None:
    back = person.browser.get(person.address(scope="matters/everything"), allow_redirects=False)
    assert "error=invalid_scope" in back.headers["Location"]


@pytest.mark.parametrize("ending", ["/", "?x=1", "2"])
def test_a_redirect_address_is_known_to_the_letter(person: SmokeballVisitor, ending: str) -> None:
    answer = person.browser.get(person.address(redirect_uri=person.place["redirect_uri"] + ending), allow_redirects=False)
    assert answer.status_code == 400
    assert "redirect_mismatch" in answer.text


@pytest.mark.parametrize("changes", [{"code_challenge": ""}, {"code_challenge_method": "plain"}, {"code_challenge_method": ""}])
def test_a_public_app_must_send_a_challenge_by_the_one_method(box: Sandbox, changes: dict[str, str]) -> None:
    person = SmokeballVisitor(box, public=True)
    back = person.browser.get(person.address(**changes), allow_redirects=False)
    assert "error=invalid_request" in back.headers["Location"]


def test_a_public_app_sends_no_secret_and_has_a_key_of_its_own(box: Sandbox, person: SmokeballVisitor) -> None:
    public = SmokeballVisitor(box, public=True)
    token = public.tokens()["access_token"]
    assert SmokeballCaller(public.place["api"], public.key, token).call("GET", "firm").status_code == 200
    assert SmokeballCaller(public.place["api"], person.key, token).call("GET", "firm").status_code == 403
    assert public.exchange(public.answer()["code"], client_secret="guess").json() == {"error": "invalid_client"}


def test_an_app_with_a_secret_sends_it_as_basic_and_its_id_again(person: SmokeballVisitor, box: Sandbox) -> None:
    def tried(**how: Any) -> tuple[int, str]:
        answer = person.token(
            grant_type="authorization_code",
            code=person.answer()["code"],
            redirect_uri=person.place["redirect_uri"],
            code_verifier="a-verifier-of-forty-three-or-more-characters-0123456789",
            **how,
        )
        return answer.status_code, answer.json().get("error", "")

    assert tried() == (200, "")
    assert tried(client_id="") == (400, "invalid_request")
    assert tried(basic=False) == (400, "invalid_client")
    assert tried(basic=False, client_secret=person.place["client_secret"]) == (400, "invalid_client")
    box.world.switches.smokeball_body_secret = True
    assert tried(basic=False, client_secret=person.place["client_secret"]) == (200, "")
    assert tried(basic=False, client_secret="wrong") == (400, "invalid_client")


@pytest.mark.parametrize(
    "wrong", [{"code_verifier": "another-verifier-of-forty-three-or-more-characters"}, {"redirect_uri": "http://localhost:1/x"}]
)
def test_a_failed_exchange_burns_the_code(person: SmokeballVisitor, wrong: dict[str, str]) -> None:
    code = person.answer()["code"]
    assert person.exchange(code, **wrong).json() == {"error": "invalid_grant"}
    assert person.exchange(code).json() == {"error": "invalid_grant"}


def test_a_failed_sign_in_of_the_app_burns_the_code_as_well(person: SmokeballVisitor) -> None:
    code = person.answer()["code"]
    assert person.exchange(code, client_id="someone-else").status_code == 400
    assert person.exchange(code).json() == {"error": "invalid_grant"}


def test_a_code_is_good_once_and_for_five_minutes(person: SmokeballVisitor, box: Sandbox) -> None:
    code = person.answer()["code"]
    assert person.exchange(code).status_code == 200
    assert person.exchange(code).status_code == 400
    old = person.answer()["code"]
    box.world.clock.advance(301)
    assert person.exchange(old).json() == {"error": "invalid_grant"}


def test_the_token_endpoint_wants_a_form(person: SmokeballVisitor) -> None:
    answer = requests.post(f"{person.place['auth']}/oauth2/token", json={"grant_type": "refresh_token"})
    assert answer.json() == {"error": "invalid_request"}


def test_a_refresh_token_stays_the_same_and_dies_thirty_days_after_the_sign_in(person: SmokeballVisitor, box: Sandbox) -> None:
    refresh = person.tokens()["refresh_token"]
    for _ in range(2):
        box.world.clock.advance(14 * 86400)
        assert set(person.refresh(refresh).json()) == {"access_token", "expires_in", "token_type"}
    box.world.clock.advance(3 * 86400)  # used three days ago, and still: it is the sign-in that counts
    assert person.refresh(refresh).json() == {"error": "invalid_grant"}


def test_refresh_tokens_may_rotate_without_a_longer_life(person: SmokeballVisitor, box: Sandbox) -> None:
    box.world.switches.smokeball_refresh_rotated = True
    first = person.tokens()["refresh_token"]
    box.world.clock.advance(20 * 86400)
    second = person.refresh(first).json()["refresh_token"]
    assert second != first
    box.world.clock.advance(120)
    assert person.refresh(first).status_code == 400
    box.world.clock.advance(11 * 86400)
    assert person.refresh(second).status_code == 400


def test_an_app_on_its_own_account_gets_no_refresh_token_and_no_person(
    person: SmokeballVisitor, caller: SmokeballCaller, matter: str, controls: Controls, later: Callable[[], None]
) -> None:
    tokens = person.token(grant_type="client_credentials").json()
    assert "refresh_token" not in tokens
    alone = SmokeballCaller(caller.api, caller.key, tokens["access_token"])
    assert alone.post_expense(matter).status_code == 202
    later()
    assert books(controls)["costs"][0]["staff_id"] == ""


def test_an_administrator_ends_it_for_all(person: SmokeballVisitor, controls: Controls) -> None:
    tokens = person.tokens()
    assert controls.post("tokens/revoke")["count"] == 1
    assert person.refresh(tokens["refresh_token"]).json() == {"error": "invalid_grant"}
    caller = SmokeballCaller(person.place["api"], person.key, tokens["access_token"])
    assert caller.call("GET", "firm").status_code == 200  # the access token lives on
    controls.post("tokens/expire")
    assert caller.call("GET", "firm").status_code == 401


@pytest.mark.parametrize("path", ["logout", "oauth2/logout"])
def test_a_sign_out_ends_the_browsers_sign_in(person: SmokeballVisitor, path: str) -> None:
    person.answer()
    assert 'id="sign-in"' not in person.browser.get(person.address()).text
    where = {"client_id": person.client_id, "logout_uri": person.place["redirect_uri"]}
    answer = person.browser.get(f"{person.place['auth']}/{path}", params=where, allow_redirects=False)
    assert answer.headers["Location"] == person.place["redirect_uri"]
    assert 'id="sign-in"' in person.browser.get(person.address()).text


def test_every_call_wants_a_token_and_a_key(caller: SmokeballCaller, box: Sandbox) -> None:
    assert caller.call("GET", "firm", headers={"x-api-key": ""}).status_code == 403
    assert caller.call("GET", "firm", headers={"x-api-key": "another"}).status_code == 403
    refused = caller.call("GET", "firm", headers={"Authorization": "Bearer nonsense"})
    assert (refused.status_code, refused.json()["status"]) == (401, 401)
    box.world.clock.advance(3601)
    assert caller.call("GET", "firm").status_code == 401
    box.world.switches.smokeball_gateway_errors = "message"
    assert set(caller.call("GET", "firm").json()) == {"message"}


def test_the_sixth_call_at_once_is_too_many_for_that_endpoint_and_app_only(caller: SmokeballCaller, box: Sandbox) -> None:
    switches, clock = box.world.switches, box.world.clock
    switches.smokeball_rate = 0.01  # so slow that the time of a test fills nothing
    assert [caller.call("GET", "firm").status_code for _ in range(7)] == [200] * 5 + [429] * 2
    refused = caller.call("GET", "firm")
    assert "Retry-After" not in refused.headers
    assert caller.call("GET", "staff").status_code == 200
    public = SmokeballVisitor(box, public=True)
    other = SmokeballCaller(caller.api, public.key, public.tokens()["access_token"])
    assert other.call("GET", "firm").status_code == 200
    clock.advance(200)  # two tokens come back
    assert [caller.call("GET", "firm").status_code for _ in range(3)] == [200, 200, 429]
    clock.advance(1500)  # fifteen would, but the bucket holds five
    assert [caller.call("GET", "firm").status_code for _ in range(7)] == [200] * 5 + [429] * 2
    switches.smokeball_retry_after = True
    assert caller.call("GET", "firm").headers["Retry-After"] == "1"


def test_ids_do_not_make_further_endpoints(caller: SmokeballCaller, box: Sandbox) -> None:
    rows = caller.get("matters", limit=10)["value"]
    box.world.switches.smokeball_rate = 0.001
    assert [caller.call("GET", f"matters/{row['id']}").status_code for row in rows].count(200) == 5


def test_the_request_id_is_echoed(caller: SmokeballCaller) -> None:
    assert caller.call("GET", "firm", headers={"RequestId": "seven"}).headers["RequestId"] == "seven"


@pytest.mark.parametrize("status", ["403", "404"])
def test_a_firm_of_another_region_is_not_found_here(caller: SmokeballCaller, box: Sandbox, status: str) -> None:
    box.world.switches.smokeball_wrong_region = status
    assert caller.call("GET", "firm").status_code == int(status)


def test_guessed_paths_lead_nowhere(caller: SmokeballCaller, matter: str) -> None:
    for path in ("matter-types", "leads", f"matters/{matter}/files", "firm/usermappings"):
        assert caller.call("GET", path).status_code in (403, 404), path


def test_another_accounts_matter_is_forbidden_and_an_unknown_one_is_not_found(
    caller: SmokeballCaller, person: SmokeballVisitor
) -> None:
    assert caller.call("GET", f"matters/{person.place['foreign_matter_id']}/expenses").status_code == 403
    assert caller.call("GET", f"matters/{FIRM_ID}").status_code == 404


def test_an_app_on_its_own_account_may_name_the_user(
    person: SmokeballVisitor, caller: SmokeballCaller, matter: str, controls: Controls, later: Callable[[], None]
) -> None:
    user = next(row for row in caller.get("staff")["value"] if row["userId"])
    alone = SmokeballCaller(caller.api, caller.key, person.token(grant_type="client_credentials").json()["access_token"])
    alone.call("POST", f"matters/{matter}/expenses", json=expense(), headers={"UserId": user["userId"]})
    later()
    assert books(controls)["costs"][0]["staff_id"] == user["id"]


@pytest.mark.parametrize("header", ["ResourceId", "ExternalId"])
def test_ids_of_ones_own_are_refused(caller: SmokeballCaller, matter: str, header: str) -> None:
    answer = caller.call("POST", f"matters/{matter}/expenses", json=expense(), headers={header: "IT-71000123-T-1"})
    assert answer.status_code == 403
