"""What can be read from the Smokeball stand-in is as the facts say; its controls and its seeds."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import requests

from sandbox import world as w
from sandbox.house import Sandbox
from sandbox.seeds import make_firm
from sandbox.smokeball_firm import ticks
from sandbox.smokeball_seeds import FIRM_ID, make_smokeball_firm
from tests.sandbox.smokeball.smokeball_visitor import NUMBER, SmokeballCaller, SmokeballVisitor, books
from tests.sandbox.visitors import Controls


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


def test_the_platform_file_and_the_controls_say_where_it_is(box: Sandbox, controls: Controls) -> None:
    table = tomllib.loads(box.platform_file.read_text(encoding="utf-8"))["smokeball"]
    where = controls.get("where")["smokeball"]
    assert (table["auth_url"], table["api_url"], table["region"]) == (where["auth"], where["api"], "au")
    for key in ("client_id", "client_secret", "api_key", "redirect_uri"):
        assert table[key] == where[key]
    assert where["files"].split(":")[1] != where["api"].split(":")[1]


def test_redirect_addresses_can_be_added(controls: Controls, person: SmokeballVisitor) -> None:
    controls.post("redirects", add=["https://desk.example/callback"])
    page = person.browser.get(person.address(redirect_uri="https://desk.example/callback"))
    assert page.status_code == 200
