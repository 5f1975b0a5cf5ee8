"""The Smokeball adapter over real sockets, against a stand-in made from the vendor facts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from desktop.services.practice.model import CostLine, Document, Receipt
from desktop.services.practice.practice_system import MatterRef
from tests.practice.smokeball_server import KEY, SmokeballWorld


@pytest.fixture
def world() -> Iterator[SmokeballWorld]:
    made = SmokeballWorld()
    yield made
    made.close()


def line(matter: str, **named: object) -> CostLine:
    told: dict[str, object] = {
        "key": "IT-71000123-T-1", "matter_number": "AM-1", "matter_id": matter, "on": date(2026, 5, 14),
        "description": "Title search 1/SP12345", "code": "SEARCH", "note": "InfoTrack IT-71000123-T-1",
        "unit_cost": Decimal("14.20"), "unit_price": Decimal("14.20"), "billable": True, "gst": Decimal("1.42"),
        "gst_included": False, "taxed": True, **named,
    }  # fmt: skip
    return CostLine(**told)  # type: ignore[arg-type]  # a test's own table


def paper(matter: str, content: bytes = b"%PDF-1.7 title", **named: object) -> Document:
    told: dict[str, object] = {
        "key": "IT-71000123-D-1", "matter_number": "AM-1", "matter_id": matter, "title": "Title search",
        "text": "InfoTrack IT-71000123-D-1", "folder": "InfoTrack", "file_name": "Title search.pdf", "content": content, **named,
    }  # fmt: skip
    return Document(**told)  # type: ignore[arg-type]  # as above


def test_a_cost_is_posted_as_documented_and_found_again(world: SmokeballWorld) -> None:
    key = world.add_matter("AM-1")
    receipt = world.smokeball.post_cost(line(key))
    (asked,) = world.asked
    assert asked.headers["x-api-key"] == KEY
    assert asked.headers["authorization"] == "Bearer first"
    assert json.loads(asked.body, parse_float=Decimal) == {
        "expenseDate": "2026-05-14T00:00:00+10:00",
        "subject": "Title search 1/SP12345",
        "description": "InfoTrack IT-71000123-T-1",
        "activityCode": "SEARCH",
        "costType": "Hard",
        "quantity": 1,
        "price": Decimal("14.20"),
        "tax": Decimal("1.42"),
        "outputTax": Decimal("1.42"),
        "taxInclusive": False,
        "isBillable": True,
        "finalized": True,
    }
    (posted,) = world.smokeball.costs(MatterRef(key, ""))
    assert (posted.remote_id, posted.keys) == (receipt.remote_id, ("IT-71000123-T-1",))
    assert (posted.unit_cost, posted.on) == (Decimal("14.20"), date(2026, 5, 14))


def test_a_document_is_an_entry_and_then_its_contents(world: SmokeballWorld) -> None:
    key = world.add_matter("AM-1")
    receipt = world.smokeball.post_document(paper(key))
    assert world.paths == [
        f"GET matters/{key}/documents/files",
        f"POST matters/{key}/documents/files",
        f"PUT store/{receipt.remote_id}",
    ]
    assert json.loads(world.asked[1].body) == {
        "fileName": "Title search.pdf",
        "fileAdditionalData": {"iconnect": "IT-71000123-D-1"},
        "folderPath": "InfoTrack",
    }
    (put,) = world.puts
    assert put.headers["content-type"] == ""
    assert put.body == b"%PDF-1.7 title"
    assert not {"authorization", "x-api-key", "cookie"} & put.headers.keys()
    (filed,) = world.smokeball.documents(MatterRef(key, ""))
    assert (filed.keys, filed.file_name, receipt) == (("IT-71000123-D-1",), "Title search.pdf", Receipt(filed.remote_id))


def test_the_matters_come_with_their_people(world: SmokeballWorld) -> None:
    jo, kim = world.add_person("Jo", "Smith"), world.add_person("Kim", "Ode")
    world.staff = [{"id": "s-1", "firstName": "Sam", "lastName": "Reid", "email": "sam@brown.test", "former": False}]
    world.add_matter("AM-1", clients=(jo, kim), personResponsible={"id": "s-1", "href": "x"})
    world.add_matter("AM-2", status="Closed", clients=(jo,))
    world.add_matter("", status="Pending")
    one, blank = world.smokeball.matters()
    assert (one.number, one.client, one.client_id, one.staff[0].email) == ("AM-1", "Jo Smith & Kim Ode", jo, "sam@brown.test")
    assert (blank.number, blank.name, blank.is_open) == ("", " - Smith - Sale".strip(), True)
