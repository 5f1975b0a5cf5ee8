"""The Smokeball adapter over real sockets, against a stand-in made from the vendor facts."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.services.errors import AnswerLost, BadAnswer, Refused, ServiceError
from desktop.services.ledger.charges import price
from desktop.services.practice.model import PostalAddress, Receipt, Staff
from desktop.services.practice.practice_system import MatterRef, Urgency
from desktop.services.practice.smokeball_records import cost_without_markup, output_tax
from tests.practice.smokeball_server import KEY, SmokeballWorld, line, paper
from tests.practice.xpm_server import Said


@pytest.fixture
def world() -> Iterator[SmokeballWorld]:
    made = SmokeballWorld()
    yield made
    made.close()


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
        "fileAdditionalData": {"iconnect": "IT-71000123-D-1", "iconnectNote": "InfoTrack IT-71000123-D-1"},
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


# What goes out


def test_every_call_goes_through_the_gate_with_its_urgency_and_says_nothing_private(
    world: SmokeballWorld, caplog: pytest.LogCaptureFixture
) -> None:
    """A24: neither token, key nor signed address is in a log, and an id is shortened."""
    caplog.set_level(logging.DEBUG, "desktop")
    caplog.set_level(logging.WARNING, "urllib3")  # as the program has it
    key = world.add_matter("AM-1")
    world.smokeball.post_document(paper(key))
    world.smokeball.costs(MatterRef(key, ""), urgency=Urgency.PERSON)
    assert world.gate.urgencies == [Urgency.SEND, Urgency.SEND, Urgency.PERSON]
    assert world.gate.learnt[0][0] == 200
    for secret in ("first", KEY, "X-Amz", key, "Title search", "IT-71000123"):
        assert secret not in caplog.text


@pytest.mark.parametrize("matter_id", ["", " ", ".", "..", "a/b", "a?b", "a%2Fb", "a b", "x" * 200, "é"])
def test_an_id_that_would_lead_elsewhere_is_never_asked_for(world: SmokeballWorld, matter_id: str) -> None:
    asks: list[Callable[[], object]] = [
        lambda: world.smokeball.costs(MatterRef(matter_id, "AM-1")),
        lambda: world.smokeball.documents(MatterRef(matter_id, "AM-1")),
        lambda: world.smokeball.post_cost(line(matter_id)),
        lambda: world.smokeball.post_document(paper(matter_id)),
    ]
    for ask in asks:
        with pytest.raises(Refused):
            ask()
    assert world.smokeball.client(matter_id) is None
    assert world.asked == []


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({"taxed": False, "gst": Decimal("0.00")}, {"tax": "0.00", "outputTax": "0.00", "taxInclusive": False}),
        # The firm adds 10 %: GST in is the fee's, GST out a tenth of the price.
        ({"unit_price": Decimal("15.62")}, {"price": "15.62", "tax": "1.42", "outputTax": "1.56", "taxInclusive": False}),
        # The amounts hold their GST: an eleventh.
        (
            {"unit_cost": Decimal("15.62"), "unit_price": Decimal("17.18"), "gst_included": True},
            {"price": "17.18", "tax": "1.42", "outputTax": "1.56", "taxInclusive": True},
        ),
        # A cent off a tenth, as InfoTrack told it: with no markup that is what the client is charged.
        ({"gst": Decimal("1.43")}, {"tax": "1.43", "outputTax": "1.43"}),
        (
            {"unit_cost": Decimal("-4.55"), "unit_price": Decimal("-5.01"), "gst": Decimal("-0.46")},
            {"price": "-5.01", "tax": "-0.46", "outputTax": "-0.50"},
        ),
        ({"unit_cost": Decimal("45"), "unit_price": Decimal("5E+1")}, {"price": "50.00", "outputTax": "5.00"}),
    ],
)
def test_tax_is_two_amounts_and_no_flag(world: SmokeballWorld, named: dict[str, object], expected: dict[str, object]) -> None:
    """D19: and every amount leaves as it was written."""
    key = world.add_matter("AM-1")
    world.smokeball.post_cost(line(key, **named))
    told = json.loads(world.asked[0].body, parse_float=str)
    assert {name: told[name] for name in expected} == expected
    assert not told.keys() & {"taxExempt", "taxZeroRated", "taxOutOfScope"}


def test_where_there_is_no_such_tax_no_field_of_it_is_sent(world: SmokeballWorld) -> None:
    key = world.add_matter("AM-1")
    world.made(region="us").post_cost(line(key, code=""))
    assert not json.loads(world.asked[0].body).keys() & {"tax", "outputTax", "taxInclusive", "activityCode", "staffId"}


cents = st.integers(-10_000_000, 10_000_000).map(lambda n: Decimal(n) / 100)


@given(cost=cents, markup=st.integers(0, 100_000).map(lambda n: Decimal(n) / 100))
def test_what_was_paid_is_found_again_from_the_price(cost: Decimal, markup: Decimal) -> None:
    """D19: for every markup from 0 to 1,000 %, to the cent; a difference is planned from this."""
    assert cost_without_markup(price(cost, markup), markup) == cost


@given(net=cents, markup=st.integers(0, 10_000).map(lambda n: Decimal(n) / 100), included=st.booleans())
def test_tax_out_is_the_part_of_the_price_that_the_law_says(net: Decimal, markup: Decimal, included: bool) -> None:
    """Within half a cent of a tenth of the price without tax, with its sign; the fee's own where the price is the fee."""
    gst = (net / 10).quantize(Decimal("0.01"), ROUND_HALF_UP)
    cost = net + gst if included else net
    charged = price(cost, markup)
    told = output_tax(line("m", unit_cost=cost, unit_price=charged, gst=gst, gst_included=included, taxed=True))
    assert told == told.quantize(Decimal("0.01"))
    if charged == cost:
        assert told == gst
    else:
        assert abs(told - charged / (11 if included else 10)) <= Decimal("0.005")
    assert told * charged >= 0


