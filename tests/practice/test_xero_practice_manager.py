"""The Practice Manager adapter over real sockets, against answers as the vendor facts have them."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop.services.errors import AccessMissing, AnswerLost, BadAnswer, NotSent, Refused, ServiceError, SignedOut, Wait
from desktop.services.http import Http
from desktop.services.practice import job_records
from desktop.services.practice.gateway import retry_after
from desktop.services.practice.keys import file_word, file_word_in, keys_in
from desktop.services.practice.model import CostLine, Document, Finding, Receipt, Staff
from desktop.services.practice.practice_system import MatterRef, Urgency
from desktop.services.practice.practice_xml import parse
from desktop.services.practice.xero_practice_manager import XeroPracticeManager
from tests.practice.xpm_server import Asked, Said, World, error, gateway, ok

JOB = (
    "<Job><ID>J004521</ID><UUID>u-4521</UUID><Name>FY26 Annual Accounts</Name><Description>first line\nsecond &lt;line&gt;"
    "</Description><State>In Progress</State><ClientOrderNumber /><StartDate>2026-04-01T00:00:00</StartDate><Phone></Phone>"
    "<Client><UUID>c-1</UUID><Name>Tui &amp; Sons Ltd</Name></Client>"
    "<Manager><UUID>s-3</UUID><Name>Sam Reid</Name></Manager>"
    "<Assigned><Staff><UUID>s-5</UUID><Name>Kim Ode</Name></Staff></Assigned></Job>"
)
COST = (
    "<Cost><UUID>e-c1</UUID><Date>2026-05-12T00:00:00</Date><Description>Filing fee</Description><Code>FILING</Code>"
    "<Note>ref 7Q2K IT-71000123-R-1</Note><Quantity>1</Quantity><UnitCost>45.00</UnitCost><UnitPrice>1,060.50</UnitPrice>"
    "<Billable>true</Billable></Cost>"
)
DOCUMENT = (
    "<Document><Title>Receipt</Title><Text>IT-71000123-D-1</Text><Folder>InfoTrack</Folder><Date>20260512</Date>"
    "<CreatedBy>Kim Ode</CreatedBy><Filename>receipt.pdf</Filename><URL>https://practicemanager.xero.com/d/1</URL></Document>"
)
REF = MatterRef("u-4521", "J004521")
LINE = CostLine(
    key="IT-71000123-R-1",
    matter_number="J004521",
    matter_id="u-4521",
    on=date(2026, 5, 12),
    description="Title search & more",
    code="SEARCH",
    note="order IT-71000123-R-1",
    unit_cost=Decimal("45.00"),
    unit_price=Decimal("-60.10"),
    billable=False,
)
PAPER = Document(
    key="IT-71000123-D-1",
    matter_number="J004521",
    matter_id="u-4521",
    title="Title search",
    text="IT-71000123-D-1",
    folder="InfoTrack",
    file_name="a.pdf",
    content=b"%PDF-1.7" + bytes(range(256)) * 40,
)


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


# What is asked


def test_every_call_carries_token_tenant_and_goes_through_the_gate(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "desktop")
    world.says(Said(200, ok("<StaffList/>").body, {"X-MinLimit-Remaining": "41"}))
    assert world.xpm.staff(urgency=Urgency.PERSON) == ()
    asked = world.asked[0]
    assert asked.headers["authorization"] == "Bearer first"
    assert asked.headers["xero-tenant-id"] == "tenant-1"
    assert world.gate.urgencies == [Urgency.PERSON]
    assert world.gate.learnt[0][1]["x-minlimit-remaining"] == "41"
    assert "ion-0042" in caplog.text
    assert "first" not in caplog.text
    assert "tenant-1" not in caplog.text


@pytest.mark.parametrize("number", ["J 1/2?#&%", "Ω-7", "a\\b", "100%25", "+"])
def test_a_number_is_free_text_and_quoted(world: World, number: str) -> None:
    world.says(ok("<Costs/>"))
    world.xpm.costs(MatterRef("x", number))
    assert unquote(world.asked[0].path.rpartition("/")[2]) == number
    assert world.asked[0].path.count("/") == 5


@pytest.mark.parametrize("number", ["", "  ", ".", "..", "..."])
def test_a_number_that_would_lead_elsewhere_is_never_asked_for(world: World, number: str) -> None:
    assert world.xpm.matter(number) is None
    with pytest.raises(Refused):
        world.xpm.costs(MatterRef("x", number))
    assert world.asked == []


def test_a_cost_is_posted_as_documented(world: World) -> None:
    world.xpm.post_cost(LINE)
    asked = world.asked[0]
    assert world.paths == ["POST job.api/cost"]
    assert asked.headers["content-type"] == "application/xml; charset=utf-8"
    assert [(child.name, child.text) for child in parse(asked.body).children] == [
        ("Job", "J004521"),
        ("Date", "20260512"),
        ("Description", "Title search & more"),
        ("Code", "SEARCH"),
        ("Note", "order IT-71000123-R-1"),
        ("Quantity", "1"),
        ("UnitCost", "45.00"),
        ("UnitPrice", "-60.10"),
        ("Billable", "false"),
    ]
    assert world.gate.urgencies == [Urgency.SEND]


def test_a_document_is_posted_private_and_as_one_line_of_base64(world: World) -> None:
    world.xpm.post_document(PAPER)
    root = parse(world.asked[0].body)
    assert world.paths == ["POST job.api/document"]
    assert (root.value("Job"), root.value("Public"), root.value("Text")) == ("J004521", "false", "IT-71000123-D-1")
    assert (root.value("Folder"), root.value("FileName"), root.value("Title")) == ("InfoTrack", "a.pdf", "Title search")
    content = root.value("Content")
    assert base64.b64decode(content, validate=True) == PAPER.content
    assert "\n" not in content


def test_a_document_over_the_cap_is_refused_before_it_leaves(world: World) -> None:
    xpm = XeroPracticeManager(world.http, world.tokens, world.gate, world.root, max_document_bytes=1000)
    assert xpm.capabilities.max_document_bytes == 1000
    with pytest.raises(Refused, match="by hand"):
        xpm.post_document(PAPER)
    assert world.asked == []


# What is read


def test_current_jobs_are_read_with_their_people(world: World) -> None:
    world.says(ok(f"<Jobs>{JOB}<Job><ID>J2</ID><Name>B</Name><Assigned /></Job></Jobs>", "Current"))
    first, second = world.xpm.matters()
    assert world.paths == ["GET job.api/current"]
    assert (first.id, first.number, first.name, first.client, first.client_id) == (
        "u-4521",
        "J004521",
        "FY26 Annual Accounts",
        "Tui & Sons Ltd",
        "c-1",
    )
    assert first.description == "first line\nsecond <line>"
    assert first.staff == (Staff("s-5", "Kim Ode"), Staff("s-3", "Sam Reid"))
    assert (second.id, second.number, second.staff, second.is_open) == ("J2", "J2", (), True)


@pytest.mark.parametrize("payload", ["<Jobs/>", "<Jobs></Jobs>"])
def test_an_empty_list_of_jobs_is_empty(world: World, payload: str) -> None:
    world.says(ok(payload))
    assert list(world.xpm.matters()) == []


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (ok(), BadAnswer),
        (ok("<Jobs><Job><Name>A</Name></Job></Jobs>"), BadAnswer),
        (ok("<Jobs><Job><ID> </ID><Name>A</Name></Job></Jobs>"), BadAnswer),
        (ok("<Jobs><Job><ID>J1</ID></Job></Jobs>"), BadAnswer),
        (Said(200, "<Response><Jobs/></Response>"), BadAnswer),
        (Said(200, "<html>Please sign in</html>", kind="text/html"), BadAnswer),
        (Said(200, '{"jobs":[],"status":"OK"}', kind="application/json"), BadAnswer),
        (Said(200, ""), BadAnswer),
        (Said(204, ""), BadAnswer),
        (error("Not today"), Refused),
        (
            Said(200, f"<Response><Jobs>{JOB}</Jobs><Status>ERROR</Status><ErrorDescription>x</ErrorDescription></Response>"),
            Refused,
        ),
        (Said(302, "", {"Location": "/x"}), BadAnswer),
        (gateway(403, "Forbidden", "AuthenticationUnsuccessful"), AccessMissing),
        (gateway(401, "Unauthorized", "AuthorizationUnsuccessful"), AccessMissing),
        (Said(429, "", {"X-Rate-Limit-Problem": "minute", "Retry-After": "22"}, ""), Wait),
        (Said(500, "oops", kind="text/plain"), AnswerLost),
        (Said(503, "<html>maintenance</html>", {"Retry-After": "120"}, "text/html"), Wait),
    ],
)
def test_a_list_that_cannot_be_believed_raises_by_meaning(world: World, said: Said, expected: type[ServiceError]) -> None:
    """D3, H7: reads."""
    world.says(said)
    with pytest.raises(expected):
        list(world.xpm.matters())
    assert world.gate.open == 0


def test_a_job_is_read_by_its_number(world: World) -> None:
    world.says(
        ok(
            JOB.replace("<Assigned>", "<Tasks><Task><Name>x</Name></Task></Tasks><Budget>1.5</Budget><Assigned>")
            + "<WebUrl>w</WebUrl>"
        )
    )
    matter = world.xpm.matter(" j004521 ")
    assert matter is not None
    assert (matter.id, matter.number, matter.state, matter.is_open) == ("u-4521", "J004521", "In Progress", None)
    assert world.paths == ["GET job.api/get/j004521"]


@pytest.mark.parametrize("said", [error("Invalid job identifier"), error(status=400), Said(404, "not found"), error(status=404)])
def test_an_unknown_job_is_none(world: World, said: Said) -> None:
    world.says(said)
    assert world.xpm.matter("J999999") is None


def test_another_job_than_the_one_asked_for_is_no_answer(world: World) -> None:
    world.says(ok(JOB))
    with pytest.raises(BadAnswer):
        world.xpm.matter("J000001")


def test_a_failing_server_does_not_make_a_job_unknown(world: World) -> None:
    world.says(error("Timeout expired", status=500))
    with pytest.raises(AnswerLost, match="Timeout expired"):
        world.xpm.matter("J004521")


@pytest.mark.parametrize("wrap", [lambda inside: ok(inside, "Costs"), lambda inside: Said(200, inside)])
def test_costs_are_read_in_both_envelopes(world: World, wrap: Callable[[str], Said]) -> None:
    world.says(wrap(f"<Costs>{COST}{COST.replace('R-1', 'S-2')}</Costs>"))
    first, second = world.xpm.costs(REF)
    assert (first.remote_id, first.keys, first.code, first.quantity) == ("e-c1", ("IT-71000123-R-1",), "FILING", Decimal(1))
    assert (first.unit_cost, first.unit_price, first.billable, first.on) == (
        Decimal("45.00"),
        Decimal("1060.50"),
        True,
        date(2026, 5, 12),
    )
    assert second.keys == ("IT-71000123-S-2",)
    world.says(wrap("<Costs />"))
    assert world.xpm.costs(REF) == ()
    world.says(ok())
    assert world.xpm.costs(REF) == ()


@pytest.mark.parametrize("wrap", [lambda inside: ok(inside, "Documents"), lambda inside: Said(200, inside)])
def test_documents_are_read_in_both_envelopes(world: World, wrap: Callable[[str], Said]) -> None:
    world.says(wrap(f"<Documents>{DOCUMENT}</Documents>"))
    (paper,) = world.xpm.documents(REF)
    assert (paper.remote_id, paper.keys, paper.file_name, paper.folder) == (
        "https://practicemanager.xero.com/d/1",
        ("IT-71000123-D-1",),
        "receipt.pdf",
        "InfoTrack",
    )


@pytest.mark.parametrize(
    "said",
    [
        ok("<Documents/><Jobs><Job/></Jobs>"),
        Said(200, "<Jobs/>"),
        ok(f"<Costs>{COST}</Costs><Costs/>"),
        ok(f"<Costs>{COST.replace('<Quantity>1</Quantity>', '')}</Costs>"),
        ok(f"<Costs>{COST.replace('45.00', '45,00')}</Costs>"),
        ok(f"<Costs>{COST.replace('45.00', '1e3')}</Costs>"),
        ok(f"<Costs>{COST.replace('45.00', '４５.00')}</Costs>"),
        ok(f"<Costs>{COST.replace('2026-05-12', '12/05/2026')}</Costs>"),
        ok(f"<Costs>{COST.replace('<Code>', '<Note>x</Note><Code>')}</Costs>"),
    ],
)
def test_costs_that_cannot_be_believed_are_no_answer(world: World, said: Said) -> None:
    """H7, H8: nothing may be concluded, above all not that a cost is absent."""
    world.says(said)
    with pytest.raises(BadAnswer):
        world.xpm.costs(REF)


def test_costs_of_an_unknown_job_are_refused(world: World) -> None:
    world.says(error("Invalid job identifier"))
    with pytest.raises(Refused, match="Invalid job identifier"):
        world.xpm.costs(REF)


def test_cost_codes_are_asked_for_page_by_page_until_one_holds_none(world: World) -> None:
    def page(asked: Asked) -> Said:
        n = int(asked.path.rpartition("=")[2])
        codes = "".join(
            f"<Cost><UUID>{n}-{i}</UUID><Code>C{i}</Code><UnitCost>1.50</UnitCost><UnitPrice /></Cost>" for i in range(2)
        )
        return ok(f"<Records>{2 if n < 4 else 0}</Records><Costs>{codes if n < 4 else ''}</Costs>")

    world.answer = page
    codes = world.xpm.cost_codes()
    assert world.paths == [f"GET cost.api/list?page={n}" for n in (1, 2, 3, 4)]
    assert len(codes) == 6
    assert (codes[0].unit_cost, codes[0].unit_price) == (Decimal("1.50"), None)


def test_a_server_that_ignores_the_page_does_not_keep_us_for_ever(world: World) -> None:
    world.says(ok("<Records>1</Records><Costs><Cost><UUID>a</UUID><Code>C</Code></Cost></Costs>"))
    assert len(world.xpm.cost_codes()) == 1
    assert len(world.asked) == 2


def test_a_client_is_read_for_filling_in_an_order(world: World) -> None:
    world.says(
        ok(
            "<Client><UUID>c-1</UUID><Name>Tui &amp; Sons Ltd</Name><Email>a@tui.test</Email><Phone /><Address>1 Street</Address>"
            "<City>Sydney</City><Region>NSW</Region><PostCode>2000</PostCode><Country /><PostalAddress></PostalAddress>"
            "<BusinessNumber>51 824 753 556</BusinessNumber><CompanyNumber>xxx-xxx</CompanyNumber>"
            "<Contacts><Contact><Name>Aroha Tui</Name></Contact></Contacts></Client>"
        )
    )
    client = world.xpm.client("c-1")
    assert client is not None
    assert (client.name, client.abn, client.acn, client.contacts) == ("Tui & Sons Ltd", "51824753556", "", ("Aroha Tui",))
    assert (client.address.street, client.address.suburb, client.address.post_code) == ("1 Street", "Sydney", "2000")


# What a write's answer means


@pytest.mark.parametrize(
    ("said", "remote_id"),
    [
        (ok(), ""),
        (ok(f"<Cost>{COST[6:]}"), "e-c1"),
        (ok(f"<Costs>{COST}</Costs>"), "e-c1"),
        (Said(200, COST), "e-c1"),
        (Said(201, ok().body), ""),
        (ok(f"<Costs>{COST.replace('R-1', 'R-2')}</Costs>"), ""),
        (Said(200, "<Response><Status>ok</Status></Response>"), ""),
    ],
)
def test_both_readings_of_a_posts_answer_are_accepted(world: World, said: Said, remote_id: str) -> None:
    """A bare envelope, or the record; only a record with our own key gives an id."""
    world.says(said)
    assert world.xpm.post_cost(LINE) == Receipt(remote_id)


JUNK = [
    Said(200, "<html><body>Sign in to the network</body></html>", kind="text/html"),
    Said(200, ""),
    Said(201, ""),
    Said(202, ""),
    Said(204, ""),
    Said(200, "OK", kind="text/plain"),
    Said(200, "<Response><Status>OK"),
    Said(200, "<Response/>"),
    Said(200, "<Response><Status>PENDING</Status></Response>"),
    Said(200, "<Response><Status>OK</Status><Status>ERROR</Status></Response>"),
    Said(200, "<!DOCTYPE a><Response><Status>OK</Status></Response>"),
    Said(200, '{"Title":"Forbidden","Status":403}', kind="application/json"),
    Said(200, "<Invoice/>"),
    Said(200, b"<Response><Status>OK</Status>" + b"x" * 6_000_000 + b"</Response>"),
    Said(301, "", {"Location": "/x"}),
    Said(302, "", {"Location": "/x"}),
    Said(307, "", {"Location": "/x"}),
    Said(308, "", {"Location": "/x"}),
    Said(400, "Bad Request", kind="text/plain"),
    Said(400, ok().body),
    Said(404, "<html>not found</html>", kind="text/html"),
    Said(405, ""),
    gateway(408, "Timeout", "RequestTimeout"),
    gateway(409, "Conflict", "Conflict"),
    Said(418, "teapot"),
    Said(500, "oops"),
    error("Object reference not set", status=500),
    gateway(500, "Internal", "Internal"),
    Said(502, "<html>bad gateway</html>"),
    Said(503, "", {"Retry-After": "10"}),
    gateway(503, "Unavailable", "Maintenance"),
    Said(504, ""),
    Said(599, ""),
    Said(999, ""),
]


@pytest.mark.parametrize("said", JUNK)
@pytest.mark.parametrize("what", ["cost", "document"])
def test_anything_but_a_clear_word_leaves_a_write_unknown(world: World, said: Said, what: str) -> None:
    """D3, D5: one request, and no conclusion."""
    world.says(said)
    with pytest.raises(AnswerLost):
        world.xpm.post_cost(LINE) if what == "cost" else world.xpm.post_document(PAPER)
    assert len(world.asked) == 1


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (error("Cost code\r\n not   found &amp; more"), "Cost code not found & more"),
        (Said(200, "<Response><Status>Error</Status></Response>"), "without giving a reason"),
        (error("Invalid date", status=400), "Invalid date"),
        (gateway(400, "Bad Request", "InvalidXml"), "Bad Request: InvalidXml"),
        (gateway(404, "Not Found", "NoSuchPath"), "Not Found: NoSuchPath"),
        (gateway(422, "Unprocessable", "NoNegative"), "Unprocessable: NoNegative"),
        (Said(413, ""), "larger"),
        (error("x" * 5000), "x…"),
    ],
)
def test_a_clear_no_is_a_refusal_with_its_own_words(world: World, said: Said, reason: str) -> None:
    """D3: 200 with error status, 4xx with a parsed refusal, 413."""
    world.says(said)
    with pytest.raises(Refused) as refused:
        world.xpm.post_cost(LINE)
    assert reason in refused.value.reason
    assert len(refused.value.reason) <= 300
    assert refused.value.status == said.status
    assert len(world.asked) == 1


@pytest.mark.parametrize("detail", ["TokenExpired: token expired at 05/12/2026", "AuthenticationUnsuccessful", ""])
def test_a_rejected_token_is_renewed_once_and_nothing_is_lost(world: World, detail: str) -> None:
    """D3: a 401 proves that nothing was done."""
    world.says(gateway(401, "Unauthorized", detail, www_authenticate="Bearer error=invalid_token"), ok())
    assert world.xpm.post_cost(LINE) == Receipt("")
    assert [asked.headers["authorization"] for asked in world.asked] == ["Bearer first", "Bearer second"]
    assert world.asked[0].body == world.asked[1].body
    assert world.tokens.rejections == ["first"]


def test_a_list_goes_on_with_the_renewed_token(world: World) -> None:
    world.says(Said(401, ""), ok(f"<Jobs>{JOB}</Jobs>"))
    assert len(list(world.xpm.matters())) == 1


def test_a_second_rejection_means_that_the_sign_in_has_ended(world: World) -> None:
    world.says(gateway(401, "Unauthorized", "TokenExpired"))
    for call in (lambda: world.xpm.post_cost(LINE), lambda: list(world.xpm.matters())):
        with pytest.raises(SignedOut):
            call()
    assert len(world.asked) == 3


def test_a_missing_right_names_its_cure(world: World) -> None:
    world.says(gateway(403, "Forbidden", "AuthenticationUnsuccessful"))
    with pytest.raises(AccessMissing) as missing:
        world.xpm.post_cost(LINE)
    assert "administrator" in missing.value.cure
    assert "Connect third-party add-ons" in missing.value.cure
    world.says(gateway(401, "Unauthorized", "AuthorizationUnsuccessful"))
    with pytest.raises(AccessMissing) as missing:
        world.xpm.post_cost(LINE)
    assert "scopes" in missing.value.cure
    assert world.tokens.rejections == []


@pytest.mark.parametrize(
    ("headers", "limit", "after"),
    [
        ({"X-Rate-Limit-Problem": "minute", "Retry-After": "22"}, "minute", 22),
        ({"X-Rate-Limit-Problem": "DAY", "Retry-After": "67000"}, "day", 67000),
        ({"x-rate-limit-problem": "Concurrent"}, "concurrent", None),
        ({"X-Rate-Limit-Problem": "app-minute", "Retry-After": "5.5"}, "app", 5.5),
        ({"X-Rate-Limit-Problem": "AppMinute"}, "app", None),
        ({"X-Rate-Limit-Problem": "galactic <b>"}, "galacticb", None),
        ({"Retry-After": "315360000"}, "server", 3600),
        ({"X-Rate-Limit-Problem": "day", "Retry-After": "315360000"}, "day", 86400),
        ({"Retry-After": "-5"}, "server", None),
        ({"Retry-After": "soon"}, "server", None),
        ({}, "server", None),
    ],
)
def test_a_limit_is_named_and_its_pause_believed_within_reason(
    world: World, headers: dict[str, str], limit: str, after: float | None
) -> None:
    """D13: empty 429s; Retry-After in seconds; absurd values capped."""
    world.says(Said(429, "", headers, ""))
    with pytest.raises(Wait) as wait:
        world.xpm.post_cost(LINE)
    assert wait.value.limit == limit
    assert wait.value.after == (None if after is None else timedelta(seconds=after))
    assert world.gate.learnt[0][0] == 429


def test_a_pause_may_be_told_as_a_date() -> None:
    """D13."""
    now = datetime(2026, 5, 12, 8, 0, tzinfo=UTC)
    assert retry_after({"retry-after": "Tue, 12 May 2026 08:01:30 GMT"}, now) == timedelta(seconds=90)
    assert retry_after({"retry-after": "Tue, 12 May 2026 07:00:00 GMT"}, now) is None
    assert retry_after({"retry-after": "Tue, 12 May 2099 07:00:00 GMT"}, now) == timedelta(hours=1)
    assert retry_after({"retry-after": "99999999999999999999"}, now) is None


def test_a_server_that_is_away_proves_that_nothing_was_sent(world: World) -> None:
    """D3."""
    xpm = XeroPracticeManager(Http(), world.tokens, world.gate, "http://127.0.0.1:1/")
    with pytest.raises(NotSent):
        xpm.post_cost(LINE)


# Access, keys, numbers, dates


def test_access_is_tried_by_reading_and_each_gap_has_a_cure(world: World) -> None:
    world.answer = lambda asked: gateway(403, "Forbidden", "x") if "cost.api" in asked.path else ok()
    staff, jobs, codes = world.xpm.check_access()
    assert (staff.finding, jobs.finding, codes.finding) == (Finding.OK, Finding.OK, Finding.MISSING)
    assert "administrator" in codes.cure
    assert {asked.method for asked in world.asked} == {"GET"}
    world.says(Said(500, ""))
    assert {each.finding for each in world.xpm.check_access()} == {Finding.UNKNOWN}


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("IT-71000123-R-1", ("IT-71000123-R-1",)),
        ("  it-71000123-r-1.\r\n", ("IT-71000123-R-1",)),
        ("paid (IT-1-T-2), see IT-1-D-13 and it-1-t-2", ("IT-1-T-2", "IT-1-D-13")),
        ("IT\u20111\u2013S\u22121", ("IT-1-S-1",)),
        ("IT-1-R-1-checked", ("IT-1-R-1",)),
        ("CREDIT-1-R-1 IT-1-X-1 IT--R-1 IT-x-R-1", ()),
        ("", ()),
    ],
)
def test_a_key_is_found_among_what_people_write_around_it(text: str, keys: tuple[str, ...]) -> None:
    """D7."""
    assert keys_in(text) == keys


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("InfoTrack file 0123456789ab IT-1-D-1", "0123456789ab"),
        ("infotrack FILE 0123456789AB it-1-d-1, seen", "0123456789ab"),
        ("file 0123456789ab file ba9876543210 IT-1-D-1", "ba9876543210"),
        ("InfoTrack IT-1-D-1", ""),
        ("profile 0123456789ab IT-1-D-1", ""),
        ("file 0123456789abc IT-1-D-1", ""),
        ("file 0123456789a IT-1-D-1", ""),
        ("", ""),
    ],
)
def test_a_files_word_is_found_among_what_people_write_around_it(text: str, word: str) -> None:
    assert file_word_in(text) == word


@given(st.text(min_size=1), st.text(max_size=40))
def test_a_files_word_is_found_again(told: str, around: str) -> None:
    word = file_word(told)
    assert word == file_word(f" {told} ")
    assert (len(word) == 12) == bool(told.strip())
    assert file_word_in(f"{around} file {word} IT-1-D-1") == word
    assert file_word("0aF=") != file_word("0Af=")


@given(st.integers(1, 10**12), st.sampled_from("RSTD"), st.integers(1, 999), st.text(max_size=40), st.text(max_size=40))
def test_a_key_is_found_whatever_stands_around_it(order: int, part: str, n: int, before: str, after: str) -> None:
    """D7."""
    key = f"IT-{order}-{part}-{n}"
    assert key in keys_in(f"{before} {key} {after}")
    assert key in keys_in(key.lower())


@pytest.mark.parametrize("text", ["20260512", "2026-05-12", "2026-05-12T00:00:00", "2026-05-12T23:59:59"])
def test_the_three_forms_of_a_date_are_read(text: str) -> None:
    """H8."""
    assert job_records.day(text) == date(2026, 5, 12)


@given(st.text(max_size=30) | st.from_regex(r"\A[0-9T:,.\-]{0,22}\Z"))
def test_numbers_and_dates_are_read_strictly_or_not_at_all(text: str) -> None:
    """H8: no locale, no exponent, no other digits."""
    for read in (job_records.decimal, job_records.day, job_records.truth):
        try:
            value = read(text)
        except BadAnswer:
            continue
        assert text.isascii()
        if isinstance(value, Decimal):
            assert value.is_finite()
            assert "e" not in text.lower()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_mutated_answer_never_raises_anything_untyped(world: World, data: st.DataObject) -> None:
    """H7: each endpoint's fixture, mutated."""
    calls: list[tuple[str, Callable[[], object]]] = [
        (f"<Response><Status>OK</Status><Costs>{COST}</Costs></Response>", lambda: world.xpm.costs(REF)),
        (f"<Documents>{DOCUMENT}</Documents>", lambda: world.xpm.documents(REF)),
        (f"<Response><Status>OK</Status>{JOB}</Response>", lambda: world.xpm.matter("J004521")),
        (f"<Response><Status>OK</Status><Jobs>{JOB}</Jobs></Response>", lambda: list(world.xpm.matters())),
        (f"<Response><Status>OK</Status>{COST}</Response>", lambda: world.xpm.post_cost(LINE)),
    ]
    document, call = data.draw(st.sampled_from(calls))
    mutated = bytearray(document.encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(mutated)))
        cut = data.draw(st.integers(0, 20))
        mutated[at : at + cut] = data.draw(st.binary(max_size=6) | st.sampled_from([b"<", b"</Cost>", b"<Status>", b"-", b"\xff"]))
    world.says(Said(data.draw(st.sampled_from([200, 200, 200, 400, 500])), bytes(mutated)))
    try:
        call()
    except ServiceError:
        pass
