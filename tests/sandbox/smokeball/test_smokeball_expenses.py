"""Expenses in the Smokeball stand-in are accepted first and there later, and its rules are the facts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from sandbox import world as w
from sandbox.faults import NAMES
from sandbox.house import Sandbox
from tests.sandbox.smokeball.smokeball_visitor import NUMBER, SmokeballCaller, books, expense
from tests.sandbox.visitors import Controls


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


def test_a_list_may_lag_behind_the_record(caller: SmokeballCaller, matter: str, box: Sandbox, later: Callable[[], None]) -> None:
    box.world.switches.smokeball_list_seconds = 30
    link = caller.post_expense(matter).json()
    later()
    assert caller.get(f"matters/{matter}/expenses/{link['id']}")["id"] == link["id"]
    assert caller.get(f"matters/{matter}/expenses")["value"] == []
    box.world.clock.advance(30)
    assert caller.get(f"matters/{matter}/expenses")["size"] == 1


def test_an_expense_can_vanish_without_a_trace(
    caller: SmokeballCaller, matter: str, controls: Controls, later: Callable[[], None]
) -> None:
    link = caller.post_expense(matter).json()
    later()
    controls.delete(f"smokeball/expenses/{link['id']}")
    assert caller.call("GET", f"matters/{matter}/expenses/{link['id']}").status_code == 404
    assert (books(controls)["costs"], books(controls)["deleted"]) == ([], [])
