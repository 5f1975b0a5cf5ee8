"""The Smokeball stand-in behaves as the facts say."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import requests

from sandbox import world as w
from sandbox.faults import NAMES
from sandbox.house import Sandbox
from sandbox.seeds import make_firm
from sandbox.smokeball_firm import ticks
from sandbox.smokeball_seeds import FIRM_ID, make_smokeball_firm
from sandbox.smokeball_sign_ins import SCOPES
from tests.sandbox.smokeball_visitor import NUMBER, SmokeballCaller, SmokeballVisitor, expense, put
from tests.sandbox.visitors import Controls

Soon = Callable[[Callable[[], bool]], None]


@pytest.fixture
def person(box: Sandbox) -> SmokeballVisitor:
    return SmokeballVisitor(box)


@pytest.fixture
def caller(box: Sandbox, person: SmokeballVisitor) -> SmokeballCaller:
    box.world.switches.smokeball_rate = 0  # its own tests put it on again
    return SmokeballCaller(person.place["api"], person.key, person.tokens()["access_token"])


@pytest.fixture
def matter(caller: SmokeballCaller) -> str:
    return caller.matter()


@pytest.fixture
def later(box: Sandbox, settled: Callable[[], None]) -> Callable[[], None]:
    """What was accepted takes effect."""

    def jump() -> None:
        box.world.clock.advance(10)
        settled()

    return jump


def books(controls: Controls, job: str = "") -> dict[str, Any]:
    (found,) = controls.get("books", system="smokeball", job=job)["tenants"]
    return dict(found)


# --- sign-in


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


# --- the gate


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
    switches.smokeball_rate = 0.001  # so slow that the time of a test fills nothing
    assert [caller.call("GET", "firm").status_code for _ in range(7)] == [200] * 5 + [429] * 2
    refused = caller.call("GET", "firm")
    assert "Retry-After" not in refused.headers
    assert caller.call("GET", "staff").status_code == 200
    public = SmokeballVisitor(box, public=True)
    other = SmokeballCaller(caller.api, public.key, public.tokens()["access_token"])
    assert other.call("GET", "firm").status_code == 200
    clock.advance(2000)  # two tokens come back
    assert [caller.call("GET", "firm").status_code for _ in range(3)] == [200, 200, 429]
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


# --- what can be read


def test_the_firm_staff_and_codes(caller: SmokeballCaller) -> None:
    assert caller.get("firm")["name"] == "Kōwhai & Rata Lawyers"
    staff = caller.get("staff")["value"]
    (me,) = [row for row in staff if row["email"] == w.DEMO_PERSON]
    assert me["userId"] != me["id"]
    assert any(row["former"] and row["userId"] is None for row in staff)
    assert {row["userId"]: row["staffId"] for row in caller.get("firm/users")}[me["userId"]] == me["id"]
    assert caller.get("staff", search="email:*NGATA*")["size"] == 1
    assert caller.get("staff", fields="rate")["value"][0]["rate"] > 0
    codes = {row["code"]: row for row in caller.get("activitycodes")["value"]}
    assert (codes["SEARCH"]["type"], codes["SEARCH"]["inputTaxRate"]) == (2, 10.0)
    assert codes["OLD-SEARCH"]["isDeleted"]


def test_a_list_comes_in_pages_and_tells_its_size_in_either_case_of_letters(caller: SmokeballCaller) -> None:
    whole = caller.get("matters")
    assert whole["size"] == len(whole["value"]) > 50
    seen: list[str] = []
    page: dict[str, Any] = caller.get("matters", Limit=20)
    while True:
        seen += [row["id"] for row in page["value"]]
        assert page["size"] == whole["size"]
        if page["next"] is None:
            break
        page = requests.get(page["next"]["href"], headers=caller.headers).json()
    assert seen == [row["id"] for row in whole["value"]]
    assert page["previous"] is not None
    assert caller.get("matters", OFFSET=10, lImIt=1)["value"][0]["id"] == seen[10]
    assert caller.get("matters", offset=100_000)["value"] == []


@pytest.mark.parametrize("query", ["limit=501", "limit=0", "offset=-1", "limit=x", "Sort=title", "Status=Ajar", "Type=Everything"])
def test_parameters_out_of_range_are_problems(caller: SmokeballCaller, query: str) -> None:
    answer = caller.call("GET", f"matters?{query}")
    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert isinstance(answer.json()["errors"], list)


def test_rows_of_matters_hold_links_and_some_have_no_number(caller: SmokeballCaller) -> None:
    rows = caller.get("matters")["value"]
    (row,) = [each for each in rows if each["number"] == NUMBER]
    assert set(row["clients"][0]) == {"id", "href", "relation", "method"}
    contact = requests.get(row["clients"][0]["href"], headers=caller.headers).json()
    assert contact["company"]["name"] in row["title"]
    assert caller.get(f"matters/{row['id']}")["items"]
    assert any(not each["number"] for each in rows)


def test_matters_have_five_statuses_and_leads_are_apart(caller: SmokeballCaller) -> None:
    def size(**query: Any) -> int:
        return int(caller.get("matters", **query)["size"])

    sizes = {status: size(Status=status) for status in ("Open", "Pending", "Closed", "Deleted", "Cancelled")}
    assert all(sizes.values())
    assert sizes["Open"] + sizes["Pending"] == 50
    assert size(status=["Open", "Pending"]) == 50
    assert size() == sum(sizes.values())
    leads = size(type="Leads")
    assert leads == size(isLead="true") >= 3
    assert size(Type="Matters,Leads") == size() + leads
    assert caller.get("matters", type="Leads")["value"][0]["isLead"]


def test_changed_since_takes_ticks_or_a_date_and_time_without_fractions(caller: SmokeballCaller, box: Sandbox, matter: str) -> None:
    def ids(**query: Any) -> list[str]:
        return [row["id"] for row in caller.get("matters", **query)["value"]]

    now = box.world.clock.utc().replace(microsecond=0)
    assert ids(LastUpdated=now.strftime("%Y-%m-%dT%H:%M:%SZ")) == []
    Controls(box.url("controls")).post(f"jobs/{NUMBER}/close?system=smokeball")
    assert ids(LastUpdated=now.strftime("%Y-%m-%dT%H:%M:%SZ")) == [matter]
    assert ids(updatedSince=ticks(now.timestamp())) == [matter]
    version = int(caller.get(f"matters/{matter}")["versionId"])
    assert ids(UpdatedSince=version) == [matter]
    assert ids(UpdatedSince=version + 1) == []
    for wrong in (
        {"LastUpdated": "2026-01-15T00:00:00.123Z"},
        {"UpdatedSince": "2026-01-15T00:00:00Z"},
        {"UpdatedSince": version, "LastUpdated": "2026-01-15T00:00:00Z"},
    ):
        assert caller.call("GET", "matters", params=wrong).status_code == 400


def test_ticks_are_counted_as_the_facts_count_them() -> None:
    assert ticks(1768435200) == 639040320000000000


def test_rows_move_between_pages_while_somebody_pages(caller: SmokeballCaller, box: Sandbox) -> None:
    whole = {row["id"] for row in caller.get("matters")["value"]}
    box.world.switches.smokeball_moving_rows = 3
    for sort in ("asc(LastUpdated)", "desc(LastUpdated)"):
        pages = [caller.get("matters", offset=offset, limit=10, sort=sort) for offset in range(0, len(whole), 10)]
        seen = [row["id"] for page in pages for row in page["value"]]
        assert len(seen) == len(whole)
        assert set(seen) < whole  # some came twice, so some did not come


def test_contacts_come_in_one_envelope_and_can_be_searched(caller: SmokeballCaller) -> None:
    rows = caller.get("contacts")["value"]
    kinds = {kind for row in rows for kind in ("person", "company", "groupOfPeople") if row[kind]}
    assert kinds == {"person", "company", "groupOfPeople"}
    assert caller.get("contacts", type="Organisation")["size"] < len(rows)
    assert [row["company"]["name"] for row in caller.get("contacts", search="name:kestrel*")["value"]] == [
        "Kestrel Lane Holdings Pty Ltd"
    ]
    assert caller.get("contacts", search=["name:*smith*", "name:!*smyth*"])["size"] >= 1
    assert caller.call("GET", "contacts?search=smith").status_code == 400


def test_contacts_by_their_ids_come_in_that_order_and_unknown_ones_do_not_come(caller: SmokeballCaller) -> None:
    ids = [row["id"] for row in caller.get("contacts", limit=3)["value"]]
    asked = {"ids": [ids[2], FIRM_ID, ids[0]]}
    answer = caller.call("POST", "contacts/batch", json=asked)
    assert [row["id"] for row in answer.json()["value"]] == [ids[2], ids[0]]
    assert caller.call("POST", "contacts/batch", json={"ids": ids * 200}).status_code == 400


def test_members_without_a_value_may_be_left_out(caller: SmokeballCaller, box: Sandbox) -> None:
    assert caller.get("matters", limit=1)["value"][0]["branch"] is None
    box.world.switches.smokeball_nulls = False
    assert "branch" not in caller.get("matters", limit=1)["value"][0]


# --- expenses


def test_an_expense_is_accepted_first_and_there_later(
    caller: SmokeballCaller, matter: str, controls: Controls, later: Callable[[], None]
) -> None:
    answer = caller.post_expense(matter)
    assert answer.status_code == 202
    link = answer.json()
    assert requests.get(link["href"], headers=caller.headers).status_code == 404
    assert books(controls)["costs"] == []
    later()
    record = requests.get(link["href"], headers=caller.headers).json()
    assert (record["id"], record["amount"], record["amountExcTax"], record["amountIncTax"]) == (link["id"], 14.2, 14.2, 15.62)
    assert record["expenseDate"] == "2026-05-13T14:00:00Z"
    me = next(row for row in caller.get("staff")["value"] if row["email"] == w.DEMO_PERSON)
    assert record["staff"]["id"] == me["id"]  # it was not sent
    assert [row["id"] for row in caller.get(f"matters/{matter}/expenses")["value"]] == [link["id"]]
    (cost,) = books(controls, NUMBER)["costs"]
    assert (cost["note"], cost["unit_cost"], cost["tax"], cost["output_tax"], cost["system"], cost["uuid"]) == (
        "Order 71000123 IT-71000123-T-1",
        "14.20",
        "1.42",
        "1.42",
        "smokeball",
        link["id"],
    )
    assert books(controls, "J004500")["costs"] == []


def test_the_same_post_twice_makes_two(caller: SmokeballCaller, matter: str, controls: Controls, later: Callable[[], None]) -> None:
    for _ in range(2):
        caller.call("POST", f"matters/{matter}/expenses", json=expense(), headers={"RequestId": "one"})
    later()
    assert len(books(controls)["costs"]) == 2


def test_an_accepted_expense_may_never_come(
    caller: SmokeballCaller, matter: str, controls: Controls, box: Sandbox, later: Callable[[], None]
) -> None:
    controls.post("faults", name="late_failure", where="smokeball POST matters/*/expenses", count=1)
    assert caller.post_expense(matter).status_code == 202
    box.world.switches.smokeball_late_failures = 1
    assert caller.post_expense(matter).status_code == 202
    later()
    assert books(controls)["costs"] == []
    box.world.switches.smokeball_late_failures = 0
    caller.post_expense(matter)
    later()
    assert len(books(controls)["costs"]) == 1


@pytest.mark.parametrize(
    ("changes", "member"),
    [
        ({"activityCode": "NO-SUCH"}, "activityCode"),
        ({"activityCode": "OLD-SEARCH"}, "activityCode"),
        ({"staffId": "b7a0c1de-0000-4000-8000-000000000001"}, "staffId"),
        ({"price": 14.205}, "price"),
        ({"price": "14.20"}, "price"),
        ({"isBillable": "true"}, "isBillable"),
        ({"costType": "Firm"}, "costType"),
        ({"expenseDate": "14/05/2026"}, "expenseDate"),
        ({"isBillable": False, "isWrittenOff": True}, "isWrittenOff"),
        ({"taxExempt": True}, "tax"),
        ({"taxExempt": True, "taxInclusive": True, "tax": 0}, "taxInclusive"),
        ({"taxZeroRated": True, "outputTax": 0}, "taxZeroRated"),
        ({"taxOutOfScope": True, "tax": 0, "outputTax": 0}, "taxZeroRated"),
    ],
)
def test_an_expense_that_is_wrong_is_refused_by_name(
    caller: SmokeballCaller, matter: str, controls: Controls, later: Callable[[], None], changes: dict[str, Any], member: str
) -> None:
    answer = caller.post_expense(matter, **changes)
    assert answer.status_code == 400
    assert member in [each["code"] for each in answer.json()["errors"]]
    later()
    assert books(controls)["costs"] == []


@pytest.mark.parametrize("shape", ["property", "map", "none"])
def test_the_shape_of_errors_is_a_switch(caller: SmokeballCaller, matter: str, box: Sandbox, shape: str) -> None:
    box.world.switches.smokeball_errors_shape = shape
    body = caller.post_expense(matter, activityCode="NO-SUCH").json()
    assert body["status"] == 400
    assert type(body.get("errors")).__name__ == {"property": "list", "map": "dict", "none": "NoneType"}[shape]


@pytest.mark.parametrize(
    ("region", "changes", "status"),
    [
        ("au", {"taxExempt": True, "tax": 0}, 202),  # the output side may stay
        ("uk", {"taxZeroRated": True, "outputTax": 0}, 202),
        ("uk", {"taxZeroRated": True}, 400),
        ("uk", {"taxOutOfScope": True, "tax": 0, "outputTax": 0}, 202),
        ("uk", {"taxOutOfScope": True, "tax": 0}, 400),
        ("us", {}, 400),
        ("us", {"tax": None, "outputTax": None, "taxInclusive": None}, 202),
    ],
)
def test_tax_is_as_the_region_has_it(
    caller: SmokeballCaller, matter: str, box: Sandbox, region: str, changes: dict[str, Any], status: int
) -> None:
    box.world.switches.smokeball_region = region
    assert caller.post_expense(matter, **changes).status_code == status


def test_a_missing_output_tax_is_filled_in_and_an_inclusive_price_holds_the_tax(
    caller: SmokeballCaller, matter: str, later: Callable[[], None]
) -> None:
    caller.post_expense(matter, outputTax=None, taxInclusive=True, price=15.62)
    later()
    (row,) = caller.get(f"matters/{matter}/expenses")["value"]
    assert (row["outputTax"], row["amountExcTax"], row["amountIncTax"]) == (1.42, 14.2, 15.62)


def test_a_put_replaces_a_patch_changes_and_a_delete_marks(
    caller: SmokeballCaller, matter: str, controls: Controls, box: Sandbox, later: Callable[[], None]
) -> None:
    path = f"matters/{matter}/expenses/" + caller.post_expense(matter).json()["id"]
    later()
    first = caller.get(path)["versionId"]
    assert caller.call("PATCH", path, json={"description": "patched"}).status_code == 202
    later()
    record = caller.get(path)
    assert (record["description"], record["subject"]) == ("patched", "Title search 1/SP12345")
    assert int(record["versionId"]) > int(first)
    assert [row["id"] for row in caller.get(f"matters/{matter}/expenses", UpdatedSince=int(first) + 1)["value"]] == [record["id"]]
    assert caller.call("PUT", path, json={"price": 1, "quantity": 2}).status_code == 202
    later()
    record = caller.get(path)
    assert (record["amount"], record["subject"], record["isBillable"]) == (2.0, None, False)
    assert caller.call("DELETE", path).status_code == 202
    later()
    assert caller.get(path)["isDeleted"]
    assert caller.get(f"matters/{matter}/expenses")["size"] == 1
    assert (books(controls)["costs"], len(books(controls)["deleted"])) == ([], 1)
    box.world.switches.smokeball_deleted_listed = False
    assert caller.get(f"matters/{matter}/expenses")["size"] == 0


def test_staff_edit_and_delete_expenses_by_hand(
    caller: SmokeballCaller, matter: str, controls: Controls, later: Callable[[], None]
) -> None:
    expense_id = caller.post_expense(matter).json()["id"]
    later()
    controls.post(f"costs/{expense_id}/note", note="paid by us IT-71000123-T-1")
    controls.post(f"smokeball/expenses/{expense_id}", price="20.00", tax="2.00")
    record = caller.get(f"matters/{matter}/expenses/{expense_id}")
    assert (record["description"], record["price"], record["tax"]) == ("paid by us IT-71000123-T-1", 20.0, 2.0)
    controls.delete(f"costs/{expense_id}")
    assert caller.get(f"matters/{matter}/expenses/{expense_id}")["isDeleted"]
    assert books(controls)["costs"] == []


@pytest.mark.parametrize(("answer", "status", "count"), [("", 202, 1), ("400", 400, 0), ("late", 202, 0)])
def test_what_a_closed_matter_does_with_an_expense_is_a_switch(
    caller: SmokeballCaller,
    matter: str,
    controls: Controls,
    box: Sandbox,
    later: Callable[[], None],
    answer: str,
    status: int,
    count: int,
) -> None:
    box.world.switches.smokeball_closed_answer = answer
    controls.post(f"jobs/{NUMBER}/close?system=smokeball")
    assert caller.get(f"matters/{matter}")["status"] == "Closed"
    assert caller.post_expense(matter).status_code == status
    later()
    assert len(books(controls)["costs"]) == count
    controls.post(f"jobs/{matter}/open?system=smokeball")
    caller.post_expense(matter)
    later()
    assert len(books(controls)["costs"]) == count + 1


def test_negative_amounts_are_accepted_or_refused_by_a_switch(caller: SmokeballCaller, matter: str, box: Sandbox) -> None:
    credit = {"price": -14.2, "tax": -1.42, "outputTax": -1.42}
    assert caller.post_expense(matter, **credit).status_code == 202
    box.world.switches.smokeball_refuse_negative = True
    assert caller.post_expense(matter, **credit).status_code == 400


HAPPENED = {
    "drop_after", "reset_after", "half_answer", "wrong_length", "trickle", "slow", "slow_answer", "late_effect", "status_after",
    "empty_200_after",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_fault_works_on_an_expense(
    caller: SmokeballCaller, matter: str, controls: Controls, later: Callable[[], None], name: str
) -> None:
    controls.post("faults", name=name, where=f"smokeball POST matters/{matter}/expenses", count=1, seconds=0.2, location="/x")
    try:
        caller.call("POST", f"matters/{matter}/expenses", json=expense(), timeout=5, allow_redirects=False)
    except requests.RequestException:
        pass
    later()
    assert len(books(controls)["costs"]) == (1 if name in HAPPENED else 0)


def test_a_body_must_be_json_and_say_so(caller: SmokeballCaller, matter: str) -> None:
    path = f"matters/{matter}/expenses"
    assert caller.call("POST", path, data=b"{}", headers={"Content-Type": "text/plain"}).status_code == 415
    assert caller.call("POST", path, data=b"{", headers={"Content-Type": "application/json"}).status_code == 400
    assert caller.call("POST", path, data=b"{}", headers={"Content-Type": "application/json-patch+json"}).status_code == 202


# --- files


def test_a_file_is_an_entry_first_then_bytes_on_another_host_and_uploaded_later(
    caller: SmokeballCaller, matter: str, controls: Controls, later: Callable[[], None]
) -> None:
    made = caller.post_file(matter)
    assert (made.status_code, set(made.json())) == (202, {"fileId", "uploadUrl", "expiry"})
    path = f"matters/{matter}/documents/files/{made.json()['fileId']}"
    assert caller.call("GET", path).status_code == 404
    later()
    record = caller.get(path)
    assert (record["name"], record["fileExtension"], record["isUploaded"], record["sizeBytes"]) == ("result", ".pdf", False, 0)
    assert caller.call("GET", f"{path}/download").status_code == 404
    assert (books(controls)["documents"], len(books(controls)["unfinished"])) == ([], 1)
    host = made.json()["uploadUrl"].split("/")[2]
    assert host != caller.api.split("/")[2]
    assert put(made.json()["uploadUrl"]).status_code == 200
    assert not caller.get(path)["isUploaded"]
    later()
    record = caller.get(path)
    assert (record["isUploaded"], record["sizeBytes"], record["additionalData"]) == (True, 14, {"iconnect": "IT-1-D-1"})
    there = caller.get(f"{path}/download")
    assert requests.get(there["downloadUrl"]).content == b"%PDF the bytes"
    (document,) = books(controls, NUMBER)["documents"]
    assert (document["text"], document["folder"], document["file_name"]) == ("IT-1-D-1", "InfoTrack", "result.pdf")
    assert requests.get(f"{controls.url}/api/documents/{document['sha256']}").content == b"%PDF the bytes"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda url, caller: put(url, content_type="application/pdf"),
        lambda url, caller: put(url, content_type="application/octet-stream"),
        lambda url, caller: put(url, x_api_key=caller.key),
        lambda url, caller: put(url, authorization=f"Bearer {caller.token}"),
        lambda url, caller: put(url, x_amz_meta_order="1"),
        lambda url, caller: put(f"{url}&x=1"),
        lambda url, caller: put(url.replace("X-Amz-Expires=900", "X-Amz-Expires=901")),
        lambda url, caller: put(url[:-1] + ("0" if url[-1] != "0" else "1")),
        lambda url, caller: put(url.replace("/sandbox-files/", "/sandbox-files/x")),
        lambda url, caller: requests.get(url),
        lambda url, caller: requests.post(url, data=b"x", headers={"Content-Type": ""}),
    ],
)
def test_a_signed_link_is_good_for_nothing_else(
    caller: SmokeballCaller,
    matter: str,
    controls: Controls,
    later: Callable[[], None],
    spoil: Callable[[str, SmokeballCaller], requests.Response],
) -> None:
    url = caller.post_file(matter).json()["uploadUrl"]
    answer = spoil(url, caller)
    assert answer.status_code == 403
    assert "<Code>SignatureDoesNotMatch</Code>" in answer.text
    later()
    assert books(controls)["documents"] == []
    assert put(url).status_code == 200


def test_bytes_without_a_length_are_not_taken(caller: SmokeballCaller, matter: str) -> None:
    url = caller.post_file(matter).json()["uploadUrl"]
    assert requests.put(url, data=iter([b"a", b"b"]), headers={"Content-Type": ""}).status_code == 501


def test_a_missing_content_type_is_taken_or_not_by_a_switch(caller: SmokeballCaller, matter: str, box: Sandbox) -> None:
    url = caller.post_file(matter).json()["uploadUrl"]
    bare = {"Content-Type": None}
    assert requests.put(url, data=b"x", headers=bare).status_code == 200
    box.world.switches.smokeball_content_type_needed = True
    assert requests.put(url, data=b"x", headers=bare).status_code == 403
    assert put(url).status_code == 200


def test_a_link_ends_the_entry_is_given_up_and_a_fresh_link_saves_it(
    caller: SmokeballCaller, matter: str, box: Sandbox, later: Callable[[], None]
) -> None:
    made = caller.post_file(matter).json()
    path = f"matters/{matter}/documents/files/{made['fileId']}"
    box.world.clock.advance(901)
    answer = put(made["uploadUrl"])
    assert (answer.status_code, "AccessDenied" in answer.text) == (403, True)
    later()
    assert caller.get(path)["isCancelled"]
    fresh = caller.get(f"{path}/upload")
    assert fresh["fileId"] == made["fileId"]
    assert put(fresh["uploadUrl"]).status_code == 200
    later()
    record = caller.get(path)
    assert (record["isUploaded"], record["isCancelled"]) == (True, False)


def test_a_second_version_is_the_same_file(
    caller: SmokeballCaller, matter: str, controls: Controls, later: Callable[[], None]
) -> None:
    made = caller.post_file(matter).json()
    put(made["uploadUrl"])
    later()
    path = f"matters/{matter}/documents/files/{made['fileId']}"
    put(caller.get(f"{path}/upload")["uploadUrl"], b"%PDF second")
    later()
    assert caller.get(path)["sizeBytes"] == 11
    (document,) = books(controls)["documents"]
    assert document["versions"] == 2


def test_files_are_listed_oldest_first_and_from_a_cursor(
    caller: SmokeballCaller, matter: str, controls: Controls, box: Sandbox, later: Callable[[], None]
) -> None:
    ids = []
    for number in range(3):
        ids.append(caller.post_file(matter, fileName=f"result {number}.docx").json()["fileId"])
        later()
    path = f"matters/{matter}/documents/files"
    assert [row["id"] for row in caller.get(path)["value"]] == ids
    assert [row["id"] for row in caller.get(path, sort="desc(dateCreated)")["value"]] == ids[::-1]
    assert [row["id"] for row in caller.get(path, cursor=ids[0])["value"]] == ids[1:]
    assert [row["id"] for row in caller.get(path, search="query:result 2")["value"]] == ids[2:]
    controls.delete(f"smokeball/files/{ids[0]}")
    assert caller.get(path)["value"][0]["isDeleted"]


@pytest.mark.parametrize(
    "changes",
    [
        {"fileName": "no extension"},
        {"fileName": ""},
        {"fileName": "x" * 256 + ".pdf"},
        {"fileAdditionalData": {"iconnect": 1}},
        {"folderId": FIRM_ID, "folderPath": None},
        {"userId": FIRM_ID},
    ],
)
def test_a_file_that_is_wrong_is_refused(caller: SmokeballCaller, matter: str, changes: dict[str, Any]) -> None:
    assert caller.post_file(matter, **changes).status_code == 400


def test_folders_of_one_name_are_two_and_a_path_makes_what_is_missing_once(
    caller: SmokeballCaller, matter: str, later: Callable[[], None]
) -> None:
    path = f"matters/{matter}/documents/folders"
    for _ in range(2):
        caller.post_file(matter, folderPath="InfoTrack/Titles")
    later()
    (listing,) = caller.get(path)["value"]
    assert [folder["name"] for folder in listing["folders"]] == ["InfoTrack"]
    below = caller.get(f"{path}/{listing['folders'][0]['id']}")
    assert (below["name"], [folder["name"] for folder in below["value"][0]["folders"]]) == ("InfoTrack", ["Titles"])
    for _ in range(2):
        assert caller.call("POST", path, json={"name": "Twin"}).status_code == 202
    later()
    assert [folder["name"] for folder in caller.get(path)["value"][0]["folders"]] == ["InfoTrack", "Twin", "Twin"]
    assert caller.call("POST", path, json={"name": ""}).status_code == 400


def test_faults_meet_the_file_host_too(caller: SmokeballCaller, matter: str, controls: Controls, later: Callable[[], None]) -> None:
    made = caller.post_file(matter).json()
    controls.post("faults", name="drop_after", where="smokeball_files PUT", count=1)
    controls.post("faults", name="status", where="smokeball_files PUT", status=503, count=1, skip=0)
    with pytest.raises(requests.RequestException):
        put(made["uploadUrl"])
    assert put(made["uploadUrl"]).status_code == 503
    later()
    assert len(books(controls)["documents"]) == 1


def test_uploads_want_the_matters_scope_as_well(person: SmokeballVisitor, caller: SmokeballCaller, matter: str) -> None:
    for scopes, status in (("documents/write", 403), ("documents/write matters/write", 202)):
        token = person.tokens(scope=scopes)["access_token"]
        assert SmokeballCaller(caller.api, caller.key, token).post_file(matter).status_code == status


# --- controls and seeds


def test_staff_rename_a_matter_and_delete_it(caller: SmokeballCaller, matter: str, controls: Controls) -> None:
    before = caller.get(f"matters/{matter}")["versionId"]
    controls.post(f"smokeball/matters/{NUMBER}/change", number="2026/7 & Co", title="Another title")
    after = caller.get(f"matters/{matter}")
    assert (after["number"], after["title"]) == ("2026/7 & Co", "Another title")
    assert int(after["versionId"]) > int(before)
    controls.post(f"smokeball/matters/{matter}/status", status="Deleted")
    assert caller.get(f"matters/{matter}")["status"] == "Deleted"


def test_the_controls_list_matters_and_start_anew(
    caller: SmokeballCaller, matter: str, controls: Controls, later: Callable[[], None]
) -> None:
    caller.post_expense(matter)
    later()
    rows = controls.get("jobs", system="smokeball", limit=1000)
    assert next(row for row in rows if row["number"] == NUMBER)["uuid"] == matter
    controls.post("reset")
    assert books(controls)["costs"] == []
    assert caller.call("GET", "firm").status_code == 401


@pytest.mark.parametrize("matters", [50, 1_000, 20_000])
def test_a_firm_has_as_many_current_matters_as_asked_for(matters: int) -> None:
    day = date(2026, 11, 22)
    source = make_firm("t", "A firm", matters, 1, day)
    firm = make_smokeball_firm(source, 1, day)
    live = [each for each in firm.matters.values() if each.status in ("Open", "Pending") and not each.lead]
    assert len(live) == matters
    assert len(firm.contacts) == len(source.clients)
    assert {each.status for each in firm.matters.values()} == {"Open", "Pending", "Closed", "Deleted", "Cancelled"}
    assert {None, ""} <= {each.number for each in live}
    assert firm.matters == make_smokeball_firm(source, 1, day).matters
    assert len({each.updated for each in live}) > len(live) * 0.99