@pytest.mark.parametrize(("on", "expected"), [(date(2026, 5, 14), "+10:00"), (date(2026, 1, 14), "+11:00")])
def test_an_expenses_day_is_the_firms_own(world: SmokeballWorld, on: date, expected: str) -> None:
    key = world.add_matter("AM-1")
    world.smokeball.post_cost(line(key, on=on))
    assert json.loads(world.asked[0].body)["expenseDate"] == f"{on}T00:00:00{expected}"
    (posted,) = world.smokeball.costs(MatterRef(key, ""))
    assert posted.on == on


@pytest.mark.parametrize(
    ("folder", "path"),
    [
        ("InfoTrack", "InfoTrack"),
        (" a / b ", "a/b"),
        ("a\\b", "a/b"),
        ("../..", None),
        ("", None),
        ("/", None),
        ("x" * 300, "x" * 256),
    ],
)
def test_a_folder_goes_by_its_path(world: SmokeballWorld, folder: str, path: str | None) -> None:
    """No folder is looked up or made by us: two PCs that did both would make two of one name."""
    key = world.add_matter("AM-1")
    world.smokeball.post_document(paper(key, folder=folder))
    assert json.loads(world.asked[1].body).get("folderPath") == path
    assert not [step for step in world.paths if "folders" in step]


def test_a_file_name_that_is_too_long_keeps_its_extension(world: SmokeballWorld) -> None:
    key = world.add_matter("AM-1")
    world.smokeball.post_document(paper(key, file_name="n" * 300 + ".pdf"))
    name = json.loads(world.asked[1].body)["fileName"]
    assert (len(name), name[-5:]) == (256, "n.pdf")


def test_a_document_that_is_too_large_never_leaves(world: SmokeballWorld) -> None:
    key = world.add_matter("AM-1")
    with pytest.raises(Refused, match=r"0\.1 MB") as refused:
        world.made(max_document_bytes=1_000).post_document(paper(key, bytes(100_000)))
    assert refused.value.status == 413
    assert world.asked == []


# What comes in


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"price": Decimal("1060.50"), "quantity": Decimal("2.5")}, (Decimal("1060.50"), Decimal("2.5"))),
        ({"price": Decimal("14.2")}, (Decimal("14.2"), Decimal(1))),
        ({"price": "14.20"}, (Decimal("14.20"), Decimal(1))),
        ({"price": 14}, (Decimal(14), Decimal(1))),
        ({"price": None, "amount": Decimal("28.40"), "quantity": 2}, (Decimal("28.40"), Decimal(1))),
        ({"price": Decimal("0.1"), "quantity": 3}, (Decimal("0.1"), Decimal(3))),
    ],
)
def test_prices_are_read_exactly(world: SmokeballWorld, told: dict[str, Any], expected: tuple[Decimal, Decimal]) -> None:
    """D19."""
    key = world.add_matter("AM-1")
    world.add_expense(key, description="InfoTrack IT-71000123-T-1", **told)
    (posted,) = world.smokeball.costs(MatterRef(key, ""))
    assert (posted.unit_price, posted.quantity) == expected


def test_what_was_paid_is_reckoned_back_from_what_is_charged(world: SmokeballWorld) -> None:
    key = world.add_matter("AM-1")
    world.add_expense(key, description="InfoTrack IT-71000123-T-1", price=Decimal("15.62"))
    (posted,) = world.made(markup_percent=Decimal(10)).costs(MatterRef(key, ""))
    assert (posted.unit_cost, posted.unit_price) == (Decimal("14.20"), Decimal("15.62"))


