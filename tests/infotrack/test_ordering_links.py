"""Asking for a link: what is told about a matter, and which answers are believed."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from desktop.services.desk import ConnectionState
from desktop.services.errors import AnswerLost, BadAnswer, NotNow, NotSent, Refused, ServiceError, SignedOut, Wait
from desktop.services.http import Http
from desktop.services.infotrack import mapping
from desktop.services.infotrack.answers import words
from desktop.services.infotrack.credentials import Credentials
from desktop.services.infotrack.ordering import LoginVerdict, Ordering
from desktop.services.infotrack.parties import Person, is_company, person
from desktop.services.infotrack.property_address import PropertyAddress, find, lot_plan
from desktop.services.infotrack.trusted import Trusted
from desktop.services.practice.model import ClientDetails, Matter
from tests.infotrack.scripted_server import KeptSecrets, Reply, Request, ScriptedServer, our_log

MATTER = Matter(
    system="xero-practice-manager",
    tenant="t1",
    id="0d3f6c1a-9b1c-4a9e-8f5e-1c2d3e4f5a6b",
    number="J004217",
    name="Purchase of 8 Wattle Ct, Nundah QLD 4012",
    client="Kestrel Lane Holdings Pty Ltd",
    client_id="c1",
    description="Lot 12 on RP90001",
)
CLIENT = ClientDetails(id="c1", name="Kestrel Lane Holdings Pty Ltd", acn="000000019", abn="11000000019", email="x@example.test")
LINK = "https://stagesearch.infotrack.com.au/example-landing?t=c2FtcGxl-canary"


class World:
    def __init__(self, folder: Path) -> None:
        self.answer: Callable[[Request], Reply] = lambda _request: Reply(body=json.dumps({"Token": "x", "Url": LINK}).encode())
        self.server = ScriptedServer(lambda request: self.answer(request))
        self.secrets = KeptSecrets()
        self.file = folder / "infotrack.json"
        self.credentials = Credentials(self.file, self.secrets)
        self.credentials.keep("clerk", "pass:word-canary")
        self.ordering = self.at(f"{self.server.url}/v1/")

    def at(self, api_url: str) -> Ordering:
        return Ordering(Http(), self.credentials, Trusted(("infotrack.com.au",), api_url), retailer_tag="ICONNECT1")

    def always(self, reply: Reply) -> None:
        self.answer = lambda _request: reply

    def link(self) -> str:
        return self.ordering.link(MATTER, CLIENT, "k7f3q2").url


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    with world.server:
        yield world


def test_a_link_is_asked_for_with_all_that_is_known(world: World) -> None:
    assert world.link() == LINK
    (request,) = world.server.requests
    assert (request.method, request.path) == ("POST", "/v1/mapping")
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"].startswith("Basic ")
    assert json.loads(request.body) == {
        "ClientReference": "J004217",
        "RetailerReference": "ICONNECT1_k7f3q2|xero-practice-manager|0d3f6c1a-9b1c-4a9e-8f5e-1c2d3e4f5a6b",
        "EntryPoint": "Queensland/search",
        "PropertyDetails": [
            {
                "PropertyAddress": {
                    "StreetNumber": "8",
                    "StreetName": "Wattle",
                    "StreetType": "Ct",
                    "Suburb": "Nundah",
                    "State": "QLD",
                    "PostCode": "4012",
                },
                "LotPlans": [{"Lot": "12", "PlanType": "RP", "PlanNumber": "90001"}],
            }
        ],
        "Organisations": [
            {"Name": "Kestrel Lane Holdings Pty Ltd", "AcnOrAbn": "000000019", "Acn": "000000019", "Abn": "11000000019"}
        ],
    }


def test_the_api_address_may_lack_its_last_slash(world: World) -> None:
    world.at(f"{world.server.url}/v1").link(MATTER, None, "k7f3q2")
    assert world.server.requests[0].path == "/v1/mapping"


def test_little_knowledge_makes_a_little_body() -> None:
    bare = Matter(system="smokeball", tenant="t", id="m1", number="2024-7", name="Estate planning")
    assert mapping.body(bare, None, "REF") == {"ClientReference": "2024-7", "RetailerReference": "REF"}
    named = mapping.body(bare, ClientDetails(id="c", name="Ms Ana Lucia Reyes"), "REF")
    assert named["Individuals"] == [{"Title": "Ms", "GivenName": "Ana", "GivenName2": "Lucia", "Surname": "Reyes"}]
    assert "Organisations" not in named
    assert "EntryPoint" not in named


def test_a_body_is_always_valid_json(world: World) -> None:
    odd = Matter(system="workflowmax", tenant="t", id="\ud800|%", number="\x00\ud800 7", name="\ud800", client="\ud800 Pty Ltd")
    world.ordering.link(odd, None, "k7f3q2")
    told = json.loads(world.server.requests[0].body)
    assert told["ClientReference"] == "\ufffd 7"
    assert told["RetailerReference"].count("|") == 2


@pytest.mark.parametrize("key", ["Url", "url", "URL"])
def test_the_answers_names_have_no_case(world: World, key: str) -> None:
    world.always(Reply(201, json.dumps({key: LINK}).encode(), "text/plain"))
    assert world.link() == LINK


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b'{"Url": null}', b'{"Url": ""}', b'{"Url": 5}', b"[]", b"not json", b'{"Token": "x"}', b'{"Url": ["https://infotrack.com.au"]}'],
)  # fmt: skip
def test_a_success_without_a_link_is_a_failure(world: World, body: bytes) -> None:
    world.always(Reply(200, body))
    with pytest.raises(BadAnswer):
        world.link()


@pytest.mark.parametrize(
    "url",
    [
        "http://search.infotrack.com.au/x", "https://infotrack.com.au.evil.example/", "https://evil.example/",
        "javascript:alert(1)", "https://infotrack.com.au@evil.example/",
        "https://evil.example\\.infotrack.com.au/", "/relative", "//infotrack.com.au/",
        "http://127.0.0.1:9/x", "https://infotrack.com.au\n.evil.example/",
    ],
)  # fmt: skip
def test_a_link_to_anybody_elses_host_is_not_opened(world: World, url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world.always(Reply(200, json.dumps({"Url": url}).encode()))
    with pytest.raises(BadAnswer) as refusal:
        world.link()
    assert url not in str(refusal.value) + our_log(caplog)


def test_http_links_count_on_loopback_when_the_platform_file_names_it(world: World) -> None:
    trusted = Trusted(("127.0.0.1",), f"{world.server.url}/v1/")
    world.always(Reply(200, json.dumps({"Url": "http://127.0.0.1:5/landing"}).encode()))
    link = Ordering(Http(), world.credentials, trusted, retailer_tag="T").link(MATTER, None, "k7f3q2")
    assert link.url == "http://127.0.0.1:5/landing"


def test_a_rejected_login_is_not_tried_twice(world: World) -> None:
    world.always(Reply(401, b"no"))
    for _ in range(3):
        with pytest.raises(SignedOut):
            world.link()
    assert len(world.server.requests) == 1
    assert world.credentials.state().state is ConnectionState.ATTENTION


@pytest.mark.parametrize(
    ("reply", "error", "said"),
    [
        (Reply(400, b'{"Message": "ClientReference is too long"}'), Refused, "ClientReference is too long"),
        (Reply(403, b"Your account is on hold", "text/plain"), Refused, "Your account is on hold"),
        (Reply(409, b""), Refused, "answer 409"),
        (Reply(500, b"<html><title>Server Error</title><p>at Foo.Bar()</p></html>", "text/html"), BadAnswer, "Server Error"),
        (Reply(302, headers=[("Location", "https://evil.example/?t=secret")]), BadAnswer, "redirect"),
        (Reply(503, headers=[("Retry-After", "12")]), Wait, "not available"),
        (Reply(429), Wait, "pause"),
        (Reply(200, b'{"Url": "https://' + b"a" * 2_000_000, cut=100), BadAnswer, "larger"),
        (Reply(200, b'{"Url": "https://' + b"a" * 2_000, cut=100), AnswerLost, "cut off"),
    ],
    ids=lambda value: f"{value.status} {value.body[:12]!r}" if isinstance(value, Reply) else str(value),
)
def test_every_other_answer_is_typed_and_says_what_infotrack_said(
    world: World, reply: Reply, error: type[ServiceError], said: str
) -> None:
    """D3"""
    world.always(reply)
    with pytest.raises(error) as raised:
        world.link()
    assert said in str(raised.value)
    if reply.status == 503:
        assert isinstance(raised.value, Wait)
        assert raised.value.after == timedelta(seconds=12)


def test_a_server_that_is_not_there_was_sent_nothing(world: World) -> None:
    """D3: refused."""
    with ScriptedServer(lambda _request: Reply()) as gone:
        url = gone.url
    with pytest.raises(NotSent):
        world.at(url).link(MATTER, None, "k7f3q2")


def test_neither_link_nor_login_nor_matter_is_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """J1"""
    caplog.set_level(logging.DEBUG)
    link = world.ordering.link(MATTER, CLIENT, "k7f3q2")
    world.always(Reply(401))
    with pytest.raises(SignedOut) as raised:
        world.link()
    everything = our_log(caplog) + repr(link) + str(raised.value) + repr(world.credentials.state())
    for canary in ("canary", "Basic", "Kestrel", "Wattle", "J004217", "cGFzczp3b3Jk"):
        assert canary not in everything


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (Reply(200, b"{}"), LoginVerdict.ACCEPTED),
        (Reply(204, b""), LoginVerdict.ACCEPTED),
        (Reply(401, b""), LoginVerdict.WRONG),
        (Reply(403, b""), LoginVerdict.COULD_NOT_TELL),
        (Reply(500, b""), LoginVerdict.COULD_NOT_TELL),
        (Reply(302, headers=[("Location", "/login")]), LoginVerdict.COULD_NOT_TELL),
        (Reply(200, b"x" * 2_000_000), LoginVerdict.COULD_NOT_TELL),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Reply) else value.value,
)
def test_a_login_is_checked_by_a_mapping_that_orders_nothing(world: World, reply: Reply, verdict: LoginVerdict) -> None:
    world.always(reply)
    found = world.ordering.check_login("new clerk", "new password")
    assert found.verdict is verdict
    assert (found.message == "") == (verdict is LoginVerdict.ACCEPTED)
    (request,) = world.server.requests
    assert set(json.loads(request.body)) == {"ClientReference", "RetailerReference"}
    assert world.credentials.login().user == "clerk", "a check keeps nothing"


@pytest.mark.parametrize(("user", "password"), [("", "x"), (" ", "x"), ("x", ""), ("a:b", "x"), ("x", "y" * 501)])
def test_a_login_that_can_not_be_one_is_not_sent(world: World, user: str, password: str) -> None:
    assert world.ordering.check_login(user, password).verdict is LoginVerdict.WRONG
    assert world.server.requests == []


def test_a_server_that_is_not_there_can_not_tell(world: World) -> None:
    with ScriptedServer(lambda _request: Reply()) as gone:
        url = gone.url
    assert world.at(url).check_login("a", "b").verdict is LoginVerdict.COULD_NOT_TELL


def test_a_locked_keyring_sends_nothing(world: World) -> None:
    world.secrets.locked = True
    fresh = Ordering(Http(), Credentials(world.file, world.secrets), Trusted((), f"{world.server.url}/"), retailer_tag="T")
    with pytest.raises(NotNow):
        fresh.link(MATTER, None, "k7f3q2")
    assert world.server.requests == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"errors": [{"message": "one"}, "two"]}', "one; two"),
        (b'{"error": {"detail": "inner"}}', "inner"),
        (b'"just text"', "just text"),
        (b"open https://evil.example/?t=1 now", "open … now"),
        (b"token " + b"a" * 80, "token …"),
        (b"<p>no title</p>", ""),
        (b"line\r\n\x00two", "line two"),
        (b"word " * 100, "word " * 39 + "word…"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b'{"a": 1}', ""),
        (b"{broken", ""),
    ],
)
def test_what_a_server_says_is_made_fit_to_show(body: bytes, said: str) -> None:
    assert words(body) == said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8 Wattle Ct, Nundah QLD 4012", PropertyAddress("8", "Wattle", "Ct", "Nundah", "QLD", "4012")),
        (
            "Smith - purchase: Unit 3, 12-14 Long Street, Parramatta, NSW, 2150",
            PropertyAddress("12", "Long", "Street", "Parramatta", "NSW", "2150", "3", "14"),
        ),
        ("3/12A Old Mill Rd. St Kilda vic 3182", PropertyAddress("12A", "Old Mill", "Rd", "St Kilda", "VIC", "3182", "3")),
        ("10 St Kilda Rd, Melbourne VIC 3004", PropertyAddress("10", "St Kilda", "Rd", "Melbourne", "VIC", "3004")),
        ("5 O'Connell St, North Adelaide SA 5006", PropertyAddress("5", "O'Connell", "St", "North Adelaide", "SA", "5006")),
        ("1 Cavenagh St Darwin NT 0800", PropertyAddress("1", "Cavenagh", "St", "Darwin", "NT", "0800")),
    ],
)
def test_an_address_is_read_when_it_is_whole(text: str, expected: PropertyAddress) -> None:
    assert find(text) == expected
    assert find("Conveyance", f"The property at {text} (settlement 4 March)") == expected


@pytest.mark.parametrize(
    "text",
    [
        "", "8 Wattle Ct", "8 Wattle Ct, Nundah", "8 Wattle Ct, Nundah QLD", "Wattle Ct, Nundah QLD 4012",
        "8 Wattle, Nundah QLD 4012", "8 Wattle Ct, Nundah NSW 4012", "Lot 12 Wattle Ct, Nundah QLD 4012",
        "PO Box 12 High St, Nundah QLD 4012",
        "8 Wattle Ct, Nundah QLD 4012 and 9 Wattle Ct, Nundah QLD 4012", "8 Wattle Ct, Nundah QLD 40121", "2024 Annual return 2150",
    ],
)  # fmt: skip
def test_an_address_that_leaves_a_doubt_is_left_out(text: str) -> None:
    assert find(text) is None


def test_the_same_address_twice_is_one() -> None:
    assert find("8 Wattle Ct, Nundah QLD 4012", "8 Wattle Ct, Nundah QLD 4012") is not None
    assert lot_plan("Lot 1 DP 5", "Lot 2 DP 5") is None


@pytest.mark.parametrize(
    ("name", "company", "human"),
    [
        ("Kestrel Lane Holdings Pty Ltd", True, None),
        ("KESTREL PTY. LIMITED", True, None),
        ("The Trustee for Lane Family Trust", True, None),
        ("John Smith", False, Person("Smith", "John")),
        ("Smith, John Paul", False, Person("Smith", "John", "Paul")),
        ("Mr. Seán O'Brien-Wells", False, Person("O'Brien-Wells", "Seán", "", "Mr")),
        ("van der Berg, Jan", False, Person("van der Berg", "Jan")),
        ("John and Mary Smith", False, None),
        ("J & M Smith", False, None),
        ("Smith", False, None),
        ("Estate of John Smith", False, None),
        ("Agent 007", False, None),
        ("", False, None),
    ],
)
def test_a_client_is_called_company_or_person_only_without_doubt(name: str, company: bool, human: Person | None) -> None:
    assert (is_company(name), person(name)) == (company, human)