def test_words_around_a_key_do_not_hide_it_and_deleted_lines_do_not_count(world: SmokeballWorld) -> None:
    """D7."""
    key = world.add_matter("AM-1")
    world.add_expense(key, description="see letter: it–71000123–t–1, thanks")
    world.add_expense(key, description="InfoTrack IT-71000123-T-2", isDeleted=True)
    world.add_expense(key, description="", price=None)
    found = world.smokeball.costs(MatterRef(key, ""))
    assert [one.keys for one in found] == [("IT-71000123-T-1",), ()]


@pytest.mark.parametrize("price", [None, {}, "abc", "", True, Decimal("1e300"), [1]])
def test_a_line_of_ours_without_a_price_is_not_believed(world: SmokeballWorld, price: object) -> None:
    """Nothing may be concluded: above all not that it is absent, or stands for nothing."""
    key = world.add_matter("AM-1")
    world.add_expense(key, description="InfoTrack IT-71000123-T-1", price=price)
    with pytest.raises(BadAnswer):
        world.smokeball.costs(MatterRef(key, ""))


@pytest.mark.parametrize(
    ("told", "on"),
    [
        ("2026-05-13T14:00:00Z", date(2026, 5, 14)),
        ("2026-05-13T14:00:00.1234567Z", date(2026, 5, 14)),
        ("2026-05-14T00:00:00+10:00", date(2026, 5, 14)),
        ("2026-05-14T00:00:00", date(2026, 5, 14)),
        ("2026-05-14", date(2026, 5, 14)),
        ("0001-01-01T00:00:00Z", date(1, 1, 1)),
        ("9999-12-31T23:59:59Z", None),
        ("14/05/2026", None),
        ("", None),
    ],
)
def test_the_day_of_a_line_is_read_in_the_firms_zone_and_never_in_the_way(
    world: SmokeballWorld, told: str, on: date | None
) -> None:
    key = world.add_matter("AM-1")
    world.add_expense(key, expenseDate=told)
    assert world.smokeball.costs(MatterRef(key, ""))[0].on == on


HOSTILE = [
    Said(200, "", kind="application/json"),
    Said(200, "<html>Sign in to the network</html>", kind="text/html"),
    Said(200, "[]", kind="application/json"),
    Said(200, "null", kind="application/json"),
    Said(200, "{}", kind="application/json"),
    Said(200, '{"value": {}}', kind="application/json"),
    Said(200, '{"value": [1]}', kind="application/json"),
    Said(200, '{"value": [{"id": 1, "id": 2}]}', kind="application/json"),
    Said(200, '{"value": [{"price": NaN}]}', kind="application/json"),
    Said(200, '{"value": [', kind="application/json"),
    Said(200, b'{"value": ["\xff"]}', kind="application/json"),
    Said(200, "[" * 100_000, kind="application/json"),
    Said(200, '{"a":' * 100_000, kind="application/json"),
    Said(200, '{"value": [{"description": {"key": "IT-1-T-1"}}]}', kind="application/json"),
    Said(200, '{"value": [{"price": ' + "9" * 5_000 + "}]}", kind="application/json"),
    Said(418, "teapot"),
    Said(302, "", {"Location": "/elsewhere"}),
]


@pytest.mark.parametrize("said", HOSTILE)
def test_a_read_that_cannot_be_believed_is_no_answer(world: SmokeballWorld, said: Said) -> None:
    """Nothing is concluded from it, and it ends soon."""
    key = world.add_matter("AM-1")
    world.says(said)
    with pytest.raises(BadAnswer):
        world.smokeball.costs(MatterRef(key, ""))
    assert len(world.asked) == 1


def test_costs_and_documents_of_an_unknown_matter_are_refused(world: SmokeballWorld) -> None:
    for ask in (world.smokeball.costs, world.smokeball.documents):
        with pytest.raises(Refused, match="No such matter"):
            ask(MatterRef("b471682e-fa17-4e46-b7fe-9b2b8fdcb3c2", ""))


@pytest.mark.parametrize(("said", "error"), [(Said(500, "x"), AnswerLost), (Said(408, ""), AnswerLost), (Said(0), AnswerLost)])
def test_a_read_that_fails_may_be_tried_again(world: SmokeballWorld, said: Said, error: type[ServiceError]) -> None:
    world.says(said)
    with pytest.raises(error):
        world.smokeball.cost_codes()


def test_cost_codes_are_the_activity_codes_for_expenses(world: SmokeballWorld) -> None:
    world.codes = [
        {"id": "a-1", "type": 2, "code": "SEARCH", "description": "Searches", "rate": Decimal("14.20"), "isDeleted": False},
        {"id": "a-2", "type": 0, "code": "FEE", "description": "Fee", "rate": 1},
        {"id": "a-3", "type": 2, "code": "OLD", "description": "Old", "isDeleted": True},
        {"id": "a-4", "type": "Expense", "code": None, "description": "Without a code"},
    ]
    codes = world.smokeball.cost_codes()
    assert [(one.id, one.code, one.unit_price) for one in codes] == [("a-1", "SEARCH", Decimal("14.20")), ("a-4", "", None)]


def test_staff_who_left_are_not_offered(world: SmokeballWorld) -> None:
    world.staff = [
        {"id": "s-1", "firstName": "Sam", "lastName": "Reid", "email": "sam@brown.test", "former": False},
        {"id": "s-2", "firstName": "Kim", "lastName": "Ode", "former": True},
        {"id": None, "firstName": "No", "lastName": "Id"},
    ]
    assert world.smokeball.staff() == (Staff("s-1", "Sam Reid", "sam@brown.test"),)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (
            {"person": {"firstName": "Jo", "middleName": "M", "lastName": "Smith", "email": "jo@x.test",
                        "cell": {"number": "0400 000 001"},
                        "residentialAddress": {"unitNumber": "10", "streetNumber": "100", "streetName": "Broad",
                                               "streetType": "Street",
                                               "city": "Ultimo", "state": "NSW", "zipCode": "2007"}}},
            ("Jo M Smith", "", "", "0400 000 001", PostalAddress("10, 100 Broad Street", "Ultimo", "NSW", "2007")),
        ),
        (
            {"company": {"name": "Brown Pty Ltd", "abn": "51 824 753 556", "companyNumber": "824 753 556",
                         "companyNumberType": "ACN", "phone": {"areaCode": "02", "number": "9999 0000"},
                         "businessAddress": {"poBox": {"poBoxType": "PO Box", "poBoxNumber": "12", "city": "Ultimo",
                                                       "state": "NSW"}}}},
            ("Brown Pty Ltd", "824753556", "51824753556", "02 9999 0000", PostalAddress("PO Box 12", "Ultimo", "NSW", "")),
        ),
        ({"company": {"name": "X", "abn": "1234567", "companyNumber": "123456789", "companyNumberType": "ARBN"}},
         ("X", "", "", "", PostalAddress())),
        ({"groupOfPeople": {"name": "Jo Smith & Kim Ode"}}, ("Jo Smith & Kim Ode", "", "", "", PostalAddress())),
        ({"trust": {"name": "Trinity Trust"}, "person": None}, ("Trinity Trust", "", "", "", PostalAddress())),
    ],
)  # fmt: skip
def test_a_client_is_read_for_filling_in_an_order(
    world: SmokeballWorld, told: dict[str, Any], expected: tuple[object, ...]
) -> None:
    world.contacts["c-1"] = {"id": "c-1", **told}
    found = world.smokeball.client("c-1")
    assert found is not None
    assert (found.name, found.acn, found.abn, found.phone, found.address) == expected
    assert world.smokeball.client("c-2") is None


# One matter


def test_a_matter_is_found_by_its_exact_number_among_what_the_search_brings(world: SmokeballWorld) -> None:
    world.add_matter("AM-10")
    world.add_matter("X-1", description="was AM-1 once")
    closed = world.add_matter("am-1", status="Closed")
    found = world.smokeball.matter(" AM-1 ")
    assert found is not None
    assert (found.id, found.is_open, found.state) == (closed, False, "Closed")
    opened = world.add_matter("AM-1")
    again = world.smokeball.matter("AM-1")
    assert again is not None
    assert again.id == opened
    assert world.smokeball.matter("AM-2") is None
    assert world.smokeball.matter("  ") is None


def test_of_two_matters_with_one_number_the_one_that_stands_counts(world: SmokeballWorld) -> None:
    world.add_matter("AM-1", status="Deleted")
    closed = world.add_matter("AM-1", status="Closed")
    found = world.smokeball.matter("AM-1")
    assert found is not None
    assert found.id == closed


def test_a_matter_without_a_number_is_found_by_its_id(world: SmokeballWorld) -> None:
    key = world.add_matter("", description="Sale of 1 Broad Street")
    found = world.smokeball.matter(key)
    assert found is not None
    assert (found.id, found.number) == (key, "")
    assert world.smokeball.matter("b471682e-fa17-4e46-b7fe-9b2b8fdcb3c2") is None


def test_a_number_with_anything_in_it_is_quoted(world: SmokeballWorld) -> None:
    world.add_matter("A&B/1?#%", description="")
    found = world.smokeball.matter("A&B/1?#%")
    assert found is not None
    assert "Search=A%26B%2F1%3F%23%25" in world.asked[0].path
